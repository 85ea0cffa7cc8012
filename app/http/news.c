/* What main tells the application, as events for those who read them and for
 * webhooks. */
#include "app/http/http.h"

#include "app/http/api.h"

#include "app/platform/voice.h"

static void push(struct http_app *a, const char *type, struct slice device,
                 struct buf *json, const struct jw *j)
{
    if (jw_is_complete(j)) {
        http_events_push(a->events, type, device, buf_view(json));
        http_hooks_event(a, type, device, buf_view(json));
    }
    buf_fini(json);
    if (a->edge.event)
        a->edge.event(a->edge.ctx);
}

/* Nobody reads events, or is called with them: this one need not be written. */
static bool is_unheard(struct http_app *a, const char *type)
{
    if (http_events_wanted(a->events, http_app_now(a).mono_ms) ||
        http_hooks_want(a, type))
        return false;
    http_events_skip(a->events);
    return true;
}

static void on_device(struct http_app *a, const struct platform_action *act)
{
    struct platform_device d;
    struct buf b;
    struct jw j = jw_to(&b);

    if (is_unheard(a, "device"))
        return;
    buf_init(&b, a->cfg.alloc, 16384);
    jw_object(&j);
    jw_put_str(&j, "id", act->device);
    if (act->kind == PLATFORM_DEVICE_REMOVED) {
        jw_put_bool(&j, "removed", true);
    } else if (platform_device_view(a->cfg.platform, act->device, &d)) {
        jw_key(&j, "device");
        http_device_write(&j, &d);
    }
    jw_end(&j);
    push(a, "device", act->device, &b, &j);
}

static void on_channel(struct http_app *a, const struct platform_action *act)
{
    struct platform_channel ch;
    struct buf b;
    struct jw j = jw_to(&b);

    if (is_unheard(a, "channel"))
        return;
    buf_init(&b, a->cfg.alloc, 16384);
    jw_object(&j);
    jw_put_str(&j, "device", act->device);
    jw_put_str(&j, "id", act->channel);
    if (act->kind == PLATFORM_CHANNEL_REMOVED) {
        jw_put_bool(&j, "removed", true);
    } else if (platform_channel_view(a->cfg.platform, act->device,
                                     act->channel, &ch)) {
        jw_put_str(&j, "name", ch.name);
        jw_put_str(&j, "status", ch.status);
        jw_put_bool(&j, "online", ch.on);
    }
    jw_end(&j);
    push(a, "channel", act->device, &b, &j);
}

static void on_alarm(struct http_app *a, const struct platform_alarm *alarm)
{
    struct slice *slot;
    struct buf b;
    struct jw j = jw_to(&b);

    if (!a->alarms && !a->cfg.ask) {
        a->alarms = gb_get(a->cfg.alloc, sizeof(*a->alarms));
        if (!a->alarms)
            return;
        a->alarms->next = 1;
    }
    buf_init(&b, a->cfg.alloc, 16384);
    http_alarm_write(&j, a, alarm, a->cfg.ask ? alarm->id : a->alarms->next);
    if (!jw_is_complete(&j)) {
        buf_fini(&b);
        return;
    }
    if (a->cfg.ask) { /* the store remembers it */
        push(a, "alarm", alarm->device, &b, &j);
        return;
    }
    http_events_push(a->events, "alarm", alarm->device, buf_view(&b));
    http_hooks_event(a, "alarm", alarm->device, buf_view(&b));
    slot = &a->alarms->json[a->alarms->next++ % HTTP_ALARMS_MAX];
    gb_put(a->cfg.alloc, (void *)(uintptr_t)slot->p);
    *slot = buf_view(&b); /* takes the buffer's memory */
    if (a->edge.event)
        a->edge.event(a->edge.ctx);
}

static void on_gone(struct http_app *a, uint64_t session)
{
    struct platform_session s;
    struct buf b;
    struct jw j = jw_to(&b);

    if (!platform_session_view(a->cfg.platform, session, &s))
        return;
    a->ended.packets += s.packets;
    a->ended.bytes += s.bytes;
    a->ended.lost += s.lost;
    a->ended.foreign += s.foreign;
    s.state = s.state == PLATFORM_FAILED ? PLATFORM_FAILED : PLATFORM_STOPPING;
    http_live_changed(a, &s);
    http_control_changed(a, &s);
    if (is_unheard(a, "session"))
        return;
    buf_init(&b, a->cfg.alloc, 16384);
    jw_object(&j);
    jw_put_id(&j, "id", session);
    jw_put_bool(&j, "removed", true);
    jw_end(&j);
    push(a, "session", s.device, &b, &j);
}

void http_app_push(struct http_app *a, const struct push_view *v)
{
    struct buf b;
    struct jw j = jw_to(&b);

    if (is_unheard(a, "push"))
        return;
    buf_init(&b, a->cfg.alloc, 16384);
    http_push_write(&j, v, false);
    push(a, "push", v->device, &b, &j);
}

void http_app_recorder(struct http_app *a, const struct recorder_view *v)
{
    struct buf b;
    struct jw j = jw_to(&b);

    if (is_unheard(a, "recording"))
        return;
    buf_init(&b, a->cfg.alloc, 16384);
    http_recorder_write(&j, v);
    push(a, "recording", v->device, &b, &j);
}

void http_on_session(struct http_app *a, uint64_t session)
{
    struct platform_session s;
    struct buf b;
    struct jw j = jw_to(&b);

    if (!platform_session_view(a->cfg.platform, session, &s))
        return;
    http_live_changed(a, &s);
    http_control_changed(a, &s);
    if (is_unheard(a, "session"))
        return;
    buf_init(&b, a->cfg.alloc, 16384);
    http_session_write(&j, &s);
    push(a, "session", s.device, &b, &j);
}

static void on_voice(struct http_app *a, const struct platform_action *act)
{
    struct platform_voice v;
    struct buf b;
    struct jw j = jw_to(&b);

    if (is_unheard(a, "voice") ||
        !platform_voice_view(a->cfg.platform, act->session, &v))
        return;
    buf_init(&b, a->cfg.alloc, 16384);
    http_voice_event_write(&j, &v, act->kind == PLATFORM_VOICE_GONE);
    push(a, "voice", v.device, &b, &j);
}

static void on_position(struct http_app *a, const struct platform_position *p)
{
    struct buf b;
    struct jw j = jw_to(&b);

    if (is_unheard(a, "position"))
        return;
    buf_init(&b, a->cfg.alloc, 16384);
    http_position_write(&j, p);
    push(a, "position", p->device, &b, &j);
}

/* Lines of "name TAB number". */
static void on_ptz(struct http_app *a, const struct platform_action *act)
{
    struct slice text = act->text, line, name;
    struct buf b;
    struct jw j = jw_to(&b);
    char key[32];
    double v;

    if (is_unheard(a, "ptz"))
        return;
    buf_init(&b, a->cfg.alloc, 16384);
    jw_object(&j);
    jw_put_str(&j, "device", act->device);
    jw_put_str(&j, "channel", act->channel);
    while (text.n) {
        slice_cut(&text, '\n', &line);
        slice_cut(&line, '\t', &name);
        if (slice_copy(key, sizeof(key), name) && slice_double(line, &v))
            jw_put_double(&j, key, v);
    }
    jw_end(&j);
    push(a, "ptz", act->device, &b, &j);
}

/* A device would like to be looked at. */
static void on_offer(struct http_app *a, const struct platform_action *act)
{
    struct buf b;
    struct jw j = jw_to(&b);

    if (is_unheard(a, "offer"))
        return;
    buf_init(&b, a->cfg.alloc, 16384);
    jw_object(&j);
    jw_put_str(&j, "device", act->device);
    jw_put_str(&j, "channel", act->channel);
    jw_put_str(&j, "time", act->text);
    jw_end(&j);
    push(a, "offer", act->device, &b, &j);
}

static void on_command(struct http_app *a, uint64_t id)
{
    struct platform_command k;
    struct buf b;
    struct jw j = jw_to(&b);

    http_wait_changed(a, id);
    if (is_unheard(a, "command") || !platform_command_view(a->cfg.platform, id, &k))
        return;
    buf_init(&b, a->cfg.alloc, 16384);
    http_command_write(&j, &k);
    push(a, "command", k.device, &b, &j);
}

static void on_upgrade(struct http_app *a, struct slice session)
{
    struct platform_upgrade u;
    struct buf b;
    struct jw j = jw_to(&b);

    if (is_unheard(a, "upgrade") ||
        !platform_upgrade_view(a->cfg.platform, session, &u))
        return;
    buf_init(&b, a->cfg.alloc, 16384);
    http_upgrade_write(&j, &u);
    push(a, "upgrade", u.device, &b, &j);
}

static void on_download(struct http_app *a, const struct platform_action *act)
{
    struct platform_download d = { 0 };
    struct buf b;
    struct jw j = jw_to(&b);

    if (is_unheard(a, "download"))
        return;
    buf_init(&b, a->cfg.alloc, 65536);
    jw_object(&j);
    jw_put_id(&j, "id", act->download);
    if (platform_download_view(a->cfg.platform, act->download, &d)) {
        jw_key(&j, "download");
        http_download_write(&j, a->cfg.platform, &d, slice_of("", 0));
    } else {
        jw_put_bool(&j, "removed", true);
    }
    jw_end(&j);
    push(a, "download", d.device, &b, &j);
}

void http_on_action(struct http_app *a, const struct platform_action *act)
{
    switch (act->kind) {
    case PLATFORM_DEVICE_REMOVED:
        http_tree_changed(a, act);
        on_device(a, act);
        break;
    case PLATFORM_DEVICE_CHANGED:
        if (act->flags != PLATFORM_CHANGED_PROFILE) /* for the store alone */
            on_device(a, act);
        break;
    case PLATFORM_CATALOG_DONE:
        on_device(a, act);
        break;
    case PLATFORM_CHANNEL_CHANGED:
    case PLATFORM_CHANNEL_REMOVED:
        http_tree_changed(a, act);
        on_channel(a, act);
        break;
    case PLATFORM_SESSION_CHANGED:
        http_on_session(a, act->session);
        break;
    case PLATFORM_SESSION_GONE:
        on_gone(a, act->session);
        break;
    case PLATFORM_SNAPSHOT_DONE:
        http_snapshot_done(a, act);
        break;
    case PLATFORM_COMMAND_CHANGED:
        http_snapshot_command(a, act->command);
        on_command(a, act->command);
        break;
    case PLATFORM_ALARM:
        if (act->alarm)
            on_alarm(a, act->alarm);
        break;
    case PLATFORM_POSITION:
        on_position(a, act->position);
        break;
    case PLATFORM_PTZ_MOVED:
        on_ptz(a, act);
        break;
    case PLATFORM_VIDEO_OFFERED:
        on_offer(a, act);
        break;
    case PLATFORM_UPGRADE_CHANGED:
        on_upgrade(a, act->text);
        break;
    case PLATFORM_RECORDS_CHANGED:
        http_records_changed(a, act->records);
        break;
    case PLATFORM_DOWNLOAD_CHANGED:
    case PLATFORM_DOWNLOAD_GONE:
        on_download(a, act);
        break;
    case PLATFORM_VOICE_CHANGED:
    case PLATFORM_VOICE_GONE:
        http_voice_changed(a, act);
        on_voice(a, act);
        break;
    case PLATFORM_DO_OPEN:
    case PLATFORM_DO_ANSWER:
    case PLATFORM_DO_PACE:
    case PLATFORM_DO_SPEAK:
    case PLATFORM_DO_CLOSE:
    case PLATFORM_DO_DISCONNECT:
    case PLATFORM_DO_SAVE:
    case PLATFORM_DO_FILE_END:
    case PLATFORM_GROUP_CHANGED:
    case PLATFORM_GROUP_REMOVED:
    case PLATFORM_DIALOG_OPENED:
    case PLATFORM_DIALOG_CLOSED:
    case PLATFORM_LOG:
        break;
    }
}
