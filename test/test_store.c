/* app/store: what is put comes back after closing and opening, and a damaged
 * file does not stop the start */
#include "test/store_world.h"

#include <sys/stat.h>

#if GB_SQLITE
#include <sqlite3.h>
#endif

static struct sip_peer a_peer(void)
{
    struct sip_peer p = { .transport = SIP_TCP, .listener = 1 };

    gb_addr_parse(&p.local, SLICE("192.0.2.1:5060"), 0);
    gb_addr_parse(&p.remote, SLICE("[2001:db8::7]:34567"), 0);
    return p;
}

static void put_some(struct store *s)
{
    struct platform_device d = {
        .id = SLICE("34020000001180000001"), .name = SLICE("门口 O'Brien"),
        .peer = a_peer(), .expires_utc_ms = 1700000000123,
        .history = SLICE("it's;+1,0;"), .profile = SLICE("nat=yes;"),
    };
    struct platform_channel c = {
        .device = d.id, .id = SLICE("34020000001310000001"),
        .name = SLICE("通道\"1\""), .has_position = true, .longitude = 116.5,
        .latitude = 39.9, .on = true,
        .business_group = SLICE("34020000002150000001"),
    };
    struct sip_dialog_state dlg = {
        .call_id = SLICE("abc@192.0.2.1"), .local_uri = SLICE("sip:a@b"),
        .local_cseq = 7,
    };
    struct sip_peer peer = a_peer();

    store_put_device(s, &d);
    store_put_channel(s, &c);
    c.id = SLICE("34020000001310000002");
    store_put_channel(s, &c);
    store_put_dialog(s, UINT64_MAX - 1, &dlg, &peer);
    store_put_dialog(s, 2, &dlg, &peer);
    store_remove_dialog(s, 2);
    store_remove_channel(s, d.id, c.id);
}

#if GB_SQLITE
/* Sealed passwords lie in it, and in its journal: nobody else may read them. */
static void its_files_are_private(void **state)
{
    static const char *const names[] = { "gb28181d.db", "gb28181d.db-wal" };
    char *dir = temp_dir(), path[512];
    mode_t was = umask(022);
    struct seen seen;
    struct store *s = open_store(dir, &seen, NULL);
    struct stat st;

    (void)state;
    for (size_t i = 0; i < COUNT(names); i++) {
        snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(st.st_mode & 0777, 0600);
    }
    store_close(s);
    umask(was);
    remove_dir(dir);
}
#endif

/* A new device, which has told nothing but where it is. */
static void told_nothing(void **state)
{
    char *dir = temp_dir();
    struct platform_device d = {
        .id = SLICE("34020000001180000001"), .peer = a_peer(),
        .expires_utc_ms = 1700000000123,
    };
    struct seen seen;
    struct store *s = open_store(dir, &seen, NULL);

    (void)state;
    d.name = SLICE("told, and taken back");
    store_put_device(s, &d);
    store_flush(s);
    d.name = SLICE("");
    store_put_device(s, &d);
    store_close(s);

    s = open_store(dir, &seen, NULL);
    assert_int_equal(seen.devices, 1);
    assert_string_equal(seen.name, "");
    assert_string_equal(seen.history, "");
    assert_string_equal(seen.profile, "");
    assert_true(gb_addr_eq(&seen.peer.remote, &d.peer.remote));
    assert_true(seen.expires == 1700000000123);
    store_close(s);
    remove_dir(dir);
}

static void put_device(struct store *s, unsigned i)
{
    char id[24], name[24];
    struct platform_device d = { .peer = a_peer(), .user_agent = SLICE("cam"),
                                 .registered_utc_ms = 1000 + i };

    snprintf(id, sizeof(id), "34020000001320%06u", i);
    snprintf(name, sizeof(name), "device %u", i);
    d.id = slice_str(id);
    d.name = i % 3 ? slice_str(name) : slice_of(NULL, 0);
    store_put_device(s, &d);
}

static void look(void *ctx, const struct platform_saved_device *d)
{
    char name[24];
    unsigned *n = ctx;
    uint32_t i = 0;

    assert_true(slice_u32(slice_from(d->id, 14), 99, &i));
    assert_int_not_equal(i, 17); /* removed; 50 was put again */
    *name = '\0';
    if (i % 3)
        snprintf(name, sizeof(name), "device %u", i);
    assert_true(slice_eq(d->name, slice_str(name)));
    assert_true(slice_eq(d->user_agent, SLICE("cam")));
    assert_int_equal(d->registered_utc_ms, 1000 + i);
    ++*n;
}

/* Devices in one commit, with other rows between them: what comes first is
 * written first. */
static void many_devices(void **state)
{
    char *dir = temp_dir();
    struct seen seen;
    struct store *s = open_store(dir, &seen, NULL);
    struct store_loader l;
    unsigned n = 0;

    (void)state;
    for (unsigned i = 0; i < 100; i++)
        put_device(s, i);
    store_flush(s);
    for (unsigned i = 0; i < 20; i++)
        put_device(s, i);
    store_remove_device(s, SLICE("34020000001320000017"));
    store_remove_device(s, SLICE("34020000001320000050"));
    for (unsigned i = 99; i >= 40; i--)
        put_device(s, i);
    store_close(s);

    s = open_store(dir, &seen, NULL);
    assert_int_equal(seen.devices, 99);
    store_close(s);
    l = (struct store_loader){ .on_device = look, .on_channel = on_channel,
                               .on_group = on_group, .on_dialog = on_dialog,
                               .on_settings = on_settings, .ctx = &n };
    s = NULL;
    assert_int_equal(store_open(&s, dir, &l, (char[256]){ 0 }, NULL), 0);
    assert_int_equal(n, 99);
    store_close(s);
    remove_dir(dir);
}

static void comes_back(void **state)
{
    char *dir = temp_dir();
    struct seen seen;
    struct sip_peer want = a_peer();
    struct store *s = open_store(dir, &seen, NULL);

    (void)state;
    assert_int_equal(seen.devices + seen.channels + seen.dialogs, 0);
    put_some(s);
    store_close(s);

    s = open_store(dir, &seen, NULL);
    assert_int_equal(seen.devices, 1);
    assert_int_equal(seen.channels, 1);
    assert_int_equal(seen.dialogs, 1);
    assert_string_equal(seen.name, "门口 O'Brien");
    assert_string_equal(seen.channel_name, "通道\"1\"");
    assert_string_equal(seen.history, "it's;+1,0;");
    assert_string_equal(seen.profile, "nat=yes;");
    assert_string_equal(seen.business, "34020000002150000001");
    assert_string_equal(seen.call_id, "abc@192.0.2.1");
    assert_true(gb_addr_eq(&seen.peer.remote, &want.remote));
    assert_true(gb_addr_eq(&seen.dialog_peer.local, &want.local));
    assert_int_equal(seen.peer.transport, SIP_TCP);
    assert_true(seen.expires == 1700000000123);
    assert_true(seen.on && seen.longitude > 116.4 && seen.longitude < 116.6);
    store_remove_device(s, SLICE("34020000001180000001"));
    store_flush(s);
    store_close(s);

    /* a dialog stays until its BYE is answered, through any number of starts */
    s = open_store(dir, &seen, NULL);
    assert_int_equal(seen.devices + seen.channels, 0);
    assert_int_equal(seen.dialogs, 1);
    assert_true(seen.key == UINT64_MAX - 1);
    store_remove_dialog(s, seen.key);
    store_close(s);

    s = open_store(dir, &seen, NULL);
    assert_int_equal(seen.devices + seen.channels + seen.dialogs, 0);
    store_close(s);
    remove_dir(dir);
}

static void settings_come_back(void **state)
{
    static const struct slice id = S("34020000001180000001");
    const struct platform_settings set = {
        .password = SLICE("5ea1ed"), .group = SLICE("北门"),
        .name = SLICE("Bob's"), .date = 3, .edition = 4,
        .digest = 0x2a, .ignore_require = true, .media = PLATFORM_TCP_ACTIVE,
        .arm = true, .subscribe = { { 600, PLATFORM_SUBSCRIBE_NEVER, 0, 0 } },
    };
    const struct platform_policy policy = {
        { 0, 0, 86400, PLATFORM_SUBSCRIBE_NEVER }
    };
    char *dir = temp_dir();
    struct seen seen;
    struct store *s = open_store(dir, &seen, NULL);

    (void)state;
    put_some(s);
    store_put_group(s, SLICE("北门"), SLICE("c1pher"), &policy);
    store_put_group(s, SLICE("gone"), SLICE(""), &policy);
    store_remove_group(s, SLICE("gone"));
    store_put_settings(s, id, &set);
    store_close(s);

    s = open_store(dir, &seen, NULL);
    assert_int_equal(seen.groups, 1);
    assert_string_equal(seen.group_name, "北门");
    assert_string_equal(seen.group_sealed, "c1pher");
    assert_int_equal(seen.n_settings, 1);
    assert_string_equal(seen.set_device, "34020000001180000001");
    assert_string_equal(seen.set_password, "5ea1ed");
    assert_string_equal(seen.set_group, "北门");
    assert_string_equal(seen.set_name, "Bob's");
    assert_int_equal(seen.settings.set, ~0u);
    assert_int_equal(seen.settings.date, 3);
    assert_int_equal(seen.settings.edition, 4);
    assert_int_equal(seen.settings.digest, 0x2a);
    assert_true(seen.settings.ignore_require);
    assert_true(seen.settings.arm);
    assert_memory_equal(&seen.settings.subscribe, &set.subscribe,
                        sizeof(set.subscribe));
    assert_int_equal(seen.settings.subscribe_kinds, 15);
    assert_memory_equal(&group_policy, &policy, sizeof(policy));
    assert_int_equal(seen.settings.media, PLATFORM_TCP_ACTIVE);
    store_remove_device(s, id); /* and all that was set for it */
    store_close(s);

    s = open_store(dir, &seen, NULL);
    assert_int_equal(seen.n_settings, 0);
    assert_int_equal(seen.groups, 1);
    store_close(s);
    remove_dir(dir);
}

static void downloads(void **state)
{
    const struct platform_download d = {
        .id = 1700000000123, .device = SLICE("d"), .channel = SLICE("c'1"),
        .format = PLATFORM_FILE_PS, .transport = PLATFORM_TCP_ACTIVE,
        .speed = 64, .start_s = 1700000000, .stop_s = 1700001800,
        .state = PLATFORM_DOWNLOAD_RUNNING, .sessions = 3,
        .mark = { 1ull << 41, 1700000000456, INT64_C(1) << 40,
                  0xfedcba9876543210u, 0x8000000000000000u },
        .created_utc_ms = 5, .ended_utc_ms = 6, .evidence = SLICE("it's"),
        .parts = SLICE("1700000000-1700001800,0,1700000000456;"),
    }, gone = { .id = 7, .state = PLATFORM_DOWNLOAD_DONE, .stop_s = 1 };
    char *dir = temp_dir();
    struct seen seen;
    struct store *s = open_store(dir, &seen, NULL);

    (void)state;
    store_put_download(s, &gone);
    store_put_download(s, &d);
    store_remove_download(s, 7);
    store_close(s);
    memset(&download, 0, sizeof(download));
    s = open_store(dir, &seen, NULL);
    store_close(s);
    assert_int_equal(download.n, 1);
    assert_true(download.d.id == d.id);
    assert_string_equal(download.device, "d");
    assert_string_equal(download.channel, "c'1");
    assert_string_equal(download.evidence, "it's");
    assert_string_equal(download.parts, d.parts.p);
    assert_true(download.d.format == d.format && download.d.speed == 64 &&
                download.d.transport == d.transport &&
                download.d.state == d.state && download.d.sessions == 3 &&
                download.d.start_s == d.start_s &&
                download.d.stop_s == d.stop_s &&
                download.d.created_utc_ms == 5 &&
                download.d.ended_utc_ms == 6);
    assert_memory_equal(&download.d.mark, &d.mark, sizeof(d.mark));
    remove_dir(dir);
}

static void pushes(void **state)
{
    const struct store_push p = { SLICE("d/c"), SLICE("rtsp://u@h/'x"),
                                  SLICE("5ea1"), 0 },
                            again = { SLICE("d/c"),
                                      SLICE("rtsp://u@h/'x rtmp://h/a/k"),
                                      SLICE("5ea2,"), 1 },
                            gone = { SLICE("d/e"), SLICE("rtsp://h/x"),
                                     SLICE(""), 0 };
    char *dir = temp_dir();
    struct seen seen;
    struct store *s = open_store(dir, &seen, NULL);

    (void)state;
    store_put_push(s, &p);
    store_put_push(s, &gone);
    store_put_push(s, &again);
    store_remove_push(s, SLICE("d/e"));
    store_close(s);
    memset(&pushed, 0, sizeof(pushed));
    s = open_store(dir, &seen, NULL);
    assert_int_equal(pushed.n, 1);
    assert_int_equal(pushed.stream, 1);
    assert_string_equal(pushed.name, "d/c");
    assert_string_equal(pushed.urls, "rtsp://u@h/'x rtmp://h/a/k");
    assert_string_equal(pushed.sealed, "5ea2,");
    store_close(s);
    remove_dir(dir);
}

static void put_segment(struct store *s, int64_t begin, uint32_t length,
                        uint32_t flags)
{
    const struct archive_segment g = { begin, length, flags, 1ull << 33 };

    store_put_record(s, SLICE("d"), SLICE("c"), &g);
}

/* Without SQLite nothing is kept of them. */
static void recordings(void **state)
{
    struct recorders_settings set = { .mode = RECORDERS_MODE_PLAN,
                                      .stream = 1, .alarm_s = 30,
                                      .before = true, .hand = true };
    char *dir = temp_dir();
    struct seen seen;
    struct store *s = open_store(dir, &seen, NULL);

    (void)state;
    for (unsigned i = 0; i < RECORDERS_PLAN_BYTES; i++)
        set.plan[i] = (uint8_t)(i * 37 + 1);
    store_put_recorder(s, SLICE("d"), SLICE("c"), &set);
    store_put_recorder(s, SLICE("d"), SLICE("e"), &set);
    store_remove_recorder(s, SLICE("d"), SLICE("e"));
    put_segment(s, 10000000000000, 600000, ARCHIVE_SOUND);
    put_segment(s, 9000000000000, 0, ARCHIVE_OPEN);
    put_segment(s, 9500000000000, 5, 0);
    put_segment(s, 10000000000000, 600001, ARCHIVE_SOUND);
    store_flush(s);
    store_remove_record(s, SLICE("d"), SLICE("c"), 9500000000000);
    store_close(s);
    memset(&recorded, 0, sizeof(recorded));
    s = open_store(dir, &seen, NULL);
    assert_int_equal(recorded.n, GB_SQLITE ? 1 : 0);
    assert_int_equal(recorded.segments, GB_SQLITE ? 2 : 0);
    if (GB_SQLITE) {
        assert_memory_equal(&recorded.set, &set, sizeof(set));
        assert_int_equal(recorded.last.length_ms, 600001);
        assert_int_equal(recorded.last.bytes, 1ull << 33);
        assert_int_equal(recorded.last.flags, ARCHIVE_SOUND);
    }
    store_close(s);
    remove_dir(dir);
}

static void accounts(void **state)
{
    const struct store_account ada = {
        .name = SLICE("user/ada"), .role = SLICE("operator"),
        .secret = SLICE("pbkdf2$x"), .scope = SLICE("d1\ngit's\n"),
        .made_utc_ms = 1ll << 41,
    };
    struct store_account token = ada;
    char *dir = temp_dir();
    struct seen seen;
    struct store *s = open_store(dir, &seen, NULL);

    (void)state;
    token.name = SLICE("token/ada");
    store_put_account(s, &token);
    store_put_account(s, &ada);
    store_remove_account(s, token.name);
    store_close(s);
    memset(&account, 0, sizeof(account));
    s = open_store(dir, &seen, NULL);
    assert_int_equal(account.n, 1);
    assert_string_equal(account.name, "user/ada");
    assert_string_equal(account.role, "operator");
    assert_string_equal(account.secret, "pbkdf2$x");
    assert_string_equal(account.scope, "d1\ngit's\n");
    assert_true(account.made == 1ll << 41);
    store_close(s);
    remove_dir(dir);
}

static void rules(void **state)
{
    static const struct store_rule gate = { SLICE_INIT("gate"),
                                            SLICE_INIT("type=1\npreset=3\n") },
                                   gone = { SLICE_INIT("gone"),
                                            SLICE_INIT("off=1\n") };
    struct store_rule again = gate;
    char *dir = temp_dir();
    struct seen seen;
    struct store *s = open_store(dir, &seen, NULL);

    (void)state;
    store_put_rule(s, &gate);
    store_put_rule(s, &gone);
    store_remove_rule(s, gone.name);
    again.lines = SLICE("record_s=9\n");
    store_put_rule(s, &again);
    store_close(s);
    memset(&rule, 0, sizeof(rule));
    s = open_store(dir, &seen, NULL);
    assert_int_equal(rule.n, 1);
    assert_string_equal(rule.name, "gate");
    assert_string_equal(rule.lines, "record_s=9\n");
    store_close(s);
    remove_dir(dir);
}

static void hooks_and_upgrades(void **state)
{
    const struct store_hook hook = { SLICE("a"), SLICE("http://r/?it's"),
                                     SLICE("5ea1"), 9, true },
                            gone = { SLICE("b"), SLICE("http://r/"),
                                     SLICE("5ea1"), 0, false };
    struct platform_upgrade u = {
        .session = SLICE("s1"), .device = SLICE("d"), .runs = SLICE("V'2"),
        .evidence = SLICE("it's"), .state = PLATFORM_UPGRADE_FETCHED,
        .asked_utc_ms = 5, .fetched_utc_ms = 6, .fetched_bytes = 1ull << 40,
        .fetches = 3,
    };
    char *dir = temp_dir(), session[16];
    struct seen seen;
    struct store *s = open_store(dir, &seen, NULL);

    (void)state;
    store_put_hook(s, &hook);
    store_put_hook(s, &gone);
    store_remove_hook(s, SLICE("b"));
    store_put_upgrade(s, &u);
    store_close(s);
    s = open_store(dir, &seen, NULL);
    assert_int_equal(more.hooks, 1);
    assert_string_equal(more.name, "a");
    assert_string_equal(more.url, "http://r/?it's");
    assert_string_equal(more.sealed, "5ea1");
    assert_true(more.hook.kinds == 9 && more.hook.off);
    assert_int_equal(more.upgrades, 1);
    assert_string_equal(more.session, "s1");
    assert_string_equal(more.runs, "V'2");
    assert_string_equal(more.evidence, "it's");
    assert_int_equal(more.upgrade.state, PLATFORM_UPGRADE_FETCHED);
    assert_true(more.upgrade.asked_utc_ms == 5 &&
                more.upgrade.fetched_utc_ms == 6 &&
                more.upgrade.ended_utc_ms == 0 &&
                more.upgrade.fetched_bytes == 1ull << 40 &&
                more.upgrade.fetches == 3);
    for (unsigned i = 0; i < PLATFORM_UPGRADES_MAX + 5; i++) {
        snprintf(session, sizeof(session), "t%u", i);
        u.session = slice_str(session);
        u.asked_utc_ms = 100 + i;
        store_put_upgrade(s, &u);
    }
    store_close(s);
    s = open_store(dir, &seen, NULL);
    assert_int_equal(more.upgrades, PLATFORM_UPGRADES_MAX);
    assert_int_equal(more.upgrade.asked_utc_ms, 100 + PLATFORM_UPGRADES_MAX + 4);
    store_close(s);
    remove_dir(dir);
}

/* What was flushed survives a process that is killed: a second opening beside
 * the first one reads it. */
static void flushed_is_committed(void **state)
{
    char *dir = temp_dir();
    struct seen seen;
    struct store_counters n;
    struct store *s = open_store(dir, &seen, NULL), *other;

    (void)state;
    put_some(s);
    store_flush(s);
    store_counters(s, &n);
    assert_int_equal(n.queued, 0);
    assert_int_equal(n.errors, 0);
    /* rows: the last word on each, and what the thread took before that came */
    assert_true(n.writes >= 5 && n.writes <= 7);
    other = open_store(dir, &seen, NULL);
    assert_int_equal(seen.devices, 1);
    store_close(other);
    store_close(s);
    remove_dir(dir);
}

static void damage_is_moved_aside(void **state)
{
    static const char *const names[] = { "gb28181d.db", "gb28181d.json" };
    char *dir = temp_dir(), path[128];
    struct seen seen;
    bool moved = false;
    struct store *s;

    (void)state;
    for (size_t i = 0; i < COUNT(names); i++) {
        FILE *f;

        snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
        f = fopen(path, "wb");
        assert_non_null(f);
        for (int k = 0; k < 5000; k++)
            fputs("this is no store ", f);
        fclose(f);
    }
    s = open_store(dir, &seen, &moved);
    assert_true(moved);
    put_some(s);
    store_close(s);
    moved = false;
    s = open_store(dir, &seen, &moved);
    assert_false(moved);
    assert_int_equal(seen.devices, 1);
    store_close(s);
    remove_dir(dir);
}

#if GB_SQLITE
static void sql(const char *dir, const char *text)
{
    char path[128];
    sqlite3 *db;

    snprintf(path, sizeof(path), "%s/gb28181d.db", dir);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    if (sqlite3_exec(db, text, NULL, NULL, NULL) != SQLITE_OK)
        fail_msg("%s: %s", text, sqlite3_errmsg(db));
    sqlite3_close(db);
}

/* A file of the first version is brought up to date, and loses nothing. */
static void older_file(void **state)
{
    char *dir = temp_dir();
    struct seen seen;
    struct store *s;
    bool moved = false;

    (void)state;
    sql(dir,
        "CREATE TABLE device(id TEXT PRIMARY KEY, name TEXT,"
        " manufacturer TEXT, model TEXT, firmware TEXT, user_agent TEXT,"
        " edition TEXT, charset TEXT, transport INT, listener INT, local TEXT,"
        " remote TEXT, registered_ms INT, expires_ms INT, keepalive_ms INT)"
        " WITHOUT ROWID;"
        "CREATE TABLE channel(device TEXT, id TEXT, name TEXT,"
        " manufacturer TEXT, model TEXT, owner TEXT, civil_code TEXT,"
        " address TEXT, parent TEXT, status TEXT, ptz_type TEXT, is_on INT,"
        " longitude REAL, latitude REAL, delivered_ms INT,"
        " PRIMARY KEY(device, id)) WITHOUT ROWID;"
        "INSERT INTO device VALUES('34020000001180000001','old','','','','',"
        "'2.0','',0,0,'192.0.2.1:5060','192.0.2.2:5060',1,2,3);"
        "INSERT INTO channel VALUES('34020000001180000001',"
        "'34020000001310000001','Door','','','','3402','','','ON','',1,NULL,"
        "NULL,77); PRAGMA user_version=1;");
    s = open_store(dir, &seen, &moved);
    assert_false(moved);
    assert_int_equal(seen.devices, 1);
    assert_int_equal(seen.channels, 1);
    assert_string_equal(seen.channel_name, "Door");
    assert_string_equal(seen.business, "");
    put_some(s);
    store_close(s);
    s = open_store(dir, &seen, &moved);
    assert_string_equal(seen.business, "34020000002150000001");
    store_close(s);
    remove_dir(dir);
}

/* A step that cannot be made leaves the file as it was. */
static void step_that_fails(void **state)
{
    char *dir = temp_dir(), why[256] = "";
    struct store_loader l = { 0 };
    struct store *s = NULL;
    bool moved = false;

    (void)state;
    sql(dir, "CREATE TABLE channel(device TEXT, business_group TEXT);"
             "PRAGMA user_version=1;");
    assert_int_equal(store_open(&s, dir, &l, why, &moved), GB_EIO);
    assert_false(moved);
    assert_true(why[0] != '\0');
    sql(dir, "INSERT INTO channel VALUES('a', 'b')");
    remove_dir(dir);
}

/* A later program's file is neither read nor moved. */
static void later_file(void **state)
{
    char *dir = temp_dir(), why[256] = "";
    struct store_loader l = { 0 };
    struct store *s = NULL;
    bool moved = false;

    (void)state;
    sql(dir, "CREATE TABLE future(x); PRAGMA user_version=1000;");
    assert_int_equal(store_open(&s, dir, &l, why, &moved), GB_EIO);
    assert_false(moved);
    assert_true(slice_find_slice(slice_str(why), SLICE("later version")) <
                slice_str(why).n);
    sql(dir, "INSERT INTO future VALUES(1)");
    remove_dir(dir);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(told_nothing),
#if GB_SQLITE
        cmocka_unit_test(its_files_are_private),
#endif
        cmocka_unit_test(comes_back),
        cmocka_unit_test(many_devices),
        cmocka_unit_test(settings_come_back),
        cmocka_unit_test(downloads),
        cmocka_unit_test(hooks_and_upgrades),
        cmocka_unit_test(accounts),
        cmocka_unit_test(rules),
        cmocka_unit_test(pushes),
        cmocka_unit_test(recordings),
        cmocka_unit_test(flushed_is_committed),
        cmocka_unit_test(damage_is_moved_aside),
#if GB_SQLITE
        cmocka_unit_test(older_file),
        cmocka_unit_test(step_that_fails),
        cmocka_unit_test(later_file),
#endif
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
