/* sip/build.h - requests, responses, ACK and CANCEL written from parts
 *
 * Strict and exact: what a part brings in can never start a line of its own
 * (CR, LF and NUL are dropped, or the part is refused), Content-Length counts
 * the bytes of body, the order of headers is that of GB/T 28181's examples.
 * All slices are borrowed for the call. Each function returns w->err: 0,
 * GB_ENOMEM (does not fit) or GB_ESYNTAX (a part that cannot be written). */
#ifndef SIP_BUILD_H
#define SIP_BUILD_H

#include "base/addr.h"
#include "base/writer.h"
#include "sip/msg.h"

/* A further header, written as it is. */
struct sip_extra {
    struct slice name, value;
};

struct sip_request_parts {
    enum sip_method method;
    struct slice method_name;   /* only for SIP_METHOD_OTHER */
    struct slice uri;           /* Request-URI */
    struct slice transport;     /* of the Via: "UDP", "TCP", "TLS" */
    const struct gb_addr *sent_by;
    struct slice branch;        /* with the cookie */
    struct slice from, to;      /* URIs alone; brackets and tags are added */
    struct slice from_tag, to_tag; /* empty: none */
    struct slice from_raw, to_raw; /* when not empty: the whole value, as it
                                   was received (dialogs), in place of these */
    struct slice call_id;
    uint32_t cseq;
    const struct slice *route;  /* route set: values as in the header */
    size_t n_route;
    struct slice contact;       /* URI alone; empty: no Contact */
    struct slice contact_raw;   /* when not empty: the whole value */
    int max_forwards;           /* 0: 70 */
    struct slice user_agent;    /* empty: absent, as are those below */
    int64_t expires;            /* -1: absent */
    struct slice subject;
    const struct sip_extra *extra;
    size_t n_extra;
    struct sip_extra login;     /* credentials; name empty: none */
    struct slice content_type, body;
};

int sip_request_build(struct writer *w, const struct sip_request_parts *r);

/* The lines that every response repeats: all Via values in their order, the
 * top one with received and rport set for `source` (sip_via_write_echo; NULL:
 * unchanged), From, To with `;tag=to_tag` where it has no tag, Call-ID, CSeq,
 * Timestamp. Whatever req lacks is left out. A server transaction keeps these
 * bytes and forgets the request. */
int sip_echo_write(struct writer *w, const struct sip_msg *req,
                   const struct gb_addr *source, struct slice to_tag);

/* The Record-Route lines of req, which a 101..299 that makes a dialog repeats
 * (RFC 3261 §12.1.1). Nothing when there are none. */
int sip_record_route_write(struct writer *w, const struct sip_msg *req);

struct sip_response_parts {
    unsigned status;            /* 100..699, or GB_ERANGE */
    struct slice reason;        /* empty: the standard phrase */
    struct slice echo;          /* lines of sip_echo_write */
    struct slice record_route;  /* lines of sip_record_route_write */
    const struct sip_msg *req;  /* not NULL: these two are written from it,
                                   with the next three */
    const struct gb_addr *source;
    struct slice to_tag;
    bool routes;                /* Record-Route too */
    struct slice contact;       /* URI alone; empty: no Contact */
    struct slice contact_raw;   /* when not empty: the whole value */
    int64_t expires;            /* -1: absent */
    const struct sip_extra *extra;
    size_t n_extra;
    struct slice lines;         /* further headers, whole lines, ours */
    struct slice server;        /* empty: absent */
    struct slice content_type, body;
};

/* A response in three parts: status line; what it repeats of the request; the
 * rest. sip_response_build writes all three. */
int sip_status_line_write(struct writer *w, unsigned status,
                          struct slice reason);
int sip_response_echo_write(struct writer *w,
                            const struct sip_response_parts *r);
int sip_response_tail_write(struct writer *w,
                            const struct sip_response_parts *r);
int sip_response_build(struct writer *w, const struct sip_response_parts *r);

/* ACK for a final response other than 2xx (RFC 3261 §17.1.1.3). invite: the
 * request as we sent it, parsed; to: the To value of the response. */
int sip_ack_build(struct writer *w, const struct sip_msg *invite,
                  struct slice to);

/* CANCEL of a request we sent (RFC 3261 §9.1). */
int sip_cancel_build(struct writer *w, const struct sip_msg *invite);

/* "Name: value\r\n"; CR, LF and NUL are dropped from value; a name that is not
 * a token sets GB_ESYNTAX. */
void sip_header_write(struct writer *w, struct slice name, struct slice value);
#endif
