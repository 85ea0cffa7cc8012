/* What the owner is told. Changes of devices, channels and sessions are bits
 * on the objects, which wait in dirty lists: several changes make one action,
 * memory cannot run out, and the order is always the same: a device before its
 * channels, the end of its catalog after them, then sessions, then alarms and
 * log lines in the order in which they came. */
#include "app/platform/actions.h"

#include "app/platform/core.h"
#include "app/platform/dialogs.h"
#include "app/platform/settings.h"
#include "app/platform/voices.h"

#include "base/writer.h"

#include <assert.h>

struct queued {
    struct list node;
    enum platform_action_kind kind;
    enum platform_level level;
    union { /* slices into text */
        struct platform_alarm alarm;
        struct platform_position position;
    };
    size_t n;
    char text[];
};

/* Reports that nobody limits, positions above all, leave half of the queue to
 * alarms and log lines. */
static size_t room_of(enum platform_action_kind kind)
{
    return kind == PLATFORM_ALARM || kind == PLATFORM_LOG
               ? PLATFORM_MAX_QUEUED
               : PLATFORM_MAX_QUEUED / 2;
}

/* An entry at the end of the queue with room for n bytes of text, which put()
 * fills; NULL: no room or no memory, counted. */
static struct queued *queued_new(struct platform *p,
                                 enum platform_action_kind kind, size_t n)
{
    struct queued *q = NULL;

    if (p->n_queued < room_of(kind))
        q = gb_get(p->alloc, sizeof(*q) + n);
    if (!q) {
        p->counters.dropped++;
        return NULL;
    }
    q->kind = kind;
    list_push_back(&p->queue, &q->node);
    p->n_queued++;
    return q;
}

static struct slice put(struct queued *q, struct slice s)
{
    struct slice out = { q->text + q->n, s.n };

    if (s.n)
        memcpy(q->text + q->n, s.p, s.n);
    q->n += s.n;
    return out;
}

/* ---- logging ---- */

const char *log_text(struct slice s, char buf[static LOG_TEXT_MAX])
{
    struct writer w = writer_of(buf, LOG_TEXT_MAX - 5);

    for (size_t i = 0; i < s.n && !w.err; i++) {
        unsigned char c = (unsigned char)s.p[i];

        if (c < 0x20 || c == 0x7f || c == '"' || c == '\\') {
            writer_str(&w, "\\x");
            writer_hex(&w, &c, 1);
        } else {
            writer_char(&w, (char)c);
        }
    }
    buf[w.len] = '\0';
    if (w.err)
        memcpy(buf + w.len, "...", 4);
    return buf;
}

static void queue_line(struct platform *p, enum platform_level level,
                       const char *fmt, va_list ap)
{
    char line[640];
    struct writer w = writer_of(line, sizeof(line));
    struct queued *q;

    writer_vf(&w, fmt, ap);
    if (w.err && w.len == 0) /* too long as a whole: say at least so */
        writer_str((w.err = 0, &w), "msg=\"line too long\"");
    q = queued_new(p, PLATFORM_LOG, w.len);
    if (!q)
        return;
    q->level = level;
    put(q, writer_slice(&w));
}

void platform_log(struct platform *p, enum platform_level level,
                  const char *fmt, ...)
{
    va_list ap;

    if (p->cfg.quiet && level > PLATFORM_WARN)
        return;
    va_start(ap, fmt);
    queue_line(p, level, fmt, ap);
    va_end(ap);
}

void platform_log_peer(struct platform *p, enum platform_level level,
                       const char *fmt, ...)
{
    va_list ap;

    if (!bucket_take(&p->log_bucket, PLATFORM_LOG_RATE, PLATFORM_LOG_BURST,
                     p->now.mono_ms)) {
        p->log_dropped++;
        return;
    }
    if (p->log_dropped) {
        platform_log(p, PLATFORM_WARN,
                     "msg=\"log lines caused by peers were left out\" n=%llu",
                     (unsigned long long)p->log_dropped);
        p->log_dropped = 0;
    }
    va_start(ap, fmt);
    queue_line(p, level, fmt, ap);
    va_end(ap);
}

/* ---- marking ---- */

void device_changed(struct platform *p, struct device *d, unsigned changes)
{
    d->changes |= changes;
    if (list_is_empty(&d->dirty))
        list_push_back(&p->dirty_devices, &d->dirty);
}

void channel_changed(struct platform *p, struct channel *c)
{
    if (list_is_empty(&c->dirty))
        list_push_back(&p->dirty_channels, &c->dirty);
}

void session_news(struct platform *p, struct session *s, unsigned news)
{
    s->news |= news;
    if (list_is_empty(&s->dirty))
        list_push_back(&p->dirty_sessions, &s->dirty);
}

void platform_queue_alarm(struct platform *p, const struct platform_alarm *a)
{
    size_t n = a->device.n + a->channel.n + a->priority.n + a->method.n +
               a->type.n + a->event.n + a->time.n + a->description.n;
    struct queued *q = queued_new(p, PLATFORM_ALARM, n);

    if (!q)
        return;
    q->alarm = *a;
    q->alarm.id = ++p->last_alarm;
    q->alarm.device = put(q, a->device);
    q->alarm.channel = put(q, a->channel);
    q->alarm.priority = put(q, a->priority);
    q->alarm.method = put(q, a->method);
    q->alarm.type = put(q, a->type);
    q->alarm.event = put(q, a->event);
    q->alarm.time = put(q, a->time);
    q->alarm.description = put(q, a->description);
}

void platform_queue_position(struct platform *p,
                             const struct platform_position *at)
{
    size_t n = at->device.n + at->channel.n + at->time.n + at->speed.n +
               at->direction.n + at->altitude.n;
    struct queued *q = queued_new(p, PLATFORM_POSITION, n);

    if (!q)
        return;
    q->position = *at;
    q->position.device = put(q, at->device);
    q->position.channel = put(q, at->channel);
    q->position.time = put(q, at->time);
    q->position.speed = put(q, at->speed);
    q->position.direction = put(q, at->direction);
    q->position.altitude = put(q, at->altitude);
}

void platform_queue_told(struct platform *p, enum platform_action_kind kind,
                         struct slice device, struct slice channel,
                         struct slice text)
{
    struct queued *q = queued_new(p, kind, device.n + channel.n + text.n);

    if (!q)
        return;
    q->alarm.description = put(q, text);
    q->alarm.device = put(q, device);
    q->alarm.channel = put(q, channel);
}

void platform_queue_snapshot(struct platform *p, struct slice device,
                             struct slice text)
{
    struct queued *q =
        queued_new(p, PLATFORM_SNAPSHOT_DONE, device.n + text.n);

    if (!q)
        return;
    q->alarm.description = put(q, text);
    q->alarm.device = put(q, device);
}

/* ---- telling ---- */

static struct slice scratch(struct platform *p, size_t off, struct slice s)
{
    struct slice out = { p->scratch + off, s.n };

    assert(off + s.n <= sizeof(p->scratch));
    memcpy(p->scratch + off, s.p, s.n);
    return out;
}

static bool tell_device(struct platform *p, struct platform_action *out)
{
    struct list *n = list_pop_front(&p->dirty_devices);
    struct device *d;
    unsigned changes;

    if (!n)
        return false;
    d = container_of(n, struct device, dirty);
    changes = d->changes;
    d->changes = 0;
    out->device = device_id(d);
    out->peer = d->peer;
    if (changes & CHANGE_REMOVED) {
        out->kind = PLATFORM_DEVICE_REMOVED;
        out->device = scratch(p, 0, device_id(d));
        device_delete(p, d);
        return true;
    }
    if (changes & CHANGE_DISCONNECT) {
        if (changes & ~(unsigned)CHANGE_DISCONNECT)
            device_changed(p, d, changes & ~(unsigned)CHANGE_DISCONNECT);
        out->kind = PLATFORM_DO_DISCONNECT;
        out->connection = d->old_connection;
        return true;
    }
    if (changes & CHANGE_CATALOG_DONE) {
        d->changes = CHANGE_CATALOG_DONE;
        list_push_back(&p->done_devices, &d->dirty);
        changes &= ~(unsigned)CHANGE_CATALOG_DONE;
        if (!changes)
            return tell_device(p, out);
    }
    out->kind = PLATFORM_DEVICE_CHANGED;
    out->flags = changes;
    profile_told(d);
    return true;
}

static bool tell_channel(struct platform *p, struct platform_action *out)
{
    struct list *n = list_pop_front(&p->dirty_channels);
    struct channel *c;

    if (!n)
        return false;
    c = container_of(n, struct channel, dirty);
    out->device = device_id(c->device);
    out->channel = channel_text(c, CHANNEL_ID);
    out->kind = PLATFORM_CHANNEL_CHANGED;
    if (c->removed) {
        out->kind = PLATFORM_CHANNEL_REMOVED;
        out->device = scratch(p, 0, out->device);
        out->channel = scratch(p, PLATFORM_ID_MAX, out->channel);
        channel_free(p, c);
    } else if (c->detail) {
        out->text = slice_of(c->detail, c->detail_len);
        p->told_detail = c->detail;
        c->detail = NULL;
    }
    return true;
}

static bool tell_catalog(struct platform *p, struct platform_action *out)
{
    struct list *n = list_pop_front(&p->done_devices);
    struct device *d;
    unsigned rest;

    if (!n)
        return false;
    d = container_of(n, struct device, dirty);
    rest = d->changes & ~(unsigned)CHANGE_CATALOG_DONE;
    d->changes = 0;
    if (rest) /* changed once more in between */
        device_changed(p, d, rest);
    out->kind = PLATFORM_CATALOG_DONE;
    out->device = device_id(d);
    if (d->asked.catalog != PLATFORM_CATALOG_COMPLETE)
        out->flags = PLATFORM_CATALOG_PARTIAL;
    return true;
}

static bool tell_closed(struct platform *p, struct platform_action *out)
{
    struct list *n = list_pop_front(&p->closed_dialogs);
    struct kept_dialog *k;

    if (!n)
        return false;
    k = container_of(n, struct kept_dialog, closed);
    out->kind = PLATFORM_DIALOG_CLOSED;
    out->dialog_key = k->key;
    k->key = 0;
    if (!k->kept)
        gb_put(p->alloc, k);
    return true;
}

static void name_session(struct platform_action *out, const struct session *s)
{
    out->session = s->handle.id;
    out->loop = s->loop;
    out->transport = s->transport;
    out->port = s->port;
    out->ssrc = s->ssrc;
    out->ssrc_any = s->ssrc_any;
    out->device = session_device(s);
    out->channel = session_channel(s);
}

static void tell_open(struct platform *p, struct session *s,
                      struct platform_action *out)
{
    const struct platform_playback *k = &s->playback.told;

    out->kind = PLATFORM_DO_OPEN;
    out->shared = s->shared;
    out->history_ms = s->kind == PLATFORM_LIVE
                          ? -1
                          : (int64_t)(k->stop_s - k->start_s) * 1000;
    out->local = s->device->peer.local;
    out->remote = s->device->peer.remote;
    out->sets = channel_sets_of(p, s);
    s->ordered = true;
}

static bool tell_session(struct platform *p, struct platform_action *out)
{
    struct session *s;
    unsigned bit;

    while (!list_is_empty(&p->dirty_sessions)) {
        s = container_of(p->dirty_sessions.next, struct session, dirty);
        bit = s->news & (~s->news + 1);
        s->news &= ~bit;
        if (!s->news)
            list_remove(&s->dirty);
        name_session(out, s);
        switch (bit) {
        case NEWS_OPEN:
            tell_open(p, s, out);
            return true;
        case NEWS_ANSWER:
            out->kind = PLATFORM_DO_ANSWER;
            out->remote = s->connect;
            out->video_hint = s->video_hint;
            out->audio_hint = s->audio_hint;
            return true;
        case NEWS_PACE:
            out->kind = PLATFORM_DO_PACE;
            out->scale_milli = s->playback.told.scale_milli;
            out->position_ms = s->playback.seek_ms;
            return true;
        case NEWS_CLOSE:
            out->kind = PLATFORM_DO_CLOSE;
            return true;
        case NEWS_CHANGED:
            out->kind = PLATFORM_SESSION_CHANGED;
            return true;
        case NEWS_DIALOG:
            if (dialog_tell(p, s->device, &s->dialog, out))
                return true;
            break;
        case NEWS_GONE:
            out->kind = PLATFORM_SESSION_GONE;
            p->gone = s;
            return true;
        }
    }
    return false;
}

static bool tell_queued(struct platform *p, struct platform_action *out)
{
    struct list *n = list_pop_front(&p->queue);

    if (!n)
        return false;
    p->n_queued--;
    p->told = container_of(n, struct queued, node);
    out->kind = p->told->kind;
    out->level = p->told->level;
    if (out->kind == PLATFORM_ALARM) {
        out->alarm = &p->told->alarm;
        out->device = p->told->alarm.device;
        out->channel = p->told->alarm.channel;
    } else if (out->kind == PLATFORM_SNAPSHOT_DONE) {
        out->device = p->told->alarm.device;
        out->text = p->told->alarm.description;
    } else if (out->kind == PLATFORM_PTZ_MOVED ||
               out->kind == PLATFORM_VIDEO_OFFERED) {
        out->device = p->told->alarm.device;
        out->channel = p->told->alarm.channel;
        out->text = p->told->alarm.description;
    } else if (out->kind == PLATFORM_POSITION) {
        out->position = &p->told->position;
        out->device = p->told->position.device;
        out->channel = p->told->position.channel;
    } else {
        out->text = slice_of(p->told->text, p->told->n);
    }
    return true;
}

/* What was lent to the owner with the last action. */
static void take_back(struct platform *p)
{
    gb_put(p->alloc, p->told);
    p->told = NULL;
    gb_put(p->alloc, p->told_detail);
    p->told_detail = NULL;
    if (p->gone)
        session_free(p, p->gone);
    p->gone = NULL;
    voices_take_back(p);
}

/* Whoever asked hears of its command before the owner does. */
static bool tell_command(struct platform *p, struct platform_action *out)
{
    if (!commands_news(p, out))
        return false;
    upgrades_on_command(p, out->command);
    records_on_command(p, out->command);
    return true;
}

/* Mostly there is none, and an owner asks behind every message: one look at all
 * that platform_action goes through. */
static bool has_news(const struct platform *p)
{
    const struct list *const all[] = {
        &p->dirty_devices,   &p->dirty_channels,  &p->done_devices,
        &p->dirty_sessions,  &p->dirty_voices,    &p->commands.dirty,
        &p->upgrades.dirty,  &p->records.dirty,   &p->downloads.dirty,
        &p->closed_dialogs,  &p->queue,
    };

    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        if (!list_is_empty(all[i]))
            return true;
    return p->n_group_news > 0;
}

bool platform_action(struct platform *p, struct platform_action *out)
{
    take_back(p);
    if (!has_news(p))
        return false;
    *out = (struct platform_action){ .kind = PLATFORM_LOG };
    return settings_news(p, out) || tell_device(p, out) ||
           tell_channel(p, out) || tell_catalog(p, out) ||
           tell_session(p, out) || voices_news(p, out) ||
           tell_command(p, out) || upgrades_news(p, out) ||
           records_news(p, out) || downloads_news(p, out) ||
           tell_closed(p, out) || tell_queued(p, out);
}

void platform_actions_fini(struct platform *p)
{
    struct list *n;

    take_back(p);
    while ((n = list_pop_front(&p->queue)))
        gb_put(p->alloc, container_of(n, struct queued, node));
    while ((n = list_pop_front(&p->dirty_channels))) {
        struct channel *c = container_of(n, struct channel, dirty);

        if (c->removed)
            channel_free(p, c);
    }
    while ((n = list_pop_front(&p->dirty_devices))) {
        struct device *d = container_of(n, struct device, dirty);

        if (d->changes & CHANGE_REMOVED)
            device_delete(p, d);
    }
}
