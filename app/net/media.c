#include "app/net/media.h"

#include "app/net/ingest.h"
#include "app/net/media_hls.h"
#include "app/net/log.h"
#include "app/net/pace.h"
#include "app/net/pulse.h"
#include "app/net/reserve.h"
#include "app/net/shared.h"
#include "app/net/speaker.h"
#include "base/map.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define MEDIA_TEXT_MAX 160 /* evidence carried by an event */
#define MEDIA_RESERVE_MAX 64 /* orders and events each that need no heap */

struct media_stream {
    struct map_node node;
    struct list in_loop;
    uint64_t session;
    struct media_loop *loop;
    struct hub *hub;
    struct ingest *ingest; /* NULL: closed; the hub may live on */
    unsigned closing;      /* ingests that libuv has not let go yet */
    bool say_closed;       /* a CLOSE waits for that */
    struct list clients;
    struct media_hls *hls; /* NULL: nobody asks for it */
    struct speaker *speaker; /* NULL: it says nothing */
    bool forgotten, said_key;
    struct rtplog *headers; /* NULL: none are kept */
    bool shared, waits;    /* of the shared port: as owners_wait was told */
    uint64_t alive_ms, said_packets;
};

struct media_loop {
    struct media_net *net;
    unsigned index;
    uv_thread_t thread;
    uv_loop_t uv;
    struct mailbox box;
    struct pulse pulse; /* the main loop's */
    uv_timer_t tick;
    uv_timer_t soon; /* runs until the nearest deadline of a hub before that */
    struct pace pace;
    struct list woken; /* clients to be told at the end of this turn */
    struct ingest_pool pool;
    struct speakers speakers;
    struct shared *shared;  /* NULL: there is no shared port */
    atomic_uint passing;    /* what other loops have passed, not yet taken */
    struct map by_session;
    struct list streams, clients;
    size_t n_streams;
    bool stopping;
    /* published by each tick, for media_net_counters */
    _Atomic uint64_t packets, bytes, lost, foreign, invalid;
    struct shared_counters of_shared;
    atomic_uint n_viewers, n_live;
    struct receiver_counters gone; /* of ingests that have ended */
};

struct media_net {
    struct media_net_config o;
    struct mailbox main_box;
    struct reserve orders, events; /* those that must come through */
    struct owners *owners; /* NULL: there is no shared port */
    unsigned n_loops, ended;
    void (*on_closed)(void *ctx);
    void *closed_ctx;
    struct media_loop loop[];
};

/* ---- mail ------------------------------------------------------------------ */

enum order_kind { ORDER_OPEN, ORDER_ANSWER, ORDER_PACE, ORDER_CLOSE,
                  ORDER_FORGET, ORDER_SPEAK, ORDER_STOP };

struct order_mail {
    struct mail mail;
    struct media_loop *loop;
    enum order_kind what;
    struct rtplog *headers;   /* OPEN; a reference, or NULL */
    struct platform_action a; /* without its slices */
};

struct event_mail {
    struct mail mail;
    struct media_net *net;
    struct platform_media_event ev;
    char text[MEDIA_TEXT_MAX];
};

static void deliver_event(struct mail *m)
{
    struct event_mail *e = container_of(m, struct event_mail, mail);

    e->ev.text = e->text[0] ? e->text : NULL;
    e->net->o.on_event(e->net->o.ctx, &e->ev);
    reserve_put(&e->net->events, e);
}

/* May this one be lost? The next ALIVE says more, and a peer can connect as often
 * as it likes: all others come once for an open port. */
static bool is_expendable(enum platform_media_kind kind)
{
    return kind == PLATFORM_MEDIA_ALIVE || kind == PLATFORM_MEDIA_CONNECTED ||
           kind == PLATFORM_MEDIA_WANT_KEY;
}

static void send_event(struct media_net *n, const struct platform_media_event *ev)
{
    bool may_be_lost = is_expendable(ev->kind);
    struct event_mail *e = may_be_lost ? calloc(1, sizeof(*e))
                                       : reserve_get(&n->events);

    if (!e)
        return;
    e->mail.deliver = deliver_event;
    e->net = n;
    e->ev = *ev;
    if (ev->text)
        slice_copy(e->text, sizeof(e->text), slice_str(ev->text));
    if (!mailbox_send(&n->main_box, &e->mail, !may_be_lost))
        reserve_put(&n->events, e);
}

static void say(struct media_stream *s, enum platform_media_kind kind, int err,
                const char *text)
{
    struct platform_media_event ev = { .kind = kind, .session = s->session,
                                       .err = err, .text = text };
    struct hub_stats st;

    if (s->ingest)
        ingest_fill(s->ingest, &ev);
    if (s->speaker)
        speaker_counters(s->speaker, &ev.said);
    if (s->shared && s->waits)
        ev.foreign += owners_astray(s->loop->net->owners, s->session);
    hub_stats(s->hub, uv_now(&s->loop->uv), &st);
    ev.position_ms = st.position_ms;
    ev.keys = st.keys;
    ev.width = st.width;
    ev.height = st.height;
    if (st.video != PS_CODEC_UNKNOWN)
        ev.video = st.video;
    if (st.audio != PS_CODEC_UNKNOWN)
        ev.audio = st.audio;
    s->said_packets = ev.packets;
    send_event(s->loop->net, &ev);
}

/* ---- streams ------------------------------------------------------------------ */

static void on_tick(uv_timer_t *t);

static void on_soon(uv_timer_t *t);

/* Told at the end of the turn: what comes in it goes out in one write. */
static void on_wake(void *ctx, struct hub_viewer *v)
{
    struct media_client *c = container_of(v, struct media_client, v);
    struct media_stream *s = ctx;

    if (list_is_empty(&c->woken))
        list_push_back(&s->loop->woken, &c->woken);
}

static void tell_woken(struct media_loop *l)
{
    struct list *n;

    while ((n = list_pop_front(&l->woken)) != NULL) {
        struct media_client *c = container_of(n, struct media_client, woken);

        c->on_wake(c);
    }
}

/* A hub wants its tick by then. */
static void tick_by(struct media_loop *l, uint64_t due_ms)
{
    uint64_t now_ms = uv_now(&l->uv);
    uint64_t in_ms = due_ms > now_ms ? due_ms - now_ms : 0;

    if (uv_is_active((uv_handle_t *)&l->soon) &&
        uv_timer_get_due_in(&l->soon) <= in_ms)
        return;
    uv_timer_start(&l->soon, on_soon, in_ms, 0);
}

static void on_sooner(void *ctx)
{
    struct media_stream *s = ctx;

    tick_by(s->loop, hub_deadline(s->hub));
}

static void on_first_key(void *ctx)
{
    struct media_stream *s = ctx;

    if (!s->said_key && s->ingest) {
        s->said_key = true;
        say(s, PLATFORM_MEDIA_KEY, 0, NULL);
    }
}

static void on_want_key(void *ctx)
{
    struct media_stream *s = ctx;

    if (s->ingest)
        say(s, PLATFORM_MEDIA_WANT_KEY, 0, NULL);
}

static void on_sound_alone(void *ctx)
{
    struct media_stream *s = ctx;

    if (s->ingest)
        say(s, PLATFORM_MEDIA_SOUND, 0, NULL);
}

static struct media_stream *find_stream(struct media_loop *l, uint64_t session)
{
    struct slice key = { (const char *)&session, sizeof(session) };
    struct map_node *n = map_find(&l->by_session, key);

    return n ? container_of(n, struct media_stream, node) : NULL;
}

/* UTC when the loop's clock was 0. */
static int64_t utc_base(uv_loop_t *uv)
{
    uv_timeval64_t tv;

    if (uv_gettimeofday(&tv))
        return 0;
    return tv.tv_sec * 1000 + tv.tv_usec / 1000 - (int64_t)uv_now(uv);
}

/* history_ms: length of the recording; below 0: live. */
static struct media_stream *stream_new(struct media_loop *l, uint64_t session,
                                       int64_t history_ms)
{
    struct media_stream *s = calloc(1, sizeof(*s));
    struct hub_hooks hooks = { .on_wake = on_wake,
                               .on_sooner = on_sooner,
                               .on_first_key = on_first_key,
                               .on_want_key = on_want_key,
                               .on_sound_alone = on_sound_alone, .ctx = s };
    struct hub_options opt = l->net->o.hub;

    opt.history = history_ms >= 0;
    opt.history_ms = history_ms;
    opt.rtp_seed = session;
    opt.utc_base_ms = utc_base(&l->uv);
    if (!s)
        return NULL;
    s->session = session;
    s->loop = l;
    list_init(&s->clients);
    if (hub_new(&s->hub, &gb_alloc_heap, &hooks, &opt)) {
        free(s);
        return NULL;
    }
    map_insert(&l->by_session, &s->node,
               slice_of((const char *)&s->session, sizeof(s->session)));
    list_push_back(&l->streams, &s->in_loop);
    if (l->n_streams++ == 0)
        uv_timer_start(&l->tick, on_tick, MEDIA_TICK_MS, MEDIA_TICK_MS);
    return s;
}

static void stream_free(struct media_stream *s)
{
    struct media_loop *l = s->loop;

    map_remove(&l->by_session, &s->node);
    list_remove(&s->in_loop);
    l->n_streams--;
    media_hls_free(s->hls);
    hub_free(s->hub);
    rtplog_unref(s->headers);
    free(s);
}

static void maybe_stop(struct media_loop *l);

/* Only where no call of its hub is on the stack. */
static void try_free(struct media_stream *s)
{
    struct media_loop *l = s->loop;

    if (s->forgotten && !s->ingest && !s->closing && list_is_empty(&s->clients))
        stream_free(s);
    maybe_stop(l);
}

static void on_ingest_event(void *ctx, enum platform_media_kind kind, int err,
                            const char *text)
{
    say(ctx, kind, err, text);
}

static void on_ingest_freed(void *ctx)
{
    struct media_stream *s = ctx;

    s->closing--;
    if (s->say_closed && !s->closing) {
        s->say_closed = false;
        say(s, PLATFORM_MEDIA_CLOSED, 0, NULL);
    }
    try_free(s);
}

/* ---- the shared port ---------------------------------------------------------- */

/* A datagram, or a connection (fd at least 0), of a session of another loop. */
struct passed_mail {
    struct mail mail;
    struct media_loop *loop;
    uint64_t session;
    struct gb_addr from;
    int fd;
    size_t n;
    uint8_t bytes[];
};

static void deliver_passed(struct mail *m)
{
    struct passed_mail *p = container_of(m, struct passed_mail, mail);
    struct media_stream *s = find_stream(p->loop, p->session);

    atomic_fetch_sub(&p->loop->passing, 1);
    if (s && s->ingest && s->shared && p->fd >= 0)
        ingest_connection(s->ingest, p->fd, p->bytes, p->n);
    else if (p->fd >= 0)
        close(p->fd);
    else if (s && s->ingest && s->shared && p->loop->shared)
        shared_take(p->loop->shared, s->ingest, &p->from, p->bytes, p->n);
    free(p);
}

/* fd below 0: a datagram. false: there is too much on its way. */
static bool pass(struct media_net *n, const struct owner *to,
                 const struct gb_addr *from, int fd, const uint8_t *bytes,
                 size_t len)
{
    struct media_loop *l = &n->loop[to->loop];
    struct passed_mail *p;

    if (atomic_fetch_add(&l->passing, 1) < SHARED_PASSED_MAX &&
        (p = malloc(sizeof(*p) + len))) {
        *p = (struct passed_mail){ .mail.deliver = deliver_passed, .loop = l,
                                   .session = to->session, .fd = fd, .n = len };
        if (from)
            p->from = *from;
        memcpy(p->bytes, bytes, len);
        if (mailbox_send(&l->box, &p->mail, false))
            return true;
        free(p);
    }
    atomic_fetch_sub(&l->passing, 1);
    return false;
}

static bool on_pass(void *ctx, const struct owner *to,
                    const struct udp_packet *pkt)
{
    struct media_loop *l = ctx;

    return pass(l->net, to, &pkt->remote, -1, pkt->p, pkt->n);
}

static void on_pass_connection(void *ctx, const struct owner *to, int fd,
                               const uint8_t *head, size_t n)
{
    struct media_loop *l = ctx;

    if (!pass(l->net, to, NULL, fd, head, n))
        close(fd);
}

static struct ingest *on_find(void *ctx, uint64_t session)
{
    struct media_stream *s = find_stream(ctx, session);

    return s && s->shared ? s->ingest : NULL;
}

/* 0, or why the session cannot be one of the shared port. */
static int start_sharing(struct media_stream *s, const struct platform_action *a)
{
    struct media_loop *l = s->loop;
    const struct owner who = { s->session, l->index };
    int err;

    if (!l->shared)
        return GB_EUNSUPPORTED;
    err = owners_add(l->net->owners, &who, !a->ssrc_any && a->ssrc, a->ssrc,
                     &a->remote);
    if (err)
        return err;
    s->shared = s->waits = true;
    shared_changed(l->shared);
    return 0;
}

static void stop_sharing(struct media_stream *s)
{
    if (!s->shared)
        return;
    s->shared = false;
    owners_remove(s->loop->net->owners, s->session, uv_now(&s->loop->uv));
    shared_changed(s->loop->shared);
}

static void shared_answered(struct media_stream *s,
                            const struct platform_action *a)
{
    if (!s->shared)
        return;
    owners_answer(s->loop->net->owners, s->session, !a->ssrc_any, a->ssrc,
                  &a->remote, uv_now(&s->loop->uv));
    shared_changed(s->loop->shared);
}

static void tell_waiting(struct media_stream *s, uint64_t now_ms)
{
    bool waits = ingest_waits(s->ingest, now_ms);

    if (!s->shared || waits == s->waits)
        return;
    s->waits = waits;
    owners_wait(s->loop->net->owners, s->session, waits);
}

/* ---- orders -------------------------------------------------------------------- */

static void refuse(struct media_net *n, uint64_t session, int err,
                   const char *what, unsigned port)
{
    char text[MEDIA_TEXT_MAX];
    bool ours = err > GB_ERR_BASE_ && err <= GB_EIO;
    struct platform_media_event ev = {
        .kind = PLATFORM_MEDIA_REFUSED, .session = session, .err = err,
        .text = text,
    };

    snprintf(text, sizeof(text), "%s %u: %s", what, port,
             ours ? gb_strerror(err) : uv_strerror(err));
    send_event(n, &ev);
}

static void do_open(struct media_loop *l, const struct platform_action *a,
                    struct rtplog *headers)
{
    struct media_stream *s = find_stream(l, a->session);
    const char *what = "memory for port";
    int err = GB_ENOMEM;

    if (s && s->ingest) { /* the owner's mistake; the one that runs goes on */
        refuse(l->net, a->session, GB_EEXIST, "the session has sockets: port",
               a->port);
        return;
    }
    if (!s)
        s = stream_new(l, a->session, a->history_ms);
    if (s) {
        struct ingest_options o = {
            .loop = &l->uv, .pool = &l->pool, .hub = s->hub,
            .transport = a->transport, .port = a->port, .peer = a->remote,
            .any_source = l->net->o.any_source,
            .has_ssrc = !a->ssrc_any && a->ssrc, .ssrc = a->ssrc,
            .headers = headers, .utc_base_ms = utc_base(&l->uv),
            .on_event = on_ingest_event, .on_freed = on_ingest_freed, .ctx = s,
        };

        rtplog_ref(headers);
        rtplog_unref(s->headers);
        s->headers = headers;

        if (a->shared) {
            what = "shared media port";
            err = start_sharing(s, a);
            o.shared = true;
            o.rtcp = err ? NULL : shared_rtcp(l->shared, a->remote.family);
        }
        hub_reopen(s->hub);
        if (!a->shared || !err)
            err = ingest_new(&s->ingest, &o, &what);
        if (err)
            stop_sharing(s);
    }
    if (err) {
        refuse(l->net, a->session, err, what, a->port);
        if (s && !s->ingest && list_is_empty(&s->clients) && !s->closing)
            stream_free(s);
        return;
    }
    s->said_key = s->forgotten = false;
    s->said_packets = 0;
    s->alive_ms = uv_now(&l->uv) + MEDIA_ALIVE_MS;
    say(s, PLATFORM_MEDIA_OPENED, 0, NULL);
}

/* ---- what is said ---- */

static void on_said(void *ctx)
{
    say(ctx, PLATFORM_MEDIA_SAID, 0, NULL);
}

static void do_speak(struct media_loop *l, const struct platform_action *a)
{
    struct media_stream *s = find_stream(l, a->session);
    int err;

    if (!s || !s->ingest || s->speaker)
        return;
    ingest_speaks(s->ingest);
    if (a->speak.waits)
        return;
    err = speaker_new(&s->speaker, &l->speakers, s->ingest, &a->speak.voice,
                      on_said, s);
    if (err)
        say(s, PLATFORM_MEDIA_ENDED, err, gb_strerror(err));
}

struct words_mail {
    struct mail mail;
    struct media_loop *loop;
    uint64_t session;
    size_t n;
    int16_t pcm[];
};

static void deliver_words(struct mail *m)
{
    struct words_mail *w = container_of(m, struct words_mail, mail);
    struct media_stream *s = find_stream(w->loop, w->session);

    if (s && s->speaker)
        speaker_feed(s->speaker, w->pcm, w->n);
    free(w);
}

void media_net_say(struct media_net *n, uint64_t session, unsigned loop,
                   const int16_t *pcm, size_t n_samples)
{
    struct words_mail *w;

    if (loop >= n->n_loops)
        return;
    w = malloc(sizeof(*w) + n_samples * sizeof(*pcm));
    if (!w)
        return;
    *w = (struct words_mail){ .mail.deliver = deliver_words,
                              .loop = &n->loop[loop], .session = session,
                              .n = n_samples };
    memcpy(w->pcm, pcm, n_samples * sizeof(*pcm));
    if (!mailbox_send(&n->loop[loop].box, &w->mail, false))
        free(w);
}

static void close_ingest(struct media_stream *s)
{
    struct receiver_counters c;

    speaker_free(s->speaker);
    s->speaker = NULL;

    ingest_counters(s->ingest, &c);
    s->loop->gone.packets += c.packets;
    s->loop->gone.bytes += c.bytes;
    s->loop->gone.lost += c.lost;
    s->loop->gone.foreign += c.foreign;
    s->loop->gone.invalid += c.invalid;
    s->closing++;
    stop_sharing(s);
    ingest_free(s->ingest);
    s->ingest = NULL;
}

static void do_close(struct media_loop *l, uint64_t session)
{
    struct media_stream *s = find_stream(l, session);
    struct platform_media_event ev = { .kind = PLATFORM_MEDIA_CLOSED,
                                       .session = session };

    if (!s || !s->ingest) {
        send_event(l->net, &ev);
        return;
    }
    s->say_closed = true;
    close_ingest(s);
}

static void do_forget(struct media_loop *l, uint64_t session)
{
    struct media_stream *s = find_stream(l, session);

    if (!s)
        return;
    s->forgotten = true;
    if (s->ingest)
        close_ingest(s);
    hub_end(s->hub);
    try_free(s);
}

static void do_stop(struct media_loop *l)
{
    struct list *n, *tmp;

    l->stopping = true;
    if (l->shared)
        shared_close(l->shared);
    LIST_EACH(n, tmp, &l->clients) {
        struct media_client *c = container_of(n, struct media_client, in_loop);

        media_client_leave(c);
        c->on_stop(c);
    }
    LIST_EACH(n, tmp, &l->streams) {
        struct media_stream *s = container_of(n, struct media_stream, in_loop);

        s->forgotten = true;
        if (s->ingest)
            close_ingest(s);
        else if (!s->closing)
            stream_free(s);
    }
    maybe_stop(l);
}

static void deliver_order(struct mail *m)
{
    struct order_mail *o = container_of(m, struct order_mail, mail);
    struct media_loop *l = o->loop;
    struct media_stream *s;

    switch (o->what) {
    case ORDER_OPEN:
        do_open(l, &o->a, o->headers);
        rtplog_unref(o->headers);
        break;
    case ORDER_ANSWER:
        s = find_stream(l, o->a.session);
        if (s && s->ingest) {
            shared_answered(s, &o->a);
            ingest_answer(s->ingest, &o->a);
        }
        break;
    case ORDER_PACE:
        s = find_stream(l, o->a.session);
        if (s)
            hub_pace(s->hub, o->a.scale_milli, o->a.position_ms);
        break;
    case ORDER_SPEAK:
        do_speak(l, &o->a);
        break;
    case ORDER_CLOSE:
        do_close(l, o->a.session);
        break;
    case ORDER_FORGET:
        do_forget(l, o->a.session);
        break;
    case ORDER_STOP:
        do_stop(l);
        break;
    }
    reserve_put(&l->net->orders, o);
}

/* ---- time ------------------------------------------------------------------------ */

static void tick_stream(struct media_stream *s, uint64_t now_ms)
{
    if (hub_deadline(s->hub) <= now_ms)
        hub_tick(s->hub, now_ms);
    media_hls_tick(&s->hls, s->hub, now_ms);
    if (!s->ingest)
        return;
    ingest_tick(s->ingest, now_ms);
    tell_waiting(s, now_ms);
    if (now_ms >= s->alive_ms) {
        struct receiver_counters c;

        s->alive_ms = now_ms + MEDIA_ALIVE_MS;
        ingest_counters(s->ingest, &c);
        if (c.packets != s->said_packets || c.foreign || s->speaker ||
            (s->shared && s->waits))
            say(s, PLATFORM_MEDIA_ALIVE, 0, NULL);
    }
}

/* The deadlines that the tick is too coarse for. */
static void on_soon(uv_timer_t *t)
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
        tick_by(l, next_ms);
}

static void on_tick(uv_timer_t *t)
{
    struct media_loop *l = t->data;
    uint64_t now_ms = uv_now(&l->uv);
    struct receiver_counters sum = l->gone;
    struct list *n, *tmp;
    unsigned viewers = 0, live = 0;

    LIST_EACH(n, tmp, &l->streams) {
        struct media_stream *s = container_of(n, struct media_stream, in_loop);
        struct receiver_counters c = { 0 };
        struct list *k;

        tick_stream(s, now_ms);
        for (k = s->clients.next; k != &s->clients; k = k->next)
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
        try_free(s);
    }
    atomic_store(&l->packets, sum.packets);
    atomic_store(&l->bytes, sum.bytes);
    atomic_store(&l->lost, sum.lost);
    atomic_store(&l->foreign, sum.foreign);
    atomic_store(&l->invalid, sum.invalid);
    if (l->shared)
        shared_tick(l->shared, now_ms);
    atomic_store(&l->n_viewers, viewers);
    atomic_store(&l->n_live, live);
    if (l->n_streams == 0)
        uv_timer_stop(&l->tick);
}

/* ---- clients ------------------------------------------------------------------------ */

void media_client_join(struct media_loop *l, struct media_client *c)
{
    list_push_back(&l->clients, &c->in_loop);
    list_init(&c->node);
    list_init(&c->woken);
}

void media_client_leave(struct media_client *c)
{
    media_client_remove(c);
    list_remove(&c->in_loop);
}

int media_client_add(struct media_loop *l, uint64_t session,
                     struct media_client *c,
                     const struct hub_viewer_options *opt)
{
    struct media_stream *s = find_stream(l, session);
    int err;

    if (!s || l->stopping)
        return GB_ENOENT;
    err = hub_viewer_add(s->hub, &c->v, opt, uv_now(&l->uv));
    if (err)
        return err;
    c->stream = s;
    list_push_back(&s->clients, &c->node);
    return 0;
}

void media_client_remove(struct media_client *c)
{
    if (!c->stream)
        return;
    hub_viewer_remove(&c->v);
    list_remove(&c->node);
    list_remove(&c->woken);
    c->stream = NULL; /* the tick frees what nobody needs */
}

int media_loop_tracks(struct media_loop *l, uint64_t session,
                      struct media_tracks *out)
{
    struct media_stream *s = find_stream(l, session);

    if (!s || l->stopping)
        return GB_ENOENT;
    if (!hub_is_decided(s->hub, uv_now(&l->uv)))
        return GB_EAGAIN;
    for (int t = 0; t < MEDIA_TRACKS; t++) {
        struct media_config *c = hub_config(s->hub, (enum media_track)t);

        out->config[t] = c ? media_config_ref(c) : NULL;
        out->ssrc[t] = hub_rtp_ssrc(s->hub, (enum media_track)t);
    }
    return 0;
}

int media_loop_tap(struct media_loop *l, uint64_t session, struct hub_tap *t,
                   bool from_gop, struct hub **hub)
{
    struct media_stream *s = find_stream(l, session);

    if (!s || s->forgotten || l->stopping)
        return GB_ENOENT;
    *hub = s->hub;
    hub_tap_add(s->hub, t, from_gop);
    return 0;
}

int media_loop_stats(struct media_loop *l, uint64_t session,
                     struct hub_stats *out)
{
    struct media_stream *s = find_stream(l, session);

    if (!s)
        return GB_ENOENT;
    hub_stats(s->hub, uv_now(&l->uv), out);
    return 0;
}

int media_loop_snapshot(struct media_loop *l, uint64_t session,
                        struct media_chunk **out)
{
    struct media_stream *s = find_stream(l, session);

    return s ? hub_snapshot(s->hub, out) : GB_ENOENT;
}

bool media_loop_has_program(struct media_loop *l, uint64_t session)
{
    struct media_stream *s = find_stream(l, session);

    return s && hub_has_program(s->hub);
}

void media_loop_hls(struct media_loop *l, struct media_hls_ask *a)
{
    struct media_stream *s = find_stream(l, a->session);
    struct media_hls *none = NULL;

    if (!s || s->forgotten || l->stopping)
        media_hls_answer(&none, NULL, a, 0);
    else
        media_hls_answer(&s->hls, s->hub, a, uv_now(&l->uv));
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
static void maybe_stop(struct media_loop *l)
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

/* A turn ends: may the loop rest before the next one? */
static bool on_turn(void *ctx)
{
    struct media_loop *l = ctx;

    tell_woken(l);
    return l->n_streams >= PACE_STREAMS && !l->stopping;
}

static int loop_init(struct media_loop *l)
{
    uint8_t seed[16];
    int err = uv_loop_init(&l->uv);

    if (err)
        return err;
    list_init(&l->streams);
    list_init(&l->clients);
    list_init(&l->woken);
    ingest_pool_init(&l->pool);
    err = uv_random(NULL, NULL, seed, sizeof(seed), 0, NULL);
    if (!err)
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

/* The sockets of all loops, in their order, before the threads run. */
static int open_shared(struct media_net *n, const char **what)
{
    uint8_t seed[16];
    int err = shared_probe(n->o.shared_port);

    *what = "shared media port";
    if (!err)
        err = uv_random(NULL, NULL, seed, sizeof(seed), 0, NULL);
    if (!err)
        err = owners_new(&n->owners, seed);
    for (unsigned i = 0; !err && i < n->n_loops; i++) {
        struct media_loop *l = &n->loop[i];
        struct shared_options o = {
            .loop = &l->uv, .pool = &l->pool, .owners = n->owners,
            .counters = &l->of_shared, .index = i, .port = n->o.shared_port, .listen = i == 0,
            .find = on_find, .pass = on_pass,
            .pass_connection = on_pass_connection, .ctx = l,
        };

        err = shared_new(&l->shared, &o, what);
    }
    if (!err)
        shared_steer(n->loop[0].shared, n->n_loops);
    return err;
}

/* It is done without: what is open of it closes when the loops run. */
static void close_shared(struct media_net *n)
{
    for (unsigned i = 0; i < n->n_loops; i++) {
        shared_close(n->loop[i].shared);
        n->loop[i].shared = NULL;
    }
    n->o.shared_port = 0;
}

static int start_shared(struct media_net *n, const char **what)
{
    int err = n->o.shared_port ? open_shared(n, what) : 0;

    if (!err || n->o.shared_needed)
        return err;
    log_f(LOG_WARN, "msg=\"no shared media port, each session needs one of its "
                    "own\" port=%u why=\"%s: %s\"", n->o.shared_port, *what,
          uv_strerror(err));
    close_shared(n);
    *what = NULL;
    return 0;
}

uint16_t media_net_shared_port(const struct media_net *n)
{
    return n->o.shared_port;
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
    err = reserve_init(&n->orders, sizeof(struct order_mail),
                       MEDIA_RESERVE_MAX);
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
        err = start_shared(n, &of);
    for (unsigned i = 0; !err && i < cfg->loops; i++)
        err = uv_thread_create(&n->loop[i].thread, run_loop, &n->loop[i]);
    if (what)
        *what = of;
    if (err)
        return err; /* a process that cannot start threads ends */
    *out = n;
    return 0;
}

static bool send_order(struct media_net *n, unsigned loop, enum order_kind what,
                       const struct platform_action *a, struct rtplog *headers)
{
    bool ends = what == ORDER_CLOSE || what == ORDER_FORGET ||
                what == ORDER_STOP;
    struct order_mail *o = loop >= n->n_loops ? NULL
                           : ends             ? reserve_get(&n->orders)
                                              : calloc(1, sizeof(*o));

    if (!o)
        return false;
    o->mail.deliver = deliver_order;
    o->loop = &n->loop[loop];
    o->what = what;
    o->headers = rtplog_ref(headers);
    if (a)
        o->a = *a;
    return mailbox_send(&n->loop[loop].box, &o->mail, true);
}

void media_net_order(struct media_net *n, const struct platform_action *a,
                     struct rtplog *headers)
{
    struct platform_media_event ev = { .kind = PLATFORM_MEDIA_CLOSED,
                                       .session = a->session };
    enum order_kind what = a->kind == PLATFORM_DO_OPEN     ? ORDER_OPEN
                           : a->kind == PLATFORM_DO_ANSWER ? ORDER_ANSWER
                           : a->kind == PLATFORM_DO_PACE   ? ORDER_PACE
                           : a->kind == PLATFORM_DO_SPEAK  ? ORDER_SPEAK
                                                           : ORDER_CLOSE;

    if (send_order(n, a->loop, what, a, headers))
        return;
    if (what == ORDER_OPEN)
        refuse(n, a->session, GB_ENOMEM, "memory for port", a->port);
    else if (what == ORDER_CLOSE)
        send_event(n, &ev);
}

void media_net_forget(struct media_net *n, uint64_t session, unsigned loop)
{
    struct platform_action a = { .session = session };

    send_order(n, loop, ORDER_FORGET, &a, NULL);
}

void media_net_close(struct media_net *n, void (*on_closed)(void *ctx),
                     void *ctx)
{
    n->on_closed = on_closed;
    n->closed_ctx = ctx;
    for (unsigned i = 0; i < n->n_loops; i++)
        send_order(n, i, ORDER_STOP, NULL, NULL);
}

struct dismissal {
    struct mail mail;
    struct media_loop *loop;
    uint64_t who;
};

static void deliver_dismissal(struct mail *m)
{
    struct dismissal *d = container_of(m, struct dismissal, mail);
    struct list *n, *tmp;

    LIST_EACH(n, tmp, &d->loop->clients) {
        struct media_client *c = container_of(n, struct media_client, in_loop);

        if (c->who != d->who)
            continue;
        media_client_leave(c);
        c->on_stop(c);
    }
    free(d);
}

bool media_net_dismiss(struct media_net *n, uint64_t who)
{
    bool all = true;

    for (unsigned i = 0; who && i < n->n_loops; i++) {
        struct dismissal *d = malloc(sizeof(*d));

        if (!d) {
            all = false;
            continue;
        }
        *d = (struct dismissal){ .mail.deliver = deliver_dismissal,
                                 .loop = &n->loop[i], .who = who };
        if (!mailbox_send(&n->loop[i].box, &d->mail, true)) {
            free(d);
            all = false;
        }
    }
    return all;
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

struct media_net *media_loop_net(struct media_loop *l)
{
    return l->net;
}

uint64_t media_net_silent(struct media_net *n, uint64_t now_ms, unsigned *loop)
{
    uint64_t longest_ms = 0;

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
        out->passed += atomic_load(&l->of_shared.passed);
        out->unknown += atomic_load(&l->of_shared.unknown);
        out->resting += atomic_load(&l->of_shared.resting);
        out->refused += atomic_load(&l->of_shared.refused);
        out->viewers += atomic_load(&l->n_viewers);
        out->streams += atomic_load(&l->n_live);
    }
}
