/* base/timerq.h - which timer is next: an intrusive pairing heap
 *
 * The node sits inside the object that waits, so arming a timer allocates
 * nothing and cannot fail. Arming is O(1), taking the earliest one O(log n)
 * amortised. Timers of equal time come in no particular order. */
#ifndef BASE_TIMERQ_H
#define BASE_TIMERQ_H

#include "base/time.h"

#include <stdbool.h>

struct timerq_node {
    uint64_t when; /* ms in the upper 56 bits, all of them set when it is not
                      armed; below them the owner's kind */
    struct timerq_node *child, *next;
    struct timerq_node *prev; /* left sibling, or the parent of a first child */
};

#define TIMERQ_NEVER (GB_NEVER >> 8)

/* GB_NEVER when it is not armed. */
static inline uint64_t timerq_at_ms(const struct timerq_node *n)
{
    uint64_t at_ms = n->when >> 8;

    return at_ms == TIMERQ_NEVER ? GB_NEVER : at_ms;
}

/* As it was given to timerq_node_init. */
static inline uint8_t timerq_kind(const struct timerq_node *n)
{
    return (uint8_t)n->when;
}

struct timerq {
    struct timerq_node *root;
};

/* Before anything else; a node of zeros is not valid. */
void timerq_node_init(struct timerq_node *n, uint8_t kind);

/* Arms n, or moves it; at_ms GB_NEVER, or what 56 bits do not hold, stops it. */
void timerq_set(struct timerq *q, struct timerq_node *n, uint64_t at_ms);

/* Harmless when n is not armed. */
void timerq_stop(struct timerq *q, struct timerq_node *n);

/* GB_NEVER: none is armed. */
uint64_t timerq_next(const struct timerq *q);

/* Takes out one timer that is due at now_ms; NULL: none is. */
struct timerq_node *timerq_pop(struct timerq *q, uint64_t now_ms);
#endif
