/* app/net/media_hls.h - HLS of a stream on its media loop, asked for from main
 *
 * Files of HLS are asked for one by one over connections that stay on the main
 * loop. A question goes to the loop by mail and comes back the same way, with a
 * counted part. Segments are made while somebody asks for the playlist. */
#ifndef APP_NET_MEDIA_HLS_H
#define APP_NET_MEDIA_HLS_H

#include "app/media/hls.h"
#include "app/net/media.h"

#define MEDIA_HLS_WAIT_MS 10000 /* for the first segment */
#define MEDIA_HLS_ASK_MS 2000   /* of that, before the camera is asked for key
                                   frames: a segment goes from one to another */
#define MEDIA_HLS_IDLE_MS 20000 /* without a playlist: no more segments */

enum media_hls_what { MEDIA_HLS_PLAYLIST, MEDIA_HLS_INIT, MEDIA_HLS_SEGMENT };

/* One question, and its answer. Made with malloc(3), zeroed; whoever gets it in
 * on_done frees it with media_hls_ask_free. */
struct media_hls_ask {
    struct mail mail;
    struct list node;
    struct media_net *net;
    struct media_loop *loop;
    enum media_hls_what what;
    uint64_t session;
    uint64_t request;  /* of the asker's own */
    uint64_t number;   /* of the init or segment */
    int64_t utc_ms;    /* now */
    char query[HLS_QUERY_MAX + 1]; /* see hls_playlist_write */
    /* On the main loop. err: 0; GB_ENOENT: no such session, or no such file any
     * more; GB_EAGAIN: no segment in MEDIA_HLS_WAIT_MS; GB_ENOMEM. */
    void (*on_done)(void *ctx, struct media_hls_ask *a);
    void *ctx;
    uint64_t until_ms;
    int err;
    struct hls_part *part;
    char *text; /* the playlist; free(3) */
    size_t n_text;
};
void media_hls_ask_free(struct media_hls_ask *a); /* NULL is fine */

/* On the main loop: takes a and calls on_done once, later; false: it did not,
 * the loop has no room. */
bool media_hls_ask(struct media_net *n, unsigned loop, struct media_hls_ask *a);

/* ---- on the loop's thread, for media.c ------------------------------------ */

struct media_hls;

/* Answers a, now or later; *slot is made when it is needed. hub NULL: there is
 * no such session. */
void media_hls_answer(struct media_hls **slot, struct hub *hub,
                      struct media_hls_ask *a, uint64_t now_ms);
void media_hls_tick(struct media_hls **slot, struct hub *hub, uint64_t now_ms);
void media_hls_free(struct media_hls *m); /* NULL is fine; who waits is told */
#endif
