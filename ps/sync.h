/* ps/sync.h - headers that may have come by chance: does a program stream go on
 * at these bytes?
 *
 * Inside ps only. Each begins with 00 00 01 and an id. */
#ifndef PS_SYNC_H
#define PS_SYNC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PS_SYNC_BYTES 7 /* of a header that shall end an unbounded PES */

/* A pack header that is not one by chance: its fixed bits, and a start code
 * behind it. 1, 0 (*need bytes are needed to tell) or -1: it is none. */
int ps_sync_pack(const uint8_t *p, size_t n, size_t *need);
/* A PES header of a device that sends no packs; likewise. */
int ps_sync_pes(const uint8_t *p, size_t n, size_t *need);

/* Do these PS_SYNC_BYTES end a PES that has no length? Fixed bits of the
 * header, or a plausible length. */
bool ps_sync_ends_pes(const uint8_t *b);
#endif
