/* app/platform/history: a ring that grows, against a plain list */
#include "app/platform/history.h"
#include "test/support.h"

static const char *const texts[] = { "keepalive lost", "registered", "moved" };

static void expect(const struct history *h, const struct history_causes *causes,
                   const struct history_change *all, size_t n)
{
    struct history_change c;

    for (size_t i = 0; i < n && i < HISTORY_MAX; i++) {
        const struct history_change *want = &all[n - 1 - i];

        if (!history_at(h, causes, i, &c))
            fail_msg("%zu changes, but no %zu.", n, i);
        assert_int_equal(c.utc_ms, want->utc_ms);
        assert_int_equal(c.online, want->online);
        assert_string_equal(c.cause, want->cause);
    }
    assert_false(history_at(h, causes, n < HISTORY_MAX ? n : HISTORY_MAX, &c));
}

static void newest_first(void **state)
{
    static struct history_change all[200];
    struct history_causes causes = { 0 };
    struct failing_alloc f;
    struct history *h = NULL;
    size_t n = 0;

    (void)state;
    failing_alloc_init(&f, 0);
    expect(NULL, &causes, all, 0);
    for (; n < COUNT(all); n++) {
        all[n] = (struct history_change){ 1700000000000 + (int64_t)n * 1999,
                                          n % 2 == 0, texts[n % 3] };
        history_put(&h, &causes, &f.alloc, &all[n]);
        expect(h, &causes, all, n + 1);
        assert_int_equal(f.live, 1);
    }
    assert_int_equal(causes.n, 3);
    gb_put(&f.alloc, h);
    assert_int_equal(f.live, 0);
}

/* Too many causes, and the last second that fits. */
static void edges(void **state)
{
    static char text[300][8];
    struct history_causes causes = { 0 };
    struct history_change c;
    struct history *h = NULL;

    (void)state;
    for (unsigned i = 0; i < COUNT(text); i++) {
        text[i][0] = (char)('a' + i % 26);
        text[i][1] = (char)('a' + i / 26);
        c = (struct history_change){ 4294967295999, true, text[i] };
        history_put(&h, &causes, &gb_alloc_heap, &c);
    }
    assert_true(history_at(h, &causes, 0, &c));
    assert_string_equal(c.cause, "other");
    assert_int_equal(c.utc_ms, 4294967295999);
    assert_true(c.online);
    assert_true(causes.n < HISTORY_CAUSES);
    gb_put(&gb_alloc_heap, h);
}

/* Written and read back it is the same, and stays so. */
static void lines(void **state)
{
    struct history_causes causes = { 0 }, others = { 0 };
    struct failing_alloc f;
    struct history *h = NULL, *back = NULL;

    (void)state;
    failing_alloc_init(&f, 0);
    for (unsigned n = 0; n < 60; n++) {
        struct history_change c = { 1700000000000 + n * 1999, n % 2 == 0,
                                    texts[n % 3] }, d;
        char text[2][2048];
        struct writer w[2] = { writer_of(text[0], sizeof(text[0])),
                               writer_of(text[1], sizeof(text[1])) };

        history_put(&h, &causes, &f.alloc, &c);
        history_write(&w[0], h, &causes);
        assert_int_equal(w[0].err, 0);
        history_read(&back, &others, &f.alloc, guarded(writer_slice(&w[0])));
        history_write(&w[1], back, &others);
        assert_true(slice_eq(writer_slice(&w[0]), writer_slice(&w[1])));
        for (size_t i = 0; history_at(h, &causes, i, &c); i++) {
            assert_true(history_at(back, &others, i, &d));
            assert_true(c.utc_ms == d.utc_ms && c.online == d.online);
            assert_string_equal(c.cause, d.cause);
        }
        gb_put(&f.alloc, back);
        back = NULL;
    }
    assert_int_equal(others.n, 3);
    gb_put(&f.alloc, h);
    history_causes_fini(&causes, &f.alloc);
    history_causes_fini(&others, &f.alloc);
    assert_int_equal(f.live, 0);
}

/* A line of the store that nobody of us wrote reads the same once it was
 * written again, whatever its causes are. */
static void foreign_lines(void **state)
{
    static const struct slice line[] = {
        SLICE("\0registered;+6800,0;"), SLICE("a\0b|a;+1,0;-2,1;"),
        SLICE("other||;+1,0;-2,1;"), SLICE("|other|;+1,2;-2,1;+3,0;"),
    };

    (void)state;
    for (size_t i = 0; i < COUNT(line); i++) {
        struct history_causes causes = { 0 };
        struct history *h = NULL, *back = NULL;
        struct history_change c;
        char text[2][256];
        struct writer w[2] = { writer_of(text[0], sizeof(text[0])),
                               writer_of(text[1], sizeof(text[1])) };

        history_read(&h, &causes, &gb_alloc_heap, guarded(line[i]));
        assert_true(history_at(h, &causes, 0, &c));
        history_write(&w[0], h, &causes);
        history_read(&back, &causes, &gb_alloc_heap, writer_slice(&w[0]));
        assert_true(history_at(back, &causes, 0, &c));
        history_write(&w[1], back, &causes);
        assert_true(slice_eq(writer_slice(&w[0]), writer_slice(&w[1])));
        gb_put(&gb_alloc_heap, h);
        gb_put(&gb_alloc_heap, back);
        history_causes_fini(&causes, &gb_alloc_heap);
    }
}

static void without_memory(void **state)
{
    struct history_causes causes = { 0 };
    struct history_change c = { 5, true, texts[0] };
    struct failing_alloc f;
    struct history *h = NULL;

    (void)state;
    failing_alloc_init(&f, 1);
    history_put(&h, &causes, &f.alloc, &c);
    assert_null(h);
    failing_alloc_init(&f, 2);
    for (unsigned i = 0; i < 9; i++) {
        c.utc_ms = i;
        history_put(&h, &causes, &f.alloc, &c);
        assert_true(history_at(h, &causes, 0, &c));
        assert_int_equal(c.utc_ms, i);
    }
    assert_true(history_at(h, &causes, 1, &c));
    assert_int_equal(c.utc_ms, 7);
    assert_false(history_at(h, &causes, 2, &c));
    gb_put(&f.alloc, h);
    assert_int_equal(f.live, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(newest_first),
        cmocka_unit_test(edges),
        cmocka_unit_test(lines),
        cmocka_unit_test(foreign_lines),
        cmocka_unit_test(without_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
