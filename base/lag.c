#include "base/lag.h"

uint32_t lag_note(struct lag *l, uint64_t now_ms)
{
    uint64_t late_ms = l->due_ms && now_ms > l->due_ms ? now_ms - l->due_ms : 0;
    bool is_news;

    if (!l->due_ms || now_ms - l->window_ms >= 2 * (uint64_t)LAG_WINDOW_MS)
        l->worst_ms = 0; /* the window before is too long ago */
    if (!l->due_ms || now_ms - l->window_ms >= LAG_WINDOW_MS) {
        l->before_ms = l->worst_ms;
        l->worst_ms = 0;
        l->window_ms = now_ms;
        l->told = false;
    }
    l->due_ms = now_ms + LAG_EVERY_MS;
    if (late_ms > UINT32_MAX)
        late_ms = UINT32_MAX;
    if (late_ms > l->worst_ms)
        l->worst_ms = (uint32_t)late_ms;
    is_news = late_ms > LAG_LATE_MS && !l->told;
    l->told |= is_news;
    return is_news ? (uint32_t)late_ms : 0;
}
