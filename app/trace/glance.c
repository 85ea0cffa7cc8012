#include "app/trace/glance.h"

#include "base/scan.h"

#define KEEPALIVE_TAIL 512 /* bytes at the end in which the body lies */
#define CSEQ_MAX UINT32_MAX

#define NAME_LETTERS 8           /* letters of a name that counts, and one more */

enum { VIA = 1, FROM = 2, TO = 4, CALL_ID = 8, CSEQ = 16, ALL = 31 };

static bool ends_value(char c)
{
    return c == ';' || c == '>' || c == ',' || ascii_is_space(c);
}

/* "<sip:word@", as nearly all are written. */
static bool plain_user(struct slice value, struct slice *user)
{
    size_t n;

    if (value.n < 5 || memcmp(value.p, "<sip:", 5) != 0)
        return false;
    n = 5 + scan_word(value.p + 5, value.n - 5);
    if (n == value.n || value.p[n] != '@')
        return false;
    *user = slice_of(value.p + 5, n - 5);
    return true;
}

struct slice trace_user(struct slice value)
{
    struct slice user;
    struct slice s = value;
    size_t from, colon, end;

    if (plain_user(value, &user))
        return user;
    from = slice_find(value, '<');
    if (from < value.n)
        s = slice_from(value, from + 1);
    colon = slice_find(s, ':');
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

/* Is this line the header `name`? *value is then set. */
static bool is_header(struct slice line, struct slice name, struct slice *value)
{
    size_t n = name.n;

    if (!slice_has_iprefix(line, name))
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
    size_t n = slice_digits(v);

    slice_u32(slice_head(v, n), CSEQ_MAX, &g->cseq);
    v = slice_trim(slice_from(v, n));
    if (!g->status)
        return;
    g->method_name = v;
    g->method = sip_method_lookup(v);
}

/* Of equal length; mostly written as it should be. */
static bool is(struct slice name, struct slice want)
{
    return memcmp(name.p, want.p, want.n) == 0 || slice_ieq(name, want);
}

/* Which of the headers that count it is, 0: another one. */
static unsigned which(struct slice name)
{
    switch (name.n) {
    case 1:
        switch (ascii_lower(*name.p)) {
        case 'v':
            return VIA;
        case 'f':
            return FROM;
        case 't':
            return TO;
        case 'i':
            return CALL_ID;
        default:
            return 0;
        }
    case 2:
        return is(name, SLICE("To")) ? TO : 0;
    case 3:
        return is(name, SLICE("Via")) ? VIA : 0;
    case 4:
        return is(name, SLICE("From")) ? FROM
               : is(name, SLICE("CSeq")) ? CSEQ : 0;
    case 7:
        return is(name, SLICE("Call-ID")) ? CALL_ID : 0;
    default:
        return 0;
    }
}

static bool begins(struct slice line, const char *with, size_t n)
{
    return line.n > n && memcmp(line.p, with, n) == 0;
}

/* A header spelled as the standard does it, as nearly all are; *n: where its
 * value begins. */
static unsigned usual(struct slice line, size_t *n)
{
#define IF(text, id)                                                           \
    if (begins(line, text, sizeof(text) - 1))                                  \
    return *n = sizeof(text) - 1, id
    switch (*line.p) {
    case 'V':
        IF("Via: ", VIA);
        break;
    case 'F':
        IF("From: ", FROM);
        break;
    case 'T':
        IF("To: ", TO);
        break;
    case 'C':
        IF("Call-ID: ", CALL_ID);
        IF("CSeq: ", CSEQ);
        break;
    }
#undef IF
    return 0;
}

/* Any spelling. */
static unsigned unusual(struct slice line, size_t *at)
{
    unsigned id;
    size_t n = 0;

    while (n < line.n && n < NAME_LETTERS && line.p[n] != ':' &&
           !ascii_is_blank(line.p[n]))
        n++;
    id = which(slice_head(line, n));
    while (id && n < line.n && ascii_is_blank(line.p[n]))
        n++;
    if (!id || n == line.n || line.p[n] != ':')
        return 0;
    *at = n + 1;
    return id;
}

/* The bit of the header that was taken, 0: another one. */
static unsigned take(struct trace_glance *g, struct slice line)
{
    size_t n;
    unsigned id = usual(line, &n);
    struct slice v;

    if (!id && slice_find(SLICE("vftic"), ascii_lower(*line.p)) < 5)
        id = unusual(line, &n);
    if (!id)
        return 0;
    v = slice_trim(slice_from(line, n));
    if (id == VIA && g->branch.n == 0)
        take_via(g, v);
    if (id == FROM) {
        g->from = v;
        g->from_user = trace_user(v);
    }
    if (id == TO) {
        g->to = v;
        g->to_user = trace_user(v);
    }
    if (id == CALL_ID)
        g->call_id = v;
    if (id == CSEQ)
        take_cseq(g, v);
    return id;
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

void trace_glance_of(struct trace_glance *g, const struct sip_msg *m)
{
    *g = (struct trace_glance){
        .method_name = m->method_name,
        .method = m->method,
        .uri = m->uri.text,
        .status = m->status,
        .reason = m->reason,
        .from = m->from.text,
        .to = m->to.text,
        .from_user = m->from.uri.user,
        .to_user = m->to.uri.user,
        .call_id = m->call_id,
        .branch = m->via.branch,
        .cseq = m->cseq.number,
    };
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
        if (is_header(line, name, &value))
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
