/* test/fake_sessions.h - sessions, recordings, downloads and voices of the fake
 * platform */
#ifndef TEST_FAKE_SESSIONS_H
#define TEST_FAKE_SESSIONS_H

#include "test/fake_table.h"

int platform_live_start(struct platform *p, const struct platform_live *req,
                        struct gb_time now, struct platform_session *out)
{
    struct platform_session *s;

    fake.live_req = *req;
    if (fake.live_err) {
        *out = fake.live_failed;
        return fake.live_err;
    }
    if (platform_live_find(p, req->device, req->channel, req->stream, out))
        return 0;
    s = &fake.session[fake.next_session % FAKE_MAX];
    *s = (struct platform_session){
        .id = ++fake.next_session,
        .stream = req->stream,
        .state = PLATFORM_STARTING,
        .step = PLATFORM_STEP_INVITE,
        .transport = req->transport,
        .loop = 1,
        .started_utc_ms = now.utc_ms,
        .longer_ms = fake.longer_ms,
    };
    /* Names of the table, which live on. */
    for (size_t i = 0; i < fake.n_channels; i++) {
        if (slice_eq(fake.channel[i].id, req->channel) &&
            slice_eq(fake.channel[i].device, req->device)) {
            s->device = fake.channel[i].device;
            s->channel = fake.channel[i].id;
        }
    }
    *out = *s;
    return 0;
}

int platform_playback_start(struct platform *p,
                            const struct platform_recording *req,
                            struct gb_time now, struct platform_session *out)
{
    const struct platform_live live = { .device = req->device,
                                        .channel = req->channel,
                                        .stream = 100,
                                        .transport = req->transport };
    int err = platform_live_start(p, &live, now, out);
    struct platform_session *s;

    fake.recording = *req;
    if (err)
        return err;
    s = &fake.session[(out->id - 1) % FAKE_MAX];
    s->kind = req->kind;
    s->stream = 0;
    s->playback = (struct platform_playback){ .start_s = req->start_s,
                                              .stop_s = req->stop_s,
                                              .scale_milli = 1000 };
    *out = *s;
    return 0;
}

int platform_records_start(struct platform *p,
                           const struct platform_records_ask *q,
                           struct gb_time now, uint64_t *id)
{
    (void)p;
    (void)now;
    fake.records_ask = *q;
    slice_copy(fake.records_type, sizeof(fake.records_type), q->type);
    *id = fake.records.id = 77;
    fake.records.start_s = q->start_s;
    fake.records.stop_s = q->stop_s;
    return fake.records_err;
}

bool platform_records_is_final(const struct platform *p, uint64_t id)
{
    struct platform_records r;

    return platform_records_view(p, id, &r) && r.is_final;
}

bool platform_records_view(const struct platform *p, uint64_t id,
                           struct platform_records *out)
{
    (void)p;
    *out = fake.records;
    return id == fake.records.id;
}

bool platform_record_at(const struct platform *p, uint64_t id, size_t i,
                        struct platform_record *out)
{
    (void)p;
    if (id != fake.records.id || i >= fake.records.n)
        return false;
    *out = fake.record[i];
    return true;
}

const char *platform_clock_source_name(enum platform_clock_source s)
{
    return s == PLATFORM_CLOCK_STATUS ? "DeviceStatus" : "register";
}

const char *platform_file_name(enum platform_file f)
{
    return f == PLATFORM_FILE_PS ? "ps" : "mp4";
}

const char *platform_download_state_name(enum platform_download_state s)
{
    static const char *const names[] = {
#define X(id, name) name,
        PLATFORM_DOWNLOAD_STATE_MAP(X)
#undef X
    };

    return names[s];
}

int platform_download_start(struct platform *p,
                            const struct platform_download_order *o,
                            struct gb_time now, uint64_t *id)
{
    struct platform_download *d = &fake.download[fake.n_downloads];

    (void)p;
    if (fake.download_err)
        return fake.download_err;
    fake.download_order = *o;
    *d = (struct platform_download){
        .id = 1700000000000 + fake.n_downloads++,
        .device = fake.device[0].id, .channel = fake.channel[0].id,
        .format = o->format, .speed = o->speed, .start_s = o->start_s,
        .stop_s = o->stop_s, .created_utc_ms = now.utc_ms,
        .total_ms = (int64_t)(o->stop_s - o->start_s) * 1000,
    };
    *id = d->id;
    return 0;
}

bool platform_download_at(const struct platform *p, size_t i,
                          struct platform_download *out)
{
    (void)p;
    if (i >= fake.n_downloads)
        return false;
    *out = fake.download[fake.n_downloads - 1 - i];
    return true;
}

bool platform_download_view(const struct platform *p, uint64_t id,
                            struct platform_download *out)
{
    for (size_t i = 0; platform_download_at(p, i, out); i++)
        if (out->id == id)
            return true;
    return false;
}

bool platform_download_gap_at(const struct platform *p, uint64_t id, size_t i,
                              struct platform_download_gap *out)
{
    (void)p;
    (void)id;
    if (i >= fake.n_gaps)
        return false;
    *out = fake.gap[i];
    return true;
}

int platform_download_cancel(struct platform *p, uint64_t id,
                             struct gb_time now)
{
    (void)p;
    (void)now;
    fake.cancelled = id;
    return 0;
}

int platform_session_control(struct platform *p, uint64_t id,
                             const struct platform_control *c,
                             struct gb_time now, uint32_t *number)
{
    struct platform_session *s = fake_session(id);

    (void)p;
    (void)now;
    fake.control = *c;
    if (fake.control_err)
        return fake.control_err;
    s->playback.control_status = 0;
    *number = ++s->playback.control;
    return 0;
}

int platform_timezone_min(const struct platform *p)
{
    (void)p;
    return 480;
}

const char *platform_session_kind_name(enum platform_session_kind k)
{
    static const char *const names[] = {
#define X(id, name) name,
        PLATFORM_SESSION_KIND_MAP(X)
#undef X
    };

    return names[k];
}

bool platform_session_view(const struct platform *p, uint64_t id,
                           struct platform_session *out)
{
    struct platform_session *s = fake_session(id);

    (void)p;
    if (s)
        *out = *s;
    return s != NULL;
}

bool platform_session_next(const struct platform *p, uint64_t after,
                           struct platform_session *out)
{
    (void)p;
    for (size_t k = 0; k < FAKE_MAX; k++) {
        if (fake.session[k].id && !after) {
            *out = fake.session[k];
            return true;
        }
        if (fake.session[k].id == after)
            after = 0;
    }
    return false;
}

bool platform_live_find(const struct platform *p, struct slice device,
                        struct slice channel, unsigned stream,
                        struct platform_session *out)
{
    (void)p;
    for (size_t i = 0; i < FAKE_MAX; i++) {
        const struct platform_session *s = &fake.session[i];

        if (s->id && s->kind == PLATFORM_LIVE && s->stream == stream &&
            slice_eq(s->device, device) && slice_eq(s->channel, channel)) {
            *out = *s;
            return true;
        }
    }
    return false;
}

void platform_session_hold(struct platform *p, uint64_t id, struct gb_time now)
{
    (void)p;
    (void)now;
    if (fake_session(id))
        fake.holds[id]++;
}

void platform_session_release(struct platform *p, uint64_t id,
                              struct gb_time now)
{
    (void)p;
    (void)now;
    fake.holds[id]--;
}

void platform_session_stop(struct platform *p, uint64_t id, struct gb_time now)
{
    struct platform_session *s = fake_session(id);

    (void)p;
    (void)now;
    if (s)
        s->state = PLATFORM_STOPPING;
}

/* ---- voices ---- */

const char *platform_voice_mode_name(enum platform_voice_mode m)
{
    return m == PLATFORM_VOICE_TALK ? "talk" : "broadcast";
}

enum platform_voice_mode platform_voice_mode_by_name(struct slice name)
{
    return slice_eq(name, SLICE("talk"))        ? PLATFORM_VOICE_TALK
           : slice_eq(name, SLICE("broadcast")) ? PLATFORM_VOICE_BROADCAST
           : slice_eq(name, SLICE("auto"))      ? PLATFORM_VOICE_AUTO
                                                : PLATFORM_VOICE_MODES;
}

const char *platform_voice_step_name(enum platform_voice_step s)
{
    return s == PLATFORM_VOICE_STEP_SPEAKING ? "speaking"
           : s == PLATFORM_VOICE_STEP_INVITED ? "invited" : "device";
}

bool platform_voice_view(const struct platform *p, uint64_t id,
                         struct platform_voice *out)
{
    (void)p;
    for (size_t i = 0; i < 4; i++)
        if (id && fake.voice[i].id == id) {
            *out = fake.voice[i];
            return true;
        }
    return false;
}

bool platform_voice_at(const struct platform *p, size_t i,
                       struct platform_voice *out)
{
    return i < 4 && platform_voice_view(p, fake.voice[i].id, out);
}

bool platform_voice_of(const struct platform *p, struct slice device,
                       struct platform_voice *out)
{
    (void)p;
    for (size_t i = 0; i < 4; i++)
        if (fake.voice[i].id && slice_eq(fake.voice[i].device, device)) {
            *out = fake.voice[i];
            return true;
        }
    return false;
}

int platform_voice_start(struct platform *p,
                         const struct platform_voice_wish *w,
                         struct gb_time now, struct platform_voice *out)
{
    size_t i = 0;

    (void)now;
    fake.voice_wish = *w;
    slice_copy(fake.voice_who, sizeof(fake.voice_who), w->who);
    if (platform_voice_of(p, w->device, out))
        return GB_EEXIST;
    *out = (struct platform_voice){ .evidence = SLICE("told") };
    if (fake.voice_err)
        return fake.voice_err;
    while (i < 3 && fake.voice[i].id)
        i++;
    fake.voice[i] = (struct platform_voice){ .id = 70 + i };
    for (size_t k = 0; k < fake.n_devices; k++) /* its own text */
        if (slice_eq(fake.device[k].id, w->device))
            fake.voice[i].device = fake.voice[i].channel = fake.device[k].id;
    *out = fake.voice[i];
    return 0;
}

void platform_voice_stop(struct platform *p, uint64_t id, const char *why,
                         struct gb_time now)
{
    (void)p;
    (void)now;
    (void)id;
    fake.voice_stop = why;
}
#endif
