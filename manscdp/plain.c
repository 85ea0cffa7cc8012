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

    (void)m;
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

/* U+FEFF inside a text, which the general reader leaves out. */
static bool has_mark(struct slice text)
{
    return slice_find_slice(text, SLICE("\xef\xbb\xbf")) < text.n;
}

bool mark_text_odd(struct marks *m, struct slice raw, struct slice *out)
{
    struct arena *a = m->a;
    struct slice text = slice_trim(raw);
    struct writer w = writer_of(a->p + a->used, a->cap - a->used);

    if (!is_plain_text(m, text))
        return false;
    *out = text;
    if (m->charset == MANSCDP_ASCII)
        return true;
    if (m->charset == MANSCDP_UTF8)
        return manscdp_text_is_utf8(text) && !has_mark(text);
    if (manscdp_text_names(&w, text)) {
        a->used += w.len;
        *out = writer_slice(&w);
        return true;
    }
    manscdp_text_decode_run(&w, raw); /* what is cut is told by what follows */
    a->used += w.len;
    *out = slice_trim(writer_slice(&w));
    return !w.err && !has_mark(*out);
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

/* Each of the following takes what is at p and gives what is behind it, or NULL
 * when that is not plain. */

/* name="value", behind at least one blank; repeated names are not plain. */
static const char *take_attr(const struct marks *m, const char *p,
                             struct xml_attr *all, unsigned n)
{
    struct slice name = name_at(m, p), value;

    p += name.n;
    if (name.n == 0 || m->end - p < 2 || p[0] != '=' || p[1] != '"')
        return NULL;
    p += 2;
    value = slice_of(p, scan_char(p, (size_t)(m->end - p), '"'));
    p += value.n;
    if (p == m->end || !is_plain_text(m, value) ||
        scan_high(value.p, value.n) < value.n)
        return NULL;
    for (unsigned i = 0; i < n; i++)
        if (slice_ieq(all[i].name, name))
            return NULL;
    all[n] = (struct xml_attr){ name, slice_trim(value) };
    return p + 1;
}

/* Up to the '>' or '/' behind them. */
static const char *take_attrs(struct marks *m, const char *p,
                              struct xml_node *node)
{
    struct xml_attr all[XML_PLAIN_ATTRS], *kept;
    unsigned n = 0;

    for (;;) {
        const char *before = p;

        p = mark_skip(m, p);
        if (p == m->end)
            return NULL;
        if (*p == '>' || *p == '/')
            break;
        if (p == before || n == XML_PLAIN_ATTRS)
            return NULL;
        p = take_attr(m, p, all, n++);
        if (!p)
            return NULL;
    }
    if (n == 0)
        return p;
    kept = mark_room(m->a, n * sizeof(*kept));
    if (!kept)
        return NULL;
    memcpy(kept, all, n * sizeof(*kept));
    node->attrs = kept;
    node->n_attrs = n;
    return p;
}

/* "</name>". */
static inline const char *take_end(const struct marks *m, const char *p,
                                   struct slice name)
{
    bool same = (size_t)(m->end - p) >= name.n + 3 && p[0] == '<' &&
                p[1] == '/' && p[2 + name.n] == '>' &&
                (name.n <= 16 && m->end - p >= 18
                     ? mark_equal(p + 2, name.p, (unsigned)name.n)
                     : memcmp(p + 2, name.p, name.n) == 0);

    return same ? p + name.n + 3 : NULL;
}

/* A child begins at p, or behind white space: no leaf. */
static inline bool is_child(const struct marks *m, const char *p)
{
    p = mark_skip(m, p);
    return m->end - p >= 2 && p[0] == '<' && p[1] != '/';
}

/* The name of a start tag. The elements of an envelope come in this order,
 * nearly always: when the guess is right, the processor need not wait for the
 * bytes to know where the name ends. */
static inline struct slice start_name(struct plain *x, const char *p)
{
    static const struct {
        char text[16]; /* all of it can be read */
        unsigned n;
    } usual[] = {
        { "CmdType>", 8 }, { "SN>", 3 }, { "DeviceID>", 9 }, { "Status>", 7 }
    };

    if (x->depth == 1 && x->n_usual < sizeof(usual) / sizeof(usual[0])) {
        const char *guess = usual[x->n_usual].text;
        unsigned n = usual[x->n_usual++].n;

        if (x->m.end - p >= 16 && mark_equal(p, guess, n))
            return slice_of(p, n - 1);
    }
    return name_at(&x->m, p);
}

/* A start tag, and all of the element when it is a leaf. */
static const char *take_start(struct plain *x, const char *p,
                              struct xml_node **out)
{
    struct marks *m = &x->m;
    struct xml_node *node = mark_room(m->a, sizeof(*node));
    struct slice name = start_name(x, ++p);

    if (!node || m->n_nodes++ == m->max_nodes || x->depth == x->max_depth)
        return NULL;
    *node = (struct xml_node){ .name = name };
    *out = node;
    p += name.n;
    if (!name.n || p == m->end)
        return NULL;
    if (*p != '>' && !(p = take_attrs(m, p, node)))
        return NULL;
    if (*p++ == '/')
        return p < m->end && *p == '>' ? p + 1 : NULL;
    if (!is_child(m, p)) {
        p = mark_text(m, p, &node->text);
        return p ? take_end(m, p, name) : NULL;
    }
    x->open[x->depth++] = (struct open){ node, &node->child };
    return p;
}

static const char *take_child(struct plain *x, const char *p)
{
    struct open *parent = &x->open[x->depth - 1];
    unsigned depth = x->depth;
    struct xml_node *child;

    p = take_start(x, p, &child);
    if (!p)
        return NULL;
    if (x->sink && depth == 1 && x->depth == 2)
        x->listed |= x->in_list = x->sink->is_list(parent->node, child);
    *parent->link = child;
    parent->link = &child->next;
    return p;
}

static const char *take_item(struct plain *x, const char *p)
{
    x->m.p = p;
    return x->sink->item(x->sink->ctx, &x->m) ? x->m.p : NULL;
}

static const char *close_element(struct plain *x, const char *p)
{
    p = take_end(&x->m, p, x->open[--x->depth].node->name);
    x->in_list &= x->depth > 1;
    return p;
}

/* What is inside the root, and its end. */
static const char *take_content(struct plain *x, const char *p)
{
    while (x->depth && p) {
        p = mark_gap(&x->m, p);
        if (!p || x->m.end - p < 2)
            return NULL;
        p = p[1] == '/' ? close_element(x, p)
            : x->in_list ? take_item(x, p)
                         : take_child(x, p);
    }
    return x->m.n_nodes <= x->m.max_nodes ? p : NULL;
}

/* What may stand before the root. */
static const char *take_declaration(const struct marks *m, const char *p)
{
    if (m->charset == MANSCDP_UTF8 && m->end - p >= 3 &&
        memcmp(p, "\xef\xbb\xbf", 3) == 0)
        p += 3;
    p = mark_skip(m, p);
    if (m->end - p < 6 || memcmp(p, "<?xml ", 6) != 0)
        return p;
    p += scan_char(p, (size_t)(m->end - p), '>');
    return p < m->end && p[-1] == '?' ? p + 1 : NULL;
}

static const struct xml_node *take_document(struct plain *x, const char *p)
{
    struct xml_node *root;

    p = take_declaration(&x->m, p);
    if (p)
        p = mark_gap(&x->m, p);
    if (p)
        p = take_start(x, p, &root);
    if (p)
        p = take_content(x, p);
    return p && mark_skip(&x->m, p) == x->m.end ? root : NULL;
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
    root = body.n ? take_document(&x, body.p) : NULL;
    if (!root)
        a->used = used;
    if (sink)
        *listed = x.listed;
    return root;
}
