#include "app/media/rtpmux.h"

#include "base/bytes.h"
#include "rtp/packet.h"
#include "rtp/rtcp.h"

#define H264_FU_A 28
#define H265_FU 49
#define AU_HEADERS 4 /* of one AAC frame */
#define VIDEO_HZ 90000
#define CNAME_MAX 20 /* bytes of the name in reports */
#define REPORT_ROOM (RTPMUX_FRAMING + 28 + 12 + CNAME_MAX + 4)
#define PACKET_HEAD (RTPMUX_FRAMING + RTP_HEADER_BYTES)

/* splitmix64: seeds of neighbouring sessions have nothing in common. */
static uint64_t mix(uint64_t seed, unsigned i)
{
    uint64_t z = seed + (i + 1) * UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

uint32_t rtpmux_ssrc(uint64_t seed, enum media_track t)
{
    return (uint32_t)mix(seed, t);
}

void rtpmux_init(struct rtpmux *m, uint64_t seed, int64_t utc_ms,
                 int64_t at90k)
{
    *m = (struct rtpmux){ .begun = true, .utc_ms = utc_ms - at90k / 90 };
    m->name = (uint32_t)mix(seed, 2 * MEDIA_TRACKS);
    for (unsigned t = 0; t < MEDIA_TRACKS; t++) {
        uint64_t r = mix(seed, MEDIA_TRACKS + t);

        m->track[t].ssrc = rtpmux_ssrc(seed, (enum media_track)t);
        m->track[t].base_ts = (uint32_t)r;
        m->track[t].seq = (uint16_t)(r >> 32);
    }
}

bool rtpmux_carries(enum ps_codec c)
{
    return c == PS_CODEC_H264 || c == PS_CODEC_H265 || c == PS_CODEC_AAC ||
           c == PS_CODEC_G711A || c == PS_CODEC_G711U;
}

uint8_t rtpmux_pt(enum ps_codec c)
{
    return c == PS_CODEC_H264    ? 96
           : c == PS_CODEC_H265  ? 98
           : c == PS_CODEC_AAC   ? 97
           : c == PS_CODEC_G711A ? 8
                                 : 0;
}

static uint32_t rate_of(const struct media_config *c, enum media_track t)
{
    return t == MEDIA_VIDEO || !c->rate_hz ? VIDEO_HZ : c->rate_hz;
}

/* To the nearest: the timeline has rounded sound down. */
static uint32_t stamp(const struct rtpmux_track *t, uint32_t rate_hz,
                      int64_t at90k)
{
    int64_t ticks = at90k;

    if (rate_hz != VIDEO_HZ)
        ticks = (at90k * rate_hz + (at90k < 0 ? -1 : 1) * VIDEO_HZ / 2) /
                VIDEO_HZ;
    return t->base_ts + (uint32_t)ticks;
}

/* ---- reports ------------------------------------------------------------ */

static void put_framing(struct writer *w, unsigned channel, size_t n)
{
    writer_char(w, '$');
    writer_char(w, (char)channel);
    writer_be16(w, (uint16_t)n);
}

/* Sets the length that put_framing left open at `at`. */
static void close_framing(struct writer *w, size_t at)
{
    size_t n = w->len - at - RTPMUX_FRAMING;

    if (w->err)
        return;
    w->p[at + 2] = (char)(uint8_t)(n >> 8);
    w->p[at + 3] = (char)(uint8_t)n;
}

static uint64_t ntp_at(const struct rtpmux *m, int64_t at90k)
{
    int64_t part = (at90k % 90 + 90) % 90; /* of a millisecond, in 1/90 */

    return rtcp_ntp(m->utc_ms + (at90k - part) / 90) +
           (((uint64_t)part << 32) / 90000);
}

static void put_report(struct writer *w, const struct rtpmux *m,
                       enum media_track t, const struct media_config *c,
                       int64_t at90k, bool at_key)
{
    const struct rtpmux_track *k = &m->track[t];
    struct rtcp_sr sr = { .ssrc = k->ssrc,
                          .ntp = ntp_at(m, at90k),
                          .rtp_ts = stamp(k, rate_of(c, t), at90k),
                          .packets = at_key ? k->key_packets : k->packets,
                          .octets = at_key ? k->key_octets : k->octets };
    char name[CNAME_MAX];
    struct writer n = writer_of(name, sizeof(name));
    size_t at = w->len;

    writer_f(&n, "gb28181d@%08x", (unsigned)m->name);
    put_framing(w, RTPMUX_CHANNEL(t) + 1, 0);
    rtcp_sr_write(w, &sr, NULL, 0);
    rtcp_sdes_write(w, k->ssrc, writer_slice(&n));
    close_framing(w, at);
}

void rtpmux_bye_write(struct writer *w, uint32_t ssrc, uint8_t channel)
{
    size_t at = w->len;

    put_framing(w, channel, 0);
    rtcp_rr_write(w, ssrc, NULL, 0);
    rtcp_bye_write(w, ssrc);
    close_framing(w, at);
}

int rtpmux_start_chunk(struct media_chunk **out, const struct gb_alloc *alloc,
                       const struct rtpmux *m,
                       const struct media_config *video,
                       const struct media_config *audio, int64_t at90k)
{
    const size_t room = MEDIA_TRACKS * REPORT_ROOM;
    struct media_chunk *chunk = media_chunk_new(alloc, room, NULL);
    struct writer w;

    if (!chunk)
        return GB_ENOMEM;
    w = writer_of(media_chunk_own(chunk), room);
    if (video)
        put_report(&w, m, MEDIA_VIDEO, video, at90k, true);
    if (audio)
        put_report(&w, m, MEDIA_AUDIO, audio, at90k, true);
    chunk->config = true;
    chunk->dts90k = at90k;
    return media_chunk_finish(out, chunk, &w);
}

/* ---- packets ------------------------------------------------------------ */

/* One frame on its way into packets. */
struct cut {
    struct writer *w; /* NULL: only counts bytes */
    size_t bytes;
    struct rtpmux_track *track;
    uint8_t channel, pt;
    uint32_t ts;
};

/* A packet of head and part. */
static void put_packet(struct cut *c, const uint8_t *head, size_t n_head,
                       const uint8_t *part, size_t n, bool marker)
{
    uint8_t rtp[RTP_HEADER_BYTES];

    c->bytes += PACKET_HEAD + n_head + n;
    if (!c->w)
        return;
    put_framing(c->w, c->channel, RTP_HEADER_BYTES + n_head + n);
    rtp_header_put(rtp, c->pt, marker, c->track->seq++, c->ts, c->track->ssrc);
    writer_bytes(c->w, rtp, sizeof(rtp));
    writer_bytes(c->w, head, n_head);
    writer_bytes(c->w, part, n);
    c->track->packets++;
    c->track->octets += (uint32_t)(n_head + n);
}

/* A NAL unit, whole or in fragments: the type goes from its header into the
 * last byte of the fragment's. last: of the picture. */
static void put_nal(struct cut *c, bool h264, const uint8_t *p, size_t n,
                    bool last)
{
    size_t header = h264 ? 1 : 2, room = RTPMUX_PAYLOAD_MAX - header - 1;
    uint8_t type, fu[3];

    if (n <= RTPMUX_PAYLOAD_MAX) {
        put_packet(c, NULL, 0, p, n, last);
        return;
    }
    if (h264) {
        type = p[0] & 0x1f;
        fu[0] = (uint8_t)((p[0] & 0xe0) | H264_FU_A);
    } else {
        type = p[0] >> 1 & 0x3f;
        fu[0] = (uint8_t)((p[0] & 0x81) | H265_FU << 1);
        fu[1] = p[1];
    }
    for (size_t off = header; off < n;) {
        size_t take = n - off < room ? n - off : room;
        bool first = off == header, end = off + take == n;

        fu[header] = (uint8_t)((first ? 0x80 : 0) | (end ? 0x40 : 0) | type);
        put_packet(c, fu, header + 1, p + off, take, last && end);
        off += take;
    }
}

/* false: the lengths do not fit. */
static bool put_picture(struct cut *c, const struct media_frame *f,
                        const struct media_config *config)
{
    bool h264 = f->codec == PS_CODEC_H264;
    size_t off = 0;

    for (unsigned i = 0; f->key && i < config->n_param; i++)
        put_nal(c, h264, (const uint8_t *)config->param[i].p,
                config->param[i].n, false);
    while (f->n - off > 4) {
        size_t n = bytes_be32_at(f->data + off);

        off += 4;
        if (n < (h264 ? 1u : 2u) || n > f->n - off)
            return false;
        put_nal(c, h264, f->data + off, n, off + n == f->n);
        off += n;
    }
    return off == f->n && f->n;
}

/* Each fragment says the size of the whole (RFC 3640 §3.2.1.1). */
static void put_aac(struct cut *c, const struct media_frame *f)
{
    const size_t room = RTPMUX_PAYLOAD_MAX - AU_HEADERS;
    uint8_t head[AU_HEADERS] = { 0, 16, (uint8_t)(f->n >> 5),
                                 (uint8_t)(f->n << 3) };

    for (size_t off = 0; off < f->n;) {
        size_t take = f->n - off < room ? f->n - off : room;

        put_packet(c, head, sizeof(head), f->data + off, take,
                   off + take == f->n);
        off += take;
    }
}

static void put_g711(struct cut *c, const struct media_frame *f)
{
    for (size_t off = 0; off < f->n;) {
        size_t left = f->n - off;
        size_t take = left < RTPMUX_G711_MAX ? left : RTPMUX_G711_MAX;

        put_packet(c, NULL, 0, f->data + off, take, false);
        c->ts += (uint32_t)take;
        off += take;
    }
}

static bool put_frame(struct cut *c, const struct media_frame *f,
                      const struct media_config *config)
{
    if (f->track == MEDIA_VIDEO)
        return put_picture(c, f, config);
    if (f->codec == PS_CODEC_AAC)
        put_aac(c, f);
    else
        put_g711(c, f);
    return f->n > 0;
}

/* At a key frame only where there is hardly anything else. */
static bool is_report_due(const struct rtpmux_track *t, bool key, int64_t at90k)
{
    int64_t since90k = at90k - t->report90k;
    bool first = key || t->packets == t->key_packets;

    return t->begun &&
           since90k >= (int64_t)RTPMUX_SR_MS * 90 * (first ? 2 : 1);
}

static void begin(struct rtpmux *m, const struct media_frame *f, bool key)
{
    struct rtpmux_track *t = &m->track[f->track];

    if (!t->begun)
        t->report90k = f->dts90k;
    t->begun = true;
    for (unsigned i = 0; key && i < MEDIA_TRACKS; i++) {
        m->track[i].key_packets = m->track[i].packets;
        m->track[i].key_octets = m->track[i].octets;
    }
}

int rtpmux_frame_chunk(struct media_chunk **out, const struct gb_alloc *alloc,
                       struct rtpmux *m, const struct media_frame *f,
                       const struct media_config *config)
{
    struct rtpmux_track *t = &m->track[f->track];
    bool key = f->track == MEDIA_VIDEO && f->key;
    bool report = is_report_due(t, key, f->dts90k);
    struct cut c = { .track = t,
                     .channel = RTPMUX_CHANNEL(f->track),
                     .pt = rtpmux_pt(f->codec) };
    struct media_chunk *chunk;
    struct writer w;

    if (!config || config->codec != f->codec || !rtpmux_carries(f->codec))
        return GB_EUNSUPPORTED;
    if (!put_frame(&c, f, config))
        return GB_ESYNTAX;
    if (report)
        c.bytes += REPORT_ROOM;
    chunk = media_chunk_new(alloc, c.bytes, NULL);
    if (!chunk)
        return GB_ENOMEM;
    w = writer_of(media_chunk_own(chunk), c.bytes);
    if (report) {
        put_report(&w, m, f->track, config, f->dts90k, false);
        t->report90k = f->dts90k;
    }
    begin(m, f, key);
    c.w = &w;
    c.ts = stamp(t, rate_of(config, f->track), f->pts90k);
    put_frame(&c, f, config);
    chunk->track = f->track;
    chunk->key = f->key || f->track == MEDIA_AUDIO;
    chunk->leading = f->leading;
    chunk->dts90k = f->dts90k;
    return media_chunk_finish(out, chunk, &w);
}

bool rtpmux_next(struct slice *bytes, struct rtpmux_packet *out)
{
    const uint8_t *p = (const uint8_t *)bytes->p;
    size_t n;

    if (bytes->n < RTPMUX_FRAMING || p[0] != '$')
        return false;
    n = (size_t)p[2] << 8 | p[3];
    if (n > bytes->n - RTPMUX_FRAMING)
        return false;
    out->channel = p[1];
    out->bytes = slice_of(bytes->p + RTPMUX_FRAMING, n);
    *bytes = slice_from(*bytes, RTPMUX_FRAMING + n);
    return true;
}
