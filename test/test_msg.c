/* sip/msg: what is in a message, what is forgiven, what is refused */
#include "test/support.h"

#include <stdlib.h>

#include "base/writer.h"
#include "sip/dump.h"
#include "sip/msg.h"

#define SIP_DIR "test/data/sip"

/* One request with a hole in it. */
#define MSG(clen, body)                                                        \
    "MESSAGE sip:34020000002000000001@3402000000 SIP/2.0\r\n"                  \
    "Via: SIP/2.0/UDP 192.0.2.10:5060;rport;branch=z9hG4bK137\r\n"             \
    "From: <sip:34020000001320000001@3402000000>;tag=2043\r\n"                 \
    "To: <sip:34020000002000000001@3402000000>\r\n"                            \
    "Call-ID: 1011047669@192.0.2.10\r\n"                                       \
    "CSeq: 20 MESSAGE\r\n"                                                     \
    "Max-Forwards: 70\r\n" clen "\r\n" body

#define RES(line)                                                              \
    line "\r\n"                                                                \
    "Via: SIP/2.0/UDP 192.0.2.10;branch=z9hG4bK137\r\n"                        \
    "From: <sip:a@b>;tag=1\r\nTo: <sip:c@d>;tag=2\r\n"                         \
    "Call-ID: x\r\nCSeq: 20 MESSAGE\r\nContent-Length: 0\r\n\r\n"

static struct sip_msg m;

static int parse(struct slice in, enum sip_carrier carrier)
{
    memset(&m, 0xa5, sizeof(m));
    return sip_msg_parse(&m, guarded(in), carrier, NULL);
}

static void golden(void *ctx, const char *path, struct slice bytes)
{
    static char text[64 * 1024];
    struct writer w;
    struct gb_diag diag = { 0, "" };
    char expect[256];
    int err = sip_msg_parse(&m, guarded(bytes), SIP_DATAGRAM, &diag);

    (void)ctx;
    w = writer_of(expect, sizeof(expect) - 1);
    writer_str(&w, path);
    writer_str(&w, ".expect");
    assert_int_equal(w.err, 0);
    expect[w.len] = '\0';
    w = writer_of(text, sizeof(text));
    sip_msg_dump(&w, &m, err, &diag);
    assert_int_equal(w.err, 0);
    expect_golden(expect, writer_slice(&w));
}

static void captures(void **state)
{
    (void)state;
    each_file(SIP_DIR, ".sip", golden, NULL);
    each_file(SIP_DIR "/torture", ".sip", golden, NULL);
}

/* Every proper prefix of a message with a body is refused, as a datagram and
 * as a cut of a stream; nothing is read behind its end. */
static void prefix_of(void *ctx, const char *path, struct slice bytes)
{
    (void)ctx;
    for (size_t n = 0; n < bytes.n; n++) {
        struct slice part = slice_head(bytes, n);

        if (parse(part, SIP_DATAGRAM) == 0 || parse(part, SIP_STREAM) == 0)
            fail_msg("%s: %zu of %zu octets", path, n, bytes.n);
    }
    assert_int_equal(parse(bytes, SIP_DATAGRAM), 0);
    assert_int_equal(m.trailing, 0);
    assert_int_equal(parse(bytes, SIP_STREAM), 0);
}

static void prefixes(void **state)
{
    struct slice in;

    (void)state;
    in = read_file(SIP_DIR "/invite-200-dahua-nvr.sip");
    prefix_of(NULL, "invite-200", in);
    free((void *)(uintptr_t)in.p);
    in = read_file(SIP_DIR "/invite-play-tcp-passive.sip");
    prefix_of(NULL, "invite-play", in);
    free((void *)(uintptr_t)in.p);
    in = read_file(SIP_DIR "/register-dahua-nvr.sip");
    prefix_of(NULL, "register-nvr", in);
    free((void *)(uintptr_t)in.p);
}

static void content_length(void **state)
{
    static const struct {
        const char *name;
        struct slice in;
        int udp, tcp;
        struct slice body; /* as a datagram */
        unsigned odd;
        size_t trailing;
    } cases[] = {
        { "exact", S(MSG("Content-Length: 5\r\n", "hello")), 0, 0, S("hello"),
          0, 0 },
        { "compact, blanks, zeros", S(MSG("l:\t 005 \r\n", "hello")), 0, 0,
          S("hello"), 0, 0 },
        { "none", S(MSG("", "hello")), 0, GB_ESYNTAX, S("hello"),
          SIP_ODD_NO_CLEN, 0 },
        { "none and no body", S(MSG("", "")), 0, GB_ESYNTAX, S(""), 0, 0 },
        { "trailing octets", S(MSG("Content-Length: 5\r\n", "hello, you")), 0,
          GB_ERANGE, S("hello"), SIP_ODD_TRAILING, 5 },
        { "zero with trailing XML", S(MSG("Content-Length: 0\r\n",
          "<a></a>")), 0, GB_ERANGE, S(""), SIP_ODD_TRAILING, 7 },
        { "root ends inside", S(MSG("Content-Length: 7\r\n",
          "<a></a><a></a>")), 0, GB_ERANGE, S("<a></a>"), SIP_ODD_TRAILING,
          7 },
        { "root ends behind", S(MSG("Content-Length: 5\r\n", "<a></a>\r\n")),
          0, GB_ERANGE, S("<a></a>\r\n"), SIP_ODD_CLEN_SMALL, 0 },
        { "SDP, line ends counted once", S(MSG("Content-Length: 12\r\n",
          "v=0\r\ny=0100\r\n")), 0, GB_ERANGE, S("v=0\r\ny=0100\r\n"),
          SIP_ODD_CLEN_SMALL, 0 },
        { "SDP, octets behind a line", S(MSG("Content-Length: 5\r\n",
          "v=0\r\ny=0100\r\n")), 0, GB_ERANGE, S("v=0\r\n"),
          SIP_ODD_TRAILING, 8 },
        { "SDP, NUL behind it", S(MSG("Content-Length: 3\r\n", "v=0\0")), 0,
          GB_ERANGE, S("v=0"), SIP_ODD_TRAILING, 1 },
        { "too large, root closed", S(MSG("Content-Length: 50\r\n",
          "<a></a>")), 0, 0, S("<a></a>"), SIP_ODD_CLEN_LARGE, 0 },
        { "too large, root open", S(MSG("Content-Length: 50\r\n", "<a><b>")),
          GB_ERANGE, GB_ERANGE, S(""), 0, 0 },
        { "too large, no XML", S(MSG("Content-Length: 6\r\n", "hello")),
          GB_ERANGE, GB_ERANGE, S(""), 0, 0 },
        { "negative", S(MSG("Content-Length: -1\r\n", "")), GB_ERANGE,
          GB_ERANGE, S(""), 0, 0 },
        { "sign", S(MSG("Content-Length: +0\r\n", "")), GB_ERANGE, GB_ERANGE,
          S(""), 0, 0 },
        { "hex", S(MSG("Content-Length: 0x0\r\n", "")), GB_ERANGE, GB_ERANGE,
          S(""), 0, 0 },
        { "empty", S(MSG("Content-Length:\r\n", "")), GB_ERANGE, GB_ERANGE,
          S(""), 0, 0 },
        { "two numbers", S(MSG("Content-Length: 0 0\r\n", "")), GB_ERANGE,
          GB_ERANGE, S(""), 0, 0 },
        { "comma", S(MSG("Content-Length: 0, 0\r\n", "")), GB_ERANGE,
          GB_ERANGE, S(""), 0, 0 },
        { "wraps 64 bits", S(MSG("Content-Length: 18446744073709551621\r\n",
          "hello")), GB_ERANGE, GB_ERANGE, S(""), 0, 0 },
        { "above the limit", S(MSG("Content-Length: 4194305\r\n", "")),
          GB_ELIMIT, GB_ELIMIT, S(""), 0, 0 },
        { "twice, equal", S(MSG("Content-Length: 0\r\nl: 0\r\n", "")),
          GB_ESYNTAX, GB_ESYNTAX, S(""), 0, 0 },
        { "stream, XML without length", S(MSG("", "<a></a>")), 0, 0,
          S("<a></a>"), SIP_ODD_NO_CLEN, 0 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        int tcp = parse(cases[i].in, SIP_STREAM);
        int udp = parse(cases[i].in, SIP_DATAGRAM);

        if (tcp != cases[i].tcp || udp != cases[i].udp)
            fail_msg("%s: %s, %s", cases[i].name, gb_strerror(udp),
                     gb_strerror(tcp));
        if (udp == 0 && (!slice_eq(m.body, cases[i].body) ||
                         m.odd != cases[i].odd ||
                         m.trailing != cases[i].trailing))
            fail_msg("%s: body <%.*s> odd %u", cases[i].name,
                     SLICE_ARG(m.body), m.odd);
        if (udp)
            assert_int_equal(m.reject, udp == GB_ELIMIT ? 413 : 400);
    }
}

static void start_lines(void **state)
{
    static const struct {
        const char *name;
        struct slice in;
        int err;
        unsigned reject, status;
    } cases[] = {
        { "response", S(RES("SIP/2.0 200 OK")), 0, 0, 200 },
        { "lower case", S(RES("sip/2.0 200 OK")), 0, 0, 200 },
        { "no reason", S(RES("SIP/2.0 100 ")), 0, 0, 100 },
        { "no blank", S(RES("SIP/2.0 100")), 0, 0, 100 },
        { "699", S(RES("SIP/2.0 699 x")), 0, 0, 699 },
        { "099", S(RES("SIP/2.0 099 x")), GB_ERANGE, 0, 0 },
        { "700", S(RES("SIP/2.0 700 x")), GB_ERANGE, 0, 0 },
        { "two digits", S(RES("SIP/2.0 20 x")), GB_ERANGE, 0, 0 },
        { "four digits", S(RES("SIP/2.0 2000 x")), GB_ERANGE, 0, 0 },
        { "wraps", S(RES("SIP/2.0 4294967496 x")), GB_ERANGE, 0, 0 },
        { "letters", S(RES("SIP/2.0 2x0 x")), GB_ERANGE, 0, 0 },
        { "version of a response", S(RES("SIP/3.0 200 x")), GB_EUNSUPPORTED,
          0, 200 },
        { "version alone", S(RES("SIP/2.0")), GB_ESYNTAX, 0, 0 },
        { "HTTP", S(RES("HTTP/1.1 200 OK")), GB_ESYNTAX, 0, 0 },
        { "no version", S(RES("MESSAGE sip:a@b")), GB_ESYNTAX, 0, 0 },
        { "HTTP request", S(RES("GET / HTTP/1.1")), GB_ESYNTAX, 0, 0 },
        { "no method", S(RES(" sip:a@b SIP/2.0")), GB_ESYNTAX, 0, 0 },
        { "method no token", S(RES("ME(SAGE sip:a@b SIP/2.0")), GB_ESYNTAX,
          0, 0 },
        { "no URI", S(RES("MESSAGE SIP/2.0")), GB_ESYNTAX, 400, 0 },
        { "blank in the URI", S(RES("MESSAGE sip:a@b; lr SIP/2.0")),
          GB_ESYNTAX, 400, 0 },
        { "tabs", S(RES("MESSAGE\tsip:a@b\t\tSIP/2.0 \t")), 0, 0, 0 },
        { "version", S(RES("MESSAGE sip:a@b SIP/2.1")), GB_EUNSUPPORTED, 505,
          0 },
        { "version 2", S(RES("MESSAGE sip:a@b SIP/2")), GB_EUNSUPPORTED, 505,
          0 },
        { "version 02.0", S(RES("MESSAGE sip:a@b SIP/02.0")),
          GB_EUNSUPPORTED, 505, 0 },
        { "version and more", S(RES("MESSAGE sip:a@b SIP/2.0x")), GB_ESYNTAX,
          0, 0 },
        { "scheme", S(RES("MESSAGE tel:12 SIP/2.0")), GB_EUNSUPPORTED, 416,
          0 },
        { "version before scheme", S(RES("MESSAGE tel:12 SIP/9.0")),
          GB_EUNSUPPORTED, 505, 0 },
        { "sips", S(RES("MESSAGE sips:a@b SIP/2.0")), 0, 0, 0 },
        { "URI without scheme", S(RES("MESSAGE a@b SIP/2.0")), GB_ESYNTAX,
          400, 0 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        int err = parse(cases[i].in, SIP_DATAGRAM);

        if (err != cases[i].err || m.reject != cases[i].reject ||
            m.status != cases[i].status)
            fail_msg("%s: %s, %u, %u", cases[i].name, gb_strerror(err),
                     m.reject, m.status);
    }
}

/* One mandatory header at a time is taken out, or broken. */
static void mandatory(void **state)
{
    static const struct {
        const char *from, *to; /* line that begins so becomes this */
        int err;
        unsigned reject;
    } cases[] = {
        { "Via", "", GB_ESYNTAX, 0 },
        { "Via", "Via: nonsense\r\n", GB_ESYNTAX, 0 },
        { "Via", "Via:\r\n", GB_ESYNTAX, 0 },
        { "From", "", GB_ESYNTAX, 400 },
        { "From", "From: \"x <sip:a@b>;tag=1\r\n", GB_ESYNTAX, 400 },
        { "From", "From: *\r\n", GB_ESYNTAX, 400 },
        { "To", "", GB_ESYNTAX, 400 },
        { "To", "To: <sip:a@b>, <sip:c@d>\r\n", GB_ESYNTAX, 400 },
        { "To", "To:\r\n", GB_ESYNTAX, 400 },
        { "Call-ID", "", GB_ESYNTAX, 400 },
        { "Call-ID", "Call-ID: \r\n", GB_ESYNTAX, 400 },
        { "CSeq", "", GB_ESYNTAX, 400 },
        { "CSeq", "CSeq: 2147483648 MESSAGE\r\n", 0, 0 },
        { "CSeq", "CSeq: 4294967296 MESSAGE\r\n", GB_ERANGE, 400 },
        { "CSeq", "CSeq: 20 INVITE\r\n", GB_ESYNTAX, 400 },
        { "CSeq", "CSeq: 20 message\r\n", GB_ESYNTAX, 400 },
        { "Max-Forwards", "", 0, 0 },
        { "Max-Forwards", "Max-Forwards: 255\r\n", 0, 0 },
        { "Max-Forwards", "Max-Forwards: 256\r\n", GB_ERANGE, 400 },
        { "Max-Forwards", "Max-Forwards: -1\r\n", GB_ERANGE, 400 },
        { "Max-Forwards", "Max-Forwards:\r\n", GB_ERANGE, 400 },
    };
    const char *text = MSG("Content-Length: 0\r\n", "");
    char buf[1024];

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct writer w = writer_of(buf, sizeof(buf));
        struct slice rest = slice_str(text), line;
        int err;

        while (slice_cut(&rest, '\n', &line)) {
            if (slice_has_prefix(line, slice_str(cases[i].from))) {
                writer_str(&w, cases[i].to);
                continue;
            }
            writer_slice_put(&w, line);
            writer_char(&w, '\n');
        }
        err = parse(writer_slice(&w), SIP_DATAGRAM);
        if (err != cases[i].err || m.reject != cases[i].reject)
            fail_msg("%s -> %s: %s, %u", cases[i].from, cases[i].to,
                     gb_strerror(err), m.reject);
    }
}

/* What a 400 repeats is there although something else is wrong. */
static void answerable(void **state)
{
    struct slice in = SLICE(MSG("Content-Length: x\r\nbroken line\r\n", ""));

    (void)state;
    assert_int_equal(parse(in, SIP_DATAGRAM), GB_ESYNTAX);
    assert_int_equal(m.reject, 400);
    assert_true(slice_eq(m.via.branch, SLICE("z9hG4bK137")));
    assert_true(slice_eq(m.from.tag, SLICE("2043")));
    assert_true(slice_eq(m.to.uri.user, SLICE("34020000002000000001")));
    assert_int_equal(m.cseq.number, 20);
    assert_true(slice_eq(m.call_id, SLICE("1011047669@192.0.2.10")));
}

static void keep_alives(void **state)
{
    static const struct slice cases[] = {
        S(""), S("\r\n"), S("\r\n\r\n"), S("\0\0\0\0"), S("\0\0\0\0\0\0\0"),
        S("abcd"), S("\r\n\r\n\r\n\r\n"),
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_int_equal(parse(cases[i], SIP_DATAGRAM), GB_ENOENT);
        assert_int_equal(m.reject, 0);
    }
    assert_int_equal(parse(SLICE("abcde"), SIP_DATAGRAM), GB_ESYNTAX);
}

/* Order across lines, commas, compact names. */
static void walks(void **state)
{
    struct slice in = SLICE(MSG("Contact: <sip:a@b>, \"x,y\" <sip:c@d>\r\n"
                                "X-Own: 1\r\nm: <sip:e@f;p=1,2>\r\n"
                                "Contact:\r\nx-own: 2\r\n"
                                "Supported: path, gruu\r\nk: 100rel\r\n"
                                "Content-Length: 0\r\n", ""));
    static const struct slice want[] = {
        S("<sip:a@b>"), S("\"x,y\" <sip:c@d>"), S("<sip:e@f;p=1,2>"),
    };
    struct sip_walk k;
    struct slice elem;
    size_t n = 0;

    (void)state;
    assert_int_equal(parse(in, SIP_DATAGRAM), 0);
    k = sip_msg_walk(&m, SIP_HDR_CONTACT);
    for (; sip_walk_next(&k, &elem); n++)
        assert_true(n < COUNT(want) && slice_eq(elem, want[n]));
    assert_int_equal(n, COUNT(want));
    k = sip_msg_walk(&m, SIP_HDR_ROUTE);
    assert_false(sip_walk_next(&k, &elem));
    assert_true(slice_eq(sip_msg_value_named(&m, SLICE("X-OWN")),
                         SLICE("1")));
    assert_int_equal(sip_msg_value_named(&m, SLICE("X-Not")).n, 0);
    assert_true(slice_eq(sip_msg_value_named(&m, SLICE("call-id")),
                         m.call_id));
    assert_true(sip_msg_lists(&m, SIP_HDR_SUPPORTED, SLICE("GRUU")));
    assert_true(sip_msg_lists(&m, SIP_HDR_SUPPORTED, SLICE("100rel")));
    assert_false(sip_msg_lists(&m, SIP_HDR_SUPPORTED, SLICE("timer")));
}

/* Head with `n` filler lines of `len` octets each. */
static struct slice rich(size_t n, size_t len)
{
    static char buf[256 * 1024];
    struct writer w = writer_of(buf, sizeof(buf));

    writer_str(&w, "OPTIONS sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP c;branch="
                   "z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:a@b>\r\n"
                   "Call-ID: x\r\nCSeq: 1 OPTIONS\r\n");
    for (size_t i = 0; i < n; i++) {
        writer_str(&w, "X: ");
        for (size_t k = 0; k < len; k++)
            writer_char(&w, 'y');
        writer_str(&w, "\r\n");
    }
    writer_str(&w, "\r\n");
    assert_int_equal(w.err, 0);
    return writer_slice(&w);
}

static void limits(void **state)
{
    (void)state;
    assert_int_equal(parse(rich(SIP_MAX_FIELDS - 5, 10), SIP_DATAGRAM), 0);
    assert_int_equal(m.n_fields, SIP_MAX_FIELDS);
    assert_int_equal(parse(rich(SIP_MAX_FIELDS - 4, 10), SIP_DATAGRAM),
                     GB_ELIMIT);
    assert_int_equal(m.reject, 513);
    assert_int_equal(parse(rich(1, 65000), SIP_DATAGRAM), 0);
    assert_int_equal(parse(rich(1, 65536), SIP_DATAGRAM), GB_ELIMIT);
    assert_int_equal(m.reject, 513);
    assert_int_equal(parse(slice_head(rich(1, 70000), 69000), SIP_STREAM),
                     GB_ELIMIT);
    assert_int_equal(m.reject, 513);
}

/* Random damage: never a crash, never a slice outside the message. */
static void inside(struct slice s, struct slice all)
{
    assert_true(s.n == 0 || (s.p >= all.p && s.p + s.n <= all.p + all.n));
}

static void damaged(void *ctx, const char *path, struct slice bytes)
{
    uint64_t *seed = ctx;
    char *copy = malloc(bytes.n ? bytes.n : 1);

    (void)path;
    assert_non_null(copy);
    for (unsigned k = 0; k < 200; k++) {
        static const char pool[] = "\r\n\0 \t:;,<>\"@[]%=?/\\*09azAZ\x80\xff";
        struct slice in;

        memcpy(copy, bytes.p, bytes.n);
        for (unsigned i = 0; i < 1 + k % 8; i++)
            copy[test_random(seed) % bytes.n] =
                pool[test_random(seed) % (sizeof(pool) - 1)];
        in = guarded(slice_of(copy, bytes.n));
        (void)sip_msg_parse(&m, in, k % 2 ? SIP_STREAM : SIP_DATAGRAM, NULL);
        inside(m.body, in);
        inside(m.call_id, in);
        inside(m.via.branch, in);
        inside(m.from.tag, in);
        inside(m.to.uri.user, in);
        for (size_t i = 0; i < m.n_fields; i++) {
            inside(m.fields[i].name, in);
            inside(m.fields[i].value, in);
        }
    }
    free(copy);
}

static void damage(void **state)
{
    uint64_t seed = 20161;

    (void)state;
    each_file(SIP_DIR, ".sip", damaged, &seed);
    each_file(SIP_DIR "/torture", ".sip", damaged, &seed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(captures),    cmocka_unit_test(prefixes),
        cmocka_unit_test(content_length), cmocka_unit_test(start_lines),
        cmocka_unit_test(mandatory),   cmocka_unit_test(answerable),
        cmocka_unit_test(keep_alives), cmocka_unit_test(walks),
        cmocka_unit_test(limits),      cmocka_unit_test(damage),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
