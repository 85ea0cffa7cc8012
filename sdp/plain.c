#include "sdp/plain.h"

#include "sdp/gbext.h"

/* One look at the body marks every octet up to SP. The marks end words and
 * lines alike, so that a line costs a few instructions for each of its words.
 * Every reader here gives where its line ends, or 0 when the line is not
 * plain: then nothing that it has written counts, and sdp_read_line reads the
 * line again. A control octet within a word makes a line not plain. */

/* p[0..n) ends with CR or LF: whatever is no such octet has one behind it. */
struct text {
    const char *p;
    size_t n;
    const uint64_t *map;
};

SCAN_INLINE bool ends(struct text t, size_t at)
{
    return t.p[at] == '\r' || t.p[at] == '\n';
}

/* An address or a name that is all of the rest of its line. */
SCAN_INLINE size_t host(struct text t, size_t at)
{
    size_t end = scan_stop(t.map, at), n = end - at;

    if (n == 0 || !ends(t, end))
        return 0;
#ifdef SCAN_VECTORS
    if (n <= 16 && t.n - at >= 16) {
        uint32_t odd = scan_class_not_word(scan_load(t.p + at), 0);

        return odd & ((1u << n) - 1) ? 0 : end;
    }
#endif
    return scan_word(t.p + at, n) == n ? end : 0;
}

SCAN_INLINE size_t conn(struct sdp_conn *c, struct text t, size_t at)
{
    size_t from = at + 7, end;

    if (from >= t.n || memcmp(t.p + at, "IN IP4 ", 7) != 0)
        return 0;
    end = host(t, from);
    if (end == 0)
        return 0;
    c->present = true;
    c->ipv6 = false;
    c->host = slice_of(t.p + from, end - from);
    return end;
}

/* "user id version IN IP4 host"; the user ends at end. */
SCAN_INLINE size_t origin(struct sdp *s, struct text t, size_t at, size_t end)
{
    const char *p = t.p;
    size_t id = end + 1, version, tail;

    if (end == at || p[end] != ' ')
        return 0;
    tail = scan_stop(t.map, id);
    version = tail + 1;
    if (tail == id || p[tail] != ' ')
        return 0;
    s->origin_user = slice_of(p + at, end - at);
    s->origin_id = slice_of(p + id, tail - id);
    tail = scan_stop(t.map, version);
    if (tail == version || p[tail] != ' ')
        return 0;
    s->origin_version = slice_of(p + version, tail - version);
    return conn(&s->origin, t, tail + 1);
}

/* Some words with single blanks between them, to the end of the line. */
SCAN_INLINE size_t words(struct slice *out, struct text t, size_t at,
                         size_t end)
{
    while (t.p[end] == ' ') {
        size_t from = end + 1;

        end = scan_stop(t.map, from);
        if (end == from)
            return 0;
    }
    if (t.p[at] == ' ' || !ends(t, end))
        return 0;
    *out = slice_of(t.p + at, end - at);
    return end;
}

SCAN_INLINE size_t name(struct sdp *s, struct text t, size_t at, size_t end)
{
    end = words(&s->name, t, at, end);
    if (end == 0)
        return 0;
    s->operation = end - at == 4 && memcmp(t.p + at, "Play", 4) == 0
                       ? SDP_PLAY
                       : sdp_operation_parse(s->name);
    return end;
}

/* "0 0" of what is live: no change to a time that there is. */
SCAN_INLINE size_t live(struct sdp *s, struct text t, size_t at, size_t end)
{
    const char *p = t.p + at;

    if (end != at + 1 || p[0] != '0' || p[1] != ' ' || p[2] != '0' ||
        !ends(t, at + 3))
        return 0;
    s->has_time = true;
    return at + 3;
}

/* Ten digits. */
SCAN_INLINE size_t ssrc(struct sdp_reader *r, struct text t, size_t at,
                        size_t end)
{
    unsigned high, low;
    uint32_t rest;
    uint64_t v;

    if (end - at != SDP_SSRC_DIGITS || !ends(t, end) ||
        !scan_digits(t.p + end, 8, &rest))
        return 0;
    high = (unsigned char)t.p[at] - (unsigned)'0';
    low = (unsigned char)t.p[at + 1] - (unsigned)'0';
    if (high > 9 || low > 9)
        return 0;
    v = (high * 10 + low) * 100000000ull + rest;
    if (v > UINT32_MAX)
        return 0;
    sdp_read_ssrc(r, (uint32_t)v);
    return end;
}

/* ---- media ---- */

/* " 96 97" to the end of the line. */
SCAN_INLINE size_t formats(struct sdp_media *m, struct text t, size_t at)
{
    while (t.p[at] == ' ') {
        size_t from = at + 1;
        uint32_t pt;

        at = scan_stop(t.map, from);
        if (!scan_digits(t.p + at, at - from, &pt) || pt > 127 ||
            sdp_format_of(m, pt) || !sdp_format_new(m, pt))
            return 0;
    }
    return ends(t, at) ? at : 0;
}

/* "video 30000 RTP/AVP 96"; the first word ends at end. */
SCAN_INLINE size_t media(struct sdp_reader *r, struct text t, size_t at,
                         size_t end)
{
    struct sdp_media *m = &r->s->media[r->s->n_media];
    const char *p = t.p;
    size_t from = end + 1, proto, tail;
    uint32_t port;
    bool video;

    if (end - at != 5 || p[end] != ' ' || r->has_defaults ||
        r->s->n_media == SDP_MAX_MEDIA)
        return 0;
    video = memcmp(p + at, "video", 5) == 0;
    if (!video && memcmp(p + at, "audio", 5) != 0)
        return 0;
    tail = scan_stop(t.map, from);
    proto = tail + 1;
    if (!scan_digits(p + tail, tail - from, &port) || port > 65535 ||
        p[tail] != ' ')
        return 0;
    sdp_media_init(m);
    tail = scan_stop(t.map, proto);
    if (tail - proto == 7 && memcmp(p + proto, "RTP/AVP", 7) == 0)
        m->proto = SDP_RTP_AVP;
    else if (tail - proto == 11 && memcmp(p + proto, "TCP/RTP/AVP", 11) == 0)
        m->proto = SDP_TCP_RTP_AVP;
    else
        return 0;
    m->type = video ? SDP_VIDEO : SDP_AUDIO;
    m->type_name = slice_of(p + at, 5);
    m->proto_name = slice_of(p + proto, tail - proto);
    m->port = (uint16_t)port;
    tail = formats(m, t, tail);
    if (tail == 0)
        return 0;
    r->any_media = true;
    r->s->n_media++;
    r->cur = m;
    return tail;
}

/* ---- attributes ---- */

/* "96 PS/90000"; the first word ends at end. */
SCAN_INLINE size_t rtpmap(struct sdp_media *m, struct text t, size_t at,
                          size_t end)
{
    size_t from = end + 1, slash = from;
    struct sdp_format *f;
    uint32_t pt, clock_hz;

    if (t.p[end] != ' ' || !scan_digits(t.p + end, end - at, &pt))
        return 0;
    f = sdp_format_of(m, pt);
    end = scan_stop(t.map, from);
    while (slash < end && t.p[slash] != '/')
        slash++;
    if (!f || !ends(t, end) || slash == end ||
        !scan_digits(t.p + end, end - slash - 1, &clock_hz))
        return 0;
    f->encoding = slice_of(t.p + from, slash - from);
    f->clock_hz = clock_hz;
    f->channels = 0;
    return end;
}

SCAN_INLINE bool stream(int16_t *out, const char *from, const char *end)
{
    uint32_t v;

    if (!scan_digits(end, (size_t)(end - from), &v) || v > SDP_MAX_STREAM)
        return false;
    *out = (int16_t)v;
    return true;
}

/* The whole of an attribute, or the name before its value. */
#define IS(lit) (n == sizeof(lit) - 1 && memcmp(p, lit, sizeof(lit) - 1) == 0)
#define HAS(lit) (n > sizeof(lit) - 1 && memcmp(p, lit, sizeof(lit) - 1) == 0)

/* Those that begin with s, without blanks in them. */
SCAN_INLINE bool attr_s(struct sdp_media *m, const char *p, size_t n)
{
    if (IS("sendonly"))
        m->direction = SDP_SENDONLY;
    else if (IS("sendrecv"))
        m->direction = SDP_SENDRECV;
    else if (IS("setup:active"))
        m->setup = SDP_ACTIVE;
    else if (IS("setup:passive"))
        m->setup = SDP_PASSIVE;
    else if (HAS("streamnumber:"))
        return stream(&m->select.streamnumber, p + 13, p + n);
    else if (HAS("streamprofile:"))
        return stream(&m->select.streamprofile, p + 14, p + n);
    else
        return false;
    return true;
}

SCAN_INLINE size_t attr(struct sdp_reader *r, struct text t, size_t at,
                        size_t end)
{
    const char *p = t.p + at;
    size_t n = end - at;
    struct sdp_media *m = r->cur;

    if (m == &r->defaults)
        return 0;
    if (HAS("rtpmap:"))
        return rtpmap(m, t, at + 7, end);
    if (!ends(t, end))
        return 0;
    if (p[0] == 's')
        return attr_s(m, p, n) ? end : 0;
    if (IS("connection:new"))
        m->connection = SDP_NEW;
    else if (IS("recvonly"))
        m->direction = SDP_RECVONLY;
    else
        return 0;
    return end;
}

/* ---- lines ---- */

/* The value begins at at, its first word ends at end. */
SCAN_INLINE size_t value(struct sdp_reader *r, struct text t, size_t at,
                         size_t end)
{
    struct sdp *s = r->s;

    switch (t.p[at - 2]) {
    case 'a':
        return attr(r, t, at, end);
    case 'm':
        return media(r, t, at, end);
    case 'y':
        return ssrc(r, t, at, end);
    case 'c':
        return conn(r->any_media ? &r->cur->conn : &s->conn, t, at);
    case 'o':
        return origin(s, t, at, end);
    case 's':
        return name(s, t, at, end);
    case 't':
        return live(s, t, at, end);
    case 'v':
        return ends(t, end) ? end : 0;
    case 'f':
        s->has_format = true;
        return words(&s->format, t, at, end);
    case 'u':
        return words(&s->uri, t, at, end);
    case 'i':
        return r->any_media ? 0 : words(&s->info, t, at, end);
    default:
        return 0;
    }
}

size_t sdp_plain_read(struct sdp_reader *r, struct slice body)
{
    uint64_t map[SDP_MAX_BYTES / 64 + 1];
    struct text t = { body.p, body.n, map };
    size_t at = 0;

    while (t.n && !ends(t, t.n - 1))
        t.n--;
    scan_map_blanks(map, body.p, t.n);
    while (t.n - at > 3) { /* the shortest line is an LF, "v=" and its end */
        size_t end = 0;

        at += t.p[at] == '\n'; /* behind a CR, or an empty line */
        if (t.p[at + 1] == '=')
            end = value(r, t, at + 2, scan_stop(map, at + 2));
        at = end ? end + 1 : sdp_read_line(r, slice_of(t.p, t.n), at);
    }
    return at + (at < t.n && t.p[at] == '\n');
}
