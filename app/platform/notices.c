/* By (root, CmdType): what devices tell of themselves. */
#include "app/platform/notices.h"

#include "app/platform/core.h"
#include "app/platform/outgoing.h"
#include "app/platform/session.h"
#include "app/platform/voices.h"

#include "base/writer.h"
#include "manscdp/control.h"
#include "manscdp/device.h"
#include "manscdp/filter.h"
#include "manscdp/media.h"
#include "manscdp/notify.h"
#include "manscdp/preset.h"

#define ALARM_REPEAT_MS 5000   /* the same by MESSAGE and by NOTIFY */
#define ALARM_PLAIN_MS 60000   /* a method 0 behind a specified one */

bool notice_is_foreign(const struct delivery *v, struct slice id)
{
    return id.n && !slice_eq(id, device_id(v->d)) &&
           !channel_find(v->d, id);
}

/* Marks those that it names, or takes the marks away again. What it names: how
 * many; news: whether one of them was not faulty before. */
static uint32_t tell_faults(struct device *d,
                            const struct manscdp_keepalive *k, bool told,
                            bool *news)
{
    uint32_t n = 0;

    for (size_t i = 0; i < k->n_faulty; i++) {
        struct channel *c = channel_find(d, k->faulty[i]);

        if (!c || c->fault_told == told)
            continue;
        c->fault_told = told;
        *news |= !c->fault;
        n++;
    }
    return n;
}

static void mark_faults(struct platform *p, struct device *d,
                        const struct manscdp_keepalive *k)
{
    bool news = false;
    uint32_t told = tell_faults(d, k, true, &news);
    struct about *about;

    /* n_faults may count one that is gone since, and is never too small */
    if ((!news && told == device_about(d)->n_faults) || !device_walks(p, d) ||
        !(about = device_about_own(p, d))) {
        tell_faults(d, k, false, &news);
        return;
    }
    about->n_faults = told;
    for (size_t i = 0; i < d->n_channels; i++) {
        struct channel *c = d->channels[i];

        if (c->fault_told != c->fault) {
            c->fault = c->fault_told;
            channel_changed(p, c);
        }
        c->fault_told = false;
    }
}

static int on_keepalive(void *ctx, const struct manscdp_msg *msg)
{
    struct delivery *v = ctx;
    struct manscdp_keepalive k;

    if (notice_is_foreign(v, msg->device_id)) {
        device_deviation(v->p, v->d, DEVIATION_FOREIGN_ID, msg->device_id);
        return GB_EAUTH;
    }
    if (manscdp_keepalive_decode(&k, msg))
        return GB_ESYNTAX;
    device_keepalive(v->p, v->d);
    if (k.status != MANSCDP_LIFE_OFF)
        device_alive(v->p, v->d);
    mark_faults(v->p, v->d, &k);
    if (k.status == MANSCDP_LIFE_OFF)
        device_offline(v->p, v->d, "says that it is going offline");
    return 0;
}

static int on_catalog(void *ctx, const struct manscdp_msg *msg)
{
    struct delivery *v = ctx;

    query_on_catalog(v->p, v->d, msg,
                     v->ev->msg->method == SIP_METHOD_MESSAGE, v->arena);
    return 0;
}

static int on_info(void *ctx, const struct manscdp_msg *msg)
{
    struct delivery *v = ctx;

    query_on_info(v->p, v->d, msg, v->is_command);
    return 0;
}

/* Where a channel is, by an element with DeviceID and degrees. */
static void move_channel(struct delivery *v, struct slice id, double lon,
                         double lat)
{
    struct channel *c = channel_find(v->d, id);
    struct platform_channel in = { .id = id, .has_position = true,
                                   .longitude = lon, .latitude = lat };

    if (!c)
        return;
    in.on = c->on;
    channel_upsert(v->p, v->d, &in, false);
}

static struct slice short_text(struct slice text)
{
    return slice_head(text, 40);
}

/* The DeviceID of a notice, or the device itself where there is none. */
static struct slice whose(const struct delivery *v, struct slice id)
{
    return id.n ? slice_head(id, PLATFORM_ID_MAX) : device_id(v->d);
}

/* 0/0 and what is out of range is no fix (field-note 13.4). */
static void apply_position(struct delivery *v,
                           const struct manscdp_position_item *it)
{
    struct platform_position at = {
        .device = device_id(v->d),
        .channel = slice_head(it->device_id, PLATFORM_ID_MAX),
        .time = short_text(it->time),
        .speed = short_text(it->speed),
        .direction = short_text(it->direction),
        .altitude = short_text(it->altitude),
        .received_utc_ms = v->p->now.utc_ms,
    };

    if (!manscdp_position(it->longitude, it->latitude, &at.longitude,
                          &at.latitude))
        return;
    move_channel(v, at.channel, at.longitude, at.latitude);
    platform_queue_position(v->p, &at);
}

/* One position, or since 2022 a list of them; each edition writes both.
 * Without a DeviceID it is that of the device itself. */
static int on_position(void *ctx, const struct manscdp_msg *msg)
{
    struct delivery *v = ctx;
    struct manscdp_position_report r;
    struct manscdp_position_item it;

    if (manscdp_position_report_decode(&r, msg))
        return GB_ESYNTAX;
    it = (struct manscdp_position_item){
        .device_id = whose(v, r.head.device_id),
        .time = r.time,
        .longitude = r.longitude,
        .latitude = r.latitude,
        .speed = r.speed,
        .direction = r.direction,
        .altitude = r.altitude,
    };
    apply_position(v, &it);
    for (size_t i = 0; i < r.n_item; i++) {
        it = r.item[i];
        if (!it.device_id.n)
            it.device_id = device_id(v->d);
        if (!it.time.n)
            it.time = r.time;
        apply_position(v, &it);
    }
    return 0;
}

/* What time it has, and which of its alarm inputs are armed. */
static int on_status(void *ctx, const struct manscdp_msg *msg)
{
    struct delivery *v = ctx;
    struct manscdp_device_status s;

    if (manscdp_device_status_decode(&s, msg))
        return GB_ESYNTAX;
    clock_on_status(v->p, v->d, s.device_time);
    for (size_t i = 0; i < s.n_alarms; i++)
        duty_set(v->p, device_id(v->d),
                 slice_head(s.alarm[i].device_id, PLATFORM_ID_MAX - 1),
                 s.alarm[i].duty, "DeviceStatus");
    return 0;
}

/* Remembers the hash; true when it was there within the last while_ms. */
static bool seen_lately(struct alarm_memory *m, uint64_t now_ms, uint64_t hash,
                        uint64_t while_ms, bool remember)
{
    for (unsigned i = 0; i < ALARMS_SEEN; i++)
        if (m->hash[i] == hash && now_ms - m->seen_ms[i] < while_ms)
            return true;
    if (remember) {
        m->hash[m->at % ALARMS_SEEN] = hash;
        m->seen_ms[m->at % ALARMS_SEEN] = now_ms;
        m->at++;
    }
    return false;
}

static uint64_t alarm_hash(const struct platform *p, const struct device *d,
                           const struct manscdp_alarm *a, bool whole)
{
    char text[256];
    struct writer w = writer_of(text, sizeof(text));

    writer_slice_put(&w, device_id(d));
    writer_char(&w, '/');
    writer_slice_put(&w, slice_head(a->device_id, PLATFORM_ID_MAX));
    if (whole) {
        writer_char(&w, '/');
        writer_slice_put(&w, slice_head(a->method, 16));
        writer_char(&w, '/');
        writer_slice_put(&w, slice_head(a->alarm_type, 16));
        writer_char(&w, '/');
        writer_slice_put(&w, slice_head(a->event_type, 16));
        writer_char(&w, '/');
        writer_slice_put(&w, slice_head(a->time, 40));
    }
    return map_hash(p->seed, writer_slice(&w));
}

static void answer_alarm(struct delivery *v, const struct manscdp_alarm *a)
{
    char body[512];
    struct writer w = writer_of(body, sizeof(body));
    struct manscdp_dialect dialect = device_dialect(v->d);

    if (!manscdp_alarm_answer(&w, &dialect, a, true))
        device_message(v->p, v->d, writer_slice(&w), 0, NULL);
}

/* Method 0 says nothing; a combination ("2/5") has no number, but does. */
static bool is_specified(const struct manscdp_alarm *a)
{
    for (size_t i = 0; i < a->method.n; i++)
        if (a->method.p[i] >= '1' && a->method.p[i] <= '9')
            return true;
    return false;
}

/* Its detector stays latched until this comes (alarms of method 2). One at a
 * time: a flood of alarms is no flood of orders. */
static void reset_alarm(struct delivery *v, const struct manscdp_alarm *a)
{
    const struct manscdp_alarm_reset_info info = { .method = SLICE("2") };
    struct manscdp_control_alarm body = { .reset = 1, .info = &info };
    const struct platform_order o = {
        .device = device_id(v->d),
        .target = a->device_id,
        .root = MANSCDP_CONTROL,
        .cmd = MANSCDP_CMD_DEVICE_CONTROL,
        .body = &manscdp_control_alarm_body,
        .in = &body,
    };
    uint64_t id;

    if (v->p->cfg.reset_alarms && is_specified(a) &&
        manscdp_methods_have(a->method, MANSCDP_ALARM_METHOD_DEVICE) &&
        !command_is_open(v->p, o.device, o.target, SLICE("AlarmCmd")))
        platform_command_send(v->p, &o, v->p->now, &id);
}

/* The same once more, or one that says less than what has come just now. */
static bool is_repeated(struct delivery *v, struct alarm_memory *m,
                        const struct manscdp_alarm *a)
{
    uint64_t now_ms = v->p->now.mono_ms;
    uint64_t all = alarm_hash(v->p, v->d, a, true);
    uint64_t place = alarm_hash(v->p, v->d, a, false);

    if (seen_lately(m, now_ms, all, ALARM_REPEAT_MS, true))
        return true;
    if (!is_specified(a))
        return seen_lately(m, now_ms, place, ALARM_PLAIN_MS, false);
    seen_lately(m, now_ms, place, 1000, true);
    return false;
}

static void raise_alarm(struct delivery *v, const struct manscdp_alarm *a)
{
    struct platform *p = v->p;
    const struct platform_alarm out = {
        .device = device_id(v->d),
        .channel = slice_head(a->device_id, PLATFORM_ID_MAX),
        .priority = slice_head(a->priority, 16),
        .method = slice_head(a->method, 16),
        .type = slice_head(a->alarm_type, 16),
        .event = slice_head(a->event_type, 16),
        .time = slice_head(a->time, 40),
        .description = manscdp_text_cut(a->description, 512),
        .longitude = a->lon,
        .latitude = a->lat,
        .has_position = a->has_position,
        .received_utc_ms = p->now.utc_ms,
    };

    p->counters.alarms++;
    platform_queue_alarm(p, &out);
    reset_alarm(v, a);
}

/* NULL: one too many of this device. */
static struct alarm_memory *admit_alarm(struct platform *p, struct device *d,
                                        struct slice id)
{
    struct rare *rare = device_rare_own(p, d);
    struct alarm_memory *m = rare ? rare->alarms : NULL;

    if (rare && !m)
        m = rare->alarms = gb_get(p->alloc, sizeof(*m));
    if (m && bucket_take(&m->rate, PLATFORM_ALARM_RATE, PLATFORM_ALARM_BURST,
                         p->now.mono_ms))
        return m;
    device_deviation(p, d, DEVIATION_ALARM_FLOOD, id);
    p->counters.dropped++;
    return NULL;
}

/* Alarm devices (134) and alarm centres are often in no catalog; only the id
 * of another registered device is not theirs to use. */
static int on_alarm(void *ctx, const struct manscdp_msg *msg)
{
    struct delivery *v = ctx;
    struct alarm_memory *memory;
    struct manscdp_alarm a;

    if (manscdp_alarm_decode(&a, msg))
        return GB_ESYNTAX;
    memory = admit_alarm(v->p, v->d, a.device_id);
    if (!memory)
        return 0;
    profile_alarm(v->p, v->d, v->ev->msg->method == SIP_METHOD_NOTIFY,
                  a.alarm_type.n > 0);
    if (v->ev->msg->method == SIP_METHOD_MESSAGE)
        answer_alarm(v, &a);
    if (notice_is_foreign(v, a.device_id) && device_find(v->p, a.device_id)) {
        device_deviation(v->p, v->d, DEVIATION_FOREIGN_ID, a.device_id);
        return 0;
    }
    if (a.device_id.n == 0)
        a.device_id = device_id(v->d);
    if (a.method_num == MANSCDP_ALARM_METHOD_GPS && a.has_position)
        move_channel(v, a.device_id, a.lon, a.lat);
    if (!is_repeated(v, memory, &a))
        raise_alarm(v, &a);
    return 0;
}

/* A line for each value that it has: its name, a tab, the value. */
static void write_ptz(struct writer *w, const struct manscdp_ptz_notify *m)
{
    const struct {
        const char *name;
        struct slice value;
    } all[] = { { "pan", m->pan }, { "tilt", m->tilt }, { "zoom", m->zoom },
                { "horizontal_angle", m->horizontal_angle },
                { "vertical_angle", m->vertical_angle },
                { "max_view_distance", m->max_view_distance } };

    for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
        if (all[i].value.n)
            writer_f(w, "%s\t%.*s\n", all[i].name,
                     SLICE_ARG(slice_head(all[i].value, 24)));
}

/* Where a camera looks. */
static int on_ptz(void *ctx, const struct manscdp_msg *msg)
{
    struct delivery *v = ctx;
    struct manscdp_ptz_notify m;
    char text[256];
    struct writer w = writer_of(text, sizeof(text));

    if (manscdp_ptz_notify_decode(&m, msg))
        return GB_ESYNTAX;
    write_ptz(&w, &m);
    if (w.len)
        platform_queue_told(v->p, PLATFORM_PTZ_MOVED, device_id(v->d),
                            whose(v, m.head.device_id), writer_slice(&w));
    return 0;
}

/* It would like to show something, and says where it is (2022). Whether that is
 * looked at is for those who are told. */
static int on_offer(void *ctx, const struct manscdp_msg *msg)
{
    struct delivery *v = ctx;
    struct manscdp_video_upload m;
    struct manscdp_position_item at;

    if (manscdp_video_upload_decode(&m, msg))
        return GB_ESYNTAX;
    at = (struct manscdp_position_item){
        .device_id = whose(v, m.head.device_id),
        .time = m.time,
        .longitude = m.longitude,
        .latitude = m.latitude,
    };
    apply_position(v, &at);
    platform_queue_told(v->p, PLATFORM_VIDEO_OFFERED, device_id(v->d),
                        at.device_id, short_text(m.time));
    return 0;
}

static int on_upgrade_result(void *ctx, const struct manscdp_msg *msg)
{
    struct delivery *v = ctx;

    upgrades_on_result(v->p, v->d, msg);
    return 0;
}

static int on_media_status(void *ctx, const struct manscdp_msg *msg)
{
    struct delivery *v = ctx;
    struct manscdp_media_status m;
    struct session *s;
    bool sure;

    if (manscdp_media_status_decode(&m, msg))
        return GB_ESYNTAX;
    s = playback_of(v->d, v->ev, m.head.device_id, &sure);
    if (s && slice_eq(slice_trim(m.type), SLICE(MANSCDP_MEDIA_ENDED)))
        playback_ending(v->p, s, sure);
    return 0; /* others mean nothing before media stop as well */
}

/* Pictures have been uploaded, or should have been (2022, A.2.5). */
static int on_snapshot(void *ctx, const struct manscdp_msg *msg)
{
    struct delivery *v = ctx;
    struct manscdp_snapshot_done s;
    char text[1024];
    struct writer w = writer_of(text, sizeof(text));

    if (manscdp_snapshot_done_decode(&s, msg))
        return GB_ESYNTAX;
    writer_slice_put(&w, slice_head(s.session, 128));
    for (size_t i = 0; i < s.n_file_id; i++) {
        writer_char(&w, '\n');
        writer_slice_put(&w, slice_head(s.file_id[i], 80));
    }
    if (!w.err)
        platform_queue_snapshot(v->p, device_id(v->d), writer_slice(&w));
    return 0;
}

static int on_broadcast(void *ctx, const struct manscdp_msg *msg)
{
    struct delivery *v = ctx;

    voice_on_response(v->p, v->d, msg);
    return 0;
}

static const struct manscdp_handler handlers[] = {
    { MANSCDP_NOTIFY, MANSCDP_CMD_KEEPALIVE, on_keepalive },
    { MANSCDP_NOTIFY, MANSCDP_CMD_ALARM, on_alarm },
    { MANSCDP_NOTIFY, MANSCDP_CMD_CATALOG, on_catalog },
    { MANSCDP_NOTIFY, MANSCDP_CMD_MOBILE_POSITION, on_position },
    { MANSCDP_NOTIFY, MANSCDP_CMD_VIDEO_UPLOAD, on_offer },
    { MANSCDP_NOTIFY, MANSCDP_CMD_UPGRADE_RESULT, on_upgrade_result },
    { MANSCDP_NOTIFY, MANSCDP_CMD_PTZ_POSITION, on_ptz },
    { MANSCDP_NOTIFY, MANSCDP_CMD_MEDIA_STATUS, on_media_status },
    { MANSCDP_NOTIFY, MANSCDP_CMD_SNAPSHOT_FINISHED, on_snapshot },
    { MANSCDP_NOTIFY, MANSCDP_CMD_DEVICE_INFO, on_info },
    { MANSCDP_NOTIFY, MANSCDP_CMD_DEVICE_STATUS, on_status },
    { MANSCDP_RESPONSE, MANSCDP_CMD_BROADCAST, on_broadcast },
    { MANSCDP_RESPONSE, MANSCDP_CMD_CATALOG, on_catalog },
    { MANSCDP_RESPONSE, MANSCDP_CMD_DEVICE_INFO, on_info },
    { MANSCDP_RESPONSE, MANSCDP_CMD_DEVICE_STATUS, on_status },
};

void notice_take(struct delivery *v, const struct manscdp_msg *msg)
{
    manscdp_dispatch(handlers, sizeof(handlers) / sizeof(*handlers), v, msg);
}
