/* app/rewrite.h - a message of a capture in words that a replay chose
 *
 * Call-IDs, tags, branches, SN and SSRC of the platform differ from run to run:
 * what a device said to the recorded ones is made to belong to the new ones. */
#ifndef APP_REWRITE_H
#define APP_REWRITE_H

#include "base/slice.h"
#include "base/writer.h"

struct rewrite {
    struct slice via, from, call_id, cseq; /* values; empty: as they are */
    struct slice to_tag;        /* put in place of the To tag */
    struct slice authorization; /* with drop_authorization: empty is none */
    bool drop_authorization;
    struct slice sn, ssrc;      /* of the body */
};

/* Appends the message with x put in, and the Content-Length that it then has.
 * Errors stay in w. */
void rewrite_message(struct writer *w, struct slice bytes,
                     const struct rewrite *x);

/* Appends `all` with `part`, which lies in it, replaced; an empty part: as it
 * is. */
void rewrite_part(struct writer *w, struct slice all, struct slice part,
                  struct slice by);

/* The value of the y= line of an SDP body, empty without one. */
struct slice rewrite_ssrc_of(struct slice body);
#endif
