/* What the URL of a picture names, and which URLs a session has. */
#include "app/http/api.h"

/* ---- targets ------------------------------------------------------------------ */

/* /api/ws?src=DEVICE/CHANNEL or src=CHANNEL */
static bool src_target(struct http_call *c, struct slice *device,
                       struct slice *channel)
{
    struct slice src;

    if (http_query_get(c->head->query, SLICE("src"), c->src_text,
                       sizeof(c->src_text), &src))
        return false;
    if (!slice_cut(&src, '/', device)) {
        *channel = *device;
        *device = (struct slice){ 0 };
    } else {
        *channel = src;
    }
    return true;
}

bool http_media_target(struct http_call *c, struct slice *device,
                       struct slice *channel)
{
    size_t n = c->params.n;

    if (n && c->route->flags & HTTP_ROUTE_PIECE)
        n--;
    *device = *channel = (struct slice){ 0 };
    if (n == 0) {
        if (!src_target(c, device, channel))
            return false;
    } else {
        *channel = c->params.value[n - 1];
        if (n == 2)
            *device = c->params.value[0];
    }
    if (channel->n == 0 || channel->n > HTTP_ID_MAX || device->n > HTTP_ID_MAX)
        return false;
    if (device->n == 0) {
        struct slice owner;

        if (!platform_channel_owner(c->app->cfg.platform, *channel, &owner) ||
            !slice_copy(c->owner_text, sizeof(c->owner_text), owner))
            return false;
        *device = slice_of(c->owner_text, owner.n);
    }
    return true;
}

bool http_stream_parse(struct slice s, unsigned *stream)
{
    if (s.n == 0 || slice_eq(s, SLICE("main")) || slice_eq(s, SLICE("0")))
        *stream = 0;
    else if (slice_eq(s, SLICE("sub")) || slice_eq(s, SLICE("1")))
        *stream = 1;
    else
        return false;
    return true;
}

bool http_transport_parse(struct slice s, enum platform_transport *t)
{
    for (unsigned i = PLATFORM_AUTO; i <= PLATFORM_TCP_ACTIVE; i++) {
        if (slice_eq(s, slice_str(http_transport_name(
                            (enum platform_transport)i)))) {
            *t = (enum platform_transport)i;
            return true;
        }
    }
    return false;
}

bool http_query_stream(struct http_call *c, unsigned *stream)
{
    char text[16];
    struct slice s;
    int err = http_query_get(c->head->query, SLICE("stream"), text,
                             sizeof(text), &s);

    if (err == GB_ENOENT)
        return true; /* as the body says, or main */
    if (!err && http_stream_parse(s, stream))
        return true;
    http_answer_fail(c, 400, "bad-parameter", "stream is main or sub");
    return false;
}

/* ---- the answer: every URL of a session ------------------------------------------ */

struct urls {
    const struct http_app *app;
    struct jw *j;
    struct slice base; /* "http://host:port" or empty */
    const struct platform_session *s;
    struct gb_time now;
    uint64_t mark; /* of whom they are for */
};

static void put_query(struct writer *w, const struct urls *u, char sep)
{
    char scope_text[128];
    struct writer scope = writer_of(scope_text, sizeof(scope_text));

    if (u->s->stream) {
        writer_char(w, sep);
        writer_str(w, "stream=sub");
        sep = '&';
    }
    if (!u->app->cfg.auth)
        return;
    if (u->s->kind != PLATFORM_LIVE) {
        http_session_scope(&scope, u->s->id);
    } else {
        writer_str(&scope, "/live/");
        writer_slice_put(&scope, u->s->device);
        writer_char(&scope, '/');
        writer_slice_put(&scope, u->s->channel);
    }
    if (scope.err)
        return;
    writer_char(w, sep);
    writer_str(w, "t=");
    http_sign(w, u->app->cfg.key, writer_slice(&scope),
              u->now.utc_ms / 1000 + u->app->cfg.media_url_s, u->mark);
}

static void put_ids(struct writer *w, const struct urls *u)
{
    http_escape(w, u->s->device);
    writer_char(w, '/');
    http_escape(w, u->s->channel);
}

/* "/live/DEVICE/CHANNEL" or "/session/ID" */
static void put_path(struct writer *w, const struct urls *u)
{
    if (u->s->kind != PLATFORM_LIVE) {
        http_session_scope(w, u->s->id);
        return;
    }
    writer_str(w, "/live/");
    put_ids(w, u);
}

/* ws: the scheme becomes ws or wss. */
static void put_base(struct writer *w, const struct urls *u, bool ws)
{
    struct slice base = u->base;

    if (ws && base.n) {
        writer_str(w, "ws");
        base = slice_from(base, 4); /* "http" */
    }
    writer_slice_put(w, base);
}

static void put_url(const struct urls *u, enum http_format f, bool ws)
{
    char text[1024], key[16];
    struct writer w = writer_of(text, sizeof(text));
    struct writer k = writer_of(key, sizeof(key) - 1);

    if (!(u->app->cfg.formats >> f & 1) ||
        (u->s->kind != PLATFORM_LIVE && !http_session_has(f)))
        return;
    put_base(&w, u, ws);
    if (f == HTTP_FORMAT_MSE && u->s->kind == PLATFORM_LIVE) {
        writer_str(&w, "/api/ws?src=");
        put_ids(&w, u);
        put_query(&w, u, '&');
    } else {
        put_path(&w, u);
        writer_str(&w, f == HTTP_FORMAT_MSE ? "/ws" : http_format_ext(f));
        put_query(&w, u, '?');
    }
    writer_str(&k, ws && f != HTTP_FORMAT_MSE ? "ws_" : "");
    writer_str(&k, http_format_key(f));
    key[k.len] = '\0';
    if (!w.err)
        jw_put_str(u->j, key, writer_slice(&w));
}

static void put_rtsp(const struct urls *u)
{
    char text[1024];
    struct writer w = writer_of(text, sizeof(text));
    struct slice host = u->base;
    size_t at = slice_find_slice(host, SLICE("://"));

    if (!u->app->cfg.rtsp_port || at == host.n)
        return;
    host = slice_from(host, at + 3);
    host = slice_head(host, slice_find(host, '/'));
    if (host.n && host.p[0] == '[')
        host = slice_head(host, slice_find(host, ']') + 1);
    else
        host = slice_head(host, slice_find(host, ':'));
    writer_str(&w, "rtsp://");
    writer_slice_put(&w, host);
    writer_f(&w, ":%u", (unsigned)u->app->cfg.rtsp_port);
    if (u->s->kind != PLATFORM_LIVE) {
        http_session_scope(&w, u->s->id);
    } else {
        writer_char(&w, '/');
        put_ids(&w, u);
    }
    put_query(&w, u, '?');
    if (!w.err)
        jw_put_str(u->j, "rtsp", writer_slice(&w));
}

void http_live_write(struct jw *j, const struct http_app *a, struct slice base,
                     const struct platform_session *s, struct gb_time now,
                     uint64_t who)
{
    const struct urls u = { a, j, base, s, now, http_mark_of(a, who) };

    jw_object(j);
    jw_put_id(j, "session", s->id);
    jw_put_str(j, "device", s->device);
    jw_put_str(j, "channel", s->channel);
    jw_put_cstr(j, "stream", s->stream ? "sub" : "main");
    jw_put_cstr(j, "state", http_session_state_name(s->state));
    jw_put_cstr(j, "step", platform_step_name(s->step));
    jw_put_cstr(j, "transport", http_transport_name(s->transport));
    jw_put_cstr(j, "video", ps_codec_name(s->video));
    jw_put_cstr(j, "audio", ps_sound_name(s->video, s->audio));
    jw_put_u64(j, "width", s->width);
    jw_put_u64(j, "height", s->height);
    if (s->kind != PLATFORM_LIVE)
        http_playback_write(j, s);
    put_url(&u, HTTP_FORMAT_FLV, false);
    put_url(&u, HTTP_FORMAT_FLV, true);
    put_url(&u, HTTP_FORMAT_FMP4, false);
    put_url(&u, HTTP_FORMAT_FMP4, true);
    put_url(&u, HTTP_FORMAT_HLS, false);
    put_url(&u, HTTP_FORMAT_TS, false);
    put_url(&u, HTTP_FORMAT_PS, false);
    put_url(&u, HTTP_FORMAT_MSE, true);
    put_url(&u, HTTP_FORMAT_FRAME, false);
    if (a->cfg.jpeg)
        put_url(&u, HTTP_FORMAT_JPEG, false);
    put_rtsp(&u);
    jw_end(j);
}
