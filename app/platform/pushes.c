#include "app/platform/pushes.h"

#include "base/list.h"
#include "base/map.h"

/* A channel that has some: lists of channels ask for those of each. */
struct place {
    struct map_node node;
    struct list of; /* in_place of them */
    char name[2 * PLATFORM_ID_MAX + 2]; /* "device/channel" */
};

struct push {
    struct list node, in_place;
    struct place *place;
    uint64_t id;
    unsigned stream;
    enum pushes_state state;
    bool begun;        /* there is a connection, or an order for one */
    bool ordered;      /* what is to be done has been told */
    bool removed, news;
    uint32_t failures;
    uint64_t at_ms;    /* WAITING */
    uint64_t since_ms;
    int64_t since_utc_ms, next_utc_ms;
    uint64_t session;  /* held while it is not 0 */
    unsigned loop;
    uint64_t before, bytes; /* of earlier connections, of this one */
    char device[PLATFORM_ID_MAX + 1], channel[PLATFORM_ID_MAX + 1];
    char why[PUSHES_WHY_MAX];
    char failed[PUSHES_WHY_MAX]; /* its session: why */
    char url[PUSH_URL_MAX + PUSH_PASSWORD_MAX + 1];
};

struct pushes {
    const struct gb_alloc *alloc;
    struct platform *platform;
    struct list all;
    struct map places;
    size_t n;
    uint64_t last_id;
    bool tls;
};

static struct push *push_of(struct list *n)
{
    return container_of(n, struct push, node);
}

const char *pushes_state_name(enum pushes_state s)
{
    static const char *const name[] = { "waiting", "starting", "connecting",
                                        "live", "ending" };

    return name[s];
}

/* ---- places ------------------------------------------------------------------- */

static struct slice place_name(char buf[static 2 * PLATFORM_ID_MAX + 2],
                               struct slice device, struct slice channel)
{
    struct writer w = writer_of(buf, 2 * PLATFORM_ID_MAX + 1);

    writer_slice_put(&w, device);
    writer_char(&w, '/');
    writer_slice_put(&w, channel);
    return w.err ? slice_of(NULL, 0) : writer_slice(&w);
}

static struct place *place_find(const struct pushes *p, struct slice device,
                                struct slice channel)
{
    char buf[2 * PLATFORM_ID_MAX + 2];
    struct slice name = place_name(buf, device, channel);
    struct map_node *n = name.n ? map_find(&p->places, name) : NULL;

    return n ? container_of(n, struct place, node) : NULL;
}

/* Found or made; NULL: no memory. */
static struct place *place_take(struct pushes *p, struct slice device,
                                struct slice channel)
{
    struct place *at = place_find(p, device, channel);

    if (at)
        return at;
    at = gb_get(p->alloc, sizeof(*at));
    if (!at)
        return NULL;
    list_init(&at->of);
    map_insert(&p->places, &at->node, place_name(at->name, device, channel));
    return at;
}

static void place_leave(struct pushes *p, struct place *at)
{
    if (!list_is_empty(&at->of))
        return;
    map_remove(&p->places, &at->node);
    gb_put(p->alloc, at);
}

/* ---- states ------------------------------------------------------------------- */

static void enter(struct push *x, enum pushes_state state, struct gb_time now)
{
    x->state = state;
    x->since_ms = now.mono_ms;
    x->since_utc_ms = now.utc_ms;
    x->ordered = false;
    x->news = true;
}

static void release(struct pushes *p, struct push *x, struct gb_time now)
{
    if (x->session)
        platform_session_release(p->platform, x->session, now);
    x->session = 0;
}

static uint32_t back_off_ms(uint32_t failures)
{
    uint32_t ms = PUSHES_BACK_OFF_MS;

    while (--failures && ms < PUSHES_BACK_OFF_MAX_MS)
        ms *= 2;
    return ms < PUSHES_BACK_OFF_MAX_MS ? ms : PUSHES_BACK_OFF_MAX_MS;
}

static void wait(struct pushes *p, struct push *x, struct slice why,
                 struct gb_time now)
{
    uint32_t ms;

    if (x->state == PUSHES_LIVE && now.mono_ms - x->since_ms >= PUSHES_GOOD_MS)
        x->failures = 0;
    ms = back_off_ms(++x->failures);
    release(p, x, now);
    slice_copy(x->why, sizeof(x->why), why);
    x->at_ms = now.mono_ms + ms;
    x->next_utc_ms = now.utc_ms + ms;
    enter(x, PUSHES_WAITING, now);
}

static void drop(struct pushes *p, struct push *x)
{
    list_remove(&x->node);
    list_remove(&x->in_place);
    place_leave(p, x->place);
    p->n--;
    memset(x->url, 0, sizeof(x->url)); /* it may hold a password */
    gb_put(p->alloc, x);
}

/* It is not wanted any more; a connection ends first. */
static void end(struct pushes *p, struct push *x, struct gb_time now)
{
    x->removed = true;
    if (x->begun) {
        enter(x, PUSHES_ENDING, now);
        return;
    }
    release(p, x, now);
    drop(p, x);
}

/* ---- setting ------------------------------------------------------------------ */

static bool is_of(const struct push *x, struct slice device,
                  struct slice channel)
{
    return !x->removed &&
           (!device.n || slice_eq(slice_str(x->device), device)) &&
           (!channel.n || slice_eq(slice_str(x->channel), channel));
}

/* The one of this channel with that URL; what is written as "***" is any
 * password. */
static struct push *find(const struct pushes *p, const struct pushes_of *of,
                         struct slice url)
{
    for (struct list *n = p->all.next; n != &p->all; n = n->next) {
        struct push *x = push_of(n);
        char text[PUSH_URL_MAX + 4];
        struct writer w = writer_of(text, sizeof(text));

        if (!is_of(x, of->device, of->channel))
            continue;
        push_url_mask(&w, slice_str(x->url));
        if (slice_eq(slice_str(x->url), url) ||
            slice_eq(writer_slice(&w), url))
            return x;
    }
    return NULL;
}

static int check(const struct pushes *p, const struct pushes_of *of)
{
    size_t added = 0;

    if (of->device.n == 0 || of->device.n > PLATFORM_ID_MAX ||
        of->channel.n == 0 || of->channel.n > PLATFORM_ID_MAX ||
        of->stream > 1)
        return GB_ESYNTAX;
    if (of->n > PUSHES_OF_CHANNEL)
        return GB_ELIMIT;
    for (size_t i = 0; i < of->n; i++) {
        struct push_url u;
        int err = push_url_parse(&u, of->url[i]);

        if (err)
            return err;
        if (u.tls && !p->tls)
            return GB_EUNSUPPORTED;
        for (size_t k = 0; k < i; k++)
            if (slice_eq(of->url[i], of->url[k]))
                return GB_ESYNTAX;
        if (find(p, of, of->url[i]))
            continue;
        if (slice_eq(u.password, SLICE("***")))
            return GB_ESYNTAX;
        added++;
    }
    return p->n + added > PUSHES_MAX ? GB_ELIMIT : 0;
}

static struct push *make(struct pushes *p, const struct pushes_of *of,
                         struct slice url, struct gb_time now)
{
    struct push *x = gb_get(p->alloc, sizeof(*x));

    if (!x)
        return NULL;
    memset(x, 0, sizeof(*x));
    x->id = ++p->last_id;
    slice_copy(x->device, sizeof(x->device), of->device);
    slice_copy(x->channel, sizeof(x->channel), of->channel);
    slice_copy(x->url, sizeof(x->url), url);
    x->at_ms = now.mono_ms;
    x->next_utc_ms = now.utc_ms;
    enter(x, PUSHES_WAITING, now);
    return x;
}

static bool is_kept(const struct push *x, struct push *const *kept, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (kept[i] == x)
            return true;
    return false;
}

int pushes_set(struct pushes *p, const struct pushes_of *of,
               struct gb_time now)
{
    struct push *kept[PUSHES_OF_CHANNEL] = { 0 }, *fresh[PUSHES_OF_CHANNEL];
    struct list *n, *tmp;
    size_t n_fresh = 0;
    int err = check(p, of);
    struct place *at = err ? NULL : place_take(p, of->device, of->channel);

    if (!at)
        return err ? err : GB_ENOMEM;
    for (size_t i = 0; i < of->n; i++) {
        kept[i] = find(p, of, of->url[i]);
        if (kept[i] && kept[i]->stream == of->stream)
            continue;
        fresh[n_fresh] = make(p, of, kept[i] ? slice_str(kept[i]->url)
                                             : of->url[i], now);
        kept[i] = fresh[n_fresh];
        if (!kept[i]) {
            while (n_fresh)
                gb_put(p->alloc, fresh[--n_fresh]);
            place_leave(p, at);
            return GB_ENOMEM;
        }
        fresh[n_fresh++]->stream = of->stream;
    }
    for (size_t i = 0; i < n_fresh; i++) { /* before the place may go with others */
        list_push_back(&p->all, &fresh[i]->node);
        list_push_back(&at->of, &fresh[i]->in_place);
        fresh[i]->place = at;
        p->n++;
    }
    if (list_is_empty(&at->of)) { /* nothing was there, and nothing is */
        place_leave(p, at);
        return 0;
    }
    LIST_EACH(n, tmp, &p->all) {
        struct push *x = push_of(n);

        if (is_of(x, of->device, of->channel) && !is_kept(x, kept, of->n))
            end(p, x, now);
    }
    return 0;
}

void pushes_remove_device(struct pushes *p, struct slice device,
                          struct gb_time now)
{
    struct list *n, *tmp;

    LIST_EACH(n, tmp, &p->all) {
        if (device.n && is_of(push_of(n), device, slice_of(NULL, 0)))
            end(p, push_of(n), now);
    }
}

static void view(const struct push *x, struct push_view *out)
{
    *out = (struct push_view){
        .id = x->id,
        .device = slice_str(x->device),
        .channel = slice_str(x->channel),
        .stream = x->stream,
        .url = slice_str(x->url),
        .state = x->state,
        .why = x->why,
        .failures = x->failures,
        .bytes = x->before + x->bytes,
        .session = x->session,
        .since_utc_ms = x->since_utc_ms,
        .next_utc_ms = x->state == PUSHES_WAITING ? x->next_utc_ms : 0,
    };
}

bool pushes_next(const struct pushes *p, struct slice device,
                 struct slice channel, struct pushes_walk *w,
                 struct push_view *out)
{
    bool one = device.n && channel.n;
    const struct place *at = one ? place_find(p, device, channel) : NULL;
    const struct list *head = one ? (at ? &at->of : NULL) : &p->all;

    if (!head)
        return false;
    for (w->at = w->at ? w->at->next : head->next; w->at != head;
         w->at = w->at->next) {
        struct list *n = (struct list *)(uintptr_t)w->at;
        const struct push *x = one ? container_of(n, struct push, in_place)
                                   : push_of(n);

        if (!is_of(x, device, channel))
            continue;
        w->n++;
        view(x, out);
        return true;
    }
    return false;
}

/* ---- time ---------------------------------------------------------------------- */

static void start(struct pushes *p, struct push *x, struct gb_time now)
{
    const struct platform_live live = { .device = slice_str(x->device),
                                        .channel = slice_str(x->channel),
                                        .stream = x->stream };
    struct platform_session s;
    int err = platform_live_start(p->platform, &live, now, &s);

    if (err) {
        wait(p, x, s.evidence.n ? s.evidence : slice_str(gb_strerror(err)),
             now);
        return;
    }
    x->session = s.id;
    x->loop = s.loop;
    platform_session_hold(p->platform, x->session, now);
    x->failed[0] = '\0';
    enter(x, PUSHES_STARTING, now);
}

static void look(struct pushes *p, struct push *x, struct gb_time now)
{
    struct platform_session s;

    if (!platform_session_view(p->platform, x->session, &s)) {
        x->session = 0;
        wait(p, x, x->failed[0] ? slice_str(x->failed)
                                : SLICE("the live session has ended"), now);
    } else if (s.state == PLATFORM_PLAYING) {
        x->begun = true;
        enter(x, PUSHES_CONNECTING, now);
    } else if (s.state != PLATFORM_STARTING) {
        wait(p, x, s.evidence.n ? s.evidence
                                : SLICE("the live session was stopped"), now);
    }
}

void pushes_on_session(struct pushes *p, const struct platform_session *s)
{
    if (s->state != PLATFORM_FAILED || s->evidence.n == 0)
        return;
    for (struct list *n = p->all.next; n != &p->all; n = n->next)
        if (push_of(n)->session == s->id)
            slice_copy(push_of(n)->failed, PUSHES_WHY_MAX, s->evidence);
}

void pushes_tick(struct pushes *p, struct gb_time now)
{
    struct list *n, *tmp;

    LIST_EACH(n, tmp, &p->all) {
        struct push *x = push_of(n);

        if (x->state == PUSHES_WAITING && now.mono_ms >= x->at_ms)
            start(p, x, now);
        else if (x->state == PUSHES_STARTING)
            look(p, x, now);
    }
}

bool pushes_order(struct pushes *p, struct pushes_order *out)
{
    for (struct list *n = p->all.next; n != &p->all; n = n->next) {
        struct push *x = push_of(n);

        if (x->ordered ||
            (x->state != PUSHES_CONNECTING && x->state != PUSHES_ENDING))
            continue;
        x->ordered = true;
        *out = (struct pushes_order){ .begin = x->state == PUSHES_CONNECTING,
                                      .id = x->id,
                                      .session = x->session,
                                      .loop = x->loop,
                                      .url = slice_str(x->url) };
        return true;
    }
    return false;
}

static struct push *by_id(struct pushes *p, uint64_t id)
{
    for (struct list *n = p->all.next; n != &p->all; n = n->next)
        if (push_of(n)->id == id && push_of(n)->begun)
            return push_of(n);
    return NULL;
}

void pushes_told(struct pushes *p, uint64_t id, bool live, uint64_t bytes,
                 struct gb_time now)
{
    struct push *x = by_id(p, id);

    if (!x)
        return;
    x->bytes = bytes;
    if (!live || x->state != PUSHES_CONNECTING)
        return;
    enter(x, PUSHES_LIVE, now);
    x->why[0] = '\0';
}

void pushes_gone(struct pushes *p, uint64_t id, uint64_t bytes,
                 const char *why, struct gb_time now)
{
    struct push *x = by_id(p, id);

    if (!x)
        return;
    x->before += bytes;
    x->bytes = 0;
    x->begun = false;
    if (!x->removed) {
        wait(p, x, slice_str(why), now);
        return;
    }
    release(p, x, now);
    drop(p, x);
}

bool pushes_news(struct pushes *p, struct push_view *out)
{
    for (struct list *n = p->all.next; n != &p->all; n = n->next) {
        struct push *x = push_of(n);

        if (!x->news)
            continue;
        x->news = false;
        view(x, out);
        return true;
    }
    return false;
}

/* ---- life ---------------------------------------------------------------------- */

int pushes_new(struct pushes **out, const struct gb_alloc *alloc,
               struct platform *platform, bool tls)
{
    struct pushes *p = gb_get(alloc, sizeof(*p));

    if (!p)
        return GB_ENOMEM;
    *p = (struct pushes){ .alloc = alloc, .platform = platform, .tls = tls };
    list_init(&p->all);
    if (map_init(&p->places, alloc, NULL)) {
        gb_put(alloc, p);
        return GB_ENOMEM;
    }
    *out = p;
    return 0;
}

void pushes_free(struct pushes *p)
{
    if (!p)
        return;
    while (!list_is_empty(&p->all))
        drop(p, push_of(p->all.next));
    map_fini(&p->places);
    gb_put(p->alloc, p);
}
