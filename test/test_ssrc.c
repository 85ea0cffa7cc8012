#include "test/support.h"

#include <stdlib.h>

#include "app/platform/ssrc.h"
#include "base/err.h"

static const struct slice id = S("34020000002000000001");

static void ten_digits(void **state)
{
    static const struct {
        const char *name;
        struct slice id;
        bool history;
        uint32_t start;
        int err;
        const char *want;
    } cases[] = {
        { "live", S("34020000002000000001"), false, 4320, 0, "0200004321" },
        { "history", S("34020000002000000001"), true, 0, 0, "1200000001" },
        { "another domain", S("13010000002000000001"), false, 5548, 0,
          "0100005549" },
        { "zeros", S("34000000002000000001"), false, 9998, 0, "0000009999" },
        { "start wraps", S("34000000002000000001"), false, 9999, 0,
          "0000000001" },
        { "short id", S("3402000000"), false, 0, GB_ESYNTAX, "" },
        { "not digits", S("340200x0002000000001"), false, 0, GB_ESYNTAX, "" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct ssrc_pool p;
        char text[SSRC_DIGITS + 1] = "";
        uint32_t v;
        int err = ssrc_pool_init(&p, &gb_alloc_heap, guarded(cases[i].id),
                                 cases[i].start);

        if (!err) {
            assert_int_equal(ssrc_pool_take(&p, cases[i].history, 0, &v), 0);
            ssrc_text(v, text);
            ssrc_pool_give(&p, v, 0);
            ssrc_pool_fini(&p);
        }
        if (err != cases[i].err || strcmp(text, cases[i].want))
            fail_msg("%s: %d %s", cases[i].name, err, text);
    }
}

static int cmp_u32(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return x < y ? -1 : x > y;
}

/* All of them once, no serial twice, live and history from one space; then the
 * one that was given back first comes first. */
static void no_serial_twice(void **state)
{
    static uint32_t v[9999], serial[9999];
    struct ssrc_pool p;
    uint32_t more;

    (void)state;
    assert_int_equal(ssrc_pool_init(&p, &gb_alloc_heap, id, 1234), 0);
    for (uint32_t i = 0; i < COUNT(v); i++) {
        assert_int_equal(ssrc_pool_take(&p, i % 3 == 0, 0, &v[i]), 0);
        serial[i] = v[i] % 10000;
    }
    assert_int_equal(ssrc_pool_take(&p, false, 0, &more), GB_ELIMIT);
    qsort(serial, COUNT(serial), sizeof(*serial), cmp_u32);
    for (uint32_t i = 0; i < COUNT(v); i++)
        assert_int_equal(serial[i], i + 1);
    ssrc_pool_give(&p, v[70], 1000);
    ssrc_pool_give(&p, v[7], 1001);
    assert_int_equal(ssrc_pool_take(&p, false, 1002, &more), 0);
    assert_int_equal(more % 10000, v[70] % 10000);
    ssrc_pool_give(&p, more, 2000);
    for (uint32_t i = 0; i < COUNT(v); i++)
        if (i != 70 && i != 7)
            ssrc_pool_give(&p, v[i], 2000);
    assert_int_equal(rest_pool_lent(&p.rest), 0);
    ssrc_pool_fini(&p);
}

static void without_memory(void **state)
{
    (void)state;
    for (unsigned long n = 1; n <= 3; n++) {
        struct failing_alloc f;
        struct ssrc_pool p;

        failing_alloc_init(&f, n);
        assert_int_equal(ssrc_pool_init(&p, &f.alloc, id, 0), GB_ENOMEM);
        assert_int_equal(f.live, 0);
    }
}

/* A session stays on its loop: the numbers of every remainder, in their order,
 * and another one only when there is none near. */
static void of_a_loop(void **state)
{
    struct ssrc_pool p;
    uint32_t got, last = 0;

    (void)state;
    for (uint32_t mod = 1; mod <= 5; mod++)
        for (uint32_t rem = 0; rem < mod; rem++) {
            assert_int_equal(ssrc_pool_init(&p, &gb_alloc_heap, id, 0), 0);
            for (unsigned i = 0; i < REST_LOOK; i++) {
                assert_int_equal(ssrc_pool_take_like(&p, rem & 1, mod, rem, 0,
                                                     &got), 0);
                if (got % mod != rem || (i && got <= last))
                    fail_msg("%u of %u: %u behind %u", rem, mod, got, last);
                last = got;
            }
            assert_int_equal(rest_pool_lent(&p.rest), REST_LOOK);
            ssrc_pool_fini(&p);
        }
    assert_int_equal(ssrc_pool_init(&p, &gb_alloc_heap, id, 0), 0);
    for (unsigned i = 0; i < 9999; i++)
        assert_int_equal(ssrc_pool_take_like(&p, false, 3, 0, 0, &got), 0);
    assert_int_equal(ssrc_pool_take_like(&p, false, 3, 0, 0, &got), GB_ELIMIT);
    ssrc_pool_fini(&p);
}

/* One that was given back is not given out for 60 s, whoever asks, as long as
 * there are others: somebody may still know it. */
static void note_7_5_a_number_rests(void **state)
{
    struct ssrc_pool p;
    uint32_t used, got;

    (void)state;
    assert_int_equal(ssrc_pool_init(&p, &gb_alloc_heap, id, 0), 0);
    assert_int_equal(ssrc_pool_take(&p, false, 0, &used), 0);
    ssrc_pool_give(&p, used, 1000);
    for (unsigned i = 0; i < 9998; i++) {
        assert_int_equal(ssrc_pool_take(&p, i & 1, 1000 + REST_MS - 1, &got),
                         0);
        assert_int_not_equal(got % 10000, used % 10000);
    }
    assert_int_equal(ssrc_pool_take(&p, false, 1000 + REST_MS, &got), 0);
    assert_int_equal(got, used);
    ssrc_pool_fini(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(of_a_loop),
        cmocka_unit_test(ten_digits),
        cmocka_unit_test(no_serial_twice),
        cmocka_unit_test(note_7_5_a_number_rests),
        cmocka_unit_test(without_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
