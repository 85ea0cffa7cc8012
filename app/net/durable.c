#include "app/net/durable.h"

#include "base/slice.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define DIR_PATH_MAX 1200

int durable_rename(const char *from, const char *to)
{
    const char *slash = strrchr(to, '/');
    size_t n = slash && slash > to ? (size_t)(slash - to) : 1;
    char dir[DIR_PATH_MAX];
    int fd, err = 0;

    if (!slice_copy(dir, sizeof(dir), slash ? slice_of(to, n) : SLICE(".")))
        return ENAMETOOLONG;
    if (rename(from, to))
        return errno;
    fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return errno;
    /* some file systems cannot, and say so: nothing is to be done about it */
    if (fsync(fd) && errno != EINVAL)
        err = errno;
    close(fd);
    return err;
}
