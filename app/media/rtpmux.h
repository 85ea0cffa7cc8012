/* app/media/rtpmux.h - frames as RTP packets, framed as RTSP interleaves them
 *
 * H.264 (RFC 6184: single NAL units and FU-A), H.265 (RFC 7798: single NAL
 * units and FU), AAC (RFC 3640, AAC-hbr), G.711 (RFC 3551), each packet behind
 * "$", a channel and its length (RFC 2326 §10.12).
 *
 * All viewers of a hub share the packets: SSRC, sequence numbers and stamps
 * are the hub's, so nothing is patched for anybody. A viewer over TCP on the
 * usual channels is sent a chunk as it is; over UDP the same bytes without the
 * four in front. What a viewer is skipped over is a gap in its sequence; one that
 * pauses goes on with the next number.
 *
 * A viewer's first bytes are a sender report for each track, with what was sent
 * before the key frame that it begins at. Then there is one in RTPMUX_SR_MS, but not
 * before the first packet of a track behind a key frame. Its two clocks run in step: both tracks have one timeline, so
 * the NTP time of a stamp is that of the first frame and what the timeline has
 * gone on since. */
#ifndef APP_MEDIA_RTPMUX_H
#define APP_MEDIA_RTPMUX_H

#include "app/media/chunk.h"

#define RTPMUX_MIME "video/rtp"
#define RTPMUX_FRAMING 4        /* '$', channel, length */
#define RTPMUX_PAYLOAD_MAX 1400 /* bytes of one packet behind its header */
#define RTPMUX_G711_MAX 320     /* samples of one packet: 40 ms */
#define RTPMUX_SR_MS 5000       /* one sender report a track in this time */

/* Channels: RTP, and RTCP on the next one. */
#define RTPMUX_CHANNEL(track) ((uint8_t)(2 * (track)))
#define RTPMUX_CHANNELS (2 * MEDIA_TRACKS)

struct rtpmux_track {
    uint32_t ssrc, base_ts;
    uint16_t seq;             /* of the next packet */
    uint32_t packets, octets; /* sent; they wrap as the report's fields do */
    uint32_t key_packets, key_octets; /* when the newest key frame came */
    bool begun;
    int64_t report90k;        /* of the last report, or of the first frame */
};

/* Zeroed before the first frame, then rtpmux_init. */
struct rtpmux {
    bool begun;
    uint32_t name;  /* CNAME of both tracks */
    int64_t utc_ms; /* of time 0 of the timeline */
    struct rtpmux_track track[MEDIA_TRACKS];
};

/* seed  SSRCs, first sequence numbers and stamps come from it
 * utc_ms  of the time at90k of the timeline */
void rtpmux_init(struct rtpmux *m, uint64_t seed, int64_t utc_ms,
                 int64_t at90k);

/* What a track has in every mux of this seed. */
uint32_t rtpmux_ssrc(uint64_t seed, enum media_track t);

/* The codecs that can be carried: H.264, H.265, AAC, G.711. */
bool rtpmux_carries(enum ps_codec c);

/* 96 H.264, 98 H.265, 97 AAC, 8 and 0 G.711. */
uint8_t rtpmux_pt(enum ps_codec c);

/* The reports alone: what a viewer gets first, for the frame of time at90k.
 * A track that is NULL is not there. *out is the caller's. 0 or GB_ENOMEM. */
int rtpmux_start_chunk(struct media_chunk **out, const struct gb_alloc *alloc,
                       const struct rtpmux *m,
                       const struct media_config *video,
                       const struct media_config *audio, int64_t at90k);

/* One frame; before a key frame its parameter sets. config: of f's track.
 * *out is the caller's. 0, GB_EUNSUPPORTED (codec, or another one than the
 * configuration's), GB_ESYNTAX (the lengths in f do not fit it) or
 * GB_ENOMEM. */
int rtpmux_frame_chunk(struct media_chunk **out, const struct gb_alloc *alloc,
                       struct rtpmux *m, const struct media_frame *f,
                       const struct media_config *config);

/* One packet out of the bytes of chunks. */
struct rtpmux_packet {
    uint8_t channel;
    struct slice bytes; /* RTP or RTCP, without the framing; borrowed */
};

/* Takes the first off *bytes; false: there is no whole one. */
bool rtpmux_next(struct slice *bytes, struct rtpmux_packet *out);

/* Appends an empty report and a BYE of a track, framed. */
void rtpmux_bye_write(struct writer *w, uint32_t ssrc, uint8_t channel);
#endif
