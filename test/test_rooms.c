/* app/net/rooms: blocks of frames, given back by any thread */
#include "test/support.h"

#include "app/media/frame.h"
#include "app/net/rooms.h"

#include <string.h>
#include <uv.h>

#define N 100

static uint8_t *block(struct rooms *r, uint8_t fill)
{
    uint8_t *p = gb_get_raw(rooms_alloc(r), MEDIA_BLOCK_BYTES);

    assert_non_null(p);
    assert_int_equal((uintptr_t)p % _Alignof(max_align_t), 0);
    memset(p, fill, MEDIA_BLOCK_BYTES);
    return p;
}

static void give(struct rooms *r, uint8_t *p, uint8_t fill)
{
    assert_int_equal(p[0], fill);
    assert_memory_equal(p, p + 1, MEDIA_BLOCK_BYTES - 1);
    gb_put(rooms_alloc(r), p);
}

static struct rooms_use use_of(struct rooms *r)
{
    struct rooms_use u;

    rooms_used(r, &u);
    return u;
}

/* Nobody's bytes are another's, and what is empty goes back but for a spare. */
static void any_order(void **state)
{
    struct rooms *r = rooms_new();
    uint8_t *p[N] = { NULL };
    uint64_t seed = 1;
    size_t most = 0;

    (void)state;
    for (unsigned i = 0; i < 20 * N; i++) {
        size_t at = test_random(&seed) % N;

        if (p[at]) {
            give(r, p[at], (uint8_t)at);
            p[at] = NULL;
        } else {
            p[at] = block(r, (uint8_t)at);
        }
        most = use_of(r).steps > most ? use_of(r).steps : most;
    }
    for (size_t i = 0; i < N; i++)
        if (p[i])
            give(r, p[i], (uint8_t)i);
    assert_int_equal(use_of(r).blocks, 0);
    assert_true(use_of(r).steps <= ROOMS_SPARE);
    assert_true(most <= N / 10); /* 18 in each: they lie close */
    rooms_free(r);
}

/* One block alone does not take and give back a step each time. */
static void one_after_another(void **state)
{
    struct rooms *r = rooms_new();
    uint8_t *p = block(r, 1), *first = p;
    size_t steps = use_of(r).steps;

    (void)state;
    for (int i = 0; steps && i < N; i++) {
        give(r, p, 1);
        assert_int_equal(use_of(r).steps, steps);
        p = block(r, 1);
        assert_ptr_equal(p, first);
    }
    give(r, p, 1);
    rooms_free(r);
}

/* Caches that begin anew at the same time let all go and take it again: that costs
 * no page. What is not wanted for long goes back, a step with each block. */
static void all_at_once(void **state)
{
    struct rooms *r = rooms_new();
    uint8_t *p[N], *last = block(r, 0);
    size_t steps = 0;

    (void)state;
    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < N; i++)
            p[i] = block(r, (uint8_t)i);
        assert_true(round == 0 || use_of(r).steps == steps);
        steps = use_of(r).steps;
        for (size_t i = 0; i < N; i++)
            give(r, p[i], (uint8_t)i);
        assert_int_equal(use_of(r).steps, steps);
        rooms_age(r, ROOMS_KEEP_MS / 2);
    }
    rooms_age(r, ROOMS_KEEP_MS / 2);
    p[0] = block(r, 1);
    give(r, p[0], 1);
    assert_true(use_of(r).steps <= 1 + ROOMS_SPARE);
    give(r, last, 0);
    assert_true(use_of(r).steps <= ROOMS_SPARE);
    rooms_free(r);
}

/* All streams have stopped but for one block that somebody holds: nothing is given
 * back any more, and what is empty goes all the same. */
static void one_is_held(void **state)
{
    struct rooms *r = rooms_new();
    uint8_t *p[N], *last = block(r, 0);

    (void)state;
    for (size_t i = 0; i < N; i++)
        p[i] = block(r, (uint8_t)i);
    for (size_t i = 0; i < N; i++)
        give(r, p[i], (uint8_t)i);
    rooms_age(r, ROOMS_KEEP_MS);
    rooms_tidy(r);
    assert_true(use_of(r).steps <= 1 + ROOMS_SPARE);
    give(r, last, 0);
    rooms_free(r);
}

static void too_large(void **state)
{
    struct rooms *r = rooms_new();

    (void)state;
    assert_null(gb_get_raw(rooms_alloc(r), MEDIA_BLOCK_BYTES + 1));
    gb_put(rooms_alloc(r), NULL);
    assert_int_equal(use_of(r).blocks, 0);
    rooms_free(r);
    rooms_free(NULL);
}

/* What is held outlives the rooms: a disk may still write it. */
static void freed_while_held(void **state)
{
    struct rooms *r = rooms_new();
    const struct gb_alloc *a = rooms_alloc(r);
    uint8_t *p = block(r, 1), *q = block(r, 2);

    (void)state;
    rooms_free(r);
    assert_int_equal(p[0], 1);
    gb_put(a, p);
    assert_int_equal(q[MEDIA_BLOCK_BYTES - 1], 2);
    gb_put(a, q);
}

struct worker {
    uv_thread_t thread;
    struct rooms *rooms;
    uint8_t fill;
};

static void work(void *arg)
{
    struct worker *w = arg;

    for (int i = 0; i < 20 * N; i++) {
        uint8_t *p = block(w->rooms, w->fill), *q = block(w->rooms, w->fill);

        give(w->rooms, p, w->fill);
        give(w->rooms, q, w->fill);
    }
}

static void several_threads(void **state)
{
    struct rooms *r = rooms_new();
    struct worker w[3];

    (void)state;
    for (uint8_t i = 0; i < COUNT(w); i++) {
        w[i] = (struct worker){ .rooms = r, .fill = i };
        assert_int_equal(uv_thread_create(&w[i].thread, work, &w[i]), 0);
    }
    for (size_t i = 0; i < COUNT(w); i++)
        uv_thread_join(&w[i].thread);
    assert_int_equal(use_of(r).blocks, 0);
    rooms_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_order),
        cmocka_unit_test(one_after_another),
        cmocka_unit_test(all_at_once),
        cmocka_unit_test(one_is_held),
        cmocka_unit_test(too_large),
        cmocka_unit_test(freed_while_held),
        cmocka_unit_test(several_threads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
