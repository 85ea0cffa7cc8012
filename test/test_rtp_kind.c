/* What payloads really are: each rule, each near miss, streams joined in the
 * middle. */
#include "test/support.h"

#include "rtp/kind.h"
#include "test/rtpvec.h"

#include <stdio.h>

#define SPS "\x67\x42\xc0\x0a\xd9\x04\x7b\x01\x10\x00"
#define PPS "\x68\xcb\x83\xcb\x20"
#define VPS5 "\x40\x01\x0c\x01\xff\xff\x01\x60"

/* Payloads of one payload type, numbers and timestamps in a row. */
static const struct {
    const char *name;
    uint8_t pt;
    enum rtp_kind hint;
    struct slice in[3];
    enum rtp_kind want; /* UNKNOWN: still open */
} payloads[] = {
    { "pack header", 96, 0, { S("\0\0\1\xba\x44") }, RTP_KIND_PS },
    { "pack under H264", 98, RTP_KIND_H264, { S("\0\0\1\xba\x44") },
      RTP_KIND_PS },
    { "video PES", 96, 0, { S("\0\0\1\xe0\0\0\x84\x80\5\x21\0\5\xbf\x21") },
      RTP_KIND_PS },
    { "audio PES", 96, 0, { S("\0\0\1\xc0\0\x18\x80\x80\5\x21\0\5\xbf") },
      RTP_KIND_PS },
    { "system header", 96, 0,
      { S("\0\0\1\xbb\0\x0c\x80\xcc\xf5\4\xe1") }, RTP_KIND_PS },
    { "stream map", 96, 0, { S("\0\0\1\xbc\0\x12\xe1\xff\0\0\0\x08") },
      RTP_KIND_PS },
    { "PES without its mark", 96, 0,
      { S("\0\0\1\xe0\0\0\x24\x80\5\x21\0\5\xbf\x21") }, 0 },
    { "middle of a PES", 96, 0, { S("\x12\x34\x56\x78") }, 0 },
    { "annex b, H.264", 96, 0, { S("\0\0\0\1" SPS) },
      RTP_KIND_ANNEXB_H264 },
    { "annex b, 3 bytes, PPS", 96, 0, { S("\0\0\1" PPS) },
      RTP_KIND_ANNEXB_H264 },
    { "annex b, H.265", 96, 0, { S("\0\0\0\1" VPS5) },
      RTP_KIND_ANNEXB_H265 },
    { "annex b, a delimiter first", 96, 0,
      { S("\0\0\0\1\x09\xf0\0\0\0\1" SPS) }, RTP_KIND_ANNEXB_H264 },
    { "annex b, a delimiter of H.265 first", 96, 0,
      { S("\0\0\0\1\x46\1\x50\0\0\1" VPS5) }, RTP_KIND_ANNEXB_H265 },
    { "annex b, a delimiter alone", 96, 0, { S("\0\0\0\1\x09\xf0\0\0") }, 0 },
    { "annex b, a slice", 96, 0, { S("\0\0\0\1\x41\x9a\x38") }, 0 },
    { "annex b, a slice, hint", 98, RTP_KIND_H264,
      { S("\0\0\0\1\x41\x9a\x38") }, RTP_KIND_ANNEXB_H264 },
    { "SPS alone", 96, 0, { S(SPS) }, RTP_KIND_H264 },
    { "PPS alone", 98, 0, { S(PPS) }, RTP_KIND_H264 },
    { "SPS without nal_ref_idc", 96, 0, { S("\x07\x42\xc0\x0a\xd9") }, 0 },
    { "SPS of no profile", 96, 0, { S("\x67\x99\xc0\x0a\xd9\x04") }, 0 },
    { "STAP-A", 96, 0, { S("\x78\0\x0a" SPS "\0\5" PPS) }, RTP_KIND_H264 },
    { "STAP-A, lengths off", 96, 0, { S("\x78\0\x0a" SPS "\0\6" PPS) },
      0 },
    { "STAP-A without sets", 96, 0, { S("\x78\0\2\x41\x9a") }, 0 },
    { "FU-A run", 96, 0,
      { S("\x5c\x81\x9a\x38"), S("\x5c\x01\x15\xe3"), S("\x5c\x41\x60") },
      RTP_KIND_H264 },
    { "FU-A without start", 96, 0,
      { S("\x5c\x01\x15\xe3"), S("\x5c\x41\x60") }, 0 },
    { "FU-A of another type", 96, 0,
      { S("\x5c\x81\x9a\x38"), S("\x5c\x45\x60") }, 0 },
    { "FU-A broken off", 96, 0,
      { S("\x5c\x81\x9a\x38"), S("\x41\x01\x15"), S("\x5c\x41\x60") },
      0 },
    { "single slices", 96, 0, { S("\x41\x9a\x38"), S("\x41\x9a\x38") },
      0 },
    { "annex b, SVAC", 99, RTP_KIND_SVAC,
      { S("\0\0\0\1\x47\x42\x1e\x2a"), S("\0\0\0\1\x28\1\2\3"),
        S("\0\0\0\1\x44\1\2\3") }, 0 },
    { "SVAC", 99, RTP_KIND_SVAC,
      { S("\x48\1\2\3"), S("\x44\1\2\3"), S("\x68\1\2\3") }, 0 },
    { "said to be SVAC", 99, RTP_KIND_SVAC, { S("\0\0\0\1" SPS) },
      RTP_KIND_ANNEXB_H264 },
    { "H.265 VPS", 100, 0, { S(VPS5) }, RTP_KIND_H265 },
    { "H.265 AP", 96, 0, { S("\x60\1\0\x08" VPS5) }, RTP_KIND_H265 },
    { "H.265 FU run", 96, 0,
      { S("\x62\1\x81\xd0\x09"), S("\x62\1\x41\x7e\x10") },
      RTP_KIND_H265 },
    { "H.265 slice", 96, 0, { S("\2\1\xd0\x09\x7e\x10") }, 0 },
    { "ADTS", 96, 0, { S("\xff\xf1\x50\x40\1\x1f\xfc\x21") },
      RTP_KIND_ADTS },
    { "ADTS, length off", 96, 0, { S("\xff\xf1\x50\x40\1\x5f\xfc\x21") },
      0 },
    { "RFC 3640", 102, 0, { S("\0\x10\0\x20\1\2\3\4") }, RTP_KIND_AAC },
    { "RFC 3640, size off", 102, 0, { S("\0\x10\0\x20\1\2\3") }, 0 },
    { "private video", 96, RTP_KIND_PS,
      { S("\1\0\0\0\5\0\0\0\7\0\0\0\0\x10\0\0\1\x10\0\0\x80\7\x38\4"
          "\1\x10\0\0rest") },
      RTP_KIND_PRIVATE },
    { "private audio", 96, RTP_KIND_PS,
      { S("\1\0\0\0\5\0\0\0\7\0\0\0\1\x10\0\0\1\x10\0\0\0\0\0\0"
          "\6\x10\0\0rest") },
      RTP_KIND_PRIVATE },
    { "almost private", 96, RTP_KIND_PS,
      { S("\1\0\0\0\5\0\0\0\7\0\0\0\1\x10\0\0\1\x10\0\0\0\0\0\0"
          "\5\x10\0\0rest") },
      0 },
    { "empty", 96, 0, { S("") }, 0 },
};

static void rules(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(payloads); i++) {
        struct rtp_kind_test t;

        rtp_kind_init(&t, payloads[i].pt, payloads[i].hint);
        for (size_t k = 0; k < 3 && (k == 0 || payloads[i].in[k].n); k++) {
            struct slice in = guarded(payloads[i].in[k]);

            rtp_kind_feed(&t, (const uint8_t *)in.p, in.n, (uint16_t)k, 0, 0);
        }
        if (t.kind != payloads[i].want ||
            t.state != (payloads[i].want ? RTP_KIND_DECIDED : RTP_KIND_OPEN))
            fail_msg("%s: %s", payloads[i].name, rtp_kind_name(t.kind));
    }
}

/* No rule reads past a payload that is cut short. */
static void prefixes(void **state)
{
    static const struct slice in[] = {
        S("\0\0\1\xe0\0\0\x84\x80\5\x21\0\5\xbf\x21"),
        S("\0\0\0\1" SPS),
        S("\x78\0\x0a" SPS "\0\5" PPS),
        S("\x60\1\0\x08" VPS5),
        S("\xff\xf1\x50\x40\1\x1f\xfc\x21"),
        S("\0\x10\0\x20\1\2\3\4"),
        S("\1\0\0\0\5\0\0\0\7\0\0\0\1\x10\0\0\1\x10\0\0\0\0\0\0\6\x10\0\0"),
    };

    (void)state;
    for (size_t i = 0; i < COUNT(in); i++) {
        for (size_t n = 0; n < in[i].n; n++) {
            struct slice p = guarded(slice_head(in[i], n));
            struct rtp_kind_test t;

            rtp_kind_init(&t, 96, RTP_KIND_UNKNOWN);
            rtp_kind_feed(&t, (const uint8_t *)p.p, p.n, 0, 0, 0);
            assert_true(t.state == RTP_KIND_OPEN ||
                        t.state == RTP_KIND_DECIDED);
        }
    }
}

static void vectors(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 3; i++)
        assert_true(
            rtp_kind_is_ps(vec_packets[i].p + 12, vec_packets[i].n - 12u));
}

static void transport_stream(void **state)
{
    static uint8_t two[376], one[188];
    struct rtp_kind_test t;

    (void)state;
    two[0] = two[188] = one[0] = 0x47;
    rtp_kind_init(&t, 33, RTP_KIND_TS);
    assert_int_equal(rtp_kind_feed(&t, two, 376, 0, 0, 0), RTP_KIND_DECIDED);
    assert_int_equal(t.kind, RTP_KIND_TS);
    rtp_kind_init(&t, 96, RTP_KIND_PS);
    assert_int_equal(rtp_kind_feed(&t, one, 188, 0, 0, 0), RTP_KIND_OPEN);
    assert_int_equal(rtp_kind_feed(&t, one, 188, 1, 0, 0), RTP_KIND_DECIDED);
    assert_int_equal(t.kind, RTP_KIND_TS);
}

static void raw_audio(void **state)
{
    static const struct {
        const char *name;
        uint8_t pt;
        size_t n;
        uint32_t step;
        enum rtp_kind want;
    } cases[] = {
        { "PCMA", 8, 160, 160, RTP_KIND_PCMA },
        { "PCMU", 0, 320, 320, RTP_KIND_PCMU },
        { "90 kHz", 8, 160, 1800, 0 },
        { "odd size", 8, 161, 161, 0 },
        { "too large", 8, 2400, 2400, 0 },
        { "another type", 96, 160, 160, 0 },
    };
    static uint8_t data[2400];

    (void)state;
    memset(data, 0xd5, sizeof(data));
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct rtp_kind_test t;

        rtp_kind_init(&t, cases[i].pt, 0);
        for (unsigned k = 0; k < 4; k++)
            rtp_kind_feed(&t, data, cases[i].n, (uint16_t)k,
                          k * cases[i].step, k * 20);
        if (t.kind != cases[i].want)
            fail_msg("%s: %s", cases[i].name, rtp_kind_name(t.kind));
    }
}

/* Its tables may come in a packet alone, and begin like a parameter set. */
static void transport_packet_like_a_set(void **state)
{
    static const uint8_t one[188] = { 0x47, 0x42, 0x00, 0x1e };
    struct rtp_kind_test t;

    (void)state;
    rtp_kind_init(&t, 96, RTP_KIND_PS);
    rtp_kind_feed(&t, one, sizeof(one), 0, 0, 0);
    rtp_kind_feed(&t, one, sizeof(one), 1, 0, 0);
    assert_int_equal(t.kind, RTP_KIND_TS);
}

/* Frames of G.723.1, G.729 and the like are short, and begin with any byte. */
static void sound_is_no_video(void **state)
{
    static const uint8_t types[] = { 4, 9, 18, 20, 0, 8 };
    uint64_t seed = 3;

    (void)state;
    for (unsigned i = 0; i < 600; i++) {
        struct rtp_kind_test t;
        uint8_t pt = types[i % COUNT(types)];

        rtp_kind_init(&t, pt, rtp_kind_of(pt, SLICE("")));
        for (unsigned k = 0; k < RTP_KIND_PACKETS; k++) {
            uint8_t p[24];

            for (size_t at = 0; at < sizeof(p); at++)
                p[at] = (uint8_t)test_random(&seed);
            rtp_kind_feed(&t, p, sizeof(p), (uint16_t)k, k, 0);
        }
        if (t.kind == RTP_KIND_H264 || t.kind == RTP_KIND_H265)
            fail_msg("%u is %s", pt, rtp_kind_name(t.kind));
    }
}

/* No rule fires: an elementary stream of the SDP is followed, anything else
 * is unknown until it shows itself. */
static void giving_up(void **state)
{
    static const uint8_t dull[4] = { 0x12, 0x34, 0x56, 0x78 };
    struct rtp_kind_test t;

    (void)state;
    rtp_kind_init(&t, 98, RTP_KIND_H264);
    for (unsigned i = 0; i < RTP_KIND_PACKETS - 1; i++)
        assert_int_equal(rtp_kind_feed(&t, dull, 4, (uint16_t)i, 0, 0),
                         RTP_KIND_OPEN);
    assert_int_equal(rtp_kind_feed(&t, dull, 4, 63, 0, 0), RTP_KIND_ASSUMED);
    assert_int_equal(t.kind, RTP_KIND_H264);
    rtp_kind_init(&t, 96, RTP_KIND_PS);
    rtp_kind_feed(&t, dull, 4, 0, 0, 1000);
    assert_int_equal(rtp_kind_feed(&t, dull, 4, 1, 0, 2999), RTP_KIND_OPEN);
    assert_int_equal(rtp_kind_feed(&t, dull, 4, 2, 0, 3000), RTP_KIND_FAILED);
    assert_int_equal(t.kind, RTP_KIND_UNKNOWN);
    assert_int_equal(rtp_kind_feed(&t, vec_key + 12, 129, 3, 0, 9000),
                     RTP_KIND_DECIDED);
    assert_int_equal(t.kind, RTP_KIND_PS);
}

/* A program stream that is joined in the middle: random bytes for as long as
 * is watched must not be taken for anything. */
static void joined_in_the_middle(void **state)
{
    uint64_t seed = 20260501;
    unsigned wrong = 0;

    (void)state;
    for (unsigned round = 0; round < 2000; round++) {
        struct rtp_kind_test t;

        rtp_kind_init(&t, 96, RTP_KIND_PS);
        for (unsigned i = 0; i < RTP_KIND_PACKETS - 1; i++) {
            uint8_t p[1400];

            for (size_t k = 0; k < 48; k += 8) {
                uint64_t r = test_random(&seed);

                memcpy(p + k, &r, 8);
            }
            memset(p + 48, 0x5a, sizeof(p) - 48);
            rtp_kind_feed(&t, p, sizeof(p), (uint16_t)i, 0, 0);
        }
        wrong += t.state != RTP_KIND_OPEN;
    }
    assert_true(wrong <= 4);
}

static void note_8_18_hints_of_the_rtpmap(void **state)
{
    static const struct {
        uint8_t pt;
        struct slice encoding;
        enum rtp_kind want;
    } cases[] = {
        { 96, S("PS"), RTP_KIND_PS },      { 98, S("ps"), RTP_KIND_PS },
        { 96, S("H264"), RTP_KIND_H264 },  { 99, S("H265"), RTP_KIND_H265 },
        { 99, S(""), RTP_KIND_SVAC },      { 100, S(""), RTP_KIND_H265 },
        { 8, S(""), RTP_KIND_PCMA },       { 8, S("PCMA"), RTP_KIND_PCMA },
        { 96, S("DAHUA"), RTP_KIND_PS },   { 96, S("X"), RTP_KIND_UNKNOWN },
        { 120, S(""), RTP_KIND_UNKNOWN },  { 9, S(""), RTP_KIND_G722 },
        { 97, S("MP4V-ES"), RTP_KIND_MPEG4 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_int_equal(rtp_kind_of(cases[i].pt, cases[i].encoding),
                         cases[i].want);
    for (unsigned k = 0; k < RTP_KIND_COUNT; k++)
        assert_non_null(rtp_kind_name((enum rtp_kind)k));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rules),     cmocka_unit_test(prefixes),
        cmocka_unit_test(vectors),   cmocka_unit_test(transport_stream),
        cmocka_unit_test(raw_audio), cmocka_unit_test(giving_up),
        cmocka_unit_test(transport_packet_like_a_set),
        cmocka_unit_test(sound_is_no_video),
        cmocka_unit_test(note_8_18_hints_of_the_rtpmap),     cmocka_unit_test(joined_in_the_middle),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
