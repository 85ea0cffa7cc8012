/* sip/dialog.h - what a dialog knows (RFC 3261 §12): ids, targets, route set,
 * sequence numbers. No transactions, no timers: those are sip/stack's.
 *
 * A dialog made from messages borrows from them; sip_dialog_copy gives it
 * bytes of its own. From and To are kept as they were received, tag included,
 * because devices answer with a To whose host and port are not those of the
 * INVITE and then know only that. */
#ifndef SIP_DIALOG_H
#define SIP_DIALOG_H

#include "base/arena.h"
#include "sip/build.h"
#include "sip/msg.h"

#define SIP_MAX_ROUTES 16 /* more: the route set is taken as empty */

struct sip_dialog {
    struct slice call_id;
    struct slice local, remote; /* whole From/To values, with their tags */
    struct slice local_uri, remote_uri; /* parts of these */
    struct slice local_tag, remote_tag; /* remote: empty when not known, or
                                           when the peer sent none */
    struct slice target; /* URI for requests of ours: the peer's Contact */
    struct slice routes; /* route set in our order, comma-joined */
    uint32_t local_cseq;
    uint32_t remote_cseq;
    bool has_remote_cseq;
};

/* All of the following may put bytes into `scratch`; GB_ENOMEM when it is
 * full. */

/* Our INVITE goes out: tags of the peer not known yet, target is the
 * Request-URI. */
void sip_dialog_of_invite(struct sip_dialog *d, const struct sip_msg *invite);

/* A 101..299 to our INVITE makes it complete: remote as received, target from
 * Contact (for a missing or unusable one the INVITE's Request-URI), route set
 * from Record-Route in reverse (§12.1.2). A re-INVITE (with a To tag) changes
 * the target alone. */
int sip_dialog_of_response(struct sip_dialog *d, const struct sip_msg *invite,
                           const struct sip_msg *resp, struct arena *scratch);

/* A peer's INVITE, answered under local_tag (empty: the request has a To tag
 * itself). Without a usable Contact the target is the From user at `source`. */
int sip_dialog_of_request(struct sip_dialog *d, const struct sip_msg *invite,
                          struct slice local_tag, const struct gb_addr *source,
                          struct arena *scratch);

/* The URI in the Contact of m, if requests can be sent to it: sip or sips, a
 * user, a host that is not 0.0.0.0 or [::]. */
bool sip_dialog_contact(const struct sip_msg *m, struct slice *uri);

/* Bytes that sip_dialog_copy needs. */
size_t sip_dialog_size(const struct sip_dialog *d);

/* A copy of in whose slices live in mem (sip_dialog_size(in) bytes). out may
 * be in. */
void sip_dialog_copy(struct sip_dialog *out, const struct sip_dialog *in,
                     char *mem);

/* The request carries this dialog's tags. One that the dialog does not know,
 * or that the request lacks, is not compared; a To tag that is present must be
 * ours. Call-ID is the caller's to compare. */
bool sip_dialog_has_tags(const struct sip_dialog *d, const struct sip_msg *req);

/* Takes the CSeq number of a request inside the dialog: false when it is lower
 * than the last (§12.2.2, answered 500). An equal number is let through: some
 * devices never count. */
bool sip_dialog_take_cseq(struct sip_dialog *d, uint32_t number);

/* Fills Request-URI, From, To, Call-ID and Route of a request inside the
 * dialog (§12.2.1.1, with a strict first router too). routes: SIP_MAX_ROUTES + 1
 * slices of the caller's, borrowed by p. */
int sip_dialog_fill(const struct sip_dialog *d, struct sip_request_parts *p,
                    struct slice *routes, struct arena *scratch);
#endif
