/* /metrics: figures as Prometheus text, each with what it counts. None is of
 * one device: there may be 20,000. Names end with their unit, counters with
 * _total. docs/metrics.md has the list; a test holds both together. */
#include "app/http/metrics.h"

#include "app/http/api.h"

void http_metric(struct buf *b, const char *name, const char *help)
{
    struct slice s = slice_str(name), end = SLICE("_total");
    bool counts = s.n > end.n && slice_eq(slice_from(s, s.n - end.n), end);

    buf_f(b, "# HELP %s %s\n# TYPE %s %s\n", name, help, name,
          counts ? "counter" : "gauge");
}

void http_metric_one(struct buf *b, const char *name, const char *help,
                     uint64_t v)
{
    http_metric(b, name, help);
    buf_f(b, "%s %llu\n", name, (unsigned long long)v);
}

static void build_metrics(struct http_app *a, struct buf *b)
{
    http_metric(b, "gb28181_build_info", "1, with the version");
    buf_f(b, "gb28181_build_info{version=\"%s\"} 1\n",
          a->cfg.version ? a->cfg.version : "");
}

static void session_metrics(struct http_app *a, struct buf *b)
{
    uint64_t states[PLATFORM_FAILED + 1] = { 0 }, consumers = 0;
    uint64_t packets = a->ended.packets, bytes = a->ended.bytes;
    uint64_t lost = a->ended.lost, foreign = a->ended.foreign;
    struct platform_session s = { .id = 0 };

    while (platform_session_next(a->cfg.platform, s.id, &s)) {
        states[s.state]++;
        consumers += s.consumers;
        packets += s.packets;
        bytes += s.bytes;
        lost += s.lost;
        foreign += s.foreign;
    }
    http_metric(b, "gb28181_sessions", "media sessions by state");
    for (unsigned i = 0; i <= PLATFORM_FAILED; i++)
        buf_f(b, "gb28181_sessions{state=\"%s\"} %llu\n",
              http_session_state_name((enum platform_session_state)i),
              (unsigned long long)states[i]);
    http_metric_one(b, "gb28181_consumers",
                    "viewers, recorders and others that hold sessions",
                    consumers);
    http_metric_one(b, "gb28181_rtp_packets_total", "RTP packets taken",
                    packets);
    http_metric_one(b, "gb28181_rtp_bytes_total", "bytes of them", bytes);
    http_metric_one(b, "gb28181_rtp_lost_total", "RTP packets that never came",
                    lost);
    http_metric_one(b, "gb28181_rtp_foreign_total",
                    "RTP packets of another SSRC", foreign);
}

/* What was turned away before it was looked at. */
static void refusal_metrics(const struct platform_counters *n, struct buf *b)
{
    http_metric_one(b, "gb28181_banned_total", "requests of banned sources",
                    n->banned);
    http_metric_one(b, "gb28181_rate_limited_total", "requests over the rate",
                    n->rate_limited);
    http_metric_one(b, "gb28181_scanners_total", "requests of scanners",
                    n->scanners);
    http_metric_one(b, "gb28181_denied_total",
                    "messages of networks that are not heard", n->denied);
    http_metric_one(b, "gb28181_registers_shed_total",
                    "REGISTERs told to come back, too many at a time", n->shed);
    http_metric_one(b, "gb28181_registers_backed_off_total",
                    "REGISTERs told to come back after wrong passwords",
                    n->backed_off);
    http_metric_one(b, "gb28181_registers_redirected_total",
                    "devices sent to another server", n->redirected);
}

static void platform_metrics(struct http_app *a, struct buf *b)
{
    struct platform_counters n;
    size_t online = 0, devices = platform_device_count(a->cfg.platform,
                                                       &online);

    platform_counters(a->cfg.platform, &n);
    http_metric(b, "gb28181_devices", "known devices by state");
    buf_f(b, "gb28181_devices{state=\"online\"} %zu\n", online);
    buf_f(b, "gb28181_devices{state=\"offline\"} %zu\n", devices - online);
    http_metric_one(b, "gb28181_channels", "known channels",
                    platform_channel_count(a->cfg.platform));
    http_metric(b, "gb28181_media_ports",
                "pairs of media ports by state; a resting one is used again "
                "after a while");
    buf_f(b, "gb28181_media_ports{state=\"lent\"} %u\n", n.ports_lent);
    buf_f(b, "gb28181_media_ports{state=\"resting\"} %u\n", n.ports_resting);
    http_metric_one(b, "gb28181_voices", "devices that somebody speaks to",
                    n.voices);
    http_metric_one(b, "gb28181_registers_total", "registrations accepted",
                    n.registers);
    http_metric_one(b, "gb28181_register_refused_total",
                    "registrations refused", n.register_refused);
    http_metric_one(b, "gb28181_challenges_total", "401 answers", n.challenges);
    http_metric_one(b, "gb28181_keepalives_total", "keepalives", n.keepalives);
    http_metric_one(b, "gb28181_catalogs_total", "catalogs assembled",
                    n.catalogs);
    http_metric_one(b, "gb28181_queries", "answers of many messages under way",
                    n.queries);
    http_metric_one(b, "gb28181_commands", "commands that wait for something",
                    n.commands);
    http_metric_one(b, "gb28181_alarms_total", "alarms", n.alarms);
    http_metric_one(b, "gb28181_notifies_total", "NOTIFY requests", n.notifies);
    http_metric_one(b, "gb28181_stray_notifies_total",
                    "NOTIFY requests outside a subscription", n.stray_notifies);
    http_metric_one(b, "gb28181_notify_floods_total",
                    "NOTIFY requests above the rate of a device, not read",
                    n.notify_floods);
    http_metric_one(b, "gb28181_stray_messages_total",
                    "messages of unknown senders or without a question",
                    n.stray_messages);
    http_metric_one(b, "gb28181_bad_bodies_total", "unreadable bodies",
                    n.bad_bodies);
    http_metric_one(b, "gb28181_sessions_started_total", "sessions started",
                    n.sessions_started);
    http_metric_one(b, "gb28181_sessions_failed_total", "sessions that failed",
                    n.sessions_failed);
    refusal_metrics(&n, b);
}

static void sip_metrics(struct http_app *a, struct buf *b)
{
    struct sip_counters n;

    if (!a->cfg.sip)
        return;
    sip_stack_counters(a->cfg.sip, &n);
    http_metric_one(b, "gb28181_sip_received_total", "SIP messages received",
                    n.received);
    http_metric_one(b, "gb28181_sip_sent_total", "SIP messages sent", n.sent);
    http_metric_one(b, "gb28181_sip_retransmitted_total",
                    "SIP messages sent again", n.retransmitted);
    http_metric_one(b, "gb28181_sip_absorbed_total", "repeats of SIP messages",
                    n.absorbed);
    http_metric_one(b, "gb28181_sip_dropped_total",
                    "SIP messages that found no room", n.dropped);
    http_metric_one(b, "gb28181_sip_bad_total", "malformed SIP messages",
                    n.bad);
    http_metric_one(b, "gb28181_sip_transactions", "SIP transactions",
                    n.transactions);
    http_metric_one(b, "gb28181_sip_dialogs", "SIP dialogs", n.dialogs);
    http_metric_one(b, "gb28181_sip_memory_bytes",
                    "memory of transactions, dialogs and their messages",
                    n.memory);
}

/* What grows for hours, up to trace.memory_mib, and is no leak. */
static void trace_metrics(struct http_app *a, struct buf *b)
{
    struct trace_counters n;

    if (!a->cfg.trace)
        return;
    trace_counters(a->cfg.trace, &n);
    http_metric_one(b, "gb28181_trace_bytes",
                    "memory of the trace: the last SIP messages", n.memory);
}

static void recorder_metrics(struct http_app *a, struct buf *b)
{
    uint64_t states[RECORDERS_ENDING + 1] = { 0 }, lost = 0;
    struct archive_sums sums = { 0 };
    struct recorders_walk walk = { 0 };
    struct recorder_view v;

    if (!a->cfg.recorders || !a->cfg.archive)
        return;
    while (recorders_next(a->cfg.recorders, &walk, &v)) {
        states[v.state]++;
        lost += v.lost;
    }
    archive_sums(a->cfg.archive, &sums);
    http_metric(b, "gb28181_recorders",
                "channels that are set to be recorded, by state");
    for (unsigned i = 0; i <= RECORDERS_ENDING; i++)
        buf_f(b, "gb28181_recorders{state=\"%s\"} %llu\n",
              recorders_state_name((enum recorders_state)i),
              (unsigned long long)states[i]);
    http_metric_one(b, "gb28181_recording_pictures_left_out",
                    "pictures that the recordings now running had to leave out",
                    lost);
    http_metric_one(b, "gb28181_recorded_channels",
                    "channels that have recordings here", sums.channels);
    http_metric_one(b, "gb28181_recorded_segments", "files of recordings",
                    sums.segments);
    http_metric_one(b, "gb28181_recorded_bytes", "bytes of them", sums.bytes);
}

void http_get_metrics(struct http_call *c)
{
    struct http_app *a = c->app;
    struct buf *b = &c->out->body;

    c->out->status = 200;
    c->out->type = "text/plain; version=0.0.4; charset=utf-8";
    build_metrics(a, b);
    platform_metrics(a, b);
    session_metrics(a, b);
    recorder_metrics(a, b);
    sip_metrics(a, b);
    trace_metrics(a, b);
    http_metric_one(b, "gb28181_http_waiting",
                    "requests that wait for a picture", a->n_waiters);
    http_metric_one(b, "gb28181_logins", "sessions of the page",
                    http_auth_session_count(a->auth, c->now.mono_ms));
    http_hooks_metrics(a, b);
    if (a->cfg.metrics)
        a->cfg.metrics(a->cfg.ctx, b);
}
