/* gbcam's sessions: what the edge says late of one that has ended is nobody's,
 * though another has its place. */
#include "test/device_rig.h"

static uint64_t invite(void)
{
    static const char offer[] =
        "v=0\r\no=" SERVER " 0 0 IN IP4 192.0.2.1\r\ns=Play\r\n"
        "c=IN IP4 192.0.2.1\r\nt=0 0\r\n"
        "m=video 6000 TCP/RTP/AVP 96\r\na=recvonly\r\n"
        "a=rtpmap:96 PS/90000\r\na=setup:passive\r\n"
        "a=connection:new\r\ny=0100000001\r\n";
    uint64_t dialog;

    g.opened = (struct device_action){ 0 };
    dialog = invite_gate(SLICE(GATE ":0100000001," SERVER ":1"), offer);
    run(100);
    assert_true(g.opened.life);
    return dialog;
}

static void opened(const struct device_action *a)
{
    struct gb_addr local = address(2);

    g.status = 0;
    device_media_opened(g.d, a->session, a->life, &local, g.now);
    run(100);
}

static void late_word_of_the_one_before(void **state)
{
    const struct sip_request info = { .method = SIP_METHOD_INFO, .expires = -1 };
    struct device_action before;
    uint64_t dialog, id;

    (void)state;
    start(MANSCDP_2022, (struct device_faults){ 0 });
    dialog = invite();
    before = g.opened;
    opened(&before);
    assert_int_equal(g.status, 200);
    sip_stack_end(g.server, dialog, g.now.mono_ms);
    dialog = invite(); /* before the edge has seen the BYE */
    assert_int_equal(g.opened.session, before.session);
    assert_int_not_equal(g.opened.life, before.life);
    g.status = 0;
    device_media_lost(g.d, before.session, before.life, g.now);
    device_media_over(g.d, before.session, before.life, g.now);
    opened(&before);
    assert_int_equal(g.status, 0); /* neither refused nor answered */
    opened(&g.opened);
    assert_int_equal(g.status, 200);
    device_media_lost(g.d, g.opened.session, g.opened.life, g.now);
    run(100);
    assert_int_equal(sip_stack_request_in(g.server, dialog, &info,
                                          g.now.mono_ms, &id), GB_ENOENT);
    stop();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(late_word_of_the_one_before),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
