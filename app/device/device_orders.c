/* app/device/device_orders.c - what a device does when it is told to, and what
 * it says of it then and later (GB/T 28181-2022 A.2.3, A.2.5) */
#include "app/device/device_impl.h"

#include "manscdp/bodies.h"
#include "manscdp/control.h"
#include "manscdp/filter.h"
#include "manscdp/media.h"

#include <stdio.h>

#define UPLOAD_MS 10000 /* for the pictures to be taken by the platform */
#define SETTINGS_ROOM 196608  /* what carrying out a DeviceConfig needs */
#define BOOT_MS 3000          /* it is away so long */
#define UPGRADE_MS 2000       /* from the order to the restart */
#define EXPIRATION_MIN_S 3600 /* of BasicParam */

/* Its body, as its table reads it; false: it cannot be done. */
typedef bool order_fn(struct device *d, size_t target, const void *in);

static struct device_target *make(struct device *d, size_t target)
{
    return device_model_make(&d->model, d->c.alloc, target);
}

/* ---- movement ---------------------------------------------------------------- */

/* A wrong sum is dropped in silence. */
static bool on_ptz(struct device *d, size_t target, const void *in)
{
    const struct manscdp_control_ptz *o = in;
    struct device_target *t = make(d, target);
    struct slice preset = { NULL, 0 }, track = { NULL, 0 };
    struct manscdp_ptz c;

    if (!t || manscdp_ptz_parse(&c, o->command, NULL))
        return false;
    if (o->params) {
        preset = o->params->preset_name;
        track = o->params->track_name;
    }
    return device_ptz_order(&t->ptz, d->c.alloc, &c, preset, track,
                            d->now.mono_ms);
}

static double number(struct slice text, double otherwise)
{
    double v = otherwise;

    slice_double(text, &v);
    return v;
}

static bool on_precise(struct device *d, size_t target, const void *in)
{
    const struct manscdp_precise *to =
        ((const struct manscdp_control_precise *)in)->to;
    struct device_target *t = make(d, target);
    struct device_place at;

    if (!t || !to)
        return false;
    at = device_ptz_place(&t->ptz, d->now.mono_ms);
    at.pan = number(to->pan, at.pan);
    at.tilt = number(to->tilt, at.tilt);
    at.zoom = number(to->zoom, at.zoom);
    device_ptz_look(&t->ptz, at, d->now.mono_ms);
    return true;
}

/* The middle of the box becomes the middle of the picture. The picture is 60
 * degrees wide at zoom 1, and 34 high. */
static bool drag(struct device *d, size_t target, const struct manscdp_area *a,
                 bool in)
{
    struct device_target *t = make(d, target);
    struct device_place at;
    double width, height, times;

    if (!t || !a || !a->length.v || !a->width.v || !a->length_x.v)
        return false;
    at = device_ptz_place(&t->ptz, d->now.mono_ms);
    width = a->length.v;
    height = a->width.v;
    times = width / a->length_x.v;
    at.pan += (a->mid_x.v / width - 0.5) * 60.0 / at.zoom;
    at.tilt += (a->mid_y.v / height - 0.5) * 34.0 / at.zoom;
    at.pan += at.pan < 0 ? 360.0 : at.pan >= 360.0 ? -360.0 : 0;
    at.zoom = in ? at.zoom * times : at.zoom / times;
    device_ptz_look(&t->ptz, at, d->now.mono_ms);
    return true;
}

static bool on_zoom_in(struct device *d, size_t target, const void *in)
{
    return drag(d, target, ((const struct manscdp_control_zoom_in *)in)->area,
                true);
}

static bool on_zoom_out(struct device *d, size_t target, const void *in)
{
    return drag(d, target,
                ((const struct manscdp_control_zoom_out *)in)->area, false);
}

static bool on_home(struct device *d, size_t target, const void *in)
{
    const struct manscdp_home *home =
        ((const struct manscdp_control_home *)in)->home;
    struct device_target *t = make(d, target);

    if (!t || !home || !home->enabled.has || home->enabled.v > 1)
        return false;
    if (home->enabled.v)
        t->home = *home;
    else
        t->home = (struct manscdp_home){ .enabled = home->enabled };
    return true;
}

static bool on_target_track(struct device *d, size_t target, const void *in)
{
    const struct manscdp_control_target *o = in;
    struct device_target *t = make(d, target);

    if (!t || !o->track || (o->track == MANSCDP_TRACK_MANUAL && !o->area))
        return false;
    t->tracking = o->track;
    return true;
}

/* ---- recording, alarms, cards -------------------------------------------------- */

static bool on_record(struct device *d, size_t target, const void *in)
{
    const struct manscdp_control_record *o = in;
    struct device_target *t = make(d, target);

    if (!t || !o->record)
        return false;
    device_target_record(t, o->record == MANSCDP_RECORD_START, d->now.utc_ms);
    return true;
}

static bool on_guard(struct device *d, size_t target, const void *in)
{
    const struct manscdp_control_guard *o = in;
    struct device_target *t = make(d, target);

    if (!t || !o->guard)
        return false;
    t->duty = o->guard == MANSCDP_GUARD_SET ? MANSCDP_ONDUTY
                                            : MANSCDP_OFFDUTY;
    return true;
}

/* Of the device: of all its channels. */
static bool on_alarm_reset(struct device *d, size_t target, const void *in)
{
    const struct manscdp_control_alarm *o = in;
    struct slice methods = o->info ? o->info->method : slice_of(NULL, 0);

    for (struct device_target *t = d->model.first; t && o->reset;
         t = t->next) {
        if (target != d->c.n_channels && t->index != target)
            continue;
        t->alarming = false;
        if (manscdp_methods_have(methods, 2))
            t->latched = false;
    }
    return o->reset != 0;
}

static bool on_format(struct device *d, size_t target, const void *in)
{
    const struct manscdp_control_format *o = in;
    struct device_gear *g = device_model_gear(&d->model, d->c.alloc);

    (void)target;
    if (!g || !o->card.has || o->card.v > DEVICE_CARDS)
        return false;
    for (uint32_t i = 0; i < DEVICE_CARDS; i++)
        if (o->card.v == 0 || o->card.v == i + 1)
            g->card[i] = (struct device_card){ d->now.mono_ms, true };
    return true;
}

static bool on_iframe(struct device *d, size_t target, const void *in)
{
    if (!((const struct manscdp_control_iframe *)in)->send)
        return false;
    if (!d->c.faults.no_key_frame)
        device_key_frame(d, target);
    return true;
}

/* ---- the device as a whole ------------------------------------------------------ */

static bool on_boot(struct device *d, size_t target, const void *in)
{
    const struct manscdp_control_boot *o = in;

    if (!o->boot || target != d->c.n_channels)
        return false;
    d->boot_ms = d->now.mono_ms;
    return true;
}

static bool start_job(struct device_job *j, struct slice session,
                      size_t target, uint64_t at_ms)
{
    if (!manscdp_session_is_good(session))
        return false;
    slice_copy(j->session, sizeof(j->session), session);
    j->target = target;
    j->at_ms = at_ms;
    return true;
}

static bool on_upgrade(struct device *d, size_t target, const void *in)
{
    const struct manscdp_upgrade *u =
        ((const struct manscdp_control_upgrade *)in)->upgrade;
    struct device_gear *g = device_model_gear(&d->model, d->c.alloc);

    if (!g || !u || !u->firmware.n || u->firmware.n > DEVICE_FIRMWARE_MAX ||
        !start_job(&g->upgrade, u->session, target,
                   d->now.mono_ms + UPGRADE_MS))
        return false;
    slice_copy(g->upgrade.firmware, sizeof(g->upgrade.firmware), u->firmware);
    return true;
}

/* ---- settings -------------------------------------------------------------------- */

void device_basic_param(const struct device *d, struct arena *a,
                        struct manscdp_basic_param *out)
{
    const struct device_gear *g = d->model.gear;
    uint32_t expires_s = d->c.expires_s;
    char port[8], ip[GB_ADDR_TEXT_MAX];
    struct writer w = writer_of(ip, sizeof(ip));

    gb_addr_write_ip(&w, &d->c.server.remote);
    snprintf(port, sizeof(port), "%u", d->c.server.remote.port);
    *out = (struct manscdp_basic_param){
        .name = slice_str(g && *g->name ? g->name : d->c.name),
        .device_id = slice_str(d->c.id),
        .server_id = slice_str(d->c.server_id),
        .domain = slice_str(d->c.realm),
        .expiration = manscdp_int(expires_s < EXPIRATION_MIN_S
                                      ? EXPIRATION_MIN_S
                                      : expires_s),
        .heartbeat_s = manscdp_int(d->c.keepalive_s),
        .heartbeats = manscdp_int(DEVICE_MISSES),
        .position = manscdp_int(0),
    };
    arena_slice(a, writer_slice(&w), &out->server_ip);
    arena_slice(a, slice_str(port), &out->server_port);
}

/* Of the device itself they count at once: name, expiry, heartbeat. */
static void obey(struct device *d, const struct manscdp_basic_param *b)
{
    struct device_gear *g = device_model_gear(&d->model, d->c.alloc);

    if (g && b->name.n)
        slice_copy(g->name, sizeof(g->name),
                   slice_head(b->name, DEVICE_PRESET_NAME));
    if (b->expiration.has)
        d->c.expires_s = b->expiration.v;
    if (b->heartbeat_s.has && b->heartbeat_s.v) {
        d->c.keepalive_s = b->heartbeat_s.v;
        d->keepalive_ms = d->now.mono_ms + 1000ull * d->c.keepalive_s;
    }
}

static bool take_snapshots(struct device *d, size_t target,
                           const struct manscdp_snapshot *s)
{
    struct device_gear *g = device_model_gear(&d->model, d->c.alloc);

    if (!g || !start_job(&g->snapshot, s->session, target,
                         d->now.mono_ms + 1000ull * s->number.v *
                                              s->interval_s.v))
        return false;
    g->snapshot.number = s->number.v;
    g->snapshot.uploading = false;
    return slice_copy(g->snapshot.url, sizeof(g->snapshot.url), s->url);
}

static bool set_config(struct device *d, size_t target, struct arena *room,
                       const struct manscdp_msg *m)
{
    struct device_target *t = make(d, target);
    struct manscdp_basic_param basic;
    struct manscdp_config_set o;

    device_basic_param(d, room, &basic);
    if (!t || manscdp_config_set_decode(&o, m) ||
        device_values_set(&t->values, d->c.alloc, room, &basic,
                            d->c.dialect.edition, m))
        return false;
    if (o.basic_param && target == d->c.n_channels)
        obey(d, o.basic_param);
    return !o.snapshot || take_snapshots(d, target, o.snapshot);
}

static bool on_config(struct device *d, size_t target,
                      const struct manscdp_msg *m)
{
    char *room = gb_get(d->c.alloc, SETTINGS_ROOM);
    struct arena arena = arena_of(room, SETTINGS_ROOM);
    bool done = room && set_config(d, target, &arena, m);

    gb_put(d->c.alloc, room);
    return done;
}

/* ---- which ------------------------------------------------------------------------- */

static const struct {
    const struct manscdp_body *body;
    order_fn *fn;
} orders[] = {
    { &manscdp_control_ptz_body, on_ptz },
    { &manscdp_control_boot_body, on_boot },
    { &manscdp_control_record_body, on_record },
    { &manscdp_control_guard_body, on_guard },
    { &manscdp_control_alarm_body, on_alarm_reset },
    { &manscdp_control_iframe_body, on_iframe },
    { &manscdp_control_zoom_in_body, on_zoom_in },
    { &manscdp_control_zoom_out_body, on_zoom_out },
    { &manscdp_control_home_body, on_home },
    { &manscdp_control_precise_body, on_precise },
    { &manscdp_control_format_body, on_format },
    { &manscdp_control_target_body, on_target_track },
    { &manscdp_control_upgrade_body, on_upgrade },
};

static bool carry_out(struct device *d, size_t target,
                      const struct manscdp_msg *m)
{
    const struct manscdp_body *b = manscdp_body_of(m);
    union {
        struct manscdp_head head;
        char bytes[256];
    } in;

    if (target == DEVICE_NOBODY || d->c.faults.says_error || !b)
        return false;
    if (b == &manscdp_config_set_body)
        return on_config(d, target, m);
    for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++)
        if (orders[i].body == b && b->shape->size <= sizeof(in))
            return !manscdp_body_decode(b, &in, m) &&
                   orders[i].fn(d, target, &in);
    return false;
}

static int respond(struct device *d, const struct manscdp_msg *m, bool well)
{
    const struct manscdp_dialect dialect = device_answer_dialect(d);
    const struct manscdp_response r = {
        .cmd = m->cmd,
        .sn = device_answer_sn(d, m->sn),
        .device_id = device_answer_id(d, m->device_id),
        .result = well ? MANSCDP_OK : MANSCDP_ERROR,
    };
    char buf[1024];
    struct writer w = writer_of(buf, sizeof(buf));

    manscdp_response_encode(&w, &dialect, &r);
    return device_send(d, &w, FOR_OTHER, d->now);
}

int device_on_order(void *ctx, const struct manscdp_msg *m)
{
    struct device *d = ctx;
    bool is_control = m->cmd == MANSCDP_CMD_DEVICE_CONTROL;
    const struct manscdp_row *row =
        is_control ? manscdp_control_row(m)
                   : manscdp_row_find(m->root, m->cmd, SLICE(""));
    bool well = carry_out(d, device_target_of(d, m->device_id), m);

    device_done(d, is_control ? row->sub.p : "DeviceConfig", well);
    if (d->c.faults.mute ||
        (row->due == MANSCDP_NO_ANSWER && !d->c.faults.also_answers))
        return 0;
    return respond(d, m, well);
}

/* ---- afterwards --------------------------------------------------------------------- */

static void send_notice(struct device *d, const struct manscdp_body *b,
                        const void *in, struct gb_time now)
{
    char buf[2048];
    struct writer w = writer_of(buf, sizeof(buf));

    if (!device_encode(d, &w, b, in))
        device_send(d, &w, FOR_OTHER, now);
}

static struct manscdp_head notice_head(struct device *d, size_t target)
{
    return (struct manscdp_head){
        .sn = ++d->sn,
        .device_id = slice_str(target < d->c.n_channels
                                   ? d->c.channel[target].id
                                   : d->c.id),
    };
}

/* A restart first, then the result of it. */
static void tick_upgrade(struct device *d, struct device_job *j,
                         struct gb_time now)
{
    struct device_gear *g = d->model.gear;
    struct manscdp_upgrade_result r = { .session = slice_str(j->session) };
    bool failed = d->c.faults.upgrade_fails;

    if (now.mono_ms < j->at_ms || d->state != DEVICE_ONLINE)
        return;
    if (*j->firmware) {
        if (!failed)
            slice_copy(g->firmware, sizeof(g->firmware),
                       slice_str(j->firmware));
        *j->firmware = '\0';
        j->at_ms = now.mono_ms;
        device_go_offline(d, now, BOOT_MS,
                          failed ? "upgrade failed" : "upgraded", 0);
        return;
    }
    r.head = notice_head(d, j->target);
    r.result = failed ? MANSCDP_ERROR : MANSCDP_OK;
    r.reason = failed ? SLICE("02") : SLICE("");
    r.firmware = slice_str(*g->firmware ? g->firmware : d->c.firmware);
    j->at_ms = GB_NEVER;
    send_notice(d, &manscdp_upgrade_result_body, &r, now);
}

/* The first n are uploaded: their ids are device, 02, time, sequence (9.14). */
static void finish_snapshot(struct device *d, struct device_job *j, uint32_t n,
                            struct gb_time now)
{
    struct manscdp_snapshot_done s = { .session = slice_str(j->session) };
    char text[MANSCDP_MAX_SNAPSHOTS][64];
    struct slice id[MANSCDP_MAX_SNAPSHOTS];

    for (uint32_t i = 0; i < n && i < MANSCDP_MAX_SNAPSHOTS; i++) {
        struct writer w = writer_of(text[i], sizeof(text[i]));

        writer_f(&w, "%s02%017llu%02u", d->c.id,
                 (unsigned long long)now.utc_ms, (unsigned)i + 1);
        id[i] = writer_slice(&w);
    }
    s.head = notice_head(d, j->target);
    s.file_id = id;
    s.n_file_id = n < MANSCDP_MAX_SNAPSHOTS ? n : MANSCDP_MAX_SNAPSHOTS;
    j->at_ms = GB_NEVER;
    j->uploading = false;
    send_notice(d, &manscdp_snapshot_done_body, &s, now);
}

void device_uploaded(struct device *d, unsigned n, struct gb_time now)
{
    struct device_gear *g = d->model.gear;

    if (g && g->snapshot.uploading)
        finish_snapshot(d, &g->snapshot, n, now);
}

/* The pictures are taken: they go out, and then that is told. */
static void tick_snapshot(struct device *d, struct device_job *j,
                          struct gb_time now)
{
    struct device_action a = { .kind = DEVICE_DO_UPLOAD, .text = j->url,
                               .channel = j->target, .status = j->number };

    if (now.mono_ms < j->at_ms || d->state != DEVICE_ONLINE)
        return;
    if (j->uploading || d->c.faults.no_upload) {
        finish_snapshot(d, j, 0, now);
        return;
    }
    device_push(d, &a);
    j->uploading = true;
    j->at_ms = now.mono_ms + UPLOAD_MS;
    if (d->c.faults.late_upload)
        finish_snapshot(d, j, j->number, now);
}

void device_tick_jobs(struct device *d, struct gb_time now)
{
    struct device_gear *g = d->model.gear;

    if (now.mono_ms >= d->boot_ms && d->state == DEVICE_ONLINE) {
        d->boot_ms = GB_NEVER;
        device_go_offline(d, now, BOOT_MS, "restarts", 0);
    }
    if (!g)
        return;
    tick_upgrade(d, &g->upgrade, now);
    tick_snapshot(d, &g->snapshot, now);
}

uint64_t device_jobs_deadline(const struct device *d)
{
    const struct device_gear *g = d->model.gear;
    uint64_t at_ms = d->boot_ms;

    if (d->state != DEVICE_ONLINE) /* they wait until it is back */
        return GB_NEVER;
    if (g && g->upgrade.at_ms < at_ms)
        at_ms = g->upgrade.at_ms;
    if (g && g->snapshot.at_ms < at_ms)
        at_ms = g->snapshot.at_ms;
    return at_ms;
}
