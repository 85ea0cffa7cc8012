/* app/http/conn.h - one connection of the main loop; internal to app/http
 *
 *          ┌──► UPLOAD ──┐
 *     HEAD ──► BODY ──► PENDING ──► WRITING ──► HEAD …        keep-alive
 *                          │            └─────► LINGER ──► CLOSED
 *                          ├──► EVENTS ──► CLOSED
 *                          ├──► TALK ──► LINGER ──► CLOSED
 *                          └──► (handed over) CLOSED
 *
 * The bytes of a request stay in `in` until it is answered; what the client
 * sends ahead waits behind them. Of TLS it knows that its client came that way:
 * the bytes are plain (app/net/tls_relay.h). */
#ifndef APP_HTTP_CONN_H
#define APP_HTTP_CONN_H

#include "app/http/chunked.h"
#include "app/http/server.h"
#include "app/net/disk.h"
#include "app/net/listen.h"
#include "base/idmap.h"
#include "base/list.h"
#include "base/map.h"

enum conn_state {
    CONN_HEAD,    /* between requests, or inside a head */
    CONN_BODY,
    CONN_UPLOAD,  /* a body on its way to a file */
    CONN_PENDING, /* the application has it */
    CONN_WRITING,
    CONN_EVENTS,
    CONN_TALK,    /* a WebSocket that brings sound */
    CONN_LINGER,  /* our side is shut; reads to the client's end */
    CONN_CLOSED,  /* uv_close is under way */
};

/* Connections of one source: an IPv4 address or an IPv6 /64. */
struct source {
    struct map_node node;
    char key[9];
    uint32_t n;
};

struct conn {
    uv_tcp_t tcp;
    struct http_server *server;
    struct list node;       /* in server->conns */
    struct list event_node; /* in server->streams, EVENTS only */
    struct source *source;  /* NULL: not counted */
    struct gb_addr remote;
    struct gb_addr local;   /* behind TLS, where the socket does not tell */
    bool secure;            /* the client's end is TLS */
    uint64_t client;        /* its number */
    enum conn_state state;
    uint64_t deadline_ms;   /* of the loop's clock; GB_NEVER: none */
    struct buf in;          /* what arrived and is not done with */
    size_t scanned;         /* bytes of `in` known to hold no end of head */
    size_t head_len, body_len; /* of the current request */
    struct chunked chunked; /* of its body, if it comes so; then body_len is how
                               much of it is decoded */
    size_t body_max;        /* likewise; 0: it does not */
    size_t reserved;        /* of server->bodies_left */
    uint64_t request;       /* id while PENDING, else 0 */
    bool head_only;         /* HEAD: the answer has no body */
    bool keep_alive;        /* of the current request */
    bool shared;            /* a page of any origin may read the answer */
    unsigned minor;
    bool reading;
    /* the one write under way */
    uv_write_t write;
    bool writing;
    struct buf out, fields, body;
    size_t write_queue;     /* its size at the last sweep */
    uv_shutdown_t shutdown;
    uint64_t who; /* the account that asked last, 0: none; what lasts ends with
                     it */
    uint64_t event_seq, ping_ms;
    struct http_trace_filter trace; /* of what kind: see next_event */
    struct http_log_filter log;
    struct conn_talk *talk; /* in TALK; NULL */
    struct conn_file *file; /* a body that is one; NULL */
    struct hls_part *part;  /* a body that is one, while it is written; NULL */
    uint64_t part_until_ms; /* slow or not: it keeps a segment in memory */
};

struct job {
    uv_work_t work;
    struct http_server *server;
    struct list node;
    struct http_password_job *job;
};

struct http_server {
    struct http_server_config cfg;
    struct http_net *proxies;
    struct listen_set listen;
    uv_timer_t app_timer;   /* at http_app_deadline */
    uv_timer_t sweep_timer; /* time-outs; runs while there are connections */
    uint64_t sweep_ms;
    unsigned open_handles;  /* handles, connections and jobs not done with */
    bool closing;
    void (*on_closed)(void *ctx);
    void *closed_ctx;
    struct list conns, streams;
    struct list jobs;       /* waiting for the thread pool */
    bool job_runs;
    struct disk *disk;      /* of bodies that are files */
    struct idmap requests;
    struct map sources;
    size_t bodies_left;
    uint64_t n_clients;     /* connections since the start */
    uint64_t n_uploads;     /* since the start: names of what is not whole */
    struct http_server_counters n;
    struct http_head head;  /* of the request being handled */
    char scratch[65536];    /* what uv reads into */
};

static inline uint64_t conn_now(const struct conn *c)
{
    return uv_now(c->server->cfg.loop);
}

static inline void conn_deadline(struct conn *c, uint32_t after_ms)
{
    c->deadline_ms = conn_now(c) + after_ms;
}

/* Begins to read. */
void conn_start(struct conn *c);

/* A connection with its handle initialised, or NULL. */
struct conn *conn_new(struct http_server *s);

/* Looks at the deadline, now_ms of the loop. */
void conn_sweep(struct conn *c, uint64_t now_ms);

void conn_close(struct conn *c);

void conn_read_on(struct conn *c);
void conn_read_off(struct conn *c);
/* Sends c->out, c->fields and c->body, or fixed, which outlives the write. */
void conn_write(struct conn *c, struct slice fixed);
/* n pieces, which outlive it, too; bufs itself is copied. */
void conn_write_bufs(struct conn *c, const uv_buf_t *bufs, unsigned n);
void conn_drop_output(struct conn *c);

/* Reads the head of the current request again: its slices do not outlive the
 * call that found it. NULL: it cannot be read. */
const struct http_head *conn_head_again(struct conn *c);

/* For conn_file.c: the next bytes of an upload; an upload that is whole. */
void conn_upload_next(struct conn *c);
void conn_received(struct conn *c, const struct http_received *got);

/* conn_answer.c: what is answered. */
/* The answer to a request, maybe one that was put off. Takes what r holds. */
void conn_answer(struct conn *c, struct http_response *r);
/* The same where the application was not asked. */
void conn_reply(struct conn *c, struct http_response *r);
/* A problem is the answer; the connection goes on as it would have. */
void conn_refuse(struct conn *c, unsigned status, const char *why);
/* The same in place of an answer that was begun, and then it ends. */
void conn_problem(struct conn *c, unsigned status, const char *why);
/* The head of a file whose size was not known before it was open. */
void conn_file_head(struct conn *c, const char *type, uint64_t size);
/* Writes what the event ring has, if nothing is being written. */
void conn_pump_events(struct conn *c);
void conn_local(struct conn *c, struct gb_addr *out);

/* conn_file.c: bodies that are files. false: no memory, or too many. */
bool conn_file_send(struct conn *c, const struct http_file *what);
/* A write is out: the next piece follows; false: that was all. */
bool conn_file_more(struct conn *c);
bool conn_file_receive(struct conn *c, uint64_t size);
/* The bytes it took; 0: it is not ready for more. */
size_t conn_file_take(struct conn *c, struct slice s);
void conn_file_drop(struct conn *c);

/* conn_talk.c: after CONN_TALK. false: no memory. */
bool conn_talk_new(struct conn *c);
void conn_talk_drop(struct conn *c);
/* Writes what waits; false: all is written, and that was the end. */
bool conn_talk_pump(struct conn *c);
void conn_talk_input(struct conn *c, char *p, size_t n); /* unmasked in place */
void conn_talk_sweep(struct conn *c, uint64_t now_ms);
void conn_talk_text(struct conn *c, struct slice text);
void conn_talk_end(struct conn *c, uint16_t code);

/* server.c */
void server_handle_closed(struct http_server *s);
void server_forget(struct http_server *s, struct conn *c);
/* Its socket went to a viewer, which counts in its place. */
void server_handed_over(struct http_server *s, struct conn *c);
void server_arm(struct http_server *s);
/* If c begins with TLS: what is behind that comes as another connection. false: it
 * does not, or cannot be taken; c stays. */
bool server_take_tls(struct http_server *s, struct conn *c);
#endif
