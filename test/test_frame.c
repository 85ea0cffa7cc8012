/* sip/frame: messages out of a stream, whatever the cuts */
#include "test/support.h"

#include <stdlib.h>
#include <time.h>

#include "base/writer.h"
#include "sip/frame.h"

#define HEAD(more)                                                             \
    "MESSAGE sip:a@b SIP/2.0\r\nVia: SIP/2.0/TCP c;branch=z9hG4bK1\r\n" more   \
    "\r\n"
#define ONE HEAD("Content-Length: 5\r\n") "hello"
#define LONG(by) HEAD("c: text/xml\r\nl: " by "\r\n") "<a>b</a>"
#define XML HEAD("Content-Type: Application/MANSCDP+xml\r\n")                  \
    "<?xml version=\"1.0\"?>\r\n<!-- </Notify> -->\r\n"                        \
    "<Notify a='1'><Sub></Sub></Notify >"

/* Feeds `in` in pieces of `step` octets (0: all at once); what comes out as
 * text: "[message]", "P" for a ping, "!" for the end by an error. */
struct feed {
    struct sip_frame f;
    char *buf;
    size_t n, cap;
    struct writer out;
    int err;
    struct slice rest; /* head of the message that is in error */
};

static void feed_pump(struct feed *x)
{
    for (;;) {
        struct slice have = guarded(slice_of(x->buf, x->n));
        struct sip_cut cut;
        int err = sip_frame_next(&x->f, have, &cut);

        assert_true(cut.used <= x->n);
        if (err == 0 && cut.kind == SIP_CUT_PING)
            writer_char(&x->out, 'P');
        if (err == 0 && cut.kind == SIP_CUT_MESSAGE) {
            writer_char(&x->out, '[');
            writer_slice_put(&x->out, cut.bytes);
            writer_char(&x->out, ']');
        }
        if (err && err != GB_EAGAIN) {
            x->err = err;
            writer_char(&x->out, '!');
            writer_u64(&x->out, cut.bytes.n);
        }
        memmove(x->buf, x->buf + cut.used, x->n - cut.used);
        x->n -= cut.used;
        if (err)
            return;
    }
}

static struct slice run(struct feed *x, struct slice in, size_t first,
                        size_t step)
{
    static char out[1 << 20];
    static char buf[1 << 20];

    memset(x, 0, sizeof(*x));
    sip_frame_init(&x->f);
    x->buf = buf;
    x->out = writer_of(out, sizeof(out));
    while (in.n && !x->err) {
        size_t n = first ? first : step ? step : in.n;

        n = n < in.n ? n : in.n;
        memcpy(buf + x->n, in.p, n);
        x->n += n;
        in = slice_from(in, n);
        first = 0;
        feed_pump(x);
    }
    assert_int_equal(x->out.err, 0);
    return writer_slice(&x->out);
}

#define CUT "c: application/sdp\r\nl: 18\r\n\r\nv=0\r\ns=Play\r\ny=010"
#define CUT_SDP "INVITE sip:a@b SIP/2.0\r\n" CUT

static const struct {
    const char *name;
    struct slice in;
    const char *want;
    int err;
    unsigned resyncs;
} cases[] = {
    { "one", S(ONE), "[" ONE "]", 0, 0 },
    { "two in a row", S(ONE ONE), "[" ONE "][" ONE "]", 0, 0 },
    { "CRLF between", S(ONE "\r\n" ONE), "[" ONE "][" ONE "]", 0, 0 },
    { "pings", S("\r\n\r\n" ONE "\r\n\r\n\r\n\r\n\r\n" ONE),
      "P[" ONE "]PP[" ONE "]", 0, 0 },
    { "NULs and LFs between", S("\0\0\n\r\n" ONE), NULL, 0, 0 },
    { "no body", S(HEAD("l: 0\r\n") HEAD("l:0\r\n")),
      "[" HEAD("l: 0\r\n") "][" HEAD("l:0\r\n") "]", 0, 0 },
    { "LF only", S("SIP/2.0 200 OK\nl: 2\n\nhi"),
      "[SIP/2.0 200 OK\nl: 2\n\nhi]", 0, 0 },
    { "folded length", S(HEAD("Content-Length:\r\n  5\r\n") "hello" ONE),
      "[" HEAD("Content-Length:\r\n  5\r\n") "hello][" ONE "]", 0, 0 },
    { "XML without length", S(XML "\r\n" ONE XML),
      "[" XML "][" ONE "][" XML "]", 0, 0 },
    { "XML in one tag", S(HEAD("c: text/xml\r\n") "<a b='c'/>" ONE),
      "[" HEAD("c: text/xml\r\n") "<a b='c'/>][" ONE "]", 0, 0 },
    { "length too small",
      S(HEAD("l: 3\r\n") "hello\r\n</x>\r\n" "REGISTER sip:a@b SIP/2.0\r\n"
        "l: 0\r\n\r\n" ONE),
      "[" HEAD("l: 3\r\n") "hel][REGISTER sip:a@b SIP/2.0\r\nl: 0\r\n\r\n]["
      ONE "]", 0, 1 },
    { "an SDP that its length cuts: the rest is passed over",
      S(CUT_SDP "0000001\r\nf=v/2/4///a///\r\n" ONE ONE),
      "[" CUT_SDP "][" ONE "][" ONE "]", 0, 1 },
    { "the same of an answer, blank lines and a line that begins as one",
      S("SIP/2.0 200 OK\r\n" CUT "0000001\r\n\r\nSIP/2.0\r\n\r\n"
        "SIP/2.0 200 OK\r\nl: 0\r\n\r\n" ONE),
      "[SIP/2.0 200 OK\r\n" CUT "][SIP/2.0 200 OK\r\nl: 0\r\n\r\n][" ONE
      "]", 0, 1 },
    /* where it ends inside a line, the next start line is a part of that one */
    { "its rest has no end of line, before an answer",
      S(CUT_SDP "0000001" "SIP/2.0 200 OK\r\nl: 5\r\n\r\nhello" ONE),
      "[" CUT_SDP "][SIP/2.0 200 OK\r\nl: 5\r\n\r\nhello][" ONE "]", 0, 1 },
    { "XML without an end of line in what is passed over",
      S("rubbish\r\n<Notify></Notify>" ONE ONE), "[" ONE "][" ONE "]", 0, 1 },
    { "the same before a BYE and what looks like one",
      S("x\r\n<a>NOTIFYx sip: MESSAGE sip SIP/2.0 2</a>BYE sips:a@b SIP/2.0"
        "\r\nl:0\r\n\r\n" ONE),
      "[BYE sips:a@b SIP/2.0\r\nl:0\r\n\r\n][" ONE "]", 0, 1 },
    { "its rest has no end of line, before a request", /* which is refused */
      S(CUT_SDP "0000001" ONE ONE), "[" CUT_SDP "][0000001" ONE "][" ONE "]",
      0, 0 },
    { "the same of XML", S(HEAD("l: 3\r\n") "<a/>" ONE HEAD("l: 5\r\n")
      "<a></a>" "SIP/2.0 200 OK\r\nl: 0\r\n\r\n" ONE),
      "[" HEAD("l: 3\r\n") "<a/][" ONE "][" HEAD("l: 5\r\n")
      "<a></][SIP/2.0 200 OK\r\nl: 0\r\n\r\n][" ONE "]", 0, 2 },
    { "what is no token, and nothing else", /* is refused */
      S("a>b sip:a@b SIP/2.0\r\nl: 0\r\n\r\n" ONE),
      "[a>b sip:a@b SIP/2.0\r\nl: 0\r\n\r\n][" ONE "]", 0, 0 },
    { "every length is too small", S(CUT_SDP "0\r\n" CUT_SDP "0\r\n" ONE),
      "[" CUT_SDP "][" CUT_SDP "][" ONE "]", 0, 2 },
    { "length too large",
      S(HEAD("l: 30\r\n") "hello" HEAD("l: 0\r\n") "SIP/2.0 200 OK\r\n"
        "l: 0\r\n\r\n"), NULL, 0, 1 },
    { "of XML: the next one begins in it", S(LONG("9") LONG("90") LONG("20") ONE),
      "[" LONG("9") "][" LONG("90") "][" LONG("20") "][" ONE "]", 0, 0 },
    { "of XML, and blanks", S(HEAD("c: text/xml\r\nl: 12\r\n") "<a/>\r\n\r\n"
      "MESSAGE sip:a@b SIP/2.0\r\nl: 0\r\n\r\n" ONE),
      "[" HEAD("c: text/xml\r\nl: 12\r\n") "<a/>]P[MESSAGE sip:a@b SIP/2.0\r\n"
      "l: 0\r\n\r\n][" ONE "]", 0, 0 },
    { "of XML, which no message follows: a word",
      S(HEAD("c: text/xml\r\nl: 18\r\n") "<a/>MESSAGES sip:x" ONE),
      "[" HEAD("c: text/xml\r\nl: 18\r\n") "<a/>MESSAGES sip:x][" ONE "]", 0, 0 },
    { "another word", S(HEAD("c: text/xml\r\nl: 14\r\n") "<a/>MESSAGE an" ONE),
      "[" HEAD("c: text/xml\r\nl: 14\r\n") "<a/>MESSAGE an][" ONE "]", 0, 0 },
    { "an answer, as far as its name",
      S(HEAD("c: text/xml\r\nl: 6\r\n") "<a/>" "SIP/2.0 200 OK\r\nl: 0\r\n\r\n" ONE),
      "[" HEAD("c: text/xml\r\nl: 6\r\n") "<a/>][SIP/2.0 200 OK\r\nl: 0\r\n\r\n][" ONE "]", 0, 0 },
    { "of XML, which no message follows",
      S(HEAD("c: text/xml\r\nl: 18\r\n") "<a/>\r\n<!-- end -->" ONE),
      "[" HEAD("c: text/xml\r\nl: 18\r\n") "<a/>\r\n<!-- end -->][" ONE "]", 0, 0 },
    { "garbage first", S("hello\r\n\r\nMESSAGE tel:1 SIP/2.0\r\n" ONE),
      "[" ONE "]", 0, 1 },
    { "a bad message does not spoil the next",
      S("MESSAGE a b c SIP/2.0\r\nl: 0\r\n\r\n" ONE),
      "[MESSAGE a b c SIP/2.0\r\nl: 0\r\n\r\n][" ONE "]", 0, 0 },
    { "unfinished", S(HEAD("l: 6\r\n") "hello"), "", 0, 0 },
    { "half a line", S("MESSAGE sip:a@b S"), "", 0, 0 },
    { "lone CR", S("\r\n\r"), "", 0, 0 },
    { "no length", S(HEAD("") "hello"), "!63", GB_ESYNTAX, 0 },
    { "no length, other type", S(HEAD("c: text/plain\r\n") "<a></a>"),
      "!78", GB_ESYNTAX, 0 },
    { "negative", S(HEAD("l: -1\r\n") ONE), "!70", GB_ESYNTAX, 0 },
    { "twice", S(HEAD("l: 5\r\nl: 5\r\n") "hello"), "!75", GB_ESYNTAX, 0 },
    { "wraps", S(HEAD("l: 18446744073709551621\r\n") "hello"), "!88",
      GB_ESYNTAX, 0 },
    { "above the limit", S(HEAD("l: 4194305\r\n")), "!75", GB_ELIMIT, 0 },
};

static void any_cut(void **state)
{
    static struct feed x;

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct slice in = cases[i].in, got = run(&x, in, 0, 0);
        char *whole = malloc(got.n + 1);

        assert_non_null(whole);
        if (x.err != cases[i].err || x.f.resyncs != cases[i].resyncs ||
            (cases[i].want && !slice_eq(got, slice_str(cases[i].want))))
            fail_msg("%s: %s %u <%.*s>", cases[i].name, gb_strerror(x.err),
                     (unsigned)x.f.resyncs, SLICE_ARG(got));
        assert_true(cases[i].want || got.n);
        slice_copy(whole, got.n + 1, got);
        for (size_t k = 1; k <= in.n; k++) { /* two pieces, then by k */
            size_t n = got.n;

            got = run(&x, in, k, 0);
            if (!slice_eq(got, slice_of(whole, n)) || x.err != cases[i].err)
                fail_msg("%s cut at %zu", cases[i].name, k);
            got = run(&x, in, 0, k);
            if (!slice_eq(got, slice_of(whole, n)) || x.err != cases[i].err)
                fail_msg("%s by %zu", cases[i].name, k);
        }
        free(whole);
    }
}

static void lost_and_found(void **state)
{
    static struct feed x;
    struct slice got;

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        if (!strcmp(cases[i].name, "length too large"))
            got = run(&x, cases[i].in, 0, 7);
    assert_true(slice_find_slice(got, SLICE("[SIP/2.0 200 OK")) < got.n);
    got = run(&x, cases[4].in, 0, 0);
    assert_true(slice_eq(got, SLICE("[" ONE "]")));
}

static char *big(size_t n, const char *start, char fill)
{
    char *p = malloc(n);

    assert_non_null(p);
    memset(p, fill, n);
    memcpy(p, start, strlen(start));
    return p;
}

static void limits(void **state)
{
    static struct sip_cut cut;
    struct sip_frame f;
    char *p = big(SIP_MAX_HEAD, "MESSAGE sip:a@b SIP/2.0\r\nX: ", 'y');
    char *q = big(SIP_MAX_HEAD, "", 'y');

    (void)state;
    sip_frame_init(&f);
    assert_int_equal(sip_frame_next(&f, slice_of(p, SIP_MAX_HEAD - 1), &cut),
                     GB_EAGAIN);
    assert_int_equal(sip_frame_next(&f, slice_of(p, SIP_MAX_HEAD), &cut),
                     GB_ELIMIT);
    assert_int_equal(cut.bytes.n, SIP_MAX_HEAD);
    sip_frame_init(&f); /* a line that never ends */
    assert_int_equal(sip_frame_next(&f, slice_of(q, SIP_MAX_HEAD - 1), &cut),
                     GB_EAGAIN);
    assert_int_equal(sip_frame_next(&f, slice_of(q, SIP_MAX_HEAD), &cut),
                     GB_ESYNTAX);
    for (size_t i = 99; i < SIP_MAX_HEAD; i += 100)
        q[i] = '\n'; /* garbage without end */
    sip_frame_init(&f);
    assert_int_equal(sip_frame_next(&f, slice_of(q, SIP_MAX_HEAD), &cut),
                     GB_EAGAIN);
    assert_int_equal(cut.used, SIP_MAX_HEAD - 36);
    assert_int_equal(sip_frame_next(&f, slice_of(q, SIP_MAX_HEAD), &cut),
                     GB_ESYNTAX);
    free(p);
    free(q);
}

/* Nothing comes behind a body of XML that has ended, and its length says more. */
static void nothing_more_comes(void **state)
{
    static const struct {
        const char *in;
        size_t taken; /* 0: it waits */
    } parts[] = {
        { LONG("9"), sizeof(LONG("9")) - 1 },
        { LONG("90") "\r\n", sizeof(LONG("90")) - 1 },
        { LONG("300") ONE, sizeof(LONG("300")) - 1 },
        { HEAD("c: text/xml\r\nl: 9\r\n") "<a>b</a", 0 },
        { HEAD("c: text/xml\r\nl: 9\r\n"), 0 },
        { HEAD("c: application/sdp\r\nl: 9\r\n") "v=0\r\n", 0 },
        { HEAD("c: application/sdp\r\nl: 9\r\n") "<a></a>", 0 },
        { "MESSAGE sip:a@b SIP/2.0\r\nc: text/xml\r\n", 0 },
        { "rubbish<a></a>", 0 },
        { "", 0 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(parts); i++) {
        struct slice in = slice_str(parts[i].in);
        struct sip_frame f;
        struct sip_cut cut;

        sip_frame_init(&f);
        while (!sip_frame_next(&f, in, &cut))
            in = slice_from(in, cut.used);
        in = slice_from(in, cut.used);
        if (sip_frame_quiet(&f, guarded(in), &cut) != (parts[i].taken ? 0 : GB_EAGAIN))
            fail_msg("part %zu", i);
        assert_int_equal(cut.bytes.n, parts[i].taken);
        assert_int_equal(cut.used, parts[i].taken);
        in = slice_from(in, cut.used);
        if (parts[i].taken && in.n > 2) {
            assert_int_equal(sip_frame_next(&f, in, &cut), 0);
            assert_true(slice_eq(cut.bytes, SLICE(ONE)));
        }
    }
}

/* A body that claims to be XML and is none does not hold the stream. */
static void endless_xml(void **state)
{
    static const char head[] = HEAD("c: text/xml\r\n");
    size_t n = sizeof(head) - 1 + SIP_MAX_BODY + 1;
    char *p = big(n, HEAD("c: text/xml\r\n"), 'y');
    struct sip_frame f;
    struct sip_cut cut;

    (void)state;
    sip_frame_init(&f);
    assert_int_equal(sip_frame_next(&f, slice_of(p, 10000), &cut),
                     GB_ESYNTAX);
    assert_int_equal(cut.bytes.n, sizeof(head) - 1);
    memcpy(p + sizeof(head) - 1, "<a>", 3);
    sip_frame_init(&f);
    assert_int_equal(sip_frame_next(&f, slice_of(p, n - 1), &cut), GB_EAGAIN);
    assert_int_equal(sip_frame_next(&f, slice_of(p, n), &cut), GB_ELIMIT);
    assert_int_equal(cut.bytes.n, sizeof(head) - 1);
    free(p);
}

/* Whoever is lost looks at each byte a few times, and not at each for each. */
static void a_line_of_starts(void **state)
{
    char *p = big(SIP_MAX_HEAD, "rubbish\r\n", 'y');
    clock_t begun = clock();

    (void)state;
    for (size_t i = 9; i < SIP_MAX_HEAD / 2; i += 8)
        memcpy(p + i, "ACK sip:", 8);
    p[SIP_MAX_HEAD - 1] = '\n';
    for (unsigned i = 0; i < 20; i++) { /* 2 s, and 20 ms */
        struct sip_frame f;
        struct sip_cut cut;

        sip_frame_init(&f);
        assert_int_equal(sip_frame_next(&f, slice_of(p, SIP_MAX_HEAD), &cut),
                         GB_EAGAIN);
    }
    assert_true((clock() - begun) / CLOCKS_PER_SEC < 1);
    free(p);
}

static size_t n_captured;

static void captured(void *ctx, const char *path, struct slice bytes)
{
    struct writer *w = ctx;

    (void)path;
    n_captured++;
    writer_slice_put(w, bytes);
}

/* All captures in one stream, cut at random. */
static void random_cuts(void **state)
{
    static char text[64 * 1024];
    static struct feed x;
    struct writer w = writer_of(text, sizeof(text));
    uint64_t seed = 28181;
    struct slice got, in;
    size_t n = 0;

    (void)state;
    each_file("test/data/sip", ".sip", captured, &w);
    assert_int_equal(w.err, 0);
    in = writer_slice(&w);
    for (unsigned k = 0; k < 100; k++) {
        got = run(&x, in, 1 + test_random(&seed) % in.n,
                  1 + test_random(&seed) % 900);
        n = 0;
        for (size_t i = 0; i + 1 < got.n; i++)
            n += got.p[i] == ']' && (got.p[i + 1] == '[');
        assert_int_equal(x.err, 0);
        assert_int_equal(got.n, in.n + 2 * n_captured);
        assert_int_equal(n, n_captured - 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_cut),     cmocka_unit_test(lost_and_found),
        cmocka_unit_test(limits),      cmocka_unit_test(endless_xml),
        cmocka_unit_test(nothing_more_comes),
        cmocka_unit_test(a_line_of_starts),
        cmocka_unit_test(random_cuts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
