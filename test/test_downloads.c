/* Downloads in virtual time: what they ask for, where they go on, when they give
 * up, what they say of it. */
#include "test/download_rig.h"

/* ---- as it should be ---- */

static void one_file_of_the_device(void **state)
{
    struct sim_device *d = recorder(1);
    uint64_t id = order(T0, T0 + HALF);
    struct platform_download j;

    (void)state;
    sim_run(&s, 5000);
    j = job(id);
    expect_state(j, PLATFORM_DOWNLOAD_RUNNING);
    assert_true(j.session != 0);
    assert_true(j.covered_ms > 0 && j.covered_ms < j.total_ms);
    assert_int_equal(j.total_ms, (HALF - 1) * 1000);
    assert_true(text_has(d->last_sdp, "s=Download\r\n"));
    assert_true(text_has(d->last_sdp, "t=1700000000 1700001799\r\n"));
    assert_true(text_has(d->last_sdp, "a=downloadspeed:4\r\n"));
    assert_true(text_has(d->last_sdp, "TCP/RTP/AVP")); /* nothing may be lost */
    j = until_over(id, 100);
    expect_state(j, PLATFORM_DOWNLOAD_DONE);
    assert_true(j.has_file);
    assert_int_equal(j.sessions, 1);
    assert_int_equal(j.covered_ms, j.total_ms);
    assert_int_equal(j.n_parts, 1);
    assert_int_equal(n_gaps(id), 1); /* its last second */
    assert_true(sim_file_of(&s, id)->published);
    assert_int_equal(d->invites, 1);
    assert_int_equal(d->byes, 1);
    ends_clean();
}

static void split_by_the_files_of_the_device(void **state)
{
    struct sim_device *d = recorder(4);
    uint64_t id;
    struct platform_download j;

    (void)state;
    d->record[2].from_s += 600; /* ten minutes were not recorded */
    id = order(T0 + 300, T0 + 4 * HALF - 300);
    j = until_over(id, 300);
    expect_state(j, PLATFORM_DOWNLOAD_DONE);
    assert_int_equal(j.n_parts, 4);
    assert_int_equal(j.sessions, 4);
    assert_int_equal(d->invites, 4);
    assert_int_equal(n_gaps(id), 1);
    expect_gap(id, 0, 2 * HALF - 1, 2 * HALF + 600, PLATFORM_GAP_NOT_RECORDED);
    ends_clean();
}

/* ---- progress, field-note 9.5 ---- */

static void note_9_5_progress_and_its_end(void **state)
{
    struct sim_device *d = recorder(1);
    uint64_t id = order(T0, T0 + HALF);
    int64_t before = -1;
    struct platform_download j;

    (void)state;
    d->no_media_status = true; /* silence alone ends it */
    for (j = job(id); !j.is_final; j = job(id)) {
        assert_true(j.covered_ms >= before);
        before = j.covered_ms;
        sim_run(&s, 1000);
    }
    expect_state(j, PLATFORM_DOWNLOAD_DONE);
    assert_int_equal(j.covered_ms, j.total_ms);
    ends_clean();
}

/* BYE with the last packet: where it stood had not been told yet. */
static void note_9_5_bye_is_an_end(void **state)
{
    struct sim_device *d = recorder(1);
    struct platform_download j;

    (void)state;
    d->bye_at_end = true;
    j = until_over(order(T0, T0 + HALF), 100);
    expect_state(j, PLATFORM_DOWNLOAD_DONE);
    assert_int_equal(j.sessions, 1);
    assert_int_equal(j.covered_ms, j.total_ms);
    ends_clean();
}

/* The device has sent all of it and says so, while much of that lies in our
 * sockets: the media loop is late. It is not asked for once more. */
static void what_lies_in_sockets_still_comes(void **state)
{
    (void)state;
    for (int bye = 0; bye < 2; bye++) {
        struct sim_device *d = recorder(1);
        uint64_t id = order(T0, T0 + HALF);
        struct platform_download j;
        struct sim_stream *st;
        char status[400];

        sim_run(&s, 6000);
        st = sim_stream_of(&s, job(id).session);
        assert_non_null(st);
        st->next_ms = st->alive_ms = GB_NEVER;
        snprintf(status, sizeof(status),
                 "<?xml version=\"1.0\"?>\r\n<Notify>\r\n"
                 "<CmdType>MediaStatus</CmdType>\r\n<SN>7</SN>\r\n"
                 "<DeviceID>%s</DeviceID>\r\n<NotifyType>121</NotifyType>\r\n"
                 "</Notify>\r\n", channel);
        if (bye)
            sim_bye(d);
        else
            sim_message_in(d, status);
        sim_run(&s, 4000);
        d->no_media_status = true;
        st->alive_ms = s.now.mono_ms; /* it looks at its clock first */
        sim_run(&s, 0);
        st->next_ms = s.now.mono_ms + 100;
        j = until_over(id, 100);
        expect_state(j, PLATFORM_DOWNLOAD_DONE);
        assert_int_equal(j.sessions, 1);
        assert_int_equal(d->invites, 1);
        assert_int_equal(j.covered_ms, j.total_ms);
        ends_clean();
    }
}

/* The device says that it was all, far from the end: the rest is asked for once
 * more, and is a gap when nothing comes of it; field-note 9.4. */
static void note_9_4_the_rest_is_asked_for(void **state)
{
    struct sim_device *d = recorder(1);
    uint64_t id = order(T0, T0 + HALF);
    struct platform_download j;
    char status[400];

    (void)state;
    sim_run(&s, 6000);
    j = job(id);
    assert_int_equal(j.state, PLATFORM_DOWNLOAD_RUNNING);
    snprintf(status, sizeof(status),
             "<?xml version=\"1.0\"?>\r\n<Notify>\r\n"
             "<CmdType>MediaStatus</CmdType>\r\n<SN>7</SN>\r\n"
             "<DeviceID>%s</DeviceID>\r\n<NotifyType>121</NotifyType>\r\n"
             "</Notify>\r\n", channel);
    sim_stream_of(&s, j.session)->next_ms = GB_NEVER;
    sim_message_in(d, status);
    j = until_over(id, 100);
    expect_state(j, PLATFORM_DOWNLOAD_DONE);
    assert_int_equal(d->invites, 2);
    assert_int_equal(j.covered_ms, j.total_ms);
    ends_clean();
}

/* ---- broken sessions ---- */

static void goes_on_where_it_broke(void **state)
{
    struct sim_device *d = recorder(1);
    uint64_t id = order(T0, T0 + HALF), from;
    struct platform_download j;
    struct sim_file *f;

    (void)state;
    d->break_after_ms = 500000;
    d->break_times = 1;
    while (d->invites < 2)
        sim_run(&s, 1000);
    f = sim_file_of(&s, id);
    assert_true(f->begun.at_utc_ms == (int64_t)(T0 + 500) * 1000);
    assert_true(f->begun.bytes > 0);
    from = T0 + 500 - 2; /* a little before: it begins with a key frame */
    {
        char want[64];

        snprintf(want, sizeof(want), "t=%llu ", (unsigned long long)from);
        assert_true(text_has(d->last_sdp, want));
    }
    j = until_over(id, 200);
    expect_state(j, PLATFORM_DOWNLOAD_DONE);
    assert_int_equal(j.sessions, 2);
    ends_clean();
}

/* Pauses grow, and what brings nothing is given up in the end. */
static void gives_up(void **state)
{
    struct sim_device *d = recorder(2);
    uint64_t id = order(T0, T0 + 2 * HALF), begun = s.now.mono_ms;
    struct platform_download j;

    (void)state;
    d->media = SIM_NOTHING;
    j = until_over(id, 3000);
    expect_state(j, PLATFORM_DOWNLOAD_FAILED);
    assert_false(j.has_file);
    assert_true(j.evidence.n > 0);
    assert_int_equal(j.sessions, 2 * PLATFORM_DOWNLOAD_TRIES);
    assert_true(s.now.mono_ms - begun > 2 * (2 + 4 + 8 + 16 + 32) * 1000);
    assert_int_equal(n_gaps(id), 3); /* and the last second of all */
    expect_gap(id, 0, 0, HALF, PLATFORM_GAP_LOST);
    expect_gap(id, 1, HALF, 2 * HALF - 1, PLATFORM_GAP_LOST);
    ends_clean();
}

static void part_of_it_is_lost(void **state)
{
    struct sim_device *d = recorder(2);
    uint64_t id = order(T0, T0 + 2 * HALF);
    struct platform_download j;

    (void)state;
    d->break_after_ms = 700000;
    d->break_times = 1;
    while (d->break_times)
        sim_run(&s, 1000);
    d->media = SIM_NOTHING;
    while (job(id).n_parts_done == 0)
        sim_run(&s, 1000);
    d->media = SIM_PICTURE;
    j = until_over(id, 3000);
    expect_state(j, PLATFORM_DOWNLOAD_PARTIAL);
    assert_true(j.has_file);
    expect_gap(id, 0, 700, HALF, PLATFORM_GAP_LOST);
    ends_clean();
}

/* ---- what it waits for ---- */

static void the_device_is_offline(void **state)
{
    struct sim_device *d = recorder(1);
    uint64_t id;
    struct platform_download j;

    (void)state;
    sim_unregister(d);
    sim_run(&s, 1000);
    id = order(T0, T0 + HALF);
    sim_run(&s, 200000);
    j = job(id);
    expect_state(j, PLATFORM_DOWNLOAD_QUEUED);
    assert_true(text_has(j.evidence.p, "offline"));
    sim_register(d);
    expect_state(until_over(id, 60), PLATFORM_DOWNLOAD_DONE);
    ends_clean();
}

static void the_device_goes_offline(void **state)
{
    struct sim_device *d = recorder(1);
    uint64_t id = order(T0, T0 + HALF);
    struct platform_download j;

    (void)state;
    sim_run(&s, 6000);
    assert_int_equal(job(id).state, PLATFORM_DOWNLOAD_RUNNING);
    sim_unregister(d);
    sim_run(&s, 60000);
    expect_state(job(id), PLATFORM_DOWNLOAD_QUEUED);
    sim_register(d);
    j = until_over(id, 100);
    expect_state(j, PLATFORM_DOWNLOAD_DONE);
    assert_int_equal(j.covered_ms, j.total_ms);
    ends_clean();
}

/* The third of three gets 486: it waits for one of the others, and no other one
 * is tried meanwhile; field-note 9.12. */
static void note_9_12_as_many_as_the_device_takes(void **state)
{
    struct sim_device *d = recorder(1);
    uint64_t id[3];
    unsigned invites;

    (void)state;
    d->send_rate = 10;
    id[0] = order(T0, T0 + HALF);
    id[1] = order(T0, T0 + HALF - 10);
    sim_run(&s, 8000);
    assert_int_equal(d->invites, 2);
    d->invite = SIM_REFUSE;
    d->refuse_status = 486;
    d->refuse_times = 2; /* the second one follows the BYE for old dialogs */
    id[2] = order(T0, T0 + HALF - 20);
    sim_run(&s, 10000);
    expect_state(job(id[2]), PLATFORM_DOWNLOAD_QUEUED);
    assert_true(text_has(job(id[2]).evidence.p, "486") ||
                text_has(job(id[2]).evidence.p, "no more recordings"));
    assert_int_equal(job(id[2]).tries, 0);
    invites = d->invites;
    sim_run(&s, 100000);
    assert_int_equal(d->invites, invites);
    assert_true(text_has(job(id[2]).evidence.p, "no more recordings"));
    for (unsigned i = 0; i < 3; i++)
        expect_state(until_over(id[i], 600), PLATFORM_DOWNLOAD_DONE);
    ends_clean();
}

static void the_disk_is_full(void **state)
{
    struct sim_device *d = recorder(1);
    uint64_t id = order(T0, T0 + HALF);
    struct platform_download j;

    (void)state;
    sim_run(&s, 6000);
    s.file_err = GB_ELIMIT;
    sim_run(&s, 100000);
    j = job(id);
    expect_state(j, PLATFORM_DOWNLOAD_QUEUED);
    assert_true(text_has(j.evidence.p, "cannot be written"));
    assert_int_equal(j.tries, 0);
    s.file_err = 0;
    j = until_over(id, 200);
    expect_state(j, PLATFORM_DOWNLOAD_DONE);
    assert_int_equal(j.covered_ms, j.total_ms);
    assert_true(d->invites >= 2);
    ends_clean();
}

/* What may be used of it is: the one that runs stops, the others do not begin; when
 * there is room, they go on. */
static void the_room_is_used_up(void **state)
{
    const struct sim_options o = { .config = { .auto_enrol = true,
                                               .download_bytes = 900000 } };
    struct sim_device *d = recorder_of(2, &o);
    uint64_t id[2] = { order(T0, T0 + HALF / 3) };
    struct platform_download j;
    unsigned invites;

    (void)state;
    expect_state(until_over(id[0], 100), PLATFORM_DOWNLOAD_DONE);
    id[1] = order(T0 + HALF / 3, T0 + 2 * HALF / 3);
    sim_run(&s, 30000);
    j = job(id[1]);
    expect_state(j, PLATFORM_DOWNLOAD_QUEUED);
    assert_true(text_has(j.evidence.p, "the room for downloads is used up"));
    assert_int_equal(j.session, 0);
    assert_int_equal(j.tries, 0);
    assert_true(j.covered_ms > 0); /* it had begun */
    assert_int_equal(d->byes, d->invites);
    invites = d->invites;
    sim_run(&s, 300000);
    assert_int_equal(d->invites, invites);
    assert_int_equal(platform_download_cancel(s.p, id[0], s.now), 0);
    expect_state(until_over(id[1], 200), PLATFORM_DOWNLOAD_DONE);
    ends_clean();
}

static void the_file_cannot_be_finished(void **state)
{
    uint64_t id;
    struct platform_download j;

    (void)state;
    recorder(1);
    id = order(T0, T0 + HALF);
    s.filing_err = GB_EIO;
    j = until_over(id, 200);
    expect_state(j, PLATFORM_DOWNLOAD_FAILED);
    assert_false(j.has_file);
    assert_true(text_has(j.evidence.p,
                         "the file could not be finished: no space left"));
    ends_clean();
}

/* The oldest that is over goes, with its file; who waits is never sent away. */
static void only_so_many_are_remembered(void **state)
{
    uint64_t first, id = 0;
    struct platform_download_order o;
    struct platform_download j;
    struct sim_device *d;

    (void)state;
    recorder(1);
    first = order(T0 - HALF, T0 - 1);
    for (unsigned i = 1; i < PLATFORM_DOWNLOADS_MAX; i++)
        expect_state(until_over(order(T0 - HALF, T0 - 1), 100),
                     PLATFORM_DOWNLOAD_FAILED);
    assert_true(job(first).is_final);
    assert_int_equal(s.actions[PLATFORM_DOWNLOAD_GONE], 0);
    order(T0 - HALF, T0 - 1);
    sim_run(&s, 1000);
    assert_false(platform_download_view(s.p, first, &j));
    assert_int_equal(s.actions[PLATFORM_DOWNLOAD_GONE], 1);
    ends_clean();

    d = recorder(0);
    sim_unregister(d);
    sim_run(&s, 1000);
    o = (struct platform_download_order){ .device = slice_str(nvr),
                                          .channel = slice_str(channel),
                                          .start_s = T0, .stop_s = T0 + 60 };
    for (unsigned i = 0; i < 2 * PLATFORM_DOWNLOADS_MAX; i++)
        assert_int_equal(platform_download_start(s.p, &o, s.now, &id), 0);
    assert_int_equal(platform_download_start(s.p, &o, s.now, &id), GB_ELIMIT);
    sim_run(&s, 1000);
    assert_int_equal(s.actions[PLATFORM_DOWNLOAD_GONE], 0);
    ends_clean();
}

/* Somebody has removed the file: all of it is fetched again. */
static void the_file_is_gone(void **state)
{
    struct sim_device *d = recorder(1);
    uint64_t id = order(T0, T0 + HALF);
    struct platform_download j;
    unsigned before;

    (void)state;
    sim_run(&s, 6000);
    assert_true(job(id).covered_ms > 0);
    before = d->invites;
    s.file_err = GB_ENOENT;
    for (int i = 0; i < 100 && job(id).covered_ms; i++)
        sim_run(&s, 100);
    assert_int_equal(job(id).covered_ms, 0);
    assert_true(text_has(job(id).evidence.p, "cannot be written"));
    s.file_err = 0;
    j = until_over(id, 300);
    expect_state(j, PLATFORM_DOWNLOAD_DONE);
    assert_int_equal(j.covered_ms, j.total_ms);
    assert_int_equal(d->invites, before + 1);
    ends_clean();
}

/* It cannot be begun anew either, its folder has gone, say: the device is not asked
 * for it without an end. */
static void the_file_stays_gone(void **state)
{
    struct sim_device *d = recorder(2);
    uint64_t id = order(T0, T0 + 2 * HALF);
    struct platform_download j;

    (void)state;
    sim_run(&s, 6000);
    assert_true(job(id).covered_ms > 0);
    s.file_err = GB_ENOENT;
    j = until_over(id, 3000);
    expect_state(j, PLATFORM_DOWNLOAD_FAILED);
    assert_true(text_has(j.evidence.p, "cannot be written"));
    if (d->invites > 1 + 2 * PLATFORM_DOWNLOAD_TRIES)
        fail_msg("%u INVITEs", d->invites);
    s.file_err = 0;
    ends_clean();
}

/* A hole that the edge meets in what comes is told as one, up to so many. */
static void holes_that_are_met(void **state)
{
    uint64_t id;
    struct platform_download_saved r;

    (void)state;
    recorder(1);
    id = order(T0, T0 + HALF);
    sim_run(&s, 5000);
    r = (struct platform_download_saved){ .id = id,
                                          .session = job(id).session,
                                          .mark = sim_file_of(&s, id)->mark };
    for (int64_t i = 0; i < PLATFORM_DOWNLOAD_GAPS + 5; i++) {
        r.gap_from_utc_ms = (int64_t)T0 * 1000 + i * 2000;
        r.gap_to_utc_ms = r.gap_from_utc_ms + 1000;
        platform_download_saved(s.p, &r, s.now);
        if (i == 0)
            expect_gap(id, 0, 0, 1, PLATFORM_GAP_NOT_RECORDED);
    }
    assert_int_equal(n_gaps(id), PLATFORM_DOWNLOAD_GAPS);
    drains_clean();
}

/* ---- what the device says that it has ---- */

static void nothing_is_recorded(void **state)
{
    struct sim_device *d = recorder(1);
    uint64_t id = order(T0 + 10 * HALF, T0 + 11 * HALF);
    struct platform_download j = until_over(id, 100);

    (void)state;
    expect_state(j, PLATFORM_DOWNLOAD_FAILED);
    assert_true(text_has(j.evidence.p, "recorded nothing"));
    assert_int_equal(d->invites, 0);
    ends_clean();
}

static void it_does_not_tell(void **state)
{
    struct sim_device *d = recorder(1);
    uint64_t id;
    struct platform_download j;

    (void)state;
    d->record_mute = true;
    id = order(T0, T0 + HALF);
    j = until_over(id, 300);
    expect_state(j, PLATFORM_DOWNLOAD_DONE);
    assert_int_equal(j.n_parts, 1);
    assert_true(text_has(d->last_sdp, "t=1700000000 1700001800\r\n"));
    ends_clean();
}

/* UNIX times of the offer follow its drift, and not its zone. */
static void note_15_2_the_offer_follows_the_clock(void **state)
{
    struct sim_device *d = recorder(1);
    uint64_t id;

    (void)state;
    d->clock_off_ms = -3600000 + 90000;
    for (unsigned i = 0; i < 1; i++) {
        d->record[i].from_s -= 3510;
        d->record[i].to_s -= 3510;
    }
    id = order(T0, T0 + HALF);
    expect_state(until_over(id, 200), PLATFORM_DOWNLOAD_DONE);
    assert_true(text_has(d->last_sdp, "t=1700000090 1700001889\r\n"));
    ends_clean();
}

/* ---- the end of it ---- */

static void cancelled_in_every_state(void **state)
{
    (void)state;
    for (unsigned ms = 0; ms < 40000; ms += 700) {
        struct sim_device *d = recorder(1);
        uint64_t id = order(T0, T0 + HALF);
        struct platform_download j;

        (void)d;
        sim_run(&s, ms);
        assert_int_equal(platform_download_cancel(s.p, id, s.now), 0);
        assert_int_equal(platform_download_cancel(s.p, id, s.now), GB_ENOENT);
        assert_false(platform_download_view(s.p, id, &j));
        assert_false(platform_download_at(s.p, 0, &j));
        sim_run(&s, 20000);
        assert_int_equal(s.actions[PLATFORM_DOWNLOAD_GONE], 1);
        assert_int_equal(s.files_removed, 1);
        assert_null(sim_file_of(&s, id));
        ends_clean();
    }
}

static void refused_at_once(void **state)
{
    struct platform_download_order o = { .device = slice_str(nvr),
                                         .start_s = T0, .stop_s = T0 + 60 };
    uint64_t id;

    (void)state;
    ready();
    o.channel = SLICE("x y");
    assert_int_equal(platform_download_start(s.p, &o, s.now, &id), GB_ESYNTAX);
    o.channel = slice_str(channel);
    o.speed = 257;
    assert_int_equal(platform_download_start(s.p, &o, s.now, &id), GB_ESYNTAX);
    o.speed = 0;
    o.stop_s = T0;
    assert_int_equal(platform_download_start(s.p, &o, s.now, &id), GB_ERANGE);
    o.stop_s = T0 + PLATFORM_PLAYBACK_MAX_S + 1;
    assert_int_equal(platform_download_start(s.p, &o, s.now, &id), GB_ERANGE);
    o.stop_s = T0 + 1;
    o.device = SLICE("34020000001180009999");
    assert_int_equal(platform_download_start(s.p, &o, s.now, &id), GB_ENOENT);
    assert_int_equal(platform_download_cancel(s.p, 1, s.now), GB_ENOENT);
    ends_clean();
}

/* ---- a restart ---- */

static void goes_on_after_a_restart(void **state)
{
    static char buf[PLATFORM_DOWNLOAD_SAVED_MAX];
    struct sim_device *d = recorder(3);
    uint64_t id = order(T0, T0 + 3 * HALF);
    struct platform_download kept, j;
    unsigned invites;
    char device[32], ch[32];

    (void)state;
    while (job(id).n_parts_done < 1 || job(id).covered_ms < 2200000)
        sim_run(&s, 1000);
    assert_true(platform_download_save(s.p, id, buf, sizeof(buf), &kept));
    snprintf(device, sizeof(device), "%.*s", SLICE_ARG(kept.device));
    snprintf(ch, sizeof(ch), "%.*s", SLICE_ARG(kept.channel));
    kept.device = slice_str(device);
    kept.channel = slice_str(ch);
    kept.evidence = SLICE("");
    sim_restart(&s);
    for (unsigned i = 0; i < SIM_MAX_FILES; i++)
        s.file[i].session = 0;
    assert_int_equal(platform_restore_download(s.p, &kept, s.now), 0);
    assert_int_equal(platform_restore_download(s.p, &kept, s.now), GB_ESYNTAX);
    j = job(id);
    assert_int_equal(j.n_parts, 3);
    assert_int_equal(j.n_parts_done, 1);
    assert_true(j.mark.at_utc_ms == kept.mark.at_utc_ms);
    assert_int_equal(j.state, PLATFORM_DOWNLOAD_QUEUED);
    invites = d->invites;
    sim_register(d);
    j = until_over(id, 300);
    expect_state(j, PLATFORM_DOWNLOAD_DONE);
    assert_int_equal(d->invites - invites, 2); /* not what was there already */
    assert_int_equal(j.covered_ms, j.total_ms);
    assert_true(order(T0, T0 + 1) > id); /* no id comes twice */
    ends_clean();
}

static void parts_of_a_damaged_store(void **state)
{
    static const char *const texts[] = {
        "", "x", "1700000000", "1700000000-", "1700000000-1700000100,0;",
        "1700000000-1700000100,9,1700000000000;",
        "1700000100-1700000000,0,1700000000000;",
        "1700000000-1700000100,0,9;",
        "1600000000-1600000100,0,1600000000000;",
        "99999999999999999999-1,0,1;",
    };

    (void)state;
    ready();
    for (size_t i = 0; i < COUNT(texts); i++) {
        struct platform_download d = {
            .id = i + 1, .device = slice_str(nvr), .channel = slice_str(channel),
            .start_s = T0, .stop_s = T0 + 600,
            .state = PLATFORM_DOWNLOAD_DONE, .parts = slice_str(texts[i]),
        };

        assert_int_equal(platform_restore_download(s.p, &d, s.now), 0);
        assert_int_equal(job(i + 1).n_parts, 0);
    }
    ends_clean();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_file_of_the_device),
        cmocka_unit_test(split_by_the_files_of_the_device),
        cmocka_unit_test(note_9_5_progress_and_its_end),
        cmocka_unit_test(note_9_5_bye_is_an_end),
        cmocka_unit_test(what_lies_in_sockets_still_comes),
        cmocka_unit_test(note_9_4_the_rest_is_asked_for),
        cmocka_unit_test(goes_on_where_it_broke),
        cmocka_unit_test(gives_up),
        cmocka_unit_test(part_of_it_is_lost),
        cmocka_unit_test(the_device_is_offline),
        cmocka_unit_test(the_device_goes_offline),
        cmocka_unit_test(note_9_12_as_many_as_the_device_takes),
        cmocka_unit_test(the_disk_is_full),
        cmocka_unit_test(the_file_is_gone),
        cmocka_unit_test(the_file_stays_gone),
        cmocka_unit_test(the_room_is_used_up),
        cmocka_unit_test(the_file_cannot_be_finished),
        cmocka_unit_test(only_so_many_are_remembered),
        cmocka_unit_test(holes_that_are_met),
        cmocka_unit_test(nothing_is_recorded),
        cmocka_unit_test(it_does_not_tell),
        cmocka_unit_test(note_15_2_the_offer_follows_the_clock),
        cmocka_unit_test(cancelled_in_every_state),
        cmocka_unit_test(refused_at_once),
        cmocka_unit_test(goes_on_after_a_restart),
        cmocka_unit_test(parts_of_a_damaged_store),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
