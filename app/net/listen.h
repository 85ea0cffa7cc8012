/* app/net/listen.h - a TCP socket that waits for connections */
#ifndef APP_NET_LISTEN_H
#define APP_NET_LISTEN_H

#include "base/addr.h"

#include <uv.h>

/* Binds and listens; IPv6 for IPv6 alone. tcp has been initialised, and is the
 * caller's to close, also on an error, which is libuv's. */
int listen_on(uv_tcp_t *tcp, const struct gb_addr *a, int backlog,
              uv_connection_cb on_connection);

/* The error of a host without IPv6, asked for any address of it: none, as long as
 * something else listens. */
bool listen_lacks_v6(const struct gb_addr *a, int err);
#endif
