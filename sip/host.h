/* sip/host.h - the host and the port of a URI and of a Via (RFC 3261 §25.1) */
#ifndef SIP_HOST_H
#define SIP_HOST_H

#include "base/err.h"
#include "base/slice.h"

/* Takes a name, an IPv4 address, or an IPv6 address in brackets at s.p[*at] and
 * moves *at behind it. *host includes the brackets, points into s, and is empty
 * where none of these stands. 0; GB_ESYNTAX, and *at stays: brackets that do not
 * close, or hold no IPv6 address. */
int sip_host_take(struct slice *host, struct slice s, size_t *at);

/* Takes the digits of a port at s.p[*at], behind its colon, and moves *at behind
 * them. 0; GB_ESYNTAX (none), GB_ERANGE (not of 1..65535), and *at stays. */
int sip_port_take(uint16_t *port, struct slice s, size_t *at);
#endif
