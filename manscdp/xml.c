/* Reading goes in steps:
 *
 *   ┌──plain: nothing to mend, no mxml needed───────────────────────────┐
 *   │                                                                   ▼
 *   body ──decode──► UTF-8 ──repair──► clean text ──mxml──► its tree ──► ours
 *                      │  no parse                           (freed)   (arena)
 *                      └──salvage: each <Item> by itself──────────────────▲
 *
 * The arena is used from both ends: the decoded text lies at the top and the
 * clean text at the bottom, both only until the tree of ours, which mxml's
 * copies are made into, takes the bottom. Nothing of them remains. */
#include "manscdp/xml.h"

#include "manscdp/plain.h"
#include "manscdp/repair.h"

#include <mxml.h>

#define NAME_SLOTS 64    /* element names that are kept once only */
#define MAX_ROOT_TAG 256 /* bytes of the root's start tag, when salvaged */

#if MXML_MAJOR_VERSION >= 4
#define IS_ELEMENT(n) (mxmlGetType(n) == MXML_TYPE_ELEMENT)
#define IS_OPAQUE(n) (mxmlGetType(n) == MXML_TYPE_OPAQUE)
typedef size_t attr_index;

static void on_error(void *ctx, const char *message)
{
    (void)ctx;
    (void)message;
}

static mxml_node_t *load(const char *text)
{
    mxml_options_t *options = mxmlOptionsNew();
    mxml_node_t *top = NULL;

    if (options) {
        mxmlOptionsSetTypeValue(options, MXML_TYPE_OPAQUE);
        mxmlOptionsSetErrorCallback(options, on_error, NULL);
        top = mxmlLoadString(NULL, options, text);
    }
    mxmlOptionsDelete(options);
    return top;
}
#else
#define IS_ELEMENT(n) (mxmlGetType(n) == MXML_ELEMENT)
#define IS_OPAQUE(n) (mxmlGetType(n) == MXML_OPAQUE)
typedef int attr_index;

static void on_error(const char *message)
{
    (void)message;
}

/* Without a callback mxml 3 writes to stderr; it keeps one per thread. */
static mxml_node_t *load(const char *text)
{
    mxmlSetErrorCallback(on_error);
    return mxmlLoadString(NULL, text, MXML_OPAQUE_CALLBACK);
}
#endif

/* Everything that one call of xml_parse works with. */
struct parse {
    struct arena *a;
    struct slice body;   /* as received */
    struct slice text;   /* as UTF-8 */
    struct xml_limits limits;
    const struct xml_sink *sink;
    struct xml_repair repair;
    struct slice names[NAME_SLOTS];
    struct gb_diag diag;
};

/* A copy of an element's name; a catalog has the same few again and again. */
static bool keep_name(struct parse *p, const char *name, struct slice *out)
{
    struct slice s = slice_str(name);
    size_t slot = s.n;

    for (size_t i = 0; i < s.n; i++)
        slot = slot * 31 + (uint8_t)s.p[i];
    slot %= NAME_SLOTS;
    if (p->names[slot].n && slice_eq(p->names[slot], s)) {
        *out = p->names[slot];
        return true;
    }
    if (!arena_slice(p->a, s, out))
        return false;
    p->names[slot] = *out;
    return true;
}

static bool keep_attrs(struct parse *p, mxml_node_t *from,
                       struct xml_node *node)
{
    attr_index n = mxmlElementGetAttrCount(from);
    struct xml_attr *attrs;

    if (n <= 0)
        return true;
    attrs = arena_alloc(p->a, (size_t)n * sizeof(*attrs));
    if (!attrs)
        return false;
    for (attr_index i = 0; i < n; i++) {
        const char *name = NULL;
        const char *value = mxmlElementGetAttrByIndex(from, i, &name);

        if (!keep_name(p, name ? name : "", &attrs[i].name) ||
            !arena_slice(p->a, slice_trim(slice_str(value)), &attrs[i].value))
            return false;
    }
    node->attrs = attrs;
    node->n_attrs = (unsigned)n;
    return true;
}

/* The text between the child elements, joined. */
static bool keep_text(struct parse *p, mxml_node_t *from,
                      struct xml_node *node)
{
    struct writer w;
    size_t n = 0, pieces = 0;
    char *all;

    for (mxml_node_t *c = mxmlGetFirstChild(from); c;
         c = mxmlGetNextSibling(c)) {
        struct slice s = slice_str(IS_OPAQUE(c) ? mxmlGetOpaque(c) : NULL);

        if (slice_trim(s).n) {
            node->text = s;
            n += s.n;
            pieces++;
        }
    }
    if (pieces <= 1)
        return arena_slice(p->a, slice_trim(node->text), &node->text);
    all = arena_alloc(p->a, n);
    if (!all)
        return false;
    w = writer_of(all, n);
    for (mxml_node_t *c = mxmlGetFirstChild(from); c;
         c = mxmlGetNextSibling(c)) {
        struct slice s = slice_str(IS_OPAQUE(c) ? mxmlGetOpaque(c) : NULL);

        if (slice_trim(s).n)
            writer_slice_put(&w, s);
    }
    node->text = slice_trim(writer_slice(&w));
    return true;
}

/* Depth is bounded: the text that mxml read was. */
static struct xml_node *keep_element(struct parse *p, mxml_node_t *from)
{
    struct xml_node *node = arena_alloc(p->a, sizeof(*node));
    const struct xml_node **link;

    if (!node || !keep_name(p, mxmlGetElement(from), &node->name) ||
        !keep_attrs(p, from, node) || !keep_text(p, from, node))
        return NULL;
    link = &node->child;
    for (mxml_node_t *c = mxmlGetFirstChild(from); c;
         c = mxmlGetNextSibling(c)) {
        struct xml_node *child;

        if (!IS_ELEMENT(c))
            continue;
        child = keep_element(p, c);
        if (!child)
            return NULL;
        *link = child;
        link = &child->next;
    }
    return node;
}

/* One element, from UTF-8 text to a tree of ours. */
static int parse_element(struct parse *p, struct slice utf8,
                         struct xml_node **out)
{
    struct arena *a = p->a;
    struct writer clean = writer_of(a->p + a->used, a->cap - a->used);
    mxml_node_t *top;
    int err = xml_repair(&clean, utf8, &p->limits, &p->repair, &p->diag);

    if (err)
        return err;
    writer_char(&clean, '\0');
    if (clean.err) {
        p->repair.refused = true;
        return gb_fail(&p->diag, GB_ENOMEM, 0, "arena is full");
    }
    top = load(clean.p);
    if (!top)
        return gb_fail(&p->diag, GB_ESYNTAX, 0, "not well-formed");
    *out = IS_ELEMENT(top) ? keep_element(p, top) : NULL;
    err = IS_ELEMENT(top) ? GB_ENOMEM : GB_ESYNTAX;
    mxmlDelete(top);
    if (*out)
        return 0;
    p->repair.refused = err == GB_ENOMEM;
    return gb_fail(&p->diag, err, 0, "arena is full");
}

/* The salvage of a document whose whole does not parse. */
struct salvage {
    struct parse *p;
    struct xml_node *root, *list; /* list: made for the first Item */
    const struct xml_node **root_link, **list_link;
    struct slice list_name;
    unsigned n_items, n_broken;
    size_t broken_off; /* in the text */
    bool has_cmd, has_end;
};

static bool is_item(const struct xml_tag *tag)
{
    return !tag->is_end && slice_ieq(tag->name, SLICE("Item"));
}

/* The end of the leaf element that begins with tag at off: "<a>text</a>".
 * 0: it is none. */
static size_t leaf_end(struct slice text, size_t off,
                       const struct xml_tag *tag)
{
    struct xml_tag end;
    size_t at = off + tag->n;

    if (tag->is_end || tag->is_empty)
        return 0;
    at += slice_find(slice_from(text, at), '<');
    if (at == text.n || !xml_tag_at(text, at, &end) || !end.is_end ||
        !slice_ieq(end.name, tag->name))
        return 0;
    return at + end.n;
}

/* The end of the item that begins at off, and whether it has one of its own:
 * the next end tag, before the next item begins. */
static size_t item_end(struct slice text, size_t off, bool *whole)
{
    struct xml_tag tag;

    *whole = true;
    if (xml_tag_at(text, off, &tag) && tag.is_empty)
        return off + tag.n;
    for (size_t i = off + 1; i < text.n; i++) {
        i += slice_find(slice_from(text, i), '<');
        if (i == text.n)
            break;
        if (!xml_tag_at(text, i, &tag) ||
            !slice_ieq(tag.name, SLICE("Item")))
            continue;
        if (tag.is_end)
            return i + tag.n;
        *whole = false;
        return i;
    }
    *whole = false;
    return text.n;
}

static int salvage_list(struct salvage *v)
{
    if (v->list)
        return 0;
    v->list = arena_alloc(v->p->a, sizeof(*v->list));
    if (!v->list ||
        !arena_slice(v->p->a, v->list_name, &v->list->name)) {
        v->p->repair.refused = true;
        return GB_ENOMEM;
    }
    *v->root_link = v->list;
    v->root_link = &v->list->next;
    v->list_link = &v->list->child;
    return 0;
}

/* One item at *off, kept or counted as broken; *off goes behind it. */
static int salvage_item(struct salvage *v, size_t *off)
{
    struct xml_node *node = NULL;
    bool whole;
    size_t end = item_end(v->p->text, *off, &whole);
    int err = salvage_list(v);

    v->n_items++;
    if (!err && whole)
        err = parse_element(v->p, slice_of(v->p->text.p + *off, end - *off),
                            &node);
    if (v->p->repair.refused)
        return err;
    if (node) {
        *v->list_link = node;
        v->list_link = &node->next;
    } else if (v->n_broken++ == 0) {
        v->broken_off = *off;
    }
    *off = end;
    return 0;
}

/* A leaf of the root, such as SN. One that does not parse is left out. */
static int salvage_leaf(struct salvage *v, size_t off, size_t end)
{
    struct xml_node *node = NULL;
    int err = parse_element(v->p, slice_of(v->p->text.p + off, end - off),
                            &node);

    if (v->p->repair.refused)
        return err;
    if (!node)
        return 0;
    *v->root_link = node;
    v->root_link = &node->next;
    v->has_cmd |= slice_ieq(node->name, SLICE("CmdType"));
    return 0;
}

static int salvage_root(struct salvage *v, const struct xml_tag *tag)
{
    char text[MAX_ROOT_TAG];
    struct writer w = writer_of(text, sizeof(text));
    int err;

    writer_char(&w, '<');
    writer_slice_put(&w, tag->name);
    writer_char(&w, ' ');
    writer_slice_put(&w, tag->attrs);
    writer_str(&w, "/>");
    if (w.err)
        return GB_ESYNTAX;
    err = parse_element(v->p, writer_slice(&w), &v->root);
    if (err)
        return err;
    v->root_link = &v->root->child;
    for (unsigned i = 0; i < v->root->n_attrs; i++)
        v->has_cmd |= slice_ieq(v->root->attrs[i].name, SLICE("CmdType"));
    return 0;
}

/* Any other tag at *off: the root, a leaf, the list, an end. */
static int salvage_tag(struct salvage *v, size_t *off,
                       const struct xml_tag *tag)
{
    size_t end = 0;
    int err = 0;

    if (!v->root) {
        err = tag->is_end ? 0 : salvage_root(v, tag);
    } else if (tag->is_end) {
        v->has_end |= slice_ieq(tag->name, v->root->name);
    } else if ((end = leaf_end(v->p->text, *off, tag)) != 0) {
        err = v->n_items ? 0 : salvage_leaf(v, *off, end);
    } else if (!v->n_items) {
        v->list_name = tag->name;
    }
    *off = end ? end : *off + tag->n;
    return err;
}

static int salvage(struct parse *p, struct xml_doc *doc)
{
    struct salvage v = { .p = p, .list_name = SLICE("DeviceList") };
    int err = 0;

    for (size_t off = 0; off < p->text.n && !err;) {
        struct xml_tag tag;

        off += slice_find(slice_from(p->text, off), '<');
        if (off == p->text.n)
            break;
        if (!xml_tag_at(p->text, off, &tag))
            off++;
        else if (v.root && is_item(&tag))
            err = salvage_item(&v, &off);
        else
            err = salvage_tag(&v, &off, &tag);
    }
    if (err)
        return err;
    if (!v.has_cmd || (!v.n_items && !v.has_end))
        return GB_ESYNTAX;
    doc->root = v.root;
    doc->salvaged = doc->repaired = true;
    doc->n_broken = v.n_broken;
    doc->broken_off = v.broken_off;
    return 0;
}

/* Where offset off of the text lies in the body: '<' is '<' in both, so it is
 * found behind as many of them. Between two of them the way is the same. */
static size_t body_offset(const struct parse *p, size_t off)
{
    size_t n = 0, at, last = 0;

    if (p->text.p == p->body.p)
        return off;
    for (size_t i = 0; i < off && i < p->text.n; i++) {
        if (p->text.p[i] == '<') {
            n++;
            last = i;
        }
    }
    if (off < p->text.n && p->text.p[off] == '<') {
        n++;
        last = off;
    }
    for (at = 0; at < p->body.n && n; at++)
        n -= p->body.p[at] == '<';
    at = (at ? at - 1 : 0) + (off - last);
    return at < p->body.n ? at : p->body.n;
}

/* Decodes the body to the top of the arena, unless it is UTF-8 already. */
static int decode(struct parse *p, enum manscdp_charset charset)
{
    size_t room = MANSCDP_TEXT_DECODED_MAX(p->body.n);
    struct arena *a = p->a;
    struct writer w;

    if (charset == MANSCDP_ASCII ||
        (charset == MANSCDP_UTF8 && manscdp_text_is_utf8(p->body))) {
        p->text = p->body;
        if (slice_has_prefix(p->text, SLICE("\xef\xbb\xbf")))
            p->text = slice_from(p->text, 3);
        return 0;
    }
    if (room > a->cap - a->used)
        return GB_ENOMEM;
    a->cap -= room;
    w = writer_of(a->p + a->cap, room);
    if (charset == MANSCDP_UTF8)
        manscdp_text_decode(&w, p->body, charset);
    else
        manscdp_text_decode_mixed(&w, p->body);
    p->text = writer_slice(&w);
    return w.err;
}

static struct xml_limits limits_of(const struct xml_limits *l)
{
    struct xml_limits out = l ? *l : (struct xml_limits){ 0 };

    if (!out.max_bytes)
        out.max_bytes = MANSCDP_MAX_BODY;
    if (!out.max_depth || out.max_depth > MANSCDP_MAX_DEPTH)
        out.max_depth = MANSCDP_MAX_DEPTH;
    if (!out.max_nodes)
        out.max_nodes = MANSCDP_MAX_NODES;
    return out;
}

static const struct xml_node *parse_plain(const struct parse *p,
                                          enum manscdp_charset charset,
                                          bool *listed)
{
    const struct xml_sink *sink = p->limits.tree ? NULL : p->sink;
    const struct xml_node *root = NULL;

    *listed = false;
    if (p->limits.general)
        return NULL;
    root = xml_plain(p->a, p->body, charset, &p->limits, sink, listed);
    if (!root && *listed) {
        *listed = false;
        root = xml_plain(p->a, p->body, charset, &p->limits, NULL, NULL);
    }
    return root;
}

static int parse_doc(struct parse *p, struct xml_doc *doc)
{
    struct xml_node *root = NULL;
    struct gb_diag first;
    int err;

    p->repair = (struct xml_repair){ 0 };
    p->diag = (struct gb_diag){ 0 };
    memset(p->names, 0, sizeof(p->names));
    err = decode(p, doc->charset);
    if (err)
        return gb_fail(&p->diag, err, 0, "arena is full");
    err = parse_element(p, p->text, &root);
    doc->root = root;
    doc->repaired = p->repair.repaired;
    if (!err || p->repair.refused || err == GB_ENOMEM)
        return err;
    first = p->diag; /* what salvage meets is not what is wrong */
    p->repair.n_nodes = 0;
    memset(p->names, 0, sizeof(p->names));
    err = salvage(p, doc);
    if (err == GB_ESYNTAX && !p->repair.refused)
        p->diag = first;
    return err;
}

int xml_parse(struct xml_doc *out, struct arena *a, struct slice bytes,
              const struct xml_limits *limits, struct gb_diag *diag)
{
    return xml_parse_list(out, a, bytes, limits, NULL, diag);
}

/* With all that there is. */
static int parse_general(struct xml_doc *out, struct parse *p,
                         enum manscdp_charset charset, struct gb_diag *diag)
{
    struct xml_doc doc = { .charset = charset };
    struct arena before = *p->a;
    int err = parse_doc(p, &doc);

    p->a->cap = before.cap;
    if (err) {
        p->a->used = before.used;
        return gb_fail(diag, err, body_offset(p, p->diag.off),
                       p->diag.why ? p->diag.why : "arena is full");
    }
    if (doc.n_broken)
        doc.broken_off = body_offset(p, doc.broken_off);
    *out = doc;
    return 0;
}

static int parse_body(struct xml_doc *out, struct parse *p,
                      struct gb_diag *diag)
{
    enum manscdp_charset charset = manscdp_text_detect(p->body);
    const struct xml_node *root;
    bool listed;

    p->text = p->body;
    root = parse_plain(p, charset, &listed);
    if (!root)
        return parse_general(out, p, charset, diag);
    *out = (struct xml_doc){ .root = root, .charset = charset,
                             .listed = listed };
    return 0;
}

/* UTF-16 becomes UTF-8 in the arena, where the tree points into it. */
static int parse_wide(struct xml_doc *out, struct parse *p,
                      struct gb_diag *diag)
{
    size_t room = MANSCDP_TEXT_DECODED_MAX(p->body.n), used = p->a->used;
    struct writer w;
    int err;

    if (room > p->a->cap - used)
        return gb_fail(diag, GB_ENOMEM, 0, "arena is full");
    w = writer_of(p->a->p + used, room);
    manscdp_text_decode_wide(&w, p->body);
    p->a->used += w.len;
    p->body = writer_slice(&w);
    err = parse_body(out, p, diag);
    if (err)
        p->a->used = used;
    else
        out->wide = true;
    return err;
}

int xml_parse_list(struct xml_doc *out, struct arena *a, struct slice bytes,
                   const struct xml_limits *limits,
                   const struct xml_sink *sink, struct gb_diag *diag)
{
    struct parse p;

    p.limits = limits_of(limits);
    if (bytes.n > p.limits.max_bytes)
        return gb_fail(diag, GB_ELIMIT, p.limits.max_bytes, "body too large");
    p.a = a;
    p.body = bytes;
    p.sink = sink;
    return manscdp_text_is_wide(bytes) ? parse_wide(out, &p, diag)
                                       : parse_body(out, &p, diag);
}

static const struct xml_node *same_or_next(const struct xml_node *node,
                                           struct slice name)
{
    while (node && !slice_ieq(node->name, name))
        node = node->next;
    return node;
}

const struct xml_node *xml_child(const struct xml_node *node,
                                 struct slice name)
{
    return node ? same_or_next(node->child, name) : NULL;
}

const struct xml_node *xml_next_same(const struct xml_node *node)
{
    return same_or_next(node->next, node->name);
}

/* Depth is bounded by MANSCDP_MAX_DEPTH. */
const struct xml_node *xml_find(const struct xml_node *node,
                                struct slice name)
{
    for (const struct xml_node *c = node ? node->child : NULL; c;
         c = c->next) {
        const struct xml_node *found;

        if (slice_ieq(c->name, name))
            return c;
        found = c->child ? xml_find(c, name) : NULL;
        if (found)
            return found;
    }
    return NULL;
}

struct slice xml_text(const struct xml_node *node, struct slice name)
{
    const struct xml_node *c = xml_child(node, name);

    while (c && !c->text.n)
        c = xml_next_same(c);
    return c ? c->text : slice_of(NULL, 0);
}

struct slice xml_attr(const struct xml_node *node, struct slice name)
{
    for (unsigned i = 0; node && i < node->n_attrs; i++)
        if (slice_ieq(node->attrs[i].name, name))
            return node->attrs[i].value;
    return slice_of(NULL, 0);
}

struct slice xml_text_or_attr(const struct xml_node *node, struct slice name)
{
    struct slice text = xml_text(node, name);

    return text.n ? text : xml_attr(node, name);
}

static void line_end(struct xml_out *x)
{
    if (!x->is_inline)
        writer_str(x->w, "\r\n");
}

void xml_put_declaration(struct xml_out *x)
{
    writer_str(x->w, "<?xml version=\"1.0\" encoding=\"");
    writer_str(x->w, manscdp_charset_name(x->charset));
    writer_str(x->w, "\"?>\r\n");
}

void xml_put_inline(struct xml_out *x, bool on)
{
    if (x->is_inline && !on)
        writer_str(x->w, "\r\n");
    x->is_inline = on;
}

static void put_tag(struct xml_out *x, const char *begin, const char *name,
                    const char *end)
{
    writer_str(x->w, begin);
    writer_str(x->w, name);
    writer_str(x->w, end);
}

void xml_put_open(struct xml_out *x, const char *name)
{
    put_tag(x, "<", name, ">");
    line_end(x);
}

void xml_put_open_num(struct xml_out *x, const char *name, const char *attr,
                      uint32_t num)
{
    put_tag(x, "<", name, " ");
    put_tag(x, "", attr, "=\"");
    writer_u64(x->w, num);
    writer_str(x->w, "\">");
    line_end(x);
}

void xml_put_close(struct xml_out *x, const char *name)
{
    put_tag(x, "</", name, ">");
    line_end(x);
}

/* The characters that text must not have as they are; NULL: it may. */
static const char *escape_of(char c)
{
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&apos;";
    }
    return (uint8_t)c < 0x20 && c != '\t' && c != '\r' && c != '\n' ? ""
                                                                    : NULL;
}

static void put_escaped(struct xml_out *x, struct slice s)
{
    size_t from = 0;

    for (size_t i = 0; i < s.n; i++) {
        const char *escape = escape_of(s.p[i]);

        if (!escape)
            continue;
        manscdp_text_encode(x->w, slice_of(s.p + from, i - from), x->charset);
        writer_str(x->w, escape);
        from = i + 1;
    }
    if (from < s.n)
        manscdp_text_encode(x->w, slice_from(s, from), x->charset);
}

void xml_put(struct xml_out *x, const char *name, struct slice value)
{
    put_tag(x, "<", name, ">");
    put_escaped(x, value);
    put_tag(x, "</", name, ">");
    line_end(x);
}

void xml_put_u32(struct xml_out *x, const char *name, uint32_t value)
{
    put_tag(x, "<", name, ">");
    writer_u64(x->w, value);
    put_tag(x, "</", name, ">");
    line_end(x);
}

void xml_put_opt(struct xml_out *x, const char *name, struct slice value)
{
    if (value.n)
        xml_put(x, name, value);
}
