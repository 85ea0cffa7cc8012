/* app/media/poc.h - the picture order count: where a picture is shown among those
 * around it (ITU-T H.264 §8.2.1.1, H.265 §8.3.1)
 *
 * Read from the head of its first slice. Only differences mean something: a stream
 * may be joined anywhere. Plain value, no allocation. */
#ifndef APP_MEDIA_POC_H
#define APP_MEDIA_POC_H

#include "app/media/frame.h"

struct poc {
    enum ps_codec codec; /* UNKNOWN: this stream has none that is read */
    uint8_t bits;        /* of a picture; the rest is counted */
    uint8_t frame_num_bits; /* H.264 */
    uint8_t extra_bits;     /* H.265 */
    bool planes, fields, output_flag;
    bool begun;
    int64_t last; /* of the last picture that others refer to */
};

/* With the parameter sets of the stream. Those whose PPS disagree about the heads of
 * slices are not read. */
void poc_init(struct poc *p, const struct media_config *c);

struct poc_picture {
    int64_t at;
    bool fresh; /* counted anew from here: an IDR or BLA picture */
};

/* Of the next picture in decoding order. false: it cannot be told. */
bool poc_next(struct poc *p, const struct ps_au *au, struct poc_picture *out);
#endif
