/* app/media/voice.h - what is said to a device: samples of 8 kHz in, RTP packets
 * of G.711 at their time out (GB/T 28181-2022 9.12, Annex C.2.4)
 *
 * Packets leave one by one at the pace of the clock, never in a burst: buffers
 * in devices hold 200 to 500 ms. While there is nothing to say they carry
 * silence, so that no device ends the session for it, and the first one of
 * speech behind that has the marker (RFC 3551 §4.1). */
#ifndef APP_MEDIA_VOICE_H
#define APP_MEDIA_VOICE_H

#include "base/alloc.h"
#include "base/slice.h"
#include "base/time.h"

#define VOICE_MIN_MS 20         /* of one packet */
#define VOICE_MAX_MS 100
#define VOICE_PACKET_MS 40      /* unless it is told otherwise */
#define VOICE_TCP_PACKET_MS 100 /* over TCP shorter ones are noise in several
                                   devices */
#define VOICE_AHEAD_MS 60  /* heard beyond a packet before it is said: what the
                              page's jitter may take */
#define VOICE_QUEUE_MS 400 /* more than this waits: the speaker's clock is fast,
                              or the network was slow; the oldest goes */
#define VOICE_KEEP_MS 200  /* and so much stays */
#define VOICE_LIVE_MS 1000 /* room for what is spoken */
#define VOICE_TAIL_MS 200  /* silence behind the last word of a recording */
#define VOICE_FILE_MS 600000 /* longest recording */
#define VOICE_PACKET_BYTES 2048

struct voice_options {
    const struct gb_alloc *alloc;
    bool ulaw;        /* PCMU, else PCMA */
    bool ps;          /* in PS packs on a 90 kHz clock, else raw on 8 kHz */
    bool framed;      /* RFC 4571 length in front */
    uint8_t pt;
    uint32_t ssrc;
    uint32_t packet_ms; /* 0: the default; brought into its range */
    uint32_t whole_ms;  /* a recording of this length is fed at once, and then
                           it is over; 0: somebody speaks */
};

struct voice_counters {
    uint64_t packets, bytes; /* of RTP */
    uint64_t spoken_ms, silent_ms;
    uint64_t dropped_ms;     /* samples that there was no room for */
};

struct voice;
/* GB_ENOMEM, GB_ERANGE (whole_ms). Sending begins at now_ms. */
int voice_new(struct voice **out, const struct voice_options *o,
              uint64_t now_ms);
void voice_free(struct voice *v);

/* n samples of 8 kHz. */
void voice_feed(struct voice *v, const int16_t *pcm, size_t n);

/* The next packet that is due, valid until the next call; false: none is. One
 * that was not asked for in time is left out, and time goes on. */
bool voice_next(struct voice *v, struct slice *packet, uint64_t now_ms);
uint64_t voice_deadline(const struct voice *v); /* GB_NEVER: it is over */

/* A recording has been said, to the end. */
bool voice_is_over(const struct voice *v);
void voice_counters(const struct voice *v, struct voice_counters *out);
#endif
