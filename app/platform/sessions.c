/* Sessions: from the first wish to see a channel until the last trace is gone.
 * One object owns the dialog, the SSRC, the port, the orders to the media edge
 * and the timer; session_free is the only way out. What only recordings have
 * is in playback.c.
 *
 *   live_start ─► OPENING ─► INVITING ─► MEDIA ─► CLOSING ─► GONE ─► freed
 *                    ▲          ▲  │       │         ▲
 *                    │          └──┴─ WAITING        │ every failure, stop
 *                    └──────────────── REOPENING ────┘
 *
 * What the caller sees (STARTING, PLAYING, STOPPING, FAILED, and the step) is
 * kept beside the phase. */
#include "app/platform/core.h"
#include "app/platform/dialogs.h"
#include "app/platform/doctor.h"
#include "app/platform/takeover.h"
#include "app/platform/way.h"

#include "base/writer.h"

#include <assert.h>

#define HOLD_MS 10000       /* at least, for the first consumer to come */
#define MOMENT_MS 500       /* of a picture that nobody has watched */
#define CLOSED_MS 10000     /* for the media edge to confirm a CLOSE */
#define MAX_RESTARTS 3
#define LONG_PLAY_MS 30000  /* then earlier restarts are forgotten */

const char *platform_session_kind_name(enum platform_session_kind k)
{
    static const char *const name[PLATFORM_SESSION_KINDS] = {
#define X(id, text) text,
        PLATFORM_SESSION_KIND_MAP(X)
#undef X
    };

    return name[k];
}

const char *transport_text(enum platform_transport t)
{
    switch (t) {
    case PLATFORM_AUTO:
        break;
    case PLATFORM_UDP:
        return "UDP";
    case PLATFORM_TCP_PASSIVE:
        return "TCP (we listen)";
    case PLATFORM_TCP_ACTIVE:
        return "TCP (we connect)";
    }
    return "any transport";
}

/* ---- time ---- */

static void no_deadlines(struct session *s)
{
    s->answer_at = s->packet_at = s->tcp_at = s->program_at = s->key_at =
        s->silence_at = s->retry_at = s->closed_at = s->reconnect_at =
            s->drained_at = s->anew_at = GB_NEVER;
}

void session_arm(struct platform *p, struct session *s)
{
    const uint64_t at[] = { s->answer_at,  s->packet_at, s->tcp_at,
                            s->program_at, s->key_at,    s->silence_at,
                            s->idle_at,    s->retry_at,  s->closed_at,
                            s->reconnect_at, s->drained_at, s->anew_at };
    uint64_t min = GB_NEVER;

    for (size_t i = 0; i < sizeof(at) / sizeof(*at); i++)
        if (at[i] < min)
            min = at[i];
    timerq_set(&p->timers, &s->timer, min);
}

void session_set_step(struct platform *p, struct session *s,
                      enum platform_step step)
{
    uint64_t ms = p->now.mono_ms - s->begun_ms;

    if (!s->step_ms[step])
        s->step_ms[step] = ms ? (uint32_t)ms : 1;
    if (step > s->step)
        s->step = step;
    session_news(p, s, NEWS_CHANGED);
}

/* ---- the end ---- */

void session_give_ssrc(struct platform *p, struct session *s)
{
    if (s->offered_ssrc)
        ssrc_pool_give(&p->ssrcs, s->offered_ssrc, p->now.mono_ms);
    s->offered_ssrc = 0;
}

static void give_port(struct platform *p, struct session *s)
{
    if (s->port_lent)
        port_pool_give(&p->ports, s->port, p->now.mono_ms);
    s->port_lent = false; /* the number is still shown */
}

static bool needs_own_port(const struct session *s)
{
    return s->tried & TRIED_OWN_PORT ||
           (s->device && device_has_noted(s->device, DEVIATION_SSRC_IGNORED));
}

/* Ports of their own as long as a tenth of them is left. */
static bool are_scarce(const struct platform *p)
{
    uint32_t tenth = (p->ports.rest.n + 9) / 10;

    return !rest_pool_has(&p->ports.rest, tenth, p->now.mono_ms);
}

/* The old one, if there is one, rests. 0 or GB_ELIMIT. */
int session_take_port(struct platform *p, struct session *s)
{
    int err;

    give_port(p, s);
    s->shared = p->shared_port && !needs_own_port(s) &&
                (p->share_always || are_scarce(p));
    if (!s->shared) {
        err = port_pool_take(&p->ports, p->now.mono_ms, &s->port);
        s->port_lent = !err;
        if (!err || !p->shared_port)
            return err;
        s->shared = true; /* better than none */
    }
    s->port = p->shared_port;
    return 0;
}

bool session_ssrc_is_taken(const struct platform *p, const struct session *s,
                           uint32_t ssrc)
{
    const struct list *n;

    for (n = p->sessions.next; n != &p->sessions; n = n->next) {
        const struct session *o = container_of(n, struct session, in_all);

        if (o != s && o->shared && o->phase != PHASE_GONE &&
            (o->ssrc == ssrc || o->offered_ssrc == ssrc))
            return true;
    }
    return false;
}

static void set_channel_session(struct platform *p, const struct session *s,
                                uint64_t from, uint64_t to)
{
    struct channel *c =
        s->device && s->stream == 0 && s->kind == PLATFORM_LIVE
            ? channel_find(s->device, session_channel(s))
            : NULL;

    if (!c || c->session != from)
        return;
    c->session = to;
    channel_changed(p, c);
}

/* Frees all that a session can own, in whatever state it is. */
void session_free(struct platform *p, struct session *s)
{
    session_end_dialog(p, s);
    session_give_ssrc(p, s);
    give_port(p, s);
    timerq_stop(&p->timers, &s->timer);
    list_remove(&s->in_all);
    list_remove(&s->in_device);
    list_remove(&s->dirty);
    idmap_remove(&p->handles, s->handle.id);
    p->n_sessions--;
    gb_put(p->alloc, s);
}

/* Nothing is left at the media edge. */
void session_closed(struct platform *p, struct session *s)
{
    s->open = s->ordered = s->closing = false;
    s->had_key = s->had_sound = false;
    s->closed_at = GB_NEVER;
    if (s->phase == PHASE_REOPENING) {
        s->phase = PHASE_OPENING;
        if (session_take_port(p, s)) {
            session_fail(p, s, PLATFORM_STEP_SOCKET,
                         "widen media.ports or stop other sessions",
                         "no RTP port is free and rested");
            return;
        }
        s->open = true;
        session_news(p, s, NEWS_OPEN);
        session_arm(p, s);
        return;
    }
    s->phase = PHASE_GONE;
    no_deadlines(s);
    s->idle_at = GB_NEVER;
    session_arm(p, s);
    give_port(p, s);
    session_give_ssrc(p, s);
    set_channel_session(p, s, s->handle.id, 0);
    list_remove(&s->in_device);
    downloads_on_session(p, s);
    session_news(p, s, NEWS_GONE);
}

static void order_close(struct platform *p, struct session *s)
{
    if (!s->closing)
        session_news(p, s, NEWS_CLOSE);
    s->closing = true;
    s->closed_at = p->now.mono_ms + CLOSED_MS;
    session_arm(p, s);
}

/* What came of it is remembered at the channel, but for failures of our own. */
static void observe_end(struct platform *p, const struct session *s)
{
    struct channel *c =
        s->device ? channel_find(s->device, session_channel(s)) : NULL;

    if (!c || s->kind != PLATFORM_LIVE)
        return;
    if (s->state == PLATFORM_FAILED && s->step > PLATFORM_STEP_SOCKET)
        channel_observe(p, c, PLATFORM_OBSERVED_FAILED, s->step);
    else if (c->observed == PLATFORM_OBSERVED_DELIVERING)
        channel_observe(p, c, PLATFORM_OBSERVED_DELIVERED, s->step);
}

/* Takes the session apart: BYE or CANCEL, then the media edge. */
static void close_session(struct platform *p, struct session *s)
{
    observe_end(p, s);
    doctor_note(p, s);
    session_end_dialog(p, s);
    no_deadlines(s);
    s->idle_at = GB_NEVER;
    s->held = s->away = s->playback.asking = false;
    s->phase = PHASE_CLOSING;
    s->news &= ~(unsigned)(NEWS_ANSWER | NEWS_PACE);
    session_news(p, s, NEWS_CHANGED);
    if (s->open && !s->ordered) { /* nobody has heard of it */
        s->news &= ~(unsigned)NEWS_OPEN;
        s->open = false;
    }
    if (!s->open) {
        session_closed(p, s);
        return;
    }
    order_close(p, s);
}

static bool is_over(const struct session *s)
{
    return s->state == PLATFORM_STOPPING || s->state == PLATFORM_FAILED;
}

void session_fail(struct platform *p, struct session *s,
                  enum platform_step step, const char *hint, const char *fmt,
                  ...)
{
    struct writer w = writer_of(s->evidence, sizeof(s->evidence));
    va_list ap;

    if (is_over(s))
        return;
    if (s->state == PLATFORM_STARTING && s->playback.maybe_all) {
        playback_complete(p, s);
        return;
    }
    va_start(ap, fmt);
    writer_vf(&w, fmt, ap);
    va_end(ap);
    if (w.err) { /* too long: at least the link that broke */
        w.err = 0;
        writer_str(&w, platform_step_text(step));
    }
    s->evidence_len = (uint16_t)w.len;
    s->hint = hint;
    s->state = PLATFORM_FAILED;
    s->step = step;
    p->counters.sessions_failed++;
    platform_log(p, PLATFORM_WARN,
                 "msg=\"%s session failed\" session=%llu device=%.*s "
                 "channel=%.*s step=%s evidence=\"%.*s\" call_id=%.*s",
                 platform_session_kind_name(s->kind),
                 (unsigned long long)s->handle.id, SLICE_ARG(session_device(s)),
                 SLICE_ARG(session_channel(s)), platform_step_name(step),
                 (int)s->evidence_len, s->evidence, (int)s->call_id_len,
                 s->call_id);
    close_session(p, s);
}

void session_stop(struct platform *p, struct session *s)
{
    if (is_over(s))
        return;
    s->state = PLATFORM_STOPPING;
    s->step = PLATFORM_STEP_ENDED;
    platform_log(p, PLATFORM_INFO,
                 "msg=\"%s session stopped\" session=%llu device=%.*s "
                 "channel=%.*s packets=%llu",
                 platform_session_kind_name(s->kind), (unsigned long long)s->handle.id, SLICE_ARG(session_device(s)),
                 SLICE_ARG(session_channel(s)), (unsigned long long)s->packets);
    close_session(p, s);
}

void session_offline(struct platform *p, struct session *s, const char *why)
{
    session_fail(p, s,
                 s->state == PLATFORM_PLAYING || s->away
                     ? PLATFORM_STEP_ENDED
                     : PLATFORM_STEP_DEVICE,
                 "see why the device went offline; the stream can be "
                 "started again when it is back",
                 "the device went offline: %s", why);
}

void sessions_of_device_end(struct platform *p, struct device *d,
                            const char *why)
{
    struct list *n, *tmp;

    LIST_EACH(n, tmp, &d->sessions)
        session_offline(p, container_of(n, struct session, in_device), why);
}

void sessions_of_device_move(struct platform *p, struct device *d)
{
    const struct sip_peer way = way_of(d);
    struct list *n, *tmp;

    LIST_EACH(n, tmp, &d->sessions) {
        struct session *s = container_of(n, struct session, in_device);

        if (s->held || (s->phase == PHASE_INVITING && !s->sip_status &&
                        d->peer.transport == SIP_UDP &&
                        !gb_addr_eq(&s->invited, &way.remote)))
            session_reinvite(p, s); /* nobody is where the INVITE went */
        else if (s->dialog.id) {
            sip_stack_move(p->sip, s->dialog.id, &way);
            session_news(p, s, NEWS_DIALOG);
        }
    }
}

/* ---- once more ---- */

static void begin_again(struct platform *p, struct session *s,
                        enum session_phase phase)
{
    session_end_dialog(p, s);
    no_deadlines(s);
    if (s->step_ms[PLATFORM_STEP_PLAYING])
        s->begun_ms = p->now.mono_ms;
    s->phase = phase;
    s->state = PLATFORM_STARTING;
    s->step = PLATFORM_STEP_SOCKET;
    for (unsigned i = PLATFORM_STEP_INVITE; i < PLATFORM_STEP_COUNT; i++)
        s->step_ms[i] = 0;
    s->packet = s->answered = s->held = s->away = s->ssrc_odd = false;
    s->implied = false;
    s->note_len = 0;
    s->packets_before = s->packets;
    s->news &= ~(unsigned)NEWS_ANSWER;
    session_news(p, s, NEWS_CHANGED);
}

void session_restart(struct platform *p, struct session *s, uint64_t in_ms)
{
    begin_again(p, s, PHASE_WAITING);
    s->retry_at = p->now.mono_ms + in_ms;
    session_arm(p, s);
}

void session_hold(struct platform *p, struct session *s, uint64_t ms)
{
    s->tried |= TRIED_HELD;
    session_restart(p, s, ms);
    s->held = true;
    s->step = PLATFORM_STEP_INVITE;
}

/* On the shared port it keeps the one that it is known by there. */
bool session_take_ssrc(struct platform *p, struct session *s)
{
    s->ssrc_fresh = false;
    if (s->shared && s->open && s->offered_ssrc) {
        s->ssrc = s->offered_ssrc;
        return true;
    }
    session_give_ssrc(p, s);
    if (ssrc_pool_take_like(&p->ssrcs, s->kind != PLATFORM_LIVE,
                            p->cfg.media_loops, s->loop, p->now.mono_ms,
                            &s->offered_ssrc)) {
        session_fail(p, s, PLATFORM_STEP_INVITE, "stop other sessions",
                     "no SSRC is free");
        return false;
    }
    s->ssrc = s->offered_ssrc;
    s->ssrc_fresh = true;
    return true;
}

void session_reinvite(struct platform *p, struct session *s)
{
    begin_again(p, s, PHASE_WAITING);
    if (session_take_ssrc(p, s))
        session_invite(p, s);
}

static void reopen(struct platform *p, struct session *s)
{
    begin_again(p, s, PHASE_REOPENING);
    s->step = PLATFORM_STEP_DEVICE;
    if (session_take_ssrc(p, s))
        order_close(p, s);
}

/* The port stays when the edge has both of its sockets open anyway. */
void session_retry_transport(struct platform *p, struct session *s,
                             enum platform_transport t)
{
    bool same = s->transport != PLATFORM_TCP_ACTIVE && t != PLATFORM_TCP_ACTIVE;

    s->transport = t;
    if (same)
        session_reinvite(p, s);
    else
        reopen(p, s);
}

bool session_retry_own_port(struct platform *p, struct session *s)
{
    if (!s->shared || s->tried & TRIED_OWN_PORT)
        return false;
    s->tried |= TRIED_OWN_PORT;
    reopen(p, s);
    return true;
}

/* ---- timers ---- */

/* A recording is asked for from where it broke off: its device may have started
 * anew. */
static void on_silence(struct platform *p, struct session *s)
{
    if (playback_goes_on(p, s, "nothing comes any more"))
        return;
    session_fail(p, s, PLATFORM_STEP_ENDED,
                 "the device or the network stopped sending: check the "
                 "device's own picture and the path to it",
                 "no media for %.1f s after %llu packets",
                 (double)p->cfg.silence_ms / 1000,
                 (unsigned long long)s->packets);
}

/* Media was lost, though the dialog may live: with somebody watching it is
 * worth another INVITE. */
void session_ended_by_device(struct platform *p, struct session *s,
                             const char *what)
{
    static const char hint[] = "the device ended it: look for its limit of "
                               "streams, and for other platforms that use it";
    enum platform_step step;

    if (playback_goes_on(p, s, what))
        return;
    if (playback_is_over(s)) {
        playback_complete(p, s);
        return;
    }
    if (p->now.mono_ms - s->playing_ms > LONG_PLAY_MS)
        s->restarts = 0;
    if (s->kind == PLATFORM_LIVE && s->state == PLATFORM_PLAYING &&
        s->consumers && s->device->online && s->restarts < MAX_RESTARTS && !p->draining) {
        s->restarts++;
        platform_log(p, PLATFORM_INFO,
                     "msg=\"live session is started again\" session=%llu "
                     "device=%.*s channel=%.*s why=\"%s\"",
                     (unsigned long long)s->handle.id,
                     SLICE_ARG(session_device(s)),
                     SLICE_ARG(session_channel(s)), what);
        session_restart(p, s, platform_random_in(p, 2000, 5001));
        return;
    }
    step = s->state == PLATFORM_PLAYING ? PLATFORM_STEP_ENDED
                                        : session_awaited(s);
    if (s->answered)
        session_fail(p, s, step, hint, "%s, %.1f s after its answer", what,
                     (double)(p->now.mono_ms - s->answered_ms) / 1000);
    else
        session_fail(p, s, step, hint, "%s before it answered the INVITE",
                     what);
}

void session_on_timer(struct platform *p, struct session *s)
{
    uint64_t now = p->now.mono_ms;

    if (s->closed_at <= now) {
        platform_log(p, PLATFORM_ERROR,
                     "msg=\"media edge has not confirmed a close\" "
                     "session=%llu port=%u",
                     (unsigned long long)s->handle.id, s->port);
        session_closed(p, s);
        return;
    }
    if (s->idle_at <= now)
        session_stop(p, s);
    else if (s->retry_at <= now && s->away)
        session_offline(p, s, s->device->reason);
    else if (s->retry_at <= now && !playback_rest_due(p, s))
        session_reinvite(p, s);
    else if (s->anew_at <= now)
        session_look_anew(p, s);
    else if (s->answer_at <= now)
        session_no_answer(p, s);
    else if (s->tcp_at <= now || s->packet_at <= now)
        session_no_media(p, s);
    else if (s->program_at <= now)
        session_no_program(p, s);
    else if (s->key_at <= now)
        session_no_key(p, s);
    else if (s->reconnect_at <= now)
        session_ended_by_device(p, s,
                                s->unframed
                                    ? "what came on the media connection was "
                                      "no RTP any more"
                                    : "the device closed the media connection");
    else if (s->drained_at <= now)
        playback_drained(p, s);
    else if (s->silence_at <= now && playback_is_over(s))
        playback_complete(p, s);
    else if (s->silence_at <= now)
        on_silence(p, s);
    session_arm(p, s);
}

/* ---- the API ---- */

/* What was seen of the bytes says why there is no picture, yet or beside sound. */
static bool note_tells(const struct session *s)
{
    return s->note_len &&
           (s->state == PLATFORM_STARTING ||
            (s->state == PLATFORM_PLAYING && s->video == PS_CODEC_UNKNOWN));
}

static uint32_t longer_ms(const struct platform *p, const struct session *s)
{
    uint32_t ms = s->device ? device_answer_ms(p, s->device) : 0;

    return ms > p->cfg.answer_ms ? ms - p->cfg.answer_ms + PLATFORM_PICTURE_MS
                                 : 0;
}

static void view(const struct platform *p, const struct session *s,
                 struct platform_session *out)
{
    *out = (struct platform_session){
        .id = s->handle.id,
        .kind = s->kind,
        .playback = s->playback.told,
        .device = session_device(s),
        .channel = session_channel(s),
        .stream = s->stream,
        .state = s->state,
        .step = s->step,
        .loop = s->loop,
        .transport = s->transport,
        .port = s->port,
        .ssrc = s->ssrc,
        .from = s->from,
        .sip_status = s->sip_status,
        .evidence = slice_of(s->evidence, s->evidence_len),
        .hint = slice_str(s->hint),
        .call_id = slice_of(s->call_id, s->call_id_len),
        .started_utc_ms = s->started.utc_ms,
        .consumers = s->consumers,
        .video = s->video,
        .audio = s->audio,
        .width = s->width,
        .height = s->height,
        .packets = s->packets,
        .bytes = s->bytes,
        .lost = s->lost,
        .foreign = s->foreign,
        .ssrc_odd = s->ssrc_odd,
        .longer_ms = longer_ms(p, s),
    };
    memcpy(out->step_ms, s->step_ms, sizeof(out->step_ms));
    if (note_tells(s)) {
        out->evidence = slice_of(s->note, s->note_len);
        out->hint = slice_str(session_note_hint(s));
    }
}

struct session *session_find(const struct platform *p, uint64_t id)
{
    struct handle *h = idmap_find(&p->handles, id);

    return h && h->kind == HANDLE_SESSION
               ? container_of(h, struct session, handle)
               : NULL;
}

static struct session *running(const struct device *d, struct slice channel,
                               unsigned stream)
{
    const struct list *n;

    for (n = d->sessions.next; n != &d->sessions; n = n->next) {
        struct session *s = container_of(n, struct session, in_device);

        if (!is_over(s) && s->kind == PLATFORM_LIVE && s->stream == stream &&
            slice_eq(session_channel(s), channel))
            return s;
    }
    return NULL;
}

int session_refused(struct platform *p, struct platform_session *out,
                    const struct session_wish *wish, int err,
                    enum platform_step step, const char *hint,
                    const char *fmt, ...)
{
    struct writer w = writer_of(p->refused, sizeof(p->refused));
    va_list ap;

    va_start(ap, fmt);
    writer_vf(&w, fmt, ap);
    va_end(ap);
    *out = (struct platform_session){
        .kind = wish->kind,
        .playback = wish->playback,
        .device = wish->device,
        .channel = wish->channel,
        .stream = wish->stream,
        .state = PLATFORM_FAILED,
        .step = step,
        .evidence = writer_slice(&w),
        .hint = slice_str(hint),
    };
    return err;
}

static int64_t shift_s(int64_t ms)
{
    return (ms + (ms < 0 ? -500 : 500)) / 1000;
}

/* A file is to be whole: over TCP, unless that is known not to work. */
static enum platform_transport usual_transport(const struct device *d,
                                               enum platform_session_kind kind)
{
    if (kind == PLATFORM_DOWNLOAD && d->media == PLATFORM_AUTO &&
        d->learnt == PLATFORM_AUTO)
        return PLATFORM_TCP_PASSIVE;
    return device_transport(d);
}

static void take_wish(struct platform *p, struct session *s, struct device *d,
                      const struct session_wish *wish)
{
    uint64_t hold_ms = p->cfg.idle_stop_s * 1000ull;

    memcpy(s->channel, wish->channel.p, wish->channel.n);
    s->channel_len = (uint8_t)wish->channel.n;
    memcpy(s->device_text, d->id, device_id(d).n);
    s->device_len = (uint8_t)device_id(d).n;
    s->stream = (uint8_t)wish->stream;
    s->kind = (uint8_t)wish->kind;
    s->playback.told = wish->playback;
    s->playback.from_s = wish->playback.start_s;
    s->playback.shift_s = shift_s(clock_unix_ms(p, d));
    s->started = p->now;
    s->begun_ms = p->now.mono_ms;
    s->is_auto = wish->transport == PLATFORM_AUTO;
    s->transport = s->is_auto ? usual_transport(d, wish->kind)
                              : wish->transport;
    s->idle_at = p->now.mono_ms + (hold_ms > HOLD_MS ? hold_ms : HOLD_MS);
    s->device = d;
}

static int make(struct platform *p, struct device *d,
                const struct session_wish *wish, struct session **out)
{
    struct session *s = gb_get(p->alloc, sizeof(*s));
    int err;

    if (!s)
        return GB_ENOMEM;
    s->handle.kind = HANDLE_SESSION;
    err = idmap_add(&p->handles, &s->handle, &s->handle.id);
    if (err) {
        gb_put(p->alloc, s);
        return err;
    }
    p->n_sessions++;
    list_push_back(&p->sessions, &s->in_all);
    list_init(&s->in_device);
    list_init(&s->dirty);
    timerq_node_init(&s->timer, TIMER_SESSION);
    no_deadlines(s);
    take_wish(p, s, d, wish);
    err = session_take_port(p, s);
    if (!err)
        err = ssrc_pool_take(&p->ssrcs, s->kind != PLATFORM_LIVE,
                             p->now.mono_ms, &s->offered_ssrc);
    if (err) {
        session_free(p, s);
        return err;
    }
    s->ssrc = s->offered_ssrc;
    s->ssrc_fresh = true;
    s->loop = s->offered_ssrc % p->cfg.media_loops;
    list_push_back(&d->sessions, &s->in_device);
    *out = s;
    return 0;
}

static int start(struct platform *p, struct device *d,
                 const struct session_wish *wish, struct platform_session *out)
{
    struct session *s;
    int err;

    if (p->n_sessions >= p->cfg.max_sessions)
        return session_refused(p, out, wish, GB_ELIMIT, PLATFORM_STEP_DEVICE,
                       "raise limits.sessions or stop other sessions",
                       "%zu sessions are running, no more are allowed",
                       p->n_sessions);
    err = make(p, d, wish, &s);
    if (err == GB_ELIMIT)
        return session_refused(p, out, wish, err, PLATFORM_STEP_SOCKET,
                       "widen media.ports or stop other sessions",
                       "no RTP port is free: %u of %u in use, %u resting",
                       rest_pool_lent(&p->ports.rest), p->ports.rest.n,
                       rest_pool_resting(&p->ports.rest, p->now.mono_ms));
    if (err)
        return session_refused(p, out, wish, err, PLATFORM_STEP_SOCKET, "free memory",
                       "%s", gb_strerror(err));
    p->counters.sessions_started++;
    s->phase = PHASE_OPENING;
    s->open = true;
    session_set_step(p, s, PLATFORM_STEP_DEVICE);
    session_news(p, s, NEWS_OPEN);
    session_arm(p, s);
    set_channel_session(p, s, 0, s->handle.id);
    view(p, s, out);
    return 0;
}

int session_start(struct platform *p, const struct session_wish *wish,
                  struct platform_session *out)
{
    struct slice id = wish->device;
    struct session *s;
    struct device *d;

    if (id.n == 0 && !platform_channel_owner(p, wish->channel, &id))
        return session_refused(p, out, wish, GB_ENOENT, PLATFORM_STEP_DEVICE,
                       "name the device as well, or refresh its catalog",
                       "no device, or more than one, has this channel");
    d = device_find(p, id);
    if (!d)
        return session_refused(p, out, wish, GB_ENOENT, PLATFORM_STEP_DEVICE,
                       "see the pending list for ids that knocked",
                       "no device with this id has ever registered");
    if (!manscdp_devid_is_usable(wish->channel) ||
        wish->channel.n >= PLATFORM_ID_MAX || wish->stream > SDP_MAX_STREAM)
        return session_refused(p, out, wish, GB_ENOENT, PLATFORM_STEP_DEVICE,
                       "use a channel id of the device's list",
                       "this is no id that a channel can have");
    s = wish->kind == PLATFORM_LIVE ? running(d, wish->channel, wish->stream)
                                    : NULL;
    if (s) {
        view(p, s, out);
        return 0;
    }
    if (p->draining)
        return session_refused(p, out, wish, GB_ESTATE, PLATFORM_STEP_DEVICE,
                       "try again when it has started anew",
                       "this server is stopping");
    if (!d->online)
        return session_refused(p, out, wish, GB_ESTATE, PLATFORM_STEP_DEVICE,
                       "check power and network of the device, and that it "
                       "is set to register here",
                       "the device is offline: %s", d->reason);
    return start(p, d, wish, out);
}

int platform_live_start(struct platform *p, const struct platform_live *req,
                        struct gb_time now, struct platform_session *out)
{
    const struct session_wish wish = { .device = req->device,
                                       .channel = req->channel,
                                       .stream = req->stream,
                                       .transport = req->transport,
                                       .kind = PLATFORM_LIVE };

    clock_at(p, now);
    return session_start(p, &wish, out);
}

bool platform_session_view(const struct platform *p, uint64_t id,
                           struct platform_session *out)
{
    const struct session *s = session_find(p, id);

    if (!s)
        return false;
    view(p, s, out);
    return true;
}

bool platform_session_next(const struct platform *p, uint64_t after,
                           struct platform_session *out)
{
    const struct session *s = after ? session_find(p, after) : NULL;
    struct list *n = s ? s->in_all.next : p->sessions.next;

    if ((after && !s) || n == &p->sessions)
        return false;
    view(p, container_of(n, struct session, in_all), out);
    return true;
}

bool platform_live_find(const struct platform *p, struct slice device,
                        struct slice channel, unsigned stream,
                        struct platform_session *out)
{
    const struct device *d;
    const struct session *s;

    if (device.n == 0 && !platform_channel_owner(p, channel, &device))
        return false;
    d = device_find(p, device);
    s = d ? running(d, channel, stream) : NULL;
    if (!s)
        return false;
    view(p, s, out);
    return true;
}

void platform_session_hold(struct platform *p, uint64_t id, struct gb_time now)
{
    struct session *s = session_find(p, id);

    clock_at(p, now);
    if (!s || is_over(s))
        return;
    s->consumers++;
    s->watched = s->watched || s->state == PLATFORM_PLAYING;
    s->idle_at = GB_NEVER;
    session_news(p, s, NEWS_CHANGED);
    session_arm(p, s);
}

/* Who was there for a moment of the picture only waited for it, and still has to
 * open its URL. */
static uint64_t idle_ms(const struct platform *p, const struct session *s)
{
    uint64_t ms = playback_idle_ms(p, s);

    return s->watched || ms > HOLD_MS ? ms : HOLD_MS;
}

void platform_session_release(struct platform *p, uint64_t id,
                              struct gb_time now)
{
    struct session *s = session_find(p, id);

    clock_at(p, now);
    if (!s || is_over(s) || s->consumers == 0)
        return;
    s->watched = s->watched || (s->state == PLATFORM_PLAYING &&
                                now.mono_ms - s->playing_ms >= MOMENT_MS);
    if (--s->consumers == 0)
        s->idle_at = now.mono_ms + idle_ms(p, s);
    session_news(p, s, NEWS_CHANGED);
    session_arm(p, s);
}

void platform_session_stop(struct platform *p, uint64_t id, struct gb_time now)
{
    struct session *s = session_find(p, id);

    clock_at(p, now);
    if (s)
        session_stop(p, s);
}
