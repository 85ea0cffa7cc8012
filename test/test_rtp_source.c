/* Whose packets are ours: locks, moves, restarts, strangers. */
#include "test/support.h"

#include "rtp/source.h"

enum who { A, A2, B, C, WHO_COUNT }; /* A2: A behind another port */

static struct gb_addr addr_of(enum who w)
{
    static const char *const text[WHO_COUNT] = {
        "192.0.2.1:10000", "192.0.2.1:10002", "192.0.2.2:10000",
        "192.0.2.3:10000"
    };
    struct gb_addr a;

    assert_int_equal(gb_addr_parse(&a, slice_str(text[w]), 0), 0);
    return a;
}

/* count packets from a sender, 20 ms apart, all of them with one verdict. */
struct step {
    enum who from;
    uint32_t ssrc;
    uint16_t seq;
    unsigned count;
    uint64_t wait_ms; /* before the first */
    enum rtp_verdict want;
};

#define Y 200004321u

static const struct {
    const char *name;
    enum rtp_ssrc_policy policy;
    bool expected, allow_a;
    struct step step[12];
} senders[] = {
    { "plain", RTP_SSRC_ADOPT, true, false,
      { { A, Y, 1, 1, 0, RTP_OURS_NEW }, { A, Y, 2, 50, 0, RTP_OURS } } },
    { "strict refuses another", RTP_SSRC_STRICT, true, false,
      { { A, 5, 1, 9, 0, RTP_FOREIGN },
        { A, Y, 1, 1, 0, RTP_OURS_NEW } } },
    { "strict without a number adopts", RTP_SSRC_STRICT, false, false,
      { { A, 5, 1, 1, 0, RTP_OURS_NEW } } },
    { "adopt takes the first", RTP_SSRC_ADOPT, true, false,
      { { A, 0, 1, 1, 0, RTP_OURS_NEW }, { A, 0, 2, 9, 0, RTP_OURS } } },
    { "adopt from a plausible address only", RTP_SSRC_ADOPT, true, true,
      { { B, 5, 1, 9, 0, RTP_FOREIGN },
        { A2, 5, 1, 1, 0, RTP_OURS_NEW } } },
    { "the expected one from elsewhere waits", RTP_SSRC_ADOPT, true, true,
      { { B, Y, 1, 50, 0, RTP_FOREIGN }, { B, Y, 51, 1, 0, RTP_OURS_NEW },
        { B, Y, 52, 9, 0, RTP_OURS } } },
    { "... with a hole at the end", RTP_SSRC_ADOPT, true, true,
      { { B, Y, 1, 50, 0, RTP_FOREIGN }, { B, Y, 60, 4, 0, RTP_FOREIGN },
        { B, Y, 64, 1, 0, RTP_OURS_NEW } } },
    { "... and gives way to the device", RTP_SSRC_ADOPT, true, true,
      { { B, Y, 1, 50, 0, RTP_FOREIGN }, { B, Y, 51, 1, 0, RTP_OURS_NEW },
        { A2, 5, 900, 9, 0, RTP_FOREIGN },
        { A2, Y, 900, 1, 0, RTP_OURS_NEW },
        { B, Y, 52, 149, 0, RTP_FOREIGN } } },
    { "the device comes while it waits", RTP_SSRC_ADOPT, true, true,
      { { B, Y, 1, 49, 0, RTP_FOREIGN }, { A, 5, 1, 1, 0, RTP_OURS_NEW },
        { B, Y, 50, 20, 0, RTP_FOREIGN }, { A, 5, 2, 1, 0, RTP_OURS },
        { B, Y, 70, 149, 0, RTP_FOREIGN },
        { B, Y, 219, 1, 20, RTP_OURS_NEW } } },
    { "another one from elsewhere never", RTP_SSRC_ADOPT, true, true,
      { { B, 5, 1, 900, 0, RTP_FOREIGN } } },
    { "elsewhere, strict", RTP_SSRC_STRICT, true, true,
      { { B, Y, 1, 50, 0, RTP_FOREIGN }, { B, Y, 51, 1, 0, RTP_OURS_NEW },
        { A, 5, 1, 9, 0, RTP_FOREIGN }, { A, Y, 1, 1, 0, RTP_OURS_NEW } } },
    { "the expected one drives out an old sender", RTP_SSRC_ADOPT, true,
      false,
      { { A, 5, 1, 1, 0, RTP_OURS_NEW }, { A, 5, 2, 20, 0, RTP_OURS },
        { B, Y, 1, 1, 0, RTP_OURS_NEW }, { A, 5, 22, 5, 0, RTP_FOREIGN },
        { B, Y, 2, 5, 0, RTP_OURS } } },
    { "stranger while ours sends", RTP_SSRC_ADOPT, true, false,
      { { A, Y, 1, 1, 0, RTP_OURS_NEW }, { B, 7, 1, 9, 0, RTP_FOREIGN },
        { A, Y, 2, 1, 0, RTP_OURS }, { B, 7, 10, 9, 0, RTP_FOREIGN } } },
    { "NAT moves the port", RTP_SSRC_ADOPT, true, false,
      { { A, Y, 1, 1, 0, RTP_OURS_NEW }, { A2, Y, 2, 1, 0, RTP_OURS_MOVED },
        { A2, Y, 3, 5, 0, RTP_OURS } } },
    { "NAT moves over a loss of 63", RTP_SSRC_ADOPT, true, false,
      { { A, Y, 1, 1, 0, RTP_OURS_NEW },
        { A2, Y, 65, 1, 0, RTP_OURS_MOVED } } },
    { "too far for a move", RTP_SSRC_ADOPT, true, false,
      { { A, Y, 1, 1, 0, RTP_OURS_NEW },
        { A2, Y, 66, 1, 0, RTP_FOREIGN } } },
    { "a copy is no move", RTP_SSRC_ADOPT, true, false,
      { { A, Y, 10, 1, 0, RTP_OURS_NEW }, { B, Y, 10, 1, 0, RTP_FOREIGN },
        { B, Y, 5, 1, 0, RTP_FOREIGN } } },
    { "restart: five in a row after the silence", RTP_SSRC_ADOPT, true,
      false,
      { { A, Y, 1, 1, 0, RTP_OURS_NEW },
        { A2, 9, 500, 4, 3000, RTP_FOREIGN },
        { A2, 9, 504, 1, 0, RTP_OURS_NEW },
        { A2, 9, 505, 3, 0, RTP_OURS } } },
    { "restart: the silence is too short", RTP_SSRC_ADOPT, true, false,
      { { A, Y, 1, 1, 0, RTP_OURS_NEW },
        { A2, 9, 500, 10, 2000, RTP_FOREIGN } } },
    { "restart: a hole begins the run anew", RTP_SSRC_ADOPT, true, false,
      { { A, Y, 1, 1, 0, RTP_OURS_NEW },
        { A2, 9, 500, 4, 3000, RTP_FOREIGN },
        { A2, 9, 505, 4, 0, RTP_FOREIGN },
        { A2, 9, 509, 1, 0, RTP_OURS_NEW } } },
    { "another SSRC on the same socket", RTP_SSRC_ADOPT, true, false,
      { { A, Y, 1, 1, 0, RTP_OURS_NEW }, { A, Y, 2, 9, 0, RTP_OURS },
        { A, 9, 7000, 4, 0, RTP_FOREIGN },
        { A, 9, 7004, 1, 0, RTP_OURS_NEW },
        { A, 9, 7005, 90, 0, RTP_OURS },
        { A, 11, 1, 4, 0, RTP_FOREIGN }, { A, 11, 5, 1, 0, RTP_OURS_NEW },
        { A, 11, 6, 90, 0, RTP_OURS } } },
    { "... is not followed by late packets of the old one", RTP_SSRC_ADOPT,
      true, false,
      { { A, Y, 1, 1, 0, RTP_OURS_NEW }, { A, 9, 7000, 4, 0, RTP_FOREIGN },
        { A, 9, 7004, 1, 0, RTP_OURS_NEW }, { A, Y, 2, 3, 0, RTP_FOREIGN },
        { A, 9, 7005, 90, 0, RTP_OURS } } },
    { "... nor from another socket", RTP_SSRC_ADOPT, true, false,
      { { A, Y, 1, 1, 0, RTP_OURS_NEW },
        { A2, 9, 7000, 100, 0, RTP_FOREIGN } } },
    { "two streams on one socket", RTP_SSRC_ADOPT, true, false,
      { { A, Y, 1, 1, 0, RTP_OURS_NEW }, { A, 9, 1, 4, 0, RTP_FOREIGN },
        { A, Y, 2, 1, 0, RTP_OURS }, { A, 9, 5, 30, 0, RTP_FOREIGN },
        { A, Y, 3, 9, 0, RTP_OURS } } },
    { "... of which the second begins with a burst", RTP_SSRC_ADOPT, true,
      false,
      { { A, Y, 1, 1, 0, RTP_OURS_NEW }, { A, 9, 1, 4, 0, RTP_FOREIGN },
        { A, 9, 5, 1, 0, RTP_OURS_NEW }, { A, Y, 2, 4, 0, RTP_FOREIGN },
        { A, Y, 6, 1, 0, RTP_OURS_NEW }, { A, Y, 7, 9, 0, RTP_OURS },
        { A, 9, 6, 99, 0, RTP_FOREIGN }, { A, Y, 16, 9, 0, RTP_OURS } } },
    { "two candidates", RTP_SSRC_ADOPT, true, false,
      { { A, Y, 1, 1, 0, RTP_OURS_NEW },
        { B, 9, 1, 3, 3000, RTP_FOREIGN },
        { C, 8, 1, 4, 0, RTP_FOREIGN }, { B, 9, 4, 1, 0, RTP_FOREIGN },
        { B, 9, 5, 1, 0, RTP_OURS_NEW } } },
    { "strict never re-locks to another", RTP_SSRC_STRICT, true, false,
      { { A, Y, 1, 1, 0, RTP_OURS_NEW },
        { A, 9, 500, 20, 5000, RTP_FOREIGN } } },
    { "ignore does not look", RTP_SSRC_IGNORE, true, false,
      { { A, 1, 1, 1, 0, RTP_OURS_NEW }, { A, 2, 2, 1, 0, RTP_OURS },
        { A, 3, 3, 1, 0, RTP_OURS }, { B, 3, 900, 1, 0, RTP_FOREIGN } } },
    { "our own restart keeps the lock", RTP_SSRC_ADOPT, true, false,
      { { A, Y, 60000, 1, 0, RTP_OURS_NEW }, { A, Y, 5, 9, 0, RTP_OURS },
        { A2, Y, 14, 1, 0, RTP_OURS_MOVED } } },
};

static void scripts(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(senders); i++) {
        struct rtp_source s;
        struct gb_addr a = addr_of(A);
        uint64_t now_ms = 100000;

        rtp_source_init(&s, senders[i].policy);
        if (senders[i].expected)
            rtp_source_expect(&s, Y);
        if (senders[i].allow_a)
            rtp_source_allow(&s, &a);
        for (size_t k = 0; senders[i].step[k].count; k++) {
            const struct step *st = &senders[i].step[k];
            struct gb_addr from = addr_of(st->from);

            now_ms += st->wait_ms;
            for (unsigned n = 0; n < st->count; n++, now_ms += 20) {
                enum rtp_verdict v =
                    rtp_source_check(&s, &from, st->ssrc,
                                     (uint16_t)(st->seq + n), now_ms);

                if (v != st->want)
                    fail_msg("%s: step %zu packet %u: %d", senders[i].name, k,
                             n, v);
            }
        }
    }
}

static void answer_names_another(void **state)
{
    struct gb_addr a = addr_of(A);
    struct rtp_source s;

    (void)state;
    rtp_source_init(&s, RTP_SSRC_STRICT);
    rtp_source_expect(&s, Y);
    assert_int_equal(rtp_source_check(&s, &a, Y, 1, 0), RTP_OURS_NEW);
    rtp_source_expect(&s, 60205514);
    assert_int_equal(rtp_source_check(&s, &a, Y, 2, 0), RTP_FOREIGN);
    assert_int_equal(rtp_source_check(&s, &a, 60205514, 1, 0), RTP_OURS_NEW);
    assert_int_equal(s.foreign, 1);
    assert_int_equal(s.foreign_ssrc, Y);
}

/* More addresses than there is room for: the oldest goes. */
static void plausible_addresses(void **state)
{
    struct rtp_source s;
    struct gb_addr a;

    (void)state;
    rtp_source_init(&s, RTP_SSRC_ADOPT);
    for (unsigned i = 0; i <= RTP_SOURCE_ADDRS; i++) {
        a = addr_of(A);
        a.ip[3] = (uint8_t)(10 + i);
        rtp_source_allow(&s, &a);
        rtp_source_allow(&s, &a);
    }
    a.ip[3] = 10;
    assert_int_equal(rtp_source_check(&s, &a, 1, 1, 0), RTP_FOREIGN);
    a.ip[3] = 11;
    assert_int_equal(rtp_source_check(&s, &a, 1, 1, 0), RTP_OURS_NEW);
    /* named again, it is not the oldest any more */
    rtp_source_init(&s, RTP_SSRC_ADOPT);
    for (unsigned i = 0; i < RTP_SOURCE_ADDRS * 3; i++) {
        a.ip[3] = (uint8_t)(i & 1 ? 20 + i : 11);
        rtp_source_allow(&s, &a);
    }
    a.ip[3] = 11;
    assert_int_equal(rtp_source_check(&s, &a, 1, 1, 0), RTP_OURS_NEW);
    assert_int_equal(s.n_plausible, RTP_SOURCE_ADDRS);
}

/* An address is learnt after the lock: it is plausible from then on. */
static void learnt_address(void **state)
{
    struct gb_addr a = addr_of(A), b = addr_of(B);
    struct rtp_source s;

    (void)state;
    rtp_source_init(&s, RTP_SSRC_ADOPT);
    rtp_source_expect(&s, Y);
    rtp_source_allow(&s, &a);
    for (uint16_t seq = 0; seq <= 50; seq++)
        rtp_source_check(&s, &b, Y, seq, seq * 20);
    assert_true(s.locked && s.elsewhere);
    rtp_source_allow(&s, &b);
    assert_false(s.elsewhere);
    assert_int_equal(rtp_source_check(&s, &a, Y, 900, 1020), RTP_FOREIGN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scripts),
        cmocka_unit_test(answer_names_another),
        cmocka_unit_test(plausible_addresses),
        cmocka_unit_test(learnt_address),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
