#include "app/trace/rtplog.h"

#include "test/support.h"

#include <uv.h>

static struct rtplog_packet got[RTPLOG_FIRST + RTPLOG_LAST];

static void put(struct rtplog *l, uint32_t i)
{
    uint8_t p[RTPLOG_HEAD];

    for (size_t k = 0; k < 4; k++)
        p[k] = p[4 + k] = p[8 + k] = (uint8_t)(i >> (24 - 8 * k));
    rtplog_put(l, p, 100 + i % 1000, i & 1, 1700000000000 + i);
}

/* got[k] is the packet i, whole. */
static void expect(size_t k, uint32_t i)
{
    const uint8_t *p = got[k].head;

    if (((uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 |
         p[3]) != i)
        fail_msg("%zu is not the packet %u", k, i);
    assert_memory_equal(p, p + 4, 8);
    assert_int_equal(got[k].len, 100 + i % 1000);
    assert_int_equal(got[k].tcp, i & 1);
    assert_true(got[k].utc_ms == 1700000000000 + i);
}

static void first_and_last(void **state)
{
    static const uint32_t many[] = { 0, 1, 499, 500, 501, 999, 1000, 1001,
                                     1499, 1500, 5007 };

    (void)state;
    for (size_t c = 0; c < COUNT(many); c++) {
        struct rtplogs *s = rtplogs_new();
        struct rtplog *l = rtplogs_open(s, 7);
        uint32_t n = many[c], first = n < RTPLOG_FIRST ? n : RTPLOG_FIRST;
        uint32_t last = n - first < RTPLOG_LAST ? n - first : RTPLOG_LAST;
        uint64_t total;

        for (uint32_t i = 0; i < n; i++)
            put(l, i);
        assert_int_equal(rtplog_read(l, got, &total), first + last);
        assert_int_equal(total, n);
        for (uint32_t i = 0; i < first; i++)
            expect(i, i);
        for (uint32_t i = 0; i < last; i++)
            expect(first + i, n - last + i);
        rtplogs_free(s);
    }
}

static void which_session(void **state)
{
    struct rtplogs *s = rtplogs_new();
    struct rtplogs_of of = { SLICE("nvr"), SLICE("camera"), SLICE("x@y"),
                             { .port = 1 }, { .family = GB_IPV4, .port = 2 } };
    struct rtplog *l = rtplogs_open(s, 7);

    (void)state;
    assert_ptr_equal(rtplogs_open(s, 7), l);
    assert_ptr_not_equal(rtplogs_open(s, 8), l);
    rtplogs_note(s, 7, &of);
    of.remote.family = GB_NO_ADDR; /* not known at present: as it was */
    rtplogs_note(s, 7, &of);
    rtplogs_note(s, 99, &of);
    rtplogs_end(s, 99);
    assert_ptr_equal(rtplogs_at(s, 0, &of), l);
    expect_slice(of.device, "nvr");
    expect_slice(of.channel, "camera");
    expect_slice(of.call_id, "x@y");
    assert_int_equal(of.remote.port, 2);
    assert_int_equal(of.remote.family, GB_IPV4);
    assert_null(rtplogs_at(s, 2, &of));
    rtplogs_end(s, 7);
    assert_ptr_not_equal(rtplogs_open(s, 7), l); /* another life */
    rtplogs_free(s);
}

/* Ended ones are kept, but not all; who still writes has a reference. */
static void ended_are_bounded(void **state)
{
    struct rtplogs *s = rtplogs_new();
    struct rtplog *first = rtplog_ref(rtplogs_open(s, 1));
    struct rtplogs_of of;
    size_t n = 0;

    (void)state;
    for (uint64_t i = 1; i <= RTPLOG_ENDED + 10; i++) {
        assert_non_null(rtplogs_open(s, i));
        rtplogs_end(s, i);
    }
    while (rtplogs_at(s, n, &of))
        n++;
    assert_int_equal(n, RTPLOG_ENDED);
    put(first, 3);
    rtplog_unref(first);
    rtplogs_free(s);
}

static void write_on(void *arg)
{
    for (uint32_t i = 0; i < 300000; i++)
        put(arg, i);
}

/* Read while it is written: what is given is whole, and in order. */
static void read_while_written(void **state)
{
    struct rtplogs *s = rtplogs_new();
    struct rtplog *l = rtplogs_open(s, 7);
    uint64_t total = 0;
    uv_thread_t t;

    (void)state;
    assert_int_equal(uv_thread_create(&t, write_on, l), 0);
    while (total < 300000) {
        size_t n = rtplog_read(l, got, &total);

        for (size_t k = 0; k < n; k++) {
            uint32_t i = (uint32_t)(got[k].utc_ms - 1700000000000);

            expect(k, i);
            assert_true(k == 0 || got[k].utc_ms > got[k - 1].utc_ms);
        }
    }
    uv_thread_join(&t);
    rtplogs_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_and_last),
        cmocka_unit_test(which_session),
        cmocka_unit_test(ended_are_bounded),
        cmocka_unit_test(read_while_written),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
