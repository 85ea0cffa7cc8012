/* What media loops write themselves, and go2rtc's dialect. */
#include "test/support.h"

#include "app/http/stream.h"

static void heads(void **state)
{
    char text[HTTP_STREAM_HEAD_MAX];
    struct writer w = writer_of(text, sizeof(text) - 1);

    (void)state;
    memset(text, 0, sizeof(text));
    http_stream_head_write(&w, HTTP_FORMAT_FLV, INT64_C(1800000000999));
    assert_true(slice_eq(writer_slice(&w),
                         SLICE("HTTP/1.1 200 OK\r\n"
                               "Date: Fri, 15 Jan 2027 08:00:00 GMT\r\n"
                               "Content-Type: video/x-flv\r\n"
                               "Cache-Control: no-store\r\n"
                               "Access-Control-Allow-Origin: *\r\n"
                               "X-Content-Type-Options: nosniff\r\n"
                               "Connection: close\r\n\r\n")));
    w.len = 0;
    http_stream_head_write_chunked(&w, HTTP_FORMAT_FLV, 0);
    assert_true(text_has(text, "Transfer-Encoding: chunked\r\n"));
    w.len = 0;
    http_stream_ws_head_write(&w, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
                              slice_of(NULL, 0));
    assert_true(slice_eq(
        writer_slice(&w),
        SLICE("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
              "Connection: Upgrade\r\n"
              "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n")));
    w.len = 0;
    http_stream_ws_head_write(&w, "x", SLICE("flv"));
    assert_true(text_has(text, "Accept: x\r\nSec-WebSocket-Protocol: flv\r\n"
                               "\r\n"));
    /* The room that the header promises is enough for all of them. */
    for (int f = 0; f < HTTP_FORMAT_COUNT; f++) {
        w.len = 0;
        http_stream_head_write_len(&w, http_format_type((enum http_format)f),
                                   UINT64_MAX, true, 0);
        assert_int_equal(w.err, 0);
        assert_true(slice_find_slice(
                        writer_slice(&w),
                        SLICE("Content-Length: 18446744073709551615\r\n")) <
                    w.len);
    }
}

static void mse_in(void **state)
{
    static const struct {
        const char *name;
        struct slice in;
        int err;
        const char *type, *codecs;
    } cases[] = {
        { "player", S("{\"type\":\"mse\",\"value\":\"avc1.640029,flac\"}"), 0,
          "mse", "avc1.640029,flac" },
        { "no value", S("{\"type\":\"mse\"}"), 0, "mse", "" },
        { "value is no string", S("{\"type\":\"mse\",\"value\":[1]}"), 0,
          "mse", "" },
        { "other type", S("{\"type\":\"webrtc/offer\",\"value\":\"\"}"), 0,
          "webrtc/offer", "" },
        { "long type", S("{\"type\":\"0123456789abcdef\"}"), GB_ELIMIT, "",
          "" },
        { "no type", S("{\"value\":\"x\"}"), GB_ESYNTAX, "", "" },
        { "array", S("[]"), GB_ESYNTAX, "", "" },
        { "text", S("mse"), GB_ESYNTAX, "", "" },
        { "nothing", S(""), GB_ESYNTAX, "", "" },
        { "cut", S("{\"type\":\"mse\""), GB_ESYNTAX, "", "" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct http_mse_request r = { 0 };
        int err = http_mse_parse(&r, guarded(cases[i].in));

        if (err != cases[i].err)
            fail_msg("%s: %s", cases[i].name, gb_strerror(err));
        if (!err) {
            assert_string_equal(r.type, cases[i].type);
            assert_string_equal(r.codecs, cases[i].codecs);
        }
    }
}

static void mse_long(void **state)
{
    static char text[HTTP_MSE_TEXT_MAX + 1];
    struct http_mse_request r;

    (void)state;
    memset(text, ' ', sizeof(text));
    memcpy(text, "{\"type\":\"mse\"}", 14);
    assert_int_equal(http_mse_parse(&r, slice_of(text, sizeof(text) - 1)), 0);
    assert_int_equal(http_mse_parse(&r, slice_of(text, sizeof(text))),
                     GB_ELIMIT);
    /* codecs longer than we keep */
    memset(text, 'x', sizeof(text));
    memcpy(text, "{\"type\":\"mse\",\"value\":\"", 23);
    memcpy(text + 2000, "\"}", 2);
    assert_int_equal(http_mse_parse(&r, slice_of(text, 2002)), GB_ELIMIT);
}

/* Field-note 20.1: a stream that the player did not name is told as such. */
static void note_20_1_codecs_of_the_player(void **state)
{
    static const struct {
        const char *told, *codec;
        bool accepts;
    } cases[] = {
        { "avc1.640029,mp4a.40.2", "avc1.42e01e", true },
        { "avc1.640029, hvc1.1.6.L153.B0", "hvc1.1.6.L120.90", true },
        { "avc1.640029", "hvc1.1.6.L120.90", false },
        { "avc1.640029,flac", "flac", true },
        { "avc1.640029", "flac", false },
        { "mp4a.40.2", "mp4", false },
        { "", "hvc1.1", true },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct http_mse_request r = { .type = "mse" };

        slice_copy(r.codecs, sizeof(r.codecs), slice_str(cases[i].told));
        if (http_mse_accepts(&r, slice_str(cases[i].codec)) !=
            cases[i].accepts)
            fail_msg("%s of %s", cases[i].codec, cases[i].told);
    }
}

static void mse_out(void **state)
{
    char text[256];
    struct writer w = writer_of(text, sizeof(text));

    (void)state;
    http_mse_write(&w, SLICE("avc1.640029,flac"));
    assert_true(slice_eq(
        writer_slice(&w),
        SLICE("{\"type\":\"mse\",\"value\":"
              "\"video/mp4; codecs=\\\"avc1.640029,flac\\\"\"}")));
    w.len = 0;
    http_mse_error_write(&w, SLICE("no \"key\" frame\n"));
    assert_true(slice_eq(writer_slice(&w),
                         SLICE("{\"type\":\"error\",\"value\":"
                               "\"mse: no \\\"key\\\" frame\\n\"}")));
    w.len = 0;
    http_mse_refuse_write(&w, SLICE("webrtc/offer"));
    assert_true(slice_eq(
        writer_slice(&w),
        SLICE("{\"type\":\"error\",\"value\":"
              "\"webrtc/offer: is not served here, mse is\"}")));
    w = writer_of(text, 20);
    http_mse_write(&w, SLICE("avc1"));
    assert_int_equal(w.err, GB_ENOMEM);
    assert_int_equal(w.len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(heads),
        cmocka_unit_test(mse_in),
        cmocka_unit_test(mse_long),
        cmocka_unit_test(note_20_1_codecs_of_the_player),
        cmocka_unit_test(mse_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
