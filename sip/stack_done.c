/* Finished transactions that only wait for repeats of their request (Timer J).
 *
 * All wait equally long, so they are a queue; and they are many: two hundred
 * thousand behind a busy server. They lie one behind the other in blocks, taken
 * at the front and given back at the end, so that memory is walked in its order
 * and never searched for room:
 *
 *     block    from ──► oldest ... to │   │ ... │   │ ... newest │ free
 *
 * What finds one by its key is a table of eight bytes an entry, a piece of the
 * key and a place in the blocks: a key that is not there, which is the rule,
 * mostly costs one line of memory. */
#include "sip/stack_impl.h"

#include "base/prefetch.h"

#include <assert.h>

#define DONE_BLOCK 16352 /* bytes; an entry that is larger has its own. With
                            its head it is a quarter of a run (app/net/blocks) */
#define DONE_STEP 8      /* entries begin at multiples of it */
#define DONE_OFF_BITS 11 /* of a place: DONE_BLOCK / DONE_STEP of them */
#define DONE_NUMBER_MASK ((1u << 20) - 1) /* of a block, in a place */
#define DONE_SLOTS_MIN 64
#define DONE_BLOCKS_MIN 4

_Static_assert(DONE_BLOCK / DONE_STEP <= 1 << DONE_OFF_BITS,
               "every offset has its number");

/* Entries from offset `from` to `to`. */
struct done_block {
    uint32_t from, to, cap;
    _Alignas(DONE_STEP) char bytes[];
};

/* ---- blocks ------------------------------------------------------------- */

static struct done_block **block_at(const struct dones *q, uint32_t number)
{
    return &q->block[number & (q->cap - 1)];
}

static size_t entry_size(size_t n_text)
{
    size_t n = offsetof(struct done, text) + n_text;

    return (n + DONE_STEP - 1) & ~(size_t)(DONE_STEP - 1);
}

static struct done *done_at(const struct dones *q, uint32_t place)
{
    struct done_block *b = *block_at(q, place >> DONE_OFF_BITS);

    return (struct done *)(void *)(b->bytes + (place & ((1u << DONE_OFF_BITS) -
                                                        1)) * DONE_STEP);
}

static uint32_t place_of(uint32_t number, uint32_t off)
{
    return (number & DONE_NUMBER_MASK) << DONE_OFF_BITS | off / DONE_STEP;
}

/* NULL: none is waiting. */
static struct done *oldest(const struct dones *q)
{
    struct done_block *b = q->n ? *block_at(q, q->first) : NULL;

    return b ? (struct done *)(void *)(b->bytes + b->from) : NULL;
}

static bool directory_room(struct sip_stack *s)
{
    struct dones *q = &s->dones;
    uint32_t cap = q->cap ? q->cap * 2 : DONE_BLOCKS_MIN;
    struct done_block **more;

    if (q->next - q->first < q->cap)
        return true;
    if (cap > DONE_NUMBER_MASK / 2)
        return false;
    more = gb_get(s->alloc, cap * sizeof(*more));
    if (!more)
        return false;
    for (uint32_t i = q->first; i != q->next; i++)
        more[i & (cap - 1)] = *block_at(q, i);
    gb_put(s->alloc, q->block);
    q->block = more;
    q->cap = cap;
    return true;
}

/* The block that the next entry of n bytes goes into; NULL: no memory. */
static struct done_block *block_for(struct sip_stack *s, size_t n)
{
    struct dones *q = &s->dones;
    struct done_block *b =
        q->next != q->first ? *block_at(q, q->next - 1) : NULL;
    size_t cap = n > DONE_BLOCK ? n : DONE_BLOCK;

    if (b && n <= b->cap - b->to)
        return b;
    if (!directory_room(s))
        return NULL;
    b = q->spare && cap == DONE_BLOCK ? q->spare
                                      : gb_get(s->alloc, sizeof(*b) + cap);
    if (!b)
        return NULL;
    if (b == q->spare)
        q->spare = NULL;
    b->from = b->to = 0;
    b->cap = (uint32_t)cap;
    *block_at(q, q->next++) = b;
    return b;
}

/* One is kept, so that a server that is busy takes none anew. */
static void block_put(struct sip_stack *s, struct done_block *b)
{
    struct dones *q = &s->dones;

    if (!q->spare && b->cap == DONE_BLOCK)
        q->spare = b;
    else
        gb_put(s->alloc, b);
}

/* ---- the table ---------------------------------------------------------- */

static uint32_t tag_of(const struct stk_key *k)
{
    return (uint32_t)k->h[0];
}

static bool is_free(const struct done_slot *slot)
{
    return slot->place == 0;
}

static void slot_insert(struct done_slot *slot, uint32_t mask,
                        struct done_slot in)
{
    uint32_t i = in.tag & mask;

    while (!is_free(&slot[i]))
        i = (i + 1) & mask;
    slot[i] = in;
}

/* Room for one more: at most three quarters are used. Without memory it is
 * filled further. */
static bool slots_room(struct sip_stack *s)
{
    struct dones *q = &s->dones;
    uint32_t n = q->n_slots ? q->n_slots * 2 : DONE_SLOTS_MIN;
    struct done_slot *more = NULL;

    if (q->n + 1 <= q->n_slots / 4 * 3)
        return true;
    if (n <= UINT32_MAX / 2)
        more = gb_get(s->alloc, n * sizeof(*more));
    if (!more)
        return q->n + 1 < q->n_slots;
    for (uint32_t i = 0; i < q->n_slots; i++)
        if (!is_free(&q->slot[i]))
            slot_insert(more, n - 1, q->slot[i]);
    gb_put(s->alloc, q->slot);
    q->slot = more;
    q->n_slots = n;
    return true;
}

/* Takes out slot i; what stood behind it because of it moves up. */
static void slot_remove(struct dones *q, uint32_t i)
{
    uint32_t mask = q->n_slots - 1;

    for (uint32_t k = (i + 1) & mask; !is_free(&q->slot[k]); k = (k + 1) & mask)
        if (((k - q->slot[k].tag) & mask) >= ((k - i) & mask)) {
            q->slot[i] = q->slot[k];
            i = k;
        }
    q->slot[i] = (struct done_slot){ 0 };
}

void stk_done_ahead(const struct sip_stack *s, const struct stk_key *k)
{
    const struct dones *q = &s->dones;

    if (q->n)
        prefetch(&q->slot[tag_of(k) & (q->n_slots - 1)]);
}

struct done *stk_done_find(const struct sip_stack *s, const struct stk_key *k)
{
    const struct dones *q = &s->dones;
    uint32_t mask = q->n_slots - 1, i = tag_of(k) & mask;

    for (; q->n && !is_free(&q->slot[i]); i = (i + 1) & mask) {
        struct done *d;

        if (q->slot[i].tag != tag_of(k))
            continue;
        d = done_at(q, q->slot[i].place - 1);
        if (d->key.h[0] == k->h[0] && d->key.h[1] == k->h[1])
            return d;
    }
    return NULL;
}

/* ---- the queue ---------------------------------------------------------- */

bool stk_done_pop(struct sip_stack *s)
{
    struct dones *q = &s->dones;
    struct done *d = oldest(q);
    uint32_t mask = q->n_slots - 1, i, place;
    struct done_block *b;
    size_t size;

    if (!d)
        return false;
    b = *block_at(q, q->first);
    place = place_of(q->first, b->from) + 1;
    for (i = tag_of(&d->key) & mask; q->slot[i].place != place;)
        i = (i + 1) & mask;
    slot_remove(q, i);
    size = entry_size(d->seed.n);
    q->used_bytes -= size;
    q->n--;
    b->from += (uint32_t)size;
    if (b->from == b->to) {
        q->first++;
        block_put(s, b);
    }
    d = oldest(q);
    if (d) /* it is the next to go, mostly soon */
        prefetch(&q->slot[tag_of(&d->key) & mask]);
    return true;
}

void stk_done_add(struct sip_stack *s, const struct seed *seed,
                  const struct stk_key *key, struct slice a, struct slice c,
                  uint64_t now_ms)
{
    struct dones *q = &s->dones;
    size_t size = entry_size(a.n + c.n);
    struct done_block *b;
    struct done *d;

    if (!stk_trans_room(s) || !slots_room(s) || size > UINT32_MAX / 2 ||
        !(b = block_for(s, size)))
        return;
    d = (struct done *)(void *)(b->bytes + b->to);
    d->key = *key;
    d->end_ms = now_ms + 64 * (uint64_t)s->timers.t1_ms;
    d->seed = *seed;
    d->seed.n = (uint32_t)(a.n + c.n);
    if (a.n)
        memcpy(d->text, a.p, a.n);
    if (c.n)
        memcpy(d->text + a.n, c.p, c.n);
    slot_insert(q->slot, q->n_slots - 1,
                (struct done_slot){ tag_of(key),
                                    place_of(q->next - 1, b->to) + 1 });
    b->to += (uint32_t)size;
    q->used_bytes += size;
    q->n++;
}

uint64_t stk_done_deadline(const struct sip_stack *s)
{
    const struct done *d = oldest(&s->dones);

    return d ? d->end_ms : GB_NEVER;
}

void stk_done_tick(struct sip_stack *s, uint64_t now_ms)
{
    while (stk_done_deadline(s) <= now_ms)
        stk_done_pop(s);
}

void stk_done_fini(struct sip_stack *s)
{
    while (stk_done_pop(s))
        ;
    gb_put(s->alloc, s->dones.spare);
    gb_put(s->alloc, s->dones.block);
    gb_put(s->alloc, s->dones.slot);
    s->dones = (struct dones){ 0 };
}
