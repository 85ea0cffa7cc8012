/* test/torture.h - the messages of test/data/sip/torture (after RFC 4475 and
 * RFC 5118, and our own): what a video platform does with each, and what the
 * tests share that send them to something */
#ifndef TEST_TORTURE_H
#define TEST_TORTURE_H

#include "test/support.h"

#define TORTURE_MAX_ANSWERS 4

/* Statuses in the order in which they came; 0: nothing came back. */
struct torture_answers {
    unsigned status[TORTURE_MAX_ANSWERS];
    size_t n;
};

/* The status that is expected; 0: nothing comes back. */
struct torture_expect {
    unsigned datagram, stream;
    unsigned second; /* the answer to what stands behind it on a stream */
};

struct torture_case {
    const char *name; /* of the file, without .sip */
    int err; /* of sip_msg_parse, as a datagram */
    unsigned reject; /* what it says to answer */
    /* of a stack alone, whose user answers 200 to what it is told of, and of a
     * platform that knows the device which sends it */
    struct torture_expect stack, platform;
};

extern const struct torture_case torture_cases[];
extern const size_t torture_n_cases;

size_t torture_n_files(void);

/* Freed with torture_let_go. */
struct slice torture_load(const char *name);
void torture_let_go(struct slice s);

/* Fails, with the name, unless the answers are those that are wanted. */
void torture_expect_datagram(const char *name,
                             const struct torture_expect *want,
                             const struct torture_answers *a);
void torture_expect_stream(const char *name, const struct torture_expect *want,
                           size_t cut_at, const struct torture_answers *a);

/* Reads what was written, well formed or not, without leaving its bytes. */
void torture_read(struct slice written);

/* Does so with an answer, and notes its status. */
void torture_note(struct torture_answers *a, struct slice answer);

/* Frames `in`, first in[0..at), then all of it, and gives each whole message to
 * fn, and the one at which the stream has to be closed. */
typedef void torture_fn(struct slice message, struct torture_answers *a);
void torture_stream(struct slice in, size_t at, torture_fn *fn,
                    struct torture_answers *a);
#endif
