#include "app/platform/bucket.h"

bool bucket_take(struct bucket *b, uint32_t rate, uint32_t burst,
                 uint64_t now_ms)
{
    uint64_t full = burst * 1000ull;
    uint64_t have = now_ms < b->last_ms || b->last_ms == 0
                        ? full
                        : b->milli + (now_ms - b->last_ms) * rate;

    if (have > full)
        have = full;
    b->last_ms = now_ms ? now_ms : 1;
    b->milli = (uint32_t)have;
    if (have < 1000)
        return false;
    b->milli -= 1000;
    return true;
}
