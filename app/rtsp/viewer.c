#include "app/rtsp/viewer.h"

#include "app/net/gather.h"
#include "app/net/own.h"
#include "app/net/random.h"
#include "app/rtsp/describe.h"
#include "base/bytes.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#define ANSWER_ROOM 1024 /* an answer but for a description is shorter */

struct udp_poll {
    uv_poll_t poll;
    struct rtsp_viewer *viewer;
    enum media_track track;
    unsigned which;
    bool open;
};

struct rtsp_viewer {
    struct media_client client; /* first: found from its hub_viewer */
    struct mail mail;           /* to the loop, then back to main */
    struct media_net *net;
    struct media_loop *loop;
    const struct rtsp_viewer_hooks *hooks;
    struct rtsp_handover h;
    uv_poll_t poll;
    uv_timer_t tick, pace;
    struct udp_poll udp_poll[MEDIA_TRACKS][2];
    unsigned open_handles;
    int events;                /* that poll waits for */
    bool closing, leaving;     /* leaving: the connection goes back to main */
    bool decided;              /* tracks are known: requests are read */
    bool ending;               /* close when what is there is written */
    bool pausing;              /* leave the hub at the next boundary */
    uint64_t from_ms, moved_ms; /* begun; own bytes were last taken */
    struct media_tracks tracks;
    struct rtsp_session s;
    struct rtsp_reader in;
    struct rtsp_udp udp;
    uint64_t burst_ms;         /* the last burst began */
    size_t burst_left;
    bool udp_full;
    char *remap;               /* packets on its own channels; NULL: none yet */
    size_t remap_len, remap_off;
    struct own own;            /* answers */
};

static void on_poll(uv_poll_t *p, int status, int events);
static void write_some(struct rtsp_viewer *v);

static uint64_t now_of(const struct rtsp_viewer *v)
{
    return uv_now(media_loop_uv(v->loop));
}

/* ---- the end ------------------------------------------------------------ */

static void deliver_gone(struct mail *m)
{
    struct rtsp_viewer *v = container_of(m, struct rtsp_viewer, mail);

    v->hooks->on_gone(v->hooks->ctx, &v->h);
    free(v);
}

static void on_handle_closed(uv_handle_t *handle)
{
    struct rtsp_viewer *v = handle->data;

    if (--v->open_handles)
        return;
    rtsp_udp_close(&v->udp);
    free(v->remap);
    own_fini(&v->own);
    for (int t = 0; t < MEDIA_TRACKS; t++)
        media_config_unref(v->tracks.config[t]);
    if (!v->leaving) {
        close(v->h.fd);
        free(v->h.unread);
        v->h.fd = -1;
        v->h.unread = NULL;
    }
    v->mail.deliver = deliver_gone;
    media_net_post_main(v->net, &v->mail);
}

static void on_udp_closed(uv_handle_t *handle)
{
    struct udp_poll *u = handle->data;

    handle->data = u->viewer;
    on_handle_closed(handle);
}

static void viewer_close(struct rtsp_viewer *v)
{
    if (v->closing)
        return;
    v->closing = true;
    media_client_leave(&v->client);
    uv_close((uv_handle_t *)&v->poll, on_handle_closed);
    uv_close((uv_handle_t *)&v->tick, on_handle_closed);
    uv_close((uv_handle_t *)&v->pace, on_handle_closed);
    for (int t = 0; t < MEDIA_TRACKS; t++)
        for (int i = 0; i < 2; i++)
            if (v->udp_poll[t][i].open)
                uv_close((uv_handle_t *)&v->udp_poll[t][i].poll,
                         on_udp_closed);
}

static void on_stop(struct media_client *c)
{
    viewer_close(container_of(c, struct rtsp_viewer, client));
}

/* ---- writing ------------------------------------------------------------ */

/* As own_take. */
static bool take_own(struct rtsp_viewer *v, const struct writer *w)
{
    bool begins = !own_is_pending(&v->own);

    if (!own_take(&v->own, w))
        return false;
    if (begins)
        v->moved_ms = now_of(v);
    return true;
}

_Static_assert(RTSP_IOVS <= GATHER_IOVS_MAX, "all of them in one call");

/* As gather_write. */
static int write_iov(struct rtsp_viewer *v, const struct media_iov *iov,
                     size_t n, size_t *sent)
{
    int r = gather_write(v->h.fd, iov, n, sent);

    if (*sent)
        v->moved_ms = now_of(v);
    return r;
}

static int write_own(struct rtsp_viewer *v)
{
    size_t sent;
    int r = own_write(&v->own, v->h.fd, &sent);

    if (sent)
        v->moved_ms = now_of(v);
    return r;
}

static int write_remap(struct rtsp_viewer *v)
{
    struct media_iov iov = { v->remap + v->remap_off,
                             v->remap_len - v->remap_off };
    size_t sent;
    int r = write_iov(v, &iov, 1, &sent);

    v->remap_off += sent;
    return r;
}

static bool remap_pending(const struct rtsp_viewer *v)
{
    return v->remap_len > v->remap_off;
}

/* Does it get every packet, and on the channels that they have? Sound that it
 * did not set up is not in its stream. */
static bool is_usual(const struct rtsp_viewer *v)
{
    for (unsigned t = 0; t < MEDIA_TRACKS; t++) {
        const struct rtsp_transport *k = &v->s.transport[t];

        if (!(v->s.set >> t & 1)) {
            if (t == MEDIA_VIDEO)
                return false;
        } else if (k->channel[0] != RTPMUX_CHANNEL(t) ||
                   k->channel[1] != RTPMUX_CHANNEL(t) + 1) {
            return false;
        }
    }
    return true;
}

/* Packets of iov with the viewer's channels; what is not set up is left out. */
static size_t fill_remap(struct rtsp_viewer *v, const struct media_iov *iov,
                         size_t n)
{
    size_t done = 0;

    v->remap_len = v->remap_off = 0;
    for (size_t i = 0; i < n; i++) {
        struct slice rest = slice_of(iov[i].base, iov[i].len);
        struct rtpmux_packet k;

        while (rtpmux_next(&rest, &k)) {
            unsigned t = k.channel / 2;
            size_t whole = RTPMUX_FRAMING + k.bytes.n;
            char *to = v->remap + v->remap_len;

            if (t < MEDIA_TRACKS && v->s.set >> t & 1) {
                if (whole > RTSP_REMAP_BYTES - v->remap_len)
                    return done;
                memcpy(to, k.bytes.p - RTPMUX_FRAMING, whole);
                to[1] = (char)v->s.transport[t].channel[k.channel % 2];
                v->remap_len += whole;
            }
            done += whole;
        }
    }
    return done;
}

/* Over UDP, a burst at a time. 2: go on, 1: the next burst comes later. */
static int send_udp(struct rtsp_viewer *v, const struct media_iov *iov,
                    size_t n)
{
    size_t sum = 0, done;
    uint64_t now_ms = now_of(v);

    if (now_ms - v->burst_ms >= RTSP_UDP_PACE_MS) {
        v->burst_ms = now_ms;
        v->burst_left = RTSP_UDP_BURST;
    }
    v->udp_full = false;
    for (size_t i = 0; i < n && v->burst_left && !v->udp_full; i++) {
        done = rtsp_udp_send(&v->udp, slice_of(iov[i].base, iov[i].len),
                             v->burst_left, &v->udp_full);
        sum += done;
        v->burst_left -= done < v->burst_left ? done : v->burst_left;
        if (done < iov[i].len)
            break;
    }
    hub_viewer_consumed(&v->client.v, sum);
    if (v->udp_full || !v->burst_left)
        return 1;
    return sum ? 2 : -1;
}

static void on_pace(uv_timer_t *t)
{
    write_some(t->data);
}

/* Bytes of the hub. 2: some went, 1: nothing more now, 0: the socket is full,
 * -1: gone. */
static int write_hub(struct rtsp_viewer *v)
{
    struct media_iov iov[RTSP_IOVS];
    bool udp = rtsp_session_is_udp(&v->s);
    size_t n = hub_viewer_next(&v->client.v, iov, RTSP_IOVS,
                               !udp && (own_is_pending(&v->own) || v->pausing));
    size_t sent;
    int r;

    if (n == 0)
        return 1;
    if (udp) {
        r = send_udp(v, iov, n);
        if (r == 1)
            uv_timer_start(&v->pace, on_pace, RTSP_UDP_PACE_MS, 0);
        return r;
    }
    if (!is_usual(v)) {
        if (!v->remap && !(v->remap = malloc(RTSP_REMAP_BYTES)))
            return -1;
        sent = fill_remap(v, iov, n);
        hub_viewer_consumed(&v->client.v, sent);
        return sent ? 2 : -1;
    }
    r = write_iov(v, iov, n, &sent);
    hub_viewer_consumed(&v->client.v, sent);
    return r > 0 ? 2 : r;
}

/* The stream has ended: says so on every track, then the connection ends. */
static void say_bye(struct rtsp_viewer *v)
{
    bool udp = rtsp_session_is_udp(&v->s);

    v->ending = true;
    for (unsigned t = 0; t < MEDIA_TRACKS; t++) {
        struct writer w = own_writer(&v->own);
        char text[64];
        struct writer to = writer_of(text, sizeof(text));
        bool full;

        if (!(v->s.set >> t & 1))
            continue;
        rtpmux_bye_write(&to, v->tracks.ssrc[t],
                         udp ? (uint8_t)(RTPMUX_CHANNEL(t) + 1)
                             : v->s.transport[t].channel[1]);
        if (udp) {
            rtsp_udp_send(&v->udp, writer_slice(&to), to.len, &full);
        } else {
            writer_slice_put(&w, writer_slice(&to));
            take_own(v, &w);
        }
    }
}

static bool is_over(const struct rtsp_viewer *v)
{
    return v->client.v.state == HUB_VIEWER_ENDED ||
           v->client.v.state == HUB_VIEWER_CUT;
}

static bool at_boundary(const struct rtsp_viewer *v)
{
    return !remap_pending(v) &&
           (!v->client.stream || hub_viewer_at_boundary(&v->client.v));
}

/* Writes until the socket is full or there is nothing. -1: close. */
static int pump(struct rtsp_viewer *v)
{
    for (;;) {
        int r;

        if (v->pausing && at_boundary(v)) {
            media_client_remove(&v->client);
            v->pausing = false;
        }
        if (own_is_pending(&v->own) && at_boundary(v)) {
            r = write_own(v);
            if (r <= 0)
                return r;
            continue;
        }
        if (remap_pending(v)) {
            r = write_remap(v);
            if (r <= 0)
                return r;
            continue;
        }
        if (v->ending && !own_is_pending(&v->own))
            return -1;
        if (!v->client.stream)
            return 1;
        r = write_hub(v);
        if (r == 1 && is_over(v)) {
            if (v->ending || v->client.v.state == HUB_VIEWER_CUT)
                return -1; /* it would not hear the rest either */
            say_bye(v);
            continue;
        }
        if (r != 2)
            return r;
    }
}

static void set_poll(struct rtsp_viewer *v, bool full)
{
    char *p;
    int events = full ? UV_WRITABLE : 0;

    if (rtsp_reader_room(&v->in, &p))
        events |= UV_READABLE;
    events |= UV_DISCONNECT;
    if (events == v->events)
        return;
    v->events = events;
    uv_poll_start(&v->poll, events, on_poll);
}

static void write_some(struct rtsp_viewer *v)
{
    int r = v->closing ? 1 : pump(v);

    if (r < 0)
        viewer_close(v);
    if (!v->closing)
        set_poll(v, r == 0);
}

static void on_wake(struct media_client *c)
{
    write_some(container_of(c, struct rtsp_viewer, client));
}

/* ---- what is asked ------------------------------------------------------ */

static unsigned track_bits(const struct rtsp_viewer *v)
{
    unsigned bits = 0;

    for (unsigned t = 0; t < MEDIA_TRACKS; t++)
        if (v->tracks.config[t])
            bits |= 1u << t;
    return bits;
}

static void describe(struct rtsp_viewer *v, struct writer *w)
{
    const struct media_config *const c[MEDIA_TRACKS] = {
        v->tracks.config[MEDIA_VIDEO], v->tracks.config[MEDIA_AUDIO]
    };
    char text[RTSP_SDP_MAX];
    struct writer sdp = writer_of(text, sizeof(text));

    rtsp_sdp_write(&sdp, &v->h.local, v->h.session, c);
    if (sdp.err)
        rtsp_session_failed(&v->s, 500,
                            SLICE("the parameter sets are too long"),
                            (struct slice){ 0 }, w);
    else
        rtsp_session_described(&v->s, writer_slice(&sdp), w);
}

static void on_udp(uv_poll_t *p, int status, int events)
{
    struct udp_poll *u = p->data;
    struct rtsp_viewer *v = u->viewer;

    if (status == 0 && events & UV_READABLE &&
        rtsp_udp_read(&v->udp, u->track, u->which))
        rtsp_session_heard(&v->s, now_of(v));
}

static int watch_udp(struct rtsp_viewer *v, enum media_track t)
{
    for (unsigned i = 0; i < 2; i++) {
        struct udp_poll *u = &v->udp_poll[t][i];
        int err;

        if (u->open)
            continue;
        u->viewer = v;
        u->track = t;
        u->which = i;
        err = uv_poll_init(media_loop_uv(v->loop), &u->poll,
                           v->udp.track[t].fd[i]);
        if (err)
            return err;
        u->poll.data = u;
        u->open = true;
        v->open_handles++;
        uv_poll_start(&u->poll, UV_READABLE, on_udp);
    }
    return 0;
}

/* It has begun anew, without them. */
static void mute_others(struct rtsp_viewer *v)
{
    for (unsigned t = 0; t < MEDIA_TRACKS; t++)
        if (!(v->s.set >> t & 1))
            rtsp_udp_mute(&v->udp, (enum media_track)t);
}

static void set_up(struct rtsp_viewer *v, struct writer *w)
{
    enum media_track t = v->s.track;
    int err = 0;

    if (v->s.asked.udp) {
        err = rtsp_udp_open(&v->udp, t, &v->h.local, v->s.asked.port);
        if (!err)
            err = watch_udp(v, t);
    }
    if (err)
        rtsp_session_failed(&v->s, 503, SLICE("no UDP ports are free"),
                            (struct slice){ 0 }, w);
    else
        rtsp_session_set_up(&v->s, v->udp.track[t].port, v->tracks.ssrc[t], w);
    mute_others(v);
}

/* Where each track begins, as far as the hub has it ready. */
static void find_start(struct rtsp_viewer *v,
                       struct rtsp_start info[static MEDIA_TRACKS])
{
    struct media_iov iov[RTSP_IOVS];
    size_t n = hub_viewer_next(&v->client.v, iov, RTSP_IOVS, false);

    for (size_t i = 0; i < n; i++) {
        struct slice rest = slice_of(iov[i].base, iov[i].len);
        struct rtpmux_packet k;

        while (rtpmux_next(&rest, &k)) {
            const uint8_t *p = (const uint8_t *)k.bytes.p;
            unsigned t = k.channel / 2;

            if (k.channel % 2 || t >= MEDIA_TRACKS || info[t].on ||
                k.bytes.n < 12)
                continue;
            info[t].on = true;
            info[t].seq = (uint16_t)(p[2] << 8 | p[3]);
            info[t].ts = bytes_be32_at(p + 4);
        }
    }
}

static void play(struct rtsp_viewer *v, struct writer *w)
{
    struct hub_viewer_options opt = {
        .format = HUB_RTP, .no_audio = !(v->s.set >> MEDIA_AUDIO & 1),
    };
    struct rtsp_start info[MEDIA_TRACKS] = { { 0 } };
    int err;

    v->pausing = false;
    if (v->client.stream) { /* a PAUSE that has not come to its boundary */
        rtsp_session_playing(&v->s, info, w);
        return;
    }
    err = media_client_add(v->loop, v->h.session, &v->client, &opt);
    if (err == GB_ELIMIT || err == GB_ENOMEM) {
        rtsp_session_failed(&v->s, 453, SLICE("no room for another viewer"),
                            (struct slice){ 0 }, w);
    } else if (err) {
        rtsp_session_failed(&v->s, 404, SLICE("the stream has ended"),
                            (struct slice){ 0 }, w);
        v->ending = true;
    } else {
        find_start(v, info);
        rtsp_session_playing(&v->s, info, w);
    }
}

/* The connection wants another stream: main takes it back, with the request
 * that is not answered. */
static void leave(struct rtsp_viewer *v, struct slice unread)
{
    char *copy = malloc(unread.n ? unread.n : 1);

    if (!copy) {
        viewer_close(v);
        return;
    }
    memcpy(copy, unread.p, unread.n);
    free(v->h.unread);
    v->h.unread = copy;
    v->h.n_unread = unread.n;
    v->leaving = true;
    viewer_close(v);
}

static void take_request(struct rtsp_viewer *v, const struct rtsp_item *item)
{
    struct writer w = own_writer(&v->own);
    struct rtsp_url url;

    switch (rtsp_session_request(&v->s, &item->request, &url, &w,
                                 now_of(v))) {
    case RTSP_ANSWERED:
    case RTSP_DO_OPEN:
        break;
    case RTSP_DO_OTHER:
        if (own_is_pending(&v->own)) {
            v->ending = true; /* asked too early: the answers first */
            break;
        }
        leave(v, slice_of(item->whole.p,
                          item->whole.n + rtsp_reader_rest(&v->in).n));
        return;
    case RTSP_DO_DESCRIBE:
        describe(v, &w);
        break;
    case RTSP_DO_SETUP:
        set_up(v, &w);
        break;
    case RTSP_DO_PLAY:
        play(v, &w);
        break;
    case RTSP_DO_PAUSE:
        v->pausing = v->client.stream != NULL;
        break;
    case RTSP_DO_END:
        v->ending = true;
        break;
    }
    v->ending |= !item->request.is_framed;
    if (!take_own(v, &w))
        viewer_close(v); /* it asks, and does not read */
}

/* All that has been read and can be answered now. */
static void serve(struct rtsp_viewer *v)
{
    while (v->decided && !v->closing && !v->ending &&
           own_room(&v->own) >= RTSP_SDP_MAX + ANSWER_ROOM) {
        struct rtsp_item item;
        int err = rtsp_reader_next(&v->in, &item);

        if (err == GB_EAGAIN)
            return;
        if (err) {
            struct writer w = own_writer(&v->own);

            rtsp_answer(&w, 413, (struct slice){ 0 }, (struct slice){ 0 });
            take_own(v, &w);
            v->ending = true;
        } else if (item.kind == RTSP_ITEM_REQUEST) {
            take_request(v, &item);
        } else if (item.kind == RTSP_ITEM_FRAME) {
            rtsp_session_heard(&v->s, now_of(v));
        }
    }
}

static void read_some(struct rtsp_viewer *v)
{
    char *p;
    size_t room = rtsp_reader_room(&v->in, &p);
    ssize_t n;

    if (room == 0)
        return;
    n = read(v->h.fd, p, room);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        viewer_close(v);
        return;
    }
    rtsp_reader_added(&v->in, (size_t)n);
}

static void on_poll(uv_poll_t *p, int status, int events)
{
    struct rtsp_viewer *v = p->data;

    if (status < 0 || (events & (UV_DISCONNECT | UV_READABLE)) == UV_DISCONNECT) {
        viewer_close(v);
        return;
    }
    if (events & UV_READABLE)
        read_some(v);
    serve(v);
    write_some(v);
    serve(v); /* for what there was no room before */
    write_some(v);
}

/* ---- time --------------------------------------------------------------- */

/* Are the tracks known? Then what has been asked is answered. */
static void decide(struct rtsp_viewer *v)
{
    int err = media_loop_tracks(v->loop, v->h.session, &v->tracks);
    struct rtsp_bound to = { .device = slice_str(v->h.device),
                             .channel = slice_str(v->h.channel),
                             .stream = v->h.stream,
                             .tcp_only = v->h.secure };

    if (err == GB_EAGAIN && now_of(v) - v->from_ms < RTSP_DECIDE_MS)
        return;
    if (!err && !track_bits(v))
        err = GB_EUNSUPPORTED;
    if (err) {
        struct rtsp_item item;
        struct writer w = own_writer(&v->own);

        if (rtsp_reader_next(&v->in, &item))
            item.request.cseq = (struct slice){ 0 };
        rtsp_answer(&w, err == GB_ENOENT ? 404 : 504,
                    err == GB_ENOENT ? SLICE("the stream has ended")
                                     : SLICE("the stream has no known tracks"),
                    item.request.cseq);
        take_own(v, &w);
        v->ending = true;
        return;
    }
    v->decided = true;
    random_bytes(&to.id, sizeof(to.id));
    to.tracks = track_bits(v);
    rtsp_session_bind(&v->s, &to, now_of(v));
    uv_timer_set_repeat(&v->tick, RTSP_TICK_MS);
    serve(v);
}

/* What it was described is no longer what comes: players would hear or see
 * rubbish. They come again. */
static bool has_changed(struct rtsp_viewer *v)
{
    struct media_tracks now;
    bool changed = false;

    if (media_loop_tracks(v->loop, v->h.session, &now))
        return false;
    for (int t = 0; t < MEDIA_TRACKS; t++) {
        const struct media_config *a = v->tracks.config[t], *b = now.config[t];

        if (a && b && v->s.set >> t & 1)
            changed |= a->codec != b->codec ||
                       (t == MEDIA_AUDIO && a->version != b->version);
        media_config_unref(now.config[t]);
    }
    return changed;
}

static uint64_t silence_deadline(const struct rtsp_viewer *v)
{
    uint64_t at = rtsp_session_deadline(&v->s);

    if (at == GB_NEVER || !v->hooks->silence_ms)
        return at;
    return at - RTSP_SILENCE_MS + v->hooks->silence_ms;
}

static void on_tick(uv_timer_t *t)
{
    struct rtsp_viewer *v = t->data;
    uint64_t now_ms = now_of(v);

    if (!v->decided && !v->ending)
        decide(v);
    else if (v->decided && now_ms >= silence_deadline(v))
        viewer_close(v);
    else if (own_is_pending(&v->own) && now_ms - v->moved_ms >= RTSP_WRITE_MS)
        viewer_close(v);
    else if (v->client.stream && !v->ending && at_boundary(v) &&
             has_changed(v))
        say_bye(v);
    serve(v);
    write_some(v);
}

/* ---- the beginning ------------------------------------------------------ */

static void deliver_start(struct mail *m)
{
    struct rtsp_viewer *v = container_of(m, struct rtsp_viewer, mail);
    uv_loop_t *uv = media_loop_uv(v->loop);
    char *p;

    gather_prepare(v->h.fd);
    rtsp_udp_init(&v->udp, &v->h.remote);
    uv_timer_init(uv, &v->tick);
    uv_timer_init(uv, &v->pace);
    v->tick.data = v->pace.data = v->poll.data = v;
    v->open_handles = 2;
    v->from_ms = v->moved_ms = now_of(v);
    if (uv_poll_init(uv, &v->poll, v->h.fd)) {
        v->closing = true;
        uv_close((uv_handle_t *)&v->tick, on_handle_closed);
        uv_close((uv_handle_t *)&v->pace, on_handle_closed);
        return;
    }
    v->open_handles++;
    v->client.on_wake = on_wake;
    v->client.on_stop = on_stop;
    v->client.who = v->h.who;
    media_client_join(v->loop, &v->client);
    if (v->h.n_unread <= rtsp_reader_room(&v->in, &p)) {
        memcpy(p, v->h.unread, v->h.n_unread);
        rtsp_reader_added(&v->in, v->h.n_unread);
    }
    free(v->h.unread);
    v->h.unread = NULL;
    uv_timer_start(&v->tick, on_tick, RTSP_DECIDE_TICK_MS,
                   RTSP_DECIDE_TICK_MS);
    decide(v);
    write_some(v);
}

int rtsp_viewer_start(struct media_net *n,
                      const struct rtsp_viewer_hooks *hooks,
                      const struct rtsp_handover *h)
{
    struct rtsp_viewer *v = calloc(1, sizeof(*v));

    if (!v)
        return GB_ENOMEM;
    v->net = n;
    v->loop = media_net_loop(n, h->loop);
    v->hooks = hooks;
    v->h = *h;
    v->mail.deliver = deliver_start;
    if (v->loop && media_net_post(n, h->loop, &v->mail))
        return 0;
    free(v);
    return GB_ELIMIT;
}
