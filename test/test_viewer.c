/* Viewers that do not read: their descriptors come back. A media loop runs in
 * its own thread, the sockets are pairs; time is real and short. */
#include "app/http/viewer.h"
#include "app/http/ws.h"

#include "app/net/media_int.h"
#include "test/guarded_loop.h"
#include "test/media.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define WRITE_MS 150
#define PATIENT_MS 600000

static struct {
    struct media_net *media;
    struct viewer_hooks hooks;
    unsigned gone;
    bool closed;
} t;

static void on_event(void *ctx, const struct platform_media_event *ev)
{
    (void)ctx;
    (void)ev;
}

static void on_gone(void *ctx, const struct http_handover *h)
{
    (void)ctx;
    assert_int_equal(h->session, 77);
    t.gone++;
}

static int setup(void **state)
{
    struct media_net_config cfg = { .main = &loop.uv, .loops = 1,
                                    .on_event = on_event };

    (void)state;
    memset(&t, 0, sizeof(t));
    loop_begin();
    t.hooks = (struct viewer_hooks){ .on_gone = on_gone,
                                     .write_ms = PATIENT_MS };
    return media_net_new(&t.media, &cfg, NULL);
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
    return t.closed ? loop_end() : -1;
}

/* A viewer of a session that does not exist; returns our end. full: its
 * socket takes no byte until we read. */
static uint64_t watcher; /* whom the next one is for */

static int watch(enum http_format format, bool websocket, bool full)
{
    struct http_handover h = { .session = 77, .who = watcher, .format = format,
                               .websocket = websocket, .minor = 1 };
    static const char junk[4096];
    int fd[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd),
                     0);
    while (full && write(fd[0], junk, sizeof(junk)) > 0)
        ;
    h.fd = fd[0];
    assert_int_equal(viewer_start(t.media, &t.hooks, &h), 0);
    return fd[1];
}

/* What can be read, without the zeros that filled it. */
static size_t drain(int fd, char *out, size_t cap)
{
    static char bytes[65536];
    size_t n = 0;
    ssize_t got;

    while ((got = read(fd, bytes, sizeof(bytes))) > 0)
        for (ssize_t i = 0; i < got; i++)
            if (bytes[i] && n + 1 < cap)
                out[n++] = bytes[i];
    out[n] = '\0';
    return n;
}

static void stalled(void **state)
{
    static const struct {
        enum http_format format;
        bool websocket;
    } cases[] = {
        { HTTP_FORMAT_FLV, false }, { HTTP_FORMAT_FLV, true },
        { HTTP_FORMAT_FRAME, false },
        { HTTP_FORMAT_MSE, true }, /* its head is not taken */
    };
    char text[1024];

    (void)state;
    t.hooks.write_ms = WRITE_MS;
    for (size_t i = 0; i < COUNT(cases); i++) {
        uint64_t from_ms = uv_hrtime() / 1000000;
        int fd = watch(cases[i].format, cases[i].websocket, true);

        t.gone = 0;
        RUN_UNTIL(t.gone == 1);
        if (uv_hrtime() / 1000000 - from_ms < WRITE_MS)
            fail_msg("case %zu: cut at once", i);
        assert_int_equal(drain(fd, text, sizeof(text)), 0);
        assert_int_equal(read(fd, text, 1), 0);
        close(fd);
    }
}

/* The account is over: its viewers go, at once and they alone, whether they have
 * come to their loop before or are on their way. */
static void dismissed(void **state)
{
    char byte;
    int fd[3];

    (void)state;
    for (int i = 0; i < 3; i++) {
        watcher = (uint64_t)i;
        fd[i] = watch(HTTP_FORMAT_MSE, true, true);
    }
    watcher = 0;
    t.gone = 0;
    assert_true(media_net_dismiss(t.media, 0)); /* nobody's stay */
    assert_true(media_net_dismiss(t.media, 2));
    RUN_UNTIL(t.gone == 1);
    while (read(fd[2], &byte, 1) > 0)
        ;
    assert_int_equal(read(fd[2], &byte, 1), 0);
    assert_true(media_net_dismiss(t.media, 9));
    assert_true(media_net_dismiss(t.media, 1));
    RUN_UNTIL(t.gone == 2);
    close(fd[0]); /* that of nobody: by itself */
    RUN_UNTIL(t.gone == 3);
    close(fd[1]);
    close(fd[2]);
}

/* What is no frame of a client is answered with the Close that names it. */
static void no_frames(void **state)
{
    static const struct {
        const char *bytes;
        uint8_t n;
        uint16_t code;
    } cases[] = {
        { "\x81\x05Hello", 7, WS_CLOSE_PROTOCOL },         /* no mask */
        { "\xc1\x80\1\2\3\4", 6, WS_CLOSE_PROTOCOL },      /* RSV1 */
        { "\x81\x81\1\1\1\1\xfe", 7, WS_CLOSE_BAD_DATA },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        const uint8_t want[] = { 0x88, 2, (uint8_t)(cases[i].code >> 8),
                                 (uint8_t)cases[i].code };
        int fd = watch(HTTP_FORMAT_MSE, true, false);
        uint8_t got[1024];
        ssize_t n;

        t.gone = 0;
        assert_int_equal(write(fd, cases[i].bytes, cases[i].n), cases[i].n);
        RUN_UNTIL(t.gone == 1);
        n = read(fd, got, sizeof(got));
        assert_true(n > (ssize_t)sizeof(want));
        assert_memory_equal(got + n - sizeof(want), want, sizeof(want));
        close(fd);
    }
}

/* It says that it goes, and does not read the answer. */
static void stalled_goodbye(void **state)
{
    static const uint8_t bye[] = { 0x88, 0x80, 1, 2, 3, 4 };
    int fd;

    (void)state;
    t.hooks.write_ms = WRITE_MS;
    fd = watch(HTTP_FORMAT_MSE, true, true);
    assert_int_equal(write(fd, bye, sizeof(bye)), sizeof(bye));
    RUN_UNTIL(t.gone == 1);
    close(fd);
}

/* It goes on with what is no frame while the Close waits, which stays the last. */
static void one_close(void **state)
{
    static const char no_frame[] = "\x81\x05Hello";
    char got[1024] = "";
    size_t n = 0;
    int fd;

    (void)state;
    fd = watch(HTTP_FORMAT_MSE, true, true);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(write(fd, no_frame, 7), 7);
        uv_sleep(30);
    }
    while (t.gone == 0 && !loop.late) {
        n += drain(fd, got + n, sizeof(got) - n);
        uv_run(&loop.uv, UV_RUN_NOWAIT);
        uv_sleep(1);
    }
    n += drain(fd, got + n, sizeof(got) - n);
    assert_true(n > 4);
    assert_memory_equal(got + n - 4, "\x88\x02\x03\xea", 4);
    assert_null(memchr(got, '\x88', n - 4));
    close(fd);
}

/* It has sent more than was read of it: it sees the Close and the end all the
 * same, no reset. */
static void close_while_it_sends(void **state)
{
    static uint8_t much[65536] = "\x81\x05Hello";
    uint8_t got[1024];
    ssize_t n = 0, more;
    int fd;

    (void)state;
    fd = watch(HTTP_FORMAT_MSE, true, false);
    assert_int_equal(write(fd, much, sizeof(much)), sizeof(much));
    while ((more = read(fd, got + n, sizeof(got) - (size_t)n)) != 0 &&
           !loop.late) {
        if (more < 0)
            assert_int_equal(errno, EAGAIN);
        n += more > 0 ? more : 0;
        uv_run(&loop.uv, UV_RUN_NOWAIT);
    }
    assert_true(n > 4);
    assert_memory_equal(got + n - 4, "\x88\x02\x03\xea", 4);
    close(fd);
    RUN_UNTIL(t.gone == 1);
}

#define PICTURE_BYTES 600000 /* more than a socket takes */
#define N_PICTURES 3
#define APART_MS 300 /* of them: no sound is waited for behind the last */

/* On the media loop: a session of some large pictures. */
static void deliver_picture(struct mail *m)
{
    static char idr[PICTURE_BYTES] = AU_IDR;
    const struct slice nal[] = { S(AU_SPS), S(AU_PPS), { idr, sizeof(idr) } };
    struct media_loop *l = media_net_loop(t.media, 0);
    struct media_stream *s = media_stream_new(l, 77, -1);
    struct au_maker au;

    memset(idr + sizeof(AU_IDR) - 1, 0x55, sizeof(idr) - sizeof(AU_IDR) + 1);
    au_maker_init(&au);
    for (unsigned i = 0; s && i < N_PICTURES; i++)
        hub_au(s->hub,
               au_video(&au, PS_CODEC_H264, i * APART_MS * 90, nal, COUNT(nal)),
               uv_now(media_loop_uv(l)) - (N_PICTURES - 1 - i) * APART_MS);
    au_maker_fini(&au);
    free(m);
}

/* A session that is there, on its loop. */
static void with_a_picture(void)
{
    struct mail *m = calloc(1, sizeof(*m));

    assert_non_null(m);
    m->deliver = deliver_picture;
    assert_true(media_net_post(t.media, 0, m));
}

/* All that comes, in room for it. */
static size_t read_all(int fd, uint8_t *out, size_t cap)
{
    size_t n = 0;
    ssize_t got;

    while (!loop.late && (got = read(fd, out + n, cap - n)) != 0) {
        n += got > 0 ? (size_t)got : 0;
        uv_run(&loop.uv, UV_RUN_NOWAIT);
    }
    return n;
}

/* Where the last whole frame of ours begins; n: they do not fit. */
static size_t last_frame(const uint8_t *p, size_t n)
{
    const char *head = memmem(p, n, "\r\n\r\n", 4);
    size_t at = head ? (size_t)(head - (const char *)p) + 4 : n, last = n;

    while (n - at >= 2) {
        size_t ext = p[at + 1] == 127 ? 8 : p[at + 1] == 126 ? 2 : 0;
        size_t len = ext ? 0 : p[at + 1];

        for (size_t i = 0; i < ext && at + 2 + i < n; i++)
            len = len << 8 | p[at + 2 + i];
        if (n - at < 2 + ext || n - at - 2 - ext < len)
            return n;
        last = at;
        at += 2 + ext + len;
    }
    return at == n ? last : n;
}

/* A frame is half out: the Close comes behind it, whoever asked for it. */
static void close_behind_a_frame(void **state)
{
    static const struct {
        const char *bytes;
        size_t n;
        uint8_t want[4];
    } cases[] = {
        { "\x81\x05Hello", 7, { 0x88, 2, 3, 0xea } },
        { "\x88\x80\1\2\3\4", 6, { 0x88, 2, 3, 0xe8 } },
    };
    uint8_t *got = malloc(2 * PICTURE_BYTES);

    (void)state;
    assert_non_null(got);
    with_a_picture();
    for (size_t i = 0; i < COUNT(cases); i++) {
        int fd = watch(HTTP_FORMAT_FLV, true, false);
        int there = 0;
        size_t n;

        t.gone = 0;
        while (there < PICTURE_BYTES / 10 && !loop.late) {
            uv_run(&loop.uv, UV_RUN_NOWAIT);
            assert_int_equal(ioctl(fd, FIONREAD, &there), 0);
        }
        assert_int_equal(write(fd, cases[i].bytes, cases[i].n), cases[i].n);
        uv_sleep(50);
        n = read_all(fd, got, 2 * PICTURE_BYTES);
        assert_true(n > PICTURE_BYTES);
        assert_int_equal(last_frame(got, n), n - 4);
        assert_memory_equal(got + n - 4, cases[i].want, 4);
        RUN_UNTIL(t.gone == 1);
        close(fd);
    }
    free(got);
}

/* ---- go2rtc's dialect ---- */

/* One text message of at most 125 bytes, under a mask of zeros. */
static void say(int fd, const char *text)
{
    uint8_t frame[6 + 125] = { 0x81, (uint8_t)(0x80 | strlen(text)) };
    size_t n = 6 + strlen(text);

    assert_true(n <= sizeof(frame));
    memcpy(frame + 6, text, strlen(text));
    assert_int_equal(write(fd, frame, n), n);
}

static void say_goodbye(int fd)
{
    static const uint8_t bye[] = { 0x88, 0x80, 0, 0, 0, 0 };

    assert_int_equal(write(fd, bye, sizeof(bye)), sizeof(bye));
}

static uint8_t heard[4 * PICTURE_BYTES];
static size_t n_heard;

/* What it says until these words are among it. */
static void hear(int fd, const char *words)
{
    while (!memmem(heard, n_heard, words, strlen(words)) && !loop.late) {
        ssize_t got = read(fd, heard + n_heard, sizeof(heard) - n_heard);

        n_heard += got > 0 ? (size_t)got : 0;
        uv_run(&loop.uv, UV_RUN_NOWAIT);
    }
}

/* All that it says until it is gone. */
static const char *hear_out(int fd)
{
    size_t n = n_heard;

    n += read_all(fd, heard + n, sizeof(heard) - n - 1);
    n_heard = 0;
    for (size_t i = 0; i < n; i++) /* as a text */
        heard[i] = heard[i] ? heard[i] : ' ';
    heard[n] = '\0';
    RUN_UNTIL(t.gone == 1);
    close(fd);
    return (const char *)heard;
}

/* It asks for all that it knows: what is not ours is refused, and only once. */
static void wishes_of_another_type(void **state)
{
    int fd = watch(HTTP_FORMAT_MSE, true, false);
    const char *got;

    (void)state;
    say(fd, "{\"type\":\"webrtc/offer\",\"value\":\"v=0\"}");
    say(fd, "{\"type\":\"webrtc/offer\",\"value\":\"v=0\"}");
    say(fd, "{\"type\":\"hls\",\"value\":\"\"}");
    say(fd, "no JSON");
    say_goodbye(fd);
    got = hear_out(fd);
    assert_int_equal(text_count(got, "\"error\""), 1);
    assert_true(text_has(got, "webrtc/offer: is not served here"));
}

/* What will come is told before it comes; a second wish changes nothing. */
static void what_will_come_is_told(void **state)
{
    const char *got, *told;
    int fd;

    (void)state;
    with_a_picture();
    fd = watch(HTTP_FORMAT_MSE, true, false);
    say(fd, "{\"type\":\"mse\",\"value\":\"avc1.640029,hvc1.1.6.L153.B0\"}");
    say(fd, "{\"type\":\"mse\",\"value\":\"hvc1.1.6.L153.B0\"}");
    hear(fd, "ftyp");
    say_goodbye(fd);
    got = hear_out(fd);
    told = strstr(got, "{\"type\":\"mse\",\"value\":\"video/mp4; "
                       "codecs=\\\"avc1.42C00A\\\"\"}");
    assert_non_null(told);
    assert_true(text_has(told, "ftyp"));
    assert_int_equal(text_count(got, "\"type\""), 1);
}

static void a_codec_that_it_does_not_play(void **state)
{
    const char *got;
    int fd;

    (void)state;
    with_a_picture();
    fd = watch(HTTP_FORMAT_MSE, true, false);
    say(fd, "{\"type\":\"mse\",\"value\":\"hvc1.1.6.L153.B0,mp4a.40.2\"}");
    got = hear_out(fd);
    assert_true(text_has(got, "cannot play avc1.42C00A"));
    assert_false(text_has(got, "ftyp"));
}

/* In time: all of it arrives. */
static void slow_reader(void **state)
{
    char text[1024] = "";
    size_t n = 0;
    int fd;

    (void)state;
    fd = watch(HTTP_FORMAT_FLV, false, true);
    uv_sleep(50);
    while (t.gone == 0 && !loop.late) {
        n += drain(fd, text + n, sizeof(text) - n);
        uv_run(&loop.uv, UV_RUN_NOWAIT);
        uv_sleep(1);
    }
    drain(fd, text + n, sizeof(text) - n);
    assert_non_null(strstr(text, "503 Service Unavailable"));
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(stalled, setup, teardown),
        cmocka_unit_test_setup_teardown(dismissed, setup, teardown),
        cmocka_unit_test_setup_teardown(no_frames, setup, teardown),
        cmocka_unit_test_setup_teardown(stalled_goodbye, setup, teardown),
        cmocka_unit_test_setup_teardown(one_close, setup, teardown),
        cmocka_unit_test_setup_teardown(close_while_it_sends, setup, teardown),
        cmocka_unit_test_setup_teardown(close_behind_a_frame, setup, teardown),
        cmocka_unit_test_setup_teardown(slow_reader, setup, teardown),
        cmocka_unit_test_setup_teardown(wishes_of_another_type, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(what_will_come_is_told, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_codec_that_it_does_not_play, setup,
                                        teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
