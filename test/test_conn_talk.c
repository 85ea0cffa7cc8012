/* A WebSocket that brings sound, over the real server: what comes, what is said
 * back, and each way in which it ends. */
#include "test/http_net.h"

#include "app/http/ws.h"

#define TALK                                                                   \
    "GET /api/v1/devices/" D1 "/channels/" C1 "/talk?rate=8000 HTTP/1.1\r\n"   \
    "Host: nvr\r\n" TOKEN "Connection: Upgrade\r\nUpgrade: websocket\r\n"      \
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: sound, x\r\n"       \
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"

static size_t n_said;

static void on_say(void *ctx, uint64_t voice, unsigned at,
                   const int16_t *pcm, size_t n)
{
    (void)ctx;
    (void)at;
    (void)pcm;
    assert_int_equal(voice, 70);
    n_said += n;
}

static int setup(void **state)
{
    static const struct http_server_config no_limits = { 0 };

    net_begin();
    fx_setup(state);
    fx.app->cfg.say = on_say;
    n_said = 0;
    net_serve(&no_limits);
    return 0;
}

static int teardown(void **state)
{
    net_end();
    return fx_teardown(state);
}

/* ---- a page that speaks ------------------------------------------------------- */

struct frame {
    enum ws_opcode opcode;
    struct slice data;
};

/* The n-th frame from the server; false: it has not come. */
static bool frame_of(const struct client *c, size_t n, struct frame *f)
{
    struct slice s = { c->text, c->len };

    s = slice_from(s, slice_find_slice(s, SLICE("\r\n\r\n")) + 4);
    for (;; n--) {
        const uint8_t *p = (const uint8_t *)s.p;
        size_t head = 2, len;

        if (s.n < 2)
            return false;
        assert_true(p[0] & 0x80); /* whole, and not masked */
        len = p[1];
        if (len == 126) {
            if (s.n < 4)
                return false;
            len = (size_t)p[2] << 8 | p[3];
            head = 4;
        }
        assert_true(len < 65536);
        if (s.n < head + len)
            return false;
        f->opcode = (enum ws_opcode)(p[0] & 15);
        f->data = slice_of(s.p + head, len);
        if (n == 0)
            return true;
        s = slice_from(s, head + len);
    }
}

static bool is_close(const struct frame *f, uint16_t code)
{
    return f->opcode == WS_CLOSE && f->data.n >= 2 &&
           (uint16_t)((uint8_t)f->data.p[0] << 8 | (uint8_t)f->data.p[1]) ==
               code;
}

/* Masked with zeros. */
static void send_frame(struct client *c, enum ws_opcode opcode,
                       struct slice data)
{
    char head[8] = { (char)(0x80 | opcode), (char)(0x80 | data.n) };

    assert_true(data.n <= WS_CONTROL_MAX);
    assert_true(send_bytes(c, slice_of(head, 6)));
    assert_true(send_bytes(c, data));
}

static void voice_becomes(enum platform_voice_state state)
{
    const struct platform_action a = { .kind = PLATFORM_VOICE_CHANGED,
                                       .session = 70 };

    fake.voice[0].state = state;
    http_on_action(fx.app, &a);
}

/* The voice begins, and tells its state as the first frame. */
static struct client *speaks(void)
{
    struct client *c = dial();
    struct frame f;

    assert_true(send_bytes(c, SLICE(TALK)));
    RUN_UNTIL(slice_has_prefix(slice_of(c->text, c->len),
                               SLICE("HTTP/1.1 101 ")) &&
              slice_find_slice(slice_of(c->text, c->len),
                               SLICE("\r\n\r\n")) < c->len);
    assert_true(slice_find_slice(slice_of(c->text, c->len),
                                 SLICE("\r\nSec-WebSocket-Protocol: sound\r\n")) <
                c->len);
    voice_becomes(PLATFORM_VOICE_SPEAKS);
    RUN_UNTIL(frame_of(c, 0, &f));
    assert_int_equal(f.opcode, WS_TEXT);
    assert_true(slice_find_slice(f.data, SLICE("speaking")) < f.data.n);
    fake.voice_stop = NULL;
    return c;
}

/* ---- tests -------------------------------------------------------------------- */

static void sound_and_pings(void **state)
{
    struct client *c = speaks();
    struct frame f;

    (void)state;
    send_frame(c, WS_BINARY, SLICE("\1\0\2\0\3\0\4\0"));
    RUN_UNTIL(n_said == 4);
    send_frame(c, WS_TEXT, SLICE("what is that"));
    send_frame(c, WS_PONG, SLICE(""));
    send_frame(c, WS_PING, SLICE("there?"));
    RUN_UNTIL(frame_of(c, 1, &f));
    assert_int_equal(f.opcode, WS_PONG);
    expect_slice(f.data, "there?");
    assert_int_equal(n_said, 4);
    assert_null(fake.voice_stop);
    hang_up(c); /* without a word */
    RUN_UNTIL(fake.voice_stop);
}

static void the_page_closes(void **state)
{
    static const struct {
        struct slice said;
        uint16_t code;
    } cases[] = {
        { S("\x03\xe9"), WS_CLOSE_GOING_AWAY },
        { S(""), WS_CLOSE_NORMAL },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct client *c = speaks();
        struct frame f;

        send_frame(c, WS_CLOSE, cases[i].said);
        RUN_UNTIL(c->ended);
        assert_non_null(fake.voice_stop);
        assert_true(frame_of(c, 1, &f));
        assert_true(is_close(&f, cases[i].code));
        hang_up(c);
        fake.voice[0] = (struct platform_voice){ 0 };
    }
}

/* What no page sends ends it with the reason; nothing behind it is heard. */
static void broken_frames(void **state)
{
    static const struct {
        const char *name;
        struct slice bytes;
        uint16_t code;
    } cases[] = {
        { "not masked", S("\x82\x02\1\0"), WS_CLOSE_PROTOCOL },
        { "reserved bits", S("\xf2\x82\0\0\0\0\1\0"), WS_CLOSE_PROTOCOL },
        { "no such opcode", S("\x83\x82\0\0\0\0\1\0"), WS_CLOSE_PROTOCOL },
        { "a long ping", S("\x89\xfe\0\x7e\0\0\0\0"), WS_CLOSE_PROTOCOL },
        { "too much", S("\x82\xff\0\0\0\0\0\1\0\1\0\0\0\0"),
          WS_CLOSE_TOO_BIG },
        { "no UTF-8", S("\x81\x82\0\0\0\0\xff\xff"), WS_CLOSE_BAD_DATA },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct client *c = speaks();
        char text[64];
        struct writer w = writer_of(text, sizeof(text));
        struct frame f;

        writer_slice_put(&w, cases[i].bytes); /* both in one segment */
        writer_slice_put(&w, SLICE("\x82\x82\0\0\0\0\1\0"));
        assert_true(send_bytes(c, writer_slice(&w)));
        RUN_UNTIL(c->ended);
        if (!frame_of(c, 1, &f) || !is_close(&f, cases[i].code))
            fail_msg("%s", cases[i].name);
        assert_int_equal(n_said, 0);
        RUN_UNTIL(fake.voice_stop);
        hang_up(c);
        fake.voice[0] = (struct platform_voice){ 0 };
    }
}

/* The device hangs up: the page is told why, then closed. */
static void the_device_ends_it(void **state)
{
    struct client *c = speaks();
    struct frame f;

    (void)state;
    fake.voice[0].evidence = SLICE("BYE");
    voice_becomes(PLATFORM_VOICE_OVER);
    RUN_UNTIL(c->ended);
    assert_true(frame_of(c, 1, &f));
    assert_int_equal(f.opcode, WS_TEXT);
    assert_true(slice_find_slice(f.data, SLICE("BYE")) < f.data.n);
    assert_true(frame_of(c, 2, &f));
    assert_true(is_close(&f, WS_CLOSE_NORMAL));
    hang_up(c);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(sound_and_pings), T(the_page_closes), T(broken_frames),
        T(the_device_ends_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
