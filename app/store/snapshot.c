/* app/store/snapshot.c - the store without SQLite: gb28181d.json, written anew
 * beside the old one and renamed, with each commit that changed something */
#include "app/net/durable.h"
#include "app/store/writer.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define STORE_FILE "gb28181d.json"

struct store {
    struct store_writer writer;
    json_t *root; /* { device: {id: …}, channel: {"device/id": …}, dialog } */
    bool unwritten; /* root is newer than the file */
    char path[1100];
};

static const char *const device_texts[] = {
    "id", "name", "manufacturer", "model", "firmware", "user_agent", "edition",
    "charset", "history", "profile",
};
static const char *const channel_texts[] = {
    "device", "name", "manufacturer", "model", "owner", "civil_code",
    "address", "parent", "status", "ptz_type", "id", "business_group",
};
static const char *const dialog_texts[] = {
    "key", "call_id", "local_uri", "remote_uri", "local_tag", "remote_tag",
    "target",
};

static const char *const group_texts[] = { "name", "password", "subscribe" };
static const char *const rule_texts[] = { "name", "lines" };
static const char *const push_texts[] = { "name", "urls", "passwords" };
static const char *const account_texts[] = { "name", "role", "secret",
                                             "scope" };
static const char *const hook_texts[] = { "name", "url", "secret" };

/* ---- writing ---------------------------------------------------------------------- */

/* Text that is no UTF-8 (a peer's) is kept as "". */
static json_t *json_text(const char *s)
{
    json_t *v = json_string(s);

    return v ? v : json_string("");
}

static json_t *json_texts(const struct store_job *j, const char *const *name,
                          size_t n)
{
    json_t *o = json_object();

    for (size_t i = 0; i < n; i++)
        json_object_set_new(o, name[i], json_text(store_text(j, i).p));
    return o;
}

static void put_number(json_t *o, const char *name, int64_t v)
{
    json_object_set_new(o, name, json_integer(v));
}

static void put_peer(json_t *o, const struct sip_peer *p)
{
    char buf[GB_ADDR_TEXT_MAX];

    put_number(o, "transport", p->transport);
    put_number(o, "listener", p->listener);
    json_object_set_new(o, "local", json_string(gb_addr_text(&p->local, buf)));
    json_object_set_new(o, "remote",
                        json_string(gb_addr_text(&p->remote, buf)));
}

static void put_device(json_t *all, const struct store_job *j)
{
    json_t *o = json_texts(j, device_texts, 10);

    put_peer(o, j->peer);
    put_number(o, "registered_ms", j->number[0]);
    put_number(o, "expires_ms", j->number[1]);
    put_number(o, "keepalive_ms", j->number[2]);
    json_object_set_new(all, store_text(j, 0).p, o);
}

static void put_settings(json_t *all, const struct store_job *j)
{
    static const char *const texts[] = { "device", "password", "group",
                                         "name", "subscribe" };
    static const char *const numbers[] = { "date", "edition", "digest",
                                           "ignore_require", "media",
                                           "arm" };
    json_t *o = json_texts(j, texts, 5);

    for (size_t i = 0; i < 6; i++)
        put_number(o, numbers[i], j->number[i]);
    json_object_set_new(all, store_text(j, 0).p, o);
}

static void channel_key(char *key, size_t cap, const char *device,
                        const char *id)
{
    snprintf(key, cap, "%s/%s", device, id);
}

static void put_channel(json_t *all, const struct store_job *j)
{
    json_t *o = json_texts(j, channel_texts, STORE_TEXTS);
    char key[128];

    json_object_set_new(o, "on", json_boolean(j->on));
    put_number(o, "delivered_ms", j->number[0]);
    if (j->place) {
        json_object_set_new(o, "longitude", json_real(j->place->lon));
        json_object_set_new(o, "latitude", json_real(j->place->lat));
    }
    channel_key(key, sizeof(key), store_text(j, STORE_DEVICE).p,
                store_text(j, STORE_CHANNEL).p);
    json_object_set_new(all, key, o);
}

static void remove_channels(json_t *all, const char *device)
{
    const char *key;
    json_t *value;
    void *tmp;

    json_object_foreach_safe(all, tmp, key, value) {
        const char *d = json_string_value(json_object_get(value, "device"));

        if (d && slice_eq(slice_str(d), slice_str(device)))
            json_object_del(all, key);
    }
}

static const char *const upgrade_texts[] = { "session", "device", "target",
                                             "file", "version", "runs",
                                             "state", "evidence" };
static const char *const upgrade_numbers[] = { "asked_ms", "fetched_ms",
                                               "ended_ms", "bytes",
                                               "fetches" };

/* Members of an object keep their order: the first one is the oldest. */
static void put_upgrade(json_t *all, const struct store_job *j)
{
    json_t *o = json_texts(j, upgrade_texts, 8);

    for (size_t i = 0; i < 5; i++)
        put_number(o, upgrade_numbers[i], j->number[i]);
    json_object_set_new(all, store_text(j, 0).p, o);
    if (json_object_size(all) > PLATFORM_UPGRADES_MAX)
        json_object_del(all, json_object_iter_key(json_object_iter(all)));
}

static const char *const download_texts[STORE_DOWNLOAD_TEXTS] = {
    "key", "device", "channel", "state", "evidence", "parts"
};
static const char *const download_numbers[STORE_DOWNLOAD_NUMBERS] = {
    "how", "start_s", "stop_s", "sessions", "created_ms", "ended_ms", "bytes",
    "at_ms", "end90k", "key_hash", "chain"
};

static void put_download(json_t *all, const struct store_job *j)
{
    json_t *o = json_texts(j, download_texts, STORE_DOWNLOAD_TEXTS);

    for (size_t i = 0; i < STORE_DOWNLOAD_NUMBERS; i++)
        put_number(o, download_numbers[i], j->number[i]);
    json_object_set_new(all, store_text(j, 0).p, o);
}

static void put_dialog(json_t *all, const struct store_job *j)
{
    json_t *o = json_texts(j, dialog_texts, 7);

    put_peer(o, j->peer);
    put_number(o, "cseq", j->number[0]);
    json_object_set_new(all, store_text(j, 0).p, o);
}

static void put_group(json_t *all, const struct store_job *j)
{
    json_object_set_new(all, store_text(j, 0).p, json_texts(j, group_texts, 3));
}

static void put_hook(json_t *all, const struct store_job *j)
{
    json_t *o = json_texts(j, hook_texts, 3);

    put_number(o, "kinds", j->number[0]);
    put_number(o, "off", j->number[1]);
    json_object_set_new(all, store_text(j, 0).p, o);
}

static void put_account(json_t *all, const struct store_job *j)
{
    json_t *o = json_texts(j, account_texts, STORE_ACCOUNT_TEXTS);

    put_number(o, "made", j->number[0]);
    json_object_set_new(all, store_text(j, 0).p, o);
}

static void put_rule(json_t *all, const struct store_job *j)
{
    json_object_set_new(all, store_text(j, 0).p, json_texts(j, rule_texts, 2));
}

static void put_push(json_t *all, const struct store_job *j)
{
    json_t *o = json_texts(j, push_texts, 3);

    put_number(o, "stream", j->number[0]);
    json_object_set_new(all, store_text(j, 0).p, o);
}

static void remove_channel(json_t *all, const struct store_job *j)
{
    char key[128];

    channel_key(key, sizeof(key), store_text(j, 0).p, store_text(j, 1).p);
    json_object_del(all, key);
}

static void remove_one(json_t *all, const struct store_job *j)
{
    json_object_del(all, store_text(j, 0).p);
}

/* What is not here is history, or an index of records: SQLite's alone. */
static const struct {
    const char *object; /* of the root; NULL: not kept */
    void (*apply)(json_t *all, const struct store_job *j);
} kinds[] = {
    [STORE_PUT_DEVICE] = { "device", put_device },
    [STORE_REMOVE_DEVICE] = { "device", remove_one },
    [STORE_PUT_CHANNEL] = { "channel", put_channel },
    [STORE_REMOVE_CHANNEL] = { "channel", remove_channel },
    [STORE_PUT_DIALOG] = { "dialog", put_dialog },
    [STORE_REMOVE_DIALOG] = { "dialog", remove_one },
    [STORE_PUT_SETTINGS] = { "settings", put_settings },
    [STORE_PUT_GROUP] = { "group", put_group },
    [STORE_REMOVE_GROUP] = { "group", remove_one },
    [STORE_PUT_HOOK] = { "hook", put_hook },
    [STORE_REMOVE_HOOK] = { "hook", remove_one },
    [STORE_PUT_ACCOUNT] = { "account", put_account },
    [STORE_REMOVE_ACCOUNT] = { "account", remove_one },
    [STORE_PUT_RULE] = { "rule", put_rule },
    [STORE_REMOVE_RULE] = { "rule", remove_one },
    [STORE_PUT_PUSH] = { "push", put_push },
    [STORE_REMOVE_PUSH] = { "push", remove_one },
    [STORE_PUT_UPGRADE] = { "upgrade", put_upgrade },
    [STORE_PUT_DOWNLOAD] = { "download", put_download },
    [STORE_REMOVE_DOWNLOAD] = { "download", remove_one },
    [STORE_ADD_AUDIT] = { NULL, NULL }, /* the last: all have a place here */
};

static bool is_kept(enum store_op op)
{
    return kinds[op].object != NULL;
}

static void apply(struct store *s, const struct store_job *j)
{
    if (j->op == STORE_REMOVE_DEVICE) {
        remove_channels(json_object_get(s->root, "channel"),
                        store_text(j, 0).p);
        remove_one(json_object_get(s->root, "settings"), j);
    }
    kinds[j->op].apply(json_object_get(s->root, kinds[j->op].object), j);
}

static bool write_all(struct store *s)
{
    char tmp[1200];
    bool ok;
    int fd;

    snprintf(tmp, sizeof(tmp), "%s.new", s->path);
    fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return false;
    ok = json_dumpfd(s->root, fd, JSON_COMPACT) == 0 && fsync(fd) == 0;
    ok = close(fd) == 0 && ok;
    return ok && durable_rename(tmp, s->path) == 0;
}

static bool commit(void *backend, struct list *jobs,
                   char why[static STORE_WHY])
{
    struct store *s = backend;
    struct list *n;

    for (n = jobs->next; n != jobs; n = n->next) {
        const struct store_job *j = container_of(n, struct store_job, node);

        if (!is_kept(j->op))
            continue; /* nothing to write a file for */
        s->unwritten = true;
        apply(s, j);
    }
    if (!s->unwritten)
        return true;
    s->unwritten = !write_all(s);
    if (!s->unwritten)
        return true;
    snprintf(why, STORE_WHY, "%.200s: %s", s->path, strerror(errno));
    return false;
}

/* ---- loading ----------------------------------------------------------------------- */

static struct slice text_of(const json_t *o, const char *name)
{
    const json_t *v = json_object_get(o, name);

    return slice_of(json_string_value(v), json_string_length(v));
}

static int64_t number_of(const json_t *o, const char *name)
{
    return json_integer_value(json_object_get(o, name));
}

static struct sip_peer peer_of(const json_t *o)
{
    struct sip_peer p = { .transport = (uint8_t)number_of(o, "transport"),
                          .listener = (uint16_t)number_of(o, "listener") };

    gb_addr_parse(&p.local, text_of(o, "local"), 0);
    gb_addr_parse(&p.remote, text_of(o, "remote"), 0);
    return p;
}

static void load_device(const char *key, const json_t *o,
                        const struct store_loader *l)
{
    struct platform_saved_device d = {
        .id = text_of(o, "id"), .name = text_of(o, "name"),
        .manufacturer = text_of(o, "manufacturer"),
        .model = text_of(o, "model"), .firmware = text_of(o, "firmware"),
        .user_agent = text_of(o, "user_agent"),
        .edition = text_of(o, "edition"), .charset = text_of(o, "charset"),
        .peer = peer_of(o), .registered_utc_ms = number_of(o, "registered_ms"),
        .expires_utc_ms = number_of(o, "expires_ms"),
        .keepalive_utc_ms = number_of(o, "keepalive_ms"),
        .history = text_of(o, "history"), .profile = text_of(o, "profile"),
    };

    (void)key;
    l->on_device(l->ctx, &d);
}

static void load_channel(const char *key, const json_t *o,
                         const struct store_loader *l)
{
    const json_t *lon = json_object_get(o, "longitude");
    struct platform_channel c = {
        .device = text_of(o, "device"), .id = text_of(o, "id"),
        .name = text_of(o, "name"),
        .manufacturer = text_of(o, "manufacturer"),
        .model = text_of(o, "model"), .owner = text_of(o, "owner"),
        .civil_code = text_of(o, "civil_code"),
        .address = text_of(o, "address"), .parent = text_of(o, "parent"),
        .status = text_of(o, "status"), .ptz_type = text_of(o, "ptz_type"),
        .business_group = text_of(o, "business_group"),
        .on = json_is_true(json_object_get(o, "on")),
        .has_position = lon != NULL, .longitude = json_number_value(lon),
        .latitude = json_number_value(json_object_get(o, "latitude")),
        .delivered_utc_ms = number_of(o, "delivered_ms"),
    };

    (void)key;
    l->on_channel(l->ctx, &c);
}

static void load_dialog(const char *key, const json_t *o,
                        const struct store_loader *l)
{
    struct sip_dialog_state d = {
        .call_id = text_of(o, "call_id"), .local_uri = text_of(o, "local_uri"),
        .remote_uri = text_of(o, "remote_uri"),
        .local_tag = text_of(o, "local_tag"),
        .remote_tag = text_of(o, "remote_tag"), .target = text_of(o, "target"),
        .local_cseq = (uint32_t)number_of(o, "cseq"),
    };
    struct sip_peer peer = peer_of(o);

    l->on_dialog(l->ctx, store_key_of(key), &d, &peer);
}

static void load_group(const char *key, const json_t *o,
                       const struct store_loader *l)
{
    struct platform_policy y;

    (void)key;
    platform_policy_read(&y, text_of(o, "subscribe"));
    l->on_group(l->ctx, text_of(o, "name"), text_of(o, "password"), &y);
}

static void load_hook(const char *key, const json_t *o,
                      const struct store_loader *l)
{
    const struct store_hook h = {
        .name = text_of(o, "name"), .url = text_of(o, "url"),
        .sealed = text_of(o, "secret"),
        .kinds = (unsigned)number_of(o, "kinds"),
        .off = number_of(o, "off") != 0,
    };

    (void)key;
    if (l->on_hook)
        l->on_hook(l->ctx, &h);
}

static void load_account(const char *key, const json_t *o,
                         const struct store_loader *l)
{
    const struct store_account v = {
        .name = text_of(o, "name"), .role = text_of(o, "role"),
        .secret = text_of(o, "secret"), .scope = text_of(o, "scope"),
        .made_utc_ms = number_of(o, "made"),
    };

    (void)key;
    if (l->on_account)
        l->on_account(l->ctx, &v);
}

static void load_rule(const char *key, const json_t *o,
                      const struct store_loader *l)
{
    const struct store_rule v = { .name = text_of(o, "name"),
                                  .lines = text_of(o, "lines") };

    (void)key;
    if (l->on_rule)
        l->on_rule(l->ctx, &v);
}

static void load_push(const char *key, const json_t *o,
                      const struct store_loader *l)
{
    const struct store_push p = {
        .name = text_of(o, "name"), .urls = text_of(o, "urls"),
        .sealed = text_of(o, "passwords"),
        .stream = (unsigned)number_of(o, "stream"),
    };

    (void)key;
    if (l->on_push)
        l->on_push(l->ctx, &p);
}

static void load_upgrade(const char *key, const json_t *o,
                         const struct store_loader *l)
{
    const struct platform_upgrade u = {
        .session = text_of(o, "session"), .device = text_of(o, "device"),
        .target = text_of(o, "target"), .file = text_of(o, "file"),
        .version = text_of(o, "version"), .runs = text_of(o, "runs"),
        .state = platform_upgrade_state_by_name(text_of(o, "state")),
        .evidence = text_of(o, "evidence"),
        .asked_utc_ms = number_of(o, "asked_ms"),
        .fetched_utc_ms = number_of(o, "fetched_ms"),
        .ended_utc_ms = number_of(o, "ended_ms"),
        .fetched_bytes = (uint64_t)number_of(o, "bytes"),
        .fetches = (unsigned)number_of(o, "fetches"),
    };

    (void)key;
    if (l->on_upgrade)
        l->on_upgrade(l->ctx, &u);
}

static void load_download(const char *key, const json_t *o,
                          const struct store_loader *l)
{
    struct slice text[STORE_DOWNLOAD_TEXTS];
    int64_t number[STORE_DOWNLOAD_NUMBERS];
    struct platform_download d;

    (void)key;
    for (size_t i = 0; i < STORE_DOWNLOAD_TEXTS; i++)
        text[i] = text_of(o, download_texts[i]);
    for (size_t i = 0; i < STORE_DOWNLOAD_NUMBERS; i++)
        number[i] = number_of(o, download_numbers[i]);
    store_download_of(&d, text, number);
    if (l->on_download)
        l->on_download(l->ctx, &d);
}

static void load_settings(const char *key, const json_t *o,
                          const struct store_loader *l)
{
    struct platform_settings s = {
        .set = ~0u,
        .password = text_of(o, "password"), .group = text_of(o, "group"),
        .name = text_of(o, "name"), .date = (uint8_t)number_of(o, "date"),
        .edition = (uint8_t)number_of(o, "edition"),
        .digest = (uint16_t)number_of(o, "digest"),
        .ignore_require = number_of(o, "ignore_require") != 0,
        .media = (enum platform_transport)number_of(o, "media"),
        .arm = number_of(o, "arm") != 0,
        .subscribe_kinds = (1u << PLATFORM_SUBSCRIPTION_KINDS) - 1,
    };

    platform_policy_read(&s.subscribe, text_of(o, "subscribe"));

    (void)key;
    l->on_settings(l->ctx, text_of(o, "device"), &s);
}

static void load_all(const json_t *all,
                     void (*row)(const char *, const json_t *,
                                 const struct store_loader *),
                     const struct store_loader *l)
{
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)all, key, value)
        row(key, value, l);
}

/* ---- opening ------------------------------------------------------------------------ */

static void need_objects(json_t *root)
{
    static const char *const names[] = { "device", "channel", "dialog",
                                         "settings", "group", "hook", "upgrade",
                                         "download", "push", "account",
                                         "rule" };

    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        if (!json_is_object(json_object_get(root, names[i])))
            json_object_set_new(root, names[i], json_object());
}

static json_t *read_root(struct store *s, char why[static 256], bool *moved)
{
    char aside[1300];
    json_error_t e;
    json_t *root;

    if (access(s->path, F_OK) != 0)
        return json_object();
    root = json_load_file(s->path, 0, &e);
    if (json_is_object(root))
        return root;
    json_decref(root);
    snprintf(why, 256, "%.150s: line %d: %.80s", s->path, e.line, e.text);
    snprintf(aside, sizeof(aside), "%s.broken-%lld", s->path,
             (long long)time(NULL));
    rename(s->path, aside);
    if (moved)
        *moved = true;
    return json_object();
}

int store_open(struct store **out, const char *dir,
               const struct store_loader *l, char why[static 256], bool *moved)
{
    struct store *s = calloc(1, sizeof(*s));
    struct store_backend b = { .commit = commit, .backend = s,
                               .whole = true };
    int err = GB_ENOMEM;

    if (!s)
        return GB_ENOMEM;
    snprintf(s->path, sizeof(s->path), "%s/" STORE_FILE, dir);
    s->root = read_root(s, why, moved);
    if (s->root) {
        need_objects(s->root);
        load_all(json_object_get(s->root, "group"), load_group, l);
        load_all(json_object_get(s->root, "device"), load_device, l);
        load_all(json_object_get(s->root, "settings"), load_settings, l);
        load_all(json_object_get(s->root, "channel"), load_channel, l);
        load_all(json_object_get(s->root, "dialog"), load_dialog, l);
        load_all(json_object_get(s->root, "hook"), load_hook, l);
        load_all(json_object_get(s->root, "push"), load_push, l);
        load_all(json_object_get(s->root, "rule"), load_rule, l);
        load_all(json_object_get(s->root, "account"), load_account, l);
        load_all(json_object_get(s->root, "upgrade"), load_upgrade, l);
        load_all(json_object_get(s->root, "download"), load_download, l);
        err = write_all(s) ? store_writer_start(&s->writer, &b, 0) : GB_EIO;
        if (err == GB_EIO)
            snprintf(why, 256, "%.200s: cannot be written", s->path);
    }
    if (err) {
        json_decref(s->root);
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
    json_decref(s->root);
    free(s);
}

struct store_writer *store_writer_of(struct store *s)
{
    return &s->writer;
}
