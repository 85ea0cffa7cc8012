/* One ring of chunks: what goes in, and what is let go. */
#include "app/media/hub_int.h"

#define FIRST_CAP 64

static bool ring_has_room(struct hub *h, struct hub_ring *r)
{
    uint32_t cap = r->cap ? r->cap * 2 : FIRST_CAP;
    struct hub_slot *slot;

    if (r->head - r->tail < r->cap)
        return true;
    if (cap > HUB_RING_CHUNKS)
        return false;
    slot = gb_get(h->alloc, cap * sizeof(*slot));
    if (!slot)
        return false;
    for (uint64_t s = r->tail; s < r->head; s++)
        slot[s & (cap - 1)] = *hub_slot_at(r, s);
    gb_put(h->alloc, r->slot);
    r->slot = slot;
    r->cap = cap;
    return true;
}

void hub_ring_let_go(struct hub_ring *r, uint64_t seq)
{
    for (; r->tail < seq; r->tail++) {
        media_chunk_unref(hub_slot_at(r, r->tail)->chunk);
        hub_slot_at(r, r->tail)->chunk = NULL;
    }
}

void hub_ring_forget_starts(struct hub_ring *r)
{
    for (unsigned i = 0; i < HUB_START_MASKS; i++) {
        media_chunk_unref(r->start[i]);
        r->start[i] = NULL;
    }
}

/* Takes c over. false: no room, c is gone, and a key frame must come. */
bool hub_ring_push(struct hub *h, struct hub_ring *r, struct media_chunk *c)
{
    if (!ring_has_room(h, r)) {
        media_chunk_unref(c);
        r->broken = true;
        r->has_key = false;
        return false;
    }
    if (c->key && !c->config && (c->track == MEDIA_VIDEO || h->audio_only)) {
        if (!h->held || !r->has_key)
            r->key_seq = r->head;
        r->has_key = true;
        r->broken = false;
        if (r->format != HUB_FMP4)
            hub_ring_forget_starts(r); /* they carry its time stamp */
    }
    if (c->dts90k > r->newest90k)
        r->newest90k = c->dts90k;
    if (!c->config)
        r->last90k[c->track] = c->dts90k;
    *hub_slot_at(r, r->head++) = (struct hub_slot){ c, r->bytes };
    r->bytes += media_chunk_size(c, MEDIA_PLAIN);
    return true;
}

/* Muxes one frame into the ring; false when nothing was added. */
bool hub_ring_frame(struct hub *h, struct hub_ring *r,
                    struct media_frame *f)
{
    bool picture = f->track == MEDIA_VIDEO;
    struct media_chunk *c;
    int err;

    if (r->broken && picture && !f->key)
        return false;
    err = hub_format_frame(h, r, f, &c);
    if (err == GB_ENOMEM && picture) {
        r->broken = true;
        r->has_key = false;
    }
    return !err && hub_ring_push(h, r, c);
}

void hub_ring_free(struct hub *h, enum hub_format f)
{
    struct hub_ring *r = h->ring[f];

    hub_ring_let_go(r, r->head);
    hub_ring_forget_starts(r);
    gb_put(h->alloc, r->slot);
    gb_put(h->alloc, r);
    h->ring[f] = NULL;
    if (f == HUB_PS)
        hub_raw_reset(h);
}

/* The first viewer of a format: the cache is muxed for it. */
int hub_ring_new(struct hub *h, enum hub_format f)
{
    struct hub_ring *r = gb_get(h->alloc, sizeof(*r));
    bool held = h->held;

    if (!r)
        return GB_ENOMEM;
    r->format = f;
    list_init(&r->busy);
    list_init(&r->idle);
    list_init(&r->waiting);
    list_init(&r->dead);
    h->ring[f] = r;
    h->held = true; /* it begins where the cache does */
    for (uint32_t i = 0; i < h->n_gop && f != HUB_PS; i++)
        hub_ring_frame(h, r, h->gop[i]);
    h->held = held;
    return 0;
}

void hub_rings_trim(struct hub *h)
{
    for (unsigned i = 0; i < HUB_FORMATS && !h->walking; i++)
        if (h->ring[i] && h->ring[i]->n_viewers == 0)
            hub_ring_free(h, (enum hub_format)i);
}
