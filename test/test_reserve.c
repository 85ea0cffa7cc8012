/* app/net/reserve: pieces that are there when the heap has none */
#include "app/net/reserve.h"
#include "test/support.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define PIECES 5
#define BYTES ((size_t)8 << 20) /* each from a mapping of its own */

/* No address space is left for a mapping: calloc fails. false: there is no such
 * limit here (an emulator does not keep it), and none is set. */
static bool no_more(struct rlimit *old)
{
    struct rlimit none;
    void *p;

    assert_int_equal(getrlimit(RLIMIT_AS, old), 0);
    none = (struct rlimit){ 1 << 20, old->rlim_max };
    assert_int_equal(setrlimit(RLIMIT_AS, &none), 0);
    p = malloc(BYTES);
    if (!p)
        return true;
    free(p);
    assert_int_equal(setrlimit(RLIMIT_AS, old), 0);
    return false;
}

static void pieces(void **state)
{
    struct rlimit old;
    struct reserve r;
    uint8_t *p[PIECES];
    void *more, *usual;

    (void)state;
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    skip(); /* their heap does not return NULL */
#endif
    assert_int_equal(reserve_init(&r, BYTES - 7, PIECES), 0);
    usual = reserve_get(&r);
    assert_non_null(usual);
    if (!no_more(&old)) {
        reserve_put(&r, usual);
        reserve_fini(&r);
        skip();
    }
    for (size_t i = 0; i < PIECES; i++) {
        p[i] = reserve_get(&r);
        assert_non_null(p[i]);
        assert_int_equal((uintptr_t)p[i] % _Alignof(max_align_t), 0);
        assert_int_equal(p[i][0] | p[i][BYTES - 8], 0);
        memset(p[i], 0xff, BYTES - 7);
        for (size_t k = 0; k < i; k++)
            assert_ptr_not_equal(p[i], p[k]);
    }
    assert_null(reserve_get(&r));
    reserve_put(&r, p[3]);
    more = reserve_get(&r);
    assert_ptr_equal(more, p[3]);
    assert_int_equal(*(uint8_t *)more, 0); /* zeroed again */
    for (size_t i = 0; i < PIECES; i++)
        reserve_put(&r, p[i]);
    assert_int_equal(setrlimit(RLIMIT_AS, &old), 0);
    reserve_put(&r, usual);
    reserve_put(&r, NULL);
    reserve_fini(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
