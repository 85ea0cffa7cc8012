/* gbcam's loudspeaker: a Broadcast that it answers by an INVITE of its own, a talk
 * that it is invited to, and what it does wrong when it is told to. */
#include "test/device_rig.h"

#define DEVICE_ANSWERS_MS 40000 /* longer than it waits for anything */

static const char by_udp[] =
    "v=0\r\no=" SERVER " 0 0 IN IP4 192.0.2.1\r\ns=Play\r\n"
    "c=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 6000 RTP/AVP 8\r\na=sendonly\r\n"
    "a=rtpmap:8 PCMA/8000\r\ny=0200000001\r\n";
static const char talk_by_udp[] =
    "v=0\r\no=" SERVER " 0 0 IN IP4 192.0.2.1\r\ns=Talk\r\n"
    "c=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 6000 RTP/AVP 8\r\na=sendrecv\r\n"
    "a=rtpmap:8 PCMA/8000\r\ny=0200000001\r\n";
static const char talk_by_tcp[] =
    "v=0\r\no=" SERVER " 0 0 IN IP4 192.0.2.1\r\ns=Talk\r\n"
    "c=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 6000 TCP/RTP/AVP 8\r\n"
    "a=sendrecv\r\na=rtpmap:8 PCMA/8000\r\na=setup:passive\r\n"
    "a=connection:new\r\ny=0200000001\r\n";

static void begin(struct voice_faults f)
{
    voice_faults = f;
    start(MANSCDP_2016, (struct device_faults){ 0 });
    voice_faults = (struct voice_faults){ 0 };
    g.answer = by_udp;
}

static void broadcast(const char *target)
{
    char body[200];

    snprintf(body, sizeof(body), "<SourceID>" SERVER "</SourceID><TargetID>%s"
             "</TargetID>", target);
    tell("Notify", "Broadcast", "", body);
}

/* The edge has a socket, or (port 0) none. */
static void socket_is(uint16_t port)
{
    struct gb_addr local = address(2);

    assert_int_equal(g.voice.kind, DEVICE_DO_OPEN);
    local.port = port;
    if (!port)
        local.family = GB_NO_ADDR;
    g.status = 0;
    device_media_opened(g.d, DEVICE_VOICE, g.voice.life, &local, g.now);
    run(200);
}

static uint64_t invite_to_talk(const char *offer)
{
    uint64_t dialog;

    g.status = 0;
    dialog = invite_gate((struct slice){ 0 }, offer);
    run(200);
    return dialog;
}

/* The one before is over: it takes the next one. */
static void expect_idle(void)
{
    broadcast(GATE);
    assert_true(has("<Result>OK<"));
}

/* ---- Broadcast -------------------------------------------------------------------- */

static void what_it_offers(void **state)
{
    static const struct {
        const char *name;
        struct voice_faults f;
        const char *offer, *from, *subject, *type;
        enum device_transport transport;
        bool is_ps, is_ulaw;
    } cases[] = {
        { "plain", { 0 },
          "m=audio 9000 RTP/AVP 8\r\na=recvonly\r\na=rtpmap:8 PCMA/8000/1\r\ny=02",
          CAMERA, "," GATE ":0", SIP_TYPE_SDP, DEVICE_UDP, false, false },
        { "ps", { .voice_ps = true },
          "m=audio 9000 RTP/AVP 96\r\na=recvonly\r\na=rtpmap:96 PS/90000\r\n",
          CAMERA, "," GATE ":0", SIP_TYPE_SDP, DEVICE_UDP, true, false },
        { "pcmu", { .voice_pcmu = true },
          "m=audio 9000 RTP/AVP 0\r\na=recvonly\r\na=rtpmap:0 PCMU/8000\r\n",
          CAMERA, "," GATE ":0", SIP_TYPE_SDP, DEVICE_UDP, false, true },
        { "aac", { .voice_aac = true },
          "m=audio 9000 RTP/AVP 102\r\na=recvonly\r\na=rtpmap:102 AAC/8000/1\r\n",
          CAMERA, "," GATE ":0", SIP_TYPE_SDP, DEVICE_UDP, false, false },
        { "tcp", { .voice_tcp = true },
          "a=setup:active\r\na=connection:new\r\n", CAMERA, "," GATE ":0",
          SIP_TYPE_SDP, DEVICE_TCP_CONNECT, false, false },
        { "tcp-passive", { .voice_tcp_passive = true },
          "m=audio 9000 TCP/RTP/AVP 8\r\n", CAMERA, "," GATE ":0", SIP_TYPE_SDP,
          DEVICE_TCP_LISTEN, false, false },
        { "no-y", { .voice_no_y = true }, "PCMA/8000/1\r\nf=v/////a/1/8/1\r\n",
          CAMERA, "," GATE ":0", SIP_TYPE_SDP, DEVICE_UDP, false, false },
        { "own-ids", { .voice_own_ids = true }, "s=Play\r\n", CAMERA,
          "," CAMERA ":0", SIP_TYPE_SDP, DEVICE_UDP, false, false },
        { "from-target", { .voice_from_target = true }, "s=Play\r\n", GATE,
          "," GATE ":0", SIP_TYPE_SDP, DEVICE_UDP, false, false },
        { "type", { .voice_type = true }, "s=Play\r\n", CAMERA, "," GATE ":0",
          "text/plain", DEVICE_UDP, false, false },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        begin(cases[i].f);
        broadcast(GATE);
        assert_true(has("<Result>OK<"));
        assert_int_equal(g.n_invites, 0); /* no port can be told yet */
        assert_int_equal(g.voice.transport, cases[i].transport);
        socket_is(9000);
        if (g.n_invites != 1 || !text_has(g.offer, cases[i].offer) ||
            strcmp(g.from, cases[i].from) != 0 ||
            !text_has(g.subject, SERVER ":02") ||
            !text_has(g.subject, cases[i].subject) ||
            strcmp(g.type, cases[i].type) != 0)
            fail_msg("%s: from %s, subject %s, type %s: %s", cases[i].name,
                     g.from, g.subject, g.type, g.offer);
        assert_int_equal(g.voice.kind, DEVICE_DO_START);
        assert_true(g.voice.is_voice && !g.voice.is_talk);
        assert_int_equal(g.voice.remote.port, 6000);
        assert_int_equal(g.voice.is_ps, cases[i].is_ps);
        assert_int_equal(g.voice.is_ulaw, cases[i].is_ulaw);
        sip_stack_end(g.server, g.dialog, g.now.mono_ms);
        run(200);
        assert_int_equal(g.voice.kind, DEVICE_DO_STOP);
        expect_idle();
        stop();
    }
}

static void what_it_says_to_a_broadcast(void **state)
{
    static const struct {
        const char *name;
        struct voice_faults f;
        const char *target;
        const char *result; /* NULL: nothing is said */
        bool opens;
    } cases[] = {
        { "error", { .voice_error = true }, GATE, "ERROR", false },
        { "silent", { .voice_silent = true }, GATE, NULL, false },
        { "no-invite", { .voice_no_invite = true }, GATE, "OK", false },
        { "device-only", { .voice_device_only = true }, GATE, "ERROR", false },
        { "device-only: it", { .voice_device_only = true }, CAMERA, "OK", true },
        { "first", { .voice_first = true }, GATE, NULL, true },
        { "no-response", { .voice_no_response = true }, GATE, NULL, true },
        { "late", { .voice_late = true }, GATE, "OK", false },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        begin(cases[i].f);
        broadcast(cases[i].target);
        assert_int_equal(g.status, 200);
        if ((g.n_messages != 0) != (cases[i].result != NULL) ||
            (cases[i].result && !has(cases[i].result)) ||
            (g.n_voice != 0) != cases[i].opens)
            fail_msg("%s: %s", cases[i].name, g.got);
        stop();
    }
}

/* Its INVITE overtakes its Response, which comes all the same; or does not. */
static void the_invite_comes_first(void **state)
{
    (void)state;
    for (int owes = 0; owes < 2; owes++) {
        begin((struct voice_faults){ .voice_first = owes,
                                     .voice_no_response = !owes });
        broadcast(GATE);
        socket_is(9000);
        assert_int_equal(g.n_invites, 1);
        assert_int_equal(g.n_messages, owes);
        assert_int_equal(has("<SN>1</SN>") && has("<Result>OK<"), owes);
        stop();
    }
}

static void late(void **state)
{
    (void)state;
    begin((struct voice_faults){ .voice_late = true });
    broadcast(GATE);
    run(13500);
    assert_int_equal(g.n_voice, 0);
    broadcast(YARD);
    assert_true(has("<Result>ERROR<")); /* one voice at a time */
    run(1000);
    socket_is(9000);
    assert_int_equal(g.n_invites, 1);
    stop();
}

/* Refused, answered without a sound, no socket, no answer: it is over, and told. */
static void nothing_comes_of_it(void **state)
{
    (void)state;
    begin((struct voice_faults){ 0 });
    g.answer = NULL;
    broadcast(GATE);
    socket_is(9000);
    assert_string_equal(g.done, "!voice;");
    assert_int_equal(g.voice.kind, DEVICE_DO_STOP);
    g.answer = "v=0\r\no=a 0 0 IN IP4 192.0.2.1\r\ns=Play\r\nt=0 0\r\n";
    broadcast(GATE);
    assert_true(has("<Result>OK<"));
    socket_is(9000);
    assert_int_equal(g.n_invites, 2);
    assert_int_equal(g.voice.kind, DEVICE_DO_STOP);
    broadcast(GATE);
    socket_is(0);
    assert_int_equal(g.n_invites, 2);
    assert_int_equal(g.voice.kind, DEVICE_DO_STOP);
    broadcast(GATE);
    assert_int_equal(g.voice.kind, DEVICE_DO_OPEN);
    run(DEVICE_ANSWERS_MS); /* the edge says nothing */
    assert_int_equal(g.voice.kind, DEVICE_DO_STOP);
    expect_idle();
    stop();
}

/* What is said late of the one before is not its. */
static void lives(void **state)
{
    struct gb_addr local = address(2);
    uint32_t before;

    (void)state;
    begin((struct voice_faults){ 0 });
    broadcast(GATE);
    before = g.voice.life;
    socket_is(9000);
    device_media_lost(g.d, DEVICE_VOICE, before, g.now);
    run(200);
    assert_int_equal(g.voice.kind, DEVICE_DO_STOP);
    broadcast(GATE);
    assert_int_not_equal(g.voice.life, before);
    device_media_opened(g.d, DEVICE_VOICE, before, &local, g.now);
    device_media_lost(g.d, DEVICE_VOICE, before, g.now);
    run(200);
    assert_int_equal(g.n_invites, 1);
    socket_is(9000);
    assert_int_equal(g.n_invites, 2);
    assert_int_equal(g.voice.kind, DEVICE_DO_START);
    stop();
}

/* ---- Talk ------------------------------------------------------------------------- */

static void a_talk(void **state)
{
    static const struct {
        const char *name, *offer;
        struct voice_faults f;
        enum device_transport transport;
        const char *answer;
        uint8_t pt;
    } cases[] = {
        { "udp", talk_by_udp, { 0 }, DEVICE_UDP, "m=audio 9000 RTP/AVP 8\r\n", 8 },
        { "tcp", talk_by_tcp, { 0 }, DEVICE_TCP_CONNECT, "TCP/RTP/AVP 8\r\n", 8 },
        { "avp", talk_by_tcp, { .voice_avp = true }, DEVICE_UDP,
          "m=audio 9000 RTP/AVP 8\r\n", 8 },
        { "pcmu", talk_by_udp, { .voice_pcmu = true }, DEVICE_UDP,
          "m=audio 9000 RTP/AVP 0\r\n", 0 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        uint64_t dialog;

        begin(cases[i].f);
        dialog = invite_to_talk(cases[i].offer);
        assert_int_equal(g.voice.transport, cases[i].transport);
        assert_true(g.voice.is_talk);
        socket_is(9000);
        if (g.status != 200 || !text_has(g.answered, cases[i].answer))
            fail_msg("%s: %u %s", cases[i].name, g.status, g.answered);
        assert_int_equal(g.voice.kind, DEVICE_DO_START);
        assert_true(g.voice.is_voice && g.voice.is_talk && !g.voice.is_ps);
        assert_int_equal(g.voice.pt, cases[i].pt);
        assert_int_equal(g.voice.ssrc, 200000001);
        assert_int_equal(g.voice.remote.port, 6000);
        sip_stack_end(g.server, dialog, g.now.mono_ms);
        run(200);
        assert_int_equal(g.voice.kind, DEVICE_DO_STOP);
        expect_idle();
        stop();
    }
}

static void a_talk_is_refused(void **state)
{
    (void)state;
    begin((struct voice_faults){ .voice_no_talk = true });
    invite_to_talk(talk_by_udp);
    assert_int_equal(g.status, 488);
    assert_int_equal(g.n_voice, 0);
    stop();
    begin((struct voice_faults){ 0 });
    invite_to_talk(talk_by_udp);
    invite_to_talk(talk_by_udp);
    assert_int_equal(g.status, 486); /* somebody speaks already */
    socket_is(0);
    assert_int_equal(g.status, 500);
    assert_int_equal(g.voice.kind, DEVICE_DO_STOP);
    invite_to_talk(talk_by_udp);
    run(DEVICE_ANSWERS_MS); /* the edge says nothing */
    assert_int_equal(g.status, 500);
    expect_idle();
    stop();
}

/* BYE a second after it has begun, of either kind. */
static void bye(void **state)
{
    (void)state;
    for (int talks = 0; talks < 2; talks++) {
        begin((struct voice_faults){ .voice_bye = true });
        if (talks)
            invite_to_talk(talk_by_udp);
        else
            broadcast(GATE);
        socket_is(9000);
        assert_int_equal(g.voice.kind, DEVICE_DO_START);
        run(600);
        assert_int_equal(g.voice.kind, DEVICE_DO_START);
        run(400);
        assert_int_equal(g.voice.kind, DEVICE_DO_STOP);
        expect_idle();
        stop();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_it_offers),
        cmocka_unit_test(what_it_says_to_a_broadcast),
        cmocka_unit_test(the_invite_comes_first),
        cmocka_unit_test(late),
        cmocka_unit_test(nothing_comes_of_it),
        cmocka_unit_test(lives),
        cmocka_unit_test(a_talk),
        cmocka_unit_test(a_talk_is_refused),
        cmocka_unit_test(bye),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
