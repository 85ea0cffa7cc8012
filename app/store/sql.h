/* app/store/sql.h - what the files of the SQLite store share; see sqlite.c
 *
 * Results are those of SQLite: SQLITE_OK, or what was wrong. */
#ifndef APP_STORE_SQL_H
#define APP_STORE_SQL_H

#include "app/store/writer.h"

#include <sqlite3.h>

/* A text that lives until the statement has run. */
static inline void sql_bind(sqlite3_stmt *st, int i, struct slice s)
{
    sqlite3_bind_text(st, i, s.n ? s.p : "", (int)s.n, SQLITE_STATIC);
}

/* Valid until the next step. */
static inline struct slice sql_column(sqlite3_stmt *st, int i)
{
    const unsigned char *p = sqlite3_column_text(st, i);

    return slice_of((const char *)p, (size_t)sqlite3_column_bytes(st, i));
}

/* Makes a new file, or one of an earlier version, what this program reads.
 * SQLITE_MISMATCH: it is of a later version. */
int sql_migrate(sqlite3 *db);

/* Jobs STORE_PUT_DEVICE, one behind the other, from the first up to `end`, which
 * is none of them. */
struct sql_run {
    const struct list *from, *end;
};

/* Makes them a table of the name SQL_DEVICES, with the columns of `device`, whose
 * rows are those of *run whenever it is read. */
#define SQL_DEVICES "devices_to_put"
int sql_devices(sqlite3 *db, const struct sql_run *run);

/* Hands on all that is not history. */
int sql_load(sqlite3 *db, const struct store_loader *l);

/* The rows that are asked for, and how many there are; r->err is the caller's to
 * set. */
int sql_answer(sqlite3 *db, const struct store_ask *q, struct store_rows *r);
#endif
