/* app/net/sockaddr.h - gb_addr to and from the kernel's sockaddr */
#ifndef APP_NET_SOCKADDR_H
#define APP_NET_SOCKADDR_H

#include "base/addr.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <uv.h>

/* Fills *ss and returns its length. GB_NO_ADDR becomes 0.0.0.0. With `v6` an
 * IPv4 address is written in its mapped form, for a dual-stack socket. */
socklen_t sockaddr_of(struct sockaddr_storage *ss, const struct gb_addr *a,
                      bool v6);

/* IPv4-mapped addresses are folded to IPv4. */
void sockaddr_read(struct gb_addr *a, const struct sockaddr *sa);

/* The same of an address alone; the port becomes 0. */
void sockaddr_read_ip6(struct gb_addr *a, const struct in6_addr *ip);

/* The two ends of a connection, or where a listener is bound. 0 or libuv's error,
 * and then *a is as it was. */
int sockaddr_local(const uv_tcp_t *tcp, struct gb_addr *a);
int sockaddr_peer(const uv_tcp_t *tcp, struct gb_addr *a);

/* The local address the kernel would use towards `remote`; GB_EIO when there
 * is no route. Sends nothing. */
int sockaddr_route(struct gb_addr *local, const struct gb_addr *remote);

/* Why a name has no address: a sentence of uv_getaddrinfo's status. */
const char *sockaddr_no_name(int status);
#endif
