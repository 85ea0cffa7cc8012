/* Who there is: names, roles, scopes, the last admin. */
#include "test/support.h"

#include "app/http/accounts.h"

static struct account user(const char *name, enum http_role role,
                           const char *scope)
{
    return (struct account){ .kind = ACCOUNT_USER, .name = slice_str(name),
                             .role = role, .secret = SLICE("hash"),
                             .scope = slice_str(scope) };
}

static void what_is_taken(void **state)
{
    static char long_name[ACCOUNT_NAME_MAX + 2];
    static const struct {
        const char *name;
        enum http_role role;
        const char *scope;
        int err;
    } cases[] = {
        { "ada", HTTP_ROLE_VIEWER, "", 0 },
        { "a.b-c_d@e9", HTTP_ROLE_OPERATOR, "d1\ngyard\n", 0 },
        { "none", HTTP_ROLE_VIEWER, "-\n", 0 },
        { "", HTTP_ROLE_VIEWER, "", GB_ESYNTAX },
        { "a b", HTTP_ROLE_VIEWER, "", GB_ESYNTAX },
        { "a/b", HTTP_ROLE_VIEWER, "", GB_ESYNTAX },
        { "\xc3\xa4", HTTP_ROLE_VIEWER, "", GB_ESYNTAX },
        { long_name, HTTP_ROLE_VIEWER, "", GB_ESYNTAX },
        { "ada", HTTP_ROLE_NONE, "", GB_ESYNTAX },
        { "ada", HTTP_ROLE_ADMIN + 1, "", GB_ESYNTAX },
        { "ada", HTTP_ROLE_ADMIN, "d1\n", GB_ESYNTAX },
        { "ada", HTTP_ROLE_VIEWER, "d1", GB_ESYNTAX },
        { "ada", HTTP_ROLE_VIEWER, "x1\n", GB_ESYNTAX },
        { "ada", HTTP_ROLE_VIEWER, "d\n", GB_ESYNTAX },
        { "ada", HTTP_ROLE_VIEWER, "\n", GB_ESYNTAX },
        { "ada", HTTP_ROLE_VIEWER, "d1\n-\n", GB_ESYNTAX },
    };

    (void)state;
    memset(long_name, 'x', sizeof(long_name) - 1);
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct account v = user(cases[i].name, cases[i].role, cases[i].scope);
        struct accounts *a;
        int err;

        assert_int_equal(accounts_new(&a, &gb_alloc_heap), 0);
        err = accounts_set(a, &v);
        if (err != cases[i].err)
            fail_msg("case %zu (%s): %s", i, cases[i].name, gb_strerror(err));
        accounts_free(a);
    }
}

static void scopes(void **state)
{
    static const struct {
        const char *scope;
        char kind;
        const char *name;
        bool has;
    } cases[] = {
        { "", 'd', "1", true },          { "", 'g', "", true },
        { "-\n", 'd', "1", false },      { "-\n", 'd', "", false },
        { "d1\nd22\n", 'd', "1", true }, { "d1\nd22\n", 'd', "22", true },
        { "d1\nd22\n", 'd', "2", false }, { "d1\nd22\n", 'd', "", false },
        { "d1\n", 'g', "1", false },     { "gyard\n", 'g', "yard", true },
        { "gyard\n", 'd', "yard", false }, { "gyard\n", 'g', "yar", false },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        if (account_scope_has(guarded(slice_str(cases[i].scope)),
                              cases[i].kind, slice_str(cases[i].name)) !=
            cases[i].has)
            fail_msg("case %zu", i);
}

/* Every prefix of a scope: valid where a line ends, else not. */
static void cut_scopes(void **state)
{
    static const struct slice scope = SLICE_INIT("d3402\ngyard\nd1\n");

    (void)state;
    for (size_t n = 0; n <= scope.n; n++)
        assert_int_equal(account_scope_is_valid(guarded(slice_head(scope, n))),
                         n == 0 || scope.p[n - 1] == '\n');
}

static void the_last_admin_stays(void **state)
{
    struct account one = user("one", HTTP_ROLE_ADMIN, "");
    struct account two = user("two", HTTP_ROLE_ADMIN, ""), got;
    struct accounts *a;
    uint64_t id;

    (void)state;
    assert_int_equal(accounts_new(&a, &gb_alloc_heap), 0);
    assert_int_equal(accounts_set(a, &one), 0);
    assert_int_equal(accounts_remove(a, ACCOUNT_USER, one.name), GB_ESTATE);
    one.role = HTTP_ROLE_VIEWER;
    assert_int_equal(accounts_set(a, &one), GB_ESTATE);
    /* an admin token is nobody who could log in */
    two.kind = ACCOUNT_TOKEN;
    assert_int_equal(accounts_set(a, &two), 0);
    assert_int_equal(accounts_set(a, &one), GB_ESTATE);
    two.kind = ACCOUNT_USER;
    assert_int_equal(accounts_set(a, &two), 0);
    assert_true(accounts_find(a, ACCOUNT_USER, one.name, &got));
    id = got.id;
    assert_int_equal(accounts_set(a, &one), 0);
    assert_false(accounts_by_id(a, id, &got)); /* another role, another id */
    assert_int_equal(accounts_remove(a, ACCOUNT_USER, two.name), GB_ESTATE);
    assert_int_equal(accounts_remove(a, ACCOUNT_USER, one.name), 0);
    assert_int_equal(accounts_remove(a, ACCOUNT_USER, one.name), GB_ENOENT);
    accounts_free(a);
}

static void ids(void **state)
{
    struct account v = user("ada", HTTP_ROLE_VIEWER, ""), got;
    struct accounts *a;
    uint64_t id;

    (void)state;
    assert_int_equal(accounts_new(&a, &gb_alloc_heap), 0);
    assert_int_equal(accounts_set(a, &v), 0);
    assert_true(accounts_find(a, ACCOUNT_USER, v.name, &got));
    id = got.id;
    assert_true(id != 0);
    assert_false(accounts_by_id(a, 0, &got));
    v.made_utc_ms = 5; /* nothing of what it may */
    assert_int_equal(accounts_set(a, &v), 0);
    assert_true(accounts_by_id(a, id, &got));
    v.secret = SLICE("other");
    assert_int_equal(accounts_set(a, &v), 0);
    assert_false(accounts_by_id(a, id, &got));
    assert_int_equal(accounts_remove(a, ACCOUNT_USER, v.name), 0);
    assert_int_equal(accounts_set(a, &v), 0); /* again, and not the same */
    assert_true(accounts_find(a, ACCOUNT_USER, v.name, &got));
    assert_true(got.id > id + 1);
    accounts_free(a);
}

static void tokens(void **state)
{
    static const char hash[] = "ba7816bf8f01cfea414140de5dae2223"
                               "b00361a396177a9cb410ff61f20015ad";
    struct account v = user("ci", HTTP_ROLE_VIEWER, ""), got;
    struct accounts *a;

    (void)state;
    v.secret = slice_str(hash);
    assert_int_equal(accounts_new(&a, &gb_alloc_heap), 0);
    assert_int_equal(accounts_set(a, &v), 0);
    assert_false(accounts_by_token(a, SLICE("abc"), &got)); /* a user's */
    v.kind = ACCOUNT_TOKEN;
    assert_int_equal(accounts_set(a, &v), 0);
    assert_true(accounts_by_token(a, SLICE("abc"), &got));
    assert_false(accounts_by_token(a, SLICE("abd"), &got));
    assert_false(accounts_by_token(a, SLICE(""), &got));
    assert_false(accounts_by_token(a, slice_str(hash), &got));
    accounts_free(a);
}

/* The same for the same, another one for whatever is another. */
static void marks(void **state)
{
    struct account v[] = { user("ada", HTTP_ROLE_VIEWER, ""),
                           user("adb", HTTP_ROLE_VIEWER, ""),
                           user("ada", HTTP_ROLE_OPERATOR, ""),
                           user("ada", HTTP_ROLE_VIEWER, "d1\n"),
                           user("ada", HTTP_ROLE_VIEWER, ""),
                           user("ada", HTTP_ROLE_VIEWER, "") };
    uint64_t mark[COUNT(v)];
    struct account got;

    (void)state;
    v[4].secret = SLICE("hasi");
    v[5].kind = ACCOUNT_TOKEN;
    for (size_t i = 0; i < COUNT(v); i++) {
        struct accounts *a, *again;

        assert_int_equal(accounts_new(&a, &gb_alloc_heap), 0);
        assert_int_equal(accounts_new(&again, &gb_alloc_heap), 0);
        assert_int_equal(accounts_set(again, &v[(i + 1) % COUNT(v)]), 0);
        assert_int_equal(accounts_set(a, &v[i]), 0);
        assert_int_equal(accounts_set(again, &v[i]), 0);
        assert_true(accounts_find(a, v[i].kind, v[i].name, &got));
        mark[i] = got.mark;
        assert_true(mark[i] != 0);
        assert_true(accounts_find(again, v[i].kind, v[i].name, &got));
        assert_true(got.mark == mark[i]);
        assert_true(accounts_by_mark(a, mark[i], &got));
        assert_false(accounts_by_mark(a, mark[i] + 1, &got));
        assert_false(accounts_by_mark(a, 0, &got));
        for (size_t k = 0; k < i; k++)
            assert_true(mark[k] != mark[i]);
        accounts_free(a);
        accounts_free(again);
    }
}

static void order_and_limit(void **state)
{
    struct account v, got = { .name = { NULL, 0 } };
    struct accounts *a;
    char name[16], last[16] = "";
    size_t n = 0;

    (void)state;
    assert_int_equal(accounts_new(&a, &gb_alloc_heap), 0);
    for (unsigned i = 0; i < ACCOUNTS_MAX; i++) {
        struct writer w = writer_of(name, sizeof(name) - 1);

        writer_f(&w, "u%u", i * 7919 % 1000);
        name[w.len] = '\0';
        v = user(name, HTTP_ROLE_VIEWER, "");
        assert_int_equal(accounts_set(a, &v), 0);
    }
    v = user("more", HTTP_ROLE_VIEWER, "");
    assert_int_equal(accounts_set(a, &v), GB_ELIMIT);
    for (; accounts_next(a, ACCOUNT_USER, got.name, &got); n++) {
        assert_true(slice_cmp(slice_str(last), got.name) < 0);
        slice_copy(last, sizeof(last), got.name);
    }
    assert_int_equal(n, ACCOUNTS_MAX);
    accounts_free(a);
}

static void no_memory(void **state)
{
    struct account v = user("ada", HTTP_ROLE_VIEWER, "d1\n"), got;
    struct failing_alloc mem;
    struct accounts *a = NULL;
    unsigned long n = 0;
    int err;

    (void)state;
    do {
        failing_alloc_init(&mem, ++n);
        err = accounts_new(&a, &mem.alloc);
        if (!err) {
            err = accounts_set(a, &v);
            assert_int_equal(accounts_find(a, ACCOUNT_USER, v.name, &got),
                             !err);
            accounts_free(a);
        }
        assert_true(!err || err == GB_ENOMEM);
        assert_int_equal(mem.live, 0);
    } while (err);
    assert_true(n >= 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_taken),
        cmocka_unit_test(scopes),
        cmocka_unit_test(cut_scopes),
        cmocka_unit_test(the_last_admin_stays),
        cmocka_unit_test(ids),
        cmocka_unit_test(tokens),
        cmocka_unit_test(marks),
        cmocka_unit_test(order_and_limit),
        cmocka_unit_test(no_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
