/* app/rtsp/announce.h - the client that sends a stream to an RTSP server
 * (RFC 2326 §10.3, §10.11), without sockets
 *
 *     ANNOUNCE ──► SETUP (each track) ──► RECORD ──► LIVE
 *         └───────────────┴──────────────────┴─────► FAILED
 *
 * The packets go interleaved, on the channels that app/media/rtpmux.h gives
 * them. A request that is answered 401 is sent once more with credentials, Basic
 * or Digest. Redirections are not followed. What the server asks of us is
 * answered; it may end the session.
 *
 * The owner moves the bytes: announce_begin, announce_input,
 * announce_output/announce_sent, and once it is LIVE the hub's packets in
 * between. */
#ifndef APP_RTSP_ANNOUNCE_H
#define APP_RTSP_ANNOUNCE_H

#include "app/media/push_url.h"
#include "app/rtsp/describe.h"
#include "app/rtsp/message.h"

#define ANNOUNCE_OUT_MAX (RTSP_SDP_MAX + 2048) /* requests not sent yet */
#define ANNOUNCE_SESSION_MAX 128   /* bytes of an id */
#define ANNOUNCE_CHALLENGE_MAX 512 /* bytes of WWW-Authenticate */
#define ANNOUNCE_WHY_MAX 160       /* with its NUL */

enum announce_state { ANNOUNCE_ANNOUNCING, ANNOUNCE_SETTING_UP,
                      ANNOUNCE_RECORDING, ANNOUNCE_LIVE, ANNOUNCE_FAILED };

struct announce {
    enum announce_state state;
    char why[ANNOUNCE_WHY_MAX]; /* FAILED */
    struct push_url url;   /* its text is the owner's */
    uint8_t tracks, set;   /* bits 1 << media_track: to be sent, set up */
    enum media_track track; /* of the SETUP under way */
    uint32_t cseq, nc;
    uint32_t cnonce;
    bool answered;         /* this request has been sent with credentials */
    char session[ANNOUNCE_SESSION_MAX + 1];
    char challenge[ANNOUNCE_CHALLENGE_MAX + 1];
    size_t sdp_n;
    char sdp[RTSP_SDP_MAX];
    size_t out_n, out_off;
    char out[ANNOUNCE_OUT_MAX];
    struct rtsp_reader in;
};

/* url: its text must live as long. tracks: of which sdp tells. seed: random. */
void announce_begin(struct announce *a, const struct push_url *url,
                    struct slice sdp, unsigned tracks, uint32_t seed);

/* Room for bytes of the peer, then how many came. GB_EIO and why: FAILED. */
size_t announce_room(struct announce *a, char **p);
int announce_input(struct announce *a, size_t n);

struct slice announce_output(const struct announce *a);
void announce_sent(struct announce *a, size_t n);

/* To be said before the connection is closed; nothing unless it is LIVE. */
void announce_bye(struct announce *a);
#endif
