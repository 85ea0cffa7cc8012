/* manscdp/xml.h - XML bodies: a bounded, forgiving reader and a strict writer
 *
 * xml.c is the only file that includes <mxml.h>. Size, depth and node count
 * are bounded, DTDs and entity definitions are refused, and the usual damage
 * of the field (raw '&' and '<', control characters, NUL bytes, garbage before
 * and behind, a wrong declaration) is repaired before mxml sees the text. What
 * it still refuses is salvaged: every <Item> that parses alone is kept, so one
 * broken item never loses the others.
 *
 * Names are looked up without regard to ASCII case. */
#ifndef MANSCDP_XML_H
#define MANSCDP_XML_H

#include "base/arena.h"
#include "base/err.h"
#include "manscdp/text.h"

#define MANSCDP_MAX_BODY (4u << 20) /* bytes of a body, as received */
#define MANSCDP_MAX_DEPTH 32        /* elements inside each other */
#define MANSCDP_MAX_NODES 200000    /* elements of a document */
#define MANSCDP_MAX_ATTRS 16        /* of an element; more are dropped */

struct xml_limits {
    size_t max_bytes; /* each: 0 stands for the constant above */
    unsigned max_depth;
    unsigned max_nodes;
    bool general; /* leave manscdp/plain out: for comparing the two */
    bool tree;    /* no sink: likewise */
};

struct xml_attr {
    struct slice name, value;
};

/* An element. Everything is in the arena or in the body, UTF-8, entities
 * resolved. */
struct xml_node {
    struct slice name;
    struct slice text; /* its own text, joined and trimmed; may be empty */
    const struct xml_attr *attrs;
    const struct xml_node *child; /* first child element, or NULL */
    const struct xml_node *next;  /* next sibling element, or NULL */
    unsigned n_attrs;
};

struct xml_doc {
    const struct xml_node *root;
    enum manscdp_charset charset; /* as detected: use it to answer */
    bool wide;     /* it came in UTF-16; charset is that of what it became */
    bool repaired; /* something had to be mended before it parsed */
    bool listed;   /* the items of its list went to the sink */
    bool salvaged; /* it did not parse; root was made from its pieces */
    unsigned n_broken; /* <Item> elements that had to be dropped */
    size_t broken_off; /* where the first of them begins, in the body (of a wide
                          one: in what it became) */
};

/* Room that a document of n bytes typically needs, with its text in Chinese
 * and a message per item; a hostile one gets GB_ENOMEM. */
#define MANSCDP_ARENA_FOR(n) ((n) * 12 + 8192)

/* Parses a body.
 *
 * out     written only on 0; lives as long as what is in a, and bytes
 * bytes   borrowed
 * limits  NULL: the defaults
 * diag    may be NULL; offsets are of the body, of a wide one of what it became
 *
 * 0; GB_ESYNTAX: not XML, or beyond repair, or a DTD; GB_ELIMIT: larger,
 * deeper or richer than the limits; GB_ENOMEM: the arena is full. Temporary
 * memory of mxml is released in any case. */
int xml_parse(struct xml_doc *out, struct arena *a, struct slice bytes,
              const struct xml_limits *limits, struct gb_diag *diag);

/* The same, but a list that sink knows goes there, if the document is plain
 * (manscdp/plain.h). sink may be NULL. */
struct xml_sink;
int xml_parse_list(struct xml_doc *out, struct arena *a, struct slice bytes,
                   const struct xml_limits *limits,
                   const struct xml_sink *sink, struct gb_diag *diag);

/* First child element of that name, or NULL. node may be NULL. */
const struct xml_node *xml_child(const struct xml_node *node,
                                 struct slice name);

/* Next sibling of the same name as node, or NULL. */
const struct xml_node *xml_next_same(const struct xml_node *node);

/* First element of that name at any depth below node, in document order. */
const struct xml_node *xml_find(const struct xml_node *node,
                                struct slice name);

/* Text of the first child of that name that has text; empty: absent. */
struct slice xml_text(const struct xml_node *node, struct slice name);

/* Value of an attribute, trimmed; empty: absent. node may be NULL. */
struct slice xml_attr(const struct xml_node *node, struct slice name);

/* Child element or else attribute: CmdType and SN come both ways. */
struct slice xml_text_or_attr(const struct xml_node *node, struct slice name);

/* Writes XML exactly as the standard's examples have it: CRLF behind each
 * element, no indentation, elements in the order of the calls, empty optional
 * elements left out, text escaped and in the character set of the peer.
 * Between xml_put_inline(x, true) and (x, false) no line ends are written.
 * Errors stay in w. Element names are ours, ASCII. */
struct xml_out {
    struct writer *w;
    enum manscdp_charset charset;
    bool is_inline;
};

/* <?xml version="1.0" encoding="GB2312"?> */
void xml_put_declaration(struct xml_out *x);
void xml_put_inline(struct xml_out *x, bool on);

/* <name>, </name>, <name attr="n">. */
void xml_put_open(struct xml_out *x, const char *name);
void xml_put_open_num(struct xml_out *x, const char *name, const char *attr,
                      uint32_t num);
void xml_put_close(struct xml_out *x, const char *name);

/* <name>value</name>, also when value is empty. Control characters that XML
 * does not allow are left out. */
void xml_put(struct xml_out *x, const char *name, struct slice value);
void xml_put_u32(struct xml_out *x, const char *name, uint32_t value);

/* Nothing when value is empty. */
void xml_put_opt(struct xml_out *x, const char *name, struct slice value);
#endif
