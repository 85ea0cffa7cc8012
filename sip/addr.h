/* sip/addr.h - name-addr and addr-spec with parameters: From, To, Contact,
 * Route, Record-Route (RFC 3261 §20, §25.1) */
#ifndef SIP_ADDR_H
#define SIP_ADDR_H

#include "sip/uri.h"

struct sip_addr {
    struct slice text;    /* the whole value, as received */
    struct slice display; /* unquoted; backslashes are still inside */
    struct sip_uri uri;
    struct slice params;  /* header parameters, behind the first ';' */
    struct slice tag;     /* empty: none */
    bool bracketed;       /* the URI stood in <> */
    bool is_star;         /* Contact: * (uri is empty) */
};

/* Parses one value (not a list; see sip_list_cut). Without brackets all behind
 * the first ';' are header parameters, and '?' or ',' are errors (RFC 3261
 * §20). White space just inside the brackets is accepted.
 *
 * *out borrows from value and is written only on 0.
 * 0, GB_ESYNTAX or GB_ERANGE. */
int sip_addr_parse(struct sip_addr *out, struct slice value,
                   struct gb_diag *diag);

/* A header parameter: expires, q, tag, ... */
bool sip_addr_param(const struct sip_addr *a, struct slice name,
                    struct sip_param *out);

/* Appends `<uri>;tag=t`, without `;tag=` when tag is empty. Sets w->err to
 * GB_ESYNTAX when uri or tag could not stand there (brackets, quotes, white
 * space, control octets). */
void sip_addr_write(struct writer *w, struct slice uri, struct slice tag);
#endif
