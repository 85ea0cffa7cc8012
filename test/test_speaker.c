/* app/net/speaker: who speaks on a media loop is heard at the device, in packets at
 * their time, until a recording is over or the session is. */
#include "test/stream_world.h"

#include <fcntl.h>

#define SSRC 0x0a0b0c0d
#define PACKET_MS 20

static struct {
    unsigned n, loud;
    uint16_t seq;
    uint32_t time;
} heard;

static void speak(uint32_t whole_ms)
{
    struct platform_action a = { .session = SESSION, .history_ms = -1,
                                 .transport = PLATFORM_UDP };
    struct sockaddr_in in;
    socklen_t len = sizeof(in);

    assert_int_equal(getsockname(fd, (struct sockaddr *)&in, &len), 0);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    assert_int_equal(gb_addr_parse_ip(&a.remote, SLICE("127.0.0.1")), 0);
    a.remote.port = ntohs(in.sin_port);
    a.kind = PLATFORM_DO_ANSWER;
    media_net_order(net, &a, NULL);
    a.kind = PLATFORM_DO_SPEAK;
    a.speak.voice = (struct voice_options){ .pt = 8, .ssrc = SSRC,
                                            .packet_ms = PACKET_MS,
                                            .whole_ms = whole_ms };
    media_net_order(net, &a, NULL);
    memset(&heard, 0, sizeof(heard));
}

static uint32_t be32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* Each packet goes on where the one before ended; one that a slow machine was too
 * late for is left out, with its time. */
static void hear(void)
{
    uint8_t b[2048];
    ssize_t n;

    while ((n = recv(fd, b, sizeof(b), 0)) > 0) {
        uint16_t next = (uint16_t)(b[2] << 8 | b[3]);

        if ((b[1] & 0x7f) != 8)
            continue; /* RTCP */
        assert_int_equal(n, 12 + PACKET_MS * 8);
        assert_int_equal(be32(b + 8), SSRC);
        if (heard.n) {
            assert_int_equal(next, (uint16_t)(heard.seq + 1));
            assert_int_equal((be32(b + 4) - heard.time) % (PACKET_MS * 8), 0);
            assert_true((int32_t)(be32(b + 4) - heard.time) > 0);
        }
        heard.seq = next;
        heard.time = be32(b + 4);
        heard.n++;
        for (ssize_t i = 12; i < n; i++)
            if (b[i] != 0xd5) { /* silence of A-law */
                heard.loud++;
                break;
            }
    }
}

#define HEAR_UNTIL(what)                                                       \
    for (unsigned hear_i = 0; !(what) && hear_i < 3000; hear_i++) {            \
        turn();                                                                \
        hear();                                                                \
    }                                                                          \
    assert_true(what)

static void say(unsigned ms)
{
    int16_t pcm[8000];

    for (size_t i = 0; i < COUNT(pcm); i++)
        pcm[i] = i / 8 % 2 ? 8000 : -8000;
    assert_true(ms * 8 <= COUNT(pcm));
    media_net_say(net, SESSION, 0, pcm, ms * 8);
}

static void begin(void)
{
    stream_begin();
    connect_device(open_session());
}

/* Silence while there is nothing to say, and words when there are. */
static void somebody_speaks(void **state)
{
    (void)state;
    begin();
    speak(0);
    HEAR_UNTIL(heard.n >= 5);
    assert_int_equal(heard.loud, 0);
    say(200);
    HEAR_UNTIL(heard.loud);
    assert_int_equal(n_said, 0); /* it is never over by itself */
    send_gops(1);                /* the device may speak, too: it is told of both */
    HEAR_UNTIL(spoken.packets >= 5 && spoken.spoken_ms && spoken.silent_ms);
    stream_stop();
    stream_end();
}

/* A recording is said once, and then told so; nothing follows it. */
static void a_recording(void **state)
{
    unsigned n;

    (void)state;
    begin();
    speak(400);
    say(400);
    HEAR_UNTIL(n_said);
    hear();
    n = heard.n;
    assert_true(n <= (400 + VOICE_TAIL_MS) / PACKET_MS + 1);
    assert_true(heard.loud > 0 && heard.loud <= 400 / PACKET_MS + 1);
    for (unsigned i = 0; i < 50; i++) {
        turn();
        hear();
    }
    assert_int_equal(n_said, 1);
    assert_int_equal(heard.n, n);
    stream_stop();
    stream_end();
}

/* What is said to a session that is over is lost. */
static void ends_with_its_session(void **state)
{
    unsigned n;

    (void)state;
    begin();
    speak(0);
    speak(0); /* there is one already */
    HEAR_UNTIL(heard.n >= 3);
    media_net_forget(net, SESSION, 0);
    for (unsigned i = 0; i < 50; i++)
        turn();
    hear();
    n = heard.n;
    say(100);
    media_net_say(net, SESSION, 9, NULL, 0);
    for (unsigned i = 0; i < 50; i++)
        turn();
    hear();
    assert_int_equal(heard.n, n);
    stream_stop();
    stream_end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(somebody_speaks),
        cmocka_unit_test(a_recording),
        cmocka_unit_test(ends_with_its_session),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
