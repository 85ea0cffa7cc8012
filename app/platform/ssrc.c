#include "app/platform/ssrc.h"

#include "base/err.h"

#include <assert.h>

#define N_SERIALS 9999u /* 0001 .. 9999: 0000 could make an SSRC of 0 */
#define HISTORY 1000000000u

int ssrc_pool_init(struct ssrc_pool *p, const struct gb_alloc *alloc,
                   struct slice id, uint32_t start)
{
    uint32_t digits;

    *p = (struct ssrc_pool){ .prefix = 0 };
    if (id.n != 20 || !slice_u32(slice_of(id.p + 3, 5), 99999, &digits))
        return GB_ESYNTAX;
    p->prefix = digits * 10000;
    return rest_pool_init(&p->rest, alloc, N_SERIALS, start % N_SERIALS);
}

void ssrc_pool_fini(struct ssrc_pool *p)
{
    rest_pool_fini(&p->rest);
}

int ssrc_pool_take(struct ssrc_pool *p, bool history, uint64_t now_ms,
                   uint32_t *ssrc)
{
    uint32_t i;
    int err = rest_pool_take(&p->rest, true, now_ms, &i);

    if (err)
        return err;
    *ssrc = (history ? HISTORY : 0) + p->prefix + i + 1;
    return 0;
}

int ssrc_pool_take_like(struct ssrc_pool *p, bool history, uint32_t mod,
                        uint32_t rem, uint64_t now_ms, uint32_t *ssrc)
{
    uint32_t base = (history ? HISTORY : 0) + p->prefix + 1, i;

    rem = (rem + mod - base % mod) % mod;
    if (rest_pool_take_like(&p->rest, mod, rem, true, now_ms, &i))
        return ssrc_pool_take(p, history, now_ms, ssrc);
    *ssrc = base + i;
    return 0;
}

void ssrc_pool_give(struct ssrc_pool *p, uint32_t ssrc, uint64_t now_ms)
{
    assert(ssrc % HISTORY / 10000 == p->prefix / 10000);
    rest_pool_give(&p->rest, ssrc % 10000 - 1, now_ms);
}

void ssrc_text(uint32_t ssrc, char out[static SSRC_DIGITS + 1])
{
    for (int i = SSRC_DIGITS; i-- > 0; ssrc /= 10)
        out[i] = (char)('0' + ssrc % 10);
    out[SSRC_DIGITS] = '\0';
}
