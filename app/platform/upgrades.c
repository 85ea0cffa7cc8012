#include "app/platform/upgrades.h"

#include "app/platform/core.h"
#include "base/writer.h"
#include "manscdp/control.h"
#include "manscdp/media.h"

#define EVIDENCE_MAX 160

struct upgrade {
    struct list node, dirty;
    struct timerq_node timer;
    char session[PLATFORM_UPGRADE_SESSION_MAX + 1];
    char device[PLATFORM_ID_MAX], target[PLATFORM_ID_MAX];
    char file[PLATFORM_UPGRADE_FILE_MAX + 1];
    char version[PLATFORM_UPGRADE_TEXT_MAX + 1]; /* asked for */
    char runs[PLATFORM_UPGRADE_TEXT_MAX + 1];    /* as it says */
    enum platform_upgrade_state state;
    uint64_t number;  /* rises */
    uint64_t command; /* 0: of before a restart */
    uint64_t fetched_bytes;
    unsigned fetches;
    int64_t asked_utc_ms, fetched_utc_ms, ended_utc_ms;
    char evidence[EVIDENCE_MAX];
};

const char *platform_upgrade_state_name(enum platform_upgrade_state s)
{
    static const char *const names[] = {
#define X(id, name) name,
        PLATFORM_UPGRADE_STATE_MAP(X)
#undef X
    };

    return names[s];
}

enum platform_upgrade_state platform_upgrade_state_by_name(struct slice name)
{
    unsigned i = 0;

    while (i < PLATFORM_UPGRADE_STATES &&
           !slice_eq(name, slice_str(platform_upgrade_state_name(i))))
        i++;
    return (enum platform_upgrade_state)i;
}

static bool is_open(const struct upgrade *u)
{
    return u->state == PLATFORM_UPGRADE_SENT ||
           u->state == PLATFORM_UPGRADE_FETCHED;
}

/* ---- the list ------------------------------------------------------------ */

void upgrades_init(struct upgrades *u)
{
    list_init(&u->all);
    list_init(&u->dirty);
}

static void forget(struct platform *p, struct upgrade *u)
{
    timerq_stop(&p->timers, &u->timer);
    list_remove(&u->node);
    list_remove(&u->dirty);
    p->upgrades.n--;
    gb_put(p->alloc, u);
}

void upgrades_fini(struct platform *p)
{
    while (!list_is_empty(&p->upgrades.all))
        forget(p, container_of(p->upgrades.all.next, struct upgrade, node));
}

/* The oldest that is over makes room. */
static bool make_room(struct platform *p)
{
    struct list *n = p->upgrades.all.prev;

    if (p->upgrades.n < PLATFORM_UPGRADES_MAX)
        return true;
    for (; n != &p->upgrades.all; n = n->prev) {
        struct upgrade *u = container_of(n, struct upgrade, node);

        if (is_open(u))
            continue;
        forget(p, u);
        return true;
    }
    return false;
}

static struct upgrade *find(const struct platform *p, struct slice session)
{
    for (struct list *n = p->upgrades.all.next; n != &p->upgrades.all;
         n = n->next) {
        struct upgrade *u = container_of(n, struct upgrade, node);

        if (slice_ieq(slice_str(u->session), session))
            return u;
    }
    return NULL;
}

static struct upgrade *upgrade_new(struct platform *p)
{
    struct upgrade *u = make_room(p) ? gb_get(p->alloc, sizeof(*u)) : NULL;

    if (!u)
        return NULL;
    list_init(&u->dirty);
    timerq_node_init(&u->timer, TIMER_UPGRADE);
    list_push_front(&p->upgrades.all, &u->node);
    u->number = ++p->upgrades.numbered;
    p->upgrades.n++;
    return u;
}

static void changed(struct platform *p, struct upgrade *u)
{
    if (list_is_empty(&u->dirty))
        list_push_back(&p->upgrades.dirty, &u->dirty);
}

bool upgrades_news(struct platform *p, struct platform_action *out)
{
    struct list *n = list_pop_front(&p->upgrades.dirty);
    struct upgrade *u;

    if (!n)
        return false;
    u = container_of(n, struct upgrade, dirty);
    out->kind = PLATFORM_UPGRADE_CHANGED;
    out->device = slice_str(u->device);
    out->text = slice_str(u->session);
    return true;
}

/* ---- life ---------------------------------------------------------------- */

static void explain(struct upgrade *u, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
static void explain(struct upgrade *u, const char *fmt, ...)
{
    struct writer w = writer_of(u->evidence, sizeof(u->evidence) - 1);
    va_list ap;

    va_start(ap, fmt);
    writer_vf(&w, fmt, ap);
    va_end(ap);
    u->evidence[w.len] = '\0';
}

static void set_state(struct platform *p, struct upgrade *u,
                      enum platform_upgrade_state s)
{
    u->state = s;
    u->ended_utc_ms = is_open(u) ? 0 : p->now.utc_ms;
    timerq_set(&p->timers, &u->timer,
               is_open(u) ? p->now.mono_ms + UPGRADE_SILENT_MS : GB_NEVER);
    changed(p, u);
}

void upgrade_on_timer(struct platform *p, struct timerq_node *timer)
{
    struct upgrade *u = container_of(timer, struct upgrade, timer);

    if (u->state == PLATFORM_UPGRADE_FETCHED)
        explain(u, "it fetched the file, but says nothing of how it went");
    else if (!u->evidence[0])
        explain(u, "it has neither fetched the file nor said anything");
    set_state(p, u, PLATFORM_UPGRADE_SILENT);
}

/* What becomes of the order itself. */
void upgrades_on_command(struct platform *p, uint64_t command)
{
    struct platform_command c;

    for (struct list *n = p->upgrades.all.next; n != &p->upgrades.all;
         n = n->next) {
        struct upgrade *u = container_of(n, struct upgrade, node);

        if (u->command != command || !is_open(u) ||
            !platform_command_view(p, command, &c))
            continue;
        if (c.state == PLATFORM_COMMAND_REFUSED) {
            explain(u, "the order was refused: %.*s", SLICE_ARG(c.evidence));
            set_state(p, u, PLATFORM_UPGRADE_FAILED);
        } else if (c.state == PLATFORM_COMMAND_SILENT && !u->evidence[0]) {
            explain(u, "the order: %.*s", SLICE_ARG(c.evidence));
            changed(p, u); /* it may fetch the file all the same */
        }
        return;
    }
}

static const char *reason_text(struct slice code)
{
    uint32_t n = 99;

    slice_u32(code, 99, &n);
    return n == 1   ? "the download timed out"
           : n == 2 ? "the package is damaged"
           : n == 3 ? "a fault of the system"
                    : "for another reason";
}

void upgrades_on_result(struct platform *p, struct device *d,
                        const struct manscdp_msg *msg)
{
    struct manscdp_upgrade_result r;
    struct upgrade *u;
    bool late;

    if (manscdp_upgrade_result_decode(&r, msg))
        return;
    u = find(p, r.session);
    if (!u || !slice_eq(slice_str(u->device), device_id(d))) {
        device_deviation(p, d, DEVIATION_UNSOLICITED, msg->cmd_name);
        return;
    }
    if (!is_open(u) && u->state != PLATFORM_UPGRADE_SILENT)
        return; /* a repeat */
    late = u->state == PLATFORM_UPGRADE_SILENT;
    slice_copy(u->runs, sizeof(u->runs), manscdp_text_cut(r.firmware,
                                                  PLATFORM_UPGRADE_TEXT_MAX));
    if (r.result == MANSCDP_ERROR) {
        explain(u, "the device says: %s (%.*s)%s", reason_text(r.reason),
                SLICE_ARG(slice_head(r.reason, 8)), late ? ", late" : "");
        set_state(p, u, PLATFORM_UPGRADE_FAILED);
    } else {
        explain(u, "%s", late ? "it said so late" : "");
        set_state(p, u, PLATFORM_UPGRADE_SUCCEEDED);
    }
}

void platform_upgrade_fetched(struct platform *p, struct slice session,
                              uint64_t bytes, bool whole, struct gb_time now)
{
    struct upgrade *u = find(p, session);

    clock_at(p, now);
    if (!u)
        return;
    u->fetches++;
    u->fetched_bytes += bytes;
    if (whole && is_open(u)) {
        u->fetched_utc_ms = now.utc_ms;
        u->evidence[0] = '\0';
        set_state(p, u, PLATFORM_UPGRADE_FETCHED);
    } else {
        changed(p, u);
    }
}

bool platform_upgrade_may_fetch(const struct platform *p, struct slice session,
                                struct slice *file)
{
    const struct upgrade *u = find(p, session);

    if (!u || !is_open(u))
        return false;
    *file = slice_str(u->file);
    return true;
}

/* ---- orders -------------------------------------------------------------- */

static int encode(void *ctx, struct writer *w, const struct manscdp_dialect *d,
                  uint32_t sn, struct slice target)
{
    const struct platform_upgrade_order *o = ctx;
    struct manscdp_upgrade part = { .firmware = o->version, .url = o->url,
                                    .manufacturer = o->manufacturer,
                                    .session = o->session };
    struct manscdp_control_upgrade body = { .head = { .sn = sn,
                                                      .device_id = target },
                                            .upgrade = &part };

    return manscdp_control_upgrade_encode(w, d, &body);
}

static bool fits(struct slice s, size_t max)
{
    return s.n > 0 && s.n <= max;
}

static void fill(struct upgrade *u, const struct device *d,
                 const struct platform_upgrade_order *o)
{
    slice_copy(u->session, sizeof(u->session), o->session);
    slice_copy(u->device, sizeof(u->device), device_id(d));
    slice_copy(u->target, sizeof(u->target),
               o->target.n ? o->target : device_id(d));
    slice_copy(u->file, sizeof(u->file), o->file);
    slice_copy(u->version, sizeof(u->version), o->version);
}

int platform_upgrade_start(struct platform *p,
                           const struct platform_upgrade_order *o,
                           struct gb_time now)
{
    struct device *d = device_find(p, o->device);
    const struct command_order order = {
        .target = o->target, .encode = encode, .ctx = (void *)(uintptr_t)o,
        .row = manscdp_row_find(MANSCDP_CONTROL, MANSCDP_CMD_DEVICE_CONTROL,
                                SLICE("DeviceUpgrade")),
    };
    struct upgrade *u;
    int err;

    clock_at(p, now);
    if (!d)
        return GB_ENOENT;
    if (!fits(o->session, PLATFORM_UPGRADE_SESSION_MAX) ||
        !fits(o->file, PLATFORM_UPGRADE_FILE_MAX) ||
        !fits(o->version, PLATFORM_UPGRADE_TEXT_MAX) ||
        !fits(o->manufacturer, PLATFORM_UPGRADE_TEXT_MAX) ||
        (o->target.n && !manscdp_devid_is_usable(o->target)) ||
        find(p, o->session))
        return GB_ESYNTAX;
    if (d->edition != MANSCDP_2022)
        return GB_EUNSUPPORTED;
    if (!d->online)
        return GB_ESTATE;
    u = upgrade_new(p);
    if (!u)
        return p->upgrades.n >= PLATFORM_UPGRADES_MAX ? GB_ELIMIT : GB_ENOMEM;
    fill(u, d, o);
    err = command_start(p, d, &order, &u->command);
    if (err) {
        forget(p, u);
        return err;
    }
    u->asked_utc_ms = now.utc_ms;
    set_state(p, u, PLATFORM_UPGRADE_SENT);
    return 0;
}

/* ---- views --------------------------------------------------------------- */

static void view(const struct upgrade *u, struct platform_upgrade *out)
{
    *out = (struct platform_upgrade){
        .number = u->number,
        .session = slice_str(u->session),
        .device = slice_str(u->device),
        .target = slice_str(u->target),
        .file = slice_str(u->file),
        .version = slice_str(u->version),
        .runs = slice_str(u->runs),
        .state = u->state,
        .command = u->command,
        .fetches = u->fetches,
        .fetched_bytes = u->fetched_bytes,
        .asked_utc_ms = u->asked_utc_ms,
        .fetched_utc_ms = u->fetched_utc_ms,
        .ended_utc_ms = u->ended_utc_ms,
        .evidence = slice_str(u->evidence),
    };
}

bool platform_upgrade_view(const struct platform *p, struct slice session,
                           struct platform_upgrade *out)
{
    const struct upgrade *u = find(p, session);

    if (u)
        view(u, out);
    return u != NULL;
}

bool platform_upgrade_at(const struct platform *p, size_t i,
                         struct platform_upgrade *out)
{
    for (struct list *n = p->upgrades.all.next; n != &p->upgrades.all;
         n = n->next) {
        if (i-- > 0)
            continue;
        view(container_of(n, struct upgrade, node), out);
        return true;
    }
    return false;
}

int platform_restore_upgrade(struct platform *p,
                             const struct platform_upgrade *s,
                             struct gb_time now)
{
    struct upgrade *u;

    clock_at(p, now);
    if (s->state >= PLATFORM_UPGRADE_STATES ||
        !fits(s->session, PLATFORM_UPGRADE_SESSION_MAX) ||
        find(p, s->session))
        return GB_ESYNTAX;
    u = upgrade_new(p);
    if (!u)
        return GB_ENOMEM;
    slice_copy(u->session, sizeof(u->session), s->session);
    slice_copy(u->device, sizeof(u->device), s->device);
    slice_copy(u->target, sizeof(u->target), s->target);
    slice_copy(u->file, sizeof(u->file), s->file);
    slice_copy(u->version, sizeof(u->version), s->version);
    slice_copy(u->runs, sizeof(u->runs), s->runs);
    slice_copy(u->evidence, sizeof(u->evidence), s->evidence);
    u->asked_utc_ms = s->asked_utc_ms;
    u->fetched_utc_ms = s->fetched_utc_ms;
    u->fetched_bytes = s->fetched_bytes;
    u->fetches = s->fetches;
    set_state(p, u, s->state);
    u->ended_utc_ms = s->ended_utc_ms;
    list_remove(&u->dirty); /* the store knows it already */
    return 0;
}
