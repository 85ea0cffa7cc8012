/* app/net/refusal.h - a connection that there is no room for is accepted and
 * closed
 *
 * libuv keeps a connection that its callback does not accept and listens no
 * more until that is done: a listener that had no memory once would be deaf for
 * ever. This needs none; it lies beside the listener. */
#ifndef APP_NET_REFUSAL_H
#define APP_NET_REFUSAL_H

#include <stdbool.h>
#include <uv.h>

struct refusal {
    uv_tcp_t tcp;
    uv_stream_t *listener; /* NULL: nothing is being closed */
    bool again;            /* another one waits */
    void (*on_done)(void *ctx);
    void *ctx;
};

/* Out of the listener's callback, in place of uv_accept. *r is zeroed at first
 * but for on_done and ctx, and lives until on_done. true: a handle is open, and
 * on_done follows when it is closed; false: one was open already. */
bool refusal_take(struct refusal *r, uv_stream_t *listener);
#endif
