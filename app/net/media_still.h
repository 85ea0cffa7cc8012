/* app/net/media_still.h - the newest key frame of a stream, as bytes on the main
 * loop: what frame.mp4 is */
#ifndef APP_NET_MEDIA_STILL_H
#define APP_NET_MEDIA_STILL_H

#include "app/net/media.h"

/* Made with malloc(3), zeroed; whoever gets it in on_done frees it with
 * media_still_free. */
struct media_still {
    struct mail mail;
    struct media_net *net;
    struct media_loop *loop;
    uint64_t session;
    uint64_t request; /* of the asker's own */
    /* On the main loop. err: 0, GB_ENOENT (no such session), GB_ENOMEM, or that
     * of hub_snapshot. */
    void (*on_done)(void *ctx, struct media_still *f);
    void *ctx;
    int err;
    char *bytes; /* free(3) */
    size_t n;
};
void media_still_free(struct media_still *f); /* NULL is fine */

/* On the main loop: takes f and calls on_done once, later; false: it did not,
 * the loop has no room. */
bool media_still_ask(struct media_net *n, unsigned loop,
                     struct media_still *f);
#endif
