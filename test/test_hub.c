/* app/media/hub: pictures in, chunks out; caches, changes, losses, limits. */
#include "test/hub_world.h"

#include "app/media/rtpmux.h"

#include "base/writer.h"
#include "ps/annexb.h"

/* What comes out of the hub is, byte for byte, the vector. */
static void bytes(void **state)
{
    struct world w;
    const struct edge *e = &w.edge[0];
    struct media_chunk *snap;

    (void)state;
    assert_int_equal(world_open(&w, NULL, 0), 0);
    assert_int_equal(hub_snapshot(w.hub, &snap), GB_ENOENT);
    view(&w, 0, FMP4_QUIET);
    assert_int_equal(e->v.state, HUB_VIEWER_WAIT_CONFIG);
    gop(&w, 2);
    assert_int_equal(e->v.state, HUB_VIEWER_LIVE);
    assert_int_equal(e->n, sizeof(fmp4_init) + sizeof(fmp4_first) +
                               sizeof(fmp4_second));
    assert_memory_equal(e->got, fmp4_init, sizeof(fmp4_init));
    assert_memory_equal(e->got + sizeof(fmp4_init), fmp4_first,
                        sizeof(fmp4_first));
    assert_memory_equal(e->got + e->n - sizeof(fmp4_second), fmp4_second,
                        sizeof(fmp4_second));
    assert_int_equal(e->v.bytes, e->n);
    assert_int_equal(w.first_keys, 1);
    assert_int_equal(w.configs, 1);
    assert_int_equal(hub_snapshot(w.hub, &snap), 0);
    assert_int_equal(media_chunk_size(snap, MEDIA_PLAIN),
                     sizeof(fmp4_init) + sizeof(fmp4_first));
    media_chunk_unref(snap);
    world_close(&w);
}

static void gop_cache(void **state)
{
    struct world w;
    char mime[HUB_MIME_MAX];

    (void)state;
    assert_int_equal(world_open(&w, NULL, 0), 0);
    gop(&w, 10);
    gop(&w, 20);
    assert_int_equal(view(&w, 0, FMP4), 0); /* audio has been waited for */
    assert_string_equal(story_fmp4(&w.edge[0]), repeat("IK", 'p', 19));
    assert_true(hub_viewer_mime(&w.edge[0].v, mime));
    assert_string_equal(mime, "video/mp4; codecs=\"avc1.42C00A\"");
    assert_int_equal(view(&w, 1, FLV), 0);
    assert_string_equal(story_flv(&w.edge[1]), repeat("HmcK", 'p', 19));
    assert_true(hub_viewer_mime(&w.edge[1].v, mime));
    assert_string_equal(mime, "video/x-flv");
    assert_int_equal(view(&w, 2, (struct hub_viewer_options){
                                     .format = HUB_FMP4, .no_gop = true }), 0);
    picture(&w, false);
    assert_int_equal(w.edge[2].v.state, HUB_VIEWER_WAIT_KEY);
    assert_int_equal(w.edge[2].n, 0);
    gop(&w, 2);
    assert_string_equal(story_fmp4(&w.edge[2]), "IKp");
    assert_string_equal(story_fmp4(&w.edge[0]) + 22, "Kp");
    world_close(&w);
}

/* A recording: whoever comes first begins with its first picture, those after
 * him with the newest key frame. */
static void beginning_is_held(void **state)
{
    static const struct hub_options play = { .history = true,
                                             .history_ms = 60000 };
    struct hub_stats s;
    struct world w;

    (void)state;
    assert_int_equal(world_open(&w, &play, 0), 0);
    for (unsigned i = 0; i < 4; i++)
        gop(&w, 50);
    view(&w, 0, FMP4_QUIET);
    assert_int_equal(strlen(story_fmp4(&w.edge[0])), 1 + 200);
    assert_memory_equal(story_fmp4(&w.edge[0]), "IKp", 3);
    view(&w, 1, FLV_QUIET); /* at the same time */
    assert_int_equal(strlen(story_flv(&w.edge[1])), 3 + 200);
    gop(&w, 2);
    assert_int_equal(strlen(story_fmp4(&w.edge[0])), 1 + 202);
    assert_int_equal(w.edge[0].v.jumps + w.edge[1].v.jumps, 0);
    view(&w, 2, FMP4_QUIET);
    assert_string_equal(story_fmp4(&w.edge[2]), "IKp");
    hub_stats(w.hub, w.now_ms, &s);
    assert_int_equal(s.cached_frames, 2);
    world_close(&w);
}

/* Nobody comes for long: what is kept has a limit; and it begins anew where
 * somebody has asked for another place. */
static void held_no_longer(void **state)
{
    static const struct hub_options play = { .history = true,
                                             .history_ms = 600000 };
    struct hub_stats s;
    struct world w;

    (void)state;
    assert_int_equal(world_open(&w, &play, 0), 0);
    gop(&w, 50);
    hub_pace(w.hub, 1000, 300000);
    w.pts90k += 300 * 90000;
    gop(&w, 20);
    gop(&w, 20);
    hub_stats(w.hub, w.now_ms, &s);
    assert_int_equal(s.cached_frames, 40);
    gop(&w, HUB_HELD_MS / 40 - 40);
    hub_stats(w.hub, w.now_ms, &s);
    assert_int_equal(s.cached_frames, HUB_HELD_MS / 40);
    gop(&w, 5);
    gop(&w, 5);
    hub_stats(w.hub, w.now_ms, &s);
    assert_int_equal(s.cached_frames, 5);
    view(&w, 0, FMP4_QUIET);
    assert_string_equal(story_fmp4(&w.edge[0]), "IKpppp");
    world_close(&w);
}

/* A stream that nobody watches has its pictures once. What a format takes comes
 * with the first who asks for it and goes with the last. */
static void note_16_7_formats_are_made_for_viewers(void **state)
{
    static const enum hub_format formats[] = { HUB_FLV, HUB_FMP4, HUB_TS };
    unsigned long idle;
    struct world w;

    (void)state;
    assert_int_equal(world_open(&w, NULL, 0), 0);
    gop(&w, 10);
    gop(&w, 10);
    idle = w.mem.live;
    for (size_t i = 0; i < COUNT(formats); i++) {
        view(&w, 0, (struct hub_viewer_options){ .format = formats[i],
                                                 .no_audio = true });
        gop(&w, 10);
        assert_true(w.mem.live > idle);
        leave(&w.edge[0]);
        gop(&w, 10);
        if (w.mem.live != idle)
            fail_msg("format %d: %lu blocks, %lu before", formats[i],
                     w.mem.live, idle);
    }
    world_close(&w);
}

static void cache_limits(void **state)
{
    static const struct hub_options limits[] = {
        { .gop_frames = 10 },
        { .gop_ms = 400 },
        { .gop_bytes = 23 + 9 * 10 + 5 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(limits); i++) {
        struct hub_stats s;
        struct world w;

        assert_int_equal(world_open(&w, &limits[i], 0), 0);
        view(&w, 1, FLV_QUIET);
        gop(&w, 10);
        hub_stats(w.hub, w.now_ms, &s);
        assert_int_equal(s.cached_frames, 10);
        picture(&w, false);
        picture(&w, false);
        hub_stats(w.hub, w.now_ms, &s);
        assert_int_equal(s.cached_frames, 0);
        assert_int_equal(s.cached_bytes, 0);
        view(&w, 0, FMP4_QUIET);
        assert_int_equal(w.edge[0].v.state, HUB_VIEWER_WAIT_KEY);
        assert_int_equal(w.want_keys, 1);
        picture(&w, true);
        assert_string_equal(story_fmp4(&w.edge[0]), "IK");
        /* the one who was there missed nothing */
        assert_string_equal(story_flv(&w.edge[1]), "HmcKpppppppppppK");
        world_close(&w);
    }
}

/* The device is invited anew: its first key is told again, what comes before
 * it is of no use, and viewers go on. */
static void reopened(void **state)
{
    struct world w;
    struct hub_stats s;

    (void)state;
    assert_int_equal(world_open(&w, NULL, 0), 0);
    view(&w, 0, FMP4_QUIET);
    gop(&w, 3);
    gop(&w, 3);
    assert_int_equal(w.first_keys, 1);
    hub_reopen(w.hub);
    picture(&w, false);
    picture(&w, false);
    assert_int_equal(w.first_keys, 1);
    hub_stats(w.hub, w.now_ms, &s);
    assert_int_equal(s.dropped, 2);
    gop(&w, 3);
    gop(&w, 3);
    assert_int_equal(w.first_keys, 2);
    hub_stats(w.hub, w.now_ms, &s);
    assert_int_equal(s.first_key_ms, 1000);
    assert_int_equal(w.edge[0].v.state, HUB_VIEWER_LIVE);
    world_close(&w);
}

static void reopened_sound(void **state)
{
    struct world w;

    (void)state;
    assert_int_equal(world_open(&w, NULL, 0), 0);
    for (int i = 0; i < 300; i++) {
        if (i == 150)
            hub_reopen(w.hub);
        sound(&w);
        w.pts90k += FRAME90K;
        w.now_ms += 40;
        if (i == 149 || i == 151 || i == 299)
            assert_int_equal(w.sounds_alone, i < 150 ? 1 : 2);
    }
    world_close(&w);
}

static void config_change(void **state)
{
    static const struct slice other[] = { S(AU_SPS_720), S(AU_PPS),
                                          S(AU_IDR) };
    struct hub_stats s;
    struct world w;

    (void)state;
    assert_int_equal(world_open(&w, NULL, 0), 0);
    view(&w, 0, FMP4_QUIET);
    view(&w, 1, FLV_QUIET);
    gop(&w, 3);
    hub_au(w.hub, au_video(&w.au, PS_CODEC_H264, w.pts90k, other, 3),
           w.now_ms);
    w.pts90k += FRAME90K;
    picture(&w, false);
    assert_string_equal(story_fmp4(&w.edge[0]), "IKppIKp");
    /* where a player reads no second one they are with the pictures, too */
    assert_int_equal(count_of(&w.edge[0], SLICE(AU_SPS)), 1);
    assert_int_equal(count_of(&w.edge[0], SLICE(AU_SPS_720)), 2);
    assert_string_equal(story_flv(&w.edge[1]), "HmcKppcKp");
    view(&w, 2, FMP4_QUIET);
    assert_string_equal(story_fmp4(&w.edge[2]), "IKp");
    hub_stats(w.hub, w.now_ms, &s);
    assert_int_equal(s.width, 1280);
    assert_int_equal(s.config_changes, 1);
    gop(&w, 2); /* and back */
    assert_string_equal(story_fmp4(&w.edge[2]), "IKpIKp");
    hub_stats(w.hub, w.now_ms, &s);
    assert_int_equal(s.width, 64);
    world_close(&w);
}

static void codec_change(void **state)
{
    static const struct slice h265[] = { S(AU_VPS265), S(AU_SPS265),
                                         S(AU_PPS265), S(AU_IDR265) };
    static const struct slice p265[] = { S(AU_P265) };
    struct world w;

    (void)state;
    assert_int_equal(world_open(&w, NULL, 0), 0);
    view(&w, 0, FMP4_QUIET);
    gop(&w, 3);
    hub_au(w.hub, au_video(&w.au, PS_CODEC_H265, w.pts90k, p265, 1), 0);
    hub_au(w.hub, au_video(&w.au, PS_CODEC_H265, w.pts90k, h265, 4), 0);
    w.pts90k += FRAME90K;
    hub_au(w.hub, au_video(&w.au, PS_CODEC_H265, w.pts90k, p265, 1), 0);
    assert_string_equal(story_fmp4(&w.edge[0]), "IKppIKp");
    world_close(&w);
}

/* H.265: leading pictures of the CRA a viewer begins with are left out. */
static void leading(void **state)
{
    static const struct slice cra[] = { S(AU_VPS265), S(AU_SPS265),
                                        S(AU_PPS265), S("\x2a\x01\xaf\x1d") };
    static const struct slice rasl[] = { S("\x12\x01\xd0\x09") };
    static const struct slice trail[] = { S(AU_P265) };
    struct world w;

    (void)state;
    assert_int_equal(world_open(&w, NULL, 0), 0);
    view(&w, 0, FMP4_QUIET);
    for (int i = 0; i < 2; i++) {
        hub_au(w.hub, au_video(&w.au, PS_CODEC_H265, w.pts90k, cra, 4),
               w.now_ms);
        w.pts90k += FRAME90K;
        hub_au(w.hub, au_video(&w.au, PS_CODEC_H265, w.pts90k, rasl, 1),
               w.now_ms);
        w.pts90k += FRAME90K;
        hub_au(w.hub, au_video(&w.au, PS_CODEC_H265, w.pts90k, trail, 1),
               w.now_ms);
        w.pts90k += FRAME90K;
    }
    assert_string_equal(story_fmp4(&w.edge[0]), "IKpKpp");
    world_close(&w);
}

/* A key picture with a unit of a leading one in it is none of these. */
static void leading_inside_a_key(void **state)
{
    static const struct slice odd[] = { S(AU_VPS265), S(AU_SPS265),
                                        S(AU_PPS265), S("\x2a\x01\xaf\x1d"),
                                        S("\x12\x01\xd0\x09") };
    static const struct slice trail[] = { S(AU_P265) };
    struct world w;

    (void)state;
    assert_int_equal(world_open(&w, NULL, 0), 0);
    view(&w, 0, FMP4_QUIET);
    hub_au(w.hub, au_video(&w.au, PS_CODEC_H265, w.pts90k, odd, 5), w.now_ms);
    w.pts90k += FRAME90K;
    hub_au(w.hub, au_video(&w.au, PS_CODEC_H265, w.pts90k, trail, 1), w.now_ms);
    assert_string_equal(story_fmp4(&w.edge[0]), "IKp");
    world_close(&w);
}

/* A transport stream can be joined at the cache; sound that comes late is told
 * before it. */
static void transport_stream(void **state)
{
    struct hub_viewer_options ts = { .format = HUB_TS_G711 };
    struct hub_viewer_options plain = { .format = HUB_TS };
    char mime[HUB_MIME_MAX];
    struct world w;

    (void)state;
    assert_int_equal(world_open(&w, NULL, 0), 0);
    gop(&w, 3);
    w.now_ms += HUB_NO_AUDIO_MS;
    view(&w, 0, ts);
    view(&w, 2, plain);
    assert_true(hub_viewer_mime(&w.edge[0].v, mime));
    assert_string_equal(mime, "video/mp2t");
    sound(&w);
    sound(&w);
    picture(&w, false);
    gop(&w, 2);
    view(&w, 1, ts);
    assert_string_equal(story_ts(&w.edge[0]), "TTKppTsspTKp");
    assert_string_equal(story_ts(&w.edge[1]), "TTKp");
    assert_string_equal(story_ts(&w.edge[2]), "TTKpppTKp");
    world_close(&w);
}

/* Packets: all viewers get the same bytes, whenever they come. */
static void packets(void **state)
{
    struct hub_viewer_options rtp = { .format = HUB_RTP };
    struct hub_options opt = { .rtp_seed = 77, .utc_base_ms = 1000000 };
    struct hub_viewer_options quiet = { .format = HUB_RTP, .no_audio = true };
    struct world w;
    struct edge *e = w.edge;
    size_t same;

    (void)state;
    assert_int_equal(world_open(&w, &opt, 0), 0);
    assert_false(hub_is_decided(w.hub, w.now_ms));
    gop(&w, 3);
    assert_false(hub_is_decided(w.hub, w.now_ms)); /* sound may come */
    sound(&w);
    assert_true(hub_is_decided(w.hub, w.now_ms));
    assert_int_equal(hub_rtp_ssrc(w.hub, MEDIA_VIDEO),
                     rtpmux_ssrc(77, MEDIA_VIDEO));
    view(&w, 0, rtp);
    view(&w, 2, quiet);
    picture(&w, false);
    gop(&w, 2);
    view(&w, 1, rtp);
    picture(&w, false);
    /* its start, and the reports are over for five seconds */
    assert_string_equal(story_rtp(&e[0]), "rrKppspKpp");
    assert_string_equal(story_rtp(&e[2]), "rKpppKpp");
    assert_string_equal(story_rtp(&e[1]), "rrKpp");
    for (same = 0; same < e[1].n && e[0].got[e[0].n - same - 1] ==
                                        e[1].got[e[1].n - same - 1]; same++)
        ;
    assert_true(same > e[1].n - 150); /* all but the reports */
    world_close(&w);
}

/* The only viewer pauses: its clock and its numbers go on where they were
 * (RFC 2326 appendix B), else a player drops what comes as long late. */
static void packets_after_a_pause(void **state)
{
    struct hub_viewer_options rtp = { .format = HUB_RTP };
    struct hub_options opt = { .rtp_seed = 77, .utc_base_ms = 1000000 };
    struct world w;

    (void)state;
    assert_int_equal(world_open(&w, &opt, 0), 0);
    gop(&w, 3);
    sound(&w);
    view(&w, 0, rtp);
    hub_viewer_remove(&w.edge[0].v);
    gop(&w, 2);
    view(&w, 0, rtp);
    picture(&w, false);
    /* one sequence: no '.' between what came before and behind */
    assert_string_equal(story_rtp(&w.edge[0]), "rrKppsrrKpp");
    world_close(&w);
}

static void messages(void **state)
{
    struct hub_viewer_options ws = { .format = HUB_FMP4, .framing = MEDIA_WS,
                                     .no_audio = true };
    struct world w;
    struct media_iov v[8];
    size_t want[] = { sizeof(fmp4_init) + 4, sizeof(fmp4_first) + 4,
                      sizeof(fmp4_second) + 2 };

    (void)state;
    assert_int_equal(world_open(&w, NULL, 0), 0);
    gop(&w, 2);
    assert_int_equal(hub_viewer_add(w.hub, &w.edge[0].v, &ws, w.now_ms), 0);
    for (size_t i = 0; i < COUNT(want); i++) {
        size_t n = hub_viewer_next(&w.edge[0].v, v, COUNT(v), true), sum = 0;

        assert_true(hub_viewer_at_boundary(&w.edge[0].v));
        for (size_t k = 0; k < n; k++)
            sum += v[k].len;
        assert_int_equal(sum, want[i]);
        assert_int_equal((uint8_t)v[0].base[0], 0x82);
        hub_viewer_consumed(&w.edge[0].v, 1);
        assert_false(hub_viewer_at_boundary(&w.edge[0].v));
        assert_true(hub_viewer_next(&w.edge[0].v, v, COUNT(v), true) > 0);
        hub_viewer_consumed(&w.edge[0].v, sum - 1);
    }
    assert_int_equal(hub_viewer_next(&w.edge[0].v, v, COUNT(v), true), 0);
    assert_true(hub_viewer_at_boundary(&w.edge[0].v));
    world_close(&w);
}

static void unusable(void **state)
{
    static const struct slice broken[] = { S("\x67\x42"), S("\x68"),
                                           S(AU_IDR) };
    struct world w;
    struct hub_stats s;
    struct ps_au *au;

    (void)state;
    assert_int_equal(world_open(&w, NULL, 0), 0);
    view(&w, 0, FLV_QUIET);
    picture(&w, false); /* before any key frame */
    hub_au(w.hub, au_video(&w.au, PS_CODEC_H264, 0, broken, 3), w.now_ms);
    hub_au(w.hub, au_sound(&w.au, PS_CODEC_G729, 0, (struct slice)S("xx")),
           w.now_ms);
    hub_au(w.hub, au_sound(&w.au, PS_CODEC_SVAC, 0, (struct slice)S("xx")),
           w.now_ms);
    au = au_key(&w.au, 0);
    w.au.nal[2].len = 100000; /* a NAL table that lies */
    hub_au(w.hub, au, w.now_ms);
    hub_stats(w.hub, w.now_ms, &s);
    assert_int_equal(s.dropped, 5);
    assert_int_equal(s.frames, 0);
    assert_int_equal(w.first_keys, 0);
    assert_int_equal(w.edge[0].n, 0);
    assert_true(s.last_frame_age_ms == GB_NEVER);
    world_close(&w);
}

static void loss(void **state)
{
    (void)state;
    for (int freeze = 0; freeze < 2; freeze++) {
        struct hub_options opt = { .freeze_on_loss = freeze };
        struct ps_au *au;
        struct world w;

        assert_int_equal(world_open(&w, &opt, 0), 0);
        view(&w, 0, FMP4_QUIET);
        gop(&w, 2);
        au = au_delta(&w.au, w.pts90k);
        au->discontinuity = true;
        hub_au(w.hub, au, w.now_ms);
        w.pts90k += FRAME90K;
        picture(&w, false);
        gop(&w, 2);
        assert_string_equal(story_fmp4(&w.edge[0]),
                            freeze ? "IKpKp" : "IKpppKp");
        world_close(&w);
    }
}

static void count_frame(void *ctx, struct media_frame *f,
                        struct media_config *c)
{
    unsigned *n = ctx;

    assert_int_equal(f->config_version, c->version);
    n[f->track]++;
}

static void count_end(void *ctx)
{
    ((unsigned *)ctx)[2]++;
}

static void taps(void **state)
{
    unsigned n[3] = { 0 }, late[3] = { 0 };
    struct hub_tap a = { .on_frame = count_frame, .on_end = count_end,
                         .ctx = n };
    struct hub_tap b = { .on_frame = count_frame, .ctx = late };
    struct world w;

    (void)state;
    assert_int_equal(world_open(&w, NULL, 0), 0);
    hub_tap_remove(&a);
    hub_tap_add(w.hub, &a, true);
    gop(&w, 3);
    sound(&w);
    hub_tap_add(w.hub, &b, true);
    gop(&w, 3);
    hub_tap_remove(&b);
    picture(&w, false);
    hub_end(w.hub);
    assert_int_equal(n[MEDIA_VIDEO], 7);
    assert_int_equal(n[MEDIA_AUDIO], 1);
    assert_int_equal(n[2], 1);
    assert_int_equal(late[MEDIA_VIDEO], 6);
    hub_tap_remove(&a);
    world_close(&w);
}

static void figures(void **state)
{
    struct world w;
    struct hub_stats s;

    (void)state;
    assert_int_equal(world_open(&w, NULL, 0), 0);
    view(&w, 0, FMP4);
    for (int i = 0; i < 4; i++)
        gop(&w, 50);
    hub_stats(w.hub, w.now_ms, &s);
    assert_int_equal(s.video, PS_CODEC_H264);
    assert_int_equal(s.width, 64);
    assert_int_equal(s.height, 48);
    assert_true(s.fps > 24.99 && s.fps < 25.01);
    assert_int_equal(s.key_interval_ms, 2000);
    assert_int_equal(s.frames, 200);
    assert_int_equal(s.keys, 4);
    assert_int_equal(s.first_key_ms, 1000);
    assert_int_equal(s.last_frame_age_ms, 40);
    assert_int_equal(s.viewers[HUB_FMP4], 1);
    assert_int_equal(s.viewers[HUB_FLV], 0);
    assert_int_equal(s.cached_frames, 50);
    /* 49 P frames of 10 bytes and a key frame of 23 in two seconds */
    assert_true(s.bitrate > 1900 && s.bitrate < 2200);
    world_close(&w);
}

static void limits(void **state)
{
    struct hub_options opt = { .max_viewers = 2 };
    struct world w;

    (void)state;
    assert_int_equal(world_open(&w, &opt, 0), 0);
    assert_int_equal(view(&w, 0, FLV), 0);
    assert_int_equal(view(&w, 1, FMP4), 0);
    assert_int_equal(view(&w, 2, FLV), GB_ELIMIT);
    leave(&w.edge[0]);
    assert_int_equal(view(&w, 2, FLV), 0);
    world_close(&w);
}

/* The first, second, third ... allocation fails: nothing leaks, nothing that
 * is sent is broken, and with memory back the picture comes back. */
static void no_memory(void **state)
{
    (void)state;
    for (unsigned long at = 1; at < 120; at++) {
        struct media_chunk *snap = NULL;
        struct world w;

        if (world_open(&w, NULL, at)) {
            assert_int_equal(at, 1);
            au_maker_fini(&w.au);
            continue;
        }
        view(&w, 0, FMP4);
        view(&w, 1, FLV);
        for (int i = 0; i < 20; i++) {
            picture(&w, i % 5 == 0);
            sound(&w);
        }
        view(&w, 2, FMP4);
        if (hub_snapshot(w.hub, &snap) == 0)
            media_chunk_unref(snap);
        w.mem.fail_at = 0;
        view(&w, 3, FMP4);
        gop(&w, 20);
        gop(&w, 2);
        story_fmp4(&w.edge[0]);
        story_flv(&w.edge[1]);
        for (unsigned i = 0; i < 4; i++)
            if (w.edge[i].v.hub) /* else its addition was refused */
                assert_int_equal(w.edge[i].v.state, HUB_VIEWER_LIVE);
        assert_non_null(w.edge[3].v.hub);
        world_close(&w);
    }
}

/* The next access unit of an Annex B file: NALs up to the one that begins
 * another picture. */
static size_t next_au(enum ps_codec codec, struct slice *rest,
                      struct slice nal[32])
{
    struct slice after = *rest, one;
    bool vcl = false;
    size_t n = 0;

    while (ps_annexb_next(&after, &one)) {
        const uint8_t *p = (const uint8_t *)one.p;

        if (vcl && ps_nal_begins_au(codec, p, one.n))
            break;
        vcl = vcl || ps_nal_is_vcl(codec, ps_nal_type(codec, p[0]));
        assert_true(n < 32);
        nal[n++] = one;
        *rest = after;
    }
    return n;
}

/* All picture data of the clip is in the fragments: the same NAL units in the
 * same order, each behind its length. */
static void compare_pictures(enum ps_codec codec, struct slice clip,
                             const struct edge *e)
{
    struct slice want;
    size_t off = 0;

    while (off < e->n) {
        uint32_t len = bytes_be32_at(e->got + off);
        size_t at = off + 8, end = off + len;

        off = end;
        if (memcmp(e->got + at - 4, "mdat", 4) != 0)
            continue;
        while (at < end) {
            uint32_t n = bytes_be32_at(e->got + at);

            assert_true(n <= end - at - 4);
            do
                assert_true(ps_annexb_next(&clip, &want));
            while (!ps_nal_is_vcl(codec,
                                  ps_nal_type(codec, (uint8_t)want.p[0])));
            assert_int_equal(n, want.n);
            assert_memory_equal(e->got + at + 4, want.p, n);
            at += 4 + n;
        }
        assert_int_equal(at, end);
    }
    while (ps_annexb_next(&clip, &want))
        assert_false(ps_nal_is_vcl(codec,
                                   ps_nal_type(codec, (uint8_t)want.p[0])));
}

static void clips(void **state)
{
    static const struct {
        const char *path;
        enum ps_codec codec;
        const char *mime;
    } cases[] = {
        { "test/data/clip/clock.h264", PS_CODEC_H264, "codecs=\"avc1.64001" },
        { "test/data/clip/clock.h265", PS_CODEC_H265, "codecs=\"hvc1.1.6.L" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct slice clip = read_file(cases[i].path), rest = clip, nal[32];
        char mime[HUB_MIME_MAX];
        struct hub_stats s;
        struct world w;
        size_t n;

        assert_int_equal(world_open(&w, NULL, 0), 0);
        view(&w, 0, FMP4_QUIET);
        view(&w, 1, FLV_QUIET);
        while ((n = next_au(cases[i].codec, &rest, nal)) > 0) {
            hub_au(w.hub, au_video(&w.au, cases[i].codec, w.pts90k, nal, n),
                   w.now_ms);
            w.pts90k += FRAME90K;
            w.now_ms += 40;
        }
        hub_stats(w.hub, w.now_ms, &s);
        assert_int_equal(s.frames, 250);
        assert_int_equal(s.keys, 10);
        assert_int_equal(s.width, 640);
        assert_int_equal(s.height, 360);
        assert_int_equal(s.key_interval_ms, 1000);
        assert_int_equal(s.dropped + s.config_changes, 0);
        assert_true(hub_viewer_mime(&w.edge[0].v, mime));
        assert_non_null(strstr(mime, cases[i].mime));
        assert_int_equal(strlen(story_fmp4(&w.edge[0])), 251);
        assert_int_equal(strlen(story_flv(&w.edge[1])), 253);
        compare_pictures(cases[i].codec, clip, &w.edge[0]);
        world_close(&w);
        free((void *)(uintptr_t)clip.p);
    }
}

/* Anybody comes, goes, reads, stops at any time. */
static void at_random(void **state)
{
    uint64_t seed = 8;

    (void)state;
    for (int round = 0; round < 60; round++) {
        struct hub_options opt = { .gop_frames = 60, .slow_ms = 500,
                                   .stall_ms = 3000 };
        struct world w;

        assert_int_equal(world_open(&w, &opt, 0), 0);
        for (int i = 0; i < 600; i++) {
            uint64_t r = test_random(&seed);
            struct edge *e = &w.edge[r >> 8 & 15];

            switch (r % 8) {
            case 0:
                if (!e->v.hub && e->v.n_held == 0) {
                    leave(e);
                    e->budget = r >> 16 & 1 ? SIZE_MAX : r >> 20 & 0xfff;
                    view(&w, (unsigned)(r >> 8 & 15),
                         (struct hub_viewer_options){
                             .format = (enum hub_format)((r >> 32) % 3),
                             .no_audio = r >> 36 & 1,
                             .no_gop = r >> 37 & 1 });
                }
                break;
            case 1:
                leave(e);
                break;
            case 2:
                if (e->budget != SIZE_MAX)
                    e->budget += r >> 20 & 0x3ff;
                pump(e);
                break;
            case 3:
                sound(&w);
                break;
            default:
                picture(&w, (r >> 40) % 20 == 0);
            }
        }
        for (size_t i = 0; i < 16; i++) {
            struct edge *e = &w.edge[i];

            if (!e->v.hub)
                continue;
            e->budget = SIZE_MAX;
            pump(e);
            if (e->v.state == HUB_VIEWER_CUT)
                continue;
            if (e->v.opt.format == HUB_FMP4)
                story_fmp4(e);
            else
                story_flv(e);
        }
        world_close(&w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes),
        cmocka_unit_test(gop_cache),
        cmocka_unit_test(beginning_is_held),
        cmocka_unit_test(held_no_longer),
        cmocka_unit_test(note_16_7_formats_are_made_for_viewers),
        cmocka_unit_test(cache_limits),
        cmocka_unit_test(reopened),
        cmocka_unit_test(reopened_sound),
        cmocka_unit_test(config_change),
        cmocka_unit_test(codec_change),
        cmocka_unit_test(leading),
        cmocka_unit_test(leading_inside_a_key),
        cmocka_unit_test(transport_stream),
        cmocka_unit_test(packets),
        cmocka_unit_test(packets_after_a_pause),
        cmocka_unit_test(messages),
        cmocka_unit_test(unusable),
        cmocka_unit_test(loss),
        cmocka_unit_test(taps),
        cmocka_unit_test(figures),
        cmocka_unit_test(limits),
        cmocka_unit_test(no_memory),
        cmocka_unit_test(clips),
        cmocka_unit_test(at_random),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
