/* The application: who asks, may they, which handler; news.c: what main tells. */
#include "app/http/http.h"

#include "app/http/api.h"
#include "app/http/cross_site.h"
#include "app/http/known.h"
#include "app/http/token.h"
#include "app/net/cuts.h"

#include <string.h>

#define TEXT_MAX 65536 /* bytes of all configuration strings */
#define FILE_NAME_MAX 256 /* behind a signature, by a camera */

/* ---- life ------------------------------------------------------------------ */

/* Copies a string into a->text; offsets first, since the buffer moves. */
static void keep(struct http_app *a, const char **field)
{
    size_t at = a->text.len;

    if (!*field)
        return;
    buf_bytes(&a->text, *field, strlen(*field) + 1);
    /* A marker until every string is in: see keep_all. */
    *field = (const char *)(uintptr_t)(at + 1);
}

static int keep_all(struct http_app *a)
{
    const char **fields[] = {
        &a->cfg.admin_token, &a->cfg.admin_password_hash, &a->cfg.public_url,
        &a->cfg.version,     &a->cfg.server_id,           &a->cfg.realm,
        &a->cfg.device_password,
    };
    size_t n = sizeof(fields) / sizeof(fields[0]);

    for (size_t i = 0; i < n; i++)
        keep(a, fields[i]);
    if (a->text.err)
        return a->text.err;
    for (size_t i = 0; i < n; i++)
        if (*fields[i])
            *fields[i] = a->text.p + ((uintptr_t)*fields[i] - 1);
    return 0;
}

static int keep_proxies(struct http_app *a)
{
    size_t bytes = a->cfg.n_trusted_proxies * sizeof(*a->proxies);

    if (bytes == 0)
        return 0;
    a->proxies = gb_get(a->cfg.alloc, bytes);
    if (!a->proxies)
        return GB_ENOMEM;
    memcpy(a->proxies, a->cfg.trusted_proxies, bytes);
    a->cfg.trusted_proxies = a->proxies;
    return 0;
}

int http_app_new(struct http_app **out, const struct http_app_config *cfg)
{
    struct http_app *a = gb_get(cfg->alloc, sizeof(*a));
    int err = GB_ENOMEM;

    if (!a)
        return err;
    a->cfg = *cfg;
    list_init(&a->waiters);
    list_init(&a->talks);
    list_init(&a->snapshots);
    list_init(&a->pictures);
    list_init(&a->hls_holds);
    list_init(&a->audits);
    list_init(&a->command_waiters);
    list_init(&a->control_waiters);
    list_init(&a->records_waiters);
    http_history_init(a);
    http_commit_init(a);
    buf_init(&a->text, cfg->alloc, TEXT_MAX);
    if (!a->cfg.media_url_s)
        a->cfg.media_url_s = 43200;
    err = keep_all(a);
    if (!err)
        err = keep_proxies(a);
    if (!err)
        err = http_auth_new(&a->auth, cfg->alloc,
                            slice_str(a->cfg.admin_token));
    if (!err && !cfg->accounts)
        err = accounts_new(&a->own_accounts, cfg->alloc);
    if (!err)
        err = http_events_new(&a->events, cfg->alloc,
                              (uint64_t)cfg->now(cfg->ctx).utc_ms);
    if (err) {
        http_app_free(a);
        return err;
    }
    a->accounts = cfg->accounts ? cfg->accounts : a->own_accounts;
    http_accounts_init(a);
    *out = a;
    return 0;
}

static void alarms_free(struct http_app *a)
{
    if (!a->alarms)
        return;
    for (size_t i = 0; i < HTTP_ALARMS_MAX; i++)
        gb_put(a->cfg.alloc, (void *)(uintptr_t)a->alarms->json[i].p);
    gb_put(a->cfg.alloc, a->alarms);
}

void http_app_free(struct http_app *a)
{
    if (!a)
        return;
    http_live_free(a);
    http_talk_free(a);
    http_snapshot_free(a);
    http_control_free(a);
    http_records_free(a);
    http_hls_free(a);
    http_wait_free(a);
    http_history_free(a);
    http_commit_free(a);
    http_audit_free(a);
    http_tree_drop(a);
    alarms_free(a);
    http_events_free(a->events);
    http_auth_free(a->auth);
    accounts_free(a->own_accounts);
    gb_put(a->cfg.alloc, a->proxies);
    buf_fini(&a->text);
    gb_put(a->cfg.alloc, a);
}

void http_app_set_edge(struct http_app *a, const struct http_edge *edge)
{
    a->edge = *edge;
}

void http_app_end_edge(struct http_app *a, const void *ctx)
{
    if (a->edge.ctx == ctx)
        a->edge = (struct http_edge){ 0 };
}

void http_app_answer(struct http_app *a, uint64_t request,
                     struct http_response *r)
{
    http_audit_end(a, request, http_status_of(r));
    if (a->edge.answer) {
        a->edge.answer(a->edge.ctx, request, r);
        return;
    }
    if (r->kind == HTTP_REPLY_MEDIA)
        http_app_media_lost(a, &r->media);
    http_response_fini(r);
}

/* ---- responses --------------------------------------------------------------- */

void http_response_init(struct http_response *r, const struct gb_alloc *alloc)
{
    *r = (struct http_response){ .kind = HTTP_REPLY_BODY, .status = 500 };
    buf_init(&r->fields, alloc, HTTP_HEAD_MAX);
    buf_init(&r->body, alloc, HTTP_RESPONSE_MAX);
}

void http_response_fini(struct http_response *r)
{
    hls_part_unref(r->part);
    r->part = NULL;
    cuts_free(r->file.cuts);
    r->file.cuts = NULL;
    buf_fini(&r->fields);
    buf_fini(&r->body);
}

void http_response_field(struct http_response *r, const char *name,
                         struct slice value)
{
    buf_str(&r->fields, name);
    buf_str(&r->fields, ": ");
    for (size_t i = 0; i < value.n; i++)
        if (value.p[i] != '\r' && value.p[i] != '\n' && value.p[i])
            buf_char(&r->fields, value.p[i]);
    buf_str(&r->fields, "\r\n");
}

/* A problem is not kept as the file that is not sent. */
static void drop_name(struct buf *fields)
{
    struct slice all = buf_view(fields);
    size_t at = slice_find_slice(all, SLICE("Content-Disposition: "));
    size_t n = slice_find(slice_from(all, at), '\n') + 1;

    if (at == all.n)
        return;
    memmove(fields->p + at, fields->p + at + n, all.n - at - n);
    fields->len -= n;
}

void http_answer_problem(struct http_response *out,
                         const struct http_problem *p)
{
    out->kind = HTTP_REPLY_BODY;
    out->status = p->status;
    out->type = HTTP_PROBLEM_TYPE;
    out->body.len = 0;
    drop_name(&out->fields);
    http_problem_write(&out->body, p);
    if (p->status == 401) /* RFC 9110 §15.5.2 */
        http_response_field(out, "WWW-Authenticate", SLICE(HTTP_CHALLENGE));
}

/* What to try where something is not there. */
static struct slice hint_of(const char *code)
{
    static const struct {
        const char *code;
        struct slice hint;
    } hints[] = {
        { "device-unknown",
          SLICE_INIT("GET /api/v1/devices lists those that are known, "
                     "/api/v1/pending those that were not let in") },
        { "channel-unknown",
          SLICE_INIT("GET .../channels lists those of the device; POST "
                     ".../refresh asks it for its catalog") },
        { "no-session",
          SLICE_INIT("POST .../live of the channel starts it") },
    };

    for (size_t i = 0; code && i < sizeof(hints) / sizeof(hints[0]); i++)
        if (slice_eq(slice_str(code), slice_str(hints[i].code)))
            return hints[i].hint;
    return (struct slice){ 0 };
}

/* What is not there is named, as it was asked for. */
static void write_asked(struct writer *w, const struct http_call *c)
{
    for (size_t i = 0; i < c->params.n; i++) {
        writer_str(w, i ? "/" : "asked for ");
        writer_slice_put(w, slice_head(c->params.value[i], HTTP_ID_MAX));
    }
}

void http_answer_fail(struct http_call *c, unsigned status, const char *code,
                      const char *detail)
{
    char asked[16 + HTTP_PARAMS_MAX * (HTTP_ID_MAX + 1)];
    struct writer w = writer_of(asked, sizeof(asked));
    struct http_problem p = { .status = status,
                              .code = code,
                              .detail = detail };

    if (status == 404 && code && c->route) {
        write_asked(&w, c);
        p.evidence = writer_slice(&w);
        p.hint = hint_of(code);
    }
    http_answer_problem(c->out, &p);
}

void http_answer_missing(struct http_call *c, const char *code,
                         const char *detail, struct slice asked)
{
    char text[16 + HTTP_FILE_NAME_MAX];
    struct writer w = writer_of(text, sizeof(text));
    struct http_problem p = { .status = 404, .code = code, .detail = detail };

    writer_str(&w, "asked for ");
    writer_slice_put(&w, slice_head(asked, HTTP_FILE_NAME_MAX));
    p.evidence = writer_slice(&w);
    http_answer_problem(c->out, &p);
}

void http_answer_no_device(struct http_call *c)
{
    http_answer_fail(c, 404, "device-unknown", "no such device");
}

struct jw http_answer_json(struct http_call *c, unsigned status)
{
    c->out->kind = HTTP_REPLY_BODY;
    c->out->status = status;
    c->out->type = "application/json";
    return jw_to(&c->out->body);
}

void http_answer_empty(struct http_call *c, unsigned status)
{
    c->out->kind = HTTP_REPLY_BODY;
    c->out->status = status;
    c->out->type = NULL;
}

/* ---- who asks ------------------------------------------------------------------ */

static bool is_proxy(const struct http_app *a, const struct gb_addr *addr)
{
    for (size_t i = 0; i < a->cfg.n_trusted_proxies; i++)
        if (gb_addr_in_net(addr, &a->proxies[i].net, a->proxies[i].bits))
            return true;
    return false;
}

/* The last item of a list field, over all its lines. */
static struct slice last_item(const struct http_head *h, enum http_hdr id)
{
    struct slice item = { 0 };

    for (size_t i = 0; i < h->n_fields; i++) {
        struct slice rest = h->fields[i].value, next;

        if (h->fields[i].id != id)
            continue;
        while (rest.n) {
            slice_cut(&rest, ',', &next);
            item = slice_trim(next);
        }
    }
    return item;
}

/* X-Forwarded-For from its end: the first address that is no proxy of ours. */
static void find_client(struct http_call *c)
{
    const struct http_head *h = c->head;

    c->client = c->req->remote;
    for (size_t i = h->n_fields; i-- > 0;) {
        struct slice rest = h->fields[i].value;

        if (h->fields[i].id != HTTP_HDR_X_FORWARDED_FOR)
            continue;
        while (rest.n) {
            struct slice item;
            size_t at = rest.n;
            struct gb_addr addr;

            while (at && rest.p[at - 1] != ',')
                at--;
            item = slice_trim(slice_from(rest, at));
            rest = slice_head(rest, at ? at - 1 : 0);
            if (!is_proxy(c->app, &c->client))
                return;
            if (gb_addr_parse_ip(&addr, item) &&
                gb_addr_parse(&addr, item, 1))
                return;
            c->client = addr;
        }
    }
}

/* public_url without what would double the slash of a path. */
static struct slice public_base(const struct http_app *a)
{
    struct slice url = slice_str(a->cfg.public_url);

    while (url.n && url.p[url.n - 1] == '/')
        url.n--;
    return url;
}

bool http_write_device_base(const struct http_app *a, struct slice device,
                            struct writer *w)
{
    struct slice url = public_base(a);
    struct gb_addr at;

    if (url.n) {
        writer_slice_put(w, url);
        return true;
    }
    if (!platform_device_reaches(a->cfg.platform, device, &at))
        return false;
    at.port = a->cfg.http_port;
    writer_str(w, "http://");
    gb_addr_write(w, &at);
    return true;
}

/* How the client sees us: public_url, what a trusted proxy says, or Host. */
static void find_base(struct http_call *c)
{
    struct writer w = writer_of(c->base, sizeof(c->base) - 1);
    struct slice host = c->head->host, url = public_base(c->app);
    size_t scheme;

    c->secure = c->req->secure;
    if (is_proxy(c->app, &c->req->remote)) {
        struct slice proto = last_item(c->head, HTTP_HDR_X_FORWARDED_PROTO);
        struct slice fwd = last_item(c->head, HTTP_HDR_X_FORWARDED_HOST);

        if (proto.n)
            c->secure = slice_ieq(proto, SLICE("https"));
        if (fwd.n && http_is_host(fwd))
            host = fwd;
    }
    if (url.n) {
        writer_slice_put(&w, url);
        c->secure = slice_has_iprefix(url, SLICE("https:"));
    } else if (host.n) {
        writer_str(&w, c->secure ? "https://" : "http://");
        writer_slice_put(&w, host);
    }
    if (w.err)
        w.len = 0;
    c->base[w.len] = '\0';
    c->host = slice_of(c->base, w.len);
    scheme = slice_find_slice(c->host, SLICE("://"));
    if (scheme < c->host.n)
        c->host = slice_from(c->host, scheme + 3);
    c->host = slice_head(c->host, slice_find(c->host, '/'));
}

static bool write_export_scope(struct http_call *c, struct writer *w)
{
    char from[HTTP_BOUND_MAX], to[HTTP_BOUND_MAX];
    struct slice start, end;

    if (http_query_get(c->head->query, SLICE("start"), from, sizeof(from),
                       &start) ||
        http_query_get(c->head->query, SLICE("end"), to, sizeof(to), &end))
        return false;
    http_export_scope(w, c->params.value[0], c->params.value[1], start, end);
    return true;
}

/* What the signature of a path is for; false: for nothing that is known. */
static bool write_scope(struct http_call *c, struct writer *w)
{
    struct slice device, channel;

    if (c->route->handler == http_get_firmware) {
        http_firmware_scope(w, c->params.value[0]);
        return true;
    }
    if (c->route->handler == http_get_download_file) {
        uint64_t id = 0;

        if (!slice_u64(c->params.value[0], UINT64_MAX, &id))
            return false;
        http_download_scope(w, id);
        return true;
    }
    if (c->route->handler == http_get_record_file) {
        http_record_scope(w, c->params.value[0], c->params.value[1],
                          c->params.value[2]);
        return true;
    }
    if (c->route->handler == http_get_records_hls ||
        c->route->handler == http_get_records_mp4)
        return write_export_scope(c, w);
    if (c->route->handler == http_put_picture) {
        http_snapshot_scope(w, c->params.value[0]);
        return true;
    }
    if (c->route->handler == http_get_session_media ||
        c->route->handler == http_get_session_hls) {
        uint64_t id = 0;

        if (!slice_u64(c->params.value[0], UINT64_MAX, &id))
            return false;
        http_session_scope(w, id);
        return true;
    }
    if (!http_media_target(c, &device, &channel))
        return false;
    writer_str(w, "/live/");
    writer_slice_put(w, device);
    writer_char(w, '/');
    writer_slice_put(w, channel);
    return true;
}

void http_app_set_rtsp(struct http_app *a, uint16_t port)
{
    a->cfg.rtsp_port = port;
}

/* Fits, and is of somebody who is as he was when it was made, or of nobody. */
static bool fits(const struct http_app *a, struct slice scope,
                 struct slice signature, struct account *v)
{
    uint64_t mark;

    *v = (struct account){ 0 };
    return http_sign_verify(a->cfg.key, scope, signature,
                            http_app_now(a).utc_ms / 1000, &mark) &&
           (!mark || accounts_by_mark(a->accounts, mark, v));
}

uint64_t http_mark_of(const struct http_app *a, uint64_t who)
{
    struct account v;

    return accounts_by_id(a->accounts, who, &v) ? v.mark : 0;
}

bool http_app_is_signed(const struct http_app *a, struct slice device,
                        struct slice channel, struct slice signature,
                        uint64_t *who)
{
    char text[128];
    struct writer w = writer_of(text, sizeof(text));
    struct account v;

    writer_str(&w, slice_eq(device, SLICE("session")) ? "/" : "/live/");
    writer_slice_put(&w, device);
    writer_char(&w, '/');
    writer_slice_put(&w, channel);
    if (w.err || !fits(a, writer_slice(&w), signature, &v))
        return false;
    *who = v.id;
    return true;
}

uint64_t http_app_token(const struct http_app *a, struct slice token)
{
    struct account v;

    return accounts_by_token(a->accounts, token, &v) ? v.id : 0;
}

uint64_t http_app_token_named(const struct http_app *a, struct slice name,
                              struct sip_ha1 *ha1)
{
    struct account v;

    return accounts_find(a->accounts, ACCOUNT_TOKEN, name, &v) &&
                   token_ha1(ha1, v.secret, v.name, a->cfg.key)
               ? v.id
               : 0;
}

bool http_app_sees(const struct http_app *a, uint64_t who,
                   struct slice device)
{
    return http_who_sees(a, who, device);
}

uint32_t http_app_login_wait(const struct http_app *a,
                             const struct gb_addr *source)
{
    return http_auth_login_wait(a->auth, source, http_app_now(a).mono_ms);
}

void http_app_login_failed(struct http_app *a, const struct gb_addr *source)
{
    http_auth_login_try(a->auth, source, http_app_now(a).mono_ms);
}

static bool is_signed(struct http_call *c, struct account *v)
{
    char text[HTTP_SIGNATURE_MAX + FILE_NAME_MAX], scope_text[256];
    struct writer w = writer_of(scope_text, sizeof(scope_text));
    struct slice t;

    if (!(c->route->flags & HTTP_ROUTE_MEDIA) ||
        http_query_get(c->head->query, SLICE("t"), text, sizeof(text), &t) ||
        !write_scope(c, &w))
        return false;
    if (c->route->flags & HTTP_ROUTE_PICTURE)
        t = http_sign_head(t);
    return !w.err && fits(c->app, writer_slice(&w), t, v);
}

static void enter(struct http_call *c, const struct account *v,
                  enum http_via via)
{
    c->role = v->role;
    c->via = via;
    c->who = v->id;
    c->scope = v->scope;
}

/* What WVP's login gave: a session that no browser shows by itself. */
static bool is_wvp_session(struct http_call *c, struct slice token,
                           struct account *v)
{
    uint64_t who = token.n ? http_auth_session(c->app->auth, token,
                                               c->now.mono_ms) : 0;

    return accounts_by_id(c->app->accounts, who, v);
}

static void find_role(struct http_call *c)
{
    struct slice value = http_head_get(c->head, HTTP_HDR_AUTHORIZATION);
    struct slice token = http_head_get(c->head, HTTP_HDR_ACCESS_TOKEN);
    struct account v;

    if (!c->app->cfg.auth) {
        c->role = HTTP_ROLE_ADMIN;
        c->via = HTTP_VIA_OPEN;
        return;
    }
    if (slice_has_iprefix(value, SLICE("Bearer ")))
        token = slice_trim(slice_from(value, 7));
    if (token.n || slice_has_iprefix(value, SLICE("Bearer "))) {
        /* One that is wrong is not made good by a cookie. */
        if (http_auth_bearer(c->app->auth, token)) {
            c->role = HTTP_ROLE_ADMIN;
            c->via = HTTP_VIA_TOKEN;
        } else if (accounts_by_token(c->app->accounts, token, &v) ||
                   is_wvp_session(c, token, &v)) {
            enter(c, &v, HTTP_VIA_TOKEN);
        }
        return;
    }
    if (c->route && is_signed(c, &v)) {
        enter(c, &v, HTTP_VIA_SIGNATURE);
        c->role = HTTP_ROLE_VIEWER;
        return;
    }
    if (http_cookie_get(c->head, SLICE(HTTP_COOKIE), &value) &&
        accounts_by_id(c->app->accounts,
                       http_auth_session(c->app->auth, value, c->now.mono_ms),
                       &v))
        enter(c, &v, HTTP_VIA_COOKIE);
}

/* ---- one request ----------------------------------------------------------------- */

static void answer_401(struct http_call *c)
{
    static const struct http_problem p = {
        .status = 401,
        .detail = "credentials are missing, wrong or expired",
        .hint = SLICE_INIT("send \"Authorization: Bearer TOKEN\", or log in "
                           "by POST /api/v1/login"),
    };

    http_answer_problem(c->out, &p);
}

static void answer_no_route(struct http_call *c, unsigned allow)
{
    char text[128];
    struct writer w = writer_of(text, sizeof(text));

    if (!allow) {
        http_answer_fail(c, 404, NULL, "there is nothing at this path");
        return;
    }
    http_allow_write(&w, allow);
    http_answer_fail(c, 405, NULL, "this path does not take this method");
    http_response_field(c->out, "Allow", writer_slice(&w));
}

/* What plays: the URL or a field carries the credential, so that a page of any
 * origin may read it; what came by a cookie it may not. */
static bool is_shared(const struct http_route *r)
{
    return r && r->method == HTTP_GET && r->flags & HTTP_ROUTE_MEDIA;
}

/* Before a browser lets a page of another origin send fields it asks whether they
 * are wanted, and never with credentials (Fetch §4.8). false: it is no such
 * question, or not about what plays. */
static bool answer_preflight(struct http_call *c)
{
    size_t n;
    const struct http_route *table = http_routes(&n);
    struct http_params params;
    unsigned allow;

    if (c->head->method != HTTP_OPTIONS ||
        !is_shared(http_route_find(table, n, HTTP_GET, c->head->path, &params,
                                   &allow)))
        return false;
    http_answer_empty(c, 204);
    http_response_field(c->out, "Allow", SLICE("GET, HEAD, OPTIONS"));
    http_response_field(c->out, "Access-Control-Allow-Methods",
                        SLICE("GET, HEAD"));
    http_response_field(c->out, "Access-Control-Allow-Headers",
                        SLICE("Authorization, Access-Token, Range, If-Range, "
                              "If-None-Match"));
    http_response_field(c->out, "Access-Control-Max-Age", SLICE("3600"));
    c->out->shared = true;
    return true;
}

/* Bodies are read as they are. One that is coded would be called no JSON, or kept
 * as firmware that it is not. Of a picture its own first bytes tell. */
static bool is_coded(const struct http_head *h)
{
    for (size_t i = 0; i < h->n_fields; i++) {
        struct slice coding = h->fields[i].value;

        if (h->fields[i].id == HTTP_HDR_CONTENT_ENCODING && coding.n &&
            !slice_ieq(coding, SLICE("identity")) &&
            !slice_ieq(coding, SLICE("utf-8"))) /* some name the charset here */
            return h->chunked || h->content_length;
    }
    return false;
}

/* RFC 9110 §12.5.3: as the answer to it the field tells what is understood. */
static bool reads_body(struct http_call *c)
{
    if (!is_coded(c->head) || c->route->flags & HTTP_ROUTE_PICTURE)
        return true;
    http_answer_fail(c, 415, NULL,
                     "a body is sent as it is, without Content-Encoding");
    http_response_field(c->out, "Accept-Encoding", SLICE("identity"));
    return false;
}

/* Finds the route; false: it has been answered why not. */
static bool may_call(struct http_call *c)
{
    size_t n;
    const struct http_route *table = http_routes(&n);
    unsigned allow;
    bool exempt;

    c->route = http_route_find(table, n, c->head->method, c->head->path,
                               &c->params, &allow);
    exempt = c->route && (c->route->flags & HTTP_ROUTE_EXEMPT);
    c->out->shared = is_shared(c->route);
    if (answer_preflight(c))
        return false;
    find_role(c);
    if (c->via == HTTP_VIA_COOKIE)
        c->out->shared = false; /* what a browser keeps of it, another port of
                                   this host would read without the cookie */
    if (!exempt && c->role == HTTP_ROLE_NONE)
        answer_401(c);
    else if (!c->route)
        answer_no_route(c, allow);
    else if (http_is_cross_site(c))
        http_answer_cross_site(c);
    else if (!exempt && c->role < c->route->role)
        http_answer_fail(c, 403, NULL, "this needs a higher role");
    else if (exempt || http_scope_admits(c))
        return reads_body(c);
    return false;
}

enum http_body_kind http_app_body(struct http_app *a,
                                  const struct http_request *req,
                                  struct http_response *r)
{
    struct http_call c = { .app = a, .req = req, .head = req->head, .out = r,
                           .now = a->cfg.now(a->cfg.ctx) };
    const struct http_route *route;
    const char *why;
    unsigned status;
    size_t n;

    route = http_routes(&n);
    route = http_route_find(route, n, req->head->method, req->head->path,
                            &c.params, &status);
    if (!route || !(route->flags & (HTTP_ROUTE_FILE | HTTP_ROUTE_PICTURE)))
        return HTTP_BODY_USUAL;
    find_client(&c);
    find_base(&c);
    if (!may_call(&c)) {
        if (c.role && c.route) { /* it will not be asked again */
            http_audit_begin(&c);
            http_audit_end(a, req->id, http_status_of(r));
        }
        return HTTP_BODY_REFUSED;
    }
    if (route->flags & HTTP_ROUTE_PICTURE)
        return HTTP_BODY_PICTURE;
    status = 411;
    why = req->head->chunked
              ? "a file needs Content-Length"
              : http_firmware_refusal(a, req->head->content_length, &status);
    if (why)
        http_answer_fail(&c, status, NULL, why);
    return why ? HTTP_BODY_REFUSED : HTTP_BODY_FILE;
}

void http_app_request(struct http_app *a, const struct http_request *req,
                      struct http_response *r)
{
    struct http_call c = { .app = a,
                           .req = req,
                           .head = req->head,
                           .out = r,
                           .now = a->cfg.now(a->cfg.ctx) };

    find_client(&c);
    find_base(&c);
    if (may_call(&c)) {
        http_audit_begin(&c);
        if (http_known(&c))
            c.route->handler(&c);
        http_answer_tagged(&c);
    } else if (c.role && c.route) {
        http_audit_begin(&c); /* who tries what he may not */
    }
    r->who = c.who;
    if (r->body.err || r->fields.err) {
        int err = r->body.err ? r->body.err : r->fields.err;

        http_response_fini(r);
        http_answer_fail(&c, err == GB_ENOMEM ? 503 : 500, NULL,
                         gb_strerror(err));
    }
    if (r->kind != HTTP_REPLY_LATER)
        http_audit_end(a, req->id, http_status_of(r));
}

void http_app_gone(struct http_app *a, uint64_t request)
{
    http_live_gone(a, request);
    http_control_gone(a, request);
    http_records_gone(a, request);
    http_talk_gone(a, request);
    http_wait_gone(a, request);
    http_history_gone(a, request);
    http_commit_gone(a, request);
    http_audit_end(a, request, 499);
}

int http_app_handover(struct http_app *a, struct http_handover *h)
{
    uint64_t session = h->session;
    int err = a->cfg.on_media(a->cfg.ctx, h);

    if (err) {
        platform_session_release(a->cfg.platform, session,
                                 a->cfg.now(a->cfg.ctx));
        a->cfg.touched(a->cfg.ctx);
    }
    return err;
}

void http_app_media_lost(struct http_app *a, const struct http_media *m)
{
    platform_session_release(a->cfg.platform, m->session,
                             a->cfg.now(a->cfg.ctx));
    a->cfg.touched(a->cfg.ctx);
}

struct gb_time http_app_now(const struct http_app *a)
{
    return a->cfg.now(a->cfg.ctx);
}

void http_app_tick(struct http_app *a)
{
    http_live_tick(a, a->cfg.now(a->cfg.ctx));
    http_control_tick(a);
    http_records_tick(a, a->cfg.now(a->cfg.ctx));
    http_hls_tick(a, a->cfg.now(a->cfg.ctx));
    http_wait_tick(a, a->cfg.now(a->cfg.ctx));
}

void http_app_event_join(struct http_app *a)
{
    http_events_join(a->events);
}

void http_app_event_leave(struct http_app *a)
{
    http_events_leave(a->events, http_app_now(a).mono_ms);
}

bool http_app_event_next(const struct http_app *a, uint64_t who, uint64_t *seq,
                         struct buf *out)
{
    struct slice device;

    while (who && http_events_device(a->events, *seq, &device) &&
           !http_who_sees(a, who, device))
        ++*seq;
    return http_events_next(a->events, seq, out);
}

bool http_app_who_is_there(const struct http_app *a, uint64_t who)
{
    struct account v;

    return !who || accounts_by_id(a->accounts, who, &v);
}
