/* app/device/device_lists.c - answers of many messages: catalog, recordings,
 * presets, cruise tracks, settings. They go one after the other: the 200 to one
 * calls for the next (GB/T 28181-2022 Annex M). */
#include "app/device/device_impl.h"

#include "manscdp/catalog.h"
#include "manscdp/preset.h"
#include "manscdp/record.h"
#include "manscdp/time.h"

#include <stdio.h>

#define HEAD_BYTES 2048  /* of a message without its items */
#define ITEM_BYTES 1024  /* of one of them, at most */
#define SETTINGS_ROOM 131072 /* what reading the settings needs */
#define WHEN_MAX 40

static struct manscdp_head head_of(const struct device_list *l)
{
    return (struct manscdp_head){ .sn = l->sn, .device_id = slice_str(l->id) };
}

static uint32_t sum_of(const struct device *d, const struct device_list *l,
                       size_t n)
{
    const struct device_faults *f = &d->c.faults;
    bool is_catalog = l->cmd == MANSCDP_CMD_CATALOG;

    if (f->own_sum && !is_catalog)
        return (uint32_t)n;
    return (uint32_t)l->total +
           (is_catalog ? f->short_catalog : f->short_list);
}

/* ---- one message of each kind: n items from l->next on ---------------------- */

typedef void page_fn(struct device *d, const struct device_list *l, size_t n,
                     struct writer *w);

static void put_channel(struct device *d, struct xml_out *x,
                        const struct manscdp_dialect *dialect, size_t i)
{
    const struct device_channel *ch = &d->c.channel[i];
    bool is_off = d->channel_state && d->channel_state[i] & CHANNEL_OFF;
    struct manscdp_item it = {
        .id = slice_str(ch->id), .name = slice_str(ch->name),
        .manufacturer = slice_str(d->c.manufacturer),
        .model = slice_str(d->c.model), .owner = SLICE("0"),
        .civil_code = slice_head(slice_str(d->c.id), 6),
        .address = SLICE("gbcam"), .parental = SLICE("0"),
        .parent_id = slice_str(d->c.faults.self_parent ? ch->id
                               : d->c.faults.no_parent ? ""
                                                       : d->c.id),
        .register_way = SLICE("1"),
        .secrecy = SLICE("0"), .status = is_off ? SLICE("OFF") : SLICE("ON"),
        .ptz_type = SLICE("1"),
    };

    manscdp_catalog_put_item(x, dialect, &it, false);
}

/* The first item: an element begins and is no name, and none ends it. */
static void spoil(struct writer *w)
{
    size_t at = slice_find_slice(writer_slice(w), SLICE("<Item><DeviceID>"));

    if (at < w->len)
        memcpy(w->p + at + 6, "<\x01\xff", 3);
}

static void catalog_page(struct device *d, const struct device_list *l,
                         size_t n, struct writer *w)
{
    const struct manscdp_dialect dialect = device_answer_dialect(d);
    struct manscdp_catalog cat = { .sn = l->sn, .sum_num = sum_of(d, l, n),
                                   .device_id = slice_str(l->id) };
    struct xml_out x;

    manscdp_catalog_put_begin(&x, w, &dialect, &cat, (uint32_t)n);
    for (size_t i = 0; i < n; i++)
        put_channel(d, &x, &dialect, l->first + l->next + i);
    manscdp_catalog_put_end(&x, &dialect, &cat, (uint32_t)n);
    if (d->c.faults.bad_item && l->next == 0 && n)
        spoil(w);
}

/* Room for the texts of one record. */
struct record_text {
    char from[WHEN_MAX], to[WHEN_MAX], path[WHEN_MAX];
};

static struct slice when(const struct device *d, char out[static WHEN_MAX],
                         int64_t utc_ms)
{
    struct writer w = writer_of(out, WHEN_MAX);

    manscdp_time_write(&w, utc_ms, d->c.timezone_min);
    return writer_slice(&w);
}

static void write_record(const struct device *d, const struct device_list *l,
                         size_t i, struct record_text *t,
                         struct manscdp_record_item *out)
{
    struct device_span span;
    const char *type = device_records_at(d, l, i, &span);
    bool is_channel = l->target < d->c.n_channels;

    snprintf(t->path, sizeof(t->path), "/record/%lld",
             (long long)(span.from_utc_ms / 1000));
    *out = (struct manscdp_record_item){
        .device_id = slice_str(l->id),
        .name = slice_str(is_channel ? d->c.channel[l->target].name
                                     : d->c.name),
        .file_path = slice_str(t->path),
        .start_time = when(d, t->from, span.from_utc_ms),
        .end_time = when(d, t->to, span.to_utc_ms),
        .secrecy = manscdp_int(0),
        .type = slice_str(type),
        .recorder_id = slice_str(d->c.id),
        .file_size = SLICE("104857600"),
        .record_location = slice_str(d->c.id),
    };
}

static void record_page(struct device *d, const struct device_list *l,
                        size_t n, struct writer *w)
{
    struct manscdp_record_item *item =
        gb_get(d->c.alloc, (n + 1) * sizeof(*item));
    struct record_text *text = gb_get(d->c.alloc, (n + 1) * sizeof(*text));
    struct manscdp_record_answer a = {
        .head = head_of(l), .name = slice_str(d->c.name),
        .sum_num = manscdp_int(sum_of(d, l, n)), .item = item, .n_item = n,
    };

    if (!item || !text)
        w->err = GB_ENOMEM;
    for (size_t i = 0; !w->err && i < n; i++)
        write_record(d, l, l->next + i, &text[i], &item[i]);
    if (!w->err)
        device_encode(d, w, &manscdp_record_answer_body, &a);
    gb_put(d->c.alloc, item);
    gb_put(d->c.alloc, text);
}

static void preset_page(struct device *d, const struct device_list *l,
                        size_t n, struct writer *w)
{
    const struct device_target *t = device_model_find(&d->model, l->target);
    struct manscdp_preset item[MANSCDP_MAX_PRESETS];
    char id[MANSCDP_MAX_PRESETS][4];
    struct manscdp_presets a = { .head = head_of(l), .preset = item,
                                 .sum_num = manscdp_int(sum_of(d, l, n)) };

    for (; t && a.n_preset < n && l->next + a.n_preset < t->ptz.n_presets;
         a.n_preset++) {
        const struct device_preset *p = &t->ptz.preset[l->next + a.n_preset];

        snprintf(id[a.n_preset], sizeof(id[0]), "%u", p->id);
        item[a.n_preset] = (struct manscdp_preset){
            slice_str(id[a.n_preset]), slice_str(p->name)
        };
    }
    device_encode(d, w, &manscdp_presets_body, &a);
}

static void track_page(struct device *d, const struct device_list *l, size_t n,
                       struct writer *w)
{
    const struct device_target *t = device_model_find(&d->model, l->target);
    struct manscdp_track item[DEVICE_MAX_TRACKS];
    struct manscdp_track_list a = { .head = head_of(l), .track = item,
                                    .sum_num = manscdp_int(sum_of(d, l, n)) };

    for (; t && a.n_track < n && l->next + a.n_track < t->ptz.n_tracks;
         a.n_track++) {
        const struct device_track *from = &t->ptz.track[l->next + a.n_track];

        item[a.n_track] = (struct manscdp_track){ manscdp_int(from->group),
                                                  slice_str(from->name) };
    }
    device_encode(d, w, &manscdp_track_list_body, &a);
}

/* The lowest n bits of types. */
static uint32_t next_types(uint32_t types, size_t n)
{
    uint32_t left = types;

    while (n-- && left)
        left &= left - 1;
    return types & ~left;
}

static void config_page(struct device *d, const struct device_list *l,
                        size_t n, struct writer *w)
{
    const struct device_target *t = device_model_find(&d->model, l->target);
    char *room = gb_get(d->c.alloc, SETTINGS_ROOM);
    struct arena arena = arena_of(room, SETTINGS_ROOM);
    struct manscdp_basic_param basic;
    struct manscdp_config_answer all, a;

    if (!room) {
        w->err = GB_ENOMEM;
        return;
    }
    device_basic_param(d, &arena, &basic);
    w->err = device_values_read(t ? &t->values : NULL, &arena, &basic,
                                  &all);
    if (!w->err) {
        device_values_pick(&all, next_types(l->types, n), &a);
        a.head = head_of(l);
        device_encode(d, w, &manscdp_config_answer_body, &a);
    }
    gb_put(d->c.alloc, room);
}

/* ---- the messages ------------------------------------------------------------ */

static const struct {
    enum manscdp_cmd cmd;
    page_fn *page;
} kinds[] = {
    { MANSCDP_CMD_CATALOG, catalog_page },
    { MANSCDP_CMD_RECORD_INFO, record_page },
    { MANSCDP_CMD_PRESET_QUERY, preset_page },
    { MANSCDP_CMD_CRUISE_TRACK_LIST, track_page },
    { MANSCDP_CMD_CONFIG_DOWNLOAD, config_page },
};

static void write_page(struct device *d, const struct device_list *l, size_t n,
                       struct writer *w)
{
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (kinds[i].cmd == l->cmd)
            kinds[i].page(d, l, n, w);
}

/* Items of the next message. */
static size_t step_of(const struct device *d, const struct device_list *l)
{
    size_t left = l->total - l->next, most = d->c.items_per_message;

    if (l->cmd == MANSCDP_CMD_PRESET_QUERY ||
        l->cmd == MANSCDP_CMD_CRUISE_TRACK_LIST)
        most = d->c.presets_per_message ? d->c.presets_per_message : left;
    if (l->cmd == MANSCDP_CMD_CONFIG_DOWNLOAD)
        most = d->c.faults.one_config ? left : 1;
    return left < most ? left : most;
}

static bool is_doubled(const struct device *d, const struct device_list *l)
{
    return l->cmd == MANSCDP_CMD_CATALOG ? d->c.faults.dup_catalog
                                         : d->c.faults.dup_list;
}

/* false: it could not be sent. */
static bool send_page(struct device *d, struct device_list *l,
                      struct gb_time now)
{
    size_t n = step_of(d, l);
    size_t item = l->cmd == MANSCDP_CMD_CONFIG_DOWNLOAD
                      ? DEVICE_VALUES_BYTES
                      : ITEM_BYTES;
    size_t cap = HEAD_BYTES + item * n;
    char *buf = gb_get(d->c.alloc, cap);
    struct writer w = writer_of(buf, cap);
    bool sent;

    if (!buf)
        return false;
    write_page(d, l, n, &w);
    sent = device_send(d, &w, FOR_PAGE, now) == 0;
    if (sent && is_doubled(d, l))
        device_send(d, &w, FOR_OTHER, now);
    l->next += n;
    l->types &= ~next_types(l->types, n);
    gb_put(d->c.alloc, buf);
    return sent;
}

static void drop_first(struct device *d)
{
    d->n_lists--;
    memmove(d->list, d->list + 1, d->n_lists * sizeof(d->list[0]));
}

/* The first list that has something to send sends it. */
static void send_next(struct device *d, struct gb_time now)
{
    while (d->n_lists && !send_page(d, &d->list[0], now))
        drop_first(d);
}

void device_list_begin(struct device *d, const struct device_list *l)
{
    size_t same = 0;

    /* one that is asked for anew takes the place of the old */
    while (same < d->n_lists && d->list[same].cmd != l->cmd)
        same++;
    if (same == DEVICE_MAX_LISTS)
        same--;
    d->list[same] = *l;
    if (same == d->n_lists)
        d->n_lists++;
    if (same == 0)
        send_next(d, d->now);
}

void device_on_list_answer(struct device *d, const struct sip_event *ev,
                           struct gb_time now)
{
    if (!d->n_lists || (ev->kind == SIP_EV_RESPONSE && ev->status < 200))
        return;
    if (ev->kind != SIP_EV_RESPONSE || ev->status >= 300 ||
        d->list[0].next >= d->list[0].total)
        drop_first(d);
    send_next(d, now);
}
