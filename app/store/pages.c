#include "app/store/pages.h"

#include "base/err.h"

#include <stdatomic.h>
#include <stdlib.h>

#define PAGE_LARGE (STORE_PAGE_BYTES / 4)
#define PAGE_STEP _Alignof(max_align_t) /* blocks begin at multiples of it */

struct store_page {
    struct store_page *next; /* of the spare ones */
    atomic_uint users;       /* blocks, and one while it is being filled */
    size_t used, cap;
    _Alignas(PAGE_STEP) char bytes[];
};

int store_pages_init(struct store_pages *s)
{
    *s = (struct store_pages){ 0 };
    return uv_mutex_init(&s->lock) ? GB_ENOMEM : 0;
}

void store_pages_fini(struct store_pages *s)
{
    if (s->filling)
        store_pages_put(s, s->filling);
    while (s->spare) {
        struct store_page *page = s->spare;

        s->spare = page->next;
        free(page);
    }
    uv_mutex_destroy(&s->lock);
}

static struct store_page *spare(struct store_pages *s)
{
    struct store_page *page;

    uv_mutex_lock(&s->lock);
    page = s->spare;
    if (page) {
        s->spare = page->next;
        s->n_spare--;
    }
    uv_mutex_unlock(&s->lock);
    return page;
}

/* Empty, with its first user; NULL: no memory. */
static struct store_page *page_new(struct store_pages *s, size_t cap)
{
    struct store_page *page = cap == STORE_PAGE_BYTES ? spare(s) : NULL;

    if (!page)
        page = malloc(sizeof(*page) + cap);
    if (!page)
        return NULL;
    page->used = 0;
    page->cap = cap;
    atomic_init(&page->users, 1);
    return page;
}

/* The page that is being filled has room for n bytes. */
static bool has_room(struct store_pages *s, size_t n)
{
    struct store_page *page = s->filling;

    if (page && n <= page->cap - page->used)
        return true;
    page = page_new(s, STORE_PAGE_BYTES);
    if (!page)
        return false;
    if (s->filling)
        store_pages_put(s, s->filling);
    s->filling = page;
    return true;
}

void *store_pages_get(struct store_pages *s, size_t n, bool alone,
                      struct store_page **page)
{
    struct store_page *at = NULL;
    char *p;

    n = (n + PAGE_STEP - 1) & ~(size_t)(PAGE_STEP - 1);
    if (alone || n > PAGE_LARGE) {
        at = page_new(s, n);
    } else if (has_room(s, n)) {
        at = s->filling;
        atomic_fetch_add(&at->users, 1);
    }
    if (!at)
        return NULL;
    p = at->bytes + at->used;
    at->used += n;
    *page = at;
    return p;
}

void store_pages_put(struct store_pages *s, struct store_page *page)
{
    bool keep = false;

    if (atomic_fetch_sub(&page->users, 1) != 1)
        return;
    uv_mutex_lock(&s->lock);
    if (page->cap == STORE_PAGE_BYTES && s->n_spare < STORE_PAGES_SPARE) {
        page->next = s->spare;
        s->spare = page;
        s->n_spare++;
        keep = true;
    }
    uv_mutex_unlock(&s->lock);
    if (!keep)
        free(page);
}
