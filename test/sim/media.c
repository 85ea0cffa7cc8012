/* The media edge of the platform and of the devices: ports, and what comes to
 * them. */
#include "test/sim/world.h"

#include <string.h>

static const enum platform_media_kind script[] = {
    PLATFORM_MEDIA_CONNECTED, PLATFORM_MEDIA_PACKET, PLATFORM_MEDIA_PROGRAM,
    PLATFORM_MEDIA_CODEC, PLATFORM_MEDIA_KEY, PLATFORM_MEDIA_ALIVE,
};
#define ALIVE 5u

static struct stream *of_session(struct world *w, uint64_t session)
{
    for (unsigned i = 0; i < WORLD_STREAMS; i++)
        if (w->stream[i].session == session)
            return &w->stream[i];
    return NULL;
}

static void report(struct world *w, const struct stream *m,
                   enum platform_media_kind kind)
{
    struct platform_media_event ev = {
        .kind = kind, .session = m->session, .ssrc = m->ssrc,
        .packets = m->packets, .bytes = m->packets * 1400,
        .keys = m->step >= ALIVE, .video = PS_CODEC_H264,
        .audio = PS_CODEC_G711A, .width = 1920, .height = 1080,
    };

    if (m->has_unit)
        ev.from = w->unit[m->unit].seen;
    if (kind == PLATFORM_MEDIA_REFUSED) {
        ev.err = GB_EIO;
        ev.text = "address already in use";
    }
    if (w->server)
        platform_media(w->p, &ev, world_now(w));
}

/* ---- the platform's orders ---- */

static void open_stream(struct world *w, const struct platform_action *a)
{
    struct stream *m = of_session(w, 0);

    if (of_session(w, a->session))
        world_fail(w, "a session opens a second port");
    if (a->port == 0 || a->port & 1)
        world_fail(w, "port %u is opened", a->port);
    for (unsigned i = 0; i < WORLD_STREAMS; i++)
        if (w->stream[i].session && w->stream[i].port == a->port)
            world_fail(w, "port %u is lent twice", a->port);
    if (!m)
        world_fail(w, "more sessions than were asked for");
    *m = (struct stream){ .session = a->session, .port = a->port,
                          .ssrc = a->ssrc, .transport = a->transport,
                          .history_ms = a->history_ms, .next_ms = GB_NEVER };
    if (!w->calm && world_chance(w, 20)) {
        report(w, m, PLATFORM_MEDIA_REFUSED);
        m->session = 0;
        return;
    }
    w->open_streams++;
    w->sessions++;
    report(w, m, PLATFORM_MEDIA_OPENED);
}

void media_order(struct world *w, const struct platform_action *a)
{
    struct stream *m;

    if (a->kind == PLATFORM_DO_OPEN) {
        open_stream(w, a);
        return;
    }
    m = of_session(w, a->session);
    if (!m || m->closing)
        world_fail(w, "an order for a session that is not open");
    if (a->kind == PLATFORM_DO_ANSWER) {
        for (unsigned i = 0; i < WORLD_STREAMS; i++)
            if (w->stream[i].session && &w->stream[i] != m && !a->ssrc_any &&
                w->stream[i].answered && w->stream[i].ssrc == a->ssrc)
                world_fail(w, "SSRC %u is lent twice", a->ssrc);
        m->answered = true;
        m->ssrc = a->ssrc;
        m->transport = a->transport;
    } else if (a->kind == PLATFORM_DO_CLOSE) {
        m->closing = true;
        m->has_unit = false;
        m->next_ms = w->mono_ms + world_random(w, 50);
    }
}

void media_forget(struct world *w)
{
    memset(w->stream, 0, sizeof(w->stream));
    memset(w->hold, 0, sizeof(w->hold));
    w->open_streams = 0;
}

/* ---- what devices do ---- */

static void begin(struct world *w, uint32_t unit, const struct device_action *a)
{
    for (unsigned i = 0; i < WORLD_STREAMS; i++) {
        struct stream *m = &w->stream[i];

        if (!m->session || m->closing || m->port != a->remote.port)
            continue;
        m->has_unit = true;
        m->unit = unit;
        m->unit_session = a->session;
        m->unit_life = a->life;
        m->step = m->transport == PLATFORM_UDP ? 1 : 0;
        m->breaks_at = !w->calm && world_chance(w, 100)
                           ? 1 + (unsigned)world_random(w, 120) : 0;
        m->next_ms = w->mono_ms + 20 + world_random(w, 100);
        m->ends_ms = a->length_ms ? w->mono_ms + a->length_ms : GB_NEVER;
        return;
    }
}

static void end(struct world *w, uint32_t unit, uint32_t session)
{
    for (unsigned i = 0; i < WORLD_STREAMS; i++) {
        struct stream *m = &w->stream[i];

        if (!m->has_unit || m->unit != unit || m->unit_session != session)
            continue;
        m->has_unit = false;
        if (!m->closing)
            m->next_ms = GB_NEVER;
    }
}

void media_device(struct world *w, uint32_t unit,
                  const struct device_action *a)
{
    struct gb_addr local = w->unit[unit].own;

    switch (a->kind) {
    case DEVICE_DO_OPEN:
        local.port = (uint16_t)(20000 + 2 * a->session);
        if (!w->calm && world_chance(w, 20))
            local = (struct gb_addr){ 0 };
        device_media_opened(fleet_device(w->fleet, unit), a->session, a->life,
                            &local, world_field_now(w));
        break;
    case DEVICE_DO_START:
        begin(w, unit, a);
        break;
    case DEVICE_DO_STOP:
        end(w, unit, a->session);
        break;
    default:
        break;
    }
}

/* ---- time ---- */

uint64_t media_deadline(const struct world *w)
{
    uint64_t at = GB_NEVER;

    for (unsigned i = 0, left = w->open_streams; left; i++) {
        if (!w->stream[i].session)
            continue;
        left--;
        if (w->stream[i].next_ms < at)
            at = w->stream[i].next_ms;
    }
    return at;
}

static void step(struct world *w, struct stream *m)
{
    uint32_t unit = m->unit;

    if (m->closing) {
        report(w, m, PLATFORM_MEDIA_CLOSED);
        m->session = 0;
        w->open_streams--;
        return;
    }
    m->next_ms = GB_NEVER;
    if (!m->has_unit || (m->breaks_at && m->step >= m->breaks_at))
        return;
    if (w->mono_ms >= m->ends_ms) {
        device_media_over(fleet_device(w->fleet, unit), m->unit_session,
                          m->unit_life, world_field_now(w));
        fleet_touch(w->fleet, unit);
        return;
    }
    m->packets += 100;
    m->next_ms = w->mono_ms + (m->step < ALIVE ? 50 : 1000);
    m->step++;
    if (w->unit[unit].down_ms == GB_NEVER)
        report(w, m, script[m->step - 1 < ALIVE ? m->step - 1 : ALIVE]);
}

void media_tick(struct world *w)
{
    for (unsigned i = 0, left = w->open_streams; left; i++) {
        if (!w->stream[i].session)
            continue;
        left--;
        if (w->stream[i].next_ms <= w->mono_ms)
            step(w, &w->stream[i]);
    }
}
