#include "app/platform/channels.h"

#include "app/platform/core.h"

#include <assert.h>

/* Where an id is, or would be, in the device's ordered array. */
static size_t place(const struct device *d, struct slice id, bool *found)
{
    size_t lo = 0, hi = d->n_channels;

    *found = false;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        int c = slice_cmp(channel_text(d->channels[mid], CHANNEL_ID), id);

        if (c == 0) {
            *found = true;
            return mid;
        }
        if (c < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

struct slice channel_text(const struct channel *c, enum channel_text which)
{
    size_t off = 0;

    for (unsigned i = 0; i < which; i++)
        off += c->len[i];
    return slice_of(c->text + off, c->len[which]);
}

struct channel *channel_find(const struct device *d, struct slice id)
{
    bool found;
    size_t i = place(d, id, &found);

    return found ? d->channels[i] : NULL;
}

static struct slice *member(struct platform_channel *c, enum channel_text which)
{
    switch (which) {
#define X(ID, name)                                                            \
    case CHANNEL_##ID:                                                         \
        return &c->name;
        CHANNEL_TEXT_MAP(X)
#undef X
    case CHANNEL_TEXT_COUNT:
        break;
    }
    return &c->id;
}

/* The texts of `v` as they are kept: what does not fit is cut. The bytes. */
static size_t fit(struct platform_channel *v,
                  struct slice text[static CHANNEL_TEXT_COUNT])
{
    size_t n = 0;

    for (unsigned i = 0; i < CHANNEL_TEXT_COUNT; i++) {
        size_t room = PLATFORM_CHANNEL_TEXTS - n;

        if (room > PLATFORM_CHANNEL_TEXT)
            room = PLATFORM_CHANNEL_TEXT;
        text[i] = manscdp_text_cut(*member(v, i), room);
        n += text[i].n;
    }
    return n;
}

static struct channel *make(struct platform *p, struct platform_channel *v)
{
    struct slice text[CHANNEL_TEXT_COUNT];
    size_t n = fit(v, text);
    struct channel *c = gb_get(p->alloc, sizeof(*c) + n);

    if (!c)
        return NULL;
    n = 0;
    for (unsigned i = 0; i < CHANNEL_TEXT_COUNT; i++) {
        c->len[i] = (uint8_t)text[i].n;
        if (text[i].n)
            memcpy(c->text + n, text[i].p, text[i].n);
        n += text[i].n;
    }
    return c;
}

static bool same_texts(const struct channel *c, struct platform_channel *v)
{
    struct slice text[CHANNEL_TEXT_COUNT];

    fit(v, text);
    for (unsigned i = 0; i < CHANNEL_TEXT_COUNT; i++)
        if (!slice_eq(channel_text(c, i), text[i]))
            return false;
    return true;
}

static bool grow(struct platform *p, struct device *d)
{
    uint32_t cap = d->cap_channels ? d->cap_channels * 2 : 4;
    struct channel **more;

    if (d->n_channels < d->cap_channels)
        return true;
    more = gb_get(p->alloc, cap * sizeof(*more));
    if (!more)
        return false;
    if (d->n_channels)
        memcpy(more, d->channels, d->n_channels * sizeof(*more));
    gb_put(p->alloc, d->channels);
    d->channels = more;
    d->cap_channels = cap;
    return true;
}

static struct channel *insert(struct platform *p, struct device *d, size_t at,
                              struct platform_channel *v)
{
    struct channel *c;

    if (p->channels.n >= p->cfg.max_channels ||
        d->n_channels >= p->cfg.max_device_channels) {
        device_deviation(p, d, DEVIATION_CHANNEL_LIMIT, v->id);
        return NULL;
    }
    if (!grow(p, d))
        return NULL;
    c = make(p, v);
    if (!c)
        return NULL;
    c->device = d;
    list_init(&c->dirty);
    memmove(d->channels + at + 1, d->channels + at,
            (d->n_channels - at) * sizeof(*d->channels));
    d->channels[at] = c;
    d->n_channels++;
    map_insert(&p->channels, &c->node, channel_text(c, CHANNEL_ID));
    return c;
}

/* The texts live in the channel's own block, so new texts are a new block. */
static struct channel *replace(struct platform *p, struct device *d, size_t at,
                               struct platform_channel *v)
{
    struct channel *old = d->channels[at], *c = make(p, v);

    if (!c)
        return NULL;
    c->device = d;
    c->session = old->session;
    c->delivered_utc_ms = old->delivered_utc_ms;
    c->seen_run = old->seen_run;
    c->detail = old->detail;
    c->detail_len = old->detail_len;
    c->detail_hash = old->detail_hash;
    c->failed_utc_ms = old->failed_utc_ms;
    c->failed_step = old->failed_step;
    c->observed = old->observed;
    c->fault = old->fault;
    list_init(&c->dirty);
    if (!list_is_empty(&old->dirty)) {
        list_insert_before(&old->dirty, &c->dirty);
        list_remove(&old->dirty);
    }
    map_remove(&p->channels, &old->node);
    map_insert(&p->channels, &c->node, channel_text(c, CHANNEL_ID));
    d->channels[at] = c;
    gb_put(p->alloc, old);
    return c;
}

/* Degrees in 10^-7: exact to a centimetre, in half the memory. */
static int32_t e7(double degrees)
{
    if (!(degrees >= -180 && degrees <= 180))
        return 0;
    return (int32_t)(degrees * 1e7 + (degrees < 0 ? -0.5 : 0.5));
}

static bool same_state(const struct channel *c,
                       const struct platform_channel *v)
{
    return c->on == v->on && c->has_position == v->has_position &&
           c->longitude_e7 == e7(v->longitude) &&
           c->latitude_e7 == e7(v->latitude);
}

struct channel *channel_upsert(struct platform *p, struct device *d,
                               const struct platform_channel *in, bool whole)
{
    struct platform_channel v = *in;
    bool found;
    size_t at = place(d, in->id, &found);
    struct channel *c = found ? d->channels[at] : NULL;

    if (c && !whole) {
        for (unsigned i = 0; i < CHANNEL_TEXT_COUNT; i++)
            if (member(&v, i)->n == 0)
                *member(&v, i) = channel_text(c, i);
        if (!v.has_position) {
            v.has_position = c->has_position;
            v.longitude = c->longitude_e7 / 1e7;
            v.latitude = c->latitude_e7 / 1e7;
        }
    }
    if (c && same_texts(c, &v) && same_state(c, &v))
        return c;
    if (!c)
        c = insert(p, d, at, &v);
    else if (!same_texts(c, &v))
        c = replace(p, d, at, &v);
    if (!c)
        return NULL;
    c->on = v.on;
    c->has_position = v.has_position;
    c->longitude_e7 = e7(v.longitude);
    c->latitude_e7 = e7(v.latitude);
    if (in->delivered_utc_ms) { /* of the store */
        c->delivered_utc_ms = in->delivered_utc_ms;
        c->observed = PLATFORM_OBSERVED_DELIVERED;
    }
    d->asked.news |= whole;
    channel_changed(p, c);
    return c;
}

void channel_free(struct platform *p, struct channel *c)
{
    gb_put(p->alloc, c->detail);
    gb_put(p->alloc, c);
}

void channel_detail(struct platform *p, struct channel *c, struct slice text)
{
    uint64_t hash = map_hash(p->seed, text) | 1;
    struct slice copy;

    if (hash == c->detail_hash)
        return;
    copy = platform_copy(p, text);
    if (text.n && !copy.p)
        return;
    gb_put(p->alloc, c->detail);
    c->detail = (char *)(uintptr_t)copy.p;
    c->detail_len = (uint32_t)copy.n;
    if (text.n || c->detail_hash) /* nothing after nothing is no news */
        channel_changed(p, c);
    c->detail_hash = hash;
}

/* It is in the device's list no more; the owner is to be told. */
static void let_go(struct platform *p, struct channel *c)
{
    map_remove(&p->channels, &c->node);
    channel_sets_forget(p, c);
    c->removed = true;
    c->device->asked.news = true;
    channel_changed(p, c);
}

void channel_drop(struct platform *p, struct channel *c)
{
    struct device *d = c->device;
    bool found;
    size_t at = place(d, channel_text(c, CHANNEL_ID), &found);

    assert(found && d->channels[at] == c);
    d->n_channels--;
    memmove(d->channels + at, d->channels + at + 1,
            (d->n_channels - at) * sizeof(*d->channels));
    let_go(p, c);
}

void channels_sweep(struct platform *p, struct device *d, uint32_t run)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < d->n_channels; i++) {
        struct channel *c = d->channels[i];

        if (c->seen_run == run)
            d->channels[kept++] = c;
        else
            let_go(p, c);
    }
    d->n_channels = kept;
}

const char *platform_observed_name(enum platform_observed o)
{
    static const char *const names[] = {
#define X(id, name) name,
        PLATFORM_OBSERVED_MAP(X)
#undef X
    };

    return names[o];
}

void channel_observe(struct platform *p, struct channel *c,
                     enum platform_observed o, enum platform_step step)
{
    c->observed = (uint8_t)o;
    if (o == PLATFORM_OBSERVED_DELIVERING)
        c->delivered_utc_ms = p->now.utc_ms;
    if (o == PLATFORM_OBSERVED_FAILED) {
        c->failed_utc_ms = p->now.utc_ms;
        c->failed_step = (uint8_t)step;
    }
    channel_changed(p, c);
}

void channel_view(const struct channel *c, struct platform_channel *out)
{
    *out = (struct platform_channel){
        .device = device_id(c->device),
        .on = c->on,
        .observed = c->fault ? PLATFORM_OBSERVED_FAULTY
                             : (enum platform_observed)c->observed,
        .failed_utc_ms = c->failed_utc_ms,
        .failed_step = c->failed_utc_ms ? platform_step_name(c->failed_step)
                                        : NULL,
        .longitude = c->longitude_e7 / 1e7,
        .latitude = c->latitude_e7 / 1e7,
        .has_position = c->has_position,
        .delivered_utc_ms = c->delivered_utc_ms,
        .session = c->session,
    };
    for (unsigned i = 0; i < CHANNEL_TEXT_COUNT; i++)
        *member(out, i) = channel_text(c, i);
}

/* ---- views ---- */

bool platform_channel_view(const struct platform *p, struct slice device,
                           struct slice channel, struct platform_channel *out)
{
    const struct device *d = device_find(p, device);
    const struct channel *c = d ? channel_find(d, channel) : NULL;

    if (!c)
        return false;
    channel_view(c, out);
    return true;
}

bool platform_channel_next(const struct platform *p, struct slice device,
                           struct slice after, struct platform_channel *out)
{
    const struct device *d = device_find(p, device);
    bool found;
    size_t at;

    if (!d)
        return false;
    at = after.n ? place(d, after, &found) : 0;
    if (after.n && found)
        at++;
    if (at >= d->n_channels)
        return false;
    channel_view(d->channels[at], out);
    return true;
}

size_t platform_channel_count(const struct platform *p)
{
    return p->channels.n;
}

bool platform_channel_owner(const struct platform *p, struct slice channel,
                            struct slice *device)
{
    struct map_node *n = map_find(&p->channels, channel);

    if (!n || map_find_next(n))
        return false;
    *device = device_id(container_of(n, struct channel, node)->device);
    return true;
}

int platform_restore_channel(struct platform *p,
                             const struct platform_channel *c)
{
    struct device *d = device_find(p, c->device);
    struct channel *mine;

    if (!d)
        return GB_ENOENT;
    if (!manscdp_devid_is_usable(c->id))
        return GB_ESYNTAX;
    mine = channel_upsert(p, d, c, true);
    if (!mine)
        return p->channels.n >= p->cfg.max_channels ||
                       d->n_channels >= p->cfg.max_device_channels
                   ? GB_ELIMIT
                   : GB_ENOMEM;
    list_remove(&mine->dirty); /* the store knows it already */
    return 0;
}
