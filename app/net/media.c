#include "app/net/media_int.h"

#include "app/net/random.h"

#include <stdlib.h>

/* ---- mail ------------------------------------------------------------------ */

struct event_mail {
    struct mail mail;
    struct media_net *net;
    struct platform_media_event ev;
    char text[MEDIA_TEXT_MAX];
};

static void drop_event(struct event_mail *e)
{
    kept_sets_unref(e->ev.sets);
    reserve_put(&e->net->events, e);
}

static void deliver_event(struct mail *m)
{
    struct event_mail *e = container_of(m, struct event_mail, mail);

    e->ev.text = e->text[0] ? e->text : NULL;
    e->net->o.on_event(e->net->o.ctx, &e->ev);
    drop_event(e);
}

/* May this one be lost? The next ALIVE says more, and a peer can connect as often
 * as it likes: all others come once for an open port. */
static bool is_expendable(enum platform_media_kind kind)
{
    return kind == PLATFORM_MEDIA_ALIVE || kind == PLATFORM_MEDIA_CONNECTED ||
           kind == PLATFORM_MEDIA_WANT_KEY || kind == PLATFORM_MEDIA_AFTER;
}

void media_net_event(struct media_net *n, const struct platform_media_event *ev)
{
    bool may_be_lost = is_expendable(ev->kind);
    struct event_mail *e = may_be_lost ? calloc(1, sizeof(*e))
                                       : reserve_get(&n->events);

    if (!e)
        return;
    e->mail.deliver = deliver_event;
    e->net = n;
    e->ev = *ev;
    kept_sets_ref(e->ev.sets);
    if (ev->text)
        slice_copy(e->text, sizeof(e->text), slice_str(ev->text));
    if (!mailbox_send(&n->main_box, &e->mail, !may_be_lost))
        drop_event(e);
}

/* ---- time ------------------------------------------------------------------------ */

/* What has time. */
static void tick_slowly(struct media_stream *s, uint64_t now_ms)
{
    struct receiver_counters c;

    ingest_tick(s->ingest, now_ms);
    media_share_waits(s, now_ms);
    if (now_ms < s->alive_ms)
        return;
    s->alive_ms = now_ms + MEDIA_ALIVE_MS;
    ingest_counters(s->ingest, &c);
    if (c.packets != s->said_packets || c.foreign || s->speaker || s->history ||
        (s->shared && s->waits))
        media_stream_say(s, PLATFORM_MEDIA_ALIVE, 0, NULL);
}

static void tick_stream(struct media_stream *s, uint64_t now_ms, bool slow)
{
    if (hub_deadline(s->hub) <= now_ms)
        hub_tick(s->hub, now_ms);
    media_hls_tick(&s->hls, s->hub, now_ms);
    if (s->ingest && slow)
        tick_slowly(s, now_ms);
    else if (s->ingest)
        ingest_tick_packets(s->ingest, now_ms);
}

/* The deadlines that the tick is too coarse for. */
void media_loop_on_soon(uv_timer_t *t)
{
    struct media_loop *l = t->data;
    uint64_t now_ms = uv_now(&l->uv), next_ms = GB_NEVER;

    for (struct list *n = l->streams.next; n != &l->streams; n = n->next) {
        struct hub *h = container_of(n, struct media_stream, in_loop)->hub;

        if (hub_deadline(h) <= now_ms)
            hub_tick(h, now_ms);
        if (hub_deadline(h) < next_ms)
            next_ms = hub_deadline(h);
    }
    if (next_ms < now_ms + MEDIA_TICK_MS)
        media_loop_tick_by(l, next_ms);
}

/* For media_net_counters. */
static void publish(struct media_loop *l)
{
    struct receiver_counters sum = l->gone;
    unsigned viewers = 0, live = 0;

    for (struct list *n = l->streams.next; n != &l->streams; n = n->next) {
        struct media_stream *s = container_of(n, struct media_stream, in_loop);
        struct receiver_counters c = { 0 };

        for (struct list *k = s->clients.next; k != &s->clients; k = k->next)
            viewers++;
        if (s->ingest) {
            live++;
            ingest_counters(s->ingest, &c);
        }
        sum.packets += c.packets;
        sum.bytes += c.bytes;
        sum.lost += c.lost;
        sum.foreign += c.foreign;
        sum.invalid += c.invalid;
        sum.kernel_drops += c.kernel_drops;
    }
    if (l->shared)
        sum.kernel_drops += shared_kernel_drops(l->shared);
    atomic_store(&l->packets, sum.packets);
    atomic_store(&l->bytes, sum.bytes);
    atomic_store(&l->lost, sum.lost);
    atomic_store(&l->foreign, sum.foreign);
    atomic_store(&l->invalid, sum.invalid);
    atomic_store(&l->kernel_drops, sum.kernel_drops);
    atomic_store(&l->n_viewers, viewers);
    atomic_store(&l->n_live, live);
}

void media_loop_on_tick(uv_timer_t *t)
{
    struct media_loop *l = t->data;
    uint64_t now_ms = uv_now(&l->uv);
    bool slow = now_ms >= l->slow_ms;
    struct list *n, *tmp;

    LIST_EACH(n, tmp, &l->streams) {
        struct media_stream *s = container_of(n, struct media_stream, in_loop);

        tick_stream(s, now_ms, slow);
        media_stream_try_free(s);
    }
    if (l->shared)
        shared_tick(l->shared, now_ms);
    if (slow || l->n_streams == 0)
        publish(l);
    if (slow)
        l->slow_ms = now_ms + MEDIA_SLOW_MS;
    if (l->n_streams == 0)
        uv_timer_stop(&l->tick);
}

/* ---- life of loops ------------------------------------------------------------------- */

struct ended_mail {
    struct mail mail;
    struct media_net *net;
};

static void on_main_box_closed(void *ctx)
{
    struct media_net *n = ctx;
    void (*done)(void *) = n->on_closed;
    void *done_ctx = n->closed_ctx;

    owners_free(n->owners);
    rooms_free(n->rooms);
    reserve_fini(&n->orders);
    reserve_fini(&n->events);
    free(n);
    if (done)
        done(done_ctx);
}

static void deliver_ended(struct mail *m)
{
    struct ended_mail *e = container_of(m, struct ended_mail, mail);
    struct media_net *n = e->net;

    free(e);
    if (++n->ended < n->n_loops)
        return;
    for (unsigned i = 0; i < n->n_loops; i++)
        uv_thread_join(&n->loop[i].thread);
    mailbox_close(&n->main_box, on_main_box_closed, n);
}

/* The last stream is gone: let the loop run out of handles. */
void media_loop_maybe_stop(struct media_loop *l)
{
    if (!l->stopping || l->n_streams || uv_is_closing((uv_handle_t *)&l->tick))
        return;
    uv_close((uv_handle_t *)&l->tick, NULL);
    uv_close((uv_handle_t *)&l->soon, NULL);
    pace_close(&l->pace);
    speakers_close(&l->speakers);
    mailbox_close(&l->box, NULL, NULL);
}

static void run_loop(void *arg)
{
    struct media_loop *l = arg;
    struct ended_mail *e = calloc(1, sizeof(*e));

    uv_run(&l->uv, UV_RUN_DEFAULT);
    ingest_pool_fini(&l->pool);
    map_fini(&l->by_session);
    uv_loop_close(&l->uv);
    if (!e)
        abort(); /* 40 bytes at the start of the thread: nothing would work */
    e->mail.deliver = deliver_ended;
    e->net = l->net;
    mailbox_send(&l->net->main_box, &e->mail, true);
}

/* A turn ends: how long is the loop to rest before the next one? */
static uint32_t on_turn(void *ctx)
{
    struct media_loop *l = ctx;
    bool watched = !list_is_empty(&l->clients) ||
                   !list_is_empty(&l->speakers.all);

    media_loop_tell_woken(l);
    return l->stopping ? 0 : pace_turn_ns(l->n_streams, watched);
}

static int loop_init(struct media_loop *l)
{
    uint8_t seed[16];
    int err = uv_loop_init(&l->uv);

    if (err)
        return err;
    list_init(&l->streams);
    list_init(&l->clients);
    list_init(&l->afters);
    list_init(&l->woken);
    ingest_pool_init(&l->pool);
    random_bytes(seed, sizeof(seed));
    err = map_init(&l->by_session, &gb_alloc_heap, seed);
    if (!err)
        err = mailbox_init(&l->box, &l->uv);
    if (err)
        return err;
    uv_timer_init(&l->uv, &l->tick);
    uv_timer_init(&l->uv, &l->soon);
    l->tick.data = l->soon.data = l;
    pace_start(&l->pace, &l->uv, on_turn, l);
    speakers_init(&l->speakers, &l->uv);
    return 0;
}

uint16_t media_net_shared_port(const struct media_net *n)
{
    return n->o.shared_port;
}

unsigned media_net_loops(unsigned told, unsigned cores)
{
    unsigned n = told ? told : cores > 1 ? cores - 1 : 1;

    return n < MEDIA_MAX_LOOPS ? n : MEDIA_MAX_LOOPS;
}

int media_net_new(struct media_net **out, const struct media_net_config *cfg,
                  const char **what)
{
    const char *of = NULL;
    struct media_net *n =
        calloc(1, sizeof(*n) + cfg->loops * sizeof(n->loop[0]));
    int err;

    if (!n)
        return GB_ENOMEM;
    n->o = *cfg;
    n->rooms = rooms_new();
    err = n->rooms ? media_orders_init(n) : GB_ENOMEM;
    if (!err)
        err = reserve_init(&n->events, sizeof(struct event_mail),
                           MEDIA_RESERVE_MAX);
    if (!err)
        err = mailbox_init(&n->main_box, cfg->main);
    for (unsigned i = 0; !err && i < cfg->loops; i++) {
        n->loop[i].net = n;
        n->loop[i].index = i;
        err = loop_init(&n->loop[i]);
        if (!err)
            n->n_loops++;
    }
    if (!err)
        err = media_share_open(n, &of);
    for (unsigned i = 0; !err && i < cfg->loops; i++)
        err = uv_thread_create(&n->loop[i].thread, run_loop, &n->loop[i]);
    if (what)
        *what = of;
    if (err)
        return err; /* a process that cannot start threads ends */
    *out = n;
    return 0;
}

bool media_net_post(struct media_net *n, unsigned loop, struct mail *m)
{
    return loop < n->n_loops && mailbox_send(&n->loop[loop].box, m, false);
}

bool media_net_post_main(struct media_net *n, struct mail *m)
{
    return mailbox_send(&n->main_box, m, true);
}

struct media_loop *media_net_loop(struct media_net *n, unsigned loop)
{
    return loop < n->n_loops ? &n->loop[loop] : NULL;
}

uv_loop_t *media_loop_uv(struct media_loop *l)
{
    return &l->uv;
}

uint64_t media_net_silent(struct media_net *n, uint64_t now_ms, unsigned *loop)
{
    uint64_t longest_ms = 0;

    rooms_tidy(n->rooms); /* also when no stream is left that would */
    for (unsigned i = 0; i < n->n_loops; i++) {
        struct media_loop *l = &n->loop[i];
        uint64_t ms = pulse_ask(&l->pulse, &l->box, now_ms);

        if (ms > longest_ms) {
            longest_ms = ms;
            *loop = i;
        }
    }
    return longest_ms;
}

void media_net_counters(const struct media_net *n,
                        struct media_net_counters *out)
{
    *out = (struct media_net_counters){ 0 };
    for (unsigned i = 0; i < n->n_loops; i++) {
        const struct media_loop *l = &n->loop[i];

        out->packets += atomic_load(&l->packets);
        out->bytes += atomic_load(&l->bytes);
        out->lost += atomic_load(&l->lost);
        out->foreign += atomic_load(&l->foreign);
        out->invalid += atomic_load(&l->invalid);
        out->kernel_drops += atomic_load(&l->kernel_drops);
        out->passed += atomic_load(&l->of_shared.passed);
        out->unknown += atomic_load(&l->of_shared.unknown);
        out->resting += atomic_load(&l->of_shared.resting);
        out->refused += atomic_load(&l->of_shared.refused);
        out->viewers += atomic_load(&l->n_viewers);
        out->streams += atomic_load(&l->n_live);
    }
}
