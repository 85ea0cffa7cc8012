/* test/bench/limit.h - limit programs: what reading a message costs at least
 *
 * They find the lines and the asked fields of messages that are well formed,
 * and check nothing: no folding, no compact names, no lists, no grammar. Not
 * parsers; yardsticks to hold ours against, in the same run. Wide compares of
 * the widest kind that the processor has (AVX2, SSE2, or 8 bytes at a time). */
#ifndef BENCH_LIMIT_H
#define BENCH_LIMIT_H

#include "test/bench/corpus.h"

/* Which kind is used here: "avx2", "sse2", "word". */
const char *bench_limit_kind(void);

/* bytes must be readable for BENCH_PAD bytes behind their end. */
int bench_limit_sip(struct slice bytes, struct bench_fields *f);

/* What the head and the items of a MANSCDP body say: one pass over the '<', a
 * tag is known by its length and first letters, text is as it came. */
struct bench_xml {
    struct slice cmd, device; /* the first of each */
    size_t n_elements, n_items, n_text; /* text: bytes, of leaves */
    size_t n_high;            /* texts that would have to be converted */
};
int bench_limit_xml(struct slice body, struct bench_xml *x);

/* Every line's end and its letter. 0, or not when there are fewer than 5. */
int bench_limit_sdp(struct slice body);
#endif
