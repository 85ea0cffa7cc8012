/* A live stream in segments: each a file of its own, nothing missing between
 * them, nothing twice, and what a broken writer left is found whole. */
#include "app/media/mp4scan.h"
#include "app/media/recorder.h"
#include "test/hub_world.h"

#define UTC 1700000000000
#define MAX_SEGMENTS 40
#define INDEX_BYTES (19 * MP4INDEX_MAX + 100)

struct segment {
    char *bytes;
    size_t n;
    int64_t begin_ms, end_ms;
    bool ended, sound;
};

static struct world w;
static struct failing_alloc mem; /* of the recorder */
static struct recorder rec;
static struct hub_tap tap;
static struct segment seg[MAX_SEGMENTS];
static unsigned n_seg;
static int64_t set_ms; /* by which the clock was set */

static void on_tap_frame(void *ctx, struct media_frame *f,
                         struct media_config *config)
{
    (void)ctx;
    recorder_frame(&rec, f, config, hub_config(w.hub, 1 - f->track),
                   UTC + set_ms + (int64_t)w.now_ms);
}

static void on_tap_end(void *ctx)
{
    (void)ctx;
    recorder_end(&rec);
}

static void open_all(uint32_t segment_ms, unsigned long fail_at)
{
    assert_int_equal(world_open(&w, NULL, 0), 0);
    failing_alloc_init(&mem, fail_at);
    n_seg = 0;
    set_ms = 0;
    memset(seg, 0, sizeof(seg));
    tap = (struct hub_tap){ .on_frame = on_tap_frame, .on_end = on_tap_end };
    recorder_init(&rec, &mem.alloc, segment_ms);
    hub_tap_add(w.hub, &tap, true);
}

/* As an owner that writes files. */
static void take_all(void)
{
    struct recorder_piece *p;

    while ((p = recorder_take(&rec, true))) {
        struct segment *s = &seg[n_seg ? n_seg - 1 : 0];

        switch (p->kind) {
        case RECORDER_BEGIN:
            assert_true(n_seg < MAX_SEGMENTS);
            assert_true(n_seg == 0 || s->ended);
            s = &seg[n_seg++];
            s->begin_ms = p->utc_ms;
            s->sound = p->sound;
            break;
        case RECORDER_BYTES:
            assert_true(n_seg && !s->ended);
            s->bytes = realloc(s->bytes, s->n + p->n);
            assert_non_null(s->bytes);
            memcpy(s->bytes + s->n, p->bytes, p->n);
            s->n += p->n;
            break;
        case RECORDER_END:
            assert_true(n_seg && !s->ended);
            s->ended = true;
            s->end_ms = p->utc_ms;
            break;
        }
        gb_put(&mem.alloc, p);
    }
    assert_int_equal(rec.n_bytes, 0);
}

static void close_all(void)
{
    recorder_fini(&rec);
    hub_tap_remove(&tap);
    world_close(&w);
    assert_int_equal(mem.live, 0);
    for (unsigned i = 0; i < n_seg; i++)
        free(seg[i].bytes);
}

static bool read_bytes(void *ctx, uint64_t off, void *buf, size_t n)
{
    const struct segment *s = ctx;

    if (off + n > s->n)
        return false;
    memcpy(buf, s->bytes + off, n);
    return true;
}

static struct mp4scan scan(struct segment *s)
{
    struct mp4scan m;

    assert_int_equal(mp4scan(&m, read_bytes, s, s->n), 0);
    return m;
}

/* "IKppp" of each segment. */
static const char *story(unsigned i)
{
    struct edge e = { .got = (uint8_t *)seg[i].bytes, .n = seg[i].n };

    return story_fmp4(&e);
}

static void segments_are_seamless(void **state)
{
    unsigned pictures = 0;

    (void)state;
    open_all(2000, 0);
    sound(&w);
    for (unsigned g = 0; g < 20; g++) { /* a GOP of 25 is a second */
        gop(&w, 25);
        take_all();
    }
    hub_end(w.hub);
    take_all();
    assert_int_equal(n_seg, 10);
    for (unsigned i = 0; i < n_seg; i++) {
        struct mp4scan m = scan(&seg[i]);

        assert_true(seg[i].ended);
        assert_int_equal(m.bytes, seg[i].n);
        assert_true(strncmp(story(i), "IK", 2) == 0);
        assert_int_equal(seg[i].end_ms - seg[i].begin_ms, 2000);
        assert_int_equal(m.duration_ms, 2000);
        if (i)
            assert_int_equal(seg[i].begin_ms, seg[i - 1].end_ms);
        pictures += m.fragments;
    }
    assert_true(seg[0].begin_ms >= UTC + 1000 && seg[0].begin_ms < UTC + 2000);
    assert_int_equal(pictures, 500);
    assert_int_equal(rec.lost, 0);
    close_all();
}

/* A board without a clock of its own begins in 1970, until the network tells it
 * the time; a hand sets it back. What is recorded then is found by its day. */
static void a_clock_that_is_set(void **state)
{
    static const int64_t by_ms[] = { 50000, 1795926738000, 1795922000000, 0 };

    (void)state;
    open_all(600000, 0);
    gop(&w, 25);
    for (unsigned i = 0; i < COUNT(by_ms); i++) {
        set_ms = by_ms[i];
        for (unsigned g = 0; g < 5; g++)
            gop(&w, 25);
    }
    hub_end(w.hub);
    take_all();
    assert_int_equal(n_seg, 4); /* less than a minute is none */
    for (unsigned i = 0; i < n_seg; i++) {
        int64_t length_ms = seg[i].end_ms - seg[i].begin_ms;

        assert_int_equal(scan(&seg[i]).bytes, seg[i].n);
        assert_in_range(length_ms, 4900, 11100);
        if (i)
            assert_in_range(seg[i].begin_ms - UTC - by_ms[i], 5000, 25000);
    }
    assert_int_equal(rec.lost, 0);
    close_all();
}

static void begins_with_the_cached_pictures(void **state)
{
    (void)state;
    open_all(60000, 0);
    hub_tap_remove(&tap);
    gop(&w, 10);
    hub_tap_add(w.hub, &tap, true);
    gop(&w, 1);
    recorder_end(&rec);
    take_all();
    assert_int_equal(n_seg, 1);
    assert_string_equal(story(0), "IKpppppppppK");
    close_all();
}

/* Sound that comes later, and another picture size: a new segment each. */
static void configurations_change(void **state)
{
    static const struct slice big[] = { SLICE_INIT(AU_SPS_720),
                                        SLICE_INIT(AU_PPS),
                                        SLICE_INIT(AU_IDR) };

    (void)state;
    open_all(60000, 0);
    gop(&w, 25);
    gop(&w, 5);
    for (unsigned i = 0; i < 10; i++) {
        sound(&w);
        picture(&w, i == 5);
    }
    hub_au(w.hub, au_video(&w.au, PS_CODEC_H264, w.pts90k, big, COUNT(big)),
           w.now_ms);
    recorder_end(&rec);
    take_all();
    assert_int_equal(n_seg, rec.segments);
    assert_true(n_seg >= 2);
    for (unsigned i = 0; i < n_seg; i++) {
        assert_true(strncmp(story(i), "IK", 2) == 0);
        assert_true(seg[i].sound == (strchr(story(i), 's') != NULL) ||
                    i + 1 == n_seg);
    }
    for (unsigned i = 0; i < n_seg; i++) {
        struct edge e = { .got = (uint8_t *)seg[i].bytes, .n = seg[i].n };

        /* in its head; other ones than before with the pictures, too */
        assert_int_equal(count_of(&e, SLICE(AU_SPS)), i + 1 < n_seg);
        assert_int_equal(count_of(&e, SLICE(AU_SPS_720)),
                         i + 1 < n_seg ? 0 : 2);
    }
    close_all();
}

/* A key frame of another size and its pictures, with sound. */
static void gop_720(unsigned pictures)
{
    static const struct slice big[] = { SLICE_INIT(AU_SPS_720),
                                        SLICE_INIT(AU_PPS),
                                        SLICE_INIT(AU_IDR) };

    sound(&w);
    hub_au(w.hub, au_video(&w.au, PS_CODEC_H264, w.pts90k, big, COUNT(big)),
           w.now_ms);
    w.pts90k += FRAME90K;
    w.now_ms += 40;
    for (unsigned i = 1; i < pictures; i++) {
        sound(&w);
        picture(&w, false);
    }
}

static void gop_with_sound(unsigned pictures)
{
    for (unsigned i = 0; i < pictures; i++) {
        sound(&w);
        picture(&w, i == 0);
    }
}

/* Two senders in one session, and a camera that was set to another size. */
static void note_8_11_sets_are_believed_when_they_come_twice(void **state)
{
    uint64_t frames;

    (void)state;
    open_all(60000, 0);
    gop_with_sound(3);
    gop_with_sound(3);
    for (unsigned i = 0; i < 20; i++) {
        gop_720(3);
        gop_with_sound(3);
    }
    assert_int_equal(rec.segments, 1);
    assert_int_equal(rec.lost, 20 * 3);
    frames = rec.frames;
    gop_720(3);
    assert_int_equal(rec.segments, 1);
    gop_720(3);
    assert_int_equal(rec.segments, 2);
    assert_int_equal(rec.frames, frames + 2 * 6);
    assert_int_equal(rec.late, 0);
    assert_int_equal(rec.lost, 20 * 3);
    gop_with_sound(3);
    recorder_end(&rec); /* nothing more will tell: they are believed */
    take_all();
    assert_int_equal(n_seg, 3);
    assert_string_equal(story(1), "IKspspsKspsps");
    assert_string_equal(story(2), "IKspsp");
    for (unsigned i = 1; i < n_seg; i++)
        assert_int_equal(seg[i].begin_ms, seg[i - 1].end_ms);
    close_all();
}

/* Parameter sets that come once and never again: what waits is bounded. */
static void a_long_doubt_ends(void **state)
{
    (void)state;
    open_all(60000, 0);
    gop(&w, 3);
    gop_720(RECORDER_DOUBT_FRAMES / 2); /* and sound */
    assert_int_equal(rec.segments, 1);
    picture(&w, false);
    picture(&w, false);
    picture(&w, false);
    assert_int_equal(rec.segments, 2);
    assert_int_equal(rec.lost, 0);
    gop(&w, 2);
    recorder_reset(&rec); /* in doubt */
    close_all();
}

/* ... in bytes, too. */
static void a_large_doubt_ends(void **state)
{
    static char fat[1 << 19];
    struct slice key[] = { SLICE_INIT(AU_SPS_720), SLICE_INIT(AU_PPS),
                           { fat, sizeof(fat) } };
    struct slice delta[] = { { fat, sizeof(fat) } };

    (void)state;
    open_all(60000, 0);
    gop(&w, 3);
    memset(fat, 0x11, sizeof(fat));
    memcpy(fat, AU_IDR, sizeof(AU_IDR) - 1);
    hub_au(w.hub, au_video(&w.au, PS_CODEC_H264, w.pts90k, key, 3), w.now_ms);
    fat[0] = 0x41;
    for (unsigned i = 1; i < RECORDER_DOUBT_BYTES / sizeof(fat); i++) {
        assert_int_equal(rec.segments, 1);
        assert_true(rec.doubt.bytes <= RECORDER_DOUBT_BYTES);
        take_all();
        w.pts90k += FRAME90K;
        w.now_ms += 40;
        hub_au(w.hub, au_video(&w.au, PS_CODEC_H264, w.pts90k, delta, 1),
               w.now_ms);
    }
    assert_int_equal(rec.segments, 2);
    recorder_reset(&rec);
    close_all();
}

/* Nobody takes: the memory is bounded, whole groups are left out and counted,
 * and the hole lies between two segments. */
static void a_disk_that_does_not_keep_up(void **state)
{
    static char fat[400000];
    struct slice key[] = { SLICE_INIT(AU_SPS), SLICE_INIT(AU_PPS),
                           { fat, sizeof(fat) } };

    (void)state;
    open_all(600000, 0);
    memset(fat, 0x11, sizeof(fat));
    memcpy(fat, AU_IDR, sizeof(AU_IDR) - 1);
    for (unsigned i = 0; i < 200; i++) {
        hub_au(w.hub, au_video(&w.au, PS_CODEC_H264, w.pts90k, key, 3),
               w.now_ms);
        w.pts90k += FRAME90K;
        w.now_ms += 40;
        picture(&w, false);
        assert_true(rec.n_bytes <= RECORDER_BYTES_MAX + sizeof(fat) + 4096);
    }
    assert_true(rec.lost > 100);
    take_all();
    for (unsigned i = 0; i < 3; i++) {
        hub_au(w.hub, au_video(&w.au, PS_CODEC_H264, w.pts90k, key, 3),
               w.now_ms);
        w.pts90k += FRAME90K;
        w.now_ms += 40;
    }
    recorder_end(&rec);
    take_all();
    assert_int_equal(n_seg, 2);
    assert_true(seg[1].begin_ms > seg[0].end_ms + RECORDER_JOIN_MS);
    assert_true(seg[0].ended && seg[1].ended);
    assert_int_equal(scan(&seg[0]).bytes, seg[0].n);
    close_all();
}

/* Nobody takes, and no key frame comes: a camera that refreshes its pictures bit
 * by bit, say. */
static void a_group_without_an_end(void **state)
{
    static char fat[400000];
    struct slice delta[] = { { fat, sizeof(fat) } };
    uint64_t lost;

    (void)state;
    open_all(600000, 0);
    gop(&w, 3);
    memset(fat, 0x11, sizeof(fat));
    fat[0] = 0x41;
    for (unsigned i = 0; i < 100; i++) {
        hub_au(w.hub, au_video(&w.au, PS_CODEC_H264, w.pts90k, delta, 1),
               w.now_ms);
        w.pts90k += FRAME90K;
        w.now_ms += 40;
        assert_true(rec.n_bytes <= RECORDER_BYTES_MAX +
                                       RECORDER_GROUP_BYTES_MAX +
                                       sizeof(fat) + 4096);
    }
    lost = rec.lost;
    assert_true(lost > 30);
    take_all();
    gop(&w, 3);
    recorder_end(&rec);
    take_all();
    assert_int_equal(rec.lost, lost);
    assert_int_equal(n_seg, 2);
    assert_int_equal(scan(&seg[0]).bytes, seg[0].n);
    assert_string_equal(story(1), "IKpp");
    close_all();
}

/* ... nor any picture. */
static void sound_alone_that_nobody_takes(void **state)
{
    static char noise[1000];

    (void)state;
    for (size_t i = 0; i < sizeof(noise); i++)
        noise[i] = (char)(uint8_t)(i * i * 2654435761u >> 13);
    open_all(36000000, 0);
    for (unsigned i = 0; i < 12000; i++) {
        hub_au(w.hub, au_sound(&w.au, PS_CODEC_G711A, w.pts90k,
                               slice_of(noise, sizeof(noise))), w.now_ms);
        w.pts90k += sizeof(noise) * 90 / 8;
        w.now_ms += sizeof(noise) / 8;
        assert_true(rec.n_bytes <= RECORDER_BYTES_MAX + INDEX_BYTES);
    }
    assert_int_equal(rec.segments, 1);
    assert_true(rec.lost > 0);
    take_all();
    assert_true(n_seg == 1 && seg[0].ended);
    assert_int_equal(scan(&seg[0]).bytes, seg[0].n);
    sound(&w);
    assert_int_equal(rec.segments, 2); /* it goes on at once */
    close_all();
}

/* Sound of before a border that comes behind it is in the new segment, in its
 * place; what is older by more than there is room for is counted. */
static void late_sound_keeps_its_place(void **state)
{
    struct media_config *audio;
    struct media_frame *f;
    uint64_t before;

    (void)state;
    open_all(1000, 0);
    for (unsigned i = 0; i < 30; i++) {
        sound(&w);
        picture(&w, i % 25 == 0);
    }
    audio = hub_config(w.hub, MEDIA_AUDIO);
    assert_non_null(audio);
    before = rec.frames;
    for (int i = 5; i >= 0; i--) {
        f = media_frame_new(&gb_alloc_heap, 320);
        assert_non_null(f);
        memset(f->data, 0xD5, f->n); /* silence */
        f->track = MEDIA_AUDIO;
        f->codec = audio->codec;
        f->dts90k = f->pts90k = rec.first90k - i * RECORDER_LEAD90K / 3;
        f->duration90k = 3600;
        recorder_frame(&rec, f, audio, hub_config(w.hub, MEDIA_VIDEO), UTC);
        media_frame_unref(f);
    }
    assert_int_equal(rec.frames - before, 4);
    assert_int_equal(rec.late, 2);
    recorder_end(&rec);
    take_all();
    close_all();
}

/* Cut anywhere: what is whole before the cut is found, to the byte. */
static void cut_at_every_byte(void **state)
{
    struct mp4scan whole, m;
    struct segment part;
    uint64_t before = 0;

    (void)state;
    open_all(60000, 0);
    for (unsigned i = 0; i < 12; i++) {
        sound(&w);
        picture(&w, i % 4 == 0);
    }
    recorder_end(&rec);
    take_all();
    whole = scan(&seg[n_seg - 1]);
    part = seg[n_seg - 1];
    for (part.n = 0; part.n < seg[n_seg - 1].n; part.n++) {
        struct segment copy = part;
        int err;

        copy.bytes = malloc(part.n + 1); /* ends where the bytes end */
        assert_non_null(copy.bytes);
        memcpy(copy.bytes, part.bytes, part.n);
        err = mp4scan(&m, read_bytes, &copy, part.n);
        free(copy.bytes);
        assert_true(m.bytes <= part.n && m.bytes >= before);
        assert_int_equal(err, part.n < whole.head_bytes ? GB_ESYNTAX : 0);
        before = m.bytes;
    }
    assert_true(whole.fragments > 12);
    close_all();
}

static void damaged_files(void **state)
{
    struct mp4scan m;
    unsigned seen = 0;

    (void)state;
    open_all(60000, 0);
    gop(&w, 3);
    recorder_end(&rec);
    take_all();
    for (size_t i = 0; i < seg[0].n; i++)
        for (unsigned v = 0; v < 256; v += 51) {
            char was = seg[0].bytes[i];

            seg[0].bytes[i] = (char)v;
            if (!mp4scan(&m, read_bytes, &seg[0], seg[0].n))
                assert_true(m.bytes <= seg[0].n);
            seen++;
            seg[0].bytes[i] = was;
        }
    assert_true(seen > 1000);
    close_all();
}

/* The n-th allocation fails: pictures are lost, no more; what comes behind them
 * is recorded again. */
static void without_memory(void **state)
{
    unsigned long n = 0, calls;

    (void)state;
    do {
        struct recorder_piece *p;
        uint64_t before;

        open_all(2000, ++n);
        for (unsigned g = 0; g < 3; g++)
            gop(&w, 10);
        gop_720(4);
        gop(&w, 4);
        gop_720(4);
        gop_720(4);
        calls = mem.calls;
        mem.fail_at = 0;
        before = rec.frames;
        gop(&w, 10);
        gop(&w, 10);
        assert_int_equal(rec.frames, before + 20);
        recorder_end(&rec);
        while ((p = recorder_take(&rec, true)))
            gb_put(&mem.alloc, p);
        close_all();
    } while (calls >= n);
    assert_true(n > 30);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(segments_are_seamless),
        cmocka_unit_test(a_clock_that_is_set),
        cmocka_unit_test(begins_with_the_cached_pictures),
        cmocka_unit_test(configurations_change),
        cmocka_unit_test(note_8_11_sets_are_believed_when_they_come_twice),
        cmocka_unit_test(a_long_doubt_ends),
        cmocka_unit_test(a_large_doubt_ends),
        cmocka_unit_test(a_disk_that_does_not_keep_up),
        cmocka_unit_test(a_group_without_an_end),
        cmocka_unit_test(sound_alone_that_nobody_takes),
        cmocka_unit_test(late_sound_keeps_its_place),
        cmocka_unit_test(cut_at_every_byte),
        cmocka_unit_test(damaged_files),
        cmocka_unit_test(without_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
