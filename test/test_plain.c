/* sip/plain: what the short ways read, the long ways read alike. A scheme or a
 * protocol in other letters, or an empty line before a message, is not plain
 * but means the same. */
#include "test/support.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/writer.h"
#include "sip/msg.h"
#include "sip/plain.h"

#define ROUNDS 60000

static bool same(struct slice a, const char *base_a, struct slice b,
                 const char *base_b)
{
    if (!a.p || !b.p)
        return a.n == 0 && b.n == 0;
    return a.n == b.n && a.p - base_a == b.p - base_b;
}

#define SAME(field) same(a->field, pa, b->field, pb)

static bool same_uri(const struct sip_uri *a, const char *pa,
                     const struct sip_uri *b, const char *pb)
{
    return a->scheme == b->scheme && a->port == b->port && SAME(text) &&
           SAME(user) && SAME(password) && SAME(host) && SAME(params) &&
           SAME(headers);
}

static bool same_addr(const struct sip_addr *a, const char *pa,
                      const struct sip_addr *b, const char *pb)
{
    return SAME(text) && SAME(display) && SAME(params) && SAME(tag) &&
           a->bracketed == b->bracketed && a->is_star == b->is_star &&
           same_uri(&a->uri, pa, &b->uri, pb);
}

static bool same_via(const struct sip_via *a, const char *pa,
                     const struct sip_via *b, const char *pb)
{
    return SAME(text) && SAME(version) && SAME(transport) && SAME(host) &&
           SAME(params) && SAME(branch) && SAME(received) && SAME(maddr) &&
           a->port == b->port && a->rport == b->rport && a->ttl == b->ttl &&
           a->has_rport == b->has_rport && a->has_ttl == b->has_ttl;
}

static bool same_msg(const struct sip_msg *a, const struct sip_msg *b)
{
    const char *pa = a->bytes.p, *pb = b->bytes.p + b->bytes.n - a->bytes.n;
    bool ok = a->is_request == b->is_request && a->method == b->method &&
              a->status == b->status && SAME(method_name) && SAME(reason) &&
              SAME(call_id) && SAME(body) &&
              same_uri(&a->uri, pa, &b->uri, pb) &&
              same_via(&a->via, pa, &b->via, pb) &&
              same_addr(&a->from, pa, &b->from, pb) &&
              same_addr(&a->to, pa, &b->to, pb) &&
              a->cseq.number == b->cseq.number &&
              a->cseq.method == b->cseq.method && SAME(cseq.method_name) &&
              a->max_forwards == b->max_forwards &&
              a->content_length == b->content_length &&
              a->trailing == b->trailing && a->reject == b->reject &&
              (a->odd | SIP_ODD_LEADING) == (b->odd | SIP_ODD_LEADING) &&
              a->n_fields == b->n_fields &&
              memcmp(a->first, b->first, sizeof(a->first)) == 0;

    for (size_t i = 0; ok && i < a->n_fields; i++)
        ok = a->fields[i].id == b->fields[i].id &&
             a->fields[i].next == b->fields[i].next &&
             a->fields[i].folded == b->fields[i].folded &&
             SAME(fields[i].name) && SAME(fields[i].value);
    return ok;
}

/* Some pieces in a row, so that most of it is nearly plain. */
static struct slice any_row(char *buf, size_t cap, const char *const *pieces,
                            size_t n_pieces, uint64_t *seed)
{
    struct writer w = writer_of(buf, cap);
    size_t n = (test_random(seed) >> 30) % 9;

    for (size_t i = 0; i < n; i++)
        writer_str(&w, pieces[(test_random(seed) >> 30) % n_pieces]);
    if (w.len && (test_random(seed) >> 30) % 4 == 0)
        buf[(test_random(seed) >> 30) % w.len] =
            (char)(test_random(seed) >> 40);
    return writer_slice(&w);
}

/* Joins head and tail twice, the second time with other letters in head. */
static void pair_of(struct slice out[2], char *buf, size_t cap,
                    const char *head, const char *other, struct slice tail)
{
    for (unsigned i = 0; i < 2; i++) {
        struct writer w = writer_of(buf, cap);

        writer_str(&w, i ? other : head);
        writer_slice_put(&w, tail);
        assert_int_equal(w.err, 0);
        out[i] = guarded(writer_slice(&w));
    }
}

static const char *const words[] = {
    "34020000001320000001", "@", "192.0.2.7", ":", "5060", ":5060", "@h", ">",
    "<", ";tag=", "tag", "836318699_-.", ";", "=", ",", " ", "", "0", "65536",
    ";rport", ";rport=5060", ";branch=z9hG4bK1821122895", ";ttl=1",
    ";ttl=256", ";received=192.0.2.1", ";maddr=h", "[::1]", "%41", "?a=b",
    "\"", "\r\n ", ";lr", ";x=\"y;z\"", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
};

static void values(void **state)
{
    uint64_t seed = 3;
    char row[512], buf[600];
    unsigned good = 0;

    (void)state;
    for (unsigned k = 0; k < ROUNDS; k++) {
        struct slice tail = any_row(row, sizeof(row), words, COUNT(words),
                                    &seed), in[2];
        struct gb_diag d[2] = { { 0, "" }, { 0, "" } };
        struct sip_uri u[2] = { 0 };
        struct sip_addr a[2] = { 0 };
        struct sip_via v[2] = { 0 };
        int err;

        pair_of(in, buf, sizeof(buf), "sip:", "SIP:", tail);
        err = sip_uri_parse(&u[0], in[0], &d[0]);
        good += err == 0;
        if (err != sip_uri_parse(&u[1], in[1], &d[1]) || d[0].off != d[1].off ||
            !same_uri(&u[0], in[0].p, &u[1], in[1].p))
            fail_msg("URI: %.*s", SLICE_ARG(in[0]));
        pair_of(in, buf, sizeof(buf), "<sip:u@", "<SIP:u@", tail);
        err = sip_addr_parse(&a[0], in[0], &d[0]);
        good += err == 0;
        if (err != sip_addr_parse(&a[1], in[1], &d[1]) ||
            d[0].off != d[1].off ||
            !same_addr(&a[0], in[0].p, &a[1], in[1].p))
            fail_msg("address: %.*s", SLICE_ARG(in[0]));
        pair_of(in, buf, sizeof(buf), "SIP/2.0/UDP h", "sip/2.0/UDP h", tail);
        err = sip_via_parse(&v[0], in[0], &d[0]);
        good += err == 0;
        if (err != sip_via_parse(&v[1], in[1], &d[1]) ||
            d[0].off != d[1].off || !same_via(&v[0], in[0].p, &v[1], in[1].p))
            fail_msg("Via: %.*s", SLICE_ARG(in[0]));
    }
    assert_in_range(good, ROUNDS / 10, 2 * ROUNDS);
}

/* The plain way takes what devices send, and is not merely never used. */
static void takes(void **state)
{
    static const struct {
        char kind;
        struct slice in;
        bool plain;
    } cases[] = {
        { 'u', S("sip:34020000001320000001@192.0.2.7:5060"), true },
        { 'u', S("sip:a@b"), true },
        { 'u', S("sip:a@b:65535"), true },
        { 'u', S("sip:a@b:65536"), false },
        { 'u', S("sip:a@b:0"), false },
        { 'u', S("sip:a@b:005060"), false },
        { 'u', S("sip:a@b;lr"), false },
        { 'u', S("sip:b"), false },
        { 'u', S(""), false },
        { 'a', S("<sip:34020000001320000001@192.0.2.7:5060>;tag=836318699"),
          true },
        { 'a', S("<sip:a@b>"), true },
        { 'a', S("<sip:a@b>;tag="), false },
        { 'a', S("<sip:a@b>,<sip:c@d>"), false },
        { 'a', S("<sip:a@b>;tag=1;x"), false },
        { 'a', S("x <sip:a@b>"), false },
        { 'a', S("<sip:a@b"), false },
        { 'v', S("SIP/2.0/UDP 192.0.2.7:5060;rport;branch=z9hG4bK1"), true },
        { 'v', S("SIP/2.0/TCP h"), true },
        { 'v', S("SIP/2.0/TCP h;ttl=255;x;y=;rport=1"), true },
        { 'v', S("SIP/2.0/UDP h;ttl=256"), false },
        { 'v', S("SIP/2.0/UDP h,SIP/2.0/UDP g"), false },
        { 'v', S("SIP/2.0/UDP h;received=[::1]"), false },
        { 'v', S("SIP/2.0/UDP "), false },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct slice s = guarded(cases[i].in);
        uint64_t map[SCAN_MAP_WORDS];
        struct sip_plain t;
        struct sip_uri u;
        struct sip_addr a;
        struct sip_via v;
        bool got;

        assert_true(sip_plain_of(&t, map, s));
        got = cases[i].kind == 'u'   ? sip_plain_uri(&u, t, 0, s.n)
              : cases[i].kind == 'a' ? sip_plain_addr(&a, t, 0, s.n)
                                     : sip_plain_via(&v, t, 0, s.n);
        if (got != cases[i].plain)
            fail_msg("%.*s", SLICE_ARG(cases[i].in));
    }
}

/* A message, and the same behind an empty line, into memory that held
 * something else. */
static void compare_messages(struct slice s)
{
    static struct sip_msg a, b;
    static char buf[70000];
    struct gb_diag d[2] = { { 0, "" }, { 2, "" } };
    int err;

    if (s.n < SIP_MIN_MESSAGE || s.n > sizeof(buf) - 2)
        return;
    memcpy(buf, "\r\n", 2);
    memcpy(buf + 2, s.p, s.n);
    memset(&a, 0xa5, sizeof(a));
    memset(&b, 0x5a, sizeof(b));
    err = sip_msg_parse(&a, guarded(s), SIP_DATAGRAM, &d[0]);
    if (err != sip_msg_parse(&b, guarded(slice_of(buf, s.n + 2)), SIP_DATAGRAM,
                             &d[1]) ||
        (err && d[0].off && d[0].off + 2 != d[1].off) || !same_msg(&a, &b))
        fail_msg("%d at %zu, %zu: %.*s", err, d[0].off, d[1].off,
                 SLICE_ARG(s));
}

static void damaged(void *ctx, const char *path, struct slice bytes)
{
    static const char pool[] = "\r\n\0 \t:;,<>\"@[]%=?/\\*09azAZ\x80\xff";
    uint64_t *seed = ctx;
    char *copy = malloc(bytes.n);

    (void)path;
    assert_non_null(copy);
    compare_messages(bytes);
    for (unsigned k = 0; k < 40; k++) {
        memcpy(copy, bytes.p, bytes.n);
        for (unsigned i = 0; i < 1 + k % 4; i++)
            copy[test_random(seed) % bytes.n] =
                pool[test_random(seed) % (sizeof(pool) - 1)];
        compare_messages(slice_of(copy, bytes.n - k % 3 * (k % bytes.n) / 3));
    }
    free(copy);
}

static void messages(void **state)
{
    uint64_t seed = 5;

    (void)state;
    each_file("test/data/sip", ".sip", damaged, &seed);
    each_file("test/data/sip/torture", ".sip", damaged, &seed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values), cmocka_unit_test(takes),
        cmocka_unit_test(messages),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
