/* A device over TCP whose server goes away: it comes back by itself, with pauses
 * that grow and that differ from those of its neighbours. */
#include "test/support.h"

#include "app/device/fleet.h"

#define RETRY_MS 60000

static struct sip_stack *field, *server;
static struct fleet *fleet;
static struct device *d;
static struct gb_time now;
static unsigned connects, registers;
static uint64_t connected_at;
static bool up; /* the server listens */
static uint64_t connection;

static struct sip_peer server_peer(void)
{
    struct sip_peer p = { .transport = SIP_TCP };

    gb_addr_parse(&p.local, SLICE("192.168.1.64:40000"), 0);
    gb_addr_parse(&p.remote, SLICE("192.168.1.1:5060"), 0);
    return p;
}

static void serve(const struct sip_out *out)
{
    struct sip_peer from = out->peer;
    struct sip_event ev;
    struct sip_out back;

    from.local = out->peer.remote;
    from.remote = out->peer.local;
    sip_stack_input(server, &from, out->bytes, now.mono_ms);
    while (sip_stack_event(server, &ev)) {
        struct sip_response r = { .status = 200, .expires = 3600 };

        if (ev.kind != SIP_EV_REQUEST)
            continue;
        registers += ev.msg->method == SIP_METHOD_REGISTER;
        sip_stack_respond(server, ev.transaction, &r, now.mono_ms);
    }
    while (sip_stack_output(server, &back))
        sip_stack_input(field, &out->peer, guarded(back.bytes), now.mono_ms);
}

static void turn(void)
{
    struct device_action a;
    struct sip_event ev;
    struct sip_out out;

    sip_stack_tick(field, now.mono_ms);
    sip_stack_tick(server, now.mono_ms);
    if (device_deadline(d) <= now.mono_ms)
        device_tick(d, now);
    while (device_action(d, &a)) {
        struct sip_peer p = server_peer();

        if (a.kind != DEVICE_DO_CONNECT)
            continue;
        connects++;
        connected_at = now.mono_ms;
        if (up)
            device_connected(d, ++connection, &p.local, now);
        else
            device_disconnected(d, now);
    }
    while (sip_stack_output(field, &out)) {
        static char copy[65536];

        assert_true(out.bytes.n <= sizeof(copy) && out.peer.connection);
        memcpy(copy, out.bytes.p, out.bytes.n);
        out.bytes.p = copy;
        serve(&out);
        while (sip_stack_event(field, &ev))
            device_sip(d, &ev, now);
    }
}

static void run(uint64_t ms)
{
    for (uint64_t end = now.mono_ms + ms; now.mono_ms < end; now.mono_ms += 10)
        turn();
}

static void begin(uint8_t seed)
{
    struct sip_stack_config sc = { .alloc = &gb_alloc_heap, .seed = { seed } };
    struct device_config dc = {
        .alloc = &gb_alloc_heap, .id = "34020000001320000001",
        .password = "x", .server_id = "34020000002000000001",
        .realm = "3402000000", .name = "n", .manufacturer = "m", .model = "o",
        .firmware = "f", .retry_ms = RETRY_MS,
        .server = server_peer(),
    };
    uint32_t index;

    now = (struct gb_time){ .mono_ms = 1000, .utc_ms = 1700000000000 };
    connects = registers = 0;
    up = true;
    assert_int_equal(sip_stack_new(&field, &sc), 0);
    assert_int_equal(sip_stack_new(&server, &sc), 0);
    dc.sip = field;
    assert_int_equal(fleet_new(&fleet, &gb_alloc_heap, 1), 0);
    assert_int_equal(fleet_add(fleet, &dc, now, &index), 0);
    d = fleet_device(fleet, index);
}

static void end(void)
{
    fleet_free(fleet);
    sip_stack_free(field);
    sip_stack_free(server);
}

static void lose(void)
{
    up = false;
    sip_stack_closed(field, connection, now.mono_ms);
    sip_stack_closed(server, connection, now.mono_ms);
    device_disconnected(d, now);
}

static void comes_back_by_itself(void **state)
{
    (void)state;
    begin(1);
    run(100);
    assert_true(device_is_online(d));
    assert_int_equal(registers, 1);
    for (unsigned i = 0; i < 3; i++) {
        lose();
        assert_false(device_is_online(d));
        up = true;
        run(4000); /* a sixteenth of the pause is 3.75 s */
        assert_true(device_is_online(d));
        assert_int_equal(registers, 2 + i); /* on the new connection */
        assert_int_equal(connects, 2 + i);
    }
    end();
}

static void pauses_grow(void **state)
{
    uint64_t expect = RETRY_MS / 16, last;

    (void)state;
    begin(2);
    run(100);
    lose();
    last = now.mono_ms;
    for (unsigned i = 0; i < 8; i++) {
        unsigned before = connects;
        uint64_t pause;

        for (unsigned k = 0; k < 100 && connects == before; k++)
            run(1000);
        assert_int_equal(connects, before + 1);
        pause = connected_at - last;
        last = connected_at;
        assert_true(pause >= expect / 2 && pause <= expect + 20);
        expect = expect * 2 < RETRY_MS ? expect * 2 : RETRY_MS;
    }
    up = true;
    run(RETRY_MS + 1000);
    assert_true(device_is_online(d));
    lose(); /* an answer has made it forget: soon again */
    up = true;
    run(4000);
    assert_true(device_is_online(d));
    end();
}

static void neighbours_differ(void **state)
{
    enum { N = 50 };
    uint64_t first[N], slots[10] = { 0 };

    (void)state;
    for (uint8_t i = 0; i < N; i++) {
        begin((uint8_t)(i + 10));
        run(100);
        lose();
        up = true;
        first[i] = now.mono_ms;
        run(4000);
        first[i] = connected_at - first[i];
        slots[(first[i] - 1875) * 10 / 1900]++;
        end();
    }
    for (unsigned k = 0; k < 10; k++)
        assert_true(slots[k] < N / 3); /* evenly would be a tenth */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comes_back_by_itself),
        cmocka_unit_test(pauses_grow),
        cmocka_unit_test(neighbours_differ),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
