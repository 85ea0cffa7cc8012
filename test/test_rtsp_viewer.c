/* RTSP viewers on a media loop that runs in its own thread, fed by a camera's
 * sender through a real socket. Time is real and short. */
#include "app/rtsp/viewer.h"

#include "app/device/sender.h"
#include "app/net/sockaddr.h"
#include "test/guarded_loop.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define SILENCE_MS 400
#define STALL_MS 500
#define PATIENT_MS 600000
#define SESSION 77
#define URL "rtsp://h/1/2"

static struct {
    struct media_net *media;
    struct rtsp_viewer_hooks hooks;
    unsigned gone, opened, keys;
    int gone_fd;
    char gone_text[256];
    bool closed;
    /* the camera */
    int cam;
    uint16_t port;
    struct slice bytes;
    struct clip clip;
    struct sound sound;
    struct sender *sender;
    uint64_t cam_ms;
} t;

static void on_event(void *ctx, const struct platform_media_event *ev)
{
    (void)ctx;
    t.opened += ev->kind == PLATFORM_MEDIA_OPENED;
    t.keys += ev->kind == PLATFORM_MEDIA_KEY;
    if (ev->kind == PLATFORM_MEDIA_REFUSED)
        t.port = 0;
}

static void on_gone(void *ctx, const struct rtsp_handover *h)
{
    (void)ctx;
    assert_int_equal(h->session, SESSION);
    t.gone++;
    t.gone_fd = h->fd;
    t.gone_text[0] = '\0';
    if (h->fd < 0)
        return;
    slice_copy(t.gone_text, sizeof(t.gone_text),
               slice_of(h->unread, h->n_unread));
    close(h->fd);
    free(h->unread);
}

/* ---- the camera --------------------------------------------------------- */

static void order(enum platform_action_kind kind)
{
    struct platform_action a = { .kind = kind, .session = SESSION,
                                 .port = t.port, .transport = PLATFORM_UDP };

    assert_int_equal(gb_addr_parse_ip(&a.remote, SLICE("127.0.0.1")), 0);
    media_net_order(t.media, &a, NULL);
}

static void camera_open(void)
{
    struct sender_options o = { .alloc = &gb_alloc_heap, .clip = &t.clip,
                                .sound = &t.sound, .ssrc = 1, .pt = 96 };
    struct gb_addr to;
    struct sockaddr_storage ss;
    socklen_t len;

    for (unsigned i = 0; t.opened == 0 && i < 200; i++) {
        t.port = test_port(i);
        order(PLATFORM_DO_OPEN);
        RUN_UNTIL(t.opened || !t.port);
    }
    assert_int_equal(t.opened, 1);
    gb_addr_parse_ip(&to, SLICE("127.0.0.1"));
    to.port = t.port;
    len = sockaddr_of(&ss, &to, false);
    t.cam = socket(AF_INET, SOCK_DGRAM, 0);
    assert_int_equal(connect(t.cam, (struct sockaddr *)&ss, len), 0);
    t.bytes = read_file("test/data/clip/clock.h264");
    assert_int_equal(clip_init(&t.clip, &gb_alloc_heap, t.bytes, 25), 0);
    assert_int_equal(sound_init(&t.sound, PS_CODEC_G711A,
                                (struct slice){ 0 }), 0);
    t.cam_ms = 1000;
    assert_int_equal(sender_new(&t.sender, &o, t.cam_ms), 0);
}

/* So many pictures, as fast as the loop takes them. */
static void film(unsigned pictures)
{
    struct sender_counters c;
    uint64_t want;

    sender_counters(t.sender, &c);
    want = c.frames + pictures;
    while (c.frames < want) {
        struct sender_packet p;

        t.cam_ms += 20;
        while (sender_next(t.sender, &p, t.cam_ms)) {
            uint8_t buf[2000];

            assert_true(p.head_len + p.n <= sizeof(buf));
            memcpy(buf, p.head, p.head_len);
            memcpy(buf + p.head_len, p.payload, p.n);
            send(t.cam, buf, p.head_len + p.n, 0);
        }
        sender_counters(t.sender, &c);
        poll(NULL, 0, 1); /* for the other thread to read */
        uv_run(&loop.uv, UV_RUN_NOWAIT);
    }
}

static int serve(uint32_t silence_ms, uint32_t stall_ms)
{
    struct media_net_config cfg = { .main = &loop.uv, .loops = 1,
                                    .any_source = true,
                                    .hub = { .stall_ms = stall_ms },
                                    .on_event = on_event };

    memset(&t, 0, sizeof(t));
    loop_begin();
    t.hooks = (struct rtsp_viewer_hooks){ .on_gone = on_gone,
                                          .silence_ms = silence_ms };
    assert_int_equal(media_net_new(&t.media, &cfg, NULL), 0);
    camera_open();
    film(60); /* a key frame and some more are cached; the tracks are known */
    RUN_UNTIL(t.keys);
    return 0;
}

static int setup(void **state)
{
    (void)state;
    return serve(PATIENT_MS, PATIENT_MS);
}

static int setup_silence(void **state)
{
    (void)state;
    return serve(SILENCE_MS, PATIENT_MS);
}

static int setup_stall(void **state)
{
    (void)state;
    return serve(PATIENT_MS, STALL_MS);
}

static void on_closed(void *ctx)
{
    (void)ctx;
    t.closed = true;
}

static int teardown(void **state)
{
    (void)state;
    media_net_close(t.media, on_closed, NULL);
    loop_drain(&t.closed);
    sender_free(t.sender);
    clip_fini(&t.clip);
    free((void *)(uintptr_t)t.bytes.p);
    close(t.cam);
    return t.closed ? loop_end() : -1;
}

/* ---- a client ----------------------------------------------------------- */

struct client {
    int fd;
    unsigned cseq;
    char session[40];
    size_t n;
    uint8_t in[1 << 20];
};

static struct client c1, c2;

/* A connection that begins with this request. */
static void watch(struct client *c, uint64_t session, const char *request)
{
    struct rtsp_handover h = { .session = session, .device = "1",
                               .channel = "2" };
    int fd[2];

    gb_addr_parse_ip(&h.local, SLICE("127.0.0.1"));
    gb_addr_parse_ip(&h.remote, SLICE("127.0.0.1"));
    assert_int_equal(
        socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd), 0);
    h.fd = fd[0];
    h.n_unread = strlen(request);
    h.unread = malloc(h.n_unread);
    memcpy(h.unread, request, h.n_unread);
    memset(c, 0, sizeof(*c));
    c->fd = fd[1];
    c->cseq = 1;
    assert_int_equal(rtsp_viewer_start(t.media, &t.hooks, &h), 0);
}

/* Reads what is there; false at the end. */
static bool read_more(struct client *c)
{
    struct pollfd p = { c->fd, POLLIN, 0 };
    ssize_t n;

    poll(&p, 1, 20);
    n = read(c->fd, c->in + c->n, sizeof(c->in) - c->n);
    uv_run(&loop.uv, UV_RUN_NOWAIT);
    if (n > 0)
        c->n += (size_t)n;
    return n > 0 || (n < 0 && errno == EAGAIN);
}

static void drop(struct client *c, size_t n)
{
    memmove(c->in, c->in + n, c->n - n);
    c->n -= n;
}

/* The next frame: its channel, or -1 when text or nothing comes first. */
static int frame_at(const struct client *c, size_t *len)
{
    if (c->n < 4 || c->in[0] != '$')
        return -1;
    *len = 4 + ((size_t)c->in[2] << 8 | c->in[3]);
    return *len <= c->n ? c->in[1] : -1;
}

/* The answer, frames before it are passed over; its text until the next call. */
static const char *answer(struct client *c)
{
    static char text[8192];
    size_t len;

    for (;;) {
        struct slice in = slice_of((char *)c->in, c->n);
        size_t end = slice_find_slice(in, SLICE("\r\n\r\n"));
        size_t at, body = 0;
        struct slice head;

        if (frame_at(c, &len) >= 0) {
            drop(c, len);
            continue;
        }
        if (in.n && in.p[0] == 'R' && end < in.n) {
            head = slice_head(in, end);
            at = slice_find_slice(head, SLICE("Content-Length: "));
            if (at < head.n)
                body = strtoul(head.p + at + 16, NULL, 10);
            if (end + 4 + body <= c->n) {
                slice_copy(text, sizeof(text), slice_head(in, end + 4 + body));
                drop(c, end + 4 + body);
                at = slice_find_slice(head, SLICE("Session: "));
                if (strstr(text, "Session: "))
                    sscanf(strstr(text, "Session: "), "Session: %16s",
                           c->session);
                return text;
            }
        }
        if (!read_more(c) || loop.late)
            fail_msg("no answer: %.*s", (int)(c->n < 80 ? c->n : 80), c->in);
    }
}

static const char *ask(struct client *c, const char *method, const char *url,
                       const char *lines)
{
    char text[1024];
    struct writer w = writer_of(text, sizeof(text));

    writer_f(&w, "%s %s RTSP/1.0\r\nCSeq: %u\r\n", method, url, ++c->cseq);
    if (c->session[0])
        writer_f(&w, "Session: %s\r\n", c->session);
    writer_f(&w, "%s\r\n", lines);
    assert_int_equal(write(c->fd, text, w.len), (ssize_t)w.len);
    return answer(c);
}

static void expect_status(const char *text, unsigned status)
{
    char want[32];

    snprintf(want, sizeof(want), "RTSP/1.0 %u ", status);
    if (strncmp(text, want, strlen(want)) != 0)
        fail_msg("wanted %u: %.200s", status, text);
}

#define DESCRIBE "DESCRIBE " URL " RTSP/1.0\r\nCSeq: 1\r\n\r\n"
#define TCP(n) "Transport: RTP/AVP/TCP;unicast;interleaved=" n "\r\n"

static void play_tcp(struct client *c, const char *video, const char *audio)
{
    watch(c, SESSION, DESCRIBE);
    expect_status(answer(c), 200);
    if (video)
        expect_status(ask(c, "SETUP", URL "/trackID=0", video), 200);
    if (audio)
        expect_status(ask(c, "SETUP", URL "/trackID=1", audio), 200);
}

static unsigned number_behind(const char *text, const char *word)
{
    const char *at = strstr(text, word);

    if (!at)
        fail_msg("no %s in %s", word, text);
    return (unsigned)strtoul(at + strlen(word), NULL, 10);
}

/* Until a frame on this channel has come; those before it must be allowed. */
static void next_on(struct client *c, int channel, unsigned allowed,
                    uint8_t out[static 16])
{
    for (;;) {
        size_t len;
        int got = frame_at(c, &len);

        if (got < 0) {
            if (!read_more(c) || loop.late)
                fail_msg("no frame on %d", channel);
            continue;
        }
        if (got >= 16 || !(allowed >> got & 1))
            fail_msg("a frame on %d", got);
        memcpy(out, c->in + 4, 16);
        drop(c, len);
        if (got == channel)
            return;
    }
}

/* ---- tests -------------------------------------------------------------- */

/* Described, set up, played: what comes begins where RTP-Info says, and a second
 * viewer is sent the same packets. */
static void interleaved(void **state)
{
    uint8_t first[16], other[16];
    const char *text;

    (void)state;
    watch(&c1, SESSION, DESCRIBE);
    text = answer(&c1);
    expect_status(text, 200);
    assert_true(text_has(text, "a=rtpmap:96 H264/90000") &&
                text_has(text, "a=rtpmap:8 PCMA/8000"));
    expect_status(ask(&c1, "SETUP", URL "/trackID=0", TCP("0-1")), 200);
    expect_status(ask(&c1, "SETUP", URL "/trackID=1", TCP("2-3")), 200);
    text = ask(&c1, "PLAY", URL "/", "");
    expect_status(text, 200);
    assert_true(number_behind(text, "trackID=0;seq=") <= 65535);
    {
        unsigned seq = number_behind(text, "trackID=0;seq=");
        unsigned audio = number_behind(text, "trackID=1;seq=");

        next_on(&c1, 0, 0xf, first);
        assert_int_equal(first[2] << 8 | first[3], seq);
        next_on(&c1, 2, 0xf, other);
        assert_int_equal(other[2] << 8 | other[3], audio);
    }
    play_tcp(&c2, TCP("0-1"), NULL);
    expect_status(ask(&c2, "PLAY", URL, ""), 200);
    next_on(&c2, 0, 0x3, other); /* no sound: it has set up none */
    assert_memory_equal(first, other, 16);
    film(10);
    next_on(&c2, 0, 0x3, other);
    close(c1.fd);
    RUN_UNTIL(t.gone == 1);
    expect_status(ask(&c2, "TEARDOWN", URL, ""), 200);
    RUN_UNTIL(t.gone == 2);
    while (read_more(&c2))
        ;
    close(c2.fd);
}

/* Channels of its own choice, and sound alone. */
static void own_channels(void **state)
{
    uint8_t p[16];

    (void)state;
    play_tcp(&c1, TCP("9-8"), TCP("4-5"));
    expect_status(ask(&c1, "PLAY", URL, ""), 200);
    next_on(&c1, 9, 1u << 9 | 1u << 8 | 1u << 4 | 1u << 5, p);
    assert_int_equal(p[1] & 0x7f, 96);
    play_tcp(&c2, NULL, TCP("0-1"));
    expect_status(ask(&c2, "PLAY", URL, ""), 200);
    next_on(&c2, 0, 0x3, p);
    assert_int_equal(p[1] & 0x7f, 8);
    film(30);
    next_on(&c2, 0, 0x3, p);
    assert_int_equal(p[1] & 0x7f, 8);
    close(c1.fd);
    close(c2.fd);
    RUN_UNTIL(t.gone == 2);
}

static void paused(void **state)
{
    uint8_t p[16];
    size_t len;

    (void)state;
    play_tcp(&c1, TCP("0-1"), TCP("2-3"));
    for (int i = 0; i < 3; i++) {
        expect_status(ask(&c1, "PLAY", URL, ""), 200);
        next_on(&c1, 0, 0xf, p);
        expect_status(ask(&c1, "PAUSE", URL, ""), 200);
        /* nothing comes but what went before the answer */
        film(3);
        expect_status(ask(&c1, "GET_PARAMETER", URL, ""), 200);
        read_more(&c1);
        assert_int_equal(frame_at(&c1, &len), -1);
        assert_int_equal(c1.n, 0);
    }
    close(c1.fd);
    RUN_UNTIL(t.gone == 1);
}

/* ---- UDP ---- */

static int udp_socket(uint16_t *port)
{
    struct sockaddr_storage ss;
    struct gb_addr a;
    socklen_t len;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);

    gb_addr_parse_ip(&a, SLICE("127.0.0.1"));
    len = sockaddr_of(&ss, &a, false);
    assert_int_equal(bind(fd, (struct sockaddr *)&ss, len), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&ss, &len), 0);
    sockaddr_read(&a, (struct sockaddr *)&ss);
    *port = a.port;
    return fd;
}

static ssize_t udp_read(int fd, uint8_t *p, size_t n, int wait_ms)
{
    struct pollfd pfd = { fd, POLLIN, 0 };
    ssize_t got;

    poll(&pfd, 1, wait_ms);
    got = recv(fd, p, n, 0);
    uv_run(&loop.uv, UV_RUN_NOWAIT);
    return got;
}

static void send_to(int fd, uint16_t port, const char *text)
{
    struct sockaddr_storage ss;
    struct gb_addr a;
    socklen_t len;

    gb_addr_parse_ip(&a, SLICE("127.0.0.1"));
    a.port = port;
    len = sockaddr_of(&ss, &a, false);
    assert_true(sendto(fd, text, strlen(text), 0, (struct sockaddr *)&ss,
                       len) > 0);
}

/* The picture alone, over UDP: the server's port. */
static unsigned play_udp(uint16_t rtp, uint16_t rtcp)
{
    char line[128];
    unsigned port;
    const char *text;

    watch(&c1, SESSION, DESCRIBE);
    expect_status(answer(&c1), 200);
    snprintf(line, sizeof(line),
             "Transport: RTP/AVP;unicast;client_port=%u-%u\r\n", rtp, rtcp);
    text = ask(&c1, "SETUP", URL "/trackID=0", line);
    expect_status(text, 200);
    port = number_behind(text, "server_port=");
    assert_true(port && port % 2 == 0);
    expect_status(ask(&c1, "PLAY", URL, ""), 200);
    return port;
}

/* Packets come in order and whole; a packet from another port of its address
 * opens a NAT. */
static void over_udp(void **state)
{
    uint16_t rtp, rtcp, other;
    int fd[3] = { udp_socket(&rtp), udp_socket(&rtcp), udp_socket(&other) };
    unsigned port, n = 0;
    uint16_t seq = 0;
    uint8_t p[2000];
    ssize_t got;

    (void)state;
    port = play_udp(rtp, rtcp);
    while (n < 5) { /* the cache */
        RUN_UNTIL((got = udp_read(fd[0], p, sizeof(p), 20)) > 0);
        assert_true(got > 12 && got <= 12 + RTPMUX_PAYLOAD_MAX);
        if (n++)
            assert_int_equal(p[2] << 8 | p[3], (uint16_t)(seq + 1));
        seq = (uint16_t)(p[2] << 8 | p[3]);
    }
    RUN_UNTIL((got = udp_read(fd[1], p, sizeof(p), 20)) > 28);
    assert_int_equal(p[1], 200); /* a report */
    send_to(fd[2], (uint16_t)port, "hole");
    film(2);
    RUN_UNTIL(udp_read(fd[2], p, sizeof(p), 20) > 12);
    for (int i = 0; i < 3; i++)
        close(fd[i]);
    close(c1.fd);
    RUN_UNTIL(t.gone == 1);
}

/* Something else at its address sends first: of another session, whose port this
 * was. The viewer's own word counts, and for good. */
static void over_udp_beside_others(void **state)
{
    uint16_t rtp, rtcp, other;
    int fd[3] = { udp_socket(&rtp), udp_socket(&rtcp), udp_socket(&other) };
    uint8_t p[2000];
    unsigned port;

    (void)state;
    port = play_udp(rtp, rtcp);
    send_to(fd[2], (uint16_t)port, "late");
    film(2);
    RUN_UNTIL(udp_read(fd[2], p, sizeof(p), 20) > 12);
    send_to(fd[0], (uint16_t)port, "hole");
    for (int i = 0; i < 5; i++) { /* all that was on its way is read */
        film(1);
        while (udp_read(fd[0], p, sizeof(p), 20) > 0)
            ;
    }
    send_to(fd[2], (uint16_t)port, "late");
    film(2);
    RUN_UNTIL(udp_read(fd[0], p, sizeof(p), 20) > 12);
    for (int i = 0; i < 3; i++)
        close(fd[i]);
    close(c1.fd);
    RUN_UNTIL(t.gone == 1);
}

/* RTCP, longer than it may be silent; the longest time between two. */
static uint64_t speak_rtcp(int fd, uint16_t port)
{
    uint64_t last_ms = uv_hrtime() / 1000000, longest_ms = 0;
    uint8_t p[2000];

    for (int i = 0; i < 16 && t.gone == 0; i++) {
        uint64_t now_ms;

        send_to(fd, port, "RTCP");
        udp_read(fd, p, sizeof(p), SILENCE_MS / 8);
        udp_read(fd, p, sizeof(p), SILENCE_MS / 8);
        now_ms = uv_hrtime() / 1000000;
        longest_ms = now_ms - last_ms > longest_ms ? now_ms - last_ms
                                                   : longest_ms;
        last_ms = now_ms;
    }
    return longest_ms;
}

/* RTCP keeps the viewer, silence ends it; a time in which the machine kept us
 * silent says nothing. */
static void silence(void **state)
{
    uint16_t rtp, rtcp;
    int fd[2] = { udp_socket(&rtp), udp_socket(&rtcp) };
    bool kept = false;

    (void)state;
    while (!kept) {
        unsigned port;
        uint64_t longest_ms, from_ms;

        t.gone = 0;
        from_ms = uv_hrtime() / 1000000;
        port = play_udp(rtp, rtcp);
        longest_ms = speak_rtcp(fd[1], (uint16_t)(port + 1));
        kept = t.gone == 0;
        if (!kept && longest_ms < SILENCE_MS / 2)
            fail_msg("gone, and silent for %u ms", (unsigned)longest_ms);
        RUN_UNTIL(t.gone == 1);
        assert_true(uv_hrtime() / 1000000 - from_ms > SILENCE_MS);
        while (read_more(&c1))
            ;
        close(c1.fd);
    }
    close(fd[0]);
    close(fd[1]);
}

static void ask_udp(int track, uint16_t rtp, uint16_t rtcp)
{
    char line[128];

    snprintf(line, sizeof(line),
             "Transport: RTP/AVP;unicast;client_port=%u-%u\r\n", rtp, rtcp);
    expect_status(ask(&c1, "SETUP", track ? URL "/trackID=1" : URL "/trackID=0",
                      line), 200);
}

/* It has set up both, and then sound alone: no picture goes. */
static void over_udp_anew(void **state)
{
    uint16_t port[4];
    int fd[4];
    uint8_t p[2000];

    (void)state;
    for (int i = 0; i < 4; i++)
        fd[i] = udp_socket(&port[i]);
    watch(&c1, SESSION, DESCRIBE);
    expect_status(answer(&c1), 200);
    ask_udp(0, port[0], port[1]);
    ask_udp(1, port[2], port[3]);
    c1.session[0] = '\0';
    ask_udp(1, port[2], port[3]);
    expect_status(ask(&c1, "PLAY", URL, ""), 200);
    RUN_UNTIL(udp_read(fd[2], p, sizeof(p), 20) > 12);
    film(30);
    RUN_UNTIL(udp_read(fd[2], p, sizeof(p), 20) > 12);
    assert_int_equal(udp_read(fd[0], p, sizeof(p), 100), -1);
    for (int i = 0; i < 4; i++)
        close(fd[i]);
    close(c1.fd);
    RUN_UNTIL(t.gone == 1);
}

/* ---- ends ---- */

static void ends(void **state)
{
    static const struct {
        const char *name;
        uint64_t session;
        const char *request, *want;
        bool goes; /* the connection ends */
    } cases[] = {
        { "no such stream", SESSION + 0, DESCRIBE, "RTSP/1.0 200 ", false },
        { "no framing", SESSION, "PLAY / RTSP/1.0\r\nCSeq: 1\r\nX\r\n\r\n",
          "RTSP/1.0 400 ", true },
        { "play at once", SESSION, "PLAY " URL " RTSP/1.0\r\nCSeq: 1\r\n\r\n",
          "RTSP/1.0 454 ", false },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        const char *text;

        t.gone = 0;
        watch(&c1, cases[i].session, cases[i].request);
        text = answer(&c1);
        if (strncmp(text, cases[i].want, strlen(cases[i].want)) != 0)
            fail_msg("%s: %.100s", cases[i].name, text);
        if (!cases[i].goes)
            assert_int_equal(t.gone, 0);
        else
            while (read_more(&c1))
                ;
        close(c1.fd);
        RUN_UNTIL(t.gone == 1);
    }
}

/* Another stream: the connection comes back with its request. */
static void comes_back(void **state)
{
    static const char other[] = "DESCRIBE rtsp://h/1/3 RTSP/1.0\r\nCSeq: 9\r\n"
                                "\r\nOPTIONS";

    (void)state;
    watch(&c1, SESSION, DESCRIBE);
    expect_status(answer(&c1), 200);
    assert_int_equal(write(c1.fd, other, sizeof(other) - 1),
                     sizeof(other) - 1);
    RUN_UNTIL(t.gone == 1);
    assert_true(t.gone_fd >= 0);
    assert_string_equal(t.gone_text, other);
    close(c1.fd);
}

/* A viewer that does not read is skipped, then cut, and others are not
 * slowed. */
static void does_not_read(void **state)
{
    (void)state;
    play_tcp(&c1, TCP("0-1"), TCP("2-3"));
    play_tcp(&c2, TCP("0-1"), NULL);
    expect_status(ask(&c2, "PLAY", URL, ""), 200);
    assert_true(dprintf(c1.fd, "PLAY " URL " RTSP/1.0\r\nCSeq: 7\r\n"
                               "Session: %s\r\n\r\n", c1.session) > 0);
    while (t.gone == 0 && !loop.late) {
        film(25);
        c2.n = c2.n > sizeof(c2.in) / 2 ? 0 : c2.n;
        read_more(&c2);
    }
    assert_int_equal(t.gone, 1);
    film(5);
    c2.n = 0;
    assert_true(read_more(&c2)); /* it is still there */
    close(c1.fd);
    close(c2.fd);
    RUN_UNTIL(t.gone == 2);
}

/* The stream ends: a BYE for each track, then the connection. */
static void says_bye(void **state)
{
    size_t len = 0;
    unsigned byes = 0;

    (void)state;
    play_tcp(&c1, TCP("0-1"), TCP("2-3"));
    expect_status(ask(&c1, "PLAY", URL, ""), 200);
    order(PLATFORM_DO_CLOSE);
    media_net_forget(t.media, SESSION, 0);
    while (read_more(&c1))
        ;
    while (frame_at(&c1, &len) >= 0) {
        byes += c1.in[1] % 2 && c1.in[4 + 8 + 1] == 203;
        drop(&c1, len);
    }
    assert_int_equal(c1.n, 0);
    assert_int_equal(byes, 2);
    RUN_UNTIL(t.gone == 1);
    close(c1.fd);
}

/* With viewers in every state. */
static void loop_ends(void **state)
{
    (void)state;
    play_tcp(&c1, TCP("0-1"), TCP("2-3"));
    expect_status(ask(&c1, "PLAY", URL, ""), 200);
    watch(&c2, SESSION, DESCRIBE);
    expect_status(answer(&c2), 200);
    close(c1.fd);
    close(c2.fd); /* the rest is torn down */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(interleaved, setup, teardown),
        cmocka_unit_test_setup_teardown(own_channels, setup, teardown),
        cmocka_unit_test_setup_teardown(paused, setup, teardown),
        cmocka_unit_test_setup_teardown(over_udp, setup, teardown),
        cmocka_unit_test_setup_teardown(silence, setup_silence, teardown),
        cmocka_unit_test_setup_teardown(over_udp_anew, setup, teardown),
        cmocka_unit_test_setup_teardown(over_udp_beside_others, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(ends, setup, teardown),
        cmocka_unit_test_setup_teardown(comes_back, setup, teardown),
        cmocka_unit_test_setup_teardown(does_not_read, setup_stall, teardown),
        cmocka_unit_test_setup_teardown(says_bye, setup, teardown),
        cmocka_unit_test_setup_teardown(loop_ends, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
