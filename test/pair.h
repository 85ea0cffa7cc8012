/* test/pair.h - two SIP stacks joined by a wire in virtual time
 *
 * The wire loses, repeats, delays and reorders by a seed, or as a script says;
 * everything that was sent and every event is kept for the test to look at.
 * Side 1 may be absent: then the test is the peer, with pair_inject. Include
 * it after test/support.h. */
#ifndef TEST_PAIR_H
#define TEST_PAIR_H

#include "test/support.h"

#include "sip/stack.h"

struct pair;

/* What happens to a message; called once for each, in order of sending. */
enum pair_fate { PAIR_PASS, PAIR_LOSE, PAIR_REPEAT };
typedef enum pair_fate pair_fate_fn(void *ctx, int from, struct slice bytes);

/* The layer above of one side; may call the stack. */
typedef void pair_event_fn(struct pair *p, int side,
                           const struct sip_event *ev);

struct pair_wire {
    unsigned loss, repeat;         /* percent */
    uint32_t delay_ms, jitter_ms;  /* jitter reorders */
    uint64_t seed;                 /* 0: 1 */
    bool tcp;                      /* in order, nothing lost */
};

struct pair_sent {
    uint64_t at_ms;
    int from;
    struct sip_peer peer;
    struct slice bytes; /* owned */
};

struct pair_seen {
    uint64_t at_ms;
    int side;
    struct sip_event ev; /* msg is gone: NULL */
    enum sip_method method; /* of that msg */
    char body[64];
};

struct pair_packet {
    uint64_t at_ms, order;
    int to;
    struct sip_peer from;
    struct slice bytes; /* owned */
};

struct pair {
    struct sip_stack *stack[2];
    struct failing_alloc mem[2];
    struct pair_wire wire;
    uint64_t now_ms;
    pair_event_fn *on_event;
    pair_fate_fn *fate;
    void *ctx;      /* the test's */
    bool quiet;     /* keep no history: long runs */
    uint64_t seed, order;

    struct pair_packet *packet;
    size_t n_packets, cap_packets;
    unsigned n_injected;
    struct pair_sent *sent;
    size_t n_sent, cap_sent;
    struct pair_seen *seen;
    size_t n_seen, cap_seen;
};

/* cfg: NULL, or limits and times for both sides (alloc and seed are ours).
 * one: side 1 is the test itself. */
void pair_init(struct pair *p, const struct pair_wire *wire,
               const struct sip_stack_config *cfg, bool one);

/* Frees all; fails the test if a stack leaks. */
void pair_fini(struct pair *p);

/* How a side reaches the other. */
struct sip_peer pair_peer(const struct pair *p, int side);

/* Hands bytes to side 0 (or `to`), now, as from the other; the return value is
 * that of sip_stack_input. Events and outputs are taken out afterwards. */
int pair_inject(struct pair *p, int to, struct slice bytes);
int pair_inject_from(struct pair *p, int to, const struct sip_peer *from,
                     struct slice bytes);

/* Takes events and outputs out of both stacks; after calls into a stack. */
void pair_pump(struct pair *p);

/* Lets time pass, up to and with at_ms. */
void pair_run(struct pair *p, uint64_t at_ms);

/* Until nothing is due and nothing under way; fails the test after `limit_ms`
 * of virtual time. */
void pair_settle(struct pair *p, uint64_t limit_ms);

/* The n-th (from 0) message that this side sent whose first line begins with
 * `start`; NULL: none. */
const struct pair_sent *pair_find(const struct pair *p, int side,
                                  const char *start, size_t n);
size_t pair_count(const struct pair *p, int side, const char *start);

/* Likewise for events; status 0: any. */
const struct pair_seen *pair_event(const struct pair *p, int side,
                                   enum sip_event_kind kind, unsigned status,
                                   size_t n);
size_t pair_events(const struct pair *p, int side, enum sip_event_kind kind,
                   unsigned status);

/* Fails unless side saw n such events. */
void pair_expect(const struct pair *p, int side, enum sip_event_kind kind,
                 unsigned status, size_t n);

/* The last message that was sent; NULL: none. */
const struct pair_sent *pair_last(const struct pair *p);

/* The status of one; 0: a request, or none. */
unsigned pair_status(const struct pair_sent *m);

/* Fails unless its bytes begin so. */
void pair_expect_start(const struct pair_sent *m, const char *want);

struct sip_counters pair_counters(const struct pair *p, int side);

/* The value of a header of a message, as text after "Name: "; the empty slice
 * when there is none. */
struct slice pair_header(struct slice bytes, const char *name);
#endif
