#include "sdp/read.h"

#include "base/scan.h"
#include "sdp/gbext.h"
#include "sdp/plain.h"

/* Lines in whatever way they are spelled: the first octet of a line, and for
 * attributes that of the name, picks the one function that reads it. Words
 * are compared as they are usually spelled first, without case only when that
 * fails. */

/* ---- text ---- */

static inline bool word_is(struct slice s, struct slice word)
{
    return s.n == word.n &&
           (memcmp(s.p, word.p, word.n) == 0 || slice_ieq(s, word));
}

static struct slice trim_ends(struct slice s)
{
    while (s.n && ascii_is_blank(s.p[s.n - 1]))
        s.n--;
    while (s.n && ascii_is_blank(s.p[0])) {
        s.p++;
        s.n--;
    }
    return s;
}

static inline struct slice trim_blanks(struct slice s)
{
    bool some = s.n && ((unsigned char)s.p[0] <= ' ' ||
                        (unsigned char)s.p[s.n - 1] <= ' ');

    return some ? trim_ends(s) : s;
}

/* What stands before the first slash goes to *head, *s keeps the rest. */
static inline void cut_slash(struct slice *s, struct slice *head)
{
    size_t n = scan_char(s->p, s->n, '/');

    *head = slice_of(s->p, n);
    *s = slice_from(*s, n + 1);
}

/* Cuts the next word off *s; empty at the end. */
static inline struct slice next_word(struct slice *s)
{
    const char *p = s->p, *end = s->p + s->n, *from;

    while (p < end && (unsigned char)*p <= ' ' && ascii_is_blank(*p))
        p++;
    from = p;
    p += scan_blank_near(p, (size_t)(end - p));
    *s = slice_of(p, (size_t)(end - p));
    return slice_of(from, (size_t)(p - from));
}

/* The whole of s as decimal, 0..max; max is below 10^18. */
static inline bool number(struct slice s, uint64_t max, uint64_t *v)
{
    uint64_t sum = 0;

    if (s.n == 0)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        unsigned d = (unsigned char)s.p[i] - (unsigned)'0';

        if (d > 9)
            return false;
        sum = sum * 10 + d;
        if (sum > max)
            return false;
    }
    *v = sum;
    return true;
}

/* ---- session lines ---- */

static void parse_conn(struct sdp_conn *c, struct slice v)
{
    struct slice w;
    size_t colons = 0, n = 0;

    c->present = true;
    c->ipv6 = false;
    w = next_word(&v);
    if (word_is(w, SLICE("IN")))
        w = next_word(&v);
    if (word_is(w, SLICE("IP4"))) {
        w = next_word(&v);
    } else if (word_is(w, SLICE("IP6"))) {
        c->ipv6 = true;
        w = next_word(&v);
    }
    while (w.n && w.p[0] == '[')
        w = slice_from(w, 1);
    for (; n < w.n && w.p[n] != ']' && w.p[n] != '/'; n++)
        colons += w.p[n] == ':';
    w.n = n;
    if (!c->ipv6 && colons == 1) /* host:port is seen */
        w.n = slice_find(w, ':');
    c->ipv6 = c->ipv6 || colons > 1;
    c->host = w;
}

static void parse_origin(struct sdp *s, struct slice v)
{
    s->origin_user = next_word(&v);
    s->origin_id = next_word(&v);
    s->origin_version = next_word(&v);
    parse_conn(&s->origin, trim_blanks(v));
}

static void parse_time(struct sdp *s, struct slice v)
{
    const uint64_t max = SDP_NTP_OFFSET_S + 0x7fffffffull;
    uint64_t t[2] = { 0, 0 };

    if (!number(next_word(&v), max, &t[0]))
        return;
    number(next_word(&v), max, &t[1]); /* one number alone is enough */
    for (size_t i = 0; i < 2; i++)
        if (t[i] >= SDP_NTP_OFFSET_S)
            t[i] -= SDP_NTP_OFFSET_S;
    s->has_time = true;
    s->start_s = t[0];
    s->stop_s = t[1];
}

/* Lines of a section before the first m=: they go to all sections. */
static inline void want_defaults(struct sdp_reader *r)
{
    if (r->any_media || r->has_defaults)
        return;
    sdp_media_init(&r->defaults);
    r->has_defaults = true;
}

void sdp_read_ssrc(struct sdp_reader *r, uint32_t ssrc)
{
    want_defaults(r);
    if (!r->s->has_ssrc) {
        r->s->has_ssrc = true;
        r->s->ssrc = ssrc;
    }
    if (!r->cur->has_ssrc) {
        r->cur->has_ssrc = true;
        r->cur->ssrc = ssrc;
    }
    r->n_ssrc++;
}

static void parse_ssrc(struct sdp_reader *r, struct slice v)
{
    uint32_t ssrc;

    if (sdp_ssrc_parse(&ssrc, v))
        sdp_read_ssrc(r, ssrc);
}

/* ---- media ---- */

static void parse_formats(struct sdp_reader *r, struct sdp_media *m,
                          struct slice v)
{
    struct slice w;
    uint64_t pt;

    while ((w = next_word(&v)).n) {
        struct sdp_format *f, *def;

        if (!number(w, 127, &pt) || sdp_format_of(m, pt))
            continue;
        f = sdp_format_new(m, pt);
        if (!f) {
            r->s->n_skipped++;
            return;
        }
        def = r->has_defaults ? sdp_format_of(&r->defaults, pt) : NULL;
        if (def)
            *f = *def;
    }
}

static enum sdp_proto proto_of(struct slice w)
{
    if (word_is(w, SLICE("RTP/AVP")))
        return SDP_RTP_AVP;
    if (word_is(w, SLICE("TCP/RTP/AVP")) || word_is(w, SLICE("RTP/AVP/TCP")))
        return SDP_TCP_RTP_AVP; /* the latter as RTSP has it */
    if (word_is(w, SLICE("tcp")))
        return SDP_TCP_FILE;
    return SDP_PROTO_OTHER;
}

static void inherit(struct sdp_media *m, const struct sdp_media *defaults)
{
    memcpy(m, defaults, offsetof(struct sdp_media, formats));
    m->n_formats = 0;
    memcpy(m->other, defaults->other, m->n_other * sizeof(m->other[0]));
    m->has_ssrc = false;
}

/* From here on attributes go to a section of their own, or to the bin. */
static void parse_media(struct sdp_reader *r, struct slice v)
{
    struct slice type = next_word(&v), port = next_word(&v);
    struct slice proto = next_word(&v);
    struct sdp_media *m = &r->s->media[r->s->n_media];
    uint64_t n;

    r->any_media = true;
    port.n = scan_char(port.p, port.n, '/'); /* "30000/2": number of ports */
    if (proto.n == 0 || !number(port, 65535, &n) ||
        r->s->n_media == SDP_MAX_MEDIA) {
        r->s->n_skipped++;
        sdp_media_init(&r->bin);
        r->cur = &r->bin;
        return;
    }
    if (!r->has_defaults)
        sdp_media_init(m);
    else
        inherit(m, &r->defaults);
    m->type_name = type;
    m->proto_name = proto;
    m->port = (uint16_t)n;
    m->type = word_is(type, SLICE("video"))   ? SDP_VIDEO
              : word_is(type, SLICE("audio")) ? SDP_AUDIO
                                              : SDP_MEDIA_OTHER;
    m->proto = proto_of(proto);
    parse_formats(r, m, v);
    r->s->n_media++;
    r->cur = m;
}

/* ---- attributes ---- */

/* An entry for an attribute that names a payload type: *v loses the number. */
static struct sdp_format *format_for(struct sdp_reader *r, struct slice *v)
{
    struct sdp_format *f;
    uint64_t pt;

    if (!number(next_word(v), 127, &pt))
        return NULL;
    f = sdp_format_of(r->cur, pt);
    if (!f && r->cur == &r->defaults)
        f = sdp_format_new(r->cur, pt);
    if (!f)
        r->s->n_skipped++;
    return f;
}

static void parse_rtpmap(struct sdp_reader *r, struct slice v)
{
    struct sdp_format *f = format_for(r, &v);
    struct slice map, part;
    uint64_t n;

    if (!f)
        return;
    map = next_word(&v);
    f->clock_hz = 0;
    f->channels = 0;
    cut_slash(&map, &f->encoding);
    cut_slash(&map, &part);
    if (number(part, UINT32_MAX, &n))
        f->clock_hz = (uint32_t)n;
    if (number(map, 255, &n))
        f->channels = n > 1 ? (uint8_t)n : 0;
}

static void parse_fmtp(struct sdp_reader *r, struct slice v)
{
    struct sdp_format *f = format_for(r, &v);

    if (f)
        f->fmtp = trim_blanks(v);
}

static void stream_number(int16_t *out, struct slice v)
{
    uint64_t n;

    if (number(v, SDP_MAX_STREAM, &n))
        *out = (int16_t)n;
}

static void keep_other(struct sdp_reader *r, struct slice whole)
{
    struct sdp_media *m = r->cur;

    if (whole.n == 0)
        return;
    if (m->n_other == SDP_MAX_OTHER)
        r->s->n_skipped++;
    else
        m->other[m->n_other++] = whole;
}

static void parse_setup(struct sdp_media *m, struct slice v)
{
    if (word_is(v, SLICE("active")))
        m->setup = SDP_ACTIVE;
    else if (word_is(v, SLICE("passive")))
        m->setup = SDP_PASSIVE;
    else if (word_is(v, SLICE("actpass")))
        m->setup = SDP_ACTPASS;
    else if (word_is(v, SLICE("holdconn")))
        m->setup = SDP_HOLDCONN;
}

/* The attributes that begin with s; false: none of ours. */
static bool parse_attr_s(struct sdp_media *m, struct slice name,
                         struct slice v)
{
    if (word_is(name, SLICE("setup")))
        parse_setup(m, v);
    else if (word_is(name, SLICE("sendonly")))
        m->direction = SDP_SENDONLY;
    else if (word_is(name, SLICE("sendrecv")))
        m->direction = SDP_SENDRECV;
    else if (word_is(name, SLICE("streamnumber")))
        stream_number(&m->select.streamnumber, v);
    else if (word_is(name, SLICE("streamprofile")))
        stream_number(&m->select.streamprofile, v);
    else if (word_is(name, SLICE("stream")))
        stream_number(&m->select.stream, v);
    else if (word_is(name, SLICE("streamMode")))
        m->select.mode = word_is(v, SLICE("sub"))    ? SDP_MODE_SUB
                         : word_is(v, SLICE("main")) ? SDP_MODE_MAIN
                                                     : SDP_MODE_NONE;
    else
        return false;
    return true;
}

static bool parse_attr_f(struct sdp_reader *r, struct slice name, struct slice v)
{
    uint64_t n;

    if (word_is(name, SLICE("fmtp"))) {
        parse_fmtp(r, v);
    } else if (word_is(name, SLICE("filesize")) ||
               word_is(name, SLICE("fileszie"))) { /* a misprint, copied */
        r->cur->filesize_bytes = number(v, 1ull << 50, &n) ? n : 0;
    } else {
        return false;
    }
    return true;
}

static void parse_connection(struct sdp_media *m, struct slice v)
{
    if (word_is(v, SLICE("new")))
        m->connection = SDP_NEW;
    else if (word_is(v, SLICE("existing")))
        m->connection = SDP_EXISTING;
}

/* One attribute by its name; false: none of ours. */
static bool parse_known(struct sdp_reader *r, struct slice name, struct slice v)
{
    struct sdp_media *m = r->cur;
    uint64_t n;

    switch (ascii_lower(name.p[0])) {
    case 'r':
        if (word_is(name, SLICE("rtpmap")))
            return parse_rtpmap(r, v), true;
        if (word_is(name, SLICE("recvonly")))
            return m->direction = SDP_RECVONLY, true;
        return false;
    case 's':
        return parse_attr_s(m, name, v);
    case 'c':
        if (word_is(name, SLICE("connection")))
            return parse_connection(m, v), true;
        return false;
    case 'd':
        if (!word_is(name, SLICE("downloadspeed")))
            return false;
        if (number(v, SDP_MAX_SPEED, &n))
            m->downloadspeed = (uint32_t)n;
        return true;
    case 'f':
        return parse_attr_f(r, name, v);
    case 'i':
        if (word_is(name, SLICE("inactive")))
            return m->direction = SDP_INACTIVE, true;
        return false;
    case 'p':
        if (!word_is(name, SLICE("ptime")))
            return false;
        if (number(v, 1000, &n))
            m->ptime_ms = (uint16_t)n;
        return true;
    case 'v':
        if (word_is(name, SLICE("vkek")) ||
            word_is(name, SLICE("vkekversion")))
            m->encrypted = true; /* and kept as text */
        return false;
    default:
        return false;
    }
}

static void parse_attr(struct sdp_reader *r, struct slice whole)
{
    size_t at = scan_char(whole.p, whole.n, ':');
    struct slice name = trim_blanks(slice_head(whole, at)), v;

    v = at < whole.n ? trim_blanks(slice_from(whole, at + 1))
                     : slice_of(whole.p + at, 0);
    if (name.n == 0 || !parse_known(r, name, v))
        keep_other(r, whole);
}

/* ---- lines ---- */

static void parse_line(struct sdp_reader *r, char type, struct slice v)
{
    struct sdp *s = r->s;

    switch (type) {
    case 'a':
        want_defaults(r);
        parse_attr(r, v);
        break;
    case 'm':
        parse_media(r, v);
        break;
    case 'y':
        parse_ssrc(r, v);
        break;
    case 'c':
        parse_conn(r->any_media ? &r->cur->conn : &s->conn, v);
        break;
    case 'o':
        parse_origin(s, v);
        break;
    case 's':
        s->name = v;
        s->operation = sdp_operation_parse(v);
        break;
    case 't':
        if (!s->has_time)
            parse_time(s, v);
        break;
    case 'f':
        s->has_format = true;
        s->format = v;
        break;
    case 'u':
        s->uri = v;
        break;
    case 'i':
        if (!r->any_media)
            s->info = v;
        break;
    default: /* v= b= z= k= and the rest */
        break;
    }
}

/* "t=value", blanks around each part read over. */
static void parse_text(struct sdp_reader *r, struct slice line)
{
    char type;

    line = trim_blanks(line);
    if (line.n == 0)
        return;
    type = line.p[0];
    line = trim_blanks(slice_from(line, 1));
    if (line.n && line.p[0] == '=')
        parse_line(r, type, trim_blanks(slice_from(line, 1)));
}

size_t sdp_read_line(struct sdp_reader *r, struct slice body, size_t at)
{
    const char *p = body.p;
    size_t end = at + scan_eol(p + at, body.n - at);

    parse_text(r, slice_of(p + at, end - at));
    if (body.n - end >= 2 && p[end] == '\r' && p[end + 1] == '\n')
        end++;
    return end + 1;
}

/* ---- whole bodies ---- */

/* Several y= of several m= stay with theirs; otherwise there is one for all. */
static void settle_ssrc(struct sdp_reader *r)
{
    bool own = r->n_ssrc > 1 && r->s->n_media > 1;

    for (size_t i = 0; !own && i < r->s->n_media; i++)
        r->s->media[i].has_ssrc = false;
}

static int finish(struct sdp_reader *r, size_t n, struct gb_diag *diag)
{
    settle_ssrc(r);
    if (!r->any_media)
        return gb_fail(diag, GB_ESYNTAX, n, "SDP has no m= line");
    for (size_t i = 0; i < r->s->n_media; i++)
        if (sdp_media_is_usable(&r->s->media[i]))
            return 0;
    return gb_fail(diag, GB_EUNSUPPORTED, n, "no usable m= line");
}

static int parse(struct sdp *out, struct slice body, bool plain,
                 struct gb_diag *diag)
{
    struct sdp_reader r;

    if (body.n > SDP_MAX_BYTES)
        return gb_fail(diag, GB_ELIMIT, SDP_MAX_BYTES, "SDP is too long");
    sdp_init(out);
    r.s = out;
    r.cur = &r.defaults;
    r.any_media = r.has_defaults = false;
    r.n_ssrc = 0;
    if (body.n == 0)
        return gb_fail(diag, GB_ESYNTAX, 0, "SDP is empty");
    for (size_t at = plain ? sdp_plain_read(&r, body) : 0; at < body.n;)
        at = sdp_read_line(&r, body, at);
    return finish(&r, body.n, diag);
}

int sdp_parse(struct sdp *out, struct slice body, struct gb_diag *diag)
{
    return parse(out, body, true, diag);
}

int sdp_parse_patient(struct sdp *out, struct slice body, struct gb_diag *diag)
{
    return parse(out, body, false, diag);
}
