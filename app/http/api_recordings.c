/* What a device has recorded (GB/T 28181-2022 9.7), as a list and as a timeline
 * beside what this server has. The answer waits until the device has told all,
 * or `wait` seconds have gone by: then what has come so far is told. */
#include "app/http/api.h"

#include <stdlib.h>

#define WAIT_S 15         /* unless ?wait= says another */
#define ADJOIN_MS 2000    /* spans so near to each other are one */

struct records_waiter {
    struct list node; /* in http_app.records_waiters, oldest first */
    uint64_t request, records, deadline_ms;
    uint64_t cursor;
    uint32_t limit;
    bool timeline, due;
};

/* ---- the list ---------------------------------------------------------------- */

static void item_write(struct jw *j, const struct platform_record *r)
{
    jw_object(j);
    jw_put_time(j, "start", r->start_utc_ms);
    jw_put_time(j, "end", r->end_utc_ms);
    jw_put_str(j, "name", r->name);
    jw_put_str(j, "type", r->type);
    jw_put_str(j, "path", r->path);
    if (r->bytes)
        jw_put_u64(j, "bytes", r->bytes);
    jw_end(j);
}

static void list_write(struct jw *j, const struct http_app *a,
                       const struct platform_records *r,
                       const struct records_waiter *w)
{
    struct platform_record e;
    char text[24];
    struct writer next = writer_of(text, sizeof(text));
    uint64_t i = w->cursor;

    jw_object(j);
    jw_key(j, "items");
    jw_array(j);
    for (; i - w->cursor < w->limit &&
           platform_record_at(a->cfg.platform, r->id, (size_t)i, &e); i++)
        item_write(j, &e);
    jw_end(j);
    if (i < r->n)
        writer_u64(&next, i);
    http_put_next(j, writer_slice(&next), r->n);
    jw_put_bool(j, "complete", r->complete);
    http_put_words(j, "evidence", r->evidence);
    jw_put_id(j, "command", r->command);
    jw_end(j);
}

/* ---- the timeline --------------------------------------------------------------- */

struct spans {
    struct http_span *e;
    size_t n;
};

static void add_span(struct spans *s, int64_t from, int64_t to)
{
    struct http_span *last = s->n ? &s->e[s->n - 1] : NULL;

    if (last && from <= last->to_utc_ms + ADJOIN_MS) {
        if (to > last->to_utc_ms)
            last->to_utc_ms = to;
    } else if (s->n < HTTP_SPANS_MAX) {
        s->e[s->n++] = (struct http_span){ from, to };
    }
}

/* Cut to the range, in order; those that adjoin are one. */
static void device_spans(struct spans *s, const struct platform *p,
                         const struct platform_records *r)
{
    int64_t from = (int64_t)r->start_s * 1000, to = (int64_t)r->stop_s * 1000;
    struct platform_record e;

    for (size_t i = 0; platform_record_at(p, r->id, i, &e); i++) {
        if (e.end_utc_ms <= from || e.start_utc_ms >= to)
            continue;
        add_span(s, e.start_utc_ms > from ? e.start_utc_ms : from,
                 e.end_utc_ms < to ? e.end_utc_ms : to);
    }
}

static void spans_write(struct jw *j, const struct spans *s, const char *source)
{
    for (size_t i = 0; i < s->n; i++) {
        jw_object(j);
        jw_put_time(j, "start", s->e[i].from_utc_ms);
        jw_put_time(j, "end", s->e[i].to_utc_ms);
        jw_put_cstr(j, "source", source);
        jw_end(j);
    }
}

static void gap_write(struct jw *j, int64_t from, int64_t to)
{
    if (to - from <= ADJOIN_MS)
        return;
    jw_object(j);
    jw_put_time(j, "start", from);
    jw_put_time(j, "end", to);
    jw_end(j);
}

/* What neither has. */
static void gaps_write(struct jw *j, const struct spans *a,
                       const struct spans *b, int64_t from, int64_t to)
{
    size_t i = 0, k = 0;

    while (i < a->n || k < b->n) {
        const struct http_span *e =
            k == b->n || (i < a->n &&
                          a->e[i].from_utc_ms <= b->e[k].from_utc_ms)
                ? &a->e[i++]
                : &b->e[k++];

        gap_write(j, from, e->from_utc_ms);
        if (e->to_utc_ms > from)
            from = e->to_utc_ms;
    }
    gap_write(j, from, to);
}

/* false: no memory. */
static bool timeline_write(struct jw *j, const struct http_app *a,
                           const struct platform_records *r)
{
    int64_t from = (int64_t)r->start_s * 1000, to = (int64_t)r->stop_s * 1000;
    struct spans theirs = { .n = 0 }, ours = { .n = 0 };
    const size_t bytes = HTTP_SPANS_MAX * sizeof(struct http_span);
    bool ok;

    theirs.e = gb_get(a->cfg.alloc, bytes);
    ours.e = gb_get(a->cfg.alloc, bytes);
    ok = theirs.e && ours.e;
    if (ok) {
        device_spans(&theirs, a->cfg.platform, r);
        if (a->cfg.recorded)
            ours.n = a->cfg.recorded(a->cfg.ctx, r->device, r->channel, from,
                                     to, ours.e, HTTP_SPANS_MAX);
        jw_object(j);
        jw_key(j, "items");
        jw_array(j);
        spans_write(j, &theirs, "device");
        spans_write(j, &ours, "server");
        jw_end(j);
        jw_key(j, "gaps");
        jw_array(j);
        gaps_write(j, &theirs, &ours, from, to);
        jw_end(j);
        jw_put_bool(j, "complete", r->complete);
        http_put_words(j, "evidence", r->evidence);
        jw_end(j);
    }
    gb_put(a->cfg.alloc, theirs.e);
    gb_put(a->cfg.alloc, ours.e);
    return ok;
}

/* ---- the answer ------------------------------------------------------------------ */

/* Its state when nothing has come. */
static void answer_state(struct http_response *out,
                         const struct platform_records *r)
{
    bool refused = r->state == PLATFORM_COMMAND_REFUSED;
    const struct http_problem p = {
        .status = refused ? 502 : 504,
        .code = refused ? "query-refused" : "query-silent",
        .detail = refused ? "the device refuses to tell what it has recorded"
                          : "the device has not told what it has recorded",
        .evidence = r->evidence,
        .hint = SLICE("a device without a store has nothing to tell; ask for "
                      "a shorter time where it is slow"),
    };

    http_answer_problem(out, &p);
}

static void fill(const struct http_app *a, struct http_response *out,
                 const struct records_waiter *w)
{
    static const struct http_problem forgotten = {
        .status = 503, .code = "busy",
        .detail = "the answer has been forgotten: others were asked for",
    }, no_memory = { .status = 503, .detail = "no memory" };
    struct platform_records r;
    struct jw j = jw_to(&out->body);

    if (!platform_records_view(a->cfg.platform, w->records, &r)) {
        http_answer_problem(out, &forgotten);
        return;
    }
    /* what this server has is told whatever the device says */
    if (r.n == 0 && r.state != PLATFORM_COMMAND_ANSWERED &&
        !(w->timeline && a->cfg.recorded)) {
        answer_state(out, &r);
        return;
    }
    out->status = 200;
    out->type = "application/json";
    if (!w->timeline)
        list_write(&j, a, &r, w);
    else if (!timeline_write(&j, a, &r))
        http_answer_problem(out, &no_memory);
}

/* ---- the question ------------------------------------------------------------------ */

static bool read_bound(struct http_call *c, const char *name, uint64_t *s)
{
    int64_t utc_ms = 0;

    if (!http_query_time(c, name, &utc_ms) || utc_ms < 1000)
        return false;
    *s = (uint64_t)utc_ms / 1000;
    return true;
}

static bool read_type(struct http_call *c, char buf[static 16],
                      struct slice *type)
{
    static const char *const types[] = { "all", "time", "alarm", "manual" };
    int err = http_query_get(c->head->query, SLICE("type"), buf, 15, type);

    if (err == GB_ENOENT)
        *type = SLICE("all");
    else if (err)
        return false;
    for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
        if (slice_eq(*type, slice_str(types[i])))
            return true;
    return false;
}

static bool read_page(struct http_call *c, struct records_waiter *w)
{
    char text[24];
    struct slice v;
    int err;

    if (http_query_u32(c->head->query, SLICE("limit"), HTTP_LIST_LIMIT_MAX,
                       &w->limit) || w->limit == 0)
        return false;
    err = http_query_get(c->head->query, SLICE("cursor"), text, sizeof(text),
                         &v);
    return err == GB_ENOENT || (!err && slice_u64(v, UINT32_MAX, &w->cursor));
}

void http_answer_span_fault(struct http_call *c, int err, const char *busy)
{
    switch (err) {
    case GB_ENOENT:
        http_answer_no_device(c);
        break;
    case GB_ERANGE:
        http_answer_fail(c, 400, "bad-parameter",
                         "end is behind start, by 31 days at most");
        break;
    case GB_ESYNTAX:
        http_answer_fail(c, 400, "bad-parameter",
                         "this is no id that a channel can have");
        break;
    default:
        http_answer_fail(c, 503, busy, gb_strerror(err));
    }
}

static void not_asked(struct http_call *c, int err)
{
    if (err == GB_ESTATE)
        http_answer_fail(c, 409, "device-offline", "the device is offline");
    else
        http_answer_span_fault(c, err, "busy");
}

/* Waits for it, or answers with what there is. */
static void follow(struct http_call *c, const struct records_waiter *ask)
{
    struct http_app *a = c->app;
    struct platform_records r;
    struct records_waiter *w;

    if (platform_records_view(a->cfg.platform, ask->records, &r) &&
        !r.is_final && c->wait_s) {
        w = gb_get(a->cfg.alloc, sizeof(*w));
        if (w) {
            *w = *ask;
            list_push_back(&a->records_waiters, &w->node);
            c->out->kind = HTTP_REPLY_LATER;
            if (a->edge.wake)
                a->edge.wake(a->edge.ctx);
            return;
        }
    }
    fill(a, c->out, ask);
}

static void get(struct http_call *c, bool timeline)
{
    struct platform_records_ask q = { .device = c->params.value[0],
                                      .channel = c->params.value[1] };
    struct records_waiter w = { .request = c->req->id, .timeline = timeline,
                                .limit = HTTP_LIST_LIMIT_MAX };
    char type[16];
    int err;

    if (!read_bound(c, "start", &q.start_s) ||
        !read_bound(c, "end", &q.stop_s)) {
        http_answer_fail(c, 400, "bad-parameter",
                         "start and end are needed: times of RFC 3339 "
                         "(without a zone: of server.timezone) or UNIX "
                         "seconds");
        return;
    }
    if (!read_type(c, type, &q.type)) {
        http_answer_fail(c, 400, "bad-parameter",
                         "type is all, time, alarm or manual");
        return;
    }
    if (!read_page(c, &w)) {
        http_answer_fail(c, 400, "bad-parameter",
                         "limit is 1 to 10000, cursor as it was told");
        return;
    }
    c->wait_s = WAIT_S;
    if (!http_wait_read(c))
        return;
    err = platform_records_start(c->app->cfg.platform, &q, c->now, &w.records);
    c->app->cfg.touched(c->app->cfg.ctx);
    if (err) {
        not_asked(c, err);
        return;
    }
    w.deadline_ms = c->now.mono_ms + c->wait_s * 1000u;
    follow(c, &w);
}

void http_get_recordings(struct http_call *c)
{
    get(c, false);
}

void http_get_timeline(struct http_call *c)
{
    get(c, true);
}

/* ---- waiting ------------------------------------------------------------------------ */

void http_records_changed(struct http_app *a, uint64_t records)
{
    struct list *n = a->records_waiters.next;

    if (!platform_records_is_final(a->cfg.platform, records))
        return;
    for (; n != &a->records_waiters; n = n->next) {
        struct records_waiter *w = container_of(n, struct records_waiter,
                                                node);

        if (w->records != records)
            continue;
        w->due = a->due = true;
        if (a->edge.wake)
            a->edge.wake(a->edge.ctx);
    }
}

static void waiter_free(struct http_app *a, struct records_waiter *w)
{
    list_remove(&w->node);
    gb_put(a->cfg.alloc, w);
}

void http_records_tick(struct http_app *a, struct gb_time now)
{
    bool more = true;

    /* From the start each time: an answer may end other requests. */
    while (more) {
        struct list *n = a->records_waiters.next;

        more = false;
        for (; n != &a->records_waiters && !more; n = n->next) {
            struct records_waiter *w = container_of(n, struct records_waiter,
                                                    node);
            uint64_t request = w->request;
            struct http_response r;

            if (!w->due && now.mono_ms < w->deadline_ms)
                continue;
            http_response_init(&r, a->cfg.alloc);
            fill(a, &r, w);
            waiter_free(a, w);
            http_app_answer(a, request, &r);
            more = true;
            break;
        }
    }
}

void http_records_gone(struct http_app *a, uint64_t request)
{
    struct list *n, *tmp;

    LIST_EACH(n, tmp, &a->records_waiters) {
        struct records_waiter *w = container_of(n, struct records_waiter,
                                                node);

        if (w->request == request)
            waiter_free(a, w);
    }
}

void http_records_free(struct http_app *a)
{
    while (!list_is_empty(&a->records_waiters))
        waiter_free(a, container_of(a->records_waiters.next,
                                    struct records_waiter, node));
}

uint64_t http_records_deadline(const struct http_app *a)
{
    const struct list *n = a->records_waiters.next;
    uint64_t at = GB_NEVER;

    for (; n != &a->records_waiters; n = n->next) {
        const struct records_waiter *w = container_of(
            (struct list *)(uintptr_t)n, struct records_waiter, node);

        if (w->deadline_ms < at)
            at = w->deadline_ms;
    }
    return at;
}
