/* The devices that are to be written, as a table that SQLite reads: one
 * statement for all of them, and no value is bound. */
#include "app/store/sql.h"

#include <stdlib.h>

struct cursor {
    sqlite3_vtab_cursor base;
    const struct list *at, *end;
    char local[GB_ADDR_TEXT_MAX], remote[GB_ADDR_TEXT_MAX];
};

struct table {
    sqlite3_vtab base;
    const struct sql_run *run;
};

/* As the columns of `device`. */
enum { COL_ID, COL_NAME, COL_CHARSET = COL_NAME + STORE_CHARSET - STORE_NAME,
       COL_TRANSPORT, COL_LISTENER, COL_LOCAL, COL_REMOTE, COL_REGISTERED,
       COL_EXPIRES, COL_KEEPALIVE, COL_HISTORY, COL_PROFILE };

static int on_connect(sqlite3 *db, void *ctx, int argc, const char *const *argv,
                      sqlite3_vtab **out, char **why)
{
    struct table *t;
    int rc = sqlite3_declare_vtab(
        db, "CREATE TABLE x(id, name, manufacturer, model, firmware,"
            " user_agent, edition, charset, transport, listener, local, remote,"
            " registered_ms, expires_ms, keepalive_ms, history, profile)");

    (void)argc, (void)argv, (void)why;
    if (rc != SQLITE_OK)
        return rc;
    t = sqlite3_malloc(sizeof(*t));
    if (!t)
        return SQLITE_NOMEM;
    *t = (struct table){ .run = ctx };
    *out = &t->base;
    return SQLITE_OK;
}

static int on_disconnect(sqlite3_vtab *v)
{
    sqlite3_free(v);
    return SQLITE_OK;
}

/* There is one way to read it: all, from the first. */
static int on_plan(sqlite3_vtab *v, sqlite3_index_info *plan)
{
    (void)v;
    plan->estimatedCost = 1000;
    return SQLITE_OK;
}

static int on_open(sqlite3_vtab *v, sqlite3_vtab_cursor **out)
{
    struct cursor *c = sqlite3_malloc(sizeof(*c));

    (void)v;
    if (!c)
        return SQLITE_NOMEM;
    *c = (struct cursor){ .at = NULL };
    *out = &c->base;
    return SQLITE_OK;
}

static int on_close(sqlite3_vtab_cursor *v)
{
    sqlite3_free(v);
    return SQLITE_OK;
}

static int on_filter(sqlite3_vtab_cursor *v, int plan, const char *text,
                     int argc, sqlite3_value **argv)
{
    struct cursor *c = (struct cursor *)(void *)v;
    const struct sql_run *run =
        ((const struct table *)(const void *)v->pVtab)->run;

    (void)plan, (void)text, (void)argc, (void)argv;
    c->at = run->from;
    c->end = run->end;
    return SQLITE_OK;
}

static int on_next(sqlite3_vtab_cursor *v)
{
    struct cursor *c = (struct cursor *)(void *)v;

    c->at = c->at->next;
    return SQLITE_OK;
}

static int on_eof(sqlite3_vtab_cursor *v)
{
    const struct cursor *c = (const struct cursor *)(const void *)v;

    return c->at == c->end;
}

static void give(sqlite3_context *x, struct slice s)
{
    sqlite3_result_text(x, s.n ? s.p : "", (int)s.n, SQLITE_STATIC);
}

/* NULL where it says nothing: a new device has told little of itself. */
static void give_told(sqlite3_context *x, const struct store_job *j,
                      size_t which)
{
    struct slice s = store_text(j, which);

    if (s.n)
        give(x, s);
}

/* Its text, too, lives until the row has been read. */
static void give_addr(sqlite3_context *x, const struct gb_addr *a,
                      char buf[GB_ADDR_TEXT_MAX])
{
    give(x, slice_str(gb_addr_text(a, buf)));
}

static int on_column(sqlite3_vtab_cursor *v, sqlite3_context *x, int n)
{
    struct cursor *c = (struct cursor *)(void *)v;
    const struct store_job *j = container_of(c->at, struct store_job, node);

    switch (n) {
    case COL_ID:
        give(x, store_text(j, STORE_ID));
        break;
    case COL_TRANSPORT:
        sqlite3_result_int(x, j->peer->transport);
        break;
    case COL_LISTENER:
        sqlite3_result_int(x, j->peer->listener);
        break;
    case COL_LOCAL:
        give_addr(x, &j->peer->local, c->local);
        break;
    case COL_REMOTE:
        give_addr(x, &j->peer->remote, c->remote);
        break;
    case COL_REGISTERED:
    case COL_EXPIRES:
    case COL_KEEPALIVE:
        sqlite3_result_int64(x, j->number[n - COL_REGISTERED]);
        break;
    case COL_HISTORY:
        give_told(x, j, STORE_HISTORY);
        break;
    case COL_PROFILE:
        give_told(x, j, STORE_PROFILE);
        break;
    default:
        give_told(x, j, (size_t)(STORE_NAME + n - COL_NAME));
        break;
    }
    return SQLITE_OK;
}

static int on_rowid(sqlite3_vtab_cursor *v, sqlite3_int64 *id)
{
    (void)v;
    *id = 0; /* nobody asks */
    return SQLITE_OK;
}

int sql_devices(sqlite3 *db, const struct sql_run *run)
{
    static const sqlite3_module module = {
        .xConnect = on_connect, .xBestIndex = on_plan,
        .xDisconnect = on_disconnect, .xDestroy = on_disconnect,
        .xOpen = on_open, .xClose = on_close, .xFilter = on_filter,
        .xNext = on_next, .xEof = on_eof, .xColumn = on_column,
        .xRowid = on_rowid,
    };

    return sqlite3_create_module(db, SQL_DEVICES, &module,
                                 (void *)(uintptr_t)run);
}
