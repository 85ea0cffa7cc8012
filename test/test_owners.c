#include "app/net/owners.h"

#include "test/support.h"

static const uint8_t seed[16] = { 1 };
static struct owners *o;

static struct gb_addr at(const char *text)
{
    struct gb_addr a;

    assert_int_equal(gb_addr_parse(&a, slice_str(text), 5060), 0);
    return a;
}

static void add(uint64_t session, uint32_t ssrc, const char *peer)
{
    const struct owner who = { session, (unsigned)session % 4 };
    struct gb_addr a = at(peer);

    assert_int_equal(owners_add(o, &who, ssrc != 0, ssrc, &a), 0);
}

static void answer(uint64_t session, uint32_t ssrc, const char *named,
                   uint64_t now_ms)
{
    struct gb_addr a = { 0 };

    if (named)
        a = at(named);
    owners_answer(o, session, ssrc != 0, ssrc, &a, now_ms);
}

/* Whose a datagram is: 0 nobody's. */
static uint64_t whose(uint32_t ssrc, const char *from, uint64_t now_ms)
{
    struct gb_addr a = at(from);
    struct owner who;

    if (owners_find_from(o, ssrc, &a, now_ms, &who) != OWNERS_HIS)
        return 0;
    assert_int_equal(who.loop, who.session % 4);
    return who.session;
}

static int begin(void **state)
{
    (void)state;
    return owners_new(&o, seed);
}

static int finish(void **state)
{
    (void)state;
    owners_free(o);
    return 0;
}

static void by_ssrc(void **state)
{
    const struct owner same = { 9, 0 }, again = { 7, 0 };
    struct gb_addr peer = at("10.0.0.7");
    struct owner who;

    (void)state;
    add(7, 100, "10.0.0.7");
    add(8, 101, "10.0.0.7");
    assert_int_equal(whose(100, "1.2.3.4", 0), 7);
    assert_int_equal(whose(101, "1.2.3.4", 0), 8);
    assert_int_equal(whose(102, "1.2.3.4", 0), 0);
    assert_int_equal(owners_add(o, &same, true, 100, &peer), GB_EEXIST);
    assert_int_equal(owners_add(o, &again, true, 105, &peer), GB_EEXIST);
    assert_int_equal(owners_find(o, 105, 0, &who), OWNERS_NOBODY);
    /* the answer's, beside the offered one; never one that another has */
    answer(7, 200, NULL, 0);
    assert_int_equal(whose(200, "1.2.3.4", 0), 7);
    assert_int_equal(whose(100, "1.2.3.4", 0), 7);
    answer(7, 101, NULL, 0);
    assert_int_equal(whose(101, "1.2.3.4", 0), 8);
    answer(7, 300, NULL, 0);
    assert_int_equal(whose(300, "1.2.3.4", 0), 7);
    assert_int_equal(whose(200, "1.2.3.4", 0), 0);
    owners_remove(o, 7, 0);
    owners_remove(o, 7, 0);
    answer(7, 400, NULL, 0);
    assert_int_equal(whose(400, "1.2.3.4", 0), 0);
}

/* A device goes on sending after its session's end: nobody's, and no stranger's
 * that may be adopted. */
static void ended_ones_rest(void **state)
{
    struct owner who;

    (void)state;
    add(7, 100, "10.0.0.7");
    answer(7, 200, NULL, 0);
    owners_remove(o, 7, 1000);
    add(8, 101, "10.0.0.7");
    answer(8, 0, NULL, 1000);
    for (uint32_t ssrc = 100; ssrc <= 200; ssrc += 100) {
        assert_int_equal(owners_find(o, ssrc, 60999, &who), OWNERS_RESTS);
        assert_int_equal(whose(ssrc, "10.0.0.7:6000", 60999), 0);
    }
    assert_int_equal(owners_find(o, 100, 61000, &who), OWNERS_NOBODY);
    add(9, 200, "10.0.0.9"); /* lent again */
    assert_int_equal(whose(200, "10.0.0.9:1", 61000), 9);
    owners_remove(o, 9, 70000);
    assert_int_equal(owners_find(o, 200, 70001, &who), OWNERS_RESTS);
}

/* Whose it was is told once, and not of what was on its way at the end. */
static void one_that_goes_on_is_told(void **state)
{
    struct owner who = { .session = 1 };
    struct gb_addr from;

    (void)state;
    gb_addr_parse(&from, SLICE("10.0.0.7:6000"), 0);
    add(7, 100, "10.0.0.7");
    owners_remove(o, 7, 1000);
    assert_int_equal(owners_find(o, 100, 1000 + OWNERS_AFTER_MS - 1, &who),
                     OWNERS_RESTS);
    assert_int_equal(who.session, 0);
    assert_int_equal(owners_find_from(o, 100, &from, 1000 + OWNERS_AFTER_MS,
                                      &who), OWNERS_RESTS);
    assert_int_equal(who.session, 7);
    assert_int_equal(owners_find(o, 100, 1000 + OWNERS_AFTER_MS, &who),
                     OWNERS_RESTS);
    assert_int_equal(who.session, 0);
}

/* So many have ended: the table forgets the oldest, and grows no further. */
static void rest_is_bounded(void **state)
{
    struct owner who;

    (void)state;
    for (uint32_t i = 1; i <= OWNERS_RESTING + 5; i++) {
        add(i, 1000 + i, "10.0.0.7");
        owners_remove(o, i, 0);
    }
    assert_int_equal(owners_find(o, 1005, 1, &who), OWNERS_NOBODY);
    assert_int_equal(owners_find(o, 1006, 1, &who), OWNERS_RESTS);
}

static void one_waits_and_adopts(void **state)
{
    (void)state;
    add(7, 100, "10.0.0.7");
    assert_int_equal(whose(0, "10.0.0.7:6000", 5000), 0); /* not answered */
    answer(7, 100, "10.0.0.8", 5000);
    assert_int_equal(whose(0, "10.0.0.7:6000", 5999), 0); /* grace */
    assert_int_equal(whose(0, "10.0.0.9:6000", 6000), 0); /* who is that? */
    assert_int_equal(whose(0, "10.0.0.7:6000", 6000), 7);
    owners_wait(o, 7, false);
    assert_int_equal(whose(0, "10.0.0.7:6000", 6000), 7);
    assert_int_equal(whose(5, "10.0.0.7:6000", 6000), 0);
    assert_int_equal(whose(0, "10.0.0.7:6002", 6000), 0); /* another one's */
    /* silent again: its NAT has another port, then c= has another address */
    owners_wait(o, 7, true);
    assert_int_equal(whose(0, "10.0.0.7:6002", 9000), 7);
    assert_int_equal(whose(9, "10.0.0.8:6002", 10000), 7);
    owners_wait(o, 7, false);
    assert_int_equal(whose(0, "10.0.0.7:6002", 10000), 0);
    assert_int_equal(whose(100, "10.0.0.7:6002", 10000), 7);
}

static void several_wait(void **state)
{
    struct gb_addr from = at("10.0.0.7:6000");
    struct owner who;

    (void)state;
    add(7, 100, "10.0.0.7");
    add(8, 101, "10.0.0.7");
    add(9, 102, "10.0.0.9");
    for (uint64_t s = 7; s <= 9; s++)
        answer(s, 0, NULL, 0);
    assert_int_equal(owners_find_from(o, 0, &from, 2000, &who),
                     OWNERS_SEVERAL);
    assert_int_equal(owners_guess(o, &from, 2000, &who), OWNERS_SEVERAL);
    assert_int_equal(owners_astray(o, 7), 2);
    assert_int_equal(owners_astray(o, 8), 2);
    assert_int_equal(owners_astray(o, 9), 0);
    owners_wait(o, 7, false);
    assert_int_equal(owners_guess(o, &from, 2000, &who), OWNERS_HIS);
    assert_int_equal(who.session, 8);
    assert_int_equal(owners_astray(o, 8), 2);
    assert_true(owners_knows(o, &from));
    from = at("10.0.0.77:6000");
    assert_false(owners_knows(o, &from));
}

/* Of two of a device the one that was answered first waits alone for a moment: it
 * adopts nobody, since the sender may be the other's; nor is the sender that it
 * has then been given replaced by the next that comes. */
static void one_after_the_other(void **state)
{
    (void)state;
    add(7, 100, "10.0.0.7");
    add(8, 101, "10.0.0.7");
    answer(7, 0, NULL, 1000);
    answer(8, 0, NULL, 1100);
    assert_int_equal(whose(55, "10.0.0.7:6000", 2050), 0);
    assert_int_equal(owners_astray(o, 7), 0);
    assert_int_equal(whose(101, "10.0.0.7:6002", 2060), 8);
    owners_wait(o, 8, false);
    assert_int_equal(whose(55, "10.0.0.7:6000", 2070), 7);
    assert_int_equal(whose(56, "10.0.0.7:6004", 2080), 0);
    assert_int_equal(whose(55, "10.0.0.7:6000", 2090), 7);
    assert_int_equal(whose(56, "10.0.0.7:6004", 2070 + OWNERS_GRACE_MS), 7);
    assert_int_equal(whose(55, "10.0.0.7:6000", 2080 + OWNERS_GRACE_MS), 0);
}

/* One leaves, to a port of its own: what its device still sends is not taken for
 * the other's. */
static void one_leaves(void **state)
{
    (void)state;
    add(7, 100, "10.0.0.7");
    add(8, 101, "10.0.0.7");
    add(9, 102, "10.0.0.9");
    for (uint64_t s = 7; s <= 9; s++)
        answer(s, 0, NULL, 0);
    assert_int_equal(whose(0, "10.0.0.7:6000", 8000), 0);
    owners_remove(o, 7, 9000);
    assert_int_equal(whose(0, "10.0.0.7:6000", 9000), 0);
    assert_int_equal(whose(0, "10.0.0.9:6000", 9000), 9);
    assert_int_equal(whose(0, "10.0.0.7:6002", 9000 + OWNERS_GRACE_MS), 8);
    add(10, 103, "10.0.0.7");
    answer(10, 0, NULL, 10000);
    owners_remove(o, 8, 12000); /* the sender that it had adopted goes on */
    assert_int_equal(whose(0, "10.0.0.7:6002", 12000), 0);
}

/* The loop that asks has begun its turn before the one that answered or ended. */
static void clocks_of_two_loops(void **state)
{
    struct owner who;

    (void)state;
    add(7, 100, "10.0.0.7");
    answer(7, 0, NULL, 1005);
    owners_wait(o, 7, true);
    assert_int_equal(whose(55, "10.0.0.7:6000", 1000), 0);
    assert_int_equal(whose(55, "10.0.0.7:6000", 1005 + OWNERS_GRACE_MS), 7);
    owners_remove(o, 7, 3005);
    assert_int_equal(owners_find(o, 100, 3000, &who), OWNERS_RESTS);
    assert_int_equal(who.session, 0);
}

/* Unknown senders in a flood: so many are looked for in a second. */
static void searches_are_bounded(void **state)
{
    (void)state;
    add(7, 100, "10.0.0.7");
    answer(7, 0, NULL, 0);
    for (unsigned i = 0; i < OWNERS_SEARCHES; i++)
        assert_int_equal(whose(i + 1000, "1.2.3.4:5", 5000), 0);
    assert_int_equal(whose(0, "10.0.0.7:6000", 5999), 0);
    assert_int_equal(whose(100, "10.0.0.7:6000", 5999), 7);
    assert_int_equal(whose(0, "10.0.0.7:6000", 6000), 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(by_ssrc, begin, finish),
        cmocka_unit_test_setup_teardown(ended_ones_rest, begin, finish),
        cmocka_unit_test_setup_teardown(one_that_goes_on_is_told, begin, finish),
        cmocka_unit_test_setup_teardown(rest_is_bounded, begin, finish),
        cmocka_unit_test_setup_teardown(one_waits_and_adopts, begin, finish),
        cmocka_unit_test_setup_teardown(several_wait, begin, finish),
        cmocka_unit_test_setup_teardown(one_after_the_other, begin, finish),
        cmocka_unit_test_setup_teardown(one_leaves, begin, finish),
        cmocka_unit_test_setup_teardown(clocks_of_two_loops, begin, finish),
        cmocka_unit_test_setup_teardown(searches_are_bounded, begin, finish),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
