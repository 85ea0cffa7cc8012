/* app/platform/archive: the index of recordings against a plain model, what has
 * to go first, thousands of segments, no memory */
#include "app/platform/archive.h"
#include "base/age.h"
#include "test/support.h"

#include <stdio.h>

#define DEV "34020000001110000001"
#define MIN_MS 60000
#define DAY_MS 86400000ll
#define T0 1700000000000ll

static struct failing_alloc mem;
static struct archive *a;

static void begin(const struct archive_limits *l)
{
    failing_alloc_init(&mem, 0);
    assert_int_equal(archive_new(&a, &mem.alloc, l), 0);
}

static void finish(void)
{
    archive_free(a);
    assert_int_equal(mem.live, 0);
}

/* Both clocks go alike. */
static struct gb_time at(int64_t utc_ms)
{
    return (struct gb_time){ (uint64_t)utc_ms, utc_ms };
}

static struct slice channel(unsigned i)
{
    static char text[8][24];
    char *buf = text[i % 8];
    int n = snprintf(buf, 24, "3402000000132%07u", i % 1000);

    return slice_of(buf, (size_t)n);
}

static int put(unsigned ch, int64_t begin_ms, uint32_t length_ms,
               uint64_t bytes, uint32_t flags)
{
    const struct archive_segment s = { begin_ms, length_ms, flags, bytes };

    return archive_put(a, SLICE(DEV), channel(ch), &s);
}

static size_t count(unsigned ch, int64_t from, int64_t to)
{
    struct archive_walk w;
    struct archive_segment s;
    int64_t last = -1;
    size_t n = 0;

    archive_walk(a, SLICE(DEV), channel(ch), from, to, &w);
    while (archive_next(&w, &s)) {
        assert_true(s.begin_utc_ms > last);
        last = s.begin_utc_ms;
        n++;
    }
    return n;
}

static void is_small(void **state)
{
    (void)state;
    assert_int_equal(sizeof(struct archive_segment), 24);
}

static void ranges(void **state)
{
    static const struct {
        int64_t from, to;
        size_t n;
    } row[] = {
        { 0, T0, 0 },           { 0, T0 + 1, 1 },
        { T0, T0 + 1, 1 },      { T0 + 999, T0 + 1000, 1 },
        { T0 + 1000, T0 + 2000, 0 },
        { T0 + 1500, T0 + 2001, 1 },
        { T0 + 2999, T0 + 3000, 1 }, { T0 + 2999, T0 + 3001, 2 },
        { T0 + 3000, T0 + 9000, 1 }, { T0 + 3500, T0 + 9000, 1 },
        { 0, INT64_MAX, 3 },
        { T0 + 4000, INT64_MAX, 0 },
    };

    (void)state;
    begin(&(struct archive_limits){ 0 });
    assert_int_equal(put(1, T0 + 2000, 1000, 5, 0), 0);
    assert_int_equal(put(1, T0, 1000, 5, 0), 0);
    assert_int_equal(put(1, T0 + 3000, 1000, 5, ARCHIVE_OPEN), 0);
    assert_int_equal(put(2, T0 + 1000, 1000, 5, 0), 0);
    for (size_t i = 0; i < COUNT(row); i++)
        if (count(1, row[i].from, row[i].to) != row[i].n)
            fail_msg("row %zu: %zu", i, count(1, row[i].from, row[i].to));
    assert_int_equal(count(3, 0, INT64_MAX), 0);
    finish();
}

/* One that grows is one, and its bytes count once. */
static void grows(void **state)
{
    struct archive_segment s;
    struct archive_sums sums;

    (void)state;
    begin(&(struct archive_limits){ 0 });
    assert_int_equal(put(1, T0, 0, 0, ARCHIVE_OPEN), 0);
    assert_int_equal(count(1, T0, T0 + 1), 1);
    assert_int_equal(put(1, T0, 2000, 700, ARCHIVE_OPEN), 0);
    assert_int_equal(put(1, T0, 4000, 500, ARCHIVE_SOUND), 0);
    archive_sums(a, &sums);
    assert_int_equal(sums.segments, 1);
    assert_int_equal(sums.channels, 1);
    assert_int_equal(sums.bytes, 500);
    assert_true(archive_find(a, SLICE(DEV), channel(1), T0, &s));
    assert_int_equal(s.length_ms, 4000);
    assert_int_equal(s.flags, ARCHIVE_SOUND);
    assert_false(archive_find(a, SLICE(DEV), channel(1), T0 + 1, &s));
    assert_false(archive_remove(a, SLICE(DEV), channel(1), T0 + 1));
    assert_true(archive_remove(a, SLICE(DEV), channel(1), T0));
    archive_sums(a, &sums);
    assert_int_equal(sums.channels + sums.segments + sums.bytes, 0);
    finish();
}

static void refuses(void **state)
{
    const struct archive_segment s = { .begin_utc_ms = T0 };
    char name[ARCHIVE_NAME_MAX + 1];

    (void)state;
    begin(&(struct archive_limits){ 0 });
    memset(name, '1', sizeof(name));
    assert_int_equal(archive_put(a, slice_of(name, sizeof(name) - 1),
                                 SLICE("2"), &s), GB_ELIMIT);
    assert_int_equal(archive_put(a, slice_of(name, sizeof(name) - 2),
                                 SLICE("2"), &s), 0);
    assert_int_equal(archive_put(a, SLICE(""), SLICE("2"), &s), GB_ELIMIT);
    assert_int_equal(put(1, -1, 0, 0, 0), GB_ERANGE);
    finish();
}

/* By age: the oldest first, whichever channel it is of; an open one stays. */
static void goes_by_age(void **state)
{
    struct archive_old old;
    int64_t now = T0 + 10 * DAY_MS;

    (void)state;
    begin(&(struct archive_limits){ .days = 2 });
    assert_int_equal(put(1, T0 + DAY_MS, MIN_MS, 1, 0), 0);
    assert_int_equal(put(2, T0, MIN_MS, 1, 0), 0);
    assert_int_equal(put(3, T0, MIN_MS, 1, ARCHIVE_OPEN), 0);
    assert_int_equal(put(1, now - 2 * DAY_MS - MIN_MS + 1, MIN_MS, 1, 0), 0);
    assert_int_equal(put(1, now - MIN_MS, MIN_MS, 1, 0), 0);
    assert_true(archive_take_old(a, at(now), false, &old));
    expect_slice(slice_str(old.channel), "34020000001320000002");
    expect_slice(slice_str(old.device), DEV);
    assert_int_equal(old.segment.begin_utc_ms, T0);
    assert_true(archive_take_old(a, at(now), false, &old));
    assert_int_equal(old.segment.begin_utc_ms, T0 + DAY_MS);
    assert_false(archive_take_old(a, at(now), false, &old));
    assert_true(archive_take_old(a, at(now + 1), false, &old));
    assert_true(archive_take_old(a, at(now + 100 * DAY_MS), false, &old));
    assert_int_equal(old.segment.begin_utc_ms, now - MIN_MS);
    assert_false(archive_take_old(a, at(now + 100 * DAY_MS), false, &old));
    /* it is closed */
    assert_int_equal(put(3, T0, MIN_MS, 1, 0), 0);
    assert_true(archive_take_old(a, at(now), false, &old));
    finish();
}

/* The battery of the board is empty, and its clock begins years ahead. */
static void a_clock_that_begins_ahead(void **state)
{
    struct archive_old old;
    struct gb_time now = at(T0);

    (void)state;
    begin(&(struct archive_limits){ .days = 2 });
    assert_int_equal(put(1, T0 - DAY_MS, MIN_MS, 1, 0), 0);
    now.utc_ms += 3000 * DAY_MS; /* what begins now does not make it true */
    assert_int_equal(put(2, now.utc_ms, 0, 1, ARCHIVE_OPEN), 0);
    assert_false(archive_take_old(a, now, false, &old));
    now = at(T0 + MIN_MS); /* the network has told it */
    assert_false(archive_take_old(a, now, false, &old));
    finish();
}

/* The wall clock is weeks ahead, and perhaps not for long. */
static void a_clock_that_leaps(void **state)
{
    struct archive_old old;
    struct gb_time now = at(T0);

    (void)state;
    begin(&(struct archive_limits){ .days = 2 });
    assert_int_equal(put(1, T0 - DAY_MS, MIN_MS, 1, 0), 0);
    assert_false(archive_take_old(a, now, false, &old));
    now.utc_ms += 40 * DAY_MS;
    assert_false(archive_take_old(a, now, false, &old));
    now.mono_ms += AGE_DOUBT_MS - 1;
    now.utc_ms += AGE_DOUBT_MS - 1;
    assert_false(archive_take_old(a, now, false, &old));
    now.mono_ms++;
    assert_true(archive_take_old(a, now, false, &old)); /* it is right, then */
    finish();
}

/* By bytes: a channel gives its own oldest, all of them the oldest of all. */
static void goes_by_bytes(void **state)
{
    struct archive_old old;

    (void)state;
    begin(&(struct archive_limits){ .channel_bytes = 100, .bytes = 150 });
    assert_int_equal(put(1, T0, 1000, 60, 0), 0);
    assert_int_equal(put(2, T0 + 1, 1000, 60, 0), 0);
    assert_false(archive_take_old(a, at(T0), false, &old));
    assert_int_equal(put(2, T0 + 2000, 1000, 30, 0), 0);
    assert_false(archive_take_old(a, at(T0), false, &old)); /* just as much */
    assert_int_equal(put(2, T0 + 2000, 1000, 41, ARCHIVE_OPEN), 0);
    assert_true(archive_take_old(a, at(T0), false, &old));
    expect_slice(slice_str(old.channel), "34020000001320000002");
    assert_int_equal(old.segment.begin_utc_ms, T0 + 1);
    assert_false(archive_take_old(a, at(T0), false, &old));
    assert_int_equal(put(2, T0 + 2000, 1000, 91, ARCHIVE_OPEN), 0);
    assert_true(archive_take_old(a, at(T0), false, &old)); /* all are 151 */
    assert_int_equal(old.segment.begin_utc_ms, T0);
    /* one that is open and too large alone stays */
    assert_int_equal(put(2, T0 + 2000, 1000, 900, ARCHIVE_OPEN), 0);
    assert_false(archive_take_old(a, at(T0), true, &old));
    finish();
}

static void goes_at_need(void **state)
{
    struct archive_old old;

    (void)state;
    begin(&(struct archive_limits){ 0 });
    assert_int_equal(put(1, T0 + 5000, 1000, 60, 0), 0);
    assert_int_equal(put(2, T0, 1000, 60, 0), 0);
    assert_false(archive_take_old(a, at(T0 + 100 * DAY_MS), false, &old));
    assert_true(archive_take_old(a, at(T0), true, &old));
    assert_int_equal(old.segment.begin_utc_ms, T0);
    assert_true(archive_take_old(a, at(T0), true, &old));
    assert_false(archive_take_old(a, at(T0), true, &old));
    finish();
}

/* A month of a hundred channels, as it comes, kept to a week. */
static void holds_a_month(void **state)
{
    enum { CHANNELS = 20, SEGMENTS = 30 * 144, WEEK = 7 * 144 };
    struct archive_old old;
    struct archive_sums sums;
    unsigned long most = 0;

    (void)state;
    begin(&(struct archive_limits){ .days = 7 });
    for (unsigned i = 0; i < SEGMENTS; i++) {
        int64_t t = T0 + i * 10ll * MIN_MS, last = 0;

        for (unsigned c = 0; c < CHANNELS; c++)
            assert_int_equal(put(c, t + c, 10 * MIN_MS, 1000, 0), 0);
        while (archive_take_old(a, at(t + 10 * MIN_MS + CHANNELS), false, &old)) {
            assert_true(old.segment.begin_utc_ms >= last);
            last = old.segment.begin_utc_ms;
        }
        if (i == WEEK + 10)
            most = mem.calls;
    }
    archive_sums(a, &sums);
    assert_int_equal(sums.segments, CHANNELS * WEEK);
    assert_int_equal(sums.bytes, CHANNELS * WEEK * 1000);
    assert_int_equal(count(3, 0, INT64_MAX), WEEK);
    assert_int_equal(count(3, T0 + 29 * DAY_MS + 3, T0 + 30 * DAY_MS + 3), 144);
    assert_true(mem.calls <= most + CHANNELS); /* what is left is used again */
    finish();
}

/* Against an array without any order. */
static void as_a_model(void **state)
{
    enum { N = 60 };
    struct { bool there; uint64_t bytes; } m[3][N] = { 0 };
    struct archive_sums sums;
    uint64_t r = 7;

    (void)state;
    begin(&(struct archive_limits){ 0 });
    for (unsigned i = 0; i < 20000; i++) {
        unsigned c, k;

        r = r * 6364136223846793005ull + 1442695040888963407ull;
        c = (unsigned)(r >> 33) % 3;
        k = (unsigned)(r >> 40) % N;
        if ((r >> 50) % 2) {
            assert_int_equal(put(c, T0 + k * 1000, 1000, (r >> 20) % 999, 0),
                             0);
            m[c][k].there = true;
            m[c][k].bytes = (r >> 20) % 999;
        } else {
            assert_int_equal(archive_remove(a, SLICE(DEV), channel(c),
                                            T0 + k * 1000), m[c][k].there);
            m[c][k].there = false;
        }
    }
    for (unsigned c = 0; c < 3; c++) {
        uint64_t bytes = 0;
        size_t n = 0;

        for (unsigned k = 0; k < N; k++) {
            n += m[c][k].there;
            bytes += m[c][k].there ? m[c][k].bytes : 0;
        }
        archive_sums_of(a, SLICE(DEV), channel(c), &sums);
        assert_int_equal(sums.segments, n);
        assert_int_equal(sums.bytes, bytes);
        assert_int_equal(count(c, 0, INT64_MAX), n);
    }
    finish();
}

static void without_memory(void **state)
{
    (void)state;
    for (unsigned long at = 1; ; at++) {
        struct archive_sums sums;
        size_t n = 0;
        bool short_of;

        failing_alloc_init(&mem, at);
        if (archive_new(&a, &mem.alloc, &(struct archive_limits){ 0 })) {
            assert_int_equal(mem.live, 0);
            continue;
        }
        for (unsigned i = 0; i < 40; i++)
            n += put(i % 2, T0 + i * 1000, 1000, 1, 0) == 0;
        archive_sums(a, &sums);
        assert_int_equal(sums.segments, n);
        assert_int_equal(sums.bytes, n);
        assert_int_equal(count(0, 0, INT64_MAX) + count(1, 0, INT64_MAX), n);
        short_of = n < 40;
        finish();
        if (!short_of)
            break;
    }
}

/* Fewer days, less room: what has to go then, at once. */
static void limits_that_change(void **state)
{
    static const struct {
        const char *name;
        struct archive_limits l;
        unsigned goes;
    } cases[] = {
        { "none", { 0 }, 0 },
        { "by age", { .days = 5 }, 5 },
        { "by room of all", { .bytes = 700 }, 3 },
        { "by room of a channel", { .channel_bytes = 600 }, 4 },
        { "wider again", { .days = 50, .bytes = 5000 }, 0 },
    };
    const int64_t now = T0 + 10 * DAY_MS;

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct archive_old old;
        unsigned gone = 0;

        begin(&(struct archive_limits){ .days = 20 });
        for (unsigned k = 0; k < 10; k++)
            assert_int_equal(put(1, T0 + k * DAY_MS, MIN_MS, 100, 0), 0);
        assert_false(archive_take_old(a, at(now), false, &old));
        archive_limit(a, &cases[i].l);
        while (archive_take_old(a, at(now), false, &old))
            gone++;
        if (gone != cases[i].goes)
            fail_msg("%s: %u go", cases[i].name, gone);
        finish();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_small),      cmocka_unit_test(ranges),
        cmocka_unit_test(grows),         cmocka_unit_test(refuses),
        cmocka_unit_test(goes_by_age),   cmocka_unit_test(goes_by_bytes),
        cmocka_unit_test(goes_at_need),  cmocka_unit_test(holds_a_month),
        cmocka_unit_test(as_a_model),    cmocka_unit_test(without_memory),
        cmocka_unit_test(limits_that_change),
        cmocka_unit_test(a_clock_that_begins_ahead),
        cmocka_unit_test(a_clock_that_leaps),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
