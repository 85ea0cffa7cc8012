/* sip/multipart.h - the parts of a multipart body (RFC 2046 §5.1, RFC 3261
 * §7.4.1)
 *
 *     struct sip_multipart w;
 *     err = sip_multipart_init(&w, content_type, body);
 *     while (err == 0 && (err = sip_multipart_next(&w, &part)) == 0)  ...
 *     GB_ENOENT: those were all
 *
 * Nothing is copied or decoded: parts are binary safe and borrow from body. A
 * part that is multipart itself is walked with a walker of its own; who does so
 * bounds the depth. Lenient: LF for CRLF in delimiters and part headers, text
 * before the first delimiter and behind the last. */
#ifndef SIP_MULTIPART_H
#define SIP_MULTIPART_H

#include "base/err.h"
#include "sip/value.h"

#define SIP_MAX_PARTS 16    /* of one body */
#define SIP_MAX_BOUNDARY 70 /* octets, RFC 2046 §5.1.1 */

struct sip_part {
    struct slice type;        /* Content-Type; empty: text/plain */
    struct slice encoding;    /* Content-Transfer-Encoding; empty: none */
    struct slice disposition; /* Content-Disposition; may be empty */
    struct slice body;
};

struct sip_multipart {
    struct slice rest;     /* behind the last delimiter line read */
    struct slice boundary; /* without the two hyphens */
    unsigned n_parts;      /* given out so far */
    bool closed;           /* that delimiter was the last one */
};

/* type is the value of Content-Type. 0; GB_ESYNTAX: no multipart, no usable
 * boundary parameter, or no delimiter in body. */
int sip_multipart_init(struct sip_multipart *w, struct slice type,
                       struct slice body);

/* 0: *part is filled. GB_ENOENT: there are no more. GB_ESYNTAX: the body ends
 * without the closing delimiter, or the head of the part is broken. GB_ELIMIT:
 * more than SIP_MAX_PARTS. */
int sip_multipart_next(struct sip_multipart *w, struct sip_part *part);

/* The first part of this content that is not encoded (base64, ...), as the
 * mpart01 of RFC 4475 wants of those who read XML. 0, GB_ENOENT: a good body
 * without such a part, GB_ESYNTAX or GB_ELIMIT: as above, before it was
 * found. */
int sip_multipart_find(struct slice type, struct slice body,
                       enum sip_content content, struct sip_part *part);
#endif
