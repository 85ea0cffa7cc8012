/* The audit log: who changed what, when, from where, and what came of it. An
 * entry begins with its request and is written with its answer, whoever gives
 * that. Of what was sent only method and path are kept, so no secret is. Those
 * who show no credentials are not written down: they could wash out the rest. */
#include "app/http/api.h"

#define PATH_MAX_KEPT 200 /* bytes of a path that is kept */

struct entry {
    struct list node; /* in a->audits */
    uint64_t request;
    int64_t at_utc_ms;
    enum http_role role;
    enum http_method method;
    struct gb_addr client;
    char who[HTTP_WHO_MAX], path[PATH_MAX_KEPT + 1];
};

static bool is_login(const struct http_call *c)
{
    return c->route->handler == http_login ||
           (c->route->handler == http_wvp && c->route->arg == HTTP_WVP_LOGIN);
}

/* Speaking to a device changes something, though a WebSocket begins with GET.
 * What a device uploads is not somebody's deed. */
static bool is_deed(const struct http_call *c)
{
    if (c->via == HTTP_VIA_SIGNATURE)
        return false;
    if (is_login(c))
        return true;
    if (c->role == HTTP_ROLE_NONE)
        return false;
    return (c->head->method != HTTP_GET && c->head->method != HTTP_HEAD) ||
           (c->route->flags & HTTP_ROUTE_ACTS) ||
           (c->head->websocket && (c->route->handler == http_get_talk ||
                                   c->route->handler == http_get_talks));
}

void http_who(const struct http_call *c, char who[static HTTP_WHO_MAX])
{
    struct writer w = writer_of(who, HTTP_WHO_MAX - 1);
    struct account v;

    if (accounts_by_id(c->app->accounts, c->who, &v)) {
        writer_str(&w, v.kind == ACCOUNT_TOKEN ? "token:" : "");
        writer_slice_put(&w, v.name);
    } else {
        writer_str(&w, c->via == HTTP_VIA_TOKEN  ? "admin-token"
                       : c->via == HTTP_VIA_OPEN ? "open"
                                                 : "-");
    }
    who[w.len] = '\0';
}

void http_audit_begin(struct http_call *c)
{
    struct http_app *a = c->app;
    struct entry *e;

    if (!is_deed(c))
        return;
    e = gb_get(a->cfg.alloc, sizeof(*e));
    if (!e) {
        if (a->cfg.log)
            a->cfg.log(a->cfg.ctx, PLATFORM_ERROR,
                       "msg=\"an entry of the audit log is lost\" "
                       "why=\"no memory\"");
        return;
    }
    e->request = c->req->id;
    e->at_utc_ms = c->now.utc_ms;
    e->role = is_login(c) ? HTTP_ROLE_NONE : c->role;
    e->method = c->head->method;
    e->client = c->client;
    http_who(c, e->who);
    if (is_login(c))
        slice_copy(e->who, sizeof(e->who), SLICE("-")); /* until it is known */
    slice_copy(e->path, sizeof(e->path),
               slice_head(c->head->path, PATH_MAX_KEPT));
    list_push_back(&a->audits, &e->node);
}

static struct entry *find(const struct http_app *a, uint64_t request)
{
    for (struct list *n = a->audits.next; n != &a->audits; n = n->next) {
        struct entry *e = container_of(n, struct entry, node);

        if (e->request == request)
            return e;
    }
    return NULL;
}

void http_audit_name(struct http_app *a, uint64_t request, const char *name)
{
    struct entry *e = find(a, request);

    if (e && *name)
        slice_copy(e->who, sizeof(e->who), slice_str(name));
}

/* Where there is no store, the log has it. */
static void log_entry(struct http_app *a, const struct http_audit *t)
{
    char line[512];
    struct writer w = writer_of(line, sizeof(line) - 1);

    if (!a->cfg.log)
        return;
    writer_f(&w, "msg=\"audit\" who=%.*s role=%.*s peer=%.*s method=%.*s "
                 "status=%u path=\"",
             SLICE_ARG(t->who), SLICE_ARG(t->role), SLICE_ARG(t->peer),
             SLICE_ARG(t->method), t->status);
    writer_visible(&w, t->path, '?');
    writer_char(&w, '"');
    line[w.len] = '\0';
    a->cfg.log(a->cfg.ctx, PLATFORM_INFO, line);
}

static void tell(struct http_app *a, const struct entry *e, unsigned status)
{
    char peer[64];
    struct writer w = writer_of(peer, sizeof(peer));
    struct http_audit t = { .who = slice_str(e->who),
                            .role = slice_str(http_role_name(e->role)),
                            .method = slice_str(http_method_name(e->method)),
                            .path = slice_str(e->path),
                            .status = status,
                            .at_utc_ms = e->at_utc_ms };

    gb_addr_write_ip(&w, &e->client);
    t.peer = writer_slice(&w);
    if (a->cfg.audit)
        a->cfg.audit(a->cfg.ctx, &t);
    else
        log_entry(a, &t);
}

void http_audit_end(struct http_app *a, uint64_t request, unsigned status)
{
    struct entry *e = find(a, request);

    if (!e)
        return;
    /* who is told to wait has tried nothing, and can do so without end */
    if (!(e->role == HTTP_ROLE_NONE && (status == 429 || status == 503 ||
                                        status == 400)))
        tell(a, e, status);
    list_remove(&e->node);
    gb_put(a->cfg.alloc, e);
}

/* The server has closed before, which wrote down what was not answered. */
void http_audit_free(struct http_app *a)
{
    struct list *n;

    while ((n = list_pop_front(&a->audits)) != NULL)
        gb_put(a->cfg.alloc, container_of(n, struct entry, node));
}

void http_audit_write(struct jw *j, const struct http_audit *e)
{
    jw_object(j);
    jw_put_id(j, "id", e->id);
    jw_put_time(j, "at", e->at_utc_ms);
    jw_put_str(j, "who", e->who);
    jw_put_str(j, "role", e->role);
    jw_put_str(j, "peer", e->peer);
    jw_put_str(j, "method", e->method);
    jw_put_str(j, "path", e->path);
    jw_put_u64(j, "status", e->status);
    jw_end(j);
}
