/* Lists that the page and a monitor read again and again, as long as they may
 * become: all of one in time that grows with its length, not with its square. */
#include "app/platform/core.h"
#include "app/platform/guard.h"
#include "app/platform/pushes.h"
#include "test/session_rig.h"

#include <stdio.h>
#include <time.h>

#define MANY 10000    /* takes milliseconds, and seconds where each is counted to */
#define SESSIONS 8000 /* of 9999 SSRCs */
#define ROUNDS 10

static void in_one_go(clock_t begun)
{
    if (clock() - begun > CLOCKS_PER_SEC / 2)
        fail_msg("%.1f s", (double)(clock() - begun) / CLOCKS_PER_SEC);
}

/* Strangers fill it. */
static void those_that_knocked(void **state)
{
    struct sim_options o = { .config = { .max_pending = MANY } };
    struct platform_pending k = { .id = SLICE("") };
    struct sip_peer peer = { .transport = SIP_UDP };
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
    in_one_go(begun);
    assert_false(platform_pending_next(s.p, SLICE("34020000001300000004"), &k));
    sim_free(&s);
}

static void sessions(void **state)
{
    struct sim_options o = { .config = { .auto_enrol = true,
                                         .max_sessions = SESSIONS,
                                         .port_min = 10000,
                                         .port_max = 65000 } };
    struct platform_session v = { .id = 0 };
    char id[24];
    uint64_t last = 0;
    unsigned n = 0;
    clock_t begun;

    (void)state;
    ready_at("192.168.1.10:5060", SIP_UDP, &o);
    for (unsigned i = 0; i < SESSIONS; i++) {
        struct platform_live l = { .device = slice_str(nvr) };

        snprintf(id, sizeof(id), "340200000013%08u", i);
        l.channel = slice_str(id);
        assert_int_equal(platform_live_start(s.p, &l, s.now, &v), 0);
        last = v.id;
    }
    begun = clock();
    for (unsigned i = 0; i < ROUNDS; i++)
        for (v.id = 0; platform_session_next(s.p, v.id, &v);)
            n++;
    assert_int_equal(n, ROUNDS * SESSIONS);
    assert_true(v.id == last);
    in_one_go(begun);
    assert_false(platform_session_next(s.p, last + SESSIONS, &v));
    sim_free(&s);
}

/* A list of channels asks for those of each. */
static void pushes_of_channels(void **state)
{
    const struct gb_time now = { .mono_ms = 1 };
    const struct slice device = SLICE("34020000001180000001");
    struct slice url = SLICE("rtsp://a/b");
    struct pushes *p;
    struct push_view v;
    char id[24];
    unsigned n = 0;
    clock_t begun;

    (void)state;
    assert_int_equal(pushes_new(&p, &gb_alloc_heap, NULL, false), 0);
    for (unsigned i = 0; i < PUSHES_MAX; i++) {
        struct pushes_of of = { .device = device, .url = &url, .n = 1 };

        snprintf(id, sizeof(id), "340200000013%08u", i);
        of.channel = slice_str(id);
        assert_int_equal(pushes_set(p, &of, now), 0);
    }
    begun = clock();
    for (unsigned i = 0; i < MANY; i++) {
        struct pushes_walk w = { 0 };

        snprintf(id, sizeof(id), "340200000013%08u", i);
        while (pushes_next(p, device, slice_str(id), &w, &v))
            n++;
    }
    assert_int_equal(n, PUSHES_MAX);
    in_one_go(begun);
    pushes_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(those_that_knocked),
        cmocka_unit_test(sessions),
        cmocka_unit_test(pushes_of_channels),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
