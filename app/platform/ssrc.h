/* app/platform/ssrc.h - the SSRCs that we hand to devices
 * (GB/T 28181-2022 §6.3, Annex C; ten digits: 0 live or 1 history, digits 4-8
 * of our id, a serial of four that no other stream of the domain has)
 *
 * Live and history share the serials. A serial rests 60 s after use, since a
 * device that missed our BYE goes on sending; when none has rested, the one
 * that has rested longest is taken. 9999 streams at one time. */
#ifndef APP_PLATFORM_SSRC_H
#define APP_PLATFORM_SSRC_H

#include "app/platform/rest.h"
#include "base/slice.h"

#define SSRC_DIGITS 10

struct ssrc_pool {
    struct rest_pool rest;
    uint32_t prefix; /* digits 4-8 of the id, times 10^4 */
};

/* id: our 20 digits. start: any number, where the serials begin, so that a
 * restarted process does not reuse the last ones. 0, GB_ENOMEM, GB_ESYNTAX. */
int ssrc_pool_init(struct ssrc_pool *p, const struct gb_alloc *alloc,
                   struct slice id, uint32_t start);
void ssrc_pool_fini(struct ssrc_pool *p);

/* 0 or GB_ELIMIT. */
int ssrc_pool_take(struct ssrc_pool *p, bool history, uint64_t now_ms,
                   uint32_t *ssrc);

/* The same, one whose remainder by mod is rem if there is one near: a session
 * stays on its media loop. */
int ssrc_pool_take_like(struct ssrc_pool *p, bool history, uint32_t mod,
                        uint32_t rem, uint64_t now_ms, uint32_t *ssrc);

/* ssrc: as taken. */
void ssrc_pool_give(struct ssrc_pool *p, uint32_t ssrc, uint64_t now_ms);

/* Always ten digits, zero padded, and a NUL. */
void ssrc_text(uint32_t ssrc, char out[static SSRC_DIGITS + 1]);
#endif
