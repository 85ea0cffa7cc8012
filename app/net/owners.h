/* app/net/owners.h - whose media a packet on the shared port is
 *
 * Every media loop asks here for what is not in its own hands: one table under
 * a lock, which is taken when a session comes, is answered or goes, and for
 * packets that came to another loop than their session's.
 *
 *   SSRC of a session (offered, answered) ─► it
 *   SSRC of one that ended within 60 s    ─► nobody, it rests
 *   SSRC and address adopted before       ─► the session that adopted them
 *   an address where exactly one session
 *   waits for its first packet            ─► that one adopts them
 *   anything else                         ─► nobody
 *
 * Nothing that a sender does takes memory: a session has room for the two
 * SSRCs and for the one sender that it adopts. */
#ifndef APP_NET_OWNERS_H
#define APP_NET_OWNERS_H

#include "base/addr.h"

#define OWNERS_RESTING 1024    /* SSRCs of ended sessions remembered */
#define OWNERS_REST_MS 60000   /* so long */
#define OWNERS_GRACE_MS 1000   /* from the answer on, for the right SSRC to come
                                  before another one is adopted; and from that
                                  on, before yet another one is */
#define OWNERS_AFTER_MS 2000   /* media that come so long after the end are no
                                  leftovers on their way */
#define OWNERS_SEARCHES 2000   /* a second, of who waits for an address */

struct owner {
    uint64_t session;
    unsigned loop;
};

enum owners_verdict {
    OWNERS_NOBODY,
    OWNERS_HIS,    /* *out says whose */
    OWNERS_RESTS,  /* of a session that has ended: its device goes on. out->
                      session is that when it has done so for
                      OWNERS_AFTER_MS, the first time, else 0 */
    OWNERS_SEVERAL /* more than one waits for this address: nobody's, and each
                      is told by owners_astray */
};

struct owners;

/* seed: 16 random bytes. 0 or GB_ENOMEM. */
int owners_new(struct owners **out, const uint8_t seed[static 16]);
void owners_free(struct owners *o);

/* The functions below may be called from any thread. */

/* A session waits. 0; GB_ENOMEM; GB_EEXIST: its SSRC is another session's, or it
 * is there already. */
int owners_add(struct owners *o, const struct owner *who, bool has_ssrc,
               uint32_t ssrc, const struct gb_addr *peer);

/* The device has answered: its SSRC is (also) this one, its media may come from
 * `named` (no family: nothing is said). An SSRC that another session has stays
 * there. */
void owners_answer(struct owners *o, uint64_t session, bool has_ssrc,
                   uint32_t ssrc, const struct gb_addr *named,
                   uint64_t now_ms);

/* waits: nothing valid comes at present, so a sender may be adopted. */
void owners_wait(struct owners *o, uint64_t session, bool waits);

/* Over; its SSRCs rest. */
void owners_remove(struct owners *o, uint64_t session, uint64_t now_ms);

/* By SSRC alone. */
enum owners_verdict owners_find(struct owners *o, uint32_t ssrc,
                                uint64_t now_ms, struct owner *out);
/* A datagram, by all rules. */
enum owners_verdict owners_find_from(struct owners *o, uint32_t ssrc,
                                     const struct gb_addr *from,
                                     uint64_t now_ms, struct owner *out);
/* The only one that waits for media of this address; ports are not compared. */
enum owners_verdict owners_guess(struct owners *o, const struct gb_addr *from,
                                 uint64_t now_ms, struct owner *out);

/* Does any session expect media from there? Walks them all. */
bool owners_knows(struct owners *o, const struct gb_addr *from);

/* Packets that may have been this session's, or of another one that waits. */
uint64_t owners_astray(struct owners *o, uint64_t session);
#endif
