/* Requests to the server and what it answers. */
#include "tools/ctl/ctl.h"

#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#define BODY_MAX (64u << 20)
#define LINE_MAX_BYTES (1u << 20) /* of a head, of an event */
#define PAGE "1000"

static void split_url(const char *url, char host[256], char port[8],
                      const char **path)
{
    struct slice s = slice_str(url), authority, h;
    uint32_t number = 80;

    if (slice_has_iprefix(s, SLICE("https://")))
        ctl_die_hint(EX_USAGE, "the same port speaks http:// too",
                     "%s: https is not supported by this version", url);
    if (slice_has_iprefix(s, SLICE("http://")))
        s = slice_from(s, 7);
    authority = slice_head(s, slice_find(s, '/'));
    *path = authority.n < s.n ? s.p + authority.n : "";
    if (authority.n && authority.p[0] == '[') {
        h = slice_head(authority, slice_find(authority, ']'));
        authority = slice_from(authority, h.n + 1);
        h = slice_from(h, 1);
    } else {
        h = slice_head(authority, slice_find(authority, ':'));
        authority = slice_from(authority, h.n);
    }
    if (h.n == 0 || !slice_copy(host, 256, h) ||
        (authority.n && (authority.p[0] != ':' ||
                         !slice_u32(slice_from(authority, 1), 65535,
                                    &number))))
        ctl_die(EX_USAGE, "%s: not a URL", url);
    snprintf(port, 8, "%u", number);
}

static FILE *dial(const char *host, const char *port)
{
    const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
    struct addrinfo *list, *a;
    int fd = -1, err = getaddrinfo(host, port, &hints, &list);
    FILE *f;

    if (err)
        ctl_die(EX_NOHOST, "%s: %s", host, gai_strerror(err));
    for (a = list; a && fd < 0; a = a->ai_next) {
        fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC, 0);
        if (fd >= 0 && connect(fd, a->ai_addr, a->ai_addrlen)) {
            err = errno;
            close(fd);
            fd = -1;
        }
    }
    freeaddrinfo(list);
    if (fd < 0)
        ctl_die_hint(EX_UNAVAILABLE,
                     "is the daemon running there? --url or $GB28181D_URL names "
                     "another place",
                     "%s:%s: %s", host, port, strerror(err));
    f = fdopen(fd, "r+");
    if (!f)
        ctl_die(EX_OSERR, "no memory");
    return f;
}

/* One line without its end; false at the end of the stream. */
bool ctl_read_line(FILE *f, char **line, size_t *cap, struct slice *out)
{
    ssize_t n = getline(line, cap, f);

    if (n < 0)
        return false;
    if (n > (ssize_t)LINE_MAX_BYTES)
        ctl_die(EX_PROTOCOL, "a line of the answer is too long");
    *out = slice_of(*line, (size_t)n);
    while (out->n && (out->p[out->n - 1] == '\n' ||
                      out->p[out->n - 1] == '\r'))
        out->n--;
    return true;
}

/* What follows the head may take its time: events, files. */
static void wait_at_most(FILE *f, uint32_t s)
{
    const struct timeval v = { .tv_sec = (time_t)s };

    setsockopt(fileno(f), SOL_SOCKET, SO_RCVTIMEO, &v, sizeof(v));
}

/* Of the head; false: there is none. Half a line may come before the error. */
static bool head_line(struct ctl_answer *a, char **line, size_t *cap,
                      struct slice *out)
{
    errno = 0;
    if (ctl_read_line(a->f, line, cap, out) && !ferror(a->f))
        return true;
    if (errno == EAGAIN)
        ctl_die_hint(EX_UNAVAILABLE,
                     "is the daemon running there? --url or $GB28181D_URL names "
                     "another place",
                     "%s: no answer within %u s", ctl.url, ctl.timeout_s);
    return false;
}

static void read_head(struct ctl_answer *a)
{
    char *line = NULL;
    size_t cap = 0;
    struct slice s, name;
    uint32_t status = 0;
    bool there;

    wait_at_most(a->f, ctl.timeout_s);
    if (!head_line(a, &line, &cap, &s) || s.n < 12 ||
        !slice_has_prefix(s, SLICE("HTTP/1.")) ||
        !slice_u32(slice_head(slice_from(s, 9), 3), 599, &status))
        ctl_die(EX_PROTOCOL, "the server speaks no HTTP");
    a->status = status;
    a->to_end = true;
    while ((there = head_line(a, &line, &cap, &s)) && s.n) {
        slice_cut(&s, ':', &name);
        s = slice_trim(s);
        if (slice_ieq(name, SLICE("Content-Length")))
            a->to_end = !slice_u64(s, BODY_MAX, &a->left) && a->to_end;
        else if (slice_ieq(name, SLICE("Transfer-Encoding")))
            a->chunked = slice_ieq(s, SLICE("chunked"));
    }
    if (!there)
        ctl_die(EX_PROTOCOL, "the answer broke off");
    if (a->chunked)
        a->to_end = false;
    wait_at_most(a->f, 0);
    free(line);
}

/* Dials, and writes the head of a request with a body of n bytes. */
static FILE *begin(const char *method, const char *path, const char *accept,
                   const char *type, size_t n)
{
    char host[256], port[8];
    const char *base;
    FILE *f;

    split_url(ctl.url, host, port, &base);
    f = dial(host, port);
    fprintf(f,
            "%s %s%s HTTP/1.1\r\nHost: %s%s%s:%s\r\nAccept: %s\r\n"
            "User-Agent: gbctl/" GB_VERSION "\r\nConnection: close\r\n"
            "Authorization: Bearer %s\r\nContent-Type: %s\r\n"
            "Content-Length: %zu\r\n\r\n",
            method, slice_eq(slice_str(base), SLICE("/")) ? "" : base, path,
            strchr(host, ':') ? "[" : "", host, strchr(host, ':') ? "]" : "",
            port, accept, ctl.token, type, n);
    return f;
}

struct ctl_answer ctl_request(const char *method, const char *path,
                              const char *accept)
{
    const char *body = ctl.body ? ctl.body : "";
    struct ctl_answer a = { .f = begin(method, path, accept,
                                       "application/json", strlen(body)) };

    ctl.body = NULL;
    fputs(body, a.f);
    if (fflush(a.f))
        ctl_die(EX_IOERR, "%s: %s", ctl.url, strerror(errno));
    read_head(&a);
    return a;
}

struct ctl_answer ctl_send_file(const char *path, const char *name, FILE *file)
{
    struct ctl_answer a = { 0 };
    char chunk[65536];
    struct stat st;
    size_t n;
    long size;

    if (!fstat(fileno(file), &st) && S_ISDIR(st.st_mode))
        ctl_die(EX_NOINPUT, "%s: %s", name, strerror(EISDIR));
    if (fseek(file, 0, SEEK_END) || (size = ftell(file)) < 0 ||
        fseek(file, 0, SEEK_SET))
        ctl_die(EX_NOINPUT, "%s: %s", name, strerror(errno));
    a.f = begin("POST", path, "application/json", "application/octet-stream",
                (size_t)size);
    while ((n = fread(chunk, 1, sizeof(chunk), file)) > 0 &&
           fwrite(chunk, 1, n, a.f) == n)
        ;
    fflush(a.f); /* one that is refused says why all the same */
    read_head(&a);
    return a;
}

static bool hex(struct slice s, uint64_t *v)
{
    *v = 0;
    for (size_t i = 0; i < s.n; i++) {
        char c = ascii_lower(s.p[i]);

        if (!ascii_is_digit(c) && (c < 'a' || c > 'f'))
            return i > 0; /* an extension behind it */
        if (*v >> 28)
            return false;
        *v = *v << 4 | (uint64_t)(ascii_is_digit(c) ? c - '0' : c - 'a' + 10);
    }
    return s.n > 0;
}

/* The length of the next chunk, behind the end of the one before. */
static void next_chunk(struct ctl_answer *a, bool first)
{
    char *line = NULL;
    size_t cap = 0;
    struct slice s;

    if ((!first && !ctl_read_line(a->f, &line, &cap, &s)) ||
        !ctl_read_line(a->f, &line, &cap, &s) || !hex(s, &a->left))
        ctl_die(EX_PROTOCOL, "the answer broke off");
    a->ended = a->left == 0;
    free(line);
}

/* Up to n bytes of the body; 0: its end. */
static size_t read_body(struct ctl_answer *a, char *p, size_t n, bool *begun)
{
    size_t got;

    if (a->ended)
        return 0;
    if (a->chunked && a->left == 0) {
        next_chunk(a, !*begun);
        *begun = true;
        if (a->ended)
            return 0;
    }
    if (!a->to_end && n > a->left)
        n = (size_t)a->left;
    got = n ? fread(p, 1, n, a->f) : 0;
    if (!a->to_end)
        a->left -= got;
    if (got < n || (!a->to_end && !a->chunked && a->left == 0)) {
        if (!a->to_end && a->left)
            ctl_die(EX_PROTOCOL, "the answer broke off");
        a->ended = true;
    }
    return got;
}

struct slice ctl_body(struct ctl_answer *a)
{
    size_t cap = 65536, n = 0, got;
    char *p = malloc(cap);
    bool begun = false;

    while (p && (got = read_body(a, p + n, cap - n, &begun)) > 0) {
        n += got;
        if (n > BODY_MAX)
            ctl_die(EX_PROTOCOL, "the answer is too large");
        if (n == cap) {
            char *q = realloc(p, cap *= 2);

            if (!q)
                free(p);
            p = q;
        }
    }
    if (!p)
        ctl_die(EX_OSERR, "no memory");
    fclose(a->f);
    return slice_of(p, n);
}

/* Its columns; Chinese letters take two. */
static void put_more(const char *name, const char *text)
{
    fprintf(stderr, "  %-*s %s\n", ctl.chinese ? 1 : 9, ctl_words(name), text);
}

void ctl_hint(const char *hint)
{
    put_more("hint", ctl_words(hint));
}

void ctl_problem(unsigned status, struct slice body)
{
    json_t *j = json_loadb(body.p, body.n, 0, NULL);
    static const char *const more[] = { "step", "evidence", "hint" };

    if (!j)
        ctl_die(EX_UNAVAILABLE, "status %u", status);
    fflush(stdout);
    fprintf(stderr, "gbctl: %u %s: %s\n", status, ctl_shown_of(j, "code"),
            ctl_shown(ctl_told(j, "detail")));
    for (size_t i = 0; i < (status == 401 ? 2 : 3); i++)
        if (*ctl_text(j, more[i]))
            put_more(more[i], ctl_shown(ctl_told(j, more[i])));
    if (status == 401)
        ctl_hint(*ctl.token
                     ? "is it the token of that server? it stands in admin-token "
                       "of its data directory: --token @FILE"
                     : "no token was found: --token @FILE, $GB28181D_TOKEN, "
                       CTL_TOKEN_HERE " or " CTL_TOKEN_SYSTEM
                       " (readable by root and its own user)");
    json_decref(j);
    exit(status == 401 || status == 403 ? EX_NOPERM : 1);
}

json_t *ctl_answer_json(unsigned status, struct slice body)
{
    json_error_t e;
    json_t *j = NULL;

    if (status >= 300)
        ctl_problem(status, body);
    if (body.n) {
        j = json_loadb(body.p, body.n, 0, &e);
        if (!j)
            ctl_die(EX_PROTOCOL, "the answer is no JSON: %s", e.text);
    }
    free((char *)(uintptr_t)body.p);
    return j;
}

json_t *ctl_call(const char *method, const char *path)
{
    struct ctl_answer a = ctl_request(method, path, "application/json");

    return ctl_answer_json(a.status, ctl_body(&a));
}

/* ---- paths ---- */

void ctl_escape(struct writer *w, const char *s)
{
    for (; *s; s++) {
        unsigned char c = (unsigned char)*s;

        if (ascii_is_digit(*s) || (ascii_lower(*s) >= 'a' &&
                                   ascii_lower(*s) <= 'z') ||
            c == '-' || c == '_' || c == '.')
            writer_char(w, *s);
        else
            writer_f(w, "%%%02X", c);
    }
}

void ctl_parameter(struct writer *w, const char *name, const char *value)
{
    if (!value)
        return;
    writer_f(w, "%c%s=", slice_find(writer_slice(w), '?') < w->len ? '&' : '?',
             name);
    ctl_escape(w, value);
}

const char *ctl_finished(struct writer *w)
{
    writer_char(w, '\0');
    if (w->err)
        ctl_die(EX_USAGE, "an argument is too long");
    return w->p;
}

/* All pages of a list as one object {items, total}. */
json_t *ctl_list(const char *path)
{
    json_t *all = json_object(), *items = json_array();
    char next[64] = "";

    json_object_set_new(all, "items", items);
    do {
        char text[1024];
        struct writer w = writer_of(text, sizeof(text));
        json_t *page;

        writer_str(&w, path);
        ctl_parameter(&w, "limit", PAGE);
        if (next[0])
            ctl_parameter(&w, "cursor", next);
        page = ctl_call("GET", ctl_finished(&w));
        json_array_extend(items, json_object_get(page, "items"));
        json_object_set(all, "total", json_object_get(page, "total"));
        slice_copy(next, sizeof(next), slice_str(ctl_text(page, "next")));
        json_decref(page);
    } while (next[0]);
    return all;
}

const char *ctl_path(char text[static 1024], const char *path,
                     const char *name, const char *end)
{
    struct writer w = writer_of(text, 1024);

    writer_str(&w, path);
    ctl_escape(&w, name);
    writer_str(&w, end);
    return ctl_finished(&w);
}

const char *ctl_device_path(char text[static 1024], const char *device,
                            const char *end)
{
    return ctl_path(text, "/api/v1/devices/", device, end);
}

const char *ctl_channel_path(char text[static 1024], const char *device,
                           const char *channel, const char *end)
{
    struct writer w = writer_of(text, 1024);

    writer_str(&w, "/api/v1/devices/");
    ctl_escape(&w, device);
    writer_str(&w, "/channels");
    if (channel) {
        writer_char(&w, '/');
        ctl_escape(&w, channel);
    }
    writer_str(&w, end);
    return ctl_finished(&w);
}

void ctl_follow(const char *path, void (*each)(void *ctx, const json_t *j),
                void *ctx)
{
    struct ctl_answer a = ctl_request("GET", path, "text/event-stream");
    char *line = NULL;
    struct slice s;
    size_t cap = 0;

    if (a.status != 200)
        ctl_problem(a.status, ctl_body(&a));
    if (a.chunked)
        ctl_die(EX_PROTOCOL, "cannot follow through this proxy");
    while (ctl_read_line(a.f, &line, &cap, &s)) {
        json_t *j;

        if (!slice_has_prefix(s, SLICE("data: ")))
            continue;
        s = slice_from(s, 6);
        j = json_loadb(s.p, s.n, 0, NULL);
        if (j && ctl.json)
            ctl_put_json(s.p, s.n);
        else if (j)
            each(ctx, j);
        json_decref(j);
        fflush(stdout);
    }
    free(line);
    fclose(a.f);
    ctl_die(EX_UNAVAILABLE, "the server has gone");
}
