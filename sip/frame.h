/* sip/frame.h - messages out of a byte stream (RFC 3261 §18.3, RFC 5626
 * §3.5.1), over the caller's growing buffer, without copying
 *
 *     for (;;) {
 *         err = sip_frame_next(&f, slice of what is unconsumed, &cut);
 *         if (err == 0 && cut.kind == SIP_CUT_MESSAGE)  input(cut.bytes);
 *         if (err == 0 && cut.kind == SIP_CUT_PING)     send "\r\n"
 *         drop cut.used bytes from the front of the buffer
 *         if (err == GB_EAGAIN)  read more into the buffer, come back
 *         else if (err)          input(cut.bytes) if not empty (it answers
 *                                400, 413 or 513), then close
 *     }
 *
 * Any way of cutting the stream into reads gives the same messages. */
#ifndef SIP_FRAME_H
#define SIP_FRAME_H

#include "sip/msg.h"

#define SIP_FRAME_MAX_SKIP (64u * 1024) /* garbage before we give up, bytes */

/* A buffer of this many bytes holds any message the frame accepts. */
#define SIP_FRAME_MAX (SIP_MAX_HEAD + SIP_MAX_BODY)

struct sip_frame {
    size_t scanned;    /* bytes known not to hold the end of the line, head or
                          XML body, whichever is looked for */
    size_t head;       /* length of the head, 0: not known yet */
    size_t body;       /* length of the body, when has_length */
    bool has_length;
    bool is_xml;       /* by its Content-Type */
    bool started;      /* a start line is at the front of the buffer */
    bool lost;         /* looking for the next start line */
    uint8_t n_crlf;    /* CRLFs since the last message or ping */
    size_t skipped;    /* bytes dropped since the last message */
    uint64_t resyncs;  /* times the stream was lost, for statistics */
};

enum sip_cut_kind {
    SIP_CUT_MESSAGE, /* bytes is one whole message */
    SIP_CUT_PING,    /* CRLFCRLF: answer with CRLF */
};

struct sip_cut {
    enum sip_cut_kind kind; /* set when the result is 0 */
    struct slice bytes;     /* the message; on an error: its head, for the
                               answer, or empty */
    size_t used;            /* consumed, whatever the result */
};

void sip_frame_init(struct sip_frame *f);

/* buf: everything received and not yet consumed, at the same stream position
 * as the last call left it.
 *
 * 0, GB_EAGAIN (more bytes are needed), or an error after which the stream has
 * no boundary any more: GB_ESYNTAX (Content-Length broken, repeated, or absent
 * without an XML body; no SIP), GB_ELIMIT (SIP_MAX_HEAD, SIP_MAX_BODY). */
int sip_frame_next(struct sip_frame *f, struct slice buf, struct sip_cut *cut);

/* After GB_EAGAIN, when nothing has come for a while: some devices count more
 * than they send. 0: a message whose XML has ended is taken as it is; what of it
 * comes later all the same is passed over. GB_EAGAIN: something is missing.
 * buf: as for sip_frame_next, without what that has consumed. */
int sip_frame_quiet(struct sip_frame *f, struct slice buf, struct sip_cut *cut);
#endif
