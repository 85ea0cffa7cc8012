/* app/net/gather.h - pieces of memory to a socket, in one call */
#ifndef APP_NET_GATHER_H
#define APP_NET_GATHER_H

#include "app/media/chunk.h"

#define GATHER_IOVS_MAX 64 /* pieces of one call */
#define GATHER_NOTSENT_BYTES 131072 /* TCP_NOTSENT_LOWAT */

/* Readies a TCP connection for a stream: what is written goes at once, and what
 * the peer is slow to take waits here, not in the kernel. */
void gather_prepare(int fd);

/* One writev; does not wait. 1: all of it went, 0: the socket is full, -1: it is
 * gone. *sent: the bytes that went, in each case. */
int gather_write(int fd, const struct media_iov *iov, size_t n, size_t *sent);
#endif
