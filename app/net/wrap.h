/* app/net/wrap.h - video that comes in RTP as it is, put into the program stream that
 * it should have come in: the rest of the way is the same for both
 *
 * What comes out lies in slabs of the packets' pool, pack behind pack. */
#ifndef APP_NET_WRAP_H
#define APP_NET_WRAP_H

#include "app/net/slab.h"
#include "rtp/kind.h"
#include "rtp/queue.h"

struct wrap_hooks {
    /* of packs; the last ones of a picture are told */
    void (*on_bytes)(void *ctx, const uint8_t *p, size_t n, struct slab *s,
                     uint32_t rtp_ts, bool last);
    /* Something is missing before what follows; inside: of a picture of which
     * there have been bytes. */
    void (*on_gap)(void *ctx, bool inside);
    void *ctx;
};

struct wrap;
/* Of a kind that rtp_unpack_takes. NULL: no memory. *hooks is copied. */
struct wrap *wrap_new(enum rtp_kind kind, const struct wrap_hooks *hooks);
void wrap_free(struct wrap *w); /* NULL is fine */

/* One payload, in order; its buf is a slab. */
void wrap_feed(struct wrap *w, const struct rtp_item *it);
/* Nothing comes for a while, or no more. */
void wrap_flush(struct wrap *w);
#endif
