#include "app/platform/duty.h"

#include "app/platform/core.h"

#define KEY_MAX (2 * PLATFORM_ID_MAX)

struct duty {
    struct map_node by_key;
    struct list all;
    enum manscdp_duty duty;
    const char *from;
    int64_t utc_ms;
    uint8_t device_len;
    char key[KEY_MAX];
};

int duty_init(struct platform *p)
{
    list_init(&p->duties.all);
    return map_init(&p->duties.by_key, p->alloc, p->seed);
}

static struct slice device_of(const struct duty *u)
{
    return slice_of(u->key, u->device_len);
}

static struct slice target_of(const struct duty *u)
{
    return slice_from(map_key(&u->by_key), u->device_len + 1u);
}

static void drop(struct platform *p, struct duty *u)
{
    map_remove(&p->duties.by_key, &u->by_key);
    list_remove(&u->all);
    gb_put(p->alloc, u);
}

void duty_fini(struct platform *p)
{
    struct list *n, *tmp;

    if (!p->duties.by_key.alloc)
        return;
    LIST_EACH(n, tmp, &p->duties.all)
        drop(p, container_of(n, struct duty, all));
    map_fini(&p->duties.by_key);
}

void duty_forget(struct platform *p, struct slice device)
{
    struct list *n, *tmp;

    LIST_EACH(n, tmp, &p->duties.all) {
        struct duty *u = container_of(n, struct duty, all);

        if (slice_eq(device_of(u), device))
            drop(p, u);
    }
}

static struct duty *duty_of(struct platform *p, struct slice device,
                            struct slice target)
{
    char key[KEY_MAX];
    struct writer w = writer_of(key, sizeof(key));
    struct map_node *n;
    struct device *d;
    struct rare *r;
    struct duty *u;

    writer_slice_put(&w, device);
    writer_char(&w, '/');
    writer_slice_put(&w, target);
    if (w.err)
        return NULL;
    n = map_find(&p->duties.by_key, writer_slice(&w));
    if (n)
        return container_of(n, struct duty, by_key);
    d = device_find(p, device);
    r = d ? device_rare_own(p, d) : NULL;
    if (!r || r->n_duties >= PLATFORM_DEVICE_DUTIES_MAX ||
        p->duties.by_key.n >= PLATFORM_DUTIES_MAX ||
        !(u = gb_get(p->alloc, sizeof(*u))))
        return NULL;
    memcpy(u->key, key, w.len);
    u->device_len = (uint8_t)device.n;
    r->n_duties++;
    map_insert(&p->duties.by_key, &u->by_key, slice_of(u->key, w.len));
    list_push_back(&p->duties.all, &u->all);
    return u;
}

void duty_set(struct platform *p, struct slice device, struct slice target,
              enum manscdp_duty duty, const char *from)
{
    struct duty *u;

    if (duty == MANSCDP_DUTY_UNKNOWN || !target.n)
        return;
    u = duty_of(p, device, target);
    if (!u)
        return;
    u->duty = duty;
    u->from = from;
    u->utc_ms = p->now.utc_ms;
}

bool platform_duty_at(const struct platform *p, struct slice device, size_t i,
                      struct platform_duty *out)
{
    static const char *const words[] = { "", "ONDUTY", "OFFDUTY", "ALARM" };
    struct list *n = p->duties.all.next;

    for (; n != &p->duties.all; n = n->next) {
        const struct duty *u = container_of(n, struct duty, all);

        if (!slice_eq(device_of(u), device) || i--)
            continue;
        *out = (struct platform_duty){ target_of(u), words[u->duty], u->from,
                                       u->utc_ms };
        return true;
    }
    return false;
}
