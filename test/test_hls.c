/* app/media/hls: segments at key frames, and a playlist that keeps its word. */
#include "app/media/hls.h"
#include "test/hub_world.h"

#include <stdio.h>

#define UTC_MS INT64_C(1714521600000) /* 2024-05-01T00:00:00Z */
#define FIRST 1714521600u

struct hls_world {
    struct world w;
    struct hls *hls;
    unsigned grown;
};

static struct hls_world t;
static char text[HLS_PLAYLIST_MAX + 1];

static void on_segment(void *ctx)
{
    (void)ctx;
    t.grown++;
}

static int hls_open(void)
{
    struct gb_time now = { t.w.now_ms, UTC_MS };

    return hls_new(&t.hls, &t.w.mem.alloc, t.w.hub, now, on_segment, NULL);
}

static void open_all(void)
{
    memset(&t, 0, sizeof(t));
    assert_int_equal(world_open(&t.w, NULL, 0), 0);
    assert_int_equal(hls_open(), 0);
}

static void close_all(void)
{
    hls_free(t.hls);
    world_close(&t.w);
}

static const char *playlist(const char *query)
{
    struct writer w = writer_of(text, sizeof(text) - 1);

    hls_playlist_write(t.hls, &w, slice_str(query));
    assert_int_equal(w.err, 0);
    text[w.len] = '\0';
    return text;
}

/* A part as the reader of a viewer sees it. */
static struct edge *read_part(struct hls_part *p)
{
    static struct media_iov v[HLS_SEGMENT_FRAMES * MEDIA_CHUNK_IOVS];
    static uint8_t bytes[1 << 20];
    static struct edge e;
    size_t n;

    assert_non_null(p);
    n = hls_part_iov(p, v, COUNT(v));
    e = (struct edge){ .got = bytes };
    for (size_t i = 0; i < n; i++) {
        assert_true(e.n + v[i].len <= sizeof(bytes));
        memcpy(e.got + e.n, v[i].base, v[i].len);
        e.n += v[i].len;
    }
    assert_int_equal(e.n, p->bytes);
    return &e;
}

/* What RFC 8216 asks of each playlist. */
static void check_rules(void)
{
    unsigned target, i = 0;
    uint64_t sum = 0, number;
    const char *p = playlist("");

    p = strstr(p, "#EXT-X-TARGETDURATION:");
    assert_non_null(p);
    assert_int_equal(sscanf(p, "#EXT-X-TARGETDURATION:%u", &target), 1);
    p = strstr(text, "#EXT-X-MEDIA-SEQUENCE:");
    assert_non_null(p);
    number = strtoull(p + 22, NULL, 10);
    assert_non_null(strstr(text, "#EXT-X-MAP:"));
    for (p = text; (p = strstr(p, "#EXTINF:")) != NULL; p++, i++) {
        unsigned s, ms;
        char url[64];

        assert_int_equal(sscanf(p, "#EXTINF:%u.%u,\n%63s", &s, &ms, url), 3);
        assert_true(s + (ms >= 500) <= target);
        sum += s * 1000 + ms;
        assert_int_equal(strtoull(url + 4, NULL, 10), number + i);
        assert_non_null(hls_segment(t.hls, number + i));
    }
    assert_true(i > 0);
    if (number > FIRST + 10 && hls_bytes(t.hls) < HLS_RING_BYTES / 2)
        assert_true(sum >= 3000 * target);
}

static void three_seconds(void **state)
{
    (void)state;
    open_all();
    assert_false(hls_is_ready(t.hls));
    for (int i = 0; i < 3; i++)
        gop(&t.w, 25);
    assert_true(hls_is_ready(t.hls));
    assert_int_equal(t.grown, 2);
    gop(&t.w, 1);
    assert_string_equal(
        playlist("stream=sub&t=abc"),
        "#EXTM3U\n"
        "#EXT-X-VERSION:7\n"
        "#EXT-X-TARGETDURATION:2\n"
        "#EXT-X-MEDIA-SEQUENCE:1714521600\n"
        "#EXT-X-INDEPENDENT-SEGMENTS\n"
        "#EXT-X-MAP:URI=\"init_1.mp4?stream=sub&t=abc\"\n"
        "#EXT-X-PROGRAM-DATE-TIME:2024-05-01T00:00:00.000Z\n"
        "#EXTINF:1.000,\n"
        "seg_1714521600.m4s?stream=sub&t=abc\n"
        "#EXT-X-PROGRAM-DATE-TIME:2024-05-01T00:00:01.000Z\n"
        "#EXTINF:1.000,\n"
        "seg_1714521601.m4s?stream=sub&t=abc\n"
        "#EXT-X-PROGRAM-DATE-TIME:2024-05-01T00:00:02.000Z\n"
        "#EXTINF:1.000,\n"
        "seg_1714521602.m4s?stream=sub&t=abc\n");
    assert_string_equal(story_fmp4(read_part(hls_init(t.hls, 1))), "I");
    assert_string_equal(story_fmp4(read_part(hls_segment(t.hls, FIRST + 1))),
                        repeat("K", 'p', 24));
    assert_null(hls_segment(t.hls, FIRST + 3));
    assert_null(hls_segment(t.hls, FIRST - 1));
    assert_null(hls_init(t.hls, 2));
    close_all();
}

/* Short groups of pictures share a segment, long ones are cut. */
static void lengths(void **state)
{
    static const struct {
        unsigned pictures, target, per_segment;
        bool independent;
    } cases[] = {
        { 1, 2, 25, true },     { 10, 3, 30, true },
        { 25, 2, 25, true },    { 50, 3, 50, true },
        { 100, 5, 100, true },  { 125, 6, 125, true },
        { 150, 6, 150, true },  { 151, 6, 150, false },
        { 400, 6, 150, false },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        char want[64];

        open_all();
        for (unsigned n = 0; n < 2000; n += cases[i].pictures)
            gop(&t.w, cases[i].pictures);
        check_rules();
        snprintf(want, sizeof(want), "TARGETDURATION:%u\n", cases[i].target);
        if (!strstr(text, want) ||
            !strstr(text, "INDEPENDENT") == cases[i].independent)
            fail_msg("%u pictures: %s", cases[i].pictures, text);
        snprintf(want, sizeof(want), "#EXTINF:%u.%03u",
                 cases[i].per_segment / 25, cases[i].per_segment % 25 * 40);
        if (!strstr(text, want))
            fail_msg("%u pictures: %s", cases[i].pictures, text);
        close_all();
    }
}

/* It begins with the cached pictures, not with the next key frame. */
static void from_the_cache(void **state)
{
    (void)state;
    memset(&t, 0, sizeof(t));
    assert_int_equal(world_open(&t.w, NULL, 0), 0);
    gop(&t.w, 25);
    gop(&t.w, 20);
    assert_int_equal(hls_open(), 0);
    picture(&t.w, false);
    assert_false(hls_is_ready(t.hls));
    for (int i = 0; i < 4; i++)
        picture(&t.w, false);
    gop(&t.w, 1);
    assert_int_equal(t.grown, 1);
    playlist("");
    assert_non_null(strstr(text, "#EXTINF:1.000,"));
    /* of when its pictures came: 20 of them before */
    assert_non_null(strstr(text, ":2024-04-30T23:59:59.200Z"));
    close_all();
}

/* G.711 as FLAC; where it comes late, another initialisation is told of. */
static void sound_late(void **state)
{
    (void)state;
    open_all();
    gop(&t.w, 25);
    gop(&t.w, 5);
    sound(&t.w);
    for (int i = 0; i < 20; i++)
        picture(&t.w, false);
    gop(&t.w, 1);
    playlist("");
    assert_int_equal(text_count(text, "#EXT-X-DISCONTINUITY\n"), 1);
    assert_int_equal(text_count(text, "#EXT-X-MAP"), 2);
    assert_non_null(strstr(text, "#EXT-X-DISCONTINUITY\n"
                                 "#EXT-X-MAP:URI=\"init_2.mp4\"\n"));
    assert_non_null(memmem(read_part(hls_init(t.hls, 2))->got,
                           read_part(hls_init(t.hls, 2))->n, "fLaC", 4));
    assert_non_null(strchr(
        story_fmp4(read_part(hls_segment(t.hls, FIRST + 1))), 's'));
    /* no more sound: nothing changes */
    for (int i = 0; i < 30; i++)
        gop(&t.w, 25);
    playlist("");
    assert_int_equal(text_count(text, "#EXT-X-MAP"), 1);
    assert_non_null(strstr(text, "#EXT-X-DISCONTINUITY-SEQUENCE:1\n"));
    assert_null(hls_init(t.hls, 1));
    close_all();
}

/* A traf: the sum of its sizes, and of its durations. */
static const uint8_t *run_in(const uint8_t *traf, uint32_t track, uint32_t *n,
                             uint32_t *bytes, uint32_t *duration)
{
    const uint8_t *trun = traf + 8 + 16 + 20;

    assert_memory_equal(traf + 4, "traf", 4);
    assert_int_equal(bytes_be32_at(traf + 20), track);
    *n = bytes_be32_at(trun + 12);
    *bytes = *duration = 0;
    for (uint32_t i = 0; i < *n; i++) {
        *duration += bytes_be32_at(trun + 20 + 16 * i);
        *bytes += bytes_be32_at(trun + 24 + 16 * i);
    }
    return trun;
}

/* VLC 3.0.24 plays nothing of a segment in which each sound has a moof of its own,
 * unless the stream has just begun: a segment is one fragment of two runs. */
static void one_fragment(void **state)
{
    uint32_t n[2], bytes[2], duration[2], moof;
    const uint8_t *p, *video, *audio;
    struct edge *e;

    (void)state;
    open_all();
    for (unsigned i = 0; i < 76; i++) {
        picture(&t.w, i % 25 == 0);
        sound(&t.w);
    }
    e = read_part(hls_segment(t.hls, FIRST + 2));
    assert_string_equal(story_fmp4(e), "Kpppppppppppppppppppppppp"
                                       "sssssssssssssssssssssssss");
    p = e->got;
    moof = bytes_be32_at(p);
    video = run_in(p + 24, 1, &n[0], &bytes[0], &duration[0]);
    audio = run_in(p + 24 + bytes_be32_at(p + 24), 2, &n[1], &bytes[1],
                   &duration[1]);
    assert_int_equal(n[0], 25);
    assert_int_equal(n[1], 25);
    assert_int_equal(duration[0], 25 * FRAME90K);
    assert_int_equal(duration[1], 25 * 320);
    assert_memory_equal(p + moof + 4, "mdat", 4);
    assert_int_equal(bytes_be32_at(p + moof), 8 + bytes[0] + bytes[1]);
    assert_int_equal(e->n, moof + 8 + bytes[0] + bytes[1]);
    assert_int_equal(bytes_be32_at(video + 16), moof + 8);
    assert_int_equal(bytes_be32_at(audio + 16), moof + 8 + bytes[0]);
    assert_memory_equal(p + moof + 8 + bytes[0], "\xff\xf9", 2); /* FLAC */
    close_all();
}

/* Pictures that stay away make no segment longer than the playlist has promised. */
static void away(void **state)
{
    (void)state;
    open_all();
    for (unsigned i = 0; i < 4; i++) {
        gop(&t.w, 25);
        t.w.pts90k += i * 2 * 90000;
        t.w.now_ms += i * 2000;
    }
    gop(&t.w, 25);
    check_rules();
    assert_int_equal(text_count(text, "#EXTINF:2.000,\n"), 3);
    close_all();
}

/* The pictures stay away and the sound goes on: what is open has a limit, and when
 * they come again so does the playlist. */
static void sound_goes_on(void **state)
{
    unsigned grown;

    (void)state;
    open_all();
    gop(&t.w, 25);
    gop(&t.w, 25);
    for (unsigned i = 0; i < 2 * HLS_SEGMENT_FRAMES; i++) {
        sound(&t.w);
        t.w.pts90k += FRAME90K;
        t.w.now_ms += 40;
    }
    grown = t.grown;
    gop(&t.w, 25);
    assert_int_equal(t.grown, grown + 1);
    assert_int_equal(hls_segment(t.hls, FIRST + grown)->n_chunks,
                     1 + HLS_SEGMENT_FRAMES);
    gop(&t.w, 25);
    gop(&t.w, 25);
    check_rules();
    close_all();
}

static void another_size(void **state)
{
    static const struct slice other[] = { S(AU_SPS_720), S(AU_PPS),
                                          S(AU_IDR) };
    const struct edge *e;

    (void)state;
    open_all();
    gop(&t.w, 25);
    gop(&t.w, 10); /* cut short by the change */
    hub_au(t.w.hub, au_video(&t.w.au, PS_CODEC_H264, t.w.pts90k, other, 3),
           t.w.now_ms);
    t.w.pts90k += FRAME90K;
    t.w.now_ms += 40;
    for (int i = 0; i < 24; i++)
        picture(&t.w, false);
    hub_au(t.w.hub, au_video(&t.w.au, PS_CODEC_H264, t.w.pts90k, other, 3),
           t.w.now_ms);
    playlist("");
    assert_int_equal(text_count(text, "#EXT-X-DISCONTINUITY\n"), 1);
    assert_non_null(strstr(text, "#EXTINF:0.400,\nseg_1714521601.m4s\n"
                                 "#EXT-X-DISCONTINUITY\n"));
    assert_int_equal(hls_segment(t.hls, FIRST + 2)->n_chunks, 1 + 25);
    for (unsigned i = 0; i < 3; i++) { /* for those who read one init only */
        e = read_part(hls_segment(t.hls, FIRST + i));
        assert_int_equal(count_of(e, SLICE(AU_SPS_720)), i == 2);
        assert_int_equal(count_of(e, SLICE(AU_SPS)), 0);
    }
    close_all();
}

/* For days: what leaves the playlist can be had for as long again, then it is
 * gone, and memory does not grow. */
static void bounded(void **state)
{
    unsigned long live = 0;

    (void)state;
    open_all();
    for (unsigned i = 0; i < 400; i++) {
        uint64_t newest = FIRST + i - 1;

        gop(&t.w, 25);
        if (i < 20)
            continue;
        if (i == 20)
            live = t.w.mem.live;
        assert_true(t.w.mem.live <= live + 30);
        check_rules();
        assert_int_equal(text_count(text, "#EXTINF"), 6);
        assert_non_null(hls_segment(t.hls, newest - 11));
        assert_null(hls_segment(t.hls, newest - 12));
    }
    close_all();
}

/* Pictures of a megabyte: segments are cut by bytes, the ring drops by bytes. */
static void large_pictures(void **state)
{
    static char big[900000];
    const struct slice nal[] = { S(AU_SPS), S(AU_PPS),
                                 { big, sizeof(big) } };

    (void)state;
    memset(big, 0x55, sizeof(big));
    memcpy(big, AU_IDR, 10);
    open_all();
    for (unsigned i = 0; i < 100; i++) {
        hub_au(t.w.hub, i % 25
                   ? au_delta(&t.w.au, t.w.pts90k)
                   : au_video(&t.w.au, PS_CODEC_H264, t.w.pts90k, nal, 3),
               t.w.now_ms);
        t.w.pts90k += FRAME90K;
        t.w.now_ms += 40;
        assert_true(hls_bytes(t.hls) <= HLS_RING_BYTES);
    }
    for (unsigned i = 0; i < 400; i++) {
        hub_au(t.w.hub, au_video(&t.w.au, PS_CODEC_H264, t.w.pts90k, nal, 3),
               t.w.now_ms);
        t.w.pts90k += FRAME90K;
        t.w.now_ms += 40;
        assert_true(hls_bytes(t.hls) <= HLS_RING_BYTES);
    }
    assert_true(hls_bytes(t.hls) > HLS_RING_BYTES / 2);
    check_rules();
    close_all();
}

/* A part that is being sent outlives all else. */
static void parts_outlive(void **state)
{
    struct hls_part *p;

    (void)state;
    open_all();
    gop(&t.w, 25);
    gop(&t.w, 25);
    p = hls_part_ref(hls_segment(t.hls, FIRST));
    hls_free(t.hls);
    t.hls = NULL;
    hub_end(t.w.hub);
    hub_free(t.w.hub);
    t.w.hub = NULL;
    assert_string_equal(story_fmp4(read_part(p)), repeat("K", 'p', 24));
    hls_part_unref(p);
    close_all();
}

static void ends(void **state)
{
    (void)state;
    open_all();
    gop(&t.w, 25);
    gop(&t.w, 10);
    assert_int_equal(t.grown, 1);
    hub_end(t.w.hub);
    assert_true(hls_has_ended(t.hls));
    playlist("");
    assert_int_equal(text_count(text, "#EXTINF"), 2);
    assert_string_equal(text + strlen(text) - 15, "#EXT-X-ENDLIST\n");
    close_all();
}

/* Nothing is lost but segments, and that is told. */
static void no_memory(void **state)
{
    (void)state;
    for (unsigned long at = 1; at < 400; at++) {
        memset(&t, 0, sizeof(t));
        if (world_open(&t.w, NULL, at) == 0 && hls_open() == 0) {
            for (int i = 0; i < 4; i++) {
                gop(&t.w, 25);
                sound(&t.w);
            }
            if (hls_is_ready(t.hls))
                check_rules();
        }
        hls_free(t.hls);
        t.hls = NULL;
        world_close(&t.w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(three_seconds), cmocka_unit_test(lengths),
        cmocka_unit_test(from_the_cache), cmocka_unit_test(sound_late),
        cmocka_unit_test(another_size), cmocka_unit_test(away),
        cmocka_unit_test(sound_goes_on),
        cmocka_unit_test(one_fragment),  cmocka_unit_test(bounded),
        cmocka_unit_test(large_pictures), cmocka_unit_test(parts_outlive),
        cmocka_unit_test(ends),          cmocka_unit_test(no_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
