/* app/platform/dialogs: what may live on in a device is ended there, and nowhere
 * else. */
#include "test/sim.h"

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
    assert_true(slice_find_slice(out.bytes, SLICE("CSeq: 21 BYE")) <
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
        unsigned first;    /* BYEs to the other one */
    } table[] = {
        { "its channel is known", "sip:34020000001320000009@10.0.0.9:5060",
          true, 0 },
        { "its Contact names it", "sip:34020000001320000001@10.0.0.9:5060",
          false, 0 },
        { "nothing but the address", "sip:34020000001320000009@10.0.0.9:5060",
          false, 1 },
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dialogs_of_the_last_run_get_their_bye),
        cmocka_unit_test(and_stay_stored_until_it_is_answered),
        cmocka_unit_test(over_tcp_the_bye_waits_for_the_connection),
        cmocka_unit_test(a_bye_finds_its_device),
        cmocka_unit_test(a_bye_without_memory_goes_out_later),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
