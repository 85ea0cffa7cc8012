/* manscdp/repair.h - XML of the field, made fit for an XML parser
 *
 * Declarations, comments and garbage around the root go; CDATA becomes text;
 * control characters go; '&' and '<' that begin nothing become references;
 * attributes get quotes; an end tag that differs in case gets the case of its
 * start tag; the root's may be cut off. DTDs are refused, depth and number of
 * elements are bounded. */
#ifndef MANSCDP_REPAIR_H
#define MANSCDP_REPAIR_H

#include "base/err.h"
#include "base/writer.h"
#include "manscdp/xml.h"

struct xml_repair {
    bool repaired;    /* more was changed than form */
    bool refused;     /* on error: no piece of it may be used either */
    unsigned n_nodes; /* elements, added up over several calls */
};

/* Appends one clean element (the root of utf8, or the block that utf8 is) to
 * out. r is updated. 0, GB_ESYNTAX, GB_ELIMIT or GB_ENOMEM. */
int xml_repair(struct writer *out, struct slice utf8,
               const struct xml_limits *limits, struct xml_repair *r,
               struct gb_diag *diag);

/* A tag that begins at some '<'. */
struct xml_tag {
    struct slice name;
    struct slice attrs; /* between name and '>' */
    size_t n;           /* its bytes, '<' and '>' included */
    bool is_end, is_empty;
};

/* false: what begins at off is no tag, so '<' is text. Never looks beyond the
 * next '<'. */
bool xml_tag_at(struct slice utf8, size_t off, struct xml_tag *tag);
#endif
