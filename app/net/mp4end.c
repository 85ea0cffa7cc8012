#include "app/net/mp4end.h"

#include "app/media/mp4index.h"
#include "app/net/disk.h"
#include "base/bytes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BOX 8

/* The fragments from off on, one moof and one mdat each; false: something else
 * lies there, an index or a file of somebody else. */
static bool walk(struct mp4index *x, int fd, uint64_t off, uint64_t size)
{
    char head[FMP4_FRAGMENT_HEAD];

    while (off < size) {
        uint64_t moof, mdat;

        if (size - off < sizeof(head) ||
            !disk_read_at(&fd, off, head, sizeof(head)))
            return false;
        moof = bytes_be32_at(head);
        if (memcmp(head + 4, "moof", 4) != 0 ||
            moof != FMP4_FRAGMENT_HEAD - BOX)
            return false;
        mdat = bytes_be32_at(head + moof);
        if (mdat < BOX || mdat > size - off - moof)
            return false;
        mp4index_add(x, head, off);
        off += moof + mdat;
    }
    return true;
}

static int append(const struct mp4index *x, int fd, uint64_t *size)
{
    size_t n = mp4index_size(x);
    char *p = n ? malloc(n) : NULL;
    struct writer w = writer_of(p, n);
    int err;

    if (!p)
        return n ? ENOMEM : 0;
    mp4index_write(x, &w);
    err = disk_write_all(fd, p, n, *size);
    free(p);
    if (!err)
        *size += n;
    else if (ftruncate(fd, (off_t)*size))
        return EIO; /* part of an index: the next look cuts it off */
    return err;
}

int mp4end_write(int fd, uint64_t *size)
{
    struct mp4scan_head *head = malloc(sizeof(*head));
    struct mp4index x;
    int err = 0;

    if (!head)
        return ENOMEM;
    mp4index_init(&x, &gb_alloc_heap);
    if (!mp4scan_head(head, disk_read_at, &fd, *size) &&
        walk(&x, fd, head->bytes, *size))
        err = append(&x, fd, size);
    mp4index_fini(&x);
    free(head);
    return err;
}
