/* What a simulated camera sends, with every fault of it, on the way of a
 * session: TCP framing, source lock, reorder queue, demuxer, hub. Pictures come
 * out as they are in the clip, and as many as the fault lets through. */
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
#define SECONDS 8

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
} w;

/* ---- what comes out --------------------------------------------------------- */

/* The slices of a picture, each behind its length, as frames have them. */
static bool is_picture(const struct clip *c, size_t i,
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

static bool is_one_of(const struct clip *c, const struct media_frame *f)
{
    for (size_t i = 0; i < c->n_frames; i++)
        if (is_picture(c, i, f))
            return true;
    return false;
}

static void on_frame(void *ctx, struct media_frame *f,
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
    if (is_picture(w.main, w.next % w.main->n_frames, f) ||
        is_one_of(w.main, f) || is_one_of(w.other, f))
        w.good++;
    else
        w.bad++;
    w.next++;
}

static void on_event(void *ctx, enum receiver_event ev)
{
    (void)ctx;
    w.unknown |= ev == RECEIVER_UNKNOWN;
}

static void on_wake(void *ctx, struct hub_viewer *v)
{
    (void)ctx;
    (void)v;
}

static void open_world(bool tcp)
{
    const struct hub_hooks hooks = { .on_wake = on_wake };
    const struct receiver_options o = { .tcp = tcp, .has_ssrc = true,
                                        .ssrc = SSRC, .on_event = on_event };
    const struct rtp_tcpframe_options fo = { .has_ssrc = true, .ssrc = SSRC };

    memset(&w, 0, sizeof(w));
    slab_pool_init(&w.pool);
    w.now_ms = 1000;
    w.last90k[MEDIA_VIDEO] = w.last90k[MEDIA_AUDIO] = INT64_MIN;
    gb_addr_parse(&w.from, SLICE("192.0.2.7"), 15060);
    assert_int_equal(hub_new(&w.hub, &gb_alloc_heap, &hooks, NULL), 0);
    assert_int_equal(receiver_new(&w.rx, w.hub, &o), 0);
    w.tap.on_frame = on_frame;
    hub_tap_add(w.hub, &w.tap, false);
    rtp_tcpframe_init(&w.frame, &fo);
    w.buf = malloc(RTP_TCPFRAME_CAP);
    assert_non_null(w.buf);
}

static void close_world(void)
{
    hub_tap_remove(&w.tap);
    receiver_free(w.rx);
    hub_free(w.hub);
    assert_int_equal(w.pool.n_live, 0);
    slab_pool_fini(&w.pool);
    free(w.buf);
}

/* ---- the way in -------------------------------------------------------------- */

static void give(const uint8_t *p, size_t n)
{
    struct slab *s = slab_get(&w.pool);

    assert_true(n <= SLAB_BYTES);
    memcpy(s->bytes, p, n);
    if (rtp_classify(p, n) != RTP_CLASS_RTCP) /* the edge takes those out */
        receiver_packet(w.rx, s->bytes, n, s, &w.from, w.now_ms);
    slab_unref(s);
}

static void give_bare(const uint8_t *p, size_t n)
{
    struct slab *s = slab_get(&w.pool);

    memcpy(s->bytes, p, n);
    receiver_bare(w.rx, s->bytes, n, s, w.now_ms);
    slab_unref(s);
}

static void give_tcp(const struct sender_packet *p)
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

static void give_udp(const struct sender_packet *p)
{
    uint8_t bytes[RTP_PACK_PAYLOAD + 400];

    assert_true(p->head_len + p->n <= sizeof(bytes));
    memcpy(bytes, p->head, p->head_len);
    memcpy(bytes + p->head_len, p->payload, p->n);
    give(bytes, p->head_len + p->n);
}

/* SECONDS of the camera. */
static void play(struct sender_options *o, struct sender_counters *sent)
{
    struct sender *tx;
    uint64_t end = w.now_ms + SECONDS * 1000;

    o->alloc = &gb_alloc_heap;
    o->ssrc = SSRC;
    o->pt = 96;
    w.main = o->clip;
    w.other = o->other ? o->other : o->clip;
    assert_int_equal(sender_new(&tx, o, w.now_ms), 0);
    for (; w.now_ms < end; w.now_ms += 5) {
        struct sender_packet p;

        while (sender_next(tx, &p, w.now_ms))
            if (o->tcp)
                give_tcp(&p);
            else
                give_udp(&p);
        receiver_tick(w.rx, w.now_ms);
        hub_tick(w.hub, w.now_ms);
    }
    receiver_end(w.rx, w.now_ms);
    sender_counters(tx, sent);
    sender_free(tx);
}

/* ---- every fault -------------------------------------------------------------- */

enum { TCP_ONLY = 1, UNREADABLE = 2, AAC = 4, DAMAGED = 8 };

/* Of those that let less through than is sent, in percent; others let through
 * everything, but for a block of audio before the first picture. */
static const struct expected {
    const char *name;
    unsigned pictures, sounds; /* at least */
    unsigned flags;
} expected[] = {
    { "late-key", 92, 91, 0 },       /* from the next key frame on */
    { "audio-first", 100, 74, 0 },   /* waits for the picture */
    { "no-psm", 100, 93, 0 },        /* audio is known by some of it */
    { "not-announced", 100, 93, 0 },
    { "g711-as-aac", 100, 90, 0 },
    { "seq-restart", 92, 91, 0 },    /* over UDP: 15 packets each time */
    { "ssrc-change", 62, 61, 0 },    /* three seconds are the old one's */
    { "cut-frames", 90, 95, TCP_ONLY | DAMAGED },
    { "length-short", 0, 36, 0 },
    { "dollar", 100, 99, TCP_ONLY },
    { "ehome", 100, 99, TCP_ONLY },
    { "bare-ps", 100, 99, TCP_ONLY },
    { "big-packets", 100, 99, TCP_ONLY },
    { "aac-as-g711", 100, 99, AAC },
    { "vendor-frames", 0, 0, UNREADABLE },
    { "encrypted", 0, 0, UNREADABLE },
};

static const struct expected *expectation(const char *name)
{
    static const struct expected everything = { "", 100, 99, 0 };

    for (size_t i = 0; i < COUNT(expected); i++)
        if (!strcmp(expected[i].name, name))
            return &expected[i];
    return &everything;
}

/* By how much the pictures are ahead of the sound at the end; 0: not both. */
static int64_t video_ahead90k(void)
{
    return w.good && w.sounds
               ? w.last90k[MEDIA_VIDEO] - w.last90k[MEDIA_AUDIO] : 0;
}

static void one_fault(const char *name, unsigned codec, bool tcp)
{
    const struct expected *x = expectation(name);
    bool aac = x->flags & AAC || (codec && !strstr(name, "g711"));
    struct sender_options o = { .clip = &clip[codec][0],
                                .other = &clip[codec][1],
                                .sound = &sound[aac], .tcp = tcp };
    struct sender_counters sent;
    struct faults f = { 0 };

    if (x->flags & TCP_ONLY && !tcp)
        return;
    assert_true(fault_set(&f, slice_str(name)));
    o.faults = f.sender;
    open_world(tcp);
    play(&o, &sent);
    if ((w.bad && !(x->flags & DAMAGED)) || w.back || w.is_broken || sent.frames < 150 ||
        w.good * 100 < x->pictures * sent.frames ||
        w.sounds * 100 < x->sounds * sent.sounds ||
        (x->flags & UNREADABLE && w.good) ||
        (w.odd && strcmp(name, "b-frames")) ||
        llabs(video_ahead90k()) > 45000)
        fail_msg("%s, %s over %s: %u of %u pictures, %u of %u sounds, %u bad, "
                 "%u times back, %.1f s of video ahead%s",
                 name, codec ? "H.265" : "H.264", tcp ? "TCP" : "UDP", w.good,
                 (unsigned)sent.frames, w.sounds, (unsigned)sent.sounds, w.bad,
                 w.back, (double)video_ahead90k() / 90000,
                 w.is_broken ? ", no framing" : "");
    close_world();
}

static void every_fault_is_read(void **state)
{
    const struct fault *f;

    (void)state;
    for (size_t i = 0; (f = fault_at(i)) != NULL; i++) {
        char name[40];

        if (f->off < offsetof(struct faults, sender) ||
            f->off >= offsetof(struct faults, link))
            continue;
        fault_name(f, name, sizeof(name));
        for (unsigned k = 0; k < 4; k++)
            one_fault(name, k & 1, k & 2);
    }
}

/* The names above are those of faults. */
static void expectations_have_faults(void **state)
{
    struct faults f;

    (void)state;
    for (size_t i = 0; i < COUNT(expected); i++)
        if (!fault_set(&f, slice_str(expected[i].name)))
            fail_msg("%s", expected[i].name);
}

/* Without memory there is no sender, and nothing is lost. */
static void memory(void **state)
{
    struct sender_options o = { .clip = &clip[0][0], .sound = &sound[0] };
    unsigned long n = 1;
    int err;

    (void)state;
    for (unsigned faults = 0; faults < 2; faults++) {
        o.faults.aud = faults;
        for (n = 1;; n++) {
            struct failing_alloc mem;
            struct sender *tx;

            failing_alloc_init(&mem, n);
            o.alloc = &mem.alloc;
            err = sender_new(&tx, &o, 0);
            if (!err)
                sender_free(tx);
            assert_int_equal(mem.live, 0);
            if (!err)
                break;
            assert_int_equal(err, GB_ENOMEM);
        }
        assert_true(n > 2);
    }
}

static int setup(void **state)
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

static int teardown(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 4; i++)
        clip_fini(&clip[i / 2][i % 2]);
    for (unsigned i = 0; i < COUNT(file); i++)
        free((void *)(uintptr_t)file[i].p);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_fault_is_read),
        cmocka_unit_test(expectations_have_faults),
        cmocka_unit_test(memory),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
