/* sip/cseq.h - value of the CSeq header field (RFC 3261 §20.16) */
#ifndef SIP_CSEQ_H
#define SIP_CSEQ_H

#include "base/err.h"
#include "base/slice.h"
#include "base/writer.h"
#include "sip/vocab.h"

#define SIP_CSEQ_MAX 0x7fffffffu /* written: §8.1.1.5, below 2^31. Read: all
                                    that fits 32 bits */

struct sip_cseq {
    uint32_t number;
    enum sip_method method;
    struct slice method_name; /* borrowed; always filled */
};

/* Parses one CSeq value: no header name; a fold counts as white space.
 *
 * value  borrowed; out->method_name points into it, so *out must not
 *        outlive the message buffer
 * diag   may be NULL; filled only on error
 *
 * 0, GB_ESYNTAX or GB_ERANGE; *out is written only on 0. */
int sip_cseq_parse(struct sip_cseq *out, struct slice value,
                   struct gb_diag *diag);

/* Appends "CSeq: 7 INVITE\r\n"; errors stay in w. A method that is not a token
 * sets GB_ESYNTAX. */
void sip_cseq_write(struct writer *w, const struct sip_cseq *cseq);
#endif
