/* app/net/rooms.h - where the pictures of all streams lie (struct media_room)
 *
 * The cache of two hundred streams is 200 MB that are written again every few
 * seconds. In huge pages, where the kernel has any, that takes a tenth less of what
 * a stream costs. Blocks of MEDIA_BLOCK_BYTES are cut from steps of 2 MiB. A step
 * that has been empty for a while goes back to the kernel: caches that begin anew
 * together would take it back at once. With 32 bits, and in a build with a sanitizer,
 * blocks come from the heap.
 *
 * Any thread. */
#ifndef APP_NET_ROOMS_H
#define APP_NET_ROOMS_H

#include "base/alloc.h"

#include <stdint.h>

#define ROOMS_SMALL 2 /* steps of ordinary pages come first: a few cameras shall
                         not take 2 MiB at a time */
#define ROOMS_SPARE 1 /* empty steps that are kept */
#define ROOMS_KEEP_MS 10000 /* the others, while blocks are held */

struct rooms;
struct rooms *rooms_new(void); /* NULL: no memory */
/* Blocks that are still held stay good, and free it with the last. NULL is fine. */
void rooms_free(struct rooms *r);

/* For gb_get_raw of MEDIA_BLOCK_BYTES: a block is not zeroed. As long as r lives or a
 * block is held. */
const struct gb_alloc *rooms_alloc(const struct rooms *r);

/* Steps that have been empty for long go back also while no block does: to be called
 * now and then. */
void rooms_tidy(struct rooms *r);

struct rooms_use {
    size_t blocks; /* held */
    size_t steps;  /* taken from the kernel */
};
void rooms_used(struct rooms *r, struct rooms_use *out);

/* For tests: as if so much time had passed. */
void rooms_age(struct rooms *r, uint64_t ms);
#endif
