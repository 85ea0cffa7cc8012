/* app/trace/glance.h - what a trace must know of a SIP message, at a glance
 *
 * Not a parser: it reads the lines of a message up to the last of Via, From,
 * To, Call-ID and CSeq, which most senders write first, and judges nothing. A
 * message that the stack refuses has a glance as well; what is not there is
 * empty. */
#ifndef APP_TRACE_GLANCE_H
#define APP_TRACE_GLANCE_H

#include "base/slice.h"
#include "sip/msg.h"

/* Every slice points into the message. */
struct trace_glance {
    struct slice method_name; /* of the request; of CSeq in a response */
    enum sip_method method;
    struct slice uri;         /* Request-URI; empty in a response */
    unsigned status;          /* 0: a request, or no SIP at all */
    struct slice reason;
    struct slice from, to;    /* whole values */
    struct slice from_user, to_user;
    struct slice call_id, branch; /* branch of the top Via */
    uint32_t cseq;
};

/* false: the first line is none of SIP; *g is empty. */
bool trace_glance(struct trace_glance *g, struct slice bytes);

/* The same of a message that the stack has read: nothing is looked for again. */
void trace_glance_of(struct trace_glance *g, const struct sip_msg *m);

/* The user part of the first sip URI in a header value; empty: none. */
struct slice trace_user(struct slice value);

/* The value of a parameter (";tag") behind the URI of a From or To; empty:
 * none. */
struct slice trace_param(struct slice value, struct slice name);

/* The body: what is behind the empty line. */
struct slice trace_body(struct slice bytes);

/* The text of an XML element that has no children, found by its start tag:
 * "CmdType", "SN". Empty: none. */
struct slice trace_element(struct slice body, struct slice name);

/* The value of the first header line with this name, any case; empty: none. */
struct slice trace_header(struct slice bytes, struct slice name);

/* A MESSAGE whose body is a keepalive. */
bool trace_is_keepalive(const struct trace_glance *g, struct slice bytes);
#endif
