/* app/http/accounts.h - who there is: users and API tokens, their roles and
 * what they may see
 *
 * No clock, no randomness, no I/O. A secret is kept as a hash alone: of a user
 * what http_password_hash writes, of a token what app/http/token.h says. There is
 * always a user who is admin, once there was one. */
#ifndef APP_HTTP_ACCOUNTS_H
#define APP_HTTP_ACCOUNTS_H

#include "app/http/router.h"
#include "base/alloc.h"
#include "base/writer.h"

#define ACCOUNTS_MAX 256       /* users and tokens */
#define ACCOUNT_NAME_MAX 64
#define ACCOUNT_SECRET_MAX 127 /* bytes of a hash */
#define ACCOUNT_SCOPE_MAX 8192 /* bytes of a scope */
#define ACCOUNT_ENTRY_MAX 64   /* of one device or group of it */

enum account_kind { ACCOUNT_USER, ACCOUNT_TOKEN, ACCOUNT_KINDS };

/* A scope is a text: empty, everything; else lines, each "dDEVICE", "gGROUP", or
 * "-" where there is none at all. */
struct account {
    enum account_kind kind;
    struct slice name;
    enum http_role role;
    struct slice secret, scope;
    int64_t made_utc_ms;
    uint64_t id; /* set by accounts_set: another one whenever secret, role or
                    scope are others. What was opened as the old one is over */
    uint64_t mark; /* likewise, and the same after a restart; never 0 */
};

struct accounts;
int accounts_new(struct accounts **out, const struct gb_alloc *alloc);
void accounts_free(struct accounts *a);

/* Adds one, or puts it in the place of the one with its kind and name; copies.
 * GB_ESYNTAX: name, role, secret or scope; GB_ELIMIT: there are too many;
 * GB_ESTATE: nobody would be admin any more; GB_ENOMEM. Nothing has changed
 * then. */
int accounts_set(struct accounts *a, const struct account *v);
/* GB_ENOENT, GB_ESTATE. */
int accounts_remove(struct accounts *a, enum account_kind kind,
                    struct slice name);

/* Views; they stay good until the account is set or removed. */
bool accounts_find(const struct accounts *a, enum account_kind kind,
                   struct slice name, struct account *out);
bool accounts_by_id(const struct accounts *a, uint64_t id,
                    struct account *out);
bool accounts_by_mark(const struct accounts *a, uint64_t mark,
                      struct account *out);
bool accounts_by_token(const struct accounts *a, struct slice token,
                       struct account *out);
/* The first one of a kind behind `after` in name order. */
bool accounts_next(const struct accounts *a, enum account_kind kind,
                   struct slice after, struct account *out);

/* A name has 1 to ACCOUNT_NAME_MAX letters, digits, '-', '_', '.', '@'. */
bool account_is_name(struct slice name);

/* ---- scopes ---------------------------------------------------------------- */

bool account_scope_is_valid(struct slice scope);
/* Is there an entry of this kind, 'd' or 'g'? The empty scope has them all. */
bool account_scope_has(struct slice scope, char kind, struct slice name);
/* The next entry, cut from the front; false: that was all. */
bool account_scope_next(struct slice *scope, char *kind, struct slice *name);
#endif
