/* Webhooks over real sockets on loopback: receivers that answer, are slow,
 * refuse, close half way, talk nonsense, or ask for TLS */
#include "test/support.h"

#include "app/net/hook_client.h"
#include "app/net/sockaddr.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>
#include <unistd.h>

#define CALL_MS 300 /* where nothing is said; the others have their time */
#define WAIT_MS 60000

static uv_loop_t loop;
static struct hooks *hooks;
static struct hook_client *client;
static char lines[2048];

/* A receiver: says `answer` to each whole request. */
struct receiver {
    uv_tcp_t tcp;
    uint16_t port;
    const char *answer;   /* NULL: nothing */
    bool closes;          /* behind the answer */
    bool accepts_none;    /* closes what it accepts at once */
    unsigned closes_first; /* so many connections are closed when a request
                              has come on them a second time */
    unsigned accepted, requests;
    char last[4096];
    struct tls_ctx *tls; /* NULL: plain */
};

struct peer {
    uv_tcp_t tcp;
    struct receiver *r;
    unsigned requests;
    char in[8192];
    size_t len;
    uv_write_t write;
    struct tls *tls;
    char raw[16384];
};

static struct gb_time clock_now(void *ctx)
{
    struct timeval tv;

    (void)ctx;
    gettimeofday(&tv, NULL);
    return (struct gb_time){ uv_now(&loop), (int64_t)tv.tv_sec * 1000 };
}

static void on_line(void *ctx, enum platform_level level, const char *line)
{
    size_t n = strlen(lines);

    (void)ctx;
    (void)level;
    snprintf(lines + n, sizeof(lines) - n, "%s\n", line);
}

static void on_closed(uv_handle_t *t)
{
    struct peer *p = t->data;

    tls_free(p->tls);
    free(p);
}

static void flush_tls(struct peer *p)
{
    struct slice out = tls_output(p->tls);
    uv_buf_t buf = uv_buf_init((char *)(uintptr_t)out.p, (unsigned)out.n);

    if (out.n)
        assert_int_equal(uv_try_write((uv_stream_t *)&p->tcp, &buf, 1),
                         (int)out.n);
    tls_sent(p->tls, out.n);
}

static void end_peer(struct peer *p)
{
    if (!uv_is_closing((uv_handle_t *)&p->tcp))
        uv_close((uv_handle_t *)&p->tcp, on_closed);
}

static void on_answered(uv_write_t *w, int status)
{
    struct peer *p = w->data;

    (void)status;
    if (p->r->closes)
        end_peer(p);
}

static void answer(struct peer *p)
{
    struct receiver *r = p->r;
    uv_buf_t buf;

    r->requests++;
    p->requests++;
    slice_copy(r->last, sizeof(r->last), slice_of(p->in, p->len));
    p->len = 0;
    if (r->closes_first && p->requests == 2) {
        r->closes_first--;
        end_peer(p);
        return;
    }
    if (!r->answer) {
        if (r->closes)
            end_peer(p);
        return;
    }
    if (p->tls) {
        assert_int_equal(tls_encrypt(p->tls, slice_str(r->answer)), 0);
        flush_tls(p);
        return;
    }
    buf = uv_buf_init((char *)(uintptr_t)r->answer,
                      (unsigned)strlen(r->answer));
    p->write.data = p;
    uv_write(&p->write, (uv_stream_t *)&p->tcp, &buf, 1, on_answered);
}

/* "Content-Length: n", and whether so much is there. */
static bool is_whole(const struct peer *p)
{
    struct slice s = { p->in, p->len }, line;
    size_t head = slice_find_slice(s, SLICE("\r\n\r\n"));
    size_t at = slice_find_slice(s, SLICE("Content-Length: "));
    uint32_t n = 0;

    if (head == s.n || at == s.n)
        return false;
    line = slice_from(s, at + 16);
    line = slice_head(line, slice_find(line, '\r'));
    assert_true(slice_u32(line, 1 << 20, &n));
    return p->len >= head + 4 + n;
}

static void on_bytes(uv_stream_t *t, ssize_t n, const uv_buf_t *buf)
{
    struct peer *p = t->data;

    (void)buf;
    if (n < 0) {
        end_peer(p);
        return;
    }
    if (p->tls) {
        struct slice in = { p->raw, (size_t)n };
        size_t got = 0;

        if (tls_decrypt(p->tls, &in, p->in + p->len, sizeof(p->in) - p->len,
                        &got) < 0) {
            end_peer(p);
            return;
        }
        flush_tls(p);
        n = (ssize_t)got;
    }
    p->len += (size_t)n;
    if (is_whole(p))
        answer(p);
}

static void on_room(uv_handle_t *t, size_t hint, uv_buf_t *buf)
{
    struct peer *p = t->data;

    (void)hint;
    if (p->tls)
        *buf = uv_buf_init(p->raw, sizeof(p->raw));
    else
        *buf = uv_buf_init(p->in + p->len,
                           (unsigned)(sizeof(p->in) - p->len));
}

static void on_peer(uv_stream_t *t, int status)
{
    struct receiver *r = t->data;
    struct peer *p = calloc(1, sizeof(*p));

    assert_int_equal(status, 0);
    assert_non_null(p);
    r->accepted++;
    p->r = r;
    p->tcp.data = p;
    uv_tcp_init(&loop, &p->tcp);
    uv_accept(t, (uv_stream_t *)&p->tcp);
    if (r->tls)
        assert_int_equal(tls_new(&p->tls, r->tls, NULL), 0);
    if (r->accepts_none)
        end_peer(p);
    else
        uv_read_start((uv_stream_t *)&p->tcp, on_room, on_bytes);
}

static void receive(struct receiver *r)
{
    struct gb_addr at = { GB_IPV4, { 127, 0, 0, 1 }, 0 };
    struct sockaddr_storage ss;
    int len = sizeof(ss);

    sockaddr_of(&ss, &at, false);
    uv_tcp_init(&loop, &r->tcp);
    r->tcp.data = r;
    assert_int_equal(uv_tcp_bind(&r->tcp, (struct sockaddr *)&ss, 0), 0);
    assert_int_equal(uv_listen((uv_stream_t *)&r->tcp, 8, on_peer), 0);
    uv_tcp_getsockname(&r->tcp, (struct sockaddr *)&ss, &len);
    sockaddr_read(&at, (struct sockaddr *)&ss);
    r->port = at.port;
}

static struct tls_ctx *trusts; /* of the next client; NULL: no https */
static unsigned trust_asked;

static struct tls_ctx *give_trust(void *ctx)
{
    (void)ctx;
    trust_asked++;
    return trusts;
}

static void begin_calls(uint32_t call_ms)
{
    const struct hooks_config hc = { .alloc = &gb_alloc_heap,
                                     .agent = "test", .tls = trusts != NULL };
    struct hook_client_config cc = { .loop = &loop, .now = clock_now,
                                     .log = on_line, .call_ms = call_ms,
                                     .tls = give_trust };

    lines[0] = '\0';
    assert_int_equal(uv_loop_init(&loop), 0);
    assert_int_equal(hooks_new(&hooks, &hc), 0);
    cc.hooks = hooks;
    assert_int_equal(hook_client_new(&client, &cc), 0);
}

static void begin(void)
{
    begin_calls(0);
}

static bool client_closed;

static void on_client_closed(void *ctx)
{
    (void)ctx;
    client_closed = true;
}

/* The handle of a peer is the first thing in it; so is that of a receiver,
 * which nobody frees. */
static bool is_peer(const uv_handle_t *t)
{
    return t->type == UV_TCP && t->data == t && uv_has_ref(t) &&
           !((const uv_stream_t *)t)->connection_cb;
}

static void close_all(uv_handle_t *t, void *ctx)
{
    (void)ctx;
    if (!uv_is_closing(t))
        uv_close(t, is_peer(t) ? on_closed : NULL);
}

static void end(void)
{
    client_closed = false;
    hook_client_close(client, on_client_closed, NULL);
    uv_walk(&loop, close_all, NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_true(client_closed);
    assert_int_equal(uv_loop_close(&loop), 0);
    hooks_free(hooks);
}

static void hook(const char *name, const char *host, uint16_t port)
{
    char url[80];
    struct hook_settings s = { .name = slice_str(name), .secret = SLICE("k") };

    snprintf(url, sizeof(url), "http%s://%s:%u/in", trusts ? "s" : "", host,
             port);
    s.url = slice_str(url);
    assert_int_equal(hooks_set(hooks, &s, clock_now(NULL)), 0);
}

static struct hook_view view(const char *name)
{
    struct hook_view v;

    assert_true(hooks_view(hooks, slice_str(name), clock_now(NULL), &v));
    return v;
}

static void tell(const char *body)
{
    hooks_event(hooks, HOOKS_ALARM, slice_str(body));
    hook_client_touch(client);
}

static void on_guard(uv_timer_t *t)
{
    (void)t; /* the loop must not sleep for ever */
}

/* Until the hook has had so many results, good or bad. */
static void until(const char *name, uint64_t n)
{
    uint64_t end_ms = uv_now(&loop) + WAIT_MS;
    uv_timer_t guard;

    uv_timer_init(&loop, &guard);
    guard.data = NULL;
    uv_timer_start(&guard, on_guard, 10, 10);
    while (uv_now(&loop) < end_ms) {
        struct hook_view v = view(name);

        if (v.tries - (v.state == HOOKS_CALLING) >= n &&
            v.state != HOOKS_CALLING)
            break;
        uv_run(&loop, UV_RUN_ONCE);
    }
    uv_close((uv_handle_t *)&guard, NULL);
    uv_run(&loop, UV_RUN_NOWAIT);
}

static void delivered_on_one_connection(void **state)
{
    struct receiver r = { .answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n"
                                    "\r\nok" };

    (void)state;
    begin();
    receive(&r);
    hook("a", "127.0.0.1", r.port);
    for (unsigned i = 1; i <= 20; i++) {
        tell("{\"n\":1}");
        until("a", i);
    }
    assert_int_equal(view("a").delivered, 20);
    assert_int_equal(r.requests, 20);
    assert_int_equal(r.accepted, 1);
    assert_true(strstr(r.last, "\r\n\r\n{\"n\":1}") != NULL);
    assert_true(strstr(r.last, "X-GB28181-Signature: t=") != NULL);
    end();
}

/* What a receiver can do wrong, and what is said of it. */
struct bad_receiver {
    const char *name;
    struct receiver r;
    unsigned status;
    const char *why; /* the beginning of it */
};

static void expect_failure(const struct bad_receiver *b)
{
    struct hook_view v = view("bad");

    if (v.status != b->status ||
        !slice_has_prefix(slice_str(v.why), slice_str(b->why)))
        fail_msg("%s: %u \"%s\"", b->name, v.status, v.why);
    assert_int_equal(v.delivered, 0);
    assert_true(strstr(lines, "webhook fails") != NULL);
}

/* An event for this receiver and for a good one. */
static void tell_both(struct receiver *bad, struct receiver *good)
{
    begin();
    receive(bad);
    receive(good);
    hook("bad", "127.0.0.1", bad->port);
    hook("good", "127.0.0.1", good->port);
    tell("{}");
}

static void bad_receivers(void **state)
{
    static const struct bad_receiver cases[] = {
        { "closes at once", { .accepts_none = true }, 0, "" },
        { "closes behind the request", { .closes = true }, 0,
          "the connection was closed before an answer" },
        { "closes half way", { .answer = "HTTP/1.1 200 OK\r\nContent-",
                               .closes = true }, 0,
          "the connection was closed before an answer" },
        { "nonsense", { .answer = "220 mail.example ESMTP\r\n\r\n" }, 0,
          "the answer is no HTTP" },
        { "refuses", { .answer = "HTTP/1.1 403 No\r\nContent-Length: 0\r\n"
                                 "\r\n" }, 403, "status 403" },
        { "redirects", { .answer = "HTTP/1.1 302 Found\r\nLocation: "
                                   "http://169.254.169.254/\r\n"
                                   "Content-Length: 0\r\n\r\n" }, 302,
          "status 302" },
        { "fails", { .answer = "HTTP/1.1 500 Oh\r\nConnection: close\r\n\r\n",
                     .closes = true }, 500, "status 500" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct receiver r = cases[i].r, good = {
            .answer = "HTTP/1.1 204 No Content\r\n\r\n"
        };

        tell_both(&r, &good);
        until("good", 1); /* whatever the other one does */
        assert_int_equal(view("good").delivered, 1);
        until("bad", 1);
        expect_failure(&cases[i]);
        end();
    }
}

/* They hold up nobody, and are not waited for for ever. */
static void silent_receivers(void **state)
{
    static const struct bad_receiver cases[] = {
        { "silent", { .answer = NULL }, 0, "no answer in time" },
        { "half a head", { .answer = "HTTP/1.1 200 OK\r\nContent-" }, 0,
          "no answer in time" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct receiver r = cases[i].r, good = {
            .answer = "HTTP/1.1 204 No Content\r\n\r\n"
        };

        tell_both(&r, &good);
        until("good", 1);
        assert_int_equal(view("good").delivered, 1);
        assert_int_equal(view("bad").state, HOOKS_CALLING);
        end();
        begin_calls(CALL_MS);
        receive(&r);
        hook("bad", "127.0.0.1", r.port);
        tell("{}");
        until("bad", 1);
        expect_failure(&cases[i]);
        end();
    }
}

static void nobody_there(void **state)
{
    struct receiver r = { .answer = NULL };

    (void)state;
    begin();
    receive(&r);
    uv_close((uv_handle_t *)&r.tcp, NULL);
    uv_run(&loop, UV_RUN_NOWAIT);
    hook("a", "127.0.0.1", r.port);
    tell("{}");
    until("a", 1);
    assert_string_equal(view("a").why, "connection refused");
    end();
}

/* It closes what was idle just as the next request comes: once more on a new
 * connection, unseen. */
static void closed_between(void **state)
{
    struct receiver r = { .answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n"
                                    "\r\n", .closes_first = 1 };

    (void)state;
    begin();
    receive(&r);
    hook("a", "127.0.0.1", r.port);
    tell("{}");
    until("a", 1);
    tell("{}");
    until("a", 2);
    assert_int_equal(view("a").delivered, 2);
    assert_int_equal(view("a").tries, 2);
    assert_int_equal(r.accepted, 2);
    end();
}

/* More behind an answer than it announced: the connection is not used again. */
static void answers_that_go_on(void **state)
{
    static const char *const texts[] = {
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\nok",
        "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nok",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(texts); i++) {
        struct receiver r = { .answer = texts[i] };

        begin();
        receive(&r);
        hook("a", "127.0.0.1", r.port);
        for (unsigned k = 1; k <= 3; k++) {
            tell("{}");
            until("a", k);
        }
        assert_int_equal(view("a").delivered, 3);
        assert_int_equal(r.accepted, 3);
        end();
    }
}

/* Interim answers are skipped. */
static void continued(void **state)
{
    struct receiver r = { .answer = "HTTP/1.1 100 Continue\r\n\r\n"
                                    "HTTP/1.1 202 Accepted\r\n"
                                    "Content-Length: 0\r\n\r\n" };

    (void)state;
    begin();
    receive(&r);
    hook("a", "127.0.0.1", r.port);
    tell("{}");
    until("a", 1);
    assert_int_equal(view("a").status, 202);
    end();
}

/* By name, by a name that nobody has, and where nothing is ever sent. */
static void addresses(void **state)
{
    static const struct hook_net deny[] = {
        { { GB_IPV4, { 127, 0, 0, 0 }, 0 }, 8 },
    };
    static const char *const never[] = { "0.0.0.0", "224.0.0.1",
                                         "255.255.255.255", "[::]",
                                         "[ff02::1]" };
    struct receiver r = { .answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n"
                                    "\r\n" };

    (void)state;
    begin();
    receive(&r);
    hook("name", "localhost", r.port);
    hook("none", "no-such-host.invalid", r.port);
    tell("{}");
    until("name", 1);
    until("none", 1);
    if (view("name").delivered != 1) /* ::1 first: nobody listens there */
        assert_string_equal(view("name").why, "connection refused");
    assert_int_equal(view("none").delivered, 0);
    assert_true(view("none").why[0] != '\0');
    for (size_t i = 0; i < COUNT(never); i++) {
        char name[8];

        snprintf(name, sizeof(name), "n%zu", i);
        hook(name, never[i], r.port);
        tell("{}");
        until(name, 1);
        assert_true(slice_has_prefix(slice_str(view(name).why),
                                     SLICE("its address")));
    }
    hook_client_deny(client, deny, 1);
    hook("denied", "127.0.0.1", r.port);
    tell("{}");
    until("denied", 1);
    assert_true(slice_has_prefix(slice_str(view("denied").why),
                                 SLICE("its address")));
    end();
}

/* Removed while it is called, and another one in its place. */
static void removed_meanwhile(void **state)
{
    struct receiver slow = { .answer = NULL }, r = {
        .answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
    };

    (void)state;
    begin();
    receive(&slow);
    receive(&r);
    hook("a", "127.0.0.1", slow.port);
    tell("{}");
    while (slow.requests == 0)
        uv_run(&loop, UV_RUN_ONCE);
    assert_int_equal(hooks_remove(hooks, SLICE("a")), 0);
    hook("b", "127.0.0.1", r.port);
    tell("{}");
    until("b", 1);
    assert_int_equal(view("b").delivered, 1);
    end();
}

/* The end comes in the middle of everything. */
static void ended_meanwhile(void **state)
{
    struct receiver slow = { .answer = NULL };

    (void)state;
    begin();
    receive(&slow);
    hook("a", "127.0.0.1", slow.port);
    hook("b", "localhost", slow.port);
    tell("{}");
    uv_run(&loop, UV_RUN_ONCE);
    uv_run(&loop, UV_RUN_NOWAIT);
    end();
}

#if GB_TLS
/* Over TLS, with the certificate of a receiver that is known, one connection for
 * all; one that nobody vouches for, or of another name, gets nothing. */
static void over_tls(void **state)
{
    char dir[] = "/tmp/gb-test-hooks-XXXXXX", cert[64], key[64], other[64],
        other_key[64], why[TLS_WHY_MAX];
    struct gb_addr at = { GB_IPV4, { 127, 0, 0, 1 }, 0 };
    struct gb_addr elsewhere = { GB_IPV4, { 192, 0, 2, 1 }, 0 };
    struct tls_ctx *server, *foreign, *client_tls;
    struct receiver r = { .answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n"
                                    "\r\nok" }, bad = r;

    (void)state;
    assert_non_null(mkdtemp(dir));
    snprintf(cert, sizeof(cert), "%s/a.crt", dir);
    snprintf(key, sizeof(key), "%s/a.key", dir);
    snprintf(other, sizeof(other), "%s/b.crt", dir);
    snprintf(other_key, sizeof(other_key), "%s/b.key", dir);
    assert_int_equal(tls_make_certificate(cert, key, "r", &at, 1, why), 0);
    assert_int_equal(tls_make_certificate(other, other_key, "r", &elsewhere, 1,
                                          why), 0);
    assert_int_equal(tls_ctx_server(&server, cert, key, why), 0);
    assert_int_equal(tls_ctx_server(&foreign, other, other_key, why), 0);
    assert_int_equal(tls_ctx_client(&client_tls, cert, why), 0);
    trusts = client_tls;
    begin();
    assert_int_equal(trust_asked, 0); /* not before somebody is called */
    r.tls = server;
    bad.tls = foreign;
    receive(&r);
    receive(&bad);
    hook("good", "127.0.0.1", r.port);
    hook("bad", "127.0.0.1", bad.port);
    for (unsigned i = 1; i <= 3; i++) {
        tell("{\"n\":1}");
        until("good", i);
    }
    until("bad", 1);
    assert_int_equal(view("good").delivered, 3);
    assert_int_equal(r.accepted, 1);
    assert_true(strstr(r.last, "\r\n\r\n{\"n\":1}") != NULL);
    assert_int_equal(view("bad").delivered, 0);
    assert_int_equal(bad.requests, 0);
    assert_true(strstr(view("bad").why, "certificate") != NULL);
    end();
    trusts = NULL;
    tls_ctx_free(server);
    tls_ctx_free(foreign);
    tls_ctx_free(client_tls);
    unlink(cert);
    unlink(key);
    unlink(other);
    unlink(other_key);
    rmdir(dir);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(delivered_on_one_connection),
        cmocka_unit_test(bad_receivers),
        cmocka_unit_test(silent_receivers),
        cmocka_unit_test(nobody_there),
        cmocka_unit_test(closed_between),
        cmocka_unit_test(answers_that_go_on),
        cmocka_unit_test(continued),
        cmocka_unit_test(addresses),
        cmocka_unit_test(removed_meanwhile),
        cmocka_unit_test(ended_meanwhile),
#if GB_TLS
        cmocka_unit_test(over_tls),
#endif
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
