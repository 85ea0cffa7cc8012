/* sip/digest: vectors, leniency, nonces, both sides together */
#include "test/support.h"

#include <stdio.h>

#include "sip/digest.h"

#define UNHEX_32 "0123456789abcdef0123456789abcdef"

static const uint8_t key_bytes[SIP_NONCE_KEY] =
    "sixteen bytes kk";
static struct sip_nonce_key a_key;
static const struct sip_nonce_key *const key = &a_key;

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
    { "SHA-512-256", S("REGISTER"), S("12345678"),
      S("Digest username=\"34020000001320000001\", realm=\"3402000000\", "
        "nonce=\"6fe9ba44a76be22a\", algorithm=SHA-512-256, "
        "uri=\"sip:34020000002000000001@3402000000\", "
        "response=\"65313816f96e171ccc4414b08dc6240ac48350f665960052fc6e60ce95"
        "f6f3ed\", qop=auth, nc=00000001, cnonce=\"0a4f113b\"") },
    { "SHA-512-256-sess", S("REGISTER"), S("12345678"),
      S("Digest username=\"34020000001320000001\", realm=\"3402000000\", "
        "nonce=\"6fe9ba44a76be22a\", algorithm=SHA-512-256-sess, "
        "uri=\"sip:34020000002000000001@3402000000\", "
        "response=\"2762a51570fad0b854f06d24f96e8af1247e7df0c981af23051f340c7c"
        "fb6bed\", qop=auth, nc=00000001, cnonce=\"0a4f113b\"") },
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
        "nonce=6fe9ba44a76be22a,unknown=\"x,y\",userhash=true,"
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

/* In half the bytes and back. */
static void ha1_packed(void **state)
{
    (void)state;
    for (unsigned alg = SIP_DIGEST_OTHER + 1; alg < SIP_DIGEST_COUNT; alg++) {
        uint8_t raw[SIP_HA1_RAW];
        struct sip_ha1 ha1, back;

        sip_ha1_make(&ha1, (enum sip_digest_alg)alg,
                     SLICE("34020000001320000001"), SLICE("3402000000"),
                     SLICE("12345678"));
        sip_ha1_pack(raw, &ha1);
        memset(&back, 'x', sizeof(back));
        sip_ha1_unpack(&back, (enum sip_digest_alg)alg, raw);
        assert_true(slice_eq(slice_of(ha1.hex, ha1.n),
                             slice_of(back.hex, back.n)));
    }
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
    c.opaque = SLICE("a\\\r\\\nb"); /* no lone backslash stays behind */
    w = writer_of(buf, sizeof(buf));
    assert_int_equal(sip_answer_write(&w, &c, &a), 0);
    assert_true(slice_find_slice(writer_slice(&w), SLICE(" opaque=\"ab\"")) <
                w.len);
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
    const uint8_t zero[SIP_NONCE_KEY] = { 0 };
    struct sip_nonce_key key2;
    uint64_t t = 1700000000;

    (void)state;
    sip_nonce_key_init(&key2, zero);
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
    assert_int_equal(sip_nonce_check(n, &key2, id, t, 300, NULL),
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

static void words(void **state)
{
    static const struct {
        struct slice word;
        enum sip_digest_alg alg;
    } cases[] = {
        { S("md5"), SIP_DIGEST_MD5 },
        { S("MD5-sess"), SIP_DIGEST_MD5_SESS },
        { S("sha256"), SIP_DIGEST_SHA256 },
        { S("SHA-256"), SIP_DIGEST_SHA256 },
        { S("sm3"), SIP_DIGEST_SM3 },
        { S("sha512-256"), SIP_DIGEST_SHA512_256 },
        { S("sha512-256-sess"), SIP_DIGEST_SHA512_256_SESS },
        { S(""), SIP_DIGEST_OTHER },
        { S("-"), SIP_DIGEST_OTHER },
        { S("sha25"), SIP_DIGEST_OTHER },
        { S("sha2566"), SIP_DIGEST_OTHER },
        { S("md5 "), SIP_DIGEST_OTHER },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        if (sip_digest_by_word(guarded(cases[i].word)) != cases[i].alg)
            fail_msg("%.*s", SLICE_ARG(cases[i].word));
}

static void counts(void **state)
{
    static const struct {
        struct slice nc;
        uint32_t v; /* 0: refused */
    } cases[] = {
        { S("00000001"), 1 },     { S("0000001A"), 26 },
        { S("ffffffff"), 0xffffffffu }, { S("00000000"), 0 },
        { S("1"), 0 },            { S("000000001"), 0 },
        { S("0000000g"), 0 },     { S(""), 0 },
        { S("-0000001"), 0 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        uint32_t v = 0;

        if (sip_nc_parse(guarded(cases[i].nc), &v) != (cases[i].v != 0) ||
            v != cases[i].v)
            fail_msg("%.*s", SLICE_ARG(cases[i].nc));
    }
}

/* Later nonces have larger stamps, also within one second; none are equal. */
static void stamps(void **state)
{
    struct slice id = SLICE("34020000001320000001");
    char nonce[2][SIP_NONCE_LEN] = { { 0 } };
    uint64_t stamp[2], last = 0;

    (void)state;
    for (unsigned i = 0; i < 300; i++) {
        sip_nonce_make(nonce[i & 1], key, id, 1700000000 + i / 100,
                       (uint16_t)(i % 100));
        assert_int_equal(sip_nonce_check(slice_of(nonce[i & 1], SIP_NONCE_LEN),
                                         key, id, 1700000003, 300,
                                         &stamp[i & 1]),
                         SIP_NONCE_GOOD);
        assert_true(stamp[i & 1] > last);
        assert_memory_not_equal(nonce[0], nonce[1], SIP_NONCE_LEN);
        last = stamp[i & 1];
    }
}

/* One header each, the first that can be answered wins. */
static void picks(void **state)
{
    static const struct {
        const char *name, *fields;
        int err;
        enum sip_digest_alg alg;
    } cases[] = {
        { "one", "WWW-Authenticate: Digest realm=a,nonce=b\r\n", 0,
          SIP_DIGEST_MD5 },
        { "unknown first",
          "WWW-Authenticate: Digest realm=a,nonce=b,algorithm=SHA3-256\r\n"
          "WWW-Authenticate: Digest realm=a,nonce=b,algorithm=SHA-256\r\n"
          "WWW-Authenticate: Digest realm=a,nonce=b,algorithm=MD5\r\n", 0,
          SIP_DIGEST_SHA256 },
        { "another scheme first", "WWW-Authenticate: Asymmetric nonce=\"x\"\r\n"
          "WWW-Authenticate: Digest realm=a,nonce=b\r\n", 0,
          SIP_DIGEST_MD5 },
        { "auth-int alone", "WWW-Authenticate: Digest realm=a,nonce=b,"
          "qop=\"auth-int\"\r\n", GB_EUNSUPPORTED, 0 },
        { "auth-int and auth", "WWW-Authenticate: Digest realm=a,nonce=b,"
          "qop=\"auth-int,auth\"\r\n", 0, SIP_DIGEST_MD5 },
        { "none", "Proxy-Authenticate: Digest realm=a,nonce=b\r\n",
          GB_ENOENT, 0 },
        { "broken", "WWW-Authenticate: Digest realm=a\r\n", GB_ESYNTAX, 0 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct sip_challenge c = { 0 };
        static struct sip_msg m;
        char text[1024];
        int err;

        snprintf(text, sizeof(text),
                 "SIP/2.0 401 Unauthorized\r\nVia: SIP/2.0/UDP 1.2.3.4;"
                 "branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\n"
                 "To: <sip:a@b>;tag=2\r\nCall-ID: x\r\nCSeq: 1 REGISTER\r\n"
                 "%sContent-Length: 0\r\n\r\n", cases[i].fields);
        assert_int_equal(sip_msg_parse(&m, slice_str(text), SIP_DATAGRAM,
                                       NULL), 0);
        err = sip_challenge_pick(&c, &m, SIP_HDR_WWW_AUTHENTICATE);
        if (err != cases[i].err || c.alg != cases[i].alg)
            fail_msg("%s: %d", cases[i].name, err);
    }
}

/* RFC 7616 §3.5: the server's proof has no method in it. */
static void authentication_info(void **state)
{
    struct sip_challenge c = { .alg = SIP_DIGEST_MD5,
                               .realm = SLICE("3402000000"),
                               .nonce = SLICE("6fe9ba44a76be22a"),
                               .qop_auth = true };
    struct sip_answer a = {
        .username = SLICE("34020000001320000001"),
        .password = SLICE("12345678"),
        .method = SLICE("REGISTER"),
        .uri = SLICE("sip:34020000002000000001@3402000000"),
        .cnonce = SLICE("0a4f113b"),
        .nc = 1,
    };
    struct sip_auth_info i;

    (void)state;
    sip_auth_info_parse(&i, guarded(slice_str(
        "nextnonce=\"n2\", qop=auth, rspauth=\"a5ea2e1670609788ea9c70bfecd77d86"
        "\", cnonce=\"0a4f113b\", nc=00000001")));
    assert_true(slice_eq(i.nextnonce, SLICE("n2")));
    assert_true(slice_eq(i.nc, SLICE("00000001")));
    assert_true(slice_eq(i.cnonce, SLICE("0a4f113b")));
    assert_true(sip_auth_info_check(&i, &c, &a));
    a.password = SLICE("12345679");
    assert_false(sip_auth_info_check(&i, &c, &a));
    i.rspauth = slice_of(NULL, 0);
    assert_true(sip_auth_info_check(&i, &c, &a));
    sip_auth_info_parse(&i, SLICE(""));
    assert_int_equal(i.nextnonce.n + i.rspauth.n + i.qop.n, 0);
}

/* What a server writes its clients believe, and only when it knows the
 * password. */
static void authentication_info_written(void **state)
{
    static const struct {
        const char *name, *head;
        bool written;
    } cases[] = {
        { "MD5", "algorithm=MD5,qop=auth,nc=00000007,cnonce=\"c\"", true },
        { "SHA-256", "algorithm=SHA-256,qop=auth,nc=00000001,cnonce=\"c\"",
          true },
        { "MD5-sess", "algorithm=MD5-sess,qop=auth,nc=00000001,cnonce=\"c\"",
          true },
        { "no qop", "algorithm=MD5", false },
        { "no cnonce", "algorithm=MD5,qop=auth,nc=00000001", false },
        { "auth-int", "algorithm=MD5,qop=auth-int,nc=00000001,cnonce=\"c\"",
          false },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases) * 2; i++) {
        struct slice next = i % 2 ? SLICE("n2") : slice_of(NULL, 0);
        const char *head = cases[i / 2].head;
        char text[300], buf[300];
        struct writer t = writer_of(text, sizeof(text)),
                      w = writer_of(buf, sizeof(buf));
        struct sip_answer a = { .username = SLICE("u"), .uri = SLICE("sip:x"),
                                .cnonce = SLICE("c"), .nc = 1 };
        struct sip_challenge ch = { .realm = SLICE("r"), .nonce = SLICE("n1"),
                                    .qop_auth = true };
        struct sip_credentials c;
        struct sip_auth_info info;
        struct sip_ha1 ha1;

        writer_f(&t, "Digest username=u,realm=r,nonce=n1,uri=\"sip:x\",%s,"
                     "response=" UNHEX_32, head);
        assert_int_equal(sip_credentials_parse(&c, writer_slice(&t)), 0);
        sip_ha1_make(&ha1, c.alg, SLICE("u"), SLICE("r"), SLICE("secret"));
        if (sip_auth_info_write(&w, &c, &ha1, next) !=
            (cases[i / 2].written ? 0 : GB_ESYNTAX))
            fail_msg("%s", cases[i / 2].name);
        if (w.err)
            continue;
        sip_auth_info_parse(&info, guarded(writer_slice(&w)));
        assert_true(slice_eq(info.nextnonce, next));
        assert_true(slice_eq(info.nc, c.nc) && slice_eq(info.qop, c.qop));
        ch.alg = c.alg;
        a.nc = i / 2 == 0 ? 7 : 1;
        a.password = SLICE("secret");
        assert_true(sip_auth_info_check(&info, &ch, &a));
        a.password = SLICE("guess");
        assert_false(sip_auth_info_check(&info, &ch, &a));
        for (size_t cap = 0; cap < w.len; cap++) { /* no room */
            struct writer small = writer_of(buf, cap);

            assert_int_not_equal(sip_auth_info_write(&small, &c, &ha1, next),
                                 0);
        }
    }
}

static void secrets(void **state)
{
    (void)state;
    assert_true(sip_secret_eq(SLICE("abc"), SLICE("abc")));
    assert_true(sip_secret_eq(SLICE(""), SLICE("")));
    assert_false(sip_secret_eq(SLICE("abc"), SLICE("abd")));
    assert_false(sip_secret_eq(SLICE("abc"), SLICE("ab")));
}

/* An HA2 that was made once serves all who ask for the same. */
static void ha2_made_before(void **state)
{
    struct sip_credentials c;
    struct sip_ha2 ha2, other;
    struct sip_ha1 ha1;

    (void)state;
    for (size_t i = 0; i < COUNT(vectors); i++) {
        const struct vector *v = &vectors[i];

        assert_int_equal(sip_credentials_parse(&c, v->header), 0);
        sip_ha1_make(&ha1, c.alg, c.username, c.realm, v->password);
        sip_ha2_make(&ha2, c.alg, v->method, c.uri);
        sip_ha2_make(&other, c.alg, SLICE("OTHER"), c.uri);
        if (!sip_digest_check_ha2(&c, &ha1, &ha2) ||
            sip_digest_check_ha2(&c, &ha1, &other) !=
                sip_digest_check(&c, SLICE("OTHER"), &ha1))
            fail_msg("%s", v->name);
        ha2.n ^= 32 ^ 64; /* of another hash */
        assert_false(sip_digest_check_ha2(&c, &ha1, &ha2));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_vectors), cmocka_unit_test(ha1_of_the_standard),
        cmocka_unit_test(ha2_made_before),
        cmocka_unit_test(ha1_packed),
        cmocka_unit_test(parses),        cmocka_unit_test(unanswerable),
        cmocka_unit_test(challenges),    cmocka_unit_test(both_sides),
        cmocka_unit_test(client_texts),  cmocka_unit_test(nonces),
        cmocka_unit_test(words),         cmocka_unit_test(counts),
        cmocka_unit_test(stamps),        cmocka_unit_test(picks),
        cmocka_unit_test(authentication_info),
        cmocka_unit_test(authentication_info_written),
        cmocka_unit_test(secrets),
    };

    sip_nonce_key_init(&a_key, key_bytes);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
