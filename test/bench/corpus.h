/* test/bench/corpus.h - the messages that SIP is measured on
 *
 * Ten of the kind that devices were captured sending: three REGISTERs and one
 * with credentials, a keepalive, a catalog, an INVITE with its 100, 200 and ACK;
 * 639 bytes in the mean. Each in BENCH_VARIANTS copies whose ids, tags and
 * branches differ in their digits, at addresses of their own, so that no branch
 * of the processor learns one by heart. Two SDP bodies likewise. */
#ifndef BENCH_CORPUS_H
#define BENCH_CORPUS_H

#include "base/slice.h"

#define BENCH_VARIANTS 64
#define BENCH_PAD 64 /* zero bytes that may be read behind each message */
#define BENCH_MESSAGES 10
#define BENCH_BODIES 2

struct bench_sample {
    const char *name;
    struct slice variant[BENCH_VARIANTS];
};

struct bench_corpus {
    struct bench_sample message[BENCH_MESSAGES];
    struct bench_sample body[BENCH_BODIES]; /* SDP with the lines of GB/T 28181:
                                               an offer, an answer */
};

/* Reads the captures under test/data; run from the top of the repository. Ends
 * the program when one is not there. */
void bench_corpus_load(struct bench_corpus *c);

/* What a GB/T 28181 server must know of a message before it can route it. The
 * slices point into the message. */
struct bench_fields {
    unsigned status;     /* 0: a request */
    struct slice method; /* of a response: from CSeq */
    struct slice uri_user; /* of the Request-URI; empty in a response */
    struct slice call_id, from_user, from_tag, to_user, to_tag;
    struct slice via_host, via_branch; /* of the top Via */
    struct slice contact_user;         /* of the first Contact; empty: none */
    struct slice content_type, body;
    uint32_t cseq;
    int64_t expires; /* -1: none */
};

/* 0, or not when the message is not understood. */
typedef int bench_extract_fn(struct slice bytes, struct bench_fields *f);

/* Reads every variant with `extract` and again, in another and slow way, and
 * ends the program with the names of the fields that differ. */
void bench_corpus_verify(const struct bench_corpus *c, const char *who,
                         bench_extract_fn *extract);
#endif
