#include "app/http/accounts.h"

#include "app/http/auth.h"
#include "app/http/token.h"

#include <nettle/sha2.h>

struct kept {
    struct account v; /* its texts are in text */
    char text[];
};

struct accounts {
    const struct gb_alloc *alloc;
    struct kept *one[ACCOUNTS_MAX]; /* in order of kind and name */
    size_t n;
    uint64_t last_id;
};

int accounts_new(struct accounts **out, const struct gb_alloc *alloc)
{
    struct accounts *a = gb_get(alloc, sizeof(*a));

    if (!a)
        return GB_ENOMEM;
    a->alloc = alloc;
    *out = a;
    return 0;
}

void accounts_free(struct accounts *a)
{
    if (!a)
        return;
    for (size_t i = 0; i < a->n; i++)
        gb_put(a->alloc, a->one[i]);
    gb_put(a->alloc, a);
}

/* ---- scopes ---------------------------------------------------------------- */

bool account_scope_next(struct slice *scope, char *kind, struct slice *name)
{
    struct slice line;

    if (scope->n == 0)
        return false;
    slice_cut(scope, '\n', &line);
    *kind = line.n ? line.p[0] : '\0';
    *name = slice_from(line, line.n ? 1 : 0);
    return true;
}

bool account_scope_is_valid(struct slice scope)
{
    struct slice rest = scope, name;
    char kind;

    if (scope.n > ACCOUNT_SCOPE_MAX ||
        (scope.n && scope.p[scope.n - 1] != '\n'))
        return false;
    if (slice_eq(scope, SLICE("-\n")))
        return true;
    while (account_scope_next(&rest, &kind, &name))
        if ((kind != 'd' && kind != 'g') || name.n == 0 ||
            name.n > ACCOUNT_ENTRY_MAX)
            return false;
    return true;
}

bool account_scope_has(struct slice scope, char kind, struct slice name)
{
    struct slice one;
    char k;

    if (scope.n == 0)
        return true;
    while (account_scope_next(&scope, &k, &one))
        if (k == kind && one.n && slice_eq(one, name))
            return true;
    return false;
}

/* ---- the table --------------------------------------------------------------- */

bool account_is_name(struct slice name)
{
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];

        if (!((c | 0x20) >= 'a' && (c | 0x20) <= 'z') &&
            !ascii_is_digit(c) && c != '-' && c != '_' && c != '.' &&
            c != '@')
            return false;
    }
    return name.n > 0 && name.n <= ACCOUNT_NAME_MAX;
}

/* Texts do not hold a NUL. */
static uint64_t mark_of(const struct account *v)
{
    const uint8_t kinds[3] = { (uint8_t)v->kind, (uint8_t)v->role, 0 };
    const struct slice texts[] = { v->name, v->secret, v->scope };
    uint8_t hash[SHA256_DIGEST_SIZE];
    struct sha256_ctx ctx;
    uint64_t mark = 0;

    sha256_init(&ctx);
    sha256_update(&ctx, sizeof(kinds), kinds);
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
        if (texts[i].n)
            sha256_update(&ctx, texts[i].n, (const uint8_t *)texts[i].p);
        sha256_update(&ctx, 1, kinds + 2);
    }
    sha256_digest(&ctx, sizeof(hash), hash);
    for (size_t i = 0; i < sizeof(mark); i++)
        mark = mark << 8 | hash[i];
    return mark ? mark : 1;
}

static int order(const struct account *v, enum account_kind kind,
                 struct slice name)
{
    return v->kind == kind ? slice_cmp(v->name, name)
                           : (v->kind < kind ? -1 : 1);
}

/* Where it is, or would be. */
static size_t place(const struct accounts *a, enum account_kind kind,
                    struct slice name, bool *found)
{
    size_t i = 0;

    while (i < a->n && order(&a->one[i]->v, kind, name) < 0)
        i++;
    *found = i < a->n && order(&a->one[i]->v, kind, name) == 0;
    return i;
}

static bool is_admin(const struct account *v)
{
    return v->kind == ACCOUNT_USER && v->role == HTTP_ROLE_ADMIN;
}

/* Without the i-th nobody is admin. */
static bool is_last_admin(const struct accounts *a, size_t i)
{
    if (!is_admin(&a->one[i]->v))
        return false;
    for (size_t k = 0; k < a->n; k++)
        if (k != i && is_admin(&a->one[k]->v))
            return false;
    return true;
}

static struct kept *kept_new(struct accounts *a, const struct account *v)
{
    const struct slice *from[] = { &v->name, &v->secret, &v->scope };
    size_t at = 0, n = v->name.n + v->secret.n + v->scope.n;
    struct kept *k = gb_get(a->alloc, sizeof(*k) + n + 1);
    struct slice *to[3];

    if (!k)
        return NULL;
    k->v = *v;
    k->v.mark = mark_of(v);
    to[0] = &k->v.name;
    to[1] = &k->v.secret;
    to[2] = &k->v.scope;
    for (size_t i = 0; i < 3; i++) {
        if (from[i]->n)
            memcpy(k->text + at, from[i]->p, from[i]->n);
        *to[i] = slice_of(k->text + at, from[i]->n);
        at += from[i]->n;
    }
    return k;
}

static bool is_valid(const struct account *v)
{
    return v->kind < ACCOUNT_KINDS && account_is_name(v->name) &&
           v->role > HTTP_ROLE_NONE && v->role <= HTTP_ROLE_ADMIN &&
           v->secret.n <= ACCOUNT_SECRET_MAX &&
           account_scope_is_valid(v->scope) &&
           /* who changes the installation sees all of it */
           (v->role != HTTP_ROLE_ADMIN || v->scope.n == 0);
}

int accounts_set(struct accounts *a, const struct account *v)
{
    bool found;
    size_t i = place(a, v->kind, v->name, &found);
    const struct account *old = found ? &a->one[i]->v : NULL;
    struct kept *k;

    if (!is_valid(v))
        return GB_ESYNTAX;
    if (old && is_last_admin(a, i) && !is_admin(v))
        return GB_ESTATE;
    if (!old && a->n == ACCOUNTS_MAX)
        return GB_ELIMIT;
    k = kept_new(a, v);
    if (!k)
        return GB_ENOMEM;
    if (old && old->role == v->role && slice_eq(old->secret, v->secret) &&
        slice_eq(old->scope, v->scope))
        k->v.id = old->id;
    else
        k->v.id = ++a->last_id;
    if (old) {
        gb_put(a->alloc, a->one[i]);
    } else {
        memmove(a->one + i + 1, a->one + i, (a->n - i) * sizeof(*a->one));
        a->n++;
    }
    a->one[i] = k;
    return 0;
}

int accounts_remove(struct accounts *a, enum account_kind kind,
                    struct slice name)
{
    bool found;
    size_t i = place(a, kind, name, &found);

    if (!found)
        return GB_ENOENT;
    if (is_last_admin(a, i))
        return GB_ESTATE;
    gb_put(a->alloc, a->one[i]);
    a->n--;
    memmove(a->one + i, a->one + i + 1, (a->n - i) * sizeof(*a->one));
    return 0;
}

bool accounts_find(const struct accounts *a, enum account_kind kind,
                   struct slice name, struct account *out)
{
    bool found;
    size_t i = place(a, kind, name, &found);

    if (found)
        *out = a->one[i]->v;
    return found;
}

bool accounts_by_id(const struct accounts *a, uint64_t id,
                    struct account *out)
{
    for (size_t i = 0; i < a->n; i++)
        if (id && a->one[i]->v.id == id) {
            *out = a->one[i]->v;
            return true;
        }
    return false;
}

bool accounts_by_mark(const struct accounts *a, uint64_t mark,
                      struct account *out)
{
    for (size_t i = 0; i < a->n; i++)
        if (mark && a->one[i]->v.mark == mark) {
            *out = a->one[i]->v;
            return true;
        }
    return false;
}

bool accounts_by_token(const struct accounts *a, struct slice token,
                       struct account *out)
{
    char hash[TOKEN_HASH];
    bool found = false;

    if (token.n == 0 || token.n > HTTP_TOKEN_MAX)
        return false;
    token_hash(hash, token);
    for (size_t i = 0; i < a->n; i++) /* all of them: time tells nothing */
        if (a->one[i]->v.kind == ACCOUNT_TOKEN &&
            token_is(a->one[i]->v.secret, hash)) {
            *out = a->one[i]->v;
            found = true;
        }
    return found;
}

bool accounts_next(const struct accounts *a, enum account_kind kind,
                   struct slice after, struct account *out)
{
    bool found;
    size_t i = place(a, kind, after, &found);

    i += found;
    if (i >= a->n || a->one[i]->v.kind != kind)
        return false;
    *out = a->one[i]->v;
    return true;
}
