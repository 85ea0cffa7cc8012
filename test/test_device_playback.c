/* gbcam plays a recording: what it is asked for over INFO, what it says to that
 * and tells its edge (GB/T 28181-2022 9.8, Annex B). */
#include "test/device_rig.h"

#include "manscdp/mansrtsp.h"

#define FROM "1699995600" /* it has the last two hours */
#define TO "1699996200"   /* ten minutes */

/* Asks for a recording; the status of the answer. */
static unsigned order(const char *name, const char *times, uint64_t *dialog)
{
    char offer[512];

    snprintf(offer, sizeof(offer),
             "v=0\r\no=" SERVER " 0 0 IN IP4 192.0.2.1\r\ns=%s\r\n"
             "u=" GATE ":0\r\nc=IN IP4 192.0.2.1\r\nt=%s\r\n"
             "m=video 6000 RTP/AVP 96\r\na=recvonly\r\n"
             "a=rtpmap:96 PS/90000\r\na=downloadspeed:4\r\ny=1100000001\r\n",
             name, times);
    g.status = 0;
    g.opened = (struct device_action){ 0 };
    *dialog = invite_gate(SLICE(GATE ":1100000001," SERVER ":1"), offer);
    run(100);
    if (g.opened.life) {
        struct gb_addr local = address(2);

        device_media_opened(g.d, g.opened.session, g.opened.life, &local,
                            g.now);
        run(100);
    }
    return g.status;
}

static unsigned control(uint64_t dialog, const char *body)
{
    const struct sip_request r = { .method = SIP_METHOD_INFO, .expires = -1,
                                   .content_type = SLICE(SIP_TYPE_MANSRTSP),
                                   .body = slice_str(body) };
    uint64_t id;

    g.status = 0;
    g.paced = (struct device_action){ 0 };
    g.n_paced = 0;
    assert_int_equal(sip_stack_request_in(g.server, dialog, &r, g.now.mono_ms,
                                          &id), 0);
    run(100);
    return g.status;
}

#define PLAY(lines) "PLAY RTSP/1.0\r\nCSeq: 2\r\n" lines "\r\n"
#define PAUSE "PAUSE RTSP/1.0\r\nCSeq: 3\r\nPauseTime: now\r\n\r\n"

static void what_it_has(void **state)
{
    static const struct {
        const char *name, *times;
        struct device_faults faults;
        unsigned status;
        int32_t scale_milli;
    } cases[] = {
        { "Playback", FROM " " TO, { 0 }, 200, 1000 },
        { "Download", FROM " " TO, { 0 }, 200, 4000 },
        { "Playback", TO " " FROM, { 0 }, 400, 0 },
        { "Playback", "0 0", { 0 }, 400, 0 },
        { "Playback", "1000000000 1000000600", { 0 }, 404, 0 },
        { "Playback", FROM " " TO, { .no_playback = true }, 488, 0 },
        { "Download", FROM " " TO, { .no_playback = true }, 200, 4000 },
        { "Download", FROM " " TO, { .no_download = true }, 488, 0 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        uint64_t dialog;
        unsigned status;

        start(MANSCDP_2022, cases[i].faults);
        status = order(cases[i].name, cases[i].times, &dialog);
        if (status != cases[i].status ||
            (status == 200 && g.opened.scale_milli != cases[i].scale_milli))
            fail_msg("%s %s: %u, %d", cases[i].name, cases[i].times, status,
                     (int)g.opened.scale_milli);
        stop();
    }
}

/* What it answers, and what its edge is told then. */
static void what_it_does(void **state)
{
    static const struct {
        const char *name, *body;
        struct device_faults faults;
        unsigned status;
        bool paused;
        int32_t scale_milli;
        int64_t position_ms; /* -1: it goes on where it is */
    } cases[] = {
        { "pause", PAUSE, { 0 }, 200, true, 1000, -1 },
        { "on", PLAY("Range: npt=now-\r\n"), { 0 }, 200, false, 1000, -1 },
        { "seek", PLAY("Range: npt=90-\r\n"), { 0 }, 200, false, 1000, 90000 },
        { "fast", PLAY("Scale: 4.0\r\n"), { 0 }, 200, false, 4000, -1 },
        { "slow", PLAY("Scale: 0.5\r\n"), { 0 }, 200, false, 500, -1 },
        { "back", PLAY("Scale: -2.0\r\n"), { 0 }, 200, false, -2000, -1 },
        { "beyond its end", PLAY("Range: npt=601-\r\n"), { 0 }, 488, false, 0,
          0 },
        { "rubbish", "hello\r\n", { 0 }, 400, false, 0, 0 },
        { "an answer", "RTSP/1.0 200 OK\r\nCSeq: 2\r\n\r\n", { 0 }, 400, false,
          0, 0 },
        { "cannot pause", PAUSE, { .no_pause = true }, 501, false, 0, 0 },
        { "cannot seek", PLAY("Range: npt=90-\r\n"), { .no_seek = true }, 488,
          false, 0, 0 },
        { "goes on all the same", PLAY("Range: npt=now-\r\n"),
          { .no_seek = true }, 200, false, 1000, -1 },
        { "has one speed", PLAY("Scale: 4.0\r\n"), { .no_scale = true }, 501,
          false, 0, 0 },
        { "not backwards", PLAY("Scale: -1.0\r\n"), { .no_reverse = true }, 501,
          false, 0, 0 },
        { "but forwards", PLAY("Scale: 2.0\r\n"), { .no_reverse = true }, 200,
          false, 2000, -1 },
        { "backwards in one way", PLAY("Scale: -4.0\r\n"),
          { .one_reverse = true }, 200, false, -1000, -1 },
        { "says yes", PLAY("Scale: 4.0\r\n"), { .scale_ignored = true }, 200,
          false, 1000, -1 },
        { "whole speeds", PLAY("Scale: 2\r\n"), { .whole_scale = true }, 200,
          false, 2000, -1 },
        { "no others", PLAY("Scale: 2.0\r\n"), { .whole_scale = true }, 400,
          false, 0, 0 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        uint64_t dialog;
        unsigned status;

        start(MANSCDP_2022, cases[i].faults);
        assert_int_equal(order("Playback", FROM " " TO, &dialog), 200);
        status = control(dialog, cases[i].body);
        if (status != cases[i].status || g.n_paced != (status == 200) ||
            (g.n_paced && (g.paced.paused != cases[i].paused ||
                           g.paced.scale_milli != cases[i].scale_milli ||
                           g.paced.position_ms != cases[i].position_ms)))
            fail_msg("%s: %u, paced %u: paused %d, %d to %lld", cases[i].name,
                     status, g.n_paced, g.paced.paused,
                     (int)g.paced.scale_milli, (long long)g.paced.position_ms);
        if (status == 200)
            assert_true(text_has(g.answered, "RTSP/1.0 200 OK\r\n"));
        stop();
    }
}

/* An INFO in the dialog of a live picture controls nothing. */
static void no_control_of_a_live_picture(void **state)
{
    uint64_t dialog;

    (void)state;
    start(MANSCDP_2022, (struct device_faults){ 0 });
    assert_int_equal(order("Play", "0 0", &dialog), 200);
    assert_int_equal(control(dialog, PAUSE), 200);
    assert_int_equal(g.n_paced, 0);
    stop();
}

/* It tells its end inside the dialog, and plays once more if it is asked to. */
static void its_end_is_told(void **state)
{
    uint64_t dialog;

    (void)state;
    start(MANSCDP_2022, (struct device_faults){ 0 });
    assert_int_equal(order("Playback", FROM " " TO, &dialog), 200);
    device_media_over(g.d, g.opened.session, g.opened.life, g.now);
    run(100);
    assert_int_equal(g.n_messages, 1);
    assert_true(has("<CmdType>MediaStatus</CmdType>") &&
                has("<NotifyType>121</NotifyType>") &&
                has("<DeviceID>" GATE "</DeviceID>"));
    assert_int_equal(control(dialog, PLAY("Range: npt=0-\r\n")), 200);
    assert_int_equal(g.n_paced, 1);
    stop();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_it_has),
        cmocka_unit_test(what_it_does),
        cmocka_unit_test(no_control_of_a_live_picture),
        cmocka_unit_test(its_end_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
