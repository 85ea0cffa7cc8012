#include "app/platform/commands.h"

#include "app/platform/core.h"
#include "app/platform/xmljson.h"
#include "base/writer.h"

#define BUSY_MS 500       /* a queued one looks again */
#define QUEUE_MS 60000    /* and is given up after so long */
#define EVIDENCE_MAX 120
#define NAME_MAX 40       /* bytes of an element's name */
#define KEY_MAX 250       /* of one item of an answer */

struct command {
    struct handle handle; /* while it is open */
    struct list open, dirty;
    struct timerq_node timer;
    uint64_t id;
    char device[PLATFORM_ID_MAX], target[PLATFORM_ID_MAX];
    uint8_t device_len, target_len;
    const struct manscdp_row *row;
    enum platform_command_state state;
    bool is_final, partial, late, cut, may_repeat;
    bool follows; /* a refresh: catalog.c asks, nothing is sent from here */
    uint8_t tries;
    uint16_t sip_status, messages;
    uint32_t sn, have, sum;
    uint64_t transaction, assembly;
    uint64_t asked_ms;
    int64_t asked_utc_ms, sent_utc_ms, arrived_utc_ms, answered_utc_ms;
    char evidence[EVIDENCE_MAX];
    uint8_t evidence_len;
    char *body;   /* as it is sent; NULL when final. Own memory */
    size_t body_len;
    char *answer; /* own memory */
    size_t answer_len, answer_cap;
};

const char *platform_command_state_name(enum platform_command_state s)
{
    static const char *const names[] = {
#define X(id, name) name,
        PLATFORM_COMMAND_STATE_MAP(X)
#undef X
    };

    return names[s];
}

enum platform_command_state platform_command_state_by_name(struct slice name)
{
    unsigned i = 0;

    while (i < PLATFORM_COMMAND_STATES &&
           !slice_eq(name, slice_str(platform_command_state_name(i))))
        i++;
    return (enum platform_command_state)i;
}

static struct slice device_of(const struct command *c)
{
    return slice_of(c->device, c->device_len);
}

/* ---- the ring ----------------------------------------------------------- */

void commands_init(struct commands *c)
{
    *c = (struct commands){ .next = 1, .first_answer = 1 };
    list_init(&c->open);
    list_init(&c->dirty);
}

static struct command **slot(const struct platform *p, uint64_t id)
{
    return &p->commands.ring[id % PLATFORM_COMMANDS_MAX];
}

static struct command *command_find(const struct platform *p, uint64_t id)
{
    struct command *c = p->commands.ring && id ? *slot(p, id) : NULL;

    return c && c->id == id ? c : NULL;
}

static void drop_answer(struct platform *p, struct command *c)
{
    p->commands.answer_bytes -= c->answer_cap;
    gb_put(p->alloc, c->answer);
    c->answer = NULL;
    c->answer_len = c->answer_cap = 0;
}

static void command_free(struct platform *p, struct command *c)
{
    if (!c)
        return;
    if (!c->is_final) {
        idmap_remove(&p->handles, c->handle.id);
        p->commands.n_open--;
    }
    manscdp_assembly_cancel(p->assemblies, c->assembly);
    timerq_stop(&p->timers, &c->timer);
    list_remove(&c->open);
    list_remove(&c->dirty);
    drop_answer(p, c);
    gb_put(p->alloc, c->body);
    gb_put(p->alloc, c);
}

void commands_fini(struct platform *p)
{
    for (size_t i = 0; p->commands.ring && i < PLATFORM_COMMANDS_MAX; i++)
        command_free(p, p->commands.ring[i]);
    gb_put(p->alloc, p->commands.ring);
    p->commands.ring = NULL;
}

static void changed(struct platform *p, struct command *c)
{
    if (list_is_empty(&c->dirty))
        list_push_back(&p->commands.dirty, &c->dirty);
}

bool commands_news(struct platform *p, struct platform_action *out)
{
    struct list *n = list_pop_front(&p->commands.dirty);
    struct command *c;

    if (!n)
        return false;
    c = container_of(n, struct command, dirty);
    out->kind = PLATFORM_COMMAND_CHANGED;
    out->command = c->id;
    out->device = device_of(c);
    return true;
}

/* ---- life --------------------------------------------------------------- */

static void send(struct platform *p, struct command *c);

static void explain(struct command *c, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
static void explain(struct command *c, const char *fmt, ...)
{
    struct writer w = writer_of(c->evidence, sizeof(c->evidence));
    va_list ap;

    va_start(ap, fmt);
    writer_vf(&w, fmt, ap);
    va_end(ap);
    c->evidence_len = (uint8_t)w.len;
}

static bool is_due(const struct command *c)
{
    return c->row->due == MANSCDP_ONE_RESPONSE ||
           c->row->due == MANSCDP_MANY_RESPONSES;
}

/* Its device answers another question: ours waits. */
static bool is_busy(const struct platform *p, const struct device *d)
{
    for (struct list *n = p->commands.open.next; n != &p->commands.open;
         n = n->next) {
        const struct command *c = container_of(n, struct command, open);

        if (c->state != PLATFORM_COMMAND_QUEUED && is_due(c) && !c->follows &&
            slice_eq(device_of(c), device_id(d)))
            return true;
    }
    return d->query.running != 0;
}

/* The next one that waits for this device. */
static void send_next(struct platform *p, struct slice device)
{
    const struct device *d = device_find(p, device);

    if (!d || is_busy(p, d))
        return;
    for (struct list *n = p->commands.open.next; n != &p->commands.open;
         n = n->next) {
        struct command *c = container_of(n, struct command, open);

        if (c->state == PLATFORM_COMMAND_QUEUED && !c->follows &&
            slice_eq(device_of(c), device)) {
            send(p, c);
            return;
        }
    }
}

/* Evidence of what the device knows; not when it was our fault. */
static void note(struct platform *p, const struct command *c)
{
    static const enum platform_outcome outcome[PLATFORM_COMMAND_STATES] = {
        [PLATFORM_COMMAND_ARRIVED] = PLATFORM_OUTCOME_ARRIVED,
        [PLATFORM_COMMAND_ANSWERED] = PLATFORM_OUTCOME_ANSWERED,
        [PLATFORM_COMMAND_REFUSED] = PLATFORM_OUTCOME_REFUSED,
        [PLATFORM_COMMAND_SILENT] = PLATFORM_OUTCOME_SILENT,
    };
    struct device *d = device_find(p, device_of(c));

    if (d && !c->follows && (c->state != PLATFORM_COMMAND_SILENT || c->arrived_utc_ms))
        profile_note(p, d, c->row, outcome[c->state]);
}

static void finish(struct platform *p, struct command *c,
                   enum platform_command_state state)
{
    char device[PLATFORM_ID_MAX];

    c->state = state;
    changed(p, c);
    note(p, c);
    if (c->is_final)
        return;
    c->is_final = true;
    timerq_stop(&p->timers, &c->timer);
    manscdp_assembly_cancel(p->assemblies, c->assembly);
    c->assembly = 0;
    idmap_remove(&p->handles, c->handle.id);
    list_remove(&c->open);
    p->commands.n_open--;
    gb_put(p->alloc, c->body);
    c->body = NULL;
    memcpy(device, c->device, sizeof(device));
    send_next(p, slice_of(device, c->device_len));
}

/* Nothing came: once more if that does no harm. */
static void nothing_came(struct platform *p, struct command *c,
                         const char *what)
{
    const struct device *d = device_find(p, device_of(c));

    explain(c, "%s, after %u %s", what, c->tries,
            c->tries == 1 ? "try" : "tries");
    if (c->may_repeat && c->tries < PLATFORM_COMMAND_TRIES && d && d->online)
        send(p, c);
    else
        finish(p, c, PLATFORM_COMMAND_SILENT);
}

/* Answers of many messages are counted from now on. */
static int open_assembly(struct platform *p, struct command *c)
{
    if (c->row->due != MANSCDP_MANY_RESPONSES)
        return 0;
    manscdp_assembly_cancel(p->assemblies, c->assembly);
    return manscdp_assembly_open(p->assemblies, device_of(c), c->row, c->sn, 0,
                                 c, p->now.mono_ms, &c->assembly);
}

static void send(struct platform *p, struct command *c)
{
    struct device *d = device_find(p, device_of(c));
    int err;

    if (!d || !d->online) {
        explain(c, "the device is offline");
        finish(p, c, PLATFORM_COMMAND_SILENT);
        return;
    }
    timerq_stop(&p->timers, &c->timer);
    err = open_assembly(p, c);
    if (!err)
        err = device_message(p, d, slice_of(c->body, c->body_len),
                             c->handle.id, &c->transaction);
    if (err) {
        explain(c, "it could not be sent: %s", gb_strerror(err));
        finish(p, c, PLATFORM_COMMAND_SILENT);
        return;
    }
    c->tries++;
    c->state = PLATFORM_COMMAND_SENT;
    c->sent_utc_ms = p->now.utc_ms;
    c->arrived_utc_ms = 0; /* of this try */
    changed(p, c);
}

static void arrived(struct platform *p, struct command *c)
{
    c->arrived_utc_ms = p->now.utc_ms;
    if (!is_due(c)) {
        finish(p, c, PLATFORM_COMMAND_ARRIVED);
        return;
    }
    c->state = PLATFORM_COMMAND_ARRIVED;
    changed(p, c);
    if (c->row->due == MANSCDP_ONE_RESPONSE)
        timerq_set(&p->timers, &c->timer, p->now.mono_ms + c->row->first_ms);
}

void command_on_sip(struct platform *p, uint64_t handle,
                    const struct sip_event *ev)
{
    struct handle *h = idmap_find(&p->handles, handle);
    struct command *c = container_of(h, struct command, handle);

    if (ev->transaction != c->transaction ||
        (ev->kind == SIP_EV_RESPONSE && ev->status < 200))
        return;
    c->transaction = 0;
    c->sip_status = (uint16_t)ev->status;
    if (ev->kind == SIP_EV_FAILED) {
        nothing_came(p, c, "the MESSAGE was not answered");
    } else if (ev->status < 300) {
        arrived(p, c);
    } else {
        explain(c, "the MESSAGE was answered with SIP %u", ev->status);
        finish(p, c, PLATFORM_COMMAND_REFUSED);
    }
}

void command_on_timer(struct platform *p, struct timerq_node *timer)
{
    struct command *c = container_of(timer, struct command, timer);
    const struct device *d = device_find(p, device_of(c));

    if (c->state != PLATFORM_COMMAND_QUEUED) {
        nothing_came(p, c, "the MESSAGE arrived (200), but no Response came");
    } else if (p->now.mono_ms - c->asked_ms > QUEUE_MS) {
        explain(c, "the device was busy with other questions");
        finish(p, c, PLATFORM_COMMAND_SILENT);
    } else if (d && is_busy(p, d)) {
        timerq_set(&p->timers, &c->timer, p->now.mono_ms + BUSY_MS);
    } else {
        send(p, c);
    }
}

/* ---- answers ------------------------------------------------------------ */

/* The oldest answers go when all of them have become too much. */
static void bound_answers(struct platform *p)
{
    struct commands *all = &p->commands;

    while (all->answer_bytes > PLATFORM_COMMAND_ANSWERS &&
           all->first_answer < all->next) {
        struct command *c = command_find(p, all->first_answer++);

        if (c && c->answer) {
            drop_answer(p, c);
            c->cut = true;
        }
    }
}

static bool grow_answer(struct platform *p, struct command *c, size_t cap)
{
    char *more = gb_get(p->alloc, cap);

    if (!more)
        return false;
    if (c->answer_len)
        memcpy(more, c->answer, c->answer_len);
    gb_put(p->alloc, c->answer);
    c->answer = more;
    p->commands.answer_bytes += cap - c->answer_cap;
    c->answer_cap = cap;
    return true;
}

static void keep_answer(struct platform *p, struct command *c,
                        const struct manscdp_msg *msg)
{
    size_t cap = c->answer_cap;
    struct writer w;

    c->messages++;
    for (;;) {
        w = writer_of(c->answer ? c->answer + c->answer_len : NULL,
                      cap - c->answer_len);
        if (c->answer_len)
            writer_char(&w, ',');
        xmljson_write(&w, msg->doc.root);
        if (!w.err) {
            c->answer_len += w.len;
            break;
        }
        cap = cap ? cap * 4 : 1024;
        if (cap > PLATFORM_COMMAND_ANSWER || !grow_answer(p, c, cap)) {
            c->cut = true;
            break;
        }
    }
    bound_answers(p);
}

/* What tells one item of a list from another (signalling: merge rules). */
static struct slice item_key(const struct manscdp_row *row,
                             const struct xml_node *item,
                             char buf[static KEY_MAX])
{
    struct writer w = writer_of(buf, KEY_MAX);
    static const struct slice record[] = {
        SLICE_INIT("DeviceID"), SLICE_INIT("StartTime"), SLICE_INIT("EndTime"),
        SLICE_INIT("FilePath"), SLICE_INIT("Name"),
    };

    if (row->merge == MANSCDP_MERGE_PRESET)
        return xml_text(item, SLICE("PresetID"));
    if (row->merge != MANSCDP_MERGE_RECORD)
        return item->name;
    for (size_t i = 0; i < sizeof(record) / sizeof(*record); i++) {
        writer_slice_put(&w, slice_head(xml_text(item, record[i]), 80));
        writer_char(&w, '/');
    }
    return writer_slice(&w);
}

/* The element that holds the Items; NULL: there is none. */
static const struct xml_node *list_of(const struct xml_node *root)
{
    const struct xml_node *n = root->child;

    while (n && !xml_child(n, SLICE("Item")))
        n = n->next;
    return n;
}

static bool is_head(struct slice name)
{
    static const struct slice names[] = {
        SLICE_INIT("CmdType"), SLICE_INIT("SN"), SLICE_INIT("DeviceID"),
        SLICE_INIT("Result"), SLICE_INIT("SumNum"),
    };

    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        if (slice_ieq(name, names[i]))
            return true;
    return false;
}

static void count_items(struct platform *p, struct command *c,
                        const struct manscdp_msg *msg)
{
    const struct xml_node *root = msg->doc.root, *n;
    const struct xml_node *list = list_of(root);
    struct manscdp_assembly_event at;
    uint64_t id = 0;
    uint32_t sum = 0;
    bool has_sum = manscdp_number(xml_text(root, SLICE("SumNum")), UINT32_MAX,
                                  &sum);
    char buf[KEY_MAX];

    if (manscdp_assembly_message(p->assemblies, device_of(c), c->row->cmd,
                                 msg->sn, &id) == MANSCDP_UNSOLICITED ||
        id != c->assembly)
        return;
    for (n = list ? xml_child(list, SLICE("Item")) : NULL; n;
         n = xml_next_same(n))
        manscdp_assembly_item(p->assemblies, id, item_key(c->row, n, buf));
    for (n = list ? NULL : root->child; n; n = n->next)
        if (!is_head(n->name))
            manscdp_assembly_item(p->assemblies, id, n->name);
    manscdp_assembly_end(p->assemblies, id, has_sum, sum, msg->doc.n_broken,
                         p->now.mono_ms);
    if (manscdp_assembly_status(p->assemblies, id, &at)) {
        c->have = at.received;
        c->sum = at.expected;
    }
    changed(p, c);
}

static void answered(struct platform *p, struct command *c,
                     const struct manscdp_msg *msg)
{
    struct slice result = xml_text(msg->doc.root, SLICE("Result"));
    bool refused = manscdp_result_parse(result) == MANSCDP_ERROR;

    if (c->is_final && c->state != PLATFORM_COMMAND_SILENT &&
        c->row->due == MANSCDP_ONE_RESPONSE)
        return; /* a repeat */
    keep_answer(p, c, msg);
    c->answered_utc_ms = p->now.utc_ms;
    if (c->is_final && c->state == PLATFORM_COMMAND_SILENT) {
        c->late = true;
        c->partial = c->row->due == MANSCDP_MANY_RESPONSES;
    }
    if (refused) {
        struct slice why = xml_text(msg->doc.root, SLICE("Reason"));

        explain(c, "the Response says Result %.*s%s%.*s",
                SLICE_ARG(slice_head(result, 16)), why.n ? ": " : "",
                SLICE_ARG(manscdp_text_cut(why, 60)));
        finish(p, c, PLATFORM_COMMAND_REFUSED);
        return;
    }
    if (c->row->due == MANSCDP_MANY_RESPONSES && !c->is_final) {
        count_items(p, c, msg);
        return; /* the assembly tells when it is over */
    }
    if (c->late)
        explain(c, "it was answered late");
    finish(p, c, PLATFORM_COMMAND_ANSWERED);
}

/* Its question by SN; an SN that is nobody's belongs to the only open one of
 * its kind. */
static struct command *asked(struct platform *p, const struct device *d,
                             const struct manscdp_msg *msg)
{
    struct command *only = NULL;
    unsigned n_open = 0;
    uint64_t last = p->commands.next - 1;

    for (uint64_t id = last; id && last - id < PLATFORM_COMMANDS_MAX; id--) {
        struct command *c = command_find(p, id);

        if (!c || c->row->cmd != msg->cmd ||
            !slice_eq(device_of(c), device_id(d)))
            continue;
        if (c->sn == msg->sn)
            return c;
        if (!c->is_final && c->state != PLATFORM_COMMAND_QUEUED) {
            only = c;
            n_open++;
        }
    }
    return n_open == 1 ? only : NULL;
}

void commands_on_message(struct platform *p, struct device *d,
                         const struct manscdp_msg *msg)
{
    struct command *c;

    if (msg->root != MANSCDP_RESPONSE || p->commands.next == 1 ||
        msg->cmd == MANSCDP_CMD_CATALOG) /* asked for by catalog.c alone */
        return;
    c = asked(p, d, msg);
    if (c && is_due(c))
        answered(p, c, msg);
}

bool commands_on_assembly(struct platform *p,
                          const struct manscdp_assembly_event *ev)
{
    for (struct list *n = p->commands.open.next; n != &p->commands.open;
         n = n->next) {
        struct command *c = container_of(n, struct command, open);

        if (c->assembly != ev->id)
            continue;
        c->have = ev->received;
        c->sum = ev->expected;
        if (ev->closed)
            c->assembly = 0;
        if (ev->outcome == MANSCDP_SILENT) {
            nothing_came(p, c,
                         c->arrived_utc_ms
                             ? "the MESSAGE arrived (200), but no Response came"
                             : "no Response came");
            return true;
        }
        c->partial = ev->outcome == MANSCDP_PARTIAL;
        if (c->partial)
            explain(c, "%u of %u items are missing", ev->missing,
                    ev->expected);
        finish(p, c, PLATFORM_COMMAND_ANSWERED);
        return true;
    }
    return false;
}

/* ---- refreshes ---------------------------------------------------------- */

static void follow_one(struct platform *p, struct command *c,
                       const struct device *d,
                       enum platform_command_state state, const char *why)
{
    const struct query *q = &d->query;

    c->have = q->have;
    c->sum = q->sum;
    if (why)
        explain(c, "%s", why);
    switch (state) {
    case PLATFORM_COMMAND_QUEUED:
    case PLATFORM_COMMAND_STATES:
        return;
    case PLATFORM_COMMAND_SENT:
        c->tries++;
        c->sent_utc_ms = p->now.utc_ms;
        break;
    case PLATFORM_COMMAND_ARRIVED:
        c->arrived_utc_ms = p->now.utc_ms;
        break;
    case PLATFORM_COMMAND_ANSWERED:
        c->answered_utc_ms = p->now.utc_ms;
        c->partial = q->state != PLATFORM_CATALOG_COMPLETE;
        finish(p, c, state);
        return;
    case PLATFORM_COMMAND_REFUSED:
    case PLATFORM_COMMAND_SILENT:
        finish(p, c, state);
        return;
    }
    c->state = state;
    changed(p, c);
}

void commands_follow(struct platform *p, struct device *d,
                     enum platform_command_state state, const char *why)
{
    struct list *n, *tmp;

    if (p->commands.n_open == 0)
        return;
    LIST_EACH(n, tmp, &p->commands.open) {
        struct command *c = container_of(n, struct command, open);

        if (c->follows && slice_eq(device_of(c), device_id(d)))
            follow_one(p, c, d, state, why);
    }
}

/* ---- orders ------------------------------------------------------------- */

/* Does it leave the device as one sending of it does? */
static bool may_repeat(const struct manscdp_row *row)
{
    static const struct slice subs[] = {
        SLICE_INIT("RecordCmd"), SLICE_INIT("GuardCmd"),
        SLICE_INIT("AlarmCmd"), SLICE_INIT("IFameCmd"),
        SLICE_INIT("IFrameCmd"), SLICE_INIT("HomePosition"),
    };

    if (row->root == MANSCDP_QUERY || row->cmd == MANSCDP_CMD_DEVICE_CONFIG)
        return true;
    for (size_t i = 0; i < sizeof(subs) / sizeof(*subs); i++)
        if (slice_eq(row->sub, subs[i]))
            return true;
    return false;
}

static int check_room(const struct platform *p, const struct device *d)
{
    unsigned n = 0;

    if (p->commands.n_open >= PLATFORM_COMMANDS_OPEN)
        return GB_ELIMIT;
    for (struct list *l = p->commands.open.next; l != &p->commands.open;
         l = l->next)
        n += slice_eq(device_of(container_of(l, struct command, open)),
                      device_id(d));
    if (n >= PLATFORM_COMMANDS_QUEUE)
        return GB_ELIMIT;
    /* its slot is that of the oldest, which may be open still */
    return p->commands.ring && *slot(p, p->commands.next) &&
                   !(*slot(p, p->commands.next))->is_final
               ? GB_ELIMIT
               : 0;
}

static void name(struct command *c, const struct device *d, struct slice target)
{
    c->device_len = (uint8_t)device_id(d).n;
    memcpy(c->device, device_id(d).p, c->device_len);
    c->target_len = (uint8_t)target.n;
    memcpy(c->target, target.p, target.n);
}

static int fill(struct platform *p, struct command *c, struct device *d,
                const struct command_order *o)
{
    struct manscdp_dialect dialect = device_dialect(d);
    struct slice target = o->target.n ? o->target : device_id(d);
    struct writer w;
    int err;

    name(c, d, target);
    c->row = o->row;
    c->may_repeat = may_repeat(o->row);
    c->sn = platform_next_sn(p);
    c->body = gb_get(p->alloc, PLATFORM_COMMAND_BODY);
    if (!c->body)
        return GB_ENOMEM;
    w = writer_of(c->body, PLATFORM_COMMAND_BODY);
    err = o->encode(o->ctx, &w, &dialect, c->sn, target);
    c->body_len = w.len;
    return err;
}

static struct command *command_new(struct platform *p)
{
    struct command *c;

    if (!p->commands.ring)
        p->commands.ring =
            gb_get(p->alloc, PLATFORM_COMMANDS_MAX * sizeof(c));
    if (!p->commands.ring)
        return NULL;
    c = gb_get(p->alloc, sizeof(*c));
    if (!c)
        return NULL;
    c->handle.kind = HANDLE_COMMAND;
    list_init(&c->open);
    list_init(&c->dirty);
    timerq_node_init(&c->timer, TIMER_COMMAND);
    c->asked_ms = p->now.mono_ms;
    c->asked_utc_ms = p->now.utc_ms;
    return c;
}

/* Into the ring, and among the open ones. */
static void enter(struct platform *p, struct command *c)
{
    c->id = p->commands.next++;
    command_free(p, *slot(p, c->id));
    *slot(p, c->id) = c;
    list_push_back(&p->commands.open, &c->open);
    p->commands.n_open++;
    changed(p, c);
}

int command_start(struct platform *p, struct device *d,
                  const struct command_order *o, uint64_t *id)
{
    struct command *c;
    int err;

    if (!d->online)
        return GB_ESTATE;
    if (o->target.n >= PLATFORM_ID_MAX)
        return GB_ESYNTAX;
    err = check_room(p, d);
    if (err)
        return err;
    c = command_new(p);
    if (!c)
        return GB_ENOMEM;
    err = fill(p, c, d, o);
    if (!err)
        err = idmap_add(&p->handles, &c->handle, &c->handle.id);
    if (err) {
        gb_put(p->alloc, c->body);
        gb_put(p->alloc, c);
        return err;
    }
    enter(p, c);
    *id = c->id;
    if (is_due(c) && is_busy(p, d))
        timerq_set(&p->timers, &c->timer, p->now.mono_ms + BUSY_MS);
    if (c->timer.at_ms == GB_NEVER)
        send(p, c);
    return 0;
}

int platform_command_refresh(struct platform *p, struct slice device,
                             struct gb_time now, uint64_t *id)
{
    struct device *d = device_find(p, device);
    struct command *c;
    int err;

    p->now = now;
    *id = 0;
    if (d && d->online && !check_room(p, d) && (c = command_new(p))) {
        name(c, d, device_id(d));
        c->row = manscdp_row_find(MANSCDP_QUERY, MANSCDP_CMD_CATALOG,
                                  SLICE(""));
        c->follows = true;
        enter(p, c);
        *id = c->id;
    }
    err = platform_device_refresh(p, device, now);
    if (!err && d->query.running == QUERY_CATALOG)
        commands_follow(p, d, d->query.transaction ? PLATFORM_COMMAND_SENT
                                                   : PLATFORM_COMMAND_ARRIVED,
                        NULL); /* it joins the one under way */
    return err;
}

/* ---- plain elements ----------------------------------------------------- */

static bool is_name(struct slice s)
{
    for (size_t i = 0; i < s.n; i++) {
        char l = ascii_lower(s.p[i]);

        if (!(l >= 'a' && l <= 'z') && !(i && ascii_is_digit(l)))
            return false;
    }
    return s.n && s.n <= NAME_MAX;
}

static int encode_plain(void *ctx, struct writer *w,
                        const struct manscdp_dialect *d, uint32_t sn,
                        struct slice target)
{
    const struct platform_order *o = ctx;
    enum manscdp_cmd cmd = manscdp_cmd_by_name(o->cmd);
    bool orders = cmd == MANSCDP_CMD_DEVICE_CONTROL ||
                  cmd == MANSCDP_CMD_DEVICE_CONFIG;
    enum manscdp_root root = orders ? MANSCDP_CONTROL : MANSCDP_QUERY;
    struct xml_out x;

    manscdp_put_begin(&x, w, d, root, cmd, sn, target);
    for (size_t i = 0; i < o->n_params; i++) {
        char name[NAME_MAX + 1];

        slice_copy(name, sizeof(name), o->param[i].name);
        xml_put(&x, name, o->param[i].value);
    }
    manscdp_put_end(&x, root);
    return w->err;
}

static const struct manscdp_row *row_of(const struct platform_order *o)
{
    enum manscdp_cmd cmd = manscdp_cmd_by_name(o->cmd);

    switch (cmd) {
    case MANSCDP_CMD_OTHER:
    case MANSCDP_CMD_CATALOG: /* asked for by refresh, see catalog.c */
        return NULL;
    case MANSCDP_CMD_DEVICE_CONTROL:
        return o->n_params ? manscdp_row_find(MANSCDP_CONTROL, cmd,
                                              o->param[0].name)
                           : NULL;
    case MANSCDP_CMD_DEVICE_CONFIG:
        return manscdp_row_find(MANSCDP_CONTROL, cmd, SLICE(""));
    default:
        return manscdp_row_find(MANSCDP_QUERY, cmd, SLICE(""));
    }
}

int platform_command_send(struct platform *p, const struct platform_order *o,
                          struct gb_time now, uint64_t *id)
{
    struct device *d = device_find(p, o->device);
    const struct command_order order = {
        .target = o->target, .row = row_of(o), .encode = encode_plain,
        .ctx = (void *)(uintptr_t)o,
    };

    p->now = now;
    if (!d)
        return GB_ENOENT;
    if (!order.row || o->n_params > PLATFORM_COMMAND_PARAMS ||
        (o->target.n && !manscdp_devid_is_usable(o->target)))
        return GB_ESYNTAX;
    for (size_t i = 0; i < o->n_params; i++)
        if (!is_name(o->param[i].name))
            return GB_ESYNTAX;
    return command_start(p, d, &order, id);
}

void platform_restore_ids(struct platform *p, uint64_t alarm, uint64_t command)
{
    p->last_alarm = alarm;
    if (command >= p->commands.next)
        p->commands.next = p->commands.first_answer = command + 1;
}

/* ---- views -------------------------------------------------------------- */

bool platform_command_view(const struct platform *p, uint64_t id,
                           struct platform_command *out)
{
    const struct command *c = command_find(p, id);

    if (!c)
        return false;
    *out = (struct platform_command){
        .id = c->id,
        .device = device_of(c),
        .target = slice_of(c->target, c->target_len),
        .cmd = slice_str(manscdp_cmd_name(c->row->cmd)),
        .sub = c->row->sub,
        .state = c->state,
        .is_final = c->is_final,
        .partial = c->partial,
        .late = c->late,
        .cut = c->cut,
        .tries = c->tries,
        .sip_status = c->sip_status,
        .messages = c->messages,
        .sn = c->sn,
        .have = c->have,
        .sum = c->sum,
        .asked_utc_ms = c->asked_utc_ms,
        .sent_utc_ms = c->sent_utc_ms,
        .arrived_utc_ms = c->arrived_utc_ms,
        .answered_utc_ms = c->answered_utc_ms,
        .evidence = slice_of(c->evidence, c->evidence_len),
        .answer = slice_of(c->answer, c->answer_len),
    };
    return true;
}

bool platform_command_before(const struct platform *p, uint64_t before,
                             struct platform_command *out)
{
    uint64_t last = p->commands.next - 1;

    if (before == 0 || before > p->commands.next)
        before = p->commands.next;
    while (--before && last - before < PLATFORM_COMMANDS_MAX)
        if (platform_command_view(p, before, out))
            return true;
    return false;
}
