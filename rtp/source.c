#include "rtp/source.h"

void rtp_source_init(struct rtp_source *s, enum rtp_ssrc_policy policy)
{
    *s = (struct rtp_source){ .policy = policy };
}

void rtp_source_expect(struct rtp_source *s, uint32_t ssrc)
{
    s->has_expected = true;
    s->expected = ssrc;
    if (s->policy == RTP_SSRC_STRICT && s->ssrc != ssrc)
        s->locked = false; /* the answer named another one */
}

void rtp_source_allow(struct rtp_source *s, const struct gb_addr *addr)
{
    size_t i = 0;

    while (i < s->n_plausible && !gb_addr_ip_eq(&s->plausible[i], addr))
        i++;
    if (i == RTP_SOURCE_ADDRS)
        i = 0;
    if (i < s->n_plausible) {
        s->n_plausible--;
        memmove(s->plausible + i, s->plausible + i + 1,
                (s->n_plausible - i) * sizeof(s->plausible[0]));
    }
    s->plausible[s->n_plausible++] = *addr;
    if (s->locked)
        s->elsewhere = s->elsewhere && !gb_addr_ip_eq(&s->from, addr);
}

static bool is_plausible(const struct rtp_source *s, const struct gb_addr *from)
{
    for (size_t i = 0; i < s->n_plausible; i++)
        if (gb_addr_ip_eq(&s->plausible[i], from))
            return true;
    return s->n_plausible == 0;
}

static bool is_expected(const struct rtp_source *s, uint32_t ssrc)
{
    return s->has_expected && s->expected == ssrc;
}

/* Whether this sender may hold the lock at all. */
static bool may_lock(const struct rtp_source *s, const struct gb_addr *from,
                     uint32_t ssrc)
{
    if (is_expected(s, ssrc))
        return true;
    if (s->policy == RTP_SSRC_STRICT && s->has_expected)
        return false;
    return is_plausible(s, from);
}

static void lock(struct rtp_source *s, const struct gb_addr *from,
                 uint32_t ssrc, uint16_t seq, uint64_t now_ms)
{
    s->locked = true;
    s->from = *from;
    s->elsewhere = !is_plausible(s, from);
    s->ssrc = ssrc;
    s->last_seq = seq;
    s->last_ms = now_ms;
    s->others = 0;
    memset(s->cand, 0, sizeof(s->cand));
}

/* The locked source as far as number and policy tell. */
static bool same_ssrc(const struct rtp_source *s, uint32_t ssrc)
{
    return s->ssrc == ssrc || s->policy == RTP_SSRC_IGNORE;
}

bool rtp_source_waits(const struct rtp_source *s, const struct gb_addr *from,
                      uint32_t ssrc)
{
    for (size_t i = 0; i < RTP_SOURCE_CANDIDATES; i++) {
        const struct rtp_candidate *c = &s->cand[i];

        if (c->run && c->ssrc == ssrc && gb_addr_eq(&c->from, from))
            return true;
    }
    return false;
}

/* The slot of this sender, or the one that has been quiet longest. */
static struct rtp_candidate *candidate(struct rtp_source *s,
                                       const struct gb_addr *from,
                                       uint32_t ssrc, uint64_t now_ms)
{
    struct rtp_candidate *old = &s->cand[0];

    for (size_t i = 0; i < RTP_SOURCE_CANDIDATES; i++) {
        struct rtp_candidate *c = &s->cand[i];

        if (c->run && c->ssrc == ssrc && gb_addr_eq(&c->from, from))
            return c;
        if (c->at_ms < old->at_ms)
            old = c;
    }
    *old = (struct rtp_candidate){ .from = *from, .ssrc = ssrc,
                                   .since_ms = now_ms };
    return old;
}

/* Counts a stranger's run of consecutive packets; true when it is long enough
 * for a lock, and has lasted, when the address is not plausible. */
static bool has_run(struct rtp_source *s, const struct gb_addr *from,
                    uint32_t ssrc, uint16_t seq, uint64_t now_ms)
{
    struct rtp_candidate *c = candidate(s, from, ssrc, now_ms);

    c->mixed = c->mixed || (c->run && s->others == 0);
    if (c->run == 0 || c->next_seq != seq)
        c->run = 0;
    if (c->run < RTP_SOURCE_RELOCK)
        c->run++;
    c->next_seq = (uint16_t)(seq + 1);
    c->at_ms = now_ms;
    s->others++;
    return c->run == RTP_SOURCE_RELOCK &&
           (is_plausible(s, from) ||
            now_ms - c->since_ms >= RTP_SOURCE_ELSEWHERE_MS);
}

/* A plausible sender of the expected SSRC need not wait for the locked one to
 * fall silent, when that is neither plausible nor sends it. */
static bool outranks(const struct rtp_source *s, const struct gb_addr *from,
                     uint32_t ssrc)
{
    return is_expected(s, ssrc) && is_plausible(s, from) &&
           (s->elsewhere || (!is_expected(s, s->ssrc) &&
                             s->policy != RTP_SSRC_IGNORE));
}

/* The locked device goes on under another SSRC: from its very socket, and none
 * of the old one since. A run is at hand. */
static bool took_over(struct rtp_source *s, const struct gb_addr *from,
                      uint32_t ssrc, uint64_t now_ms)
{
    if (s->two || !gb_addr_eq(&s->from, from) ||
        s->others < RTP_SOURCE_RELOCK ||
        candidate(s, from, ssrc, now_ms)->mixed)
        return false;
    s->has_before = true;
    s->before = s->ssrc;
    return true;
}

/* The one that was taken over from is there again. */
static bool is_back(const struct rtp_source *s, const struct gb_addr *from,
                    uint32_t ssrc)
{
    return s->has_before && s->before == ssrc && gb_addr_eq(&s->from, from);
}

static enum rtp_verdict foreign(struct rtp_source *s, uint32_t ssrc)
{
    s->foreign++;
    s->foreign_ssrc = ssrc;
    return RTP_FOREIGN;
}

static enum rtp_verdict ours(struct rtp_source *s, uint16_t seq,
                             uint64_t now_ms)
{
    /* a late packet must not move the point that a NAT move continues from */
    if ((int16_t)(seq - s->last_seq) > 0 ||
        (uint16_t)(s->last_seq - seq) > RTP_SOURCE_NAT_STEP)
        s->last_seq = seq;
    s->last_ms = now_ms;
    s->others = 0;
    return RTP_OURS;
}

static enum rtp_verdict stranger(struct rtp_source *s,
                                 const struct gb_addr *from, uint32_t ssrc,
                                 uint16_t seq, uint64_t now_ms)
{
    uint16_t step = (uint16_t)(seq - s->last_seq);
    bool back = is_back(s, from, ssrc);

    if (ssrc == s->ssrc && step > 0 && step <= RTP_SOURCE_NAT_STEP) {
        s->from = *from;
        s->elsewhere = !is_plausible(s, from);
        s->moves++;
        ours(s, seq, now_ms);
        return RTP_OURS_MOVED;
    }
    if (!may_lock(s, from, ssrc))
        return foreign(s, ssrc);
    if ((outranks(s, from, ssrc) && !back) ||
        (has_run(s, from, ssrc, seq, now_ms) &&
         (now_ms - s->last_ms >= RTP_SOURCE_SILENCE_MS || back ||
          took_over(s, from, ssrc, now_ms)))) {
        s->two = s->two || back;
        s->has_before = s->has_before && !back;
        lock(s, from, ssrc, seq, now_ms);
        s->relocks++;
        return RTP_OURS_NEW;
    }
    return foreign(s, ssrc);
}

enum rtp_verdict rtp_source_check(struct rtp_source *s,
                                  const struct gb_addr *from, uint32_t ssrc,
                                  uint16_t seq, uint64_t now_ms)
{
    if (!s->locked) {
        if (!may_lock(s, from, ssrc) ||
            (!is_plausible(s, from) && !has_run(s, from, ssrc, seq, now_ms)))
            return foreign(s, ssrc);
        lock(s, from, ssrc, seq, now_ms);
        return RTP_OURS_NEW;
    }
    if (same_ssrc(s, ssrc) && gb_addr_eq(&s->from, from)) {
        if (ssrc != s->ssrc)
            s->ssrc = ssrc; /* IGNORE: follow it, for RTCP */
        return ours(s, seq, now_ms);
    }
    return stranger(s, from, ssrc, seq, now_ms);
}
