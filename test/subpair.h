/* test/subpair.h - two stacks with subscriptions: side 0 subscribes, side 1
 * notifies, as a script says */
#ifndef TEST_SUBPAIR_H
#define TEST_SUBPAIR_H

#include "sip/value.h"
#include "test/pair.h"

/* What the two layers above do, and what the wire loses; zeroed is fine. */
struct sub_script {
    unsigned answer;       /* to a SUBSCRIBE; 200: sip_stack_accept */
    uint32_t grants_s;     /* the most that is granted */
    unsigned notify_answer; /* of side 0 to a NOTIFY */
    bool mute;             /* side 1 sends no NOTIFY by itself */
    uint64_t sub[2];       /* the handles */
    const char *lose;      /* what begins so ... */
    unsigned lose_n;       /* ... is lost so often */
    int lose_from;
};

extern const struct pair_wire sub_wire, sub_tcp;

/* The script is p->ctx from then on; one: side 0 alone has a stack. */
void sub_start_with(struct pair *p, struct sub_script *s,
                    const struct pair_wire *w,
                    const struct sip_stack_config *cfg, bool one);
void sub_start(struct pair *p, struct sub_script *s,
               const struct pair_wire *w);
/* A subscription that is up, its first NOTIFY answered. */
void sub_up(struct pair *p, struct sub_script *s, const struct pair_wire *w);
/* Runs it to its end: nothing is left of either stack. */
void sub_finish(struct pair *p);

struct sip_subscribe sub_request(const struct pair *p, int64_t expires_s);
int sub_subscribe(struct pair *p, int64_t expires_s);
int sub_notify(struct pair *p, enum sip_substate state, const char *reason,
               const char *body);
void sub_answer(struct pair *p, int side, uint64_t transaction,
                unsigned status);

/* Of the n-th message of a side that begins so; fails where there is none. */
struct slice sub_header(const struct pair *p, int side, const char *start,
                        size_t n, const char *name);
#endif
