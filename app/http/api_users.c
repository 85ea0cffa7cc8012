/* Users and API tokens. Passwords and tokens go in; a token comes out once, when
 * it was made here. */
#include "app/http/api.h"
#include "app/http/token.h"

#include <jansson.h>

#define PASSWORD_MIN 8 /* characters of a new password */

static void told(struct http_app *a, enum account_kind kind, struct slice name)
{
    if (a->cfg.account_changed)
        a->cfg.account_changed(a->cfg.ctx, kind, name);
}

static bool has_admin(const struct http_app *a)
{
    struct account v = { .name = { NULL, 0 } };

    while (accounts_next(a->accounts, ACCOUNT_USER, v.name, &v))
        if (v.role == HTTP_ROLE_ADMIN)
            return true;
    return false;
}

void http_accounts_init(struct http_app *a)
{
    struct account v = { .kind = ACCOUNT_USER,
                         .name = SLICE("admin"),
                         .role = HTTP_ROLE_ADMIN,
                         .secret = slice_str(a->cfg.admin_password_hash),
                         .made_utc_ms = http_app_now(a).utc_ms };

    a->rounds = HTTP_PBKDF2_ROUNDS;
    if (http_password_rounds(v.secret) > a->rounds)
        a->rounds = http_password_rounds(v.secret);
    if (v.secret.n && (a->cfg.reset_admin || !has_admin(a)) &&
        accounts_set(a->accounts, &v) == 0)
        told(a, v.kind, v.name);
}

/* ---- telling ----------------------------------------------------------------- */

static void entries_write(struct jw *j, const char *key, struct slice scope,
                          char kind)
{
    struct slice name;
    char k;

    jw_key(j, key);
    jw_array(j);
    while (account_scope_next(&scope, &k, &name))
        if (k == kind)
            jw_str(j, name);
    jw_end(j);
}

void http_scope_write(struct jw *j, struct slice scope)
{
    if (scope.n == 0) {
        jw_put_null(j, "scope");
        return;
    }
    jw_key(j, "scope");
    jw_object(j);
    entries_write(j, "devices", scope, 'd');
    entries_write(j, "groups", scope, 'g');
    jw_end(j);
}

/* token: NULL, or one that was made just now. */
static void account_write(struct jw *j, const struct account *v,
                          const char *token)
{
    jw_object(j);
    jw_put_str(j, "name", v->name);
    jw_put_cstr(j, "role", http_role_name(v->role));
    http_scope_write(j, v->scope);
    jw_put_time(j, "created_at", v->made_utc_ms);
    if (token)
        jw_put_cstr(j, "token", token);
    jw_end(j);
}

/* His id is another one with each password, role and scope. */
static struct buf user_guard(const struct http_call *c, const struct account *v)
{
    struct buf b;

    buf_init(&b, c->app->cfg.alloc, ACCOUNT_SCOPE_MAX + 64);
    buf_u64(&b, v->id);
    buf_f(&b, " %s ", http_role_name(v->role));
    buf_slice(&b, v->scope);
    return b;
}

static void answer_user(struct http_call *c, unsigned status,
                        const struct account *v)
{
    struct buf guard = user_guard(c, v);
    struct jw j = http_answer_json(c, status);

    account_write(&j, v, NULL);
    http_answer_guard(c, &guard);
}

static void list(struct http_call *c, enum account_kind kind)
{
    struct account v = { .name = { NULL, 0 } };
    struct jw j = http_list_begin(c);
    uint64_t n = 0;

    for (; accounts_next(c->app->accounts, kind, v.name, &v); n++)
        account_write(&j, &v, NULL);
    http_list_end(&j, (struct slice){ 0 }, n);
}

void http_get_users(struct http_call *c)
{
    list(c, ACCOUNT_USER);
}

void http_get_tokens(struct http_call *c)
{
    list(c, ACCOUNT_TOKEN);
}

static bool find(struct http_call *c, struct account *v)
{
    if (accounts_find(c->app->accounts, ACCOUNT_USER, c->params.value[0], v))
        return true;
    http_answer_fail(c, 404, "user-unknown", "no such user");
    return false;
}

void http_get_user(struct http_call *c)
{
    struct account v;

    if (find(c, &v))
        answer_user(c, 200, &v);
}

/* ---- what is wanted ------------------------------------------------------------ */

/* One change on its way through the pool, where its password is hashed. */
struct change {
    struct http_password_job job; /* first: it is freed as this */
    unsigned status;              /* 201: there must be none of that name */
    uint64_t read_id;             /* whom If-Match means; 0: whoever it is */
    bool has_role, has_scope, has_password;
    bool own;                     /* a user's own password: 204, new session */
    enum http_role role;
    char name[ACCOUNT_NAME_MAX + 1];
    struct writer scope; /* into text */
    char text[ACCOUNT_SCOPE_MAX];
};

static const char *const bad_scope =
    "scope is null, or {\"devices\":[...],\"groups\":[...]} of texts";

static bool read_entries(struct change *k, const json_t *scope,
                         const char *key, char kind)
{
    const json_t *v = json_object_get(scope, key), *one;
    size_t i;

    if (v && !json_is_array(v))
        return false;
    json_array_foreach(v, i, one) {
        struct slice s = slice_of(json_string_value(one),
                                  json_string_length(one));

        if (!json_is_string(one) || s.n == 0 || s.n > ACCOUNT_ENTRY_MAX ||
            slice_find(s, '\n') < s.n)
            return false;
        writer_char(&k->scope, kind);
        writer_slice_put(&k->scope, s);
        writer_char(&k->scope, '\n');
    }
    return true;
}

/* A word that is misspelt would show nothing. */
static bool is_scope(json_t *v)
{
    const char *key;
    json_t *one;

    json_object_foreach(v, key, one)
        if (strcmp(key, "devices") && strcmp(key, "groups"))
            return false;
    return json_is_object(v);
}

static bool read_scope(struct change *k, json_t *v)
{
    k->has_scope = true;
    if (json_is_null(v))
        return true;
    if (!is_scope(v) || !read_entries(k, v, "devices", 'd') ||
        !read_entries(k, v, "groups", 'g'))
        return false;
    if (k->scope.len == 0)
        writer_str(&k->scope, "-\n");
    return k->scope.err == 0;
}

static bool read_role(struct change *k, const json_t *v)
{
    struct slice s = slice_of(json_string_value(v), json_string_length(v));

    k->has_role = true;
    for (unsigned r = HTTP_ROLE_VIEWER; r <= HTTP_ROLE_ADMIN; r++)
        if (json_is_string(v) && slice_eq(s, slice_str(http_role_name((enum http_role)r)))) {
            k->role = (enum http_role)r;
            return true;
        }
    return false;
}

/* A new password, to be hashed; NULL, or what is wrong. */
static const char *read_fresh(struct change *k, const json_t *v)
{
    size_t n = json_string_length(v);

    if (!json_is_string(v) || n < PASSWORD_MIN || n > HTTP_PASSWORD_MAX)
        return "a password has 8 to 256 bytes";
    memcpy(k->job.fresh, json_string_value(v), n);
    k->job.n_fresh = n;
    k->job.makes = k->has_password = true;
    return NULL;
}

/* NULL, or what is wrong. is_new: it has a name. */
static const char *read_change(struct change *k, json_t *root, bool is_new)
{
    const json_t *name = json_object_get(root, "name");
    const json_t *role = json_object_get(root, "role");
    json_t *scope = json_object_get(root, "scope");
    const json_t *password = json_object_get(root, "password");
    struct slice s = slice_of(json_string_value(name),
                              json_string_length(name));

    if (!json_is_object(root))
        return "the body must be a JSON object";
    if (is_new &&
        (!json_is_string(name) || !account_is_name(s) ||
         !slice_copy(k->name, sizeof(k->name), s)))
        return "a name has 1 to 64 letters, digits, '-', '_', '.', '@'";
    if (is_new && http_is_dots(s))
        return HTTP_NO_DOTS;
    if (role && !read_role(k, role))
        return "role is viewer, operator or admin";
    if (scope && !read_scope(k, scope))
        return bad_scope;
    return password ? read_fresh(k, password) : NULL;
}

static bool has_group(struct slice scope, struct slice group)
{
    struct slice name;
    char kind;

    while (account_scope_next(&scope, &kind, &name))
        if (kind == 'g' && slice_eq(name, group))
            return true;
    return false;
}

/* What there is, as far as it fits, and that there are more. */
static void hint_groups(const struct platform *p, struct writer *w)
{
    static const char more[] = ", ...";
    struct platform_group g = { .name = { NULL, 0 } };

    while (platform_group_next(p, g.name, &g)) {
        if (w->cap - w->len < g.name.n + 2 + sizeof(more)) {
            writer_str(w, more);
            break;
        }
        writer_str(w, w->len ? ", " : "the groups are: ");
        writer_slice_put(w, g.name);
    }
    if (w->len == 0)
        writer_str(w, "there are no groups yet");
}

/* A group that the scope names anew has to be there: one that is misspelt would
 * show nothing. What was of the scope may have gone meanwhile. false: answered. */
static bool knows_groups(struct http_call *c, const struct change *k,
                         struct slice was)
{
    const struct platform *p = c->app->cfg.platform;
    struct slice scope = writer_slice(&k->scope), name;
    struct platform_group g;
    char text[400], kind;
    struct writer hint = writer_of(text, sizeof(text));

    while (account_scope_next(&scope, &kind, &name)) {
        struct http_problem what = {
            .status = 400, .code = "group-unknown",
            .detail = "there is no such group", .evidence = name
        };

        if (kind != 'g' || platform_group_view(p, name, &g) ||
            has_group(was, name))
            continue;
        hint_groups(p, &hint);
        what.hint = writer_slice(&hint);
        http_answer_problem(c->out, &what);
        return false;
    }
    return true;
}

static json_t *body_of(struct http_call *c)
{
    struct slice body = c->req->body;

    return json_loadb(body.n ? body.p : "", body.n, JSON_REJECT_DUPLICATES,
                      NULL);
}

/* ---- doing it ------------------------------------------------------------------- */

static void refuse(struct http_call *c, int err)
{
    switch (err) {
    case GB_EEXIST:
        http_answer_fail(c, 409, "exists", "it exists already");
        break;
    case GB_ENOENT:
        http_answer_fail(c, 404, "user-unknown", "no such user");
        break;
    case GB_ESYNTAX:
        http_answer_fail(c, 400, "bad-value",
                         "who is admin sees everything: role admin goes with "
                         "scope null");
        break;
    case GB_EAUTH:
        http_answer_fail(c, 403, "wrong-password",
                         "the present password is another one by now");
        break;
    case GB_ESTATE:
        http_answer_fail(c, 409, "last-admin",
                         "nobody would be admin any more");
        break;
    case GB_ELIMIT:
        http_answer_fail(c, 409, "limit", "there is no room for another one");
        break;
    default:
        http_answer_fail(c, 503, NULL, gb_strerror(err));
        break;
    }
}

/* The user as he is to be; what the change does not name stays. */
static int merge(const struct http_app *a, const struct change *k,
                 struct account *v)
{
    bool found = accounts_find(a->accounts, ACCOUNT_USER, slice_str(k->name),
                               v);

    if (found != (k->status != 201))
        return found ? GB_EEXIST : GB_ENOENT;
    if (!found)
        *v = (struct account){ .kind = ACCOUNT_USER,
                               .name = slice_str(k->name),
                               .made_utc_ms = http_app_now(a).utc_ms };
    if (k->own && !slice_eq(v->secret, slice_str(k->job.hash)))
        return GB_EAUTH; /* changed meanwhile */
    if (k->has_role)
        v->role = k->role;
    if (k->has_scope)
        v->scope = writer_slice(&k->scope);
    if (k->has_password)
        v->secret = slice_str(k->job.made);
    return 0;
}

/* What was opened as this one ends: sessions, and whoever watches. */
static void over(struct http_app *a, uint64_t who)
{
    if (!who)
        return;
    http_auth_close_all(a->auth, who);
    if (a->cfg.dismissed)
        a->cfg.dismissed(a->cfg.ctx, who);
}

/* Sets him and answers c; the old id's sessions end by its being another one. */
static void apply(struct http_call *c, struct change *k)
{
    struct http_app *a = c->app;
    struct account v, old = { 0 };
    int err = merge(a, k, &v);

    accounts_find(a->accounts, ACCOUNT_USER, slice_str(k->name), &old);
    if (!err && k->read_id && k->read_id != old.id) {
        http_answer_meanwhile(c);
        return;
    }
    if (!err)
        err = accounts_set(a->accounts, &v);
    if (err) {
        refuse(c, err);
        return;
    }
    accounts_find(a->accounts, ACCOUNT_USER, slice_str(k->name), &v);
    if (v.id != old.id)
        over(a, old.id);
    told(a, ACCOUNT_USER, v.name);
    if (k->own) {
        http_session_open(a, c->out, v.id, k->job.secure);
        http_answer_empty(c, 204);
    } else {
        answer_user(c, k->status, &v);
    }
    http_answer_committed(c);
}

/* The hash is there, or the own password was wrong. */
static void change_done(struct http_app *a, struct http_password_job *job)
{
    struct change *k = container_of(job, struct change, job);
    struct http_request req = { .id = job->request };
    struct http_response r;
    struct http_call c = { .app = a, .req = &req, .out = &r,
                           .now = http_app_now(a) };

    http_response_init(&r, a->cfg.alloc);
    if (!job->ok) {
        http_answer_fail(&c, job->checks ? 403 : 503,
                         job->checks ? "wrong-password" : NULL,
                         job->checks ? "the present password is wrong"
                                     : "no hash was made");
    } else {
        if (job->checks)
            http_auth_login_ok(a->auth, &job->source, c.now.mono_ms);
        apply(&c, k);
    }
    if (r.kind == HTTP_REPLY_LATER)
        http_response_fini(&r);
    else
        http_app_answer(a, job->request, &r);
}

static struct change *change_new(struct http_call *c, unsigned status)
{
    struct change *k = http_password_job_new(c, sizeof(*k));

    if (!k)
        return NULL;
    k->status = status;
    k->scope = writer_of(k->text, sizeof(k->text));
    k->job.done = change_done;
    return k;
}

static void drop(struct http_call *c, struct change *k)
{
    memset(k, 0, sizeof(*k)); /* it may hold a password */
    gb_put(c->app->cfg.alloc, k);
}

/* At once, or when its password is hashed. */
static void begin(struct http_call *c, struct change *k)
{
    if (k->job.makes) {
        http_password_job_start(c, &k->job);
        return;
    }
    apply(c, k);
    drop(c, k);
}

/* was: the scope that he has. */
static void begin_unless(struct http_call *c, struct change *k,
                         const char *fault, struct slice was)
{
    if (fault) {
        http_answer_fail(c, 400, "bad-value", fault);
        drop(c, k);
    } else if (!knows_groups(c, k, was)) {
        drop(c, k);
    } else {
        begin(c, k);
    }
}

void http_post_user(struct http_call *c)
{
    struct change *k = change_new(c, 201);
    const char *fault;
    json_t *root;

    if (!k)
        return;
    root = body_of(c);
    fault = read_change(k, root, true);
    if (!fault && (!k->has_password || !k->has_role))
        fault = "name, password and role have to be there";
    json_decref(root);
    begin_unless(c, k, fault, (struct slice){ NULL, 0 });
}

void http_patch_user(struct http_call *c)
{
    struct change *k;
    struct account v;
    struct buf guard;
    const char *fault;
    json_t *root;

    if (!find(c, &v))
        return;
    guard = user_guard(c, &v);
    if (!http_guard_holds(c, &guard) || (k = change_new(c, 200)) == NULL)
        return;
    if (c->head->first[HTTP_HDR_IF_MATCH])
        k->read_id = v.id; /* a hash takes its time */
    slice_copy(k->name, sizeof(k->name), v.name);
    root = body_of(c);
    fault = read_change(k, root, false);
    json_decref(root);
    begin_unless(c, k, fault, v.scope);
}

void http_post_password(struct http_call *c)
{
    struct change *k;
    struct account v;
    const char *fault = "the body is {\"password\":\"...\","
                        "\"new_password\":\"...\"}";
    const json_t *old;
    json_t *root;

    if (c->via != HTTP_VIA_COOKIE ||
        !accounts_by_id(c->app->accounts, c->who, &v)) {
        http_answer_fail(c, 403, "no-user",
                         "only a user who has logged in has a password");
        return;
    }
    if (http_login_waits(c) || (k = change_new(c, 204)) == NULL)
        return;
    slice_copy(k->name, sizeof(k->name), v.name);
    slice_copy(k->job.hash, sizeof(k->job.hash), v.secret);
    k->own = k->job.checks = true;
    root = body_of(c);
    old = json_object_get(root, "password");
    if (json_is_string(old) &&
        json_string_length(old) <= sizeof(k->job.password)) {
        k->job.n_password = json_string_length(old);
        memcpy(k->job.password, json_string_value(old), k->job.n_password);
        fault = read_fresh(k, json_object_get(root, "new_password"));
    }
    json_decref(root);
    if (fault) {
        http_answer_fail(c, 400, "bad-value", fault);
        drop(c, k);
    } else {
        http_password_job_start(c, &k->job);
    }
}

/* A name that is not there is told: it may be misspelt, and the one that was meant
 * goes on. */
static void remove_account(struct http_call *c, enum account_kind kind)
{
    struct http_app *a = c->app;
    struct slice name = c->params.value[0];
    struct account v;
    int err = GB_ENOENT;

    if (accounts_find(a->accounts, kind, name, &v))
        err = accounts_remove(a->accounts, kind, name);
    if (err == GB_ENOENT && kind == ACCOUNT_TOKEN) {
        http_answer_fail(c, 404, "token-unknown", "no such token");
        return;
    }
    if (err) {
        refuse(c, err);
        return;
    }
    over(a, v.id);
    told(a, kind, name);
    http_answer_empty(c, 204);
    http_answer_committed(c);
}

void http_delete_user(struct http_call *c)
{
    struct account v;
    struct buf guard;

    if (!find(c, &v))
        return;
    guard = user_guard(c, &v);
    if (http_guard_holds(c, &guard))
        remove_account(c, ACCOUNT_USER);
}

void http_delete_token(struct http_call *c)
{
    remove_account(c, ACCOUNT_TOKEN);
}

/* ---- tokens ----------------------------------------------------------------------- */

static void make_token(struct http_call *c, const struct change *k)
{
    struct http_app *a = c->app;
    struct account v = { .kind = ACCOUNT_TOKEN,
                         .name = slice_str(k->name),
                         .role = k->role,
                         .scope = writer_slice(&k->scope),
                         .made_utc_ms = c->now.utc_ms };
    char token[65], secret[TOKEN_SECRET_MAX + 1];
    struct writer w = writer_of(token, sizeof(token) - 1);
    struct account old;
    uint8_t bytes[32];
    int err;

    a->cfg.random(a->cfg.ctx, bytes, sizeof(bytes));
    writer_hex(&w, bytes, sizeof(bytes));
    token[w.len] = '\0';
    token_secret_write(secret, writer_slice(&w), v.name, a->cfg.rtsp_realm,
                       a->cfg.key);
    v.secret = slice_str(secret);
    err = accounts_find(a->accounts, ACCOUNT_TOKEN, v.name, &old)
              ? GB_EEXIST
              : accounts_set(a->accounts, &v);
    if (err) {
        refuse(c, err);
    } else {
        struct jw j = http_answer_json(c, 201);

        told(a, ACCOUNT_TOKEN, v.name);
        account_write(&j, &v, token);
        http_answer_committed(c);
    }
    memset(token, 0, sizeof(token));
}

void http_post_token(struct http_call *c)
{
    struct change *k = change_new(c, 201);
    const char *fault;
    json_t *root;

    if (!k)
        return;
    root = body_of(c);
    fault = read_change(k, root, true);
    if (!fault && !k->has_role)
        fault = "name and role have to be there";
    json_decref(root);
    if (fault)
        http_answer_fail(c, 400, "bad-value", fault);
    else if (knows_groups(c, k, (struct slice){ NULL, 0 }))
        make_token(c, k);
    drop(c, k);
}
