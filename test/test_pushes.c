/* app/platform/pushes: a push as a consumer of its session, its back-off and its
 * end, in virtual time */
#include "app/platform/pushes.h"
#include "test/consumer_rig.h"

#define A "rtmp://10.0.0.5/live/a"
#define B "rtsp://me:secret@10.0.0.5/b"

static struct pushes *p;

static void begin(void)
{
    consumers_begin();
    assert_int_equal(pushes_new(&p, &mem.alloc, s.p, false), 0);
}

static void finish(void)
{
    pushes_free(p);
    consumers_end();
}

static int set(unsigned stream, const char *a, const char *b)
{
    const struct slice url[] = { slice_str(a), slice_str(b) };
    const struct pushes_of of = { .device = slice_str(nvr),
                                  .channel = slice_str(channel),
                                  .stream = stream, .url = url,
                                  .n = b ? 2u : a ? 1u : 0 };

    return pushes_set(p, &of, s.now);
}

static struct push_view view(size_t i)
{
    struct pushes_walk w = { 0 };
    struct push_view v;

    do
        if (!pushes_next(p, slice_str(nvr), slice_str(channel), &w, &v))
            fail_msg("no push %zu", i);
    while (w.n <= i);
    return v;
}

static size_t count(void)
{
    struct pushes_walk w = { 0 };
    struct push_view v;

    while (pushes_next(p, slice_of(NULL, 0), slice_of(NULL, 0), &w, &v))
        ;
    return w.n;
}

static void run(uint64_t ms)
{
    CONSUMERS_RUN(p, pushes, PUSHES_TICK_MS, ms)
}

static bool order(struct pushes_order *o)
{
    return pushes_order(p, o);
}

/* Until its connection is to be made. */
static struct pushes_order connecting(void)
{
    struct pushes_order o;

    for (unsigned i = 0; i < 600; i++) {
        run(PUSHES_TICK_MS);
        if (order(&o))
            return o;
    }
    fail_msg("nothing is begun");
    return o;
}

static void lives(void **state)
{
    struct pushes_order o, end;
    struct push_view v;

    (void)state;
    ready();
    begin();
    assert_int_equal(set(0, A, NULL), 0);
    assert_int_equal(view(0).state, PUSHES_WAITING);
    o = connecting();
    assert_true(o.begin);
    expect_slice(o.url, A);
    assert_int_equal(o.id, view(0).id);
    assert_int_equal(sim_session(&s, o.session).consumers, 1);
    assert_int_equal(sim_session(&s, o.session).state, PLATFORM_PLAYING);
    assert_false(order(&end));
    pushes_told(p, o.id, true, 1000, s.now);
    v = view(0);
    assert_int_equal(v.state, PUSHES_LIVE);
    assert_int_equal(v.bytes, 1000);
    run(60000); /* it holds the session */
    assert_int_equal(sim_session(&s, o.session).state, PLATFORM_PLAYING);
    /* the same once more changes nothing */
    assert_int_equal(set(0, A, NULL), 0);
    assert_int_equal(view(0).id, v.id);
    assert_int_equal(set(0, NULL, NULL), 0);
    assert_int_equal(count(), 0);
    assert_true(order(&end));
    assert_false(end.begin);
    assert_int_equal(end.id, o.id);
    assert_int_equal(sim_session(&s, o.session).consumers, 1);
    pushes_gone(p, o.id, 1000, "stopped", s.now);
    assert_int_equal(sim_session(&s, o.session).consumers, 0);
    assert_int_equal(mem.live, 2); /* the table, and by channel */
    finish();
    ends_clean();
}

static void backs_off(void **state)
{
    static const uint32_t want_ms[] = { 1000, 2000, 4000, 8000, 16000, 32000,
                                        60000, 60000 };
    struct pushes_order o;

    (void)state;
    ready();
    begin();
    assert_int_equal(set(0, A, NULL), 0);
    for (size_t i = 0; i < COUNT(want_ms); i++) {
        struct push_view v;

        o = connecting();
        pushes_gone(p, o.id, 7, "connection refused", s.now);
        v = view(0);
        assert_int_equal(v.state, PUSHES_WAITING);
        assert_int_equal(v.failures, i + 1);
        assert_string_equal(v.why, "connection refused");
        assert_int_equal(v.next_utc_ms - s.now.utc_ms, want_ms[i]);
        assert_int_equal(v.bytes, 7 * (i + 1));
        run(want_ms[i] - PUSHES_TICK_MS);
        assert_int_equal(view(0).state, PUSHES_WAITING);
    }
    /* what went well for long begins anew */
    o = connecting();
    pushes_told(p, o.id, true, 1, s.now);
    assert_string_equal(view(0).why, "");
    run(PUSHES_GOOD_MS);
    pushes_gone(p, o.id, 1, "closed", s.now);
    assert_int_equal(view(0).failures, 1);
    assert_int_equal(view(0).next_utc_ms - s.now.utc_ms, 1000);
    /* tidings of a connection that is over */
    pushes_told(p, o.id, true, 99, s.now);
    pushes_gone(p, o.id, 99, "again", s.now);
    assert_string_equal(view(0).why, "closed");
    assert_int_equal(set(0, NULL, NULL), 0);
    finish();
    ends_clean();
}

static void what_breaks_below(void **state)
{
    struct sim_device *d;
    struct pushes_order o;

    (void)state;
    d = ready();
    begin();
    d->invite = SIM_REFUSE;
    d->refuse_status = 486;
    d->refuse_times = 100;
    assert_int_equal(set(0, A, NULL), 0);
    run(20000);
    if (!text_has(view(0).why, "486"))
        fail_msg("%s", view(0).why);
    d->invite = SIM_ANSWER;
    o = connecting();
    assert_true(o.begin);
    pushes_gone(p, o.id, 0, "closed", s.now);
    sim_unregister(d);
    run(PUSHES_BACK_OFF_MAX_MS + 1000);
    assert_true(text_has(view(0).why, "offline"));
    assert_int_equal(view(0).session, 0);
    sim_register(d);
    o = connecting();
    pushes_gone(p, o.id, 0, "closed", s.now);
    pushes_remove_device(p, slice_str(nvr), s.now);
    assert_int_equal(count(), 0);
    finish();
    ends_clean();
}

static void sets_of_urls(void **state)
{
    const char *five[] = { "rtsp://h/1", "rtsp://h/2", "rtsp://h/3",
                           "rtsp://h/4", "rtsp://h/5" };
    struct slice url[5];
    struct pushes_of of = { .device = slice_str(nvr),
                            .channel = SLICE("34020000001310000001"),
                            .url = url, .n = 5 };
    uint64_t a, b;

    (void)state;
    ready();
    begin();
    assert_int_equal(set(0, A, B), 0);
    a = view(0).id;
    b = view(1).id;
    /* what is shown may be given back; the order does not matter */
    assert_int_equal(set(0, "rtsp://me:***@10.0.0.5/b", A), 0);
    assert_int_equal(view(0).id, a);
    assert_int_equal(view(1).id, b);
    expect_slice(view(1).url, B);
    assert_int_equal(set(0, "rtsp://you:***@10.0.0.5/b", A), GB_ESYNTAX);
    assert_int_equal(set(0, A, A), GB_ESYNTAX);
    assert_int_equal(set(0, A, "rtmps://h/a/b"), GB_EUNSUPPORTED);
    assert_int_equal(set(2, A, NULL), GB_ESYNTAX);
    for (size_t i = 0; i < 5; i++)
        url[i] = slice_str(five[i]);
    assert_int_equal(pushes_set(p, &of, s.now), GB_ELIMIT);
    assert_int_equal(count(), 2);
    /* another stream of the camera is another push, with the same password */
    assert_int_equal(set(1, "rtsp://me:***@10.0.0.5/b", NULL), 0);
    assert_int_equal(count(), 1);
    assert_int_not_equal(view(0).id, b);
    expect_slice(view(0).url, B);
    assert_int_equal(view(0).stream, 1);
    finish();
    ends_clean();
}

static void without_memory(void **state)
{
    (void)state;
    ready();
    for (unsigned long at = 1;; at++) {
        int err;

        failing_alloc_init(&mem, at);
        if (pushes_new(&p, &mem.alloc, s.p, false))
            continue;
        err = set(0, A, B);
        assert_int_equal(count(), err ? 0 : 2);
        assert_true(!err || err == GB_ENOMEM);
        finish();
        if (!err)
            break;
    }
    ends_clean();
}

static void all_that_there_may_be(void **state)
{
    char id[PLATFORM_ID_MAX];
    struct slice url = SLICE(A);
    struct pushes_of of = { .device = SLICE("d"), .url = &url, .n = 1 };
    struct push_view v;
    unsigned n = 0;

    (void)state;
    ready();
    begin();
    for (unsigned i = 0; i < PUSHES_MAX; i++) {
        struct writer w = writer_of(id, sizeof(id));

        writer_f(&w, "%u", i);
        of.channel = writer_slice(&w);
        assert_int_equal(pushes_set(p, &of, s.now), 0);
    }
    of.channel = SLICE("more");
    assert_int_equal(pushes_set(p, &of, s.now), GB_ELIMIT);
    while (pushes_news(p, &v))
        n++;
    assert_int_equal(n, PUSHES_MAX);
    finish();
    ends_clean();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lives),
        cmocka_unit_test(backs_off),
        cmocka_unit_test(what_breaks_below),
        cmocka_unit_test(sets_of_urls),
        cmocka_unit_test(without_memory),
        cmocka_unit_test(all_that_there_may_be),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
