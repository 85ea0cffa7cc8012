/* app/device/ear.h - what a simulated loudspeaker hears: RTP packets of G.711,
 * raw or in PS, measured by frequency and level */
#ifndef APP_DEVICE_EAR_H
#define APP_DEVICE_EAR_H

#include "base/slice.h"

#define EAR_WINDOW 4000 /* samples that are measured together, 0.5 s */
#define EAR_QUIET 100   /* RMS, of 32768: below this nobody speaks */

/* Caller storage; the counters are public. */
struct ear {
    bool ps, ulaw;
    bool begun;
    uint16_t seq;
    uint32_t ts;
    uint64_t packets, lost, jumps, markers, bad; /* jumps: of the time stamp */
    uint64_t samples;      /* in all */
    uint32_t packet_ms;    /* of the last one */
    /* of the window */
    size_t n;
    double sum;            /* of the squares */
    int level, crossings;  /* level: the sign, with some hysteresis */
    size_t first, last;    /* crossing upwards */
};

struct ear_heard {
    double hz, mean_square; /* of 32768 squared */
};

void ear_init(struct ear *e, bool ps, bool ulaw);
/* One RTP packet. true: a window is full, and somebody speaks in it. */
bool ear_packet(struct ear *e, struct slice packet, struct ear_heard *out);
#endif
