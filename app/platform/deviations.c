#include "app/platform/deviations.h"

#include "app/platform/core.h"

const char *deviation_text(enum deviation v)
{
    static const char *const texts[DEVIATION_COUNT] = {
#define X(id, text) text,
        DEVIATION_MAP(X)
#undef X
    };

    return texts[v];
}

void device_deviation_of(struct platform *p, struct device *d,
                         enum deviation v, struct slice detail,
                         const struct gb_addr *peer)
{
    char buf[LOG_TEXT_MAX], addr[GB_ADDR_TEXT_MAX];
    struct about *about = device_about_own(p, d);

    if (!about)
        return; /* it will do it again */
    about->deviations++;
    if (about->noted & 1ull << v)
        return;
    about->noted |= 1ull << v;
    platform_log_peer(p, PLATFORM_WARN,
                      "msg=\"%s\" device=%s peer=%s detail=\"%s\"",
                      deviation_text(v), d->id,
                      gb_addr_text(peer, addr), log_text(detail, buf));
}

void device_deviation(struct platform *p, struct device *d, enum deviation v,
                      struct slice detail)
{
    device_deviation_of(p, d, v, detail, &d->peer.remote);
}
