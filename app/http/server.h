/* app/http/server.h - the libuv edge of HTTP: listeners and connections
 *
 * Parses requests, gives them to the application (app/http/http.h), writes its
 * answers; keep-alive, pipelining one at a time, time-outs, limits. Media
 * requests leave it: their connections move to a media loop. */
#ifndef APP_HTTP_SERVER_H
#define APP_HTTP_SERVER_H

#include "app/http/http.h"
#include "app/net/tls_relay.h"

#include <uv.h>

#define HTTP_HEAD_TIMEOUT_MS 10000  /* first byte to the end of the head */
#define HTTP_BODY_TIMEOUT_MS 30000  /* head to the end of the body */
#define HTTP_IDLE_TIMEOUT_MS 60000  /* between requests */
#define HTTP_WRITE_TIMEOUT_MS 30000 /* an answer that nobody reads */
#define HTTP_PART_TIMEOUT_MS 60000 /* a segment of HLS, however it moves */
#define HTTP_PENDING_TIMEOUT_MS 90000 /* for the application to answer; longer
                                         than any wait= that it takes */
#define HTTP_PING_MS 15000          /* comment lines in an event stream */
#define HTTP_LINGER_MS 2000         /* for the client to read a last answer */
#define HTTP_UNREAD_MAX 65536       /* bytes sent ahead of an answer */
#define HTTP_BODIES_MAX (32u << 20) /* request bodies being read, all of them */
#define HTTP_EVENT_STREAMS_MAX 256
#define HTTP_FILES_MAX 64           /* uploads and downloads at one time */
#define HTTP_FILE_CHUNK 65536       /* bytes of one in memory */
#define HTTP_FILE_PATH_MAX 1200
#define HTTP_FILE_PART ".part-"     /* an upload that is not whole yet */
#define HTTP_CONNS_MAX 4096
#define HTTP_CONNS_PER_SOURCE 256   /* trusted proxies are not counted */

struct http_server_config {
    uv_loop_t *loop;               /* borrowed */
    const struct gb_alloc *alloc;  /* borrowed */
    struct http_app *app;          /* borrowed, outlives the server */
    const struct gb_addr *listen;  /* port 0: any */
    size_t n_listen;
    /* 0: the defaults above */
    uint32_t head_timeout_ms, body_timeout_ms, idle_timeout_ms,
        write_timeout_ms, pending_timeout_ms;
    uint32_t max_conns, max_per_source; /* viewers included */
    struct tls_relay *tls; /* borrowed; who begins with a TLS record is let in
                              by it. NULL: nobody is */
    const char *file_dir; /* of uploads, borrowed; NULL: there are none */
    const struct http_net *trusted_proxies; /* copied; not counted by source */
    size_t n_trusted_proxies;
};

struct http_server;

/* Binds and listens. 0, GB_ENOMEM, GB_ELIMIT or a UV_E code; on error *failed
 * (may be NULL) is the index of the listener that failed, and the loop must run
 * once more to close what was open. A host without IPv6 does without "::". */
int http_server_new(struct http_server **out,
                    const struct http_server_config *cfg, size_t *failed);

/* The address of a listener as bound. */
struct gb_addr http_server_addr(const struct http_server *s, size_t i);

/* The viewer has gone that a connection was handed over to: it counts no more.
 * place as in its struct http_handover. Not after http_server_close. */
void http_server_viewer_gone(struct http_server *s, void *place);

/* Closes everything; on_closed is called from the loop when nothing is left,
 * after the server's memory is freed. */
void http_server_close(struct http_server *s, void (*on_closed)(void *ctx),
                       void *ctx);

struct http_server_counters {
    uint64_t accepted, refused, requests, bad_requests, handed_over, timed_out;
    uint32_t connections, event_streams, files; /* now */
    uint32_t viewers; /* handed over and not gone: limited with connections */
};
void http_server_counters(const struct http_server *s,
                          struct http_server_counters *out);
#endif
