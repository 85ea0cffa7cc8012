/* app/rtsp/session.h - what a viewer may ask for, and when (RFC 2326 A.2)
 *
 *            SETUP             PLAY
 *     INIT ────────► READY ──────────► PLAYING
 *      ▲  DESCRIBE    │ ▲ SETUP   PAUSE   │
 *      │              │ └─────────────────┘
 *      └─ TEARDOWN ◄──┴──── TEARDOWN ──── PLAYING: the connection ends
 *
 * One a connection; no socket, no clock. It begins unbound: the request that
 * names a stream (DESCRIBE or SETUP) is an effect of its owner, who starts the
 * stream. Bound to that, it begins anew with the same request.
 *
 * Each request is answered once: at once, or by its owner, who owes the answer
 * while `owed` is set; no other request is taken until then. */
#ifndef APP_RTSP_SESSION_H
#define APP_RTSP_SESSION_H

#include "app/media/frame.h"
#include "app/rtsp/message.h"

#define RTSP_SESSION_TEXT 16    /* hex digits of an id */
#define RTSP_SILENCE_MS 60000   /* without request or RTCP: over */

enum rtsp_state { RTSP_UNBOUND, RTSP_INIT, RTSP_READY, RTSP_PLAYING,
                  RTSP_ENDED, RTSP_STATES };

/* How one track goes to the viewer. */
struct rtsp_transport {
    bool udp;
    uint8_t channel[2];  /* interleaved: RTP, RTCP */
    uint16_t port[2];    /* UDP, of the client: RTP, RTCP */
};

enum rtsp_effect {
    RTSP_ANSWERED,
    RTSP_DO_OPEN,     /* unbound: start the stream of `url`; owed */
    RTSP_DO_OTHER,    /* another stream than the one it is bound to: not
                         taken, for an unbound session to answer */
    RTSP_DO_DESCRIBE, /* owed: rtsp_session_described */
    RTSP_DO_SETUP,    /* owed: rtsp_session_set_up, of `track` */
    RTSP_DO_PLAY,     /* owed: rtsp_session_playing */
    RTSP_DO_PAUSE,    /* answered: send no more */
    RTSP_DO_END,      /* answered: send it, then close */
};

struct rtsp_session {
    enum rtsp_state state;
    bool owed;
    bool given;            /* the id was told */
    bool tcp_only;
    char id[RTSP_SESSION_TEXT + 1];
    char device[RTSP_ID_MAX + 1], channel[RTSP_ID_MAX + 1];
    unsigned stream;
    uint8_t tracks;        /* bits 1 << media_track of the stream */
    uint8_t set;           /* the same of what is set up */
    struct rtsp_transport transport[MEDIA_TRACKS];
    uint64_t heard_ms;     /* of the last request or RTCP */
    /* of the request that an answer is owed to */
    char cseq[RTSP_CSEQ_MAX + 1];
    char url[RTSP_URL_MAX + 1];
    enum media_track track;
    struct rtsp_transport asked;
    uint8_t others;        /* of set: those that stay when it is done */
    bool scales;           /* it asks for a Scale: told which one there is */
};

/* Unbound. */
void rtsp_session_init(struct rtsp_session *s, uint64_t now_ms);

/* Bound to a stream; id: random. tracks: at least one. */
struct rtsp_bound {
    struct slice device, channel;
    unsigned stream, tracks;
    bool tcp_only; /* media through the connection alone */
    uint64_t id;
};
void rtsp_session_bind(struct rtsp_session *s, const struct rtsp_bound *to,
                       uint64_t now_ms);

/* One request; not while an answer is owed. Writes the answer to w unless it is
 * owed or the effect is DO_OTHER. url: filled for DO_OPEN and DO_OTHER, of the
 * request's bytes. */
enum rtsp_effect rtsp_session_request(struct rtsp_session *s,
                                      const struct rtsp_request *r,
                                      struct rtsp_url *url, struct writer *w,
                                      uint64_t now_ms);

/* The answers that are owed. sdp: the description. */
void rtsp_session_described(struct rtsp_session *s, struct slice sdp,
                            struct writer *w);
/* server_port: of RTP, RTCP is on the next; over UDP only. */
void rtsp_session_set_up(struct rtsp_session *s, uint16_t server_port,
                         uint32_t ssrc, struct writer *w);
/* info: for each track that is set up, where it begins; not known: no `on`. */
struct rtsp_start {
    bool on;
    uint16_t seq;
    uint32_t ts;
};
void rtsp_session_playing(struct rtsp_session *s,
                          const struct rtsp_start info[static MEDIA_TRACKS],
                          struct writer *w);
/* It could not be done: status and reason as of rtsp_answer; extra: further
 * lines. The state is as before. */
void rtsp_session_failed(struct rtsp_session *s, unsigned status,
                         struct slice reason, struct slice extra,
                         struct writer *w);

/* RTCP or something else has come from the viewer. */
void rtsp_session_heard(struct rtsp_session *s, uint64_t now_ms);

/* When a viewer that is silent until then is taken for gone: 60 s after it was
 * heard; over TCP while it plays never, its connection tells. */
uint64_t rtsp_session_deadline(const struct rtsp_session *s);

/* Both tracks over UDP or neither. */
bool rtsp_session_is_udp(const struct rtsp_session *s);

/* The first offer of a Transport header that can be served. track: for the
 * channels when none are asked for. GB_ESYNTAX, GB_EUNSUPPORTED. */
int rtsp_transport_parse(struct rtsp_transport *out, struct slice value,
                         enum media_track track, bool tcp_only);
#endif
