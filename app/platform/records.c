#include "app/platform/records.h"

#include "app/platform/core.h"
#include "base/writer.h"
#include "manscdp/record.h"
#include "manscdp/time.h"

#include <stdlib.h>

#define EVIDENCE_MAX 320
#define TEXT_MAX 200       /* bytes of a name or path that are kept */
#define BUSY_MS 1000       /* the device answers other questions */
#define CLOCK_MS 4000      /* for its clock; then it is asked without */
#define BUSY_TRIES 60
#define ZONE_MAX_MS (14 * INT64_C(3600000)) /* of a device whose clock is not known:
                                               no zone is farther from UTC */
#define TEXT_FIRST 4096    /* bytes of all texts at first, more than one has */
#define ITEMS_FIRST 64
#define TEXT_OF(x) TEXT_OF_(x)
#define TEXT_OF_(x) #x

struct record {
    int64_t start_ms, end_ms;
    uint64_t key; /* keyed hash of path and type: apart at equal times */
    uint64_t bytes;
    uint32_t name, path, type; /* in text */
    uint16_t name_len, path_len;
    uint8_t type_len;
};

/* What a window is asked for again with. */
struct window {
    uint64_t from_s, to_s;
};

struct records {
    struct list node, dirty;
    struct timerq_node timer;
    uint64_t id;
    char device[PLATFORM_ID_MAX], channel[PLATFORM_ID_MAX];
    char type[PLATFORM_RECORDS_TEXT];
    uint64_t start_s, stop_s;
    struct window at;      /* under way, or the next one */
    uint32_t window_s;
    uint64_t command;      /* of it; 0: none */
    uint64_t clock;        /* the DeviceStatus that goes before; 0: none */
    enum platform_command_state state;
    bool is_final, partial, asked_clock;
    bool vague;            /* its SumNum is no measure, see is_vague */
    uint32_t short_sum;    /* of the last answer that fell short of its SumNum; */
    int64_t short_end_ms;  /* and where that one's items ended */
    unsigned asked, busy;
    uint64_t begun_ms, done_ms; /* mono; when it became final */
    int64_t shift_ms;      /* its texts minus our times */
    int64_t drift_ms;      /* the same of texts that name their zone */
    int64_t slack_ms;      /* its texts may be off by so much */
    struct record *item;
    size_t n, cap, n_sorted, lost, outside; /* outside: of the asked time */
    int64_t last_end_ms; /* of the items of the window under way */
    char *text;
    size_t text_len, text_cap;
    char evidence[EVIDENCE_MAX];
};

/* ---- the table ------------------------------------------------------------ */

void records_init(struct records_table *t)
{
    list_init(&t->all);
    list_init(&t->dirty);
    t->next = 1;
}

static void forget(struct platform *p, struct records *r)
{
    timerq_stop(&p->timers, &r->timer);
    list_remove(&r->node);
    list_remove(&r->dirty);
    p->records.n--;
    gb_put(p->alloc, r->item);
    gb_put(p->alloc, r->text);
    gb_put(p->alloc, r);
}

void records_fini(struct platform *p)
{
    while (!list_is_empty(&p->records.all))
        forget(p, container_of(p->records.all.next, struct records, node));
}

static struct records *find(const struct platform *p, uint64_t id)
{
    for (struct list *n = p->records.all.next; n != &p->records.all;
         n = n->next) {
        struct records *r = container_of(n, struct records, node);

        if (r->id == id)
            return r;
    }
    return NULL;
}

/* The oldest that is over makes room. */
static bool make_room(struct platform *p)
{
    struct list *n = p->records.all.prev;

    if (p->records.n < PLATFORM_RECORDS_MAX)
        return true;
    for (; n != &p->records.all; n = n->prev) {
        struct records *r = container_of(n, struct records, node);

        if (r->is_final) {
            forget(p, r);
            return true;
        }
    }
    return false;
}

static void changed(struct platform *p, struct records *r)
{
    if (list_is_empty(&r->dirty))
        list_push_back(&p->records.dirty, &r->dirty);
}

bool records_news(struct platform *p, struct platform_action *out)
{
    struct list *n = list_pop_front(&p->records.dirty);
    struct records *r;

    if (!n)
        return false;
    r = container_of(n, struct records, dirty);
    out->kind = PLATFORM_RECORDS_CHANGED;
    out->records = r->id;
    out->device = slice_str(r->device);
    out->channel = slice_str(r->channel);
    if (r->is_final) {
        downloads_on_records(p, r->id);
        playback_on_records(p, r->id);
    }
    return true;
}

/* ---- items ----------------------------------------------------------------- */

static struct slice text_of(const struct records *r, uint32_t off, size_t n)
{
    return slice_of(r->text + off, n);
}

static void *grow(struct platform *p, void *old, size_t used, size_t cap)
{
    void *more = gb_get(p->alloc, cap);

    if (!more)
        return NULL;
    if (used)
        memcpy(more, old, used);
    gb_put(p->alloc, old);
    return more;
}

static bool keep_text(struct platform *p, struct records *r, struct slice s,
                      uint32_t *off)
{
    if (r->text_len + s.n > r->text_cap) {
        size_t cap = r->text_cap ? 2 * r->text_cap : TEXT_FIRST;
        char *more = grow(p, r->text, r->text_len, cap);

        if (!more)
            return false;
        r->text = more;
        r->text_cap = cap;
    }
    *off = (uint32_t)r->text_len;
    if (s.n)
        memcpy(r->text + r->text_len, s.p, s.n);
    r->text_len += s.n;
    return true;
}

/* A text of the device as a time of ours. */
static bool take_time(const struct platform *p, const struct records *r,
                      struct slice text, int64_t *ms)
{
    int zone = p->cfg.timezone_min;
    int64_t other;

    if (!manscdp_time_parse(text, zone, ms) ||
        !manscdp_time_parse(text, zone + 1, &other))
        return false;
    *ms -= other == *ms ? r->drift_ms : r->shift_ms;
    return true;
}

/* What is being recorded has no end yet: it is there until now, as far as it was
 * asked for; of a clock ahead of ours it may have begun only then. */
static bool take_end(const struct platform *p, const struct records *r,
                     struct slice text, int64_t start_ms, int64_t *ms)
{
    int64_t asked_ms = p->now.utc_ms - (int64_t)(p->now.mono_ms - r->begun_ms);
    int64_t stop_ms = (int64_t)r->stop_s * 1000;

    if (text.n)
        return take_time(p, r, text, ms);
    *ms = stop_ms < asked_ms ? stop_ms : asked_ms;
    if (*ms < start_ms)
        *ms = start_ms;
    return true;
}

/* All of it: devices list what touches the asked time, or whatever they have. */
static bool is_outside(const struct records *r, const struct record *e)
{
    int64_t from_ms = (int64_t)r->start_s * 1000 - r->slack_ms;
    int64_t to_ms = (int64_t)r->stop_s * 1000 + r->slack_ms;

    return e->start_ms >= to_ms || e->end_ms < from_ms ||
           (e->end_ms == from_ms && e->start_ms < from_ms);
}

static int by_time(const void *a, const void *b)
{
    const struct record *x = a, *y = b;

    if (x->start_ms != y->start_ms)
        return x->start_ms < y->start_ms ? -1 : 1;
    if (x->end_ms != y->end_ms)
        return x->end_ms < y->end_ms ? -1 : 1;
    if (x->key != y->key)
        return x->key < y->key ? -1 : 1;
    return 0;
}

/* RecordInfo has no ids: see manscdp_record_key. */
static bool same(const struct records *r, const struct record *x,
                 const struct record *y)
{
    return by_time(x, y) == 0 &&
           slice_eq(text_of(r, x->path, x->path_len),
                    text_of(r, y->path, y->path_len)) &&
           slice_eq(text_of(r, x->type, x->type_len),
                    text_of(r, y->type, y->type_len));
}

static bool is_told(const struct records *r, const struct record *e, size_t n)
{
    while (n > 0 && by_time(&r->item[n - 1], e) == 0)
        if (same(r, &r->item[--n], e))
            return true;
    return false;
}

static uint32_t move_text(const struct records *r, char *to, size_t *at,
                          uint32_t off, size_t n)
{
    uint32_t moved = (uint32_t)*at;

    if (n)
        memcpy(to + *at, r->text + off, n);
    *at += n;
    return moved;
}

/* The texts of what is still told. Without memory the others stay until the next
 * time. */
static void pack_text(const struct platform *p, struct records *r)
{
    size_t cap = TEXT_FIRST, at = 0;
    char *to;

    for (size_t i = 0; i < r->n; i++)
        cap += (size_t)r->item[i].name_len + r->item[i].path_len +
               r->item[i].type_len;
    to = gb_get(p->alloc, cap);
    if (!to)
        return;
    for (size_t i = 0; i < r->n; i++) {
        struct record *e = &r->item[i];

        e->name = move_text(r, to, &at, e->name, e->name_len);
        e->path = move_text(r, to, &at, e->path, e->path_len);
        e->type = move_text(r, to, &at, e->type, e->type_len);
    }
    gb_put(p->alloc, r->text);
    r->text = to;
    r->text_len = at;
    r->text_cap = cap;
}

/* In order, none twice; windows overlap, and devices repeat themselves. */
static void sort(const struct platform *p, struct records *r)
{
    size_t n = 0;
    bool repeats;

    if (r->n_sorted == r->n)
        return;
    qsort(r->item, r->n, sizeof(*r->item), by_time);
    for (size_t i = 0; i < r->n; i++)
        if (!is_told(r, &r->item[i], n))
            r->item[n++] = r->item[i];
    repeats = n < r->n;
    r->n = r->n_sorted = n;
    if (repeats)
        pack_text(p, r);
}

/* For one more. What is told twice makes room first, as soon as that is worth
 * the work. */
static bool make_item_room(struct platform *p, struct records *r)
{
    size_t cap = r->cap ? 2 * r->cap : ITEMS_FIRST;
    struct record *more;

    if (r->n < r->cap)
        return true;
    if (r->n - r->n_sorted >= r->cap / 4)
        sort(p, r);
    if (r->n < r->cap - r->cap / 4)
        return true;
    if (cap > PLATFORM_RECORDS_ITEMS)
        cap = PLATFORM_RECORDS_ITEMS;
    if (cap == r->cap)
        return r->n < r->cap;
    more = grow(p, r->item, r->n * sizeof(*more), cap * sizeof(*more));
    if (!more)
        return r->n < r->cap;
    r->item = more;
    r->cap = cap;
    return true;
}

/* false: it has no time that can be read, or there is no room for it. */
static bool keep_item(struct platform *p, struct records *r,
                      const struct xml_node *n)
{
    struct slice name = manscdp_text_cut(xml_text(n, SLICE("Name")), TEXT_MAX);
    struct slice path = manscdp_text_cut(xml_text(n, SLICE("FilePath")),
                                         TEXT_MAX);
    struct slice type = slice_head(xml_text(n, SLICE("Type")),
                                   PLATFORM_RECORDS_TEXT - 1);
    struct record e = { .name_len = (uint16_t)name.n,
                        .path_len = (uint16_t)path.n,
                        .type_len = (uint8_t)type.n };

    if (!take_time(p, r, xml_text(n, SLICE("StartTime")), &e.start_ms) ||
        !take_end(p, r, xml_text(n, SLICE("EndTime")), e.start_ms,
                  &e.end_ms) ||
        e.end_ms < e.start_ms)
        return false;
    if (is_outside(r, &e)) {
        r->outside++;
        return true;
    }
    if (!make_item_room(p, r))
        return false;
    e.key = map_hash(p->seed, path) ^ map_hash(p->seed, type) << 1;
    if (!slice_u64(xml_text(n, SLICE("FileSize")), UINT64_MAX, &e.bytes))
        e.bytes = 0;
    if (!keep_text(p, r, name, &e.name) || !keep_text(p, r, path, &e.path) ||
        !keep_text(p, r, type, &e.type))
        return false;
    r->item[r->n++] = e;
    if (e.end_ms > r->last_end_ms)
        r->last_end_ms = e.end_ms;
    return true;
}

void records_on_answer(struct platform *p, uint64_t command,
                       const struct manscdp_msg *msg)
{
    struct list *l = p->records.all.next;

    if (msg->cmd != MANSCDP_CMD_RECORD_INFO)
        return;
    for (; l != &p->records.all; l = l->next) {
        struct records *r = container_of(l, struct records, node);
        const struct xml_node *list, *n;

        if (r->command != command || r->is_final)
            continue;
        list = xml_child(msg->doc.root, SLICE("RecordList"));
        n = list ? xml_child(list, SLICE("Item")) : NULL;
        for (; n; n = xml_next_same(n))
            if (!keep_item(p, r, n))
                r->lost++;
        changed(p, r);
        return;
    }
}

/* ---- asking ------------------------------------------------------------------ */

static void explain(struct records *r, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
static void explain(struct records *r, const char *fmt, ...)
{
    struct writer w = writer_of(r->evidence, sizeof(r->evidence) - 1);
    va_list ap;

    va_start(ap, fmt);
    writer_vf(&w, fmt, ap);
    va_end(ap);
    r->evidence[w.len] = '\0';
}

static void finish(struct platform *p, struct records *r)
{
    sort(p, r);
    if (r->lost && !r->evidence[0])
        explain(r, "%zu items have no time that can be read, and are left out",
                r->lost);
    if (r->outside && !r->n && !r->evidence[0])
        explain(r, "the device lists %zu recordings, none of them of the asked "
                   "time: look at its clock and time zone",
                r->outside);
    r->is_final = true;
    r->done_ms = p->now.mono_ms;
    timerq_stop(&p->timers, &r->timer);
    changed(p, r);
}

struct question {
    const struct records *r;
    int zone_min;
};

static int encode(void *ctx, struct writer *w, const struct manscdp_dialect *d,
                  uint32_t sn, struct slice target)
{
    const struct question *q = ctx;
    const struct records *r = q->r;
    char start[32], end[32];
    struct writer s = writer_of(start, sizeof(start));
    struct writer e = writer_of(end, sizeof(end));
    struct manscdp_record_query body = { .head = { .sn = sn,
                                                   .device_id = target },
                                         .secrecy = manscdp_int(0),
                                         .type = slice_str(r->type) };

    manscdp_time_write(
        &s, (int64_t)clock_shifted(r->at.from_s * 1000, r->shift_ms),
        q->zone_min);
    manscdp_time_write(
        &e, (int64_t)clock_shifted(r->at.to_s * 1000, r->shift_ms),
        q->zone_min);
    body.start_time = writer_slice(&s);
    body.end_time = writer_slice(&e);
    return manscdp_record_query_encode(w, d, &body);
}

static int encode_status(void *ctx, struct writer *w,
                         const struct manscdp_dialect *d, uint32_t sn,
                         struct slice target)
{
    const struct manscdp_body none = { MANSCDP_QUERY, MANSCDP_CMD_DEVICE_STATUS,
                                       { NULL, 0 }, &manscdp_no_elements };
    struct manscdp_head head = { .sn = sn, .device_id = target };

    (void)ctx;
    return manscdp_body_encode(w, d, &none, &head);
}

/* Another question asks this device for its clock at this moment: 0, or the command. */
static uint64_t clock_asked(const struct platform *p, const struct records *r)
{
    struct platform_command c;

    for (const struct list *n = p->records.all.next; n != &p->records.all;
         n = n->next) {
        const struct records *other =
            container_of((struct list *)(uintptr_t)n, struct records, node);

        if (other->clock && !other->is_final &&
            slice_eq(slice_str(other->device), slice_str(r->device)) &&
            platform_command_view(p, other->clock, &c) && !c.is_final)
            return other->clock;
    }
    return 0;
}

/* Its clock is looked at first, unless it has shown that it does not tell: many
 * devices do not, and whoever asks for recordings waits meanwhile. */
static bool ask_clock(struct platform *p, struct records *r, struct device *d)
{
    const struct command_order o = {
        .encode = encode_status, .once_ms = CLOCK_MS,
        .row = manscdp_row_find(MANSCDP_QUERY, MANSCDP_CMD_DEVICE_STATUS,
                                SLICE("")),
    };

    if (r->asked_clock || p->cfg.trust_clocks || !clock_is_stale(p, d) ||
        profile_lacks(d, o.row))
        return false;
    r->asked_clock = true;
    r->clock = clock_asked(p, r);
    return r->clock || command_start(p, d, &o, &r->clock) == 0;
}

static void ask(struct platform *p, struct records *r)
{
    struct device *d = device_find(p, slice_str(r->device));
    struct question q = { r, p->cfg.timezone_min };
    const struct command_order o = {
        .target = slice_str(r->channel), .encode = encode, .ctx = &q,
        .row = manscdp_row_find(MANSCDP_QUERY, MANSCDP_CMD_RECORD_INFO,
                                SLICE("")),
    };
    int err = d ? 0 : GB_ENOENT;

    if (!err && ask_clock(p, r, d))
        return;
    if (!err) {
        r->shift_ms = clock_text_ms(p, d);
        r->drift_ms = clock_unix_ms(p, d);
        r->slack_ms = clock_is_known(d) ? 0 : ZONE_MAX_MS;
        r->last_end_ms = 0;
        err = command_start(p, d, &o, &r->command);
    }
    if (!err) {
        r->asked++;
        r->busy = 0;
        return;
    }
    if (err == GB_ELIMIT && r->busy++ < BUSY_TRIES) {
        timerq_set(&p->timers, &r->timer, p->now.mono_ms + BUSY_MS);
        return;
    }
    r->partial = true;
    explain(r, "it could not be asked: %s",
            err == GB_ESTATE ? "the device is offline" : gb_strerror(err));
    r->state = PLATFORM_COMMAND_SILENT;
    finish(p, r);
}

/* The window that begins there. */
static void set_window(struct records *r, uint64_t from_s)
{
    r->at.from_s = from_s;
    r->at.to_s = r->stop_s - from_s > r->window_s ? from_s + r->window_s
                                                  : r->stop_s;
}

static void give_up(struct platform *p, struct records *r, const char *why)
{
    r->partial = true;
    explain(r, "%s: what lies behind is left out", why);
    finish(p, r);
}

static void go_on(struct platform *p, struct records *r, uint64_t from_s)
{
    if (from_s >= r->stop_s) {
        finish(p, r);
        return;
    }
    if (p->now.mono_ms - r->begun_ms >= RECORDS_MOST_MS) {
        give_up(p, r, "the device takes longer than an hour");
        return;
    }
    set_window(r, from_s);
    timerq_set(&p->timers, &r->timer, p->now.mono_ms);
    changed(p, r);
}

/* A quarter of it, down to three hours: what one firmware damages above twelve
 * hours is whole in six. false: it is small enough. */
static bool try_smaller(struct platform *p, struct records *r)
{
    uint64_t s = r->at.to_s - r->at.from_s;

    if (s <= RECORDS_WINDOW_MIN_S)
        return false;
    r->window_s = s / 4 > RECORDS_WINDOW_MIN_S ? (uint32_t)(s / 4)
                                               : RECORDS_WINDOW_MIN_S;
    go_on(p, r, r->at.from_s);
    return true;
}

/* Where the device may have stopped at a limit of its own; 0: it has not. */
static uint64_t limit_at(const struct records *r, uint32_t have)
{
    int64_t last = r->last_end_ms / 1000;

    if (have < RECORDS_ROUND || have % RECORDS_ROUND)
        return 0;
    return last > (int64_t)r->at.from_s && last < (int64_t)r->at.to_s - 1
               ? (uint64_t)last
               : 0;
}

/* It announces the same for a part of the time, and has told of what lies behind
 * that part: it counts what nobody asked for, and smaller questions would all
 * fall short, each after a silence. */
static bool is_vague(const struct records *r, const struct platform_command *c)
{
    return c->sum && c->sum == r->short_sum &&
           r->short_end_ms > (int64_t)r->at.to_s * 1000;
}

/* true: it is asked once more for less at a time. */
static bool falls_short(struct platform *p, struct records *r,
                        const struct platform_command *c)
{
    if (!r->vague && is_vague(r, c)) {
        r->vague = true;
        r->window_s = RECORDS_WINDOW_S;
    }
    r->short_sum = c->sum;
    r->short_end_ms = r->last_end_ms;
    return !r->vague && try_smaller(p, r);
}

static void answered(struct platform *p, struct records *r,
                     const struct platform_command *c)
{
    uint64_t limit = limit_at(r, c->have);

    sort(p, r);
    if (r->n >= PLATFORM_RECORDS_ITEMS) {
        give_up(p, r, "there are more than " TEXT_OF(PLATFORM_RECORDS_ITEMS)
                      " recordings");
        return;
    }
    if (c->partial && falls_short(p, r, c))
        return;
    if (c->partial) {
        r->partial = true;
        explain(r, "%.*s", SLICE_ARG(c->evidence));
    }
    go_on(p, r, limit ? limit : r->at.to_s);
}

/* What is broken as a whole is refused before it becomes an answer: that looks
 * as silence, and only the first window of all may be that of a device which
 * has no recordings at all. */
static void not_answered(struct platform *p, struct records *r,
                         const struct platform_command *c)
{
    const struct device *d = device_find(p, slice_str(r->device));
    bool broken = d && device_has_noted(d, DEVIATION_BODY_REFUSED);

    if ((r->asked > 1 || broken) && d && d->online && try_smaller(p, r))
        return;
    r->partial = true;
    explain(r, "%.*s", SLICE_ARG(c->evidence));
    if (r->asked > 1 && d && d->online)
        go_on(p, r, r->at.to_s);
    else
        finish(p, r);
}

void records_on_timer(struct platform *p, struct timerq_node *timer)
{
    ask(p, container_of(timer, struct records, timer));
}

void records_on_command(struct platform *p, uint64_t command)
{
    struct list *n = p->records.all.next;
    struct platform_command c;

    if (n == &p->records.all || !platform_command_view(p, command, &c) ||
        !c.is_final)
        return;
    for (; n != &p->records.all; n = n->next) {
        struct records *r = container_of(n, struct records, node);

        if (r->is_final)
            continue;
        if (r->clock == command) {
            r->clock = 0;
            timerq_set(&p->timers, &r->timer, p->now.mono_ms);
        } else if (r->command == command) {
            r->state = c.state;
            if (c.state == PLATFORM_COMMAND_ANSWERED)
                answered(p, r, &c);
            else
                not_answered(p, r, &c);
            return;
        }
    }
}

/* ---- the API ------------------------------------------------------------------- */

static bool is_same(const struct platform *p, const struct records *r,
                    const struct platform_records_ask *q, struct slice device,
                    struct slice type)
{
    bool good = r->state == PLATFORM_COMMAND_ANSWERED && !r->partial;

    return r->start_s == q->start_s && r->stop_s == q->stop_s &&
           slice_eq(slice_str(r->device), device) &&
           slice_eq(slice_str(r->channel), q->channel) &&
           slice_eq(slice_str(r->type), type) &&
           (!r->is_final ||
            (good && p->now.mono_ms - r->done_ms < RECORDS_FRESH_MS));
}

static struct records *known(const struct platform *p,
                             const struct platform_records_ask *q,
                             struct slice device, struct slice type)
{
    for (struct list *n = p->records.all.next; n != &p->records.all;
         n = n->next) {
        struct records *r = container_of(n, struct records, node);

        if (is_same(p, r, q, device, type))
            return r;
    }
    return NULL;
}

static bool is_type(struct slice s)
{
    return slice_eq(s, SLICE("all")) || slice_eq(s, SLICE("time")) ||
           slice_eq(s, SLICE("alarm")) || slice_eq(s, SLICE("manual"));
}

int platform_records_start(struct platform *p,
                           const struct platform_records_ask *q,
                           struct gb_time now, uint64_t *id)
{
    struct device *d = device_find(p, q->device);
    struct slice type = q->type.n ? q->type : SLICE("all");
    struct records *r;

    clock_at(p, now);
    if (!d)
        return GB_ENOENT;
    if (!is_type(type) || !manscdp_devid_is_usable(q->channel) ||
        q->channel.n >= PLATFORM_ID_MAX)
        return GB_ESYNTAX;
    if (q->start_s == 0 || q->stop_s <= q->start_s ||
        q->stop_s - q->start_s > PLATFORM_PLAYBACK_MAX_S)
        return GB_ERANGE;
    r = known(p, q, device_id(d), type);
    if (r) {
        *id = r->id;
        return 0;
    }
    if (!d->online)
        return GB_ESTATE;
    if (!make_room(p))
        return GB_ELIMIT;
    r = gb_get(p->alloc, sizeof(*r));
    if (!r)
        return GB_ENOMEM;
    list_init(&r->dirty);
    timerq_node_init(&r->timer, TIMER_RECORDS);
    slice_copy(r->device, sizeof(r->device), device_id(d));
    slice_copy(r->channel, sizeof(r->channel), q->channel);
    slice_copy(r->type, sizeof(r->type), type);
    r->id = p->records.next++;
    r->begun_ms = now.mono_ms;
    r->start_s = q->start_s;
    r->stop_s = q->stop_s;
    r->window_s = RECORDS_WINDOW_S;
    r->state = PLATFORM_COMMAND_QUEUED;
    set_window(r, r->start_s);
    list_push_front(&p->records.all, &r->node);
    p->records.n++;
    *id = r->id;
    ask(p, r);
    return 0;
}

bool platform_records_is_final(const struct platform *p, uint64_t id)
{
    const struct records *r = find(p, id);

    return r && r->is_final;
}

bool platform_records_view(const struct platform *p, uint64_t id,
                           struct platform_records *out)
{
    struct records *r = find(p, id);

    if (!r)
        return false;
    sort(p, r); /* also what has come until now is in order, none twice */
    *out = (struct platform_records){
        .id = r->id,
        .command = r->command,
        .device = slice_str(r->device),
        .channel = slice_str(r->channel),
        .type = slice_str(r->type),
        .start_s = r->start_s,
        .stop_s = r->stop_s,
        .is_final = r->is_final,
        .complete = r->is_final && !r->partial && !r->lost &&
                    r->state == PLATFORM_COMMAND_ANSWERED,
        .state = r->state,
        .asked = r->asked,
        .n = r->n,
        .lost = r->lost,
        .evidence = slice_str(r->evidence),
    };
    return true;
}

bool platform_record_at(const struct platform *p, uint64_t id, size_t i,
                        struct platform_record *out)
{
    struct records *r = find(p, id);
    const struct record *e;

    if (!r || i >= r->n)
        return false;
    e = &r->item[i];
    *out = (struct platform_record){
        .start_utc_ms = e->start_ms,
        .end_utc_ms = e->end_ms,
        .name = text_of(r, e->name, e->name_len),
        .path = text_of(r, e->path, e->path_len),
        .type = text_of(r, e->type, e->type_len),
        .bytes = e->bytes,
    };
    return true;
}
