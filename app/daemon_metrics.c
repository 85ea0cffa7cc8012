/* What /metrics tells of the edges, the disks and the process. */
#include "app/daemon_int.h"

#include "app/http/metrics.h"

#include <stdio.h>

#define N "gb28181_"

/* Requests have no code: an empty label is none. */
static void messages(const struct daemon *d, struct buf *out)
{
    struct sip_tally_row row;
    size_t k = 0;

    http_metric(out, N "sip_messages_total",
                "SIP messages that could be read, and those sent");
    while (sip_tally_next(sip_stack_tally(d->sip), &k, &row)) {
        char code[12] = "";

        if (row.status)
            snprintf(code, sizeof(code), "%u", row.status);
        buf_f(out, N "sip_messages_total{method=\"%.*s\","
                     "direction=\"%s\",code=\"%s\"} %llu\n",
              row.method == SIP_METHOD_OTHER
                  ? 5 : (int)sip_method_name(row.method).n,
              row.method == SIP_METHOD_OTHER
                  ? "other" : sip_method_name(row.method).p,
              row.way == SIP_TALLY_IN ? "in" : "out", code,
              (unsigned long long)row.n);
    }
}

/* One metric of each listener; they are kept with the trace. */
static void listeners(const struct daemon *d, struct buf *out,
                      const char *name, const char *help, bool bad)
{
    char addr[GB_ADDR_TEXT_MAX];

    if (!d->trace)
        return;
    http_metric(out, name, help);
    for (size_t i = 0; i < TRACE_LISTENERS; i++) {
        struct gb_addr at = sip_edge_addr(d->edge, i);
        const struct trace_listener *l = trace_listener(d->trace, i);

        if (at.family != GB_NO_ADDR && l)
            buf_f(out, "%s{listener=\"%s\"} %llu\n", name,
                  gb_addr_text(&at, addr),
                  (unsigned long long)(bad ? l->bad : l->received));
    }
}

static void edge(const struct daemon *d, struct buf *out)
{
    struct sip_edge_counters e;

    sip_edge_counters(d->edge, &e);
    http_metric_one(out, N "sip_datagrams_total", "SIP datagrams received",
                    e.datagrams);
    http_metric_one(out, N "sip_not_admitted_total",
                    "SIP messages that were not read: banned, too many, denied",
                    e.not_admitted);
    http_metric_one(out, N "sip_malformed_total",
                    "SIP messages that could not be read", e.bad);
    http_metric_one(out, N "sip_send_errors_total",
                    "SIP datagrams that the kernel did not take",
                    e.send_errors);
    http_metric_one(out, N "sip_connections", "SIP connections, TCP and TLS",
                    e.connections);
    http_metric_one(out, N "sip_connections_cut_total", "SIP connections cut",
                    e.cut);
    http_metric_one(out, N "sip_strangers",
                    "SIP connections of whom no device has registered",
                    e.strangers);
    http_metric_one(out, N "sip_strangers_bytes", "bytes that they hold",
                    e.strangers_bytes);
    http_metric_one(out, N "sip_strangers_cut_total",
                    "of them, cut: idle, or they held too much",
                    e.strangers_cut);
    http_metric_one(out, N "sip_dialled_total",
                    "SIP connections begun for large requests", e.dialled);
    http_metric_one(out, N "sip_tls_failed_total",
                    "TLS handshakes that failed and connections that broke",
                    e.tls_failed);
    http_metric_one(out, N "sip_kernel_drops_total",
                    "SIP datagrams that the kernel dropped: the buffer was "
                    "full", e.dropped);
}

static void https(const struct daemon *d, struct buf *out)
{
    struct tls_relay_counters t;

    if (!d->relay)
        return;
    tls_relay_counters(d->relay, &t);
    http_metric_one(out, N "https_connections", "connections over HTTPS",
                    t.connections);
    http_metric_one(out, N "https_connections_total", "of them since the start",
                    t.taken);
    http_metric_one(out, N "https_failed_total",
                    "of them, handshakes that failed", t.failed);
}

static void media(const struct daemon *d, struct buf *out)
{
    struct media_net_counters m;

    media_net_counters(d->media, &m);
    http_metric_one(out, N "rtp_kernel_drops_total",
                    "media packets that the kernel dropped: the buffer was full",
                    m.kernel_drops);
    http_metric_one(out, N "rtp_invalid_total", "media packets that are no RTP",
                    m.invalid);
    http_metric_one(out, N "rtp_passed_total",
                    "packets of the shared port passed to another loop",
                    m.passed);
    http_metric_one(out, N "rtp_unknown_total",
                    "packets of the shared port of no session", m.unknown);
    http_metric_one(out, N "rtp_resting_total",
                    "packets of the shared port of a session that is over",
                    m.resting);
    http_metric_one(out, N "media_connections_refused_total",
                    "connections to the shared port that were refused",
                    m.refused);
    http_metric_one(out, N "streams", "streams on the media loops", m.streams);
    http_metric_one(out, N "viewers", "viewers of them, over HTTP and RTSP",
                    m.viewers);
}

static void rtsp(const struct daemon *d, struct buf *out)
{
    struct rtsp_server_counters r = { 0 };

    if (d->rtsp)
        rtsp_server_counters(d->rtsp, &r);
    http_metric_one(out, N "rtsp_connections", "RTSP connections",
                    r.connections);
    http_metric_one(out, N "rtsp_viewers", "viewers over RTSP", r.viewers);
    http_metric_one(out, N "rtsp_requests_total", "RTSP requests", r.requests);
    http_metric_one(out, N "rtsp_refused_total", "RTSP connections refused",
                    r.refused);
}

static void store(const struct daemon *d, struct buf *out)
{
    struct store_counters s;

    store_counters(d->store, &s);
    http_metric_one(out, N "store_queued", "rows that wait to be written",
                    s.queued);
    http_metric_one(out, N "store_writes_total", "rows written", s.writes);
    http_metric_one(out, N "store_errors_total", "transactions that failed",
                    s.errors);
    http_metric_one(out, N "store_dropped_total",
                    "rows given up: no room, no memory", s.dropped);
}

/* ---- disks ------------------------------------------------------------------- */

/* Asked for behind each scrape, told by the next: the loop waits for no disk. */
static void on_statfs(uv_fs_t *req)
{
    struct daemon_disk *k = req->data;

    if (req->result == 0) {
        const uv_statfs_t *s = req->ptr;

        k->size = (uint64_t)s->f_blocks * (uint64_t)s->f_bsize;
        k->free = (uint64_t)s->f_bavail * (uint64_t)s->f_bsize;
    }
    k->asked = false;
    uv_fs_req_cleanup(req);
}

static void ask(struct daemon *d, struct daemon_disk *k, const char *path)
{
    if (k->asked || d->closing || !path[0])
        return;
    k->req.data = k;
    k->asked = uv_fs_statfs(&d->loop, &k->req, path, on_statfs) == 0;
}

void daemon_ask_disks(struct daemon *d)
{
    ask(d, &d->disk, d->secrets->dir);
}

/* free: what is, else the whole. */
static void disk_rows(const struct daemon *d, struct buf *out, bool free)
{
    const char *name = free ? N "disk_free_bytes" : N "disk_size_bytes";
    struct volume_view v;

    if (d->disk.size)
        buf_f(out, "%s{dir=\"data\"} %llu\n", name,
              (unsigned long long)(free ? d->disk.free : d->disk.size));
    for (unsigned i = 0; d->volumes && i < volumes_count(d->volumes); i++) {
        volumes_view(d->volumes, i, &v);
        if (v.size == 0)
            continue;
        buf_f(out, "%s{dir=\"record", name);
        if (i)
            buf_f(out, "%u", i + 1);
        buf_f(out, "\"} %llu\n", (unsigned long long)(free ? v.free : v.size));
    }
}

static void disks(struct daemon *d, struct buf *out)
{
    http_metric(out, N "disk_size_bytes",
                "the file system of server.data, and of each record.dir");
    disk_rows(d, out, false);
    http_metric(out, N "disk_free_bytes", "what is free there");
    disk_rows(d, out, true);
    daemon_ask_disks(d);
}

/* ---- the process, by the names that Prometheus' own libraries use ------------- */

static void process(const struct daemon *d, struct buf *out)
{
    uv_rusage_t u;
    size_t rss = 0;

    if (uv_getrusage(&u) == 0) {
        http_metric(out, "process_cpu_seconds_total",
                    "CPU time of all threads");
        buf_f(out, "process_cpu_seconds_total %.3f\n",
              (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
                  (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6);
    }
    if (uv_resident_set_memory(&rss) == 0)
        http_metric_one(out, "process_resident_memory_bytes", "resident memory",
                        rss);
    http_metric(out, "process_start_time_seconds",
                "when it was started, in seconds since 1970");
    buf_f(out, "process_start_time_seconds %.3f\n",
          (double)d->started_utc_ms / 1000);
    http_metric(out, N "loop_late_seconds",
                "the latest that the main loop was of late");
    buf_f(out, N "loop_late_seconds %.3f\n",
          (double)lag_worst(&d->lag) / 1000);
    http_metric(out, N "media_loop_silent_seconds",
                "how long a media loop has not turned; 3 and more: it stalls");
    buf_f(out, N "media_loop_silent_seconds %.3f\n",
          (double)d->silent_ms / 1000);
}

void daemon_metrics(void *ctx, struct buf *out)
{
    struct daemon *d = ctx;

    process(d, out);
    disks(d, out);
    edge(d, out);
    https(d, out);
    media(d, out);
    rtsp(d, out);
    store(d, out);
    daemon_exec_metrics(d, out);
    daemon_mqtt_metrics(d, out);
    messages(d, out);
    listeners(d, out, N "sip_listener_messages_total",
              "SIP messages of each listener", false);
    listeners(d, out, N "sip_listener_malformed_total",
              "of them, those that could not be read", true);
}
