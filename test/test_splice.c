/* One sending of a recording behind another: nothing twice, nothing missing. */
#include "app/media/splice.h"
#include "test/support.h"

#include <stdio.h>

#define GOP 10
#define FRAMES 400
#define FRAME_MS 40
#define UTC 1700000000000

static unsigned got[2 * FRAMES], n_got;
static unsigned repeats; /* what is recorded comes again after so many groups */

/* Picture i of the recording, as this sending writes it. */
static struct slice picture(unsigned i, unsigned salt, char buf[static 64])
{
    unsigned g = repeats ? i / GOP % repeats : i / GOP;
    int n;

    /* P frames of a scene where nothing moves are all the same */
    if (i % GOP)
        n = snprintf(buf, 64, "p%u", salt);
    else
        n = snprintf(buf, 64, "key of group %u, %u", g, salt);
    return slice_of(buf, (size_t)n);
}

/* Sends pictures from..to; the device counts positions from `at_s` on. */
static void send(struct splice *s, unsigned from, unsigned to, int64_t at_ms,
                 unsigned salt)
{
    char buf[64];

    for (unsigned i = from; i < to; i++)
        if (splice_picture(s, i % GOP == 0, picture(i, salt, buf),
                           UTC + at_ms + (int64_t)(i - from) * FRAME_MS))
            got[n_got++] = i;
}

static void begin(struct splice *s)
{
    n_got = 0;
    splice_init(s, 0, 0, 0);
    splice_restart(s, true);
}

static void expect_up_to(const char *name, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        if (i >= n_got || got[i] != i)
            fail_msg("%s: picture %u where %u belongs", name,
                     i < n_got ? got[i] : 9999, i);
    assert_int_equal(n_got, n);
}

/* Broken behind each picture, sent again from each group before. */
static void every_break(void **state)
{
    (void)state;
    for (unsigned at = 1; at < 4 * GOP; at++)
        for (unsigned back = 0; back <= at / GOP; back++) {
            unsigned from = (at - 1) / GOP * GOP - back * GOP;
            char name[64];
            struct splice s;

            if ((at - 1) / GOP < back)
                continue;
            snprintf(name, sizeof(name), "at %u from %u", at, from);
            begin(&s);
            send(&s, 0, at, 0, 0);
            splice_restart(&s, false);
            send(&s, from, FRAMES, (int64_t)at * FRAME_MS - 2000, 0);
            expect_up_to(name, FRAMES);
        }
}

/* The second sending begins 1.2 s before the second that it counts from. */
static void positions_follow(void **state)
{
    struct splice s;

    (void)state;
    begin(&s);
    send(&s, 0, 105, 0, 0);
    splice_restart(&s, false);
    send(&s, 70, FRAMES, 70 * FRAME_MS + 1200, 0);
    expect_up_to("late", FRAMES);
    assert_true(s.at_ms == UTC + (FRAMES - 1) * FRAME_MS);
    splice_restart(&s, true); /* another piece is right again */
    send(&s, FRAMES, FRAMES + GOP, FRAMES * FRAME_MS, 0);
    assert_true(s.at_ms == UTC + (FRAMES + GOP - 1) * FRAME_MS);
}

/* All that is kept over a restart of the process. */
static void from_a_mark(void **state)
{
    (void)state;
    for (unsigned at = 1; at < 6 * GOP; at++) {
        unsigned from = (at - 1) / GOP * GOP;
        struct splice s, after;
        char name[64];

        from = from > 2 * GOP ? from - 2 * GOP : 0;
        snprintf(name, sizeof(name), "at %u from %u", at, from);
        begin(&s);
        send(&s, 0, at, 0, 0);
        splice_init(&after, s.key, s.chain, s.at_ms);
        splice_restart(&after, false);
        send(&after, from, FRAMES, (int64_t)at * FRAME_MS - 2000, 0);
        expect_up_to(name, FRAMES);
    }
}

static void again_and_again(void **state)
{
    uint64_t rnd = 7;

    (void)state;
    for (unsigned round = 0; round < 200; round++) {
        struct splice s;
        unsigned at = 0;

        begin(&s);
        while (at < FRAMES) {
            unsigned from = at ? (at - 1) / GOP * GOP : 0;
            unsigned back = (unsigned)(test_random(&rnd) % 3) * GOP;
            unsigned to = at + (unsigned)(test_random(&rnd) % 60);

            from = from > back ? from - back : 0;
            to = to > FRAMES ? FRAMES : to;
            if (n_got)
                splice_restart(&s, false);
            if (to > from)
                send(&s, from, to, (int64_t)at * FRAME_MS - 2000, 0);
            at = to > at ? to : at;
        }
        expect_up_to("random", FRAMES);
    }
}

/* The next file of the device begins with the last group of the one before, or
 * where that ended, or later. */
static void another_piece(void **state)
{
    static const unsigned from[] = { 100, 90, 80, 60 };

    (void)state;
    for (size_t i = 0; i < COUNT(from); i++) {
        struct splice s;

        begin(&s);
        send(&s, 0, 100, 900, 0); /* counts positions late */
        splice_restart(&s, true);
        send(&s, from[i], FRAMES, 100 * FRAME_MS, 0);
        expect_up_to("another piece", FRAMES);
    }
    {
        struct splice s;

        begin(&s);
        send(&s, 0, 100, 0, 0);
        splice_restart(&s, true);
        send(&s, 200, 300, 200 * FRAME_MS, 0);
        assert_int_equal(n_got, 200);
        assert_int_equal(got[100], 200);
    }
    { /* it looks like something of before, and is not */
        struct splice s;

        repeats = 5;
        begin(&s);
        send(&s, 0, 100, 0, 0);
        splice_restart(&s, true);
        send(&s, 100, FRAMES, 100 * FRAME_MS, 0);
        repeats = 0;
        expect_up_to("a scene that repeats", FRAMES);
    }
}

/* Each sending differs: by position, with a hole the first time alone. */
static void a_device_that_encodes_anew(void **state)
{
    struct splice s;

    (void)state;
    begin(&s);
    send(&s, 0, 55, 0, 0);
    splice_restart(&s, false);
    send(&s, 0, 500, 0, 1); /* positions are right */
    assert_true(s.blind);
    assert_true(n_got > 55 && got[55] >= 55);
    assert_true((got[55] - 54) * FRAME_MS <= SPLICE_SLACK_MS + GOP * FRAME_MS);
    n_got = 0;
    splice_restart(&s, false);
    send(&s, 450, 600, 450 * FRAME_MS, 2);
    assert_int_equal(got[0], 500); /* now it is known */
}

static void begins_with_a_key_frame(void **state)
{
    struct splice s;

    (void)state;
    begin(&s);
    assert_false(splice_sound(&s));
    send(&s, 3, 10, 0, 0);
    assert_int_equal(n_got, 0);
    assert_false(splice_sound(&s));
    send(&s, 10, 20, 400, 0);
    assert_int_equal(n_got, 10);
    assert_int_equal(got[0], 10);
    assert_true(splice_sound(&s));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_break),
        cmocka_unit_test(positions_follow),
        cmocka_unit_test(from_a_mark),
        cmocka_unit_test(again_and_again),
        cmocka_unit_test(another_piece),
        cmocka_unit_test(a_device_that_encodes_anew),
        cmocka_unit_test(begins_with_a_key_frame),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
