/* What the media edge reports of a session, and what it means that nothing is
 * reported. */
#include "app/platform/core.h"
#include "app/platform/dialogs.h"
#include "app/platform/outgoing.h"
#include "app/platform/voices.h"

#define FIRST_KEY_ASK_MS 1000 /* of pictures without a key frame (8.8) */
#define IMPLIED_MS 2000 /* of media without an answer (5.3) */
#define RECONNECT_MS 3000 /* for a TCP connection to come back */

enum platform_step session_awaited(const struct session *s)
{
    if (s->step_ms[PLATFORM_STEP_CODEC])
        return PLATFORM_STEP_KEY;
    if (s->step_ms[PLATFORM_STEP_PROGRAM])
        return PLATFORM_STEP_CODEC;
    if (s->packet)
        return PLATFORM_STEP_PROGRAM;
    if (!s->answered)
        return PLATFORM_STEP_ANSWER;
    if (s->transport != PLATFORM_UDP && !s->step_ms[PLATFORM_STEP_CONNECT])
        return PLATFORM_STEP_CONNECT;
    return PLATFORM_STEP_PACKET;
}

/* Both halves are there, the answer and the first packet, in either order. */
void session_began_media(struct platform *p, struct session *s)
{
    if (!s->packet || !s->answered)
        return;
    if (s->either && !s->step_ms[PLATFORM_STEP_CONNECT])
        s->transport = PLATFORM_UDP; /* without a connection: as it said */
    s->packet_at = s->tcp_at = GB_NEVER;
    if (!s->playback.told.paused)
        s->silence_at = p->now.mono_ms + p->cfg.silence_ms;
    if (s->state != PLATFORM_PLAYING) {
        s->program_at = p->now.mono_ms + p->cfg.program_ms;
        s->key_at = p->now.mono_ms + p->cfg.first_key_ms;
    }
    if (s->is_auto && s->tried & (TRIED_TCP | TRIED_UDP | TRIED_TRANSPORT))
        s->device->learnt = (uint8_t)s->transport; /* another one did not work */
    session_arm(p, s);
}

/* ---- nothing comes ---- */

static const char no_accept_hint[] =
    "the device does not accept connections there: use tcp-passive, so that "
    "the device connects to us";

static const char lacks_hint[] =
    "the device takes the call, but does not say that it sends what was asked "
    "for: look at the channel there, or try another stream";

static void no_packet(struct platform *p, struct session *s)
{
    char to[GB_ADDR_TEXT_MAX];
    const char *further = s->lacks     ? s->lacks
                          : s->foreign ? "; packets with a foreign SSRC did come"
                                       : "";
    struct gb_addr a = platform_media_addr(p, &s->device->peer);
    double waited = (double)(p->now.mono_ms - s->answered_ms) / 1000;

    a.port = s->port;
    gb_addr_text(&a, to);
    if (s->transport == PLATFORM_UDP) {
        session_fail(p, s, PLATFORM_STEP_PACKET,
                     s->lacks ? lacks_hint
                              : "a firewall or NAT drops the UDP packets, or "
                                "the device cannot reach that address: check "
                                "media.address and network.advertise, or use "
                                "TCP",
                     "the device answered 200, but no RTP packet came in "
                     "%.1f s; it was told to send to %s over UDP%s",
                     waited, to, further);
        return;
    }
    if (s->step_ms[PLATFORM_STEP_CONNECT]) {
        session_fail(p, s, PLATFORM_STEP_PACKET,
                     s->lacks ? lacks_hint
                              : "the device opens the connection but sends "
                                "nothing usable: try UDP, or another stream of "
                                "the channel",
                     "the TCP media connection is up, but no RTP packet came "
                     "in %.1f s (%llu unknown bytes)%s",
                     waited, (unsigned long long)s->bytes, further);
        return;
    }
    if (s->transport == PLATFORM_TCP_ACTIVE)
        gb_addr_text(&s->connect, to);
    session_fail(p, s, PLATFORM_STEP_CONNECT,
                 s->transport == PLATFORM_TCP_ACTIVE
                     ? no_accept_hint
                     : "the device cannot reach that address, or a firewall "
                       "drops it: check media.address, network.advertise and "
                       "the open TCP ports",
                 "the device answered 200, but no TCP connection %s %s came "
                 "up in %.1f s%s",
                 s->transport == PLATFORM_TCP_ACTIVE ? "to" : "from it to", to,
                 waited,
                 s->lacks               ? s->lacks
                 : s->tried & TRIED_TCP ? "; over UDP nothing came before"
                                        : "");
}

static void other_transport(struct platform *p, struct session *s)
{
    bool udp = s->transport == PLATFORM_UDP;

    s->tcp_at = GB_NEVER;
    s->tried |= udp ? TRIED_TCP : TRIED_UDP;
    s->device->learnt = PLATFORM_AUTO; /* until another one is seen to work */
    device_deviation(p, s->device, udp ? DEVIATION_UDP_SILENT
                                       : DEVIATION_TCP_ABSENT,
                     session_channel(s));
    session_retry_transport(p, s, udp ? PLATFORM_TCP_PASSIVE : PLATFORM_UDP);
}

/* On the shared port packets of the device came, and nothing told whose they
 * are: a port of its own, and that is remembered (field-note 7.1).
 *
 * Three seconds without a packet over UDP and the choice was ours: TCP, once,
 * and that is remembered when it works (field-note 2.4). So is UDP, when no
 * connection has come up in five (field-note 6.2). */
void session_no_media(struct platform *p, struct session *s)
{
    if (s->shared && s->foreign && session_retry_own_port(p, s)) {
        device_deviation(p, s->device, DEVIATION_SSRC_IGNORED,
                         session_channel(s));
        return;
    }
    if (s->tcp_at <= p->now.mono_ms)
        other_transport(p, s);
    else
        no_packet(p, s);
}

const char *session_media_hint(enum platform_step awaited)
{
    if (awaited == PLATFORM_STEP_PROGRAM)
        return "the device sends a format of its own: set its stream to "
               "GB/T 28181 (PS)";
    if (awaited == PLATFORM_STEP_CODEC)
        return "set the video of the camera to H.264 or H.265";
    return "shorten the key frame interval of the camera to 4 s or less";
}

/* As the above; a key frame that is not merely late needs something else. */
static const char *hint_for(const struct session *s, enum platform_step awaited)
{
    const char *loss = platform_loss_hint(s->transport == PLATFORM_UDP,
                                          s->packets, s->lost);

    if (awaited == PLATFORM_STEP_KEY && loss)
        return loss;
    if (s->note_len && awaited == PLATFORM_STEP_KEY)
        return "save the video settings of the camera again, without smart "
               "coding and encryption, or reboot it; try TCP";
    return session_media_hint(awaited);
}

const char *session_note_hint(const struct session *s)
{
    return hint_for(s, s->state == PLATFORM_STARTING ? session_awaited(s)
                                                     : PLATFORM_STEP_CODEC);
}

static void play_sound_alone(struct platform *p, struct session *s)
{
    s->program_at = s->key_at = GB_NEVER; /* there is no key frame to come */
    s->state = PLATFORM_PLAYING;
    s->playing_ms = p->now.mono_ms;
    session_set_step(p, s, PLATFORM_STEP_PLAYING);
}

static bool is_sound_alone(const struct session *s)
{
    return s->step_ms[PLATFORM_STEP_PROGRAM] &&
           s->video == PS_CODEC_UNKNOWN && s->audio != PS_CODEC_UNKNOWN;
}

static void not_understood(struct platform *p, struct session *s,
                           uint32_t waited_ms)
{
    enum platform_step step = session_awaited(s);

    session_fail(p, s, step, hint_for(s, step),
                 "%llu packets (%llu bytes, %llu lost) came, but within %.1f "
                 "s not this: %s%s%.*s",
                 (unsigned long long)s->packets, (unsigned long long)s->bytes,
                 (unsigned long long)s->lost, (double)waited_ms / 1000,
                 platform_step_text(step), s->note_len ? "; " : "",
                 (int)s->note_len, s->note);
}

/* Whose bytes are no stream of ours need not be waited for as long as one that
 * is slow with its key frame. */
void session_no_program(struct platform *p, struct session *s)
{
    s->program_at = GB_NEVER;
    if (is_sound_alone(s))
        play_sound_alone(p, s);
    else if (session_awaited(s) < PLATFORM_STEP_KEY)
        not_understood(p, s, p->cfg.program_ms);
}

void session_no_key(struct platform *p, struct session *s)
{
    not_understood(p, s, p->cfg.first_key_ms);
}

/* ---- something comes ---- */

static void on_opened(struct platform *p, struct session *s)
{
    if (s->phase != PHASE_OPENING)
        return;
    session_set_step(p, s, PLATFORM_STEP_SOCKET);
    session_invite(p, s);
}

/* The port is no good: it rests, the next one is tried. */
static void on_refused(struct platform *p, struct session *s,
                       const struct platform_media_event *ev)
{
    uint16_t bad = s->port;
    bool closing = s->phase == PHASE_CLOSING || s->phase == PHASE_REOPENING;

    if (closing) {
        session_closed(p, s);
        return;
    }
    if (s->phase != PHASE_OPENING)
        return;
    s->open = s->ordered = false;
    if (++s->refusals >= PORTS_TRIES || session_take_port(p, s)) {
        session_fail(p, s, PLATFORM_STEP_SOCKET,
                     "another program uses the ports of media.ports, or the "
                     "process may not open more files",
                     "media port %u could not be opened: %s", bad,
                     ev->text ? ev->text : gb_strerror(ev->err));
        return;
    }
    s->open = true;
    session_news(p, s, NEWS_OPEN);
}

static void first_packet(struct platform *p, struct session *s)
{
    struct channel *c = channel_find(s->device, session_channel(s));

    s->packet = true;
    session_set_step(p, s, PLATFORM_STEP_PACKET);
    if (c && s->kind == PLATFORM_LIVE)
        channel_observe(p, c, PLATFORM_OBSERVED_DELIVERING, 0);
    session_began_media(p, s);
}

/* Media come from there now. */
static void comes_from(struct platform *p, struct session *s,
                       const struct gb_addr *from)
{
    bool same = gb_addr_ip_eq(&s->from, from);

    s->from = *from;
    if (same || gb_addr_ip_eq(from, &s->device->peer.remote) ||
        gb_addr_ip_eq(from, &s->connect))
        return;
    device_deviation_of(p, s->device, DEVIATION_MEDIA_ELSEWHERE,
                        session_channel(s), from);
}

static void on_packet(struct platform *p, struct session *s,
                      const struct platform_media_event *ev)
{
    s->reconnect_at = GB_NEVER;
    if (s->answered && ev->ssrc != s->ssrc) {
        s->ssrc_odd = true;
        device_deviation_of(p, s->device, DEVIATION_SSRC_FOREIGN,
                            session_channel(s), &ev->from);
    }
    if (!s->packet)
        first_packet(p, s);
}

static void set_playing(struct platform *p, struct session *s)
{
    if (s->state == PLATFORM_PLAYING && s->had_key &&
        s->step == PLATFORM_STEP_PLAYING)
        return; /* no news: it is said every second */
    s->program_at = s->key_at = GB_NEVER;
    s->had_key = true;
    session_set_step(p, s, PLATFORM_STEP_KEY);
    if (s->phase != PHASE_MEDIA || s->state == PLATFORM_PLAYING)
        return;
    s->state = PLATFORM_PLAYING;
    s->playing_ms = p->now.mono_ms;
    session_set_step(p, s, PLATFORM_STEP_PLAYING);
    platform_log(p, PLATFORM_INFO,
                 "msg=\"%s session plays\" session=%llu device=%.*s "
                 "channel=%.*s transport=\"%s\" video=%s audio=%s size=%ux%u "
                 "ms=%u",
                 platform_session_kind_name(s->kind),
                 (unsigned long long)s->handle.id, SLICE_ARG(session_device(s)),
                 SLICE_ARG(session_channel(s)), transport_text(s->transport),
                 ps_codec_name(s->video), ps_sound_name(s->video, s->audio),
                 s->width, s->height, s->step_ms[PLATFORM_STEP_PLAYING]);
}

static void take_shape(struct platform *p, struct session *s,
                       const struct platform_media_event *ev)
{
    bool other = s->video != ev->video || s->audio != ev->audio ||
                 s->width != ev->width || s->height != ev->height;

    s->video = ev->video;
    s->audio = ev->audio;
    s->width = ev->width;
    s->height = ev->height;
    if (other)
        session_news(p, s, NEWS_CHANGED);
}

static void on_key(struct platform *p, struct session *s,
                   const struct platform_media_event *ev)
{
    take_shape(p, s, ev);
    set_playing(p, s);
}

/* What the map of the stream promises may be a picture all the same. */
static void on_sound(struct platform *p, struct session *s,
                     const struct platform_media_event *ev)
{
    s->had_sound = true;
    s->video = PS_CODEC_UNKNOWN;
    s->audio = ev->audio;
    if (s->phase == PHASE_MEDIA && s->state != PLATFORM_PLAYING)
        play_sound_alone(p, s);
}

/* The edge has looked at the bytes: kept, for those who wait, and logged when it is
 * news. */
static void take_note(struct platform *p, struct session *s, const char *text)
{
    struct slice t = slice_head(slice_str(text), sizeof(s->note));

    if (!slice_eq(t, slice_of(s->note, s->note_len)))
        platform_log(p, PLATFORM_WARN,
                     "msg=\"odd media\" session=%llu device=%.*s "
                     "channel=%.*s evidence=\"%.*s\"",
                     (unsigned long long)s->handle.id,
                     SLICE_ARG(session_device(s)), SLICE_ARG(session_channel(s)),
                     SLICE_ARG(t));
    memcpy(s->note, t.p, t.n);
    s->note_len = (uint8_t)t.n;
}

/* Pictures come, and for a second none that one can begin with. */
static bool lacks_first_key(const struct platform *p, const struct session *s)
{
    return s->state != PLATFORM_PLAYING && s->step_ms[PLATFORM_STEP_CODEC] &&
           p->now.mono_ms - s->begun_ms >=
               s->step_ms[PLATFORM_STEP_CODEC] + FIRST_KEY_ASK_MS;
}

/* The number that this INVITE alone has named, from where the device is: it has
 * taken the INVITE, and its 200 gets lost. What an earlier INVITE named may be the
 * stream of that one; there are 9999 numbers, so that a stranger may guess. */
static bool is_implied(const struct platform *p, const struct session *s,
                       const struct platform_media_event *ev)
{
    return s->phase == PHASE_INVITING && s->packet && s->ssrc_fresh &&
           s->transport != PLATFORM_TCP_ACTIVE && /* nobody has said where to */
           ev->ssrc == s->offered_ssrc &&
           gb_addr_ip_eq(&s->from, &s->device->peer.remote) &&
           p->now.mono_ms - s->begun_ms >=
               s->step_ms[PLATFORM_STEP_PACKET] + IMPLIED_MS;
}

/* About once a second. The first packet and the first key frame are told once
 * for an open port: after another INVITE into it, this is how they come. */
static void on_alive(struct platform *p, struct session *s,
                     const struct platform_media_event *ev)
{
    if (ev->text)
        take_note(p, s, ev->text);
    if (s->had_key && ev->width) /* somebody may have set the camera anew */
        take_shape(p, s, ev);
    else if (s->audio == PS_CODEC_UNKNOWN)
        s->audio = ev->audio;
    if (!s->packet && ev->packets > s->packets_before)
        first_packet(p, s);
    if (s->packet && s->answered && s->had_key)
        set_playing(p, s);
    else if (s->packet && s->answered && s->had_sound &&
             s->state != PLATFORM_PLAYING)
        play_sound_alone(p, s);
    else if (lacks_first_key(p, s))
        keyframe_want(p, s);
}

/* The connection is gone. Playing: it may come back; else nothing will. */
static void on_ended(struct platform *p, struct session *s,
                     const struct platform_media_event *ev)
{
    if (s->state == PLATFORM_PLAYING) {
        s->reconnect_at = p->now.mono_ms + RECONNECT_MS;
        s->unframed = ev->err == GB_ELIMIT || ev->err == GB_ESYNTAX;
        session_arm(p, s);
        return;
    }
    if (s->phase != PHASE_MEDIA)
        return;
    if (s->transport != PLATFORM_TCP_ACTIVE &&
        !s->step_ms[PLATFORM_STEP_CONNECT])
        return; /* of before this INVITE */
    if (s->is_auto && s->transport == PLATFORM_TCP_ACTIVE && !s->packet &&
        !(s->tried & TRIED_TRANSPORT)) { /* nobody lets us connect */
        s->tried |= TRIED_TRANSPORT;
        session_retry_transport(p, s, PLATFORM_TCP_PASSIVE);
    } else
        session_fail(p, s, session_awaited(s),
                     s->transport == PLATFORM_TCP_ACTIVE ? no_accept_hint
                         : "look at the device's own log; try another transport",
                     "the media connection failed: %s",
                     ev->text ? ev->text : gb_strerror(ev->err));
}

static void on_live_event(struct platform *p, struct session *s,
                          const struct platform_media_event *ev)
{
    switch (ev->kind) {
    case PLATFORM_MEDIA_OPENED:
        on_opened(p, s);
        break;
    case PLATFORM_MEDIA_CONNECTED:
        s->from = ev->from;
        s->reconnect_at = GB_NEVER;
        if (s->transport != PLATFORM_UDP)
            s->tcp_at = GB_NEVER; /* it only waits for this */
        session_set_step(p, s, PLATFORM_STEP_CONNECT);
        break;
    case PLATFORM_MEDIA_PACKET:
        on_packet(p, s, ev);
        break;
    case PLATFORM_MEDIA_PROGRAM:
        session_set_step(p, s, PLATFORM_STEP_PROGRAM);
        break;
    case PLATFORM_MEDIA_CODEC:
        s->video = ev->video;
        s->audio = ev->audio;
        session_set_step(p, s, PLATFORM_STEP_CODEC);
        break;
    case PLATFORM_MEDIA_KEY:
        on_key(p, s, ev);
        break;
    case PLATFORM_MEDIA_SOUND:
        on_sound(p, s, ev);
        break;
    case PLATFORM_MEDIA_ALIVE:
        on_alive(p, s, ev);
        break;
    case PLATFORM_MEDIA_WANT_KEY:
        keyframe_want(p, s);
        break;
    case PLATFORM_MEDIA_ENDED:
        on_ended(p, s, ev);
        break;
    case PLATFORM_MEDIA_SAID: /* it says nothing */
    case PLATFORM_MEDIA_REFUSED:
    case PLATFORM_MEDIA_CLOSED:
    case PLATFORM_MEDIA_AFTER:
        break;
    }
}

static void on_media(struct platform *p, struct session *s,
                     const struct platform_media_event *ev)
{
    bool more = ev->packets > s->packets; /* foreign ones are no life */

    if (s->phase == PHASE_GONE)
        return;
    if (ev->kind == PLATFORM_MEDIA_REFUSED) {
        on_refused(p, s, ev);
        return;
    }
    if (ev->kind == PLATFORM_MEDIA_CLOSED) {
        if (s->phase == PHASE_CLOSING || s->phase == PHASE_REOPENING)
            session_closed(p, s);
        return;
    }
    if (ev->kind != PLATFORM_MEDIA_OPENED) {
        s->packets = ev->packets;
        s->bytes = ev->bytes;
        s->lost = ev->lost;
        s->foreign = ev->foreign;
    }
    if (s->phase >= PHASE_REOPENING || s->away)
        return; /* of before */
    if (ev->from.family != GB_NO_ADDR &&
        (more || ev->kind == PLATFORM_MEDIA_PACKET))
        comes_from(p, s, &ev->from);
    if (more) { /* the timer looks again when it fires */
        s->reconnect_at = GB_NEVER;
        if (s->silence_at != GB_NEVER)
            s->silence_at = p->now.mono_ms + p->cfg.silence_ms;
    }
    keyframe_count(p, s, ev->keys);
    channel_sets_note(p, s, ev->sets);
    if (s->kind != PLATFORM_LIVE)
        playback_on_media(p, s, ev, more);
    if (more && ev->kind == PLATFORM_MEDIA_ALIVE && is_implied(p, s, ev))
        session_implied(p, s);
    on_live_event(p, s, ev);
}

void platform_media(struct platform *p, const struct platform_media_event *ev,
                    struct gb_time now)
{
    struct handle *h = idmap_find(&p->handles, ev->session);

    clock_at(p, now);
    if (ev->kind == PLATFORM_MEDIA_AFTER)
        dialogs_media_after(p, ev);
    else if (h && h->kind == HANDLE_VOICE)
        voice_on_media(p, h, ev);
    else if (h && h->kind == HANDLE_SESSION) /* else a late report */
        on_media(p, container_of(h, struct session, handle), ev);
}
