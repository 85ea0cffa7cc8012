/* app/http/router.h - one table: method, path pattern, handler, role
 *
 * A pattern is a path whose segments are literal, or "{name}" with literal text
 * before and behind it.
 * A parameter takes one segment, is never empty, and is decoded already. The
 * first line of the table that fits wins. */
#ifndef APP_HTTP_ROUTER_H
#define APP_HTTP_ROUTER_H

#include "app/http/buf.h"
#include "app/http/http_head.h"

#define HTTP_PARAMS_MAX 4

enum http_role {
    HTTP_ROLE_NONE,     /* nobody has logged in */
    HTTP_ROLE_VIEWER,   /* looks */
    HTTP_ROLE_OPERATOR, /* starts, stops, moves */
    HTTP_ROLE_ADMIN,    /* changes the installation */
};

const char *http_role_name(enum http_role r); /* "viewer" */

enum { /* flags of a route */
    HTTP_ROUTE_EXEMPT = 1, /* no credentials needed; all others answer 401 */
    HTTP_ROUTE_MEDIA = 2,  /* a signature ?t= is a credential as well */
    HTTP_ROUTE_HIDDEN = 4, /* not in openapi.json */
    HTTP_ROUTE_FILE = 8,   /* its body is a file */
    HTTP_ROUTE_PICTURE = 32, /* its body may be as long as a picture */
    HTTP_ROUTE_ACTS = 64, /* changes something, although it is a GET */
    HTTP_ROUTE_GUARDED = 128, /* obeys If-Match; its GET tells the tag */
    HTTP_ROUTE_PIECE = 16, /* its last parameter names a file of the stream */
};

struct http_call; /* app/http/api.h */
typedef void http_handler_fn(struct http_call *c);

struct http_route {
    enum http_method method; /* GET answers HEAD as well */
    const char *pattern;
    http_handler_fn *handler;
    enum http_role role; /* the least that may call it */
    unsigned flags;
    int arg;             /* of the handler's own: a format, … */
    const char *summary; /* one line, for openapi.json */
    const char *query;   /* names of query parameters, blanks between, those that
                            are needed with '!'; "" */
    const char *body;    /* schema of the request body; NULL: none */
    const char *answer;  /* schema of the 200 answer; NULL: not JSON */
};

struct http_params {
    struct slice value[HTTP_PARAMS_MAX]; /* in order; into the path */
    size_t n;
};

/* true when path fits the pattern. */
bool http_pattern_match(const char *pattern, struct slice path,
                        struct http_params *out);

/* The route, or NULL with *allow a bit (1u << method) for every method that
 * this path has: 0 means 404, else 405. */
const struct http_route *http_route_find(const struct http_route *table,
                                         size_t n, enum http_method method,
                                         struct slice path,
                                         struct http_params *params,
                                         unsigned *allow);

/* "GET, HEAD, POST" */
void http_allow_write(struct writer *w, unsigned allow);

/* The one table of the daemon (app/http/routes.c); *n is its length. */
const struct http_route *http_routes(size_t *n);
#endif
