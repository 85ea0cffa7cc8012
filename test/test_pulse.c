/* app/net/pulse: a mail that comes back, and one that does not */
#include "app/net/pulse.h"
#include "test/support.h"

static void on_closed(void *ctx)
{
    *(bool *)ctx = true;
}

static void silence_is_told(void **state)
{
    struct pulse p = { 0 };
    struct mailbox box;
    bool closed = false;
    uv_loop_t loop;

    (void)state;
    assert_int_equal(uv_loop_init(&loop), 0);
    assert_int_equal(mailbox_init(&box, &loop), 0);
    assert_int_equal(pulse_ask(&p, &box, 1000), 0);
    assert_int_equal(pulse_ask(&p, &box, 2000), 1000); /* nobody has turned */
    assert_int_equal(pulse_ask(&p, &box, 6500), 5500);
    assert_int_equal(box.n, 1); /* one is under way, not three */
    uv_run(&loop, UV_RUN_NOWAIT);
    assert_int_equal(pulse_ask(&p, &box, 7500), 0);
    uv_run(&loop, UV_RUN_NOWAIT);
    assert_int_equal(pulse_ask(&p, &box, 8500), 0);
    mailbox_close(&box, on_closed, &closed); /* with one in it */
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_true(closed);
    assert_int_equal(uv_loop_close(&loop), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(silence_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
