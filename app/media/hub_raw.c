/* The first tap: the bytes of a program stream as they came, in chunks that
 * begin where packs begin.
 *
 *      off          a pack whose picture is not known yet
 *       │ given out      │ waits          │ not parsed
 *   ────┴────────────────┴────────────────┴──
 *
 * Whether a pack begins with a key frame is known only when its access unit is
 * there, so the newest picture is held back until then. Everything before it
 * goes out as one chunk. Bytes are gathered only while somebody watches, or from
 * the first key frame of a recording on that nobody has begun to watch. */
#include "app/media/hub_int.h"

#define FIRST_CAP (64u << 10)

void hub_raw_reset(struct hub *h)
{
    gb_put(h->alloc, h->raw.buf);
    h->raw = (struct hub_raw){ .lost = true };
}

bool hub_wants_program(const struct hub *h)
{
    return h->ring[HUB_PS] || h->held;
}

/* Forgets n bytes at the front. */
static void drop_front(struct hub_raw *r, size_t n)
{
    memmove(r->buf, r->buf + n, r->n - n);
    r->n -= n;
    r->off += n;
}

static bool has_room(struct hub *h, size_t n)
{
    struct hub_raw *r = &h->raw;
    size_t cap = r->cap ? r->cap : FIRST_CAP;
    uint8_t *buf;

    if (n > HUB_RAW_BYTES - r->n)
        return false;
    while (cap < r->n + n)
        cap *= 2;
    if (cap == r->cap)
        return true;
    buf = gb_get(h->alloc, cap);
    if (!buf)
        return false;
    if (r->n)
        memcpy(buf, r->buf, r->n);
    gb_put(h->alloc, r->buf);
    r->buf = buf;
    r->cap = cap;
    return true;
}

/* Nothing goes out until the next pack. */
static void lose(struct hub_raw *r)
{
    r->off += r->n;
    r->n = 0;
    r->lost = true;
    r->key = false;
}

void hub_raw_lose(struct hub *h)
{
    lose(&h->raw);
}

/* Bytes before off go out. */
static void flush(struct hub *h, uint64_t off)
{
    struct hub_raw *r = &h->raw;
    struct media_chunk *c;
    size_t n;

    if (r->lost || off <= r->off || !h->ring[HUB_PS])
        return;
    n = (size_t)(off - r->off);
    c = media_chunk_new(h->alloc, n, NULL);
    if (!c) {
        lose(r);
        return;
    }
    memcpy(media_chunk_own(c), r->buf, n);
    c->track = MEDIA_VIDEO;
    c->key = r->key;
    c->dts90k = (int64_t)h->now_ms * 90;
    media_chunk_seal(c, n);
    drop_front(r, n);
    r->key = false;
    hub_rings_raw(h, c);
}

/* A pack begins at off, and what is before it may be of no use. */
static void find_pack(struct hub_raw *r, uint64_t off)
{
    if (!r->lost || off < r->off || off > r->off + r->n)
        return;
    drop_front(r, (size_t)(off - r->off));
    r->lost = false;
}

/* May a viewer begin with this access unit? Where we cannot read the codec,
 * with the pack that has a map, as devices send it with key frames; and when
 * there is none for long, anywhere. */
static bool is_start(struct hub *h, const struct ps_au *au)
{
    if (au->codec == PS_CODEC_H264 || au->codec == PS_CODEC_H265)
        return au->key;
    if (!ps_codec_is_video(au->codec) && au->codec != PS_CODEC_UNKNOWN)
        return h->audio_only;
    if (!au->map && ++h->raw.n_unmapped < HUB_RAW_UNMAPPED)
        return false;
    h->raw.n_unmapped = 0;
    return true;
}

void hub_raw_au(struct hub *h, const struct ps_au *au)
{
    struct hub_raw *r = &h->raw;

    h->program |= au->has_pack;
    h->no_program |= !au->has_pack;
    if (!hub_wants_program(h) || !au->has_pack)
        return;
    if (au->pack_off >= r->off && is_start(h, au)) {
        find_pack(r, au->pack_off);
        flush(h, au->pack_off);
        if (au->pack_off > r->off && !r->key && !r->lost) /* held */
            drop_front(r, (size_t)(au->pack_off - r->off));
        r->key |= !r->lost;
    }
    r->done_off = au->pack_off;
    r->has_done = true;
}

/* What is not held back: up to the access unit that is under way, or the pack
 * that is. */
static uint64_t limit_of(const struct hub_raw *r, const struct ps_place *p)
{
    if (p->open_off != PS_NO_PLACE)
        return p->open_off;
    if (r->has_done && p->pack_off == r->done_off)
        return p->parsed_off;
    return p->pack_off == PS_NO_PLACE ? 0 : p->pack_off;
}

void hub_program(struct hub *h, const struct hub_program *p, uint64_t now_ms)
{
    struct hub_raw *r = &h->raw;

    h->now_ms = now_ms;
    if (h->ended || !hub_wants_program(h))
        return;
    if (p->gap) {
        flush(h, limit_of(r, &p->place));
        lose(r);
        r->off = p->off;
    } else if (r->off + r->n != p->off) {
        lose(r); /* the first bytes since somebody watches */
        r->off = p->off;
    }
    if (!has_room(h, p->n)) {
        lose(r);
        r->off = p->off + p->n;
        return;
    }
    memcpy(r->buf + r->n, p->p, p->n);
    r->n += p->n;
}

void hub_program_done(struct hub *h, const struct ps_place *place)
{
    if (h->ended || !hub_wants_program(h))
        return;
    find_pack(&h->raw, place->open_off != PS_NO_PLACE ? place->open_off
                                                      : place->pack_off);
    flush(h, limit_of(&h->raw, place));
}

bool hub_has_program(const struct hub *h)
{
    return h->program || !h->no_program;
}

void hub_raw_end(struct hub *h)
{
    if (hub_wants_program(h))
        flush(h, h->raw.off + h->raw.n);
}
