/* sip/stack_impl.h - what the files of sip/stack share; nobody else includes it
 *
 * stack.c         life, rings, input, tick
 * stack_trans.c   transactions: keys, tables, blobs, limits
 * stack_done.c    finished ones that wait for repeats
 * stack_client.c  requests of ours and what comes back
 * stack_server.c  requests of peers
 * stack_reply.c   our answers to them
 * stack_refuse.c  what is refused before the layer above sees it
 * stack_call.c    dialogs
 * stack_sub.c     subscriptions
 * stack_auth.c    challenges answered, peers left alone
 * stack_known.c   challenges of before, answered unasked
 * stack_large.c   large requests over TCP, and back */
#ifndef SIP_STACK_IMPL_H
#define SIP_STACK_IMPL_H

#include "base/arena.h"
#include "base/heap.h"
#include "base/idmap.h"
#include "base/list.h"
#include "base/map.h"
#include "base/pool.h"
#include "sip/dialog.h"
#include "sip/stack.h"
#include "sip/trans.h"

#define STK_MAX_TRANSACTIONS 100000u
#define STK_MAX_DIALOGS 20000u
#define STK_MAX_SUBS 20000u
#define STK_MAX_FORKS 8      /* 2xx with different To tags to one INVITE */
#define STK_MAX_SAME_CALL 16 /* dialogs with one Call-ID */
#define STK_RECENT 64        /* outputs that sip_stack_send_failed knows */
#define STK_MAX_MESSAGE (SIP_MAX_HEAD + SIP_MAX_BODY) /* that we write */
#define STK_FIRST_SCRATCH 4096
#define STK_KEEP_SCRATCH 65536 /* more is given back after the message */
#define STK_ARENA (3 * SIP_MAX_HEAD) /* scratch of one dialog operation */
#define STK_ROOM 6           /* events and outputs one step makes at most */
#define STK_STALL_MS 100     /* timers wait this long when memory is short */
#define STK_TAG 16           /* hex digits of tags and tokens */
#define STK_LINES 512        /* further headers of an answer; longer ones cost
                                a finished transaction its whole answer */
#define STK_FIRST_OUT 8192   /* bytes of the answers of one turn */
#define STK_KEEP_OUT (256u * 1024) /* larger is given back when empty */
#define STK_BRANCH (7 + STK_TAG)

/* Bytes of a message, shared by a transaction and the output queue. */
struct blob {
    uint32_t refs, n;
    char p[];
};

/* A key: 128 bits of keyed hash over the fields, so that it is small, of one
 * size, and nobody outside can make two requests meet. */
struct stk_key {
    uint64_t h[2];
};

static inline struct slice key_slice(const struct stk_key *k)
{
    return slice_of((const char *)k->h, sizeof(k->h));
}

/* What becomes a key: the parts one behind the other, each with its length, so
 * that they cannot flow into one another. */
struct stk_text {
    struct stk_key k; /* of what did not fit any more */
    size_t n;
    char p[512];
};

/* Objects by their key. The key is a keyed hash already: it is the bucket. The
 * table doubles; without memory for that its chains grow. */
struct stk_node {
    struct stk_node *next;
    struct stk_key key;
};

struct stk_table {
    struct stk_node **bucket;
    size_t n_buckets, n;
};

/* A queue that keeps its place in memory: grows by doubling, and gives a large
 * one back when it has run empty. */
struct ring {
    char *p;
    size_t size; /* of an element */
    uint32_t cap, head, n;
};

enum stk_tag { STK_TRANS, STK_CALL, STK_SUB }; /* heap_node.tag */

struct conn { /* of TCP and TLS: who must hear when it closes */
    struct map_node by_id;
    uint64_t id;
    struct list trans;
};

struct trans {
    struct sip_trans m;
    struct heap_node timer;
    struct stk_node by_key;
    struct stk_node by_merge; /* server: From tag, Call-ID, CSeq (§8.2.2.2) */
    struct list finished; /* in stack.finished, or alone */
    struct list on_conn;
    struct sip_peer peer;
    uint64_t id, dialog, user;
    uint64_t to_tag;      /* server: the tag of our answers, as hex */
    struct blob *out;     /* client: the request; server: the last answer */
    struct blob *echo;    /* server: what each answer repeats; until the final */
    struct gb_addr source; /* server: whose answers' Via names */
    uint32_t echo_n;      /* the rest of it is Record-Route */
    uint32_t cseq;
    uint8_t method;       /* enum sip_method */
    bool own_to_tag;      /* server: the request had no To tag, ours counts */
    bool listed;          /* server: by_merge is in its table */
    bool cookie;          /* server: matched by branch (RFC 3261 §17.2.3) */
    bool silent;          /* client: no event names it */
    bool broken;          /* the transport failed; the tick will tell */
    bool timed_cancel;    /* ICT: CANCEL as soon as a 1xx comes */
    bool cancelled;       /* ICT: CANCEL has gone out; IST: it came in, or a
                             BYE did */
    bool orphan;          /* ICT: nobody wants the answer; a 2xx gets a BYE */
};

/* What makes the answer to a request once more out of the request, when that
 * comes again. */
struct seed {
    uint64_t to_tag;
    uint64_t source;     /* hash of the address; a repeat from elsewhere gets
                            nothing */
    uint32_t expires;    /* if has_expires */
    uint16_t status;
    uint16_t n_first;    /* whole: bytes of the status line */
    uint32_t n;          /* bytes of text */
    bool has_expires;
    bool contact;        /* the answer repeats the request's Contact URI */
    bool whole;          /* text is the answer without what it echoes; else
                            its further headers alone */
};

/* A finished non-INVITE server transaction over UDP (Timer J). */
struct done {
    struct stk_key key;
    uint64_t end_ms;
    struct seed seed;
    char text[];
};

struct done_block; /* stack_done.c */
struct done_slot {
    uint32_t tag;   /* of its key */
    uint32_t place; /* in the blocks, and one; 0: nothing is here */
};

/* All of them, oldest first. */
struct dones {
    struct done_block **block; /* those in use: first .. next, modulo cap */
    struct done_block *spare;
    uint32_t cap, first, next;
    struct done_slot *slot; /* by key */
    uint32_t n_slots;       /* a power of two */
    uint32_t n;             /* entries */
    size_t used_bytes;      /* of the entries */
};

struct ctrans { /* a client transaction */
    struct trans t;
    struct map_node by_call; /* Call-ID, CSeq, method: answers without a Via */
    struct stk_key call_key;
    uint64_t give_up_ms;     /* GB_NEVER: only the machine's timers */
    uint64_t branch;
    uint64_t fork[STK_MAX_FORKS]; /* hashes of the To tags of 2xx so far */
    uint64_t answer; /* hash of Contact and body of the first 2xx */
    uint64_t sub;    /* its subscription, or 0 */
    struct blob *secret; /* user name, and password behind it; or NULL */
    uint32_t n_user;
    uint8_t logins;      /* challenges answered so far */
    uint8_t unasked;     /* enum stk_unasked: what it was first sent with */
    uint8_t n_forks;
    bool large;      /* over TCP for its size alone */
};

enum call_state {
    CALL_CALLING,   /* our INVITE is open */
    CALL_CALLED,    /* the peer's INVITE waits for the layer above */
    CALL_CONFIRMED, /* a 2xx went one way or the other */
};

struct call {
    struct sip_dialog d;
    char *mem;      /* of d */
    size_t mem_n;
    struct map_node by_call_id;
    struct stk_key key;
    struct heap_node timer;
    struct sip_peer peer;
    uint64_t id, user;
    uint64_t own_invite, peer_invite; /* transactions still open, or 0 */
    uint64_t retry_ms, end_ms;        /* of the 2xx, or of a hidden BYE */
    uint32_t interval_ms;
    uint32_t ok_cseq;
    struct blob *ok;          /* our 2xx, until its ACK */
    struct blob *next_target; /* of the peer's open re-INVITE */
    uint8_t state;            /* enum call_state */
    bool caller;              /* our INVITE opened it */
    bool early;               /* CALLING: a 1xx has told the other side */
    bool hidden;              /* the handle is gone; a BYE is still due */
    bool unknown;             /* to the peer, and that was told */
};

/* The request that the layer above has just been told of, as long as its turn
 * lasts. It has its ids, and nothing else has been done for it: t and call are
 * moved to a place of their own when it turns out that they must live. */
struct pending {
    bool on;
    bool told;           /* its event has been taken out */
    bool opens;          /* a new INVITE: call has an id */
    struct trans t;
    struct call call;
    struct sip_peer from;
    uint64_t now_ms;     /* when it came */
};

struct sub { /* a subscription: ours, or one that a peer holds */
    struct sip_dialog d;
    char *mem;      /* of d */
    size_t mem_n;
    struct map_node by_call_id;
    struct stk_key key;
    struct heap_node timer;
    struct sip_peer peer;
    uint64_t id, user;
    uint64_t open;   /* our SUBSCRIBE or NOTIFY that is not answered yet, or 0 */
    uint64_t end_ms; /* its time is over; GB_NEVER: nothing granted yet */
    uint64_t n_ms;   /* Timer N, or when a hidden one is forgotten; GB_NEVER */
    uint64_t tag;    /* notifier: the number behind the local tag */
    struct blob *text; /* Event, and Contact behind it */
    uint32_t event_n;
    uint32_t asked_s;
    bool notifier;
    bool confirmed;  /* subscriber: the dialog is there */
    bool hidden;     /* the handle is gone */
    bool loose;
};

#define STK_SHY 64         /* peers left alone at one time */
#define STK_SHY_MAX_S 600
#define STK_KNOWN 64       /* peers whose challenge is remembered */
#define STK_ANSWER 1024    /* bytes of an Authorization value of ours */
#define STK_UDP_ONLY_MS 600000 /* large requests over UDP, after a connection
                                  that was not taken */

struct shy { /* answered 503 with Retry-After */
    struct gb_addr remote;
    uint8_t transport;
    uint64_t until_ms;
};

/* Credentials that go out before the peer has asked for them. */
enum stk_unasked { STK_NOT_UNASKED, STK_UNASKED, STK_UNASKED_PROXY };

struct out_entry {
    struct blob *blob;   /* NULL: n bytes at off of the out buffer */
    uint32_t off, n;
    uint16_t status;     /* of an answer to `method`; 0: read it, to count it */
    uint8_t method;
    struct sip_peer peer;
    uint64_t trans;
};

struct recent {
    struct sip_peer peer;
    uint64_t trans;
};

/* A message as it was read, perhaps before its turn. */
struct reading {
    struct sip_msg msg;
    int err; /* of sip_msg_parse, with its diag */
    struct gb_diag diag;
    struct stk_key key; /* has_key: it is a request, no ACK */
    bool has_key;
    struct slice ahead; /* the bytes, before its turn; then empty */
};

struct sip_stack {
    const struct gb_alloc *alloc;
    char *texts; /* the bytes of user_agent and register_extra */
    struct slice user_agent;
    struct sip_extra register_extra; /* name.n is 0: none */
    bool ignore_require, reply_by_via;
    struct sip_timers timers;
    uint64_t token_seed[2], key_seed[2];
    uint64_t n_tokens;
    uint32_t max_trans;
    uint32_t next_cseq;

    struct pool pool;
    struct heap timers_due;
    uint64_t stalled_ms; /* no timer before this: memory is short */

    struct idmap trans_ids, call_ids;
    struct stk_table by_key, by_merge; /* transactions */
    struct map by_call;         /* transactions */
    struct map by_call_id;      /* calls */
    struct map conns;
    struct list finished;       /* transactions, oldest first */
    struct dones dones;
    struct pending pend;
    uint64_t answered;          /* id of the request that left in this turn */
    uint32_t n_calls, max_calls;

    struct idmap sub_ids;
    struct map by_sub;          /* subscriptions, by Call-ID */
    uint32_t n_subs, max_subs;
    bool obey_retry_after;
    struct shy shy[STK_SHY];
    struct shy udp_only[STK_SHY]; /* took no connection */
    struct known *known;          /* STK_KNOWN; NULL: nobody has asked yet */
    uint64_t n_known;             /* uses, of all of them */
    uint32_t large_bytes;

    uint64_t pend_sub;          /* that the pending SUBSCRIBE is in, or 0 */

    struct ring events, outs;
    uint32_t n_msg_events; /* queued events that point into the input */
    struct blob *last_out;
    struct recent recent[STK_RECENT];
    unsigned n_recent;

    char *scratch; /* messages are written here first */
    size_t scratch_n;
    char *out;     /* answers that nothing keeps are written here, and sent */
    size_t out_n, out_cap;
    char *arena;   /* STK_ARENA */
    char tag[STK_TAG]; /* what sip_stack_to_tag lends */

    struct sip_msg *msg; /* the input; events point at it */
    bool is_read;        /* it is whole */
    struct stk_key key;  /* of msg, if it is a request */
    struct reading read[2]; /* msg is in one of them; what is read ahead goes
                               into the other */
    struct sip_msg aux; /* a request of ours, read back */
    struct sip_counters count;
    struct sip_tally tally;
};

/* ---- stack.c ---- */

int stk_room(struct sip_stack *s); /* for one step; 0 or GB_ENOMEM */
static inline struct arena stk_arena(struct sip_stack *s)
{
    return arena_of(s->arena, STK_ARENA);
}
void stk_send(struct sip_stack *s, struct blob *b, const struct sip_peer *peer,
              uint64_t trans);
/* The same for a message that nothing keeps, written straight into the out
 * buffer. *out, if not NULL, is good until the next one. 0 or the error. */
typedef int stk_write_fn(struct writer *w, const void *parts);
int stk_put(struct sip_stack *s, stk_write_fn *write, const void *parts,
            const struct sip_peer *peer, struct slice *out);
/* What was put last is an answer to m: so it need not be read to be counted. */
void stk_put_answers(struct sip_stack *s, const struct sip_msg *m,
                     unsigned status);
/* Queues an event and returns it to be filled; from and m are NULL when no
 * message made it. Room must be there. */
struct sip_event *stk_event(struct sip_stack *s, enum sip_event_kind kind,
                            const struct sip_peer *from,
                            const struct sip_msg *m);
/* The event that was queued last. */
struct sip_event *stk_newest_event(struct sip_stack *s);
/* Forgets what is queued for this dialog; its requests are answered 481. */
void stk_drop_events(struct sip_stack *s, uint64_t dialog, uint64_t now_ms);
void stk_drop_sub_events(struct sip_stack *s, uint64_t sub, uint64_t now_ms);
/* The transport failed; the next tick tells. */
void stk_broken(struct sip_stack *s, struct trans *t);
uint64_t stk_random(struct sip_stack *s);
void stk_hex(char out[static STK_TAG], uint64_t v);

/* ---- stack_trans.c ---- */

/* A message is written by `write` into the scratch, which grows until it fits,
 * and kept as a blob. NULL and *err on failure. */
struct blob *stk_write(struct sip_stack *s, stk_write_fn *write,
                       const void *parts, int *err);
struct blob *blob_of(struct sip_stack *s, struct slice a, struct slice b);
struct blob *blob_ref(struct blob *b);
void blob_unref(struct sip_stack *s, struct blob **b);
static inline struct slice blob_slice(const struct blob *b)
{
    return slice_of(b->p, b->n);
}

void key_start(struct stk_text *t, const char *kind);
void key_add(const struct sip_stack *s, struct stk_text *t, struct slice part);
void key_add_num(const struct sip_stack *s, struct stk_text *t, uint64_t n);
void key_end(const struct sip_stack *s, struct stk_text *t, struct stk_key *k);
uint64_t stk_tag_hash(const struct sip_stack *s, struct slice tag);

/* RFC 3261 §17.2.3; the method INVITE for its ACK and CANCEL. */
void stk_server_key(const struct sip_stack *s, struct stk_key *k,
                    const struct sip_msg *m, enum sip_method method);
/* What two copies of one request have in common that came on two ways
 * (RFC 3261 §8.2.2.2). */
void stk_merge_key(const struct sip_stack *s, struct stk_key *k,
                   const struct sip_msg *m);
void stk_branch_key(const struct sip_stack *s, struct stk_key *k,
                    struct slice branch, struct slice method);
void stk_call_key(const struct sip_stack *s, struct stk_key *k,
                  struct slice call_id, uint32_t cseq, struct slice method);

struct trans *stk_trans_find(const struct sip_stack *s, uint64_t id);
struct trans *stk_trans_by_key(const struct sip_stack *s,
                               const struct stk_key *k);
struct ctrans *stk_trans_by_call(const struct sip_stack *s,
                                 const struct stk_key *k);
static inline struct ctrans *client(struct trans *t)
{
    return container_of(t, struct ctrans, t);
}
static inline bool is_client(const struct trans *t)
{
    return t->m.kind == SIP_ICT || t->m.kind == SIP_NICT;
}

/* A new transaction, in all tables, its machine not started. kind decides the
 * struct. GB_ELIMIT, GB_ENOMEM. */
int stk_trans_new(struct sip_stack *s, struct trans **out,
                  enum sip_trans_kind kind, const struct stk_key *key,
                  const struct sip_peer *peer);
/* The same for a server transaction whose id and struct are there: `from` has
 * them and is copied. */
int stk_trans_adopt(struct sip_stack *s, struct trans **out,
                    const struct trans *from);
/* A live transaction of a request without a To tag; for stk_trans_merged. */
void stk_trans_list(struct sip_stack *s, struct trans *t,
                    const struct sip_msg *m);
struct trans *stk_trans_merged(const struct sip_stack *s,
                               const struct sip_msg *m);
void stk_trans_index_call(struct sip_stack *s, struct ctrans *c,
                          const struct stk_key *k);
/* Its peer is another one now. GB_ENOMEM, never for UDP: nothing has changed. */
int stk_trans_move(struct sip_stack *s, struct trans *t,
                   const struct sip_peer *peer);
/* The transactions over a connection; NULL: none. */
struct list *stk_conn_trans(const struct sip_stack *s, uint64_t connection);
void stk_trans_free(struct sip_stack *s, struct trans *t);
/* After every step of its machine: timer, finished list, memory. */
void stk_trans_settle(struct sip_stack *s, struct trans *t);

/* One more may live; the oldest finished one made room, if that was needed. */
bool stk_trans_room(struct sip_stack *s);
void stk_table_fini(struct sip_stack *s, struct stk_table *t);

/* ---- stack_done.c ---- */

/* Remembers an answered request: a and c are copied and make its text, seed.n
 * is set here. Without memory it is not remembered. */
void stk_done_add(struct sip_stack *s, const struct seed *seed,
                  const struct stk_key *key, struct slice a, struct slice c,
                  uint64_t now_ms);
/* Asks for the memory that stk_done_find will read. */
void stk_done_ahead(const struct sip_stack *s, const struct stk_key *k);
struct done *stk_done_find(const struct sip_stack *s, const struct stk_key *k);
/* Forgets the oldest; false: there is none. */
bool stk_done_pop(struct sip_stack *s);
/* Forgets those whose time is over. */
void stk_done_tick(struct sip_stack *s, uint64_t now_ms);
uint64_t stk_done_deadline(const struct sip_stack *s); /* GB_NEVER: none */
void stk_done_fini(struct sip_stack *s);

/* ---- stack_client.c ---- */

struct client_opts {
    const struct sip_peer *peer;
    uint64_t dialog, user;
    uint64_t sub;
    uint32_t timeout_ms;
    struct sip_login login; /* for when it is challenged; no username: none */
    bool silent;
};

/* What r says of its transaction. Borrows from r. */
struct client_opts stk_client_opts(const struct sip_request *r);

void stk_request_parts(struct sip_request_parts *p,
                       const struct sip_request *r);
/* What the layer above left to us; the text lives as long as this struct. */
struct stk_fresh {
    char call_id[STK_TAG], tag[STK_TAG];
};
void stk_fill_fresh(struct sip_stack *s, struct sip_request_parts *p,
                    struct stk_fresh *f);

/* A request in two steps: written, with its transaction but nothing sent; then
 * on its way. Between them it can be taken back with stk_trans_free. Fills
 * branch, transport, sent-by and User-Agent of p. */
int stk_client_new(struct sip_stack *s, struct sip_request_parts *p,
                   const struct client_opts *o, uint64_t now_ms,
                   struct trans **out);
void stk_client_start(struct sip_stack *s, struct trans *t, uint64_t now_ms);
/* A client transaction for bytes that are written; takes b on success. */
int stk_trans_of(struct sip_stack *s, struct trans **out, struct blob *b,
                 const struct sip_request_parts *p,
                 const struct client_opts *o);
void stk_branch_write(char out[static STK_BRANCH], uint64_t v);
/* A request of ours, parsed into s->aux. */
int stk_read_back(struct sip_stack *s, const struct trans *t);
/* One that has a fault. */
void stk_on_odd_response(struct sip_stack *s, const struct sip_peer *from,
                         struct sip_msg *m, uint64_t now_ms);
void stk_on_response(struct sip_stack *s, const struct sip_peer *from,
                     const struct sip_msg *m, uint64_t now_ms);
void stk_client_tick(struct sip_stack *s, struct ctrans *c, uint64_t now_ms);
/* How a request of ours ended, for the layer above; NULL: nobody to tell. */
struct sip_event *stk_tell(struct sip_stack *s, const struct trans *t,
                           enum sip_event_kind kind, unsigned status,
                           const struct sip_peer *from,
                           const struct sip_msg *m);
/* The layer above has lost interest in this INVITE: CANCEL now or with the
 * first 1xx; a 2xx is acknowledged and ended. */
void stk_invite_abandon(struct sip_stack *s, struct trans *t, uint64_t now_ms);
/* A BYE that nobody hears about; d may borrow from scratch. */
int stk_bye(struct sip_stack *s, const struct sip_dialog *d,
            const struct sip_peer *peer, struct arena *scratch,
            uint64_t now_ms);

/* ---- stack_server.c ---- */

void stk_on_request(struct sip_stack *s, const struct sip_peer *from,
                    struct sip_msg *m, uint64_t now_ms);
/* The turn of the pending request is over: it gets all that a transaction
 * needs, an INVITE its 100 and its dialog. */
void stk_turn_over(struct sip_stack *s);
/* The pending request is none any more; its ids, and the dialog that it was to
 * open, are gone. */
void stk_forget_pending(struct sip_stack *s);
void stk_server_tick(struct sip_stack *s, struct trans *t, uint64_t now_ms);
/* Reports a request that is no INVITE; NULL: dropped, it will come again. */
struct sip_event *stk_report(struct sip_stack *s, const struct sip_peer *from,
                             const struct sip_msg *m, uint64_t now_ms);
/* Of a dialog that is over: our INVITE is abandoned, the peer's gets status;
 * an id that finds nothing is fine. */
void stk_end_invites(struct sip_stack *s, uint64_t own, uint64_t peers,
                     unsigned status, uint64_t now_ms);
/* A plain answer of the stack's own; does what sip_stack_respond does. */
int stk_answer(struct sip_stack *s, struct trans *t, unsigned status,
               uint64_t now_ms);

/* ---- stack_reply.c ---- */

/* An answer in the making, and what will make it once more. */
struct making {
    struct sip_response_parts p;
    struct seed seed;
    char tag[STK_TAG];
    char text[STK_LINES];
    struct writer lines;         /* its further headers, in text */
    struct slice first, tail;    /* of an answer to be kept whole */
};

/* The To tag of what is answered under this key: the same each time. */
uint64_t stk_tag_of_key(const struct sip_stack *s, const struct stk_key *k);
/* Where the answer to a request goes: to its source, or as §18.2.2 says. */
struct sip_peer stk_reply_peer(const struct sip_stack *s,
                               const struct sip_peer *from,
                               const struct sip_msg *m);
/* An answer that nothing keeps. The same request gets the same bytes. */
int stk_reply(struct sip_stack *s, const struct sip_peer *from,
              const struct sip_msg *m, const struct sip_response *r);
/* The final answer to the request at hand, not an INVITE: sent, and kept as far
 * as its repeats need it. */
int stk_answer_last(struct sip_stack *s, const struct sip_peer *from,
                    const struct sip_msg *m, const struct sip_response *r,
                    uint64_t to_tag, uint64_t now_ms);
/* The same answer out of the same request (§17.2.2). Who is not its sender
 * gets nothing. */
void stk_answer_again(struct sip_stack *s, const struct done *d,
                      const struct sip_peer *from, const struct sip_msg *m);
/* The answer to t, whose request has gone; NULL and *err: no memory. k: for
 * stk_make_end, as long as the blob lives. */
struct blob *stk_build_for(struct sip_stack *s, const struct trans *t,
                           const struct sip_response *r, struct making *k,
                           int *err);
/* Remembers what was made, for repeats. */
void stk_make_end(struct sip_stack *s, struct making *k,
                  const struct stk_key *key, uint64_t to_tag,
                  const struct gb_addr *source, uint64_t now_ms);
/* The 100 of the INVITE at hand. */
void stk_send_trying(struct sip_stack *s, struct trans *t);
/* A request that has a fault. */
void stk_on_malformed(struct sip_stack *s, const struct sip_peer *from,
                      const struct sip_msg *m);
/* Answers the request at hand without a word to the layer above, and without
 * state: the same request gets the same bytes. A quiet peer gets none. */
void stk_refuse(struct sip_stack *s, const struct sip_peer *from,
                const struct sip_msg *m, unsigned status);
void stk_refuse_with(struct sip_stack *s, const struct sip_peer *from,
                     const struct sip_msg *m, unsigned status,
                     const struct sip_extra *extra, size_t n_extra);

/* ---- stack_refuse.c ---- */

/* Whether the stack has answered m by itself (§8.2), so that the layer above
 * never sees it; c: the dialog of m, or NULL. An optional body that cannot be
 * read is taken out of m. */
bool stk_refused(struct sip_stack *s, const struct call *c,
                 const struct sip_peer *from, struct sip_msg *m);

/* ---- stack_call.c ---- */

char *stk_copy_dialog(struct sip_stack *s, struct sip_dialog *out,
                      const struct sip_dialog *in);
/* In place of what *d and its memory were; GB_ENOMEM: they stay. in may borrow
 * from them. */
int stk_renew_dialog(struct sip_stack *s, struct sip_dialog *d, char **mem,
                     size_t *mem_n, const struct sip_dialog *in);
struct call *stk_call_find(const struct sip_stack *s, uint64_t id);
struct call *stk_call_match(const struct sip_stack *s,
                            const struct sip_peer *from,
                            const struct sip_msg *m);
/* How many dialogs have this Call-ID. */
unsigned stk_call_count(const struct sip_stack *s, struct slice call_id);
int stk_call_new(struct sip_stack *s, struct call **out,
                 const struct sip_dialog *d, const struct sip_peer *peer);
/* The same for a dialog whose id is there: `from` has it, its user and peer. The
 * id does not lead to *out yet. */
int stk_call_adopt(struct sip_stack *s, struct call **out,
                   const struct sip_dialog *d, const struct call *from);
int stk_call_update(struct sip_stack *s, struct call *c,
                    const struct sip_dialog *d);
int stk_call_retarget(struct sip_stack *s, struct call *c, struct slice target);
void stk_call_free(struct sip_stack *s, struct call *c);
void stk_call_tick(struct sip_stack *s, struct call *c, uint64_t now_ms);
/* Reports ENDED and frees; a hidden one goes silently. */
void stk_call_ended(struct sip_stack *s, struct call *c, unsigned status,
                    const struct sip_peer *peer, const struct sip_msg *m);
/* The dialog is over while INVITEs may be open in it: ENDED, and those end as
 * well, in silence. */
void stk_call_over(struct sip_stack *s, struct call *c, unsigned status,
                   const struct sip_peer *peer, const struct sip_msg *m,
                   uint64_t now_ms);
/* The peer says that it knows no such dialog: ENDED, and INVITEs end as well. It
 * stays for the BYE, which is up to the layer above. */
void stk_call_unknown(struct sip_stack *s, struct call *c, unsigned status,
                      const struct sip_peer *peer, const struct sip_msg *m,
                      uint64_t now_ms);
void stk_call_sent_ok(struct sip_stack *s, struct call *c, struct blob *ok,
                      uint32_t cseq, uint64_t now_ms);
void stk_call_on_ack(struct sip_stack *s, struct call *c,
                     const struct sip_peer *from, const struct sip_msg *m,
                     uint64_t now_ms);

/* ---- stack_sub.c ---- */

struct sub *stk_sub_find(const struct sip_stack *s, uint64_t id);
/* The subscription that a SUBSCRIBE or NOTIFY is in. */
struct sub *stk_sub_match(const struct sip_stack *s,
                          const struct sip_peer *from, const struct sip_msg *m);
void stk_sub_request(struct sip_stack *s, struct sub *b,
                     const struct sip_peer *from, const struct sip_msg *m,
                     uint64_t now_ms);
/* The final answer to a SUBSCRIBE or NOTIFY of ours. */
void stk_sub_answered(struct sip_stack *s, struct trans *t,
                      const struct sip_peer *from, const struct sip_msg *m,
                      uint64_t now_ms);
void stk_sub_failed(struct sip_stack *s, struct trans *t);
void stk_sub_tick(struct sip_stack *s, struct sub *b, uint64_t now_ms);
void stk_sub_free(struct sip_stack *s, struct sub *b);

/* ---- stack_auth.c ---- */

/* Keeps what a challenge will be answered with. GB_ENOMEM. */
int stk_keep_secret(struct sip_stack *s, struct trans *t,
                    struct slice username, struct slice password);
void stk_drop_secret(struct sip_stack *s, struct ctrans *c);
/* The final answer m to t, which has a secret. true: another transaction has its
 * id and goes on, with an answer to the challenge, or without credentials that
 * nobody had asked for. false: it is the layer above's. */
bool stk_log_in(struct sip_stack *s, struct trans *t, const struct sip_msg *m,
                uint64_t now_ms);
void stk_note_busy(struct sip_stack *s, const struct sip_peer *peer,
                   const struct sip_msg *m, uint64_t now_ms);
bool stk_is_busy(const struct sip_stack *s, const struct sip_peer *peer,
                 uint64_t now_ms);

/* ---- stack_known.c ---- */

struct sip_challenge;

/* How often this nonce of the peer has been used, as far as we know. */
uint32_t stk_known_uses(const struct sip_stack *s, const struct sip_peer *peer,
                        struct slice nonce);
/* This challenge of the peer has been answered, with the nc-th use of its
 * nonce. */
void stk_known_note(struct sip_stack *s, const struct sip_peer *peer,
                    bool proxy, const struct sip_challenge *c, uint32_t nc);
void stk_known_forget(struct sip_stack *s, const struct sip_peer *peer);
/* The peer wants this nonce from now on. */
void stk_known_next(struct sip_stack *s, const struct sip_peer *peer,
                    struct slice nonce);
/* What came of credentials that were sent unasked: taken, or challenged. */
void stk_known_fared(struct sip_stack *s, const struct sip_peer *peer,
                     bool well);
/* The peer takes a nonce once. */
void stk_known_single(struct sip_stack *s, const struct sip_peer *peer);
/* Gives p the credentials that its peer has shown to ask for, as far as o has a
 * login; their text is in buf. */
enum stk_unasked stk_known_bring(struct sip_stack *s,
                                 struct sip_request_parts *p,
                                 const struct client_opts *o,
                                 char buf[static STK_ANSWER]);

/* ---- stack_large.c ---- */

/* Whether the written request b goes to peer over TCP for its size; then *over
 * is the peer that it goes to, and b says so. */
bool stk_large(struct sip_stack *s, struct blob *b, const struct sip_peer *peer,
               struct sip_peer *over, uint64_t now_ms);
/* The transport of t has failed: it has been sent over UDP. false: it had not
 * left UDP for its size, has been answered, or there is no memory. */
bool stk_large_back(struct sip_stack *s, struct trans *t, uint64_t now_ms);
#endif
