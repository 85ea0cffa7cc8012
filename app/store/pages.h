/* app/store/pages.h - memory for what comes in a row and goes in a row
 *
 * Blocks are cut from pages, which are given back as a whole when the last block
 * of one is. One thread takes blocks, any may give them back. */
#ifndef APP_STORE_PAGES_H
#define APP_STORE_PAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

#define STORE_PAGE_BYTES 65536
#define STORE_PAGES_SPARE 32 /* empty ones that are kept: what is busy takes
                                and gives back no memory */

struct store_page;

struct store_pages {
    struct store_page *filling; /* NULL: none yet */
    struct store_page *spare;
    unsigned n_spare;
    uv_mutex_t lock; /* of the spare ones */
};

int store_pages_init(struct store_pages *s); /* 0 or GB_ENOMEM */
/* Every block has been given back. */
void store_pages_fini(struct store_pages *s);

/* n bytes for any type, not zeroed; *page is for store_pages_put. alone: in a
 * page of its own, for what may stay long and would keep others' memory; so is a
 * large one. NULL: no memory. */
void *store_pages_get(struct store_pages *s, size_t n, bool alone,
                      struct store_page **page);
void store_pages_put(struct store_pages *s, struct store_page *page);
#endif
