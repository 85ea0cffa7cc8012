/* The tables of the store, and the way from one version of the file to the next. */
#include "app/store/sql.h"

#include <stdio.h>

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
    "ALTER TABLE alarm ADD COLUMN acknowledged_ms INT;"
    "ALTER TABLE alarm ADD COLUMN acknowledged_by TEXT;",
    "ALTER TABLE alarm ADD COLUMN event TEXT;",
};
#define STORE_SCHEMA_VERSION (sizeof(migrations) / sizeof(*migrations))

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

int sql_migrate(sqlite3 *db)
{
    unsigned version = 0;
    int rc = read_version(db, &version);

    if (rc == SQLITE_OK && version > STORE_SCHEMA_VERSION)
        return SQLITE_MISMATCH;
    for (; rc == SQLITE_OK && version < STORE_SCHEMA_VERSION; version++)
        rc = migrate_one(db, version);
    return rc;
}
