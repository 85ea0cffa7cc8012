/* test/bench/limit_ps.h - limit program: what demultiplexing costs at least
 *
 * Hops from header to header by the lengths and hands out the payload as pieces
 * of the fed buffers. A header that straddles two of them is gathered. Nothing
 * is checked: no loss, no resynchronisation, streams 0xE0 and 0xC0 only, an
 * access unit begins where a PES has a time stamp. Not a demuxer; a yardstick. */
#ifndef BENCH_LIMIT_PS_H
#define BENCH_LIMIT_PS_H

#include "ps/demux.h"

#define LIMIT_PS_HEADER 1024 /* the longest that is gathered */
#define LIMIT_PS_PIECES 512  /* then the pieces so far are handed out */

struct limit_ps {
    void (*on_unit)(void *ctx, const struct ps_piece *piece, size_t n);
    void *ctx;
    uint8_t header[LIMIT_PS_HEADER];
    size_t have; /* bytes of it */
    size_t left; /* of the payload of this PES */
    struct ps_piece piece[LIMIT_PS_PIECES];
    size_t n;
};

void limit_ps_init(struct limit_ps *l,
                   void (*on_unit)(void *ctx, const struct ps_piece *piece,
                                   size_t n),
                   void *ctx);

/* 0, or GB_ESYNTAX: this is no stream for a yardstick. */
int limit_ps_feed(struct limit_ps *l, const uint8_t *p, size_t n);
void limit_ps_flush(struct limit_ps *l); /* the last unit */
#endif
