#include "sip/multipart.h"

#include "base/head.h"
#include "base/scan.h"

static bool is_boundary_char(char c)
{
    const struct slice others = SLICE("'()+,/:=? ");

    return scan_is_word(c) || slice_find(others, c) < others.n;
}

static bool is_boundary(struct slice s)
{
    if (s.n == 0 || s.n > SIP_MAX_BOUNDARY || s.p[s.n - 1] == ' ')
        return false;
    for (size_t i = 0; i < s.n; i++)
        if (!is_boundary_char(s.p[i]))
            return false;
    return true;
}

/* Whether a delimiter line starts at s.p[at]; *next is behind its line end,
 * *last: it closes the body. */
static bool is_delimiter(struct slice s, size_t at, struct slice boundary,
                         size_t *next, bool *last)
{
    struct slice line = slice_from(s, at);

    if (line.n < boundary.n + 2 || memcmp(line.p, "--", 2) != 0 ||
        memcmp(line.p + 2, boundary.p, boundary.n) != 0)
        return false;
    at += boundary.n + 2;
    *last = s.n - at >= 2 && memcmp(s.p + at, "--", 2) == 0;
    at += *last ? 2 : 0;
    while (at < s.n && ascii_is_blank(s.p[at]))
        at++;
    if (at < s.n && s.p[at] == '\r')
        at++;
    if (at == s.n || s.p[at] != '\n') {
        *next = at;
        return *last && at == s.n; /* the end of the body is enough */
    }
    *next = at + 1;
    return true;
}

/* Moves w->rest behind the next delimiter; *before is what stands before it,
 * without the line break that belongs to it. */
static bool cut_at_delimiter(struct sip_multipart *w, struct slice *before)
{
    struct slice s = w->rest;
    size_t at = 0, next;

    while (!is_delimiter(s, at, w->boundary, &next, &w->closed)) {
        at += scan_char(s.p + at, s.n - at, '\n') + 1;
        if (at >= s.n)
            return false;
    }
    w->rest = slice_from(s, next);
    if (at && s.p[at - 1] == '\n')
        at--;
    if (at && s.p[at - 1] == '\r')
        at--;
    *before = slice_head(s, at);
    return true;
}

int sip_multipart_init(struct sip_multipart *w, struct slice type,
                       struct slice body)
{
    struct sip_ctype c;
    struct sip_param p;
    struct slice preamble;

    if (sip_ctype_parse(&c, type) || !slice_ieq(c.type, SLICE("multipart")) ||
        !sip_param_find(c.params, SLICE("boundary"), &p) || p.open ||
        !is_boundary(p.value))
        return GB_ESYNTAX;
    *w = (struct sip_multipart){ .rest = body, .boundary = p.value };
    return cut_at_delimiter(w, &preamble) ? 0 : GB_ESYNTAX;
}

static void take_field(struct sip_part *part, const struct head_field *f)
{
    if (slice_ieq(f->name, SLICE("Content-Type")) ||
        slice_ieq(f->name, SLICE("c")))
        part->type = f->value;
    else if (slice_ieq(f->name, SLICE("Content-Transfer-Encoding")))
        part->encoding = f->value;
    else if (slice_ieq(f->name, SLICE("Content-Disposition")))
        part->disposition = f->value;
}

/* Head and body of what stood between two delimiters. Without a body the line
 * break of the delimiter may be the empty line's. */
static int read_part(struct sip_part *part, struct slice s)
{
    struct head h;
    struct head_field f;
    int err;

    *part = (struct sip_part){ 0 };
    head_init(&h, s);
    while ((err = head_next(&h, &f)) == 0)
        take_field(part, &f);
    if (err == GB_EAGAIN && h.off == s.n)
        err = GB_ENOENT;
    part->body = slice_from(s, h.off);
    return err == GB_ENOENT ? 0 : GB_ESYNTAX;
}

int sip_multipart_next(struct sip_multipart *w, struct sip_part *part)
{
    struct slice s;

    if (w->closed)
        return GB_ENOENT;
    if (w->n_parts == SIP_MAX_PARTS)
        return GB_ELIMIT;
    if (!cut_at_delimiter(w, &s))
        return GB_ESYNTAX;
    w->n_parts++;
    return read_part(part, s);
}

/* As it is: what the encodings of RFC 2045 §6.2 call identity. */
static bool is_identity(struct slice encoding)
{
    return encoding.n == 0 || slice_ieq(encoding, SLICE("binary")) ||
           slice_ieq(encoding, SLICE("8bit")) ||
           slice_ieq(encoding, SLICE("7bit"));
}

int sip_multipart_find(struct slice type, struct slice body,
                       enum sip_content content, struct sip_part *part)
{
    struct sip_multipart w;
    int err = sip_multipart_init(&w, type, body);

    while (err == 0) {
        err = sip_multipart_next(&w, part);
        if (err == 0 && part->type.n && is_identity(part->encoding) &&
            sip_content_of_type(part->type) == content)
            return 0;
    }
    return err;
}
