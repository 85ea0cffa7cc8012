/* app/net/ingest_int.h - what the files of an ingest share; see ingest.h */
#ifndef APP_NET_INGEST_INT_H
#define APP_NET_INGEST_INT_H

#include "app/net/ingest.h"
#include "app/net/refusal.h"
#include "rtp/tcpframe.h"

#define SEND_MAX 2048      /* bytes of a packet that we send */
#define CONN_TAIL_MAX 4096 /* bytes that do without a slab between two reads */

/* One media connection, accepted or made by us. */
struct media_conn {
    struct ingest *in; /* NULL: closing without its ingest */
    uv_tcp_t tcp;
    uv_connect_t connect;
    struct gb_addr remote;
    struct rtp_tcpframe frame;
    struct slab *slab; /* NULL: it needs none until more comes */
    size_t len;
    uint64_t since_ms, last_ms; /* last_ms 0: nothing valid yet */
    bool up, closing;
    bool hasty; /* more comes at once than a slab holds */
    bool stranger; /* accepted from an address that is not plausible */
    bool reports;  /* it sends RTCP, so it gets ours: some end a stream that
                      nobody reports on (field-note 6.1) */
    size_t rest_len, rest_off; /* of a packet that went out in part */
    uint8_t rest[SEND_MAX];
    uint8_t tail[CONN_TAIL_MAX]; /* without a slab: what came last, len bytes */
};

struct ingest {
    struct ingest_options o;
    struct receiver *rx; /* made with the first packet */
    struct udp_socket *rtp, *rtcp;
    uv_timer_t life; /* never started: its closing ends the ingest, later */
    uv_tcp_t listener;
    struct refusal refusal;
    bool listening, freed;
    struct media_conn *conn;
    struct media_conn *newcomer; /* accepted while conn was alive: it may win yet */
    unsigned open_handles;
    struct intake intake;
    /* what the answer said, kept until there is a receiver */
    bool answered, has_ssrc;
    uint32_t ssrc;
    struct gb_addr allow, target;
    struct gb_addr learnt; /* of a stranger whose connection was taken */
    enum ps_codec video, audio;
    /* TCP active */
    unsigned attempts;
    uint64_t connect_ms; /* of the next attempt, or when this one is given up */
    uint64_t lost_ms;    /* the connection was lost: 0 not */
    int lost_err;
    const char *lost_text; /* why; static */
    bool connected_once, ended;
    bool speaks; /* it sends as well, and maybe nothing comes */
    /* RTCP */
    struct gb_addr rtcp_from;
    uint64_t rtcp_ms;
    struct receiver_counters told; /* up to here, faults have been noted */
    uint64_t told_cut;
};

/* ---- ingest.c ---- */

void ingest_say(struct ingest *in, enum platform_media_kind kind, int err,
                const char *text);
/* What is known of the session, to its receiver. */
void ingest_tell(struct ingest *in);
/* May media come from there? */
bool ingest_is_plausible(const struct ingest *in, const struct gb_addr *from);
/* Made with the first packet; NULL: no memory. */
struct receiver *ingest_receiver(struct ingest *in, bool tcp);
/* A packet of the session, as evidence. */
void ingest_keep_header(struct ingest *in, const uint8_t *p, size_t n, bool tcp,
                        uint64_t now_ms);
/* One handle less: with the last of them, in may be gone. */
void ingest_handle_closed(struct ingest *in);

/* ---- ingest_conn.c ---- */

void media_conn_close(struct media_conn *c);
/* What the answer says, to the connections that are there; an active one is
 * made. */
void ingest_conn_answer(struct ingest *in);
void ingest_tick_connections(struct ingest *in, uint64_t now_ms);
int ingest_listen(struct ingest *in, struct gb_addr addr, const char **what);
/* A packet as it goes out, framed, or none of it. */
void media_conn_send(struct media_conn *c, struct slice packet);
/* RTCP, in the framing of the connection. */
void media_conn_report(struct media_conn *c, struct slice report);
#endif
