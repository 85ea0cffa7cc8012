#include "app/net/blocks.h"

#include "app/net/pages.h"
#include "base/err.h"
#include "base/list.h"
#include "base/prefetch.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* Address space, no memory: 16 GiB; without 64 bits there is none set aside. */
#define AREA_BYTES ((size_t)(UINT64_C(1) << 34))
#define STEP_BYTES PAGES_HUGE /* the area grows by it */
#define SMALL_AREA (2 * STEP_BYTES) /* up to here pages are small: ten devices
                                       shall not take 2 MiB at a time */
#define RUN_BYTES ((size_t)64 << 10)
#define RUN_HEAD 64
#define RUN_ROOM (RUN_BYTES - RUN_HEAD)
#define CLASS_STEP 16 /* sizes are multiples of it, and blocks begin at them */
#define SMALL_BYTES 1024
#define SMALL_CLASSES (SMALL_BYTES / CLASS_STEP)
#define FEWEST 4 /* blocks in a run; of larger ones there is a class for each
                    number of them that a run has room for */
#define SPAN (UINT32_C(1) << 31)
#define ROOM_AHEAD 512 /* bytes of the next fresh block that are asked for early */
#define CLASSES (SMALL_CLASSES + RUN_ROOM / SMALL_BYTES + 1)

/* At the beginning of its 64 KiB, which are aligned. A table, of
 * BLOCKS_TABLE and more, has none: it has its runs whole, and nothing else begins
 * where a run does. */
struct run {
    struct list node;   /* in room or in empty; alone while it is full */
    void *free;         /* blocks given back, each begins with the next */
    uint32_t class;
    uint32_t bytes;     /* of each block */
    uint32_t n_used;
    uint32_t end;       /* bytes of it that were handed out once */
};

/* Runs of tables that were given back, side by side, in their first bytes. */
struct span {
    struct list node;
    size_t n_runs;
};

_Static_assert(sizeof(struct run) <= RUN_HEAD, "a line of the cache");
_Static_assert(RUN_ROOM / FEWEST >= BLOCKS_LARGE, "the largest block");

struct blocks {
    struct gb_alloc alloc;
    char *map;              /* as mapped; NULL: there is no area */
    size_t map_bytes;
    char *area;             /* its first whole step */
    size_t bytes, usable, touched; /* of the area: all, can be used, used */
    struct list room[CLASSES]; /* runs with a free block */
    struct list empty;
    struct list spans;
    uint32_t *mark;  /* of each run in the area: how many the table has that begins
                        with it; of the first and the last of a span, SPAN and how
                        many that has; 0 */
    size_t n_blocks, n_runs;
};

/* One step more. */
static bool grow(struct blocks *b)
{
    char *at = b->area + b->usable;

    if (b->bytes - b->usable < STEP_BYTES ||
        mprotect(at, STEP_BYTES, PROT_READ | PROT_WRITE) != 0)
        return false;
    if (b->usable >= SMALL_AREA)
        (void)madvise(at, STEP_BYTES, MADV_HUGEPAGE); /* small ones do, too */
    b->usable += STEP_BYTES;
    return true;
}

/* n: 1 to BLOCKS_LARGE. In steps first: what a run has room for is rounded down
 * to them. */
static uint32_t class_of(size_t n)
{
    n = (n + CLASS_STEP - 1) / CLASS_STEP * CLASS_STEP;
    return (uint32_t)(n <= SMALL_BYTES ? (n - 1) / CLASS_STEP
                                       : SMALL_CLASSES + RUN_ROOM / n);
}

static uint32_t bytes_of(uint32_t class)
{
    size_t n = class < SMALL_CLASSES
                   ? (class + 1) * (size_t)CLASS_STEP
                   : RUN_ROOM / (class - SMALL_CLASSES);

    return (uint32_t)(n / CLASS_STEP * CLASS_STEP);
}

/* n runs that were never used: all zero. */
static void *fresh_runs(struct blocks *b, size_t n)
{
    char *at = b->area + b->touched;

    while (b->usable - b->touched < n * RUN_BYTES)
        if (!grow(b))
            return NULL;
    b->touched += n * RUN_BYTES;
    return at;
}

static uint32_t *mark_of(const struct blocks *b, const void *p)
{
    return &b->mark[((uintptr_t)p - (uintptr_t)b->area) / RUN_BYTES];
}

static void mark_span(struct blocks *b, const struct span *s, uint32_t mark)
{
    uint32_t *first = mark_of(b, s);

    first[0] = first[s->n_runs - 1] = mark;
}

/* The last n runs of s. */
static void *cut_span(struct blocks *b, struct span *s, size_t n)
{
    mark_span(b, s, 0);
    s->n_runs -= n;
    if (s->n_runs)
        mark_span(b, s, SPAN | (uint32_t)s->n_runs);
    else
        list_remove(&s->node);
    return (char *)s + s->n_runs * RUN_BYTES;
}

/* n runs, zero or not: of the smallest span that has them, so that a large one
 * stays whole; NULL: there is none. */
static void *used_runs(struct blocks *b, size_t n)
{
    struct span *least = NULL;
    struct list *l, *tmp;

    LIST_EACH(l, tmp, &b->spans) {
        struct span *s = container_of(l, struct span, node);

        if (s->n_runs >= n && (!least || s->n_runs < least->n_runs))
            least = s;
    }
    return least ? cut_span(b, least, n) : NULL;
}

/* A run for small blocks: one that was used for them comes first. */
static void *one_run(struct blocks *b)
{
    struct list *n = list_pop_front(&b->empty);
    void *p = n ? container_of(n, struct run, node) : used_runs(b, 1);

    return p ? p : fresh_runs(b, 1);
}

static struct run *run_new(struct blocks *b, uint32_t class)
{
    struct run *r = one_run(b);

    if (!r)
        return NULL;
    *r = (struct run){ .class = class, .bytes = bytes_of(class),
                       .end = RUN_HEAD };
    list_init(&r->node);
    list_push_front(&b->room[class], &r->node);
    b->n_runs++;
    return r;
}

static bool is_full(const struct run *r)
{
    return !r->free && r->end + r->bytes > RUN_BYTES;
}

static void *take(struct run *r)
{
    char *p = r->free;

    if (p) {
        memcpy(&r->free, p, sizeof(r->free));
    } else {
        p = (char *)r + r->end;
        r->end += r->bytes;
        if (r->end + r->bytes <= RUN_BYTES) /* the next one */
            prefetch_room((char *)r + r->end,
                          r->bytes < ROOM_AHEAD ? r->bytes : ROOM_AHEAD);
    }
    r->n_used++;
    if (is_full(r))
        list_remove(&r->node);
    return p;
}

static struct run *run_for(struct blocks *b, size_t n)
{
    uint32_t class = class_of(n);
    struct list *room = &b->room[class];

    return list_is_empty(room) ? run_new(b, class)
                               : container_of(room->next, struct run, node);
}

/* From tables that were given back, or fresh; NULL: the area is full. */
static void *table_get(struct blocks *b, size_t n)
{
    size_t runs = (n + RUN_BYTES - 1) / RUN_BYTES;
    void *p = used_runs(b, runs);

    if (p)
        memset(p, 0, n);
    else
        p = fresh_runs(b, runs);
    if (!p)
        return NULL;
    *mark_of(b, p) = (uint32_t)runs;
    b->n_blocks++;
    b->n_runs += runs;
    return p;
}

/* Becomes one with the spans that it lies between. */
static void table_put(struct blocks *b, void *p)
{
    struct span *s = p;
    uint32_t *mark = mark_of(b, p);
    size_t n = *mark, before = mark > b->mark ? mark[-1] : 0, behind = mark[n];

    b->n_blocks--;
    b->n_runs -= n;
    *mark = 0;
    if (behind & SPAN) {
        struct span *next = (struct span *)(void *)((char *)p + n * RUN_BYTES);

        mark_span(b, next, 0);
        list_remove(&next->node);
        n += next->n_runs;
    }
    if (before & SPAN) {
        s = (struct span *)(void *)((char *)p -
                                    (before & ~SPAN) * RUN_BYTES);
        mark_span(b, s, 0);
        n += s->n_runs;
    } else {
        list_push_front(&b->spans, &s->node);
    }
    s->n_runs = n;
    mark_span(b, s, SPAN | (uint32_t)n);
}

static void *get(void *ctx, size_t n)
{
    struct blocks *b = ctx;
    struct run *r = b->map && n && n <= BLOCKS_LARGE ? run_for(b, n) : NULL;
    void *p = NULL;

    if (b->map && n >= BLOCKS_TABLE && n <= b->bytes)
        p = table_get(b, n);
    if (!r)
        return p ? p : gb_get(&gb_alloc_heap, n);
    p = take(r);
    b->n_blocks++;
    memset(p, 0, n);
    return p;
}

static bool is_ours(const struct blocks *b, const void *p)
{
    return b->map && (uintptr_t)p - (uintptr_t)b->area < b->touched;
}

static void put(void *ctx, void *p)
{
    struct blocks *b = ctx;
    struct run *r;

    if (!is_ours(b, p)) {
        gb_put(&gb_alloc_heap, p);
        return;
    }
    r = (struct run *)((uintptr_t)p & ~(uintptr_t)(RUN_BYTES - 1));
    if (p == (void *)r) {
        table_put(b, p);
        return;
    }
    assert(r->n_used > 0);
    if (is_full(r))
        list_push_front(&b->room[r->class], &r->node);
    memcpy(p, &r->free, sizeof(r->free));
    r->free = p;
    b->n_blocks--;
    if (--r->n_used)
        return;
    list_remove(&r->node);
    list_push_front(&b->empty, &r->node);
    b->n_runs--;
}

static void set_aside(struct blocks *b, size_t bytes)
{
    size_t n = bytes + STEP_BYTES;
    void *p = mmap(NULL, n, PROT_NONE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    b->mark = calloc(bytes / RUN_BYTES + 1, sizeof(*b->mark));
    if (p == MAP_FAILED)
        return;
    if (!b->mark) {
        munmap(p, n);
        return;
    }
    b->map = p;
    b->map_bytes = n;
    b->area = b->map + (-(uintptr_t)p & (STEP_BYTES - 1));
    b->bytes = bytes / STEP_BYTES * STEP_BYTES;
}

int blocks_new(struct blocks **out, size_t area_bytes)
{
    struct blocks *b = calloc(1, sizeof(*b));

    if (!b)
        return GB_ENOMEM;
    b->alloc = (struct gb_alloc){ get, put, b };
    for (size_t i = 0; i < CLASSES; i++)
        list_init(&b->room[i]);
    list_init(&b->empty);
    list_init(&b->spans);
    if (!PAGES_NONE)
        set_aside(b, area_bytes ? area_bytes : AREA_BYTES);
    *out = b;
    return 0;
}

void blocks_free(struct blocks *b)
{
    if (!b)
        return;
    if (b->map)
        munmap(b->map, b->map_bytes);
    free(b->mark);
    free(b);
}

const struct gb_alloc *blocks_alloc(const struct blocks *b)
{
    return &b->alloc;
}

void blocks_used(const struct blocks *b, struct blocks_use *out)
{
    *out = (struct blocks_use){ b->n_blocks, b->n_runs, b->touched };
}
