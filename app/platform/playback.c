/* Recordings of a device, played or downloaded: a session like a live one (see
 * sessions.c), with a range of time in its offer, control by INFO inside its
 * dialog, and an end of its own (GB/T 28181-2022 9.8, 9.9).
 *
 * Of one that ends early the rest is invited in another dialog (playback_rest.c);
 * one that breaks is not, as what has been sent would come once more. */
#include "app/platform/playback.h"

#include "app/platform/core.h"
#include "app/platform/dialogs.h"
#include "app/platform/outgoing.h"

#include "manscdp/mansrtsp.h"
#include "sip/value.h"

#define QUIET_REPORTS 2   /* one behind the other: the media loop has looked at
                             its sockets in between, however late it is */
#define HUNG_UP_MS 60000  /* a device that sends on behind its BYE is not heard
                             for ever */
#define SENDS_ON_MS 10000 /* nor behind its MediaStatus... */
#define FETCHED_MS 60000  /* ...a download longer: it waits for our disk */
#define LATE_MS 60000     /* a word of the file before comes, at most */
#define NEAR_END_MS 1000  /* so close to the end of the range... */
#define NEAR_SILENCE_MS 3000 /* ...so much silence means that it is over */
#define CONTROL_MS 6000   /* for the answer to an INFO */
#define MEASURE_MS 3000  /* of pictures behind a change of speed */
#define PAUSED_MS 300000 /* nobody watches what is paused, for so long */
#define DOWNLOAD_SPEED 4
#define SCALE_MIN 125
#define SCALE_MAX 32000

/* ---- start ---- */

static int bad_range(struct platform *p, const struct session_wish *w,
                     struct platform_session *out)
{
    return session_refused(p, out, w, GB_ERANGE, PLATFORM_STEP_DEVICE,
                           "name a start before the end, at most 31 days "
                           "apart",
                           "this is no range of time that a recording can "
                           "have");
}

int platform_playback_start(struct platform *p,
                            const struct platform_recording *req,
                            struct gb_time now, struct platform_session *out)
{
    struct session_wish w = {
        .device = req->device,
        .channel = req->channel,
        .transport = req->transport,
        .kind = req->kind,
        .playback = { .start_s = req->start_s,
                      .stop_s = req->stop_s,
                      .scale_milli = 1000 },
    };

    clock_at(p, now);
    if (w.kind == PLATFORM_DOWNLOAD)
        w.playback.speed = req->speed ? req->speed : DOWNLOAD_SPEED;
    if (w.kind == PLATFORM_LIVE || req->start_s == 0 ||
        req->stop_s <= req->start_s ||
        req->stop_s - req->start_s > PLATFORM_PLAYBACK_MAX_S)
        return bad_range(p, &w, out);
    return session_start(p, &w, out);
}

static int64_t length_ms(const struct session *s)
{
    return (int64_t)(s->playback.told.stop_s - s->playback.told.start_s) *
           1000;
}

/* ---- its end ---- */

bool playback_is_over(const struct session *s)
{
    const struct platform_playback *t = &s->playback.told;

    return s->kind != PLATFORM_LIVE && s->state == PLATFORM_PLAYING &&
           (s->playback.ending || t->complete ||
            (t->scale_milli < 0 ? t->position_ms <= playback_from_ms(s) + NEAR_END_MS
                                : t->position_ms >= length_ms(s) - NEAR_END_MS));
}

void playback_complete(struct platform *p, struct session *s)
{
    s->playback.told.complete = true;
    session_stop(p, s);
}

/* What is on its way, or lies in a socket, still comes. */
static void drain(struct platform *p, struct session *s)
{
    uint64_t at_ms = p->now.mono_ms + p->cfg.silence_ms; /* it reports before */

    s->playback.quiet = 0;
    s->drained_at = at_ms < s->playback.until_ms ? at_ms : s->playback.until_ms;
    session_arm(p, s);
}

/* There was a file of this channel before, a short time ago. */
static bool follows_another(const struct platform *p, const struct session *s)
{
    return dialogs_ended_of(p, s->device, session_channel(s)) ||
           (s->begun_ms != s->started.mono_ms &&
            p->now.mono_ms - s->begun_ms < LATE_MS);
}

void playback_ending(struct platform *p, struct session *s, bool sure)
{
    s->playback.ending = true;
    s->playback.unsure = !sure && follows_another(p, s);
    s->playback.until_ms =
        p->now.mono_ms +
        (s->kind == PLATFORM_DOWNLOAD ? FETCHED_MS : SENDS_ON_MS);
    drain(p, s);
}

bool playback_hung_up(struct platform *p, struct session *s, const char *why)
{
    if (s->kind == PLATFORM_LIVE || s->state != PLATFORM_PLAYING ||
        s->phase != PHASE_MEDIA)
        return false;
    s->playback.hung_up = why;
    s->playback.until_ms = p->now.mono_ms + HUNG_UP_MS;
    drain(p, s);
    return true;
}

/* Its channel's word, late and outside of any dialog, was about the file before:
 * this one is sent on. */
static bool was_of_another(const struct platform *p, const struct session *s)
{
    const struct session_playback *b = &s->playback;

    return b->unsure && b->quiet == 0 && p->now.mono_ms >= b->until_ms &&
           s->phase == PHASE_MEDIA;
}

void playback_drained(struct platform *p, struct session *s)
{
    if (!s->playback.hung_up && was_of_another(p, s)) {
        s->playback.ending = s->playback.unsure = false;
        s->drained_at = GB_NEVER;
        session_arm(p, s);
        return;
    }
    if (s->playback.hung_up)
        session_ended_by_device(p, s, s->playback.hung_up);
    else if (!playback_goes_on(p, s, "the device has sent all of a file"))
        playback_complete(p, s);
}

/* The media loop has reported: is something still coming? */
static void look_for_quiet(struct platform *p, struct session *s,
                           const struct platform_media_event *ev, bool more)
{
    bool gone = ev->kind == PLATFORM_MEDIA_ENDED;

    if (s->drained_at == GB_NEVER)
        return;
    if (more)
        drain(p, s);
    else if (ev->kind == PLATFORM_MEDIA_ALIVE)
        s->playback.quiet++;
    if (gone || s->playback.quiet >= QUIET_REPORTS)
        s->drained_at = p->now.mono_ms;
}

static bool is_running(const struct session *s)
{
    return s->kind != PLATFORM_LIVE && s->device &&
           s->phase == PHASE_MEDIA && !s->playback.ending;
}

/* By its dialog; by its channel; a recorder that names itself means the only
 * one there is. One with a Call-ID of ours that no dialog has any more is late,
 * and about what has been left. */
struct session *playback_of(struct device *d, const struct sip_event *ev,
                            struct slice id, bool *sure)
{
    struct session *only = NULL, *of_channel = NULL;
    size_t n_running = 0, n_of_channel = 0;
    struct list *n;

    *sure = false;
    for (n = d->sessions.next; n != &d->sessions; n = n->next) {
        struct session *s = container_of(n, struct session, in_device);

        if (!is_running(s))
            continue;
        *sure = slice_eq(slice_of(s->call_id, s->call_id_len),
                         ev->msg->call_id);
        if (*sure)
            return s;
        if (slice_eq(session_channel(s), id)) {
            n_of_channel++;
            of_channel = s;
        }
        n_running++;
        only = s;
    }
    if (session_is_our_call_id(d, ev->msg->call_id))
        return NULL;
    if (n_of_channel)
        return n_of_channel == 1 ? of_channel : NULL; /* silence will tell */
    return n_running == 1 && slice_eq(id, device_id(d)) ? only : NULL;
}

static bool is_as_recorded(int64_t milli)
{
    return milli > 700 && milli < 1300;
}

/* Devices accept a scale and play as ever (field-note 9.9): then the pictures'
 * times are left as they are. */
static void measure(struct platform *p, struct session *s, int64_t at_ms)
{
    struct session_playback *b = &s->playback;
    struct platform_playback *t = &b->told;
    int64_t took_ms = (int64_t)(p->now.mono_ms - b->scaled_ms), rate;

    if (t->scale_milli == 1000 || t->paused || t->measured_milli)
        return;
    if (!b->scaled_ms || (at_ms < b->scaled_at_ms && t->scale_milli > 0)) {
        b->scaled_ms = p->now.mono_ms;
        b->scaled_at_ms = at_ms;
        return;
    }
    if (took_ms < MEASURE_MS)
        return;
    rate = (at_ms - b->scaled_at_ms) * 1000 / took_ms;
    t->measured_milli = rate > SCALE_MAX * 2    ? SCALE_MAX * 2
                        : rate < -SCALE_MAX * 2 ? -SCALE_MAX * 2
                                                : (int32_t)rate;
    if (is_as_recorded(rate) && !is_as_recorded(t->scale_milli)) {
        platform_log(p, PLATFORM_INFO,
                     "msg=\"device ignores the speed it has accepted\" "
                     "session=%llu device=%.*s scale_milli=%d",
                     (unsigned long long)s->handle.id,
                     SLICE_ARG(session_device(s)), (int)t->scale_milli);
        t->scale_milli = 1000;
        s->playback.seek_ms = -1;
        session_news(p, s, NEWS_PACE);
    }
    session_news(p, s, NEWS_CHANGED);
}

void playback_on_media(struct platform *p, struct session *s,
                       const struct platform_media_event *ev, bool more)
{
    struct platform_playback *t = &s->playback.told;

    if ((ev->position_ms > 0 || t->scale_milli < 0) &&
        ev->position_ms != t->position_ms) {
        t->position_ms = ev->position_ms;
        measure(p, s, ev->position_ms);
        session_news(p, s, NEWS_CHANGED);
    }
    look_for_quiet(p, s, ev, more);
    if (t->paused)
        s->silence_at = GB_NEVER;
    else if (more && playback_is_over(s) && s->drained_at == GB_NEVER)
        s->silence_at = p->now.mono_ms + NEAR_SILENCE_MS;
    session_arm(p, s);
}

/* ---- control ---- */

static void fill_body(struct session *s, struct mansrtsp *m)
{
    const struct platform_control *c = &s->playback.asked;

    *m = (struct mansrtsp){
        .cseq = ++s->playback.cseq,
        .old_version = s->device->edition == MANSCDP_2011,
    };
    switch (c->kind) {
    case PLATFORM_CONTROL_PAUSE:
        m->method = MANSRTSP_PAUSE;
        break;
    case PLATFORM_CONTROL_RESUME:
        if (m->old_version) /* which knows no npt=now */
            break;
        m->has = MANSRTSP_RANGE;
        m->from_now = true;
        break;
    case PLATFORM_CONTROL_SEEK:
        m->has = MANSRTSP_RANGE;
        m->from_ms = c->position_ms - playback_from_ms(s);
        break;
    case PLATFORM_CONTROL_SCALE:
        m->has = MANSRTSP_SCALE;
        m->scale_milli = c->scale_milli;
        break;
    case PLATFORM_CONTROLS:
        break;
    }
}

int playback_send_control(struct platform *p, struct session *s)
{
    char body[256];
    struct writer w = writer_of(body, sizeof(body));
    struct mansrtsp m;
    struct sip_request r = {
        .method = SIP_METHOD_INFO,
        .content_type = SLICE(SIP_TYPE_MANSRTSP),
        .expires = -1,
        .user = s->handle.id,
        .timeout_ms = CONTROL_MS,
    };
    int err;

    fill_body(s, &m);
    err = mansrtsp_write(&w, &m, s->playback.whole_scale);
    if (err)
        return err;
    r.body = writer_slice(&w);
    outgoing_log_in(p, s->device, &r);
    s->playback.login = r.username.n > 0;
    return sip_stack_request_in(p->sip, s->dialog.id, &r, p->now.mono_ms,
                                &s->playback.transaction);
}

static bool is_allowed(const struct session *s,
                       const struct platform_control *c)
{
    int32_t scale = c->scale_milli < 0 ? -c->scale_milli : c->scale_milli;

    if (c->kind == PLATFORM_CONTROL_SEEK)
        return c->position_ms >= 0 && c->position_ms <= length_ms(s);
    if (c->kind == PLATFORM_CONTROL_SCALE)
        return scale >= SCALE_MIN && scale <= SCALE_MAX;
    return (unsigned)c->kind < PLATFORM_CONTROLS;
}

/* The media loop is told when the device is: its answer may come behind the
 * first picture of the new position. */
static void tell_media(struct platform *p, struct session *s,
                       int64_t position_ms)
{
    s->playback.seek_ms = position_ms;
    session_news(p, s, NEWS_PACE);
}

int platform_session_control(struct platform *p, uint64_t id,
                             const struct platform_control *c,
                             struct gb_time now, uint32_t *number)
{
    struct session *s = session_find(p, id);
    int err;

    clock_at(p, now);
    if (!s)
        return GB_ENOENT;
    if (s->kind == PLATFORM_LIVE)
        return GB_EUNSUPPORTED;
    if (!is_running(s) || !s->dialog.id || s->playback.hung_up)
        return GB_ESTATE;
    if (s->playback.transaction)
        return GB_EAGAIN;
    if (!is_allowed(s, c))
        return GB_ERANGE;
    s->playback.asked = *c;
    if (c->kind == PLATFORM_CONTROL_SEEK && c->position_ms < playback_from_ms(s)) {
        *number = ++s->playback.told.control;
        playback_go_back(p, s, c->position_ms);
        return 0;
    }
    err = playback_send_control(p, s);
    if (err)
        return err;
    s->playback.told.control_status = 0;
    *number = ++s->playback.told.control;
    if (c->kind == PLATFORM_CONTROL_SEEK)
        tell_media(p, s, c->position_ms);
    session_news(p, s, NEWS_CHANGED);
    return 0;
}

uint64_t playback_idle_ms(const struct platform *p, const struct session *s)
{
    uint64_t ms = p->cfg.idle_stop_s * 1000ull;

    return s->playback.told.paused && ms < PAUSED_MS ? PAUSED_MS : ms;
}

/* A device that plays on after PAUSE is heard all the same, one that is silent
 * is not missed. */
static void carried_out(struct platform *p, struct session *s,
                        int32_t answered)
{
    struct platform_playback *t = &s->playback.told;

    t->paused = s->playback.asked.kind == PLATFORM_CONTROL_PAUSE;
    s->silence_at = t->paused ? GB_NEVER : p->now.mono_ms + p->cfg.silence_ms;
    s->playback.scaled_ms = 0;
    if (s->idle_at != GB_NEVER) /* somebody may come back to it */
        s->idle_at = p->now.mono_ms + playback_idle_ms(p, s);
    if (s->playback.asked.kind == PLATFORM_CONTROL_SCALE) {
        t->measured_milli = 0;
        t->scale_milli = answered ? answered : s->playback.asked.scale_milli;
        tell_media(p, s, -1);
    }
    session_arm(p, s);
}

/* The status inside the body says no where the outer one says yes. A device that
 * goes back at one speed alone answers which (2022, Annex B); else *scale is 0. */
static unsigned status_of(const struct sip_event *ev, int32_t *scale)
{
    struct mansrtsp m;

    *scale = 0;
    if (ev->status >= 300 || !ev->msg || !ev->msg->body.n ||
        mansrtsp_parse(&m, ev->msg->body, NULL) || !m.response)
        return ev->status;
    if (m.has & MANSRTSP_SCALE)
        *scale = m.scale_milli;
    return m.status >= 300 ? m.status : ev->status;
}

/* Some devices want "Scale: 2": worth a second try, once for a session. */
static bool try_whole(struct platform *p, struct session *s, unsigned status)
{
    if (status != 400 || s->playback.whole_scale ||
        s->playback.asked.kind != PLATFORM_CONTROL_SCALE ||
        s->playback.asked.scale_milli % 1000)
        return false;
    s->playback.whole_scale = true;
    return playback_send_control(p, s) == 0;
}

/* The device has just told that it wants to know who asks. */
static bool try_login(struct platform *p, struct session *s, unsigned status)
{
    return outgoing_wants_login(s->device, s->playback.login, status) &&
           playback_send_control(p, s) == 0;
}

bool playback_on_sip(struct platform *p, struct session *s,
                     const struct sip_event *ev)
{
    unsigned status;
    int32_t scale;

    if (!s->playback.transaction ||
        ev->transaction != s->playback.transaction ||
        (ev->kind != SIP_EV_RESPONSE && ev->kind != SIP_EV_FAILED))
        return false;
    if (ev->status < 200)
        return true;
    s->playback.transaction = 0;
    session_news(p, s, NEWS_DIALOG); /* it has counted on */
    status = status_of(ev, &scale);
    if (try_whole(p, s, status) || try_login(p, s, status))
        return true;
    s->playback.told.control_status = status;
    if (status < 300)
        carried_out(p, s, scale);
    else if (s->playback.asked.kind == PLATFORM_CONTROL_SEEK)
        tell_media(p, s, -1);
    session_news(p, s, NEWS_CHANGED);
    return true;
}
