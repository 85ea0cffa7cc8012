/* app/http/picture.h - the picture in the body of an upload, as cameras send it:
 * raw, or a part of multipart/form-data (GB/T 28181-2022 9.14 leaves it open) */
#ifndef APP_HTTP_PICTURE_H
#define APP_HTTP_PICTURE_H

#include "base/err.h"
#include "base/slice.h"
#include "base/writer.h"

enum picture_kind { PICTURE_JPEG, PICTURE_PNG };

/* By its first bytes, whatever its Content-Type says; of a multipart body the
 * first part that is a picture. *out lies in body. GB_EUNSUPPORTED: there is
 * none, or it is cut: a JPEG ends with FF D9, a PNG with IEND. */
int picture_find(struct slice body, struct slice content_type,
                 enum picture_kind *kind, struct slice *out);
/* A channel as the beginning of a file name: what is no letter or digit becomes
 * '_', since ids come from devices. */
void picture_channel(struct writer *w, struct slice channel);
#endif
