#include "app/net/listen.h"

#include "app/net/sockaddr.h"
#include "base/err.h"

#define BACKLOG 511

struct listener {
    uv_tcp_t tcp;
    struct refusal refusal;
    struct listen_set *set;
};

int listen_on(uv_tcp_t *tcp, const struct gb_addr *a, int backlog,
              uv_connection_cb on_connection)
{
    struct sockaddr_storage ss;
    int err;

    sockaddr_of(&ss, a, false);
    err = uv_tcp_bind(tcp, (const struct sockaddr *)&ss,
                      a->family == GB_IPV6 ? UV_TCP_IPV6ONLY : 0);
    return err ? err : uv_listen((uv_stream_t *)tcp, backlog, on_connection);
}

bool listen_lacks_v6(const struct gb_addr *a, int err)
{
    return a->family == GB_IPV6 && gb_addr_is_any(a) &&
           (err == UV_EAFNOSUPPORT || err == UV_EADDRNOTAVAIL);
}

/* ---- a set ---------------------------------------------------------------- */

static void end(struct listen_set *s)
{
    for (size_t i = 0; i < LISTEN_MAX; i++) {
        gb_put(s->alloc, s->one[i]);
        s->one[i] = NULL;
    }
    s->hooks.on_closed(s->hooks.ctx);
}

static void handle_closed(void *ctx)
{
    struct listen_set *s = ctx;

    if (--s->open_handles == 0 && s->closing)
        end(s);
}

static void on_listener_closed(uv_handle_t *h)
{
    struct listener *l = h->data;

    handle_closed(l->set); /* l is needed until all is closed */
}

static void on_connection(uv_stream_t *h, int status)
{
    struct listener *l = h->data;
    struct listen_set *s = l->set;

    if (!status && !s->hooks.accept(s->hooks.ctx, h))
        s->open_handles += refusal_take(&l->refusal, h);
}

static int add(struct listen_set *s, uv_loop_t *loop, size_t i,
               const struct gb_addr *addr)
{
    struct listener *l = gb_get(s->alloc, sizeof(*l));
    int err;

    if (!l)
        return GB_ENOMEM;
    *l = (struct listener){
        .set = s, .refusal = { .on_done = handle_closed, .ctx = s }
    };
    err = uv_tcp_init(loop, &l->tcp);
    l->tcp.data = l;
    if (err) {
        gb_put(s->alloc, l);
        return err;
    }
    s->one[i] = l;
    s->open_handles++;
    return listen_on(&l->tcp, addr, BACKLOG, on_connection);
}

int listen_set_open(struct listen_set *s, uv_loop_t *loop,
                    const struct gb_alloc *alloc,
                    const struct listen_hooks *hooks,
                    const struct gb_addr *addrs, size_t n, size_t *failed)
{
    size_t bound = 0;

    s->alloc = alloc;
    s->hooks = *hooks;
    if (n > LISTEN_MAX)
        return GB_ELIMIT;
    for (size_t i = 0; i < n; i++) {
        int err = add(s, loop, i, &addrs[i]);

        if (!err) {
            bound++;
            continue;
        }
        if (failed)
            *failed = i;
        if (!listen_lacks_v6(&addrs[i], err) || (i + 1 == n && bound == 0))
            return err;
    }
    return 0;
}

void listen_set_close(struct listen_set *s)
{
    s->closing = true;
    for (size_t i = 0; i < LISTEN_MAX; i++)
        if (s->one[i])
            uv_close((uv_handle_t *)&s->one[i]->tcp, on_listener_closed);
    if (s->open_handles == 0)
        end(s);
}

struct gb_addr listen_set_addr(const struct listen_set *s, size_t i)
{
    struct gb_addr a = { 0 };

    if (i < LISTEN_MAX && s->one[i])
        sockaddr_local(&s->one[i]->tcp, &a);
    return a;
}
