/* app/rtsp/describe and app/rtsp/auth */
#include "app/rtsp/auth.h"
#include "app/rtsp/describe.h"

#include "test/media.h"
#include "test/support.h"

static struct media_config *config(enum ps_codec codec)
{
    static const struct slice h264[] = { S(AU_SPS), S(AU_PPS), S(AU_IDR) };
    static const struct slice h265[] = { S(AU_VPS265), S(AU_SPS265),
                                         S(AU_PPS265), S(AU_IDR265) };
    bool is264 = codec == PS_CODEC_H264;
    struct au_maker maker;
    struct media_config *c;

    au_maker_init(&maker);
    c = au_config(au_video(&maker, codec, 0, is264 ? h264 : h265,
                           is264 ? 3 : 4));
    au_maker_fini(&maker);
    return c;
}

static const char *describe(const struct media_config *v,
                            const struct media_config *a, const char *local)
{
    const struct media_config *const c[MEDIA_TRACKS] = { v, a };
    static char text[RTSP_SDP_MAX + 1];
    struct writer w = writer_of(text, RTSP_SDP_MAX);
    struct gb_addr at = { 0 };

    if (local)
        assert_int_equal(gb_addr_parse_ip(&at, slice_str(local)), 0);
    rtsp_sdp_write(&w, &at, 42, c);
    assert_int_equal(w.err, 0);
    text[w.len] = '\0';
    return text;
}

static void video(void **state)
{
    struct media_config *h264 = config(PS_CODEC_H264);
    struct media_config *h265 = config(PS_CODEC_H265);
    struct media_config pcma = { .codec = PS_CODEC_G711A, .rate_hz = 8000 };

    (void)state;
    assert_string_equal(
        describe(h264, &pcma, "10.0.0.6"),
        "v=0\r\no=- 42 1 IN IP4 10.0.0.6\r\ns=live\r\nc=IN IP4 0.0.0.0\r\n"
        "t=0 0\r\na=control:*\r\na=range:npt=now-\r\n"
        "m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n"
        "a=fmtp:96 packetization-mode=1;profile-level-id=42c00a;"
        "sprop-parameter-sets=Z0LACtkEewEQAAADABAAAAMDIPEiZIA=,aMuDyyA=\r\n"
        "a=control:trackID=0\r\n"
        "m=audio 0 RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\n"
        "a=control:trackID=1\r\n");
    assert_string_equal(
        describe(h265, NULL, "2001:db8::1"),
        "v=0\r\no=- 42 1 IN IP6 2001:db8::1\r\ns=live\r\nc=IN IP6 ::\r\n"
        "t=0 0\r\na=control:*\r\na=range:npt=now-\r\n"
        "m=video 0 RTP/AVP 98\r\na=rtpmap:98 H265/90000\r\n"
        "a=fmtp:98 sprop-vps=QAEMAf//AWAAAAMAkAAAAwAAAwAekoCQ;"
        "sprop-sps=QgEBAWAAAAMAkAAAAwAAAwAeoCCBBZZKkkyvAWgIAAADAAgAAAMAyEA=;"
        "sprop-pps=RAHBcrQiQA==\r\n"
        "a=control:trackID=0\r\n");
    media_config_unref(h264);
    media_config_unref(h265);
}

/* Field-note 20.6: the profile that is offered is that of the stream's own SPS,
 * not Baseline. */
static void note_20_6_the_profile_is_the_streams(void **state)
{
    static const struct {
        struct slice sps;
        const char *want;
    } cases[] = {
        { S("\x67\x42\xC0\x1E\xD9"), "profile-level-id=42c01e;" },
        { S("\x67\x4D\x40\x1F\xD9"), "profile-level-id=4d401f;" },
        { S("\x67\x64\x00\x28\xAC"), "profile-level-id=640028;" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct media_config c = { .codec = PS_CODEC_H264, .n_sps = 1,
                                  .n_param = 1, .param = { cases[i].sps } };

        assert_true(text_has(describe(&c, NULL, NULL), cases[i].want));
    }
}

static void audio(void **state)
{
    struct media_config pcmu = { .codec = PS_CODEC_G711U, .rate_hz = 8000 };
    struct media_config aac = { .codec = PS_CODEC_AAC, .rate_hz = 16000,
                                .channels = 1, .record = S("\x14\x08") };
    const struct {
        const struct media_config *c;
        const char *want;
    } cases[] = {
        { &pcmu, "m=audio 0 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n"
                 "a=control:trackID=1\r\n" },
        { &aac,
          "m=audio 0 RTP/AVP 97\r\na=rtpmap:97 MPEG4-GENERIC/16000/1\r\n"
          "a=fmtp:97 streamtype=5;profile-level-id=1;mode=AAC-hbr;"
          "sizelength=13;indexlength=3;indexdeltalength=3;config=1408\r\n"
          "a=control:trackID=1\r\n" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        const char *got = describe(NULL, cases[i].c, NULL);

        assert_true(text_has(got, "IN IP4 0.0.0.0\r\ns="));
        assert_false(text_has(got, "m=video"));
        assert_true(text_has(got, cases[i].want));
    }
}

/* What does not fit is an error, whatever the room. */
static void short_of_room(void **state)
{
    struct media_config *v = config(PS_CODEC_H265);
    const struct media_config *const c[MEDIA_TRACKS] = { v, NULL };
    size_t whole = strlen(describe(v, NULL, "::1"));
    struct gb_addr at = { 0 };

    (void)state;
    gb_addr_parse_ip(&at, SLICE("::1"));
    for (size_t n = 0; n <= whole + 1; n++) {
        char text[RTSP_SDP_MAX] = "";
        struct slice room = guarded(slice_of(text, n));
        struct writer w = writer_of((char *)(uintptr_t)room.p, n);

        rtsp_sdp_write(&w, &at, 42, c);
        if (n != whole) /* a NUL more is wanted by printf */
            assert_int_equal(w.err, n < whole ? GB_ENOMEM : 0);
    }
    media_config_unref(v);
}

/* ---- passwords ---------------------------------------------------------- */

#define TOKEN "secret-token"
#define URL "rtsp://h/1/2"

static struct rtsp_auth a;
static struct gb_addr from, elsewhere;

#define NAMED "of-an-account"
#define WHO 17

static uint64_t by_token(void *ctx, struct slice token)
{
    (void)ctx;
    return slice_eq(token, SLICE(NAMED)) ? WHO : 0;
}

static uint64_t by_name(void *ctx, struct slice name, struct sip_ha1 *ha1)
{
    (void)ctx;
    if (!slice_eq(name, SLICE("ci")))
        return 0;
    sip_ha1_make(ha1, SIP_DIGEST_MD5, name, SLICE(RTSP_REALM), SLICE(NAMED));
    return WHO;
}

static int setup(void **state)
{
    static const uint8_t key[SIP_NONCE_KEY] = "0123456789abcdef";

    (void)state;
    a = (struct rtsp_auth){ .token = SLICE(TOKEN), .by_token = by_token,
                            .by_name = by_name };
    sip_nonce_key_init(&a.key, key);
    gb_addr_parse_ip(&from, SLICE("192.0.2.1"));
    gb_addr_parse_ip(&elsewhere, SLICE("192.0.2.2"));
    return 0;
}

/* The answer of a client to our challenge, made at challenge_s. */
static const char *user = "viewer";
static uint64_t who;

static struct slice digest(const char *password, const char *uri,
                           int64_t challenge_s, char buf[static 600])
{
    static char text[600];
    struct writer w = writer_of(text, sizeof(text));
    struct writer to = writer_of(buf, 600);
    struct sip_challenge c;
    struct slice line, rest;
    struct sip_answer answer = { .username = slice_str(user),
                                 .password = slice_str(password),
                                 .method = SLICE("DESCRIBE"),
                                 .uri = slice_str(uri), .nc = 1 };

    rtsp_auth_challenge(&a, &from, challenge_s, false, &w);
    assert_int_equal(w.err, 0);
    rest = slice_from(writer_slice(&w), sizeof("WWW-Authenticate: ") - 1);
    slice_cut(&rest, '\r', &line);
    assert_true(slice_eq(rest, SLICE("\nWWW-Authenticate: Basic "
                                     "realm=\"gb28181d\"\r\n")));
    assert_int_equal(sip_challenge_parse(&c, line), 0);
    assert_int_equal(sip_answer_write(&to, &c, &answer), 0);
    return writer_slice(&to);
}

static void digests(void **state)
{
    static const struct {
        const char *name, *password, *uri;
        int64_t later_s;
        bool there;
        enum rtsp_proof want;
    } cases[] = {
        { "right", TOKEN, URL, 0, true, RTSP_PROOF_RIGHT },
        { "a slash more", TOKEN, URL "/", 0, true, RTSP_PROOF_RIGHT },
        { "old", TOKEN, URL, RTSP_NONCE_AGE_S + 1, true, RTSP_PROOF_STALE },
        { "wrong", "secret-tokem", URL, 0, true, RTSP_PROOF_WRONG },
        { "wrong and old", "x", URL, RTSP_NONCE_AGE_S + 1, true,
          RTSP_PROOF_WRONG },
        { "for another stream", TOKEN, "rtsp://h/1/3", 0, true,
          RTSP_PROOF_WRONG },
        { "from another address", TOKEN, URL, 0, false, RTSP_PROOF_NONE },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        char buf[600];
        struct slice v = digest(cases[i].password, cases[i].uri, 1000, buf);
        enum rtsp_proof got =
            rtsp_auth_check(&a, SLICE("DESCRIBE"), SLICE(URL), guarded(v),
                            cases[i].there ? &from : &elsewhere,
                            1000 + cases[i].later_s, &who);

        if (got != cases[i].want)
            fail_msg("%s: %d", cases[i].name, got);
        /* of another method: no proof at all */
        assert_int_not_equal(rtsp_auth_check(&a, SLICE("SETUP"), SLICE(URL), v,
                                             &from, 1000, &who),
                             RTSP_PROOF_RIGHT);
    }
}

static void basic(void **state)
{
    static const struct {
        struct slice in;
        enum rtsp_proof want;
    } cases[] = {
        { S("Basic eDpzZWNyZXQtdG9rZW4="), RTSP_PROOF_RIGHT },
        { S("basic OnNlY3JldC10b2tlbg=="), RTSP_PROOF_RIGHT }, /* no name */
        { S("Basic eDpzZWNyZXQtdG9rZQ=="), RTSP_PROOF_WRONG },
        { S("Basic eDo="), RTSP_PROOF_WRONG },
        { S("Basic c2VjcmV0LXRva2Vu"), RTSP_PROOF_WRONG }, /* no colon */
        { S("Basic eDpzZWNyZXQtdG9rZW4"), RTSP_PROOF_WRONG },
        { S("Basic !"), RTSP_PROOF_WRONG },
        { S("Basic "), RTSP_PROOF_WRONG },
        { S("Bearer secret-token"), RTSP_PROOF_NONE },
        { S("Digest"), RTSP_PROOF_NONE },
        { S(""), RTSP_PROOF_NONE },
    };
    struct rtsp_auth open = { 0 };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        if (rtsp_auth_check(&a, SLICE("DESCRIBE"), SLICE(URL),
                            guarded(cases[i].in), &from,
                            1000, &who) != cases[i].want)
            fail_msg("%.*s", SLICE_ARG(cases[i].in));
    /* without a token nothing is right */
    assert_int_equal(rtsp_auth_check(&open, SLICE("DESCRIBE"), SLICE(URL),
                                     SLICE("Basic eDo="), &from, 1000, &who),
                     RTSP_PROOF_NONE);
}

static void long_basic(void **state)
{
    static char text[6 + RTSP_BASIC_MAX + 8];

    (void)state;
    for (size_t n = RTSP_BASIC_MAX - 4; n <= RTSP_BASIC_MAX + 4; n += 4) {
        memcpy(text, "Basic ", 6);
        memset(text + 6, 'A', n);
        assert_int_equal(rtsp_auth_check(&a, SLICE("DESCRIBE"), SLICE(URL),
                                         guarded(slice_of(text, 6 + n)),
                                         &from, 1000, &who),
                         RTSP_PROOF_WRONG);
    }
}

/* Tokens of accounts: by Digest under their own name alone, by Basic under any;
 * that of the installation is right under each. */
static void of_accounts(void **state)
{
    static const struct {
        const char *user, *password;
        enum rtsp_proof want;
        uint64_t who;
    } cases[] = {
        { "ci", NAMED, RTSP_PROOF_RIGHT, WHO },
        { "ci", TOKEN, RTSP_PROOF_RIGHT, 0 },
        { "viewer", TOKEN, RTSP_PROOF_RIGHT, 0 },
        { "viewer", NAMED, RTSP_PROOF_WRONG, 0 },
        { "ci", "x", RTSP_PROOF_WRONG, 0 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        enum rtsp_proof got;
        char buf[600];

        user = cases[i].user;
        who = 99;
        got = rtsp_auth_check(&a, SLICE("DESCRIBE"), SLICE(URL),
                              digest(cases[i].password, URL, 1000, buf), &from,
                              1000, &who);
        if (got != cases[i].want || who != cases[i].who)
            fail_msg("%s %s: %d", cases[i].user, cases[i].password, got);
    }
    user = "viewer";
    /* viewer:of-an-account */
    assert_int_equal(rtsp_auth_check(&a, SLICE("DESCRIBE"), SLICE(URL),
                                     SLICE("Basic dmlld2VyOm9mLWFuLWFjY291bnQ="),
                                     &from, 1000, &who), RTSP_PROOF_RIGHT);
    assert_true(who == WHO);
    /* viewer:secret-token */
    assert_int_equal(rtsp_auth_check(&a, SLICE("DESCRIBE"), SLICE(URL),
                                     SLICE("Basic dmlld2VyOnNlY3JldC10b2tlbg=="),
                                     &from, 1000, &who), RTSP_PROOF_RIGHT);
    assert_true(who == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(video),
        cmocka_unit_test(note_20_6_the_profile_is_the_streams),
        cmocka_unit_test(audio),
        cmocka_unit_test(short_of_room),
        cmocka_unit_test_setup(digests, setup),
        cmocka_unit_test_setup(basic, setup),
        cmocka_unit_test_setup(long_basic, setup),
        cmocka_unit_test_setup(of_accounts, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
