/* app/rtsp/auth.h - the password of a viewer: Digest or Basic (RFC 7616, RFC
 * 7617)
 *
 * Passwords are API tokens: that of the installation under any name, since people
 * put it into the URL, rtsp://any:TOKEN@HOST/; and those of accounts, under their
 * own name where it is Digest, of which nothing but a hash is kept. Nonces carry
 * their own proof, so a challenge costs no memory. */
#ifndef APP_RTSP_AUTH_H
#define APP_RTSP_AUTH_H

#include "base/addr.h"
#include "sip/digest.h"

#define RTSP_REALM "gb28181d"
#define RTSP_NONCE_AGE_S 300 /* a challenge that is older is stale */
#define RTSP_BASIC_MAX 512 /* of name, colon and password in Base64 */

struct rtsp_auth {
    struct sip_nonce_key key;
    struct slice token; /* borrowed */
    uint16_t salt;
    /* The account of a token, by its text, or by its name with what Digest needs;
     * 0: there is none. NULL: there are no accounts. */
    uint64_t (*by_token)(void *ctx, struct slice token);
    uint64_t (*by_name)(void *ctx, struct slice name, struct sip_ha1 *ha1);
    void *ctx;
};

enum rtsp_proof {
    RTSP_PROOF_NONE,  /* nothing that could be checked */
    RTSP_PROOF_STALE, /* right, but for an old nonce */
    RTSP_PROOF_WRONG,
    RTSP_PROOF_RIGHT,
};

/* value: of Authorization; may be empty. url: of the request. from: nonces are
 * good for its address only. *who: when it is RIGHT, the account; 0: the
 * installation's token. */
enum rtsp_proof rtsp_auth_check(const struct rtsp_auth *a, struct slice method,
                                struct slice url, struct slice value,
                                const struct gb_addr *from, int64_t utc_s,
                                uint64_t *who);

/* The two WWW-Authenticate lines of a 401. */
void rtsp_auth_challenge(struct rtsp_auth *a, const struct gb_addr *from,
                         int64_t utc_s, bool stale, struct writer *w);
#endif
