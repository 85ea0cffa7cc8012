/* sip/via.h - one Via value; received and rport (RFC 3261 §20.42, RFC 3581) */
#ifndef SIP_VIA_H
#define SIP_VIA_H

#include "base/addr.h"
#include "base/err.h"
#include "base/writer.h"
#include "sip/param.h"

#define SIP_COOKIE "z9hG4bK" /* begins every branch since RFC 3261; any case */

struct sip_via {
    struct slice text;      /* this value alone, as received, trimmed */
    struct slice version;   /* "2.0" */
    struct slice transport; /* "UDP", "tcp", ...: any token, any case */
    struct slice host;      /* sent-by; IPv6 with its brackets */
    uint16_t port;          /* sent-by; 0: not written */
    uint16_t rport;         /* 0: no value */
    bool has_rport;
    bool has_ttl;
    uint8_t ttl;
    struct slice params;    /* behind the first ';' */
    struct slice branch;    /* empty: none */
    struct slice received;  /* as written, brackets of IPv6 taken off */
    struct slice maddr;
};

/* Parses one value (not a list; see sip_list_cut). White space and folds round
 * the slashes and parameters, empty and unknown parameters are accepted.
 *
 * *out borrows from value and is written only on 0, and where nothing but a
 * parameter is wrong, so that the request can be answered.
 * 0, GB_ESYNTAX or GB_ERANGE (port, ttl). */
int sip_via_parse(struct sip_via *out, struct slice value,
                  struct gb_diag *diag);

/* Sets what a parameter means, as sip_via_parse does for each: 0, or GB_ERANGE
 * for a ttl that is none. */
int sip_via_take(struct sip_via *v, struct slice name, struct slice value);

/* The branch begins with the cookie and has something behind it, so it can
 * serve as a key (RFC 3261 §17.2.3). */
bool sip_via_has_cookie(const struct sip_via *v);

/* Where a response goes that must be routed by this Via alone (RFC 3261
 * §18.2.2, RFC 3581 §4): received or the sent-by host, with rport, or the
 * sent-by port, or 5060 (5061 for TLS). GB_ESYNTAX when the host is a name. For
 * users of the library: the stack answers to where the request came from. */
int sip_via_reply_addr(const struct sip_via *v, struct gb_addr *out);

/* Appends "Via: SIP/2.0/UDP 192.0.2.1:5060;rport;branch=...\r\n", the first
 * line of a request of ours. */
void sip_via_write(struct writer *w, struct slice transport,
                   const struct gb_addr *sent_by, struct slice branch);

/* Appends v as a response echoes it: unchanged, folds as one blank, but with
 * received and rport set as RFC 3581 §4 says for a request that came from
 * `source`: received when the sent-by host is not that address or when rport
 * is there, rport= the source port when rport is there. No header name, no
 * line end. */
void sip_via_write_echo(struct writer *w, const struct sip_via *v,
                        const struct gb_addr *source);
#endif
