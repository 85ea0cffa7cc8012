#include "sip/xmlend.h"

#include "base/scan.h"

/* Index behind `end` at or behind at; s.n + 1 when it is not there. */
static size_t behind(struct slice s, size_t at, struct slice end)
{
    size_t found = slice_find_slice(slice_from(s, at), end);

    return at + found + end.n <= s.n ? at + found + end.n : s.n + 1;
}

static bool is_name_start(char c)
{
    char l = ascii_lower(c);

    return (l >= 'a' && l <= 'z') || c == '_';
}

/* Index of the '<' of the root element, or s.n. */
static size_t find_root(struct slice s)
{
    size_t at = slice_has_prefix(s, SLICE("\xef\xbb\xbf")) ? 3 : 0;

    for (;;) {
        while (at < s.n && ascii_is_space(s.p[at]))
            at++;
        if (at + 1 >= s.n || s.p[at] != '<')
            return s.n;
        if (s.p[at + 1] == '?')
            at = behind(s, at, SLICE("?>"));
        else if (slice_has_prefix(slice_from(s, at), SLICE("<!--")))
            at = behind(s, at + 4, SLICE("-->"));
        else
            return is_name_start(s.p[at + 1]) ? at : s.n;
        if (at > s.n)
            return s.n;
    }
}

static struct slice name_of(struct slice tag)
{
    size_t n = 1;

    while (n < tag.n && !ascii_is_space(tag.p[n]) && tag.p[n] != '>' &&
           tag.p[n] != '/')
        n++;
    return slice_of(tag.p + 1, n - 1);
}

/* s begins behind "</". 1: it is the end tag, *n bytes of it; 0: it is not;
 * -1: it may become one. */
static int match_end(struct slice s, struct slice name, size_t *n)
{
    size_t i = name.n, stop = name.n + SIP_XML_BLANKS;

    if (!slice_eq(slice_head(s, i), slice_head(name, s.n)))
        return 0;
    while (i < s.n && i < stop && ascii_is_space(s.p[i]))
        i++;
    if (i >= s.n)
        return -1;
    *n = i + 1;
    return s.p[i] == '>';
}

size_t sip_xml_end_from(struct slice body, size_t *from)
{
    struct slice prolog = slice_head(body, SIP_XML_PROLOG);
    size_t root = find_root(prolog), at, n;
    struct slice tag = slice_head(slice_from(body, root), SIP_XML_PROLOG);
    size_t gt = scan_char(tag.p, tag.n, '>');

    if (root == prolog.n || gt == tag.n)
        return 0;
    if (tag.p[gt - 1] == '/')
        return root + gt + 1;
    at = *from > root + gt ? *from : root + gt;
    while ((at = behind(body, at, SLICE("</"))) <= body.n) {
        switch (match_end(slice_from(body, at), name_of(tag), &n)) {
        case 1:
            return at + n;
        case -1:
            *from = at - 2;
            return 0;
        default:
            break;
        }
    }
    *from = body.n - 1; /* it may be the '<' */
    return 0;
}

size_t sip_xml_end(struct slice body)
{
    size_t from = 0;

    return sip_xml_end_from(body, &from);
}
