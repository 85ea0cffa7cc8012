/* app/platform/bucket.h - tokens: so many a second, and a burst */
#ifndef APP_PLATFORM_BUCKET_H
#define APP_PLATFORM_BUCKET_H

#include <stdbool.h>
#include <stdint.h>

struct bucket {
    uint32_t milli;   /* tokens times 1000 */
    uint64_t last_ms;
};

/* Takes one token if there is one; rate tokens a second up to burst. */
bool bucket_take(struct bucket *b, uint32_t rate, uint32_t burst,
                 uint64_t now_ms);
#endif
