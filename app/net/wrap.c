#include "app/net/wrap.h"

#include "ps/mux.h"
#include "rtp/unpack.h"

#include <stdlib.h>

#define PEAK_BPS 8000000u /* what a pack header says; nobody relies on it */

struct wrap {
    struct wrap_hooks hooks;
    struct rtp_unpack *unpack;
    struct ps_mux mux;
    struct slab_pool *pool; /* of the packet that is being fed */
    struct slab *slab;      /* filled so far; NULL: none */
    size_t filled;
    uint8_t *pack;          /* room for one */
    size_t cap;
    bool part;              /* of a picture there is more to come */
    uint64_t at90k;         /* the RTP time, unwrapped */
    uint32_t ts;
    bool begun;
};

static bool have_room(struct wrap *w, size_t n)
{
    uint8_t *p;

    if (n <= w->cap)
        return true;
    p = realloc(w->pack, n);
    if (!p)
        return false;
    w->pack = p;
    w->cap = n;
    return true;
}

static void drop_slab(struct wrap *w)
{
    slab_unref(w->slab);
    w->slab = NULL;
    w->filled = 0;
}

/* As if packets had brought it. Slabs are filled: who holds a few bytes of many of
 * them would take them from all others. */
static void tell(struct wrap *w, struct slice pack, uint32_t ts, bool last)
{
    while (pack.n) {
        size_t room, n;
        uint8_t *p;

        if (w->slab && w->filled == w->slab->pool->bytes)
            drop_slab(w);
        if (!w->slab)
            w->slab = slab_get(w->pool);
        if (!w->slab) {
            w->hooks.on_gap(w->hooks.ctx, true);
            return;
        }
        room = w->slab->pool->bytes - w->filled;
        n = pack.n < room ? pack.n : room;
        p = w->slab->bytes + w->filled;
        memcpy(p, pack.p, n);
        w->filled += n;
        pack = slice_from(pack, n);
        w->hooks.on_bytes(w->hooks.ctx, p, n, w->slab, ts,
                          last && pack.n == 0);
    }
}

static void on_unit(void *ctx, const struct rtp_unit *u)
{
    struct wrap *w = ctx;
    struct writer out;

    if (u->lost)
        w->hooks.on_gap(w->hooks.ctx, w->part);
    w->part = u->part;
    if (w->begun)
        w->at90k += (uint64_t)(int64_t)(int32_t)(u->ts - w->ts);
    w->ts = u->ts;
    w->begun = true;
    if (!w->pool || !have_room(w, ps_mux_bound(u->bytes.n)))
        return;
    out = writer_of(w->pack, w->cap);
    ps_mux_video(&w->mux, &out, u->bytes, w->at90k, u->key);
    if (!out.err)
        tell(w, writer_slice(&out), u->ts, !u->part);
}

static enum ps_codec codec_of(enum rtp_kind kind)
{
    return kind == RTP_KIND_H265 || kind == RTP_KIND_ANNEXB_H265
               ? PS_CODEC_H265
               : PS_CODEC_H264;
}

struct wrap *wrap_new(enum rtp_kind kind, const struct wrap_hooks *hooks)
{
    struct wrap *w = calloc(1, sizeof(*w));

    if (!w)
        return NULL;
    w->hooks = *hooks;
    if (ps_mux_init(&w->mux, codec_of(kind), PS_CODEC_UNKNOWN, PEAK_BPS) ||
        rtp_unpack_new(&w->unpack, &gb_alloc_heap, kind, on_unit, w)) {
        free(w);
        return NULL;
    }
    return w;
}

void wrap_free(struct wrap *w)
{
    if (!w)
        return;
    rtp_unpack_free(w->unpack);
    drop_slab(w);
    free(w->pack);
    free(w);
}

void wrap_feed(struct wrap *w, const struct rtp_item *it)
{
    const struct slab *s = it->buf;
    const struct rtp_unpack_packet pkt = { it->payload, it->n, it->ts,
                                           it->marker, it->gap };

    w->pool = s->pool;
    rtp_unpack_feed(w->unpack, &pkt);
}

void wrap_flush(struct wrap *w)
{
    rtp_unpack_flush(w->unpack);
}
