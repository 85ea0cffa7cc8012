/* app/net/pace.h - a loop with many sockets that is not woken for each packet
 *
 * Waking up costs more than a packet. A loop that has many streams therefore
 * rests between two turns, so that one turn serves what has come for several
 * of them. What comes after a rest is served at once. */
#ifndef APP_NET_PACE_H
#define APP_NET_PACE_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#define PACE_NS 2000000u /* from turn to turn, when there is more to do */
#define PACE_STREAMS 32  /* fewer on a loop are served as they come */

struct pace {
    uv_prepare_t prepare;
    bool (*on_turn)(void *ctx); /* a turn ends; true: rest, if it was short */
    void *ctx;
    uint64_t turn_ns; /* when the last rest, or wait, was over */
};

/* Does not keep the loop alive. on_turn and ctx are used until pace_close. */
void pace_start(struct pace *p, uv_loop_t *loop, bool (*on_turn)(void *ctx),
                void *ctx);
void pace_close(struct pace *p); /* p lives until the loop has run out */

/* How long to rest when this turn ends; 0: not at all. */
uint32_t pace_rest_ns(const struct pace *p, uint64_t now_ns);
#endif
