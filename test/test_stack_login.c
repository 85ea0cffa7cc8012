/* sip/stack_auth.c: a client that is challenged (RFC 3261 §22). The test is the
 * peer and writes its answers by hand. */
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(challenged),
        cmocka_unit_test(challenged_again),
        cmocka_unit_test(challenged_invite),
        cmocka_unit_test(challenged_too_late),
        cmocka_unit_test(challenged_without_memory),
        cmocka_unit_test(a_bye_answers_a_challenge),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
