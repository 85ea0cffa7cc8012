/* rtp/kind.h - what the payloads of one payload type really are: the
 * SDP is the starting assumption, the bytes decide
 *
 * The caller keeps the payloads it feeds until a decision comes, at most
 * RTP_KIND_PACKETS or RTP_KIND_WAIT_MS, and replays them. */
#ifndef RTP_KIND_H
#define RTP_KIND_H

#include "base/slice.h"

#define RTP_KIND_PACKETS 64
#define RTP_KIND_WAIT_MS 2000

#define RTP_KIND_MAP(X)                                                        \
    X(UNKNOWN,  "unknown")                                                     \
    X(PS,       "ps")                                                          \
    X(TS,       "ts")                                                          \
    X(ANNEXB_H264, "annexb-h264") /* start codes in RTP: broken, readable */   \
    X(ANNEXB_H265, "annexb-h265")                                              \
    X(H264,     "h264")  /* RFC 6184 */                                        \
    X(H265,     "h265")  /* RFC 7798 */                                        \
    X(MPEG4,    "mpeg4") /* by SDP only */                                     \
    X(SVAC,     "svac")  /* by SDP only */                                     \
    X(PCMA,     "pcma")                                                        \
    X(PCMU,     "pcmu")                                                        \
    X(G722,     "g722.1")                                                      \
    X(G723,     "g723.1")                                                      \
    X(G729,     "g729")                                                        \
    X(SVAC_AUDIO, "svac-audio")                                                \
    X(ADTS,     "adts")  /* AAC with headers: broken, readable */              \
    X(AAC,      "aac")   /* RFC 3640 */                                        \
    X(PRIVATE,  "private") /* vendor frames: not decodable */

enum rtp_kind {
#define X(id, name) RTP_KIND_##id,
    RTP_KIND_MAP(X)
#undef X
    RTP_KIND_COUNT
};

const char *rtp_kind_name(enum rtp_kind kind);

/* The kind that an encoding name and payload type of the SDP announce;
 * encoding may be empty: the standard's table. A vendor's name
 * (DAHUA, HIKVISION) is tried as PS. UNKNOWN: says nothing. */
enum rtp_kind rtp_kind_of(uint8_t pt, struct slice encoding);

enum rtp_kind_state {
    RTP_KIND_OPEN,    /* keep the payloads, feed more */
    RTP_KIND_DECIDED, /* a rule has fired: kind holds */
    RTP_KIND_ASSUMED, /* no rule fired in time: the SDP's ES or raw audio */
    RTP_KIND_FAILED   /* unknown payload: report, count, drop, feed on */
};

/* Caller storage, one for each payload type of a session. */
struct rtp_kind_test {
    enum rtp_kind_state state; /* public */
    enum rtp_kind kind;        /* public: meaningful once not OPEN */
    enum rtp_kind hint;        /* of the SDP */
    uint8_t pt;
    uint16_t packets;
    uint64_t first_ms;
    bool any;                  /* the four below are those of a packet */
    uint16_t last_seq;
    uint32_t last_ts;
    size_t last_n;
    uint8_t fu264, fu265;      /* a fragment run is open: its type + 1 */
    uint8_t ts_run, raw_run;   /* packets in a row that look so */
};

void rtp_kind_init(struct rtp_kind_test *t, uint8_t pt, enum rtp_kind hint);

/* One payload in sequence order. The state only moves out of OPEN, and from
 * FAILED to DECIDED. */
enum rtp_kind_state rtp_kind_feed(struct rtp_kind_test *t, const uint8_t *p,
                                  size_t n, uint16_t seq, uint32_t ts,
                                  uint64_t now_ms);

/* Whether one payload begins like a program stream: a pack header, or a PES
 * or system header with a plausible head behind it. */
bool rtp_kind_is_ps(const uint8_t *p, size_t n);
#endif
