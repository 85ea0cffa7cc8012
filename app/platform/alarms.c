#include "app/platform/alarms.h"

#define METHOD_VIDEO 5
#define TYPE_INTRUSION 6

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

struct alarm_name alarm_event_name(struct slice method, struct slice type,
                                   struct slice event)
{
    static const struct alarm_name names[] = {
        { "", "" },
        { "enters the area", "进入区域" },
        { "leaves the area", "离开区域" },
    };
    uint32_t t = 0, e = 0;

    if (method_of(method) != METHOD_VIDEO ||
        !slice_u32(slice_trim(type), 255, &t) || t != TYPE_INTRUSION ||
        !slice_u32(slice_trim(event), 2, &e))
        e = 0;
    return names[e];
}
