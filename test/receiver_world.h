/* test/receiver_world.h - a receiver, packets for it, and what it says */
#ifndef TEST_RECEIVER_WORLD_H
#define TEST_RECEIVER_WORLD_H

#include "app/device/sender.h"
#include "app/net/receiver.h"
#include "rtp/pack.h"
#include "test/support.h"

#include <stdlib.h>
#include <string.h>

#define SSRC 100000001u
#define MAX_PACKET 1600

struct world {
    struct slab_pool pool;
    struct hub *hub;
    struct receiver *rx;
    struct gb_addr from;
    unsigned said[RECEIVER_UNKNOWN + 1];
    enum receiver_event order[8];
    size_t n_order;
    uint16_t seq;
    uint32_t ts;
    uint64_t now_ms;
};

static struct world w;

static inline void on_event(void *ctx, enum receiver_event ev)
{
    struct world *x = ctx;

    assert_true(x->n_order < COUNT(x->order));
    x->said[ev]++;
    x->order[x->n_order++] = ev;
}

static inline void on_wake(void *ctx, struct hub_viewer *v)
{
    (void)ctx;
    (void)v;
}

static inline void open_world(bool tcp, bool has_ssrc)
{
    const struct hub_hooks hooks = { .on_wake = on_wake };
    const struct receiver_options o = { .tcp = tcp, .has_ssrc = has_ssrc,
                                        .ssrc = SSRC, .on_event = on_event,
                                        .ctx = &w };

    memset(&w, 0, sizeof(w));
    slab_pool_init(&w.pool, SLAB_BYTES, SLAB_POOL_MAX);
    w.now_ms = 1000;
    gb_addr_parse(&w.from, SLICE("192.0.2.7"), 15060);
    assert_int_equal(hub_new(&w.hub, &gb_alloc_heap, &hooks, NULL), 0);
    assert_int_equal(receiver_new(&w.rx, w.hub, &o), 0);
}

/* Whatever happened, no slab may stay behind. */
static inline void close_world(void)
{
    receiver_free(w.rx);
    hub_free(w.hub);
    assert_int_equal(w.pool.n_live, 0);
    slab_pool_fini(&w.pool);
}

/* Another session on the same loop; it gets everything damaged. */
static struct receiver *twin;

static inline void give_twin(const uint8_t *p, size_t n)
{
    static uint64_t seed = 5;
    struct slab *s = slab_get(&w.pool);
    size_t len = n;

    memcpy(s->bytes, p, n);
    for (size_t i = 0; i < 8; i++) /* its RTP header stays: it is let in */
        s->bytes[12 + test_random(&seed) % (n - 12)] ^=
            (uint8_t)test_random(&seed);
    if (test_random(&seed) % 4 == 0)
        len = 12 + (size_t)(test_random(&seed) % (n - 12));
    receiver_packet(twin, s->bytes, len, s, &w.from, w.now_ms);
    slab_unref(s);
}

static inline bool give(const void *p, size_t n)
{
    struct slab *s = slab_get(&w.pool);
    bool ours;

    if (twin && n > 12)
        give_twin(p, n);
    memcpy(s->bytes, p, n);
    ours = receiver_packet(w.rx, s->bytes, n, s, &w.from, w.now_ms);
    slab_unref(s);
    return ours;
}

static inline size_t rtp(uint8_t out[static MAX_PACKET], uint8_t pt, uint32_t ssrc,
                  const void *payload, size_t n)
{
    struct rtp_packer p;
    struct writer wr = writer_of(out, MAX_PACKET);

    assert_int_equal(rtp_packer_init(&p, ssrc, pt, w.seq++, false, 0), 0);
    rtp_pack_write(&p, &wr, rtp_pack_begin(payload, n, w.ts, true));
    assert_int_equal(wr.err, 0);
    return wr.len;
}

/* Seconds of the camera's clip through the receiver, from now_ms on. */
static inline void stream(bool audio, unsigned seconds, unsigned drop_each)
{
    struct slice file = read_file("test/data/clip/clock.h264");
    struct clip clip;
    static struct sound sound;
    struct sender_options o = { .alloc = &gb_alloc_heap, .clip = &clip,
                                .sound = &sound, .ssrc = SSRC, .pt = 96 };
    struct sender *tx;
    uint64_t end = w.now_ms + seconds * 1000;
    unsigned i = 0;

    assert_int_equal(clip_init(&clip, &gb_alloc_heap, file, 25), 0);
    sound_init(&sound, audio ? PS_CODEC_G711A : PS_CODEC_UNKNOWN, SLICE(""));
    assert_int_equal(sender_new(&tx, &o, w.now_ms), 0);
    for (; w.now_ms < end; w.now_ms += 5) {
        struct sender_packet pkt;

        while (sender_next(tx, &pkt, w.now_ms)) {
            uint8_t bytes[MAX_PACKET];

            memcpy(bytes, pkt.head, pkt.head_len);
            memcpy(bytes + pkt.head_len, pkt.payload, pkt.n);
            if (!drop_each || ++i % drop_each)
                assert_true(give(bytes, pkt.head_len + pkt.n));
        }
        receiver_tick(w.rx, w.now_ms);
    }
    sender_free(tx);
    clip_fini(&clip);
    free((void *)(uintptr_t)file.p);
}
#endif
