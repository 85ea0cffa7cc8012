#include "app/http/cross_site.h"

#include "app/http/api.h"
#include "app/http/problem.h"

static bool is_own_origin(const struct http_call *c, struct slice origin)
{
    size_t at = slice_find_slice(origin, SLICE("://"));
    struct slice own = c->head->host;
    struct gb_addr ip;

    if (at == origin.n)
        return false;
    origin = slice_from(origin, at + 3);
    if (slice_ieq(origin, c->host))
        return true;
    /* With http.public_url, people in the LAN may come by another name. Where
     * everything is open, only by an address: a stranger's name can be made to
     * lead here. */
    return own.n && slice_ieq(origin, own) &&
           (c->via != HTTP_VIA_OPEN || gb_addr_parse(&ip, own, 80) == 0);
}

bool http_is_cross_site(const struct http_call *c)
{
    struct slice origin = http_head_get(c->head, HTTP_HDR_ORIGIN);
    struct slice site = http_head_get(c->head, HTTP_HDR_SEC_FETCH_SITE);
    /* front-ends of WVP log in by GET, from wherever they are */
    bool acts = c->head->websocket ||
                (c->route && c->route->flags & HTTP_ROUTE_ACTS &&
                 !(c->route->flags & HTTP_ROUTE_EXEMPT)) ||
                (c->head->method != HTTP_GET && c->head->method != HTTP_HEAD);

    if (!acts || c->via == HTTP_VIA_TOKEN || c->via == HTTP_VIA_SIGNATURE)
        return false;
    if (origin.n)
        return !is_own_origin(c, origin);
    if (site.n)
        return !slice_eq(site, SLICE("same-origin")) &&
               !slice_eq(site, SLICE("none"));
    return c->via == HTTP_VIA_COOKIE &&
           http_head_get(c->head, HTTP_HDR_X_REQUESTED_WITH).n == 0;
}

/* A program that has logged in, more likely than a page: browsers send one of
 * them. */
static bool tells_no_site(const struct http_call *c)
{
    return http_head_get(c->head, HTTP_HDR_ORIGIN).n == 0 &&
           http_head_get(c->head, HTTP_HDR_SEC_FETCH_SITE).n == 0;
}

void http_answer_cross_site(struct http_call *c)
{
    char text[HTTP_BASE_MAX + 128];
    struct writer w = writer_of(text, sizeof(text));
    struct http_problem p = {
        .status = 403,
        .code = "cross-site",
        .detail = "this request comes from a page of another origin",
    };

    if (tells_no_site(c)) {
        p.detail = "with the cookie of a login this request does not say that "
                   "it comes from a page of this server";
        p.hint = SLICE("programs use a token, or send X-Requested-With: x "
                       "beside the cookie");
        http_answer_problem(c->out, &p);
        return;
    }
    if (c->host.n || c->head->host.n) /* HTTP/1.0 may tell none */
        writer_f(&w, "expected is a page of %.*s%s",
                 SLICE_ARG(c->host.n ? slice_str(c->base) : c->head->host),
                 c->app->cfg.public_url && *c->app->cfg.public_url
                     ? ", the http.public_url, or of the address it was sent to"
                     : "");
    p.hint = writer_slice(&w);
    http_answer_problem(c->out, &p);
}
