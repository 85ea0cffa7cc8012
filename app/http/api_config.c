/* The daemon's configuration over HTTP: what is in force and where it comes from,
 * and what may be changed while it runs. */
#include "app/http/api.h"

#include <jansson.h>

#define SETTING_TEXT_MAX 16384 /* bytes of one value */
#define GUARD_MAX (1u << 20)   /* of all values */

/* ---- telling ----------------------------------------------------------------- */

static void put_choices(struct jw *j, const char *choices)
{
    struct slice all = slice_str(choices ? choices : ""), one;

    jw_key(j, "choices");
    jw_array(j);
    while (all.n) {
        slice_cut(&all, '|', &one);
        jw_str(j, one);
    }
    jw_end(j);
}

static void put_value(struct jw *j, const struct http_app *a,
                      const struct http_setting *s)
{
    struct buf text;

    buf_init(&text, a->cfg.alloc, SETTING_TEXT_MAX);
    for (size_t i = 0; i < s->n; i++) {
        buf_str(&text, i ? ", " : "");
        buf_str(&text, s->item[i]);
    }
    if (s->secret)
        jw_put_null(j, "value");
    else
        jw_put_str(j, "value", buf_view(&text));
    if (text.err)
        j->out->err = text.err; /* no value is told by half */
    buf_fini(&text);
}

static void settings_write(struct jw *j, const struct http_app *a)
{
    struct http_setting s;
    size_t n = 0;

    jw_object(j);
    jw_key(j, "items");
    jw_array(j);
    for (; a->cfg.setting(a->cfg.ctx, n, &s); n++) {
        jw_object(j);
        jw_put_cstr(j, "key", s.key);
        jw_put_cstr(j, "type", s.type);
        put_value(j, a, &s);
        jw_put_cstr(j, "default", s.def);
        put_choices(j, s.choices);
        jw_put_u64(j, "min", s.min);
        jw_put_u64(j, "max", s.max);
        jw_put_bool(j, "list", s.list);
        jw_put_cstr(j, "from", s.from);
        jw_put_bool(j, "reloads", s.reloads);
        jw_put_bool(j, "changes", s.changes && a->cfg.set);
        jw_put_bool(j, "secret", s.secret);
        jw_put_cstr(j, "help", s.help);
        jw_end(j);
    }
    http_list_end(j, (struct slice){ 0 }, n);
}

/* What is in force: what a file says that has been read again is a change, too. */
static struct buf settings_guard(const struct http_app *a)
{
    struct http_setting s;
    struct buf b;

    buf_init(&b, a->cfg.alloc, GUARD_MAX);
    for (size_t n = 0; a->cfg.setting(a->cfg.ctx, n, &s); n++) {
        buf_f(&b, "%s %s", s.key, s.from);
        for (size_t i = 0; i < s.n; i++) {
            buf_char(&b, ' ');
            buf_str(&b, s.item[i]); /* of any length */
        }
        buf_char(&b, '\n');
    }
    return b;
}

static bool guard_holds(struct http_call *c)
{
    struct buf guard = settings_guard(c->app);

    return http_guard_holds(c, &guard);
}

void http_get_settings(struct http_call *c)
{
    struct buf guard;
    struct jw j;

    if (!c->app->cfg.setting) {
        http_answer_fail(c, 501, NULL, "there is no configuration here");
        return;
    }
    guard = settings_guard(c->app);
    j = http_answer_json(c, 200);
    settings_write(&j, c->app);
    http_answer_guard(c, &guard);
}

/* ---- changing ---------------------------------------------------------------- */

/* As the configuration writes it, into text; false: not a value. */
static bool value_text(const json_t *from, struct buf *text)
{
    const json_t *one;
    size_t i;

    if (json_is_string(from))
        buf_slice(text, slice_of(json_string_value(from),
                                 json_string_length(from)));
    else if (json_is_integer(from))
        buf_f(text, "%lld", (long long)json_integer_value(from));
    else if (json_is_boolean(from))
        buf_str(text, json_is_true(from) ? "true" : "false");
    else if (!json_is_array(from))
        return false;
    json_array_foreach(from, i, one) {
        if (!json_is_string(one))
            return false;
        buf_str(text, i ? "," : "");
        buf_slice(text, slice_of(json_string_value(one),
                                 json_string_length(one)));
    }
    return text->err == 0;
}

static void answer_faults(struct http_call *c,
                          const struct http_setting_value *v, size_t n)
{
    struct http_problem p = { .status = 400, .code = "bad-setting",
                              .detail = "nothing was changed" };
    struct buf errors;
    struct jw j;

    buf_init(&errors, c->app->cfg.alloc, 65536);
    j = jw_to(&errors);
    jw_array(&j);
    for (size_t i = 0; i < n; i++) {
        if (!*v[i].why)
            continue;
        jw_object(&j);
        jw_put_str(&j, "key", v[i].key);
        http_put_words(&j, "detail", slice_str(v[i].why));
        jw_end(&j);
        if (!p.evidence.n)
            p.evidence = slice_str(v[i].why);
    }
    jw_end(&j);
    if (jw_is_complete(&j))
        p.errors = buf_view(&errors);
    http_answer_problem(c->out, &p);
    buf_fini(&errors);
}

struct change {
    struct http_setting_value v[HTTP_SETTINGS_MAX];
    struct buf text[HTTP_SETTINGS_MAX];
    size_t n;
};

/* false: something is no value, which its row says. */
static bool read_change(struct http_call *c, json_t *root, struct change *k)
{
    const char *key;
    bool good = true;
    json_t *one;

    json_object_foreach(root, key, one) {
        struct http_setting_value *v = &k->v[k->n];
        struct buf *text = &k->text[k->n++];

        buf_init(text, c->app->cfg.alloc, SETTING_TEXT_MAX);
        v->key = slice_str(key);
        v->reset = json_is_null(one);
        if (!v->reset && !value_text(one, text)) {
            slice_copy(v->why, sizeof(v->why),
                       SLICE("a text, a number, true, false or a list of texts "
                             "is needed, not too long"));
            good = false;
        }
        v->text = buf_view(text);
    }
    return good;
}

static void change(struct http_call *c, json_t *root, struct change *k)
{
    int err = read_change(c, root, k) ? 0 : GB_ESYNTAX;

    if (!err)
        err = c->app->cfg.set(c->app->cfg.ctx, c->req->id, k->v, k->n);
    if (err == GB_ESYNTAX)
        answer_faults(c, k->v, k->n);
    else if (err == GB_ESTATE)
        http_answer_fail(c, 409, "busy",
                         "other settings are being written: try again");
    else if (err)
        http_answer_fail(c, 503, NULL, gb_strerror(err));
    else
        c->out->kind = HTTP_REPLY_LATER;
    for (size_t i = 0; i < k->n; i++)
        buf_fini(&k->text[i]);
}

void http_patch_settings(struct http_call *c)
{
    const struct gb_alloc *alloc = c->app->cfg.alloc;
    struct change *k = NULL;
    json_t *root;

    if (!c->app->cfg.set) {
        http_answer_fail(c, 501, NULL, "settings cannot be changed here");
        return;
    }
    if (!guard_holds(c))
        return;
    root = json_loadb(c->req->body.p, c->req->body.n, JSON_REJECT_DUPLICATES,
                      NULL);
    if (!json_is_object(root) || json_object_size(root) == 0 ||
        json_object_size(root) > HTTP_SETTINGS_MAX)
        http_answer_fail(c, 400, "bad-json",
                         "a JSON object of settings is needed");
    else if (!(k = gb_get(alloc, sizeof(*k))))
        http_answer_fail(c, 503, NULL, gb_strerror(GB_ENOMEM));
    else
        change(c, root, k);
    gb_put(alloc, k);
    json_decref(root);
}

void http_app_set_told(struct http_app *a, uint64_t request, int err)
{
    static const struct http_problem p = {
        .status = 503, .code = "not-stored",
        .detail = "the file of settings could not be written; nothing was "
                  "changed",
        .step = SLICE_INIT("store"),
        .hint = SLICE_INIT("the log tells why"),
    };
    struct http_response r;
    struct buf guard;
    struct jw j;

    http_response_init(&r, a->cfg.alloc);
    guard = settings_guard(a);
    if (err) {
        buf_fini(&guard);
        http_answer_problem(&r, &p);
    } else {
        r.status = 200;
        r.type = "application/json";
        j = jw_to(&r.body);
        settings_write(&j, a);
        http_response_guard(a, &r, &guard);
    }
    http_app_answer(a, request, &r);
}
