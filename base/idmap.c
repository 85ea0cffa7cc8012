#include "base/idmap.h"

#include "base/err.h"

#include <assert.h>
#include <string.h>

#define IDMAP_NONE UINT32_MAX
#define IDMAP_FIRST_SLOTS 16

void idmap_init(struct idmap *m, const struct gb_alloc *alloc, uint32_t max)
{
    *m = (struct idmap){ .max = max, .first_free = IDMAP_NONE, .alloc = alloc };
}

void idmap_fini(struct idmap *m)
{
    if (m->alloc)
        gb_put(m->alloc, m->slot);
    *m = (struct idmap){ .first_free = IDMAP_NONE };
}

static int grow(struct idmap *m)
{
    uint32_t n_new = m->n_slots ? m->n_slots * 2 : IDMAP_FIRST_SLOTS;
    struct idmap_slot *slot;

    if (m->n_slots >= m->max)
        return GB_ELIMIT;
    if (n_new > m->max || n_new < m->n_slots)
        n_new = m->max;
    slot = gb_get(m->alloc, n_new * sizeof(*slot));
    if (!slot)
        return GB_ENOMEM;
    if (m->n_slots)
        memcpy(slot, m->slot, m->n_slots * sizeof(*slot));
    for (uint32_t i = n_new; i-- > m->n_slots;) {
        slot[i].generation = 1;
        slot[i].next_free = m->first_free;
        m->first_free = i;
    }
    gb_put(m->alloc, m->slot);
    m->slot = slot;
    m->n_slots = n_new;
    return 0;
}

int idmap_add(struct idmap *m, void *obj, uint64_t *id)
{
    uint32_t i;

    if (m->first_free == IDMAP_NONE) {
        int err = grow(m);

        if (err)
            return err;
    }
    i = m->first_free;
    m->first_free = m->slot[i].next_free;
    m->slot[i].obj = obj;
    m->n++;
    *id = (uint64_t)m->slot[i].generation << 32 | i;
    return 0;
}

static struct idmap_slot *slot_of(const struct idmap *m, uint64_t id)
{
    uint32_t i = (uint32_t)id;
    struct idmap_slot *s;

    if (i >= m->n_slots)
        return NULL;
    s = &m->slot[i];
    return s->obj && s->generation == id >> 32 ? s : NULL;
}

void *idmap_find(const struct idmap *m, uint64_t id)
{
    struct idmap_slot *s = slot_of(m, id);

    return s ? s->obj : NULL;
}

void idmap_replace(struct idmap *m, uint64_t id, void *obj)
{
    struct idmap_slot *s = slot_of(m, id);

    assert(s && obj);
    if (s)
        s->obj = obj;
}

void idmap_remove(struct idmap *m, uint64_t id)
{
    struct idmap_slot *s = slot_of(m, id);

    if (!s)
        return;
    s->obj = NULL;
    if (++s->generation == 0)
        s->generation = 1;
    s->next_free = m->first_free;
    m->first_free = (uint32_t)id;
    m->n--;
}

void *idmap_walk_next(const struct idmap *m, uint32_t *pos)
{
    while (*pos < m->n_slots) {
        void *obj = m->slot[(*pos)++].obj;

        if (obj)
            return obj;
    }
    return NULL;
}
