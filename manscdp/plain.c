/* An element is read as "<name attrs>", then text up to the next '<', which is
 * either its own end tag, a child, or the end of the plain ground. The open
 * elements are kept on a stack of bounded depth. */
#include "manscdp/plain.h"

#include "base/scan.h"

#define NAME_SLOTS 32 /* names that are kept once only */

struct open {
    struct xml_node *node;
    const struct xml_node **link; /* where the next child goes */
};

struct plain {
    struct arena *a;
    const char *p, *end; /* what is not read yet */
    struct slice names[NAME_SLOTS];
    unsigned depth, max_depth, n_nodes, max_nodes;
    struct open open[MANSCDP_MAX_DEPTH];
};

static bool is_name_char(char c)
{
    char l = ascii_lower(c);

    return (l >= 'a' && l <= 'z') || ascii_is_digit(c) || c == '_' || c == '-' ||
           c == '.';
}

static void skip_space(struct plain *x)
{
    while (x->p < x->end && ascii_is_space(*x->p))
        x->p++;
}

/* A name, left where it is; empty: none. */
static struct slice take_name(struct plain *x)
{
    const char *from = x->p;

    if (x->p == x->end || !((ascii_lower(*x->p) >= 'a' &&
                             ascii_lower(*x->p) <= 'z') || *x->p == '_'))
        return slice_of(from, 0);
    while (x->p < x->end && is_name_char(*x->p))
        x->p++;
    return slice_of(from, (size_t)(x->p - from));
}

static bool keep_name(struct plain *x, struct slice name, struct slice *out)
{
    struct slice *slot = &x->names[(name.n * 7 + (uint8_t)name.p[0] * 3 +
                                    (uint8_t)name.p[name.n - 1]) % NAME_SLOTS];

    if (!slice_eq(*slot, name) && !arena_slice(x->a, name, slot))
        return false;
    *out = *slot;
    return true;
}

/* Text that means what it says: no markup, no reference, nothing that the
 * general reader would change. */
static bool is_plain_text(struct slice s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];

        if (c < 0x20 || c == 0x7f || c == '&' || c == '>' || c == '<')
            return false;
    }
    return true;
}

/* name="value", behind at least one blank; repeated names are not plain. */
static bool take_attr(struct plain *x, struct xml_attr *all, unsigned n)
{
    struct slice name = take_name(x), value;
    size_t len;

    if (name.n == 0 || x->end - x->p < 2 || x->p[0] != '=' || x->p[1] != '"')
        return false;
    x->p += 2;
    len = scan_char(x->p, (size_t)(x->end - x->p), '"');
    value = slice_of(x->p, len);
    if (len == (size_t)(x->end - x->p) || !is_plain_text(value))
        return false;
    x->p += len + 1;
    for (unsigned i = 0; i < n; i++)
        if (slice_ieq(all[i].name, name))
            return false;
    return keep_name(x, name, &all[n].name) &&
           arena_slice(x->a, slice_trim(value), &all[n].value);
}

static bool take_attrs(struct plain *x, struct xml_node *node)
{
    struct xml_attr all[XML_PLAIN_ATTRS], *kept;
    unsigned n = 0;

    for (;;) {
        const char *before = x->p;

        skip_space(x);
        if (x->p == x->end)
            return false;
        if (*x->p == '>' || *x->p == '/')
            break;
        if (x->p == before || n == XML_PLAIN_ATTRS || !take_attr(x, all, n))
            return false;
        n++;
    }
    if (n == 0)
        return true;
    kept = arena_alloc(x->a, n * sizeof(*kept));
    if (!kept)
        return false;
    memcpy(kept, all, n * sizeof(*kept));
    node->attrs = kept;
    node->n_attrs = n;
    return true;
}

/* x->p is behind '<' and at a name. The node is open, or closed already. */
static struct xml_node *take_start(struct plain *x)
{
    struct xml_node *node = arena_alloc(x->a, sizeof(*node));
    struct slice name = take_name(x);

    if (!node || name.n == 0 || x->n_nodes++ == x->max_nodes ||
        x->depth == x->max_depth ||
        !keep_name(x, name, &node->name) || !take_attrs(x, node))
        return NULL;
    if (*x->p == '/') {
        if (x->end - x->p < 2 || x->p[1] != '>')
            return NULL;
        x->p += 2;
        return node;
    }
    x->p++;
    x->open[x->depth++] = (struct open){ node, &node->child };
    return node;
}

/* x->p is behind "</". */
static bool take_end(struct plain *x)
{
    struct slice name = take_name(x);

    skip_space(x);
    if (x->p == x->end || *x->p != '>' ||
        !slice_eq(name, x->open[x->depth - 1].node->name))
        return false;
    x->p++;
    x->depth--;
    return true;
}

/* Text in front of the next '<': that of a leaf, or blanks. */
static bool take_text(struct plain *x)
{
    struct xml_node *node = x->open[x->depth - 1].node;
    size_t left = (size_t)(x->end - x->p), n = scan_char(x->p, left, '<');
    struct slice text = slice_trim(slice_of(x->p, n));

    if (left - n < 2)
        return false;
    x->p += n;
    if (text.n == 0)
        return true;
    return x->p[1] == '/' && !node->child && !node->text.n &&
           is_plain_text(text) && arena_slice(x->a, text, &node->text);
}

/* What is inside the root, up to its end. */
static bool take_content(struct plain *x)
{
    while (x->depth) {
        struct open *parent = &x->open[x->depth - 1];
        struct xml_node *child;

        if (!take_text(x))
            return false;
        x->p++; /* the '<' */
        if (*x->p == '/') {
            x->p++;
            if (!take_end(x))
                return false;
            continue;
        }
        if (parent->node->text.n)
            return false;
        child = take_start(x);
        if (!child)
            return false;
        *parent->link = child;
        parent->link = &child->next;
    }
    return true;
}

static bool skip_declaration(struct plain *x)
{
    size_t n;

    skip_space(x);
    if (x->end - x->p < 6 || memcmp(x->p, "<?xml ", 6) != 0)
        return true;
    n = scan_char(x->p, (size_t)(x->end - x->p), '>');
    if (n == (size_t)(x->end - x->p) || x->p[n - 1] != '?')
        return false;
    x->p += n + 1;
    skip_space(x);
    return true;
}

const struct xml_node *xml_plain(struct arena *a, struct slice utf8,
                                 const struct xml_limits *limits)
{
    struct plain x;
    struct arena before = *a;
    struct xml_node *root = NULL;

    x.a = a;
    x.p = utf8.p;
    x.end = utf8.p + utf8.n;
    x.depth = x.n_nodes = 0;
    x.max_depth = limits->max_depth < MANSCDP_MAX_DEPTH ? limits->max_depth
                                                        : MANSCDP_MAX_DEPTH;
    x.max_nodes = limits->max_nodes;
    memset(x.names, 0, sizeof(x.names));
    if (utf8.n && skip_declaration(&x) && x.end - x.p > 1 && *x.p == '<') {
        x.p++;
        root = take_start(&x);
    }
    if (root && take_content(&x)) {
        skip_space(&x);
        if (x.p == x.end)
            return root;
    }
    *a = before;
    return NULL;
}
