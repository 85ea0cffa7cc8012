/* SIP messages as evidence: list, capture, live, and what the listeners saw.
 * Everything that leaves here is masked. */
#include "app/http/api.h"

#include "app/trace/glance.h"
#include "app/trace/mask.h"
#include "app/trace/pcapng.h"
#include "app/trace/rtplog.h"
#include "manscdp/text.h"

#define CATCH_UP_MAX 1000 /* messages that a Last-Event-ID brings back */
#define PCAP_ROOM (HTTP_RESPONSE_MAX - 2 * PCAPNG_BLOCK_MAX)

/* ---- questions ---- */

static bool fail(struct http_call *c, const char *detail)
{
    http_answer_fail(c, 400, "bad-parameter", detail);
    return false;
}

/* "90s", "10m", "2h", "1d" */
static bool read_span(struct slice s, int64_t *ms)
{
    static const struct {
        char unit;
        uint32_t s;
    } units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 } };
    uint32_t n;

    for (size_t i = 0; s.n && i < sizeof(units) / sizeof(units[0]); i++)
        if (s.p[s.n - 1] == units[i].unit &&
            slice_u32(slice_head(s, s.n - 1), 1000000, &n)) {
            *ms = (int64_t)n * units[i].s * 1000;
            return true;
        }
    return false;
}

static bool read_since(struct http_call *c, int64_t *since)
{
    char text[HTTP_BOUND_MAX];
    struct slice s;
    int64_t span_ms;
    int err = http_query_get(c->head->query, SLICE("since"), text,
                             sizeof(text), &s);

    if (!err && read_span(s, &span_ms)) {
        *since = c->now.utc_ms - span_ms;
        return true;
    }
    return http_query_time(c, "since", since) ||
           fail(c, "since is a time as 2026-01-02T03:04:05Z, or a span back "
                   "from now as 90s, 10m, 2h, 1d");
}

/* One text of the query into a field of the filter. */
static bool read_text(struct http_call *c, const char *name, char *buf,
                      size_t cap)
{
    struct slice s;
    int err = http_query_get(c->head->query, slice_str(name), buf, cap - 1,
                             &s);

    if (err == GB_ENOENT) {
        buf[0] = '\0';
        return true;
    }
    if (err)
        return fail(c, "device or callid is too long or malformed");
    memmove(buf, s.p, s.n);
    buf[s.n] = '\0';
    return true;
}

static bool read_filter(struct http_call *c, struct http_trace_filter *f)
{
    if (!c->app->cfg.trace) {
        static const struct http_problem p = {
            .status = 404, .code = "trace-off",
            .detail = "no messages are kept: trace.memory_mib is 0",
            .hint = SLICE_INIT("set trace.memory_mib and restart"),
        };

        http_answer_problem(c->out, &p);
        return false;
    }
    f->on = true;
    return read_text(c, "device", f->device, sizeof(f->device)) &&
           read_text(c, "callid", f->call_id, sizeof(f->call_id));
}

static struct trace_query query_of(const struct http_trace_filter *f)
{
    return (struct trace_query){ .device = slice_str(f->device),
                                 .call_id = slice_str(f->call_id) };
}

/* ---- one message ---- */

static const char *transport_name(uint8_t t)
{
    return t == SIP_UDP ? "udp" : t == SIP_TCP ? "tcp" : "tls";
}

/* The message, masked, as UTF-8. */
static void text_write(struct jw *j, struct slice bytes, struct buf *copy)
{
    size_t n = bytes.n, room = n + MANSCDP_TEXT_DECODED_MAX(n);
    struct writer w;

    copy->len = 0;
    if (buf_room(copy, room)) {
        jw_put_null(j, "text");
        j->out->err = copy->err; /* the answer is not to look complete */
        return;
    }
    if (n)
        memcpy(copy->p, bytes.p, n);
    trace_mask(copy->p, n);
    bytes = slice_of(copy->p, n);
    if (!manscdp_text_is_utf8(bytes)) {
        w = writer_of(copy->p + n, room - n);
        manscdp_text_decode_mixed(&w, bytes);
        bytes = writer_slice(&w);
    }
    jw_put_str(j, "text", bytes);
}

static void item_write(struct jw *j, const struct trace_item *i,
                       struct buf *copy)
{
    struct trace_glance g;

    trace_glance(&g, i->bytes);
    jw_object(j);
    jw_put_id(j, "id", i->seq);
    jw_put_time(j, "time", i->time.utc_ms);
    jw_put_time(j, "last_at", i->last_utc_ms);
    jw_put_u64(j, "count", i->count);
    jw_put_cstr(j, "direction", i->dir == TRACE_IN ? "in" : "out");
    jw_put_cstr(j, "transport", transport_name(i->peer.transport));
    http_put_addr(j, "local", &i->peer.local);
    http_put_addr(j, "peer", &i->peer.remote);
    jw_put_str(j, "device", i->device);
    jw_put_bool(j, "known", i->known);
    jw_put_str(j, "method", i->method);
    jw_put_u64(j, "status", i->status);
    jw_put_str(j, "reason", i->reason);
    jw_put_str(j, "cmd", trace_element(trace_body(i->bytes),
                                       SLICE("CmdType")));
    jw_put_str(j, "from", g.from_user);
    jw_put_str(j, "to", g.to_user);
    jw_put_str(j, "call_id", i->call_id);
    jw_put_u64(j, "cseq", i->cseq);
    jw_put_str(j, "branch", i->branch);
    jw_put_u64(j, "length", i->len);
    text_write(j, i->bytes, copy);
    jw_end(j);
}

/* ---- answers ---- */

/* The positions of what a query finds, oldest first; the caller gives them
 * back. NULL: no memory, a problem is answered. */
static uint64_t *find(struct http_call *c, const struct trace_query *q,
                      uint32_t limit, size_t *n, size_t *total)
{
    uint64_t *pos = gb_get(c->app->cfg.alloc, limit * sizeof(*pos));

    if (!pos) {
        http_answer_fail(c, 503, NULL, gb_strerror(GB_ENOMEM));
        return NULL;
    }
    *n = trace_find(c->app->cfg.trace, q, pos, limit, total);
    return pos;
}

void http_get_trace(struct http_call *c)
{
    const struct gb_alloc *alloc = c->app->cfg.alloc;
    struct http_trace_filter f = { 0 };
    struct http_page page;
    struct trace_query q;
    struct trace_item item = { 0 };
    uint64_t *pos;
    size_t n, total;
    char text[24];
    struct writer next = writer_of(text, sizeof(text));
    struct buf copy;
    struct jw j;

    if (!http_page_read(c, &page) || !read_filter(c, &f))
        return;
    q = query_of(&f);
    if (!read_since(c, &q.since_utc_ms))
        return;
    q.oldest = page.cursor.n > 0;
    if (q.oldest && !slice_u64(page.cursor, UINT64_MAX, &q.after)) {
        fail(c, "cursor is the id of a message");
        return;
    }
    pos = find(c, &q, page.limit, &n, &total);
    if (!pos)
        return;
    buf_init(&copy, alloc, 4 * TRACE_MESSAGE_MAX);
    j = http_list_begin(c);
    for (size_t i = 0; i < n; i++)
        if (trace_get(c->app->cfg.trace, pos[i], &item))
            item_write(&j, &item, &copy);
    if (q.oldest && total > n)
        writer_u64(&next, item.seq);
    http_list_end(&j, writer_slice(&next), total);
    buf_fini(&copy);
    gb_put(alloc, pos);
}

/* How many of the oldest to leave out, so that the file is not too large. */
static size_t pcap_skip(const struct trace *t, const uint64_t *pos, size_t n)
{
    struct trace_item item;
    size_t bytes = 0;

    while (n && trace_get(t, pos[n - 1], &item)) {
        bytes += item.bytes.n + (PCAPNG_BLOCK_MAX - TRACE_MESSAGE_MAX);
        if (bytes > PCAP_ROOM)
            break;
        n--;
    }
    return n;
}

static void pcap_write(struct http_call *c, struct pcapng *file,
                       const uint64_t *pos, size_t n)
{
    struct buf *out = &c->out->body;
    struct trace_item item;
    struct writer w;

    if (buf_room(out, PCAPNG_BEGIN_MAX))
        return;
    w = writer_of(out->p, PCAPNG_BEGIN_MAX);
    pcapng_begin(&w, "gb28181d");
    out->len = w.len;
    for (size_t i = pcap_skip(c->app->cfg.trace, pos, n); i < n; i++) {
        if (!trace_get(c->app->cfg.trace, pos[i], &item))
            continue;
        if (buf_room(out, item.bytes.n + PCAPNG_BLOCK_MAX - TRACE_MESSAGE_MAX))
            return;
        w = writer_of(out->p + out->len, out->cap - out->len);
        pcapng_packet(file, &w, &item);
        if (!w.err)
            out->len += w.len;
    }
}

static bool is_asked_for(const struct http_trace_filter *f,
                         const struct rtplogs_of *of)
{
    return (!f->device[0] || slice_eq(of->device, slice_str(f->device)) ||
            slice_eq(of->channel, slice_str(f->device))) &&
           (!f->call_id[0] || slice_eq(of->call_id, slice_str(f->call_id)));
}

static void rtp_write(struct http_call *c, struct pcapng *file,
                      const struct rtplogs_of *of,
                      const struct rtplog_packet *p, size_t n)
{
    struct buf *out = &c->out->body;

    for (size_t i = 0; i < n && out->len + PCAPNG_RTP_MAX < PCAP_ROOM; i++) {
        struct writer w;

        if (buf_room(out, PCAPNG_RTP_MAX))
            return;
        w = writer_of(out->p + out->len, out->cap - out->len);
        pcapng_rtp(file, &w, of, &p[i]);
        if (!w.err)
            out->len += w.len;
    }
}

/* Behind the messages of a session the first and the last of its RTP headers. */
static void headers_write(struct http_call *c, struct pcapng *file,
                          const struct http_trace_filter *f, int64_t since)
{
    const struct gb_alloc *alloc = c->app->cfg.alloc;
    struct rtplog_packet *p =
        gb_get(alloc, (RTPLOG_FIRST + RTPLOG_LAST) * sizeof(*p));
    const struct rtplog *log;
    struct rtplogs_of of;
    uint64_t total;

    for (size_t i = 0; p && (log = rtplogs_at(c->app->cfg.headers, i, &of));
         i++) {
        size_t n, skip = 0;

        if (!is_asked_for(f, &of) || of.remote.family == GB_NO_ADDR)
            continue;
        n = rtplog_read(log, p, &total);
        while (skip < n && p[skip].utc_ms < since)
            skip++;
        rtp_write(c, file, &of, p + skip, n - skip);
    }
    gb_put(alloc, p);
}

void http_get_trace_pcap(struct http_call *c)
{
    const struct gb_alloc *alloc = c->app->cfg.alloc;
    struct http_trace_filter f = { 0 };
    uint32_t limit = HTTP_LIST_LIMIT_MAX;
    struct trace_query q;
    struct pcapng *file;
    uint64_t *pos;
    size_t n;

    if (!read_filter(c, &f))
        return;
    q = query_of(&f);
    if (!read_since(c, &q.since_utc_ms))
        return;
    if (http_query_u32(c->head->query, SLICE("limit"), 1000000, &limit) ||
        limit == 0) {
        fail(c, "limit is a number from 1 to 1000000");
        return;
    }
    pos = find(c, &q, limit, &n, NULL);
    if (!pos)
        return;
    file = gb_get(alloc, sizeof(*file));
    if (file) {
        pcapng_init(file);
        c->out->status = 200;
        c->out->type = "application/x-pcapng";
        http_response_field(c->out, "Content-Disposition",
                            SLICE("attachment; filename=\"trace.pcapng\""));
        pcap_write(c, file, pos, n);
        if (c->app->cfg.headers)
            headers_write(c, file, &f, q.since_utc_ms);
    } else {
        http_answer_fail(c, 503, NULL, gb_strerror(GB_ENOMEM));
    }
    gb_put(alloc, file);
    gb_put(alloc, pos);
}

/* ---- live ---- */

void http_get_trace_events(struct http_call *c)
{
    struct slice id = http_head_get(c->head, HTTP_HDR_LAST_EVENT_ID);
    uint64_t last;

    if (!read_filter(c, &c->out->trace))
        return;
    c->out->status = 200;
    c->out->type = "text/event-stream";
    if (c->head->method == HTTP_HEAD) {
        http_answer_empty(c, 200);
        c->out->type = "text/event-stream";
        return;
    }
    last = trace_last(c->app->cfg.trace);
    c->out->kind = HTTP_REPLY_EVENTS;
    c->out->event_seq = last;
    slice_u64(id, last, &c->out->event_seq);
    if (last - c->out->event_seq > CATCH_UP_MAX)
        c->out->event_seq = last - CATCH_UP_MAX;
}

bool http_app_trace_next(const struct http_app *a,
                         const struct http_trace_filter *f, uint64_t *seq,
                         struct buf *out)
{
    struct trace_query q = query_of(f);
    struct trace_item item;
    struct buf copy;
    uint64_t pos;
    struct jw j = jw_to(out);
    bool any;

    q.after = *seq;
    q.oldest = true;
    any = trace_find(a->cfg.trace, &q, &pos, 1, NULL) > 0 &&
          trace_get(a->cfg.trace, pos, &item);
    if (!any) { /* what does not fit need not be looked at again */
        *seq = trace_last(a->cfg.trace);
        return false;
    }
    buf_init(&copy, a->cfg.alloc, 4 * TRACE_MESSAGE_MAX);
    *seq = item.seq;
    buf_f(out, "id: %llu\nevent: trace\ndata: ", (unsigned long long)*seq);
    item_write(&j, &item, &copy);
    buf_str(out, "\n\n");
    buf_fini(&copy);
    return true;
}

void http_on_trace(struct http_app *a)
{
    if (a->edge.event)
        a->edge.event(a->edge.ctx);
}

/* ---- listeners ---- */

void http_get_listeners(struct http_call *c)
{
    const struct http_app_config *cfg = &c->app->cfg;
    struct gb_addr addr[TRACE_LISTENERS];
    struct http_trace_filter f = { 0 };
    struct jw j;
    size_t n;

    if (!read_filter(c, &f))
        return;
    n = cfg->listeners ? cfg->listeners(cfg->ctx, addr, TRACE_LISTENERS) : 0;
    j = http_list_begin(c);
    for (size_t i = 0; i < n; i++) {
        const struct trace_listener *l = trace_listener(cfg->trace, i);

        jw_object(&j);
        http_put_addr(&j, "address", &addr[i]);
        jw_put_u64(&j, "received", l->received);
        jw_put_time(&j, "last_at", l->last_utc_ms);
        http_put_addr(&j, "last_from", &l->last_from);
        jw_put_u64(&j, "malformed", l->bad);
        jw_put_time(&j, "malformed_at", l->bad_utc_ms);
        http_put_addr(&j, "malformed_from", &l->bad_from);
        jw_put_cstr(&j, "malformed_why", l->bad_why ? l->bad_why : "");
        jw_end(&j);
    }
    http_list_end(&j, (struct slice){ 0 }, n);
}
