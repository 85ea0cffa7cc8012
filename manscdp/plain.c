/* A start tag whose own end tag is the next markup is a leaf, and done; another
 * one is put on a stack of bounded depth. */
#include "manscdp/plain.h"

struct open {
    struct xml_node *node;
    const struct xml_node **link; /* where the next child goes */
};

struct plain {
    struct marks m;
    const struct xml_sink *sink;
    bool in_list; /* the element at depth 2 is the sink's */
    bool listed;  /* one was */
    unsigned depth, max_depth, n_usual;
    struct open open[MANSCDP_MAX_DEPTH];
};

/* Nothing but characters that stand for themselves. */
static bool is_plain_text(const struct marks *m, struct slice s)
{
    size_t i = 0;

#ifdef SCAN_VECTORS
    for (; (size_t)(m->end - s.p) >= i + 16; i += 16) {
        scan_v x = scan_load(s.p + i);
        scan_v high = scan_between(x, (char)0x80, (char)0xff);
        uint32_t bad = (mark_good_bits(x) | scan_bits(high)) ^ 0xffff;

        if (s.n <= i + 16)
            return (bad & ((1u << (s.n - i)) - 1)) == 0;
        if (bad)
            return false;
    }
#endif
    for (; i < s.n; i++)
        if (mark_is_odd(s.p[i]) && (unsigned char)s.p[i] < 0x80)
            return false;
    return true;
}

bool mark_text_odd(struct marks *m, struct slice raw, struct slice *out)
{
    struct arena *a = m->a;
    struct slice text = slice_trim(raw);
    struct writer w = writer_of(a->p + a->used, a->cap - a->used);

    if (!is_plain_text(m, text))
        return false;
    *out = text;
    if (m->charset == MANSCDP_ASCII ||
        (m->charset == MANSCDP_GB18030 &&
         scan_high(text.p, text.n) == text.n))
        return true;
    if (m->charset == MANSCDP_UTF8)
        return manscdp_text_is_utf8(text);
    manscdp_text_decode_run(&w, raw); /* what is cut is told by what follows */
    a->used += w.len;
    *out = slice_trim(writer_slice(&w));
    return !w.err;
}

static void skip_space(struct plain *x)
{
    x->m.p = mark_skip(&x->m, x->m.p);
}

static size_t name_length(const char *p, size_t n)
{
#ifdef SCAN_VECTORS
    if (n >= 16) {
        uint32_t other = scan_class_not_word(scan_load(p), 0);

        if (other)
            return (size_t)(unsigned)__builtin_ctz(other);
    }
#endif
    return scan_word(p, n);
}

/* A name at p; empty: none. */
static inline struct slice name_at(const struct marks *m, const char *p)
{
    struct slice name = slice_of(p, name_length(p, (size_t)(m->end - p)));

    if (name.n && *p != '_' && (unsigned char)((*p | 0x20) - 'a') > 25)
        name.n = 0;
    return name;
}

/* name="value", behind at least one blank; repeated names are not plain. */
static bool take_attr(struct plain *x, struct xml_attr *all, unsigned n)
{
    struct marks *m = &x->m;
    struct slice name = name_at(m, m->p), value;
    size_t len;

    m->p += name.n;
    if (name.n == 0 || m->end - m->p < 2 || m->p[0] != '=' || m->p[1] != '"')
        return false;
    m->p += 2;
    len = scan_char(m->p, (size_t)(m->end - m->p), '"');
    value = slice_of(m->p, len);
    if (m->p + len == m->end || !is_plain_text(m, value) ||
        scan_high(value.p, value.n) < value.n)
        return false;
    m->p += len + 1;
    for (unsigned i = 0; i < n; i++)
        if (slice_ieq(all[i].name, name))
            return false;
    all[n] = (struct xml_attr){ name, slice_trim(value) };
    return true;
}

static bool take_attrs(struct plain *x, struct xml_node *node)
{
    struct xml_attr all[XML_PLAIN_ATTRS], *kept;
    struct marks *m = &x->m;
    unsigned n = 0;

    for (;;) {
        const char *before = m->p;

        skip_space(x);
        if (m->p == m->end)
            return false;
        if (*m->p == '>' || *m->p == '/')
            break;
        if (m->p == before || n == XML_PLAIN_ATTRS || !take_attr(x, all, n))
            return false;
        n++;
    }
    if (n == 0)
        return true;
    kept = mark_room(m->a, n * sizeof(*kept));
    if (!kept)
        return false;
    memcpy(kept, all, n * sizeof(*kept));
    node->attrs = kept;
    node->n_attrs = n;
    return true;
}

/* "</name>" is at p. */
static inline bool is_end(const struct marks *m, const char *p,
                          struct slice name)
{
    return (size_t)(m->end - p) >= name.n + 3 && p[0] == '<' && p[1] == '/' &&
           p[2 + name.n] == '>' &&
           (name.n <= 16 && m->end - p >= 18
                ? mark_equal(p + 2, name.p, (unsigned)name.n)
                : memcmp(p + 2, name.p, name.n) == 0);
}

/* A child begins at p, or behind white space: no leaf. */
static inline bool is_child(const struct marks *m, const char *p)
{
    p = mark_skip(m, p);
    return m->end - p >= 2 && p[0] == '<' && p[1] != '/';
}

/* Behind a start tag: its text and its end tag, when it is a leaf. */
static inline bool take_leaf(struct marks *m, struct xml_node *node,
                             struct slice name)
{
    if (!mark_text(m, &node->text) || !is_end(m, m->p, name))
        return false;
    m->p += name.n + 3;
    return true;
}

/* The name of the start tag at m->p. The elements of an envelope come in this
 * order, nearly always: when the guess is right, the processor need not wait
 * for the bytes to know where the name ends. */
static inline struct slice start_name(struct plain *x)
{
    static const struct {
        char text[16]; /* all of it can be read */
        unsigned n;
    } usual[] = {
        { "CmdType>", 8 }, { "SN>", 3 }, { "DeviceID>", 9 }, { "Status>", 7 }
    };
    const struct marks *m = &x->m;
    const char *p = m->p + 1;

    if (x->depth == 1 && x->n_usual < sizeof(usual) / sizeof(usual[0])) {
        const char *guess = usual[x->n_usual].text;
        unsigned n = usual[x->n_usual++].n;

        if (m->end - p >= 16 && mark_equal(p, guess, n))
            return slice_of(p, n - 1);
    }
    return name_at(m, p);
}

/* x->m.p is at a '<' and a start tag. The node is open, or closed already. */
static struct xml_node *take_start(struct plain *x)
{
    struct marks *m = &x->m;
    struct xml_node *node = mark_room(m->a, sizeof(*node));
    struct slice name = start_name(x);

    if (!node || m->n_nodes++ == m->max_nodes || x->depth == x->max_depth)
        return NULL;
    *node = (struct xml_node){ .name = name };
    m->p += 1 + name.n;
    if (!name.n || m->p == m->end || (*m->p != '>' && !take_attrs(x, node)))
        return NULL;
    if (*m->p == '/') {
        if (m->end - m->p < 2 || m->p[1] != '>')
            return NULL;
        m->p += 2;
        return node;
    }
    m->p++;
    if (!is_child(m, m->p))
        return take_leaf(m, node, name) ? node : NULL;
    x->open[x->depth++] = (struct open){ node, &node->child };
    return node;
}

/* x->m.p is at a '<' and an end tag. */
static bool take_end(struct plain *x)
{
    struct marks *m = &x->m;
    struct slice name = x->open[x->depth - 1].node->name;

    if (!is_end(m, m->p, name))
        return false;
    m->p += name.n + 3;
    x->depth--;
    x->in_list &= x->depth > 1;
    return true;
}

static bool take_child(struct plain *x)
{
    struct open *parent = &x->open[x->depth - 1];
    unsigned depth = x->depth;
    struct xml_node *child = take_start(x);

    if (!child)
        return false;
    if (x->sink && depth == 1 && x->depth == 2)
        x->listed |= x->in_list = x->sink->is_list(parent->node, child);
    *parent->link = child;
    parent->link = &child->next;
    return true;
}

/* What is inside the root, up to its end. */
static bool take_content(struct plain *x)
{
    struct marks *m = &x->m;

    while (x->depth) {
        bool good;

        if (!mark_gap(m) || m->end - m->p < 2)
            return false;
        if (m->p[1] == '/')
            good = take_end(x);
        else if (x->in_list)
            good = x->sink->item(x->sink->ctx, m);
        else
            good = take_child(x);
        if (!good)
            return false;
    }
    return m->n_nodes <= m->max_nodes;
}

static bool skip_declaration(struct plain *x)
{
    struct marks *m = &x->m;
    size_t n;

    if (m->charset == MANSCDP_UTF8 && m->end - m->p >= 3 &&
        memcmp(m->p, "\xef\xbb\xbf", 3) == 0)
        m->p += 3;
    skip_space(x);
    if (m->end - m->p < 6 || memcmp(m->p, "<?xml ", 6) != 0)
        return true;
    n = scan_char(m->p, (size_t)(m->end - m->p), '>');
    if (m->p + n == m->end || m->p[n - 1] != '?')
        return false;
    m->p += n + 1;
    return true;
}

static const struct xml_node *take_document(struct plain *x)
{
    struct xml_node *root;

    if (!skip_declaration(x) || !mark_gap(&x->m))
        return NULL;
    root = take_start(x);
    if (!root || !take_content(x))
        return NULL;
    skip_space(x);
    return x->m.p == x->m.end ? root : NULL;
}

const struct xml_node *xml_plain(struct arena *a, struct slice body,
                                 enum manscdp_charset charset,
                                 const struct xml_limits *limits,
                                 const struct xml_sink *sink, bool *listed)
{
    size_t used = a->used;
    const struct xml_node *root;
    struct plain x;

    x.m = (struct marks){
        .p = body.p, .end = body.p + body.n, .a = a, .charset = charset,
        .max_nodes = limits->max_nodes,
    };
    x.sink = sink;
    x.in_list = x.listed = false;
    x.depth = x.n_usual = 0;
    x.max_depth = limits->max_depth < MANSCDP_MAX_DEPTH ? limits->max_depth
                                                        : MANSCDP_MAX_DEPTH;
    root = body.n ? take_document(&x) : NULL;
    if (!root)
        a->used = used;
    if (sink)
        *listed = x.listed;
    return root;
}
