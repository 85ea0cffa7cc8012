#include "app/store/salvage.h"

#include "base/writer.h"

#include <stdio.h>

#define SQL_TEXT_MAX 2048
#define COLUMNS_MAX 64

/* A table being copied. */
struct rescue {
    sqlite3 *from, *to;
    const char *table;
    sqlite3_stmt *put;
    uint64_t rows;
};

static sqlite3_stmt *prepare(sqlite3 *db, const struct writer *w)
{
    sqlite3_stmt *st = NULL;

    if (w->err || sqlite3_prepare_v2(db, w->p, (int)w->len, &st, NULL))
        return NULL;
    return st;
}

static bool has_column(sqlite3 *db, const char *table, const char *column)
{
    return sqlite3_table_column_metadata(db, NULL, table, column, NULL, NULL,
                                         NULL, NULL, NULL) == SQLITE_OK;
}

/* "INSERT OR IGNORE INTO t(a,b) VALUES(?1,?2)" of the columns of `get` that
 * there are; from[i] is the column of ?(i + 1). */
static int prepare_put(struct rescue *r, sqlite3_stmt *get, int from[COLUMNS_MAX])
{
    char text[SQL_TEXT_MAX];
    struct writer w = writer_of(text, sizeof(text));
    int n = 0;

    writer_f(&w, "INSERT OR IGNORE INTO \"%s\"(", r->table);
    for (int i = 0; i < sqlite3_column_count(get) && n < COLUMNS_MAX; i++) {
        const char *name = sqlite3_column_name(get, i);

        if (!name || !has_column(r->to, r->table, name))
            continue;
        writer_f(&w, "%s\"%s\"", n ? "," : "", name);
        from[n++] = i;
    }
    writer_str(&w, ") VALUES(");
    for (int i = 0; i < n; i++)
        writer_f(&w, "%s?%d", i ? "," : "", i + 1);
    writer_str(&w, ")");
    r->put = n ? prepare(r->to, &w) : NULL;
    return r->put ? n : 0;
}

/* Until the end or the damage; false: it was the damage. */
static bool copy_rows(struct rescue *r, sqlite3_stmt *get)
{
    int from[COLUMNS_MAX], n = prepare_put(r, get, from), rc;

    if (!n)
        return true; /* nothing of it is wanted */
    while ((rc = sqlite3_step(get)) == SQLITE_ROW) {
        for (int i = 0; i < n; i++)
            sqlite3_bind_value(r->put, i + 1, sqlite3_column_value(get, from[i]));
        if (sqlite3_step(r->put) == SQLITE_DONE)
            r->rows += (uint64_t)sqlite3_changes(r->to);
        sqlite3_reset(r->put);
    }
    sqlite3_finalize(r->put);
    return rc == SQLITE_DONE;
}

/* " ORDER BY k1 DESC,k2 DESC" of the primary key. */
static void write_backwards(struct writer *w, struct rescue *r)
{
    char text[SQL_TEXT_MAX];
    struct writer q = writer_of(text, sizeof(text));
    sqlite3_stmt *st;
    bool any = false;

    writer_f(&q, "SELECT name FROM pragma_table_info('%s') WHERE pk>0"
                 " ORDER BY pk", r->table);
    st = prepare(r->to, &q);
    while (st && sqlite3_step(st) == SQLITE_ROW) {
        writer_f(w, "%s\"%s\" DESC", any ? "," : " ORDER BY ",
                 (const char *)sqlite3_column_text(st, 0));
        any = true;
    }
    sqlite3_finalize(st);
}

static void copy_table(struct rescue *r)
{
    char text[SQL_TEXT_MAX];
    bool whole = false;

    for (int backwards = 0; backwards < 2 && !whole; backwards++) {
        struct writer w = writer_of(text, sizeof(text));
        sqlite3_stmt *get;

        writer_f(&w, "SELECT * FROM \"%s\"", r->table);
        if (backwards)
            write_backwards(&w, r);
        get = prepare(r->from, &w);
        whole = get && copy_rows(r, get);
        sqlite3_finalize(get);
    }
}

uint64_t store_salvage(sqlite3 *db, const char *path)
{
    struct rescue r = { .to = db };
    sqlite3_stmt *tables = NULL;
    uint64_t rows = 0;

    if (sqlite3_open_v2(path, &r.from, SQLITE_OPEN_READWRITE |
                        SQLITE_OPEN_NOMUTEX, NULL) == SQLITE_OK &&
        sqlite3_exec(db, "BEGIN", NULL, NULL, NULL) == SQLITE_OK) {
        sqlite3_prepare_v2(db, "SELECT name FROM sqlite_master WHERE"
                               " type='table' AND name NOT LIKE 'sqlite_%'",
                           -1, &tables, NULL);
        while (tables && sqlite3_step(tables) == SQLITE_ROW) {
            r.table = (const char *)sqlite3_column_text(tables, 0);
            r.rows = 0;
            copy_table(&r);
            rows += r.rows;
        }
        sqlite3_finalize(tables);
        if (sqlite3_exec(db, "COMMIT", NULL, NULL, NULL) != SQLITE_OK) {
            sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
            rows = 0;
        }
    }
    sqlite3_close(r.from);
    return rows;
}
