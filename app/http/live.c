/* Live: start a session, wait for its picture, answer or hand over.
 *
 * A request that waits is a struct waiter. What its session does is judged when
 * main tells of it (the session may be gone a moment later), the answer goes
 * out from http_live_tick, where the platform may be called again. A waiter
 * holds its session, so that it does not stop for want of viewers. */
#include "app/http/api.h"

#include "app/platform/voice.h"

#include <jansson.h>

#define TEXT_MAX 256 /* of evidence and hint, kept until the answer */

struct outcome {
    unsigned status;
    const char *code, *detail;
    const char *step; /* static; NULL: none */
    char evidence[TEXT_MAX], hint[TEXT_MAX];
};

struct waiter {
    struct list node;
    uint64_t request, session, deadline_ms;
    uint64_t who;  /* asks; an account, or 0 */
    bool is_media; /* else POST live */
    bool due;      /* outcome is filled */
    struct outcome outcome;
    http_live_answer_fn *answer; /* NULL: URLs or a problem, or media */
    struct http_wvp wvp;
    unsigned can;
    struct http_media media; /* of POST live its target alone */
    char base[HTTP_BASE_MAX];
};

/* ---- what became of a session ----------------------------------------------------- */

/* 502: the device said no or did wrong. 504: it did not do it in time. */
static unsigned status_of(const struct platform_session *s)
{
    if (s->step == PLATFORM_STEP_DEVICE)
        return 409;
    return platform_step_is_late(s->step, s->sip_status) ? 504 : 502;
}

static void describe(struct outcome *o, const struct platform_session *s)
{
    slice_copy(o->evidence, sizeof(o->evidence), s->evidence);
    slice_copy(o->hint, sizeof(o->hint), s->hint);
    o->step = platform_step_name(s->step);
    o->detail = platform_step_text(s->step);
}

/* false: it is still on its way. */
static bool judge(struct outcome *o, const struct platform_session *s)
{
    switch (s->state) {
    case PLATFORM_STARTING:
        return false;
    case PLATFORM_PLAYING:
        *o = (struct outcome){ .status = 200 };
        return true;
    case PLATFORM_STOPPING:
        *o = (struct outcome){ .status = 409, .code = "session-stopped" };
        describe(o, s);
        o->detail = "the session was stopped before its first picture";
        return true;
    case PLATFORM_FAILED:
        *o = (struct outcome){ .status = status_of(s), .code = "live-failed" };
        describe(o, s);
        return true;
    }
    return false;
}

/* Its pictures are of a codec that no player of this format knows: only its bytes
 * can be had. */
static bool is_unreadable(struct outcome *o, const struct platform_session *s)
{
    struct writer w = writer_of(o->evidence, sizeof(o->evidence) - 1);

    if (s->video == PS_CODEC_H264 || s->video == PS_CODEC_H265)
        return false;
    *o = (struct outcome){
        .status = 409,
        .code = "codec-unsupported",
        .step = platform_step_name(PLATFORM_STEP_CODEC),
        .detail = "the video is of a codec that players do not know",
    };
    writer_f(&w, "the video is %s", ps_codec_name(s->video));
    slice_copy(o->hint, sizeof(o->hint),
               SLICE("set the video of the camera to H.264 or H.265, or take "
                     ".ps"));
    return true;
}

/* It plays sound alone, and nothing of it is in what is asked for: that would be
 * an answer without an end and without a byte. */
static bool is_silent(struct outcome *o, const struct platform_session *s,
                      const struct http_media *m)
{
    bool still = m->format == HTTP_FORMAT_FRAME ||
                 m->format == HTTP_FORMAT_JPEG;
    bool g711 = s->audio == PS_CODEC_G711A || s->audio == PS_CODEC_G711U;
    struct writer w = writer_of(o->evidence, sizeof(o->evidence) - 1);

    if (!still && !m->no_audio &&
        hub_format_carries(http_format_of_hub(m->format, m->enhanced, m->g711),
                           s->audio))
        return false;
    *o = (struct outcome){
        .status = 409,
        .code = still || m->no_audio ? "no-picture" : "codec-unsupported",
        .step = platform_step_name(PLATFORM_STEP_CODEC),
        .detail = still || m->no_audio
                      ? "the device sends sound alone"
                      : "the device sends sound alone, of a codec that is not "
                        "in this format",
    };
    writer_f(&w, "the sound is %s, and there is no picture",
             ps_codec_name(s->audio));
    slice_copy(o->hint, sizeof(o->hint),
               g711 ? SLICE("take .flv or .mp4, where it is heard")
                    : SLICE("set the sound of the camera to G.711 or AAC, or "
                            "take .ps"));
    return true;
}

/* It plays, but nothing would come in this format. */
static bool has_nothing(struct outcome *o, const struct platform_session *s,
                        const struct http_media *m)
{
    if (!m || m->format == HTTP_FORMAT_PS)
        return false;
    if (s->video != PS_CODEC_UNKNOWN)
        return is_unreadable(o, s);
    return s->audio != PS_CODEC_UNKNOWN && is_silent(o, s, m);
}

/* What to look at while the platform still waits for a step. */
static const char *late_hint(enum platform_step step)
{
    switch (step) {
    case PLATFORM_STEP_KEY:
        return "the stream comes, but no key frame yet: ask again, or shorten "
               "the key frame interval of the camera to 4 s or less";
    case PLATFORM_STEP_CODEC:
        return "set the video of the camera to H.264 or H.265";
    case PLATFORM_STEP_PROGRAM:
        return "the device sends a format of its own: set its stream to "
               "GB/T 28181 (PS)";
    case PLATFORM_STEP_CONNECT:
    case PLATFORM_STEP_PACKET:
        return "a firewall or NAT may keep media away: check media.address and "
               "network.advertise; other transports may still be tried: ask "
               "again";
    case PLATFORM_STEP_DEVICE:
    case PLATFORM_STEP_SOCKET:
    case PLATFORM_STEP_INVITE:
    case PLATFORM_STEP_ANSWER:
    case PLATFORM_STEP_PLAYING:
    case PLATFORM_STEP_ENDED:
    case PLATFORM_STEP_COUNT:
        break;
    }
    return "the session is still being started: ask again, and see its steps "
           "in /api/v1/sessions";
}

/* The time is over; the link behind the last good one is the broken one. */
static void judge_late(struct outcome *o, const struct platform_session *s)
{
    struct platform_session late = *s;
    unsigned waited_s = (HTTP_LIVE_WAIT_MS + (unsigned)s->longer_ms) / 1000;
    struct writer w = writer_of(o->evidence, sizeof(o->evidence) - 1);
    const char *loss = NULL;

    if (late.step < PLATFORM_STEP_PLAYING)
        late.step++;
    *o = (struct outcome){ .status = 504, .code = "live-timeout" };
    describe(o, &late);
    if (late.step == PLATFORM_STEP_KEY)
        loss = platform_loss_hint(s->transport == PLATFORM_UDP, s->packets,
                                  s->lost);
    if (loss && s->evidence.n == 0)
        writer_f(&w,
                 "%llu packets (%llu bytes, %llu lost) came, but within %u.0 s "
                 "not this: %s",
                 (unsigned long long)s->packets, (unsigned long long)s->bytes,
                 (unsigned long long)s->lost, waited_s,
                 platform_step_text(late.step));
    else if (s->evidence.n == 0)
        writer_f(&w, "nothing beyond \"%s\" within %u s",
                 platform_step_text(s->step), waited_s);
    if (w.len)
        o->evidence[w.len] = '\0';
    if (!s->hint.n)
        slice_copy(o->hint, sizeof(o->hint),
                   slice_str(loss ? loss : late_hint(late.step)));
}

static void answer_outcome(struct http_response *out, const struct outcome *o,
                           const struct http_media *m)
{
    const struct http_problem p = {
        .status = o->status,
        .code = o->code,
        .detail = o->detail,
        .step = slice_str(o->step),
        .evidence = slice_str(o->evidence),
        .hint = slice_str(o->hint),
    };
    char text[HTTP_MSE_TEXT_MAX], line[1024];
    struct writer w = writer_of(text, sizeof(text));
    struct writer l = writer_of(line, sizeof(line));

    if (!m || m->format != HTTP_FORMAT_MSE) {
        http_answer_problem(out, &p);
        return;
    }
    /* A page cannot read the status of a refused WebSocket: say it inside. */
    writer_f(&l, "%s: %s", o->step ? o->step : "error", o->evidence);
    if (o->hint[0])
        writer_f(&l, " (%s)", o->hint);
    http_mse_error_write(&w, writer_slice(&l));
    out->kind = HTTP_REPLY_WS_TEXT;
    out->status = 101;
    buf_slice(&out->body, writer_slice(&w));
}

/* ---- start -------------------------------------------------------------------------- */

static void start_failed(struct http_call *c, int err,
                         const struct platform_session *s,
                         const struct http_media *m)
{
    struct outcome o = { .status = 502, .code = "live-failed" };

    describe(&o, s);
    if (err == GB_ERANGE) {
        o.status = 400;
        o.code = "bad-parameter";
        o.detail = "the times are no range of a recording";
    } else if (err == GB_ENOENT) {
        o.status = 404;
        o.code = "not-found";
        o.detail = "no such device or channel";
    } else if (err == GB_ESTATE) {
        o.status = 409;
        o.code = "device-offline";
        o.detail = "the device cannot be asked now";
    } else if (err == GB_ELIMIT || err == GB_ENOMEM) {
        o.status = 409;
        o.code = "limit-reached";
        o.detail = "no room for another session";
    }
    if (o.evidence[0] == '\0')
        slice_copy(o.evidence, sizeof(o.evidence),
                   slice_str(gb_strerror(err)));
    answer_outcome(c->out, &o, m);
}

static void reply_media(struct http_response *out, const struct http_media *m)
{
    out->kind = HTTP_REPLY_MEDIA;
    out->status = m->websocket ? 101 : 200;
    out->media = *m;
}

/* Waits for the session; it is held by us already. false: no room. */
static bool wait_for(struct http_call *c, const struct platform_session *s,
                     const struct http_media *m)
{
    struct http_app *a = c->app;
    struct waiter *w = a->n_waiters < HTTP_WAITERS_MAX
                           ? gb_get(a->cfg.alloc, sizeof(*w))
                           : NULL;

    if (!w)
        return false;
    w->request = c->req->id;
    w->session = s->id;
    w->who = c->who;
    w->answer = c->answer_live;
    w->wvp = c->wvp;
    w->can = c->can;
    w->deadline_ms = c->now.mono_ms + HTTP_LIVE_WAIT_MS + s->longer_ms;
    w->is_media = m != NULL;
    if (m)
        w->media = *m;
    slice_copy(w->media.device, sizeof(w->media.device), s->device);
    slice_copy(w->media.channel, sizeof(w->media.channel), s->channel);
    w->media.stream = s->stream;
    slice_copy(w->base, sizeof(w->base), slice_str(c->base));
    list_push_back(&a->waiters, &w->node);
    a->n_waiters++;
    c->out->kind = HTTP_REPLY_LATER;
    if (a->edge.wake)
        a->edge.wake(a->edge.ctx);
    return true;
}

static void release(struct http_app *a, uint64_t session)
{
    platform_session_release(a->cfg.platform, session,
                             a->cfg.now(a->cfg.ctx));
    a->cfg.touched(a->cfg.ctx);
}

/* A new resource is 201. */
static unsigned good_status(const struct platform_session *s)
{
    return s->kind == PLATFORM_LIVE ? 200 : 201;
}

/* Its bytes do not come from a media loop by its own connection. */
static bool is_asked_for(const struct http_media *m)
{
    return m->format == HTTP_FORMAT_HLS || m->format == HTTP_FORMAT_JPEG;
}

static bool ask(struct http_app *a, uint64_t request,
                const struct http_media *m, struct gb_time now)
{
    return m->format == HTTP_FORMAT_HLS ? http_hls_playlist(a, request, m, now)
                                        : http_jpeg_ask(a, request, m, now);
}

void http_live_follow(struct http_call *c, int err,
                      const struct platform_session *s, struct http_media *m,
                      bool wait)
{
    struct platform *p = c->app->cfg.platform;
    struct outcome o;

    c->app->cfg.touched(c->app->cfg.ctx);
    if (c->answer_live && (err || !wait || judge(&o, s))) {
        c->answer_live(c->app, c->out, s, c->can);
        return;
    }
    if (err) {
        start_failed(c, err, s, m);
        return;
    }
    if (!wait) {
        struct jw j = http_answer_json(c, 202);

        http_live_write(&j, c->app, slice_str(c->base), s, c->now, c->who);
        return;
    }
    if (m) {
        m->session = s->id;
        m->loop = s->loop;
    }
    if (!judge(&o, s)) {
        platform_session_hold(p, s->id, c->now);
        if (!wait_for(c, s, m)) {
            release(c->app, s->id);
            http_answer_fail(c, 503, NULL, "too many requests are waiting");
        }
    } else if (o.status != 200 || has_nothing(&o, s, m)) {
        answer_outcome(c->out, &o, m);
    } else if (m && is_asked_for(m)) {
        if (ask(c->app, c->req->id, m, c->now))
            c->out->kind = HTTP_REPLY_LATER;
        else
            http_answer_fail(c, 503, NULL, "the media side takes no more");
    } else if (m) {
        platform_session_hold(p, s->id, c->now);
        reply_media(c->out, m);
    } else {
        struct jw j = http_answer_json(c, good_status(s));

        http_live_write(&j, c->app, slice_str(c->base), s, c->now, c->who);
    }
}

/* Starts or finds the session of req; answers now or later. m NULL: POST. */
static void start(struct http_call *c, const struct platform_live *req,
                  struct http_media *m, bool wait)
{
    struct platform_session s = { 0 };
    int err = platform_live_start(c->app->cfg.platform, req, c->now, &s);

    http_live_follow(c, err, &s, m, wait);
}

/* ---- handlers ------------------------------------------------------------------------ */

/* The optional body of POST live; false: a problem has been answered. */
static bool read_body(struct http_call *c, struct platform_live *req)
{
    struct slice body = slice_trim(c->req->body), text;
    json_t *root, *v;
    bool ok;

    if (body.n == 0)
        return true;
    root = json_loadb(body.p, body.n, JSON_REJECT_DUPLICATES, NULL);
    ok = json_is_object(root);
    if (!ok)
        http_answer_fail(c, 400, "bad-body", "the body is not a JSON object");
    v = ok ? json_object_get(root, "transport") : NULL;
    if (v && !json_is_null(v)) {
        text = slice_str(json_string_value(v));
        ok = json_is_string(v) && http_transport_parse(text, &req->transport);
        if (!ok)
            http_answer_fail(c, 400, "bad-parameter",
                             "transport is auto, udp, tcp-passive or "
                             "tcp-active");
    }
    v = ok ? json_object_get(root, "stream") : NULL;
    if (v && !json_is_null(v)) {
        text = slice_str(json_string_value(v));
        ok = json_is_string(v) && http_stream_parse(text, &req->stream);
        if (!ok)
            http_answer_fail(c, 400, "bad-parameter", "stream is main or sub");
    }
    json_decref(root);
    return ok;
}

void http_post_live(struct http_call *c)
{
    struct platform_live req = { .device = c->params.value[0],
                                 .channel = c->params.value[1] };
    uint32_t wait = 1;

    if (http_query_u32(c->head->query, SLICE("wait"), 1, &wait)) {
        http_answer_fail(c, 400, "bad-parameter", "wait is 0 or 1");
        return;
    }
    if (read_body(c, &req) && http_query_stream(c, &req.stream))
        start(c, &req, NULL, wait != 0);
}

/* Without it in the query *flag stays as it is. */
static bool query_flag(struct http_call *c, const char *name, bool *flag)
{
    uint32_t v = *flag;
    char text[64];
    struct writer w = writer_of(text, sizeof(text) - 1);

    if (http_query_u32(c->head->query, slice_str(name), 1, &v)) {
        writer_f(&w, "%s is 0 or 1", name);
        text[w.len] = '\0';
        http_answer_fail(c, 400, "bad-parameter", text);
        return false;
    }
    *flag = v != 0;
    return true;
}

/* The live session of the path's channel; false: a problem has been
 * answered. */
static bool find_live(struct http_call *c, struct platform_session *s)
{
    unsigned stream = 0;

    if (!http_query_stream(c, &stream))
        return false;
    if (platform_live_find(c->app->cfg.platform, c->params.value[0],
                           c->params.value[1], stream, s))
        return true;
    http_answer_fail(c, 404, "no-session", "this channel is not live");
    return false;
}

void http_get_live(struct http_call *c)
{
    struct platform_session s;

    if (find_live(c, &s)) {
        struct jw j = http_answer_json(c, 200);

        http_live_write(&j, c->app, slice_str(c->base), &s, c->now, c->who);
    }
}

void http_delete_live(struct http_call *c)
{
    struct platform_session s;

    if (!find_live(c, &s))
        return;
    platform_session_stop(c->app->cfg.platform, s.id, c->now);
    c->app->cfg.touched(c->app->cfg.ctx);
    http_answer_empty(c, 204);
}

static void answer_upgrade(struct http_call *c)
{
    http_answer_fail(c, 426, NULL, "this path speaks WebSocket");
    http_response_field(c->out, "Upgrade", SLICE("websocket"));
}

/* false: a problem has been answered. */
static bool read_format(struct http_call *c, struct http_media *m)
{
    *m = (struct http_media){ .format = (enum http_format)c->route->arg,
                              .websocket = c->head->websocket };
    if (m->format == HTTP_FORMAT_JPEG && !c->app->cfg.jpeg) {
        http_answer_fail(c, 501, "no-ffmpeg",
                         "a JPEG is made by ffmpeg: set snapshot.ffmpeg to its "
                         "path; frame.mp4 is the same picture as it comes");
        return false;
    }
    if (!(c->app->cfg.formats >> m->format & 1) ||
        (m->format == HTTP_FORMAT_HLS && !c->app->cfg.hls)) {
        http_answer_fail(c, 501, "no-format",
                         "this build does not serve this format");
        return false;
    }
    if (m->format == HTTP_FORMAT_MSE && !m->websocket) {
        answer_upgrade(c);
        return false;
    }
    if (m->websocket && m->format != HTTP_FORMAT_MSE &&
        m->format != HTTP_FORMAT_FLV && m->format != HTTP_FORMAT_FMP4) {
        http_answer_fail(c, 400, NULL, "this format is not for WebSocket");
        return false;
    }
    return true;
}

/* What a viewer may choose; false: a problem has been answered. */
static bool read_choices(struct http_call *c, struct http_media *m)
{
    bool audio = true;

    if (!query_flag(c, "enhanced", &m->enhanced) ||
        !query_flag(c, "g711", &m->g711) || !query_flag(c, "audio", &audio))
        return false;
    m->no_audio = !audio;
    if (!http_query_u32(c->head->query, SLICE("delay"), HTTP_DELAY_MAX_MS,
                        &m->delay_ms))
        return true;
    http_answer_fail(c, 400, "bad-parameter",
                     "delay is a number of milliseconds, at most 1000");
    return false;
}

/* false: a problem has been answered. */
static bool read_hls(struct http_call *c, struct http_media *m)
{
    if (m->format != HTTP_FORMAT_HLS || http_hls_query(c, m))
        return true;
    http_answer_fail(c, 400, "bad-parameter", "t is too long");
    return false;
}

/* Nothing is started for a HEAD. */
static void answer_head(struct http_call *c, const struct http_media *m)
{
    http_answer_empty(c, 200);
    c->out->type = http_format_type(m->format);
}

void http_get_media(struct http_call *c)
{
    struct platform_live req = { 0 };
    struct http_media m;

    if (!read_format(c, &m))
        return;
    if (!http_media_target(c, &req.device, &req.channel)) {
        http_answer_fail(c, 404, NULL, "no such channel, or in many devices");
        return;
    }
    if (!http_query_stream(c, &req.stream) || !read_choices(c, &m))
        return;
    if (c->head->method == HTTP_HEAD) {
        answer_head(c, &m);
        return;
    }
    m.stream = req.stream;
    slice_copy(m.device, sizeof(m.device), req.device);
    slice_copy(m.channel, sizeof(m.channel), req.channel);
    if (!read_hls(c, &m))
        return;
    start(c, &req, &m, true);
}

/* A talk, in which the device speaks as well, for those who listen; nobody holds
 * it: it ends with its speaker. */
static bool find_talk(struct http_call *c, struct platform_session *s)
{
    struct platform_voice v;
    uint64_t id;

    if (!slice_u64(c->params.value[0], UINT64_MAX, &id) ||
        !platform_voice_view(c->app->cfg.platform, id, &v) ||
        v.mode != PLATFORM_VOICE_TALK || v.state != PLATFORM_VOICE_SPEAKS)
        return false;
    *s = (struct platform_session){ .id = id, .device = v.device,
                                    .channel = v.channel, .loop = v.loop,
                                    .state = PLATFORM_PLAYING,
                                    .step = PLATFORM_STEP_PLAYING };
    return true;
}

/* A session that players of HLS were at, and that does not play any more. */
static bool is_over(struct http_call *c, const struct http_media *m,
                    struct platform_session *s)
{
    uint64_t id;

    if (m->format != HTTP_FORMAT_HLS ||
        !slice_u64(c->params.value[0], UINT64_MAX, &id) ||
        (platform_session_view(c->app->cfg.platform, id, s) &&
         s->state != PLATFORM_STOPPING))
        return false;
    return http_hls_over(c->app, id, s);
}

/* /session/ID.flv: a session that runs already */
void http_get_session_media(struct http_call *c)
{
    struct platform_session s;
    struct http_media m;
    bool talks, over;

    if (!read_format(c, &m) || !read_choices(c, &m))
        return;
    talks = find_talk(c, &s);
    over = !talks && is_over(c, &m, &s);
    if (!talks && !over && !http_session_find(c, &s))
        return;
    if (c->head->method == HTTP_HEAD) {
        answer_head(c, &m);
        return;
    }
    if (over) {
        if (read_hls(c, &m))
            http_hls_last(c, &s, &m);
        return;
    }
    m.stream = s.stream;
    m.finite = s.kind == PLATFORM_PLAYBACK || s.kind == PLATFORM_DOWNLOAD;
    slice_copy(m.device, sizeof(m.device), s.device);
    slice_copy(m.channel, sizeof(m.channel), s.channel);
    if (!read_hls(c, &m))
        return;
    http_live_follow(c, 0, &s, &m, true);
}

/* ---- waiters ---------------------------------------------------------------------------- */

static void waiter_free(struct http_app *a, struct waiter *w)
{
    list_remove(&w->node);
    a->n_waiters--;
    gb_put(a->cfg.alloc, w);
}

void http_live_changed(struct http_app *a, const struct platform_session *s)
{
    struct list *n, *tmp;
    bool any = false;

    LIST_EACH(n, tmp, &a->waiters) {
        struct waiter *w = container_of(n, struct waiter, node);

        if (w->session == s->id && !w->due)
            any |= w->due = judge(&w->outcome, s);
    }
    if (!any)
        return;
    a->due = true;
    if (a->edge.wake)
        a->edge.wake(a->edge.ctx);
}

/* What has become of it since it was judged. */
static void judge_again(struct http_app *a, struct waiter *w,
                        struct platform_session *s)
{
    if (w->outcome.status == 200 &&
        !platform_session_view(a->cfg.platform, w->session, s)) {
        w->outcome = (struct outcome){
            .status = 409,
            .code = "session-stopped",
            .detail = "the session was stopped",
        };
    }
    if (!http_app_who_is_there(a, w->who))
        w->outcome = (struct outcome){
            .status = 401,
            .detail = "who asked has been removed or changed meanwhile",
        };
    if (w->outcome.status == 200 && w->is_media)
        has_nothing(&w->outcome, s, &w->media);
}

static void answer_session(struct http_app *a, struct http_response *r,
                           const struct waiter *w,
                           const struct platform_session *s,
                           struct gb_time now)
{
    struct jw j = jw_to(&r->body);

    r->status = good_status(s);
    r->type = "application/json";
    http_live_write(&j, a, slice_str(w->base), s, now, w->who);
}

/* Answers one waiter and forgets it. Its hold goes on to the viewer, or is
 * given back. */
static void finish(struct http_app *a, struct waiter *w, struct gb_time now)
{
    struct platform_session s = { 0 };
    struct http_response r;
    struct waiter done = *w;
    bool keep = false, later = false;

    waiter_free(a, w);
    http_response_init(&r, a->cfg.alloc);
    judge_again(a, &done, &s);
    if (done.answer) {
        s.device = slice_str(done.media.device);
        s.channel = slice_str(done.media.channel);
        s.stream = done.media.stream;
        done.answer(a, &r, &s, done.can);
    } else if (done.outcome.status != 200) {
        answer_outcome(&r, &done.outcome, done.is_media ? &done.media : NULL);
    } else if (done.is_media && is_asked_for(&done.media)) {
        static const struct http_problem busy = {
            .status = 503, .detail = "the media side takes no more",
        };

        done.media.loop = s.loop;
        later = ask(a, done.request, &done.media, now);
        if (!later)
            http_answer_problem(&r, &busy);
    } else if (done.is_media) {
        done.media.loop = s.loop;
        reply_media(&r, &done.media);
        keep = true;
    } else {
        answer_session(a, &r, &done, &s, now);
    }
    if (!keep)
        release(a, done.session);
    http_wvp_answer(a, &r, &done.wvp);
    if (later)
        http_response_fini(&r);
    else
        http_app_answer(a, done.request, &r);
}

void http_live_tick(struct http_app *a, struct gb_time now)
{
    bool more = true;

    a->due = false;
    /* From the start each time: an answer may end other requests. */
    while (more) {
        struct list *n, *tmp;

        more = false;
        LIST_EACH(n, tmp, &a->waiters) {
            struct waiter *w = container_of(n, struct waiter, node);
            struct platform_session s = { .step = PLATFORM_STEP_DEVICE };

            if (!w->due && now.mono_ms >= w->deadline_ms) {
                platform_session_view(a->cfg.platform, w->session, &s);
                judge_late(&w->outcome, &s);
                w->due = true;
            }
            if (w->due) {
                finish(a, w, now);
                more = true;
                break;
            }
        }
    }
}

void http_live_gone(struct http_app *a, uint64_t request)
{
    struct list *n, *tmp;

    LIST_EACH(n, tmp, &a->waiters) {
        struct waiter *w = container_of(n, struct waiter, node);

        if (w->request == request) {
            uint64_t session = w->session;

            waiter_free(a, w);
            release(a, session);
            return;
        }
    }
}

void http_live_free(struct http_app *a)
{
    while (!list_is_empty(&a->waiters))
        waiter_free(a, container_of(a->waiters.next, struct waiter, node));
}

/* Some wait longer than those behind them. */
static uint64_t first_deadline(const struct http_app *a)
{
    const struct list *n = a->waiters.next;
    uint64_t at = GB_NEVER;

    for (; n != &a->waiters; n = n->next) {
        const struct waiter *w = container_of((struct list *)(uintptr_t)n,
                                              struct waiter, node);

        if (w->deadline_ms < at)
            at = w->deadline_ms;
    }
    return at;
}

uint64_t http_app_deadline(const struct http_app *a)
{
    const uint64_t all[] = { http_wait_deadline(a), http_hls_deadline(a),
                             http_records_deadline(a), first_deadline(a) };
    uint64_t at = GB_NEVER;

    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        if (all[i] < at)
            at = all[i];
    return a->due ? 0 : at;
}
