/* ps/mux.h - access units in, program stream packs out
 * (GB/T 28181-2022 Annex C)
 *
 * Writes what the standard says a sender writes: one pack a video frame, with
 * system header and PSM on each key frame and in the very first pack; PES of at
 * most PS_MUX_PES_BYTES; G.711/AAC in packs of their own. */
#ifndef PS_MUX_H
#define PS_MUX_H

#include "base/writer.h"
#include "ps/codec.h"

#define PS_MUX_PES_BYTES 65472 /* payload of one PES at most */

struct ps_mux {
    enum ps_codec video, audio; /* UNKNOWN: no such stream */
    uint32_t mux_rate;          /* 50 byte/s units, not 0 */
    bool started;
    uint8_t changes;            /* of a codec: the version of the map, less 1 */
    bool changed;               /* which no map has told yet */
    uint64_t last_scr90k;
    unsigned frames_since_psm;
};

/* GB_EUNSUPPORTED when neither codec can be carried. */
int ps_mux_init(struct ps_mux *m, enum ps_codec video, enum ps_codec audio,
                uint32_t peak_bps);

/* What comes from here on is of another codec: the next pack brings the map. */
void ps_mux_change(struct ps_mux *m, enum ps_codec codec);

/* Appends the pack of one frame: Annex B bytes with start codes and, on key
 * frames, parameter sets in front. pts90k is unwrapped; it is masked here.
 * Errors stay in w. */
void ps_mux_video(struct ps_mux *m, struct writer *w, struct slice annexb,
                  uint64_t pts90k, bool key);

/* Appends the pack of one audio block (G.711 samples, ADTS frames). */
void ps_mux_audio(struct ps_mux *m, struct writer *w, struct slice data,
                  uint64_t pts90k);

/* Upper bound of what either call appends for n payload bytes. */
size_t ps_mux_bound(size_t n);

/* CRC-32/MPEG-2: polynomial 04C11DB7, init FFFFFFFF, not reflected. */
uint32_t ps_crc32(const void *p, size_t n);
#endif
