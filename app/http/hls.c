/* HLS over connections that stay on the main loop: files are asked for one by
 * one, of the media loop of their session.
 *
 * A playlist begins like every viewer (live.c). Who asks for it holds the
 * session for HTTP_HLS_HOLD_MS, since nothing else tells that a player is
 * there. A recording that has ended is there for its players as long: they have yet
 * to fetch its last segments, and to read that nothing follows. */
#include "app/http/api.h"

struct hls_hold {
    struct list node;
    uint64_t session, until_ms;
    unsigned loop;
    char device[HTTP_ID_MAX + 1];
};

static struct hls_hold *find(const struct http_app *a, uint64_t session)
{
    struct list *n;

    for (n = a->hls_holds.next; n != &a->hls_holds; n = n->next) {
        struct hls_hold *h = container_of(n, struct hls_hold, node);

        if (h->session == session)
            return h;
    }
    return NULL;
}

static void touch(struct http_app *a)
{
    if (a->edge.wake)
        a->edge.wake(a->edge.ctx);
}

static bool hold(struct http_app *a, const struct http_media *m,
                 struct gb_time now)
{
    struct hls_hold *h = find(a, m->session);

    if (!h) {
        h = gb_get(a->cfg.alloc, sizeof(*h));
        if (!h)
            return false;
        h->session = m->session;
        h->loop = m->loop;
        slice_copy(h->device, sizeof(h->device), slice_str(m->device));
        platform_session_hold(a->cfg.platform, m->session, now);
    } else {
        list_remove(&h->node);
    }
    h->until_ms = now.mono_ms + HTTP_HLS_HOLD_MS;
    list_push_back(&a->hls_holds, &h->node); /* the oldest stands first */
    touch(a);
    return true;
}

static void drop(struct http_app *a, struct hls_hold *h)
{
    list_remove(&h->node);
    gb_put(a->cfg.alloc, h);
}

void http_hls_tick(struct http_app *a, struct gb_time now)
{
    while (!list_is_empty(&a->hls_holds)) {
        struct hls_hold *h = container_of(a->hls_holds.next, struct hls_hold,
                                          node);
        uint64_t session = h->session;

        if (h->until_ms > now.mono_ms)
            return;
        drop(a, h);
        platform_session_release(a->cfg.platform, session, now);
        a->cfg.touched(a->cfg.ctx);
    }
}

uint64_t http_hls_deadline(const struct http_app *a)
{
    return list_is_empty(&a->hls_holds)
               ? GB_NEVER
               : container_of(a->hls_holds.next, struct hls_hold,
                              node)->until_ms;
}

void http_hls_free(struct http_app *a)
{
    while (!list_is_empty(&a->hls_holds))
        drop(a, container_of(a->hls_holds.next, struct hls_hold, node));
}

/* ---- questions ---------------------------------------------------------------- */

bool http_hls_query(struct http_call *c, struct http_media *m)
{
    char text[HTTP_SIGNATURE_MAX + 16];
    struct writer w = writer_of(m->query, sizeof(m->query) - 1);
    struct slice t;

    if (m->stream)
        writer_str(&w, "stream=sub");
    if (http_query_get(c->head->query, SLICE("t"), text, sizeof(text), &t) ==
        0) {
        writer_str(&w, w.len ? "&t=" : "t=");
        http_escape(&w, t);
    }
    m->query[w.err ? 0 : w.len] = '\0';
    return !w.err;
}

bool http_hls_playlist(struct http_app *a, uint64_t request,
                       const struct http_media *m, struct gb_time now)
{
    const struct http_hls_ask q = {
        .request = request,
        .session = m->session,
        .loop = m->loop,
        .what = HTTP_HLS_PLAYLIST,
        .query = slice_str(m->query),
        .now = now,
    };

    return hold(a, m, now) && a->cfg.hls(a->cfg.ctx, &q);
}

bool http_hls_over(const struct http_app *a, uint64_t session,
                   struct platform_session *s)
{
    const struct hls_hold *h = find(a, session);

    if (!h)
        return false;
    *s = (struct platform_session){ .id = session, .loop = h->loop,
                                    .device = slice_str(h->device) };
    return true;
}

void http_hls_last(struct http_call *c, const struct platform_session *s,
                   const struct http_media *m)
{
    const struct http_hls_ask q = { .request = c->req->id,
                                    .session = s->id,
                                    .loop = s->loop,
                                    .what = HTTP_HLS_PLAYLIST,
                                    .query = slice_str(m->query),
                                    .now = c->now };

    if (c->app->cfg.hls(c->app->cfg.ctx, &q))
        c->out->kind = HTTP_REPLY_LATER;
    else
        http_answer_fail(c, 503, NULL, "the media side takes no more");
}

/* A file that the playlist of a session names. It starts nothing. */
static void answer_piece(struct http_call *c, const struct platform_session *s)
{
    struct http_hls_ask q = { .request = c->req->id,
                              .session = s->id,
                              .loop = s->loop,
                              .what = (enum http_hls_what)c->route->arg,
                              .now = c->now };
    struct slice number = c->params.value[c->params.n - 1];

    if (!c->app->cfg.hls || !slice_u64(number, UINT64_MAX, &q.number)) {
        http_answer_fail(c, 404, NULL, "no such file");
        return;
    }
    if (c->app->cfg.hls(c->app->cfg.ctx, &q))
        c->out->kind = HTTP_REPLY_LATER;
    else
        http_answer_fail(c, 503, NULL, "the media side takes no more");
}

void http_get_hls(struct http_call *c)
{
    struct slice device, channel;
    struct platform_session s;
    unsigned stream = 0;

    if (!http_media_target(c, &device, &channel))
        http_answer_fail(c, 404, NULL, "no such channel, or in many devices");
    else if (!http_query_stream(c, &stream))
        return;
    else if (platform_live_find(c->app->cfg.platform, device, channel, stream,
                                &s))
        answer_piece(c, &s);
    else
        http_answer_fail(c, 404, "no-session", "this channel is not live");
}

void http_get_session_hls(struct http_call *c)
{
    struct platform_session s;
    uint64_t id;

    if (slice_u64(c->params.value[0], UINT64_MAX, &id) &&
        !platform_session_view(c->app->cfg.platform, id, &s) &&
        http_hls_over(c->app, id, &s))
        answer_piece(c, &s);
    else if (http_session_find(c, &s))
        answer_piece(c, &s);
}

/* ---- answers -------------------------------------------------------------------- */

static void told_failure(struct http_response *r, const struct http_hls_told *t)
{
    static const struct http_problem late = {
        .status = 504, .code = "live-timeout",
        .detail = "the first segment is not ready",
        .step = SLICE_INIT("key"),
        .evidence = SLICE_INIT("no group of pictures was complete in time"),
        .hint = SLICE_INIT("ask again, or shorten the key frame interval of "
                           "the camera to 4 s or less"),
    };
    static const struct http_problem gone = {
        .status = 409, .code = "session-stopped",
        .detail = "the session was stopped",
    };
    static const struct http_problem no_file = {
        .status = 404, .detail = "no such file, or not any more",
    };
    static const struct http_problem no_memory = { .status = 503 };

    http_answer_problem(r, t->err == GB_EAGAIN    ? &late
                           : t->err != GB_ENOENT  ? &no_memory
                           : t->what == HTTP_HLS_PLAYLIST ? &gone
                                                          : &no_file);
}

void http_app_hls_told(struct http_app *a, const struct http_hls_told *t)
{
    struct http_response r;

    http_response_init(&r, a->cfg.alloc);
    if (t->err) {
        told_failure(&r, t);
    } else if (t->what == HTTP_HLS_PLAYLIST) {
        r.status = 200;
        r.type = http_format_type(HTTP_FORMAT_HLS);
        buf_slice(&r.body, t->playlist);
    } else {
        r.kind = HTTP_REPLY_PART;
        r.status = 200;
        r.type = "video/mp4";
        r.part = hls_part_ref(t->part);
    }
    http_response_field(&r, "Cache-Control",
                        t->what == HTTP_HLS_PLAYLIST || t->err
                            ? SLICE("no-cache")
                            : SLICE("private, max-age=60"));
    http_app_answer(a, t->request, &r);
}
