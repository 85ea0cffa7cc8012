/* base/map and base/idmap against simple models */
#include "test/support.h"

#include "base/err.h"
#include "base/idmap.h"
#include "base/map.h"

#include <stdio.h>
#include <stdlib.h>

struct entry {
    struct map_node node;
    char key[8];
    bool in;
};

static void insert(struct map *m, struct entry *e, const char *key)
{
    snprintf(e->key, sizeof(e->key), "%s", key);
    map_insert(m, &e->node, slice_str(e->key));
}

static struct map_node *all_steps(const struct map *m, struct slice key)
{
    uint64_t hash = map_ahead(m, key);
    struct map_node *n = map_ahead_first(m, hash);

    return map_ahead_node(map_ahead_next(n, hash), hash);
}

/* Hints lead to the node, whatever else is in its chain; and to nothing where
 * there is none. */
static void ahead(void **state)
{
    struct entry *e = calloc(500, sizeof(*e));
    struct map m;

    (void)state;
    assert_int_equal(map_init(&m, &gb_alloc_heap, "0123456789abcdef"), 0);
    assert_null(all_steps(&m, SLICE("k")));
    for (size_t i = 0; i < 500; i++) {
        snprintf(e[i].key, sizeof(e[i].key), "k%zu", i);
        map_insert(&m, &e[i].node, slice_str(e[i].key));
    }
    for (size_t i = 0; i < 500; i++) {
        assert_ptr_equal(all_steps(&m, slice_str(e[i].key)), &e[i].node);
    }
    map_fini(&m);
    free(e);
}

static void agrees_with_a_table(enum map_load load)
{
    struct failing_alloc f;
    struct entry *e = calloc(2000, sizeof(*e));
    uint64_t seed = 7;
    struct map m;
    size_t n_in = 0, seen = 0;
    struct map_walk w = { 0 };

    failing_alloc_init(&f, 0);
    assert_int_equal(map_init_load(&m, &f.alloc, "0123456789abcdef", load), 0);
    for (size_t i = 0; i < 2000; i++)
        snprintf(e[i].key, sizeof(e[i].key), "k%zu", i);
    for (int step = 0; step < 20000; step++) {
        struct entry *x = &e[test_random(&seed) % 2000];
        struct slice key = slice_str(x->key);
        struct map_node *found = map_find(&m, key);

        assert_ptr_equal(found, x->in ? &x->node : NULL);
        if (x->in)
            map_remove(&m, &x->node);
        else
            map_insert(&m, &x->node, key);
        x->in = !x->in;
        n_in += x->in ? 1 : (size_t)-1;
        assert_int_equal(m.n, n_in);
    }
    for (struct map_node *n; (n = map_walk_next(&m, &w));) {
        map_remove(&m, n);
        seen++;
    }
    assert_int_equal(seen, n_in);
    map_fini(&m);
    assert_int_equal(f.live, 0);
    free(e);
}

static void map_agrees_with_a_table(void **state)
{
    (void)state;
    agrees_with_a_table(MAP_DENSE);
    agrees_with_a_table(MAP_EVEN);
    agrees_with_a_table(MAP_SPARSE);
}

/* Two nodes a bucket at most, one, one for two; a plain map is dense. */
static void loads(void **state)
{
    static const size_t want[] = { [MAP_DENSE] = 512, [MAP_EVEN] = 1024,
                                   [MAP_SPARSE] = 2048 };
    static struct entry e[COUNT(want) + 1][1000];
    struct map m[COUNT(want) + 1];

    (void)state;
    assert_int_equal(map_init(&m[COUNT(want)], &gb_alloc_heap, NULL), 0);
    for (size_t k = 0; k < COUNT(want); k++)
        assert_int_equal(map_init_load(&m[k], &gb_alloc_heap, NULL,
                                       (enum map_load)k), 0);
    for (size_t k = 0; k < COUNT(m); k++) {
        for (int i = 0; i < 1000; i++) {
            char key[12];

            snprintf(key, sizeof(key), "%d", i);
            insert(&m[k], &e[k][i], key);
        }
        assert_int_equal(m[k].n_buckets, want[k % COUNT(want)]);
        map_fini(&m[k]);
    }
}

static void equal_keys_newest_first(void **state)
{
    static struct entry n[3], other[64];
    struct map m;

    (void)state;
    assert_int_equal(map_init(&m, &gb_alloc_heap, NULL), 0);
    for (int i = 0; i < 3; i++)
        insert(&m, &n[i], "same");
    for (int i = 0; i < 64; i++) { /* the table grows in between */
        char key[12];

        snprintf(key, sizeof(key), "%d", i);
        insert(&m, &other[i], key);
    }
    assert_ptr_equal(map_find(&m, SLICE("same")), &n[2].node);
    assert_ptr_equal(map_find_next(&n[2].node), &n[1].node);
    assert_ptr_equal(map_find_next(&n[1].node), &n[0].node);
    assert_null(map_find_next(&n[0].node));
    map_remove(&m, &n[1].node);
    assert_ptr_equal(map_find_next(&n[2].node), &n[0].node);
    map_remove(&m, &n[2].node);
    assert_ptr_equal(map_find(&m, SLICE("same")), &n[0].node);
    map_fini(&m);
}

/* A key may be empty, lie in front of its node or behind it, and contain it. */
static void keys_lie_anywhere_near(void **state)
{
    static struct {
        char before[MAP_KEY_FAR];
        struct map_node n[4];
        char behind[MAP_KEY_FAR - 4 * sizeof(struct map_node)];
    } o;
    const struct slice key[4] = {
        slice_of(o.before, 0), slice_of(o.before + 100, 200),
        slice_of(o.behind + 7, sizeof(o.behind) - 7),
        slice_of(o.before + sizeof(o.before) - 1, 1),
    };
    struct map m;

    (void)state;
    memset(&o, 'k', sizeof(o));
    assert_int_equal(map_init(&m, &gb_alloc_heap, "0123456789abcdef"), 0);
    for (size_t i = 0; i < 4; i++)
        map_insert(&m, &o.n[i], key[i]);
    for (size_t i = 0; i < 4; i++) {
        assert_ptr_equal(map_find(&m, key[i]), &o.n[i]);
        assert_ptr_equal(map_key(&o.n[i]).p, key[i].p);
        assert_int_equal(map_key(&o.n[i]).n, key[i].n);
    }
    map_fini(&m);
}

/* Named once, it goes in and out of maps of the same seed. */
static void named_once(void **state)
{
    const uint64_t seed[2] = { 1, 2 };
    struct entry e[2] = { { .key = "one" }, { .key = "one" } };
    struct map m[2];

    (void)state;
    for (int i = 0; i < 2; i++) {
        assert_int_equal(map_init(&m[i], &gb_alloc_heap, seed), 0);
        map_name(seed, &e[i].node, slice_str(e[i].key));
    }
    assert_null(map_find_like(&m[0], &e[0].node));
    map_insert_named(&m[0], &e[0].node);
    assert_ptr_equal(map_find_like(&m[0], &e[1].node), &e[0].node);
    assert_ptr_equal(map_find(&m[0], SLICE("one")), &e[0].node);
    map_remove(&m[0], &e[0].node);
    map_insert_named(&m[1], &e[0].node);
    assert_null(map_find_like(&m[0], &e[1].node));
    assert_ptr_equal(map_find_like(&m[1], &e[1].node), &e[0].node);
    for (int i = 0; i < 2; i++)
        map_fini(&m[i]);
}

/* Emptied at once; the nodes can be used again. */
static void cleared(void **state)
{
    static struct entry e[100];
    struct map m;

    (void)state;
    assert_int_equal(map_init(&m, &gb_alloc_heap, NULL), 0);
    map_clear(&m);
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 100; i++) {
            char key[12];

            snprintf(key, sizeof(key), "%d", i);
            insert(&m, &e[i], key);
        }
        assert_ptr_equal(map_find(&m, SLICE("7")), &e[7].node);
        assert_int_equal(m.n, 100);
        map_clear(&m);
        assert_null(map_find(&m, SLICE("7")));
        assert_int_equal(m.n, 0);
    }
    map_fini(&m);
}

/* Without memory to grow it goes on with longer chains. */
static void growing_may_fail(void **state)
{
    static struct entry e[500];
    struct failing_alloc f;
    struct map m;

    (void)state;
    failing_alloc_init(&f, 1);
    assert_int_equal(map_init(&m, &f.alloc, NULL), GB_ENOMEM);
    failing_alloc_init(&f, 2);
    assert_int_equal(map_init(&m, &f.alloc, NULL), 0);
    for (int i = 0; i < 500; i++) {
        char key[12];

        snprintf(key, sizeof(key), "%d", i);
        insert(&m, &e[i], key);
    }
    for (int i = 0; i < 500; i++)
        assert_ptr_equal(map_find(&m, slice_str(e[i].key)), &e[i].node);
    map_fini(&m);
    assert_int_equal(f.live, 0);
}

/* A flipped bit anywhere, the length, or the seed changes it. */
static void hash_depends_on_seed_and_every_byte(void **state)
{
    uint64_t a[2] = { 1, 2 }, b[2] = { 1, 3 };
    char key[20];

    (void)state;
    memset(key, 'x', sizeof(key));
    for (size_t n = 0; n <= sizeof(key); n++) {
        uint64_t h = map_hash(a, slice_of(key, n));

        assert_true(h != map_hash(b, slice_of(key, n)));
        for (size_t i = 0; i < n; i++) {
            key[i] ^= 1;
            assert_true(h != map_hash(a, slice_of(key, n)));
            key[i] ^= 1;
        }
    }
}

static void stale_ids_find_nothing(void **state)
{
    struct failing_alloc f;
    uint64_t id[40], again;
    uint32_t pos = 0;
    struct idmap m;
    int obj[40], n = 0;

    (void)state;
    failing_alloc_init(&f, 0);
    idmap_init(&m, &f.alloc, 33);
    assert_null(idmap_find(&m, 0));
    for (int i = 0; i < 33; i++) {
        assert_int_equal(idmap_add(&m, &obj[i], &id[i]), 0);
        assert_true(id[i] != 0);
    }
    assert_int_equal(idmap_add(&m, &obj[33], &id[33]), GB_ELIMIT);
    assert_ptr_equal(idmap_find(&m, id[7]), &obj[7]);
    idmap_remove(&m, id[7]);
    idmap_remove(&m, id[7]);
    assert_null(idmap_find(&m, id[7]));
    assert_int_equal(idmap_add(&m, &obj[34], &again), 0);
    assert_int_equal((uint32_t)again, (uint32_t)id[7]); /* the same slot */
    assert_true(again != id[7]);
    assert_null(idmap_find(&m, id[7]));
    idmap_replace(&m, again, &obj[35]);
    assert_ptr_equal(idmap_find(&m, again), &obj[35]);
    while (idmap_walk_next(&m, &pos))
        n++;
    assert_int_equal(n, 33);
    idmap_fini(&m);
    assert_int_equal(f.live, 0);
    failing_alloc_init(&f, 1);
    idmap_init(&m, &f.alloc, 3);
    assert_int_equal(idmap_add(&m, obj, &again), GB_ENOMEM);
    idmap_fini(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(map_agrees_with_a_table),
        cmocka_unit_test(loads),
        cmocka_unit_test(ahead),
        cmocka_unit_test(equal_keys_newest_first),
        cmocka_unit_test(keys_lie_anywhere_near),
        cmocka_unit_test(named_once),
        cmocka_unit_test(cleared),
        cmocka_unit_test(growing_may_fail),
        cmocka_unit_test(hash_depends_on_seed_and_every_byte),
        cmocka_unit_test(stale_ids_find_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
