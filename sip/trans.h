/* sip/trans.h - the four transaction machines (RFC 3261 §17, RFC 6026)
 *
 * A machine knows states, events and times, and no message: the owner feeds it
 * what happened and does what it returns. Matching, sending and memory are the
 * owner's (sip/stack). Client: ICT for INVITE, NICT for the rest; server: IST
 * and NIST. The tables in trans.c are the figures of the standards. */
#ifndef SIP_TRANS_H
#define SIP_TRANS_H

#include "base/time.h"

#include <stdbool.h>
#include <stdint.h>

#define SIP_T1_MS 500
#define SIP_T2_MS 4000
#define SIP_T4_MS 5000
#define SIP_TIMER_D_MS 32000

/* How long the layer above may think. The standards set no limit; without one
 * a forgotten request would stay for ever. A non-INVITE request is worthless
 * after 64*T1, since its client has given up (RFC 4320). */
#define SIP_INVITE_WAIT_MS 180000 /* as Timer C, RFC 3261 §16.6 */

enum sip_trans_kind { SIP_ICT, SIP_NICT, SIP_IST, SIP_NIST, SIP_TRANS_KINDS };

/* All machines share the names; none uses all of them. */
enum sip_trans_state {
    SIP_TS_TRYING,     /* ICT: Calling; IST never, it starts in Proceeding */
    SIP_TS_PROCEEDING,
    SIP_TS_COMPLETED,
    SIP_TS_CONFIRMED,  /* IST */
    SIP_TS_ACCEPTED,   /* ICT, IST: RFC 6026 */
    SIP_TS_ENDED,      /* Terminated */
    SIP_TS_STATES
};

enum sip_trans_event {
    SIP_TE_START,   /* client: send the request; server: it came in */
    SIP_TE_1XX,     /* client: received; server: the user sends it */
    SIP_TE_2XX,
    SIP_TE_FINAL,   /* 300 to 699; for NICT and NIST 2XX means the same */
    SIP_TE_REQUEST, /* server: the request once more */
    SIP_TE_ACK,     /* IST */
    SIP_TE_CANCEL,  /* ICT: a CANCEL went out, RFC 3261 §9.1 */
    SIP_TE_RETRY,   /* timer A, E or G */
    SIP_TE_END,     /* timer B, D, F, H, I, J, K, L or M */
    SIP_TE_IO_ERROR,
    SIP_TE_EVENTS
};

/* What the owner has to do, in this order. */
enum sip_trans_act {
    SIP_TA_SEND = 1 << 0,      /* put the new message on the wire, keep it */
    SIP_TA_RESEND = 1 << 1,    /* the kept one once more */
    SIP_TA_ACK = 1 << 2,       /* ACK for 300-699, RFC 3261 §17.1.1.3 */
    SIP_TA_PASS = 1 << 3,      /* up to the transaction user */
    SIP_TA_TIMED_OUT = 1 << 4, /* tell it: nobody answered (or acknowledged) */
    SIP_TA_BROKEN = 1 << 5,    /* tell it: the transport failed */
    SIP_TA_FREE = 1 << 6,      /* state is ENDED: forget the transaction */
};

struct sip_timers {
    uint32_t t1_ms, t2_ms, t4_ms;
};

struct sip_trans {
    uint8_t kind;         /* enum sip_trans_kind */
    uint8_t state;        /* enum sip_trans_state */
    bool reliable;        /* TCP, TLS */
    uint32_t interval_ms; /* of timer A, E or G */
    uint64_t retry_ms;    /* when it fires; GB_NEVER: stopped */
    uint64_t end_ms;      /* when the state's other timer fires */
};

/* Starts the machine; the result is the acts of SIP_TE_START. */
unsigned sip_trans_start(struct sip_trans *t, enum sip_trans_kind kind,
                         bool reliable, const struct sip_timers *timers,
                         uint64_t now_ms);

/* One event; returns acts. An event that the figure does not have in this
 * state changes nothing and returns 0. */
unsigned sip_trans_input(struct sip_trans *t, enum sip_trans_event ev,
                         const struct sip_timers *timers, uint64_t now_ms);

/* The timer that is due, if one is: the state's end goes before a repeat.
 * Call it until it returns 0. */
unsigned sip_trans_tick(struct sip_trans *t, const struct sip_timers *timers,
                        uint64_t now_ms);

static inline uint64_t sip_trans_deadline(const struct sip_trans *t)
{
    return t->retry_ms < t->end_ms ? t->retry_ms : t->end_ms;
}

/* It is answered and only absorbs or repeats now: it may be forgotten when
 * memory is short. */
static inline bool sip_trans_is_finished(const struct sip_trans *t)
{
    return t->state >= SIP_TS_COMPLETED;
}

const char *sip_trans_kind_name(enum sip_trans_kind kind);
const char *sip_trans_state_name(enum sip_trans_state state);
const char *sip_trans_event_name(enum sip_trans_event ev);
#endif
