/* Requests other than REGISTER: admission, then
 * MANSCDP by (root, CmdType). The 200 goes out before any work is done. */
#include "app/platform/messages.h"

#include "app/platform/core.h"
#include "app/platform/nat.h"
#include "app/platform/notices.h"
#include "app/platform/outgoing.h"
#include "app/platform/registrar.h"
#include "app/platform/session.h"
#include "app/platform/voices.h"

#include "sip/multipart.h"
#include "sip/value.h"

#define PROBE_EVERY_MS 5000

/* ---- the body ---- */

static void learn_charset(struct platform *p, struct device *d,
                          enum manscdp_charset seen)
{
    if (seen == MANSCDP_ASCII || (d->charset_known && d->charset == seen))
        return;
    /* it reads what it writes; older editions know no other name for GBK */
    if (seen == MANSCDP_GB18030 && d->edition != MANSCDP_2022)
        seen = MANSCDP_GB2312;
    if (d->charset_known && d->charset == seen)
        return;
    d->charset = (uint8_t)seen;
    d->charset_known = true;
    device_changed(p, d, PLATFORM_CHANGED_INFO);
}

/* What it is says more than what it is called. */
static void look_at_type(struct delivery *v)
{
    struct slice type = sip_msg_value(v->ev->msg, SIP_HDR_CONTENT_TYPE);
    enum sip_content content = sip_msg_content(v->ev->msg);

    if (!type.n || (content != SIP_CONTENT_MANSCDP &&
                    content != SIP_CONTENT_MULTIPART))
        device_deviation(v->p, v->d, DEVIATION_BODY_TYPE, type);
}

/* The standard knows no greatest SN; some count milliseconds since 1970. Who is
 * asked says ours again, so that such a one is of nobody's use. */
static bool lacks_sn(const struct manscdp_msg *msg)
{
    struct slice text = slice_trim(xml_text_or_attr(msg->doc.root, SLICE("SN")));

    return !msg->has_sn && (!text.n || slice_digits(text) < text.n);
}

/* The status that answers a body which was read. */
static unsigned judge(struct delivery *v, const struct manscdp_msg *msg)
{
    struct platform *p = v->p;

    look_at_type(v);
    if (msg->doc.wide)
        device_deviation(p, v->d, DEVIATION_BODY_WIDE, msg->cmd_name);
    if (msg->doc.salvaged)
        device_deviation(p, v->d, DEVIATION_XML_SALVAGED, msg->cmd_name);
    else if (msg->doc.repaired)
        device_deviation(p, v->d, DEVIATION_XML_REPAIRED, msg->cmd_name);
    if (lacks_sn(msg))
        device_deviation(p, v->d, DEVIATION_NO_SN, msg->cmd_name);
    if (msg->device_id.n == 0)
        device_deviation(p, v->d, DEVIATION_NO_DEVICE_ID, msg->cmd_name);
    if (msg->cmd_name.n == 0)
        return 400;
    if (msg->cmd == MANSCDP_CMD_OTHER) {
        device_deviation(p, v->d, DEVIATION_UNKNOWN_CMD, msg->cmd_name);
        return 400;
    }
    if (msg->cmd == MANSCDP_CMD_KEEPALIVE &&
        notice_is_foreign(v, msg->device_id)) {
        device_deviation(p, v->d, DEVIATION_FOREIGN_ID, msg->device_id);
        return 403;
    }
    return 200;
}

static void read_body(struct delivery *v)
{
    struct platform *p = v->p;
    struct manscdp_msg msg;
    struct gb_diag diag = { 0, "" };
    int err = manscdp_msg_parse(&msg, v->arena, v->body, NULL, &diag);
    unsigned status;

    if (err) {
        p->counters.bad_bodies++;
        commands_on_unread(p, v->d);
        device_deviation(p, v->d, DEVIATION_BODY_REFUSED,
                         slice_str(diag.why ? diag.why : gb_strerror(err)));
        platform_respond(p, v->ev,
                         err == GB_EUNSUPPORTED ? 415
                         : err == GB_ENOMEM     ? 500
                                                : 400);
        return;
    }
    status = judge(v, &msg);
    platform_respond(p, v->ev, status);
    if (status != 200)
        return;
    learn_charset(p, v->d, msg.doc.charset);
    if (msg.cmd != MANSCDP_CMD_KEEPALIVE) /* which may be a farewell */
        device_alive(p, v->d);
    v->is_command = commands_on_message(p, v->d, &msg);
    notice_take(v, &msg);
}

/* The XML of a multipart body: 0, or the status that refuses it. */
static unsigned take_part(struct delivery *v, const struct sip_msg *m)
{
    struct sip_part part;
    int err = sip_multipart_find(sip_msg_value(m, SIP_HDR_CONTENT_TYPE),
                                 m->body, SIP_CONTENT_MANSCDP, &part);

    if (err)
        return err == GB_ENOENT ? 415 : 400;
    device_deviation(v->p, v->d, DEVIATION_MULTIPART, slice_of(NULL, 0));
    v->body = part.body;
    return 0;
}

static void on_message(struct platform *p, struct device *d,
                       const struct sip_event *ev)
{
    size_t need = MANSCDP_ARENA_FOR(ev->msg->body.n);
    struct arena a = arena_of(p->arena, PLATFORM_ARENA);
    struct delivery v = { .p = p, .d = d, .ev = ev, .body = ev->msg->body,
                          .arena = &a };
    unsigned status = 0;
    char *own = NULL;

    switch (sip_msg_content(ev->msg)) {
    case SIP_CONTENT_MANSCDP:
        break;
    case SIP_CONTENT_NONE: /* a NOTIFY may say its state alone */
        if (ev->msg->method == SIP_METHOD_NOTIFY)
            device_alive(p, d);
        platform_respond(p, ev,
                         ev->msg->method == SIP_METHOD_NOTIFY ? 200 : 400);
        return;
    case SIP_CONTENT_MULTIPART:
        status = take_part(&v, ev->msg);
        break;
    case SIP_CONTENT_OTHER: /* text/plain, for one */
    case SIP_CONTENT_SDP:
    case SIP_CONTENT_MANSRTSP: /* no MESSAGE has them: XML is what it seems */
        if (sip_content_of_body(v.body) != SIP_CONTENT_MANSCDP)
            status = 415;
        break;
    }
    if (status) {
        platform_respond(p, ev, status);
        return;
    }
    if (need > PLATFORM_ARENA) {
        own = gb_get(p->alloc, need);
        if (!own) {
            platform_respond(p, ev, 500);
            return;
        }
        a = arena_of(own, need);
    }
    read_body(&v);
    gb_put(p->alloc, own);
}

/* ---- admission ---- */

/* The same address, another port: it is alive, but is only moved there when
 * a request of ours is answered from there. */
static void probe(struct platform *p, struct device *d,
                  const struct sip_peer *from)
{
    struct rare *r = device_rare_own(p, d);
    struct outgoing o;

    device_deviation(p, d, DEVIATION_PORT_MOVED, slice_of(NULL, 0));
    if (!r)
        return; /* its next message asks again */
    if (r->probe_transaction && gb_addr_eq(&r->probe.remote, &from->remote))
        return;
    if (r->probe_ms && p->now.mono_ms - r->probe_ms < PROBE_EVERY_MS)
        return;
    if (outgoing_init_at(&o, p, from, &from->remote, device_id(d),
                         SIP_METHOD_OPTIONS))
        return;
    o.r.user = d->handle.id;
    o.r.timeout_ms = 10000;
    if (sip_stack_request(p->sip, &o.r, p->now.mono_ms, &r->probe_transaction))
        r->probe_transaction = 0;
    r->probe = *from;
    r->probe_ms = p->now.mono_ms ? p->now.mono_ms : 1;
}

/* Outside of a dialog, too, some name the channel that a message is about: it is
 * of the device that is bound to exactly this peer, of those bound last where a
 * proxy has many. */
static struct device *of_channel(const struct platform *p,
                                 const struct sip_peer *peer, struct slice id)
{
    struct device *d = device_bound_to(p, peer);

    for (unsigned i = 0; d && i < CHANNEL_SENDERS_MAX; i++) {
        if (channel_find(d, id))
            return d;
        d = device_bound_next(d);
    }
    return NULL;
}

/* Whose request this is: the device of From, or of the dialog or subscription,
 * inside which From is the channel. */
static struct device *sender(const struct platform *p,
                             const struct sip_event *ev, struct slice from)
{
    const struct session *s = ev->dialog ? session_find(p, ev->user) : NULL;
    struct handle *h = idmap_find(&p->handles, ev->user);

    struct device *d;

    if (ev->subscription && h && h->kind == HANDLE_DEVICE)
        return container_of(h, struct device, handle);
    if (s && s->device)
        return s->device;
    d = device_find(p, from);
    if (!d && ev->msg->method == SIP_METHOD_MESSAGE)
        return of_channel(p, &ev->peer, from);
    if (d || ev->msg->method != SIP_METHOD_INVITE)
        return d;
    d = device_bound_to(p, &ev->peer); /* From may be its voice output */
    return d && voice_of(p, d) ? d : NULL;
}

/* A Keepalive where a REGISTER is due: devices that do not heed the 403 stay so
 * for ever, and say themselves that they are online. */
static void note_stray(struct platform *p, const struct sip_event *ev,
                       struct slice id, const struct device *d)
{
    if (ev->msg->method != SIP_METHOD_MESSAGE || !admit_is_id(id) ||
        slice_eq(id, p->id) || !admit_id_allowed(p, id))
        return;
    pending_note_stray(
        p, id, sip_msg_value(ev->msg, SIP_HDR_USER_AGENT), &ev->peer,
        d && d->bound
            ? "it sends messages from another address than it registered from: "
              "let it register again"
            : "it sends messages and is not registered: let it register again, "
              "or restart it");
}

/* The device that may send this, or NULL: it has been answered. */
static struct device *admit(struct platform *p, const struct sip_event *ev,
                            bool *moved)
{
    const struct sip_response r = { .status = 403, .expires = -1 };
    char text[PLATFORM_ID_MAX], addr[GB_ADDR_TEXT_MAX], id[LOG_TEXT_MAX];
    struct slice from = { "", 0 };
    struct device *d;

    d = sender(p, ev, platform_user(&ev->msg->from.uri, text, &from)
                          ? from
                          : SLICE(""));
    if (d && device_admits(d, &ev->peer, moved)) {
        if (!*moved && (ev->peer.connection != d->peer.connection ||
                        ev->peer.listener != d->peer.listener))
            device_bind(p, d, &ev->peer, false);
        if (!ev->dialog && ev->msg->method == SIP_METHOD_MESSAGE &&
            !slice_eq(from, device_id(d)))
            device_deviation(p, d, DEVIATION_FROM_CHANNEL, from);
        return d;
    }
    p->counters.stray_messages++;
    note_stray(p, ev, d ? device_id(d) : from, d);
    if (d) /* unknown ones have their line in the summary of the minute */
        platform_log_peer(p, PLATFORM_INFO,
                          "msg=\"request refused\" method=%.*s from=\"%s\" "
                          "peer=%s why=\"%s\"",
                          SLICE_ARG(slice_head(ev->msg->method_name, 16)),
                          log_text(from, id),
                          gb_addr_text(&ev->peer.remote, addr),
                          d->bound ? "not from the address it registered from"
                                   : "not registered");
    sip_stack_respond_stateless(p->sip, ev->transaction, &r, p->now.mono_ms);
    return NULL;
}

/* Packages that we read; whoever is subscribed to us comes with cascading. */
static void refuse_event(struct platform *p, const struct sip_event *ev)
{
    const struct sip_extra allow = { SLICE("Allow-Events"),
                                     SLICE("Catalog, presence") };
    const struct sip_response r = {
        .status = 489, .expires = -1, .extra = &allow, .n_extra = 1
    };

    sip_stack_respond(p->sip, ev->transaction, &r, p->now.mono_ms);
}

/* Devices notify without being asked, in dialogs of before a restart, or under
 * a Call-ID of their own: the body counts. */
static void on_notify(struct platform *p, struct device *d,
                      const struct sip_event *ev)
{
    p->counters.notifies++;
    if (!subscriptions_admit(p, d, ev)) {
        platform_respond(p, ev, 200); /* or it would come again */
        device_alive(p, d);
        return;
    }
    if (ev->subscription) {
        subscriptions_on_notify(p, d, ev);
    } else {
        p->counters.stray_notifies++;
        device_deviation(p, d, DEVIATION_NOTIFY_STRAY, slice_of(NULL, 0));
    }
    on_message(p, d, ev);
}

/* Only those of a broadcast are taken. One for an id that nobody here has is
 * told so, since its sender may have it from another platform. */
static void refuse_invite(struct platform *p, struct device *d,
                          const struct sip_event *ev)
{
    char text[PLATFORM_ID_MAX];
    struct slice id;
    bool known = ev->msg->to.tag.n || !ev->msg->uri.user.n; /* we, by host */

    if (!known && platform_user(&ev->msg->uri, text, &id))
        known = slice_eq(id, p->id) || device_find(p, id) ||
                channel_find(d, id);
    device_deviation(p, d, DEVIATION_INVITE_FOREIGN, slice_of(NULL, 0));
    platform_respond(p, ev, known ? 488 : 404);
}

void messages_refused(struct platform *p, const struct sip_event *ev)
{
    char text[PLATFORM_ID_MAX];
    struct slice from = { "", 0 };
    bool moved = false;
    struct device *d;

    platform_user(&ev->msg->from.uri, text, &from);
    d = sender(p, ev, from);
    if (d && device_admits(d, &ev->peer, &moved))
        voice_on_refused(p, d, ev);
}

void messages_request(struct platform *p, const struct sip_event *ev)
{
    bool moved = false;
    struct device *d = admit(p, ev, &moved);

    if (!d)
        return;
    device_deviation_sip(p, d, ev->msg);
    if (moved)
        probe(p, d, &ev->peer);
    else
        nat_heard(p, d);
    switch (ev->msg->method) {
    case SIP_METHOD_MESSAGE:
        on_message(p, d, ev);
        return;
    case SIP_METHOD_NOTIFY:
        on_notify(p, d, ev);
        return;
    case SIP_METHOD_OPTIONS:
        platform_respond(p, ev, 200);
        break;
    case SIP_METHOD_INFO: /* belongs to a call (RFC 6086 §4.2.2) */
        platform_respond(p, ev, ev->dialog ? 200 : 481);
        break;
    case SIP_METHOD_INVITE:
        if (!voice_on_invite(p, d, ev) && !session_on_reinvite(p, ev))
            refuse_invite(p, d, ev);
        break;
    case SIP_METHOD_SUBSCRIBE:
        refuse_event(p, ev);
        break;
    case SIP_METHOD_REGISTER: /* the registrar's */
    case SIP_METHOD_BYE: /* these the stack has answered */
    case SIP_METHOD_CANCEL:
    case SIP_METHOD_ACK:
    case SIP_METHOD_PRACK:
    case SIP_METHOD_UPDATE:
    case SIP_METHOD_REFER:
    case SIP_METHOD_PUBLISH:
    case SIP_METHOD_OTHER:
    case SIP_METHOD_COUNT:
        break;
    }
    device_alive(p, d);
}
