/* What is read from the bytes of a body, from its plain tree, and from the
 * tree that the general reader makes, is the same: envelope, Keepalive, Alarm,
 * Catalog with all of its items, and where devices are. */
#include "fuzz/fuzz.h"

#include "manscdp/catalog.h"
#include "manscdp/notify.h"

#include <stdlib.h>
#include <string.h>

#define ARENA (4u << 20)
#define MAX_IN 65536u

static char mem[3][ARENA];

static void same(struct slice a, struct slice b)
{
    require(slice_eq(a, b));
}

static void same_msg(const struct manscdp_msg *a, const struct manscdp_msg *b)
{
    require(a->root == b->root && a->cmd == b->cmd && a->sn == b->sn);
    require(a->has_sn == b->has_sn && a->doc.charset == b->doc.charset);
    require(a->doc.repaired == b->doc.repaired);
    require(a->doc.salvaged == b->doc.salvaged);
    same(a->cmd_name, b->cmd_name);
    same(a->device_id, b->device_id);
}

static void same_keepalive(const struct manscdp_msg *a,
                           const struct manscdp_msg *b)
{
    struct manscdp_keepalive x, y;
    int err = manscdp_keepalive_decode(&x, a);

    require(manscdp_keepalive_decode(&y, b) == err);
    if (err)
        return;
    require(x.status == y.status && x.n_faulty == y.n_faulty);
    for (size_t i = 0; i < x.n_faulty; i++)
        same(x.faulty[i], y.faulty[i]);
}

static void same_alarm(const struct manscdp_msg *a,
                       const struct manscdp_msg *b)
{
    struct manscdp_alarm x, y;
    int err = manscdp_alarm_decode(&x, a);

    require(manscdp_alarm_decode(&y, b) == err);
    if (err)
        return;
    same(x.priority, y.priority);
    same(x.method, y.method);
    same(x.time, y.time);
    same(x.description, y.description);
    same(x.longitude, y.longitude);
    same(x.latitude, y.latitude);
    same(x.alarm_type, y.alarm_type);
    same(x.event_type, y.event_type);
    same(x.extension, y.extension);
    require(x.has_position == y.has_position && x.type_num == y.type_num);
    require(manscdp_alarm_type_name(x.method_num, x.type_num) ==
         manscdp_alarm_type_name(y.method_num, y.type_num));
    require(manscdp_alarm_method_name(x.method_num) || x.method_num == 0 ||
         x.method_num > 7);
}

static void same_item(const struct manscdp_item *x,
                      const struct manscdp_item *y)
{
    size_t n;
    const struct manscdp_item_field *f = manscdp_item_fields(&n);

    for (size_t i = 0; i < n; i++)
        same(manscdp_item_get(x, &f[i]), manscdp_item_get(y, &f[i]));
    require(x->event == y->event && x->n_extras == y->n_extras);
    for (size_t i = 0; i < x->n_extras; i++) {
        same(x->extra[i].path, y->extra[i].path);
        same(x->extra[i].value, y->extra[i].value);
    }
}

/* What the platform asks of an item. */
static void asked(const struct manscdp_item *x, const struct manscdp_item *y)
{
    struct slice rest = x->parent_id, id;
    double a[2] = { 0, 0 }, b[2] = { 0, 0 };

    require(manscdp_item_kind(x) == manscdp_item_kind(y));
    require(manscdp_item_is_on(x) == manscdp_item_is_on(y));
    require(manscdp_item_is_parent(x) == manscdp_item_is_parent(y));
    require(manscdp_item_ptz_type(x) == manscdp_item_ptz_type(y));
    require(manscdp_item_position(x, &a[0], &a[1]) ==
         manscdp_item_position(y, &b[0], &b[1]));
    require(memcmp(a, b, sizeof(a)) == 0);
    require(x->event == MANSCDP_EVENT_NONE ||
         manscdp_event_by_name(slice_str(manscdp_event_name(x->event))) ==
             x->event);
    while (manscdp_parent_next(&rest, &id))
        require(id.n && slice_find(id, '/') == id.n);
}

static void same_catalog(const struct manscdp_msg *a,
                         const struct manscdp_msg *b)
{
    struct manscdp_catalog x, y;
    struct manscdp_item room, other;
    const struct manscdp_item *it;
    int err = manscdp_catalog_decode(&x, a);

    require(manscdp_catalog_decode(&y, b) == err);
    if (err)
        return;
    require(x.n_items == y.n_items && x.n_broken == y.n_broken);
    require(x.has_sum_num == y.has_sum_num && x.is_notify == y.is_notify);
    require(!x.has_sum_num || x.sum_num == y.sum_num);
    same(x.status, y.status);
    while ((it = manscdp_catalog_each(&x, &room, a->arena))) {
        require(manscdp_catalog_next(&y, &other, b->arena));
        same_item(it, &other);
        asked(it, &other);
    }
    require(!manscdp_catalog_next(&y, &other, b->arena));
}

static void same_place(const struct xml_node *a, const struct xml_node *b)
{
    same(xml_text(a, SLICE("DeviceID")), xml_text(b, SLICE("DeviceID")));
    same(xml_text(a, SLICE("Longitude")), xml_text(b, SLICE("Longitude")));
    same(xml_text(a, SLICE("Latitude")), xml_text(b, SLICE("Latitude")));
}

static void same_position(const struct manscdp_msg *a,
                          const struct manscdp_msg *b)
{
    const struct slice list = SLICE("DeviceList"), item = SLICE("Item");
    const struct xml_node *x, *y;

    if (a->cmd != MANSCDP_CMD_MOBILE_POSITION)
        return;
    same_place(a->doc.root, b->doc.root);
    x = xml_child(xml_child(a->doc.root, list), item);
    y = xml_child(xml_child(b->doc.root, list), item);
    for (; x && y; x = xml_next_same(x), y = xml_next_same(y))
        same_place(x, y);
    require(!x && !y);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct xml_limits ways[3] = {
        { 0, 0, 0, false, false }, { .tree = true }, { .general = true }
    };
    struct slice in = slice_of((const char *)data, size);
    struct manscdp_msg m[3];
    struct arena a[3];
    int err[3];

    if (size > MAX_IN)
        return 0;
    for (unsigned i = 0; i < 3; i++) {
        a[i] = arena_of(mem[i], ARENA);
        err[i] = manscdp_msg_parse(&m[i], &a[i], in, &ways[i], NULL);
        require(err[i] == err[0]);
        require(!err[i] || a[i].used == 0);
    }
    for (unsigned i = 0; i < 2 && !err[0]; i++) {
        same_msg(&m[i], &m[2]);
        same_keepalive(&m[i], &m[2]);
        same_alarm(&m[i], &m[2]);
        same_catalog(&m[i], &m[2]);
        same_position(&m[i], &m[2]);
    }
    return 0;
}
