/* MANSCDP bodies: bytes, decoded; encoded in some edition and character set;
 * decoded again: the core fields are the same. */
#include "fuzz/fuzz.h"

#include "manscdp/catalog.h"
#include "manscdp/device.h"
#include "manscdp/notify.h"
#include "manscdp/time.h"

#include <stdlib.h>

#define ARENA (1u << 20)
#define MAX_OUT (1u << 20)

static char mem_a[ARENA], mem_b[ARENA], wire[MAX_OUT];

/* Text that the way there and back may change: control characters are left
 * out, and line ends and blanks at an end that was cut move. */
static bool is_plain(struct slice s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((uint8_t)s.p[i] < 0x20)
            return false;
    return manscdp_text_is_utf8(s) && slice_eq(slice_trim(s), s) &&
           slice_find_slice(s, SLICE("\xef\xbb\xbf")) == s.n;
}

/* Characters of two bytes alone are taken for GB 18030 whatever is declared:
 * then texts come back as others. */
static bool other_charset;

static bool written_in_gb;

/* Characters whose GB 18030, one behind the other, looks like UTF-8: as these
 * bytes they are another text. */
static bool is_ambiguous(struct slice text)
{
    static char gb[MAX_OUT], back[2 * MAX_OUT];
    struct writer w = writer_of(gb, sizeof(gb));
    struct writer v = writer_of(back, sizeof(back));

    manscdp_text_encode(&w, text, MANSCDP_GB18030);
    manscdp_text_decode_run(&v, writer_slice(&w));
    return !slice_eq(writer_slice(&v), text);
}

static void same(struct slice a, struct slice b)
{
    require(!is_plain(a) || other_charset || slice_eq(a, b) ||
         (written_in_gb && is_ambiguous(a)));
}

static bool again(struct manscdp_msg *m, struct writer *w, int err)
{
    static struct arena b;

    if (err)
        return false;
    b = arena_of(mem_b, sizeof(mem_b));
    require(manscdp_msg_parse(m, &b, writer_slice(w), NULL, NULL) == 0);
    require(!m->doc.salvaged);
    other_charset = m->doc.charset == MANSCDP_GB18030 &&
                    manscdp_text_is_utf8(writer_slice(w));
    return true;
}

static void keepalive(const struct manscdp_msg *m,
                      const struct manscdp_dialect *d)
{
    struct writer w = writer_of(wire, sizeof(wire));
    struct manscdp_keepalive x, y;
    struct manscdp_msg n;

    if (manscdp_keepalive_decode(&x, m) ||
        !again(&n, &w, manscdp_keepalive_encode(&w, d, &x)))
        return;
    require(manscdp_keepalive_decode(&y, &n) == 0);
    require(x.sn == y.sn && x.status == y.status);
    same(x.device_id, y.device_id);
    require(x.n_faulty >= y.n_faulty);
}

static void alarm_notify(const struct manscdp_msg *m,
                         const struct manscdp_dialect *d)
{
    struct writer w = writer_of(wire, sizeof(wire));
    struct manscdp_alarm x, y;
    struct manscdp_msg n;

    if (manscdp_alarm_decode(&x, m))
        return;
    if (again(&n, &w, manscdp_alarm_encode(&w, d, &x))) {
        require(manscdp_alarm_decode(&y, &n) == 0);
        require(x.sn == y.sn && x.priority_num == y.priority_num &&
             x.method_num == y.method_num);
        require(x.has_position == y.has_position);
        same(x.description, y.description);
        if (d->edition >= MANSCDP_2016)
            require(x.type_num == y.type_num);
    }
    w = writer_of(wire, sizeof(wire));
    require(again(&n, &w, manscdp_alarm_answer(&w, d, &x, true)) || w.err);
}

static void device_info(const struct manscdp_msg *m,
                        const struct manscdp_dialect *d)
{
    struct writer w = writer_of(wire, sizeof(wire));
    struct manscdp_device_info x, y;
    struct manscdp_msg n;

    if (manscdp_device_info_decode(&x, m) ||
        !again(&n, &w, manscdp_device_info_encode(&w, d, &x)))
        return;
    require(manscdp_device_info_decode(&y, &n) == 0);
    require(x.sn == y.sn && x.n_channels == y.n_channels);
    require((x.result == MANSCDP_ERROR) == (y.result == MANSCDP_ERROR));
    same(x.manufacturer, y.manufacturer);
    same(x.firmware, y.firmware);
}

static void device_status(const struct manscdp_msg *m,
                          const struct manscdp_dialect *d)
{
    struct writer w = writer_of(wire, sizeof(wire));
    struct manscdp_device_status x, y;
    struct manscdp_msg n;

    if (manscdp_device_status_decode(&x, m) ||
        !again(&n, &w, manscdp_device_status_encode(&w, d, &x)))
        return;
    require(manscdp_device_status_decode(&y, &n) == 0);
    require(x.sn == y.sn && x.encode == y.encode && x.record == y.record);
    require((x.online == MANSCDP_OFF) == (y.online == MANSCDP_OFF));
    same(x.reason, y.reason);
}

/* Each field that the edition writes comes back as it was. */
static void same_item(const struct manscdp_item *x,
                      const struct manscdp_item *y,
                      const struct manscdp_dialect *d)
{
    size_t n_fields;
    const struct manscdp_item_field *f = manscdp_item_fields(&n_fields);
    bool brief = x->event != MANSCDP_EVENT_NONE &&
                 x->event != MANSCDP_EVENT_ADD &&
                 x->event != MANSCDP_EVENT_UPDATE;

    require(x->event == y->event);
    same(x->id, y->id);
    for (size_t i = 1; i < n_fields && !brief; i++)
        if ((f[i].editions >> d->edition & 1) &&
            !slice_eq(f[i].element, SLICE("IPAddress")))
            same(manscdp_item_get(x, &f[i]), manscdp_item_get(y, &f[i]));
}

/* What no edition knows goes along to whom takes it, below an item. */
static void catalog_with_extras(const struct manscdp_dialect *d,
                                const struct manscdp_catalog *c,
                                const struct manscdp_item *it)
{
    struct writer w = writer_of(wire, sizeof(wire));
    struct manscdp_catalog k;
    struct manscdp_item y;
    struct manscdp_msg n;
    struct xml_out x;

    manscdp_catalog_put_begin(&x, &w, d, c, 1);
    manscdp_catalog_put_item(&x, d, it, true);
    manscdp_catalog_put_end(&x, d, c, 1);
    if (!again(&n, &w, w.err))
        return;
    require(manscdp_catalog_decode(&k, &n) == 0 && k.n_items == 1);
    require(manscdp_catalog_next(&k, &y, n.arena));
    same(it->id, y.id);
}

static void catalog(const struct manscdp_msg *m,
                    const struct manscdp_dialect *d)
{
    struct manscdp_catalog c, k;
    struct manscdp_item x, y;

    if (manscdp_catalog_decode(&c, m))
        return;
    for (unsigned i = 0; i < 16 && manscdp_catalog_next(&c, &x, m->arena);
         i++) {
        struct writer w = writer_of(wire, sizeof(wire));
        struct manscdp_msg n;

        if (!again(&n, &w, manscdp_catalog_encode(&w, d, &c, &x, 1)))
            return;
        require(manscdp_catalog_decode(&k, &n) == 0);
        require(k.sn == c.sn && k.sum_num == c.sum_num && k.n_items == 1);
        require(manscdp_catalog_next(&k, &y, n.arena));
        same_item(&x, &y, d);
        if (x.n_extras && x.id.n)
            catalog_with_extras(d, &c, &x);
    }
}

static void generic(const struct manscdp_msg *m,
                    const struct manscdp_dialect *d)
{
    struct writer w = writer_of(wire, sizeof(wire));
    struct manscdp_catalog_query q, p;
    struct manscdp_response r;
    struct manscdp_msg n;

    if (manscdp_response_decode(&r, m) == 0 && r.cmd != MANSCDP_CMD_OTHER &&
        again(&n, &w, manscdp_response_encode(&w, d, &r)))
        require(n.cmd == m->cmd && n.sn == m->sn);
    w = writer_of(wire, sizeof(wire));
    if (m->cmd != MANSCDP_CMD_OTHER &&
        again(&n, &w, manscdp_query_encode(&w, d, m->cmd, m->sn,
                                           m->device_id))) {
        require(n.root == MANSCDP_QUERY && n.cmd == m->cmd && n.sn == m->sn);
        same(m->device_id, n.device_id);
    }
    w = writer_of(wire, sizeof(wire));
    if (manscdp_catalog_query_decode(&q, m) == 0 &&
        again(&n, &w, manscdp_catalog_query_encode(&w, d, &q))) {
        require(manscdp_catalog_query_decode(&p, &n) == 0);
        same(q.start_time, p.start_time);
    }
}

/* A time that was read is written, to the second, and reads the same. */
static void instant(struct slice text, int zone_min)
{
    char room[32];
    struct writer w = writer_of(room, sizeof(room));
    int64_t t, back;

    if (!manscdp_time_parse(text, zone_min, &t))
        return;
    manscdp_time_write(&w, t, zone_min);
    require(w.err == 0);
    if (!w.len) /* before 1970 or behind 9999 */
        return;
    require(manscdp_time_parse(writer_slice(&w), zone_min, &back));
    require(back <= t && t - back < 1000);
}

static void instants(const struct xml_node *n, int zone_min)
{
    for (; n; n = n->next) {
        instant(n->text, zone_min);
        instants(n->child, zone_min);
    }
}

/* The first byte chooses edition, character set and time zone; the rest is the
 * body. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const int zones[] = { MANSCDP_BEIJING_MIN, 0, -570, 840 };
    struct arena a = arena_of(mem_a, sizeof(mem_a));
    struct manscdp_dialect d;
    struct manscdp_msg m;
    struct gb_diag diag;

    if (!size || size > 65536)
        return 0;
    d.edition = data[0] & 3;
    d.charset = data[0] & 4 ? MANSCDP_UTF8 : MANSCDP_GB18030;
    written_in_gb = d.charset == MANSCDP_GB18030;
    if (manscdp_msg_parse(&m, &a, slice_of((const char *)data + 1, size - 1),
                          NULL, &diag)) {
        require(diag.why && diag.off <= size && a.used == 0);
        return 0;
    }
    keepalive(&m, &d);
    alarm_notify(&m, &d);
    device_info(&m, &d);
    device_status(&m, &d);
    catalog(&m, &d);
    generic(&m, &d);
    instants(m.doc.root, zones[data[0] >> 3 & 3]);
    return 0;
}
