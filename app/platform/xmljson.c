#include "app/platform/xmljson.h"

void xmljson_text(struct writer *w, struct slice s)
{
    writer_char(w, '"');
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];

        if (c == '"' || c == '\\')
            writer_char(w, '\\');
        if (c < 0x20)
            writer_f(w, "\\u%04x", c);
        else
            writer_char(w, (char)c);
    }
    writer_char(w, '"');
}

bool xmljson_is_secret(struct slice name)
{
    const struct slice word = SLICE_INIT("Password");

    return name.n >= word.n &&
           slice_ieq(slice_from(name, name.n - word.n), word);
}

/* An earlier sibling of the name has been written with this one. */
bool xmljson_is_first(const struct xml_node *parent, const struct xml_node *n)
{
    const struct xml_node *c = parent->child;

    while (c != n && !slice_eq(c->name, n->name))
        c = c->next;
    return c == n;
}

static const struct xml_node *next_named(const struct xml_node *n)
{
    struct slice name = n->name;

    for (n = n->next; n; n = n->next)
        if (slice_eq(n->name, name))
            return n;
    return NULL;
}

void xmljson_member(struct writer *w, const struct xml_node *n)
{
    const struct xml_node *more = next_named(n);

    xmljson_text(w, n->name);
    writer_char(w, ':');
    if (more)
        writer_char(w, '[');
    xmljson_write(w, n);
    for (; more && !w->err; more = next_named(more)) {
        writer_char(w, ',');
        xmljson_write(w, more);
    }
    if (next_named(n))
        writer_char(w, ']');
}

void xmljson_write(struct writer *w, const struct xml_node *n)
{
    unsigned keys = 0;

    if (!n->child) {
        xmljson_text(w, n->text);
        return;
    }
    writer_char(w, '{');
    for (const struct xml_node *c = n->child;
         c && keys < XMLJSON_KEYS_MAX && !w->err; c = c->next) {
        if (xmljson_is_secret(c->name) || !xmljson_is_first(n, c))
            continue;
        if (keys++)
            writer_char(w, ',');
        xmljson_member(w, c);
    }
    writer_char(w, '}');
}
