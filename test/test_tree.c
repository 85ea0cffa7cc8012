/* app/platform/tree: what hangs where, in any order, with every fault that
 * catalogs have; a random model; no memory */
#include "app/platform/tree.h"
#include "test/support.h"

#include <stdio.h>

#define NVR "34020000001180000001"
#define SELF "34020000001320000009" /* a camera that registers itself */
#define OURS "34010000002000000001"
#define SYS "34020000002000000001"
#define GROUP "34020000002150000001"
#define ORG1 "34020000002160000001"
#define ORG2 "34020000002160000002"
#define ORG3 "34020000002160000003"
#define DVR "34020000001110000001"
#define CAM1 "34020000001320000001"
#define CAM2 "34020000001320000002"
#define CAM3 "34020000001310000003"
#define MIC "34020000001360000001"

static const struct {
    const char *id, *label;
} labels[] = {
    { SYS, "sys" },   { GROUP, "group" }, { ORG1, "org1" }, { ORG2, "org2" },
    { ORG3, "org3" }, { DVR, "dvr" },     { CAM1, "cam1" }, { CAM2, "cam2" },
    { CAM3, "cam3" }, { MIC, "mic" },     { NVR, "nvr" },   { SELF, "self" },
};

static const char *label_of(struct slice id, char buf[static 64])
{
    for (size_t i = 0; i < COUNT(labels); i++)
        if (slice_eq(id, slice_str(labels[i].id)))
            return labels[i].label;
    slice_copy(buf, 64, id);
    return buf;
}

/* "a(b c) d": children in brackets, a star behind what is made up. */
static void dump(struct tree *t, enum tree_view view, struct slice parent,
                 char *out, size_t cap, unsigned depth)
{
    struct tree_node n;
    size_t pos = 0, count = 0;
    char buf[64];

    assert_true(depth <= TREE_MAX_DEPTH);
    while (!tree_child(t, view, parent, &pos, &n)) {
        size_t len = slice_str(out).n;
        const char *label = label_of(n.id, buf);

        snprintf(out + len, cap - len, "%s%s%s%s", count++ ? " " : "", label,
                 n.made_up ? "*" : "", n.n_children ? "(" : "");
        if (n.n_children) {
            dump(t, view, n.id, out, cap, depth + 1);
            len = slice_str(out).n;
            snprintf(out + len, cap - len, ")");
        }
    }
}

static struct tree_roots roots_of(const char *device)
{
    return (struct tree_roots){ slice_str(device), SLICE(OURS),
                                SLICE("3401000000") };
}

static struct tree *tree_of(const char *device, const struct gb_alloc *a)
{
    static const uint8_t seed[16] = { 1, 2, 3 };
    struct tree_roots roots = roots_of(device);
    struct tree *t;

    return tree_new(&t, a, &roots, seed) ? NULL : t;
}

struct item {
    const char *id, *parent, *civil, *group;
};

static int put(struct tree *t, const struct item *it)
{
    const struct tree_item i = { slice_str(it->id), slice_str(it->parent),
                                 slice_str(it->civil), slice_str(it->group) };

    return tree_put(t, &i);
}

#define ITEMS 8

static const struct test_case {
    const char *name, *device;
    struct item items[ITEMS];
    enum tree_view view;
    const char *want;
    struct tree_faults faults;
} cases[] = {
    { "recorder: channels name it", NVR,
      { { CAM1, NVR, "340200", NULL }, { CAM2, NVR, "340200", NULL } },
      TREE_DEVICE, "cam1 cam2", { 0 } },
    { "no parent told", NVR, { { CAM1, NULL, NULL, NULL } }, TREE_ALL, "cam1",
      { 0 } },
    { "its region is made up for the view by place alone", NVR,
      { { CAM1, NVR, "340200", NULL } }, TREE_REGION, "34*(3402*(cam1))",
      { 0 } },
    { "and is no arrangement of the sender", NVR,
      { { CAM1, NULL, "340200", NULL } }, TREE_ALL, "cam1", { 0 } },
    { "a region below a listed one is made up there", NVR,
      { { "3402", NULL, NULL, NULL }, { CAM1, NULL, "340203", NULL } },
      TREE_ALL, "3402(340203*(cam1))", { 0 } },
    { "regions by their codes, whatever they say", NVR,
      { { "34", "99", NULL, NULL }, { "340203", "34", NULL, NULL },
        { "3402", "340203", NULL, NULL } },
      TREE_REGION, "34(3402(340203))", { 0 } },
    { "codes with 00 behind them", NVR,
      { { "340000", NULL, NULL, NULL }, { "340200", NULL, NULL, NULL },
        { CAM1, NULL, "34020000", NULL } },
      TREE_ALL, "340000(340200(cam1))", { 0 } },
    { "a domain and text as civil code", NVR,
      { { CAM1, NVR, "3402000000", NULL }, { CAM2, NVR, "null", NULL } },
      TREE_REGION, "34*(3402*(cam1))", { 0 } },
    { "the whole of 2022", SYS,
      { { "340200", NULL, NULL, NULL }, { SYS, NULL, "340200", NULL },
        { GROUP, SYS, "340200", NULL }, { ORG1, NULL, NULL, GROUP },
        { ORG2, ORG1, NULL, GROUP },
        { CAM1, SYS "/" ORG2, "340200", NULL } },
      TREE_ALL, "340200(group(org1(org2(cam1))))", { 0 } },
    { "the same by place", SYS,
      { { "340200", NULL, NULL, NULL }, { SYS, NULL, "340200", NULL },
        { GROUP, SYS, "340200", NULL }, { ORG1, NULL, NULL, GROUP },
        { ORG2, ORG1, NULL, GROUP },
        { CAM1, SYS "/" ORG2, "340200", NULL } },
      TREE_REGION, "34*(340200(group cam1))", { 0 } },
    { "the same by business", SYS,
      { { SYS, NULL, "340200", NULL }, { GROUP, SYS, "340200", NULL },
        { ORG1, NULL, NULL, GROUP }, { ORG2, ORG1, NULL, GROUP },
        { CAM1, SYS "/" ORG2, "340200", NULL },
        { CAM2, SYS, "340200", NULL } },
      TREE_BUSINESS, "group(org1(org2(cam1)))", { 0 } },
    { "in several organisations, and in a recorder", NVR,
      { { ORG1, NULL, NULL, NULL }, { ORG2, NULL, NULL, NULL },
        { DVR, NVR, NULL, NULL },
        { CAM1, " " ORG1 " / " DVR "/" ORG2 "/" ORG1 "/", NULL, NULL } },
      TREE_ALL, "org1(cam1) org2(cam1) dvr(cam1)", { 0 } },
    { "a lower system that is listed", NVR,
      { { SYS, OURS, NULL, NULL }, { DVR, SYS, NULL, NULL },
        { CAM1, DVR, NULL, NULL }, { MIC, CAM1, NULL, NULL } },
      TREE_DEVICE, "sys(dvr(cam1(mic)))", { 0 } },
    { "an upper system that is not", NVR, { { CAM1, SYS, NULL, NULL } },
      TREE_ALL, "cam1", { 0 } },
    { "our id and our domain", NVR,
      { { CAM1, OURS, NULL, NULL }, { CAM2, "3401000000", NULL, NULL } },
      TREE_ALL, "cam1 cam2", { 0 } },
    { "itself", NVR, { { CAM1, CAM1, NULL, NULL } }, TREE_ALL, "cam1",
      { .self = 1 } },
    { "somebody unknown", NVR, { { CAM1, DVR "/" ORG1, NULL, NULL } },
      TREE_ALL, "cam1", { .unknown = 2 } },
    { "two in a circle", NVR,
      { { ORG1, ORG2, NULL, NULL }, { ORG2, ORG1, NULL, NULL },
        { CAM1, ORG2, NULL, NULL } },
      TREE_ALL, "org1(org2(cam1))", { .loops = 1 } },
    { "three in a circle, and one behind them", NVR,
      { { ORG1, ORG3, NULL, NULL }, { ORG2, ORG1, NULL, NULL },
        { ORG3, ORG2, NULL, NULL }, { CAM1, ORG3, NULL, NULL } },
      TREE_ALL, "org1(org2(org3(cam1)))", { .loops = 1 } },
    { "what is struck out of a circle falls back to its group", NVR,
      { { GROUP, NULL, NULL, NULL }, { ORG1, ORG2, NULL, GROUP },
        { ORG2, ORG1, NULL, GROUP }, { CAM1, ORG1, NULL, NULL } },
      TREE_ALL, "group(org2(org1(cam1)))", { .loops = 1 } },
    { "but not below itself", NVR,
      { { GROUP, ORG1, NULL, NULL }, { ORG1, ORG1, NULL, GROUP },
        { ORG2, ORG1, NULL, GROUP } },
      TREE_ALL, "group(org1(org2))", { .self = 1 } },
    { "a group inside a group is not", NVR,
      { { GROUP, NULL, NULL, GROUP }, { ORG1, NULL, NULL, GROUP } },
      TREE_ALL, "group(org1)", { 0 } },
    { "215 in ParentID", NVR,
      { { GROUP, NULL, NULL, NULL }, { CAM1, GROUP, NULL, NULL } }, TREE_ALL,
      "group(cam1)", { 0 } },
    { "a camera says its group alone", NVR,
      { { GROUP, NULL, NULL, NULL }, { CAM1, NVR, NULL, GROUP } }, TREE_ALL,
      "group(cam1)", { 0 } },
    { "its group is not listed", NVR, { { CAM1, NVR, NULL, GROUP } }, TREE_ALL,
      "cam1", { .unknown = 1 } },
    { "the parent's id as civil code", NVR,
      { { ORG1, NULL, NULL, NULL }, { CAM1, NULL, ORG1, NULL } }, TREE_ALL,
      "org1(cam1)", { 0 } },
    { "nodes with 18 digits", NVR,
      { { "340200000000001520", NULL, NULL, NULL },
        { CAM1, "340200000000001520", NULL, NULL } },
      TREE_ALL, "340200000000001520(cam1)", { 0 } },
    { "a region in ParentID", NVR,
      { { "3402", NULL, NULL, NULL }, { CAM1, "3402", NULL, NULL },
        { CAM2, "340299", NULL, NULL } },
      TREE_ALL, "3402(340299*(cam2) cam1)", { 0 } },
    { "the device lists itself", NVR,
      { { NVR, OURS, "340200", NULL }, { CAM1, NVR, NULL, NULL } }, TREE_ALL,
      "cam1", { 0 } },
    { "a camera that is its own channel", SELF,
      { { SELF, SELF, "340200", NULL } }, TREE_DEVICE, "self", { .self = 1 } },
    { "an empty list", NVR, { { 0 } }, TREE_ALL, "", { 0 } },
};

static size_t n_items(const struct test_case *c)
{
    size_t n = 0;

    while (n < ITEMS && c->items[n].id)
        n++;
    return n;
}

static void note_4_6_arrangements(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct test_case *c = &cases[i];
        struct tree_faults f;

        for (unsigned backwards = 0; backwards < 2; backwards++) {
            struct tree *t = tree_of(c->device, &gb_alloc_heap);
            size_t n = n_items(c);
            char got[2000] = "";

            for (size_t k = 0; k < n; k++)
                assert_int_equal(
                    put(t, &c->items[backwards ? n - 1 - k : k]), 0);
            dump(t, c->view, SLICE(""), got, sizeof(got), 1);
            if (!slice_eq(slice_str(got), slice_str(c->want)))
                fail_msg("%s: %s", c->name, got);
            assert_int_equal(tree_faults(t, &f), 0);
            if (memcmp(&f, &c->faults, sizeof(f)) != 0)
                fail_msg("%s: self %u unknown %u loops %u deep %u", c->name,
                         f.self, f.unknown, f.loops, f.deep);
            assert_int_equal(tree_count(t), n);
            tree_free(t);
        }
    }
}

/* Each item comes, changes and goes by itself: the tree is that of what is
 * there. */
static void by_notification(void **state)
{
    static const struct {
        struct item put;
        const char *remove, *want;
    } steps[] = {
        { { CAM1, ORG1, NULL, NULL }, NULL, "cam1" },
        { { ORG1, NULL, NULL, NULL }, NULL, "org1(cam1)" },
        { { CAM2, ORG1, NULL, NULL }, NULL, "org1(cam1 cam2)" },
        { { CAM1, ORG2, NULL, NULL }, NULL, "org1(cam2) cam1" },
        { { ORG2, ORG1, NULL, NULL }, NULL, "org1(org2(cam1) cam2)" },
        { { 0 }, ORG1, "org2(cam1) cam2" },
        { { 0 }, ORG1, "org2(cam1) cam2" },
        { { 0 }, CAM1, "org2 cam2" },
        { { 0 }, "3402", "org2 cam2" },
    };
    struct tree *t = tree_of(NVR, &gb_alloc_heap);

    (void)state;
    for (size_t i = 0; i < COUNT(steps); i++) {
        char got[500] = "";

        if (steps[i].put.id)
            assert_int_equal(put(t, &steps[i].put), 0);
        if (steps[i].remove)
            tree_remove(t, slice_str(steps[i].remove));
        dump(t, TREE_ALL, SLICE(""), got, sizeof(got), 1);
        if (!slice_eq(slice_str(got), slice_str(steps[i].want)))
            fail_msg("step %zu: %s", i, got);
    }
    tree_free(t);
}

/* A region that was made up and is listed later, and the other way. */
static void region_comes_later(void **state)
{
    struct tree *t = tree_of(NVR, &gb_alloc_heap);
    char got[200] = "";

    (void)state;
    put(t, &(struct item){ CAM1, NULL, "340203", NULL });
    dump(t, TREE_REGION, SLICE(""), got, sizeof(got), 1);
    assert_string_equal(got, "34*(3402*(340203*(cam1)))");
    put(t, &(struct item){ "3402", NULL, NULL, NULL });
    got[0] = '\0';
    dump(t, TREE_REGION, SLICE(""), got, sizeof(got), 1);
    assert_string_equal(got, "34*(3402(340203*(cam1)))");
    assert_int_equal(tree_count(t), 2);
    tree_remove(t, SLICE("3402"));
    tree_remove(t, SLICE("34")); /* is none of the list's */
    got[0] = '\0';
    dump(t, TREE_REGION, SLICE(""), got, sizeof(got), 1);
    assert_string_equal(got, "34*(3402*(340203*(cam1)))");
    tree_free(t);
}

static void looking(void **state)
{
    struct tree *t = tree_of(NVR, &gb_alloc_heap);
    struct tree_node n;
    struct slice up;
    size_t pos = 0;

    (void)state;
    put(t, &(struct item){ ORG1, NULL, NULL, NULL });
    put(t, &(struct item){ CAM1, ORG1 "/" DVR, "3402", NULL });
    put(t, &(struct item){ DVR, NULL, NULL, NULL });
    assert_int_equal(tree_find(t, TREE_ALL, SLICE(ORG1), &n), 0);
    assert_int_equal(n.kind, MANSCDP_KIND_ORG);
    assert_int_equal(n.n_children, 1);
    assert_int_equal(tree_find(t, TREE_ALL, SLICE(CAM2), &n), GB_ENOENT);
    assert_int_equal(tree_child(t, TREE_ALL, SLICE(CAM2), &pos, &n),
                     GB_ENOENT);
    assert_int_equal(tree_parent(t, TREE_ALL, SLICE(CAM1), 0, &up), 0);
    assert_true(slice_eq(up, SLICE(ORG1)));
    assert_int_equal(tree_parent(t, TREE_ALL, SLICE(CAM1), 1, &up), 0);
    assert_true(slice_eq(up, SLICE(DVR)));
    assert_int_equal(tree_parent(t, TREE_ALL, SLICE(CAM1), 2, &up), GB_ENOENT);
    assert_int_equal(tree_parent(t, TREE_REGION, SLICE(CAM1), 0, &up), 0);
    assert_true(slice_eq(up, SLICE("3402")));
    assert_int_equal(tree_parent(t, TREE_ALL, SLICE(ORG1), 0, &up), GB_ENOENT);
    assert_int_equal(tree_parent(t, TREE_ALL, SLICE("none"), 0, &up),
                     GB_ENOENT);
    assert_int_equal(put(t, &(struct item){ "", NULL, NULL, NULL }),
                     GB_ESYNTAX);
    assert_true(slice_eq(tree_province(SLICE("34")), SLICE("安徽省")));
    assert_int_equal(tree_province(SLICE("3402")).n, 0);
    tree_free(t);
}

static const char *org_id(unsigned i, char buf[static 32])
{
    snprintf(buf, 32, "3402000000216%07u", 1000 + i);
    return buf;
}

/* A chain longer than any tree is cut, and nothing of it is lost. */
static void too_deep(void **state)
{
    struct tree *t = tree_of(NVR, &gb_alloc_heap);
    struct tree_faults f;
    char id[32], up[32], got[40000] = "";
    size_t found = 0;

    (void)state;
    for (unsigned i = 0; i < 500; i++)
        put(t, &(struct item){ org_id(i, id), org_id(i + 1, up), NULL, NULL });
    put(t, &(struct item){ org_id(500, id), NULL, NULL, NULL });
    dump(t, TREE_ALL, SLICE(""), got, sizeof(got), 1); /* checks the depth */
    for (const char *p = got; *p; p++)
        found += *p == '3' && slice_has_prefix(slice_str(p),
                                               SLICE("3402000000216"));
    assert_int_equal(found, 501);
    assert_int_equal(tree_faults(t, &f), 0);
    assert_true(f.deep > 0);
    tree_free(t);
}

/* Every item of a random list is in the tree, at least once and never below
 * itself, and the same list in another order is the same tree. */
static void random_lists(void **state)
{
    uint64_t rnd = 41;

    (void)state;
    for (unsigned round = 0; round < 300; round++) {
        struct tree *t = tree_of(NVR, &gb_alloc_heap);
        struct tree *u = tree_of(NVR, &gb_alloc_heap);
        static char parent[24][80], id[24][32];
        char got[9000] = "", other[9000] = "";
        unsigned n = 2 + (unsigned)(test_random(&rnd) % 22);

        for (unsigned i = 0; i < n; i++) {
            char a[32], b[32];

            org_id(i, id[i]);
            snprintf(parent[i], sizeof(parent[i]), "%s%s%s",
                     org_id((unsigned)(test_random(&rnd) % n), a),
                     test_random(&rnd) % 4 ? "" : "/",
                     test_random(&rnd) % 4
                         ? ""
                         : org_id((unsigned)(test_random(&rnd) % n), b));
            put(t, &(struct item){ id[i], parent[i], NULL, NULL });
        }
        for (unsigned i = n; i-- > 0;)
            put(u, &(struct item){ id[i], parent[i], NULL, NULL });
        for (unsigned i = 0; i < n; i++) {
            struct slice up = slice_str(id[i]);

            for (unsigned k = 0; !tree_parent(t, TREE_ALL, up, 0, &up); k++)
                if (k > TREE_MAX_DEPTH || slice_eq(up, slice_str(id[i])))
                    fail_msg("round %u: %s is below itself", round, id[i]);
        }
        dump(t, TREE_ALL, SLICE(""), got, sizeof(got), 1);
        dump(u, TREE_ALL, SLICE(""), other, sizeof(other), 1);
        assert_string_equal(got, other);
        for (unsigned i = 0; i < n; i++)
            if (slice_find_slice(slice_str(got), slice_str(id[i])) ==
                slice_str(got).n)
                fail_msg("round %u: %s is lost", round, id[i]);
        tree_free(t);
        tree_free(u);
    }
}

/* Whatever allocation fails, the tree stays whole and is right afterwards. */
static void without_memory(void **state)
{
    unsigned long at = 1;
    bool done = false;

    (void)state;
    for (; !done; at++) {
        struct failing_alloc f;
        struct tree_node n;
        struct tree *t;
        size_t pos = 0;
        int err;

        failing_alloc_init(&f, at);
        t = tree_of(NVR, &f.alloc);
        if (!t) {
            assert_int_equal(f.live, 0);
            continue;
        }
        err = put(t, &(struct item){ CAM1, ORG1, "340203", NULL });
        if (!err)
            err = put(t, &(struct item){ ORG1, NULL, NULL, NULL });
        if (!err)
            err = put(t, &(struct item){ CAM1, ORG1, "3402", NULL });
        if (!err)
            err = tree_child(t, TREE_ALL, SLICE(""), &pos, &n);
        done = err == 0;
        if (err)
            assert_int_equal(err, GB_ENOMEM);
        f.fail_at = 0;
        put(t, &(struct item){ ORG1, NULL, NULL, NULL });
        assert_int_equal(put(t, &(struct item){ CAM1, ORG1, "3402", NULL }),
                         0);
        pos = 0;
        assert_int_equal(tree_child(t, TREE_ALL, SLICE(ORG1), &pos, &n), 0);
        assert_true(slice_eq(n.id, SLICE(CAM1)));
        tree_free(t);
        assert_int_equal(f.live, 0);
    }
    assert_true(at > 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(note_4_6_arrangements),    cmocka_unit_test(by_notification),
        cmocka_unit_test(region_comes_later), cmocka_unit_test(looking),
        cmocka_unit_test(too_deep),        cmocka_unit_test(random_lists),
        cmocka_unit_test(without_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
