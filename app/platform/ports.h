/* app/platform/ports.h - pairs of RTP and RTCP ports for dedicated sessions
 *
 * An even port for RTP, the next one for RTCP. A pair rests for
 * 60 s after use; one that could not be bound rests the same way. */
#ifndef APP_PLATFORM_PORTS_H
#define APP_PLATFORM_PORTS_H

#include "app/platform/rest.h"

#define PORTS_TRIES 16 /* for one session: another program may have a row of them */

struct port_pool {
    struct rest_pool rest;
    uint16_t first; /* even */
};

/* The pairs that lie in min..max. 0, GB_ENOMEM, GB_ERANGE (no pair fits). */
int port_pool_init(struct port_pool *p, const struct gb_alloc *alloc,
                   uint16_t min, uint16_t max);
void port_pool_fini(struct port_pool *p);

/* 0 or GB_ELIMIT: every pair is in use or resting. */
int port_pool_take(struct port_pool *p, uint64_t now_ms, uint16_t *port);
void port_pool_give(struct port_pool *p, uint16_t port, uint64_t now_ms);
#endif
