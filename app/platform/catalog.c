/* Asking devices what they are and have: Catalog, then DeviceInfo, one
 * question at a time.
 *
 *     wanted ──start_ms──► running ──► complete ──► lingering, then swept
 *        ▲                    │
 *        └──── retry_ms ──────┴─ refused, silent or partial
 *
 * Items are kept as they come. Only a complete answer takes away what it did
 * not list. */
#include "app/platform/catalog.h"

#include "app/platform/core.h"
#include "app/platform/outgoing.h"
#include "app/platform/xmljson.h"

#include "base/writer.h"
#include "manscdp/device.h"

#define INFO_MS 10000           /* for the Response to DeviceInfo */
#define PLATFORM_FIRST_MS 120000 /* a platform collects before it answers */
#define CROWD_MS 10000
#define JITTER_MIN_MS 1000
#define JITTER_MAX_MS 5000
#define JITTER_EACH_MS 20       /* more for each that came online of late */
#define JITTER_CEILING_MS 60000
#define JITTER_HEAD 4           /* the part of a longer wait that is left to
                                   those who still come */
#define TURN_MS 50              /* those of this time are asked together */
#define NO_MEMORY_MS 1000
#define MAX_TRIES 3
#define FRESH_S 600             /* a complete one is not asked for again */

static const uint64_t retry_after_ms[MAX_TRIES] = { 30000, 120000, 600000 };

/* 1-5 s; more after an outage that has brought a crowd (field-note 3.13), the
 * rest of which is let in first. */
uint64_t query_jitter(struct platform *p)
{
    uint64_t most, least;

    if (p->now.mono_ms - p->crowd_ms > CROWD_MS) {
        p->crowd = 0;
        p->crowd_ms = p->now.mono_ms;
    }
    p->crowd++;
    most = JITTER_MAX_MS + (uint64_t)p->crowd * JITTER_EACH_MS;
    if (most > JITTER_CEILING_MS)
        most = JITTER_CEILING_MS;
    least = JITTER_MIN_MS + (most - JITTER_MAX_MS) / JITTER_HEAD;
    return platform_random_in(p, least, most + 1);
}

static void arm(struct platform *p, struct device *d)
{
    struct query *q = d->query;
    uint64_t at;

    if (!q)
        return;
    at = q->retry_ms;
    if (q->running && q->give_up_ms < at)
        at = q->give_up_ms;
    if (!q->running && d->asked.wanted && d->asked.start_ms < at)
        at = d->asked.start_ms;
    timerq_set(&p->timers, &q->timer, at);
}

/* The block for questions; NULL: no memory. */
static struct query *query_of(struct platform *p, struct device *d)
{
    struct query *q = d->query;

    if (q)
        return q;
    q = gb_get(p->alloc, sizeof(*q));
    if (!q)
        return NULL;
    timerq_node_init(&q->timer, TIMER_QUERY);
    q->device = d;
    q->retry_ms = q->give_up_ms = GB_NEVER;
    d->query = q;
    return q;
}

void query_free(struct platform *p, struct device *d)
{
    if (!d->query)
        return;
    manscdp_assembly_cancel(p->assemblies, d->query->assembly);
    timerq_stop(&p->timers, &d->query->timer);
    gb_put(p->alloc, d->query);
    d->query = NULL;
}

/* At the end of what may have been the last question. */
static void rest(struct platform *p, struct device *d)
{
    const struct query *q = d->query;

    if (q && !q->running && !d->asked.wanted && !q->assembly &&
        q->retry_ms == GB_NEVER)
        query_free(p, d);
}

/* Moments of one turn are one: a crowd is asked in batches. */
static uint64_t turn_of(uint64_t at_ms)
{
    return (at_ms + TURN_MS - 1) / TURN_MS * TURN_MS;
}

void query_want(struct platform *p, struct device *d, unsigned queries,
                uint64_t delay_ms)
{
    uint64_t at = delay_ms ? turn_of(p->now.mono_ms + delay_ms)
                           : p->now.mono_ms;

    queries &= ~(unsigned)device_query(d)->running; /* is being answered */
    if (!queries || !d->online)
        return;
    if (!d->asked.wanted || at < d->asked.start_ms)
        d->asked.start_ms = at;
    d->asked.wanted |= (uint8_t)queries;
    if (d->query && queries & QUERY_CATALOG)
        d->query->retry_ms = GB_NEVER;
    if (d->query)
        arm(p, d);
    else
        device_arm(p, d);
}

uint64_t query_due_ms(const struct device *d)
{
    return d->asked.wanted && !d->query ? d->asked.start_ms : GB_NEVER;
}

void query_begin(struct platform *p, struct device *d)
{
    if (p->now.mono_ms < query_due_ms(d))
        return;
    if (query_of(p, d))
        query_on_timer(p, d);
    else
        d->asked.start_ms = p->now.mono_ms + NO_MEMORY_MS;
}

void query_back(struct platform *p, struct device *d)
{
    uint64_t delay_ms = query_jitter(p);
    uint64_t fresh_ms = ((uint64_t)d->asked.complete_s + FRESH_S) * 1000;

    if (d->asked.complete_s && d->asked.catalog == PLATFORM_CATALOG_COMPLETE &&
        p->now.mono_ms < fresh_ms)
        delay_ms += fresh_ms - p->now.mono_ms;
    query_want(p, d, QUERY_CATALOG | QUERY_INFO, delay_ms);
}

bool query_news(struct device *d)
{
    bool news = d->asked.news;

    d->asked.news = false;
    return news;
}

static void close_assembly(struct platform *p, struct device *d)
{
    struct query *q = d->query;

    if (!q)
        return;
    manscdp_assembly_cancel(p->assemblies, q->assembly);
    if (q->assembly && q->swept) /* nobody waits for stragglers now */
        channels_sweep(p, d, d->asked.run);
    q->assembly = 0;
    q->swept = false;
}

/* What the device does with these questions is evidence too. */
static void note(struct platform *p, struct device *d, enum manscdp_cmd cmd,
                 enum platform_outcome o)
{
    profile_note(p, d, manscdp_row_find(MANSCDP_QUERY, cmd, SLICE("")), o);
}

/* The running query is over, whatever came of it: the next one. */
static void finish(struct platform *p, struct device *d)
{
    d->query->running = 0;
    d->query->transaction = 0;
    d->asked.start_ms = p->now.mono_ms;
    arm(p, d);
}

static void catalog_over(struct platform *p, struct device *d,
                         enum platform_catalog state)
{
    d->asked.catalog = (uint8_t)state;
    device_changed(p, d, CHANGE_CATALOG_DONE);
    if (d->query->running == QUERY_CATALOG)
        finish(p, d);
    else
        arm(p, d); /* it went on growing while the next query runs */
}

/* nothing: what it is called when no item came at all. */
static void catalog_failed(struct platform *p, struct device *d,
                           enum platform_command_state nothing,
                           const char *why)
{
    struct query *q = d->query;

    close_assembly(p, d);
    if (d->asked.tries < MAX_TRIES) {
        uint64_t ms = retry_after_ms[d->asked.tries++];

        q->retry_ms = p->now.mono_ms + ms + platform_random_in(p, 0, ms / 4);
    }
    platform_log_peer(p, PLATFORM_WARN,
                      "msg=\"catalog incomplete\" device=%s why=\"%s\" have=%u "
                      "announced=%u try=%u",
                      d->id, why, d->asked.have, d->asked.sum, d->asked.tries);
    catalog_over(p, d, d->asked.have ? PLATFORM_CATALOG_IS_PARTIAL
                               : PLATFORM_CATALOG_NONE);
    commands_follow(p, d, d->asked.have ? PLATFORM_COMMAND_ANSWERED : nothing, why);
}

static void ask_catalog(struct platform *p, struct device *d)
{
    struct query *q = d->query;
    char body[512];
    struct writer w = writer_of(body, sizeof(body));
    struct manscdp_dialect dialect = device_dialect(d);
    struct manscdp_catalog_query c = { .sn = platform_next_sn(p),
                                       .device_id = device_id(d) };
    int err;

    close_assembly(p, d);
    d->asked.run++;
    d->asked.have = d->asked.sum = 0;
    q->running = QUERY_CATALOG;
    q->login = outgoing_has_login(d);
    q->give_up_ms = p->now.mono_ms + PLATFORM_REFRESH_MS;
    d->asked.catalog = PLATFORM_CATALOG_RUNNING;
    err = manscdp_catalog_query_encode(&w, &dialect, &c);
    if (!err)
        err = manscdp_assembly_open(
            p->assemblies, device_id(d),
            manscdp_row_find(MANSCDP_QUERY, MANSCDP_CMD_CATALOG, SLICE("")),
            c.sn, device_is_system(d) ? PLATFORM_FIRST_MS : 0, d,
            p->now.mono_ms, &q->assembly);
    if (!err)
        err = device_message(p, d, writer_slice(&w), d->handle.id,
                             &q->transaction);
    p->counters.catalogs++;
    if (err)
        catalog_failed(p, d, PLATFORM_COMMAND_SILENT, gb_strerror(err));
    else
        commands_follow(p, d, PLATFORM_COMMAND_SENT, NULL);
}

static void ask_info(struct platform *p, struct device *d)
{
    struct query *q = d->query;
    char body[512];
    struct writer w = writer_of(body, sizeof(body));
    struct manscdp_dialect dialect = device_dialect(d);

    q->running = QUERY_INFO;
    q->login = outgoing_has_login(d);
    q->sn = platform_next_sn(p);
    q->give_up_ms = p->now.mono_ms + 2 * INFO_MS;
    if (manscdp_query_encode(&w, &dialect, MANSCDP_CMD_DEVICE_INFO, q->sn,
                             device_id(d)) ||
        device_message(p, d, writer_slice(&w), d->handle.id, &q->transaction))
        finish(p, d);
    else
        arm(p, d);
}

static void give_up(struct platform *p, struct device *d)
{
    if (d->query->running == QUERY_CATALOG) {
        catalog_failed(p, d, PLATFORM_COMMAND_SILENT,
                       "the device goes on for too long");
        return;
    }
    note(p, d, MANSCDP_CMD_DEVICE_INFO, PLATFORM_OUTCOME_SILENT);
    finish(p, d);
}

void query_on_timer(struct platform *p, struct device *d)
{
    struct query *q = d->query;
    uint64_t now = p->now.mono_ms;

    if (q->retry_ms <= now) {
        q->retry_ms = GB_NEVER;
        query_want(p, d, QUERY_CATALOG, 0);
    }
    if (q->running && q->give_up_ms <= now)
        give_up(p, d);
    if (!q->running && d->asked.wanted && d->asked.start_ms <= now &&
        d->online) {
        unsigned next =
            d->asked.wanted & QUERY_CATALOG ? QUERY_CATALOG : QUERY_INFO;

        d->asked.wanted &= (uint8_t)~next;
        if (next == QUERY_CATALOG)
            ask_catalog(p, d);
        else
            ask_info(p, d);
    }
    arm(p, d);
    rest(p, d);
}

void query_on_response(struct platform *p, struct device *d, unsigned status)
{
    struct query *q = d->query;
    char why[48];
    struct writer w = writer_of(why, sizeof(why) - 1);

    q->transaction = 0;
    if (status < 300) { /* arrived; now its Response */
        if (q->running == QUERY_INFO)
            q->give_up_ms = p->now.mono_ms + INFO_MS;
        else
            commands_follow(p, d, PLATFORM_COMMAND_ARRIVED, NULL);
        arm(p, d);
        return;
    }
    if (outgoing_wants_login(d, q->login, status)) {
        if (q->running == QUERY_INFO)
            ask_info(p, d);
        else
            ask_catalog(p, d);
        rest(p, d);
        return;
    }
    if (status != 408) /* a wire that is cut says nothing of the device */
        note(p, d,
             q->running == QUERY_INFO ? MANSCDP_CMD_DEVICE_INFO
                                      : MANSCDP_CMD_CATALOG,
             PLATFORM_OUTCOME_REFUSED);
    if (q->running == QUERY_INFO) {
        finish(p, d);
        rest(p, d);
        return;
    }
    writer_f(&w, "the query was answered with SIP %u", status);
    why[w.len] = '\0';
    catalog_failed(p, d,
                   status == 408 ? PLATFORM_COMMAND_SILENT
                                 : PLATFORM_COMMAND_REFUSED, why);
    rest(p, d);
}

void query_stop(struct platform *p, struct device *d)
{
    bool ran = device_query(d)->running == QUERY_CATALOG;

    close_assembly(p, d);
    query_free(p, d);
    d->asked.wanted = d->asked.tries = 0;
    if (ran) {
        d->asked.catalog = d->asked.have ? PLATFORM_CATALOG_IS_PARTIAL
                                         : PLATFORM_CATALOG_NONE;
        device_changed(p, d, CHANGE_CATALOG_DONE);
    }
    commands_follow(p, d, PLATFORM_COMMAND_SILENT, "the device went offline");
}

/* ---- items ---- */

/* The device lists itself: what it says of itself, unless it is a camera that
 * is its own channel. */
static bool is_self(struct platform *p, struct device *d,
                    const struct manscdp_item *it)
{
    bool changed;

    if (!slice_eq(it->id, device_id(d)) ||
        manscdp_item_kind(it) == MANSCDP_KIND_CHANNEL)
        return false;
    changed = device_text(d, DEVICE_NAME).n == 0 &&
              device_set_text(p, d, DEVICE_NAME, it->name);
    changed |= device_text(d, DEVICE_MANUFACTURER).n == 0 &&
               device_set_text(p, d, DEVICE_MANUFACTURER, it->manufacturer);
    changed |= device_text(d, DEVICE_MODEL).n == 0 &&
               device_set_text(p, d, DEVICE_MODEL, it->model);
    if (changed)
        device_changed(p, d, PLATFORM_CHANGED_INFO);
    return true;
}

/* Elements that are in the channel already, and the password, which goes
 * nowhere. */
static bool is_kept(const struct manscdp_item_field *f)
{
    static const struct slice kept[] = {
        SLICE_INIT("id"), SLICE_INIT("name"), SLICE_INIT("manufacturer"),
        SLICE_INIT("model"), SLICE_INIT("owner"), SLICE_INIT("civil_code"),
        SLICE_INIT("address"), SLICE_INIT("parent_id"), SLICE_INIT("status"),
        SLICE_INIT("longitude"), SLICE_INIT("latitude"),
        SLICE_INIT("business_group_id"), SLICE_INIT("ptz_type"),
        SLICE_INIT("password"), SLICE_INIT("info_business_group_id"),
    };

    for (size_t i = 0; i < sizeof(kept) / sizeof(*kept); i++)
        if (slice_eq(slice_str(f->member), kept[i]))
            return true;
    return false;
}

/* Some recorders write "rtsp://admin:secret@10.0.0.9/" for an IPAddress: who
 * logs in there, and how, is for nobody. */
static size_t login_in(struct slice url, size_t *before)
{
    size_t scheme = slice_find_slice(url, SLICE("://")), n = 0;
    struct slice host = slice_from(url, scheme + 3);

    host = slice_head(host, slice_find(host, '/'));
    for (size_t i = 0; i < host.n; i++)
        if (host.p[i] == '@')
            n = i + 1;
    *before = url.n - slice_from(url, scheme + 3).n;
    return n;
}

static void put_text(struct writer *w, struct slice s)
{
    for (size_t i = 0; i < s.n && !w->err; i++)
        writer_char(w, (unsigned char)s.p[i] < ' ' ? ' ' : s.p[i]);
}

/* "Info/RoomType TAB 1". A line that does not fit is left out. */
static void put_line(struct writer *w, bool info, struct slice path,
                     struct slice value)
{
    size_t from = w->len, before, login = login_in(value, &before);

    if (!value.n || xmljson_is_secret(path))
        return;
    if (info)
        writer_str(w, "Info/");
    writer_slice_put(w, path);
    writer_char(w, '\t');
    put_text(w, slice_of(value.p, before));
    put_text(w, slice_from(value, before + login));
    writer_char(w, '\n');
    if (w->err) {
        w->len = from;
        w->err = 0;
    }
}

/* All that an item says and the channel does not keep, unknown elements too
 * (field-note 4.14). */
static void keep_detail(struct platform *p, struct channel *c,
                        const struct manscdp_item *it)
{
    char text[PLATFORM_CHANNEL_DETAIL];
    struct writer w = writer_of(text, sizeof(text));
    size_t n;
    const struct manscdp_item_field *f = manscdp_item_fields(&n);

    for (size_t i = 0; i < n; i++) {
        struct slice value = manscdp_item_get(it, &f[i]);

        if (value.n && !is_kept(&f[i]))
            put_line(&w, f[i].place == MANSCDP_IN_INFO, f[i].element, value);
    }
    for (size_t i = 0; i < it->n_extras; i++)
        put_line(&w, false, it->extra[i].path, it->extra[i].value);
    channel_detail(p, c, writer_slice(&w));
}

static void keep_item(struct platform *p, struct device *d,
                      const struct manscdp_item *it, bool whole)
{
    struct platform_channel v = {
        .id = it->id,
        .name = it->name,
        .manufacturer = it->manufacturer,
        .model = it->model,
        .owner = it->owner,
        .civil_code = it->civil_code,
        .business_group = it->business_group_id.n
                              ? it->business_group_id
                              : it->info_business_group_id,
        .address = it->address,
        .parent = it->parent_id,
        .status = it->status,
        .ptz_type = it->ptz_type,
        .on = manscdp_item_is_on(it),
    };
    struct channel *c;

    if (!manscdp_devid_is_usable(it->id) || it->id.n >= PLATFORM_ID_MAX ||
        is_self(p, d, it))
        return;
    v.has_position = manscdp_item_position(it, &v.longitude, &v.latitude);
    c = channel_upsert(p, d, &v, whole);
    if (!c)
        return;
    c->seen_run = d->asked.run;
    if (whole || !c->detail_hash) /* an UPDATE may say less, erases nothing */
        keep_detail(p, c, it);
}

/* OFF of the device itself is about what it has, not about its registration. */
static void all_off(struct platform *p, struct device *d)
{
    if (!device_walks(p, d))
        return;
    d->asked.all_off = true;
    for (size_t i = 0; i < d->n_channels; i++) {
        struct platform_channel v = {
            .id = channel_text(d->channels[i], CHANNEL_ID),
            .status = SLICE("OFF"),
        };

        channel_upsert(p, d, &v, false);
    }
}

/* ON behind that says nothing of which of its channels are: its catalog does. */
static void own_status(struct platform *p, struct device *d,
                       enum manscdp_event event)
{
    if (event == MANSCDP_EVENT_OFF)
        all_off(p, d);
    if (event != MANSCDP_EVENT_ON || !d->asked.all_off)
        return;
    d->asked.all_off = false;
    query_want(p, d, QUERY_CATALOG, query_jitter(p));
    if (device_query(d)->running == QUERY_CATALOG) /* some of it is of before */
        d->asked.wanted |= QUERY_CATALOG;
}

static void set_status(struct platform *p, struct device *d,
                       const struct manscdp_item *it)
{
    struct platform_channel v = { .id = it->id };

    if (slice_eq(it->id, device_id(d)) && !channel_find(d, it->id)) {
        own_status(p, d, it->event);
        return;
    }
    if (!channel_find(d, it->id)) {
        query_want(p, d, QUERY_CATALOG, query_jitter(p));
        return;
    }
    v.on = it->event == MANSCDP_EVENT_ON;
    v.status = slice_str(manscdp_event_name(it->event));
    channel_upsert(p, d, &v, false);
}

/* A Catalog notification (GB/T 28181-2022 9.11): item by item, no whole to wait
 * for. */
static void apply_event(struct platform *p, struct device *d,
                        const struct manscdp_item *it)
{
    struct channel *c;

    switch (it->event) {
    case MANSCDP_EVENT_ON:
    case MANSCDP_EVENT_OFF:
    case MANSCDP_EVENT_VLOST:
    case MANSCDP_EVENT_DEFECT:
        set_status(p, d, it);
        break;
    case MANSCDP_EVENT_DEL:
        c = channel_find(d, it->id);
        if (c)
            channel_drop(p, c);
        break;
    case MANSCDP_EVENT_NONE:
    case MANSCDP_EVENT_ADD:
    case MANSCDP_EVENT_UPDATE:
    case MANSCDP_EVENT_COUNT:
        keep_item(p, d, it, false);
        break;
    }
}

/* Some devices answer with a Notify. It has the SN of the question; one that
 * tells of an event is none, even if it has. */
static bool is_answer(const struct platform *p, const struct device *d,
                      const struct manscdp_catalog *c, struct arena *a)
{
    struct manscdp_catalog look = *c;
    struct manscdp_item room;
    const struct manscdp_item *first;

    if (!manscdp_assembly_awaits(p->assemblies, device_id(d),
                                 MANSCDP_CMD_CATALOG, c->sn))
        return false;
    first = manscdp_catalog_each(&look, &room, a);
    return !first || first->event == MANSCDP_EVENT_NONE;
}

void query_on_catalog(struct platform *p, struct device *d,
                      const struct manscdp_msg *msg, bool by_message,
                      struct arena *a)
{
    struct manscdp_catalog c;
    struct manscdp_item room;
    const struct manscdp_item *it;
    struct manscdp_assembly_event status;
    enum manscdp_belongs belongs = MANSCDP_UNSOLICITED;
    uint64_t id = 0;

    if (manscdp_catalog_decode(&c, msg))
        return;
    if (c.is_notify && by_message && is_answer(p, d, &c, a)) {
        device_deviation(p, d, DEVIATION_NOTIFIED_ANSWER, msg->cmd_name);
        c.is_notify = false;
    }
    if (!c.is_notify)
        belongs = manscdp_assembly_message(p->assemblies, device_id(d),
                                           MANSCDP_CMD_CATALOG, c.sn, &id);
    if (belongs == MANSCDP_LOOSE)
        device_deviation(p, d, DEVIATION_LOOSE_SN, slice_of(NULL, 0));
    if (!c.is_notify && belongs == MANSCDP_UNSOLICITED)
        device_deviation(p, d, DEVIATION_UNSOLICITED, msg->cmd_name);
    while ((it = manscdp_catalog_each(&c, &room, a)) != NULL) {
        if (belongs == MANSCDP_UNSOLICITED)
            apply_event(p, d, it);
        else if (manscdp_assembly_item(p->assemblies, id, it->id) ==
                 MANSCDP_NEW)
            keep_item(p, d, it, true);
    }
    if (belongs == MANSCDP_UNSOLICITED)
        return;
    manscdp_assembly_end(p->assemblies, id, c.has_sum_num, c.sum_num,
                         c.n_broken, p->now.mono_ms);
    if (manscdp_assembly_status(p->assemblies, id, &status)) {
        d->asked.have = status.received;
        d->asked.sum = status.expected;
        commands_follow(p, d, PLATFORM_COMMAND_QUEUED, NULL); /* how far */
    }
}

static void on_verdict(struct platform *p, struct device *d,
                       const struct manscdp_assembly_event *ev)
{
    struct query *q = d->query;

    if (ev->closed && !q->swept)
        q->assembly = 0;
    d->asked.have = ev->received;
    d->asked.sum = ev->expected;
    switch (ev->outcome) {
    case MANSCDP_COMPLETE:
        if (!q->swept) {
            d->asked.tries = 0;
            q->swept = true;
            d->asked.complete_s = (uint32_t)(p->now.mono_ms / 1000);
            note(p, d, MANSCDP_CMD_CATALOG, PLATFORM_OUTCOME_ANSWERED);
            catalog_over(p, d, PLATFORM_CATALOG_COMPLETE);
            subscriptions_polled(p, d);
            commands_follow(p, d, PLATFORM_COMMAND_ANSWERED, NULL);
        }
        if (ev->closed) {
            q->assembly = 0;
            q->swept = false;
            channels_sweep(p, d, d->asked.run);
        }
        break;
    case MANSCDP_PARTIAL:
        device_deviation(p, d, DEVIATION_SUM_NUM, slice_of(NULL, 0));
        q->swept = false;
        catalog_failed(p, d, PLATFORM_COMMAND_SILENT,
                       ev->broken ? "there were items that cannot be read"
                                  : "the device stopped in the middle");
        break;
    case MANSCDP_SILENT:
        note(p, d, MANSCDP_CMD_CATALOG, PLATFORM_OUTCOME_SILENT);
        catalog_failed(p, d, PLATFORM_COMMAND_SILENT,
                       "the query arrived, but no Response came");
        break;
    }
}

void query_events(struct platform *p)
{
    struct manscdp_assembly_event ev;

    while (manscdp_assembly_event(p->assemblies, &ev)) {
        struct device *d = ev.user;

        if (commands_on_assembly(p, &ev))
            continue;
        if (ev.id == device_query(d)->assembly) {
            on_verdict(p, d, &ev);
            rest(p, d);
        }
    }
}

/* ---- DeviceInfo ---- */

void query_on_info(struct platform *p, struct device *d,
                   const struct manscdp_msg *msg, bool counted)
{
    struct manscdp_device_info i;
    bool changed;

    if (manscdp_device_info_decode(&i, msg))
        return;
    if (!counted)
        note(p, d, MANSCDP_CMD_DEVICE_INFO, PLATFORM_OUTCOME_ANSWERED);
    if (device_query(d)->running == QUERY_INFO) {
        finish(p, d);
        rest(p, d);
    }
    if (i.device_id.n && !slice_eq(i.device_id, device_id(d)))
        return; /* describes a channel */
    changed = device_set_text(p, d, DEVICE_NAME, i.device_name);
    changed |= device_set_text(p, d, DEVICE_MANUFACTURER, i.manufacturer);
    changed |= device_set_text(p, d, DEVICE_MODEL, i.model);
    changed |= device_set_text(p, d, DEVICE_FIRMWARE, i.firmware);
    if (changed)
        device_changed(p, d, PLATFORM_CHANGED_INFO);
}
