/* test/http_accounts.h - users and tokens of the fixture's application: how
 * they are made and log in, and a token that sees a part */
#ifndef TEST_HTTP_ACCOUNTS_H
#define TEST_HTTP_ACCOUNTS_H

#include "test/http_fixture.h"

#define USERS "/api/v1/users"
#define TOKENS "/api/v1/tokens"
#define C3 "34020000001310000009" /* of D2 */
#define PART "{\"name\":\"part\",\"role\":\"operator\","                      \
             "\"scope\":{\"devices\":[\"" D1 "\"],\"groups\":[\"yard\"]}}"
#define XRW "X-Requested-With: x\r\n"

/* The password that an answer waits for is hashed. */
static inline unsigned hashed(void)
{
    struct http_password_job *job = fx.job;

    assert_non_null(job);
    fx.job = NULL;
    http_password_job_run(job);
    http_app_password_done(fx.app, job);
    return fx.last.status;
}

/* ask, with the hash that it may wait for. */
static inline unsigned act(const char *method, const char *target,
                           const char *fields, const char *text)
{
    unsigned status = ask(method, target, fields, text);

    return status ? status : hashed();
}

/* What a log-in has set, as fields of requests. */
static inline void cookie_of(char out[static 160])
{
    struct slice f = slice_str(fx.last.fields), line;

    f = slice_from(f, slice_find_slice(f, SLICE("Set-Cookie: ")) + 12);
    slice_cut(&f, ';', &line);
    snprintf(out, 160, "Cookie: %.*s\r\n" XRW, SLICE_ARG(line));
}

/* The status; at 200 the cookie too. */
static inline unsigned log_in(const char *name, const char *password,
                              char cookie[static 160])
{
    char text[256];
    unsigned status;

    snprintf(text, sizeof(text), "{\"name\":\"%s\",\"password\":\"%s\"}", name,
             password);
    fx.now.mono_ms += 61000; /* no rate is meant here */
    status = act("POST", "/api/v1/login", "", text);
    if (status == 200)
        cookie_of(cookie);
    return status;
}

/* A token as a field of requests. */
static inline void token_of(const char *text, char field[static 160])
{
    json_t *j;
    bool makes = !*fake.group[3].name;

    if (makes) /* what the scopes of the tests name */
        strcpy(fake.group[3].name, "yard");
    assert_int_equal(act("POST", TOKENS, TOKEN, text), 201);
    if (makes)
        *fake.group[3].name = '\0';
    j = body();
    snprintf(field, 160, "Authorization: Bearer %s\r\n",
             json_string_value(json_object_get(j, "token")));
    expect_schema(j, "Token");
    json_decref(j);
}
#endif
