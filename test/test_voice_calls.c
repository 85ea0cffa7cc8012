/* app/platform/voice: broadcast and talk against a device on the wire, in
 * virtual time. */
#include "test/voice_rig.h"

#define HUNDRED                                                                \
    "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeee"                       \
    "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeee"
#define LONG_SECTION                                                           \
    "m=application 9 " HUNDRED HUNDRED HUNDRED HUNDRED " 1\r\n"

/* The order of the standard: Response, INVITE, 200, ACK, sound, BYE. */
static void broadcast_as_it_should(void **state)
{
    (void)state;
    begin(PLATFORM_VOICE_BROADCAST, "OK");
    assert_string_equal(d->broadcast_target, channel);
    assert_int_equal(view().step, PLATFORM_VOICE_STEP_ACCEPTED);
    call(UDP8);
    assert_int_equal(d->call_status, 200);
    assert_true(has(d->call_sdp, "m=audio ") && has(d->call_sdp, "RTP/AVP 8\r") &&
                has(d->call_sdp, "a=sendonly\r\n") &&
                has(d->call_sdp, "a=rtpmap:8 PCMA/8000\r\n") &&
                has(d->call_sdp, "y=0022371912\r\n") &&
                has(d->call_sdp, "f=v/////a/1/8/1\r\n"));
    assert_int_equal(view().state, PLATFORM_VOICE_SPEAKS);
    assert_true(stream()->speaks && !stream()->voice.ps &&
                !stream()->voice.ulaw && !stream()->voice.framed);
    assert_int_equal(stream()->voice.ssrc, 22371912);
    assert_int_equal(stream()->voice.packet_ms, VOICE_PACKET_MS);
    assert_int_equal(stream()->answer.port, 9712);
    platform_voice_stop(s.p, id, "the speaker has gone", s.now);
    sim_run(&s, 500);
    assert_int_equal(d->call_ends, 1);
    expect_over(PLATFORM_VOICE_OVER, PLATFORM_VOICE_STEP_ENDED,
                "the speaker has gone");
    ends_clean();
}

/* Before its Response, and without one. */
static void invite_comes_first(void **state)
{
    (void)state;
    begin(PLATFORM_VOICE_BROADCAST, NULL);
    call(UDP8);
    assert_int_equal(view().state, PLATFORM_VOICE_SPEAKS);
    sim_broadcast_response(d, "OK");
    sim_run(&s, 60000);
    assert_int_equal(view().state, PLATFORM_VOICE_SPEAKS);
    assert_true(view().step_ms[PLATFORM_VOICE_STEP_ACCEPTED] >
                view().step_ms[PLATFORM_VOICE_STEP_SPEAKING]);
    sim_call_ends(d);
    sim_run(&s, 500);
    expect_over(PLATFORM_VOICE_OVER, PLATFORM_VOICE_STEP_ENDED,
                "ended it with a BYE");
    ends_clean();
}

static const struct offer {
    const char *name, *sdp;
    unsigned status;
    enum platform_transport transport;
    bool ps, ulaw;
    const char *in_answer;
} offers[] = {
    { "PCMU alone", OFFER("m=audio 9712 RTP/AVP 0\r\na=recvonly\r\n"), 200,
      PLATFORM_UDP, false, true, "a=rtpmap:0 PCMU/8000\r\n" },
    { "PCMU and PS", OFFER("m=audio 9712 RTP/AVP 96 0\r\n"
      "a=rtpmap:96 PS/90000\r\n"), 200, PLATFORM_UDP, false, true,
      "RTP/AVP 0\r\n" },
    { "PS alone", OFFER("m=audio 9712 RTP/AVP 96\r\na=rtpmap:96 PS/90000\r\n"),
      200, PLATFORM_UDP, true, false, "a=rtpmap:96 PS/90000\r\n" },
    { "it connects", OFFER("m=audio 40100 TCP/RTP/AVP 8\r\na=recvonly\r\n"
      "a=setup:active\r\na=connection:new\r\n"), 200, PLATFORM_TCP_PASSIVE,
      false, false, "a=setup:passive\r\n" },
    { "it connects, port 0", OFFER("m=audio 0 TCP/RTP/AVP 8\r\n"
      "a=setup:active\r\n"), 200, PLATFORM_TCP_PASSIVE, false, false,
      "TCP/RTP/AVP 8\r\n" },
    { "it listens", OFFER("m=audio 40100 TCP/RTP/AVP 8\r\n"
      "a=setup:passive\r\n"), 200, PLATFORM_TCP_ACTIVE, false, false,
      "a=setup:active\r\n" },
    { "no address", "v=0\r\no=- 0 0 IN IP4 0.0.0.0\r\ns=Play\r\n"
      "t=0 0\r\nm=audio 9712 RTP/AVP 8\r\n", 200, PLATFORM_UDP, false,
      false, "RTP/AVP 8\r\n" },
    { "an address of nobody", "v=0\r\no=- 0 0 IN IP4 0.0.0.0\r\ns=Play\r\n"
      "c=IN IP4 0.0.0.0\r\nt=0 0\r\nm=audio 9712 RTP/AVP 8\r\n"
      "a=sendrecv\r\n", 200, PLATFORM_UDP, false, false,
      "a=sendonly\r\n" },
    { "an address of the other family", "v=0\r\no=- 0 0 IN IP6 ::\r\n"
      "s=Play\r\nc=IN IP6 2001:db8::7\r\nt=0 0\r\n"
      "m=audio 9712 RTP/AVP 8\r\n", 200, PLATFORM_UDP, false, false,
      "RTP/AVP 8\r\n" },
    { "names as they come", OFFER("m=audio 9712 rtp/avp 8 0\r\n"
      "a=rtpmap:8 pcma/8000\r\na=rtpmap:0 pcmu/8000\r\na=sendonly\r\n"
      "f=\r\n"), 200, PLATFORM_UDP, false, false, "a=sendonly\r\n" },
    { "a picture before the sound", OFFER("m=video 9700 RTP/AVP 96\r\n"
      "a=rtpmap:96 PS/90000\r\nm=audio 9712 RTP/AVP 8\r\n"
      "a=rtpmap:8 PCMA/8000\r\nm=application 9 udp x\r\n"), 200,
      PLATFORM_UDP, false, false, "m=video 0 RTP/AVP 96\r\nm=audio " },
    { "a y= that is none", OFFER("m=audio 9712 RTP/AVP 8\r\ny=x\r\n"),
      200, PLATFORM_UDP, false, false, "RTP/AVP 8\r\n" },
    { "AAC, and PCMA on a line of its own", OFFER(
      "m=audio 9710 RTP/AVP 102\r\na=rtpmap:102 AAC/8000/1\r\n"
      "m=audio 9712 RTP/AVP 8\r\n"), 200, PLATFORM_UDP, false, false,
      "RTP/AVP 8\r\n" },
    { "a line that is refused before it", OFFER("m=audio 0 RTP/AVP 8\r\n"
      "m=audio 9712 RTP/AVP 8\r\n"), 200, PLATFORM_UDP, false, false,
      "RTP/AVP 8\r\n" },
    { "PCMA of 16 kHz before that of 8", OFFER("m=audio 9712 RTP/AVP 97 0\r\n"
      "a=rtpmap:97 PCMA/16000\r\n"), 200, PLATFORM_UDP, false, true,
      "RTP/AVP 0\r\n" },
    { "PCMA of 16 kHz alone", OFFER("m=audio 9712 RTP/AVP 97\r\n"
      "a=rtpmap:97 PCMA/16000\r\n"), 488, 0, 0, 0, NULL },
    { "AAC alone", OFFER("m=audio 9712 RTP/AVP 102\r\n"
      "a=rtpmap:102 AAC/8000/1\r\n"), 488, 0, 0, 0, NULL },
    { "only video", OFFER("m=video 9712 RTP/AVP 96\r\n"), 488, 0, 0, 0,
      NULL },
    { "no port to send to", OFFER("m=audio 0 RTP/AVP 8\r\n"), 488, 0, 0, 0,
      NULL },
    { "nothing", "x", 400, 0, 0, 0, NULL },
};

static void expect_answered(const struct offer *o)
{
    struct platform_voice v = view();

    if (!has(d->call_sdp, o->in_answer) || v.transport != o->transport ||
        v.ps != o->ps || v.ulaw != o->ulaw || !has(d->call_sdp, "y=0"))
        fail_msg("%s: %s", o->name, d->call_sdp);
    if (v.transport != PLATFORM_UDP) { /* the connection begins it */
        assert_int_equal(v.state, PLATFORM_VOICE_STARTING);
        sim_media(&s, stream(), PLATFORM_MEDIA_CONNECTED);
        sim_run(&s, 10);
        assert_true(stream()->voice.framed);
        assert_int_equal(stream()->voice.packet_ms, VOICE_TCP_PACKET_MS);
    }
    assert_int_equal(view().state, PLATFORM_VOICE_SPEAKS);
    if (v.transport == PLATFORM_UDP) {
        assert_int_equal(v.remote.family, GB_IPV4);
        assert_int_equal(v.remote.port, 9712);
    }
    platform_voice_stop(s.p, id, "enough", s.now);
}

static void what_devices_offer(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(offers); i++) {
        begin(PLATFORM_VOICE_BROADCAST, "OK");
        call(offers[i].sdp);
        if (d->call_status != offers[i].status)
            fail_msg("%s: %u", offers[i].name, d->call_status);
        if (offers[i].status == 200)
            expect_answered(&offers[i]);
        else
            expect_over(PLATFORM_VOICE_FAILED, PLATFORM_VOICE_STEP_OFFER,
                        "the device invites us, but");
        ends_clean();
    }
}

/* Each is told by the link that broke. */
static void what_devices_refuse(void **state)
{
    (void)state;
    begin(PLATFORM_VOICE_BROADCAST, "ERROR");
    sim_run(&s, 2000);
    assert_int_equal(d->broadcasts, 2); /* the channel, then the device */
    assert_string_equal(d->broadcast_target, nvr);
    expect_over(PLATFORM_VOICE_FAILED, PLATFORM_VOICE_STEP_ACCEPTED,
                "Result ERROR");
    ends_clean();

    begin(PLATFORM_VOICE_BROADCAST, NULL);
    sim_run(&s, 9000);
    assert_int_equal(view().state, PLATFORM_VOICE_STARTING);
    sim_run(&s, 2000);
    expect_over(PLATFORM_VOICE_FAILED, PLATFORM_VOICE_STEP_ACCEPTED,
                "neither answers it nor invites us");
    call(UDP8); /* too late */
    assert_int_equal(d->call_status, 486);
    ends_clean();

    begin(PLATFORM_VOICE_BROADCAST, "OK");
    sim_run(&s, 11000);
    expect_over(PLATFORM_VOICE_FAILED, PLATFORM_VOICE_STEP_INVITED,
                "has not invited us in 10.0 s");
    ends_clean();

    d = ready();
    d->query_refused = true;
    assert_int_equal(start(PLATFORM_VOICE_BROADCAST), 0);
    sim_run(&s, 1000);
    expect_over(PLATFORM_VOICE_FAILED, PLATFORM_VOICE_STEP_ARRIVED,
                "refuses the Broadcast with 404");
    ends_clean();

    d = ready();
    d->deaf = true;
    assert_int_equal(start(PLATFORM_VOICE_BROADCAST), 0);
    sim_run(&s, 21000);
    expect_over(PLATFORM_VOICE_FAILED, PLATFORM_VOICE_STEP_ARRIVED,
                "does not confirm the Broadcast");
    ends_clean();

    begin(PLATFORM_VOICE_BROADCAST, "OK"); /* TCP, and nobody connects */
    call(OFFER("m=audio 9 TCP/RTP/AVP 8\r\na=setup:active\r\n"));
    sim_run(&s, 12000);
    assert_int_equal(d->call_ends, 1);
    expect_over(PLATFORM_VOICE_FAILED, PLATFORM_VOICE_STEP_CONNECT,
                "has not opened a TCP connection");
    ends_clean();

    begin(PLATFORM_VOICE_BROADCAST, "OK"); /* it takes its word back */
    call(UDP8);
    sim_broadcast_response(d, "ERROR"); /* ignored: it has accepted */
    sim_run(&s, 200);
    assert_int_equal(view().state, PLATFORM_VOICE_SPEAKS);
    platform_voice_stop(s.p, id, "enough", s.now);
    ends_clean();
}

/* Its INVITE is refused before anybody looks at it; another one may come. */
static void invites_that_cannot_be_taken(void **state)
{
    static const struct {
        const char *require, *type, *body;
        unsigned status;
        const char *evidence;
    } cases[] = {
        { "100rel", NULL, UDP8, 420,
          "the device invites us, but requires 100rel, which" },
        { NULL, "text/plain", "hello", 415,
          "the device invites us, but its INVITE had to be refused with 415" },
        { NULL, NULL, "", 400,
          "the device invites us, but has no description (SDP)" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        begin(PLATFORM_VOICE_BROADCAST, "OK");
        d->call_require = cases[i].require;
        d->call_type = cases[i].type;
        call(cases[i].body);
        if (d->call_status != cases[i].status)
            fail_msg("%s: %u", cases[i].evidence, d->call_status);
        sim_run(&s, 11000);
        expect_over(PLATFORM_VOICE_FAILED, PLATFORM_VOICE_STEP_OFFER,
                    cases[i].evidence);
        ends_clean();
    }
    begin(PLATFORM_VOICE_BROADCAST, "OK"); /* it can do without */
    d->call_require = "100rel";
    call(UDP8);
    assert_int_equal(d->call_status, 420);
    d->call_require = NULL;
    call(UDP8);
    assert_int_equal(d->call_status, 200);
    sim_run(&s, 11000);
    assert_int_equal(view().state, PLATFORM_VOICE_SPEAKS);
    platform_voice_stop(s.p, id, "enough", s.now);
    ends_clean();
}

/* A device that refreshes the session of its picture does not answer a broadcast. */
static void an_invite_of_the_picture(void **state)
{
    struct platform_session v;

    (void)state;
    d = ready();
    v = sim_watch(&s, d, channel, 0);
    sim_run(&s, 1000);
    d->broadcast_result = "OK";
    assert_int_equal(start(PLATFORM_VOICE_BROADCAST), 0);
    sim_run(&s, 200);
    for (unsigned i = 0; i < 3; i++) { /* asked for, under way, just over */
        d->last_status = 0;
        sim_invite_in(d, "");
        sim_run(&s, 200);
        assert_int_equal(d->last_status, 200);
        assert_int_equal(sim_session(&s, v.id).state, PLATFORM_PLAYING);
        if (i == 0) {
            struct sim_device other = *d;

            call(UDP8);
            assert_int_equal(d->call_status, 200);
            d->dialog = other.dialog;
        } else if (i == 1) {
            platform_voice_stop(s.p, id, "enough", s.now);
            sim_run(&s, 100);
        }
    }
    platform_session_stop(s.p, v.id, s.now);
    ends_clean();
}

/* Field-note 10.1: From and Subject name the device, or the output of a
 * channel, or nothing; one voice is under way, so that it is taken. */
static void note_10_1_ids_unlike_the_request(void **state)
{
    static const struct {
        const char *from, *subject;
    } cases[] = {
        { nvr, "34020000002000000001:1,34020000001180000001:1" },
        { nvr, NULL },
        { "34020000001370000009", "34020000001370000009:1,x" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        begin(PLATFORM_VOICE_BROADCAST, "OK");
        sim_call(d, cases[i].from, SIM_ID, cases[i].subject, UDP8);
        sim_run(&s, 200);
        assert_int_equal(d->call_status, 200);
        assert_int_equal(view().state, PLATFORM_VOICE_SPEAKS);
        sim_call(d, nvr, SIM_ID, NULL, UDP8); /* a second one */
        sim_run(&s, 200);
        assert_int_equal(d->call_status, 486);
        platform_voice_stop(s.p, id, "enough", s.now);
        ends_clean();
    }
}

/* What an INVITE brings is SDP, whatever it is called; anything else is not. */
static void note_10_1_sdp_under_another_name(void **state)
{
    static const struct {
        const char *type, *body;
        unsigned status;
    } cases[] = {
        { "text/plain", UDP8, 200 },
        { "Application/MANSCDP+xml", UDP8, 200 },
        { "application", UDP8, 200 },
        { "text/plain", "hello", 415 },
        { "application/sdp", "", 400 }, /* none at all */
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        begin(PLATFORM_VOICE_BROADCAST, "OK");
        d->call_type = cases[i].type;
        sim_call(d, nvr, SIM_ID, NULL, cases[i].body);
        sim_run(&s, 200);
        if (d->call_status != cases[i].status)
            fail_msg("%s: %u", cases[i].type, d->call_status);
        assert_true(sim_deviates(&s, nvr, "SDP under another Content-Type") ==
                    (cases[i].status == 200));
        platform_voice_stop(s.p, id, "enough", s.now);
        ends_clean();
    }
}

/* In its dialog a device says the same again, with another o= perhaps, or where
 * it listens now; what would change the voice is refused, and it goes on. */
static void invited_again(void **state)
{
    static const struct {
        const char *name, *sdp;
        unsigned status;
        uint16_t port;
    } cases[] = {
        { "the same", UDP8, 200, 9712 },
        { "a later o=, and no y=", "v=0\r\no=34020000001370000001 0 1 IN IP4 "
          "192.168.1.10\r\ns=Play\r\nc=IN IP4 192.168.1.10\r\nt=0 0\r\n"
          "m=audio 9712 RTP/AVP 8\r\n", 200, 9712 },
        { "another port", OFFER("m=audio 9800 RTP/AVP 8\r\n"
          "y=0022371912\r\n"), 200, 9800 },
        { "the first one", UDP8, 200, 9712 },
        { "another codec", OFFER("m=audio 9712 RTP/AVP 0\r\n"
          "y=0022371912\r\n"), 488, 9712 },
        { "another y=", OFFER("m=audio 9900 RTP/AVP 8\r\ny=0022371913\r\n"),
          488, 9712 },
        { "over TCP", OFFER("m=audio 9712 TCP/RTP/AVP 8\r\n"
          "a=setup:passive\r\n"), 488, 9712 },
        { "nothing", "x", 488, 9712 },
        { "more than an answer has room for", OFFER("m=audio 9950 RTP/AVP 8\r\n"
          LONG_SECTION LONG_SECTION LONG_SECTION "y=0022371912\r\n"), 488,
          9712 },
        { "the first one, once more", UDP8, 200, 9712 },
    };

    (void)state;
    begin(PLATFORM_VOICE_BROADCAST, "OK");
    call(UDP8);
    for (size_t i = 0; i < COUNT(cases); i++) {
        sim_call_again(d, cases[i].sdp);
        sim_run(&s, 200);
        if (d->call_status != cases[i].status)
            fail_msg("%s: %u", cases[i].name, d->call_status);
        assert_int_equal(stream()->answer.port, cases[i].port);
        assert_int_equal(view().remote.port, cases[i].port);
        assert_int_equal(view().state, PLATFORM_VOICE_SPEAKS);
    }
    sim_call_ends(d);
    sim_run(&s, 500);
    expect_over(PLATFORM_VOICE_OVER, PLATFORM_VOICE_STEP_ENDED,
                "ended it with a BYE");
    ends_clean();
}

/* Field-note 10.2: some know Broadcast alone, some Talk alone; what worked is
 * tried first the next time, also after a restart. */
static void note_10_2_the_other_way(void **state)
{
    static char line[PLATFORM_SAVED_MAX];
    struct platform_device saved;

    (void)state;
    begin(PLATFORM_VOICE_AUTO, "ERROR");
    sim_run(&s, 2000);
    assert_int_equal(d->broadcasts, 2);
    assert_int_equal(d->invites, 1);
    assert_true(has(d->last_sdp, "s=Talk\r\n") &&
                has(d->last_sdp, "m=audio ") &&
                has(d->last_sdp, "a=sendrecv\r\n") &&
                has(d->last_sdp, "a=rtpmap:8 PCMA/8000\r\n"));
    assert_int_equal(view().mode, PLATFORM_VOICE_TALK);
    assert_int_equal(view().state, PLATFORM_VOICE_SPEAKS);
    assert_int_equal(stream()->answer.port, 9712);
    platform_voice_stop(s.p, id, "enough", s.now);
    sim_run(&s, 1000);
    assert_int_equal(d->byes, 1);
    assert_int_equal(start(PLATFORM_VOICE_AUTO), 0);
    sim_run(&s, 500);
    assert_int_equal(d->broadcasts, 2); /* not asked again */
    assert_int_equal(d->invites, 2);
    assert_true(platform_device_save(s.p, slice_str(nvr), line, &saved));
    assert_true(slice_find_slice(saved.profile, SLICE("voice=talk,")) <
                saved.profile.n);
    platform_voice_stop(s.p, id, "enough", s.now);
    ends_clean();

    /* what has worked does no more: it is refused, or not answered */
    for (unsigned how = 0; how < 2; how++) {
        begin(PLATFORM_VOICE_AUTO, "ERROR");
        sim_run(&s, 2000);
        assert_int_equal(view().mode, PLATFORM_VOICE_TALK);
        platform_voice_stop(s.p, id, "enough", s.now);
        sim_run(&s, 1000);
        d->broadcast_result = "OK";
        d->invite = how ? SIM_SILENT : SIM_REFUSE;
        d->refuse_status = 488;
        d->refuse_times = 9;
        assert_int_equal(start(PLATFORM_VOICE_AUTO), 0);
        sim_run(&s, how ? 12000 : 500);
        assert_int_equal(d->broadcasts, 3);
        assert_int_equal(view().step_ms[PLATFORM_VOICE_STEP_INVITED], 0);
        call(UDP8);
        assert_int_equal(view().mode, PLATFORM_VOICE_BROADCAST);
        assert_int_equal(view().state, PLATFORM_VOICE_SPEAKS);
        assert_int_equal(stream()->voice.ssrc, 22371912);
        assert_true(platform_device_save(s.p, slice_str(nvr), line, &saved));
        assert_true(slice_find_slice(saved.profile, SLICE("voice=broadcast,")) <
                    saved.profile.n);
        platform_voice_stop(s.p, id, "enough", s.now);
        ends_clean();
    }

    begin(PLATFORM_VOICE_AUTO, NULL); /* silent: talk, which it refuses */
    d->invite = SIM_REFUSE;
    d->refuse_status = 488;
    d->refuse_times = 9;
    sim_run(&s, 12000);
    expect_over(PLATFORM_VOICE_FAILED, PLATFORM_VOICE_STEP_ANSWERED,
                "refuses the talk with 488");
    ends_clean();
}

/* It ends while the port of the talk is being closed for a broadcast. */
static void ends_while_it_turns(void **state)
{
    (void)state;
    for (unsigned how = 0; how < 3; how++) {
        begin(PLATFORM_VOICE_AUTO, "ERROR");
        sim_run(&s, 2000);
        platform_voice_stop(s.p, id, "enough", s.now);
        sim_run(&s, 1000);
        d->invite = SIM_REFUSE;
        d->refuse_times = 9;
        d->refuse_status = 488;
        s.opt.lose_closed = true;
        assert_int_equal(start(PLATFORM_VOICE_AUTO), 0);
        sim_run(&s, 1000);
        assert_int_equal(view().mode, PLATFORM_VOICE_BROADCAST);
        assert_int_equal(view().state, PLATFORM_VOICE_STARTING);
        assert_int_equal(d->broadcasts, 2);
        sim_broadcast_response(d, "ERROR"); /* once more, to the one before */
        sim_run(&s, 100);
        assert_int_equal(view().state, PLATFORM_VOICE_STARTING);
        if (how == 0)
            platform_voice_stop(s.p, id, "enough", s.now);
        else if (how == 1)
            sim_unregister(d);
        sim_run(&s, 25000);
        expect_over(PLATFORM_VOICE_FAILED,
                    how == 0   ? PLATFORM_VOICE_STEP_ENDED
                    : how == 1 ? PLATFORM_VOICE_STEP_DEVICE
                               : PLATFORM_VOICE_STEP_SOCKET,
                    how == 0   ? "enough"
                    : how == 1 ? "went offline"
                               : "media loop does not answer");
        s.opt.lose_closed = false;
        ends_clean();
    }
}

/* Field-note 10.4: raw PCMA first, PS only where nothing else is offered. */
static void note_10_4_raw_before_ps(void **state)
{
    (void)state;
    begin(PLATFORM_VOICE_BROADCAST, "OK");
    call(OFFER("m=audio 9712 RTP/AVP 96 8\r\na=rtpmap:96 PS/90000\r\n"
               "a=rtpmap:8 PCMA/8000\r\n"));
    assert_true(has(d->call_sdp, "RTP/AVP 8\r\n"));
    assert_false(stream()->voice.ps);
    platform_voice_stop(s.p, id, "enough", s.now);
    ends_clean();
}

static void talk_with_odd_answers(void **state)
{
    static const struct {
        const char *name, *sdp;
        bool well;
    } cases[] = {
        { "two m=audio of one port",
          OFFER("m=audio 9712 RTP/AVP 8\r\na=recvonly\r\n"
                "m=audio 9712 RTP/AVP 8\r\na=sendonly\r\n"), true },
        { "the line that sends first, of another port",
          OFFER("m=audio 9 RTP/AVP 8\r\na=sendonly\r\n"
                "m=audio 9712 RTP/AVP 8\r\na=recvonly\r\n"), true },
        { "PCMU, not offered", OFFER("m=audio 9712 RTP/AVP 0\r\n"), true },
        { "AAC", OFFER("m=audio 9712 RTP/AVP 102\r\na=rtpmap:102 AAC/8000\r\n"),
          false },
        { "refused by port", OFFER("m=audio 0 RTP/AVP 8\r\n"), false },
        { "nothing", "", false },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        d = ready();
        d->talk_answer = cases[i].sdp;
        assert_int_equal(start(PLATFORM_VOICE_TALK), 0);
        sim_run(&s, 1000);
        if ((view().state == PLATFORM_VOICE_SPEAKS) != cases[i].well)
            fail_msg("%s: %d", cases[i].name, view().state);
        if (cases[i].well)
            assert_int_equal(stream()->answer.port, 9712);
        platform_voice_stop(s.p, id, "enough", s.now);
        ends_clean();
    }
}

/* TCP is offered, the answer says RTP/AVP: where we listen it is followed at once,
 * else UDP is offered; a device that names a role all the same may connect. */
static void talk_answered_with_udp(void **state)
{
    static const struct {
        const char *name, *sdp;
        enum platform_transport offered;
        unsigned invites;
        uint64_t after_ms;
        enum platform_transport takes;
    } cases[] = {
        { "we listen", OFFER("m=audio 9712 RTP/AVP 8\r\n"),
          PLATFORM_TCP_PASSIVE, 1, 1000, PLATFORM_UDP },
        { "we would connect", OFFER("m=audio 9712 RTP/AVP 8\r\n"),
          PLATFORM_TCP_ACTIVE, 2, 1000, PLATFORM_UDP },
        { "it says that it connects", OFFER("m=audio 9712 RTP/AVP 8\r\n"
                                            "a=setup:active\r\n"),
          PLATFORM_TCP_PASSIVE, 1, PLATFORM_VOICE_CONNECT_MS + 1000,
          PLATFORM_UDP },
        { "and does", OFFER("m=audio 9712 RTP/AVP 8\r\na=setup:active\r\n"),
          PLATFORM_TCP_PASSIVE, 1, 1000, PLATFORM_TCP_PASSIVE },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct platform_voice_wish w = { .device = slice_str(nvr),
                                         .channel = slice_str(nvr),
                                         .mode = PLATFORM_VOICE_TALK,
                                         .transport = cases[i].offered };
        struct platform_voice v;

        d = ready();
        d->talk_answer = cases[i].sdp;
        d->media = cases[i].takes == PLATFORM_UDP ? SIM_UDP_ONLY : SIM_PICTURE;
        assert_int_equal(platform_voice_start(s.p, &w, s.now, &v), 0);
        id = v.id;
        sim_run(&s, cases[i].after_ms);
        v = view();
        if (v.state != PLATFORM_VOICE_SPEAKS || d->invites != cases[i].invites)
            fail_msg("%s: %d, %u INVITEs", cases[i].name, v.state, d->invites);
        assert_int_equal(v.transport, cases[i].takes);
        assert_int_equal(stream()->transport, cases[i].takes);
        assert_true(stream()->voice.framed == (v.transport != PLATFORM_UDP));
        if (v.transport == PLATFORM_UDP)
            assert_int_equal(stream()->answer.port, 9712);
        platform_voice_stop(s.p, id, "enough", s.now);
        ends_clean();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(broadcast_as_it_should),
        cmocka_unit_test(invite_comes_first),
        cmocka_unit_test(what_devices_offer),
        cmocka_unit_test(what_devices_refuse),
        cmocka_unit_test(invites_that_cannot_be_taken),
        cmocka_unit_test(an_invite_of_the_picture),
        cmocka_unit_test(note_10_1_ids_unlike_the_request),
        cmocka_unit_test(note_10_1_sdp_under_another_name),
        cmocka_unit_test(invited_again),
        cmocka_unit_test(note_10_2_the_other_way),
        cmocka_unit_test(ends_while_it_turns),
        cmocka_unit_test(note_10_4_raw_before_ps),
        cmocka_unit_test(talk_with_odd_answers),
        cmocka_unit_test(talk_answered_with_udp),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
