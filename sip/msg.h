/* sip/msg.h - a SIP message as slices: start line, header index, body
 * (RFC 3261 §7, §18.3, GB/T 28181 signalling)
 *
 * Parsing copies nothing and allocates nothing: every slice points into the
 * bytes that arrived and dies with them. What every receiver needs (Request-URI
 * or status, top Via, From, To, Call-ID, CSeq, body) is parsed and checked at
 * once; everything else is indexed, and parsed when asked for (sip/value.h,
 * sip/addr.h).
 *
 * Lenient where the meaning is not in doubt (white space, brackets, case, LF
 * for CRLF, odd Via); each leniency used is a bit in `odd`. Strict where a
 * wrong reading moves a boundary, a key or a number. */
#ifndef SIP_MSG_H
#define SIP_MSG_H

#include "sip/addr.h"
#include "sip/cseq.h"
#include "sip/via.h"
#include "sip/vocab.h"

#define SIP_MAX_FIELDS 128         /* header lines of a message */
#define SIP_MAX_HEAD (64u * 1024)  /* start line and headers, bytes */
#define SIP_MAX_BODY (4u * 1024 * 1024)
#define SIP_MAX_URI 4096           /* Request-URI, bytes */
#define SIP_MIN_MESSAGE 5          /* shorter datagrams are keep-alives */

/* How the bytes came, which decides what Content-Length means. */
enum sip_carrier {
    SIP_DATAGRAM, /* to the end when absent; octets behind it are ignored */
    SIP_STREAM,   /* what sip/frame cut out */
};

/* What was forgiven; one bit each in sip_msg.odd. */
enum sip_odd {
    SIP_ODD_BARE_LF = 1,        /* LF for CRLF in the header block */
    SIP_ODD_START_BLANKS = 2,   /* surplus blanks in the start line */
    SIP_ODD_URI_BRACKETS = 4,   /* Request-URI in <> */
    SIP_ODD_BARE_ADDR = 8,      /* From or To without <> but with parameters */
    SIP_ODD_NO_COOKIE = 16,     /* top Via branch without the magic cookie */
    SIP_ODD_CLEN_LARGE = 32,    /* Content-Length beyond the datagram; XML is
                                   complete, the remainder taken */
    SIP_ODD_CLEN_SMALL = 64,    /* Content-Length cuts the XML, or a line of
                                   the SDP; the whole datagram taken */
    SIP_ODD_NO_CLEN = 128,      /* no Content-Length, and a body */
    SIP_ODD_TRAILING = 256,     /* octets behind the body, ignored */
    SIP_ODD_NO_MAX_FORWARDS = 512, /* a request without Max-Forwards */
    SIP_ODD_LEADING = 1024,     /* empty lines before the start line */
    SIP_ODD_NO_VIA = 2048,      /* a response without Via (small firmware);
                                   via is zero */
    SIP_ODD_FAULT = 4096,       /* a 2xx to an INVITE that the stack took with
                                   what the parser refuses */
};

struct sip_field {
    struct slice name, value; /* value: trimmed; folding is still inside */
    uint8_t id;     /* enum sip_hdr */
    uint8_t next;   /* 1 + index of the next field with this id; 0: none.
                       Not kept for SIP_HDR_OTHER */
    bool folded;
};

struct sip_msg {
    struct slice bytes; /* what arrived; every slice below points into it */
    bool is_request;
    enum sip_method method;   /* of the request, or of CSeq in a response */
    struct slice method_name; /* its spelling */
    struct sip_uri uri;       /* request: the Request-URI */
    unsigned status;          /* response: 100..699; request: 0 */
    struct slice reason;      /* response; may be empty */

    struct sip_via via;       /* the top one */
    struct sip_addr from, to;
    struct slice call_id;
    struct sip_cseq cseq;
    int max_forwards;         /* 0..255; -1: absent */
    int64_t content_length;   /* as written; -1: absent */
    struct slice body;
    size_t trailing;          /* octets behind the body */
    unsigned odd;             /* enum sip_odd */

    /* On an error: the status that answers it (400, 413, 414, 416, 505, 513),
     * or 0: say nothing (responses, ACK, no usable Via, not SIP). */
    unsigned reject;

    uint8_t n_fields;
    uint8_t first[SIP_HDR_COUNT]; /* 1 + index into fields; 0: absent */
    struct sip_field fields[SIP_MAX_FIELDS]; /* wire order; n_fields are set */
};

/* Parses one message.
 *
 * 0            *m is complete
 * GB_ENOENT    a keep-alive: at most 4 bytes, or only CR, LF and NUL
 * GB_EAGAIN    the header block does not end (an error in a datagram)
 * GB_ESYNTAX, GB_ERANGE, GB_ELIMIT, GB_EUNSUPPORTED (version, URI scheme)
 *
 * On an error m->reject says how to answer; what was read up to there and is
 * right by itself is in *m (via, from, to, call_id, cseq are zero when absent
 * or broken; the body of a response whose Content-Length is wrong is what the
 * datagram has) and the fields are indexed, so that sip_echo_write
 * (sip/build.h) can answer. diag may be NULL. */
int sip_msg_parse(struct sip_msg *m, struct slice bytes,
                  enum sip_carrier carrier, struct gb_diag *diag);

/* The first field of this id, or NULL. id must not be SIP_HDR_OTHER. */
static inline const struct sip_field *sip_msg_field(const struct sip_msg *m,
                                                    enum sip_hdr id)
{
    return m->first[id] ? &m->fields[m->first[id] - 1] : NULL;
}

static inline const struct sip_field *
sip_field_next(const struct sip_msg *m, const struct sip_field *f)
{
    return f->next ? &m->fields[f->next - 1] : NULL;
}

static inline bool sip_msg_has(const struct sip_msg *m, enum sip_hdr id)
{
    return m->first[id] != 0;
}

/* Value of the first field of this id; the empty slice when absent. */
static inline struct slice sip_msg_value(const struct sip_msg *m,
                                         enum sip_hdr id)
{
    return m->first[id] ? m->fields[m->first[id] - 1].value
                        : (struct slice){ NULL, 0 };
}

/* Value of the first field with this name, known or not, any case. For users of
 * the library, which may have headers of their own. */
struct slice sip_msg_value_named(const struct sip_msg *m, struct slice name);

/* Walks the elements of a list header across lines and commas, in order:
 *     struct sip_walk k = sip_msg_walk(m, SIP_HDR_ROUTE);
 *     while (sip_walk_next(&k, &elem)) ... */
struct sip_walk {
    const struct sip_msg *m;
    const struct sip_field *field; /* not begun yet, or NULL */
    struct slice rest;
};

static inline struct sip_walk sip_msg_walk(const struct sip_msg *m,
                                           enum sip_hdr id)
{
    return (struct sip_walk){ m, sip_msg_field(m, id), { NULL, 0 } };
}

bool sip_walk_next(struct sip_walk *k, struct slice *elem);

/* Whether a list header holds this token (any case): Supported and Allow, for
 * users of the library. */
bool sip_msg_lists(const struct sip_msg *m, enum sip_hdr id,
                   struct slice token);
#endif
