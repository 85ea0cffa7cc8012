#include "app/net/intake.h"

#include "app/net/log.h"

#include <stdlib.h>
#include <string.h>

#define UDP_MIN_SLOTS 8   /* fewer left in a slab: on to another one */
#define ROOM_ALIGN 64

_Static_assert(UDP_BATCH <= 64, "joined_used has a bit for each");
_Static_assert(SLAB_BYTES / INGEST_SLOT >= UDP_BATCH, "a batch fits");

void ingest_pool_init(struct ingest_pool *p)
{
    slab_pool_init(&p->slabs, SLAB_BYTES, SLAB_POOL_MAX);
    slab_pool_init(&p->large, SLAB_LARGE_BYTES, SLAB_LARGE_MAX);
    p->udp = NULL;
    p->udp_off = 0;
    p->sink = NULL;
    p->apart = false;
    p->joined_used = 0;
    p->packed = NULL;
    p->packed_off = 0;
    p->n_joined = 0;
    for (size_t i = 0; i < UDP_BATCH; i++)
        p->joined[i] = (struct udp_more){ NULL, NULL };
    p->dropped = p->told_ms = 0;
}

void ingest_pool_fini(struct ingest_pool *p)
{
    slab_unref(p->udp);
    p->udp = NULL;
    for (size_t i = 0; i < UDP_BATCH; i++)
        slab_unref(p->joined[i].buf);
    slab_unref(p->packed);
    free(p->sink);
    slab_pool_fini(&p->slabs);
    slab_pool_fini(&p->large);
}

static bool next_slab(struct ingest_pool *p)
{
    slab_unref(p->udp);
    p->udp = slab_get(&p->slabs);
    p->udp_off = 0;
    return p->udp != NULL;
}

uint8_t *ingest_pool_room(struct ingest_pool *p, size_t n, struct slab **s)
{
    uint8_t *room;

    if (p->udp && p->udp->refs == 1)
        p->udp_off = 0; /* nobody kept anything of it */
    if ((!p->udp || n > SLAB_BYTES - p->udp_off) && !next_slab(p))
        return NULL;
    room = p->udp->bytes + p->udp_off;
    n = (n + ROOM_ALIGN - 1) / ROOM_ALIGN * ROOM_ALIGN;
    p->udp_off = n < SLAB_BYTES - p->udp_off ? p->udp_off + n : SLAB_BYTES;
    *s = p->udp;
    return room;
}

void intake_init(struct intake *in, struct ingest_pool *pool, uv_loop_t *loop)
{
    *in = (struct intake){ .pool = pool, .loop = loop, .slot = INGEST_SLOT };
}

/* There is no slab: what has come is read all the same, and dropped. */
static size_t sink_get(struct intake *in, struct udp_room *room)
{
    struct ingest_pool *p = in->pool;
    uint64_t now_ms = uv_now(in->loop);

    if (!p->sink)
        p->sink = malloc(SLAB_BYTES);
    if (!p->sink)
        return 0;
    if (!p->told_ms || now_ms - p->told_ms >= INGEST_TELL_MS) {
        p->told_ms = now_ms ? now_ms : 1;
        log_f(LOG_WARN, "msg=\"media buffers are exhausted, packets are "
                        "dropped\" slabs=%u dropped=%llu", p->slabs.n_live,
              (unsigned long long)p->dropped);
    }
    *room = (struct udp_room){ p->sink, SLAB_BYTES / UDP_BATCH,
                               SLAB_BYTES / UDP_BATCH, NULL };
    return UDP_BATCH;
}

size_t intake_get(void *ctx, struct udp_room *room)
{
    struct intake *in = ctx;
    struct ingest_pool *p = in->pool;
    size_t most = SLAB_BYTES / in->slot;
    size_t n = p->udp ? (SLAB_BYTES - p->udp_off) / in->slot : 0;

    if (n < most && n < UDP_MIN_SLOTS) {
        if (!next_slab(p))
            return sink_get(in, room);
        n = most;
    }
    in->batch_slot = in->slot;
    *room = (struct udp_room){ p->udp->bytes + p->udp_off, in->slot, in->slot,
                               p->udp };
    return n < UDP_BATCH ? n : UDP_BATCH;
}

/* What is not given on yet lies in it too, so that it is changed between two
 * batches only. */
static void make_packed(struct ingest_pool *p)
{
    struct slab *s;

    if (p->packed && p->packed->refs == 1)
        p->packed_off = 0; /* nobody kept anything of it */
    if (p->packed && p->packed_off <= SLAB_BYTES / 2)
        return;
    s = slab_get(&p->slabs);
    if (!s)
        return;
    slab_unref(p->packed);
    p->packed = s;
    p->packed_off = 0;
}

uint8_t *intake_settle(void *ctx, uint8_t *p, size_t n, void **buf)
{
    struct ingest_pool *pool = ((struct intake *)ctx)->pool;
    uint8_t *to;

    if (n >= INGEST_ALONE || !pool->packed ||
        n > SLAB_BYTES - pool->packed_off) {
        for (size_t i = 0; i < UDP_BATCH; i++)
            if (pool->joined[i].buf == *buf)
                pool->joined_used |= (uint64_t)1 << i;
        return p;
    }
    to = pool->packed->bytes + pool->packed_off;
    memcpy(to, p, n);
    pool->packed_off += n;
    *buf = pool->packed;
    return to;
}

size_t intake_more(void *ctx, size_t n, const struct udp_more **more)
{
    struct ingest_pool *p = ((struct intake *)ctx)->pool;

    *more = p->joined;
    if (!p->udp)
        return 0;
    make_packed(p);
    for (; p->n_joined < n; p->n_joined++) {
        struct udp_more *m = &p->joined[p->n_joined];
        struct slab *s = m->buf ? m->buf : slab_get(&p->slabs);

        if (!s)
            break;
        *m = (struct udp_more){ s->bytes, s };
    }
    return p->n_joined < n ? p->n_joined : n;
}

struct udp_source intake_source(struct intake *in)
{
    struct udp_source s = { .get = intake_get, .done = intake_done, .ctx = in };

    if (in->pool->apart)
        return s;
    s.more = intake_more;
    s.settle = intake_settle;
    return s;
}

void intake_done(void *ctx, size_t used)
{
    struct intake *in = ctx;
    struct ingest_pool *p = in->pool;

    for (size_t i = 0; i < UDP_BATCH && p->joined_used; i++) {
        struct slab *s = p->joined[i].buf;

        if (!(p->joined_used >> i & 1) || s->refs == 1)
            continue;
        slab_unref(s); /* somebody keeps something of it */
        p->joined[i] = (struct udp_more){ NULL, NULL };
        p->n_joined = i < p->n_joined ? i : p->n_joined;
    }
    p->joined_used = 0;
    if (!p->udp)
        return; /* it was the sink */
    if (p->udp->refs == 1)
        p->udp_off = 0; /* nobody kept anything of it */
    else
        p->udp_off += used * in->batch_slot;
}

bool intake_batch(struct intake *in, size_t n)
{
    if (!in->pool->udp)
        in->pool->dropped += n;
    return in->pool->udp != NULL;
}

void intake_grow(struct intake *in, size_t n, uint64_t now_ms)
{
    in->slot = n < INGEST_SLOT_LARGE ? INGEST_SLOT_LARGE : SLAB_BYTES;
    in->large_ms = now_ms;
}

void intake_saw(struct intake *in, size_t n, uint64_t now_ms)
{
    if (n > INGEST_SLOT)
        in->large_ms = now_ms;
}

void intake_tick(struct intake *in, uint64_t now_ms)
{
    if (in->slot > INGEST_SLOT && now_ms - in->large_ms >= INGEST_LARGE_MS)
        in->slot = INGEST_SLOT;
}
