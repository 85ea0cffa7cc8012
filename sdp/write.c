#include "sdp/gbext.h"
#include "sdp/sdp.h"

/* The order is that of GB/T 28181-2022 Annex G; y= stands behind every a= line
 * because a large vendor answers 415 otherwise. */

static void put_line(struct writer *w, struct slice head, struct slice v)
{
    writer_slice_put(w, head);
    writer_line_safe(w, v);
    writer_bytes(w, "\r\n", 2);
}

static void put_number(struct writer *w, struct slice head, uint64_t v)
{
    writer_slice_put(w, head);
    writer_u64(w, v);
    writer_bytes(w, "\r\n", 2);
}

static void put_conn(struct writer *w, struct slice head,
                     const struct sdp_conn *c)
{
    writer_slice_put(w, head);
    put_line(w, c->ipv6 ? SLICE("IN IP6 ") : SLICE("IN IP4 "), c->host);
}

static void put_session(struct writer *w, const struct sdp *s)
{
    struct slice zero = SLICE("0"), dash = SLICE("-");

    put_line(w, SLICE("v="), zero);
    writer_bytes(w, "o=", 2);
    writer_line_safe(w, s->origin_user.n ? s->origin_user : dash);
    writer_char(w, ' ');
    writer_line_safe(w, s->origin_id.n ? s->origin_id : zero);
    writer_char(w, ' ');
    writer_line_safe(w, s->origin_version.n ? s->origin_version : zero);
    put_conn(w, SLICE(" "), &s->origin);
    put_line(w, SLICE("s="),
             s->name.n ? s->name : sdp_operation_name(s->operation));
    if (s->info.n)
        put_line(w, SLICE("i="), s->info);
    if (s->uri.n)
        put_line(w, SLICE("u="), s->uri);
    if (s->conn.present)
        put_conn(w, SLICE("c="), &s->conn);
    writer_bytes(w, "t=", 2);
    writer_u64(w, s->start_s);
    put_number(w, SLICE(" "), s->stop_s);
}

static void put_format(struct writer *w, const struct sdp_format *f)
{
    if (f->encoding.n) {
        writer_str(w, "a=rtpmap:");
        writer_u64(w, f->pt);
        writer_char(w, ' ');
        writer_line_safe(w, f->encoding);
        if (f->clock_hz) {
            writer_char(w, '/');
            writer_u64(w, f->clock_hz);
        }
        if (f->clock_hz && f->channels > 1) {
            writer_char(w, '/');
            writer_u64(w, f->channels);
        }
        writer_bytes(w, "\r\n", 2);
    }
    if (f->fmtp.n) {
        writer_str(w, "a=fmtp:");
        writer_u64(w, f->pt);
        put_line(w, SLICE(" "), f->fmtp);
    }
}

static void put_select(struct writer *w, const struct sdp_select *s)
{
    if (s->streamprofile >= 0)
        put_number(w, SLICE("a=streamprofile:"), (uint64_t)s->streamprofile);
    if (s->streamnumber >= 0)
        put_number(w, SLICE("a=streamnumber:"), (uint64_t)s->streamnumber);
    if (s->stream >= 0)
        put_number(w, SLICE("a=stream:"), (uint64_t)s->stream);
    if (s->mode != SDP_MODE_NONE)
        put_line(w, SLICE("a=streamMode:"),
                 s->mode == SDP_MODE_SUB ? SLICE("sub") : SLICE("main"));
}

static void put_direction(struct writer *w, enum sdp_direction d)
{
    static const struct slice names[] = {
        [SDP_SENDRECV] = SLICE_INIT("sendrecv"),
        [SDP_SENDONLY] = SLICE_INIT("sendonly"),
        [SDP_RECVONLY] = SLICE_INIT("recvonly"),
        [SDP_INACTIVE] = SLICE_INIT("inactive"),
    };

    if (d != SDP_DIRECTION_NONE)
        put_line(w, SLICE("a="), names[d]);
}

static void put_attrs(struct writer *w, const struct sdp_media *m)
{
    put_direction(w, m->direction);
    for (size_t i = 0; i < m->n_formats; i++)
        put_format(w, &m->formats[i]);
    put_select(w, &m->select);
    if (m->ptime_ms)
        put_number(w, SLICE("a=ptime:"), m->ptime_ms);
    if (m->downloadspeed)
        put_number(w, SLICE("a=downloadspeed:"), m->downloadspeed);
    if (m->filesize_bytes)
        put_number(w, SLICE("a=filesize:"), m->filesize_bytes);
    for (size_t i = 0; i < m->n_other; i++)
        put_line(w, SLICE("a="), m->other[i]);
    if (m->setup != SDP_SETUP_NONE)
        put_line(w, SLICE("a=setup:"), sdp_setup_name(m->setup));
    if (m->connection != SDP_CONNECTION_NONE)
        put_line(w, SLICE("a=connection:"),
                 m->connection == SDP_NEW ? SLICE("new") : SLICE("existing"));
}

static void put_media(struct writer *w, const struct sdp_media *m)
{
    writer_bytes(w, "m=", 2);
    writer_line_safe(w, m->type_name);
    writer_char(w, ' ');
    writer_u64(w, m->port);
    writer_char(w, ' ');
    writer_line_safe(w, m->proto_name);
    for (size_t i = 0; i < m->n_formats; i++) {
        writer_char(w, ' ');
        writer_u64(w, m->formats[i].pt);
    }
    writer_bytes(w, "\r\n", 2);
    if (m->conn.present)
        put_conn(w, SLICE("c="), &m->conn);
    put_attrs(w, m);
}

static void put_ssrc(struct writer *w, uint32_t ssrc)
{
    writer_bytes(w, "y=", 2);
    sdp_ssrc_write(w, ssrc);
    writer_bytes(w, "\r\n", 2);
}

void sdp_write(struct writer *w, const struct sdp *s)
{
    bool own = false;
    uint32_t ssrc;

    put_session(w, s);
    for (size_t i = 0; i < s->n_media; i++)
        own = own || s->media[i].has_ssrc;
    for (size_t i = 0; i < s->n_media; i++) {
        put_media(w, &s->media[i]);
        if (own && sdp_ssrc(s, &s->media[i], &ssrc))
            put_ssrc(w, ssrc);
    }
    if (!own && s->has_ssrc)
        put_ssrc(w, s->ssrc);
    if (s->has_format)
        put_line(w, SLICE("f="), s->format);
}
