#include "app/trace/glance.h"

#include "base/scan.h"

#define KEEPALIVE_TAIL 512 /* bytes at the end in which the body lies */
#define CSEQ_MAX UINT32_MAX

enum { VIA = 1, FROM = 2, TO = 4, CALL_ID = 8, CSEQ = 16, ALL = 31 };

static bool ends_value(char c)
{
    return c == ';' || c == '>' || c == ',' || ascii_is_space(c);
}

struct slice trace_user(struct slice value)
{
    size_t from = slice_find(value, '<');
    struct slice s = from < value.n ? slice_from(value, from + 1) : value;
    size_t colon = slice_find(s, ':'), end;

    if (colon == s.n || colon > 4)
        return slice_of(value.p, 0);
    s = slice_from(s, colon + 1);
    end = slice_find(s, '@');
    if (end == s.n || slice_find(slice_head(s, end), '>') < end)
        return slice_of(value.p, 0);
    s.n = end;
    s.n = slice_find(s, ':');
    return s;
}

struct slice trace_param(struct slice value, struct slice name)
{
    size_t at = slice_find(value, '>');
    struct slice s = at < value.n ? slice_from(value, at) : value;

    for (;;) {
        size_t n = 0;

        at = slice_find(s, ';');
        if (at == s.n)
            return slice_of(value.p, 0);
        s = slice_from(s, at + 1);
        if (!slice_has_iprefix(s, name) || s.n <= name.n ||
            s.p[name.n] != '=')
            continue;
        s = slice_from(s, name.n + 1);
        while (n < s.n && !ends_value(s.p[n]))
            n++;
        return slice_head(s, n);
    }
}

/* Is this line the header `name` or its compact form? *value is then set. */
static bool is_header(struct slice line, struct slice name, char brief,
                      struct slice *value)
{
    size_t n;

    if (line.n > name.n && (line.p[name.n] == ':' ||
                            ascii_is_blank(line.p[name.n])) &&
        (memcmp(line.p, name.p, name.n) == 0 || slice_has_iprefix(line, name)))
        n = name.n;
    else if (brief && line.n > 1 && ascii_lower(line.p[0]) == brief)
        n = 1;
    else
        return false;
    while (n < line.n && ascii_is_blank(line.p[n]))
        n++;
    if (n == line.n || line.p[n] != ':')
        return false;
    *value = slice_trim(slice_from(line, n + 1));
    return true;
}

static void take_via(struct trace_glance *g, struct slice v)
{
    static const struct slice key = SLICE_INIT("branch=");
    size_t at = slice_find_slice(v, key), n = 0;

    if (at == v.n)
        return;
    v = slice_from(v, at + key.n);
    while (n < v.n && !ends_value(v.p[n]))
        n++;
    g->branch = slice_head(v, n);
}

static void take_cseq(struct trace_glance *g, struct slice v)
{
    struct slice number;
    size_t n = 0;

    while (n < v.n && ascii_is_digit(v.p[n]))
        n++;
    number = slice_head(v, n);
    slice_u32(number, CSEQ_MAX, &g->cseq);
    v = slice_trim(slice_from(v, n));
    if (!g->status)
        return;
    g->method_name = v;
    g->method = sip_method_lookup(v);
}

/* The bit of the header that was taken, 0: another one. */
static unsigned take(struct trace_glance *g, struct slice line)
{
    struct slice v;

    switch (ascii_lower(line.p[0])) {
    case 'v':
        if (!is_header(line, SLICE("Via"), 'v', &v))
            return 0;
        if (g->branch.n == 0)
            take_via(g, v);
        return VIA;
    case 'f':
        if (!is_header(line, SLICE("From"), 'f', &v))
            return 0;
        g->from = v;
        g->from_user = trace_user(v);
        return FROM;
    case 't':
        if (!is_header(line, SLICE("To"), 't', &v))
            return 0;
        g->to = v;
        g->to_user = trace_user(v);
        return TO;
    case 'i':
    case 'c':
        if (is_header(line, SLICE("Call-ID"), 'i', &v)) {
            g->call_id = v;
            return CALL_ID;
        }
        if (!is_header(line, SLICE("CSeq"), 0, &v))
            return 0;
        take_cseq(g, v);
        return CSEQ;
    default:
        return 0;
    }
}

static bool line_next(struct slice *rest, struct slice *line)
{
    size_t n;

    if (rest->n == 0)
        return false;
    n = scan_char(rest->p, rest->n, '\n');
    *line = slice_head(*rest, n);
    *rest = slice_from(*rest, n + 1);
    if (line->n && line->p[line->n - 1] == '\r')
        line->n--;
    return true;
}

static bool take_start(struct trace_glance *g, struct slice line)
{
    uint32_t status;
    size_t n;

    if (slice_has_prefix(line, SLICE("SIP/2.0 "))) {
        line = slice_from(line, 8);
        if (!slice_u32(slice_head(line, 3), 699, &status) || status < 100)
            return false;
        g->status = status;
        g->reason = slice_trim(slice_from(line, 3));
        return true;
    }
    n = slice_find(line, ' ');
    if (n == line.n || !sip_is_token(slice_head(line, n)))
        return false;
    g->method_name = slice_head(line, n);
    g->method = sip_method_lookup(g->method_name);
    line = slice_trim(slice_from(line, n));
    g->uri = slice_head(line, slice_find(line, ' '));
    return g->uri.n < line.n;
}

bool trace_glance(struct trace_glance *g, struct slice bytes)
{
    struct slice line;
    unsigned have = 0;

    *g = (struct trace_glance){ .method = SIP_METHOD_OTHER };
    do {
        if (!line_next(&bytes, &line))
            return false;
    } while (line.n == 0);
    if (!take_start(g, line)) {
        *g = (struct trace_glance){ .method = SIP_METHOD_OTHER };
        return false;
    }
    while (have != ALL && line_next(&bytes, &line) && line.n)
        have |= take(g, line);
    return true;
}

struct slice trace_body(struct slice bytes)
{
    struct slice line;
    bool started = false;

    while (line_next(&bytes, &line)) {
        if (line.n == 0 && started)
            return bytes;
        started |= line.n > 0;
    }
    return bytes; /* empty */
}

struct slice trace_element(struct slice body, struct slice name)
{
    for (;;) {
        size_t at = slice_find(body, '<');

        if (at == body.n)
            return slice_of(body.p, 0);
        body = slice_from(body, at + 1);
        if (body.n > name.n && slice_has_prefix(body, name) &&
            body.p[name.n] == '>') {
            body = slice_from(body, name.n + 1);
            return slice_trim(slice_head(body, slice_find(body, '<')));
        }
    }
}

struct slice trace_header(struct slice bytes, struct slice name)
{
    struct slice line, value;

    while (line_next(&bytes, &line) && line.n)
        if (is_header(line, name, 0, &value))
            return value;
    return slice_of(NULL, 0);
}

bool trace_is_keepalive(const struct trace_glance *g, struct slice bytes)
{
    static const struct slice word = SLICE_INIT("Keepalive<");
    static const struct slice tag = SLICE_INIT("<CmdType>");
    size_t at;

    if (g->method != SIP_METHOD_MESSAGE || g->status)
        return false;
    if (bytes.n > KEEPALIVE_TAIL)
        bytes = slice_from(bytes, bytes.n - KEEPALIVE_TAIL);
    at = slice_find_slice(bytes, word);
    return at < bytes.n && at >= tag.n &&
           slice_eq(slice_of(bytes.p + at - tag.n, tag.n), tag);
}
