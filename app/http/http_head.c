#include "app/http/http_head.h"

#include "app/http/ws.h"
#include "base/head.h"

#include <time.h>

#define METHOD_LEN_MAX 32
#define HOST_LEN_MAX 255

static const struct slice method_names[HTTP_METHOD_COUNT] = {
    [HTTP_METHOD_OTHER] = SLICE_INIT("OTHER"),
#define X(id) [HTTP_##id] = SLICE_INIT(#id),
    HTTP_METHOD_MAP(X)
#undef X
};

static const struct slice hdr_names[HTTP_HDR_COUNT] = {
#define X(id, name) SLICE_INIT(name),
    HTTP_HDR_MAP(X)
#undef X
};

/* Fields that two readers must not see twice, each in its own way. */
static const bool hdr_once[HTTP_HDR_COUNT] = {
    [HTTP_HDR_AUTHORIZATION] = true,
    [HTTP_HDR_CONTENT_LENGTH] = true,
    [HTTP_HDR_CONTENT_TYPE] = true,
    [HTTP_HDR_HOST] = true,
    [HTTP_HDR_ORIGIN] = true,
    [HTTP_HDR_SEC_FETCH_SITE] = true,
    [HTTP_HDR_SEC_WEBSOCKET_KEY] = true,
    [HTTP_HDR_SEC_WEBSOCKET_VERSION] = true,
    [HTTP_HDR_TRANSFER_ENCODING] = true,
};

const char *http_method_name(enum http_method m)
{
    return method_names[m < HTTP_METHOD_COUNT ? m : HTTP_METHOD_OTHER].p;
}

/* ---- grammar ------------------------------------------------------------- */

/* RFC 9110 §5.6.2 */
static bool is_tchar(char c)
{
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || ascii_is_digit(c))
        return true;
    return c && strchr("!#$%&'*+-.^_`|~", c) != NULL;
}

static bool is_token(struct slice s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!is_tchar(s.p[i]))
            return false;
    return s.n > 0;
}

static bool is_value(struct slice s)
{
    for (size_t i = 0; i < s.n; i++)
        if (((uint8_t)s.p[i] < 0x20 && s.p[i] != '\t') || s.p[i] == 0x7f)
            return false;
    return true;
}

/* A host with a port or without; it comes back in URLs, so it is plain. */
bool http_is_host(struct slice s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
              ascii_is_digit(c) || (c && strchr("-._:[]", c))))
            return false;
    }
    return s.n <= HOST_LEN_MAX;
}

struct parse {
    struct http_head *out;
    struct slice bytes;
    struct http_fault *fault;
    uint64_t body_max;
};

static int refuse(const struct parse *ps, unsigned status, const char *at,
                  const char *why)
{
    *ps->fault = (struct http_fault){
        status, at ? (size_t)(at - ps->bytes.p) : 0, why
    };
    return status == 413 || status == 414 || status == 431 ? GB_ELIMIT
                                                           : GB_ESYNTAX;
}

/* ---- request line (RFC 9112 §3) ------------------------------------------ */

bool http_is_dots(struct slice s)
{
    return slice_eq(s, SLICE(".")) || slice_eq(s, SLICE(".."));
}

/* A decoded path: begins with '/', no "." or ".." segments, no controls. A
 * decoded slash would make another path of it. */
static int parse_path(const struct parse *ps, struct slice raw)
{
    struct http_head *h = ps->out;
    struct slice rest, segment;
    int err;

    for (size_t i = 0; i + 2 < raw.n; i++)
        if (raw.p[i] == '%' && raw.p[i + 1] == '2' &&
            ascii_lower(raw.p[i + 2]) == 'f')
            return refuse(ps, 400, raw.p, "escaped slash in the path");
    err = http_unescape(raw, false, h->path_text, sizeof(h->path_text),
                        &h->path);
    if (err == GB_ELIMIT)
        return refuse(ps, 414, raw.p, "path is too long");
    if (err)
        return refuse(ps, 400, raw.p, "bad escape in the path");
    if (!is_value(h->path) || slice_find(h->path, '\t') < h->path.n)
        return refuse(ps, 400, raw.p, "control character in the path");
    rest = h->path;
    while (rest.n) {
        slice_cut(&rest, '/', &segment);
        if (http_is_dots(segment))
            return refuse(ps, 400, raw.p, "dot segment in the path");
    }
    return 0;
}

/* http://host/path (§3.2.2): the host wins over the Host field. An empty path is
 * "/"; of OPTIONS, which asks about the server then, "*" (§3.2.4). */
static int cut_authority(const struct parse *ps, struct slice *target)
{
    struct slice t = *target;
    size_t scheme = slice_has_iprefix(t, SLICE("http://"))    ? 7
                    : slice_has_iprefix(t, SLICE("https://")) ? 8
                                                              : 0;
    size_t end = 0;

    if (scheme == 0)
        return refuse(ps, 400, t.p, "target is neither a path nor a URL");
    t = slice_from(t, scheme);
    while (end < t.n && t.p[end] != '/' && t.p[end] != '?')
        end++;
    ps->out->host = slice_head(t, end);
    if (end == 0 || !http_is_host(ps->out->host))
        return refuse(ps, 400, target->p, "bad host in the target");
    *target = slice_from(t, end);
    if (target->n == 0 && ps->out->method == HTTP_OPTIONS)
        *target = SLICE("*");
    return 0;
}

/* "*" names no resource: the server itself is asked (§3.2.4). */
static bool is_server(const struct http_head *h, struct slice target)
{
    return h->method == HTTP_OPTIONS && slice_eq(target, SLICE("*"));
}

static int parse_target(const struct parse *ps, struct slice target)
{
    struct http_head *h = ps->out;
    struct slice path;
    int err;

    h->target = target;
    for (size_t i = 0; i < target.n; i++)
        if ((uint8_t)target.p[i] <= 0x20 || (uint8_t)target.p[i] >= 0x7f ||
            target.p[i] == '#')
            return refuse(ps, 400, target.p + i, "bad character in the target");
    if (target.n == 0)
        return refuse(ps, 400, target.p, "no target");
    err = is_server(h, target) || target.p[0] == '/'
              ? 0 : cut_authority(ps, &target);
    if (err)
        return err;
    if (is_server(h, target)) {
        h->path = target;
        return 0;
    }
    h->query = target;
    slice_cut(&h->query, '?', &path);
    return parse_path(ps, path.n ? path : SLICE("/"));
}

static enum http_method method_of(struct slice name)
{
    for (unsigned i = 1; i < HTTP_METHOD_COUNT; i++)
        if (slice_eq(name, method_names[i])) /* case counts, RFC 9110 §9.1 */
            return (enum http_method)i;
    return HTTP_METHOD_OTHER;
}

static int parse_version(const struct parse *ps, struct slice v)
{
    if (v.n != 8 || !slice_has_prefix(v, SLICE("HTTP/")) ||
        !ascii_is_digit(v.p[5]) || v.p[6] != '.' || !ascii_is_digit(v.p[7]))
        return refuse(ps, 400, v.p, "bad version");
    if (v.p[5] != '1')
        return refuse(ps, 505, v.p, "not HTTP/1");
    ps->out->minor = v.p[7] == '0' ? 0 : 1;
    return 0;
}

static int parse_request_line(const struct parse *ps, struct slice line)
{
    struct http_head *h = ps->out;
    struct slice target;
    int err;

    if (line.p[line.n] != '\r')
        return refuse(ps, 400, line.p, "blank or LF at the line's end");
    if (!slice_cut(&line, ' ', &h->method_name) || !is_token(h->method_name) ||
        h->method_name.n > METHOD_LEN_MAX)
        return refuse(ps, 400, line.p, "bad method");
    h->method = method_of(h->method_name);
    if (!slice_cut(&line, ' ', &target))
        return refuse(ps, 400, line.p, "no version");
    err = parse_version(ps, line);
    return err ? err : parse_target(ps, target);
}

/* ---- fields --------------------------------------------------------------- */

static enum http_hdr hdr_of(struct slice name)
{
    for (unsigned i = 0; i < HTTP_HDR_COUNT; i++)
        if (slice_ieq(name, hdr_names[i]))
            return (enum http_hdr)i;
    return HTTP_HDR_OTHER;
}

static int add_field(const struct parse *ps, const struct head_field *f)
{
    struct http_head *h = ps->out;
    struct http_field *to = &h->fields[h->n_fields];

    if (f->flags)
        return refuse(ps, 400, f->line.p,
                      "folded line, bare CR or LF, NUL, or blank before the "
                      "colon");
    if (h->n_fields == HTTP_FIELDS_MAX)
        return refuse(ps, 431, f->line.p, "too many fields");
    if (!is_token(f->name))
        return refuse(ps, 400, f->line.p, "bad field name");
    if (!is_value(f->value))
        return refuse(ps, 400, f->line.p, "control character in a field");
    *to = (struct http_field){ hdr_of(f->name), f->name, f->value };
    h->n_fields++;
    if (to->id == HTTP_HDR_OTHER)
        return 0;
    if (!h->first[to->id])
        h->first[to->id] = to;
    else if (hdr_once[to->id])
        return refuse(ps, 400, f->line.p, "field given twice");
    return 0;
}

/* RFC 9112 §6: a body has one length, known from the start, or comes in chunks. */
static int check_length(const struct parse *ps)
{
    struct http_head *h = ps->out;
    const struct http_field *cl = h->first[HTTP_HDR_CONTENT_LENGTH];
    const struct http_field *te = h->first[HTTP_HDR_TRANSFER_ENCODING];
    uint64_t len;

    if (te && (cl || h->minor == 0))
        return refuse(ps, 400, te->name.p,
                      "Transfer-Encoding beside Content-Length or in HTTP/1.0");
    h->chunked = te && slice_ieq(te->value, SLICE("chunked"));
    if (te && !h->chunked)
        return refuse(ps, 501, te->name.p, "unknown transfer coding");
    if (!cl)
        return 0;
    for (size_t i = 0; i < cl->value.n; i++)
        if (!ascii_is_digit(cl->value.p[i]))
            return refuse(ps, 400, cl->name.p, "bad Content-Length");
    if (cl->value.n == 0)
        return refuse(ps, 400, cl->name.p, "empty Content-Length");
    if (!slice_u64(cl->value, ps->body_max, &len))
        return refuse(ps, 413, cl->name.p, "body is too long");
    h->content_length = len;
    return 0;
}

static int check_host(const struct parse *ps)
{
    struct http_head *h = ps->out;
    const struct http_field *host = h->first[HTTP_HDR_HOST];

    if (!host && h->minor == 0)
        return 0;
    if (!host)
        return refuse(ps, 400, NULL, "no Host");
    if (!http_is_host(host->value))
        return refuse(ps, 400, host->name.p, "bad Host");
    if (h->host.n == 0)
        h->host = host->value;
    return 0;
}

static int check_upgrade(const struct parse *ps)
{
    struct http_head *h = ps->out;

    if (h->method != HTTP_GET || h->minor == 0 ||
        !http_head_has_token(h, HTTP_HDR_UPGRADE, SLICE("websocket")) ||
        !http_head_has_token(h, HTTP_HDR_CONNECTION, SLICE("upgrade")))
        return 0; /* other upgrades are ignored, RFC 9110 §7.8 */
    if (!slice_eq(http_head_get(h, HTTP_HDR_SEC_WEBSOCKET_VERSION),
                  SLICE("13")))
        return refuse(ps, 426, NULL, "WebSocket version is not 13");
    if (!ws_key_is_valid(http_head_get(h, HTTP_HDR_SEC_WEBSOCKET_KEY)))
        return refuse(ps, 400, NULL, "bad Sec-WebSocket-Key");
    if (h->content_length || h->chunked)
        return refuse(ps, 400, NULL, "a WebSocket upgrade with a body");
    h->websocket = true;
    return 0;
}

static int check_rest(const struct parse *ps)
{
    struct http_head *h = ps->out;
    const struct http_field *expect = h->first[HTTP_HDR_EXPECT];
    int err;

    if (expect && h->minor == 1) {
        if (!slice_ieq(expect->value, SLICE("100-continue")))
            return refuse(ps, 417, expect->name.p, "unknown expectation");
        h->expect_continue = h->content_length > 0 || h->chunked;
    }
    if (http_head_has_token(h, HTTP_HDR_CONNECTION, SLICE("close")))
        h->keep_alive = false;
    else
        h->keep_alive =
            h->minor == 1 ||
            http_head_has_token(h, HTTP_HDR_CONNECTION, SLICE("keep-alive"));
    err = check_host(ps);
    return err ? err : check_upgrade(ps);
}

long http_head_parse(struct http_head *out, struct slice bytes,
                     struct http_fault *fault)
{
    return http_head_parse_max(out, bytes, HTTP_BODY_MAX, fault);
}

long http_head_parse_max(struct http_head *out, struct slice bytes,
                         uint64_t body_max, struct http_fault *fault)
{
    struct slice window = slice_head(bytes, HTTP_HEAD_MAX), line;
    struct parse ps = { out, bytes, fault, body_max };
    struct head_field f;
    struct head h;
    int err;

    /* Not the arrays: their counts say what is in them. */
    memset(out->first, 0, sizeof(out->first));
    out->n_fields = 0;
    out->content_length = 0;
    out->chunked = false;
    out->keep_alive = out->expect_continue = out->websocket = false;
    out->host = out->query = out->path = (struct slice){ 0 };
    head_init(&h, window);
    err = head_start(&h, &line);
    if (err && window.n == HTTP_HEAD_MAX)
        return refuse(&ps, 414, NULL, "request line is too long");
    if (err)
        return GB_EAGAIN;
    if (h.flags)
        return refuse(&ps, 400, line.p, "bare CR or LF, or NUL");
    err = parse_request_line(&ps, line);
    while (!err) {
        err = head_next(&h, &f);
        if (err == GB_ESYNTAX)
            return refuse(&ps, 400, f.line.p, "not a field");
        if (!err)
            err = add_field(&ps, &f);
    }
    if (err == GB_EAGAIN && window.n == HTTP_HEAD_MAX)
        return refuse(&ps, 431, NULL, "head is too long");
    if (err != GB_ENOENT)
        return err;
    if (h.flags)
        return refuse(&ps, 400, NULL, "line ends in LF without CR");
    err = check_length(&ps);
    if (!err)
        err = check_rest(&ps);
    return err ? err : (long)h.off;
}

/* A number of a range; one that is larger than any file is that large. */
static bool range_number(struct slice s, uint64_t *v)
{
    for (size_t i = 0; i < s.n; i++)
        if (!ascii_is_digit(s.p[i]))
            return false;
    if (s.n && !slice_u64(s, UINT64_MAX, v))
        *v = UINT64_MAX;
    return s.n > 0;
}

bool http_range(struct slice field, uint64_t len, uint64_t *off, uint64_t *n)
{
    struct slice last = slice_trim(field), first;
    uint64_t a, b;

    if (!slice_has_iprefix(last, SLICE("bytes=")))
        return false;
    last = slice_from(last, 6);
    if (!slice_cut(&last, '-', &first))
        return false;
    first = slice_trim(first);
    last = slice_trim(last);
    *off = *n = 0;
    if (first.n == 0) { /* the last so many */
        if (!range_number(last, &b))
            return false;
        *n = b < len ? b : len;
        *off = len - *n;
        return true;
    }
    if (!range_number(first, &a))
        return false;
    b = UINT64_MAX;
    if (last.n && (!range_number(last, &b) || b < a))
        return false;
    if (a >= len)
        return true;
    *off = a;
    *n = (b < len ? b + 1 : len) - a;
    return true;
}

struct slice http_head_get(const struct http_head *h, enum http_hdr id)
{
    return h->first[id] ? h->first[id]->value : (struct slice){ 0 };
}

bool http_names_tag(struct slice list, struct slice tag, bool strong)
{
    struct slice item;

    while (list.n) {
        slice_cut(&list, ',', &item);
        item = slice_trim(item);
        if (!strong && slice_has_prefix(item, SLICE("W/")))
            item = slice_from(item, 2);
        if (slice_eq(item, tag) || slice_eq(item, SLICE("*")))
            return true;
    }
    return false;
}

bool http_head_names_tag(const struct http_head *h, enum http_hdr id,
                         struct slice tag, bool strong)
{
    for (size_t i = 0; i < h->n_fields; i++)
        if (h->fields[i].id == id &&
            http_names_tag(h->fields[i].value, tag, strong))
            return true;
    return false;
}

bool http_head_has_token(const struct http_head *h, enum http_hdr id,
                         struct slice token)
{
    for (size_t i = 0; i < h->n_fields; i++) {
        struct slice rest = h->fields[i].value, item;

        if (h->fields[i].id != id)
            continue;
        while (rest.n) {
            slice_cut(&rest, ',', &item);
            if (slice_ieq(slice_trim(item), token))
                return true;
        }
    }
    return false;
}

struct slice http_head_ws_protocol(const struct http_head *h)
{
    for (size_t i = 0; i < h->n_fields; i++) {
        struct slice rest = h->fields[i].value, item;

        if (h->fields[i].id != HTTP_HDR_SEC_WEBSOCKET_PROTOCOL)
            continue;
        while (rest.n) {
            slice_cut(&rest, ',', &item);
            item = slice_trim(item);
            if (item.n <= HTTP_WS_PROTOCOL_MAX && is_token(item))
                return item;
        }
    }
    return slice_of(NULL, 0);
}

/* ";q=0", ";q=0.000": not wanted (RFC 9110 §12.4.2). */
static bool is_refused(struct slice params)
{
    struct slice p;

    while (params.n) {
        slice_cut(&params, ';', &p);
        p = slice_trim(p);
        if (!slice_has_iprefix(p, SLICE("q=")))
            continue;
        p = slice_from(p, 2);
        for (size_t i = 0; i < p.n; i++)
            if (p.p[i] != '0' && p.p[i] != '.')
                return false;
        return true;
    }
    return false;
}

bool http_head_accepts(const struct http_head *h, struct slice coding)
{
    bool any = false;

    for (size_t i = 0; i < h->n_fields; i++) {
        struct slice rest = h->fields[i].value, item, name;

        if (h->fields[i].id != HTTP_HDR_ACCEPT_ENCODING)
            continue;
        while (rest.n) {
            slice_cut(&rest, ',', &item);
            slice_cut(&item, ';', &name);
            name = slice_trim(name);
            if (slice_ieq(name, coding))
                return !is_refused(item);
            if (slice_eq(name, SLICE("*")))
                any = !is_refused(item);
        }
    }
    return any;
}

/* ---- queries, forms, cookies ---------------------------------------------- */

static int hex_of(char c)
{
    c = ascii_lower(c);
    if (ascii_is_digit(c))
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int http_unescape(struct slice text, bool plus, char *buf, size_t cap,
                  struct slice *out)
{
    size_t n = 0;

    for (size_t i = 0; i < text.n; i++) {
        int c = (uint8_t)text.p[i];

        if (c == '+' && plus) {
            c = ' ';
        } else if (c == '%') {
            int hi = i + 2 < text.n ? hex_of(text.p[i + 1]) : -1;
            int lo = i + 2 < text.n ? hex_of(text.p[i + 2]) : -1;

            if (hi < 0 || lo < 0)
                return GB_ESYNTAX;
            c = hi << 4 | lo;
            i += 2;
        }
        if (c == 0)
            return GB_ESYNTAX;
        if (n == cap)
            return GB_ELIMIT;
        buf[n++] = (char)c;
    }
    *out = slice_of(buf, n);
    return 0;
}

void http_escape(struct writer *w, struct slice s)
{
    static const char digit[] = "0123456789ABCDEF";

    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];

        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
            ascii_is_digit(c) || (c && strchr("-._~", c))) {
            writer_char(w, c);
        } else {
            writer_char(w, '%');
            writer_char(w, digit[(uint8_t)c >> 4]);
            writer_char(w, digit[(uint8_t)c & 15]);
        }
    }
}

/* The raw text names this parameter. */
static bool is_named(struct slice raw, struct slice name)
{
    char text[64];
    struct slice got;

    return http_unescape(raw, true, text, sizeof(text), &got) == 0 &&
           slice_eq(got, name);
}

int http_query_get(struct slice query, struct slice name, char *buf, size_t cap,
                   struct slice *out)
{
    struct slice item, key;

    while (query.n) {
        slice_cut(&query, '&', &item);
        slice_cut(&item, '=', &key);
        if (is_named(key, name))
            return http_unescape(item, true, buf, cap, out);
    }
    return GB_ENOENT;
}

int http_query_u32(struct slice query, struct slice name, uint32_t max,
                   uint32_t *v)
{
    char text[16];
    struct slice s;
    int err = http_query_get(query, name, text, sizeof(text), &s);

    if (err == GB_ENOENT)
        return 0;
    if (err)
        return GB_ESYNTAX;
    for (size_t i = 0; i < s.n; i++)
        if (!ascii_is_digit(s.p[i]))
            return GB_ESYNTAX;
    if (s.n == 0)
        return GB_ESYNTAX;
    return slice_u32(s, max, v) ? 0 : GB_ERANGE;
}

bool http_cookie_get(const struct http_head *h, struct slice name,
                     struct slice *out)
{
    for (size_t i = 0; i < h->n_fields; i++) {
        struct slice rest = h->fields[i].value, item, key;

        if (h->fields[i].id != HTTP_HDR_COOKIE)
            continue;
        while (rest.n) {
            slice_cut(&rest, ';', &item);
            if (!slice_cut(&item, '=', &key) ||
                !slice_eq(slice_trim(key), name))
                continue;
            item = slice_trim(item);
            if (item.n >= 2 && item.p[0] == '"' && item.p[item.n - 1] == '"')
                item = slice_of(item.p + 1, item.n - 2);
            *out = item;
            return true;
        }
    }
    return false;
}

void http_date_write(struct writer *w, int64_t utc_ms)
{
    time_t t = (time_t)(utc_ms / 1000);
    char text[HTTP_DATE_LEN + 1];
    struct tm tm;

    if (gmtime_r(&t, &tm) &&
        strftime(text, sizeof(text), "%a, %d %b %Y %H:%M:%S GMT", &tm))
        writer_str(w, text);
}

const char *http_reason(unsigned status)
{
    static const struct {
        unsigned status;
        const char *text;
    } reasons[] = {
        { 101, "Switching Protocols" },
        { 200, "OK" },
        { 201, "Created" },
        { 202, "Accepted" },
        { 204, "No Content" },
        { 206, "Partial Content" },
        { 304, "Not Modified" },
        { 400, "Bad Request" },
        { 401, "Unauthorized" },
        { 403, "Forbidden" },
        { 404, "Not Found" },
        { 405, "Method Not Allowed" },
        { 408, "Request Timeout" },
        { 409, "Conflict" },
        { 411, "Length Required" },
        { 412, "Precondition Failed" },
        { 413, "Content Too Large" },
        { 414, "URI Too Long" },
        { 415, "Unsupported Media Type" },
        { 416, "Range Not Satisfiable" },
        { 417, "Expectation Failed" },
        { 422, "Unprocessable Content" },
        { 426, "Upgrade Required" },
        { 429, "Too Many Requests" },
        { 431, "Request Header Fields Too Large" },
        { 500, "Internal Server Error" },
        { 501, "Not Implemented" },
        { 502, "Bad Gateway" },
        { 503, "Service Unavailable" },
        { 504, "Gateway Timeout" },
        { 505, "HTTP Version Not Supported" },
        { 507, "Insufficient Storage" },
    };

    for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
        if (reasons[i].status == status)
            return reasons[i].text;
    return "Unknown";
}
