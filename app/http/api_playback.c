/* Recordings of devices: a playback is started, paused, moved and sped up.
 *
 * The answer to a control waits for the device's own. The platform gives up
 * after some seconds by itself, so no time is kept here. */
#include "app/http/api.h"

#include "manscdp/time.h"

#include <jansson.h>

struct control_waiter {
    struct list node; /* in http_app.control_waiters, oldest first */
    uint64_t request, session;
    uint32_t control;
    bool due;
};

/* ---- what is told ------------------------------------------------------------ */

void http_session_scope(struct writer *w, uint64_t session)
{
    writer_str(w, "/session/");
    writer_u64(w, session);
}

bool http_session_has(enum http_format f)
{
    return f == HTTP_FORMAT_FLV || f == HTTP_FORMAT_FMP4 ||
           f == HTTP_FORMAT_TS || f == HTTP_FORMAT_PS ||
           f == HTTP_FORMAT_HLS || f == HTTP_FORMAT_MSE;
}

void http_playback_write(struct jw *j, const struct platform_session *s)
{
    const struct platform_playback *b = &s->playback;
    int64_t start_ms = (int64_t)b->start_s * 1000;

    jw_key(j, "playback");
    jw_object(j);
    jw_put_cstr(j, "kind", platform_session_kind_name(s->kind));
    jw_put_time(j, "start", start_ms);
    jw_put_time(j, "end", (int64_t)b->stop_s * 1000);
    jw_put_time(j, "at", start_ms + b->position_ms);
    jw_put_double(j, "position_s", (double)b->position_ms / 1000);
    jw_put_double(j, "scale", (double)b->scale_milli / 1000);
    if (b->measured_milli)
        jw_put_double(j, "measured_scale", (double)b->measured_milli / 1000);
    jw_put_bool(j, "paused", b->paused);
    jw_put_bool(j, "complete", b->complete);
    jw_end(j);
}

/* ---- start -------------------------------------------------------------------- */

/* A time of RFC 3339 or UNIX seconds. */
static bool read_time(const json_t *v, int zone_min, uint64_t *s)
{
    int64_t utc_ms;

    if (json_is_integer(v) && json_integer_value(v) > 0) {
        *s = (uint64_t)json_integer_value(v);
        return true;
    }
    if (!json_is_string(v) ||
        !manscdp_time_parse(slice_str(json_string_value(v)), zone_min,
                            &utc_ms) ||
        utc_ms <= 0)
        return false;
    *s = (uint64_t)utc_ms / 1000;
    return true;
}

const char *http_range_read(const json_t *root, int zone_min,
                            uint64_t *start_s, uint64_t *stop_s,
                            enum platform_transport *way)
{
    const json_t *transport = json_object_get(root, "transport");

    if (!json_is_object(root))
        return "the body is not a JSON object";
    if (!read_time(json_object_get(root, "start"), zone_min, start_s) ||
        !read_time(json_object_get(root, "end"), zone_min, stop_s))
        return "start and end are needed: times of RFC 3339 (without a zone: "
               "of server.timezone) or UNIX seconds";
    if (transport && !json_is_null(transport) &&
        (!json_is_string(transport) ||
         !http_transport_parse(slice_str(json_string_value(transport)),
                               way)))
        return "transport is auto, udp, tcp-passive or tcp-active";
    return NULL;
}

void http_post_playback(struct http_call *c)
{
    struct platform_recording req = { .device = c->params.value[0],
                                      .channel = c->params.value[1],
                                      .kind = PLATFORM_PLAYBACK };
    struct platform_session s = { 0 };
    const char *fault;
    uint32_t wait = 1;
    json_t *root;
    int err;

    if (http_query_u32(c->head->query, SLICE("wait"), 1, &wait)) {
        http_answer_fail(c, 400, "bad-parameter", "wait is 0 or 1");
        return;
    }
    root = json_loadb(c->req->body.p, c->req->body.n, JSON_REJECT_DUPLICATES,
                      NULL);
    fault = http_range_read(root, platform_timezone_min(c->app->cfg.platform),
                            &req.start_s, &req.stop_s, &req.transport);
    json_decref(root);
    if (fault) {
        http_answer_fail(c, 400, "bad-parameter", fault);
        return;
    }
    err = platform_playback_start(c->app->cfg.platform, &req, c->now, &s);
    http_live_follow(c, err, &s, NULL, wait != 0);
}

/* ---- control -------------------------------------------------------------------- */

static const char not_inside[] = "the position is not inside the recording, or "
                                 "the scale is not 0.125 to 32";

static const char *read_control(const json_t *root, struct platform_control *k)
{
    static const char *const names[PLATFORM_CONTROLS] = {
#define X(id, name) name,
        PLATFORM_CONTROL_MAP(X)
#undef X
    };
    const char *action = json_string_value(json_object_get(root, "action"));
    const json_t *v;
    unsigned i = 0;

    while (i < PLATFORM_CONTROLS && (!action || strcmp(action, names[i])))
        i++;
    if (i == PLATFORM_CONTROLS)
        return "action is pause, resume, seek or scale";
    k->kind = (enum platform_control_kind)i;
    if (k->kind == PLATFORM_CONTROL_SEEK) {
        v = json_object_get(root, "position_s");
        if (!json_is_number(v))
            return "position_s is needed: seconds from the start";
        if (json_number_value(v) < 0 ||
            json_number_value(v) > PLATFORM_PLAYBACK_MAX_S)
            return not_inside;
        k->position_ms = (int64_t)(json_number_value(v) * 1000 + 0.5);
    }
    if (k->kind == PLATFORM_CONTROL_SCALE) {
        double scale;

        v = json_object_get(root, "scale");
        scale = json_number_value(v);
        if (!json_is_number(v) || scale < -32 || scale > 32)
            return "scale is needed: 0.125 to 32, below 0 backwards";
        k->scale_milli = (int32_t)(scale * 1000 + (scale < 0 ? -0.5 : 0.5));
    }
    return NULL;
}

/* Why it was not even sent. */
static void not_sent(struct http_call *c, int err)
{
    switch (err) {
    case GB_EUNSUPPORTED:
        http_answer_fail(c, 409, "not-a-recording",
                         "a live session cannot be controlled");
        break;
    case GB_ESTATE:
        http_answer_fail(c, 409, "not-playing",
                         "the session does not play yet, or no more");
        break;
    case GB_EAGAIN:
        http_answer_fail(c, 409, "busy",
                         "the device has not answered the control before");
        break;
    case GB_ERANGE:
        http_answer_fail(c, 400, "bad-parameter", not_inside);
        break;
    default:
        http_answer_fail(c, 502, "not-sent", gb_strerror(err));
    }
}

void http_post_control(struct http_call *c)
{
    struct http_app *a = c->app;
    struct platform_control k = { 0 };
    struct platform_session s;
    struct control_waiter *w;
    const char *fault;
    json_t *root;
    int err;

    if (!http_session_find(c, &s))
        return;
    root = json_loadb(c->req->body.p, c->req->body.n, JSON_REJECT_DUPLICATES,
                      NULL);
    fault = read_control(root, &k);
    json_decref(root);
    if (fault) {
        http_answer_fail(c, 400, "bad-parameter", fault);
        return;
    }
    w = gb_get(a->cfg.alloc, sizeof(*w));
    if (!w) {
        http_answer_fail(c, 503, NULL, "no memory");
        return;
    }
    err = platform_session_control(a->cfg.platform, s.id, &k, c->now,
                                   &w->control);
    a->cfg.touched(a->cfg.ctx);
    if (err) {
        gb_put(a->cfg.alloc, w);
        not_sent(c, err);
        return;
    }
    w->request = c->req->id;
    w->session = s.id;
    list_push_back(&a->control_waiters, &w->node);
    c->out->kind = HTTP_REPLY_LATER;
}

/* ---- its answer -------------------------------------------------------------------- */

void http_control_changed(struct http_app *a, const struct platform_session *s)
{
    struct list *n;

    for (n = a->control_waiters.next; n != &a->control_waiters; n = n->next) {
        struct control_waiter *w = container_of(n, struct control_waiter,
                                                node);
        bool answered = s->playback.control == w->control &&
                        s->playback.control_status;

        if (w->session != s->id ||
            (!answered && s->playback.control == w->control &&
             s->state == PLATFORM_PLAYING))
            continue;
        w->due = a->due = true;
        if (a->edge.wake)
            a->edge.wake(a->edge.ctx);
    }
}

static void fill_answer(struct http_app *a, const struct control_waiter *w,
                        struct http_response *r)
{
    struct platform_session s;
    bool known = platform_session_view(a->cfg.platform, w->session, &s) &&
                 s.playback.control == w->control;
    unsigned status = known ? s.playback.control_status : 0;
    char evidence[80];
    struct http_problem p = { .status = 409,
                              .code = "session-over",
                              .detail = "the session ended before the device "
                                        "answered" };

    if (status >= 200 && status < 300) {
        struct jw j = jw_to(&r->body);

        r->status = 200;
        r->type = "application/json";
        http_session_write(&j, &s);
        return;
    }
    if (status == 408) {
        p = (struct http_problem){
            .status = 504,
            .code = "control-silent",
            .detail = "the device did not answer",
            .hint = SLICE("it may not know this control; the stream goes on "
                          "as it was")
        };
    } else if (status) {
        struct writer e = writer_of(evidence, sizeof(evidence));

        writer_f(&e, "the device answered with %u", status);
        p = (struct http_problem){
            .status = 502,
            .code = "control-refused",
            .detail = "the device refuses it",
            .evidence = writer_slice(&e),
            .hint = SLICE("for another position start a new playback there; "
                          "many devices know no other speed")
        };
    }
    http_answer_problem(r, &p);
}

static void waiter_free(struct http_app *a, struct control_waiter *w)
{
    list_remove(&w->node);
    gb_put(a->cfg.alloc, w);
}

void http_control_tick(struct http_app *a)
{
    bool more = true;

    /* From the start each time: an answer may end other requests. */
    while (more) {
        struct list *n = a->control_waiters.next;

        more = false;
        for (; n != &a->control_waiters && !more; n = n->next) {
            struct control_waiter *w = container_of(n, struct control_waiter,
                                                    node);
            uint64_t request = w->request;
            struct http_response r;

            if (!w->due)
                continue;
            http_response_init(&r, a->cfg.alloc);
            fill_answer(a, w, &r);
            waiter_free(a, w);
            http_app_answer(a, request, &r);
            more = true;
            break;
        }
    }
}

void http_control_gone(struct http_app *a, uint64_t request)
{
    struct list *n, *tmp;

    LIST_EACH(n, tmp, &a->control_waiters) {
        struct control_waiter *w = container_of(n, struct control_waiter,
                                                node);

        if (w->request == request)
            waiter_free(a, w);
    }
}

void http_control_free(struct http_app *a)
{
    while (!list_is_empty(&a->control_waiters))
        waiter_free(a, container_of(a->control_waiters.next,
                                    struct control_waiter, node));
}
