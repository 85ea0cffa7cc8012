/* app/platform/dialogs: what may live on in a device is ended there, and nowhere
 * else. */
#include "test/pair.h"
#include "test/sim.h"

#include "app/platform/voice.h"

#include <stdio.h>

static struct sim s;

static const char ipc[] = "34020000001320000001";
static const char other[] = "34020000001320000002";

static struct sim_device *add(const char *id, const char *ip, uint8_t transport)
{
    struct sim_device *d = sim_add(&s, id, ip, transport);

    sim_register(d);
    sim_run(&s, 10000);
    assert_true(sim_view(&s, d).online);
    return d;
}

static struct sim_device *registered(uint8_t transport)
{
    assert_true(sim_init(&s, NULL));
    return add(ipc, "192.168.1.10:5060", transport);
}

static const struct sip_dialog_state old_dialog = {
    .call_id = SLICE_INIT("old@192.168.1.1"),
    .local_uri = SLICE_INIT("sip:34020000002000000001@3402000000"),
    .remote_uri = SLICE_INIT("sip:34020000001310000001@3402000000"),
    .local_tag = SLICE_INIT("ours"),
    .remote_tag = SLICE_INIT("theirs"),
    .target = SLICE_INIT("sip:34020000001320000001@192.168.1.10:5060"),
    .local_cseq = 20,
};

static void dialogs_of_the_last_run_get_their_bye(void **state)
{
    struct sim_device *d = registered(SIP_UDP);
    struct sip_peer peer = sim_view(&s, d).peer;
    struct sip_out out;

    (void)state;
    platform_restore_dialog(s.p, 5, &old_dialog, &peer, s.now);
    assert_true(sip_stack_output(s.server, &out));
    assert_true(slice_has_prefix(out.bytes, SLICE("BYE sip:")));
    /* above what went out before the end, and was not stored any more */
    assert_true(slice_find_slice(out.bytes, SLICE("CSeq: 85 BYE")) <
                out.bytes.n);
    assert_true(slice_find_slice(out.bytes, SLICE("old@192.168.1.1")) <
                out.bytes.n);
    assert_true(gb_addr_eq(&out.peer.remote, &d->addr));
    sim_free(&s);
}

/* It stays stored until the device has answered, or has not for 32 s. */
static void and_stay_stored_until_it_is_answered(void **state)
{
    (void)state;
    for (int answered = 0; answered < 2; answered++) {
        struct sim_device *d = registered(SIP_UDP);
        struct sip_peer peer = sim_view(&s, d).peer;

        d->deaf = true;
        platform_restore_dialog(s.p, 5, &old_dialog, &peer, s.now);
        sim_run(&s, 10000);
        assert_int_equal(s.actions[PLATFORM_DIALOG_CLOSED], 0);
        d->deaf = !answered;
        sim_run(&s, answered ? 4500 : 20000);
        assert_int_equal(s.actions[PLATFORM_DIALOG_CLOSED], answered);
        sim_run(&s, 3000);
        assert_int_equal(s.actions[PLATFORM_DIALOG_CLOSED], 1);
        assert_true(s.closed_key == 5);
        sim_free(&s);
    }
}

/* Over TCP the way to the device is gone with the process that had it: the BYE
 * goes out when the device has come back, once. */
static void over_tcp_the_bye_waits_for_the_connection(void **state)
{
    struct sim_device *d = registered(SIP_TCP);
    struct platform_saved_device k = sim_saved(&s, d);
    struct sip_peer peer = k.peer;

    (void)state;
    sim_restart(&s);
    assert_int_equal(platform_restore_device(s.p, &k, s.now), 0);
    platform_restore_dialog(s.p, 5, &old_dialog, &peer, s.now);
    sim_run(&s, 5000);
    assert_int_equal(s.byes_sent, 0);
    sim_reconnect(d);
    sim_keepalive(d, NULL);
    sim_run(&s, 1000);
    assert_true(sim_view(&s, d).online);
    assert_int_equal(s.byes_sent, 1);
    sim_reconnect(d); /* the other one lives */
    sim_keepalive(d, NULL);
    sim_run(&s, 1000);
    assert_int_equal(d->last_status, 403);
    sim_register(d);
    sim_run(&s, 1000);
    assert_int_equal(s.byes_sent, 1);
    sim_free(&s);
}

/* The device has heard no BYE and comes back over another connection. */
static void expect_bye_over_another(struct sim_device *d)
{
    uint64_t left = d->connection;

    d->deaf = false;
    sim_reconnect(d);
    sim_register(d);
    sim_run(&s, 1000);
    assert_true(s.disconnected == left);
    assert_int_equal(s.byes_sent, 2); /* before any keepalive */
    assert_int_equal(s.actions[PLATFORM_DIALOG_CLOSED], 1);
}

/* It was on its way over the connection that the device has left: when that is
 * closed it goes out over the new one. */
static void a_bye_follows_to_the_next_connection(void **state)
{
    struct sim_device *d = registered(SIP_TCP);
    struct platform_session v =
        sim_watch(&s, d, "34020000001310000001", PLATFORM_UDP);

    (void)state;
    sim_run(&s, 3000);
    d->deaf = true;
    platform_session_stop(s.p, v.id, s.now);
    sim_run(&s, 1000);
    assert_int_equal(s.byes_sent, 1);
    expect_bye_over_another(d);
    assert_true(s.closed_key == s.opened_key);
    sim_free(&s);
}

/* A BYE that goes out does not arrive. */
static void cut_at_bye(void *ctx, bool out, const struct sip_peer *peer,
                       struct slice bytes, struct gb_time now)
{
    struct sim_device *const *d = ctx;

    (void)peer, (void)now;
    if (out && slice_has_prefix(bytes, SLICE("BYE ")))
        (*d)->deaf = true;
}

/* The same of a dialog that nothing but the address tells whose it is. */
static void and_that_of_the_last_run_does(void **state)
{
    struct sim_device *d;
    const struct sim_options o = { .config = { .auto_enrol = true },
                                   .on_message = cut_at_bye,
                                   .message_ctx = &d };
    struct sip_dialog_state dialog = old_dialog;
    struct platform_saved_device k;

    (void)state;
    assert_true(sim_init(&s, &o));
    d = add(ipc, "192.168.1.10:5060", SIP_TCP);
    k = sim_saved(&s, d);
    dialog.target = SLICE("sip:34020000001310000001@192.168.1.10:5060");
    sim_restart(&s);
    assert_int_equal(platform_restore_device(s.p, &k, s.now), 0);
    platform_restore_dialog(s.p, 5, &dialog, &k.peer, s.now);
    sim_reconnect(d);
    sim_register(d);
    sim_run(&s, 1000);
    assert_int_equal(s.byes_sent, 1);
    s.opt.on_message = NULL;
    expect_bye_over_another(d);
    sim_free(&s);
}

/* ---- which device it is ---- */

/* The BYEs that went out, and the last one's way. */
struct byes {
    unsigned n;
    uint64_t connection;
};

static void count_bye(void *ctx, bool out, const struct sip_peer *peer,
                      struct slice bytes, struct gb_time now)
{
    struct byes *b = ctx;

    (void)now;
    if (!out || !slice_has_prefix(bytes, SLICE("BYE ")))
        return;
    b->n++;
    b->connection = peer->connection;
}

static void come_back(struct sim_device *d, const char *ip)
{
    assert_int_equal(gb_addr_parse(&d->addr, slice_str(ip), 0), 0);
    d->to_server.local = d->addr;
    sim_reconnect(d);
    sim_register(d);
    sim_run(&s, 10000);
    assert_true(sim_view(&s, d).online);
}

/* Two devices behind one router, over TCP. Who comes back first is not told to
 * end the dialog of the other one, which comes back from elsewhere. */
static void a_bye_finds_its_device(void **state)
{
    static const struct {
        const char *what, *target;
        bool has_channel;  /* the one that was called, of ipc */
        bool is_told;      /* somebody has told of its Contact, as a device */
        unsigned first;    /* BYEs to the other one */
    } table[] = {
        { "its channel is known", "sip:34020000001320000009@10.0.0.9:5060",
          true, false, 0 },
        { "its Contact names it", "sip:34020000001320000001@10.0.0.9:5060",
          false, false, 0 },
        { "nothing but the address", "sip:34020000001320000009@10.0.0.9:5060",
          false, false, 1 },
        { "a device that has never been anywhere",
          "sip:34020000001320000009@10.0.0.9:5060", false, true, 1 },
    };
    const struct platform_channel c = { .device = slice_str(ipc),
                                        .id = SLICE("34020000001310000001") };

    (void)state;
    for (size_t i = 0; i < COUNT(table); i++) {
        struct byes b = { 0 };
        const struct sim_options o = { .config = { .auto_enrol = true },
                                       .on_message = count_bye,
                                       .message_ctx = &b };
        struct sip_dialog_state dialog = old_dialog;
        struct platform_saved_device k[2];
        struct sim_device *d, *e;

        assert_true(sim_init(&s, &o));
        d = add(ipc, "203.0.113.7:2000", SIP_TCP);
        e = add(other, "203.0.113.7:2001", SIP_TCP);
        k[0] = sim_saved(&s, d);
        k[1] = sim_saved(&s, e);
        sim_restart(&s);
        assert_int_equal(platform_restore_device(s.p, &k[0], s.now), 0);
        assert_int_equal(platform_restore_device(s.p, &k[1], s.now), 0);
        if (table[i].has_channel)
            assert_int_equal(platform_restore_channel(s.p, &c), 0);
        if (table[i].is_told)
            assert_int_equal(
                platform_device_create(s.p, SLICE("34020000001320000009"),
                                       &(struct platform_settings){ 0 },
                                       s.now),
                0);
        dialog.target = slice_str(table[i].target);
        platform_restore_dialog(s.p, 5, &dialog, &k[0].peer, s.now);
        come_back(e, "203.0.113.7:2001");
        if (b.n != table[i].first)
            fail_msg("%s: %u BYEs to the other one", table[i].what, b.n);
        come_back(d, "203.0.113.8:2000");
        if (b.n != 1 || (!table[i].first && b.connection != d->connection))
            fail_msg("%s: %u BYEs", table[i].what, b.n);
        assert_int_equal(s.actions[PLATFORM_DIALOG_CLOSED], 1);
        sim_free(&s);
    }
}

/* Whichever allocation fails: the BYE goes out when there is memory again, and
 * the owner hears of its answer. */
static void a_bye_without_memory_goes_out_later(void **state)
{
    struct sim_options o = { .config = { .auto_enrol = true } };

    (void)state;
    for (unsigned long k = 2; k < 8; k++) { /* 1: it is not known at all */
        struct failing_alloc mem;
        struct sim_device *d;
        struct sip_peer peer;

        failing_alloc_init(&mem, 0);
        o.alloc = &mem.alloc;
        assert_true(sim_init(&s, &o));
        d = add(ipc, "192.168.1.10:5060", SIP_UDP);
        d->keepalive_ms = 60000;
        sim_register(d);
        sim_run(&s, 1000);
        peer = sim_view(&s, d).peer;
        mem.fail_at = mem.calls + k;
        platform_restore_dialog(s.p, 5, &old_dialog, &peer, s.now);
        mem.fail_at = 0;
        sim_run(&s, 300000);
        if (s.actions[PLATFORM_DIALOG_CLOSED] != 1)
            fail_msg("allocation %lu: %u times closed", k,
                     s.actions[PLATFORM_DIALOG_CLOSED]);
        sim_free(&s);
        assert_int_equal(mem.live, 0);
    }
}

/* ---- a device that wants to know who ends it ---- */

/* The BYE that goes out next, and no other. */
static struct sip_out next_bye(void)
{
    struct sip_out out;

    for (;;) {
        if (!sip_stack_output(s.server, &out))
            fail_msg("no BYE");
        if (slice_has_prefix(out.bytes, SLICE("BYE ")))
            return out;
    }
}

static void expect_no_bye(void)
{
    struct sip_out out;

    while (sip_stack_output(s.server, &out))
        assert_false(slice_has_prefix(out.bytes, SLICE("BYE ")));
}

static void challenge(const struct sip_out *bye)
{
    static const char *const echoed[] = { "Via", "From", "To", "Call-ID",
                                          "CSeq" };
    struct sip_peer from = bye->peer;
    struct sip_event ev;
    char text[2048];
    struct writer w = writer_of(text, sizeof(text));

    writer_str(&w, "SIP/2.0 401 Unauthorized\r\n");
    for (size_t i = 0; i < COUNT(echoed); i++) {
        writer_f(&w, "%s: ", echoed[i]);
        writer_slice_put(&w, pair_header(bye->bytes, echoed[i]));
        writer_str(&w, "\r\n");
    }
    writer_str(&w, "WWW-Authenticate: Digest realm=\"camera\", "
                   "nonce=\"abcd\", algorithm=MD5\r\n"
                   "Content-Length: 0\r\n\r\n");
    assert_int_equal(w.err, 0);
    assert_int_equal(sip_stack_input(s.server, &from, writer_slice(&w),
                                     s.now.mono_ms), 0);
    while (sip_stack_event(s.server, &ev))
        platform_sip(s.p, &ev, s.now);
}

static bool has_login(const struct sip_out *bye)
{
    return slice_has_prefix(pair_header(bye->bytes, "Authorization"),
                            SLICE("Digest username=\"34020000002000000001\""));
}

/* The second BYE carries the password; a device that wants yet another one is
 * left alone. */
static void expect_one_login(struct sip_out bye)
{
    assert_false(has_login(&bye));
    challenge(&bye);
    bye = next_bye();
    assert_false(has_login(&bye));
    challenge(&bye);
    bye = next_bye();
    assert_true(has_login(&bye));
    challenge(&bye);
    expect_no_bye();
}

/* It is told apart by who answered then, or by the channel that was called. */
static void a_bye_of_the_last_run_answers_a_challenge(void **state)
{
    (void)state;
    for (unsigned called = 0; called < 2; called++) {
        struct sip_dialog_state dialog = old_dialog;
        struct sim_device *d = registered(SIP_UDP);
        struct sip_peer peer = sim_view(&s, d).peer;

        if (called)
            dialog.target = SLICE("sip:192.168.1.10:5060");
        if (called)
            dialog.remote_uri = SLICE("sip:34020000001320000001@3402000000");
        platform_restore_dialog(s.p, 5, &dialog, &peer, s.now);
        expect_one_login(next_bye());
        sim_run(&s, 1000);
        assert_int_equal(s.actions[PLATFORM_DIALOG_CLOSED], 1);
        sim_free(&s);
    }
}

/* Behind a restart nobody has proven a password yet. */
static void and_waits_until_there_is_one_to_tell(void **state)
{
    struct sim_device *d = registered(SIP_UDP);
    struct platform_saved_device k = sim_saved(&s, d);
    struct sip_peer peer = k.peer;
    struct sip_out bye;

    (void)state;
    sim_restart(&s);
    assert_int_equal(platform_restore_device(s.p, &k, s.now), 0);
    platform_restore_dialog(s.p, 5, &old_dialog, &peer, s.now);
    bye = next_bye();
    challenge(&bye);
    sim_keepalive(d, NULL);
    sim_run(&s, 30000);
    assert_int_equal(s.byes_sent, 0);
    assert_int_equal(s.actions[PLATFORM_DIALOG_CLOSED], 0);
    sim_register(d);
    sim_run(&s, 100);
    assert_int_equal(s.byes_sent, 1);
    assert_int_equal(s.actions[PLATFORM_DIALOG_CLOSED], 1);
    sim_free(&s);
}

/* It is asked at its Contact, where it has proven nothing, and would wait there
 * for ever. */
static void and_not_where_there_never_is_one(void **state)
{
    struct sim_device *d;
    struct sip_peer peer;
    struct sip_out bye;

    (void)state;
    assert_true(sim_init(&s, NULL));
    d = sim_add(&s, ipc, "192.168.1.10:31044", SIP_UDP);
    d->own_addr = "192.168.1.10:5060";
    d->keepalive_ms = 60000;
    assert_int_equal(gb_addr_parse(&d->listens, slice_str(d->own_addr), 0), 0);
    sim_register(d);
    sim_run(&s, 180000); /* where it sends from it answers nothing */
    assert_true(text_has(s.log, "the next go to its Contact"));
    peer = sim_view(&s, d).peer;
    platform_restore_dialog(s.p, 5, &old_dialog, &peer, s.now);
    bye = next_bye();
    challenge(&bye);
    sim_run(&s, 1000);
    assert_int_equal(s.actions[PLATFORM_DIALOG_CLOSED], 1);
    sim_free(&s);
}

static void the_bye_of_a_voice_answers_a_challenge(void **state)
{
    static const char sdp[] = "v=0\r\no=- 0 0 IN IP4 192.168.1.10\r\ns=Play\r\n"
                              "c=IN IP4 192.168.1.10\r\nt=0 0\r\n"
                              "m=audio 9712 RTP/AVP 8\r\na=recvonly\r\n";

    (void)state;
    for (unsigned talk = 0; talk < 2; talk++) {
        struct sim_device *d = registered(SIP_UDP);
        const struct platform_voice_wish w = {
            .device = slice_str(d->id),
            .channel = slice_str(d->id),
            .mode = talk ? PLATFORM_VOICE_TALK : PLATFORM_VOICE_BROADCAST,
            .who = SLICE("a test"),
        };
        struct platform_voice v;
        struct sip_out bye;

        d->broadcast_result = "OK";
        assert_int_equal(platform_voice_start(s.p, &w, s.now, &v), 0);
        sim_run(&s, 500);
        if (!talk)
            sim_call(d, d->id, d->id, NULL, sdp);
        sim_run(&s, 2000);
        assert_true(platform_voice_view(s.p, v.id, &v));
        assert_int_equal(v.state, PLATFORM_VOICE_SPEAKS);
        platform_voice_stop(s.p, v.id, "enough", s.now);
        bye = next_bye();
        assert_false(has_login(&bye));
        challenge(&bye);
        bye = next_bye();
        challenge(&bye);
        bye = next_bye();
        assert_true(has_login(&bye));
        sim_run(&s, 60000);
        sim_free(&s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dialogs_of_the_last_run_get_their_bye),
        cmocka_unit_test(and_stay_stored_until_it_is_answered),
        cmocka_unit_test(over_tcp_the_bye_waits_for_the_connection),
        cmocka_unit_test(a_bye_follows_to_the_next_connection),
        cmocka_unit_test(and_that_of_the_last_run_does),
        cmocka_unit_test(a_bye_finds_its_device),
        cmocka_unit_test(a_bye_without_memory_goes_out_later),
        cmocka_unit_test(a_bye_of_the_last_run_answers_a_challenge),
        cmocka_unit_test(and_waits_until_there_is_one_to_tell),
        cmocka_unit_test(and_not_where_there_never_is_one),
        cmocka_unit_test(the_bye_of_a_voice_answers_a_challenge),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
