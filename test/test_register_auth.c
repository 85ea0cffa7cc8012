/* The digest of a REGISTER: what is offered, what is taken, what is handed back
 * (RFC 7616, RFC 8760). */
#include "test/knock.h"

#include <stdio.h>

#include "sip/digest.h"

static struct sim s;

static const char cam[] = "34020000001320000001";
static const char cam2[] = "34020000001320000002";

static void offers_are_by_strength_and_binding(void **state)
{
    struct sim_device *d;
    const char *sha, *md5;
    char answer[2048];

    (void)state;
    knock_begin(&s, (struct platform_config){
        .auto_enrol = true,
        .digest = 1u << SIP_DIGEST_MD5 | 1u << SIP_DIGEST_SHA256 |
                  1u << SIP_DIGEST_SM3 });
    assert_int_equal(knock_register(&s, "192.168.1.10", cam, "Call-ID: a\r\n",
                                    answer, sizeof(answer)),
                     401);
    assert_int_equal(text_count(answer, "\r\nWWW-Authenticate: Digest "), 3);
    sha = strstr(answer, "algorithm=SHA-256");
    md5 = strstr(answer, "algorithm=MD5");
    assert_true(sha && md5 && sha < md5);
    d = sim_add(&s, cam2, "192.168.1.11:5060", SIP_UDP);
    sim_register(d); /* takes the first */
    sim_run(&s, 100);
    assert_int_equal(d->registered, 1);
    assert_true(text_has(d->authorization, "algorithm=SM3"));
    sim_free(&s);
}

static void twist_alg(char *authorization)
{
    char *at = strstr(authorization, "algorithm=SHA-256");

    if (at)
        memcpy(at, "algorithm=SHA-255", 17);
}

static void an_algorithm_that_was_not_offered(void **state)
{
    struct sim_device *d;

    (void)state;
    knock_begin(&s, (struct platform_config){ .auto_enrol = true,
                                    .digest = 1u << SIP_DIGEST_SHA256 });
    d = sim_add(&s, cam, "192.168.1.10:5060", SIP_UDP);
    d->twist = twist_alg;
    sim_register(d);
    sim_run(&s, 100);
    assert_int_equal(d->registered, 0);
    assert_int_equal(d->last_status, 401); /* no failure, no stale */
    assert_int_equal(d->challenged, 2);
    assert_int_equal(d->stale, 0);
    sim_free(&s);
}

/* No downgrade: MD5 where only SHA-256 was offered. */
static void no_downgrade(void **state)
{
    char line[800], answer[2048], response[SIP_DIGEST_HEX];
    struct sip_credentials c = { .alg = SIP_DIGEST_MD5 };
    struct sip_ha1 ha1;
    const char *nonce;
    size_t n;

    (void)state;
    for (int offered = 0; offered < 2; offered++) {
        knock_begin(&s, (struct platform_config){
            .auto_enrol = true,
            .digest = 1u << SIP_DIGEST_SHA256 |
                      (offered ? 1u << SIP_DIGEST_MD5 : 0) });
        knock_register(&s, "192.168.1.10", cam, "Call-ID: a\r\n", answer,
                       sizeof(answer));
        nonce = strstr(answer, "nonce=\"");
        assert_non_null(nonce);
        c.uri = SLICE("sip:x");
        c.nonce = slice_of(nonce + 7, SIP_NONCE_LEN);
        sip_ha1_make(&ha1, c.alg, slice_str(cam), SLICE(SIM_REALM),
                     SLICE(SIM_PASSWORD));
        n = sip_digest_compute(&c, SLICE("REGISTER"), &ha1, response);
        snprintf(line, sizeof(line),
                 "Call-ID: a\r\nExpires: 60\r\nAuthorization: Digest "
                 "username=\"%s\",realm=\"" SIM_REALM "\",nonce=\"%.*s\","
                 "uri=\"sip:x\",response=\"%.*s\"\r\n",
                 cam, SLICE_ARG(c.nonce), (int)n, response);
        assert_int_equal(knock_register(&s, "192.168.1.10", cam, line, NULL, 0),
                         offered ? 200 : 401);
        sim_free(&s);
    }
}

/* The -sess variant of what was offered is no downgrade, and is used in the
 * field; that of another hash is refused. */
static void sess_unasked(void **state)
{
    static const struct {
        unsigned offered;
        enum sip_digest_alg used;
        unsigned status;
    } cases[] = {
        { 1u << SIP_DIGEST_MD5, SIP_DIGEST_MD5_SESS, 200 },
        { 1u << SIP_DIGEST_SHA256, SIP_DIGEST_SHA256_SESS, 200 },
        { 1u << SIP_DIGEST_SHA256, SIP_DIGEST_MD5_SESS, 401 },
        { 1u << SIP_DIGEST_SHA256_SESS, SIP_DIGEST_SHA256, 401 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        char answer[2048], line[900] = "Call-ID: s\r\nExpires: 60\r\n"
                                       "Authorization: ";
        size_t at = strlen(line);
        struct writer w = writer_of(line + at, sizeof(line) - at - 3);
        const struct sip_answer a = {
            .username = slice_str(cam), .password = SLICE(SIM_PASSWORD),
            .method = SLICE("REGISTER"), .uri = SLICE("sip:x"),
            .cnonce = SLICE("c"), .nc = 1 };
        struct sip_challenge c = { .realm = SLICE(SIM_REALM),
                                   .alg = cases[i].used };
        const char *nonce;

        knock_begin(&s, (struct platform_config){ .auto_enrol = true,
                                        .digest = cases[i].offered });
        knock_register(&s, "192.168.1.10", cam, "Call-ID: s\r\n", answer,
                       sizeof(answer));
        nonce = strstr(answer, "nonce=\"");
        assert_non_null(nonce);
        c.nonce = slice_of(nonce + 7, SIP_NONCE_LEN);
        assert_int_equal(sip_answer_write(&w, &c, &a), 0);
        memcpy(line + at + w.len, "\r\n", 3);
        if (knock_register(&s, "192.168.1.10", cam, line, NULL, 0) !=
            cases[i].status)
            fail_msg("case %zu", i);
        sim_free(&s);
    }
}

static void twist_auth_int(char *authorization)
{
    char *at = strstr(authorization, "qop=auth, nc=");
    char copy[800];

    assert_non_null(at);
    *at = '\0';
    snprintf(copy, sizeof(copy), "%sqop=auth-int, nc=%s", authorization,
             at + 13);
    memcpy(authorization, copy, strlen(copy) + 1);
}

static void auth_int_is_challenged(void **state)
{
    struct sim_device *d;

    (void)state;
    knock_begin(
        &s, (struct platform_config){ .auto_enrol = true, .offer_qop = true });
    d = sim_add(&s, cam, "192.168.1.10:5060", SIP_UDP);
    d->twist = twist_auth_int;
    sim_register(d);
    sim_run(&s, 100);
    assert_int_equal(d->last_status, 401);
    assert_int_equal(d->stale, 0);
    assert_false(text_has(s.log, "registration refused"));
    sim_free(&s);
}

/* With qop a response is good once; without it, as long as its nonce. */
static void repeats_are_stale(void **state)
{
    (void)state;
    for (int qop = 0; qop < 2; qop++) {
        struct sim_device *d;

        knock_begin(&s, (struct platform_config){ .auto_enrol = true,
                                        .offer_qop = qop });
        d = sim_add(&s, cam, "192.168.1.10:5060", SIP_UDP);
        d->keep_auth = true;
        sim_register(d);
        sim_run(&s, 100);
        sim_register(d); /* the same nonce and nc */
        sim_run(&s, 100);
        assert_int_equal(d->registered, 2);
        assert_int_equal(d->challenged, qop ? 2 : 1);
        assert_int_equal(d->stale, qop);
        sim_free(&s);
    }
}

/* The answer to a REGISTER with credentials without qop for this nonce. */
static unsigned reuse(const char *from, struct slice nonce, const char *call_id,
                      unsigned expires_s)
{
    const struct sip_answer a = {
        .username = slice_str(cam), .password = SLICE(SIM_PASSWORD),
        .method = SLICE("REGISTER"), .uri = SLICE("sip:x") };
    const struct sip_challenge c = { .realm = SLICE(SIM_REALM), .nonce = nonce,
                                     .alg = SIP_DIGEST_MD5 };
    char line[900], answer[2048];
    struct writer w = writer_of(line, sizeof(line) - 1);
    unsigned status;

    writer_f(&w, "Call-ID: %s\r\nContact: <sip:%s@192.168.1.10>\r\n"
                 "Expires: %u\r\nAuthorization: ", call_id, cam, expires_s);
    assert_int_equal(sip_answer_write(&w, &c, &a), 0);
    writer_str(&w, "\r\n");
    assert_int_equal(w.err, 0);
    line[w.len] = '\0';
    status = knock_register(&s, from, cam, line, answer, sizeof(answer));
    if (status == 401)
        assert_true(text_has(answer, "stale=true"));
    return status;
}

static struct slice ask_nonce(char nonce[static SIP_NONCE_LEN]);

/* Without qop a response that was overheard is good for what its device has
 * already: it moves nothing, and logs nobody off. */
static void an_overheard_response_changes_nothing(void **state)
{
    static const struct {
        const char *name, *from, *call_id;
        unsigned expires_s, status;
    } cases[] = {
        { "a refresh", "192.168.1.10:5060", "one", 3600, 200 },
        { "log-off", "192.168.1.10:5060", "one", 0, 401 },
        { "another port", "192.168.1.10:5061", "one", 3600, 401 },
        { "another Call-ID", "192.168.1.10:5060", "two", 3600, 401 },
        { "a refresh after all that", "192.168.1.10:5060", "one", 3600, 200 },
    };
    char bytes[SIP_NONCE_LEN], newer[SIP_NONCE_LEN];
    struct slice nonce;

    (void)state;
    knock_begin(&s, (struct platform_config){ .auto_enrol = true });
    nonce = ask_nonce(bytes);
    assert_int_equal(reuse("192.168.1.10:5060", nonce, "one", 3600), 200);
    for (size_t i = 0; i < COUNT(cases); i++) {
        unsigned got = reuse(cases[i].from, nonce, cases[i].call_id,
                             cases[i].expires_s);

        if (got != cases[i].status)
            fail_msg("%s: %u", cases[i].name, got);
    }
    assert_int_equal(sim_counters(&s).register_refused, 0);
    /* what is new goes with a nonce that is new */
    assert_int_equal(reuse("192.168.1.10:5060", ask_nonce(newer), "one", 0),
                     200);
    assert_int_equal(reuse("192.168.1.10:5060", nonce, "three", 3600), 401);
    sim_free(&s);
}

/* ---- Authentication-Info (R64) ---- */

static struct slice value_in(const char *answer, const char *name)
{
    const char *at = strstr(answer, name);

    return at ? slice_of(at + strlen(name), strcspn(at + strlen(name), "\r"))
              : slice_of(NULL, 0);
}

/* Logs in with a nonce; the status of the answer. qop: nc, 0 for none. */
static unsigned log_in(struct slice nonce, uint32_t nc, unsigned expires_s,
                       char *answer, size_t cap)
{
    const struct sip_answer a = {
        .username = slice_str(cam), .password = SLICE(SIM_PASSWORD),
        .method = SLICE("REGISTER"), .uri = SLICE("sip:x"),
        .cnonce = SLICE("c"), .nc = nc };
    const struct sip_challenge c = { .realm = SLICE(SIM_REALM),
                                     .nonce = nonce, .alg = SIP_DIGEST_MD5,
                                     .qop_auth = nc != 0 };
    static unsigned n;
    char line[900];
    struct writer w = writer_of(line, sizeof(line) - 1);

    writer_f(&w, "Call-ID: %u\r\nContact: <sip:%s@192.168.1.10>\r\n"
                 "Expires: %u\r\nAuthorization: ", ++n, cam, expires_s);
    assert_int_equal(sip_answer_write(&w, &c, &a), 0);
    writer_str(&w, "\r\n");
    assert_int_equal(w.err, 0);
    line[w.len] = '\0';
    return knock_register(&s, "192.168.1.10", cam, line, answer, cap);
}

/* The nonce of a challenge, copied. */
static struct slice ask_nonce(char nonce[static SIP_NONCE_LEN])
{
    char answer[2048];
    struct sip_challenge c;

    assert_int_equal(knock_register(&s, "192.168.1.10", cam, "Call-ID: ask\r\n",
                                    answer, sizeof(answer)),
                     401);
    assert_int_equal(sip_challenge_parse(
        &c, value_in(answer, "WWW-Authenticate: ")), 0);
    assert_int_equal(c.nonce.n, SIP_NONCE_LEN);
    memcpy(nonce, c.nonce.p, SIP_NONCE_LEN);
    return slice_of(nonce, SIP_NONCE_LEN);
}

/* Who used qop gets the proof, and the next nonce where its own would not last
 * until the next refresh. */
static void the_platform_proves_itself(void **state)
{
    static const struct {
        uint32_t wait_s;  /* before it */
        unsigned nc;      /* 1: with the nonce that was handed on, if any */
        unsigned expires_s;
        bool next;
    } cases[] = {
        { 0, 1, 120, false }, /* good for 300 s */
        { 100, 2, 120, false },
        { 100, 3, 120, true },
        { 110, 1, 120, false },
        { 100, 2, 3600, false }, /* the next one would be too old as well */
        { 50, 3, 300, true },
    };
    char text[SIP_NONCE_LEN], old_text[SIP_NONCE_LEN], answer[2048];
    struct slice nonce, old;
    struct sip_ha1 ha1;

    (void)state;
    knock_begin(
        &s, (struct platform_config){ .auto_enrol = true, .offer_qop = true });
    old = nonce = ask_nonce(text);
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct sip_auth_info info;
        struct sip_credentials c = { .alg = SIP_DIGEST_MD5, .nonce = nonce,
                                     .uri = SLICE("sip:x"),
                                     .cnonce = SLICE("c"),
                                     .qop = SLICE("auth") };
        char nc[9], want[SIP_DIGEST_HEX];
        size_t n;

        sim_run(&s, cases[i].wait_s * 1000);
        if (log_in(nonce, cases[i].nc, cases[i].expires_s, answer,
                   sizeof(answer)) != 200)
            fail_msg("case %zu: %s", i, answer);
        sip_auth_info_parse(&info, value_in(answer, "Authentication-Info: "));
        snprintf(nc, sizeof(nc), "%08x", cases[i].nc);
        c.nc = slice_str(nc);
        sip_ha1_make(&ha1, c.alg, slice_str(cam), SLICE(SIM_REALM),
                     SLICE(SIM_PASSWORD));
        n = sip_digest_compute(&c, SLICE(""), &ha1, want);
        if (!slice_eq(info.rspauth, slice_of(want, n)) ||
            !slice_eq(info.nc, c.nc) || !slice_eq(info.cnonce, c.cnonce) ||
            (info.nextnonce.n != 0) != cases[i].next)
            fail_msg("case %zu: %s", i, answer);
        if (!info.nextnonce.n)
            continue;
        memcpy(old_text, nonce.p, nonce.n);
        old = slice_of(old_text, sizeof(old_text));
        memcpy(text, info.nextnonce.p, sizeof(text));
    }
    /* the one before is over once its successor has been used */
    assert_int_equal(log_in(nonce, 1, 120, answer, sizeof(answer)), 200);
    assert_int_equal(log_in(old, 9, 120, answer, sizeof(answer)), 401);
    sim_free(&s);
}

/* A header that nobody asked for is not sent: without the offer of qop, and to
 * who does not use it. */
static void proof_only_for_who_uses_qop(void **state)
{
    (void)state;
    for (int offered = 0; offered < 2; offered++)
        for (uint32_t nc = 0; nc < 2; nc++) {
            char text[SIP_NONCE_LEN], answer[2048];
            bool there;

            knock_begin(&s, (struct platform_config){ .auto_enrol = true,
                                            .offer_qop = offered });
            assert_int_equal(log_in(ask_nonce(text), nc, 60, answer,
                                    sizeof(answer)), 200);
            there = text_has(answer, "Authentication-Info");
            assert_int_equal(there, offered && nc);
            sim_free(&s);
        }
}

static void break_response(char *authorization)
{
    char *at = strstr(authorization, "response=\"");

    assert_non_null(at);
    at[10] = at[10] == '0' ? '1' : '0';
}

static void only_a_right_response_is_stale(void **state)
{
    struct sim_device *d;

    (void)state;
    knock_begin(&s, (struct platform_config){ .auto_enrol = true });
    d = sim_add(&s, cam, "192.168.1.10:5060", SIP_UDP);
    d->keep_auth = true;
    d->keepalive_ms = 30000;
    sim_register(d);
    sim_run(&s, 400000);
    sim_register(d); /* right, but too old */
    sim_run(&s, 100);
    assert_int_equal(d->stale, 1);
    assert_int_equal(d->registered, 2);
    sim_run(&s, 400000);
    break_response(d->authorization);
    d->twist = break_response;
    sim_register(d); /* wrong, and too old: plainly asked again */
    sim_run(&s, 100);
    assert_int_equal(d->stale, 1);
    assert_int_equal(d->challenged, 3);
    assert_int_equal(d->last_status, 403); /* the new answer was wrong */
    sim_free(&s);
}

/* "stale" must not tell a guesser who invents nonces that a guess was right. */
static void no_oracle_for_guesses(void **state)
{
    char line[800], answer[2048], response[SIP_DIGEST_HEX];
    struct sip_credentials c = { .alg = SIP_DIGEST_MD5,
                                 .nonce = SLICE("mine"),
                                 .uri = SLICE("sip:x") };
    struct sip_ha1 ha1;
    size_t n;

    (void)state;
    knock_begin(
        &s, (struct platform_config){ .auto_enrol = true, .ban_failures = 5 });
    for (int i = 0; i <= 5; i++) {
        sip_ha1_make(&ha1, c.alg, slice_str(cam), SLICE(SIM_REALM),
                     i < 5 ? SLICE("guess") : SLICE(SIM_PASSWORD));
        n = sip_digest_compute(&c, SLICE("REGISTER"), &ha1, response);
        snprintf(line, sizeof(line),
                 "Call-ID: %d\r\nAuthorization: Digest username=\"%s\","
                 "realm=\"" SIM_REALM "\",nonce=\"mine\",uri=\"sip:x\","
                 "response=\"%.*s\"\r\n", i, cam, (int)n, response);
        assert_int_equal(knock_register(&s, "192.168.1.10", cam, line, answer,
                                        sizeof(answer)),
                         401);
        assert_false(text_has(answer, "stale"));
    }
    assert_int_equal(sim_counters(&s).banned, 0);
    sim_free(&s);
}

/* The clock of the server may be set at any moment, in either direction. */
static void a_clock_that_is_set_locks_nobody_out(void **state)
{
    static const int64_t steps_ms[] = { -86400000, 60000, 86400000, -1000,
                                        -3600000 };
    struct sim_device *d;

    (void)state;
    knock_begin(&s, (struct platform_config){ .auto_enrol = true });
    d = sim_add(&s, cam, "192.168.1.10:5060", SIP_UDP);
    sim_register(d);
    sim_run(&s, 100);
    assert_int_equal(d->registered, 1);
    for (unsigned i = 0; i < COUNT(steps_ms); i++) {
        sim_run(&s, 60000);
        s.now.utc_ms += steps_ms[i];
        sim_register(d);
        sim_run(&s, 100);
        assert_int_equal(d->registered, 2 + i);
        assert_int_equal(d->challenged, 2 + i);
        assert_int_equal(d->stale, 0);
    }
    sim_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(offers_are_by_strength_and_binding),
        cmocka_unit_test(an_algorithm_that_was_not_offered),
        cmocka_unit_test(no_downgrade),
        cmocka_unit_test(sess_unasked),
        cmocka_unit_test(auth_int_is_challenged),
        cmocka_unit_test(repeats_are_stale),
        cmocka_unit_test(an_overheard_response_changes_nothing),
        cmocka_unit_test(the_platform_proves_itself),
        cmocka_unit_test(proof_only_for_who_uses_qop),
        cmocka_unit_test(only_a_right_response_is_stale),
        cmocka_unit_test(no_oracle_for_guesses),
        cmocka_unit_test(a_clock_that_is_set_locks_nobody_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
