/* Rules: what is done when alarms come. A rule is put as a whole: what it does
 * not name is as in a new one. */
#include "app/http/api.h"

#include <jansson.h>

#define GUARD_MAX 4096 /* of what is set of one rule */

/* ---- telling ----------------------------------------------------------------- */

static void put_text(struct jw *j, const char *key, struct slice s)
{
    if (s.n)
        jw_put_str(j, key, s);
}

static void settings_write(struct jw *j, const struct rule *k)
{
    jw_put_str(j, "name", k->name);
    jw_put_bool(j, "enabled", !k->off);
    jw_key(j, "when");
    jw_object(j);
    put_text(j, "device", k->when.device);
    put_text(j, "group", k->when.group);
    put_text(j, "channel", k->when.channel);
    put_text(j, "method", k->when.method);
    put_text(j, "type", k->when.type);
    if (k->when.priority)
        jw_put_u64(j, "priority", k->when.priority);
    jw_end(j);
    jw_key(j, "at");
    jw_object(j);
    put_text(j, "device", k->at.device);
    put_text(j, "channel", k->at.channel);
    jw_end(j);
    jw_put_u64(j, "every_s", k->every_s);
    jw_put_u64(j, "record_s", k->record_s);
    jw_put_u64(j, "preset", k->preset);
    jw_put_bool(j, "snapshot", k->snapshot);
    jw_put_str(j, "webhook", k->webhook);
}

static void rule_write(struct jw *j, const struct rule_view *v)
{
    jw_object(j);
    settings_write(j, &v->rule);
    jw_put_u64(j, "followed", v->followed);
    jw_put_u64(j, "held_back", v->held_back);
    jw_put_time(j, "followed_at", v->followed_utc_ms);
    jw_put_u64(j, "failed", v->failed);
    http_put_words(j, "why", slice_str(v->why));
    jw_end(j);
}

static struct buf rule_guard(const struct http_call *c,
                             const struct rule_view *v)
{
    struct buf b;
    struct jw j = jw_to(&b);

    buf_init(&b, c->app->cfg.alloc, GUARD_MAX);
    jw_object(&j);
    settings_write(&j, &v->rule);
    jw_end(&j);
    return b;
}

static void answer_rule(struct http_call *c, unsigned status,
                        const struct rule_view *v)
{
    struct buf guard = rule_guard(c, v);
    struct jw j = http_answer_json(c, status);

    rule_write(&j, v);
    http_answer_guard(c, &guard);
}

void http_get_rules(struct http_call *c)
{
    const struct rules *r = c->app->cfg.rules;
    struct rule_view v = { .rule.name = { NULL, 0 } };
    struct jw j = http_list_begin(c);
    uint64_t n = 0;

    for (; r && rules_after(r, v.rule.name, &v); n++)
        rule_write(&j, &v);
    http_list_end(&j, (struct slice){ 0 }, n);
}

static bool find(struct http_call *c, struct rule_view *v)
{
    if (c->app->cfg.rules &&
        rules_view(c->app->cfg.rules, c->params.value[0], v))
        return true;
    http_answer_fail(c, 404, "rule-unknown", "no such rule");
    return false;
}

void http_get_rule(struct http_call *c)
{
    struct rule_view v;

    if (find(c, &v))
        answer_rule(c, 200, &v);
}

/* ---- what is wanted ---------------------------------------------------------- */

enum kind { TEXT, NUMBER, FLAG, UNFLAG, KEYS /* has keys of its own */ };

struct key {
    const char *name;
    enum kind kind;
    size_t at; /* in struct rule */
};

#define AT(field) offsetof(struct rule, field)

static const struct key top_keys[] = {
    { "enabled", UNFLAG, AT(off) },      { "every_s", NUMBER, AT(every_s) },
    { "record_s", NUMBER, AT(record_s) }, { "preset", NUMBER, AT(preset) },
    { "snapshot", FLAG, AT(snapshot) },  { "webhook", TEXT, AT(webhook) },
    { "when", KEYS, 0 },                 { "at", KEYS, 0 },
    { NULL, TEXT, 0 },
};
static const struct key when_keys[] = {
    { "device", TEXT, AT(when.device) },   { "group", TEXT, AT(when.group) },
    { "channel", TEXT, AT(when.channel) }, { "method", TEXT, AT(when.method) },
    { "type", TEXT, AT(when.type) },
    { "priority", NUMBER, AT(when.priority) }, { NULL, TEXT, 0 },
};
static const struct key at_keys[] = {
    { "device", TEXT, AT(at.device) }, { "channel", TEXT, AT(at.channel) },
    { NULL, TEXT, 0 },
};

static bool read_value(struct rule *v, const struct key *k, const json_t *from)
{
    char *to = (char *)v + k->at;
    json_int_t n = json_integer_value(from);

    switch (k->kind) {
    case TEXT:
        *(struct slice *)(void *)to = slice_of(json_string_value(from),
                                               json_string_length(from));
        return json_is_string(from);
    case NUMBER:
        if (!json_is_integer(from) || n < 0 || n > UINT32_MAX)
            return false;
        *(uint32_t *)(void *)to = (uint32_t)n;
        return true;
    case FLAG:
    case UNFLAG:
        *(bool *)(void *)to = json_is_true(from) == (k->kind == FLAG);
        return json_is_boolean(from);
    case KEYS:
        return json_is_object(from);
    }
    return false;
}

/* Every key of the object is in the table. */
static bool read_keys(struct rule *v, json_t *from, const struct key *keys)
{
    const char *name;
    json_t *one;

    if (!json_is_object(from))
        return false;
    json_object_foreach(from, name, one) {
        const struct key *k = keys;

        while (k->name && !slice_eq(slice_str(k->name), slice_str(name)))
            k++;
        if (!k->name || !read_value(v, k, one))
            return false;
    }
    return true;
}

static bool read_rule(struct rule *v, json_t *root)
{
    json_t *when = json_object_get(root, "when");
    json_t *at = json_object_get(root, "at");

    return read_keys(v, root, top_keys) &&
           (!when || read_keys(v, when, when_keys)) &&
           (!at || read_keys(v, at, at_keys));
}

/* ---- doing it ------------------------------------------------------------------- */

static void apply(struct http_call *c, const struct rule *v)
{
    struct http_app *a = c->app;
    struct rule_view view;
    bool is_new = !rules_view(a->cfg.rules, v->name, &view);
    int err = rules_set(a->cfg.rules, v);

    if (err == GB_ESYNTAX) {
        http_answer_fail(c, 400, "bad-value",
                         "a rule has a name of letters, digits, '-', '_', '.', "
                         "does at least one of record_s (to 3600), preset (to "
                         "255), snapshot and webhook, and its texts have at "
                         "most 64 visible characters; every_s is at most "
                         "86400");
        return;
    }
    if (err) {
        http_answer_fail(c, err == GB_ELIMIT ? 409 : 503,
                         err == GB_ELIMIT ? "limit" : NULL,
                         err == GB_ELIMIT ? "there is no room for another one"
                                          : gb_strerror(err));
        return;
    }
    if (a->cfg.rule_changed)
        a->cfg.rule_changed(a->cfg.ctx, v->name);
    if (rules_view(a->cfg.rules, v->name, &view))
        answer_rule(c, is_new ? 201 : 200, &view);
    http_answer_committed(c);
}

static bool are_there(struct http_call *c)
{
    if (c->app->cfg.rules)
        return true;
    http_answer_fail(c, 501, NULL, "there are no rules here");
    return false;
}

/* One that was read and is not there any more has been removed since. */
static bool guard_holds(struct http_call *c)
{
    struct rule_view v;
    struct buf guard;

    if (rules_view(c->app->cfg.rules, c->params.value[0], &v)) {
        guard = rule_guard(c, &v);
        return http_guard_holds(c, &guard);
    }
    if (!c->head->first[HTTP_HDR_IF_MATCH])
        return true;
    http_answer_meanwhile(c);
    return false;
}

void http_put_rule(struct http_call *c)
{
    struct slice body = c->req->body;
    struct rule v = { .name = c->params.value[0] };
    const char *why;
    json_t *root;

    if (!are_there(c) || !guard_holds(c))
        return;
    root = json_loadb(body.n ? body.p : "", body.n, JSON_REJECT_DUPLICATES,
                      NULL);
    if (!read_rule(&v, root))
        why = "the body is an object of enabled, when {device, group, channel, "
              "method, type, priority}, at {device, channel}, every_s, "
              "record_s, preset, snapshot, webhook";
    else
        why = http_alarm_words(v.when.method, v.when.type, SLICE(""));
    if (why)
        http_answer_fail(c, 400, "bad-value", why);
    else
        apply(c, &v);
    json_decref(root);
}

void http_delete_rule(struct http_call *c)
{
    struct http_app *a = c->app;
    struct rule_view v;

    if (!are_there(c) || !find(c, &v) || !guard_holds(c))
        return;
    rules_remove(a->cfg.rules, c->params.value[0]);
    if (a->cfg.rule_changed)
        a->cfg.rule_changed(a->cfg.ctx, c->params.value[0]);
    http_answer_empty(c, 204);
    http_answer_committed(c);
}
