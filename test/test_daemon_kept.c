/* What people set while the daemon runs is there after the next start: accounts,
 * groups, rules, webhooks, settings. Asked over HTTP, from a thread beside it. */
#include "test/daemon_world.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>

#define ANSWER_MAX 262144

struct question {
    const char *method, *path, *body;
    unsigned status;
    const char *has; /* in the answer; NULL: whatever */
};

static char answer[ANSWER_MAX];
static const struct question *questions;
static size_t n_questions;
static char fault[600]; /* of the thread; "": all went well */

/* One request on a connection of its own; the whole answer, with a NUL. */
static bool ask(const struct question *q)
{
    struct gb_addr at;
    struct sockaddr_in in = { .sin_family = AF_INET };
    char head[1024];
    size_t n = 0;
    ssize_t got;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    int len = snprintf(head, sizeof(head),
                       "%s %s HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
                       "Authorization: Bearer %s\r\nContent-Length: %zu\r\n\r\n%s",
                       q->method, q->path, secrets.admin_token,
                       strlen(q->body), q->body);

    answer[0] = '\0';
    if (!config_addr(&config, CONFIG_HTTP_LISTEN, 0, &at))
        return false;
    in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    in.sin_port = htons(at.port);
    if (connect(fd, (struct sockaddr *)&in, sizeof(in)) == 0 &&
        write(fd, head, (size_t)len) == len)
        while (n < sizeof(answer) - 1 &&
               (got = read(fd, answer + n, sizeof(answer) - 1 - n)) > 0)
            n += (size_t)got;
    answer[n] = '\0';
    close(fd);
    return n > 12;
}

static void *ask_all(void *arg)
{
    uint32_t status;

    (void)arg;
    fault[0] = '\0';
    for (size_t i = 0; i < n_questions && !fault[0]; i++) {
        const struct question *q = &questions[i];

        if (!ask(q) || !slice_u32(slice_of(answer + 9, 3), 999, &status) ||
            status != q->status || (q->has && !text_has(answer, q->has)))
            snprintf(fault, sizeof(fault), "%s %s: %.400s", q->method, q->path,
                     answer);
    }
    kill(getpid(), SIGTERM);
    return NULL;
}

static void on_reload(void *ctx)
{
    (void)ctx;
}

/* A run of the daemon that is asked these, one after the other. */
static void run_and_ask(const struct question *q, size_t n)
{
    char why[WHY_MAX] = "";
    struct daemon *d;
    pthread_t thread;

    if (daemon_new(&d, &config, &secrets, why))
        fail_msg("%s", why);
    questions = q;
    n_questions = n;
    assert_int_equal(pthread_create(&thread, NULL, ask_all, NULL), 0);
    daemon_run(d, on_reload, take_over, d);
    pthread_join(thread, NULL);
    daemon_free(d);
    if (fault[0])
        fail_msg("%s", fault);
}

#define DEVICE "34020000001320000001"
#define OTHER "34020000001320000002"

static void what_is_made_stays(void **state)
{
    static const struct question first[] = {
        { "POST", "/api/v1/groups", "{\"name\":\"yard\"}", 201, NULL },
        { "POST", "/api/v1/devices",
          "{\"id\":\"" DEVICE "\",\"group\":\"yard\",\"password\":\"other-one\"}", 201,
          NULL },
        { "POST", "/api/v1/devices", "{\"id\":\"" OTHER "\"}", 201, NULL },
        { "POST", "/api/v1/users",
          "{\"name\":\"ada\",\"password\":\"looks-on-1\",\"role\":\"viewer\"}", 201,
          NULL },
        { "POST", "/api/v1/tokens", "{\"name\":\"robot\",\"role\":\"operator\"}", 201,
          "\"token\"" },
        { "PUT", "/api/v1/rules/gate", "{\"preset\":3}", 201, NULL },
        { "POST", "/api/v1/webhooks",
          "{\"name\":\"log\",\"url\":\"http://127.0.0.1:9/x\",\"enabled\":false}", 201,
          NULL },
        { "DELETE", "/api/v1/devices/" OTHER, "", 204, NULL },
    };
    static const struct question second[] = {
        { "GET", "/api/v1/groups", "", 200, "\"yard\"" },
        { "GET", "/api/v1/devices/" DEVICE, "", 200, "\"yard\"" },
        { "GET", "/api/v1/devices/" OTHER, "", 404, NULL },
        { "GET", "/api/v1/users", "", 200, "\"ada\"" },
        { "GET", "/api/v1/tokens", "", 200, "\"robot\"" },
        { "GET", "/api/v1/rules/gate", "", 200, "\"preset\":3" },
        { "GET", "/api/v1/webhooks/log", "", 200, "http://127.0.0.1:9/x" },
        { "GET", "/api/v1/audit", "", GB_SQLITE ? 200 : 501,
          GB_SQLITE ? "/api/v1/rules/gate" : NULL },
        { "DELETE", "/api/v1/users/ada", "", 204, NULL },
        { "DELETE", "/api/v1/tokens/robot", "", 204, NULL },
        { "DELETE", "/api/v1/rules/gate", "", 204, NULL },
        { "DELETE", "/api/v1/webhooks/log", "", 204, NULL },
        { "DELETE", "/api/v1/groups/yard", "", 204, NULL },
    };
    static const struct question third[] = {
        { "GET", "/api/v1/groups", "", 200, "\"items\":[]" },
        { "GET", "/api/v1/users/ada", "", 404, NULL },
        { "GET", "/api/v1/tokens", "", 200, "\"items\":[]" },
        { "GET", "/api/v1/rules/gate", "", 404, NULL },
        { "GET", "/api/v1/webhooks/log", "", 404, NULL },
        { "GET", "/api/v1/devices/" DEVICE, "", 200, NULL },
    };

    (void)state;
    run_and_ask(first, COUNT(first));
    run_and_ask(second, COUNT(second));
    run_and_ask(third, COUNT(third));
}

/* A setting goes into a file of the data directory; what cannot be is refused, and
 * the figures come from every part. */
static void settings_and_figures(void **state)
{
    static const struct question q[] = {
        { "PATCH", "/api/v1/settings", "{\"record.days\":\"12\"}", 200, NULL },
        { "GET", "/api/v1/settings", "", 200, "\"kept\"" },
        { "PATCH", "/api/v1/settings", "{\"record.days\":\"-1\"}", 400, NULL },
        { "PATCH", "/api/v1/settings", "{\"http.listen\":\"127.0.0.1:1\"}", 400, NULL },
        { "GET", "/metrics", "", 200, "\ngb28181_devices{state=\"online\"} 0\n" },
        { "GET", "/metrics", "", 200, "\ngb28181_sip_listener_messages_total{" },
        { "GET", "/readyz", "", 200, NULL },
        { "GET", "/api/v1/alarms", "", 200, "\"items\":[]" },
        { "GET", "/api/v1/positions?device=" DEVICE, "", GB_SQLITE ? 200 : 501, NULL },
        { "GET", "/api/v1/log", "", 200, "\"items\":[" },
    };
    char path[200], text[2000] = "";
    FILE *f;

    (void)state;
    run_and_ask(q, COUNT(q));
    path_of(path, CONFIG_KEPT_FILE);
    f = fopen(path, "r");
    assert_non_null(f);
    assert_true(fread(text, 1, sizeof(text) - 1, f) > 0);
    fclose(f);
    assert_true(text_has(text, "days: '12'"));
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(what_is_made_stays), T(settings_and_figures),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
