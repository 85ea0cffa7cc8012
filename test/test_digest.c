/* sip/digest: vectors, leniency, nonces, both sides together */
#include "test/support.h"

#include "sip/digest.h"

#define UNHEX_32 "0123456789abcdef0123456789abcdef"

static const uint8_t key[SIP_NONCE_KEY] = "an HMAC key of thirty-two bytes";

/* GB/T 28181 registration, two from the wire (Hikvision), RFC 2617, 7616. */
static const struct vector {
    const char *name;
    struct slice method, password, header;
} vectors[] = {
    { "no qop", S("REGISTER"), S("12345678"),
      S("Digest username=\"34020000001320000001\", realm=\"3402000000\", "
        "nonce=\"6fe9ba44a76be22a\", "
        "uri=\"sip:34020000002000000001@3402000000\", "
        "response=\"6a2143ae65b119e276a75f0a4a8992b7\", algorithm=MD5") },
    { "qop=auth", S("REGISTER"), S("12345678"),
      S("Digest username=\"34020000001320000001\", realm=\"3402000000\", "
        "nonce=\"6fe9ba44a76be22a\", "
        "uri=\"sip:34020000002000000001@3402000000\", "
        "response=\"fb6d2f768312116118c121c2608cf961\", qop=auth, "
        "nc=00000001, cnonce=\"0a4f113b\"") },
    { "Hikvision, eight digits of realm", S("REGISTER"), S("12345678"),
      S("Digest username=\"34020000001110000001\", realm=\"34020000\", "
        "nonce=\"awer23sdfj123123\", "
        "uri=\"sip:34020000002000000001@3402000000\", "
        "response=\"5a08b47cf38bc6aa2df2f70577879e37\", opaque=\"\"") },
    { "Hikvision, admin", S("REGISTER"), S("12345"),
      S("Digest username=\"admin\",realm=\"hik\","
        "nonce=\"a8afe6fcbee6331d89d3eb0d3d19ce39\","
        "uri=\"sip:130909115229300920@10.64.49.44:7100\","
        "response=\"907ddb1bcc25174d7de4a96c947fb066\",algorithm=MD5") },
    { "RFC 2617", S("GET"), S("Circle Of Life"),
      S("Digest username=\"Mufasa\", realm=\"testrealm@host.com\", "
        "nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", "
        "uri=\"/dir/index.html\", qop=auth, nc=00000001, "
        "cnonce=\"0a4f113b\", "
        "response=\"6629fae49393a05397450978507c4ef1\", "
        "opaque=\"5ccc069c403ebaf9f0171e9517f40e41\"") },
    { "RFC 7616, MD5", S("GET"), S("Circle of Life"),
      S("Digest username=\"Mufasa\", realm=\"http-auth@example.org\", "
        "uri=\"/dir/index.html\", algorithm=MD5, "
        "nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", "
        "nc=00000001, "
        "cnonce=\"f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ\", "
        "qop=auth, response=\"8ca523f5e9506fed4657c9700eebdbec\"") },
    { "RFC 7616, SHA-256", S("GET"), S("Circle of Life"),
      S("Digest username=\"Mufasa\", realm=\"http-auth@example.org\", "
        "uri=\"/dir/index.html\", algorithm=SHA-256, "
        "nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", "
        "nc=00000001, "
        "cnonce=\"f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ\", "
        "qop=auth, response=\"753927fa0e85d155564e2e272a28d180"
        "2ca10daf4496794697cf8db5856cb6c1\"") },
    { "unquoted, quoted, upper case", S("REGISTER"), S("12345678"),
      S("digest\tALGORITHM=\"md5\",qop=\"auth\" , nc=\"00000001\","
        "CNONCE=0a4f113b,username=34020000001320000001,realm=3402000000,\r\n "
        "response=\"FB6D2F768312116118C121C2608CF961\","
        "nonce=6fe9ba44a76be22a,unknown=\"x,y\","
        "uri=sip:34020000002000000001@3402000000") },
};

static void known_vectors(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(vectors); i++) {
        const struct vector *v = &vectors[i];
        struct sip_credentials c;
        struct sip_ha1 ha1;
        char password[32];

        assert_int_equal(sip_credentials_parse(&c, guarded(v->header)), 0);
        sip_ha1_make(&ha1, c.alg, c.username, c.realm, v->password);
        if (!sip_digest_check(&c, v->method, &ha1))
            fail_msg("%s", v->name);
        assert_false(sip_digest_check(&c, SLICE("INVITE"), &ha1));
        slice_copy(password, sizeof(password), v->password);
        password[0] ^= 1;
        sip_ha1_make(&ha1, c.alg, c.username, c.realm,
                     slice_of(password, v->password.n));
        assert_false(sip_digest_check(&c, v->method, &ha1));
    }
}

static void ha1_of_the_standard(void **state)
{
    struct sip_ha1 ha1;

    (void)state;
    sip_ha1_make(&ha1, SIP_DIGEST_MD5, SLICE("34020000001320000001"),
                 SLICE("3402000000"), SLICE("12345678"));
    assert_true(slice_eq(slice_of(ha1.hex, ha1.n),
                         SLICE("8258341d7dd730ce4d3b8fd2db050320")));
}

static void parses(void **state)
{
    static const struct {
        const char *name;
        struct slice in;
        int err;
    } cases[] = {
        { "other scheme", S("NoOneKnowsThisScheme opaque-data=here"),
          GB_EUNSUPPORTED },
        { "Capability", S("Capability algorithm=\"A:SHA1;\""),
          GB_EUNSUPPORTED },
        { "scheme alone", S("Digest"), GB_EUNSUPPORTED },
        { "nothing", S(""), GB_EUNSUPPORTED },
        { "scheme run on", S("Digestusername=a,nonce=b,uri=c,response=d"),
          GB_EUNSUPPORTED },
        { "least", S("Digest username=a,nonce=b,uri=c,response=d"), 0 },
        { "no user", S("Digest nonce=b,uri=c,response=d"), GB_ESYNTAX },
        { "no nonce", S("Digest username=a,uri=c,response=d"), GB_ESYNTAX },
        { "no uri", S("Digest username=a,nonce=b,response=d"), GB_ESYNTAX },
        { "no response", S("Digest username=a,nonce=b,uri=c"), GB_ESYNTAX },
        { "empty user", S("Digest username=\"\",nonce=b,uri=c,response=d"),
          GB_ESYNTAX },
        { "user twice",
          S("Digest username=a,username=a,nonce=b,uri=c,response=d"),
          GB_ESYNTAX },
    };
    struct sip_credentials c;

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        if (sip_credentials_parse(&c, guarded(cases[i].in)) != cases[i].err)
            fail_msg("%s", cases[i].name);
}

/* What cannot be computed is never right. */
static void unanswerable(void **state)
{
    static const char *const heads[] = {
        "algorithm=SHA-512", "qop=auth-int,nc=1,cnonce=x", "qop=auth,nc=1",
        "qop=auth,cnonce=x", "algorithm=MD5-sess", "algorithm=SHA-256",
    };
    struct sip_ha1 md5;

    (void)state;
    sip_ha1_make(&md5, SIP_DIGEST_MD5, SLICE("a"), SLICE("r"), SLICE("p"));
    for (size_t i = 0; i < COUNT(heads); i++) {
        char buf[256], out[SIP_DIGEST_HEX];
        struct writer w = writer_of(buf, sizeof(buf));
        struct sip_credentials c;

        writer_f(&w, "Digest username=a,realm=r,nonce=b,uri=c,%s,response="
                     UNHEX_32, heads[i]);
        assert_int_equal(sip_credentials_parse(&c, writer_slice(&w)), 0);
        assert_int_equal(sip_digest_compute(&c, SLICE("REGISTER"), &md5, out),
                         0);
        assert_false(sip_digest_check(&c, SLICE("REGISTER"), &md5));
    }
}

static void challenges(void **state)
{
    static const struct {
        const char *name;
        struct slice in;
        int err;
        enum sip_digest_alg alg;
        bool auth, other, stale;
    } cases[] = {
        { "plain", S("Digest realm=\"3402000000\", nonce=\"6f\", "
          "algorithm=MD5"), 0, SIP_DIGEST_MD5, false, false, false },
        { "no algorithm", S("Digest realm=a,nonce=b"), 0, SIP_DIGEST_MD5,
          false, false, false },
        { "qop", S("Digest nonce=b,realm=a,qop=\"auth,auth-int\",stale=TRUE"),
          0, SIP_DIGEST_MD5, true, false, true },
        { "auth-int alone", S("Digest nonce=b,realm=a,qop=\"auth-int\""), 0,
          SIP_DIGEST_MD5, false, true, false },
        { "empty qop", S("Digest nonce=b,realm=a,qop=\"\""), 0,
          SIP_DIGEST_MD5, false, false, false },
        { "SM3", S("Digest nonce=b,realm=a,algorithm=\"sm3\""), 0,
          SIP_DIGEST_SM3, false, false, false },
        { "unknown", S("Digest nonce=b,realm=a,algorithm=SHA-384"), 0,
          SIP_DIGEST_OTHER, false, false, false },
        { "no nonce", S("Digest realm=a"), GB_ESYNTAX, 0, false, false,
          false },
        { "no realm", S("Digest nonce=a"), GB_ESYNTAX, 0, false, false,
          false },
        { "Basic", S("Basic realm=a"), GB_EUNSUPPORTED, 0, false, false,
          false },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct sip_challenge c = { 0 };
        int err = sip_challenge_parse(&c, guarded(cases[i].in));

        if (err != cases[i].err || c.alg != cases[i].alg ||
            c.qop_auth != cases[i].auth || c.qop_other != cases[i].other ||
            c.stale != cases[i].stale)
            fail_msg("%s", cases[i].name);
    }
}

/* Our client against our server: every algorithm, with and without qop. */
static void both_sides(void **state)
{
    static const struct sip_answer answer = {
        .username = S("34020000001320000001"),
        .password = S("pass:word\xc9\xe3"),
        .method = S("REGISTER"),
        .uri = S("sip:34020000002000000001@3402000000"),
        .cnonce = S("0a4f113b"),
        .nc = 26,
    };

    (void)state;
    for (unsigned alg = 1; alg < SIP_DIGEST_COUNT; alg++) {
        for (unsigned qop = 0; qop < 2; qop++) {
            char nonce[SIP_NONCE_LEN], text[512], reply[1024];
            struct writer w = writer_of(text, sizeof(text));
            struct sip_challenge c;
            struct sip_credentials r;
            struct sip_ha1 ha1;

            sip_nonce_make(nonce, key, answer.username, 1700000000, 7);
            sip_challenge_write(&w, (enum sip_digest_alg)alg,
                                SLICE("3402000000"),
                                slice_of(nonce, sizeof(nonce)), qop, qop);
            assert_int_equal(w.err, 0);
            assert_int_equal(sip_challenge_parse(&c, writer_slice(&w)), 0);
            assert_int_equal(c.qop_auth, qop);
            assert_int_equal(c.stale, qop);
            w = writer_of(reply, sizeof(reply));
            assert_int_equal(sip_answer_write(&w, &c, &answer), 0);
            assert_int_equal(sip_credentials_parse(&r, writer_slice(&w)), 0);
            assert_int_equal(r.alg, alg);
            if (qop)
                assert_true(slice_eq(r.nc, SLICE("0000001a")));
            sip_ha1_make(&ha1, r.alg, r.username, SLICE("3402000000"),
                         answer.password);
            assert_true(sip_digest_check(&r, answer.method, &ha1));
            assert_int_equal(sip_nonce_check(r.nonce, key, answer.username,
                                             1700000010, 300, NULL),
                             SIP_NONCE_GOOD);
        }
    }
}

static void client_texts(void **state)
{
    struct sip_challenge c;
    struct sip_answer a = {
        .username = SLICE("34020000001320000001"),
        .password = SLICE("12345678"),
        .method = SLICE("REGISTER"),
        .uri = SLICE("sip:34020000002000000001@3402000000"),
    };
    char buf[512];
    struct writer w = writer_of(buf, sizeof(buf));

    (void)state;
    assert_int_equal(sip_challenge_parse(&c, SLICE("Digest "
        "realm=\"3402000000\", nonce=\"6fe9ba44a76be22a\", opaque=\"\\\"x\", "
        "algorithm=MD5")), 0);
    assert_int_equal(sip_answer_write(&w, &c, &a), 0);
    assert_true(slice_eq(writer_slice(&w), SLICE("Digest "
        "username=\"34020000001320000001\", realm=\"3402000000\", "
        "nonce=\"6fe9ba44a76be22a\", "
        "uri=\"sip:34020000002000000001@3402000000\", "
        "response=\"6a2143ae65b119e276a75f0a4a8992b7\", algorithm=MD5, "
        "opaque=\"\\\"x\"")));
    a.username = SLICE("x\", admin=\"");
    w = writer_of(buf, sizeof(buf));
    assert_int_equal(sip_answer_write(&w, &c, &a), GB_ESYNTAX);
    c.alg = SIP_DIGEST_OTHER;
    w = writer_of(buf, sizeof(buf));
    assert_int_equal(sip_answer_write(&w, &c, &a), GB_EUNSUPPORTED);
    c.alg = SIP_DIGEST_MD5;
    c.qop_other = true;
    assert_int_equal(sip_answer_write(&w, &c, &a), GB_EUNSUPPORTED);
}

static void nonces(void **state)
{
    struct slice id = SLICE("34020000001320000001");
    struct slice other = SLICE("34020000001320000002");
    char nonce[SIP_NONCE_LEN];
    struct slice n = { nonce, sizeof(nonce) };
    uint8_t key2[SIP_NONCE_KEY] = { 0 };
    uint64_t t = 1700000000;

    (void)state;
    sip_nonce_make(nonce, key, id, t, 1);
    assert_int_equal(sip_nonce_check(n, key, id, t, 300, NULL), SIP_NONCE_GOOD);
    assert_int_equal(sip_nonce_check(n, key, id, t + 300, 300, NULL),
                     SIP_NONCE_GOOD);
    assert_int_equal(sip_nonce_check(n, key, id, t + 301, 300, NULL),
                     SIP_NONCE_STALE);
    assert_int_equal(sip_nonce_check(n, key, id, t - 1, 300, NULL),
                     SIP_NONCE_STALE); /* the clock was set back */
    assert_int_equal(sip_nonce_check(n, key, other, t, 300, NULL),
                     SIP_NONCE_FOREIGN);
    assert_int_equal(sip_nonce_check(n, key2, id, t, 300, NULL),
                     SIP_NONCE_FOREIGN);
    assert_int_equal(sip_nonce_check(slice_head(n, n.n - 1), key, id, t, 300, NULL),
                     SIP_NONCE_FOREIGN);
    assert_int_equal(sip_nonce_check(SLICE(""), key, id, t, 300, NULL),
                     SIP_NONCE_FOREIGN);
    for (size_t i = 0; i < n.n; i++) { /* one changed digit */
        char kept = nonce[i];

        nonce[i] = kept == '0' ? '1' : '0';
        assert_int_equal(sip_nonce_check(n, key, id, t, 300, NULL),
                         SIP_NONCE_FOREIGN);
        nonce[i] = kept;
    }
    nonce[3] = 'g';
    assert_int_equal(sip_nonce_check(n, key, id, t, 300, NULL), SIP_NONCE_FOREIGN);
}

static void secrets(void **state)
{
    (void)state;
    assert_true(sip_secret_eq(SLICE("abc"), SLICE("abc")));
    assert_true(sip_secret_eq(SLICE(""), SLICE("")));
    assert_false(sip_secret_eq(SLICE("abc"), SLICE("abd")));
    assert_false(sip_secret_eq(SLICE("abc"), SLICE("ab")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_vectors), cmocka_unit_test(ha1_of_the_standard),
        cmocka_unit_test(parses),        cmocka_unit_test(unanswerable),
        cmocka_unit_test(challenges),    cmocka_unit_test(both_sides),
        cmocka_unit_test(client_texts),  cmocka_unit_test(nonces),
        cmocka_unit_test(secrets),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
