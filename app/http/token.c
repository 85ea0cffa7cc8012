#include "app/http/token.h"

#include <nettle/hmac.h>
#include <nettle/memops.h>
#include <nettle/sha2.h>

void token_hash(char out[static TOKEN_HASH], struct slice token)
{
    struct writer w = writer_of(out, TOKEN_HASH);
    uint8_t hash[SHA256_DIGEST_SIZE];
    struct sha256_ctx ctx;

    sha256_init(&ctx);
    sha256_update(&ctx, token.n, (const uint8_t *)token.p);
    sha256_digest(&ctx, sizeof(hash), hash);
    writer_hex(&w, hash, sizeof(hash));
}

/* One of its own for each name and token, so it may be used once: as it is. */
static void make_mask(uint8_t mask[static SIP_HA1_MD5_RAW],
                      struct slice name, struct slice hash,
                      const uint8_t key[static 32])
{
    static const char what[] = "rtsp token"; /* its NUL ends it */
    struct hmac_sha256_ctx ctx;

    hmac_sha256_set_key(&ctx, 32, key);
    hmac_sha256_update(&ctx, sizeof(what), (const uint8_t *)what);
    hmac_sha256_update(&ctx, hash.n, (const uint8_t *)hash.p);
    hmac_sha256_update(&ctx, name.n, (const uint8_t *)name.p);
    hmac_sha256_digest(&ctx, SIP_HA1_MD5_RAW, mask);
}

void token_secret_write(char out[static TOKEN_SECRET_MAX + 1],
                        struct slice token, struct slice name,
                        const char *realm, const uint8_t key[static 32])
{
    struct writer w = writer_of(out, TOKEN_SECRET_MAX);
    uint8_t raw[SIP_HA1_MD5_RAW], mask[SIP_HA1_MD5_RAW];
    struct sip_ha1 ha1;

    token_hash(out, token);
    w.len = TOKEN_HASH;
    if (realm) {
        sip_ha1_make(&ha1, SIP_DIGEST_MD5, name, slice_str(realm), token);
        sip_ha1_pack(raw, &ha1);
        make_mask(mask, name, writer_slice(&w), key);
        for (size_t i = 0; i < sizeof(raw); i++)
            raw[i] ^= mask[i];
        writer_char(&w, ':');
        writer_hex(&w, raw, sizeof(raw));
    }
    out[w.len] = '\0';
}

bool token_is(struct slice secret, const char hash[static TOKEN_HASH])
{
    return secret.n >= TOKEN_HASH &&
           (secret.n == TOKEN_HASH || secret.p[TOKEN_HASH] == ':') &&
           memeql_sec(secret.p, hash, TOKEN_HASH) != 0;
}

bool token_ha1(struct sip_ha1 *out, struct slice secret, struct slice name,
               const uint8_t key[static 32])
{
    uint8_t raw[SIP_HA1_MD5_RAW], mask[SIP_HA1_MD5_RAW];
    struct slice hash;

    if (!slice_cut(&secret, ':', &hash) || hash.n != TOKEN_HASH ||
        secret.n != 2 * sizeof(raw))
        return false;
    make_mask(mask, name, hash, key);
    for (size_t i = 0; i < sizeof(raw); i++) {
        int high = ascii_hex(secret.p[2 * i]);
        int low = ascii_hex(secret.p[2 * i + 1]);

        if (high < 0 || low < 0)
            return false;
        raw[i] = (uint8_t)((unsigned)(high << 4 | low) ^ mask[i]);
    }
    sip_ha1_unpack(out, SIP_DIGEST_MD5, raw);
    return true;
}
