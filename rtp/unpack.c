#include "rtp/unpack.h"

#define FIRST_BYTES 4096
#define CODE_BYTES 4 /* 00 00 00 01 */

/* RFC 6184 §5.2, RFC 7798 §4.4 */
enum {
    H264_IDR = 5,
    H264_STAP_A = 24,
    H264_STAP_B = 25,
    H264_FU_A = 28,
    H264_FU_B = 29,
    H265_IRAP = 16,
    H265_IRAP_LAST = 21,
    H265_AP = 48,
    H265_FU = 49,
    FU_START = 0x80,
    FU_END = 0x40,
};

struct rtp_unpack {
    const struct gb_alloc *alloc;
    enum rtp_kind kind;
    rtp_unit_fn *on_unit;
    void *ctx;
    uint8_t *buf;
    size_t n, cap;
    uint32_t ts;
    bool open;     /* a packet of the unit has come */
    bool damaged, lost, key;
    bool fragment; /* of a NAL unit, whose end is awaited */
};

static bool is_h265(const struct rtp_unpack *u)
{
    return u->kind == RTP_KIND_H265;
}

bool rtp_unpack_takes(enum rtp_kind kind)
{
    return kind == RTP_KIND_H264 || kind == RTP_KIND_H265 ||
           kind == RTP_KIND_ANNEXB_H264 || kind == RTP_KIND_ANNEXB_H265;
}

int rtp_unpack_new(struct rtp_unpack **out, const struct gb_alloc *alloc,
                   enum rtp_kind kind, rtp_unit_fn *on_unit, void *ctx)
{
    struct rtp_unpack *u;

    if (!rtp_unpack_takes(kind))
        return GB_EUNSUPPORTED;
    u = gb_get(alloc, sizeof(*u));
    if (!u)
        return GB_ENOMEM;
    u->alloc = alloc;
    u->kind = kind;
    u->on_unit = on_unit;
    u->ctx = ctx;
    *out = u;
    return 0;
}

void rtp_unpack_free(struct rtp_unpack *u)
{
    if (!u)
        return;
    gb_put(u->alloc, u->buf);
    gb_put(u->alloc, u);
}

static bool grow(struct rtp_unpack *u, size_t n)
{
    size_t cap = u->cap ? u->cap : FIRST_BYTES;
    uint8_t *buf;

    if (n > RTP_UNIT_PART)
        return false;
    while (cap < n)
        cap *= 2;
    buf = gb_get_raw(u->alloc, cap);
    if (!buf)
        return false;
    if (u->n)
        memcpy(buf, u->buf, u->n);
    gb_put(u->alloc, u->buf);
    u->buf = buf;
    u->cap = cap;
    return true;
}

static void give(struct rtp_unpack *u, bool part)
{
    const struct rtp_unit unit = { slice_of((const char *)u->buf, u->n), u->ts,
                                   u->key, u->lost, part };

    if (u->n == 0)
        return;
    u->key = u->lost = false;
    u->n = 0;
    u->on_unit(u->ctx, &unit);
}

static void append(struct rtp_unpack *u, const void *p, size_t n)
{
    if (n == 0 || u->damaged)
        return;
    if (u->n + n > RTP_UNIT_PART)
        give(u, true);
    if (n > u->cap - u->n && !grow(u, u->n + n)) {
        u->damaged = true;
        return;
    }
    memcpy(u->buf + u->n, p, n);
    u->n += n;
}

/* A NAL unit begins, of which these bytes are known. */
static void begin_nal(struct rtp_unpack *u, const uint8_t *p, size_t n)
{
    static const uint8_t code[CODE_BYTES] = { 0, 0, 0, 1 };
    unsigned type = is_h265(u) ? p[0] >> 1 & 63 : p[0] & 31;

    append(u, code, sizeof(code));
    u->key |= is_h265(u) ? type >= H265_IRAP && type <= H265_IRAP_LAST
                         : type == H264_IDR;
    append(u, p, n);
}

/* Several NAL units, each behind its length. */
static void take_aggregate(struct rtp_unpack *u, const uint8_t *p, size_t n)
{
    while (n > 2) {
        size_t len = (size_t)p[0] << 8 | p[1];

        if (len == 0 || len > n - 2) {
            u->damaged = true;
            return;
        }
        begin_nal(u, p + 2, len);
        p += 2 + len;
        n -= 2 + len;
    }
}

/* A part of a NAL unit, whose header is in nal and which begins at off. */
static void take_fragment(struct rtp_unpack *u, uint8_t bits,
                          const uint8_t *nal, size_t n_nal, struct slice rest)
{
    if (bits & FU_START) {
        u->damaged |= u->fragment;
        begin_nal(u, nal, n_nal);
    } else if (!u->fragment) {
        u->damaged = true; /* its beginning is missing */
    }
    append(u, rest.p, rest.n);
    u->fragment = !(bits & FU_END);
}

static void take_h264(struct rtp_unpack *u, const uint8_t *p, size_t n)
{
    unsigned type = p[0] & 31;
    size_t head = type == H264_FU_B ? 4 : 2; /* with the DON */
    uint8_t nal;

    if (type >= 1 && type < H264_STAP_A) {
        begin_nal(u, p, n);
    } else if (type == H264_STAP_A) {
        take_aggregate(u, p + 1, n - 1);
    } else if (type == H264_STAP_B && n > 3) {
        take_aggregate(u, p + 3, n - 3);
    } else if ((type == H264_FU_A || type == H264_FU_B) && n > head) {
        nal = (uint8_t)((p[0] & 0xe0) | (p[1] & 31));
        take_fragment(u, p[1], &nal, 1,
                      slice_of((const char *)p + head, n - head));
    } /* the rest is interleaved, or not defined */
}

static void take_h265(struct rtp_unpack *u, const uint8_t *p, size_t n)
{
    unsigned type = p[0] >> 1 & 63;
    uint8_t nal[2];

    if (n < 3)
        return;
    if (type < H265_AP) {
        begin_nal(u, p, n);
    } else if (type == H265_AP) {
        take_aggregate(u, p + 2, n - 2);
    } else if (type == H265_FU) {
        nal[0] = (uint8_t)((p[0] & 0x81) | (p[2] & 63) << 1);
        nal[1] = p[1];
        take_fragment(u, p[2], nal, sizeof(nal),
                      slice_of((const char *)p + 3, n - 3));
    }
}

static void end_unit(struct rtp_unpack *u)
{
    if (u->damaged || u->fragment) {
        u->lost = true;
        u->n = 0;
    } else {
        give(u, false);
    }
    u->fragment = u->open = u->damaged = u->key = false;
}

void rtp_unpack_feed(struct rtp_unpack *u, const struct rtp_unpack_packet *pkt)
{
    if (pkt->gap) {
        u->damaged |= u->open;
        u->lost = true;
    }
    if (u->open && u->ts != pkt->ts)
        end_unit(u);
    if (pkt->n == 0)
        return;
    u->open = true;
    u->ts = pkt->ts;
    if (u->kind == RTP_KIND_H264)
        take_h264(u, pkt->p, pkt->n);
    else if (u->kind == RTP_KIND_H265)
        take_h265(u, pkt->p, pkt->n);
    else
        append(u, pkt->p, pkt->n);
    if (pkt->marker && !u->fragment)
        end_unit(u);
}

void rtp_unpack_flush(struct rtp_unpack *u)
{
    if (u->open && !u->fragment)
        end_unit(u);
}
