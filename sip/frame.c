#include "sip/frame.h"

#include "base/head.h"
#include "base/scan.h"
#include "sip/xmlend.h"

#define METHOD_MAX 9 /* letters of the longest that we know */

void sip_frame_init(struct sip_frame *f)
{
    *f = (struct sip_frame){ 0 };
}

static void forget_message(struct sip_frame *f)
{
    f->scanned = f->head = f->body = 0;
    f->has_length = f->is_xml = f->started = false;
}

/* ---- between messages -------------------------------------------------------- */

/* Passes CR, LF and NUL. true: a ping is complete, cut->used is behind it. */
static bool skip_blank(struct sip_frame *f, struct slice buf,
                       struct sip_cut *cut)
{
    size_t i = cut->used;

    while (i < buf.n) {
        if (buf.p[i] == '\r' && i + 1 == buf.n)
            break; /* the LF may still come */
        if (buf.p[i] == '\r' && buf.p[i + 1] == '\n') {
            i += 2;
            if (++f->n_crlf == 2) {
                f->n_crlf = 0;
                cut->used = i;
                return true;
            }
            continue;
        }
        if (buf.p[i] != '\r' && buf.p[i] != '\n' && buf.p[i] != '\0')
            break;
        f->n_crlf = 0;
        i++;
    }
    cut->used = i;
    return false;
}

/* Where the version of a request is, as the last word; 0: nowhere. */
static size_t version_at(struct slice line)
{
    size_t last = line.n;

    while (last && !ascii_is_blank(line.p[last - 1]))
        last--;
    return slice_has_iprefix(slice_from(line, last), SLICE("SIP/")) ? last : 0;
}

/* "SIP/" at the start, or as the start of the last word: what the parser will
 * at least answer. */
static bool is_start_line(struct slice line)
{
    return slice_has_iprefix(line, SLICE("SIP/")) || version_at(line);
}

/* "REGISTER sip:" */
static bool names_request(struct slice line)
{
    size_t n = 0;
    struct slice uri;

    while (n < line.n && line.p[n] != ' ')
        n++;
    uri = slice_from(line, n + 1);
    return (slice_has_iprefix(uri, SLICE("sip:")) ||
            slice_has_iprefix(uri, SLICE("sips:"))) &&
           sip_method_lookup(slice_head(line, n)) != SIP_METHOD_OTHER;
}

/* "REGISTER sip:" or "SIP/2.0": after garbage we want to be sure. */
static bool is_sure_start(struct slice line)
{
    return slice_has_prefix(line, SLICE("SIP/2.0 ")) ||
           (names_request(line) && version_at(line));
}

static bool is_status_line(struct slice line)
{
    struct slice status = slice_head(slice_from(line, 8), 3);
    uint32_t v;

    return slice_has_prefix(line, SLICE("SIP/2.0 ")) && status.n == 3 &&
           slice_u32(status, 699, &v);
}

/* The same behind the end of a body that has no end of line, which is most XML:
 * "</Notify>MESSAGE sip:". Where it begins; line.n: nowhere. */
static size_t sure_start_in(struct slice line)
{
    size_t version = version_at(line);

    for (size_t i = 1; i < line.n; i++) {
        size_t from = i > METHOD_MAX ? i - METHOD_MAX : 0;

        if (line.p[i] == 'S' && is_status_line(slice_from(line, i)))
            return i;
        if (line.p[i] != ' ' || i + 1 >= version ||
            ascii_lower(line.p[i + 1]) != 's')
            continue;
        for (; from < i; from++)
            if (names_request(slice_from(line, from)))
                return from;
    }
    return line.n;
}

/* The end of a body of XML is before a start line, in the place of a method. */
static bool is_behind_xml(struct slice line)
{
    struct slice word = slice_head(line, slice_find(line, ' '));

    return slice_find(word, '>') < word.n && sure_start_in(line) < line.n;
}

static int drop(struct sip_frame *f, struct sip_cut *cut, size_t n)
{
    if (!f->lost) {
        f->lost = true;
        f->resyncs++;
    }
    f->n_crlf = 0;
    f->skipped += n;
    f->scanned = 0;
    cut->used += n;
    return f->skipped > SIP_FRAME_MAX_SKIP ? GB_ESYNTAX : 0;
}

/* Drops lines until a start line is at cut->used. */
static int find_start(struct sip_frame *f, struct slice buf,
                      struct sip_cut *cut)
{
    for (;;) {
        struct slice rest = slice_from(buf, cut->used), line;
        size_t lf = f->scanned;
        int err;

        lf += scan_char(rest.p + lf, rest.n - lf, '\n');
        if (lf == rest.n) {
            f->scanned = lf;
            return rest.n < SIP_MAX_HEAD ? GB_EAGAIN : GB_ESYNTAX;
        }
        line = slice_trim(slice_head(rest, lf));
        if (f->lost ? is_sure_start(line)
                    : is_start_line(line) && !is_behind_xml(line)) {
            f->started = true;
            return 0;
        }
        line = slice_head(rest, lf);
        lf = sure_start_in(line);
        f->started = lf < line.n;
        err = drop(f, cut, f->started ? lf : lf + 1);
        if (err || f->started)
            return err;
    }
}

/* ---- the message ---------------------------------------------------------------- */

static bool is_xml_type(struct slice type)
{
    return slice_has_iprefix(type, SLICE("application/manscdp")) ||
           slice_has_iprefix(type, SLICE("application/xml")) ||
           slice_has_iprefix(type, SLICE("text/xml"));
}

/* Reads what decides the length of the body. */
static int read_head(struct sip_frame *f, struct slice head)
{
    struct slice type = { NULL, 0 }, line;
    struct head h;
    struct head_field field;
    bool has_length = false;
    uint64_t length = 0;
    int err;

    head_init(&h, head);
    if (head_start(&h, &line))
        return GB_ESYNTAX;
    while ((err = head_next(&h, &field)) != GB_ENOENT) {
        enum sip_hdr id;

        if (err == GB_EAGAIN)
            return GB_ESYNTAX;
        if (err)
            continue;
        id = sip_hdr_lookup(field.name);
        if (id == SIP_HDR_CONTENT_TYPE)
            type = field.value;
        if (id != SIP_HDR_CONTENT_LENGTH)
            continue;
        if (has_length || !slice_u64(field.value, INT64_MAX, &length))
            return GB_ESYNTAX;
        has_length = true;
    }
    if (!has_length && !is_xml_type(type))
        return GB_ESYNTAX;
    if (length > SIP_MAX_BODY)
        return GB_ELIMIT;
    f->has_length = has_length;
    f->is_xml = is_xml_type(type);
    f->body = (size_t)length;
    f->head = head.n;
    f->scanned = head.n;
    return 0;
}

/* An end tag, or an empty element, and white space. */
static bool ends_as_xml(struct slice body)
{
    size_t n = body.n, tag;

    while (n && (ascii_is_space(body.p[n - 1]) || body.p[n - 1] == '\0'))
        n--;
    for (tag = n; tag && body.p[tag - 1] != '<';)
        tag--;
    return n == 0 || (n > 1 && body.p[n - 1] == '>' &&
                      (body.p[n - 2] == '/' || body.p[tag] == '/'));
}

/* One begins with the other: the text may go on. */
static bool agrees(struct slice text, struct slice with)
{
    size_t n = text.n < with.n ? text.n : with.n;

    return slice_eq(slice_head(text, n), slice_head(with, n));
}

/* "SIP/2.0 ", "MESSAGE sip:", or the beginning of it. */
static bool may_start(struct slice text)
{
    size_t space = slice_find(text, ' ');

    if (agrees(text, SLICE("SIP/2.0 ")))
        return true;
    for (int m = SIP_METHOD_OTHER + 1; m < SIP_METHOD_COUNT; m++) {
        struct slice name = sip_method_name((enum sip_method)m);

        if (space == text.n ? slice_has_prefix(name, text)
                            : slice_eq(slice_head(text, space), name) &&
                                  agrees(slice_from(text, space + 1),
                                         SLICE("sip:")))
            return true;
    }
    return false;
}

/* Where Content-Length is too large, the body has ended before, and the next
 * message begins in what is counted for it. */
static size_t without_next(struct slice body)
{
    size_t end = ends_as_xml(body) ? 0 : sip_xml_end(body);
    struct slice behind = slice_trim(slice_from(body, end));

    return end && behind.n && may_start(behind) ? end : body.n;
}

/* The end of an XML body without Content-Length. */
static int xml_body(struct sip_frame *f, struct slice rest, size_t *total)
{
    struct slice body = slice_from(rest, f->head);
    size_t from = f->scanned - f->head;
    size_t end = sip_xml_end_from(body, &from);

    f->scanned = f->head + from;
    if (end == 0 && from == 0 && body.n >= 2 * SIP_XML_PROLOG)
        return GB_ESYNTAX; /* no root element: no XML */
    if ((end ? end : body.n) > SIP_MAX_BODY)
        return GB_ELIMIT;
    *total = f->head + end;
    return end ? 0 : GB_EAGAIN;
}

static int find_head(struct sip_frame *f, struct slice rest,
                     struct sip_cut *cut)
{
    size_t from = f->scanned > 3 ? f->scanned - 3 : 0;
    size_t n = head_find_end(rest, from);
    int err;

    if (n == 0 || n > SIP_MAX_HEAD) {
        f->scanned = rest.n;
        if (n == 0 && rest.n < SIP_MAX_HEAD)
            return GB_EAGAIN;
        cut->bytes = slice_head(rest, SIP_MAX_HEAD);
        return GB_ELIMIT;
    }
    err = read_head(f, slice_head(rest, n));
    if (err)
        cut->bytes = slice_head(rest, n);
    return err;
}

static int find_message(struct sip_frame *f, struct slice rest,
                        struct sip_cut *cut, size_t *total)
{
    int err;

    if (f->head == 0) {
        err = find_head(f, rest, cut);
        if (err)
            return err;
    }
    if (f->has_length) {
        *total = f->head + f->body;
        if (rest.n < *total)
            return GB_EAGAIN;
        if (f->is_xml)
            *total = f->head + without_next(slice_of(rest.p + f->head, f->body));
        return 0;
    }
    err = xml_body(f, rest, total);
    if (err == GB_ELIMIT || err == GB_ESYNTAX)
        cut->bytes = slice_head(rest, f->head);
    return err;
}

static void take(struct sip_frame *f, struct slice buf, size_t total,
                 struct sip_cut *cut)
{
    cut->kind = SIP_CUT_MESSAGE;
    cut->bytes = slice_of(buf.p + cut->used, total);
    cut->used += total;
    f->lost = false;
    f->skipped = 0;
    f->n_crlf = 0;
    forget_message(f);
}

int sip_frame_next(struct sip_frame *f, struct slice buf, struct sip_cut *cut)
{
    size_t total = 0;
    int err;

    cut->bytes = slice_of(NULL, 0);
    cut->used = 0;
    if (!f->started && !f->lost && f->scanned == 0) {
        if (skip_blank(f, buf, cut)) {
            cut->kind = SIP_CUT_PING;
            return 0;
        }
        if (slice_eq(slice_from(buf, cut->used), SLICE("\r")))
            return GB_EAGAIN;
    }
    if (cut->used == buf.n)
        return GB_EAGAIN;
    if (!f->started) {
        err = find_start(f, buf, cut);
        if (err)
            return err;
    }
    err = find_message(f, slice_from(buf, cut->used), cut, &total);
    if (err)
        return err;
    take(f, buf, total, cut);
    return 0;
}

int sip_frame_quiet(struct sip_frame *f, struct slice buf, struct sip_cut *cut)
{
    size_t end = f->is_xml && f->has_length
                     ? sip_xml_end(slice_from(buf, f->head))
                     : 0;

    cut->bytes = slice_of(NULL, 0);
    cut->used = 0;
    if (!end)
        return GB_EAGAIN;
    take(f, buf, f->head + end, cut);
    return 0;
}
