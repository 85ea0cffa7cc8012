/* The daemon's own log over HTTP: its last lines, and what comes. Lines are as
 * clean as they went out: no secret is ever in one. */
#include "app/http/api.h"

#include "app/net/logring.h"

#define CATCH_UP_MAX 1000 /* lines that a Last-Event-ID brings back */

static bool fail(struct http_call *c, const char *detail)
{
    http_answer_fail(c, 400, "bad-parameter", detail);
    return false;
}

/* ?level=, ?q= */
static bool read_filter(struct http_call *c, struct http_log_filter *f)
{
    struct slice s;
    int err;

    if (!c->app->cfg.log_ring) {
        http_answer_fail(c, 404, "log-off", "no lines are kept");
        return false;
    }
    *f = (struct http_log_filter){ .on = true, .of.least = LOG_TRACE };
    err = http_query_get(c->head->query, SLICE("level"), f->of.q,
                         sizeof(f->of.q), &s);
    if (err != GB_ENOENT && (err || !log_level_parse(s, &f->of.least)))
        return fail(c, "level is error, warn, info, debug or trace");
    err = http_query_get(c->head->query, SLICE("q"), f->of.q,
                         LOGRING_Q_MAX, &s);
    if (err && err != GB_ENOENT)
        return fail(c, "q is too long or malformed");
    if (err)
        s.n = 0;
    else
        memmove(f->of.q, s.p, s.n);
    f->of.q[s.n] = '\0';
    return true;
}

static void line_write(struct jw *j, const struct logring_line *l)
{
    jw_object(j);
    jw_put_id(j, "id", l->seq);
    jw_put_time(j, "time", l->utc_ms);
    jw_put_cstr(j, "level", log_level_name(l->level));
    jw_put_str(j, "text", slice_of(l->text, l->len));
    jw_end(j);
}

void http_get_log(struct http_call *c)
{
    struct logring *r = c->app->cfg.log_ring;
    struct http_log_filter f;
    struct logring_line line = { 0 };
    struct http_page page;
    char text[24];
    struct writer next = writer_of(text, sizeof(text));
    uint64_t after = 0;
    size_t total, n = 0;
    struct jw j;

    if (!http_page_read(c, &page) || !read_filter(c, &f))
        return;
    after = logring_newest(r, &f.of, page.limit, &total);
    if (page.cursor.n && !slice_u64(page.cursor, UINT64_MAX - 1, &after)) {
        fail(c, "cursor is the id of a line");
        return;
    }
    j = http_list_begin(c);
    while (n < page.limit && logring_next(r, &f.of, after, &line)) {
        line_write(&j, &line);
        after = line.seq;
        n++;
    }
    if (page.cursor.n && n == page.limit)
        writer_u64(&next, after);
    http_list_end(&j, writer_slice(&next), total);
}

void http_get_log_events(struct http_call *c)
{
    struct slice id = http_head_get(c->head, HTTP_HDR_LAST_EVENT_ID);
    uint64_t last;

    if (!read_filter(c, &c->out->log))
        return;
    c->out->status = 200;
    c->out->type = "text/event-stream";
    if (c->head->method == HTTP_HEAD)
        return;
    last = logring_last(c->app->cfg.log_ring);
    c->out->kind = HTTP_REPLY_EVENTS;
    c->out->event_seq = last;
    slice_u64(id, last, &c->out->event_seq);
    if (last - c->out->event_seq > CATCH_UP_MAX)
        c->out->event_seq = last - CATCH_UP_MAX;
}

bool http_app_log_next(const struct http_app *a,
                       const struct http_log_filter *f, uint64_t *seq,
                       struct buf *out)
{
    struct logring_line line;
    struct jw j = jw_to(out);
    uint64_t last = logring_last(a->cfg.log_ring);

    if (!logring_next(a->cfg.log_ring, &f->of, *seq, &line)) {
        *seq = last; /* what does not fit need not be looked at again */
        return false;
    }
    *seq = line.seq;
    buf_f(out, "id: %llu\nevent: log\ndata: ", (unsigned long long)*seq);
    line_write(&j, &line);
    buf_str(out, "\n\n");
    return true;
}

void http_on_log(struct http_app *a)
{
    if (a->edge.event)
        a->edge.event(a->edge.ctx);
}
