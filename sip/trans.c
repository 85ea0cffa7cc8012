#include "sip/trans.h"

#include <assert.h>

/* What becomes of the two timers. retry is A, E or G; end is the other. */
enum timer_op {
    KEEP,       /* nothing */
    RETRY_T1,   /* A, E, G: first shot, not on a reliable transport */
    RETRY_2,    /* A: twice the interval */
    RETRY_2_T2, /* E, G: twice the interval, at most T2 */
    RETRY_T2,   /* E once a 1xx has come */
    STOP,       /* both: only used when the state has no other */
    /* these also stop the repeats, except START's */
    END_64T1,   /* H, L, M */
    END_D,      /* at least 32 s; 0 if reliable */
    END_T4,     /* I, K; 0 if reliable */
    END_J,      /* 64*T1; 0 if reliable */
};

struct edge {
    uint8_t to;
    uint8_t acts;
    uint8_t retry, end; /* enum timer_op */
};

/* clang-format off */
#define GO(state, acts, retry, end) { SIP_TS_##state, (acts), (retry), (end) }
#define SEND      SIP_TA_SEND
#define RESEND    SIP_TA_RESEND
#define ACK       SIP_TA_ACK
#define PASS      SIP_TA_PASS
#define TIMED_OUT SIP_TA_TIMED_OUT
#define BROKEN    SIP_TA_BROKEN

/* An empty cell means: stay, do nothing. It is told from `GO(TRYING, 0, KEEP,
 * KEEP)`, which no figure has, by being all zero. */
static const struct edge
    edges[SIP_TRANS_KINDS][SIP_TS_STATES][SIP_TE_EVENTS] = {
    /* RFC 3261 figure 5 as changed by RFC 6026 figure 4 */
    [SIP_ICT] = {
        [SIP_TS_TRYING] = { /* Calling */
            [SIP_TE_START]    = GO(TRYING,     SEND,       RETRY_T1, END_64T1),
            [SIP_TE_1XX]      = GO(PROCEEDING, PASS,       STOP,     STOP),
            [SIP_TE_2XX]      = GO(ACCEPTED,   PASS,       STOP,     END_64T1),
            [SIP_TE_FINAL]    = GO(COMPLETED,  ACK | PASS, STOP,     END_D),
            [SIP_TE_RETRY]    = GO(TRYING,     RESEND,     RETRY_2,  KEEP),
            [SIP_TE_END]      = GO(ENDED,      TIMED_OUT,  STOP,     STOP),
            [SIP_TE_IO_ERROR] = GO(ENDED,      BROKEN,     STOP,     STOP),
        },
        [SIP_TS_PROCEEDING] = {
            [SIP_TE_1XX]      = GO(PROCEEDING, PASS,       KEEP,     KEEP),
            [SIP_TE_2XX]      = GO(ACCEPTED,   PASS,       STOP,     END_64T1),
            [SIP_TE_FINAL]    = GO(COMPLETED,  ACK | PASS, STOP,     END_D),
            /* §9.1: no final answer 64*T1 after the CANCEL */
            [SIP_TE_CANCEL]   = GO(PROCEEDING, 0,          KEEP,     END_64T1),
            [SIP_TE_END]      = GO(ENDED,      TIMED_OUT,  STOP,     STOP),
            [SIP_TE_IO_ERROR] = GO(ENDED,      BROKEN,     STOP,     STOP),
        },
        [SIP_TS_COMPLETED] = {
            [SIP_TE_FINAL]    = GO(COMPLETED,  ACK,        KEEP,     KEEP),
            [SIP_TE_END]      = GO(ENDED,      0,          STOP,     STOP),
            [SIP_TE_IO_ERROR] = GO(ENDED,      BROKEN,     STOP,     STOP),
        },
        [SIP_TS_ACCEPTED] = {
            [SIP_TE_2XX]      = GO(ACCEPTED,   PASS,       KEEP,     KEEP),
            [SIP_TE_END]      = GO(ENDED,      0,          STOP,     STOP),
        },
    },
    /* RFC 3261 figure 6 */
    [SIP_NICT] = {
        [SIP_TS_TRYING] = {
            [SIP_TE_START]    = GO(TRYING,     SEND,      RETRY_T1,   END_64T1),
            [SIP_TE_1XX]      = GO(PROCEEDING, PASS,      KEEP,       KEEP),
            [SIP_TE_2XX]      = GO(COMPLETED,  PASS,      STOP,       END_T4),
            [SIP_TE_FINAL]    = GO(COMPLETED,  PASS,      STOP,       END_T4),
            [SIP_TE_RETRY]    = GO(TRYING,     RESEND,    RETRY_2_T2, KEEP),
            [SIP_TE_END]      = GO(ENDED,      TIMED_OUT, STOP,       STOP),
            [SIP_TE_IO_ERROR] = GO(ENDED,      BROKEN,    STOP,       STOP),
        },
        [SIP_TS_PROCEEDING] = {
            [SIP_TE_1XX]      = GO(PROCEEDING, PASS,      KEEP,       KEEP),
            [SIP_TE_2XX]      = GO(COMPLETED,  PASS,      STOP,       END_T4),
            [SIP_TE_FINAL]    = GO(COMPLETED,  PASS,      STOP,       END_T4),
            [SIP_TE_RETRY]    = GO(PROCEEDING, RESEND,    RETRY_T2,   KEEP),
            [SIP_TE_END]      = GO(ENDED,      TIMED_OUT, STOP,       STOP),
            [SIP_TE_IO_ERROR] = GO(ENDED,      BROKEN,    STOP,       STOP),
        },
        [SIP_TS_COMPLETED] = { /* absorbs repeats of the final answer */
            [SIP_TE_END]      = GO(ENDED,      0,         STOP,       STOP),
        },
    },
    /* RFC 3261 figure 7 as changed by RFC 6026 figure 5. START carries the
     * 100 (Trying) with it: we send it at once and not after 200 ms. */
    [SIP_IST] = {
        [SIP_TS_TRYING] = {
            [SIP_TE_START]    = GO(PROCEEDING, SEND | PASS, KEEP,     KEEP),
        },
        [SIP_TS_PROCEEDING] = {
            [SIP_TE_REQUEST]  = GO(PROCEEDING, RESEND,    KEEP,       KEEP),
            [SIP_TE_1XX]      = GO(PROCEEDING, SEND,      KEEP,       KEEP),
            [SIP_TE_2XX]      = GO(ACCEPTED,   SEND,      STOP,       END_64T1),
            [SIP_TE_FINAL]    = GO(COMPLETED,  SEND,      RETRY_T1,   END_64T1),
            [SIP_TE_END]      = GO(ENDED,      TIMED_OUT, STOP,       STOP),
            [SIP_TE_IO_ERROR] = GO(ENDED,      BROKEN,    STOP,       STOP),
        },
        [SIP_TS_COMPLETED] = {
            [SIP_TE_REQUEST]  = GO(COMPLETED,  RESEND,    KEEP,       KEEP),
            [SIP_TE_ACK]      = GO(CONFIRMED,  0,         STOP,       END_T4),
            [SIP_TE_RETRY]    = GO(COMPLETED,  RESEND,    RETRY_2_T2, KEEP),
            [SIP_TE_END]      = GO(ENDED,      TIMED_OUT, STOP,       STOP),
            [SIP_TE_IO_ERROR] = GO(ENDED,      BROKEN,    STOP,       STOP),
        },
        [SIP_TS_CONFIRMED] = { /* absorbs repeats of the ACK */
            [SIP_TE_END]      = GO(ENDED,      0,         STOP,       STOP),
        },
        [SIP_TS_ACCEPTED] = { /* absorbs the INVITE; 2xx are the user's */
            [SIP_TE_2XX]      = GO(ACCEPTED,   SEND,      KEEP,       KEEP),
            [SIP_TE_ACK]      = GO(ACCEPTED,   PASS,      KEEP,       KEEP),
            [SIP_TE_END]      = GO(ENDED,      0,         STOP,       STOP),
            [SIP_TE_IO_ERROR] = GO(ACCEPTED,   BROKEN,    KEEP,       KEEP),
        },
    },
    /* RFC 3261 figure 8 */
    [SIP_NIST] = {
        [SIP_TS_TRYING] = {
            [SIP_TE_START]    = GO(TRYING,     PASS,      KEEP,       END_64T1),
            [SIP_TE_1XX]      = GO(PROCEEDING, SEND,      KEEP,       KEEP),
            [SIP_TE_2XX]      = GO(COMPLETED,  SEND,      STOP,       END_J),
            [SIP_TE_FINAL]    = GO(COMPLETED,  SEND,      STOP,       END_J),
            [SIP_TE_END]      = GO(ENDED,      TIMED_OUT, STOP,       STOP),
            [SIP_TE_IO_ERROR] = GO(ENDED,      BROKEN,    STOP,       STOP),
        },
        [SIP_TS_PROCEEDING] = {
            [SIP_TE_REQUEST]  = GO(PROCEEDING, RESEND,    KEEP,       KEEP),
            [SIP_TE_1XX]      = GO(PROCEEDING, SEND,      KEEP,       KEEP),
            [SIP_TE_2XX]      = GO(COMPLETED,  SEND,      STOP,       END_J),
            [SIP_TE_FINAL]    = GO(COMPLETED,  SEND,      STOP,       END_J),
            [SIP_TE_END]      = GO(ENDED,      TIMED_OUT, STOP,       STOP),
            [SIP_TE_IO_ERROR] = GO(ENDED,      BROKEN,    STOP,       STOP),
        },
        [SIP_TS_COMPLETED] = {
            [SIP_TE_REQUEST]  = GO(COMPLETED,  RESEND,    KEEP,       KEEP),
            [SIP_TE_END]      = GO(ENDED,      0,         STOP,       STOP),
            [SIP_TE_IO_ERROR] = GO(ENDED,      BROKEN,    STOP,       STOP),
        },
    },
};
/* clang-format on */

static void set_retry(struct sip_trans *t, enum timer_op op,
                      const struct sip_timers *timers, uint64_t now_ms)
{
    switch (op) {
    case RETRY_T1:
        t->interval_ms = timers->t1_ms;
        break;
    case RETRY_2:
        t->interval_ms *= 2;
        break;
    case RETRY_2_T2:
        t->interval_ms *= 2;
        if (t->interval_ms > timers->t2_ms)
            t->interval_ms = timers->t2_ms;
        break;
    case RETRY_T2:
        t->interval_ms = timers->t2_ms;
        break;
    case STOP:
        t->retry_ms = GB_NEVER;
        return;
    case KEEP:
    case END_64T1:
    case END_D:
    case END_T4:
    case END_J:
        return;
    }
    t->retry_ms = t->reliable ? GB_NEVER : now_ms + t->interval_ms;
}

/* false: the time is zero, the state ends at once. */
static bool set_end(struct sip_trans *t, enum timer_op op,
                    const struct sip_timers *timers, uint64_t now_ms)
{
    uint64_t wait_ms = 0;

    switch (op) {
    case KEEP:
    case RETRY_T1:
    case RETRY_2:
    case RETRY_2_T2:
    case RETRY_T2:
        return true;
    case STOP:
        t->end_ms = GB_NEVER;
        return true;
    case END_64T1:
        wait_ms = 64 * (uint64_t)timers->t1_ms;
        break;
    case END_D:
        wait_ms = t->reliable ? 0 : SIP_TIMER_D_MS;
        break;
    case END_T4:
        wait_ms = t->reliable ? 0 : timers->t4_ms;
        break;
    case END_J:
        wait_ms = t->reliable ? 0 : 64 * (uint64_t)timers->t1_ms;
        break;
    }
    t->end_ms = wait_ms ? now_ms + wait_ms : GB_NEVER;
    return wait_ms != 0;
}

unsigned sip_trans_input(struct sip_trans *t, enum sip_trans_event ev,
                         const struct sip_timers *timers, uint64_t now_ms)
{
    const struct edge *e = &edges[t->kind][t->state][ev];
    unsigned acts = e->acts;

    assert(t->kind < SIP_TRANS_KINDS && t->state < SIP_TS_STATES);
    if (!e->to && !e->acts)
        return 0;
    t->state = e->to;
    set_retry(t, e->retry, timers, now_ms);
    if (!set_end(t, e->end, timers, now_ms))
        t->state = SIP_TS_ENDED;
    if (t->state == SIP_TS_ENDED) {
        t->retry_ms = t->end_ms = GB_NEVER;
        acts |= SIP_TA_FREE;
    }
    return acts;
}

unsigned sip_trans_start(struct sip_trans *t, enum sip_trans_kind kind,
                         bool reliable, const struct sip_timers *timers,
                         uint64_t now_ms)
{
    unsigned acts;

    *t = (struct sip_trans){ .kind = (uint8_t)kind,
                             .reliable = reliable,
                             .retry_ms = GB_NEVER,
                             .end_ms = GB_NEVER };
    acts = sip_trans_input(t, SIP_TE_START, timers, now_ms);
    if (kind == SIP_IST)
        t->end_ms = now_ms + SIP_INVITE_WAIT_MS;
    return acts;
}

unsigned sip_trans_tick(struct sip_trans *t, const struct sip_timers *timers,
                        uint64_t now_ms)
{
    if (t->end_ms <= now_ms)
        return sip_trans_input(t, SIP_TE_END, timers, now_ms);
    if (t->retry_ms <= now_ms)
        return sip_trans_input(t, SIP_TE_RETRY, timers, now_ms);
    return 0;
}

const char *sip_trans_kind_name(enum sip_trans_kind kind)
{
    static const char *const names[SIP_TRANS_KINDS] = {
        [SIP_ICT] = "INVITE client",
        [SIP_NICT] = "non-INVITE client",
        [SIP_IST] = "INVITE server",
        [SIP_NIST] = "non-INVITE server",
    };

    return kind < SIP_TRANS_KINDS ? names[kind] : "?";
}

const char *sip_trans_state_name(enum sip_trans_state state)
{
    static const char *const names[SIP_TS_STATES] = {
        [SIP_TS_TRYING] = "trying",       [SIP_TS_PROCEEDING] = "proceeding",
        [SIP_TS_COMPLETED] = "completed", [SIP_TS_CONFIRMED] = "confirmed",
        [SIP_TS_ACCEPTED] = "accepted",   [SIP_TS_ENDED] = "ended",
    };

    return state < SIP_TS_STATES ? names[state] : "?";
}

const char *sip_trans_event_name(enum sip_trans_event ev)
{
    static const char *const names[SIP_TE_EVENTS] = {
        [SIP_TE_START] = "start",     [SIP_TE_1XX] = "1xx",
        [SIP_TE_2XX] = "2xx",         [SIP_TE_FINAL] = "final",
        [SIP_TE_REQUEST] = "request", [SIP_TE_ACK] = "ack",
        [SIP_TE_CANCEL] = "cancel",   [SIP_TE_RETRY] = "retry",
        [SIP_TE_END] = "end",         [SIP_TE_IO_ERROR] = "io error",
    };

    return ev < SIP_TE_EVENTS ? names[ev] : "?";
}
