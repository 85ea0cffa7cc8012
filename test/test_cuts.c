/* A range over several files as one: their order, and what becomes of gaps */
#include "test/support.h"

#include "app/net/cuts.h"

#include <stdlib.h>

#define T0 1700000000000

static struct volumes *volumes;

static void part(struct cuts_file *f, int64_t begin_utc_ms, uint64_t off,
                 uint64_t n, int64_t at_ms, int64_t length_ms)
{
    static struct mp4cut_part parts[8];
    static size_t used;
    struct mp4cut_part *p = &parts[used++ % COUNT(parts)];

    *p = (struct mp4cut_part){ off, n, 45000 + at_ms * 90, length_ms * 90 };
    f->begin_utc_ms = begin_utc_ms;
    f->cut = (struct mp4cut){ .head_bytes = 100, .audio_hz = 8000,
                              .first90k = 45000, .n = 1, .part = p };
}

/* The first begins 400 ms inside its file; the third has gone; the fourth is
 * 10 s behind the second. */
static struct cuts *example(bool gaps)
{
    struct cuts *q = cuts_new(4);

    assert_non_null(q);
    assert_int_equal(volumes_new(&volumes, SLICE("/rec,/mnt/rec")), 0);
    q->volumes = volumes;
    q->file[3].volume = 1;
    slice_copy(q->device, sizeof(q->device), SLICE("1"));
    slice_copy(q->channel, sizeof(q->channel), SLICE("2"));
    q->one = true;
    q->gaps = gaps;
    q->head = 1;
    part(&q->file[0], T0, 5000, 700, 400, 1600);
    part(&q->file[1], T0 + 2000, 100, 900, 0, 2000);
    part(&q->file[3], T0 + 14000, 100, 800, 0, 1000);
    cuts_place(q);
    return q;
}

static void done(struct cuts *q)
{
    for (size_t i = 0; i < q->n; i++)
        q->file[i].cut.part = NULL; /* not of the heap */
    cuts_free(q);
    volumes_free(volumes);
}

static void one_behind_the_other(void **state)
{
    static const struct {
        int64_t shift_ms[2]; /* of what is read: gaps closed, kept */
        const char *name;
        uint64_t off, n;
    } want[] = {
        { { 0, 0 }, "1700000002000.mp4", 0, 100 }, /* the head */
        { { -900, -900 }, "1700000000000.mp4", 5000, 700 },
        { { 1100, 1100 }, "1700000002000.mp4", 100, 900 },
        { { 3100, 13100 }, "1700000014000.mp4", 100, 800 },
    };

    (void)state;
    for (int gaps = 0; gaps < 2; gaps++) {
        struct cuts *q = example(gaps);
        struct cuts_export e = { .q = q };
        char path[ROLLS_PATH_MAX], bytes[8] = "no head";
        uint64_t off, n;

        assert_int_equal(cuts_export_bytes(q), 100 + 700 + 900 + 800);
        for (size_t i = 0; i < COUNT(want); i++) {
            assert_true(cuts_export_next(&e, path, &off, &n));
            assert_string_equal(strrchr(path, '/') + 1, want[i].name);
            assert_int_equal(strncmp(path, "/mnt/", 5) == 0, i == 3);
            assert_int_equal(e.volume, i == 3);
            assert_int_equal(off, want[i].off);
            assert_int_equal(n, want[i].n);
            assert_int_equal(e.mover.shift90k, want[i].shift_ms[gaps] * 90);
            /* the head leaves as it is; what is no fragment does not leave */
            assert_int_equal(cuts_export_move(&e, bytes, 8), i == 0 ? 8 : 0);
        }
        assert_false(cuts_export_next(&e, path, &off, &n));
        done(q);
    }
}

/* For players: from where files have their first picture on; another head, or a
 * gap, is a border. */
static void goes_on(void **state)
{
    static const struct {
        size_t head[2];    /* of the second and the fourth */
        int64_t begin_ms;  /* of the fourth, behind the first */
        bool joins[2];
    } cases[] = {
        { { 0, 0 }, 4000, { true, true } },
        { { 0, 0 }, 5900, { true, true } }, /* clocks drift, pictures are lost */
        { { 0, 0 }, 6000, { true, false } },
        { { 0, 0 }, 1000, { true, true } }, /* the clock was put back */
        { { 1, 1 }, 4000, { false, true } },
        { { 0, 3 }, 4000, { true, false } },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct cuts *q = example(false);

        q->one = false;
        q->file[1].head = cases[i].head[0];
        q->file[3].head = cases[i].head[1];
        q->file[3].begin_utc_ms = T0 + cases[i].begin_ms;
        cuts_place(q);
        assert_false(q->file[0].joins);
        assert_int_equal(q->file[1].joins, cases[i].joins[0]);
        assert_int_equal(q->file[3].joins, cases[i].joins[1]);
        assert_int_equal(q->file[0].shift90k, -400 * 90);
        assert_int_equal(q->file[1].shift90k, 1600 * 90);
        assert_int_equal(q->file[3].shift90k, 3600 * 90);
        done(q);
    }
}

static void nothing_is_there(void **state)
{
    struct cuts *q = cuts_new(3);

    (void)state;
    assert_non_null(q);
    assert_int_equal(cuts_export_bytes(q), 0);
    cuts_free(q);
    cuts_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_behind_the_other),
        cmocka_unit_test(goes_on),
        cmocka_unit_test(nothing_is_there),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
