/* Calls: what a device does with an INVITE, and those of its own. */
#include "test/sim_int.h"

#include <stdio.h>

#include "base/writer.h"
#include "sdp/offer.h"
#include "sdp/sdp.h"

/* ---- voice ---- */

void sim_call(struct sim_device *d, const char *from, const char *to,
              const char *subject, const char *sdp)
{
    char uri[80], from_uri[80], contact[80], addr[GB_ADDR_TEXT_MAX];
    struct sip_request r = { .method = SIP_METHOD_INVITE, .expires = -1,
                             .peer = d->to_server };
    struct sip_extra require = { .name = SLICE("Require") };

    snprintf(uri, sizeof(uri), "sip:%s@%s", to, SIM_REALM);
    snprintf(from_uri, sizeof(from_uri), "sip:%s@%s", from, SIM_REALM);
    snprintf(contact, sizeof(contact), "sip:%s@%s", from,
             gb_addr_text(&d->addr, addr));
    r.uri = r.to = slice_str(uri);
    r.from = slice_str(from_uri);
    r.contact = slice_str(contact);
    r.subject = slice_str(subject ? subject : "");
    r.content_type = d->call_type ? slice_str(d->call_type)
                                  : SLICE("application/sdp");
    r.body = slice_str(sdp);
    if (d->call_require) {
        require.value = slice_str(d->call_require);
        r.extra = &require;
        r.n_extra = 1;
    }
    r.user = (uint64_t)(d - d->sim->device) + 1;
    d->call_status = 0;
    assert_int_equal(sip_stack_invite(d->sim->field, &r, d->sim->now.mono_ms,
                                      &d->call), 0);
}

void sim_call_again(struct sim_device *d, const char *sdp)
{
    struct sip_request r = { .method = SIP_METHOD_INVITE, .expires = -1 };
    char contact[80], addr[GB_ADDR_TEXT_MAX];
    uint64_t transaction;

    snprintf(contact, sizeof(contact), "sip:%s@%s", d->id,
             gb_addr_text(&d->addr, addr));
    r.contact = slice_str(contact);
    r.content_type = SLICE("application/sdp");
    r.body = slice_str(sdp);
    r.user = (uint64_t)(d - d->sim->device) + 1;
    d->call_status = 0;
    assert_int_equal(sip_stack_request_in(d->sim->field, d->call, &r,
                                          d->sim->now.mono_ms, &transaction),
                     0);
}

void sim_call_ends(struct sim_device *d)
{
    sip_stack_end(d->sim->field, d->call, d->sim->now.mono_ms);
    d->call = 0;
}

void sim_on_call_answer(struct sim_device *d, const struct sip_event *ev)
{
    if (ev->kind == SIP_EV_RESPONSE && ev->status < 200)
        return;
    d->call_status = ev->status;
    if (ev->status >= 300)
        d->call = ev->dialog; /* 0, but in its dialog */
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

static void begin_unheard(struct sim_device *d, const struct sip_event *ev)
{
    const struct sdp_media *m;
    struct sdp offer;

    assert_int_equal(sdp_parse(&offer, ev->msg->body, NULL), 0);
    m = sdp_find_media(&offer, SDP_VIDEO);
    assert_non_null(m);
    d->media_port = m->port;
    d->media_tcp = m->proto == SDP_TCP_RTP_AVP;
    sim_media_begins(d->sim, d);
}

void sim_heard_at_last(struct sim_device *d)
{
    char contact[80], addr[GB_ADDR_TEXT_MAX];
    struct sip_response r = { .status = 200, .expires = -1 };

    snprintf(contact, sizeof(contact), "sip:%s@%s", d->id,
             gb_addr_text(&d->addr, addr));
    r.contact = slice_str(contact);
    assert_int_equal(sip_stack_respond(d->sim->field, d->invite_transaction, &r,
                                       d->sim->now.mono_ms), 0);
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
    d->media_tcp = tcp;
    if (d->sdp_ip)
        writer_str(&iw, d->sdp_ip);
    else
        gb_addr_write_ip(&iw, &d->addr);
    ip[iw.len] = '\0';
    n = snprintf(sdp, sizeof(sdp),
                 "v=0\r\no=%s 0 0 IN %s %s\r\ns=Play\r\nc=IN %s %s\r\n"
                 "t=0 0\r\nm=%s %u %sRTP/AVP %s%s",
                 d->id, family, ip, family, ip,
                 d->invite == SIM_NO_VIDEO ? "audio" : "video",
                 d->invite == SIM_PORT_ZERO || d->invite == SIM_NO_PORT ? 0 : 15060,
                 tcp ? "TCP/" : "",
                 d->sdp_format ? d->sdp_format
                               : "96\r\na=sendonly\r\na=rtpmap:96 PS/90000\r\n",
                 !tcp                      ? ""
                 : m->setup == SDP_PASSIVE ? "a=setup:active\r\n"
                                             "a=connection:new\r\n"
                                           : "a=setup:passive\r\n"
                                             "a=connection:new\r\n");
    if (d->invite == SIM_OTHER_Y)
        y = 60205514;
    if (d->invite != SIM_NO_Y && d->invite != SIM_PORT_ZERO)
        n += snprintf(sdp + n, sizeof(sdp) - (size_t)n, "y=%010u\r\n", y);
    snprintf(contact, sizeof(contact), "sip:%s@%s", d->id,
             gb_addr_text(&d->addr, addr));
    r.contact = slice_str(contact);
    if (d->invite != SIM_NO_SDP) {
        r.content_type = SLICE("application/sdp");
        r.body = d->invite == SIM_NO_MEDIA ? SLICE("v=0\r\n")
                                           : slice_of(sdp, (size_t)n);
    }
    d->dialog = ev->dialog;
    sip_stack_respond(d->sim->field, ev->transaction, &r, d->sim->now.mono_ms);
}

static void refuse(struct sim_device *d, const struct sip_event *ev)
{
    char after[16];
    const struct sip_extra extra = { SLICE("Retry-After"),
                                     { after, (size_t)snprintf(after, sizeof(after), "%u",
                                                               d->refuse_after_s) } };
    const struct sip_response r = { .status = d->refuse_status, .expires = -1,
                                    .extra = &extra,
                                    .n_extra = d->refuse_after_s > 0 };

    sip_stack_respond(d->sim->field, ev->transaction, &r,
                      d->sim->now.mono_ms);
}

void sim_on_invite(struct sim_device *d, const struct sip_event *ev)
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
            refuse(d, ev);
            return;
        }
        break;
    case SIM_SILENT:
        return;
    case SIM_RING:
        sim_respond(d->sim, ev, 100);
        return;
    case SIM_UNHEARD:
        begin_unheard(d, ev);
        return;
    case SIM_ANSWER:
    case SIM_PORT_ZERO:
    case SIM_NO_PORT:
    case SIM_NO_SDP:
    case SIM_NO_MEDIA:
    case SIM_NO_VIDEO:
    case SIM_NO_Y:
    case SIM_OTHER_Y:
    case SIM_PLAIN_AVP:
        break;
    }
    accept_invite(d, ev);
}
