#include "app/http/server.h"

#include "app/http/conn.h"
#include "app/http/ws.h"
#include "app/net/random.h"
#include "app/net/sockaddr.h"

#include <stdlib.h>
#include <unistd.h>

#define SWEEP_MS 1000

/* ---- time ----------------------------------------------------------------------- */

static void on_app_timer(uv_timer_t *t)
{
    struct http_server *s = t->data;

    http_app_tick(s->cfg.app);
    server_arm(s);
}

void server_arm(struct http_server *s)
{
    uint64_t at = http_app_deadline(s->cfg.app);
    uint64_t now = http_app_now(s->cfg.app).mono_ms;

    if (s->closing)
        return;
    if (at == GB_NEVER)
        uv_timer_stop(&s->app_timer);
    else
        uv_timer_start(&s->app_timer, on_app_timer, at > now ? at - now : 0,
                       0);
}

static void on_sweep(uv_timer_t *t)
{
    struct http_server *s = t->data;
    uint64_t now = uv_now(s->cfg.loop);
    struct list *n, *tmp;

    LIST_EACH(n, tmp, &s->conns)
        conn_sweep(container_of(n, struct conn, node), now);
    if (list_is_empty(&s->conns))
        uv_timer_stop(&s->sweep_timer);
}

/* ---- the end ---------------------------------------------------------------------- */

static void server_free(struct http_server *s)
{
    const struct gb_alloc *alloc = s->cfg.alloc;
    struct map_walk walk = { 0 };
    struct map_node *n;

    while ((n = map_walk_next(&s->sources, &walk)) != NULL) { /* of viewers */
        map_remove(&s->sources, n);
        gb_put(alloc, container_of(n, struct source, node));
    }
    idmap_fini(&s->requests);
    map_fini(&s->sources);
    disk_free(s->disk);
    gb_put(alloc, s->proxies);
    gb_put(alloc, s);
}

void server_handle_closed(struct http_server *s)
{
    void (*on_closed)(void *ctx) = s->on_closed;
    void *ctx = s->closed_ctx;

    if (--s->open_handles || !s->closing)
        return;
    server_free(s);
    if (on_closed)
        on_closed(ctx);
}

static void on_listen_closed(void *ctx)
{
    server_handle_closed(ctx);
}

static void on_timer_closed(uv_handle_t *h)
{
    server_handle_closed(h->data);
}

static void end_job(struct http_server *s, struct job *j)
{
    http_app_password_done(s->cfg.app, j->job);
    gb_put(s->cfg.alloc, j);
    server_arm(s);
    server_handle_closed(s);
}

void http_server_close(struct http_server *s, void (*on_closed)(void *ctx),
                       void *ctx)
{
    struct list *n, *tmp;

    s->closing = true;
    s->on_closed = on_closed;
    s->closed_ctx = ctx;
    s->open_handles++; /* ours, until the end of this function */
    http_app_end_edge(s->cfg.app, s);
    listen_set_close(&s->listen);
    uv_close((uv_handle_t *)&s->app_timer, on_timer_closed);
    uv_close((uv_handle_t *)&s->sweep_timer, on_timer_closed);
    LIST_EACH(n, tmp, &s->conns)
        conn_close(container_of(n, struct conn, node));
    while ((n = list_pop_front(&s->jobs)) != NULL)
        end_job(s, container_of(n, struct job, node));
    server_handle_closed(s);
}

/* ---- sources: so many connections each ------------------------------------------------ */

static bool is_proxy(const struct http_server *s, const struct gb_addr *a)
{
    for (size_t i = 0; i < s->cfg.n_trusted_proxies; i++)
        if (gb_addr_in_net(a, &s->proxies[i].net, s->proxies[i].bits))
            return true;
    return false;
}

/* Counts the connection; false: its source has too many. */
static bool count_source(struct http_server *s, struct conn *c,
                         const struct gb_addr *from)
{
    char key[9] = { (char)from->family };
    struct map_node *n;
    struct source *src;

    if (is_proxy(s, from))
        return true;
    memcpy(key + 1, from->ip, from->family == GB_IPV6 ? 8 : 4);
    n = map_find(&s->sources, slice_of(key, sizeof(key)));
    src = n ? container_of(n, struct source, node) : NULL;
    if (src && src->n >= s->cfg.max_per_source)
        return false;
    if (!src) {
        src = gb_get(s->cfg.alloc, sizeof(*src));
        if (!src)
            return false;
        memcpy(src->key, key, sizeof(key));
        map_insert(&s->sources, &src->node, slice_of(src->key, sizeof(key)));
    }
    src->n++;
    c->source = src;
    return true;
}

static void source_leave(struct http_server *s, struct source *src)
{
    if (!src || --src->n)
        return;
    map_remove(&s->sources, &src->node);
    gb_put(s->cfg.alloc, src);
}

void server_forget(struct http_server *s, struct conn *c)
{
    list_remove(&c->node);
    s->n.connections--;
    source_leave(s, c->source);
    c->source = NULL;
}

void server_handed_over(struct http_server *s, struct conn *c)
{
    s->n.handed_over++;
    s->n.viewers++;
    c->source = NULL; /* the viewer has it now */
}

void http_server_viewer_gone(struct http_server *s, void *place)
{
    s->n.viewers--;
    source_leave(s, place);
}

/* ---- connections ------------------------------------------------------------------------ */

static void begin(struct http_server *s, struct conn *c)
{
    if (!c->secure)
        sockaddr_peer(&c->tcp, &c->remote);
    if (s->n.connections + s->n.viewers > s->cfg.max_conns || s->closing ||
        !count_source(s, c, &c->remote)) {
        s->n.refused++;
        conn_close(c);
        return;
    }
    s->n.accepted++;
    if (!uv_is_active((uv_handle_t *)&s->sweep_timer))
        uv_timer_start(&s->sweep_timer, on_sweep, s->sweep_ms, s->sweep_ms);
    conn_start(c);
}

static bool on_connection(void *ctx, uv_stream_t *h)
{
    struct http_server *s = ctx;
    struct conn *c = conn_new(s);

    if (!c)
        return false;
    if (uv_accept(h, (uv_stream_t *)&c->tcp))
        conn_close(c);
    else
        begin(s, c);
    return true;
}

/* The old connection's place is given back before the new one takes it. */
bool server_take_tls(struct http_server *s, struct conn *c)
{
    struct gb_addr remote = c->remote, local;
    struct conn *n;
    int plain;

    if (c->secure ||
        !tls_relay_takes(s->cfg.tls, &c->tcp, buf_view(&c->in), &plain))
        return false;
    conn_local(c, &local);
    conn_close(c);
    n = conn_new(s);
    if (!n || uv_tcp_open(&n->tcp, plain)) {
        close(plain);
        if (n)
            conn_close(n);
        return true;
    }
    n->secure = true;
    n->remote = remote;
    n->local = local;
    begin(s, n);
    return true;
}

/* ---- what the application asks for --------------------------------------------------------- */

static void edge_answer(void *ctx, uint64_t request, struct http_response *r)
{
    struct http_server *s = ctx;
    struct conn *c = idmap_find(&s->requests, request);

    if (c) {
        conn_answer(c, r);
        return;
    }
    if (r->kind == HTTP_REPLY_MEDIA)
        http_app_media_lost(s->cfg.app, &r->media);
    http_response_fini(r);
}

static void edge_event(void *ctx)
{
    struct http_server *s = ctx;
    struct list *n, *tmp;

    LIST_EACH(n, tmp, &s->streams)
        conn_pump_events(container_of(n, struct conn, event_node));
}

/* The connection that somebody speaks over; NULL: it has gone. */
static struct conn *talk_of(struct http_server *s, uint64_t client)
{
    for (struct list *n = s->conns.next; n != &s->conns; n = n->next) {
        struct conn *c = container_of(n, struct conn, node);

        if (c->client == client && c->state == CONN_TALK)
            return c;
    }
    return NULL;
}

static void edge_talk_text(void *ctx, uint64_t client, struct slice text)
{
    struct conn *c = talk_of(ctx, client);

    if (c)
        conn_talk_text(c, text);
}

static void edge_talk_end(void *ctx, uint64_t client, bool well)
{
    struct conn *c = talk_of(ctx, client);

    if (c)
        conn_talk_end(c, well ? WS_CLOSE_NORMAL : WS_CLOSE_ERROR);
}

static void edge_wake(void *ctx)
{
    server_arm(ctx);
}

static void on_work(uv_work_t *w)
{
    struct job *j = w->data;

    http_password_job_run(j->job);
}

static void run_job(struct http_server *s);

static void on_work_done(uv_work_t *w, int status)
{
    struct job *j = w->data;
    struct http_server *s = j->server;

    (void)status;
    s->job_runs = false;
    run_job(s);
    end_job(s, j);
}

/* One at a time: a burst of logins takes one core, not all of them. */
static void run_job(struct http_server *s)
{
    struct list *n = s->job_runs ? NULL : list_pop_front(&s->jobs);
    struct job *j;

    if (!n)
        return;
    j = container_of(n, struct job, node);
    j->work.data = j;
    s->job_runs = uv_queue_work(s->cfg.loop, &j->work, on_work,
                                on_work_done) == 0;
    if (!s->job_runs)
        end_job(s, j); /* refused: it is not ok */
}

static int edge_hash(void *ctx, struct http_password_job *job)
{
    struct http_server *s = ctx;
    struct job *j = s->closing ? NULL : gb_get(s->cfg.alloc, sizeof(*j));

    if (!j)
        return GB_ENOMEM;
    j->server = s;
    j->job = job;
    s->open_handles++;
    list_push_back(&s->jobs, &j->node);
    run_job(s);
    return 0;
}

/* ---- start ------------------------------------------------------------------------------------ */

static void defaults(struct http_server_config *c)
{
    c->head_timeout_ms = c->head_timeout_ms ? c->head_timeout_ms
                                            : HTTP_HEAD_TIMEOUT_MS;
    c->body_timeout_ms = c->body_timeout_ms ? c->body_timeout_ms
                                            : HTTP_BODY_TIMEOUT_MS;
    c->idle_timeout_ms = c->idle_timeout_ms ? c->idle_timeout_ms
                                            : HTTP_IDLE_TIMEOUT_MS;
    c->write_timeout_ms = c->write_timeout_ms ? c->write_timeout_ms
                                              : HTTP_WRITE_TIMEOUT_MS;
    c->pending_timeout_ms = c->pending_timeout_ms ? c->pending_timeout_ms
                                                  : HTTP_PENDING_TIMEOUT_MS;
    c->max_conns = c->max_conns ? c->max_conns : HTTP_CONNS_MAX;
    c->max_per_source = c->max_per_source ? c->max_per_source
                                          : HTTP_CONNS_PER_SOURCE;
}

static uint64_t sweep_of(const struct http_server_config *c)
{
    const uint32_t t[] = { c->head_timeout_ms, c->body_timeout_ms,
                           c->idle_timeout_ms, c->write_timeout_ms,
                           c->pending_timeout_ms };
    uint64_t least = SWEEP_MS;

    for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++)
        if (t[i] / 2 < least)
            least = t[i] / 2 ? t[i] / 2 : 1;
    return least;
}

/* Tables and timers; what it took is in s and goes with http_server_close. */
static int prepare(struct http_server *s)
{
    size_t bytes = s->cfg.n_trusted_proxies * sizeof(*s->proxies);
    uint8_t seed[16];
    int err;

    if (bytes) {
        s->proxies = gb_get(s->cfg.alloc, bytes);
        if (!s->proxies)
            return GB_ENOMEM;
        memcpy(s->proxies, s->cfg.trusted_proxies, bytes);
    }
    random_bytes(seed, sizeof(seed));
    err = disk_new(&s->disk);
    if (!err)
        err = map_init(&s->sources, s->cfg.alloc, seed);
    if (err)
        return err;
    idmap_init(&s->requests, s->cfg.alloc, s->cfg.max_conns);
    uv_timer_init(s->cfg.loop, &s->app_timer);
    uv_timer_init(s->cfg.loop, &s->sweep_timer);
    s->app_timer.data = s->sweep_timer.data = s;
    s->open_handles = 2;
    return 0;
}

int http_server_new(struct http_server **out,
                    const struct http_server_config *cfg, size_t *failed)
{
    struct http_server *s = gb_get(cfg->alloc, sizeof(*s));
    struct listen_hooks hooks = { on_connection, on_listen_closed, s };
    struct http_edge edge = { .answer = edge_answer,
                              .event = edge_event,
                              .wake = edge_wake,
                              .talk_text = edge_talk_text,
                              .talk_end = edge_talk_end,
                              .hash = edge_hash };
    int err;

    if (!s)
        return GB_ENOMEM;
    s->cfg = *cfg;
    defaults(&s->cfg);
    list_init(&s->conns);
    list_init(&s->streams);
    list_init(&s->jobs);
    s->bodies_left = HTTP_BODIES_MAX;
    s->sweep_ms = sweep_of(&s->cfg);
    err = prepare(s);
    if (err) {
        disk_free(s->disk);
        gb_put(cfg->alloc, s->proxies);
        gb_put(cfg->alloc, s);
        return err;
    }
    s->open_handles++;
    err = listen_set_open(&s->listen, s->cfg.loop, s->cfg.alloc, &hooks,
                          s->cfg.listen, s->cfg.n_listen, failed);
    if (err) {
        http_server_close(s, NULL, NULL);
        return err;
    }
    s->cfg.listen = NULL; /* borrowed during this call only */
    edge.ctx = s;
    http_app_set_edge(s->cfg.app, &edge);
    *out = s;
    return 0;
}

struct gb_addr http_server_addr(const struct http_server *s, size_t i)
{
    return listen_set_addr(&s->listen, i);
}

void http_server_counters(const struct http_server *s,
                          struct http_server_counters *out)
{
    *out = s->n;
}
