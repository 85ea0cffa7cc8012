/* app/device/session.c - the media side of a device: INVITE to BYE
 * (what a sender answers) */
#include "app/device/device_impl.h"

#include "app/device/answer.h"
#include "sip/value.h"

#include <stdio.h>
#include <string.h>

static struct device_session *sessions(struct device *d)
{
    if (!d->session)
        d->session = gb_get(d->c.alloc,
                            DEVICE_MAX_SESSIONS * sizeof(*d->session));
    return d->session;
}

static struct device_session *free_session(struct device *d)
{
    struct device_session *s = sessions(d);

    for (uint32_t i = 0; s && i < d->c.max_sessions; i++)
        if (s[i].state == SESSION_FREE)
            return &s[i];
    return NULL;
}

static uint32_t index_of(const struct device *d, const struct device_session *s)
{
    return (uint32_t)(s - d->session);
}

static struct device_session *by_dialog(const struct device *d,
                                        uint64_t dialog)
{
    for (uint32_t i = 0; d->session && i < DEVICE_MAX_SESSIONS; i++)
        if (d->session[i].state != SESSION_FREE &&
            d->session[i].dialog == dialog)
            return &d->session[i];
    return NULL;
}

bool device_has_dialog(const struct device *d, uint64_t dialog)
{
    return by_dialog(d, dialog) != NULL;
}

static void order(struct device *d, struct device_session *s,
                  enum device_action_kind kind)
{
    struct device_action a = { .kind = kind, .session = index_of(d, s),
                               .transport = s->transport, .remote = s->remote,
                               .ssrc = s->ssrc, .pt = s->pt,
                               .channel = s->channel, .stream = s->stream };

    device_push(d, &a);
}

/* The one way a session ends; the dialog is the caller's business. */
static void session_free(struct device *d, struct device_session *s)
{
    order(d, s, DEVICE_DO_STOP);
    memset(s, 0, sizeof(*s));
}

static void session_bye(struct device *d, struct device_session *s,
                        struct gb_time now)
{
    sip_stack_end(d->c.sip, s->dialog, now.mono_ms);
    session_free(d, s);
}

/* ---- the channel an INVITE asks for ------------------------------------------ */

static bool find_channel(const struct device *d, struct slice id, size_t *out)
{
    for (size_t i = 0; i < d->c.n_channels; i++) {
        if (slice_eq(id, slice_str(d->c.channel[i].id))) {
            *out = i;
            return true;
        }
    }
    return false;
}

/* Subject, Request-URI, u=, To, in this order. */
static bool channel_of(const struct device *d, const struct sip_msg *m,
                       const struct sdp *offer, size_t *channel)
{
    struct sip_subject sub;
    struct sdp_uri u;

    sip_subject_parse(&sub, sip_msg_value(m, SIP_HDR_SUBJECT));
    if (sub.sender.n && find_channel(d, sub.sender, channel))
        return true;
    if (find_channel(d, m->uri.user, channel))
        return true;
    if (offer->uri.n && !sdp_uri_parse(&u, offer->uri) &&
        find_channel(d, u.code, channel))
        return true;
    return find_channel(d, m->to.uri.user, channel);
}

/* Sender and serial of the Subject; "" when the serial says nothing. */
static void subject_key(const struct sip_msg *m, char *out, size_t cap)
{
    struct sip_subject sub;
    struct writer w = writer_of(out, cap - 1);

    sip_subject_parse(&sub, sip_msg_value(m, SIP_HDR_SUBJECT));
    if (sub.sender_seq.n && !slice_eq(sub.sender_seq, SLICE("0"))) {
        writer_slice_put(&w, sub.sender);
        writer_char(&w, ':');
        writer_slice_put(&w, sub.sender_seq);
    }
    out[w.err ? 0 : w.len] = '\0';
}

/* A second INVITE for what is being sent already replaces the first. */
static void replace_same(struct device *d, const char *subject,
                         struct gb_time now)
{
    for (uint32_t i = 0; *subject && i < DEVICE_MAX_SESSIONS; i++) {
        struct device_session *s = &d->session[i];

        if (s->state != SESSION_FREE && strcmp(s->subject, subject) == 0)
            session_bye(d, s, now);
    }
}

/* ---- answering ------------------------------------------------------------------ */

static void choose_ssrc(const struct device *d, struct device_session *s,
                        const struct sdp *offer, const struct sdp_media *m)
{
    if (!sdp_ssrc(offer, m, &s->offered_ssrc))
        sdp_ssrc_make(&s->offered_ssrc, slice_str(d->c.server_id), false, 1);
    if (d->c.faults.other_y)
        s->offered_ssrc += 1000000;
    s->ssrc = d->c.faults.zero_ssrc    ? 0
              : d->c.faults.wrong_ssrc ? s->offered_ssrc ^ 0x5555
                                       : s->offered_ssrc;
}

static unsigned take_offer(struct device *d, struct device_session *s,
                           const struct sip_event *ev)
{
    const struct sip_msg *m = ev->msg;
    const struct sdp_media *media;
    struct sdp offer;
    int err = sdp_parse(&offer, m->body, NULL);

    if (err)
        return err == GB_EUNSUPPORTED ? 488 : 400;
    if (m->body.n > sizeof(s->offer))
        return 413;
    media = sdp_find_media(&offer, SDP_VIDEO);
    if (!media || sdp_choose_format(media, &s->pt))
        return 488;
    if (!channel_of(d, m, &offer, &s->channel))
        return 404;
    if (!sdp_media_addr(&offer, media, &s->remote)) {
        s->remote = ev->peer.remote;
        s->remote.port = media->port;
    }
    switch (sdp_answer_transport(media)) {
    case SDP_ANSWER_UDP:
        s->transport = DEVICE_UDP;
        break;
    case SDP_ANSWER_CONNECT:
        s->transport = DEVICE_TCP_CONNECT;
        break;
    case SDP_ANSWER_LISTEN:
        s->transport = DEVICE_TCP_LISTEN;
        break;
    }
    s->stream = sdp_selected_stream(&media->select);
    choose_ssrc(d, s, &offer, media);
    memcpy(s->offer, m->body.p, m->body.n);
    s->offer_len = m->body.n;
    return 200;
}

void device_on_invite(struct device *d, const struct sip_event *ev,
                      struct gb_time now)
{
    struct device_session *s = by_dialog(d, ev->dialog);
    char subject[sizeof(s->subject)];
    unsigned status;

    d->n.invites++;
    if (d->c.faults.deaf)
        return;
    if (s) { /* re-INVITE: nothing of a running stream changes */
        device_respond(d, ev->transaction, 488, now);
        return;
    }
    if (!sessions(d)) {
        device_respond(d, ev->transaction, 500, now);
        return;
    }
    subject_key(ev->msg, subject, sizeof(subject));
    replace_same(d, subject, now);
    s = free_session(d);
    status = d->c.faults.refuse ? d->c.faults.refuse
             : s                ? take_offer(d, s, ev) : 486;
    if (status != 200) {
        d->n.refused++;
        if (s)
            memset(s, 0, sizeof(*s));
        device_respond(d, ev->transaction, status, now);
        return;
    }
    memcpy(s->subject, subject, sizeof(subject));
    s->state = SESSION_OPENING;
    s->transaction = ev->transaction;
    s->dialog = ev->dialog;
    s->at_ms = now.mono_ms + DEVICE_ANSWER_MS;
    order(d, s, DEVICE_DO_OPEN);
}

static void write_answer(struct device *d, struct device_session *s,
                         const struct gb_addr *local, struct writer *w)
{
    struct sdp offer;
    struct sdp_answer a = {
        .owner = slice_str(d->c.channel[s->channel].id), .addr = *local,
        .ssrc = s->offered_ssrc, .no_ssrc = d->c.faults.no_y, .pt = s->pt,
    };

    if (sdp_parse(&offer, slice_of(s->offer, s->offer_len), NULL))
        w->err = GB_ESYNTAX; /* it parsed when it came */
    else
        answer_write(w, &d->c.faults, &offer,
                     sdp_find_media(&offer, SDP_VIDEO), &a);
}

static void start(struct device *d, struct device_session *s,
                  struct gb_time now)
{
    if (s->started)
        return;
    s->state = SESSION_SENDING;
    s->started = true;
    s->at_ms = d->c.faults.bye_early ? now.mono_ms + 1000 : GB_NEVER;
    if (!d->c.faults.silent)
        order(d, s, DEVICE_DO_START);
}

void device_media_opened(struct device *d, uint32_t session,
                         const struct gb_addr *local, struct gb_time now)
{
    struct device_session *s = &d->session[session];
    char sdp[2048], contact[128];
    struct writer w = writer_of(sdp, sizeof(sdp));
    struct sip_response r = { .status = 200, .expires = -1 };

    if (s->state != SESSION_OPENING)
        return;
    if (local->family == GB_NO_ADDR)
        w.err = GB_EIO;
    else
        write_answer(d, s, local, &w);
    if (w.err) {
        device_respond(d, s->transaction, 500, now);
        session_free(d, s);
        return;
    }
    device_contact(d, contact, sizeof(contact));
    r.contact = slice_str(contact);
    r.content_type = SLICE(SIP_TYPE_SDP);
    r.body = writer_slice(&w);
    s->state = SESSION_ANSWERED;
    s->at_ms = now.mono_ms + DEVICE_ACK_MS;
    if (d->c.faults.establishing) {
        struct sip_response early = { .status = 101, .expires = -1,
                                      .reason = SLICE("Dialog Establishment") };

        sip_stack_respond(d->c.sip, s->transaction, &early, now.mono_ms);
    }
    if (sip_stack_respond(d->c.sip, s->transaction, &r, now.mono_ms))
        session_free(d, s);
    else if (d->c.faults.early)
        start(d, s, now);
}

void device_on_dialog(struct device *d, const struct sip_event *ev,
                      struct gb_time now)
{
    struct device_session *s = by_dialog(d, ev->dialog);

    if (!s)
        return;
    if (ev->kind == SIP_EV_ACKED)
        start(d, s, now);
    else
        session_free(d, s); /* cancelled, or BYE: the stack has answered */
}

void device_media_lost(struct device *d, uint32_t session, struct gb_time now)
{
    struct device_session *s = &d->session[session];

    if (d->session && s->state != SESSION_FREE)
        session_bye(d, s, now);
}

void device_end_sessions(struct device *d, struct gb_time now)
{
    for (uint32_t i = 0; d->session && i < DEVICE_MAX_SESSIONS; i++)
        if (d->session[i].state != SESSION_FREE)
            session_bye(d, &d->session[i], now);
}

void device_tick_sessions(struct device *d, struct gb_time now)
{
    for (uint32_t i = 0; d->session && i < DEVICE_MAX_SESSIONS; i++) {
        struct device_session *s = &d->session[i];

        if (s->state == SESSION_FREE || now.mono_ms < s->at_ms)
            continue;
        if (s->state == SESSION_OPENING) {
            device_respond(d, s->transaction, 500, now);
            session_free(d, s);
        } else {
            session_bye(d, s, now); /* no ACK came, or the fault asks for it */
        }
    }
}

uint64_t device_sessions_deadline(const struct device *d)
{
    uint64_t at = GB_NEVER;

    for (uint32_t i = 0; d->session && i < DEVICE_MAX_SESSIONS; i++)
        if (d->session[i].state != SESSION_FREE && d->session[i].at_ms < at)
            at = d->session[i].at_ms;
    return at;
}
