/* What the platform wants done: orders to the media loops, rows to the store,
 * lines to the log. */
#include "app/daemon_int.h"

#include "app/http/http.h"

#include <stdlib.h>

static void store_device(struct daemon *d, struct slice id)
{
    struct platform_device dev;
    char buf[PLATFORM_SAVED_MAX];

    if (!platform_device_save(d->platform, id, buf, &dev))
        return;
    store_put_device(d->store, &dev);
    if (dev.online)
        sip_edge_trust(d->edge, dev.peer.connection);
}

/* "device/3402…": whose a sealed password is. */
struct slice daemon_owner(const char *kind, struct slice name,
                          char buf[static 128])
{
    int n = snprintf(buf, 128, "%s/%.*s", kind, SLICE_ARG(name));

    return slice_of(buf, n < 128 ? (size_t)n : 127);
}

static void store_settings(struct daemon *d, struct slice id)
{
    struct platform_settings s;
    char sealed[SECRETS_SEALED_MAX], who[128];

    if (!platform_device_settings(d->platform, id, &s))
        return;
    secrets_seal(d->secrets, daemon_owner("device", id, who), s.password, sealed);
    s.password = slice_str(sealed);
    store_put_settings(d->store, id, &s);
}

static void store_download(struct daemon *d, uint64_t id)
{
    struct platform_download j;
    char *buf = malloc(PLATFORM_DOWNLOAD_SAVED_MAX);

    if (buf && platform_download_save(d->platform, id, buf,
                                      PLATFORM_DOWNLOAD_SAVED_MAX, &j))
        store_put_download(d->store, &j);
    free(buf);
}

static void store_group(struct daemon *d, struct slice name)
{
    char sealed[SECRETS_SEALED_MAX], who[128];
    struct platform_group g;

    if (!platform_group_view(d->platform, name, &g))
        return;
    secrets_seal(d->secrets, daemon_owner("group", name, who),
                 platform_group_password(d->platform, name), sealed);
    store_put_group(d->store, name, slice_str(sealed), &g.subscribe);
}

static void store_channel(struct daemon *d, const struct platform_action *a)
{
    struct platform_channel ch;

    if (platform_channel_view(d->platform, a->device, a->channel, &ch))
        store_put_channel(d->store, &ch);
    if (a->text.n)
        store_put_detail(d->store, a->device, a->channel, a->text);
}

static void store_command(struct daemon *d, uint64_t id)
{
    struct platform_command c;

    if (platform_command_view(d->platform, id, &c) && c.is_final)
        store_put_command(d->store, &c);
}

static void log_alarm(const struct platform_alarm *al)
{
    struct log_quoted channel, method, type, text;

    log_f(LOG_INFO, "msg=alarm device=%.*s channel=%s method=%s type=%s text=%s",
          SLICE_ARG(al->device), log_word(&channel, al->channel),
          log_word(&method, al->method), log_word(&type, al->type),
          log_quote(&text, al->description));
}

enum log_level daemon_level(enum platform_level l)
{
    return l == PLATFORM_ERROR  ? LOG_ERROR
           : l == PLATFORM_WARN ? LOG_WARN
                                : LOG_INFO;
}

/* Whose the RTP headers of a session are, and between which addresses. */
static void note_headers(struct daemon *d, uint64_t session)
{
    struct rtplogs_of of;
    struct platform_session s;
    struct platform_device dev;

    if (!d->headers || !platform_session_view(d->platform, session, &s))
        return;
    of = (struct rtplogs_of){ .device = s.device, .channel = s.channel,
                              .call_id = s.call_id, .remote = s.from };
    if (platform_device_view(d->platform, s.device, &dev))
        of.local = dev.peer.local;
    of.local.port = s.port;
    rtplogs_note(d->headers, session, &of);
}

/* What the store keeps. */
static void keep(struct daemon *d, const struct platform_action *a)
{
    struct platform_upgrade u;

    switch (a->kind) {
    case PLATFORM_DEVICE_CHANGED:
        store_device(d, a->device);
        if (a->flags & PLATFORM_CHANGED_SETTINGS)
            store_settings(d, a->device);
        break;
    case PLATFORM_DEVICE_REMOVED:
        store_remove_device(d->store, a->device);
        break;
    case PLATFORM_UPGRADE_CHANGED:
        if (platform_upgrade_view(d->platform, a->text, &u))
            store_put_upgrade(d->store, &u);
        break;
    case PLATFORM_DOWNLOAD_CHANGED:
        store_download(d, a->download);
        break;
    case PLATFORM_DOWNLOAD_GONE:
        store_remove_download(d->store, a->download);
        break;
    case PLATFORM_GROUP_CHANGED:
        store_group(d, a->text);
        break;
    case PLATFORM_GROUP_REMOVED:
        store_remove_group(d->store, a->text);
        break;
    case PLATFORM_CHANNEL_CHANGED:
        store_channel(d, a);
        break;
    case PLATFORM_CHANNEL_REMOVED:
        store_remove_channel(d->store, a->device, a->channel);
        break;
    case PLATFORM_COMMAND_CHANGED:
        store_command(d, a->command);
        break;
    case PLATFORM_POSITION:
        store_add_position(d->store, a->position);
        break;
    case PLATFORM_DIALOG_OPENED:
        store_put_dialog(d->store, a->dialog_key, &a->dialog, &a->peer);
        break;
    case PLATFORM_DIALOG_CLOSED:
        store_remove_dialog(d->store, a->dialog_key);
        break;
    default:
        break;
    }
}

static void session_changed(struct daemon *d, uint64_t session)
{
    struct platform_session s;

    note_headers(d, session);
    if (platform_session_view(d->platform, session, &s)) {
        pushes_on_session(d->pushes, &s);
        recorders_on_session(d->recorders, &s);
    }
    if (!d->closing && d->rtsp)
        rtsp_server_on_session(d->rtsp, session, false);
}

static void session_gone(struct daemon *d, uint64_t session)
{
    struct platform_session s;

    note_headers(d, session);
    if (d->headers)
        rtplogs_end(d->headers, session);
    if (!d->closing && platform_session_view(d->platform, session, &s))
        media_net_forget(d->media, session, s.loop);
    if (!d->closing && d->rtsp)
        rtsp_server_on_session(d->rtsp, session, true);
}

static void order_media(struct daemon *d, const struct platform_action *a)
{
    struct rtplog *headers = NULL;

    if (d->closing) /* the media loops end by themselves */
        return;
    if (a->kind == PLATFORM_DO_OPEN && d->headers)
        headers = rtplogs_open(d->headers, a->session);
    media_net_order(d->media, a, headers);
}

static void act(struct daemon *d, const struct platform_action *a)
{
    switch (a->kind) {
    case PLATFORM_DO_OPEN:
    case PLATFORM_DO_ANSWER:
    case PLATFORM_DO_PACE:
    case PLATFORM_DO_SPEAK:
    case PLATFORM_DO_CLOSE:
        order_media(d, a);
        break;
    case PLATFORM_DO_SAVE:
    case PLATFORM_DO_FILE_END:
        if (!d->closing && d->saves)
            daemon_save(d, a);
        break;
    case PLATFORM_DO_DISCONNECT:
        sip_edge_disconnect(d->edge, a->connection);
        break;
    case PLATFORM_DEVICE_REMOVED:
        daemon_remove_pushes(d, a->device);
        recorders_remove_device(d->recorders, a->device, daemon_now(d));
        break;
    case PLATFORM_CATALOG_DONE:
        log_f(LOG_INFO, "msg=catalog device=%.*s complete=%d",
              SLICE_ARG(a->device), !(a->flags & PLATFORM_CATALOG_PARTIAL));
        break;
    case PLATFORM_SESSION_CHANGED:
        session_changed(d, a->session);
        break;
    case PLATFORM_SESSION_GONE:
        session_gone(d, a->session);
        break;
    case PLATFORM_VOICE_GONE:
        if (!d->closing)
            media_net_forget(d->media, a->session, a->loop);
        break;
    case PLATFORM_ALARM:
        log_alarm(a->alarm);
        store_add_alarm(d->store, a->alarm);
        recorders_on_alarm(d->recorders, a->alarm->device, a->alarm->channel,
                           daemon_now(d));
        break;
    case PLATFORM_LOG:
        log_f(daemon_level(a->level), "%.*s", SLICE_ARG(a->text));
        break;
    case PLATFORM_DEVICE_CHANGED:
    case PLATFORM_UPGRADE_CHANGED:
    case PLATFORM_DOWNLOAD_CHANGED:
    case PLATFORM_DOWNLOAD_GONE:
    case PLATFORM_GROUP_CHANGED:
    case PLATFORM_GROUP_REMOVED:
    case PLATFORM_CHANNEL_CHANGED:
    case PLATFORM_CHANNEL_REMOVED:
    case PLATFORM_COMMAND_CHANGED:
    case PLATFORM_POSITION:
    case PLATFORM_DIALOG_OPENED:
    case PLATFORM_DIALOG_CLOSED:
        break; /* only kept */
    case PLATFORM_RECORDS_CHANGED:
    case PLATFORM_PTZ_MOVED:
    case PLATFORM_VIDEO_OFFERED:
    case PLATFORM_SNAPSHOT_DONE:
    case PLATFORM_VOICE_CHANGED:
        break; /* http_on_action tells those who wait */
    }
}

static void on_action(struct daemon *d, const struct platform_action *a)
{
    act(d, a);
    keep(d, a);
    if (d->closing)
        return;
    http_on_action(d->app, a);
    if (a->kind != PLATFORM_ALARM || !a->alarm)
        return;
    daemon_mqtt_alarm(d, a->alarm);
    daemon_follow_rules(d, a->alarm); /* calls the platform: a is over */
}

void daemon_run_actions(struct daemon *d)
{
    struct platform_action a;

    while (platform_action(d->platform, &a))
        on_action(d, &a);
}
