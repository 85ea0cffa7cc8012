/* Playback control: what the standard writes, what devices write, and what is
 * refused. */
#include "test/support.h"

#include "manscdp/mansrtsp.h"

#define PLAY(lines) "PLAY RTSP/1.0\r\nCSeq: 2\r\n" lines "\r\n"
#define REPLY(lines) "RTSP/1.0 200 OK\r\nCSeq: 2\r\n" lines "\r\n"
#define NEW(...) { .cseq = 2, __VA_ARGS__ }
#define WITH(x) .has = MANSRTSP_##x

/* Written so and read so. */
static const struct {
    const char *name, *text;
    struct mansrtsp m;
} standard[] = {
    { "pause", "PAUSE RTSP/1.0\r\nCSeq: 2\r\nPauseTime: now\r\n\r\n",
      NEW(.method = MANSRTSP_PAUSE) },
    { "pause at", "PAUSE RTSP/1.0\r\nCSeq: 2\r\nPauseTime: 12.5\r\n\r\n",
      NEW(WITH(PAUSE_AT), .method = MANSRTSP_PAUSE, .pause_ms = 12500) },
    { "resume", PLAY("Range: npt=now-\r\n"), NEW(WITH(RANGE), .from_now = true) },
    { "resume of 2011", "PLAY MANSRTSP/1.0\r\nCSeq: 2\r\n\r\n",
      NEW(.old_version = true) },
    { "speed", PLAY("Scale: 2.0\r\n"), NEW(WITH(SCALE), .scale_milli = 2000) },
    { "slow", PLAY("Scale: 0.25\r\n"), NEW(WITH(SCALE), .scale_milli = 250) },
    { "slowest", PLAY("Scale: 0.125\r\n"),
      NEW(WITH(SCALE), .scale_milli = 125) },
    { "seek", PLAY("Range: npt=100-\r\n"), NEW(WITH(RANGE), .from_ms = 100000) },
    { "seek to the start", PLAY("Range: npt=0-\r\n"), NEW(WITH(RANGE)) },
    { "seek between seconds", PLAY("Range: npt=0.04-\r\n"),
      NEW(WITH(RANGE), .from_ms = 40) },
    { "backwards", PLAY("Scale: -1.0\r\nRange: npt=600-120\r\n"),
      NEW(WITH(SCALE | MANSRTSP_RANGE | MANSRTSP_RANGE_END),
          .scale_milli = -1000,
          .from_ms = 600000, .to_ms = 120000) },
    { "stop", "TEARDOWN RTSP/1.0\r\nCSeq: 2\r\n\r\n",
      NEW(.method = MANSRTSP_TEARDOWN) },
    { "done", REPLY("Range: npt=100-\r\nRTP-Info: seq=18139;rtptime=3119600838\r\n"),
      NEW(WITH(RANGE | MANSRTSP_RTP_INFO), .response = true, .status = 200,
          .from_ms = 100000, .seq = 18139, .rtptime = 3119600838u) },
    { "refused", "RTSP/1.0 501 Error\r\nCSeq: 2\r\n\r\n",
      NEW(.response = true, .status = 501) },
};

static bool same(const struct mansrtsp *a, const struct mansrtsp *b)
{
    return a->response == b->response && a->old_version == b->old_version &&
           a->method == b->method && a->status == b->status &&
           a->has == b->has && a->cseq == b->cseq &&
           a->scale_milli == b->scale_milli && a->from_now == b->from_now &&
           a->from_ms == b->from_ms && a->to_ms == b->to_ms &&
           a->pause_ms == b->pause_ms && a->seq == b->seq &&
           a->rtptime == b->rtptime;
}

static void standard_both_ways(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(standard); i++) {
        struct slice text = slice_str(standard[i].text);
        struct mansrtsp got;
        char buf[256];
        struct writer w = writer_of(buf, sizeof(buf));

        if (mansrtsp_parse(&got, guarded(text), NULL) ||
            !same(&got, &standard[i].m))
            fail_msg("%s: read wrong", standard[i].name);
        if (mansrtsp_write(&w, &standard[i].m, false) ||
            !slice_eq(writer_slice(&w), text))
            fail_msg("%s: wrote %.*s", standard[i].name,
                     SLICE_ARG(writer_slice(&w)));
    }
}

/* What devices and other platforms send means the same. */
static void oddities_are_understood(void **state)
{
    const struct {
        const char *odd, *plain;
    } t[] = {
        { "PLAY sip:34020000001310000007@10.0.1.20:5060 RTSP/1.0\r\nCSeq: 2\r\n"
          "Scale: 2\r\n\r\n", PLAY("Scale: 2.0\r\n") },
        { "play rtsp/1.0\ncseq:2\nscale : +2.000\n\n", PLAY("Scale: 2.0\r\n") },
        { "\r\nPLAY  RTSP/1.0 \r\nCSeq: 2\r\nRange: npt=now-",
          PLAY("Range: npt=now-\r\n") },
        { "PLAY RTSP/1.0\r\nCSeq: 2\r\nRange: NPT = 100 - \r\n",
          PLAY("Range: npt=100-\r\n") },
        { PLAY("Range: npt=0:01:40.0-;time=19970123T143720Z\r\n"),
          PLAY("Range: npt=100-\r\n") },
        { PLAY("Range: npt=100\r\n"), PLAY("Range: npt=100-\r\n") },
        { PLAY("Range: npt=100-\r\nRange: npt=now-7\r\n"),
          PLAY("Range: npt=100-\r\n") },
        { PLAY("Range: npt=-\r\n"), PLAY("Range: npt=now-\r\n") },
        { PLAY("no field\r\nUser-Agent: x\r\nScale: 2.0\r\n"),
          PLAY("Scale: 2.0\r\n") },
        { "PAUSE RTSP/1.0\r\nCSeq: 2\r\nPauseTime: 0\r\n\r\n",
          standard[0].text },
        { "PAUSE RTSP/1.0\r\nCSeq: 2", standard[0].text },
        { "PAUSE RTSP/1.0\r\nCSeq: 2\r\nPauseTime:\r\n\r\n", standard[0].text },
        { REPLY("Range: npt=100-\r\n"
                "RTP-Info: url=rtsp://x;seq=18139;rtptime=3119600838,seq=1\r\n"),
          standard[12].text },
        { REPLY("RTP-Info: seq=70000;rtptime=1\r\n"), REPLY("") },
        { REPLY("RTP-Info: seq=7\r\n"), REPLY("") },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(t); i++) {
        struct mansrtsp a, b;

        if (mansrtsp_parse(&a, guarded(slice_str(t[i].odd)), NULL) ||
            mansrtsp_parse(&b, slice_str(t[i].plain), NULL) || !same(&a, &b))
            fail_msg("%zu: %s", i, t[i].odd);
    }
}

static void refused(void **state)
{
    static const struct {
        const char *text;
        int err;
    } t[] = {
        { "", GB_ESYNTAX },
        { "\r\n\r\n", GB_ESYNTAX },
        { "PLAY\r\n\r\n", GB_ESYNTAX },
        { "PLAY HTTP/1.1\r\n\r\n", GB_ESYNTAX },
        { "RTSP/1.0\r\n\r\n", GB_ESYNTAX },
        { "RTSP/1.0 99 x\r\n\r\n", GB_ESYNTAX },
        { "RTSP/1.0 700 x\r\n\r\n", GB_ESYNTAX },
        { "RECORD RTSP/1.0\r\n\r\n", GB_EUNSUPPORTED },
        { "PLAY RTSP/1.0\r\nCSeq: x\r\n\r\n", GB_ESYNTAX },
        { PLAY("Scale: fast\r\n"), GB_ESYNTAX },
        { PLAY("Scale: 0\r\n"), GB_ERANGE },
        { PLAY("Scale: 0.0001\r\n"), GB_ERANGE },
        { PLAY("Scale: 257\r\n"), GB_ERANGE },
        { PLAY("Scale: -257\r\n"), GB_ERANGE },
        { PLAY("Range: 100-\r\n"), GB_ESYNTAX },
        { PLAY("Range: npt=x-\r\n"), GB_ESYNTAX },
        { PLAY("Range: npt=0-x\r\n"), GB_ESYNTAX },
        { PLAY("Range: npt=1:2:3:4-\r\n"), GB_ESYNTAX },
        { PLAY("Range: npt=31622401-\r\n"), GB_ERANGE },
        { PLAY("Range: npt=0-31622401\r\n"), GB_ERANGE },
        { PLAY("Range: npt=99999999999999999999999999-\r\n"), GB_ERANGE },
        { PLAY("Range: smpte=10:07:00-\r\n"), GB_EUNSUPPORTED },
        { "PAUSE RTSP/1.0\r\nPauseTime: later\r\n\r\n", GB_ESYNTAX },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(t); i++) {
        struct mansrtsp m = { .status = 7 };
        struct gb_diag diag = { 0, NULL };
        struct slice s = slice_str(t[i].text);
        int err = mansrtsp_parse(&m, guarded(s), &diag);

        if (err != t[i].err || !diag.why || diag.off > s.n || m.status != 7)
            fail_msg("%s: %s", t[i].text, gb_strerror(err));
    }
}

static void limits(void **state)
{
    char text[MANSRTSP_MAX_BYTES + 1];
    struct writer w = writer_of(text, sizeof(text));
    struct mansrtsp m;
    size_t fits;

    (void)state;
    writer_str(&w, "PLAY RTSP/1.0\r\n");
    for (unsigned i = 0; i < MANSRTSP_MAX_LINES; i++)
        writer_str(&w, "a: b\r\n");
    fits = w.len;
    writer_str(&w, "a: b\r\n");
    assert_int_equal(mansrtsp_parse(&m, slice_of(text, fits), NULL), 0);
    assert_int_equal(mansrtsp_parse(&m, writer_slice(&w), NULL), GB_ELIMIT);
    memset(text, ' ', sizeof(text));
    memcpy(text, "PLAY RTSP/1.0\r\n\r\n", 17);
    assert_int_equal(mansrtsp_parse(&m, slice_of(text, MANSRTSP_MAX_BYTES),
                                    NULL), 0);
    assert_int_equal(mansrtsp_parse(&m, slice_of(text, sizeof(text)), NULL),
                     GB_ELIMIT);
}

/* Every prefix is read or refused, never past its end. */
static void every_prefix(void **state)
{
    struct mansrtsp m;

    (void)state;
    for (size_t i = 0; i < COUNT(standard); i++)
        for (size_t n = 0; n <= strlen(standard[i].text); n++)
            mansrtsp_parse(&m, guarded(slice_of(standard[i].text, n)), NULL);
}

static void what_is_not_written(void **state)
{
    static const struct mansrtsp t[] = {
        NEW(WITH(SCALE)),
        NEW(WITH(SCALE), .scale_milli = MANSRTSP_MAX_SCALE + 1),
        NEW(WITH(SCALE), .scale_milli = -MANSRTSP_MAX_SCALE - 1),
        NEW(WITH(RANGE), .from_ms = -1),
        NEW(WITH(RANGE), .from_ms = MANSRTSP_MAX_MS + 1),
        NEW(WITH(RANGE | MANSRTSP_RANGE_END), .to_ms = MANSRTSP_MAX_MS + 1),
        NEW(WITH(PAUSE_AT), .method = MANSRTSP_PAUSE, .pause_ms = MANSRTSP_MAX_MS + 1),
        NEW(.response = true, .status = 99),
        NEW(.response = true, .status = 700),
        NEW(.method = MANSRTSP_METHOD_COUNT),
    };
    char buf[256];

    (void)state;
    for (size_t i = 0; i < COUNT(t); i++) {
        struct writer w = writer_of(buf, sizeof(buf));

        assert_int_equal(mansrtsp_write(&w, &t[i], false), GB_ERANGE);
        assert_int_equal(w.len, 0);
    }
    for (size_t cap = 0; cap < strlen(standard[0].text); cap++) {
        struct writer w = writer_of(buf, cap);

        assert_int_equal(mansrtsp_write(&w, &standard[0].m, false),
                         GB_ENOMEM);
    }
}

/* A device that wants "2" where the standard has "2.0". */
static void note_9_11_whole_scale(void **state)
{
    static const struct mansrtsp two = NEW(WITH(SCALE), .scale_milli = 2000),
                                 half = NEW(WITH(SCALE), .scale_milli = 500);
    char buf[256];
    struct writer w = writer_of(buf, sizeof(buf));

    (void)state;
    assert_int_equal(mansrtsp_write(&w, &two, true), 0);
    expect_slice(writer_slice(&w), PLAY("Scale: 2\r\n"));
    w = writer_of(buf, sizeof(buf));
    assert_int_equal(mansrtsp_write(&w, &half, true), 0);
    expect_slice(writer_slice(&w), PLAY("Scale: 0.5\r\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(standard_both_ways),
        cmocka_unit_test(oddities_are_understood),
        cmocka_unit_test(refused),
        cmocka_unit_test(limits),
        cmocka_unit_test(every_prefix),
        cmocka_unit_test(what_is_not_written),
        cmocka_unit_test(note_9_11_whole_scale),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
