/* Cameras that turn: movements, presets, cruises, switches; what is armed. */
#include "app/http/api.h"

#include <jansson.h>

#define SPEED 128 /* unless one is named, of 255 */

/* The numbers of a request. */
#define NUMBER_MAP(X)                                                          \
    X(pan, -1, 1)          /* 1: right */                                      \
    X(tilt, -1, 1)         /* 1: up */                                         \
    X(zoom, -1, 1)         /* 1: in */                                         \
    X(focus, -1, 1)        /* 1: far */                                        \
    X(iris, -1, 1)         /* 1: open */                                       \
    X(speed, 1, 255)       /* of all of them */                                \
    X(pan_speed, 0, 255)                                                       \
    X(tilt_speed, 0, 255)                                                      \
    X(zoom_speed, 0, 15)                                                       \
    X(focus_speed, 0, 255)                                                     \
    X(iris_speed, 0, 255)                                                      \
    X(preset, 0, 255)                                                          \
    X(group, 0, 255)       /* of cruises and scans; number of a switch */      \
    X(value, 0, MANSCDP_PTZ_VALUE_MAX)

enum number {
#define X(name, lo, hi) N_##name,
    NUMBER_MAP(X)
#undef X
    NUMBERS
};

static const struct {
    const char *name;
    int lo, hi;
} numbers[NUMBERS] = {
#define X(name, lo, hi) [N_##name] = { #name, lo, hi },
    NUMBER_MAP(X)
#undef X
};

struct ptz_read {
    struct manscdp_ptz c;
    struct slice name;
    bool stop;  /* whatever moves */
    bool bound; /* it ends with the connection that asks for it */
    bool has[NUMBERS];
    int v[NUMBERS];
    char fault[400];
};

/* Actions in one word; the others are those of manscdp/ptz.h. */
static const struct action {
    const char *name;
    enum manscdp_ptz_op op;
    int8_t pan, tilt, zoom, focus, iris;
    uint8_t group;
} actions[] = {
    { "left", MANSCDP_PTZ_MOVE, .pan = -1 },
    { "right", MANSCDP_PTZ_MOVE, .pan = 1 },
    { "up", MANSCDP_PTZ_MOVE, .tilt = 1 },
    { "down", MANSCDP_PTZ_MOVE, .tilt = -1 },
    { "up_left", MANSCDP_PTZ_MOVE, .tilt = 1, .pan = -1 },
    { "up_right", MANSCDP_PTZ_MOVE, .tilt = 1, .pan = 1 },
    { "down_left", MANSCDP_PTZ_MOVE, .tilt = -1, .pan = -1 },
    { "down_right", MANSCDP_PTZ_MOVE, .tilt = -1, .pan = 1 },
    { "zoom_in", MANSCDP_PTZ_MOVE, .zoom = 1 },
    { "zoom_out", MANSCDP_PTZ_MOVE, .zoom = -1 },
    { "focus_far", MANSCDP_PTZ_LENS, .focus = 1 },
    { "focus_near", MANSCDP_PTZ_LENS, .focus = -1 },
    { "iris_open", MANSCDP_PTZ_LENS, .iris = 1 },
    { "iris_close", MANSCDP_PTZ_LENS, .iris = -1 },
    { "wiper_on", MANSCDP_PTZ_AUX_ON, .group = 1 },
    { "wiper_off", MANSCDP_PTZ_AUX_OFF, .group = 1 },
};

static bool fault(struct ptz_read *r, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static bool fault(struct ptz_read *r, const char *fmt, ...)
{
    struct writer w = writer_of(r->fault, sizeof(r->fault) - 1);
    va_list ap;

    va_start(ap, fmt);
    writer_vf(&w, fmt, ap);
    va_end(ap);
    r->fault[w.len] = '\0';
    return false;
}

static bool refuse_action(struct ptz_read *r)
{
    char names[360];
    struct writer w = writer_of(names, sizeof(names));

    writer_str(&w, "stop");
    for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++)
        writer_f(&w, ", %s", actions[i].name);
    for (unsigned i = 0; i < MANSCDP_PTZ_OP_COUNT; i++)
        writer_f(&w, ", %s", manscdp_ptz_name((enum manscdp_ptz_op)i));
    return fault(r, "action: one of %.*s is wanted", (int)w.len, names);
}

static bool read_action(struct ptz_read *r, const json_t *v)
{
    struct slice name = slice_of(json_string_value(v), json_string_length(v));

    r->stop = slice_eq(name, SLICE("stop"));
    if (r->stop || manscdp_ptz_by_name(name, &r->c.op))
        return true;
    for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
        const struct action *a = &actions[i];

        if (!slice_eq(name, slice_str(a->name)))
            continue;
        r->c = (struct manscdp_ptz){ .op = a->op, .pan = a->pan,
                                     .tilt = a->tilt, .zoom = a->zoom,
                                     .focus = a->focus, .iris = a->iris };
        r->has[N_group] = a->group > 0;
        r->v[N_group] = a->group;
        return true;
    }
    return refuse_action(r);
}

static bool read_number(struct ptz_read *r, struct slice key, const json_t *v)
{
    for (unsigned i = 0; i < NUMBERS; i++) {
        json_int_t n = json_integer_value(v);

        if (!slice_eq(key, slice_str(numbers[i].name)))
            continue;
        if (!json_is_integer(v) || n < numbers[i].lo || n > numbers[i].hi)
            return fault(r, "%s: a whole number from %d to %d is wanted",
                         numbers[i].name, numbers[i].lo, numbers[i].hi);
        r->has[i] = true;
        r->v[i] = (int)n;
        return true;
    }
    return fault(r, "%.*s: allowed are action, name, bound, pan, tilt, zoom, "
                    "focus, iris, their speeds, speed, preset, group and value",
                 SLICE_ARG(slice_head(key, 40)));
}

static bool read_fields(struct ptz_read *r, const json_t *root)
{
    const char *key;
    json_t *v;

    json_object_foreach((json_t *)(uintptr_t)root, key, v) {
        struct slice k = slice_str(key);

        if (slice_eq(k, SLICE("action")))
            continue;
        if (slice_eq(k, SLICE("name"))) {
            r->name = slice_of(json_string_value(v), json_string_length(v));
            if (!json_is_string(v) || r->name.n > 32)
                return fault(r, "name: a text of at most 32 bytes is wanted");
        } else if (slice_eq(k, SLICE("bound"))) {
            r->bound = json_is_true(v);
            if (!json_is_boolean(v))
                return fault(r, "bound: true or false is wanted");
        } else if (!read_number(r, k, v)) {
            return false;
        }
    }
    return true;
}

static uint8_t speed_of(const struct ptz_read *r, enum number own, int common)
{
    return (uint8_t)(r->has[own] ? r->v[own] : common);
}

static void fill_movement(struct ptz_read *r)
{
    struct manscdp_ptz *c = &r->c;
    int speed = r->has[N_speed] ? r->v[N_speed] : SPEED;
    bool move = c->op == MANSCDP_PTZ_MOVE, lens = c->op == MANSCDP_PTZ_LENS;

    if (move && r->has[N_pan])
        c->pan = (int8_t)r->v[N_pan];
    if (move && r->has[N_tilt])
        c->tilt = (int8_t)r->v[N_tilt];
    if (move && r->has[N_zoom])
        c->zoom = (int8_t)r->v[N_zoom];
    if (lens && r->has[N_focus])
        c->focus = (int8_t)r->v[N_focus];
    if (lens && r->has[N_iris])
        c->iris = (int8_t)r->v[N_iris];
    /* a direction that rests has no speed: as the standard's examples */
    if (c->pan)
        c->pan_speed = speed_of(r, N_pan_speed, speed);
    if (c->tilt)
        c->tilt_speed = speed_of(r, N_tilt_speed, speed);
    if (c->zoom)
        c->zoom_speed = speed_of(r, N_zoom_speed, (speed + 15) / 17);
    if (c->focus)
        c->focus_speed = speed_of(r, N_focus_speed, speed);
    if (c->iris)
        c->iris_speed = speed_of(r, N_iris_speed, speed);
}

/* What an action cannot do without: -1 for what it does not use. */
static bool fill_numbers(struct ptz_read *r)
{
    static const struct {
        bool group, preset, value;
        int least_preset;
    } uses[MANSCDP_PTZ_OP_COUNT] = {
        [MANSCDP_PTZ_PRESET_SET] = { .preset = true, .least_preset = 1 },
        [MANSCDP_PTZ_PRESET_CALL] = { .preset = true, .least_preset = 1 },
        [MANSCDP_PTZ_PRESET_DELETE] = { .preset = true, .least_preset = 1 },
        [MANSCDP_PTZ_CRUISE_ADD] = { .group = true, .preset = true,
                                     .least_preset = 1 },
        /* preset 0: all of it */
        [MANSCDP_PTZ_CRUISE_DELETE] = { .group = true, .preset = true },
        [MANSCDP_PTZ_CRUISE_SPEED] = { .group = true, .value = true },
        [MANSCDP_PTZ_CRUISE_DWELL] = { .group = true, .value = true },
        [MANSCDP_PTZ_CRUISE_START] = { .group = true },
        [MANSCDP_PTZ_SCAN_START] = { .group = true },
        [MANSCDP_PTZ_SCAN_LEFT] = { .group = true },
        [MANSCDP_PTZ_SCAN_RIGHT] = { .group = true },
        [MANSCDP_PTZ_SCAN_SPEED] = { .group = true, .value = true },
        [MANSCDP_PTZ_AUX_ON] = { .group = true },
        [MANSCDP_PTZ_AUX_OFF] = { .group = true },
    };
    unsigned op = r->c.op;

    if (uses[op].group && !r->has[N_group])
        return fault(r, "group is missing, 0 to 255");
    if (uses[op].preset && !r->has[N_preset])
        return fault(r, "preset is missing, %d to 255",
                     uses[op].least_preset);
    if (uses[op].preset && r->v[N_preset] < uses[op].least_preset)
        return fault(r, "preset: a whole number from 1 to 255 is wanted");
    if (uses[op].value && !r->has[N_value])
        return fault(r, "value is missing, 0 to %u", MANSCDP_PTZ_VALUE_MAX);
    r->c.group = (uint8_t)r->v[N_group];
    r->c.preset = (uint8_t)r->v[N_preset];
    r->c.value = (uint16_t)r->v[N_value];
    return true;
}

static void send(struct http_call *c, const struct ptz_read *r)
{
    struct platform *p = c->app->cfg.platform;
    const struct platform_ptz order = { .device = c->params.value[0],
                                        .channel = c->params.value[1],
                                        .command = r->c,
                                        .name = r->name };
    uint64_t id = 0, client = r->bound && !r->stop ? c->req->client : 0;
    int err;

    if (!http_wait_read(c))
        return;
    err = r->stop ? platform_ptz_stop(p, order.device, order.channel, c->now,
                                      &id)
                  : platform_ptz(p, &order, c->now, &id);
    if (!err && (r->stop || r->c.op == MANSCDP_PTZ_MOVE ||
                 r->c.op == MANSCDP_PTZ_LENS))
        http_ptz_hold(c->app, client, order.device, order.channel);
    http_command_sent(c, err, id);
}

void http_post_ptz(struct http_call *c)
{
    struct ptz_read r = { .c.address = MANSCDP_PTZ_ADDRESS };
    struct slice body = c->req->body;
    json_t *root = json_loadb(body.n ? body.p : "", body.n,
                              JSON_REJECT_DUPLICATES, NULL);
    bool good = json_is_object(root) &&
                read_action(&r, json_object_get(root, "action")) &&
                read_fields(&r, root);

    r.c.address = MANSCDP_PTZ_ADDRESS;
    if (good)
        fill_movement(&r);
    good = good && fill_numbers(&r);
    if (good)
        send(c, &r);
    else if (!json_is_object(root))
        http_answer_fail(c, 400, "bad-value",
                         "the body is an object with an action");
    else
        http_answer_fail(c, 422, "bad-field", r.fault);
    json_decref(root);
}

/* ---- presets ------------------------------------------------------------------ */

void http_get_presets(struct http_call *c)
{
    http_order_send(c, "PresetQuery", json_object());
}

static void preset(struct http_call *c, enum manscdp_ptz_op op,
                   struct slice name)
{
    struct ptz_read r = { .c = { .op = op, .address = MANSCDP_PTZ_ADDRESS },
                          .name = name };
    uint32_t n;

    if (!slice_u32(c->params.value[2], 255, &n) || n == 0) {
        http_answer_fail(c, 422, "bad-field",
                         "preset: a whole number from 1 to 255 is wanted");
        return;
    }
    r.c.preset = (uint8_t)n;
    send(c, &r);
}

void http_put_preset(struct http_call *c)
{
    struct slice body = c->req->body;
    json_t *root = body.n ? json_loadb(body.p, body.n, JSON_REJECT_DUPLICATES,
                                       NULL)
                          : json_object();
    const json_t *name = json_object_get(root, "name");

    if (!json_is_object(root) || (name && !json_is_string(name)) ||
        json_object_size(root) != (name ? 1u : 0u) ||
        json_string_length(name) > 32)
        http_answer_fail(c, json_is_object(root) ? 422 : 400, "bad-field",
                         "the body is an object of name, a text of at most 32 "
                         "bytes");
    else
        preset(c, MANSCDP_PTZ_PRESET_SET,
               slice_of(json_string_value(name), json_string_length(name)));
    json_decref(root);
}

void http_call_preset(struct http_call *c)
{
    preset(c, MANSCDP_PTZ_PRESET_CALL, SLICE(""));
}

void http_delete_preset(struct http_call *c)
{
    preset(c, MANSCDP_PTZ_PRESET_DELETE, SLICE(""));
}

/* ---- what is armed -------------------------------------------------------------- */

void http_get_guard(struct http_call *c)
{
    struct platform *p = c->app->cfg.platform;
    struct platform_device d;
    struct platform_duty u;
    size_t n = 0;
    struct jw j;

    if (!platform_device_view(p, c->params.value[0], &d)) {
        http_answer_no_device(c);
        return;
    }
    j = http_list_begin(c);
    for (; platform_duty_at(p, c->params.value[0], n, &u); n++) {
        jw_object(&j);
        jw_put_str(&j, "target", u.target);
        jw_put_cstr(&j, "duty", u.duty);
        jw_put_cstr(&j, "from", u.from);
        jw_put_time(&j, "time", u.utc_ms);
        jw_end(&j);
    }
    http_list_end(&j, (struct slice){ NULL, 0 }, n);
}
