#include "app/platform/download_parts.h"

#include "app/platform/downloads.h"
#include "base/writer.h"

void parts_init(struct parts *x, uint64_t start_s, uint64_t stop_s)
{
    *x = (struct parts){ .start_s = start_s, .stop_s = stop_s };
}

void parts_fini(struct parts *x, const struct gb_alloc *alloc)
{
    gb_put(alloc, x->e);
    gb_put(alloc, x->hole);
    x->e = NULL;
    x->hole = NULL;
    x->n = x->cap = x->n_holes = 0;
}

/* Of a member for which there is room: the next power of two from 8 on. */
static bool grow(struct parts *x, const struct gb_alloc *alloc)
{
    size_t cap = x->cap ? 2 * x->cap : 8;
    struct part *more;

    if (x->n < x->cap)
        return true;
    more = gb_get(alloc, cap * sizeof(*more));
    if (!more)
        return false;
    if (x->n)
        /* NOLINTNEXTLINE(clang-analyzer-core.*): n have their array */
        memcpy(more, x->e, x->n * sizeof(*more));
    gb_put(alloc, x->e);
    x->e = more;
    x->cap = cap;
    return true;
}

int parts_add(struct parts *x, const struct gb_alloc *alloc, uint64_t from_s,
              uint64_t to_s)
{
    struct part *last = x->n ? &x->e[x->n - 1] : NULL;
    uint64_t end_s = last ? last->to_s : x->start_s;

    if (to_s > x->stop_s)
        to_s = x->stop_s;
    if (from_s < end_s)
        from_s = end_s;
    if (from_s >= to_s)
        return 0;
    if (x->n >= PLATFORM_DOWNLOAD_PARTS)
        return GB_ELIMIT;
    if (!grow(x, alloc))
        return GB_ENOMEM;
    last = x->n ? &x->e[x->n - 1] : NULL;
    if (last && from_s - end_s <= DOWNLOAD_JOIN_S && last->state == PART_OPEN)
        last->to_s = from_s;
    /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): there is room */
    x->e[x->n++] = (struct part){ .from_s = from_s, .to_s = to_s,
                                  .at_ms = (int64_t)from_s * 1000 };
    return 0;
}

struct part *parts_open(struct parts *x)
{
    while (x->at < x->n && x->e[x->at].state != PART_OPEN)
        x->at++;
    return x->at < x->n ? &x->e[x->at] : NULL;
}

void parts_close(struct parts *x, enum part_state state)
{
    struct part *e = parts_open(x);

    if (e)
        e->state = state;
}

void parts_hole(struct parts *x, const struct gb_alloc *alloc, int64_t from_ms,
                int64_t to_ms)
{
    if (!x->hole)
        x->hole = gb_get(alloc, PLATFORM_DOWNLOAD_GAPS * sizeof(*x->hole));
    if (!x->hole || x->n_holes == PLATFORM_DOWNLOAD_GAPS)
        return;
    x->hole[x->n_holes++] = (struct platform_download_gap){
        .from_utc_ms = from_ms, .to_utc_ms = to_ms,
        .why = PLATFORM_GAP_NOT_RECORDED,
    };
}

static int64_t end_ms(const struct part *e)
{
    return (int64_t)e->to_s * 1000;
}

/* The gap before the i-th part, n: behind the last one. false: there is none. */
static bool gap_before(const struct parts *x, size_t i,
                       struct platform_download_gap *out)
{
    uint64_t from_s = i ? x->e[i - 1].to_s : x->start_s;
    uint64_t to_s = i < x->n ? x->e[i].from_s : x->stop_s;

    *out = (struct platform_download_gap){
        .from_utc_ms = (int64_t)from_s * 1000,
        .to_utc_ms = (int64_t)to_s * 1000,
        .why = PLATFORM_GAP_NOT_RECORDED,
    };
    return x->n && from_s < to_s;
}

static bool gap_inside(const struct part *e, struct platform_download_gap *out)
{
    *out = (struct platform_download_gap){
        .from_utc_ms = e->at_ms,
        .to_utc_ms = end_ms(e),
        .why = e->state == PART_LOST ? PLATFORM_GAP_LOST
                                     : PLATFORM_GAP_NOT_SENT,
    };
    return (e->state == PART_LOST || e->state == PART_EMPTY) &&
           e->at_ms < end_ms(e);
}

bool parts_gap(const struct parts *x, size_t i,
               struct platform_download_gap *out)
{
    size_t hole = 0;

    for (size_t k = 0; k <= x->n; k++) {
        if (gap_before(x, k, out) && i-- == 0)
            return true;
        for (; k < x->n && hole < x->n_holes &&
               x->hole[hole].from_utc_ms < end_ms(&x->e[k]); hole++) {
            *out = x->hole[hole];
            if (i-- == 0)
                return true;
        }
        if (k < x->n && gap_inside(&x->e[k], out) && i-- == 0)
            return true;
    }
    return false;
}

size_t parts_done(const struct parts *x)
{
    size_t n = 0;

    for (size_t i = 0; i < x->n; i++)
        n += x->e[i].state != PART_OPEN;
    return n;
}

int64_t parts_length_ms(const struct parts *x)
{
    int64_t ms = 0;

    for (size_t i = 0; i < x->n; i++)
        ms += (int64_t)(x->e[i].to_s - x->e[i].from_s) * 1000;
    return ms;
}

int64_t parts_covered_ms(const struct parts *x)
{
    int64_t ms = 0;

    for (size_t i = 0; i < x->n; i++) {
        const struct part *e = &x->e[i];
        int64_t to = e->state == PART_DONE ? end_ms(e) : e->at_ms;

        ms += (to < end_ms(e) ? to : end_ms(e)) - (int64_t)e->from_s * 1000;
    }
    return ms;
}

bool parts_lost(const struct parts *x)
{
    for (size_t i = 0; i < x->n; i++)
        if (x->e[i].state == PART_LOST)
            return true;
    return false;
}

/* ---- for the store ---- */

void parts_write(struct writer *w, const struct parts *x)
{
    for (size_t i = 0; i < x->n; i++)
        writer_f(w, "%llu-%llu,%d,%lld;", (unsigned long long)x->e[i].from_s,
                 (unsigned long long)x->e[i].to_s, (int)x->e[i].state,
                 (long long)x->e[i].at_ms);
}

/* Up to the mark; false: it is not there, or before it is no number. */
static bool take(struct slice *text, char mark, uint64_t *v)
{
    size_t n = 0;

    while (n < text->n && text->p[n] != mark)
        n++;
    if (n == text->n || !slice_u64(slice_head(*text, n), INT64_MAX, v))
        return false;
    *text = slice_of(text->p + n + 1, text->n - n - 1);
    return true;
}

bool parts_read(struct parts *x, const struct gb_alloc *alloc,
                struct slice text)
{
    uint64_t from, to, state, at;

    while (take(&text, '-', &from) && take(&text, ',', &to) &&
           take(&text, ',', &state) && take(&text, ';', &at)) {
        size_t n = x->n;

        if (state > PART_EMPTY || at < from * 1000 || at > (to + 1) * 1000)
            return true;
        if (parts_add(x, alloc, from, to))
            return false;
        if (x->n == n || x->e[n].from_s != from)
            return true;
        x->e[n].state = (enum part_state)state;
        x->e[n].at_ms = (int64_t)at;
    }
    return true;
}
