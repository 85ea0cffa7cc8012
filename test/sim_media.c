/* The media edge: ports, packets, and the files of downloads. */
#include "test/sim_int.h"

#include <stdio.h>

/* ---- the media edge ---- */

struct sim_stream *sim_stream_of(struct sim *s, uint64_t session)
{
    for (unsigned i = 0; i < SIM_MAX_STREAMS; i++)
        if (s->stream[i].session == session)
            return &s->stream[i];
    return NULL;
}

void sim_media(struct sim *s, struct sim_stream *st,
               enum platform_media_kind kind)
{
    struct platform_media_event ev = {
        .kind = kind,
        .session = st->session,
        .packets = st->packets,
        .bytes = st->packets * 1400,
        .keys = st->keys,
        .ssrc = st->ssrc + (st->source && st->source->foreign_ssrc),
        .video = st->source && st->source->sound_only ? PS_CODEC_UNKNOWN
                                                      : PS_CODEC_H264,
        .audio = PS_CODEC_G711A,
        .width = 1920,
        .height = 1080,
        .position_ms = st->position_ms,
        .sets = st->source ? st->source->sets : NULL,
    };

    if (st->source)
        ev.from = st->source->addr;
    if (st->source && st->source->lost_percent)
        ev.lost = st->packets * st->source->lost_percent /
                  (100 - st->source->lost_percent);
    if (st->source && st->source->media_ip)
        gb_addr_parse_ip(&ev.from, slice_str(st->source->media_ip));
    if (kind == PLATFORM_MEDIA_ALIVE && st->source) {
        ev.text = st->source->note;
        if (st->source->media >= SIM_NO_PROGRAM)
            ev.audio = PS_CODEC_UNKNOWN;
    }
    if (kind == PLATFORM_MEDIA_ENDED && st->source)
        ev.err = st->source->ended_err;
    if (kind == PLATFORM_MEDIA_REFUSED) {
        ev.err = GB_EIO;
        ev.text = "address already in use";
    }
    platform_media(s->p, &ev, s->now);
}

void sim_at(struct sim *s, uint64_t session, int64_t ms)
{
    struct sim_stream *st = sim_stream_of(s, session);

    st->position_ms = ms;
    st->packets++;
    sim_media(s, st, PLATFORM_MEDIA_ALIVE);
}

void sim_on_order(struct sim *s, const struct platform_action *a)
{
    struct sim_stream *st = sim_stream_of(s, a->session);

    switch (a->kind) {
    case PLATFORM_DO_OPEN:
        assert_null(st);
        assert_true(a->port && (a->port & 1) == 0);
        for (unsigned i = 0; i < SIM_MAX_STREAMS; i++)
            if (s->stream[i].session && s->stream[i].port == a->port &&
                !(a->shared && s->stream[i].shared))
                fail_msg("port %u is open twice", a->port);
        st = sim_stream_of(s, 0);
        assert_non_null(st);
        *st = (struct sim_stream){ .session = a->session,
                                   .port = a->port,
                                   .shared = a->shared,
                                   .transport = a->transport,
                                   .ssrc = a->ssrc,
                                   .history_ms = a->history_ms,
                                   .sets = a->sets,
                                   .next_ms = GB_NEVER,
                                   .alive_ms = GB_NEVER };
        if (s->opt.refuse_ports) {
            s->opt.refuse_ports--;
            sim_media(s, st, PLATFORM_MEDIA_REFUSED);
            st->session = 0;
            return;
        }
        s->open_streams++;
        sim_media(s, st, PLATFORM_MEDIA_OPENED);
        break;
    case PLATFORM_DO_ANSWER:
        assert_non_null(st);
        st->ssrc = a->ssrc;
        st->answer = a->remote;
        s->video_hint = a->video_hint;
        st->transport = a->transport;
        if (a->transport == PLATFORM_TCP_ACTIVE)
            assert_true(a->remote.family && a->remote.port);
        break;
    case PLATFORM_DO_SPEAK:
        assert_non_null(st);
        if (!a->speak.waits) {
            st->speaks = true;
            st->voice = a->speak.voice;
        }
        break;
    case PLATFORM_DO_PACE:
        assert_non_null(st);
        st->scale_milli = a->scale_milli;
        st->seek_ms = a->position_ms;
        break;
    case PLATFORM_DO_CLOSE:
        assert_non_null(st);
        s->closes++;
        s->open_streams--;
        if (!s->opt.lose_closed)
            sim_media(s, st, PLATFORM_MEDIA_CLOSED);
        st->session = 0;
        break;
    default:
        break;
    }
}

/* ---- files of downloads ---- */

struct sim_file *sim_file_of(struct sim *s, uint64_t download)
{
    for (unsigned i = 0; i < SIM_MAX_FILES; i++)
        if (s->file[i].download == download)
            return &s->file[i];
    return NULL;
}

static void file_report(struct sim *s, struct sim_file *f, bool over)
{
    struct platform_download_saved r = { .id = f->download,
                                         .session = f->session,
                                         .over = over, .err = s->file_err };

    if (s->file_err == GB_ENOENT) /* nothing of it is there */
        f->mark = (struct platform_download_mark){ 0 };
    r.mark = f->mark;
    if (over)
        f->session = 0;
    platform_download_saved(s->p, &r, s->now);
}

/* What the session has brought is in the file. */
static void file_grow(struct sim *s, const struct sim_stream *st, int64_t ms)
{
    for (unsigned i = 0; i < SIM_MAX_FILES; i++) {
        struct sim_file *f = &s->file[i];
        struct platform_session v;

        if (!f->download || f->session != st->session)
            continue;
        assert_true(platform_session_view(s->p, f->session, &v));
        f->mark.at_utc_ms = (int64_t)v.playback.start_s * 1000 +
                            st->position_ms;
        f->mark.bytes += (uint64_t)ms;
        file_report(s, f, false);
    }
}

void sim_on_file_order(struct sim *s, const struct platform_action *a)
{
    struct sim_file *f = sim_file_of(s, a->download);

    if (!f)
        f = sim_file_of(s, 0);
    assert_non_null(f);
    assert_true(f->session == 0); /* at rest */
    f->download = a->download;
    if (a->kind == PLATFORM_DO_SAVE) {
        f->session = a->session;
        f->begun = f->mark;
        return;
    }
    f->published = !(a->flags & PLATFORM_FILE_REMOVE);
    s->files_removed += !f->published;
    platform_download_filed(s->p, a->download, f->mark.bytes, s->filing_err,
                            s->filing_err ? "no space left" : NULL, s->now);
    if (!f->published)
        *f = (struct sim_file){ .download = 0 };
}

/* The loop has been told that the session is gone. */
void sim_files_leave(struct sim *s, uint64_t session)
{
    for (unsigned i = 0; i < SIM_MAX_FILES; i++)
        if (s->file[i].download && s->file[i].session == session)
            file_report(s, &s->file[i], true);
}

static const enum platform_media_kind media_script[] = {
    PLATFORM_MEDIA_CONNECTED, PLATFORM_MEDIA_PACKET, PLATFORM_MEDIA_PROGRAM,
    PLATFORM_MEDIA_CODEC,     PLATFORM_MEDIA_KEY,
};

/* The device has its ACK: packets go to the port it was told. */
void sim_media_begins(struct sim *s, struct sim_device *d)
{
    bool tcp = d->media_tcp;

    for (unsigned i = 0; i < SIM_MAX_STREAMS; i++) {
        struct sim_stream *st = &s->stream[i];

        if (!st->session || st->port != d->media_port)
            continue;
        if (d->media == SIM_NOTHING || (d->media == SIM_TCP_ONLY && !tcp) ||
            (d->media == SIM_UDP_ONLY && tcp))
            return;
        st->source = d;
        /* the edge tells the first packet and key frame of a port once */
        st->at = st->said_key ? COUNT(media_script) : 0;
        st->next_ms = s->now.mono_ms + 20;
    }
}

/* The dialog that sim_device keeps is that of its last INVITE. */
static bool is_of_its_dialog(struct sim *s, const struct sim_stream *st)
{
    struct sip_dialog_state known;

    for (unsigned i = 0; i < SIM_MAX_STREAMS; i++)
        if (s->stream[i].session && s->stream[i].source == st->source &&
            &s->stream[i] != st)
            return false;
    return st->port == st->source->media_port &&
           sip_stack_dialog_state(s->field, st->source->dialog, &known) == 0;
}

static void recording_step(struct sim *s, struct sim_stream *st)
{
    static const char status[] =
        "<?xml version=\"1.0\"?>\r\n<Notify>\r\n"
        "<CmdType>MediaStatus</CmdType>\r\n<SN>7</SN>\r\n"
        "<DeviceID>%s</DeviceID>\r\n<NotifyType>121</NotifyType>\r\n"
        "</Notify>\r\n";
    struct sim_device *d = st->source;
    int64_t step = 1000 * (int64_t)d->send_rate;
    char body[400];

    if (st->position_ms + step > st->history_ms)
        step = st->history_ms - st->position_ms;
    st->position_ms += step;
    file_grow(s, st, step);
    if (d->break_times && st->position_ms >= d->break_after_ms) {
        d->break_times--;
        st->next_ms = GB_NEVER; /* and never again a packet */
    } else if (st->position_ms == st->history_ms && d->bye_at_end) {
        st->next_ms = GB_NEVER;
        sim_bye(d);
    } else if (st->position_ms == st->history_ms && !d->no_media_status) {
        st->next_ms = GB_NEVER;
        snprintf(body, sizeof(body), status, d->channel[0]);
        if (is_of_its_dialog(s, st))
            sim_message_in(d, body);
        else /* its dialog is not the last one */
            sim_message(d, body);
    } else if (st->position_ms == st->history_ms) {
        st->next_ms = GB_NEVER;
    }
}

uint64_t sim_stream_at(const struct sim_stream *st)
{
    return st->next_ms < st->alive_ms ? st->next_ms : st->alive_ms;
}

/* A recording whose media loop works reports, silent or not. */
static void report(struct sim *s, struct sim_stream *st)
{
    if (st->history_ms > 0)
        st->alive_ms = s->now.mono_ms + 1000;
    sim_media(s, st, PLATFORM_MEDIA_ALIVE);
}

void sim_media_step(struct sim *s, struct sim_stream *st)
{
    static const unsigned stops[] = {
        [SIM_CONNECT_ONLY] = 1, [SIM_NO_PROGRAM] = 2, [SIM_NO_CODEC] = 3,
        [SIM_NO_KEY] = 4,
    };
    enum sim_media m;
    unsigned stop;

    if (st->next_ms > s->now.mono_ms) {
        report(s, st);
        return;
    }
    m = st->source->media;
    stop = m >= SIM_CONNECT_ONLY ? stops[m] : 0;
    if (st->source->sound_only)
        stop = 3; /* codec is told of video alone */

    st->next_ms = s->now.mono_ms + 20;
    if (st->at == 0 && !st->source->media_tcp)
        st->at = 1; /* nothing to connect */
    if (stop && st->at >= stop) {
        st->next_ms = s->now.mono_ms + 1000;
        if (m != SIM_CONNECT_ONLY) {
            st->packets += 10;
            sim_media(s, st, PLATFORM_MEDIA_ALIVE);
        } else {
            st->next_ms = GB_NEVER;
        }
        return;
    }
    if (st->at < COUNT(media_script)) {
        st->packets += st->at > 0;
        st->said_key |= media_script[st->at] == PLATFORM_MEDIA_KEY;
        sim_media(s, st, media_script[st->at++]);
        return;
    }
    st->packets += 10;
    st->next_ms = s->now.mono_ms + 1000;
    if (st->source->send_rate && st->history_ms > 0)
        recording_step(s, st);
    report(s, st);
}
