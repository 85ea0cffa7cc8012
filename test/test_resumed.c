/* A recording that is fetched in two sendings, from the packets of the simulated
 * camera to the bytes of the file: wherever the first one breaks, they are those
 * of one sending. */
#include "app/media/saver.h"
#include "app/net/receiver.h"

#include "app/device/sender.h"
#include "test/support.h"

#include <stdlib.h>

#define START_S 1700000001u /* not where the clip begins */
#define LENGTH_S 7u
#define OVERLAP_S 2
#define FPS 25
#define SSRC 1000000001u

static struct {
    struct slice file, aac;
    struct clip clip;
    struct sound sound;
} media;

static struct {
    struct slab_pool pool;
    struct saver saver;
    char *file;
    size_t n;
    /* of the sending */
    struct hub *hub;
    struct receiver *rx;
    struct sender *tx;
    struct hub_tap tap;
    struct gb_addr from;
    int64_t start_utc_ms;
    uint64_t now_ms;
    bool large; /* key frames of more than a PES */
} w;

static void write_out(void)
{
    size_t n;
    char *p = saver_take(&w.saver, &n);

    if (!p)
        return;
    w.file = realloc(w.file, w.n + n);
    memcpy(w.file + w.n, p, n);
    w.n += n;
    gb_put(&gb_alloc_heap, p);
}

static void on_frame(void *ctx, struct media_frame *f, struct media_config *c)
{
    (void)ctx;
    saver_frame(&w.saver, f, c, hub_config(w.hub, 1 - f->track),
                hub_is_decided(w.hub, w.now_ms),
                w.start_utc_ms + hub_position_ms(w.hub));
    write_out();
}

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

static void send_from(uint64_t start_s, uint64_t stop_s, bool anew)
{
    const struct hub_hooks hooks = { .on_wake = on_wake };
    const struct hub_options ho = {
        .history = true, .history_ms = (int64_t)(stop_s - start_s) * 1000,
    };
    const struct receiver_options ro = { .tcp = true, .on_event = on_event };
    const struct sender_options so = {
        .alloc = &gb_alloc_heap, .clip = &media.clip, .sound = &media.sound,
        .ssrc = SSRC, .pt = 96, .start_s = start_s,
        .length_ms = (stop_s - start_s) * 1000, .scale_milli = 8000,
        .faults = { .big_sei = w.large },
    };

    w.now_ms = 1000;
    w.start_utc_ms = (int64_t)start_s * 1000;
    assert_int_equal(hub_new(&w.hub, &gb_alloc_heap, &hooks, &ho), 0);
    assert_int_equal(receiver_new(&w.rx, w.hub, &ro), 0);
    assert_int_equal(sender_new(&w.tx, &so, w.now_ms), 0);
    saver_restart(&w.saver, anew);
    w.n = w.saver.mark.bytes;
    saver_ready(&w.saver);
    w.tap = (struct hub_tap){ .on_frame = on_frame };
    hub_tap_add(w.hub, &w.tap, false);
}

static void give(const struct sender_packet *p)
{
    struct slab *s = slab_get(&w.pool);
    size_t n = p->head_len + p->n;

    memcpy(s->bytes, p->head, p->head_len);
    memcpy(s->bytes + p->head_len, p->payload, p->n);
    assert_true(receiver_packet(w.rx, s->bytes, n, s, &w.from, w.now_ms));
    slab_unref(s);
}

/* So many packets, or all. stall: nothing comes for a while behind the first
 * `stall` of them. Returns how many there were. */
static unsigned run(unsigned most, unsigned stall)
{
    unsigned n = 0;
    struct sender_packet p;

    for (; !sender_is_over(w.tx); w.now_ms++)
        while (sender_next(w.tx, &p, w.now_ms)) {
            if (n == most)
                return n;
            give(&p);
            if (++n != stall)
                continue;
            w.now_ms += RECEIVER_FLUSH_MS;
            receiver_tick(w.rx, w.now_ms);
        }
    return n;
}

static void sending_ends(void)
{
    receiver_end(w.rx, w.now_ms);
    write_out();
    hub_end(w.hub);
    receiver_free(w.rx);
    hub_free(w.hub);
    sender_free(w.tx);
}

static void open_file(enum saver_format format, bool large)
{
    memset(&w, 0, sizeof(w));
    w.large = large;
    slab_pool_init(&w.pool, SLAB_BYTES, SLAB_POOL_MAX);
    gb_addr_parse(&w.from, SLICE("192.0.2.7"), 15060);
    saver_init(&w.saver, &gb_alloc_heap, format, NULL, 0);
}

static void close_file(void)
{
    saver_fini(&w.saver);
    free(w.file);
    assert_int_equal(w.pool.n_live, 0);
    slab_pool_fini(&w.pool);
}

/* Where a download asks the device to go on. */
static uint64_t asks_from(void)
{
    int64_t at_s = w.saver.mark.at_utc_ms / 1000 - OVERLAP_S;

    return at_s > (int64_t)START_S ? (uint64_t)at_s : START_S;
}

/* The file of one sending. */
static char *whole(enum saver_format format, bool large, size_t *n,
                   unsigned *packets)
{
    char *file;

    open_file(format, large);
    send_from(START_S, START_S + LENGTH_S, true);
    *packets = run(UINT32_MAX, 0);
    sending_ends();
    assert_true(*packets > LENGTH_S * FPS);
    file = w.file;
    *n = w.n;
    w.file = NULL;
    close_file();
    return file;
}

/* The camera falls silent for a moment at the break (1) or behind it (2), which
 * makes a picture known to be whole. */
static void is_whole(const char *want, size_t n, unsigned at, unsigned stall)
{
    send_from(START_S, START_S + LENGTH_S, true);
    run(at, stall == 1 ? at : 0);
    sending_ends();
    send_from(asks_from(), START_S + LENGTH_S, false);
    run(UINT32_MAX, stall == 2 ? at % 100 : 0);
    sending_ends();
    if (w.saver.err || w.n != n || memcmp(w.file, want, n)) {
        size_t i = 0;

        while (i < n && i < w.n && w.file[i] == want[i])
            i++;
        fail_msg("broken behind packet %u (%u): %zu bytes of %zu, the first "
                 "that differs is %zu", at, stall, w.n, n, i);
    }
}

/* Sanitizers take a minute for all of them. */
#ifdef __SANITIZE_ADDRESS__
#define FIRST 10
#define STEP 97
#else
#define FIRST 40
#define STEP 17
#endif

/* All of the first pictures, before which the ends of pictures are not known at
 * once, and some of the others. */
static void every_break(enum saver_format format, bool large)
{
    unsigned packets;
    size_t n;
    char *want = whole(format, large, &n, &packets);

    for (unsigned at = 1; at < packets; at += at < FIRST ? 1 : STEP)
        for (unsigned stall = 0; stall < 3; stall++) {
            open_file(format, large);
            is_whole(want, n, at, stall);
            close_file();
        }
    free(want);
}

static void with_sound(enum ps_codec codec)
{
    assert_int_equal(sound_init(&media.sound, codec,
                                codec == PS_CODEC_AAC ? media.aac : SLICE("")),
                     0);
}

static void aac_in_mp4(void **state)
{
    (void)state;
    with_sound(PS_CODEC_AAC);
    every_break(SAVER_MP4, false);
}

static void g711_in_mp4(void **state)
{
    (void)state;
    with_sound(PS_CODEC_G711A);
    every_break(SAVER_MP4, false);
}

static void large_pictures(void **state)
{
    (void)state;
    with_sound(PS_CODEC_AAC);
    every_break(SAVER_MP4, true);
}

static int load(void **state)
{
    (void)state;
    media.file = read_file("test/data/clip/clock.h264");
    media.aac = read_file("test/data/clip/tone.aac");
    return clip_init(&media.clip, &gb_alloc_heap, media.file, FPS);
}

static int unload(void **state)
{
    (void)state;
    clip_fini(&media.clip);
    free((void *)(uintptr_t)media.file.p);
    free((void *)(uintptr_t)media.aac.p);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(aac_in_mp4),
        cmocka_unit_test(g711_in_mp4),
        cmocka_unit_test(large_pictures),
    };

    return cmocka_run_group_tests(tests, load, unload);
}
