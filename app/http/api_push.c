/* Where channels are pushed to. Passwords go in and do not come out. */
#include "app/http/api.h"

#include <jansson.h>

#define GUARD_MAX 256 /* of where one channel goes */

void http_push_write(struct jw *j, const struct push_view *v, bool url)
{
    char text[PUSH_URL_MAX + 4];
    struct writer w = writer_of(text, sizeof(text));

    push_url_mask(&w, v->url);
    jw_object(j);
    jw_put_id(j, "id", v->id);
    jw_put_str(j, "device", v->device);
    jw_put_str(j, "channel", v->channel);
    jw_put_cstr(j, "stream", v->stream ? "sub" : "main");
    if (url)
        jw_put_str(j, "url", writer_slice(&w));
    jw_put_cstr(j, "state", pushes_state_name(v->state));
    http_put_words(j, "why", slice_str(v->why));
    jw_put_u64(j, "failures", v->failures);
    jw_put_u64(j, "bytes", v->bytes);
    if (v->session)
        jw_put_id(j, "session", v->session);
    jw_put_time(j, "since", v->since_utc_ms);
    jw_put_time(j, "next_at", v->next_utc_ms);
    jw_end(j);
}

void http_push_states(struct jw *j, const struct http_app *a,
                      struct slice device, struct slice channel)
{
    struct pushes_walk w = { 0 };
    struct push_view v;

    jw_key(j, "push");
    jw_array(j);
    while (a->cfg.pushes &&
           pushes_next(a->cfg.pushes, device, channel, &w, &v))
        jw_str(j, slice_str(pushes_state_name(v.state)));
    jw_end(j);
}

/* Of where a channel goes: what a device or a server does is no change. */
static struct buf push_guard(const struct http_call *c)
{
    struct pushes_walk w = { 0 };
    struct push_view v;
    struct buf b;

    buf_init(&b, c->app->cfg.alloc, GUARD_MAX);
    while (pushes_next(c->app->cfg.pushes, c->params.value[0],
                       c->params.value[1], &w, &v))
        buf_f(&b, "%d %llu\n", v.stream != 0,
              (unsigned long long)http_mark(c->app, v.url));
    return b;
}

static void list(struct http_call *c, struct slice device,
                 struct slice channel)
{
    struct jw j = http_list_begin(c);
    struct pushes_walk w = { 0 };
    struct push_view v;

    while (c->app->cfg.pushes &&
           pushes_next(c->app->cfg.pushes, device, channel, &w, &v))
        http_push_write(&j, &v, true);
    http_list_end(&j, (struct slice){ 0 }, w.n);
}

void http_get_pushes(struct http_call *c)
{
    list(c, (struct slice){ 0 }, (struct slice){ 0 });
}

static bool is_known(struct http_call *c)
{
    struct platform_channel ch;

    if (c->app->cfg.pushes)
        return http_find_channel(c, &ch);
    http_answer_fail(c, 501, NULL, "nothing is pushed here");
    return false;
}

static void answer_push(struct http_call *c)
{
    struct buf guard = push_guard(c);

    list(c, c->params.value[0], c->params.value[1]);
    http_answer_guard(c, &guard);
}

static bool guard_holds(struct http_call *c)
{
    struct buf guard = push_guard(c);

    return http_guard_holds(c, &guard);
}

void http_get_push(struct http_call *c)
{
    if (is_known(c))
        answer_push(c);
}

/* NULL, or what is wrong with the body. */
static const char *read_body(json_t *root, struct pushes_of *of,
                             struct slice url[static PUSHES_OF_CHANNEL])
{
    const json_t *urls = json_object_get(root, "urls");
    const json_t *stream = json_object_get(root, "stream"), *one;
    size_t i;

    if (!json_is_array(urls) || json_array_size(urls) > PUSHES_OF_CHANNEL)
        return "urls is a list of at most 4 URLs";
    json_array_foreach(urls, i, one) {
        if (!json_is_string(one))
            return "urls is a list of at most 4 URLs";
        url[of->n++] = slice_of(json_string_value(one),
                                json_string_length(one));
    }
    if (stream && !json_is_null(stream)) {
        struct slice s = slice_of(json_string_value(stream),
                                  json_string_length(stream));

        of->stream = slice_eq(s, SLICE("sub"));
        if (!of->stream && !slice_eq(s, SLICE("main")))
            return "stream is main or sub";
    }
    return NULL;
}

static void refuse(struct http_call *c, int err)
{
    if (err == GB_EUNSUPPORTED)
        http_answer_fail(c, 400, "no-tls",
                         "rtsps and rtmps need a file of trusted certificates "
                         "(push.ca), and a build with TLS");
    else if (err == GB_ESYNTAX)
        http_answer_fail(c, 400, "bad-value",
                         "a url is rtsp://user:password@host:port/path or "
                         "rtmp://host:port/app/key, or rtsps or rtmps, each once, of at most 512 "
                         "bytes, its password of at most 64");
    else if (err == GB_ELIMIT)
        http_answer_fail(c, 409, "limit", "there is no room for another one");
    else
        http_answer_fail(c, 503, NULL, gb_strerror(err));
}

static void set(struct http_call *c, const struct pushes_of *of)
{
    int err = pushes_set(c->app->cfg.pushes, of, c->now);

    if (err) {
        refuse(c, err);
        return;
    }
    c->app->cfg.push_changed(c->app->cfg.ctx, of->device, of->channel);
    if (of->url)
        answer_push(c);
    else
        http_answer_empty(c, 204);
    http_answer_committed(c);
}

void http_put_push(struct http_call *c)
{
    struct slice url[PUSHES_OF_CHANNEL];
    struct pushes_of of = { .device = c->params.value[0],
                            .channel = c->params.value[1], .url = url };
    struct slice body = c->req->body;
    const char *fault;
    json_t *root;

    if (!is_known(c) || !guard_holds(c))
        return;
    root = json_loadb(body.n ? body.p : "", body.n, JSON_REJECT_DUPLICATES,
                      NULL);
    fault = json_is_object(root) ? read_body(root, &of, url)
                                 : "the body must be a JSON object";
    if (fault)
        http_answer_fail(c, 400, "bad-value", fault);
    else
        set(c, &of);
    json_decref(root);
}

void http_delete_push(struct http_call *c)
{
    const struct pushes_of of = { .device = c->params.value[0],
                                  .channel = c->params.value[1] };

    if (is_known(c) && guard_holds(c))
        set(c, &of);
}
