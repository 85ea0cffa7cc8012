/* Who asks, and what he may. */
#include "fuzz/api/site.h"

#include <string.h>

#define OTHER_DEVICE "34020000001180000002"

/* The first have accounts of their own. */
const struct person persons[] = {
    { SECRET "viewer", "looks", HTTP_ROLE_VIEWER, "", NULL },
    { SECRET "operator", "works", HTTP_ROLE_OPERATOR, "", NULL },
    { SECRET "admin", "rules", HTTP_ROLE_ADMIN, "", NULL },
    { SECRET "own", "own", HTTP_ROLE_OPERATOR, "d" SAYS_DEVICE "\n", NULL },
    { SECRET "other", "other", HTTP_ROLE_OPERATOR, "d" OTHER_DEVICE "\n",
      NULL },
    { SECRET "group", "group", HTTP_ROLE_VIEWER, "gg\n", NULL },
    { SECRET "none", "none", HTTP_ROLE_OPERATOR, "-\n", NULL },
    { SECRET "install", NULL, HTTP_ROLE_ADMIN, "", NULL },
    { NULL, NULL, HTTP_ROLE_NONE, "", NULL },
    { SECRET "wrong", NULL, HTTP_ROLE_NONE, "", NULL },
    { NULL, "admin", HTTP_ROLE_ADMIN, "", "admin" },
    { NULL, "ada", HTTP_ROLE_OPERATOR, "", "ada" },
    { NULL, "eve", HTTP_ROLE_VIEWER, "d" SAYS_DEVICE "\n", "eve" },
};

size_t persons_count(void)
{
    return COUNT_OF(persons);
}

static void take(struct right *out, const struct account *v)
{
    out->role = v->role;
    out->bounded = v->scope.n != 0;
    slice_copy(out->scope, sizeof(out->scope), v->scope);
}

void right_of(const struct person *p, struct right *out)
{
    struct account v;

    out->role = HTTP_ROLE_NONE;
    out->bounded = false;
    out->scope[0] = '\0';
    if (p->login &&
        accounts_find(site.accounts, ACCOUNT_USER, slice_str(p->login), &v))
        take(out, &v);
    else if (p->token && accounts_by_token(site.accounts, slice_str(p->token),
                                           &v))
        take(out, &v);
    else if (p->token && strcmp(p->token, SECRET "install") == 0)
        out->role = HTTP_ROLE_ADMIN;
}
