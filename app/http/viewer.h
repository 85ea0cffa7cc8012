/* app/http/viewer.h - one connection that watches a stream, on its media loop
 *
 * Takes over a connection that HTTP has authenticated, writes the head of the
 * answer, then what the hub has for it: FLV or fMP4, over HTTP, over WebSocket,
 * or in go2rtc's MSE dialect. Writes only what the socket takes; the rest waits
 * in the hub, shared by all. */
#ifndef APP_HTTP_VIEWER_H
#define APP_HTTP_VIEWER_H

#include "app/http/stream.h"
#include "app/net/media.h"

#define VIEWER_IOVS 64
#define VIEWER_READ_BYTES 4096
#define VIEWER_HELLO_MS 10000    /* MSE: connection to its first message */
#define VIEWER_BURST_BYTES (512u << 10) /* MSE: of the cached pictures, then a
                                           pause: go2rtc's player keeps 2 MiB
                                           while the browser decodes */
#define VIEWER_BURST_MS 50
#define VIEWER_LINGER_MS 1000    /* WebSocket: for the peer to read our Close */
#define VIEWER_JUNK_MAX 65536    /* bytes that an HTTP viewer may send */
#define VIEWER_WRITE_MS 10000    /* bytes that are not the hub's, and none of
                                    them is taken */

struct viewer_hooks {
    /* On the main loop: this viewer has gone, fd and unread with it. */
    void (*on_gone)(void *ctx, const struct http_handover *h);
    void *ctx;
    uint32_t write_ms; /* 0: VIEWER_WRITE_MS */
};

/* On the main loop. 0: takes h->fd and h->unread, and on_gone will be called
 * once; else nothing is taken. n and hooks outlive every viewer. */
int viewer_start(struct media_net *n, const struct viewer_hooks *hooks,
                 const struct http_handover *h);
#endif
