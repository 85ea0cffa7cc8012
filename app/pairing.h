/* app/pairing.h - requests of a replay, and the recorded ones they stand for
 *
 * One of ours stands for the first request out of the recording, near to it in
 * time, of the same method and CmdType to the same party, for which none stands
 * yet. What devices said to that one is said to ours; what comes before ours is
 * sent waits for it. */
#ifndef APP_PAIRING_H
#define APP_PAIRING_H

#include "app/recording.h"

struct pairing {
    struct recording *rec;
    size_t window; /* messages before are too old */
    size_t n_held; /* wait for the pairing of another */
};

/* The recorded request that this one of ours, sent now, stands for; NULL: none
 * is left. */
struct recorded *pairing_of(struct pairing *p, struct slice bytes,
                            const struct trace_glance *g, int64_t utc_ms);

/* From now on ours stands for m, which keeps a copy of it. false: no memory. */
bool pairing_join(struct recorded *m, struct slice bytes,
                  const struct trace_glance *g);

/* A request of ours with this branch has been joined: it is sent once more. */
bool pairing_is_known(const struct pairing *p, struct slice branch);

/* The first request out with this Call-ID (and CSeq, unless 0) that is paired,
 * or is not; NULL: none. */
struct recorded *pairing_sent(const struct pairing *p, struct slice call_id,
                              uint32_t cseq, bool paired);

/* The query that m, a Response of a device, answers: the one with its SN to
 * that device. NULL: there is none, or m is no Response. */
struct recorded *pairing_query(const struct pairing *p,
                               const struct recorded *m);

/* The request of ours that q is paired with may come yet, or is too late for
 * what a device said at utc_ms. */
bool pairing_may_come(const struct recorded *q, int64_t utc_ms);

/* Keeps m until q is paired. */
void pairing_hold(struct pairing *p, struct recorded *q, struct recorded *m);

/* The next one that waited for a request which has been paired since, in order;
 * NULL: none. *from is 0 for the first. */
struct recorded *pairing_next(struct pairing *p, size_t *from);
#endif
