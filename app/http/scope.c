/* What an account may see: the device of each route, in one place, so that no
 * handler can forget to ask. Lists ask for each row (http_sees), streams of
 * events for each event. */
#include "app/http/api.h"

#include "app/platform/voice.h"

bool http_who_sees(const struct http_app *a, uint64_t who,
                   struct slice device)
{
    struct platform_device d;
    struct account v;

    if (!who)
        return true;
    if (!accounts_by_id(a->accounts, who, &v))
        return false; /* it went while its request waited */
    return account_scope_has(v.scope, 'd', device) ||
           (platform_device_view(a->cfg.platform, device, &d) && d.group.n &&
            account_scope_has(v.scope, 'g', d.group));
}

bool http_sees(const struct http_call *c, struct slice device)
{
    return http_who_sees(c->app, c->who, device);
}

bool http_is_bounded(const struct http_call *c)
{
    return c->scope.n > 0;
}

/* ---- whose is it ------------------------------------------------------------- */

/* The device that a request is about, in *out (a view). */
enum owner { OWNER_FOUND, OWNER_NONE, /* there is nothing of that name */
             OWNER_LATER /* the store knows; its answer is looked at */ };
typedef enum owner owner_fn(struct http_call *c, struct slice *out);

static bool number(struct http_call *c, uint64_t *id)
{
    return slice_u64(c->params.value[0], UINT64_MAX, id);
}

static enum owner of_path(struct http_call *c, struct slice *out)
{
    *out = c->params.value[0];
    return OWNER_FOUND;
}

/* Sound that a device sends in a talk plays under the number of the talk. Where
 * a number is that of both, both have to be seen. */
static enum owner of_session(struct http_call *c, struct slice *out)
{
    struct platform_session s;
    struct platform_voice v;
    bool has_voice, has_session;
    uint64_t id;

    if (!number(c, &id))
        return OWNER_NONE;
    has_voice = platform_voice_view(c->app->cfg.platform, id, &v);
    has_session = platform_session_view(c->app->cfg.platform, id, &s) ||
                  http_hls_over(c->app, id, &s);
    if (has_voice && !http_sees(c, v.device))
        return OWNER_NONE;
    *out = has_session ? s.device : has_voice ? v.device
                                              : (struct slice){ NULL, 0 };
    return has_session || has_voice ? OWNER_FOUND : OWNER_NONE;
}

static enum owner of_command(struct http_call *c, struct slice *out)
{
    struct platform_command k;
    uint64_t id;

    if (!number(c, &id))
        return OWNER_NONE;
    if (!platform_command_view(c->app->cfg.platform, id, &k))
        return OWNER_LATER;
    *out = k.device;
    return OWNER_FOUND;
}

static enum owner of_download(struct http_call *c, struct slice *out)
{
    struct platform_download d;
    uint64_t id;

    if (!number(c, &id) ||
        !platform_download_view(c->app->cfg.platform, id, &d))
        return OWNER_NONE;
    *out = d.device;
    return OWNER_FOUND;
}

static enum owner of_upgrade(struct http_call *c, struct slice *out)
{
    struct platform_upgrade u;

    if (!platform_upgrade_view(c->app->cfg.platform, c->params.value[0], &u))
        return OWNER_NONE;
    *out = u.device;
    return OWNER_FOUND;
}

static enum owner of_snapshot(struct http_call *c, struct slice *out)
{
    return http_snapshot_device(c->app, c->params.value[0], out)
               ? OWNER_FOUND : OWNER_NONE;
}

static enum owner of_picture(struct http_call *c, struct slice *out)
{
    return http_picture_device(c->app, c->params.value[0], out)
               ? OWNER_FOUND : OWNER_NONE;
}

/* The channel may be named alone. */
static enum owner of_media(struct http_call *c, struct slice *out)
{
    struct slice channel;

    return http_media_target(c, out, &channel) ? OWNER_FOUND : OWNER_NONE;
}

/* ?device=, which the handler insists on. */
static enum owner of_query(struct http_call *c, struct slice *out)
{
    if (http_query_get(c->head->query, SLICE("device"), c->owner_text,
                       sizeof(c->owner_text), out))
        return OWNER_NONE;
    return OWNER_FOUND;
}

static const struct {
    http_handler_fn *handler;
    owner_fn *owner;
} owners[] = {
    { http_get_session, of_session },
    { http_delete_session, of_session },
    { http_post_control, of_session },
    { http_get_session_media, of_session },
    { http_get_session_hls, of_session },
    { http_get_command, of_command },
    { http_get_download, of_download },
    { http_delete_download, of_download },
    { http_get_download_file, of_download },
    { http_get_upgrade, of_upgrade },
    { http_get_snapshot, of_snapshot },
    { http_get_picture, of_picture },
    { http_delete_picture, of_picture },
    { http_get_media, of_media },
    { http_get_hls, of_media },
    { http_get_records, of_query },
};

/* They leave out what is not seen, or tell nothing of devices. */
static http_handler_fn *const careful[] = {
    http_get_devices, http_get_all_channels, http_get_groups, http_get_subscriptions,
    http_get_sessions, http_get_alarms, http_get_alarms_csv,
    http_post_acknowledge, http_get_positions, http_get_commands,
    http_get_downloads, http_get_upgrades, http_get_recorders,
    http_get_snapshots, http_get_pictures, http_get_events,
    http_get_me, http_post_password, http_logout, http_get_openapi,
    http_get_map, http_get_tile,
};

static bool names_device(const struct http_route *r)
{
    struct slice pattern = slice_str(r->pattern);

    return slice_has_prefix(
        slice_from(pattern, slice_find(pattern, '{')), SLICE("{device}"));
}

static owner_fn *owner_of(const struct http_route *r)
{
    for (size_t i = 0; i < sizeof(owners) / sizeof(*owners); i++)
        if (owners[i].handler == r->handler)
            return owners[i].owner;
    return names_device(r) ? of_path : NULL;
}

static bool is_careful(const struct http_route *r)
{
    for (size_t i = 0; i < sizeof(careful) / sizeof(*careful); i++)
        if (careful[i] == r->handler)
            return true;
    return r->handler == http_wvp && r->arg <= HTTP_WVP_DEVICES;
}

bool http_scope_admits(struct http_call *c)
{
    owner_fn *owner = owner_of(c->route);
    struct slice device = { 0 };
    enum owner got;

    if (!http_is_bounded(c))
        return true;
    if (!owner) {
        if (is_careful(c->route))
            return true;
        http_answer_fail(c, 403, "out-of-scope",
                         "this needs an account that sees all devices");
        return false;
    }
    got = owner(c, &device);
    if (got == OWNER_LATER || (got == OWNER_FOUND && http_sees(c, device)))
        return true;
    /* What is not seen looks like what is not there. */
    http_answer_no_device(c);
    return false;
}
