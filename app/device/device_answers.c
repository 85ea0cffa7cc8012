/* app/device/device_answers.c - what a device says when it is asked
 * (GB/T 28181-2022 A.2.4, A.2.6) */
#include "app/device/device_impl.h"

#include "manscdp/control.h"
#include "manscdp/filter.h"
#include "manscdp/media.h"
#include "manscdp/notify.h"
#include "manscdp/record.h"
#include "manscdp/time.h"

#include <stdio.h>

#define BODY_BYTES 8192
#define PRIORITY 4    /* of every alarm: the lowest */
#define MAX_DUTIES 32 /* alarm devices in one DeviceStatus */

/* What all answers of a body from the tables begin with. */
static struct manscdp_head head_of(const struct device *d,
                                   const struct manscdp_msg *m)
{
    return (struct manscdp_head){ .sn = device_answer_sn(d, m->sn),
                                  .device_id = device_answer_id(
                                      d, m->device_id) };
}

/* Bodies for which the standard has no Result get one all the same. */
static void put_error(struct writer *w)
{
    static const struct slice end = SLICE_INIT("</Response>\r\n");

    if (slice_eq(slice_from(writer_slice(w), w->len - end.n), end)) {
        w->len -= end.n;
        writer_str(w, "<Result>ERROR</Result>\r\n");
        writer_slice_put(w, end);
    }
}

static int send_body(struct device *d, const struct manscdp_body *b,
                     const void *in)
{
    char buf[BODY_BYTES];
    struct writer w = writer_of(buf, sizeof(buf));
    int err = device_encode(d, &w, b, in);

    if (!err && d->c.faults.says_error)
        put_error(&w);
    return err ? err : device_send(d, &w, FOR_OTHER, d->now);
}

/* The target can say something, and does not refuse to. */
static bool may_tell(const struct device *d, size_t target)
{
    return target != DEVICE_NOBODY && !d->c.faults.says_error;
}

static struct device_target *known(const struct device *d, size_t target)
{
    return device_model_find(&d->model, target);
}

/* ---- DeviceInfo and DeviceStatus ------------------------------------------- */

static int on_info_query(void *ctx, const struct manscdp_msg *m)
{
    struct device *d = ctx;
    const struct device_gear *g = d->model.gear;
    const struct manscdp_dialect dialect = device_answer_dialect(d);
    size_t target = device_target_of(d, m->device_id);
    char buf[2048], count[16];
    struct writer w = writer_of(buf, sizeof(buf));
    struct manscdp_device_info info = {
        .sn = device_answer_sn(d, m->sn),
        .device_id = device_answer_id(d, m->device_id),
        .result = MANSCDP_ERROR,
    };

    snprintf(count, sizeof(count), "%zu",
             target == d->c.n_channels ? d->c.n_channels : 1);
    if (may_tell(d, target)) {
        info.result = MANSCDP_OK;
        info.device_name = slice_str(g && *g->name ? g->name : d->c.name);
        info.device_type = SLICE("IPC");
        info.manufacturer = slice_str(d->c.manufacturer);
        info.model = slice_str(d->c.model);
        info.firmware = slice_str(g && *g->firmware ? g->firmware
                                                    : d->c.firmware);
        info.max_camera = info.channel = slice_str(count);
        info.max_alarm = SLICE("0");
    }
    if (may_tell(d, target) && target < d->c.n_channels)
        info.device_name = slice_str(d->c.channel[target].name);
    manscdp_device_info_encode(&w, &dialect, &info);
    return device_send(d, &w, FOR_OTHER, d->now);
}

static struct slice id_of(const struct device *d, size_t target)
{
    return slice_str(target < d->c.n_channels ? d->c.channel[target].id
                                              : d->c.id);
}

/* Those that were armed, disarmed or are alarming; of a channel only it. */
static size_t duties_of(const struct device *d, size_t target,
                        struct manscdp_alarm_device out[static MAX_DUTIES])
{
    size_t n = 0;

    for (const struct device_target *t = d->model.first;
         t && n < MAX_DUTIES; t = t->next) {
        if ((target < d->c.n_channels && t->index != target) ||
            (t->duty == MANSCDP_DUTY_UNKNOWN && !t->alarming))
            continue;
        out[n].device_id = id_of(d, t->index);
        out[n++].duty = t->alarming ? MANSCDP_DUTY_ALARM : t->duty;
    }
    return n;
}

static bool is_off(const struct device *d, size_t target)
{
    return d->channel_state && target < d->c.n_channels &&
           d->channel_state[target] & CHANNEL_OFF;
}

static int on_status_query(void *ctx, const struct manscdp_msg *m)
{
    struct device *d = ctx;
    const struct manscdp_dialect dialect = device_answer_dialect(d);
    size_t target = device_target_of(d, m->device_id);
    const struct device_target *t = known(d, target);
    struct manscdp_alarm_device duty[MAX_DUTIES];
    char buf[BODY_BYTES], when[40];
    struct writer w = writer_of(buf, sizeof(buf));
    struct writer tw = writer_of(when, sizeof(when));
    struct manscdp_device_status st = {
        .sn = device_answer_sn(d, m->sn),
        .device_id = device_answer_id(d, m->device_id),
        .result = may_tell(d, target) ? MANSCDP_OK : MANSCDP_ERROR,
        .online = target == DEVICE_NOBODY || is_off(d, target) ? MANSCDP_OFF
                                                               : MANSCDP_ON,
        .status = may_tell(d, target) ? MANSCDP_OK : MANSCDP_ERROR,
        .encode = MANSCDP_ON,
        .record = t && t->recording ? MANSCDP_ON : MANSCDP_OFF,
        .alarm = duty,
        .n_alarms = duties_of(d, target, duty),
    };

    manscdp_time_write(&tw, d->now.utc_ms, d->c.timezone_min);
    st.device_time = writer_slice(&tw);
    manscdp_device_status_encode(&w, &dialect, &st);
    return device_send(d, &w, FOR_OTHER, d->now);
}

/* ---- lists ------------------------------------------------------------------ */

static struct device_list list_of(const struct device *d,
                                  const struct manscdp_msg *m)
{
    struct device_list l = { .cmd = m->cmd,
                             .sn = device_answer_sn(d, m->sn),
                             .target = device_target_of(d, m->device_id) };

    slice_copy(l.id, sizeof(l.id),
               slice_head(device_answer_id(d, m->device_id), DEVICE_ID_MAX));
    return l;
}

/* 2, 4, 6 or 8 digits: the region that the device lies in. */
static bool is_own_region(const struct device *d, struct slice id)
{
    return id.n >= 2 && id.n <= 8 && id.n % 2 == 0 &&
           slice_has_prefix(slice_str(d->c.id), id);
}

static int on_catalog_query(void *ctx, const struct manscdp_msg *m)
{
    struct device *d = ctx;
    struct device_list l = list_of(d, m);

    if (is_own_region(d, m->device_id))
        l.target = d->c.n_channels;
    if (may_tell(d, l.target)) {
        bool whole = l.target == d->c.n_channels;

        l.first = whole ? 0 : l.target;
        l.total = whole ? d->c.n_channels : 1;
    }
    device_list_begin(d, &l);
    return 0;
}

static int64_t time_of(const struct device *d, struct slice text,
                       int64_t otherwise)
{
    int64_t utc_ms = otherwise;

    manscdp_time_parse(text, d->c.timezone_min, &utc_ms);
    return utc_ms;
}

static int on_record_query(void *ctx, const struct manscdp_msg *m)
{
    struct device *d = ctx;
    struct device_list l = list_of(d, m);
    struct manscdp_record_query q;
    int err = manscdp_record_query_decode(&q, m);

    if (err)
        return err;
    l.as_of_utc_ms = d->now.utc_ms;
    l.asked.from_utc_ms = time_of(d, q.start_time, 0);
    l.asked.to_utc_ms = time_of(d, q.end_time, d->now.utc_ms);
    l.timed = !q.type.n || slice_ieq(q.type, SLICE("all")) ||
              slice_ieq(q.type, SLICE("time"));
    l.manual = !q.type.n || slice_ieq(q.type, SLICE("all")) ||
               slice_ieq(q.type, SLICE("manual"));
    if (may_tell(d, l.target))
        l.total = device_records_count(d, &l);
    device_list_begin(d, &l);
    return 0;
}

static int on_preset_query(void *ctx, const struct manscdp_msg *m)
{
    struct device *d = ctx;
    struct device_list l = list_of(d, m);
    const struct device_target *t = known(d, l.target);

    if (may_tell(d, l.target) && t)
        l.total = t->ptz.n_presets;
    device_list_begin(d, &l);
    return 0;
}

static int on_tracks_query(void *ctx, const struct manscdp_msg *m)
{
    struct device *d = ctx;
    struct device_list l = list_of(d, m);
    const struct device_target *t = known(d, l.target);

    if (may_tell(d, l.target) && t)
        l.total = t->ptz.n_tracks;
    device_list_begin(d, &l);
    return 0;
}

/* A type that the camera does not have is answered with ERROR. */
static int on_config_query(void *ctx, const struct manscdp_msg *m)
{
    struct device *d = ctx;
    struct device_list l = list_of(d, m);
    struct manscdp_config_query q;
    struct slice type;
    int err = manscdp_config_query_decode(&q, m);

    if (err)
        return err;
    while (manscdp_config_type_next(&q.types, &type)) {
        uint32_t bit = may_tell(d, l.target)
                           ? device_values_type(type, d->c.dialect.edition)
                           : 0;

        l.types |= bit ? bit : 1;
    }
    for (uint32_t left = l.types; left; left &= left - 1)
        l.total++;
    device_list_begin(d, &l);
    return 0;
}

/* ---- where it looks ---------------------------------------------------------- */

static int on_home_query(void *ctx, const struct manscdp_msg *m)
{
    struct device *d = ctx;
    size_t target = device_target_of(d, m->device_id);
    const struct device_target *t = known(d, target);
    struct manscdp_home_answer a = { .head = head_of(d, m) };

    if (may_tell(d, target) && t && t->home.enabled.has)
        a.home = &t->home;
    return send_body(d, &manscdp_home_answer_body, &a);
}

static void write_point(struct manscdp_track_point *out,
                        const struct device_track *t, size_t i)
{
    uint32_t speed = t->speed < 1 ? 1 : t->speed > 15 ? 15 : t->speed;

    *out = (struct manscdp_track_point){
        .preset = manscdp_int(t->preset[i]),
        .stay_time = manscdp_int(t->stay_s),
        .speed = manscdp_int(speed),
    };
}

static int on_track_query(void *ctx, const struct manscdp_msg *m)
{
    struct device *d = ctx;
    size_t target = device_target_of(d, m->device_id);
    const struct device_target *t = known(d, target);
    const struct device_track *track = NULL;
    struct manscdp_track_point point[DEVICE_MAX_POINTS];
    struct manscdp_track_answer a = { .head = head_of(d, m), .point = point };
    struct manscdp_track_query q;
    int err = manscdp_track_query_decode(&q, m);

    if (err)
        return err;
    if (t && may_tell(d, target))
        track = device_ptz_track(&t->ptz, q.number.v);
    a.number = manscdp_int(q.number.v);
    a.n_point = track ? track->n : 0;
    a.sum_num = manscdp_int((uint32_t)a.n_point);
    if (track)
        a.name = slice_str(track->name);
    for (size_t i = 0; i < a.n_point; i++)
        write_point(&point[i], track, i);
    return send_body(d, &manscdp_track_answer_body, &a);
}

static int on_look_query(void *ctx, const struct manscdp_msg *m)
{
    struct device *d = ctx;
    size_t target = device_target_of(d, m->device_id);
    const struct manscdp_head head = head_of(d, m);
    const struct manscdp_ptz_position nothing = { .head = head };
    char buf[1024];
    struct writer w = writer_of(buf, sizeof(buf));

    if (!may_tell(d, target))
        return send_body(d, &manscdp_ptz_position_body, &nothing);
    device_write_look(d, &w, &manscdp_ptz_position_body, &head, target,
                      d->now.mono_ms);
    return device_send(d, &w, FOR_OTHER, d->now);
}

/* ---- cards -------------------------------------------------------------------- */

static void write_card(struct device *d, size_t i, struct manscdp_card *out)
{
    static const struct device_card untouched;
    const struct device_gear *g = d->model.gear;
    const struct device_card *c = g ? &g->card[i] : &untouched;
    uint32_t percent, free_mb = DEVICE_CARD_FREE_MB;
    const char *status = device_card_status(c, d->now.mono_ms, &percent);

    if (c->was_formatted)
        free_mb = percent == 100 ? DEVICE_CARD_MB : 0;
    *out = (struct manscdp_card){
        .id = manscdp_int((uint32_t)i + 1),
        .name = i ? SLICE("SD2") : SLICE("SD1"),
        .status = slice_str(status),
        .progress = { c->was_formatted, percent },
        .capacity = manscdp_int(DEVICE_CARD_MB),
        .free_space = manscdp_int(free_mb),
    };
}

static int on_cards_query(void *ctx, const struct manscdp_msg *m)
{
    struct device *d = ctx;
    bool tells = may_tell(d, device_target_of(d, m->device_id));
    struct manscdp_card card[DEVICE_CARDS];
    struct manscdp_card_status a = {
        .head = head_of(d, m), .card = card,
        .n_card = tells ? DEVICE_CARDS : 0,
    };

    a.sum_num = manscdp_int((uint32_t)a.n_card);
    for (size_t i = 0; i < a.n_card; i++)
        write_card(d, i, &card[i]);
    return send_body(d, &manscdp_card_status_body, &a);
}

/* ---- what is told by a Notify -------------------------------------------------- */

void device_write_alarm(const struct device *d, struct writer *w,
                        const struct device_past_alarm *p, uint32_t sn)
{
    const struct manscdp_dialect dialect = device_answer_dialect(d);
    char when[40], method[8], type[8];
    struct writer tw = writer_of(when, sizeof(when));
    struct manscdp_alarm a = { .sn = sn, .priority = SLICE("4"),
                               .description = SLICE("gbcam"),
                               .device_id = id_of(d, p->channel) };

    snprintf(method, sizeof(method), "%u", p->method);
    snprintf(type, sizeof(type), "%u", p->type);
    manscdp_time_write(&tw, p->utc_ms, d->c.timezone_min);
    a.method = slice_str(method);
    a.time = writer_slice(&tw);
    if (p->type)
        a.alarm_type = slice_str(type);
    manscdp_alarm_encode(w, &dialect, &a);
}

bool device_priority_is_asked(struct slice last)
{
    uint32_t end = 0;

    manscdp_number(last, PRIORITY, &end);
    return end == 0 || end == PRIORITY;
}

/* Is it among those that are asked for? */
static bool is_asked_for(const struct device *d,
                         const struct manscdp_alarm_query *q, size_t target,
                         const struct device_past_alarm *a)
{
    return (target == d->c.n_channels || target == a->channel) &&
           device_priority_is_asked(q->end_priority) &&
           manscdp_methods_have(q->method, a->method) &&
           a->utc_ms >= time_of(d, q->start_time, 0) &&
           a->utc_ms <= time_of(d, q->end_time, d->now.utc_ms);
}

/* Those that were raised, once more; no Response (signalling by MESSAGE has
 * none for this query). */
static int on_alarm_query(void *ctx, const struct manscdp_msg *m)
{
    struct device *d = ctx;
    const struct device_gear *g = d->model.gear;
    size_t target = device_target_of(d, m->device_id);
    struct manscdp_alarm_query q;
    int err = manscdp_alarm_query_decode(&q, m);

    for (size_t i = 0; !err && g && i < g->n_alarms; i++) {
        char buf[1024];
        struct writer w = writer_of(buf, sizeof(buf));

        if (!may_tell(d, target) || !is_asked_for(d, &q, target, &g->alarm[i]))
            continue;
        device_write_alarm(d, &w, &g->alarm[i], ++d->sn);
        err = device_send(d, &w, FOR_OTHER, d->now);
    }
    return err;
}

/* Once; whoever wants more subscribes. */
static int on_position_query(void *ctx, const struct manscdp_msg *m)
{
    struct device *d = ctx;
    size_t target = device_target_of(d, m->device_id);
    char buf[BODY_BYTES];
    struct writer w = writer_of(buf, sizeof(buf));

    if (!may_tell(d, target))
        return 0;
    device_write_position(d, &w, device_answer_sn(d, m->sn), target, d->now);
    return device_send(d, &w, FOR_OTHER, d->now);
}

static int on_response(void *ctx, const struct manscdp_msg *m)
{
    (void)ctx;
    (void)m; /* the platform confirms an alarm: nothing is left to do */
    return 0;
}

/* ---- which --------------------------------------------------------------------- */

static const struct manscdp_handler handlers[] = {
    { MANSCDP_QUERY, MANSCDP_CMD_CATALOG, on_catalog_query },
    { MANSCDP_QUERY, MANSCDP_CMD_DEVICE_INFO, on_info_query },
    { MANSCDP_QUERY, MANSCDP_CMD_DEVICE_STATUS, on_status_query },
    { MANSCDP_QUERY, MANSCDP_CMD_RECORD_INFO, on_record_query },
    { MANSCDP_QUERY, MANSCDP_CMD_ALARM, on_alarm_query },
    { MANSCDP_QUERY, MANSCDP_CMD_CONFIG_DOWNLOAD, on_config_query },
    { MANSCDP_QUERY, MANSCDP_CMD_PRESET_QUERY, on_preset_query },
    { MANSCDP_QUERY, MANSCDP_CMD_MOBILE_POSITION, on_position_query },
    { MANSCDP_QUERY, MANSCDP_CMD_HOME_POSITION_QUERY, on_home_query },
    { MANSCDP_QUERY, MANSCDP_CMD_CRUISE_TRACK_LIST, on_tracks_query },
    { MANSCDP_QUERY, MANSCDP_CMD_CRUISE_TRACK, on_track_query },
    { MANSCDP_QUERY, MANSCDP_CMD_PTZ_POSITION, on_look_query },
    { MANSCDP_QUERY, MANSCDP_CMD_SD_CARD_STATUS, on_cards_query },
    { MANSCDP_CONTROL, MANSCDP_CMD_DEVICE_CONTROL, device_on_order },
    { MANSCDP_CONTROL, MANSCDP_CMD_DEVICE_CONFIG, device_on_order },
    { MANSCDP_NOTIFY, MANSCDP_CMD_BROADCAST, device_on_broadcast },
    { MANSCDP_RESPONSE, MANSCDP_CMD_ALARM, on_response },
};

/* What its edition does not have a device does not know. */
static bool is_known(const struct device *d, const struct manscdp_msg *m)
{
    const struct manscdp_row *row =
        m->cmd == MANSCDP_CMD_DEVICE_CONTROL
            ? manscdp_control_row(m)
            : manscdp_row_find(m->root, m->cmd, SLICE(""));

    return m->root == MANSCDP_RESPONSE ||
           (row && row->editions >> d->c.dialect.edition & 1);
}

void device_command(struct device *d, const struct manscdp_msg *m)
{
    if (d->c.faults.mute && m->root != MANSCDP_CONTROL)
        return;
    if (is_known(d, m))
        manscdp_dispatch(handlers, sizeof(handlers) / sizeof(handlers[0]), d,
                         m);
}
