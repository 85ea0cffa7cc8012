#include "app/platform/ptz.h"

#include "app/platform/core.h"
#include "manscdp/control.h"

#define RESEND_MS 1000   /* the same again is sent as often */
#define AGAIN_MS 2000    /* a stop that is owed is tried again */
#define OWED_MS 600000   /* and forgotten */
#define HEX (2 * MANSCDP_PTZ_BYTES)

struct part {
    bool moves;
    struct manscdp_ptz c;
    uint64_t sent_ms, until_ms;
    uint64_t due_ms;         /* when the stop became due, 0: it is not */
    uint64_t first, command; /* that it was sent as, at first and as last */
};

struct mover {
    struct list all;
    struct timerq_node timer;
    char device[PLATFORM_ID_MAX], channel[PLATFORM_ID_MAX];
    uint8_t device_len, channel_len;
    struct part of[PTZ_KINDS];
};

void ptz_init(struct ptz_moves *m)
{
    *m = (struct ptz_moves){ .n = 0 };
    list_init(&m->all);
}

static struct slice device_of(const struct mover *m)
{
    return slice_of(m->device, m->device_len);
}

static struct slice channel_of(const struct mover *m)
{
    return slice_of(m->channel, m->channel_len);
}

static struct mover *mover_find(const struct platform *p, struct slice device,
                                struct slice channel)
{
    struct list *n = p->moves.all.next;

    for (; n != &p->moves.all; n = n->next) {
        struct mover *m = container_of(n, struct mover, all);

        if (slice_eq(device_of(m), device) && slice_eq(channel_of(m), channel))
            return m;
    }
    return NULL;
}

static struct mover *mover_new(struct platform *p, struct slice device,
                               struct slice channel)
{
    struct mover *m;

    if (p->moves.n >= PTZ_MOVES_MAX || device.n >= PLATFORM_ID_MAX ||
        channel.n >= PLATFORM_ID_MAX || !(m = gb_get(p->alloc, sizeof(*m))))
        return NULL;
    timerq_node_init(&m->timer, TIMER_PTZ);
    memcpy(m->device, device.p, device.n);
    m->device_len = (uint8_t)device.n;
    memcpy(m->channel, channel.p, channel.n);
    m->channel_len = (uint8_t)channel.n;
    list_push_back(&p->moves.all, &m->all);
    p->moves.n++;
    return m;
}

static void mover_free(struct platform *p, struct mover *m)
{
    timerq_stop(&p->timers, &m->timer);
    list_remove(&m->all);
    p->moves.n--;
    gb_put(p->alloc, m);
}

void ptz_fini(struct platform *p)
{
    struct list *n, *tmp;

    LIST_EACH(n, tmp, &p->moves.all)
        mover_free(p, container_of(n, struct mover, all));
}

/* Waits for the first part that is to end; without any it is gone. */
static void arm(struct platform *p, struct mover *m)
{
    uint64_t at = GB_NEVER;

    for (unsigned k = 0; k < PTZ_KINDS; k++)
        if (m->of[k].moves && m->of[k].until_ms < at)
            at = m->of[k].until_ms;
    if (at == GB_NEVER)
        mover_free(p, m);
    else
        timerq_set(&p->timers, &m->timer, at);
}

/* ---- sending ---------------------------------------------------------------- */

static int send(struct platform *p, struct slice device, struct slice channel,
                const struct manscdp_ptz *c, struct slice name, uint64_t *id)
{
    char hex[HEX];
    struct writer w = writer_of(hex, sizeof(hex));
    bool is_cruise = c->op >= MANSCDP_PTZ_CRUISE_ADD &&
                     c->op <= MANSCDP_PTZ_CRUISE_START;
    const struct manscdp_ptz_params params = {
        .preset_name = is_cruise ? SLICE("") : name,
        .track_name = is_cruise ? name : SLICE(""),
    };
    struct manscdp_control_ptz body = { .params = name.n ? &params : NULL };
    const struct platform_order o = {
        .device = device,
        .target = channel,
        .root = MANSCDP_CONTROL,
        .cmd = MANSCDP_CMD_DEVICE_CONTROL,
        .body = &manscdp_control_ptz_body,
        .in = &body,
    };
    int err = manscdp_ptz_write(&w, c);

    body.command = writer_slice(&w);
    return err ? err : platform_command_send(p, &o, p->now, id);
}

static int send_stop(struct platform *p, struct slice device,
                     struct slice channel, enum ptz_kind kind, uint64_t *id)
{
    const struct manscdp_ptz stop = {
        .op = kind == PTZ_LENS ? MANSCDP_PTZ_LENS : MANSCDP_PTZ_MOVE,
        .address = MANSCDP_PTZ_ADDRESS,
    };

    return send(p, device, channel, &stop, SLICE(""), id);
}

/* Its time is over. What cannot be sent now is owed: the device is away, or
 * does not answer. */
static void end(struct platform *p, struct slice device, struct slice channel,
                enum ptz_kind kind)
{
    uint64_t now = p->now.mono_ms, id;
    int err = send_stop(p, device, channel, kind, &id);
    struct mover *m = mover_find(p, device, channel);
    struct part *t = m ? &m->of[kind] : NULL;

    if (!t || !t->moves) /* it was sent: ptz_sent has seen it */
        return;
    if (!t->due_ms)
        t->due_ms = now ? now : 1;
    t->until_ms = now + AGAIN_MS;
    if (err == GB_ENOENT || now - t->due_ms >= OWED_MS)
        t->moves = false;
}

void ptz_on_timer(struct platform *p, struct timerq_node *timer)
{
    struct mover *m = container_of(timer, struct mover, timer);
    const struct mover copy = *m; /* what stops its last part frees it */
    struct slice d = device_of(&copy), c = channel_of(&copy);

    for (unsigned k = 0; k < PTZ_KINDS; k++)
        if (copy.of[k].moves && copy.of[k].until_ms <= p->now.mono_ms)
            end(p, d, c, (enum ptz_kind)k);
    m = mover_find(p, d, c);
    if (m)
        arm(p, m);
}

/* ---- what has been sent -------------------------------------------------------- */

static enum ptz_kind kind_of(const struct manscdp_ptz *c)
{
    return c->op == MANSCDP_PTZ_LENS ? PTZ_LENS : PTZ_MOVE;
}

static bool takes_over(const struct manscdp_ptz *c)
{
    return c->op == MANSCDP_PTZ_PRESET_CALL ||
           c->op == MANSCDP_PTZ_CRUISE_START ||
           c->op == MANSCDP_PTZ_SCAN_START;
}

static bool moves(const struct manscdp_ptz *c)
{
    return (c->op == MANSCDP_PTZ_MOVE || c->op == MANSCDP_PTZ_LENS) &&
           !manscdp_ptz_is_stop(c);
}

static bool same(const struct manscdp_ptz *a, const struct manscdp_ptz *b)
{
    char x[HEX], y[HEX];
    struct writer w = writer_of(x, sizeof(x)), v = writer_of(y, sizeof(y));

    return !manscdp_ptz_write(&w, a) && !manscdp_ptz_write(&v, b) &&
           memcmp(x, y, HEX) == 0;
}

bool ptz_has_room(const struct platform *p, struct slice device,
                  struct slice channel)
{
    return p->moves.n < PTZ_MOVES_MAX || mover_find(p, device, channel);
}

void ptz_sent(struct platform *p, struct slice device, struct slice channel,
              const struct manscdp_ptz *c, uint64_t id)
{
    struct mover *m = mover_find(p, device, channel);
    struct part *t;

    if (!moves(c) && !manscdp_ptz_is_stop(c) && !takes_over(c))
        return;
    if (!m && moves(c)) {
        m = mover_new(p, device, channel);
        if (!m) /* nobody would stop it */
            send_stop(p, device, channel, kind_of(c), &id);
    }
    if (!m)
        return;
    t = &m->of[kind_of(c)];
    *t = (struct part){ .moves = moves(c),
                        .c = *c,
                        .sent_ms = p->now.mono_ms,
                        .until_ms = p->now.mono_ms + p->cfg.ptz_hold_ms,
                        .first = t->moves && same(&t->c, c) ? t->first : id,
                        .command = id };
    arm(p, m);
}

void ptz_settled(struct platform *p, struct slice device, struct slice channel,
                 enum ptz_kind kind, uint64_t id, bool refused)
{
    struct mover *m = mover_find(p, device, channel);
    struct part *t = m ? &m->of[kind] : NULL;
    uint64_t ignored, until_ms;

    if (t && t->moves && t->command == id) {
        t->moves = !refused;
        if (refused)
            arm(p, m);
        return;
    }
    if (refused || (t && t->moves && id >= t->first))
        return;
    if (t && t->moves) { /* an older one arrived behind it */
        until_ms = t->until_ms;
        if (!send(p, device, channel, &t->c, SLICE(""), &ignored)) {
            t->until_ms = until_ms;
            arm(p, m);
        }
    } else {
        send_stop(p, device, channel, kind, &ignored);
    }
}

/* ---- callers -------------------------------------------------------------------- */

int platform_ptz(struct platform *p, const struct platform_ptz *r,
                 struct gb_time now, uint64_t *id)
{
    struct mover *m = mover_find(p, r->device, r->channel);
    struct part *t = m ? &m->of[kind_of(&r->command)] : NULL;

    clock_at(p, now);
    if (moves(&r->command) && t && t->moves && !t->due_ms &&
        same(&t->c, &r->command) && now.mono_ms - t->sent_ms < RESEND_MS) {
        t->until_ms = now.mono_ms + p->cfg.ptz_hold_ms;
        *id = t->command;
        arm(p, m);
        return 0;
    }
    return send(p, r->device, r->channel, &r->command, r->name, id);
}

/* What moves, and else whatever it does: a stop never hurts. */
int platform_ptz_stop(struct platform *p, struct slice device,
                      struct slice channel, struct gb_time now, uint64_t *id)
{
    struct mover *m = mover_find(p, device, channel);
    bool lens = m && m->of[PTZ_LENS].moves;
    bool move = !lens || m->of[PTZ_MOVE].moves;
    int err = 0;

    clock_at(p, now);
    for (unsigned k = 0; m && k < PTZ_KINDS; k++)
        m->of[k].until_ms = now.mono_ms; /* at once, if it fails now */
    if (m)
        arm(p, m);
    if (lens)
        err = send_stop(p, device, channel, PTZ_LENS, id);
    if (move && !err)
        err = send_stop(p, device, channel, PTZ_MOVE, id);
    return err;
}
