/* base/addr.h - an IP address and port as a value, without sockets
 *
 * IPv4-mapped IPv6 addresses (::ffff:a.b.c.d) are folded to IPv4 on the way
 * in, so that equal peers compare equal. */
#ifndef BASE_ADDR_H
#define BASE_ADDR_H

#include "base/err.h"
#include "base/slice.h"
#include "base/writer.h"

enum gb_family { GB_NO_ADDR, GB_IPV4, GB_IPV6 };

struct gb_addr {
    uint8_t family; /* enum gb_family */
    uint8_t ip[16]; /* network order; IPv4 in the first four */
    uint16_t port;  /* host order, 0: none */
};

#define GB_ADDR_TEXT_MAX 56 /* "[ffff:…:255.255.255.255]:65535" and a NUL */

/* An IP literal: "192.0.2.1", "2001:db8::1" or "[2001:db8::1]". Port becomes
 * 0. No names, no zone ids. 0 or GB_ESYNTAX. */
int gb_addr_parse_ip(struct gb_addr *out, struct slice text);

/* "192.0.2.1:5060" or "[::1]:5060"; the port may be absent (def_port then).
 * 0, GB_ESYNTAX or GB_ERANGE (port 0 or above 65535). */
int gb_addr_parse(struct gb_addr *out, struct slice text, uint16_t def_port);

/* "192.0.2.1" / "2001:db8::1" (RFC 5952), without brackets or port. */
void gb_addr_write_ip(struct writer *w, const struct gb_addr *a);

/* As in a URI or Via: IPv6 in brackets; ":port" unless port is 0. */
void gb_addr_write(struct writer *w, const struct gb_addr *a);

bool gb_addr_eq(const struct gb_addr *a, const struct gb_addr *b);
bool gb_addr_ip_eq(const struct gb_addr *a, const struct gb_addr *b);

/* 0.0.0.0, ::, or no address at all. */
bool gb_addr_is_any(const struct gb_addr *a);
bool gb_addr_is_loopback(const struct gb_addr *a);

/* RFC 1918, RFC 6598, RFC 4193, link local and loopback: not routable on the
 * Internet. */
bool gb_addr_is_private(const struct gb_addr *a);

/* a lies in net/bits (bits of the family of net). */
bool gb_addr_in_net(const struct gb_addr *a, const struct gb_addr *net,
                    unsigned bits);

/* The key of a table of sources: the address, or the /64 of IPv6, which one site
 * has. Bytes used. */
#define GB_ADDR_SITE 9
size_t gb_addr_site(const struct gb_addr *a, uint8_t out[static GB_ADDR_SITE]);

/* "a" with a NUL, in a buffer of the caller, for log lines. */
const char *gb_addr_text(const struct gb_addr *a,
                         char buf[static GB_ADDR_TEXT_MAX]);
#endif
