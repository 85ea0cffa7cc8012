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
#include <errno.h>
#include <fcntl.h>
#include <dirent.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "app/net/sockaddr.h"
#include "sip/digest.h"
#include "sip/frame.h"
#include "sip/value.h"

#define MAX_DEVICES 1000000
#define MAX_SOURCES 20000
#define MAX_WINDOW 4096
#define MAX_PIDS 32
#define MAX_SAMPLES 64
#define MAX_NONCE 120
#define MAX_MESSAGE 1500
#define BATCH 64
#define T1_NS 500000000ull      /* after which a message is sent again, UDP */
#define GIVE_UP_NS 32000000000ull
#define LATENCIES (1u << 18)    /* the last so many are kept */
#define FLOOR_DEVICES 2000
#define FLOOR_COUNT 5000        /* transactions of a sample of the floor */
#define QUIET_NS 8000000000ull  /* without a query: the server has settled */
#define SOCKET_BUFFER (8 << 20)
#define TCP_BUFFER 65536

enum phase { PHASE_ASK, PHASE_CONTACT, PHASE_REFRESH, PHASE_LOGIN,
             PHASE_KEEPALIVE, PHASE_HOLD, PHASE_SETTLE, PHASE_COUNT };

static const char *const phase_name[PHASE_COUNT] = {
    "ask", "contact", "refresh", "login", "keepalive", "hold", "settle",
};

/* What the figure of a phase is called behind --name. */
static const char *const figure_name[PHASE_COUNT] = {
    "ask", "contact", "register", "login", "keepalive", "hold", "settle",
};

struct options {
    struct gb_addr server;
    const char *name, *server_id, *realm, *run;
    char password[128];
    bool tcp, is_floor;
    uint32_t devices, sources, addresses, window, count, samples, rate, hold_s,
        seconds, expires_s, first;
    pid_t pid[MAX_PIDS];
    size_t n_pids;
    struct gb_addr floor;
    pid_t floor_pid; /* 0: no floor */
};

struct load_device {
    struct sip_ha1 ha1;
    char nonce[MAX_NONCE];
    uint8_t nonce_len;
    bool qop, busy;
    uint32_t cseq, nc;
};

/* An open transaction. */
struct slot {
    uint32_t device, generation;
    uint8_t phase;
    bool open, authorized;
    uint16_t n;
    uint64_t begun_ns, sent_ns;
    char bytes[MAX_MESSAGE];
};

struct source {
    int fd;
    char local[GB_ADDR_TEXT_MAX]; /* ip:port */
    uint32_t out[MAX_WINDOW];     /* slots to send */
    size_t n_out;
    struct sip_frame frame;       /* TCP */
    char *in;
    size_t n_in;
};

struct load {
    struct options o;
    struct load_device *device;
    struct slot *slot;
    struct source *source;
    int epoll;
    uint32_t *free_slot, n_free;
    uint32_t next;                /* device */
    enum phase phase;
    uint64_t begun, target, done; /* transactions of this phase */
    uint64_t resent, stale, bad, asked;
    unsigned bad_status;
    double latency_us[LATENCIES];
    uint64_t n_latencies;
    uint64_t scan_ns;  /* when unanswered ones were last looked for */
    uint64_t asked_ns; /* the last query */
    uint32_t answers;  /* to queries, since the start */
    bool lost;
};

/* What one phase gives. */
struct samples {
    double us[MAX_SAMPLES], floor_us[MAX_SAMPLES], x[MAX_SAMPLES];
    double wall_s, cpu_s;
};

static uint64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void die(const char *what)
{
    fprintf(stderr, "sipload: %s%s%s\n", what, errno ? ": " : "",
            errno ? strerror(errno) : "");
    exit(1);
}

/* ---- the server's CPU --------------------------------------------------- */

static uint64_t thread_ns(const char *path)
{
    char text[128];
    struct slice s, head;
    uint64_t ns = 0;
    size_t n;
    FILE *f = fopen(path, "r");

    if (!f)
        return 0; /* it has ended meanwhile */
    n = fread(text, 1, sizeof(text), f);
    fclose(f);
    s = slice_of(text, n);
    slice_cut(&s, ' ', &head);
    (void)slice_u64(head, UINT64_MAX, &ns);
    return ns;
}

/* On the processor so far, all threads, ns; 0 without a --pid. */
static uint64_t server_ns(const struct options *o)
{
    uint64_t ns = 0;
    char path[300];

    for (size_t i = 0; i < o->n_pids; i++) {
        struct dirent *e;
        DIR *d;

        snprintf(path, sizeof(path), "/proc/%d/task", (int)o->pid[i]);
        d = opendir(path);
        if (!d)
            die("the server is gone");
        while ((e = readdir(d)) != NULL) {
            if (e->d_name[0] == '.')
                continue;
            snprintf(path, sizeof(path), "/proc/%d/task/%.20s/schedstat",
                     (int)o->pid[i], e->d_name);
            ns += thread_ns(path);
        }
        closedir(d);
    }
    return ns;
}

static double server_rss_mib(const struct options *o)
{
    double pages = 0;

    for (size_t i = 0; i < o->n_pids; i++) {
        char path[64], text[128];
        struct slice s, head;
        uint32_t n = 0;
        FILE *f;

        snprintf(path, sizeof(path), "/proc/%d/statm", (int)o->pid[i]);
        f = fopen(path, "r");
        if (!f)
            continue;
        s = slice_of(text, fread(text, 1, sizeof(text), f));
        fclose(f);
        slice_cut(&s, ' ', &head);
        slice_cut(&s, ' ', &head); /* the second number: resident */
        (void)slice_u32(head, UINT32_MAX, &n);
        pages += n;
    }
    return pages * (double)sysconf(_SC_PAGESIZE) / (1 << 20);
}

/* ---- messages ------------------------------------------------------------ */

static struct source *source_of(struct load *l, uint32_t device)
{
    return &l->source[device % l->o.sources];
}

static void write_id(struct writer *w, const struct load *l, uint32_t device)
{
    writer_slice_put(w, slice_head(slice_str(l->o.server_id), 10));
    writer_str(w, "132");
    writer_u64_pad(w, l->o.first + device, 7);
}

static void write_head(struct load *l, struct writer *w, const struct slot *s,
                       const char *method, bool to_server)
{
    const struct load_device *d = &l->device[s->device];
    const char *local = source_of(l, s->device)->local;

    writer_f(w, "%s sip:%s@%s SIP/2.0\r\nVia: SIP/2.0/%s %s;rport;branch="
                "z9hG4bK-%u-%u\r\nFrom: <sip:",
             method, l->o.server_id, l->o.realm, l->o.tcp ? "TCP" : "UDP",
             local, (unsigned)(s - l->slot), s->generation);
    write_id(w, l, s->device);
    writer_f(w, "@%s>;tag=8363%u\r\nTo: <sip:", l->o.realm, s->device);
    if (to_server)
        writer_str(w, l->o.server_id);
    else
        write_id(w, l, s->device);
    /* one Call-ID for all registrations of a device, RFC 3261 §10.2 */
    writer_f(w, "@%s>\r\nCall-ID: %c%u@%s\r\nCSeq: %u %s\r\n"
                "Max-Forwards: 70\r\nUser-Agent: sipload\r\n",
             l->o.realm, to_server ? 'm' : 'r', s->device, local, d->cseq,
             method);
}

static void write_authorization(struct load *l, struct writer *w,
                                uint32_t device)
{
    struct load_device *d = &l->device[device];
    char id[24], uri[128], nc[12], hex[SIP_DIGEST_HEX];
    struct writer wid = writer_of(id, sizeof(id));
    struct sip_credentials c = { .alg = SIP_DIGEST_MD5 };
    size_t n;

    write_id(&wid, l, device);
    snprintf(uri, sizeof(uri), "sip:%s@%s", l->o.server_id, l->o.realm);
    c.nonce = slice_of(d->nonce, d->nonce_len);
    c.uri = slice_str(uri);
    if (d->qop) {
        snprintf(nc, sizeof(nc), "%08x", ++d->nc);
        c.qop = SLICE("auth");
        c.cnonce = SLICE("0a4f113b");
        c.nc = slice_str(nc);
    }
    n = sip_digest_compute(&c, SLICE("REGISTER"), &d->ha1, hex);
    writer_f(w, "Authorization: Digest username=\"%.*s\", realm=\"%s\", "
                "nonce=\"%.*s\", uri=\"%s\", response=\"%.*s\", algorithm=MD5",
             SLICE_ARG(writer_slice(&wid)), l->o.realm, SLICE_ARG(c.nonce), uri,
             (int)n, hex);
    if (d->qop)
        writer_f(w, ", qop=auth, nc=%s, cnonce=\"%.*s\"", nc,
                 SLICE_ARG(c.cnonce));
    writer_str(w, "\r\n");
}

static void write_register(struct load *l, struct slot *s, struct writer *w)
{
    write_head(l, w, s, "REGISTER", false);
    writer_str(w, "Contact: <sip:");
    write_id(w, l, s->device);
    writer_f(w, "@%s>\r\n", source_of(l, s->device)->local);
    if (s->authorized)
        write_authorization(l, w, s->device);
    writer_f(w, "Expires: %u\r\nContent-Length: 0\r\n\r\n", l->o.expires_s);
}

static void write_keepalive(struct load *l, struct slot *s, struct writer *w)
{
    char text[256];
    struct writer body = writer_of(text, sizeof(text));

    writer_f(&body, "<?xml version=\"1.0\" encoding=\"GB2312\" ?>\r\n<Notify>"
                    "\r\n<CmdType>Keepalive</CmdType>\r\n<SN>%u</SN>\r\n"
                    "<DeviceID>",
             l->device[s->device].cseq);
    write_id(&body, l, s->device);
    writer_str(&body, "</DeviceID>\r\n<Status>OK</Status>\r\n</Notify>\r\n");
    write_head(l, w, s, "MESSAGE", true);
    writer_f(w, "Content-Type: Application/MANSCDP+xml\r\n"
                "Content-Length: %zu\r\n\r\n", body.len);
    writer_slice_put(w, writer_slice(&body));
}

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
            die("connection");
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
    struct source *src = source_of(l, s->device);
    struct writer w = writer_of(s->bytes, sizeof(s->bytes));

    s->generation++;
    l->device[s->device].cseq++;
    if (s->phase >= PHASE_KEEPALIVE)
        write_keepalive(l, s, &w);
    else
        write_register(l, s, &w);
    if (w.err)
        die("a message does not fit");
    s->n = (uint16_t)w.len;
    s->sent_ns = now_ns();
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
    s->begun_ns = now_ns();
    send_slot(l, s);
}

static void end_one(struct load *l, struct slot *s)
{
    l->latency_us[l->n_latencies++ % LATENCIES] =
        (double)(now_ns() - s->begun_ns) / 1e3;
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

static void send_now(const struct load *l, const struct source *src,
                     const struct writer *w)
{
    if (w->err)
        return;
    if (l->o.tcp)
        tcp_write(src, w->p, w->len);
    else
        (void)send(src->fd, w->p, w->len, MSG_DONTWAIT);
}

/* 200 to any request: the lines that every answer repeats. */
static void answer_ok(const struct load *l, const struct source *src,
                      struct slice bytes)
{
    static const char *const names[] = { "Via:", "From:", "Call-ID:", "CSeq:" };
    char text[2048];
    struct writer w = writer_of(text, sizeof(text));
    struct slice line;

    writer_str(&w, "SIP/2.0 200 OK\r\n");
    while (slice_cut(&bytes, '\n', &line) && line.n > 1) {
        for (size_t i = 0; i < 4; i++)
            if (slice_has_iprefix(line, slice_str(names[i])))
                writer_f(&w, "%.*s\n", SLICE_ARG(line));
        if (slice_has_iprefix(line, SLICE("To:")))
            writer_f(&w, "%.*s;tag=load\r\n", SLICE_ARG(slice_trim(line)));
    }
    writer_str(&w, "Content-Length: 0\r\n\r\n");
    send_now(l, src, &w);
}

/* What stands between <name> and the next '<'. */
static struct slice element(struct slice xml, const char *name)
{
    char tag[24];
    size_t at;

    snprintf(tag, sizeof(tag), "<%s>", name);
    at = slice_find_slice(xml, slice_str(tag));
    xml = slice_from(xml, at + strlen(tag));
    return slice_head(xml, slice_find(xml, '<'));
}

static void write_answer_body(struct writer *w, struct slice cmd,
                              struct slice sn, struct slice id)
{
    writer_f(w, "<?xml version=\"1.0\" encoding=\"GB2312\"?>\r\n<Response>\r\n"
                "<CmdType>%.*s</CmdType>\r\n<SN>%.*s</SN>\r\n"
                "<DeviceID>%.*s</DeviceID>\r\n",
             SLICE_ARG(cmd), SLICE_ARG(sn), SLICE_ARG(id));
    if (slice_eq(cmd, SLICE("Catalog")))
        writer_f(w, "<SumNum>1</SumNum>\r\n<DeviceList Num=\"1\">\r\n<Item>\r\n"
                    "<DeviceID>%.*s131%.*s</DeviceID>\r\n<Name>Camera 01</Name>"
                    "\r\n<Manufacturer>Load</Manufacturer>\r\n<Model>Load"
                    "</Model>\r\n<Owner>Owner</Owner>\r\n<CivilCode>340200"
                    "</CivilCode>\r\n<Address>Address</Address>\r\n<Parental>0"
                    "</Parental>\r\n<ParentID>%.*s</ParentID>\r\n<RegisterWay>1"
                    "</RegisterWay>\r\n<Secrecy>0</Secrecy>\r\n<Status>ON"
                    "</Status>\r\n</Item>\r\n</DeviceList>\r\n",
                 SLICE_ARG(slice_head(id, 10)), SLICE_ARG(slice_from(id, 13)),
                 SLICE_ARG(id));
    else
        writer_str(w, "<Result>OK</Result>\r\n<DeviceName>Camera</DeviceName>"
                      "\r\n<Manufacturer>Load</Manufacturer>\r\n<Model>Load"
                      "</Model>\r\n<Firmware>1.0</Firmware>\r\n<Channel>1"
                      "</Channel>\r\n");
    writer_str(w, "</Response>\r\n");
}

/* The Response of a device, once: lost is lost. */
static void answer_query(struct load *l, const struct source *src,
                         struct slice xml)
{
    struct slice cmd = element(xml, "CmdType"), id = element(xml, "DeviceID");
    char text[2048], buf[1200];
    struct writer w = writer_of(text, sizeof(text));
    struct writer body = writer_of(buf, sizeof(buf));

    if (id.n != 20 || (!slice_eq(cmd, SLICE("Catalog")) &&
                       !slice_eq(cmd, SLICE("DeviceInfo"))))
        return;
    write_answer_body(&body, cmd, element(xml, "SN"), id);
    l->answers++;
    writer_f(&w, "MESSAGE sip:%s@%s SIP/2.0\r\nVia: SIP/2.0/%s %s;rport;"
                 "branch=z9hG4bK-q%u\r\nFrom: <sip:%.*s@%s>;tag=q%u\r\n"
                 "To: <sip:%s@%s>\r\nCall-ID: q%u@%s\r\nCSeq: 1 MESSAGE\r\n"
                 "Max-Forwards: 70\r\nUser-Agent: sipload\r\n"
                 "Content-Type: Application/MANSCDP+xml\r\n"
                 "Content-Length: %zu\r\n\r\n",
             l->o.server_id, l->o.realm, l->o.tcp ? "TCP" : "UDP", src->local,
             l->answers, SLICE_ARG(id), l->o.realm, l->answers, l->o.server_id,
             l->o.realm, l->answers, src->local, body.len);
    writer_slice_put(&w, writer_slice(&body));
    send_now(l, src, &w);
}

static void on_request(struct load *l, const struct source *src,
                       struct slice bytes)
{
    if (slice_has_prefix(bytes, SLICE("ACK ")))
        return;
    l->asked++;
    l->asked_ns = now_ns();
    answer_ok(l, src, bytes);
    if (slice_has_prefix(bytes, SLICE("MESSAGE ")))
        answer_query(l, src,
                     slice_from(bytes, slice_find_slice(bytes,
                                                        SLICE("\r\n\r\n"))));
}

static void on_message(struct load *l, struct source *src, struct slice bytes)
{
    if (slice_has_prefix(bytes, SLICE("SIP/2.0 ")))
        on_response(l, bytes);
    else if (bytes.n > SIP_MIN_MESSAGE)
        on_request(l, src, bytes);
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
        die("the server closed a connection");
    src->n_in += n > 0 ? (size_t)n : 0;
    while (!err) {
        err = sip_frame_next(&src->frame,
                             slice_of(src->in + at, src->n_in - at), &cut);
        if (!err && cut.kind == SIP_CUT_MESSAGE)
            on_message(l, src, cut.bytes);
        at += cut.used;
    }
    if (err != GB_EAGAIN)
        die("a broken stream");
    memmove(src->in, src->in + at, src->n_in - at);
    src->n_in -= at;
}

/* ---- the loop ------------------------------------------------------------- */

static void resend(struct load *l)
{
    uint64_t now = now_ns();

    for (uint32_t i = 0; i < l->o.window; i++) {
        struct slot *s = &l->slot[i];
        struct source *src;

        if (!s->open)
            continue;
        if (now - s->begun_ns > GIVE_UP_NS)
            l->lost = true;
        if (l->o.tcp || now - s->sent_ns < T1_NS)
            continue;
        src = source_of(l, s->device);
        s->sent_ns = now;
        l->resent++;
        src->out[src->n_out++] = i;
        if (src->n_out == MAX_WINDOW)
            flush(l, src);
    }
}

/* How many may have begun by now; rate 0: any number. */
static uint64_t allowed(const struct load *l, uint64_t begin_ns, uint32_t rate)
{
    if (rate == 0)
        return l->target;
    return (uint64_t)((double)(now_ns() - begin_ns) / 1e9 * rate) + 1;
}

static void turn(struct load *l, uint64_t may_begin)
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

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static void print_raw(const struct load *l, const char *what, const char *unit,
                      double *v)
{
    size_t n = l->o.samples;
    const char *phase = figure_name[l->phase];

    printf("# %s.%s.%s raw", l->o.name, phase, what);
    for (size_t i = 0; i < n; i++)
        printf(" %.2f", v[i]);
    qsort(v, n, sizeof(v[0]), by_value);
    printf("\nfigure %s.%s.%s %.2f %s\n", l->o.name, phase, what,
           n % 2 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2, unit);
}

static void print_summary(struct load *l, const struct samples *v)
{
    size_t kept = l->n_latencies < LATENCIES ? l->n_latencies : LATENCIES;

    qsort(l->latency_us, kept, sizeof(double), by_value);
    printf("# %s.%s: %llu transactions in %.1f s; %llu sent again, %llu stale, "
           "%llu queries; half within %.0f us, 99 %% within %.0f us; server "
           "CPU %.1f s, RSS %.1f MiB\n",
           l->o.name, figure_name[l->phase], (unsigned long long)l->done,
           v->wall_s, (unsigned long long)l->resent,
           (unsigned long long)l->stale, (unsigned long long)l->asked,
           kept ? l->latency_us[kept / 2] : 0,
           kept ? l->latency_us[kept * 99 / 100] : 0, v->cpu_s,
           server_rss_mib(&l->o));
    if (l->bad)
        printf("# %s.%s: %llu bad answers, the last one %u: no figure\n",
               l->o.name, figure_name[l->phase], (unsigned long long)l->bad,
               l->bad_status);
}

static void print_phase(struct load *l, struct samples *v)
{
    print_summary(l, v);
    if (l->bad || l->o.n_pids == 0 || l->phase == PHASE_ASK)
        return;
    if (l->phase == PHASE_HOLD) {
        printf("figure %s.cpu.percent %.2f %%\nfigure %s.rss.mib %.1f MiB\n",
               l->o.name, v->cpu_s / v->wall_s * 100, l->o.name,
               server_rss_mib(&l->o));
        return;
    }
    print_raw(l, "us", "us", v->us);
    if (!l->o.floor_pid)
        return;
    print_raw(l, "floor.us", "us", v->floor_us);
    print_raw(l, "x", "ratio", v->x);
}

static void begin_phase(struct load *l, enum phase phase)
{
    l->phase = phase;
    l->begun = l->done = l->target = l->resent = l->stale = l->bad = 0;
    l->asked = l->n_latencies = 0;
    l->next = 0;
}

/* n transactions more. begin_ns: when the phase began, for the rate. */
static int run_some(struct load *l, uint64_t n, uint64_t begin_ns,
                    uint32_t rate)
{
    l->target += n;
    while (l->done < l->target) {
        uint64_t now;

        turn(l, allowed(l, begin_ns, rate));
        now = now_ns();
        if (now - l->scan_ns > T1_NS / 5) {
            l->scan_ns = now;
            resend(l);
        }
        if (l->lost || now - begin_ns > l->o.seconds * 1000000000ull) {
            printf("# %s: %s after %llu transactions\n", phase_name[l->phase],
                   l->lost ? "no answer" : "out of time",
                   (unsigned long long)l->done);
            return 1;
        }
    }
    return 0;
}

/* CPU us of one transaction of the floor; a login is two of them. */
static double floor_us(struct load *f, enum phase phase)
{
    uint64_t cpu;

    if (phase != f->phase)
        begin_phase(f, phase);
    cpu = server_ns(&f->o);
    if (run_some(f, FLOOR_COUNT, now_ns(), 0) || f->bad)
        die("the floor does not answer");
    return (double)(server_ns(&f->o) - cpu) / 1e3 / FLOOR_COUNT *
           (phase == PHASE_LOGIN ? 2 : 1);
}

/* n transactions in o.samples samples. What the server does between them, it
 * does for them too. f: the floor, or NULL. */
static int run_phase(struct load *l, struct load *f, enum phase phase,
                     uint64_t n, uint32_t rate)
{
    static struct samples v;
    uint64_t begin = now_ns(), first = server_ns(&l->o), cpu = first, next;
    double before = f ? floor_us(f, phase) : 0;

    begin_phase(l, phase);
    for (size_t i = 0; i < l->o.samples; i++) {
        uint64_t some = n * (i + 1) / l->o.samples - n * i / l->o.samples;
        double after;

        if (run_some(l, some, begin, rate))
            return 1;
        next = server_ns(&l->o);
        after = f ? floor_us(f, phase) : 0;
        v.us[i] = (double)(next - cpu) / 1e3 / (double)some;
        v.floor_us[i] = (before + after) / 2;
        v.x[i] = f ? v.us[i] / v.floor_us[i] : 0;
        before = after;
        cpu = next;
    }
    v.wall_s = (double)(now_ns() - begin) / 1e9;
    v.cpu_s = (double)(server_ns(&l->o) - first) / 1e9;
    print_phase(l, &v);
    fflush(stdout);
    return l->bad ? 1 : 0;
}

static int settle(struct load *l)
{
    uint64_t begin = now_ns(), end = begin + l->o.seconds * 1000000000ull;
    uint64_t cpu = server_ns(&l->o);
    struct samples v = { .wall_s = 0 };

    begin_phase(l, PHASE_SETTLE);
    l->asked_ns = begin;
    while (now_ns() - l->asked_ns < QUIET_NS && now_ns() < end)
        turn(l, 0);
    v.wall_s = (double)(now_ns() - begin) / 1e9;
    v.cpu_s = (double)(server_ns(&l->o) - cpu) / 1e9;
    print_summary(l, &v);
    fflush(stdout);
    return 0;
}

static int run_named(struct load *l, struct load *f, enum phase p)
{
    switch (p) {
    case PHASE_CONTACT:
        return run_phase(l, f, p, l->o.devices, l->o.rate);
    case PHASE_SETTLE:
        return settle(l);
    case PHASE_HOLD:
        return run_phase(l, NULL, p, (uint64_t)l->o.devices * l->o.hold_s / 60,
                         (l->o.devices + 59) / 60);
    default:
        return run_phase(l, f, p, l->o.count, l->o.rate);
    }
}

static int run(struct load *l, struct load *f)
{
    struct slice rest = slice_str(l->o.run), word;
    bool asked = false, more = true;
    int err = 0;

    while (more && !err) {
        unsigned p = PHASE_CONTACT;

        more = slice_cut(&rest, ',', &word);
        while (p < PHASE_COUNT && !slice_eq(word, slice_str(phase_name[p])))
            p++;
        if (p == PHASE_COUNT)
            return EX_USAGE;
        if (!asked && p <= PHASE_REFRESH) {
            asked = true;
            err = run_phase(l, NULL, PHASE_ASK, l->o.devices, 0);
            if (f && !err)
                err = run_phase(f, NULL, PHASE_ASK, f->o.devices, 0);
        }
        if (!err)
            err = run_named(l, f, (enum phase)p);
    }
    return err;
}

/* ---- start ---------------------------------------------------------------- */

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
        die("socket");
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
        die("bind");
    len = sockaddr_of(&sa, &l->o.server, false);
    if (connect(src->fd, (struct sockaddr *)&sa, len))
        die("connect");
    len = sizeof(sa);
    getsockname(src->fd, (struct sockaddr *)&sa, &len);
    sockaddr_read(&local, (struct sockaddr *)&sa);
    gb_addr_text(&local, src->local);
    fcntl(src->fd, F_SETFL, O_NONBLOCK);
    if (epoll_ctl(l->epoll, EPOLL_CTL_ADD, src->fd, &ev))
        die("epoll");
}

static void open_all(struct load *l)
{
    struct rlimit files = { l->o.sources + 64, l->o.sources + 64 };

    if (l->o.sources > 900 && setrlimit(RLIMIT_NOFILE, &files))
        die("too many --sources for this user");
    l->device = calloc(l->o.devices, sizeof(*l->device));
    l->slot = calloc(l->o.window, sizeof(*l->slot));
    l->free_slot = calloc(l->o.window, sizeof(*l->free_slot));
    l->source = calloc(l->o.sources, sizeof(*l->source));
    l->epoll = epoll_create1(0);
    if (!l->device || !l->slot || !l->free_slot || !l->source || l->epoll < 0)
        die("start");
    for (uint32_t i = 0; i < l->o.sources; i++)
        open_source(l, i);
    for (uint32_t i = 0; i < l->o.window; i++)
        l->free_slot[l->n_free++] = i;
    for (uint32_t i = 0; i < l->o.devices; i++) {
        char id[24];
        struct writer w = writer_of(id, sizeof(id));

        write_id(&w, l, i);
        sip_ha1_make(&l->device[i].ha1, SIP_DIGEST_MD5, writer_slice(&w),
                     slice_str(l->o.realm), slice_str(l->o.password));
    }
}

static const char usage[] =
    "usage: sipload --server 127.0.0.1:PORT --password P [options]\n"
    "  --run LIST       of contact refresh login keepalive settle hold\n"
    "                   (contact,refresh,login,keepalive)\n"
    "  --pid P[,P]      processes whose CPU is counted\n"
    "  --devices N      (100000)   --sources N    sockets (16)\n"
    "  --count N        transactions of a phase (100000)\n"
    "  --addresses N    of 127.0.0.0/16 that the sources have (1)\n"
    "  --window N       transactions open at a time (64)\n"
    "  --rate N         transactions begun a second, at most (0: no bound)\n"
    "  --samples N      of a phase (10)  --seconds N  longest phase (240)\n"
    "  --hold N         seconds of the phase hold (60)\n"
    "  --first N        number of the first device (0)\n"
    "  --transport udp|tcp   --id SERVER-ID   --realm R   --expires N (3600)\n"
    "  --name NAME      of the figures: NAME.register.us ... (sip)\n"
    "  --floor PORT,PID sipfloor on 127.0.0.1, for the ratios NAME.register.x\n"
    "A password @FILE is read from the file. Only servers on this machine.\n";

enum { OPT_SERVER = 256, OPT_PASSWORD, OPT_RUN, OPT_PID, OPT_TRANSPORT, OPT_ID,
       OPT_REALM, OPT_NAME, OPT_FLOOR, OPT_DEVICES, OPT_SOURCES, OPT_COUNT,
       OPT_ADDRESSES, OPT_WINDOW, OPT_RATE, OPT_SAMPLES, OPT_SECONDS, OPT_HOLD,
       OPT_FIRST, OPT_EXPIRES };

static const struct option longs[] = {
    { "server", required_argument, NULL, OPT_SERVER },
    { "password", required_argument, NULL, OPT_PASSWORD },
    { "run", required_argument, NULL, OPT_RUN },
    { "pid", required_argument, NULL, OPT_PID },
    { "transport", required_argument, NULL, OPT_TRANSPORT },
    { "id", required_argument, NULL, OPT_ID },
    { "realm", required_argument, NULL, OPT_REALM },
    { "name", required_argument, NULL, OPT_NAME },
    { "floor", required_argument, NULL, OPT_FLOOR },
    { "devices", required_argument, NULL, OPT_DEVICES },
    { "sources", required_argument, NULL, OPT_SOURCES },
    { "count", required_argument, NULL, OPT_COUNT },
    { "addresses", required_argument, NULL, OPT_ADDRESSES },
    { "window", required_argument, NULL, OPT_WINDOW },
    { "rate", required_argument, NULL, OPT_RATE },
    { "samples", required_argument, NULL, OPT_SAMPLES },
    { "seconds", required_argument, NULL, OPT_SECONDS },
    { "hold", required_argument, NULL, OPT_HOLD },
    { "first", required_argument, NULL, OPT_FIRST },
    { "expires", required_argument, NULL, OPT_EXPIRES },
    { "help", no_argument, NULL, 'h' },
    { NULL, 0, NULL, 0 },
};

static bool read_password(struct options *o, const char *arg)
{
    size_t n;
    FILE *f;

    if (arg[0] != '@')
        return slice_copy(o->password, sizeof(o->password), slice_str(arg));
    f = fopen(arg + 1, "r");
    if (!f)
        die(arg + 1);
    n = fread(o->password, 1, sizeof(o->password) - 1, f);
    fclose(f);
    n = slice_find(slice_of(o->password, n), '\n');
    o->password[n] = '\0';
    return true;
}

static bool read_pids(struct options *o, const char *arg)
{
    struct slice rest = slice_str(arg), word;
    bool more = true;
    uint32_t pid;

    while (more && o->n_pids < MAX_PIDS) {
        more = slice_cut(&rest, ',', &word);
        if (!slice_u32(word, INT32_MAX, &pid))
            return false;
        o->pid[o->n_pids++] = (pid_t)pid;
    }
    return true;
}

static bool read_floor(struct options *o, const char *arg)
{
    struct slice rest = slice_str(arg), port;
    uint32_t n, pid;

    slice_cut(&rest, ',', &port);
    if (!slice_u32(port, 65535, &n) || !slice_u32(rest, INT32_MAX, &pid))
        return false;
    o->floor = (struct gb_addr){ GB_IPV4, { 127, 0, 0, 1 }, (uint16_t)n };
    o->floor_pid = (pid_t)pid;
    return pid > 0;
}

static bool parse_text(struct options *o, int c, const char *arg)
{
    switch (c) {
    case OPT_SERVER:
        return gb_addr_parse(&o->server, slice_str(arg), 5060) == 0;
    case OPT_PASSWORD:
        return read_password(o, arg);
    case OPT_RUN:
        o->run = arg;
        return true;
    case OPT_PID:
        return read_pids(o, arg);
    case OPT_TRANSPORT:
        o->tcp = strcmp(arg, "tcp") == 0;
        return o->tcp || strcmp(arg, "udp") == 0;
    case OPT_ID:
        o->server_id = arg;
        return strlen(arg) == 20;
    case OPT_REALM:
        o->realm = arg;
        return true;
    case OPT_NAME:
        o->name = arg;
        return true;
    case OPT_FLOOR:
        return read_floor(o, arg);
    default:
        return false;
    }
}

static bool parse_number(struct options *o, int c, const char *arg)
{
    const struct {
        int option;
        uint32_t *value, min, max;
    } numbers[] = {
        { OPT_DEVICES, &o->devices, 1, MAX_DEVICES },
        { OPT_SOURCES, &o->sources, 1, MAX_SOURCES },
        { OPT_COUNT, &o->count, MAX_SAMPLES, 100000000 },
        { OPT_ADDRESSES, &o->addresses, 1, MAX_SOURCES },
        { OPT_WINDOW, &o->window, 1, MAX_WINDOW },
        { OPT_RATE, &o->rate, 0, 1000000 },
        { OPT_SAMPLES, &o->samples, 5, MAX_SAMPLES },
        { OPT_SECONDS, &o->seconds, 1, 3600 },
        { OPT_HOLD, &o->hold_s, 1, 3600 },
        { OPT_FIRST, &o->first, 0, 9999999 - MAX_DEVICES },
        { OPT_EXPIRES, &o->expires_s, 60, 1000000 },
    };

    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        if (numbers[i].option == c)
            return slice_u32(slice_str(arg), numbers[i].max,
                             numbers[i].value) &&
                   *numbers[i].value >= numbers[i].min;
    return false;
}

static int parse_options(struct options *o, int argc, char **argv)
{
    int c;

    *o = (struct options){
        .name = "sip", .server_id = "34020000002000000001",
        .realm = "3402000000", .run = "contact,refresh,login,keepalive",
        .devices = 100000, .sources = 16, .addresses = 1, .window = 64,
        .count = 100000, .samples = 10, .hold_s = 60, .seconds = 240,
        .expires_s = 3600,
    };
    while ((c = getopt_long(argc, argv, "h", longs, NULL)) != -1) {
        if (c == 'h') {
            fputs(usage, stdout);
            exit(0);
        }
        if (c == '?' || !(c <= OPT_FLOOR ? parse_text(o, c, optarg)
                                         : parse_number(o, c, optarg)))
            return EX_USAGE;
    }
    if (o->window > o->devices / 2 + 1)
        o->window = o->devices / 2 + 1; /* each device has one at a time */
    if (o->sources > o->devices)
        o->sources = o->devices;
    if (o->server.family != GB_IPV4 || o->server.ip[0] != 127) {
        fputs("sipload: --server must be an address of 127.0.0.0/8\n", stderr);
        return EX_USAGE;
    }
    return 0;
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
    int err = parse_options(&l.o, argc, argv);

    if (!err) {
        open_all(&l);
        if (l.o.floor_pid) {
            f.o = floor_options(&l.o);
            open_all(&f);
        }
        err = run(&l, l.o.floor_pid ? &f : NULL);
    }
    if (err == EX_USAGE)
        fputs(usage, stderr);
    return err;
}
