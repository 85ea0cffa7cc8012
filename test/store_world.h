/* test/store_world.h - a store in a folder of its own, and what its loader was
 * told at the last opening */
#ifndef TEST_STORE_WORLD_H
#define TEST_STORE_WORLD_H

#include "test/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "app/store/store.h"

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

static inline void on_device(void *ctx, const struct platform_saved_device *d)
{
    struct seen *s = ctx;

    s->devices++;
    slice_copy(s->name, sizeof(s->name), d->name);
    s->peer = d->peer;
    s->expires = d->expires_utc_ms;
    slice_copy(s->history, sizeof(s->history), d->history);
    slice_copy(s->profile, sizeof(s->profile), d->profile);
}

static inline void on_channel(void *ctx, const struct platform_channel *c)
{
    struct seen *s = ctx;

    s->channels++;
    slice_copy(s->channel_name, sizeof(s->channel_name), c->name);
    s->longitude = c->has_position ? c->longitude : 0;
    s->on = c->on;
    slice_copy(s->business, sizeof(s->business), c->business_group);
}

static inline void on_dialog(void *ctx, uint64_t key, const struct sip_dialog_state *d,
                      const struct sip_peer *peer)
{
    struct seen *s = ctx;

    s->dialogs++;
    s->key = key;
    slice_copy(s->call_id, sizeof(s->call_id), d->call_id);
    s->dialog_peer = *peer;
}

static struct platform_policy group_policy;

static inline void on_group(void *ctx, struct slice name, struct slice sealed,
                     const struct platform_policy *subscribe)
{
    struct seen *s = ctx;

    group_policy = *subscribe;

    s->groups++;
    slice_copy(s->group_name, sizeof(s->group_name), name);
    slice_copy(s->group_sealed, sizeof(s->group_sealed), sealed);
}

static inline void on_settings(void *ctx, struct slice device,
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

static inline void on_ids(void *ctx, uint64_t alarm, uint64_t command)
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

static inline void on_hook(void *ctx, const struct store_hook *h)
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

static inline void on_rule(void *ctx, const struct store_rule *v)
{
    (void)ctx;
    rule.n++;
    slice_copy(rule.name, sizeof(rule.name), v->name);
    slice_copy(rule.lines, sizeof(rule.lines), v->lines);
}

static inline void on_account(void *ctx, const struct store_account *v)
{
    (void)ctx;
    account.n++;
    account.made = v->made_utc_ms;
    slice_copy(account.name, sizeof(account.name), v->name);
    slice_copy(account.role, sizeof(account.role), v->role);
    slice_copy(account.secret, sizeof(account.secret), v->secret);
    slice_copy(account.scope, sizeof(account.scope), v->scope);
}

static inline void on_upgrade(void *ctx, const struct platform_upgrade *u)
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

static inline void on_recorder(void *ctx, struct slice device, struct slice channel,
                        const struct recorders_settings *set)
{
    (void)ctx;
    expect_slice(device, "d");
    expect_slice(channel, "c");
    recorded.n++;
    recorded.set = *set;
}

static inline void on_record(void *ctx, struct slice device, struct slice channel,
                      const struct archive_segment *g)
{
    (void)ctx;
    expect_slice(device, "d");
    expect_slice(channel, "c");
    assert_true(g->begin_utc_ms > recorded.last.begin_utc_ms);
    recorded.segments++;
    recorded.last = *g;
}

static inline void on_push(void *ctx, const struct store_push *p)
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

static inline void on_download(void *ctx, const struct platform_download *d)
{
    (void)ctx;
    download.n++;
    download.d = *d;
    slice_copy(download.device, sizeof(download.device), d->device);
    slice_copy(download.channel, sizeof(download.channel), d->channel);
    slice_copy(download.evidence, sizeof(download.evidence), d->evidence);
    slice_copy(download.parts, sizeof(download.parts), d->parts);
}

static inline struct store *open_store(const char *dir, struct seen *seen,
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

static inline char *temp_dir(void)
{
    static char dir[64];

    slice_copy(dir, sizeof(dir), SLICE("/tmp/gb28181d-store-XXXXXX"));
    assert_non_null(mkdtemp(dir));
    return dir;
}

#endif
