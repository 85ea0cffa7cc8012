#include "app/device/device_model.h"

#include "base/time.h"

void device_model_fini(struct device_model *m, const struct gb_alloc *alloc)
{
    while (m->first) {
        struct device_target *t = m->first;

        m->first = t->next;
        device_ptz_fini(&t->ptz, alloc);
        device_values_fini(&t->values, alloc);
        gb_put(alloc, t);
    }
    gb_put(alloc, m->gear);
    m->gear = NULL;
}

struct device_target *device_model_find(const struct device_model *m,
                                        size_t index)
{
    struct device_target *t = m->first;

    while (t && t->index != index)
        t = t->next;
    return t;
}

struct device_target *device_model_make(struct device_model *m,
                                        const struct gb_alloc *alloc,
                                        size_t index)
{
    struct device_target *t = device_model_find(m, index);

    if (t)
        return t;
    t = gb_get(alloc, sizeof(*t));
    if (!t)
        return NULL;
    t->index = index;
    t->next = m->first;
    m->first = t;
    return t;
}

struct device_gear *device_model_gear(struct device_model *m,
                                      const struct gb_alloc *alloc)
{
    if (!m->gear) {
        m->gear = gb_get(alloc, sizeof(*m->gear));
        if (m->gear)
            m->gear->upgrade.at_ms = m->gear->snapshot.at_ms = GB_NEVER;
    }
    return m->gear;
}

void device_target_record(struct device_target *t, bool on, int64_t utc_ms)
{
    if (on == t->recording)
        return;
    t->recording = on;
    if (!on) {
        t->record[t->n_records - 1].to_utc_ms = utc_ms;
        return;
    }
    if (t->n_records == DEVICE_MANUAL_RECORDS) {
        t->n_records--;
        memmove(t->record, t->record + 1, t->n_records * sizeof(*t->record));
    }
    t->record[t->n_records++] = (struct device_span){ utc_ms, 0 };
}

const char *device_card_status(const struct device_card *c, uint64_t now_ms,
                               uint32_t *percent)
{
    uint64_t ms = now_ms - c->format_ms;

    *percent = 100;
    if (!c->was_formatted || ms >= DEVICE_FORMAT_MS)
        return "ok";
    *percent = (uint32_t)(ms * 100 / DEVICE_FORMAT_MS);
    return "formatting";
}
