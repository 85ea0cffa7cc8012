/* The list of those that knocked, as long as an operator lets it grow. */
#include "app/platform/core.h"
#include "app/platform/guard.h"
#include "test/sim.h"

#include <stdio.h>
#include <time.h>

#define MANY 10000

/* Strangers fill it, and the page reads it again and again: all of it in time that
 * grows with its length, not with the square of that. */
static void a_long_list_is_read_in_one_go(void **state)
{
    struct sim_options o = { .config = { .max_pending = MANY } };
    struct platform_pending k = { .id = SLICE("") };
    struct sip_peer peer = { .transport = SIP_UDP };
    struct sim s;
    char id[24];
    unsigned n = 0;
    clock_t begun;

    (void)state;
    assert_true(sim_init(&s, &o));
    for (unsigned i = 0; i < MANY + 5; i++) {
        snprintf(id, sizeof(id), "340200000013%08u", i);
        pending_note(s.p, slice_str(id), SLICE("x"), &peer, SLICE("why"));
    }
    begun = clock();
    while (platform_pending_next(s.p, k.id, &k))
        n++;
    assert_int_equal(n, MANY);
    expect_slice(k.id, "34020000001300000005"); /* the oldest that is left */
    if (clock() - begun > CLOCKS_PER_SEC)
        fail_msg("%.1f s", (double)(clock() - begun) / CLOCKS_PER_SEC);
    assert_false(platform_pending_next(s.p, SLICE("34020000001300000004"), &k));
    sim_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_long_list_is_read_in_one_go),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
