/* app/net/media_int.h - what the files of the media loops share; see media.h */
#ifndef APP_NET_MEDIA_INT_H
#define APP_NET_MEDIA_INT_H

#include "app/media/params.h"
#include "app/net/ingest.h"
#include "app/net/media.h"
#include "app/net/media_hls.h"
#include "app/net/pace.h"
#include "app/net/pulse.h"
#include "app/net/reserve.h"
#include "app/net/rooms.h"
#include "app/net/shared.h"
#include "app/net/speaker.h"
#include "base/map.h"

#include <stdatomic.h>

#define MEDIA_TEXT_MAX 160 /* evidence carried by an event */
#define MEDIA_AFTER_MAX 256    /* ports of ended sessions watched by one loop */
#define MEDIA_AFTER_FROM_MS 2000 /* open again so long after the end */
#define MEDIA_AFTER_MS 10000     /* until something comes, or it is so late */
#define MEDIA_RESERVE_MAX 64 /* orders and events each that need no heap */

struct media_stream {
    struct map_node node;
    struct list in_loop;
    uint64_t session;
    struct media_loop *loop;
    struct hub *hub;
    struct ingest *ingest; /* NULL: closed; the hub may live on */
    struct after_port {    /* to be watched when its ingest has closed */
        struct gb_addr from;
        uint32_t ssrc;
        uint16_t port;     /* 0: none */
    } after;
    unsigned closing;      /* ingests that libuv has not let go yet */
    bool say_closed;       /* a CLOSE waits for that */
    struct list clients;
    struct media_hls *hls; /* NULL: nobody asks for it */
    struct speaker *speaker; /* NULL: it says nothing */
    bool forgotten, said_key;
    bool history;  /* of a recording: its silence is told, too */
    struct rtplog *headers; /* NULL: none are kept */
    struct kept_sets *sets; /* of its pictures; NULL: none yet */
    bool shared, waits;    /* of the shared port: as owners_wait was told */
    uint64_t alive_ms, said_packets;
};

struct media_loop {
    struct media_net *net;
    unsigned index;
    uv_thread_t thread;
    uv_loop_t uv;
    struct mailbox box;
    struct pulse pulse; /* the main loop's */
    uv_timer_t tick;
    uv_timer_t soon; /* runs until the nearest deadline of a hub before that */
    struct pace pace;
    struct list woken; /* clients to be told at the end of this turn */
    struct ingest_pool pool;
    struct speakers speakers;
    struct shared *shared;  /* NULL: there is no shared port */
    atomic_uint passing;    /* what other loops have passed, not yet taken */
    uint64_t slow_ms;       /* of the next slow tick */
    struct map by_session;
    struct list streams, clients;
    struct list afters; /* struct media_after */
    unsigned n_afters;
    size_t n_streams;
    bool stopping;
    /* published by each slow tick, for media_net_counters */
    _Atomic uint64_t packets, bytes, lost, foreign, invalid, kernel_drops;
    struct shared_counters of_shared;
    atomic_uint n_viewers, n_live;
    struct receiver_counters gone; /* of ingests that have ended */
};

struct media_net {
    struct media_net_config o;
    struct mailbox main_box;
    struct reserve orders, events; /* those that must come through */
    struct rooms *rooms;   /* of the frames of all streams */
    struct owners *owners; /* NULL: there is no shared port */
    unsigned n_loops, ended;
    void (*on_closed)(void *ctx);
    void *closed_ctx;
    struct media_loop loop[];
};

/* ---- media.c ---- */

/* To the platform, by mail. */
void media_net_event(struct media_net *n,
                     const struct platform_media_event *ev);
void media_loop_on_tick(uv_timer_t *t);
void media_loop_on_soon(uv_timer_t *t);
/* The last stream is gone: lets the loop run out of handles, if it is to. */
void media_loop_maybe_stop(struct media_loop *l);

/* ---- media_stream.c ---- */

/* history_ms: length of the recording; below 0: live. NULL: no memory. */
struct media_stream *media_stream_new(struct media_loop *l, uint64_t session,
                                      int64_t history_ms);
void media_stream_free(struct media_stream *s);
/* If nobody needs it. Only where no call of its hub is on the stack. */
void media_stream_try_free(struct media_stream *s);
struct media_stream *media_stream_find(struct media_loop *l, uint64_t session);
/* An event with all that is known of the stream. */
void media_stream_say(struct media_stream *s, enum platform_media_kind kind,
                      int err, const char *text);
void media_stream_close_ingest(struct media_stream *s);
/* UTC when the loop's clock was 0. */
int64_t media_loop_utc(uv_loop_t *uv);
/* A hub wants its tick by then. */
void media_loop_tick_by(struct media_loop *l, uint64_t due_ms);
/* Clients that have something to read. */
void media_loop_tell_woken(struct media_loop *l);
/* The callbacks of its ingest. */
void media_stream_on_ingest(void *ctx, enum platform_media_kind kind, int err,
                            const char *text);
void media_stream_on_ingest_freed(void *ctx);

/* ---- media_orders.c ---- */

/* Memory for those that must come through. 0 or GB_ENOMEM. */
int media_orders_init(struct media_net *n);

/* ---- media_after.c: devices that send on after the end ---- */

/* Its ingest is about to close: notes what is to be watched, if anything. */
void media_after_note(struct media_stream *s);
/* It has closed. */
void media_after_watch(struct media_stream *s);
/* Media of an ended session still come. ctx: the loop. */
void media_after_seen(void *ctx, uint64_t session, const struct gb_addr *from);
void media_after_stop(struct media_loop *l);

/* ---- media_share.c ---- */

/* 0; or an error: then nothing is open, and *what says of what. Without a shared
 * port that is not needed it is done. */
int media_share_open(struct media_net *n, const char **what);
/* 0, or why the session cannot be one of the shared port. */
int media_share_start(struct media_stream *s, const struct platform_action *a);
void media_share_stop(struct media_stream *s);
void media_share_answered(struct media_stream *s,
                          const struct platform_action *a);
/* Whether it still waits for its first packet, to the table of owners. */
void media_share_waits(struct media_stream *s, uint64_t now_ms);
#endif
