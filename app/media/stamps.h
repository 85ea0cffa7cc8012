/* app/media/stamps.h - the times of pictures of which not each has one
 *
 * A PES has one PTS, and pictures that begin in it behind the first have none.
 * Those that come in the order in which they are shown follow each other (see
 * timeline.h); B pictures do not: their time is that of another picture and what
 * the picture order count says is between them. Where pictures have had their PTS for
 * long, nothing is read until one comes without. Plain value, no allocation. */
#ifndef APP_MEDIA_STAMPS_H
#define APP_MEDIA_STAMPS_H

#include "app/media/poc.h"

#define STAMPS_FAR 4096 /* counts: too far for one time to tell another */
#define STAMPS_STEPS 16 /* pictures among which two follow each other */
#define STAMPS_OWN 100  /* pictures in a row with their PTS: all will have it */

struct stamps {
    struct poc poc;
    bool usable; /* pictures may come out of order, and can be counted */
    uint32_t n_own; /* pictures in a row that had their PTS */
    bool placed; /* at90k is the time of the picture at */
    int64_t at, last; /* last: of the one before */
    uint64_t at90k;
    int64_t top; /* the one to be shown last */
    int64_t step; /* counts from a picture to the next that is shown; 0: unknown */
    int64_t least; /* seen between pictures of late; 0: none */
    uint32_t n_least;
    int64_t ticks, counts; /* go by together; 0: unknown */
    bool learnt;           /* within these pictures */
    bool key_placed;       /* key90k is the time of the picture counted anew */
    uint64_t key90k;
    uint32_t n_pictures;   /* since then */
};

/* The parameter sets are others from the next picture on. */
void stamps_config(struct stamps *s, const struct media_config *c);

/* The PTS of the next picture in decoding order: its own, or what it should have.
 * false: it has none. */
bool stamps_next(struct stamps *s, const struct ps_au *au, uint64_t *pts90k);
#endif
