#include "app/net/logring.h"

#include "base/err.h"

#include <stdlib.h>
#include <string.h>
#include <uv.h>

/* Lines lie one behind the other in `bytes`; one that does not fit at the end
 * begins at the front. first <= n < next are there. */
struct logring {
    uv_mutex_t lock;
    uint64_t first;
    _Atomic uint64_t next; /* written under the lock */
    size_t at; /* where the next one goes */
    struct kept {
        int64_t utc_ms;
        uint32_t off;
        uint16_t len;
        uint8_t level;
    } line[LOGRING_LINES_MAX];
    char bytes[LOGRING_BYTES];
};

_Static_assert(LOG_LINE_MAX <= UINT16_MAX, "struct kept");

int logring_new(struct logring **out)
{
    struct logring *r = calloc(1, sizeof(*r));

    if (!r || uv_mutex_init(&r->lock)) {
        free(r);
        return GB_ENOMEM;
    }
    r->first = r->next = 1;
    *out = r;
    return 0;
}

void logring_free(struct logring *r)
{
    if (!r)
        return;
    uv_mutex_destroy(&r->lock);
    free(r);
}

static struct kept *kept_at(struct logring *r, uint64_t seq)
{
    return &r->line[seq % LOGRING_LINES_MAX];
}

/* The oldest is in the way of [off, off + n). */
static bool is_in_way(struct logring *r, size_t off, size_t n)
{
    const struct kept *k = kept_at(r, r->first);

    return k->off < off + n && off < (size_t)k->off + k->len;
}

/* Oldest lines go until there is room; from where the newest ended, the next
 * one in the way is always the oldest. */
static size_t make_room(struct logring *r, size_t n)
{
    size_t off = r->at;

    if (off + n > LOGRING_BYTES) {
        while (r->first < r->next && kept_at(r, r->first)->off >= off)
            r->first++;
        off = 0;
    }
    while (r->first < r->next && is_in_way(r, off, n))
        r->first++;
    if (r->next - r->first == LOGRING_LINES_MAX)
        r->first++;
    return off;
}

void logring_put(struct logring *r, enum log_level level, int64_t utc_ms,
                 struct slice text)
{
    size_t off;

    text = slice_head(text, LOG_LINE_MAX);
    if (text.n == 0)
        return;
    uv_mutex_lock(&r->lock);
    off = make_room(r, text.n);
    memcpy(r->bytes + off, text.p, text.n);
    *kept_at(r, r->next++) = (struct kept){ utc_ms, (uint32_t)off,
                                            (uint16_t)text.n, (uint8_t)level };
    r->at = off + text.n;
    uv_mutex_unlock(&r->lock);
}

uint64_t logring_last(struct logring *r)
{
    return r->next - 1;
}

static bool has_text(struct slice s, struct slice needle)
{
    for (size_t i = 0; i + needle.n <= s.n; i++)
        if (slice_ieq_bytes(s.p + i, needle.p, needle.n))
            return true;
    return false;
}

static bool fits(struct logring *r, const struct logring_filter *f,
                 uint64_t seq)
{
    const struct kept *k = kept_at(r, seq);

    return k->level <= (unsigned)f->least &&
           has_text(slice_of(r->bytes + k->off, k->len), slice_str(f->q));
}

bool logring_next(struct logring *r, const struct logring_filter *f,
                  uint64_t after, struct logring_line *out)
{
    uint64_t seq;
    bool found;

    uv_mutex_lock(&r->lock);
    seq = after + 1 > r->first ? after + 1 : r->first;
    while (seq < r->next && !fits(r, f, seq))
        seq++;
    found = seq < r->next;
    if (found) {
        const struct kept *k = kept_at(r, seq);

        out->seq = seq;
        out->utc_ms = k->utc_ms;
        out->level = (enum log_level)k->level;
        out->len = k->len;
        memcpy(out->text, r->bytes + k->off, k->len);
    }
    uv_mutex_unlock(&r->lock);
    return found;
}

uint64_t logring_newest(struct logring *r, const struct logring_filter *f,
                        size_t n, size_t *total)
{
    uint64_t after;

    *total = 0;
    uv_mutex_lock(&r->lock);
    after = r->next - 1;
    for (uint64_t seq = r->next; seq-- > r->first;) {
        if (!fits(r, f, seq))
            continue;
        if (++*total <= n)
            after = seq - 1;
    }
    uv_mutex_unlock(&r->lock);
    return after;
}
