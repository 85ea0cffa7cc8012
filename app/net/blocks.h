/* app/net/blocks.h - memory for a great many small objects that stay
 *
 * Devices, channels, transactions and what hangs on them come by the hundred
 * thousand. Cut from huge pages, where the kernel has any, they cost one page
 * fault for thousands of them and few entries of the TLB. Blocks of one size
 * share runs of 64 KiB; an empty run is used again for any size. Tables have
 * runs of their own, side by side: one that grows is given back when the next
 * is filled, and becomes what comes after. What the area does not hold, blocks
 * between the two and all in a build with a sanitizer, comes from the heap.
 *
 * One thread. What was touched once stays with the process. */
#ifndef APP_NET_BLOCKS_H
#define APP_NET_BLOCKS_H

#include "base/alloc.h"

#include <stdint.h>

#define BLOCKS_LARGE 16368 /* bytes; larger ones come from the heap */
#define BLOCKS_TABLE 65536 /* from here on they come from the area again */

struct blocks;

struct blocks_use {
    size_t blocks;   /* handed out, of the area */
    size_t runs;     /* that hold such blocks */
    size_t touched;  /* bytes of the area that have been used so far */
};

/* area_bytes: address space that is set aside, 0: as much as is ever needed.
 * Without it everything comes from the heap. 0 or GB_ENOMEM. */
int blocks_new(struct blocks **out, size_t area_bytes);

/* All blocks have been given back, or are never touched again. NULL is fine. */
void blocks_free(struct blocks *b);

/* As long as b lives. */
const struct gb_alloc *blocks_alloc(const struct blocks *b);

void blocks_used(const struct blocks *b, struct blocks_use *out);
#endif
