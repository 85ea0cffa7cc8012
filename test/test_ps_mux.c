#include "ps/mux.h"

#include "ps/pes.h"
#include "test/ps_record.h"
#include "test/support.h"

#include <stdlib.h>

static char buf[1 << 20];

static void reference_packs(void **state)
{
    struct writer w = writer_of(buf, sizeof(buf));
    struct ps_mux m;
    struct slice audio = slice_from(ps_vector[1], 28), got;

    (void)state;
    assert_int_equal(ps_mux_init(&m, PS_CODEC_H264, PS_CODEC_G711A, 2442400),
                     0);
    ps_mux_video(&m, &w, slice_from(ps_vector[0], 70), 90000, true);
    assert_true(slice_eq(writer_slice(&w), ps_vector[0]));
    w.len = 0;
    /* as in the reference, but for the SCR, which keeps 40 ms ahead */
    ps_mux_audio(&m, &w, audio, 90000);
    got = slice_from(writer_slice(&w), 14);
    assert_true(slice_eq(got, slice_from(ps_vector[1], 14)));
    w.len = 0;
    ps_mux_video(&m, &w, slice_from(ps_vector[2], 28), 93600, false);
    assert_true(slice_eq(writer_slice(&w), ps_vector[2]));
}

static void refused(void **state)
{
    struct writer w = writer_of(buf, sizeof(buf));
    struct ps_mux m;

    (void)state;
    assert_int_equal(ps_mux_init(&m, PS_CODEC_UNKNOWN, PS_CODEC_UNKNOWN, 1),
                     GB_EUNSUPPORTED);
    assert_int_equal(ps_mux_init(&m, PS_CODEC_AAC, PS_CODEC_H264, 1),
                     GB_EUNSUPPORTED);
    assert_int_equal(ps_mux_init(&m, PS_CODEC_H264, PS_CODEC_UNKNOWN, 0), 0);
    assert_int_equal(m.mux_rate, 1); /* 0 is forbidden */
    ps_mux_audio(&m, &w, SLICE("x"), 0);
    assert_int_equal(w.err, GB_EUNSUPPORTED);
    assert_int_equal(w.len, 0);
    w = writer_of(buf, 40);
    ps_mux_video(&m, &w, SLICE("\0\0\0\1\x65\x88"), 0, true);
    assert_int_equal(w.err, GB_ENOMEM);
}

/* The next pack has a map of another version, also where no key frame brings one. */
static void another_codec(void **state)
{
    struct slice avc = SLICE("\0\0\0\1\x41\x88"), got;
    struct writer w = writer_of(buf, sizeof(buf));
    struct ps_map map;
    struct ps_mux m;
    size_t need;

    (void)state;
    assert_int_equal(ps_mux_init(&m, PS_CODEC_H264, PS_CODEC_G711A, 1), 0);
    ps_mux_video(&m, &w, avc, 90000, true);
    for (unsigned i = 0; i < 2; i++) {
        w.len = 0;
        ps_mux_change(&m, i ? PS_CODEC_H265 : PS_CODEC_H264); /* as before */
        ps_mux_video(&m, &w, avc, 93600, false);
        got = slice_from(writer_slice(&w), slice_find_slice(
                             writer_slice(&w), SLICE("\0\0\1\xbc")));
        assert_int_equal(got.n > 0, i);
    }
    assert_int_equal(ps_map_decode(&map, (const uint8_t *)got.p, got.n, &need),
                     0);
    assert_int_equal(map.version, 2);
    assert_int_equal(map.n, 2);
    assert_int_equal(map.entry[0].type, 0x24);
    assert_int_equal(map.entry[1].type, 0x90);
    w.len = 0;
    ps_mux_audio(&m, &w, SLICE("x"), 93600); /* it has been told */
    assert_true(slice_find_slice(writer_slice(&w), SLICE("\0\0\1\xbc")) ==
                w.len);
}

/* Walks one pack; counts what is in it. */
struct seen {
    unsigned packs, systems, maps, pes, with_pts;
    uint64_t scr90k, payload, longest;
};

static struct seen walk(struct slice s)
{
    struct seen seen = { 0 };

    while (s.n) {
        const uint8_t *p = (const uint8_t *)s.p;
        struct ps_pack pack;
        struct ps_pes pes;
        size_t need, n = 6;

        assert_true(s.n >= 6 && p[0] == 0 && p[1] == 0 && p[2] == 1);
        if (p[3] != PS_ID_PACK)
            n += (size_t)p[4] << 8 | p[5];
        switch (p[3]) {
        case PS_ID_PACK:
            assert_int_equal(ps_pack_decode(&pack, p, s.n, &need), 0);
            seen.packs++;
            seen.scr90k = pack.scr90k;
            n = pack.size;
            break;
        case PS_ID_SYSTEM:
            seen.systems++;
            break;
        case PS_ID_MAP:
            seen.maps++;
            break;
        default:
            assert_int_equal(ps_pes_decode(&pes, p, s.n, &need), 0);
            seen.pes++;
            seen.with_pts += pes.has_pts;
            seen.payload += n - pes.size;
            if (pes.length > seen.longest)
                seen.longest = pes.length;
        }
        s = slice_from(s, n);
    }
    return seen;
}

static void large_frames_are_split(void **state)
{
    static const size_t sizes[] = { 0, 1, 65469, 65470, 65471, 130942, 130943,
                                    700000 };
    static char frame[700000];

    (void)state;
    for (size_t i = 0; i < COUNT(sizes); i++) {
        struct writer w = writer_of(buf, ps_mux_bound(sizes[i]));
        struct ps_mux m;
        struct seen seen;

        assert_int_equal(ps_mux_init(&m, PS_CODEC_H265, PS_CODEC_AAC, 1), 0);
        ps_mux_video(&m, &w, slice_of(frame, sizes[i]), 0, true);
        assert_int_equal(w.err, 0);
        seen = walk(writer_slice(&w));
        assert_int_equal(seen.packs, 1);
        assert_int_equal(seen.systems, 1);
        assert_int_equal(seen.maps, 1);
        assert_int_equal(seen.with_pts, 1);
        assert_int_equal(seen.payload, sizes[i]);
        assert_true(seen.longest <= 0xffc6);
    }
}

/* A map with each key frame and with the first pack; without key frames again
 * after two seconds, then each 30 frames; audio alone: each second. */
static void when_maps_are_sent(void **state)
{
    struct ps_mux m;

    (void)state;
    assert_int_equal(ps_mux_init(&m, PS_CODEC_H264, PS_CODEC_G711A, 1), 0);
    for (unsigned i = 0; i < 200; i++) {
        struct writer w = writer_of(buf, sizeof(buf));
        bool want = i == 0 || i == 50 || i == 80 || i == 100 || i == 151 ||
                    i == 181;
        struct seen seen;

        ps_mux_video(&m, &w, SLICE("\0\0\0\1\x41\x9a"), i * 3600, i == 100);
        seen = walk(writer_slice(&w));
        if (seen.maps != want || seen.systems != want)
            fail_msg("frame %u: %u maps", i, seen.maps);
    }
    assert_int_equal(ps_mux_init(&m, PS_CODEC_UNKNOWN, PS_CODEC_G711A, 1), 0);
    for (unsigned i = 0; i < 60; i++) {
        struct writer w = writer_of(buf, sizeof(buf));

        ps_mux_audio(&m, &w, SLICE("\xd5\xd5"), i * 3600);
        if (walk(writer_slice(&w)).maps != (i % 25 == 0))
            fail_msg("block %u", i);
    }
}

/* SCR is never above the PTS, and does not go back unless the PTS does. */
static void scr_stays_behind_pts(void **state)
{
    static const struct {
        uint64_t pts, scr;
        bool audio;
    } cases[] = {
        { 0, 0, false },
        { 3600, 0, false },
        { 7200, 3600, true },
        { 7000, 3600, false }, /* video 200 ticks late */
        { 90000, 86400, false },
        { 3600, 0, false }, /* the source began anew */
        { 0x200000000ull + 3600, 0, false }, /* masked */
        { 0x200000000ull + 7200, 3600, true },
    };
    struct ps_mux m;

    (void)state;
    assert_int_equal(ps_mux_init(&m, PS_CODEC_H264, PS_CODEC_G711A, 1), 0);
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct writer w = writer_of(buf, sizeof(buf));
        struct seen seen;

        if (cases[i].audio)
            ps_mux_audio(&m, &w, SLICE("\xd5"), cases[i].pts);
        else
            ps_mux_video(&m, &w, SLICE("\0\0\0\1\x41"), cases[i].pts, false);
        seen = walk(writer_slice(&w));
        if (seen.scr90k != cases[i].scr)
            fail_msg("%zu: scr %llu", i, (unsigned long long)seen.scr90k);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reference_packs),
        cmocka_unit_test(refused), cmocka_unit_test(another_codec),
        cmocka_unit_test(large_frames_are_split),
        cmocka_unit_test(when_maps_are_sent),
        cmocka_unit_test(scr_stays_behind_pts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
