#include "app/net/udp.h"

#include "app/net/log.h"
#include "app/net/sockaddr.h"

#include <assert.h>
#include <errno.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define UDP_OWN_CAP 65536
#define UDP_OWN_STRIDE (UDP_OWN_CAP + 17 * 64) /* from one buffer to the next:
                        their first lines are in different sets of the caches */
#define UDP_CTRL (CMSG_SPACE(sizeof(struct in6_pktinfo)) + \
                  2 * CMSG_SPACE(sizeof(int))) /* all that was asked for */
#ifndef UDP_GRO
#define UDP_GRO 104 /* Linux 5.0 */
#endif

struct send_slot {
    struct sockaddr_storage to;
    struct iovec iov;
    char ctrl[UDP_CTRL];
};

struct udp_socket {
    uv_poll_t poll;
    int fd;
    bool v6;
    struct gb_addr bound;
    struct gb_addr to; /* bound; no family where it is not asked for */
    struct udp_options o;
    uint8_t *own;     /* UDP_BATCH buffers, mapped on first use */
    uint32_t dropped, send_errors;
    bool closing;
    bool joins; /* UDP_GRO is on */
    /* sending: made with the first udp_send */
    struct mmsghdr *out;
    struct send_slot *slot;
    uint8_t *out_bytes;
    size_t n_out, out_len;
};

static size_t own_get(struct udp_socket *u, struct udp_room *room)
{
    if (!u->own) {
        void *p = mmap(NULL, (size_t)UDP_BATCH * UDP_OWN_STRIDE,
                       PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
                       0);

        if (p == MAP_FAILED)
            return 0;
        u->own = p;
    }
    *room = (struct udp_room){ u->own, UDP_OWN_CAP, UDP_OWN_STRIDE, NULL };
    return UDP_BATCH;
}

/* The local address (IP_PKTINFO) and the kernel's drop counter, which comes only
 * once there have been drops; the length of each of several datagrams that are
 * joined, 0: it is one. */
static size_t read_control(struct udp_socket *u, struct msghdr *m,
                           struct gb_addr *local)
{
    size_t each = 0;

    for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
        if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
            struct in_pktinfo info;

            memcpy(&info, CMSG_DATA(c), sizeof(info));
            local->family = GB_IPV4;
            memcpy(local->ip, &info.ipi_addr, 4);
        } else if (c->cmsg_level == IPPROTO_IPV6 &&
                   c->cmsg_type == IPV6_PKTINFO) {
            struct in6_pktinfo info;

            memcpy(&info, CMSG_DATA(c), sizeof(info));
            sockaddr_read_ip6(local, &info.ipi6_addr);
            local->port = u->bound.port;
        } else if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SO_RXQ_OVFL) {
            memcpy(&u->dropped, CMSG_DATA(c), sizeof(u->dropped));
        } else if (c->cmsg_level == IPPROTO_UDP && c->cmsg_type == UDP_GRO) {
            int bytes;

            memcpy(&bytes, CMSG_DATA(c), sizeof(bytes));
            each = bytes > 0 ? (size_t)bytes : 0;
        }
    }
    return each;
}

/* What is received into: one batch, kept from one to the next of a thread. It is
 * small on purpose: between two wake-ups others have used the caches, and each
 * line of it is then fetched anew. */
struct batch {
    bool in_use; /* by a receive_batch of this thread */
    size_t n, n_more;
    struct udp_room room;
    const struct udp_more *more;
    size_t n_pkt, n_remote, n_local;
    const uint8_t *of_remote; /* of `from`: what the newest of `remote` was */
    size_t from_len, cap; /* what the messages have been shaped for */
    struct iovec iov[UDP_BATCH][2];
    struct mmsghdr msg[UDP_BATCH];
    struct udp_packet pkt[UDP_BATCH]; /* what of it is given on together */
    _Alignas(struct sockaddr_in6)
        uint8_t from[UDP_BATCH * sizeof(struct sockaddr_in6)];
    /* addresses that differ from the one before */
    struct gb_addr remote[UDP_BATCH], local[UDP_BATCH];
    _Alignas(struct cmsghdr) char ctrl[UDP_BATCH][UDP_CTRL];
};

/* All of it that is the same for the next batch of such a socket. */
static void shape(struct batch *b, size_t from_len, size_t cap)
{
    b->from_len = from_len;
    b->cap = cap;
    for (size_t i = 0; i < UDP_BATCH; i++) {
        b->iov[i][0].iov_len = cap;
        b->iov[i][1].iov_len = cap < UDP_JOINED ? UDP_JOINED - cap : 0;
        b->msg[i].msg_hdr = (struct msghdr){ .msg_name = b->from + i * from_len,
                                             .msg_iov = b->iov[i],
                                             .msg_control = b->ctrl[i] };
    }
}

/* A datagram goes into its room; what is joined and longer goes on in `more`,
 * behind as much as its room has. */
static bool make_batch(struct udp_socket *u, struct batch *b)
{
    const struct udp_source *src = &u->o.source;
    size_t cap, from_len = u->v6 ? sizeof(struct sockaddr_in6)
                                 : sizeof(struct sockaddr_in);
    uint8_t *p;

    b->n = src->get ? src->get(src->ctx, &b->room) : own_get(u, &b->room);
    p = b->room.p;
    cap = b->room.cap;
    b->n_more = u->joins && cap < UDP_JOINED
                    ? src->more(src->ctx, b->n, &b->more) : 0;
    b->n_pkt = b->n_remote = b->n_local = 0;
    b->of_remote = NULL;
    if (b->from_len != from_len || b->cap != cap)
        shape(b, from_len, cap);
    for (size_t i = 0; i < b->n_more; i++)
        b->iov[i][1].iov_base = b->more[i].p + cap;
    for (size_t i = 0; i < b->n; i++, p += b->room.stride) {
        struct msghdr *m = &b->msg[i].msg_hdr;

        b->iov[i][0].iov_base = p;
        m->msg_namelen = (socklen_t)from_len;
        m->msg_iovlen = i < b->n_more ? 2 : 1;
        m->msg_controllen = UDP_CTRL;
    }
    return b->n > 0;
}

static void give(struct udp_socket *u, struct batch *b)
{
    if (b->n_pkt && !u->closing)
        u->o.on_packets(u->o.ctx, u, b->pkt, b->n_pkt);
    b->n_pkt = 0;
}

/* The newest packet is a whole message of several, to be told apart. */
static void take_apart(struct udp_socket *u, struct batch *b, size_t each)
{
    const struct udp_packet whole = b->pkt[--b->n_pkt];

    for (size_t at = 0; at < whole.n; at += each) {
        struct udp_packet *k;
        size_t left = whole.n - at;

        if (b->n_pkt == UDP_BATCH)
            give(u, b);
        k = &b->pkt[b->n_pkt++];
        *k = whole;
        k->p += at;
        k->n = left < each ? left : each;
    }
}

/* It began in its room: all of it to where it goes on. */
static void gather(struct udp_socket *u, const struct batch *b, size_t i,
                   struct udp_packet *k)
{
    memcpy(b->more[i].p, k->p, b->room.cap);
    k->buf = b->more[i].buf;
    k->p = u->o.source.settle(u->o.source.ctx, b->more[i].p, k->n, &k->buf);
}

/* Datagrams that come together are mostly of one sender, whose address is read
 * once. */
static const struct gb_addr *remote_of(struct batch *b, const uint8_t *from)
{
    const uint8_t *last = b->of_remote;

    if (last &&
        (b->from_len == sizeof(struct sockaddr_in)
             ? memcmp(from, last, offsetof(struct sockaddr_in, sin_zero)) == 0
             : memcmp(from, last, sizeof(struct sockaddr_in6)) == 0))
        return &b->remote[b->n_remote - 1];
    b->of_remote = from;
    sockaddr_read(&b->remote[b->n_remote], (const void *)from);
    return &b->remote[b->n_remote++];
}

/* Where a datagram came to, the newest of `local` when that is the same. */
static const struct gb_addr *local_of(struct batch *b,
                                      const struct gb_addr *local)
{
    if (b->n_local == 0 || !gb_addr_eq(&b->local[b->n_local - 1], local))
        b->local[b->n_local++] = *local;
    return &b->local[b->n_local - 1];
}

static void take_message(struct udp_socket *u, struct batch *b, size_t i)
{
    struct msghdr *m = &b->msg[i].msg_hdr;
    struct udp_packet *k;
    size_t each = 0;

    if (b->n_pkt == UDP_BATCH)
        give(u, b);
    k = &b->pkt[b->n_pkt++];
    k->local = &u->to;
    k->remote = remote_of(b, m->msg_name);
    k->p = b->iov[i][0].iov_base;
    k->n = b->msg[i].msg_len;
    k->buf = b->room.buf;
    k->truncated = (m->msg_flags & MSG_TRUNC) != 0;
    if (m->msg_controllen) {
        struct gb_addr local = *k->local;

        each = read_control(u, m, &local);
        if (!u->o.no_local)
            k->local = local_of(b, &local);
    }
    if (k->n > b->room.cap)
        gather(u, b, i, k);
    if (each && each < k->n)
        take_apart(u, b, each);
}

/* One batch; true: all its room was used, so that there may be more. */
static bool receive_batch(struct udp_socket *u)
{
    static _Thread_local struct batch kept;
    struct batch *b = &kept;
    size_t n;
    int got;

    assert(!b->in_use); /* no callback receives */
    if (!make_batch(u, b))
        return false;
    b->in_use = true;
    n = b->n;
    got = recvmmsg(u->fd, b->msg, (unsigned)n, MSG_DONTWAIT, NULL);
    for (int i = 0; i < got; i++)
        take_message(u, b, (size_t)i);
    give(u, b);
    if (u->o.source.done)
        u->o.source.done(u->o.source.ctx, got > 0 ? (size_t)got : 0);
    b->in_use = false;
    return got > 0 && (size_t)got == n;
}

static void on_readable(uv_poll_t *poll, int status, int events);

/* Some datagram of ours met an ICMP error or the like. libuv has stopped the
 * poll; reading the error clears it. */
static void go_on(struct udp_socket *u)
{
    socklen_t len = sizeof(int);
    int why;

    if (getsockopt(u->fd, SOL_SOCKET, SO_ERROR, &why, &len) != 0 ||
        uv_poll_start(&u->poll, UV_READABLE, on_readable))
        log_f(LOG_ERROR, "msg=\"a UDP socket is lost\" port=%u",
              u->bound.port);
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
    struct udp_socket *u = poll->data;

    (void)events;
    if (status < 0)
        go_on(u);
    for (int i = 0; i < UDP_TURNS && !u->closing; i++)
        if (!receive_batch(u))
            break;
}

/* What asks the kernel for the local address of each datagram. On a socket
 * that has one address there is nothing to ask. */
static void want_local(int fd, const struct udp_options *o)
{
    int on = 1;

    if (o->no_local || !gb_addr_is_any(&o->bind))
        return;
    if (o->bind.family == GB_IPV6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof(on));
    else
        setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof(on));
}

static size_t rcvbuf_of(int fd)
{
    int n = 0;
    socklen_t len = sizeof(n);

    getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &n, &len);
    return n > 0 ? (size_t)n / 2 : 0; /* it counts its own cost double */
}

static void want_rcvbuf(int fd, int bytes)
{
    static atomic_flag told = ATOMIC_FLAG_INIT;

    if (bytes == 0)
        return;
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)) != 0)
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
    if (rcvbuf_of(fd) >= (size_t)bytes || atomic_flag_test_and_set(&told))
        return;
    log_f(LOG_WARN, "msg=\"the kernel gives UDP sockets a small receive "
                    "buffer; bursts will be lost\" bytes=%zu wanted=%d "
                    "hint=\"sysctl -w net.core.rmem_max=%d\"",
          rcvbuf_of(fd), bytes, bytes);
}

static int open_fd(const struct udp_options *o, int *out, bool *joins)
{
    struct sockaddr_storage ss;
    socklen_t len = sockaddr_of(&ss, &o->bind, false);
    int on = 1, off = 0, fd;

    fd = socket(ss.ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -errno;
    if (ss.ss_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, o->v6only ? &on : &off,
                   sizeof(on));
    want_local(fd, o);
    setsockopt(fd, SOL_SOCKET, SO_RXQ_OVFL, &on, sizeof(on));
    if (o->reuse)
        setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
    want_rcvbuf(fd, o->rcvbuf_bytes);
    if (o->source.more)
        *joins = setsockopt(fd, IPPROTO_UDP, UDP_GRO, &on, sizeof(on)) == 0;
    if (bind(fd, (struct sockaddr *)&ss, len) != 0) {
        int err = -errno;

        close(fd);
        return err;
    }
    *out = fd;
    return 0;
}

int udp_open(struct udp_socket **out, uv_loop_t *loop,
             const struct udp_options *o)
{
    struct udp_socket *u = calloc(1, sizeof(*u));
    struct sockaddr_storage ss;
    socklen_t len = sizeof(ss);
    int err;

    if (!u)
        return UV_ENOMEM;
    err = open_fd(o, &u->fd, &u->joins);
    if (err) {
        free(u);
        return err;
    }
    u->o = *o;
    u->v6 = o->bind.family == GB_IPV6;
    getsockname(u->fd, (struct sockaddr *)&ss, &len);
    sockaddr_read(&u->bound, (struct sockaddr *)&ss);
    if (!o->no_local)
        u->to = u->bound;
    err = uv_poll_init(loop, &u->poll, u->fd);
    if (err) {
        close(u->fd);
        free(u);
        return err;
    }
    u->poll.data = u;
    uv_poll_start(&u->poll, UV_READABLE, on_readable);
    *out = u;
    return 0;
}

int udp_steer(const struct udp_socket *u, unsigned n)
{
    /* RTCP has its SSRC at 4, RTP at 8 (RFC 3550 §5.1, §6.4; RFC 5761 §4). A
     * load behind the end ends the program with 0. */
    struct sock_filter code[] = {
        { BPF_LD | BPF_B | BPF_ABS, 0, 0, 1 },
        { BPF_ALU | BPF_AND | BPF_K, 0, 0, 0xe0 },
        { BPF_JMP | BPF_JEQ | BPF_K, 0, 2, 0xc0 }, /* 192..223 */
        { BPF_LD | BPF_W | BPF_ABS, 0, 0, 4 },
        { BPF_JMP | BPF_JA, 0, 0, 1 },
        { BPF_LD | BPF_W | BPF_ABS, 0, 0, 8 },
        { BPF_ALU | BPF_MOD | BPF_K, 0, 0, n },
        { BPF_RET | BPF_A, 0, 0, 0 },
    };
    const struct sock_fprog program = {
        .len = sizeof(code) / sizeof(code[0]), .filter = code,
    };

    if (setsockopt(u->fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &program,
                   sizeof(program)) != 0)
        return -errno;
    return 0;
}

bool udp_joins(const struct udp_socket *u)
{
    return u->joins;
}

void udp_address(const struct udp_socket *u, struct gb_addr *a)
{
    *a = u->bound;
}

static bool make_out(struct udp_socket *u)
{
    if (u->out)
        return true;
    u->out = calloc(UDP_SEND_BATCH, sizeof(*u->out));
    u->slot = calloc(UDP_SEND_BATCH, sizeof(*u->slot));
    u->out_bytes = malloc(UDP_SEND_BYTES);
    if (u->out && u->slot && u->out_bytes)
        return true;
    free(u->out);
    free(u->slot);
    free(u->out_bytes);
    u->out = NULL;
    u->slot = NULL;
    u->out_bytes = NULL;
    return false;
}

static size_t write_control(struct udp_socket *u, struct send_slot *s,
                            const struct gb_addr *local)
{
    struct msghdr m = { .msg_control = s->ctrl, .msg_controllen = UDP_CTRL };
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);

    memset(s->ctrl, 0, UDP_CTRL);
    if (u->v6) {
        struct in6_pktinfo info = { .ipi6_ifindex = 0 };
        struct sockaddr_storage ss;

        sockaddr_of(&ss, local, true);
        memcpy(&info.ipi6_addr,
               (const char *)&ss + offsetof(struct sockaddr_in6, sin6_addr),
               sizeof(info.ipi6_addr));
        c->cmsg_level = IPPROTO_IPV6;
        c->cmsg_type = IPV6_PKTINFO;
        c->cmsg_len = CMSG_LEN(sizeof(info));
        memcpy(CMSG_DATA(c), &info, sizeof(info));
        return CMSG_SPACE(sizeof(info));
    } else {
        struct in_pktinfo info = { .ipi_ifindex = 0 };

        memcpy(&info.ipi_spec_dst, local->ip, 4);
        c->cmsg_level = IPPROTO_IP;
        c->cmsg_type = IP_PKTINFO;
        c->cmsg_len = CMSG_LEN(sizeof(info));
        memcpy(CMSG_DATA(c), &info, sizeof(info));
        return CMSG_SPACE(sizeof(info));
    }
}

uint8_t *udp_reserve(struct udp_socket *u, size_t n)
{
    if (n > UDP_SEND_BYTES || !make_out(u)) {
        u->send_errors++;
        return NULL;
    }
    if (u->n_out == UDP_SEND_BATCH || n > UDP_SEND_BYTES - u->out_len)
        udp_flush(u);
    return u->out_bytes + u->out_len;
}

void udp_commit(struct udp_socket *u, const struct gb_addr *local,
                const struct gb_addr *remote, size_t n)
{
    struct send_slot *s = &u->slot[u->n_out];
    struct msghdr *m = &u->out[u->n_out++].msg_hdr;

    s->iov = (struct iovec){ u->out_bytes + u->out_len, n };
    u->out_len += n;
    *m = (struct msghdr){ .msg_name = &s->to, .msg_iov = &s->iov,
                          .msg_iovlen = 1 };
    m->msg_namelen = sockaddr_of(&s->to, remote, u->v6);
    if (local && !gb_addr_is_any(local) && gb_addr_is_any(&u->bound)) {
        m->msg_controllen = write_control(u, s, local);
        m->msg_control = s->ctrl;
    }
}

void udp_send(struct udp_socket *u, const struct gb_addr *local,
              const struct gb_addr *remote, const void *p, size_t n)
{
    uint8_t *room = udp_reserve(u, n);

    if (!room)
        return;
    memcpy(room, p, n);
    udp_commit(u, local, remote, n);
}

void udp_flush(struct udp_socket *u)
{
    size_t at = 0;

    while (at < u->n_out) {
        int n = sendmmsg(u->fd, u->out + at, (unsigned)(u->n_out - at),
                         MSG_DONTWAIT);

        if (n > 0) {
            at += (size_t)n;
        } else if (errno != EINTR) {
            u->send_errors++; /* this one is lost, as UDP may lose it */
            at++;
        }
    }
    u->n_out = u->out_len = 0;
}

void udp_counters(const struct udp_socket *u, uint32_t *dropped,
                  uint32_t *send_errors)
{
    *dropped = u->dropped;
    *send_errors = u->send_errors;
}

static void on_closed(uv_handle_t *h)
{
    struct udp_socket *u = h->data;

    close(u->fd);
    if (u->own)
        munmap(u->own, (size_t)UDP_BATCH * UDP_OWN_STRIDE);
    free(u->out);
    free(u->slot);
    free(u->out_bytes);
    free(u);
}

void udp_close(struct udp_socket *u)
{
    if (!u || u->closing)
        return;
    udp_flush(u);
    u->closing = true;
    uv_close((uv_handle_t *)&u->poll, on_closed);
}
