/* base/: err, slice, bytes, writer, arena, list, alloc */
#include "test/support.h"

#include <stdio.h>

#include "base/arena.h"
#include "base/bytes.h"
#include "base/err.h"
#include "base/list.h"
#include "base/writer.h"

static void errors_have_texts(void **state)
{
    (void)state;
    assert_string_equal(gb_strerror(0), "ok");
    assert_string_equal(gb_strerror(-1), "unknown error");
    for (int e = GB_ERR_BASE_ + 1; e <= GB_EIO; e++)
        assert_string_not_equal(gb_strerror(e), "unknown error");
    assert_int_equal(gb_fail(NULL, GB_ERANGE, 3, "x"), GB_ERANGE);
}

static void numbers(void **state)
{
    static const struct {
        const char *name;
        struct slice in;
        uint32_t max;
        bool ok;
        uint32_t value;
    } cases[] = {
        { "zero", S("0"), 10, true, 0 },
        { "leading zeros", S("0007"), 10, true, 7 },
        { "the maximum", S("10"), 10, true, 10 },
        { "above the maximum", S("11"), 10, false, 0 },
        { "largest 32 bit", S("4294967295"), UINT32_MAX, true, UINT32_MAX },
        { "wraps 32 bit", S("4294967296"), UINT32_MAX, false, 0 },
        { "wraps 64 bit", S("18446744073709551617"), UINT32_MAX, false, 0 },
        { "empty", S(""), 10, false, 0 },
        { "sign", S("-1"), 10, false, 0 },
        { "blank", S("1 "), 10, false, 0 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        uint32_t v = 0;

        if (slice_u32(guarded(cases[i].in), cases[i].max, &v) != cases[i].ok ||
            v != cases[i].value)
            fail_msg("%s: %u", cases[i].name, v);
    }
}

static void doubles(void **state)
{
    static const struct {
        struct slice in;
        bool ok;
        double value;
    } cases[] = {
        { S("116.25"), true, 116.25 }, { S("-0.5"), true, -0.5 },
        { S("3."), true, 3 },          { S("+7"), true, 7 },
        { S(".5"), true, 0.5 },        { S(""), false, 0 },
        { S("."), false, 0 },          { S("nan"), false, 0 },
        { S("1.2.3"), false, 0 },      { S("1.185e+02"), true, 118.5 },
        { S("1E5"), true, 100000 },    { S("-315.e-1"), true, -31.5 },
        { S("1e-99"), true, 0 },       { S("0e99"), true, 0 },
        { S("1e100"), false, 0 },      { S("1e-100"), false, 0 },
        { S("1e"), false, 0 },         { S("1e+"), false, 0 },
        { S("e5"), false, 0 },         { S("1e5.0"), false, 0 },
        { S("1e5e5"), false, 0 },      { S("1e 5"), false, 0 },
        { S("1e4294967296"), false, 0 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        double v = 0;

        if (slice_double(guarded(cases[i].in), &v) != cases[i].ok ||
            v < cases[i].value - 1e-9 || v > cases[i].value + 1e-9)
            fail_msg("%.*s: %f", SLICE_ARG(cases[i].in), v);
    }
}

static void searching(void **state)
{
    struct slice s = guarded(SLICE("aXbXc")), head;

    (void)state;
    assert_int_equal(slice_find(s, 'X'), 1);
    assert_int_equal(slice_find(s, 'z'), 5);
    assert_int_equal(slice_find_slice(s, SLICE("Xc")), 3);
    assert_int_equal(slice_find_slice(s, SLICE("Xd")), 5);
    assert_int_equal(slice_find_slice(s, SLICE("")), 0);
    assert_true(slice_cut(&s, 'X', &head));
    assert_true(slice_eq(head, SLICE("a")));
    assert_true(slice_cut(&s, 'X', &head));
    assert_false(slice_cut(&s, 'X', &head));
    assert_true(slice_eq(head, SLICE("c")));
    assert_int_equal(s.n, 0);
    assert_true(slice_ieq(SLICE("Via"), SLICE("vIA")));
    assert_false(slice_ieq(SLICE("\xc0"), SLICE("\xe0")));
    assert_true(slice_eq(slice_trim(SLICE(" \r\n\ta ")), SLICE("a")));
    assert_int_equal(slice_trim(SLICE("  ")).n, 0);
    assert_true(slice_has_iprefix(SLICE("SIP/2.0"), SLICE("sip/")));
    assert_false(slice_has_prefix(SLICE("S"), SLICE("SIP")));
    assert_true(slice_cmp(SLICE("a"), SLICE("ab")) < 0);
    assert_int_equal(slice_cmp(slice_str(NULL), SLICE("")), 0);
}

static void copying_ends_with_nul(void **state)
{
    char buf[4];

    (void)state;
    assert_true(slice_copy(buf, sizeof(buf), SLICE("abc")));
    assert_string_equal(buf, "abc");
    assert_false(slice_copy(buf, sizeof(buf), SLICE("abcd")));
    assert_string_equal(buf, "abc");
}

static void reads(void **state)
{
    static const uint8_t b[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12 };
    struct bytes r = bytes_of(b, sizeof(b));

    (void)state;
    assert_int_equal(bytes_u8(&r), 1);
    assert_int_equal(bytes_be16(&r), 0x0203);
    assert_int_equal(bytes_be24(&r), 0x040506);
    bytes_skip(&r, 2);
    assert_int_equal(bytes_left(&r), 4);
    assert_int_equal(bytes_be32(&r), 0x090a0b0c);
    assert_int_equal(r.err, 0);
    assert_int_equal(r.off, sizeof(b));
    r = bytes_of(b, 8);
    assert_true(bytes_be64(&r) == 0x0102030405060708u);
    assert_int_equal(r.err, 0);
}

/* Past the end all is 0, and the error stays. */
static void reads_past_the_end(void **state)
{
    static const uint8_t b[] = { 1, 2, 3 };
    struct bytes r = bytes_of(b, sizeof(b));

    (void)state;
    assert_int_equal(bytes_be32(&r), 0x01020300);
    assert_int_equal(r.err, GB_EAGAIN);
    assert_int_equal(bytes_u8(&r), 0);
    bytes_skip(&r, 4);
    assert_int_equal(r.err, GB_EAGAIN);
    assert_int_equal(r.off, 3);
    r = bytes_of(b, sizeof(b));
    bytes_skip(&r, 4);
    assert_int_equal(r.err, GB_EAGAIN);
    assert_int_equal(bytes_left(&r), 0);
    r = bytes_of(NULL, 0);
    assert_int_equal(bytes_u8(&r), 0);
    assert_int_equal(r.err, GB_EAGAIN);
}

static void visible(void **state)
{
    char buf[16];
    struct writer w = writer_of(buf, 8);

    (void)state;
    writer_visible(&w, SLICE("a \"\\\r\x80~\0"), '?');
    assert_int_equal(w.err, 0);
    assert_memory_equal(buf, "a ????~?", 8);
    writer_visible(&w, SLICE("more"), '?');
    assert_int_equal(w.err, GB_ENOMEM);
    assert_int_equal(w.len, 8);
}

static void writer_is_sticky(void **state)
{
    char buf[8];

    (void)state;
    for (size_t cap = 0; cap <= sizeof(buf); cap++) {
        struct writer w = writer_of(buf, cap);

        writer_str(&w, "ab");
        writer_u64(&w, 1234);
        writer_char(&w, '!');
        assert_int_equal(w.err, cap < 7 ? GB_ENOMEM : 0);
        assert_true(w.len <= cap);
        if (cap >= 7)
            assert_memory_equal(buf, "ab1234!", 7);
    }
}

static void writer_forms(void **state)
{
    char buf[128];
    struct writer w = writer_of(buf, sizeof(buf));

    (void)state;
    writer_i64(&w, INT64_MIN);
    writer_char(&w, ' ');
    writer_u64_pad(&w, 42, 10);
    writer_f(&w, " %s", "x");
    writer_hex(&w, "\x01\xfe", 2);
    writer_line_safe(&w, SLICE("a\r\nb\0c"));
    writer_be16(&w, 0x4142);
    writer_be24(&w, 0x434445);
    writer_be32(&w, 0x46474849);
    writer_be64(&w, 0x4a4b4c4d4e4f5051u);
    assert_int_equal(w.err, 0);
    assert_true(slice_eq(writer_slice(&w),
                         SLICE("-9223372036854775808 0000000042 x01feabc"
                               "ABCDEFGHIJKLMNOPQ")));
}

static void numbers_written(void **state)
{
    static const unsigned widths[] = { 0, 1, 2, 3, 10, 31, 32, 33, 1000 };
    uint64_t seed = 3;

    (void)state;
    for (unsigned k = 0; k < 20000; k++) {
        uint64_t v = k < 11000 ? k : test_random(&seed) >> k % 64;
        unsigned width = widths[k % COUNT(widths)];
        char got[32], want[64];
        struct writer w = writer_of(got, sizeof(got));
        int n = snprintf(want, sizeof(want), "%0*llu",
                         (int)(width < 32 ? width : 32),
                         (unsigned long long)v);

        writer_u64_pad(&w, v, width);
        assert_int_equal(w.err, 0);
        assert_int_equal(w.len, n);
        assert_memory_equal(got, want, w.len);
    }
}

/* What is taken out, at each place of texts that are shorter and longer than
 * the blocks in which they are looked at, beside what is near to it. */
static void line_safe(void **state)
{
    static const char octets[] = "\r\n\0\t\x01\x0b\x0f\x10 \x7f\x80\x8a\x8d\xff";

    (void)state;
    for (size_t n = 0; n < 40; n++)
        for (size_t at = 0; at < n; at++)
            for (size_t k = 0; k < sizeof(octets) - 1; k++) {
                char text[40], got[40];
                struct writer w = writer_of(got, n);
                bool out = k < 3;
                struct slice s;

                memset(text, 'a', n);
                text[at] = octets[k];
                s = guarded(slice_of(text, n));
                assert_int_equal(writer_safe_run(s), out ? at : n);
                writer_line_safe(&w, s);
                assert_int_equal(w.err, 0);
                assert_int_equal(w.len, n - out);
                assert_memory_equal(got, text, at);
                if (!out)
                    assert_memory_equal(got, text, n);
            }
}

static void arena_is_full_and_says_so(void **state)
{
    char mem[64];
    struct arena a = arena_of(mem, sizeof(mem));
    struct slice copy;

    (void)state;
    assert_non_null(arena_alloc(&a, 32));
    assert_null(arena_alloc(&a, 64));
    assert_null(arena_alloc(&a, SIZE_MAX));
    assert_true(arena_slice(&a, SLICE("abc"), &copy));
    assert_true(slice_eq(copy, SLICE("abc")));
    assert_false(arena_slice(&a, slice_of(mem, 60), &copy));
    assert_int_equal(copy.n, 0);
}

struct item {
    struct list node;
    int v;
};

static void list_order_and_removal(void **state)
{
    struct list head, *n, *tmp;
    struct item it[4];
    int sum = 0;

    (void)state;
    list_init(&head);
    assert_null(list_pop_front(&head));
    for (int i = 0; i < 4; i++) {
        it[i].v = i;
        list_push_back(&head, &it[i].node);
    }
    LIST_EACH(n, tmp, &head) {
        struct item *x = container_of(n, struct item, node);

        if (x->v % 2)
            list_remove(n);
        else
            sum = sum * 10 + x->v;
    }
    assert_int_equal(sum, 2); /* 0, then 2 */
    list_push_front(&head, &it[3].node);
    assert_ptr_equal(list_pop_front(&head), &it[3].node);
    list_remove(&it[3].node); /* in no list: harmless */
    assert_false(list_is_empty(&head));
}

static void guard_and_failing_allocator_work(void **state)
{
    struct failing_alloc f;
    void *p;

    (void)state;
    failing_alloc_init(&f, 2);
    p = gb_get(&f.alloc, 8);
    assert_non_null(p);
    assert_null(gb_get(&f.alloc, 8));
    gb_put(&f.alloc, p);
    gb_put(&f.alloc, NULL);
    assert_int_equal(f.live, 0);
    p = gb_get(&gb_alloc_heap, 4);
    assert_memory_equal(p, "\0\0\0\0", 4);
    gb_put(&gb_alloc_heap, p);
}

static void lists_are_joined(void **state)
{
    struct list a, b, n[4];

    (void)state;
    list_init(&a);
    list_init(&b);
    list_move(&a, &b);
    assert_true(list_is_empty(&a) && list_is_empty(&b));
    for (int i = 0; i < 4; i++)
        list_push_back(i < 2 ? &a : &b, &n[i]);
    list_move(&a, &b);
    assert_true(list_is_empty(&b));
    for (int i = 0; i < 4; i++)
        assert_ptr_equal(list_pop_front(&a), &n[i]);
    assert_null(list_pop_front(&a));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(errors_have_texts),
        cmocka_unit_test(numbers),
        cmocka_unit_test(doubles),
        cmocka_unit_test(searching),
        cmocka_unit_test(copying_ends_with_nul),
        cmocka_unit_test(reads),
        cmocka_unit_test(reads_past_the_end),
        cmocka_unit_test(writer_is_sticky),
        cmocka_unit_test(writer_forms),
        cmocka_unit_test(numbers_written),
        cmocka_unit_test(line_safe),
        cmocka_unit_test(visible),
        cmocka_unit_test(arena_is_full_and_says_so),
        cmocka_unit_test(list_order_and_removal),
        cmocka_unit_test(lists_are_joined),
        cmocka_unit_test(guard_and_failing_allocator_work),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
