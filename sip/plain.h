/* sip/plain.h - addresses, URIs and Vias in the plain forms that devices write
 *
 * Nearly every value on the wire is one of
 *     sip:34020000001320000001@192.0.2.7:5060
 *     <sip:34020000001320000001@192.0.2.7:5060>;tag=836318699
 *     SIP/2.0/UDP 192.0.2.7:5060;rport;branch=z9hG4bK1821122895
 * with nothing but letters, digits and . - _ between what divides it. These
 * readers go from one divider to the next along a map of them (base/scan.h)
 * and fill what the parsers of sip/uri.h, sip/addr.h and sip/via.h, which call
 * them first, would. What they do not take may be good or bad: it is for those
 * parsers to say, and nothing has been written. */
#ifndef SIP_PLAIN_H
#define SIP_PLAIN_H

#include "base/scan.h"
#include "sip/addr.h"
#include "sip/via.h"

struct sip_plain {
    const char *p;       /* the text that map belongs to */
    const uint64_t *map; /* its stops; a value ends at one */
};

/* The map of a value alone, in storage of the caller. False: too long. */
static inline bool sip_plain_of(struct sip_plain *t,
                                uint64_t map[static SCAN_MAP_WORDS],
                                struct slice s)
{
    if (s.n > SCAN_MAP_MAX)
        return false;
    scan_map(map, s.p, s.n);
    *t = (struct sip_plain){ s.p, map };
    return true;
}

/* Each reads t.p[at..end), trimmed, the whole of it. A list is never plain: a
 * comma is no word. On false *out of the first two is as it was, that of the
 * third means nothing. */
bool sip_plain_uri(struct sip_uri *out, struct sip_plain t, size_t at,
                   size_t end);
bool sip_plain_addr(struct sip_addr *out, struct sip_plain t, size_t at,
                    size_t end);
bool sip_plain_via(struct sip_via *out, struct sip_plain t, size_t at,
                   size_t end);
#endif
