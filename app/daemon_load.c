/* What the store has kept is given back to the platform. */
#include "app/daemon_int.h"

#include "app/net/random.h"

/* What cannot be taken for want of memory would be missed, and then overwritten
 * as if it had never been: there is no start. */
static void restored(struct daemon *d, int err)
{
    d->load_lacked_memory |= err == GB_ENOMEM;
}

static void on_saved_device(void *ctx, const struct platform_saved_device *s)
{
    struct daemon *d = ctx;

    restored(d, platform_restore_device(d->platform, s, daemon_now(d)));
}

/* A password that does not open with this key is gone; who it was for must be
 * told a new one, and is not let in with another meanwhile. */
static bool unseal(struct daemon *d, const char *kind, struct slice name,
                   struct slice sealed, char buf[static SECRETS_PLAIN_MAX],
                   struct slice *plain)
{
    char who[128];

    if (secrets_unseal(d->secrets, daemon_owner(kind, name, who), sealed, buf, plain))
        return true;
    log_f(LOG_ERROR, "msg=\"a stored password cannot be opened: was the "
                     "installation-key replaced? set it again\" %s=%.*s",
          kind, SLICE_ARG(name));
    for (size_t i = 0; i < SECRETS_PLAIN_MAX; i += 8)
        random_bytes(buf + i, 8);
    for (size_t i = 0; i < SECRETS_PLAIN_MAX; i++)
        buf[i] = (char)('a' + (unsigned char)buf[i] % 26);
    *plain = slice_of(buf, SECRETS_PLAIN_MAX);
    return false;
}

static void on_saved_group(void *ctx, struct slice name, struct slice sealed,
                           const struct platform_policy *subscribe)
{
    struct daemon *d = ctx;
    char buf[SECRETS_PLAIN_MAX];
    struct slice plain;

    unseal(d, "group", name, sealed, buf, &plain);
    restored(d, platform_restore_group(d->platform, name, plain, subscribe,
                                       daemon_now(d)));
}

static void on_saved_settings(void *ctx, struct slice id,
                              const struct platform_settings *saved)
{
    struct daemon *d = ctx;
    struct platform_settings s = *saved;
    char buf[SECRETS_PLAIN_MAX];

    unseal(d, "device", id, saved->password, buf, &s.password);
    restored(d, platform_restore_settings(d->platform, id, &s, daemon_now(d)));
}

static void on_saved_channel(void *ctx, const struct platform_channel *c)
{
    struct daemon *d = ctx;

    restored(d, platform_restore_channel(d->platform, c));
}

static void on_saved_dialog(void *ctx, uint64_t key,
                            const struct sip_dialog_state *s,
                            const struct sip_peer *peer)
{
    struct daemon *d = ctx;

    restored(d, platform_restore_dialog(d->platform, key, s, peer,
                                        daemon_now(d)));
}

static void on_saved_ids(void *ctx, uint64_t alarm, uint64_t command)
{
    struct daemon *d = ctx;

    platform_restore_ids(d->platform, alarm, command);
}

static void on_saved_hook(void *ctx, const struct store_hook *h)
{
    struct daemon *d = ctx;
    char buf[SECRETS_PLAIN_MAX];
    struct hook_settings s = { .name = h->name, .url = h->url,
                               .kinds = h->kinds, .off = h->off };
    int err;

    if (!unseal(d, "hook", h->name, h->sealed, buf, &s.secret))
        s.off = true; /* what it signed nobody would believe */
    err = hooks_set(d->hooks, &s, daemon_now(d));
    if (err)
        log_f(LOG_ERROR, "msg=\"a stored webhook is not called\" hook=%.*s "
                         "why=\"%s\"", SLICE_ARG(h->name), gb_strerror(err));
}

static void on_saved_account(void *ctx, const struct store_account *s)
{
    struct daemon *d = ctx;
    struct account v = { .kind = ACCOUNT_TOKEN, .name = s->name,
                         .secret = s->secret, .scope = s->scope,
                         .made_utc_ms = s->made_utc_ms };
    struct slice kind;

    slice_cut(&v.name, '/', &kind);
    if (slice_eq(kind, SLICE("user")))
        v.kind = ACCOUNT_USER;
    while (v.role < HTTP_ROLE_ADMIN &&
           !slice_eq(s->role, slice_str(http_role_name(v.role))))
        v.role++;
    /* one with a role that nobody knows would be admin: refuse it */
    if (!slice_eq(s->role, slice_str(http_role_name(v.role))) ||
        accounts_set(d->accounts, &v))
        log_f(LOG_ERROR, "msg=\"a stored user or token is not let in\" "
                         "name=%.*s", SLICE_ARG(s->name));
}

static void on_saved_upgrade(void *ctx, const struct platform_upgrade *u)
{
    struct daemon *d = ctx;

    platform_restore_upgrade(d->platform, u, daemon_now(d));
}

static void on_saved_download(void *ctx, const struct platform_download *s)
{
    struct daemon *d = ctx;

    platform_restore_download(d->platform, s, daemon_now(d));
}

int daemon_load(struct daemon *d, char why[static WHY_MAX])
{
    struct store_loader load = {
        .on_device = on_saved_device, .on_channel = on_saved_channel,
        .on_dialog = on_saved_dialog, .on_group = on_saved_group,
        .on_settings = on_saved_settings, .on_ids = on_saved_ids,
        .on_hook = on_saved_hook, .on_upgrade = on_saved_upgrade,
        .on_download = on_saved_download, .on_push = daemon_restore_push,
        .on_recorder = daemon_restore_recorder,
        .on_rule = daemon_restore_rule,
        .on_record = daemon_restore_record, 
        .on_account = on_saved_account, .ctx = d,
    };
    char text[256] = "";
    bool moved = false;
    int err = daemon_make_pushes(d);

    if (err)
        return daemon_fail(why, err, "pushes", gb_strerror(err));
    err = accounts_new(&d->accounts, &gb_alloc_heap);
    if (err)
        return daemon_fail(why, err, "users", gb_strerror(err));
    err = daemon_make_rules(d);
    if (err)
        return daemon_fail(why, err, "rules", gb_strerror(err));
    err = daemon_make_recorders(d);
    if (err)
        return daemon_fail(why, err, "recordings", gb_strerror(err));
    err = store_open(&d->store, d->secrets->dir, &load, text, &moved);

    if (moved)
        log_f(LOG_ERROR, "msg=\"store was damaged and has been moved aside\" "
                         "why=\"%s\"", text);
    if (!GB_SQLITE)
        log_f(LOG_WARN, "msg=\"built without SQLite: of alarms the last %u and "
                        "of commands the last %u are kept, in memory; "
                        "positions and the rest of catalog items are not\"",
              HTTP_ALARMS_MAX, PLATFORM_COMMANDS_MAX);
    if (!err && d->load_lacked_memory)
        return daemon_fail(why, GB_ENOMEM, "store",
                           "there is no memory for all that it holds");
    return err ? daemon_fail(why, err, "store", text) : 0;
}
