/* app/net/sources.h - how many of something each source has
 *
 * A source is an IPv4 address, or the /64 of an IPv6 address: one site. Only
 * sources that have some are kept. */
#ifndef APP_NET_SOURCES_H
#define APP_NET_SOURCES_H

#include "base/addr.h"
#include "base/map.h"

struct source;

struct sources {
    struct map by_key;
    uint32_t max; /* of one source */
};

/* 0, GB_ENOMEM, or an error of libuv when there are no random numbers. */
int sources_init(struct sources *s, uint32_t max);
/* All have left. */
void sources_fini(struct sources *s);

/* One more of this source: NULL when it has all that it may have, or there is
 * no memory. */
struct source *sources_enter(struct sources *s, const struct gb_addr *from);
/* One less; NULL is fine. */
void sources_leave(struct sources *s, struct source *source);
#endif
