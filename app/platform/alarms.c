#include "app/platform/alarms.h"

static struct alarm_name find(uint32_t method, uint32_t type)
{
    static const struct {
        uint8_t method, type;
        struct alarm_name name;
    } names[] = {
#define X(method, type, en, zh) { method, type, { en, zh } },
        ALARM_NAME_MAP(X)
#undef X
    };

    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        if (names[i].method == method && names[i].type == type)
            return names[i].name;
    return (struct alarm_name){ "", "" };
}

/* Methods have one digit: what follows it is another one. */
static uint32_t method_of(struct slice s)
{
    s = slice_trim(s);
    return s.n && ascii_is_digit(s.p[0]) ? (uint32_t)(s.p[0] - '0') : 0;
}

struct alarm_name alarm_method_name(struct slice method)
{
    return find(method_of(method), 0);
}

struct alarm_name alarm_type_name(struct slice method, struct slice type)
{
    uint32_t t = 0;

    if (!slice_u32(slice_trim(type), 255, &t) || t == 0)
        return (struct alarm_name){ "", "" };
    return find(method_of(method), t);
}
