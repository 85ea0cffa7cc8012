/* app/media/splice.h - where one sending of a recording goes on behind another
 *
 *     file so far   K p p p K p p p K p            it broke here
 *     sent again            K p p p K p p p K p p
 *                           ─── known ──┴ the first one to be taken
 *
 * A device that is asked for a recording from some second on begins with the key
 * frame at or before it, and its clock may have any value. What tells that a
 * picture is there already is itself: a group of pictures is known by its key
 * frame, and a picture by the chain of its group up to it. As the bytes of a
 * recording are the same each time, the first picture behind the known ones is
 * the next one of the file: none comes twice and none is left out.
 *
 * Positions follow: the sending counts them from the second that was asked for,
 * though it begins before; where it meets the file shows by how much.
 *
 * A device that encodes anew, or writes something else into each sending, is
 * taken by its positions: what is not beyond the end of the file is left out.
 * The first time it takes SPLICE_SLACK_MS to see that.
 * Plain value, no allocation, no clock. */
#ifndef APP_MEDIA_SPLICE_H
#define APP_MEDIA_SPLICE_H

#include "base/slice.h"

#include <stdbool.h>
#include <stdint.h>

#define SPLICE_KEYS 16        /* groups of pictures that are known */
#define SPLICE_NEAR 4         /* of them, those that another piece may begin
                                 with; what was shown before may come again */
#define SPLICE_SLACK_MS 15000 /* two sendings may count positions so differently:
                                 each begins up to a group before the second
                                 that was asked for */
#define SPLICE_HOLE_MS 2000   /* between two pictures: nothing was recorded */

struct splice {
    uint64_t keys[SPLICE_KEYS]; /* of the last groups, a ring */
    unsigned n_keys;
    uint64_t key, chain;  /* of the last picture that was taken; 0: none */
    int64_t at_ms;        /* its position, UTC */
    bool blind;           /* its pictures differ with each sending */
    /* of the sending under way */
    bool anew, begun, open;
    int64_t late_ms;      /* it counts positions so much later than the first */
    uint64_t here;        /* its chain up to the last picture */
    bool known;           /* and that group is one of the keys */
};

/* key, chain, at_ms: what is known of a file that exists; 0: it is empty. */
void splice_init(struct splice *s, uint64_t key, uint64_t chain,
                 int64_t at_ms);
/* Another sending begins. anew: of another piece, whose first picture is taken
 * unless the file has it; else it repeats some of the file. */
void splice_restart(struct splice *s, bool anew);

/* The next picture of it; at_ms: its position, UTC. true: it goes into the
 * file. Behind a restart the first one that does may be a key frame or not. */
bool splice_picture(struct splice *s, bool key, struct slice bytes,
                    int64_t at_ms);
/* Sound goes where the pictures around it go. */
static inline bool splice_sound(const struct splice *s)
{
    return s->open;
}
#endif
