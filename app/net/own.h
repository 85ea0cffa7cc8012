/* app/net/own.h - bytes of a viewer's own that wait for its socket
 *
 * What is said beside the bytes of the hub: heads, answers, texts, control
 * frames. Memory for them is taken when there are some, and given back when the
 * last has gone. */
#ifndef APP_NET_OWN_H
#define APP_NET_OWN_H

#include "base/writer.h"

#define OWN_MAX 6144 /* heads, answers and control frames not sent */

/* All zero is empty. */
struct own {
    char *p; /* OWN_MAX bytes, or NULL */
    size_t len, off;
};

/* Writes behind what waits; of no bytes when there is no memory. Valid until
 * the next call. */
struct writer own_writer(struct own *o);

/* What w of own_writer has written waits now. false: it did not fit, and
 * nothing of it does. */
bool own_take(struct own *o, const struct writer *w);

bool own_is_pending(const struct own *o);
size_t own_room(const struct own *o);

/* As gather_write. */
int own_write(struct own *o, int fd, size_t *sent);

/* Drops what waits: it is empty. */
void own_fini(struct own *o);
#endif
