#include "app/platform/archive.h"

#include "base/age.h"
#include "base/list.h"
#include "base/map.h"
#include "base/timerq.h"

#include <string.h>

#define FIRST_CAP 16
#define DAY_MS 86400000

struct archive_channel {
    struct map_node node;
    struct timerq_node oldest; /* when the first closed segment ends */
    struct list over;          /* in archive.over: above its limit */
    struct archive_segment *e; /* cap of them; first to first + n are used */
    size_t first, n, cap;
    uint32_t longest_ms;       /* of any that was ever here */
    uint64_t bytes;
    uint8_t device_len, name_len;
    char name[ARCHIVE_NAME_MAX + 2]; /* "device/channel" */
};

struct archive {
    const struct gb_alloc *alloc;
    struct archive_limits limits;
    struct map channels;
    struct timerq by_age;
    struct age age;
    struct list over;
    size_t n;
    uint64_t bytes;
};

static struct archive_channel *channel_of(struct map_node *n)
{
    return container_of(n, struct archive_channel, node);
}

int archive_new(struct archive **out, const struct gb_alloc *alloc,
                const struct archive_limits *limits)
{
    struct archive *a = gb_get(alloc, sizeof(*a));

    if (!a)
        return GB_ENOMEM;
    a->alloc = alloc;
    a->limits = *limits;
    list_init(&a->over);
    if (map_init(&a->channels, alloc, NULL)) {
        gb_put(alloc, a);
        return GB_ENOMEM;
    }
    *out = a;
    return 0;
}

static void drop_channel(struct archive *a, struct archive_channel *c)
{
    timerq_stop(&a->by_age, &c->oldest);
    list_remove(&c->over);
    map_remove(&a->channels, &c->node);
    gb_put(a->alloc, c->e);
    gb_put(a->alloc, c);
}

void archive_free(struct archive *a)
{
    struct map_walk w = { 0 };
    struct map_node *n;

    if (!a)
        return;
    while ((n = map_walk_next(&a->channels, &w)))
        drop_channel(a, channel_of(n));
    map_fini(&a->channels);
    gb_put(a->alloc, a);
}

/* One component; what is no digit, letter, '-' or '_' becomes %XX. */
static void put_name(struct writer *w, struct slice s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];

        if (ascii_is_digit(c) || c == '-' || c == '_' ||
            (ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z'))
            writer_char(w, c);
        else
            writer_f(w, "%%%02X", (unsigned char)c);
    }
}

/* The civil date of a day since 1970, by the Gregorian calendar. */
static void put_date(struct writer *w, int64_t day)
{
    int64_t z = day + 719468, era = z / 146097, of_era = z % 146097;
    int64_t year = (of_era - of_era / 1460 + of_era / 36524 -
                    of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
    int64_t m = (5 * of_year + 2) / 153;

    year += era * 400 + (m >= 10);
    writer_f(w, "%04d%02d%02d", (int)year, (int)(m < 10 ? m + 3 : m - 9),
             (int)(of_year - (153 * m + 2) / 5 + 1));
}

void archive_path(struct writer *w, struct slice device, struct slice channel,
                  int64_t begin_utc_ms)
{
    put_name(w, device);
    writer_char(w, '/');
    put_name(w, channel);
    writer_char(w, '/');
    put_date(w, begin_utc_ms / DAY_MS);
    writer_f(w, "/%lld.mp4", (long long)begin_utc_ms);
}

/* ---- channels ------------------------------------------------------------------- */

/* "device/channel" in buf; empty: too long. */
static struct slice name_of(char buf[static ARCHIVE_NAME_MAX + 2],
                            struct slice device, struct slice channel)
{
    if (device.n + channel.n > ARCHIVE_NAME_MAX)
        return slice_of(buf, 0);
    slice_copy(buf, device.n + 1, device);
    buf[device.n] = '/';
    slice_copy(buf + device.n + 1, channel.n + 1, channel);
    return slice_of(buf, device.n + 1 + channel.n);
}

static struct archive_channel *find_channel(const struct archive *a,
                                            struct slice device,
                                            struct slice channel)
{
    char buf[ARCHIVE_NAME_MAX + 2];
    struct slice name = name_of(buf, device, channel);
    struct map_node *n = name.n ? map_find(&a->channels, name) : NULL;

    return n ? channel_of(n) : NULL;
}

static struct archive_channel *add_channel(struct archive *a,
                                           struct slice device,
                                           struct slice channel)
{
    struct archive_channel *c = gb_get(a->alloc, sizeof(*c));

    if (!c)
        return NULL;
    c->name_len = (uint8_t)name_of(c->name, device, channel).n;
    c->device_len = (uint8_t)device.n;
    timerq_node_init(&c->oldest, 0);
    list_init(&c->over);
    map_insert(&a->channels, &c->node, slice_of(c->name, c->name_len));
    return c;
}

/* ---- segments ------------------------------------------------------------------- */

/* The first one that does not begin before that, from c->first. */
static size_t lower_bound(const struct archive_channel *c, int64_t begin_utc_ms)
{
    size_t lo = 0, hi = c->n;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;

        if (c->e[c->first + mid].begin_utc_ms < begin_utc_ms)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

static struct archive_segment *find(const struct archive_channel *c,
                                    int64_t begin_utc_ms)
{
    size_t i = c ? lower_bound(c, begin_utc_ms) : 0;

    return c && i < c->n && c->e[c->first + i].begin_utc_ms == begin_utc_ms
               ? &c->e[c->first + i]
               : NULL;
}

static int64_t end_of(const struct archive_segment *s)
{
    return s->begin_utc_ms + s->length_ms;
}

/* The first that is not open; c->n: none. Open are at most the newest one, and
 * those that wait for repair after a start. */
static size_t first_closed(const struct archive_channel *c)
{
    size_t i = 0;

    while (i < c->n && (c->e[c->first + i].flags & ARCHIVE_OPEN))
        i++;
    return i;
}

/* After each change. */
static void arrange(struct archive *a, struct archive_channel *c)
{
    size_t i = first_closed(c);

    if (i < c->n)
        timerq_set(&a->by_age, &c->oldest,
                   (uint64_t)end_of(&c->e[c->first + i]));
    else
        timerq_stop(&a->by_age, &c->oldest);
    list_remove(&c->over);
    if (i < c->n && a->limits.channel_bytes &&
        c->bytes > a->limits.channel_bytes)
        list_push_back(&a->over, &c->over);
}

void archive_limit(struct archive *a, const struct archive_limits *limits)
{
    struct map_walk w = { 0 };
    struct map_node *n;

    a->limits = *limits;
    while ((n = map_walk_next(&a->channels, &w)))
        arrange(a, channel_of(n));
}

/* Room for one more behind the last. */
static bool make_room(struct archive *a, struct archive_channel *c)
{
    size_t cap = c->cap ? 2 * c->cap : FIRST_CAP;
    struct archive_segment *e;

    if (c->first + c->n < c->cap)
        return true;
    if (c->first > c->cap / 2) {
        memmove(c->e, c->e + c->first, c->n * sizeof(*c->e));
        c->first = 0;
        return true;
    }
    e = gb_get(a->alloc, cap * sizeof(*e));
    if (!e)
        return false;
    if (c->n)
        memcpy(e, c->e + c->first, c->n * sizeof(*e));
    gb_put(a->alloc, c->e);
    c->e = e;
    c->first = 0;
    c->cap = cap;
    return true;
}

static bool insert(struct archive *a, struct archive_channel *c,
                   const struct archive_segment *s)
{
    struct archive_segment *at;
    size_t i;

    if (!make_room(a, c))
        return false;
    i = lower_bound(c, s->begin_utc_ms);
    at = c->e + c->first + i;
    memmove(at + 1, at, (c->n - i) * sizeof(*at));
    *at = (struct archive_segment){ .begin_utc_ms = s->begin_utc_ms };
    c->n++;
    a->n++;
    return true;
}

int archive_put(struct archive *a, struct slice device, struct slice channel,
                const struct archive_segment *s)
{
    struct archive_channel *c = find_channel(a, device, channel);
    struct archive_segment *old = find(c, s->begin_utc_ms);

    if (device.n + channel.n > ARCHIVE_NAME_MAX || !device.n || !channel.n)
        return GB_ELIMIT;
    if (s->begin_utc_ms < 0)
        return GB_ERANGE;
    if (!c)
        c = add_channel(a, device, channel);
    if (!c)
        return GB_ENOMEM;
    if (!old && !insert(a, c, s)) {
        if (c->n == 0)
            drop_channel(a, c);
        return GB_ENOMEM;
    }
    old = find(c, s->begin_utc_ms);
    c->bytes += s->bytes - old->bytes;
    a->bytes += s->bytes - old->bytes;
    *old = *s;
    if (s->length_ms > c->longest_ms)
        c->longest_ms = s->length_ms;
    if (!(s->flags & ARCHIVE_OPEN))
        age_known(&a->age, end_of(s));
    arrange(a, c);
    return 0;
}

static void take(struct archive *a, struct archive_channel *c, size_t i)
{
    struct archive_segment *at = c->e + c->first + i;

    c->bytes -= at->bytes;
    a->bytes -= at->bytes;
    a->n--;
    c->n--;
    if (i == 0)
        c->first++;
    else
        memmove(at, at + 1, (c->n - i) * sizeof(*at));
    if (c->n == 0)
        drop_channel(a, c);
    else
        arrange(a, c);
}

bool archive_remove(struct archive *a, struct slice device,
                    struct slice channel, int64_t begin_utc_ms)
{
    struct archive_channel *c = find_channel(a, device, channel);
    struct archive_segment *s = find(c, begin_utc_ms);

    if (!s)
        return false;
    take(a, c, (size_t)(s - (c->e + c->first)));
    return true;
}

bool archive_find(const struct archive *a, struct slice device,
                  struct slice channel, int64_t begin_utc_ms,
                  struct archive_segment *out)
{
    const struct archive_segment *s = find(find_channel(a, device, channel),
                                           begin_utc_ms);

    if (s)
        *out = *s;
    return s != NULL;
}

void archive_walk(const struct archive *a, struct slice device,
                  struct slice channel, int64_t from_utc_ms,
                  int64_t to_utc_ms, struct archive_walk *w)
{
    *w = (struct archive_walk){ .channel = find_channel(a, device, channel),
                                .from_utc_ms = from_utc_ms,
                                .to_utc_ms = to_utc_ms };
    if (w->channel)
        w->at = lower_bound(w->channel, from_utc_ms - w->channel->longest_ms);
}

bool archive_next(struct archive_walk *w, struct archive_segment *out)
{
    const struct archive_channel *c = w->channel;

    while (c && w->at < c->n) {
        const struct archive_segment *s = &c->e[c->first + w->at++];

        if (s->begin_utc_ms >= w->to_utc_ms)
            break;
        if (end_of(s) <= w->from_utc_ms && s->begin_utc_ms < w->from_utc_ms)
            continue;
        *out = *s;
        return true;
    }
    return false;
}

void archive_sums(const struct archive *a, struct archive_sums *out)
{
    *out = (struct archive_sums){ a->channels.n, a->n, a->bytes };
}

void archive_sums_of(const struct archive *a, struct slice device,
                     struct slice channel, struct archive_sums *out)
{
    const struct archive_channel *c = find_channel(a, device, channel);

    *out = (struct archive_sums){ 0 };
    if (c)
        *out = (struct archive_sums){ 1, c->n, c->bytes };
}

/* ---- what has to go ------------------------------------------------------------- */

/* The channel that has to give its first closed segment; NULL: none. */
static struct archive_channel *next_old(struct archive *a, struct gb_time now,
                                        bool need)
{
    int64_t age_ms = (int64_t)a->limits.days * DAY_MS;
    int64_t utc_ms = age_utc_ms(&a->age, now);
    struct timerq_node *t = NULL;

    if (!list_is_empty(&a->over))
        return container_of(a->over.next, struct archive_channel, over);
    if (need || (a->limits.bytes && a->bytes > a->limits.bytes))
        t = timerq_pop(&a->by_age, TIMERQ_NEVER - 1);
    else if (age_ms && utc_ms > age_ms)
        t = timerq_pop(&a->by_age, (uint64_t)(utc_ms - age_ms));
    return t ? container_of(t, struct archive_channel, oldest) : NULL;
}

bool archive_take_old(struct archive *a, struct gb_time now, bool need,
                      struct archive_old *out)
{
    struct archive_channel *c = next_old(a, now, need);
    size_t i;

    if (!c)
        return false;
    i = first_closed(c);
    slice_copy(out->device, sizeof(out->device),
               slice_of(c->name, c->device_len));
    slice_copy(out->channel, sizeof(out->channel),
               slice_from(slice_of(c->name, c->name_len),
                          c->device_len + 1u));
    out->segment = c->e[c->first + i];
    take(a, c, i);
    return true;
}
