/* Program streams by a muxer that is not ours, against what that muxer counted:
 * frames and bytes of each elementary stream, however the bytes are cut. */
#include "test/support.h"

#include "ps/demux.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct tally {
    enum ps_codec codec;
    uint64_t frames, bytes;
};

struct counted {
    struct tally video, sound;
    uint64_t bad, keys, last_pts90k;
};

static void on_au(void *ctx, const struct ps_au *au)
{
    struct counted *c = ctx;
    struct tally *t = ps_codec_is_video(au->codec) ? &c->video : &c->sound;

    t->codec = au->codec;
    t->frames++;
    t->bytes += au->bytes;
    c->bad += au->corrupt + au->discontinuity;
    c->keys += t == &c->video && au->key;
    if (t != &c->video)
        return;
    assert_true(au->has_pts && au->pts90k > c->last_pts90k);
    c->last_pts90k = au->pts90k;
}

static void on_hold(void *ctx, void *buf)
{
    (void)ctx;
    (void)buf; /* the file stays in memory */
}

static struct tally index_line(const char **at)
{
    unsigned type = 0;
    unsigned long long frames = 0, bytes = 0;
    int used = 0;

    assert_int_equal(sscanf(*at, "%u %llu %llu\n%n", &type, &frames, &bytes,
                            &used), 3);
    *at += used;
    return (struct tally){ ps_codec_of_type((uint8_t)type), frames, bytes };
}

static void expect_tally(const char *name, size_t step, const char *what,
                         struct tally got, struct tally want)
{
    if (got.codec != want.codec || got.frames != want.frames ||
        got.bytes != want.bytes)
        fail_msg("%s in steps of %zu, %s: %s %llu frames %llu bytes, want %s "
                 "%llu %llu", name, step, what, ps_codec_name(got.codec),
                 (unsigned long long)got.frames, (unsigned long long)got.bytes,
                 ps_codec_name(want.codec), (unsigned long long)want.frames,
                 (unsigned long long)want.bytes);
}

static void run(const char *name, struct slice ps, size_t step, bool packets,
                struct tally video, struct tally sound)
{
    struct counted c = { .video = { 0 } };
    struct ps_hooks hooks = { on_au, NULL, on_hold, on_hold, &c };
    struct ps_demux *d;

    assert_int_equal(ps_demux_new(&d, &gb_alloc_heap, &hooks, NULL), 0);
    for (size_t off = 0; off < ps.n; off += step) {
        struct slice part = slice_head(slice_from(ps, off), step);
        struct ps_feed f = { .buf = (void *)(uintptr_t)ps.p,
                             .packet = packets };

        ps_demux_feed(d, (const uint8_t *)part.p, part.n, &f);
    }
    ps_demux_flush(d, true);
    ps_demux_free(d);
    expect_tally(name, step, "video", c.video, video);
    expect_tally(name, step, "sound", c.sound, sound);
    assert_int_equal(c.bad, 0);
    assert_int_equal(c.keys, 3); /* one a second */
}

static void frames_and_bytes(void **state)
{
    static const char *const names[] = { "h264-pcma", "h265-aac" };
    static const size_t steps[] = { 1, 7, 188, 1400, 4096, 65521, SIZE_MAX / 2 };

    (void)state;
    for (size_t i = 0; i < COUNT(names); i++) {
        char path[80], text[200];
        struct slice ps, idx;
        struct tally video, sound;
        const char *at = text;

        snprintf(path, sizeof(path), "test/data/ps/muxed/%s.ps", names[i]);
        ps = read_file(path);
        snprintf(path, sizeof(path), "test/data/ps/muxed/%s.idx", names[i]);
        idx = read_file(path);
        slice_copy(text, sizeof(text), idx);
        video = index_line(&at);
        sound = index_line(&at);
        assert_int_equal(video.frames, 75);
        for (size_t k = 0; k < COUNT(steps); k++) {
            run(names[i], ps, steps[k], false, video, sound);
            run(names[i], ps, steps[k], true, video, sound);
        }
        free((void *)(uintptr_t)ps.p);
        free((void *)(uintptr_t)idx.p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_and_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
