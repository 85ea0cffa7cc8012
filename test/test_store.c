/* app/store: what is put comes back after closing and opening, and a damaged
 * file does not stop the start */
#include "test/support.h"

#include "app/store/store.h"

#include <dirent.h>
#if GB_SQLITE
#include <sqlite3.h>
#endif
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

struct seen {
    unsigned devices, channels, dialogs;
    uint64_t key;
    char name[64], call_id[64], channel_name[64];
    struct sip_peer peer, dialog_peer;
    int64_t expires;
    double longitude;
    char business[64], history[128], profile[128];
    uint64_t last_alarm, last_command;
    bool on;
    unsigned groups, n_settings;
    struct platform_settings settings;
    char group_name[80], group_sealed[80];
    char set_device[40], set_password[80], set_group[80], set_name[80];
};

static void on_device(void *ctx, const struct platform_saved_device *d)
{
    struct seen *s = ctx;

    s->devices++;
    slice_copy(s->name, sizeof(s->name), d->name);
    s->peer = d->peer;
    s->expires = d->expires_utc_ms;
    slice_copy(s->history, sizeof(s->history), d->history);
    slice_copy(s->profile, sizeof(s->profile), d->profile);
}

static void on_channel(void *ctx, const struct platform_channel *c)
{
    struct seen *s = ctx;

    s->channels++;
    slice_copy(s->channel_name, sizeof(s->channel_name), c->name);
    s->longitude = c->has_position ? c->longitude : 0;
    s->on = c->on;
    slice_copy(s->business, sizeof(s->business), c->business_group);
}

static void on_dialog(void *ctx, uint64_t key, const struct sip_dialog_state *d,
                      const struct sip_peer *peer)
{
    struct seen *s = ctx;

    s->dialogs++;
    s->key = key;
    slice_copy(s->call_id, sizeof(s->call_id), d->call_id);
    s->dialog_peer = *peer;
}

static struct platform_policy group_policy;

static void on_group(void *ctx, struct slice name, struct slice sealed,
                     const struct platform_policy *subscribe)
{
    struct seen *s = ctx;

    group_policy = *subscribe;

    s->groups++;
    slice_copy(s->group_name, sizeof(s->group_name), name);
    slice_copy(s->group_sealed, sizeof(s->group_sealed), sealed);
}

static void on_settings(void *ctx, struct slice device,
                        const struct platform_settings *set)
{
    struct seen *s = ctx;

    s->n_settings++;
    s->settings = *set;
    slice_copy(s->set_device, sizeof(s->set_device), device);
    slice_copy(s->set_password, sizeof(s->set_password), set->password);
    slice_copy(s->set_group, sizeof(s->set_group), set->group);
    slice_copy(s->set_name, sizeof(s->set_name), set->name);
}

static void on_ids(void *ctx, uint64_t alarm, uint64_t command)
{
    struct seen *s = ctx;

    s->last_alarm = alarm;
    s->last_command = command;
}

static struct {
    unsigned hooks, upgrades;
    struct store_hook hook;
    struct platform_upgrade upgrade;
    char name[80], url[80], sealed[80], session[80], runs[80], evidence[80];
} more;

static void on_hook(void *ctx, const struct store_hook *h)
{
    (void)ctx;
    more.hooks++;
    more.hook = *h;
    slice_copy(more.name, sizeof(more.name), h->name);
    slice_copy(more.url, sizeof(more.url), h->url);
    slice_copy(more.sealed, sizeof(more.sealed), h->sealed);
}

static struct {
    unsigned n;
    int64_t made;
    char name[80], role[80], secret[80], scope[80];
} account;

static struct {
    unsigned n;
    char name[80], lines[80];
} rule;

static void on_rule(void *ctx, const struct store_rule *v)
{
    (void)ctx;
    rule.n++;
    slice_copy(rule.name, sizeof(rule.name), v->name);
    slice_copy(rule.lines, sizeof(rule.lines), v->lines);
}

static void on_account(void *ctx, const struct store_account *v)
{
    (void)ctx;
    account.n++;
    account.made = v->made_utc_ms;
    slice_copy(account.name, sizeof(account.name), v->name);
    slice_copy(account.role, sizeof(account.role), v->role);
    slice_copy(account.secret, sizeof(account.secret), v->secret);
    slice_copy(account.scope, sizeof(account.scope), v->scope);
}

static void on_upgrade(void *ctx, const struct platform_upgrade *u)
{
    (void)ctx;
    more.upgrades++;
    more.upgrade = *u;
    slice_copy(more.session, sizeof(more.session), u->session);
    slice_copy(more.runs, sizeof(more.runs), u->runs);
    slice_copy(more.evidence, sizeof(more.evidence), u->evidence);
}

static struct {
    unsigned n, stream;
    char name[80], urls[80], sealed[80];
} pushed;

static struct {
    unsigned n, segments;
    struct recorders_settings set;
    struct archive_segment last;
} recorded;

static void on_recorder(void *ctx, struct slice device, struct slice channel,
                        const struct recorders_settings *set)
{
    (void)ctx;
    expect_slice(device, "d");
    expect_slice(channel, "c");
    recorded.n++;
    recorded.set = *set;
}

static void on_record(void *ctx, struct slice device, struct slice channel,
                      const struct archive_segment *g)
{
    (void)ctx;
    expect_slice(device, "d");
    expect_slice(channel, "c");
    assert_true(g->begin_utc_ms > recorded.last.begin_utc_ms);
    recorded.segments++;
    recorded.last = *g;
}

static void on_push(void *ctx, const struct store_push *p)
{
    (void)ctx;
    pushed.n++;
    pushed.stream = p->stream;
    slice_copy(pushed.name, sizeof(pushed.name), p->name);
    slice_copy(pushed.urls, sizeof(pushed.urls), p->urls);
    slice_copy(pushed.sealed, sizeof(pushed.sealed), p->sealed);
}

static struct {
    unsigned n;
    struct platform_download d;
    char device[40], channel[40], evidence[40], parts[80];
} download;

static void on_download(void *ctx, const struct platform_download *d)
{
    (void)ctx;
    download.n++;
    download.d = *d;
    slice_copy(download.device, sizeof(download.device), d->device);
    slice_copy(download.channel, sizeof(download.channel), d->channel);
    slice_copy(download.evidence, sizeof(download.evidence), d->evidence);
    slice_copy(download.parts, sizeof(download.parts), d->parts);
}

static struct store *open_store(const char *dir, struct seen *seen,
                                bool *moved)
{
    struct store_loader l = {
        .on_device = on_device, .on_channel = on_channel,
        .on_dialog = on_dialog, .on_group = on_group,
        .on_settings = on_settings, .on_ids = on_ids,
        .on_hook = on_hook, .on_upgrade = on_upgrade,
        .on_account = on_account,
        .on_rule = on_rule,
        .on_download = on_download, .on_push = on_push,
        .on_recorder = on_recorder, .on_record = on_record, .ctx = seen,
    };
    struct store *s = NULL;
    char why[256] = "";

    memset(seen, 0, sizeof(*seen));
    memset(&more, 0, sizeof(more));
    if (store_open(&s, dir, &l, why, moved))
        fail_msg("%s", why);
    return s;
}

static char *temp_dir(void)
{
    static char dir[64];

    slice_copy(dir, sizeof(dir), SLICE("/tmp/gb28181d-store-XXXXXX"));
    assert_non_null(mkdtemp(dir));
    return dir;
}

static void remove_dir(const char *dir)
{
    DIR *d = opendir(dir);
    struct dirent *e;
    char path[512];

    assert_non_null(d);
    while ((e = readdir(d))) {
        snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
        unlink(path);
    }
    closedir(d);
    rmdir(dir);
}

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

/* ---- questions ---- */

static struct told {
    uv_mutex_t lock;
    uv_cond_t cond;
    struct store_rows *rows;
} told;

static void on_rows(struct store_rows *r)
{
    struct told *t = r->ctx;

    uv_mutex_lock(&t->lock);
    t->rows = r;
    uv_cond_signal(&t->cond);
    uv_mutex_unlock(&t->lock);
}

/* The answer; the caller frees it. */
static struct store_rows *ask(struct store *s, const struct store_ask *question)
{
    struct store_ask q = *question;
    struct store_rows *r;

    q.ctx = &told;
    q.tag = 77;
    q.done = on_rows;
    told.rows = NULL;
    assert_int_equal(store_ask(s, &q), 0);
    uv_mutex_lock(&told.lock);
    while (!told.rows)
        uv_cond_wait(&told.cond, &told.lock);
    r = told.rows;
    uv_mutex_unlock(&told.lock);
    assert_int_equal(r->tag, 77);
    return r;
}

static void told_init(void)
{
    static bool done;

    if (done)
        return;
    done = true;
    assert_int_equal(uv_mutex_init(&told.lock), 0);
    assert_int_equal(uv_cond_init(&told.cond), 0);
}

#if GB_SQLITE
static void add_alarm(struct store *s, uint64_t id, const char *device,
                      const char *method, const char *type, int64_t at_ms)
{
    const struct platform_alarm a = {
        .id = id, .device = slice_str(device), .channel = SLICE("c"),
        .priority = SLICE("1"), .method = slice_str(method),
        .type = slice_str(type), .description = SLICE("it's \"烟\""),
        .has_position = id % 2, .longitude = 116.25, .latitude = 39.5,
        .received_utc_ms = at_ms,
    };

    store_add_alarm(s, &a);
}

static void history(void **state)
{
    static const struct {
        const char *name;
        struct store_ask q;
        size_t rows;
        uint64_t total;
        bool more;
        const char *first; /* id */
    } cases[] = {
        { "all", { .limit = 10 }, 4, 4, false, "4" },
        { "a page", { .limit = 2 }, 2, 4, true, "4" },
        { "the next", { .limit = 2, .before = 3 }, 2, 4, false, "2" },
        { "of a device", { .limit = 9, .device = SLICE_INIT("d2") }, 1, 1,
          false, "2" },
        { "by method", { .limit = 9, .method = SLICE_INIT("5") }, 3, 3, false,
          "4" },
        { "and type", { .limit = 9, .method = SLICE_INIT("5"),
                        .type = SLICE_INIT("6") }, 1, 1, false, "3" },
        { "by priority", { .limit = 9, .priority = SLICE_INIT("2") }, 0, 0,
          false, "" },
        { "by time", { .limit = 9, .from_utc_ms = 2000, .to_utc_ms = 4000 },
          2, 2, false, "3" },
        { "hostile", { .limit = 9, .device = SLICE_INIT("' OR 1=1 --") }, 0, 0,
          false, "" },
    };
    char *dir = temp_dir();
    struct seen seen;
    struct store *s = open_store(dir, &seen, NULL);
    struct store_rows *r;

    (void)state;
    told_init();
    add_alarm(s, 1, "d1", "5", "2", 1000);
    add_alarm(s, 2, "d2", "2", "", 2000);
    add_alarm(s, 3, "d1", "5", "6", 3000);
    add_alarm(s, 4, "d1", "5", "2", 4000);
    for (size_t i = 0; i < COUNT(cases); i++) {
        r = ask(s, &cases[i].q); /* what was put before it is seen */
        if (r->err || r->n != cases[i].rows || r->total != cases[i].total ||
            r->more != cases[i].more ||
            !slice_eq(store_rows_text(r, 0, 0), slice_str(cases[i].first)))
            fail_msg("%s: err %d, %zu rows of %llu", cases[i].name, r->err,
                     r->n, (unsigned long long)r->total);
        store_rows_free(r);
    }
    r = ask(s, &cases[0].q);
    assert_true(slice_eq(store_rows_text(r, 0, 7), SLICE("it's \"烟\"")));
    assert_true(store_rows_is_null(r, 0, 8));
    assert_true(slice_eq(store_rows_text(r, 1, 8), SLICE("116.25")));
    assert_int_equal(store_rows_i64(r, 1, 10), 3000);
    assert_true(store_rows_is_null(r, 4, 0) && store_rows_is_null(r, 0, 11));
    store_rows_free(r);
    store_close(s);

    s = open_store(dir, &seen, NULL);
    assert_int_equal(seen.last_alarm, 4);
    store_end_asks(s);
    assert_int_equal(store_ask(s, &cases[0].q), GB_ESTATE);
    store_close(s);
    remove_dir(dir);
}

static void details_and_positions(void **state)
{
    const struct platform_position at = {
        .device = SLICE("d"), .channel = SLICE("c"), .longitude = 1.5,
        .latitude = -2, .speed = SLICE("60"), .received_utc_ms = 5,
    };
    const struct store_ask detail = { .list = STORE_LIST_DETAIL, .limit = 1,
                                      .device = SLICE("d"),
                                      .channel = SLICE("c") };
    const struct store_ask positions = { .list = STORE_LIST_POSITIONS,
                                         .limit = 5, .device = SLICE("d") };
    char *dir = temp_dir();
    struct seen seen;
    struct store *s = open_store(dir, &seen, NULL);
    struct store_rows *r;

    (void)state;
    told_init();
    store_put_detail(s, SLICE("d"), SLICE("c"), SLICE("Port\t80\n"));
    store_put_detail(s, SLICE("d"), SLICE("c"), SLICE("Port\t81\n"));
    store_add_position(s, &at);
    store_add_position(s, &at);
    r = ask(s, &detail);
    assert_int_equal(r->n, 1);
    assert_true(slice_eq(store_rows_text(r, 0, 0), SLICE("Port\t81\n")));
    store_rows_free(r);
    r = ask(s, &positions);
    assert_int_equal(r->n, 2);
    assert_true(slice_eq(store_rows_text(r, 1, 4), SLICE("1.5")));
    assert_true(slice_eq(store_rows_text(r, 1, 6), SLICE("60")));
    store_rows_free(r);
    store_remove_channel(s, SLICE("d"), SLICE("c"));
    r = ask(s, &detail);
    assert_int_equal(r->n, 0);
    store_rows_free(r);
    store_put_detail(s, SLICE("d"), SLICE("c"), SLICE("x"));
    store_remove_device(s, SLICE("d"));
    r = ask(s, &detail);
    assert_int_equal(r->n, 0);
    store_rows_free(r);
    store_close(s);
    remove_dir(dir);
}

static void audits(void **state)
{
    static const struct {
        const char *who, *peer, *method, *path;
        unsigned n;
    } cases[] = {
        { "", "", "", "", 6 },
        { "ada", "", "", "", 3 },
        { "ada'--", "", "", "", 0 },
        { "", "192.0.2.2", "", "", 3 },
        { "", "", "DELETE", "", 2 },
        { "", "", "", "/api/v1/users", 3 },
        { "", "", "", "/api/v1/%", 0 },
        { "bob", "192.0.2.2", "PUT", "/api/v1/users/5", 1 },
    };
    static const char *const methods[] = { "POST", "DELETE", "PUT" };
    char *dir = temp_dir(), path[64];
    struct seen seen;
    struct store *s = open_store(dir, &seen, NULL);

    (void)state;
    told_init();
    for (unsigned i = 0; i < 6; i++) {
        struct store_audit a = {
            .who = i % 2 ? SLICE("bob") : SLICE("ada"), .role = SLICE("admin"),
            .peer = i % 2 ? SLICE("192.0.2.2") : SLICE("192.0.2.1"),
            .method = slice_str(methods[i % 3]), .status = 200 + i,
            .at_utc_ms = 1000 + i, .path = slice_str(path),
        };

        snprintf(path, sizeof(path), i < 3 ? "/api/v1/devices/%u"
                                           : "/api/v1/users/%u", i);
        a.path = slice_str(path);
        store_add_audit(s, &a);
    }
    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct store_ask q = {
            .list = STORE_LIST_AUDIT, .limit = 2,
            .device = slice_str(cases[i].who),
            .channel = slice_str(cases[i].peer),
            .method = slice_str(cases[i].method),
            .type = slice_str(cases[i].path),
        };
        struct store_rows *r = ask(s, &q);

        if (r->err || r->total != cases[i].n ||
            r->n != (cases[i].n < 2 ? cases[i].n : 2))
            fail_msg("case %zu: err %d, %llu rows", i, r->err,
                     (unsigned long long)r->total);
        if (i == 0) {
            assert_int_equal(store_rows_i64(r, 0, 6), 205);
            assert_int_equal(store_rows_i64(r, 0, 7), 1005);
        }
        store_rows_free(r);
    }
    store_close(s);
    remove_dir(dir);
}

/* ---- retention, by a clock of the test ---- */

#define DAY 86400000ll

static _Atomic int64_t clock_ms;

static int64_t test_clock(void)
{
    return clock_ms;
}

static uint64_t total(struct store *s, enum store_list list)
{
    const struct store_ask q = { .list = list, .limit = 1 };
    struct store_rows *r = ask(s, &q);
    uint64_t n = r->total;

    assert_int_equal(r->err, 0);
    store_rows_free(r);
    return n;
}

static void add_one(struct store *s, uint64_t id)
{
    const struct platform_position at = { .device = SLICE("d"),
                                          .received_utc_ms = clock_ms };
    const struct store_audit audit = { .who = SLICE("w"),
                                       .at_utc_ms = clock_ms };
    const struct platform_command c = { .id = id, .device = SLICE("d"),
                                        .asked_utc_ms = clock_ms,
                                        .state = PLATFORM_COMMAND_ANSWERED };

    add_alarm(s, id, "d", "5", "2", clock_ms);
    store_add_position(s, &at);
    store_put_command(s, &c);
    store_add_audit(s, &audit);
}

/* All that was put is there, and trimmed by what is kept now. */
static void settle(struct store *s, const struct store_retention *keep)
{
    store_flush(s);
    store_retain(s, keep);
    store_put_detail(s, SLICE("d"), SLICE("c"), SLICE("x"));
    store_flush(s);
}

/* Each kind by its own days and its own count; a kind without days stays. */
static void retention(void **state)
{
    struct store_retention keep = {
        .rows = { 1000, 1000, 20, 1000 }, .days = { 10, 30, 0, 20 },
        .utc_ms = test_clock,
    };
    char *dir = temp_dir();
    struct seen seen;
    struct store *s = open_store(dir, &seen, NULL);

    (void)state;
    told_init();
    clock_ms = 20000 * DAY;
    for (unsigned day = 1; day <= 60; day++) { /* nothing is set: all stays */
        add_one(s, day);
        clock_ms += DAY;
    }
    assert_int_equal(total(s, STORE_LIST_ALARMS), 60);
    settle(s, &keep);
    assert_int_equal(total(s, STORE_LIST_ALARMS), 10);
    assert_int_equal(total(s, STORE_LIST_POSITIONS), 30);
    assert_int_equal(total(s, STORE_LIST_COMMANDS), 20);
    assert_int_equal(total(s, STORE_LIST_AUDIT), 20);
    /* time alone: one row each week, and what is too old goes with it */
    for (unsigned i = 61; i < 80; i++) {
        clock_ms += 7 * DAY;
        add_alarm(s, i, "d", "5", "2", clock_ms);
        assert_in_range(total(s, STORE_LIST_ALARMS), 2, 5);
    }
    assert_int_equal(total(s, STORE_LIST_ALARMS), 2);
    assert_int_equal(total(s, STORE_LIST_POSITIONS), 0);
    assert_int_equal(total(s, STORE_LIST_COMMANDS), 20);
    /* a clock set back takes nothing away, and does not stop the trimming */
    clock_ms -= 200 * DAY;
    add_alarm(s, 80, "d", "5", "2", clock_ms);
    assert_int_equal(total(s, STORE_LIST_ALARMS), 3);
    /* by count as well, behind every so many rows */
    for (unsigned i = 81; i <= 3500; i++)
        add_alarm(s, i, "d", "5", "2", clock_ms);
    assert_in_range(total(s, STORE_LIST_ALARMS), 1000, 3000);
    settle(s, &keep);
    assert_int_equal(total(s, STORE_LIST_ALARMS), 1000);
    /* many lots of old ones at once; and a kind of which none is kept */
    keep.rows[STORE_ALARMS] = 100000;
    keep.rows[STORE_COMMANDS] = 0;
    settle(s, &keep);
    for (unsigned i = 3501; i <= 7000; i++)
        add_alarm(s, i, "d", "5", "2", clock_ms);
    clock_ms += 365 * DAY;
    add_alarm(s, 7001, "d", "5", "2", clock_ms);
    settle(s, &keep);
    assert_int_equal(total(s, STORE_LIST_ALARMS), 1);
    assert_int_equal(total(s, STORE_LIST_COMMANDS), 0);
    /* what is gone has had its numbers all the same */
    keep.rows[STORE_ALARMS] = 0;
    settle(s, &keep);
    assert_int_equal(total(s, STORE_LIST_ALARMS), 0);
    for (unsigned i = 0; i < 2; i++) { /* also when nothing has come since */
        store_close(s);
        s = open_store(dir, &seen, NULL);
        assert_int_equal(seen.last_alarm, 7001);
        assert_int_equal(seen.last_command, 60);
        settle(s, &keep);
    }
    store_close(s);
    remove_dir(dir);
}

/* Commands by device, CmdType or order, state, time; also after a restart. */
static void commands(void **state)
{
    static const struct {
        const char *name;
        struct store_ask q;
        size_t rows;
        const char *first; /* id */
    } cases[] = {
        { "all", { .limit = 10 }, 4, "4" },
        { "the next", { .limit = 10, .before = 3 }, 2, "2" },
        { "of a device", { .limit = 9, .device = SLICE_INIT("d1") }, 2, "3" },
        { "by CmdType", { .limit = 9, .cmd = SLICE_INIT("DeviceControl") }, 2,
          "4" },
        { "by its order", { .limit = 9, .cmd = SLICE_INIT("GuardCmd") }, 1,
          "4" },
        { "by state", { .limit = 9, .state = SLICE_INIT("silent") }, 1, "2" },
        { "by time", { .limit = 9, .from_utc_ms = 2000, .to_utc_ms = 4000 },
          2, "3" },
        { "hostile", { .limit = 9, .cmd = SLICE_INIT("' OR 1=1 --") }, 0, "" },
    };
    struct platform_command c = {
        .target = SLICE("c"), .evidence = SLICE("it's"), .tries = 2,
        .answer = SLICE("{\"Result\":\"OK\"}"), .sip_status = 200, .sn = 17,
        .messages = 3, .have = 4, .sum = 5, .late = true, .cut = true,
    };
    struct store_ask one = { .list = STORE_LIST_COMMAND, .limit = 1,
                             .before = 4 };
    char *dir = temp_dir();
    struct seen seen;
    struct store *s = open_store(dir, &seen, NULL);
    struct store_rows *r;

    (void)state;
    told_init();
    for (unsigned i = 1; i <= 4; i++) {
        c.id = i;
        c.device = i % 2 ? SLICE("d1") : SLICE("d2");
        c.cmd = i < 3 ? SLICE("DeviceStatus") : SLICE("DeviceControl");
        c.sub = i == 4 ? SLICE("GuardCmd") : SLICE("");
        c.state = i == 2 ? PLATFORM_COMMAND_SILENT : PLATFORM_COMMAND_ANSWERED;
        c.asked_utc_ms = i * 1000;
        store_put_command(s, &c);
    }
    store_close(s);
    s = open_store(dir, &seen, NULL);
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct store_ask q = cases[i].q;

        q.list = STORE_LIST_COMMANDS;
        r = ask(s, &q);
        if (r->err || r->n != cases[i].rows ||
            !slice_eq(store_rows_text(r, 0, 0), slice_str(cases[i].first)))
            fail_msg("%s: err %d, %zu rows", cases[i].name, r->err, r->n);
        store_rows_free(r);
    }
    r = ask(s, &one);
    assert_int_equal(r->n, 1);
    assert_int_equal(store_rows_i64(r, 0, 0), 4);
    assert_true(slice_eq(store_rows_text(r, 0, 6), SLICE("it's")));
    assert_int_equal(store_rows_i64(r, 0, 7), 4000);
    assert_int_equal(store_rows_i64(r, 0, 13), STORE_LATE | STORE_CUT);
    assert_int_equal(store_rows_i64(r, 0, 14), 17);
    assert_int_equal(store_rows_i64(r, 0, 17), 5);
    assert_true(slice_eq(store_rows_text(r, 0, 18), c.answer));
    store_rows_free(r);
    one.before = 9;
    r = ask(s, &one);
    assert_int_equal(r->n, 0);
    store_rows_free(r);
    store_close(s);
    remove_dir(dir);
}
#else
static void no_history(void **state)
{
    const struct store_ask all = { .limit = 1 };
    char *dir = temp_dir();
    struct seen seen;
    struct store *s = open_store(dir, &seen, NULL);
    struct store_rows *r;

    (void)state;
    told_init();
    r = ask(s, &all);
    assert_int_equal(r->err, GB_EUNSUPPORTED);
    store_rows_free(r);
    store_close(s);
    remove_dir(dir);
}
#endif

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
        cmocka_unit_test(comes_back),
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
        cmocka_unit_test(history),
        cmocka_unit_test(details_and_positions),
        cmocka_unit_test(audits),
        cmocka_unit_test(retention),
        cmocka_unit_test(commands),
        cmocka_unit_test(older_file),
        cmocka_unit_test(step_that_fails),
        cmocka_unit_test(later_file),
#else
        cmocka_unit_test(no_history),
#endif
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
