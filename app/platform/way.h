/* app/platform/way.h - where the requests to a device go */
#ifndef APP_PLATFORM_WAY_H
#define APP_PLATFORM_WAY_H

#include "sip/stack.h"

struct device;
struct platform;
struct sip_addr;

/* contact: of its REGISTER, NULL when it had none. true: it is where the
 * message came from, so no NAT is between us. */
bool way_learn(struct platform *p, struct device *d,
               const struct sip_addr *contact, const struct sip_peer *peer);
/* Where a request to it goes, and the host of its Request-URI. */
struct sip_peer way_of(const struct device *d);
const struct gb_addr *way_uri(const struct device *d);
/* A request can go out to it now: over UDP, or a connection that it has. */
bool way_is_there(const struct device *d);
/* The same, and over another one than a request that failed. */
bool way_is_another(const struct device *d, const struct sip_peer *failed);
/* What came of a request to it, or that nothing came of one to this address. */
void way_note(struct platform *p, struct device *d, const struct sip_event *ev);
void way_silent(struct platform *p, struct device *d, const struct gb_addr *to);
#endif
