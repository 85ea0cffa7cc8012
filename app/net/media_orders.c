/* What the platform orders of a media loop, by mail. */
#include "app/net/media_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum order_kind { ORDER_OPEN, ORDER_ANSWER, ORDER_PACE, ORDER_CLOSE,
                  ORDER_FORGET, ORDER_SPEAK, ORDER_STOP };

struct order_mail {
    struct mail mail;
    struct media_loop *loop;
    enum order_kind what;
    struct rtplog *headers;   /* OPEN; a reference, or NULL */
    struct platform_action a; /* without its slices; a reference to its sets */
};

int media_orders_init(struct media_net *n)
{
    return reserve_init(&n->orders, sizeof(struct order_mail),
                        MEDIA_RESERVE_MAX);
}

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
    media_net_event(n, &ev);
}

/* *what: what failed. */
static int open_ingest(struct media_stream *s, const struct platform_action *a,
                       const char **what)
{
    struct media_loop *l = s->loop;
    struct ingest_options o = {
        .loop = &l->uv, .pool = &l->pool, .hub = s->hub,
        .transport = a->transport, .port = a->port, .peer = a->remote,
        .any_source = l->net->o.any_source,
        .has_ssrc = !a->ssrc_any && a->ssrc, .ssrc = a->ssrc,
        .headers = s->headers, .utc_base_ms = media_loop_utc(&l->uv),
        .on_event = media_stream_on_ingest,
        .on_freed = media_stream_on_ingest_freed, .ctx = s,
    };
    int err = 0;

    if (a->shared) {
        *what = "shared media port";
        err = media_share_start(s, a);
        o.shared = true;
        o.rtcp = err ? NULL : shared_rtcp(l->shared, a->remote.family);
    }
    hub_remember(s->hub, a->sets);
    hub_reopen(s->hub);
    if (!err)
        err = ingest_new(&s->ingest, &o, what);
    if (err)
        media_share_stop(s);
    return err;
}

static void do_open(struct media_loop *l, const struct platform_action *a,
                    struct rtplog *headers)
{
    struct media_stream *s = media_stream_find(l, a->session);
    const char *what = "memory for port";
    int err = GB_ENOMEM;

    if (s && s->ingest) { /* the owner's mistake; the one that runs goes on */
        refuse(l->net, a->session, GB_EEXIST, "the session has sockets: port",
               a->port);
        return;
    }
    if (!s)
        s = media_stream_new(l, a->session, a->history_ms);
    if (s) {
        rtplog_ref(headers);
        rtplog_unref(s->headers);
        s->headers = headers;
        err = open_ingest(s, a, &what);
    }
    if (err) {
        refuse(l->net, a->session, err, what, a->port);
        if (s && !s->ingest && list_is_empty(&s->clients) && !s->closing)
            media_stream_free(s);
        return;
    }
    s->said_key = s->forgotten = false;
    s->said_packets = 0;
    s->alive_ms = uv_now(&l->uv) + MEDIA_ALIVE_MS;
    media_stream_say(s, PLATFORM_MEDIA_OPENED, 0, NULL);
}

/* ---- what is said ---- */

static void on_said(void *ctx)
{
    media_stream_say(ctx, PLATFORM_MEDIA_SAID, 0, NULL);
}

static void do_speak(struct media_loop *l, const struct platform_action *a)
{
    struct media_stream *s = media_stream_find(l, a->session);
    int err;

    if (!s || !s->ingest || s->speaker)
        return;
    ingest_speaks(s->ingest);
    if (a->speak.waits)
        return;
    err = speaker_new(&s->speaker, &l->speakers, s->ingest, &a->speak.voice,
                      on_said, s);
    if (err)
        media_stream_say(s, PLATFORM_MEDIA_ENDED, err, gb_strerror(err));
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
    struct media_stream *s = media_stream_find(w->loop, w->session);

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

static void do_close(struct media_loop *l, uint64_t session)
{
    struct media_stream *s = media_stream_find(l, session);
    struct platform_media_event ev = { .kind = PLATFORM_MEDIA_CLOSED,
                                       .session = session };

    if (!s || !s->ingest) {
        media_net_event(l->net, &ev);
        return;
    }
    s->say_closed = true;
    media_stream_close_ingest(s);
}

static void do_forget(struct media_loop *l, uint64_t session)
{
    struct media_stream *s = media_stream_find(l, session);

    if (!s)
        return;
    s->forgotten = true;
    if (s->ingest)
        media_stream_close_ingest(s);
    hub_end(s->hub);
    media_stream_try_free(s);
}

static void do_stop(struct media_loop *l)
{
    struct list *n, *tmp;

    l->stopping = true;
    if (l->shared)
        shared_close(l->shared);
    media_after_stop(l);
    LIST_EACH(n, tmp, &l->clients) {
        struct media_client *c = container_of(n, struct media_client, in_loop);

        media_client_leave(c);
        c->on_stop(c);
    }
    LIST_EACH(n, tmp, &l->streams) {
        struct media_stream *s = container_of(n, struct media_stream, in_loop);

        s->forgotten = true;
        if (s->ingest)
            media_stream_close_ingest(s);
        else if (!s->closing)
            media_stream_free(s);
    }
    media_loop_maybe_stop(l);
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
        kept_sets_unref(o->a.sets);
        break;
    case ORDER_ANSWER:
        s = media_stream_find(l, o->a.session);
        if (s && s->ingest) {
            media_share_answered(s, &o->a);
            ingest_answer(s->ingest, &o->a);
        }
        break;
    case ORDER_PACE:
        s = media_stream_find(l, o->a.session);
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
    kept_sets_ref(o->a.sets);
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
        media_net_event(n, &ev);
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
