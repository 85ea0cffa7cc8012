/* Refused packets that turn out to be ours, and those that do not: what comes
 * out, what is counted as foreign, and whose slabs are back. */
#include "app/net/held.h"
#include "app/net/receiver.h"

#include "rtp/pack.h"
#include "test/support.h"

#include <string.h>

#define OLD 100000001u
#define NEW 100000002u
#define OTHER 100000003u

static struct slab_pool pool;
static struct gb_addr here, there;

static void addresses(void)
{
    slab_pool_init(&pool, SLAB_BYTES, SLAB_POOL_MAX);
    gb_addr_parse(&here, SLICE("192.0.2.7"), 15060);
    gb_addr_parse(&there, SLICE("192.0.2.8"), 15060);
}

/* ---- by itself ------------------------------------------------------------- */

static size_t keep(struct held *h, const struct gb_addr *from, uint32_t ssrc,
                   uint16_t seq, uint64_t at_ms)
{
    struct slab *s = slab_get(&pool);
    struct held_packet p = { .item = { .seq = seq, .buf = s }, .bytes = 12,
                             .at_ms = at_ms };
    size_t gone = held_keep(h, from, ssrc, &p);

    assert_int_equal(s->refs, 2);
    slab_unref(s);
    return gone;
}

static void the_newest_of_one_sender(void **state)
{
    struct held h = { 0 };

    (void)state;
    addresses();
    assert_false(held_is_of(&h, &here, 0));
    for (uint16_t i = 0; i < HELD_MAX; i++)
        assert_int_equal(keep(&h, &here, NEW, i, 1000), 0);
    assert_true(held_is_of(&h, &here, NEW));
    assert_false(held_is_of(&h, &there, NEW));
    assert_false(held_is_of(&h, &here, OTHER));
    assert_int_equal(keep(&h, &here, NEW, HELD_MAX, 1000), 1);
    assert_int_equal(h.n, HELD_MAX);
    assert_int_equal(pool.n_live, HELD_MAX);
    for (uint16_t i = 0; i < HELD_MAX; i++)
        assert_int_equal(h.p[i].item.seq, i + 1);
    assert_int_equal(keep(&h, &here, OTHER, 7, 1000), HELD_MAX);
    assert_int_equal(keep(&h, &there, OTHER, 7, 1000), 1);
    assert_int_equal(pool.n_live, 1);
    assert_int_equal(held_drop(&h), 1);
    assert_int_equal(held_drop(&h), 0);
    assert_int_equal(pool.n_live, 0);
    slab_pool_fini(&pool);
}

static void their_time_is_short(void **state)
{
    struct held h = { 0 };

    (void)state;
    addresses();
    for (uint16_t i = 0; i < 3; i++)
        keep(&h, &here, NEW, i, 1000u + 100u * i);
    assert_int_equal(held_expire(&h, 1000 + HELD_MS - 1), 0);
    assert_int_equal(held_expire(&h, 1100 + HELD_MS), 2);
    assert_int_equal(h.p[0].item.seq, 2);
    assert_int_equal(pool.n_live, 1);
    assert_int_equal(held_expire(&h, 1200 + HELD_MS), 1);
    assert_int_equal(held_expire(&h, 9000 + HELD_MS), 0);
    assert_int_equal(pool.n_live, 0);
    slab_pool_fini(&pool);
}

/* ---- in a receiver ----------------------------------------------------------- */

static struct {
    struct hub *hub;
    struct receiver *rx;
    uint64_t now_ms;
} w;

static void on_event(void *ctx, enum receiver_event ev)
{
    (void)ctx;
    (void)ev;
}

static void on_wake(void *ctx, struct hub_viewer *v)
{
    (void)ctx;
    (void)v;
}

static void open_receiver(bool tcp)
{
    const struct hub_hooks hooks = { .on_wake = on_wake };
    const struct receiver_options o = { .tcp = tcp, .has_ssrc = true,
                                        .ssrc = OLD, .on_event = on_event };

    addresses();
    w.now_ms = 1000;
    assert_int_equal(hub_new(&w.hub, &gb_alloc_heap, &hooks, NULL), 0);
    assert_int_equal(receiver_new(&w.rx, w.hub, &o), 0);
}

static void close_receiver(void)
{
    receiver_free(w.rx);
    hub_free(w.hub);
    assert_int_equal(pool.n_live, 0);
    slab_pool_fini(&pool);
}

/* n packets, 10 ms apart, each of which is ours or refused. */
static void send(const struct gb_addr *from, uint32_t ssrc, uint16_t seq,
                 unsigned n, bool ours)
{
    static const uint8_t pack[16] = { 0, 0, 1, 0xba, 0x44 };

    while (n--) {
        struct slab *s = slab_get(&pool);
        struct writer wr = writer_of(s->bytes, 1600);
        struct rtp_packer p;

        assert_int_equal(rtp_packer_init(&p, ssrc, 96, seq++, false, 0), 0);
        rtp_pack_write(&p, &wr, rtp_pack_begin(pack, sizeof(pack), 0, true));
        assert_int_equal(receiver_packet(w.rx, s->bytes, wr.len, s, from,
                                         w.now_ms), ours);
        slab_unref(s);
        w.now_ms += 10;
        receiver_tick(w.rx, w.now_ms);
    }
}

/* Of all that has come: how many were ours, and how many were not. */
static void expect(const char *what, unsigned packets, unsigned foreign)
{
    struct receiver_counters n;

    receiver_counters(w.rx, &n);
    if (n.packets != packets || n.foreign != foreign || n.lost)
        fail_msg("%s: %u packets, %u foreign, %u lost", what,
                 (unsigned)n.packets, (unsigned)n.foreign, (unsigned)n.lost);
}

static void every_packet_of_a_new_ssrc(void **state)
{
    (void)state;
    for (unsigned tcp = 0; tcp < 2; tcp++) {
        open_receiver(tcp);
        send(&here, OLD, 1, 9, true);
        send(&here, NEW, 700, HELD_MAX, false);
        expect("not yet", 9, 0);
        send(&here, NEW, 700 + HELD_MAX, 1, true);
        expect("all of it", 9 + RTP_SOURCE_RELOCK, 0);
        send(&here, OTHER, 65534, HELD_MAX, false); /* numbers that wrap */
        send(&here, OTHER, (uint16_t)(65534u + HELD_MAX), 6, true);
        expect("again", 9 + RTP_SOURCE_RELOCK + HELD_MAX + 6, 0);
        close_receiver();
    }
}

/* After a silence, from elsewhere. */
static void after_a_restart(void **state)
{
    (void)state;
    open_receiver(false);
    send(&here, OLD, 1, 9, true);
    w.now_ms += RTP_SOURCE_SILENCE_MS;
    send(&there, NEW, 1, HELD_MAX, false);
    send(&there, NEW, 1 + HELD_MAX, 3, true);
    expect("restart", 9 + HELD_MAX + 3, 0);
    close_receiver();
}

/* The one that we have is still there: a stranger keeps no slab behind its
 * next packet. */
static void strangers_hold_nothing(void **state)
{
    (void)state;
    open_receiver(false);
    send(&here, OLD, 1, 2, true);
    for (uint16_t i = 0; i < 20; i++) {
        send(&there, NEW, (uint16_t)(9 + 3 * i), 3, false);
        send(&here, OLD, (uint16_t)(3 + i), 1, true);
    }
    expect("stranger", 22, 60);
    send(&there, NEW, 200, 9, false);
    expect("while it is held", 22, 60 + 9 - HELD_MAX);
    w.now_ms += HELD_MS;
    receiver_tick(w.rx, w.now_ms);
    expect("later", 22, 69);
    close_receiver();
}

/* One that begins and then says nothing for long begins again. */
static void too_late(void **state)
{
    (void)state;
    open_receiver(false);
    send(&here, OLD, 1, 9, true);
    send(&here, NEW, 1, HELD_MAX, false);
    w.now_ms += HELD_MS;
    send(&here, NEW, 1 + HELD_MAX, 1, true);
    expect("late", 10, HELD_MAX);
    close_receiver();
}

/* Two candidates in turn: the one that wins has what came since the other. */
static void two_in_turn(void **state)
{
    (void)state;
    open_receiver(false);
    send(&here, OLD, 1, 9, true);
    w.now_ms += RTP_SOURCE_SILENCE_MS;
    send(&here, NEW, 1, 3, false);
    send(&there, OTHER, 1, HELD_MAX, false);
    send(&here, NEW, 4, 1, false);
    expect("the other's are let go", 9, 3 + HELD_MAX);
    send(&here, NEW, 5, 1, true);
    expect("in turn", 11, 3 + HELD_MAX);
    send(&there, OTHER, 1 + HELD_MAX, 3, false);
    close_receiver(); /* with some held */
}

/* From an address that nobody named: it waits, and the last ones count. */
static void elsewhere(void **state)
{
    (void)state;
    open_receiver(false);
    receiver_allow(w.rx, &here);
    send(&there, OLD, 1, RTP_SOURCE_ELSEWHERE_MS / 10, false);
    send(&there, OLD, 1 + RTP_SOURCE_ELSEWHERE_MS / 10, 1, true);
    expect("elsewhere", RTP_SOURCE_RELOCK,
           RTP_SOURCE_ELSEWHERE_MS / 10 - HELD_MAX);
    send(&there, NEW, 1, 2, false);
    receiver_end(w.rx, w.now_ms);
    expect("the end", RTP_SOURCE_RELOCK,
           RTP_SOURCE_ELSEWHERE_MS / 10 - HELD_MAX + 2);
    close_receiver();
}

/* Where slabs are short, none is held for somebody who may be a stranger. */
static void short_of_slabs(void **state)
{
    (void)state;
    open_receiver(false);
    send(&here, OLD, 1, 9, true);
    pool.n_live += SLAB_POOL_MAX / 2;
    send(&here, NEW, 1, HELD_MAX, false);
    expect("scarce", 9, HELD_MAX);
    pool.n_live -= SLAB_POOL_MAX / 2;
    send(&here, NEW, 1 + HELD_MAX, 1, true);
    expect("scarce", 10, HELD_MAX);
    close_receiver();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_newest_of_one_sender),
        cmocka_unit_test(their_time_is_short),
        cmocka_unit_test(every_packet_of_a_new_ssrc),
        cmocka_unit_test(after_a_restart),
        cmocka_unit_test(strangers_hold_nothing),
        cmocka_unit_test(too_late),
        cmocka_unit_test(two_in_turn),
        cmocka_unit_test(elsewhere),
        cmocka_unit_test(short_of_slabs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
