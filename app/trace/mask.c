#include "app/trace/mask.h"

#include "base/slice.h"

static void stars(char *p, size_t n)
{
    if (n)
        memset(p, '*', n);
}

/* The value at p: a quoted string without its quotes, or up to a separator. */
static size_t value_len(const char *p, size_t n, const char **value,
                        size_t *len)
{
    char quote = n && (*p == '"' || *p == '\'') ? *p : 0;
    size_t i = quote != 0, from = i;

    if (quote) {
        while (i < n && p[i] != quote && p[i] != '\n')
            i += p[i] == '\\' && i + 1 < n ? 2 : 1;
        i = i < n ? i : n;
    } else {
        while (i < n && p[i] != ',' && p[i] != ';' && p[i] != '>' &&
               p[i] != '&' && !ascii_is_space(p[i]))
            i++;
    }
    *value = p + from;
    *len = i - from;
    return i;
}

/* "name" and "=" with blanks: the value behind it is masked. Returns how far
 * to go on. */
static size_t mask_value(char *p, size_t n)
{
    const char *value;
    size_t i = 0, len, used;

    while (i < n && ascii_is_blank(p[i]))
        i++;
    if (i == n || p[i] != '=')
        return i;
    i++;
    while (i < n && ascii_is_blank(p[i]))
        i++;
    used = value_len(p + i, n - i, &value, &len);
    stars(p + (value - p), len);
    return i + used;
}

static bool is_name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           ascii_is_digit(c) || c == '-' || c == '_' || c == '.' || c == ':';
}

/* The next name from *i on, which moves behind it; empty: none is left. */
static struct slice next_name(const char *p, size_t n, size_t *i)
{
    size_t from;

    while (*i < n && !is_name_char(p[*i]))
        ++*i;
    from = *i;
    while (*i < n && is_name_char(p[*i]))
        ++*i;
    return slice_of(p + from, *i - from);
}

/* Parameters of one credentials header. */
static void mask_credentials(char *p, size_t n)
{
    static const struct slice names[] = {
        SLICE_INIT("response"), SLICE_INIT("cnonce"), SLICE_INIT("rspauth"),
    };

    for (size_t i = 0; i < n;) {
        struct slice name = next_name(p, n, &i);

        for (size_t k = 0; k < sizeof(names) / sizeof(names[0]); k++)
            if (slice_ieq(name, names[k])) {
                i += mask_value(p + i, n - i);
                break;
            }
    }
}

/* sip:user:PASSWORD@host. What ends the search for an '@' ends it for every
 * "sip:" that it has passed too: each byte is looked at once. */
static void mask_uri_passwords(char *p, size_t n)
{
    for (size_t i = 0; i + 4 < n; i++) {
        size_t colon = 0, k;

        if (p[i] != ':' || i < 3 ||
            (!slice_ieq(slice_of(p + i - 3, 3), SLICE("sip")) &&
             !slice_ieq(slice_of(p + i - 3, 3), SLICE("ips"))))
            continue;
        for (k = i + 1; k < n && p[k] != '@' && p[k] != '>' && p[k] != '"' &&
                        !ascii_is_space(p[k]); k++)
            if (p[k] == ':' && !colon)
                colon = k;
        if (k < n && p[k] == '@' && colon)
            stars(p + colon + 1, k - colon - 1);
        i = k;
    }
}

static bool is_secret_header(struct slice line)
{
    static const struct slice names[] = {
        SLICE_INIT("authorization"), SLICE_INIT("proxy-authorization"),
        SLICE_INIT("authentication-info"),
    };
    struct slice name;

    slice_cut(&line, ':', &name);
    name = slice_trim(name);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (slice_ieq(name, names[i]))
            return true;
    return false;
}

/* The header block; returns its length. */
static size_t mask_head(char *p, size_t n)
{
    bool secret = false, started = false;
    size_t i = 0;

    while (i < n) {
        struct slice line = slice_of(p + i, n - i);

        line.n = slice_find(line, '\n');
        if (slice_trim(line).n == 0 && started) {
            i += line.n + (line.n < n - i);
            break;
        }
        started |= slice_trim(line).n > 0;
        if (!(line.n && ascii_is_blank(line.p[0])))
            secret = is_secret_header(line); /* else it goes on from above */
        if (secret)
            mask_credentials(p + i, line.n);
        i += line.n + (line.n < n - i);
    }
    mask_uri_passwords(p, i);
    return i;
}

static const struct slice secret_parts[] = {
    SLICE_INIT("password"), SLICE_INIT("passwd"), SLICE_INIT("pwd"),
};
#define SECRET_PARTS (sizeof(secret_parts) / sizeof(secret_parts[0]))

static bool is_secret_name(struct slice name)
{
    for (size_t k = 0; k < SECRET_PARTS; k++)
        for (size_t i = 0; i + secret_parts[k].n <= name.n; i++)
            if (slice_has_iprefix(slice_from(name, i), secret_parts[k]))
                return true;
    return false;
}

/* A part of such a name in UTF-16, either order of bytes: what is behind its last
 * letter may be the first half of any character. */
static bool is_wide_secret(const char *p, size_t n, struct slice part)
{
    if (n < part.n * 2 - 1)
        return false;
    for (size_t i = 0; i < part.n; i++)
        if (ascii_lower(p[2 * i]) != part.p[i] || (i && p[2 * i - 1]))
            return false;
    return true;
}

/* A body in UTF-16 that has secrets goes as a whole. */
static void mask_wide(char *p, size_t n)
{
    if (!n || !memchr(p, 0, n))
        return;
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < SECRET_PARTS; k++)
            if (is_wide_secret(p + i, n - i, secret_parts[k])) {
                stars(p, n);
                return;
            }
}

/* The text of an element, from behind its name to its end tag. */
static size_t mask_element(char *p, size_t n)
{
    size_t i = 0, from;

    while (i < n && p[i] != '>') {
        if (is_name_char(p[i])) { /* attributes of it */
            from = i;
            while (i < n && is_name_char(p[i]))
                i++;
            if (i > from)
                i += mask_value(p + i, n - i);
            continue;
        }
        i++;
    }
    if (i == n || (i && p[i - 1] == '/'))
        return i;
    from = ++i;
    while (i < n && !(p[i] == '<' && i + 1 < n && p[i + 1] == '/'))
        i++;
    stars(p + from, i - from);
    return i;
}

static void mask_body(char *p, size_t n)
{
    for (size_t i = 0; i < n;) {
        struct slice name = next_name(p, n, &i);
        bool tag = name.p > p && name.p[-1] == '<';

        if (!is_secret_name(name))
            continue;
        i += tag ? mask_element(p + i, n - i) : mask_value(p + i, n - i);
    }
}

void trace_mask(char *p, size_t n)
{
    size_t head = mask_head(p, n);

    mask_body(p, n); /* all of it: there may be no empty line */
    mask_wide(p + head, n - head);
}
