#include "base/addr.h"

/* One to three digits, four times. */
static bool parse_v4(uint8_t ip[4], struct slice s)
{
    size_t i = 0;

    for (int k = 0; k < 4; k++) {
        size_t begin;
        unsigned v = 0;

        if (k && (i == s.n || s.p[i++] != '.'))
            return false;
        for (begin = i; i < s.n && ascii_is_digit(s.p[i]); i++)
            if (i == begin + 3)
                return false;
            else
                v = v * 10 + (unsigned)(s.p[i] - '0');
        if (i == begin || v > 255)
            return false;
        ip[k] = (uint8_t)v;
    }
    return i == s.n;
}

/* One group of 1-4 hex digits; the number of bytes used, 0 if it is none. */
static size_t parse_group(struct slice s, uint16_t *v)
{
    size_t n = 0;
    unsigned sum = 0;

    while (n < s.n && n < 4 && ascii_hex(s.p[n]) >= 0)
        sum = sum << 4 | (unsigned)ascii_hex(s.p[n++]);
    *v = (uint16_t)sum;
    return n;
}

/* Groups are written from the front; what follows "::" is moved to the end. */
static bool parse_v6(uint8_t ip[16], struct slice s)
{
    size_t at = 0, gap = SIZE_MAX;

    memset(ip, 0, 16);
    if (slice_has_prefix(s, SLICE("::"))) {
        gap = 0;
        s = slice_from(s, 2);
    }
    while (s.n) {
        uint16_t v;
        size_t n = parse_group(s, &v);

        if (at <= 12 && n < s.n && s.p[n] == '.') {
            if (!parse_v4(ip + at, s))
                return false;
            at += 4;
            break;
        }
        if (n == 0 || at > 14)
            return false;
        ip[at++] = (uint8_t)(v >> 8);
        ip[at++] = (uint8_t)v;
        s = slice_from(s, n);
        if (s.n == 0)
            break;
        if (s.p[0] != ':' || s.n == 1)
            return false;
        s = slice_from(s, 1);
        if (s.p[0] == ':') {
            if (gap != SIZE_MAX)
                return false;
            gap = at;
            s = slice_from(s, 1);
        }
    }
    if (gap == SIZE_MAX)
        return at == 16;
    if (at > 14)
        return false;
    memmove(ip + 16 - (at - gap), ip + gap, at - gap);
    memset(ip + gap, 0, 16 - at);
    return true;
}

static void fold_mapped(struct gb_addr *a)
{
    static const uint8_t mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255 };

    if (a->family != GB_IPV6 || memcmp(a->ip, mapped, 12) != 0)
        return;
    a->family = GB_IPV4;
    memcpy(a->ip, a->ip + 12, 4);
    memset(a->ip + 4, 0, 12);
}

int gb_addr_parse_ip(struct gb_addr *out, struct slice text)
{
    struct gb_addr a = { 0 };

    if (text.n >= 2 && text.p[0] == '[' && text.p[text.n - 1] == ']') {
        text = slice_of(text.p + 1, text.n - 2);
        if (slice_find(text, ':') == text.n)
            return GB_ESYNTAX;
    }
    if (slice_find(text, ':') < text.n) {
        a.family = GB_IPV6;
        if (!parse_v6(a.ip, text))
            return GB_ESYNTAX;
        fold_mapped(&a);
    } else {
        a.family = GB_IPV4;
        if (!parse_v4(a.ip, text))
            return GB_ESYNTAX;
    }
    *out = a;
    return 0;
}

int gb_addr_parse(struct gb_addr *out, struct slice text, uint16_t def_port)
{
    struct gb_addr a;
    struct slice host = text, port = { 0 };
    bool has_port = false;
    uint32_t v = def_port;
    int err;

    if (text.n && text.p[0] == '[') {
        size_t end = slice_find(text, ']');

        if (end == text.n)
            return GB_ESYNTAX;
        host = slice_head(text, end + 1);
        port = slice_from(text, end + 1);
        if (port.n && port.p[0] != ':')
            return GB_ESYNTAX;
        has_port = port.n > 0;
        port = slice_from(port, 1);
    } else if (slice_find(text, ':') < text.n) {
        has_port = slice_cut(&text, ':', &host);
        port = text;
    }
    err = gb_addr_parse_ip(&a, host);
    if (err)
        return err;
    if (has_port && !slice_u32(port, 65535, &v))
        return GB_ESYNTAX;
    if (has_port && v == 0)
        return GB_ERANGE;
    a.port = (uint16_t)v;
    *out = a;
    return 0;
}

/* RFC 5952 §4.2.3: the longest run of zero groups, the first on a tie, of two
 * or more. */
static void longest_zeros(const uint8_t ip[16], int *start, int *len)
{
    *start = -1;
    *len = 1;
    for (int i = 0; i < 8; i++) {
        int n = 0;

        while (i + n < 8 && ip[2 * (i + n)] == 0 && ip[2 * (i + n) + 1] == 0)
            n++;
        if (n > *len) {
            *start = i;
            *len = n;
        }
        i += n;
    }
}

/* Stands in every response; hence no printf. */
static void write_ipv4(struct writer *w, const uint8_t ip[static 4])
{
    char text[15];
    unsigned n = 0;

    for (unsigned i = 0; i < 4; i++) {
        if (i)
            text[n++] = '.';
        if (ip[i] >= 100)
            text[n++] = (char)('0' + ip[i] / 100);
        if (ip[i] >= 10)
            text[n++] = (char)('0' + ip[i] / 10 % 10);
        text[n++] = (char)('0' + ip[i] % 10);
    }
    writer_bytes(w, text, n);
}

void gb_addr_write_ip(struct writer *w, const struct gb_addr *a)
{
    int start, len;

    if (a->family != GB_IPV6) {
        write_ipv4(w, a->ip);
        return;
    }
    longest_zeros(a->ip, &start, &len);
    for (int i = 0; i < 8; i++) {
        if (i == start) {
            writer_str(w, "::");
            i += len - 1;
            continue;
        }
        if (i > 0 && i != start + len) /* start + len is 0 without a run */
            writer_char(w, ':');
        writer_f(w, "%x", (unsigned)(a->ip[2 * i] << 8 | a->ip[2 * i + 1]));
    }
}

void gb_addr_write(struct writer *w, const struct gb_addr *a)
{
    if (a->family == GB_IPV6)
        writer_char(w, '[');
    gb_addr_write_ip(w, a);
    if (a->family == GB_IPV6)
        writer_char(w, ']');
    if (a->port) {
        writer_char(w, ':');
        writer_u64(w, a->port);
    }
}

bool gb_addr_ip_eq(const struct gb_addr *a, const struct gb_addr *b)
{
    if (a->family != b->family)
        return false;
    return a->family == GB_IPV4 ? memcmp(a->ip, b->ip, 4) == 0
                                : memcmp(a->ip, b->ip, 16) == 0;
}

bool gb_addr_eq(const struct gb_addr *a, const struct gb_addr *b)
{
    return gb_addr_ip_eq(a, b) && a->port == b->port;
}

bool gb_addr_is_any(const struct gb_addr *a)
{
    static const uint8_t zero[16];

    return a->family == GB_NO_ADDR ||
           memcmp(a->ip, zero, a->family == GB_IPV4 ? 4 : 16) == 0;
}

static bool in_net(const struct gb_addr *a, uint8_t family, unsigned bits,
                   const uint8_t *ip)
{
    struct gb_addr net = { .family = family };

    memcpy(net.ip, ip, family == GB_IPV4 ? 4 : 16);
    return gb_addr_in_net(a, &net, bits);
}

bool gb_addr_is_loopback(const struct gb_addr *a)
{
    static const uint8_t v4[4] = { 127 };
    static const uint8_t v6[16] = { [15] = 1 };

    return in_net(a, GB_IPV4, 8, v4) || in_net(a, GB_IPV6, 128, v6);
}

/* 10/8, 172.16/12, 192.168/16, 100.64/10, 169.254/16; as numbers: each new device
 * is asked for it. */
static bool is_private_v4(const uint8_t ip[4])
{
    return ip[0] == 10 || (ip[0] == 172 && ip[1] >> 4 == 1) ||
           (ip[0] == 192 && ip[1] == 168) ||
           (ip[0] == 100 && ip[1] >> 6 == 1) ||
           (ip[0] == 169 && ip[1] == 254);
}

bool gb_addr_is_private(const struct gb_addr *a)
{
    static const uint8_t local[16] = { 0xfc }, link[16] = { 0xfe, 0x80 };

    if (a->family == GB_IPV4 && is_private_v4(a->ip))
        return true;
    return in_net(a, GB_IPV6, 7, local) || in_net(a, GB_IPV6, 10, link) ||
           gb_addr_is_loopback(a);
}

bool gb_addr_in_net(const struct gb_addr *a, const struct gb_addr *net,
                    unsigned bits)
{
    unsigned whole = bits / 8, rest = bits % 8;

    if (a->family != net->family || bits > (a->family == GB_IPV4 ? 32u : 128u))
        return false;
    if (memcmp(a->ip, net->ip, whole) != 0)
        return false;
    return rest == 0 || ((a->ip[whole] ^ net->ip[whole]) >> (8 - rest)) == 0;
}

const char *gb_addr_text(const struct gb_addr *a,
                         char buf[static GB_ADDR_TEXT_MAX])
{
    struct writer w = writer_of(buf, GB_ADDR_TEXT_MAX - 1);

    gb_addr_write(&w, a);
    buf[w.len] = '\0';
    return buf;
}

size_t gb_addr_site(const struct gb_addr *a, uint8_t out[static GB_ADDR_SITE])
{
    size_t n = a->family == GB_IPV4 ? 4 : 8;

    out[0] = a->family;
    memcpy(out + 1, a->ip, n);
    return 1 + n;
}
