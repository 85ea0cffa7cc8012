/* test/torture.h - what the tests share that send each message of
 * test/data/sip/torture to something: the files, what comes back, a stream that
 * is cut in two */
#ifndef TEST_TORTURE_H
#define TEST_TORTURE_H

#include "test/support.h"

#define TORTURE_MAX_ANSWERS 4

/* Statuses in the order in which they came; 0: nothing came back. */
struct torture_answers {
    unsigned status[TORTURE_MAX_ANSWERS];
    size_t n;
};

/* One line of a table; 0: nothing comes back. */
struct torture_case {
    const char *name; /* of the file, without .sip */
    unsigned datagram, stream;
    unsigned second; /* the answer to what stands behind it on a stream */
};

/* Freed with torture_let_go. */
struct slice torture_load(const char *name);
void torture_let_go(struct slice s);

/* Fails unless n lines are one for each file. */
void torture_count(size_t n);

/* Fails unless the answers are those of c. */
void torture_expect_datagram(const struct torture_case *c,
                             const struct torture_answers *a);
void torture_expect_stream(const struct torture_case *c, size_t cut_at,
                           const struct torture_answers *a);

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
