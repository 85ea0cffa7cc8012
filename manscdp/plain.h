/* manscdp/plain.h - XML as nearly every device writes it, read in one pass
 *
 * Most bodies are a declaration and elements that hold either text or other
 * elements. Those are turned into a tree at once, from the bytes as they came;
 * whatever else occurs (an entity, a comment, CDATA, mixed content, a fault) is
 * left to the general reader of manscdp/xml.h, which gives the same tree for
 * what this one reads.
 *
 * Where a document is little but one long list, whoever knows its items may
 * read them from the bytes, without a tree: a sink. */
#ifndef MANSCDP_PLAIN_H
#define MANSCDP_PLAIN_H

#include "manscdp/mark.h"
#include "manscdp/xml.h"

#define XML_PLAIN_ATTRS 4 /* of an element */

struct xml_sink {
    /* An element opens inside root, whose children are complete up to here:
     * true: item is called for each of its children, and it gets none. */
    bool (*is_list)(const struct xml_node *root, const struct xml_node *list);

    /* m->p is at the '<' of a start tag; what it reads, it counts in n_nodes,
     * which may pass the limit. false: this is nothing for the sink, and what
     * it took counts for nothing. */
    bool (*item)(void *ctx, struct marks *m);
    void *ctx;
};

/* The root element of a document, as received; charset is what detection says
 * of it. Names and texts stay where they are in the document, or are in a when
 * they had to be converted. sink may be NULL; *listed: it got a list. NULL: the
 * document is not plain, or beyond the limits, or a is full, or (when listed)
 * nothing for the sink; then a is as it was. */
const struct xml_node *xml_plain(struct arena *a, struct slice body,
                                 enum manscdp_charset charset,
                                 const struct xml_limits *limits,
                                 const struct xml_sink *sink, bool *listed);
#endif
