/* The rest of a recording that the device has ended clearly before the end of the
 * range (field-note 9.4): many say MediaStatus 121 or BYE behind each of their
 * files. As a download does, the session asks what there is (RecordInfo), and
 * invites from there on into the same port and the same hub, so that viewers
 * stay. */
#include "app/platform/playback.h"

#include "app/platform/core.h"

#define SHORT_MS 5000 /* less is the last group of pictures, no rest... */
#define NEAR_MS 1000  /* ...unless the device has not said that it was all */
#define ASK_MS 15000  /* for what the device has; it is guessed then */
#define TRIES 3       /* INVITEs in a row that bring less than SHORT_MS */

int64_t playback_from_ms(const struct session *s)
{
    return (int64_t)(s->playback.from_s - s->playback.told.start_s) * 1000;
}

/* The second that is nearest: the last picture stands just before it. */
static uint64_t at_s(const struct session *s)
{
    return s->playback.told.start_s +
           ((uint64_t)s->playback.told.position_ms + 500) / 1000;
}

static bool is_worth_it(const struct platform *p, const struct session *s)
{
    const struct platform_playback *t = &s->playback.told;
    int64_t length_ms = (int64_t)(t->stop_s - t->start_s) * 1000;

    return s->kind == PLATFORM_PLAYBACK && s->state == PLATFORM_PLAYING &&
           s->consumers && s->device && s->device->online && !p->draining &&
           !t->paused && t->scale_milli > 0 && s->playback.tries < TRIES &&
           t->position_ms > playback_from_ms(s) &&
           t->position_ms < length_ms - (s->playback.ending ? SHORT_MS
                                                            : NEAR_MS);
}

/* Away from its dialog; what was said in it is over. */
static void leave(struct platform *p, struct session *s, uint64_t in_ms)
{
    struct session_playback *b = &s->playback;

    if (b->transaction)
        b->told.control_status = 481; /* nobody answers it any more */
    if (b->told.scale_milli != 1000)
        b->again_milli = b->told.scale_milli;
    b->told.scale_milli = 1000;
    b->told.measured_milli = 0;
    b->scaled_ms = 0;
    b->transaction = 0;
    b->ending = false;
    b->hung_up = NULL;
    session_restart(p, s, in_ms);
}

/* The media loop is told now: the first picture may come before the answer. */
static void go_from(struct platform *p, struct session *s, uint64_t from_s)
{
    s->playback.from_s = from_s;
    s->playback.seek_ms = playback_from_ms(s);
    session_news(p, s, NEWS_PACE);
    session_reinvite(p, s);
}

bool playback_goes_on(struct platform *p, struct session *s, const char *why)
{
    struct session_playback *b = &s->playback;
    struct platform_records_ask q = {
        .device = session_device(s), .channel = session_channel(s),
        .stop_s = b->told.stop_s,
    };

    if (!is_worth_it(p, s))
        return false;
    if (b->told.position_ms - playback_from_ms(s) < SHORT_MS)
        b->tries++;
    else
        b->tries = 0;
    platform_log(p, PLATFORM_INFO,
                 "msg=\"the rest of a recording is asked for\" session=%llu "
                 "device=%.*s channel=%.*s position_ms=%lld why=\"%s\"",
                 (unsigned long long)s->handle.id, SLICE_ARG(session_device(s)),
                 SLICE_ARG(session_channel(s)), (long long)b->told.position_ms,
                 why);
    b->maybe_all = b->ending;
    leave(p, s, ASK_MS);
    b->asking = true;
    b->records = 0;
    q.start_s = at_s(s);
    if (platform_records_start(p, &q, p->now, &b->records))
        s->retry_at = p->now.mono_ms;
    session_arm(p, s);
    playback_on_records(p, b->records); /* it may be known already */
    return true;
}

/* Where the next of it begins, as far as the device has told; 0: nowhere. */
static uint64_t rest_from(const struct platform *p, struct session *s)
{
    const uint64_t id = s->playback.records;
    int64_t at_ms = (int64_t)at_s(s) * 1000;
    struct platform_records all;
    struct platform_record r;

    for (size_t i = 0; platform_record_at(p, id, i, &r); i++) {
        if (r.end_utc_ms <= at_ms + SHORT_MS)
            continue;
        s->playback.maybe_all = false;
        return r.start_utc_ms > at_ms ? (uint64_t)r.start_utc_ms / 1000
                                      : at_s(s);
    }
    return platform_records_view(p, id, &all) && all.complete ? 0 : at_s(s);
}

bool playback_rest_due(struct platform *p, struct session *s)
{
    uint64_t from_s;

    if (!s->playback.asking)
        return false;
    s->playback.asking = false;
    from_s = rest_from(p, s);
    if (from_s && from_s < s->playback.told.stop_s)
        go_from(p, s, from_s);
    else
        playback_complete(p, s);
    return true;
}

void playback_on_records(struct platform *p, uint64_t records)
{
    struct platform_records r;
    struct list *n;

    if (!platform_records_view(p, records, &r) || !r.is_final)
        return;
    for (n = p->sessions.next; n != &p->sessions; n = n->next) {
        struct session *s = container_of(n, struct session, in_all);

        if (!s->playback.asking || s->playback.records != records)
            continue;
        s->retry_at = p->now.mono_ms;
        session_arm(p, s);
    }
}

void playback_go_back(struct platform *p, struct session *s,
                      int64_t position_ms)
{
    leave(p, s, 0);
    s->playback.maybe_all = false; /* it was asked for */
    s->playback.told.control_status = 200; /* it is ours to carry out */
    go_from(p, s, s->playback.told.start_s + (uint64_t)position_ms / 1000);
}

void playback_accepted(struct platform *p, struct session *s)
{
    struct session_playback *b = &s->playback;

    if (!b->again_milli)
        return;
    b->asked = (struct platform_control){ .kind = PLATFORM_CONTROL_SCALE,
                                          .scale_milli = b->again_milli };
    b->again_milli = 0;
    playback_send_control(p, s);
}
