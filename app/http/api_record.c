/* What this server records: settings and state of a channel, its segments and
 * their files. */
#include "app/http/api.h"
#include "app/net/volumes.h"

#include <jansson.h>

#define FILE_URL_S 43200 /* life of a link to a file */
#define PLAN_DAYS 7
#define PLAN_DAY 48
#define GUARD_MAX 1024 /* of what is set of one channel */

void http_record_scope(struct writer *w, struct slice device,
                       struct slice channel, struct slice start)
{
    writer_str(w, "/record/");
    writer_slice_put(w, device);
    writer_char(w, '/');
    writer_slice_put(w, channel);
    writer_char(w, '/');
    writer_slice_put(w, start);
}

static bool is_on(struct http_call *c)
{
    if (c->app->cfg.recorders)
        return true;
    http_answer_fail(c, 501, "no-store",
                     "recordings need SQLite, which this build has not");
    return false;
}

/* ---- a recorder ------------------------------------------------------------------- */

static void plan_write(struct jw *j, const uint8_t *plan)
{
    jw_key(j, "plan");
    jw_array(j);
    for (unsigned d = 0; d < PLAN_DAYS; d++) {
        char day[PLAN_DAY];

        for (unsigned i = 0; i < PLAN_DAY; i++) {
            unsigned bit = d * PLAN_DAY + i;

            day[i] = plan[bit / 8] >> bit % 8 & 1 ? '1' : '0';
        }
        jw_str(j, slice_of(day, PLAN_DAY));
    }
    jw_end(j);
}

/* What a PUT sets. */
static void settings_write(struct jw *j, const struct recorders_settings *s)
{
    jw_put_cstr(j, "mode", recorders_mode_name(s->mode));
    plan_write(j, s->plan);
    jw_put_u64(j, "alarm_s", s->alarm_s);
    jw_put_bool(j, "before", s->before);
    jw_put_cstr(j, "stream", s->stream ? "sub" : "main");
}

void http_recorder_write(struct jw *j, const struct recorder_view *v)
{
    jw_object(j);
    jw_put_str(j, "device", v->device);
    jw_put_str(j, "channel", v->channel);
    settings_write(j, &v->set);
    jw_put_bool(j, "by_hand", v->set.hand);
    jw_put_cstr(j, "state", recorders_state_name(v->state));
    jw_put_bool(j, "alarm", v->alarm);
    http_put_words(j, "why", slice_str(v->why));
    jw_put_u64(j, "failures", v->failures);
    if (v->session)
        jw_put_id(j, "session", v->session);
    jw_put_time(j, "segment_start", v->begin_utc_ms);
    jw_put_u64(j, "segment_bytes", v->bytes);
    jw_put_u64(j, "lost", v->lost);
    jw_put_time(j, "since", v->since_utc_ms);
    jw_put_time(j, "next_at", v->next_utc_ms);
    jw_end(j);
}

static bool is_known(struct http_call *c)
{
    struct platform_channel ch;

    return is_on(c) && http_find_channel(c, &ch);
}

/* Who starts and stops it by hand changes no settings. */
static struct buf record_guard(const struct http_call *c)
{
    struct recorders_settings s;
    struct buf b;
    struct jw j = jw_to(&b);

    recorders_get(c->app->cfg.recorders, c->params.value[0],
                  c->params.value[1], &s);
    buf_init(&b, c->app->cfg.alloc, GUARD_MAX);
    jw_object(&j);
    settings_write(&j, &s);
    jw_end(&j);
    return b;
}

static void show(struct http_call *c)
{
    struct buf guard = record_guard(c);
    struct jw j = http_answer_json(c, 200);
    struct recorder_view v;

    recorders_view(c->app->cfg.recorders, c->params.value[0],
                   c->params.value[1], &v);
    http_recorder_write(&j, &v);
    http_answer_guard(c, &guard);
}

void http_get_record(struct http_call *c)
{
    if (is_known(c))
        show(c);
}

void http_get_recorders(struct http_call *c)
{
    struct recorders_walk walk = { 0 };
    struct recorder_view v;
    struct http_rows rows;
    struct jw j;

    if (!is_on(c) || !http_rows_begin(c, &rows, false))
        return;
    j = http_list_begin(c);
    while (recorders_next(c->app->cfg.recorders, &walk, &v))
        if (http_rows_take(c, &rows, v.number, v.device, v.channel))
            http_recorder_write(&j, &v);
    http_rows_end(&j, &rows);
}

static void set(struct http_call *c, const struct recorders_settings *s)
{
    const struct http_app_config *cfg = &c->app->cfg;
    int err = recorders_set(cfg->recorders, c->params.value[0],
                            c->params.value[1], s, c->now);

    if (err) {
        http_answer_fail(c, err == GB_ELIMIT ? 409 : 503,
                         err == GB_ELIMIT ? "limit" : NULL,
                         err == GB_ELIMIT
                             ? "too many channels are recorded"
                             : gb_strerror(err));
        return;
    }
    cfg->record_changed(cfg->ctx, c->params.value[0], c->params.value[1]);
    cfg->touched(cfg->ctx);
    show(c);
    http_answer_committed(c);
}

static const char *read_plan(const json_t *plan, uint8_t *out)
{
    static const char fault[] = "plan is a list of 7 days from Monday on, each "
                                "48 half hours of 0 and 1";
    const json_t *day;
    size_t d;

    memset(out, 0, RECORDERS_PLAN_BYTES);
    if (!json_is_array(plan) || json_array_size(plan) != PLAN_DAYS)
        return fault;
    json_array_foreach(plan, d, day) {
        const char *s = json_string_value(day);

        if (!s || json_string_length(day) != PLAN_DAY)
            return fault;
        for (size_t i = 0; i < PLAN_DAY; i++) {
            size_t bit = d * PLAN_DAY + i;

            if (s[i] != '0' && s[i] != '1')
                return fault;
            if (s[i] == '1')
                out[bit / 8] |= (uint8_t)(1u << bit % 8);
        }
    }
    return NULL;
}

/* One member of the body; NULL, or what is wrong. */
static const char *read_member(struct slice key, const json_t *v,
                               struct recorders_settings *s)
{
    struct slice text = json_is_string(v)
                            ? slice_of(json_string_value(v),
                                       json_string_length(v))
                            : slice_of("", 0);

    if (slice_eq(key, SLICE("mode"))) {
        s->mode = recorders_mode_by_name(text);
        return s->mode < RECORDERS_MODES
                   ? NULL
                   : "mode is off, always, plan or alarm";
    }
    if (slice_eq(key, SLICE("plan")))
        return read_plan(v, s->plan);
    if (slice_eq(key, SLICE("stream"))) {
        s->stream = slice_eq(text, SLICE("sub"));
        return s->stream || slice_eq(text, SLICE("main"))
                   ? NULL
                   : "stream is main or sub";
    }
    if (slice_eq(key, SLICE("before"))) {
        s->before = json_is_true(v);
        return json_is_boolean(v) ? NULL : "before is true or false";
    }
    /* alarm_s */
    if (!json_is_integer(v) || json_integer_value(v) < 0 ||
        json_integer_value(v) > RECORDERS_ALARM_MAX_S)
        return "alarm_s is 0 to 3600 seconds";
    s->alarm_s = (uint32_t)json_integer_value(v);
    return NULL;
}

static const char *read_settings(json_t *root, struct recorders_settings *s)
{
    const char *key, *fault = NULL;
    json_t *v;

    if (!json_is_object(root) || !json_object_get(root, "mode"))
        return "the body must be a JSON object with a mode";
    json_object_foreach(root, key, v) {
        fault = read_member(slice_str(key), v, s);
        if (fault)
            return fault;
    }
    if (s->mode == RECORDERS_MODE_PLAN && !json_object_get(root, "plan"))
        return "mode plan needs a plan";
    if (s->mode == RECORDERS_MODE_ALARM && s->alarm_s == 0)
        s->alarm_s = 30;
    return NULL;
}

static json_t *body_of(struct http_call *c)
{
    struct slice body = c->req->body;

    return json_loadb(body.n ? body.p : "", body.n, JSON_REJECT_DUPLICATES,
                      NULL);
}

void http_put_record(struct http_call *c)
{
    struct recorders_settings now, s = { 0 };
    struct buf guard;
    const char *fault;
    json_t *root;

    if (!is_known(c))
        return;
    guard = record_guard(c);
    if (!http_guard_holds(c, &guard))
        return;
    recorders_get(c->app->cfg.recorders, c->params.value[0],
                  c->params.value[1], &now);
    s.hand = now.hand;
    root = body_of(c);
    fault = read_settings(root, &s);
    json_decref(root);
    if (fault)
        http_answer_fail(c, 400, "bad-value", fault);
    else
        set(c, &s);
}

void http_post_record(struct http_call *c)
{
    struct recorders_settings s;
    const char *action;
    json_t *root;
    bool start, stop;

    if (!is_known(c))
        return;
    root = body_of(c);
    action = json_string_value(json_object_get(root, "action"));
    start = action && !strcmp(action, "start");
    stop = action && !strcmp(action, "stop");
    json_decref(root);
    recorders_get(c->app->cfg.recorders, c->params.value[0],
                  c->params.value[1], &s);
    if (!start && !stop) {
        http_answer_fail(c, 400, "bad-value", "action is start or stop");
        return;
    }
    s.hand = start;
    set(c, &s);
}

/* ---- segments ---------------------------------------------------------------------- */

static void segment_write(struct http_call *c, struct jw *j,
                          struct slice device, struct slice channel,
                          const struct archive_segment *s)
{
    char start[24], scope[128], url[HTTP_BASE_MAX + 256];
    struct writer n = writer_of(start, sizeof(start));
    struct writer sc = writer_of(scope, sizeof(scope));
    struct writer w = writer_of(url, sizeof(url));

    writer_f(&n, "%lld", (long long)s->begin_utc_ms);
    http_record_scope(&sc, device, channel, writer_slice(&n));
    writer_f(&w, "%s/api/v1/devices/", c->base);
    writer_slice_put(&w, device);
    writer_str(&w, "/channels/");
    writer_slice_put(&w, channel);
    writer_str(&w, "/records/");
    writer_slice_put(&w, writer_slice(&n));
    writer_str(&w, "?t=");
    http_sign(&w, c->app->cfg.key, writer_slice(&sc),
              c->now.utc_ms / 1000 + FILE_URL_S,
              http_mark_of(c->app, c->who));
    jw_object(j);
    jw_put_str(j, "id", writer_slice(&n));
    jw_put_time(j, "start", s->begin_utc_ms);
    jw_put_time(j, "end", s->begin_utc_ms + s->length_ms);
    jw_put_u64(j, "length_ms", s->length_ms);
    jw_put_u64(j, "bytes", s->bytes);
    jw_put_bool(j, "sound", s->flags & ARCHIVE_SOUND);
    jw_put_bool(j, "open", s->flags & ARCHIVE_OPEN);
    if (!w.err && !sc.err)
        jw_put_str(j, "file", writer_slice(&w));
    jw_end(j);
}

struct range {
    char device_text[ARCHIVE_NAME_MAX], channel_text[ARCHIVE_NAME_MAX];
    struct slice device, channel;
    int64_t from_utc_ms, to_utc_ms;
};

static bool read_range(struct http_call *c, struct range *r)
{
    r->from_utc_ms = 0;
    r->to_utc_ms = INT64_MAX;
    if (http_query_get(c->head->query, SLICE("device"), r->device_text,
                       sizeof(r->device_text), &r->device) ||
        http_query_get(c->head->query, SLICE("channel"), r->channel_text,
                       sizeof(r->channel_text), &r->channel))
        http_answer_fail(c, 400, "bad-parameter",
                         "device and channel have to be named");
    else if (!http_query_time(c, "start", &r->from_utc_ms) ||
             !http_query_time(c, "end", &r->to_utc_ms))
        http_answer_fail(c, 400, "bad-parameter",
                         "start and end are times, or UNIX seconds");
    else
        return true;
    return false;
}

/* Where the range has both ends. */
static void links_write(struct http_call *c, struct jw *j,
                        const struct range *r)
{
    char from[HTTP_BOUND_MAX], to[HTTP_BOUND_MAX];
    struct slice start, end;

    if (!http_query_get(c->head->query, SLICE("start"), from, sizeof(from),
                        &start) &&
        !http_query_get(c->head->query, SLICE("end"), to, sizeof(to), &end))
        http_export_links(c, j, r->device, r->channel, start, end);
}

void http_get_records(struct http_call *c)
{
    struct http_page page;
    struct archive_segment s;
    struct archive_walk w;
    struct range r;
    char text[24];
    struct writer next = writer_of(text, sizeof(text));
    uint64_t after = 0;
    size_t n = 0, all = 0;
    struct jw j;

    if (!is_on(c) || !http_page_read(c, &page) || !read_range(c, &r))
        return;
    if (page.cursor.n && !slice_u64(page.cursor, INT64_MAX, &after)) {
        http_answer_fail(c, 400, "bad-parameter", "this is no cursor");
        return;
    }
    j = http_list_begin(c);
    archive_walk(c->app->cfg.archive, r.device, r.channel, r.from_utc_ms,
                 r.to_utc_ms, &w);
    while (archive_next(&w, &s)) {
        all++;
        if (s.begin_utc_ms < (int64_t)after)
            continue;
        if (n < page.limit)
            segment_write(c, &j, r.device, r.channel, &s);
        else if (n == page.limit)
            writer_f(&next, "%lld", (long long)s.begin_utc_ms);
        n++;
    }
    jw_end(&j);
    links_write(c, &j, &r);
    http_put_next(&j, writer_slice(&next), all);
    jw_end(&j);
}

/* "1700000000000", or with ".mp4" behind it. */
static bool find(struct http_call *c, struct archive_segment *s)
{
    struct slice start = c->params.value[2];
    size_t dot = slice_find(start, '.');
    uint64_t begin = 0;

    if (!is_on(c))
        return false;
    if (slice_eq(slice_from(start, dot), SLICE(".mp4")))
        start = slice_head(start, dot);
    if (slice_u64(start, INT64_MAX, &begin) &&
        archive_find(c->app->cfg.archive, c->params.value[0],
                     c->params.value[1], (int64_t)begin, s))
        return true;
    http_answer_fail(c, 404, "record-unknown", "no such recording");
    return false;
}

/* As who keeps it finds it again; a browser still plays it. */
static void put_name(struct http_call *c, const struct archive_segment *s)
{
    struct slice channel = c->params.value[1];
    char text[96];
    struct writer w = writer_of(text, sizeof(text));

    writer_f(&w, "inline; filename=\"%.20s-%lld.mp4\"",
             channel.n == 20 ? channel.p : "recording",
             (long long)(s->begin_utc_ms / 1000));
    http_response_field(c->out, "Content-Disposition", writer_slice(&w));
}

void http_get_record_file(struct http_call *c)
{
    struct http_file *f = &c->out->file;
    struct writer w = writer_of(f->name, sizeof(f->name) - 1);
    struct archive_segment s;
    unsigned volume;

    if (!find(c, &s))
        return;
    archive_path(&w, c->params.value[0], c->params.value[1], s.begin_utc_ms);
    f->name[w.len] = '\0';
    volume = (s.flags & ARCHIVE_VOLUMES) / ARCHIVE_VOLUME_1;
    f->dir = volumes_dir(c->app->cfg.volumes, volume);
    f->disk = volumes_disk(c->app->cfg.volumes, volume);
    if (s.bytes == 0 || w.err) {
        http_answer_fail(c, 409, "no-file", "nothing is written of it yet");
        return;
    }
    if (http_export_part(c))
        return;
    put_name(c, &s);
    http_answer_file(c, s.bytes, "video/mp4",
                     s.flags & ARCHIVE_OPEN ? 0
                                            : s.begin_utc_ms + s.length_ms);
}

void http_delete_record(struct http_call *c)
{
    const struct http_app_config *cfg = &c->app->cfg;
    struct archive_segment s;

    if (!find(c, &s))
        return;
    if (!cfg->record_remove(cfg->ctx, c->params.value[0], c->params.value[1],
                            s.begin_utc_ms))
        http_answer_fail(c, 409, "open", "it is being written: stop it first");
    else
        http_answer_empty(c, 204);
}
