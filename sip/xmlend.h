/* sip/xmlend.h - where an XML body ends, found without parsing XML
 *
 * Some devices give no Content-Length on a stream, or a wrong one on UDP; then
 * the end tag of the root element says where the body ends (GB/T 28181 bodies
 * never nest an element of the root's name). It finds an end, it does not
 * judge the XML. */
#ifndef SIP_XMLEND_H
#define SIP_XMLEND_H

#include "base/slice.h"

#define SIP_XML_PROLOG 4096 /* the root begins, and its start tag ends, within
                               so many bytes */
#define SIP_XML_BLANKS 64   /* white space in an end tag */

/* Number of bytes up to and with the end tag of the root element that `body`
 * begins with (byte order mark, declaration, comments and white space before
 * it are fine); 0: no XML, or the root is not closed. */
size_t sip_xml_end(struct slice body);

/* The same over a growing body: *from starts at 0 and says, after a result of
 * 0, where the next call goes on, so that no byte is looked at twice. */
size_t sip_xml_end_from(struct slice body, size_t *from);
#endif
