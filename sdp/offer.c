#include "sdp/offer.h"

#include "sdp/read.h"

/* The text of an address lives in the caller's buffer. */
static struct sdp_conn conn_of(const struct gb_addr *a,
                               char buf[static GB_ADDR_TEXT_MAX])
{
    struct writer w = writer_of(buf, GB_ADDR_TEXT_MAX);

    gb_addr_write_ip(&w, a);
    return (struct sdp_conn){ .present = true,
                              .ipv6 = a->family == GB_IPV6,
                              .host = writer_slice(&w) };
}

/* The lines of text as attributes; an "a=" in front is taken off. */
static void add_extra(struct sdp_media *m, struct slice text)
{
    while (text.n && m->n_other < SDP_MAX_OTHER) {
        size_t n = 0;
        struct slice line;

        while (n < text.n && text.p[n] != '\r' && text.p[n] != '\n')
            n++;
        line = slice_trim(slice_head(text, n));
        text = slice_from(text, n + 1);
        if (slice_has_prefix(line, SLICE("a=")))
            line = slice_from(line, 2);
        if (line.n)
            m->other[m->n_other++] = line;
    }
}

static void add_formats(struct sdp_media *m, const struct sdp_offer *o)
{
    if (o->operation == SDP_TALK) {
        sdp_add_format(m, 8, SLICE("PCMA"), 8000);
        return;
    }
    sdp_add_format(m, 96, SLICE("PS"), 90000);
    if (o->minimal)
        return;
    sdp_add_format(m, 97, SLICE("MPEG4"), 90000);
    sdp_add_format(m, 98, SLICE("H264"), 90000);
    sdp_add_format(m, 99, SLICE("H265"), 90000);
}

static void fill_offer_media(struct sdp_media *m, const struct sdp_offer *o)
{
    m->direction = o->operation == SDP_TALK ? SDP_SENDRECV : SDP_RECVONLY;
    m->port = o->addr.port;
    add_formats(m, o);
    if (o->transport != SDP_UDP) {
        m->setup = o->transport == SDP_TCP_PASSIVE ? SDP_PASSIVE : SDP_ACTIVE;
        m->connection = SDP_NEW;
        if (m->setup == SDP_ACTIVE && m->port == 0)
            m->port = 9; /* the port is not used, but 0 would refuse */
    }
    if (o->operation == SDP_DOWNLOAD)
        m->downloadspeed = o->downloadspeed ? o->downloadspeed : 1;
    if (!o->minimal) {
        m->select = o->select;
        add_extra(m, o->extra);
    }
}

/* "<code>:<type>" into the caller's buffer. */
static struct slice uri_of(const struct sdp_offer *o, char *buf, size_t cap)
{
    struct writer w = writer_of(buf, cap);

    if (o->channel.n == 0)
        return SLICE("");
    writer_line_safe(&w, o->channel);
    writer_char(&w, ':');
    writer_u64(&w, o->uri_type);
    return writer_slice(&w);
}

void sdp_offer_write(struct writer *w, const struct sdp_offer *o)
{
    bool talk = o->operation == SDP_TALK;
    char host[GB_ADDR_TEXT_MAX], uri[128];
    struct sdp s;

    sdp_init(&s);
    s.origin_user = o->owner;
    s.origin = s.conn = conn_of(&o->addr, host);
    s.operation = o->operation;
    s.uri = uri_of(o, uri, sizeof(uri));
    if (sdp_is_history(o->operation)) {
        s.start_s = o->start_s;
        s.stop_s = o->stop_s;
    }
    s.has_ssrc = true;
    s.ssrc = o->ssrc;
    s.format = o->minimal ? SLICE("") : o->format;
    if (talk && s.format.n == 0)
        s.format = SDP_F_AUDIO;
    s.has_format = s.format.n > 0;
    fill_offer_media(sdp_add_media(&s, talk ? SDP_AUDIO : SDP_VIDEO,
                                   o->transport == SDP_UDP ? SDP_RTP_AVP
                                                           : SDP_TCP_RTP_AVP),
                     o);
    sdp_write(w, &s);
}

/* ---- answers ---- */

enum sdp_answer_transport sdp_answer_transport(const struct sdp_media *m)
{
    if (m->proto == SDP_TCP_FILE)
        return SDP_ANSWER_LISTEN; /* annex O: the receiver connects */
    if (m->proto != SDP_TCP_RTP_AVP)
        return SDP_ANSWER_UDP;
    switch (m->setup) {
    case SDP_ACTIVE:
        return SDP_ANSWER_LISTEN;
    case SDP_PASSIVE:
    case SDP_ACTPASS:
        return SDP_ANSWER_CONNECT;
    case SDP_SETUP_NONE:
    case SDP_HOLDCONN:
        break;
    }
    return m->port ? SDP_ANSWER_CONNECT : SDP_ANSWER_LISTEN;
}

static enum sdp_direction mirror(enum sdp_direction d)
{
    switch (d) {
    case SDP_SENDONLY:
        return SDP_RECVONLY;
    case SDP_SENDRECV:
    case SDP_INACTIVE:
        return d;
    case SDP_DIRECTION_NONE:
    case SDP_RECVONLY:
        break;
    }
    return SDP_SENDONLY;
}

static void fill_answer_media(struct sdp_media *out, const struct sdp_media *m,
                              const struct sdp_format *f,
                              const struct sdp_answer *a)
{
    struct slice encoding = SLICE("");
    uint32_t clock_hz = 0;

    out->type_name = m->type_name;
    out->proto_name = m->proto_name;
    out->port = a->addr.port;
    out->direction = a->sends ? SDP_SENDONLY : mirror(m->direction);
    out->filesize_bytes = a->filesize_bytes;
    sdp_format_codec(f, &encoding, &clock_hz); /* unknown: no rtpmap */
    sdp_add_format(out, f->pt, encoding, clock_hz);
    if (m->proto == SDP_TCP_RTP_AVP) {
        out->setup = sdp_answer_transport(m) == SDP_ANSWER_LISTEN
                         ? SDP_PASSIVE
                         : SDP_ACTIVE;
        out->connection = SDP_NEW;
        if (out->setup == SDP_ACTIVE && out->port == 0)
            out->port = 9;
    }
    add_extra(out, a->extra);
}

/* Port 0, and a format, since there must be one (RFC 3264 §6). */
static void refuse_media(struct sdp_media *out, const struct sdp_media *m)
{
    out->type_name = m->type_name;
    out->proto_name = m->proto_name;
    sdp_add_format(out, m->n_formats ? m->formats[0].pt : 0, SLICE(""), 0);
}

void sdp_answer_write(struct writer *w, const struct sdp *offer,
                      const struct sdp_media *m, const struct sdp_answer *a)
{
    const struct sdp_format *f = sdp_find_format(m, a->pt);
    char host[GB_ADDR_TEXT_MAX];
    struct sdp s;

    if (!f) {
        w->err = w->err ? w->err : GB_EUNSUPPORTED;
        return;
    }
    sdp_init(&s);
    s.origin_user = a->owner;
    s.origin = s.conn = conn_of(&a->addr, host);
    s.name = offer->name;
    s.operation = offer->operation;
    s.info = a->info;
    s.start_s = offer->start_s;
    s.stop_s = offer->stop_s;
    s.has_ssrc = !a->no_ssrc;
    s.ssrc = a->ssrc;
    s.has_format = a->format.n > 0;
    s.format = a->format;
    for (size_t i = 0; i < offer->n_media; i++) {
        const struct sdp_media *o = &offer->media[i];
        struct sdp_media *out = sdp_add_media(&s, o->type, o->proto);

        if (o == m)
            fill_answer_media(out, m, f, a);
        else
            refuse_media(out, o);
    }
    sdp_write(w, &s);
}

static bool is_encoding(const struct sdp_format *f, struct slice name)
{
    struct slice encoding;
    uint32_t clock_hz;

    return sdp_format_codec(f, &encoding, &clock_hz) == 0 &&
           slice_ieq(encoding, name);
}

/* G.711 of a type of its own may be said to have another clock than 8 kHz: what
 * we say would be heard too fast. */
static bool is_wideband(const struct sdp_format *f)
{
    return f->pt >= 96 && f->clock_hz > 8000;
}

int sdp_choose_format(const struct sdp_media *m, uint8_t *pt)
{
    static const struct slice audio[] = { SLICE_INIT("PCMA"),
                                          SLICE_INIT("PCMU"),
                                          SLICE_INIT("PS") };
    size_t from = m->type == SDP_AUDIO ? 0 : 2;

    for (size_t k = from; k < sizeof(audio) / sizeof(audio[0]); k++) {
        for (size_t i = 0; i < m->n_formats; i++) {
            if (is_encoding(&m->formats[i], audio[k]) &&
                (k == 2 || !is_wideband(&m->formats[i]))) {
                *pt = m->formats[i].pt;
                return 0;
            }
        }
    }
    return GB_EUNSUPPORTED;
}

static bool can_listen(const struct sdp_media *m)
{
    uint8_t pt;

    return m->type == SDP_AUDIO && sdp_media_is_usable(m) &&
           (m->port || sdp_answer_transport(m) == SDP_ANSWER_LISTEN) &&
           !sdp_choose_format(m, &pt);
}

const struct sdp_media *sdp_find_listener(const struct sdp *s)
{
    const struct sdp_media *found = NULL;

    for (size_t i = 0; i < s->n_media; i++) {
        if (!can_listen(&s->media[i]))
            continue;
        if (s->media[i].direction != SDP_SENDONLY)
            return &s->media[i];
        if (!found)
            found = &s->media[i];
    }
    return found ? found : sdp_find_media(s, SDP_AUDIO);
}

/* ---- the answer to our offer ---- */

static void agree_transport(struct sdp_agreed *g, const struct sdp_offer *o)
{
    if (o->transport == SDP_UDP)
        return; /* a=setup in an answer to UDP means nothing (seen) */
    /* missing, or the same role as ours: the offer holds */
    g->peer_setup = o->transport == SDP_TCP_PASSIVE ? SDP_ACTIVE : SDP_PASSIVE;
    if (g->media->proto == SDP_RTP_AVP) {
        g->either = o->transport == SDP_TCP_PASSIVE;
        g->retry_udp = !g->either;
    }
}

/* Port 0 refuses the stream. But who only sends has no port to tell, and some
 * devices tell 0 for it: one that names its SSRC sends. Not so where we would have
 * to connect there, or send. */
static void agree_port(struct sdp_agreed *g, const struct sdp_offer *o,
                       bool has_ssrc)
{
    if (g->media->port)
        return;
    g->no_port = has_ssrc && o->operation != SDP_TALK &&
                 (g->peer_setup != SDP_PASSIVE || g->retry_udp);
    g->refused = !g->no_port;
}

/* The first format of the answer that we have offered. */
static void agree_format(struct sdp_agreed *g, const struct sdp_offer *o)
{
    struct sdp_media ours;

    ours.n_formats = 0;
    add_formats(&ours, o);
    for (size_t i = 0; i < g->media->n_formats && !g->has_format; i++) {
        if (sdp_find_format(&ours, g->media->formats[i].pt)) {
            g->has_format = true;
            g->format = g->media->formats[i];
        }
    }
}

int sdp_agree(struct sdp_agreed *out, const struct sdp_offer *offer,
              const struct sdp *answer)
{
    struct sdp_agreed g = { .ssrc = offer->ssrc };
    uint32_t ssrc;
    bool has_ssrc;

    g.media = offer->operation == SDP_TALK ? sdp_find_listener(answer)
                                           : sdp_find_media(answer, SDP_VIDEO);
    if (!g.media)
        return GB_ESYNTAX;
    has_ssrc = sdp_ssrc(answer, g.media, &ssrc);
    agree_transport(&g, offer);
    agree_port(&g, offer, has_ssrc);
    agree_format(&g, offer);
    g.has_addr = sdp_media_addr(answer, g.media, &g.addr);
    if (has_ssrc && ssrc != offer->ssrc) {
        g.ssrc = ssrc;
        g.ssrc_changed = true;
    }
    *out = g;
    return 0;
}
