#include "sdp/sdp.h"

#include "base/scan.h"
#include "sdp/read.h"

/* ---- building ---- */

void sdp_init(struct sdp *s)
{
    scan_clear(s, offsetof(struct sdp, media));
}

struct sdp_media *sdp_add_media(struct sdp *s, enum sdp_media_type type,
                                enum sdp_proto proto)
{
    static const struct slice types[] = {
        [SDP_MEDIA_OTHER] = SLICE_INIT("application"),
        [SDP_VIDEO] = SLICE_INIT("video"),
        [SDP_AUDIO] = SLICE_INIT("audio"),
    };
    static const struct slice protos[] = {
        [SDP_PROTO_OTHER] = SLICE_INIT("udp"),
        [SDP_RTP_AVP] = SLICE_INIT("RTP/AVP"),
        [SDP_TCP_RTP_AVP] = SLICE_INIT("TCP/RTP/AVP"),
        [SDP_TCP_FILE] = SLICE_INIT("tcp"),
    };
    struct sdp_media *m;

    if (s->n_media == SDP_MAX_MEDIA)
        return NULL;
    m = &s->media[s->n_media++];
    sdp_media_init(m);
    m->type = type;
    m->type_name = types[type];
    m->proto = proto;
    m->proto_name = protos[proto];
    return m;
}

bool sdp_add_format(struct sdp_media *m, uint8_t pt, struct slice encoding,
                    uint32_t clock_hz)
{
    struct sdp_format *f = sdp_format_new(m, pt & 0x7f);

    if (!f)
        return false;
    f->encoding = encoding;
    f->clock_hz = clock_hz;
    return true;
}

/* ---- questions ---- */

const struct sdp_media *sdp_find_media(const struct sdp *s,
                                       enum sdp_media_type type)
{
    for (size_t i = 0; i < s->n_media; i++)
        if (s->media[i].type == type && sdp_media_is_usable(&s->media[i]))
            return &s->media[i];
    return NULL;
}

const struct sdp_format *sdp_find_format(const struct sdp_media *m, uint8_t pt)
{
    for (size_t i = 0; i < m->n_formats; i++)
        if (m->formats[i].pt == pt)
            return &m->formats[i];
    return NULL;
}

/* What a payload type means when no rtpmap says it. */
static const struct {
    uint8_t pt;
    uint32_t clock_hz;
    struct slice encoding;
} standard_formats[] = {
    { 96, 90000, SLICE_INIT("PS") },    { 97, 90000, SLICE_INIT("MPEG4") },
    { 98, 90000, SLICE_INIT("H264") },  { 99, 90000, SLICE_INIT("SVAC") },
    { 100, 90000, SLICE_INIT("H265") }, { 102, 8000, SLICE_INIT("AAC") },
    { 126, 90000, SLICE_INIT("H264") }, { 125, 90000, SLICE_INIT("H264S") },
    { 34, 90000, SLICE_INIT("H263") },  { 33, 90000, SLICE_INIT("MP2T") },
    { 0, 8000, SLICE_INIT("PCMU") },    { 8, 8000, SLICE_INIT("PCMA") },
    { 4, 8000, SLICE_INIT("G723") },    { 9, 8000, SLICE_INIT("G722") },
    { 18, 8000, SLICE_INIT("G729") },   { 20, 8000, SLICE_INIT("SVACA") },
};

int sdp_format_codec(const struct sdp_format *f, struct slice *encoding,
                     uint32_t *clock_hz)
{
    const size_t n = sizeof(standard_formats) / sizeof(standard_formats[0]);
    size_t i = 0;

    while (i < n && standard_formats[i].pt != f->pt)
        i++;
    if (f->encoding.n == 0 && i == n)
        return GB_ENOENT;
    *encoding = f->encoding.n ? f->encoding : standard_formats[i].encoding;
    *clock_hz = f->clock_hz ? f->clock_hz
                : i < n     ? standard_formats[i].clock_hz
                            : 90000;
    return 0;
}

bool sdp_attr(const struct sdp_media *m, struct slice name,
              struct slice *value)
{
    for (size_t i = 0; i < m->n_other; i++) {
        struct slice v = m->other[i], head;

        slice_cut(&v, ':', &head);
        if (slice_ieq(slice_trim(head), name)) {
            *value = slice_trim(v);
            return true;
        }
    }
    return false;
}

bool sdp_ssrc(const struct sdp *s, const struct sdp_media *m, uint32_t *ssrc)
{
    if (!m->has_ssrc && !s->has_ssrc)
        return false;
    *ssrc = m->has_ssrc ? m->ssrc : s->ssrc;
    return true;
}

bool sdp_media_addr(const struct sdp *s, const struct sdp_media *m,
                    struct gb_addr *out)
{
    const struct sdp_conn *try[] = { &m->conn, &s->conn, &s->origin };

    for (size_t i = 0; i < sizeof(try) / sizeof(try[0]); i++) {
        struct gb_addr a;

        if (try[i]->host.n && gb_addr_parse_ip(&a, try[i]->host) == 0 &&
            !gb_addr_is_any(&a)) {
            a.port = m->port;
            *out = a;
            return true;
        }
    }
    return false;
}
