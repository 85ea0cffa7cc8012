#include "app/platform/bodyjson.h"

#include "app/platform/xmljson.h"
#include "manscdp/bodies.h"
#include "manscdp/config.h"
#include "manscdp/device.h"

/* An object is open: behind what stands in it, or first. */
static void put_key(struct writer *w, const char *name)
{
    if (w->len && w->p[w->len - 1] != '{')
        writer_char(w, ',');
    writer_char(w, '"');
    writer_str(w, name);
    writer_str(w, "\":");
}

static void put_text(struct writer *w, const char *name, struct slice text)
{
    if (!text.n)
        return;
    put_key(w, name);
    xmljson_text(w, text);
}

/* A decimal number of the wire as one of JSON: "+3", ".5", "007" are none. */
static void put_real(struct writer *w, struct slice text)
{
    double v;

    if (slice_double(text, &v))
        writer_f(w, "%.10g", v);
    else
        xmljson_text(w, text);
}

/* ---- what no table has ---------------------------------------------------- */

static bool is_head(struct slice name)
{
    static const struct slice names[] = {
        SLICE_INIT("CmdType"), SLICE_INIT("SN"), SLICE_INIT("DeviceID"),
    };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (slice_ieq(name, names[i]))
            return true;
    return false;
}

/* Whether the children of an element are known, each. */
typedef bool known_fn(const void *ctx, const struct xml_node *child);

static void put_extra(struct writer *w, const struct xml_node *node,
                      known_fn *known, const void *ctx)
{
    const struct xml_node *c = node ? node->child : NULL;
    unsigned keys = 0;

    for (; c && keys < XMLJSON_KEYS_MAX && !w->err; c = c->next) {
        if (known(ctx, c) || xmljson_is_secret(c->name) ||
            !xmljson_is_first(node, c))
            continue;
        if (keys) {
            writer_char(w, ',');
        } else {
            put_key(w, "extra");
            writer_char(w, '{');
        }
        keys++;
        xmljson_member(w, c);
    }
    if (keys)
        writer_char(w, '}');
}

/* ---- by a table ------------------------------------------------------------ */

struct known_by {
    const struct manscdp_shape *shape;
    bool is_root;
};

/* ExtraInfo and its relatives are texts of the head. */
static bool is_text_of_head(const struct xml_node *c)
{
    return !c->child && (slice_ieq(c->name, SLICE("ExtraInfo")) ||
                         slice_ieq(c->name, SLICE("ExtralInfo")) ||
                         slice_ieq(c->name, SLICE("Info")));
}

static bool is_of_shape(const void *ctx, const struct xml_node *c)
{
    const struct known_by *k = ctx;

    return manscdp_field_of(k->shape, c->name) ||
           (k->is_root && (is_head(c->name) || is_text_of_head(c)));
}

/* The element that f was read from; NULL: another place, or none. */
static const struct xml_node *node_of(const struct manscdp_shape *s,
                                      const struct manscdp_field *f,
                                      const struct xml_node *node)
{
    const struct xml_node *c = node ? node->child : NULL;

    while (c && (!c->child || manscdp_field_of(s, c->name) != f))
        c = c->next;
    return c;
}

static const struct xml_node *good_item(const struct xml_node *n)
{
    while (n && !n->child)
        n = xml_next_same(n);
    return n;
}

static void put_shape(struct writer *w, const struct manscdp_shape *s,
                      const void *in, const struct xml_node *node,
                      bool is_root);

static void put_object(struct writer *w, const struct manscdp_shape *s,
                       const void *in, const struct xml_node *node)
{
    writer_char(w, '{');
    put_shape(w, s, in, node, false);
    writer_char(w, '}');
}

static void put_items(struct writer *w, const struct manscdp_field *f,
                      const struct manscdp_value *v,
                      const struct xml_node *first)
{
    const struct xml_node *item = good_item(first);

    writer_char(w, '[');
    for (size_t i = 0; i < v->n && !w->err; i++) {
        if (i)
            writer_char(w, ',');
        if (f->type == MANSCDP_TEXTS) {
            xmljson_text(w, ((const struct slice *)v->items)[i]);
            continue;
        }
        put_object(w, f->shape, (const char *)v->items + i * f->shape->size,
                   item);
        item = item ? good_item(xml_next_same(item)) : NULL;
    }
    writer_char(w, ']');
}

static void put_field(struct writer *w, const struct manscdp_shape *s,
                      const struct manscdp_field *f, const void *in,
                      const struct xml_node *node)
{
    struct manscdp_value v;

    manscdp_field_get(&v, f, in);
    if (!v.has)
        return;
    put_key(w, f->name.p);
    switch (f->type) {
    case MANSCDP_TEXT:
    case MANSCDP_SESSION:
    case MANSCDP_SECRET:
    case MANSCDP_METHODS:
    case MANSCDP_WORD:
    case MANSCDP_RESULT:
        xmljson_text(w, v.text);
        break;
    case MANSCDP_REAL:
        put_real(w, v.text);
        break;
    case MANSCDP_INT:
    case MANSCDP_COUNT:
        writer_u64(w, v.number);
        break;
    case MANSCDP_PART:
        put_object(w, f->shape, v.items, node_of(s, f, node));
        break;
    case MANSCDP_LIST:
    case MANSCDP_TEXTS:
        put_items(w, f, &v, manscdp_first_item(f, node_of(s, f, node)));
        break;
    case MANSCDP_REPEAT:
        put_items(w, f, &v, node ? xml_child(node, f->name) : NULL);
        break;
    }
}

static void put_shape(struct writer *w, const struct manscdp_shape *s,
                      const void *in, const struct xml_node *node,
                      bool is_root)
{
    const struct known_by k = { s, is_root };

    for (size_t i = 0; i < s->n && !w->err; i++)
        put_field(w, s, &s->field[i], in, node);
    put_extra(w, node, is_of_shape, &k);
}

static void put_head_texts(struct writer *w, const struct manscdp_head *h)
{
    if (!h->n_extra)
        return;
    put_key(w, "ExtraInfo");
    writer_char(w, '[');
    for (size_t i = 0; i < h->n_extra; i++) {
        if (i)
            writer_char(w, ',');
        xmljson_text(w, h->extra[i]);
    }
    writer_char(w, ']');
}

static int decode(const struct manscdp_body *b, void *out,
                  const struct manscdp_msg *msg, struct slice types)
{
    struct slice type = { NULL, 0 }, second;

    if (b != &manscdp_config_answer_body)
        return manscdp_body_decode(b, out, msg);
    /* only of one type it can be told what an odd element means */
    if (!manscdp_config_type_next(&types, &type) ||
        manscdp_config_type_next(&types, &second))
        type = slice_of(NULL, 0);
    return manscdp_config_answer_decode_as(out, msg, type);
}

/* false: nothing has been written. */
static bool put_body(struct writer *w, const struct manscdp_msg *msg,
                     struct slice types)
{
    const struct manscdp_body *b = manscdp_body_of(msg);
    struct manscdp_head h;
    void *in = b ? arena_alloc(msg->arena, b->shape->size) : NULL;

    if (!in || decode(b, in, msg, types))
        return false;
    put_shape(w, b->shape, in, msg->doc.root, true);
    memcpy(&h, in, sizeof(h));
    put_head_texts(w, &h);
    return true;
}

/* ---- DeviceStatus, DeviceInfo, and a Result alone --------------------------- */

/* ctx: names, an empty one at the end. */
static bool is_named(const void *ctx, const struct xml_node *c)
{
    const struct slice *names = ctx;

    for (; names->n; names++)
        if (slice_ieq(c->name, *names))
            return true;
    return is_head(c->name);
}

static void put_result(struct writer *w, enum manscdp_result r,
                       const char *name)
{
    if (r != MANSCDP_ABSENT)
        put_text(w, name, slice_str(r == MANSCDP_OK ? "OK" : "ERROR"));
}

static void put_number(struct writer *w, const char *name, struct slice text)
{
    uint32_t v;

    if (!manscdp_number(text, UINT32_MAX, &v))
        return;
    put_key(w, name);
    writer_u64(w, v);
}

static bool put_info(struct writer *w, const struct manscdp_msg *msg)
{
    static const struct slice names[] = {
        SLICE_INIT("DeviceName"),   SLICE_INIT("Result"),
        SLICE_INIT("DeviceType"),   SLICE_INIT("Manufacturer"),
        SLICE_INIT("Model"),        SLICE_INIT("Firmware"),
        SLICE_INIT("MaxCamera"),    SLICE_INIT("MaxAlarm"),
        SLICE_INIT("Channel"),      { 0 },
    };
    struct manscdp_device_info i;

    if (manscdp_device_info_decode(&i, msg))
        return false;
    put_text(w, "DeviceName", i.device_name);
    put_result(w, i.result, "Result");
    put_text(w, "DeviceType", i.device_type);
    put_text(w, "Manufacturer", i.manufacturer);
    put_text(w, "Model", i.model);
    put_text(w, "Firmware", i.firmware);
    put_number(w, "MaxCamera", i.max_camera);
    put_number(w, "MaxAlarm", i.max_alarm);
    put_number(w, "Channel", i.channel);
    put_extra(w, msg->doc.root, is_named, names);
    return true;
}

static void put_on_off(struct writer *w, const char *name,
                       enum manscdp_tristate v, const char *on,
                       const char *off)
{
    if (v != MANSCDP_UNKNOWN)
        put_text(w, name, slice_str(v == MANSCDP_ON ? on : off));
}

static void put_duties(struct writer *w, const struct manscdp_device_status *s)
{
    static const char *const words[] = { "", "ONDUTY", "OFFDUTY", "ALARM" };

    put_key(w, "Alarmstatus");
    writer_char(w, '[');
    for (size_t i = 0; i < s->n_alarms; i++) {
        writer_str(w, i ? ",{" : "{");
        put_text(w, "DeviceID", s->alarm[i].device_id);
        put_text(w, "DutyStatus", slice_str(words[s->alarm[i].duty]));
        writer_char(w, '}');
    }
    writer_char(w, ']');
}

static bool put_status(struct writer *w, const struct manscdp_msg *msg)
{
    static const struct slice names[] = {
        SLICE_INIT("Result"), SLICE_INIT("Online"),     SLICE_INIT("Status"),
        SLICE_INIT("Reason"), SLICE_INIT("Encode"),     SLICE_INIT("Record"),
        SLICE_INIT("DeviceTime"), SLICE_INIT("Alarmstatus"), { 0 },
    };
    struct manscdp_device_status s;

    if (manscdp_device_status_decode(&s, msg))
        return false;
    put_result(w, s.result, "Result");
    put_on_off(w, "Online", s.online, "ONLINE", "OFFLINE");
    put_result(w, s.status, "Status");
    put_text(w, "Reason", s.reason);
    put_on_off(w, "Encode", s.encode, "ON", "OFF");
    put_on_off(w, "Record", s.record, "ON", "OFF");
    put_text(w, "DeviceTime", s.device_time);
    put_duties(w, &s);
    put_extra(w, msg->doc.root, is_named, names);
    return true;
}

static bool put_result_alone(struct writer *w, const struct manscdp_msg *msg)
{
    static const struct slice names[] = { SLICE_INIT("Result"),
                                          SLICE_INIT("Reason"), { 0 } };
    struct manscdp_response r;

    if (manscdp_response_decode(&r, msg))
        return false;
    put_result(w, r.result, "Result");
    put_text(w, "Reason", r.reason);
    put_extra(w, msg->doc.root, is_named, names);
    return true;
}

void bodyjson_write(struct writer *w, const struct manscdp_msg *msg,
                    struct slice types)
{
    size_t start = w->len, used = msg->arena->used;
    bool done;

    writer_char(w, '{');
    put_text(w, "CmdType", slice_str(manscdp_cmd_name(msg->cmd)));
    if (msg->has_sn) {
        put_key(w, "SN");
        writer_u64(w, msg->sn);
    }
    put_text(w, "DeviceID", msg->device_id);
    if (msg->root == MANSCDP_RESPONSE && msg->cmd == MANSCDP_CMD_DEVICE_STATUS)
        done = put_status(w, msg);
    else if (msg->root == MANSCDP_RESPONSE &&
             msg->cmd == MANSCDP_CMD_DEVICE_INFO)
        done = put_info(w, msg);
    else
        done = put_body(w, msg, types) || (!manscdp_body_of(msg) &&
                                           put_result_alone(w, msg));
    writer_char(w, '}');
    msg->arena->used = used;
    if (done || w->err)
        return;
    w->len = start;
    xmljson_write(w, msg->doc.root);
}
