/* What a device does by itself: registers, speaks, comes and goes. */
#include "test/sim_int.h"

#include <stdio.h>

#include "base/writer.h"
#include "manscdp/notify.h"
#include "sip/digest.h"

void sim_send(struct sim_device *d, enum sip_method method,
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
    sim_send(d, SIP_METHOD_REGISTER, d->id, slice_of(NULL, 0),
                &d->register_transaction);
}

void sim_unregister(struct sim_device *d)
{
    d->wants_expires0 = true;
    d->tried_auth = false;
    if (!d->keep_auth)
        d->authorization[0] = '\0';
    sim_send(d, SIP_METHOD_REGISTER, d->id, slice_of(NULL, 0),
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

void sim_on_register_answer(struct sim_device *d, const struct sip_event *ev)
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
        sim_send(d, SIP_METHOD_REGISTER, d->id, slice_of(NULL, 0),
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
    sim_send(d, method, from_id, slice_str(body), NULL);
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
    sim_send(d, SIP_METHOD_MESSAGE, d->id, writer_slice(&w), NULL);
}

/* ---- coming and going ---- */

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

void sim_invite_in(struct sim_device *d, const char *sdp)
{
    struct sip_request r = {
        .method = SIP_METHOD_INVITE,
        .expires = -1,
        .user = (uint64_t)(d - d->sim->device) + 1,
        .content_type = SLICE("application/sdp"),
        .body = slice_str(sdp),
    };
    uint64_t ignored;

    if (!r.body.n)
        r.content_type = SLICE("");
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

uint32_t sim_asked_sn(const struct sim_device *d)
{
    struct slice body = slice_str(d->last_body), sn;
    uint32_t v = 0;

    body = slice_from(body, slice_find_slice(body, SLICE("<SN>")) + 4);
    slice_cut(&body, '<', &sn);
    assert_true(slice_u32(sn, UINT32_MAX, &v));
    return v;
}
