/* manscdp/mansrtsp.h - playback control bodies, carried in INFO
 * (GB/T 28181-2022 9.8, Annex B; GB/T 28181-2011 Annex B)
 *
 *     PLAY RTSP/1.0          pause   PAUSE, PauseTime: now
 *     CSeq: 2                resume  PLAY, Range: npt=now-
 *     Range: npt=100-        speed   PLAY, Scale: 2.0
 *                            seek    PLAY, Range: npt=100-
 *
 * Times are milliseconds from the start of the range that the INVITE asked
 * for. Read leniently (either version, any case, LF alone, no empty line at
 * the end, words that are not known), written as the standard has it. */
#ifndef MANSCDP_MANSRTSP_H
#define MANSCDP_MANSRTSP_H

#include "base/err.h"
#include "base/slice.h"
#include "base/writer.h"

#define MANSRTSP_MAX_BYTES 4096    /* of a body */
#define MANSRTSP_MAX_LINES 32      /* of header fields */
#define MANSRTSP_MAX_MS 31622400000 /* a position: a leap year */
#define MANSRTSP_MAX_SCALE 256000  /* milli: 256 times as fast */

#define MANSRTSP_METHOD_MAP(X)                                                 \
    X(PLAY, "PLAY")                                                            \
    X(PAUSE, "PAUSE")                                                          \
    X(TEARDOWN, "TEARDOWN")

enum mansrtsp_method {
#define X(id, name) MANSRTSP_##id,
    MANSRTSP_METHOD_MAP(X)
#undef X
    MANSRTSP_METHOD_COUNT
};

/* What a body says beside its start line. */
enum mansrtsp_has {
    MANSRTSP_SCALE = 1,
    MANSRTSP_RANGE = 2,
    MANSRTSP_RANGE_END = 4, /* with MANSRTSP_RANGE; else it is open */
    MANSRTSP_PAUSE_AT = 8,  /* PAUSE at a position; else now */
    MANSRTSP_RTP_INFO = 16, /* of a response: seq and rtptime */
};

struct mansrtsp {
    bool response;               /* status, else method */
    bool old_version;            /* MANSRTSP/1.0, as 2011 wrote it */
    enum mansrtsp_method method;
    unsigned status;             /* 100 to 699 */
    unsigned has;                /* enum mansrtsp_has */
    uint32_t cseq;               /* 0: it has none */
    int32_t scale_milli;         /* 1000: as recorded; below 0: backwards;
                                    never 0 */
    bool from_now;               /* Range: from where it stands */
    int64_t from_ms;             /* Range, unless from_now */
    int64_t to_ms, pause_ms;
    uint32_t seq, rtptime;       /* of the first packet of the new position */
};

/* body  borrowed for the call
 * diag  may be NULL; filled only on error
 *
 * 0, GB_ESYNTAX (no start line, a number that is none), GB_ERANGE,
 * GB_EUNSUPPORTED (another method; smpte or clock ranges) or GB_ELIMIT;
 * *out is written only on 0. */
int mansrtsp_parse(struct mansrtsp *out, struct slice body,
                   struct gb_diag *diag);

/* Appends the body with its empty line. Some devices refuse "Scale: 2.0" and
 * take "Scale: 2": whole_scale writes whole speeds so. 0, GB_ERANGE (a value
 * above its limit, a scale of 0; nothing is written) or GB_ENOMEM. */
int mansrtsp_write(struct writer *w, const struct mansrtsp *m,
                   bool whole_scale);

#endif
