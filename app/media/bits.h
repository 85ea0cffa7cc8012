/* app/media/bits.h - bits of a NAL unit, without its emulation prevention
 * (ITU-T H.264 §7.3.1, §9.1; H.265 §7.3.1.1, §9.2)
 *
 * Reads past the end give 0 and set err; the caller reads a whole structure
 * and checks once. In 00 00 03 the 03 is not there. */
#ifndef APP_MEDIA_BITS_H
#define APP_MEDIA_BITS_H

#include "base/err.h"
#include "base/slice.h"

struct bits {
    const uint8_t *p, *end;
    uint32_t zeros; /* zero bytes just read, for 00 00 03 */
    uint8_t cur;    /* the byte being read */
    uint8_t left;   /* bits of cur not read yet */
    int err;        /* 0, GB_EAGAIN (past the end), GB_ERANGE (bad code) */
};

/* nal is borrowed. Begin behind the NAL header: the header bytes are read, or
 * skipped, by the caller. */
struct bits bits_of(struct slice nal);

uint32_t bits_u(struct bits *b, unsigned n); /* n: 0..32 */
bool bits_flag(struct bits *b);
void bits_skip(struct bits *b, unsigned n);

/* Exp-Golomb, §9.1. A code of more than 32 leading zeros is GB_ERANGE. */
uint32_t bits_ue(struct bits *b);
int32_t bits_se(struct bits *b);

/* ue that must not exceed max; else 0 and GB_ERANGE. */
uint32_t bits_ue_max(struct bits *b, uint32_t max);

/* The head of a VUI, the same in H.264 (E.1.1) and H.265 (E.2.1): aspect ratio,
 * overscan, signal type and place of the chroma. */
void bits_skip_vui_head(struct bits *b);
#endif
