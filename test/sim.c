#include "test/sim.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/writer.h"
#include "manscdp/catalog.h"
#include "manscdp/device.h"
#include "manscdp/media.h"
#include "sdp/offer.h"
#include "manscdp/notify.h"
#include "manscdp/time.h"
#include "sdp/sdp.h"
#include "sip/digest.h"
#include "sip/value.h"

struct sim_packet {
    struct sim_packet *next;
    uint64_t at_ms, order;
    bool to_server;
    struct sip_peer peer; /* as the receiver sees it */
    size_t n;
    char bytes[];
};

/* ---- the wire ---- */

static void wire_put(struct sim *s, bool to_server, const struct sip_out *out)
{
    unsigned copies = 1 + (test_random(&s->rnd) % 100 < s->opt.copy_percent);
    bool udp = out->peer.transport == SIP_UDP;

    if (!to_server && s->opt.on_message)
        s->opt.on_message(s->opt.message_ctx, true, &out->peer, out->bytes,
                          s->now);
    for (unsigned i = 0; i < (udp ? copies : 1); i++) {
        struct sim_packet *k, **at = &s->wire;

        if (udp && test_random(&s->rnd) % 100 < s->opt.loss_percent)
            continue;
        k = calloc(1, sizeof(*k) + out->bytes.n);
        assert_non_null(k);
        k->to_server = to_server;
        k->peer = out->peer;
        k->peer.local = out->peer.remote;
        k->peer.remote = out->peer.local;
        k->at_ms = s->now.mono_ms + s->opt.delay_ms;
        if (udp && s->opt.jitter_ms)
            k->at_ms += test_random(&s->rnd) % s->opt.jitter_ms;
        k->n = out->bytes.n;
        memcpy(k->bytes, out->bytes.p, k->n);
        while (*at && (*at)->at_ms <= k->at_ms)
            at = &(*at)->next;
        k->next = *at;
        *at = k;
    }
}

static struct sim_device *by_addr(struct sim *s, const struct gb_addr *a)
{
    for (unsigned i = 0; i < s->n_devices; i++)
        if (gb_addr_eq(&s->device[i].addr, a))
            return &s->device[i];
    return NULL;
}

static bool wire_get(struct sim *s)
{
    struct sim_packet *k = s->wire;
    struct sim_device *d;
    struct slice bytes;

    if (!k || k->at_ms > s->now.mono_ms)
        return false;
    s->wire = k->next;
    bytes = guarded(slice_of(k->bytes, k->n));
    d = by_addr(s, k->to_server ? &k->peer.remote : &k->peer.local);
    if (d && k->to_server)
        d->nat_until_ms = s->now.mono_ms + d->nat_ms;
    if (d && d->deaf) {
        /* lost */
    } else if (d && d->nat_ms && s->now.mono_ms > d->nat_until_ms) {
        d->nat_drops++;
    } else if (k->to_server) {
        platform_ahead(s->p, &bytes, 1);
        if (platform_admits(s->p, &k->peer, bytes, s->now)) {
            if (s->opt.on_message)
                s->opt.on_message(s->opt.message_ctx, false, &k->peer, bytes,
                                  s->now);
            sip_stack_input(s->server, &k->peer, bytes, s->now.mono_ms);
        }
    } else if (d) {
        sip_stack_input(s->field, &k->peer, bytes, s->now.mono_ms);
    }
    free(k);
    return true;
}

/* ---- requests of a device ---- */

static void device_send(struct sim_device *d, enum sip_method method,
                        const char *from_id, struct slice body, uint64_t *t)
{
    char uri[80], from[80], contact[80];
    struct sip_extra extra[4];
    struct sip_request r = { .method = method, .expires = -1 };
    uint64_t ignored;
    char addr[GB_ADDR_TEXT_MAX];

    snprintf(uri, sizeof(uri), "sip:%s@%s", SIM_ID, SIM_REALM);
    snprintf(from, sizeof(from), "sip:%s@%s", from_id, SIM_REALM);
    snprintf(contact, sizeof(contact), "sip:%s@%s", from_id,
             d->own_addr ? d->own_addr : gb_addr_text(&d->addr, addr));
    r.peer = d->to_server;
    r.uri = slice_str(uri);
    r.from = slice_str(from);
    r.to = method == SIP_METHOD_REGISTER ? r.from : r.uri;
    r.user = (uint64_t)(d - d->sim->device) + 1;
    r.extra = extra;
    if (body.n) {
        r.content_type = SLICE("Application/MANSCDP+xml");
        r.body = body;
    }
    if (method == SIP_METHOD_REGISTER) {
        if (!d->no_contact)
            r.contact = slice_str(contact);
        r.call_id = slice_str(d->call_id);
        r.cseq = ++d->cseq;
        if (!d->no_expires)
            r.expires = d->wants_expires0 ? 0 : (int64_t)d->expires_s;
        if (d->version)
            extra[r.n_extra++] = (struct sip_extra){ SLICE("X-GB-Ver"),
                                                     slice_str(d->version) };
        if (d->date)
            extra[r.n_extra++] = (struct sip_extra){ SLICE("Date"),
                                                     slice_str(d->date) };
        if (d->authorization[0])
            extra[r.n_extra++] =
                (struct sip_extra){ SLICE("Authorization"),
                                    slice_str(d->authorization) };
    }
    sip_stack_request(d->sim->field, &r, d->sim->now.mono_ms,
                      t ? t : &ignored);
}

void sim_register(struct sim_device *d)
{
    static unsigned n;

    if (!d->call_id[0])
        snprintf(d->call_id, sizeof(d->call_id), "reg%u", ++n);
    if (!d->keep_auth)
        d->authorization[0] = '\0';
    d->wants_expires0 = d->tried_auth = false;
    device_send(d, SIP_METHOD_REGISTER, d->id, slice_of(NULL, 0),
                &d->register_transaction);
}

void sim_unregister(struct sim_device *d)
{
    d->wants_expires0 = true;
    d->tried_auth = false;
    if (!d->keep_auth)
        d->authorization[0] = '\0';
    device_send(d, SIP_METHOD_REGISTER, d->id, slice_of(NULL, 0),
                &d->register_transaction);
    d->next_keepalive_ms = GB_NEVER;
}

static void authorize(struct sim_device *d, const struct sip_msg *m)
{
    static const char uri[] = "sip:" SIM_ID "@" SIM_REALM;
    struct sip_challenge c;
    struct writer w = writer_of(d->authorization, sizeof(d->authorization) - 1);
    const struct sip_answer a = {
        .username = slice_str(d->username ? d->username : d->id),
        .password = slice_str(d->password),
        .method = SLICE("REGISTER"),
        .uri = slice_str(uri),
        .cnonce = SLICE("0a4f113b"),
        .nc = 1,
    };

    assert_int_equal(
        sip_challenge_parse(&c, sip_msg_value(m, SIP_HDR_WWW_AUTHENTICATE)),
        0);
    assert_int_equal(sip_answer_write(&w, &c, &a), 0);
    d->authorization[w.len] = '\0';
    if (d->twist)
        d->twist(d->authorization);
}

static void on_register_answer(struct sim_device *d, const struct sip_event *ev)
{
    size_t n = ev->msg ? ev->msg->bytes.n : 0;

    d->last_status = ev->status;
    if (n >= sizeof(d->last_extra))
        n = sizeof(d->last_extra) - 1;
    if (n)
        memcpy(d->last_extra, ev->msg->bytes.p, n);
    d->last_extra[n] = '\0';
    if (ev->status == 401 && ev->msg) {
        struct sip_challenge c;
        bool stale =
            !sip_challenge_parse(
                &c, sip_msg_value(ev->msg, SIP_HDR_WWW_AUTHENTICATE)) &&
            c.stale;

        d->challenged++;
        d->stale += stale;
        if (d->tried_auth && !stale)
            return;
        authorize(d, ev->msg);
        d->tried_auth = true;
        device_send(d, SIP_METHOD_REGISTER, d->id, slice_of(NULL, 0),
                    &d->register_transaction);
    } else if (ev->status == 200) {
        d->registered++;
        if (!d->wants_expires0 && d->keepalive_ms)
            d->next_keepalive_ms = d->sim->now.mono_ms + d->keepalive_ms;
    } else {
        d->refused++;
    }
}

void sim_request(struct sim_device *d, enum sip_method method,
                 const char *from_id, const char *body)
{
    device_send(d, method, from_id, slice_str(body), NULL);
}

void sim_message(struct sim_device *d, const char *body)
{
    sim_request(d, SIP_METHOD_MESSAGE, d->id, body);
}

void sim_keepalive(struct sim_device *d, const char *device_id)
{
    char body[512];
    struct writer w = writer_of(body, sizeof(body));
    const struct manscdp_dialect dialect = { 0 };
    const struct manscdp_keepalive k = {
        .sn = ++d->sn,
        .device_id = slice_str(device_id ? device_id : d->id),
        .status = MANSCDP_LIFE_OK,
    };

    assert_int_equal(manscdp_keepalive_encode(&w, &dialect, &k), 0);
    device_send(d, SIP_METHOD_MESSAGE, d->id, writer_slice(&w), NULL);
}

/* ---- answers of a device ---- */

static void send_catalog(struct sim_device *d, uint32_t sn, unsigned from,
                         unsigned to)
{
    struct manscdp_item item[8] = { 0 };
    char name[8][24], body[8192];
    const struct manscdp_dialect dialect = { MANSCDP_2016, MANSCDP_GB2312 };
    struct manscdp_catalog c = {
        .sn = sn,
        .device_id = slice_str(d->id),
        .has_sum_num = true,
        .sum_num = d->catalog_sum ? d->catalog_sum : d->n_channels,
    };
    struct writer w = writer_of(body, sizeof(body));
    size_t n = 0;

    for (unsigned i = from; i < to; i++, n++) {
        snprintf(name[n], sizeof(name[n]), "Camera %u", i);
        item[n].id = slice_str(d->channel[i]);
        item[n].name = slice_str(name[n]);
        item[n].manufacturer = SLICE("Acme");
        item[n].model = SLICE("C1");
        item[n].parent_id = slice_str(d->id);
        item[n].status = SLICE("ON");
    }
    assert_int_equal(manscdp_catalog_encode(&w, &dialect, &c, item, n), 0);
    device_send(d, SIP_METHOD_MESSAGE, d->id, writer_slice(&w), NULL);
}

static void answer_catalog(struct sim_device *d, uint32_t sn)
{
    unsigned n = d->n_channels - d->catalog_drop;

    d->catalogs++;
    if (d->catalog_mute)
        return;
    if (d->n_channels == 0)
        send_catalog(d, sn, 0, 0);
    for (unsigned i = 0; i < n; i++) {
        unsigned k = d->catalog_reversed ? n - 1 - i : i;

        send_catalog(d, sn, k, k + 1);
        if (d->catalog_twice)
            send_catalog(d, sn, k, k + 1);
    }
}

static void answer_info(struct sim_device *d, uint32_t sn)
{
    char body[1024];
    struct writer w = writer_of(body, sizeof(body));
    const struct manscdp_dialect dialect = { MANSCDP_2016, MANSCDP_GB2312 };
    const struct manscdp_device_info i = {
        .sn = sn,
        .device_id = slice_str(d->id),
        .result = MANSCDP_OK,
        .device_name = SLICE("Recorder"),
        .manufacturer = SLICE("Acme"),
        .model = SLICE("R8"),
        .firmware = SLICE("V1"),
    };

    d->infos++;
    if (d->info_mute)
        return;
    assert_int_equal(manscdp_device_info_encode(&w, &dialect, &i), 0);
    device_send(d, SIP_METHOD_MESSAGE, d->id, writer_slice(&w), NULL);
}

/* "key>2023-11-15T06:13:20<" */
static int64_t time_in(const char *body, const char *key)
{
    const char *at = strstr(body, key);
    int64_t utc_ms = 0;

    assert_non_null(at);
    at = strchr(at, '>') + 1;
    assert_true(manscdp_time_parse(slice_of(at, 19), 480, &utc_ms));
    return utc_ms / 1000;
}

static void send_records(struct sim_device *d, uint32_t sn, uint32_t sum,
                         const unsigned *which, unsigned n)
{
    char body[2048], start[32], end[32];
    struct writer w = writer_of(body, sizeof(body));

    writer_f(&w, "<?xml version=\"1.0\"?>\r\n<Response>\r\n"
                 "<CmdType>RecordInfo</CmdType>\r\n<SN>%u</SN>\r\n"
                 "<DeviceID>%s</DeviceID>\r\n<SumNum>%u</SumNum>\r\n",
             sn, d->channel[0], sum);
    if (n)
        writer_f(&w, "<RecordList Num=\"%u\">\r\n", n);
    for (unsigned i = 0; i < n; i++) {
        struct writer a = writer_of(start, 31), b = writer_of(end, 31);

        manscdp_time_write(&a, (int64_t)d->record[which[i]].from_s * 1000, 480);
        manscdp_time_write(&b, (int64_t)d->record[which[i]].to_s * 1000, 480);
        writer_f(&w, "<Item><DeviceID>%s</DeviceID><Name>n</Name>"
                     "<StartTime>%.*s</StartTime><EndTime>%.*s</EndTime>"
                     "<Secrecy>0</Secrecy><Type>time</Type></Item>\r\n",
                 d->channel[0], (int)a.len, start, (int)b.len, end);
    }
    if (n)
        writer_str(&w, "</RecordList>\r\n");
    writer_str(&w, "</Response>\r\n");
    assert_int_equal(w.err, 0);
    device_send(d, SIP_METHOD_MESSAGE, d->id, writer_slice(&w), NULL);
}

/* Four of them a message. */
static void answer_records(struct sim_device *d, uint32_t sn)
{
    unsigned which[SIM_MAX_RECORDS], n = 0, left;
    int64_t from, to;

    if (!d->has_store && !d->n_records)
        return;
    from = time_in(d->last_body, "<StartTime");
    to = time_in(d->last_body, "<EndTime");
    if (!d->record_queries++)
        snprintf(d->first_record_body, sizeof(d->first_record_body), "%s",
                 d->last_body);
    if (d->record_mute)
        return;
    for (unsigned i = 0; i < d->n_records; i++)
        if ((int64_t)d->record[i].from_s < to &&
            (int64_t)d->record[i].to_s > from)
            which[n++] = i;
    if (d->record_limit && n > d->record_limit)
        n = d->record_limit;
    left = n;
    if (d->record_hours_max && n && to - from > d->record_hours_max * 3600)
        left--;
    if (!n)
        send_records(d, sn, 0, which, 0);
    for (unsigned i = 0; i < left; i += 4)
        send_records(d, sn, n, which + i, left - i < 4 ? left - i : 4);
}

static void answer_status(struct sim_device *d, uint32_t sn)
{
    char body[1024], now[32];
    struct writer w = writer_of(body, sizeof(body)), t = writer_of(now, 31);

    d->status_queries++;
    if (!d->tells_time)
        return;
    manscdp_time_write(&t, d->sim->now.utc_ms + d->clock_off_ms, 480);
    writer_f(&w, "<?xml version=\"1.0\"?>\r\n<Response>\r\n"
                 "<CmdType>DeviceStatus</CmdType>\r\n<SN>%u</SN>\r\n"
                 "<DeviceID>%s</DeviceID>\r\n<Result>OK</Result>\r\n"
                 "<Online>ONLINE</Online>\r\n<Status>OK</Status>\r\n"
                 "<DeviceTime>%.*s</DeviceTime>\r\n</Response>\r\n",
             sn, d->id, (int)t.len, now);
    device_send(d, SIP_METHOD_MESSAGE, d->id, writer_slice(&w), NULL);
}

void sim_broadcast_response(struct sim_device *d, const char *result)
{
    char body[400];

    snprintf(body, sizeof(body),
             "<?xml version=\"1.0\"?><Response><CmdType>Broadcast</CmdType>"
             "<SN>%u</SN><DeviceID>%s</DeviceID><Result>%s</Result></Response>",
             (unsigned)d->broadcast_sn, d->broadcast_target, result);
    sim_message(d, body);
}

static void on_device_broadcast(struct sim_device *d,
                                const struct manscdp_msg *m)
{
    struct manscdp_broadcast b;

    assert_int_equal(manscdp_broadcast_decode(&b, m), 0);
    expect_slice(b.source_id, SIM_ID);
    slice_copy(d->broadcast_target, sizeof(d->broadcast_target), b.target_id);
    d->broadcast_sn = m->sn;
    d->broadcasts++;
    if (d->broadcast_result)
        sim_broadcast_response(d, d->broadcast_result);
}

static void respond(struct sim *s, const struct sip_event *ev, unsigned status)
{
    const struct sip_response r = { .status = status, .expires = -1 };

    sip_stack_respond(s->field, ev->transaction, &r, s->now.mono_ms);
}

static void on_device_message(struct sim_device *d, const struct sip_event *ev)
{
    static char memory[65536];
    struct arena a = arena_of(memory, sizeof(memory));
    struct manscdp_msg m;

    d->messages++;
    snprintf(d->last_body, sizeof(d->last_body), "%.*s",
             SLICE_ARG(ev->msg->body));
    d->key_orders[0] += text_has(d->last_body, "<IFameCmd>Send</IFameCmd>");
    d->key_orders[1] += text_has(d->last_body, "<IFrameCmd>Send</IFrameCmd>");
    if (d->query_refused) {
        respond(d->sim, ev, 404);
        return;
    }
    respond(d->sim, ev, 200);
    if (manscdp_msg_parse(&m, &a, ev->msg->body, NULL, NULL))
        fail_msg("platform sent: %s", d->last_body);
    if (m.root == MANSCDP_QUERY && m.cmd == MANSCDP_CMD_CATALOG)
        answer_catalog(d, m.sn);
    else if (m.root == MANSCDP_QUERY && m.cmd == MANSCDP_CMD_RECORD_INFO)
        answer_records(d, m.sn);
    else if (m.root == MANSCDP_QUERY && m.cmd == MANSCDP_CMD_DEVICE_STATUS)
        answer_status(d, m.sn);
    else if (m.root == MANSCDP_QUERY && m.cmd == MANSCDP_CMD_DEVICE_INFO)
        answer_info(d, m.sn);
    else if (m.root == MANSCDP_RESPONSE && m.cmd == MANSCDP_CMD_ALARM)
        d->alarm_responses++;
    else if (m.root == MANSCDP_NOTIFY && m.cmd == MANSCDP_CMD_BROADCAST)
        on_device_broadcast(d, &m);
}

/* ---- voice ---- */

void sim_call(struct sim_device *d, const char *from, const char *to,
              const char *subject, const char *sdp)
{
    char uri[80], from_uri[80], contact[80], addr[GB_ADDR_TEXT_MAX];
    struct sip_request r = { .method = SIP_METHOD_INVITE, .expires = -1,
                             .peer = d->to_server };

    snprintf(uri, sizeof(uri), "sip:%s@%s", to, SIM_REALM);
    snprintf(from_uri, sizeof(from_uri), "sip:%s@%s", from, SIM_REALM);
    snprintf(contact, sizeof(contact), "sip:%s@%s", from,
             gb_addr_text(&d->addr, addr));
    r.uri = r.to = slice_str(uri);
    r.from = slice_str(from_uri);
    r.contact = slice_str(contact);
    r.subject = slice_str(subject ? subject : "");
    r.content_type = SLICE("application/sdp");
    r.body = slice_str(sdp);
    r.user = (uint64_t)(d - d->sim->device) + 1;
    d->call_status = 0;
    assert_int_equal(sip_stack_invite(d->sim->field, &r, d->sim->now.mono_ms,
                                      &d->call), 0);
}

void sim_call_ends(struct sim_device *d)
{
    sip_stack_end(d->sim->field, d->call, d->sim->now.mono_ms);
    d->call = 0;
}

static void on_call_answer(struct sim_device *d, const struct sip_event *ev)
{
    if (ev->kind == SIP_EV_RESPONSE && ev->status < 200)
        return;
    d->call_status = ev->status;
    if (ev->status >= 300)
        d->call = 0;
    else
        snprintf(d->call_sdp, sizeof(d->call_sdp), "%.*s",
                 SLICE_ARG(ev->msg->body));
}

static void accept_talk(struct sim_device *d, const struct sip_event *ev,
                        const struct sdp *offer)
{
    const struct sdp_media *m = sdp_find_media(offer, SDP_AUDIO);
    struct sdp_answer a = { .owner = slice_str(d->id), .addr = d->addr,
                            .pt = 8, .format = SDP_F_AUDIO };
    struct sip_response r = { .status = 200, .expires = -1 };
    char sdp[1024], contact[80], addr[GB_ADDR_TEXT_MAX];
    struct writer w = writer_of(sdp, sizeof(sdp));

    assert_non_null(m);
    assert_true(sdp_ssrc(offer, m, &a.ssrc));
    a.addr.port = 9712;
    d->media_port = m->port;
    d->media_tcp = m->proto == SDP_TCP_RTP_AVP;
    sdp_answer_write(&w, offer, m, &a);
    assert_int_equal(w.err, 0);
    snprintf(contact, sizeof(contact), "sip:%s@%s", d->id,
             gb_addr_text(&d->addr, addr));
    r.contact = slice_str(contact);
    r.content_type = SLICE("application/sdp");
    r.body = d->talk_answer ? slice_str(d->talk_answer) : writer_slice(&w);
    assert_int_equal(sip_stack_respond(d->sim->field, ev->transaction, &r,
                                       d->sim->now.mono_ms), 0);
    d->dialog = ev->dialog;
}

static void accept_invite(struct sim_device *d, const struct sip_event *ev)
{
    char sdp[1024], contact[80], addr[GB_ADDR_TEXT_MAX], ip[64];
    struct writer iw = writer_of(ip, sizeof(ip) - 1);
    struct sdp offer;
    const struct sdp_media *m;
    struct sip_response r = { .status = 200, .expires = -1 };
    int n;
    bool tcp, plain = d->invite == SIM_PLAIN_AVP;
    const char *family = d->addr.family == GB_IPV6 ? "IP6" : "IP4";
    uint32_t y = 0;

    assert_int_equal(sdp_parse(&offer, ev->msg->body, NULL), 0);
    if (offer.operation == SDP_TALK) {
        accept_talk(d, ev, &offer);
        return;
    }
    m = sdp_find_media(&offer, SDP_VIDEO);
    assert_non_null(m);
    assert_true(sdp_ssrc(&offer, m, &y));
    tcp = m->proto == SDP_TCP_RTP_AVP && !plain;
    d->media_port = m->port;
    d->media_tcp = m->proto == SDP_TCP_RTP_AVP;
    if (d->sdp_ip)
        writer_str(&iw, d->sdp_ip);
    else
        gb_addr_write_ip(&iw, &d->addr);
    ip[iw.len] = '\0';
    n = snprintf(sdp, sizeof(sdp),
                 "v=0\r\no=%s 0 0 IN %s %s\r\ns=Play\r\nc=IN %s %s\r\n"
                 "t=0 0\r\nm=video %u %sRTP/AVP 96\r\na=sendonly\r\n"
                 "a=rtpmap:96 PS/90000\r\n%s",
                 d->id, family, ip, family, ip, d->invite == SIM_PORT_ZERO ? 0 : 15060,
                 tcp ? "TCP/" : "",
                 !tcp                      ? ""
                 : m->setup == SDP_PASSIVE ? "a=setup:active\r\n"
                                             "a=connection:new\r\n"
                                           : "a=setup:passive\r\n"
                                             "a=connection:new\r\n");
    if (d->invite == SIM_OTHER_Y)
        y = 60205514;
    if (d->invite != SIM_NO_Y)
        n += snprintf(sdp + n, sizeof(sdp) - (size_t)n, "y=%010u\r\n", y);
    snprintf(contact, sizeof(contact), "sip:%s@%s", d->id,
             gb_addr_text(&d->addr, addr));
    r.contact = slice_str(contact);
    if (d->invite != SIM_NO_SDP) {
        r.content_type = SLICE("application/sdp");
        r.body = slice_of(sdp, (size_t)n);
    }
    d->dialog = ev->dialog;
    sip_stack_respond(d->sim->field, ev->transaction, &r, d->sim->now.mono_ms);
}

static void on_device_invite(struct sim_device *d, const struct sip_event *ev)
{
    d->invites++;
    snprintf(d->last_sdp, sizeof(d->last_sdp), "%.*s",
             SLICE_ARG(ev->msg->body));
    snprintf(d->last_uri, sizeof(d->last_uri), "%.*s",
             SLICE_ARG(ev->msg->uri.text));
    snprintf(d->last_subject, sizeof(d->last_subject), "%.*s",
             SLICE_ARG(sip_msg_value(ev->msg, SIP_HDR_SUBJECT)));
    d->invite_transaction = ev->transaction;
    switch (d->invite) {
    case SIM_REFUSE:
        if (d->refuse_times) {
            d->refuse_times--;
            respond(d->sim, ev, d->refuse_status);
            return;
        }
        break;
    case SIM_SILENT:
        return;
    case SIM_RING:
        respond(d->sim, ev, 100);
        return;
    case SIM_ANSWER:
    case SIM_PORT_ZERO:
    case SIM_NO_SDP:
    case SIM_NO_Y:
    case SIM_OTHER_Y:
    case SIM_PLAIN_AVP:
        break;
    }
    accept_invite(d, ev);
}

/* ---- the media edge ---- */

struct sim_stream *sim_stream_of(struct sim *s, uint64_t session)
{
    for (unsigned i = 0; i < SIM_MAX_STREAMS; i++)
        if (s->stream[i].session == session)
            return &s->stream[i];
    return NULL;
}

void sim_media(struct sim *s, struct sim_stream *st,
               enum platform_media_kind kind)
{
    struct platform_media_event ev = {
        .kind = kind,
        .session = st->session,
        .packets = st->packets,
        .bytes = st->packets * 1400,
        .keys = st->keys,
        .ssrc = st->ssrc + (st->source && st->source->foreign_ssrc),
        .video = st->source && st->source->sound_only ? PS_CODEC_UNKNOWN
                                                      : PS_CODEC_H264,
        .audio = PS_CODEC_G711A,
        .width = 1920,
        .height = 1080,
        .position_ms = st->position_ms,
    };

    if (st->source)
        ev.from = st->source->addr;
    if (st->source && st->source->media_ip)
        gb_addr_parse_ip(&ev.from, slice_str(st->source->media_ip));
    if (kind == PLATFORM_MEDIA_ALIVE && st->source) {
        ev.text = st->source->note;
        if (st->source->media >= SIM_NO_PROGRAM)
            ev.audio = PS_CODEC_UNKNOWN;
    }
    if (kind == PLATFORM_MEDIA_REFUSED) {
        ev.err = GB_EIO;
        ev.text = "address already in use";
    }
    platform_media(s->p, &ev, s->now);
}

static void on_order(struct sim *s, const struct platform_action *a)
{
    struct sim_stream *st = sim_stream_of(s, a->session);

    switch (a->kind) {
    case PLATFORM_DO_OPEN:
        assert_null(st);
        assert_true(a->port && (a->port & 1) == 0);
        for (unsigned i = 0; i < SIM_MAX_STREAMS; i++)
            if (s->stream[i].session && s->stream[i].port == a->port &&
                !(a->shared && s->stream[i].shared))
                fail_msg("port %u is open twice", a->port);
        st = sim_stream_of(s, 0);
        assert_non_null(st);
        *st = (struct sim_stream){ .session = a->session,
                                   .port = a->port,
                                   .shared = a->shared,
                                   .transport = a->transport,
                                   .ssrc = a->ssrc,
                                   .history_ms = a->history_ms,
                                   .next_ms = GB_NEVER };
        if (s->opt.refuse_ports) {
            sim_media(s, st, PLATFORM_MEDIA_REFUSED);
            st->session = 0;
            return;
        }
        s->open_streams++;
        sim_media(s, st, PLATFORM_MEDIA_OPENED);
        break;
    case PLATFORM_DO_ANSWER:
        assert_non_null(st);
        st->ssrc = a->ssrc;
        st->answer = a->remote;
        st->transport = a->transport;
        if (a->transport == PLATFORM_TCP_ACTIVE)
            assert_true(a->remote.family && a->remote.port);
        break;
    case PLATFORM_DO_SPEAK:
        assert_non_null(st);
        if (!a->speak.waits) {
            st->speaks = true;
            st->voice = a->speak.voice;
        }
        break;
    case PLATFORM_DO_PACE:
        assert_non_null(st);
        st->scale_milli = a->scale_milli;
        st->seek_ms = a->position_ms;
        break;
    case PLATFORM_DO_CLOSE:
        assert_non_null(st);
        s->closes++;
        s->open_streams--;
        if (!s->opt.lose_closed)
            sim_media(s, st, PLATFORM_MEDIA_CLOSED);
        st->session = 0;
        break;
    default:
        break;
    }
}

/* ---- files of downloads ---- */

struct sim_file *sim_file_of(struct sim *s, uint64_t download)
{
    for (unsigned i = 0; i < SIM_MAX_FILES; i++)
        if (s->file[i].download == download)
            return &s->file[i];
    return NULL;
}

static void file_report(struct sim *s, struct sim_file *f, bool over)
{
    struct platform_download_saved r = { .id = f->download,
                                         .session = f->session,
                                         .mark = f->mark, .over = over,
                                         .err = s->file_err };

    if (over)
        f->session = 0;
    platform_download_saved(s->p, &r, s->now);
}

/* What the session has brought is in the file. */
static void file_grow(struct sim *s, const struct sim_stream *st, int64_t ms)
{
    for (unsigned i = 0; i < SIM_MAX_FILES; i++) {
        struct sim_file *f = &s->file[i];
        struct platform_session v;

        if (!f->download || f->session != st->session)
            continue;
        assert_true(platform_session_view(s->p, f->session, &v));
        f->mark.at_utc_ms = (int64_t)v.playback.start_s * 1000 +
                            st->position_ms;
        f->mark.bytes += (uint64_t)ms;
        file_report(s, f, false);
    }
}

static void on_file_order(struct sim *s, const struct platform_action *a)
{
    struct sim_file *f = sim_file_of(s, a->download);

    if (!f)
        f = sim_file_of(s, 0);
    assert_non_null(f);
    assert_true(f->session == 0); /* at rest */
    f->download = a->download;
    if (a->kind == PLATFORM_DO_SAVE) {
        f->session = a->session;
        f->begun = f->mark;
        return;
    }
    f->published = !(a->flags & PLATFORM_FILE_REMOVE);
    s->files_removed += !f->published;
    platform_download_filed(s->p, a->download, f->mark.bytes, 0, NULL, s->now);
    if (!f->published)
        *f = (struct sim_file){ .download = 0 };
}

/* The loop has been told that the session is gone. */
static void files_leave(struct sim *s, uint64_t session)
{
    for (unsigned i = 0; i < SIM_MAX_FILES; i++)
        if (s->file[i].download && s->file[i].session == session)
            file_report(s, &s->file[i], true);
}

static const enum platform_media_kind media_script[] = {
    PLATFORM_MEDIA_CONNECTED, PLATFORM_MEDIA_PACKET, PLATFORM_MEDIA_PROGRAM,
    PLATFORM_MEDIA_CODEC,     PLATFORM_MEDIA_KEY,
};

/* The device has its ACK: packets go to the port it was told. */
static void media_begins(struct sim *s, struct sim_device *d)
{
    bool tcp = d->media_tcp;

    for (unsigned i = 0; i < SIM_MAX_STREAMS; i++) {
        struct sim_stream *st = &s->stream[i];

        if (!st->session || st->port != d->media_port)
            continue;
        if (d->media == SIM_NOTHING || (d->media == SIM_TCP_ONLY && !tcp) ||
            (d->media == SIM_UDP_ONLY && tcp))
            return;
        st->source = d;
        /* the edge tells the first packet and key frame of a port once */
        st->at = st->said_key ? COUNT(media_script) : 0;
        st->next_ms = s->now.mono_ms + 20;
    }
}

/* The dialog that sim_device keeps is that of its last INVITE. */
static bool is_of_its_dialog(struct sim *s, const struct sim_stream *st)
{
    for (unsigned i = 0; i < SIM_MAX_STREAMS; i++)
        if (s->stream[i].session && s->stream[i].source == st->source &&
            &s->stream[i] != st)
            return false;
    return st->port == st->source->media_port;
}

static void recording_step(struct sim *s, struct sim_stream *st)
{
    static const char status[] =
        "<?xml version=\"1.0\"?>\r\n<Notify>\r\n"
        "<CmdType>MediaStatus</CmdType>\r\n<SN>7</SN>\r\n"
        "<DeviceID>%s</DeviceID>\r\n<NotifyType>121</NotifyType>\r\n"
        "</Notify>\r\n";
    struct sim_device *d = st->source;
    int64_t step = 1000 * (int64_t)d->send_rate;
    char body[400];

    if (st->position_ms + step > st->history_ms)
        step = st->history_ms - st->position_ms;
    st->position_ms += step;
    file_grow(s, st, step);
    if (d->break_times && st->position_ms >= d->break_after_ms) {
        d->break_times--;
        st->next_ms = GB_NEVER; /* and never again a packet */
    } else if (st->position_ms == st->history_ms && !d->no_media_status) {
        st->next_ms = GB_NEVER;
        snprintf(body, sizeof(body), status, d->channel[0]);
        if (is_of_its_dialog(s, st))
            sim_message_in(d, body);
        else /* its dialog is not the last one */
            sim_message(d, body);
    } else if (st->position_ms == st->history_ms) {
        st->next_ms = GB_NEVER;
    }
}

static void media_step(struct sim *s, struct sim_stream *st)
{
    static const unsigned stops[] = {
        [SIM_CONNECT_ONLY] = 1, [SIM_NO_PROGRAM] = 2, [SIM_NO_CODEC] = 3,
        [SIM_NO_KEY] = 4,
    };
    enum sim_media m = st->source->media;
    unsigned stop = m >= SIM_CONNECT_ONLY ? stops[m] : 0;

    if (st->source->sound_only)
        stop = 3; /* codec is told of video alone */

    st->next_ms = s->now.mono_ms + 20;
    if (st->at == 0 && !st->source->media_tcp)
        st->at = 1; /* nothing to connect */
    if (stop && st->at >= stop) {
        st->next_ms = s->now.mono_ms + 1000;
        if (m != SIM_CONNECT_ONLY) {
            st->packets += 10;
            sim_media(s, st, PLATFORM_MEDIA_ALIVE);
        } else {
            st->next_ms = GB_NEVER;
        }
        return;
    }
    if (st->at < COUNT(media_script)) {
        st->packets += st->at > 0;
        st->said_key |= media_script[st->at] == PLATFORM_MEDIA_KEY;
        sim_media(s, st, media_script[st->at++]);
        return;
    }
    st->packets += 10;
    st->next_ms = s->now.mono_ms + 1000;
    if (st->source->send_rate && st->history_ms > 0)
        recording_step(s, st);
    sim_media(s, st, PLATFORM_MEDIA_ALIVE);
}

/* ---- events ---- */

void sim_notify(struct sim_device *d, const struct sip_notify *n)
{
    struct sip_notify with_type = *n;

    if (n->body.n)
        with_type.content_type = SLICE("Application/MANSCDP+xml");
    assert_int_equal(sip_stack_notify(d->sim->field, d->subscription,
                                      &with_type, d->sim->now.mono_ms), 0);
}

static void refuse_subscribe(struct sim_device *d, const struct sip_event *ev)
{
    char min[16], after[16];
    struct sip_extra extra[2];
    struct sip_response r = { .status = d->subscribe_status, .expires = -1,
                              .extra = extra };

    snprintf(min, sizeof(min), "%u", d->subscribe_min_s);
    snprintf(after, sizeof(after), "%u", d->subscribe_after_s);
    if (d->subscribe_min_s)
        extra[r.n_extra++] =
            (struct sip_extra){ SLICE("Min-Expires"), slice_str(min) };
    if (d->subscribe_after_s)
        extra[r.n_extra++] =
            (struct sip_extra){ SLICE("Retry-After"), slice_str(after) };
    sip_stack_respond(d->sim->field, ev->transaction, &r,
                      d->sim->now.mono_ms);
}

static void on_device_subscribe(struct sim_device *d,
                                const struct sip_event *ev)
{
    struct sip_notify n = { .state = SIP_SUB_ACTIVE };
    struct sip_response r = { .status = 200,
                              .contact = SLICE("sip:dev@192.0.2.2") };
    uint64_t sub = 0;

    d->last_expires = sip_msg_expires(ev->msg, NULL);
    d->subscribes++;
    d->unsubscribes += d->last_expires == 0;
    d->subscribed_ms = d->sim->now.mono_ms;
    slice_copy(d->last_event, sizeof(d->last_event),
               sip_msg_value(ev->msg, SIP_HDR_EVENT));
    snprintf(d->last_body, sizeof(d->last_body), "%.*s",
             SLICE_ARG(ev->msg->body));
    if (d->subscribe_silent)
        return;
    if (d->subscribe_status) {
        refuse_subscribe(d, ev);
        return;
    }
    r.expires = d->subscribe_grants_s ? d->subscribe_grants_s : 1000000;
    assert_int_equal(sip_stack_accept(d->sim->field, ev->transaction, &r, 0,
                                      d->sim->now.mono_ms, &sub), 0);
    if (!sub)
        return;
    d->subscription = sub;
    if (!d->subscribe_mute)
        sim_notify(d, &n);
}

static void on_device_control(struct sim_device *d, const struct sip_event *ev)
{
    struct sip_response r = { .status = 200, .expires = -1 };

    d->controls++;
    snprintf(d->last_control, sizeof(d->last_control), "%.*s",
             SLICE_ARG(ev->msg->body));
    if (d->control_silent)
        return;
    if (d->control_status) {
        r.status = d->control_status;
        if (d->control_times && --d->control_times == 0)
            d->control_status = 0;
    } else if (d->control_answer) {
        r.content_type = SLICE("Application/MANSRTSP");
        r.body = slice_str(d->control_answer);
    }
    assert_int_equal(sip_stack_respond(d->sim->field, ev->transaction, &r,
                                       d->sim->now.mono_ms), 0);
}

static void on_field_event(struct sim *s, const struct sip_event *ev)
{
    struct sim_device *d = by_addr(s, &ev->peer.local);

    if (ev->kind == SIP_EV_RESPONSE || ev->kind == SIP_EV_FAILED) {
        if (!ev->user || ev->user > s->n_devices)
            return;
        d = &s->device[ev->user - 1];
        if (ev->transaction == d->register_transaction) {
            if (ev->kind == SIP_EV_RESPONSE)
                on_register_answer(d, ev);
            return;
        }
        if (ev->dialog && ev->dialog == d->call) {
            on_call_answer(d, ev);
            return;
        }
        d->last_status = ev->status;
        if (ev->status == 200)
            d->keepalive_ok++;
        else if (ev->status >= 300)
            d->keepalive_refused++;
        return;
    }
    if (!d)
        return;
    switch (ev->kind) {
    case SIP_EV_REQUEST:
        if (ev->msg->method == SIP_METHOD_MESSAGE)
            on_device_message(d, ev);
        else if (ev->msg->method == SIP_METHOD_INVITE)
            on_device_invite(d, ev);
        else if (ev->msg->method == SIP_METHOD_SUBSCRIBE)
            on_device_subscribe(d, ev);
        else if (ev->msg->method == SIP_METHOD_INFO)
            on_device_control(d, ev);
        else {
            d->options++;
            respond(s, ev, 200);
        }
        break;
    case SIP_EV_ACKED:
        media_begins(s, d);
        break;
    case SIP_EV_CANCELLED:
        d->cancels++;
        break;
    case SIP_EV_ENDED:
        if (ev->dialog == d->call) {
            d->call_ends++;
            d->call = 0;
            break;
        }
        d->byes++;
        for (unsigned i = 0; i < SIM_MAX_STREAMS; i++)
            if (s->stream[i].source == d &&
                s->stream[i].port == d->media_port)
                s->stream[i].next_ms = GB_NEVER;
        break;
    default:
        break;
    }
}

static void keep_session(struct sim *s, uint64_t id)
{
    struct platform_session v;

    assert_true(platform_session_view(s->p, id, &v));
    snprintf(s->last_evidence, sizeof(s->last_evidence), "%.*s",
             SLICE_ARG(v.evidence));
    snprintf(s->last_hint, sizeof(s->last_hint), "%.*s", SLICE_ARG(v.hint));
    s->last = v;
    s->last.device = s->last.channel = s->last.call_id = slice_of("", 0);
    s->last.evidence = slice_str(s->last_evidence);
    s->last.hint = slice_str(s->last_hint);
}

static void on_action(struct sim *s, const struct platform_action *a)
{
    s->actions[a->kind]++;
    switch (a->kind) {
    case PLATFORM_DO_OPEN:
    case PLATFORM_DO_ANSWER:
    case PLATFORM_DO_PACE:
    case PLATFORM_DO_SPEAK:
    case PLATFORM_DO_CLOSE:
        on_order(s, a);
        break;
    case PLATFORM_DO_DISCONNECT:
        assert_true(a->connection != 0);
        s->disconnected = a->connection;
        sip_stack_closed(s->server, a->connection, s->now.mono_ms);
        platform_closed(s->p, a->connection, s->now);
        break;
    case PLATFORM_DEVICE_CHANGED:
        s->device_flags |= a->flags;
        break;
    case PLATFORM_CATALOG_DONE:
        s->partial += (a->flags & PLATFORM_CATALOG_PARTIAL) != 0;
        break;
    case PLATFORM_SESSION_CHANGED:
    case PLATFORM_SESSION_GONE:
        keep_session(s, a->session);
        if (a->kind == PLATFORM_SESSION_GONE)
            files_leave(s, a->session);
        break;
    case PLATFORM_DO_SAVE:
    case PLATFORM_DO_FILE_END:
        on_file_order(s, a);
        break;
    case PLATFORM_DIALOG_OPENED:
        s->opened_key = a->dialog_key;
        assert_true(a->dialog_key != 0);
        break;
    case PLATFORM_DIALOG_CLOSED:
        s->closed_key = a->dialog_key;
        assert_true(a->dialog_key != 0);
        break;
    case PLATFORM_CHANNEL_CHANGED:
        s->details += a->text.n > 0;
        if (a->text.n)
            snprintf(s->last_detail, sizeof(s->last_detail), "%.*s",
                     SLICE_ARG(a->text));
        break;
    case PLATFORM_PTZ_MOVED:
        snprintf(s->last_ptz, sizeof(s->last_ptz), "%.*s %.*s %.*s",
                 SLICE_ARG(a->device), SLICE_ARG(a->channel),
                 SLICE_ARG(a->text));
        break;
    case PLATFORM_POSITION:
        snprintf(s->last_position, sizeof(s->last_position),
                 "%.*s %.*s %.4f %.4f %.*s %.*s", SLICE_ARG(a->position->device),
                 SLICE_ARG(a->position->channel), a->position->longitude,
                 a->position->latitude, SLICE_ARG(a->position->speed),
                 SLICE_ARG(a->position->time));
        break;
    case PLATFORM_ALARM:
        s->last_alarm_id = a->alarm->id;
        snprintf(s->last_alarm, sizeof(s->last_alarm), "%.*s %.*s %.*s %.*s",
                 SLICE_ARG(a->alarm->device), SLICE_ARG(a->alarm->channel),
                 SLICE_ARG(a->alarm->method), SLICE_ARG(a->alarm->type));
        break;
    case PLATFORM_LOG:
        assert_true(a->text.n > 0);
        for (size_t i = 0; i < a->text.n; i++)
            assert_true((unsigned char)a->text.p[i] >= 0x20);
        if (s->log_len + a->text.n + 2 < sizeof(s->log)) {
            memcpy(s->log + s->log_len, a->text.p, a->text.n);
            s->log_len += a->text.n;
            s->log[s->log_len++] = '\n';
            s->log[s->log_len] = '\0';
        }
        break;
    default:
        break;
    }
}

/* One round of everybody's turn; true when something happened. */
static bool turn(struct sim *s)
{
    struct sip_event ev;
    struct sip_out out;
    struct platform_action a;
    bool any = false;

    while (sip_stack_event(s->server, &ev)) {
        platform_sip(s->p, &ev, s->now);
        any = true;
    }
    while (platform_action(s->p, &a)) {
        on_action(s, &a);
        any = true;
    }
    while (sip_stack_output(s->server, &out)) {
        s->byes_sent += slice_has_prefix(out.bytes, SLICE("BYE "));
        wire_put(s, false, &out);
        any = true;
    }
    while (sip_stack_event(s->field, &ev)) {
        on_field_event(s, &ev);
        any = true;
    }
    while (sip_stack_output(s->field, &out)) {
        wire_put(s, true, &out);
        any = true;
    }
    return any;
}

static void soonest(uint64_t *at, uint64_t t)
{
    if (t < *at)
        *at = t;
}

static void tick(struct sim *s)
{
    sip_stack_tick(s->server, s->now.mono_ms);
    sip_stack_tick(s->field, s->now.mono_ms);
    if (platform_deadline(s->p) <= s->now.mono_ms)
        platform_tick(s->p, s->now);
    for (unsigned i = 0; i < s->n_devices; i++) {
        struct sim_device *d = &s->device[i];

        if (d->next_keepalive_ms <= s->now.mono_ms) {
            d->next_keepalive_ms = s->now.mono_ms + d->keepalive_ms;
            sim_keepalive(d, NULL);
        }
    }
    for (unsigned i = 0; i < SIM_MAX_STREAMS; i++)
        if (s->stream[i].session && s->stream[i].next_ms <= s->now.mono_ms)
            media_step(s, &s->stream[i]);
}

void sim_run(struct sim *s, uint64_t ms)
{
    uint64_t end = s->now.mono_ms + ms;

    for (unsigned rounds = 0;; rounds++) {
        uint64_t at = GB_NEVER;

        while (turn(s))
            ;
        if (wire_get(s))
            continue;
        soonest(&at, sip_stack_deadline(s->server));
        soonest(&at, sip_stack_deadline(s->field));
        soonest(&at, platform_deadline(s->p));
        if (s->wire)
            soonest(&at, s->wire->at_ms);
        for (unsigned i = 0; i < s->n_devices; i++)
            soonest(&at, s->device[i].next_keepalive_ms);
        for (unsigned i = 0; i < SIM_MAX_STREAMS; i++)
            if (s->stream[i].session)
                soonest(&at, s->stream[i].next_ms);
        if (at > end)
            break;
        if (at > s->now.mono_ms) {
            s->now.utc_ms += (int64_t)(at - s->now.mono_ms);
            s->now.mono_ms = at;
            rounds = 0;
        } else if (rounds > 100000) {
            fail_msg("time stands still at %llu",
                     (unsigned long long)s->now.mono_ms);
        }
        tick(s);
    }
    s->now.utc_ms += (int64_t)(end - s->now.mono_ms);
    s->now.mono_ms = end;
}

/* ---- making ---- */

static bool make_server(struct sim *s)
{
    struct sip_stack_config sc = { .alloc = s->opt.alloc,
                                   .user_agent = "test" };
    struct platform_config pc = s->opt.config;

    for (size_t i = 0; i < sizeof(sc.seed); i++) {
        sc.seed[i] = (uint8_t)test_random(&s->rnd);
        pc.seed[i] = (uint8_t)test_random(&s->rnd);
    }
    if (sip_stack_new(&s->server, &sc))
        return false;
    pc.alloc = s->opt.alloc;
    pc.sip = s->server;
    if (!pc.id)
        pc.id = SIM_ID;
    if (!pc.realm)
        pc.realm = SIM_REALM;
    if (!pc.password)
        pc.password = SIM_PASSWORD;
    if (!pc.timezone_min)
        pc.timezone_min = 480;
    if (platform_new(&s->p, &pc, s->now)) {
        sip_stack_free(s->server);
        s->server = NULL;
        return false;
    }
    return true;
}

bool sim_init(struct sim *s, const struct sim_options *opt)
{
    struct sip_stack_config fc = { .alloc = &gb_alloc_heap,
                                   .user_agent = "IP Camera" };

    memset(s, 0, sizeof(*s));
    if (opt)
        s->opt = *opt;
    else
        s->opt.config.auto_enrol = true;
    if (!s->opt.alloc)
        s->opt.alloc = &gb_alloc_heap;
    s->rnd = s->opt.seed ? s->opt.seed : 1;
    s->now = (struct gb_time){ 1000000, SIM_UTC };
    assert_int_equal(gb_addr_parse(&s->server_addr,
                                   slice_str("192.168.1.1:5060"), 0),
                     0);
    fc.seed[0] = 9;
    assert_int_equal(sip_stack_new(&s->field, &fc), 0);
    if (make_server(s))
        return true;
    sip_stack_free(s->field);
    s->field = NULL;
    return false;
}

void sim_free(struct sim *s)
{
    platform_free(s->p);
    sip_stack_free(s->server);
    sip_stack_free(s->field);
    while (s->wire) {
        struct sim_packet *k = s->wire;

        s->wire = k->next;
        free(k);
    }
    s->p = NULL;
    s->server = s->field = NULL;
}

void sim_restart(struct sim *s)
{
    platform_free(s->p);
    sip_stack_free(s->server);
    memset(s->stream, 0, sizeof(s->stream));
    s->open_streams = 0;
    assert_true(make_server(s));
}

struct sim_device *sim_add(struct sim *s, const char *id, const char *ip,
                           uint8_t transport)
{
    struct sim_device *d = &s->device[s->n_devices++];

    assert_true(s->n_devices <= SIM_MAX_DEVICES);
    d->sim = s;
    snprintf(d->id, sizeof(d->id), "%s", id);
    assert_int_equal(gb_addr_parse(&d->addr, slice_str(ip), 5060), 0);
    d->transport = transport;
    d->connection = transport == SIP_UDP ? 0 : s->n_devices;
    d->password = SIM_PASSWORD;
    d->expires_s = 3600;
    d->next_keepalive_ms = GB_NEVER;
    d->to_server = (struct sip_peer){ .transport = transport,
                                      .connection = d->connection,
                                      .local = d->addr,
                                      .remote = s->server_addr };
    return d;
}

void sim_channels(struct sim_device *d, unsigned n)
{
    d->n_channels = n;
    for (unsigned i = 0; i < n; i++)
        snprintf(d->channel[i], sizeof(d->channel[i]),
                 "%.10s131%.3s%04u", d->id, d->id + 17, i + 1);
}

void sim_message_in(struct sim_device *d, const char *body)
{
    const struct sip_request r = {
        .method = SIP_METHOD_MESSAGE,
        .expires = -1,
        .user = (uint64_t)(d - d->sim->device) + 1,
        .content_type = SLICE("Application/MANSCDP+xml"),
        .body = slice_str(body),
    };
    uint64_t ignored;

    assert_int_equal(sip_stack_request_in(d->sim->field, d->dialog, &r,
                                          d->sim->now.mono_ms, &ignored), 0);
}

void sim_bye(struct sim_device *d)
{
    sip_stack_end(d->sim->field, d->dialog, d->sim->now.mono_ms);
    for (unsigned i = 0; i < SIM_MAX_STREAMS; i++)
        if (d->sim->stream[i].source == d)
            d->sim->stream[i].next_ms = GB_NEVER;
}

void sim_disconnect(struct sim_device *d)
{
    struct sim *s = d->sim;

    sip_stack_closed(s->server, d->connection, s->now.mono_ms);
    sip_stack_closed(s->field, d->connection, s->now.mono_ms);
    platform_closed(s->p, d->connection, s->now);
    d->next_keepalive_ms = GB_NEVER;
}

void sim_reconnect(struct sim_device *d)
{
    d->connection += 1000;
    d->to_server.connection = d->connection;
}

void sim_settle(struct sim *s)
{
    for (unsigned i = 0; i < s->n_devices; i++)
        sim_register(&s->device[i]);
    sim_run(s, 30000);
}

/* ---- looking ---- */

int sim_play(struct sim *s, struct sim_device *d, const char *channel,
             enum platform_transport t, struct platform_session *out)
{
    const struct platform_live req = {
        .device = d ? slice_str(d->id) : slice_of(NULL, 0),
        .channel = slice_str(channel),
        .transport = t,
    };

    return platform_live_start(s->p, &req, s->now, out);
}

int sim_playback(struct sim *s, struct sim_device *d, const char *channel,
                 enum platform_session_kind kind, enum platform_transport t,
                 struct platform_session *out)
{
    const struct platform_recording req = {
        .device = slice_str(d->id),
        .channel = slice_str(channel),
        .kind = kind,
        .transport = t,
        .start_s = SIM_UTC / 1000,
        .stop_s = SIM_UTC / 1000 + 600,
    };

    return platform_playback_start(s->p, &req, s->now, out);
}

struct platform_session sim_session(struct sim *s, uint64_t id)
{
    struct platform_session v;

    if (!platform_session_view(s->p, id, &v))
        fail_msg("session is gone: %s", s->last_evidence);
    return v;
}

struct platform_device sim_view(struct sim *s, const struct sim_device *d)
{
    struct platform_device v;

    if (!platform_device_view(s->p, slice_str(d->id), &v))
        fail_msg("device %s is not known", d->id);
    return v;
}

struct platform_counters sim_counters(struct sim *s)
{
    struct platform_counters c;

    platform_counters(s->p, &c);
    return c;
}

void sim_expect_clean(struct sim *s)
{
    struct platform_counters c = sim_counters(s);

    assert_int_equal(c.sessions, 0);
    assert_int_equal(c.voices, 0);
    assert_int_equal(c.ports_lent, 0);
    assert_int_equal(c.ssrcs_lent, 0);
    assert_int_equal(s->open_streams, 0);
}
