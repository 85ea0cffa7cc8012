/* Files over the real server: uploads to the disk, downloads with ranges, and
 * every way to break either */
#include "test/http_net.h"
#include "test/http_accounts.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#define SIZE 300000

static char dir[64];
static char file[SIZE];
static char sha[65]; /* of it */

static char removed[80];

static void fx_remove(void *ctx, const char *name)
{
    (void)ctx;
    slice_copy(removed, sizeof(removed), slice_str(name));
}

static unsigned files_in_dir(bool parts)
{
    DIR *d = opendir(dir);
    struct dirent *e;
    unsigned n = 0;

    assert_non_null(d);
    while ((e = readdir(d)))
        n += e->d_name[0] != '.' ||
             (parts && slice_has_prefix(slice_str(e->d_name),
                                        SLICE(HTTP_FILE_PART)));
    closedir(d);
    return n;
}

static int serve(void **state, uint32_t body_timeout_ms)
{
    const struct http_server_config sc = { .body_timeout_ms = body_timeout_ms,
                                           .file_dir = dir };
    struct http_app_config cfg;
    uint64_t rnd = 5;

    slice_copy(dir, sizeof(dir), SLICE("/tmp/gb28181d-files-XXXXXX"));
    assert_non_null(mkdtemp(dir));
    for (size_t i = 0; i < SIZE; i++)
        file[i] = (char)test_random(&rnd);
    net_begin();
    fx_setup(state);
    http_app_free(fx.app);
    cfg = fx_config();
    cfg.firmware_max = SIZE;
    cfg.http_port = 28181;
    cfg.file_remove = fx_remove;
    fx_open(&cfg);
    net_serve(&sc);
    return 0;
}

static int setup(void **state)
{
    return serve(state, 600000);
}

static int setup_impatient(void **state)
{
    return serve(state, 400);
}

static int teardown(void **state)
{
    net_end();
    assert_int_equal(files_in_dir(true), files_in_dir(false));
    remove_dir(dir);
    return fx_teardown(state);
}

/* ---- a client ------------------------------------------------------------------ */

static bool has(const struct client *c, const char *text)
{
    return slice_find_slice(slice_of(c->text, c->len), slice_str(text)) <
           c->len;
}

static uint32_t files_open(void)
{
    struct http_server_counters n;

    http_server_counters(net.server, &n);
    return n.files;
}

static void send_head(struct client *c, const char *token, size_t n,
                      const char *more)
{
    char head[512];

    snprintf(head, sizeof(head),
             "POST /api/v1/firmware HTTP/1.1\r\nHost: nvr\r\n"
             "Authorization: Bearer %s\r\nContent-Length: %zu\r\n%s\r\n",
             token, n, more);
    send_bytes(c, slice_str(head));
}

static void take_sha(const struct client *c)
{
    struct slice s = { c->text, c->len };
    size_t at = slice_find_slice(s, SLICE("\"sha256\":\""));

    assert_true(at < s.n);
    slice_copy(sha, sizeof(sha), slice_of(s.p + at + 10, 64));
}

static void upload(struct client *c, size_t n)
{
    send_head(c, "admin-token", n, "");
    send_bytes(c, slice_of(file, n));
    RUN_UNTIL(has(c, "\r\n\r\n{"));
    if (!has(c, "HTTP/1.1 201"))
        fail_msg("%s", c->text);
    take_sha(c);
}

static void expect_stored(size_t n)
{
    char path[200], command[300], line[100] = "";
    struct slice got;
    FILE *f;

    snprintf(path, sizeof(path), "%s/%s", dir, sha);
    got = read_file(path);
    assert_int_equal(got.n, n);
    assert_memory_equal(got.p, file, n);
    free((void *)(uintptr_t)got.p);
    snprintf(command, sizeof(command), "sha256sum %s", path);
    f = popen(command, "r");
    assert_non_null(f);
    assert_non_null(fgets(line, sizeof(line), f));
    pclose(f);
    assert_memory_equal(line, sha, 64);
}

/* ---- uploads ---------------------------------------------------------------------- */

static void whole(void **state)
{
    static const size_t sizes[] = { 1, 100, HTTP_FILE_CHUNK - 1,
                                    HTTP_FILE_CHUNK, HTTP_FILE_CHUNK + 1,
                                    SIZE };

    (void)state;
    for (size_t i = 0; i < COUNT(sizes); i++) {
        struct client *c = dial();

        upload(c, sizes[i]);
        expect_stored(sizes[i]);
        /* the connection goes on */
        c->len = 0;
        send_bytes(c, SLICE("GET /api/v1/firmware HTTP/1.1\r\nHost: n\r\n"
                            "Authorization: Bearer admin-token\r\n\r\n"));
        RUN_UNTIL(has(c, "\"total\":"));
        assert_true(has(c, sha));
        hang_up(c);
    }
    assert_int_equal(files_in_dir(false), COUNT(sizes));
    assert_int_equal(files_open(), 0);
}

/* Piecewise, with a next request in the same bytes as the last piece; and the
 * same file once more. */
static void piecewise(void **state)
{
    static const char health[] = "GET /healthz HTTP/1.1\r\nHost: n\r\n\r\n";
    struct client *c = dial();
    char last[sizeof(health)];
    size_t n = 5000;

    (void)state;
    send_head(c, "admin-token", n, "Expect: 100-continue\r\n");
    RUN_UNTIL(has(c, "100 Continue"));
    for (size_t i = 0; i < n - 1; i += 613) {
        size_t len = n - 1 - i < 613 ? n - 1 - i : 613;

        send_bytes(c, slice_of(file + i, len));
        uv_run(&loop.uv, UV_RUN_NOWAIT);
    }
    last[0] = file[n - 1];
    memcpy(last + 1, health, sizeof(health) - 1);
    send_bytes(c, slice_of(last, sizeof(health)));
    RUN_UNTIL(has(c, "ok\n"));
    take_sha(c);
    expect_stored(n);
    c->len = 0;
    upload(c, n);
    assert_int_equal(files_in_dir(false), 1);
    hang_up(c);
}

static void refused(void **state)
{
    static const struct {
        const char *name, *token, *more;
        size_t n;
        const char *status;
    } cases[] = {
        { "nobody", "wrong", "", 100, "HTTP/1.1 401" },
        { "nobody, huge", "wrong", "", 4000000000u, "HTTP/1.1 401" },
        { "too large", "admin-token", "", SIZE + 1, "HTTP/1.1 413" },
        { "far too large", "admin-token", "", 5000000000u, "HTTP/1.1 413" },
        { "chunked", "admin-token", "Transfer-Encoding: chunked\r\n", 10,
          "HTTP/1.1 400" },
    };
    struct client *c;

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        c = dial();
        send_head(c, cases[i].token, cases[i].n, cases[i].more);
        RUN_UNTIL(c->ended || has(c, "\r\n\r\n"));
        if (!has(c, cases[i].status))
            fail_msg("%s: %s", cases[i].name, c->text);
        hang_up(c);
    }
    c = dial(); /* other bodies are bounded as before */
    send_bytes(c, SLICE("POST /api/v1/login HTTP/1.1\r\nHost: n\r\n"
                        "Content-Length: 2000000\r\n\r\n"));
    RUN_UNTIL(has(c, "\r\n\r\n"));
    assert_true(has(c, "HTTP/1.1 413"));
    hang_up(c);
    c = dial();
    send_head(c, "admin-token", 0, "");
    RUN_UNTIL(has(c, "\r\n\r\n"));
    assert_true(has(c, "HTTP/1.1 400"));
    hang_up(c);
    assert_int_equal(files_in_dir(true), 0);
}

/* The client goes: nothing is left. */
static void cut_off(void **state)
{
    static const size_t at[] = { 0, 1, 1000, HTTP_FILE_CHUNK, 200000,
                                 SIZE - 1 };
    struct client *c;

    (void)state;
    for (size_t i = 0; i < COUNT(at); i++) {
        c = dial();
        send_head(c, "admin-token", SIZE, "");
        send_bytes(c, slice_of(file, at[i]));
        for (unsigned k = 0; k < i * 3; k++)
            uv_run(&loop.uv, UV_RUN_NOWAIT);
        hang_up(c);
    }
    RUN_UNTIL(files_open() == 0);
    assert_int_equal(files_in_dir(true), 0);
}

/* It stops sending: the same. */
static void falls_silent(void **state)
{
    struct client *c = dial();

    (void)state;
    send_head(c, "admin-token", SIZE, "");
    send_bytes(c, slice_of(file, 1000));
    RUN_UNTIL(has(c, "\r\n\r\n"));
    assert_true(has(c, "HTTP/1.1 408"));
    hang_up(c);
    RUN_UNTIL(files_open() == 0);
    assert_int_equal(files_in_dir(true), 0);
}

static void disk_fails(void **state)
{
    struct client *c;

    (void)state;
    rmdir(dir);
    c = dial();
    send_head(c, "admin-token", 1000, "");
    RUN_UNTIL(has(c, "\r\n\r\n{"));
    assert_true(has(c, "HTTP/1.1 500"));
    assert_true(has(c, "cannot be written: no such file"));
    hang_up(c);
    assert_int_equal(mkdir(dir, 0700), 0);
}

/* The end of the server in the middle of one. */
static void ended_meanwhile(void **state)
{
    struct client *c = dial();

    (void)state;
    send_head(c, "admin-token", SIZE, "");
    send_bytes(c, slice_of(file, 100000));
    hang_up(c);
}

/* ---- downloads ----------------------------------------------------------------------- */

/* The path of the URL that the device was given. */
static const char *order(void)
{
    char body_text[200];

    snprintf(body_text, sizeof(body_text),
             "{\"firmware\":\"%s\",\"version\":\"V2\"}", sha);
    assert_int_equal(ask("POST", "/api/v1/devices/" D1 "/upgrade", TOKEN,
                         body_text), 202);
    assert_true(slice_has_prefix(slice_str(fake.upgrade_url),
                                 SLICE("http://192.0.2.1:28181/firmware/")));
    return fake.upgrade_url + strlen("http://192.0.2.1:28181");
}

static struct client *fetch(const char *method, const char *path,
                            const char *fields)
{
    struct client *c = dial();
    char head[512];

    snprintf(head, sizeof(head), "%s %s HTTP/1.1\r\nHost: n\r\n%s\r\n", method,
             path, fields);
    send_bytes(c, slice_str(head));
    RUN_UNTIL(has(c, "\r\n\r\n") || c->ended);
    return c;
}

static struct slice body_in(struct client *c)
{
    struct slice s = { c->text, c->len };

    return slice_from(s, slice_find_slice(s, SLICE("\r\n\r\n")) + 4);
}

static void ranges(void **state)
{
    static const struct {
        const char *range;
        unsigned status;
        size_t off, n;
        const char *told;
    } cases[] = {
        { "", 200, 0, SIZE, "Content-Length: 300000\r\n" },
        { "Range: bytes=0-\r\n", 206, 0, SIZE,
          "Content-Range: bytes 0-299999/300000\r\n" },
        { "Range: bytes=0-0\r\n", 206, 0, 1,
          "Content-Range: bytes 0-0/300000\r\n" },
        { "Range: bytes=1-65536\r\n", 206, 1, 65536, "Content-Length: 65536" },
        { "Range: bytes=299999-\r\n", 206, 299999, 1, "/300000\r\n" },
        { "Range: bytes=100-999999999\r\n", 206, 100, SIZE - 100, "/300000" },
        { "Range: bytes=-5\r\n", 206, SIZE - 5, 5, "299995-299999" },
        { "Range: bytes=-999999\r\n", 206, 0, SIZE, "0-299999" },
        { "Range: bytes=300000-\r\n", 416, 0, 0,
          "Content-Range: bytes */300000\r\n" },
        { "Range: bytes=-0\r\n", 416, 0, 0, "bytes */300000\r\n" },
        { "Range: bytes=5-4\r\n", 200, 0, SIZE, "Content-Length: 300000" },
        { "Range: bytes=0-1,5-6\r\n", 200, 0, SIZE, "Content-Length: 300000" },
        { "Range: bytes=299998-99999999999999999999\r\n", 206, SIZE - 2, 2,
          "299998-299999/300000" },
        { "Range: bytes=-99999999999999999999\r\n", 206, 0, SIZE,
          "0-299999/300000" },
        { "Range: bytes=99999999999999999999-\r\n", 416, 0, 0,
          "bytes */300000\r\n" },
        { "Range: bytes=0-1x\r\n", 200, 0, SIZE, "Content-Length: 300000" },
        { "Range: bytes=-\r\n", 200, 0, SIZE, "Content-Length: 300000" },
        { "Range: lines=0-1\r\n", 200, 0, SIZE, "Content-Length: 300000" },
        { "Range: bytes=x-\r\n", 200, 0, SIZE, "Content-Length: 300000" },
        { "Range: bytes=0-1\r\nIf-Range: \"a\"\r\n", 200, 0, SIZE,
          "Content-Length: 300000" },
    };
    const char *path;
    struct client *c = dial();

    (void)state;
    upload(c, SIZE);
    hang_up(c);
    path = order();
    for (size_t i = 0; i < COUNT(cases); i++) {
        char status[32];
        uint64_t before = fake.fetched;
        unsigned whole_before = fake.fetched_whole;

        snprintf(status, sizeof(status), "HTTP/1.1 %u ", cases[i].status);
        c = fetch("GET", path, cases[i].range);
        if (cases[i].status != 416)
            RUN_UNTIL(body_in(c).n == cases[i].n);
        if (!has(c, status) || !has(c, cases[i].told))
            fail_msg("%s: %.300s", cases[i].range, c->text);
        if (cases[i].status != 416)
            assert_memory_equal(body_in(c).p, file + cases[i].off, cases[i].n);
        RUN_UNTIL(files_open() == 0);
        assert_int_equal(fake.fetched - before, cases[i].n);
        assert_int_equal(fake.fetched_whole - whole_before,
                         cases[i].n && cases[i].off + cases[i].n == SIZE);
        hang_up(c);
        c = fetch("HEAD", path, cases[i].range);
        if (!has(c, "HTTP/1.1 200 ") || has(c, "Content-Range: ") ||
            !has(c, "Content-Length: 300000\r\n") || body_in(c).n)
            fail_msg("HEAD %s: %.300s", cases[i].range, c->text);
        hang_up(c);
    }
}

/* The value of a field of the answer. */
static void value_of(const struct client *c, const char *name, char out[64])
{
    struct slice s = slice_of(c->text, c->len), line;
    size_t at = slice_find_slice(s, slice_str(name));

    if (at == s.n)
        fail_msg("no %s: %.400s", name, c->text);
    s = slice_from(s, at + strlen(name));
    slice_cut(&s, '\r', &line);
    assert_true(slice_copy(out, 64, line));
}

/* Who has the file is told so; a range of another file is all of this one. */
static void conditions(void **state)
{
    static const struct {
        const char *fields; /* %1: the tag, %2: the date */
        unsigned status;
        size_t n;
    } cases[] = {
        { "If-None-Match: %1\r\n", 304, 0 },
        { "If-None-Match: W/%1\r\n", 304, 0 },
        { "If-None-Match: \"a\", %1\r\n", 304, 0 },
        { "If-None-Match: *\r\n", 304, 0 },
        { "If-None-Match: %1\r\nRange: bytes=0-9\r\n", 304, 0 },
        { "If-None-Match: \"a\"\r\n", 200, SIZE },
        { "If-None-Match: \r\n", 200, SIZE },
        { "If-Modified-Since: %2\r\n", 304, 0 },
        { "If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n", 200, SIZE },
        { "If-Modified-Since: \r\n", 200, SIZE },
        { "If-None-Match: \"a\"\r\nIf-Modified-Since: %2\r\n", 200, SIZE },
        { "Range: bytes=0-9\r\nIf-Range: %1\r\n", 206, 10 },
        { "Range: bytes=0-9\r\nIf-Range: %2\r\n", 206, 10 },
        { "Range: bytes=0-9\r\nIf-Range: W/%1\r\n", 200, SIZE },
        { "Range: bytes=0-9\r\nIf-Range: \"a\"\r\n", 200, SIZE },
        { "Range: bytes=0-9\r\nIf-Range: \r\n", 200, SIZE },
        { "If-Range: %1\r\n", 200, SIZE },
        { "If-Match: %1\r\n", 200, SIZE },
        { "If-Match: \"a\", %1\r\nRange: bytes=0-9\r\n", 206, 10 },
        { "If-Match: *\r\n", 200, SIZE },
        { "If-Match: \"a\"\r\nRange: bytes=0-9\r\n", 412, 0 },
        { "If-Match: W/%1\r\n", 412, 0 },
        { "If-Match: \r\n", 412, 0 },
        { "If-Match: \"a\"\r\nIf-None-Match: %1\r\n", 412, 0 },
        { "If-Unmodified-Since: %2\r\n", 200, SIZE },
        { "If-Unmodified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n", 412,
          0 },
        { "If-Unmodified-Since: yesterday\r\n", 200, SIZE },
        { "If-Match: %1\r\n"
          "If-Unmodified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n", 200, SIZE },
    };
    char tag[64], date[64], status[32];
    const char *path;
    struct client *c = dial();

    (void)state;
    upload(c, SIZE);
    hang_up(c);
    path = order();
    c = fetch("HEAD", path, "");
    value_of(c, "\r\nETag: ", tag);
    value_of(c, "\r\nLast-Modified: ", date);
    assert_string_equal(date, "Fri, 15 Jan 2027 08:00:00 GMT");
    assert_true(has(c, "\r\nCache-Control: private, no-cache\r\n"));
    hang_up(c);
    for (size_t i = 0; i < COUNT(cases); i++) {
        char fields[256];
        struct writer w = writer_of(fields, sizeof(fields) - 1);

        for (const char *p = cases[i].fields; *p; p++) {
            if (*p == '%')
                writer_str(&w, *++p == '1' ? tag : date);
            else
                writer_char(&w, *p);
        }
        assert_int_equal(w.err, 0);
        fields[w.len] = '\0';
        snprintf(status, sizeof(status), "HTTP/1.1 %u ", cases[i].status);
        c = fetch("GET", path, fields);
        RUN_UNTIL(has(c, "\r\n\r\n") &&
                  (cases[i].status == 412 || body_in(c).n == cases[i].n));
        if (!has(c, status) || !has(c, tag) || !has(c, date) ||
            has(c, "Content-Length: 0") ||
            has(c, "Content-Range: ") != (cases[i].status == 206))
            fail_msg("%s: %.400s", fields, c->text);
        RUN_UNTIL(files_open() == 0);
        hang_up(c);
    }
}

/* Two in one connection; and one that stops reading is cut, and counted as what
 * it got. */
static void downloads(void **state)
{
    const char *path;
    struct client *c = dial();
    char twice[1024];

    (void)state;
    upload(c, 1000);
    hang_up(c);
    path = order();
    c = dial();
    snprintf(twice, sizeof(twice), "GET %s HTTP/1.1\r\nHost: n\r\n\r\n"
                                   "HEAD %s HTTP/1.1\r\nHost: n\r\n\r\n", path,
             path);
    send_bytes(c, slice_str(twice));
    RUN_UNTIL(slice_find_slice(slice_from(body_in(c), 1000),
                               SLICE("\r\n\r\n")) <
              slice_from(body_in(c), 1000).n);
    assert_memory_equal(body_in(c).p, file, 1000);
    assert_int_equal(fake.fetched_whole, 1);
    hang_up(c);
    c = fetch("GET", path, ""); /* goes before it has it all, or after */
    hang_up(c);
    RUN_UNTIL(files_open() == 0);
}

static void not_given(void **state)
{
    const char *path;
    char other[300], gone[200], field[160];
    struct client *c = dial();

    (void)state;
    upload(c, 1000);
    hang_up(c);
    path = order();
    slice_copy(other, sizeof(other), slice_str(path));
    other[strlen("/firmware/") + 3] ^= 1; /* of its session */
    c = fetch("GET", other, "");
    assert_true(has(c, "HTTP/1.1 401"));
    hang_up(c);
    slice_copy(other, sizeof(other), slice_str(path));
    other[strlen(other) - 1] ^= 3; /* of its signature */
    c = fetch("GET", other, "");
    assert_true(has(c, "HTTP/1.1 401"));
    hang_up(c);
    slice_copy(other, sizeof(other), slice_head(slice_str(path),
                                                slice_find(slice_str(path),
                                                           '?')));
    c = fetch("GET", other, "");
    assert_true(has(c, "HTTP/1.1 401"));
    hang_up(c);
    c = fetch("GET", other, TOKEN); /* a person may look, too */
    assert_true(has(c, "HTTP/1.1 200"));
    RUN_UNTIL(body_in(c).n == 1000 && files_open() == 0);
    assert_int_equal(fake.fetched, 0); /* the device has got nothing by that */
    hang_up(c);
    token_of("{\"name\":\"eye\",\"role\":\"operator\"}", field);
    c = fetch("GET", other, field); /* who may not list such files may not */
    assert_true(has(c, "HTTP/1.1 403"));
    hang_up(c);
    /* the file is in use; when it is over nobody may fetch it */
    snprintf(gone, sizeof(gone), "/api/v1/firmware/%s", sha);
    assert_int_equal(ask("DELETE", gone, TOKEN, ""), 409);
    fake.upgrade_state = PLATFORM_UPGRADE_SUCCEEDED;
    c = fetch("GET", path, "");
    assert_true(has(c, "HTTP/1.1 404"));
    hang_up(c);
    assert_int_equal(ask("DELETE", gone, TOKEN, ""), 204);
    assert_string_equal(removed, sha);
    assert_int_equal(ask("DELETE", gone, TOKEN, ""), 404);
    /* the disk has lost it */
    fake.upgrade_state = PLATFORM_UPGRADE_SENT;
    http_app_firmware(fx.app, sha, 1000, 1);
    snprintf(gone, sizeof(gone), "%s/%s", dir, sha);
    assert_int_equal(unlink(gone), 0);
    c = fetch("GET", path, "");
    assert_true(has(c, "HTTP/1.1 404"));
    hang_up(c);
    fx.now.utc_ms += 3600000;
    c = fetch("GET", path, "");
    assert_true(has(c, "HTTP/1.1 401"));
    hang_up(c);
}

/* ---- orders ---------------------------------------------------------------------------- */

static void orders(void **state)
{
    static const char path[] = "/api/v1/devices/" D1 "/upgrade";
    static const struct {
        const char *path, *body;
        int err;
        unsigned status;
    } cases[] = {
        { path, "{\"firmware\":\"x\",\"version\":\"V2\"}", 0, 404 },
        { path, "{\"version\":\"V2\"}", 0, 400 },
        { path, "{\"firmware\":\"f\",\"size\":\"V2\"}", 0, 400 },
        { path, "{\"firmware\":7}", 0, 400 },
        { path, "", 0, 400 },
        { path, "{\"firmware\":\"f\",\"version\":\"V2\"}", 0, 202 },
        { path, "{\"firmware\":\"f\",\"version\":\"V2\"}", GB_ESTATE, 409 },
        { path, "{\"firmware\":\"f\",\"version\":\"V2\"}", GB_EUNSUPPORTED,
          409 },
        { path, "{\"firmware\":\"f\",\"version\":\"\"}", GB_ESYNTAX, 400 },
        { path, "{\"firmware\":\"f\",\"version\":\"V2\"}", GB_ELIMIT, 503 },
        { "/api/v1/devices/x/upgrade",
          "{\"firmware\":\"f\",\"version\":\"V2\"}", GB_ENOENT, 404 },
    };
    json_t *j;

    (void)state;
    http_app_firmware(fx.app, "f", 10, 1000);
    for (size_t i = 0; i < COUNT(cases); i++) {
        fake.set_err = cases[i].err;
        if (ask("POST", cases[i].path, TOKEN, cases[i].body) !=
            cases[i].status)
            fail_msg("%s: %u %s", cases[i].body, fx.last.status, fx.last.body);
    }
    assert_string_equal(fake.upgrade_maker, "unknown");
    assert_int_equal(get("/api/v1/upgrades"), 200);
    j = body();
    expect_schema(json_array_get(json_object_get(j, "items"), 0), "Upgrade");
    json_decref(j);
    assert_int_equal(get("/api/v1/upgrades/x"), 404);
    assert_int_equal(get("/api/v1/firmware"), 200);
    j = body();
    expect_schema(json_array_get(json_object_get(j, "items"), 0), "Firmware");
    json_decref(j);
    for (unsigned i = 0; i < HTTP_FIRMWARE_MAX; i++) {
        char name[16];

        snprintf(name, sizeof(name), "n%u", i);
        http_app_firmware(fx.app, name, 1, 1);
    }
    {
        struct client *c = dial();

        send_head(c, "admin-token", 10, "");
        RUN_UNTIL(has(c, "\r\n\r\n{"));
        assert_true(has(c, "HTTP/1.1 409"));
        hang_up(c);
    }
}

/* The folder may hold anything. */
static void names(void **state)
{
#define HALF "0123456789abcdef0123456789abcdef"
    (void)state;
    assert_true(http_firmware_is_named(HALF HALF));
    assert_false(http_firmware_is_named(HALF HALF "0"));
    assert_false(http_firmware_is_named(HALF "0123456789abcdef0123456789abcdeF"));
    assert_false(http_firmware_is_named(HALF));
    assert_false(http_firmware_is_named(""));
}

#define NET(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        NET(whole),      NET(piecewise),  NET(refused),
        NET(cut_off),    NET(disk_fails), NET(ended_meanwhile),
        NET(ranges),     NET(downloads),  NET(not_given),
        NET(orders),     NET(conditions), cmocka_unit_test(names),
        cmocka_unit_test_setup_teardown(falls_silent, setup_impatient,
                                        teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
