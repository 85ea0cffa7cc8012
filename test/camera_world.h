/* test/camera_world.h - a simulated camera, with faults, on the way of a
 * session: TCP framing, source lock, reorder queue, demuxer, hub. Virtual time;
 * pictures that come out are looked for in the clip */
#ifndef TEST_CAMERA_WORLD_H
#define TEST_CAMERA_WORLD_H

#include "app/device/sender.h"
#include "app/net/receiver.h"
#include "ps/annexb.h"
#include "rtp/pack.h"
#include "rtp/packet.h"
#include "rtp/tcpframe.h"
#include "test/support.h"

#include <stdlib.h>
#include <string.h>

#define SSRC 100000001u
#define MAX_GOPS 256
#define GOP 25 /* pictures of the main clips */

static struct slice file[5];
static struct clip clip[2][2]; /* codec, stream */
static struct sound sound[2];  /* G.711A, AAC */

static struct world {
    struct slab_pool pool;
    struct hub *hub;
    struct receiver *rx;
    struct hub_tap tap;
    struct gb_addr from;
    struct rtp_tcpframe frame;
    uint8_t *buf; /* of the connection */
    size_t len;
    const struct clip *main, *other;
    size_t next; /* picture of main that is expected */
    unsigned good, bad, sounds;
    unsigned back, odd; /* times that do not rise; pictures shown later */
    int64_t last90k[MEDIA_TRACKS];
    bool unknown, is_broken;
    uint64_t now_ms;
    struct sender *tx;
    unsigned keys, want_keys, discontinuities;
    unsigned torn; /* no keys, and of another clip than the one before */
    bool of_other; /* the last one is of the other clip */
    uint16_t came[MAX_GOPS]; /* pictures, of the GOPs that were sent */
    bool hurt[MAX_GOPS];     /* something of it was lost */
    /* of each packet that is sent; true: it is lost on the way */
    bool (*loses)(void);
} w;

/* What the hub holds, in bytes. */
static struct heap {
    struct gb_alloc alloc;
    size_t live, peak;
} heap;

static inline void *heap_get(void *ctx, size_t n)
{
    struct heap *h = ctx;
    size_t *p = calloc(1, n + 2 * sizeof(*p));

    if (!p)
        return NULL;
    p[0] = n;
    h->live += n;
    if (h->live > h->peak)
        h->peak = h->live;
    return p + 2;
}

static inline void heap_put(void *ctx, void *p)
{
    struct heap *h = ctx;

    if (!p)
        return;
    h->live -= ((size_t *)p)[-2];
    free((size_t *)p - 2);
}

/* ---- what comes out --------------------------------------------------------- */

/* The slices of a picture, each behind its length, as frames have them. */
static inline bool is_picture(const struct clip *c, size_t i,
                       const struct media_frame *f)
{
    struct slice rest = slice_of(c->bytes.p + c->frame[i].off,
                                 c->frame[i].len);
    struct slice nal;
    size_t at = 0;

    while (ps_annexb_next(&rest, &nal)) {
        if (!ps_nal_is_vcl(c->codec, ps_nal_type(c->codec,
                                                 (uint8_t)nal.p[0])))
            continue;
        if (f->n < at + 4 + nal.n || memcmp(f->data + at + 4, nal.p, nal.n))
            return false;
        at += 4 + nal.n;
    }
    return at == f->n;
}

static inline bool is_one_of(const struct clip *c, const struct media_frame *f)
{
    for (size_t i = 0; i < c->n_frames; i++)
        if (is_picture(c, i, f))
            return true;
    return false;
}

/* Counts a picture for its GOP: the newest of those sent that it can be. */
static inline void note_gop(const struct media_frame *f)
{
    struct sender_counters sent;

    if (!w.tx)
        return;
    sender_counters(w.tx, &sent);
    for (uint64_t i = sent.frames; i && sent.frames - i < 2 * GOP; i--) {
        if (!is_picture(w.main, (i - 1) % w.main->n_frames, f))
            continue;
        if ((i - 1) / GOP < MAX_GOPS)
            w.came[(i - 1) / GOP]++;
        return;
    }
}

static inline void on_frame(void *ctx, struct media_frame *f,
                     struct media_config *config)
{
    (void)ctx;
    (void)config;
    w.back += f->dts90k <= w.last90k[f->track];
    w.odd += f->pts90k != f->dts90k;
    w.last90k[f->track] = f->dts90k;
    if (f->track == MEDIA_AUDIO) {
        w.sounds++;
        return;
    }
    w.keys += f->key;
    w.torn += !f->key && w.of_other != is_one_of(w.other, f);
    w.of_other = is_one_of(w.other, f);
    w.discontinuities += f->discontinuity;
    note_gop(f);
    if (is_picture(w.main, w.next % w.main->n_frames, f) ||
        is_one_of(w.main, f) || is_one_of(w.other, f))
        w.good++;
    else
        w.bad++;
    w.next++;
}

static inline void on_event(void *ctx, enum receiver_event ev)
{
    (void)ctx;
    w.unknown |= ev == RECEIVER_UNKNOWN;
}

static inline void on_wake(void *ctx, struct hub_viewer *v)
{
    (void)ctx;
    (void)v;
}

static inline void on_want_key(void *ctx)
{
    (void)ctx;
    w.want_keys++;
}

/* hub NULL: as the daemon has it. */
static inline void open_world_with(bool tcp, const struct hub_options *hub)
{
    const struct hub_hooks hooks = { .on_wake = on_wake,
                                     .on_want_key = on_want_key };
    const struct receiver_options o = { .tcp = tcp, .has_ssrc = true,
                                        .ssrc = SSRC, .on_event = on_event };
    const struct rtp_tcpframe_options fo = { .has_ssrc = true, .ssrc = SSRC };

    memset(&w, 0, sizeof(w));
    slab_pool_init(&w.pool, SLAB_BYTES, SLAB_POOL_MAX);
    w.now_ms = 1000;
    w.last90k[MEDIA_VIDEO] = w.last90k[MEDIA_AUDIO] = INT64_MIN;
    gb_addr_parse(&w.from, SLICE("192.0.2.7"), 15060);
    heap = (struct heap){ { heap_get, heap_put, &heap }, 0, 0 };
    assert_int_equal(hub_new(&w.hub, &heap.alloc, &hooks, hub), 0);
    assert_int_equal(receiver_new(&w.rx, w.hub, &o), 0);
    w.tap.on_frame = on_frame;
    hub_tap_add(w.hub, &w.tap, false);
    rtp_tcpframe_init(&w.frame, &fo);
    w.buf = malloc(RTP_TCPFRAME_CAP);
    assert_non_null(w.buf);
}

static inline void open_world(bool tcp)
{
    open_world_with(tcp, NULL);
}

static inline void close_world(void)
{
    hub_tap_remove(&w.tap);
    receiver_free(w.rx);
    hub_free(w.hub);
    assert_int_equal(w.pool.n_live, 0);
    assert_int_equal(heap.live, 0);
    slab_pool_fini(&w.pool);
    free(w.buf);
}

/* ---- the way in -------------------------------------------------------------- */

static inline void give(const uint8_t *p, size_t n)
{
    struct slab *s = slab_get(&w.pool);

    assert_true(n <= SLAB_BYTES);
    memcpy(s->bytes, p, n);
    if (rtp_classify(p, n) != RTP_CLASS_RTCP) /* the edge takes those out */
        receiver_packet(w.rx, s->bytes, n, s, &w.from, w.now_ms);
    slab_unref(s);
}

static inline void give_bare(const uint8_t *p, size_t n)
{
    struct slab *s = slab_get(&w.pool);

    memcpy(s->bytes, p, n);
    receiver_bare(w.rx, s->bytes, n, s, w.now_ms);
    slab_unref(s);
}

static inline void give_tcp(const struct sender_packet *p)
{
    struct rtp_frame f;
    size_t done;
    int err;

    assert_true(w.len + p->head_len + p->n <= RTP_TCPFRAME_CAP);
    memcpy(w.buf + w.len, p->head, p->head_len);
    memcpy(w.buf + w.len + p->head_len, p->payload, p->n);
    w.len += p->head_len + p->n;
    while (!(err = rtp_tcpframe_next(&w.frame, w.buf, w.len, RTP_TCPFRAME_CAP,
                                     &f))) {
        if (f.gap)
            receiver_gap(w.rx);
        if (f.kind == RTP_FRAME_RTP)
            give(f.p, f.n);
        else if (f.kind == RTP_FRAME_PS)
            give_bare(f.p, f.n);
    }
    w.is_broken |= err != GB_EAGAIN;
    done = rtp_tcpframe_done(&w.frame);
    memmove(w.buf, w.buf + done, w.len - done);
    w.len -= done;
    rtp_tcpframe_shift(&w.frame, done);
}

static inline void give_udp(const struct sender_packet *p)
{
    uint8_t bytes[RTP_PACK_PAYLOAD + 400];

    assert_true(p->head_len + p->n <= sizeof(bytes));
    memcpy(bytes, p->head, p->head_len);
    memcpy(bytes + p->head_len, p->payload, p->n);
    give(bytes, p->head_len + p->n);
}

static inline bool is_lost(void)
{
    struct sender_counters sent;

    if (!w.loses || !w.loses())
        return false;
    sender_counters(w.tx, &sent);
    for (uint64_t i = sent.frames > 2 ? sent.frames - 3 : 0; i < sent.frames;
         i++)
        if (i / GOP < MAX_GOPS)
            w.hurt[i / GOP] = true;
    return true;
}

/* So many seconds of the camera; call it again for more. */
static inline void go_on(const struct sender_options *o, unsigned seconds)
{
    for (uint64_t end = w.now_ms + seconds * 1000; w.now_ms < end;
         w.now_ms += 5) {
        struct sender_packet p;

        while (sender_next(w.tx, &p, w.now_ms)) {
            if (is_lost())
                continue;
            if (o->tcp)
                give_tcp(&p);
            else
                give_udp(&p);
        }
        receiver_tick(w.rx, w.now_ms);
        hub_tick(w.hub, w.now_ms);
    }
}

static inline void begin(struct sender_options *o)
{
    o->alloc = &gb_alloc_heap;
    o->ssrc = SSRC;
    o->pt = 96;
    w.main = o->clip;
    w.other = o->other ? o->other : o->clip;
    assert_int_equal(sender_new(&w.tx, o, w.now_ms), 0);
}

static inline void finish(struct sender_counters *sent)
{
    receiver_end(w.rx, w.now_ms);
    sender_counters(w.tx, sent);
    sender_free(w.tx);
    w.tx = NULL;
}

static inline void play(struct sender_options *o, unsigned seconds,
                        struct sender_counters *sent)
{
    begin(o);
    go_on(o, seconds);
    finish(sent);
}

static inline int setup(void **state)
{
    static const char *const path[] = {
        "test/data/clip/clock.h264", "test/data/clip/sub.h264",
        "test/data/clip/clock.h265", "test/data/clip/sub.h265",
        "test/data/clip/tone.aac",
    };

    (void)state;
    for (unsigned i = 0; i < COUNT(path); i++)
        file[i] = read_file(path[i]);
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(clip_init(&clip[i / 2][i % 2], &gb_alloc_heap,
                                   file[i], 25), 0);
    assert_int_equal(sound_init(&sound[0], PS_CODEC_G711A, SLICE("")), 0);
    assert_int_equal(sound_init(&sound[1], PS_CODEC_AAC, file[4]), 0);
    return 0;
}

static inline int teardown(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 4; i++)
        clip_fini(&clip[i / 2][i % 2]);
    for (unsigned i = 0; i < COUNT(file); i++)
        free((void *)(uintptr_t)file[i].p);
    return 0;
}
#endif
