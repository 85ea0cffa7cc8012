/* test/bench/peer.h - other libraries on the same messages (make bench PEERS=1)
 *
 * One file a library, peer_NAME.c, compiled only where it is installed. */
#ifndef BENCH_PEER_H
#define BENCH_PEER_H

#include "test/bench/corpus.h"

struct bench_peer {
    const char *name;
    int (*init)(void);
    /* what extract gives lives until its next call */
    bench_extract_fn *extract;
    int (*sdp)(struct slice body); /* into the library's own tree, freed */
};

extern const struct bench_peer bench_peer;

#endif
