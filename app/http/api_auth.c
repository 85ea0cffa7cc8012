/* Login, logout, who am I. */
#include "app/http/api.h"

#include <jansson.h>

#define FIRST_USER "admin" /* who is meant when a login names nobody */

/* One login on its way. */
struct login {
    struct http_password_job job; /* first: it is freed as this */
    struct http_wvp wvp;
    char name[ACCOUNT_NAME_MAX + 1];
};

/* A name that is too long, or no text, is nobody's. */
static void read_name(char name[static ACCOUNT_NAME_MAX + 1], const json_t *v)
{
    struct slice s = slice_of(json_string_value(v), json_string_length(v));

    if (!v)
        slice_copy(name, ACCOUNT_NAME_MAX + 1, SLICE(FIRST_USER));
    else if (!account_is_name(s) || !slice_copy(name, ACCOUNT_NAME_MAX + 1, s))
        name[0] = '\0';
}

/* Name and password of a JSON or form body; false: there is no password. */
static bool read_login(struct http_call *c, struct login *l)
{
    struct slice body = slice_trim(c->req->body), value;
    struct http_password_job *job = &l->job;
    json_t *root, *v;
    int err;
    bool ok;

    if (body.n == 0)
        return false;
    if (body.p[0] != '{') {
        err = http_query_get(body, SLICE("name"), l->name, sizeof(l->name),
                             &value);
        if (err == GB_ENOENT)
            read_name(l->name, NULL);
        else
            l->name[err ? 0 : value.n] = '\0';
        if (http_query_get(body, SLICE("password"), job->password,
                           sizeof(job->password), &value))
            return false;
        job->n_password = value.n;
        return true;
    }
    root = json_loadb(body.p, body.n, JSON_REJECT_DUPLICATES, NULL);
    read_name(l->name, json_object_get(root, "name"));
    v = json_object_get(root, "password");
    ok = json_is_string(v) && json_string_length(v) <= sizeof(job->password);
    if (ok) {
        job->n_password = json_string_length(v);
        memcpy(job->password, json_string_value(v), job->n_password);
    }
    json_decref(root);
    return ok;
}

static void answer_wait(struct http_call *c, uint32_t wait_s)
{
    char text[16];
    struct writer w = writer_of(text, sizeof(text));

    writer_u64(&w, wait_s);
    http_answer_fail(c, 429, "login-limit",
                     "too many failed logins from this address");
    http_response_field(c->out, "Retry-After", writer_slice(&w));
}

/* Sends the check on its way. */
static int send_job(struct http_app *a, struct http_password_job *job)
{
    int err;

    if (!a->edge.hash)
        return GB_EUNSUPPORTED;
    a->n_password_jobs++;
    err = a->edge.hash(a->edge.ctx, job);
    if (err)
        a->n_password_jobs--;
    return err;
}

void *http_password_job_new(struct http_call *c, size_t size)
{
    struct http_app *a = c->app;
    struct http_password_job *job =
        a->n_password_jobs < HTTP_PASSWORD_JOBS_MAX
            ? gb_get(a->cfg.alloc, size)
            : NULL;

    if (!job) {
        http_answer_fail(c, 503, NULL, "too many logins at once");
        http_response_field(c->out, "Retry-After", SLICE("1"));
        return NULL;
    }
    job->request = c->req->id;
    job->source = c->client;
    job->secure = c->secure;
    job->rounds = a->rounds;
    job->make_md5 = a->cfg.wvp_login;
    a->cfg.random(a->cfg.ctx, job->salt, sizeof(job->salt));
    return job;
}

void http_password_job_start(struct http_call *c,
                             struct http_password_job *job)
{
    struct http_app *a = c->app;

    if (job->checks)
        http_auth_login_try(a->auth, &c->client, c->now.mono_ms);
    c->out->kind = HTTP_REPLY_LATER;
    if (send_job(a, job)) {
        memset(job, 0, sizeof(*job));
        gb_put(a->cfg.alloc, job);
        http_answer_fail(c, 503, NULL, "the password cannot be checked now");
    }
}

bool http_login_waits(struct http_call *c)
{
    uint32_t wait_s = http_auth_login_wait(c->app->auth, &c->client,
                                           c->now.mono_ms);

    if (wait_s)
        answer_wait(c, wait_s);
    return wait_s != 0;
}

static void login_done(struct http_app *a, struct http_password_job *job);

/* Nobody's password takes as long to check as anybody's. */
static void put_hash(struct http_app *a, struct login *l)
{
    struct account v;
    struct writer w = writer_of(l->job.hash, sizeof(l->job.hash) - 1);

    if (accounts_find(a->accounts, ACCOUNT_USER, slice_str(l->name), &v)) {
        slice_copy(l->job.hash, sizeof(l->job.hash), v.secret);
        return;
    }
    l->name[0] = '\0';
    writer_f(&w, "pbkdf2-sha256$%u$AAAAAAAAAAAAAAAAAAAAAA$"
                 "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
             (unsigned)a->rounds);
    l->job.hash[w.len] = '\0';
}

void http_login(struct http_call *c)
{
    struct http_app *a = c->app;
    struct slice none = { NULL, 0 };
    struct account v;
    struct login *l;

    if (http_login_waits(c))
        return;
    if (!accounts_next(a->accounts, ACCOUNT_USER, none, &v)) {
        http_answer_fail(c, 403, "login-disabled",
                         "no admin password is set; use the token");
        return;
    }
    l = http_password_job_new(c, sizeof(*l));
    if (!l)
        return;
    if (!read_login(c, l)) {
        gb_put(a->cfg.alloc, l);
        http_answer_fail(c, 400, "bad-body",
                         "the body is {\"name\":\"...\",\"password\":"
                         "\"...\"}; without a name it is admin");
        return;
    }
    put_hash(a, l);
    l->wvp = c->wvp;
    l->job.is_md5 = c->wvp.md5;
    l->job.checks = true;
    l->job.done = login_done;
    http_password_job_start(c, &l->job);
}

static void set_cookie(struct http_response *r, const char *value,
                       unsigned max_age_s, bool secure)
{
    char text[256];
    struct writer w = writer_of(text, sizeof(text));

    writer_f(&w, HTTP_COOKIE "=%s; Path=/; Max-Age=%u; HttpOnly; "
                             "SameSite=Strict%s",
             value, max_age_s, secure ? "; Secure" : "");
    http_response_field(r, "Set-Cookie", writer_slice(&w));
}

static void put_session(struct http_app *a, struct jw *j, uint64_t who)
{
    char text[HTTP_SESSION_TEXT + 1];
    uint8_t random[32];

    a->cfg.random(a->cfg.ctx, random, sizeof(random));
    http_auth_open(a->auth, who, random, http_app_now(a).mono_ms, text);
    jw_put_cstr(j, "access_token", text);
}

void http_session_open(struct http_app *a, struct http_response *r,
                       uint64_t who, bool secure)
{
    char cookie[HTTP_SESSION_TEXT + 1];
    uint8_t random[32];

    a->cfg.random(a->cfg.ctx, random, sizeof(random));
    http_auth_open(a->auth, who, random, http_app_now(a).mono_ms, cookie);
    set_cookie(r, cookie, HTTP_SESSION_LIFE_S, secure);
}

/* The one whose password was right: it may be another one by now. */
static bool still_right(const struct http_app *a, const struct login *l,
                        struct account *v)
{
    return l->job.ok &&
           accounts_find(a->accounts, ACCOUNT_USER, slice_str(l->name), v) &&
           slice_eq(v->secret, slice_str(l->job.hash));
}

static void login_done(struct http_app *a, struct http_password_job *job)
{
    struct login *l = container_of(job, struct login, job);
    struct gb_time now = a->cfg.now(a->cfg.ctx);
    char who[GB_ADDR_TEXT_MAX], line[256];
    struct writer w = writer_of(line, sizeof(line) - 1);
    struct http_response r;
    struct account v;

    http_response_init(&r, a->cfg.alloc);
    http_audit_name(a, job->request, l->name);
    if (still_right(a, l, &v)) {
        struct jw j = jw_to(&r.body);

        http_auth_login_ok(a->auth, &job->source, now.mono_ms);
        r.status = 200;
        r.type = "application/json";
        jw_object(&j);
        jw_put_str(&j, "name", v.name);
        jw_put_cstr(&j, "role", http_role_name(v.role));
        if (l->wvp.shape) /* it shows the session in a header of its own */
            put_session(a, &j, v.id);
        else
            http_session_open(a, &r, v.id, job->secure);
        jw_end(&j);
    } else {
        job->ok = false;
        static const struct http_problem p = {
            .status = 401,
            .code = "wrong-password",
            .detail = "the password is wrong",
        };

        http_answer_problem(&r, &p);
    }
    writer_f(&w, "msg=\"login %s\" user=\"%s\" peer=%s",
             job->ok ? "accepted" : "refused", l->name,
             gb_addr_text(&job->source, who));
    line[w.len] = '\0';
    if (a->cfg.log)
        a->cfg.log(a->cfg.ctx, job->ok ? PLATFORM_INFO : PLATFORM_WARN, line);
    http_wvp_answer(a, &r, &l->wvp);
    http_app_answer(a, job->request, &r);
}

void http_app_password_done(struct http_app *a, struct http_password_job *job)
{
    a->n_password_jobs--;
    job->done(a, job);
    memset(job, 0, sizeof(*job));
    gb_put(a->cfg.alloc, job);
}

void http_logout(struct http_call *c)
{
    struct slice cookie;

    http_auth_close(c->app->auth,
                    http_head_get(c->head, HTTP_HDR_ACCESS_TOKEN));
    if (http_cookie_get(c->head, SLICE(HTTP_COOKIE), &cookie))
        http_auth_close(c->app->auth, cookie);
    http_answer_empty(c, 204);
    set_cookie(c->out, "", 0, c->secure);
}

void http_get_login(struct http_call *c)
{
    struct jw j = http_answer_json(c, 200);

    jw_object(&j);
    jw_put_bool(&j, "in", c->role != HTTP_ROLE_NONE);
    jw_end(&j);
}

void http_get_me(struct http_call *c)
{
    struct slice none = { NULL, 0 };
    struct account v;
    static const char *const vias[] = {
        [HTTP_VIA_NONE] = "none",
        [HTTP_VIA_TOKEN] = "token",
        [HTTP_VIA_COOKIE] = "cookie",
        [HTTP_VIA_OPEN] = "open",
        [HTTP_VIA_SIGNATURE] = "signature",
    };
    struct jw j = http_answer_json(c, 200);

    jw_object(&j);
    if (accounts_by_id(c->app->accounts, c->who, &v))
        jw_put_str(&j, "name", v.name);
    else
        jw_put_null(&j, "name");
    jw_put_cstr(&j, "role", http_role_name(c->role));
    http_scope_write(&j, c->scope);
    jw_put_cstr(&j, "via", vias[c->via]);
    jw_put_bool(&j, "login", accounts_next(c->app->accounts, ACCOUNT_USER,
                                        none, &v));
    jw_put_cstr(&j, "version", c->app->cfg.version ? c->app->cfg.version : "");
    jw_end(&j);
}
