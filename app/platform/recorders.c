#include "app/platform/recorders.h"

#include "base/idmap.h"
#include "base/list.h"
#include "base/map.h"

struct recorder_of {
    struct map_node node;
    struct list all, orders, news;
    uint64_t number;   /* rises in `all` */
    struct recorders_settings set;
    enum recorders_state state;
    bool removed;
    bool moved;        /* to another stream than the session's */
    bool begun;        /* RECORDING: a file is there */
    bool full;         /* the disk was, of this roll */
    uint32_t failures;
    uint64_t at_ms;    /* WAITING */
    uint64_t since_ms, alarm_until_ms;
    uint64_t asked_until_ms; /* recorders_record */
    uint64_t ended_ms; /* the last roll; 0: none yet */
    int64_t since_utc_ms, next_utc_ms;
    uint64_t session;  /* held while it is not 0 */
    unsigned loop;
    uint64_t roll;     /* 0: none */
    bool alarm, cached; /* of this roll */
    int64_t begin_utc_ms;
    uint64_t bytes, lost;
    uint8_t name_len, device_len;
    char name[2 * PLATFORM_ID_MAX + 2]; /* "device/channel" */
    char why[RECORDERS_WHY_MAX];
    char failed[RECORDERS_WHY_MAX]; /* its session, or its roll: why */
};

struct recorders {
    const struct gb_alloc *alloc;
    struct platform *platform;
    struct map by_name;
    struct idmap rolls;
    struct list all, orders, news;
    uint64_t numbered; /* the last one */
};

static struct recorder_of *of_node(struct map_node *n)
{
    return container_of(n, struct recorder_of, node);
}

const char *recorders_state_name(enum recorders_state s)
{
    static const char *const name[] = { "off", "waiting", "starting", "ready",
                                        "recording", "ending" };

    return name[s];
}

const char *recorders_mode_name(enum recorders_mode m)
{
    static const char *const name[] = {
#define X(id, text) text,
        RECORDERS_MODE_MAP(X)
#undef X
    };

    return name[m];
}

enum recorders_mode recorders_mode_by_name(struct slice name)
{
    unsigned i = 0;

    while (i < RECORDERS_MODES &&
           !slice_eq(name, slice_str(recorders_mode_name(i))))
        i++;
    return (enum recorders_mode)i;
}

static struct slice device_of(const struct recorder_of *x)
{
    return slice_of(x->name, x->device_len);
}

static struct slice channel_of(const struct recorder_of *x)
{
    return slice_from(slice_of(x->name, x->name_len), x->device_len + 1u);
}

/* ---- whether ------------------------------------------------------------------ */

static bool in_plan(const struct recorder_of *x, int zone_min, int64_t utc_ms)
{
    int64_t half_hours = (utc_ms / 1000 + zone_min * 60) / 1800;
    /* 1970 began on a Thursday */
    unsigned i = (unsigned)((half_hours + 3 * 48) % RECORDERS_PLAN_BITS);

    return x->set.plan[i / 8] >> i % 8 & 1;
}

static bool by_alarm(const struct recorder_of *x, struct gb_time now)
{
    return now.mono_ms < x->alarm_until_ms;
}

/* Wanted by anything but an alarm. */
static bool by_rule(const struct recorders *r, const struct recorder_of *x,
                    struct gb_time now)
{
    return x->set.hand || x->set.mode == RECORDERS_MODE_ALWAYS ||
           (x->set.mode == RECORDERS_MODE_PLAN &&
            in_plan(x, platform_timezone_min(r->platform), now.utc_ms));
}

static bool is_wanted(const struct recorders *r, const struct recorder_of *x,
                      struct gb_time now)
{
    return now.mono_ms < x->asked_until_ms ||
           (!x->removed && (by_rule(r, x, now) || by_alarm(x, now)));
}

/* The stream is, recorded or not. */
static bool is_held(const struct recorders *r, const struct recorder_of *x,
                    struct gb_time now)
{
    return is_wanted(r, x, now) ||
           (!x->removed && x->set.mode == RECORDERS_MODE_ALARM &&
            x->set.before);
}

/* ---- states -------------------------------------------------------------------- */

static void tell(struct recorders *r, struct recorder_of *x)
{
    if (list_is_empty(&x->news))
        list_push_back(&r->news, &x->news);
}

static void order(struct recorders *r, struct recorder_of *x)
{
    if (list_is_empty(&x->orders))
        list_push_back(&r->orders, &x->orders);
}

static void enter(struct recorders *r, struct recorder_of *x,
                  enum recorders_state state, struct gb_time now)
{
    x->state = state;
    x->since_ms = now.mono_ms;
    x->since_utc_ms = now.utc_ms;
    tell(r, x);
}

static void release(struct recorders *r, struct recorder_of *x,
                    struct gb_time now)
{
    if (x->session)
        platform_session_release(r->platform, x->session, now);
    x->session = 0;
}

static void drop(struct recorders *r, struct recorder_of *x)
{
    idmap_remove(&r->rolls, x->roll);
    map_remove(&r->by_name, &x->node);
    list_remove(&x->all);
    list_remove(&x->orders);
    list_remove(&x->news);
    gb_put(r->alloc, x);
}

static void turn_off(struct recorders *r, struct recorder_of *x,
                     struct gb_time now)
{
    release(r, x, now);
    x->failures = 0;
    x->why[0] = '\0';
    enter(r, x, RECORDERS_OFF, now);
}

static uint32_t back_off_ms(uint32_t failures)
{
    uint32_t ms = RECORDERS_BACK_OFF_MS;

    while (--failures && ms < RECORDERS_BACK_OFF_MAX_MS)
        ms *= 2;
    return ms < RECORDERS_BACK_OFF_MAX_MS ? ms : RECORDERS_BACK_OFF_MAX_MS;
}

static void wait(struct recorders *r, struct recorder_of *x, struct slice why,
                 struct gb_time now)
{
    uint32_t ms = back_off_ms(++x->failures);

    if (x->full)
        ms = RECORDERS_FULL_MS;
    x->full = false;
    release(r, x, now);
    slice_copy(x->why, sizeof(x->why), why);
    x->at_ms = now.mono_ms + ms;
    x->next_utc_ms = now.utc_ms + ms;
    enter(r, x, RECORDERS_WAITING, now);
}

static void start(struct recorders *r, struct recorder_of *x,
                  struct gb_time now)
{
    const struct platform_live live = { .device = device_of(x),
                                        .channel = channel_of(x),
                                        .stream = x->set.stream };
    struct platform_session s;
    int err = platform_live_start(r->platform, &live, now, &s);

    if (err) {
        wait(r, x, s.evidence.n ? s.evidence : slice_str(gb_strerror(err)),
             now);
        return;
    }
    x->session = s.id;
    x->loop = s.loop;
    platform_session_hold(r->platform, x->session, now);
    x->failed[0] = '\0';
    x->moved = false;
    enter(r, x, RECORDERS_STARTING, now);
}

static void roll(struct recorders *r, struct recorder_of *x,
                 struct gb_time now)
{
    int err = idmap_add(&r->rolls, x, &x->roll);

    if (err) {
        x->roll = 0;
        wait(r, x, slice_str(gb_strerror(err)), now);
        return;
    }
    x->alarm = !by_rule(r, x, now);
    x->cached = !x->ended_ms ||
                now.mono_ms - x->ended_ms > RECORDERS_APART_MS;
    x->begun = false;
    x->begin_utc_ms = 0;
    x->bytes = x->lost = 0;
    enter(r, x, RECORDERS_RECORDING, now);
    order(r, x);
}

static void end_roll(struct recorders *r, struct recorder_of *x,
                     struct gb_time now)
{
    if (list_is_empty(&x->orders)) {
        enter(r, x, RECORDERS_ENDING, now);
        order(r, x);
        return;
    }
    list_remove(&x->orders); /* it was not begun yet */
    idmap_remove(&r->rolls, x->roll);
    x->roll = 0;
    turn_off(r, x, now);
}

/* STARTING, READY: there may be something to record, or no session any more. */
static void look(struct recorders *r, struct recorder_of *x,
                 struct gb_time now)
{
    struct platform_session s;

    if (!platform_session_view(r->platform, x->session, &s)) {
        x->session = 0;
        wait(r, x, x->failed[0] ? slice_str(x->failed)
                                : SLICE("the live session has ended"), now);
    } else if (s.state == PLATFORM_PLAYING) {
        if (is_wanted(r, x, now))
            roll(r, x, now);
        else if (x->state != RECORDERS_READY)
            enter(r, x, RECORDERS_READY, now);
    } else if (s.state != PLATFORM_STARTING) {
        wait(r, x, s.evidence.n ? s.evidence
                                : SLICE("the live session was stopped"), now);
    }
}

static void turn(struct recorders *r, struct recorder_of *x,
                 struct gb_time now)
{
    bool held = is_held(r, x, now);

    switch (x->state) {
    case RECORDERS_OFF:
        if (held)
            start(r, x, now);
        break;
    case RECORDERS_WAITING:
        if (!held)
            turn_off(r, x, now);
        else if (now.mono_ms >= x->at_ms)
            start(r, x, now);
        break;
    case RECORDERS_STARTING:
    case RECORDERS_READY:
        if (held)
            look(r, x, now);
        else
            turn_off(r, x, now);
        break;
    case RECORDERS_RECORDING:
        if (x->begun && x->failures &&
            now.mono_ms - x->since_ms >= RECORDERS_GOOD_MS)
            x->failures = 0;
        if (!is_wanted(r, x, now))
            end_roll(r, x, now);
        break;
    case RECORDERS_ENDING: /* until its roll is over */
        break;
    }
}

void recorders_tick(struct recorders *r, struct gb_time now)
{
    struct list *n, *tmp;

    LIST_EACH(n, tmp, &r->all) {
        struct recorder_of *x = container_of(n, struct recorder_of, all);

        turn(r, x, now);
        if (x->removed && x->state == RECORDERS_OFF &&
            now.mono_ms >= x->asked_until_ms)
            drop(r, x);
    }
}

void recorders_on_session(struct recorders *r,
                          const struct platform_session *s)
{
    if (s->state != PLATFORM_FAILED || s->evidence.n == 0)
        return;
    for (struct list *n = r->all.next; n != &r->all; n = n->next) {
        struct recorder_of *x = container_of(n, struct recorder_of, all);

        if (x->session == s->id)
            slice_copy(x->failed, sizeof(x->failed), s->evidence);
    }
}

void recorders_on_alarm(struct recorders *r, struct slice device,
                        struct slice channel, struct gb_time now)
{
    struct platform_channel c;
    bool one = platform_channel_view(r->platform, device, channel, &c);

    for (struct list *n = r->all.next; n != &r->all; n = n->next) {
        struct recorder_of *x = container_of(n, struct recorder_of, all);

        if (!slice_eq(device_of(x), device) || x->set.alarm_s == 0 ||
            (one && !slice_eq(channel_of(x), channel)) ||
            (x->set.mode != RECORDERS_MODE_ALARM &&
             x->set.mode != RECORDERS_MODE_PLAN))
            continue;
        x->alarm_until_ms = now.mono_ms + x->set.alarm_s * 1000ull;
        tell(r, x);
    }
}

/* ---- rolls ---------------------------------------------------------------------- */

bool recorders_order(struct recorders *r, struct recorders_order *out)
{
    struct recorder_of *x;

    if (list_is_empty(&r->orders))
        return false;
    x = container_of(r->orders.next, struct recorder_of, orders);
    list_remove(&x->orders);
    *out = (struct recorders_order){
        .begin = x->state == RECORDERS_RECORDING, .roll = x->roll,
        .session = x->session, .loop = x->loop, .device = device_of(x),
        .channel = channel_of(x), .cached = x->cached,
    };
    return true;
}

static void over(struct recorders *r, struct recorder_of *x,
                 const struct recorders_told *t, struct gb_time now)
{
    bool wanted = x->state == RECORDERS_RECORDING;

    list_remove(&x->orders);
    idmap_remove(&r->rolls, x->roll);
    x->roll = 0;
    x->begun = false;
    x->begin_utc_ms = 0;
    x->ended_ms = now.mono_ms;
    if (wanted)
        wait(r, x, x->failed[0] ? slice_str(x->failed)
                   : t->why && *t->why
                       ? slice_str(t->why)
                       : SLICE("the live session has ended"), now);
    else if (is_held(r, x, now) && !x->moved)
        enter(r, x, RECORDERS_READY, now); /* the next turn looks */
    else
        turn_off(r, x, now);
}

bool recorders_told(struct recorders *r, const struct recorders_told *t,
                    struct gb_time now, struct slice *device,
                    struct slice *channel)
{
    struct recorder_of *x = idmap_find(&r->rolls, t->roll);

    if (!x)
        return false;
    *device = device_of(x);
    *channel = channel_of(x);
    x->lost = t->lost;
    switch (t->event) {
    case RECORDERS_TOLD_BEGUN:
        if (!x->begun)
            tell(r, x);
        x->begun = true;
        x->why[0] = '\0';
        x->begin_utc_ms = t->begin_utc_ms;
        x->bytes = 0;
        break;
    case RECORDERS_TOLD_GROWN:
        x->bytes = t->bytes;
        break;
    case RECORDERS_TOLD_FAILED:
        x->full = t->full;
        slice_copy(x->failed, sizeof(x->failed),
                   slice_str(t->why ? t->why : ""));
        break;
    case RECORDERS_TOLD_OVER:
        over(r, x, t, now);
        break;
    }
    return true;
}

/* ---- setting -------------------------------------------------------------------- */

static struct recorder_of *find(const struct recorders *r, struct slice device,
                                struct slice channel)
{
    char buf[2 * PLATFORM_ID_MAX + 2];
    struct writer w = writer_of(buf, sizeof(buf));
    struct map_node *n;

    writer_slice_put(&w, device);
    writer_char(&w, '/');
    writer_slice_put(&w, channel);
    n = w.err ? NULL : map_find(&r->by_name, writer_slice(&w));
    return n ? of_node(n) : NULL;
}

static struct recorder_of *add(struct recorders *r, struct slice device,
                               struct slice channel)
{
    struct recorder_of *x = gb_get(r->alloc, sizeof(*x));
    struct writer w;

    if (!x)
        return NULL;
    w = writer_of(x->name, sizeof(x->name));
    writer_slice_put(&w, device);
    writer_char(&w, '/');
    writer_slice_put(&w, channel);
    x->device_len = (uint8_t)device.n;
    x->name_len = (uint8_t)w.len;
    list_init(&x->orders);
    list_init(&x->news);
    x->number = ++r->numbered;
    list_push_back(&r->all, &x->all);
    map_insert(&r->by_name, &x->node, writer_slice(&w));
    return x;
}

static bool is_idle(const struct recorders_settings *s)
{
    return s->mode == RECORDERS_MODE_OFF && !s->hand;
}

static bool is_place(struct slice device, struct slice channel)
{
    return device.n && device.n <= PLATFORM_ID_MAX && channel.n &&
           channel.n <= PLATFORM_ID_MAX;
}

/* Found or made; an error is in *err. */
static struct recorder_of *place(struct recorders *r, struct slice device,
                                 struct slice channel, struct gb_time now,
                                 int *err)
{
    struct recorder_of *x = find(r, device, channel);

    *err = 0;
    if (x)
        return x;
    if (r->by_name.n >= RECORDERS_MAX) {
        *err = GB_ELIMIT;
        return NULL;
    }
    x = add(r, device, channel);
    if (x)
        enter(r, x, RECORDERS_OFF, now);
    else
        *err = GB_ENOMEM;
    return x;
}

int recorders_record(struct recorders *r, struct slice device,
                     struct slice channel, uint32_t seconds,
                     struct gb_time now)
{
    uint64_t until_ms = now.mono_ms + seconds * 1000ull;
    bool is_new = !find(r, device, channel);
    struct recorder_of *x;
    int err;

    if (!is_place(device, channel) || seconds == 0 ||
        seconds > RECORDERS_ALARM_MAX_S)
        return GB_ESYNTAX;
    x = place(r, device, channel, now, &err);
    if (!x)
        return err;
    x->removed |= is_new; /* nothing is set: it goes when this is over */
    if (until_ms > x->asked_until_ms)
        x->asked_until_ms = until_ms;
    tell(r, x);
    return 0;
}

int recorders_set(struct recorders *r, struct slice device,
                  struct slice channel, const struct recorders_settings *s,
                  struct gb_time now)
{
    struct recorder_of *x;
    bool moved;
    int err;

    if (!is_place(device, channel) || s->stream > 1 ||
        s->mode >= RECORDERS_MODES || s->alarm_s > RECORDERS_ALARM_MAX_S)
        return GB_ESYNTAX;
    if (!find(r, device, channel) && is_idle(s))
        return 0;
    x = place(r, device, channel, now, &err);
    if (!x)
        return err;
    moved = x->set.stream != s->stream;
    x->set = *s;
    x->removed = is_idle(s);
    if (x->removed || s->alarm_s == 0 || s->mode == RECORDERS_MODE_OFF ||
        s->mode == RECORDERS_MODE_ALWAYS)
        x->alarm_until_ms = 0;
    if (moved && (x->state == RECORDERS_STARTING ||
                  x->state == RECORDERS_READY))
        turn_off(r, x, now);
    x->moved |= moved;
    if (moved && x->state == RECORDERS_RECORDING)
        end_roll(r, x, now);
    if (x->state == RECORDERS_WAITING) /* somebody tries something */
        x->at_ms = now.mono_ms;
    return 0;
}

void recorders_get(const struct recorders *r, struct slice device,
                   struct slice channel, struct recorders_settings *out)
{
    const struct recorder_of *x = find(r, device, channel);

    *out = (struct recorders_settings){ 0 };
    if (x)
        *out = x->set;
}

void recorders_remove_device(struct recorders *r, struct slice device,
                             struct gb_time now)
{
    static const struct recorders_settings off = { 0 };

    for (struct list *n = r->all.next; n != &r->all; n = n->next) {
        struct recorder_of *x = container_of(n, struct recorder_of, all);

        if (!slice_eq(device_of(x), device))
            continue;
        x->asked_until_ms = 0;
        recorders_set(r, device, channel_of(x), &off, now);
    }
}

static enum recorders_state shown(const struct recorder_of *x)
{
    return x->state == RECORDERS_RECORDING && !x->begun ? RECORDERS_STARTING
                                                        : x->state;
}

static void view(const struct recorder_of *x, struct recorder_view *out)
{
    *out = (struct recorder_view){
        .number = x->number,
        .device = device_of(x), .channel = channel_of(x), .set = x->set,
        .state = shown(x),
        .alarm = x->alarm && x->roll,
        .why = x->why, .failures = x->failures, .session = x->session,
        .begin_utc_ms = x->begin_utc_ms, .bytes = x->bytes, .lost = x->lost,
        .since_utc_ms = x->since_utc_ms,
        .next_utc_ms = x->state == RECORDERS_WAITING ? x->next_utc_ms : 0,
    };
}

bool recorders_view(const struct recorders *r, struct slice device,
                    struct slice channel, struct recorder_view *out)
{
    const struct recorder_of *x = find(r, device, channel);

    if (x)
        view(x, out);
    else
        *out = (struct recorder_view){ .device = device, .channel = channel,
                                       .why = "" };
    return x != NULL;
}

bool recorders_next(const struct recorders *r, struct recorders_walk *w,
                    struct recorder_view *out)
{
    w->at = w->at ? w->at->next : r->all.next;
    if (w->at == &r->all)
        return false;
    view(container_of(w->at, struct recorder_of, all), out);
    return true;
}

bool recorders_news(struct recorders *r, struct recorder_view *out)
{
    struct recorder_of *x;

    if (list_is_empty(&r->news))
        return false;
    x = container_of(r->news.next, struct recorder_of, news);
    list_remove(&x->news);
    view(x, out);
    return true;
}

/* ---- life ----------------------------------------------------------------------- */

int recorders_new(struct recorders **out, const struct gb_alloc *alloc,
                  struct platform *platform)
{
    struct recorders *r = gb_get(alloc, sizeof(*r));

    if (!r)
        return GB_ENOMEM;
    *r = (struct recorders){ .alloc = alloc, .platform = platform };
    list_init(&r->all);
    list_init(&r->orders);
    list_init(&r->news);
    idmap_init(&r->rolls, alloc, RECORDERS_MAX);
    if (map_init(&r->by_name, alloc, NULL)) {
        gb_put(alloc, r);
        return GB_ENOMEM;
    }
    *out = r;
    return 0;
}

void recorders_free(struct recorders *r)
{
    if (!r)
        return;
    while (!list_is_empty(&r->all))
        drop(r, container_of(r->all.next, struct recorder_of, all));
    map_fini(&r->by_name);
    idmap_fini(&r->rolls);
    gb_put(r->alloc, r);
}
