#include "app/http/viewer.h"

#include "app/http/http_head.h"
#include "app/http/problem.h"
#include "app/http/ws.h"
#include "app/net/gather.h"
#include "app/net/own.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define OFFER_WITHIN 64 /* bytes of a message that tell its type */

/* What a player of go2rtc's dialect says. */
struct wishes {
    struct http_mse_request mse;
    char text[HTTP_MSE_TEXT_MAX]; /* a message that is being received */
    size_t text_len;
    bool text_cut; /* it was longer; only its beginning is kept */
};

struct viewer {
    struct media_client client; /* first: found from its hub_viewer */
    struct mail mail;           /* to the loop, then back to main */
    struct media_net *net;
    struct media_loop *loop;
    const struct viewer_hooks *hooks;
    struct http_handover h;
    uv_poll_t poll;
    uv_timer_t hello;
    uv_timer_t late;  /* runs while what is there waits for more, h.delay_ms */
    uv_timer_t stall; /* runs while the socket takes nothing of our own: the
                         hub cuts those who are slow with its bytes */
    unsigned open_handles;
    bool closing, want_write, ending, mse_wanted, mse_told;
    bool refused; /* a wish of another type was */
    bool lingers; /* our Close is out, and what still comes is passed over */
    bool quiet; /* the player does not know the sound */
    size_t burst; /* of the cached pictures, since the last pause */
    bool moved; /* the socket has taken something in this turn */
    bool stalls; /* the timer runs; far from here are its own words for it */
    struct wishes *wishes; /* of HTTP_FORMAT_MSE only */
    struct ws ws;
    size_t junk;
    struct media_chunk *snapshot;
    size_t snapshot_off;
    struct own own; /* head, texts, control frames */
};

static void on_poll(uv_poll_t *p, int status, int events);
static void on_late(uv_timer_t *t);

/* ---- the end -------------------------------------------------------------- */

static void deliver_gone(struct mail *m)
{
    struct viewer *v = container_of(m, struct viewer, mail);

    v->hooks->on_gone(v->hooks->ctx, &v->h);
    free(v->wishes);
    own_fini(&v->own);
    free(v);
}

static void on_handle_closed(uv_handle_t *handle)
{
    struct viewer *v = handle->data;

    if (--v->open_handles)
        return;
    close(v->h.fd);
    free(v->h.unread);
    v->mail.deliver = deliver_gone;
    media_net_post_main(v->net, &v->mail);
}

static void viewer_close(struct viewer *v)
{
    if (v->closing)
        return;
    v->closing = true;
    media_client_leave(&v->client);
    media_chunk_unref(v->snapshot);
    v->snapshot = NULL;
    uv_close((uv_handle_t *)&v->poll, on_handle_closed);
    uv_close((uv_handle_t *)&v->hello, on_handle_closed);
    uv_close((uv_handle_t *)&v->late, on_handle_closed);
    uv_close((uv_handle_t *)&v->stall, on_handle_closed);
}

static void on_stop(struct media_client *c)
{
    viewer_close(container_of(c, struct viewer, client));
}

/* ---- writing ------------------------------------------------------------------ */

_Static_assert(VIEWER_IOVS <= GATHER_IOVS_MAX, "all of them in one call");

/* As gather_write. */
static int write_iov(struct viewer *v, const struct media_iov *iov, size_t n,
                     size_t *sent)
{
    int r = gather_write(v->h.fd, iov, n, sent);

    v->moved |= *sent > 0;
    return r;
}

static int write_own(struct viewer *v)
{
    size_t sent;
    int r = own_write(&v->own, v->h.fd, &sent);

    v->moved |= sent > 0;
    return r;
}

static int write_snapshot(struct viewer *v)
{
    while (v->snapshot) {
        struct media_iov iov[MEDIA_CHUNK_IOVS];
        size_t n = media_chunk_iov(v->snapshot, MEDIA_PLAIN, v->snapshot_off,
                                   iov, MEDIA_CHUNK_IOVS);
        size_t sent = 0;
        int r = n ? write_iov(v, iov, n, &sent) : -1;

        v->snapshot_off += sent;
        if (r <= 0)
            return r;
    }
    return -1;
}

/* Bytes of the hub. 1: nothing more now, 0: the socket is full, -1: gone. */
static int write_hub(struct viewer *v)
{
    struct media_iov iov[VIEWER_IOVS];
    size_t n = hub_viewer_next(&v->client.v, iov, VIEWER_IOVS,
                               own_is_pending(&v->own));
    size_t sent;
    int r;

    if (n == 0)
        return 1;
    r = write_iov(v, iov, n, &sent);
    hub_viewer_consumed(&v->client.v, sent);
    v->burst += sent;
    return r > 0 ? 2 : r;
}

static bool is_chunked(const struct viewer *v)
{
    return v->h.finite && v->h.minor > 0 && !v->h.websocket;
}

/* The stream is over, or this viewer was cut: say so and go. */
static bool finish(struct viewer *v)
{
    if (v->ending)
        return false;
    v->ending = true;
    if (v->h.websocket) {
        struct writer w = own_writer(&v->own);
        bool cut = v->client.v.state == HUB_VIEWER_CUT;

        ws_close_write(&w, cut ? WS_CLOSE_POLICY : WS_CLOSE_GOING_AWAY,
                       slice_str(hub_viewer_state_text(v->client.v.state)));
        own_take(&v->own, &w);
    } else if (is_chunked(v) && v->client.v.state == HUB_VIEWER_ENDED) {
        struct writer w = own_writer(&v->own);

        writer_str(&w, "0\r\n\r\n");
        own_take(&v->own, &w);
    }
    return true;
}

static int add_client(struct viewer *v)
{
    struct hub_viewer_options opt = {
        .format = http_format_of_hub(v->h.format, v->h.enhanced, v->h.g711),
        .framing = v->h.websocket   ? MEDIA_WS
                   : is_chunked(v) ? MEDIA_CHUNKED
                                   : MEDIA_PLAIN,
        .no_audio = v->quiet || v->h.no_audio,
        .sound_waits = true,
    };

    return media_client_add(v->loop, v->h.session, &v->client, &opt);
}

/* One text message, whole. */
static void put_text(struct viewer *v, struct slice text)
{
    struct writer w = own_writer(&v->own);
    uint8_t head[WS_HEADER_MAX];

    writer_bytes(&w, head, ws_header(head, WS_TEXT, text.n));
    writer_slice_put(&w, text);
    own_take(&v->own, &w);
}

static void refuse_codec(struct viewer *v, struct slice codec)
{
    char text[HTTP_MSE_TEXT_MAX], why[128];
    struct writer t = writer_of(text, sizeof(text)), w;
    struct writer e = writer_of(why, sizeof(why));

    writer_str(&e, "this browser cannot play ");
    writer_slice_put(&e, codec);
    http_mse_error_write(&t, writer_slice(&e));
    media_client_remove(&v->client);
    put_text(v, writer_slice(&t));
    v->ending = true;
    w = own_writer(&v->own);
    ws_close_write(&w, WS_CLOSE_NORMAL, SLICE("codec"));
    own_take(&v->own, &w);
}

/* The first codec of the list that the player did not name; false: none. */
static bool find_strange(const struct viewer *v, struct slice codecs,
                         struct slice *one)
{
    bool more = true;

    while (more && codecs.n) {
        more = slice_cut(&codecs, ',', one);
        *one = slice_trim(*one);
        if (!http_mse_accepts(&v->wishes->mse, *one))
            return true;
    }
    return false;
}

/* go2rtc's dialect: what will come, before it comes. Sound that the player does
 * not know is left out; without a picture there is nothing to be said. */
static void tell_mse(struct viewer *v)
{
    char mime[HUB_MIME_MAX], text[HTTP_MSE_TEXT_MAX];
    struct writer t = writer_of(text, sizeof(text));
    struct slice codecs, one;

    if (!v->mse_wanted || v->mse_told ||
        !hub_viewer_mime(&v->client.v, mime))
        return;
    codecs = slice_str(mime);
    codecs = slice_from(codecs, slice_find(codecs, '"') + 1);
    codecs = slice_head(codecs, slice_find(codecs, '"'));
    if (!find_strange(v, codecs, &one)) {
        http_mse_write(&t, codecs);
        put_text(v, writer_slice(&t));
    } else if (one.p != codecs.p && !v->quiet) { /* a picture stands first */
        v->quiet = true;
        media_client_remove(&v->client);
        if (add_client(v) == 0)
            tell_mse(v);
        return;
    } else {
        refuse_codec(v, one);
    }
    v->mse_told = true;
}

static void set_poll(struct viewer *v, bool want_write)
{
    if (v->want_write == want_write)
        return;
    v->want_write = want_write;
    uv_poll_start(&v->poll, UV_READABLE | (want_write ? UV_WRITABLE : 0),
                  on_poll);
}

static bool hub_ready(const struct viewer *v)
{
    return v->client.stream && (!v->mse_wanted || v->mse_told) &&
           (v->h.format != HTTP_FORMAT_MSE || v->mse_wanted);
}

/* A player that takes the cached pictures piece by piece gets the next one
 * later. */
static bool is_pausing(struct viewer *v)
{
    if (v->h.format != HTTP_FORMAT_MSE ||
        v->client.v.state != HUB_VIEWER_CATCH_UP ||
        v->burst < VIEWER_BURST_BYTES)
        return false;
    if (!uv_is_active((uv_handle_t *)&v->late))
        uv_timer_start(&v->late, on_late, VIEWER_BURST_MS, 0);
    return true;
}

/* Nothing of the hub's is half out. */
static bool is_between(const struct viewer *v)
{
    return !v->client.stream || hub_viewer_at_boundary(&v->client.v);
}

/* Writes until the socket is full or there is nothing. -1: close. */
static int pump(struct viewer *v)
{
    for (;;) {
        int r;

        tell_mse(v);
        if (own_is_pending(&v->own) && is_between(v)) {
            r = write_own(v);
            if (r <= 0)
                return r;
            continue;
        }
        if (v->snapshot)
            return write_snapshot(v);
        if (v->ending && is_between(v))
            return -1;
        if (!hub_ready(v) || is_pausing(v))
            return 1;
        r = write_hub(v);
        if (r == 1 && (v->client.v.state == HUB_VIEWER_ENDED ||
                       v->client.v.state == HUB_VIEWER_CUT)) {
            if (!finish(v))
                return -1;
            continue;
        }
        if (r != 2)
            return r;
    }
}

static void on_stall(uv_timer_t *t)
{
    viewer_close(t->data);
}

static uint32_t write_ms(const struct viewer *v)
{
    return v->hooks->write_ms ? v->hooks->write_ms : VIEWER_WRITE_MS;
}

/* Begins, goes on or ends, as the last turn of writing went. */
static void watch_stall(struct viewer *v, bool full)
{
    uint32_t ms = write_ms(v);

    if (!full || !(own_is_pending(&v->own) || v->snapshot || v->ending)) {
        if (v->stalls)
            uv_timer_stop(&v->stall);
        v->stalls = false;
    } else if (v->moved || !v->stalls) {
        uv_timer_start(&v->stall, on_stall, ms, 0);
        v->stalls = true;
    }
}

/* Our Close is the last that is said. Closing at once would reset the connection
 * of a peer that still sends, and it might never see why. false: there is no
 * Close to be seen. */
static bool linger(struct viewer *v)
{
    uint32_t ms = write_ms(v);

    if (!v->h.websocket || !v->ending || own_is_pending(&v->own) ||
        shutdown(v->h.fd, SHUT_WR))
        return false;
    v->lingers = true;
    media_client_remove(&v->client);
    set_poll(v, false);
    uv_timer_start(&v->stall, on_stall,
                   ms < VIEWER_LINGER_MS ? ms : VIEWER_LINGER_MS, 0);
    return true;
}

static void write_some(struct viewer *v)
{
    int r;

    if (v->closing || v->lingers)
        return;
    v->moved = false;
    r = pump(v);
    if (r < 0 && linger(v))
        return;
    if (r < 0)
        viewer_close(v);
    if (v->closing)
        return;
    set_poll(v, r == 0);
    watch_stall(v, r == 0);
}

static void on_late(uv_timer_t *t)
{
    struct viewer *v = t->data;

    v->burst = 0;
    write_some(v);
}

/* Who takes a delay gets several frames in one write. */
static void on_wake(struct media_client *c)
{
    struct viewer *v = container_of(c, struct viewer, client);

    if (!v->h.delay_ms || v->closing || v->client.v.state != HUB_VIEWER_LIVE)
        write_some(v);
    else if (!uv_is_active((uv_handle_t *)&v->late))
        uv_timer_start(&v->late, on_late, v->h.delay_ms, 0);
}

/* ---- reading -------------------------------------------------------------------- */

/* Once: the player asks for all that it knows, and shall not wait for it. */
static void refuse_wish(struct viewer *v, struct slice type)
{
    char text[256];
    struct writer t = writer_of(text, sizeof(text));

    if (v->refused)
        return;
    v->refused = true;
    http_mse_refuse_write(&t, type);
    put_text(v, writer_slice(&t));
}

static int on_text(struct viewer *v)
{
    static const struct slice offer = SLICE_INIT("webrtc/offer");
    struct slice text = slice_of(v->wishes->text, v->wishes->text_len);
    struct http_mse_request r;

    /* It stands before the SDP, which is longer than what is kept. */
    if (slice_find_slice(slice_head(text, OFFER_WITHIN), offer) <
        slice_head(text, OFFER_WITHIN).n) {
        refuse_wish(v, offer);
        return 0;
    }
    if (v->wishes->text_cut || v->mse_wanted || http_mse_parse(&r, text))
        return 0; /* later wishes are not answered */
    if (!slice_eq(slice_str(r.type), SLICE("mse")))
        return 0;
    v->wishes->mse = r;
    v->mse_wanted = true;
    uv_timer_stop(&v->hello);
    return add_client(v);
}

static void keep_text(struct wishes *w, const struct ws_event *ev)
{
    size_t n = ev->data.n;

    if (ev->first) {
        w->text_len = 0;
        w->text_cut = false;
    }
    if (n > sizeof(w->text) - w->text_len) {
        n = sizeof(w->text) - w->text_len;
        w->text_cut = true;
    }
    if (n)
        memcpy(w->text + w->text_len, ev->data.p, n);
    w->text_len += n;
}

/* Our Close frame (RFC 6455 §5.5.1), behind the frame that is half out. */
static void end_ws(struct viewer *v, uint16_t code)
{
    struct writer w = own_writer(&v->own);

    ws_close_write(&w, code, (struct slice){ NULL, 0 });
    own_take(&v->own, &w);
    if (is_between(v))
        media_client_remove(&v->client);
    v->ending = true;
}

static int on_ws_event(struct viewer *v, const struct ws_event *ev)
{
    struct writer w;

    switch (ev->opcode) {
    case WS_TEXT:
        if (!v->wishes)
            return 0;
        keep_text(v->wishes, ev);
        return ev->last ? on_text(v) : 0;
    case WS_PING:
        w = own_writer(&v->own);
        ws_control_write(&w, WS_PONG, ev->data);
        return own_take(&v->own, &w) ? 0 : GB_ELIMIT;
    case WS_CLOSE:
        end_ws(v, ev->close_code == WS_CLOSE_NO_STATUS ? WS_CLOSE_NORMAL
                                                       : ev->close_code);
        return 0;
    case WS_CONTINUE:
    case WS_BINARY:
    case WS_PONG:
        return 0;
    }
    return 0;
}

/* 0, or an error that ends the connection. */
static int take_bytes(struct viewer *v, uint8_t *p, size_t n)
{
    if (!v->h.websocket) {
        v->junk += n;
        return v->junk > VIEWER_JUNK_MAX ? GB_ELIMIT : 0;
    }
    if (v->ending) /* our Close is the last frame */
        return 0;
    while (n) {
        struct ws_event ev;
        size_t used;
        int err = ws_feed(&v->ws, p, n, &used, &ev);

        p += used;
        n -= used;
        if (err == GB_EAGAIN)
            return 0;
        if (err) {
            end_ws(v, v->ws.fault);
            return 0;
        }
        err = on_ws_event(v, &ev);
        if (err)
            return err;
    }
    return 0;
}

static void read_some(struct viewer *v)
{
    uint8_t buf[VIEWER_READ_BYTES];
    ssize_t n = read(v->h.fd, buf, sizeof(buf));

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0 || take_bytes(v, buf, (size_t)n))
        viewer_close(v);
}

static void on_poll(uv_poll_t *p, int status, int events)
{
    struct viewer *v = p->data;

    if (status < 0) {
        viewer_close(v);
        return;
    }
    if (events & UV_READABLE)
        read_some(v);
    write_some(v);
}

static void on_hello(uv_timer_t *t)
{
    viewer_close(t->data); /* it never said what it wants */
}

/* ---- the beginning ------------------------------------------------------------- */

static const struct http_problem no_program = {
    .status = 409, .code = "no-program-stream",
    .detail = "the device sends no program stream",
    .hint = SLICE_INIT("take .ts or .mp4, or set the stream of the device to "
                       "GB/T 28181 (PS)"),
};
static const struct http_problem no_room = {
    .status = 503, .detail = "the stream is gone, or takes no more viewers",
};

static int64_t now_utc_ms(void)
{
    return (int64_t)time(NULL) * 1000;
}

/* Instead of the head that begin() has written. */
static void refuse(struct viewer *v, const struct http_problem *p)
{
    struct writer w;
    struct buf body;

    buf_init(&body, &gb_alloc_heap, OWN_MAX / 2);
    http_problem_write(&body, p);
    own_fini(&v->own);
    w = own_writer(&v->own);
    writer_f(&w, "HTTP/1.1 %u %s\r\nDate: ", p->status, http_reason(p->status));
    http_date_write(&w, now_utc_ms());
    writer_f(&w, "\r\nContent-Type: " HTTP_PROBLEM_TYPE "\r\n"
                 "Access-Control-Allow-Origin: *\r\nContent-Length: %u\r\n"
                 "Connection: close\r\n\r\n",
             (unsigned)body.len);
    writer_slice_put(&w, buf_view(&body));
    own_take(&v->own, &w);
    buf_fini(&body);
    v->ending = true;
}

static int begin(struct viewer *v)
{
    struct writer w = own_writer(&v->own);
    int64_t utc_ms = now_utc_ms();

    if (v->h.format == HTTP_FORMAT_FRAME) {
        int err = media_loop_snapshot(v->loop, v->h.session, &v->snapshot);

        if (err)
            return err;
        http_stream_head_write_len(&w, http_format_type(v->h.format),
                                   media_chunk_size(v->snapshot, MEDIA_PLAIN),
                                   false, utc_ms);
        return own_take(&v->own, &w) ? 0 : GB_ENOMEM;
    }
    if (v->h.format == HTTP_FORMAT_PS &&
        !media_loop_has_program(v->loop, v->h.session))
        return GB_EUNSUPPORTED;
    if (v->h.websocket)
        http_stream_ws_head_write(&w, v->h.accept, slice_str(v->h.protocol));
    else if (is_chunked(v))
        http_stream_head_write_chunked(&w, v->h.format, utc_ms);
    else
        http_stream_head_write(&w, v->h.format, utc_ms);
    if (!own_take(&v->own, &w))
        return GB_ENOMEM;
    if (v->h.format == HTTP_FORMAT_MSE) {
        uv_timer_start(&v->hello, on_hello, VIEWER_HELLO_MS, 0);
        return 0;
    }
    return add_client(v);
}

static void deliver_start(struct mail *m)
{
    struct viewer *v = container_of(m, struct viewer, mail);
    uv_loop_t *uv = media_loop_uv(v->loop);
    int err;

    gather_prepare(v->h.fd);
    ws_init(&v->ws, 0);
    uv_timer_init(uv, &v->hello);
    uv_timer_init(uv, &v->stall);
    uv_timer_init(uv, &v->late);
    v->hello.data = v->late.data = v->stall.data = v->poll.data = v;
    v->open_handles = 3;
    if (uv_poll_init(uv, &v->poll, v->h.fd)) {
        v->closing = true;
        uv_close((uv_handle_t *)&v->hello, on_handle_closed);
        uv_close((uv_handle_t *)&v->late, on_handle_closed);
        uv_close((uv_handle_t *)&v->stall, on_handle_closed);
        return;
    }
    v->open_handles++;
    v->client.on_wake = on_wake;
    v->client.on_stop = on_stop;
    v->client.who = v->h.who;
    media_client_join(v->loop, &v->client);
    uv_poll_start(&v->poll, UV_READABLE, on_poll);
    err = begin(v);
    if (err)
        refuse(v, err == GB_EUNSUPPORTED ? &no_program : &no_room);
    else if (v->h.n_unread &&
             take_bytes(v, (uint8_t *)v->h.unread, v->h.n_unread))
        viewer_close(v);
    write_some(v);
}

int viewer_start(struct media_net *n, const struct viewer_hooks *hooks,
                 const struct http_handover *h)
{
    struct viewer *v = calloc(1, sizeof(*v));

    if (!v)
        return GB_ENOMEM;
    v->net = n;
    v->loop = media_net_loop(n, h->loop);
    v->hooks = hooks;
    v->h = *h;
    v->mail.deliver = deliver_start;
    if (h->format == HTTP_FORMAT_MSE)
        v->wishes = calloc(1, sizeof(*v->wishes));
    if ((v->wishes || h->format != HTTP_FORMAT_MSE) && v->loop &&
        media_net_post(n, h->loop, &v->mail))
        return 0;
    free(v->wishes);
    free(v);
    return GB_ELIMIT;
}
