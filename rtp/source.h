/* rtp/source.h - which packets belong to the session
 *
 * Locks onto one source (address, port, SSRC) and keeps strangers out: a
 * sender of an old session on a port that is used again, another stream with
 * the same number. Follows a NAT that rebinds and a device that restarts. */
#ifndef RTP_SOURCE_H
#define RTP_SOURCE_H

#include "base/addr.h"

#define RTP_SOURCE_SILENCE_MS 3000 /* of the locked source, before a re-lock */
#define RTP_SOURCE_RELOCK 5        /* consecutive packets of a candidate */
#define RTP_SOURCE_NAT_STEP 64     /* seq distance of a moved source */
#define RTP_SOURCE_CANDIDATES 4
#define RTP_SOURCE_ADDRS 4         /* plausible addresses kept */
#define RTP_SOURCE_ELSEWHERE_MS 1000 /* a sender of the expected SSRC from an
                                        address that is not plausible waits so
                                        long; nothing plausible comes then */

enum rtp_ssrc_policy {
    RTP_SSRC_ADOPT,  /* the announced one, else the first from a plausible
                        source */
    RTP_SSRC_STRICT, /* the announced one only */
    RTP_SSRC_IGNORE  /* not compared at all: source address only */
};

enum rtp_verdict {
    RTP_FOREIGN,    /* not ours: drop and count */
    RTP_OURS,
    RTP_OURS_MOVED, /* ours from a new address: NAT rebinding, no gap */
    RTP_OURS_NEW    /* first packet, or another sender than before: flush the
                       queue, discontinuity, wait for a key frame */
};

struct rtp_candidate {
    struct gb_addr from;
    uint32_t ssrc;
    uint16_t next_seq;
    uint16_t run;      /* consecutive packets; 0: slot is free */
    bool mixed;        /* packets of the locked sender came between its own */
    uint64_t since_ms, at_ms; /* its first and its newest packet */
};

/* Caller storage; the fields are read through the functions below, except
 * those marked public. */
struct rtp_source {
    struct gb_addr from;   /* public when locked */
    uint32_t ssrc;         /* public when locked */
    bool locked;
    uint16_t last_seq;
    uint64_t last_ms;
    uint32_t others;       /* packets of others since the last of the locked */
    enum rtp_ssrc_policy policy;
    bool has_expected;
    uint32_t expected;     /* y= */
    bool elsewhere;        /* public when locked: from is not plausible */
    bool has_before, two;  /* two: streams on one socket, none takes over */
    uint32_t before;       /* the SSRC that one of the same address took over */
    uint8_t n_plausible;
    struct gb_addr plausible[RTP_SOURCE_ADDRS];
    struct rtp_candidate cand[RTP_SOURCE_CANDIDATES];
    uint64_t foreign;      /* public: packets refused */
    uint32_t foreign_ssrc; /* public: of the newest one refused */
    uint32_t moves, relocks; /* public */
};

void rtp_source_init(struct rtp_source *s, enum rtp_ssrc_policy policy);

/* The SSRC of y=: of our offer, then of the answer when that differs. A lock
 * onto another SSRC is given up when the expected one shows up. */
void rtp_source_expect(struct rtp_source *s, uint32_t ssrc);

/* An address that packets of the device may come from: where it registered
 * from, c= of its answer. With none every address is plausible. Ports are not
 * compared. From elsewhere only the expected SSRC is taken, after
 * RTP_SOURCE_ELSEWHERE_MS, and it gives way to a plausible sender. Past
 * RTP_SOURCE_ADDRS the one named longest ago goes. */
void rtp_source_allow(struct rtp_source *s, const struct gb_addr *addr);

/* Judges one valid RTP packet. A device that begins anew with another SSRC on
 * its socket is followed after RTP_SOURCE_RELOCK packets without one of the old
 * SSRC in between; when that comes back, they are two streams, and this is not
 * done again. from may be constant (TCP). */
enum rtp_verdict rtp_source_check(struct rtp_source *s,
                                  const struct gb_addr *from, uint32_t ssrc,
                                  uint16_t seq, uint64_t now_ms);

/* rtp_source_check of the next packet of the sender that is locked, as by far
 * most packets are: true, and it is ours. false: nothing was done. */
static inline bool rtp_source_goes_on(struct rtp_source *s,
                                      const struct gb_addr *from, uint32_t ssrc,
                                      uint16_t seq, uint64_t now_ms)
{
    if (!s->locked || ssrc != s->ssrc || (int16_t)(seq - s->last_seq) <= 0 ||
        memcmp(&s->from, from, sizeof(*from)) != 0)
        return false;
    s->last_seq = seq;
    s->last_ms = now_ms;
    s->others = 0;
    return true;
}

/* Whether packets of this sender, which are refused, are counted: it may turn
 * out to be ours. */
bool rtp_source_waits(const struct rtp_source *s, const struct gb_addr *from,
                      uint32_t ssrc);
#endif
