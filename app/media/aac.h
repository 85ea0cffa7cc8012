/* app/media/aac.h - AAC: ADTS, LOAS, AU headers, AudioSpecificConfig
 * (ISO/IEC 13818-7 §6.2, ISO/IEC 14496-3 §1.6.2.1, RFC 3640 §3.2.1) */
#ifndef APP_MEDIA_AAC_H
#define APP_MEDIA_AAC_H

#include "base/err.h"
#include "base/slice.h"
#include "base/writer.h"

#define AAC_FRAME_SAMPLES 1024
#define AAC_MAX_FRAME 8191 /* bytes: 13 bits of ADTS frame length */
#define AAC_ASC_BYTES 2

struct aac_config {
    uint8_t object_type; /* 2: LC */
    uint8_t freq_index;  /* 0..12 */
    uint8_t channels;    /* 1..7, as coded */
};

struct aac_frame {
    struct slice raw; /* borrowed; without ADTS header and CRC */
    size_t whole;     /* bytes with them */
};

/* One ADTS frame at the start of in. 0, GB_EAGAIN (more bytes are needed) or
 * GB_ESYNTAX (no ADTS header here). */
int aac_adts_parse(struct aac_config *cfg, struct aac_frame *frame,
                   struct slice in);

/* RFC 3640 AU headers, 16 bit each, as some cameras put into a PES: the sizes
 * must add up exactly. Calls on_raw for each; false and no call when in is not
 * of this form. */
typedef void aac_raw_fn(void *ctx, struct slice raw);
bool aac_au_headers(struct slice in, aac_raw_fn *on_raw, void *ctx);

/* One frame of LOAS (AudioSyncStream, ISO/IEC 14496-3 §1.7) at p, whose raw frame is
 * moved to whole bytes in place. 0, GB_EAGAIN or GB_ESYNTAX as above. cfg is the
 * newest that came, kept for those that name none; channels 0: none yet. raw is
 * empty where nothing can be read: more than one program, layer or frame in it. */
int aac_loas_parse(struct aac_config *cfg, struct aac_frame *frame, uint8_t *p,
                   size_t n);

/* Two bytes; "14 08" is LC, 16 kHz, mono. */
void aac_asc_write(struct writer *w, const struct aac_config *cfg);

/* false: too short, or a rate that has no index. */
bool aac_asc_parse(struct aac_config *cfg, struct slice asc);

/* The seven bytes of ADTS before a raw frame of n bytes; GB_ERANGE in w when it
 * is too long for them. */
void aac_adts_write(struct writer *w, const struct aac_config *cfg, size_t n);

/* 96000, 88200, ...; 0 when the index is reserved. */
uint32_t aac_rate(uint8_t freq_index);

/* The index of a rate, or -1. */
int aac_freq_index(uint32_t rate_hz);
#endif
