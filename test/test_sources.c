#include "test/support.h"

#include "app/net/sources.h"

static struct sources table;

static struct source *enter(const char *from)
{
    struct gb_addr a;

    assert_int_equal(gb_addr_parse(&a, slice_str(from), 0), 0);
    return sources_enter(&table, &a);
}

/* Each source has its own count; its port does not matter. */
static void so_many_of_each(void **state)
{
    struct source *a[2], *b;

    (void)state;
    assert_int_equal(sources_init(&table, 2), 0);
    a[0] = enter("192.0.2.1:1000");
    a[1] = enter("192.0.2.1:2000");
    assert_non_null(a[0]);
    assert_ptr_equal(a[0], a[1]);
    assert_null(enter("192.0.2.1:3000"));
    b = enter("192.0.2.2:1000");
    assert_non_null(b);
    assert_ptr_not_equal(a[0], b);
    sources_leave(&table, a[0]);
    assert_non_null(enter("192.0.2.1:3000"));
    assert_null(enter("192.0.2.1:4000"));
    for (int i = 0; i < 2; i++)
        sources_leave(&table, a[0]);
    sources_leave(&table, b);
    sources_leave(&table, NULL);
    sources_fini(&table);
}

/* Who has an IPv6 address has a whole /64 of them. */
static void a_site_of_ipv6(void **state)
{
    struct source *s, *other;

    (void)state;
    assert_int_equal(sources_init(&table, 1), 0);
    s = enter("[2001:db8:1:2::1]:1");
    assert_non_null(s);
    assert_null(enter("[2001:db8:1:2:ffff::9]:1"));
    other = enter("[2001:db8:1:3::1]:1");
    assert_non_null(other);
    sources_leave(&table, s);
    sources_leave(&table, other);
    sources_fini(&table);
}

/* Only those that have some are kept: one after the other, for ever. */
static void none_is_remembered(void **state)
{
    (void)state;
    assert_int_equal(sources_init(&table, 1), 0);
    for (unsigned i = 0; i < 70000; i++) {
        struct gb_addr a = { GB_IPV4,
                             { 10, (uint8_t)(i >> 16), (uint8_t)(i >> 8),
                               (uint8_t)i }, 1 };
        struct source *s = sources_enter(&table, &a);

        assert_non_null(s);
        assert_null(sources_enter(&table, &a));
        sources_leave(&table, s);
    }
    sources_fini(&table); /* which leaks what is still in it */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(so_many_of_each),
        cmocka_unit_test(a_site_of_ipv6),
        cmocka_unit_test(none_is_remembered),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
