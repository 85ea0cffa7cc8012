/* app/net/mailbox.h - messages from any thread to one libuv loop, in order */
#ifndef APP_NET_MAILBOX_H
#define APP_NET_MAILBOX_H

#include "base/list.h"

#include <stdbool.h>
#include <uv.h>

#define MAILBOX_MAX 65536 /* undelivered mails; senders of states coalesce */

/* The head of a message, first in the sender's own struct. deliver runs on
 * the receiving loop and takes the mail: it frees it or sends it back. */
struct mail {
    struct list node;
    void (*deliver)(struct mail *m);
};

struct mailbox {
    uv_async_t async;
    uv_mutex_t lock;
    struct list waiting;
    unsigned n;
    void (*on_closed)(void *ctx);
    void *ctx;
};

/* 0 or a libuv error. Call on the loop's own thread, or before it runs. */
int mailbox_init(struct mailbox *b, uv_loop_t *loop);

/* Takes m; false, and m is still the sender's, when the box is full and the
 * mail is not urgent. Urgent mail is bounded by its kind: what can be told a few
 * times of a session, a viewer or a loop, never what a peer can cause at will. */
bool mailbox_send(struct mailbox *b, struct mail *m, bool urgent);

/* On the loop's thread; delivers what waits, then on_closed(ctx). */
void mailbox_close(struct mailbox *b, void (*on_closed)(void *ctx), void *ctx);
#endif
