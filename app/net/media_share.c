/* The sessions of the shared port, on whichever loop their packets come. */
#include "app/net/media_int.h"

#include "app/net/log.h"
#include "app/net/random.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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
    struct media_stream *s = media_stream_find(p->loop, p->session);

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

    return pass(l->net, to, pkt->remote, -1, pkt->p, pkt->n);
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
    struct media_stream *s = media_stream_find(ctx, session);

    return s && s->shared ? s->ingest : NULL;
}

/* 0, or why the session cannot be one of the shared port. */
int media_share_start(struct media_stream *s, const struct platform_action *a)
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

void media_share_stop(struct media_stream *s)
{
    if (!s->shared)
        return;
    s->shared = false;
    owners_remove(s->loop->net->owners, s->session, uv_now(&s->loop->uv));
    shared_changed(s->loop->shared);
}

void media_share_answered(struct media_stream *s,
                          const struct platform_action *a)
{
    if (!s->shared)
        return;
    owners_answer(s->loop->net->owners, s->session, !a->ssrc_any, a->ssrc,
                  &a->remote, uv_now(&s->loop->uv));
    shared_changed(s->loop->shared);
}

void media_share_waits(struct media_stream *s, uint64_t now_ms)
{
    bool waits = ingest_waits(s->ingest, now_ms);

    if (!s->shared || waits == s->waits)
        return;
    s->waits = waits;
    owners_wait(s->loop->net->owners, s->session, waits);
}

/* The sockets of all loops, in their order, before the threads run. */
static int open_shared(struct media_net *n, const char **what)
{
    uint8_t seed[16];
    int err = shared_probe(n->o.shared_port);

    *what = "shared media port";
    random_bytes(seed, sizeof(seed));
    if (!err)
        err = owners_new(&n->owners, seed);
    for (unsigned i = 0; !err && i < n->n_loops; i++) {
        struct media_loop *l = &n->loop[i];
        struct shared_options o = {
            .loop = &l->uv, .pool = &l->pool, .owners = n->owners,
            .counters = &l->of_shared, .index = i,
            .port = n->o.shared_port, .listen = i == 0,
            .find = on_find, .pass = on_pass,
            .pass_connection = on_pass_connection,
            .after = media_after_seen, .ctx = l,
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

int media_share_open(struct media_net *n, const char **what)
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
