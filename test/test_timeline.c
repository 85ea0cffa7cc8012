#include "test/support.h"

#include "app/media/timeline.h"

#define MASK33 (((uint64_t)1 << 33) - 1)

static void differences(void **state)
{
    static const struct {
        uint64_t now, last;
        int64_t want;
    } cases[] = {
        { 3600, 0, 3600 },
        { 1490, 8589932482, 3600 },
        { 8589932482, 1490, -3600 },
        { 3304, 4294967000, 3600 }, /* the device counts in 32 bits */
        { 4294967000, 3304, -3600 },
        { 0, 0, 0 },
        { 0, 900000, -900000 },
        { 1000000000, 0, 1000000000 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        int64_t d = timeline_diff33(cases[i].now, cases[i].last);

        if (d != cases[i].want)
            fail_msg("%zu: %lld", i, (long long)d);
    }
}

/* A device in virtual time. */
struct device {
    struct timeline t;
    uint64_t now_ms;
    struct timeline_out v, a;
    int64_t last[MEDIA_TRACKS];
    bool any[MEDIA_TRACKS];
};

static void device_init(struct device *d)
{
    *d = (struct device){ .now_ms = 5000 };
    timeline_init(&d->t, NULL);
}

static struct timeline_out put(struct device *d, struct timeline_in in)
{
    struct timeline_out out;

    in.now_ms = d->now_ms;
    timeline_next(&d->t, &in, &out);
    if (out.drop)
        return out;
    /* also in whole milliseconds, as FLV has them */
    if (d->any[in.track] && out.dts90k / 90 <= d->last[in.track] / 90)
        fail_msg("track %d: %lld after %lld", in.track,
                 (long long)out.dts90k, (long long)d->last[in.track]);
    assert_true(out.dts90k >= 0);
    assert_true(out.pts90k >= out.dts90k);
    assert_true(out.duration90k > 0);
    d->any[in.track] = true;
    d->last[in.track] = out.dts90k;
    return out;
}

static struct timeline_out video(struct device *d, uint64_t pts90k)
{
    return put(d, (struct timeline_in){ .track = MEDIA_VIDEO, .has_pts = true,
                                        .pts90k = pts90k & MASK33 });
}

/* 320 samples of G.711: 40 ms */
static struct timeline_out audio(struct device *d, uint64_t pts90k)
{
    return put(d, (struct timeline_in){ .track = MEDIA_AUDIO, .has_pts = true,
                                        .pts90k = pts90k & MASK33,
                                        .duration90k = 3600 });
}

static void plain(void **state)
{
    struct device d;

    (void)state;
    device_init(&d);
    for (int64_t i = 0; i < 100; i++) {
        struct timeline_out v = video(&d, 777000 + 3600 * (uint64_t)i);
        struct timeline_out a = audio(&d, 777000 + 3600 * (uint64_t)i + 900);

        assert_true(v.dts90k == 3600 * i && v.pts90k == v.dts90k);
        assert_int_equal(v.duration90k, 3600);
        assert_true(a.dts90k == 3600 * i + 900);
        assert_false(v.new_epoch || a.new_epoch || a.drop);
    }
    assert_int_equal(timeline_frame_time(&d.t), 3600);
}

/* Whatever the device's counter does, out goes on in steps of a frame. */
static void wraps_and_jumps(void **state)
{
    static const struct {
        const char *name;
        uint64_t from;
        uint64_t mask;
        int64_t jump; /* after 50 pictures */
        bool epoch;
    } cases[] = {
        { "33 bit wrap", 8589934592 - 90000, MASK33, 0, false },
        { "32 bit wrap", 4294967296 - 90000, 0xffffffff, 0, false },
        { "restart at 0", 900000000, MASK33, -(900000000 + 180000), true },
        { "clock set back by an hour", 900000000, MASK33, -324000000, true },
        { "clock set ahead by an hour", 900000000, MASK33, 324000000, true },
        { "ahead by 10.1 s", 900000000, MASK33, 909000, true },
        { "back by 0.6 s", 900000000, MASK33, -54000, true },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct device d;
        unsigned epochs_v = 0, epochs_a = 0;

        device_init(&d);
        for (int64_t k = 0; k < 200; k++) {
            uint64_t at = cases[i].from + (uint64_t)(3600 * k) +
                          (uint64_t)(k >= 50 ? cases[i].jump : 0);
            struct timeline_out v = video(&d, at & cases[i].mask), a;

            a = audio(&d, at & cases[i].mask);
            epochs_v += v.new_epoch;
            epochs_a += a.new_epoch;
            if (v.dts90k != 3600 * k)
                fail_msg("%s: picture %d at %lld", cases[i].name, (int)k,
                         (long long)v.dts90k);
            /* sound stays beside the picture */
            if (!a.drop && (a.dts90k - v.dts90k > 18000 ||
                            v.dts90k - a.dts90k > 18000))
                fail_msg("%s: sound is off by %lld", cases[i].name,
                         (long long)(a.dts90k - v.dts90k));
            d.now_ms += 40;
        }
        assert_int_equal(epochs_v, cases[i].epoch);
        assert_true(epochs_a <= 1);
    }
}

static void small_steps_back(void **state)
{
    struct device d;
    int64_t last = -1;

    (void)state;
    device_init(&d);
    for (uint64_t i = 0; i < 300; i++) {
        /* every 60th stamp is 5 ms before the one before it */
        uint64_t at = 3600 * i - (i % 60 == 59 ? 4050 : 0) + 10000;
        struct timeline_out v = video(&d, at);

        assert_false(v.new_epoch);
        assert_true(v.dts90k > last);
        last = v.dts90k;
        if (i % 60 == 59)
            assert_int_equal(v.dts90k, 3600 * (i - 1) + TIMELINE_STEP);
        else
            assert_int_equal(v.dts90k, 3600 * i); /* no lasting harm */
    }
}

static void gap_in_live(void **state)
{
    struct device d;
    struct timeline_out v;

    (void)state;
    device_init(&d);
    for (uint64_t i = 0; i < 30; i++)
        video(&d, 3600 * i);
    v = video(&d, 3600 * 29 + 450000); /* 5 s are missing: they are kept */
    assert_false(v.new_epoch);
    assert_int_equal(v.dts90k, 3600 * 29 + 450000);
}

static void history(void **state)
{
    struct timeline_options opt = { .history = true };
    struct device d;
    struct timeline_out v;

    (void)state;
    device_init(&d);
    timeline_init(&d.t, &opt);
    for (uint64_t i = 0; i < 30; i++)
        video(&d, 3600 * i);
    /* nothing was recorded for an hour, for which no viewer wants to wait */
    v = video(&d, 90000 * 3600);
    assert_true(v.new_epoch);
    assert_int_equal(v.dts90k, 30 * 3600);
    v = video(&d, 500000); /* and a seek back */
    assert_true(v.new_epoch);
    assert_int_equal(v.dts90k, 31 * 3600);
}

/* The device sends eight times as fast: what comes out keeps its pace, without
 * sound, which comes back beside the picture. */
static void scale(void **state)
{
    static const struct {
        int32_t milli;
        int64_t step;
    } cases[] = { { 8000, 450 }, { 2000, 1800 }, { 250, 14400 },
                  { -1000, 3600 } };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct timeline_options opt = { .history = true };
        struct device d;
        uint64_t pts = 0;
        int64_t last = 0;

        device_init(&d);
        timeline_init(&d.t, &opt);
        for (; pts < 90000; pts += 3600) {
            last = video(&d, pts).dts90k;
            audio(&d, pts);
        }
        timeline_set_scale(&d.t, cases[i].milli);
        for (; pts < 180000; pts += 3600) {
            int64_t now = video(&d, pts).dts90k;

            assert_int_equal(now - last, cases[i].step);
            last = now;
            assert_int_equal(audio(&d, pts).drop, true);
        }
        timeline_set_scale(&d.t, 1000);
        for (; pts < 270000; pts += 3600) {
            struct timeline_out a;
            int64_t now = video(&d, pts).dts90k;

            assert_int_equal(now - last, 3600);
            last = now;
            a = audio(&d, pts);
            assert_false(a.drop);
            assert_in_range(a.dts90k, last - 9000, last + 9000);
        }
    }
}

/* Backwards: each key frame stands for the time to the one before it, groups of
 * pictures follow one another; what comes out rises. */
static void backwards(void **state)
{
    struct timeline_options opt = { .history = true };
    struct timeline_in in = { .track = MEDIA_VIDEO, .has_pts = true };
    struct timeline_out out;
    struct device d;
    int64_t last, pts = 0;

    (void)state;
    device_init(&d);
    timeline_init(&d.t, &opt);
    for (; pts <= 20 * 90000; pts += 3600)
        last = video(&d, (uint64_t)pts).dts90k;
    timeline_set_scale(&d.t, -4000);
    for (pts = 18 * 90000; pts > 10 * 90000; pts -= 2 * 90000) {
        in.pts90k = (uint64_t)pts;
        in.alone = pts < 18 * 90000;
        timeline_next(&d.t, &in, &out);
        if (in.alone)
            assert_int_equal(out.dts90k - last, 2 * 90000 / 4);
        assert_true(out.dts90k > last);
        last = out.dts90k;
        assert_true(audio(&d, (uint64_t)pts).drop);
    }
    timeline_set_scale(&d.t, -1000);
    for (int64_t group = 8; group >= 0; group -= 2)
        for (pts = group * 90000; pts < (group + 2) * 90000; pts += 3600) {
            in.pts90k = (uint64_t)pts;
            in.alone = false;
            timeline_next(&d.t, &in, &out);
            assert_in_range(out.dts90k - last, 1, 45000);
            last = out.dts90k;
            assert_true(audio(&d, (uint64_t)pts).drop);
        }
}

/* Stamps that say nothing: arrival takes over. */
static void constant_pts(void **state)
{
    struct device d;
    struct timeline_out v = { 0 };
    int64_t at400 = 0;

    (void)state;
    device_init(&d);
    for (int i = 0; i < 1000; i++) {
        v = video(&d, 1234);
        if (i == 400)
            at400 = v.dts90k;
        d.now_ms += 40 + (uint64_t)(i % 3) * 5 - 5; /* jitter */
    }
    /* 600 pictures of 40 ms, give or take 2 % */
    assert_true(v.dts90k - at400 > 599 * 3600 * 98 / 100);
    assert_true(v.dts90k - at400 < 599 * 3600 * 102 / 100);
}

/* Stamps in milliseconds, or in 1/8000 s: arrival takes over, beside the sound. A
 * network that stands still for long, once, changes nothing. */
static void another_unit(void **state)
{
    static const uint64_t step[] = { 40, 320, 3600 };

    (void)state;
    for (size_t u = 0; u < COUNT(step); u++) {
        struct device d;
        int64_t at150 = 0;
        struct timeline_out v = { 0 }, a = { 0 };

        device_init(&d);
        for (uint64_t i = 0; i < 500; i++) {
            if (i == 30 && step[u] == 3600)
                d.now_ms += 60000;
            v = video(&d, 9000 + step[u] * i);
            a = audio(&d, 9000 + 3600 * i);
            if (i == 150)
                at150 = v.dts90k;
            d.now_ms += 40;
        }
        assert_in_range(v.dts90k - at150, 349 * 3600, 351 * 3600);
        assert_in_range(v.dts90k - a.dts90k + 9000, 0, 18000);
        assert_true(step[u] == 3600 || d.t.track[MEDIA_VIDEO].by_arrival);
        assert_true(step[u] != 3600 || !d.t.track[MEDIA_VIDEO].by_arrival);
    }
}

/* However the network brings them, good stamps are kept. */
static void good_stamps_are_kept(void **state)
{
    static const struct {
        const char *name;
        uint64_t step, behind_ms, jitter_ms; /* behind: of a picture, a while long */
    } cases[] = {
        { "30 a second", 3000, 0, 0 },
        { "30000/1001", 3003, 0, 300 },
        { "one a second", 90000, 0, 900 },
        { "five a second", 18000, 0, 200 },
        { "a link at a tenth of what is needed", 3600, 360, 0 },
        { "the same, at 60 pictures a second", 1500, 150, 0 },
        { "a clock that is slow by a third", 3600, 20, 30 },
    };

    (void)state;
    for (size_t c = 0; c < COUNT(cases); c++) {
        uint64_t seed = 9, sent_ms = 5000;
        struct device d;

        device_init(&d);
        for (uint64_t i = 0; i < 600; i++) {
            struct timeline_out v;

            if (i >= 100 && i < 300) /* and then what has waited comes at once */
                d.now_ms += cases[c].behind_ms;
            sent_ms += cases[c].step / 90;
            if (d.now_ms < sent_ms)
                d.now_ms = sent_ms;
            if (cases[c].jitter_ms)
                d.now_ms += test_random(&seed) % cases[c].jitter_ms;
            v = video(&d, 9000 + cases[c].step * i);
            if (v.dts90k != (int64_t)(cases[c].step * i))
                fail_msg("%s: picture %u at %lld", cases[c].name, (unsigned)i,
                         (long long)v.dts90k);
        }
        assert_false(d.t.track[MEDIA_VIDEO].by_arrival);
    }
}

static void no_pts(void **state)
{
    struct device d;

    (void)state;
    device_init(&d);
    for (uint32_t i = 0; i < 50; i++) { /* RTP stamps only; they wrap */
        struct timeline_out v =
            put(&d, (struct timeline_in){ .track = MEDIA_VIDEO,
                                          .has_rtp = true,
                                          .rtp_ts = 4294900000u + 6000 * i });

        assert_int_equal(v.dts90k, 6000 * i);
    }
    device_init(&d);
    for (uint64_t i = 0; i < 60; i++) { /* every third has a PTS */
        struct timeline_out v =
            put(&d, (struct timeline_in){ .track = MEDIA_VIDEO,
                                          .has_pts = i % 3 == 0,
                                          .pts90k = 5000 + 3600 * i,
                                          .has_rtp = true, .rtp_ts = 7 });

        assert_int_equal(v.dts90k, 3600 * i);
    }
}

/* I P B B P B B ... in decoding order: presentation times go back and forth,
 * decoding times do not, and never lie behind presentation. */
static void b_pictures(void **state)
{
    static const int64_t order[] = { 0, 3, 1, 2 };

    (void)state;
    for (int declared = 0; declared < 2; declared++) {
        struct device d;

        device_init(&d);
        if (declared)
            timeline_set_reorder(&d.t, 1);
        for (int64_t i = 0; i < 240; i++) {
            int64_t pic = i == 0 ? 0 : (i - 1) / 3 * 3 + order[1 + (i - 1) % 3];
            struct timeline_out v = video(&d, (uint64_t)(90000 + 3600 * pic));

            assert_false(v.new_epoch);
            if (declared)
                assert_int_equal(v.pts90k, 3600 * (pic + 1));
            if (i > 30 && v.pts90k - v.dts90k > 4 * 3600)
                fail_msg("picture %d waits %lld", (int)i,
                         (long long)(v.pts90k - v.dts90k));
            /* all offsets to the device's clock are equal again */
            if (i > 30)
                assert_int_equal((v.pts90k - 3600 * pic) % 3600, 0);
        }
    }
}

/* Stamps that step back once a second are wrong where the SPS rules out another
 * order: every picture is shown when it is decoded. */
static void steps_back_are_no_order(void **state)
{
    (void)state;
    for (int declared = -1; declared <= 0; declared++) {
        unsigned shown_later = 0;
        struct device d;

        device_init(&d);
        timeline_set_reorder(&d.t, declared);
        for (uint64_t i = 0; i < 300; i++) {
            uint64_t back = i % 25 == 24 ? 5400 : 0;
            struct timeline_out v = video(&d, 90000 + 3600 * i - back);

            assert_false(v.new_epoch);
            shown_later += v.pts90k != v.dts90k;
        }
        if ((declared == 0) != (shown_later == 0))
            fail_msg("declared %d: %u", declared, shown_later);
    }
}

/* Sound whose PTS repeats for some PES, or is that of the last picture. */
static void quantised_audio(void **state)
{
    struct device d;
    int64_t want = 0;

    (void)state;
    device_init(&d);
    for (uint64_t i = 0; i < 500; i++) {
        struct timeline_out a;

        if (i % 2 == 0)
            video(&d, 3600 * i);
        a = audio(&d, 3600 * (i / 4 * 4)); /* four equal stamps, a jump */
        assert_false(a.drop || a.new_epoch);
        assert_int_equal(a.dts90k, want);
        want += 3600;
    }
}

/* Samples 10 % ahead of their stamps: some sound is dropped, nothing drifts. */
static void fast_audio(void **state)
{
    struct device d;
    unsigned dropped = 0;

    (void)state;
    device_init(&d);
    for (uint64_t i = 0; i < 2000; i++) {
        int64_t at = (int64_t)(3600 * i);
        struct timeline_out a;

        video(&d, 3600 * i);
        a = put(&d, (struct timeline_in){ .track = MEDIA_AUDIO,
                                          .has_pts = true,
                                          .pts90k = 3600 * i,
                                          .duration90k = 3960 });
        dropped += a.drop;
        if (!a.drop && i > 100)
            assert_true(a.dts90k - at <= 18000 + 3960 &&
                        a.dts90k >= at - 18000);
    }
    assert_true(dropped > 150 && dropped < 210);
}

/* Sound is missing for a second: the gap is kept. */
static void audio_gap(void **state)
{
    struct device d;
    struct timeline_out a;

    (void)state;
    device_init(&d);
    for (uint64_t i = 0; i < 100; i++)
        audio(&d, 3600 * i);
    a = audio(&d, 3600 * 100 + 90000);
    assert_false(a.drop);
    assert_int_equal(a.dts90k, 3600 * 100 + 90000);
    assert_int_equal(audio(&d, 3600 * 101 + 90000).dts90k,
                     3600 * 101 + 90000);
    device_init(&d); /* within the first 2 s, too */
    for (uint64_t i = 0; i < 10; i++)
        audio(&d, 3600 * i);
    assert_int_equal(audio(&d, 3600 * 10 + 45000).dts90k, 3600 * 10 + 45000);
}

/* Audio PTS in 1/8000 s, with the same origin, or with one of its own. */
static void audio_in_8000(void **state)
{
    static const uint64_t origins[] = { 0, 12345678 };

    (void)state;
    for (size_t k = 0; k < COUNT(origins); k++) {
        struct device d;

        device_init(&d);
        for (uint64_t i = 0; i < 1000; i++) {
            struct timeline_out v = video(&d, 900000 + 3600 * i), a;

            a = audio(&d, 80000 + 320 * i + origins[k]);
            if (a.drop)
                fail_msg("dropped at %u", (unsigned)i);
            assert_true(a.dts90k - v.dts90k <= 18000 &&
                        v.dts90k - a.dts90k <= 18000);
        }
        assert_true(d.t.track[MEDIA_AUDIO].unit8000);
    }
}

static void start_orders(void **state)
{
    struct device d;

    (void)state;
    device_init(&d); /* sound 300 ms behind: dropped until the picture */
    video(&d, 900000);
    for (uint64_t i = 0; i < 7; i++)
        assert_true(audio(&d, 900000 - 27000 + 3600 * i).drop);
    assert_int_equal(audio(&d, 900000 + 1800).dts90k, 1800);

    device_init(&d); /* sound 300 ms ahead */
    video(&d, 900000);
    assert_int_equal(audio(&d, 927000).dts90k, 27000);

    device_init(&d); /* clocks that have nothing to do with each other */
    video(&d, 900000);
    video(&d, 903600);
    assert_int_equal(audio(&d, 7).dts90k, 3600);

    device_init(&d); /* sound first, and the picture before it */
    audio(&d, 900000);
    assert_int_equal(video(&d, 880000).dts90k, 0);
}

/* The 33 bits wrap between the first picture and the first sound: they are of
 * one clock still. */
static void start_over_a_wrap(void **state)
{
    struct device d;

    (void)state;
    device_init(&d); /* sound from before the wrap is older than the picture */
    video(&d, MASK33 + 1 + 1800);
    assert_true(audio(&d, MASK33 + 1 - 1800).drop);
    assert_int_equal(audio(&d, MASK33 + 1 + 1800).dts90k, 0);

    device_init(&d); /* the picture has wrapped long ago */
    for (uint64_t i = 0; i < 100; i++)
        video(&d, MASK33 + 1 - 90000 + 3600 * i);
    assert_int_equal(audio(&d, 3600 * 70).dts90k, 3600 * 95);
}

/* No input at all makes a track run backwards or stand still. */
static void anything(void **state)
{
    uint64_t seed = 59;

    (void)state;
    for (int round = 0; round < 200; round++) {
        struct timeline_options opt = { .history = round & 1 };
        struct device d;
        uint64_t at = test_random(&seed);

        device_init(&d);
        timeline_init(&d.t, &opt);
        for (int i = 0; i < 1000; i++) {
            uint64_t r = test_random(&seed);
            struct timeline_in in = { .track = r & 1 ? MEDIA_AUDIO
                                                     : MEDIA_VIDEO,
                                      .has_pts = r >> 1 & 7,
                                      .has_rtp = r >> 4 & 1 };

            if ((r >> 8 & 63) == 0)
                at = r >> 16;
            else if ((r >> 8 & 7) == 1)
                at -= r >> 16 & 0x3fff;
            else
                at += r >> 16 & 0x1fff;
            if ((r >> 14 & 127) == 0)
                timeline_set_reorder(&d.t, (int)(r >> 40 & 7) - 1);
            in.pts90k = at & MASK33;
            in.rtp_ts = (uint32_t)at;
            in.duration90k = in.track == MEDIA_AUDIO
                                 ? 1 + (uint32_t)(r >> 50 & 0xfff)
                                 : 0;
            put(&d, in);
            d.now_ms += r >> 32 & 127;
        }
    }
}

/* B pictures that no SPS has declared: found from the stamps on the way, and
 * the times rise all along (I P B B, as x264 with two B pictures sends). */
static void undeclared_b_pictures(void **state)
{
    static const int order[] = { 3, 1, 2 };
    struct device d;
    struct timeline_out v;

    (void)state;
    device_init(&d);
    video(&d, 900000);
    for (unsigned gop = 0; gop < 60; gop++)
        for (size_t i = 0; i < COUNT(order); i++) {
            d.now_ms += 40;
            v = video(&d, 900000 + 3600 * (3 * gop + (unsigned)order[i]));
        }
    assert_int_equal(v.duration90k, 3600); /* and are even in the end */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(differences),
        cmocka_unit_test(plain),
        cmocka_unit_test(wraps_and_jumps),
        cmocka_unit_test(undeclared_b_pictures),
        cmocka_unit_test(small_steps_back),
        cmocka_unit_test(gap_in_live),
        cmocka_unit_test(history),
        cmocka_unit_test(backwards),
        cmocka_unit_test(scale),
        cmocka_unit_test(backwards),
        cmocka_unit_test(constant_pts),
        cmocka_unit_test(another_unit),
        cmocka_unit_test(good_stamps_are_kept),
        cmocka_unit_test(no_pts),
        cmocka_unit_test(b_pictures),
        cmocka_unit_test(steps_back_are_no_order),
        cmocka_unit_test(quantised_audio),
        cmocka_unit_test(fast_audio),
        cmocka_unit_test(audio_gap),
        cmocka_unit_test(audio_in_8000),
        cmocka_unit_test(start_orders),
        cmocka_unit_test(start_over_a_wrap),
        cmocka_unit_test(anything),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
