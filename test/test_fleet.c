/* Many devices over one stack: what happens in a call reaches the device that
 * has it, and nobody when that has begun anew. */
#include "test/support.h"

#include "app/device/fleet.h"
#include "sip/value.h"

#include <stdio.h>

#define SERVER "34020000002000000001"
#define DEVICES 5

static const char ids[DEVICES][DEVICE_ID_MAX + 1] = {
    "34020000001180000001", "34020000001180000002", "34020000001180000003",
    "34020000001180000004", "34020000001180000005",
};
static const struct device_channel channels[DEVICES] = {
    { "34020000001310000001", "1" }, { "34020000001310000002", "2" },
    { "34020000001310000003", "3" }, { "34020000001310000004", "4" },
    { "34020000001310000005", "5" },
};

static struct sip_stack *field, *server;
static struct fleet *fleet;
static struct gb_time now;
static unsigned sends[DEVICES], ends[DEVICES]; /* DO_START, DO_STOP */

static struct gb_addr address(uint8_t last)
{
    return (struct gb_addr){ .family = GB_IPV4, .ip = { 192, 0, 2, last },
                             .port = 5060 };
}

static void on_action(uint32_t i, const struct device_action *a)
{
    struct gb_addr local = address(2);

    if (a->kind == DEVICE_DO_OPEN)
        device_media_opened(fleet_device(fleet, i), a->session, a->life, &local,
                            now);
    sends[i] += a->kind == DEVICE_DO_START;
    ends[i] += a->kind == DEVICE_DO_STOP;
}

static void on_event(struct sip_stack *at, const struct sip_event *ev)
{
    const struct sip_response ok = { .status = 200, .expires = -1 };

    if (at == field)
        fleet_sip(fleet, field, ev, now);
    else if (ev->kind == SIP_EV_REQUEST)
        sip_stack_respond(server, ev->transaction, &ok, now.mono_ms);
}

static bool carry(struct sip_stack *from, struct sip_stack *to)
{
    static char copy[65536];
    struct sip_out out;
    struct sip_event ev;
    bool any = false;

    for (; sip_stack_output(from, &out); any = true) {
        struct sip_peer p = out.peer;

        assert_true(out.bytes.n <= sizeof(copy));
        memcpy(copy, out.bytes.p, out.bytes.n);
        p.local = out.peer.remote;
        p.remote = out.peer.local;
        sip_stack_input(to, &p, slice_of(copy, out.bytes.n), now.mono_ms);
        while (sip_stack_event(to, &ev))
            on_event(to, &ev);
    }
    return any;
}

static void run(uint64_t ms)
{
    struct device_action a;
    uint32_t i;

    for (uint64_t end_ms = now.mono_ms + ms; now.mono_ms < end_ms;
         now.mono_ms += 10) {
        fleet_tick(fleet, now);
        sip_stack_tick(field, now.mono_ms);
        sip_stack_tick(server, now.mono_ms);
        for (bool more = true; more;) {
            while (fleet_action(fleet, &i, &a))
                on_action(i, &a);
            more = carry(field, server);
            more |= carry(server, field);
        }
    }
}

static struct device_config config(uint32_t i)
{
    struct device_config c = {
        .alloc = &gb_alloc_heap, .sip = field, .id = ids[i], .password = "x",
        .name = "n", .manufacturer = "m", .model = "o", .firmware = "f",
        .server_id = SERVER, .realm = "3402000000", .channel = &channels[i],
        .n_channels = 1, .expires_s = 86400,
    };

    c.server.local = address(2);
    c.server.remote = address(1);
    return c;
}

static uint64_t invite(uint32_t i)
{
    char uri[64], to[64];
    struct sip_request r = {
        .method = SIP_METHOD_INVITE, .expires = -1,
        .peer = { .local = address(1), .remote = address(2) },
        .from = SLICE("sip:" SERVER "@3402000000"),
        .contact = SLICE("sip:" SERVER "@192.0.2.1:5060"),
        .content_type = SLICE(SIP_TYPE_SDP),
        .body = SLICE("v=0\r\no=" SERVER " 0 0 IN IP4 192.0.2.1\r\ns=Play\r\n"
                      "c=IN IP4 192.0.2.1\r\nt=0 0\r\n"
                      "m=video 6000 RTP/AVP 96\r\na=recvonly\r\n"
                      "a=rtpmap:96 PS/90000\r\ny=0100000001\r\n"),
    };
    uint64_t dialog;

    snprintf(uri, sizeof(uri), "sip:%s@192.0.2.2:5060", channels[i].id);
    snprintf(to, sizeof(to), "sip:%s@3402000000", channels[i].id);
    r.uri = slice_str(uri);
    r.to = slice_str(to);
    assert_int_equal(sip_stack_invite(server, &r, now.mono_ms, &dialog), 0);
    return dialog;
}

static void begin(void)
{
    struct sip_stack_config sc = { .alloc = &gb_alloc_heap, .seed = { 1 } };
    struct device_config c;
    uint32_t index;

    now = (struct gb_time){ 1000, 1700000000000 };
    memset(sends, 0, sizeof(sends));
    memset(ends, 0, sizeof(ends));
    assert_int_equal(sip_stack_new(&field, &sc), 0);
    sc.seed[0] = 2;
    assert_int_equal(sip_stack_new(&server, &sc), 0);
    assert_int_equal(fleet_new(&fleet, &gb_alloc_heap, DEVICES), 0);
    for (uint32_t i = 0; i < DEVICES; i++) {
        c = config(i);
        assert_int_equal(fleet_add(fleet, &c, now, &index), 0);
        assert_int_equal(index, i);
    }
    run(100);
}

static void end(void)
{
    fleet_free(fleet);
    sip_stack_free(field);
    sip_stack_free(server);
}

static void expect(const unsigned got[DEVICES], uint32_t who)
{
    for (uint32_t i = 0; i < DEVICES; i++)
        assert_int_equal(got[i], i <= who);
}

/* An ACK starts the one that was invited, a BYE ends that one, each in turn. */
static void each_has_its_own_calls(void **state)
{
    uint64_t dialog[DEVICES];

    (void)state;
    begin();
    for (uint32_t i = 0; i < DEVICES; i++) {
        dialog[i] = invite(i);
        run(200);
        expect(sends, i);
    }
    for (uint32_t i = 0; i < DEVICES; i++) {
        sip_stack_end(server, dialog[i], now.mono_ms);
        run(200);
        expect(ends, i);
    }
    end();
}

/* One that is cancelled before the edge has its socket. */
static void a_call_is_cancelled(void **state)
{
    struct device_action a;
    struct sip_event ev;
    uint64_t dialog;
    uint32_t i;

    (void)state;
    begin();
    dialog = invite(3);
    carry(server, field);
    assert_true(fleet_action(fleet, &i, &a));
    assert_int_equal(i, 3);
    assert_int_equal(a.kind, DEVICE_DO_OPEN);
    assert_true(carry(field, server)); /* 100: only then may it be cancelled */
    while (sip_stack_event(server, &ev))
        ;
    sip_stack_end(server, dialog, now.mono_ms);
    run(200);
    assert_int_equal(ends[3], 1);
    assert_int_equal(sends[3], 0);
    end();
}

/* What was said to it before is nobody's, and the others go on. */
static void it_begins_anew(void **state)
{
    uint64_t before, other, after;
    struct device_config c;

    (void)state;
    begin();
    before = invite(1);
    other = invite(2);
    run(200);
    assert_int_equal(sends[1] + sends[2], 2);
    c = config(1);
    assert_int_equal(fleet_restart(fleet, 1, &c, now), 0);
    run(200);
    after = invite(1);
    run(200);
    assert_int_equal(sends[1], 2);
    sip_stack_end(server, before, now.mono_ms);
    run(200);
    assert_int_equal(ends[1] + ends[2], 0);
    sip_stack_end(server, after, now.mono_ms);
    sip_stack_end(server, other, now.mono_ms);
    run(200);
    assert_int_equal(ends[1], 1);
    assert_int_equal(ends[2], 1);
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_has_its_own_calls),
        cmocka_unit_test(a_call_is_cancelled),
        cmocka_unit_test(it_begins_anew),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
