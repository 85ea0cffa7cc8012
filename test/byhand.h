/* test/byhand.h - the peer of a stack is the test itself and writes its messages
 * by hand: requests made of parts that are replaced one by one, answers to what
 * the stack has sent
 *
 * The stack under test is side 0 of a pair that has no side 1. */
#ifndef TEST_BYHAND_H
#define TEST_BYHAND_H

#include "test/pair.h"

/* ---- requests of the peer, to a stack that is a server ------------------ */

/* Values of the lines; more and body are whole. */
struct hand_req {
    const char *method, *uri, *via, *from, *to, *call_id, *cseq, *more, *body;
};

extern const struct hand_req hand_plain; /* a MESSAGE that is as it should be */

/* Valid until the next call. */
struct slice hand_text(const struct hand_req *r);

/* Gives it to the stack; what sip_stack_input returned. */
int hand_feed(struct pair *p, const struct hand_req *r);

/* The layer above answers what it was told of; the transaction. */
uint64_t hand_respond(struct pair *p, const struct pair_seen *seen,
                      unsigned status);

/* What the layer above does with each request, inside the event loop. */
struct hand_turn {
    struct sip_response r;
    bool stateless, contact; /* contact: the request's own */
    bool end;                /* sip_stack_end on the dialog, no answer */
    int err, second;         /* what the answer returned, and one more */
};

void hand_in_turn(struct pair *p, int side, const struct sip_event *ev);

/* pair_init, with hand_in_turn as the layer above. */
void hand_turn_init(struct pair *p, struct hand_turn *t,
                    const struct sip_stack_config *cfg);

/* ---- answers of the peer, to a stack that is a client -------------------- */

#define HAND_ID "34020000001320000001" /* the peer's */

/* An answer to a request that the stack sent; `more` are whole lines. */
struct hand_ans {
    unsigned status;
    const char *to_tag;  /* NULL: none of its own */
    const char *contact; /* value; NULL: none */
    const char *more, *body;
    const char *to;      /* NULL: as in the request */
    bool no_via;
};

extern const struct hand_ans hand_ok; /* 200 with a tag, Contact and a body */

/* Valid until the next call. */
struct slice hand_answer_text(const struct pair_sent *req,
                              const struct hand_ans *a);

/* Gives it to the stack, over the way the request went; must be readable. */
void hand_answer(struct pair *p, const struct pair_sent *req,
                 const struct hand_ans *a);

/* A challenge, or another answer made of lines; with a tag of its own where the
 * request has none. */
struct slice hand_challenge(const struct pair_sent *req, unsigned status,
                            const char *lines);

/* Requests to the peer: of user 42, nothing in them that costs. */
struct sip_request hand_message(const struct pair *p);
struct sip_request hand_invite(const struct pair *p);

/* Sends one; must be taken. The transaction, the dialog. */
uint64_t hand_send(struct pair *p, const struct sip_request *r);
uint64_t hand_call(struct pair *p, const struct sip_request *r);
void hand_end(struct pair *p, uint64_t dialog);
#endif
