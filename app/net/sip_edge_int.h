/* app/net/sip_edge_int.h - what the files of the SIP edge share; see sip_edge.h */
#ifndef APP_NET_SIP_EDGE_INT_H
#define APP_NET_SIP_EDGE_INT_H

#include "app/net/refusal.h"
#include "app/net/sip_edge.h"
#include "app/net/sources.h"
#include "app/net/udp.h"
#include "base/idmap.h"
#include "base/list.h"

struct listener {
    struct sip_edge *edge;
    struct udp_socket *udp; /* NULL: TLS */
    uv_tcp_t tcp;
    struct refusal refusal;
    bool tcp_open, tls;
    uint16_t index;
    struct gb_addr addr;
};

struct connection {
    struct sip_edge *edge;
    uv_tcp_t tcp;
    uv_connect_t connect;
    struct list node;
    struct list stranger; /* in edge.strangers, or alone */
    struct list dialled;  /* in edge.dialled, or alone */
    struct source *source; /* NULL: not counted, no stranger */
    uint64_t id;
    struct sip_peer peer;
    struct tls *tls; /* NULL: plain TCP */
    bool up, ours, closing, spoke, trusted;
    bool ponged;   /* and it is still queued: one is enough */
    size_t held;   /* bytes received and not sent yet: cap and queued */
    size_t queued; /* for writes that are not done, with their requests */
    uint64_t since_ms; /* of the first byte of an unfinished message */
    uint64_t moved_ms; /* something was sent or received last; of a stranger: a
                          whole message */
    uint64_t asked_ms; /* whether it is trusted rightly */
    struct sip_frame frame;
    uint8_t *buf;
    size_t len, cap;
    size_t quiet_len; /* of buf, when it was looked at because nothing came */
};

struct sip_edge {
    struct sip_edge_config o;
    struct listener listener[SIP_EDGE_MAX_LISTEN];
    size_t n_listeners;
    uv_timer_t timer, sweep;
    uv_prepare_t prepare;
    bool touched, closing;
    struct idmap by_id;
    struct list connections;
    struct list strangers; /* the oldest first */
    struct list dialled;   /* those for large requests */
    struct sources sources; /* of strangers */
    unsigned open_handles;
    void (*on_closed)(void *ctx);
    void *closed_ctx;
    struct sip_edge_counters n;
    uint64_t tls_told_ms, tls_untold; /* the last line about TLS; since then */
    uint8_t read_buf[SIP_EDGE_READ_BYTES];
    uint8_t plain_buf[TLS_RECORD_MAX];
};

/* ---- sip_edge.c ---- */

/* One message, or what is none, to the stack; its events to the owner. next: the
 * datagram behind it, if it is here already, or empty. */
void sip_edge_input(struct sip_edge *e, struct sip_peer *from,
                    struct slice bytes, struct slice next);
void sip_edge_drain_output(struct sip_edge *e, uint64_t now_ms);
/* One handle less; the last one of a closing edge frees it. */
void sip_edge_handle_closed(struct sip_edge *e);

/* ---- sip_conn.c ---- */

void sip_conn_on_accept(uv_stream_t *server, int status);
void sip_conn_on_sweep(uv_timer_t *t);
/* The one that was opened for an earlier large request, or a new one; NULL: not
 * even begun. */
struct connection *sip_conn_dial(struct sip_edge *e, const struct sip_peer *to);
/* False: it is closed, or was. */
bool sip_conn_send(struct connection *c, struct slice s);
void sip_conn_close(struct connection *c);
#endif
