#include "app/rtsp/push.h"

#include "app/media/rtmp.h"
#include "app/net/random.h"
#include "app/net/sockaddr.h"
#include "app/rtsp/announce.h"

#include <stdatomic.h>
#include <stdlib.h>

/* TLS of a connection, and its bytes. */
struct secret {
    struct tls *tls;
    char in[PUSH_CIPHER_IN_BYTES], out[PUSH_CIPHER_OUT_BYTES];
};

struct push_link {
    struct mail mail, stop_mail; /* start, then gone; the order to stop */
    struct media_net *net;
    struct media_loop *loop;
    unsigned loop_index;
    const struct push_hooks *hooks;
    uint64_t id, session;
    char text[PUSH_URL_MAX + 1];
    struct push_url url; /* of text */
    /* main's */
    uint64_t told_bytes;
    bool stop_sent, told_live;
    /* both */
    _Atomic uint64_t bytes;
    atomic_bool live;
    /* the loop's, until it is gone */
    bool stopped;    /* the order has come */
    bool gone;       /* and main knows */
    bool closing, writing;
    bool connected; /* and the handshake of TLS is done */
    bool looking, described;
    unsigned open_handles;
    uint64_t from_ms;
    uv_tcp_t tcp;
    uv_timer_t tick;
    uv_connect_t connect;
    uv_getaddrinfo_t lookup;
    uv_write_t write;
    struct media_client client;
    struct media_tracks tracks;
    char why[PUSH_TEXT_MAX];
    struct rtmp *rtmp;         /* one of the two */
    struct announce *announce;
    struct secret *secret; /* NULL: plain */
    size_t out_n;
    char in[PUSH_IN_BYTES];
    char out[PUSH_OUT_BYTES];
};

static uint64_t now_of(const struct push_link *l)
{
    return uv_now(media_loop_uv(l->loop));
}

/* ---- the end ---------------------------------------------------------------- */

static void link_free(struct push_link *l)
{
    memset(l->text, 0, sizeof(l->text)); /* it may hold a password */
    if (l->secret)
        tls_free(l->secret->tls);
    free(l->secret);
    free(l);
}

/* On the main loop. */
static void deliver_gone(struct mail *m)
{
    struct push_link *l = container_of(m, struct push_link, mail);

    l->hooks->on_gone(l->hooks->ctx, l->id, atomic_load(&l->bytes),
                      l->why[0] ? l->why : "stopped");
    if (!l->stop_sent || l->stopped)
        link_free(l);
    /* else the order to stop is still on its way: see deliver_late */
}

static void deliver_late(struct mail *m)
{
    link_free(container_of(m, struct push_link, stop_mail));
}

static void all_closed(struct push_link *l)
{
    for (int t = 0; t < MEDIA_TRACKS; t++)
        media_config_unref(l->tracks.config[t]);
    if (l->announce)
        memset(l->announce, 0, sizeof(*l->announce));
    free(l->announce);
    free(l->rtmp);
    l->gone = true;
    l->mail.deliver = deliver_gone;
    media_net_post_main(l->net, &l->mail);
}

static void on_handle_closed(uv_handle_t *h)
{
    struct push_link *l = h->data;

    if (--l->open_handles == 0)
        all_closed(l);
}

static void link_close(struct push_link *l, const char *why)
{
    if (l->closing)
        return;
    l->closing = true;
    slice_copy(l->why, sizeof(l->why), slice_str(why));
    media_client_leave(&l->client);
    if (l->looking)
        uv_cancel((uv_req_t *)&l->lookup);
    uv_close((uv_handle_t *)&l->tcp, on_handle_closed);
    uv_close((uv_handle_t *)&l->tick, on_handle_closed);
}

static void on_stop(struct media_client *c)
{
    link_close(container_of(c, struct push_link, client),
               "this server is stopping");
}

/* ---- writing ------------------------------------------------------------------ */

static bool is_live(const struct push_link *l)
{
    return l->rtmp ? l->rtmp->state == RTMP_LIVE
                   : l->announce && l->announce->state == ANNOUNCE_LIVE;
}

static struct slice own_output(const struct push_link *l)
{
    if (l->rtmp)
        return rtmp_output(l->rtmp);
    return l->announce ? announce_output(l->announce) : slice_of(NULL, 0);
}

static bool at_boundary(const struct push_link *l)
{
    if (l->rtmp)
        return rtmp_at_boundary(l->rtmp);
    return !l->client.stream || hub_viewer_at_boundary(&l->client.v);
}

static void put_own(struct push_link *l, struct writer *w)
{
    struct slice own = own_output(l);

    own = slice_head(own, w->cap - w->len);
    writer_slice_put(w, own);
    if (l->rtmp)
        rtmp_sent(l->rtmp, own.n);
    else
        announce_sent(l->announce, own.n);
}

/* What the hub has, as much as there is room for. */
static void put_media(struct push_link *l, struct writer *w)
{
    struct media_iov iov[PUSH_IOVS];

    while (w->cap - w->len >= RTMP_MEDIA_ROOM) {
        size_t n = hub_viewer_next(&l->client.v, iov, PUSH_IOVS, true);
        size_t done = 0, want = 0;

        for (size_t i = 0; i < n && done == want; i++) {
            struct slice s = slice_of(iov[i].base, iov[i].len);

            want += s.n;
            if (l->rtmp) {
                done += rtmp_media(l->rtmp, s, w);
            } else {
                s = slice_head(s, w->cap - w->len);
                writer_slice_put(w, s);
                done += s.n;
            }
        }
        hub_viewer_consumed(&l->client.v, done);
        if (n == 0 || done < want || own_output(l).n)
            return;
    }
}

static void pump(struct push_link *l);

static void on_written(uv_write_t *req, int status)
{
    struct push_link *l = req->data;

    l->writing = false;
    if (l->closing)
        return;
    if (status < 0) {
        link_close(l, uv_strerror(status));
        return;
    }
    atomic_fetch_add(&l->bytes, l->out_n);
    l->out_n = 0;
    pump(l);
}

static void write_out(struct push_link *l, char *p, size_t n)
{
    uv_buf_t buf = uv_buf_init(p, (unsigned)n);

    l->write.data = l;
    l->writing = true;
    if (uv_write(&l->write, (uv_stream_t *)&l->tcp, &buf, 1, on_written)) {
        l->writing = false;
        link_close(l, "the connection is broken");
    }
}

/* Some of what TLS has to send; false: nothing. */
static bool write_cipher(struct push_link *l)
{
    struct secret *s = l->secret;
    struct slice out = slice_head(tls_output(s->tls), sizeof(s->out));

    if (out.n == 0)
        return false;
    memcpy(s->out, out.p, out.n);
    tls_sent(s->tls, out.n);
    write_out(l, s->out, out.n);
    return true;
}

static void pump(struct push_link *l)
{
    struct writer w = writer_of(l->out, sizeof(l->out));

    if (l->writing || l->closing || (l->secret && write_cipher(l)) ||
        !l->connected)
        return;
    if (at_boundary(l))
        put_own(l, &w);
    if (l->client.stream) {
        put_media(l, &w);
        if (at_boundary(l))
            put_own(l, &w);
    }
    if (w.len == 0) {
        if (l->client.stream && l->client.v.state == HUB_VIEWER_ENDED)
            link_close(l, "the stream has ended");
        else if (l->client.stream && l->client.v.state == HUB_VIEWER_CUT)
            link_close(l, "the server does not read");
        return;
    }
    l->out_n = w.len;
    if (!l->secret)
        write_out(l, l->out, w.len);
    else if (tls_encrypt(l->secret->tls, writer_slice(&w)))
        link_close(l, "the connection is broken");
    else
        write_cipher(l);
}

static void on_wake(struct media_client *c)
{
    struct push_link *l = container_of(c, struct push_link, client);

    if (l->client.v.state == HUB_VIEWER_CUT)
        link_close(l, "the server does not read");
    else
        pump(l);
}

/* ---- reading ------------------------------------------------------------------ */

static void begin_media(struct push_link *l)
{
    struct hub_viewer_options opt = {
        .format = l->rtmp ? HUB_FLV_ENHANCED : HUB_RTP,
        .no_audio = l->announce && !(l->announce->set >> MEDIA_AUDIO & 1),
    };
    int err = media_client_add(l->loop, l->session, &l->client, &opt);

    if (err) {
        link_close(l, err == GB_ELIMIT ? "no room for another viewer"
                                       : "the stream has ended");
        return;
    }
    atomic_store(&l->live, true);
}

/* Where plain bytes go to. */
static size_t plain_room(struct push_link *l, char **p)
{
    *p = l->in;
    return l->announce ? announce_room(l->announce, p) : sizeof(l->in);
}

static void on_alloc(uv_handle_t *h, size_t hint, uv_buf_t *buf)
{
    struct push_link *l = h->data;
    char *p;
    size_t n = plain_room(l, &p);

    (void)hint;
    *buf = l->secret ? uv_buf_init(l->secret->in, sizeof(l->secret->in))
                     : uv_buf_init(p, (unsigned)n);
}

/* n bytes are in the room. */
static void take_plain(struct push_link *l, const char *p, size_t n)
{
    int err = l->rtmp ? rtmp_input(l->rtmp, slice_of(p, n))
                      : announce_input(l->announce, n);

    if (err)
        link_close(l, l->rtmp ? l->rtmp->why : l->announce->why);
}

static void begin(struct push_link *l);

/* What TLS says of the failure is worth one try to send it. */
static void tls_failed(struct push_link *l, int err)
{
    struct slice out = tls_output(l->secret->tls);
    uv_buf_t buf = uv_buf_init((char *)(uintptr_t)out.p, (unsigned)out.n);
    char peer[80], why[TLS_WHY_MAX];

    if (out.n && !l->writing)
        uv_try_write((uv_stream_t *)&l->tcp, &buf, 1);
    slice_copy(peer, sizeof(peer), l->url.authority);
    link_close(l, err == GB_ENOENT
                      ? "the server has closed the connection"
                      : tls_error_text(l->secret->tls, peer, why));
}

static void take_cipher(struct push_link *l, struct slice in)
{
    size_t cap, n;
    int err;

    do {
        char *p;

        n = 0;
        cap = plain_room(l, &p);
        err = tls_decrypt(l->secret->tls, &in, p, cap, &n);
        if (!err && !l->connected && tls_is_up(l->secret->tls))
            begin(l);
        if (n && !l->closing)
            take_plain(l, p, n);
    } while (!err && !l->closing && cap && n == cap);
    if (err && !l->closing)
        tls_failed(l, err);
}

static void on_read(uv_stream_t *h, ssize_t n, const uv_buf_t *buf)
{
    struct push_link *l = h->data;

    if (l->closing || n == 0)
        return;
    if (n < 0) {
        link_close(l, n == UV_EOF ? "the server has closed the connection"
                                  : uv_strerror((int)n));
        return;
    }
    if (l->secret)
        take_cipher(l, slice_of(buf->base, (size_t)n));
    else
        take_plain(l, buf->base, (size_t)n);
    if (l->closing)
        return;
    if (is_live(l) && !l->client.stream)
        begin_media(l);
    pump(l);
}

/* ---- the beginning ------------------------------------------------------------- */

static unsigned track_bits(const struct push_link *l)
{
    unsigned bits = 0;

    for (unsigned t = 0; t < MEDIA_TRACKS; t++)
        if (l->tracks.config[t] && rtpmux_carries(l->tracks.config[t]->codec))
            bits |= 1u << t;
    return bits;
}

static void begin_rtmp(struct push_link *l)
{
    uint64_t seed;

    random_bytes(&seed, sizeof(seed));
    rtmp_begin(l->rtmp, &l->url, seed);
}

/* Its description needs all tracks to be known; the tick asks again. */
static void begin_rtsp(struct push_link *l)
{
    const struct media_config *config[MEDIA_TRACKS] = { 0 };
    char text[RTSP_SDP_MAX];
    struct writer sdp = writer_of(text, sizeof(text));
    struct gb_addr local = { .family = GB_IPV4 };
    uint32_t seed;
    int err = media_loop_tracks(l->loop, l->session, &l->tracks);

    if (err == GB_EAGAIN)
        return;
    if (err || !track_bits(l)) {
        link_close(l, err ? "the stream has ended"
                          : "the stream has no codec that RTSP carries");
        return;
    }
    l->described = true;
    for (int t = 0; t < MEDIA_TRACKS; t++)
        if (track_bits(l) >> t & 1)
            config[t] = l->tracks.config[t];
    sockaddr_local(&l->tcp, &local);
    rtsp_sdp_write(&sdp, &local, l->session, config);
    random_bytes(&seed, sizeof(seed));
    if (sdp.err)
        link_close(l, "the parameter sets are too long");
    else
        announce_begin(l->announce, &l->url, writer_slice(&sdp), track_bits(l),
                       seed);
}

static void begin(struct push_link *l)
{
    l->connected = true;
    if (l->rtmp)
        begin_rtmp(l);
    else
        begin_rtsp(l);
}

static void on_connect(uv_connect_t *req, int status)
{
    struct push_link *l = req->data;

    if (l->closing)
        return;
    if (status < 0) {
        link_close(l, uv_strerror(status));
        return;
    }
    uv_tcp_nodelay(&l->tcp, 1);
    if (!l->secret)
        begin(l);
    if (l->closing)
        return;
    if (uv_read_start((uv_stream_t *)&l->tcp, on_alloc, on_read))
        link_close(l, "the connection is broken");
    pump(l);
}

static void connect_to(struct push_link *l, const struct gb_addr *at)
{
    struct sockaddr_storage ss;
    int err;

    sockaddr_of(&ss, at, false);
    l->connect.data = l;
    err = gb_addr_is_any(at) ? UV_EADDRNOTAVAIL
                             : uv_tcp_connect(&l->connect, &l->tcp,
                                              (const struct sockaddr *)&ss,
                                              on_connect);
    if (err)
        link_close(l, uv_strerror(err));
}

static void on_names(uv_getaddrinfo_t *req, int status, struct addrinfo *list)
{
    struct push_link *l = req->data;
    struct gb_addr at = { 0 };

    l->looking = false;
    for (struct addrinfo *a = list; a && at.family == GB_NO_ADDR;
         a = a->ai_next)
        if (a->ai_family == AF_INET || a->ai_family == AF_INET6)
            sockaddr_read(&at, a->ai_addr);
    uv_freeaddrinfo(list);
    at.port = l->url.port;
    if (!l->closing && status < 0)
        link_close(l, sockaddr_no_name(status));
    else if (!l->closing)
        connect_to(l, &at);
    if (--l->open_handles == 0)
        all_closed(l);
}

/* In libuv's pool: a resolver that hangs costs one of its threads. */
static void look_up(struct push_link *l)
{
    const struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
                                    .ai_flags = AI_ADDRCONFIG };
    char host[256];

    slice_copy(host, sizeof(host), l->url.host);
    l->lookup.data = l;
    if (uv_getaddrinfo(media_loop_uv(l->loop), &l->lookup, on_names, host,
                       NULL, &hints)) {
        link_close(l, "the name cannot be looked up");
        return;
    }
    l->looking = true;
    l->open_handles++;
}

/* RTSP: what was announced is no longer what comes. */
static bool has_changed(struct push_link *l)
{
    struct media_tracks now;
    bool changed = false;

    if (!l->described || media_loop_tracks(l->loop, l->session, &now))
        return false;
    for (int t = 0; t < MEDIA_TRACKS; t++) {
        const struct media_config *a = l->tracks.config[t], *b = now.config[t];

        /* NOLINTNEXTLINE(clang-analyzer-core.*): described: with it */
        if (a && b && l->announce->set >> t & 1)
            changed |= a->codec != b->codec ||
                       (t == MEDIA_AUDIO && a->version != b->version);
        media_config_unref(now.config[t]);
    }
    return changed;
}

static void on_tick(uv_timer_t *t)
{
    struct push_link *l = t->data;
    uint32_t begin_ms = l->hooks->begin_ms ? l->hooks->begin_ms
                                           : PUSH_BEGIN_MS;

    if (l->closing)
        return;
    if (!l->client.stream && now_of(l) - l->from_ms >= begin_ms)
        link_close(l, l->connected ? "the server does not answer in time"
                                   : "no connection in time");
    else if (l->announce && l->connected && !l->described)
        begin_rtsp(l);
    else if (l->client.stream && has_changed(l))
        link_close(l, "the stream has another codec now");
    pump(l);
}

static void deliver_start(struct mail *m)
{
    struct push_link *l = container_of(m, struct push_link, mail);
    uv_loop_t *uv = media_loop_uv(l->loop);
    struct gb_addr at;

    uv_tcp_init(uv, &l->tcp);
    uv_timer_init(uv, &l->tick);
    l->tcp.data = l->tick.data = l;
    l->open_handles = 2;
    l->from_ms = now_of(l);
    l->client.on_wake = on_wake;
    l->client.on_stop = on_stop;
    media_client_join(l->loop, &l->client);
    uv_timer_start(&l->tick, on_tick, PUSH_TICK_MS, PUSH_TICK_MS);
    if (gb_addr_parse_ip(&at, l->url.host) == 0) {
        at.port = l->url.port;
        connect_to(l, &at);
    } else {
        look_up(l);
    }
}

static void deliver_stop(struct mail *m)
{
    struct push_link *l = container_of(m, struct push_link, stop_mail);

    if (l->gone) { /* main waits for this mail to come back */
        l->stop_mail.deliver = deliver_late;
        media_net_post_main(l->net, &l->stop_mail);
        return;
    }
    l->stopped = true;
    if (l->announce && l->connected && at_boundary(l) && !l->writing &&
        !l->closing) {
        struct slice own;
        uv_buf_t buf;

        announce_bye(l->announce);
        own = announce_output(l->announce);
        if (l->secret) /* never as it is */
            own = tls_encrypt(l->secret->tls, own) ? slice_of(NULL, 0)
                                                   : tls_output(l->secret->tls);
        buf = uv_buf_init((char *)(uintptr_t)own.p, (unsigned)own.n);
        uv_try_write((uv_stream_t *)&l->tcp, &buf, 1); /* out of courtesy */
    }
    link_close(l, "stopped");
}

/* ---- main ----------------------------------------------------------------------- */

static int make_secret(struct push_link *l)
{
    struct tls_ctx *ctx = l->hooks->tls ? l->hooks->tls(l->hooks->ctx) : NULL;
    char host[256];

    if (!ctx)
        return GB_EUNSUPPORTED;
    l->secret = calloc(1, sizeof(*l->secret));
    slice_copy(host, sizeof(host), l->url.host);
    return l->secret ? tls_new(&l->secret->tls, ctx, host) : GB_ENOMEM;
}

int push_link_start(struct push_link **out, struct media_net *n,
                    const struct push_hooks *hooks, unsigned loop,
                    uint64_t session, uint64_t id, struct slice url)
{
    struct push_link *l = calloc(1, sizeof(*l));
    int err = GB_ENOMEM;

    if (!l)
        return err;
    l->net = n;
    l->loop_index = loop;
    l->loop = media_net_loop(n, loop);
    l->hooks = hooks;
    l->id = id;
    l->session = session;
    if (slice_copy(l->text, sizeof(l->text), url))
        err = push_url_parse(&l->url, slice_of(l->text, url.n));
    else
        err = GB_ESYNTAX;
    if (!err && l->url.rtmp)
        l->rtmp = calloc(1, sizeof(*l->rtmp));
    else if (!err)
        l->announce = calloc(1, sizeof(*l->announce));
    if (!err && !l->rtmp && !l->announce)
        err = GB_ENOMEM;
    if (!err && l->url.tls)
        err = make_secret(l);
    l->mail.deliver = deliver_start;
    if (!err && l->loop && media_net_post(n, loop, &l->mail)) {
        *out = l;
        return 0;
    }
    free(l->rtmp);
    free(l->announce);
    link_free(l);
    return err ? err : GB_ELIMIT;
}

bool push_link_stop(struct push_link *l)
{
    if (l->stop_sent)
        return true;
    l->stop_mail.deliver = deliver_stop;
    l->stop_sent = true;
    if (media_net_post(l->net, l->loop_index, &l->stop_mail))
        return true;
    l->stop_sent = false;
    return false;
}

void push_link_tell(struct push_link *l)
{
    uint64_t bytes = atomic_load(&l->bytes);
    bool live = atomic_load(&l->live);

    if (bytes == l->told_bytes && live == l->told_live)
        return;
    l->told_bytes = bytes;
    l->told_live = live;
    l->hooks->on_told(l->hooks->ctx, l->id, live, bytes);
}
