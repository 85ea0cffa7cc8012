#include "app/trace/pcapng.h"

#include "app/trace/mask.h"

#define SHB 0x0a0d0d0au
#define IDB 1u
#define EPB 6u
#define MAGIC 0x1a2b3c4du
#define LINK_RAW 101
#define OPT_END 0
#define OPT_COMMENT 1
#define OPT_APPLICATION 4 /* of a section */
#define OPT_NAME 2        /* of an interface */
#define OPT_TSRESOL 9
#define IP_MAX 65535u

enum { IPV4_HEADER = 20, IPV6_HEADER = 40, UDP_HEADER = 8, TCP_HEADER = 20 };
enum { PROTO_TCP = 6, PROTO_UDP = 17 };

/* pcapng numbers are little-endian here; the byte order magic tells. */
static void le16(struct writer *w, uint32_t v)
{
    writer_char(w, (char)(v & 0xff));
    writer_char(w, (char)(v >> 8 & 0xff));
}

static void le32(struct writer *w, uint32_t v)
{
    le16(w, v & 0xffff);
    le16(w, v >> 16);
}

static void pad4(struct writer *w, size_t n)
{
    for (; n & 3; n++)
        writer_char(w, 0);
}

static void option(struct writer *w, uint16_t code, struct slice v)
{
    le16(w, code);
    le16(w, (uint32_t)v.n);
    writer_slice_put(w, v);
    pad4(w, v.n);
}

static void put_le32_at(struct writer *w, size_t at, uint32_t v)
{
    struct writer part = writer_of(w->p + at, 4);

    if (!w->err)
        le32(&part, v);
}

/* Length in front and behind. */
static void block_end(struct writer *w, size_t from)
{
    uint32_t n = (uint32_t)(w->len - from) + 4;

    le32(w, n);
    put_le32_at(w, from + 4, n);
}

void pcapng_init(struct pcapng *f)
{
    *f = (struct pcapng){ .next_isn = 1000 };
}

void pcapng_begin(struct writer *w, const char *application)
{
    size_t from = w->len;

    le32(w, SHB);
    le32(w, 0);
    le32(w, MAGIC);
    le16(w, 1);
    le16(w, 0);
    le32(w, UINT32_MAX); /* section length: not told */
    le32(w, UINT32_MAX);
    option(w, OPT_APPLICATION, slice_str(application));
    option(w, OPT_END, slice_of(NULL, 0));
    block_end(w, from);
    from = w->len;
    le32(w, IDB);
    le32(w, 0);
    le16(w, LINK_RAW);
    le16(w, 0);
    le32(w, 0); /* no snap length */
    option(w, OPT_NAME, SLICE("sip"));
    option(w, OPT_TSRESOL, SLICE("\x03")); /* milliseconds */
    option(w, OPT_END, slice_of(NULL, 0));
    block_end(w, from);
}

/* ---- headers ---- */

static uint32_t sum(const void *p, size_t n, uint32_t s)
{
    const uint8_t *b = p;

    for (size_t i = 0; i + 1 < n; i += 2)
        s += (uint32_t)b[i] << 8 | b[i + 1];
    if (n & 1)
        s += (uint32_t)b[n - 1] << 8;
    return s;
}

static uint16_t fold(uint32_t s)
{
    while (s >> 16)
        s = (s & 0xffff) + (s >> 16);
    return (uint16_t)~s;
}

static uint32_t same_addr_hash(const struct gb_addr *a)
{
    uint32_t h = a->port;

    for (size_t i = 0; i < sizeof(a->ip); i++)
        h = h * 31 + a->ip[i];
    return h;
}

static struct pcapng_stream *stream_of(struct pcapng *f,
                                       const struct sip_peer *p)
{
    uint32_t h = same_addr_hash(&p->local) * 131 + same_addr_hash(&p->remote);
    struct pcapng_stream *s = &f->stream[h % PCAPNG_STREAMS];

    if (gb_addr_eq(&s->local, &p->local) && gb_addr_eq(&s->remote, &p->remote))
        return s;
    *s = (struct pcapng_stream){ p->local, p->remote,
                                 { f->next_isn, f->next_isn + 500000 } };
    f->next_isn += 1000000;
    return s;
}

static void udp(struct writer *w, const struct gb_addr *src,
                const struct gb_addr *dst, size_t n)
{
    writer_be16(w, src->port);
    writer_be16(w, dst->port);
    writer_be16(w, (uint16_t)(UDP_HEADER + n));
    writer_be16(w, 0);
}

static void tcp(struct writer *w, struct pcapng *f,
                const struct trace_item *item, const struct gb_addr *src,
                const struct gb_addr *dst)
{
    struct pcapng_stream *s = stream_of(f, &item->peer);

    writer_be16(w, src->port);
    writer_be16(w, dst->port);
    writer_be32(w, s->seq[item->dir]);
    writer_be32(w, s->seq[!item->dir]);
    writer_be16(w, 0x5018); /* 20 bytes, PSH ACK */
    writer_be16(w, 65535);
    writer_be32(w, 0); /* checksum, urgent */
    s->seq[item->dir] += (uint32_t)item->len;
}

static void ip(struct writer *w, struct pcapng *f, bool v6,
               const struct gb_addr *src, const struct gb_addr *dst,
               uint8_t proto, size_t n)
{
    if (!v6) {
        writer_be16(w, 0x4500);
        writer_be16(w, (uint16_t)(IPV4_HEADER + n));
        writer_be16(w, f->ip_id++);
        writer_be16(w, 0x4000); /* do not fragment */
        writer_be16(w, (uint16_t)(64 << 8 | proto));
        writer_be16(w, 0);
        writer_bytes(w, src->ip, 4);
        writer_bytes(w, dst->ip, 4);
        return;
    }
    writer_be32(w, 0x60000000);
    writer_be16(w, (uint16_t)n);
    writer_be16(w, (uint16_t)(proto << 8 | 64));
    writer_bytes(w, src->ip, 16);
    writer_bytes(w, dst->ip, 16);
}

static void seal_ip(struct writer *w, size_t from)
{
    uint8_t *p = (uint8_t *)w->p + from;
    uint16_t c;

    if (w->err)
        return;
    c = fold(sum(p, IPV4_HEADER, 0));
    p[10] = (uint8_t)(c >> 8);
    p[11] = (uint8_t)c;
}

/* Checksums of the packet that begins at `from`; payload and headers are
 * written. */
static void seal(struct writer *w, size_t from, bool v6, uint8_t proto)
{
    size_t head = v6 ? IPV6_HEADER : IPV4_HEADER;
    uint8_t *p = (uint8_t *)w->p + from, *l4 = p + head;
    size_t n = w->len - from - head;
    size_t at = proto == PROTO_UDP ? 6 : 16;
    uint16_t c;

    if (w->err)
        return;
    /* the pseudo header: addresses, protocol, length */
    c = fold(sum(l4, n, sum(p + (v6 ? 8 : 12), v6 ? 32 : 8,
                            proto + (uint32_t)n)));
    if (c == 0 && proto == PROTO_UDP)
        c = 0xffff;
    l4[at] = (uint8_t)(c >> 8);
    l4[at + 1] = (uint8_t)c;
    if (!v6)
        seal_ip(w, from);
}

static void payload(struct writer *w, struct slice bytes)
{
    size_t from = w->len;

    writer_slice_put(w, bytes);
    if (!w->err)
        trace_mask(w->p + from, bytes.n);
}

static void comment(struct writer *w, const struct trace_item *item)
{
    char text[160];
    struct writer c = writer_of(text, sizeof(text));

    writer_str(&c, item->dir == TRACE_IN ? "in" : "out");
    writer_str(&c, " device=");
    writer_line_safe(&c, item->device.n ? item->device : SLICE("-"));
    if (item->peer.transport == SIP_TLS)
        writer_str(&c, " tls");
    if (item->count > 1)
        writer_f(&c, " count=%u last=+%llus", item->count,
                 (unsigned long long)(item->last_utc_ms -
                                      item->time.utc_ms) / 1000);
    if (item->len > item->bytes.n)
        writer_f(&c, " length=%zu", item->len);
    option(w, OPT_COMMENT, writer_slice(&c));
}

void pcapng_packet(struct pcapng *f, struct writer *w,
                   const struct trace_item *item)
{
    bool in = item->dir == TRACE_IN;
    const struct gb_addr *src = in ? &item->peer.remote : &item->peer.local;
    const struct gb_addr *dst = in ? &item->peer.local : &item->peer.remote;
    /* one of them may be unknown */
    bool v6 = src->family == GB_IPV6 || dst->family == GB_IPV6;
    uint8_t proto = item->peer.transport == SIP_UDP ? PROTO_UDP : PROTO_TCP;
    size_t l4 = proto == PROTO_UDP ? UDP_HEADER : TCP_HEADER;
    size_t head = (v6 ? IPV6_HEADER : IPV4_HEADER) + l4;
    /* of a message that was cut the packet is told as long as it can be */
    size_t len = item->len < IP_MAX - head ? item->len : IP_MAX - head;
    uint64_t ms = (uint64_t)item->time.utc_ms;
    size_t from = w->len, packet;

    le32(w, EPB);
    le32(w, 0);
    le32(w, 0); /* interface */
    le32(w, (uint32_t)(ms >> 32));
    le32(w, (uint32_t)ms);
    le32(w, (uint32_t)(head + item->bytes.n));
    le32(w, (uint32_t)(head + len));
    packet = w->len;
    ip(w, f, v6, src, dst, proto, l4 + len);
    if (proto == PROTO_UDP)
        udp(w, src, dst, len);
    else
        tcp(w, f, item, src, dst);
    payload(w, item->bytes);
    seal(w, packet, v6, proto);
    pad4(w, head + item->bytes.n);
    comment(w, item);
    option(w, OPT_END, slice_of(NULL, 0));
    block_end(w, from);
}

/* ---- RTP ---- */

void pcapng_rtp(struct pcapng *f, struct writer *w,
                const struct rtplogs_of *of, const struct rtplog_packet *p)
{
    bool v6 = of->remote.family == GB_IPV6 || of->local.family == GB_IPV6;
    size_t head = (v6 ? IPV6_HEADER : IPV4_HEADER) + UDP_HEADER;
    size_t len = p->len < IP_MAX - head ? p->len : IP_MAX - head;
    uint64_t ms = (uint64_t)p->utc_ms;
    size_t from = w->len, packet;

    le32(w, EPB);
    le32(w, 0);
    le32(w, 0);
    le32(w, (uint32_t)(ms >> 32));
    le32(w, (uint32_t)ms);
    le32(w, (uint32_t)(head + RTPLOG_HEAD));
    le32(w, (uint32_t)(head + len));
    packet = w->len;
    ip(w, f, v6, &of->remote, &of->local, PROTO_UDP, UDP_HEADER + len);
    udp(w, &of->remote, &of->local, len);
    writer_bytes(w, p->head, RTPLOG_HEAD);
    if (!v6) /* of the datagram there is no sum: it is not all here */
        seal_ip(w, packet);
    pad4(w, head + RTPLOG_HEAD);
    option(w, OPT_COMMENT, p->tcp ? SLICE("in rtp over tcp") : SLICE("in rtp"));
    option(w, OPT_END, slice_of(NULL, 0));
    block_end(w, from);
}
