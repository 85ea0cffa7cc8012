#include "sip/msg.h"

#include "base/head.h"
#include "base/scan.h"
#include "sip/plain.h"
#include "sip/xmlend.h"

/* What plain messages do not need is kept out of the way of what they do. */
#define COLD __attribute__((noinline, cold))

/* One parse: the first fault wins, but the rest is still read, so that the
 * fault can be answered. */
struct parse {
    struct sip_msg *m;
    struct gb_diag *diag;
    int err;
    unsigned reject; /* status for the first fault */
    uint8_t last[SIP_HDR_COUNT]; /* as m->first, of the last one so far; set
                                    where m->first is */
    const struct scan_block *block; /* NULL: it is not plain */
};

_Static_assert(SIP_MAX_FIELDS + 2 == SCAN_BLOCK_LINES, "room for all lines");
_Static_assert(SIP_MAX_HEAD >= SCAN_BLOCK_MAX, "a mapped block is in bounds");

COLD static void fault(struct parse *p, int err, unsigned status,
                       const char *at, const char *why)
{
    if (p->err)
        return;
    p->err = gb_fail(p->diag, err,
                     at ? (size_t)(at - p->m->bytes.p) : p->m->bytes.n, why);
    p->reject = status;
}

/* A value parser failed with `err` at d, an offset into value. */
static void value_fault(struct parse *p, int err, struct slice value,
                        const struct gb_diag *d)
{
    fault(p, err, 400, value.n ? value.p + d->off : NULL, d->why);
}

static bool is_keep_alive(struct slice bytes)
{
    if (bytes.n < SIP_MIN_MESSAGE)
        return true;
    for (size_t i = 0; i < bytes.n; i++)
        if (bytes.p[i] != '\r' && bytes.p[i] != '\n' && bytes.p[i] != '\0')
            return false;
    return true;
}

/* ---- start line --------------------------------------------------------- */

/* "SIP/2.0": its length in s, 0 when s does not begin with a version.
 * *supported: it is 2.0. */
static size_t version_length(struct slice s, bool *supported)
{
    size_t n = 4;

    if (!slice_has_iprefix(s, SLICE("SIP/")))
        return 0;
    while (n < s.n && (ascii_is_digit(s.p[n]) || s.p[n] == '.'))
        n++;
    *supported = slice_eq(slice_of(s.p + 4, n - 4), SLICE("2.0"));
    return n > 4 ? n : 0;
}

static size_t skip_blanks(struct slice s, size_t i)
{
    while (i < s.n && ascii_is_blank(s.p[i]))
        i++;
    return i;
}

static size_t skip_word(struct slice s, size_t i)
{
    while (i < s.n && !ascii_is_blank(s.p[i]))
        i++;
    return i;
}

/* line begins with a version of length n. False: not a status line. */
COLD static bool status_line(struct parse *p, struct slice line, size_t n,
                        bool supported)
{
    struct sip_msg *m = p->m;
    size_t code = skip_blanks(line, n), end = skip_word(line, code);
    uint32_t status;

    if (code == n)
        return false;
    if (code > n + 1)
        m->odd |= SIP_ODD_START_BLANKS;
    if (end - code != 3 ||
        !slice_u32(slice_of(line.p + code, 3), 699, &status) || status < 100) {
        fault(p, GB_ERANGE, 0, line.p + code, "status code");
        return true;
    }
    m->status = status;
    m->reason = slice_trim(slice_from(line, end));
    if (!supported)
        fault(p, GB_EUNSUPPORTED, 0, line.p, "SIP version");
    return true;
}

static void request_uri(struct parse *p, struct slice uri)
{
    struct sip_msg *m = p->m;
    struct gb_diag d;
    int err;

    if (uri.n > SIP_MAX_URI) {
        fault(p, GB_ELIMIT, 414, uri.p, "Request-URI too long");
        return;
    }
    if (uri.n >= 2 && uri.p[0] == '<' && uri.p[uri.n - 1] == '>') {
        uri = slice_of(uri.p + 1, uri.n - 2);
        m->odd |= SIP_ODD_URI_BRACKETS;
    }
    err = sip_uri_parse(&m->uri, uri, &d);
    if (err)
        value_fault(p, err, uri, &d);
    else if (!sip_uri_is_sip(&m->uri))
        fault(p, GB_EUNSUPPORTED, 416, uri.p, "scheme of the Request-URI");
    else if (m->uri.headers.n)
        fault(p, GB_ESYNTAX, 400, m->uri.headers.p,
              "header part in the Request-URI");
}

/* False: not a request line, the bytes are no SIP. */
COLD static bool request_line(struct parse *p, struct slice line)
{
    struct sip_msg *m = p->m;
    size_t method = skip_word(line, 0), version = line.n, at, uri, n;
    bool supported = false;

    while (version && !ascii_is_blank(line.p[version - 1]))
        version--;
    n = version_length(slice_from(line, version), &supported);
    m->method_name = slice_head(line, method);
    if (n == 0 || n != line.n - version || version <= method ||
        !sip_is_token(m->method_name))
        return false;
    m->is_request = true;
    m->method = sip_method_lookup(m->method_name);
    at = skip_blanks(line, method);
    uri = skip_word(line, at);
    if (!supported)
        fault(p, GB_EUNSUPPORTED, 505, line.p + version, "SIP version");
    if (at == version)
        fault(p, GB_ESYNTAX, 400, line.p + at, "no Request-URI");
    else if (skip_blanks(line, uri) != version)
        fault(p, GB_ESYNTAX, 400, line.p + uri, "blank in the Request-URI");
    else
        request_uri(p, slice_of(line.p + at, uri - at));
    if (at > method + 1 || version > uri + 1 || line.p[method] == '\t' ||
        line.p[uri] == '\t')
        m->odd |= SIP_ODD_START_BLANKS;
    return true;
}

/* "SIP/2.0 200 OK". False: look closer. */
static bool plain_status_line(struct sip_msg *m, struct slice line)
{
    const char *s = line.p;

    if (line.n < 12 || memcmp(s, "SIP/2.0 ", 8) != 0 || s[11] != ' ' ||
        s[8] < '1' || s[8] > '6' || !ascii_is_digit(s[9]) ||
        !ascii_is_digit(s[10]))
        return false;
    m->status = (unsigned)(s[8] - '0') * 100 + (unsigned)(s[9] - '0') * 10 +
                (unsigned)(s[10] - '0');
    m->reason = slice_trim(slice_of(s + 11, line.n - 11));
    return true;
}

/* Reads along the map of the block, if there is one. */
static inline bool plain(const struct parse *p, struct slice v,
                         struct sip_plain *t, size_t *at)
{
    if (!p->block || v.n == 0)
        return false;
    *t = (struct sip_plain){ p->m->bytes.p, p->block->map };
    *at = (size_t)(v.p - t->p);
    return true;
}

/* "METHOD sip:user@host SIP/2.0" with a method that we know. False: look
 * closer. */
static bool plain_request_line(struct parse *p, struct slice line)
{
    struct sip_msg *m = p->m;
    struct sip_plain t;
    struct slice name;
    size_t start, n, end = line.n - 8;

    if (line.n < 12 || memcmp(line.p + end, " SIP/2.0", 8) != 0 ||
        !plain(p, line, &t, &start))
        return false;
    n = scan_stop(t.map, start) - start;
    name = slice_of(line.p, n);
    if (n + 1 >= end || line.p[n] != ' ' || end > SIP_MAX_URI)
        return false;
    m->method = sip_method_lookup(name);
    if (!m->method ||
        !sip_plain_uri(&m->uri, t, start + n + 1, start + end)) {
        m->method = SIP_METHOD_OTHER;
        return false;
    }
    m->is_request = true;
    m->method_name = name;
    return true;
}

static bool start_line(struct parse *p, struct slice line)
{
    bool supported = false;
    size_t n;

    if (plain_request_line(p, line))
        return true;
    p->m->uri = (struct sip_uri){ 0 };
    if (plain_status_line(p->m, line))
        return true;
    n = version_length(line, &supported);
    if (n)
        return status_line(p, line, n, supported);
    return request_line(p, line);
}

/* ---- index of the fields ------------------------------------------------- */

/* A header that is there already. */
COLD static void add_again(struct parse *p, enum sip_hdr id, uint8_t number,
                      struct slice name)
{
    p->m->fields[p->last[id] - 1].next = number;
    p->last[id] = number;
    if (sip_hdr_kind(id) == SIP_ONE)
        fault(p, GB_ESYNTAX, 400, name.p, "header stands twice");
}

/* Field number `number`, from 1, at its place. */
SCAN_INLINE void add_field(struct parse *p, struct sip_field *at,
                           uint8_t number, enum sip_hdr id, struct slice name,
                           struct slice value, bool folded)
{
    at->name = name;
    at->value = value;
    at->id = (uint8_t)id;
    at->next = 0;
    at->folded = folded;
    if (id == SIP_HDR_OTHER)
        return;
    if (p->m->first[id])
        add_again(p, id, number, name);
    else
        p->m->first[id] = p->last[id] = number;
}

/* A line of a plain block with a name that is not usual. False: it is for
 * head_next to look at. */
COLD static bool odd_field(struct parse *p, struct sip_field *at,
                           uint8_t number, struct slice line)
{
    size_t colon = scan_char(line.p, line.n, ':');
    struct slice name = slice_head(line, colon);

    if (colon == line.n || colon == 0 || ascii_is_blank(line.p[0]) ||
        ascii_is_blank(line.p[colon - 1]))
        return false;
    add_field(p, at, number, sip_hdr_lookup(name), name,
              slice_trim(slice_from(line, colon + 1)), false);
    return true;
}

/* From behind the colon to the end of the line, trimmed. */
SCAN_INLINE struct slice trimmed(const char *v, const char *end)
{
    size_t n = (size_t)(end - v);

    if (n > 1 && v[0] == ' ' && (unsigned char)v[1] > ' ' &&
        (unsigned char)end[-1] > ' ')
        return slice_of(v + 1, n - 1);
    return slice_trim(slice_of(v, n));
}

/* The fields of a plain block as far as they are plain themselves, neither
 * folded nor with blanks in odd places. Where the next line starts: behind the
 * block when that was all, else head_next goes on there. */
static size_t index_plain(struct parse *p)
{
    const char *s = p->m->bytes.p, *line = s + p->block->lf[0] + 1;
    const char *safe = s + p->m->bytes.n - SIP_HDR_LINE;
    const uint32_t *lf = p->block->lf;
    struct sip_field *at = p->m->fields;
    size_t last = p->block->n - 1, i = 1;

    for (; i < last; i++, at++) {
        const char *next = s + lf[i] + 1;
        enum sip_hdr id;
        size_t n;

        if ((unsigned char)*next <= ' ' && ascii_is_blank(*next))
            break;
        if (line <= safe && sip_hdr_of_line(line, &id, &n))
            add_field(p, at, (uint8_t)i, id, slice_of(line, n),
                      trimmed(line + n + 1, next - 2), false);
        else if (!odd_field(p, at, (uint8_t)i,
                            slice_of(line, (size_t)(next - 2 - line))))
            break;
        line = next;
    }
    p->m->n_fields = (uint8_t)(i - 1);
    return (size_t)(line - s) + (i < last ? 0 : 2);
}

/* 0 or an error after which there is no body. */
COLD static int index_fields(struct parse *p, struct head *h)
{
    struct head_field f;
    int err;

    while ((err = head_next(h, &f)) != GB_ENOENT) {
        if (err == GB_EAGAIN) {
            if (p->m->bytes.n >= SIP_MAX_HEAD)
                fault(p, GB_ELIMIT, 513, NULL, "header block too large");
            else
                fault(p, GB_EAGAIN, 400, NULL, "header block does not end");
            return p->err;
        }
        if (err) {
            fault(p, err, 400, f.line.p, "header line without name or colon");
            continue;
        }
        if (p->m->n_fields == SIP_MAX_FIELDS) {
            fault(p, GB_ELIMIT, 513, f.line.p, "too many header lines");
            return p->err;
        }
        if (f.flags & HEAD_BARE_CR)
            fault(p, GB_ESYNTAX, 400, f.line.p, "CR inside a header");
        p->m->n_fields++;
        add_field(p, &p->m->fields[p->m->n_fields - 1], p->m->n_fields,
                  sip_hdr_lookup(f.name), f.name, f.value,
                  (f.flags & HEAD_FOLDED) != 0);
    }
    if (h->off > SIP_MAX_HEAD)
        fault(p, GB_ELIMIT, 513, NULL, "header block too large");
    return 0;
}

/* ---- the values that every message has ------------------------------------ */

static void missing(struct parse *p, const char *why)
{
    fault(p, GB_ESYNTAX, 400, NULL, why);
}

COLD static void read_odd_via(struct parse *p, struct slice rest)
{
    struct slice elem;
    struct gb_diag d;
    int err;

    if (!sip_list_cut(&rest, &elem)) {
        if (p->m->is_request)
            missing(p, "no Via");
        else
            p->m->odd |= SIP_ODD_NO_VIA;
        return;
    }
    err = sip_via_parse(&p->m->via, elem, &d);
    if (err)
        value_fault(p, err, elem, &d);
    else if (!sip_via_has_cookie(&p->m->via))
        p->m->odd |= SIP_ODD_NO_COOKIE;
}

static inline void read_via(struct parse *p)
{
    struct sip_via *via = &p->m->via;
    struct slice value = sip_msg_value(p->m, SIP_HDR_VIA);
    struct sip_plain t;
    size_t at;

    if (!plain(p, value, &t, &at) ||
        !sip_plain_via(via, t, at, at + value.n)) {
        *via = (struct sip_via){ 0 };
        read_odd_via(p, value);
    } else if ((via->branch.n < 8 || memcmp(via->branch.p, SIP_COOKIE, 7) != 0) &&
               !sip_via_has_cookie(via)) {
        p->m->odd |= SIP_ODD_NO_COOKIE;
    }
}

COLD static void read_odd_addr(struct parse *p, struct slice value,
                               struct sip_addr *out, const char *why)
{
    struct gb_diag d;
    int err;

    *out = (struct sip_addr){ 0 };
    if (value.n == 0) {
        missing(p, why);
        return;
    }
    err = sip_addr_parse(out, value, &d);
    if (err)
        value_fault(p, err, value, &d);
    else if (out->is_star)
        fault(p, GB_ESYNTAX, 400, value.p, "* is no address");
    else if (!out->bracketed && out->params.n)
        p->m->odd |= SIP_ODD_BARE_ADDR;
    if (!err && p->m->method == SIP_METHOD_REGISTER && p->m->is_request &&
        !sip_uri_is_sip(&out->uri))
        fault(p, GB_ESYNTAX, 400, value.p, "address of record is not sip:");
}

static inline void read_addr(struct parse *p, enum sip_hdr id,
                             struct sip_addr *out, const char *why)
{
    struct slice value = sip_msg_value(p->m, id);
    struct sip_plain t;
    size_t at;

    if (!plain(p, value, &t, &at) ||
        !sip_plain_addr(out, t, at, at + value.n))
        read_odd_addr(p, value, out, why);
}

/* A decimal number of at most nine digits. */
static inline bool number(struct slice s, uint32_t *v)
{
    uint32_t sum = 0;

    if (s.n == 0 || s.n > 9)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        unsigned d = (unsigned char)s.p[i] - (unsigned)'0';

        if (d > 9)
            return false;
        sum = sum * 10 + d;
    }
    *v = sum;
    return true;
}

/* Of methods that we know, which have three letters or more. */
static inline bool same_name(const char *a, const char *b, size_t n)
{
    if (n >= 8)
        return memcmp(a, b, 8) == 0 && memcmp(a + n - 8, b + n - 8, 8) == 0;
    if (n >= 4)
        return memcmp(a, b, 4) == 0 && memcmp(a + n - 4, b + n - 4, 4) == 0;
    return memcmp(a, b, 3) == 0;
}

/* "7 INVITE" in an INVITE. False: look closer. */
static bool plain_cseq(struct sip_msg *m, struct slice value)
{
    struct slice name = m->method_name;
    size_t n = value.n - name.n - 1; /* of the number */

    /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): value.n is not 0 */
    if (!m->method || value.n < name.n + 2 || value.p[n] != ' ' ||
        !same_name(value.p + n + 1, name.p, name.n) ||
        !number(slice_head(value, n), &m->cseq.number))
        return false;
    m->cseq.method = m->method;
    m->cseq.method_name = slice_of(value.p + n + 1, name.n);
    return true;
}

COLD static void read_odd_cseq(struct parse *p, struct slice value)
{
    struct sip_msg *m = p->m;
    struct gb_diag d;
    int err;

    if (value.n == 0) {
        missing(p, "no CSeq");
        return;
    }
    err = sip_cseq_parse(&m->cseq, value, &d);
    if (err) {
        value_fault(p, err, value, &d);
    } else if (!m->is_request) {
        m->method = m->cseq.method;
        m->method_name = m->cseq.method_name;
    } else if (!slice_eq(m->method_name, m->cseq.method_name)) {
        fault(p, GB_ESYNTAX, 400, value.p, "method of CSeq");
    }
}

static inline void read_cseq(struct parse *p)
{
    struct slice value = sip_msg_value(p->m, SIP_HDR_CSEQ);

    if (!plain_cseq(p->m, value))
        read_odd_cseq(p, value);
}

static void read_max_forwards(struct parse *p)
{
    struct sip_msg *m = p->m;
    struct slice value = sip_msg_value(m, SIP_HDR_MAX_FORWARDS);
    uint32_t v;

    if (!sip_msg_has(m, SIP_HDR_MAX_FORWARDS)) {
        if (m->is_request)
            m->odd |= SIP_ODD_NO_MAX_FORWARDS;
    } else if ((number(value, &v) && v <= 255) || slice_u32(value, 255, &v)) {
        m->max_forwards = (int)v;
    } else {
        fault(p, GB_ERANGE, 400, value.p, "Max-Forwards");
    }
}

/* ---- body ------------------------------------------------------------------ */

/* Content-Length is more than what is there: right only where the XML itself says
 * that nothing is missing. */
COLD static void body_short(struct parse *p, struct slice rest, const char *at)
{
    struct sip_msg *m = p->m;
    bool xml = m->is_request && (m->method == SIP_METHOD_MESSAGE ||
                                 m->method == SIP_METHOD_NOTIFY);

    if (xml && sip_xml_end(rest)) {
        m->body = rest;
        m->odd |= SIP_ODD_CLEN_LARGE;
        return;
    }
    if (!m->is_request)
        m->body = rest;
    fault(p, GB_ERANGE, 400, at, "Content-Length beyond the message");
}

/* Some count one byte for each line end and write two: then the last lines of an
 * SDP, y= and f=, would be lost. */
static bool is_cut_sdp(struct slice body, struct slice rest)
{
    struct slice behind = slice_from(rest, body.n);

    return slice_has_prefix(body, SLICE("v=")) && body.p[body.n - 1] != '\n' &&
           slice_find(behind, '\0') == behind.n;
}

static void body_datagram(struct parse *p, struct slice rest, size_t length,
                          const char *at)
{
    struct sip_msg *m = p->m;

    if (length > rest.n) {
        body_short(p, rest, at);
        return;
    }
    m->body = slice_head(rest, length);
    if (length < rest.n && length &&
        (is_cut_sdp(m->body, rest) ||
         (sip_xml_end(m->body) == 0 && sip_xml_end(rest)))) {
        m->body = rest;
        m->odd |= SIP_ODD_CLEN_SMALL;
    }
    m->trailing = rest.n - m->body.n;
    if (m->trailing)
        m->odd |= SIP_ODD_TRAILING;
}

COLD static void body_without_length(struct parse *p, struct slice rest,
                                enum sip_carrier carrier)
{
    struct sip_msg *m = p->m;

    if (carrier == SIP_STREAM && sip_xml_end(rest) == 0) {
        missing(p, "no Content-Length on a stream");
        return;
    }
    m->body = rest;
    if (rest.n)
        m->odd |= SIP_ODD_NO_CLEN;
}

static void read_body(struct parse *p, struct slice rest,
                      enum sip_carrier carrier)
{
    struct sip_msg *m = p->m;
    struct slice value = sip_msg_value(m, SIP_HDR_CONTENT_LENGTH);
    uint64_t length;
    uint32_t small;

    if (!sip_msg_has(m, SIP_HDR_CONTENT_LENGTH)) {
        body_without_length(p, rest, carrier);
        return;
    }
    if (number(value, &small)) {
        length = small;
    } else if (!slice_u64(value, INT64_MAX, &length)) {
        fault(p, GB_ERANGE, 400, value.p, "Content-Length");
        if (carrier == SIP_DATAGRAM && !m->is_request)
            m->body = rest;
        return;
    }
    m->content_length = (int64_t)length;
    if (length > SIP_MAX_BODY)
        fault(p, GB_ELIMIT, 413, value.p, "body too large");
    else if (carrier == SIP_DATAGRAM)
        body_datagram(p, rest, (size_t)length, value.p);
    else if (length > rest.n)
        body_short(p, rest, value.p);
    else if (length < rest.n)
        fault(p, GB_ERANGE, 400, value.p, "Content-Length of a cut message");
    else
        m->body = rest;
}

/* ---- all of it --------------------------------------------------------------- */

static void read_values(struct parse *p)
{
    struct sip_msg *m = p->m;

    read_via(p);
    read_addr(p, SIP_HDR_FROM, &m->from, "no From");
    read_addr(p, SIP_HDR_TO, &m->to, "no To");
    m->call_id = sip_msg_value(m, SIP_HDR_CALL_ID);
    if (m->call_id.n == 0)
        missing(p, "no Call-ID");
    read_cseq(p);
    read_max_forwards(p);
}

/* Responses and ACK are never answered; nor is what has no Via. */
static int finish(struct parse *p)
{
    struct sip_msg *m = p->m;

    if (p->err && m->is_request && m->method != SIP_METHOD_ACK &&
        m->via.host.n)
        m->reject = p->reject;
    return p->err;
}

/* The start line, trimmed at its end. */
static int find_start(struct parse *p, struct head *h, struct slice *line)
{
    const char *s = p->m->bytes.p;
    int err;

    if (p->block) {
        size_t n = p->block->lf[0] - 1;

        while (n && ascii_is_blank(s[n - 1]))
            n--;
        *line = slice_of(s, n);
        return 0;
    }
    head_init(h, p->m->bytes);
    err = head_start(h, line);
    if (!err && line->n && line->p != s)
        p->m->odd |= SIP_ODD_LEADING;
    return err;
}

/* Leaves h->off at the body. 0 or an error after which there is none. */
static int read_fields(struct parse *p, struct head *h)
{
    if (p->block) {
        size_t at = index_plain(p);

        if (at > p->block->lf[p->block->n - 1]) {
            h->off = at;
            h->flags = 0;
            return 0;
        }
        head_init_at(h, p->m->bytes, at);
    }
    return index_fields(p, h);
}

/* The parts that are large; when the start line is good, who reads each fills
 * or clears it. They lie together. */
COLD static void clear_values(struct sip_msg *m)
{
    m->uri = (struct sip_uri){ 0 };
    m->via = (struct sip_via){ 0 };
    m->from = m->to = (struct sip_addr){ 0 };
}

/* All but those parts and the fields, which n_fields counts. */
static inline void clear(struct sip_msg *m)
{
    const size_t behind = offsetof(struct sip_msg, call_id);

    scan_clear(m, offsetof(struct sip_msg, uri));
    m->status = 0;
    m->reason = slice_of(NULL, 0);
    scan_clear((char *)m + behind, offsetof(struct sip_msg, fields) - behind);
}

int sip_msg_parse(struct sip_msg *m, struct slice bytes,
                  enum sip_carrier carrier, struct gb_diag *diag)
{
    struct parse p;
    struct scan_block block;
    struct head h;
    struct slice line;
    int err;

    p.m = m;
    p.diag = diag;
    p.err = 0;
    p.reject = 0;
    p.block = NULL;
    clear(m);
    m->bytes = bytes;
    m->max_forwards = -1;
    m->content_length = -1;
    if (is_keep_alive(bytes)) {
        clear_values(m);
        return gb_fail(diag, GB_ENOENT, 0, "keep-alive");
    }
    if (scan_block(&block, bytes.p, bytes.n))
        p.block = &block;
    if (find_start(&p, &h, &line)) {
        clear_values(m);
        return gb_fail(diag, GB_ESYNTAX, 0, "no start line");
    }
    if (!start_line(&p, line)) {
        clear_values(m);
        return gb_fail(diag, GB_ESYNTAX, (size_t)(line.p - bytes.p),
                       "start line is no SIP");
    }
    err = read_fields(&p, &h);
    if (h.flags & HEAD_BARE_LF)
        m->odd |= SIP_ODD_BARE_LF;
    read_values(&p);
    if (!err)
        read_body(&p, slice_from(bytes, h.off), carrier);
    return finish(&p);
}

struct slice sip_msg_value_named(const struct sip_msg *m, struct slice name)
{
    enum sip_hdr id = sip_hdr_lookup(name);

    if (id != SIP_HDR_OTHER)
        return sip_msg_value(m, id);
    for (size_t i = 0; i < m->n_fields; i++)
        if (m->fields[i].id == SIP_HDR_OTHER &&
            slice_ieq(m->fields[i].name, name))
            return m->fields[i].value;
    return slice_of(NULL, 0);
}

bool sip_walk_next(struct sip_walk *k, struct slice *elem)
{
    for (;;) {
        if (sip_list_cut(&k->rest, elem))
            return true;
        if (k->field == NULL)
            return false;
        k->rest = k->field->value;
        k->field = sip_field_next(k->m, k->field);
    }
}

bool sip_msg_lists(const struct sip_msg *m, enum sip_hdr id,
                   struct slice token)
{
    struct sip_walk k = sip_msg_walk(m, id);
    struct slice elem;

    while (sip_walk_next(&k, &elem))
        if (slice_ieq(elem, token))
            return true;
    return false;
}
