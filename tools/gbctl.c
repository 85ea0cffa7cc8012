/* gbctl - command-line client of the API */
#include "app/trace/ladder.h"
#include "base/slice.h"

#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <netdb.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <unistd.h>

#define DEFAULT_URL "http://127.0.0.1:28181"
#define TOKEN_HERE "./gb28181d-data/admin-token"
#define TOKEN_SYSTEM "/var/lib/gb28181d/admin-token"
#define TOKEN_MAX 256
#define BODY_MAX (64u << 20)
#define LINE_MAX_BYTES (1u << 20) /* of a head, of an event */
#define PAGE "1000"
#define TRACE_LIMIT "500"
#define SHOWN 8 /* cleaned texts at once */

static const char usage[] =
    "usage: gbctl [options] COMMAND\n"
    "\n"
    "  devices               known devices\n"
    "  channels ID           channels of a device\n"
    "  tree ID [NODE]        its catalog as a tree, or what is below a node\n"
    "  changes ID            when it came and went, and why\n"
    "  profile ID            what it has been seen to do (JSON)\n"
    "  send ID CMD [NAME=VALUE ...]\n"
    "                        a query, DeviceControl or DeviceConfig; NAME is an\n"
    "                        element (HomePosition.Enabled), extra.NAME one that\n"
    "                        the standard does not have, NAME:=JSON anything\n"
    "      --channel ID      to this channel in place of the device\n"
    "      --edition YEAR    as this edition writes it\n"
    "  commands [ID [CMD]]   the last of these; of a device, of one kind\n"
    "  ptz ID CHANNEL ACTION [NAME=NUMBER ...]\n"
    "                        left, right, up, down, zoom_in, focus_far, ...,\n"
    "                        stop, cruise_start, wiper_on, ...; speed=1 to 255\n"
    "  presets ID CHANNEL    what the camera has\n"
    "  preset ID CHANNEL N [call | set [NAME] | delete]\n"
    "  config ID [CHANNEL] TYPE[/TYPE ...]\n"
    "                        settings as the device has them: BasicParam, ...\n"
    "  configure ID [CHANNEL] TYPE.NAME=VALUE ...\n"
    "                        changes settings of one type\n"
    "  guard ID [CHANNEL] [set | reset]\n"
    "                        arms or disarms; what is armed\n"
    "  alarm-reset ID [CHANNEL]\n"
    "  records ID CHANNEL FROM TO\n"
    "                        what it has recorded, 2026-01-02T03:04:05\n"
    "  play ID CHANNEL       start live, print its URLs\n"
    "  stop ID CHANNEL       stop it\n"
    "  webhooks              where events are sent, and how that goes\n"
    "  webhook add NAME URL [EVENT,EVENT ...]\n"
    "                        prints the secret that signs them\n"
    "  webhook remove | test NAME\n"
    "  firmware              files that were uploaded\n"
    "  firmware add FILE     uploads one\n"
    "  firmware remove SHA256\n"
    "  upgrade ID SHA256 VERSION [MANUFACTURER]\n"
    "                        orders a device to fetch and install one\n"
    "  upgrades              what has become of these\n"
    "  sessions              media sessions\n"
    "  alarms                the last alarms\n"
    "  pending               unknown ids that knocked\n"
    "  listeners             what each SIP listener has received\n"
    "  trace                 SIP messages as a ladder\n"
    "      --device ID       of one device\n"
    "      --callid ID       of one call\n"
    "      --since S         from a time (2026-01-02T03:04:05Z) or back from\n"
    "                        now (90s, 10m, 2h, 1d)\n"
    "      --limit N         the newest N messages (500)\n"
    "      --text            whole messages in place of the ladder\n"
    "      --follow          go on with what comes\n"
    "      --pcap FILE       write a capture (pcapng); - is standard output\n"
    "\n"
    "  --url URL             of the server (" DEFAULT_URL ", or $GB28181D_URL)\n"
    "  --token T | @FILE     API token ($GB28181D_TOKEN, " TOKEN_HERE ")\n"
    "  --json                print what the API answers, for machines\n"
    "  --version, --help\n";

static struct {
    const char *url, *token_option;
    char token[TOKEN_MAX];
    bool json, chinese;
    /* of trace */
    const char *device, *call_id, *since, *limit, *pcap;
    const char *channel, *edition; /* of send */
    const char *body; /* of the next request, JSON; NULL: none */
    bool follow, text;
} o = { .limit = TRACE_LIMIT };

static void die(int code, const char *fmt, ...)
    __attribute__((format(printf, 2, 3), noreturn));

static void die(int code, const char *fmt, ...)
{
    va_list ap;

    fflush(stdout);
    fputs("gbctl: ", stderr);
    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    fputc('\n', stderr);
    exit(code);
}

/* ---- HTTP ---- */

/* An answer whose head has been read. */
struct answer {
    FILE *f;
    unsigned status;
    bool chunked, to_end; /* to_end: until the connection closes */
    uint64_t left;        /* of the body, or of its chunk */
    bool ended;
};

static void split_url(const char *url, char host[256], char port[8],
                      const char **path)
{
    struct slice s = slice_str(url), authority, h;
    uint32_t number = 80;

    if (slice_has_iprefix(s, SLICE("https://")))
        die(EX_USAGE, "%s: https is not supported by this version", url);
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
        die(EX_USAGE, "%s: not a URL", url);
    snprintf(port, 8, "%u", number);
}

static FILE *dial(const char *host, const char *port)
{
    const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
    struct addrinfo *list, *a;
    int fd = -1, err = getaddrinfo(host, port, &hints, &list);
    FILE *f;

    if (err)
        die(EX_NOHOST, "%s: %s", host, gai_strerror(err));
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
        die(EX_UNAVAILABLE, "%s:%s: %s", host, port, strerror(err));
    f = fdopen(fd, "r+");
    if (!f)
        die(EX_OSERR, "no memory");
    return f;
}

/* One line without its end; false at the end of the stream. */
static bool read_line(FILE *f, char **line, size_t *cap, struct slice *out)
{
    ssize_t n = getline(line, cap, f);

    if (n < 0)
        return false;
    if (n > (ssize_t)LINE_MAX_BYTES)
        die(EX_PROTOCOL, "a line of the answer is too long");
    *out = slice_of(*line, (size_t)n);
    while (out->n && (out->p[out->n - 1] == '\n' ||
                      out->p[out->n - 1] == '\r'))
        out->n--;
    return true;
}

static void read_head(struct answer *a)
{
    char *line = NULL;
    size_t cap = 0;
    struct slice s, name;
    uint32_t status = 0;

    if (!read_line(a->f, &line, &cap, &s) || s.n < 12 ||
        !slice_has_prefix(s, SLICE("HTTP/1.")) ||
        !slice_u32(slice_head(slice_from(s, 9), 3), 599, &status))
        die(EX_PROTOCOL, "the server speaks no HTTP");
    a->status = status;
    a->to_end = true;
    while (read_line(a->f, &line, &cap, &s) && s.n) {
        slice_cut(&s, ':', &name);
        s = slice_trim(s);
        if (slice_ieq(name, SLICE("Content-Length")))
            a->to_end = !slice_u64(s, BODY_MAX, &a->left) && a->to_end;
        else if (slice_ieq(name, SLICE("Transfer-Encoding")))
            a->chunked = slice_ieq(s, SLICE("chunked"));
    }
    if (a->chunked)
        a->to_end = false;
    free(line);
}

static struct answer request(const char *method, const char *path,
                             const char *accept)
{
    struct answer a = { 0 };
    char host[256], port[8];
    const char *base;

    split_url(o.url, host, port, &base);
    a.f = dial(host, port);
    fprintf(a.f,
            "%s %s%s HTTP/1.1\r\nHost: %s%s%s:%s\r\nAccept: %s\r\n"
            "User-Agent: gbctl/" GB_VERSION "\r\nConnection: close\r\n"
            "Authorization: Bearer %s\r\nContent-Type: application/json\r\n"
            "Content-Length: %zu\r\n\r\n%s",
            method, slice_eq(slice_str(base), SLICE("/")) ? "" : base, path,
            strchr(host, ':') ? "[" : "", host, strchr(host, ':') ? "]" : "",
            port, accept, o.token, o.body ? strlen(o.body) : 0,
            o.body ? o.body : "");
    o.body = NULL;
    if (fflush(a.f))
        die(EX_IOERR, "%s: %s", host, strerror(errno));
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
static void next_chunk(struct answer *a, bool first)
{
    char *line = NULL;
    size_t cap = 0;
    struct slice s;

    if ((!first && !read_line(a->f, &line, &cap, &s)) ||
        !read_line(a->f, &line, &cap, &s) || !hex(s, &a->left))
        die(EX_PROTOCOL, "the answer broke off");
    a->ended = a->left == 0;
    free(line);
}

/* Up to n bytes of the body; 0: its end. */
static size_t read_body(struct answer *a, char *p, size_t n, bool *begun)
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
            die(EX_PROTOCOL, "the answer broke off");
        a->ended = true;
    }
    return got;
}

static struct slice whole_body(struct answer *a)
{
    size_t cap = 65536, n = 0, got;
    char *p = malloc(cap);
    bool begun = false;

    while (p && (got = read_body(a, p + n, cap - n, &begun)) > 0) {
        n += got;
        if (n > BODY_MAX)
            die(EX_PROTOCOL, "the answer is too large");
        if (n == cap) {
            char *q = realloc(p, cap *= 2);

            if (!q)
                free(p);
            p = q;
        }
    }
    if (!p)
        die(EX_OSERR, "no memory");
    fclose(a->f);
    return slice_of(p, n);
}

/* ---- answers ---- */

static const char *text_of(const json_t *o_, const char *key)
{
    const char *s = json_string_value(json_object_get(o_, key));

    return s ? s : "";
}

/* The bytes at s that a terminal would take for more than text: C0 and DEL,
 * and C1, which is two in UTF-8. */
static size_t control_at(const char *s)
{
    unsigned char c = (unsigned char)s[0], next = c ? (unsigned char)s[1] : 0;

    if (c < 0x20 || c == 0x7f)
        return 1;
    return c == 0xc2 && next >= 0x80 && next <= 0x9f ? 2 : 0;
}

/* What a peer wrote, with ? for what would steer the terminal. Valid for the
 * next SHOWN - 1 calls. */
static const char *shown(const char *s)
{
    static char *ring[SHOWN];
    static unsigned at;
    char *out = realloc(ring[at], strlen(s) + 1), *to = out;

    if (!out)
        die(EX_OSERR, "no memory");
    ring[at] = out;
    at = (at + 1) % SHOWN;
    while (*s) {
        size_t n = control_at(s);

        *to++ = n ? '?' : *s;
        s += n ? n : 1;
    }
    *to = '\0';
    return out;
}

static const char *shown_of(const json_t *o_, const char *key)
{
    return shown(text_of(o_, key));
}

static void problem(unsigned status, struct slice body)
{
    json_t *j = json_loadb(body.p, body.n, 0, NULL);
    static const char *const more[] = { "step", "evidence", "hint" };

    if (!j)
        die(EX_UNAVAILABLE, "status %u", status);
    fflush(stdout);
    fprintf(stderr, "gbctl: %u %s: %s\n", status, shown_of(j, "code"),
            shown_of(j, "detail"));
    for (size_t i = 0; i < 3; i++)
        if (*text_of(j, more[i]))
            fprintf(stderr, "  %-9s %s\n", more[i], shown_of(j, more[i]));
    json_decref(j);
    exit(status == 401 || status == 403 ? EX_NOPERM : 1);
}

/* The JSON of an answer, NULL for none; ends the program with what the server
 * says when it says no. */
static json_t *call(const char *method, const char *path)
{
    struct answer a = request(method, path, "application/json");
    struct slice body = whole_body(&a);
    json_error_t e;
    json_t *j = NULL;

    if (a.status >= 300)
        problem(a.status, body);
    if (body.n) {
        j = json_loadb(body.p, body.n, 0, &e);
        if (!j)
            die(EX_PROTOCOL, "the answer is no JSON: %s", e.text);
    }
    free((char *)(uintptr_t)body.p);
    return j;
}

static void escape(struct writer *w, const char *s)
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

static void parameter(struct writer *w, const char *name, const char *value)
{
    if (!value)
        return;
    writer_f(w, "%c%s=", slice_find(writer_slice(w), '?') < w->len ? '&' : '?',
             name);
    escape(w, value);
}

static const char *finished(struct writer *w)
{
    writer_char(w, '\0');
    if (w->err)
        die(EX_USAGE, "an argument is too long");
    return w->p;
}

/* All pages of a list as one object {items, total}. */
static json_t *list(const char *path)
{
    json_t *all = json_object(), *items = json_array();
    char next[64] = "";

    json_object_set_new(all, "items", items);
    do {
        char text[1024];
        struct writer w = writer_of(text, sizeof(text));
        json_t *page;

        writer_str(&w, path);
        parameter(&w, "limit", PAGE);
        if (next[0])
            parameter(&w, "cursor", next);
        page = call("GET", finished(&w));
        json_array_extend(items, json_object_get(page, "items"));
        json_object_set(all, "total", json_object_get(page, "total"));
        slice_copy(next, sizeof(next), slice_str(text_of(page, "next")));
        json_decref(page);
    } while (next[0]);
    return all;
}

/* JSON, in which DEL and C1 are written as what they are called. */
static void put_json(const char *s, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        size_t n = (unsigned char)s[i] < 0x20 ? 0 : control_at(s + i);

        if (n)
            printf("\\u%04x", (unsigned char)s[i + n - 1]);
        else
            putchar(s[i]);
        i += n == 2;
    }
    putchar('\n');
}

static void dump(const json_t *j)
{
    char *text = json_dumps(j, JSON_INDENT(2));

    if (!text)
        die(EX_OSERR, "no memory");
    put_json(text, strlen(text));
    free(text);
}

/* ---- tables ---- */

struct column {
    const char *key, *english, *chinese;
};

/* Columns of a terminal: UTF-8, wide from U+1100 as East Asian text is. */
static size_t columns_of(const char *s)
{
    size_t n = 0;

    for (; *s; s++) {
        unsigned char c = (unsigned char)*s;

        if ((c & 0xc0) != 0x80)
            n += c >= 0xe1 ? 2 : 1;
    }
    return n;
}

static const char *cell(const json_t *item, const char *key, char buf[32])
{
    json_t *v = json_object_get(item, key);

    if (json_is_integer(v))
        snprintf(buf, 32, "%lld", (long long)json_integer_value(v));
    else if (json_is_boolean(v))
        snprintf(buf, 32, "%s", json_is_true(v) ? (o.chinese ? "是" : "yes")
                                                : (o.chinese ? "否" : "no"));
    else
        return json_is_string(v) ? json_string_value(v) : "-";
    return buf;
}

static void pad(size_t n)
{
    for (; n; n--)
        putchar(' ');
}

static void table(const json_t *j, const struct column *c, size_t n)
{
    const json_t *items = json_object_get(j, "items"), *item;
    size_t width[16] = { 0 }, i;
    char buf[32];

    for (size_t k = 0; k < n; k++) {
        width[k] = columns_of(o.chinese ? c[k].chinese : c[k].english);
        json_array_foreach(items, i, item) {
            size_t w = columns_of(cell(item, c[k].key, buf));

            width[k] = w > width[k] ? w : width[k];
        }
    }
    for (size_t k = 0; k < n; k++) {
        const char *h = o.chinese ? c[k].chinese : c[k].english;

        fputs(h, stdout);
        pad(k + 1 < n ? width[k] + 2 - columns_of(h) : 0);
    }
    putchar('\n');
    json_array_foreach(items, i, item) {
        for (size_t k = 0; k < n; k++) {
            const char *text = cell(item, c[k].key, buf);

            fputs(shown(text), stdout);
            pad(k + 1 < n ? width[k] + 2 - columns_of(text) : 0);
        }
        putchar('\n');
    }
}

static const struct column devices[] = {
    { "id", "DEVICE", "设备" },
    { "name", "NAME", "名称" },
    { "online", "ONLINE", "在线" },
    { "transport", "OVER", "传输" },
    { "address", "ADDRESS", "地址" },
    { "channels", "CHANNELS", "通道数" },
    { "keepalive_at", "KEEPALIVE", "心跳" },
    { "state_reason", "REASON", "原因" },
};
static const struct column channels[] = {
    { "id", "CHANNEL", "通道" },   { "name", "NAME", "名称" },
    { "status", "STATUS", "状态" }, { "parent", "PARENT", "上级" },
    { "session", "SESSION", "会话" },
};
static const struct column sessions[] = {
    { "id", "SESSION", "会话" },     { "device", "DEVICE", "设备" },
    { "channel", "CHANNEL", "通道" }, { "state", "STATE", "状态" },
    { "step", "STEP", "步骤" },      { "transport", "OVER", "传输" },
    { "video", "VIDEO", "视频" },    { "consumers", "VIEWERS", "观看" },
    { "packets", "PACKETS", "包数" }, { "lost", "LOST", "丢包" },
    { "evidence", "EVIDENCE", "依据" },
};
static const struct column alarms[] = {
    { "received_at", "TIME", "时间" }, { "device", "DEVICE", "设备" },
    { "channel", "CHANNEL", "通道" },  { "priority", "PRIORITY", "级别" },
    { "method", "METHOD", "方式" },    { "type", "TYPE", "类型" },
    { "description", "DESCRIPTION", "描述" },
};
static const struct column pending[] = {
    { "id", "ID", "编号" },           { "address", "ADDRESS", "地址" },
    { "transport", "OVER", "传输" },  { "tries", "TRIES", "次数" },
    { "last_at", "LAST", "最近" },    { "reason", "REASON", "原因" },
    { "user_agent", "USER-AGENT", "软件" },
};
static const struct column listeners[] = {
    { "address", "LISTENER", "监听" },
    { "received", "RECEIVED", "收到" },
    { "last_at", "LAST", "最近" },
    { "last_from", "FROM", "来源" },
    { "malformed", "MALFORMED", "错误" },
    { "malformed_from", "FROM", "来源" },
    { "malformed_why", "WHY", "原因" },
};

#define SHOW(path, columns) show(path, columns, sizeof(columns) / sizeof(columns[0]))

static int show(const char *path, const struct column *c, size_t n)
{
    json_t *j = list(path);

    if (o.json)
        dump(j);
    else
        table(j, c, n);
    json_decref(j);
    return EX_OK;
}

/* ---- devices and commands ---- */

#define COMMAND_WAIT_S 90 /* a silent device: two tries and their times */
#define TREE_DEPTH 32

static const struct column changes[] = {
    { "time", "TIME", "时间" },
    { "online", "ONLINE", "在线" },
    { "cause", "CAUSE", "原因" },
};

static const struct column commands[] = {
    { "id", "ID", "编号" },         { "asked_at", "TIME", "时间" },
    { "device", "DEVICE", "设备" }, { "cmd", "COMMAND", "命令" },
    { "sub", "", "" },              { "state", "STATE", "状态" },
    { "evidence", "EVIDENCE", "依据" },
};

static const char *device_path(char text[1024], const char *device,
                               const char *end)
{
    struct writer w = writer_of(text, 1024);

    writer_str(&w, "/api/v1/devices/");
    escape(&w, device);
    writer_str(&w, end);
    return finished(&w);
}

static const char *tree_path(char text[2048], const char *device,
                             const char *node)
{
    char path[1024];
    struct writer w = writer_of(text, 2048);

    writer_str(&w, device_path(path, device, "/tree?limit=10000"));
    if (node) {
        writer_str(&w, "&parent=");
        escape(&w, node);
    }
    return finished(&w);
}

static void print_node(const json_t *n, unsigned depth)
{
    bool known = json_is_boolean(json_object_get(n, "online"));
    bool online = json_is_true(json_object_get(n, "online"));

    printf("%*s%s  %s  %s%s", (int)(2 * depth), "", shown_of(n, "id"),
           shown_of(n, "name"), shown_of(n, "kind"),
           known && !online ? o.chinese ? "  离线" : "  offline" : "");
}

/* What is below node. A node may have several parents; what is below it is
 * printed once, under the first: `seen` has it as a name then. */
static void print_tree(const char *device, const char *node, unsigned depth,
                       json_t *seen)
{
    char path[2048];
    json_t *j = call("GET", tree_path(path, device, node)), *n;
    size_t i;

    json_array_foreach(json_object_get(j, "items"), i, n) {
        const char *id = text_of(n, "id");
        bool more = json_integer_value(json_object_get(n, "children")) != 0;
        bool again = more && json_object_get(seen, id);

        print_node(n, depth);
        printf("%s\n", again ? o.chinese ? "  （见上）" : "  (as above)" : "");
        if (!more || again || depth >= TREE_DEPTH)
            continue;
        json_object_set_new(seen, id, json_true());
        print_tree(device, id, depth + 1, seen);
    }
    json_decref(j);
}

static int tree(const char *device, const char *node)
{
    char path[2048];

    if (o.json) {
        json_t *j = call("GET", tree_path(path, device, node));

        dump(j);
        json_decref(j);
    } else {
        json_t *seen = json_object();

        if (node)
            json_object_set_new(seen, node, json_true());
        print_tree(device, node, 0, seen);
        json_decref(seen);
    }
    return EX_OK;
}

static int show_object(const char *path)
{
    json_t *j = call("GET", path);

    dump(j);
    json_decref(j);
    return EX_OK;
}

/* The object that a dotted name is in, made when it is not there; *last: what
 * is behind the last dot. */
static json_t *object_of(json_t *at, struct slice name, char last[static 64])
{
    struct slice head;

    while (slice_cut(&name, '.', &head)) {
        json_t *below;

        if (!slice_copy(last, 64, head) || !head.n)
            return NULL;
        below = json_object_get(at, last);
        if (!below) {
            below = json_object();
            json_object_set_new(at, last, below);
        }
        if (!json_is_object(below))
            return NULL;
        at = below;
    }
    return head.n && slice_copy(last, 64, head) ? at : NULL;
}

/* NAME=VALUE, a text, or NAME:=JSON. */
static void put_argument(json_t *to, const char *arg)
{
    struct slice value = slice_str(arg), name;
    bool is_json;
    char last[64];
    json_t *at, *v;

    if (!slice_cut(&value, '=', &name))
        die(EX_USAGE, "%s: not NAME=VALUE", arg);
    is_json = name.n && name.p[name.n - 1] == ':';
    name.n -= is_json;
    at = object_of(to, name, last);
    v = is_json ? json_loadb(value.p, value.n, JSON_DECODE_ANY, NULL)
                : json_stringn(value.p, value.n);
    if (!at || !v)
        die(EX_USAGE, "%s: not %s", arg,
            !at       ? "NAME=VALUE"
            : is_json ? "JSON"
                      : "UTF-8");
    json_object_set_new(at, last, v);
}

static char *text_of_json(json_t *j)
{
    char *text = json_dumps(j, JSON_COMPACT);

    json_decref(j);
    if (!text)
        die(EX_DATAERR, "the command is no UTF-8");
    return text;
}

/* {"cmd":…,"params":{NAME:VALUE,…},"extra":…} */
static char *order_of(char **arg, int n)
{
    json_t *all = json_object(), *j = json_object(), *extra;

    json_object_set_new(j, "cmd", json_string(arg[0]));
    for (int i = 1; i < n; i++)
        put_argument(all, arg[i]);
    extra = json_object_get(all, "extra");
    if (extra)
        json_object_set(j, "extra", extra);
    json_object_del(all, "extra");
    json_object_set_new(j, "params", all);
    if (o.channel)
        json_object_set_new(j, "channel", json_string(o.channel));
    if (o.edition)
        json_object_set_new(j, "edition", json_string(o.edition));
    return text_of_json(j);
}

/* NAME=VALUE pairs as one object. */
static char *object_text(char **arg, int n)
{
    json_t *j = json_object();

    for (int i = 0; i < n; i++)
        put_argument(j, arg[i]);
    return text_of_json(j);
}

static json_t *wait_command(json_t *j)
{
    char path[128];

    for (int i = 0; i < 4 * COMMAND_WAIT_S &&
                    !json_is_true(json_object_get(j, "final")); i++) {
        usleep(i < 20 ? 50000 : 250000);
        snprintf(path, sizeof(path), "/api/v1/commands/%s", text_of(j, "id"));
        json_decref(j);
        j = call("GET", path);
    }
    return j;
}

/* Waits for what becomes of it; 0 when the device did it, as far as it says. */
static int show_command(json_t *j)
{
    bool good;

    j = wait_command(j);
    good = slice_eq(slice_str(text_of(j, "state")), SLICE("answered")) ||
           slice_eq(slice_str(text_of(j, "state")), SLICE("arrived"));
    if (o.json) {
        dump(j);
    } else {
        printf("%s%s%s\n", shown_of(j, "state"),
               *text_of(j, "evidence") ? ": " : "", shown_of(j, "evidence"));
        if (json_array_size(json_object_get(j, "answer")))
            dump(json_object_get(j, "answer"));
    }
    json_decref(j);
    return good ? EX_OK : EX_UNAVAILABLE;
}

static int send_command(const char *device, char **arg, int n)
{
    char path[1024], *body = order_of(arg, n);
    int code;

    o.body = body;
    code = show_command(call("POST", device_path(path, device, "/commands")));
    free(body);
    return code;
}

static int show_commands(char **arg, int n)
{
    char text[1024];
    struct writer w = writer_of(text, sizeof(text));

    writer_str(&w, "/api/v1/commands");
    parameter(&w, "device", n > 0 ? arg[0] : NULL);
    parameter(&w, "cmd", n > 1 ? arg[1] : NULL);
    return SHOW(finished(&w), commands);
}

/* ---- webhooks ---- */

static const struct column webhooks[] = {
    { "name", "WEBHOOK", "回调" },     { "url", "URL", "地址" },
    { "state", "STATE", "状态" },      { "delivered", "DELIVERED", "已送达" },
    { "queued", "QUEUED", "排队" },    { "dropped", "DROPPED", "丢弃" },
    { "failures", "FAILURES", "失败" }, { "why", "WHY", "原因" },
};

static const char *under(char text[1024], const char *path, const char *name,
                         const char *end)
{
    struct writer w = writer_of(text, 1024);

    writer_str(&w, path);
    escape(&w, name);
    writer_str(&w, end);
    return finished(&w);
}

static int add_webhook(const char *name, const char *url, const char *events)
{
    json_t *j = json_object(), *list_ = json_array();
    struct slice rest = slice_str(events), one;
    char *body;

    while (rest.n) {
        slice_cut(&rest, ',', &one);
        json_array_append_new(list_, json_stringn(one.p, one.n));
    }
    json_object_set_new(j, "name", json_string(name));
    json_object_set_new(j, "url", json_string(url));
    json_object_set_new(j, "events", list_);
    o.body = body = json_dumps(j, JSON_COMPACT);
    json_decref(j);
    if (!body)
        die(EX_DATAERR, "an argument is no UTF-8");
    j = call("POST", "/api/v1/webhooks");
    free(body);
    if (o.json)
        dump(j);
    else
        printf("secret %s\n", shown_of(j, "secret"));
    json_decref(j);
    return EX_OK;
}

static int webhook(char **arg, int n)
{
    struct slice what = slice_str(arg[0]);
    char text[1024];

    if ((n == 3 || n == 4) && slice_eq(what, SLICE("add")))
        return add_webhook(arg[1], arg[2], n == 4 ? arg[3] : NULL);
    if (n == 2 && slice_eq(what, SLICE("remove"))) {
        call("DELETE", under(text, "/api/v1/webhooks/", arg[1], ""));
        return EX_OK;
    }
    if (n == 2 && slice_eq(what, SLICE("test"))) {
        call("POST", under(text, "/api/v1/webhooks/", arg[1], "/test"));
        return EX_OK;
    }
    fputs(usage, stderr);
    return EX_USAGE;
}

/* ---- firmware ---- */

static const struct column firmware_files[] = {
    { "sha256", "SHA256", "校验" },
    { "size", "SIZE", "大小" },
    { "uploaded_at", "UPLOADED", "上传" },
};
static const struct column upgrades[] = {
    { "asked_at", "TIME", "时间" },   { "device", "DEVICE", "设备" },
    { "version", "VERSION", "版本" }, { "state", "STATE", "状态" },
    { "runs", "RUNS", "运行" },       { "fetched_bytes", "BYTES", "字节" },
    { "evidence", "EVIDENCE", "依据" },
};

/* The body is the file; the head says how long it is. */
static int upload(const char *path)
{
    char host[256], port[8], chunk[65536];
    const char *base;
    struct answer a = { 0 };
    struct slice body;
    FILE *f = fopen(path, "rb");
    size_t n;
    long size;

    if (!f || fseek(f, 0, SEEK_END) || (size = ftell(f)) < 0 ||
        fseek(f, 0, SEEK_SET))
        die(EX_NOINPUT, "%s: %s", path, strerror(errno));
    split_url(o.url, host, port, &base);
    a.f = dial(host, port);
    fprintf(a.f,
            "POST %s/api/v1/firmware HTTP/1.1\r\nHost: %s%s%s:%s\r\n"
            "User-Agent: gbctl/" GB_VERSION "\r\nConnection: close\r\n"
            "Authorization: Bearer %s\r\nContent-Length: %ld\r\n"
            "Content-Type: application/octet-stream\r\n\r\n",
            slice_eq(slice_str(base), SLICE("/")) ? "" : base,
            strchr(host, ':') ? "[" : "", host, strchr(host, ':') ? "]" : "",
            port, o.token, size);
    while ((n = fread(chunk, 1, sizeof(chunk), f)) > 0 &&
           fwrite(chunk, 1, n, a.f) == n)
        ;
    fflush(a.f); /* one that is refused says why all the same */
    fclose(f);
    read_head(&a);
    body = whole_body(&a);
    if (a.status >= 300)
        problem(a.status, body);
    fwrite(body.p, 1, body.n, stdout);
    putchar('\n');
    free((char *)(uintptr_t)body.p);
    return EX_OK;
}

static int upgrade(char **arg, int n)
{
    static const char *const keys[] = { "firmware", "version",
                                        "manufacturer" };
    char text[1024], *body;
    json_t *j = json_object();

    for (int i = 1; i < n; i++)
        json_object_set_new(j, keys[i - 1], json_string(arg[i]));
    o.body = body = json_dumps(j, JSON_COMPACT);
    json_decref(j);
    if (!body)
        die(EX_DATAERR, "an argument is no UTF-8");
    j = call("POST", device_path(text, arg[0], "/upgrade"));
    free(body);
    if (o.json)
        dump(j);
    else
        printf("session %s\n", shown_of(j, "session"));
    json_decref(j);
    return EX_OK;
}

static int firmware(char **arg, int n)
{
    char text[1024];

    if (n == 0)
        return SHOW("/api/v1/firmware", firmware_files);
    if (n == 2 && slice_eq(slice_str(arg[0]), SLICE("add")))
        return upload(arg[1]);
    if (n == 2 && slice_eq(slice_str(arg[0]), SLICE("remove"))) {
        call("DELETE", under(text, "/api/v1/firmware/", arg[1], ""));
        return EX_OK;
    }
    fputs(usage, stderr);
    return EX_USAGE;
}

/* ---- cameras that turn, settings, guard ---- */

static const char *path_of(char text[1024], const char *device,
                           const char *channel, const char *end);

/* A request with a body (NULL: none), which is freed, and its command. */
static int ask_channel(const char *method, const char *device,
                       const char *channel, const char *end, char *body)
{
    char path[1024];
    int code;

    o.body = body;
    code = show_command(call(method, path_of(path, device, channel, end)));
    free(body);
    return code;
}

/* ACTION [NAME=NUMBER ...] */
static int ptz(const char *device, const char *channel, char **arg, int n)
{
    json_t *j = json_object();

    json_object_set_new(j, "action", json_string(arg[0]));
    for (int i = 1; i < n; i++) {
        struct slice value = slice_str(arg[i]), name;
        char key[64];
        uint32_t v;
        bool minus;

        if (!slice_cut(&value, '=', &name) || !value.n ||
            !slice_copy(key, sizeof(key), name))
            die(EX_USAGE, "%s: not NAME=NUMBER", arg[i]);
        minus = value.p[0] == '-';
        if (slice_u32(slice_from(value, minus), INT32_MAX, &v))
            json_object_set_new(j, key, json_integer(minus ? -(json_int_t)v
                                                           : v));
        else
            json_object_set_new(j, key, json_string(value.p));
    }
    return ask_channel("POST", device, channel, "/ptz", text_of_json(j));
}

static int preset(const char *device, const char *channel, char **arg, int n)
{
    struct slice what = slice_str(n > 1 ? arg[1] : "call");
    char end[64];
    json_t *name;
    int len = snprintf(end, sizeof(end), "/presets/%.40s", arg[0]);

    if (slice_eq(what, SLICE("call"))) {
        snprintf(end + len, sizeof(end) - (size_t)len, "/call");
        return ask_channel("POST", device, channel, end, NULL);
    }
    if (slice_eq(what, SLICE("delete")))
        return ask_channel("DELETE", device, channel, end, NULL);
    if (!slice_eq(what, SLICE("set")))
        die(EX_USAGE, "%s: not call, set or delete", what.p);
    name = json_object();
    if (n > 2)
        json_object_set_new(name, "name", json_string(arg[2]));
    return ask_channel("PUT", device, channel, end, text_of_json(name));
}

static int config(const char *device, const char *target, const char *types)
{
    char text[600];
    struct writer w = writer_of(text, sizeof(text));

    writer_str(&w, "/config");
    parameter(&w, "type", types);
    return ask_channel("GET", device, target, finished(&w), NULL);
}

static bool is_assignment(const char *arg)
{
    return slice_find(slice_str(arg), '=') < slice_str(arg).n;
}

/* [CHANNEL] TYPE.NAME=VALUE ... */
static int configure(const char *device, char **arg, int n)
{
    bool has_channel = !is_assignment(arg[0]);
    const char *target = has_channel ? arg[0] : device;

    if (n == has_channel)
        die(EX_USAGE, "no TYPE.NAME=VALUE");
    return ask_channel("PATCH", device, target, "/config",
                       object_text(arg + has_channel, n - has_channel));
}

static const struct column guards[] = {
    { "target", "TARGET", "对象" }, { "duty", "STATE", "状态" },
    { "from", "FROM", "来源" },     { "time", "TIME", "时间" },
};

/* [CHANNEL] [set | reset] */
static int guard(const char *device, char **arg, int n)
{
    struct slice last = slice_str(n ? arg[n - 1] : "");
    bool is_set = slice_eq(last, SLICE("set"));
    char path[1024];

    if (!is_set && !slice_eq(last, SLICE("reset"))) {
        if (n)
            die(EX_USAGE, "%s: not set or reset", last.p);
        return SHOW(device_path(path, device, "/guard"), guards);
    }
    return ask_channel("POST", device, n > 1 ? arg[0] : device, "/guard",
                       text_of_json(json_pack("{s:s}", "GuardCmd",
                                              is_set ? "SetGuard"
                                                     : "ResetGuard")));
}

static int records(const char *device, char **arg)
{
    char start[64], end[64];
    char *order[] = { (char[]){ "RecordInfo" }, start, end,
                      (char[]){ "Type=all" }, (char[]){ "Secrecy=0" } };

    o.channel = arg[0];
    snprintf(start, sizeof(start), "StartTime=%.40s", arg[1]);
    snprintf(end, sizeof(end), "EndTime=%.40s", arg[2]);
    return send_command(device, order, 5);
}

/* ---- live ---- */

static const char *path_of(char text[1024], const char *device,
                           const char *channel, const char *end)
{
    struct writer w = writer_of(text, 1024);

    writer_str(&w, "/api/v1/devices/");
    escape(&w, device);
    writer_str(&w, "/channels");
    if (channel) {
        writer_char(&w, '/');
        escape(&w, channel);
    }
    writer_str(&w, end);
    return finished(&w);
}

static int play(const char *device, const char *channel)
{
    static const char *const urls[] = { "flv", "ws_flv", "fmp4", "ws_fmp4",
                                        "hls", "ts", "ps", "mse", "rtsp",
                                        "frame" };
    char text[1024];
    json_t *j = call("POST", path_of(text, device, channel, "/live"));

    if (o.json) {
        dump(j);
    } else {
        printf("session %s %s %s %lldx%lld\n", shown_of(j, "session"),
               shown_of(j, "state"), shown_of(j, "video"),
               (long long)json_integer_value(json_object_get(j, "width")),
               (long long)json_integer_value(json_object_get(j, "height")));
        for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++)
            if (*text_of(j, urls[i]))
                printf("%-8s %s\n", urls[i], shown_of(j, urls[i]));
    }
    json_decref(j);
    return EX_OK;
}

static int stop(const char *device, const char *channel)
{
    char text[1024];

    json_decref(call("DELETE", path_of(text, device, channel, "/live")));
    return EX_OK;
}

/* ---- trace ---- */

static unsigned terminal_width(void)
{
    const char *env = getenv("COLUMNS");
    struct winsize ws;
    uint32_t n;

    if (slice_u32(slice_str(env), 10000, &n))
        return n;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &ws) == 0 && ws.ws_col)
        return ws.ws_col;
    return 80;
}

/* Milliseconds of "2026-01-02T03:04:05.678Z", as the API writes it. */
static int64_t time_of(const char *s)
{
    uint32_t v[7] = { 0 };
    static const unsigned at[] = { 0, 5, 8, 11, 14, 17, 20 };
    uint32_t mp, yoe;
    int64_t y, days;

    if (strlen(s) != 24)
        return 0;
    for (int i = 0; i < 7; i++)
        if (!slice_u32(slice_of(s + at[i], i == 0 ? 4 : i == 6 ? 3 : 2), 9999,
                       &v[i]))
            return 0;
    mp = v[1] > 2 ? v[1] - 3 : v[1] + 9;
    y = (int64_t)v[0] - (v[1] <= 2);
    yoe = (uint32_t)(y % 400);
    days = y / 400 * 146097 + yoe * 365 + yoe / 4 - yoe / 100 +
           (153 * mp + 2) / 5 + v[2] - 1 - 719468;
    return ((days * 24 + v[3]) * 60 + v[4]) * 60000 + v[5] * 1000 + v[6];
}

static struct slice slice_field(const json_t *j, const char *key)
{
    return slice_str(text_of(j, key));
}

static uint32_t number_field(const json_t *j, const char *key)
{
    return (uint32_t)json_integer_value(json_object_get(j, key));
}

static void whole_message(const json_t *j)
{
    const char *s = text_of(j, "text");

    printf("---- %s %s %s %s %s", shown_of(j, "time"),
           shown_of(j, "direction"), shown_of(j, "transport"),
           shown_of(j, "peer"), shown_of(j, "device"));
    if (number_field(j, "count") > 1)
        printf(" x%u, last %s", number_field(j, "count"),
               shown_of(j, "last_at"));
    putchar('\n');
    for (; *s; s++) {
        size_t n = control_at(s);

        if (!n || *s == '\n' || *s == '\t')
            putchar(*s);
        s += n == 2;
    }
    putchar('\n');
}

static void message(struct ladder *l, const json_t *j)
{
    const struct ladder_item item = {
        .utc_ms = time_of(text_of(j, "time")),
        .out = slice_eq(slice_field(j, "direction"), SLICE("out")),
        .device = slice_field(j, "device"),
        .method = slice_field(j, "method"),
        .status = number_field(j, "status"),
        .reason = slice_field(j, "reason"),
        .cmd = slice_field(j, "cmd"),
        .cseq = number_field(j, "cseq"),
        .count = number_field(j, "count"),
    };
    char text[LADDER_ROW_MAX];
    struct writer w = writer_of(text, sizeof(text));

    if (o.text) {
        whole_message(j);
        return;
    }
    ladder_row(l, &w, &item);
    fwrite(text, 1, w.len, stdout);
}

static const char *trace_path(char text[2048], const char *path, bool bounds)
{
    struct writer w = writer_of(text, 2048);

    writer_str(&w, path);
    parameter(&w, "device", o.device);
    parameter(&w, "callid", o.call_id);
    if (bounds) {
        parameter(&w, "since", o.since);
        parameter(&w, "limit", o.limit);
    }
    return finished(&w);
}

static int save_capture(void)
{
    char path[2048];
    struct answer a = request("GET", trace_path(path, "/api/v1/trace.pcap",
                                                true), "*/*");
    struct slice body = whole_body(&a);
    bool out = slice_eq(slice_str(o.pcap), SLICE("-"));
    FILE *f;

    if (a.status != 200)
        problem(a.status, body);
    f = out ? stdout : fopen(o.pcap, "wb");
    if (!f || fwrite(body.p, 1, body.n, f) != body.n || fflush(f) ||
        (!out && fclose(f)))
        die(EX_CANTCREAT, "%s: %s", o.pcap, strerror(errno));
    free((char *)(uintptr_t)body.p);
    return EX_OK;
}

/* Server-sent events, one message each, until the server goes. */
static int follow(struct ladder *l)
{
    char path[2048], *line = NULL;
    struct answer a = request("GET", trace_path(path, "/api/v1/trace/events",
                                                false), "text/event-stream");
    struct slice s;
    size_t cap = 0;

    if (a.status != 200)
        problem(a.status, whole_body(&a));
    if (a.chunked)
        die(EX_PROTOCOL, "cannot follow through this proxy");
    while (read_line(a.f, &line, &cap, &s)) {
        json_t *j;

        if (!slice_has_prefix(s, SLICE("data: ")))
            continue;
        s = slice_from(s, 6);
        j = json_loadb(s.p, s.n, 0, NULL);
        if (j && o.json) {
            put_json(s.p, s.n);
        } else if (j) {
            message(l, j);
        }
        json_decref(j);
        fflush(stdout);
    }
    free(line);
    fclose(a.f);
    die(EX_UNAVAILABLE, "the server has gone");
}

static int trace(void)
{
    const struct ladder_config cfg = { terminal_width(),
                                       isatty(STDOUT_FILENO), o.chinese };
    char path[2048];
    struct ladder l;
    json_t *j, *items, *item;
    size_t i;

    if (o.pcap)
        return save_capture();
    ladder_init(&l, &cfg);
    j = call("GET", trace_path(path, "/api/v1/trace", true));
    items = json_object_get(j, "items");
    if (o.json && !o.follow) {
        dump(j);
    } else if (!o.json) {
        json_array_foreach(items, i, item)
            ladder_party(&l, slice_field(item, "device"));
        json_array_foreach(items, i, item) {
            if (i == 0)
                printf("%s\n", shown_of(item, "time"));
            message(&l, item);
        }
    }
    json_decref(j);
    fflush(stdout);
    return o.follow ? follow(&l) : EX_OK;
}

/* ---- arguments ---- */

static bool token_file(const char *path)
{
    FILE *f = fopen(path, "r");
    struct slice s;
    size_t n;

    if (!f)
        return false;
    n = fread(o.token, 1, sizeof(o.token) - 1, f);
    fclose(f);
    s = slice_trim(slice_of(o.token, n));
    memmove(o.token, s.p, s.n);
    o.token[s.n] = '\0';
    return s.n > 0;
}

static void find_token(void)
{
    const char *t = o.token_option ? o.token_option
                                   : getenv("GB28181D_TOKEN");

    if (t && t[0] == '@') {
        if (!token_file(t + 1))
            die(EX_NOINPUT, "%s: no token there", t + 1);
    } else if (t && *t) {
        if (!slice_copy(o.token, sizeof(o.token), slice_str(t)))
            die(EX_USAGE, "the token is too long");
    } else if (!token_file(TOKEN_HERE) && !token_file(TOKEN_SYSTEM)) {
        o.token[0] = '\0'; /* http.auth may be off */
    }
    for (t = o.token; *t; t++)
        if ((unsigned char)*t <= 0x20)
            die(EX_USAGE, "the token holds a blank");
}

static void read_language(void)
{
    const char *lang = getenv("LC_ALL");

    if (!lang || !*lang)
        lang = getenv("LC_MESSAGES");
    if (!lang || !*lang)
        lang = getenv("LANG");
    o.chinese = lang && slice_has_prefix(slice_str(lang), SLICE("zh"));
}

static int read_options(int argc, char **argv)
{
    enum { URL = 256, TOKEN, JSON, CHANNEL, EDITION, DEVICE, CALLID, SINCE, LIMIT, FOLLOW, TEXT,
           PCAP, VERSION, HELP };
    static const struct option longs[] = {
        { "url", required_argument, NULL, URL },
        { "token", required_argument, NULL, TOKEN },
        { "json", no_argument, NULL, JSON },
        { "channel", required_argument, NULL, CHANNEL },
        { "edition", required_argument, NULL, EDITION },
        { "device", required_argument, NULL, DEVICE },
        { "callid", required_argument, NULL, CALLID },
        { "since", required_argument, NULL, SINCE },
        { "limit", required_argument, NULL, LIMIT },
        { "follow", no_argument, NULL, FOLLOW },
        { "text", no_argument, NULL, TEXT },
        { "pcap", required_argument, NULL, PCAP },
        { "version", no_argument, NULL, VERSION },
        { "help", no_argument, NULL, HELP },
        { NULL, 0, NULL, 0 },
    };
    int c;

    while ((c = getopt_long(argc, argv, "h", longs, NULL)) != -1) {
        switch (c) {
        case URL:
            o.url = optarg;
            break;
        case TOKEN:
            o.token_option = optarg;
            break;
        case JSON:
            o.json = true;
            break;
        case CHANNEL:
            o.channel = optarg;
            break;
        case EDITION:
            o.edition = optarg;
            break;
        case DEVICE:
            o.device = optarg;
            break;
        case CALLID:
            o.call_id = optarg;
            break;
        case SINCE:
            o.since = optarg;
            break;
        case LIMIT:
            o.limit = optarg;
            break;
        case FOLLOW:
            o.follow = true;
            break;
        case TEXT:
            o.text = true;
            break;
        case PCAP:
            o.pcap = optarg;
            break;
        case VERSION:
            printf("gbctl %s\n", GB_VERSION);
            exit(EX_OK);
        case 'h':
        case HELP:
            fputs(usage, stdout);
            exit(EX_OK);
        default:
            fputs(usage, stderr);
            exit(EX_USAGE);
        }
    }
    return optind;
}

static int run(char **arg, int n)
{
    struct slice what = slice_str(n ? arg[0] : "");
    char text[1024];

    if (n == 1 && slice_eq(what, SLICE("devices")))
        return SHOW("/api/v1/devices", devices);
    if (n == 2 && slice_eq(what, SLICE("channels")))
        return SHOW(path_of(text, arg[1], NULL, ""), channels);
    if ((n == 2 || n == 3) && slice_eq(what, SLICE("tree")))
        return tree(arg[1], n == 3 ? arg[2] : NULL);
    if (n == 2 && slice_eq(what, SLICE("changes")))
        return SHOW(device_path(text, arg[1], "/changes"), changes);
    if (n == 2 && slice_eq(what, SLICE("profile")))
        return show_object(device_path(text, arg[1], "/profile"));
    if (n >= 3 && slice_eq(what, SLICE("send")))
        return send_command(arg[1], arg + 2, n - 2);
    if (n >= 4 && slice_eq(what, SLICE("ptz")))
        return ptz(arg[1], arg[2], arg + 3, n - 3);
    if (n == 3 && slice_eq(what, SLICE("presets")))
        return ask_channel("GET", arg[1], arg[2], "/presets", NULL);
    if (n >= 4 && n <= 6 && slice_eq(what, SLICE("preset")))
        return preset(arg[1], arg[2], arg + 3, n - 3);
    if ((n == 3 || n == 4) && slice_eq(what, SLICE("config")))
        return config(arg[1], n == 4 ? arg[2] : arg[1], arg[n - 1]);
    if (n >= 3 && slice_eq(what, SLICE("configure")))
        return configure(arg[1], arg + 2, n - 2);
    if (n >= 2 && n <= 4 && slice_eq(what, SLICE("guard")))
        return guard(arg[1], arg + 2, n - 2);
    if ((n == 2 || n == 3) && slice_eq(what, SLICE("alarm-reset")))
        return ask_channel("POST", arg[1], arg[n - 1], "/alarm-reset", NULL);
    if (n == 5 && slice_eq(what, SLICE("records")))
        return records(arg[1], arg + 2);
    if (n >= 1 && n <= 3 && slice_eq(what, SLICE("commands")))
        return show_commands(arg + 1, n - 1);
    if (n == 1 && slice_eq(what, SLICE("webhooks")))
        return SHOW("/api/v1/webhooks", webhooks);
    if (n >= 2 && slice_eq(what, SLICE("webhook")))
        return webhook(arg + 1, n - 1);
    if (n >= 1 && slice_eq(what, SLICE("firmware")))
        return firmware(arg + 1, n - 1);
    if ((n == 4 || n == 5) && slice_eq(what, SLICE("upgrade")))
        return upgrade(arg + 1, n - 1);
    if (n == 1 && slice_eq(what, SLICE("upgrades")))
        return SHOW("/api/v1/upgrades", upgrades);
    if (n == 3 && slice_eq(what, SLICE("play")))
        return play(arg[1], arg[2]);
    if (n == 3 && slice_eq(what, SLICE("stop")))
        return stop(arg[1], arg[2]);
    if (n == 1 && slice_eq(what, SLICE("sessions")))
        return SHOW("/api/v1/sessions", sessions);
    if (n == 1 && slice_eq(what, SLICE("alarms")))
        return SHOW("/api/v1/alarms", alarms);
    if (n == 1 && slice_eq(what, SLICE("pending")))
        return SHOW("/api/v1/pending", pending);
    if (n == 1 && slice_eq(what, SLICE("listeners")))
        return SHOW("/api/v1/trace/listeners", listeners);
    if (n == 1 && slice_eq(what, SLICE("trace")))
        return trace();
    fputs(usage, stderr);
    return EX_USAGE;
}

int main(int argc, char **argv)
{
    int first = read_options(argc, argv);

    if (!o.url)
        o.url = getenv("GB28181D_URL");
    if (!o.url || !*o.url)
        o.url = DEFAULT_URL;
    read_language();
    find_token();
    return run(argv + first, argc - first);
}
