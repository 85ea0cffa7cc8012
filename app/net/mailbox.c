#include "app/net/mailbox.h"

static void deliver_all(struct mailbox *b)
{
    for (;;) {
        struct list *n;

        uv_mutex_lock(&b->lock);
        n = list_pop_front(&b->waiting);
        if (n)
            b->n--;
        uv_mutex_unlock(&b->lock);
        if (!n)
            return;
        {
            struct mail *m = container_of(n, struct mail, node);

            m->deliver(m);
        }
    }
}

static void on_async(uv_async_t *a)
{
    deliver_all(a->data);
}

int mailbox_init(struct mailbox *b, uv_loop_t *loop)
{
    int err = uv_mutex_init(&b->lock);

    if (err)
        return err;
    list_init(&b->waiting);
    b->n = 0;
    err = uv_async_init(loop, &b->async, on_async);
    b->async.data = b;
    if (err)
        uv_mutex_destroy(&b->lock);
    return err;
}

bool mailbox_send(struct mailbox *b, struct mail *m, bool urgent)
{
    bool taken;

    uv_mutex_lock(&b->lock);
    taken = urgent || b->n < MAILBOX_MAX;
    if (taken) {
        list_push_back(&b->waiting, &m->node);
        b->n++;
    }
    uv_mutex_unlock(&b->lock);
    if (taken)
        uv_async_send(&b->async);
    return taken;
}

static void on_async_closed(uv_handle_t *h)
{
    struct mailbox *b = h->data;

    uv_mutex_destroy(&b->lock);
    if (b->on_closed)
        b->on_closed(b->ctx);
}

void mailbox_close(struct mailbox *b, void (*on_closed)(void *ctx), void *ctx)
{
    deliver_all(b);
    b->on_closed = on_closed;
    b->ctx = ctx;
    uv_close((uv_handle_t *)&b->async, on_async_closed);
}
