#include "app/trace/capture.h"

#include "base/bytes.h"

#define SHB 0x0a0d0d0au
#define MAGIC 0x1a2b3c4du
#define MICRO 1000000u

enum { BLOCK_IDB = 1, BLOCK_PB = 2, BLOCK_SPB = 3, BLOCK_EPB = 6 };
enum { LINK_NULL = 0, LINK_ETHERNET = 1, LINK_RAW_BSD = 12, LINK_RAW = 101,
       LINK_LOOP = 108, LINK_SLL = 113, LINK_IPV4 = 228, LINK_IPV6 = 229,
       LINK_SLL2 = 276 };
enum { ETHER_IPV4 = 0x0800, ETHER_VLAN = 0x8100, ETHER_IPV6 = 0x86dd,
       ETHER_QINQ = 0x88a8 };
enum { PROTO_TCP = 6, PROTO_UDP = 17 };
enum { OPT_COMMENT = 1, OPT_TSRESOL = 9 };

#define IPV6_EXTENSIONS 8 /* headers in a row that we follow */

static uint32_t u32(const struct capture *c, const char *p)
{
    const uint8_t *b = (const uint8_t *)p;

    return c->big ? (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 |
                        (uint32_t)b[2] << 8 | b[3]
                  : (uint32_t)b[3] << 24 | (uint32_t)b[2] << 16 |
                        (uint32_t)b[1] << 8 | b[0];
}

static uint16_t u16(const struct capture *c, const char *p)
{
    const uint8_t *b = (const uint8_t *)p;

    return (uint16_t)(c->big ? b[0] << 8 | b[1] : b[1] << 8 | b[0]);
}

static struct bytes reader(struct slice s)
{
    return bytes_of(s.p, s.n);
}

/* ---- IP ---- */

static bool read_udp(struct capture_packet *out, struct slice s, size_t len)
{
    struct bytes r = reader(s);
    size_t n;

    out->src.port = bytes_be16(&r);
    out->dst.port = bytes_be16(&r);
    n = bytes_be16(&r);
    if (r.err || s.n < 8 || n < 8 || n > len)
        return false;
    out->payload = slice_head(slice_from(s, 8), n - 8);
    out->missing = n - 8 - out->payload.n;
    return true;
}

static bool read_tcp(struct capture_packet *out, struct slice s, size_t len)
{
    struct bytes r = reader(s);
    uint16_t flags;
    size_t head;

    out->tcp = true;
    out->src.port = bytes_be16(&r);
    out->dst.port = bytes_be16(&r);
    out->seq = bytes_be32(&r);
    bytes_skip(&r, 4);
    flags = bytes_be16(&r);
    head = (size_t)(flags >> 12) * 4;
    if (r.err || head < 20 || head > s.n || head > len)
        return false;
    out->syn = flags & 2;
    out->fin = (flags & 5) != 0;
    out->payload = slice_head(slice_from(s, head), len - head);
    out->missing = len - head - out->payload.n;
    return true;
}

static bool read_l4(struct capture_packet *out, uint8_t proto, struct slice s,
                    size_t len)
{
    return proto == PROTO_UDP   ? read_udp(out, s, len)
           : proto == PROTO_TCP ? read_tcp(out, s, len) : false;
}

static bool read_ipv4(struct capture *c, struct capture_packet *out,
                      struct slice s)
{
    struct bytes r = reader(s);
    size_t head = (size_t)(bytes_u8(&r) & 15) * 4, len;
    uint16_t fragment;
    uint8_t proto;

    bytes_skip(&r, 1);
    len = bytes_be16(&r);
    bytes_skip(&r, 2);
    fragment = bytes_be16(&r);
    bytes_skip(&r, 1);
    proto = bytes_u8(&r);
    if (s.n < 20 || head < 20 || head > s.n || len < head)
        return false;
    if (fragment & 0x3fff) {
        c->fragments++;
        return false;
    }
    out->src.family = out->dst.family = GB_IPV4;
    memcpy(out->src.ip, s.p + 12, 4);
    memcpy(out->dst.ip, s.p + 16, 4);
    s = slice_head(s, len); /* Ethernet pads */
    return read_l4(out, proto, slice_from(s, head), len - head);
}

static bool is_extension(uint8_t proto)
{
    return proto == 0 || proto == 43 || proto == 60 || proto == 51;
}

static bool read_ipv6(struct capture *c, struct capture_packet *out,
                      struct slice s)
{
    size_t len, n;
    uint8_t proto;

    if (s.n < 40)
        return false;
    len = (size_t)(uint8_t)s.p[4] << 8 | (uint8_t)s.p[5];
    proto = (uint8_t)s.p[6];
    out->src.family = out->dst.family = GB_IPV6;
    memcpy(out->src.ip, s.p + 8, 16);
    memcpy(out->dst.ip, s.p + 24, 16);
    s = slice_head(slice_from(s, 40), len);
    for (int i = 0; is_extension(proto) && i < IPV6_EXTENSIONS; i++) {
        if (s.n < 8)
            return false;
        n = proto == 51 ? ((size_t)(uint8_t)s.p[1] + 2) * 4
                        : ((size_t)(uint8_t)s.p[1] + 1) * 8;
        proto = (uint8_t)s.p[0];
        if (n > s.n)
            return false;
        s = slice_from(s, n);
        len -= n;
    }
    if (proto == 44) {
        c->fragments++;
        return false;
    }
    return read_l4(out, proto, s, len);
}

static bool read_ip(struct capture *c, struct capture_packet *out,
                    struct slice s)
{
    unsigned version = s.n ? (uint8_t)s.p[0] >> 4 : 0;

    return version == 4   ? read_ipv4(c, out, s)
           : version == 6 ? read_ipv6(c, out, s) : false;
}

static bool read_ethertype(struct capture *c, struct capture_packet *out,
                           uint16_t type, struct slice s)
{
    for (int i = 0; i < 2 && (type == ETHER_VLAN || type == ETHER_QINQ); i++) {
        if (s.n < 4)
            return false;
        type = (uint16_t)((uint8_t)s.p[2] << 8 | (uint8_t)s.p[3]);
        s = slice_from(s, 4);
    }
    return (type == ETHER_IPV4 || type == ETHER_IPV6) && read_ip(c, out, s);
}

/* Behind a link header of `skip` bytes whose protocol is at `at`. */
static bool read_typed(struct capture *c, struct capture_packet *out,
                       struct slice s, size_t at, size_t skip)
{
    return s.n >= skip &&
           read_ethertype(c, out, (uint16_t)((uint8_t)s.p[at] << 8 |
                                             (uint8_t)s.p[at + 1]),
                          slice_from(s, skip));
}

static bool read_link(struct capture *c, uint16_t link, struct slice s,
                      struct capture_packet *out)
{
    switch (link) {
    case LINK_RAW_BSD:
    case LINK_RAW:
    case LINK_IPV4:
    case LINK_IPV6:
        return read_ip(c, out, s);
    case LINK_NULL:
    case LINK_LOOP:
        return s.n >= 4 && read_ip(c, out, slice_from(s, 4));
    case LINK_ETHERNET:
        return read_typed(c, out, s, 12, 14);
    case LINK_SLL:
        return read_typed(c, out, s, 14, 16);
    case LINK_SLL2:
        return read_typed(c, out, s, 0, 20);
    default:
        return false;
    }
}

/* ---- pcapng ---- */

/* The value of an option; empty: absent. */
static struct slice option(const struct capture *c, struct slice s,
                           uint16_t want)
{
    while (s.n >= 4) {
        uint16_t code = u16(c, s.p);
        size_t n = u16(c, s.p + 2), room = (n + 3) & ~(size_t)3;

        s = slice_from(s, 4);
        if (code == 0 || n > s.n)
            break;
        if (code == want)
            return slice_head(s, n);
        s = slice_from(s, room);
    }
    return slice_of(NULL, 0);
}

static uint64_t ticks_per_s(struct slice v)
{
    uint8_t b = v.n == 1 ? (uint8_t)v.p[0] : 6;
    unsigned n = b & 0x7f;
    uint64_t t = 1;

    if (b & 0x80)
        return n < 63 ? UINT64_C(1) << n : 0;
    for (; n && t < UINT64_MAX / 10; n--)
        t *= 10;
    return n ? 0 : t;
}

static void read_interface(struct capture *c, struct slice s)
{
    if (c->n_ifaces == CAPTURE_INTERFACES || s.n < 8)
        return;
    c->iface[c->n_ifaces++] = (struct capture_interface){
        u16(c, s.p), ticks_per_s(option(c, slice_from(s, 8), OPT_TSRESOL)),
    };
}

static int64_t micros(uint64_t t, uint64_t per_s)
{
    uint64_t s;

    if (per_s == 0)
        return 0;
    s = t / per_s;
    if (s > INT64_MAX / MICRO / 2)
        return 0;
    t %= per_s;
    return (int64_t)(s * MICRO + (per_s <= UINT64_MAX / MICRO
                                      ? t * MICRO / per_s
                                      : t / (per_s / MICRO)));
}

/* Enhanced, simple and obsolete packet blocks; true: *out is a packet. */
static bool read_packet(struct capture *c, uint32_t type, struct slice s,
                        struct capture_packet *out)
{
    size_t head = type == BLOCK_SPB ? 4 : 20, n, i = 0;
    struct slice data;

    if (s.n < head)
        return false;
    if (type == BLOCK_EPB)
        i = u32(c, s.p);
    else if (type == BLOCK_PB)
        i = u16(c, s.p);
    n = u32(c, s.p + (type == BLOCK_SPB ? 0 : 12));
    data = slice_head(slice_from(s, head), n);
    if (i >= c->n_ifaces || (data.n < n && type != BLOCK_SPB))
        return false;
    *out = (struct capture_packet){ 0 };
    if (!read_link(c, c->iface[i].link, data, out))
        return false;
    if (type == BLOCK_SPB)
        return true;
    out->utc_us = micros((uint64_t)u32(c, s.p + 4) << 32 | u32(c, s.p + 8),
                         c->iface[i].per_s);
    out->comment = option(c, slice_from(s, head + ((n + 3) & ~(size_t)3)),
                          OPT_COMMENT);
    return true;
}

static bool section(struct capture *c, struct slice s)
{
    if (s.n < 12)
        return false;
    c->big = false;
    if (u32(c, s.p + 8) != MAGIC) {
        c->big = true;
        if (u32(c, s.p + 8) != MAGIC)
            return false;
    }
    c->n_ifaces = 0;
    return true;
}

static int next_block(struct capture *c, struct capture_packet *out)
{
    for (;;) {
        struct slice s = slice_from(c->bytes, c->off), body;
        uint32_t type, n;

        if (s.n == 0)
            return GB_ENOENT;
        if (s.n < 12)
            return GB_ESYNTAX;
        type = u32(c, s.p);
        if (type == SHB && !section(c, s))
            return GB_ESYNTAX;
        n = u32(c, s.p + 4);
        if (n < 12 || (n & 3) || n > s.n)
            return GB_ESYNTAX;
        body = slice_of(s.p + 8, n - 12);
        c->off += n;
        if (type == BLOCK_IDB)
            read_interface(c, body);
        if (type != BLOCK_EPB && type != BLOCK_SPB && type != BLOCK_PB)
            continue;
        if (read_packet(c, type, body, out))
            return 0;
        c->skipped++;
    }
}

/* ---- pcap ---- */

static int next_record(struct capture *c, struct capture_packet *out)
{
    for (;;) {
        struct slice s = slice_from(c->bytes, c->off), data;
        uint32_t n;

        if (s.n == 0)
            return GB_ENOENT;
        if (s.n < 16)
            return GB_ESYNTAX;
        n = u32(c, s.p + 8);
        if (n > s.n - 16)
            return GB_ESYNTAX;
        data = slice_of(s.p + 16, n);
        c->off += 16 + n;
        *out = (struct capture_packet){ 0 };
        if (read_link(c, c->iface[0].link, data, out)) {
            out->utc_us = (int64_t)u32(c, s.p) * MICRO +
                          micros(u32(c, s.p + 4), c->iface[0].per_s);
            return 0;
        }
        c->skipped++;
    }
}

static bool open_pcap(struct capture *c)
{
    static const struct {
        uint32_t magic;
        uint64_t per_s;
    } kinds[] = { { 0xa1b2c3d4, MICRO }, { 0xa1b23c4d, 1000 * MICRO } };

    if (c->bytes.n < 24)
        return false;
    for (int k = 0; k < 4; k++) {
        c->big = k & 1;
        if (u32(c, c->bytes.p) != kinds[k >> 1].magic)
            continue;
        c->iface[0] = (struct capture_interface){
            (uint16_t)(u32(c, c->bytes.p + 20) & 0xffff), kinds[k >> 1].per_s,
        };
        c->n_ifaces = 1;
        c->off = 24;
        return true;
    }
    return false;
}

int capture_open(struct capture *c, struct slice bytes)
{
    *c = (struct capture){ .bytes = bytes };
    if (bytes.n >= 12 && u32(c, bytes.p) == SHB) {
        c->ng = true;
        return section(c, bytes) ? 0 : GB_ESYNTAX;
    }
    return open_pcap(c) ? 0 : GB_ESYNTAX;
}

int capture_next(struct capture *c, struct capture_packet *out)
{
    return c->ng ? next_block(c, out) : next_record(c, out);
}
