/* Frames of several sessions into one file, in memory. */
#include "app/media/aac.h"
#include "app/media/saver.h"

#include "test/media.h"
#include "test/support.h"

#include <stdio.h>
#include <stdlib.h>

#define GOP 5
#define UTC INT64_C(1700000000000)

static struct {
    struct saver s;
    struct failing_alloc mem;
    struct media_config *video, *audio;
    char *file;
    size_t n;
} w;

static struct media_config *video_config(void)
{
    struct media_config *c;
    struct au_maker m;

    au_maker_init(&m);
    c = au_config(au_key(&m, 0));
    au_maker_fini(&m);
    return c;
}

static struct media_config *audio_config(void)
{
    struct media_config *c = gb_get(&gb_alloc_heap, sizeof(*c));

    c->refs = 1;
    c->alloc = &gb_alloc_heap;
    c->codec = PS_CODEC_G711A;
    c->rate_hz = 8000;
    c->channels = 1;
    return c;
}

/* What has gathered is written where the file ends. */
static void write_out(void)
{
    size_t n;
    char *p = saver_take(&w.s, &n);

    if (!p)
        return;
    w.file = realloc(w.file, w.n + n);
    memcpy(w.file + w.n, p, n);
    w.n += n;
    gb_put(&w.mem.alloc, p);
}

static void open_it(enum saver_format format)
{
    memset(&w, 0, sizeof(w));
    failing_alloc_init(&w.mem, 0);
    w.video = video_config();
    w.audio = audio_config();
    saver_init(&w.s, &w.mem.alloc, format, NULL, 0);
}

static void begin(bool anew)
{
    saver_restart(&w.s, anew);
    w.n = w.s.mark.bytes;
    saver_ready(&w.s);
}

/* Picture i of the recording, and the sound behind it, of a session whose clock
 * began at from. */
static void send(unsigned i, unsigned from)
{
    struct media_frame *f = media_frame_new(&gb_alloc_heap, 64);
    struct media_frame *a = media_frame_new(&gb_alloc_heap, 320);
    int64_t at = (int64_t)(i - from) * 3600;

    f->track = MEDIA_VIDEO;
    f->codec = PS_CODEC_H264;
    f->key = i % GOP == 0;
    f->dts90k = f->pts90k = at;
    f->duration90k = 3600;
    memset(f->data, 0, 64);
    f->data[3] = 60;
    f->data[4] = f->key ? 0x65 : 0x41;
    f->data[5] = (uint8_t)(f->key ? i : 7);
    a->track = MEDIA_AUDIO;
    a->codec = PS_CODEC_G711A;
    a->dts90k = a->pts90k = at;
    a->duration90k = 3600;
    memset(a->data, (int)(i & 0x7f), 320);
    saver_frame(&w.s, f, w.video, w.audio, true, UTC + i * 40);
    saver_frame(&w.s, a, w.audio, w.video, true, UTC + i * 40);
    media_frame_unref(f);
    media_frame_unref(a);
}

/* A picture, of which nobody knows yet whether sound goes with it. */
static void send_picture(unsigned i)
{
    struct media_frame *f = media_frame_new(&gb_alloc_heap, 8);

    f->track = MEDIA_VIDEO;
    f->codec = PS_CODEC_H264;
    f->key = i % GOP == 0;
    f->dts90k = f->pts90k = i * 3600;
    f->duration90k = 3600;
    memcpy(f->data, "\0\0\0\4\x65\1\2\3", 8);
    saver_frame(&w.s, f, w.video, NULL, false, UTC + i * 40);
    media_frame_unref(f);
}

static void close_it(void)
{
    saver_fini(&w.s);
    media_config_unref(w.video);
    media_config_unref(w.audio);
    free(w.file);
    assert_int_equal(w.mem.live, 0);
}

/* All of it in one go: what the others are compared with. */
static char *whole(enum saver_format format, unsigned n, size_t *bytes)
{
    char *file;

    open_it(format);
    begin(true);
    for (unsigned i = 0; i < n; i++)
        send(i, 0);
    write_out();
    assert_int_equal(w.s.err, 0);
    assert_true(w.s.mark.at_utc_ms == UTC + (n - 1) * 40);
    assert_true(w.s.mark.end90k == (int64_t)n * 3600);
    *bytes = w.n;
    file = w.file;
    w.file = NULL;
    close_it();
    return file;
}

static size_t count_in_file(struct slice what)
{
    struct slice left = slice_of(w.file, w.n);
    size_t n = 0, at;

    while ((at = slice_find_slice(left, what)) < left.n) {
        left = slice_from(left, at + what.n);
        n++;
    }
    return n;
}

/* The camera changed its size in the middle of the recording, and back: from the
 * change on each key frame has its own parameter sets. */
static void another_size(void **state)
{
    static const struct slice sps[] = { S(AU_SPS_720), S(AU_PPS), S(AU_IDR) };
    struct media_config *first, *other;
    struct au_maker m;

    (void)state;
    au_maker_init(&m);
    other = au_config(au_video(&m, PS_CODEC_H264, 90000, sps, COUNT(sps)));
    au_maker_fini(&m);
    open_it(SAVER_MP4);
    first = w.video;
    begin(true);
    for (unsigned i = 0; i < 6 * GOP; i++) {
        w.video = i / (2 * GOP) == 1 ? other : first;
        send(i, 0);
    }
    write_out();
    assert_int_equal(w.s.err, 0);
    assert_int_equal(count_in_file(SLICE(AU_SPS_720)), 2);
    assert_int_equal(count_in_file(SLICE(AU_SPS)), 1 + 2);
    media_config_unref(other);
    close_it();
}

static struct media_config *config_of(enum ps_codec codec)
{
    struct media_config *c = audio_config();

    c->codec = codec;
    return c;
}

/* One frame of 40 ms, number i of the recording. */
static void send_of(struct media_config *c, struct media_config *other,
                    unsigned i, bool key)
{
    struct media_frame *f = sound_frame(c->codec, 320, (int64_t)i * 3600);

    f->track = ps_codec_is_video(c->codec) ? MEDIA_VIDEO : MEDIA_AUDIO;
    f->key = key;
    f->duration90k = 3600;
    f->data[2] = 1;
    f->data[3] = 60;
    f->data[5] = (uint8_t)i;
    saver_frame(&w.s, f, c, other, true, UTC + i * 40);
    media_frame_unref(f);
}

/* In the middle of a recording, which the head of MP4 cannot tell; a map can. */
static void another_codec_of_pictures(void **state)
{
    struct media_config *h265 = config_of(PS_CODEC_H265);

    (void)state;
    for (enum saver_format f = SAVER_MP4; f <= SAVER_PS; f++) {
        struct saver_mark before;

        open_it(f);
        begin(true);
        for (unsigned i = 0; i < 2 * GOP; i++)
            send(i, 0);
        before = w.s.mark;
        send_of(h265, w.audio, 2 * GOP, true);
        write_out();
        assert_int_equal(w.s.err, f == SAVER_PS ? 0 : GB_EUNSUPPORTED);
        if (f == SAVER_MP4) {
            assert_string_equal(w.s.why, "its codec changes in the middle, "
                                         "which is not for MP4: ask for ps");
            assert_memory_equal(&w.s.mark, &before, sizeof(before));
        } else {
            assert_true(w.s.mark.bytes > before.bytes);
            /* stream_id, the version of the map, its types: key frames of each */
            assert_int_equal(count_in_file(SLICE("\xe1\xff\0\0\0\x08\x1b\xe0")),
                             2);
            assert_int_equal(count_in_file(SLICE("\xe2\xff\0\0\0\x08\x24\xe0")),
                             1);
        }
        close_it();
    }
    media_config_unref(h265);
}

static void another_codec_of_sound(void **state)
{
    struct media_config *ulaw = config_of(PS_CODEC_G711U);
    size_t n;
    char *file = whole(SAVER_MP4, GOP, &n);

    (void)state;
    for (enum saver_format f = SAVER_MP4; f <= SAVER_PS; f++) {
        open_it(f);
        begin(true);
        for (unsigned i = 0; i < GOP; i++)
            send(i, 0);
        send_of(ulaw, w.video, GOP, false);
        write_out();
        assert_int_equal(w.s.err, 0);
        if (f == SAVER_MP4) /* the track is of what came first */
            assert_true(slice_eq(slice_of(w.file, w.n), slice_of(file, n)));
        else
            assert_int_equal(count_in_file(SLICE("\x1b\xe0\0\0\x91\xc0\0\0")), 1);
        close_it();
    }
    free(file);
    media_config_unref(ulaw);
}

/* Of sound the picture is left, of a picture nothing. */
static void codecs_that_mp4_has_not(void **state)
{
    struct media_config *g722 = config_of(PS_CODEC_G722_1);
    struct media_config *svac = config_of(PS_CODEC_SVAC);

    (void)state;
    open_it(SAVER_MP4);
    begin(true);
    for (unsigned i = 0; i < GOP; i++) {
        send_of(w.video, g722, i, i == 0);
        send_of(g722, w.video, i, false);
    }
    write_out();
    assert_int_equal(w.s.err, 0);
    assert_true(count_in_file(SLICE("moof")) == GOP);
    assert_int_equal(count_in_file(SLICE("vide")), 1);
    assert_int_equal(count_in_file(SLICE("soun")), 0);
    close_it();

    open_it(SAVER_MP4);
    begin(true);
    send_of(svac, NULL, 0, true);
    assert_int_equal(w.s.err, GB_EUNSUPPORTED);
    assert_string_equal(w.s.why, "its codec is not known in MP4: ask for ps");
    close_it();
    media_config_unref(g722);
    media_config_unref(svac);
}

/* Broken behind every picture, whatever was written of the sound behind it. */
static void broken_is_as_whole(void **state)
{
    static const enum saver_format formats[] = { SAVER_MP4, SAVER_PS };

    (void)state;
    for (size_t k = 0; k < COUNT(formats); k++) {
        size_t n;
        char *file = whole(formats[k], 40, &n);

        for (unsigned at = 1; at < 20; at++) {
            unsigned from = (at - 1) / GOP * GOP;

            from = from >= GOP ? from - GOP : 0;
            open_it(formats[k]);
            begin(true);
            for (unsigned i = 0; i < at; i++)
                send(i, 0);
            write_out();
            begin(false);
            for (unsigned i = from; i < 40; i++) {
                send(i, from);
                if (i % 3 == 0)
                    write_out();
            }
            write_out();
            if (w.s.err || w.n != n || memcmp(w.file, file, n))
                fail_msg("%zu, broken at %u: %zu bytes of %zu, error %d", k,
                         at, w.n, n, w.s.err);
            close_it();
        }
        free(file);
    }
}

/* Of another process: the pictures are the same, the numbers of fragments rise. */
static void goes_on_from_a_mark(void **state)
{
    struct saver_mark mark;
    size_t n;
    char *file = whole(SAVER_MP4, 40, &n), *half;
    size_t have;

    (void)state;
    open_it(SAVER_MP4);
    begin(true);
    for (unsigned i = 0; i < 13; i++)
        send(i, 0);
    write_out();
    mark = w.s.mark;
    half = w.file;
    have = w.n;
    w.file = NULL;
    close_it();
    open_it(SAVER_MP4);
    w.file = half;
    saver_fini(&w.s);
    saver_init(&w.s, &w.mem.alloc, SAVER_MP4, &mark, 3);
    begin(false);
    assert_true(w.n == mark.bytes && w.n <= have);
    for (unsigned i = 5; i < 40; i++)
        send(i, 5);
    write_out();
    assert_int_equal(w.s.err, 0);
    assert_true(w.n + 16 > n && n + 16 > w.n); /* numbers of sounds differ */
    close_it();
    free(file);
}

static void holds_until_it_is_ready(void **state)
{
    size_t n;

    (void)state;
    open_it(SAVER_MP4);
    saver_restart(&w.s, true);
    for (unsigned i = 0; i < 10; i++)
        send(i, 0);
    assert_null(saver_take(&w.s, &n));
    saver_ready(&w.s);
    send(10, 0);
    write_out();
    assert_true(w.s.mark.at_utc_ms == UTC + 400);
    close_it();
    /* but not for ever */
    open_it(SAVER_MP4);
    saver_restart(&w.s, true);
    for (unsigned i = 0; i <= SAVER_HELD_MAX / 2; i++)
        send(i, 0);
    assert_int_equal(w.s.err, GB_ELIMIT);
    close_it();
}

/* A device that sends as fast as it can is done before the file is open, or before it
 * is known that no sound comes. */
static void all_of_it_is_held(void **state)
{
    size_t n, want;
    char *file = whole(SAVER_MP4, 10, &want);

    (void)state;
    open_it(SAVER_MP4);
    saver_restart(&w.s, true);
    for (unsigned i = 0; i < 10; i++)
        send(i, 0);
    saver_end(&w.s); /* not yet */
    assert_null(saver_take(&w.s, &n));
    saver_ready(&w.s);
    saver_end(&w.s);
    write_out();
    assert_int_equal(w.n, want);
    assert_true(w.n >= want);
    assert_memory_equal(w.file, file, want);
    close_it();
    free(file);

    open_it(SAVER_PS);
    begin(true);
    send_picture(0);
    assert_null(saver_take(&w.s, &n));
    saver_end(&w.s);
    saver_end(&w.s);
    write_out();
    assert_true(w.s.mark.bytes > 0 && w.s.mark.bytes == w.n);
    close_it();
}

/* What the first session had is not in the file, its tracks neither. */
static void a_head_that_was_taken_back(void **state)
{
    (void)state;
    open_it(SAVER_MP4);
    begin(true);
    send(1, 0); /* no key frame */
    write_out();
    assert_true(w.n > 0 && w.s.mark.bytes == 0);
    begin(true);
    send_picture(0);
    saver_end(&w.s);
    write_out();
    assert_true(w.s.mark.bytes > 0);
    assert_int_equal(w.s.tracks, 1u << MEDIA_VIDEO);
    close_it();
}

static void tells_holes(void **state)
{
    (void)state;
    open_it(SAVER_MP4);
    begin(true);
    for (unsigned i = 0; i < 10; i++)
        send(i, 0);
    for (unsigned i = 100; i < 110; i++)
        send(i, 0);
    assert_true(w.s.hole_from_ms == UTC + 9 * 40);
    assert_true(w.s.hole_to_ms == UTC + 100 * 40);
    close_it();
}

static void without_memory(void **state)
{
    (void)state;
    for (unsigned long fail = 1;; fail++) {
        bool ok;

        open_it(SAVER_MP4);
        failing_alloc_init(&w.mem, fail);
        begin(true);
        for (unsigned i = 0; i < 12; i++)
            send(i, 0);
        ok = w.s.err == 0;
        assert_true(ok || w.s.err == GB_ENOMEM);
        write_out();
        close_it();
        if (ok)
            break;
    }
}

/* Sounds whose picture does not come: so many wait, and none is lost. */
static char *sounds_alone(bool early, size_t *bytes)
{
    char *file;

    open_it(SAVER_MP4);
    begin(true);
    send(0, 0);
    for (unsigned i = 1; i < 2 * SAVER_EARLY_MAX + 9; i++) {
        struct media_frame *a = media_frame_new(&gb_alloc_heap, 320);

        a->track = MEDIA_AUDIO;
        a->codec = PS_CODEC_G711A;
        a->early = early;
        a->dts90k = a->pts90k = (int64_t)i * 3600;
        a->duration90k = 3600;
        memset(a->data, (int)(i & 0x7f), 320);
        saver_frame(&w.s, a, w.audio, w.video, true, UTC + i * 40);
        media_frame_unref(a);
        assert_true(w.s.n_early <= SAVER_EARLY_MAX);
    }
    assert_int_equal(w.s.n_early > 0, early);
    send(2 * SAVER_EARLY_MAX + 9, 0);
    write_out();
    assert_int_equal(w.s.err, 0);
    *bytes = w.n;
    file = w.file;
    w.file = NULL;
    close_it();
    return file;
}

static void early_sounds_are_bounded(void **state)
{
    size_t n, m;
    char *early = sounds_alone(true, &n), *late = sounds_alone(false, &m);

    (void)state;
    assert_int_equal(n, m); /* in another order */
    free(early);
    free(late);
}

/* A frame is raw in MP4 and with its ADTS header in a program stream. */
static void aac_of_a_program_stream(void **state)
{
    const struct aac_config lc = { 2, 8, 1 }; /* 16 kHz, mono */
    struct media_frame *a = sound_frame(PS_CODEC_AAC, 64, 3600);
    char asc[2], want[7 + 64];
    struct writer record = writer_of(asc, sizeof(asc)),
                  adts = writer_of(want, sizeof(want));

    (void)state;
    aac_asc_write(&record, &lc);
    aac_adts_write(&adts, &lc, a->n);
    memset(a->data, 0x5a, a->n);
    writer_bytes(&adts, a->data, a->n);
    open_it(SAVER_PS);
    begin(true);
    send(0, 0);
    w.audio->codec = PS_CODEC_AAC;
    w.audio->rate_hz = 16000;
    w.audio->record = writer_slice(&record);
    a->duration90k = 5760;
    saver_frame(&w.s, a, w.audio, w.video, true, UTC + 40);
    w.audio->record = slice_head(w.audio->record, 1); /* it says nothing */
    a->data[0] = 0x77;
    saver_frame(&w.s, a, w.audio, w.video, true, UTC + 80);
    write_out();
    assert_int_equal(w.s.err, 0);
    assert_true(slice_find_slice(slice_of(w.file, w.n), writer_slice(&adts)) <
                w.n);
    assert_null(memchr(w.file, 0x77, w.n));
    media_frame_unref(a);
    close_it();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(aac_of_a_program_stream),
        cmocka_unit_test(another_codec_of_pictures),
        cmocka_unit_test(another_codec_of_sound),
        cmocka_unit_test(another_size),
        cmocka_unit_test(codecs_that_mp4_has_not),
        cmocka_unit_test(broken_is_as_whole),
        cmocka_unit_test(goes_on_from_a_mark),
        cmocka_unit_test(holds_until_it_is_ready),
        cmocka_unit_test(all_of_it_is_held),
        cmocka_unit_test(a_head_that_was_taken_back),
        cmocka_unit_test(tells_holes),
        cmocka_unit_test(early_sounds_are_bounded),
        cmocka_unit_test(without_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
