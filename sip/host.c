#include "sip/host.h"

#include "base/addr.h"
#include "base/scan.h"

int sip_host_take(struct slice *host, struct slice s, size_t *at)
{
    struct gb_addr ip;
    size_t start = *at, i = start;

    if (i == s.n || s.p[i] != '[') {
        i += scan_word(s.p + i, s.n - i);
        *host = slice_of(s.p + start, i - start);
        *at = i;
        return 0;
    }
    i += scan_char(s.p + i, s.n - i, ']');
    if (i == s.n)
        return GB_ESYNTAX;
    i++;
    *host = slice_of(s.p + start, i - start);
    if (gb_addr_parse_ip(&ip, *host))
        return GB_ESYNTAX;
    *at = i;
    return 0;
}

int sip_port_take(uint16_t *port, struct slice s, size_t *at)
{
    size_t i = *at;
    uint32_t v;

    while (i < s.n && ascii_is_digit(s.p[i]))
        i++;
    if (i == *at)
        return GB_ESYNTAX;
    if (!slice_u32(slice_of(s.p + *at, i - *at), 65535, &v) || v == 0)
        return GB_ERANGE;
    *port = (uint16_t)v;
    *at = i;
    return 0;
}
