/* app/net/reserve.h - memory for the mail that must come through
 *
 * An order that a port is closed, an event that it is: lost, they would leave a
 * port open for ever. They come from the heap; where that has nothing, from a
 * few pieces that were put by at the start. Any thread. */
#ifndef APP_NET_RESERVE_H
#define APP_NET_RESERVE_H

#include "base/list.h"

#include <stddef.h>
#include <stdint.h>
#include <uv.h>

struct reserve {
    uv_mutex_t lock;
    struct list spare;
    uint8_t *begin, *end;
    size_t each; /* bytes of a piece */
};

/* n pieces of so many bytes. 0 or GB_ENOMEM. */
int reserve_init(struct reserve *r, size_t bytes, unsigned n);
void reserve_fini(struct reserve *r);

/* Zeroed; NULL: the pieces are all out, too. */
void *reserve_get(struct reserve *r);
/* One of reserve_get, or of the heap; NULL is fine. */
void reserve_put(struct reserve *r, void *p);
#endif
