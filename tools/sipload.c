/* tools/sipload.c - devices by the hundred thousand against a SIP server on
 * this machine: what does a transaction cost the server?
 *
 * A closed loop: --window transactions are open at any time, sent and received
 * in batches. One process plays all devices, over --sources sockets, each
 * device always from the same one. --run names phases that follow one another:
 *
 *     contact    each device registers for the first time: one REGISTER with
 *                the digest of a challenge that it was given before (the asking
 *                is not measured)
 *     refresh    a REGISTER with the digest of that same challenge
 *     login      REGISTER, 401, REGISTER with digest, 200: both count as one
 *     keepalive  MESSAGE, whose DeviceID is the sender's
 *     settle     waits until the server has no queries any more
 *     hold       keepalives of every device once a minute, for --hold seconds
 *
 * The CPU is that of every thread of --pid, from /proc/PID/task/TID/schedstat.
 * With --floor every sample stands between two of the floor program in the same
 * phase, and its ratio is to their mean. Catalog and DeviceInfo queries of the
 * server are answered as a camera with one channel does. */
#include "tools/load/load.h"

#include "app/net/sockaddr.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

/* ---- sending ------------------------------------------------------------- */

static void tcp_write(const struct source *src, const char *p, size_t n)
{
    while (n) {
        ssize_t got = send(src->fd, p, n, MSG_NOSIGNAL);

        if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
            struct timespec ms = { 0, 1000000 };

            nanosleep(&ms, NULL);
            continue;
        }
        if (got < 0)
            load_die("connection");
        p += got;
        n -= (size_t)got;
    }
}

static void flush(struct load *l, struct source *src)
{
    size_t at = 0;

    while (at < src->n_out) {
        struct mmsghdr msg[BATCH] = { 0 };
        struct iovec iov[BATCH];
        size_t n = src->n_out - at < BATCH ? src->n_out - at : BATCH;
        int sent;

        for (size_t i = 0; i < n; i++) {
            struct slot *s = &l->slot[src->out[at + i]];

            iov[i] = (struct iovec){ s->bytes, s->n };
            msg[i].msg_hdr.msg_iov = &iov[i];
            msg[i].msg_hdr.msg_iovlen = 1;
            if (l->o.tcp)
                tcp_write(src, s->bytes, s->n);
        }
        sent = l->o.tcp ? (int)n : sendmmsg(src->fd, msg, (unsigned)n, 0);
        if (sent <= 0 && errno != EINTR && errno != ECONNREFUSED)
            break; /* a full buffer: they are sent again after T1 */
        at += sent > 0 ? (size_t)sent : 0;
    }
    src->n_out = 0;
}

/* Writes the message of s and puts it out; a new branch. */
static void send_slot(struct load *l, struct slot *s)
{
    struct source *src = load_source_of(l, s->device);
    struct writer w = writer_of(s->bytes, sizeof(s->bytes));

    s->generation++;
    l->device[s->device].cseq++;
    if (s->phase >= PHASE_KEEPALIVE)
        load_write_keepalive(l, s, &w);
    else
        load_write_register(l, s, &w);
    if (w.err)
        load_die("a message does not fit");
    s->n = (uint16_t)w.len;
    s->sent_ns = load_now_ns();
    src->out[src->n_out++] = (uint32_t)(s - l->slot);
    if (src->n_out == MAX_WINDOW)
        flush(l, src);
}

static void begin_one(struct load *l)
{
    struct slot *s;
    uint32_t device;

    while (l->device[device = l->next++ % l->o.devices].busy)
        ;
    s = &l->slot[l->free_slot[--l->n_free]];
    l->device[device].busy = true;
    l->begun++;
    s->device = device;
    s->phase = (uint8_t)l->phase;
    s->open = true;
    s->authorized = l->phase == PHASE_CONTACT || l->phase == PHASE_REFRESH;
    s->begun_ns = load_now_ns();
    send_slot(l, s);
}

static void end_one(struct load *l, struct slot *s)
{
    l->latency_us[l->n_latencies++ % LATENCIES] =
        (double)(load_now_ns() - s->begun_ns) / 1e3;
    l->device[s->device].busy = false;
    s->open = false;
    l->free_slot[l->n_free++] = (uint32_t)(s - l->slot);
    l->done++;
}

/* ---- receiving ----------------------------------------------------------- */

/* Keeps the challenge of a 401; false: none that we can answer. */
static bool keep_challenge(struct load_device *d, struct slice bytes)
{
    static struct sip_msg m;
    const struct sip_field *f;
    struct sip_challenge c;

    if (sip_msg_parse(&m, bytes, SIP_DATAGRAM, NULL))
        return false;
    for (f = sip_msg_field(&m, SIP_HDR_WWW_AUTHENTICATE); f;
         f = sip_field_next(&m, f)) {
        if (sip_challenge_parse(&c, f->value) || c.alg != SIP_DIGEST_MD5 ||
            c.nonce.n > MAX_NONCE || c.qop_other)
            continue;
        memcpy(d->nonce, c.nonce.p, c.nonce.n);
        d->nonce_len = (uint8_t)c.nonce.n;
        d->qop = c.qop_auth;
        d->nc = 0;
        return true;
    }
    return false;
}

static void on_challenge(struct load *l, struct slot *s, struct slice bytes)
{
    if (!keep_challenge(&l->device[s->device], bytes)) {
        l->bad++;
        l->bad_status = 401;
        end_one(l, s);
        return;
    }
    if (s->phase == PHASE_ASK) {
        end_one(l, s);
        return;
    }
    if (s->authorized) /* ours was too old */
        l->stale++;
    s->authorized = true;
    send_slot(l, s);
}

static void on_final(struct load *l, struct slot *s, unsigned status,
                     struct slice bytes)
{
    struct load_device *d = &l->device[s->device];

    if (l->o.is_floor && s->phase == PHASE_ASK && status == 200) {
        memset(d->nonce, 'f', SIP_NONCE_LEN); /* it challenges nobody */
        d->nonce_len = SIP_NONCE_LEN;
        end_one(l, s);
    } else if (status == 401 && s->phase < PHASE_KEEPALIVE) {
        on_challenge(l, s, bytes);
    } else {
        if (status != 200 || s->phase == PHASE_ASK) {
            l->bad++;
            l->bad_status = status;
        }
        end_one(l, s);
    }
}

/* The number that stands at p, as branches of ours have it. */
static struct slice cut_number(struct slice s, uint32_t *v)
{
    size_t n = 0;

    while (n < s.n && ascii_is_digit(s.p[n]))
        n++;
    if (!slice_u32(slice_head(s, n), UINT32_MAX, v))
        *v = UINT32_MAX;
    return slice_from(s, n + 1);
}

static void on_response(struct load *l, struct slice bytes)
{
    struct slice s = slice_from(bytes, slice_find_slice(bytes,
                                                        SLICE("z9hG4bK-")));
    uint32_t index, generation, status;

    s = cut_number(slice_from(s, 8), &index);
    (void)cut_number(s, &generation);
    if (!slice_u32(slice_head(slice_from(bytes, 8), 3), 699, &status) ||
        status < 200 || index >= l->o.window || !l->slot[index].open ||
        l->slot[index].generation != generation)
        return; /* 1xx, or the answer to a copy */
    on_final(l, &l->slot[index], status, bytes);
}

void load_send(const struct load *l, const struct source *src,
                     const struct writer *w)
{
    if (w->err)
        return;
    if (l->o.tcp)
        tcp_write(src, w->p, w->len);
    else
        (void)send(src->fd, w->p, w->len, MSG_DONTWAIT);
}

static void on_message(struct load *l, struct source *src, struct slice bytes)
{
    if (slice_has_prefix(bytes, SLICE("SIP/2.0 ")))
        on_response(l, bytes);
    else if (bytes.n > SIP_MIN_MESSAGE)
        load_on_request(l, src, bytes);
}

static void read_udp(struct load *l, struct source *src)
{
    static char bytes[BATCH][4096];
    struct mmsghdr msg[BATCH] = { 0 };
    struct iovec iov[BATCH];
    int n;

    for (size_t i = 0; i < BATCH; i++) {
        iov[i] = (struct iovec){ bytes[i], sizeof(bytes[i]) };
        msg[i].msg_hdr.msg_iov = &iov[i];
        msg[i].msg_hdr.msg_iovlen = 1;
    }
    do {
        n = recvmmsg(src->fd, msg, BATCH, MSG_DONTWAIT, NULL);
        for (int i = 0; i < n; i++)
            on_message(l, src, slice_of(bytes[i], msg[i].msg_len));
    } while (n == BATCH);
}

static void read_tcp(struct load *l, struct source *src)
{
    ssize_t n = recv(src->fd, src->in + src->n_in, TCP_BUFFER - src->n_in, 0);
    size_t at = 0;
    struct sip_cut cut;
    int err = 0;

    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
        load_die("the server closed a connection");
    src->n_in += n > 0 ? (size_t)n : 0;
    while (!err) {
        err = sip_frame_next(&src->frame,
                             slice_of(src->in + at, src->n_in - at), &cut);
        if (!err && cut.kind == SIP_CUT_MESSAGE)
            on_message(l, src, cut.bytes);
        at += cut.used;
    }
    if (err != GB_EAGAIN)
        load_die("a broken stream");
    memmove(src->in, src->in + at, src->n_in - at);
    src->n_in -= at;
}

/* ---- the loop ------------------------------------------------------------ */

void load_resend(struct load *l)
{
    uint64_t now = load_now_ns();

    for (uint32_t i = 0; i < l->o.window; i++) {
        struct slot *s = &l->slot[i];
        struct source *src;

        if (!s->open)
            continue;
        if (now - s->begun_ns > GIVE_UP_NS)
            l->lost = true;
        if (l->o.tcp || now - s->sent_ns < T1_NS)
            continue;
        src = load_source_of(l, s->device);
        s->sent_ns = now;
        l->resent++;
        src->out[src->n_out++] = i;
        if (src->n_out == MAX_WINDOW)
            flush(l, src);
    }
}

void load_turn(struct load *l, uint64_t may_begin)
{
    struct epoll_event ev[BATCH];
    int n;

    while (l->n_free && l->begun < l->target && l->begun < may_begin)
        begin_one(l);
    for (uint32_t i = 0; i < l->o.sources; i++)
        if (l->source[i].n_out)
            flush(l, &l->source[i]);
    n = epoll_wait(l->epoll, ev, BATCH, 2);
    for (int i = 0; i < n; i++) {
        struct source *src = &l->source[ev[i].data.u32];

        if (l->o.tcp)
            read_tcp(l, src);
        else
            read_udp(l, src);
    }
}

/* ---- start --------------------------------------------------------------- */

static void open_source(struct load *l, uint32_t i)
{
    struct source *src = &l->source[i];
    struct gb_addr local = { .family = GB_IPV4, .ip = { 127, 0, 0, 1 } };
    struct sockaddr_storage sa;
    socklen_t len;
    int size = SOCKET_BUFFER, on = 1;
    struct epoll_event ev = { .events = EPOLLIN, .data.u32 = i };

    local.ip[2] = (uint8_t)(i % l->o.addresses / 250);
    local.ip[3] = (uint8_t)(1 + i % l->o.addresses % 250);
    src->fd = socket(AF_INET, l->o.tcp ? SOCK_STREAM : SOCK_DGRAM, 0);
    if (src->fd < 0)
        load_die("socket");
    if (l->o.tcp) {
        setsockopt(src->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        sip_frame_init(&src->frame);
        src->in = malloc(TCP_BUFFER);
    } else if (setsockopt(src->fd, SOL_SOCKET, SO_RCVBUFFORCE, &size,
                          sizeof(size))) {
        setsockopt(src->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
    }
    len = sockaddr_of(&sa, &local, false);
    if (bind(src->fd, (struct sockaddr *)&sa, len))
        load_die("bind");
    len = sockaddr_of(&sa, &l->o.server, false);
    if (connect(src->fd, (struct sockaddr *)&sa, len))
        load_die("connect");
    len = sizeof(sa);
    getsockname(src->fd, (struct sockaddr *)&sa, &len);
    sockaddr_read(&local, (struct sockaddr *)&sa);
    gb_addr_text(&local, src->local);
    fcntl(src->fd, F_SETFL, O_NONBLOCK);
    if (epoll_ctl(l->epoll, EPOLL_CTL_ADD, src->fd, &ev))
        load_die("epoll");
}

static void open_all(struct load *l)
{
    struct rlimit files = { l->o.sources + 64, l->o.sources + 64 };

    if (l->o.sources > 900 && setrlimit(RLIMIT_NOFILE, &files))
        load_die("too many --sources for this user");
    l->device = calloc(l->o.devices, sizeof(*l->device));
    l->slot = calloc(l->o.window, sizeof(*l->slot));
    l->free_slot = calloc(l->o.window, sizeof(*l->free_slot));
    l->source = calloc(l->o.sources, sizeof(*l->source));
    l->epoll = epoll_create1(0);
    if (!l->device || !l->slot || !l->free_slot || !l->source || l->epoll < 0)
        load_die("start");
    for (uint32_t i = 0; i < l->o.sources; i++)
        open_source(l, i);
    for (uint32_t i = 0; i < l->o.window; i++)
        l->free_slot[l->n_free++] = i;
    for (uint32_t i = 0; i < l->o.devices; i++) {
        char id[24];
        struct writer w = writer_of(id, sizeof(id));

        load_write_id(&w, l, i);
        sip_ha1_make(&l->device[i].ha1, SIP_DIGEST_MD5, writer_slice(&w),
                     slice_str(l->o.realm), slice_str(l->o.password));
    }
}

/* The same devices, fewer of them, before the floor. */
static struct options floor_options(const struct options *o)
{
    struct options f = *o;

    f.name = "floor";
    f.is_floor = true;
    f.tcp = false;
    f.server = o->floor;
    f.pid[0] = o->floor_pid;
    f.n_pids = 1;
    f.floor_pid = 0;
    if (f.devices > FLOOR_DEVICES)
        f.devices = FLOOR_DEVICES;
    if (f.window > f.devices / 2 + 1)
        f.window = f.devices / 2 + 1;
    if (f.sources > 16)
        f.sources = 16;
    return f;
}

int main(int argc, char **argv)
{
    static struct load l, f;
    int err = load_parse_options(&l.o, argc, argv);

    if (!err) {
        open_all(&l);
        if (l.o.floor_pid) {
            f.o = floor_options(&l.o);
            open_all(&f);
        }
        err = load_run(&l, l.o.floor_pid ? &f : NULL);
    }
    if (err == EX_USAGE)
        fputs(load_usage, stderr);
    return err;
}
