/* sdp/read.h - what the two ways of reading a description share
 *
 * sdp_parse reads a line by a shortcut (sdp/plain.h) when it is spelled as
 * nearly all are, and in every way that devices spell it (sdp/read.c)
 * otherwise. Both leave the same behind. */
#ifndef SDP_READ_H
#define SDP_READ_H

#include "base/scan.h"
#include "sdp/sdp.h"

/* A description while it is read. defaults and bin mean nothing until they
 * are used: they are large. */
struct sdp_reader {
    struct sdp *s;
    struct sdp_media *cur;     /* where attributes go */
    struct sdp_media defaults; /* before the first m= */
    struct sdp_media bin;      /* of m= lines that are not kept */
    bool has_defaults;         /* an a= or y= line before the first m= */
    bool any_media;            /* an m= line, of whatever worth */
    unsigned n_ssrc;
};

/* Reads the line at at < body.n; where the next one begins, which may be
 * behind the end. */
size_t sdp_read_line(struct sdp_reader *r, struct slice body, size_t at);

/* A y= that could be read. */
void sdp_read_ssrc(struct sdp_reader *r, uint32_t ssrc);

/* sdp_parse without the shortcuts, the same result; for tests. */
int sdp_parse_patient(struct sdp *out, struct slice body,
                      struct gb_diag *diag);

static inline void sdp_media_init(struct sdp_media *m)
{
    scan_clear(m, offsetof(struct sdp_media, formats));
    m->select = SDP_SELECT_NONE;
}

static inline bool sdp_media_is_usable(const struct sdp_media *m)
{
    return m->type != SDP_MEDIA_OTHER && m->proto != SDP_PROTO_OTHER;
}

static inline struct sdp_format *sdp_format_of(struct sdp_media *m, uint64_t pt)
{
    for (size_t i = 0; i < m->n_formats; i++)
        if (m->formats[i].pt == pt)
            return &m->formats[i];
    return NULL;
}

/* An entry without an rtpmap; NULL when there are SDP_MAX_FORMATS. */
static inline struct sdp_format *sdp_format_new(struct sdp_media *m,
                                                uint64_t pt)
{
    struct sdp_format *f;

    if (m->n_formats == SDP_MAX_FORMATS)
        return NULL;
    f = &m->formats[m->n_formats++];
    *f = (struct sdp_format){ .pt = (uint8_t)pt };
    return f;
}
#endif
