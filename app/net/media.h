/* app/net/media.h - the media loops: one thread and one libuv loop each
 *
 * A stream with its sockets, demuxer, hub and all its viewers lives on one
 * loop, so media takes no locks. The main loop sends orders and connections by
 * mail and gets the platform's media events back the same way. */
#ifndef APP_NET_MEDIA_H
#define APP_NET_MEDIA_H

#include "app/media/hub.h"
#include "app/net/mailbox.h"
#include "app/platform/platform.h"
#include "app/trace/rtplog.h"

#define MEDIA_MAX_LOOPS 64     /* however many cores there are */
#define MEDIA_TICK_MS 50       /* while a loop has streams */
#define MEDIA_SLOW_MS 200      /* for what may wait longer: each look at a stream
                                  fetches what the caches have lost */
#define MEDIA_ALIVE_MS 1000    /* between two PLATFORM_MEDIA_ALIVE */

/* How many loops a machine gets: those that were told, or with 0 one for each of
 * its cores but one. */
unsigned media_net_loops(unsigned told, unsigned cores);

struct media_net;
struct media_loop;

struct media_net_config {
    uv_loop_t *main;     /* on_event runs there */
    unsigned loops;      /* 1..MEDIA_MAX_LOOPS */
    struct hub_options hub;
    bool any_source;     /* of struct ingest_options */
    uint16_t shared_port; /* of app/net/shared.h, even; 0: there is none */
    bool shared_needed;  /* without it nothing starts; else it is done without,
                            and media_net_shared_port is 0 */
    void (*on_event)(void *ctx, const struct platform_media_event *ev);
    void *ctx;
};

/* Starts the threads. 0, GB_ENOMEM or a libuv error; *what (may be NULL) says of
 * what, when it is the shared port, else it is NULL. */
int media_net_new(struct media_net **out, const struct media_net_config *cfg,
                  const char **what);
uint16_t media_net_shared_port(const struct media_net *n);

/* Ends every stream and viewer, joins the threads; then on_closed. */
void media_net_close(struct media_net *n, void (*on_closed)(void *ctx),
                     void *ctx);

/* A PLATFORM_DO_* action. OPEN: the session keeps its RTP headers in `headers`
 * (NULL: it does not), of which it takes a reference. On failure to reach the
 * loop the session is REFUSED or CLOSED by an event, as if the loop had said
 * so. */
void media_net_order(struct media_net *n, const struct platform_action *a,
                     struct rtplog *headers);

/* Something to say, samples of 8 kHz, after its PLATFORM_DO_SPEAK; lost where
 * the session is not or the loop is behind. */
void media_net_say(struct media_net *n, uint64_t session, unsigned loop,
                   const int16_t *pcm, size_t n_samples);

/* The session is over for good: its viewers get what is there and an end. */
void media_net_forget(struct media_net *n, uint64_t session, unsigned loop);

/* Ends the clients that are for this account; those that are handed over from
 * now on are not meant. false: no memory, and some may stay. */
bool media_net_dismiss(struct media_net *n, uint64_t who);

/* Sends mail to a loop, or from a loop to main; see mailbox_send. */
bool media_net_post(struct media_net *n, unsigned loop, struct mail *m);
bool media_net_post_main(struct media_net *n, struct mail *m);
struct media_loop *media_net_loop(struct media_net *n, unsigned loop);

/* ---- on the loop's own thread ------------------------------------------- */

uv_loop_t *media_loop_uv(struct media_loop *l);

/* A viewer: embedded by whoever writes to its socket. */
struct media_stream;
struct media_client {
    struct hub_viewer v;
    struct media_stream *stream; /* NULL: in none */
    struct list node, in_loop, woken;
    uint64_t who; /* see media_net_dismiss; 0: nobody's */
    /* Bytes are there, or v.state is ENDED or CUT. At the end of a turn of the
     * loop, once for all that came in it. */
    void (*on_wake)(struct media_client *c);
    /* The loop ends, or who it is for has to go, and the client has left it: close
     * the socket. */
    void (*on_stop)(struct media_client *c);
};

/* c, zeroed but for its functions, belongs to the loop until it leaves: the
 * loop will call on_stop when it ends. */
void media_client_join(struct media_loop *l, struct media_client *c);
void media_client_leave(struct media_client *c); /* removes it, too */

/* Lets a client that has joined watch a session. 0; GB_ENOENT: no such session
 * on this loop; or hub_viewer_add's error. Call hub_viewer_next afterwards. */
int media_client_add(struct media_loop *l, uint64_t session,
                     struct media_client *c,
                     const struct hub_viewer_options *opt);
void media_client_remove(struct media_client *c); /* harmless when in none */

/* What a description of a session needs. config: references of the caller's,
 * NULL: no such track. 0; GB_ENOENT: no such session; GB_EAGAIN: its tracks are
 * not decided yet. */
struct media_tracks {
    struct media_config *config[MEDIA_TRACKS];
    uint32_t ssrc[MEDIA_TRACKS]; /* of HUB_RTP */
};
int media_loop_tracks(struct media_loop *l, uint64_t session,
                      struct media_tracks *out);

/* Puts a tap to a session's hub, from its next frame or its cached pictures on
 * (which come inside this call); it leaves with the hub's end. *hub (borrowed
 * until then) is where it is. GB_ENOENT. */
int media_loop_tap(struct media_loop *l, uint64_t session, struct hub_tap *t,
                   bool from_gop, struct hub **hub);

/* hub_snapshot of a session's hub; GB_ENOENT. */
int media_loop_snapshot(struct media_loop *l, uint64_t session,
                        struct media_chunk **out);

/* false: what a session receives is no program stream; see hub_has_program. */
bool media_loop_has_program(struct media_loop *l, uint64_t session);

/* A question about HLS (app/net/media_hls.h), which is taken. */
struct media_hls_ask;
void media_loop_hls(struct media_loop *l, struct media_hls_ask *a);

/* On the main loop, every PULSE_EVERY_MS: how long the loop that has not turned
 * for longest is silent, ms; 0: all have turned since the last call. *loop is its
 * number. Memory that has been empty for long goes back. */
uint64_t media_net_silent(struct media_net *n, uint64_t now_ms, unsigned *loop);

struct media_net_counters {
    uint64_t packets, bytes, lost, foreign, invalid;
    uint64_t kernel_drops; /* of media sockets, the shared ones included */
    uint64_t passed, unknown, resting, refused; /* of the shared port: see
                                                   struct shared_counters */
    uint32_t streams, viewers;
};
/* A sum over the loops, each as of its last slow tick; any thread. */
void media_net_counters(const struct media_net *n,
                        struct media_net_counters *out);
#endif
