#include "app/net/own.h"

#include "app/net/gather.h"

#include <stdlib.h>

struct writer own_writer(struct own *o)
{
    if (!o->p)
        o->p = malloc(OWN_MAX);
    if (!o->p)
        return writer_of(NULL, 0);
    if (o->off) {
        memmove(o->p, o->p + o->off, o->len - o->off);
        o->len -= o->off;
        o->off = 0;
    }
    return writer_of(o->p + o->len, OWN_MAX - o->len);
}

bool own_take(struct own *o, const struct writer *w)
{
    if (!w->err)
        o->len += w->len;
    return !w->err;
}

bool own_is_pending(const struct own *o)
{
    return o->len > o->off;
}

size_t own_room(const struct own *o)
{
    return OWN_MAX - (o->len - o->off);
}

int own_write(struct own *o, int fd, size_t *sent)
{
    struct media_iov iov = { o->p + o->off, o->len - o->off };
    int r = gather_write(fd, &iov, 1, sent);

    o->off += *sent;
    if (!own_is_pending(o))
        own_fini(o);
    return r;
}

void own_fini(struct own *o)
{
    free(o->p);
    *o = (struct own){ 0 };
}
