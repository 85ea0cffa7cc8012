/* app/rtsp/viewer.h - one RTSP connection that has named a stream, on the media
 * loop of that stream
 *
 * Takes over a connection whose DESCRIBE or SETUP the main loop has admitted,
 * with that request still unread, and goes on from there: describes, sets up,
 * plays. Over TCP packets go out as they lie in the hub's chunks; over UDP from
 * a pair of ports of this viewer's own, by bursts. */
#ifndef APP_RTSP_VIEWER_H
#define APP_RTSP_VIEWER_H

#include "app/net/media.h"
#include "app/rtsp/session.h"
#include "app/rtsp/udp.h"

#define RTSP_IOVS 32
#define RTSP_WRITE_MS 10000       /* answers, and none of them is taken */
#define RTSP_DECIDE_MS 5000       /* for the tracks to be known */
#define RTSP_TICK_MS 1000         /* how exact time-outs are */
#define RTSP_DECIDE_TICK_MS 50    /* between two looks at them */
#define RTSP_UDP_BURST (48u << 10) /* bytes at a time: receivers have small
                                      buffers, and a key frame is large */
#define RTSP_UDP_PACE_MS 5        /* between two bursts */
#define RTSP_REMAP_BYTES 16384    /* packets on channels of a viewer's own */

/* A connection on its way between loops. Whoever takes it owns fd and unread,
 * and owes the platform one platform_session_release(session). */
struct rtsp_handover {
    int fd;         /* connected, non-blocking; -1: gone */
    void *place;    /* of the server's, kept until it is told */
    struct gb_addr local, remote;
    bool secure;    /* over TLS: no media beside it */
    uint64_t session; /* of the platform */
    uint64_t who;     /* the account it is for, and ends with; 0: none */
    unsigned loop, stream;
    char device[RTSP_ID_MAX + 1], channel[RTSP_ID_MAX + 1];
    char *unread;   /* begins with the request; free(3) */
    size_t n_unread;
};

struct rtsp_viewer_hooks {
    /* On the main loop: the viewer has gone. h->fd is -1, or a connection that
     * wants another stream: it is the callee's then, with h->unread. */
    void (*on_gone)(void *ctx, const struct rtsp_handover *h);
    void *ctx;
    uint32_t silence_ms; /* of a viewer over UDP; 0: RTSP_SILENCE_MS */
};

/* On the main loop. 0: takes h->fd and h->unread, and on_gone will be called
 * once; else nothing is taken. n and hooks outlive every viewer. */
int rtsp_viewer_start(struct media_net *n,
                      const struct rtsp_viewer_hooks *hooks,
                      const struct rtsp_handover *h);
#endif
