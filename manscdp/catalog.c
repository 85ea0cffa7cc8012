#include "manscdp/catalog.h"

#include "manscdp/item.h"

static const struct manscdp_item_field fields[] = {
#define X(member, element, place, editions)                                    \
    { #member, SLICE_INIT(element), MANSCDP_IN_##place, MANSCDP_##editions,    \
      offsetof(struct manscdp_item, member) },
    MANSCDP_ITEM_MAP(X)
#undef X
};

#define N_FIELDS (sizeof(fields) / sizeof(fields[0]))

static const struct slice event_names[MANSCDP_EVENT_COUNT] = {
#define X(id) [MANSCDP_EVENT_##id] = SLICE_INIT(#id),
    MANSCDP_EVENT_MAP(X)
#undef X
};

const struct manscdp_item_field *manscdp_item_fields(size_t *n)
{
    *n = N_FIELDS;
    return fields;
}

const char *manscdp_event_name(enum manscdp_event e)
{
    return (unsigned)e < MANSCDP_EVENT_COUNT ? event_names[e].p : NULL;
}

enum manscdp_event manscdp_event_by_name(struct slice name)
{
    for (unsigned i = 1; i < MANSCDP_EVENT_COUNT; i++)
        if (slice_ieq(name, event_names[i]))
            return (enum manscdp_event)i;
    return MANSCDP_EVENT_NONE;
}

bool manscdp_item_is_on(const struct manscdp_item *it)
{
    struct slice s = it->status;

    return !s.n || slice_has_iprefix(s, SLICE("ON")) ||
           slice_ieq(s, SLICE("OK"));
}

bool manscdp_item_is_parent(const struct manscdp_item *it)
{
    uint32_t v;

    return manscdp_number(it->parental, UINT32_MAX, &v) && v == 1;
}

bool manscdp_item_position(const struct manscdp_item *it, double *longitude,
                           double *latitude)
{
    return manscdp_position(it->longitude, it->latitude, longitude, latitude);
}

unsigned manscdp_item_ptz_type(const struct manscdp_item *it)
{
    uint32_t v;

    return manscdp_number(it->ptz_type, 7, &v) ? v : 0;
}

static bool has_info(const struct manscdp_item *it)
{
    for (size_t i = 0; i < N_FIELDS; i++)
        if (fields[i].place == MANSCDP_IN_INFO &&
            fields[i].off != offsetof(struct manscdp_item,
                                      info_business_group_id) &&
            manscdp_item_get(it, &fields[i]).n)
            return true;
    for (size_t i = 0; i < it->n_extras; i++)
        if (slice_has_iprefix(it->extra[i].path, SLICE("Info")))
            return true;
    return false;
}

enum manscdp_kind manscdp_item_kind(const struct manscdp_item *it)
{
    enum manscdp_kind kind = manscdp_devid_kind(it->id);
    uint32_t v;

    if (kind == MANSCDP_KIND_UNKNOWN &&
        ((manscdp_number(it->parental, UINT32_MAX, &v) && v == 0) ||
         has_info(it)))
        return MANSCDP_KIND_CHANNEL;
    return kind;
}

bool manscdp_parent_next(struct slice *rest, struct slice *id)
{
    while (rest->n) {
        struct slice head;

        slice_cut(rest, '/', &head);
        *id = slice_trim(head);
        if (id->n)
            return true;
    }
    return false;
}

int manscdp_catalog_query_decode(struct manscdp_catalog_query *out,
                                 const struct manscdp_msg *msg)
{
    if (msg->root != MANSCDP_QUERY || msg->cmd != MANSCDP_CMD_CATALOG)
        return GB_ESYNTAX;
    *out = (struct manscdp_catalog_query){
        .sn = msg->sn,
        .device_id = msg->device_id,
        .start_time = xml_text(msg->doc.root, SLICE("StartTime")),
        .end_time = xml_text(msg->doc.root, SLICE("EndTime")),
    };
    return 0;
}

int manscdp_catalog_query_encode(struct writer *w,
                                 const struct manscdp_dialect *d,
                                 const struct manscdp_catalog_query *q)
{
    struct xml_out x;

    manscdp_put_begin(&x, w, d, MANSCDP_QUERY, MANSCDP_CMD_CATALOG, q->sn,
                      q->device_id);
    xml_put_opt(&x, "StartTime", q->start_time);
    xml_put_opt(&x, "EndTime", q->end_time);
    manscdp_put_end(&x, MANSCDP_QUERY);
    return w->err;
}

int manscdp_catalog_decode(struct manscdp_catalog *out,
                           const struct manscdp_msg *msg)
{
    const struct xml_node *root = msg->doc.root;
    const struct xml_node *list = xml_find(root, SLICE("DeviceList"));
    struct manscdp_catalog c = {
        .sn = msg->sn,
        .device_id = msg->device_id,
        .is_notify = msg->root == MANSCDP_NOTIFY,
        .status = xml_text(root, SLICE("Status")),
        .n_broken = msg->doc.n_broken,
    };

    if (msg->cmd != MANSCDP_CMD_CATALOG ||
        (msg->root != MANSCDP_RESPONSE && msg->root != MANSCDP_NOTIFY))
        return GB_ESYNTAX;
    c.has_sum_num = manscdp_number(xml_text(root, SLICE("SumNum")), UINT32_MAX,
                                   &c.sum_num);
    if (msg->doc.listed) {
        c.next_kept = msg->items;
        c.n_items = msg->n_items;
        *out = c;
        return 0;
    }
    c.next_item = xml_child(list ? list : root, SLICE("Item"));
    for (const struct xml_node *i = c.next_item; i; i = xml_next_same(i))
        c.n_items++;
    *out = c;
    return 0;
}

/* OperateType in place of Event: Hikvision platforms. */
static void read_operate_type(struct manscdp_item *it, struct slice text)
{
    if (it->event != MANSCDP_EVENT_NONE || !text.n)
        return;
    it->event = manscdp_event_by_name(text);
    if (it->event == MANSCDP_EVENT_NONE)
        it->event = MANSCDP_EVENT_UPDATE;
}

static struct slice extra_of(const struct manscdp_item *it, struct slice path)
{
    for (size_t i = 0; i < it->n_extras; i++)
        if (slice_ieq(it->extra[i].path, path))
            return it->extra[i].value;
    return slice_of(NULL, 0);
}

const struct manscdp_item *manscdp_catalog_each(struct manscdp_catalog *c,
                                                struct manscdp_item *room,
                                                struct arena *a)
{
    const struct slice operate = SLICE("OperateType");
    const struct manscdp_kept_item *kept = c->next_kept;

    if (kept) {
        c->next_kept = kept->next;
        if (!c->is_notify)
            return &kept->item;
        *room = kept->item;
        read_operate_type(room, extra_of(room, operate));
        return room;
    }
    if (!c->next_item)
        return NULL;
    manscdp_item_read(room, c->next_item, a);
    if (c->is_notify)
        read_operate_type(room, xml_text(c->next_item, operate));
    c->next_item = xml_next_same(c->next_item);
    return room;
}

bool manscdp_catalog_next(struct manscdp_catalog *c, struct manscdp_item *it,
                          struct arena *a)
{
    const struct manscdp_item *found = manscdp_catalog_each(c, it, a);

    if (found && found != it)
        *it = *found;
    return found != NULL;
}

static enum manscdp_root root_of(const struct manscdp_dialect *d,
                                 const struct manscdp_catalog *c)
{
    return c->is_notify && d->edition != MANSCDP_2011 ? MANSCDP_NOTIFY
                                                      : MANSCDP_RESPONSE;
}

void manscdp_catalog_put_begin(struct xml_out *x, struct writer *w,
                               const struct manscdp_dialect *d,
                               const struct manscdp_catalog *c, uint32_t num)
{
    manscdp_put_begin(x, w, d, root_of(d, c), MANSCDP_CMD_CATALOG, c->sn,
                      c->device_id);
    if (c->is_notify && d->edition != MANSCDP_2011)
        xml_put_opt(x, "Status", c->status);
    xml_put_u32(x, "SumNum", c->sum_num);
    if (num || d->edition == MANSCDP_2011)
        xml_put_open_num(x, "DeviceList", "Num", num);
}

void manscdp_catalog_put_end(struct xml_out *x,
                             const struct manscdp_dialect *d,
                             const struct manscdp_catalog *c, uint32_t num)
{
    if (num || d->edition == MANSCDP_2011)
        xml_put_close(x, "DeviceList");
    manscdp_put_end(x, root_of(d, c));
}

/* An address with credentials in it ("rtsp://user:…") stays at home. */
static bool is_private(const struct manscdp_item_field *f, struct slice value)
{
    return f->off == offsetof(struct manscdp_item, ip_address) &&
           slice_find_slice(value, SLICE("://")) < value.n;
}

static struct slice value_of(const struct manscdp_item *it,
                             const struct manscdp_item_field *f,
                             unsigned edition)
{
    struct slice value = manscdp_item_get(it, f);

    if (!(f->editions & edition) || is_private(f, value))
        return slice_of(NULL, 0);
    if (!value.n &&
        f->off == offsetof(struct manscdp_item, info_business_group_id))
        return it->business_group_id;
    return value;
}

static void put_fields(struct xml_out *x, const struct manscdp_dialect *d,
                       const struct manscdp_item *it)
{
    unsigned edition = 1u << d->edition;
    bool info = false;

    for (size_t i = 1; i < N_FIELDS; i++) {
        struct slice value = value_of(it, &fields[i], edition);

        if (value.n && fields[i].place == MANSCDP_IN_INFO && !info) {
            xml_put_open(x, "Info");
            info = true;
        }
        xml_put_opt(x, fields[i].element.p, value);
    }
    if (info)
        xml_put_close(x, "Info");
}

/* "A/B/C" as elements in each other. Only names that could be tags. */
static void put_extra(struct xml_out *x, struct slice path, struct slice value)
{
    char name[64];
    struct slice head;
    bool more = slice_cut(&path, '/', &head);

    if (!head.n || !slice_copy(name, sizeof(name), head))
        return;
    if (!more) {
        xml_put(x, name, value);
        return;
    }
    xml_put_open(x, name);
    put_extra(x, path, value);
    xml_put_close(x, name);
}

/* Only ADD and UPDATE, and answers to queries, carry the whole item. */
static bool is_brief(enum manscdp_event e)
{
    return e != MANSCDP_EVENT_NONE && e != MANSCDP_EVENT_ADD &&
           e != MANSCDP_EVENT_UPDATE;
}

void manscdp_catalog_put_item(struct xml_out *x,
                              const struct manscdp_dialect *d,
                              const struct manscdp_item *it, bool with_extras)
{
    xml_put_inline(x, true);
    xml_put_open(x, "Item");
    xml_put_opt(x, "DeviceID", it->id);
    if (it->event != MANSCDP_EVENT_NONE)
        xml_put(x, "Event", event_names[it->event]);
    if (!is_brief(it->event)) {
        put_fields(x, d, it);
        for (size_t i = 0; with_extras && i < it->n_extras; i++)
            put_extra(x, it->extra[i].path, it->extra[i].value);
    }
    xml_put_close(x, "Item");
    xml_put_inline(x, false);
}

int manscdp_catalog_encode(struct writer *w, const struct manscdp_dialect *d,
                           const struct manscdp_catalog *c,
                           const struct manscdp_item *items, size_t n)
{
    struct xml_out x;

    manscdp_catalog_put_begin(&x, w, d, c, (uint32_t)n);
    for (size_t i = 0; i < n; i++)
        manscdp_catalog_put_item(&x, d, &items[i], false);
    manscdp_catalog_put_end(&x, d, c, (uint32_t)n);
    return w->err;
}
