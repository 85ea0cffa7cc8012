/* app/device/picture.h - pictures as cameras code them: an access unit of the
 * clip with the camera's faults (ITU-T H.264, H.265 Annex B) */
#ifndef APP_DEVICE_PICTURE_H
#define APP_DEVICE_PICTURE_H

#include "app/device/faults.h"
#include "base/writer.h"
#include "ps/codec.h"

/* Appends annexb, the access unit, changed. keys: key frames that were sent
 * before. Errors stay in w. */
void picture_write(struct writer *w, const struct sender_faults *f,
                   enum ps_codec codec, struct slice annexb, bool key,
                   uint32_t keys);

/* Upper bound of what it appends for n bytes. */
size_t picture_bound(size_t n);

/* The bytes in front of the first NAL unit of a slice, and the length of the
 * first NAL unit with its start code. */
size_t picture_sets(enum ps_codec codec, struct slice annexb);
size_t picture_nal(struct slice annexb);
#endif
