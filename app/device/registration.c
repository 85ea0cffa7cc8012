/* The registering role's REGISTER: digest, refresh,
 * redirection. */
#include "app/device/device_impl.h"

#include "sip/value.h"

#include <stdio.h>

#define MAX_REDIRECTS 5 /* §3.6 */
#define MAX_STALE 3 /* a server that always says so will not have us */
#define MAX_WAIT_S 3600 /* of a Retry-After that is obeyed */
#define CLOCK_OFF_S 28800 /* of clock_off */
#define BACK_OFF_MS 1000 /* shortest pause, before chance shortens it */

static const struct slice nothing = { NULL, 0 };

static void say(struct device *d, const char *text, unsigned status)
{
    struct device_action a = { .kind = DEVICE_STATE, .text = text,
                               .status = status };

    device_push(d, &a);
}

static void forget_login(struct device *d)
{
    d->login = (struct device_login){ 0 };
}

/* ---- another server ---- */

static void set_server(struct device *d, const struct gb_addr *remote,
                       const char *id)
{
    d->c.server_id = id;
    d->c.server.remote = *remote;
    d->call_id_len = 0;
    forget_login(d);
    if (d->c.server.transport != SIP_UDP && d->c.server.connection) {
        struct device_action a = { .kind = DEVICE_DO_DISCONNECT };

        d->c.server.connection = 0;
        device_push(d, &a);
    }
}

/* Back to where it began: the server that it was sent to does not want it, or
 * the time of the redirection is over. */
static void go_home(struct device *d)
{
    struct gb_addr remote = d->home.remote;

    if (!d->moved_until_ms)
        return;
    d->moved_until_ms = 0;
    set_server(d, &remote, d->home_id);
}

void device_go_offline(struct device *d, struct gb_time now, uint64_t wait_ms,
                       const char *why, unsigned status)
{
    bool was_online = d->state == DEVICE_ONLINE;

    d->state = DEVICE_OFFLINE;
    d->register_ms = now.mono_ms + wait_ms;
    d->keepalive_ms = GB_NEVER;
    d->call_id_len = 0;
    d->n_lists = 0;
    device_forget_watches(d, now);
    d->redirects = 0;
    forget_login(d);
    if (was_online)
        device_end_sessions(d, now);
    go_home(d);
    say(d, why, status);
}

uint64_t device_back_off(struct device *d)
{
    uint64_t most = d->c.retry_ms, ms = most / 16;
    char token[16];
    uint32_t chance = 0;

    if (ms < BACK_OFF_MS)
        ms = BACK_OFF_MS;
    for (unsigned i = 0; i < d->failures && ms < most; i++)
        ms *= 2;
    if (ms > most)
        ms = most;
    d->failures++;
    sip_stack_token(d->c.sip, token);
    for (size_t i = 0; i < sizeof(token); i++)
        chance = chance * 31 + (uint8_t)token[i];
    return ms - chance % (ms / 2 + 1);
}

/* Is it a server that we can go to, and another one? */
static bool target_of(const struct device *d, const struct sip_msg *m,
                      struct gb_addr *remote, char id[DEVICE_ID_MAX + 1])
{
    struct sip_addr contact;
    struct slice user;

    return d->redirects < MAX_REDIRECTS && !sip_msg_contact(m, &contact) &&
           !contact.is_star && !sip_uri_addr(&contact.uri, 5060, remote) &&
           sip_uri_user(&contact.uri, id, DEVICE_ID_MAX + 1, &user) &&
           user.n && slice_copy(id, DEVICE_ID_MAX + 1, user) &&
           !(gb_addr_eq(remote, &d->c.server.remote) &&
             slice_eq(user, slice_str(d->c.server_id)));
}

static void on_redirect(struct device *d, const struct sip_event *ev,
                        struct gb_time now)
{
    char id[DEVICE_ID_MAX + 1];
    struct gb_addr remote;
    int64_t expires_s = sip_msg_expires(ev->msg, NULL);

    if (d->state == DEVICE_STOPPING || !target_of(d, ev->msg, &remote, id)) {
        device_go_offline(d, now, d->c.retry_ms, "redirection refused",
                          ev->status);
        return;
    }
    if (!d->moved_until_ms) {
        d->home = d->c.server;
        d->home_id = d->c.server_id;
    }
    d->redirects++;
    if (expires_s <= 0)
        expires_s = d->c.expires_s;
    d->moved_until_ms = now.mono_ms + (uint64_t)expires_s * 1000;
    slice_copy(d->moved_id, sizeof(d->moved_id), slice_str(id));
    set_server(d, &remote, d->moved_id);
    d->state = DEVICE_OFFLINE;
    say(d, "redirected", ev->status);
    device_register(d, now);
}

/* ---- credentials ---- */

/* The challenge that is kept, with its next nonce; false: none. */
static bool kept_challenge(const struct device *d, struct sip_challenge *c)
{
    const struct device_login *l = &d->login;

    if (l->n == 0 || sip_challenge_parse(c, slice_of(l->challenge, l->n)))
        return false;
    if (*l->nextnonce)
        c->nonce = slice_str(l->nextnonce);
    return true;
}

static struct sip_answer answer_of(const struct device *d)
{
    return (struct sip_answer){
        .username = slice_str(d->c.id),
        .password = slice_str(d->c.password),
        .method = SLICE("REGISTER"),
        .uri = slice_str(d->login.uri),
        .cnonce = slice_of(d->login.cnonce, sizeof(d->login.cnonce)),
        .nc = d->login.nc,
    };
}

/* Writes what answers c. */
static bool answer(struct device *d, const struct sip_challenge *c,
                   struct writer *w)
{
    char addr[GB_ADDR_TEXT_MAX];
    struct sip_answer a;

    snprintf(d->login.uri, sizeof(d->login.uri), "sip:%s@%s", d->c.server_id,
             gb_addr_text(&d->c.server.remote, addr));
    sip_stack_token(d->c.sip, d->login.cnonce);
    d->login.nc++;
    a = answer_of(d);
    return sip_answer_write(w, c, &a) == 0;
}

/* credentials: the value of Authorization, empty for none. */
static void send_register(struct device *d, struct slice credentials,
                          struct gb_time now)
{
    struct device_request_text t;
    struct sip_request r;
    struct sip_extra extra[3];
    char date[64];
    struct writer w = writer_of(date, sizeof(date));
    uint64_t id;

    device_request(d, &r, &t, SIP_METHOD_REGISTER);
    if (d->call_id_len == 0) { /* a new registration */
        sip_stack_token(d->c.sip, d->call_id);
        sip_stack_token(d->c.sip, d->from_tag);
        d->call_id_len = 16;
        d->cseq = 0;
    }
    r.call_id = slice_of(d->call_id, d->call_id_len);
    r.from_tag = slice_of(d->from_tag, 16);
    r.cseq = ++d->cseq;
    r.contact = slice_str(t.contact);
    r.expires = d->state == DEVICE_STOPPING ? 0 : d->c.expires_s;
    r.user = device_user(d, FOR_REGISTER);
    r.extra = extra;
    if (credentials.n)
        extra[r.n_extra++] = (struct sip_extra){
            d->login.proxy ? SLICE("Proxy-Authorization")
                           : SLICE("Authorization"),
            credentials,
        };
    extra[r.n_extra++] = (struct sip_extra){
        SLICE("X-GB-Ver"),
        slice_str(manscdp_edition_ver(d->c.dialect.edition)),
    };
    if (d->c.faults.clock_off) {
        sip_date_write(&w, now.utc_ms, SIP_BEIJING_S + CLOCK_OFF_S);
        extra[r.n_extra++] = (struct sip_extra){ SLICE("Date"),
                                                 writer_slice(&w) };
    }
    d->n.registers++;
    d->login.answered = credentials.n > 0;
    if (sip_stack_request(d->c.sip, &r, now.mono_ms, &id))
        device_go_offline(d, now, d->c.retry_ms, "REGISTER could not be sent",
                          0);
}

void device_register(struct device *d, struct gb_time now)
{
    char buf[1024];
    struct writer w = writer_of(buf, sizeof(buf));
    struct sip_challenge c;

    d->register_ms = GB_NEVER;
    if (d->moved_until_ms && now.mono_ms >= d->moved_until_ms &&
        d->state == DEVICE_OFFLINE)
        go_home(d);
    if (d->c.server.transport != SIP_UDP && !d->c.server.connection) {
        struct device_action a = { .kind = DEVICE_DO_CONNECT,
                                   .remote = d->c.server.remote };

        d->register_ms = now.mono_ms + d->c.retry_ms;
        device_push(d, &a);
        return;
    }
    if (d->state == DEVICE_OFFLINE)
        d->state = DEVICE_REGISTERING;
    /* the nonce that the last answer gave for this one (RFC 7616 §3.5) */
    if (*d->login.nextnonce && kept_challenge(d, &c)) {
        d->login.nc = 0;
        if (answer(d, &c, &w)) {
            send_register(d, writer_slice(&w), now);
            return;
        }
    }
    send_register(d, nothing, now);
}

/* The challenge is kept while the answer to it is under way: the server may
 * prove itself with it, or hand the next nonce. */
static void keep_challenge(struct device *d, const struct sip_msg *m,
                           const struct sip_challenge *c, bool proxy)
{
    const struct sip_field *f = sip_msg_field(
        m, proxy ? SIP_HDR_PROXY_AUTHENTICATE : SIP_HDR_WWW_AUTHENTICATE);
    uint8_t n_stale = d->login.answered && c->stale ? d->login.stale + 1 : 0;

    forget_login(d);
    d->login.stale = n_stale;
    d->login.proxy = proxy;
    for (; f; f = sip_field_next(m, f)) {
        struct slice v = f->value;

        /* it is the one that c points into */
        if (c->nonce.p < v.p || c->nonce.p >= v.p + v.n ||
            v.n > sizeof(d->login.challenge))
            continue;
        memcpy(d->login.challenge, v.p, v.n);
        d->login.n = v.n;
    }
}

static void on_challenge(struct device *d, const struct sip_event *ev,
                         struct gb_time now)
{
    bool proxy = ev->status == 407;
    bool nextnonce = *d->login.nextnonce != '\0';
    struct sip_challenge c;
    char buf[1024];
    struct writer w = writer_of(buf, sizeof(buf));
    int err = sip_challenge_pick(&c, ev->msg,
                                 proxy ? SIP_HDR_PROXY_AUTHENTICATE
                                       : SIP_HDR_WWW_AUTHENTICATE);

    if (!err && d->login.answered && !nextnonce &&
        (!c.stale || d->login.stale == MAX_STALE)) {
        device_go_offline(d, now, d->c.retry_ms,
                          c.stale ? "every nonce is stale" : "password refused",
                          ev->status);
        return;
    }
    if (!err)
        keep_challenge(d, ev->msg, &c, proxy);
    if (err || !answer(d, &c, &w)) {
        device_go_offline(d, now, d->c.retry_ms,
                          err == GB_EUNSUPPORTED
                              ? "no challenge of the server is supported"
                              : "challenge not understood",
                          ev->status);
        return;
    }
    send_register(d, writer_slice(&w), now);
}

/* Authentication-Info of a 200. false: the server does not know the password
 * that it let us in with. */
static bool read_info(struct device *d, const struct sip_msg *m)
{
    struct slice value = sip_msg_value(m, SIP_HDR_AUTHENTICATION_INFO);
    struct sip_answer a = answer_of(d);
    struct sip_auth_info i;
    struct sip_challenge c;

    sip_auth_info_parse(&i, value);
    if (d->login.answered && kept_challenge(d, &c) &&
        !sip_auth_info_check(&i, &c, &a))
        return false;
    if (i.nextnonce.n == 0 || !slice_copy(d->login.nextnonce,
                                          sizeof(d->login.nextnonce),
                                          i.nextnonce))
        *d->login.nextnonce = '\0';
    return true;
}

/* ---- answers ---- */

static void on_registered(struct device *d, const struct sip_event *ev,
                          struct gb_time now)
{
    struct sip_addr contact;
    bool has_contact = sip_msg_contact(ev->msg, &contact) == 0;
    int64_t expires = sip_msg_expires(ev->msg, has_contact ? &contact : NULL);

    if (d->state == DEVICE_STOPPING) {
        d->state = DEVICE_STOPPED;
        say(d, "unregistered", 200);
        return;
    }
    if (!read_info(d, ev->msg)) {
        device_go_offline(d, now, d->c.retry_ms,
                          "the server does not know the password", 200);
        return;
    }
    d->redirects = 0;
    if (expires <= 0)
        expires = d->c.expires_s; /* granted what was asked */
    d->register_ms = now.mono_ms + (uint64_t)expires * 800; /* 80 % */
    d->misses = d->failures = 0;
    if (d->state != DEVICE_ONLINE) {
        d->state = DEVICE_ONLINE;
        d->keepalive_ms = now.mono_ms + 1000 * d->c.keepalive_s;
        say(d, "online", 200);
    }
}

/* 423: once more, with what the server wants at least (RFC 3261 §10.2.8). */
static bool asks_for_longer(struct device *d, const struct sip_event *ev,
                            struct gb_time now)
{
    uint32_t min_s;

    if (ev->status != 423 ||
        !sip_seconds_parse(sip_msg_value(ev->msg, SIP_HDR_MIN_EXPIRES),
                           &min_s) ||
        min_s <= d->c.expires_s || d->state == DEVICE_STOPPING)
        return false;
    d->c.expires_s = min_s;
    device_register(d, now);
    return true;
}

/* Not before what the server asks for, and not for ever. */
static uint64_t wait_ms(const struct device *d, const struct sip_msg *m)
{
    uint64_t ms = d->c.retry_ms;
    uint32_t s;

    if (sip_retry_after_parse(sip_msg_value(m, SIP_HDR_RETRY_AFTER), &s))
        ms = (s < MAX_WAIT_S ? s : MAX_WAIT_S) * 1000ull;
    return ms;
}

void device_on_register(struct device *d, const struct sip_event *ev,
                        struct gb_time now)
{
    if (ev->kind == SIP_EV_FAILED) {
        if (d->state == DEVICE_STOPPING)
            d->state = DEVICE_STOPPED;
        else
            device_go_offline(d, now, device_back_off(d),
                              "server does not answer", ev->status);
        return;
    }
    if (ev->status < 200 || asks_for_longer(d, ev, now))
        return;
    if (ev->status == 401 || ev->status == 407)
        on_challenge(d, ev, now);
    else if (ev->status < 300)
        on_registered(d, ev, now);
    else if (ev->status == 302)
        on_redirect(d, ev, now);
    else if (d->state == DEVICE_STOPPING)
        d->state = DEVICE_STOPPED;
    else
        device_go_offline(d, now, wait_ms(d, ev->msg), "registration refused",
                          ev->status);
}
