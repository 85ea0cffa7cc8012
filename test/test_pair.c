/* Two stacks over a bad wire: whatever is lost, repeated and reordered, each
 * request is seen once, ends once, and nothing stays behind. A failure prints
 * its seed; the same seed plays it again. */
#include "test/pair.h"

#include <stdio.h>
#include <stdlib.h>

#define MAX_JOBS 400

enum job_kind { JOB_MESSAGE, JOB_CALL };

/* One thing that one side does, named by `user` in its events. */
struct job {
    enum job_kind kind;
    int side;
    uint64_t handle;  /* transaction, or dialog of a call */
    unsigned seen;    /* how often the other side was asked */
    unsigned ends;    /* RESPONSE >= 200 and FAILED; calls: ENDED too */
    bool established; /* call: a 2xx came */
    bool dropped;     /* we ended it, or its dialog is over */
    bool failed;
};

struct storm {
    struct job job[MAX_JOBS];
    size_t n_jobs;
    uint64_t seed;
    unsigned loss;
    /* dialogs alive as callee, by side */
    uint64_t callee[2][MAX_JOBS];
    size_t n_callee[2];
};

static uint64_t dice(struct storm *s, uint64_t below)
{
    return test_random(&s->seed) % below;
}

static struct job *job_of(struct storm *s, uint64_t user)
{
    assert_true(user < s->n_jobs);
    return &s->job[user];
}

/* The number that side put into Subject. */
static struct job *job_of_msg(struct storm *s, const struct sip_msg *m)
{
    uint32_t n;

    if (!slice_u32(sip_msg_value(m, SIP_HDR_SUBJECT), MAX_JOBS - 1, &n))
        fail_msg("a request without a number");
    return job_of(s, n);
}

static void forget_callee(struct storm *s, int side, uint64_t dialog)
{
    for (size_t i = 0; i < s->n_callee[side]; i++)
        if (s->callee[side][i] == dialog)
            s->callee[side][i] = s->callee[side][--s->n_callee[side]];
}

static void answer(struct pair *p, int side, uint64_t transaction,
                   unsigned status)
{
    struct sip_response r = { .status = status,
                              .expires = -1,
                              .contact = SLICE("sip:x@192.0.2.9") };

    assert_int_equal(sip_stack_respond(p->stack[side], transaction, &r,
                                       p->now_ms), 0);
}

static void on_request(struct pair *p, int side, const struct sip_event *ev)
{
    static const unsigned finals[] = { 200, 200, 200, 486, 488 };
    struct storm *s = p->ctx;
    struct job *j = job_of_msg(s, ev->msg);

    j->seen++;
    if (ev->msg->method != SIP_METHOD_INVITE) {
        answer(p, side, ev->transaction, dice(s, 8) ? 200 : 403);
        return;
    }
    if (dice(s, 4) == 0)
        answer(p, side, ev->transaction, 180);
    if (dice(s, 6)) {
        unsigned status = finals[dice(s, 5)];

        answer(p, side, ev->transaction, status);
        if (status != 200)
            return;
    } /* else it waits, for CANCEL or for the end of the storm */
    s->callee[side][s->n_callee[side]++] = ev->dialog;
}

static void on_event(struct pair *p, int side, const struct sip_event *ev)
{
    struct storm *s = p->ctx;
    struct job *j;

    switch (ev->kind) {
    case SIP_EV_REQUEST:
        on_request(p, side, ev);
        return;
    case SIP_EV_RESPONSE:
    case SIP_EV_FAILED:
        j = job_of(s, ev->user);
        if (j->dropped || j->side != side)
            fail_msg("job %u answered after its end", (unsigned)ev->user);
        if (ev->status < 200)
            return;
        j->ends++;
        j->failed = ev->kind == SIP_EV_FAILED;
        if (j->kind == JOB_CALL && ev->status < 300)
            j->established = true;
        return;
    case SIP_EV_CANCELLED:
        forget_callee(s, side, ev->dialog);
        return;
    case SIP_EV_ENDED:
        if (ev->user == UINT64_MAX || !ev->user) {
            forget_callee(s, side, ev->dialog);
            return;
        }
        j = job_of(s, ev->user);
        if (j->dropped)
            fail_msg("job %u ended twice", (unsigned)ev->user);
        if (!j->established)
            j->ends++; /* the peer's BYE was faster than its 200 */
        j->dropped = true;
        return;
    case SIP_EV_ACKED:
    case SIP_EV_NOTIFY:
    case SIP_EV_UNSUBSCRIBED:
    case SIP_EV_BAD:
    case SIP_EV_REFUSED:
        return;
    }
}

static struct sip_request request(const struct pair *p, int side,
                                  const char *subject, uint64_t user)
{
    return (struct sip_request){
        .method = SIP_METHOD_MESSAGE,
        .peer = pair_peer(p, side),
        .uri = SLICE("sip:a@192.0.2.9"),
        .from = SLICE("sip:b@dom"),
        .to = SLICE("sip:a@dom"),
        .contact = SLICE("sip:b@192.0.2.8"),
        .subject = slice_str(subject),
        .expires = -1,
        .user = user,
    };
}

static void start_job(struct pair *p, int side, enum job_kind kind)
{
    struct storm *s = p->ctx;
    struct job *j = &s->job[s->n_jobs];
    char subject[16];
    struct sip_request r;
    int err;

    if (s->n_jobs == MAX_JOBS)
        return;
    *j = (struct job){ .kind = kind, .side = side };
    snprintf(subject, sizeof(subject), "%zu", s->n_jobs);
    r = request(p, side, subject, s->n_jobs++);
    if (kind == JOB_CALL) {
        r.timeout_ms = dice(s, 2) ? 5000 : 0;
        err = sip_stack_invite(p->stack[side], &r, p->now_ms, &j->handle);
    } else {
        err = sip_stack_request(p->stack[side], &r, p->now_ms, &j->handle);
    }
    assert_int_equal(err, 0);
}

static void end_call(struct pair *p, struct job *j)
{
    struct storm *s = p->ctx;

    (void)s;
    if (j->kind != JOB_CALL || j->dropped || (j->ends && !j->established))
        return;
    j->dropped = true;
    sip_stack_end(p->stack[j->side], j->handle, p->now_ms);
}

static void end_callee(struct pair *p, int side)
{
    struct storm *s = p->ctx;
    uint64_t dialog;

    if (!s->n_callee[side])
        return;
    dialog = s->callee[side][dice(s, s->n_callee[side])];
    forget_callee(s, side, dialog);
    sip_stack_end(p->stack[side], dialog, p->now_ms);
}

static void storm(struct pair *p)
{
    struct storm *s = p->ctx;

    for (unsigned step = 0; step < 150; step++) {
        int side = (int)dice(s, 2);

        switch (dice(s, 6)) {
        case 0:
        case 1:
            start_job(p, side, JOB_MESSAGE);
            break;
        case 2:
        case 3:
            start_job(p, side, JOB_CALL);
            break;
        case 4:
            end_call(p, &s->job[dice(s, s->n_jobs + 1) % MAX_JOBS]);
            break;
        case 5:
            end_callee(p, side);
            break;
        }
        pair_run(p, p->now_ms + dice(s, 900));
    }
    pair_run(p, p->now_ms + 70000);
    for (size_t i = 0; i < s->n_jobs; i++)
        end_call(p, &s->job[i]);
    for (int side = 0; side < 2; side++)
        while (s->n_callee[side])
            end_callee(p, side);
    pair_settle(p, 400000);
}

static void check(struct pair *p, const char *name)
{
    struct storm *s = p->ctx;

    for (size_t i = 0; i < s->n_jobs; i++) {
        const struct job *j = &s->job[i];
        bool lossless = !s->loss;

        if (j->seen > 1 || j->ends > 1 ||
            (j->ends == 0 && !(j->kind == JOB_CALL && j->dropped)) ||
            (lossless && j->kind == JOB_MESSAGE && (j->failed || !j->seen)) ||
            (j->kind == JOB_MESSAGE && !j->failed && !j->seen))
            fail_msg("%s: job %zu of %zu kind %d: seen %u, ended %u%s", name,
                     i, s->n_jobs, (int)j->kind, j->seen, j->ends,
                     j->dropped ? ", dropped" : "");
    }
    for (int side = 0; side < 2; side++) {
        struct sip_counters c;

        sip_stack_counters(p->stack[side], &c);
        if (c.transactions || c.dialogs || c.memory || c.dropped > 200)
            fail_msg("%s: side %d keeps %u transactions, %u dialogs", name,
                     side, c.transactions, c.dialogs);
    }
}

static void bad_wires(void **state)
{
    static const struct pair_wire wires[] = {
        { .delay_ms = 20 },
        { .delay_ms = 20, .tcp = true },
        { .delay_ms = 20, .repeat = 50, .jitter_ms = 400 },
        { .delay_ms = 5, .loss = 10, .repeat = 10, .jitter_ms = 100 },
        { .delay_ms = 50, .loss = 20, .repeat = 5, .jitter_ms = 700 },
        { .delay_ms = 300, .loss = 30, .jitter_ms = 1500 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(wires); i++)
        for (uint64_t seed = 1; seed <= 6; seed++) {
            struct storm *s = calloc(1, sizeof(*s));
            struct pair_wire w = wires[i];
            char name[64];
            struct pair p;

            assert_non_null(s);
            snprintf(name, sizeof(name), "wire %zu, seed %llu", i,
                     (unsigned long long)seed);
            s->seed = seed * 977 + i;
            s->loss = w.loss;
            s->n_jobs = 1; /* user 0 is nobody's */
            s->job[0].ends = s->job[0].seen = 1;
            w.seed = seed;
            pair_init(&p, &w, NULL, false);
            p.on_event = on_event;
            p.ctx = s;
            p.quiet = true;
            storm(&p);
            check(&p, name);
            pair_fini(&p);
            free(s);
        }
}

/* ---- the wire itself --------------------------------------------------- */

static void tell(struct pair *p, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        struct sip_request r = request(p, 0, "0", 1);
        uint64_t id;

        assert_int_equal(sip_stack_request(p->stack[0], &r, p->now_ms, &id),
                         0);
        pair_pump(p);
    }
}

static void the_wire_delays(void **state)
{
    static const struct pair_wire w = { .delay_ms = 70 };
    struct pair p;

    (void)state;
    pair_init(&p, &w, NULL, false);
    tell(&p, 1);
    pair_run(&p, p.now_ms + 69);
    assert_int_equal(pair_events(&p, 1, SIP_EV_REQUEST, 0), 0);
    pair_run(&p, p.now_ms + 1);
    assert_int_equal(pair_events(&p, 1, SIP_EV_REQUEST, 0), 1);
    pair_fini(&p);
}

static void the_wire_loses_and_repeats(void **state)
{
    static const struct pair_wire lossy = { .loss = 30 }, twice = { .repeat =
                                                                        100 };
    struct sip_counters c;
    struct pair p;

    (void)state;
    pair_init(&p, &lossy, NULL, false);
    tell(&p, 1000);
    pair_run(&p, p.now_ms + 10);
    assert_in_range(pair_events(&p, 1, SIP_EV_REQUEST, 0), 620, 780);
    pair_fini(&p);
    pair_init(&p, &twice, NULL, false);
    tell(&p, 10);
    pair_run(&p, p.now_ms + 10);
    sip_stack_counters(p.stack[1], &c);
    assert_int_equal(c.received, 20);
    assert_int_equal(c.absorbed, 10);
    pair_fini(&p);
}

static void the_wire_reorders(void **state)
{
    static const struct pair_wire w = { .jitter_ms = 100 };
    uint32_t last = 0;
    unsigned swapped = 0;
    struct pair p;

    (void)state;
    pair_init(&p, &w, NULL, false);
    p.quiet = true;
    for (int i = 0; i < 50; i++)
        tell(&p, 1);
    for (size_t i = 0; i < p.n_packets; i++) {
        uint32_t at = (uint32_t)p.packet[i].at_ms;

        swapped += at < last;
        last = at;
    }
    assert_true(swapped > 5);
    pair_fini(&p);
}

static enum pair_fate twice_then_nothing(void *ctx, int from,
                                         struct slice bytes)
{
    unsigned *n = ctx;

    (void)bytes;
    return from ? PAIR_PASS : (*n)++ ? PAIR_LOSE : PAIR_REPEAT;
}

static void the_wire_obeys_a_script(void **state)
{
    unsigned n = 0;
    struct sip_counters c;
    struct pair p;

    (void)state;
    pair_init(&p, NULL, NULL, false);
    p.fate = twice_then_nothing;
    p.ctx = &n;
    tell(&p, 2);
    pair_run(&p, p.now_ms + 10);
    sip_stack_counters(p.stack[1], &c);
    assert_int_equal(c.received, 2);
    assert_int_equal(pair_events(&p, 1, SIP_EV_REQUEST, 0), 1);
    pair_fini(&p);
}

/* The same seed gives the same run, to the last byte. */
static void runs_repeat_themselves(void **state)
{
    static const struct pair_wire w = { .loss = 30, .repeat = 20,
                                        .jitter_ms = 300, .seed = 5 };
    struct pair a, b;

    (void)state;
    pair_init(&a, &w, NULL, false);
    pair_init(&b, &w, NULL, false);
    tell(&a, 20);
    tell(&b, 20);
    pair_settle(&a, 80000);
    pair_settle(&b, 80000);
    assert_int_equal(a.n_sent, b.n_sent);
    for (size_t i = 0; i < a.n_sent; i++) {
        assert_int_equal(a.sent[i].at_ms, b.sent[i].at_ms);
        assert_true(slice_eq(a.sent[i].bytes, b.sent[i].bytes));
    }
    pair_fini(&a);
    pair_fini(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_wire_delays),
        cmocka_unit_test(the_wire_loses_and_repeats),
        cmocka_unit_test(the_wire_reorders),
        cmocka_unit_test(the_wire_obeys_a_script),
        cmocka_unit_test(runs_repeat_themselves),
        cmocka_unit_test(bad_wires),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
