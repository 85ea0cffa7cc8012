/* What comes back: the Responses to a command, kept, counted and judged. */
#include "app/platform/command_int.h"

#include "app/platform/bodyjson.h"
#include "base/writer.h"
#include "manscdp/bodies.h"
#include "manscdp/config.h"
#include "manscdp/control.h"

#define SETTLE_MS 1000    /* behind a message that counts as much as it holds:
                             its number may be its own, and others may follow */
#define KEY_MAX 250       /* of one item of an answer */

/* The oldest answers go when all of them have become too much. */
static void bound_answers(struct platform *p)
{
    struct commands *all = &p->commands;

    while (all->answer_bytes > PLATFORM_COMMAND_ANSWERS &&
           all->first_answer < all->next) {
        struct command *c = command_find(p, all->first_answer++);

        if (c && c->answer) {
            command_drop_answer(p, c);
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
        /* NOLINTNEXTLINE(clang-analyzer-core.*): a length has bytes */
        memcpy(more, c->answer, c->answer_len);
    gb_put(p->alloc, c->answer);
    c->answer = more;
    p->commands.answer_bytes += cap - c->answer_cap;
    c->answer_cap = cap;
    return true;
}

uint32_t command_config_bit(struct slice name)
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

/* What tells one item of a list from another. at:
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

/* The items; true: the list says that it has so many, so that none is lost. */
static bool take_items(struct platform *p, const struct command *c,
                       const struct manscdp_msg *msg, uint64_t id)
{
    const struct manscdp_field *f = list_field(manscdp_body_of(msg));
    const struct xml_node *list = f ? xml_child(msg->doc.root, f->name) : NULL;
    const struct xml_node *n = list ? manscdp_first_item(f, list) : NULL;
    char buf[KEY_MAX];
    unsigned at = 0;
    uint32_t num;

    for (; n; n = xml_next_same(n), at++)
        manscdp_assembly_item(p->assemblies, id, item_key(c->row, n, at, buf));
    return list &&
           manscdp_number(xml_attr(list, SLICE("Num")), UINT32_MAX, &num) &&
           num == at;
}

/* It may be whole with what has come: it is, if nothing follows soon. */
static void settle(struct platform *p, struct command *c)
{
    uint64_t at_ms = p->now.mono_ms + SETTLE_MS;

    c->settling = true;
    timerq_set(&p->timers, &c->timer, at_ms < c->ends_ms ? at_ms : c->ends_ms);
}

/* More came than had been announced: every message counts itself, and silence
 * alone tells the end. */
static void count_each(struct platform *p, struct command *c)
{
    c->settling = false;
    timerq_set(&p->timers, &c->timer, c->ends_ms);
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
        got |= command_config_bit(n->name);
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

/* Its time ends by itself, see over_time. */
static bool is_too_much(struct platform *p, struct command *c)
{
    if (c->have < PLATFORM_RECORDS_ITEMS)
        return false;
    c->partial = true;
    command_explain(c, "it went on beyond %u items", (unsigned)c->have);
    command_finish(p, c, PLATFORM_COMMAND_ANSWERED);
    return true;
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

    if (manscdp_assembly_message(p->assemblies, command_device(c), c->row->cmd,
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
        if (is_too_much(p, c))
            return;
    }
    command_changed(p, c);
}

/* One type of several is refused: the others may come still. */
static bool is_one_of_several(const struct command *c)
{
    return bits_of(c->types) > 1 && !c->is_final;
}

static void refused_by(struct platform *p, struct command *c,
                       const struct manscdp_msg *msg)
{
    struct slice result = xml_text(msg->doc.root, SLICE("Result")),
                 why = xml_text(msg->doc.root, SLICE("Reason"));

    command_explain(c, "the Response says Result %.*s%s%.*s",
                    SLICE_ARG(slice_head(result, 16)), why.n ? ": " : "",
                    SLICE_ARG(manscdp_text_cut(why, 60)));
    command_finish(p, c, PLATFORM_COMMAND_REFUSED);
}

static bool says_error(const struct manscdp_msg *msg)
{
    return manscdp_result_parse(xml_text(msg->doc.root, SLICE("Result"))) ==
           MANSCDP_ERROR;
}

/* None is due and none is waited for: it says more than the 200 did. */
static void answered_undue(struct platform *p, struct command *c,
                           const struct manscdp_msg *msg)
{
    if (c->messages)
        return; /* a repeat */
    keep_answer(p, c, msg);
    c->answered_utc_ms = p->now.utc_ms;
    if (says_error(msg))
        refused_by(p, c, msg);
    else
        command_finish(p, c, PLATFORM_COMMAND_ANSWERED);
}

static void answered(struct platform *p, struct command *c,
                     const struct manscdp_msg *msg)
{
    if (c->is_final && c->state != PLATFORM_COMMAND_SILENT &&
        c->row->due == MANSCDP_ONE_RESPONSE)
        return; /* a repeat */
    records_on_answer(p, c->id, msg);
    keep_answer(p, c, msg);
    c->answered_utc_ms = p->now.utc_ms;
    if (!c->is_final)
        c->evidence_len = 0; /* that of a try before this answer */
    if (c->is_final && c->state == PLATFORM_COMMAND_SILENT) {
        c->late = true;
        c->partial = c->row->due == MANSCDP_MANY_RESPONSES;
    }
    if (says_error(msg) && !is_one_of_several(c)) {
        refused_by(p, c, msg);
        return;
    }
    if (c->row->due == MANSCDP_MANY_RESPONSES && !c->is_final) {
        count_items(p, c, msg);
        return; /* the assembly tells when it is over */
    }
    if (c->late)
        command_explain(c, "it was answered late");
    else if (c->is_final)
        command_explain(c,
                        "a message came behind the end, which was at %u items",
                        (unsigned)c->have);
    if (c->guard)
        duty_set(p, command_device(c), command_target(c),
                 c->guard == MANSCDP_GUARD_SET ? MANSCDP_ONDUTY
                                               : MANSCDP_OFFDUTY,
                 "GuardCmd");
    command_finish(p, c, PLATFORM_COMMAND_ANSWERED);
}

static bool is_control(enum manscdp_cmd cmd)
{
    return cmd == MANSCDP_CMD_DEVICE_CONTROL ||
           cmd == MANSCDP_CMD_DEVICE_CONFIG;
}

/* Its question by SN, also when a DeviceConfig is answered as a DeviceControl is,
 * or the reverse; an SN that is nobody's belongs to the only open one of its
 * kind. */
static struct command *asked(struct platform *p, const struct device *d,
                             const struct manscdp_msg *msg)
{
    struct command *only = NULL, *other = NULL;
    unsigned n_open = 0;
    uint64_t last = p->commands.next - 1;

    for (uint64_t id = last; id && last - id < PLATFORM_COMMANDS_MAX; id--) {
        struct command *c = command_find(p, id);

        if (!c || !slice_eq(command_device(c), device_id(d)))
            continue;
        if (c->row->cmd != msg->cmd) {
            if (!other && c->sn == msg->sn && is_control(c->row->cmd) &&
                is_control(msg->cmd))
                other = c;
            continue;
        }
        if (c->sn == msg->sn)
            return c;
        if (!c->is_final && c->state != PLATFORM_COMMAND_QUEUED) {
            only = c;
            n_open++;
        }
    }
    return other ? other : n_open == 1 ? only : NULL;
}

/* Some firmware has Notify for a root where it answers; what is notified of has
 * its own meaning. */
static bool is_answer(const struct manscdp_msg *msg)
{
    switch (msg->cmd) {
    case MANSCDP_CMD_DEVICE_STATUS:
    case MANSCDP_CMD_DEVICE_INFO:
    case MANSCDP_CMD_RECORD_INFO:
    case MANSCDP_CMD_CONFIG_DOWNLOAD:
    case MANSCDP_CMD_PRESET_QUERY:
    case MANSCDP_CMD_HOME_POSITION_QUERY:
    case MANSCDP_CMD_CRUISE_TRACK_LIST:
    case MANSCDP_CMD_CRUISE_TRACK:
    case MANSCDP_CMD_SD_CARD_STATUS:
    case MANSCDP_CMD_DEVICE_CONTROL:
    case MANSCDP_CMD_DEVICE_CONFIG:
    case MANSCDP_CMD_PTZ_POSITION: /* see is_news */
        return msg->root == MANSCDP_RESPONSE || msg->root == MANSCDP_NOTIFY;
    case MANSCDP_CMD_OTHER:
    case MANSCDP_CMD_KEEPALIVE:
    case MANSCDP_CMD_CATALOG:
    case MANSCDP_CMD_ALARM:
    case MANSCDP_CMD_MOBILE_POSITION:
    case MANSCDP_CMD_MEDIA_STATUS:
    case MANSCDP_CMD_BROADCAST:
    case MANSCDP_CMD_SNAPSHOT_FINISHED:
    case MANSCDP_CMD_VIDEO_UPLOAD:
    case MANSCDP_CMD_UPGRADE_RESULT:
    case MANSCDP_CMD_COUNT:
        break;
    }
    return msg->root == MANSCDP_RESPONSE;
}

/* A subscription brings these as well: it is an answer only by its SN. */
static bool is_news(const struct manscdp_msg *msg)
{
    return msg->cmd == MANSCDP_CMD_PTZ_POSITION && msg->root == MANSCDP_NOTIFY;
}

bool commands_on_message(struct platform *p, struct device *d,
                         const struct manscdp_msg *msg)
{
    struct manscdp_msg response = *msg; /* whatever its root: one by its table */
    struct command *c;

    response.root = MANSCDP_RESPONSE;
    if (!is_answer(msg) || p->commands.next == 1 ||
        msg->cmd == MANSCDP_CMD_CATALOG) /* asked for by catalog.c alone */
        return false;
    c = asked(p, d, msg);
    if (!c || (c->sn != msg->sn && (!command_is_due(c) || is_news(msg))))
        return false;
    if (c->row->cmd != msg->cmd)
        device_deviation(p, d, DEVIATION_OTHER_CMD, msg->cmd_name);
    if (command_is_due(c))
        answered(p, c, &response);
    else
        answered_undue(p, c, &response);
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
        command_explain(c, "refused or not answered: %.*s", (int)w.len, text);
    command_finish(p, c,
                   missing == c->types ? PLATFORM_COMMAND_REFUSED
                                       : PLATFORM_COMMAND_ANSWERED);
}

void commands_on_unread(struct platform *p, struct device *d)
{
    for (struct list *n = p->commands.open.next; n != &p->commands.open;
         n = n->next) {
        struct command *c = container_of(n, struct command, open);

        c->unread |= c->state == PLATFORM_COMMAND_ARRIVED &&
                     slice_eq(command_device(c), device_id(d));
    }
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
            command_nothing_came(
                p, c,
                c->arrived_utc_ms
                    ? "the MESSAGE arrived (200), but no Response came"
                    : "no Response came");
            return true;
        }
        if (c->types) {
            settings_came(p, c);
            return true;
        }
        if (!ev->closed && ev->messages == 1 && ev->received &&
            ev->outcome == MANSCDP_COMPLETE) {
            settle(p, c);
            return true;
        }
        c->partial = ev->outcome == MANSCDP_PARTIAL && ev->missing;
        if (c->partial)
            command_explain(c, "%u of %u items are missing", ev->missing,
                            ev->expected);
        else if (ev->outcome == MANSCDP_PARTIAL && ev->received)
            command_explain(c, "it has come with another SN than the question");
        else if (ev->outcome == MANSCDP_PARTIAL)
            command_explain(c, "the answer has no items and tells no number "
                               "of them");
        else if (ev->expected && ev->received > ev->expected)
            command_explain(
                c, "each message counts itself alone: these are all that "
                   "came until the device fell silent");
        command_finish(p, c, PLATFORM_COMMAND_ANSWERED);
        return true;
    }
    return false;
}
