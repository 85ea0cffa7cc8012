/* app/rtsp/auth.h - the password of a viewer: Digest or Basic (RFC 7616, RFC
 * 7617)
 *
 * There is one password, the API token, under any name: people put it into the
 * URL, rtsp://any:TOKEN@HOST/. Nonces carry their own proof, so a challenge
 * costs no memory. */
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
};

enum rtsp_proof {
    RTSP_PROOF_NONE,  /* nothing that could be checked */
    RTSP_PROOF_STALE, /* right, but for an old nonce */
    RTSP_PROOF_WRONG,
    RTSP_PROOF_RIGHT,
};

/* value: of Authorization; may be empty. url: of the request. from: nonces are
 * good for its address only. */
enum rtsp_proof rtsp_auth_check(const struct rtsp_auth *a, struct slice method,
                                struct slice url, struct slice value,
                                const struct gb_addr *from, int64_t utc_s);

/* The two WWW-Authenticate lines of a 401. */
void rtsp_auth_challenge(struct rtsp_auth *a, const struct gb_addr *from,
                         int64_t utc_s, bool stale, struct writer *w);
#endif
