/* app/media/hub: sound, alone, beside pictures, changing, and its stamps. */
#include "test/hub_world.h"

#include "app/media/hub_int.h"

/* Without audio: 500 ms after the key frame, 2.5 s when it is promised. */
static void audio_rules(void **state)
{
    static const struct {
        const char *name;
        bool promised;
        unsigned first_sound; /* picture before which it begins; 0: never */
        uint64_t starts_ms;   /* after the first key frame */
        bool with_audio;
    } cases[] = {
        { "none promised", false, 0, 520, false },
        { "promised, never there", true, 0, 2520, false },
        { "there at once", true, 1, 40, true },
        { "not promised but there", false, 5, 200, true },
        { "promised, late", true, 25, 1000, true },
        { "too late", false, 25, 520, false },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        static const struct ps_stream s = { .stream_id = 0xc0,
                                            .codec = PS_CODEC_G711A };
        struct world w;
        uint64_t began = 0, key_ms;

        assert_int_equal(world_open(&w, NULL, 0), 0);
        if (cases[i].promised)
            hub_stream(w.hub, &s);
        view(&w, 0, FMP4);
        key_ms = w.now_ms;
        for (unsigned k = 0; k < 80; k++) {
            if (cases[i].first_sound && k >= cases[i].first_sound)
                sound(&w);
            picture(&w, k == 0);
            if (w.edge[0].n && !began)
                began = w.now_ms - 40;
        }
        if (began - key_ms != cases[i].starts_ms)
            fail_msg("%s: after %u ms", cases[i].name,
                     (unsigned)(began - key_ms));
        assert_int_equal(strchr(story_fmp4(&w.edge[0]), 's') != NULL,
                         cases[i].with_audio);
        assert_null(strchr(story_fmp4(&w.edge[0]) + 1, 'I'));
        /* whoever comes later has what is there now */
        view(&w, 1, FMP4);
        assert_int_equal(strchr(story_fmp4(&w.edge[1]), 's') != NULL,
                         cases[i].first_sound != 0);
        view(&w, 2, FMP4_QUIET);
        assert_null(strchr(story_fmp4(&w.edge[2]), 's'));
        world_close(&w);
    }
}

/* The wait ends by the clock when no picture comes. */
static void tick_starts(void **state)
{
    struct world w;

    (void)state;
    assert_int_equal(world_open(&w, NULL, 0), 0);
    assert_true(hub_deadline(w.hub) == GB_NEVER);
    view(&w, 0, FMP4);
    picture(&w, true);
    assert_int_equal(w.edge[0].n, 0);
    while (w.edge[0].n == 0) {
        uint64_t at = hub_deadline(w.hub);

        assert_true(at > w.now_ms - 40 && at < 3000);
        hub_tick(w.hub, w.now_ms = at);
    }
    assert_true(w.now_ms >= 1500 && w.now_ms <= 1500 + HUB_TICK_MS);
    assert_string_equal(story_fmp4(&w.edge[0]), "IK");
    world_close(&w);
}

static void audio_only(void **state)
{
    struct world w;

    (void)state;
    assert_int_equal(world_open(&w, NULL, 0), 0);
    view(&w, 0, FMP4);
    view(&w, 1, FLV);
    for (int i = 0; i < 150; i++) {
        sound(&w);
        w.pts90k += FRAME90K;
        w.now_ms += 40;
    }
    assert_string_equal(story_fmp4(&w.edge[0]), repeat("I", 's', 25));
    assert_string_equal(story_flv(&w.edge[1]), repeat("Hm", 's', 25));
    assert_int_equal(w.sounds_alone, 1);
    gop(&w, 5); /* the picture comes after all: FLV can take it */
    assert_string_equal(story_fmp4(&w.edge[0]), repeat("I", 's', 25));
    assert_string_equal(story_flv(&w.edge[1]) + 27, "cKpppp");
    view(&w, 2, FMP4);
    assert_string_equal(story_fmp4(&w.edge[2]), "IKpppp");
    world_close(&w);
}

/* A sound codec that changes: pictures go on, the new sound begins with the
 * next key frame, for which players are told to start anew. */
static void audio_change(void **state)
{
    static char pcmu[320];
    struct world w;

    (void)state;
    assert_int_equal(world_open(&w, NULL, 0), 0);
    sound(&w);
    view(&w, 0, FMP4);
    gop(&w, 2);
    sound(&w);
    assert_string_equal(story_fmp4(&w.edge[0]), "IKps");
    hub_au(w.hub, au_sound(&w.au, PS_CODEC_G711U, w.pts90k,
                           slice_of(pcmu, sizeof(pcmu))), w.now_ms);
    picture(&w, false);
    assert_string_equal(story_fmp4(&w.edge[0]), "IKpsp");
    view(&w, 1, FMP4);
    assert_int_equal(w.edge[1].v.state, HUB_VIEWER_WAIT_KEY);
    gop(&w, 2);
    hub_au(w.hub, au_sound(&w.au, PS_CODEC_G711U, w.pts90k,
                           slice_of(pcmu, sizeof(pcmu))), w.now_ms);
    assert_string_equal(story_fmp4(&w.edge[0]), "IKpspIKps");
    assert_string_equal(story_fmp4(&w.edge[1]), "IKps");
    world_close(&w);
}

/* Frames cut into pieces of any size give the same bytes. */
static void pieces(void **state)
{
    static const size_t sizes[] = { 0, 1, 2, 3, 7, 13, 40 };

    (void)state;
    for (size_t i = 0; i < COUNT(sizes); i++) {
        struct world w;

        assert_int_equal(world_open(&w, NULL, 0), 0);
        w.au.piece_bytes = sizes[i];
        view(&w, 0, FMP4_QUIET);
        gop(&w, 2);
        assert_int_equal(w.edge[0].n, sizeof(fmp4_init) + sizeof(fmp4_first) +
                                          sizeof(fmp4_second));
        assert_memory_equal(w.edge[0].got + sizeof(fmp4_init), fmp4_first,
                            sizeof(fmp4_first));
        world_close(&w);
    }
}

/* Of AAC at 16 kHz, in two PES. */
static void two_frames(struct world *w, struct slice in, size_t cut)
{
    hub_au(w->hub, au_sound(&w->au, PS_CODEC_AAC, w->pts90k,
                            slice_head(in, cut)), w->now_ms);
    hub_au(w->hub, au_sound(&w->au, PS_CODEC_AAC, w->pts90k,
                            slice_from(in, cut)), w->now_ms);
    w->pts90k += 2 * 5760;
}

/* AAC: split into frames across PES borders; AU headers too. */
static void aac(void **state)
{
    static const char adts[] = "\xff\xf1\x60\x40\x01\x5f\xfc" "abc"
                               "\xff\xf1\x60\x40\x01\x7f\xfc" "defg";
    struct world w;
    struct hub_stats s;

    (void)state;
    assert_int_equal(world_open(&w, NULL, 0), 0);
    view(&w, 0, FLV);
    picture(&w, true);
    for (size_t cut = 0; cut <= sizeof(adts) - 1; cut++) {
        two_frames(&w, slice_of(adts, sizeof(adts) - 1), cut);
        hub_stats(w.hub, w.now_ms, &s);
        assert_int_equal(s.sounds, 2 * (cut + 1));
        assert_int_equal(s.audio, PS_CODEC_AAC);
        assert_int_equal(s.rate_hz, 16000);
    }
    hub_au(w.hub, au_sound(&w.au, PS_CODEC_AAC, w.pts90k,
                           (struct slice)S("\0\x20\0\x18\0\x10" "abcde")),
           w.now_ms);
    hub_stats(w.hub, w.now_ms, &s);
    assert_int_equal(s.sounds, 2 * sizeof(adts) + 2);
    assert_int_equal(s.config_changes, 0);
    world_close(&w);
}

/* LOAS, over the border of two PES too. */
static void loas(void **state)
{
    static const char in[] = "\x56\xe0\x0a\x20\x00\x14\x08\x1f\xe0\x1b\x0b\x13\x18"
                             "\x56\xe0\x06\x82\x32\x32\xb3\x33\x80";
    struct world w;
    struct hub_stats s;

    (void)state;
    assert_int_equal(world_open(&w, NULL, 0), 0);
    view(&w, 0, FLV);
    picture(&w, true);
    for (size_t cut = 0; cut <= sizeof(in) - 1; cut++) {
        two_frames(&w, slice_of(in, sizeof(in) - 1), cut);
    }
    hub_stats(w.hub, w.now_ms, &s);
    assert_int_equal(s.sounds, 2 * sizeof(in));
    assert_int_equal(s.rate_hz, 16000);
    assert_int_equal(s.config_changes, 0);
    world_close(&w);
}

/* AAC without ADTS: what looks like a header in it is none. */
static void false_headers(void **state)
{
    static const char in[] = "\x01\x22\xff\xf1\xec\x40\x01\x5f\xfc" "abcdef";
    struct world w;
    struct hub_stats s;

    (void)state;
    assert_int_equal(world_open(&w, NULL, 0), 0);
    view(&w, 0, FLV);
    picture(&w, true);
    for (size_t i = 0; i < 10; i++)
        hub_au(w.hub, au_sound(&w.au, PS_CODEC_AAC, w.pts90k,
                               (struct slice)S(in)), w.now_ms);
    hub_stats(w.hub, w.now_ms, &s);
    assert_int_equal(s.sounds, 0);
    assert_int_equal(s.rate_hz, 0);
    world_close(&w);
}

static void keep_times(void *ctx, struct media_frame *f,
                       struct media_config *c)
{
    int64_t *at = ctx;

    (void)c;
    if (f->track == MEDIA_AUDIO)
        at[++at[0]] = f->dts90k;
}

/* A stamp belongs to the frame that begins in its PES, also when the frame ends
 * in the next one. */
static void aac_stamps(void **state)
{
    static const char adts[] = "\xff\xf1\x60\x40\x01\x5f\xfc" "abc";
    int64_t at[80] = { 0 };
    struct hub_tap tap = { .on_frame = keep_times, .ctx = at };
    struct world w;
    uint64_t from;

    (void)state;
    assert_int_equal(world_open(&w, NULL, 0), 0);
    hub_tap_add(w.hub, &tap, false);
    from = w.pts90k;
    picture(&w, true);
    /* the second half of one and the first of the next in each PES; after 60
     * frames a second is missing */
    for (uint64_t i = 0; i < 70; i++) {
        char pes[10];

        memcpy(pes, adts + 5, 5);
        memcpy(pes + 5, adts, 5);
        hub_au(w.hub, au_sound(&w.au, PS_CODEC_AAC,
                               from + 5760 * i + (i >= 60 ? 90000 : 0),
                               slice_of(pes, sizeof(pes))), w.now_ms);
    }
    assert_int_equal(at[0], 69);
    for (int64_t i = 0; i < 69; i++)
        assert_int_equal(at[1 + i], 5760 * i + (i >= 60 ? 90000 : 0));
    hub_tap_remove(&tap);
    world_close(&w);
}

/* Sounds beside the first picture, which is known to be whole later: so many wait
 * for it, the others are dropped. */
static void sounds_of_the_first_picture(void **state)
{
    static char pcma[320];
    struct hub_stats s;
    struct world w;

    (void)state;
    assert_int_equal(world_open(&w, NULL, 0), 0);
    for (unsigned i = 0; i < 2 * HUB_EARLY_MAX; i++) {
        struct ps_au au = *au_sound(&w.au, PS_CODEC_G711A, w.pts90k,
                                    slice_of(pcma, sizeof(pcma)));

        au.early = true;
        hub_au(w.hub, &au, w.now_ms);
    }
    hub_stats(w.hub, w.now_ms, &s);
    assert_int_equal(s.sounds, 0);
    assert_int_equal(s.dropped, HUB_EARLY_MAX);
    picture(&w, true);
    hub_stats(w.hub, w.now_ms, &s);
    assert_int_equal(s.sounds, HUB_EARLY_MAX);
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(audio_rules),
        cmocka_unit_test(tick_starts),
        cmocka_unit_test(audio_only),
        cmocka_unit_test(audio_change),
        cmocka_unit_test(pieces),
        cmocka_unit_test(aac),
        cmocka_unit_test(loas),
        cmocka_unit_test(false_headers),
        cmocka_unit_test(aac_stamps),
        cmocka_unit_test(sounds_of_the_first_picture),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
