/* What the store knows, handed on at the start. */
#include "app/store/sql.h"

#define LAST_OF(table)                                                         \
    "max(ifnull((SELECT max(id) FROM " table "), 0),"                          \
    " ifnull((SELECT id FROM last_id WHERE what='" table "'), 0))"

static struct sip_peer column_peer(sqlite3_stmt *st, int i)
{
    struct sip_peer p = { .transport = (uint8_t)sqlite3_column_int(st, i),
                          .listener = (uint16_t)sqlite3_column_int(st, i + 1) };

    gb_addr_parse(&p.local, sql_column(st, i + 2), 0);
    gb_addr_parse(&p.remote, sql_column(st, i + 3), 0);
    return p;
}

static void load_device(sqlite3_stmt *st, const struct store_loader *l)
{
    struct platform_saved_device d = {
        .id = sql_column(st, 0), .name = sql_column(st, 1),
        .manufacturer = sql_column(st, 2), .model = sql_column(st, 3),
        .firmware = sql_column(st, 4), .user_agent = sql_column(st, 5),
        .edition = sql_column(st, 6), .charset = sql_column(st, 7),
        .peer = column_peer(st, 8),
        .registered_utc_ms = sqlite3_column_int64(st, 12),
        .expires_utc_ms = sqlite3_column_int64(st, 13),
        .keepalive_utc_ms = sqlite3_column_int64(st, 14),
        .history = sql_column(st, 15), .profile = sql_column(st, 16),
    };

    l->on_device(l->ctx, &d);
}

static void load_channel(sqlite3_stmt *st, const struct store_loader *l)
{
    struct platform_channel c = {
        .device = sql_column(st, 0), .id = sql_column(st, 1), .name = sql_column(st, 2),
        .manufacturer = sql_column(st, 3), .model = sql_column(st, 4),
        .owner = sql_column(st, 5), .civil_code = sql_column(st, 6),
        .address = sql_column(st, 7), .parent = sql_column(st, 8),
        .status = sql_column(st, 9), .ptz_type = sql_column(st, 10),
        .on = sqlite3_column_int(st, 11) != 0,
        .has_position = sqlite3_column_type(st, 12) != SQLITE_NULL,
        .longitude = sqlite3_column_double(st, 12),
        .latitude = sqlite3_column_double(st, 13),
        .delivered_utc_ms = sqlite3_column_int64(st, 14),
        .business_group = sql_column(st, 15),
    };

    l->on_channel(l->ctx, &c);
}

static void load_dialog(sqlite3_stmt *st, const struct store_loader *l)
{
    struct sip_dialog_state d = {
        .call_id = sql_column(st, 1), .local_uri = sql_column(st, 2),
        .remote_uri = sql_column(st, 3), .local_tag = sql_column(st, 4),
        .remote_tag = sql_column(st, 5), .target = sql_column(st, 6),
        .local_cseq = (uint32_t)sqlite3_column_int64(st, 7),
    };
    struct sip_peer peer = column_peer(st, 8);

    l->on_dialog(l->ctx, store_key_of((const char *)sqlite3_column_text(st, 0)),
                 &d, &peer);
}

static void load_group(sqlite3_stmt *st, const struct store_loader *l)
{
    struct platform_policy y;

    platform_policy_read(&y, sql_column(st, 2));
    l->on_group(l->ctx, sql_column(st, 0), sql_column(st, 1), &y);
}

static void load_hook(sqlite3_stmt *st, const struct store_loader *l)
{
    const struct store_hook h = {
        .name = sql_column(st, 0), .url = sql_column(st, 1), .sealed = sql_column(st, 2),
        .kinds = (unsigned)sqlite3_column_int64(st, 3),
        .off = sqlite3_column_int(st, 4) != 0,
    };

    if (l->on_hook)
        l->on_hook(l->ctx, &h);
}

static void load_account(sqlite3_stmt *st, const struct store_loader *l)
{
    const struct store_account v = {
        .name = sql_column(st, 0), .role = sql_column(st, 1), .secret = sql_column(st, 2),
        .scope = sql_column(st, 3), .made_utc_ms = sqlite3_column_int64(st, 4),
    };

    if (l->on_account)
        l->on_account(l->ctx, &v);
}

static void load_rule(sqlite3_stmt *st, const struct store_loader *l)
{
    const struct store_rule v = { .name = sql_column(st, 0),
                                  .lines = sql_column(st, 1) };

    if (l->on_rule)
        l->on_rule(l->ctx, &v);
}

static void load_push(sqlite3_stmt *st, const struct store_loader *l)
{
    const struct store_push p = {
        .name = sql_column(st, 0), .urls = sql_column(st, 1), .sealed = sql_column(st, 2),
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
    store_recorder_of(&set, sql_column(st, 2), sql_column(st, 3), number);
    if (l->on_recorder)
        l->on_recorder(l->ctx, sql_column(st, 0), sql_column(st, 1), &set);
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
        l->on_record(l->ctx, sql_column(st, 0), sql_column(st, 1), &s);
}

static void load_upgrade(sqlite3_stmt *st, const struct store_loader *l)
{
    const struct platform_upgrade u = {
        .session = sql_column(st, 0), .device = sql_column(st, 1),
        .target = sql_column(st, 2), .file = sql_column(st, 3),
        .version = sql_column(st, 4), .runs = sql_column(st, 5),
        .state = platform_upgrade_state_by_name(sql_column(st, 6)),
        .evidence = sql_column(st, 7),
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
        text[i] = sql_column(st, i);
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
        .password = sql_column(st, 1), .group = sql_column(st, 2),
        .name = sql_column(st, 3),
        .date = (uint8_t)sqlite3_column_int(st, 4),
        .edition = (uint8_t)sqlite3_column_int(st, 5),
        .digest = (uint16_t)sqlite3_column_int(st, 6),
        .ignore_require = sqlite3_column_int(st, 7) != 0,
        .media = (enum platform_transport)sqlite3_column_int(st, 8),
        .arm = sqlite3_column_int(st, 9) != 0,
        .subscribe_kinds = (1u << PLATFORM_SUBSCRIPTION_KINDS) - 1,
    };

    platform_policy_read(&s.subscribe, sql_column(st, 10));

    l->on_settings(l->ctx, sql_column(st, 0), &s);
}

static int load_rows(sqlite3 *db, const char *query,
                     void (*row)(sqlite3_stmt *, const struct store_loader *),
                     const struct store_loader *l)
{
    sqlite3_stmt *st;
    int rc = sqlite3_prepare_v2(db, query, -1, &st, NULL);

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

int sql_load(sqlite3 *db, const struct store_loader *l)
{
    static const struct {
        const char *query;
        void (*row)(sqlite3_stmt *, const struct store_loader *);
    } tables[] = {
        { "SELECT * FROM device_group", load_group },
        { "SELECT * FROM device", load_device },
        { "SELECT * FROM device_settings", load_settings },
        { "SELECT * FROM channel", load_channel },
        { "SELECT * FROM dialog", load_dialog },
        { "SELECT * FROM hook", load_hook },
        { "SELECT * FROM account", load_account },
        { "SELECT * FROM push", load_push },
        { "SELECT * FROM rule", load_rule },
        { "SELECT * FROM upgrade ORDER BY asked_ms", load_upgrade },
        { "SELECT * FROM download ORDER BY created_ms", load_download },
        { "SELECT * FROM record_settings", load_recorder },
        { "SELECT * FROM record ORDER BY device, channel, begin_ms",
          load_record },
        { "SELECT " LAST_OF("alarm") "," LAST_OF("command"), load_ids },
    };
    int rc = SQLITE_OK;

    for (size_t i = 0; rc == SQLITE_OK && i < sizeof(tables) / sizeof(*tables);
         i++)
        rc = load_rows(db, tables[i].query, tables[i].row, l);
    return rc;
}
