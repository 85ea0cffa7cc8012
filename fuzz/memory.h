/* fuzz/memory.h - an allocator that counts what is out, and fails now and then
 *
 * Blocks of a run lie one behind the other in one place, which costs a fraction
 * of what ASan's own does. Around a block, behind its end and when it was given
 * back nothing may be touched; no run's block is used again in it. What does not
 * fit comes from calloc. */
#ifndef FUZZ_MEMORY_H
#define FUZZ_MEMORY_H

#include "base/alloc.h"

#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define MEMORY_IS_WATCHED 1
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define MEMORY_IS_WATCHED 1
#endif
#ifdef MEMORY_IS_WATCHED
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(p, n) ((void)(p), (void)(n))
#define ASAN_UNPOISON_MEMORY_REGION(p, n) ((void)(p), (void)(n))
#endif

#define MEMORY_ROOM (8u << 20)
#ifndef MEMORY_CLEARED
#define MEMORY_CLEARED SIZE_MAX /* longer blocks are scratch: no time goes into them */
#endif
#define MEMORY_EDGE 16u /* in front of a block: its length, and nobody's */

/* One for all files of a target (memory.c). */
extern struct memory {
    unsigned long live;    /* blocks that have not come back */
    unsigned long calls;
    unsigned long fail_at; /* every fail_at-th call fails; 0: none */
    unsigned long fail_in; /* 1: they fail; more: after so many less one; 0: none */
    bool failed;           /* by fail_in */
    size_t used;           /* of the room */
    bool watched;
} memory;

extern alignas(16) char memory_room[MEMORY_ROOM];

/* Of the room n bytes that follow an edge; NULL: it is full. */
static inline void *memory_place(size_t n)
{
    size_t whole = MEMORY_EDGE + (n + 15) / 16 * 16;
    char *p = memory_room + memory.used;

    if (!memory.watched) {
        ASAN_POISON_MEMORY_REGION(memory_room, MEMORY_ROOM);
        memory.watched = true;
    }
    if (n > MEMORY_ROOM || whole > MEMORY_ROOM - MEMORY_EDGE - memory.used)
        return NULL;
    memory.used += whole;
    ASAN_UNPOISON_MEMORY_REGION(p, sizeof(n));
    memcpy(p, &n, sizeof(n));
    ASAN_POISON_MEMORY_REGION(p, sizeof(n));
    ASAN_UNPOISON_MEMORY_REGION(p + MEMORY_EDGE, n);
    return p + MEMORY_EDGE;
}

/* Zeroed, for the target itself: it does not fail. */
static inline void *memory_take(size_t n)
{
    void *p = memory_place(n);

    if (!p)
        p = calloc(1, n);
    else if (n <= MEMORY_CLEARED)
        memset(p, 0, n);
    memory.live += p != NULL;
    return p;
}

static inline void *memory_get(void *ctx, size_t n)
{
    (void)ctx;
    if (memory.fail_in == 1) {
        memory.failed = true;
        return NULL;
    }
    memory.fail_in -= memory.fail_in != 0;
    if (memory.fail_at && ++memory.calls % memory.fail_at == 0)
        return NULL;
    return memory_take(n);
}

static inline bool memory_is_in_room(const void *p)
{
    return (uintptr_t)p - (uintptr_t)memory_room < MEMORY_ROOM;
}

static inline void memory_put(void *ctx, void *p)
{
    char *edge;
    size_t n;

    (void)ctx;
    memory.live -= p != NULL;
    if (!memory_is_in_room(p)) {
        free(p);
        return;
    }
    edge = (char *)p - MEMORY_EDGE;
    ASAN_UNPOISON_MEMORY_REGION(edge, sizeof(n));
    memcpy(&n, edge, sizeof(n));
    if (n > MEMORY_ROOM)
        abort(); /* it had come back, or is none of ours */
    memset(edge, 0xff, sizeof(n));
    ASAN_POISON_MEMORY_REGION(edge, MEMORY_EDGE + n);
}

static const struct gb_alloc memory_alloc = { memory_get, memory_put, NULL };

/* These bytes may be read. */
static inline void memory_read(const void *p, size_t n)
{
#ifdef MEMORY_IS_WATCHED
    union {
        const void *given;
        void *asked;
    } at = { p };

    if (n && __asan_region_is_poisoned(at.asked, n))
        abort();
#else
    (void)p;
    (void)n;
#endif
}

/* A run begins. */
static inline void memory_begin(unsigned long fail_at)
{
    memory.calls = 0;
    memory.fail_at = fail_at;
    memory.fail_in = 0;
    memory.failed = false;
}

/* A run is over: aborts when anything is still out. */
static inline void memory_end(void)
{
    if (memory.live)
        abort();
    memory.used = 0;
}
#endif
