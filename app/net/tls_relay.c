#include "app/net/tls_relay.h"

#include "app/net/mailbox.h"
#include "base/list.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SWEEP_MS 500
#define TLS_HANDSHAKE 0x16  /* the first byte of a client that speaks TLS */
#define NOTSENT_BYTES 16384 /* as viewers have it */

struct tls_relay {
    struct tls_relay_config cfg;
    bool runs;
    uv_thread_t thread;
    uv_loop_t loop;
    uv_timer_t sweep;
    struct mailbox box;
    struct list links; /* struct link */
    struct mail ending;
    bool is_ending;
    atomic_ullong taken, failed;
    atomic_uint now;
    char scratch[65536], plain[65536]; /* of the thread */
};

/* One direction's write; the bytes are behind it. */
struct put {
    uv_write_t req;
    struct link *link;
    char bytes[];
};

struct link {
    struct mail mail;
    struct list node;
    struct tls_relay *relay;
    struct tls *tls;
    uv_tcp_t net;    /* to the client */
    uv_pipe_t inner; /* to the server */
    unsigned open;   /* handles */
    bool to_net;       /* a write is under way */
    unsigned to_inner; /* so many are */
    bool bye;        /* the server has ended */
    bool closing;
    uv_shutdown_t shut;
    uint64_t until_ms; /* lingers */
    bool up;           /* the handshake was done once */
    /* Since the server has ended: when that was seen, what was not written then,
     * and since when it is so much. */
    uint64_t ended_ms, moved_ms;
    size_t left;
    int fd, inner_fd; /* until they are opened */
    char *unread;
    size_t n_unread;
};

/* ---- a connection --------------------------------------------------------------- */

static void net_on(struct link *l);
static void inner_on(struct link *l);
static void take_cipher(struct link *l, struct slice in);

static void link_free(struct link *l)
{
    tls_free(l->tls);
    atomic_fetch_sub(&l->relay->now, 1);
    free(l->unread);
    free(l);
}

static void on_closed(uv_handle_t *h)
{
    struct link *l = h->data;

    if (--l->open == 0)
        link_free(l);
}

static void link_close(struct link *l)
{
    if (l->closing)
        return;
    l->closing = true;
    if (!l->up)
        atomic_fetch_add(&l->relay->failed, 1);
    list_remove(&l->node);
    uv_close((uv_handle_t *)&l->net, on_closed);
    uv_close((uv_handle_t *)&l->inner, on_closed);
}

static struct put *put_new(struct link *l, struct slice s)
{
    struct put *p = malloc(sizeof(*p) + s.n);

    if (p) {
        p->link = l;
        memcpy(p->bytes, s.p, s.n);
    }
    return p;
}

static void on_shut(uv_shutdown_t *req, int status)
{
    (void)req;
    (void)status;
}

/* All is said: the client reads it in peace. */
static void linger(struct link *l)
{
    l->until_ms = uv_now(&l->relay->loop) + TLS_RELAY_LINGER_MS;
    if (uv_shutdown(&l->shut, (uv_stream_t *)&l->net, on_shut))
        link_close(l);
    else
        net_on(l);
}

static void on_net_written(uv_write_t *req, int status);

/* What TLS has for the client. */
static void flush(struct link *l)
{
    struct slice out = tls_output(l->tls);
    struct put *p;
    uv_buf_t buf;

    if (l->to_net || l->closing)
        return;
    if (out.n == 0) {
        if (l->bye)
            linger(l);
        else if (tls_is_up(l->tls))
            inner_on(l);
        return;
    }
    p = put_new(l, out);
    if (!p) {
        link_close(l);
        return;
    }
    tls_sent(l->tls, out.n);
    buf = uv_buf_init(p->bytes, (unsigned)out.n);
    l->to_net = true;
    if (uv_write(&p->req, (uv_stream_t *)&l->net, &buf, 1, on_net_written)) {
        free(p);
        l->to_net = false;
        link_close(l);
    }
}

static void on_net_written(uv_write_t *req, int status)
{
    struct put *p = container_of(req, struct put, req);
    struct link *l = p->link;

    free(p);
    l->to_net = false;
    if (l->closing)
        return;
    l->moved_ms = uv_now(&l->relay->loop);
    if (status)
        link_close(l);
    else
        flush(l);
}

static void on_inner_written(uv_write_t *req, int status)
{
    struct put *p = container_of(req, struct put, req);
    struct link *l = p->link;

    free(p);
    l->to_inner--;
    if (l->closing)
        return;
    if (status && !l->bye)
        link_close(l);
    else
        net_on(l);
}

/* Plain bytes to the server; the client waits until it has taken them. */
static bool pass(struct link *l, const char *bytes, size_t n)
{
    struct put *p;
    uv_buf_t buf;

    if (n == 0 || l->bye)
        return true; /* nobody listens any more */
    p = put_new(l, slice_of(bytes, n));
    if (!p)
        return false;
    buf = uv_buf_init(p->bytes, (unsigned)n);
    uv_read_stop((uv_stream_t *)&l->net);
    if (uv_write(&p->req, (uv_stream_t *)&l->inner, &buf, 1,
                 on_inner_written)) {
        free(p);
        return false;
    }
    l->to_inner++;
    return true;
}

static void take_cipher(struct link *l, struct slice in)
{
    struct tls_relay *r = l->relay;
    size_t n;
    int err;

    do {
        err = tls_decrypt(l->tls, &in, r->plain, sizeof(r->plain), &n);
        l->up |= tls_is_up(l->tls);
        if (!pass(l, r->plain, n))
            err = GB_EIO;
    } while (!err && n == sizeof(r->plain));
    if (err) { /* what it has to say about that is worth one try */
        struct slice out = tls_output(l->tls);
        uv_buf_t buf = uv_buf_init((char *)(uintptr_t)out.p, (unsigned)out.n);

        if (out.n && !l->to_net)
            uv_try_write((uv_stream_t *)&l->net, &buf, 1);
        link_close(l);
        return;
    }
    flush(l);
}

static void on_alloc(uv_handle_t *h, size_t hint, uv_buf_t *buf)
{
    struct link *l = h->data;

    (void)hint;
    *buf = uv_buf_init(l->relay->scratch, sizeof(l->relay->scratch));
}

static void on_net(uv_stream_t *h, ssize_t n, const uv_buf_t *buf)
{
    struct link *l = h->data;

    if (n < 0)
        link_close(l);
    else if (n > 0 && !l->until_ms)
        take_cipher(l, slice_of(buf->base, (size_t)n));
}

static void net_on(struct link *l)
{
    if (!l->closing && !l->to_inner &&
        uv_read_start((uv_stream_t *)&l->net, on_alloc, on_net) &&
        !uv_is_active((uv_handle_t *)&l->net))
        link_close(l);
}

static void on_inner(uv_stream_t *h, ssize_t n, const uv_buf_t *buf)
{
    struct link *l = h->data;
    int err = 0;

    if (n == 0)
        return;
    uv_read_stop(h);
    if (n < 0) {
        l->bye = true;
        tls_bye(l->tls);
    } else {
        err = tls_encrypt(l->tls, slice_of(buf->base, (size_t)n));
    }
    if (err)
        link_close(l);
    else
        flush(l);
}

/* Not before the handshake is done: until then nothing can be sent. */
static void inner_on(struct link *l)
{
    if (!l->closing && !l->bye &&
        uv_read_start((uv_stream_t *)&l->inner, on_alloc, on_inner) &&
        !uv_is_active((uv_handle_t *)&l->inner))
        link_close(l);
}

/* The server will say no more, whether it was read to its end or not. */
static bool has_server_ended(const struct link *l)
{
    struct pollfd p = { .fd = l->inner_fd, .events = POLLRDHUP };

    return l->bye || (poll(&p, 1, 0) == 1 && p.revents);
}

/* Nobody waits for this one any more: who never ends the handshake, who has said
 * good-bye and stays, and who does not take what is left for him. A server that
 * has not ended minds its own time. */
static bool is_over(struct link *l, uint64_t now_ms)
{
    const struct tls_relay_config *c = &l->relay->cfg;
    size_t left = uv_stream_get_write_queue_size((uv_stream_t *)&l->net);

    if (l->until_ms && now_ms >= l->until_ms)
        return true;
    if (!has_server_ended(l))
        return false;
    if (!l->up)
        return true;
    if (!l->ended_ms) {
        l->ended_ms = l->moved_ms = now_ms;
        l->left = left;
    }
    if (left != l->left) {
        l->left = left;
        l->moved_ms = now_ms;
    }
    return now_ms - l->moved_ms >= c->stall_ms ||
           now_ms - l->ended_ms >= c->rest_ms;
}

static void on_sweep(uv_timer_t *t)
{
    struct tls_relay *r = t->data;
    struct list *n, *next;

    LIST_EACH(n, next, &r->links) {
        struct link *l = container_of(n, struct link, node);

        if (is_over(l, uv_now(&r->loop)))
            link_close(l);
    }
    if (list_is_empty(&r->links))
        uv_timer_stop(t);
}

/* ---- the thread ------------------------------------------------------------------- */

static void deliver_link(struct mail *m)
{
    struct link *l = container_of(m, struct link, mail);
    struct tls_relay *r = l->relay;
    int lowat = NOTSENT_BYTES;

    l->net.data = l->inner.data = l;
    uv_tcp_init(&r->loop, &l->net);
    uv_pipe_init(&r->loop, &l->inner, 0);
    l->open = 2;
    list_push_back(&r->links, &l->node);
    setsockopt(l->fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &lowat, sizeof(lowat));
    if (uv_tcp_open(&l->net, l->fd)) {
        close(l->fd);
        close(l->inner_fd);
        link_close(l);
        return;
    }
    if (uv_pipe_open(&l->inner, l->inner_fd)) {
        close(l->inner_fd);
        link_close(l);
        return;
    }
    uv_tcp_nodelay(&l->net, 1);
    if (!uv_is_active((uv_handle_t *)&r->sweep))
        uv_timer_start(&r->sweep, on_sweep, SWEEP_MS, SWEEP_MS);
    if (r->is_ending) {
        link_close(l);
        return;
    }
    net_on(l);
    take_cipher(l, slice_of(l->unread, l->n_unread));
}

static void deliver_end(struct mail *m)
{
    struct tls_relay *r = container_of(m, struct tls_relay, ending);
    struct list *n, *next;

    r->is_ending = true;
    LIST_EACH(n, next, &r->links)
        link_close(container_of(n, struct link, node));
    uv_close((uv_handle_t *)&r->sweep, NULL);
    mailbox_close(&r->box, NULL, NULL);
}

static void run(void *arg)
{
    struct tls_relay *r = arg;

    uv_run(&r->loop, UV_RUN_DEFAULT);
}

static int start(struct tls_relay *r)
{
    if (r->runs)
        return 0;
    if (uv_loop_init(&r->loop))
        return GB_ENOMEM;
    uv_timer_init(&r->loop, &r->sweep);
    r->sweep.data = r;
    if (mailbox_init(&r->box, &r->loop) == 0) {
        r->runs = uv_thread_create(&r->thread, run, r) == 0;
        if (r->runs)
            return 0;
        mailbox_close(&r->box, NULL, NULL);
    }
    uv_close((uv_handle_t *)&r->sweep, NULL);
    uv_run(&r->loop, UV_RUN_DEFAULT);
    uv_loop_close(&r->loop);
    return GB_ENOMEM;
}

/* ---- the owner ---------------------------------------------------------------------- */

int tls_relay_new(struct tls_relay **out, const struct tls_relay_config *cfg)
{
    struct tls_relay *r = calloc(1, sizeof(*r));

    if (!r)
        return GB_ENOMEM;
    r->cfg = *cfg;
    if (!r->cfg.stall_ms)
        r->cfg.stall_ms = TLS_RELAY_STALL_MS;
    if (!r->cfg.rest_ms)
        r->cfg.rest_ms = TLS_RELAY_REST_MS;
    if (!r->cfg.links_max)
        r->cfg.links_max = TLS_RELAY_LINKS_MAX;
    list_init(&r->links);
    *out = r;
    return 0;
}

static int make_pair(int pair[2])
{
    int size = TLS_RELAY_BUFFER;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0,
                   pair))
        return GB_EIO;
    for (int i = 0; i < 2; i++)
        setsockopt(pair[i], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
    return 0;
}

/* All but the sockets. */
static struct link *link_new(struct tls_relay *r, int fd, struct slice unread,
                             struct tls_ctx *ctx)
{
    struct link *l = calloc(1, sizeof(*l));

    if (!l)
        return NULL;
    l->relay = r;
    l->fd = fd;
    l->mail.deliver = deliver_link;
    l->unread = malloc(unread.n + 1);
    if (!l->unread || tls_new(&l->tls, ctx, NULL)) {
        free(l->unread);
        free(l);
        return NULL;
    }
    if (unread.n)
        memcpy(l->unread, unread.p, unread.n);
    l->n_unread = unread.n;
    atomic_fetch_add(&r->now, 1);
    return l;
}

/* What a connection needs before it is one. */
static int prepare(struct tls_relay *r, struct tls_ctx **ctx, int pair[2])
{
    int err;

    if (atomic_load(&r->now) >= r->cfg.links_max)
        return GB_ELIMIT;
    *ctx = r->cfg.server(r->cfg.ctx);
    if (!*ctx)
        return GB_EIO;
    err = start(r);
    return err ? err : make_pair(pair);
}

int tls_relay_take(struct tls_relay *r, int fd, struct slice unread,
                   int *plain)
{
    struct tls_ctx *ctx;
    struct link *l;
    int pair[2], err = prepare(r, &ctx, pair);

    if (err)
        return err;
    l = link_new(r, fd, unread, ctx);
    if (l) {
        l->inner_fd = pair[0];
        if (mailbox_send(&r->box, &l->mail, false)) {
            atomic_fetch_add(&r->taken, 1);
            *plain = pair[1];
            return 0;
        }
        link_free(l);
    }
    close(pair[0]);
    close(pair[1]);
    return GB_ENOMEM;
}

bool tls_relay_takes(struct tls_relay *r, const uv_tcp_t *tcp,
                     struct slice unread, int *plain)
{
    uv_os_fd_t fd;
    int dup;

    if (!r || !unread.n || unread.p[0] != TLS_HANDSHAKE ||
        uv_fileno((const uv_handle_t *)tcp, &fd))
        return false;
    dup = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (dup < 0)
        return false;
    if (tls_relay_take(r, dup, unread, plain) == 0)
        return true;
    close(dup);
    return false;
}

void tls_relay_counters(struct tls_relay *r, struct tls_relay_counters *out)
{
    *out = (struct tls_relay_counters){ .taken = atomic_load(&r->taken),
                                        .failed = atomic_load(&r->failed),
                                        .connections = atomic_load(&r->now) };
}

void tls_relay_free(struct tls_relay *r)
{
    if (!r)
        return;
    if (r->runs) {
        r->ending.deliver = deliver_end;
        mailbox_send(&r->box, &r->ending, true);
        uv_thread_join(&r->thread);
        uv_loop_close(&r->loop);
    }
    free(r);
}
