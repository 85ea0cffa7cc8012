/* Health, metrics, what to type into a camera, the page's files. */
#include "app/http/api.h"

#include <zlib.h>

/* Made by tools/embed.sh; ended by a NULL name. data to end is gzip. */
extern const struct web_file {
    const char *name;
    const uint8_t *data, *end;
} web_files[];

#define WEB_FILE_MAX (8u << 20) /* bytes of a page file, unpacked */

void http_get_healthz(struct http_call *c)
{
    c->out->status = 200;
    c->out->type = "text/plain; charset=utf-8";
    c->out->fixed = SLICE("ok\n");
}

void http_get_readyz(struct http_call *c)
{
    const char *why = c->app->cfg.not_ready
                          ? c->app->cfg.not_ready(c->app->cfg.ctx)
                          : NULL;

    if (why)
        http_answer_fail(c, 503, "not-ready", why);
    else
        http_get_healthz(c);
}

void http_get_hints(struct http_call *c)
{
    const struct http_app_config *cfg = &c->app->cfg;
    struct gb_addr addr[HTTP_ADDRESSES_MAX];
    size_t n = cfg->addresses
                   ? cfg->addresses(cfg->ctx, addr, HTTP_ADDRESSES_MAX)
                   : 0;
    struct jw j = http_answer_json(c, 200);

    jw_object(&j);
    jw_put_cstr(&j, "server_id", cfg->server_id ? cfg->server_id : "");
    jw_put_cstr(&j, "domain", cfg->realm ? cfg->realm : "");
    jw_key(&j, "addresses");
    jw_array(&j);
    for (size_t i = 0; i < n; i++) {
        char text[GB_ADDR_TEXT_MAX];
        struct writer w = writer_of(text, sizeof(text));

        gb_addr_write_ip(&w, &addr[i]);
        jw_str(&j, writer_slice(&w));
    }
    jw_end(&j);
    jw_put_u64(&j, "port", cfg->sip_port);
    jw_key(&j, "transports");
    jw_array(&j);
    jw_str(&j, SLICE("udp"));
    jw_str(&j, SLICE("tcp"));
    jw_end(&j);
    if (c->role == HTTP_ROLE_ADMIN && cfg->device_password)
        jw_put_cstr(&j, "password", cfg->device_password);
    jw_end(&j);
}

/* ---- /metrics ------------------------------------------------------------------- */

static void metric(struct buf *b, const char *name, const char *type,
                   const char *help)
{
    buf_f(b, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void metric_one(struct buf *b, const char *name, const char *type,
                       const char *help, uint64_t v)
{
    metric(b, name, type, help);
    buf_f(b, "%s %llu\n", name, (unsigned long long)v);
}

static void session_metrics(struct http_app *a, struct buf *b)
{
    uint64_t states[PLATFORM_FAILED + 1] = { 0 }, consumers = 0;
    uint64_t packets = a->ended.packets, bytes = a->ended.bytes;
    uint64_t lost = a->ended.lost, foreign = a->ended.foreign;
    struct platform_session s;

    for (size_t i = 0; platform_session_at(a->cfg.platform, i, &s); i++) {
        states[s.state]++;
        consumers += s.consumers;
        packets += s.packets;
        bytes += s.bytes;
        lost += s.lost;
        foreign += s.foreign;
    }
    metric(b, "gb28181_sessions", "gauge", "media sessions by state");
    for (unsigned i = 0; i <= PLATFORM_FAILED; i++)
        buf_f(b, "gb28181_sessions{state=\"%s\"} %llu\n",
              http_session_state_name((enum platform_session_state)i),
              (unsigned long long)states[i]);
    metric_one(b, "gb28181_consumers", "gauge",
               "viewers, recorders and others that hold sessions", consumers);
    metric_one(b, "gb28181_rtp_packets_total", "counter", "RTP packets taken",
               packets);
    metric_one(b, "gb28181_rtp_bytes_total", "counter", "bytes of them", bytes);
    metric_one(b, "gb28181_rtp_lost_total", "counter",
               "RTP packets that never came", lost);
    metric_one(b, "gb28181_rtp_foreign_total", "counter",
               "RTP packets of another SSRC", foreign);
}

static void platform_metrics(struct http_app *a, struct buf *b)
{
    struct platform_counters n;
    size_t online = 0, devices = platform_device_count(a->cfg.platform,
                                                       &online);

    platform_counters(a->cfg.platform, &n);
    metric(b, "gb28181_devices", "gauge", "known devices by state");
    buf_f(b, "gb28181_devices{state=\"online\"} %zu\n", online);
    buf_f(b, "gb28181_devices{state=\"offline\"} %zu\n", devices - online);
    metric_one(b, "gb28181_channels", "gauge", "known channels",
               platform_channel_count(a->cfg.platform));
    metric_one(b, "gb28181_registers_total", "counter",
               "registrations accepted", n.registers);
    metric_one(b, "gb28181_register_refused_total", "counter",
               "registrations refused", n.register_refused);
    metric_one(b, "gb28181_challenges_total", "counter", "401 answers",
               n.challenges);
    metric_one(b, "gb28181_keepalives_total", "counter", "keepalives",
               n.keepalives);
    metric_one(b, "gb28181_catalogs_total", "counter", "catalogs assembled",
               n.catalogs);
    metric_one(b, "gb28181_queries", "gauge",
               "answers of many messages under way", n.queries);
    metric_one(b, "gb28181_commands", "gauge",
               "commands that wait for something", n.commands);
    metric_one(b, "gb28181_alarms_total", "counter", "alarms", n.alarms);
    metric_one(b, "gb28181_notifies_total", "counter", "NOTIFY requests",
               n.notifies);
    metric_one(b, "gb28181_stray_notifies_total", "counter",
               "NOTIFY requests outside a subscription", n.stray_notifies);
    metric_one(b, "gb28181_notify_floods_total", "counter",
               "NOTIFY requests above the rate of a device, not read",
               n.notify_floods);
    metric_one(b, "gb28181_stray_messages_total", "counter",
               "messages of unknown senders or without a question",
               n.stray_messages);
    metric_one(b, "gb28181_bad_bodies_total", "counter", "unreadable bodies",
               n.bad_bodies);
    metric_one(b, "gb28181_sessions_started_total", "counter",
               "sessions started", n.sessions_started);
    metric_one(b, "gb28181_sessions_failed_total", "counter",
               "sessions that failed", n.sessions_failed);
    metric_one(b, "gb28181_banned_total", "counter",
               "requests of banned sources", n.banned);
    metric_one(b, "gb28181_rate_limited_total", "counter",
               "requests over the rate", n.rate_limited);
    metric_one(b, "gb28181_scanners_total", "counter",
               "requests of scanners", n.scanners);
    metric_one(b, "gb28181_denied_total", "counter",
               "messages of networks that are not heard", n.denied);
    metric_one(b, "gb28181_registers_shed_total", "counter",
               "REGISTERs told to come back, too many at a time", n.shed);
    metric_one(b, "gb28181_registers_backed_off_total", "counter",
               "REGISTERs told to come back after wrong passwords",
               n.backed_off);
    metric_one(b, "gb28181_registers_redirected_total", "counter",
               "devices sent to another server", n.redirected);
}

static void sip_metrics(struct http_app *a, struct buf *b)
{
    struct sip_counters n;

    if (!a->cfg.sip)
        return;
    sip_stack_counters(a->cfg.sip, &n);
    metric_one(b, "gb28181_sip_received_total", "counter",
               "SIP messages received", n.received);
    metric_one(b, "gb28181_sip_sent_total", "counter", "SIP messages sent",
               n.sent);
    metric_one(b, "gb28181_sip_retransmitted_total", "counter",
               "SIP messages sent again", n.retransmitted);
    metric_one(b, "gb28181_sip_absorbed_total", "counter",
               "repeats of SIP messages", n.absorbed);
    metric_one(b, "gb28181_sip_bad_total", "counter", "malformed SIP messages",
               n.bad);
    metric_one(b, "gb28181_sip_transactions", "gauge", "SIP transactions",
               n.transactions);
    metric_one(b, "gb28181_sip_dialogs", "gauge", "SIP dialogs", n.dialogs);
}

static void archive_metrics(const struct http_app *a, struct buf *b)
{
    struct archive_sums sums;

    if (!a->cfg.archive)
        return;
    archive_sums(a->cfg.archive, &sums);
    metric_one(b, "gb28181_record_channels", "gauge",
               "channels of which this server has recordings", sums.channels);
    metric_one(b, "gb28181_record_files", "gauge", "files of recordings",
               sums.segments);
    metric_one(b, "gb28181_record_bytes", "gauge", "bytes of them",
               sums.bytes);
}

void http_get_metrics(struct http_call *c)
{
    struct http_app *a = c->app;
    struct buf *b = &c->out->body;

    c->out->status = 200;
    c->out->type = "text/plain; version=0.0.4; charset=utf-8";
    platform_metrics(a, b);
    session_metrics(a, b);
    sip_metrics(a, b);
    metric_one(b, "gb28181_http_waiting", "gauge",
               "requests that wait for a picture", a->n_waiters);
    metric_one(b, "gb28181_logins", "gauge", "sessions of the page",
               http_auth_session_count(a->auth, c->now.mono_ms));
    archive_metrics(a, b);
    http_hooks_metrics(a, b);
    if (a->cfg.metrics)
        a->cfg.metrics(a->cfg.ctx, b);
}

/* ---- the page --------------------------------------------------------------------- */

static const char *type_of(struct slice name)
{
    static const struct {
        struct slice end;
        const char *type;
    } types[] = {
        { SLICE_INIT(".html"), "text/html; charset=utf-8" },
        { SLICE_INIT(".js"), "text/javascript; charset=utf-8" },
        { SLICE_INIT(".mjs"), "text/javascript; charset=utf-8" },
        { SLICE_INIT(".css"), "text/css; charset=utf-8" },
        { SLICE_INIT(".svg"), "image/svg+xml" },
        { SLICE_INIT(".png"), "image/png" },
        { SLICE_INIT(".ico"), "image/x-icon" },
        { SLICE_INIT(".json"), "application/json" },
        { SLICE_INIT(".webmanifest"), "application/manifest+json" },
        { SLICE_INIT(".woff2"), "font/woff2" },
        { SLICE_INIT(".txt"), "text/plain; charset=utf-8" },
    };

    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
        if (name.n > types[i].end.n &&
            slice_eq(slice_from(name, name.n - types[i].end.n), types[i].end))
            return types[i].type;
    return "application/octet-stream";
}

/* For the rare client that does not take gzip. */
static int unpack(struct buf *out, const uint8_t *p, size_t n)
{
    z_stream z = { .next_in = (Bytef *)(uintptr_t)p, .avail_in = (uInt)n };
    int err = Z_OK;

    if (inflateInit2(&z, 16 + MAX_WBITS) != Z_OK) /* 16: a gzip header */
        return GB_ENOMEM;
    while (err == Z_OK && out->len < WEB_FILE_MAX && !buf_room(out, 16384)) {
        z.next_out = (Bytef *)out->p + out->len;
        z.avail_out = 16384;
        err = inflate(&z, Z_NO_FLUSH);
        out->len += 16384 - z.avail_out;
    }
    inflateEnd(&z);
    return err == Z_STREAM_END ? 0 : GB_EIO;
}

/* The last eight bytes of gzip are CRC-32 and length: a tag for free. */
static struct slice etag(char buf[static 24], const struct web_file *f)
{
    struct writer w = writer_of(buf, 24);

    writer_char(&w, '"');
    if (f->end - f->data >= 8)
        writer_hex(&w, f->end - 8, 8);
    writer_char(&w, '"');
    return writer_slice(&w);
}

/* What the page may do: itself, media from blobs, sockets to here. */
#define PAGE_POLICY                                                            \
    "default-src 'self'; connect-src 'self' ws: wss:; "                        \
    "media-src 'self' blob:; img-src 'self' data: blob:; "                     \
    "worker-src 'self' blob:; style-src 'self' 'unsafe-inline'; "              \
    "frame-ancestors 'none'; base-uri 'none'; form-action 'self'"

static void answer_file(struct http_call *c, const struct web_file *f)
{
    struct slice name = slice_str(f->name), tag;
    struct slice packed = { (const char *)f->data, (size_t)(f->end - f->data) };
    char text[24];

    tag = etag(text, f);
    http_response_field(c->out, "ETag", tag);
    http_response_field(c->out, "Cache-Control", SLICE("no-cache"));
    http_response_field(c->out, "Vary", SLICE("Accept-Encoding"));
    http_response_field(c->out, "Content-Security-Policy",
                        SLICE(PAGE_POLICY));
    http_response_field(c->out, "Referrer-Policy", SLICE("no-referrer"));
    if (slice_eq(http_head_get(c->head, HTTP_HDR_IF_NONE_MATCH), tag)) {
        http_answer_empty(c, 304);
        return;
    }
    c->out->status = 200;
    c->out->type = type_of(name);
    if (http_head_accepts(c->head, SLICE("gzip"))) {
        http_response_field(c->out, "Content-Encoding", SLICE("gzip"));
        c->out->fixed = packed;
    } else if (unpack(&c->out->body, f->data, packed.n)) {
        http_answer_fail(c, 500, NULL, "the file cannot be unpacked");
    }
}

void http_get_file(struct http_call *c)
{
    struct slice name = c->params.n ? c->params.value[0] : SLICE("index.html");

    for (const struct web_file *f = web_files; f->name; f++) {
        if (slice_eq(slice_str(f->name), name)) {
            answer_file(c, f);
            return;
        }
    }
    http_answer_fail(c, 404, NULL, "there is nothing at this path");
}
