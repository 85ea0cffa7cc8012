/* What people set over the API: devices, groups, pending ids, CSV; and when it
 * is answered. */
#include "test/http_fixture.h"

/* Each key, and null, as the platform gets them. */
static void patch_device(void **state)
{
    static const struct {
        const char *body;
        unsigned status;
        struct platform_settings want;
    } cases[] = {
        { "{}", 200, { .set = 0 } },
        { "{\"password\":\"s3cret\"}", 200,
          { .set = PLATFORM_SET_PASSWORD, .password = S("s3cret") } },
        { "{\"password\":null}", 200, { .set = PLATFORM_SET_PASSWORD } },
        { "{\"name\":\"\u5927\u95e8\"}", 200,
          { .set = PLATFORM_SET_NAME, .name = S("\xe5\xa4\xa7\xe9\x97\xa8") } },
        { "{\"date\":\"off\"}", 200,
          { .set = PLATFORM_SET_DATE, .date = 1 + PLATFORM_DATE_OFF } },
        { "{\"date\":\"utc\"}", 200,
          { .set = PLATFORM_SET_DATE, .date = 1 + PLATFORM_DATE_UTC } },
        { "{\"date\":null}", 200, { .set = PLATFORM_SET_DATE } },
        { "{\"edition\":\"2022\"}", 200,
          { .set = PLATFORM_SET_EDITION, .edition = 4 } },
        { "{\"edition\":\"2011\"}", 200,
          { .set = PLATFORM_SET_EDITION, .edition = 1 } },
        { "{\"edition\":\"auto\"}", 200, { .set = PLATFORM_SET_EDITION } },
        { "{\"require\":\"ignore\"}", 200,
          { .set = PLATFORM_SET_REQUIRE, .ignore_require = true } },
        { "{\"digest\":[\"sha256\",\"MD5\"]}", 200,
          { .set = PLATFORM_SET_DIGEST, .digest = 1u << 3 | 1u << 1 } },
        { "{\"subscribe\":{\"catalog\":true,\"alarm\":false,"
          "\"ptz\":60}}", 200,
          { .set = PLATFORM_SET_SUBSCRIBE, .subscribe_kinds = 11,
            .subscribe = { { 600, UINT32_MAX, 0, 60 } } } },
        { "{\"subscribe\":{\"position\":null}}", 200,
          { .set = PLATFORM_SET_SUBSCRIBE, .subscribe_kinds = 4 } },
        { "{\"subscribe\":null}", 200,
          { .set = PLATFORM_SET_SUBSCRIBE, .subscribe_kinds = 15 } },
        { "{\"subscribe\":7}", 400, { 0 } },
        { "{\"subscribe\":{\"audio\":true}}", 400, { 0 } },
        { "{\"subscribe\":{\"alarm\":59}}", 400, { 0 } },
        { "{\"subscribe\":{\"alarm\":86401}}", 400, { 0 } },
        { "{\"subscribe\":{\"alarm\":\"yes\"}}", 400, { 0 } },
        { "{\"digest\":\"sm3\",\"media\":\"tcp-passive\"}", 200,
          { .set = PLATFORM_SET_DIGEST | PLATFORM_SET_MEDIA,
            .digest = 1u << 5, .media = PLATFORM_TCP_PASSIVE } },
        { "", 400, { 0 } },
        { "[]", 400, { 0 } },
        { "{\"pasword\":\"x\"}", 400, { 0 } },
        { "{\"password\":7}", 400, { 0 } },
        { "{\"password\":\"a\\nb\"}", 400, { 0 } },
        { "{\"password\":\"0123456789012345678901234567890123456789"
          "0123456789012345678901234\"}", 400, { 0 } },
        { "{\"edition\":\"2010\"}", 400, { 0 } },
        { "{\"digest\":[\"md4\"]}", 400, { 0 } },
        { "{\"digest\":[7]}", 400, { 0 } },
        { "{\"group\":\"nobody\"}", 400, { 0 } },
        { "{\"require\":\"maybe\"}", 400, { 0 } },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct platform_settings *w = &cases[i].want, *s = &fake.set;
        unsigned status;

        memset(&fake.set, 0xee, sizeof(fake.set));
        status = ask("PATCH", "/api/v1/devices/" D1, TOKEN, cases[i].body);
        if (status != cases[i].status)
            fail_msg("%s: %u %s", cases[i].body, status, fx.last.body);
        if (status != 200)
            continue;
        if (s->set != w->set || s->date != w->date ||
            s->edition != w->edition || s->digest != w->digest ||
            s->ignore_require != w->ignore_require || s->media != w->media ||
            (w->set & PLATFORM_SET_SUBSCRIBE &&
             (s->subscribe_kinds != w->subscribe_kinds ||
              memcmp(&s->subscribe, &w->subscribe, sizeof(s->subscribe)))) ||
            !slice_eq(slice_str(fake.password), w->password) ||
            !slice_eq(slice_str(fake.given_name), w->name))
            fail_msg("%s", cases[i].body);
        assert_false(body_has("s3cret")); /* it never comes out */
    }
}

/* Which value is wrong and what it may be, and what is not there. */
static void refusals_name_it(void **state)
{
    (void)state;
    assert_int_equal(ask("PATCH", "/api/v1/devices/" D1, TOKEN,
                         "{\"edition\":\"2030\"}"), 400);
    assert_true(body_has("edition is auto, 2011, 2014, 2016, 2022 or null"));
    assert_true(body_has("\"detail_zh\":\"edition "));
    object("/api/v1/devices/" D1, "Device");
    assert_true(body_has("\"has_password\":false"));
    assert_int_equal(ask("PATCH", "/api/v1/devices/x", TOKEN, "{}"), 404);
    assert_true(body_has("\"evidence\":\"asked for x\","
                         "\"evidence_zh\":\"请求的是 x\",\"hint\":"));
    assert_int_equal(get("/api/v1/groups/no%20where"), 404);
    assert_true(body_has("\"asked for no where\""));
}

static void new_devices(void **state)
{
    static const struct {
        int err;
        unsigned status;
    } errs[] = {
        { GB_EEXIST, 409 }, { GB_ESYNTAX, 400 }, { GB_EAUTH, 409 },
        { GB_ELIMIT, 409 }, { GB_ENOMEM, 503 },
    };

    (void)state;
    assert_int_equal(ask("POST", "/api/v1/devices", TOKEN, "{}"), 400);
    assert_int_equal(ask("POST", "/api/v1/devices", TOKEN,
                         "{\"id\":\"34020000001320000077\","
                         "\"password\":\"own\"}"), 201);
    assert_string_equal(fake.created, "34020000001320000077");
    assert_string_equal(fake.password, "own");
    assert_true(body_has("\"has_password\":true"));
    for (size_t i = 0; i < COUNT(errs); i++) {
        fake.set_err = errs[i].err;
        assert_int_equal(ask("POST", "/api/v1/devices", TOKEN,
                             "{\"id\":\"34020000001320000078\"}"),
                         errs[i].status);
    }
}

static void pending_in_and_out(void **state)
{
    static const char id[] = "34020000001320000055";

    (void)state;
    fake.pending[fake.n_pending++] =
        (struct platform_pending){ .id = slice_str(id), .first_utc_ms = 1 };
    assert_int_equal(ask("POST", "/api/v1/pending/x/accept", TOKEN, ""), 404);
    assert_int_equal(ask("POST", "/api/v1/pending/34020000001320000055/accept",
                         TOKEN, ""), 201);
    assert_true(body_has("\"id\":\"34020000001320000055\""));
    assert_int_equal(ask("POST", "/api/v1/pending/34020000001320000055/accept",
                         TOKEN, ""), 404);
    fake.pending[fake.n_pending++] =
        (struct platform_pending){ .id = slice_str(id), .first_utc_ms = 1 };
    assert_int_equal(ask("DELETE", "/api/v1/pending/34020000001320000055",
                         TOKEN, ""), 204);
    assert_int_equal(ask("DELETE", "/api/v1/pending/34020000001320000055",
                         TOKEN, ""), 404);
}

static void groups(void **state)
{
    (void)state;
    assert_int_equal(get("/api/v1/groups"), 200);
    assert_true(body_has("\"total\":0"));
    assert_int_equal(ask("POST", "/api/v1/groups", TOKEN, "{}"), 400);
    assert_int_equal(ask("POST", "/api/v1/groups", TOKEN,
                         "{\"name\":\"a/b\"}"), 400);
    assert_int_equal(ask("POST", "/api/v1/groups", TOKEN,
                         "{\"name\":\".\"}"), 400);
    assert_int_equal(ask("POST", "/api/v1/groups", TOKEN,
                         "{\"name\":\"north gate\","
                         "\"password\":\"gr0up\"}"), 201);
    assert_string_equal(fake.group[0].password, "gr0up");
    assert_false(body_has("gr0up"));
    assert_int_equal(ask("POST", "/api/v1/groups", TOKEN,
                         "{\"name\":\"north gate\"}"), 409);
    list_of("/api/v1/groups", "Group");
    object("/api/v1/groups/north%20gate", "Group");
    assert_true(body_has("\"has_password\":true"));
    assert_int_equal(ask("PATCH", "/api/v1/devices/" D1, TOKEN,
                         "{\"group\":\"north gate\"}"), 200);
    assert_string_equal(fake.group_of, "north gate");
    assert_int_equal(ask("PATCH", "/api/v1/groups/north%20gate", TOKEN,
                         "{\"name\":\"x\"}"), 400);
    assert_int_equal(ask("PATCH", "/api/v1/groups/north%20gate", TOKEN,
                         "{\"password\":null}"), 200);
    assert_true(body_has("\"has_password\":false"));
    assert_int_equal(ask("PATCH", "/api/v1/groups/x", TOKEN, "{}"), 404);
    assert_int_equal(ask("PATCH", "/api/v1/groups/north%20gate", TOKEN,
                         "{\"subscribe\":{\"alarm\":true}}"), 200);
    assert_int_equal(fake.group_kinds, 2);
    assert_int_equal(fake.group_policy.s[1], 3600);
    assert_int_equal(ask("PATCH", "/api/v1/groups/north%20gate", TOKEN,
                         "{\"subscribe\":true}"), 400);
    assert_int_equal(ask("DELETE", "/api/v1/groups/north%20gate", TOKEN, ""),
                     204);
    assert_int_equal(ask("DELETE", "/api/v1/groups/north%20gate", TOKEN, ""),
                     404);
    assert_int_equal(get("/api/v1/groups/north%20gate"), 404);
}

static void tag_of(char out[static TAG_BYTES], const char *target)
{
    assert_int_equal(get(target), 200);
    last_tag(out);
}

/* Two people who have read the same: the second to send learns it, and changes
 * nothing; without If-Match it is as ever. What a device does is no change. */
static void second_one_is_told(void **state)
{
    static const struct {
        const char *target, *first, *second;
    } cases[] = {
        { "/api/v1/devices/" D1, "{\"arm\":\"on\"}", "{\"name\":\"x\"}" },
        { "/api/v1/groups/yard", "{\"password\":\"other\"}",
          "{\"subscribe\":{\"alarm\":60}}" },
    };
    char fields[256], tag[TAG_BYTES], later[TAG_BYTES];

    (void)state;
    assert_int_equal(ask("POST", "/api/v1/groups", TOKEN,
                         "{\"name\":\"yard\"}"), 201);
    for (size_t i = 0; i < COUNT(cases); i++) {
        const char *target = cases[i].target;

        tag_of(tag, target);
        fake.device[0].keepalive_utc_ms += 60000;
        fake.device[0].online = !fake.device[0].online;
        tag_of(later, target);
        assert_string_equal(later, tag);
        snprintf(fields, sizeof(fields), TOKEN "If-Match: %s\r\n", tag);
        memset(&fake.set, 0, sizeof(fake.set));
        assert_int_equal(ask("PATCH", target, fields, cases[i].first), 200);
        if (i == 0) {
            assert_int_equal(fake.set.set, PLATFORM_SET_ARM);
            fake.device[0].arm = true;
        }
        fake.set.set = 0;
        assert_int_equal(ask("PATCH", target, fields, cases[i].second), 412);
        assert_true(body_has("\"code\":\"changed-meanwhile\""));
        assert_true(body_has("\"hint_zh\":"));
        assert_int_equal(fake.set.set, 0);
        assert_int_equal(ask("DELETE", target, fields, ""), 412);
        tag_of(tag, target);
        snprintf(fields, sizeof(fields), TOKEN "If-Match: \"x\", %s\r\n", tag);
        assert_int_equal(ask("PATCH", target, fields, cases[i].second), 200);
        assert_int_equal(ask("PATCH", target, TOKEN, cases[i].second), 200);
        assert_int_equal(ask("PATCH", target, TOKEN "If-Match: *\r\n",
                             cases[i].second), 200);
        tag_of(tag, target);
        snprintf(fields, sizeof(fields), TOKEN "If-Match: %s\r\n", tag);
        assert_int_equal(ask("DELETE", target, fields, ""), 204);
    }
    assert_int_equal(ask("PATCH", "/api/v1/devices/x",
                         TOKEN "If-Match: \"x\"\r\n", "{}"), 404);
}

/* A password for another one is a change, though nobody is shown it; that a device
 * tells another name of itself is none. */
static void what_is_a_change(void **state)
{
    static const char *const targets[] = { "/api/v1/devices/" D1,
                                           "/api/v1/groups/yard" };
    char fields[256], tag[TAG_BYTES], later[TAG_BYTES];

    (void)state;
    assert_int_equal(ask("POST", "/api/v1/groups", TOKEN,
                         "{\"name\":\"yard\"}"), 201);
    for (size_t i = 0; i < COUNT(targets); i++) {
        assert_int_equal(ask("PATCH", targets[i], TOKEN,
                             "{\"password\":\"first one\"}"), 200);
        tag_of(tag, targets[i]);
        snprintf(fields, sizeof(fields), TOKEN "If-Match: %s\r\n", tag);
        assert_int_equal(ask("PATCH", targets[i], fields,
                             "{\"password\":\"second one\"}"), 200);
        assert_int_equal(ask("PATCH", targets[i], fields,
                             "{\"password\":\"third one\"}"), 412);
    }
    fake.device[0].own_name = fake.device[0].name;
    tag_of(tag, targets[0]);
    fake.device[0].name = fake.device[0].own_name = SLICE("as it says");
    tag_of(later, targets[0]);
    assert_string_equal(later, tag);
}

/* With a store that says when it has what was set. */
static void with_a_store(void)
{
    struct http_app_config cfg = fx_config();

    http_app_free(fx.app);
    cfg.commits = true;
    fx_open(&cfg);
    assert_int_equal(http_app_commits(fx.app), 0);
}

/* What was set is answered when the store has it, in the order of asking. */
static void settings_wait_for_the_store(void **state)
{
    static const struct {
        const char *method, *target, *body;
        unsigned status;
    } cases[] = {
        { "PATCH", "/api/v1/devices/" D1, "{\"name\":\"x\"}", 200 },
        { "POST", "/api/v1/devices", "{\"id\":\"34020000001320000077\"}", 201 },
        { "POST", "/api/v1/pending/34020000001320000055/accept", "", 201 },
        { "POST", "/api/v1/groups", "{\"name\":\"north\"}", 201 },
        { "PATCH", "/api/v1/groups/north", "{\"password\":\"x\"}", 200 },
        { "DELETE", "/api/v1/groups/north", "", 204 },
        { "POST", "/api/v1/devices.csv", "id,name\n" D1 ",y\n", 200 },
        { "DELETE", "/api/v1/devices/" D2, "", 204 },
    };
    unsigned given;

    (void)state;
    with_a_store();
    for (size_t i = 0; i < 2 * COUNT(cases); i++) {
        size_t k = i / 2;
        bool fails = i % 2;

        if (k == 2 && !fake.n_pending)
            fake.pending[fake.n_pending++] = (struct platform_pending){
                .id = SLICE("34020000001320000055"), .first_utc_ms = 1 };
        if (k == 3)
            fake.group[0].name[0] = '\0';
        if (k == 5)
            platform_group_set(NULL, SLICE("north"), NULL, fx.now);
        if (k == 1 || k == 7 || k == 2)
            fake.n_devices = 2; /* as at first */
        given = fx.n_answers;
        if (ask(cases[k].method, cases[k].target, TOKEN, cases[k].body) != 0)
            fail_msg("%s %s: %u %s", cases[k].method, cases[k].target,
                     fx.last.status, fx.last.body);
        assert_int_equal(http_app_commits(fx.app), i + 1);
        http_app_committed(fx.app, i, 0); /* what came before it */
        assert_int_equal(fx.n_answers, given);
        http_app_committed(fx.app, i + 1, fails ? GB_EIO : 0);
        assert_int_equal(fx.n_answers, given + 1);
        assert_int_equal(fx.last.request, fx.next_request);
        if (fx.last.status != (fails ? 503u : cases[k].status))
            fail_msg("%s %s: %u", cases[k].method, cases[k].target,
                     fx.last.status);
        if (fails)
            assert_true(body_has("\"code\":\"not-stored\"") &&
                        body_has("\"step\":\"store\""));
    }
}

static void a_refusal_does_not_wait(void **state)
{
    (void)state;
    with_a_store();
    assert_int_equal(ask("PATCH", "/api/v1/devices/x", TOKEN, "{}"), 404);
    assert_int_equal(http_app_commits(fx.app), 0);
}

/* Two wait, and the first of them leaves. */
static void a_client_that_goes_before_the_store_says(void **state)
{
    uint64_t first;
    unsigned given;

    (void)state;
    with_a_store();
    ask("PATCH", "/api/v1/devices/" D1, TOKEN, "{}");
    first = fx.next_request;
    ask("PATCH", "/api/v1/devices/" D1, TOKEN, "{}");
    http_app_gone(fx.app, first);
    given = fx.n_answers;
    http_app_committed(fx.app, UINT64_MAX, 0);
    assert_int_equal(fx.n_answers, given + 1);
}

/* No memory to keep the answer with: said, not hoped. */
static void a_wait_without_memory(void **state)
{
    (void)state;
    with_a_store();
    fx.mem.fail_at = 0;
    for (unsigned long n = 1; n < 40; n++) {
        unsigned status;

        fx.mem.calls = 0;
        fx.mem.fail_at = n;
        status = ask("DELETE", "/api/v1/groups/none", TOKEN, "");
        fx.mem.fail_at = 0;
        assert_true(status == 404 || status == 503 || status == 500);
        fx.mem.calls = 0;
        fx.mem.fail_at = n;
        status = ask("PATCH", "/api/v1/devices/" D1, TOKEN, "{}");
        fx.mem.fail_at = 0;
        assert_true(status == 0 || status == 503);
    }
}

/* It is let go with the application. */
static void a_wait_at_the_end(void **state)
{
    (void)state;
    with_a_store();
    assert_int_equal(ask("PATCH", "/api/v1/devices/" D1, TOKEN, "{}"), 0);
}

static void csv_out(void **state)
{
    (void)state;
    fake.device[0].own_name = fake.device[0].name;
    fake.device[1].name = SLICE("a \"b\", c");
    fake.device[1].own_name = SLICE("=cmd()");
    fake.device[1].arm = true;
    fake.device[1].media = PLATFORM_UDP;
    assert_int_equal(get("/api/v1/devices.csv"), 200);
    assert_true(body_has("\xef\xbb\xbfid,name,group,media,arm,edition,"));
    assert_true(body_has("\r\n" D1 ",,,,,,,,true,North gate,,,,"
                         "192.0.2.7:5060,2\r\n"));
    assert_true(body_has("\r\n" D2 ",\"a \"\"b\"\", c\",,udp,on,,,,false,"
                         "'=cmd(),"));
}

/* What is too much for one answer ends with a link to the rest. */
static void csv_out_in_pieces(void **state)
{
    enum { LARGE = 9 << 20 };
    static char name[LARGE];

    (void)state;
    memset(name, 'n', sizeof(name));
    assert_int_equal(get("/api/v1/devices.csv"), 200);
    assert_false(text_has(fx.last.fields, "Link:"));
    fake.device[0].own_name = slice_of(name, sizeof(name));
    assert_int_equal(get("/api/v1/devices.csv"), 200);
    assert_true(text_has(fx.last.fields, "Link: </api/v1/devices.csv?cursor="
                                         D1 ">; rel=\"next\"\r\n"));
    assert_false(body_has("\r\n" D2 ","));
    assert_int_equal(get("/api/v1/devices.csv?cursor=" D1), 200);
    assert_true(body_has("\xef\xbb\xbfid,name,"));
    assert_true(body_has("\r\n" D2 ","));
    assert_false(body_has("\r\n" D1 ","));
    assert_false(text_has(fx.last.fields, "Link:"));
}

static void csv_in(void **state)
{
    static const struct {
        const char *text;
        unsigned status;
        int created, updated, failed;
        const char *why;
    } cases[] = {
        { "id,name\n34020000001180000009,North\n", 200, 1, 0, 0, NULL },
        { "ID,name,online\r\n" D1 ",x,true\r\n", 200, 0, 1, 0, NULL },
        { "id,arm\n34020000001180000009,maybe\n", 200, 0, 0, 1,
          "arm is off, on or null" },
        { "id,name\n,x\n", 200, 0, 0, 1, "id is missing" },
        { "id,name\n\"x,y\n", 200, 0, 0, 1, "a quote is missing" },
        { "id,group\n34020000001180000009,none\n", 200, 0, 0, 1,
          "no such group" },
        { "name\nx\n", 400, 0, 0, 0, NULL },
        { "id,id\nx,y\n", 400, 0, 0, 0, NULL },
        { "id,colour\nx,y\n", 400, 0, 0, 0, NULL },
        { "", 400, 0, 0, 0, NULL },
    };
    json_t *j;

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        unsigned status = ask("POST", "/api/v1/devices.csv", TOKEN,
                              cases[i].text);

        if (status != cases[i].status)
            fail_msg("%s: %u %s", cases[i].text, status, fx.last.body);
        if (status != 200)
            continue;
        j = body();
        expect_schema(j, "Import");
        if (number_of(j, "created") !=
                cases[i].created ||
            number_of(j, "updated") !=
                cases[i].updated ||
            number_of(j, "failed") !=
                cases[i].failed ||
            (cases[i].why && !body_has(cases[i].why)))
            fail_msg("%s: %s", cases[i].text, fx.last.body);
        json_decref(j);
    }
    /* what is wrong is told in both languages */
    assert_int_equal(ask("POST", "/api/v1/devices.csv", TOKEN,
                         "id,name\n12,bad\n13,\"x\n"), 200);
    assert_true(body_has("\"line\":3,\"id\":\"\",\"why\":"
                         "\"a quote is missing\",\"why_zh\":\"缺少引号\""));
    /* as a spreadsheet of a Chinese system saves it */
    assert_int_equal(ask("POST", "/api/v1/devices.csv", TOKEN,
                         "id,name\n34020000001180000009,\xb1\xb1\xc3\xc5\n"),
                     200);
    assert_string_equal(fake.given_name, "北门");
}

/* Why a line was not taken, in the platform's place. */
static void csv_that_the_platform_refuses(void **state)
{
    static const struct {
        int err;
        const char *why;
    } cases[] = {
        { GB_EAUTH, "sip.allow_ids and sip.deny_ids keep this id out" },
        { GB_ELIMIT, "there is no room for another device" },
        { GB_ESYNTAX, "an id has 18 to 20 digits" },
        { GB_ENOMEM, "arena or pool is exhausted" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        fake.set_err = cases[i].err;
        assert_int_equal(ask("POST", "/api/v1/devices.csv", TOKEN,
                             "id,name\n34020000001180000009,North\n"), 200);
        if (!body_has(cases[i].why) || !body_has("\"failed\":1"))
            fail_msg("%s: %s", cases[i].why, fx.last.body);
    }
}

int main(void)
{
#define APP(f) cmocka_unit_test_setup_teardown(f, fx_setup, fx_teardown)
    const struct CMUnitTest tests[] = {
        APP(patch_device),
        APP(refusals_name_it),
        APP(new_devices),
        APP(pending_in_and_out),
        APP(groups),
        APP(second_one_is_told),
        APP(what_is_a_change),
        APP(settings_wait_for_the_store),
        APP(a_refusal_does_not_wait),
        APP(a_client_that_goes_before_the_store_says),
        APP(a_wait_without_memory),
        APP(a_wait_at_the_end),
        APP(csv_out),
        APP(csv_out_in_pieces),
        APP(csv_in),
        APP(csv_that_the_platform_refuses),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
