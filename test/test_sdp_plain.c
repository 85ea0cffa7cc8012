/* sdp/plain: what the shortcuts read, sdp/read alone reads alike. */
#include "test/support.h"

#include "base/writer.h"
#include "sdp/read.h"
#include "test/sdp_same.h"

#define ROUNDS 200000

static const char *const lines[] = {
    "v=0", "o=34020000002000000001 0 0 IN IP4 192.0.2.6", "o=- 1 1 IN IP4 h",
    "o=a  0 0 IN IP4 192.0.2.6", "o= 0 0 IN IP4 192.0.2.6", "o=a 0 IN IP4 h",
    "o=", "o=a 0 0 IN IP6 2001:db8::1", "s=Play", "s=Playback", "s=play", "s=",
    "s=Embedded Net  DVR", "s= Play", "s=Play ", "i=VCam Live Video",
    "i=one\ttwo", "u=34020000001320000001:0", "u=", "c=IN IP4 192.0.2.6",
    "c=IN IP4 [192.0.2.6]", "c=IN IP4 192.0.2.6/127", "c=IN IP4 ", "c=IN IP4",
    "c=IN IP4 192.0.2.6:5060", "c=IN IP4 192.0.2.6 ", "c=in IP4 192.0.2.6",
    "c=IN IP4 a-host-name-longer-than-a-block.example", "c=192.0.2.6",
    "t=0 0", "t=0 1", "t=1711929600 1711933200", "t=0  0", "t=0", "t=0 0 ",
    "m=video 58200 TCP/RTP/AVP 96", "m=video 30000 RTP/AVP 96 97 98",
    "m=audio 0 RTP/AVP 8", "m=audio 1 rtp/avp 8", "m=Video 1 RTP/AVP 96",
    "m=video 65536 RTP/AVP 96", "m=video 1/2 RTP/AVP 96",
    "m=video 1 RTP/AVP 96 96 x 128", "m=video 1 RTP/AVP  96",
    "m=video 1 RTP/AVP", "m=video 1 RTP/AVP ", "m=video 9 tcp 96", "m=video 1",
    "m=video x RTP/AVP 96", "m=other 1 RTP/AVP 96", "m=",
    "m=video 1 RTP/AVP 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16",
    "m=video 000000030000 RTP/AVP 000000096", "a=recvonly", "a=sendonly",
    "a=sendrecv", "a=inactive", "a=Sendonly", "a=sendonly ", "a=recvonly:",
    "a=rtpmap:96 PS/90000", "a=rtpmap:8 PCMA/8000/1", "a=rtpmap:8 PCMA/8000/2",
    "a=rtpmap:8 PCMA/8000",
    "a=rtpmap:97 PS/", "a=rtpmap:96 /1", "a=rtpmap:96", "a=rtpmap:96 PS",
    "a=rtpmap:96 PS/90000 ", "a=rtpmap: 96 PS/90000", "a=rtpmap:",
    "a=rtpmap:99 H265/90000", "a=rtpmap:96 PS/123456789", "a=fmtp:96 x=1",
    "a=setup:active", "a=setup:passive", "a=setup:actpass", "a=setup:",
    "a=SETUP:active", "a=setup: active", "a=connection:new",
    "a=connection:existing", "a=connection:New", "a=streamprofile:1",
    "a=streamnumber:0", "a=streamnumber:255", "a=streamnumber:256",
    "a=streamnumber:", "a=streamnumber:-1", "a=stream:1", "a=streamMode:sub",
    "a=downloadspeed:4", "a=filesize:77", "a=x", "a=", "a=:", "a",
    "y=0200004321", "y=0100000001", "y=4294967295", "y=4294967296",
    "y=9999999999", "y=200004321", "y=020000432x", "y=:200004321", "y=",
    "y= 0200004321", "f=v/2/6/25/1/4096a/1/8/1", "f=", "f=v/ /a", "x=1", "=",
    "", " ", "  s = Play", "\t",
};

static void same(struct slice body)
{
    static struct sdp a, b;
    struct gb_diag at_a = { 0, "" }, at_b = { 0, "" };
    int err = sdp_parse(&a, body, &at_a);

    if (err != sdp_parse_patient(&b, body, &at_b) || at_a.off != at_b.off ||
        at_a.why != at_b.why || (err == 0 && !sdp_same(&a, &b)))
        fail_msg("not the same: \"%.*s\"", SLICE_ARG(body));
}

static void each_line(void **state)
{
    static const char *const ends[] = { "\r\n", "\n", "\r", "\n\r", "" };

    (void)state;
    for (size_t i = 0; i < COUNT(lines); i++)
        for (size_t k = 0; k < COUNT(ends); k++)
            for (unsigned where = 0; where < 3; where++) {
                char buf[512];
                struct writer w = writer_of(buf, sizeof(buf));

                if (where)
                    writer_f(&w, "m=video 1 RTP/AVP 96 8%s", ends[k % 4]);
                writer_f(&w, "%s%s", lines[i], ends[k]);
                if (where == 2)
                    writer_f(&w, "m=audio 1 RTP/AVP 8%s", ends[k]);
                assert_int_equal(w.err, 0);
                same(guarded(writer_slice(&w)));
            }
}

/* Many lines in a row, one octet in some of the bodies changed. */
static void any_lines(void **state)
{
    static const char *const ends[] = { "\r\n", "\r\n", "\r\n", "\n", "\r",
                                        "\r\n\r\n", "\n\n", "\n\r" };
    static const char octets[] = "\r\n\0\t :=/[]0a\x7f\x80\xff\x0b";
    uint64_t seed = 5;

    (void)state;
    for (unsigned k = 0; k < ROUNDS; k++) {
        char buf[1024];
        struct writer w = writer_of(buf, sizeof(buf));
        size_t n = 1 + (test_random(&seed) >> 30) % 14;

        for (size_t i = 0; i < n; i++)
            writer_f(&w, "%s%s", lines[(test_random(&seed) >> 30) %
                                       COUNT(lines)],
                     ends[(test_random(&seed) >> 30) % COUNT(ends)]);
        assert_int_equal(w.err, 0);
        if (k % 2 && w.len)
            buf[(test_random(&seed) >> 30) % w.len] =
                octets[(test_random(&seed) >> 30) % (sizeof(octets) - 1)];
        w.len -= w.len ? (test_random(&seed) >> 30) % w.len % 5 : 0;
        same(guarded(writer_slice(&w)));
    }
}

/* Every prefix of what devices send, and every octet of it in turn replaced. */
static void on_file(void *ctx, const char *path, struct slice bytes)
{
    char buf[1024];

    (void)ctx;
    (void)path;
    assert_true(bytes.n <= sizeof(buf));
    for (size_t n = 0; n <= bytes.n; n++) {
        same(guarded(slice_head(bytes, n)));
        if (n == bytes.n)
            break;
        for (const char *c = "\r\n\t :x"; *c; c++) {
            memcpy(buf, bytes.p, bytes.n);
            buf[n] = *c;
            same(guarded(slice_of(buf, bytes.n)));
        }
    }
}

static void captures(void **state)
{
    (void)state;
    each_file("test/data/sdp", ".sdp", on_file, NULL);
}

/* Bodies whose length is near that of words of the map, and the longest. */
static void lengths(void **state)
{
    static char big[SDP_MAX_BYTES + 1];
    static const char line[] = "a=sendonly\r\nm=video 1 RTP/AVP 96\r\n";

    (void)state;
    for (size_t i = 0; i < sizeof(big); i++)
        big[i] = line[i % (sizeof(line) - 1)];
    for (size_t n = 0; n < 300; n++)
        same(guarded(slice_of(big, n)));
    for (size_t n = sizeof(big) - 130; n <= sizeof(big); n++)
        same(slice_of(big, n));
    memset(big, 'x', sizeof(big));
    same(slice_of(big, SDP_MAX_BYTES));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_line),
        cmocka_unit_test(any_lines),
        cmocka_unit_test(captures),
        cmocka_unit_test(lengths),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
