#include "app/device/fleet.h"

#include "base/heap.h"
#include "base/list.h"
#include "base/map.h"

#include <assert.h>
#include <string.h>

/* What the stack is given for a device: its index, and above it which of its
 * lives asks. */
#define INDEX_BITS 17
#define LIVES (1u << (32 - INDEX_BITS))
_Static_assert(FLEET_MAX_DEVICES <= 1 << INDEX_BITS, "an index has its bits");

/* One id of a device: its own or a channel's. */
struct id_name {
    struct map_node node; /* key: id */
    uint32_t index;       /* of the member */
    char id[DEVICE_ID_MAX + 1];
};

struct member {
    struct device *device;
    struct heap_node deadline;
    struct list touched; /* has actions, perhaps */
    uint32_t life;
    size_t n_ids;
    struct id_name *id; /* its own id, then its channels' */
};

struct fleet {
    const struct gb_alloc *alloc;
    struct member *member;
    uint32_t n, max;
    struct map by_id;
    struct heap deadlines;
    struct list touched;
};

int fleet_new(struct fleet **out, const struct gb_alloc *alloc,
              uint32_t max_devices)
{
    struct fleet *f;

    if (max_devices > FLEET_MAX_DEVICES)
        return GB_ELIMIT;
    f = gb_get(alloc, sizeof(*f));
    if (!f)
        return GB_ENOMEM;
    f->alloc = alloc;
    f->max = max_devices;
    list_init(&f->touched);
    heap_init(&f->deadlines, alloc);
    f->member = gb_get(alloc, max_devices * sizeof(*f->member));
    if (!f->member || map_init_load(&f->by_id, alloc, NULL, MAP_EVEN) ||
        heap_reserve(&f->deadlines, max_devices)) {
        fleet_free(f);
        return GB_ENOMEM;
    }
    *out = f;
    return 0;
}

void fleet_free(struct fleet *f)
{
    if (!f)
        return;
    for (uint32_t i = 0; i < f->n; i++) {
        /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): n is 0 without them */
        device_free(f->member[i].device);
        gb_put(f->alloc, f->member[i].id);
    }
    map_fini(&f->by_id);
    heap_fini(&f->deadlines);
    gb_put(f->alloc, f->member);
    gb_put(f->alloc, f);
}

/* What the stack says of who asked: the device's own purpose, its index, its
 * life; NULL: of a life that is over. */
static struct member *by_user(struct fleet *f, uint64_t user)
{
    uint32_t index = user >> 8 & ((1u << INDEX_BITS) - 1);

    return index < f->n && user >> (8 + INDEX_BITS) == f->member[index].life
               ? &f->member[index] : NULL;
}

static uint32_t index_of(const struct fleet *f, const struct member *m)
{
    return (uint32_t)(m - f->member);
}

void fleet_touch(struct fleet *f, uint32_t index)
{
    struct member *m = &f->member[index];

    heap_set(&f->deadlines, &m->deadline, device_deadline(m->device));
    if (list_is_empty(&m->touched))
        list_push_back(&f->touched, &m->touched);
}

static void name(struct fleet *f, struct member *m, const char *id)
{
    struct id_name *n = &m->id[m->n_ids++];

    n->index = index_of(f, m);
    slice_copy(n->id, sizeof(n->id), slice_str(id));
    map_insert(&f->by_id, &n->node, slice_str(n->id));
}

int fleet_add(struct fleet *f, const struct device_config *cfg,
              struct gb_time now, uint32_t *index)
{
    struct member *m;
    struct device_config c = *cfg;
    int err;

    if (f->n == f->max)
        return GB_ELIMIT;
    m = &f->member[f->n];
    memset(m, 0, sizeof(*m));
    list_init(&m->touched);
    m->id = gb_get(f->alloc, (cfg->n_channels + 1) * sizeof(*m->id));
    if (!m->id)
        return GB_ENOMEM;
    c.user = f->n;
    err = device_new(&m->device, &c, now);
    if (err) {
        gb_put(f->alloc, m->id);
        return err;
    }
    name(f, m, cfg->id);
    for (size_t i = 0; i < cfg->n_channels; i++)
        name(f, m, cfg->channel[i].id);
    *index = f->n++;
    fleet_touch(f, *index);
    return 0;
}

int fleet_restart(struct fleet *f, uint32_t index,
                  const struct device_config *cfg, struct gb_time now)
{
    struct member *m = &f->member[index];
    struct device_config c = *cfg;
    struct device *d;
    uint32_t life = (m->life + 1) % LIVES;
    int err;

    assert(index < f->n && cfg->n_channels + 1 == m->n_ids);
    c.user = life << INDEX_BITS | index;
    err = device_new(&d, &c, now);
    if (err)
        return err;
    device_free(m->device);
    m->device = d;
    m->life = life;
    fleet_touch(f, index);
    return 0;
}

struct device *fleet_device(const struct fleet *f, uint32_t index)
{
    return index < f->n ? f->member[index].device : NULL;
}

static struct member *by_id(struct fleet *f, struct slice id)
{
    struct map_node *n = map_find(&f->by_id, id);

    return n ? &f->member[container_of(n, struct id_name, node)->index] : NULL;
}

static void refuse(struct sip_stack *sip, const struct sip_event *ev,
                   struct gb_time now)
{
    struct sip_response r = { .status = 404, .expires = -1 };

    sip_stack_respond(sip, ev->transaction, &r, now.mono_ms);
}

static void route_request(struct fleet *f, struct sip_stack *sip,
                          const struct sip_event *ev, struct gb_time now)
{
    struct member *m = by_id(f, ev->msg->uri.user);

    if (!m)
        m = by_id(f, ev->msg->to.uri.user);
    if (!m) {
        refuse(sip, ev, now);
        return;
    }
    if (ev->dialog && !ev->user)
        sip_stack_set_user(sip, ev->dialog,
                           (uint64_t)(m->life << INDEX_BITS | index_of(f, m))
                               << 8);
    device_sip(m->device, ev, now);
    fleet_touch(f, index_of(f, m));
}

void fleet_sip(struct fleet *f, struct sip_stack *sip,
               const struct sip_event *ev, struct gb_time now)
{
    struct member *m;

    switch (ev->kind) {
    case SIP_EV_REQUEST:
        route_request(f, sip, ev, now);
        break;
    case SIP_EV_RESPONSE:
    case SIP_EV_FAILED:
    case SIP_EV_UNSUBSCRIBED:
    case SIP_EV_ACKED:
    case SIP_EV_CANCELLED:
    case SIP_EV_ENDED:
        m = by_user(f, ev->user);
        if (!m)
            break;
        device_sip(m->device, ev, now);
        fleet_touch(f, index_of(f, m));
        break;
    case SIP_EV_NOTIFY: /* no device subscribes to anything */
    case SIP_EV_BAD:
    case SIP_EV_REFUSED:
        break;
    }
}

static struct member *next_member(const struct fleet *f)
{
    struct heap_node *n = heap_first(&f->deadlines);

    return n ? container_of(n, struct member, deadline) : NULL;
}

void fleet_tick(struct fleet *f, struct gb_time now)
{
    struct member *m;

    while (fleet_deadline(f) <= now.mono_ms) {
        m = next_member(f);
        device_tick(m->device, now);
        fleet_touch(f, index_of(f, m));
    }
    m = next_member(f);
    if (m)
        device_ahead(m->device);
}

uint64_t fleet_deadline(const struct fleet *f)
{
    return heap_first_at(&f->deadlines);
}

bool fleet_action(struct fleet *f, uint32_t *index, struct device_action *out)
{
    while (!list_is_empty(&f->touched)) {
        struct member *m = container_of(f->touched.next, struct member,
                                        touched);

        if (device_action(m->device, out)) {
            *index = index_of(f, m);
            return true;
        }
        list_remove(&m->touched);
        heap_set(&f->deadlines, &m->deadline, device_deadline(m->device));
    }
    return false;
}
