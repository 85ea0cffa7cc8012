/* What comes to a device, and its subscriptions. */
#include "test/sim_int.h"

#include <stdio.h>

#include "sip/value.h"

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
    if (d->subscribe_body) {
        r.content_type = SLICE("Application/MANSCDP+xml");
        r.body = slice_str(d->subscribe_body);
    }
    r.expires = d->subscribe_grants_s ? d->subscribe_grants_s : 1000000;
    if (d->subscribe_grants_none)
        r.expires = 0;
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

/* It guards itself: true, this has been answered with a 401. */
static bool challenged(struct sim_device *d, const struct sip_event *ev)
{
    struct slice login = sip_msg_value(ev->msg, SIP_HDR_AUTHORIZATION);
    struct sip_extra extra = { SLICE("WWW-Authenticate"),
                               slice_str(d->challenge) };
    struct sip_response r = { .status = 401, .expires = -1, .extra = &extra,
                              .n_extra = 1 };

    if (login.n) {
        d->logins++;
        slice_copy(d->last_login, sizeof(d->last_login), login);
    }
    if (!d->challenge || (login.n && !d->takes_no_login))
        return false;
    d->asked++;
    sip_stack_respond(d->sim->field, ev->transaction, &r,
                      d->sim->now.mono_ms);
    return true;
}

void sim_on_field_event(struct sim *s, const struct sip_event *ev)
{
    struct sim_device *d = sim_by_addr(s, &ev->peer.local);

    if (ev->kind == SIP_EV_RESPONSE || ev->kind == SIP_EV_FAILED) {
        if (!ev->user || ev->user > s->n_devices)
            return;
        d = &s->device[ev->user - 1];
        if (ev->transaction == d->register_transaction) {
            if (ev->kind == SIP_EV_RESPONSE)
                sim_on_register_answer(d, ev);
            return;
        }
        if (ev->dialog && ev->dialog == d->call) {
            sim_on_call_answer(d, ev);
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
        if (ev->msg->method != SIP_METHOD_OPTIONS && challenged(d, ev))
            break;
        if (ev->msg->method == SIP_METHOD_MESSAGE)
            sim_on_message(d, ev);
        else if (ev->msg->method == SIP_METHOD_INVITE)
            sim_on_invite(d, ev);
        else if (ev->msg->method == SIP_METHOD_SUBSCRIBE)
            on_device_subscribe(d, ev);
        else if (ev->msg->method == SIP_METHOD_INFO)
            on_device_control(d, ev);
        else {
            d->options++;
            sim_respond(s, ev, 200);
        }
        break;
    case SIP_EV_ACKED:
        sim_media_begins(s, d);
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
