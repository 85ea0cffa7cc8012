/* test/media.h - access units, frames and chunks for the tests of app/media */
#ifndef TEST_MEDIA_H
#define TEST_MEDIA_H

#include "app/media/chunk.h"
#include "app/media/frame.h"
#include "base/slice.h"
#include "ps/demux.h"

/* The session of one 64x48 picture in H.264, in NAL units. */
#define AU_SPS \
    "\x67\x42\xC0\x0A\xD9\x04\x7B\x01\x10\x00\x00\x03\x00\x10\x00\x00\x03\x03" \
    "\x20\xF1\x22\x64\x80"
#define AU_PPS "\x68\xCB\x83\xCB\x20"
#define AU_IDR \
    "\x65\x88\x84\x0B\xF2\x62\x80\x00\xAB\xCC\x9C\x9C\x9D\x75\xD7\x5D\x75\xD7" \
    "\x5E"
#define AU_P "\x41\x9A\x38\x15\xE3\x60"
/* 1280x720 in its place */
#define AU_SPS_720 \
    "\x67\x4D\x40\x1F\xD9\x00\x50\x05\xBB\x01\x10\x00\x00\x03\x00\x10\x00\x00" \
    "\x03\x03\x20\xF1\x83\x24\x80"
/* and 64x64 in H.265 */
#define AU_VPS265 \
    "\x40\x01\x0C\x01\xFF\xFF\x01\x60\x00\x00\x03\x00\x90\x00\x00\x03\x00\x00" \
    "\x03\x00\x1E\x92\x80\x90"
#define AU_SPS265 \
    "\x42\x01\x01\x01\x60\x00\x00\x03\x00\x90\x00\x00\x03\x00\x00\x03\x00\x1E" \
    "\xA0\x20\x81\x05\x96\x4A\x92\x4C\xAF\x01\x68\x08\x00\x00\x03\x00\x08\x00" \
    "\x00\x03\x00\xC8\x40"
#define AU_PPS265 "\x44\x01\xC1\x72\xB4\x22\x40"
#define AU_IDR265 "\x28\x01\xAF\x1D\x80\xF7\x01\x5B\xFF\xF2\x4E\xFE\xCC\xF0"
#define AU_P265 "\x02\x01\xD0\x09\x7E\x10\xC6\x3B\xFA\x84"

#define AU_MAX_BYTES (1u << 20)

/* Builds access units in storage of its own; each call invalidates the last. */
struct au_maker {
    struct ps_au au;
    struct ps_nal nal[32];
    struct ps_piece piece[64];
    uint8_t *bytes;
    size_t n, piece_bytes; /* 0: in one piece */
};

void au_maker_init(struct au_maker *m);
void au_maker_fini(struct au_maker *m);

/* Video: NALs behind start codes. key is found from the types. */
struct ps_au *au_video(struct au_maker *m, enum ps_codec codec, uint64_t pts90k,
                       const struct slice *nal, size_t n);

/* SPS, PPS, IDR; or P */
struct ps_au *au_key(struct au_maker *m, uint64_t pts90k);
struct ps_au *au_delta(struct au_maker *m, uint64_t pts90k);

/* One PES of sound. */
struct ps_au *au_sound(struct au_maker *m, enum ps_codec codec, uint64_t pts90k,
                       struct slice payload);

/* What the parameter sets of this picture say. */
struct media_config *au_config(const struct ps_au *key);

/* The picture, decoded and shown at this time. */
struct media_frame *au_frame(const struct ps_au *au, int64_t dts90k);

/* n bytes of sound, each of them 0. */
struct media_frame *sound_frame(enum ps_codec codec, size_t n, int64_t dts90k);

/* Writes the bytes of a chunk as they are in a plain stream; how many. */
size_t chunk_copy(char *out, struct media_chunk *c);
#endif
