/* Commands to devices: sending one, and what has become of it. */
#include "app/http/api.h"

#include "app/http/body_read.h"
#include "manscdp/bodies.h"
#include "manscdp/control.h"

#include <jansson.h>

#define ORDER_ARENA 65536 /* bytes for one command out of JSON */

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
    http_put_words(j, "evidence", k->evidence);
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
        return "no such command, or a target that is no id";
    case GB_EUNSUPPORTED:
        *status = 422, *code = "edition";
        return "the edition of this device has no such command";
    case GB_ERANGE:
        *status = 422, *code = "bad-field";
        return "an element is missing or out of range";
    case GB_ELIMIT:
        *status = 503, *code = "busy";
        return "too many commands wait for answers";
    default:
        *status = 503, *code = NULL;
        return gb_strerror(err);
    }
}

static void refuse_order(struct http_call *c, int err)
{
    struct http_problem p = { 0 };

    p.detail = refusal(err, &p.status, &p.code);
    if (err == GB_EUNSUPPORTED)
        p.hint = SLICE("name another edition in the request, or set that of "
                       "the device");
    http_answer_problem(c->out, &p);
}

void http_command_sent(struct http_call *c, int err, uint64_t id)
{
    c->app->cfg.touched(c->app->cfg.ctx);
    if (err)
        refuse_order(c, err);
    else if (!http_wait_for(c, id))
        http_command_answer(c, 202, id);
}

void http_command_send(struct http_call *c, const struct platform_order *o)
{
    uint64_t id = 0;
    int err = platform_command_send(c->app->cfg.platform, o, c->now, &id);

    http_command_sent(c, err, id);
}

/* A command out of its JSON. */
struct order_read {
    struct platform_order order;
    struct manscdp_dialect dialect;
    const json_t *params, *extra;
    struct arena arena;
    struct body_fault fault;
    unsigned status; /* of a fault: 400 until it is known what is meant */
    char number[24];
};

static int fault(struct order_read *b, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static int fault(struct order_read *b, const char *fmt, ...)
{
    struct writer w = writer_of(b->fault.text, sizeof(b->fault.text) - 1);
    va_list ap;

    va_start(ap, fmt);
    writer_vf(&w, fmt, ap);
    va_end(ap);
    b->fault.text[w.len] = '\0';
    return GB_ESYNTAX;
}

/* What can be asked of an edition, or ordered: CmdTypes, or the commands of
 * DeviceControl. */
static struct slice choices(enum manscdp_edition e, bool of_control, char *buf,
                            size_t cap)
{
    struct writer w = writer_of(buf, cap);
    enum manscdp_cmd last = MANSCDP_CMD_OTHER;
    size_t n;
    const struct manscdp_row *r = manscdp_rows(&n);

    for (; n; n--, r++) {
        bool is_control = r->cmd == MANSCDP_CMD_DEVICE_CONTROL;

        if ((r->root != MANSCDP_QUERY && r->root != MANSCDP_CONTROL) ||
            !(r->editions >> e & 1) || (of_control && !is_control) ||
            (!of_control && r->cmd == last))
            continue;
        if (w.len)
            writer_str(&w, ", ");
        writer_slice_put(&w, of_control ? r->sub
                                        : slice_str(manscdp_cmd_name(r->cmd)));
        last = r->cmd;
    }
    return writer_slice(&w);
}

/* Of a DeviceControl the element that is its command says what it is. */
static int find_control(struct order_read *b)
{
    struct platform_order *o = &b->order;
    const char *key;
    char buf[360];
    json_t *v;

    json_object_foreach((json_t *)(uintptr_t)b->params, key, v) {
        const struct manscdp_body *body =
            manscdp_body_for(o->root, o->cmd, slice_str(key));

        if (body && o->body)
            return fault(b, "%s: one command at a time", key);
        if (body)
            o->body = body;
    }
    if (o->body || (b->extra && json_object_size(b->extra) &&
                    json_object_size(b->params) == 0))
        return 0;
    return fault(b, "params: one of %.*s is wanted",
                 SLICE_ARG(choices(b->dialect.edition, true, buf,
                                   sizeof(buf))));
}

static int find_command(struct order_read *b, struct slice name)
{
    struct platform_order *o = &b->order;
    char buf[420];

    o->cmd = manscdp_cmd_by_name(name);
    o->root = o->cmd == MANSCDP_CMD_DEVICE_CONTROL ||
                      o->cmd == MANSCDP_CMD_DEVICE_CONFIG
                  ? MANSCDP_CONTROL
                  : MANSCDP_QUERY;
    if (o->cmd == MANSCDP_CMD_DEVICE_CONTROL) {
        b->status = 422;
        return find_control(b);
    }
    if (!manscdp_row_find(o->root, o->cmd, SLICE("")))
        return fault(b, "cmd: one of %.*s is wanted",
                     SLICE_ARG(choices(b->dialect.edition, false, buf,
                                       sizeof(buf))));
    b->status = 422;
    o->body = manscdp_body_for(o->root, o->cmd, SLICE(""));
    if (o->cmd == MANSCDP_CMD_DEVICE_CONFIG &&
        json_object_size(b->params) != 1)
        return fault(b, "params: one type of settings at a time");
    if (!o->body && json_object_size(b->params))
        return fault(b, "%.40s: no such element; allowed: none",
                     json_object_iter_key(json_object_iter(
                         (json_t *)(uintptr_t)b->params)));
    return 0;
}

static int read_elements(struct order_read *b)
{
    struct platform_order *o = &b->order;
    int err = body_read_any(&o->more, b->extra, &b->arena, &b->fault);

    if (err || !o->body)
        return err;
    o->in = arena_alloc(&b->arena, o->body->shape->size);
    return o->in ? body_read(o->in, o->body, &b->dialect, b->params,
                             &b->arena, &b->fault)
                 : GB_ENOMEM;
}

/* "2016"; what is absent is the device's. */
static int read_edition(struct order_read *b, const json_t *v)
{
    static const char *const words[] = { "2011", "2014", "2016", "2022" };
    struct slice text = slice_of(json_string_value(v), json_string_length(v));

    if (!v)
        return 0;
    for (unsigned i = 0; i < MANSCDP_EDITION_COUNT; i++) {
        if (!slice_eq(text, slice_str(words[i])))
            continue;
        b->dialect.edition = (enum manscdp_edition)i;
        b->order.edition = i + 1;
        return 0;
    }
    return fault(b, "edition: one of 2011, 2014, 2016, 2022 is wanted");
}

static int read_channel(struct order_read *b, const json_t *v)
{
    struct writer w = writer_of(b->number, sizeof(b->number));

    if (!v)
        return 0;
    if (json_is_integer(v)) {
        writer_i64(&w, json_integer_value(v));
        b->order.target = writer_slice(&w);
    } else if (json_is_string(v)) {
        b->order.target = slice_of(json_string_value(v),
                                   json_string_length(v));
    } else {
        return fault(b, "channel: an id is wanted");
    }
    return 0;
}

static int read_order(struct order_read *b, const json_t *root)
{
    static const char *const keys[] = { "cmd", "channel", "params", "extra",
                                        "edition" };
    const json_t *cmd = json_object_get(root, "cmd");
    const char *key;
    json_t *v;
    int err;

    if (!json_is_object(root) || !json_is_string(cmd))
        return fault(b, "the body is an object of cmd, channel, params, extra "
                        "and edition; cmd is a text");
    json_object_foreach((json_t *)(uintptr_t)root, key, v) {
        size_t i = 0;

        while (i < 5 && !slice_eq(slice_str(key), slice_str(keys[i])))
            i++;
        if (i == 5)
            return fault(b, "%.40s: allowed are cmd, channel, params, extra "
                            "and edition", key);
    }
    b->params = json_object_get(root, "params");
    b->extra = json_object_get(root, "extra");
    if (b->params && !json_is_object(b->params))
        return fault(b, "params: an object is wanted");
    err = read_channel(b, json_object_get(root, "channel"));
    if (!err)
        err = read_edition(b, json_object_get(root, "edition"));
    if (!err)
        err = find_command(b, slice_of(json_string_value(cmd),
                                       json_string_length(cmd)));
    return err ? err : read_elements(b);
}

/* Reads, sends and answers. root: {cmd, …}, may be NULL. */
static void order_json(struct http_call *c, const json_t *root)
{
    const struct gb_alloc *alloc = c->app->cfg.alloc;
    struct order_read b = { .order = { .device = c->params.value[0] },
                            .status = 400 };
    void *memory;
    int err = platform_device_dialect(c->app->cfg.platform, b.order.device,
                                      &b.dialect);

    if (err) {
        refuse_order(c, err);
        return;
    }
    if (!http_wait_read(c))
        return;
    memory = gb_get(alloc, ORDER_ARENA);
    b.arena = arena_of(memory, ORDER_ARENA);
    err = memory ? read_order(&b, root) : GB_ENOMEM;
    if (err == GB_ESYNTAX)
        http_answer_fail(c, b.status, b.status == 400 ? "bad-value"
                                                      : "bad-field",
                         b.fault.text);
    else if (err)
        refuse_order(c, err);
    else if (b.order.cmd == MANSCDP_CMD_CATALOG && !b.extra)
        http_refresh_device(c);
    else
        http_command_send(c, &b.order);
    gb_put(alloc, memory);
}

static json_t *body_of(const struct http_call *c)
{
    struct slice body = c->req->body;

    return json_loadb(body.n ? body.p : "", body.n, JSON_REJECT_DUPLICATES,
                      NULL);
}

void http_post_command(struct http_call *c)
{
    json_t *root = body_of(c);

    order_json(c, root);
    json_decref(root);
}

void http_order_send(struct http_call *c, const char *cmd, json_t *params)
{
    struct slice channel = c->params.n > 1 ? c->params.value[1]
                                           : c->params.value[0];
    json_t *root = json_pack("{s:s,s:s%,s:o}", "cmd", cmd, "channel",
                             channel.p, channel.n, "params", params);

    order_json(c, root);
    json_decref(root);
}

/* The body as the elements of a command; NULL: a problem has been answered. */
static json_t *elements_of(struct http_call *c)
{
    json_t *o = c->req->body.n ? body_of(c) : json_object();

    if (json_is_object(o))
        return o;
    json_decref(o);
    http_answer_fail(c, 400, "bad-value",
                     "the body is an object of elements");
    return NULL;
}

/* The detector that raised it stays latched until this (DeviceControl,
 * AlarmCmd, GB/T 28181-2022 A.2.3.1.6). */
void http_post_alarm_reset(struct http_call *c)
{
    json_t *info = elements_of(c), *params;

    if (!info)
        return;
    params = json_pack("{s:s}", "AlarmCmd", "ResetAlarm");
    if (json_object_size(info))
        json_object_set(params, "Info", info);
    json_decref(info);
    http_order_send(c, "DeviceControl", params);
}

void http_post_guard(struct http_call *c)
{
    json_t *o = elements_of(c);

    if (o)
        http_order_send(c, "DeviceControl", o);
}

/* ?type=BasicParam/OSDConfig */
void http_get_config(struct http_call *c)
{
    char text[512];
    struct slice type;
    int err = http_query_get(c->head->query, SLICE("type"), text, sizeof(text),
                             &type);

    if (err && err != GB_ENOENT) {
        http_answer_fail(c, 400, "bad-parameter", "type is malformed");
        return;
    }
    if (err)
        type = SLICE("BasicParam");
    http_order_send(c, "ConfigDownload",
                    json_pack("{s:s%}", "ConfigType", type.p, type.n));
}

void http_patch_config(struct http_call *c)
{
    json_t *o = elements_of(c);

    if (o)
        http_order_send(c, "DeviceConfig", o);
}
