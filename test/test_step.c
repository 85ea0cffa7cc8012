#include "test/support.h"

#include "app/platform/step.h"

static void names(void **state)
{
    (void)state;
    assert_string_equal(platform_step_name(PLATFORM_STEP_DEVICE), "device");
    assert_string_equal(platform_step_name(PLATFORM_STEP_ENDED), "ended");
    assert_string_equal(platform_step_text(PLATFORM_STEP_PACKET),
                        "RTP arrives");
}

/* What waits for the device is late; what it refused, and what is ours, is not. */
static void what_is_late(void **state)
{
    static const struct {
        enum platform_step step;
        unsigned sip_status;
        bool late;
    } cases[] = {
        { PLATFORM_STEP_DEVICE, 0, false },
        { PLATFORM_STEP_SOCKET, 0, false },
        { PLATFORM_STEP_INVITE, 0, false },
        { PLATFORM_STEP_ANSWER, 0, true },
        { PLATFORM_STEP_ANSWER, 183, true },
        { PLATFORM_STEP_ANSWER, 200, false }, /* an SDP we cannot use */
        { PLATFORM_STEP_ANSWER, 408, true },
        { PLATFORM_STEP_ANSWER, 486, false },
        { PLATFORM_STEP_CONNECT, 200, true },
        { PLATFORM_STEP_PACKET, 200, true },
        { PLATFORM_STEP_PROGRAM, 200, true },
        { PLATFORM_STEP_CODEC, 200, true },
        { PLATFORM_STEP_KEY, 200, true },
        { PLATFORM_STEP_PLAYING, 200, false },
        { PLATFORM_STEP_ENDED, 200, false },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        if (platform_step_is_late(cases[i].step, cases[i].sip_status) !=
            cases[i].late)
            fail_msg("%s, %u", platform_step_name(cases[i].step),
                     cases[i].sip_status);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names),
        cmocka_unit_test(what_is_late),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
