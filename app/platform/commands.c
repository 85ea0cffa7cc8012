#include "app/platform/command_int.h"
#include "app/platform/outgoing.h"
#include "app/platform/way.h"

#include "app/platform/bodyjson.h"
#include "app/platform/core.h"
#include "base/writer.h"
#include "manscdp/bodies.h"
#include "manscdp/config.h"
#include "manscdp/control.h"
#include "manscdp/record.h"

#define BUSY_MS 500       /* a queued one looks again */

/* A DeviceControl that only a vendor knows. */
static const struct manscdp_row vendor_row = {
    .root = MANSCDP_CONTROL,
    .cmd = MANSCDP_CMD_DEVICE_CONTROL,
    .dir = MANSCDP_DOWN,
    .carriers = MANSCDP_BY_MESSAGE,
    .editions = MANSCDP_EALL,
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

struct slice command_device(const struct command *c)
{
    return slice_of(c->device, c->device_len);
}

struct slice command_target(const struct command *c)
{
    return slice_of(c->target, c->target_len);
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

struct command *command_find(const struct platform *p, uint64_t id)
{
    struct command *c = p->commands.ring && id ? *slot(p, id) : NULL;

    return c && c->id == id ? c : NULL;
}

void command_drop_answer(struct platform *p, struct command *c)
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
    command_drop_answer(p, c);
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

void command_changed(struct platform *p, struct command *c)
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
    out->device = command_device(c);
    return true;
}

bool command_is_open(const struct platform *p, struct slice device,
                     struct slice target, struct slice sub)
{
    const struct list *n = p->commands.open.next;

    for (; n != &p->commands.open; n = n->next) {
        const struct command *c =
            container_of((struct list *)(uintptr_t)n, struct command, open);

        if (slice_eq(c->row->sub, sub) && slice_eq(command_device(c), device) &&
            slice_eq(command_target(c), target))
            return true;
    }
    return false;
}

/* ---- life --------------------------------------------------------------- */

static void send(struct platform *p, struct command *c);

void command_explain(struct command *c, const char *fmt, ...)
{
    struct writer w = writer_of(c->evidence, sizeof(c->evidence));
    va_list ap;

    va_start(ap, fmt);
    writer_vf(&w, fmt, ap);
    va_end(ap);
    c->evidence_len = (uint16_t)w.len;
}

bool command_is_due(const struct command *c)
{
    return c->row->due == MANSCDP_ONE_RESPONSE ||
           c->row->due == MANSCDP_MANY_RESPONSES;
}

/* What waits for what: questions for questions, since two at one time confuse
 * many devices, and orders for orders, whose answers have nothing but their SN to
 * tell them apart. An order does not wait for a question. */
static bool is_order(const struct command *c)
{
    return c->row->root == MANSCDP_CONTROL;
}

/* Its device answers another one of its kind: ours waits. */
static bool is_busy(const struct platform *p, const struct device *d,
                    bool order)
{
    for (struct list *n = p->commands.open.next; n != &p->commands.open;
         n = n->next) {
        const struct command *c = container_of(n, struct command, open);

        if (c->state != PLATFORM_COMMAND_QUEUED && command_is_due(c) &&
            is_order(c) == order && !c->follows &&
            slice_eq(command_device(c), device_id(d)))
            return true;
    }
    return !order && device_query(d)->running != 0;
}

/* The oldest that waits for this device; NULL: none. */
static struct command *waiting(const struct platform *p, struct slice device,
                               bool order)
{
    for (struct list *n = p->commands.open.next; n != &p->commands.open;
         n = n->next) {
        struct command *c = container_of(n, struct command, open);

        if (c->state == PLATFORM_COMMAND_QUEUED && !c->follows &&
            is_order(c) == order && slice_eq(command_device(c), device))
            return c;
    }
    return NULL;
}

static void send_next(struct platform *p, struct slice device, bool order)
{
    const struct device *d = device_find(p, device);
    struct command *c = d && !is_busy(p, d, order) ? waiting(p, device, order)
                                                   : NULL;

    if (c)
        send(p, c);
}

/* No command goes beyond its end, whatever it waits for. */
static void arm(struct platform *p, struct command *c, uint64_t at_ms)
{
    timerq_set(&p->timers, &c->timer, at_ms < c->ends_ms ? at_ms : c->ends_ms);
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
    struct device *d = device_find(p, command_device(c));

    if (d && !c->follows && c->row != &vendor_row &&
        (c->state != PLATFORM_COMMAND_SILENT || !c->unread) &&
        (c->state != PLATFORM_COMMAND_SILENT || c->arrived_utc_ms))
        profile_note(p, d, c->row, outcome[c->state]);
}

void command_finish(struct platform *p, struct command *c,
                    enum platform_command_state state)
{
    char device[PLATFORM_ID_MAX];

    c->state = state;
    command_changed(p, c);
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
    send_next(p, slice_of(device, c->device_len), is_order(c));
    if (c->moves && c->tries)
        ptz_settled(p, command_device(c), command_target(c),
                    (enum ptz_kind)(c->ptz - 1), c->id,
                    state == PLATFORM_COMMAND_REFUSED);
}

/* Nothing came: once more if that does no harm. */
void command_nothing_came(struct platform *p, struct command *c,
                          const char *what)
{
    const struct device *d = device_find(p, command_device(c));

    if (c->unread && c->arrived_utc_ms)
        what = "the MESSAGE arrived (200), and what the device sent then could "
               "not be read";
    command_explain(c, "%s, after %u %s", what, c->tries,
                    c->tries == 1 ? "try" : "tries");
    if (c->may_repeat && c->tries < PLATFORM_COMMAND_TRIES && d && d->online)
        send(p, c);
    else
        command_finish(p, c, PLATFORM_COMMAND_SILENT);
}

/* Answers of many messages are counted from now on. */
static int open_assembly(struct platform *p, struct command *c)
{
    if (c->row->due != MANSCDP_MANY_RESPONSES)
        return 0;
    manscdp_assembly_cancel(p->assemblies, c->assembly);
    return manscdp_assembly_open(p->assemblies, command_device(c), c->row,
                                 c->sn, 0, c, p->now.mono_ms, &c->assembly);
}

static void send(struct platform *p, struct command *c)
{
    struct device *d = device_find(p, command_device(c));
    int err;

    if (!d || !d->online) {
        command_explain(c, "the device is offline");
        command_finish(p, c, PLATFORM_COMMAND_SILENT);
        return;
    }
    arm(p, c, c->ends_ms);
    c->login |= outgoing_has_login(d);
    err = open_assembly(p, c);
    if (!err)
        err = device_message(p, d, slice_of(c->body, c->body_len),
                             c->handle.id, &c->transaction);
    if (err) {
        command_explain(c, "it could not be sent: %s", gb_strerror(err));
        command_finish(p, c, PLATFORM_COMMAND_SILENT);
        return;
    }
    if (c->state == PLATFORM_COMMAND_QUEUED)
        c->evidence_len = 0; /* why it waited */
    c->tries++;
    c->state = PLATFORM_COMMAND_SENT;
    c->sent_utc_ms = p->now.utc_ms;
    c->arrived_utc_ms = 0; /* of this try */
    command_changed(p, c);
}

static void arrived(struct platform *p, struct command *c)
{
    c->arrived_utc_ms = p->now.utc_ms;
    c->evidence_len = 0; /* that of a try before this one */
    if (!command_is_due(c)) {
        command_finish(p, c, PLATFORM_COMMAND_ARRIVED);
        return;
    }
    c->state = PLATFORM_COMMAND_ARRIVED;
    command_changed(p, c);
    if (c->row->due == MANSCDP_ONE_RESPONSE)
        arm(p, c, p->now.mono_ms +
                      (c->once_ms ? c->once_ms : c->row->first_ms));
}

void command_on_sip(struct platform *p, uint64_t handle,
                    const struct sip_event *ev)
{
    struct handle *h = idmap_find(&p->handles, handle);
    struct command *c = container_of(h, struct command, handle);
    struct device *d = device_find(p, command_device(c));

    if (d)
        way_note(p, d, ev);
    if (ev->transaction != c->transaction ||
        (ev->kind == SIP_EV_RESPONSE && ev->status < 200))
        return;
    c->transaction = 0;
    c->sip_status = (uint16_t)ev->status;
    if (ev->kind == SIP_EV_FAILED) {
        command_nothing_came(p, c, "the MESSAGE was not answered");
    } else if (ev->status < 300) {
        arrived(p, c);
    } else if (d && outgoing_wants_login(d, c->login, ev->status)) {
        c->tries--; /* it arrived, and did not count */
        send(p, c);
    } else {
        command_explain(c, "the MESSAGE was answered with SIP %u", ev->status);
        command_finish(p, c, PLATFORM_COMMAND_REFUSED);
    }
}

static void waits(struct platform *p, struct command *c)
{
    command_explain(c, "the device answers another question first");
    arm(p, c, p->now.mono_ms + BUSY_MS);
}

/* Its turn may have come, or that of an older one. */
static void look_again(struct platform *p, struct command *c)
{
    if (p->now.mono_ms - c->asked_ms >= PLATFORM_QUEUE_MS) {
        command_explain(c, "the device was busy with other questions");
        command_finish(p, c, PLATFORM_COMMAND_SILENT);
        return;
    }
    waits(p, c);
    if (device_find(p, command_device(c)))
        send_next(p, command_device(c), is_order(c));
    else
        send(p, c); /* it says so */
}

/* A device that has always more to tell is not listened to for ever. */
static void over_time(struct platform *p, struct command *c)
{
    if (c->have) {
        c->partial = true;
        command_explain(c, "it has told %u items and went on for too long",
                        (unsigned)c->have);
        command_finish(p, c, PLATFORM_COMMAND_ANSWERED);
        return;
    }
    command_explain(c, "it was not over after %u s",
                    (unsigned)((c->ends_ms - c->asked_ms) / 1000));
    command_finish(p, c, PLATFORM_COMMAND_SILENT);
}

void command_on_timer(struct platform *p, struct timerq_node *timer)
{
    struct command *c = container_of(timer, struct command, timer);

    if (c->settling)
        command_finish(p, c, PLATFORM_COMMAND_ANSWERED);
    else if (p->now.mono_ms >= c->ends_ms)
        over_time(p, c);
    else if (c->state == PLATFORM_COMMAND_QUEUED)
        look_again(p, c);
    else
        command_nothing_came(p, c,
                             "the MESSAGE arrived (200), but no Response came");
}

/* ---- refreshes ---------------------------------------------------------- */

static void follow_one(struct platform *p, struct command *c,
                       const struct device *d,
                       enum platform_command_state state, const char *why)
{
    c->have = d->asked.have;
    c->sum = d->asked.sum;
    if (why)
        command_explain(c, "%s", why);
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
        c->partial = d->asked.catalog != PLATFORM_CATALOG_COMPLETE;
        command_finish(p, c, state);
        return;
    case PLATFORM_COMMAND_REFUSED:
    case PLATFORM_COMMAND_SILENT:
        command_finish(p, c, state);
        return;
    }
    c->state = state;
    command_changed(p, c);
}

void commands_follow(struct platform *p, struct device *d,
                     enum platform_command_state state, const char *why)
{
    struct list *n;

    if (p->commands.n_open == 0)
        return;
    n = p->commands.open.next;
    while (n != &p->commands.open) {
        struct command *c = container_of(n, struct command, open);

        n = n->next;
        if (!c->follows || !slice_eq(command_device(c), device_id(d)))
            continue;
        follow_one(p, c, d, state, why);
        if (c->is_final) /* the next one may have ended with it: send_next */
            n = p->commands.open.next;
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
        n += slice_eq(command_device(container_of(l, struct command, open)),
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

static struct manscdp_dialect dialect_of(const struct device *d,
                                         unsigned edition)
{
    struct manscdp_dialect as = device_dialect(d);

    if (edition)
        as.edition = (enum manscdp_edition)(edition - 1);
    return as;
}

static int fill(struct platform *p, struct command *c, struct device *d,
                const struct command_order *o)
{
    struct manscdp_dialect dialect = dialect_of(d, o->edition);
    struct slice target = o->target.n ? o->target : device_id(d);
    struct writer w;
    int err;

    name(c, d, target);
    c->row = o->row;
    c->once_ms = o->once_ms;
    c->may_repeat = !o->once_ms && (o->may_repeat || may_repeat(o->row));
    c->types = o->types;
    c->ptz = o->ptz;
    c->guard = o->guard;
    c->moves = o->moves;
    c->sn = platform_next_sn(p);
    c->body = gb_get(p->alloc, PLATFORM_COMMAND_BODY);
    if (!c->body)
        return GB_ENOMEM;
    w = writer_of(c->body, PLATFORM_COMMAND_BODY);
    err = o->encode(o->ctx, &w, &dialect, c->sn, target);
    c->body_len = w.len;
    return err;
}

static struct command *command_new(struct platform *p, uint64_t most_ms)
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
    c->ends_ms = p->now.mono_ms + most_ms;
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
    command_changed(p, c);
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
    c = command_new(p, PLATFORM_ANSWER_MS);
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
    if (command_is_due(c) && is_busy(p, d, is_order(c)))
        waits(p, c);
    else
        send(p, c);
    return 0;
}

int platform_command_refresh(struct platform *p, struct slice device,
                             struct gb_time now, uint64_t *id)
{
    struct device *d = device_find(p, device);
    struct command *c;
    int err;

    clock_at(p, now);
    *id = 0;
    if (d && d->online && !check_room(p, d) && (c = command_new(p, PLATFORM_REFRESH_MS))) {
        name(c, d, device_id(d));
        c->row = manscdp_row_find(MANSCDP_QUERY, MANSCDP_CMD_CATALOG,
                                  SLICE(""));
        c->follows = true;
        arm(p, c, c->ends_ms);
        enter(p, c);
        *id = c->id;
    }
    err = platform_device_refresh(p, device, now);
    if (!err && device_query(d)->running == QUERY_CATALOG)
        commands_follow(p, d, device_query(d)->transaction
                                  ? PLATFORM_COMMAND_SENT
                                  : PLATFORM_COMMAND_ARRIVED,
                        NULL); /* it joins the one under way */
    return err;
}

/* ---- by codec ------------------------------------------------------------- */

static int encode_body(void *ctx, struct writer *w,
                       const struct manscdp_dialect *d, uint32_t sn,
                       struct slice target)
{
    const struct platform_order *o = ctx;
    const struct manscdp_body none = { o->root, o->cmd, { NULL, 0 },
                                       &manscdp_no_elements };
    struct manscdp_head head = { 0 };

    if (o->in)
        memcpy(&head, o->in, sizeof(head));
    head.sn = sn;
    head.device_id = target;
    head.more = o->more;
    if (!o->body)
        return manscdp_body_encode(w, d, &none, &head);
    /* NOLINTNEXTLINE(clang-analyzer-core.*): a body has its struct */
    memcpy(o->in, &head, sizeof(head));
    return manscdp_body_encode(w, d, o->body, o->in);
}

/* As the edition spells its command; NULL: there is none. */
static const struct manscdp_row *row_of(const struct platform_order *o,
                                        enum manscdp_edition e)
{
    const struct manscdp_field *f =
        o->body ? manscdp_field_of(o->body->shape, o->body->sub) : NULL;
    struct slice sub =
        f ? manscdp_field_name(f, MANSCDP_WAY(e, false)) : SLICE("");

    if (o->cmd == MANSCDP_CMD_CATALOG) /* asked for by refresh, catalog.c */
        return NULL;
    if (o->cmd == MANSCDP_CMD_DEVICE_CONTROL && !o->body)
        return o->more ? &vendor_row : NULL;
    return manscdp_row_find(o->root, o->cmd, sub);
}

/* What a ConfigDownload asks for, as far as the table knows. */
static unsigned types_of(const struct platform_order *o)
{
    struct manscdp_config_query q;
    struct slice type;
    unsigned types = 0;

    if (o->body != &manscdp_config_query_body)
        return 0;
    memcpy(&q, o->in, sizeof(q));
    while (manscdp_config_type_next(&q.types, &type))
        types |= command_config_bit(type);
    return types;
}

/* A stop that waits for its second try would end what moves now. */
static void forget_stops(struct platform *p, struct slice device,
                         struct slice target, unsigned ptz)
{
    struct list *n = p->commands.open.next;

    for (; n != &p->commands.open; n = n->next) {
        struct command *c = container_of(n, struct command, open);

        if (c->ptz == ptz && slice_eq(command_device(c), device) &&
            slice_eq(command_target(c), target))
            c->may_repeat = false;
    }
}

/* What a PTZCmd does, if it is one; false: it is not, or nobody knows. */
static bool read_ptz(const struct platform_order *o, struct manscdp_ptz *out)
{
    struct manscdp_control_ptz body;

    if (o->body != &manscdp_control_ptz_body)
        return false;
    memcpy(&body, o->in, sizeof(body));
    return !manscdp_ptz_parse(out, body.command, NULL);
}

/* Of a GuardCmd, which way. */
static uint8_t guard_of(const struct platform_order *o)
{
    struct manscdp_control_guard body;

    if (o->body != &manscdp_control_guard_body)
        return 0;
    memcpy(&body, o->in, sizeof(body));
    return (uint8_t)body.guard;
}

int platform_device_dialect(const struct platform *p, struct slice id,
                            struct manscdp_dialect *out)
{
    const struct device *d = device_find(p, id);

    if (!d)
        return GB_ENOENT;
    *out = device_dialect(d);
    return 0;
}

int platform_command_send(struct platform *p, const struct platform_order *o,
                          struct gb_time now, uint64_t *id)
{
    struct device *d = device_find(p, o->device);
    struct command_order order = {
        .target = o->target,
        .encode = encode_body,
        .ctx = (void *)(uintptr_t)o,
        .edition = o->edition,
        .may_repeat = o->may_repeat,
    };
    enum manscdp_edition e;
    struct slice target;
    struct manscdp_ptz ptz;
    bool is_ptz = read_ptz(o, &ptz);
    int err;

    clock_at(p, now);
    if (!d)
        return GB_ENOENT;
    e = dialect_of(d, o->edition).edition;
    order.row = row_of(o, e);
    if (!order.row || (o->target.n && !manscdp_devid_is_usable(o->target)))
        return GB_ESYNTAX;
    if (!(order.row->editions >> e & 1))
        return GB_EUNSUPPORTED;
    order.types = types_of(o);
    order.guard = guard_of(o);
    if (!is_ptz)
        return command_start(p, d, &order, id);
    target = o->target.n ? o->target : device_id(d);
    if (ptz.op == MANSCDP_PTZ_MOVE || ptz.op == MANSCDP_PTZ_LENS)
        order.ptz = ptz.op == MANSCDP_PTZ_LENS ? 1 + PTZ_LENS : 1 + PTZ_MOVE;
    order.may_repeat |= manscdp_ptz_is_stop(&ptz);
    order.moves = order.ptz && !order.may_repeat;
    if (order.moves && !ptz_has_room(p, device_id(d), target))
        return GB_ELIMIT; /* nobody would stop it */
    forget_stops(p, device_id(d), target, order.ptz);
    err = command_start(p, d, &order, id);
    if (!err)
        ptz_sent(p, device_id(d), target, &ptz, *id);
    return err;
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
        .device = command_device(c),
        .target = command_target(c),
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
        .ends_ms = c->ends_ms,
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
