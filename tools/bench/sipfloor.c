/* tools/bench/sipfloor.c - the floor under any SIP server over UDP: receives
 * a batch, copies five header lines of each request into a 200, sends the
 * batch. No parsing, no state: what is left is the kernel.
 *
 *     sipfloor PORT [SECONDS]     on 127.0.0.1; ends by itself (300) */
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sysexits.h>
#include <time.h>

#include "base/slice.h"

#define BATCH 64
#define MESSAGE 2048
#define SOCKET_BUFFER (8 << 20)

static char in[BATCH][MESSAGE], out[BATCH][MESSAGE];
static struct sockaddr_in peer[BATCH];
static struct iovec in_iov[BATCH], out_iov[BATCH];
static struct mmsghdr received[BATCH], sent[BATCH];

/* Via, From, To, Call-ID, CSeq */
static bool is_echoed(const char *line)
{
    return line[0] == 'V' || line[0] == 'F' || line[0] == 'T' ||
           (line[0] == 'C' && (line[1] == 'a' || line[1] == 'S'));
}

static size_t answer(char *to, const char *from, size_t n)
{
    static const char head[] = "SIP/2.0 200 OK\r\n",
                      tail[] = "Content-Length: 0\r\n\r\n";
    const char *end = from + n, *line = memchr(from, '\n', n), *next;
    char *w = to + sizeof(head) - 1;

    memcpy(to, head, sizeof(head) - 1);
    for (; line && ++line < end && *line != '\r'; line = next) {
        next = memchr(line, '\n', (size_t)(end - line));
        if (!next)
            break;
        if (!is_echoed(line) || (size_t)(w - to) + (size_t)(next - line) +
                                        sizeof(tail) > MESSAGE)
            continue;
        memcpy(w, line, (size_t)(next + 1 - line));
        w += next + 1 - line;
    }
    memcpy(w, tail, sizeof(tail) - 1);
    return (size_t)(w - to) + sizeof(tail) - 1;
}

static int open_socket(uint32_t port)
{
    struct sockaddr_in me = { .sin_family = AF_INET,
                              .sin_port = htons((uint16_t)port),
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    struct timeval wait = { 0, 100000 };
    int fd = socket(AF_INET, SOCK_DGRAM, 0), size = SOCKET_BUFFER;

    if (fd < 0 || bind(fd, (struct sockaddr *)&me, sizeof(me)))
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)))
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
    return fd;
}

static void one_batch(int fd)
{
    int n = recvmmsg(fd, received, BATCH, MSG_WAITFORONE, NULL);

    for (int i = 0; i < n; i++)
        out_iov[i].iov_len = answer(out[i], in[i], received[i].msg_len);
    for (int at = 0; at < n;) {
        int done = sendmmsg(fd, sent + at, (unsigned)(n - at), 0);

        if (done <= 0)
            break;
        at += done;
    }
    for (int i = 0; i < n; i++)
        received[i].msg_hdr.msg_namelen = sizeof(peer[i]);
}

int main(int argc, char **argv)
{
    uint32_t port, seconds = 300;
    time_t end;
    int fd;

    if (argc < 2 || !slice_u32(slice_str(argv[1]), 65535, &port) ||
        (argc > 2 && !slice_u32(slice_str(argv[2]), 3600, &seconds)))
        return EX_USAGE;
    fd = open_socket(port);
    if (fd < 0) {
        perror("sipfloor");
        return 1;
    }
    for (size_t i = 0; i < BATCH; i++) {
        in_iov[i] = (struct iovec){ in[i], MESSAGE };
        out_iov[i] = (struct iovec){ out[i], 0 };
        received[i].msg_hdr = (struct msghdr){
            .msg_name = &peer[i], .msg_namelen = sizeof(peer[i]),
            .msg_iov = &in_iov[i], .msg_iovlen = 1 };
        sent[i].msg_hdr = received[i].msg_hdr;
        sent[i].msg_hdr.msg_iov = &out_iov[i];
    }
    for (end = time(NULL) + (time_t)seconds; time(NULL) < end;)
        one_batch(fd);
    return 0;
}
