/* sip/trans: the figures cell by cell, and the timers in exact time. */
#include "test/support.h"

#include "sip/trans.h"

static const struct sip_timers timers = { SIP_T1_MS, SIP_T2_MS, SIP_T4_MS };

#define NO GB_NEVER

/* What the figures say, written from the text of RFC 3261 §17 and RFC 6026
 * and not from trans.c: state, event, next state, acts, and when the two
 * timers fire after an event at 1000000 (relative; NO: stopped). */
struct cell {
    enum sip_trans_kind kind;
    bool reliable;
    enum sip_trans_state from;
    enum sip_trans_event ev;
    enum sip_trans_state to;
    unsigned acts;
    uint64_t retry_ms, end_ms;
};

/* Before each cell: retry at +300 with interval 1000, end at +900 */
#define RETRY 300
#define END 900

#define TRY SIP_TS_TRYING
#define PRO SIP_TS_PROCEEDING
#define COM SIP_TS_COMPLETED
#define CON SIP_TS_CONFIRMED
#define ACC SIP_TS_ACCEPTED
#define OUT SIP_TS_ENDED
#define FREE SIP_TA_FREE
#define DEAD SIP_TA_TIMED_OUT | FREE, NO, NO
#define LOST SIP_TA_BROKEN | FREE, NO, NO

/* clang-format off */
static const struct cell cells[] = {
    { SIP_ICT, 0, TRY, SIP_TE_START,    TRY, SIP_TA_SEND, 500, 32000 },
    { SIP_ICT, 1, TRY, SIP_TE_START,    TRY, SIP_TA_SEND, NO, 32000 },
    { SIP_ICT, 0, TRY, SIP_TE_1XX,      PRO, SIP_TA_PASS, NO, NO },
    { SIP_ICT, 0, TRY, SIP_TE_2XX,      ACC, SIP_TA_PASS, NO, 32000 },
    { SIP_ICT, 1, TRY, SIP_TE_2XX,      ACC, SIP_TA_PASS, NO, 32000 },
    { SIP_ICT, 0, TRY, SIP_TE_FINAL,    COM, SIP_TA_ACK | SIP_TA_PASS, NO, 32000 },
    { SIP_ICT, 1, TRY, SIP_TE_FINAL,    OUT, SIP_TA_ACK | SIP_TA_PASS | FREE, NO, NO },
    { SIP_ICT, 0, TRY, SIP_TE_RETRY,    TRY, SIP_TA_RESEND, 2000, END },
    { SIP_ICT, 0, TRY, SIP_TE_END,      OUT, DEAD },
    { SIP_ICT, 0, TRY, SIP_TE_IO_ERROR, OUT, LOST },
    { SIP_ICT, 0, PRO, SIP_TE_1XX,      PRO, SIP_TA_PASS, RETRY, END },
    { SIP_ICT, 0, PRO, SIP_TE_2XX,      ACC, SIP_TA_PASS, NO, 32000 },
    { SIP_ICT, 0, PRO, SIP_TE_FINAL,    COM, SIP_TA_ACK | SIP_TA_PASS, NO, 32000 },
    { SIP_ICT, 1, PRO, SIP_TE_FINAL,    OUT, SIP_TA_ACK | SIP_TA_PASS | FREE, NO, NO },
    { SIP_ICT, 0, PRO, SIP_TE_CANCEL,   PRO, 0, RETRY, 32000 },
    { SIP_ICT, 0, PRO, SIP_TE_END,      OUT, DEAD },
    { SIP_ICT, 0, PRO, SIP_TE_IO_ERROR, OUT, LOST },
    { SIP_ICT, 0, COM, SIP_TE_FINAL,    COM, SIP_TA_ACK, RETRY, END },
    { SIP_ICT, 0, COM, SIP_TE_END,      OUT, FREE, NO, NO },
    { SIP_ICT, 0, COM, SIP_TE_IO_ERROR, OUT, LOST },
    { SIP_ICT, 0, ACC, SIP_TE_2XX,      ACC, SIP_TA_PASS, RETRY, END },
    { SIP_ICT, 0, ACC, SIP_TE_END,      OUT, FREE, NO, NO },

    { SIP_NICT, 0, TRY, SIP_TE_START,    TRY, SIP_TA_SEND, 500, 32000 },
    { SIP_NICT, 1, TRY, SIP_TE_START,    TRY, SIP_TA_SEND, NO, 32000 },
    { SIP_NICT, 0, TRY, SIP_TE_1XX,      PRO, SIP_TA_PASS, RETRY, END },
    { SIP_NICT, 0, TRY, SIP_TE_2XX,      COM, SIP_TA_PASS, NO, 5000 },
    { SIP_NICT, 1, TRY, SIP_TE_2XX,      OUT, SIP_TA_PASS | FREE, NO, NO },
    { SIP_NICT, 0, TRY, SIP_TE_FINAL,    COM, SIP_TA_PASS, NO, 5000 },
    { SIP_NICT, 1, TRY, SIP_TE_FINAL,    OUT, SIP_TA_PASS | FREE, NO, NO },
    { SIP_NICT, 0, TRY, SIP_TE_RETRY,    TRY, SIP_TA_RESEND, 2000, END },
    { SIP_NICT, 0, TRY, SIP_TE_END,      OUT, DEAD },
    { SIP_NICT, 0, TRY, SIP_TE_IO_ERROR, OUT, LOST },
    { SIP_NICT, 0, PRO, SIP_TE_1XX,      PRO, SIP_TA_PASS, RETRY, END },
    { SIP_NICT, 0, PRO, SIP_TE_2XX,      COM, SIP_TA_PASS, NO, 5000 },
    { SIP_NICT, 0, PRO, SIP_TE_FINAL,    COM, SIP_TA_PASS, NO, 5000 },
    { SIP_NICT, 0, PRO, SIP_TE_RETRY,    PRO, SIP_TA_RESEND, 4000, END },
    { SIP_NICT, 0, PRO, SIP_TE_END,      OUT, DEAD },
    { SIP_NICT, 0, PRO, SIP_TE_IO_ERROR, OUT, LOST },
    { SIP_NICT, 0, COM, SIP_TE_END,      OUT, FREE, NO, NO },

    { SIP_IST, 0, TRY, SIP_TE_START,    PRO, SIP_TA_SEND | SIP_TA_PASS, RETRY, END },
    { SIP_IST, 0, PRO, SIP_TE_REQUEST,  PRO, SIP_TA_RESEND, RETRY, END },
    { SIP_IST, 0, PRO, SIP_TE_1XX,      PRO, SIP_TA_SEND, RETRY, END },
    { SIP_IST, 0, PRO, SIP_TE_2XX,      ACC, SIP_TA_SEND, NO, 32000 },
    { SIP_IST, 1, PRO, SIP_TE_2XX,      ACC, SIP_TA_SEND, NO, 32000 },
    { SIP_IST, 0, PRO, SIP_TE_FINAL,    COM, SIP_TA_SEND, 500, 32000 },
    { SIP_IST, 1, PRO, SIP_TE_FINAL,    COM, SIP_TA_SEND, NO, 32000 },
    { SIP_IST, 0, PRO, SIP_TE_END,      OUT, DEAD },
    { SIP_IST, 0, PRO, SIP_TE_IO_ERROR, OUT, LOST },
    { SIP_IST, 0, COM, SIP_TE_REQUEST,  COM, SIP_TA_RESEND, RETRY, END },
    { SIP_IST, 0, COM, SIP_TE_ACK,      CON, 0, NO, 5000 },
    { SIP_IST, 1, COM, SIP_TE_ACK,      OUT, FREE, NO, NO },
    { SIP_IST, 0, COM, SIP_TE_RETRY,    COM, SIP_TA_RESEND, 2000, END },
    { SIP_IST, 0, COM, SIP_TE_END,      OUT, DEAD },
    { SIP_IST, 0, COM, SIP_TE_IO_ERROR, OUT, LOST },
    { SIP_IST, 0, CON, SIP_TE_END,      OUT, FREE, NO, NO },
    { SIP_IST, 0, ACC, SIP_TE_2XX,      ACC, SIP_TA_SEND, RETRY, END },
    { SIP_IST, 0, ACC, SIP_TE_ACK,      ACC, SIP_TA_PASS, RETRY, END },
    { SIP_IST, 0, ACC, SIP_TE_END,      OUT, FREE, NO, NO },
    { SIP_IST, 0, ACC, SIP_TE_IO_ERROR, ACC, SIP_TA_BROKEN, RETRY, END },

    { SIP_NIST, 0, TRY, SIP_TE_START,    TRY, SIP_TA_PASS, RETRY, 32000 },
    { SIP_NIST, 0, TRY, SIP_TE_1XX,      PRO, SIP_TA_SEND, RETRY, END },
    { SIP_NIST, 0, TRY, SIP_TE_2XX,      COM, SIP_TA_SEND, NO, 32000 },
    { SIP_NIST, 1, TRY, SIP_TE_2XX,      OUT, SIP_TA_SEND | FREE, NO, NO },
    { SIP_NIST, 0, TRY, SIP_TE_FINAL,    COM, SIP_TA_SEND, NO, 32000 },
    { SIP_NIST, 1, TRY, SIP_TE_FINAL,    OUT, SIP_TA_SEND | FREE, NO, NO },
    { SIP_NIST, 0, TRY, SIP_TE_END,      OUT, DEAD },
    { SIP_NIST, 0, TRY, SIP_TE_IO_ERROR, OUT, LOST },
    { SIP_NIST, 0, PRO, SIP_TE_REQUEST,  PRO, SIP_TA_RESEND, RETRY, END },
    { SIP_NIST, 0, PRO, SIP_TE_1XX,      PRO, SIP_TA_SEND, RETRY, END },
    { SIP_NIST, 0, PRO, SIP_TE_2XX,      COM, SIP_TA_SEND, NO, 32000 },
    { SIP_NIST, 0, PRO, SIP_TE_FINAL,    COM, SIP_TA_SEND, NO, 32000 },
    { SIP_NIST, 0, PRO, SIP_TE_END,      OUT, DEAD },
    { SIP_NIST, 0, PRO, SIP_TE_IO_ERROR, OUT, LOST },
    { SIP_NIST, 0, COM, SIP_TE_REQUEST,  COM, SIP_TA_RESEND, RETRY, END },
    { SIP_NIST, 0, COM, SIP_TE_END,      OUT, FREE, NO, NO },
    { SIP_NIST, 0, COM, SIP_TE_IO_ERROR, OUT, LOST },
};
/* clang-format on */

#define NOW 1000000

static uint64_t after(uint64_t rel_ms)
{
    return rel_ms == NO ? NO : NOW + rel_ms;
}

static struct sip_trans before(enum sip_trans_kind kind, bool reliable,
                               enum sip_trans_state from)
{
    return (struct sip_trans){ .kind = (uint8_t)kind,
                               .state = (uint8_t)from,
                               .reliable = reliable,
                               .interval_ms = 1000,
                               .retry_ms = NOW + RETRY,
                               .end_ms = NOW + END };
}

static void every_cell_of_the_figures(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cells); i++) {
        const struct cell *c = &cells[i];
        struct sip_trans t = before(c->kind, c->reliable, c->from);
        unsigned acts = sip_trans_input(&t, c->ev, &timers, NOW);

        if (t.state != c->to || acts != c->acts ||
            t.retry_ms != after(c->retry_ms) || t.end_ms != after(c->end_ms))
            fail_msg("%s, %s, %s%s: to %s, acts %#x, retry %lld, end %lld",
                     sip_trans_kind_name(c->kind),
                     sip_trans_state_name(c->from),
                     sip_trans_event_name(c->ev),
                     c->reliable ? " (reliable)" : "",
                     sip_trans_state_name(t.state), acts,
                     (long long)(t.retry_ms - NOW),
                     (long long)(t.end_ms - NOW));
    }
}

static bool in_the_figures(unsigned kind, unsigned from, unsigned ev)
{
    for (size_t i = 0; i < COUNT(cells); i++)
        if (cells[i].kind == kind && cells[i].from == from &&
            cells[i].ev == ev)
            return true;
    return false;
}

static void every_other_cell_does_nothing(void **state)
{
    unsigned n = 0;

    (void)state;
    for (unsigned k = 0; k < SIP_TRANS_KINDS; k++)
        for (unsigned s = 0; s < SIP_TS_STATES; s++)
            for (unsigned e = 0; e < SIP_TE_EVENTS; e++) {
                struct sip_trans t = before(k, false, s);
                struct sip_trans was = t;

                if (in_the_figures(k, s, e))
                    continue;
                n++;
                if (sip_trans_input(&t, e, &timers, NOW) ||
                    t.state != was.state || t.retry_ms != was.retry_ms ||
                    t.end_ms != was.end_ms)
                    fail_msg("%s, %s, %s is not empty", sip_trans_kind_name(k),
                             sip_trans_state_name(s), sip_trans_event_name(e));
            }
    assert_true(n > 100);
}

/* Runs the clock to the machine's end; the times of acts in `which`. */
static size_t run(struct sip_trans *t, unsigned which, uint64_t *at, size_t max)
{
    size_t n = 0;

    while (sip_trans_deadline(t) != GB_NEVER) {
        uint64_t now_ms = sip_trans_deadline(t);
        unsigned acts = sip_trans_tick(t, &timers, now_ms);

        assert_int_not_equal(acts, 0);
        if (acts & which) {
            assert_true(n < max);
            at[n++] = now_ms;
        }
    }
    assert_int_equal(t->state, SIP_TS_ENDED);
    return n;
}

struct timeline {
    const char *name;
    enum sip_trans_kind kind;
    bool reliable;
    struct {
        uint64_t at_ms;
        enum sip_trans_event ev;
    } feed[2];
    size_t n_feed;
    uint64_t want[16]; /* 0 ends it */
};

#define ANY (SIP_TA_RESEND | SIP_TA_FREE)

static void exact_times(void **state)
{
    static const struct timeline lines[] = {
        { "INVITE, nobody answers: A without cap, B", SIP_ICT, false, { { 0 } },
          0, { 500, 1500, 3500, 7500, 15500, 31500, 32000 } },
        { "INVITE over TCP: B alone", SIP_ICT, true, { { 0 } }, 0, { 32000 } },
        { "INVITE: 1xx stops A; after CANCEL 64*T1", SIP_ICT, false,
          { { 1600, SIP_TE_1XX }, { 10000, SIP_TE_CANCEL } }, 2,
          { 500, 1500, 42000 } },
        { "INVITE: 2xx, M", SIP_ICT, false, { { 100, SIP_TE_2XX } }, 1,
          { 32100 } },
        { "INVITE over TCP: 2xx, M all the same", SIP_ICT, true,
          { { 100, SIP_TE_2XX } }, 1, { 32100 } },
        { "INVITE: 486, D", SIP_ICT, false, { { 200, SIP_TE_FINAL } }, 1,
          { 32200 } },
        { "MESSAGE, nobody answers: E to T2, F", SIP_NICT, false, { { 0 } }, 0,
          { 500, 1500, 3500, 7500, 11500, 15500, 19500, 23500, 27500, 31500,
            32000 } },
        { "MESSAGE: 1xx makes E steady, F goes on", SIP_NICT, false,
          { { 400, SIP_TE_1XX } }, 1,
          { 500, 4500, 8500, 12500, 16500, 20500, 24500, 28500, 32000 } },
        { "MESSAGE over TCP: F alone", SIP_NICT, true, { { 0 } }, 0,
          { 32000 } },
        { "MESSAGE: 200, K", SIP_NICT, false, { { 40, SIP_TE_2XX } }, 1,
          { 5040 } },
        { "INVITE refused, no ACK: G to T2, H", SIP_IST, false,
          { { 0, SIP_TE_FINAL } }, 1,
          { 500, 1500, 3500, 7500, 11500, 15500, 19500, 23500, 27500, 31500,
            32000 } },
        { "INVITE refused over TCP, no ACK: H", SIP_IST, true,
          { { 0, SIP_TE_FINAL } }, 1, { 32000 } },
        { "INVITE refused, ACK: I", SIP_IST, false,
          { { 0, SIP_TE_FINAL }, { 300, SIP_TE_ACK } }, 2, { 5300 } },
        { "INVITE accepted: L", SIP_IST, false, { { 70, SIP_TE_2XX } }, 1,
          { 32070 } },
        { "INVITE never answered: our own guard", SIP_IST, false, { { 0 } }, 0,
          { 180000 } },
        { "MESSAGE answered: J", SIP_NIST, false, { { 10, SIP_TE_2XX } }, 1,
          { 32010 } },
        { "MESSAGE never answered: the client's F", SIP_NIST, false, { { 0 } },
          0, { 32000 } },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(lines); i++) {
        const struct timeline *l = &lines[i];
        uint64_t got[32];
        struct sip_trans t;
        size_t n = 0, fed = 0;

        sip_trans_start(&t, l->kind, l->reliable, &timers, 0);
        for (; fed < l->n_feed; fed++) {
            while (sip_trans_deadline(&t) < l->feed[fed].at_ms) {
                uint64_t now_ms = sip_trans_deadline(&t);

                if (sip_trans_tick(&t, &timers, now_ms) & ANY)
                    got[n++] = now_ms;
            }
            sip_trans_input(&t, l->feed[fed].ev, &timers, l->feed[fed].at_ms);
        }
        n += run(&t, ANY, got + n, COUNT(got) - n);
        for (size_t k = 0; k <= n; k++)
            if (k < n ? got[k] != l->want[k] : l->want[k] != 0)
                fail_msg("%s: step %zu of %zu at %llu, want %llu", l->name, k,
                         n, k < n ? (unsigned long long)got[k] : 0,
                         (unsigned long long)l->want[k]);
    }
}

/* On a reliable transport these states last no time at all. */
static void reliable_ends_at_once(void **state)
{
    static const struct {
        enum sip_trans_kind kind;
        enum sip_trans_event ev[2];
    } cases[] = {
        { SIP_ICT, { SIP_TE_1XX, SIP_TE_FINAL } },
        { SIP_NICT, { SIP_TE_1XX, SIP_TE_2XX } },
        { SIP_IST, { SIP_TE_FINAL, SIP_TE_ACK } },
        { SIP_NIST, { SIP_TE_1XX, SIP_TE_FINAL } },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct sip_trans t;

        sip_trans_start(&t, cases[i].kind, true, &timers, 0);
        assert_false(sip_trans_input(&t, cases[i].ev[0], &timers, 1) &
                     SIP_TA_FREE);
        assert_true(sip_trans_input(&t, cases[i].ev[1], &timers, 2) &
                    SIP_TA_FREE);
        assert_true(sip_trans_deadline(&t) == GB_NEVER);
    }
}

/* A late clock skips nothing and fires each timer once. */
static void late_tick(void **state)
{
    struct sip_trans t;

    (void)state;
    sip_trans_start(&t, SIP_NICT, false, &timers, 0);
    assert_int_equal(sip_trans_tick(&t, &timers, 499), 0);
    assert_int_equal(sip_trans_tick(&t, &timers, 9000), SIP_TA_RESEND);
    assert_int_equal(sip_trans_tick(&t, &timers, 9000), 0);
    assert_int_equal(sip_trans_deadline(&t), 10000);
    assert_int_equal(sip_trans_tick(&t, &timers, 40000),
                     SIP_TA_TIMED_OUT | SIP_TA_FREE);
}

static void names(void **state)
{
    (void)state;
    for (int k = 0; k < SIP_TRANS_KINDS; k++)
        assert_string_not_equal(sip_trans_kind_name((enum sip_trans_kind)k),
                                "?");
    for (int k = 0; k < SIP_TS_STATES; k++)
        assert_string_not_equal(sip_trans_state_name((enum sip_trans_state)k),
                                "?");
    for (int k = 0; k < SIP_TE_EVENTS; k++)
        assert_string_not_equal(sip_trans_event_name((enum sip_trans_event)k),
                                "?");
    assert_string_equal(sip_trans_kind_name(SIP_IST), "INVITE server");
    assert_string_equal(sip_trans_kind_name(SIP_TRANS_KINDS), "?");
    assert_string_equal(sip_trans_state_name(SIP_TS_STATES), "?");
    assert_string_equal(sip_trans_event_name(SIP_TE_EVENTS), "?");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names),
        cmocka_unit_test(every_cell_of_the_figures),
        cmocka_unit_test(every_other_cell_does_nothing),
        cmocka_unit_test(exact_times),
        cmocka_unit_test(reliable_ends_at_once),
        cmocka_unit_test(late_tick),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
