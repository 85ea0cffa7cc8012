/* app/platform/auth.h - is a device who it says it is? The digest of a
 * REGISTER (RFC 7616, RFC 8760)
 *
 * Nonces carry their own proof, so a challenge costs no memory. Against
 * repetition each device keeps the stamp of the newest nonce that it proved
 * itself with, and the highest nc seen with it: an older nonce, or the same one
 * without a higher nc, is stale. Answers without qop have no nc, and devices
 * use one again while its nonce is good: that is told, and whoever reads the
 * request allows it where nothing can come of it. */
#ifndef APP_PLATFORM_AUTH_H
#define APP_PLATFORM_AUTH_H

#include "sip/digest.h"
#include "sip/stack.h"

struct platform;
struct device;

enum auth_proof {
    AUTH_NONE,  /* nothing that could be checked: challenge */
    AUTH_STALE, /* right, but for another nonce: challenge, no failure */
    AUTH_WRONG,
    AUTH_RIGHT,
};

/* One REGISTER: the first four are given, the rest is found by auth_prove. */
struct auth {
    const struct sip_msg *m;
    const struct gb_addr *source;
    struct slice id;
    struct device *device;    /* NULL: unknown; same answers, same time */
    enum auth_proof proof;
    bool has_credentials;     /* whatever they are worth */
    const char *flaw;         /* NONE, with credentials: why they are of no use,
                                 for a person. Static */
    struct sip_credentials c; /* WRONG and RIGHT */
    uint64_t stamp;           /* of its nonce; larger is newer */
    uint32_t nc;              /* 0: without qop */
    bool is_reused;           /* RIGHT, without qop, and its nonce is not newer
                                 than one that was used: it may be overheard */
    struct sip_ha1 ha1;       /* RIGHT, with qop */
};

void auth_prove(struct platform *p, struct auth *a);

/* RIGHT, and what it asked for is done: its nonce is used. */
void auth_used(struct device *d, const struct auth *a);

/* Of this device, its group or the platform, in this order; d may be NULL. */
struct slice auth_password(const struct platform *p, const struct device *d);

/* WRONG: what was wrong, as far as one can see (field-note 1.2). Static. */
const char *auth_why(const struct platform *p, const struct auth *a);

/* Algorithms offered to this device (may be NULL): bits 1 << sip_digest_alg. */
unsigned auth_offer(const struct platform *p, const struct device *d);

/* Fills value[] with challenges, the strongest first; texts are in buf. qop:
 * offered. Returns their number. */
#define AUTH_MAX_CHALLENGES SIP_DIGEST_COUNT
#define AUTH_CHALLENGES_TEXT 2048
size_t auth_challenge(struct platform *p, const struct auth *a, bool qop,
                      bool stale, char buf[static AUTH_CHALLENGES_TEXT],
                      struct slice value[static AUTH_MAX_CHALLENGES]);

/* RIGHT, and granted for expires_s: the value of Authentication-Info, in buf;
 * empty where none is due. It is for devices that answered an offer of qop
 * (RFC 7616 §3.5); others know RFC 2069 at most, and get no header they do not
 * expect. A next nonce is in it only where it saves a challenge: theirs will be
 * too old at the next refresh, and the next one will not. */
#define AUTH_INFO_TEXT 400
struct slice auth_info(struct platform *p, const struct auth *a,
                       uint32_t expires_s, char buf[static AUTH_INFO_TEXT]);

/* The password of a device has changed, or its group's. */
void auth_forget(struct device *d);
#endif
