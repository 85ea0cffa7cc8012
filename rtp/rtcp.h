/* rtp/rtcp.h - SR, RR, SDES, BYE (RFC 3550 §6)
 *
 * A datagram is a compound: walk it with rtcp_next. Times are NTP, 32.32. */
#ifndef RTP_RTCP_H
#define RTP_RTCP_H

#include "base/err.h"
#include "base/slice.h"
#include "base/writer.h"

#define RTCP_SR 200
#define RTCP_RR 201
#define RTCP_SDES 202
#define RTCP_BYE 203
#define RTCP_APP 204
#define RTCP_MAX_BLOCKS 31
#define RTCP_MAX_CNAME 255

/* One packet of a compound. */
struct rtcp_packet {
    uint8_t type;     /* 200..223 */
    uint8_t count;    /* reports, chunks or sources, 0..31 */
    bool has_ssrc;
    uint32_t ssrc;    /* of the sender; for SDES and BYE of the first source */
    const uint8_t *body; /* behind the four bytes of header */
    size_t n;         /* bytes of body, without padding */
};

/* Takes the next packet off a compound: *p and *n move past it. false at the
 * end, and when what is left is no RTCP packet (*n is then not 0). */
bool rtcp_next(struct rtcp_packet *out, const uint8_t **p, size_t *n);

struct rtcp_sr {
    uint32_t ssrc;
    uint64_t ntp;
    uint32_t rtp_ts, packets, octets;
};

struct rtcp_block {
    uint32_t ssrc;       /* the source reported on */
    uint8_t fraction;    /* lost since the last report, of 256 */
    int32_t lost;        /* 24 bit, signed */
    uint32_t ext_seq;    /* highest, with cycles */
    uint32_t jitter;     /* in timestamp units */
    uint32_t lsr, dlsr;  /* middle of the last SR's NTP; delay in 1/65536 s */
};

/* GB_ESYNTAX when the packet is of another type or too short. */
int rtcp_sr_parse(struct rtcp_sr *out, const struct rtcp_packet *pkt);

/* The i-th report block of an SR or RR; GB_ENOENT past the last. */
int rtcp_block_parse(struct rtcp_block *out, const struct rtcp_packet *pkt,
                     unsigned i);

/* The CNAME of the first chunk of an SDES packet; GB_ENOENT when absent. */
int rtcp_cname_parse(struct slice *out, const struct rtcp_packet *pkt);

/* Each appends one packet; a compound is several calls, SR or RR first.
 * block may be NULL when n_blocks is 0. Errors stay in w; GB_ERANGE for too
 * many blocks or too long a name. */
void rtcp_sr_write(struct writer *w, const struct rtcp_sr *sr,
                   const struct rtcp_block *block, unsigned n_blocks);
void rtcp_rr_write(struct writer *w, uint32_t ssrc,
                   const struct rtcp_block *block, unsigned n_blocks);
void rtcp_sdes_write(struct writer *w, uint32_t ssrc, struct slice cname);
void rtcp_bye_write(struct writer *w, uint32_t ssrc);

/* NTP 32.32 of milliseconds since 1970; years before 1970 give 0. */
uint64_t rtcp_ntp(int64_t utc_ms);
/* The reverse; what lies before 1970 gives 0. */
int64_t rtcp_utc_ms(uint64_t ntp);
#endif
