/* What people set for devices and groups, and who of the unknown is let in. A
 * password goes in and never comes out. */
#include "app/http/api.h"

#include "app/http/csv.h"
#include "manscdp/vocab.h"
#include "sip/digest.h"

#include <jansson.h>

#define TEXT_MAX 128 /* bytes of any text here */
#define GUARD_MAX 4096 /* of what can be set of one object */

/* The request's body on its way into settings; texts belong to root. */
struct reading {
    struct http_call *c;
    json_t *root;
    const char *fault; /* what the caller is told; NULL: good */
};

/* ---- words ------------------------------------------------------------------ */

static const char *const date_words[] = { "configured", "local", "utc", "off" };
static const char *const edition_words[] = { "auto", "2011", "2014", "2016",
                                             "2022" };
static const char *const require_words[] = { "refuse", "ignore" };
static const char *const arm_words[] = { "off", "on" };
static const char *const media_words[] = { "auto", "udp", "tcp-passive",
                                           "tcp-active" };

#define N_WORDS(a) (sizeof(a) / sizeof((a)[0]))

/* Seconds, false, or null for what is not set here. */
static void policy_write(struct jw *j, const struct platform_policy *y)
{
    jw_key(j, "subscribe");
    jw_object(j);
    for (unsigned k = 0; k < PLATFORM_SUBSCRIPTION_KINDS; k++) {
        const char *name =
            platform_subscription_name((enum platform_subscription_kind)k);

        if (!y->s[k])
            jw_put_null(j, name);
        else if (y->s[k] == PLATFORM_SUBSCRIBE_NEVER)
            jw_put_bool(j, name, false);
        else
            jw_put_u64(j, name, y->s[k]);
    }
    jw_end(j);
}

void http_settings_write(struct jw *j, const struct platform_device *d)
{
    jw_put_str(j, "group", d->group);
    jw_put_bool(j, "has_password", d->has_password);
    jw_put_cstr(j, "date", date_words[d->date]);
    jw_put_cstr(j, "edition_set", edition_words[d->edition_set]);
    jw_put_cstr(j, "require", require_words[d->ignore_require]);
    jw_put_cstr(j, "arm", arm_words[d->arm]);
    jw_key(j, "digest");
    jw_array(j);
    for (unsigned a = SIP_DIGEST_COUNT - 1; a > SIP_DIGEST_OTHER; a--)
        if (d->digest & 1u << a)
            jw_str(j, sip_digest_name((enum sip_digest_alg)a));
    jw_end(j);
    policy_write(j, &d->subscribe);
}

/* ---- reading ---------------------------------------------------------------- */

static bool read_body(struct reading *r)
{
    struct slice body = r->c->req->body;

    r->root = json_loadb(body.n ? body.p : "", body.n, JSON_REJECT_DUPLICATES,
                         NULL);
    if (!json_is_object(r->root)) {
        r->fault = "the body must be a JSON object";
        return false;
    }
    return true;
}

/* A text or null; false: it is not there, or r->fault is set. */
static bool read_text(struct reading *r, const char *key, struct slice *out)
{
    const json_t *v = json_object_get(r->root, key);

    if (!v || r->fault)
        return false;
    *out = slice_of(NULL, 0);
    if (json_is_null(v))
        return true;
    *out = slice_of(json_string_value(v), json_string_length(v));
    if (!json_is_string(v) || out->n > TEXT_MAX) {
        r->fault = "id, name, password, group and what has words are texts of "
                   "at most 128 bytes, or null";
        return false;
    }
    for (size_t i = 0; i < out->n; i++)
        if ((unsigned char)out->p[i] < 0x20 || out->p[i] == 0x7f)
            r->fault = "control characters are not allowed";
    return !r->fault;
}

/* wanted: what is told where it is none of its words. */
static bool read_word(struct reading *r, const char *key,
                      const char *const *words, size_t n, const char *wanted,
                      size_t *out)
{
    struct slice text;

    if (!read_text(r, key, &text))
        return false;
    *out = 0;
    if (text.n == 0)
        return true; /* null: as if it was never set */
    for (size_t i = 0; i < n; i++) {
        if (slice_eq(text, slice_str(words[i]))) {
            *out = i;
            return true;
        }
    }
    r->fault = wanted;
    return false;
}

static bool read_algorithm(struct reading *r, const json_t *v, uint16_t *bits)
{
    struct slice text = slice_of(json_string_value(v), json_string_length(v));
    enum sip_digest_alg a = sip_digest_by_word(text);

    if (!json_is_string(v) || a == SIP_DIGEST_OTHER) {
        r->fault = "digest is a list of md5, sha256, sm3, sha512-256, each "
                   "also with -sess";
        return false;
    }
    *bits |= (uint16_t)(1u << a);
    return true;
}

static bool read_digest(struct reading *r, uint16_t *bits)
{
    const json_t *v = json_object_get(r->root, "digest"), *one;
    size_t i;

    if (!v || r->fault)
        return false;
    *bits = 0;
    if (json_is_null(v))
        return true;
    if (!json_is_array(v))
        return read_algorithm(r, v, bits);
    json_array_foreach(v, i, one)
        if (!read_algorithm(r, one, bits))
            return false;
    return true;
}

/* true: for as long as usual; false: never; null: as it is above. */
static bool read_period(const json_t *v, unsigned k, uint32_t *s)
{
    json_int_t n = json_integer_value(v);

    *s = 0;
    if (json_is_true(v))
        *s = k == PLATFORM_SUBSCRIBE_CATALOG ? 600 : 3600;
    else if (json_is_false(v))
        *s = PLATFORM_SUBSCRIBE_NEVER;
    else if (json_is_integer(v) && n >= PLATFORM_SUBSCRIBE_MIN_S &&
             n <= PLATFORM_SUBSCRIBE_MAX_S)
        *s = (uint32_t)n;
    return *s || json_is_null(v);
}

/* null: nothing is set here. */
static bool read_policy(struct reading *r, struct platform_policy *y,
                        unsigned *kinds)
{
    json_t *all = json_object_get(r->root, "subscribe"), *v;
    const char *key;

    *kinds = 0;
    *y = (struct platform_policy){ { 0 } };
    if (!all || r->fault)
        return false;
    if (json_is_null(all))
        *kinds = (1u << PLATFORM_SUBSCRIPTION_KINDS) - 1;
    else if (!json_is_object(all))
        r->fault = "subscribe is an object";
    json_object_foreach(all, key, v) {
        unsigned k = 0;

        while (k < PLATFORM_SUBSCRIPTION_KINDS &&
               !slice_eq(slice_str(key),
                         slice_str(platform_subscription_name(
                             (enum platform_subscription_kind)k))))
            k++;
        if (k == PLATFORM_SUBSCRIPTION_KINDS || !read_period(v, k, &y->s[k]))
            r->fault = "subscribe has catalog, alarm, position, ptz, each "
                       "true, false, null or 60 to 86400 seconds";
        else
            *kinds |= 1u << k;
    }
    return !r->fault;
}

static void read_settings(struct reading *r, struct platform_settings *s)
{
    struct platform_group g;
    size_t word;

    *s = (struct platform_settings){ 0 };
    if (read_text(r, "password", &s->password)) {
        s->set |= PLATFORM_SET_PASSWORD;
        if (s->password.n > PLATFORM_PASSWORD_MAX)
            r->fault = "a password has at most 64 bytes";
    }
    if (read_text(r, "name", &s->name))
        s->set |= PLATFORM_SET_NAME;
    if (read_text(r, "group", &s->group)) {
        s->set |= PLATFORM_SET_GROUP;
        if (s->group.n &&
            !platform_group_view(r->c->app->cfg.platform, s->group, &g))
            r->fault = "there is no such group";
    }
    if (read_word(r, "date", date_words, N_WORDS(date_words),
                  "date is configured, local, utc, off or null", &word)) {
        s->set |= PLATFORM_SET_DATE;
        s->date = (uint8_t)word;
    }
    if (read_word(r, "edition", edition_words, N_WORDS(edition_words),
                  "edition is auto, 2011, 2014, 2016, 2022 or null", &word)) {
        s->set |= PLATFORM_SET_EDITION;
        s->edition = (uint8_t)word;
    }
    if (read_word(r, "require", require_words, N_WORDS(require_words),
                  "require is refuse, ignore or null", &word)) {
        s->set |= PLATFORM_SET_REQUIRE;
        s->ignore_require = word != 0;
    }
    if (read_word(r, "arm", arm_words, N_WORDS(arm_words),
                  "arm is off, on or null", &word)) {
        s->set |= PLATFORM_SET_ARM;
        s->arm = word != 0;
    }
    if (read_word(r, "media", media_words, N_WORDS(media_words),
                  "media is auto, udp, tcp-passive, tcp-active or null", &word)) {
        s->set |= PLATFORM_SET_MEDIA;
        s->media = (enum platform_transport)word;
    }
    if (read_digest(r, &s->digest))
        s->set |= PLATFORM_SET_DIGEST;
    if (read_policy(r, &s->subscribe, &s->subscribe_kinds))
        s->set |= PLATFORM_SET_SUBSCRIBE;
}

const char *http_settings_read(struct http_call *c, struct json_t *root,
                               struct platform_settings *s)
{
    struct reading r = { .c = c, .root = root };

    read_settings(&r, s);
    return r.fault;
}

/* Word 0 is what nobody has set. */
static void csv_word(struct buf *out, const char *const *words, size_t i)
{
    buf_char(out, ',');
    if (i)
        csv_write(out, slice_str(words[i]));
}

void http_settings_csv(struct buf *out, const struct platform_device *d)
{
    buf_char(out, ',');
    csv_write(out, d->group);
    csv_word(out, media_words, d->media);
    csv_word(out, arm_words, d->arm);
    csv_word(out, edition_words, d->edition_set);
    csv_word(out, date_words, d->date);
    csv_word(out, require_words, d->ignore_require);
}

static void refuse(struct http_call *c, int err)
{
    switch (err) {
    case GB_ENOENT:
        http_answer_no_device(c);
        break;
    case GB_EEXIST:
        http_answer_fail(c, 409, "exists", "it exists already");
        break;
    case GB_EAUTH:
        http_answer_fail(c, 409, "id-denied", "sip.allow_ids and sip.deny_ids "
                                              "keep this id out");
        break;
    case GB_ELIMIT:
        http_answer_fail(c, 409, "limit", "there is no room for another one");
        break;
    case GB_ESYNTAX:
        http_answer_fail(c, 400, "bad-value", "an id has 18 to 20 digits and "
                                              "is not that of the platform; "
                                              "no control characters");
        break;
    default:
        http_answer_fail(c, 503, NULL, gb_strerror(err));
        break;
    }
}

/* ---- devices ---------------------------------------------------------------- */

/* Of what people set alone: the device may tell another name at any time. */
static struct buf device_guard(const struct http_call *c,
                               const struct platform_device *d)
{
    struct platform_settings s = { 0 };
    struct buf b;
    struct jw j = jw_to(&b);

    platform_device_settings(c->app->cfg.platform, d->id, &s);
    buf_init(&b, c->app->cfg.alloc, GUARD_MAX);
    jw_object(&j);
    jw_put_str(&j, "id", d->id);
    jw_put_str(&j, "name", s.name);
    jw_put_u64(&j, "password", http_mark(c->app, s.password));
    jw_put_cstr(&j, "media", http_transport_name(d->media));
    http_settings_write(&j, d);
    jw_end(&j);
    return b;
}

void http_answer_device(struct http_call *c, unsigned status,
                        const struct platform_device *d)
{
    struct buf guard = device_guard(c, d);
    struct jw j = http_answer_json(c, status);

    http_device_write(&j, d);
    http_answer_guard(c, &guard);
}

static void answer_device(struct http_call *c, unsigned status,
                          struct slice id)
{
    struct platform_device d;

    if (platform_device_view(c->app->cfg.platform, id, &d))
        http_answer_device(c, status, &d);
}

bool http_device_guard_holds(struct http_call *c, struct slice id)
{
    struct platform_device d;
    struct buf guard;

    if (!platform_device_view(c->app->cfg.platform, id, &d))
        return true;
    guard = device_guard(c, &d);
    return http_guard_holds(c, &guard);
}

void http_patch_device(struct http_call *c)
{
    struct reading r = { .c = c };
    struct platform_settings s;
    int err = 0;

    if (!http_device_guard_holds(c, c->params.value[0]))
        return;
    if (read_body(&r))
        read_settings(&r, &s);
    if (!r.fault)
        err = platform_device_set(c->app->cfg.platform, c->params.value[0], &s,
                                  c->now);
    json_decref(r.root);
    if (r.fault)
        http_answer_fail(c, 400, "bad-value", r.fault);
    else if (err)
        refuse(c, err);
    else
        answer_device(c, 200, c->params.value[0]);
    http_answer_committed(c);
}

static void refuse_known(struct http_call *c, struct slice id)
{
    char text[16 + HTTP_ID_MAX];
    struct writer w = writer_of(text, sizeof(text));
    struct http_problem p = {
        .status = 409,
        .code = "exists",
        .detail = "it exists already",
        .hint = SLICE_INIT("PATCH /api/v1/devices/ID changes it"),
    };

    writer_str(&w, "asked for ");
    writer_slice_put(&w, slice_head(id, HTTP_ID_MAX));
    p.evidence = writer_slice(&w);
    http_answer_problem(c->out, &p);
}

void http_post_device(struct http_call *c)
{
    struct reading r = { .c = c };
    struct platform_settings s;
    struct slice id = { NULL, 0 };
    int err = 0;

    if (read_body(&r)) {
        read_settings(&r, &s);
        if (!read_text(&r, "id", &id) && !r.fault)
            r.fault = "id is missing";
    }
    if (!r.fault)
        err = platform_device_create(c->app->cfg.platform, id, &s, c->now);
    if (r.fault)
        http_answer_fail(c, 400, "bad-value", r.fault);
    else if (err == GB_EEXIST)
        refuse_known(c, id);
    else if (err)
        refuse(c, err);
    else
        answer_device(c, 201, id);
    json_decref(r.root);
    http_answer_committed(c);
}

/* ---- pending ---------------------------------------------------------------- */

void http_accept_pending(struct http_call *c)
{
    struct slice id = c->params.value[0];
    int err = platform_pending_accept(c->app->cfg.platform, id, c->now);

    if (err == GB_ENOENT)
        http_answer_fail(c, 404, "pending-unknown", "this id has not knocked");
    else if (err)
        refuse(c, err);
    else
        answer_device(c, 201, id);
    http_answer_committed(c);
}

void http_delete_pending(struct http_call *c)
{
    if (platform_pending_remove(c->app->cfg.platform, c->params.value[0],
                                c->now))
        http_answer_fail(c, 404, "pending-unknown", "this id has not knocked");
    else
        http_answer_empty(c, 204);
}

/* ---- groups ----------------------------------------------------------------- */

static void group_write(struct jw *j, const struct platform_group *g)
{
    jw_object(j);
    jw_put_str(j, "name", g->name);
    jw_put_bool(j, "has_password", g->has_password);
    jw_put_u64(j, "devices", g->n_devices);
    policy_write(j, &g->subscribe);
    jw_end(j);
}

void http_get_groups(struct http_call *c)
{
    struct platform *p = c->app->cfg.platform;
    struct platform_group g;
    struct slice after = { NULL, 0 };
    struct jw j = http_list_begin(c);
    uint64_t n = 0;

    for (; platform_group_next(p, after, &g); after = g.name)
        if (account_scope_has(c->scope, 'g', g.name)) {
            group_write(&j, &g);
            n++;
        }
    http_list_end(&j, (struct slice){ 0 }, n);
}

static bool group_known(struct http_call *c, struct slice name,
                        struct platform_group *g)
{
    if (platform_group_view(c->app->cfg.platform, name, g))
        return true;
    http_answer_fail(c, 404, "group-unknown", "no such group");
    return false;
}

static struct buf group_guard(const struct http_call *c,
                              const struct platform_group *g)
{
    struct buf b;
    struct jw j = jw_to(&b);

    buf_init(&b, c->app->cfg.alloc, GUARD_MAX);
    jw_object(&j);
    jw_put_str(&j, "name", g->name);
    jw_put_u64(&j, "password",
               http_mark(c->app, platform_group_password(c->app->cfg.platform,
                                                         g->name)));
    policy_write(&j, &g->subscribe);
    jw_end(&j);
    return b;
}

static void answer_group(struct http_call *c, unsigned status,
                         const struct platform_group *g)
{
    struct buf guard = group_guard(c, g);
    struct jw j = http_answer_json(c, status);

    group_write(&j, g);
    http_answer_guard(c, &guard);
}

void http_get_group(struct http_call *c)
{
    struct platform_group g;

    if (group_known(c, c->params.value[0], &g))
        answer_group(c, 200, &g);
}

/* name: of the path, or empty: of the body. */
static void put_group(struct http_call *c, struct slice name, unsigned status)
{
    struct platform *p = c->app->cfg.platform;
    struct reading r = { .c = c };
    struct slice password;
    struct platform_group g;
    struct platform_policy y;
    bool has_password = false, has_policy = false;
    unsigned kinds = 0;
    int err = 0;

    if (read_body(&r)) {
        has_password = read_text(&r, "password", &password);
        has_policy = read_policy(&r, &y, &kinds);
        if (!name.n && !r.fault && !read_text(&r, "name", &name) && !r.fault)
            r.fault = "name is missing";
        if (!r.fault && http_is_dots(name))
            r.fault = HTTP_NO_DOTS;
    }
    if (!r.fault && status == 201 && platform_group_view(p, name, &g))
        err = GB_EEXIST;
    if (!r.fault && !err)
        err = platform_group_set(p, name, has_password ? &password : NULL,
                                 c->now);
    if (!r.fault && !err && has_policy)
        err = platform_group_subscribe(p, name, &y, kinds, c->now);
    if (r.fault) {
        http_answer_fail(c, 400, "bad-value", r.fault);
    } else if (err == GB_ESYNTAX) {
        http_answer_fail(c, 400, "bad-value",
                         "a name has 1 to 64 bytes and no '/', a password at "
                         "most 64 bytes");
    } else if (err) {
        refuse(c, err);
    } else if (group_known(c, name, &g)) {
        answer_group(c, status, &g);
    }
    json_decref(r.root);
    http_answer_committed(c);
}

void http_post_group(struct http_call *c)
{
    put_group(c, (struct slice){ NULL, 0 }, 201);
}

/* false: answered; there is none of that name, or somebody was faster. */
static bool group_guard_holds(struct http_call *c)
{
    struct platform_group g;
    struct buf guard;

    if (!group_known(c, c->params.value[0], &g))
        return false;
    guard = group_guard(c, &g);
    return http_guard_holds(c, &guard);
}

void http_patch_group(struct http_call *c)
{
    if (group_guard_holds(c))
        put_group(c, c->params.value[0], 200);
}

void http_delete_group(struct http_call *c)
{
    int err;

    if (!group_guard_holds(c))
        return;
    err = platform_group_remove(c->app->cfg.platform, c->params.value[0],
                                c->now);
    if (err)
        http_answer_fail(c, 404, "group-unknown", "no such group");
    else
        http_answer_empty(c, 204);
    http_answer_committed(c);
}
