#include "rtp/kind.h"

/* A stream that is joined in the middle begins with arbitrary bytes, and 64
 * packets are watched: a rule may fire only on what arbitrary bytes hit less
 * than once in some ten thousand packets. So a parameter set must have a
 * parameter set's size and profile, and fragments count as a whole run. */

#define SPS_MAX 256 /* bytes of a parameter set in a packet of its own */
#define PPS_MAX 64
#define H265_SET_MAX 320
#define PT_SOUND_MAX 23 /* RFC 3551 §6: payload types of sound up to here */

static unsigned be16(const uint8_t *p)
{
    return (unsigned)p[0] << 8 | p[1];
}

/* ---- names ---- */

const char *rtp_kind_name(enum rtp_kind kind)
{
    static const char *const names[RTP_KIND_COUNT] = {
#define X(id, name) [RTP_KIND_##id] = name,
        RTP_KIND_MAP(X)
#undef X
    };

    return kind < RTP_KIND_COUNT ? names[kind] : "unknown";
}

static const struct {
    struct slice name;
    enum rtp_kind kind;
} encodings[] = {
    { SLICE_INIT("PS"), RTP_KIND_PS },
    { SLICE_INIT("MP2P"), RTP_KIND_PS },
    { SLICE_INIT("DAHUA"), RTP_KIND_PS },
    { SLICE_INIT("HIKVISION"), RTP_KIND_PS },
    { SLICE_INIT("MP2T"), RTP_KIND_TS },
    { SLICE_INIT("H264"), RTP_KIND_H264 },
    { SLICE_INIT("H265"), RTP_KIND_H265 },
    { SLICE_INIT("HEVC"), RTP_KIND_H265 },
    { SLICE_INIT("MPEG4"), RTP_KIND_MPEG4 },
    { SLICE_INIT("MPEG-4"), RTP_KIND_MPEG4 },
    { SLICE_INIT("MP4V-ES"), RTP_KIND_MPEG4 },
    { SLICE_INIT("SVAC"), RTP_KIND_SVAC },
    { SLICE_INIT("PCMA"), RTP_KIND_PCMA },
    { SLICE_INIT("PCMU"), RTP_KIND_PCMU },
    { SLICE_INIT("G722"), RTP_KIND_G722 },
    { SLICE_INIT("G7221"), RTP_KIND_G722 },
    { SLICE_INIT("G722.1"), RTP_KIND_G722 },
    { SLICE_INIT("G723"), RTP_KIND_G723 },
    { SLICE_INIT("G723.1"), RTP_KIND_G723 },
    { SLICE_INIT("G729"), RTP_KIND_G729 },
    { SLICE_INIT("SVACA"), RTP_KIND_SVAC_AUDIO },
    { SLICE_INIT("AAC"), RTP_KIND_AAC },
    { SLICE_INIT("MPEG4-GENERIC"), RTP_KIND_AAC },
};

static const struct {
    uint8_t pt;
    enum rtp_kind kind;
} payload_types[] = {
    { 96, RTP_KIND_PS },    { 97, RTP_KIND_MPEG4 },
    { 98, RTP_KIND_H264 },  { 99, RTP_KIND_SVAC },
    { 100, RTP_KIND_H265 }, { 102, RTP_KIND_AAC },
    { 126, RTP_KIND_H264 }, { 33, RTP_KIND_TS },
    { 0, RTP_KIND_PCMU },   { 8, RTP_KIND_PCMA },
    { 4, RTP_KIND_G723 },   { 9, RTP_KIND_G722 },
    { 18, RTP_KIND_G729 },  { 20, RTP_KIND_SVAC_AUDIO },
};

enum rtp_kind rtp_kind_of(uint8_t pt, struct slice encoding)
{
    for (size_t i = 0; i < sizeof(encodings) / sizeof(encodings[0]); i++)
        if (slice_ieq(encoding, encodings[i].name))
            return encodings[i].kind;
    if (encoding.n)
        return RTP_KIND_UNKNOWN;
    for (size_t i = 0; i < sizeof(payload_types) / sizeof(payload_types[0]);
         i++)
        if (payload_types[i].pt == pt)
            return payload_types[i].kind;
    return RTP_KIND_UNKNOWN;
}

/* ---- program and transport streams ---- */

static bool is_pes_id(uint8_t id)
{
    return id == 0xbd || (id >= 0xc0 && id <= 0xef);
}

bool rtp_kind_is_ps(const uint8_t *p, size_t n)
{
    if (n < 4 || p[0] || p[1] || p[2] != 1)
        return false;
    if (p[3] == 0xba)
        return true;
    if (n < 9)
        return false;
    if (p[3] == 0xbb) /* system header: markers, then streams of 3 bytes */
        return be16(p + 4) >= 6 && be16(p + 4) % 3 == 0 && p[6] & 0x80;
    if (p[3] == 0xbc) /* stream map (ISO/IEC 13818-1 §2.5.4) */
        return be16(p + 4) >= 10 && be16(p + 4) <= 1018;
    if (p[3] == 0xbf)
        return be16(p + 4) > 0;
    return is_pes_id(p[3]) && p[6] >> 6 == 2 &&
           (be16(p + 4) == 0 || be16(p + 4) >= 3u + p[8]);
}

static bool is_ts(struct rtp_kind_test *t, const uint8_t *p, size_t n)
{
    if (n < 188 || n % 188 || p[0] != 0x47) {
        t->ts_run = 0;
        return false;
    }
    return (n > 188 && p[188] == 0x47) || ++t->ts_run >= 2;
}

/* ---- start codes in RTP ---- */

/* The 4 bytes of an SPS name a profile and a level that there are. */
static bool is_h264_sps(const uint8_t *p)
{
    static const uint8_t profiles[] = { 66, 77, 88, 100, 110, 122, 244, 44 };

    return memchr(profiles, p[1], sizeof(profiles)) && p[3] >= 9 &&
           p[3] <= 62;
}

/* Of what is said to be SVAC: its slices and signatures begin like other sets. */
static enum rtp_kind svac_kind(const uint8_t *p, size_t n)
{
    if (p[0] == 0x40 && p[1] == 1)
        return RTP_KIND_ANNEXB_H265;
    return n >= 4 && (p[0] == 0x27 || p[0] == 0x67) && is_h264_sps(p)
               ? RTP_KIND_ANNEXB_H264
               : RTP_KIND_UNKNOWN;
}

/* Bytes of the start code there; 0: there is none. */
static size_t start_code(const uint8_t *p, size_t n)
{
    return n > 4 && !p[0] && !p[1] && !p[2] && p[3] == 1 ? 4
           : n > 3 && !p[0] && !p[1] && p[2] == 1        ? 3
                                                         : 0;
}

/* Bytes of the access unit delimiter there, which stands before the parameter sets
 * of some encoders (ITU-T H.264 §7.3.2.4, H.265 §7.3.2.5); 0: there is none. */
static size_t delimiter(const uint8_t *p, size_t n)
{
    if (n > 2 && (p[0] & 0x9f) == 9 && (p[1] & 31) == 16)
        return 2;
    return n > 3 && p[0] == 0x46 && p[1] == 1 && (p[2] & 31) == 16 ? 3 : 0;
}

/* Behind a start code: H.264, H.265, or UNKNOWN. The hint decides where the
 * byte alone does not. */
static enum rtp_kind annexb_kind(const struct rtp_kind_test *t,
                                 const uint8_t *p, size_t n)
{
    size_t at = start_code(p, n), skip = at ? delimiter(p + at, n - at) : 0;

    if (skip && start_code(p + at + skip, n - at - skip))
        at += skip + start_code(p + at + skip, n - at - skip);
    if (at == 0 || n < at + 2 || p[at] & 0x80)
        return RTP_KIND_UNKNOWN;
    if (t->hint == RTP_KIND_SVAC)
        return svac_kind(p + at, n - at);
    if ((p[at] == 0x40 || p[at] == 0x42 || p[at] == 0x44) && p[at + 1] == 1)
        return RTP_KIND_ANNEXB_H265;
    if ((p[at] & 31) == 7 || (p[at] & 31) == 8)
        return RTP_KIND_ANNEXB_H264;
    if (t->hint == RTP_KIND_H264)
        return RTP_KIND_ANNEXB_H264;
    return t->hint == RTP_KIND_H265 ? RTP_KIND_ANNEXB_H265
                                    : RTP_KIND_UNKNOWN;
}

/* ---- vendor private frames (seen: Hikvision platform) ---- */

static bool is_private(const uint8_t *p, size_t n)
{
    static const uint8_t head[4] = { 1, 0, 0, 0 }, mark[4] = { 1, 16, 0, 0 };

    return n >= 28 && memcmp(p, head, 4) == 0 && p[12] <= 1 &&
           memcmp(p + 13, mark + 1, 3) == 0 && memcmp(p + 16, mark, 4) == 0 &&
           (p[24] == 1 || p[24] == 3 || p[24] == 6) &&
           memcmp(p + 25, mark + 1, 3) == 0;
}

/* ---- RFC 6184 ---- */

static bool is_h264_set(const uint8_t *p, size_t n)
{
    if (n < 3 || p[0] & 0x80 || (p[0] & 0x60) == 0)
        return false;
    if ((p[0] & 31) == 8)
        return n <= PPS_MAX;
    if ((p[0] & 31) != 7 || n < 5 || n > SPS_MAX)
        return false;
    return is_h264_sps(p);
}

typedef bool nal_fn(const uint8_t *p, size_t n);

/* NAL units with 16-bit lengths that fill p exactly, one of them a parameter
 * set: STAP-A and AP. */
static bool holds_set(const uint8_t *p, size_t n, nal_fn *is_set)
{
    bool any = false;

    while (n > 2) {
        size_t len = be16(p);

        if (len == 0 || len > n - 2)
            return false;
        any = any || is_set(p + 2, len);
        p += 2 + len;
        n -= 2 + len;
    }
    return n == 0 && any;
}

/* One fragment header; true when it ends a run that began with S. open holds
 * the type + 1 of the run. */
static bool ends_run(uint8_t *open, bool next, uint8_t fu, uint8_t type)
{
    bool s = fu & 0x80, e = fu & 0x40, whole;

    if (s && !e) {
        *open = (uint8_t)(type + 1);
        return false;
    }
    if (s || !next || *open != type + 1) {
        *open = 0;
        return false;
    }
    whole = e;
    if (e)
        *open = 0;
    return whole;
}

static bool is_h264(struct rtp_kind_test *t, const uint8_t *p, size_t n,
                    bool next)
{
    uint8_t type;

    if (n < 3 || p[0] & 0x80 || (p[0] & 31) != 28) {
        t->fu264 = 0;
        if (n > 3 && (p[0] & 0x9f) == 24)
            return holds_set(p + 1, n - 1, is_h264_set);
        return is_h264_set(p, n);
    }
    type = p[1] & 31;
    if (p[1] & 0x20 || type == 0 || type > 8) {
        t->fu264 = 0;
        return false;
    }
    return ends_run(&t->fu264, next, p[1], type);
}

/* ---- RFC 7798 ---- */

static bool is_h265_head(const uint8_t *p, size_t n)
{
    return n >= 3 && (p[0] & 0x81) == 0 && p[1] >> 3 == 0 && p[1] & 7;
}

static bool is_h265_set(const uint8_t *p, size_t n)
{
    unsigned type = n ? p[0] >> 1 : 0;

    return is_h265_head(p, n) && type >= 32 && type <= 34 &&
           n <= H265_SET_MAX;
}

static bool is_h265(struct rtp_kind_test *t, const uint8_t *p, size_t n,
                    bool next)
{
    if (!is_h265_head(p, n) || p[0] >> 1 != 49) {
        t->fu265 = 0;
        if (is_h265_head(p, n) && p[0] >> 1 == 48)
            return holds_set(p + 2, n - 2, is_h265_set);
        return is_h265_set(p, n);
    }
    if ((p[2] & 63) > 34) {
        t->fu265 = 0;
        return false;
    }
    return ends_run(&t->fu265, next, p[2], p[2] & 63);
}

/* ---- audio ---- */

static bool is_raw(struct rtp_kind_test *t, size_t n, bool next, uint32_t ts)
{
    if ((t->pt != 8 && t->pt != 0) || n < 80 || n > 1600 || n % 80) {
        t->raw_run = 0;
        return false;
    }
    if (!next || ts - t->last_ts != t->last_n) {
        t->raw_run = 0;
        return false;
    }
    return ++t->raw_run >= 2;
}

static bool is_adts(const uint8_t *p, size_t n)
{
    size_t len;

    if (n < 7 || p[0] != 0xff || (p[1] & 0xf6) != 0xf0)
        return false;
    len = (size_t)(p[3] & 3) << 11 | (size_t)p[4] << 3 | p[5] >> 5;
    if (len < 7 || len > n)
        return false;
    return len == n || (n >= len + 2 && p[len] == 0xff && p[len + 1] == p[1]);
}

/* RFC 3640 §3.3.6, AAC-hbr: one AU header of 13 + 3 bits. */
static bool is_aac(const uint8_t *p, size_t n)
{
    return n > 4 && be16(p) == 16 && be16(p + 2) >> 3 == n - 4;
}

/* ---- the test ---- */

/* Units of RFC 6184 or RFC 7798. Frames of sound are as short as parameter sets, and
 * begin with any byte; units of SVAC begin like them. */
static enum rtp_kind video_kind(struct rtp_kind_test *t, const uint8_t *p,
                                size_t n, bool next)
{
    if (t->pt <= PT_SOUND_MAX || t->hint == RTP_KIND_SVAC)
        return RTP_KIND_UNKNOWN;
    if (is_h264(t, p, n, next))
        return RTP_KIND_H264;
    return is_h265(t, p, n, next) ? RTP_KIND_H265 : RTP_KIND_UNKNOWN;
}

/* The rules, in order; next: seq follows the last one. */
static enum rtp_kind apply_rules(struct rtp_kind_test *t, const uint8_t *p,
                                 size_t n, bool next, uint32_t ts)
{
    enum rtp_kind kind;

    if (rtp_kind_is_ps(p, n))
        return RTP_KIND_PS;
    if (is_ts(t, p, n))
        return RTP_KIND_TS;
    if (t->ts_run)
        return RTP_KIND_UNKNOWN; /* the next one tells */
    kind = annexb_kind(t, p, n);
    if (kind != RTP_KIND_UNKNOWN)
        return kind;
    if (is_private(p, n))
        return RTP_KIND_PRIVATE;
    kind = video_kind(t, p, n, next);
    if (kind != RTP_KIND_UNKNOWN)
        return kind;
    if (is_raw(t, n, next, ts))
        return t->pt == 8 ? RTP_KIND_PCMA : RTP_KIND_PCMU;
    if (is_adts(p, n))
        return RTP_KIND_ADTS;
    return is_aac(p, n) ? RTP_KIND_AAC : RTP_KIND_UNKNOWN;
}

void rtp_kind_init(struct rtp_kind_test *t, uint8_t pt, enum rtp_kind hint)
{
    *t = (struct rtp_kind_test){ .hint = hint, .pt = pt };
}

static void give_up(struct rtp_kind_test *t)
{
    bool vague = t->hint == RTP_KIND_UNKNOWN || t->hint == RTP_KIND_PS ||
                 t->hint == RTP_KIND_TS;

    t->state = vague ? RTP_KIND_FAILED : RTP_KIND_ASSUMED;
    t->kind = vague ? RTP_KIND_UNKNOWN : t->hint;
}

enum rtp_kind_state rtp_kind_feed(struct rtp_kind_test *t, const uint8_t *p,
                                  size_t n, uint16_t seq, uint32_t ts,
                                  uint64_t now_ms)
{
    bool next = t->any && seq == (uint16_t)(t->last_seq + 1);
    enum rtp_kind kind;

    if (t->state == RTP_KIND_DECIDED || t->state == RTP_KIND_ASSUMED)
        return t->state;
    if (!t->any)
        t->first_ms = now_ms;
    kind = apply_rules(t, p, n, next, ts);
    t->any = true;
    t->last_seq = seq;
    t->last_ts = ts;
    t->last_n = n;
    if (kind != RTP_KIND_UNKNOWN) {
        t->kind = kind;
        t->state = RTP_KIND_DECIDED;
    } else if (t->state == RTP_KIND_OPEN &&
               (++t->packets >= RTP_KIND_PACKETS ||
                now_ms - t->first_ms >= RTP_KIND_WAIT_MS)) {
        give_up(t);
    }
    return t->state;
}
