/* app/store/sqlite.c - the store as an SQLite database: gb28181d.db, WAL,
 * synchronous=NORMAL. Prepared statements only. */
#include "app/net/log.h"
#include "app/store/salvage.h"
#include "app/store/writer.h"
#include "base/writer.h"

#include <assert.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define STORE_FILE "gb28181d.db"
#define ASIDE_MAX 1300
#define STORE_REPLACED_MAX 5 /* damaged files moved aside by one process: the
                                disk itself may be at fault */

/* Files of version 1 were made with fewer of these tables at first. */
#define FIRST_SCHEMA                                                           \
    "CREATE TABLE IF NOT EXISTS device(id TEXT PRIMARY KEY, name TEXT,"        \
    " manufacturer TEXT, model TEXT, firmware TEXT, user_agent TEXT,"          \
    " edition TEXT, charset TEXT, transport INT, listener INT, local TEXT,"    \
    " remote TEXT, registered_ms INT, expires_ms INT, keepalive_ms INT)"       \
    " WITHOUT ROWID;"                                                          \
    "CREATE TABLE IF NOT EXISTS channel(device TEXT, id TEXT, name TEXT,"      \
    " manufacturer TEXT, model TEXT, owner TEXT, civil_code TEXT,"             \
    " address TEXT, parent TEXT, status TEXT, ptz_type TEXT, is_on INT,"       \
    " longitude REAL, latitude REAL, delivered_ms INT,"                        \
    " PRIMARY KEY(device, id)) WITHOUT ROWID;"                                 \
    "CREATE TABLE IF NOT EXISTS dialog(key TEXT PRIMARY KEY, call_id TEXT,"    \
    " local_uri TEXT, remote_uri TEXT, local_tag TEXT, remote_tag TEXT,"       \
    " target TEXT, cseq INT, transport INT, listener INT, local TEXT,"         \
    " remote TEXT) WITHOUT ROWID;"                                             \
    "CREATE TABLE IF NOT EXISTS device_settings(device TEXT PRIMARY KEY,"      \
    " password TEXT, device_group TEXT, name TEXT, date INT, edition INT,"     \
    " digest INT, ignore_require INT, media INT) WITHOUT ROWID;"               \
    "CREATE TABLE IF NOT EXISTS device_group(name TEXT PRIMARY KEY,"           \
    " password TEXT) WITHOUT ROWID;"

/* The steps from one version of the file to the next; what is here never
 * changes, what comes is added behind. PRAGMA user_version counts them. */
static const char *const migrations[] = {
    FIRST_SCHEMA,
    FIRST_SCHEMA "ALTER TABLE channel ADD COLUMN business_group TEXT;",
    "CREATE TABLE channel_detail(device TEXT, id TEXT, detail TEXT,"
    " PRIMARY KEY(device, id)) WITHOUT ROWID;"
    "CREATE TABLE alarm(id INTEGER PRIMARY KEY, device TEXT, channel TEXT,"
    " priority TEXT, method TEXT, type TEXT, time TEXT, description TEXT,"
    " longitude REAL, latitude REAL, received_ms INT);"
    "CREATE INDEX alarm_of ON alarm(device, id);"
    "CREATE TABLE position(id INTEGER PRIMARY KEY, device TEXT, channel TEXT,"
    " time TEXT, speed TEXT, direction TEXT, altitude TEXT, longitude REAL,"
    " latitude REAL, received_ms INT);"
    "CREATE INDEX position_of ON position(device, channel, id);"
    "CREATE TABLE command(id INTEGER PRIMARY KEY, device TEXT, target TEXT,"
    " cmd TEXT, sub TEXT, state TEXT, evidence TEXT, answer TEXT,"
    " asked_ms INT, sent_ms INT, arrived_ms INT, answered_ms INT, tries INT,"
    " sip_status INT, flags INT);",
    "ALTER TABLE device_settings ADD COLUMN arm INT;",
    "ALTER TABLE device ADD COLUMN history TEXT;"
    "ALTER TABLE device ADD COLUMN profile TEXT;"
    "ALTER TABLE command ADD COLUMN sn INT;"
    "ALTER TABLE command ADD COLUMN messages INT;"
    "ALTER TABLE command ADD COLUMN have INT;"
    "ALTER TABLE command ADD COLUMN total INT;"
    "CREATE INDEX command_of ON command(device, id);",
    "CREATE TABLE hook(name TEXT PRIMARY KEY, url TEXT, secret TEXT,"
    " kinds INT, off INT) WITHOUT ROWID;",
    "CREATE TABLE upgrade(session TEXT PRIMARY KEY, device TEXT, target TEXT,"
    " file TEXT, version TEXT, runs TEXT, state TEXT, evidence TEXT,"
    " asked_ms INT, fetched_ms INT, ended_ms INT, bytes INT, fetches INT)"
    " WITHOUT ROWID;",
    "ALTER TABLE device_settings ADD COLUMN subscribe TEXT;"
    "ALTER TABLE device_group ADD COLUMN subscribe TEXT;",
    "CREATE TABLE last_id(what TEXT PRIMARY KEY, id INT) WITHOUT ROWID;",
    "CREATE TABLE download(key TEXT PRIMARY KEY, device TEXT, channel TEXT,"
    " state TEXT, evidence TEXT, parts TEXT, how INT, start_s INT, stop_s INT,"
    " sessions INT, created_ms INT, ended_ms INT, bytes INT, at_ms INT,"
    " end90k INT, key_hash INT, chain INT) WITHOUT ROWID;",
    "CREATE TABLE push(name TEXT PRIMARY KEY, urls TEXT, passwords TEXT,"
    " stream INT) WITHOUT ROWID;",
    "CREATE TABLE record_settings(device TEXT, channel TEXT, mode TEXT,"
    " plan TEXT, stream INT, alarm_s INT, before INT, hand INT,"
    " PRIMARY KEY(device, channel)) WITHOUT ROWID;"
    "CREATE TABLE record(device TEXT, channel TEXT, begin_ms INT,"
    " length_ms INT, bytes INT, flags INT,"
    " PRIMARY KEY(device, channel, begin_ms)) WITHOUT ROWID;",
    "CREATE TABLE account(name TEXT PRIMARY KEY, role TEXT, secret TEXT,"
    " scope TEXT, made_ms INT) WITHOUT ROWID;",
    "CREATE TABLE audit(id INTEGER PRIMARY KEY, who TEXT, role TEXT,"
    " peer TEXT, method TEXT, path TEXT, status INT, at_ms INT);",
    "CREATE TABLE rule(name TEXT PRIMARY KEY, lines TEXT) WITHOUT ROWID;",
};
#define STORE_SCHEMA_VERSION (sizeof(migrations) / sizeof(*migrations))

enum { PUT_DEVICE, REMOVE_DEVICE, REMOVE_CHANNELS, PUT_CHANNEL, REMOVE_CHANNEL,
       PUT_DIALOG, REMOVE_DIALOG, PUT_SETTINGS, REMOVE_SETTINGS, PUT_GROUP,
       REMOVE_GROUP, PUT_DETAIL, REMOVE_DETAIL, REMOVE_DETAILS, ADD_ALARM,
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
#define LAST_OF(table)                                                         \
    "max(ifnull((SELECT max(id) FROM " table "), 0),"                          \
    " ifnull((SELECT id FROM last_id WHERE what='" table "'), 0))"

static const char *const sql[N_STATEMENTS] = {
    [PUT_DEVICE] = "REPLACE INTO device VALUES"
                   "(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,"
                   "?16,?17)",
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
                  "(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11)",
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
    unsigned n_added; /* rows of history since the last trimming */
    int64_t trimmed_ms; /* wall clock of that; 0: not yet */
    bool full_sync;   /* as sync_for left it */
    bool damaged;     /* seen by a question or a commit; not yet replaced */
    unsigned replaced;
};

/* ---- writing ---------------------------------------------------------------------- */

static void bind_slice(sqlite3_stmt *st, int i, struct slice s)
{
    sqlite3_bind_text(st, i, s.n ? s.p : "", (int)s.n, SQLITE_STATIC);
}

static void bind_text(sqlite3_stmt *st, int i, const struct store_job *j,
                      size_t which)
{
    bind_slice(st, i, store_text(j, which));
}

/* transport, listener, local, remote from column i on; texts live in buf. */
static void bind_peer(sqlite3_stmt *st, int i, const struct sip_peer *p,
                      char buf[2][GB_ADDR_TEXT_MAX])
{
    sqlite3_bind_int(st, i, p->transport);
    sqlite3_bind_int(st, i + 1, p->listener);
    bind_slice(st, i + 2, slice_str(gb_addr_text(&p->local, buf[0])));
    bind_slice(st, i + 3, slice_str(gb_addr_text(&p->remote, buf[1])));
}

static void bind_device(sqlite3_stmt *st, const struct store_job *j,
                        char buf[2][GB_ADDR_TEXT_MAX])
{
    for (int i = 0; i < 8; i++)
        bind_text(st, i + 1, j, (size_t)i);
    bind_peer(st, 9, j->peer, buf);
    for (int i = 0; i < 3; i++)
        sqlite3_bind_int64(st, 13 + i, j->number[i]);
    bind_text(st, 16, j, STORE_HISTORY);
    bind_text(st, 17, j, STORE_PROFILE);
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

static bool put_device(struct store *s, const struct store_job *j)
{
    char buf[2][GB_ADDR_TEXT_MAX];

    bind_device(s->stmt[PUT_DEVICE], j, buf);
    return step(s->stmt[PUT_DEVICE]);
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
    case STORE_PUT_DEVICE:
        return put_device(s, j);
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
        break;
    }
    return apply_plain(s, j);
}

static int64_t system_ms(void)
{
    return (int64_t)time(NULL) * 1000;
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
    now_ms = keep.utc_ms ? keep.utc_ms() : system_ms();
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

/* ---- loading ----------------------------------------------------------------------- */

static struct slice column(sqlite3_stmt *st, int i)
{
    const unsigned char *p = sqlite3_column_text(st, i);

    return slice_of((const char *)p, (size_t)sqlite3_column_bytes(st, i));
}

static struct sip_peer column_peer(sqlite3_stmt *st, int i)
{
    struct sip_peer p = { .transport = (uint8_t)sqlite3_column_int(st, i),
                          .listener = (uint16_t)sqlite3_column_int(st, i + 1) };

    gb_addr_parse(&p.local, column(st, i + 2), 0);
    gb_addr_parse(&p.remote, column(st, i + 3), 0);
    return p;
}

static void load_device(sqlite3_stmt *st, const struct store_loader *l)
{
    struct platform_saved_device d = {
        .id = column(st, 0), .name = column(st, 1),
        .manufacturer = column(st, 2), .model = column(st, 3),
        .firmware = column(st, 4), .user_agent = column(st, 5),
        .edition = column(st, 6), .charset = column(st, 7),
        .peer = column_peer(st, 8),
        .registered_utc_ms = sqlite3_column_int64(st, 12),
        .expires_utc_ms = sqlite3_column_int64(st, 13),
        .keepalive_utc_ms = sqlite3_column_int64(st, 14),
        .history = column(st, 15), .profile = column(st, 16),
    };

    l->on_device(l->ctx, &d);
}

static void load_channel(sqlite3_stmt *st, const struct store_loader *l)
{
    struct platform_channel c = {
        .device = column(st, 0), .id = column(st, 1), .name = column(st, 2),
        .manufacturer = column(st, 3), .model = column(st, 4),
        .owner = column(st, 5), .civil_code = column(st, 6),
        .address = column(st, 7), .parent = column(st, 8),
        .status = column(st, 9), .ptz_type = column(st, 10),
        .on = sqlite3_column_int(st, 11) != 0,
        .has_position = sqlite3_column_type(st, 12) != SQLITE_NULL,
        .longitude = sqlite3_column_double(st, 12),
        .latitude = sqlite3_column_double(st, 13),
        .delivered_utc_ms = sqlite3_column_int64(st, 14),
        .business_group = column(st, 15),
    };

    l->on_channel(l->ctx, &c);
}

static void load_dialog(sqlite3_stmt *st, const struct store_loader *l)
{
    struct sip_dialog_state d = {
        .call_id = column(st, 1), .local_uri = column(st, 2),
        .remote_uri = column(st, 3), .local_tag = column(st, 4),
        .remote_tag = column(st, 5), .target = column(st, 6),
        .local_cseq = (uint32_t)sqlite3_column_int64(st, 7),
    };
    struct sip_peer peer = column_peer(st, 8);

    l->on_dialog(l->ctx, store_key_of((const char *)sqlite3_column_text(st, 0)),
                 &d, &peer);
}

static void load_group(sqlite3_stmt *st, const struct store_loader *l)
{
    struct platform_policy y;

    platform_policy_read(&y, column(st, 2));
    l->on_group(l->ctx, column(st, 0), column(st, 1), &y);
}

static void load_hook(sqlite3_stmt *st, const struct store_loader *l)
{
    const struct store_hook h = {
        .name = column(st, 0), .url = column(st, 1), .sealed = column(st, 2),
        .kinds = (unsigned)sqlite3_column_int64(st, 3),
        .off = sqlite3_column_int(st, 4) != 0,
    };

    if (l->on_hook)
        l->on_hook(l->ctx, &h);
}

static void load_account(sqlite3_stmt *st, const struct store_loader *l)
{
    const struct store_account v = {
        .name = column(st, 0), .role = column(st, 1), .secret = column(st, 2),
        .scope = column(st, 3), .made_utc_ms = sqlite3_column_int64(st, 4),
    };

    if (l->on_account)
        l->on_account(l->ctx, &v);
}

static void load_rule(sqlite3_stmt *st, const struct store_loader *l)
{
    const struct store_rule v = { .name = column(st, 0),
                                  .lines = column(st, 1) };

    if (l->on_rule)
        l->on_rule(l->ctx, &v);
}

static void load_push(sqlite3_stmt *st, const struct store_loader *l)
{
    const struct store_push p = {
        .name = column(st, 0), .urls = column(st, 1), .sealed = column(st, 2),
        .stream = (unsigned)sqlite3_column_int(st, 3),
    };

    if (l->on_push)
        l->on_push(l->ctx, &p);
}

static void load_recorder(sqlite3_stmt *st, const struct store_loader *l)
{
    int64_t number[STORE_RECORDER_NUMBERS];
    struct recorders_settings set;

    for (int i = 0; i < STORE_RECORDER_NUMBERS; i++)
        number[i] = sqlite3_column_int64(st, STORE_RECORDER_TEXTS + i);
    store_recorder_of(&set, column(st, 2), column(st, 3), number);
    if (l->on_recorder)
        l->on_recorder(l->ctx, column(st, 0), column(st, 1), &set);
}

static void load_record(sqlite3_stmt *st, const struct store_loader *l)
{
    const struct archive_segment s = {
        .begin_utc_ms = sqlite3_column_int64(st, 2),
        .length_ms = (uint32_t)sqlite3_column_int64(st, 3),
        .bytes = (uint64_t)sqlite3_column_int64(st, 4),
        .flags = (uint32_t)sqlite3_column_int64(st, 5),
    };

    if (l->on_record)
        l->on_record(l->ctx, column(st, 0), column(st, 1), &s);
}

static void load_upgrade(sqlite3_stmt *st, const struct store_loader *l)
{
    const struct platform_upgrade u = {
        .session = column(st, 0), .device = column(st, 1),
        .target = column(st, 2), .file = column(st, 3),
        .version = column(st, 4), .runs = column(st, 5),
        .state = platform_upgrade_state_by_name(column(st, 6)),
        .evidence = column(st, 7),
        .asked_utc_ms = sqlite3_column_int64(st, 8),
        .fetched_utc_ms = sqlite3_column_int64(st, 9),
        .ended_utc_ms = sqlite3_column_int64(st, 10),
        .fetched_bytes = (uint64_t)sqlite3_column_int64(st, 11),
        .fetches = (unsigned)sqlite3_column_int(st, 12),
    };

    if (l->on_upgrade)
        l->on_upgrade(l->ctx, &u);
}

static void load_download(sqlite3_stmt *st, const struct store_loader *l)
{
    struct slice text[STORE_DOWNLOAD_TEXTS];
    int64_t number[STORE_DOWNLOAD_NUMBERS];
    struct platform_download d;

    for (int i = 0; i < STORE_DOWNLOAD_TEXTS; i++)
        text[i] = column(st, i);
    for (int i = 0; i < STORE_DOWNLOAD_NUMBERS; i++)
        number[i] = sqlite3_column_int64(st, STORE_DOWNLOAD_TEXTS + i);
    store_download_of(&d, text, number);
    if (l->on_download)
        l->on_download(l->ctx, &d);
}

static void load_settings(sqlite3_stmt *st, const struct store_loader *l)
{
    struct platform_settings s = {
        .set = ~0u,
        .password = column(st, 1), .group = column(st, 2),
        .name = column(st, 3),
        .date = (uint8_t)sqlite3_column_int(st, 4),
        .edition = (uint8_t)sqlite3_column_int(st, 5),
        .digest = (uint16_t)sqlite3_column_int(st, 6),
        .ignore_require = sqlite3_column_int(st, 7) != 0,
        .media = (enum platform_transport)sqlite3_column_int(st, 8),
        .arm = sqlite3_column_int(st, 9) != 0,
        .subscribe_kinds = (1u << PLATFORM_SUBSCRIPTION_KINDS) - 1,
    };

    platform_policy_read(&s.subscribe, column(st, 10));

    l->on_settings(l->ctx, column(st, 0), &s);
}

static int load_rows(struct store *s, const char *query,
                     void (*row)(sqlite3_stmt *, const struct store_loader *),
                     const struct store_loader *l)
{
    sqlite3_stmt *st;
    int rc = sqlite3_prepare_v2(s->db, query, -1, &st, NULL);

    if (rc != SQLITE_OK)
        return rc;
    while ((rc = sqlite3_step(st)) == SQLITE_ROW)
        row(st, l);
    sqlite3_finalize(st);
    return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

static void load_ids(sqlite3_stmt *st, const struct store_loader *l)
{
    if (l->on_ids)
        l->on_ids(l->ctx, (uint64_t)sqlite3_column_int64(st, 0),
                  (uint64_t)sqlite3_column_int64(st, 1));
}

/* ---- questions ----------------------------------------------------------------------- */

/* ?1 device, ?2 channel, ?3 from, ?4 to, ?5 before, ?6 limit + 1, ?7 method,
 * ?8 type, ?9 priority, ?10 cmd, ?11 state. A filter that is not asked for is not
 * in the statement: the planner finds the index of those that are. */
static const char *const filters[] = {
    " AND device=?1", " AND channel=?2",  " AND method=?7",
    " AND type=?8",   " AND priority=?9", " AND (cmd=?10 OR sub=?10)",
    " AND state=?11", " AND who=?1", " AND peer=?2",
    " AND substr(path,1,length(?8))=?8",
};
#define N_FILTERS (sizeof(filters) / sizeof(*filters))
#define SQL_MAX 1024

#define COMMAND_ROW                                                            \
    "SELECT id,device,target,cmd,sub,state,evidence,asked_ms,sent_ms,"         \
    "arrived_ms,answered_ms,tries,sip_status,flags,sn,messages,have,total"

static const struct {
    const char *rows;  /* the whole statement where there is no table */
    const char *table, *when; /* of a list that is paged; its column of time */
} questions[STORE_LISTS] = {
    [STORE_LIST_ALARMS] = {
        "SELECT id,device,channel,priority,method,type,time,description,"
        "longitude,latitude,received_ms", "alarm", "received_ms" },
    [STORE_LIST_POSITIONS] = {
        "SELECT id,device,channel,time,longitude,latitude,speed,direction,"
        "altitude,received_ms", "position", "received_ms" },
    [STORE_LIST_DETAIL] = {
        "SELECT detail FROM channel_detail WHERE device=?1 AND id=?2",
        NULL, NULL },
    [STORE_LIST_COMMANDS] = { COMMAND_ROW, "command", "asked_ms" },
    [STORE_LIST_COMMAND] = { COMMAND_ROW ",answer FROM command WHERE id=?5",
                             NULL, NULL },
    [STORE_LIST_AUDIT] = { "SELECT id,who,role,peer,method,path,status,at_ms",
                           "audit", "at_ms" },
};

/* FROM and WHERE; the total has neither page nor order. */
static void put_where(struct writer *w, const struct store_ask *q, bool page)
{
    bool alarms = q->list == STORE_LIST_ALARMS;
    bool commands = q->list == STORE_LIST_COMMANDS;
    bool audit = q->list == STORE_LIST_AUDIT;
    const bool asked[N_FILTERS] = {
        q->device.n && !audit,
        q->channel.n && !commands && !audit,
        q->method.n && (alarms || audit),
        q->type.n && alarms,
        q->priority.n && alarms,
        q->cmd.n && commands,
        q->state.n && commands,
        q->device.n && audit,
        q->channel.n && audit,
        q->type.n && audit,
    };

    writer_f(w, " FROM %s WHERE %s", questions[q->list].table,
             page ? "id<?5" : "1");
    for (size_t i = 0; i < N_FILTERS; i++)
        if (asked[i])
            writer_str(w, filters[i]);
    if (q->from_utc_ms || q->to_utc_ms)
        writer_f(w, " AND %s>=?3 AND %s<?4", questions[q->list].when,
                 questions[q->list].when);
}

static int prepare(struct store *s, const struct writer *w, sqlite3_stmt **st)
{
    if (w->err)
        return SQLITE_NOMEM;
    return sqlite3_prepare_v2(s->db, w->p, (int)w->len, st, NULL);
}

/* A parameter that the statement does not have is not bound. */
static void bind_question(sqlite3_stmt *st, const struct store_ask *q)
{
    const struct slice text[] = { q->method, q->type, q->priority, q->cmd,
                                  q->state };

    bind_slice(st, 1, q->device);
    bind_slice(st, 2, q->channel);
    sqlite3_bind_int64(st, 3, q->from_utc_ms);
    sqlite3_bind_int64(st, 4, q->to_utc_ms ? q->to_utc_ms : INT64_MAX);
    sqlite3_bind_int64(st, 5, q->before && q->before < INT64_MAX
                                  ? (int64_t)q->before
                                  : INT64_MAX);
    sqlite3_bind_int64(st, 6, (int64_t)q->limit + 1);
    for (int i = 0; i < 5; i++)
        bind_slice(st, 7 + i, text[i]);
}

static void take_row(sqlite3_stmt *st, struct store_rows *r)
{
    r->columns = (size_t)sqlite3_column_count(st);
    for (int i = 0; i < sqlite3_column_count(st); i++) {
        const void *p = sqlite3_column_text(st, i);

        store_rows_put(r, p, (size_t)sqlite3_column_bytes(st, i));
    }
    r->n++;
}

static int read_rows(struct store *s, const struct store_ask *q,
                     struct store_rows *r)
{
    char text[SQL_MAX];
    struct writer w = writer_of(text, sizeof(text));
    sqlite3_stmt *st;
    int rc;

    writer_str(&w, questions[q->list].rows);
    if (questions[q->list].table) {
        put_where(&w, q, true);
        writer_str(&w, " ORDER BY id DESC LIMIT ?6");
    }
    rc = prepare(s, &w, &st);
    if (rc != SQLITE_OK)
        return rc;
    bind_question(st, q);
    while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
        r->more = r->n == q->limit;
        if (r->more)
            break;
        take_row(st, r);
    }
    sqlite3_finalize(st);
    return rc == SQLITE_ROW ? SQLITE_DONE : rc;
}

static int read_total(struct store *s, const struct store_ask *q,
                      struct store_rows *r)
{
    char text[SQL_MAX];
    struct writer w = writer_of(text, sizeof(text));
    sqlite3_stmt *st;
    int rc;

    r->total = r->n;
    if (!questions[q->list].table)
        return SQLITE_DONE;
    writer_str(&w, "SELECT count(*)");
    put_where(&w, q, false);
    rc = prepare(s, &w, &st);
    if (rc != SQLITE_OK)
        return rc;
    bind_question(st, q);
    rc = sqlite3_step(st);
    r->total = (uint64_t)sqlite3_column_int64(st, 0);
    sqlite3_finalize(st);
    return rc == SQLITE_ROW ? SQLITE_DONE : rc;
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
    int rc = read_rows(s, q, r);

    if (rc == SQLITE_DONE)
        rc = read_total(s, q, r);
    if (rc != SQLITE_DONE && !r->err)
        r->err = GB_EIO;
    s->damaged |= is_damage(rc);
}

/* ---- migrations ---------------------------------------------------------------------- */

static int read_version(sqlite3 *db, unsigned *version)
{
    sqlite3_stmt *st;
    int rc = sqlite3_prepare_v2(db, "PRAGMA user_version", -1, &st, NULL);

    if (rc != SQLITE_OK)
        return rc;
    rc = sqlite3_step(st);
    *version = (unsigned)sqlite3_column_int(st, 0);
    sqlite3_finalize(st);
    return rc == SQLITE_ROW ? SQLITE_OK : rc;
}

/* One step, whole or not at all. */
static int migrate_one(sqlite3 *db, unsigned version)
{
    char mark[48];
    int rc = sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL);

    snprintf(mark, sizeof(mark), "PRAGMA user_version=%u", version + 1);
    if (rc == SQLITE_OK)
        rc = sqlite3_exec(db, migrations[version], NULL, NULL, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_exec(db, mark, NULL, NULL, NULL);
    if (rc == SQLITE_OK)
        return sqlite3_exec(db, "COMMIT", NULL, NULL, NULL);
    sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    return rc;
}

/* SQLITE_MISMATCH: the file is of a later version of this program. */
static int migrate(sqlite3 *db)
{
    unsigned version = 0;
    int rc = read_version(db, &version);

    if (rc == SQLITE_OK && version > STORE_SCHEMA_VERSION)
        return SQLITE_MISMATCH;
    for (; rc == SQLITE_OK && version < STORE_SCHEMA_VERSION; version++)
        rc = migrate_one(db, version);
    return rc;
}

/* ---- opening ------------------------------------------------------------------------ */

static int open_db(struct store *s, const char *path)
{
    int rc = sqlite3_open_v2(path, &s->db, SQLITE_OPEN_READWRITE |
                             SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL);

    if (rc == SQLITE_OK)
        rc = sqlite3_exec(s->db,
                          "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;"
                          "PRAGMA busy_timeout=5000; PRAGMA cache_size=-1024;",
                          NULL, NULL, NULL);
    if (rc == SQLITE_OK)
        rc = migrate(s->db);
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
                     slice_eq(column(st, 0), SLICE("ok"))
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
    for (n = jobs->next; ok && n != jobs; n = n->next)
        ok = apply(s, container_of(n, struct store_job, node));
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
    if (!err && (load_rows(s, "SELECT * FROM device_group", load_group, l) ||
                 load_rows(s, "SELECT * FROM device", load_device, l) ||
                 load_rows(s, "SELECT * FROM device_settings", load_settings,
                           l) ||
                 load_rows(s, "SELECT * FROM channel", load_channel, l) ||
                 load_rows(s, "SELECT * FROM dialog", load_dialog, l) ||
                 load_rows(s, "SELECT * FROM hook", load_hook, l) ||
                 load_rows(s, "SELECT * FROM account", load_account, l) ||
                 load_rows(s, "SELECT * FROM push", load_push, l) ||
                 load_rows(s, "SELECT * FROM rule", load_rule, l) ||
                 load_rows(s, "SELECT * FROM upgrade ORDER BY asked_ms",
                           load_upgrade, l) ||
                 load_rows(s, "SELECT * FROM download ORDER BY created_ms",
                           load_download, l) ||
                 load_rows(s, "SELECT * FROM record_settings", load_recorder,
                           l) ||
                 load_rows(s, "SELECT * FROM record ORDER BY device, channel,"
                              " begin_ms", load_record, l) ||
                 load_rows(s, "SELECT " LAST_OF("alarm") ","
                              LAST_OF("command"), load_ids, l))) {
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
