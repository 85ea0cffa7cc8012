/* app/platform/guard.h - strangers: what they may ask, and who is banned */
#ifndef APP_PLATFORM_GUARD_H
#define APP_PLATFORM_GUARD_H

#include "app/platform/platform.h"
#include "base/list.h"
#include "base/map.h"

struct source;  /* guard.c */

/* What one id did from one source: a row of a table that forgets. */
struct attempts {
    uint64_t key;       /* hash of both; 0: free */
    uint64_t used_ms;
    uint64_t until_ms;  /* no password is checked before */
    uint16_t failures;  /* wrong passwords since the last right one */
    uint16_t challenges; /* without an answer */
};

/* Strangers that were turned away since the last line about them. */
struct stranger_summary {
    uint64_t n, due_ms;
    struct platform_counters before;
    struct gb_addr peer; /* of the last scanner, or the first of them */
    char user[PLATFORM_ID_MAX], agent[48];
};

#define PENDING_REASON 160

struct pending {
    struct map_node by_id; /* key: the id, in p->pending_ids */
    struct list node;      /* in p->knocked, newest first, or p->unused */
    char id[PLATFORM_ID_MAX];
    uint8_t id_len;
    char user_agent[64];
    uint8_t user_agent_len;
    char reason[PENDING_REASON];
    uint8_t reason_len;
    struct sip_peer peer;
    int64_t first_utc_ms, last_utc_ms;
    uint32_t tries;
};

int guard_init(struct platform *p);
void guard_fini(struct platform *p);
/* false: this source has spent its unauthenticated messages. */
bool guard_allows(struct platform *p, const struct gb_addr *source);
bool guard_is_banned(struct platform *p, const struct gb_addr *source);
uint32_t guard_banned_s(struct platform *p, const struct gb_addr *source); /* still */
/* A wrong password; the ban that follows in seconds, 0: none. */
uint32_t guard_failed(struct platform *p, const struct gb_addr *source);
/* Wrong responses to nonces that are not ours ban nobody, since they may be
 * forged. false: there were so many that such responses are not looked at any
 * more; "stale" would tell whether a guess was right. */
bool guard_may_guess(struct platform *p, const struct gb_addr *source);
void guard_guessed(struct platform *p, const struct gb_addr *source);
/* The right one: n messages are given back, so that a site with many devices
 * logs all of them in. */
void guard_proved(struct platform *p, const struct gb_addr *source, unsigned n);
/* The key of what this id did at this source; its row is brought near. */
uint64_t guard_ahead(const struct platform *p, struct slice id,
                     const struct gb_addr *source);
/* That row; a new one when there is none. */
struct attempts *guard_attempts(struct platform *p, uint64_t key);
/* After a wrong password: how long no other one is checked, ms. */
uint64_t guard_back_off_ms(const struct attempts *a);
void pending_note(struct platform *p, struct slice id, struct slice user_agent,
                  const struct sip_peer *peer, struct slice reason);
/* The same of what is no REGISTER: the reason of a REGISTER says more, and
 * stays. */
void pending_note_stray(struct platform *p, struct slice id,
                        struct slice user_agent, const struct sip_peer *peer,
                        const char *reason);
bool pending_forget(struct platform *p, struct slice id);
bool pending_has(const struct platform *p, struct slice id);
#endif
