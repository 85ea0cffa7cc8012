/* app/platform/hooks: queues, signatures and retries of webhooks, in virtual
 * time */
#include "app/platform/hooks.h"
#include "test/support.h"

#include <stdio.h>

#define URL "http://10.0.0.5:8080/in?x=1"

static struct hooks *h;
static struct failing_alloc mem;
static struct gb_time now;

static void begin(bool tls)
{
    const struct hooks_config cfg = { .alloc = &mem.alloc, .seed = { 7 },
                                      .boot = 0xabc, .agent = "gb28181d/test",
                                      .tls = tls };

    failing_alloc_init(&mem, 0);
    now = (struct gb_time){ 1000, 1700000000000 };
    assert_int_equal(hooks_new(&h, &cfg), 0);
}

static void end(void)
{
    hooks_free(h);
    assert_int_equal(mem.live, 0);
}

static int set(const char *name, const char *url, const char *secret,
               unsigned kinds)
{
    const struct hook_settings s = { .name = slice_str(name),
                                     .url = slice_str(url),
                                     .secret = slice_str(secret),
                                     .kinds = kinds };

    return hooks_set(h, &s, now);
}

static struct hook_view view(const char *name)
{
    struct hook_view v;

    if (!hooks_view(h, slice_str(name), now, &v))
        fail_msg("no hook %s", name);
    return v;
}

static struct hooks_call called(void)
{
    struct hooks_call c;

    if (!hooks_call(h, now, &c))
        fail_msg("no call is due");
    return c;
}

static bool is_quiet(void)
{
    struct hooks_call c;

    return !hooks_call(h, now, &c);
}

static void result(uint64_t id, unsigned status, uint32_t after_s)
{
    const struct hooks_result r = { .status = status,
                                    .why = "connection refused",
                                    .retry_after_s = after_s };

    hooks_result(h, id, &r, now);
}

static bool has(struct slice s, const char *text)
{
    return slice_find_slice(s, slice_str(text)) < s.n;
}

static void urls(void **state)
{
    static const struct {
        const char *url;
        int err;
        const char *host;
        uint16_t port;
        const char *path;
    } cases[] = {
        { "http://a.b/c?d", 0, "a.b", 80, "/c?d" },
        { "HTTPS://a-b_1", 0, "a-b_1", 443, "" },
        { "http://[::1]:81/", 0, "::1", 81, "/" },
        { "http://10.1.2.3:65535?q", 0, "10.1.2.3", 65535, "?q" },
        { "http://", GB_ESYNTAX, NULL, 0, NULL },
        { "ftp://a/", GB_ESYNTAX, NULL, 0, NULL },
        { "http:a", GB_ESYNTAX, NULL, 0, NULL },
        { "http://a:0/", GB_ESYNTAX, NULL, 0, NULL },
        { "http://a:65536/", GB_ESYNTAX, NULL, 0, NULL },
        { "http://a:/", GB_ESYNTAX, NULL, 0, NULL },
        { "http://u@a/", GB_ESYNTAX, NULL, 0, NULL },
        { "http://u:p@a/", GB_ESYNTAX, NULL, 0, NULL },
        { "http://a/#f", GB_ESYNTAX, NULL, 0, NULL },
        { "http://a/ b", GB_ESYNTAX, NULL, 0, NULL },
        { "http://a/\r\nX: y", GB_ESYNTAX, NULL, 0, NULL },
        { "http://a/\xe4\xbd\xa0", GB_ESYNTAX, NULL, 0, NULL },
        { "http://[::1/", GB_ESYNTAX, NULL, 0, NULL },
        { "http://[::1]x/", GB_ESYNTAX, NULL, 0, NULL },
        { "http://[fe80::1%25eth0]/", GB_ESYNTAX, NULL, 0, NULL },
    };
    char longest[HOOKS_URL_MAX + 2] = "http://a/";

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct hooks_url u = { 0 };
        struct slice in = guarded(slice_str(cases[i].url));

        if (hooks_url_parse(&u, in) != cases[i].err)
            fail_msg("%s", cases[i].url);
        if (cases[i].err)
            continue;
        assert_true(slice_eq(u.host, slice_str(cases[i].host)));
        assert_true(slice_eq(u.path, slice_str(cases[i].path)));
        assert_int_equal(u.port, cases[i].port);
    }
    memset(longest + 9, 'x', HOOKS_URL_MAX - 9);
    begin(false);
    assert_int_equal(set("a", longest, "s", 0), 0);
    hooks_event(h, HOOKS_ALARM, SLICE("{}"));
    assert_true(called().head.n < HOOKS_HEAD_MAX);
    longest[HOOKS_URL_MAX] = 'x';
    assert_int_equal(set("b", longest, "s", 0), GB_ESYNTAX);
    end();
}

static void settings(void **state)
{
    char name[8];
    struct hook_view v;

    (void)state;
    begin(false);
    assert_int_equal(set("", URL, "s", 0), GB_ESYNTAX);
    assert_int_equal(set("a b", URL, "s", 0), GB_ESYNTAX);
    assert_int_equal(set("a", URL, "", 0), GB_ESYNTAX);
    assert_int_equal(set("a", URL, "two words", 0), GB_ESYNTAX);
    assert_int_equal(set("a", URL, "s", 1u << HOOKS_KINDS), GB_ESYNTAX);
    assert_int_equal(set("a", "https://a/", "s", 0), GB_EUNSUPPORTED);
    assert_false(hooks_next(h, SLICE(""), now, &v));
    for (unsigned i = 0; i < HOOKS_MAX; i++) {
        snprintf(name, sizeof(name), "h%02u", HOOKS_MAX - i);
        assert_int_equal(set(name, URL, "s", 0), 0);
    }
    assert_int_equal(set("more", URL, "s", 0), GB_ELIMIT);
    assert_int_equal(set("h01", URL, "", 1u << HOOKS_ALARM), 0);
    assert_true(hooks_next(h, SLICE(""), now, &v));
    assert_true(slice_eq(v.name, SLICE("h01")) && v.state == HOOKS_IDLE);
    assert_true(slice_eq(v.secret, SLICE("s")));
    assert_true(hooks_next(h, v.name, now, &v));
    assert_true(slice_eq(v.name, SLICE("h02")));
    assert_int_equal(hooks_remove(h, SLICE("h02")), 0);
    assert_int_equal(hooks_remove(h, SLICE("h02")), GB_ENOENT);
    assert_int_equal(set("more", URL, "s", 0), 0);
    end();
    begin(true);
    assert_int_equal(set("a", "https://a/", "s", 0), 0);
    end();
}

/* The bytes that go out, and the signature by hand: RFC 2104 over "t.body". */
static void what_is_sent(void **state)
{
    struct hooks_call c;
    char sign[120];
    struct writer w = writer_of(sign, sizeof(sign) - 1);

    (void)state;
    begin(false);
    assert_int_equal(set("a", URL, "key", 1u << HOOKS_ALARM), 0);
    assert_true(hooks_wants(h, HOOKS_ALARM) && !hooks_wants(h, HOOKS_DEVICE));
    hooks_event(h, HOOKS_DEVICE, SLICE("{\"no\":1}"));
    assert_int_equal(hooks_deadline(h), GB_NEVER);
    hooks_event(h, HOOKS_ALARM, SLICE("{\"yes\":1}"));
    assert_true(hooks_deadline(h) <= now.mono_ms);
    c = called();
    assert_true(slice_eq(c.host, SLICE("10.0.0.5")) && c.port == 8080);
    assert_true(!c.secure && slice_eq(c.body, SLICE("{\"yes\":1}")));
    assert_true(slice_has_prefix(c.head, SLICE(
        "POST /in?x=1 HTTP/1.1\r\nHost: 10.0.0.5:8080\r\n"
        "User-Agent: gb28181d/test\r\nContent-Type: application/json\r\n"
        "Content-Length: 9\r\nX-GB28181-Event: alarm\r\n"
        "X-GB28181-Delivery: abc-2\r\nX-GB28181-Try: 1\r\n"
        "X-GB28181-Dropped: 0\r\nX-GB28181-Signature: t=1700000000,v1=")));
    hooks_sign(&w, SLICE("key"), 1700000000, SLICE("{\"yes\":1}"));
    sign[w.len] = '\0';
    assert_true(has(c.head, sign));
    /* printf '1700000000.{"yes":1}' | openssl dgst -sha256 -hmac key */
    assert_string_equal(sign, "t=1700000000,v1="
                              "64d0473d7d15f96f95faf803d8674bbb"
                              "cafc5b6ea34df25ad279fc1598eeda5a");
    assert_int_equal(view("a").state, HOOKS_CALLING);
    assert_true(is_quiet());
    result(c.id, 204, 0);
    assert_int_equal(view("a").state, HOOKS_IDLE);
    assert_int_equal(view("a").delivered, 1);
    assert_int_equal(view("a").delivered_utc_ms, now.utc_ms);
    result(c.id, 500, 0); /* stale */
    assert_int_equal(view("a").failures, 0);
    end();
}

/* The pause before the next try, measured. */
static uint64_t pause_after(unsigned status, uint32_t after_s)
{
    struct hooks_call c = called();
    uint64_t at;

    result(c.id, status, after_s);
    at = hooks_deadline(h) - now.mono_ms;
    assert_true(at == 0 || is_quiet());
    now.mono_ms += at;
    now.utc_ms += (int64_t)at;
    return at;
}

static unsigned lines_with(const char *text)
{
    char line[HOOKS_LINE_MAX];
    enum platform_level level;
    unsigned n = 0;

    while (hooks_line(h, &level, line))
        n += has(slice_str(line), text);
    return n;
}

/* Doubles up to its end; the same event with the same id and a new time; then
 * it is given up, and the next one goes. */
static void back_off(void **state)
{
    static const uint64_t most[] = { 1000,  2000,  4000,   8000,
                                     16000, 32000, 64000,  128000,
                                     256000, 300000, 300000 };
    struct hooks_call c;

    (void)state;
    begin(false);
    set("a", URL, "key", 0);
    hooks_event(h, HOOKS_ALARM, SLICE("1"));
    hooks_event(h, HOOKS_ALARM, SLICE("2"));
    for (size_t i = 0; i < COUNT(most); i++) {
        uint64_t ms = pause_after(i % 2 ? 0 : 503, 0);

        if (ms > most[i] || ms < most[i] * 4 / 5)
            fail_msg("try %zu: %llu ms", i, (unsigned long long)ms);
        assert_int_equal(view("a").failures, i + 1);
        assert_int_equal(view("a").queued, 2);
    }
    assert_int_equal(lines_with("fails"), 1);
    c = called();
    assert_true(has(c.head, "Delivery: abc-1\r\n") &&
                has(c.head, "Try: 12\r\n") && slice_eq(c.body, SLICE("1")));
    result(c.id, 0, 0);
    assert_int_equal(view("a").given_up, 1);
    assert_string_equal(view("a").why, "connection refused");
    assert_int_equal(lines_with("given up"), 1);
    assert_true(is_quiet()); /* it stays as slow as it was */
    now.mono_ms = hooks_deadline(h);
    c = called();
    assert_true(has(c.head, "Delivery: abc-2\r\n") &&
                has(c.head, "Try: 1\r\n"));
    result(c.id, 200, 0);
    assert_int_equal(view("a").failures, 0);
    assert_int_equal(view("a").tries, 13);
    assert_int_equal(lines_with("answers again"), 1);
    end();
}

static void statuses(void **state)
{
    static const struct {
        unsigned status;
        bool passing;
    } cases[] = {
        { 0, true },    { 301, false }, { 400, false }, { 401, false },
        { 404, false }, { 408, true },  { 410, false }, { 425, true },
        { 429, true },  { 500, true },  { 503, true },  { 599, true },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        begin(false);
        set("a", URL, "key", 0);
        hooks_event(h, HOOKS_ALARM, SLICE("1"));
        result(called().id, cases[i].status, 0);
        if (view("a").queued != cases[i].passing ||
            view("a").refused != !cases[i].passing)
            fail_msg("status %u", cases[i].status);
        end();
    }
    begin(false); /* Retry-After is obeyed, within bounds */
    set("a", URL, "key", 0);
    hooks_event(h, HOOKS_ALARM, SLICE("1"));
    assert_int_equal(pause_after(429, 60), 60000);
    assert_int_equal(pause_after(503, 4294967295u), HOOKS_BACK_OFF_MAX_MS);
    assert_in_range(pause_after(503, 1), 3200, 4000);
    end();
}

/* The oldest go, are counted and said once; the one under way stays. */
static void full(void **state)
{
    char body[16];
    struct hooks_call c;

    (void)state;
    begin(false);
    set("slow", URL, "key", 0);
    set("quick", URL, "key", 0);
    hooks_event(h, HOOKS_ALARM, SLICE("first"));
    c = called();
    result(called().id, 200, 0);
    for (unsigned i = 0; i < HOOKS_QUEUE_MAX + 500; i++) {
        snprintf(body, sizeof(body), "%u", i);
        hooks_event(h, HOOKS_ALARM, slice_str(body));
        result(called().id, 200, 0); /* the slow one costs the other nothing */
    }
    assert_int_equal(view("slow").dropped, 500);
    assert_int_equal(view("slow").queued, HOOKS_QUEUE_MAX + 1);
    assert_int_equal(view("quick").dropped, 0);
    assert_int_equal(view("quick").delivered, HOOKS_QUEUE_MAX + 501);
    assert_int_equal(lines_with("dropped"), 1);
    result(c.id, 200, 0);
    c = called();
    assert_true(slice_eq(c.body, SLICE("500")));
    assert_true(has(c.head, "Dropped: 500\r\n"));
    end();
}

/* A stop waits for what goes well, not for who does not answer; what is left
 * then is told. */
static void stopping(void **state)
{
    struct hooks_call c;

    (void)state;
    begin(false);
    set("a", URL, "key", 0);
    set("b", URL, "key", 0);
    assert_false(hooks_is_moving(h));
    hooks_event(h, HOOKS_ALARM, SLICE("1"));
    hooks_event(h, HOOKS_ALARM, SLICE("2"));
    assert_true(hooks_is_moving(h)); /* due */
    c = called();
    result(called().id, 503, 0);
    assert_true(hooks_is_moving(h)); /* on its way */
    result(c.id, 200, 0);
    assert_true(hooks_is_moving(h)); /* the second one */
    result(called().id, 200, 0);
    assert_false(hooks_is_moving(h)); /* b has failed */
    hooks_end(h);
    assert_int_equal(lines_with("lost=2"), 1);
    assert_int_equal(lines_with("lost="), 0);
    end();
}

/* By bytes as well, and an event that is too large for any queue. */
static void large(void **state)
{
    static char big[HOOKS_EVENT_MAX + 1];

    (void)state;
    begin(false);
    set("a", URL, "key", 0);
    for (unsigned i = 0; i < 40; i++)
        hooks_event(h, HOOKS_ALARM, slice_of(big, HOOKS_EVENT_MAX));
    assert_int_equal(view("a").queued,
                     HOOKS_QUEUE_BYTES / HOOKS_EVENT_MAX);
    assert_int_equal(view("a").dropped,
                     40 - HOOKS_QUEUE_BYTES / HOOKS_EVENT_MAX);
    hooks_event(h, HOOKS_ALARM, slice_of(big, sizeof(big)));
    assert_int_equal(view("a").dropped,
                     41 - HOOKS_QUEUE_BYTES / HOOKS_EVENT_MAX);
    end();
}

/* Switched off, removed, changed while a call is under way. */
static void changed_meanwhile(void **state)
{
    struct hook_settings s = { .name = SLICE("a"), .url = SLICE(URL),
                               .off = true };
    struct hooks_call c;

    (void)state;
    begin(false);
    set("a", URL, "key", 0);
    hooks_event(h, HOOKS_ALARM, SLICE("1"));
    c = called();
    assert_int_equal(hooks_set(h, &s, now), 0);
    assert_false(hooks_wants(h, HOOKS_ALARM));
    result(c.id, 503, 0);
    assert_int_equal(view("a").state, HOOKS_OFF);
    now.mono_ms += 3600000;
    assert_true(is_quiet());
    s.off = false;
    assert_int_equal(hooks_set(h, &s, now), 0);
    c = called();
    assert_true(has(c.head, "Try: 2\r\n"));
    assert_int_equal(hooks_remove(h, SLICE("a")), 0);
    result(c.id, 200, 0);
    set("b", "http://b/", "key", 0);
    assert_int_equal(view("b").delivered, 0);
    assert_true(is_quiet());
    /* another URL is tried at once */
    hooks_event(h, HOOKS_ALARM, SLICE("2"));
    result(called().id, 0, 0);
    assert_true(is_quiet());
    set("b", "http://c/", "", 0);
    assert_true(has(called().head, "Host: c\r\n"));
    /* a test event goes whatever is wanted */
    set("only", "http://d/", "key", 1u << HOOKS_COMMAND);
    assert_int_equal(hooks_event_to(h, SLICE("only"), HOOKS_TEST, SLICE("{}")),
                     0);
    assert_true(has(called().head, "X-GB28181-Event: test\r\n"));
    assert_int_equal(hooks_event_to(h, SLICE("x"), HOOKS_TEST, SLICE("{}")),
                     GB_ENOENT);
    end();
}

/* The configuration is read again: what is not in it goes, others stay. */
static void reload(void **state)
{
    struct hook_settings s = { .url = SLICE(URL), .secret = SLICE("k"),
                               .fixed = true };
    struct hook_view v;

    (void)state;
    begin(false);
    set("api", URL, "key", 0);
    s.name = SLICE("config-1");
    assert_int_equal(hooks_set(h, &s, now), 0);
    s.name = SLICE("config-2");
    assert_int_equal(hooks_set(h, &s, now), 0);
    hooks_event(h, HOOKS_ALARM, SLICE("1"));
    hooks_mark(h);
    s.name = SLICE("config-1");
    assert_int_equal(hooks_set(h, &s, now), 0);
    hooks_sweep(h);
    assert_int_equal(view("config-1").queued, 1);
    assert_int_equal(view("api").queued, 1);
    assert_false(hooks_view(h, SLICE("config-2"), now, &v));
    end();
}

static void without_memory(void **state)
{
    bool done = false;

    (void)state;
    for (unsigned long at = 1; !done; at++) {
        struct hooks_call c;

        begin(false);
        mem.fail_at = mem.calls + at;
        set("a", URL, "key", 0);
        set("b", URL, "key", 0);
        hooks_event(h, HOOKS_ALARM, SLICE("1"));
        hooks_event_to(h, SLICE("a"), HOOKS_TEST, SLICE("1"));
        assert_int_equal(view("b").queued + view("b").dropped, 1);
        while (hooks_call(h, now, &c))
            result(c.id, 200, 0);
        assert_int_equal(view("b").delivered + view("b").dropped, 1);
        done = mem.calls < mem.fail_at;
        mem.fail_at = 0;
        end();
    }
}

/* Any order of events, results, time and settings: what came in has gone out,
 * waits, or was counted as lost. */
static void any_order(void **state)
{
    uint64_t rnd = 99, open[HOOKS_MAX] = { 0 }, n_events = 0;
    struct hook_view v;

    (void)state;
    begin(false);
    set("a", URL, "key", 0);
    for (unsigned i = 0; i < 20000; i++) {
        uint64_t r = test_random(&rnd);
        struct hooks_call c;

        switch (r % 4) {
        case 0:
        case 1:
            hooks_event(h, HOOKS_ALARM, SLICE("{}"));
            n_events++;
            break;
        case 2:
            if (open[0])
                result(open[0],
                       (r >> 8) % 3 ? 200 : (unsigned)((r >> 16) % 600), 0);
            open[0] = 0;
            break;
        case 3:
            now.mono_ms += (r >> 8) % 20000;
            if (!open[0] && hooks_call(h, now, &c))
                open[0] = c.id;
            break;
        }
        v = view("a");
        assert_true(v.delivered + v.refused + v.given_up + v.dropped +
                        v.queued == n_events);
        assert_true(v.queued <= HOOKS_QUEUE_MAX + 1);
    }
    assert_true(v.delivered > 1000 && v.dropped > 0 && v.refused > 0);
    end();
}

/* A set of kinds in the store of another version means what it did. */
static void stored_kinds(void **state)
{
    static const char *const names[] = {
        "device",  "channel",  "session", "alarm", "command",   "position", "ptz",
        "upgrade", "download", "voice",   "push",  "recording", "offer",
    };

    (void)state;
    for (unsigned i = 0; i < COUNT(names); i++)
        assert_string_equal(hooks_kind_name((enum hooks_kind)i), names[i]);
    assert_int_equal(HOOKS_TEST, COUNT(names));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(urls),      cmocka_unit_test(settings),
        cmocka_unit_test(stopping),
        cmocka_unit_test(what_is_sent), cmocka_unit_test(back_off),
        cmocka_unit_test(statuses),  cmocka_unit_test(full),
        cmocka_unit_test(large),     cmocka_unit_test(changed_meanwhile),
        cmocka_unit_test(reload),    cmocka_unit_test(without_memory),
        cmocka_unit_test(any_order), cmocka_unit_test(stored_kinds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
