/* Login, logout, who am I. */
#include "app/http/api.h"

#include <jansson.h>

/* The password of a JSON or form body; false: none. */
static bool read_password(struct http_call *c, struct http_password_job *job)
{
    struct slice body = slice_trim(c->req->body), value;
    json_t *root, *v;
    bool ok;

    if (body.n == 0)
        return false;
    if (body.p[0] != '{') {
        if (http_query_get(body, SLICE("password"), job->password,
                           sizeof(job->password), &value))
            return false;
        job->n_password = value.n;
        return true;
    }
    root = json_loadb(body.p, body.n, JSON_REJECT_DUPLICATES, NULL);
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

void http_login(struct http_call *c)
{
    struct http_app *a = c->app;
    uint32_t wait_s = http_auth_login_wait(a->auth, &c->client,
                                           c->now.mono_ms);
    struct http_password_job *job;

    if (wait_s) {
        answer_wait(c, wait_s);
        return;
    }
    if (!a->cfg.admin_password_hash) {
        http_answer_fail(c, 403, "login-disabled",
                         "no admin password is set; use the token");
        return;
    }
    job = a->n_password_jobs < HTTP_PASSWORD_JOBS_MAX
              ? gb_get(a->cfg.alloc, sizeof(*job))
              : NULL;
    if (!job) {
        http_answer_fail(c, 503, NULL, "too many logins at once");
        http_response_field(c->out, "Retry-After", SLICE("1"));
        return;
    }
    if (!read_password(c, job)) {
        gb_put(a->cfg.alloc, job);
        http_answer_fail(c, 400, "bad-body",
                         "the body is {\"password\":\"...\"}");
        return;
    }
    job->request = c->req->id;
    job->source = c->client;
    job->secure = c->secure;
    slice_copy(job->hash, sizeof(job->hash),
               slice_str(a->cfg.admin_password_hash));
    http_auth_login_try(a->auth, &c->client, c->now.mono_ms);
    c->out->kind = HTTP_REPLY_LATER;
    if (send_job(a, job)) {
        gb_put(a->cfg.alloc, job);
        http_answer_fail(c, 503, NULL, "the password cannot be checked now");
    }
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

void http_app_password_done(struct http_app *a, struct http_password_job *job)
{
    struct gb_time now = a->cfg.now(a->cfg.ctx);
    struct http_response r;
    uint8_t random[32];
    char cookie[HTTP_SESSION_TEXT + 1], who[GB_ADDR_TEXT_MAX], line[128];
    struct writer w = writer_of(line, sizeof(line) - 1);

    http_response_init(&r, a->cfg.alloc);
    if (job->ok) {
        struct jw j = jw_to(&r.body);

        http_auth_login_ok(a->auth, &job->source, now.mono_ms);
        a->cfg.random(a->cfg.ctx, random, sizeof(random));
        http_auth_open(a->auth, HTTP_ROLE_ADMIN, random, now.mono_ms, cookie);
        r.status = 200;
        r.type = "application/json";
        set_cookie(&r, cookie, HTTP_SESSION_LIFE_S, job->secure);
        jw_object(&j);
        jw_put_cstr(&j, "role", "admin");
        jw_end(&j);
    } else {
        static const struct http_problem p = {
            .status = 401,
            .code = "wrong-password",
            .detail = "the password is wrong",
        };

        http_answer_problem(&r, &p);
    }
    writer_f(&w, "msg=\"login %s\" peer=%s", job->ok ? "accepted" : "refused",
             gb_addr_text(&job->source, who));
    line[w.len] = '\0';
    if (a->cfg.log)
        a->cfg.log(a->cfg.ctx, job->ok ? PLATFORM_INFO : PLATFORM_WARN, line);
    a->n_password_jobs--;
    http_app_answer(a, job->request, &r);
    memset(job, 0, sizeof(*job));
    gb_put(a->cfg.alloc, job);
}

void http_logout(struct http_call *c)
{
    struct slice cookie;

    if (http_cookie_get(c->head, SLICE(HTTP_COOKIE), &cookie))
        http_auth_close(c->app->auth, cookie);
    http_answer_empty(c, 204);
    set_cookie(c->out, "", 0, c->secure);
}

void http_get_me(struct http_call *c)
{
    static const char *const roles[] = {
        [HTTP_ROLE_NONE] = "none",
        [HTTP_ROLE_VIEWER] = "viewer",
        [HTTP_ROLE_OPERATOR] = "operator",
        [HTTP_ROLE_ADMIN] = "admin",
    };
    static const char *const vias[] = {
        [HTTP_VIA_NONE] = "none",
        [HTTP_VIA_TOKEN] = "token",
        [HTTP_VIA_COOKIE] = "cookie",
        [HTTP_VIA_OPEN] = "open",
        [HTTP_VIA_SIGNATURE] = "signature",
    };
    struct jw j = http_answer_json(c, 200);

    jw_object(&j);
    jw_put_cstr(&j, "role", roles[c->role]);
    jw_put_cstr(&j, "via", vias[c->via]);
    jw_put_bool(&j, "login", c->app->cfg.admin_password_hash != NULL);
    jw_put_cstr(&j, "version", c->app->cfg.version ? c->app->cfg.version : "");
    jw_end(&j);
}
