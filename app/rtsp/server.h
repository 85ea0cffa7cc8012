/* app/rtsp/server.h - the RTSP port: who may watch what, and until it plays
 *
 * On the main loop. A connection is answered here until it names a stream with
 * good credentials; then the session is started or found, its first key frame
 * is waited for, and the connection moves to the session's media loop
 * (app/rtsp/viewer.h), the request still unread. What cannot be played is
 * answered with the step that failed, as HTTP answers it. Over TLS (rtsps) on the
 * same port media go through the connection alone. */
#ifndef APP_RTSP_SERVER_H
#define APP_RTSP_SERVER_H

#include "app/net/tls_relay.h"
#include "app/platform/platform.h"
#include "app/rtsp/auth.h"
#include "app/rtsp/viewer.h"

#define RTSP_CONNS_MAX 4096        /* connections and viewers */
#define RTSP_CONNS_PER_SOURCE 256  /* of one address; IPv6: of one /64 */
#define RTSP_REQUEST_MS 10000      /* connected, and nothing has been named */
#define RTSP_LIVE_WAIT_MS 10000    /* for the first key frame; see longer_ms */
#define RTSP_ANSWER_MAX 2048       /* bytes of an answer of the main loop */

struct rtsp_server_config {
    uv_loop_t *loop;            /* borrowed, all that follows too */
    struct platform *platform;
    struct media_net *media;
    const struct gb_addr *listen; /* port 0: any */
    size_t n_listen;
    struct tls_relay *tls;      /* who begins with a TLS record is let in by it;
                                   NULL: nobody */
    bool auth;                  /* false: everybody may watch */
    const char *token;          /* with auth */
    uint8_t nonce_key[SIP_NONCE_KEY];
    uint32_t max_conns, max_per_source; /* 0: as above */
    uint32_t request_ms, wait_ms;       /* likewise */
    struct rtsp_viewer_hooks hooks;     /* silence_ms only */

    void *ctx;
    struct gb_time (*now)(void *ctx);
    /* The platform was called: run its actions soon. */
    void (*touched)(void *ctx);
    /* The signature of a URL (?t=) lets it see this channel, for *who. */
    bool (*is_signed)(void *ctx, struct slice device, struct slice channel,
                      struct slice signature, uint64_t *who);
    /* Of struct rtsp_auth; NULL: there are no accounts. */
    uint64_t (*by_token)(void *ctx, struct slice token);
    uint64_t (*by_name)(void *ctx, struct slice name, struct sip_ha1 *ha1);
    /* The account may have to do with this device. */
    bool (*sees)(void *ctx, uint64_t who, struct slice device);
    /* Seconds until this source may try a password again; 0: now. */
    uint32_t (*wait_s)(void *ctx, const struct gb_addr *source);
    void (*failed)(void *ctx, const struct gb_addr *source); /* it was wrong */
};

struct rtsp_server;

/* Binds and listens. 0, GB_ENOMEM, GB_ELIMIT or a UV_E code; on error *failed
 * (may be NULL) is the index of the listener that failed, and the loop must run
 * once more to close what was open. A host without IPv6 does without "::". */
int rtsp_server_new(struct rtsp_server **out,
                    const struct rtsp_server_config *cfg, size_t *failed);

/* The address of a listener as bound. */
struct gb_addr rtsp_server_addr(const struct rtsp_server *s, size_t i);

/* Ends the connections of this account that wait for a picture; those that watch
 * are the media loops' (media_net_dismiss). */
void rtsp_server_dismiss(struct rtsp_server *s, uint64_t who);

/* A session has changed, or is gone: those who wait for it hear of it. Calls
 * only views of the platform. */
void rtsp_server_on_session(struct rtsp_server *s, uint64_t session,
                            bool gone);

/* Closes what is on the main loop; on_closed from the loop when nothing is
 * left of that. Viewers end with their media loops and are heard of until
 * then: rtsp_server_free after media_net_close. */
void rtsp_server_close(struct rtsp_server *s, void (*on_closed)(void *ctx),
                       void *ctx);
void rtsp_server_free(struct rtsp_server *s); /* NULL is fine */

struct rtsp_server_counters {
    uint64_t accepted, refused, requests, handed_over;
    uint32_t connections, viewers; /* now */
};
void rtsp_server_counters(const struct rtsp_server *s,
                          struct rtsp_server_counters *out);
#endif
