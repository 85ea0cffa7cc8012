/* app/http/http_head.h - the head of an HTTP/1.1 request (RFC 9112)
 *
 * Strict: what two parsers could read in two ways is refused, so that nothing
 * can be smuggled past a proxy. No folding (§5.2), no blank before the colon,
 * lines end in CRLF, one Host, one Content-Length, no Transfer-Encoding beside
 * it, and none but chunked. Nothing is copied but the decoded path. */
#ifndef APP_HTTP_HTTP_HEAD_H
#define APP_HTTP_HTTP_HEAD_H

#include "base/err.h"
#include "base/slice.h"
#include "base/writer.h"

#define HTTP_HEAD_MAX 16384         /* request line and fields, bytes */
#define HTTP_FIELDS_MAX 100
#define HTTP_PATH_MAX 1024          /* decoded */
#define HTTP_BODY_MAX (1024 * 1024)
#define HTTP_UPLOAD_MAX (4095u << 20) /* of a body that goes to a file */

#define HTTP_METHOD_MAP(X)                                                     \
    X(GET) X(HEAD) X(POST) X(PUT) X(PATCH) X(DELETE) X(OPTIONS)

enum http_method {
    HTTP_METHOD_OTHER, /* kept by name */
#define X(id) HTTP_##id,
    HTTP_METHOD_MAP(X)
#undef X
    HTTP_METHOD_COUNT
};

const char *http_method_name(enum http_method m); /* "GET"; never NULL */

/* The fields we look at; all others are found by name. */
#define HTTP_HDR_MAP(X)                                                        \
    X(ACCEPT_ENCODING,   "Accept-Encoding")                                    \
    X(ACCESS_TOKEN,      "Access-Token") /* of WVP's front-ends */               \
    X(AUTHORIZATION,     "Authorization")                                      \
    X(CONNECTION,        "Connection")                                         \
    X(CONTENT_ENCODING,  "Content-Encoding")                                   \
    X(CONTENT_LENGTH,    "Content-Length")                                     \
    X(CONTENT_TYPE,      "Content-Type")                                       \
    X(COOKIE,            "Cookie")                                             \
    X(EXPECT,            "Expect")                                             \
    X(HOST,              "Host")                                               \
    X(IF_MATCH,          "If-Match")                                           \
    X(IF_MODIFIED_SINCE, "If-Modified-Since")                                  \
    X(IF_NONE_MATCH,     "If-None-Match")                                      \
    X(LAST_EVENT_ID,     "Last-Event-ID")                                      \
    X(IF_RANGE,          "If-Range")                                           \
    X(IF_UNMODIFIED_SINCE, "If-Unmodified-Since")                              \
    X(ORIGIN,            "Origin")                                             \
    X(RANGE,             "Range")                                              \
    X(SEC_FETCH_SITE,    "Sec-Fetch-Site")                                     \
    X(SEC_WEBSOCKET_KEY, "Sec-WebSocket-Key")                                  \
    X(SEC_WEBSOCKET_PROTOCOL, "Sec-WebSocket-Protocol")                        \
    X(SEC_WEBSOCKET_VERSION, "Sec-WebSocket-Version")                          \
    X(TRANSFER_ENCODING, "Transfer-Encoding")                                  \
    X(UPGRADE,           "Upgrade")                                            \
    X(X_FORWARDED_FOR,   "X-Forwarded-For")                                    \
    X(X_FORWARDED_HOST,  "X-Forwarded-Host")                                   \
    X(X_FORWARDED_PROTO, "X-Forwarded-Proto")                                  \
    X(X_REQUESTED_WITH,  "X-Requested-With")

enum http_hdr {
#define X(id, name) HTTP_HDR_##id,
    HTTP_HDR_MAP(X)
#undef X
    HTTP_HDR_COUNT,
    HTTP_HDR_OTHER = HTTP_HDR_COUNT
};

struct http_field {
    enum http_hdr id;
    struct slice name, value; /* value: trimmed, may be empty */
};

struct http_head {
    enum http_method method;
    struct slice method_name, target; /* as they arrived */
    struct slice path;  /* decoded once, begins with '/', in path_text */
    struct slice query; /* behind '?', not decoded; may be empty */
    struct slice host;  /* value of Host, or of an absolute target */
    unsigned minor;     /* of HTTP/1.x: 0 or 1 */
    struct http_field fields[HTTP_FIELDS_MAX]; /* in wire order */
    size_t n_fields;
    const struct http_field *first[HTTP_HDR_COUNT]; /* NULL: absent */
    uint64_t content_length; /* at most HTTP_BODY_MAX, unless more was allowed;
                                0 when absent */
    bool chunked;            /* the body comes so, its length is not known */
    bool keep_alive;         /* by version and Connection */
    bool expect_continue;
    bool websocket; /* an upgrade to WebSocket, version 13, with a good key */
    char path_text[HTTP_PATH_MAX];
};

/* Why a head was refused, and the answer it deserves. The connection must be
 * closed behind that answer. */
struct http_fault {
    unsigned status; /* 400, 413, 414, 417, 426, 431, 501, 505 */
    size_t off;      /* bytes from the start of the head */
    const char *why; /* static string */
};

/* Parses one request head at the start of bytes; empty lines before it are
 * skipped (§2.2). Slices in *out point into bytes, or into *out (which must not
 * be moved or copied).
 *
 * The bytes of the head (with its empty line), GB_EAGAIN when it is not
 * complete, GB_ESYNTAX or GB_ELIMIT with *fault filled (never NULL). */
long http_head_parse(struct http_head *out, struct slice bytes,
                     struct http_fault *fault);
/* The same, where a body may have so many bytes: the caller looks whose it
 * is. */
long http_head_parse_max(struct http_head *out, struct slice bytes,
                         uint64_t body_max, struct http_fault *fault);

/* What a Range field asks of len bytes: one range of bytes (RFC 9110 §14.1.2).
 * false: nothing that is to be obeyed, so all of it. *n 0: it lies outside
 * (416). */
bool http_range(struct slice field, uint64_t len, uint64_t *off, uint64_t *n);

/* "." or "..": no segment of a path can be that, so nothing may be named so. */
bool http_is_dots(struct slice s);

/* Letters a host, an IP literal and a port are made of; no more is said. */
bool http_is_host(struct slice s);

/* The value of a field, or the empty slice. */
struct slice http_head_get(const struct http_head *h, enum http_hdr id);

/* A value of If-Match or If-None-Match names this tag, or all ("*"). strong: as
 * bytes are compared (RFC 9110 §8.8.3.2); else "W/" does not count, which a proxy
 * adds that has packed it. */
bool http_names_tag(struct slice list, struct slice tag, bool strong);
/* The same of every field of that name (§5.3). */
bool http_head_names_tag(const struct http_head *h, enum http_hdr id,
                         struct slice tag, bool strong);

/* A comma separated list field holds this token (ASCII case ignored);
 * looks at every field of that name. */
bool http_head_has_token(const struct http_head *h, enum http_hdr id,
                         struct slice token);

#define HTTP_WS_PROTOCOL_MAX 64 /* bytes of one that is taken */

/* The subprotocol to choose of those that a WebSocket offers: the first that is a
 * token and not too long; empty: there is none. A browser that has offered some
 * drops a connection where none was chosen, and what we send is the same in all. */
struct slice http_head_ws_protocol(const struct http_head *h);

/* The client takes this content coding: named with a q above 0, or by "*". */
bool http_head_accepts(const struct http_head *h, struct slice coding);

/* ---- queries, forms, cookies -------------------------------------------- */

/* Undoes %XX (and '+' with plus). NUL, bad escapes: GB_ESYNTAX; no room:
 * GB_ELIMIT. *out points into buf. */
int http_unescape(struct slice text, bool plus, char *buf, size_t cap,
                  struct slice *out);

/* Appends s with everything but unreserved characters (RFC 3986 §2.3)
 * escaped. */
void http_escape(struct writer *w, struct slice s);

/* The first parameter of this name in "a=1&b=2" (query or form body), decoded
 * into buf. GB_ENOENT, GB_ESYNTAX, GB_ELIMIT. A name without '=' has the empty
 * value. */
int http_query_get(struct slice query, struct slice name, char *buf, size_t cap,
                   struct slice *out);

/* As http_query_get, for a decimal of at most max. Absent: 0 and *v
 * untouched. GB_ESYNTAX or GB_ERANGE when it is there and bad. */
int http_query_u32(struct slice query, struct slice name, uint32_t max,
                   uint32_t *v);

/* The value of a cookie (RFC 6265 §5.4), quotes taken off; false: absent. */
bool http_cookie_get(const struct http_head *h, struct slice name,
                     struct slice *out);

#define HTTP_DATE_LEN 29
/* "Sun, 29 Nov 2026 23:45:02 GMT" (RFC 9110 §5.6.7); a time that has none: nothing */
void http_date_write(struct writer *w, int64_t utc_ms);

/* "Bad Request"; "Unknown" for a status without a phrase. Never NULL. */
const char *http_reason(unsigned status);
#endif
