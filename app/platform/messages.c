/* Requests other than REGISTER: admission, then
 * MANSCDP by (root, CmdType). The 200 goes out before any work is done. */
#include "app/platform/messages.h"

#include "app/platform/core.h"
#include "app/platform/nat.h"
#include "app/platform/outgoing.h"
#include "app/platform/registrar.h"
#include "app/platform/session.h"
#include "app/platform/voices.h"

#include "base/writer.h"
#include "manscdp/control.h"
#include "manscdp/device.h"
#include "manscdp/filter.h"
#include "manscdp/media.h"
#include "manscdp/notify.h"
#include "manscdp/preset.h"
#include "sip/multipart.h"
#include "sip/value.h"

#define ALARM_REPEAT_MS 5000   /* the same by MESSAGE and by NOTIFY */
#define ALARM_PLAIN_MS 60000   /* a method 0 behind a specified one */
#define PROBE_EVERY_MS 5000

/* One body and the request that carried it. */
struct delivery {
    struct platform *p;
    struct device *d;
    const struct sip_event *ev;
    struct slice body; /* the XML: of the message, or a part of it */
    struct arena *arena;
    bool is_command;   /* it has answered one */
};

/* ---- handlers ---- */

/* Speaks the body of this device, or of another one that is known here? */
static bool is_foreign(const struct delivery *v, struct slice id)
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

    if (is_foreign(v, msg->device_id)) {
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
    if (is_foreign(v, a.device_id) && device_find(v->p, a.device_id)) {
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

    if (manscdp_media_status_decode(&m, msg))
        return GB_ESYNTAX;
    s = playback_of(v->d, v->ev, m.head.device_id);
    if (s && slice_eq(slice_trim(m.type), SLICE(MANSCDP_MEDIA_ENDED)))
        playback_ending(v->p, s);
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

/* ---- the body ---- */

static void learn_charset(struct platform *p, struct device *d,
                          enum manscdp_charset seen)
{
    if (seen == MANSCDP_ASCII || (d->charset_known && d->charset == seen))
        return;
    /* it reads what it writes; older editions know no other name for GBK */
    if (seen == MANSCDP_GB18030 && d->edition != MANSCDP_2022)
        seen = MANSCDP_GB2312;
    if (d->charset_known && d->charset == seen)
        return;
    d->charset = (uint8_t)seen;
    d->charset_known = true;
    device_changed(p, d, PLATFORM_CHANGED_INFO);
}

/* What it is says more than what it is called. */
static void look_at_type(struct delivery *v)
{
    struct slice type = sip_msg_value(v->ev->msg, SIP_HDR_CONTENT_TYPE);
    enum sip_content content = sip_msg_content(v->ev->msg);

    if (!type.n || (content != SIP_CONTENT_MANSCDP &&
                    content != SIP_CONTENT_MULTIPART))
        device_deviation(v->p, v->d, DEVIATION_BODY_TYPE, type);
}

/* The status that answers a body which was read. */
static unsigned judge(struct delivery *v, const struct manscdp_msg *msg)
{
    struct platform *p = v->p;

    look_at_type(v);
    if (msg->doc.wide)
        device_deviation(p, v->d, DEVIATION_BODY_WIDE, msg->cmd_name);
    if (msg->doc.salvaged)
        device_deviation(p, v->d, DEVIATION_XML_SALVAGED, msg->cmd_name);
    else if (msg->doc.repaired)
        device_deviation(p, v->d, DEVIATION_XML_REPAIRED, msg->cmd_name);
    if (!msg->has_sn)
        device_deviation(p, v->d, DEVIATION_NO_SN, msg->cmd_name);
    if (msg->device_id.n == 0)
        device_deviation(p, v->d, DEVIATION_NO_DEVICE_ID, msg->cmd_name);
    if (msg->cmd_name.n == 0)
        return 400;
    if (msg->cmd == MANSCDP_CMD_OTHER) {
        device_deviation(p, v->d, DEVIATION_UNKNOWN_CMD, msg->cmd_name);
        return 400;
    }
    if (msg->cmd == MANSCDP_CMD_KEEPALIVE && is_foreign(v, msg->device_id)) {
        device_deviation(p, v->d, DEVIATION_FOREIGN_ID, msg->device_id);
        return 403;
    }
    return 200;
}

static void read_body(struct delivery *v)
{
    struct platform *p = v->p;
    struct manscdp_msg msg;
    struct gb_diag diag = { 0, "" };
    int err = manscdp_msg_parse(&msg, v->arena, v->body, NULL, &diag);
    unsigned status;

    if (err) {
        p->counters.bad_bodies++;
        device_deviation(p, v->d, DEVIATION_BODY_REFUSED,
                         slice_str(diag.why ? diag.why : gb_strerror(err)));
        platform_respond(p, v->ev,
                         err == GB_EUNSUPPORTED ? 415
                         : err == GB_ENOMEM     ? 500
                                                : 400);
        return;
    }
    status = judge(v, &msg);
    platform_respond(p, v->ev, status);
    if (status != 200)
        return;
    learn_charset(p, v->d, msg.doc.charset);
    if (msg.cmd != MANSCDP_CMD_KEEPALIVE) /* which may be a farewell */
        device_alive(p, v->d);
    v->is_command = commands_on_message(p, v->d, &msg);
    manscdp_dispatch(handlers, sizeof(handlers) / sizeof(*handlers), v, &msg);
}

/* The XML of a multipart body: 0, or the status that refuses it. */
static unsigned take_part(struct delivery *v, const struct sip_msg *m)
{
    struct sip_part part;
    int err = sip_multipart_find(sip_msg_value(m, SIP_HDR_CONTENT_TYPE),
                                 m->body, SIP_CONTENT_MANSCDP, &part);

    if (err)
        return err == GB_ENOENT ? 415 : 400;
    device_deviation(v->p, v->d, DEVIATION_MULTIPART, slice_of(NULL, 0));
    v->body = part.body;
    return 0;
}

static void on_message(struct platform *p, struct device *d,
                       const struct sip_event *ev)
{
    size_t need = MANSCDP_ARENA_FOR(ev->msg->body.n);
    struct arena a = arena_of(p->arena, PLATFORM_ARENA);
    struct delivery v = { .p = p, .d = d, .ev = ev, .body = ev->msg->body,
                          .arena = &a };
    unsigned status = 0;
    char *own = NULL;

    switch (sip_msg_content(ev->msg)) {
    case SIP_CONTENT_MANSCDP:
        break;
    case SIP_CONTENT_NONE: /* a NOTIFY may say its state alone */
        if (ev->msg->method == SIP_METHOD_NOTIFY)
            device_alive(p, d);
        platform_respond(p, ev,
                         ev->msg->method == SIP_METHOD_NOTIFY ? 200 : 400);
        return;
    case SIP_CONTENT_MULTIPART:
        status = take_part(&v, ev->msg);
        break;
    case SIP_CONTENT_OTHER: /* text/plain, for one */
    case SIP_CONTENT_SDP:
    case SIP_CONTENT_MANSRTSP: /* no MESSAGE has them: XML is what it seems */
        if (sip_content_of_body(v.body) != SIP_CONTENT_MANSCDP)
            status = 415;
        break;
    }
    if (status) {
        platform_respond(p, ev, status);
        return;
    }
    if (need > PLATFORM_ARENA) {
        own = gb_get(p->alloc, need);
        if (!own) {
            platform_respond(p, ev, 500);
            return;
        }
        a = arena_of(own, need);
    }
    read_body(&v);
    gb_put(p->alloc, own);
}

/* ---- admission ---- */

/* The same address, another port: it is alive, but is only moved there when
 * a request of ours is answered from there. */
static void probe(struct platform *p, struct device *d,
                  const struct sip_peer *from)
{
    struct rare *r = device_rare_own(p, d);
    struct outgoing o;

    device_deviation(p, d, DEVIATION_PORT_MOVED, slice_of(NULL, 0));
    if (!r)
        return; /* its next message asks again */
    if (r->probe_transaction && gb_addr_eq(&r->probe.remote, &from->remote))
        return;
    if (r->probe_ms && p->now.mono_ms - r->probe_ms < PROBE_EVERY_MS)
        return;
    if (outgoing_init_at(&o, p, from, &from->remote, device_id(d),
                         SIP_METHOD_OPTIONS))
        return;
    o.r.user = d->handle.id;
    o.r.timeout_ms = 10000;
    if (sip_stack_request(p->sip, &o.r, p->now.mono_ms, &r->probe_transaction))
        r->probe_transaction = 0;
    r->probe = *from;
    r->probe_ms = p->now.mono_ms ? p->now.mono_ms : 1;
}

/* Outside of a dialog, too, some name the channel that a message is about: it is
 * of the device that is bound to exactly this peer, of those bound last where a
 * proxy has many. */
static struct device *of_channel(const struct platform *p,
                                 const struct sip_peer *peer, struct slice id)
{
    struct device *d = device_bound_to(p, peer);

    for (unsigned i = 0; d && i < CHANNEL_SENDERS_MAX; i++) {
        if (channel_find(d, id))
            return d;
        d = device_bound_next(d);
    }
    return NULL;
}

/* Whose request this is: the device of From, or of the dialog or subscription,
 * inside which From is the channel. */
static struct device *sender(const struct platform *p,
                             const struct sip_event *ev, struct slice from)
{
    const struct session *s = ev->dialog ? session_find(p, ev->user) : NULL;
    struct handle *h = idmap_find(&p->handles, ev->user);

    struct device *d;

    if (ev->subscription && h && h->kind == HANDLE_DEVICE)
        return container_of(h, struct device, handle);
    if (s && s->device)
        return s->device;
    d = device_find(p, from);
    if (!d && ev->msg->method == SIP_METHOD_MESSAGE)
        return of_channel(p, &ev->peer, from);
    if (d || ev->msg->method != SIP_METHOD_INVITE)
        return d;
    d = device_bound_to(p, &ev->peer); /* From may be its voice output */
    return d && voice_of(p, d) ? d : NULL;
}

/* A Keepalive where a REGISTER is due: devices that do not heed the 403 stay so
 * for ever, and say themselves that they are online. */
static void note_stray(struct platform *p, const struct sip_event *ev,
                       struct slice id, const struct device *d)
{
    if (ev->msg->method != SIP_METHOD_MESSAGE || !admit_is_id(id) ||
        slice_eq(id, p->id) || !admit_id_allowed(p, id))
        return;
    pending_note_stray(
        p, id, sip_msg_value(ev->msg, SIP_HDR_USER_AGENT), &ev->peer,
        d && d->bound
            ? "it sends messages from another address than it registered from: "
              "let it register again"
            : "it sends messages and is not registered: let it register again, "
              "or restart it");
}

/* The device that may send this, or NULL: it has been answered. */
static struct device *admit(struct platform *p, const struct sip_event *ev,
                            bool *moved)
{
    const struct sip_response r = { .status = 403, .expires = -1 };
    char text[PLATFORM_ID_MAX], addr[GB_ADDR_TEXT_MAX], id[LOG_TEXT_MAX];
    struct slice from = { "", 0 };
    struct device *d;

    d = sender(p, ev, platform_user(&ev->msg->from.uri, text, &from)
                          ? from
                          : SLICE(""));
    if (d && device_admits(d, &ev->peer, moved)) {
        if (!*moved && (ev->peer.connection != d->peer.connection ||
                        ev->peer.listener != d->peer.listener))
            device_bind(p, d, &ev->peer, false);
        if (!ev->dialog && ev->msg->method == SIP_METHOD_MESSAGE &&
            !slice_eq(from, device_id(d)))
            device_deviation(p, d, DEVIATION_FROM_CHANNEL, from);
        return d;
    }
    p->counters.stray_messages++;
    note_stray(p, ev, d ? device_id(d) : from, d);
    if (d) /* unknown ones have their line in the summary of the minute */
        platform_log_peer(p, PLATFORM_INFO,
                          "msg=\"request refused\" method=%.*s from=\"%s\" "
                          "peer=%s why=\"%s\"",
                          SLICE_ARG(slice_head(ev->msg->method_name, 16)),
                          log_text(from, id),
                          gb_addr_text(&ev->peer.remote, addr),
                          d->bound ? "not from the address it registered from"
                                   : "not registered");
    sip_stack_respond_stateless(p->sip, ev->transaction, &r, p->now.mono_ms);
    return NULL;
}

/* Packages that we read; whoever is subscribed to us comes with cascading. */
static void refuse_event(struct platform *p, const struct sip_event *ev)
{
    const struct sip_extra allow = { SLICE("Allow-Events"),
                                     SLICE("Catalog, presence") };
    const struct sip_response r = {
        .status = 489, .expires = -1, .extra = &allow, .n_extra = 1
    };

    sip_stack_respond(p->sip, ev->transaction, &r, p->now.mono_ms);
}

/* Devices notify without being asked, in dialogs of before a restart, or under
 * a Call-ID of their own: the body counts. */
static void on_notify(struct platform *p, struct device *d,
                      const struct sip_event *ev)
{
    p->counters.notifies++;
    if (!subscriptions_admit(p, d, ev)) {
        platform_respond(p, ev, 200); /* or it would come again */
        device_alive(p, d);
        return;
    }
    if (ev->subscription) {
        subscriptions_on_notify(p, d, ev);
    } else {
        p->counters.stray_notifies++;
        device_deviation(p, d, DEVIATION_NOTIFY_STRAY, slice_of(NULL, 0));
    }
    on_message(p, d, ev);
}

/* Only those of a broadcast are taken. One for an id that nobody here has is
 * told so, since its sender may have it from another platform. */
static void refuse_invite(struct platform *p, struct device *d,
                          const struct sip_event *ev)
{
    char text[PLATFORM_ID_MAX];
    struct slice id;
    bool known = ev->msg->to.tag.n || !ev->msg->uri.user.n; /* we, by host */

    if (!known && platform_user(&ev->msg->uri, text, &id))
        known = slice_eq(id, p->id) || device_find(p, id) ||
                channel_find(d, id);
    device_deviation(p, d, DEVIATION_INVITE_FOREIGN, slice_of(NULL, 0));
    platform_respond(p, ev, known ? 488 : 404);
}

void messages_refused(struct platform *p, const struct sip_event *ev)
{
    char text[PLATFORM_ID_MAX];
    struct slice from = { "", 0 };
    bool moved = false;
    struct device *d;

    platform_user(&ev->msg->from.uri, text, &from);
    d = sender(p, ev, from);
    if (d && device_admits(d, &ev->peer, &moved))
        voice_on_refused(p, d, ev);
}

void messages_request(struct platform *p, const struct sip_event *ev)
{
    bool moved = false;
    struct device *d = admit(p, ev, &moved);

    if (!d)
        return;
    if (ev->msg->odd)
        device_deviation(p, d, DEVIATION_ODD_SIP, ev->msg->method_name);
    if (moved)
        probe(p, d, &ev->peer);
    else
        nat_heard(p, d);
    switch (ev->msg->method) {
    case SIP_METHOD_MESSAGE:
        on_message(p, d, ev);
        return;
    case SIP_METHOD_NOTIFY:
        on_notify(p, d, ev);
        return;
    case SIP_METHOD_OPTIONS:
        platform_respond(p, ev, 200);
        break;
    case SIP_METHOD_INFO: /* belongs to a call (RFC 6086 §4.2.2) */
        platform_respond(p, ev, ev->dialog ? 200 : 481);
        break;
    case SIP_METHOD_INVITE:
        if (!voice_on_invite(p, d, ev) && !session_on_reinvite(p, ev))
            refuse_invite(p, d, ev);
        break;
    case SIP_METHOD_SUBSCRIBE:
        refuse_event(p, ev);
        break;
    case SIP_METHOD_REGISTER: /* the registrar's */
    case SIP_METHOD_BYE: /* these the stack has answered */
    case SIP_METHOD_CANCEL:
    case SIP_METHOD_ACK:
    case SIP_METHOD_PRACK:
    case SIP_METHOD_UPDATE:
    case SIP_METHOD_REFER:
    case SIP_METHOD_PUBLISH:
    case SIP_METHOD_OTHER:
    case SIP_METHOD_COUNT:
        break;
    }
    device_alive(p, d);
}
