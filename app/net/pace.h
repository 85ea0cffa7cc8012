/* app/net/pace.h - a loop with many sockets that is not woken for each packet
 *
 * Waking up costs more than a packet. A loop that has many streams therefore
 * rests between two turns, so that one turn serves what has come for several
 * of them: the longer, the more there are. What comes after a rest is served at
 * once. */
#ifndef APP_NET_PACE_H
#define APP_NET_PACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#define PACE_STREAMS 32    /* fewer on a loop are served as they come */
#define PACE_EACH_NS 50000 /* of a turn, for each: a picture comes every 40 ms */
#define PACE_MAX_NS 5000000 /* from turn to turn, when there is more to do */
#define PACE_UNWATCHED 2    /* times as long, while nobody waits for a picture */

struct pace {
    uv_prepare_t prepare;
    uint32_t (*on_turn)(void *ctx); /* a turn ends: how long it is to last at
                                       least, with the rest; 0: no rest */
    void *ctx;
    uint64_t turn_ns; /* when the last rest, or wait, was over */
};

/* Does not keep the loop alive. on_turn and ctx are used until pace_close. */
void pace_start(struct pace *p, uv_loop_t *loop,
                uint32_t (*on_turn)(void *ctx), void *ctx);
void pace_close(struct pace *p); /* p lives until the loop has run out */

/* How long a turn of so many streams is to last. watched: somebody waits for what
 * comes, as viewers do; recordings have time. */
uint32_t pace_turn_ns(size_t n_streams, bool watched);

/* How long to rest when this turn ends, which is to last so long; 0: not at
 * all. */
uint32_t pace_rest_ns(const struct pace *p, uint64_t now_ns, uint32_t turn_ns);
#endif
