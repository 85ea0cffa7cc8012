#include "manscdp/devid.h"

static bool all_digits(struct slice s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!ascii_is_digit(s.p[i]))
            return false;
    return true;
}

static uint32_t number(struct slice digits, size_t off, size_t n)
{
    uint32_t v = 0;

    for (size_t i = off; i < off + n; i++)
        v = v * 10 + (uint32_t)(digits.p[i] - '0');
    return v;
}

int manscdp_devid_parse(struct manscdp_devid *out, struct slice text)
{
    if (text.n != MANSCDP_DEVID_LEN || !all_digits(text))
        return GB_ESYNTAX;
    *out = (struct manscdp_devid){
        .text = text,
        .centre = slice_head(text, 8),
        .domain = slice_head(text, 10),
        .industry = (uint8_t)number(text, 8, 2),
        .type = (uint16_t)number(text, 10, 3),
        .network = (uint8_t)number(text, 13, 1),
        .serial = number(text, 14, 6),
    };
    return 0;
}

bool manscdp_devid_is_usable(struct slice id)
{
    if (!id.n || id.n > MANSCDP_DEVID_MAX)
        return false;
    for (size_t i = 0; i < id.n; i++)
        if (id.p[i] <= ' ' || id.p[i] > '~')
            return false;
    return true;
}

unsigned manscdp_devid_type(struct slice id)
{
    struct manscdp_devid d;

    return manscdp_devid_parse(&d, id) ? 0 : d.type;
}

enum manscdp_kind manscdp_devid_kind(struct slice id)
{
    unsigned type = manscdp_devid_type(id);

    if (type >= 111 && type <= 130)
        return MANSCDP_KIND_DEVICE;
    switch (type) {
    case 0:
        return id.n >= 2 && id.n <= 8 && id.n % 2 == 0 && all_digits(id)
                   ? MANSCDP_KIND_REGION
                   : MANSCDP_KIND_UNKNOWN;
    case MANSCDP_TYPE_CAMERA:
    case MANSCDP_TYPE_IPC:
        return MANSCDP_KIND_CHANNEL;
    case MANSCDP_TYPE_ALARM_IN:
    case MANSCDP_TYPE_ALARM_OUT:
        return MANSCDP_KIND_ALARM;
    case MANSCDP_TYPE_AUDIO_IN:
    case MANSCDP_TYPE_AUDIO_OUT:
        return MANSCDP_KIND_AUDIO;
    case MANSCDP_TYPE_SYSTEM:
        return MANSCDP_KIND_SYSTEM;
    case MANSCDP_TYPE_GROUP:
        return MANSCDP_KIND_GROUP;
    case MANSCDP_TYPE_ORG:
        return MANSCDP_KIND_ORG;
    }
    return MANSCDP_KIND_UNKNOWN;
}

const char *manscdp_kind_name(enum manscdp_kind kind)
{
    static const char *const names[] = {
        [MANSCDP_KIND_UNKNOWN] = "unknown",
        [MANSCDP_KIND_REGION] = "region",
        [MANSCDP_KIND_SYSTEM] = "system",
        [MANSCDP_KIND_GROUP] = "group",
        [MANSCDP_KIND_ORG] = "organisation",
        [MANSCDP_KIND_DEVICE] = "device",
        [MANSCDP_KIND_CHANNEL] = "channel",
        [MANSCDP_KIND_ALARM] = "alarm",
        [MANSCDP_KIND_AUDIO] = "audio",
    };

    return names[kind];
}

const char *manscdp_type_name(unsigned type)
{
    /* the last range that begins at or below type */
    static const struct {
        unsigned from;
        const char *name;
    } names[] = {
        { 0, "unknown" },
        { 111, "DVR" },
        { 112, "video server" },
        { 113, "encoder" },
        { 114, "decoder" },
        { 115, "video matrix" },
        { 116, "audio matrix" },
        { 117, "alarm controller" },
        { 118, "NVR" },
        { 119, "front-end device" },
        { 120, "online image collection system" },
        { 121, "video checkpoint" },
        { 122, "multi-lens device" },
        { 123, "parking entrance controller" },
        { 124, "personnel entrance controller" },
        { 125, "security-check equipment" },
        { 126, "front-end device" },
        { 130, "HVR" },
        { 131, "camera" },
        { 132, "IP camera" },
        { 133, "display" },
        { 134, "alarm input" },
        { 135, "alarm output" },
        { 136, "voice input" },
        { 137, "voice output" },
        { 138, "mobile transmission device" },
        { 139, "peripheral" },
        { 140, "alarm relay" },
        { 141, "barrier gate" },
        { 142, "smart door" },
        { 143, "credential reader" },
        { 144, "peripheral" },
        { 200, "platform" },
        { 201, "web server" },
        { 202, "media distribution server" },
        { 203, "proxy server" },
        { 204, "security server" },
        { 205, "alarm server" },
        { 206, "database server" },
        { 207, "GIS server" },
        { 208, "management server" },
        { 209, "access gateway" },
        { 210, "media storage server" },
        { 211, "signalling security gateway" },
        { 212, "platform equipment" },
        { 215, "business group" },
        { 216, "virtual organisation" },
        { 217, "platform equipment" },
        { 300, "user of the centre" },
        { 400, "terminal user" },
        { 500, "external server" },
        { 600, "extension" },
        { 1000, "unknown" },
    };
    size_t i = 0;

    while (i + 1 < sizeof(names) / sizeof(names[0]) &&
           names[i + 1].from <= type)
        i++;
    return names[i].name;
}

struct slice manscdp_civil_code(struct slice text)
{
    struct slice s = slice_trim(text);
    size_t n = 0;

    while (n < s.n && n < MANSCDP_CIVIL_CODE_MAX && ascii_is_digit(s.p[n]))
        n++;
    n -= n % 2;
    while (n >= 2 && s.p[n - 1] == '0' && s.p[n - 2] == '0')
        n -= 2;
    return slice_head(s, n);
}

struct slice manscdp_civil_parent(struct slice code)
{
    return slice_head(code, code.n > 2 ? code.n - 2 : 0);
}
