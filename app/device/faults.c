#include "app/device/faults.h"

#include <stddef.h>
#include <string.h>

static const struct fault list[] = {
#define X(field, what, clause)                                                 \
    { #field, what, clause, offsetof(struct faults, device.field) },
    DEVICE_FAULT_MAP(X)
#undef X
#define X(field, what, clause)                                                 \
    { #field, what, clause, offsetof(struct faults, sender.field) },
    SENDER_FAULT_MAP(X)
#undef X
#define X(field, what, clause)                                                 \
    { #field, what, clause, offsetof(struct faults, link.field) },
    LINK_FAULT_MAP(X)
#undef X
#define X(field, what, clause)                                                 \
    { #field, what, clause, offsetof(struct faults, voice.field) },
    VOICE_FAULT_MAP(X)
#undef X
};

const struct fault *fault_at(size_t i)
{
    return i < sizeof(list) / sizeof(list[0]) ? &list[i] : NULL;
}

void fault_name(const struct fault *f, char *out, size_t cap)
{
    slice_copy(out, cap, slice_head(slice_str(f->field), cap - 1));
    for (; *out; out++)
        if (*out == '_')
            *out = '-';
}

bool fault_set(struct faults *f, struct slice name)
{
    const struct fault *one;

    for (size_t i = 0; (one = fault_at(i)) != NULL; i++) {
        char typed[40];

        fault_name(one, typed, sizeof(typed));
        if (!slice_eq(name, slice_str(typed)))
            continue;
        *(bool *)((char *)f + one->off) = true;
        return true;
    }
    return false;
}
