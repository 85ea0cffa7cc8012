/* ps/demux: limits, memory, and bytes that are wrong. */
#include "test/ps_script.h"

#include <stdlib.h>
#include <time.h>

static void unit_too_large(void **state)
{
    static uint8_t block[60000];
    struct ps_demux *d;

    (void)state;
    memset(block, 0x55, sizeof(block));
    ps_recorder_init(&rec);
    d = ps_recorder_demux(&rec, NULL);
    begin();
    put(ps_vector[0]);
    for (unsigned i = 0; i < PS_MAX_AU_BYTES / sizeof(block) + 2; i++) {
        ps_pes_encode(&out, 0xe0, sizeof(block), false, NULL);
        ps_demux_feed(d, (const uint8_t *)out_bytes, out.len,
                      &(struct ps_feed){ 0 });
        ps_demux_feed(d, block, sizeof(block), &(struct ps_feed){ 0 });
        begin();
    }
    ps_demux_counters(d, &count);
    assert_int_equal(count.dropped_aus, 1);
    assert_int_equal(count.resyncs, 1);
    ps_feed_steps(d, &rec, ps_vector[0], 0, false);
    rec.buf[rec.text.len] = 0;
    assert_non_null(strstr(rec.buf, "key pts=90000 nals 7:23 8:5 5:19"));
    ps_demux_free(d);
}

static void too_many_pieces(void **state)
{
    struct ps_demux *d;
    uint8_t one = 0x55;

    (void)state;
    ps_recorder_init(&rec);
    d = ps_recorder_demux(&rec, NULL);
    begin();
    put(ps_vector[0]);
    ps_pes_encode(&out, 0xe0, 60000, false, NULL);
    ps_demux_feed(d, (const uint8_t *)out_bytes, out.len,
                  &(struct ps_feed){ 0 });
    for (unsigned i = 0; i < PS_MAX_PIECES; i++)
        ps_demux_feed(d, &one, 1, &(struct ps_feed){ 0 });
    ps_demux_counters(d, &count);
    assert_int_equal(count.dropped_aus, 1);
    ps_feed_steps(d, &rec, ps_vector[0], 0, false);
    assert_int_equal(rec.n_aus, 1);
    ps_demux_free(d);
}

/* Seconds for a PES without a length that begins with as many zeros as fit,
 * behind what is there of its unit. */
static double seconds_of_zeros(struct slice before)
{
    static const uint8_t zeros[1400], next[] = { 0, 0, 0, 1, 0x41, 0x9a, 1, 2 };
    struct ps_demux *d;
    clock_t from = clock();

    ps_recorder_init(&rec);
    d = ps_recorder_demux(&rec, NULL);
    begin();
    put(before);
    PUT("\0\0\1\xe0\0\0\x80\x80\5\x21\0\1\0\1");
    ps_demux_feed(d, (const uint8_t *)out_bytes, out.len,
                  &(struct ps_feed){ 0 });
    for (unsigned i = 0; i < PS_MAX_AU_BYTES / sizeof(zeros) - 2; i++)
        ps_demux_feed(d, zeros, sizeof(zeros), &(struct ps_feed){ 0 });
    ps_demux_feed(d, next, sizeof(next), &(struct ps_feed){ 0 });
    ps_demux_flush(d, true);
    ps_demux_counters(d, &count);
    assert_int_equal(count.corrupt_aus, 0);
    ps_demux_free(d);
    return (double)(clock() - from) / CLOCKS_PER_SEC;
}

/* They are looked at once, not once for each piece. */
static void zeros_without_end(void **state)
{
    (void)state;
    assert_true(seconds_of_zeros(part(ps_vector[0], 0, PES_AT)) < 4);
    assert_true(seconds_of_zeros(ps_vector[0]) < 4);
}

/* Sets of both codecs by turns, behind many NAL units of the same picture that
 * lie far in front: they are not read anew each time. */
static void codecs_by_turns(void **state)
{
    static const struct slice sets =
        S("\0\0\1\x67\x42\0\x1e\0\0\1\x68\xce\x38\0\0\1\x40\1\x0c"
          "\0\0\1\x42\1\1\0\0\1\x44\1\xc1");
    struct ps_demux *d;
    clock_t from = clock();
    size_t at;

    (void)state;
    ps_recorder_init(&rec);
    d = ps_recorder_demux(&rec, NULL);
    begin();
    put_pack();
    PUT("\0\0\1\xe0\0\0\x80\x80\5\x21\0\1\0\1");
    for (unsigned i = 0; i < PS_MAX_NALS; i++)
        PUT("\0\0\1\x67\x42\0\x1e");
    ps_demux_feed(d, (const uint8_t *)out_bytes, out.len,
                  &(struct ps_feed){ 0 });
    at = out.len;
    for (unsigned i = 0; i < 40; i++)
        put(sets);
    for (unsigned i = 0; i < 2000; i++)
        ps_demux_feed(d, (const uint8_t *)done().p + at, out.len - at,
                      &(struct ps_feed){ 0 });
    ps_demux_free(d);
    assert_true(clock() - from < 4 * CLOCKS_PER_SEC);
}

/* A buffer may be 66 KB and hold one byte of the unit: few are held, whatever
 * the unit is cut into, and what is copied is the same. */
static void few_buffers_are_held(void **state)
{
    static const size_t steps[] = { 1, 2, 7, 100, 1400 };
    static char picture[30000], want[1 << 14];

    (void)state;
    memcpy(picture, "\0\0\0\1\x41\x9a", 6);
    for (size_t i = 6; i < sizeof(picture); i++)
        picture[i] = (char)(i * 7 % 251 + 4);
    begin();
    put(ps_vector[0]);
    for (unsigned i = 0; i < 8; i++) { /* the last is larger than a block */
        put_pack();
        put_pes(0xe0, slice_of(picture, i == 7 ? sizeof(picture)
                                               : 100 + 700 * i),
                93600 + 3600 * i);
        put_pes(0xc0, slice_of(picture + 200, 320), 93600 + 3600 * i);
    }
    slice_copy(want, sizeof(want), slice_str(run(done(), 0, true, NULL)));
    assert_int_equal(rec.n_aus, 17);
    for (size_t i = 0; i < COUNT(steps); i++) {
        expect("held", steps[i], run(done(), steps[i], true, NULL), want);
        assert_int_equal(rec.held, 0);
        if (rec.held_max > 2 * 64)
            fail_msg("steps of %zu: %zu are held", steps[i], rec.held_max);
    }
}

static void too_many_nal_units(void **state)
{
    (void)state;
    begin();
    put(ps_vector[0]);
    for (unsigned i = 0; i < PS_MAX_NALS; i++)
        put_pes(0xe0, SLICE("\0\0\1\x65\x40\x11\x22"), 0);
    put(ps_vector[2]);
    run(done(), 0, false, NULL);
    assert_int_equal(count.dropped_aus, 1);
    assert_int_equal(count.aus, 1);
}

static void too_many_streams(void **state)
{
    (void)state;
    begin();
    put_pack();
    for (unsigned i = 0; i < 20; i++)
        put_pes((uint8_t)(0xc0 + i), SLICE("\xd5\xd5"), 90000);
    put(ps_vector[0]);
    run(done(), 0, false, NULL);
    assert_int_equal(count.aus, PS_MAX_STREAMS);
    assert_null(strstr(rec.buf, "au c8"));
}

/* A map may announce what never comes; it takes nobody's place. */
static void map_of_ghosts(void **state)
{
    (void)state;
    begin();
    put_pack();
    PUT("\0\0\1\xbc\0\x2a\xe1\xff\0\0\0\x20"
        "\x1b\xe8\0\0\x1b\xe9\0\0\x1b\xea\0\0\x1b\xeb\0\0"
        "\x1b\xec\0\0\x1b\xed\0\0\x1b\xee\0\0\x1b\xef\0\0\0\0\0\0");
    put(ps_vector[0]);
    put_rest();
    expect_any_cut("ghosts", done(), NULL, ps_vector_text);
}

/* The n-th allocation and all later ones fail: nothing leaks, nothing dies,
 * every hold is released. */
static void out_of_memory(void **state)
{
    struct failing_alloc f;
    struct ps_demux *d;
    unsigned long n = 0;
    size_t aus;

    (void)state;
    begin();
    for (size_t i = 0; i < 3; i++)
        put(ps_vector[i]);
    do {
        int err;

        failing_alloc_init(&f, ++n);
        ps_recorder_init(&rec);
        err = ps_demux_new(&d, &f.alloc, &rec.hooks, NULL);
        aus = 0;
        if (err) {
            assert_int_equal(err, GB_ENOMEM);
            continue;
        }
        ps_feed_steps(d, &rec, done(), 7, false);
        aus = rec.n_aus;
        ps_demux_free(d);
        assert_int_equal(f.live, 0);
    } while (aus != 3);
    assert_in_range(n, 5, 20);
}

static void *fails_once(void *ctx, size_t n)
{
    unsigned *left = ctx;

    return --*left ? gb_get(&gb_alloc_heap, n) : NULL;
}

static void heap_put(void *ctx, void *p)
{
    (void)ctx;
    gb_put(&gb_alloc_heap, p);
}

/* One allocation fails, at any place in a PES without a length, also where half of
 * what may be a header is there: what comes then is looked for anew. */
static void out_of_memory_once(void **state)
{
    (void)state;
    for (unsigned pad = 0; pad < 24; pad++) {
        unsigned n = 0, left;

        begin();
        put(part(ps_vector[0], 0, PES_AT));
        PUT("\0\0\1\xe0\0\0\x80\x80\5\x21\0\1\0\1\0\0\0\1\x41\x9a\x21");
        for (unsigned i = 0; i < pad; i++)
            PUT("\x55");
        PUT("\0\0\1\xba\1\2\x26\3\0\0\1\x41\x9a\x38\x15\x77");
        put(ps_vector[2]);
        put(ps_vector[2]);
        do {
            struct gb_alloc once = { fails_once, heap_put, &left };
            struct ps_demux *d;

            left = ++n;
            ps_recorder_init(&rec);
            if (ps_demux_new(&d, &once, &rec.hooks, NULL))
                continue;
            ps_feed_steps(d, &rec, done(), 1, false);
            ps_demux_free(d);
        } while (left == 0 || left > UINT32_MAX / 2); /* it has failed */
        assert_in_range(n, 8, 60);
    }
}

/* A demuxer that is freed in the middle gives back what it holds. */
static void free_releases(void **state)
{
    struct slice all;

    (void)state;
    begin();
    put(ps_vector[0]);
    all = done();
    for (size_t i = 1; i < all.n; i++) {
        struct ps_demux *d;

        ps_recorder_init(&rec);
        d = ps_recorder_demux(&rec, NULL);
        for (size_t k = 0; k < i; k++)
            ps_feed_one(d, &rec, part(all, k, k + 1), false);
        if (i > ES_AT + 1)
            assert_true(rec.held > 0);
        ps_demux_free(d);
        assert_int_equal(rec.held, 0);
    }
}

enum damage { ZERO, ONES, FLIPPED, MISSING, TWICE, CODE, DAMAGES };

static void put_damaged(struct slice session, size_t at, enum damage kind)
{
    put(slice_head(session, at));
    if (kind == TWICE)
        put(part(session, at, at + 1));
    if (kind == CODE)
        PUT("\0\0\1\xbb");
    if (kind == ZERO || kind == ONES || kind == FLIPPED)
        writer_char(&out, kind == ZERO   ? '\0'
                          : kind == ONES ? (char)0xff
                                         : (char)~session.p[at]);
    put(slice_from(session, at + (kind != TWICE && kind != CODE)));
}

/* Is the last of the sessions behind the damage whole? */
static bool comes_back(struct slice session, size_t at, enum damage kind,
                       unsigned behind)
{
    const char *got;
    size_t len, want = strlen(ps_vector_text);

    begin();
    put_damaged(session, at, kind);
    while (behind--)
        put(session);
    got = run(done(), 1400, false, NULL);
    len = strlen(got);
    return len >= want && !strcmp(got + len - want, ps_vector_text);
}

/* Field-note 17.1: a byte that is wrong, missing or too much, anywhere in a
 * session. Nothing stops, nothing stays held, and it ends at the next pack, or
 * behind what a damaged length names, 64 KiB at most. */
static void note_17_1_damage_ends_by_itself(void **state)
{
    char good[512];
    struct slice session;
    unsigned far = 0, n = 0;

    (void)state;
    begin();
    for (size_t i = 0; i < 3; i++)
        put(ps_vector[i]);
    session = slice_of(good, done().n);
    assert_true(slice_copy(good, sizeof(good), done()));
    for (size_t at = 0; at < session.n; at++)
        for (unsigned kind = 0; kind < DAMAGES; kind++, n++) {
            if (comes_back(session, at, (enum damage)kind, 2))
                continue;
            far++;
            if (!comes_back(session, at, (enum damage)kind,
                            (unsigned)(65536 / session.n) + 2))
                fail_msg("damage %u at %zu", kind, at);
        }
    assert_true(far < n / 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unit_too_large),
        cmocka_unit_test(too_many_pieces),
        cmocka_unit_test(zeros_without_end),
        cmocka_unit_test(codecs_by_turns),
        cmocka_unit_test(few_buffers_are_held),
        cmocka_unit_test(too_many_nal_units),
        cmocka_unit_test(too_many_streams),
        cmocka_unit_test(map_of_ghosts),
        cmocka_unit_test(out_of_memory),
        cmocka_unit_test(out_of_memory_once),
        cmocka_unit_test(free_releases),
        cmocka_unit_test(note_17_1_damage_ends_by_itself),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
