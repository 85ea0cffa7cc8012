/* app/media/flac.h - G.711 samples as FLAC frames (RFC 9639)
 *
 * Lossless and decoded wherever Media Source Extensions are; G.711 is not.
 * Fixed predictors of order 0 to 2 with Rice residuals, verbatim when that
 * is smaller. 8 kHz, mono, 16 bit. */
#ifndef APP_MEDIA_FLAC_H
#define APP_MEDIA_FLAC_H

#include "base/err.h"
#include "base/slice.h"
#include "base/writer.h"

#define FLAC_MIN_BLOCK 16   /* samples, RFC 9639 §8.2 */
#define FLAC_MAX_BLOCK 4096 /* samples of one frame that we write */
#define FLAC_STREAMINFO_BYTES 34

/* The most bytes that a frame of n samples can take. */
#define FLAC_FRAME_MAX(n) (24 + 2 * (size_t)(n))

/* One frame of n samples (1..FLAC_MAX_BLOCK).
 *
 * variable  blocking strategy: true: blocks may differ in size, number is
 *           that of the first sample; false: all blocks have n samples but
 *           the last, number is that of the frame
 *
 * Errors (no room, n out of range: GB_ERANGE) stay in w. */
void flac_frame_write(struct writer *w, const int16_t *sample, size_t n,
                      uint64_t number, bool variable);

/* STREAMINFO with unknown frame sizes and length, no MD5. */
void flac_streaminfo_write(struct writer *w, uint16_t min_block,
                           uint16_t max_block);

uint8_t flac_crc8(const uint8_t *p, size_t n);   /* poly 07, init 0 */
uint16_t flac_crc16(const uint8_t *p, size_t n); /* poly 8005, init 0 */
#endif
