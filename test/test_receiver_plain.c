/* The short way of a packet that is due against the general one: two receivers get
 * the same packets, one of them with the padding bit set (and a count of padding
 * that is none), which keeps it off the short way. Whatever comes, from whomever,
 * they say, count and deliver the same. */
#include "app/net/receiver.h"

#include "test/support.h"

#include <stdlib.h>
#include <string.h>

#define SSRC 100000001u
#define PT_PCMA 8
#define PAYLOAD 160
#define ROUNDS 60
#define STEPS 1500

struct side {
    struct hub *hub;
    struct receiver *rx;
    struct hub_tap tap;
    uint64_t sum; /* of all that was said and delivered, in its order */
    unsigned frames;
};

static struct slab_pool pool;
static struct side side[2];

static void note(struct side *s, uint64_t v)
{
    s->sum = (s->sum ^ v) * 0x100000001b3ull;
}

static void on_event(void *ctx, enum receiver_event ev)
{
    note(ctx, 1000 + ev);
}

static void on_frame(void *ctx, struct media_frame *f, struct media_config *c)
{
    struct side *s = ctx;

    (void)c;
    s->frames++;
    note(s, (uint64_t)f->pts90k);
    note(s, f->discontinuity);
    for (size_t i = 0; i < f->n; i++)
        note(s, f->data[i]);
}

static void on_wake(void *ctx, struct hub_viewer *v)
{
    (void)ctx;
    (void)v;
}

static void open_side(struct side *s, bool tcp, bool has_ssrc)
{
    const struct hub_hooks hooks = { .on_wake = on_wake };
    const struct receiver_options o = { .tcp = tcp, .has_ssrc = has_ssrc,
                                        .ssrc = SSRC, .on_event = on_event,
                                        .ctx = s };

    *s = (struct side){ .tap = { .on_frame = on_frame, .ctx = s } };
    assert_int_equal(hub_new(&s->hub, &gb_alloc_heap, &hooks, NULL), 0);
    assert_int_equal(receiver_new(&s->rx, s->hub, &o), 0);
    hub_tap_add(s->hub, &s->tap, false);
}

static void close_side(struct side *s)
{
    hub_tap_remove(&s->tap);
    receiver_free(s->rx);
    hub_free(s->hub);
}

/* What is sent: several streams from several addresses, each mostly in order. */
struct sender {
    struct gb_addr from;
    uint32_t ssrc, ts;
    uint16_t seq;
};

static bool give(struct side *s, bool plain, const struct sender *from,
                 uint16_t seq, uint64_t now_ms)
{
    struct slab *b = slab_get(&pool);
    uint8_t *p = b->bytes;
    bool ours;

    rtp_header_put(p, PT_PCMA, seq % 7 == 0, seq, from->ts + seq * 160u,
                   from->ssrc);
    p[0] |= plain ? 0 : 0x20;
    for (size_t i = 0; i + 1 < PAYLOAD; i++)
        p[RTP_HEADER_BYTES + i] = (uint8_t)(seq * 7 + i);
    p[RTP_HEADER_BYTES + PAYLOAD - 1] = 0; /* a count that is none */
    ours = receiver_packet(s->rx, p, RTP_HEADER_BYTES + PAYLOAD, b, &from->from,
                           now_ms);
    slab_unref(b);
    return ours;
}

static void assert_same(uint64_t seed, unsigned step)
{
    const struct rtp_source *a = receiver_source(side[0].rx);
    const struct rtp_source *b = receiver_source(side[1].rx);
    struct receiver_counters ca, cb;

    receiver_counters(side[0].rx, &ca);
    receiver_counters(side[1].rx, &cb);
    if (memcmp(&ca, &cb, sizeof(ca)) || side[0].sum != side[1].sum ||
        a->locked != b->locked || a->ssrc != b->ssrc ||
        a->last_seq != b->last_seq || a->last_ms != b->last_ms ||
        a->others != b->others || a->moves != b->moves ||
        a->relocks != b->relocks || !gb_addr_eq(&a->from, &b->from) ||
        receiver_last_ms(side[0].rx) != receiver_last_ms(side[1].rx))
        fail_msg("seed %llu step %u", (unsigned long long)seed, step);
}

static void assert_same_report(uint64_t seed, unsigned step)
{
    struct rtcp_block a = { 0 }, b = { 0 };
    bool has = receiver_report(side[0].rx, &a);

    if (has != receiver_report(side[1].rx, &b) || a.lost != b.lost ||
        a.ext_seq != b.ext_seq || a.fraction != b.fraction ||
        a.jitter != b.jitter)
        fail_msg("seed %llu step %u: report", (unsigned long long)seed, step);
}

/* The next number of a sender, and what else may happen. */
static uint16_t number(struct sender *s, uint64_t x)
{
    switch (x % 32) {
    case 0: /* lost */
        s->seq = (uint16_t)(s->seq + 1 + (x >> 8) % 4);
        break;
    case 1: /* late, or again */
        return (uint16_t)(s->seq - 1 - (x >> 8) % 6);
    case 2: /* early */
        return (uint16_t)(s->seq + (x >> 8) % 6);
    case 3: /* begins anew */
        if ((x >> 8) % 16 == 0)
            s->seq = (uint16_t)(x >> 16);
        break;
    default:
        break;
    }
    return s->seq++;
}

static void one_round(uint64_t seed, bool tcp, bool has_ssrc)
{
    static const char *const addr[] = { "192.0.2.7", "192.0.2.7", "192.0.2.8",
                                        "2001:db8::7" };
    struct sender sender[COUNT(addr)];
    uint64_t r = seed, now_ms = 1000;
    unsigned active = 0;

    for (size_t i = 0; i < COUNT(addr); i++) {
        sender[i] = (struct sender){ .ssrc = SSRC + (uint32_t)(i / 2),
                                     .ts = (uint32_t)test_random(&r),
                                     .seq = (uint16_t)test_random(&r) };
        gb_addr_parse_ip(&sender[i].from, slice_str(addr[i]));
        sender[i].from.port = (uint16_t)(15060 + i);
    }
    open_side(&side[0], tcp, has_ssrc);
    open_side(&side[1], tcp, has_ssrc);
    for (unsigned step = 0; step < STEPS; step++) {
        uint64_t x = test_random(&r);
        struct sender *s;
        uint16_t seq;

        if (x % 200 == 0)
            active = (unsigned)(x >> 8) % COUNT(addr);
        s = &sender[x % 50 == 1 ? (x >> 8) % COUNT(addr) : active];
        seq = number(s, x >> 20);
        if (give(&side[0], true, s, seq, now_ms) !=
            give(&side[1], false, s, seq, now_ms))
            fail_msg("seed %llu step %u: verdict", (unsigned long long)seed,
                     step);
        assert_same(seed, step);
        if (x % 61 == 2)
            assert_same_report(seed, step);
        now_ms += x % 97 == 3 ? 400 : (x >> 40) % 25;
        if (x % 5 == 0) {
            receiver_tick(side[0].rx, now_ms);
            receiver_tick(side[1].rx, now_ms);
        }
    }
    receiver_end(side[0].rx, now_ms);
    receiver_end(side[1].rx, now_ms);
    assert_same(seed, STEPS);
    assert_true(side[0].frames > STEPS / 30);
    close_side(&side[0]);
    close_side(&side[1]);
}

static void same(void **state)
{
    (void)state;
    slab_pool_init(&pool, SLAB_BYTES, SLAB_POOL_MAX);
    for (uint64_t i = 1; i <= ROUNDS; i++)
        one_round(i * 0x9e3779b97f4a7c15ull, i % 3 == 0, i % 2 == 0);
    assert_int_equal(pool.n_live, 0);
    slab_pool_fini(&pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(same) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
