#include "app/replay_media.h"

#include <stdlib.h>

#define MEDIA_STEP_MS 20    /* between the steps up to the first key frame */
#define MEDIA_ALIVE_MS 1000
#define PACKET_BYTES 1400

struct replay_picture {
    struct replay_picture *next;
    uint64_t session;
    unsigned step;
    bool tcp;
    uint32_t ssrc;
    uint64_t at_ms, packets;
};

static void tell(struct platform *p, const struct replay_picture *m,
                 enum platform_media_kind kind, struct gb_time now)
{
    const struct platform_media_event ev = {
        .kind = kind, .session = m->session, .packets = m->packets,
        .bytes = m->packets * PACKET_BYTES, .video = PS_CODEC_H264,
        .width = 1920, .height = 1080, .ssrc = m->ssrc,
    };

    platform_media(p, &ev, now);
}

/* Where the picture of a session hangs; *NULL: it has none. */
static struct replay_picture **place_of(struct replay_media *all,
                                        uint64_t session)
{
    struct replay_picture **at = &all->first;

    while (*at && (*at)->session != session)
        at = &(*at)->next;
    return at;
}

static bool open_picture(struct replay_media *all, struct platform *p,
                         const struct platform_action *a, struct gb_time now)
{
    struct replay_picture *m = calloc(1, sizeof(*m));

    if (!m)
        return false;
    *m = (struct replay_picture){ .next = all->first, .session = a->session,
                                  .ssrc = a->ssrc, .at_ms = GB_NEVER };
    all->first = m;
    tell(p, m, PLATFORM_MEDIA_OPENED, now);
    return true;
}

bool replay_media_order(struct replay_media *all, struct platform *p,
                        const struct platform_action *a, struct gb_time now)
{
    struct replay_picture **at = place_of(all, a->session), *m = *at;

    if (a->kind == PLATFORM_DO_OPEN)
        return open_picture(all, p, a, now);
    if (!m)
        return true;
    if (a->kind == PLATFORM_DO_ANSWER) {
        m->tcp = a->transport != PLATFORM_UDP;
        m->ssrc = a->ssrc;
        m->at_ms = now.mono_ms + MEDIA_STEP_MS;
    } else if (a->kind == PLATFORM_DO_CLOSE) {
        *at = m->next;
        tell(p, m, PLATFORM_MEDIA_CLOSED, now);
        free(m);
    }
    return true;
}

uint64_t replay_media_deadline(const struct replay_media *all)
{
    uint64_t at_ms = GB_NEVER;

    for (const struct replay_picture *m = all->first; m; m = m->next)
        at_ms = m->at_ms < at_ms ? m->at_ms : at_ms;
    return at_ms;
}

static void step(struct replay_picture *m, struct platform *p,
                 struct gb_time now)
{
    static const enum platform_media_kind steps[] = {
        PLATFORM_MEDIA_CONNECTED, PLATFORM_MEDIA_PACKET,
        PLATFORM_MEDIA_PROGRAM,   PLATFORM_MEDIA_CODEC, PLATFORM_MEDIA_KEY,
    };
    size_t n = sizeof(steps) / sizeof(steps[0]);
    struct platform_session s;

    if (platform_session_view(p, m->session, &s) &&
        s.step < PLATFORM_STEP_ANSWER) { /* the device is asked once more */
        m->at_ms = GB_NEVER;
        return;
    }
    if (m->step == 0 && !m->tcp)
        m->step = 1;
    m->packets += 10;
    m->at_ms = now.mono_ms + (m->step < n ? MEDIA_STEP_MS : MEDIA_ALIVE_MS);
    tell(p, m, m->step < n ? steps[m->step] : PLATFORM_MEDIA_ALIVE, now);
    if (m->step < n)
        m->step++;
}

void replay_media_step(struct replay_media *all, struct platform *p,
                       struct gb_time now)
{
    for (struct replay_picture *m = all->first, *next; m; m = next) {
        next = m->next;
        if (m->at_ms <= now.mono_ms)
            step(m, p, now);
    }
}

void replay_media_free(struct replay_media *all)
{
    while (all->first) {
        struct replay_picture *m = all->first;

        all->first = m->next;
        free(m);
    }
}
