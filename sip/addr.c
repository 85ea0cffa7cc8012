#include "sip/addr.h"

#include "base/scan.h"
#include "sip/plain.h"

/* Where the closing quote of the string that v begins with is; v.n: nowhere. */
static size_t closing_quote(struct slice v)
{
    for (size_t i = 1; i < v.n; i++) {
        if (v.p[i] == '\\')
            i++;
        else if (v.p[i] == '"')
            return i;
    }
    return v.n;
}

static size_t skip_space(struct slice v, size_t i)
{
    while (i < v.n && ascii_is_space(v.p[i]))
        i++;
    return i;
}

static int parse_uri(struct sip_addr *a, size_t off, struct slice uri,
                     struct gb_diag *diag)
{
    int err = sip_uri_parse(&a->uri, uri, diag);

    if (err && diag)
        diag->off += off;
    return err;
}

/* v.p[lt] is the '<'. */
static int parse_bracketed(struct sip_addr *a, struct slice v, size_t lt,
                           struct gb_diag *diag)
{
    size_t gt = lt + scan_char(v.p + lt, v.n - lt, '>'), at;
    int err;

    if (gt == v.n)
        return gb_fail(diag, GB_ESYNTAX, lt, "no > behind <");
    a->bracketed = true;
    err = parse_uri(a, lt + 1,
                    slice_trim(slice_of(v.p + lt + 1, gt - lt - 1)), diag);
    if (err)
        return err;
    at = skip_space(v, gt + 1);
    if (at < v.n && v.p[at] != ';')
        return gb_fail(diag, GB_ESYNTAX, at, "text behind >");
    a->params = slice_from(v, at + 1);
    return 0;
}

static int parse_bare(struct sip_addr *a, struct slice v, struct gb_diag *diag)
{
    size_t semi = scan_char(v.p, v.n, ';');
    struct slice uri = slice_trim(slice_head(v, semi));

    if (scan_char(uri.p, uri.n, '?') < uri.n ||
        scan_char(uri.p, uri.n, ',') < uri.n)
        return gb_fail(diag, GB_ESYNTAX, 0, "URI needs brackets");
    a->params = slice_from(v, semi + 1);
    return parse_uri(a, 0, uri, diag);
}

/* The first tag; GB_ESYNTAX when a quote would swallow what follows. */
static int find_tag(struct sip_addr *a)
{
    struct slice rest = a->params;
    struct sip_param p;

    while (sip_param_next(&rest, ';', &p)) {
        if (p.open)
            return GB_ESYNTAX;
        if (a->tag.n == 0 && p.name.n == 3 &&
            slice_ieq(p.name, SLICE("tag")))
            a->tag = p.value;
    }
    return 0;
}

static int parse_any(struct sip_addr *out, struct slice v,
                     struct gb_diag *diag)
{
    struct sip_addr a = { .text = v };
    size_t i = 0;
    int err;

    if (v.n == 1 && v.p[0] == '*') {
        a.is_star = true;
        *out = a;
        return 0;
    }
    if (v.n && v.p[0] == '"') {
        size_t quote = closing_quote(v);

        if (quote == v.n)
            return gb_fail(diag, GB_ESYNTAX, 0, "display name never ends");
        a.display = slice_of(v.p + 1, quote - 1);
        i = skip_space(v, quote + 1);
        if (i == v.n || v.p[i] != '<')
            return gb_fail(diag, GB_ESYNTAX, i, "no < behind display name");
        err = parse_bracketed(&a, v, i, diag);
    } else {
        while (i < v.n && v.p[i] != '<' && v.p[i] != '"')
            i++;
        if (i < v.n && v.p[i] == '<') {
            a.display = slice_trim(slice_head(v, i));
            err = parse_bracketed(&a, v, i, diag);
        } else {
            err = parse_bare(&a, v, diag);
        }
    }
    if (err)
        return err;
    if (a.params.n && find_tag(&a))
        return gb_fail(diag, GB_ESYNTAX, v.n, "quoted parameter never ends");
    *out = a;
    return 0;
}

int sip_addr_parse(struct sip_addr *out, struct slice value,
                   struct gb_diag *diag)
{
    struct slice v = slice_trim(value);

    uint64_t map[SCAN_MAP_WORDS];
    struct sip_plain t;

    if (sip_plain_of(&t, map, v) && sip_plain_addr(out, t, 0, v.n))
        return 0;
    return parse_any(out, v, diag);
}

bool sip_addr_param(const struct sip_addr *a, struct slice name,
                    struct sip_param *out)
{
    return sip_param_find(a->params, name, out);
}

/* Nothing that ends a URI or tag early. */
static bool is_plain(struct slice s)
{
    return scan_delimiter(s.p, s.n) == s.n;
}

void sip_addr_write(struct writer *w, struct slice uri, struct slice tag)
{
    if (uri.n == 0 || !is_plain(uri) || !is_plain(tag) ||
        scan_char(tag.p, tag.n, ';') < tag.n ||
        scan_char(tag.p, tag.n, ',') < tag.n) {
        if (!w->err)
            w->err = GB_ESYNTAX;
        return;
    }
    writer_char(w, '<');
    writer_slice_put(w, uri);
    writer_char(w, '>');
    if (tag.n) {
        writer_str(w, ";tag=");
        writer_slice_put(w, tag);
    }
}
