/* sip/tally.h - messages counted by method, direction and status
 *
 * The rows of a metric: few enough for a table. A status that we do not list
 * counts as x00 of its class (RFC 3261 §8.1.3.2), a method as OTHER. */
#ifndef SIP_TALLY_H
#define SIP_TALLY_H

#include "base/slice.h"
#include "sip/vocab.h"

enum sip_tally_way { SIP_TALLY_IN, SIP_TALLY_OUT, SIP_TALLY_WAYS };

enum sip_tally_code {
    SIP_TALLY_REQUEST,
#define X(code, text) SIP_TALLY_##code,
    SIP_STATUS_MAP(X)
#undef X
    SIP_TALLY_CODES
};

struct sip_tally {
    uint64_t n[SIP_TALLY_WAYS][SIP_METHOD_COUNT][SIP_TALLY_CODES];
};

/* status 0: a request. method is that of the CSeq. */
void sip_tally_add(struct sip_tally *t, enum sip_tally_way way,
                   enum sip_method method, unsigned status);

/* One that we have written ourselves: its CSeq stands as such at the beginning
 * of a line. */
void sip_tally_written(struct sip_tally *t, struct slice bytes);

/* The rows that are not zero, *k from 0; false at the end. status 0: requests. */
struct sip_tally_row {
    enum sip_tally_way way;
    enum sip_method method;
    unsigned status;
    uint64_t n;
};
bool sip_tally_next(const struct sip_tally *t, size_t *k,
                    struct sip_tally_row *row);
#endif
