#include "app/rtsp/udp.h"

#include "app/net/sockaddr.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/uio.h>
#include <unistd.h>

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103 /* Linux 4.18 */
#endif

#define READS 16 /* datagrams of one turn */

void rtsp_udp_init(struct rtsp_udp *u, const struct gb_addr *peer)
{
    *u = (struct rtsp_udp){ .peer = *peer };
    for (unsigned t = 0; t < MEDIA_TRACKS; t++)
        u->track[t].fd[0] = u->track[t].fd[1] = -1;
}

static void close_track(struct rtsp_udp_track *k)
{
    for (unsigned i = 0; i < 2; i++) {
        if (k->fd[i] >= 0)
            close(k->fd[i]);
        k->fd[i] = -1;
    }
}

void rtsp_udp_close(struct rtsp_udp *u)
{
    for (unsigned t = 0; t < MEDIA_TRACKS; t++)
        close_track(&u->track[t]);
}

/* A socket on a port (0: any); *port is the one it got. */
static int open_one(const struct gb_addr *local, uint16_t *port)
{
    struct sockaddr_storage ss;
    struct gb_addr at = *local;
    socklen_t len;
    int fd;

    at.port = *port;
    len = sockaddr_of(&ss, &at, false);
    fd = socket(ss.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    if (bind(fd, (struct sockaddr *)&ss, len) ||
        getsockname(fd, (struct sockaddr *)&ss, &len)) {
        close(fd);
        return -1;
    }
    sockaddr_read(&at, (struct sockaddr *)&ss);
    *port = at.port;
    return fd;
}

static bool try_pair(struct rtsp_udp_track *k, const struct gb_addr *local)
{
    uint16_t rtp = 0, rtcp;

    k->fd[0] = open_one(local, &rtp);
    rtcp = (uint16_t)(rtp + 1);
    if (k->fd[0] >= 0 && rtp % 2 == 0)
        k->fd[1] = open_one(local, &rtcp);
    k->port = rtp;
    if (k->fd[1] >= 0)
        return true;
    close_track(k);
    return false;
}

int rtsp_udp_open(struct rtsp_udp *u, enum media_track t,
                  const struct gb_addr *local, const uint16_t to[static 2])
{
    struct rtsp_udp_track *k = &u->track[t];

    for (unsigned i = 0; k->fd[0] < 0 && i < RTSP_PORT_TRIES; i++)
        try_pair(k, local);
    if (k->fd[0] < 0)
        return GB_EIO;
    for (unsigned i = 0; i < 2; i++) {
        k->to[i] = k->named[i] = to[i];
        k->learnt[i] = false;
    }
    return 0;
}

void rtsp_udp_mute(struct rtsp_udp *u, enum media_track t)
{
    struct rtsp_udp_track *k = &u->track[t];

    for (unsigned i = 0; i < 2; i++) {
        k->to[i] = k->named[i] = 0;
        k->learnt[i] = true; /* what comes there opens nothing */
    }
}

/* ---- out ---------------------------------------------------------------- */

/* Packets on one channel that follow one another. */
struct batch {
    unsigned channel, n;
    struct iovec iov[RTSP_UDP_BATCH];
    size_t done[RTSP_UDP_BATCH]; /* bytes that are done with after each */
};

/* What goes to the kernel: packets of one size, and perhaps one smaller one
 * behind them, are one datagram that it cuts. */
struct groups {
    unsigned n;
    struct mmsghdr m[RTSP_UDP_BATCH];
    unsigned packets[RTSP_UDP_BATCH];
    union {
        struct cmsghdr head;
        char bytes[CMSG_SPACE(sizeof(uint16_t))];
    } control[RTSP_UDP_BATCH];
};

static unsigned group_at(const struct batch *b, unsigned from, bool one)
{
    size_t size = b->iov[from].iov_len, sum = size;
    unsigned n = 1;

    while (!one && from + n < b->n) {
        size_t next = b->iov[from + n].iov_len;

        if (next > size || sum + next > RTSP_UDP_GROUP_BYTES)
            break;
        n++;
        sum += next;
        if (next < size)
            break;
    }
    return n;
}

static void put_size(struct msghdr *h, void *control, size_t room,
                     uint16_t size)
{
    struct cmsghdr *c;

    h->msg_control = control;
    h->msg_controllen = room;
    c = CMSG_FIRSTHDR(h);
    c->cmsg_level = SOL_UDP;
    c->cmsg_type = UDP_SEGMENT;
    c->cmsg_len = CMSG_LEN(sizeof(size));
    memcpy(CMSG_DATA(c), &size, sizeof(size));
}

static void group(struct groups *g, struct batch *b, unsigned from,
                  struct sockaddr_storage *to, socklen_t to_len, bool one)
{
    g->n = 0;
    while (from < b->n) {
        unsigned n = group_at(b, from, one);
        struct msghdr *h = &g->m[g->n].msg_hdr;

        *h = (struct msghdr){ .msg_name = to,
                              .msg_namelen = to_len,
                              .msg_iov = &b->iov[from],
                              .msg_iovlen = n };
        if (n > 1)
            put_size(h, &g->control[g->n], sizeof(g->control[0]),
                     (uint16_t)b->iov[from].iov_len);
        g->packets[g->n++] = n;
        from += n;
    }
}

/* Sends a batch; the packets that are done with: sent, or lost for good. */
static unsigned flush(struct rtsp_udp *u, struct batch *b, bool *full)
{
    struct rtsp_udp_track *k = &u->track[b->channel / 2];
    struct gb_addr at = u->peer;
    struct sockaddr_storage to;
    socklen_t to_len;
    struct groups g;
    unsigned done = 0;

    at.port = k->to[b->channel % 2];
    to_len = sockaddr_of(&to, &at, false);
    while (done < b->n && !*full) {
        int got;

        group(&g, b, done, &to, to_len, u->no_segments);
        got = sendmmsg(k->fd[b->channel % 2], g.m, g.n, 0);
        for (int i = 0; i < got; i++)
            done += g.packets[i];
        if (got > 0 || errno == EINTR)
            continue;
        if (errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS)
            *full = true;
        else if (g.packets[0] > 1 && !u->no_segments)
            u->no_segments = true; /* this device cannot: one by one */
        else
            done++; /* no route, or too large: lost, as on any wire */
    }
    b->n = 0;
    return done;
}

static bool goes(const struct rtsp_udp *u, const struct rtpmux_packet *k)
{
    const struct rtsp_udp_track *t;

    if (k->channel >= RTPMUX_CHANNELS)
        return false;
    t = &u->track[k->channel / 2];
    return t->fd[0] >= 0 && t->to[k->channel % 2];
}

/* Collects packets of one channel behind *at of framed; *at moves past what was
 * taken or goes nowhere. */
static void collect(const struct rtsp_udp *u, struct batch *b,
                    struct slice framed, size_t max, size_t *at)
{
    struct slice rest = slice_from(framed, *at);
    struct rtpmux_packet k;

    b->n = 0;
    while (b->n < RTSP_UDP_BATCH && *at < max && rtpmux_next(&rest, &k)) {
        if (goes(u, &k)) {
            if (b->n && k.channel != b->channel)
                return;
            b->channel = k.channel;
            b->iov[b->n].iov_base = (char *)(uintptr_t)k.bytes.p;
            b->iov[b->n].iov_len = k.bytes.n;
            b->done[b->n++] = framed.n - rest.n;
        }
        *at = framed.n - rest.n;
    }
}

size_t rtsp_udp_send(struct rtsp_udp *u, struct slice framed, size_t max,
                     bool *full)
{
    struct batch b;
    size_t done = 0;

    *full = false;
    while (!*full) {
        size_t at = done;
        unsigned n, sent;

        collect(u, &b, framed, max, &at);
        n = b.n;
        sent = n ? flush(u, &b, full) : 0;
        if (sent < n)
            return sent ? b.done[sent - 1] : done;
        if (at == done)
            break;
        done = at;
    }
    return done;
}

/* ---- in ----------------------------------------------------------------- */

bool rtsp_udp_read(struct rtsp_udp *u, enum media_track t, unsigned which)
{
    struct rtsp_udp_track *k = &u->track[t];
    bool any = false;

    for (unsigned i = 0; i < READS; i++) {
        struct sockaddr_storage ss = { 0 };
        socklen_t len = sizeof(ss);
        struct gb_addr from;
        uint8_t bytes[64];
        ssize_t n = recvfrom(k->fd[which], bytes, sizeof(bytes), 0,
                             (struct sockaddr *)&ss, &len);

        if (n < 0)
            break;
        sockaddr_read(&from, (struct sockaddr *)&ss);
        if (!gb_addr_ip_eq(&from, &u->peer))
            continue;
        any = true;
        if (!k->learnt[which] || from.port == k->named[which])
            k->to[which] = from.port;
        k->learnt[which] = true;
    }
    return any;
}
