/* The glance and the ring: what is kept, found, folded and forgotten. */
#include "test/support.h"

#include <stdio.h>

#include "app/trace/glance.h"
#include "app/trace/ring.h"
#include "test/trace_vec.h"

static char buf[4096];

static struct sip_peer peer(void)
{
    return vec_peer(SIP_UDP, "192.0.2.1:5060", "192.0.2.10:5060");
}

static struct gb_time at_ms(uint64_t ms)
{
    return (struct gb_time){ ms, (int64_t)(1700000000000 + ms) };
}

/* ---- the glance ---- */

static void glances(void **state)
{
    static const struct {
        const char *name;
        struct slice in;
        bool sip;
        unsigned status;
        struct slice method, from, to, call_id, branch, from_tag;
        uint32_t cseq;
    } cases[] = {
        { "request", S("MESSAGE sip:b@d SIP/2.0\r\nVia: SIP/2.0/UDP h;branch="
                       "z9x;rport\r\nFrom: \"a:b\" <sip:a@d>;tag=1\r\n"
                       "To: <sip:b@d>\r\nCall-ID: c@h\r\nCSeq: 20 MESSAGE\r\n"
                       "\r\nbody"),
          true, 0, S("MESSAGE"), S("a"), S("b"), S("c@h"), S("z9x"), S("1"),
          20 },
        { "compact, LF, blanks",
          S("\r\nBYE sip:b@d SIP/2.0\nv : SIP/2.0/UDP h;branch=q\nf:sip:a:pw@d"
            ";tag=2\nt:<sips:b@d>\ni: x\nCSeq:7  BYE\n\n"),
          true, 0, S("BYE"), S("a"), S("b"), S("x"), S("q"), S("2"), 7 },
        { "response", S("SIP/2.0 401 Unauthorized\r\nFrom: <sip:a@d>\r\n"
                        "CSeq: 1 REGISTER\r\n\r\n"),
          true, 401, S("REGISTER"), S("a"), S(""), S(""), S(""), S(""), 1 },
        { "no users", S("OPTIONS sip:d SIP/2.0\r\nFrom: <sip:d>\r\nTo: tel:1"
                        "\r\n\r\n"),
          true, 0, S("OPTIONS"), S(""), S(""), S(""), S(""), S(""), 0 },
        { "first of two Via", S("ACK sip:b@d SIP/2.0\r\nVia: x;branch=1\r\n"
                                "Via: y;branch=2\r\n\r\n"),
          true, 0, S("ACK"), S(""), S(""), S(""), S("1"), S(""), 0 },
        { "garbage", S("\x01\x02\x03 zz"), false, 0, S(""), S(""), S(""),
          S(""), S(""), S(""), 0 },
        { "HTTP", S("GET / HTTP/1.1\r\n\r\n"), true, 0, S("GET"), S(""),
          S(""), S(""), S(""), S(""), 0 },
        { "bad status", S("SIP/2.0 099 x\r\n\r\n"), false, 0, S(""), S(""),
          S(""), S(""), S(""), S(""), 0 },
        { "empty", S(""), false, 0, S(""), S(""), S(""), S(""), S(""), S(""),
          0 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct trace_glance g;
        bool sip = trace_glance(&g, guarded(cases[i].in));

        if (sip != cases[i].sip || g.status != cases[i].status ||
            !slice_eq(g.method_name, cases[i].method) ||
            !slice_eq(g.from_user, cases[i].from) ||
            !slice_eq(g.to_user, cases[i].to) ||
            !slice_eq(g.call_id, cases[i].call_id) ||
            !slice_eq(g.branch, cases[i].branch) ||
            !slice_eq(trace_param(g.from, SLICE("tag")),
                      cases[i].from_tag) ||
            g.cseq != cases[i].cseq)
            fail_msg("%s: %d %u %.*s %.*s %.*s %.*s %.*s", cases[i].name, sip,
                     g.status, SLICE_ARG(g.method_name),
                     SLICE_ARG(g.from_user), SLICE_ARG(g.to_user),
                     SLICE_ARG(g.call_id), SLICE_ARG(g.branch));
        for (size_t n = 0; n < cases[i].in.n; n++) { /* and reads no further */
            struct slice part = guarded(slice_head(cases[i].in, n));

            trace_glance(&g, part);
            trace_body(part);
            trace_header(part, SLICE("Call-ID"));
            trace_element(part, SLICE("SN"));
        }
    }
}

static void bodies(void **state)
{
    struct slice m = vec_request(buf, "MESSAGE", CAM, OUR_ID, "c", 1,
                                 "Subject: a,b\r\n", KEEPALIVE_BODY);
    struct trace_glance g;

    (void)state;
    assert_true(trace_glance(&g, m));
    assert_true(trace_is_keepalive(&g, m));
    assert_true(slice_eq(trace_body(m), slice_str(KEEPALIVE_BODY)));
    assert_true(slice_eq(trace_element(trace_body(m), SLICE("SN")),
                         SLICE("7")));
    assert_true(slice_eq(trace_element(trace_body(m), SLICE("CmdType")),
                         SLICE("Keepalive")));
    assert_int_equal(trace_element(trace_body(m), SLICE("Cmd")).n, 0);
    assert_true(slice_eq(trace_header(m, SLICE("subject")), SLICE("a,b")));
    m = vec_request(buf, "MESSAGE", CAM, OUR_ID, "c", 1, "",
                    "<Name>Keepalive</Name>");
    assert_true(trace_glance(&g, m));
    assert_false(trace_is_keepalive(&g, m));
}

/* What the stack has read gives the same glance as the bytes. */
static void read_or_seen(void *ctx, const char *path, struct slice bytes)
{
    static struct sip_msg m;
    struct trace_glance a, b;
    unsigned *n = ctx;

    if (sip_msg_parse(&m, bytes, SIP_DATAGRAM, NULL))
        return;
    (*n)++;
    assert_true(trace_glance(&a, bytes));
    trace_glance_of(&b, &m);
    if (a.method != b.method || !slice_eq(a.method_name, b.method_name) ||
        !slice_eq(a.uri, b.uri) || a.status != b.status ||
        !slice_eq(a.reason, b.reason) ||
        !slice_eq(a.from_user, b.from_user) ||
        !slice_eq(a.to_user, b.to_user) || !slice_eq(a.call_id, b.call_id) ||
        !slice_eq(a.branch, b.branch) || a.cseq != b.cseq ||
        !slice_eq(a.from, b.from) || !slice_eq(a.to, b.to))
        fail_msg("%s", path);
}

static void glances_agree(void **state)
{
    unsigned n = 0;

    (void)state;
    each_file("test/data/sip", ".sip", read_or_seen, &n);
    assert_true(n > 5);
}

/* ---- the ring ---- */

static struct trace *ring_with(const struct gb_alloc *alloc, size_t bytes)
{
    const struct trace_config cfg = { .alloc = alloc,
                                      .memory_bytes = bytes,
                                      .id = OUR_ID };
    struct trace *t = NULL;

    assert_int_equal(trace_new(&t, &cfg), 0);
    return t;
}

static struct trace_item item_at(const struct trace *t,
                                 const struct trace_query *q, size_t i)
{
    uint64_t pos[256];
    struct trace_item item = { 0 };
    size_t n = trace_find(t, q, pos, COUNT(pos), NULL);

    if (i >= n)
        fail_msg("%zu items, no %zu", n, i);
    assert_true(trace_get(t, pos[i], &item));
    return item;
}

static size_t count(const struct trace *t, const char *device,
                    const char *call_id)
{
    const struct trace_query q = { .device = slice_str(device),
                                   .call_id = slice_str(call_id) };
    uint64_t pos[1];
    size_t total;

    trace_find(t, &q, pos, 0, &total);
    return total;
}

static void put(struct trace *t, enum trace_dir dir, struct slice m,
                uint64_t ms)
{
    struct sip_peer p = peer();

    trace_put(t, dir, &p, guarded(m), at_ms(ms));
}

static void keeps_what_was_said(void **state)
{
    struct trace *t = ring_with(&gb_alloc_heap, 0);
    const struct trace_query all = { 0 };
    struct trace_item i;

    (void)state;
    put(t, TRACE_IN, vec_request(buf, "REGISTER", CAM, CAM, "r1", 1, "", ""),
        0);
    put(t, TRACE_OUT, vec_response(buf, 401, "REGISTER", CAM, CAM, "r1", 1),
        1);
    put(t, TRACE_OUT, vec_request(buf, "INVITE", OUR_ID, CAM2, "i1", 9, "",
                                  "v=0\r\n"), 2);
    put(t, TRACE_IN, vec_response(buf, 200, "INVITE", OUR_ID, CAM2, "i1", 9),
        3);
    put(t, TRACE_IN, slice_str("\x16\x03\x01 no sip"), 4);
    assert_int_equal(trace_last(t), 5);
    assert_int_equal(count(t, NULL, NULL), 5);
    assert_int_equal(count(t, CAM, NULL), 2);
    assert_int_equal(count(t, CAM2, NULL), 2);
    assert_int_equal(count(t, OUR_ID, NULL), 0);
    assert_int_equal(count(t, NULL, "i1"), 2);
    assert_int_equal(count(t, CAM, "i1"), 0);
    i = item_at(t, &all, 1);
    assert_int_equal(i.seq, 2);
    assert_int_equal(i.dir, TRACE_OUT);
    assert_int_equal(i.status, 401);
    assert_int_equal(i.time.utc_ms, 1700000000001);
    assert_int_equal(i.count, 1);
    assert_true(slice_eq(i.device, SLICE(CAM)));
    assert_true(slice_eq(i.method, SLICE("REGISTER")));
    assert_true(slice_eq(i.reason, SLICE("Some Words")));
    assert_true(slice_eq(i.branch, SLICE("z9hG4bKr11")));
    assert_int_equal(i.cseq, 1);
    assert_true(i.known);
    i = item_at(t, &all, 4);
    assert_int_equal(i.method.n + i.device.n + i.call_id.n, 0);
    assert_true(slice_eq(i.bytes, SLICE("\x16\x03\x01 no sip")));
    trace_free(t);
}

static void query_bounds(void **state)
{
    struct trace *t = ring_with(&gb_alloc_heap, 0);
    uint64_t pos[3];
    size_t total;
    struct trace_item i;
    struct trace_query q = { 0 };

    (void)state;
    for (unsigned k = 1; k <= 10; k++)
        put(t, TRACE_IN, vec_request(buf, "MESSAGE", k & 1 ? CAM : CAM2,
                                     OUR_ID, "c", k, "", ""), k * 1000);
    assert_int_equal(trace_find(t, &q, pos, 3, &total), 3);
    assert_int_equal(total, 10);
    assert_true(trace_get(t, pos[0], &i)); /* the newest, in order */
    assert_int_equal(i.seq, 8);
    assert_true(trace_get(t, pos[2], &i));
    assert_int_equal(i.seq, 10);
    q.after = 4;
    q.oldest = true;
    assert_int_equal(trace_find(t, &q, pos, 3, NULL), 3);
    assert_true(trace_get(t, pos[0], &i));
    assert_int_equal(i.seq, 5);
    assert_true(trace_get(t, pos[2], &i));
    assert_int_equal(i.seq, 7);
    q = (struct trace_query){ .since_utc_ms = 1700000009000,
                              .device = SLICE(CAM) };
    assert_int_equal(trace_find(t, &q, pos, 3, &total), 1);
    assert_true(trace_get(t, pos[0], &i));
    assert_int_equal(i.seq, 9);
    q = (struct trace_query){ .after = 10 };
    assert_int_equal(trace_find(t, &q, pos, 3, &total), 0);
    assert_int_equal(total, 0);
    assert_false(trace_get(t, 0, &i));
    trace_free(t);
}

static void keepalive(struct trace *t, const char *id, unsigned n,
                      unsigned status, uint64_t ms)
{
    char call[24];

    snprintf(call, sizeof(call), "k%u", n);
    put(t, TRACE_IN, vec_request(buf, "MESSAGE", id, OUR_ID, call, n, "",
                                 KEEPALIVE_BODY), ms);
    put(t, TRACE_OUT, vec_response(buf, status, "MESSAGE", id, OUR_ID, call,
                                   n), ms + 1);
}

static void keepalives_are_folded(void **state)
{
    struct trace *t = ring_with(&gb_alloc_heap, 0);
    const struct trace_query q = { .device = SLICE(CAM) };
    struct trace_counters c;
    struct trace_item i;

    (void)state;
    for (unsigned k = 1; k <= 50; k++) {
        keepalive(t, CAM, k, 200, k * 60000);
        keepalive(t, CAM2, 1000 + k, 200, k * 60000 + 5);
    }
    assert_int_equal(count(t, NULL, NULL), 4);
    i = item_at(t, &q, 0);
    assert_int_equal(i.count, 50);
    assert_int_equal(i.time.utc_ms, 1700000060000);
    assert_int_equal(i.last_utc_ms, 1700003000000);
    i = item_at(t, &q, 1);
    assert_int_equal(i.count, 50);
    assert_int_equal(i.status, 200);
    trace_counters(t, &c);
    assert_int_equal(c.messages, 200);
    assert_int_equal(c.folded, 196);

    keepalive(t, CAM, 60, 403, 61 * 60000); /* refused: folded, answer whole */
    keepalive(t, CAM, 61, 200, 62 * 60000); /* whole again */
    keepalive(t, CAM, 62, 200, 63 * 60000);
    assert_int_equal(count(t, CAM, NULL), 5);
    i = item_at(t, &q, 2);
    assert_int_equal(i.status, 403);
    i = item_at(t, &q, 3);
    assert_int_equal(i.count, 2);
    trace_free(t);
}

/* Another message in between, another address: not the same keepalive. */
static void folding_minds_the_way(void **state)
{
    struct trace *t = ring_with(&gb_alloc_heap, 0);
    struct sip_peer other = vec_peer(SIP_UDP, "192.0.2.1:5060",
                                     "192.0.2.10:6060");

    (void)state;
    keepalive(t, CAM, 1, 200, 0);
    put(t, TRACE_IN, vec_request(buf, "MESSAGE", CAM, OUR_ID, "x", 3, "",
                                 "<CmdType>Catalog</CmdType>"), 2);
    put(t, TRACE_OUT, vec_response(buf, 200, "MESSAGE", CAM, OUR_ID, "x", 3),
        3);
    keepalive(t, CAM, 2, 200, 4);
    assert_int_equal(count(t, CAM, NULL), 4);
    trace_put(t, TRACE_IN, &other,
              vec_request(buf, "MESSAGE", CAM, OUR_ID, "k9", 9, "",
                          KEEPALIVE_BODY), at_ms(9));
    assert_int_equal(count(t, CAM, NULL), 5);
    trace_free(t);
}

/* Far more than there is room for: memory stays, the newest are found. */
static void wraps_within_its_memory(void **state)
{
    struct failing_alloc mem;
    struct trace *t;
    struct trace_counters c;
    struct trace_query q = { .device = SLICE(CAM) };
    static uint64_t pos[4096];
    struct trace_item i;
    char body[1500];
    size_t n;

    (void)state;
    failing_alloc_init(&mem, 0);
    t = ring_with(&mem.alloc, 2 << 20);
    trace_counters(t, &c);
    assert_int_equal(c.memory, 0); /* idle costs nothing */
    memset(body, 'x', sizeof(body) - 1);
    body[sizeof(body) - 1] = '\0';
    for (unsigned k = 1; k <= 5000; k++) {
        char call[24];

        snprintf(call, sizeof(call), "w%u", k);
        put(t, TRACE_IN, vec_request(buf, "MESSAGE", k % 3 ? CAM : CAM2,
                                     OUR_ID, call, k, "", body + k % 1000), k);
    }
    trace_counters(t, &c);
    assert_true(c.memory <= 2 << 20);
    assert_true(c.memory > 1700000);
    assert_int_equal(c.dropped, 0);
    n = trace_find(t, &q, pos, COUNT(pos), NULL);
    assert_true(n > 500 && n < 1500);
    for (size_t k = 0; k < n; k++) {
        assert_true(trace_get(t, pos[k], &i));
        assert_true(slice_eq(i.device, SLICE(CAM)));
        assert_true(k + 1 < n || i.seq == 5000);
    }
    assert_int_equal(count(t, NULL, "w1"), 0);
    assert_int_equal(count(t, NULL, "w5000"), 1);
    q = (struct trace_query){ .call_id = SLICE("w4999") };
    i = item_at(t, &q, 0);
    assert_true(slice_eq(i.call_id, SLICE("w4999")));
    trace_free(t);
    assert_int_equal(mem.live, 0);
}

static bool owner(void *ctx, struct slice id, struct slice *device)
{
    (void)ctx;
    *device = SLICE(CAM);
    return slice_eq(id, SLICE(CAM)) || slice_eq(id, SLICE("channel"));
}

/* Strangers do not wash away what belongs to devices. */
static void strangers_have_their_own_share(void **state)
{
    const struct trace_config cfg = { .alloc = &gb_alloc_heap, .id = OUR_ID,
                                      .owner = owner };
    struct trace *t;
    struct trace_item i;
    const struct trace_query q = { .device = SLICE(CAM) };

    (void)state;
    assert_int_equal(trace_new(&t, &cfg), 0);
    put(t, TRACE_IN, vec_request(buf, "MESSAGE", CAM, OUR_ID, "mine", 1, "",
                                 ""), 1);
    put(t, TRACE_OUT, vec_request(buf, "INVITE", OUR_ID, "channel", "play", 1,
                                  "", ""), 2);
    for (unsigned k = 0; k < 20000; k++)
        put(t, TRACE_IN, vec_request(buf, "REGISTER", CAM2, CAM2, "flood", k,
                                     "", ""), 3);
    assert_int_equal(count(t, CAM, NULL), 2); /* the channel's is there */
    i = item_at(t, &q, 1);
    assert_true(slice_eq(i.method, SLICE("INVITE")));
    assert_true(count(t, CAM2, NULL) < 1000);
    assert_true(count(t, NULL, NULL) > count(t, CAM2, NULL));
    trace_free(t);
}

static void large_messages_are_cut(void **state)
{
    struct trace *t = ring_with(&gb_alloc_heap, 0);
    static char big[200000];
    struct trace_query q = { 0 };
    struct trace_item i;
    struct slice head = vec_request(buf, "MESSAGE", CAM, OUR_ID, "big", 1, "",
                                    "");

    (void)state;
    memset(big, 'y', sizeof(big));
    memcpy(big, head.p, head.n);
    put(t, TRACE_IN, slice_of(big, 100000), 1);
    put(t, TRACE_IN, slice_of(big, TRACE_MESSAGE_MAX), 2);
    i = item_at(t, &q, 0);
    assert_int_equal(i.len, 100000);
    assert_int_equal(i.bytes.n, TRACE_MESSAGE_MAX);
    assert_true(slice_eq(i.call_id, SLICE("big")));
    i = item_at(t, &q, 1);
    assert_int_equal(i.len, TRACE_MESSAGE_MAX);
    trace_free(t);
}

/* The n-th allocation fails, and all later ones: no crash, no leak; with a few
 * blocks the ring is only shorter. */
static void no_memory(void **state)
{
    (void)state;
    for (unsigned long fail = 1; fail < 12; fail++) {
        struct trace_config cfg = { .id = OUR_ID, .memory_bytes = 1 << 20 };
        struct failing_alloc mem;
        struct trace_counters c;
        struct trace *t = NULL;
        int err;

        failing_alloc_init(&mem, fail);
        cfg.alloc = &mem.alloc;
        err = trace_new(&t, &cfg);
        if (err) {
            assert_int_equal(err, GB_ENOMEM);
            assert_int_equal(mem.live, 0);
            continue;
        }
        for (unsigned k = 0; k < 2000; k++) {
            char call[24];

            snprintf(call, sizeof(call), "n%u", k);
            put(t, TRACE_IN, vec_request(buf, "INFO", CAM, OUR_ID, call, k,
                                         "", ""), k);
        }
        trace_counters(t, &c);
        if (fail >= 7) { /* tables and a block were there */
            assert_int_equal(c.dropped, 0);
            assert_int_equal(count(t, NULL, "n1999"), 1);
            assert_true(count(t, CAM, NULL) > 20);
        } else {
            assert_int_equal(c.dropped, 2000);
        }
        trace_free(t);
        assert_int_equal(mem.live, 0);
    }
}

static void note_1_5_listeners_tell(void **state)
{
    struct trace *t = ring_with(&gb_alloc_heap, 0);
    struct sip_peer p = peer();

    (void)state;
    p.listener = 2;
    trace_put(t, TRACE_IN, &p, SLICE("junk"), at_ms(5));
    trace_bad(t, &p, "no start line", at_ms(5));
    p.listener = 99;
    trace_put(t, TRACE_IN, &p, SLICE("junk"), at_ms(6));
    trace_bad(t, &p, "no start line", at_ms(6));
    assert_int_equal(trace_listener(t, 2)->received, 1);
    assert_int_equal(trace_listener(t, 2)->bad, 1);
    assert_int_equal(trace_listener(t, 2)->last_utc_ms, 1700000000005);
    assert_string_equal(trace_listener(t, 2)->bad_why, "no start line");
    assert_int_equal(trace_listener(t, 0)->received, 0);
    assert_null(trace_listener(t, TRACE_LISTENERS));
    trace_free(t);
}

/* One that the stack has read is kept as one that nobody has. */
static void read_is_as_good(void **state)
{
    static struct sip_msg m;
    struct trace *t = ring_with(&gb_alloc_heap, 0);
    const struct trace_query all = { 0 };
    struct sip_peer p = peer();
    struct trace_item a, b;
    struct slice bytes;

    (void)state;
    bytes = guarded(vec_request(buf, "REGISTER", CAM, CAM, "r1", 1, "", ""));
    assert_int_equal(sip_msg_parse(&m, bytes, SIP_DATAGRAM, NULL), 0);
    trace_ahead(t, &m); /* a hint: nothing is kept of it */
    put(t, TRACE_IN, bytes, 5);
    trace_ahead(t, &m);
    trace_put_read(t, &p, &m, at_ms(5));
    a = item_at(t, &all, 0);
    b = item_at(t, &all, 1);
    assert_int_equal(b.seq, a.seq + 1);
    assert_true(slice_eq(a.device, b.device) &&
                slice_eq(a.method, b.method) &&
                slice_eq(a.call_id, b.call_id) &&
                slice_eq(a.branch, b.branch) && slice_eq(a.bytes, b.bytes));
    assert_int_equal(a.cseq, b.cseq);
    assert_int_equal(b.dir, TRACE_IN);
    assert_int_equal(count(t, CAM, "r1"), 2);
    assert_int_equal(trace_listener(t, p.listener)->received, 2);
    trace_free(t);
}

/* As many devices as the ring has room for: nearly each has its keepalive in
 * one record, and all messages are found. */
static void fleets_are_folded(void **state)
{
    enum { DEVICES = 500, ROUNDS = 6 };
    struct trace *t = ring_with(&gb_alloc_heap, 4 << 20);
    struct trace_counters c;
    size_t found = 0;
    char id[24];

    (void)state;
    for (unsigned i = 0; i < DEVICES * ROUNDS; i++) {
        snprintf(id, sizeof(id), "340200000013200%05u", i % DEVICES);
        put(t, TRACE_IN, vec_request(buf, "MESSAGE", id, OUR_ID, id, i, "",
                                     KEEPALIVE_BODY), i);
        put(t, TRACE_OUT, vec_response(buf, 200, "MESSAGE", id, OUR_ID, id, i),
            i);
    }
    trace_counters(t, &c);
    assert_int_equal(c.messages, 2 * DEVICES * ROUNDS);
    assert_true(c.memory <= 4 << 20);
    if (c.folded < 2 * DEVICES * (ROUNDS - 1) * 9 / 10)
        fail_msg("%llu are folded", (unsigned long long)c.folded);
    for (unsigned i = 0; i < DEVICES; i++) {
        snprintf(id, sizeof(id), "340200000013200%05u", i);
        found += count(t, id, "");
    }
    assert_int_equal(found + c.folded, c.messages);
    trace_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(glances),
        cmocka_unit_test(bodies),
        cmocka_unit_test(glances_agree),
        cmocka_unit_test(read_is_as_good),
        cmocka_unit_test(fleets_are_folded),
        cmocka_unit_test(keeps_what_was_said),
        cmocka_unit_test(query_bounds),
        cmocka_unit_test(keepalives_are_folded),
        cmocka_unit_test(folding_minds_the_way),
        cmocka_unit_test(wraps_within_its_memory),
        cmocka_unit_test(strangers_have_their_own_share),
        cmocka_unit_test(large_messages_are_cut),
        cmocka_unit_test(no_memory),
        cmocka_unit_test(note_1_5_listeners_tell),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
