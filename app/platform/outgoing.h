/* app/platform/outgoing.h - requests to devices: addresses and URIs */
#ifndef APP_PLATFORM_OUTGOING_H
#define APP_PLATFORM_OUTGOING_H

#include "app/platform/platform.h"

struct device;

/* The fields of a request to a device that all of them share; texts are in
 * `store`, which must live until the request is sent. target: user of
 * Request-URI and To. */
struct outgoing {
    struct sip_request r;
    char text[512];
};
int outgoing_init(struct outgoing *o, const struct platform *p,
                  const struct device *d, struct slice target,
                  enum sip_method method);
/* Whether what outgoing_init makes answers a challenge: the device has sent one,
 * has proven its password with a REGISTER, and is asked where it did. */
bool outgoing_has_login(const struct device *d);
/* What such a request in a dialog answers a challenge with, and its peer, where
 * it has a login; else they are left alone. */
void outgoing_log_in(const struct platform *p, const struct device *d,
                     struct sip_request *r);
/* This answer is a challenge to a request without it (had: with), and the next
 * one will have it. */
bool outgoing_wants_login(const struct device *d, bool had, unsigned status);
/* What helps where it goes on to challenge. */
const char *outgoing_login_hint(const struct device *d);
/* The same to another place than the device's way; host: of Request-URI. */
int outgoing_init_at(struct outgoing *o, const struct platform *p,
                     const struct sip_peer *peer, const struct gb_addr *host,
                     struct slice target, enum sip_method method);
/* A MANSCDP MESSAGE to a device. */
int device_message(struct platform *p, struct device *d, struct slice body,
                   uint64_t user, uint64_t *transaction);
/* Our address as this peer is to know it: signalling, and media. */
struct gb_addr platform_contact_addr(const struct platform *p,
                                     const struct sip_peer *peer);
struct gb_addr platform_media_addr(const struct platform *p,
                                   const struct sip_peer *peer);
#endif
