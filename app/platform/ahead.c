/* Messages that are about to come in: what they need is brought near.
 *
 * A batch of datagrams is from as many devices, each of which lies in far
 * memory, and so does the way to it in the table. Looked up one after the other
 * they would be waited for one after the other. */
#include "app/platform/core.h"

#include "base/prefetch.h"

#define LOOK_BYTES 512 /* of a message: From is mostly its third line */

/* The user in From, as nearly all write it; empty: it will be found later. */
static struct slice named(struct slice bytes)
{
    static const struct slice from = SLICE_INIT("\r\nFrom: <sip:");
    struct slice head = slice_head(bytes, LOOK_BYTES);
    struct slice user = slice_from(head, slice_find_slice(head, from) + from.n);

    return slice_head(user, slice_digits(user));
}

void platform_ahead(const struct platform *p, const struct slice *bytes,
                    size_t n)
{
    struct map_node *node[PLATFORM_AHEAD_MAX];
    uint64_t hash[PLATFORM_AHEAD_MAX];

    if (n > PLATFORM_AHEAD_MAX)
        n = PLATFORM_AHEAD_MAX;
    for (size_t i = 0; i < n; i++)
        hash[i] = map_ahead(&p->devices, named(bytes[i]));
    for (size_t i = 0; i < n; i++)
        node[i] = map_ahead_first(&p->devices, hash[i]);
    for (size_t i = 0; i < n; i++)
        node[i] = map_ahead_next(node[i], hash[i]);
    for (size_t i = 0; i < n; i++) {
        node[i] = map_ahead_node(node[i], hash[i]);
        if (node[i])
            prefetch_range(container_of(node[i], struct device, by_id),
                           DEVICE_NEAR);
        else /* of the same seed */
            map_ahead_bucket(&p->pending_ids, hash[i]);
    }
}
