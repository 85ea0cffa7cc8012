/* Pictures on order: who may bring them, what a device announces, what is kept. */
#include "test/http_fixture.h"

#include "app/http/auth.h"

#define ORDER "/api/v1/devices/" D1 "/channels/" C1 "/snapshot"
#define ORDERS "/api/v1/snapshots"
#define PICTURES "/api/v1/pictures"
#define JPEG "\xff\xd8\xff\xe0picture\xff\xd9"
#define JPEG_BYTES (sizeof(JPEG) - 1)

static unsigned stored, removed;
static bool disk_full;

static bool store(void *ctx, const char *name, struct slice bytes)
{
    (void)ctx;
    assert_true(slice_has_prefix(slice_str(name), SLICE(C1 "-")));
    assert_int_equal(http_picture_utc_ms(name), fx.now.utc_ms);
    assert_true(slice_eq(bytes, SLICE(JPEG)));
    stored += !disk_full;
    return !disk_full;
}

static void take_away(void *ctx, const char *name)
{
    (void)ctx;
    (void)name;
    removed++;
}

static int setup(void **state)
{
    fx_setup(state);
    stored = removed = 0;
    disk_full = false;
    fx.app->cfg.picture_store = store;
    fx.app->cfg.picture_remove = take_away;
    fx.app->cfg.pictures_max = 10 * JPEG_BYTES;
    fake.is_2022 = true;
    return 0;
}

/* An order; its SessionID. */
static void order(const char *wanted, char session[static 33])
{
    json_t *j;

    assert_int_equal(ask("POST", ORDER, TOKEN, wanted), 202);
    j = body();
    expect_schema(j, "Snapshot");
    snprintf(session, 33, "%s",
             text_of(j, "session"));
    json_decref(j);
}

/* A picture brought to the URL of an order that is good until then. name: what the
 * camera puts behind its path, behind: behind it all. */
static unsigned bring_as(const char *session, int64_t until_utc_ms,
                         const char *name, const char *behind)
{
    char scope[80], target[512];
    struct writer w = writer_of(target, sizeof(target) - 1);
    unsigned status;

    snprintf(scope, sizeof(scope), "/snapshot/%s", session);
    writer_f(&w, "%s%s?t=", scope, name);
    http_sign(&w, fx.app->cfg.key, slice_str(scope), until_utc_ms / 1000, 0);
    writer_str(&w, behind);
    assert_int_equal(w.err, 0);
    target[w.len] = '\0';
    fx.body = SLICE(JPEG);
    status = ask("POST", target, "Content-Type: image/jpeg\r\n", "");
    fx.body = slice_of(NULL, 0);
    return status;
}

static unsigned bring(const char *session, int64_t until_utc_ms)
{
    return bring_as(session, until_utc_ms, "", "");
}

/* What a device says is done, ids of files behind the SessionID. */
static void announce(const char *device, const char *session, const char *ids)
{
    char text[200];
    struct platform_action a = { .kind = PLATFORM_SNAPSHOT_DONE,
                                 .device = slice_str(device) };

    snprintf(text, sizeof(text), "%s\n%s", session, ids);
    a.text = slice_str(text);
    http_on_action(fx.app, &a);
}

static void expect_state(const char *session, const char *state)
{
    char target[100];
    json_t *j;

    snprintf(target, sizeof(target), ORDERS "/%s", session);
    assert_int_equal(get(target), 200);
    j = body();
    expect_schema(j, "Snapshot");
    assert_string_equal(text_of(j, "state"), state);
    json_decref(j);
}

static void refused(void **state)
{
    static const char *const bad[] = {
        "{\"number\":0}", "{\"number\":11}", "{\"number\":\"1\"}",
        "{\"interval_s\":0}", "{\"interval_s\":3601}", "{\"number\":1.5}",
        "[]", "{", "{\"number\":1,\"number\":2}",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++)
        if (ask("POST", ORDER, TOKEN, bad[i]) != 400)
            fail_msg("%s: %u", bad[i], fx.last.status);
    assert_int_equal(ask("POST", "/api/v1/devices/" "34020000001110000077"
                         "/channels/" C1 "/snapshot", TOKEN, ""), 404);
    fake.set_err = GB_ESTATE;
    assert_int_equal(ask("POST", ORDER, TOKEN, ""), 409);
    fake.set_err = 0;
    fake.is_2022 = false;
    assert_int_equal(ask("POST", ORDER, TOKEN, ""), 409);
    assert_true(body_has("edition"));
    fx.app->cfg.picture_store = NULL;
    assert_int_equal(ask("POST", ORDER, TOKEN, ""), 501);
    assert_int_equal(get(ORDERS), 200); /* none of them has left anything */
    assert_true(body_has("\"total\":0"));
    assert_int_equal(get(ORDERS "/00000000000000000000000000000000"), 404);
    assert_int_equal(get(PICTURES "/none.jpg"), 404);
    assert_int_equal(ask("DELETE", PICTURES "/none.jpg", TOKEN, ""), 404);
}

/* It is finished when so many have come as were ordered, also behind the word of
 * the device; another device's word is none. */
static void until_it_is_whole(void **state)
{
    int64_t until = fx.now.utc_ms + 32000;
    char session[33];

    (void)state;
    order("{\"number\":2}", session);
    expect_state(session, "sent");
    announce(D2, session, "a\nb"); /* another one's */
    announce(D1, "00000000000000000000000000000000", "a\nb");
    expect_state(session, "sent");
    assert_int_equal(bring(session, until), 200);
    announce(D1, session, "a\nb");
    expect_state(session, "partial");
    assert_int_equal(bring(session, until), 200);
    expect_state(session, "finished");
    assert_int_equal(bring(session, until), 409); /* that is all of them */
    assert_int_equal(stored, 2);
}

static void only_by_its_url(void **state)
{
    int64_t until = fx.now.utc_ms + 31000;
    char session[33], other[33], target[100];

    (void)state;
    order("", session);
    order("", other);
    snprintf(target, sizeof(target), "/snapshot/%s", session);
    assert_int_equal(ask("POST", target, "", JPEG), 401);
    assert_int_equal(ask("POST", target, TOKEN, JPEG), 404); /* no camera */
    assert_int_equal(bring("00000000000000000000000000000000", until), 404);
    fx.now.utc_ms += 31001;
    assert_int_equal(bring(session, until), 401); /* its time is over */
    assert_int_equal(bring(session, until + 60000), 404);
    assert_int_equal(stored, 0);
    expect_state(session, "silent");
}

/* A camera may add a name of its own to the URL, wherever; what is signed must be
 * whole. */
static void with_a_name_behind(void **state)
{
    static const struct {
        const char *name, *behind;
    } well[] = { { "/a.jpg", "" },   { "", "/a.jpg" },     { "", "a.jpg" },
                 { "", "?n=a.jpg" }, { "", "&n=a.jpg" },   { "", "/b/a.jpg" },
                 { "/a.jpg", "/a.jpg" } };
    static const char *const ill[] = { "/snapshot/%s/a.jpg",
                                       "/snapshot/%s?t=/a.jpg",
                                       "/snapshot/%s?t=.a.jpg" };
    int64_t until = fx.now.utc_ms + 31000;
    char session[33], target[200];

    (void)state;
    for (size_t i = 0; i < COUNT(well); i++) {
        order("", session);
        if (bring_as(session, until, well[i].name, well[i].behind) != 200)
            fail_msg("%s ... %s", well[i].name, well[i].behind);
    }
    order("", session);
    for (size_t i = 0; i < COUNT(ill); i++) {
        snprintf(target, sizeof(target), ill[i], session);
        assert_int_equal(ask("POST", target, "", JPEG), 401);
    }
    assert_int_equal(bring_as(session, until - 40000, "", "/a.jpg"), 401);
}

/* Where everything is open the signature is not looked at; the order is. */
static void without_authentication(void **state)
{
    int64_t until = fx.now.utc_ms + 31000;
    char session[33];

    (void)state;
    fx.app->cfg.auth = false;
    order("", session);
    assert_int_equal(bring(session, until), 200);
    assert_int_equal(bring(session, until), 409);
    order("", session);
    fx.now.utc_ms += 31001;
    assert_int_equal(bring(session, until), 404);
}

static void refused_by_the_device(void **state)
{
    static const struct platform_command no = {
        .device = SLICE_INIT(D1), .state = PLATFORM_COMMAND_REFUSED };
    struct platform_action a = { .kind = PLATFORM_COMMAND_CHANGED };
    char session[33];

    (void)state;
    order("", session);
    fake.command = &no;
    a.command = fake.n_commands + 1;
    http_on_action(fx.app, &a);
    expect_state(session, "sent");
    a.command = fake.n_commands;
    http_on_action(fx.app, &a);
    expect_state(session, "refused");
    announce(D1, session, "a"); /* it has said no */
    expect_state(session, "refused");
}

/* So many bytes and so many orders: the oldest go first. */
static void the_oldest_make_room(void **state)
{
    int64_t until = fx.now.utc_ms + 40000;
    char first[33], session[33], target[100];

    (void)state;
    order("{\"number\":10}", first);
    for (unsigned i = 0; i < 10; i++)
        assert_int_equal(bring(first, until), 200);
    assert_int_equal(removed, 0);
    order("{\"number\":10}", session);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(bring(session, until), 200);
    assert_int_equal(removed, 3);
    assert_int_equal(get(PICTURES), 200);
    assert_true(body_has("\"total\":10"));
    fx.app->cfg.pictures_max = JPEG_BYTES - 1; /* not even one */
    assert_int_equal(bring(session, until), 507);
    fx.app->cfg.pictures_max = 10 * JPEG_BYTES;
    disk_full = true;
    assert_int_equal(bring(session, until), 507);
    for (unsigned i = 0; i < HTTP_SNAPSHOTS_MAX; i++)
        order("", session);
    snprintf(target, sizeof(target), ORDERS "/%s", first);
    assert_int_equal(get(target), 404);
    assert_int_equal(get(ORDERS), 200);
    assert_true(body_has("\"total\":64"));
}

/* The n-th allocation fails: an order or 503, and nothing is left. */
static void no_memory(void **state)
{
    unsigned status;
    unsigned long n = 0;

    (void)state;
    do {
        fx.mem.fail_at = fx.mem.calls + ++n;
        status = ask("POST", ORDER, TOKEN, "");
        fx.mem.fail_at = 0;
        if (status != 202 && status != 503)
            fail_msg("allocation %lu: %u %s", n, status, fx.last.body);
    } while (status != 202);
    assert_true(n > 1);
}

/* Of before a restart: what is there besides is none of ours. */
static void names(void **state)
{
    static const struct {
        const char *name;
        int64_t utc_ms;
    } cases[] = {
        { C1 "-1700000000000-1-0a1b2c3d.jpg", 1700000000000 },
        { C1 "-1700000000000-1-0a1b2c3d.png", 1700000000000 },
        { C1 "-1700000000000.jpg", 0 }, { C1 "-soon-1-aa.jpg", 0 },
        { C1 "--1-aa.jpg", 0 }, { "notes.txt", 0 }, { "", 0 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        if (http_picture_utc_ms(cases[i].name) != cases[i].utc_ms)
            fail_msg("%s", cases[i].name);
}

int main(void)
{
#define APP(f) cmocka_unit_test_setup_teardown(f, setup, fx_teardown)
    const struct CMUnitTest tests[] = {
        APP(refused), APP(until_it_is_whole), APP(only_by_its_url),
        APP(with_a_name_behind),
        APP(without_authentication),
        APP(refused_by_the_device), APP(the_oldest_make_room), APP(no_memory),
        APP(names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
