/* Requests: of a line of the route table, with ids that are there or nearly, values
 * for each parameter and member by its name, and fields; or any head at all. */
#include "fuzz/api/site.h"

#include "app/http/openapi.h"

#include <string.h>

#define MAX_BODY 4096

/* ---- values ------------------------------------------------------------------------- */

/* By the name of a parameter or member; JSON as it stands, for queries without its
 * quotes. */
static const struct {
    const char *name, *value[8];
} values[] = {
    { "device", { "\"" SAYS_DEVICE "\"", "\"34020000001180000002\"", "\"x\"" } },
    { "id", { "\"34020000001180000002\"", "\"" SAYS_DEVICE "\"", "\"1\"" } },
    { "channel", { "\"" SAYS_CHANNEL "0\"", "\"" SAYS_CHANNEL "2\"", "\"\"" } },
    { "name", { "\"n1\"", "\"admin\"", "\"ada\"", "\"g\"", "\"..\"", "\"\"" } },
    { "user", { "\"ada\"", "\"admin\"", "\"n1\"", "\"eve\"" } },
    { "token", { "\"own\"", "\"n1\"", "\"rules\"" } },
    { "group", { "\"g\"", "\"h\"", "\"\"" } },
    { "hook", { "\"n1\"", "\"g\"" } },
    { "rule", { "\"n1\"", "\"g\"" } },
    { "webhook", { "\"n1\"", "\"\"" } },
    { "username", { "\"admin\"", "\"ada\"" } },
    { "password", { "\"" SECRET "pass\"", "\"" SECRET "next\"", "\"\"" } },
    { "new_password", { "\"" SECRET "next\"", "\"" SECRET "pass\"", "\"\"" } },
    { "secret", { "\"" SECRET "0123456789abcdef\"", "\"\"" } },
    { "role", { "\"viewer\"", "\"operator\"", "\"admin\"", "\"none\"" } },
    { "scope",
      { "{\"devices\":[\"" SAYS_DEVICE "\"]}", "{\"groups\":[\"g\"]}", "{}",
        "{\"devices\":[],\"groups\":[]}", "{\"devices\":[1]}" } },
    { "url", { "\"http://192.0.2.5/x\"", "\"https://u.example/x?y\"", "\"x\"" } },
    { "urls",
      { "[\"rtsp://u:" SECRET "p@192.0.2.7/a\"]", "[\"rtsp://u:***@192.0.2.7/a\"]",
        "[\"rtmp://192.0.2.7/a/b\",\"rtsps://192.0.2.7/c\"]", "[]", "[\"x\"]" } },
    { "events", { "[\"device\",\"alarm\"]", "[]", "[\"x\"]" } },
    { "stream", { "\"main\"", "\"sub\"", "\"1\"", "\"2\"" } },
    { "transport", { "\"udp\"", "\"tcp-passive\"", "\"tcp-active\"", "\"auto\"" } },
    { "media", { "\"udp\"", "\"tcp-passive\"", "null", "\"auto\"" } },
    { "start",
      { "\"2023-11-14T22:00:00Z\"", "\"2023-11-14T22:03:20+08:00\"",
        "\"1699999400000\"", "\"0000-01-01T00:00:00Z\"", "\"-1\"" } },
    { "end", { "\"2023-11-14T22:13:20Z\"", "\"2023-11-14T22:13:20\"",
               "\"1700000000000\"", "\"9999-12-31T23:59:59Z\"" } },
    { "from", { "\"2023-11-14T22:00:00Z\"", "\"1699999400000\"", "\"x\"" } },
    { "to", { "\"2023-11-14T22:13:20Z\"", "\"" SAYS_DEVICE "/" SAYS_CHANNEL "0\"" } },
    { "mode", { "\"always\"", "\"plan\"", "\"alarm\"", "\"off\"", "\"broadcast\"",
                "\"talk\"" } },
    { "action", { "\"start\"", "\"stop\"", "\"pause\"", "\"seek\"", "\"scale\"",
                  "\"move\"", "\"preset_call\"", "\"cruise_start\"" } },
    { "cmd", { "\"DeviceStatus\"", "\"DeviceControl\"", "\"PresetQuery\"",
               "\"ConfigDownload\"", "\"DeviceConfig\"", "\"RecordInfo\"",
               "\"Alarm\"", "\"x\"" } },
    { "params", { "{}", "{\"PTZCmd\":\"A50F010000000000\"}", "{\"TeleBoot\":\"Boot\"}",
                  "{\"ConfigType\":\"BasicParam\"}", "[]" } },
    { "extra", { "{}", "{\"A\":\"b\"}", "{\"A\":{\"B\":[\"c\",\"d\"]}}" } },
    { "GuardCmd", { "\"SetGuard\"", "\"ResetGuard\"", "\"x\"" } },
    { "AlarmMethod", { "\"1\"", "\"x\"" } },
    { "format", { "\"mp4\"", "\"ps\"", "\"x\"" } },
    { "when", { "{}", "{\"device\":\"" SAYS_DEVICE "\",\"priority\":2}",
                "{\"group\":\"g\"}", "{\"method\":5}", "[]" } },
    { "at", { "{}", "{\"device\":\"" SAYS_DEVICE "\",\"channel\":\"" SAYS_CHANNEL
              "0\"}", "{\"x\":1}" } },
    { "subscribe", { "{\"catalog\":600}", "{\"alarm\":0,\"position\":null}", "{}",
                     "{\"x\":1}", "{\"catalog\":-1}" } },
    { "digest", { "[\"MD5\"]", "[\"SHA-256\",\"MD5\"]", "[]", "[\"x\"]" } },
    { "plan", { "[]", "null" } },
    { "date", { "\"local\"", "\"utc\"", "\"off\"", "null" } },
    { "edition", { "\"2016\"", "\"2022\"", "\"2011\"", "\"auto\"" } },
    { "require", { "\"refuse\"", "\"ignore\"", "null" } },
    { "arm", { "\"on\"", "\"off\"", "null" } },
    { "firmware", { "\"" UPLOADED "\"", "\"x\"" } },
    { "sha256", { "\"" UPLOADED "\"", "\"x\"" } },
    { "version", { "\"V2\"", "\"\"" } },
    { "file", { "\"" PICTURE "\"", "\"app.js\"", "\"../x\"", "\"" UPLOADED "\"" } },
    { "session", { "\"" SAYS_SESSION "\"", "\"1\"" } },
    { "limit", { "\"1\"", "\"0\"", "\"10000\"", "\"10001\"", "\"x\"" } },
    { "cursor", { "\"1\"", "\"" SAYS_DEVICE "\"", "\"\"",
                  "\"" SAYS_DEVICE "/" SAYS_CHANNEL "0\"" } },
    { "wait", { "\"1\"", "\"0\"", "\"60\"", "\"61\"", "\"x\"" } },
    { "online", { "\"true\"", "\"false\"", "\"1\"" } },
    { "type", { "\"all\"", "\"BasicParam\"", "\"1\"", "\"alarm\"" } },
    { "view", { "\"all\"", "\"region\"", "\"business\"", "\"device\"", "\"x\"" } },
    { "can", { "\"h264\"", "\"h264,h265\"", "\"x\"" } },
    { "gaps", { "\"close\"", "\"keep\"", "\"x\"" } },
    { "speed", { "4", "0.25", "\"16\"", "17", "-1" } },
    { "level", { "\"info\"", "\"error\"", "\"x\"" } },
    { "acknowledged", { "\"true\"", "\"false\"", "\"x\"" } },
    { "coding", { "\"pcma\"", "\"pcm\"", "\"x\"" } },
    { "rate", { "8000", "16000", "1", "999999" } },
    { "command", { "\"left\"", "\"stop\"", "\"zoomin\"" } },
    { "preset", { "1", "255", "256", "0" } },
    { "presetId", { "1", "256" } },
    { "part", { "\"0,800,0,0\"", "\"800,5000,90000,8000,8\"", "\"0\"",
                "\"800,5000,-90000,0\"", "\"x\"" } },
    { "since", { "\"10m\"", "\"1s\"", "\"2d\"", "\"2023-11-14T22:13:20.5+08:00\"",
                 "\"1700000000\"", "\"x\"" } },
    { "callid", { "\"1\"", "\"x\"" } },
    { "q", { "\"34\"", "\"line\"", "\"\"" } },
    { "query", { "\"34\"", "\"\"" } },
    { "skip", { "\"0\"", "\"1\"", "\"x\"" } },
    { "page", { "\"1\"", "\"2\"", "\"0\"" } },
    { "count", { "\"15\"", "\"1\"", "\"0\"" } },
    { "src", { "\"" SAYS_DEVICE "/" SAYS_CHANNEL "0\"", "\"" SAYS_CHANNEL "0\"",
               "\"x\"" } },
    { "audio", { "\"1\"", "\"0\"", "\"x\"" } },
    { "g711", { "\"1\"", "\"0\"" } },
    { "enhanced", { "\"1\"", "\"0\"" } },
    { "bare", { "\"1\"", "\"2\"" } },
    { "delay", { "\"200\"", "\"1001\"" } },
    { "packet_ms", { "\"20\"", "\"100\"", "\"x\"" } },
    { "max_s", { "\"1\"", "\"60\"", "\"0\"" } },
    { "method", { "\"5\"", "\"POST\"", "\"x\"" } },
    { "who", { "\"ada\"", "\"x\"" } },
    { "path", { "\"/api\"", "\"x\"" } },
};

static const char *const numbers[] = { "1",  "0",   "5",    "255",
                                       "-1", "256", "3600", "18446744073709551616" };
static const char *const texts[] = { "\"\"", "\"a\"", "null", "7", "\"\\u0000\"",
                                     "\"\xe5\x8c\x97\"", "[]", "{}" };

static const char *one(const char *const *list, size_t cap)
{
    size_t n = 0;

    while (n < cap && list[n])
        n++;
    if (site.plain || dice() % 8 < 5)
        return list[0]; /* mostly what is there */
    return list[dice() % n];
}

/* JSON for this name and type. */
static const char *value_of(struct slice name, struct slice type)
{
    if (!site.plain && dice() % 16 == 0)
        return texts[dice() % COUNT_OF(texts)];
    for (size_t i = 0; i < COUNT_OF(values); i++)
        if (slice_eq(name, slice_str(values[i].name)))
            return one(values[i].value, COUNT_OF(values[i].value));
    if (slice_has_prefix(type, SLICE("boolean")))
        return dice() & 1 ? "true" : "false";
    if (slice_has_prefix(type, SLICE("integer")) ||
        slice_has_prefix(type, SLICE("number")))
        return one(numbers, COUNT_OF(numbers));
    return texts[dice() % COUNT_OF(texts)];
}

static struct slice bare(const char *json)
{
    struct slice s = slice_str(json);

    return s.n >= 2 && s.p[0] == '"' ? slice_of(s.p + 1, s.n - 2) : s;
}

/* ---- the target ------------------------------------------------------------------------ */

/* Ids of what there is now. */
static bool write_known(struct writer *w, struct slice name)
{
    uint64_t id = 0;

    if (slice_eq(name, SLICE("session")) && *site.session &&
        (site.plain || dice() & 1)) {
        http_escape(w, slice_str(site.session));
        return true;
    }
    if (slice_eq(name, SLICE("session")) && dice() & 3)
        id = pick(&run.sessions, (unsigned)dice());
    else if (slice_eq(name, SLICE("command")))
        id = pick(&run.commands, (unsigned)dice());
    else if (slice_eq(name, SLICE("download")))
        id = pick(&run.downloads, (unsigned)dice());
    else if (slice_eq(name, SLICE("alarm")))
        id = site.plain ? 1 : 1 + dice() % 2;
    else if (slice_eq(name, SLICE("start")))
        id = UTC - 600000;
    if (id && (site.plain || dice() % 8))
        writer_u64(w, id + (!site.plain && dice() % 16 == 0 ? 1 : 0));
    return id != 0;
}

static void write_param(struct writer *w, struct slice name,
                        struct slice more)
{
    size_t at = w->len;

    if (more.n && !site.plain && dice() % 4 == 0) {
        http_escape(w, more);
        return;
    }
    if (write_known(w, name) && w->len > at)
        return;
    if (name.n == 1) { /* n of a segment; z, x, y of a tile */
        writer_u64(w, dice() % 4);
        return;
    }
    http_escape(w, bare(value_of(name, SLICE("string"))));
    if (w->len == at)
        writer_char(w, '1');
}

static void write_path(struct writer *w, const char *pattern,
                       struct slice more)
{
    struct slice rest = slice_str(pattern), name;

    while (rest.n) {
        struct slice before;

        slice_cut(&rest, '{', &before);
        writer_slice_put(w, before);
        if (rest.n && slice_cut(&rest, '}', &name))
            write_param(w, name, more);
        else if (rest.n) { /* its last segment */
            slice_cut(&rest, '}', &name);
            write_param(w, name, more);
        }
    }
}

static void write_query(struct writer *w, const char *names, unsigned how,
                        struct slice more)
{
    struct slice rest = slice_str(names), name;
    const char *sep = "?";

    while (rest.n) {
        slice_cut(&rest, ' ', &name);
        if (!(how >> dice() % 8 & 1))
            continue;
        writer_str(w, sep);
        writer_slice_put(w, name);
        writer_char(w, '=');
        if (slice_eq(name, SLICE("t")))
            http_escape(w, slice_str(site.signature));
        else if (more.n && !site.plain && dice() % 4 == 0)
            http_escape(w, more);
        else
            http_escape(w, bare(value_of(name, SLICE("string"))));
        sep = "&";
    }
    if (how & 128 && more.n && !site.plain) { /* as it is */
        writer_str(w, sep);
        for (size_t i = 0; i < more.n && i < 64; i++)
            writer_char(w, more.p[i] > ' ' && more.p[i] < 127 ? more.p[i] : '.');
    }
}

/* ---- the body --------------------------------------------------------------------------- */

static void write_text(struct writer *w, struct slice s)
{
    writer_char(w, '"');
    for (size_t i = 0; i < s.n && i < 200; i++)
        writer_f(w, "\\u%04x", (uint8_t)s.p[i]);
    writer_char(w, '"');
}

static void write_members(struct writer *w, const char *schema,
                          struct slice more)
{
    struct slice rest = slice_str(http_schema_fields(schema)), item, name;
    const char *sep = "{";

    while (rest.n) {
        slice_cut(&rest, ' ', &item);
        slice_cut(&item, ':', &name);
        if (item.p[item.n - 1] == '?' ? site.plain || dice() % 3 == 0
                                      : !site.plain && dice() % 24 == 0)
            continue;
        writer_f(w, "%s\"%.*s\":", sep, SLICE_ARG(name));
        if (more.n && !site.plain && dice() % 8 == 0)
            write_text(w, more);
        else
            writer_str(w, value_of(name, item));
        sep = ",";
    }
    writer_str(w, *sep == '{' ? "{}" : "}");
}

/* Where there is no schema, and that of Elements, which are anything. */
static void write_special(struct writer *w, unsigned how)
{
    static const struct slice bodies[] = {
        SLICE_INIT("id,name,group,password\r\n34020000001180000003,N,,\r\n"),
        SLICE_INIT("id\n" SAYS_DEVICE "\nx\n"),
        SLICE_INIT("\xff\xd8\xff\xe0\0\x10JFIF\0\xff\xd9"),
        SLICE_INIT("\x89PNG\r\n\x1a\n\0\0\0\rIHDR"),
        SLICE_INIT("RIFF\x34\0\0\0WAVEfmt \x10\0\0\0\1\0\1\0\x40\x1f\0\0\x80\x3e\0\0"
                   "\2\0\x10\0data\x10\0\0\0abcdefghijklmnop"),
        SLICE_INIT("{\"media.keep_open\":\"20\",\"server.password\":\"" SECRET "p\"}"),
        SLICE_INIT("{\"http.listen\":\"x\",\"x\":1,\"media.keep_open\":null}"),
        SLICE_INIT("{\"BasicParam\":{\"Name\":\"n\",\"Expiration\":3600,"
                   "\"HeartBeatInterval\":60,\"HeartBeatCount\":3}}"),
        SLICE_INIT("{\"VideoParamOpt\":{}}"),
        SLICE_INIT("name=ada&password=" SECRET "pass"),
        SLICE_INIT("--b\r\nContent-Disposition: form-data; name=\"f\"\r\n\r\n"
                   "\xff\xd8\xff\xd9\r\n--b--\r\n"),
    };

    writer_slice_put(w, bodies[how % COUNT_OF(bodies)]);
}

static void write_body(struct writer *w, const struct http_route *r,
                       unsigned how, struct slice more)
{
    const char *fields = r->body ? http_schema_fields(r->body) : NULL;

    if (how % 8 == 7) {
        writer_slice_put(w, more);
    } else if (how % 8 == 6) {
        writer_char(w, '{');
        writer_slice_put(w, more);
    } else if (fields && *fields) {
        write_members(w, r->body, more);
    } else if (r->method != HTTP_GET && r->method != HTTP_DELETE) {
        write_special(w, how / 8);
    }
}

/* ---- fields --------------------------------------------------------------------------------- */

static void write_who(struct writer *w, size_t who, unsigned how)
{
    const struct person *p = &persons[who];
    const char *cookie = p->login ? site.cookie[who - COOKIES_FROM] : "";

    if (p->token)
        writer_f(w, how & 1 ? "Access-Token: %s\r\n" : "Authorization: Bearer %s\r\n",
                 p->token);
    if (*cookie)
        writer_f(w, "Cookie: %s\r\n%s", cookie,
                 how & 2 ? "" : "X-Requested-With: x\r\n");
}

static void write_fields(struct writer *w, struct question *q, unsigned how)
{
    static const char *const others[] = {
        "Range: bytes=0-99\r\n", "Range: bytes=5000-\r\n", "Range: bytes=-5\r\n",
        "Origin: https://evil.example\r\n", "Origin: http://nvr:28181\r\n",
        "Sec-Fetch-Site: cross-site\r\n", "X-Forwarded-For: 192.0.2.7, x\r\n",
        "X-Forwarded-Host: \"a\\b\"\r\nX-Forwarded-Proto: https\r\n",
        "Last-Event-ID: 1700000000000-1\r\n", "Accept-Encoding: gzip\r\n",
        "Content-Type: multipart/form-data; boundary=b\r\n",
        "Content-Type: text/csv; charset=gbk\r\n", "If-Range: \"x\"\r\n",
        "If-Modified-Since: Tue, 14 Nov 2023 22:13:20 GMT\r\n",
    };

    q->websocket = how & 4;
    if (q->websocket)
        writer_str(w, "Connection: Upgrade\r\nUpgrade: websocket\r\n"
                      "Sec-WebSocket-Version: 13\r\n"
                      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n");
    q->guarded = how & 8;
    if (q->guarded)
        writer_f(w, "If-Match: %s\r\n", how & 16 && *site.tag ? site.tag : "\"x\"");
    q->tagged = how & 32;
    if (q->tagged)
        writer_f(w, "If-None-Match: %s\r\n",
                 how & 16 && *site.tag ? site.tag : "*");
    for (unsigned bit = 64; bit <= 128; bit *= 2) {
        const char *other;

        if (!(how & bit))
            continue;
        other = others[dice() % COUNT_OF(others)];
        writer_str(w, other);
        q->tagged |= strncmp(other, "If-Modified", 11) == 0;
    }
}

/* ---- one request --------------------------------------------------------- */

static void check_unchanged(const struct question *q,
                            const struct http_response *r)
{
    struct state_of_all now;
    bool reads, refused, nobody;

    state_read(&now, slice_str(q->right.scope));
    reads = q->method == HTTP_HEAD || q->method == HTTP_OPTIONS ||
            (q->method == HTTP_GET &&
             !(q->route && q->route->flags & HTTP_ROUTE_ACTS));
    refused = r->kind == HTTP_REPLY_BODY && r->status >= 400 &&
              r->status != 503 && r->status != 500;
    nobody = !q->route ||
             (q->right.role < q->route->role &&
              !(q->route->flags & (HTTP_ROUTE_EXEMPT | HTTP_ROUTE_MEDIA)));
    if (reads || refused || nobody)
        require(memcmp(now.part, q->before.part, sizeof(now.part)) == 0);
    if (reads && !q->is_signed)
        require(now.upgrades == q->before.upgrades);
    if (nobody)
        require(now.orders == q->before.orders);
    if (q->right.bounded) {
        require(now.unseen == q->before.unseen);
        require(now.part[PART_HOOKS] == q->before.part[PART_HOOKS] &&
                now.part[PART_RULES] == q->before.part[PART_RULES] &&
                now.part[PART_GROUPS] == q->before.part[PART_GROUPS]);
    }
}

/* As a connection does it: is its body a file, may it be, and then the request. */
static void put(struct question *q, struct http_request *req)
{
    static const struct http_received file = { UPLOADED, 1000 };
    struct waiting *w = waiting_of(0);
    enum http_body_kind kind;
    struct http_response r;

    if (!w)
        return;
    right_of(&persons[q->who], &q->right);
    state_read(&q->before, slice_str(q->right.scope));
    http_response_init(&r, &memory_alloc);
    kind = http_app_body(site.app, req, &r);
    if (kind != HTTP_BODY_REFUSED) {
        http_response_fini(&r);
        if (kind == HTTP_BODY_FILE)
            req->file = &file;
        http_response_init(&r, &memory_alloc);
        *w = (struct waiting){ .request = req->id, .q = *q,
                               .since_ms = run.now.mono_ms };
        http_app_request(site.app, req, &r);
    }
    if (r.kind != HTTP_REPLY_LATER) {
        w->request = 0;
        answer_check(q, &r);
    }
    check_unchanged(q, &r);
    http_response_fini(&r);
    site_turn();
}

static void parse_and_put(struct question *q, struct slice text,
                          struct slice body, unsigned arg)
{
    static struct http_head head;
    struct http_request req = { .id = ++site.requests, .head = &head,
                                .body = body,
                                .client = 1 + arg % MAX_CLIENTS,
                                .secure = arg & 8 };
    const struct http_route *table;
    struct http_params params;
    struct http_fault f;
    unsigned allow;
    size_t count;
    long n;

    n = http_head_parse(&head, text, &f);
    if (n == GB_EAGAIN)
        return;
    if (n <= 0) {
        read_words(slice_str(f.why)); /* the server answers it */
        return;
    }
    q->method = head.method;
    table = http_routes(&count);
    q->route = http_route_find(table, count, head.method, head.path, &params,
                               &allow);
    q->client = req.client;
    q->is_signed = slice_find_slice(head.query, SLICE("t=")) < head.query.n;
    req.remote = (struct gb_addr){ GB_IPV4, { 192, 0, 2, 99 }, 1000 };
    if (arg & 16)
        req.remote.ip[0] = 10; /* a proxy */
    put(q, &req);
}

void ask(unsigned arg, const uint8_t *v, struct slice more)
{
    static char text[HTTP_HEAD_MAX], body[MAX_BODY];
    struct writer w = writer_of(text, sizeof(text));
    struct writer b = writer_of(body, sizeof(body));
    struct question q = { .who = v[0] % persons_count() };
    const struct http_route *r;
    size_t n;
    const struct http_route *table = http_routes(&n);
    enum http_method method;

    site.dice = (uint64_t)v[7] << 8 | v[3];
    site.plain = v[3] == 0; /* all is as it should be */
    r = &table[((size_t)v[1] << 8 | v[2]) % n];
    method = r->method;
    if (arg & 32 && method == HTTP_GET)
        method = HTTP_HEAD;
    if (arg & 64)
        method = (enum http_method)(1 + v[5] % (HTTP_METHOD_COUNT - 1));
    if (persons[q.who].login && !*site.cookie[q.who - COOKIES_FROM])
        log_in(q.who);
    writer_f(&w, "%s ", http_method_name(method));
    write_path(&w, r->pattern, more);
    write_query(&w, r->query, v[4], more);
    write_body(&b, r, v[5], more);
    writer_str(&w, arg & 128 ? " HTTP/1.0\r\n" : " HTTP/1.1\r\nHost: nvr:28181\r\n");
    write_who(&w, q.who, v[6]);
    write_fields(&w, &q, v[6]);
    writer_f(&w, "Content-Length: %zu\r\n\r\n", b.len);
    if (!w.err && !b.err)
        parse_and_put(&q, writer_slice(&w), writer_slice(&b), arg);
}

void ask_raw(unsigned arg, const uint8_t *v, struct slice more)
{
    struct question q = { .who = 8 };
    size_t end = slice_find_slice(more, SLICE("\r\n\r\n"));

    (void)v;
    q.tagged = q.guarded = true;
    parse_and_put(&q, more, slice_from(more, end + 4), arg);
}

/* The path of the last URL that the device was told; empty: there is none. */
static struct slice url_told(void)
{
    size_t have = run.n_asked < MAX_ASKED ? run.n_asked : MAX_ASKED;
    struct slice none = { 0 };

    for (size_t i = 1; i <= have; i++) {
        const struct asked *a = &run.asked[(run.n_asked - i) % MAX_ASKED];
        struct slice s = slice_of(a->p, a->n);

        s = slice_from(s, slice_find_slice(s, SLICE("URL>http")));
        if (s.n == 0)
            continue;
        s = slice_from(s, slice_find_slice(s, SLICE("://")) + 3);
        s = slice_head(s, slice_find(s, '<'));
        return slice_from(s, slice_find(s, '/'));
    }
    return none;
}

void ask_as_told(unsigned arg, const uint8_t *v, struct slice more)
{
    static char text[HTTP_HEAD_MAX], body[MAX_BODY];
    struct writer w = writer_of(text, sizeof(text));
    struct writer b = writer_of(body, sizeof(body));
    struct question q = { .who = 8 };
    struct slice url = url_told();
    enum http_method method = arg & 32 ? HTTP_POST : HTTP_GET;

    if (v[4] & 2)
        method = (enum http_method)(1 + v[5] % (HTTP_METHOD_COUNT - 1));
    if (url.n == 0)
        return;
    if (v[4] & 1)
        writer_slice_put(&b, more);
    else
        write_special(&b, v[5]);
    writer_f(&w, "%s %.*s HTTP/1.1\r\nHost: nvr:28181\r\n",
             http_method_name(method), SLICE_ARG(url));
    write_fields(&w, &q, v[6]);
    writer_f(&w, "Content-Length: %zu\r\n\r\n", b.len);
    if (!w.err && !b.err)
        parse_and_put(&q, writer_slice(&w), writer_slice(&b), arg & 31);
}

void log_in(size_t who)
{
    static char text[512], body[256];
    struct writer w = writer_of(text, sizeof(text));
    struct writer b = writer_of(body, sizeof(body));
    struct question q = { .who = who, .tagged = true, .logs_in = true };

    writer_f(&b, "{\"name\":\"%s\",\"password\":\"" SECRET "pass\"}",
             persons[who].login);
    writer_f(&w, "POST /api/v1/login HTTP/1.1\r\nHost: nvr\r\n"
                 "Content-Length: %zu\r\n\r\n", b.len);
    parse_and_put(&q, writer_slice(&w), writer_slice(&b), 0);
}
