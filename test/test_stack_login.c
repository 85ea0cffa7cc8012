/* sip/stack_auth.c, sip/stack_known.c: a client that is challenged (RFC 3261 §22), and
 * what it brings along from then on. The test is the peer and writes its answers by hand. */
#include "test/byhand.h"

#include "sip/digest.h"

#define CHALLENGE(nonce, more)                                                 \
    "WWW-Authenticate: Digest realm=\"dom\", nonce=\"" nonce "\"" more "\r\n"

static void expect_logged_in(const struct pair_sent *first,
                             const struct pair_sent *second, bool proxy)
{
    static const char *const same[] = { "From", "Call-ID", "To", "Contact",
                                        "Content-Length" };
    struct slice a = pair_header(first->bytes, "CSeq"),
                 b = pair_header(second->bytes, "CSeq"), na, nb, auth;
    struct sip_credentials c;
    struct sip_ha1 ha1;
    uint32_t va = 0, vb = 0;

    for (size_t i = 0; i < COUNT(same); i++)
        assert_true(slice_eq(pair_header(first->bytes, same[i]),
                             pair_header(second->bytes, same[i])));
    assert_false(slice_eq(pair_header(first->bytes, "Via"),
                          pair_header(second->bytes, "Via")));
    assert_true(slice_cut(&a, ' ', &na) && slice_cut(&b, ' ', &nb));
    assert_true(slice_u32(na, UINT32_MAX, &va) &&
                slice_u32(nb, UINT32_MAX, &vb) && slice_eq(a, b));
    assert_int_equal(vb, va + 1);
    auth = pair_header(second->bytes,
                       proxy ? "Proxy-Authorization" : "Authorization");
    assert_int_equal(sip_credentials_parse(&c, auth), 0);
    assert_true(slice_eq(c.username, SLICE("me")));
    sip_ha1_make(&ha1, c.alg, SLICE("me"), SLICE("dom"), SLICE("secret"));
    assert_true(sip_digest_check(&c, a, &ha1));
}

static void challenged(void **state)
{
    static const struct pair_wire tcp = { .tcp = true };

    (void)state;
    for (int proxy = 0; proxy < 2; proxy++)
        for (int stream = 0; stream < 2; stream++) {
            struct sip_request r;
            uint64_t id;
            struct pair p;

            pair_init(&p, stream ? &tcp : NULL, NULL, true);
            r = hand_message(&p);
            r.username = SLICE("me");
            r.password = SLICE("secret");
            id = hand_send(&p, &r);
            pair_inject(&p, 0,
                        hand_challenge(&p.sent[0], proxy ? 407 : 401,
                                       proxy
                                           ? "Proxy-Authenticate: Digest realm="
                                             "\"dom\", nonce=\"n1\", "
                                             "qop=\"auth\"\r\n"
                                           : CHALLENGE("n1", "")));
            assert_int_equal(p.n_sent, 2);
            assert_int_equal(p.n_seen, 0);
            expect_logged_in(&p.sent[0], &p.sent[1], proxy);
            pair_inject(&p, 0, hand_challenge(&p.sent[1], 200, ""));
            assert_int_equal(pair_events(&p, 0, SIP_EV_RESPONSE, 200), 1);
            assert_true(p.seen[0].ev.transaction == id &&
                        p.seen[0].ev.user == 42);
            pair_settle(&p, 100000);
            assert_int_equal(pair_counters(&p, 0).memory, 0);
            pair_fini(&p);
        }
}

/* A second challenge counts only if the nonce was stale, and once. */
static void challenged_again(void **state)
{
    static const struct {
        const char *name, *second;
        size_t sent;
    } cases[] = {
        { "wrong password", CHALLENGE("n2", ""), 2 },
        { "stale", CHALLENGE("n2", ", stale=true"), 3 },
        { "not to be answered", "WWW-Authenticate: Basic realm=\"x\"\r\n", 2 },
        { "nothing", "", 2 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct sip_request r;
        struct pair p;

        pair_init(&p, NULL, NULL, true);
        r = hand_message(&p);
        r.username = SLICE("me");
        r.password = SLICE("secret");
        hand_send(&p, &r);
        pair_inject(&p, 0,
                    hand_challenge(&p.sent[0], 401, CHALLENGE("n1", "")));
        pair_inject(&p, 0, hand_challenge(&p.sent[1], 401, cases[i].second));
        if (p.n_sent != cases[i].sent)
            fail_msg("%s: %zu sent", cases[i].name, p.n_sent);
        if (p.n_sent == 3) {
            assert_true(slice_find_slice(p.sent[2].bytes, SLICE("n1")) ==
                        p.sent[2].bytes.n);
            pair_inject(&p, 0,
                        hand_challenge(&p.sent[2], 401, cases[i].second));
        }
        assert_int_equal(pair_events(&p, 0, SIP_EV_RESPONSE, 401), 1);
        assert_int_equal(p.n_sent, cases[i].sent);
        pair_settle(&p, 100000);
        assert_int_equal(pair_counters(&p, 0).memory, 0);
        pair_fini(&p);
    }
}

/* The ACK of the refusal goes out, the dialog counts on, BYE is behind it. */
static void challenged_invite(void **state)
{
    struct sip_request r;
    uint64_t dialog;
    struct pair p;

    (void)state;
    pair_init(&p, NULL, NULL, true);
    r = hand_invite(&p);
    r.cseq = 10;
    r.username = SLICE("me");
    r.password = SLICE("secret");
    dialog = hand_call(&p, &r);
    pair_inject(&p, 0, hand_challenge(&p.sent[0], 401, CHALLENGE("n1", "")));
    assert_int_equal(pair_count(&p, 0, "ACK"), 1);
    assert_int_equal(pair_count(&p, 0, "INVITE"), 2);
    expect_logged_in(pair_find(&p, 0, "INVITE", 0),
                     pair_find(&p, 0, "INVITE", 1), false);
    pair_inject(&p, 0, hand_challenge(&p.sent[0], 401, CHALLENGE("n1", "")));
    assert_int_equal(pair_count(&p, 0, "ACK"), 2); /* a repeat */
    assert_int_equal(pair_count(&p, 0, "INVITE"), 2);
    pair_inject(&p, 0,
                hand_challenge(pair_find(&p, 0, "INVITE", 1), 200,
                               "Contact: <sip:dev@192.0.2.2>\r\n"));
    assert_int_equal(pair_events(&p, 0, SIP_EV_RESPONSE, 200), 1);
    assert_true(p.seen[0].ev.dialog == dialog);
    assert_true(slice_eq(pair_header(pair_find(&p, 0, "ACK", 2)->bytes,
                                     "CSeq"), SLICE("11 ACK")));
    hand_end(&p, dialog);
    assert_true(slice_eq(pair_header(pair_find(&p, 0, "BYE", 0)->bytes,
                                     "CSeq"), SLICE("12 BYE")));
    pair_settle(&p, 100000);
    pair_fini(&p);
}

/* Given up while the challenge is under way: it is not answered. */
static void challenged_too_late(void **state)
{
    struct sip_request r;
    uint64_t dialog;
    struct pair p;

    (void)state;
    pair_init(&p, NULL, NULL, true);
    r = hand_invite(&p);
    r.username = SLICE("me");
    dialog = hand_call(&p, &r);
    hand_end(&p, dialog);
    pair_inject(&p, 0, hand_challenge(&p.sent[0], 401, CHALLENGE("n1", "")));
    assert_int_equal(pair_count(&p, 0, "INVITE"), 1);
    pair_settle(&p, 100000);
    assert_int_equal(pair_counters(&p, 0).memory, 0);
    pair_fini(&p);
}

static void challenged_without_memory(void **state)
{
    (void)state;
    for (unsigned long n = 1; n < 12; n++) {
        struct sip_request r;
        uint64_t id;
        struct pair p;

        pair_init(&p, NULL, NULL, true);
        r = hand_message(&p);
        r.username = SLICE("me");
        p.mem[0].fail_at = n % 2 ? 0 : p.mem[0].calls + n / 2;
        if (!sip_stack_request(p.stack[0], &r, p.now_ms, &id)) {
            pair_pump(&p);
            p.mem[0].fail_at = p.mem[0].calls + n;
            pair_inject(&p, 0,
                        hand_challenge(&p.sent[0], 401, CHALLENGE("n1", "")));
            p.mem[0].fail_at = 0;
        }
        p.mem[0].fail_at = 0;
        pair_settle(&p, 100000);
        assert_int_equal(pair_counters(&p, 0).memory, 0);
        pair_fini(&p);
    }
}

/* A device that wants to know who ends it. */
static void a_bye_answers_a_challenge(void **state)
{
    static const struct sip_login login = { SLICE_INIT("platform"),
                                            SLICE_INIT("12345678") };
    const struct sip_dialog_state d = {
        .call_id = SLICE("c"), .local_uri = SLICE("sip:platform@dom"),
        .remote_uri = SLICE("sip:dev@dom"), .local_tag = SLICE("l"),
        .remote_tag = SLICE("r"), .target = SLICE("sip:dev@192.0.2.2:5060"),
        .local_cseq = 7,
    };

    (void)state;
    for (unsigned with = 0; with < 2; with++) {
        struct sip_peer peer;
        struct pair p;

        pair_init(&p, NULL, NULL, true);
        peer = pair_peer(&p, 0);
        assert_int_equal(sip_stack_bye_orphan(p.stack[0], &d, &peer,
                                              with ? &login : NULL, 55,
                                              p.now_ms), 0);
        pair_pump(&p);
        pair_inject(&p, 0, hand_challenge(&p.sent[0], 401,
                                          "WWW-Authenticate: Digest "
                                          "realm=\"r\", nonce=\"n\"\r\n"));
        assert_int_equal(pair_events(&p, 0, SIP_EV_RESPONSE, 401), !with);
        assert_int_equal(pair_count(&p, 0, "BYE"), 1 + with);
        if (with) {
            struct slice bye = pair_find(&p, 0, "BYE", 1)->bytes;

            assert_true(slice_has_prefix(pair_header(bye, "Authorization"),
                                         SLICE("Digest username=\"platform\"")));
            assert_true(slice_eq(pair_header(bye, "CSeq"), SLICE("9 BYE")));
            hand_answer(&p, pair_find(&p, 0, "BYE", 1), &hand_ok);
            assert_int_equal(pair_events(&p, 0, SIP_EV_RESPONSE, 200), 1);
        }
        pair_run(&p, p.now_ms + 40000);
        assert_int_equal(pair_counters(&p, 0).transactions, 0);
        pair_fini(&p);
    }
}

/* ---- the next request brings its credentials along (§22.2) ---- */

static struct sip_request with_login(const struct pair *p)
{
    struct sip_request r = hand_message(p);

    r.username = SLICE("me");
    r.password = SLICE("secret");
    return r;
}

/* The i-th that was sent, from 0, has credentials for this nonce and use;
 * nonce NULL: none. */
static void expect_credentials(const struct pair *p, size_t i,
                               const char *nonce, const char *nc)
{
    struct slice auth = pair_header(p->sent[i].bytes, "Authorization");
    struct slice cseq = pair_header(p->sent[i].bytes, "CSeq"), number;
    struct sip_credentials c;
    struct sip_ha1 ha1;

    assert_true(i < p->n_sent);
    if (!nonce) {
        assert_int_equal(auth.n, 0);
        return;
    }
    if (sip_credentials_parse(&c, auth))
        fail_msg("request %zu has no credentials", i);
    if (!slice_eq(c.nonce, slice_str(nonce)) ||
        !slice_eq(c.nc, slice_str(nc)))
        fail_msg("request %zu: nonce %.*s, nc %.*s", i, SLICE_ARG(c.nonce),
                 SLICE_ARG(c.nc));
    assert_true(slice_cut(&cseq, ' ', &number));
    sip_ha1_make(&ha1, c.alg, SLICE("me"), SLICE("dom"), SLICE("secret"));
    assert_true(sip_digest_check(&c, cseq, &ha1));
}

/* Its first request is challenged, and taken with nonce n1. */
static struct sip_request once_challenged(struct pair *p)
{
    struct sip_request r;

    pair_init(p, NULL, NULL, true);
    r = with_login(p);
    hand_send(p, &r);
    pair_inject(p, 0, hand_challenge(&p->sent[0], 401,
                                     CHALLENGE("n1", ", qop=\"auth\"")));
    pair_inject(p, 0, hand_challenge(&p->sent[1], 200, ""));
    expect_credentials(p, 1, "n1", "00000001");
    return r;
}

static void over(struct pair *p, size_t sent, unsigned status)
{
    assert_int_equal(p->n_sent, sent);
    assert_int_equal(pair_events(p, 0, SIP_EV_RESPONSE, status), 1);
    pair_settle(p, 100000);
    assert_int_equal(pair_counters(p, 0).memory, 0);
    pair_fini(p);
}

static void the_next_one_brings_its_login(void **state)
{
    struct sip_request r;
    struct pair p;

    (void)state;
    r = once_challenged(&p);
    for (unsigned i = 0; i < 3; i++)
        hand_send(&p, &r);
    expect_credentials(&p, 2, "n1", "00000002");
    expect_credentials(&p, 3, "n1", "00000003");
    expect_credentials(&p, 4, "n1", "00000004");
    for (unsigned i = 2; i < 5; i++)
        pair_inject(&p, 0, hand_challenge(&p.sent[i], 200, ""));
    assert_int_equal(p.n_sent, 5);
    r.username = slice_of(NULL, 0); /* who has none gives none */
    hand_send(&p, &r);
    expect_credentials(&p, 5, NULL, NULL);
    r = with_login(&p);
    r.peer.remote.port++; /* nor does anybody else get one */
    hand_send(&p, &r);
    expect_credentials(&p, 6, NULL, NULL);
    pair_settle(&p, 100000);
    pair_fini(&p);
}

/* An old nonce costs one request more, whether it is called stale or not; a
 * wrong password is told after that, and not tried again. */
static void a_nonce_that_is_over(void **state)
{
    static const struct {
        const char *second, *third; /* challenges; NULL: 200 */
        size_t sent;
        unsigned status;
    } cases[] = {
        { CHALLENGE("n2", ", stale=true, qop=\"auth\""), NULL, 4, 200 },
        { CHALLENGE("n2", ", qop=\"auth\""), NULL, 4, 200 },
        { CHALLENGE("n2", ""), CHALLENGE("n3", ""), 4, 401 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct sip_request r;
        struct pair p;

        r = once_challenged(&p);
        p.n_seen = 0;
        hand_send(&p, &r);
        pair_inject(&p, 0, hand_challenge(&p.sent[2], 401, cases[i].second));
        assert_int_equal(p.n_sent, 4);
        pair_inject(&p, 0, hand_challenge(&p.sent[3],
                                          cases[i].third ? 401 : 200,
                                          cases[i].third ? cases[i].third
                                                         : ""));
        assert_int_equal(p.n_sent, cases[i].sent);
        assert_int_equal(pair_events(&p, 0, SIP_EV_RESPONSE,
                                     cases[i].status), 1);
        hand_send(&p, &r);
        if (cases[i].third)
            expect_credentials(&p, 4, NULL, NULL);
        else
            expect_credentials(&p, 4, "n2", "00000002");
        pair_settle(&p, 100000);
        assert_int_equal(pair_counters(&p, 0).memory, 0);
        pair_fini(&p);
    }
}

/* Stale for ever: it ends. */
static void stale_for_ever(void **state)
{
    struct sip_request r;
    struct pair p;

    (void)state;
    r = once_challenged(&p);
    p.n_seen = 0;
    hand_send(&p, &r);
    for (size_t i = 2; i < p.n_sent; i++)
        pair_inject(&p, 0, hand_challenge(&p.sent[i], 401,
                                          CHALLENGE("n2", ", stale=true")));
    over(&p, 5, 401);
}

/* Two in a row are refused: it wants a new nonce each time, and is asked as
 * before. */
static void a_nonce_for_each(void **state)
{
    struct sip_request r;
    struct pair p;

    (void)state;
    r = once_challenged(&p);
    for (unsigned i = 0; i < 3; i++) {
        size_t n = p.n_sent;

        hand_send(&p, &r);
        pair_inject(&p, 0, hand_challenge(&p.sent[n], 401,
                                          CHALLENGE("n2", "")));
        pair_inject(&p, 0, hand_challenge(&p.sent[n + 1], 200, ""));
        assert_int_equal(p.n_sent, n + 2);
    }
    expect_credentials(&p, 2, "n1", "00000002");
    assert_true(pair_header(p.sent[4].bytes, "Authorization").n);
    expect_credentials(&p, 6, NULL, NULL);
    pair_settle(&p, 100000);
    pair_fini(&p);
}

/* It takes a nonce that it knows for an attack: once without, and never again
 * with one. */
static void a_known_nonce_is_refused(void **state)
{
    static const unsigned status[] = { 400, 403 };

    (void)state;
    for (size_t i = 0; i < COUNT(status); i++) {
        struct sip_request r;
        struct pair p;

        r = once_challenged(&p);
        p.n_seen = 0;
        hand_send(&p, &r);
        pair_inject(&p, 0, hand_challenge(&p.sent[2], status[i], ""));
        assert_int_equal(p.n_sent, 4);
        expect_credentials(&p, 3, NULL, NULL);
        pair_inject(&p, 0, hand_challenge(&p.sent[3], 401,
                                          CHALLENGE("n2", "")));
        assert_int_equal(p.n_sent, 5);
        pair_inject(&p, 0, hand_challenge(&p.sent[4], 200, ""));
        assert_int_equal(pair_events(&p, 0, SIP_EV_RESPONSE, 200), 1);
        hand_send(&p, &r);
        expect_credentials(&p, 5, NULL, NULL);
        pair_inject(&p, 0, hand_challenge(&p.sent[5], status[i], ""));
        over(&p, 6, status[i]);
    }
}

/* R64 of what a server may say behind it. */
static void the_next_nonce_is_told(void **state)
{
    struct sip_request r;
    struct pair p;

    (void)state;
    r = once_challenged(&p);
    hand_send(&p, &r);
    pair_inject(&p, 0,
                hand_challenge(&p.sent[2], 200,
                               "Authentication-Info: nextnonce=\"n9\"\r\n"));
    hand_send(&p, &r);
    expect_credentials(&p, 3, "n9", "00000001");
    pair_settle(&p, 100000);
    pair_fini(&p);
}

/* A peer that keeps its nonce, and counts: none of ours comes twice with one
 * number, whatever was on its way when it asked. */
static void one_nonce_for_all(void **state)
{
    struct sip_request r;
    struct pair p;

    (void)state;
    pair_init(&p, NULL, NULL, true);
    r = with_login(&p);
    for (unsigned i = 0; i < 3; i++)
        hand_send(&p, &r);
    for (unsigned i = 0; i < 2; i++)
        pair_inject(&p, 0, hand_challenge(&p.sent[i], 401,
                                          CHALLENGE("n1", ", qop=\"auth\"")));
    expect_credentials(&p, 3, "n1", "00000001");
    expect_credentials(&p, 4, "n1", "00000002");
    hand_send(&p, &r);
    expect_credentials(&p, 5, "n1", "00000003");
    pair_inject(&p, 0, hand_challenge(&p.sent[2], 401,
                                      CHALLENGE("n1", ", qop=\"auth\"")));
    expect_credentials(&p, 6, "n1", "00000004");
    hand_send(&p, &r);
    expect_credentials(&p, 7, "n1", "00000005");
    pair_settle(&p, 100000);
    pair_fini(&p);
}

/* Told with each answer, also to what went out before: it is the same one. */
static void the_next_nonce_is_the_same(void **state)
{
    static const char next[] = "Authentication-Info: nextnonce=\"n9\"\r\n";
    struct sip_request r;
    struct pair p;

    (void)state;
    r = once_challenged(&p);
    hand_send(&p, &r);
    hand_send(&p, &r);
    pair_inject(&p, 0, hand_challenge(&p.sent[2], 200, next));
    hand_send(&p, &r);
    expect_credentials(&p, 4, "n9", "00000001");
    pair_inject(&p, 0, hand_challenge(&p.sent[3], 200, next));
    hand_send(&p, &r);
    expect_credentials(&p, 5, "n9", "00000002");
    pair_settle(&p, 100000);
    pair_fini(&p);
}

/* The 200 of an INVITE comes again behind a later answer: what it says of a
 * nonce is old by then. */
static void the_next_nonce_of_a_repeat(void **state)
{
    struct pair p;
    struct sip_request r = once_challenged(&p), call = hand_invite(&p);
    char ok[1024];
    struct slice text;

    (void)state;
    call.username = r.username;
    call.password = r.password;
    hand_call(&p, &call);
    text = hand_challenge(&p.sent[2], 200,
                          "Contact: <sip:dev@192.0.2.2>\r\n"
                          "Authentication-Info: nextnonce=\"n5\"\r\n");
    assert_true(text.n <= sizeof(ok));
    memcpy(ok, text.p, text.n);
    text.p = ok;
    pair_inject(&p, 0, text);
    hand_send(&p, &r);
    expect_credentials(&p, p.n_sent - 1, "n5", "00000001");
    pair_inject(&p, 0,
                hand_challenge(&p.sent[p.n_sent - 1], 200,
                               "Authentication-Info: nextnonce=\"n6\"\r\n"));
    pair_inject(&p, 0, text);
    hand_send(&p, &r);
    expect_credentials(&p, p.n_sent - 1, "n6", "00000001");
    pair_settle(&p, 100000);
    pair_fini(&p);
}

/* An INVITE, its ACK and the BYE behind it, if that is for who has the login. */
static void a_call_brings_its_login(void **state)
{
    (void)state;
    for (unsigned other = 0; other < 2; other++) {
        struct sip_request r;
        uint64_t dialog;
        struct pair p;

        once_challenged(&p);
        r = hand_invite(&p);
        r.username = SLICE("me");
        r.password = SLICE("secret");
        dialog = hand_call(&p, &r);
        expect_credentials(&p, 2, "n1", "00000002");
        pair_inject(&p, 0, hand_challenge(&p.sent[2], 200,
                                          "Contact: <sip:dev@192.0.2.2>\r\n"));
        assert_true(slice_eq(pair_header(pair_find(&p, 0, "ACK", 0)->bytes,
                                         "Authorization"),
                             pair_header(p.sent[2].bytes, "Authorization")));
        r = with_login(&p);
        r.peer.remote.port += (uint16_t)other;
        assert_true(sip_stack_leave(p.stack[0], dialog, &r, p.now_ms));
        assert_int_equal(r.username.n, other ? 0 : 2);
        pair_pump(&p);
        expect_credentials(&p, p.n_sent - 1, other ? NULL : "n1", "00000003");
        pair_settle(&p, 100000);
        pair_fini(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(challenged),
        cmocka_unit_test(challenged_again),
        cmocka_unit_test(challenged_invite),
        cmocka_unit_test(challenged_too_late),
        cmocka_unit_test(challenged_without_memory),
        cmocka_unit_test(a_bye_answers_a_challenge),
        cmocka_unit_test(the_next_one_brings_its_login),
        cmocka_unit_test(a_nonce_that_is_over),
        cmocka_unit_test(stale_for_ever),
        cmocka_unit_test(a_nonce_for_each),
        cmocka_unit_test(a_known_nonce_is_refused),
        cmocka_unit_test(the_next_nonce_is_told),
        cmocka_unit_test(one_nonce_for_all),
        cmocka_unit_test(the_next_nonce_is_the_same),
        cmocka_unit_test(the_next_nonce_of_a_repeat),
        cmocka_unit_test(a_call_brings_its_login),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
