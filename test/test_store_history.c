/* app/store: questions about what was, page by page, and how long it is kept */
#include "test/store_world.h"

static struct told {
    uv_mutex_t lock;
    uv_cond_t cond;
    struct store_rows *rows;
} told;

static void on_rows(struct store_rows *r)
{
    struct told *t = r->ctx;

    uv_mutex_lock(&t->lock);
    t->rows = r;
    uv_cond_signal(&t->cond);
    uv_mutex_unlock(&t->lock);
}

/* The answer; the caller frees it. */
static struct store_rows *ask(struct store *s, const struct store_ask *question)
{
    struct store_ask q = *question;
    struct store_rows *r;

    q.ctx = &told;
    q.tag = 77;
    q.done = on_rows;
    told.rows = NULL;
    assert_int_equal(store_ask(s, &q), 0);
    uv_mutex_lock(&told.lock);
    while (!told.rows)
        uv_cond_wait(&told.cond, &told.lock);
    r = told.rows;
    uv_mutex_unlock(&told.lock);
    assert_int_equal(r->tag, 77);
    return r;
}

static void told_init(void)
{
    static bool done;

    if (done)
        return;
    done = true;
    assert_int_equal(uv_mutex_init(&told.lock), 0);
    assert_int_equal(uv_cond_init(&told.cond), 0);
}

#if GB_SQLITE
static void add_alarm(struct store *s, uint64_t id, const char *device,
                      const char *method, const char *type, int64_t at_ms)
{
    const struct platform_alarm a = {
        .id = id, .device = slice_str(device), .channel = SLICE("c"),
        .priority = SLICE("1"), .method = slice_str(method),
        .type = slice_str(type), .description = SLICE("it's \"烟\""),
        .event = slice_str(*type ? "1" : ""),
        .has_position = id % 2, .longitude = 116.25, .latitude = 39.5,
        .received_utc_ms = at_ms,
    };

    store_add_alarm(s, &a);
}

static void history(void **state)
{
    static const struct {
        const char *name;
        struct store_ask q;
        size_t rows;
        uint64_t total;
        bool more;
        const char *first; /* id */
    } cases[] = {
        { "all", { .limit = 10 }, 4, 4, false, "4" },
        { "a page", { .limit = 2 }, 2, 4, true, "4" },
        { "the next", { .limit = 2, .before = 3 }, 2, 4, false, "2" },
        { "of a device", { .limit = 9, .device = SLICE_INIT("d2") }, 1, 1,
          false, "2" },
        { "of some", { .limit = 9, .devices = SLICE_INIT("[\"d2\",\"dx\"]") },
          1, 1, false, "2" },
        { "of none", { .limit = 9, .devices = SLICE_INIT("[]") }, 0, 0, false,
          "" },
        { "by method", { .limit = 9, .method = SLICE_INIT("5") }, 3, 3, false,
          "4" },
        { "and type", { .limit = 9, .method = SLICE_INIT("5"),
                        .type = SLICE_INIT("6") }, 1, 1, false, "3" },
        { "by priority", { .limit = 9, .priority = SLICE_INIT("2") }, 0, 0,
          false, "" },
        { "by time", { .limit = 9, .from_utc_ms = 2000, .to_utc_ms = 4000 },
          2, 2, false, "3" },
        { "acknowledged", { .limit = 9, .acknowledged = 1 }, 1, 1, false,
          "3" },
        { "the others", { .limit = 9, .acknowledged = -1 }, 3, 3, false, "4" },
        { "hostile", { .limit = 9, .device = SLICE_INIT("' OR 1=1 --") }, 0, 0,
          false, "" },
    };
    char *dir = temp_dir();
    struct seen seen;
    struct store *s = open_store(dir, &seen, NULL);
    struct store_rows *r;

    (void)state;
    told_init();
    add_alarm(s, 1, "d1", "5", "2", 1000);
    add_alarm(s, 2, "d2", "2", "", 2000);
    add_alarm(s, 3, "d1", "5", "6", 3000);
    add_alarm(s, 4, "d1", "5", "2", 4000);
    store_acknowledge_alarm(s, 3, SLICE("ada"), 5000);
    store_acknowledge_alarm(s, 9, SLICE("ada"), 5000); /* there is none */
    for (size_t i = 0; i < COUNT(cases); i++) {
        r = ask(s, &cases[i].q); /* what was put before it is seen */
        if (r->err || r->n != cases[i].rows || r->total != cases[i].total ||
            r->more != cases[i].more ||
            !slice_eq(store_rows_text(r, 0, 0), slice_str(cases[i].first)))
            fail_msg("%s: err %d, %zu rows of %llu", cases[i].name, r->err,
                     r->n, (unsigned long long)r->total);
        store_rows_free(r);
    }
    r = ask(s, &cases[0].q);
    assert_true(slice_eq(store_rows_text(r, 0, 7), SLICE("it's \"烟\"")));
    assert_true(store_rows_is_null(r, 0, 8));
    assert_true(slice_eq(store_rows_text(r, 1, 8), SLICE("116.25")));
    assert_int_equal(store_rows_i64(r, 1, 10), 3000);
    assert_true(store_rows_is_null(r, 4, 0) && store_rows_is_null(r, 0, 14));
    assert_true(slice_eq(store_rows_text(r, 0, 13), SLICE("1")));
    assert_true(store_rows_is_null(r, 0, 11));
    assert_int_equal(store_rows_i64(r, 1, 11), 5000);
    assert_true(slice_eq(store_rows_text(r, 1, 12), SLICE("ada")));
    store_rows_free(r);
    store_acknowledge_alarm(s, 3, SLICE("bob"), 6000); /* the first one stays */
    r = ask(s, &cases[0].q);
    assert_true(slice_eq(store_rows_text(r, 1, 12), SLICE("ada")));
    store_rows_free(r);
    store_close(s);

    s = open_store(dir, &seen, NULL);
    assert_int_equal(seen.last_alarm, 4);
    store_end_asks(s);
    assert_int_equal(store_ask(s, &cases[0].q), GB_ESTATE);
    store_close(s);
    remove_dir(dir);
}

static void details_and_positions(void **state)
{
    const struct platform_position at = {
        .device = SLICE("d"), .channel = SLICE("c"), .longitude = 1.5,
        .latitude = -2, .speed = SLICE("60"), .received_utc_ms = 5,
    };
    const struct store_ask detail = { .list = STORE_LIST_DETAIL, .limit = 1,
                                      .device = SLICE("d"),
                                      .channel = SLICE("c") };
    const struct store_ask positions = { .list = STORE_LIST_POSITIONS,
                                         .limit = 5, .device = SLICE("d") };
    char *dir = temp_dir();
    struct seen seen;
    struct store *s = open_store(dir, &seen, NULL);
    struct store_rows *r;

    (void)state;
    told_init();
    store_put_detail(s, SLICE("d"), SLICE("c"), SLICE("Port\t80\n"));
    store_put_detail(s, SLICE("d"), SLICE("c"), SLICE("Port\t81\n"));
    store_add_position(s, &at);
    store_add_position(s, &at);
    r = ask(s, &detail);
    assert_int_equal(r->n, 1);
    assert_true(slice_eq(store_rows_text(r, 0, 0), SLICE("Port\t81\n")));
    store_rows_free(r);
    r = ask(s, &positions);
    assert_int_equal(r->n, 2);
    assert_true(slice_eq(store_rows_text(r, 1, 4), SLICE("1.5")));
    assert_true(slice_eq(store_rows_text(r, 1, 6), SLICE("60")));
    store_rows_free(r);
    store_remove_channel(s, SLICE("d"), SLICE("c"));
    r = ask(s, &detail);
    assert_int_equal(r->n, 0);
    store_rows_free(r);
    store_put_detail(s, SLICE("d"), SLICE("c"), SLICE("x"));
    store_remove_device(s, SLICE("d"));
    r = ask(s, &detail);
    assert_int_equal(r->n, 0);
    store_rows_free(r);
    store_close(s);
    remove_dir(dir);
}

static void audits(void **state)
{
    static const struct {
        const char *who, *peer, *method, *path;
        unsigned n;
    } cases[] = {
        { "", "", "", "", 6 },
        { "ada", "", "", "", 3 },
        { "ada'--", "", "", "", 0 },
        { "", "192.0.2.2", "", "", 3 },
        { "", "", "DELETE", "", 2 },
        { "", "", "", "/api/v1/users", 3 },
        { "", "", "", "/api/v1/%", 0 },
        { "bob", "192.0.2.2", "PUT", "/api/v1/users/5", 1 },
    };
    static const char *const methods[] = { "POST", "DELETE", "PUT" };
    char *dir = temp_dir(), path[64];
    struct seen seen;
    struct store *s = open_store(dir, &seen, NULL);

    (void)state;
    told_init();
    for (unsigned i = 0; i < 6; i++) {
        struct store_audit a = {
            .who = i % 2 ? SLICE("bob") : SLICE("ada"), .role = SLICE("admin"),
            .peer = i % 2 ? SLICE("192.0.2.2") : SLICE("192.0.2.1"),
            .method = slice_str(methods[i % 3]), .status = 200 + i,
            .at_utc_ms = 1000 + i,
        };

        snprintf(path, sizeof(path), i < 3 ? "/api/v1/devices/%u"
                                           : "/api/v1/users/%u", i);
        a.path = slice_str(path);
        store_add_audit(s, &a);
    }
    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct store_ask q = {
            .list = STORE_LIST_AUDIT, .limit = 2,
            .device = slice_str(cases[i].who),
            .channel = slice_str(cases[i].peer),
            .method = slice_str(cases[i].method),
            .type = slice_str(cases[i].path),
        };
        struct store_rows *r = ask(s, &q);

        if (r->err || r->total != cases[i].n ||
            r->n != (cases[i].n < 2 ? cases[i].n : 2))
            fail_msg("case %zu: err %d, %llu rows", i, r->err,
                     (unsigned long long)r->total);
        if (i == 0) {
            assert_int_equal(store_rows_i64(r, 0, 6), 205);
            assert_int_equal(store_rows_i64(r, 0, 7), 1005);
        }
        store_rows_free(r);
    }
    store_close(s);
    remove_dir(dir);
}

/* ---- retention, by a clock of the test ---- */

#define DAY 86400000ll

static _Atomic int64_t clock_ms;

static _Atomic int64_t leap_ms; /* of the wall clock alone */

static struct gb_time test_clock(void)
{
    return (struct gb_time){ (uint64_t)clock_ms, clock_ms + leap_ms };
}

static uint64_t total(struct store *s, enum store_list list)
{
    const struct store_ask q = { .list = list, .limit = 1 };
    struct store_rows *r = ask(s, &q);
    uint64_t n = r->total;

    assert_int_equal(r->err, 0);
    store_rows_free(r);
    return n;
}

static void add_one(struct store *s, uint64_t id)
{
    const struct platform_position at = { .device = SLICE("d"),
                                          .received_utc_ms = clock_ms };
    const struct store_audit audit = { .who = SLICE("w"),
                                       .at_utc_ms = clock_ms };
    const struct platform_command c = { .id = id, .device = SLICE("d"),
                                        .asked_utc_ms = clock_ms,
                                        .state = PLATFORM_COMMAND_ANSWERED };

    add_alarm(s, id, "d", "5", "2", clock_ms);
    store_add_position(s, &at);
    store_put_command(s, &c);
    store_add_audit(s, &audit);
}

/* All that was put is there, and trimmed by what is kept now. */
static void settle(struct store *s, const struct store_retention *keep)
{
    store_flush(s);
    store_retain(s, keep);
    store_put_detail(s, SLICE("d"), SLICE("c"), SLICE("x"));
    store_flush(s);
}

/* Each kind by its own days and its own count; a kind without days stays. */
static void retention(void **state)
{
    struct store_retention keep = {
        .rows = { 1000, 1000, 20, 1000 }, .days = { 10, 30, 0, 20 },
        .now = test_clock,
    };
    char *dir = temp_dir();
    struct seen seen;
    struct store *s = open_store(dir, &seen, NULL);

    (void)state;
    told_init();
    clock_ms = 20000 * DAY;
    for (unsigned day = 1; day <= 60; day++) { /* nothing is set: all stays */
        add_one(s, day);
        clock_ms += DAY;
    }
    assert_int_equal(total(s, STORE_LIST_ALARMS), 60);
    settle(s, &keep);
    assert_int_equal(total(s, STORE_LIST_ALARMS), 10);
    assert_int_equal(total(s, STORE_LIST_POSITIONS), 30);
    assert_int_equal(total(s, STORE_LIST_COMMANDS), 20);
    assert_int_equal(total(s, STORE_LIST_AUDIT), 20);
    /* time alone: one row each week, and what is too old goes with it */
    for (unsigned i = 61; i < 80; i++) {
        clock_ms += 7 * DAY;
        add_alarm(s, i, "d", "5", "2", clock_ms);
        assert_in_range(total(s, STORE_LIST_ALARMS), 2, 5);
    }
    assert_int_equal(total(s, STORE_LIST_ALARMS), 2);
    assert_int_equal(total(s, STORE_LIST_POSITIONS), 0);
    assert_int_equal(total(s, STORE_LIST_COMMANDS), 20);
    /* a clock set back takes nothing away, and does not stop the trimming */
    clock_ms -= 200 * DAY;
    add_alarm(s, 80, "d", "5", "2", clock_ms);
    assert_int_equal(total(s, STORE_LIST_ALARMS), 3);
    /* by count as well, behind every so many rows */
    for (unsigned i = 81; i <= 3500; i++)
        add_alarm(s, i, "d", "5", "2", clock_ms);
    assert_in_range(total(s, STORE_LIST_ALARMS), 1000, 3000);
    settle(s, &keep);
    assert_int_equal(total(s, STORE_LIST_ALARMS), 1000);
    /* many lots of old ones at once; and a kind of which none is kept */
    keep.rows[STORE_ALARMS] = 100000;
    keep.rows[STORE_COMMANDS] = 0;
    settle(s, &keep);
    for (unsigned i = 3501; i <= 7000; i++)
        add_alarm(s, i, "d", "5", "2", clock_ms);
    leap_ms = 365 * DAY; /* by a mistake, for a moment */
    add_alarm(s, 7001, "d", "5", "2", clock_ms);
    settle(s, &keep);
    assert_int_equal(total(s, STORE_LIST_ALARMS), 4501);
    leap_ms = 0;
    clock_ms += 365 * DAY;
    add_alarm(s, 7002, "d", "5", "2", clock_ms);
    settle(s, &keep);
    assert_int_equal(total(s, STORE_LIST_ALARMS), 1);
    assert_int_equal(total(s, STORE_LIST_COMMANDS), 0);
    /* a start with a clock that is years ahead, until the network tells it */
    store_close(s);
    s = open_store(dir, &seen, NULL);
    leap_ms = 3000 * DAY;
    settle(s, &keep);
    assert_int_equal(total(s, STORE_LIST_ALARMS), 1);
    leap_ms = 0;
    settle(s, &keep);
    assert_int_equal(total(s, STORE_LIST_ALARMS), 1);
    /* what is gone has had its numbers all the same */
    keep.rows[STORE_ALARMS] = 0;
    settle(s, &keep);
    assert_int_equal(total(s, STORE_LIST_ALARMS), 0);
    for (unsigned i = 0; i < 2; i++) { /* also when nothing has come since */
        store_close(s);
        s = open_store(dir, &seen, NULL);
        assert_int_equal(seen.last_alarm, 7002);
        assert_int_equal(seen.last_command, 60);
        settle(s, &keep);
    }
    store_close(s);
    remove_dir(dir);
}

/* Commands by device, CmdType or order, state, time; also after a restart. */
static void commands(void **state)
{
    static const struct {
        const char *name;
        struct store_ask q;
        size_t rows;
        const char *first; /* id */
    } cases[] = {
        { "all", { .limit = 10 }, 4, "4" },
        { "the next", { .limit = 10, .before = 3 }, 2, "2" },
        { "of a device", { .limit = 9, .device = SLICE_INIT("d1") }, 2, "3" },
        { "by CmdType", { .limit = 9, .cmd = SLICE_INIT("DeviceControl") }, 2,
          "4" },
        { "by its order", { .limit = 9, .cmd = SLICE_INIT("GuardCmd") }, 1,
          "4" },
        { "by state", { .limit = 9, .state = SLICE_INIT("silent") }, 1, "2" },
        { "by time", { .limit = 9, .from_utc_ms = 2000, .to_utc_ms = 4000 },
          2, "3" },
        { "hostile", { .limit = 9, .cmd = SLICE_INIT("' OR 1=1 --") }, 0, "" },
    };
    struct platform_command c = {
        .target = SLICE("c"), .evidence = SLICE("it's"), .tries = 2,
        .answer = SLICE("{\"Result\":\"OK\"}"), .sip_status = 200, .sn = 17,
        .messages = 3, .have = 4, .sum = 5, .late = true, .cut = true,
    };
    struct store_ask one = { .list = STORE_LIST_COMMAND, .limit = 1,
                             .before = 4 };
    char *dir = temp_dir();
    struct seen seen;
    struct store *s = open_store(dir, &seen, NULL);
    struct store_rows *r;

    (void)state;
    told_init();
    for (unsigned i = 1; i <= 4; i++) {
        c.id = i;
        c.device = i % 2 ? SLICE("d1") : SLICE("d2");
        c.cmd = i < 3 ? SLICE("DeviceStatus") : SLICE("DeviceControl");
        c.sub = i == 4 ? SLICE("GuardCmd") : SLICE("");
        c.state = i == 2 ? PLATFORM_COMMAND_SILENT : PLATFORM_COMMAND_ANSWERED;
        c.asked_utc_ms = i * 1000;
        store_put_command(s, &c);
    }
    store_close(s);
    s = open_store(dir, &seen, NULL);
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct store_ask q = cases[i].q;

        q.list = STORE_LIST_COMMANDS;
        r = ask(s, &q);
        if (r->err || r->n != cases[i].rows ||
            !slice_eq(store_rows_text(r, 0, 0), slice_str(cases[i].first)))
            fail_msg("%s: err %d, %zu rows", cases[i].name, r->err, r->n);
        store_rows_free(r);
    }
    r = ask(s, &one);
    assert_int_equal(r->n, 1);
    assert_int_equal(store_rows_i64(r, 0, 0), 4);
    assert_true(slice_eq(store_rows_text(r, 0, 6), SLICE("it's")));
    assert_int_equal(store_rows_i64(r, 0, 7), 4000);
    assert_int_equal(store_rows_i64(r, 0, 13), STORE_LATE | STORE_CUT);
    assert_int_equal(store_rows_i64(r, 0, 14), 17);
    assert_int_equal(store_rows_i64(r, 0, 17), 5);
    assert_true(slice_eq(store_rows_text(r, 0, 18), c.answer));
    store_rows_free(r);
    one.before = 9;
    r = ask(s, &one);
    assert_int_equal(r->n, 0);
    store_rows_free(r);
    store_close(s);
    remove_dir(dir);
}
#else
static void no_history(void **state)
{
    const struct store_ask all = { .limit = 1 };
    char *dir = temp_dir();
    struct seen seen;
    struct store *s = open_store(dir, &seen, NULL);
    struct store_rows *r;

    (void)state;
    told_init();
    r = ask(s, &all);
    assert_int_equal(r->err, GB_EUNSUPPORTED);
    store_rows_free(r);
    store_close(s);
    remove_dir(dir);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
#if GB_SQLITE
        cmocka_unit_test(history),
        cmocka_unit_test(details_and_positions),
        cmocka_unit_test(audits),
        cmocka_unit_test(retention),
        cmocka_unit_test(commands),
#else
        cmocka_unit_test(no_history),
#endif
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
