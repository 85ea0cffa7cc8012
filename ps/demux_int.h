/* ps/demux_int.h - what the files of the demuxer share; see demux.h
 *
 * demux.c reads what is where it is due; resync.c finds the stream again where
 * it is not. */
#ifndef PS_DEMUX_INT_H
#define PS_DEMUX_INT_H

#include "ps/demux.h"
#include "ps/program.h"

#include <assert.h>

enum demux_state {
    DEMUX_HDR,  /* a start code is expected here */
    DEMUX_BODY, /* left bytes of payload */
    DEMUX_OPEN, /* payload without a length */
    DEMUX_CAND, /* ... which a PS header in the stash may have ended */
    DEMUX_SKIP, /* left bytes of no interest */
    DEMUX_SEEK, /* broken PES header: looking for the start of its payload */
    DEMUX_LOST, /* looking for a pack header */
};

/* Packets that lie inside a PES, need no look and come in the buffer that the
 * unit holds already, are put here; settle() tells the stream of them. */
struct demux_ahead {
    struct es *es;               /* cur; NULL: there are none */
    struct ps_piece *next, *end; /* in es->piece */
    size_t room;     /* bytes of the PES to come but for the last; or 0 */
    void *buf;
    uint32_t rtp_ts;
    bool look;       /* a pack header may begin in the midst of the PES */
};

struct ps_demux {
    struct demux_ahead ahead;
    struct es_env env;
    enum demux_state state;
    struct es *cur;      /* of the PES under way or seen last; may be NULL */
    size_t left;         /* BODY, SKIP, SEEK; BODY: with what lies ahead */
    unsigned seek;       /* SEEK: bytes looked at */
    unsigned fill;       /* HDR: bytes skipped in front of the start code */
    bool behind;         /* HDR: a PES of cur, which told its length, was last */
    bool begun;          /* an element has been seen */
    bool broke;          /* LOST: by a wrong length, no packet is missing */
    uint64_t lost_bytes; /* LOST: skipped since the last pack header */
    uint32_t pack_ts;    /* RTP time of the last pack header, or the loss */
    uint64_t at;         /* place of the header that is being looked at */
    struct gb_alloc alloc;
    struct program program;
    size_t n_stash;
    uint8_t stash[PS_STASH_BYTES]; /* may become a header with what comes */
};

/* So many lengths of PES in a row were wrong: the stream has none that are
 * right, and its PES end with the next header. */
#define DEMUX_WRONG_LENGTHS 4
/* ... until so many in a row were right: bytes had been lost unseen. */
#define DEMUX_RIGHT_LENGTHS 8

/* What reads bytes that may end anywhere returns how many it has consumed, 0
 * when *need bytes (> n) must be there, or this. */
#define DEMUX_BROKEN (-1)

static inline void demux_stash(struct ps_demux *d, const uint8_t *p, size_t n)
{
    assert(d->n_stash + n <= PS_STASH_BYTES);
    memcpy(d->stash + d->n_stash, p, n);
    d->n_stash += n;
}

static inline void demux_unstash(struct ps_demux *d, size_t n)
{
    d->n_stash -= n;
    memmove(d->stash, d->stash + n, d->n_stash);
}

/* --- resync.c --- */

/* What comes next is looked for: packets are missing, or nothing will come. */
void demux_lose(struct ps_demux *d);
/* The structure is not where it should be: what was put last is doubtful. */
void demux_lose_sync(struct ps_demux *d);
/* There is no header where a length says that there is one. */
void demux_lose_header(struct ps_demux *d);

/* HDR, and no header is at p. Behind a PES whose length is too small by a few
 * bytes, in every frame with some devices, the next one is that near. */
int demux_take_tail(struct ps_demux *d, const uint8_t *p, size_t n,
                    size_t *need);
/* The unit is to be handed out, though the header that would show it to be
 * short has not come, or not as a whole. */
void demux_settle_tail(struct ps_demux *d);

/* LOST: bytes consumed; the state is HDR where the stream goes on. */
size_t demux_feed_lost(struct ps_demux *d, const uint8_t *p, size_t n);
/* LOST, and the stash begins with what may become 00 00 01: 0 when *need bytes
 * must be in it, 1 when the stream goes on with it, or DEMUX_BROKEN: a byte of
 * it is gone. */
int demux_lost_in_stash(struct ps_demux *d, size_t *need);
/* The packet begins with a pack header, and is believed: at once when the
 * structure was lost, and with proof when an element claims its bytes. */
void demux_believe_packet(struct ps_demux *d, const uint8_t *p, size_t n);

/* 00 00 01 id has come by in an unbounded PES; the id is the last byte. */
void demux_begin_candidate(struct ps_demux *d, uint8_t id);
/* CAND: bytes consumed. */
size_t demux_feed_candidate(struct ps_demux *d, const uint8_t *p, size_t n);
/* The bytes were payload: looked at now, and they may hold another id. */
void demux_reject_candidate(struct ps_demux *d);
#endif
