/* app/device/device_records.c - what a simulated camera has recorded: pieces of
 * half an hour up to now, and what RecordCmd had it record */
#include "app/device/device_impl.h"

#define PIECE_MS 1800000

/* The piece that the present lies in counts when it is over. */
static int64_t last_end(const struct device_list *l)
{
    return l->as_of_utc_ms - l->as_of_utc_ms % PIECE_MS;
}

static int64_t first_begin(const struct device *d,
                           const struct device_list *l)
{
    return last_end(l) - (int64_t)d->c.records * PIECE_MS;
}

/* Pieces from the one that holds the span's begin on, none of the future. */
static int64_t timed_begin(const struct device *d,
                           const struct device_list *l)
{
    int64_t from = l->asked.from_utc_ms - l->asked.from_utc_ms % PIECE_MS;

    return from > first_begin(d, l) ? from : first_begin(d, l);
}

static size_t count_timed(const struct device *d, const struct device_list *l)
{
    int64_t begin = timed_begin(d, l), end = l->asked.to_utc_ms;

    if (end > last_end(l))
        end = last_end(l);
    return l->timed && end > begin
               ? (size_t)((end - begin + PIECE_MS - 1) / PIECE_MS)
               : 0;
}

static int64_t end_of(const struct device_list *l,
                      const struct device_span *r)
{
    return r->to_utc_ms ? r->to_utc_ms : l->as_of_utc_ms;
}

/* The i-th ordered piece of the span; NULL: there are only fewer. */
static const struct device_span *manual_at(const struct device *d,
                                           const struct device_list *l,
                                           size_t i)
{
    const struct device_target *t = device_model_find(&d->model, l->target);

    for (size_t k = 0; t && l->manual && k < t->n_records; k++)
        if (t->record[k].from_utc_ms <= l->asked.to_utc_ms &&
            end_of(l, &t->record[k]) >= l->asked.from_utc_ms && i-- == 0)
            return &t->record[k];
    return NULL;
}

size_t device_records_count(const struct device *d,
                            const struct device_list *l)
{
    size_t n = 0;

    while (manual_at(d, l, n))
        n++;
    return count_timed(d, l) + n;
}

const char *device_records_at(const struct device *d,
                              const struct device_list *l, size_t i,
                              struct device_span *out)
{
    size_t n = count_timed(d, l);
    const struct device_span *r;

    if (i < n) {
        out->from_utc_ms = timed_begin(d, l) + (int64_t)i * PIECE_MS;
        out->to_utc_ms = out->from_utc_ms + PIECE_MS - 1000;
        return "time";
    }
    r = manual_at(d, l, i - n);
    *out = r ? *r : (struct device_span){ 0 };
    out->to_utc_ms = end_of(l, out);
    return "manual";
}
