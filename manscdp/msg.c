#include "manscdp/msg.h"

#include "manscdp/item.h"

int manscdp_msg_parse(struct manscdp_msg *out, struct arena *a,
                      struct slice body, const struct xml_limits *limits,
                      struct gb_diag *diag)
{
    size_t used = a->used;
    struct manscdp_items items;
    const struct xml_sink sink = { manscdp_items_are, manscdp_items_take,
                                   &items };
    const struct xml_node *root;
    enum manscdp_root kind;
    struct xml_doc doc;
    int err;

    manscdp_items_init(&items);
    err = xml_parse_list(&doc, a, body, limits, &sink, diag);
    if (err)
        return err;
    root = doc.root;
    kind = manscdp_root_by_name(root->name);
    if (kind == MANSCDP_ROOT_OTHER) {
        a->used = used;
        return gb_fail(diag, GB_EUNSUPPORTED, 0, "unknown root element");
    }
    out->doc = doc;
    out->arena = a;
    out->root = kind;
    out->cmd_name = xml_text_or_attr(root, SLICE("CmdType"));
    out->cmd = manscdp_cmd_by_name(out->cmd_name);
    out->sn = 0;
    out->has_sn = manscdp_number(xml_text_or_attr(root, SLICE("SN")),
                                 MANSCDP_SN_MAX, &out->sn);
    out->device_id = xml_text_or_attr(root, SLICE("DeviceID"));
    out->items = doc.listed ? items.first : NULL;
    out->n_items = doc.listed ? items.n : 0;
    return 0;
}

int manscdp_dispatch(const struct manscdp_handler *table, size_t n, void *ctx,
                     const struct manscdp_msg *msg)
{
    for (size_t i = 0; i < n; i++)
        if (table[i].root == msg->root && table[i].cmd == msg->cmd)
            return table[i].fn(ctx, msg);
    return GB_EUNSUPPORTED;
}

enum manscdp_result manscdp_result_parse(struct slice text)
{
    if (!text.n)
        return MANSCDP_ABSENT;
    if (slice_ieq(text, SLICE("OK")) || slice_ieq(text, SLICE("ON")) ||
        slice_ieq(text, SLICE("1")) || slice_ieq(text, SLICE("true")) ||
        slice_ieq(text, SLICE("success")))
        return MANSCDP_OK;
    return MANSCDP_ERROR;
}

bool manscdp_number(struct slice text, uint32_t max, uint32_t *v)
{
    struct slice s = slice_trim(text);
    size_t n = 0;

    if (s.n && s.p[0] == '+')
        s = slice_from(s, 1);
    while (n < s.n && ascii_is_digit(s.p[n]))
        n++;
    return slice_u32(slice_head(s, n), max, v);
}

bool manscdp_position(struct slice longitude, struct slice latitude,
                      double *lon, double *lat)
{
    double x, y;

    if (!slice_double(slice_trim(longitude), &x) ||
        !slice_double(slice_trim(latitude), &y))
        return false;
    if (!(x >= -180 && x <= 180 && y >= -90 && y <= 90) ||
        (x < 1e-9 && x > -1e-9 && y < 1e-9 && y > -1e-9))
        return false;
    *lon = x;
    *lat = y;
    return true;
}

void manscdp_put_begin(struct xml_out *x, struct writer *w,
                       const struct manscdp_dialect *d,
                       enum manscdp_root root, enum manscdp_cmd cmd,
                       uint32_t sn, struct slice device_id)
{
    *x = (struct xml_out){ .w = w, .charset = d->charset };
    xml_put_declaration(x);
    xml_put_open(x, manscdp_root_name(root));
    xml_put(x, "CmdType", slice_str(manscdp_cmd_name_in(cmd, d->edition)));
    xml_put_u32(x, "SN", sn);
    xml_put_opt(x, "DeviceID", device_id);
}

void manscdp_put_end(struct xml_out *x, enum manscdp_root root)
{
    xml_put_close(x, manscdp_root_name(root));
}

int manscdp_response_decode(struct manscdp_response *out,
                            const struct manscdp_msg *msg)
{
    if (msg->root != MANSCDP_RESPONSE)
        return GB_ESYNTAX;
    *out = (struct manscdp_response){
        .cmd = msg->cmd,
        .sn = msg->sn,
        .device_id = msg->device_id,
        .result = manscdp_result_parse(
            xml_text(msg->doc.root, SLICE("Result"))),
        .reason = xml_text(msg->doc.root, SLICE("Reason")),
    };
    return 0;
}

int manscdp_response_encode(struct writer *w, const struct manscdp_dialect *d,
                            const struct manscdp_response *r)
{
    struct xml_out x;

    manscdp_put_begin(&x, w, d, MANSCDP_RESPONSE, r->cmd, r->sn, r->device_id);
    xml_put(&x, "Result",
            r->result == MANSCDP_ERROR ? SLICE("ERROR") : SLICE("OK"));
    xml_put_opt(&x, "Reason", r->reason);
    manscdp_put_end(&x, MANSCDP_RESPONSE);
    return w->err;
}

int manscdp_query_encode(struct writer *w, const struct manscdp_dialect *d,
                         enum manscdp_cmd cmd, uint32_t sn,
                         struct slice device_id)
{
    struct xml_out x;

    manscdp_put_begin(&x, w, d, MANSCDP_QUERY, cmd, sn, device_id);
    manscdp_put_end(&x, MANSCDP_QUERY);
    return w->err;
}
