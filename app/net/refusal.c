#include "app/net/refusal.h"

static void on_closed(uv_handle_t *h);

static void take(struct refusal *r)
{
    r->again = false;
    uv_tcp_init(r->listener->loop, &r->tcp); /* without a socket: cannot fail */
    r->tcp.data = r;
    uv_accept(r->listener, (uv_stream_t *)&r->tcp);
    uv_close((uv_handle_t *)&r->tcp, on_closed);
}

static void on_closed(uv_handle_t *h)
{
    struct refusal *r = h->data;

    if (r->again && !uv_is_closing((uv_handle_t *)r->listener)) {
        take(r);
        return;
    }
    r->listener = NULL;
    r->on_done(r->ctx);
}

bool refusal_take(struct refusal *r, uv_stream_t *listener)
{
    if (r->listener) {
        r->again = true;
        return false;
    }
    r->listener = listener;
    take(r);
    return true;
}
