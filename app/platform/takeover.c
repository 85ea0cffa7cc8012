/* Devices that start anew while somebody watches: their sessions wait for them
 * and are invited once more, into the same hub, so that viewers stay.
 *
 * One that is offline is waited for. One that registers with another Call-ID, as
 * if it had just started, is invited again when its media do not go on: many
 * choose a new one for each REGISTER and go on sending. */
#include "app/platform/takeover.h"

#include "app/platform/core.h"

#include "base/writer.h"

#define AWAY_MS 30000  /* a device may be offline so long */
#define READY_MS 1000  /* from its return to the INVITE: it has just started */
#define ANEW_MS 3000   /* from its REGISTER on, for media to go on */
#define STILL_MS 2000  /* without a packet: they do not */

static bool is_watched(const struct platform *p, const struct session *s)
{
    return s->kind == PLATFORM_LIVE && s->consumers && s->playing_ms &&
           s->phase >= PHASE_INVITING && s->phase <= PHASE_WAITING &&
           !p->draining;
}

static bool wait_for_it(struct platform *p, struct session *s, const char *why)
{
    struct writer w = writer_of(s->evidence, sizeof(s->evidence));

    if (!is_watched(p, s))
        return false;
    session_restart(p, s, AWAY_MS);
    s->away = true;
    s->step = PLATFORM_STEP_DEVICE;
    writer_f(&w, "the device went offline: %s; it is waited for, %u s at most",
             why, AWAY_MS / 1000);
    s->evidence_len = (uint16_t)w.len;
    s->hint = "see why the device went offline";
    platform_log(p, PLATFORM_INFO,
                 "msg=\"live session waits for its device\" session=%llu "
                 "device=%.*s channel=%.*s",
                 (unsigned long long)s->handle.id, SLICE_ARG(session_device(s)),
                 SLICE_ARG(session_channel(s)));
    return true;
}

void sessions_of_device_away(struct platform *p, struct device *d,
                             const char *why)
{
    struct list *n, *tmp;

    LIST_EACH(n, tmp, &d->sessions) {
        struct session *s = container_of(n, struct session, in_device);

        if (!wait_for_it(p, s, why))
            session_offline(p, s, why);
    }
}

void sessions_of_device_back(struct platform *p, struct device *d)
{
    struct list *n, *tmp;

    LIST_EACH(n, tmp, &d->sessions) {
        struct session *s = container_of(n, struct session, in_device);

        if (!s->away)
            continue;
        s->away = false;
        s->begun_ms = p->now.mono_ms;
        s->retry_at = p->now.mono_ms + READY_MS;
        session_arm(p, s);
    }
}

void sessions_of_device_anew(struct platform *p, struct device *d)
{
    struct list *n, *tmp;

    LIST_EACH(n, tmp, &d->sessions) {
        struct session *s = container_of(n, struct session, in_device);

        if (s->phase != PHASE_MEDIA || !is_watched(p, s))
            continue;
        s->anew_at = p->now.mono_ms + ANEW_MS;
        session_arm(p, s);
    }
}

void session_look_anew(struct platform *p, struct session *s)
{
    uint64_t now = p->now.mono_ms;

    s->anew_at = GB_NEVER;
    if (s->silence_at == GB_NEVER ||
        now + p->cfg.silence_ms - s->silence_at < STILL_MS)
        return;
    platform_log(p, PLATFORM_INFO,
                 "msg=\"live session is started again\" session=%llu "
                 "device=%.*s channel=%.*s why=\"the device has started anew\"",
                 (unsigned long long)s->handle.id, SLICE_ARG(session_device(s)),
                 SLICE_ARG(session_channel(s)));
    session_reinvite(p, s);
}
