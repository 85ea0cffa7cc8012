#include "app/platform/history.h"

#include <string.h>

#define FIRST_ROOM 2

struct change {
    uint32_t utc_s;        /* good until 2106 */
    uint16_t ms_online;    /* ms of the second, and ONLINE */
    uint8_t cause;         /* index + 1; 0: other */
};
#define ONLINE 0x8000u
_Static_assert(sizeof(struct change) == 8, "eight bytes a change");

struct history {
    uint8_t n, cap, next; /* a ring: next is written next */
    struct change change[];
};

static uint8_t cause_index(struct history_causes *causes, const char *text)
{
    for (uint8_t i = 0; i < causes->n; i++)
        if (causes->text[i] == text || strcmp(causes->text[i], text) == 0)
            return (uint8_t)(i + 1);
    if (causes->n + 1 >= HISTORY_CAUSES)
        return 0;
    causes->text[causes->n++] = text;
    return causes->n;
}

static const char other[] = "other";

/* The same of a text that does not live on: it is copied when it is new. One
 * that holds a NUL or says what 0 says is none of its own. */
static uint8_t cause_copied(struct history_causes *causes,
                            const struct gb_alloc *alloc, struct slice text)
{
    char *copy;

    for (uint8_t i = 0; i < causes->n; i++)
        if (slice_eq(slice_str(causes->text[i]), text))
            return (uint8_t)(i + 1);
    if (causes->n + 1 >= HISTORY_CAUSES || text.n == 0 ||
        text.n > HISTORY_CAUSE_MAX || slice_find(text, '\0') < text.n ||
        slice_eq(text, slice_str(other)) ||
        !(copy = gb_get(alloc, text.n + 1)))
        return 0;
    slice_copy(copy, text.n + 1, text);
    causes->own[causes->n] = true;
    causes->text[causes->n++] = copy;
    return causes->n;
}

void history_causes_fini(struct history_causes *c, const struct gb_alloc *alloc)
{
    for (uint8_t i = 0; i < c->n; i++)
        if (c->own[i])
            gb_put(alloc, (void *)(uintptr_t)c->text[i]);
    c->n = 0;
}

static const char *cause_text(const struct history_causes *causes, uint8_t i)
{
    return i ? causes->text[i - 1] : other;
}

/* Where the i-th newest is. */
static unsigned index_of(const struct history *h, unsigned i)
{
    return (h->next + h->cap - 1u - i) % h->cap;
}

/* A longer block with the same changes; the old one stays without memory. */
static struct history *longer(struct history *h, const struct gb_alloc *alloc)
{
    unsigned cap = h ? h->cap * 2u : FIRST_ROOM;
    struct history *more;

    if (cap > HISTORY_MAX)
        cap = HISTORY_MAX;
    more = gb_get(alloc, sizeof(*more) + cap * sizeof(struct change));
    if (!more)
        return h;
    more->cap = (uint8_t)cap;
    for (unsigned i = 0; h && i < h->n; i++)
        more->change[i] = h->change[index_of(h, h->n - 1u - i)];
    more->n = more->next = h ? h->n : 0;
    gb_put(alloc, h);
    return more;
}

static void put(struct history **at, const struct gb_alloc *alloc,
                int64_t utc_ms, bool online, uint8_t cause)
{
    struct history *h = *at;

    if (!h || (h->n == h->cap && h->cap < HISTORY_MAX))
        h = *at = longer(h, alloc);
    if (!h)
        return;
    h->change[h->next] = (struct change){
        .utc_s = (uint32_t)(utc_ms / 1000),
        .ms_online = (uint16_t)((unsigned)(utc_ms % 1000) |
                                (online ? ONLINE : 0)),
        .cause = cause,
    };
    /* NOLINTNEXTLINE(clang-analyzer-core.*): cap is FIRST_ROOM at least */
    h->next = (uint8_t)((h->next + 1u) % h->cap);
    if (h->n < h->cap)
        h->n++;
}

void history_put(struct history **at, struct history_causes *causes,
                 const struct gb_alloc *alloc,
                 const struct history_change *change)
{
    put(at, alloc, change->utc_ms, change->online,
        cause_index(causes, change->cause));
}

bool history_at(const struct history *h, const struct history_causes *causes,
                size_t i, struct history_change *out)
{
    const struct change *c;

    if (!h || i >= h->n)
        return false;
    c = &h->change[index_of(h, (unsigned)i)];
    *out = (struct history_change){
        .utc_ms = (int64_t)c->utc_s * 1000 + (c->ms_online & ~ONLINE),
        .online = (c->ms_online & ONLINE) != 0,
        .cause = cause_text(causes, c->cause),
    };
    return true;
}

/* ---- across a restart ---- */

/* Where `cause` stands in the list; added when it is not there. */
static unsigned place_of(uint8_t list[static HISTORY_MAX], unsigned *n,
                         uint8_t cause)
{
    unsigned i = 0;

    while (i < *n && list[i] != cause)
        i++;
    if (i == *n)
        list[(*n)++] = cause;
    return i;
}

void history_write(struct writer *w, const struct history *h,
                   const struct history_causes *causes)
{
    uint8_t list[HISTORY_MAX];
    unsigned n = 0;

    for (unsigned i = h ? h->n : 0; i-- > 0;) {
        uint8_t cause = h->change[index_of(h, i)].cause;
        unsigned known = n;

        if (place_of(list, &n, cause) < known)
            continue;
        writer_str(w, known ? "|" : "");
        writer_str(w, cause_text(causes, cause));
    }
    if (n)
        writer_char(w, ';');
    for (unsigned i = h ? h->n : 0; i-- > 0;) {
        const struct change *c = &h->change[index_of(h, i)];

        writer_char(w, c->ms_online & ONLINE ? '+' : '-');
        writer_u64(w, (uint64_t)c->utc_s * 1000 + (c->ms_online & ~ONLINE));
        writer_char(w, ',');
        writer_u64(w, place_of(list, &n, c->cause));
        writer_char(w, ';');
    }
}

/* "+1700000000000,0" */
static bool read_change(struct slice s, unsigned n, bool *online,
                        uint64_t *utc_ms, uint32_t *cause)
{
    struct slice time;

    if (s.n < 2 || (s.p[0] != '+' && s.p[0] != '-'))
        return false;
    *online = s.p[0] == '+';
    s = slice_from(s, 1);
    return slice_cut(&s, ',', &time) &&
           slice_u64(time, (uint64_t)UINT32_MAX * 1000 + 999, utc_ms) &&
           slice_u32(s, UINT32_MAX, cause) && *cause < n;
}

void history_read(struct history **h, struct history_causes *causes,
                  const struct gb_alloc *alloc, struct slice line)
{
    uint8_t list[HISTORY_MAX];
    unsigned n = 0;
    struct slice names, one;

    slice_cut(&line, ';', &names);
    while (names.n && n < HISTORY_MAX) {
        slice_cut(&names, '|', &one);
        list[n++] = cause_copied(causes, alloc, one);
    }
    while (line.n) {
        uint64_t utc_ms;
        uint32_t cause;
        bool online;

        slice_cut(&line, ';', &one);
        if (read_change(one, n, &online, &utc_ms, &cause))
            put(h, alloc, (int64_t)utc_ms, online, list[cause]);
    }
}
