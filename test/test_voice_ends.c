/* Who may speak, and how it ends: every end frees all, that of the process, too. */
#include "test/voice_rig.h"

static void one_speaker_a_device(void **state)
{
    const struct platform_voice_wish w = { .device = slice_str(nvr),
                                           .channel = slice_str(nvr),
                                           .who = SLICE("another") };
    struct platform_voice v;

    (void)state;
    begin(PLATFORM_VOICE_BROADCAST, "OK");
    assert_int_equal(platform_voice_start(s.p, &w, s.now, &v), GB_EEXIST);
    expect_slice(v.who, "a test");
    assert_int_equal(v.id, id);
    platform_voice_stop(s.p, id, "enough", s.now);
    ends_clean();
}

/* However it ends, nothing stays lent or open. */
static void every_end_frees_all(void **state)
{
    (void)state;
    for (int how = 0; how < 8; how++) {
        begin(PLATFORM_VOICE_BROADCAST, how == 1 ? NULL : "OK");
        if (how != 0 && how != 1)
            call(UDP8);
        switch (how) {
        case 0: /* stopped while the INVITE is awaited */
        case 1:
            platform_voice_stop(s.p, id, "enough", s.now);
            break;
        case 2:
            sim_call_ends(d);
            break;
        case 3:
            sim_unregister(d);
            break;
        case 4: /* the longest time */
            sim_run(&s, PLATFORM_VOICE_MAX_S * 1000ull);
            break;
        case 5:
            sim_media(&s, stream(), PLATFORM_MEDIA_SAID);
            break;
        case 6:
            sim_media(&s, stream(), PLATFORM_MEDIA_ENDED);
            break;
        case 7:
            platform_device_remove(s.p, slice_str(nvr), s.now);
            break;
        }
        sim_run(&s, 1000);
        assert_false(platform_voice_view(s.p, id, &(struct platform_voice){ 0 }));
        ends_clean();
    }
}

static void speak(enum platform_voice_mode mode)
{
    begin(mode, "OK");
    if (mode == PLATFORM_VOICE_BROADCAST)
        call(UDP8);
    sim_run(&s, 1000);
    assert_int_equal(view().state, PLATFORM_VOICE_SPEAKS);
}

static unsigned byes(enum platform_voice_mode mode)
{
    return mode == PLATFORM_VOICE_BROADCAST ? d->call_ends : d->byes;
}

/* Its new port hears of the end. */
static void the_device_moves(void **state)
{
    (void)state;
    for (enum platform_voice_mode m = PLATFORM_VOICE_BROADCAST;
         m <= PLATFORM_VOICE_TALK; m++) {
        speak(m);
        d->addr.port = 6200;
        d->to_server.local = d->addr;
        sim_keepalive(d, NULL);
        sim_run(&s, 1000);
        assert_int_equal(view().state, PLATFORM_VOICE_SPEAKS);
        platform_voice_stop(s.p, id, "enough", s.now);
        sim_run(&s, 1000);
        assert_int_equal(byes(m), 1);
        ends_clean();
    }
}

/* Who speaks, who is awaited, and who has not been answered. */
static void the_server_stops(void **state)
{
    (void)state;
    for (int how = 0; how < 3; how++) {
        enum platform_voice_mode m = how == 1 ? PLATFORM_VOICE_TALK
                                              : PLATFORM_VOICE_BROADCAST;

        if (how < 2)
            speak(m);
        else
            begin(m, "OK");
        platform_drain(s.p, s.now);
        sim_run(&s, 1000);
        assert_int_equal(byes(m), how < 2);
        expect_over(PLATFORM_VOICE_OVER, PLATFORM_VOICE_STEP_ENDED,
                    "this server is stopping");
        assert_true(platform_is_drained(s.p));
        ends_clean();
    }
}

/* It has invited us, and answers then that it does not want to. */
static void refused_behind_its_invite(void **state)
{
    (void)state;
    begin(PLATFORM_VOICE_BROADCAST, NULL);
    call(UDP8);
    assert_int_equal(view().state, PLATFORM_VOICE_SPEAKS);
    sim_broadcast_response(d, "ERROR");
    sim_run(&s, 1000);
    expect_over(PLATFORM_VOICE_FAILED, PLATFORM_VOICE_STEP_ACCEPTED,
                "invited us and then answered");
    assert_int_equal(d->call_ends, 1);
    ends_clean();
}

/* Its dialog is stored until its BYE is answered, or the device has ended it. */
static void stored_until_it_is_over(void **state)
{
    (void)state;
    for (int how = 0; how < 3; how++) {
        speak(how == 2 ? PLATFORM_VOICE_TALK : PLATFORM_VOICE_BROADCAST);
        assert_true(s.opened_key != 0);
        assert_true(s.closed_key == 0);
        if (how == 0)
            sim_call_ends(d);
        else
            platform_voice_stop(s.p, id, "enough", s.now);
        sim_run(&s, 1000);
        assert_true(s.closed_key == s.opened_key);
        ends_clean();
    }
}

/* What is stored is enough for who comes after a crash, whoever invited whom. */
static void ended_by_the_next_start(void **state)
{
    static const enum platform_voice_mode modes[] = {
        PLATFORM_VOICE_BROADCAST, PLATFORM_VOICE_TALK
    };

    (void)state;
    for (size_t i = 0; i < COUNT(modes); i++) {
        struct sip_peer peer;

        speak(modes[i]);
        peer = sim_view(&s, d).peer;
        sim_restart(&s);
        assert_int_equal(d->call_ends + d->byes, 0);
        assert_int_equal(platform_restore_dialog(s.p, s.opened_key, &s.opened,
                                                 &peer, s.now), 0);
        sim_run(&s, 1000);
        assert_int_equal(d->call_ends, modes[i] == PLATFORM_VOICE_BROADCAST);
        assert_int_equal(d->byes, modes[i] == PLATFORM_VOICE_TALK);
        assert_true(s.closed_key == s.opened_key);
        ends_clean();
    }
}

static void ports_may_be_taken(void **state)
{
    struct sim_options o = { .config = { .auto_enrol = true },
                             .refuse_ports = UINT_MAX };

    (void)state;
    d = ready_at("192.168.1.10:5060", SIP_UDP, &o);
    d->broadcast_result = "OK";
    assert_int_equal(start(PLATFORM_VOICE_BROADCAST), 0);
    sim_run(&s, 200);
    call(UDP8);
    assert_int_equal(d->call_status, 480);
    expect_over(PLATFORM_VOICE_FAILED, PLATFORM_VOICE_STEP_SOCKET,
                "could not be opened");
    ends_clean();
}

static void what_cannot_be_begun(void **state)
{
    struct platform_voice_wish w = { .device = SLICE("34020000001180000099"),
                                     .channel = SLICE("34020000001310000001") };
    struct platform_voice v;

    (void)state;
    d = ready();
    assert_int_equal(platform_voice_start(s.p, &w, s.now, &v), GB_ENOENT);
    w.device = slice_str(nvr);
    w.channel = SLICE("no id");
    assert_int_equal(platform_voice_start(s.p, &w, s.now, &v), GB_ENOENT);
    w.channel = slice_str(channel);
    w.whole_ms = VOICE_FILE_MS + 1;
    assert_int_equal(platform_voice_start(s.p, &w, s.now, &v), GB_ERANGE);
    w.whole_ms = 0;
    sim_unregister(d);
    sim_run(&s, 500);
    assert_int_equal(platform_voice_start(s.p, &w, s.now, &v), GB_ESTATE);
    ends_clean();
}

#define OUTPUT "34020000001370000001"

static void lists_an_output_below(const char *parent)
{
    char text[600];

    snprintf(text, sizeof(text),
             "<Response><CmdType>Catalog</CmdType><SN>5</SN><DeviceID>%s"
             "</DeviceID><SumNum>1</SumNum><DeviceList Num=\"1\"><Item>"
             "<DeviceID>" OUTPUT "</DeviceID><Name>horn</Name><ParentID>%s"
             "</ParentID><Status>ON</Status></Item></DeviceList></Response>",
             nvr, parent);
    sim_message(d, text);
    sim_run(&s, 500);
}

/* Microphones and alarm inputs play nothing: nobody is asked. */
static void inputs_are_not_spoken_to(void **state)
{
    static const char *const inputs[] = { "34020000001340000001",
                                          "34020000001360000001" };
    struct platform_voice_wish w = { .device = SLICE("34020000001180000001"),
                                     .mode = PLATFORM_VOICE_BROADCAST };
    struct platform_voice v;

    (void)state;
    for (size_t i = 0; i < COUNT(inputs); i++) {
        d = ready();
        d->broadcast_result = "OK";
        w.channel = slice_str(inputs[i]);
        assert_int_equal(platform_voice_start(s.p, &w, s.now, &v),
                         GB_EUNSUPPORTED);
        assert_true(slice_find_slice(v.evidence, SLICE("plays nothing")) <
                    v.evidence.n);
        sim_run(&s, 1000);
        assert_int_equal(d->broadcasts, 0);
        lists_an_output_below(inputs[i]);
        assert_int_equal(platform_voice_start(s.p, &w, s.now, &v), 0);
        sim_run(&s, 500);
        assert_true(platform_voice_view(s.p, v.id, &v));
        assert_true(slice_eq(v.target, SLICE(OUTPUT)));
        platform_voice_stop(s.p, v.id, "enough", s.now);
        ends_clean();
    }
}

/* A platform below asks its own device first: its answer has longer to come. */
static void a_platform_has_longer(void **state)
{
    static const char platform[] = "34020000002000000002";
    struct platform_voice_wish w = { .device = SLICE(platform),
                                     .mode = PLATFORM_VOICE_TALK,
                                     .who = SLICE("a test") };
    struct platform_voice v;

    (void)state;
    assert_true(sim_init(&s, NULL));
    d = sim_add(&s, platform, "192.168.1.10:5060", SIP_UDP);
    sim_channels(d, 1);
    sim_settle(&s);
    d->invite = SIM_RING;
    w.channel = slice_str(d->channel[0]);
    assert_int_equal(platform_voice_start(s.p, &w, s.now, &v), 0);
    id = v.id;
    sim_run(&s, 14500);
    assert_int_equal(d->invites, 1);
    assert_int_equal(view().state, PLATFORM_VOICE_STARTING);
    sim_run(&s, 1500);
    expect_over(PLATFORM_VOICE_FAILED, PLATFORM_VOICE_STEP_ANSWERED,
                "no answer to the INVITE");
    assert_int_equal(d->cancels, 1);
    ends_clean();
}

/* Lost, repeated and late messages change nothing of how it ends. */
static void lossy_lives(void **state)
{
    unsigned spoken = 0;

    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct sim_options o = { .config = { .auto_enrol = true },
                                 .loss_percent = 15, .copy_percent = 10,
                                 .delay_ms = 20, .jitter_ms = 60,
                                 .seed = seed };

        assert_true(sim_init(&s, &o));
        d = sim_add(&s, nvr, "192.168.1.10:5060", SIP_UDP);
        sim_channels(d, 2);
        d->keepalive_ms = 20000;
        d->broadcast_result = seed % 2 ? "OK" : NULL;
        sim_settle(&s);
        sim_run(&s, 20000);
        channel = d->channel[0];
        if (start(seed % 3 ? PLATFORM_VOICE_BROADCAST : PLATFORM_VOICE_TALK)) {
            sim_free(&s);
            continue; /* it has not got through to register */
        }
        sim_run(&s, 2000);
        if (seed % 3 && d->broadcasts)
            call(UDP8);
        sim_run(&s, 40000);
        spoken += view().state == PLATFORM_VOICE_SPEAKS;
        platform_voice_stop(s.p, id, "enough", s.now);
        sim_run(&s, 70000);
        ends_clean();
    }
    assert_true(spoken >= 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_speaker_a_device),
        cmocka_unit_test(every_end_frees_all),
        cmocka_unit_test(the_device_moves),
        cmocka_unit_test(the_server_stops),
        cmocka_unit_test(refused_behind_its_invite),
        cmocka_unit_test(stored_until_it_is_over),
        cmocka_unit_test(ended_by_the_next_start),
        cmocka_unit_test(ports_may_be_taken),
        cmocka_unit_test(what_cannot_be_begun),
        cmocka_unit_test(inputs_are_not_spoken_to),
        cmocka_unit_test(a_platform_has_longer),
        cmocka_unit_test(lossy_lives),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
