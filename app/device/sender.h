/* app/device/sender.h - a clip and a tone as RTP packets of PS, at their own
 * pace (a camera as seen from the wire) */
#ifndef APP_DEVICE_SENDER_H
#define APP_DEVICE_SENDER_H

#include "app/device/clip.h"
#include "app/device/faults.h"
#include "app/device/sound.h"
#include "base/alloc.h"
#include "base/time.h"

#define SENDER_BURST 32 /* packets in one poll; the rest at the next */

struct sender_options {
    const struct gb_alloc *alloc;
    const struct clip *clip;   /* borrowed */
    const struct clip *other;  /* of the same codec, for sps_change; NULL: the
                                  same. Borrowed */
    const struct sound *sound; /* borrowed; NULL: silence */
    bool tcp;                  /* RFC 4571 prefix */
    uint32_t ssrc;
    uint8_t pt;
    uint64_t length_ms;        /* of a recording; 0: it goes on for ever */
    uint64_t start_s;          /* UNIX, of a recording: each second has its
                                  pictures and sounds, and the first one sent
                                  is the key frame at or before it */
    uint32_t scale_milli;      /* times as fast as recorded; 0: 1000 */
    uint64_t seed;             /* for the faults */
    struct sender_faults faults;
};

struct sender;
int sender_new(struct sender **out, const struct sender_options *o,
               uint64_t now_ms);
void sender_free(struct sender *s);

/* One packet to send, valid until the next call: head, then payload, which may
 * be empty. */
struct sender_packet {
    const uint8_t *head;
    size_t head_len;
    const uint8_t *payload;
    size_t n;
};

/* The next packet that is due, at most SENDER_BURST for one now_ms. */
bool sender_next(struct sender *s, struct sender_packet *out, uint64_t now_ms);

/* When sender_next will have something; GB_NEVER: paused, or all is sent. */
uint64_t sender_deadline(const struct sender *s);

/* A recording: from now on so many times as fast, with the stamps it was
 * recorded with, and from the key frame at or before seek_ms on, unless that
 * is below 0. Ends a pause. scale_milli: below 0: backwards, the key frames
 * alone, to the first one; 0: as before. */
void sender_pace(struct sender *s, int32_t scale_milli, int64_t seek_ms,
                 uint64_t now_ms);
void sender_pause(struct sender *s, uint64_t now_ms);
/* The next picture is a key frame: the clip goes on from its next one, the times
 * as they would have. Not of a recording. */
void sender_key(struct sender *s);
/* All of a recording has been given out. */
bool sender_is_over(const struct sender *s);

/* The receiver could not take more: everything of the current pack is dropped
 * at the next whole packet (UDP) - for TCP the owner keeps what is unsent. */
struct sender_counters {
    uint64_t packets, bytes, frames, sounds, dropped;
};
void sender_counters(const struct sender *s, struct sender_counters *out);
#endif
