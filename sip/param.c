#include "sip/param.h"

#include "base/scan.h"

/* Index behind the string that opens at s.p[at]; s.n + 1 when it never
 * closes. */
static size_t skip_quoted(struct slice s, size_t at)
{
    const char *text = s.p + at + 1;
    size_t left = s.n - at - 1, n = scan_char(text, left, '"');

    if (n < left && scan_char(text, n, '\\') == n)
        return at + 1 + n + 1; /* no escapes in it */
    for (at++; at < s.n; at++) {
        if (s.p[at] == '\\')
            at++;
        else if (s.p[at] == '"')
            return at + 1;
    }
    return s.n + 1;
}

/* Where the value that starts at `at` ends: the next sep outside quotes;
 * s.n + 1 when a quote never ends. */
static size_t value_end(struct slice s, size_t at, char sep)
{
    while (at < s.n && s.p[at] != sep)
        at = s.p[at] == '"' ? skip_quoted(s, at) : at + 1;
    return at;
}

/* The whole value is one quoted string, or begins as one. */
static void unquote(struct sip_param *p)
{
    size_t end;

    if (p->value.n == 0 || p->value.p[0] != '"')
        return;
    p->quoted = true;
    end = skip_quoted(p->value, 0);
    end = end > p->value.n ? p->value.n : end - 1;
    p->value = slice_of(p->value.p + 1, end - 1);
}

/* A quoted string without escapes that ends where the parameter does, as nearly
 * all do; *at moves behind it. false: nothing was done. */
static bool take_quoted(struct slice s, size_t *at, char sep,
                        struct sip_param *out)
{
    const char *text = s.p + *at + 1;
    size_t left = s.n - *at - 1, n = scan_char(text, left, '"');
    size_t end = *at + 1 + n + 1;

    if (n == left || (end < s.n && s.p[end] != sep) ||
        scan_char(text, n, '\\') < n)
        return false;
    out->value = slice_of(text, n);
    out->quoted = true;
    *at = end;
    return true;
}

/* The value that begins at i; returns where it ends. */
static size_t take_value(struct slice s, size_t i, char sep,
                         struct sip_param *out)
{
    size_t value = i;

    if (i < s.n && s.p[i] == '"' && take_quoted(s, &i, sep, out))
        return i;
    i += scan_word(s.p + i, s.n - i);
    if (i < s.n && s.p[i] != sep)
        i = value_end(s, i, sep);
    out->open = i > s.n;
    i = i > s.n ? s.n : i;
    out->value = slice_trim(slice_of(s.p + value, i - value));
    unquote(out);
    return i;
}

bool sip_param_next(struct slice *rest, char sep, struct sip_param *out)
{
    struct slice s = *rest;
    size_t i = 0, name;

    while (i < s.n && (ascii_is_space(s.p[i]) || s.p[i] == sep))
        i++;
    if (i == s.n) {
        *rest = slice_from(s, i);
        return false;
    }
    name = i;
    i += scan_word(s.p + i, s.n - i); /* nearly all are words and no more */
    while (i < s.n && s.p[i] != sep && s.p[i] != '=')
        i++;
    out->name = slice_trim(slice_of(s.p + name, i - name));
    out->quoted = out->open = false;
    out->has_value = i < s.n && s.p[i] == '=';
    out->value = slice_of(NULL, 0);
    if (out->has_value)
        i = take_value(s, i + 1, sep, out);
    *rest = slice_from(s, i);
    return true;
}

bool sip_param_find(struct slice params, struct slice name,
                    struct sip_param *out)
{
    struct sip_param p;

    while (sip_param_next(&params, ';', &p)) {
        if (slice_ieq(p.name, name)) {
            *out = p;
            return true;
        }
    }
    return false;
}

/* Only white space and stray ';': nothing that an element could mean. */
static bool is_hollow(struct slice s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!ascii_is_space(s.p[i]) && s.p[i] != ';')
            return false;
    return true;
}

static size_t element_end(struct slice s)
{
    size_t i = 0;
    bool bracket = false;

    if (scan_char(s.p, s.n, ',') == s.n)
        return s.n;
    while (i < s.n && (bracket || s.p[i] != ',')) {
        if (s.p[i] == '"') {
            i = skip_quoted(s, i);
            continue;
        }
        if (s.p[i] == '<')
            bracket = true;
        else if (s.p[i] == '>')
            bracket = false;
        i++;
    }
    return i < s.n ? i : s.n;
}

bool sip_list_cut(struct slice *rest, struct slice *elem)
{
    while (rest->n) {
        size_t end = element_end(*rest);

        *elem = slice_trim(slice_head(*rest, end));
        *rest = slice_from(*rest, end + 1);
        if (!is_hollow(*elem))
            return true;
    }
    return false;
}
