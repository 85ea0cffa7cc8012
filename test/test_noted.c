/* One line for each peer and kind, whatever a flood does. */
#include "app/net/noted.h"
#include "test/support.h"

static struct noted n;

static bool take(enum noted_kind kind, const char *ip, uint64_t now_ms,
                 uint32_t *silent)
{
    struct gb_addr a;
    uint64_t left_out;

    assert_int_equal(gb_addr_parse(&a, slice_str(ip), 5060), 0);
    return noted_take(&n, kind, &a, now_ms, silent, &left_out);
}

static void once_for_each_peer_and_kind(void **state)
{
    uint32_t silent = 99;

    (void)state;
    n = (struct noted){ 0 };
    assert_true(take(NOTED_SIP, "192.0.2.1:1", 1000, &silent));
    assert_int_equal(silent, 0);
    assert_false(take(NOTED_SIP, "192.0.2.1:2", 2000, &silent));
    assert_true(take(NOTED_RTP, "192.0.2.1:1", 2000, &silent));
    assert_true(take(NOTED_SIP, "[2001:db8::1]:1", 2000, &silent));
    assert_false(take(NOTED_SIP, "192.0.2.1:1", 1000 + NOTED_AGAIN_MS - 1,
                      &silent));
    assert_true(take(NOTED_SIP, "192.0.2.1:1", 1000 + NOTED_AGAIN_MS,
                     &silent));
    assert_int_equal(silent, 2);
}

/* 100,000 addresses in a second: a burst of lines, then what the rate allows,
 * and the rest is counted. */
static void many_peers_have_one_budget(void **state)
{
    uint32_t silent;
    uint64_t left_out = 0, told = 0, missed = 0;

    (void)state;
    n = (struct noted){ 0 };
    for (uint32_t i = 0; i < 100000; i++) {
        struct gb_addr a = { .family = GB_IPV4,
                             .ip = { 10, (uint8_t)(i >> 16),
                                     (uint8_t)(i >> 8), (uint8_t)i } };

        if (noted_take(&n, NOTED_SIP, &a, 1000 + i / 100, &silent,
                       &left_out)) {
            told++;
            missed += left_out;
        }
    }
    assert_int_equal(told, NOTED_BURST + NOTED_LINES_PER_S - 1);
    assert_int_equal(missed + told + n.left_out, 100000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(once_for_each_peer_and_kind),
        cmocka_unit_test(many_peers_have_one_budget),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
