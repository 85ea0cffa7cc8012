#include "app/net/rooms.h"

#include "app/media/frame.h"
#include "app/net/pages.h"
#include "base/list.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <uv.h>

#define STEP_HEAD 4096
#define STEP_BLOCKS ((PAGES_HUGE - STEP_HEAD) / MEDIA_BLOCK_BYTES)

/* At the beginning of its 2 MiB, which are aligned. */
struct step {
    struct list node; /* in room or in empty; alone while it is full */
    void *free;       /* blocks given back, each begins with the next */
    uint64_t since_ms; /* it is empty */
    size_t n_used, n_cut; /* blocks: held; handed out once */
};

_Static_assert(sizeof(struct step) <= STEP_HEAD, "it is in front of its blocks");

struct rooms {
    struct gb_alloc alloc;
    uv_mutex_t lock;
    struct list room;  /* steps with blocks of both kinds */
    struct list empty; /* the oldest first */
    size_t n_blocks, n_steps, n_empty;
    uint64_t aged_ms;
    bool closed;
};

/* 2 MiB that begin at a multiple of it; NULL: no memory. */
static void *map_step(void)
{
    char *p = mmap(NULL, 2 * PAGES_HUGE, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    size_t before;

    if (p == MAP_FAILED)
        return NULL;
    before = -(uintptr_t)p & (PAGES_HUGE - 1);
    if (before)
        munmap(p, before);
    munmap(p + before + PAGES_HUGE, PAGES_HUGE - before);
    return p + before;
}

static struct step *step_new(struct rooms *r)
{
    struct step *s = map_step();

    if (!s)
        return NULL;
    if (r->n_steps >= ROOMS_SMALL)
        (void)madvise(s, PAGES_HUGE, MADV_HUGEPAGE); /* small ones do, too */
    *s = (struct step){ .n_used = 0 };
    r->n_steps++;
    return s;
}

static void step_free(struct rooms *r, struct step *s)
{
    list_remove(&s->node);
    r->n_steps--;
    r->n_empty--;
    munmap(s, PAGES_HUGE);
}

static uint64_t now_ms(const struct rooms *r)
{
    return uv_hrtime() / 1000000 + r->aged_ms;
}

/* Those that have been empty for long; when nothing is held, all but the spare. */
static void trim(struct rooms *r)
{
    while (r->n_empty > ROOMS_SPARE) {
        struct step *s = container_of(r->empty.next, struct step, node);

        if (r->n_empty < r->n_steps && now_ms(r) - s->since_ms < ROOMS_KEEP_MS)
            return;
        step_free(r, s);
    }
}

/* With a free block, in room: of those in use, or the one emptied last. */
static struct step *step_for(struct rooms *r)
{
    struct step *s;

    if (!list_is_empty(&r->room))
        return container_of(r->room.next, struct step, node);
    if (list_is_empty(&r->empty)) {
        s = step_new(r);
        if (!s)
            return NULL;
        list_init(&s->node);
    } else {
        s = container_of(r->empty.prev, struct step, node);
        list_remove(&s->node);
        r->n_empty--;
    }
    list_push_front(&r->room, &s->node);
    return s;
}

static struct step *step_of(void *p)
{
    return (struct step *)((uintptr_t)p & ~(uintptr_t)(PAGES_HUGE - 1));
}

static void *take(struct rooms *r)
{
    struct step *s = step_for(r);
    char *p;

    if (!s)
        return NULL;
    p = s->free;
    if (p)
        memcpy(&s->free, p, sizeof(s->free));
    else
        p = (char *)s + STEP_HEAD + s->n_cut++ * MEDIA_BLOCK_BYTES;
    if (++s->n_used == STEP_BLOCKS)
        list_remove(&s->node);
    return p;
}

static void give(struct rooms *r, void *p)
{
    struct step *s = step_of(p);

    assert(s->n_used > 0);
    memcpy(p, &s->free, sizeof(s->free));
    s->free = p;
    if (s->n_used == STEP_BLOCKS)
        list_push_front(&r->room, &s->node);
    if (--s->n_used)
        return;
    list_remove(&s->node);
    list_push_back(&r->empty, &s->node);
    s->since_ms = now_ms(r);
    r->n_empty++;
}

static void *get(void *ctx, size_t n)
{
    struct rooms *r = ctx;
    void *p = NULL;

    uv_mutex_lock(&r->lock);
    if (n <= MEDIA_BLOCK_BYTES)
        p = PAGES_NONE ? malloc(n) : take(r);
    r->n_blocks += p != NULL;
    uv_mutex_unlock(&r->lock);
    return p;
}

static void destroy(struct rooms *r)
{
    struct list *n, *tmp;

    LIST_EACH(n, tmp, &r->empty)
        step_free(r, container_of(n, struct step, node));
    uv_mutex_destroy(&r->lock);
    free(r);
}

static void put(void *ctx, void *p)
{
    struct rooms *r = ctx;
    bool last;

    if (!p)
        return;
    uv_mutex_lock(&r->lock);
    if (PAGES_NONE)
        free(p);
    else
        give(r, p);
    trim(r);
    last = --r->n_blocks == 0 && r->closed;
    uv_mutex_unlock(&r->lock);
    if (last)
        destroy(r);
}

struct rooms *rooms_new(void)
{
    struct rooms *r = calloc(1, sizeof(*r));

    if (!r || uv_mutex_init(&r->lock)) {
        free(r);
        return NULL;
    }
    r->alloc = (struct gb_alloc){ get, put, r };
    list_init(&r->room);
    list_init(&r->empty);
    return r;
}

void rooms_free(struct rooms *r)
{
    bool last;

    if (!r)
        return;
    uv_mutex_lock(&r->lock);
    r->closed = true;
    last = r->n_blocks == 0;
    uv_mutex_unlock(&r->lock);
    if (last)
        destroy(r);
}

const struct gb_alloc *rooms_alloc(const struct rooms *r)
{
    return &r->alloc;
}

void rooms_tidy(struct rooms *r)
{
    uv_mutex_lock(&r->lock);
    trim(r);
    uv_mutex_unlock(&r->lock);
}

void rooms_age(struct rooms *r, uint64_t ms)
{
    uv_mutex_lock(&r->lock);
    r->aged_ms += ms;
    uv_mutex_unlock(&r->lock);
}

void rooms_used(struct rooms *r, struct rooms_use *out)
{
    uv_mutex_lock(&r->lock);
    *out = (struct rooms_use){ r->n_blocks, r->n_steps };
    uv_mutex_unlock(&r->lock);
}
