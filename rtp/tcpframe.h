/* rtp/tcpframe.h - RTP and RTCP packets out of a TCP stream: two-byte lengths
 * (RFC 4571), the other framings devices use, and the way back
 * after a device has lost count
 *
 * Works in place: the caller owns one receive buffer, reads to its end, and
 * frames are handed out as pointers into it. A large read yields many frames
 * and no copy.
 *
 *   n = read(fd, buf + len, cap - len); len += n;
 *   while ((err = rtp_tcpframe_next(f, buf, len, cap, &frame)) == 0)
 *       use(frame);
 *   if (err != GB_EAGAIN) close;
 *   done = rtp_tcpframe_done(f);      // bytes at the front not needed
 *   ... when room is short, move buf[done..len) to the front of this or
 *   another buffer, len -= done, rtp_tcpframe_shift(f, done) ...
 *   ... when rtp_tcpframe_need(f) > cap, take a larger buffer ...
 *
 * The bytes of the last frame stay needed until the header behind it has been
 * tested: a truncated frame swallows the head of its successors, and they are
 * found again there. */
#ifndef RTP_TCPFRAME_H
#define RTP_TCPFRAME_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RTP_TCPFRAME_CAP 65560         /* a buffer of this need not grow */
#define RTP_TCPFRAME_USUAL 10240       /* longer first frames are verified */
#define RTP_TCPFRAME_MAX_NULLS 1024    /* null packets in a row */
#define RTP_TCPFRAME_MAX_LOST (256u << 10) /* bytes without framing: close */
#define RTP_TCPFRAME_MAX_FAILS 16      /* unsuccessful candidates: close */
#define RTP_TCPFRAME_SCAN_STEP 256     /* new bytes before another search */
#define RTP_TCPFRAME_FOREIGN 5         /* frames of another SSRC: follow it */

enum rtp_framing {
    RTP_FRAMING_UNKNOWN, /* too few bytes yet */
    RTP_FRAMING_LENGTH,  /* RFC 4571 */
    RTP_FRAMING_DOLLAR,  /* '$', channel, length (RTSP interleaved) */
    RTP_FRAMING_EHOME,   /* 256 bytes, then '$' frames */
    RTP_FRAMING_BARE,    /* RTP packets without length */
    RTP_FRAMING_PS       /* program stream without RTP */
};

enum rtp_frame_kind { RTP_FRAME_RTP, RTP_FRAME_RTCP, RTP_FRAME_PS };

struct rtp_frame {
    enum rtp_frame_kind kind;
    bool gap;          /* framing was lost before this frame */
    const uint8_t *p;  /* one packet (PS: any bytes), in the buffer */
    size_t n;
};

struct rtp_tcpframe_options {
    bool has_ssrc;  /* the session's SSRC is known */
    uint32_t ssrc;  /* y= */
    enum rtp_framing mode; /* UNKNOWN: find out; else taken as given */
};

/* Caller storage. Offsets count from the front of the buffer. */
struct rtp_tcpframe {
    enum rtp_framing mode; /* public */
    bool has_ssrc;         /* ssrc: of y=, or of the frames so far */
    bool confirmed;        /* y= says it, or two frames do */
    bool lost;             /* searching */
    bool gap;              /* for the next frame */
    bool stray, stray_known; /* EHome: 0D behind each header */
    uint8_t pt, n_foreign;
    uint32_t ssrc, foreign;
    size_t pos;            /* the next header */
    size_t last;           /* bytes from here on are still needed */
    size_t scanned;        /* length at the last search; 0: none yet */
    size_t need;           /* length of the buffer for the next step */
    uint32_t nulls, fails;
    size_t lost_bytes;     /* in this loss */
    uint64_t frames, resyncs, skipped_bytes; /* public */
};

/* opt may be NULL. */
void rtp_tcpframe_init(struct rtp_tcpframe *f,
                       const struct rtp_tcpframe_options *opt);

/* The y= of an answer that came after the first bytes. */
void rtp_tcpframe_expect(struct rtp_tcpframe *f, uint32_t ssrc);

/* The next frame of buf[0..len), a buffer of cap bytes. With cap from
 * RTP_TCPFRAME_CAP on, need() never asks for more than cap.
 *
 * 0: *out is a frame, valid while its bytes are; GB_EAGAIN: read more;
 * GB_ESYNTAX: the bytes are no media (close); GB_ELIMIT: framing was lost and
 * not found again within the limits (close, INVITE anew).
 *
 * buf is written to in one case: the stray byte of EHome frames is closed by
 * moving the header over it. */
int rtp_tcpframe_next(struct rtp_tcpframe *f, uint8_t *buf, size_t len,
                      size_t cap, struct rtp_frame *out);

/* At the end of the stream, in the place of rtp_tcpframe_next: also gives the
 * last packet of RTP_FRAMING_BARE, which only its successor would end, and
 * what a search finds without the proof of a frame behind it. Called until it
 * is not 0. */
int rtp_tcpframe_end(struct rtp_tcpframe *f, uint8_t *buf, size_t len,
                     struct rtp_frame *out);

/* Bytes at the front of the buffer that are not needed any more. */
size_t rtp_tcpframe_done(const struct rtp_tcpframe *f);

/* The caller has taken n <= done() bytes off the front. */
void rtp_tcpframe_shift(struct rtp_tcpframe *f, size_t n);

/* Bytes that the buffer must be able to hold, counted behind done(), for the
 * next step: meaningful after GB_EAGAIN. Usual frames are below 1500 bytes; a
 * buffer of 16 KiB rarely has to grow. */
size_t rtp_tcpframe_need(const struct rtp_tcpframe *f);
#endif
