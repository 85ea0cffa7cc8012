/* test/device_rig.h - gbcam's device and a server that takes everything, each
 * with its stack, in virtual time */
#ifndef TEST_DEVICE_RIG_H
#define TEST_DEVICE_RIG_H

#include "test/support.h"

#include "app/device/device.h"
#include "sip/value.h"

#include <stdio.h>
#include <stdlib.h>

#define SERVER "34020000002000000001"
#define CAMERA "34020000001180000001"
#define GATE "34020000001310000001"
#define YARD "34020000001310000002"
#define SESSION "5f0c3e52-9f5b-4c7e-8a43-5d9d6f6a2b10"

/* of the next start */
static uint8_t method; /* of the alarms; 0: as it is */
static struct voice_faults voice_faults;

static const struct device_channel channels[] = { { GATE, "大门" },
                                                  { YARD, "Yard" } };

static struct rig {
    struct sip_stack *field, *server;
    struct device *d;
    struct gb_time now;
    uint32_t sn;
    unsigned status; /* of the device's last answer, and its body */
    char answered[1024];
    char got[65536]; /* bodies of the device's MESSAGEs, one behind another */
    size_t n_got, n_messages;
    unsigned uploads; /* pictures that were to be */
    struct device_action voice; /* the last of its loudspeaker, and how many */
    unsigned n_voice;
    /* what the server answers an INVITE of the device, and what that was */
    const char *answer; /* NULL: 486 */
    char offer[1024], from[64], subject[96], type[32];
    unsigned n_invites;
    uint64_t dialog; /* the server's */
    char done[256];  /* orders, joined by ';' */
    struct device_action opened; /* the last OPEN */
    struct device_action paced;  /* the last PACE, and how many */
    unsigned n_paced;
} g;

static inline struct gb_addr address(uint8_t last)
{
    return (struct gb_addr){ .family = GB_IPV4, .ip = { 192, 0, 2, last },
                             .port = 5060 };
}

static inline void on_invite(const struct sip_event *ev)
{
    struct sip_response r = { .status = g.answer ? 200 : 486, .expires = -1 };

    if (g.answer) {
        r.contact = SLICE("sip:" SERVER "@192.0.2.1:5060");
        r.content_type = SLICE(SIP_TYPE_SDP);
        r.body = slice_str(g.answer);
    }
    g.n_invites++;
    g.dialog = ev->dialog;
    slice_copy(g.offer, sizeof(g.offer), ev->msg->body);
    slice_copy(g.from, sizeof(g.from), ev->msg->from.uri.user);
    slice_copy(g.subject, sizeof(g.subject),
               sip_msg_value(ev->msg, SIP_HDR_SUBJECT));
    slice_copy(g.type, sizeof(g.type),
               sip_msg_value(ev->msg, SIP_HDR_CONTENT_TYPE));
    sip_stack_respond(g.server, ev->transaction, &r, g.now.mono_ms);
}

static inline void on_server(const struct sip_event *ev)
{
    const struct sip_response ok = { .status = 200, .expires = -1 };

    if (ev->kind == SIP_EV_RESPONSE) {
        g.status = ev->status;
        slice_copy(g.answered, sizeof(g.answered), ev->msg->body);
    }
    if (ev->kind == SIP_EV_REQUEST && ev->msg->method == SIP_METHOD_INVITE) {
        on_invite(ev);
        return;
    }
    if (ev->kind != SIP_EV_REQUEST && ev->kind != SIP_EV_NOTIFY)
        return;
    sip_stack_respond(g.server, ev->transaction, &ok, g.now.mono_ms);
    if ((ev->msg->method != SIP_METHOD_MESSAGE &&
         ev->kind != SIP_EV_NOTIFY) ||
        slice_find_slice(ev->msg->body, SLICE("Keepalive")) <
            ev->msg->body.n)
        return;
    assert_true(g.n_got + ev->msg->body.n < sizeof(g.got));
    memcpy(g.got + g.n_got, ev->msg->body.p, ev->msg->body.n);
    g.n_got += ev->msg->body.n;
    g.got[g.n_got] = '\0';
    g.n_messages++;
}

static inline bool carry(struct sip_stack *from, struct sip_stack *to)
{
    struct sip_out out;
    struct sip_event ev;
    bool any = false;

    for (; sip_stack_output(from, &out); any = true) {
        struct sip_peer p = out.peer;
        char *copy = malloc(out.bytes.n);

        assert_non_null(copy);
        memcpy(copy, out.bytes.p, out.bytes.n);
        p.local = out.peer.remote;
        p.remote = out.peer.local;
        sip_stack_input(to, &p, slice_of(copy, out.bytes.n), g.now.mono_ms);
        while (sip_stack_event(to, &ev))
            if (to == g.field)
                device_sip(g.d, &ev, g.now);
            else
                on_server(&ev);
        free(copy);
    }
    return any;
}

static inline void actions(void)
{
    struct device_action a;

    while (device_action(g.d, &a)) {
        size_t n = strlen(g.done);

        if (a.kind == DEVICE_DO_OPEN)
            g.opened = a;
        if (a.kind == DEVICE_DO_PACE) {
            g.paced = a;
            g.n_paced++;
        }
        if (a.kind == DEVICE_DO_UPLOAD)
            g.uploads = a.status;
        if (a.session == DEVICE_VOICE && a.kind <= DEVICE_DO_STOP) {
            g.voice = a;
            g.n_voice++;
        }
        if (a.kind == DEVICE_DONE)
            snprintf(g.done + n, sizeof(g.done) - n, "%s%s;",
                     a.status ? "" : "!", a.text);
    }
}

/* Lets ms pass, a tenth of a second at a time. */
static inline void run(uint64_t ms)
{
    uint64_t end_ms = g.now.mono_ms + ms;

    for (;;) {
        if (device_deadline(g.d) <= g.now.mono_ms)
            device_tick(g.d, g.now);
        sip_stack_tick(g.field, g.now.mono_ms);
        sip_stack_tick(g.server, g.now.mono_ms);
        while (carry(g.field, g.server) || carry(g.server, g.field))
            ;
        actions();
        if (g.now.mono_ms >= end_ms)
            return;
        g.now.mono_ms += 100;
        g.now.utc_ms += 100;
    }
}

static inline void start(enum manscdp_edition edition, struct device_faults faults)
{
    struct sip_stack_config sc = { .alloc = &gb_alloc_heap };
    struct device_config dc = {
        .alloc = &gb_alloc_heap, .id = CAMERA, .password = "12345678",
        .name = "Cam", .manufacturer = "Acme", .model = "M1",
        .firmware = "V1", .server_id = SERVER, .realm = "3402000000",
        .channel = channels, .n_channels = COUNT(channels),
        .expires_s = 86400, .dialect = { edition, MANSCDP_UTF8 },
        .faults = faults, .timezone_min = 480, .records = 4,
        .alarm_method = method, .voice_faults = voice_faults,
    };

    memset(&g, 0, sizeof(g));
    g.now = (struct gb_time){ 1000, 1700000100000 }; /* 22:15 UTC */
    memset(sc.seed, 1, sizeof(sc.seed));
    assert_int_equal(sip_stack_new(&g.field, &sc), 0);
    memset(sc.seed, 2, sizeof(sc.seed));
    assert_int_equal(sip_stack_new(&g.server, &sc), 0);
    dc.sip = g.field;
    dc.server.local = address(2);
    dc.server.remote = address(1);
    assert_int_equal(device_new(&g.d, &dc, g.now), 0);
    run(500);
    assert_true(device_is_online(g.d));
}

/* Sends one body and lets a second pass; what came of it is in g.got. */
static inline void tell(const char *root, const char *cmd, const char *id,
                        const char *rest)
{
    struct sip_peer to = { .local = address(1), .remote = address(2) };
    char body[4096];
    struct sip_request r = { .method = SIP_METHOD_MESSAGE, .peer = to,
                             .expires = -1 };
    uint64_t transaction;

    snprintf(body, sizeof(body),
             "<%s><CmdType>%s</CmdType><SN>%u</SN><DeviceID>%s</DeviceID>%s"
             "</%s>", root, cmd, ++g.sn, id, rest, root);
    r.uri = SLICE("sip:" CAMERA "@192.0.2.2:5060");
    r.to = SLICE("sip:" CAMERA "@3402000000");
    r.from = SLICE("sip:" SERVER "@3402000000");
    r.content_type = SLICE(SIP_TYPE_MANSCDP);
    r.body = slice_str(body);
    g.n_got = g.n_messages = g.status = 0;
    g.got[0] = g.done[0] = '\0';
    assert_int_equal(sip_stack_request(g.server, &r, g.now.mono_ms,
                                       &transaction), 0);
    run(1000);
}

/* Invites GATE; its dialog. */
static inline uint64_t invite_gate(struct slice subject, const char *offer)
{
    const struct sip_request r = {
        .method = SIP_METHOD_INVITE, .expires = -1,
        .peer = { .local = address(1), .remote = address(2) },
        .uri = SLICE("sip:" GATE "@192.0.2.2:5060"),
        .to = SLICE("sip:" GATE "@3402000000"),
        .from = SLICE("sip:" SERVER "@3402000000"),
        .contact = SLICE("sip:" SERVER "@192.0.2.1:5060"),
        .subject = subject, .content_type = SLICE(SIP_TYPE_SDP),
        .body = slice_str(offer),
    };
    uint64_t dialog;

    assert_int_equal(sip_stack_invite(g.server, &r, g.now.mono_ms, &dialog), 0);
    return dialog;
}

static inline bool has(const char *part)
{
    return text_has(g.got, part);
}

static inline void stop(void)
{
    device_free(g.d);
    sip_stack_free(g.field);
    sip_stack_free(g.server);
}

#endif
