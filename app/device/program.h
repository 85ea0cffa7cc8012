/* app/device/program.h - the program stream of a camera: what ps/mux.h writes,
 * and what cameras write instead (ISO/IEC 13818-1 §2.5) */
#ifndef APP_DEVICE_PROGRAM_H
#define APP_DEVICE_PROGRAM_H

#include "app/device/faults.h"
#include "ps/mux.h"

struct program {
    const struct sender_faults *faults; /* borrowed; NULL: none */
    struct ps_mux mux;                  /* all there is without them */
    bool started;
    uint32_t n_packs, n_maps, n_pes;
};

/* Codecs as ps_mux_init has them; audio UNKNOWN: not sent. */
int program_init(struct program *p, enum ps_codec video, enum ps_codec audio,
                 const struct sender_faults *faults);

/* Appends the packs of a picture (Annex B) or of a block of audio. pts90k NULL:
 * it has none. Errors stay in w. */
void program_video(struct program *p, struct writer *w, struct slice annexb,
                   const uint64_t *pts90k, bool key);
void program_audio(struct program *p, struct writer *w, struct slice data,
                   const uint64_t *pts90k);

/* Upper bound of what either appends for n bytes. */
size_t program_bound(size_t n, bool faults);
#endif
