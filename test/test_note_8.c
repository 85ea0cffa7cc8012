/* Field-notes of group 8: what cameras do to program streams and codecs, by the
 * faults that the simulated one has. */
#include "test/camera_world.h"

#include "app/media/params.h"

#define SECONDS 8

/* A session of one camera; its faults are off in f. */
static struct sender_counters play_with(const struct sender_faults *f,
                                        const struct clip *c,
                                        const struct sound *s, bool tcp)
{
    struct sender_options o = { .clip = c, .sound = s, .tcp = tcp,
                                .faults = *f };
    struct sender_counters sent;

    open_world(tcp);
    play(&o, SECONDS, &sent);
    return sent;
}

static struct hub_stats stats(void)
{
    struct hub_stats st;

    hub_stats(w.hub, w.now_ms, &st);
    return st;
}

static void all_pictures(const struct sender_counters *sent)
{
    assert_int_equal(w.bad, 0);
    assert_int_equal(w.back, 0);
    assert_int_equal(w.good, sent->frames);
}

static void note_8_1_private_streams_are_walked_by_length(void **state)
{
    const struct sender_faults f = { .private_data = true, .zeros = true };

    (void)state;
    for (unsigned k = 0; k < 4; k++) {
        struct sender_counters sent = play_with(&f, &clip[k & 1][0], &sound[0],
                                                k & 2);

        all_pictures(&sent);
        close_world();
    }
}

/* Bits that say nothing are not asked, and no damage ends the process. */
static bool one_in_20(void)
{
    static uint64_t dice = 3;

    return test_random(&dice) % 20 == 0;
}

static void note_8_2_markers_and_loss_do_no_harm(void **state)
{
    const struct sender_faults f = { .bad_scr = true, .pack_stuffing = true,
                                     .pes_stuffing = true };

    (void)state;
    for (unsigned k = 0; k < 2; k++) {
        struct sender_options o = { .clip = &clip[k][0], .sound = &sound[0],
                                    .faults = f };
        struct sender_counters sent = play_with(&f, o.clip, o.sound, false);

        all_pictures(&sent);
        close_world();
        open_world(false);
        w.loses = one_in_20;
        play(&o, 60, &sent);
        assert_true(w.good > sent.frames / 2);
        close_world();
    }
}

/* A unit that never ends is given up at its limit. */
static void note_8_3_a_unit_has_a_limit(void **state)
{
    static uint8_t body[1400];
    static const uint8_t head[14] = { 0, 0, 1, 0xe0, 0, 0, 0x80, 0, 0,
                                      0, 0, 0, 1, 0x41 };
    struct receiver_counters n;
    size_t most = 0;

    (void)state;
    open_world(false);
    memset(body, 0x9a, sizeof(body));
    memcpy(body, "\0\0\1\xba\x44\0\4\0\4\1\0\x5f\x6b\xf8", 14);
    memcpy(body + 14, head, sizeof(head));
    for (uint32_t i = 0; i < 30000; i++) { /* 40 MB */
        uint8_t packet[12 + sizeof(body)];

        rtp_header_put(packet, 96, false, (uint16_t)i, 90000, SSRC);
        memcpy(packet + 12, body, sizeof(body));
        memset(body, 0x9a, 28);
        give(packet, sizeof(packet));
        w.now_ms++;
        if (w.pool.n_live > most)
            most = w.pool.n_live;
    }
    receiver_counters(w.rx, &n);
    assert_true(n.corrupt > 0);
    if (most * SLAB_BYTES > 64u << 20 || heap.peak > 1u << 20)
        fail_msg("%zu slabs, %zu bytes", most, heap.peak);
    close_world();
}

/* Bytes changed, cut and lost at random: it comes back each time. */
static void note_8_4_random_damage(void **state)
{
    uint64_t seed = 11;

    (void)state;
    for (unsigned round = 0; round < 40; round++) {
        struct sender_options o = { .clip = &clip[round & 1][0],
                                    .sound = &sound[0] };
        struct sender_counters sent;
        unsigned before;

        open_world(false);
        begin(&o);
        for (uint64_t end = w.now_ms + 4000; w.now_ms < end; w.now_ms += 5) {
            struct sender_packet p;

            while (sender_next(w.tx, &p, w.now_ms)) {
                uint8_t bytes[2000];
                size_t len = p.head_len + p.n;

                memcpy(bytes, p.head, p.head_len);
                memcpy(bytes + p.head_len, p.payload, p.n);
                if (test_random(&seed) % 8 == 0)
                    bytes[12 + test_random(&seed) % (len - 12)] ^=
                        (uint8_t)test_random(&seed);
                if (test_random(&seed) % 16 == 0)
                    len = 12 + test_random(&seed) % (len - 12);
                if (test_random(&seed) % 16)
                    give(bytes, len);
            }
            receiver_tick(w.rx, w.now_ms);
        }
        before = w.good;
        go_on(&o, 4); /* clean again */
        finish(&sent);
        if (w.good - before < 3 * GOP)
            fail_msg("round %u: %u pictures in 4 s", round, w.good - before);
        close_world();
    }
}

/* Nothing that is wrong with sound stops the picture, and what no viewer can
 * play is left out. */
static void note_8_7_sound_never_stops_the_picture(void **state)
{
    static const enum ps_codec codecs[] = {
        PS_CODEC_AAC, PS_CODEC_G711A, PS_CODEC_G711U, PS_CODEC_G722_1,
        PS_CODEC_G723_1, PS_CODEC_G729, PS_CODEC_SVACA,
    };
    const struct sender_faults none = { 0 };
    const struct sender_faults announced = { .only_announced = true };
    struct sender_counters sent;

    (void)state;
    for (size_t i = 0; i < COUNT(codecs); i++) {
        struct sound s = sound[0];

        if (codecs[i] == PS_CODEC_AAC)
            s = sound[1];
        s.codec = codecs[i];
        sent = play_with(&none, &clip[i & 1][0], &s, false);
        all_pictures(&sent);
        assert_int_equal(w.sounds >= sent.sounds - 1,
                         codecs[i] == PS_CODEC_AAC ||
                             codecs[i] == PS_CODEC_G711A ||
                             codecs[i] == PS_CODEC_G711U);
        close_world();
    }
    sent = play_with(&announced, &clip[0][0], &sound[0], false);
    all_pictures(&sent);
    assert_int_equal(stats().audio, PS_CODEC_UNKNOWN);
    close_world();
}

/* Pictures without parameter sets: a key frame is asked for, and the first one
 * that has them starts the picture. */
static void note_8_8_a_key_frame_is_asked_for(void **state)
{
    struct hub_viewer v = { 0 };
    const struct hub_viewer_options vo = { .format = HUB_FMP4 };
    struct sender_options o = { .clip = &clip[0][0], .sound = &sound[0],
                                .faults = { .sets_late = true } };
    struct sender_counters sent;

    (void)state;
    open_world(false);
    assert_int_equal(hub_viewer_add(w.hub, &v, &vo, w.now_ms), 0);
    play(&o, 5, &sent);
    if (w.want_keys < 2 || w.want_keys > 3)
        fail_msg("asked %u times", w.want_keys);
    assert_int_equal(w.good, sent.frames - 3 * GOP);
    hub_viewer_remove(&v);
    close_world();
}

/* Those of the session before are kept: it plays from its first picture on. */
static void note_8_8_sets_of_the_session_before(void **state)
{
    (void)state;
    for (unsigned codec = 0; codec < 2; codec++) {
        struct sender_options o = { .clip = &clip[codec][0],
                                    .sound = &sound[0] };
        struct sender_counters sent;
        struct kept_sets *k;

        open_world(false);
        play(&o, 2, &sent);
        k = kept_sets_new(&gb_alloc_heap, hub_config(w.hub, MEDIA_VIDEO));
        assert_non_null(k);
        close_world();
        o.faults.sets_late = true;
        open_world(false);
        hub_remember(w.hub, k);
        kept_sets_unref(k);
        play(&o, 5, &sent);
        all_pictures(&sent);
        assert_int_equal(stats().config_changes, 0);
        close_world();
    }
}

static void note_8_9_units_are_cut_by_their_slices(void **state)
{
    const struct sender_faults f[] = {
        { .two_in_pes = true, .marker_never = true, .ts_zero = true },
        { .two_in_pes = true, .no_pts = true, .marker_always = true },
    };

    (void)state;
    for (unsigned k = 0; k < 4; k++) {
        struct sender_counters sent = play_with(&f[k >> 1], &clip[k & 1][0],
                                                &sound[0], false);

        all_pictures(&sent);
        close_world();
    }
}

/* A clock that jumps by a day, or begins anew: the recording is as long as it
 * took. */
static void note_8_10_a_jump_makes_nothing_longer(void **state)
{
    const struct sender_faults f[] = {
        { .clock_jump = true }, { .pts_restart = true }, { .pts32 = true },
        { .clock_jump = true, .no_pts = true },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(f); i++) {
        struct sender_counters sent = play_with(&f[i], &clip[0][0], &sound[0],
                                                false);
        int64_t took = w.last90k[MEDIA_VIDEO];

        all_pictures(&sent);
        if (took < (SECONDS - 1) * 90000 || took > (SECONDS + 1) * 90000)
            fail_msg("%zu: %lld s", i, (long long)took / 90000);
        close_world();
    }
}

/* Two cameras into one session: the second one is nobody. */
static void note_8_11_two_senders_in_one_session(void **state)
{
    struct sender_options o = { .clip = &clip[0][0], .sound = &sound[0] };
    struct sender_options other = { .alloc = &gb_alloc_heap,
                                    .clip = &clip[0][1], .ssrc = SSRC + 7,
                                    .pt = 96 };
    struct sender_counters sent;
    struct sender *second;

    (void)state;
    open_world(false);
    begin(&o);
    go_on(&o, 1);
    assert_int_equal(sender_new(&second, &other, w.now_ms), 0);
    for (unsigned ms = 0; ms < 6000; ms += 40) {
        struct sender_packet p;

        for (unsigned i = 0; i < 8; i++, w.now_ms += 5) {
            while (sender_next(second, &p, w.now_ms))
                give_udp(&p);
            while (sender_next(w.tx, &p, w.now_ms))
                give_udp(&p);
            receiver_tick(w.rx, w.now_ms);
        }
    }
    finish(&sent);
    sender_free(second);
    all_pictures(&sent);
    assert_int_equal(stats().width, 640);
    assert_int_equal(stats().config_changes, 0);
    close_world();
}

static void note_8_12_the_law_is_carried(void **state)
{
    static const enum ps_codec law[] = { PS_CODEC_G711A, PS_CODEC_G711U };

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        const struct sender_faults f = { .no_psm = false };
        struct sound s;
        struct sender_counters sent;

        assert_int_equal(sound_init(&s, law[i], SLICE("")), 0);
        sent = play_with(&f, &clip[0][0], &s, false);
        all_pictures(&sent);
        assert_int_equal(stats().audio, law[i]);
        close_world();
    }
}

/* FF bytes between packs, packets in any order, numbers that wrap. */
static void note_8_13_stuffing_and_order(void **state)
{
    struct sender_options o = {
        .clip = &clip[0][0], .sound = &sound[0], .seed = 9,
        .faults = { .fill = true, .pes_stuffing = true, .small_packets = true,
                    .reorder = 1500 },
    };
    struct sender_counters sent;

    (void)state;
    open_world(false);
    play(&o, 60, &sent); /* 11,000 numbers; test_rtp_queue has the wrap */
    all_pictures(&sent);
    close_world();
}

static void note_8_15_a_key_frame_behind_other_units(void **state)
{
    const struct sender_faults f = { .aud = true, .big_sei = true,
                                     .filler = true };

    (void)state;
    for (unsigned k = 0; k < 2; k++) {
        struct sender_counters sent = play_with(&f, &clip[k][0], &sound[0],
                                                false);

        all_pictures(&sent);
        assert_int_equal(w.keys, SECONDS);
        close_world();
    }
}

/* AAC under type 1C, without ADTS: its configuration is made up. */
static void note_8_16_aac_without_adts(void **state)
{
    const struct sender_faults f = { .aac_headers = true };
    struct sender_counters sent = play_with(&f, &clip[0][0], &sound[1], false);

    (void)state;
    all_pictures(&sent);
    assert_true(w.sounds >= sent.sounds - 1);
    assert_int_equal(stats().audio, PS_CODEC_AAC);
    assert_int_equal(hub_config(w.hub, MEDIA_AUDIO)->record.n, 2);
    close_world();
}

static void note_8_17_no_track_is_invented(void **state)
{
    const struct sender_faults f = { .only_announced = true };
    struct sound silence;
    struct sender_counters sent;

    (void)state;
    assert_int_equal(sound_init(&silence, PS_CODEC_UNKNOWN, SLICE("")), 0);
    for (unsigned i = 0; i < 2; i++) {
        const struct sender_faults none = { 0 };

        sent = play_with(i ? &f : &none, &clip[0][0], &silence, false);
        all_pictures(&sent);
        assert_int_equal(w.sounds, 0);
        assert_int_equal(stats().audio, PS_CODEC_UNKNOWN);
        assert_null(hub_config(w.hub, MEDIA_AUDIO));
        close_world();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(note_8_1_private_streams_are_walked_by_length),
        cmocka_unit_test(note_8_2_markers_and_loss_do_no_harm),
        cmocka_unit_test(note_8_3_a_unit_has_a_limit),
        cmocka_unit_test(note_8_4_random_damage),
        cmocka_unit_test(note_8_7_sound_never_stops_the_picture),
        cmocka_unit_test(note_8_8_a_key_frame_is_asked_for),
        cmocka_unit_test(note_8_8_sets_of_the_session_before),
        cmocka_unit_test(note_8_9_units_are_cut_by_their_slices),
        cmocka_unit_test(note_8_10_a_jump_makes_nothing_longer),
        cmocka_unit_test(note_8_11_two_senders_in_one_session),
        cmocka_unit_test(note_8_12_the_law_is_carried),
        cmocka_unit_test(note_8_13_stuffing_and_order),
        cmocka_unit_test(note_8_15_a_key_frame_behind_other_units),
        cmocka_unit_test(note_8_16_aac_without_adts),
        cmocka_unit_test(note_8_17_no_track_is_invented),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
