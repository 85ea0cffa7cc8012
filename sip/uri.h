/* sip/uri.h - sip:, sips: and tel: URIs (RFC 3261 §19.1, RFC 3966),
 * parameters, comparison */
#ifndef SIP_URI_H
#define SIP_URI_H

#include "base/addr.h"
#include "base/err.h"
#include "base/writer.h"
#include "sip/param.h"

enum sip_scheme {
    SIP_SCHEME_OTHER, /* http:, urn:, ...: only text is filled */
    SIP_SCHEME_SIP,
    SIP_SCHEME_SIPS,
    SIP_SCHEME_TEL, /* RFC 3966: only text and params are filled; the number
                       comes from sip_uri_number */
};

struct sip_uri {
    struct slice text;     /* the whole of it, as received */
    enum sip_scheme scheme;
    uint16_t port;         /* 0: not written */
    struct slice user;     /* escapes are still inside; may hold ';' */
    struct slice password;
    struct slice host;     /* a name, IPv4, or IPv6 with its brackets */
    struct slice params;   /* behind the first ';', "lr;transport=tcp" */
    struct slice headers;  /* behind '?' */
};

/* Parses the whole of `text` as one URI, without brackets round it.
 * White space, control octets, '<', '>' and '"' make it malformed; so do a
 * host that is not one (an IPv6 literal without brackets, with a zone id, ...)
 * and a port of 0 or above 65535.
 *
 * out->... borrow from text; *out is written only on 0.
 * 0 or GB_ESYNTAX, GB_ERANGE (port). */
int sip_uri_parse(struct sip_uri *out, struct slice text,
                  struct gb_diag *diag);

/* sip: or sips:, which name a user and a host. */
static inline bool sip_uri_is_sip(const struct sip_uri *u)
{
    return u->scheme == SIP_SCHEME_SIP || u->scheme == SIP_SCHEME_SIPS;
}

/* What of it may stand in a Request-URI: all but the header part (RFC 3261
 * §19.1.1, table 1). */
static inline struct slice sip_uri_target(const struct sip_uri *u)
{
    size_t cut = u->headers.n ? u->headers.n + 1 : 0;

    return slice_head(u->text, u->text.n - cut);
}

/* The number of a tel: URI as written, "+86-10-1234"; empty for others. */
struct slice sip_uri_number(const struct sip_uri *u);

/* A parameter by name, any case and with its name unescaped ("%6Cr" is lr). */
bool sip_uri_param(const struct sip_uri *u, struct slice name,
                   struct sip_param *out);

/* Whether `lr` is there, with any value (RFC 3261 §19.1.1). */
bool sip_uri_is_loose(const struct sip_uri *u);

/* The host as an address. GB_ESYNTAX when it is a name. */
int sip_uri_addr(const struct sip_uri *u, uint16_t def_port,
                 struct gb_addr *out);

/* The user part, decoded once, into buf; false when it does not fit. Users
 * without a '%' are not copied. */
bool sip_uri_user(const struct sip_uri *u, char *buf, size_t cap,
                  struct slice *out);

/* Equality of RFC 3261 §19.1.4; tel: RFC 3966 §4, visual separators ignored;
 * other schemes: byte for byte. For users of the library: the daemon knows a
 * device by its id and by where it sends from. */
bool sip_uri_eq(const struct sip_uri *a, const struct sip_uri *b);

/* Decodes %xx once. False, with *out as far as it got, when it does not fit.
 * A '%' without two hex digits stays as it is. */
bool sip_unescape(struct slice s, char *buf, size_t cap, struct slice *out);

/* Writes "sip:user@host", with the user escaped where the grammar needs it.
 * host is a name, an IP or "ip:port", written as it is. */
void sip_uri_write(struct writer *w, struct slice user, struct slice host);
#endif
