/* sip/param.h - parameters and lists inside header values (RFC 3261 §7.3.1,
 * §25.1 generic-param)
 *
 * Everything here works on values that may still hold folds: CR and LF count
 * as white space. Separators inside quoted strings never split. */
#ifndef SIP_PARAM_H
#define SIP_PARAM_H

#include "base/slice.h"

struct sip_param {
    struct slice name;  /* as written; may hold escapes in URIs */
    struct slice value; /* without quotes; backslashes are still inside */
    bool has_value;     /* "name=": true, with an empty value */
    bool quoted;
    bool open;      /* a quoted string in it never ends */
};

/* Takes the next parameter off *rest; sep stands between two of them (';' in
 * addresses and Via, ',' in challenges). Empty ones ("; ;") are skipped.
 * false: none is left. */
bool sip_param_next(struct slice *rest, char sep, struct sip_param *out);

/* The first parameter of this name (any case) in a ';' list. */
bool sip_param_find(struct slice params, struct slice name,
                    struct sip_param *out);

/* Takes the next element off a comma-joined list, trimmed; commas inside
 * quotes or <> do not split; empty elements are skipped. false: none left. */
bool sip_list_cut(struct slice *rest, struct slice *elem);
#endif
