/* app/http/token.h - what is kept of an API token in place of it
 *
 *     SHA256 [ ":" SEALED ]
 *
 * in hex. SEALED is H(name:realm:token), which Digest over RTSP is checked with:
 * whoever has that could watch, so it lies under a mask that only the
 * installation's key gives. Without it the token is for HTTP, and RTSP's Basic. */
#ifndef APP_HTTP_TOKEN_H
#define APP_HTTP_TOKEN_H

#include "sip/digest.h"

#define TOKEN_HASH 64 /* digits of SHA256 */
#define TOKEN_SECRET_MAX (TOKEN_HASH + 1 + 2 * SIP_HA1_MD5_RAW)

/* realm NULL: without SEALED. out ends with a NUL. */
void token_secret_write(char out[static TOKEN_SECRET_MAX + 1],
                        struct slice token, struct slice name,
                        const char *realm, const uint8_t key[static 32]);

/* Is it that of the token with this hash? In time that does not tell how much of
 * it is. */
void token_hash(char out[static TOKEN_HASH], struct slice token);
bool token_is(struct slice secret, const char hash[static TOKEN_HASH]);

/* false: there is no SEALED. */
bool token_ha1(struct sip_ha1 *out, struct slice secret, struct slice name,
               const uint8_t key[static 32]);
#endif
