/* manscdp/plain.h - XML as nearly every device writes it, read in one pass
 *
 * Most bodies are a declaration and elements that hold either text or other
 * elements. Those are turned into a tree at once; whatever else occurs (an
 * entity, a comment, CDATA, mixed content, a fault) is left to the general
 * reader of manscdp/xml.h, which gives the same tree for what this one reads. */
#ifndef MANSCDP_PLAIN_H
#define MANSCDP_PLAIN_H

#include "manscdp/xml.h"

#define XML_PLAIN_ATTRS 4 /* of an element */

/* The root element of a document in UTF-8, with names and texts copied into a.
 * NULL: it is not plain, or beyond the limits, or a is full; then a is as it
 * was. */
const struct xml_node *xml_plain(struct arena *a, struct slice utf8,
                                 const struct xml_limits *limits);
#endif
