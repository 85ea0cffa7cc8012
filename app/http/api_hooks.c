/* Webhooks: the table of them, and events on their way into their queues. A
 * secret goes in, and comes out once when it was made here. */
#include "app/http/api.h"
#include "app/http/metrics.h"

#include <jansson.h>
#include <stdio.h>

#define ENVELOPE_MAX 256 /* bytes around an event */
#define GUARD_MAX 1024 /* of what can be set of one */

/* ---- events ------------------------------------------------------------------ */

static bool is_wanted_elsewhere(const struct http_app *a, enum hooks_kind k)
{
    return a->cfg.event_wanted && a->cfg.event_wanted(a->cfg.ctx, k);
}

bool http_hooks_want(const struct http_app *a, const char *type)
{
    enum hooks_kind k = hooks_kind_by_name(slice_str(type));

    return k != HOOKS_KINDS &&
           ((a->cfg.hooks && hooks_wants(a->cfg.hooks, k)) ||
            is_wanted_elsewhere(a, k));
}

/* {"id":…,"event":…,"time":…,"server":…,"data":…} */
static void envelope(struct http_app *a, struct buf *b, const char *type,
                     struct slice data)
{
    char id[64];
    struct writer w = writer_of(id, sizeof(id));
    struct jw j = jw_to(b);

    if (a->cfg.hooks)
        hooks_next_id(a->cfg.hooks, &w);
    jw_object(&j);
    jw_put_str(&j, "id", writer_slice(&w));
    jw_put_cstr(&j, "event", type);
    jw_put_time(&j, "time", http_app_now(a).utc_ms);
    jw_put_cstr(&j, "server", a->cfg.server_id ? a->cfg.server_id : "");
    jw_key(&j, "data");
    jw_raw(&j, data);
    jw_end(&j);
}

void http_hooks_event(struct http_app *a, const char *type,
                      struct slice device, struct slice data)
{
    struct http_event e = { .kind = hooks_kind_by_name(slice_str(type)),
                            .device = device, .data = data };
    struct buf b;

    if (!http_hooks_want(a, type))
        return;
    buf_init(&b, a->cfg.alloc, data.n + ENVELOPE_MAX);
    envelope(a, &b, type, data);
    e.body = b.err ? slice_of(NULL, 0) : buf_view(&b);
    if (e.body.n && is_wanted_elsewhere(a, e.kind))
        a->cfg.event(a->cfg.ctx, &e);
    if (a->cfg.hooks) {
        /* an empty one stands for what there was no memory for */
        hooks_event(a->cfg.hooks, e.kind, e.body);
        a->cfg.hooks_due(a->cfg.ctx);
    }
    buf_fini(&b);
}

int http_app_rule_hook(struct http_app *a, struct slice hook,
                       struct slice rule, const struct platform_alarm *alarm)
{
    struct buf data, b;
    struct jw j = jw_to(&data);
    int err;

    if (!a->cfg.hooks)
        return GB_ENOENT;
    buf_init(&data, a->cfg.alloc, 16384);
    jw_object(&j);
    jw_put_str(&j, "rule", rule);
    jw_key(&j, "alarm");
    http_alarm_write(&j, a, alarm, alarm->id);
    jw_end(&j);
    buf_init(&b, a->cfg.alloc, data.len + ENVELOPE_MAX);
    envelope(a, &b, "rule", buf_view(&data));
    err = b.err ? b.err : data.err ? data.err
          : hooks_event_to(a->cfg.hooks, hook, HOOKS_ALARM, buf_view(&b));
    buf_fini(&data);
    buf_fini(&b);
    if (!err)
        a->cfg.hooks_due(a->cfg.ctx);
    return err;
}

/* ---- telling ----------------------------------------------------------------- */

/* secret: NULL, or one that was made just now. */
static void hook_write(struct jw *j, const struct hook_view *v,
                       const char *secret)
{
    jw_object(j);
    jw_put_str(j, "name", v->name);
    jw_put_str(j, "url", v->url);
    jw_key(j, "events");
    jw_array(j);
    for (unsigned k = 0; k < HOOKS_TEST; k++)
        if (!v->kinds || v->kinds >> k & 1)
            jw_str(j, slice_str(hooks_kind_name((enum hooks_kind)k)));
    jw_end(j);
    jw_put_bool(j, "enabled", !v->off);
    jw_put_cstr(j, "from", v->fixed ? "configuration" : "api");
    jw_put_cstr(j, "state", hooks_state_name(v->state));
    jw_put_u64(j, "queued", v->queued);
    jw_put_u64(j, "failures", v->failures);
    jw_put_u64(j, "delivered", v->delivered);
    jw_put_u64(j, "tries", v->tries);
    jw_put_u64(j, "refused", v->refused);
    jw_put_u64(j, "given_up", v->given_up);
    jw_put_u64(j, "dropped", v->dropped);
    jw_put_u64(j, "status", v->status);
    http_put_words(j, "why", slice_str(v->why));
    jw_put_time(j, "called_at", v->called_utc_ms);
    jw_put_time(j, "delivered_at", v->delivered_utc_ms);
    jw_put_time(j, "next_at", v->next_utc_ms);
    if (secret)
        jw_put_cstr(j, "secret", secret);
    jw_end(j);
}

static struct buf hook_guard(const struct http_call *c,
                             const struct hook_view *v)
{
    struct buf b;

    buf_init(&b, c->app->cfg.alloc, GUARD_MAX);
    buf_f(&b, "%u %d %llu ", v->kinds, v->off,
          (unsigned long long)http_mark(c->app, v->secret));
    buf_slice(&b, v->url);
    return b;
}

static void answer_hook(struct http_call *c, unsigned status,
                        const struct hook_view *v, const char *secret)
{
    struct buf guard = hook_guard(c, v);
    struct jw j = http_answer_json(c, status);

    hook_write(&j, v, secret);
    http_answer_guard(c, &guard);
}

void http_get_hooks(struct http_call *c)
{
    struct jw j = http_list_begin(c);
    struct slice after = { NULL, 0 };
    struct hook_view v;
    size_t n = 0;

    for (; c->app->cfg.hooks && hooks_next(c->app->cfg.hooks, after, c->now,
                                           &v); n++) {
        hook_write(&j, &v, NULL);
        after = v.name;
    }
    http_list_end(&j, (struct slice){ 0 }, n);
}

static bool find(struct http_call *c, struct slice name, struct hook_view *v)
{
    if (c->app->cfg.hooks && hooks_view(c->app->cfg.hooks, name, c->now, v))
        return true;
    http_answer_fail(c, 404, "webhook-unknown", "no such webhook");
    return false;
}

void http_get_hook(struct http_call *c)
{
    struct hook_view v;

    if (find(c, c->params.value[0], &v))
        answer_hook(c, 200, &v, NULL);
}

void http_hooks_metrics(struct http_app *a, struct buf *b)
{
    static const struct {
        const char *name, *help;
        size_t at;
        bool is_64;
    } rows[] = {
        { "queued", "events that wait to be delivered",
          offsetof(struct hook_view, queued), false },
        { "failures",
          "deliveries that failed, one after the other, until one is taken",
          offsetof(struct hook_view, failures), false },
        { "delivered_total", "events delivered",
          offsetof(struct hook_view, delivered), true },
        { "tries_total", "deliveries tried",
          offsetof(struct hook_view, tries), true },
        { "refused_total", "deliveries that were answered with a refusal",
          offsetof(struct hook_view, refused), true },
        { "given_up_total", "events given up after the last try",
          offsetof(struct hook_view, given_up), true },
        { "dropped_total", "events that found no room",
          offsetof(struct hook_view, dropped), true },
    };
    struct gb_time now = http_app_now(a);

    for (size_t i = 0; a->cfg.hooks && i < sizeof(rows) / sizeof(*rows); i++) {
        struct slice after = { NULL, 0 };
        struct hook_view v;
        char name[64];

        snprintf(name, sizeof(name), "gb28181_webhook_%s", rows[i].name);
        http_metric(b, name, rows[i].help);
        for (; hooks_next(a->cfg.hooks, after, now, &v); after = v.name) {
            const char *at = (const char *)&v + rows[i].at;
            uint64_t value;
            uint32_t narrow;

            memcpy(&narrow, at, sizeof(narrow));
            value = narrow;
            if (rows[i].is_64)
                memcpy(&value, at, sizeof(value));
            buf_f(b, "gb28181_webhook_%s{hook=\"%.*s\"} %llu\n", rows[i].name,
                  SLICE_ARG(v.name), (unsigned long long)value);
        }
    }
}

/* ---- changing ---------------------------------------------------------------- */

static bool read_text(const json_t *root, const char *key, struct slice *out)
{
    const json_t *v = json_object_get(root, key);

    if (!v)
        return true;
    *out = slice_of(json_string_value(v), json_string_length(v));
    return json_is_string(v);
}

/* A list of words; null or an empty one: all. */
static bool read_kinds(const json_t *root, unsigned *kinds)
{
    const json_t *v = json_object_get(root, "events"), *one;
    size_t i;

    if (!v)
        return true;
    *kinds = 0;
    if (!json_is_null(v) && !json_is_array(v))
        return false;
    json_array_foreach(v, i, one) {
        enum hooks_kind k = hooks_kind_by_name(
            slice_of(json_string_value(one), json_string_length(one)));

        if (k >= HOOKS_TEST)
            return false;
        *kinds |= 1u << k;
    }
    return true;
}

/* NULL, or what is wrong with the body. */
static const char *read_settings(json_t *root, struct hook_settings *s)
{
    const json_t *on = json_object_get(root, "enabled");

    if (!json_is_object(root))
        return "the body must be a JSON object";
    if (!read_text(root, "name", &s->name) || !read_text(root, "url", &s->url) ||
        !read_text(root, "secret", &s->secret) || (on && !json_is_boolean(on)))
        return "name, url and secret are texts, enabled is true or false";
    if (http_is_dots(s->name))
        return HTTP_NO_DOTS;
    if (!read_kinds(root, &s->kinds))
        return "events is a list of device, channel, session, alarm, command, "
               "position, ptz, offer, upgrade, download, voice, push, recording";
    if (on)
        s->off = !json_is_true(on);
    return NULL;
}

static void refuse(struct http_call *c, int err)
{
    switch (err) {
    case GB_ESYNTAX:
        http_answer_fail(c, 400, "bad-value",
                         "a name has 1 to 64 letters, digits, '-', '_', '.'; "
                         "a url is http or https, with a host, without user "
                         "or fragment, at most 512 bytes; a secret has at most "
                         "64 visible characters");
        break;
    case GB_EUNSUPPORTED:
        http_answer_fail(c, 400, "no-https",
                         "https needs a file of trusted certificates "
                         "(webhooks.ca), and a build with TLS");
        break;
    case GB_ELIMIT:
        http_answer_fail(c, 409, "limit", "there is no room for another one");
        break;
    default:
        http_answer_fail(c, 503, NULL, gb_strerror(err));
        break;
    }
}

static bool is_fixed(struct http_call *c, const struct hook_view *v)
{
    if (v->fixed)
        http_answer_fail(c, 409, "fixed", "it is set in webhooks.to of the "
                                          "configuration");
    return v->fixed;
}

static void make_secret(struct http_app *a, char out[static 65])
{
    struct writer w = writer_of(out, 64);
    uint8_t bytes[32];

    a->cfg.random(a->cfg.ctx, bytes, sizeof(bytes));
    writer_hex(&w, bytes, sizeof(bytes));
    out[64] = '\0';
}

/* Takes over the settings, stores, answers. */
static void apply(struct http_call *c, const struct hook_settings *s,
                  unsigned status, const char *secret)
{
    struct http_app *a = c->app;
    int err = hooks_set(a->cfg.hooks, s, c->now);
    struct hook_view v;

    if (err) {
        refuse(c, err);
        return;
    }
    a->cfg.hook_changed(a->cfg.ctx, s->name);
    if (find(c, s->name, &v))
        answer_hook(c, status, &v, secret);
    http_answer_committed(c);
}

static json_t *body_of(struct http_call *c)
{
    struct slice body = c->req->body;

    return json_loadb(body.n ? body.p : "", body.n, JSON_REJECT_DUPLICATES,
                      NULL);
}

void http_post_hook(struct http_call *c)
{
    struct hook_settings s = { .kinds = 0 };
    json_t *root = body_of(c);
    const char *fault = read_settings(root, &s);
    char made[65];
    struct hook_view v;

    if (!fault && !s.secret.n)
        make_secret(c->app, made);
    if (fault) {
        http_answer_fail(c, 400, "bad-value", fault);
    } else if (!c->app->cfg.hooks) {
        http_answer_fail(c, 501, NULL, "there are no webhooks here");
    } else if (hooks_view(c->app->cfg.hooks, s.name, c->now, &v)) {
        http_answer_fail(c, 409, "exists", "it exists already");
    } else if (s.secret.n) {
        apply(c, &s, 201, NULL);
    } else {
        s.secret = slice_str(made);
        apply(c, &s, 201, made);
    }
    json_decref(root);
}

void http_patch_hook(struct http_call *c)
{
    struct hook_settings s = { .name = c->params.value[0] };
    struct hook_view v;
    struct buf guard;
    const char *fault;
    json_t *root;

    if (!find(c, s.name, &v) || is_fixed(c, &v))
        return;
    guard = hook_guard(c, &v);
    if (!http_guard_holds(c, &guard))
        return;
    s.url = v.url;
    s.kinds = v.kinds;
    s.off = v.off;
    root = body_of(c);
    fault = read_settings(root, &s);
    if (fault)
        http_answer_fail(c, 400, "bad-value", fault);
    else
        apply(c, &s, 200, NULL);
    json_decref(root);
}

void http_delete_hook(struct http_call *c)
{
    struct slice name = c->params.value[0];
    struct hook_view v;
    struct buf guard;

    if (!find(c, name, &v) || is_fixed(c, &v))
        return;
    guard = hook_guard(c, &v);
    if (!http_guard_holds(c, &guard))
        return;
    hooks_remove(c->app->cfg.hooks, name);
    c->app->cfg.hook_changed(c->app->cfg.ctx, name);
    http_answer_empty(c, 204);
    http_answer_committed(c);
}

/* One event of its own, so that a receiver can be tried out. */
void http_post_hook_test(struct http_call *c)
{
    struct http_app *a = c->app;
    struct hook_view v;
    struct buf b;
    int err;

    if (!find(c, c->params.value[0], &v))
        return;
    buf_init(&b, a->cfg.alloc, 1024);
    envelope(a, &b, "test", SLICE("{}"));
    err = b.err ? b.err
                : hooks_event_to(a->cfg.hooks, v.name, HOOKS_TEST,
                                 buf_view(&b));
    buf_fini(&b);
    a->cfg.hooks_due(a->cfg.ctx);
    if (err)
        http_answer_fail(c, 503, NULL, gb_strerror(err));
    else
        http_answer_empty(c, 202);
}
