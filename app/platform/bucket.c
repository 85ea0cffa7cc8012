#include "app/platform/bucket.h"

bool bucket_take(struct bucket *b, uint32_t rate, uint32_t burst,
                 uint64_t now_ms)
{
    uint64_t full = burst * 1000ull, have = full;

    if (now_ms == 0)
        now_ms = 1; /* last_ms of 0 is a new one */
    if (b->last_ms && now_ms >= b->last_ms)
        have = b->milli + (now_ms - b->last_ms) * rate;
    if (have > full)
        have = full;
    b->last_ms = now_ms;
    b->milli = (uint32_t)have;
    if (have < 1000)
        return false;
    b->milli -= 1000;
    return true;
}
