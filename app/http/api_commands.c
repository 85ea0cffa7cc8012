/* Commands to devices: sending one, and what has become of it. */
#include "app/http/api.h"

#include <jansson.h>

#define VALUE_MAX 1024 /* bytes of one element */

void http_command_write(struct jw *j, const struct platform_command *k)
{
    jw_object(j);
    jw_put_id(j, "id", k->id);
    jw_put_str(j, "device", k->device);
    jw_put_str(j, "target", k->target);
    jw_put_str(j, "cmd", k->cmd);
    jw_put_str(j, "sub", k->sub);
    jw_put_cstr(j, "state", platform_command_state_name(k->state));
    jw_put_bool(j, "final", k->is_final);
    jw_put_bool(j, "partial", k->partial);
    jw_put_bool(j, "late", k->late);
    jw_put_bool(j, "cut", k->cut);
    jw_put_u64(j, "tries", k->tries);
    jw_put_u64(j, "sip_status", k->sip_status);
    jw_put_u64(j, "sn", k->sn);
    jw_put_u64(j, "messages", k->messages);
    jw_put_u64(j, "have", k->have);
    jw_put_u64(j, "sum", k->sum);
    jw_put_str(j, "evidence", k->evidence);
    jw_put_time(j, "asked_at", k->asked_utc_ms);
    jw_put_time(j, "sent_at", k->sent_utc_ms);
    jw_put_time(j, "arrived_at", k->arrived_utc_ms);
    jw_put_time(j, "answered_at", k->answered_utc_ms);
    jw_end(j);
}

/* The same, with what the device said. */
void http_command_write_whole(struct jw *j, const struct platform_command *k)
{
    struct buf *b = j->out;

    http_command_write(j, k);
    if (b->err || b->len == 0)
        return;
    b->len--; /* reopens the object */
    buf_str(b, ",\"answer\":[");
    buf_slice(b, k->answer);
    buf_str(b, "]}");
}

bool http_command_fits(const struct platform_command *k,
                       const struct http_ask *q)
{
    return (!q->device.n || slice_eq(q->device, k->device)) &&
           (!q->cmd.n || slice_eq(q->cmd, k->cmd) ||
            slice_eq(q->cmd, k->sub)) &&
           (!q->state.n ||
            slice_eq(q->state,
                     slice_str(platform_command_state_name(k->state)))) &&
           k->asked_utc_ms >= q->from_utc_ms &&
           (!q->to_utc_ms || k->asked_utc_ms < q->to_utc_ms);
}

bool http_command_answer(struct http_call *c, unsigned status, uint64_t id)
{
    struct platform_command k;
    struct jw j;

    if (!platform_command_view(c->app->cfg.platform, id, &k))
        return false;
    j = http_answer_json(c, status);
    http_command_write_whole(&j, &k);
    return true;
}

void http_get_command(struct http_call *c)
{
    uint64_t id;

    if (!slice_u64(c->params.value[0], UINT64_MAX, &id) ||
        (!http_command_answer(c, 200, id) && !http_ask_command(c, id)))
        http_answer_fail(c, 404, "command-unknown", "no such command");
}

/* ---- sending ------------------------------------------------------------------ */

static const char *refusal(int err, unsigned *status, const char **code)
{
    switch (err) {
    case GB_ENOENT:
        *status = 404, *code = "device-unknown";
        return "no such device";
    case GB_ESTATE:
        *status = 409, *code = "device-offline";
        return "the device is offline";
    case GB_ESYNTAX:
        *status = 400, *code = "bad-value";
        return "no such command, or an element that none can have";
    case GB_ELIMIT:
        *status = 503, *code = "busy";
        return "too many commands wait for answers";
    default:
        *status = 503, *code = NULL;
        return gb_strerror(err);
    }
}

void http_command_send(struct http_call *c, const struct platform_order *o)
{
    uint64_t id = 0;
    int err = platform_command_send(c->app->cfg.platform, o, c->now, &id);

    c->app->cfg.touched(c->app->cfg.ctx);
    if (err) {
        unsigned status;
        const char *code, *text = refusal(err, &status, &code);

        http_answer_fail(c, status, code, text);
    } else {
        http_command_answer(c, 202, id);
    }
}

/* A text or a number of the body as text; in `text` if it is a number. */
static bool value_text(const json_t *v, char text[static 24],
                       struct slice *out)
{
    struct writer w = writer_of(text, 24);

    if (json_is_integer(v)) {
        writer_i64(&w, json_integer_value(v));
        *out = writer_slice(&w);
        return true;
    }
    *out = slice_of(json_string_value(v), json_string_length(v));
    return json_is_string(v) && out->n <= VALUE_MAX;
}

struct order_body {
    struct platform_order order;
    struct platform_param param[PLATFORM_COMMAND_PARAMS];
    char number[PLATFORM_COMMAND_PARAMS][24];
};

static bool read_params(struct order_body *b, json_t *params)
{
    const char *key;
    json_t *v;

    b->order.param = b->param;
    if (!params)
        return true;
    if (!json_is_object(params))
        return false;
    json_object_foreach(params, key, v) {
        size_t i = b->order.n_params;

        if (i == PLATFORM_COMMAND_PARAMS ||
            !value_text(v, b->number[i], &b->param[i].value))
            return false;
        b->param[i].name = slice_str(key);
        b->order.n_params++;
    }
    return true;
}

static bool read_order(struct order_body *b, json_t *root)
{
    static const char *const keys[] = { "cmd", "channel", "params" };
    const char *key;
    char number[24];
    json_t *v;

    if (!json_is_object(root))
        return false;
    json_object_foreach(root, key, v) {
        size_t i = 0;

        while (i < 3 && !slice_eq(slice_str(key), slice_str(keys[i])))
            i++;
        if (i == 3)
            return false;
    }
    v = json_object_get(root, "channel");
    if (v && !value_text(v, number, &b->order.target))
        return false;
    v = json_object_get(root, "cmd");
    return json_is_string(v) && value_text(v, number, &b->order.cmd) &&
           read_params(b, json_object_get(root, "params"));
}

void http_post_command(struct http_call *c)
{
    struct order_body b = { .order = { .device = c->params.value[0] } };
    struct slice body = c->req->body;
    json_t *root = json_loadb(body.n ? body.p : "", body.n,
                              JSON_REJECT_DUPLICATES, NULL);

    if (read_order(&b, root))
        http_command_send(c, &b.order);
    else
        http_answer_fail(c, 400, "bad-value",
                         "the body is an object of cmd, channel and params, "
                         "an object of texts and numbers");
    json_decref(root);
}

/* The detector that raised it stays latched until this (DeviceControl,
 * AlarmCmd, GB/T 28181-2022 A.2.3.1.6). */
void http_post_alarm_reset(struct http_call *c)
{
    static const struct platform_param reset = { SLICE_INIT("AlarmCmd"),
                                                 SLICE_INIT("ResetAlarm") };
    const struct platform_order o = {
        .device = c->params.value[0],
        .target = c->params.n > 1 ? c->params.value[1]
                                  : (struct slice){ NULL, 0 },
        .cmd = SLICE("DeviceControl"),
        .param = &reset,
        .n_params = 1,
    };

    http_command_send(c, &o);
}
