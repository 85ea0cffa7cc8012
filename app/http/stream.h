/* app/http/stream.h - what a media loop needs to answer a viewer itself
 *
 * A media request is authenticated and its session started on the main loop;
 * then the connection moves to the session's media loop as a struct
 * http_handover, before a byte of the answer is written. */
#ifndef APP_HTTP_STREAM_H
#define APP_HTTP_STREAM_H

#include "app/http/http_head.h"
#include "app/media/hub.h"
#include "base/addr.h"
#include "base/writer.h"

/*    id     key       extension  type */
#define HTTP_FORMAT_MAP(X)                                                     \
    X(FLV,   "flv",    ".flv",  "video/x-flv")                                 \
    X(FMP4,  "fmp4",   ".mp4",  "video/mp4")                                   \
    X(TS,    "ts",     ".ts",   "video/mp2t")                                  \
    X(PS,    "ps",     ".ps",   "video/mp2p")                                  \
    X(HLS,   "hls",    "/index.m3u8", "application/vnd.apple.mpegurl")         \
    X(FRAME, "frame",  "/frame.mp4",  "video/mp4")                             \
    X(JPEG,  "jpeg",   "/snapshot.jpg", "image/jpeg")                          \
    X(MSE,   "mse",    "",      "video/mp4")

enum http_format {
#define X(id, key, ext, type) HTTP_FORMAT_##id,
    HTTP_FORMAT_MAP(X)
#undef X
    HTTP_FORMAT_COUNT
};

const char *http_format_key(enum http_format f);  /* "flv" */
const char *http_format_ext(enum http_format f);  /* ".flv" */
const char *http_format_type(enum http_format f); /* "video/x-flv" */

/* What the hub makes for it; HLS, MSE and single frames are its fMP4. */
enum hub_format http_format_of_hub(enum http_format f, bool enhanced,
                                   bool g711);

#define HTTP_DELAY_MAX_MS 1000 /* of ?delay= */
#define HTTP_ID_MAX 32     /* longest device or channel id, and a NUL beyond */
#define HTTP_WS_ACCEPT_LEN 28

/* A connection on its way to a media loop. Whoever takes it owns fd and
 * unread, and owes the platform one platform_session_release(session) when the
 * viewer has gone: the session is held already. */
struct http_handover {
    int fd;           /* connected, non-blocking; close(2) */
    void *tls;        /* state of TLS, NULL: plain */
    void *place;      /* among the connections of its source, kept until
                         http_server_viewer_gone; may be NULL */
    struct gb_addr local, remote;
    uint64_t session; /* of the platform */
    uint64_t who;     /* the account it is for, and ends with; 0: none */
    unsigned loop;    /* the media loop of that session */
    enum http_format format;
    unsigned stream;  /* 0 main, 1 sub */
    bool enhanced;    /* FLV: H.265 by its FourCC */
    bool g711;        /* TS: G.711 is not left out */
    bool no_audio;    /* picture only */
    bool finite;      /* it has an end of its own: told in chunks, where the
                         request is of HTTP/1.1 */
    uint32_t delay_ms; /* frames may wait so long, to go out together */
    bool websocket;   /* MSE always; FLV and FMP4 by upgrade */
    char accept[HTTP_WS_ACCEPT_LEN + 1]; /* WebSocket: the answer's key */
    char protocol[HTTP_WS_PROTOCOL_MAX + 1]; /* likewise; "": none is chosen */
    unsigned minor;   /* HTTP/1.minor of the request */
    char device[HTTP_ID_MAX + 1], channel[HTTP_ID_MAX + 1];
    char *unread;     /* bytes read behind the head; free(3); may be NULL */
    size_t n_unread;
};

/* The head of an endless answer: 200, no length, Connection: close, no caching,
 * readable by pages of other origins (the URL carries the credential). utc_ms, of
 * all three: now. */
void http_stream_head_write(struct writer *w, enum http_format f,
                            int64_t utc_ms);
/* The same of one whose end is to be told from a broken connection: in chunks
 * (RFC 9112 §7.1). */
void http_stream_head_write_chunked(struct writer *w, enum http_format f,
                                    int64_t utc_ms);

/* The head of an answer with a known length that keeps the connection. */
void http_stream_head_write_len(struct writer *w, const char *type,
                                uint64_t len, bool keep_alive, int64_t utc_ms);

/* The 101 answer to a WebSocket upgrade. protocol: see http_head_ws_protocol. */
void http_stream_ws_head_write(struct writer *w, const char *accept,
                               struct slice protocol);

#define HTTP_STREAM_HEAD_MAX 512 /* room that all three are sure to need */

/* ---- go2rtc's dialect on /api/ws ----------------------------------------- */

/* One text message of the player: {"type":"mse","value":"avc1.640029,…"}. */
struct http_mse_request {
    char type[16];
    char codecs[1024]; /* the value: what the browser can play; may be empty */
};
#define HTTP_MSE_TEXT_MAX 4096

/* GB_ESYNTAX (no such JSON) or GB_ELIMIT. A value that is not a string gives
 * empty codecs. */
int http_mse_parse(struct http_mse_request *out, struct slice text);

/* A browser that told us these codecs plays this one: "avc1.640029" is told
 * by any "avc1."; names without a point must be equal. An empty list takes
 * everything. */
bool http_mse_accepts(const struct http_mse_request *r, struct slice codec);

/* {"type":"mse","value":"video/mp4; codecs=\"avc1.640029,flac\""} */
void http_mse_write(struct writer *w, struct slice codecs);

/* {"type":"error","value":"mse: …"} */
void http_mse_error_write(struct writer *w, struct slice text);

/* {"type":"error","value":"webrtc/offer: …"}: a wish of another type, so that
 * the player does not wait for it. */
void http_mse_refuse_write(struct writer *w, struct slice type);
#endif
