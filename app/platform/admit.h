/* app/platform/admit.h - admission: who is heard before a message is parsed
 * (field-notes 1.14, 18.11, 19.3)
 *
 * A bound peer (the UDP address or TCP connection that a device registered
 * from) passes with one hash look-up and is never counted. All others are
 * strangers: each takes a token of its source (an IPv4 address, an IPv6 /64)
 * and one of all strangers together; a spent bucket, a ban, a denied network
 * or a known scanner is silence. A device that is bound at that source keeps a
 * reserve of its own, so that no neighbour's flood hides its new NAT port. */
#ifndef APP_PLATFORM_ADMIT_H
#define APP_PLATFORM_ADMIT_H

#include "base/addr.h"
#include "base/slice.h"

/* What a stranger's message says of itself, as far as it can be seen without
 * parsing it. Empty slices: not found. */
struct admit_peek {
    bool is_response;
    bool is_register;
    struct slice user;  /* of From; of To in a response: the peer, both times */
    struct slice agent; /* User-Agent */
};

#define ADMIT_PEEK_BYTES 4096 /* of a message are looked at */

/* Never fails: what is not found is empty. Borrows from bytes. */
void admit_peek(struct admit_peek *out, struct slice bytes);

/* A request of a tool that searches the Internet for telephones: its
 * User-Agent says so, or its user is no id of this standard. */
bool admit_is_scanner(const struct admit_peek *k);

/* 18 to 20 digits: an id of the standard (rule A), or of its rule B. */
bool admit_is_id(struct slice user);

/* ---- inside the platform ---- */

struct platform;
bool admit_net_allowed(const struct platform *p, const struct gb_addr *a);
bool admit_id_allowed(const struct platform *p, struct slice id);
/* The line about strangers, when it is due. */
void admit_summary(struct platform *p);
#endif
