/* app/platform/rules: which alarms a rule is for, what follows, how often, and
 * that what is stored comes back. Virtual time. */
#include "app/platform/rules.h"
#include "test/fake_platform.h"
#include "test/support.h"

#include <stdio.h>

#define D1 "34020000001180000001"
#define D2 "34020000001180000002"
#define C1 "34020000001310000001"
#define C2 "34020000001310000002"

static struct rules *r;
static struct failing_alloc mem;
static struct gb_time now;

static int setup(void **state)
{
    (void)state;
    memset(&fake, 0, sizeof(fake));
    fake_device(D1, "one", true);
    fake_device(D2, "two", true);
    fake.device[0].group = SLICE("yard");
    now = (struct gb_time){ 1000000, INT64_C(1800000000000) };
    failing_alloc_init(&mem, 0);
    return rules_new(&r, &mem.alloc, NULL);
}

static int teardown(void **state)
{
    (void)state;
    rules_free(r);
    return mem.live ? -1 : 0;
}

static const struct platform_alarm usual = {
    .device = SLICE_INIT(D1), .channel = SLICE_INIT(C1),
    .method = SLICE_INIT("5"), .type = SLICE_INIT("1"),
    .priority = SLICE_INIT("2"),
};

static struct rule turning(const char *name)
{
    return (struct rule){ .name = slice_str(name), .preset = 3 };
}

static unsigned followed(const struct platform_alarm *a)
{
    struct rules_walk walk = { 0 };
    struct rules_due due;
    unsigned n = 0;

    while (rules_next(r, &walk, a, now, &due))
        n++;
    return n;
}

static void what_is_taken(void **state)
{
    static char long_name[RULES_NAME_MAX + 2], long_text[RULES_VALUE_MAX + 2];
    struct rule v[16];
    size_t n = 0;

    (void)state;
    memset(long_name, 'a', sizeof(long_name) - 1);
    memset(long_text, 'a', sizeof(long_text) - 1);
    for (size_t i = 0; i < COUNT(v); i++)
        v[i] = turning("a");
    v[n++].preset = 0; /* nothing to do */
    v[n++].preset = 256;
    v[n++].record_s = RULES_RECORD_MAX_S + 1;
    v[n++].every_s = RULES_EVERY_MAX_S + 1;
    v[n++].name = SLICE("");
    v[n++].name = SLICE("a b");
    v[n++].name = SLICE("a/b");
    v[n++].name = slice_str(long_name);
    v[n++].when.device = slice_str(long_text);
    v[n++].when.type = SLICE("1\noff=1");
    v[n++].at.channel = SLICE("a b");
    v[n++].webhook = SLICE("no/name");
    for (size_t i = 0; i < n; i++)
        if (rules_set(r, &v[i]) != GB_ESYNTAX)
            fail_msg("case %zu", i);
    assert_int_equal(followed(&usual), 0);
    v[n].preset = 0;
    v[n].snapshot = true;
    assert_int_equal(rules_set(r, &v[n]), 0);
    assert_int_equal(followed(&usual), 1);
    assert_int_equal(rules_remove(r, SLICE("a")), 0);
    assert_int_equal(rules_remove(r, SLICE("a")), GB_ENOENT);
    assert_int_equal(followed(&usual), 0);
}

static void which_alarms(void **state)
{
    struct {
        const char *name;
        struct rule v;
        bool follows;
    } cases[] = {
        { "any", turning("x"), true },
        { "off", turning("x"), false },
        { "its device", turning("x"), true },
        { "another device", turning("x"), false },
        { "its group", turning("x"), true },
        { "another group", turning("x"), false },
        { "its channel", turning("x"), true },
        { "another channel", turning("x"), false },
        { "its method", turning("x"), true },
        { "another method", turning("x"), false },
        { "its type", turning("x"), true },
        { "another type", turning("x"), false },
        { "its priority", turning("x"), true },
        { "less urgent ones, too", turning("x"), true },
        { "more urgent ones", turning("x"), false },
    };

    (void)state;
    cases[1].v.off = true;
    cases[2].v.when.device = SLICE(D1);
    cases[3].v.when.device = SLICE(D2);
    cases[4].v.when.group = SLICE("yard");
    cases[5].v.when.group = SLICE("gate");
    cases[6].v.when.channel = SLICE(C1);
    cases[7].v.when.channel = SLICE(C2);
    cases[8].v.when.method = SLICE("5");
    cases[9].v.when.method = SLICE("2");
    cases[10].v.when.type = SLICE("1");
    cases[11].v.when.type = SLICE("");
    cases[11].v.when.type = SLICE("2");
    cases[12].v.when.priority = 2;
    cases[13].v.when.priority = 4;
    cases[14].v.when.priority = 1;
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_int_equal(rules_set(r, &cases[i].v), 0);
        if ((followed(&usual) != 0) != cases[i].follows)
            fail_msg("%s", cases[i].name);
    }
    cases[12].v.when.priority = 4; /* one that tells none is not urgent */
    assert_int_equal(rules_set(r, &cases[12].v), 0);
    assert_int_equal(followed(&(struct platform_alarm){
                         .device = SLICE(D1), .channel = SLICE(C1) }), 0);
}

static void what_follows(void **state)
{
    struct rule v = { .name = SLICE("b"), .record_s = 60, .preset = 7,
                      .snapshot = true, .webhook = SLICE("ops"),
                      .at.channel = SLICE(C2) };
    static const enum rules_action want[] = { RULES_RECORD, RULES_PRESET,
                                              RULES_SNAPSHOT, RULES_WEBHOOK };
    struct rules_walk walk = { 0 };
    struct rules_due due;
    struct rule_view view;
    struct rule first = turning("a");

    (void)state;
    assert_int_equal(rules_set(r, &v), 0);
    assert_int_equal(rules_set(r, &first), 0);
    assert_true(rules_next(r, &walk, &usual, now, &due));
    assert_true(slice_eq(due.rule, SLICE("a")));
    assert_true(slice_eq(due.device, SLICE(D1)));
    assert_true(slice_eq(due.channel, SLICE(C1)));
    assert_int_equal(due.preset, 3);
    for (size_t i = 0; i < COUNT(want); i++) {
        assert_true(rules_next(r, &walk, &usual, now, &due));
        assert_true(slice_eq(due.rule, SLICE("b")));
        assert_int_equal(due.action, want[i]);
        assert_true(slice_eq(due.device, SLICE(D1)));
        assert_true(slice_eq(due.channel, SLICE(C2)));
    }
    assert_true(slice_eq(due.webhook, SLICE("ops")));
    assert_int_equal(due.record_s, 60);
    assert_false(rules_next(r, &walk, &usual, now, &due));
    assert_false(rules_next(r, &walk, &usual, now, &due));
    rules_told(r, SLICE("b"), NULL);
    rules_told(r, SLICE("b"), "it is offline");
    rules_told(r, SLICE("gone"), "it is offline");
    assert_true(rules_view(r, SLICE("b"), &view));
    assert_int_equal(view.followed, 1);
    assert_int_equal(view.failed, 1);
    assert_string_equal(view.why, "it is offline");
    assert_true(view.followed_utc_ms == now.utc_ms);
}

/* Once for a place within every_s; other places and other rules are others. */
static void not_too_often(void **state)
{
    struct platform_alarm elsewhere = usual;
    struct rule_view view;
    struct rule v = turning("a");

    (void)state;
    v.every_s = 30;
    elsewhere.channel = SLICE(C2);
    assert_int_equal(rules_set(r, &v), 0);
    assert_int_equal(followed(&usual), 1);
    assert_int_equal(followed(&usual), 0);
    assert_int_equal(followed(&elsewhere), 1);
    now.mono_ms += 29999;
    assert_int_equal(followed(&usual), 0);
    now.mono_ms += 1;
    assert_int_equal(followed(&usual), 1);
    assert_true(rules_view(r, SLICE("a"), &view));
    assert_int_equal(view.followed, 3);
    assert_int_equal(view.held_back, 2);
    assert_int_equal(rules_set(r, &v), 0); /* anew */
    assert_int_equal(followed(&usual), 1);
    v = turning("b"); /* of RULES_EVERY_S */
    assert_int_equal(rules_set(r, &v), 0);
    assert_int_equal(followed(&usual), 1);
    now.mono_ms += 1000 * RULES_EVERY_S;
    assert_int_equal(followed(&usual), 1);
}

/* Ten thousand places at once: no more than the bucket holds. */
static void all_together(void **state)
{
    struct rule v = turning("a");
    unsigned n = 0;

    (void)state;
    assert_int_equal(rules_set(r, &v), 0);
    for (unsigned i = 0; i < 10000; i++) {
        struct platform_alarm a = usual;
        char channel[16];

        snprintf(channel, sizeof(channel), "%u", i);
        a.channel = slice_str(channel);
        n += followed(&a);
    }
    assert_int_equal(n, RULES_BURST);
    now.mono_ms += 1000;
    for (unsigned i = 20000; i < 30000; i++) {
        struct platform_alarm a = usual;
        char channel[16];

        snprintf(channel, sizeof(channel), "%u", i);
        a.channel = slice_str(channel);
        n += followed(&a);
    }
    assert_int_equal(n, RULES_BURST + RULES_RATE);
}

static void stored(void **state)
{
    struct rule v = { .name = SLICE("b"), .off = true,
                      .when = { SLICE(D1), SLICE("yard"), SLICE(C1),
                                SLICE("5"), SLICE("1"), 2 },
                      .at = { SLICE(D2), SLICE(C2) },
                      .every_s = 9, .record_s = 60, .preset = 7,
                      .snapshot = true, .webhook = SLICE("ops") };
    static const struct slice bad[] = {
        S("x"), S("x=1\n"), S("preset=-1\n"), S("preset=4294967296\n"),
        S("off=\n"), S("\n"), S("=1\n"),
    };
    char one[RULES_LINES_MAX], two[RULES_LINES_MAX];
    struct writer w = writer_of(one, sizeof(one));
    struct writer again = writer_of(two, sizeof(two));
    struct rule got;

    (void)state;
    rules_write(&w, &v);
    assert_int_equal(w.err, 0);
    assert_int_equal(rules_read(&got, v.name, guarded(writer_slice(&w))), 0);
    rules_write(&again, &got);
    assert_true(slice_eq(writer_slice(&w), writer_slice(&again)));
    assert_true(slice_eq(got.when.group, SLICE("yard")));
    assert_int_equal(got.when.priority, 2);
    assert_true(got.off && got.snapshot);
    for (size_t i = 0; i < COUNT(bad); i++)
        if (rules_read(&got, v.name, guarded(bad[i])) != GB_ESYNTAX)
            fail_msg("%.*s", SLICE_ARG(bad[i]));
    assert_int_equal(rules_read(&got, v.name, SLICE("")), 0);
    assert_int_equal(rules_set(r, &got), GB_ESYNTAX); /* nothing to do */
}

static void order_and_limit(void **state)
{
    struct rule_view v = { .rule.name = { NULL, 0 } };
    char name[16], last[16] = "";
    size_t n = 0;
    struct rule one;

    (void)state;
    for (unsigned i = 0; i < RULES_MAX; i++) {
        snprintf(name, sizeof(name), "r%u", i * 7919 % RULES_MAX);
        one = turning(name);
        assert_int_equal(rules_set(r, &one), 0);
    }
    one = turning("another");
    assert_int_equal(rules_set(r, &one), GB_ELIMIT);
    one = turning("r0"); /* that is there */
    assert_int_equal(rules_set(r, &one), 0);
    for (; rules_after(r, v.rule.name, &v); n++) {
        assert_true(slice_cmp(slice_str(last), v.rule.name) < 0);
        slice_copy(last, sizeof(last), v.rule.name);
    }
    assert_int_equal(n, RULES_MAX);
}

static void no_memory(void **state)
{
    struct rule v = turning("a");

    (void)state;
    for (unsigned k = 1; k <= 3; k++) {
        struct failing_alloc f;
        struct rules *x = NULL;
        int err;

        failing_alloc_init(&f, k);
        err = rules_new(&x, &f.alloc, NULL);
        if (!err)
            err = rules_set(x, &v);
        assert_int_equal(err, GB_ENOMEM);
        rules_free(x);
        assert_int_equal(f.live, 0);
    }
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(what_is_taken), T(which_alarms), T(what_follows), T(not_too_often),
        T(all_together), T(stored), T(order_and_limit), T(no_memory),
    };
#undef T

    return cmocka_run_group_tests(tests, NULL, NULL);
}
