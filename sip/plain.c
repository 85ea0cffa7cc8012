#include "sip/plain.h"

/* ":5060" at *at, one to five digits; *at moves behind it. True without a
 * colon. */
static inline bool port(const struct sip_plain *t, size_t *at, uint16_t *out)
{
    size_t i = *at, stop;
    unsigned v = 0;

    if (t->p[i] != ':')
        return true;
    stop = scan_stop(t->map, ++i);
    if (stop - i > 5)
        return false;
    for (; i < stop; i++) {
        unsigned d = (unsigned char)t->p[i] - (unsigned)'0';

        if (d > 9)
            return false;
        v = v * 10 + d;
    }
    *out = (uint16_t)v;
    *at = stop;
    return v - 1 < 65535;
}

/* "sip:user@host:port" at at; where it ends, 0: something else. What stands
 * behind it is at a stop. */
static inline size_t uri(struct sip_uri *out, const struct sip_plain *t,
                         size_t at, size_t end)
{
    const char *p = t->p;
    size_t user = at + 4, host, stop;
    uint16_t number = 0;

    if (end < at + 7 || memcmp(p + at, "sip:", 4) != 0)
        return 0;
    host = scan_stop(t->map, user) + 1;
    if (host >= end || p[host - 1] != '@' || host - 1 == user)
        return 0;
    at = stop = scan_stop(t->map, host);
    if (stop == host || (at < end && !port(t, &at, &number)))
        return 0;
    *out = (struct sip_uri){
        .text = slice_of(p + user - 4, at + 4 - user),
        .scheme = SIP_SCHEME_SIP,
        .port = number,
        .user = slice_of(p + user, host - 1 - user),
        .host = slice_of(p + host, stop - host),
    };
    return at;
}

bool sip_plain_uri(struct sip_uri *out, const struct sip_plain *t, size_t at,
                   size_t end)
{
    struct sip_uri u;

    if (end == 0 || uri(&u, t, at, end) != end)
        return false;
    *out = u;
    return true;
}

bool sip_plain_addr(struct sip_addr *out, const struct sip_plain *t, size_t at,
                    size_t end)
{
    const char *p = t->p;
    struct sip_uri u;
    size_t gt, tag;

    if (end == at || p[at] != '<')
        return false;
    gt = uri(&u, t, at + 1, end);
    if (gt == 0 || gt >= end || p[gt] != '>')
        return false;
    tag = end;
    if (gt + 1 < end) {
        tag = gt + 6;
        if (tag >= end || memcmp(p + gt + 1, ";tag=", 5) != 0 ||
            scan_stop(t->map, tag) != end)
            return false;
    }
    *out = (struct sip_addr){
        .text = slice_of(p + at, end - at),
        .uri = u,
        .params = slice_of(p + (tag < end ? gt + 2 : end),
                           tag < end ? end - gt - 2 : 0),
        .tag = tag < end ? slice_of(p + tag, end - tag) : slice_of(NULL, 0),
        .bracketed = true,
    };
    return true;
}

/* ";name;name=value" and so on, from at to end. */
static inline bool params(struct sip_via *v, const struct sip_plain *t,
                          size_t at, size_t end)
{
    const char *p = t->p;

    while (at < end) {
        struct slice name, value = { NULL, 0 };
        size_t start = at + 1;

        at = scan_stop(t->map, start);
        name = slice_of(p + start, at - start);
        if (name.n == 0)
            return false;
        if (at < end && p[at] == '=') {
            start = at + 1;
            at = scan_stop(t->map, start);
            value = slice_of(p + start, at - start);
        }
        if ((at < end && p[at] != ';') || sip_via_take(v, name, value))
            return false;
    }
    return true;
}

bool sip_plain_via(struct sip_via *out, const struct sip_plain *t, size_t at,
                   size_t end)
{
    const char *p = t->p;
    size_t host = at + 12, stop;
    struct sip_via v;

    if (end <= host || memcmp(p + at, "SIP/2.0/", 8) != 0 ||
        scan_stop(t->map, at + 8) != at + 11 || p[at + 11] != ' ')
        return false;
    stop = scan_stop(t->map, host);
    if (stop == host)
        return false;
    v = (struct sip_via){
        .text = slice_of(p + at, end - at),
        .version = slice_of(p + at + 4, 3),
        .transport = slice_of(p + at + 8, 3),
        .host = slice_of(p + host, stop - host),
    };
    at = stop;
    if (at < end && (!port(t, &at, &v.port) || (at < end && p[at] != ';')))
        return false;
    v.params = at < end ? slice_of(p + at + 1, end - at - 1)
                        : slice_of(p + end, 0);
    if (!params(&v, t, at, end))
        return false;
    *out = v;
    return true;
}
