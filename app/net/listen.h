/* app/net/listen.h - TCP sockets that wait for connections */
#ifndef APP_NET_LISTEN_H
#define APP_NET_LISTEN_H

#include "app/net/refusal.h"
#include "base/addr.h"
#include "base/alloc.h"

#include <uv.h>

#define LISTEN_MAX 8 /* addresses of one server */

/* Binds and listens; IPv6 for IPv6 alone. tcp has been initialised, and is the
 * caller's to close, also on an error, which is libuv's. */
int listen_on(uv_tcp_t *tcp, const struct gb_addr *a, int backlog,
              uv_connection_cb on_connection);

/* The error of a host without IPv6, asked for any address of it: none, as long as
 * something else listens. */
bool listen_lacks_v6(const struct gb_addr *a, int err);

struct listen_hooks {
    /* A connection waits on h. false: there is no room for it, and nothing was
     * accepted; it is closed. */
    bool (*accept)(void *ctx, uv_stream_t *h);
    void (*on_closed)(void *ctx); /* after listen_set_close, once */
    void *ctx;
};

/* All that a server listens on. */
struct listen_set {
    struct listen_hooks hooks;
    const struct gb_alloc *alloc;
    struct listener *one[LISTEN_MAX]; /* NULL: not bound */
    unsigned open_handles;
    bool closing;
};

/* Listens on n addresses; one of IPv6 that this host lacks is passed over. The
 * set is zeroed before. GB_ELIMIT, GB_ENOMEM or libuv's error, then *failed (may
 * be NULL) is the address; listen_set_close is due in any case. */
int listen_set_open(struct listen_set *s, uv_loop_t *loop,
                    const struct gb_alloc *alloc,
                    const struct listen_hooks *hooks,
                    const struct gb_addr *addrs, size_t n, size_t *failed);

/* on_closed comes out of this call if nothing was open. */
void listen_set_close(struct listen_set *s);

/* Of the i-th as bound; zeroes if it is not. */
struct gb_addr listen_set_addr(const struct listen_set *s, size_t i);
#endif
