#include "rtp/tcpframe.h"
#include "base/bytes.h"
#include "rtp/packet.h"

#include <string.h>

/* Frames lie one behind the other; each header is tested before its frame is
 * believed, above all by the SSRC:
 *
 *    last           pos
 *     │              │
 *   ──┼─[LL|packet]──┼─[LL|packet][LL|packet]──
 *
 * `last` is the newest frame handed out. When the header at `pos` fails, that
 * frame was cut short by its sender and holds the head of its successors, so
 * the search for SSRCs begins inside it. A place found is believed when the
 * header behind it passes as well. */

#define EHOME_HEAD 256

enum look {
    LOOK_MORE,    /* not enough bytes to tell */
    LOOK_OK,      /* a header with our SSRC (or the first of all) */
    LOOK_FOREIGN, /* a header with another SSRC */
    LOOK_NULL,    /* length 0 (RFC 4571 §2) */
    LOOK_BAD
};

static size_t be16(const uint8_t *p)
{
    return (size_t)p[0] << 8 | p[1];
}

static bool is_v2(uint8_t b)
{
    return b >> 6 == 2;
}

static bool is_rtcp(uint8_t b)
{
    return b >= 192 && b <= 223;
}

/* Bytes in front of a packet. */
static size_t prefix(const struct rtp_tcpframe *f)
{
    return f->mode == RTP_FRAMING_LENGTH ? 2 : 4;
}

static size_t length_at(const struct rtp_tcpframe *f, const uint8_t *p)
{
    return be16(p + prefix(f) - 2);
}

/* Tests an RTCP packet of n bytes, of which at least 8 are there. */
static enum look look_rtcp(const uint8_t *p, size_t n, bool has_ssrc,
                           uint32_t ssrc)
{
    if (p[1] < 200 || p[1] > 207 || n % 4 || (be16(p + 2) + 1) * 4 > n)
        return LOOK_BAD;
    return !has_ssrc || bytes_be32_at(p + 4) == ssrc ? LOOK_OK : LOOK_FOREIGN;
}

/* Tests the frame header at p, of which left bytes are there, against an SSRC
 * and, where that proves little, a payload type. */
static enum look look(const struct rtp_tcpframe *f, const uint8_t *p,
                      size_t left, bool has_ssrc, uint32_t ssrc, uint8_t pt)
{
    size_t pre = prefix(f), n;

    if (left < pre)
        return left && pre == 4 && p[0] != '$' ? LOOK_BAD : LOOK_MORE;
    if (pre == 4 && p[0] != '$')
        return LOOK_BAD;
    n = length_at(f, p);
    if (n == 0)
        return LOOK_NULL;
    if (n < 8)
        return LOOK_BAD;
    p += pre;
    left -= pre;
    if (left && !is_v2(p[0]))
        return LOOK_BAD;
    if (left < 8)
        return LOOK_MORE;
    if (is_rtcp(p[1]))
        return look_rtcp(p, n, has_ssrc, ssrc);
    if (n < RTP_HEADER_BYTES + (size_t)(p[0] & 15) * 4)
        return LOOK_BAD;
    if (left < RTP_HEADER_BYTES)
        return LOOK_MORE;
    if (!has_ssrc)
        return LOOK_OK;
    if (bytes_be32_at(p + 8) != ssrc)
        return LOOK_FOREIGN;
    /* bytes of 0 are everywhere */
    return ssrc || (p[1] & 0x7f) == pt ? LOOK_OK : LOOK_FOREIGN;
}

/* Whether the frame at `at` is followed by a header of ssrc; RTCP of whatever
 * SSRC will do. */
static enum look follows(const struct rtp_tcpframe *f, const uint8_t *buf,
                         size_t len, size_t at, uint32_t ssrc)
{
    size_t next = at + prefix(f) + length_at(f, buf + at);
    uint8_t pt = buf[at + prefix(f) + 1] & 0x7f;
    enum look l;

    if (next >= len)
        return LOOK_MORE;
    l = look(f, buf + next, len - next, true, ssrc, pt);
    if (l == LOOK_FOREIGN && is_rtcp(buf[next + prefix(f) + 1]))
        return LOOK_OK;
    return l == LOOK_NULL || l == LOOK_FOREIGN ? LOOK_BAD : l;
}

/* ---- the search ---- */

struct search {
    size_t from, len;
    bool proof;     /* a frame behind the one found is asked for */
    size_t at;      /* out: the frame */
    size_t pending; /* out: bytes from here on are undecided */
    size_t need;    /* out: length that decides the first of them */
    unsigned fails; /* out: candidates that nothing proper follows */
};

/* Where the next frame may begin, from s->from on: SIZE_MAX when none does. */
static size_t next_candidate(const struct rtp_tcpframe *f, const uint8_t *buf,
                             size_t from, size_t len)
{
    size_t pre = prefix(f), min = pre + RTP_HEADER_BYTES;
    uint8_t s[4] = { (uint8_t)(f->ssrc >> 24), (uint8_t)(f->ssrc >> 16),
                     (uint8_t)(f->ssrc >> 8), (uint8_t)f->ssrc };
    const uint8_t *p, *end;

    if (len < min || from > len - min)
        return SIZE_MAX;
    if (!f->confirmed)
        return from;
    end = buf + len - 3;
    for (p = buf + from + pre + 8; p < end; p++) {
        p = memchr(p, s[0], (size_t)(end - p));
        if (!p)
            break;
        if (memcmp(p, s, 4) == 0)
            return (size_t)(p - buf) - pre - 8;
    }
    return SIZE_MAX;
}

/* Judges one candidate: LOOK_OK, LOOK_MORE or LOOK_BAD. */
static enum look judge(const struct rtp_tcpframe *f, const uint8_t *buf,
                       size_t at, struct search *s)
{
    const uint8_t *p = buf + at + prefix(f);
    uint32_t ssrc = bytes_be32_at(p + 8);
    enum look l = look(f, buf + at, s->len - at, true, ssrc, p[1] & 0x7f);
    size_t n = length_at(f, buf + at), end = at + prefix(f) + n;
    struct rtp_packet pkt;

    if (l != LOOK_OK || is_rtcp(p[1]))
        return LOOK_BAD;
    if (!f->confirmed && n > RTP_TCPFRAME_USUAL)
        return LOOK_BAD;
    if (end <= s->len && rtp_packet_parse(&pkt, p, n))
        return LOOK_BAD;
    l = follows(f, buf, s->len, at, ssrc);
    if (l == LOOK_MORE && !s->proof && f->confirmed && end <= s->len)
        return LOOK_OK;
    s->fails += l == LOOK_BAD && f->confirmed && s->pending == SIZE_MAX;
    return l;
}

/* The first proven frame; false when there is none yet. */
static bool search(const struct rtp_tcpframe *f, const uint8_t *buf,
                   struct search *s)
{
    size_t tail = prefix(f) + RTP_HEADER_BYTES - 1;
    size_t at = s->from;

    s->pending = SIZE_MAX;
    while ((at = next_candidate(f, buf, at, s->len)) != SIZE_MAX) {
        switch (judge(f, buf, at, s)) {
        case LOOK_OK:
            s->at = at;
            return true;
        case LOOK_MORE:
            if (s->pending == SIZE_MAX) {
                s->pending = at;
                s->need = at + 2 * prefix(f) + length_at(f, buf + at) +
                          RTP_HEADER_BYTES;
            }
            break;
        case LOOK_FOREIGN:
        case LOOK_NULL:
        case LOOK_BAD:
            break;
        }
        at++;
    }
    if (s->pending == SIZE_MAX) {
        s->pending = s->len > tail ? s->len - tail : 0;
        s->need = s->len + RTP_TCPFRAME_SCAN_STEP;
    }
    if (s->pending < s->from)
        s->pending = s->from;
    return false;
}

static void found(struct rtp_tcpframe *f, const uint8_t *buf, size_t at)
{
    const uint8_t *p = buf + at + prefix(f);

    f->ssrc = bytes_be32_at(p + 8);
    f->has_ssrc = f->confirmed = true;
    f->pt = p[1] & 0x7f;
    if (at > f->last)
        f->skipped_bytes += at - f->last;
    f->pos = f->last = at;
    f->lost = false;
    f->gap = true;
    f->scanned = 0;
    f->fails = 0;
    f->lost_bytes = 0;
    f->resyncs++;
}

/* A search that found nothing is not repeated for each byte that comes: only
 * for a good number of them, or when they decide a candidate with our SSRC. */
static bool may_search(const struct rtp_tcpframe *f, size_t len, bool proof)
{
    return f->scanned == 0 || len - f->scanned >= RTP_TCPFRAME_SCAN_STEP ||
           !proof || (f->confirmed && len >= f->need);
}

/* Framing is lost: 0 when found again. */
static int resync(struct rtp_tcpframe *f, const uint8_t *buf, size_t len,
                  bool proof)
{
    struct search s = { .from = f->last + 1, .len = len, .proof = proof };

    if (!may_search(f, len, proof)) {
        if (!f->confirmed && f->need < f->scanned + RTP_TCPFRAME_SCAN_STEP)
            f->need = f->scanned + RTP_TCPFRAME_SCAN_STEP;
        return GB_EAGAIN;
    }
    f->scanned = len;
    if (search(f, buf, &s)) {
        found(f, buf, s.at);
        return 0;
    }
    f->fails += s.fails;
    if (s.pending > f->last + 1) {
        f->lost_bytes += s.pending - f->last - 1;
        f->skipped_bytes += s.pending - f->last - 1;
        f->last = s.pending - 1;
    }
    f->need = s.need;
    return f->lost_bytes > RTP_TCPFRAME_MAX_LOST ||
                   f->fails > RTP_TCPFRAME_MAX_FAILS
               ? GB_ELIMIT
               : GB_EAGAIN;
}

static void lose(struct rtp_tcpframe *f)
{
    f->lost = true;
    f->scanned = 0;
}

/* ---- frames ---- */

/* EHome: whether each packet has one byte 0D behind its header is decided by
 * the first; the first one without it ends that. */
static void close_stray(struct rtp_tcpframe *f, uint8_t *p,
                        struct rtp_frame *out)
{
    bool has = out->n > RTP_HEADER_BYTES && p[0] == 0x80 &&
               p[RTP_HEADER_BYTES] == 0x0d;

    if (f->mode != RTP_FRAMING_EHOME || out->kind != RTP_FRAME_RTP)
        return;
    f->stray = f->stray_known ? f->stray && has : has;
    f->stray_known = true;
    if (!f->stray)
        return;
    memmove(p + 1, p, RTP_HEADER_BYTES);
    out->p++;
    out->n--;
}

static void note_ssrc(struct rtp_tcpframe *f, const uint8_t *p, bool ours)
{
    uint32_t ssrc = bytes_be32_at(p + 8);

    if (ours) {
        f->confirmed = f->confirmed || f->has_ssrc;
        f->has_ssrc = true;
        f->ssrc = ssrc;
        f->pt = p[1] & 0x7f;
        f->n_foreign = 0;
        return;
    }
    f->n_foreign = f->foreign == ssrc ? (uint8_t)(f->n_foreign + 1) : 1;
    f->foreign = ssrc;
    if (f->n_foreign >= RTP_TCPFRAME_FOREIGN) {
        f->ssrc = ssrc; /* the sender has changed it */
        f->pt = p[1] & 0x7f;
        f->confirmed = true;
        f->n_foreign = 0;
    }
}

/* Hands out the complete frame at pos. */
static void deliver(struct rtp_tcpframe *f, uint8_t *buf, bool ours,
                    struct rtp_frame *out)
{
    uint8_t *p = buf + f->pos + prefix(f);
    size_t n = length_at(f, buf + f->pos);

    *out = (struct rtp_frame){ is_rtcp(p[1]) ? RTP_FRAME_RTCP : RTP_FRAME_RTP,
                               f->gap, p, n };
    if (out->kind == RTP_FRAME_RTP)
        note_ssrc(f, p, ours);
    close_stray(f, p, out);
    f->gap = false;
    f->nulls = 0;
    f->scanned = 0;
    f->frames++;
    f->last = f->pos;
    f->pos += prefix(f) + n;
}

/* Whether a frame is found that begins before the one at pos ends: what seems
 * to be a header there is payload. *pending: one may yet turn out to. */
static bool hidden_frame(const struct rtp_tcpframe *f, const uint8_t *buf,
                         struct search *s, bool *pending)
{
    size_t end = f->pos + prefix(f) + length_at(f, buf + f->pos);
    bool hit = search(f, buf, s);

    *pending = !hit && f->confirmed && s->pending < f->pos;
    return hit && s->at < end;
}

/* The header at pos has another SSRC: it is believed when a proper one
 * follows, and when it does not lie inside a frame with our own. LOOK_NULL:
 * look again, at the place found. */
static enum look settle_foreign(struct rtp_tcpframe *f, const uint8_t *buf,
                                size_t len, bool proof)
{
    const uint8_t *p = buf + f->pos + prefix(f);
    struct search s = { .from = f->last + 1, .len = len, .proof = proof };
    bool pending = false;
    enum look l;

    if (length_at(f, buf + f->pos) > RTP_TCPFRAME_USUAL)
        return LOOK_BAD;
    l = follows(f, buf, len, f->pos, f->ssrc);
    if (l == LOOK_BAD && !is_rtcp(p[1]))
        l = follows(f, buf, len, f->pos, bytes_be32_at(p + 8));
    if (l == LOOK_BAD)
        return l;
    if (l == LOOK_OK || may_search(f, len, proof)) {
        f->scanned = len;
        if (hidden_frame(f, buf, &s, &pending)) {
            found(f, buf, s.at);
            return LOOK_NULL;
        }
    }
    if (l == LOOK_OK && !pending)
        return l;
    f->need = pending ? s.need
                      : f->pos + 2 * prefix(f) +
                            length_at(f, buf + f->pos) + RTP_HEADER_BYTES;
    return LOOK_MORE;
}

/* A header has passed: the frame when it is complete and sound. */
static int accept(struct rtp_tcpframe *f, uint8_t *buf, size_t len, bool ours,
                  struct rtp_frame *out)
{
    const uint8_t *p = buf + f->pos + prefix(f);
    size_t n = length_at(f, buf + f->pos), end = f->pos + prefix(f) + n;
    struct rtp_packet pkt;

    if (end > len) {
        if (ours && f->confirmed)
            f->last = f->pos; /* the frame before was whole */
        f->need = end;
        return GB_EAGAIN;
    }
    if (!is_rtcp(p[1]) && rtp_packet_parse(&pkt, p, n)) {
        lose(f);
        return GB_ESYNTAX;
    }
    deliver(f, buf, ours, out);
    return 0;
}

/* One step of the two framings with lengths. 0: *out; GB_ESYNTAX: no frame
 * yet, step again; GB_EAGAIN; GB_ELIMIT. */
static int step(struct rtp_tcpframe *f, uint8_t *buf, size_t len, bool proof,
                struct rtp_frame *out)
{
    bool ours = true;
    enum look l;
    int err;

    if (f->lost) {
        err = resync(f, buf, len, proof);
        if (err)
            return err;
    }
    l = f->pos < len
            ? look(f, buf + f->pos, len - f->pos, f->has_ssrc, f->ssrc, f->pt)
            : LOOK_MORE;
    if (l == LOOK_MORE)
        f->need = f->pos + prefix(f) + RTP_HEADER_BYTES;
    if (l == LOOK_NULL && ++f->nulls <= RTP_TCPFRAME_MAX_NULLS) {
        f->pos += prefix(f);
        return GB_ESYNTAX;
    }
    if (l == LOOK_FOREIGN) {
        ours = false;
        l = settle_foreign(f, buf, len, proof);
        if (l == LOOK_NULL)
            return GB_ESYNTAX;
    }
    if (l == LOOK_MORE)
        return GB_EAGAIN;
    if (l == LOOK_OK)
        return accept(f, buf, len, ours, out);
    lose(f);
    return GB_ESYNTAX;
}

/* ---- RTP without lengths ---- */

/* The header that ends the packet at pos: same SSRC and payload type, the next
 * sequence number. SIZE_MAX: not there. */
static size_t bare_end(const struct rtp_tcpframe *f, const uint8_t *buf,
                       size_t len)
{
    const uint8_t *h = buf + f->pos;
    size_t at = f->pos + RTP_HEADER_BYTES;

    if (f->scanned > at)
        at = f->scanned;
    for (; at + RTP_HEADER_BYTES <= len; at++)
        if (is_v2(buf[at]) && !((buf[at + 1] ^ h[1]) & 0x7f) &&
            bytes_be32_at(buf + at + 8) == bytes_be32_at(h + 8) &&
            be16(buf + at + 2) == ((be16(h + 2) + 1) & 0xffff))
            return at;
    return SIZE_MAX;
}

static int next_bare(struct rtp_tcpframe *f, const uint8_t *buf, size_t len,
                     bool end, struct rtp_frame *out)
{
    size_t at;

    f->need = f->pos + 2 * RTP_HEADER_BYTES;
    if (len - f->pos < RTP_HEADER_BYTES)
        return GB_EAGAIN;
    at = bare_end(f, buf, len);
    if (at == SIZE_MAX && end)
        at = len;
    if (at != SIZE_MAX && at - f->pos > RTP_MAX_BYTES)
        return GB_ELIMIT;
    if (at == SIZE_MAX) {
        if (len - f->pos > RTP_MAX_BYTES + RTP_HEADER_BYTES)
            return GB_ELIMIT;
        if (len - f->pos > 2 * RTP_HEADER_BYTES)
            f->scanned = len - RTP_HEADER_BYTES + 1;
        f->need = len + 1;
        return GB_EAGAIN;
    }
    *out = (struct rtp_frame){ RTP_FRAME_RTP, f->gap, buf + f->pos,
                               at - f->pos };
    f->pos = f->last = at;
    f->scanned = 0;
    f->frames++;
    return 0;
}

/* ---- which framing ---- */

static bool plausible_pt(uint8_t b)
{
    uint8_t pt = b & 0x7f;

    return pt <= 34 || pt >= 96;
}

static int set_mode(struct rtp_tcpframe *f, enum rtp_framing mode, size_t skip)
{
    f->mode = mode;
    f->pos += skip;
    f->last = f->pos;
    f->nulls = 0;
    f->scanned = 0;
    return 0;
}

/* Waits until n bytes are there. */
static int want(struct rtp_tcpframe *f, size_t n)
{
    f->need = f->pos + n;
    return GB_EAGAIN;
}

/* 01 00: a frame of 256 bytes, or the private header of EHome. */
static int detect_256(struct rtp_tcpframe *f, const uint8_t *p, size_t left)
{
    struct rtp_tcpframe as = { .mode = RTP_FRAMING_LENGTH };

    if (left <= EHOME_HEAD)
        return want(f, EHOME_HEAD + 5);
    if (p[EHOME_HEAD] != '$')
        return is_v2(p[2]) ? set_mode(f, RTP_FRAMING_LENGTH, 0) : GB_ESYNTAX;
    if (left < EHOME_HEAD + 5)
        return want(f, EHOME_HEAD + 5);
    if (is_v2(p[2])) {
        /* the packet may happen to hold '$' there: its successor tells */
        switch (follows(&as, p, left, 0, bytes_be32_at(p + 10))) {
        case LOOK_MORE:
            return want(f, EHOME_HEAD + 2 + 2 + RTP_HEADER_BYTES);
        case LOOK_OK:
            return set_mode(f, RTP_FRAMING_LENGTH, 0);
        case LOOK_FOREIGN:
        case LOOK_NULL:
        case LOOK_BAD:
            break;
        }
    }
    if (is_v2(p[EHOME_HEAD + 4]))
        return set_mode(f, RTP_FRAMING_EHOME, EHOME_HEAD);
    return is_v2(p[2]) ? set_mode(f, RTP_FRAMING_LENGTH, 0) : GB_ESYNTAX;
}

/* A first length above the usual, or RTP without any: the second header
 * tells, and is looked for in what is new. */
static int detect_rare(struct rtp_tcpframe *f, const uint8_t *p, size_t left)
{
    struct rtp_tcpframe as = { .mode = RTP_FRAMING_LENGTH };
    bool bare = is_v2(p[0]) && plausible_pt(p[1]) && !is_rtcp(p[1]);
    bool large = be16(p) > RTP_TCPFRAME_USUAL && is_v2(p[2]);

    if (!large)
        return bare ? set_mode(f, RTP_FRAMING_BARE, 0) : GB_ESYNTAX;
    if (left < 2 + RTP_HEADER_BYTES)
        return want(f, 2 + RTP_HEADER_BYTES);
    as.scanned = f->scanned > f->pos ? f->scanned - f->pos : 0;
    if (bare && bare_end(&as, p, left) != SIZE_MAX)
        return set_mode(f, RTP_FRAMING_BARE, 0);
    switch (follows(&as, p, left, 0, bytes_be32_at(p + 10))) {
    case LOOK_MORE:
        f->scanned = f->pos + left - RTP_HEADER_BYTES + 1;
        return want(f, be16(p) + 4 + RTP_HEADER_BYTES);
    case LOOK_OK:
        return set_mode(f, RTP_FRAMING_LENGTH, 0);
    case LOOK_FOREIGN:
    case LOOK_NULL:
    case LOOK_BAD:
        break;
    }
    return bare ? set_mode(f, RTP_FRAMING_BARE, 0) : GB_ESYNTAX;
}

static int detect_length(struct rtp_tcpframe *f, const uint8_t *p,
                         size_t left)
{
    size_t n = be16(p);

    if (p[0] == '$' && be16(p + 2) >= 8 &&
        be16(p + 2) <= RTP_TCPFRAME_USUAL && is_v2(p[4]))
        return set_mode(f, RTP_FRAMING_DOLLAR, 0);
    if (n == EHOME_HEAD && p[2] >= 1)
        return detect_256(f, p, left);
    if (n <= RTP_TCPFRAME_USUAL && is_v2(p[2]) &&
        n >= (is_rtcp(p[3]) ? 8u : RTP_HEADER_BYTES))
        return set_mode(f, RTP_FRAMING_LENGTH, 0);
    return detect_rare(f, p, left);
}

static int detect(struct rtp_tcpframe *f, const uint8_t *buf, size_t len)
{
    static const uint8_t pack[4] = { 0, 0, 1, 0xba };

    while (len - f->pos >= 5) {
        const uint8_t *p = buf + f->pos;

        if (memcmp(p, pack, 4) == 0)
            return set_mode(f, RTP_FRAMING_PS, 0);
        if (be16(p))
            return detect_length(f, p, len - f->pos);
        if (++f->nulls > RTP_TCPFRAME_MAX_NULLS)
            return GB_ESYNTAX;
        f->pos += 2;
        f->last = f->pos;
    }
    return want(f, 5);
}

/* ---- public ---- */

void rtp_tcpframe_init(struct rtp_tcpframe *f,
                       const struct rtp_tcpframe_options *opt)
{
    *f = (struct rtp_tcpframe){ .need = RTP_HEADER_BYTES };
    if (!opt)
        return;
    f->mode = opt->mode;
    f->has_ssrc = f->confirmed = opt->has_ssrc;
    f->ssrc = opt->ssrc;
}

void rtp_tcpframe_expect(struct rtp_tcpframe *f, uint32_t ssrc)
{
    if (f->frames)
        return; /* the bytes have spoken */
    f->has_ssrc = f->confirmed = true;
    f->ssrc = ssrc;
}

static int next(struct rtp_tcpframe *f, uint8_t *buf, size_t len, bool end,
                struct rtp_frame *out)
{
    int err;

    if (f->mode == RTP_FRAMING_UNKNOWN) {
        err = detect(f, buf, len);
        if (err)
            return err;
    }
    if (f->mode == RTP_FRAMING_BARE)
        return next_bare(f, buf, len, end, out);
    if (f->mode == RTP_FRAMING_PS) {
        *out = (struct rtp_frame){ RTP_FRAME_PS, false, buf + f->pos,
                                   len - f->pos };
        f->frames++;
        f->pos = f->last = len;
        f->need = len + 1;
        return out->n ? 0 : GB_EAGAIN;
    }
    do
        err = step(f, buf, len, !end, out);
    while (err == GB_ESYNTAX);
    return err;
}

/* The usual frame: whole, of the length framing, with a fixed header alone and
 * the SSRC that is believed. false: nothing was done, the steps shall read it. */
static bool next_plain(struct rtp_tcpframe *f, const uint8_t *buf, size_t len,
                       struct rtp_frame *out)
{
    const uint8_t *p = buf + f->pos;
    size_t n;

    if (f->mode != RTP_FRAMING_LENGTH || !f->confirmed || f->lost || !f->ssrc ||
        len < f->pos + 2 + RTP_HEADER_BYTES)
        return false;
    n = be16(p);
    if (n < RTP_HEADER_BYTES || n > len - f->pos - 2 || p[2] != 0x80 ||
        is_rtcp(p[3]) || bytes_be32_at(p + 10) != f->ssrc)
        return false;
    *out = (struct rtp_frame){ RTP_FRAME_RTP, f->gap, p + 2, n };
    f->pt = p[3] & 0x7f;
    f->n_foreign = 0;
    f->gap = false;
    f->nulls = 0;
    f->scanned = 0;
    f->frames++;
    f->last = f->pos;
    f->pos += 2 + n;
    return true;
}

int rtp_tcpframe_next(struct rtp_tcpframe *f, uint8_t *buf, size_t len,
                      size_t cap, struct rtp_frame *out)
{
    int err;

    if (next_plain(f, buf, len, out))
        return 0;
    err = next(f, buf, len, false, out);
    /* rather than outgrow a buffer of full size, let go of the frame before */
    if (err == GB_EAGAIN && !f->lost && cap >= RTP_TCPFRAME_CAP &&
        f->need - f->last > cap)
        f->last = f->pos;
    return err;
}

int rtp_tcpframe_end(struct rtp_tcpframe *f, uint8_t *buf, size_t len,
                     struct rtp_frame *out)
{
    return next(f, buf, len, true, out);
}

size_t rtp_tcpframe_done(const struct rtp_tcpframe *f)
{
    return f->last;
}

void rtp_tcpframe_shift(struct rtp_tcpframe *f, size_t n)
{
    f->pos -= n < f->pos ? n : f->pos;
    f->last -= n;
    f->scanned = f->scanned > n ? f->scanned - n : 0;
    f->need = f->need > n ? f->need - n : 0;
}

size_t rtp_tcpframe_need(const struct rtp_tcpframe *f)
{
    return f->need > f->last ? f->need - f->last : 0;
}
