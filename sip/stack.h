/* sip/stack.h - the SIP transaction and dialog user, without I/O
 * (RFC 3261 §12-17, RFC 6026, RFC 3581)
 *
 * One stack serves all listeners of a process, as client and as server. Bytes,
 * time and randomness go in; bytes to send, events and the next deadline come
 * out. The owner's turn is always the same:
 *
 *     sip_stack_input(...) or sip_stack_tick(...) or a call below
 *     while (sip_stack_event(s, &ev))  handle(&ev);      may call the stack
 *     while (sip_stack_output(s, &out)) send(&out);
 *     arm one timer at sip_stack_deadline(s)
 *
 * Events are queued, so no handler runs inside the stack. An event's message
 * points into the bytes given to sip_stack_input and is valid until the next
 * input; drain the events before the buffer goes. */
#ifndef SIP_STACK_H
#define SIP_STACK_H

#include "base/addr.h"
#include "base/alloc.h"
#include "base/time.h"
#include "sip/build.h"
#include "sip/msg.h"
#include "sip/tally.h"

enum sip_transport { SIP_UDP, SIP_TCP, SIP_TLS };

/* A way to a peer. A request is answered over the peer it came from. */
struct sip_peer {
    uint8_t transport;    /* enum sip_transport */
    bool quiet;           /* of a request: what the stack would refuse by
                             itself is dropped instead. For a source that has
                             used up its answers */
    bool ignore_require;  /* of a request: no 420; for a device that writes
                             Require without meaning it */
    bool dial;            /* of a request of ours over UDP: when it is large, a
                             TCP connection to this address may be tried for
                             it. Of an output over TCP whose connection is 0:
                             see sip_stack_dialled */
    uint16_t listener;    /* the edge's index of the local socket */
    uint64_t connection;  /* TCP, TLS: the edge's id of the connection; 0 on
                             UDP. Never reused by the edge. */
    struct gb_addr local; /* our address, as this peer sees it */
    struct gb_addr remote;
};

struct sip_stack_config {
    const struct gb_alloc *alloc;
    const char *user_agent; /* User-Agent and Server value; NULL: none */
    struct sip_extra register_extra; /* a header of the stack's own answers to
                                        REGISTER (X-GB-Ver); name.n 0: none */
    bool ignore_require;    /* for every peer */
    bool reply_by_via;      /* UDP answers go where RFC 3261 §18.2.2 says:
                               maddr, else the source address with the port of
                               rport or sent-by. false: always to the source,
                               which is what gets through a NAT, and what a
                               forged Via cannot point elsewhere */
    uint8_t seed[32];       /* random bytes: tags, branches, Call-IDs, hashing */
    uint32_t max_transactions; /* 0: 100,000. The oldest finished go first */
    uint32_t max_dialogs;      /* 0: 20,000 */
    uint32_t max_subscriptions; /* 0: 20,000 */
    bool obey_retry_after; /* a peer that answered 503 with Retry-After gets no
                              new requests for that time (at most 10 min) but
                              those in dialogs: GB_EBUSY (RFC 3261 §21.5.4) */
    uint32_t t1_ms, t2_ms, t4_ms; /* 0: 500, 4000, 5000 */
    uint32_t large_bytes; /* requests over UDP that are larger go over TCP where
                             the peer's `dial` allows it, and over UDP when no
                             connection comes of it, for 10 minutes without
                             another try (RFC 3261 §18.1.1); 0: none do */
};

struct sip_stack;
int sip_stack_new(struct sip_stack **out, const struct sip_stack_config *cfg);
void sip_stack_free(struct sip_stack *s);

/* One datagram, or one message that sip/frame cut out of a stream. Malformed
 * input is answered as RFC 3261 says where an answer is possible (400, 505,
 * ...), counted, and reported as SIP_EV_BAD; the return value is 0 or the parse
 * error, for the edge's statistics. GB_ENOMEM: not even looked at, as if the
 * network had lost it. GB_ESTATE: events of the input before are still queued
 * and would lose their message; nothing was done. Keep-alives give 0.
 *
 * What the stack answers by itself, without an event and without a transaction
 * (but for BYE and CANCEL), in this order: repeats; ACK, CANCEL; 501 and 405
 * for methods we lack, PRACK 481; 481 for INVITE, INFO and OPTIONS with a To
 * tag that no dialog has (SUBSCRIBE, NOTIFY and MESSAGE with one are reported:
 * the layer above may know it); BYE (200 even without a dialog); 482 for a
 * request that waits for its answer and comes on another way; 420 for Require;
 * 415 for a coded body and for an INVITE that brings something else than SDP,
 * 406 for one that accepts none; in a dialog OPTIONS 200, an old CSeq 500,
 * glare 491.
 *
 * A request that is reported costs nothing before the layer above has had its
 * turn, which ends with the next call of sip_stack_event: answered in it, it
 * leaves without a transaction (respond_stateless) or with a few bytes for its
 * repeats (respond, not INVITE). Only then, unanswered, it gets a transaction,
 * and an INVITE its 100 and its dialog. */
int sip_stack_input(struct sip_stack *s, const struct sip_peer *from,
                    struct slice bytes, uint64_t now_ms);

/* The datagram that will be the next input, where the caller has it already: it is
 * read while the one before is worked on, so that the memory of its look-up has
 * time to come. Called between that one's input and its events. The bytes must
 * not change before they are put in. When something else is, or empty ones are
 * given here, what was read is forgotten. What it was read as, or NULL: nothing
 * that can be. */
const struct sip_msg *sip_stack_ahead(struct sip_stack *s, struct slice bytes);

/* What the last input was read as; NULL: it could not be, or was a keep-alive.
 * Good as long as the bytes of that input, until the next one. */
const struct sip_msg *sip_stack_message(const struct sip_stack *s);

/* The edge lost this connection: its transactions end with SIP_EV_FAILED, and
 * with them the dialogs that they were to open. A confirmed dialog lives on;
 * sip_stack_move it when its peer has come back. */
void sip_stack_closed(struct sip_stack *s, uint64_t connection,
                      uint64_t now_ms);

/* An output had peer.dial and no connection: the edge has begun to open one to
 * peer.remote, or has one that it opened so before, and sends it there. May be
 * told before the connection is up; when it never comes up sip_stack_closed
 * follows. The edge that cannot even begin says sip_stack_send_failed. */
void sip_stack_dialled(struct sip_stack *s, const struct sip_peer *peer,
                       uint64_t connection);

/* All timers that are due. */
void sip_stack_tick(struct sip_stack *s, uint64_t now_ms);
uint64_t sip_stack_deadline(const struct sip_stack *s); /* GB_NEVER: none */

struct sip_out {
    struct sip_peer peer;
    struct slice bytes; /* valid until the next call of any stack function */
};
bool sip_stack_output(struct sip_stack *s, struct sip_out *out);

/* The edge could not send `out` (no route, connection gone). */
void sip_stack_send_failed(struct sip_stack *s, const struct sip_peer *peer,
                           uint64_t now_ms);

enum sip_event_kind {
    /* a new request (never a retransmission): answer with sip_stack_respond.
     * dialog is set when it is inside one (INFO, MESSAGE, re-INVITE, NOTIFY)
     * and for a new INVITE, whose dialog it opens. Does not report ACK, BYE,
     * CANCEL, and OPTIONS only outside dialogs. */
    SIP_EV_REQUEST,
    SIP_EV_RESPONSE,  /* 1xx or final to a request of ours */
    SIP_EV_FAILED,    /* a request of ours got no final answer: status 408
                         (timeout) or 503 (transport) */
    SIP_EV_CANCELLED, /* the INVITE transaction was cancelled by the peer;
                         200 and 487 have been sent, and the dialog is gone
                         unless it was a re-INVITE */
    SIP_EV_ACKED,     /* our 2xx to an INVITE was acknowledged; body in msg */
    SIP_EV_ENDED,     /* a dialog is over by the peer: status 200 BYE received
                         (and answered), 408 our 2xx never acknowledged (BYE
                         sent) or the INVITE not answered by us in 180 s, 481
                         (or 408) the peer says it does not know it: sip_stack_end
                         or _leave is still to be called, for the BYE; 503 the
                         way to the waiting caller is lost. Also of an INVITE
                         of ours that the peer ends before it is answered.
                         Requests of ours still open inside the dialog are not
                         reported any more */
    SIP_EV_BAD,       /* malformed input; diag says why */
    SIP_EV_REFUSED,   /* an INVITE to begin a dialog has been refused, with
                         status, for what it requires or brings along: nothing
                         to answer */
    SIP_EV_NOTIFY,    /* a NOTIFY of a subscription of ours: answer it with
                         sip_stack_respond; sub says its state */
    SIP_EV_UNSUBSCRIBED, /* a subscription is over, whoever held it: status 200
                         the notifier ended it (sub says why), 408 its time was
                         over or no NOTIFY came, else what a refresh or a NOTIFY
                         was answered with. The last event that names it */
};

/* When to subscribe again (RFC 6665 §4.1.3). */
enum sip_again {
    SIP_AGAIN_NOW,   /* deactivated, timeout, and what we do not know */
    SIP_AGAIN_LATER, /* probation, giveup: after retry_after_s */
    SIP_AGAIN_NEVER, /* rejected, noresource, invariant */
};

/* Why the notifier has ended it (RFC 6665 §4.1.3, §8.2). */
enum sip_sub_reason {
    SIP_REASON_NONE, /* it does not say */
    SIP_REASON_OTHER,
    SIP_REASON_DEACTIVATED,
    SIP_REASON_TIMEOUT,
    SIP_REASON_PROBATION,
    SIP_REASON_GIVEUP,
    SIP_REASON_REJECTED,
    SIP_REASON_NORESOURCE,
    SIP_REASON_INVARIANT,
};

/* A NOTIFY may shorten a subscription (RFC 6665 §4.1.3), but not to less than
 * this: devices count wrongly, and would be asked anew behind every answer. What
 * the 2xx granted counts then. */
#define SIP_NOTIFY_SHORTEST_S 60

/* What is known of a subscription at an event. */
struct sip_sub_view {
    uint8_t state;          /* enum sip_substate; without the header active */
    uint8_t again;          /* enum sip_again, when terminated */
    uint8_t reason;         /* enum sip_sub_reason, likewise */
    uint32_t expires_s;     /* left, from now */
    uint32_t retry_after_s; /* 0: not said */
    bool not_shortened;     /* NOTIFY: it left less than SIP_NOTIFY_SHORTEST_S, and
                               that much less than there is */
};

struct sip_event {
    enum sip_event_kind kind;
    uint64_t transaction; /* of the request; 0: none */
    uint64_t dialog;      /* 0: none */
    uint64_t user;        /* what the request or dialog was given */
    unsigned status;      /* RESPONSE, FAILED, ENDED */
    const struct sip_msg *msg; /* NULL for FAILED and timer-born events */
    struct sip_peer peer; /* where it came from */
    struct gb_diag diag;  /* BAD */
    uint64_t subscription; /* 0: none */
    struct sip_sub_view sub; /* NOTIFY, UNSUBSCRIBED, the 2xx to SUBSCRIBE */
};
bool sip_stack_event(struct sip_stack *s, struct sip_event *ev);

/* ---- as a client ------------------------------------------------------- */

/* Slices are borrowed during the call. CR, LF and NUL are dropped from all of
 * them but body. */
struct sip_request {
    enum sip_method method;
    struct sip_peer peer;
    struct slice uri;       /* Request-URI: "sip:…@192.0.2.10:5060" */
    struct slice from, to;  /* URIs alone; brackets and our tag are added */
    struct slice from_tag;  /* empty: a fresh one */
    struct slice to_tag;    /* empty: none. A dialog of the layer above: the
                               refresh of a SUBSCRIBE, a NOTIFY */
    struct slice contact;   /* URI alone; empty: no Contact */
    struct slice call_id;   /* empty: a fresh one */
    uint32_t cseq;          /* 0: chosen by the stack */
    struct slice subject, content_type, body; /* empty: absent */
    int64_t expires;        /* -1: absent */
    const struct sip_extra *extra; /* further headers, in order */
    size_t n_extra;
    uint64_t user;          /* comes back in every event */
    int max_forwards;       /* 0: 70, -1: none left; sip_stack_hops gives it
                               for a request that is passed on */
    struct slice username, password; /* not empty: a 401 or 407 is answered once
                               (once more if it says stale) in the same dialog
                               with the next CSeq, and not reported
                               (RFC 3261 §22.2). In dialogs of subscriptions
                               only where peer is theirs */
    uint32_t timeout_ms;    /* give up (FAILED, 408) earlier than 64*T1; 0:
                               64*T1. INVITE: no final answer within this time,
                               which may be longer when a 1xx has come; FAILED
                               at once, CANCEL and all that follows from it
                               happen behind the scene */
};

/* Sends a request outside dialogs (any method but INVITE, ACK, CANCEL).
 * 0, GB_ELIMIT, GB_ENOMEM, GB_ESYNTAX (a field is not writable). */
int sip_stack_request(struct sip_stack *s, const struct sip_request *r,
                      uint64_t now_ms, uint64_t *transaction);

/* Sends an INVITE and opens a dialog. A 2xx is acknowledged at once, and again
 * for every retransmission; a surplus fork is acknowledged and ended. A final
 * answer other than 2xx, and FAILED, close the dialog: no ENDED follows. */
int sip_stack_invite(struct sip_stack *s, const struct sip_request *r,
                     uint64_t now_ms, uint64_t *dialog);

/* A request inside a dialog (INFO, MESSAGE, NOTIFY, re-INVITE): uri, from, to,
 * call_id, cseq and peer come from the dialog when empty. Also in an early
 * dialog, which a 1xx with a To tag makes, but for INVITE. GB_ENOENT, GB_ESTATE
 * (not confirmed; for a re-INVITE also: another is open, or our 2xx has no ACK
 * yet), and as above. No answer in time is FAILED and leaves the dialog alone;
 * an answer of 481 or 408 ends it. */
int sip_stack_request_in(struct sip_stack *s, uint64_t dialog,
                         const struct sip_request *r, uint64_t now_ms,
                         uint64_t *transaction);

/* Ends a dialog whatever its state: CANCEL while our INVITE is open (and ACK
 * plus BYE should a 2xx cross it), BYE once it is confirmed, a 480 when the
 * peer's INVITE waits for our answer. The handle is gone afterwards; no event
 * names it any more. A stale id does nothing. */
void sip_stack_end(struct sip_stack *s, uint64_t dialog, uint64_t now_ms);

/* The same; true: the end of its BYE will be reported as RESPONSE or FAILED
 * with r->user and no dialog. false: it has been ended as above, or there was
 * no such dialog, and nothing will be reported. Of r its user counts, and its
 * username and password for its peer: they are emptied where the dialog has
 * another. */
bool sip_stack_leave(struct sip_stack *s, uint64_t dialog,
                     struct sip_request *r, uint64_t now_ms);

/* From now on requests of the dialog go to this peer (the device has
 * registered from another address). */
void sip_stack_move(struct sip_stack *s, uint64_t dialog,
                    const struct sip_peer *peer);

/* What the events of a dialog that the peer opened carry as user (0 until
 * then). */
void sip_stack_set_user(struct sip_stack *s, uint64_t dialog, uint64_t user);

/* How long a request to this peer would fail with GB_EBUSY, in seconds,
 * rounded up; 0: it would go out. */
uint32_t sip_stack_busy_s(const struct sip_stack *s,
                          const struct sip_peer *peer, uint64_t now_ms);

/* How long to wait after a 491 before the next try, in steps of 10 ms
 * (RFC 3261 §14.1): 2.1 to 4 s for the owner of the Call-ID, 0 to 2 s for the
 * other side. */
uint32_t sip_stack_glare_ms(struct sip_stack *s, bool owner);

/* Max-Forwards of a request that is passed on (RFC 3261 §16.6). false: it may
 * not be, answer 483. */
bool sip_stack_hops(const struct sip_msg *m, int *max_forwards);

/* ---- as a server ------------------------------------------------------- */

struct sip_response {
    unsigned status;       /* 100..699 */
    struct slice reason;   /* empty: the standard phrase */
    struct slice contact;  /* URI alone */
    struct slice content_type, body;
    int64_t expires;       /* -1: absent */
    const struct sip_extra *extra;
    size_t n_extra;
};

/* Answers a request; a provisional answer may be followed by a final one. A 2xx
 * to INVITE is retransmitted until its ACK; another final answer closes the
 * dialog that it was to open. GB_ENOENT: the transaction is gone (timed out,
 * cancelled, answered long ago); GB_ESTATE: it has its final answer; nothing
 * was sent.
 *
 * Where r has no extra headers those that the status asks for are added: Allow
 * to 405; Accept and Accept-Encoding to 415; Allow, Accept and Supported to a
 * 2xx to OPTIONS (RFC 3261 §11.2). */
int sip_stack_respond(struct sip_stack *s, uint64_t transaction,
                      const struct sip_response *r, uint64_t now_ms);

/* Whether an answer may have a body of this type ("application/sdp"): it has
 * no Accept, or one that does not leave it out (RFC 3261 §20.1); 406 else. */
bool sip_stack_accepts(const struct sip_msg *m, struct slice type);

/* The To tag that our answers to this request carry, for a dialog that the
 * layer above keeps itself (SUBSCRIBE): that of the request when it has one.
 * GB_ENOENT. Borrowed until the next stack call. */
int sip_stack_to_tag(struct sip_stack *s, uint64_t transaction,
                     struct slice *tag);

/* A final answer that keeps no transaction: 401 challenges and refusals of
 * strangers. The same request gets the same bytes. To be called while its
 * SIP_EV_REQUEST is being handled: then nothing was made for it, no 100 went
 * out, and nothing stays. Later it still works, and the transaction and the
 * dialog of an INVITE are forgotten. */
int sip_stack_respond_stateless(struct sip_stack *s, uint64_t transaction,
                                const struct sip_response *r, uint64_t now_ms);

/* ---- subscriptions (RFC 6665) ------------------------------------------ */

struct sip_subscribe {
    struct sip_request r;  /* method, to_tag and cseq are the stack's; expires
                              is what is asked for, 0 ends it. peer, URIs and
                              Call-ID count for the first one alone; its contact
                              serves when a later one has none. */
    struct slice event;    /* "Catalog;id=1001"; of the first one alone */
    bool loose;            /* a 200 is good without the NOTIFY that should
                              follow: no Timer N */
};

/* *subscription 0: a new one. RESPONSE or FAILED with `subscription` and r.user
 * tells what became of the request; a first SUBSCRIBE that was not accepted
 * leaves nothing, and no UNSUBSCRIBED follows. A NOTIFY may come before the
 * answer. Not 0: a refresh, inside its dialog; a failure that does not end the
 * subscription leaves the time it had. With r.expires 0 the handle is gone at
 * once and no event names it any more; what follows on the wire is seen to.
 * 0, GB_ELIMIT, GB_ENOMEM, GB_ESYNTAX (also: not writable); GB_EBUSY; GB_ENOENT;
 * GB_ESTATE
 * (the one before is not answered, or there is no dialog yet; also a
 * subscription that a peer holds). */
int sip_stack_subscribe(struct sip_stack *s, const struct sip_subscribe *q,
                        uint64_t now_ms, uint64_t *subscription);

/* Forgets a subscription of either kind without a word: the peer has begun
 * anew. A stale id does nothing. */
void sip_stack_forget(struct sip_stack *s, uint64_t subscription,
                      uint64_t now_ms);

/* Accepts a SUBSCRIBE, first or refresh (then its event names the subscription),
 * while its SIP_EV_REQUEST is being handled. r->status is 2xx; r->expires is the
 * most that is granted, never more than was asked; without Expires in the
 * request all of it. r->contact is repeated in every NOTIFY. Every SUBSCRIBE must
 * be followed by a NOTIFY (§4.2.1.2): call sip_stack_notify next. When the peer
 * asked for no time the stack sends that NOTIFY, and *subscription is 0: it is
 * over, without an event.
 * 0, GB_ENOENT, GB_ESTATE (its turn is over, or no SUBSCRIBE), GB_ESYNTAX (its
 * Event cannot be repeated), GB_ERANGE (r), GB_ELIMIT, GB_ENOMEM. */
int sip_stack_accept(struct sip_stack *s, uint64_t transaction,
                     const struct sip_response *r, uint64_t user,
                     uint64_t now_ms, uint64_t *subscription);

struct sip_notify {
    uint8_t state;        /* enum sip_substate: active, pending, terminated */
    struct slice reason;  /* of terminated; empty: none */
    uint32_t retry_after_s; /* of terminated; 0: none */
    struct slice content_type, body;
};

/* One NOTIFY at a time: RESPONSE or FAILED says that the next may go (GB_ESTATE
 * until then). terminated may always go, and ends the subscription without an
 * event. An answer of 404, 405, 410, 416, 480 to 485, 489, 501 or 604 ends it
 * too: UNSUBSCRIBED. When its time is over the stack sends terminated;
 * reason=timeout by itself. GB_ENOENT, and as for requests. */
int sip_stack_notify(struct sip_stack *s, uint64_t subscription,
                     const struct sip_notify *n, uint64_t now_ms);

/* From now on its requests go to this peer. */
void sip_stack_move_subscription(struct sip_stack *s, uint64_t subscription,
                                 const struct sip_peer *peer);

/* RFC 6665 §4.1.3; also of reasons that nobody has defined. */
enum sip_again sip_sub_again(struct slice reason);

/* ---- dialogs across a restart ------------------------------------------ */

/* What must be known to end a dialog that an earlier process opened. */
struct sip_dialog_state {
    struct slice call_id, local_uri, remote_uri, local_tag, remote_tag, target;
    uint32_t local_cseq;
};

/* Borrowed from the dialog until the next stack call. GB_ENOENT, or GB_ESTATE
 * while it is not confirmed. */
int sip_stack_dialog_state(const struct sip_stack *s, uint64_t dialog,
                           struct sip_dialog_state *out);

/* Sends a BYE for a dialog of an earlier process. Its end is reported as
 * RESPONSE or FAILED with `user`. login: username and password as in a request
 * answer a challenge; NULL: none. */
struct sip_login {
    struct slice username, password;
};
int sip_stack_bye_orphan(struct sip_stack *s, const struct sip_dialog_state *d,
                         const struct sip_peer *peer,
                         const struct sip_login *login, uint64_t user,
                         uint64_t now_ms);

struct sip_counters {
    uint64_t received, sent, retransmitted, absorbed; /* absorbed: repeats */
    uint64_t bad, stray_responses, dropped;
    uint64_t over_tcp, back_to_udp; /* large requests; those that came back */
    uint64_t refused, hushed; /* by the stack itself; those not sent (quiet) */
    uint32_t transactions, dialogs; /* now */
    uint32_t subscriptions;         /* now, of both kinds */
    uint64_t memory; /* bytes of transactions, dialogs and their messages */
};
void sip_stack_counters(const struct sip_stack *s, struct sip_counters *out);
/* Messages in, those that could be read, and out. */
const struct sip_tally *sip_stack_tally(const struct sip_stack *s);

/* An unguessable token of 16 hex digits from the stack's generator: tags,
 * nonces of our own, ids for the layer above. */
void sip_stack_token(struct sip_stack *s, char out[static 16]);
#endif
