#include "app/net/gather.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/uio.h>

void gather_prepare(int fd)
{
    int lowat = GATHER_NOTSENT_BYTES, on = 1;

    setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &lowat, sizeof(lowat));
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

int gather_write(int fd, const struct media_iov *iov, size_t n, size_t *sent)
{
    struct iovec out[GATHER_IOVS_MAX];
    size_t want = 0;
    ssize_t got;

    assert(n <= GATHER_IOVS_MAX);
    for (size_t i = 0; i < n; i++) {
        out[i] = (struct iovec){ iov[i].base, iov[i].len };
        want += iov[i].len;
    }
    *sent = 0;
    do {
        got = writev(fd, out, (int)n);
    } while (got < 0 && errno == EINTR);
    if (got < 0)
        return errno == EAGAIN || errno == EWOULDBLOCK ? 0 : -1;
    *sent = (size_t)got;
    return *sent == want ? 1 : 0;
}
