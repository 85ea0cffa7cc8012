#include "app/http/known.h"

#include "app/http/openapi.h"

#include <jansson.h>

#define NAME_MAX_SHOWN 40 /* bytes of what is refused */

/* The next of "start! limit", or of "name:string role:string?". */
static bool next(struct slice *rest, struct slice *name)
{
    struct slice item;

    if (!rest->n)
        return false;
    slice_cut(rest, ' ', &item);
    slice_cut(&item, ':', name);
    name->n -= name->n && name->p[name->n - 1] == '!';
    return true;
}

static bool is_among(const char *names, struct slice name)
{
    struct slice rest = slice_str(names), known;

    while (next(&rest, &known))
        if (slice_eq(known, name))
            return true;
    return false;
}

static bool refuse(struct http_call *c, const char *code, const char *names,
                   struct slice name)
{
    char text[512];
    struct writer w = writer_of(text, sizeof(text) - 1);
    struct slice rest = slice_str(names), known;
    const char *between = ": allowed are ";

    writer_slice_put(&w, slice_head(name, NAME_MAX_SHOWN));
    if (!rest.n)
        writer_str(&w, ": this path takes no parameters");
    for (; next(&rest, &known); between = ", ") {
        writer_str(&w, between);
        writer_slice_put(&w, known);
    }
    text[w.len] = '\0';
    http_answer_fail(c, 400, code, text);
    return false;
}

/* A program pages through every list alike, also those that are one page. */
static bool is_paging(const struct http_route *r, struct slice name)
{
    return r->answer && *r->answer == '[' &&
           (slice_eq(name, SLICE("limit")) || slice_eq(name, SLICE("cursor")));
}

static bool knows_parameters(struct http_call *c)
{
    struct slice rest = c->head->query, item, name;
    char buf[64];

    while (rest.n) {
        struct slice raw;

        slice_cut(&rest, '&', &item);
        slice_cut(&item, '=', &raw);
        if (http_unescape(raw, true, buf, sizeof(buf), &name))
            name = raw;
        if (name.n && name.p[0] != '_' && !is_paging(c->route, name) &&
            !is_among(c->route->query, name))
            return refuse(c, "bad-parameter", c->route->query, name);
    }
    return true;
}

/* What is no object at all its handler refuses. */
static bool knows_keys(struct http_call *c)
{
    const char *names =
        c->route->body ? http_schema_fields(c->route->body) : NULL;
    struct slice body = slice_trim(c->req->body);
    json_t *root, *value;
    const char *key;
    bool good = true;

    if (!names || !*names || !body.n)
        return true;
    root = json_loadb(body.p, body.n, 0, NULL);
    json_object_foreach(root, key, value)
    {
        if (is_among(names, slice_str(key)))
            continue;
        good = refuse(c, "bad-value", names, slice_str(key));
        break;
    }
    json_decref(root);
    return good;
}

bool http_known(struct http_call *c)
{
    if (c->route->flags & HTTP_ROUTE_MEDIA ||
        !slice_has_prefix(c->head->path, SLICE("/api/v1/")))
        return true;
    return knows_parameters(c) && knows_keys(c);
}
