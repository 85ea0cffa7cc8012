#include "manscdp/repair.h"

#define MAX_REF 12 /* "&#x0010ffff;" */

static bool is_name_begin(char c)
{
    c = ascii_lower(c);
    return (c >= 'a' && c <= 'z') || c == '_' || c == ':';
}

/* ASCII only: "<" before a Chinese character is text. */
static bool is_name_char(char c)
{
    return is_name_begin(c) || ascii_is_digit(c) || c == '-' || c == '.';
}

static size_t skip_space(struct slice s, size_t i)
{
    while (i < s.n && ascii_is_space(s.p[i]))
        i++;
    return i;
}

static size_t skip_name(struct slice s, size_t i)
{
    while (i < s.n && is_name_char(s.p[i]))
        i++;
    return i;
}

/* One attribute at i, which is no space, '/' or '>': x="1", x='1', x=1, x.
 * Returns the offset behind it, or 0 when it is none. */
static size_t attr_at(struct slice s, size_t i, struct slice *name,
                      struct slice *value)
{
    size_t from = i, end;
    char quote;

    i = skip_name(s, i);
    if (i == from)
        return 0;
    *name = slice_of(s.p + from, i - from);
    *value = slice_of(s.p, 0);
    end = i;
    i = skip_space(s, i);
    if (i == s.n || s.p[i] != '=')
        return end;
    i = skip_space(s, i + 1);
    if (i == s.n)
        return 0;
    quote = s.p[i];
    if (quote == '"' || quote == '\'') {
        for (from = ++i; i < s.n && s.p[i] != quote; i++)
            if (s.p[i] == '<')
                return 0;
        *value = slice_of(s.p + from, i - from);
        return i < s.n ? i + 1 : 0;
    }
    for (from = i; i < s.n && !ascii_is_space(s.p[i]) && s.p[i] != '>' &&
                   s.p[i] != '/'; i++)
        if (s.p[i] == '<')
            return 0;
    *value = slice_of(s.p + from, i - from);
    return i;
}

/* Without the prefix of a namespace: "gb:Notify" is a Notify. */
static struct slice local_name(struct slice name)
{
    size_t n = name.n;

    while (n && name.p[n - 1] != ':')
        n--;
    return n < name.n && is_name_begin(name.p[n]) ? slice_from(name, n) : name;
}

static bool end_tag_at(struct slice s, size_t off, struct xml_tag *tag)
{
    size_t from = skip_space(s, off + 2), i = skip_name(s, from);

    if (i == from || !is_name_begin(s.p[from]))
        return false;
    tag->name = local_name(slice_of(s.p + from, i - from));
    tag->attrs = slice_of(s.p + i, 0);
    i = skip_space(s, i);
    tag->n = i + 1 - off;
    tag->is_end = true;
    tag->is_empty = false;
    return i < s.n && s.p[i] == '>';
}

bool xml_tag_at(struct slice s, size_t off, struct xml_tag *tag)
{
    struct slice name, value;
    size_t i = off + 1, attrs;

    if (i >= s.n)
        return false;
    if (s.p[i] == '/')
        return end_tag_at(s, off, tag);
    if (!is_name_begin(s.p[i]))
        return false;
    i = skip_name(s, i);
    tag->name = local_name(slice_of(s.p + off + 1, i - off - 1));
    tag->is_end = tag->is_empty = false;
    for (attrs = i;;) {
        i = skip_space(s, i);
        if (i == s.n)
            return false;
        if (s.p[i] == '>')
            break;
        if (s.p[i] == '/' && i + 1 < s.n && s.p[i + 1] == '>') {
            tag->is_empty = true;
            break;
        }
        i = attr_at(s, i, &name, &value);
        if (!i)
            return false;
    }
    tag->attrs = slice_of(s.p + attrs, i - attrs);
    tag->n = i - off + (tag->is_empty ? 2 : 1);
    return true;
}

/* XML 1.0 §2.2 */
static bool is_xml_char(uint32_t c)
{
    return c == '\t' || c == '\n' || c == '\r' ||
           (c >= 0x20 && c <= 0xd7ff) || (c >= 0xe000 && c <= 0xfffd) ||
           (c >= 0x10000 && c <= 0x10ffff);
}

/* A reference at i: its bytes and true, when it stands for a character that
 * XML allows; its bytes and false for a number that does not; else 0. */
static size_t reference_at(struct slice s, size_t i, bool *good)
{
    static const struct slice names[] = {
        SLICE_INIT("&amp;"), SLICE_INIT("&lt;"), SLICE_INIT("&gt;"),
        SLICE_INIT("&quot;"), SLICE_INIT("&apos;")
    };
    struct slice rest = slice_head(slice_from(s, i), MAX_REF);
    uint32_t base = 10, digit;
    uint32_t c = 0;
    size_t k = 2, from;

    *good = true;
    for (size_t n = 0; n < sizeof(names) / sizeof(names[0]); n++)
        if (slice_has_prefix(rest, names[n]))
            return names[n].n;
    if (!slice_has_prefix(rest, SLICE("&#")))
        return 0;
    if (k < rest.n && rest.p[k] == 'x') {
        base = 16;
        k++;
    }
    for (from = k; k < rest.n; k++) {
        digit = (uint32_t)ascii_hex(rest.p[k]);
        if (digit >= base) /* or none */
            break;
        c = c > 0x10ffff ? c : c * base + digit;
    }
    if (k == from || k == rest.n || rest.p[k] != ';')
        return 0;
    *good = is_xml_char(c);
    return k + 1;
}

/* Text or an attribute's value, with what is wrong in it mended. literal: a
 * CDATA section, where '&' means itself. */
static void put_text(struct writer *out, struct slice s, bool literal,
                     struct xml_repair *r)
{
    for (size_t i = 0; i < s.n;) {
        size_t from = i, n;
        bool good;

        while (i < s.n && (uint8_t)s.p[i] >= 0x20 && s.p[i] != '&' &&
               s.p[i] != '<' && s.p[i] != '"' && s.p[i] != '>')
            i++;
        writer_bytes(out, s.p + from, i - from);
        if (i == s.n)
            break;
        switch (s.p[i]) {
        case '<':
            writer_str(out, "&lt;");
            r->repaired |= !literal;
            break;
        case '>':
            writer_str(out, "&gt;");
            break;
        case '"':
            writer_str(out, "&quot;");
            break;
        case '&':
            n = literal ? 0 : reference_at(s, i, &good);
            if (n && good)
                writer_bytes(out, s.p + i, n);
            else
                writer_str(out, n ? "?" : "&amp;");
            r->repaired |= !literal && !(n && good);
            i += n ? n - 1 : 0;
            break;
        case '\t':
        case '\r':
        case '\n':
            writer_char(out, s.p[i]);
            break;
        default: /* control characters, NUL */
            r->repaired = true;
        }
        i++;
    }
}

static bool is_among(const struct slice *names, unsigned n, struct slice name)
{
    while (n--)
        if (slice_ieq(names[n], name))
            return true;
    return false;
}

/* Of attributes with the same name the first is kept: mxml refuses such a
 * document, and loses memory when it happens in the root. */
static void put_start(struct writer *out, const struct xml_tag *tag,
                      struct xml_repair *r)
{
    struct slice names[MANSCDP_MAX_ATTRS];
    size_t i = skip_space(tag->attrs, 0);
    unsigned n = 0;

    writer_char(out, '<');
    writer_slice_put(out, tag->name);
    while (i < tag->attrs.n) {
        struct slice name, value;

        i = attr_at(tag->attrs, i, &name, &value);
        if (!i)
            break;
        if (is_name_begin(name.p[0]) && n < MANSCDP_MAX_ATTRS &&
            !is_among(names, n, name)) {
            names[n++] = name;
            writer_char(out, ' ');
            writer_slice_put(out, name);
            writer_str(out, "=\"");
            put_text(out, value, false, r);
            writer_char(out, '"');
        }
        i = skip_space(tag->attrs, i);
    }
    writer_str(out, tag->is_empty ? "/>" : ">");
}

/* What the pass is in the middle of. */
struct pass {
    struct slice s;
    size_t off;
    struct writer *out;
    const struct xml_limits *limits;
    struct xml_repair *r;
    struct gb_diag *diag;
    struct slice open[MANSCDP_MAX_DEPTH];
    unsigned depth;
    size_t tag_end, tag_written; /* behind the last tag: in s, and in out */
    bool no_close; /* no '>' lies ahead: it is not looked for again */
    bool done;     /* the root is closed */
};

static int refuse(struct pass *p, int err, const char *why)
{
    p->r->refused = true;
    return gb_fail(p->diag, err, p->off, why);
}

static int on_tag(struct pass *p, const struct xml_tag *tag)
{
    unsigned max = p->limits->max_depth;

    if (tag->is_end) {
        struct slice *top = &p->open[p->depth - (p->depth > 0)];

        if (!p->depth || !slice_ieq(*top, tag->name))
            return gb_fail(p->diag, GB_ESYNTAX, p->off,
                           "end tag without its start tag");
        writer_str(p->out, "</");
        writer_slice_put(p->out, *top);
        writer_char(p->out, '>');
        p->r->repaired |= !slice_eq(*top, tag->name);
        p->done = --p->depth == 0;
        return 0;
    }
    if (++p->r->n_nodes > p->limits->max_nodes)
        return refuse(p, GB_ELIMIT, "too many elements");
    if (p->depth == max)
        return refuse(p, GB_ELIMIT, "elements too deep in each other");
    put_start(p->out, tag, p->r);
    if (tag->is_empty)
        p->done = p->depth == 0;
    else
        p->open[p->depth++] = tag->name;
    return 0;
}

/* "<!" at off: comment, CDATA, a definition, or text. *n: its bytes. */
static int on_bang(struct pass *p, size_t *n)
{
    struct slice rest = slice_from(p->s, p->off);
    size_t end;

    if (slice_has_prefix(rest, SLICE("<!--"))) {
        end = slice_find_slice(slice_from(rest, 4), SLICE("-->"));
        if (end == rest.n - 4)
            return gb_fail(p->diag, GB_ESYNTAX, p->off, "comment has no end");
        *n = end + 7;
        return 0;
    }
    if (slice_has_prefix(rest, SLICE("<![CDATA["))) {
        end = slice_find_slice(slice_from(rest, 9), SLICE("]]>"));
        if (end == rest.n - 9)
            return gb_fail(p->diag, GB_ESYNTAX, p->off, "CDATA has no end");
        if (p->depth)
            put_text(p->out, slice_of(rest.p + 9, end), true, p->r);
        *n = end + 12;
        return 0;
    }
    if (rest.n > 2 && is_name_begin(rest.p[2]))
        return refuse(p, GB_ESYNTAX, "DTDs and entities are not accepted");
    *n = 0;
    return 0;
}

/* "<?" at off: its bytes up to the next '>', or 0: it is text. */
static size_t on_question(struct pass *p)
{
    struct slice rest = slice_from(p->s, p->off);
    size_t n = p->no_close ? rest.n : slice_find(rest, '>');

    p->no_close = n == rest.n;
    return p->no_close ? 0 : n + 1;
}

/* What begins at the '<' at off. */
static int on_markup(struct pass *p)
{
    struct slice rest = slice_from(p->s, p->off);
    struct xml_tag tag;
    size_t n = 0;
    int err = 0;

    if (rest.n > 1 && rest.p[1] == '!') {
        err = on_bang(p, &n);
    } else if (rest.n > 1 && rest.p[1] == '?') {
        n = on_question(p);
    } else if (xml_tag_at(p->s, p->off, &tag)) {
        err = on_tag(p, &tag);
        n = tag.n;
        p->tag_end = p->off + n;
        p->tag_written = p->out->len;
    }
    if (err)
        return err;
    if (!n) { /* nothing begins here: it is text */
        p->r->repaired = true;
        if (p->depth)
            writer_str(p->out, "&lt;");
        n = 1;
    }
    p->off += n;
    return 0;
}

/* What is left may be the beginning of the root's end tag: firmware that counts
 * a line end as one byte cuts its bodies off there, and all that it has to say
 * has come by then. It was taken for text, which is left out. */
static bool closes_cut_root(struct pass *p)
{
    struct slice rest = slice_trim(slice_from(p->s, p->tag_end));

    if (p->depth != 1 || !slice_has_prefix(rest, SLICE("</")))
        return false;
    rest = slice_from(rest, 2);
    if (!slice_ieq(rest, slice_head(p->open[0], rest.n)))
        return false;
    p->out->len = p->tag_written;
    writer_str(p->out, "</");
    writer_slice_put(p->out, p->open[0]);
    writer_char(p->out, '>');
    p->r->repaired = true;
    return true;
}

int xml_repair(struct writer *out, struct slice utf8,
               const struct xml_limits *limits, struct xml_repair *r,
               struct gb_diag *diag)
{
    struct pass p = { .s = utf8, .out = out, .limits = limits, .r = r,
                      .diag = diag };

    while (p.off < utf8.n && !p.done && !out->err) {
        struct slice rest = slice_from(utf8, p.off);
        size_t n = slice_find(rest, '<');
        int err;

        if (p.depth)
            put_text(out, slice_head(rest, n), false, r);
        else if (slice_trim(slice_head(rest, n)).n)
            r->repaired = true;
        p.off += n;
        if (p.off == utf8.n)
            break;
        err = on_markup(&p);
        if (err)
            return err;
    }
    if (!out->err && !p.done && !closes_cut_root(&p))
        return gb_fail(diag, GB_ESYNTAX, p.off,
                       p.depth ? "the root element does not end"
                               : "no XML element");
    if (out->err)
        return gb_fail(diag, GB_ENOMEM, p.off, "arena is full");
    return 0;
}
