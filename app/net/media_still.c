#include "app/net/media_still.h"

#include <stdlib.h>
#include <string.h>

#define IOVS 32

void media_still_free(struct media_still *f)
{
    if (!f)
        return;
    free(f->bytes);
    free(f);
}

static void deliver_done(struct mail *m)
{
    struct media_still *f = container_of(m, struct media_still, mail);

    f->on_done(f->ctx, f);
}

static int copy(struct media_still *f, struct media_chunk *c)
{
    struct media_iov iov[IOVS];
    size_t size = media_chunk_size(c, MEDIA_PLAIN), n;

    f->bytes = malloc(size ? size : 1);
    if (!f->bytes)
        return GB_ENOMEM;
    while (f->n < size &&
           (n = media_chunk_iov(c, MEDIA_PLAIN, f->n, iov, IOVS)) != 0)
        for (size_t i = 0; i < n; i++) {
            memcpy(f->bytes + f->n, iov[i].base, iov[i].len);
            f->n += iov[i].len;
        }
    return 0;
}

static void deliver_ask(struct mail *m)
{
    struct media_still *f = container_of(m, struct media_still, mail);
    struct media_chunk *c = NULL;

    f->err = media_loop_snapshot(f->loop, f->session, &c);
    if (!f->err)
        f->err = copy(f, c);
    media_chunk_unref(c);
    f->mail.deliver = deliver_done;
    media_net_post_main(f->net, &f->mail);
}

bool media_still_ask(struct media_net *n, unsigned loop,
                     struct media_still *f)
{
    f->net = n;
    f->loop = media_net_loop(n, loop);
    f->mail.deliver = deliver_ask;
    return f->loop && media_net_post(n, loop, &f->mail);
}
