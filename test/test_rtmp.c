#include "test/rtmp_script.h"

#define URL "rtmp://192.0.2.1/live/key?x=1"

/* Takes all that is to be sent. */
static size_t drain(struct rtmp *r, char *to, size_t n)
{
    struct slice out = rtmp_output(r);

    memcpy(to + n, out.p, out.n);
    rtmp_sent(r, out.n);
    return n + out.n;
}

static struct rtmp *begin(void)
{
    static struct rtmp r;
    struct push_url u;

    assert_int_equal(push_url_parse(&u, SLICE(URL)), 0);
    rtmp_begin(&r, &u, 1);
    return &r;
}

/* All in pieces of `step`; *n: bytes that were sent. */
static struct rtmp *play(const struct script *s, size_t step, char *sent,
                         size_t *n)
{
    struct rtmp *r = begin();
    struct slice in = writer_slice(&s->w);

    *n = drain(r, sent, 0);
    while (in.n && r->state != RTMP_FAILED) {
        rtmp_input(r, guarded(slice_head(in, step)));
        in = slice_from(in, step);
        *n = drain(r, sent, *n);
    }
    return r;
}

/* A message of 200 bytes, of which one chunk comes. */
static void say_half(struct script *s, unsigned lane)
{
    static const char half[128];

    writer_char(&s->w, (char)lane);
    writer_be24(&s->w, 0);
    writer_be24(&s->w, 200);
    writer_char(&s->w, 20);
    writer_be32(&s->w, 0);
    writer_bytes(&s->w, half, sizeof(half));
}

static bool has(const char *p, size_t n, struct slice part)
{
    return slice_find_slice(slice_of(p, n), part) < n;
}

static void publishes(void **state)
{
    static struct script s;
    static char sent[16384], again[16384];
    size_t n, m;
    struct rtmp *r;

    (void)state;
    say_all(&s);
    assert_int_equal(s.w.err, 0);
    r = play(&s, s.w.len, sent, &n);
    assert_string_equal(r->why, "");
    assert_int_equal(r->state, RTMP_LIVE);
    assert_int_equal(r->stream, 7);
    assert_int_equal(sent[0], 3);
    /* C2 says again what S1 said */
    assert_memory_equal(sent + 1 + RTMP_HELLO, s.text + 1, RTMP_HELLO);
    assert_true(has(sent, n, SLICE("\x02\x00\x07" "connect\x00" ONE)));
    assert_true(has(sent, n, SLICE("\x00\x03" "app\x02\x00\x04live")));
    assert_true(has(sent, n, SLICE("tcUrl\x02\x00\x15rtmp://192.0.2.1/live")));
    assert_true(has(sent, n, SLICE("createStream")));
    assert_true(has(sent, n, SLICE("\x05\x02\x00\x07key?x=1\x02\x00\x04live")));
    /* pong with the ping's time, our window as asked */
    assert_true(has(sent, n, SLICE("\x00\x07\x01\x02\x03\x04")));
    assert_true(has(sent, n, SLICE("\x05\x00\x00\x00\x00\x00\x26\x25\xa0")));
    for (size_t step = 1; step < 200; step += step < 20 ? 1 : 13) {
        r = play(&s, step, again, &m);
        assert_int_equal(r->state, RTMP_LIVE);
        assert_int_equal(m, n);
        assert_memory_equal(again, sent, n);
    }
}

static void cut_at_every_byte(void **state)
{
    static struct script s;
    static char sent[16384];

    (void)state;
    say_all(&s);
    for (size_t at = 3000; at < s.w.len; at++) {
        struct rtmp *r = begin();

        drain(r, sent, 0);
        assert_int_equal(rtmp_input(r, slice_of(s.text, at)), 0);
        assert_int_not_equal(r->state, RTMP_LIVE);
        drain(r, sent, 0);
        assert_int_equal(rtmp_input(r, guarded(slice_of(s.text + at,
                                                        s.w.len - at))), 0);
        assert_int_equal(r->state, RTMP_LIVE);
    }
}

static void refusals(void **state)
{
    static struct script s;
    static char sent[16384];
    static const struct {
        const char *name;
        unsigned type;
        struct slice body;
        const char *why;
    } cases[] = {
        { "chunk size 0", 1, S("\0\0\0\0"), "chunk size" },
        { "chunk size short", 1, S("\0\0"), "chunk size" },
        { "chunk size negative", 1, S("\x80\0\0\0"), "chunk size" },
        { "no command", 20, S("\x01"), "cannot be read" },
        { "empty command", 20, S(""), "cannot be read" },
        { "negative call", 20,
          S("\x02\x00\x07_result\x00\xbf\xf0\0\0\0\0\0\0"),
          "cannot be read" },
        { "text beyond the end", 20, S("\x02\xff\xff_result"),
          "cannot be read" },
        { "refused", 20,
          S("\x02\x00\x06_error\x00" ONE "\x05\x03\x00\x0b"
            "description\x02\x00\x05no\n\"u\x00\x00\x09"),
          "the server refuses: no''u" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct rtmp *r;
        size_t n;

        script_init(&s);
        say_hello(&s);
        say(&s, 3, cases[i].type, cases[i].body);
        r = play(&s, s.w.len, sent, &n);
        if (r->state != RTMP_FAILED || !text_has(r->why, cases[i].why))
            fail_msg("%s: %s", cases[i].name, r->why);
        assert_int_equal(rtmp_input(r, SLICE("x")), GB_EIO);
    }
}

static void streams_of_chunks(void **state)
{
    static struct script s;
    static char sent[16384];
    struct rtmp *r;
    size_t n;

    (void)state;
    script_init(&s);
    say_hello(&s);
    say(&s, 2, 1, SLICE("\x7f\xff\xff\xff")); /* the largest there is */
    say(&s, 3, 9, SLICE("picture"));
    r = play(&s, 7, sent, &n);
    assert_int_equal(r->state, RTMP_CONNECTING);
    assert_int_equal(r->chunk_in, RTMP_CHUNK_IN_MAX);

    script_init(&s);
    say_hello(&s);
    for (unsigned lane = 2; lane < 2 + RTMP_LANES; lane++)
        say(&s, lane, 9, SLICE("picture"));
    r = play(&s, 7, sent, &n);
    assert_int_equal(r->state, RTMP_CONNECTING);
    say(&s, 50, 9, SLICE("picture"));
    r = play(&s, 7, sent, &n);
    assert_string_equal(r->why, "too many chunk streams");

    script_init(&s);
    say_hello(&s);
    writer_char(&s.w, (char)0xc5);
    r = play(&s, 1, sent, &n);
    assert_string_equal(r->why, "a chunk of a stream that has not begun");

    script_init(&s);
    writer_str(&s.w, "HTTP/1.1 400 Bad Request\r\n");
    r = play(&s, 1, sent, &n);
    assert_string_equal(r->why, "what answers does not speak RTMP");
}

/* Objects within objects without end. */
static void deep(void **state)
{
    static struct script s;
    static char sent[16384];
    char body[900];
    struct writer w = writer_of(body, sizeof(body));
    struct rtmp *r;
    size_t n;

    (void)state;
    script_init(&s);
    say_all(&s);
    s.w.len = 1 + 2 * RTMP_HELLO;
    say(&s, 3, 20, SLICE(RESULT ONE "\x05"));
    writer_bytes(&w, RESULT FOUR, 19);
    while (w.len + 4 < sizeof(body))
        writer_bytes(&w, "\x03\x00\x01z", 4);
    say(&s, 3, 20, writer_slice(&w));
    r = play(&s, 500, sent, &n);
    assert_string_equal(r->why, "the server names no stream");
}

/* Pings without end, and nothing of ours is read. */
static void floods(void **state)
{
    static struct script s;
    struct rtmp *r = begin();
    unsigned i;

    (void)state;
    script_init(&s);
    say_hello(&s);
    rtmp_sent(r, rtmp_output(r).n);
    assert_int_equal(rtmp_input(r, writer_slice(&s.w)), 0);
    script_init(&s);
    say(&s, 2, 4, SLICE("\x00\x06\x01\x02\x03\x04"));
    for (i = 0; i < 1000; i++)
        if (rtmp_input(r, writer_slice(&s.w)))
            break;
    assert_in_range(i, 100, 999);
    assert_string_equal(r->why, "the server asks, and does not read");
}

static void acknowledges(void **state)
{
    static struct script s;
    static char sent[16384], big[2000];
    struct rtmp *r;
    size_t n;

    (void)state;
    script_init(&s);
    say_hello(&s);
    say(&s, 2, 5, SLICE("\x00\x00\x04\x00")); /* 1024 */
    say(&s, 6, 9, slice_of(big, sizeof(big))); /* longer than what is kept */
    r = play(&s, 100, sent, &n);
    assert_int_equal(r->state, RTMP_CONNECTING);
    assert_true(has(sent, n, SLICE("\x02\0\0\0\0\0\x04\x03\0\0\0\0")));
    assert_in_range(r->acked, 1000, r->bytes_in);
}

/* ---- media ------------------------------------------------------------------ */

static void put_tag(struct writer *w, unsigned type, uint32_t ms, uint32_t n)
{
    writer_char(w, (char)type);
    writer_be24(w, n);
    writer_be24(w, ms & 0xffffff);
    writer_char(w, (char)(uint8_t)(ms >> 24));
    writer_be24(w, 0);
    for (uint32_t i = 0; i < n; i++)
        writer_char(w, (char)(uint8_t)(i * 31 + n));
    writer_be32(w, n + 11);
}

/* A message out of chunks of RTMP_CHUNK; returns its length, *in moved on. */
static uint32_t read_message(struct slice *in, unsigned *type, uint32_t *ms,
                             char *body)
{
    const uint8_t *p = (const uint8_t *)in->p;
    uint32_t n = (uint32_t)p[4] << 16 | (uint32_t)p[5] << 8 | p[6];
    uint32_t got = 0;
    bool ext;

    assert_int_equal(p[0] & 0xc0, 0);
    assert_int_equal(p[8], 7); /* the stream */
    *type = p[7];
    *ms = (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
    ext = *ms == 0xffffff;
    if (ext)
        *ms = (uint32_t)p[12] << 24 | (uint32_t)p[13] << 16 |
              (uint32_t)p[14] << 8 | p[15];
    *in = slice_from(*in, ext ? 16 : 12);
    while (got < n) {
        uint32_t k = n - got < RTMP_CHUNK ? n - got : RTMP_CHUNK;

        if (got) {
            assert_int_equal((uint8_t)in->p[0], 0xc0 | p[0]);
            *in = slice_from(*in, ext ? 5 : 1);
        }
        assert_true(in->n >= k);
        memcpy(body + got, in->p, k);
        *in = slice_from(*in, k);
        got += k;
    }
    return n;
}

static void media(void **state)
{
    static const struct {
        unsigned type;
        uint32_t ms, n;
    } tags[] = {
        { 18, 0, 40 },        { 9, 0, 100 },      { 9, 40, RTMP_CHUNK },
        { 8, 41, 1 },         { 9, 80, 200001 },  { 8, 0xfffffe, 5 },
        { 9, 0xffffff, 9 },   { 9, 0x1234567, 70000 }, { 9, 1, 0 },
    };
    static char flv[400000], out[400000], body[300000];

    (void)state;
    for (size_t step = 1; step < sizeof(flv); step = step * 5 + 3) {
        struct rtmp *r = begin();
        struct writer f = writer_of(flv, sizeof(flv));
        struct slice in, got;
        size_t n = 0;

        r->stream = 7;
        writer_bytes(&f, "FLV\x01\x05\0\0\0\x09\0\0\0\0", 13);
        for (size_t i = 0; i < COUNT(tags); i++)
            put_tag(&f, tags[i].type, tags[i].ms, tags[i].n);
        assert_int_equal(f.err, 0);
        for (in = writer_slice(&f); in.n;) {
            struct writer w = writer_of(out + n, step % 2 ? 100 : 5000);
            size_t taken = rtmp_media(r, slice_head(in, step), &w);

            assert_int_equal(w.err, 0);
            assert_true(taken > 0);
            n += w.len;
            in = slice_from(in, taken);
        }
        assert_true(rtmp_at_boundary(r));
        got = slice_of(out, n);
        for (size_t i = 0; i < COUNT(tags); i++) {
            unsigned type;
            uint32_t ms, len = read_message(&got, &type, &ms, body);
            uint32_t extra = tags[i].type == 18 ? 16 : 0;

            assert_int_equal(type, tags[i].type);
            assert_int_equal(ms, tags[i].ms);
            assert_int_equal(len, tags[i].n + extra);
            if (extra)
                assert_memory_equal(body, "\x02\x00\x0d@setDataFrame", 16);
            for (uint32_t k = 0; k < tags[i].n; k++)
                if ((uint8_t)body[k + extra] != (uint8_t)(k * 31 + tags[i].n))
                    fail_msg("tag %zu byte %u", i, k);
        }
        assert_int_equal(got.n, 0);
    }
}

/* What is aborted (type 2) is as if it had not begun; on another chunk stream
 * nothing is. */
static void aborted(void **state)
{
    static const struct {
        struct slice abort;
        enum rtmp_state state;
        const char *why;
    } cases[] = {
        { S("\x00\x00\x00\x03"), RTMP_CREATING, "" },
        { S("\x00\x00\x00\x05"), RTMP_FAILED, "a message within a message" },
        { S("\x00\x00\x03"), RTMP_FAILED, "a message within a message" },
    };
    static struct script s;
    static char sent[16384];

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct rtmp *r;
        size_t n;

        script_init(&s);
        say_hello(&s);
        say_half(&s, 3);
        say(&s, 2, 2, cases[i].abort);
        say(&s, 3, 20, SLICE(RESULT ONE "\x05\x05"));
        r = play(&s, s.w.len, sent, &n);
        if (r->state != cases[i].state ||
            !slice_has_prefix(slice_str(r->why), slice_str(cases[i].why)))
            fail_msg("%zu: state %d, %s", i, (int)r->state, r->why);
    }
}

/* The larger ids take two bytes or three, each in a way of its own. */
static void ids_of_chunks(void **state)
{
    static const struct slice heads[] = { S("\x00\x24"), S("\x01\x05\x02") };
    static const char text[100];
    static struct script s;
    static char sent[16384];
    struct rtmp *r;
    size_t n;

    (void)state;
    script_init(&s);
    say_hello(&s);
    for (size_t i = 0; i < COUNT(heads); i++) {
        writer_slice_put(&s.w, heads[i]);
        writer_bytes(&s.w, "\x00\x00\x00\x00\x00\xc8\x14\x00\x00\x00\x00", 11);
        writer_bytes(&s.w, "\x02\x00\x0bonFCPublish", 14);
        writer_bytes(&s.w, text, 100);
        writer_bytes(&s.w, text, 14);
    }
    for (size_t i = 0; i < COUNT(heads); i++) {
        writer_char(&s.w, (char)(0xc0 | heads[i].p[0]));
        writer_slice_put(&s.w, slice_from(heads[i], 1));
        writer_bytes(&s.w, text, 72);
    }
    say(&s, 3, 20, SLICE(RESULT ONE "\x05\x05"));
    for (size_t step = 1; step < 4; step++) {
        r = play(&s, step, sent, &n);
        assert_string_equal(r->why, "");
        assert_int_equal(r->state, RTMP_CREATING);
        assert_int_equal(r->lanes[0].id, 64 + 0x24);
        assert_int_equal(r->lanes[1].id, 64 + 5 + 256 * 2);
        assert_int_equal(r->lanes[0].got + r->lanes[1].got, 0);
    }
}

#define PAIRS "\x00\x01n\x00" SEVEN "\x00\x01t\x02\x00\x02no\x00\x00\x09"
/* a list: number, truth, text, null, undefined, object, date, long text */
#define ONE_OF_EACH                                                            \
    "\x0a\x00\x00\x00\x08\x00" FOUR "\x01\x01\x02\x00\x02no\x05\x06\x03" PAIRS      \
    "\x0b" FOUR "\x00\x00\x0c\x00\x00\x00\x04text"

/* In the place of the null that is skipped; of both kinds of messages. */
static void arrays(void **state)
{
    static const struct {
        struct slice result;
        enum rtmp_state state;
    } cases[] = {
        { S(RESULT FOUR "\x0a\x00\x00\x00\x02\x05\x02\x00\x01"
            "a\x00" SEVEN), RTMP_PUBLISHING },
        { S(RESULT FOUR "\x0a\x00\x00\x00\x00\x00" SEVEN),
          RTMP_PUBLISHING },
        { S(RESULT FOUR "\x0a\x00\x00\x00\x01\x0a\x00\x00\x00\x01\x05"
            "\x00" SEVEN), RTMP_PUBLISHING }, /* one in another */
        { S(RESULT FOUR "\x0a\x00\x00\x00\x02\x05"), RTMP_FAILED },
        { S(RESULT FOUR "\x0a\xff\xff\xff\xff\x05\x05"), RTMP_FAILED },
        { S(RESULT FOUR "\x0a\x00\x00"), RTMP_FAILED },
        { S(RESULT FOUR ONE_OF_EACH "\x00" SEVEN), RTMP_PUBLISHING },
        { S(RESULT FOUR "\x08\x00\x00\x00\x01" PAIRS "\x00" SEVEN),
          RTMP_PUBLISHING },
        { S(RESULT FOUR "\x08\x00\x00\x00\x01" PAIRS), RTMP_FAILED },
        { S(RESULT FOUR "\x0c\x00\x00\x00\x09text"), RTMP_FAILED },
        { S(RESULT FOUR "\x0b" SEVEN "\x00"), RTMP_FAILED },
        { S(RESULT FOUR "\x11\x00" SEVEN), RTMP_FAILED }, /* of AMF3 */
    };
    static struct script s;
    static char sent[16384];

    (void)state;
    for (size_t i = 0; i < 2 * COUNT(cases); i++) {
        const struct slice result = cases[i / 2].result;
        char text[200];
        struct writer as3 = writer_of(text, sizeof(text));
        struct rtmp *r;
        size_t n;

        writer_char(&as3, 0); /* the number of the format, before the same */
        writer_slice_put(&as3, result);
        script_init(&s);
        say_hello(&s);
        say(&s, 3, 20, SLICE(RESULT ONE "\x05\x05"));
        say(&s, 3, i % 2 ? 17 : 20, i % 2 ? writer_slice(&as3) : result);
        r = play(&s, s.w.len, sent, &n);
        if (r->state != cases[i / 2].state ||
            (r->state == RTMP_PUBLISHING && r->stream != 7))
            fail_msg("%zu: state %d, stream %u, %s", i, (int)r->state,
                     r->stream, r->why);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(aborted),
        cmocka_unit_test(arrays),     cmocka_unit_test(ids_of_chunks),
        cmocka_unit_test(publishes),  cmocka_unit_test(cut_at_every_byte),
        cmocka_unit_test(refusals),   cmocka_unit_test(streams_of_chunks),
        cmocka_unit_test(deep),       cmocka_unit_test(floods),
        cmocka_unit_test(acknowledges), cmocka_unit_test(media),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
