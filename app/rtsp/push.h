/* app/rtsp/push.h - one connection that sends a stream to another server, on the
 * media loop of that stream
 *
 * RTMP by app/media/rtmp.h, RTSP by app/rtsp/announce.h; the bytes are the hub's,
 * as every viewer gets them. One write is under way at a time: what the server
 * does not take stays in the hub, which skips to a key frame or cuts. With TLS
 * they are encrypted on this loop. */
#ifndef APP_RTSP_PUSH_H
#define APP_RTSP_PUSH_H

#include "app/media/push_url.h"
#include "app/net/media.h"
#include "app/net/tls.h"

#define PUSH_BEGIN_MS 10000 /* from the look-up of the name to pictures */
#define PUSH_TICK_MS 250
#define PUSH_OUT_BYTES 131072 /* of one write */
#define PUSH_IN_BYTES 4096
#define PUSH_CIPHER_IN_BYTES 16384 /* of one read of TLS */
#define PUSH_CIPHER_OUT_BYTES (PUSH_OUT_BYTES + 8192) /* of one write of it */
#define PUSH_IOVS 32
#define PUSH_TEXT_MAX 256   /* why it is over, with its NUL */

struct push_link;

struct push_hooks {
    /* On the main loop. Its state: often, while it is there. */
    void (*on_told)(void *ctx, uint64_t id, bool live, uint64_t bytes);
    /* It is over, and freed after this. */
    void (*on_gone)(void *ctx, uint64_t id, uint64_t bytes, const char *why);
    /* The context of a connection with TLS, borrowed during the call, on the
     * main loop; NULL: there is none. */
    struct tls_ctx *(*tls)(void *ctx);
    void *ctx;
    uint32_t begin_ms; /* 0: PUSH_BEGIN_MS */
};

/* On the main loop; n and hooks outlive it. 0: on_gone will be called once.
 * GB_ENOMEM, GB_ESYNTAX (url), GB_EUNSUPPORTED: no TLS; GB_ELIMIT: the loop has
 * no room. */
int push_link_start(struct push_link **out, struct media_net *n,
                    const struct push_hooks *hooks, unsigned loop,
                    uint64_t session, uint64_t id, struct slice url);

/* On the main loop, before on_gone: end it soon. false: try again later. */
bool push_link_stop(struct push_link *l);

/* On the main loop: calls on_told when there is something new. */
void push_link_tell(struct push_link *l);
#endif
