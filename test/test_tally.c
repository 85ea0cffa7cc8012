/* Messages counted by method, direction and status. */
#include "test/pair.h"

#include "sip/tally.h"

static uint64_t count(const struct sip_tally *t, enum sip_tally_way way,
                      enum sip_method method, unsigned status)
{
    struct sip_tally_row row;
    size_t k = 0;

    while (sip_tally_next(t, &k, &row))
        if (row.way == way && row.method == method && row.status == status)
            return row.n;
    return 0;
}

static void rows(void **state)
{
    static const struct {
        const char *name;
        unsigned status, counts_as;
    } cases[] = {
        { "request", 0, 0 },         { "listed", 486, 486 },
        { "unknown 1xx", 199, 183 }, { "unknown 2xx", 299, 200 },
        { "unknown 4xx", 455, 400 }, { "unknown 6xx", 699, 600 },
        { "none at all", 1000, 600 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        static struct sip_tally t;
        struct sip_tally_row row;
        size_t k = 0, n = 0;

        t = (struct sip_tally){ 0 };
        sip_tally_add(&t, SIP_TALLY_IN, SIP_METHOD_INVITE, cases[i].status);
        sip_tally_add(&t, SIP_TALLY_IN, SIP_METHOD_INVITE, cases[i].status);
        sip_tally_add(&t, SIP_TALLY_OUT, SIP_METHOD_BYE, cases[i].status);
        while (sip_tally_next(&t, &k, &row))
            n++;
        if (n != 2 ||
            count(&t, SIP_TALLY_IN, SIP_METHOD_INVITE,
                  cases[i].counts_as) != 2 ||
            count(&t, SIP_TALLY_OUT, SIP_METHOD_BYE, cases[i].counts_as) != 1)
            fail_msg("%s", cases[i].name);
    }
}

static void written(void **state)
{
    static const struct {
        struct slice bytes;
        enum sip_method method;
        unsigned status;
    } cases[] = {
        { S("BYE sip:a@b SIP/2.0\r\nCSeq: 7 BYE\r\n\r\n"), SIP_METHOD_BYE, 0 },
        { S("SIP/2.0 401 No\r\nTo: x\r\nCSeq: 1 REGISTER\r\n\r\n"),
          SIP_METHOD_REGISTER, 401 },
        { S("SIP/2.0 200 OK\r\nX: CSeq: 1 BYE\r\nCSeq: 1 INVITE\r\n\r\n"),
          SIP_METHOD_INVITE, 200 },
        { S("SIP/2.0 200 OK\r\n\r\n"), SIP_METHOD_OTHER, 200 },
        { S("SIP/2.0 501 No\r\nCSeq: 1 FOO\r\n\r\n"), SIP_METHOD_OTHER, 501 },
        { S("CSeq: 1"), SIP_METHOD_OTHER, 0 },
        { S("CSeq: \n"), SIP_METHOD_OTHER, 0 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        static struct sip_tally t;

        t = (struct sip_tally){ 0 };
        sip_tally_written(&t, guarded(cases[i].bytes));
        if (count(&t, SIP_TALLY_OUT, cases[i].method, cases[i].status) != 1)
            fail_msg("%.*s", SLICE_ARG(cases[i].bytes));
    }
}

static void answer(struct pair *p, int side, const struct sip_event *ev)
{
    const struct sip_response r = { .status = 200, .expires = -1 };

    if (ev->kind == SIP_EV_REQUEST)
        sip_stack_respond(p->stack[side], ev->transaction, &r, p->now_ms);
}

/* What one stack sends the other receives. */
static void both_ends_agree(void **state)
{
    const struct sip_tally *t[2];
    struct sip_tally_row row;
    struct pair p;
    size_t k = 0, n = 0;
    uint64_t id;

    (void)state;
    pair_init(&p, NULL, NULL, false);
    p.on_event = answer;
    for (unsigned i = 0; i < 6; i++) {
        const struct sip_request r = {
            .method = i % 2 ? SIP_METHOD_OPTIONS : SIP_METHOD_MESSAGE,
            .peer = pair_peer(&p, 0), .uri = SLICE("sip:a@192.0.2.2"),
            .from = SLICE("sip:b@192.0.2.1"), .to = SLICE("sip:a@192.0.2.2"),
            .expires = -1,
        };

        assert_int_equal(sip_stack_request(p.stack[0], &r, p.now_ms, &id), 0);
        pair_pump(&p);
    }
    pair_settle(&p, 40000);
    t[0] = sip_stack_tally(p.stack[0]);
    t[1] = sip_stack_tally(p.stack[1]);
    assert_int_equal(count(t[0], SIP_TALLY_OUT, SIP_METHOD_MESSAGE, 0), 3);
    assert_int_equal(count(t[0], SIP_TALLY_IN, SIP_METHOD_OPTIONS, 200), 3);
    for (; sip_tally_next(t[0], &k, &row); n++)
        assert_int_equal(count(t[1], row.way == SIP_TALLY_IN ? SIP_TALLY_OUT
                                                             : SIP_TALLY_IN,
                               row.method, row.status), row.n);
    assert_int_equal(n, 4);
    pair_fini(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows),
        cmocka_unit_test(written),
        cmocka_unit_test(both_ends_agree),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
