/* test/sdp_same.h - are two descriptions of one body the same, to the place of
 * every slice? */
#ifndef TEST_SDP_SAME_H
#define TEST_SDP_SAME_H

#include "sdp/sdp.h"

static inline bool sdp_same_slice(struct slice a, struct slice b)
{
    return a.n == b.n && (a.n == 0 || a.p == b.p);
}

#define SDP_SAME(field) sdp_same_slice(a->field, b->field)

static inline bool sdp_same_conn(const struct sdp_conn *a,
                                 const struct sdp_conn *b)
{
    return a->present == b->present && a->ipv6 == b->ipv6 && SDP_SAME(host);
}

static inline bool sdp_same_format(const struct sdp_format *a,
                                   const struct sdp_format *b)
{
    return a->pt == b->pt && a->channels == b->channels &&
           a->clock_hz == b->clock_hz && SDP_SAME(encoding) && SDP_SAME(fmtp);
}

static inline bool sdp_same_select(const struct sdp_select *a,
                                   const struct sdp_select *b)
{
    return a->streamnumber == b->streamnumber &&
           a->streamprofile == b->streamprofile && a->stream == b->stream &&
           a->mode == b->mode;
}

static inline bool sdp_same_media(const struct sdp_media *a,
                                  const struct sdp_media *b)
{
    bool ok = a->type == b->type && a->proto == b->proto &&
              a->direction == b->direction && a->setup == b->setup &&
              a->connection == b->connection && SDP_SAME(type_name) &&
              SDP_SAME(proto_name) && a->port == b->port &&
              a->ptime_ms == b->ptime_ms &&
              a->downloadspeed == b->downloadspeed &&
              a->filesize_bytes == b->filesize_bytes &&
              sdp_same_select(&a->select, &b->select) &&
              sdp_same_conn(&a->conn, &b->conn) &&
              a->encrypted == b->encrypted && a->has_ssrc == b->has_ssrc &&
              (!a->has_ssrc || a->ssrc == b->ssrc) &&
              a->n_formats == b->n_formats && a->n_other == b->n_other;

    for (size_t i = 0; ok && i < a->n_formats; i++)
        ok = sdp_same_format(&a->formats[i], &b->formats[i]);
    for (size_t i = 0; ok && i < a->n_other; i++)
        ok = SDP_SAME(other[i]);
    return ok;
}

static inline bool sdp_same(const struct sdp *a, const struct sdp *b)
{
    bool ok = SDP_SAME(origin_user) && SDP_SAME(origin_id) &&
              SDP_SAME(origin_version) &&
              sdp_same_conn(&a->origin, &b->origin) && SDP_SAME(name) &&
              a->operation == b->operation && SDP_SAME(info) &&
              SDP_SAME(uri) && sdp_same_conn(&a->conn, &b->conn) &&
              a->has_time == b->has_time && a->start_s == b->start_s &&
              a->stop_s == b->stop_s && a->has_ssrc == b->has_ssrc &&
              a->ssrc == b->ssrc && a->has_format == b->has_format &&
              SDP_SAME(format) && a->n_skipped == b->n_skipped &&
              a->n_media == b->n_media;

    for (size_t i = 0; ok && i < a->n_media; i++)
        ok = sdp_same_media(&a->media[i], &b->media[i]);
    return ok;
}
#undef SDP_SAME
#endif
