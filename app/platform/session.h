/* app/platform/session.h - a session: its life (sessions.c), its dialog
 * (session_sip.c), its media (session_media.c) */
#ifndef APP_PLATFORM_SESSION_H
#define APP_PLATFORM_SESSION_H

#include "app/platform/dialogs.h"
#include "app/platform/handles.h"
#include "app/platform/keyframe.h"
#include "app/platform/platform.h"
#include "app/platform/playback.h"
#include "base/list.h"
#include "base/timerq.h"

struct device;

enum session_phase {
    PHASE_OPENING,  /* media edge opens the port */
    PHASE_INVITING, /* INVITE is out */
    PHASE_MEDIA,    /* answered: packets, key frame awaited, then playing */
    PHASE_WAITING,  /* for retry_ms, then INVITE again */
    PHASE_REOPENING, /* port is being closed, to be opened otherwise */
    PHASE_CLOSING,  /* CLOSE is ordered */
    PHASE_GONE,     /* nothing is left; the owner is to be told */
};

/* Orders and news for the owner, told in this order. */
enum {
    NEWS_OPEN = 1, NEWS_ANSWER = 2, NEWS_CLOSE = 4, NEWS_CHANGED = 8,
    NEWS_DIALOG = 16, NEWS_GONE = 32, NEWS_PACE = 64,
};

/* What was tried; each at most once. */
enum {
    TRIED_MINIMAL = 1, TRIED_BUSY = 2, TRIED_TRANSPORT = 4, TRIED_5XX = 8,
    TRIED_TCP = 16, TRIED_PENDING = 32, TRIED_HELD = 64, TRIED_OWN_PORT = 128,
    TRIED_UDP = 256, TRIED_LOGIN = 512, TRIED_WAY = 1024,
};

#define SESSION_EVIDENCE 320
#define SESSION_CALL_ID 96
#define SESSION_NOTE 120

struct session {
    struct handle handle;
    struct list in_all, in_device, dirty;
    struct device *device; /* NULL: removed; only CLOSING and GONE then */
    unsigned news;
    char device_text[PLATFORM_ID_MAX], channel[PLATFORM_ID_MAX];
    uint8_t device_len, channel_len;
    uint8_t stream;
    uint8_t kind;  /* enum platform_session_kind */
    struct session_playback playback;
    struct session_key key;
    enum platform_session_state state;
    enum platform_step step;
    enum session_phase phase;
    unsigned loop;
    bool is_auto;  /* the caller left the transport to us */
    bool either;   /* TCP was offered, and the answer says UDP: what comes decides */
    bool open;     /* the edge has an OPEN without its CLOSED or REFUSED */
    bool ordered;  /* the OPEN has been fetched */
    bool closing;  /* the CLOSE has been ordered */
    bool port_lent;
    bool shared;   /* its port is that of all */
    bool watched;  /* somebody came, or stayed, when it played already */
    bool packet;   /* media has come since the INVITE */
    bool had_key;  /* has played in this open port, maybe before a re-INVITE */
    bool had_sound; /* the same of a sound without pictures */
    uint64_t packets_before; /* that INVITE */
    bool held;     /* WAITING for a packet of the device, or retry_at */
    bool away;     /* WAITING for the device, which is offline, or retry_at */
    bool ssrc_any, answered, minimal;
    bool ssrc_fresh; /* offered in no INVITE before this one */
    bool implied;  /* answered by its media alone */
    bool unframed; /* the media connection was closed here: it was no RTP any more */
    bool ssrc_odd; /* media has another one than agreed */
    unsigned tried;
    unsigned restarts; /* since it last played for long */
    unsigned refusals; /* ports that could not be opened */
    enum platform_transport transport;
    uint16_t port;
    uint32_t offered_ssrc; /* lent from the pool, 0: none */
    uint32_t ssrc;         /* as agreed */
    struct gb_addr from, connect;
    struct gb_addr invited; /* where the last INVITE went */
    enum ps_codec video_hint, audio_hint;
    struct open_dialog dialog;
    unsigned sip_status;
    char call_id[SESSION_CALL_ID];
    uint8_t call_id_len;
    char evidence[SESSION_EVIDENCE];
    uint16_t evidence_len;
    const char *hint;
    const char *lacks; /* what the answer does not say, for evidence; NULL: nothing */
    char note[SESSION_NOTE]; /* the edge's view of odd media, once told */
    uint8_t note_len;
    struct gb_time started;
    uint64_t begun_ms; /* steps count from here: the start, or when what had
                          played was begun again */
    uint32_t step_ms[PLATFORM_STEP_COUNT];
    uint32_t consumers;
    enum ps_codec video, audio;
    uint32_t width, height;
    uint64_t packets, bytes, lost, foreign;
    struct timerq_node timer;
    /* deadlines, GB_NEVER when not running */
    uint64_t answer_at, packet_at, tcp_at, program_at, key_at, silence_at,
        idle_at, retry_at, closed_at, reconnect_at, drained_at, anew_at;
    uint64_t answered_ms, playing_ms;
};

static inline struct slice session_device(const struct session *s)
{
    return slice_of(s->device_text, s->device_len);
}

static inline struct slice session_channel(const struct session *s)
{
    return slice_of(s->channel, s->channel_len);
}

/* What somebody wants to see. */
struct session_wish {
    struct slice device, channel; /* device empty: the channel's only owner */
    unsigned stream;
    enum platform_transport transport;
    enum platform_session_kind kind;
    struct platform_playback playback; /* unless LIVE */
};
/* A running live one serves all who want it. As platform_live_start. */
int session_start(struct platform *p, const struct session_wish *w,
                  struct platform_session *out);
/* For a wish that never became a session; returns err. */
int session_refused(struct platform *p, struct platform_session *out,
                    const struct session_wish *w, int err,
                    enum platform_step step, const char *hint,
                    const char *fmt, ...)
    __attribute__((format(printf, 7, 8)));
/* false: no SSRC is free, and the session has failed. */
bool session_take_ssrc(struct platform *p, struct session *s);
void session_free(struct platform *p, struct session *s);
void session_on_timer(struct platform *p, struct session *s);
void session_arm(struct platform *p, struct session *s);
void session_set_step(struct platform *p, struct session *s,
                      enum platform_step step);
/* Ends it; evidence is made with printf, hint is static. */
void session_fail(struct platform *p, struct session *s,
                  enum platform_step step, const char *hint, const char *fmt,
                  ...) __attribute__((format(printf, 5, 6)));
void session_stop(struct platform *p, struct session *s);

/* Whoever watches: of this device, because it is gone. */
void sessions_of_device_end(struct platform *p, struct device *d,
                            const char *why);
void session_offline(struct platform *p, struct session *s, const char *why);
void sessions_of_device_move(struct platform *p, struct device *d);
/* Media is gone but somebody watches: invite again after a pause. */
void session_restart(struct platform *p, struct session *s, uint64_t in_ms);
void session_closed(struct platform *p, struct session *s);
void session_give_ssrc(struct platform *p, struct session *s);
int session_take_port(struct platform *p, struct session *s);
/* The shared port cannot tell its media apart: once, a port of its own. false: it
 * has one, or there is none. */
bool session_retry_own_port(struct platform *p, struct session *s);
/* Another session of the shared port has this SSRC. */
bool session_ssrc_is_taken(const struct platform *p, const struct session *s,
                           uint32_t ssrc);
const char *transport_text(enum platform_transport t);

/* By its handle, NULL: there is none any more. */
struct session *session_find(const struct platform *p, uint64_t id);
void session_invite(struct platform *p, struct session *s);
/* Made by an INVITE of ours to this device, of now or before. */
bool session_is_our_call_id(const struct device *d, struct slice call_id);
void session_on_sip(struct platform *p, struct session *s,
                    const struct sip_event *ev);
enum platform_transport device_transport(const struct device *d);
/* Ends what there is and invites with this transport. */
void session_retry_transport(struct platform *p, struct session *s,
                             enum platform_transport t);
/* Waits for the device, ms at most, and tries once more then in any case. */
void session_hold(struct platform *p, struct session *s, uint64_t ms);
/* INVITE once more, into the open port, with an SSRC of its own. */
void session_reinvite(struct platform *p, struct session *s);
/* The link of the chain that has to come next. */
enum platform_step session_awaited(const struct session *s);
void session_no_media(struct platform *p, struct session *s);
void session_no_program(struct platform *p, struct session *s);
void session_no_key(struct platform *p, struct session *s);
/* What to try when program or codec do not come. */
const char *session_media_hint(enum platform_step awaited);
/* What to try beside what s->note tells. */
const char *session_note_hint(const struct session *s);
void session_began_media(struct platform *p, struct session *s);
void session_no_answer(struct platform *p, struct session *s);
/* Media of the SSRC that we gave, and no answer: it is taken for one. */
void session_implied(struct platform *p, struct session *s);
/* An INVITE inside a session's dialog that changes nothing is answered 200;
 * false: it is not, and nothing is. */
bool session_on_reinvite(struct platform *p, const struct sip_event *ev);
/* BYE, or the media connection closed: again if somebody watches. */
void session_ended_by_device(struct platform *p, struct session *s,
                             const char *what);
#endif
