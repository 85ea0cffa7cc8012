/* app/store/sqlite.c - the store as an SQLite database: gb28181d.db, WAL,
 * synchronous=NORMAL. Prepared statements only. */
#include "app/net/log.h"
#include "app/store/salvage.h"
#include "app/store/sql.h"
#include "base/age.h"

#include <assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define STORE_FILE "gb28181d.db"
#define ASIDE_MAX 1300
#define STORE_REPLACED_MAX 5 /* damaged files moved aside by one process: the
                                disk itself may be at fault */

enum { PUT_DEVICES, REMOVE_DEVICE, REMOVE_CHANNELS, PUT_CHANNEL, REMOVE_CHANNEL,
       PUT_DIALOG, REMOVE_DIALOG, PUT_SETTINGS, REMOVE_SETTINGS, PUT_GROUP,
       REMOVE_GROUP, PUT_DETAIL, REMOVE_DETAIL, REMOVE_DETAILS, ADD_ALARM, ACKNOWLEDGE,
       ADD_POSITION, PUT_COMMAND, PUT_HOOK, REMOVE_HOOK,
       PUT_RULE, REMOVE_RULE, PUT_PUSH, REMOVE_PUSH, PUT_UPGRADE, TRIM_UPGRADES, PUT_DOWNLOAD, REMOVE_DOWNLOAD,
       PUT_RECORDER, REMOVE_RECORDER, REMOVE_RECORDERS, PUT_RECORD, REMOVE_RECORD,
       PUT_ACCOUNT, REMOVE_ACCOUNT, ADD_AUDIT,
       TRIM_ALARMS, TRIM_POSITIONS, TRIM_COMMANDS, TRIM_AUDITS,
       AGE_ALARMS, AGE_POSITIONS, AGE_COMMANDS, AGE_AUDITS, LAST_ALARM,
       LAST_POSITION, LAST_COMMAND, LAST_AUDIT, N_STATEMENTS };

/* History is trimmed behind every so many rows, and by time: by count, and the
 * oldest by their age, so many at once. */
#define TRIM_EVERY 500
#define TRIM_ROUNDS_MAX 50
#define TRIM_SQL(table)                                                        \
    "DELETE FROM " table " WHERE id <= (SELECT max(id) FROM " table ") - ?1"
#define AGE_SQL(table, stamp)                                                  \
    "DELETE FROM " table " WHERE id IN (SELECT id FROM " table                 \
    " ORDER BY id LIMIT 1000) AND " stamp " < ?1"
/* Before rows go: the newest id stays known, so that it never comes again. */
#define LAST_SQL(table)                                                        \
    "REPLACE INTO last_id SELECT '" table "', id FROM " table                  \
    " ORDER BY id DESC LIMIT 1"

static const char *const sql[N_STATEMENTS] = {
    [PUT_DEVICES] = "REPLACE INTO device SELECT * FROM " SQL_DEVICES,
    [REMOVE_DEVICE] = "DELETE FROM device WHERE id=?1",
    [REMOVE_CHANNELS] = "DELETE FROM channel WHERE device=?1",
    [PUT_CHANNEL] = "REPLACE INTO channel VALUES"
                    "(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,"
                    "?16)",
    [REMOVE_CHANNEL] = "DELETE FROM channel WHERE device=?1 AND id=?2",
    [PUT_DIALOG] = "REPLACE INTO dialog VALUES"
                   "(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12)",
    [REMOVE_DIALOG] = "DELETE FROM dialog WHERE key=?1",
    [PUT_SETTINGS] = "REPLACE INTO device_settings VALUES"
                     "(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11)",
    [REMOVE_SETTINGS] = "DELETE FROM device_settings WHERE device=?1",
    [PUT_GROUP] = "REPLACE INTO device_group VALUES(?1,?2,?3)",
    [REMOVE_GROUP] = "DELETE FROM device_group WHERE name=?1",
    [PUT_DETAIL] = "REPLACE INTO channel_detail VALUES(?1,?2,?3)",
    [REMOVE_DETAIL] = "DELETE FROM channel_detail WHERE device=?1 AND id=?2",
    [REMOVE_DETAILS] = "DELETE FROM channel_detail WHERE device=?1",
    [ADD_ALARM] = "REPLACE INTO alarm VALUES"
                  "(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,NULL,NULL,?12)",
    [ACKNOWLEDGE] = "UPDATE alarm SET acknowledged_by=?1, acknowledged_ms=?2"
                    " WHERE id=?3 AND acknowledged_ms IS NULL",
    [ADD_POSITION] = "INSERT INTO position VALUES"
                     "(NULL,?2,?3,?4,?5,?6,?7,?8,?9,?10)",
    [PUT_COMMAND] = "REPLACE INTO command VALUES"
                    "(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,"
                    "?16,?17,?18,?19)",
    [PUT_HOOK] = "REPLACE INTO hook VALUES(?1,?2,?3,?4,?5)",
    [REMOVE_HOOK] = "DELETE FROM hook WHERE name=?1",
    [PUT_RULE] = "REPLACE INTO rule VALUES(?1,?2)",
    [REMOVE_RULE] = "DELETE FROM rule WHERE name=?1",
    [PUT_PUSH] = "REPLACE INTO push VALUES(?1,?2,?3,?4)",
    [REMOVE_PUSH] = "DELETE FROM push WHERE name=?1",
    [PUT_UPGRADE] = "REPLACE INTO upgrade VALUES"
                    "(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13)",
    [TRIM_UPGRADES] = "DELETE FROM upgrade WHERE session NOT IN (SELECT"
                      " session FROM upgrade ORDER BY asked_ms DESC LIMIT ?1)",
    [PUT_DOWNLOAD] = "REPLACE INTO download VALUES"
                     "(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,"
                     "?16,?17)",
    [REMOVE_DOWNLOAD] = "DELETE FROM download WHERE key=?1",
    [PUT_RECORDER] = "REPLACE INTO record_settings VALUES"
                     "(?1,?2,?3,?4,?5,?6,?7,?8)",
    [REMOVE_RECORDER] = "DELETE FROM record_settings WHERE device=?1 AND"
                        " channel=?2",
    [REMOVE_RECORDERS] = "DELETE FROM record_settings WHERE device=?1",
    [PUT_RECORD] = "REPLACE INTO record VALUES(?1,?2,?3,?4,?5,?6)",
    [REMOVE_RECORD] = "DELETE FROM record WHERE device=?1 AND channel=?2 AND"
                      " begin_ms=?3",
    [PUT_ACCOUNT] = "REPLACE INTO account VALUES(?1,?2,?3,?4,?5)",
    [REMOVE_ACCOUNT] = "DELETE FROM account WHERE name=?1",
    [ADD_AUDIT] = "INSERT INTO audit VALUES(NULL,?1,?2,?3,?4,?5,?6,?7)",
    [TRIM_ALARMS] = TRIM_SQL("alarm"),
    [TRIM_POSITIONS] = TRIM_SQL("position"),
    [TRIM_COMMANDS] = TRIM_SQL("command"),
    [TRIM_AUDITS] = TRIM_SQL("audit"),
    [AGE_ALARMS] = AGE_SQL("alarm", "received_ms"),
    [AGE_POSITIONS] = AGE_SQL("position", "received_ms"),
    [AGE_COMMANDS] = AGE_SQL("command", "asked_ms"),
    [AGE_AUDITS] = AGE_SQL("audit", "at_ms"),
    [LAST_ALARM] = LAST_SQL("alarm"),
    [LAST_POSITION] = LAST_SQL("position"),
    [LAST_COMMAND] = LAST_SQL("command"),
    [LAST_AUDIT] = LAST_SQL("audit"),
};

struct store {
    struct store_writer writer;
    char path[1100];
    sqlite3 *db;
    sqlite3_stmt *stmt[N_STATEMENTS];
    struct sql_run devices; /* what PUT_DEVICES writes */
    unsigned n_added; /* rows of history since the last trimming */
    struct age age;
    int64_t trimmed_ms; /* by it; 0: not yet */
    bool full_sync;   /* as sync_for left it */
    bool damaged;     /* seen by a question or a commit; not yet replaced */
    unsigned replaced;
};

/* ---- writing ---------------------------------------------------------------------- */

static void bind_text(sqlite3_stmt *st, int i, const struct store_job *j,
                      size_t which)
{
    sql_bind(st, i, store_text(j, which));
}

/* transport, listener, local, remote from column i on; texts live in buf. */
static void bind_peer(sqlite3_stmt *st, int i, const struct sip_peer *p,
                      char buf[2][GB_ADDR_TEXT_MAX])
{
    sqlite3_bind_int(st, i, p->transport);
    sqlite3_bind_int(st, i + 1, p->listener);
    sql_bind(st, i + 2, slice_str(gb_addr_text(&p->local, buf[0])));
    sql_bind(st, i + 3, slice_str(gb_addr_text(&p->remote, buf[1])));
}

static void bind_place(sqlite3_stmt *st, int i, const struct store_job *j)
{
    if (!j->place)
        return; /* NULL */
    sqlite3_bind_double(st, i, j->place->lon);
    sqlite3_bind_double(st, i + 1, j->place->lat);
}

static void bind_channel(sqlite3_stmt *st, const struct store_job *j)
{
    bind_text(st, 1, j, STORE_DEVICE);
    bind_text(st, 2, j, STORE_CHANNEL);
    for (int i = STORE_NAME; i <= STORE_PTZ; i++)
        bind_text(st, i + 2, j, (size_t)i);
    sqlite3_bind_int(st, 12, j->on);
    bind_place(st, 13, j);
    sqlite3_bind_int64(st, 15, j->number[0]);
    bind_text(st, 16, j, STORE_BUSINESS);
}

static void bind_alarm(sqlite3_stmt *st, const struct store_job *j)
{
    sqlite3_bind_int64(st, 1, j->number[0]);
    for (int i = 0; i < 7; i++)
        bind_text(st, i + 2, j, (size_t)i);
    bind_place(st, 9, j);
    sqlite3_bind_int64(st, 11, j->number[1]);
    bind_text(st, 12, j, 7);
}

static void bind_position(sqlite3_stmt *st, const struct store_job *j)
{
    for (int i = 0; i < 6; i++)
        bind_text(st, i + 2, j, (size_t)i);
    bind_place(st, 8, j);
    sqlite3_bind_int64(st, 10, j->number[1]);
}

static void bind_command(sqlite3_stmt *st, const struct store_job *j)
{
    sqlite3_bind_int64(st, 1, j->number[0]);
    for (int i = 0; i < 7; i++)
        bind_text(st, i + 2, j, (size_t)i);
    for (int i = 1; i < 12; i++)
        sqlite3_bind_int64(st, 8 + i, j->number[i]);
}

static bool step(sqlite3_stmt *st)
{
    int rc = sqlite3_step(st);

    sqlite3_reset(st);
    sqlite3_clear_bindings(st);
    return rc == SQLITE_DONE || rc == SQLITE_ROW;
}

/* The first n texts to the first n parameters. */
static void bind_texts(sqlite3_stmt *st, const struct store_job *j, int n)
{
    for (int i = 0; i < n; i++)
        bind_text(st, i + 1, j, (size_t)i);
}

static void bind_numbers(sqlite3_stmt *st, int first, const struct store_job *j,
                         int n)
{
    for (int i = 0; i < n; i++)
        sqlite3_bind_int64(st, first + i, j->number[i]);
}

/* Jobs of one statement, whose parameters are the first texts and then the first
 * numbers. */
static const struct plain {
    uint8_t statement, texts, numbers;
    bool is_history;
} plain[] = {
    [STORE_REMOVE_DIALOG] = { REMOVE_DIALOG, 1, 0, false },
    [STORE_PUT_GROUP] = { PUT_GROUP, 3, 0, false },
    [STORE_REMOVE_GROUP] = { REMOVE_GROUP, 1, 0, false },
    [STORE_PUT_DETAIL] = { PUT_DETAIL, 3, 0, false },
    [STORE_ADD_AUDIT] = { ADD_AUDIT, STORE_AUDIT_TEXTS, 2, true },
    [STORE_PUT_HOOK] = { PUT_HOOK, 3, 2, false },
    [STORE_REMOVE_HOOK] = { REMOVE_HOOK, 1, 0, false },
    [STORE_PUT_ACCOUNT] = { PUT_ACCOUNT, STORE_ACCOUNT_TEXTS, 1, false },
    [STORE_REMOVE_ACCOUNT] = { REMOVE_ACCOUNT, 1, 0, false },
    [STORE_PUT_RULE] = { PUT_RULE, 2, 0, false },
    [STORE_REMOVE_RULE] = { REMOVE_RULE, 1, 0, false },
    [STORE_PUT_PUSH] = { PUT_PUSH, 3, 1, false },
    [STORE_REMOVE_PUSH] = { REMOVE_PUSH, 1, 0, false },
    [STORE_PUT_DOWNLOAD] = { PUT_DOWNLOAD, STORE_DOWNLOAD_TEXTS,
                             STORE_DOWNLOAD_NUMBERS, false },
    [STORE_REMOVE_DOWNLOAD] = { REMOVE_DOWNLOAD, 1, 0, false },
    [STORE_PUT_RECORDER] = { PUT_RECORDER, STORE_RECORDER_TEXTS,
                             STORE_RECORDER_NUMBERS, false },
    [STORE_REMOVE_RECORDER] = { REMOVE_RECORDER, 2, 0, false },
    [STORE_PUT_RECORD] = { PUT_RECORD, 2, 4, false },
    [STORE_REMOVE_RECORD] = { REMOVE_RECORD, 2, 1, false },
    [STORE_ACKNOWLEDGE] = { ACKNOWLEDGE, 1, 2, false },
};

static bool apply_plain(struct store *s, const struct store_job *j)
{
    const struct plain *k = &plain[j->op];
    sqlite3_stmt *st = s->stmt[k->statement];

    assert(k->texts);
    s->n_added += k->is_history;
    bind_texts(st, j, k->texts);
    bind_numbers(st, k->texts + 1, j, k->numbers);
    return step(st);
}

/* n: the first of those that come one behind the other; it becomes the last. */
static bool put_devices(struct store *s, struct list **n,
                        const struct list *jobs)
{
    s->devices.from = *n;
    while ((*n)->next != jobs &&
           container_of((*n)->next, struct store_job, node)->op ==
               STORE_PUT_DEVICE)
        *n = (*n)->next;
    s->devices.end = (*n)->next;
    return step(s->stmt[PUT_DEVICES]);
}

static bool remove_device(struct store *s, const struct store_job *j)
{
    static const uint8_t all[] = { REMOVE_CHANNELS, REMOVE_DETAILS,
                                   REMOVE_SETTINGS, REMOVE_RECORDERS,
                                   REMOVE_DEVICE };

    for (size_t i = 0; i < sizeof(all); i++) {
        bind_text(s->stmt[all[i]], 1, j, 0);
        if (!step(s->stmt[all[i]]))
            return false;
    }
    return true;
}

static bool put_channel(struct store *s, const struct store_job *j)
{
    bind_channel(s->stmt[PUT_CHANNEL], j);
    return step(s->stmt[PUT_CHANNEL]);
}

static bool remove_channel(struct store *s, const struct store_job *j)
{
    bind_texts(s->stmt[REMOVE_CHANNEL], j, 2);
    bind_texts(s->stmt[REMOVE_DETAIL], j, 2);
    return step(s->stmt[REMOVE_CHANNEL]) && step(s->stmt[REMOVE_DETAIL]);
}

static bool put_dialog(struct store *s, const struct store_job *j)
{
    sqlite3_stmt *st = s->stmt[PUT_DIALOG];
    char buf[2][GB_ADDR_TEXT_MAX];

    bind_texts(st, j, STORE_TARGET + 1);
    bind_numbers(st, STORE_TARGET + 2, j, 1);
    bind_peer(st, STORE_TARGET + 3, j->peer, buf);
    return step(st);
}

static bool put_settings(struct store *s, const struct store_job *j)
{
    sqlite3_stmt *st = s->stmt[PUT_SETTINGS];

    bind_texts(st, j, STORE_GIVEN_NAME + 1);
    bind_numbers(st, STORE_GIVEN_NAME + 2, j, 6);
    bind_text(st, STORE_GIVEN_NAME + 8, j, STORE_POLICY);
    return step(st);
}

static bool put_upgrade(struct store *s, const struct store_job *j)
{
    bind_texts(s->stmt[PUT_UPGRADE], j, 8);
    bind_numbers(s->stmt[PUT_UPGRADE], 9, j, 5);
    sqlite3_bind_int(s->stmt[TRIM_UPGRADES], 1, PLATFORM_UPGRADES_MAX);
    return step(s->stmt[PUT_UPGRADE]) && step(s->stmt[TRIM_UPGRADES]);
}

static bool add_history(struct store *s, int statement,
                        void bind(sqlite3_stmt *, const struct store_job *),
                        const struct store_job *j)
{
    s->n_added++;
    bind(s->stmt[statement], j);
    return step(s->stmt[statement]);
}

static bool apply(struct store *s, const struct store_job *j)
{
    switch ((enum store_op)j->op) {
    case STORE_REMOVE_DEVICE:
        return remove_device(s, j);
    case STORE_PUT_CHANNEL:
        return put_channel(s, j);
    case STORE_REMOVE_CHANNEL:
        return remove_channel(s, j);
    case STORE_PUT_DIALOG:
        return put_dialog(s, j);
    case STORE_PUT_SETTINGS:
        return put_settings(s, j);
    case STORE_PUT_UPGRADE:
        return put_upgrade(s, j);
    case STORE_ADD_ALARM:
        return add_history(s, ADD_ALARM, bind_alarm, j);
    case STORE_ADD_POSITION:
        return add_history(s, ADD_POSITION, bind_position, j);
    case STORE_PUT_COMMAND:
        return add_history(s, PUT_COMMAND, bind_command, j);
    case STORE_PUT_DEVICE: /* put_devices */
    case STORE_REMOVE_DIALOG:
    case STORE_PUT_GROUP:
    case STORE_REMOVE_GROUP:
    case STORE_PUT_DETAIL:
    case STORE_ADD_AUDIT:
    case STORE_PUT_HOOK:
    case STORE_REMOVE_HOOK:
    case STORE_PUT_ACCOUNT:
    case STORE_REMOVE_ACCOUNT:
    case STORE_PUT_RULE:
    case STORE_REMOVE_RULE:
    case STORE_PUT_PUSH:
    case STORE_REMOVE_PUSH:
    case STORE_PUT_DOWNLOAD:
    case STORE_REMOVE_DOWNLOAD:
    case STORE_PUT_RECORDER:
    case STORE_REMOVE_RECORDER:
    case STORE_PUT_RECORD:
    case STORE_REMOVE_RECORD:
    case STORE_ACKNOWLEDGE:
        break;
    }
    return apply_plain(s, j);
}

static struct gb_time system_now(void)
{
    return (struct gb_time){ .mono_ms = uv_hrtime() / 1000000,
                             .utc_ms = (int64_t)time(NULL) * 1000 };
}

/* Those behind the newest `rows`, then the too old ones, in ids' order. */
static bool trim_one(struct store *s, unsigned kind, uint32_t rows,
                     uint32_t days, int64_t now_ms)
{
    sqlite3_stmt *by_age = s->stmt[AGE_ALARMS + kind];
    sqlite3_stmt *by_count = s->stmt[TRIM_ALARMS + kind];
    bool ok;

    sqlite3_bind_int64(by_count, 1, rows);
    ok = step(s->stmt[LAST_ALARM + kind]) && step(by_count);
    for (unsigned i = 0; ok && days && i < TRIM_ROUNDS_MAX; i++) {
        sqlite3_bind_int64(by_age, 1, now_ms - days * 86400000ll);
        ok = step(by_age);
        if (sqlite3_changes(s->db) == 0)
            break;
    }
    return ok;
}

/* When so much has come, or so long has passed, or it was asked for. */
static bool trim(struct store *s)
{
    struct store_retention keep;
    bool anew, ok = true;
    int64_t now_ms;

    if (!store_writer_keeps(&s->writer, &keep, &anew))
        return true;
    now_ms = age_utc_ms(&s->age, keep.now ? keep.now() : system_now());
    if (!anew && s->n_added < TRIM_EVERY && now_ms >= s->trimmed_ms &&
        now_ms - s->trimmed_ms < STORE_TRIM_MS)
        return true;
    s->n_added = 0;
    s->trimmed_ms = now_ms;
    for (unsigned i = 0; ok && i < STORE_KINDS; i++)
        ok = trim_one(s, i, keep.rows[i], keep.days[i], now_ms);
    return ok;
}

/* What somebody has set, and was told is kept: it outlives a loss of power. */
static bool is_promised(enum store_op op)
{
    return op == STORE_PUT_SETTINGS || op == STORE_PUT_GROUP ||
           op == STORE_REMOVE_GROUP || op == STORE_REMOVE_DEVICE ||
           op == STORE_PUT_ACCOUNT || op == STORE_REMOVE_ACCOUNT ||
           op == STORE_PUT_HOOK || op == STORE_REMOVE_HOOK ||
           op == STORE_PUT_RULE || op == STORE_REMOVE_RULE ||
           op == STORE_PUT_PUSH || op == STORE_REMOVE_PUSH ||
           op == STORE_PUT_RECORDER || op == STORE_REMOVE_RECORDER;
}

static void sync_for(struct store *s, const struct list *jobs)
{
    bool full = false;

    for (struct list *n = jobs->next; n != jobs && !full; n = n->next) {
        const struct store_job *j = container_of(n, struct store_job, node);

        full = is_promised((enum store_op)j->op);
    }
    if (full != s->full_sync)
        sqlite3_exec(s->db, full ? "PRAGMA synchronous=FULL"
                                 : "PRAGMA synchronous=NORMAL",
                     NULL, NULL, NULL);
    s->full_sync = full;
}

static bool is_damage(int rc)
{
    rc &= 0xff;
    return rc == SQLITE_CORRUPT || rc == SQLITE_NOTADB;
}

static void answer(void *backend, const struct store_ask *q,
                   struct store_rows *r)
{
    struct store *s = backend;
    int rc = sql_answer(s->db, q, r);

    if (rc != SQLITE_OK && !r->err)
        r->err = GB_EIO;
    s->damaged |= is_damage(rc);
}

/* ---- opening ------------------------------------------------------------------------ */

/* SQLite makes a file that the umask lets others read, and its journals like it. */
static void make_private(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

    if (fd >= 0)
        close(fd);
}

/* When the last row of history came. */
static void know_age(struct store *s)
{
    static const char newest[] =
        "SELECT received_ms FROM alarm WHERE id=(SELECT max(id) FROM alarm)"
        " UNION ALL SELECT received_ms FROM position"
        " WHERE id=(SELECT max(id) FROM position)"
        " UNION ALL SELECT asked_ms FROM command"
        " WHERE id=(SELECT max(id) FROM command)"
        " UNION ALL SELECT at_ms FROM audit"
        " WHERE id=(SELECT max(id) FROM audit)";
    sqlite3_stmt *st;

    if (sqlite3_prepare_v2(s->db, newest, -1, &st, NULL) != SQLITE_OK)
        return;
    while (sqlite3_step(st) == SQLITE_ROW)
        age_known(&s->age, sqlite3_column_int64(st, 0));
    sqlite3_finalize(st);
}

static int open_db(struct store *s, const char *path)
{
    int rc;

    make_private(path);
    rc = sqlite3_open_v2(path, &s->db, SQLITE_OPEN_READWRITE |
                         SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_exec(s->db,
                          "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;"
                          "PRAGMA busy_timeout=5000; PRAGMA cache_size=-1024;",
                          NULL, NULL, NULL);
    if (rc == SQLITE_OK)
        rc = sql_migrate(s->db);
    if (rc == SQLITE_OK)
        rc = sql_devices(s->db, &s->devices);
    for (int i = 0; rc == SQLITE_OK && i < N_STATEMENTS; i++)
        rc = sqlite3_prepare_v2(s->db, sql[i], -1, &s->stmt[i], NULL);
    return rc;
}

static void close_db(struct store *s)
{
    for (int i = 0; i < N_STATEMENTS; i++) {
        sqlite3_finalize(s->stmt[i]);
        s->stmt[i] = NULL;
    }
    sqlite3_close(s->db);
    s->db = NULL;
}

/* Opens it and tries all of it before anything is handed on: a damaged page
 * shows here. */
static int open_checked(struct store *s, const char *path)
{
    sqlite3_stmt *st;
    int rc = open_db(s, path);

    if (rc != SQLITE_OK)
        return rc;
    rc = sqlite3_prepare_v2(s->db, "PRAGMA quick_check(1)", -1, &st, NULL);
    if (rc == SQLITE_OK) {
        rc = sqlite3_step(st) == SQLITE_ROW &&
                     slice_eq(sql_column(st, 0), SLICE("ok"))
                 ? SQLITE_OK : SQLITE_CORRUPT;
        sqlite3_finalize(st);
    }
    return rc;
}

/* to: where it is now. */
static void move_aside(const char *path, char to[static ASIDE_MAX])
{
    static const char *const tails[] = { "", "-wal", "-shm" };
    long long now_s = (long long)time(NULL);

    for (size_t i = 3; i-- > 0;) { /* the file itself last: `to` names it */
        char from[1200];

        snprintf(from, sizeof(from), "%s%s", path, tails[i]);
        snprintf(to, ASIDE_MAX, "%s.broken-%lld%s", path, now_s, tails[i]);
        rename(from, to);
    }
}

/* A new file in place of the damaged one, with what can be read of that. */
static int replace_damaged(struct store *s, int rc, char why[static 256])
{
    char aside[ASIDE_MAX];
    unsigned long long rows = 0;
    const char *what = sqlite3_errstr(rc);

    close_db(s);
    move_aside(s->path, aside);
    rc = open_checked(s, s->path);
    if (rc == SQLITE_OK)
        rows = store_salvage(s->db, aside);
    snprintf(why, 256, "%.150s: %.40s; rows that could be read: %llu", s->path,
             what, rows);
    return rc;
}

static int open_or_replace(struct store *s, char why[static 256], bool *moved)
{
    int rc = open_checked(s, s->path);

    if (is_damage(rc)) {
        rc = replace_damaged(s, rc, why);
        if (moved)
            *moved = true;
    }
    if (rc == SQLITE_MISMATCH)
        snprintf(why, 256, "%.150s: written by a later version of gb28181d",
                 s->path);
    else if (rc != SQLITE_OK)
        snprintf(why, 256, "%.150s: %.90s", s->path,
                 s->db ? sqlite3_errmsg(s->db) : sqlite3_errstr(rc));
    else
        know_age(s);
    return rc == SQLITE_OK ? 0 : GB_EIO;
}

/* ---- committing ------------------------------------------------------------------------ */

/* As it is, or opened anew: a damaged file is replaced while the program runs,
 * and one that could not be is tried again. */
static bool ready(struct store *s, char why[static STORE_WHY])
{
    char text[256];
    int rc = SQLITE_OK;

    if (s->damaged && s->replaced < STORE_REPLACED_MAX) {
        s->replaced++;
        rc = replace_damaged(s, SQLITE_CORRUPT, text);
        s->damaged = s->full_sync = false;
        log_f(LOG_ERROR, "msg=\"store was damaged and has been moved aside\" "
                         "why=\"%s\"", text);
    } else if (!s->stmt[N_STATEMENTS - 1]) {
        close_db(s);
        rc = open_checked(s, s->path);
    }
    if (rc != SQLITE_OK)
        snprintf(why, STORE_WHY, "%s", sqlite3_errstr(rc));
    return rc == SQLITE_OK;
}

static bool commit_rows(struct store *s, struct list *jobs)
{
    struct list *n;
    bool ok;

    sync_for(s, jobs);
    ok = sqlite3_exec(s->db, "BEGIN", NULL, NULL, NULL) == SQLITE_OK;
    for (n = jobs->next; ok && n != jobs; n = n->next) {
        const struct store_job *j = container_of(n, struct store_job, node);

        ok = j->op == STORE_PUT_DEVICE ? put_devices(s, &n, jobs)
                                       : apply(s, j);
    }
    if (ok)
        ok = trim(s);
    return ok && sqlite3_exec(s->db, "COMMIT", NULL, NULL, NULL) == SQLITE_OK;
}

static bool commit(void *backend, struct list *jobs,
                   char why[static STORE_WHY])
{
    struct store *s = backend;

    for (int tries = 0; tries < 2; tries++) {
        if (!ready(s, why))
            return false;
        if (commit_rows(s, jobs))
            return true;
        s->damaged = is_damage(sqlite3_errcode(s->db));
        snprintf(why, STORE_WHY, "%s", sqlite3_errmsg(s->db));
        sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
        if (!s->damaged)
            break;
    }
    return false;
}

int store_open(struct store **out, const char *dir,
               const struct store_loader *l, char why[static 256], bool *moved)
{
    struct store *s = calloc(1, sizeof(*s));
    struct store_backend b = { .commit = commit, .answer = answer,
                               .backend = s };
    int err;

    if (!s)
        return GB_ENOMEM;
    snprintf(s->path, sizeof(s->path), "%s/" STORE_FILE, dir);
    err = open_or_replace(s, why, moved);
    if (!err && sql_load(s->db, l) != SQLITE_OK) {
        snprintf(why, 256, "%.150s: %.90s", s->path, sqlite3_errmsg(s->db));
        err = GB_EIO;
    }
    if (!err)
        err = store_writer_start(&s->writer, &b, 0);
    if (err) {
        close_db(s);
        free(s);
        return err;
    }
    *out = s;
    return 0;
}

void store_close(struct store *s)
{
    if (!s)
        return;
    store_writer_stop(&s->writer);
    close_db(s);
    free(s);
}

/* ---- the face ------------------------------------------------------------------------ */

struct store_writer *store_writer_of(struct store *s)
{
    return &s->writer;
}
