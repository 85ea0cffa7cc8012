#include "sip/plain.h"

/* The outcome is written field by field: a struct literal would be made in
 * memory first and copied, which costs as much as the reading. */

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
/* Four digits, as nearly every port has, summed up in pairs. */
SCAN_INLINE bool four_digits(const char *p, unsigned *v)
{
    uint32_t x;

    memcpy(&x, p, 4);
    x ^= 0x30303030u;
    if (((x + 0x76767676u) | x) & 0x80808080u) /* one is above 9 */
        return false;
    x = (x * 10 + (x >> 8)) & 0x00ff00ffu;
    *v = (x & 0xff) * 100 + (x >> 16);
    return true;
}
#define HAVE_FOUR_DIGITS 1
#else
SCAN_INLINE bool four_digits(const char *p, unsigned *v)
{
    (void)p;
    (void)v;
    return false;
}
#define HAVE_FOUR_DIGITS 0
#endif

static bool few_digits(const char *p, size_t n, unsigned *v)
{
    unsigned sum = 0;

    if (n > 5)
        return false;
    for (size_t i = 0; i < n; i++) {
        unsigned d = (unsigned char)p[i] - (unsigned)'0';

        if (d > 9)
            return false;
        sum = sum * 10 + d;
    }
    *v = sum;
    return true;
}

/* ":5060" at *at, one to five digits; *at moves behind it. */
SCAN_INLINE bool port(struct sip_plain t, size_t *at, uint16_t *out)
{
    size_t start = *at + 1, n = scan_stop(t.map, start) - start;
    unsigned v = 0;

    if (HAVE_FOUR_DIGITS && n == 4 ? !four_digits(t.p + start, &v)
                                   : !few_digits(t.p + start, n, &v))
        return false;
    *out = (uint16_t)v;
    *at = start + n;
    return v - 1 < 65535;
}

/* Offsets in a URI. */
struct parts {
    size_t start, user, at, host, end; /* at: the @; end: of the host */
    uint16_t port;
};

/* "sip:user@host:port" at at; where it ends, a stop. 0: something else. */
SCAN_INLINE size_t uri(struct parts *u, struct sip_plain t, size_t at,
                       size_t end)
{
    u->start = at;
    u->user = at + 4;
    u->port = 0;
    if (end < at + 7 || memcmp(t.p + at, "sip:", 4) != 0)
        return 0;
    u->at = scan_stop(t.map, u->user);
    u->host = u->at + 1;
    if (u->host >= end || t.p[u->at] != '@' || u->at == u->user)
        return 0;
    at = u->end = scan_stop(t.map, u->host);
    if (at == u->host ||
        (at < end && t.p[at] == ':' && !port(t, &at, &u->port)))
        return 0;
    return at;
}

SCAN_INLINE void fill_uri(struct sip_uri *out, struct sip_plain t,
                          const struct parts *u, size_t end)
{
    const struct slice none = { NULL, 0 };

    out->text = slice_of(t.p + u->start, end - u->start);
    out->scheme = SIP_SCHEME_SIP;
    out->port = u->port;
    out->user = slice_of(t.p + u->user, u->at - u->user);
    out->password = none;
    out->host = slice_of(t.p + u->host, u->end - u->host);
    out->params = none;
    out->headers = none;
}

bool sip_plain_uri(struct sip_uri *out, struct sip_plain t, size_t at,
                   size_t end)
{
    struct parts u;

    if (end == 0 || uri(&u, t, at, end) != end)
        return false;
    fill_uri(out, t, &u, end);
    return true;
}

bool sip_plain_addr(struct sip_addr *out, struct sip_plain t, size_t at,
                    size_t end)
{
    const char *p = t.p;
    struct slice tag = { NULL, 0 }, params;
    struct parts u;
    size_t gt;

    if (end == at || p[at] != '<') /* p is NULL for a value that is absent */
        return false;
    params = slice_of(p + end, 0);
    gt = uri(&u, t, at + 1, end);
    if (gt == 0 || gt >= end || p[gt] != '>')
        return false;
    if (gt + 1 < end) {
        size_t from = gt + 6;

        if (from >= end || memcmp(p + gt + 1, ";tag=", 5) != 0 ||
            scan_stop(t.map, from) != end)
            return false;
        tag = slice_of(p + from, end - from);
        params = slice_of(p + gt + 2, end - gt - 2);
    }
    out->text = slice_of(p + at, end - at);
    out->display = slice_of(NULL, 0);
    fill_uri(&out->uri, t, &u, gt);
    out->params = params;
    out->tag = tag;
    out->bracketed = true;
    out->is_star = false;
    return true;
}

/* ";name;name=value" and so on, from at to end. */
SCAN_INLINE bool params(struct sip_via *v, struct sip_plain t, size_t at,
                        size_t end)
{
    const char *p = t.p;

    while (at < end) {
        struct slice name, value = { NULL, 0 };
        size_t start = at + 1;

        at = scan_stop(t.map, start);
        name = slice_of(p + start, at - start);
        if (name.n == 0)
            return false;
        if (at < end && p[at] == '=') {
            start = at + 1;
            at = scan_stop(t.map, start);
            value = slice_of(p + start, at - start);
        }
        if ((at < end && p[at] != ';') || sip_via_take(v, name, value))
            return false;
    }
    return true;
}

bool sip_plain_via(struct sip_via *out, struct sip_plain t, size_t at,
                   size_t end)
{
    const struct slice none = { NULL, 0 };
    const char *p = t.p;
    size_t host = at + 12, stop;

    if (end <= host || memcmp(p + at, "SIP/2.0/", 8) != 0 ||
        scan_stop(t.map, at + 8) != at + 11 || p[at + 11] != ' ')
        return false;
    stop = scan_stop(t.map, host);
    if (stop == host)
        return false;
    out->text = slice_of(p + at, end - at);
    out->version = slice_of(p + at + 4, 3);
    out->transport = slice_of(p + at + 8, 3);
    out->host = slice_of(p + host, stop - host);
    out->branch = out->received = out->maddr = none;
    out->port = out->rport = 0;
    out->has_rport = out->has_ttl = false;
    out->ttl = 0;
    at = stop;
    if (at < end && p[at] == ':' && !port(t, &at, &out->port))
        return false;
    if (at < end && p[at] != ';')
        return false;
    out->params = at < end ? slice_of(p + at + 1, end - at - 1)
                           : slice_of(p + end, 0);
    return params(out, t, at, end);
}
