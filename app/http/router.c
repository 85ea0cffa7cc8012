#include "app/http/router.h"

const char *http_role_name(enum http_role r)
{
    static const char *const names[] = {
        [HTTP_ROLE_NONE] = "none",
        [HTTP_ROLE_VIEWER] = "viewer",
        [HTTP_ROLE_OPERATOR] = "operator",
        [HTTP_ROLE_ADMIN] = "admin",
    };

    return names[r];
}

/* One segment of a pattern against one of a path. */
static bool match_segment(struct slice pattern, struct slice segment,
                          struct http_params *out)
{
    size_t open = slice_find(pattern, '{'), close;
    struct slice before = slice_head(pattern, open), behind;

    if (open == pattern.n)
        return slice_eq(pattern, segment);
    close = slice_find(pattern, '}');
    behind = slice_from(pattern, close + 1);
    if (segment.n <= before.n + behind.n || out->n == HTTP_PARAMS_MAX ||
        !slice_has_prefix(segment, before) ||
        !slice_eq(slice_from(segment, segment.n - behind.n), behind))
        return false;
    out->value[out->n++] =
        slice_from(slice_head(segment, segment.n - behind.n), before.n);
    return true;
}

bool http_pattern_match(const char *pattern, struct slice path,
                        struct http_params *out)
{
    struct slice want = slice_str(pattern), a, b;
    bool more, more_path;

    out->n = 0;
    do {
        more = slice_cut(&want, '/', &a);
        more_path = slice_cut(&path, '/', &b);
        if (more != more_path || !match_segment(a, b, out))
            return false;
    } while (more);
    return true;
}

/* HEAD is safe, whatever GET does (RFC 9110 §9.2.1). */
static bool has_head(const struct http_route *r)
{
    return r->method == HTTP_GET && !(r->flags & HTTP_ROUTE_ACTS);
}

static bool has_method(const struct http_route *r, enum http_method method)
{
    return r->method == method || (method == HTTP_HEAD && has_head(r));
}

const struct http_route *http_route_find(const struct http_route *table,
                                         size_t n, enum http_method method,
                                         struct slice path,
                                         struct http_params *params,
                                         unsigned *allow)
{
    *allow = 0;
    for (size_t i = 0; i < n; i++) {
        if (!http_pattern_match(table[i].pattern, path, params))
            continue;
        if (has_method(&table[i], method))
            return &table[i];
        *allow |= 1u << table[i].method;
        if (has_head(&table[i]))
            *allow |= 1u << HTTP_HEAD;
    }
    params->n = 0;
    return NULL;
}

void http_allow_write(struct writer *w, unsigned allow)
{
    const char *sep = "";

    for (unsigned m = 1; m < HTTP_METHOD_COUNT; m++) {
        if (!(allow >> m & 1))
            continue;
        writer_str(w, sep);
        writer_str(w, http_method_name((enum http_method)m));
        sep = ", ";
    }
}
