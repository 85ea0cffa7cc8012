/* Field-notes of group 1 that no other test has: whose ids stand where in what
 * the platform sends (1.13), and heartbeats that are not what a device says of
 * them (1.17). */
#include "test/sim.h"

#include <stdio.h>

#include "sip/value.h"

static struct sim s;

static const char nvr[] = "34020000001180000001";
static const char place[] = "192.168.1.10:5060";

/* ---- 1.13 ---- */

static unsigned sent[SIP_METHOD_COUNT];

static bool is_uri(const struct sip_uri *u, const char *user, const char *at)
{
    char text[128], want[128];

    snprintf(text, sizeof(text), "%.*s@%.*s", SLICE_ARG(u->user),
             SLICE_ARG(u->host));
    snprintf(want, sizeof(want), "%s@%s", user, at);
    return !strcmp(text, want);
}

/* Whose media: a channel. Everything else is for the device. */
static bool is_of_a_call(enum sip_method m)
{
    return m == SIP_METHOD_INVITE || m == SIP_METHOD_ACK ||
           m == SIP_METHOD_BYE;
}

static void on_message(void *ctx, bool out, const struct sip_peer *peer,
                       struct slice bytes, struct gb_time now)
{
    static struct sip_msg m;
    const struct sim_device *d = &s.device[0];
    const char *target;
    struct sip_addr contact;

    (void)ctx;
    (void)now;
    if (!out)
        return;
    assert_int_equal(sip_msg_parse(&m, bytes, SIP_STREAM, NULL), 0);
    if (!m.is_request)
        return;
    sent[m.method]++;
    target = is_of_a_call(m.method) ? d->channel[0] : d->id;
    if (!is_uri(&m.from.uri, SIM_ID, SIM_REALM) ||
        !is_uri(&m.to.uri, target, SIM_REALM) ||
        !slice_eq(m.uri.host, SLICE("192.168.1.10")) ||
        m.uri.port != d->addr.port || !gb_addr_eq(&peer->remote, &d->addr))
        fail_msg("%.*s", SLICE_ARG(bytes));
    /* inside a call it is the Contact of the answer that is asked */
    if (m.method != SIP_METHOD_ACK && m.method != SIP_METHOD_BYE &&
        !slice_eq(m.uri.user, slice_str(target)))
        fail_msg("%.*s", SLICE_ARG(bytes));
    assert_true(m.from.tag.n && m.max_forwards == 70);
    if (m.method == SIP_METHOD_INVITE || m.method == SIP_METHOD_SUBSCRIBE) {
        assert_int_equal(sip_msg_contact(&m, &contact), 0);
        assert_true(is_uri(&contact.uri, SIM_ID, "192.168.1.1"));
    }
}

static void note_1_13_whose_ids_stand_where(void **state)
{
    static const enum sip_method all[] = {
        SIP_METHOD_MESSAGE, SIP_METHOD_SUBSCRIBE, SIP_METHOD_OPTIONS,
        SIP_METHOD_INVITE,  SIP_METHOD_ACK,       SIP_METHOD_BYE,
    };
    struct sim_options o = { .config = { .auto_enrol = true },
                             .on_message = on_message };
    struct platform_session v;
    struct sim_device *d;

    (void)state;
    memset(sent, 0, sizeof(sent));
    o.config.subscribe_s[PLATFORM_SUBSCRIBE_CATALOG] = 600;
    assert_true(sim_init(&s, &o));
    d = sim_add(&s, nvr, place, SIP_UDP);
    sim_channels(d, 1);
    sim_settle(&s);
    assert_int_equal(sim_play(&s, d, d->channel[0], PLATFORM_AUTO, &v), 0);
    sim_run(&s, 2000);
    platform_session_stop(s.p, v.id, s.now);
    sim_run(&s, 2000);
    d->addr.port = 5062; /* another port: asked whether it is there */
    d->to_server.local = d->addr;
    sim_keepalive(d, NULL);
    sim_run(&s, 2000);
    for (size_t i = 0; i < COUNT(all); i++)
        if (!sent[all[i]])
            fail_msg("no %.*s", SLICE_ARG(sip_method_name(all[i])));
    sim_free(&s);
}

/* ---- 1.17 ---- */

/* What a device says of its heartbeats decides nothing: they are counted as they
 * come. Neither zero nor a fast heart makes the patience shorter than that of
 * the configuration, 3 times 60 s; a slow one makes it longer, within bounds. */
static void note_1_17_hearts_are_measured(void **state)
{
    static const struct {
        const char *name, *interval, *count;
        uint32_t beat_s;     /* as it really beats */
        uint32_t alive_s, gone_s; /* after the last one */
    } cases[] = {
        { "as it says", "60", "3", 60, 180, 190 },
        { "never", "0", "0", 60, 180, 190 },
        { "nothing", "", "", 60, 180, 190 },
        { "no numbers", "-1", "often", 60, 180, 190 },
        { "more than there is", "99999999999", "4294967296", 60, 180, 190 },
        { "fast", "1", "1", 1, 180, 190 },
        { "slow", "0", "0", 150, 440, 470 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct sim_options o = { .config = { .auto_enrol = true } };
        struct sim_device *d;
        char body[600];

        assert_true(sim_init(&s, &o));
        d = sim_add(&s, nvr, place, SIP_UDP);
        d->expires_s = 86400;
        sim_settle(&s);
        snprintf(body, sizeof(body),
                 "<Response><CmdType>ConfigDownload</CmdType><SN>1</SN>"
                 "<DeviceID>%s</DeviceID><Result>OK</Result><BasicParam>"
                 "<HeartBeatInterval>%s</HeartBeatInterval>"
                 "<HeartBeatCount>%s</HeartBeatCount></BasicParam></Response>",
                 nvr, cases[i].interval, cases[i].count);
        sim_message(d, body);
        for (int k = 0; k < 5; k++) {
            sim_keepalive(d, NULL);
            sim_run(&s, cases[i].beat_s * 1000);
        }
        sim_keepalive(d, NULL);
        sim_run(&s, cases[i].alive_s * 1000);
        if (!sim_view(&s, d).online)
            fail_msg("%s: offline too soon", cases[i].name);
        sim_run(&s, (cases[i].gone_s - cases[i].alive_s) * 1000);
        if (sim_view(&s, d).online)
            fail_msg("%s: online too long", cases[i].name);
        sim_free(&s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(note_1_13_whose_ids_stand_where),
        cmocka_unit_test(note_1_17_hearts_are_measured),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
