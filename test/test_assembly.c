/* The assembly of answers: every order, repetitions, wrong counts, time. */
#include "test/support.h"

#include "manscdp/assembly.h"

#include <stdio.h>

static const struct slice nvr = S("34020000001180000001");
static const struct slice ipc = S("34020000001320000009");

struct world {
    struct failing_alloc mem;
    struct manscdp_assemblies *s;
    const struct manscdp_row *catalog;
};

static void begin(struct world *w, const struct manscdp_assembly_limits *l)
{
    failing_alloc_init(&w->mem, 0);
    w->s = manscdp_assemblies_new(&w->mem.alloc, NULL, l);
    assert_non_null(w->s);
    w->catalog =
        manscdp_row_find(MANSCDP_QUERY, MANSCDP_CMD_CATALOG, SLICE(""));
}

static void end(struct world *w)
{
    manscdp_assemblies_free(w->s);
    assert_int_equal(w->mem.live, 0);
}

static uint64_t open_at(struct world *w, struct slice device, uint32_t sn,
                        uint64_t now_ms)
{
    uint64_t id = 0;

    assert_int_equal(manscdp_assembly_open(w->s, device, w->catalog, sn, 0,
                                           w, now_ms, &id), 0);
    assert_true(id != 0);
    return id;
}

/* One message of the NVR with the channels first..last. */
static enum manscdp_belongs message(struct world *w, uint32_t sn, int sum,
                                    unsigned first, unsigned last,
                                    uint64_t now_ms)
{
    uint64_t id;
    enum manscdp_belongs b = manscdp_assembly_message(
        w->s, nvr, MANSCDP_CMD_CATALOG, sn, &id);

    if (b == MANSCDP_UNSOLICITED) {
        assert_int_equal(id, 0);
        return b;
    }
    for (unsigned i = first; i <= last; i++) {
        char key[32];
        int n = snprintf(key, sizeof(key), "3402000000131%07u", i);

        manscdp_assembly_item(w->s, id, slice_of(key, (size_t)n));
    }
    manscdp_assembly_end(w->s, id, sum >= 0, sum < 0 ? 0 : (uint32_t)sum, 0,
                         now_ms);
    return b;
}

/* Exactly one event waits, of that kind. */
static struct manscdp_assembly_event
expect(struct world *w, enum manscdp_outcome outcome, bool closed,
       uint32_t received, uint32_t missing)
{
    struct manscdp_assembly_event ev, more;

    if (!manscdp_assembly_event(w->s, &ev))
        fail_msg("no event");
    if (ev.outcome != outcome || ev.closed != closed ||
        ev.received != received || ev.missing != missing)
        fail_msg("outcome %d closed %d received %u missing %u", ev.outcome,
                 ev.closed, ev.received, ev.missing);
    assert_ptr_equal(ev.user, w);
    assert_false(manscdp_assembly_event(w->s, &more));
    return ev;
}

static void expect_none(struct world *w)
{
    struct manscdp_assembly_event ev;

    assert_false(manscdp_assembly_event(w->s, &ev));
}

static void swap(unsigned *a, unsigned *b)
{
    unsigned t = *a;

    *a = *b;
    *b = t;
}

/* Field experience: the first packet of an answer only opened the buffer, and
 * one channel was missing. Every order of four messages, with one of them
 * (also the last) repeated at every place. */
static void one_order(const unsigned *order, unsigned again, unsigned at)
{
    struct world w;
    unsigned sent = 0;
    bool seen[5] = { false };

    begin(&w, NULL);
    open_at(&w, nvr, 7, 0);
    for (unsigned i = 0; i <= 4; i++) {
        if (i == at) {
            message(&w, 7, 4, again, again, i);
            sent += !seen[again];
            seen[again] = true;
            if (sent == 4)
                break;
        }
        if (i == 4)
            break;
        sent += !seen[order[i]];
        seen[order[i]] = true;
        assert_int_equal(message(&w, 7, 4, order[i], order[i], i),
                         MANSCDP_EXACT);
        if (sent == 4)
            break;
        expect_none(&w);
    }
    assert_int_equal(sent, 4);
    expect(&w, MANSCDP_COMPLETE, false, 4, 0);
    manscdp_assembly_tick(w.s, manscdp_assembly_deadline(w.s));
    manscdp_assembly_tick(w.s, manscdp_assembly_deadline(w.s));
    expect(&w, MANSCDP_COMPLETE, true, 4, 0);
    assert_int_equal(manscdp_assembly_count(w.s), 0);
    assert_true(manscdp_assembly_deadline(w.s) == UINT64_MAX);
    end(&w);
}

static void permute(unsigned *p, unsigned n)
{
    if (n == 1) {
        for (unsigned again = 1; again <= 4; again++)
            for (unsigned at = 0; at <= 4; at++)
                one_order(p, again, at);
        return;
    }
    for (unsigned i = 0; i < n; i++) {
        swap(&p[i], &p[n - 1]);
        permute(p, n - 1);
        swap(&p[i], &p[n - 1]);
    }
}

static void note_4_1_every_order_with_every_repetition(void **state)
{
    unsigned order[4] = { 1, 2, 3, 4 };

    (void)state;
    permute(order, 4);
}

static void silence(void **state)
{
    struct world w;
    uint64_t id;

    (void)state;
    begin(&w, NULL);
    id = open_at(&w, nvr, 7, 1000);
    assert_int_equal(manscdp_assembly_deadline(w.s), 31000);
    manscdp_assembly_tick(w.s, 30999);
    expect_none(&w);
    manscdp_assembly_tick(w.s, 31000);
    assert_int_equal(expect(&w, MANSCDP_SILENT, true, 0, 0).id, id);
    assert_int_equal(message(&w, 7, 1, 1, 1, 31001), MANSCDP_UNSOLICITED);
    end(&w);
}

static void a_platform_may_take_longer(void **state)
{
    struct world w;
    uint64_t id;

    (void)state;
    begin(&w, NULL);
    assert_int_equal(manscdp_assembly_open(w.s, nvr, w.catalog, 7, 120000, &w,
                                           0, &id), 0);
    manscdp_assembly_tick(w.s, 119999);
    expect_none(&w);
    manscdp_assembly_tick(w.s, 120000);
    expect(&w, MANSCDP_SILENT, true, 0, 0);
    end(&w);
}

/* The gap counts from each message that has something new; there is no limit
 * for the whole. */
static void note_4_16_slow_devices_outlast_any_total(void **state)
{
    struct world w;

    (void)state;
    begin(&w, NULL);
    open_at(&w, nvr, 7, 0);
    for (unsigned i = 1; i <= 50; i++) {
        message(&w, 7, 60, i, i, i * 9999);
        manscdp_assembly_tick(w.s, i * 9999 + 9998);
        expect_none(&w);
    }
    manscdp_assembly_tick(w.s, 50 * 9999 + 10000);
    expect(&w, MANSCDP_PARTIAL, true, 50, 10);
    end(&w);
}

/* What is repeated is no news. */
static void one_that_repeats_itself(void **state)
{
    struct world w;

    (void)state;
    begin(&w, NULL);
    open_at(&w, nvr, 7, 0);
    for (unsigned i = 1; i < 10; i++)
        message(&w, 7, 60, 1, 5, i * 1000);
    manscdp_assembly_tick(w.s, 10999);
    expect_none(&w);
    manscdp_assembly_tick(w.s, 11000);
    assert_int_equal(expect(&w, MANSCDP_PARTIAL, true, 5, 55).duplicates, 40);
    end(&w);
}

static void wrong_sums(void **state)
{
    struct world w;

    (void)state;
    begin(&w, NULL);
    /* larger than what comes: partial, by the gap */
    open_at(&w, nvr, 1, 0);
    message(&w, 1, 5, 1, 3, 0);
    manscdp_assembly_tick(w.s, 10000);
    expect(&w, MANSCDP_PARTIAL, true, 3, 2);
    /* smaller (each message counts itself): complete, and growing */
    open_at(&w, nvr, 2, 0);
    message(&w, 2, 1, 1, 1, 0);
    expect(&w, MANSCDP_COMPLETE, false, 1, 0);
    message(&w, 2, 1, 2, 2, 9000);
    message(&w, 2, 1, 3, 3, 18000);
    expect_none(&w);
    manscdp_assembly_tick(w.s, 27999);
    expect_none(&w);
    manscdp_assembly_tick(w.s, 28000);
    expect(&w, MANSCDP_COMPLETE, true, 3, 0);
    /* changing: the largest counts, also after the end seemed reached */
    open_at(&w, nvr, 3, 0);
    message(&w, 3, 2, 1, 2, 0);
    expect(&w, MANSCDP_COMPLETE, false, 2, 0);
    message(&w, 3, 4, 3, 3, 1);
    message(&w, 3, 2, 3, 3, 2);
    manscdp_assembly_tick(w.s, 20000);
    assert_int_equal(expect(&w, MANSCDP_PARTIAL, true, 3, 1).duplicates, 1);
    /* absent, with a list: the list, when the gap is over */
    open_at(&w, nvr, 4, 0);
    message(&w, 4, -1, 1, 2, 0);
    expect_none(&w);
    manscdp_assembly_tick(w.s, 10000);
    expect(&w, MANSCDP_COMPLETE, true, 2, 0);
    /* zero, with a list: the same */
    open_at(&w, nvr, 5, 0);
    message(&w, 5, 0, 1, 2, 0);
    expect_none(&w);
    manscdp_assembly_tick(w.s, 10000);
    expect(&w, MANSCDP_COMPLETE, true, 2, 0);
    /* zero and no list: empty, at once */
    open_at(&w, nvr, 6, 0);
    message(&w, 6, 0, 1, 0, 0);
    expect(&w, MANSCDP_COMPLETE, false, 0, 0);
    manscdp_assembly_tick(w.s, 10000);
    expect(&w, MANSCDP_COMPLETE, true, 0, 0);
    /* nothing said and nothing sent: no reason to believe that all is gone */
    open_at(&w, nvr, 7, 0);
    message(&w, 7, -1, 1, 0, 0);
    manscdp_assembly_tick(w.s, 10000);
    expect(&w, MANSCDP_PARTIAL, true, 0, 0);
    end(&w);
}

static void note_4_2_unnamed_and_broken_items(void **state)
{
    struct world w;
    uint64_t id;

    (void)state;
    begin(&w, NULL);
    /* an item without id counts as received */
    id = open_at(&w, nvr, 1, 0);
    manscdp_assembly_message(w.s, nvr, MANSCDP_CMD_CATALOG, 1, &id);
    assert_int_equal(manscdp_assembly_item(w.s, id, SLICE("a")), MANSCDP_NEW);
    assert_int_equal(manscdp_assembly_item(w.s, id, SLICE("")),
                     MANSCDP_UNNAMED);
    manscdp_assembly_end(w.s, id, true, 2, 0, 0);
    assert_int_equal(expect(&w, MANSCDP_COMPLETE, false, 1, 0).unnamed, 1);
    /* but a repeated message with one proves nothing before the gap */
    id = open_at(&w, nvr, 2, 0);
    for (unsigned i = 0; i < 2; i++) {
        manscdp_assembly_message(w.s, nvr, MANSCDP_CMD_CATALOG, 2, &id);
        manscdp_assembly_item(w.s, id, SLICE("a"));
        manscdp_assembly_item(w.s, id, SLICE(""));
        manscdp_assembly_end(w.s, id, true, 3, 0, 0);
        expect_none(&w);
    }
    manscdp_assembly_cancel(w.s, id);
    /* one that could not be read: done, but nothing may be deleted */
    id = open_at(&w, nvr, 3, 0);
    manscdp_assembly_message(w.s, nvr, MANSCDP_CMD_CATALOG, 3, &id);
    manscdp_assembly_item(w.s, id, SLICE("a"));
    manscdp_assembly_end(w.s, id, true, 2, 1, 0);
    assert_int_equal(expect(&w, MANSCDP_PARTIAL, false, 1, 1).broken, 1);
    end(&w);
}

static void unsolicited(void **state)
{
    struct world w;
    uint64_t id;

    (void)state;
    begin(&w, NULL);
    assert_int_equal(message(&w, 9, 1, 1, 1, 0), MANSCDP_UNSOLICITED);
    open_at(&w, ipc, 9, 0);
    assert_int_equal(message(&w, 9, 1, 1, 1, 0), MANSCDP_UNSOLICITED);
    open_at(&w, nvr, 10, 0);
    assert_int_equal(manscdp_assembly_message(w.s, nvr,
                                              MANSCDP_CMD_RECORD_INFO, 10,
                                              &id), MANSCDP_UNSOLICITED);
    /* once its SN has come back, another SN is not of this answer */
    assert_int_equal(message(&w, 10, 3, 1, 1, 0), MANSCDP_EXACT);
    assert_int_equal(message(&w, 11, 1, 2, 2, 0), MANSCDP_UNSOLICITED);
    /* with two open, a foreign SN belongs to neither */
    open_at(&w, nvr, 12, 0);
    assert_int_equal(message(&w, 13, 1, 2, 2, 0), MANSCDP_UNSOLICITED);
    end(&w);
}

static void loose_answers(void **state)
{
    struct world w;

    (void)state;
    begin(&w, NULL);
    /* SN 0: not echoed. Ends by the gap, and counts */
    open_at(&w, nvr, 1, 0);
    assert_int_equal(message(&w, 0, 2, 1, 2, 0), MANSCDP_LOOSE);
    expect_none(&w);
    manscdp_assembly_tick(w.s, 10000);
    expect(&w, MANSCDP_COMPLETE, true, 2, 0);
    /* an SN of its own: may be a change report, so it deletes nothing, and the
     * answer has its whole time yet */
    open_at(&w, nvr, 2, 0);
    assert_int_equal(message(&w, 77, 1, 1, 1, 0), MANSCDP_LOOSE);
    manscdp_assembly_tick(w.s, 10000);
    expect_none(&w);
    manscdp_assembly_tick(w.s, 30000);
    expect(&w, MANSCDP_PARTIAL, true, 1, 0);
    /* the report first, then the answer: all is well */
    open_at(&w, nvr, 3, 0);
    assert_int_equal(message(&w, 78, 1, 1, 1, 0), MANSCDP_LOOSE);
    assert_int_equal(message(&w, 3, 2, 1, 2, 0), MANSCDP_EXACT);
    expect(&w, MANSCDP_COMPLETE, false, 2, 0);
    end(&w);
}

static void single_responses(void **state)
{
    struct world w;
    uint64_t id;

    (void)state;
    begin(&w, NULL);
    w.catalog =
        manscdp_row_find(MANSCDP_QUERY, MANSCDP_CMD_DEVICE_INFO, SLICE(""));
    open_at(&w, nvr, 4, 0);
    assert_int_equal(manscdp_assembly_message(w.s, nvr,
                                              MANSCDP_CMD_DEVICE_INFO, 4,
                                              &id), MANSCDP_EXACT);
    manscdp_assembly_end(w.s, id, true, 5, 0, 1); /* a SumNum means nothing */
    expect(&w, MANSCDP_COMPLETE, true, 0, 0);
    open_at(&w, nvr, 5, 0);
    manscdp_assembly_tick(w.s, 10000);
    expect(&w, MANSCDP_SILENT, true, 0, 0);
    end(&w);
}

static void opening(void **state)
{
    static const struct manscdp_assembly_limits few = { .max_open = 2,
                                                        .max_key = 20 };
    struct manscdp_assembly_event ev;
    struct world w;
    uint64_t id, first;

    (void)state;
    begin(&w, &few);
    first = open_at(&w, nvr, 1, 0);
    assert_int_equal(manscdp_assembly_open(w.s, nvr, w.catalog, 1, 0, &w, 0,
                                           &id), GB_EEXIST);
    open_at(&w, nvr, 2, 0);
    assert_int_equal(manscdp_assembly_open(w.s, nvr, w.catalog, 3, 0, &w, 0,
                                           &id), GB_ELIMIT);
    assert_int_equal(manscdp_assembly_open(w.s, SLICE("340200000013200000019"),
                                           w.catalog, 3, 0, &w, 0, &id),
                     GB_ERANGE);
    assert_int_equal(manscdp_assembly_count(w.s), 2);
    assert_true(manscdp_assembly_status(w.s, first, &ev));
    assert_int_equal(ev.outcome, MANSCDP_SILENT);
    assert_false(ev.closed);
    manscdp_assembly_cancel(w.s, first);
    manscdp_assembly_cancel(w.s, first);
    assert_false(manscdp_assembly_status(w.s, first, &ev));
    assert_int_equal(manscdp_assembly_item(w.s, first, SLICE("x")),
                     MANSCDP_EXCESS);
    manscdp_assembly_end(w.s, first, true, 1, 0, 0);
    open_at(&w, ipc, 2, 0);
    manscdp_assembly_cancel_device(w.s, nvr);
    assert_int_equal(manscdp_assembly_count(w.s), 1);
    manscdp_assembly_cancel_device(w.s, ipc);
    assert_int_equal(manscdp_assembly_count(w.s), 0);
    manscdp_assembly_tick(w.s, UINT64_MAX - 1);
    expect_none(&w);
    end(&w);
}

/* An event that waits does not keep its answer open, nor is it lost. */
static void events_wait(void **state)
{
    struct world w;

    (void)state;
    begin(&w, NULL);
    open_at(&w, nvr, 1, 0);
    message(&w, 1, 1, 1, 1, 0);
    manscdp_assembly_tick(w.s, 10000);
    assert_int_equal(manscdp_assembly_count(w.s), 0);
    open_at(&w, nvr, 1, 0);
    expect(&w, MANSCDP_COMPLETE, true, 1, 0);
    message(&w, 1, 1, 1, 1, 20000);
    end(&w); /* with an event in the queue and an answer open */
}

/* A cancelled answer is not heard of again, whatever was in the queue. */
static void cancelling_takes_events_back(void **state)
{
    struct world w;
    uint64_t id;

    (void)state;
    begin(&w, NULL);
    id = open_at(&w, nvr, 1, 0);
    message(&w, 1, 1, 1, 1, 0);
    manscdp_assembly_cancel(w.s, id); /* told, not closed */
    expect_none(&w);
    id = open_at(&w, nvr, 2, 0);
    open_at(&w, ipc, 2, 0);
    open_at(&w, nvr, 3, 0);
    manscdp_assembly_tick(w.s, 30000); /* all closed, nobody told */
    manscdp_assembly_cancel(w.s, id);
    manscdp_assembly_cancel_device(w.s, ipc);
    expect(&w, MANSCDP_SILENT, true, 0, 0);
    manscdp_assembly_cancel(w.s, id);
    end(&w);
}

static void limits_of_items(void **state)
{
    static const struct manscdp_assembly_limits few = { .max_items = 3,
                                                        .max_key = 20 };
    struct manscdp_assembly_event ev;
    struct world w;
    uint64_t id;

    (void)state;
    begin(&w, &few);
    id = open_at(&w, nvr, 1, 0);
    message(&w, 1, 5, 1, 5, 0);
    ev = expect(&w, MANSCDP_PARTIAL, false, 3, 2);
    assert_int_equal(ev.id, id);
    assert_int_equal(manscdp_assembly_item(w.s, id,
                                           SLICE("123456789012345678901")),
                     MANSCDP_EXCESS);
    end(&w);
}

static void ten_thousand_items(void **state)
{
    struct world w;

    (void)state;
    begin(&w, NULL);
    open_at(&w, nvr, 1, 0);
    message(&w, 1, 20000, 1, 10000, 0);
    message(&w, 1, 20000, 5001, 15000, 0);
    expect_none(&w);
    message(&w, 1, 20000, 10001, 20000, 0);
    assert_int_equal(expect(&w, MANSCDP_COMPLETE, false, 20000, 0).duplicates,
                     10000);
    end(&w);
}

/* Whatever allocation fails: no leak, an error or EXCESS, never a lie. */
static void every_allocation_fails(void **state)
{
    bool passed = false;

    (void)state;
    for (unsigned long at = 1; !passed && at < 100; at++) {
        struct world w;
        uint64_t id;
        int err;

        failing_alloc_init(&w.mem, at);
        w.catalog =
            manscdp_row_find(MANSCDP_QUERY, MANSCDP_CMD_CATALOG, SLICE(""));
        w.s = manscdp_assemblies_new(&w.mem.alloc, NULL, NULL);
        if (!w.s) {
            assert_int_equal(w.mem.live, 0);
            continue;
        }
        err = manscdp_assembly_open(w.s, nvr, w.catalog, 1, 0, &w, 0, &id);
        assert_true(err == 0 || err == GB_ENOMEM);
        if (!err) {
            struct manscdp_assembly_event ev;

            message(&w, 1, 100, 1, 100, 0);
            assert_true(manscdp_assembly_event(w.s, &ev));
            assert_int_equal(ev.received + ev.missing, 100);
            passed = ev.outcome == MANSCDP_COMPLETE;
            assert_int_equal(passed, ev.received == 100);
        }
        end(&w);
    }
    assert_true(passed);
}

/* A model: a bit for each item. Random messages of a random size in a random
 * order, repeated and lost, at random times. */
static void against_a_model(void **state)
{
    uint64_t seed = 991;

    (void)state;
    for (unsigned round = 0; round < 3000; round++) {
        struct world w;
        uint64_t id, now_ms = 0, news_ms = 0;
        unsigned total = 1 + (unsigned)(test_random(&seed) % 40);
        bool have[41] = { false };
        unsigned n = 0, dup = 0, tries = 0;
        struct manscdp_assembly_event ev;

        begin(&w, NULL);
        open_at(&w, nvr, 5, 0);
        while (n < total && tries++ < 60) {
            unsigned k = 1 + (unsigned)(test_random(&seed) % 4);

            now_ms += test_random(&seed) % (news_ms + 10000 - now_ms);
            manscdp_assembly_tick(w.s, now_ms);
            assert_int_equal(
                manscdp_assembly_message(w.s, nvr, MANSCDP_CMD_CATALOG, 5,
                                         &id), MANSCDP_EXACT);
            for (; k; k--) {
                unsigned item = 1 + (unsigned)(test_random(&seed) % total);
                char key[2] = { 'k', (char)item };

                assert_int_equal(
                    manscdp_assembly_item(w.s, id, slice_of(key, 2)),
                    have[item] ? MANSCDP_DUPLICATE : MANSCDP_NEW);
                n += !have[item];
                news_ms = have[item] ? news_ms : now_ms;
                dup += have[item];
                have[item] = true;
            }
            manscdp_assembly_end(w.s, id, true, total, 0, now_ms);
            assert_int_equal(manscdp_assembly_event(w.s, &ev), n == total);
        }
        manscdp_assembly_tick(w.s, now_ms + 10000);
        assert_int_equal(expect(&w,
                                n == total ? MANSCDP_COMPLETE
                                           : MANSCDP_PARTIAL,
                                true, n, total - n).duplicates, dup);
        end(&w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(note_4_1_every_order_with_every_repetition),
        cmocka_unit_test(silence),
        cmocka_unit_test(a_platform_may_take_longer),
        cmocka_unit_test(note_4_16_slow_devices_outlast_any_total),
        cmocka_unit_test(one_that_repeats_itself),
        cmocka_unit_test(wrong_sums),
        cmocka_unit_test(note_4_2_unnamed_and_broken_items),
        cmocka_unit_test(unsolicited),
        cmocka_unit_test(loose_answers),
        cmocka_unit_test(single_responses),
        cmocka_unit_test(opening),
        cmocka_unit_test(events_wait),
        cmocka_unit_test(cancelling_takes_events_back),
        cmocka_unit_test(limits_of_items),
        cmocka_unit_test(ten_thousand_items),
        cmocka_unit_test(every_allocation_fails),
        cmocka_unit_test(against_a_model),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
