/* Dialogs that have ended here and may still live in a device: those of sessions
 * whose BYE is not answered yet, and those of an earlier process. */
#include "app/platform/dialogs.h"

#include "app/platform/core.h"
#include "app/platform/outgoing.h"
#include "app/platform/way.h"

#include "sip/uri.h"

#define DIALOG_ANSWERED_MS 60000 /* an answered one is known: as long as its
                                    number rests */
#define UNSTORED_MAX 64 /* requests in a dialog that may have gone out since it
                           was stored; a gap is no fault (RFC 3261 §12.2.2) */

static struct slice append(char *text, size_t *at, struct slice s)
{
    struct slice out = { text + *at, s.n };

    if (s.n)
        memcpy(text + *at, s.p, s.n);
    *at += s.n;
    return out;
}

/* No BYE of it is awaited any more. */
static void bye_over(struct platform *p, struct kept_dialog *k)
{
    if (!k->handle.id)
        return;
    idmap_remove(&p->handles, k->handle.id);
    k->handle.id = 0;
    p->n_byes--;
}

/* The owner need not store it any more. */
static void tell(struct platform *p, struct kept_dialog *k)
{
    if (k->key && list_is_empty(&k->closed))
        list_push_back(&p->closed_dialogs, &k->closed);
}

static void set_due(struct platform *p, struct kept_dialog *k, bool due)
{
    if (due && !k->due)
        p->n_due_dialogs++;
    else if (!due && k->due)
        p->n_due_dialogs--;
    k->due = due;
}

static void leave_list(struct platform *p, struct kept_dialog *k)
{
    timerq_stop(&p->timers, &k->timer);
    list_remove(&k->node);
    if (k->answered)
        p->n_answered_dialogs--;
    else
        p->n_kept_dialogs--;
}

/* No longer one of those that may live; freed now, or when that is told. */
static void forget(struct platform *p, struct kept_dialog *k)
{
    bye_over(p, k);
    set_due(p, k, false);
    leave_list(p, k);
    k->kept = false;
    if (k->key)
        tell(p, k);
    else
        gb_put(p->alloc, k);
}

static struct slice user_of(struct slice text)
{
    struct sip_uri uri;

    return sip_uri_parse(&uri, text, NULL) || !sip_uri_is_sip(&uri)
               ? slice_of("", 0)
               : uri.user;
}

static struct kept_dialog *keep(struct platform *p,
                                const struct sip_dialog_state *d,
                                const struct sip_peer *peer,
                                struct slice device)
{
    size_t n = d->call_id.n + d->local_uri.n + d->remote_uri.n +
               d->local_tag.n + d->remote_tag.n + d->target.n + device.n;
    struct kept_dialog *k = gb_get(p->alloc, sizeof(*k) + n);

    if (!k)
        return NULL;
    n = 0;
    k->handle.kind = HANDLE_DIALOG;
    list_init(&k->node);
    list_init(&k->closed);
    timerq_node_init(&k->timer, TIMER_DIALOG);
    k->state.call_id = append(k->text, &n, d->call_id);
    k->state.local_uri = append(k->text, &n, d->local_uri);
    k->state.remote_uri = append(k->text, &n, d->remote_uri);
    k->state.local_tag = append(k->text, &n, d->local_tag);
    k->state.remote_tag = append(k->text, &n, d->remote_tag);
    k->state.target = append(k->text, &n, d->target);
    k->state.local_cseq = d->local_cseq;
    k->device = append(k->text, &n, device);
    k->channel = user_of(k->state.remote_uri);
    k->contact = user_of(k->state.target);
    k->peer = *peer;
    list_push_back(&p->kept_dialogs, &k->node);
    k->kept = true;
    if (++p->n_kept_dialogs > p->cfg.max_sessions + PLATFORM_MAX_DIALOGS_KEPT)
        forget(p, container_of(p->kept_dialogs.next, struct kept_dialog, node));
    return k;
}

static struct kept_dialog *first_of(const struct list *l)
{
    return list_is_empty(l) ? NULL
                            : container_of(l->next, struct kept_dialog, node);
}

void dialogs_fini(struct platform *p)
{
    struct kept_dialog *k;
    struct list *n;

    while ((k = first_of(&p->kept_dialogs)) ||
           (k = first_of(&p->answered_dialogs)))
        forget(p, k);
    while ((n = list_pop_front(&p->closed_dialogs)))
        gb_put(p->alloc, container_of(n, struct kept_dialog, closed));
}

/* A BYE is about to go out: its end is to find k. false: it cannot. */
static bool await_bye(struct platform *p, struct kept_dialog *k)
{
    if (k->handle.id || idmap_add(&p->handles, &k->handle, &k->handle.id))
        return false;
    p->n_byes++;
    return true;
}

/* BYE. What cannot be sent now, or whose end would find nobody, is due again.
 * d: whose dialog it is, NULL: that is not known. */
static void send_bye(struct platform *p, struct kept_dialog *k,
                     const struct device *d, const struct sip_peer *to)
{
    bool awaited = await_bye(p, k);
    struct sip_request r = { .peer = *to };
    struct sip_login login;
    int err;

    if (d && gb_addr_eq(&to->remote, &d->peer.remote))
        outgoing_log_in(p, d, &r);
    k->peer = r.peer;
    login = (struct sip_login){ r.username, r.password };
    k->login = login.username.n > 0;
    err = sip_stack_bye_orphan(p->sip, &k->state, &r.peer,
                               k->login ? &login : NULL,
                               awaited ? k->handle.id : 0, p->now.mono_ms);
    if (!err)
        k->state.local_cseq += 1 + k->login; /* that of the second, too */
    else if (awaited)
        bye_over(p, k);
    set_due(p, k, !k->handle.id);
}

/* The device knows. It is kept for a while all the same, since some of them go
 * on sending; it is not one of those that a 486 is about. */
static void set_answered(struct platform *p, struct kept_dialog *k)
{
    leave_list(p, k);
    k->answered = true;
    list_push_back(&p->answered_dialogs, &k->node);
    timerq_set(&p->timers, &k->timer, p->now.mono_ms + DIALOG_ANSWERED_MS);
    tell(p, k);
    if (++p->n_answered_dialogs > PLATFORM_MAX_DIALOGS_ANSWERED)
        forget(p, first_of(&p->answered_dialogs));
}

/* Once, whatever becomes of it. */
static void bye_again(struct platform *p, struct kept_dialog *k)
{
    const struct device *d = device_find(p, k->device);

    if (k->answered) {
        leave_list(p, k);
        k->answered = false;
        list_push_back(&p->kept_dialogs, &k->node);
        p->n_kept_dialogs++;
    }
    k->again = true;
    send_bye(p, k, d, d && d->bound ? &d->peer : &k->peer);
}

void dialog_on_timer(struct platform *p, struct timerq_node *n)
{
    forget(p, container_of(n, struct kept_dialog, timer));
}

static void media_after(struct platform *p, struct kept_dialog *k,
                        const struct platform_media_event *ev)
{
    struct device *d = device_find(p, k->device);

    if (d)
        device_deviation_of(p, d, DEVIATION_MEDIA_AFTER, k->state.call_id,
                            &ev->from);
    k->goes_on = true;
    if (!k->handle.id && !k->due) /* else it is being told */
        bye_again(p, k);
}

static struct kept_dialog *of_session(const struct list *l, uint64_t session)
{
    for (const struct list *n = l->next; n != l; n = n->next) {
        struct kept_dialog *k = container_of(n, struct kept_dialog, node);

        if (k->session == session && !k->goes_on)
            return k;
    }
    return NULL;
}

void dialogs_media_after(struct platform *p,
                         const struct platform_media_event *ev)
{
    struct kept_dialog *k;

    if (!ev->session)
        return;
    k = of_session(&p->answered_dialogs, ev->session);
    if (!k)
        k = of_session(&p->kept_dialogs, ev->session);
    if (k)
        media_after(p, k, ev);
}

/* The only one that has a channel of this id. */
static struct device *only_owner(const struct platform *p, struct slice channel)
{
    struct map_node *n = map_find(&p->channels, channel);

    return n && !map_find_next(n)
               ? container_of(n, struct channel, node)->device
               : NULL;
}

/* One that has never been anywhere has no dialog. */
static struct device *been(const struct platform *p, struct slice id)
{
    struct device *d = device_find(p, id);

    return d && d->peer.remote.family != GB_NO_ADDR ? d : NULL;
}

/* Of one that an earlier process began, too: who answered, or was called. */
static struct device *device_of(const struct platform *p,
                                const struct kept_dialog *k)
{
    struct device *d = been(p, k->device.n ? k->device : k->contact);

    if (!d && !k->device.n)
        d = been(p, k->channel);
    if (!d && !k->device.n)
        d = only_owner(p, k->channel);
    return d;
}

/* The device wants to know who ends it, and hears that once: now, or when it has
 * proven its own password; never where it has not proven it (way.c). */
static bool log_in(struct platform *p, struct kept_dialog *k,
                   const struct sip_event *ev)
{
    struct device *d = device_of(p, k);

    if (!d || ev->kind != SIP_EV_RESPONSE)
        return false;
    way_note(p, d, ev);
    if ((ev->status != 401 && ev->status != 407) || k->login)
        return false;
    k->asked = !d->has_proven;
    if (k->asked)
        set_due(p, k, true);
    else if (outgoing_has_login(d))
        send_bye(p, k, d, &d->peer);
    return k->asked || k->handle.id != 0;
}

/* A device may come back from another address, and several of them share that of
 * one router: one of them would answer for the others that it knows of no such
 * dialog. What an earlier process began is told apart by the channel that was
 * called, or by the Contact of who answered; by the address only where these say
 * nothing. */
static bool is_of(const struct platform *p, const struct kept_dialog *k,
                  const struct device *d)
{
    const struct device *owner;

    if (k->device.n)
        return slice_eq(k->device, device_id(d));
    if (slice_eq(k->channel, device_id(d)) ||
        slice_eq(k->contact, device_id(d)))
        return true;
    owner = only_owner(p, k->channel);
    if (owner)
        return owner == d;
    return !been(p, k->channel) && !been(p, k->contact) &&
           gb_addr_ip_eq(&k->peer.remote, &d->peer.remote);
}

/* Its BYE had no way. The device may be back on another one already; where
 * nothing tells whose it is, it is a device at that address. */
static void lost_way(struct platform *p, struct kept_dialog *k)
{
    struct device *d = device_of(p, k);
    bool by_address = !d;

    set_due(p, k, true);
    if (by_address)
        d = device_at(p, &k->peer.remote);
    for (; d && k->due; d = by_address ? device_at_next(d) : NULL)
        if (is_of(p, k, d) && way_is_another(d, &k->peer))
            dialogs_end_due(p, d);
}

/* The owner may forget it: answered, whatever the answer, or 64*T1 of trying.
 * Only a way that was lost is worth another try, on the device's next one. The
 * dialog itself is remembered: after a 486 it is one to end. */
void dialog_on_bye(struct platform *p, struct kept_dialog *k,
                   const struct sip_event *ev)
{
    if (ev->kind == SIP_EV_RESPONSE && ev->status < 200)
        return;
    bye_over(p, k);
    if (log_in(p, k, ev))
        return;
    if (ev->kind == SIP_EV_RESPONSE && k->session && !k->again)
        set_answered(p, k);
    else if (ev->kind == SIP_EV_RESPONSE)
        forget(p, k);
    else if (ev->status == 503 && k->peer.transport != SIP_UDP)
        lost_way(p, k);
    else if (k->goes_on && !k->again)
        bye_again(p, k);
    else
        tell(p, k);
}

/* One that was asked for a password waits until there is one to tell. */
static bool may_try(const struct kept_dialog *k, const struct device *d)
{
    return k->due && (!k->asked || outgoing_has_login(d));
}

/* only_due: for those that have not had one. */
static void bye_kept(struct platform *p, const struct device *d, bool only_due)
{
    struct list *n, *tmp;

    LIST_EACH(n, tmp, &p->kept_dialogs) {
        struct kept_dialog *k = container_of(n, struct kept_dialog, node);

        if ((!only_due || may_try(k, d)) && is_of(p, k, d))
            send_bye(p, k, d, &d->peer);
    }
}

void dialogs_end(struct platform *p, const struct device *d)
{
    bye_kept(p, d, false);
}

void dialogs_end_due(struct platform *p, const struct device *d)
{
    if (p->n_due_dialogs && way_is_there(d))
        bye_kept(p, d, true);
}

int platform_restore_dialog(struct platform *p, uint64_t key,
                            const struct sip_dialog_state *d,
                            const struct sip_peer *peer, struct gb_time now)
{
    struct sip_peer to = *peer;
    struct kept_dialog *k;

    clock_at(p, now);
    if (to.transport > SIP_TLS)
        return GB_ESYNTAX;
    to.connection = 0;
    k = keep(p, d, &to, slice_of(NULL, 0));
    if (!k)
        return GB_ENOMEM;
    k->key = key;
    k->state.local_cseq += UNSTORED_MAX;
    if (to.transport == SIP_UDP)
        send_bye(p, k, NULL, &to);
    else
        set_due(p, k, true);
    return 0;
}

static bool has_of_channel(const struct list *l, const struct device *d,
                           struct slice channel)
{
    for (const struct list *n = l->next; n != l; n = n->next) {
        const struct kept_dialog *k = container_of(n, struct kept_dialog, node);

        if (slice_eq(k->channel, channel) && slice_eq(k->device, device_id(d)))
            return true;
    }
    return false;
}

bool dialogs_ended_of(const struct platform *p, const struct device *d,
                      struct slice channel)
{
    return has_of_channel(&p->answered_dialogs, d, channel) ||
           has_of_channel(&p->kept_dialogs, d, channel);
}

/* BYE, or what else ends it. k: who remembers it and awaits its BYE; NULL: there
 * is none to come, or no memory. */
static struct kept_dialog *end(struct platform *p, const struct device *d,
                               uint64_t dialog)
{
    struct sip_dialog_state state;
    struct kept_dialog *k = NULL;
    struct sip_request r = { .user = 0 };

    if (d && !sip_stack_dialog_state(p->sip, dialog, &state))
        k = keep(p, &state, &d->peer, device_id(d));
    if (!k || !await_bye(p, k)) {
        sip_stack_end(p->sip, dialog, p->now.mono_ms);
        return NULL;
    }
    r.user = k->handle.id;
    outgoing_log_in(p, d, &r);
    if (!sip_stack_leave(p->sip, dialog, &r, p->now.mono_ms))
        bye_over(p, k);
    k->login = r.username.n > 0;
    k->state.local_cseq += 1 + k->login; /* as in send_bye */
    return k;
}

bool dialog_tell(struct platform *p, const struct device *d,
                 struct open_dialog *o, struct platform_action *out)
{
    if (o->id && d && !sip_stack_dialog_state(p->sip, o->id, &out->dialog)) {
        out->kind = PLATFORM_DIALOG_OPENED;
        out->peer = d->peer;
        while (!o->key)
            o->key = platform_random(p);
        out->dialog_key = o->key;
        return true;
    }
    if (!o->id && o->key) {
        out->kind = PLATFORM_DIALOG_CLOSED;
        out->dialog_key = o->key;
        o->key = 0;
        return true;
    }
    return false;
}

void dialog_end(struct platform *p, const struct device *d,
                struct open_dialog *o, uint64_t session)
{
    struct kept_dialog *k;

    if (!o->id)
        return;
    k = end(p, d, o->id);
    if (k)
        k->session = session;
    if (k && k->handle.id) {
        k->key = o->key;
        o->key = 0;
    }
    o->id = 0;
}

void session_end_dialog(struct platform *p, struct session *s)
{
    if (!s->dialog.id)
        return;
    dialog_end(p, s->device, &s->dialog, s->handle.id);
    session_news(p, s, NEWS_DIALOG);
}
