#include "app/platform/commands.h"

#include "app/platform/bodyjson.h"
#include "app/platform/core.h"
#include "base/writer.h"
#include "manscdp/bodies.h"
#include "manscdp/config.h"
#include "manscdp/control.h"
#include "manscdp/record.h"

#define BUSY_MS 500       /* a queued one looks again */
#define QUEUE_MS 60000    /* and is given up after so long */
#define SETTLE_MS 500     /* behind a message that counts as much as it holds:
                             its number may be its own, and others may follow */
#define EVIDENCE_MAX 320
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
    bool settling; /* its only message so far has all that it announces */
    bool moves;  /* these three as in command_order */
    uint8_t ptz;
    uint8_t guard;
    uint8_t tries;
    uint16_t sip_status, messages;
    uint32_t sn, have, sum;
    uint32_t types, got_types; /* of a ConfigDownload: bits, see config_bit */
    uint64_t transaction, assembly;
    uint64_t asked_ms;
    int64_t asked_utc_ms, sent_utc_ms, arrived_utc_ms, answered_utc_ms;
    char evidence[EVIDENCE_MAX];
    uint16_t evidence_len;
    char *body;   /* as it is sent; NULL when final. Own memory */
    size_t body_len;
    char *answer; /* own memory */
    size_t answer_len, answer_cap;
};

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

static struct slice device_of(const struct command *c)
{
    return slice_of(c->device, c->device_len);
}

static struct slice target_of(const struct command *c)
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
    c->evidence_len = (uint16_t)w.len;
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
    return device_query(d)->running != 0;
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

    if (d && !c->follows && c->row != &vendor_row &&
        (c->state != PLATFORM_COMMAND_SILENT || c->arrived_utc_ms))
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
    if (c->moves && c->tries)
        ptz_settled(p, device_of(c), target_of(c),
                    (enum ptz_kind)(c->ptz - 1), c->id,
                    state == PLATFORM_COMMAND_REFUSED);
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

    if (c->settling) {
        finish(p, c, PLATFORM_COMMAND_ANSWERED);
    } else if (c->state != PLATFORM_COMMAND_QUEUED) {
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
    char *more = c->id >= p->commands.first_answer ? gb_get(p->alloc, cap)
                                                   : NULL;

    if (!more)
        return false; /* no memory, or answers of its age have gone */
    if (c->answer_len)
        memcpy(more, c->answer, c->answer_len);
    gb_put(p->alloc, c->answer);
    c->answer = more;
    p->commands.answer_bytes += cap - c->answer_cap;
    c->answer_cap = cap;
    return true;
}

/* The bit of a type of settings by its place in the table; 0: it has none. */
static uint32_t config_bit(struct slice name)
{
    const struct manscdp_shape *s = manscdp_config_set_body.shape;
    const struct manscdp_field *f = manscdp_field_of(s, name);

    return f ? 1u << (f - s->field) : 0;
}

static struct slice config_name(uint32_t bit)
{
    const struct manscdp_shape *s = manscdp_config_set_body.shape;
    size_t i = 0;

    while (i < s->n && 1u << i != bit)
        i++;
    return i < s->n ? s->field[i].name : slice_of(NULL, 0);
}

/* The type of a ConfigDownload that asked for one alone. */
static struct slice only_type(const struct command *c)
{
    return config_name(c->types);
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
        bodyjson_write(&w, msg, only_type(c));
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

/* What tells one item of a list from another (signalling: merge rules). at:
 * its place in the message. */
static struct slice item_key(const struct manscdp_row *row,
                             const struct xml_node *item, unsigned at,
                             char buf[static KEY_MAX])
{
    struct writer w = writer_of(buf, KEY_MAX);
    static const struct slice record[] = {
        SLICE_INIT("DeviceID"), SLICE_INIT("StartTime"), SLICE_INIT("EndTime"),
        SLICE_INIT("FilePath"), SLICE_INIT("Name"),
    };
    static const struct slice point[] = {
        SLICE_INIT("PresetIndex"), SLICE_INIT("StayTime"), SLICE_INIT("Speed"),
    };
    bool is_record = row->merge == MANSCDP_MERGE_RECORD;
    const struct slice *part = is_record ? record : point;
    size_t n = is_record ? sizeof(record) / sizeof(*record)
                         : sizeof(point) / sizeof(*point);

    if (row->merge == MANSCDP_MERGE_PRESET)
        return xml_text(item, SLICE("PresetID"));
    if (row->merge == MANSCDP_MERGE_TRACK)
        return xml_text(item, SLICE("Number"));
    if (!is_record) /* a track may come by one preset twice */
        writer_u64(&w, at);
    for (size_t i = 0; i < n; i++) {
        writer_char(&w, '/');
        writer_slice_put(&w, slice_head(xml_text(item, part[i]), 48));
    }
    return writer_slice(&w);
}

static const struct manscdp_field *list_field(const struct manscdp_body *b)
{
    for (size_t i = 0; b && i < b->shape->n; i++)
        if (b->shape->field[i].type == MANSCDP_LIST)
            return &b->shape->field[i];
    return NULL;
}

/* The items; true: the list says that it has so many, so nothing of it is lost. */
static bool take_items(struct platform *p, const struct command *c,
                       const struct manscdp_msg *msg, uint64_t id)
{
    const struct manscdp_field *f = list_field(manscdp_body_of(msg));
    const struct xml_node *list = f ? xml_child(msg->doc.root, f->name) : NULL;
    const struct xml_node *n = list ? xml_child(list, f->item) : NULL;
    char buf[KEY_MAX];
    unsigned at = 0;
    uint32_t num;

    for (; n; n = xml_next_same(n), at++)
        manscdp_assembly_item(p->assemblies, id, item_key(c->row, n, at, buf));
    return list &&
           manscdp_number(xml_attr(list, SLICE("Num")), UINT32_MAX, &num) &&
           num == at;
}

/* The answer may be whole with what has come: it is, if nothing follows soon. */
static void settle(struct platform *p, struct command *c)
{
    c->settling = true;
    timerq_set(&p->timers, &c->timer, p->now.mono_ms + SETTLE_MS);
}

/* More came than had been announced: every message counts itself, and silence
 * alone tells the end. */
static void count_each(struct platform *p, struct command *c)
{
    c->settling = false;
    timerq_stop(&p->timers, &c->timer);
}

/* Which types a message of a ConfigDownload answers; a Result alone, or an
 * element called otherwise, is an answer too. */
static void take_types(struct platform *p, struct command *c,
                       const struct manscdp_msg *msg, uint64_t id)
{
    char other[24];
    struct writer w = writer_of(other, sizeof(other));
    uint32_t got = 0;

    for (const struct xml_node *n = msg->doc.root->child; n; n = n->next)
        got |= config_bit(n->name);
    if (!got && only_type(c).n &&
        manscdp_result_parse(xml_text(msg->doc.root, SLICE("Result"))) !=
            MANSCDP_ERROR)
        got = c->types; /* nested, or under another name */
    c->got_types |= got;
    for (uint32_t bit = 1; bit && bit <= got; bit <<= 1)
        if (got & bit)
            manscdp_assembly_item(p->assemblies, id, config_name(bit));
    writer_f(&w, "?%u", (unsigned)c->messages);
    if (!got)
        manscdp_assembly_item(p->assemblies, id, writer_slice(&w));
}

static unsigned bits_of(uint32_t v)
{
    unsigned n = 0;

    for (; v; v &= v - 1)
        n++;
    return n;
}

static void count_items(struct platform *p, struct command *c,
                        const struct manscdp_msg *msg)
{
    struct manscdp_assembly_event at;
    uint64_t id = 0;
    uint32_t sum = bits_of(c->types);
    bool has_sum = c->types || manscdp_number(xml_text(msg->doc.root,
                                                       SLICE("SumNum")),
                                              UINT32_MAX, &sum);
    bool is_list = false;

    if (manscdp_assembly_message(p->assemblies, device_of(c), c->row->cmd,
                                 msg->sn, &id) == MANSCDP_UNSOLICITED ||
        id != c->assembly)
        return;
    if (c->row->merge == MANSCDP_MERGE_ELEMENT)
        take_types(p, c, msg, id);
    else
        is_list = take_items(p, c, msg, id);
    manscdp_assembly_end(p->assemblies, id, has_sum, sum, msg->doc.n_broken,
                         p->now.mono_ms);
    if (manscdp_assembly_status(p->assemblies, id, &at)) {
        c->have = at.received;
        c->sum = at.received > at.expected ? 0 : at.expected;
        if (!has_sum && is_list && at.messages == 1 &&
            c->row->merge != MANSCDP_MERGE_RECORD)
            settle(p, c);
        else if (c->settling && at.received > at.expected)
            count_each(p, c);
    }
    changed(p, c);
}

/* One type of several is refused: the others may come still. */
static bool is_one_of_several(const struct command *c)
{
    return bits_of(c->types) > 1 && !c->is_final;
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
    if (refused && !is_one_of_several(c)) {
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
    else if (c->is_final)
        explain(c, "a message came behind the end, which was at %u items",
                (unsigned)c->have);
    if (c->guard)
        duty_set(p, device_of(c), target_of(c),
                 c->guard == MANSCDP_GUARD_SET ? MANSCDP_ONDUTY
                                               : MANSCDP_OFFDUTY,
                 "GuardCmd");
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

bool command_is_open(const struct platform *p, struct slice device,
                     struct slice target, struct slice sub)
{
    const struct list *n = p->commands.open.next;

    for (; n != &p->commands.open; n = n->next) {
        const struct command *c =
            container_of((struct list *)(uintptr_t)n, struct command, open);

        if (slice_eq(c->row->sub, sub) && slice_eq(device_of(c), device) &&
            slice_eq(target_of(c), target))
            return true;
    }
    return false;
}

bool commands_on_message(struct platform *p, struct device *d,
                         const struct manscdp_msg *msg)
{
    struct command *c;

    if (msg->root != MANSCDP_RESPONSE || p->commands.next == 1 ||
        msg->cmd == MANSCDP_CMD_CATALOG) /* asked for by catalog.c alone */
        return false;
    c = asked(p, d, msg);
    if (!c || !is_due(c))
        return false;
    answered(p, c, msg);
    return true;
}

/* All types that will be answered have been: which have not? */
static void settings_came(struct platform *p, struct command *c)
{
    uint32_t missing = c->types & ~c->got_types;
    char text[EVIDENCE_MAX];
    struct writer w = writer_of(text, sizeof(text) - 40);

    for (uint32_t bit = 1; bit && bit <= missing; bit <<= 1) {
        if (!(missing & bit))
            continue;
        writer_str(&w, w.len ? ", " : "");
        writer_slice_put(&w, config_name(bit));
    }
    c->have = bits_of(c->types & c->got_types);
    c->sum = bits_of(c->types);
    c->partial = missing != 0;
    if (missing)
        explain(c, "refused or not answered: %.*s", (int)w.len, text);
    finish(p, c, missing == c->types ? PLATFORM_COMMAND_REFUSED
                                     : PLATFORM_COMMAND_ANSWERED);
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
        c->sum = ev->received > ev->expected ? 0 : ev->expected;
        if (ev->closed)
            c->assembly = 0;
        if (ev->outcome == MANSCDP_SILENT) {
            nothing_came(p, c,
                         c->arrived_utc_ms
                             ? "the MESSAGE arrived (200), but no Response came"
                             : "no Response came");
            return true;
        }
        if (c->types) {
            settings_came(p, c);
            return true;
        }
        if (!ev->closed && ev->messages == 1 && ev->received) {
            settle(p, c);
            return true;
        }
        c->partial = ev->outcome == MANSCDP_PARTIAL && ev->missing;
        if (c->partial)
            explain(c, "%u of %u items are missing", ev->missing,
                    ev->expected);
        else if (ev->outcome == MANSCDP_PARTIAL)
            explain(c, "the answer has no items and tells no number of them");
        else if (ev->expected && ev->received > ev->expected)
            explain(c, "each message counts itself alone: these are all that "
                       "came until the device fell silent");
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
    c->have = d->asked.have;
    c->sum = d->asked.sum;
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
        c->partial = d->asked.catalog != PLATFORM_CATALOG_COMPLETE;
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
    c->may_repeat = o->may_repeat || may_repeat(o->row);
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
        types |= config_bit(type);
    return types;
}

/* A stop that waits for its second try would end what moves now. */
static void forget_stops(struct platform *p, struct slice device,
                         struct slice target, unsigned ptz)
{
    struct list *n = p->commands.open.next;

    for (; n != &p->commands.open; n = n->next) {
        struct command *c = container_of(n, struct command, open);

        if (c->ptz == ptz && slice_eq(device_of(c), device) &&
            slice_eq(target_of(c), target))
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

    p->now = now;
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
        .device = device_of(c),
        .target = target_of(c),
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
