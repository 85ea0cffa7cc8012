/* Downloads: jobs that bring what a device has recorded into files. */
#include "app/http/api.h"

#include <jansson.h>

#define SPEED_MAX 256
#define FILE_URL_S 43200 /* life of a link to a file */

void http_download_scope(struct writer *w, uint64_t id)
{
    writer_f(w, "/download/%llu", (unsigned long long)id);
}

static const char *gap_name(enum platform_gap_kind k)
{
    switch (k) {
    case PLATFORM_GAP_NOT_RECORDED:
        return "not recorded";
    case PLATFORM_GAP_NOT_SENT:
        return "not sent";
    case PLATFORM_GAP_LOST:
        return "lost";
    }
    return "";
}

static void gaps_write(struct jw *j, const struct platform *p, uint64_t id)
{
    struct platform_download_gap g;

    jw_key(j, "gaps");
    jw_array(j);
    for (size_t i = 0; platform_download_gap_at(p, id, i, &g); i++) {
        jw_object(j);
        jw_put_time(j, "start", g.from_utc_ms);
        jw_put_time(j, "end", g.to_utc_ms);
        jw_put_cstr(j, "why", gap_name(g.why));
        jw_end(j);
    }
    jw_end(j);
}

static double percent(const struct platform_download *d)
{
    double part;

    if (d->is_final && d->state == PLATFORM_DOWNLOAD_DONE)
        return 100;
    part = d->total_ms ? (double)d->covered_ms / (double)d->total_ms : 0;
    return part > 1 ? 100 : 100 * part;
}

void http_download_write(struct jw *j, const struct platform *p,
                         const struct platform_download *d, struct slice url)
{
    jw_object(j);
    jw_put_id(j, "id", d->id);
    jw_put_str(j, "device", d->device);
    jw_put_str(j, "channel", d->channel);
    jw_put_time(j, "start", (int64_t)d->start_s * 1000);
    jw_put_time(j, "end", (int64_t)d->stop_s * 1000);
    jw_put_cstr(j, "format", platform_file_name(d->format));
    jw_put_cstr(j, "transport", http_transport_name(d->transport));
    jw_put_u64(j, "speed", d->speed);
    jw_put_cstr(j, "state", platform_download_state_name(d->state));
    http_put_words(j, "evidence", d->evidence);
    jw_put_double(j, "percent", percent(d));
    jw_put_double(j, "covered_s", (double)d->covered_ms / 1000);
    jw_put_double(j, "total_s", (double)d->total_ms / 1000);
    jw_put_time(j, "at", d->mark.at_utc_ms);
    jw_put_u64(j, "bytes", d->mark.bytes);
    jw_put_u64(j, "received_bytes", d->received_bytes);
    jw_put_u64(j, "announced_bytes", d->filesize_bytes);
    jw_put_u64(j, "files", d->n_parts);
    jw_put_u64(j, "files_done", d->n_parts_done);
    jw_put_u64(j, "sessions", d->sessions);
    jw_put_u64(j, "tries", d->tries);
    jw_put_id_or_null(j, "session", d->session);
    jw_put_time(j, "created_at", d->created_utc_ms);
    jw_put_time(j, "ended_at", d->ended_utc_ms);
    if (url.n)
        jw_put_str(j, "file", url);
    gaps_write(j, p, d->id);
    jw_end(j);
}

/* With the signed URL of its file, once there is one. */
static void write(struct http_call *c, struct jw *j,
                  const struct platform_download *d)
{
    const struct http_app_config *cfg = &c->app->cfg;
    char scope[64], url[HTTP_BASE_MAX + 256];
    struct writer s = writer_of(scope, sizeof(scope));
    struct writer w = writer_of(url, sizeof(url));

    if (d->has_file) {
        http_download_scope(&s, d->id);
        writer_f(&w, "%s/api/v1/downloads/%llu/file?t=", c->base,
                 (unsigned long long)d->id);
        http_sign(&w, cfg->key, writer_slice(&s),
                  c->now.utc_ms / 1000 + FILE_URL_S,
                  http_mark_of(c->app, c->who));
    }
    http_download_write(j, cfg->platform, d,
                        w.err ? slice_of("", 0) : writer_slice(&w));
}

/* ---- start -------------------------------------------------------------------- */

/* NULL, or what is wrong. */
static const char *read_order(const json_t *root, int zone_min,
                              struct platform_download_order *o)
{
    const json_t *format = json_object_get(root, "format");
    const json_t *speed = json_object_get(root, "speed");
    const char *fault = http_range_read(root, zone_min, &o->start_s, &o->stop_s,
                                        &o->transport);

    if (fault)
        return fault;
    if (format && (!json_is_string(format) ||
                   (strcmp(json_string_value(format), "mp4") &&
                    strcmp(json_string_value(format), "ps"))))
        return "format is mp4 or ps";
    if (format && !strcmp(json_string_value(format), "ps"))
        o->format = PLATFORM_FILE_PS;
    if (speed && (!json_is_integer(speed) || json_integer_value(speed) < 1 ||
                  json_integer_value(speed) > SPEED_MAX))
        return "speed is 1 to 256 times";
    if (speed)
        o->speed = (uint32_t)json_integer_value(speed);
    return NULL;
}

static void not_started(struct http_call *c, int err)
{
    if (err == GB_ELIMIT)
        http_answer_fail(c, 503, "limit",
                         "there are too many downloads: delete some");
    else
        http_answer_span_fault(c, err, NULL);
}

void http_post_download(struct http_call *c)
{
    struct platform *p = c->app->cfg.platform;
    struct platform_download_order o = { .device = c->params.value[0],
                                         .channel = c->params.value[1] };
    struct platform_download d;
    struct slice body = c->req->body;
    json_t *root = json_loadb(body.n ? body.p : "", body.n,
                              JSON_REJECT_DUPLICATES, NULL);
    const char *fault = read_order(root, platform_timezone_min(p), &o);
    uint64_t id = 0;
    int err;

    json_decref(root);
    if (fault) {
        http_answer_fail(c, 400, "bad-parameter", fault);
        return;
    }
    if (!c->app->cfg.download_dir) {
        http_answer_fail(c, 501, "off", "downloads are off (download.max_gib "
                                        "is 0)");
        return;
    }
    err = platform_download_start(p, &o, c->now, &id);
    c->app->cfg.touched(c->app->cfg.ctx);
    if (err) {
        not_started(c, err);
    } else if (platform_download_view(p, id, &d)) {
        struct jw j = http_answer_json(c, 201);

        write(c, &j, &d);
        http_answer_committed(c);
    }
}

/* ---- what becomes of them ------------------------------------------------------ */

static bool find(struct http_call *c, struct platform_download *d)
{
    uint64_t id = 0;

    if (slice_u64(c->params.value[0], UINT64_MAX, &id) &&
        platform_download_view(c->app->cfg.platform, id, d))
        return true;
    http_answer_fail(c, 404, "download-unknown", "no such download");
    return false;
}

void http_get_downloads(struct http_call *c)
{
    struct platform *p = c->app->cfg.platform;
    struct platform_download d;
    struct http_rows rows;
    struct jw j;

    if (!http_rows_begin(c, &rows, true))
        return;
    j = http_list_begin(c);
    for (size_t i = 0; platform_download_at(p, i, &d); i++)
        if (http_rows_take(c, &rows, d.id, d.device, d.channel))
            write(c, &j, &d);
    http_rows_end(&j, &rows);
}

void http_get_download(struct http_call *c)
{
    struct platform_download d;

    if (find(c, &d)) {
        struct jw j = http_answer_json(c, 200);

        write(c, &j, &d);
    }
}

void http_delete_download(struct http_call *c)
{
    struct platform_download d;

    if (!find(c, &d))
        return;
    platform_download_cancel(c->app->cfg.platform, d.id, c->now);
    c->app->cfg.touched(c->app->cfg.ctx);
    http_answer_empty(c, 204);
    http_answer_committed(c);
}

void http_get_download_file(struct http_call *c)
{
    struct platform_download d;
    struct http_file *f = &c->out->file;
    char text[96];
    struct writer w = writer_of(f->name, sizeof(f->name) - 1);
    struct writer t = writer_of(text, sizeof(text));

    if (!find(c, &d))
        return;
    if (!d.has_file || !c->app->cfg.download_dir) {
        http_answer_fail(c, 409, "no-file",
                         d.is_final ? "there is no file: see its evidence"
                                    : "the download is not over yet");
        return;
    }
    writer_f(&w, "%llu.%s", (unsigned long long)d.id,
             platform_file_name(d.format));
    f->name[w.len] = '\0';
    f->dir = c->app->cfg.download_dir;
    writer_f(&t, "attachment; filename=\"%.20s-%llu.%s\"",
             d.channel.n == 20 ? d.channel.p : "recording",
             (unsigned long long)d.start_s, platform_file_name(d.format));
    http_response_field(c->out, "Content-Disposition", writer_slice(&t));
    http_answer_file(c, d.mark.bytes,
                     d.format == PLATFORM_FILE_PS ? "video/MP2P" : "video/mp4",
                     d.ended_utc_ms);
}
