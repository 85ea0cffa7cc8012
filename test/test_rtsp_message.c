#include "app/rtsp/message.h"

#include "test/support.h"

#include <stdlib.h>

/* ---- URLs --------------------------------------------------------------- */

static void urls(void **state)
{
    static const struct {
        struct slice in;
        int err;
        const char *base, *device, *channel, *signature;
        unsigned stream;
        int track;
    } cases[] = {
        { S("rtsp://h:8554/1/2"), 0, "rtsp://h:8554", "1", "2", "", 0, -1 },
        { S("rtsp://h/2"), 0, "rtsp://h", "", "2", "", 0, -1 },
        { S("RTSP://[::1]:8554/1/2/"), 0, "RTSP://[::1]:8554", "1", "2", "", 0,
          -1 },
        { S("/1/2"), 0, "", "1", "2", "", 0, -1 },
        { S("rtsp://h/1/2/trackID=1"), 0, "rtsp://h", "1", "2", "", 0, 1 },
        { S("rtsp://h/1/2/trackid=0/"), 0, "rtsp://h", "1", "2", "", 0, 0 },
        { S("rtsp://h/2/trackID=0"), 0, "rtsp://h", "", "2", "", 0, 0 },
        { S("rtsp://h/1/2?stream=sub"), 0, "rtsp://h", "1", "2", "", 1, -1 },
        { S("rtsp://h/1/2?stream=main&t=9.a-_"), 0, "rtsp://h", "1", "2",
          "9.a-_", 0, -1 },
        { S("rtsp://h/1/2?stream=sub/trackID=1"), 0, "rtsp://h", "1", "2", "",
          1, 1 },
        { S("rtsp://h/1/2/trackID=1?stream=1&t=x"), 0, "rtsp://h", "1", "2",
          "x", 1, 1 },
        { S("rtsp://u:p@h/1/2?x"), 0, "rtsp://u:p@h", "1", "2", "", 0, -1 },
        { S("rtsp://h/1/2/trackID=x"), GB_ESYNTAX, "", "", "", "", 0, 0 },
        { S("rtsp://h/1/2?stream=third"), GB_ERANGE, "", "", "", "", 0, 0 },
        { S("rtsp://h/1/2/3"), GB_ESYNTAX, "", "", "", "", 0, 0 },
        { S("rtsp://h/"), GB_ESYNTAX, "", "", "", "", 0, 0 },
        { S("rtsp://h"), GB_ESYNTAX, "", "", "", "", 0, 0 },
        { S("http://h/1/2"), GB_ESYNTAX, "", "", "", "", 0, 0 },
        { S("1/2"), GB_ESYNTAX, "", "", "", "", 0, 0 },
        { S("rtsp://h/../2"), 0, "rtsp://h", "..", "2", "", 0, -1 },
        { S("rtsp://h/a%20b/2"), GB_ESYNTAX, "", "", "", "", 0, 0 },
        { S("rtsp://h/123456789012345678901234567890123/2"), GB_ESYNTAX, "",
          "", "", "", 0, 0 },
        { S(""), GB_ESYNTAX, "", "", "", "", 0, 0 },
    };
    struct rtsp_url u;

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        int err = rtsp_url_parse(&u, guarded(cases[i].in));

        if (err != cases[i].err)
            fail_msg("%.*s: %s", SLICE_ARG(cases[i].in), gb_strerror(err));
        if (err)
            continue;
        expect_slice(u.base, cases[i].base);
        expect_slice(u.device, cases[i].device);
        expect_slice(u.channel, cases[i].channel);
        expect_slice(u.signature, cases[i].signature);
        assert_int_equal(u.stream, cases[i].stream);
        assert_int_equal(u.track, cases[i].track);
        assert_false(u.any);
    }
    assert_int_equal(rtsp_url_parse(&u, SLICE("*")), 0);
    assert_true(u.any);
}

/* ---- the reader --------------------------------------------------------- */

static struct rtsp_reader rd;

static void give(struct slice s)
{
    char *p;

    assert_true(rtsp_reader_room(&rd, &p) >= s.n);
    memcpy(p, s.p, s.n);
    rtsp_reader_added(&rd, s.n);
}

static void begin(struct slice s)
{
    memset(&rd, 0, sizeof(rd));
    give(s);
}

static void requests(void **state)
{
    static const struct {
        const char *name;
        struct slice in;
        enum rtsp_method method;
        unsigned fault;
        bool framed;
        const char *cseq;
    } cases[] = {
        { "options", S("OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n"), RTSP_OPTIONS,
          0, true, "1" },
        { "bare LF", S("PLAY rtsp://h/1 RTSP/1.0\ncseq:2\n\n"), RTSP_PLAY, 0,
          true, "2" },
        { "unknown method", S("FLY / RTSP/1.0\r\nCSeq: 3\r\n\r\n"), RTSP_OTHER,
          0, true, "3" },
        { "names of methods have a case",
          S("play / RTSP/1.0\r\nCSeq: 3\r\n\r\n"), RTSP_OTHER, 0, true, "3" },
        { "no CSeq", S("OPTIONS * RTSP/1.0\r\n\r\n"), RTSP_OPTIONS, 400, true,
          "" },
        { "CSeq is no number", S("OPTIONS * RTSP/1.0\r\nCSeq: a\r\n\r\n"),
          RTSP_OPTIONS, 400, true, "" },
        { "two CSeqs", S("OPTIONS * RTSP/1.0\r\nCSeq: 1\r\nCSeq: 2\r\n\r\n"),
          RTSP_OPTIONS, 400, true, "1" },
        { "version 2", S("OPTIONS * RTSP/2.0\r\nCSeq: 1\r\n\r\n"),
          RTSP_OPTIONS, 505, true, "1" },
        { "HTTP", S("GET / HTTP/1.1\r\nCSeq: 1\r\n\r\n"), RTSP_OTHER, 400,
          true, "1" },
        { "no version", S("PLAY rtsp://h/1\r\nCSeq: 1\r\n\r\n"), RTSP_OTHER,
          400, true, "1" },
        { "folded", S("OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n 2\r\n\r\n"),
          RTSP_OPTIONS, 400, false, "" },
        { "no colon", S("OPTIONS * RTSP/1.0\r\nCSeq: 1\r\nX\r\n\r\n"),
          RTSP_OPTIONS, 400, false, "1" },
        { "NUL", S("OPTIONS * RTSP/1.0\r\nCSeq: 1\r\nX: \0\r\n\r\n"),
          RTSP_OPTIONS, 400, false, "1" },
        { "two lengths",
          S("OPTIONS * RTSP/1.0\r\nCSeq: 1\r\nContent-Length: 1\r\n"
            "Content-Length: 2\r\n\r\n"), RTSP_OPTIONS, 400, false, "1" },
        { "a negative length",
          S("OPTIONS * RTSP/1.0\r\nCSeq: 1\r\nContent-Length: -1\r\n\r\n"),
          RTSP_OPTIONS, 400, false, "1" },
        { "the same length twice",
          S("OPTIONS * RTSP/1.0\r\nCSeq: 1\r\nContent-Length: 2\r\n"
            "Content-Length: 2\r\n\r\nab"), RTSP_OPTIONS, 0, true, "1" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct rtsp_item it;
        int err;

        begin(cases[i].in);
        err = rtsp_reader_next(&rd, &it);
        if (err || it.kind != RTSP_ITEM_REQUEST ||
            it.request.method != cases[i].method ||
            it.request.fault != cases[i].fault ||
            it.request.is_framed != cases[i].framed)
            fail_msg("%s: %d, method %d, fault %u", cases[i].name, err,
                     it.request.method, it.request.fault);
        expect_slice(it.request.cseq, cases[i].cseq);
        if (cases[i].framed)
            assert_int_equal(rtsp_reader_rest(&rd).n, 0);
    }
}

static void fields(void **state)
{
    struct rtsp_item it;

    (void)state;
    begin(SLICE("\r\nSETUP rtsp://h/1/2/trackID=0 RTSP/1.0\r\nCSeq: 3\r\n"
                "Session:  ABC ; timeout=60\r\nTRANSPORT: a\r\nTransport: b\r\n"
                "Authorization: Basic eDp5\r\nAccept: application/sdp\r\n"
                "Require: x\r\nContent-Length: 3\r\n\r\nabcPLAY"));
    assert_int_equal(rtsp_reader_next(&rd, &it), 0);
    assert_int_equal(it.request.fault, 0);
    expect_slice(it.request.method_name, "SETUP");
    expect_slice(it.request.url, "rtsp://h/1/2/trackID=0");
    expect_slice(it.request.session, "ABC");
    expect_slice(it.request.transport[0], "a");
    expect_slice(it.request.transport[1], "b");
    assert_int_equal(it.request.transport[2].n, 0);
    expect_slice(it.request.authorization, "Basic eDp5");
    expect_slice(it.request.require, "x");
    expect_slice(it.request.body, "abc");
    expect_slice(rtsp_reader_rest(&rd), "PLAY");
    assert_int_equal(rtsp_reader_next(&rd, &it), GB_EAGAIN);
}

#define STREAM                                                                 \
    "$\1\0\4abcdOPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n\r\n"                     \
    "$\3\0\0RTSP/1.0 200 OK\r\nCSeq: 9\r\nContent-Length: 2\r\n\r\n$$"         \
    "GET_PARAMETER / RTSP/1.0\r\nCSeq: 2\r\nContent-Length: 1\r\n\r\n\n"       \
    "$\0\0\1$"

/* What comes out of a stream, as letters. */
static void story(struct writer *w)
{
    struct rtsp_item it;

    while (rtsp_reader_next(&rd, &it) == 0) {
        if (it.kind == RTSP_ITEM_FRAME)
            writer_f(w, "$%u/%zu ", it.channel, it.frame.n);
        else if (it.kind == RTSP_ITEM_ANSWER)
            writer_str(w, "answer ");
        else
            writer_f(w, "%.*s/%zu ", SLICE_ARG(it.request.method_name),
                     it.request.body.n);
    }
}

/* Cut in two anywhere, and byte by byte: the same. */
static void cuts(void **state)
{
    static const char want[] = "$1/4 OPTIONS/0 $3/0 answer GET_PARAMETER/1 "
                               "$0/1 ";
    static const struct slice all = S(STREAM);
    char text[200];

    (void)state;
    for (size_t at = 0; at <= all.n; at++) {
        struct writer w = writer_of(text, sizeof(text));

        begin(slice_head(all, at));
        story(&w);
        give(slice_from(all, at));
        story(&w);
        expect_slice(writer_slice(&w), want);
    }
    for (size_t step = 1; step < 9; step++) {
        struct writer w = writer_of(text, sizeof(text));

        memset(&rd, 0, sizeof(rd));
        for (size_t at = 0; at < all.n; at += step) {
            give(slice_head(slice_from(all, at), step));
            story(&w);
        }
        expect_slice(writer_slice(&w), want);
    }
}

/* Frames longer than the buffer are passed over, messages are not taken. */
static void sizes(void **state)
{
    static char big[70000];
    struct rtsp_item it;
    char *p;
    size_t left, room;

    (void)state;
    memset(&rd, 0, sizeof(rd));
    memset(big, 'x', sizeof(big));
    memcpy(big, "$\0\xff\xff", 4);
    for (left = 4 + 65535; left;) {
        size_t n = left < 1000 ? left : 1000;

        give(slice_of(big + 4 + 65535 - left, n));
        assert_int_equal(rtsp_reader_next(&rd, &it), GB_EAGAIN);
        left -= n;
    }
    give(SLICE("OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n"));
    assert_int_equal(rtsp_reader_next(&rd, &it), 0);
    assert_int_equal(it.kind, RTSP_ITEM_REQUEST);
    assert_int_equal(it.request.fault, 0);

    /* the largest frame that is given */
    memset(&rd, 0, sizeof(rd));
    big[2] = (char)((RTSP_REQUEST_MAX - 4) >> 8);
    big[3] = (char)(RTSP_REQUEST_MAX - 4);
    give(slice_of(big, RTSP_REQUEST_MAX));
    assert_int_equal(rtsp_reader_next(&rd, &it), 0);
    assert_int_equal(it.frame.n, RTSP_REQUEST_MAX - 4);

    /* a head without an end */
    memset(&rd, 0, sizeof(rd));
    room = rtsp_reader_room(&rd, &p);
    assert_int_equal(room, RTSP_REQUEST_MAX);
    memset(p, 'a', room);
    rtsp_reader_added(&rd, room - 1);
    assert_int_equal(rtsp_reader_next(&rd, &it), GB_EAGAIN);
    rtsp_reader_added(&rd, 1);
    assert_int_equal(rtsp_reader_next(&rd, &it), GB_ELIMIT);

    /* a body that has no room */
    begin(SLICE("PLAY / RTSP/1.0\r\nCSeq: 1\r\nContent-Length: 4096\r\n\r\n"));
    assert_int_equal(rtsp_reader_next(&rd, &it), GB_ELIMIT);
    begin(SLICE("PLAY / RTSP/1.0\r\nCSeq: 1\r\nContent-Length: 4294967296"
                "\r\n\r\n"));
    assert_int_equal(rtsp_reader_next(&rd, &it), 0);
    assert_int_equal(it.request.fault, 400);
}

static void too_many_lines(void **state)
{
    struct rtsp_item it;

    (void)state;
    for (int n = RTSP_FIELDS_MAX - 1; n <= RTSP_FIELDS_MAX; n++) {
        begin(SLICE("PLAY / RTSP/1.0\r\nCSeq: 1\r\n"));
        for (int i = 0; i < n; i++)
            give(SLICE("A: b\r\n"));
        give(SLICE("\r\n"));
        assert_int_equal(rtsp_reader_next(&rd, &it), 0);
        assert_int_equal(it.request.fault, n < RTSP_FIELDS_MAX ? 0 : 400);
    }
}

static void answers(void **state)
{
    char text[200];
    struct writer w = writer_of(text, sizeof(text));

    (void)state;
    rtsp_answer(&w, 404, (struct slice){ 0 }, SLICE("7"));
    expect_slice(writer_slice(&w), "RTSP/1.0 404 Not Found\r\nCSeq: 7\r\n"
                                   "Server: gb28181d\r\n\r\n");
    w.len = 0;
    rtsp_answer(&w, 504, SLICE("no\r\npacket\x7f"), (struct slice){ 0 });
    expect_slice(writer_slice(&w), "RTSP/1.0 504 no  packet \r\n"
                                   "Server: gb28181d\r\n\r\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(urls),   cmocka_unit_test(requests),
        cmocka_unit_test(fields), cmocka_unit_test(cuts),
        cmocka_unit_test(sizes),  cmocka_unit_test(too_many_lines),
        cmocka_unit_test(answers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
