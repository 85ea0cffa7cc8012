/* The input is a script: two bytes choose machine and transport, then each
 * byte is an event or lets time pass. Whatever comes in whatever order, the
 * machine keeps to its rules and dies in the end. */
#include "fuzz/fuzz.h"

#include "sip/trans.h"

#include <stdlib.h>

static const struct sip_timers timers = { SIP_T1_MS, SIP_T2_MS, SIP_T4_MS };

/* What comes from outside; the timers' events are the tick's. */
static const uint8_t events[] = { SIP_TE_1XX,     SIP_TE_2XX, SIP_TE_FINAL,
                                  SIP_TE_REQUEST, SIP_TE_ACK, SIP_TE_CANCEL,
                                  SIP_TE_IO_ERROR };
#define N_EVENTS sizeof(events)

static void check(const struct sip_trans *t, unsigned acts, uint64_t now_ms)
{
    require(t->state < SIP_TS_STATES);
    require(*sip_trans_state_name(t->state) != '?');
    require(*sip_trans_kind_name(t->kind) != '?');
    require(!(acts & SIP_TA_FREE) || t->state == SIP_TS_ENDED);
    require(!((acts & SIP_TA_SEND) && (acts & SIP_TA_RESEND)));
    require(!((acts & SIP_TA_TIMED_OUT) && (acts & SIP_TA_BROKEN)));
    if (t->state == SIP_TS_ENDED)
        require(t->retry_ms == GB_NEVER && t->end_ms == GB_NEVER);
    else if (t->state >= SIP_TS_COMPLETED)
        require(t->end_ms != GB_NEVER); /* nothing finished stays */
    if (t->reliable)
        require(t->retry_ms == GB_NEVER);
    if (t->retry_ms != GB_NEVER)
        require(t->retry_ms <= now_ms + 64 * SIP_T1_MS);
    if (t->kind == SIP_NICT || t->kind == SIP_NIST)
        require(t->state != SIP_TS_ACCEPTED && t->state != SIP_TS_CONFIRMED);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint64_t now_ms = 0;
    struct sip_trans t;
    unsigned acts, passed = 0;

    if (size < 2)
        return 0;
    acts = sip_trans_start(&t, data[0] % SIP_TRANS_KINDS, data[1] & 1, &timers,
                           now_ms);
    check(&t, acts, now_ms);
    for (size_t i = 2; i < size; i++) {
        uint8_t was = t.state;

        if (data[i] >= 128) {
            now_ms += (uint64_t)(data[i] - 128) * 100;
            acts = sip_trans_tick(&t, &timers, now_ms);
            require(!(acts & (SIP_TA_PASS | SIP_TA_SEND | SIP_TA_ACK)));
            require(acts || sip_trans_deadline(&t) > now_ms);
        } else {
            enum sip_trans_event ev = events[data[i] % N_EVENTS];

            require(*sip_trans_event_name(ev) != '?');
            acts = sip_trans_input(&t, ev, &timers, now_ms);
            require(!acts || was != SIP_TS_ENDED);
            if (t.kind == SIP_NICT && ev != SIP_TE_1XX)
                passed += (acts & SIP_TA_PASS) != 0;
        }
        require(t.state >= was); /* the figures have no way back */
        check(&t, acts, now_ms);
    }
    require(passed <= 1); /* one final answer */
    for (unsigned n = 0; sip_trans_deadline(&t) != GB_NEVER; n++) {
        now_ms = sip_trans_deadline(&t);
        require(sip_trans_tick(&t, &timers, now_ms) != 0);
        require(n < 100);
    }
    /* only a client waiting for an answer after a 1xx may wait for ever; the
     * stack's own timeout ends it */
    require(t.state == SIP_TS_ENDED ||
            (t.kind == SIP_ICT && t.state == SIP_TS_PROCEEDING));
    return 0;
}
