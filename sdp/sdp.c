#include "sdp/sdp.h"

#include "base/scan.h"
#include "sdp/gbext.h"

/* One pass over the body: a line is found by eight bytes at a time, then its
 * first byte, and for attributes the first byte of the name, picks the one
 * function that reads it. Words are compared as they are usually spelled
 * first, without case only when that fails. */

struct parser {
    struct sdp *s;
    struct sdp_media *cur;     /* where attributes go */
    struct sdp_media defaults; /* before the first m= */
    struct sdp_media bin;      /* of m= lines that are not kept */
    bool has_defaults;         /* an a= or y= line before the first m= */
    bool any_media;            /* an m= line, of whatever worth */
    unsigned n_ssrc;
};

/* ---- text ---- */

static inline bool word_is(struct slice s, struct slice word)
{
    return s.n == word.n &&
           (memcmp(s.p, word.p, word.n) == 0 || slice_ieq(s, word));
}

static inline bool begins(struct slice s, struct slice word)
{
    return s.n >= word.n && memcmp(s.p, word.p, word.n) == 0;
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

/* "IN IP4 " and an address or name, as nearly all write it. */
static bool is_plain_conn(struct slice v)
{
    return v.n > 7 && memcmp(v.p, "IN IP4 ", 7) == 0 &&
           scan_word(v.p + 7, v.n - 7) == v.n - 7;
}

static void parse_conn(struct sdp_conn *c, struct slice v)
{
    struct slice w;
    size_t colons = 0, n = 0;

    c->present = true;
    c->ipv6 = false;
    if (is_plain_conn(v)) {
        c->host = slice_of(v.p + 7, v.n - 7);
        return;
    }
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

    if (v.n == 3 && memcmp(v.p, "0 0", 3) == 0) { /* as live offers say */
        s->has_time = true;
        return;
    }
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

static void media_init(struct sdp_media *m)
{
    scan_clear(m, offsetof(struct sdp_media, formats));
    m->select = SDP_SELECT_NONE;
}

/* Lines of a section before the first m=: they go to all sections. */
static inline void want_defaults(struct parser *p)
{
    if (p->any_media || p->has_defaults)
        return;
    media_init(&p->defaults);
    p->has_defaults = true;
}

static void parse_ssrc(struct parser *p, struct slice v)
{
    uint32_t ssrc;

    if (!sdp_ssrc_parse(&ssrc, v))
        return;
    want_defaults(p);
    if (!p->s->has_ssrc) {
        p->s->has_ssrc = true;
        p->s->ssrc = ssrc;
    }
    if (!p->cur->has_ssrc) {
        p->cur->has_ssrc = true;
        p->cur->ssrc = ssrc;
    }
    p->n_ssrc++;
}

/* ---- media ---- */

static struct sdp_format *format_of(struct sdp_media *m, uint64_t pt)
{
    for (size_t i = 0; i < m->n_formats; i++)
        if (m->formats[i].pt == pt)
            return &m->formats[i];
    return NULL;
}

static struct sdp_format *format_new(struct sdp_media *m, uint64_t pt)
{
    struct sdp_format *f;

    if (m->n_formats == SDP_MAX_FORMATS)
        return NULL;
    f = &m->formats[m->n_formats++];
    *f = (struct sdp_format){ .pt = (uint8_t)pt };
    return f;
}

static void parse_formats(struct parser *p, struct sdp_media *m,
                          struct slice v)
{
    struct slice w;
    uint64_t pt;

    while ((w = next_word(&v)).n) {
        struct sdp_format *f, *def;

        if (!number(w, 127, &pt) || format_of(m, pt))
            continue;
        f = format_new(m, pt);
        if (!f) {
            p->s->n_skipped++;
            return;
        }
        def = p->has_defaults ? format_of(&p->defaults, pt) : NULL;
        if (def)
            *f = *def;
    }
}

static enum sdp_proto proto_of(struct slice w)
{
    if (word_is(w, SLICE("RTP/AVP")))
        return SDP_RTP_AVP;
    if (word_is(w, SLICE("TCP/RTP/AVP")))
        return SDP_TCP_RTP_AVP;
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
static void parse_media(struct parser *p, struct slice v)
{
    struct slice type = next_word(&v), port = next_word(&v);
    struct slice proto = next_word(&v);
    struct sdp_media *m = &p->s->media[p->s->n_media];
    uint64_t n;

    p->any_media = true;
    port.n = scan_char(port.p, port.n, '/'); /* "30000/2": number of ports */
    if (proto.n == 0 || !number(port, 65535, &n) ||
        p->s->n_media == SDP_MAX_MEDIA) {
        p->s->n_skipped++;
        media_init(&p->bin);
        p->cur = &p->bin;
        return;
    }
    if (!p->has_defaults)
        media_init(m);
    else
        inherit(m, &p->defaults);
    m->type_name = type;
    m->proto_name = proto;
    m->port = (uint16_t)n;
    m->type = word_is(type, SLICE("video"))   ? SDP_VIDEO
              : word_is(type, SLICE("audio")) ? SDP_AUDIO
                                              : SDP_MEDIA_OTHER;
    m->proto = proto_of(proto);
    parse_formats(p, m, v);
    p->s->n_media++;
    p->cur = m;
}

/* ---- attributes ---- */

/* An entry for an attribute that names a payload type: *v loses the number. */
static struct sdp_format *format_for(struct parser *p, struct slice *v)
{
    struct sdp_format *f;
    uint64_t pt;

    if (!number(next_word(v), 127, &pt))
        return NULL;
    f = format_of(p->cur, pt);
    if (!f && p->cur == &p->defaults)
        f = format_new(p->cur, pt);
    if (!f)
        p->s->n_skipped++;
    return f;
}

static void parse_rtpmap(struct parser *p, struct slice v)
{
    struct sdp_format *f = format_for(p, &v);
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

static void parse_fmtp(struct parser *p, struct slice v)
{
    struct sdp_format *f = format_for(p, &v);

    if (f)
        f->fmtp = trim_blanks(v);
}

static void stream_number(int16_t *out, struct slice v)
{
    uint64_t n;

    if (number(v, SDP_MAX_STREAM, &n))
        *out = (int16_t)n;
}

static void keep_other(struct parser *p, struct slice whole)
{
    struct sdp_media *m = p->cur;

    if (whole.n == 0)
        return;
    if (m->n_other == SDP_MAX_OTHER)
        p->s->n_skipped++;
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

static bool parse_attr_f(struct parser *p, struct slice name, struct slice v)
{
    uint64_t n;

    if (word_is(name, SLICE("fmtp"))) {
        parse_fmtp(p, v);
    } else if (word_is(name, SLICE("filesize")) ||
               word_is(name, SLICE("fileszie"))) { /* a misprint, copied */
        p->cur->filesize_bytes = number(v, 1ull << 50, &n) ? n : 0;
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
static bool parse_known(struct parser *p, struct slice name, struct slice v)
{
    struct sdp_media *m = p->cur;
    uint64_t n;

    switch (ascii_lower(name.p[0])) {
    case 'r':
        if (word_is(name, SLICE("rtpmap")))
            return parse_rtpmap(p, v), true;
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
        return parse_attr_f(p, name, v);
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

/* What the value of an attribute spelled as usual is: "name:value". */
static inline bool value_of(struct slice whole, struct slice name,
                            struct slice *v)
{
    if (!begins(whole, name))
        return false;
    *v = trim_blanks(slice_of(whole.p + name.n, whole.n - name.n));
    return true;
}

/* The attributes of every description, spelled as in the standard: no name
 * has to be cut out. false: not one of them, or spelled in another way. */
static bool parse_usual(struct parser *p, struct slice whole)
{
    struct sdp_media *m = p->cur;
    struct slice v;

    switch (whole.n ? whole.p[0] : 0) {
    case 'r':
        if (value_of(whole, SLICE("rtpmap:"), &v))
            return parse_rtpmap(p, v), true;
        if (whole.n == 8 && begins(whole, SLICE("recvonly")))
            return m->direction = SDP_RECVONLY, true;
        return false;
    case 's':
        if (whole.n == 8 && begins(whole, SLICE("sendonly")))
            return m->direction = SDP_SENDONLY, true;
        if (value_of(whole, SLICE("setup:"), &v))
            return parse_setup(m, v), true;
        if (value_of(whole, SLICE("streamnumber:"), &v))
            return stream_number(&m->select.streamnumber, v), true;
        if (value_of(whole, SLICE("streamprofile:"), &v))
            return stream_number(&m->select.streamprofile, v), true;
        return false;
    case 'c':
        if (value_of(whole, SLICE("connection:"), &v))
            return parse_connection(m, v), true;
        return false;
    default:
        return false;
    }
}

static void parse_attr(struct parser *p, struct slice whole)
{
    size_t at;
    struct slice name, v;

    if (parse_usual(p, whole))
        return;
    at = scan_char(whole.p, whole.n, ':');
    name = trim_blanks(slice_head(whole, at));
    v = at < whole.n ? trim_blanks(slice_from(whole, at + 1))
                     : slice_of(whole.p + at, 0);
    if (name.n == 0 || !parse_known(p, name, v))
        keep_other(p, whole);
}

/* ---- lines ---- */

static void parse_line(struct parser *p, char type, struct slice v)
{
    struct sdp *s = p->s;

    switch (type) {
    case 'a':
        want_defaults(p);
        parse_attr(p, v);
        break;
    case 'm':
        parse_media(p, v);
        break;
    case 'y':
        parse_ssrc(p, v);
        break;
    case 'c':
        parse_conn(p->any_media ? &p->cur->conn : &s->conn, v);
        break;
    case 'o':
        parse_origin(s, v);
        break;
    case 's':
        s->name = v;
        s->operation = v.n == 4 && memcmp(v.p, "Play", 4) == 0
                           ? SDP_PLAY
                           : sdp_operation_parse(v);
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
        if (!p->any_media)
            s->info = v;
        break;
    default: /* v= b= z= k= and the rest */
        break;
    }
}

/* "t=value", blanks around each part read over. */
static void parse_text(struct parser *p, const char *at, const char *end)
{
    char type;

    if (end - at >= 2 && at[1] == '=' && !ascii_is_blank(at[0])) {
        type = at[0]; /* as nearly every line is */
        at++;
    } else {
        while (at < end && ascii_is_blank(*at))
            at++;
        if (at == end)
            return;
        type = *at++;
        while (at < end && ascii_is_blank(*at))
            at++;
        if (at == end || *at != '=')
            return;
    }
    at++;
    parse_line(p, type, trim_blanks(slice_of(at, (size_t)(end - at))));
}

/* Several y= of several m= stay with theirs; otherwise there is one for all. */
static void settle_ssrc(struct parser *p)
{
    bool own = p->n_ssrc > 1 && p->s->n_media > 1;

    for (size_t i = 0; !own && i < p->s->n_media; i++)
        p->s->media[i].has_ssrc = false;
}

static bool is_usable(const struct sdp_media *m)
{
    return m->type != SDP_MEDIA_OTHER && m->proto != SDP_PROTO_OTHER;
}

int sdp_parse(struct sdp *out, struct slice body, struct gb_diag *diag)
{
    struct parser p;
    const char *at = body.p, *end;

    if (body.n > SDP_MAX_BYTES)
        return gb_fail(diag, GB_ELIMIT, SDP_MAX_BYTES, "SDP is too long");
    sdp_init(out);
    p.s = out;
    p.cur = &p.defaults;
    p.any_media = p.has_defaults = false;
    p.n_ssrc = 0;
    if (body.n == 0)
        return gb_fail(diag, GB_ESYNTAX, 0, "SDP is empty");
    for (end = body.p + body.n; at < end; at++) {
        const char *eol = at + scan_eol(at, (size_t)(end - at));

        if (eol > at)
            parse_text(&p, at, eol);
        at = eol;
        at += end - at >= 2 && at[0] == '\r' && at[1] == '\n';
    }
    settle_ssrc(&p);
    if (!p.any_media)
        return gb_fail(diag, GB_ESYNTAX, body.n, "SDP has no m= line");
    for (size_t i = 0; i < out->n_media; i++)
        if (is_usable(&out->media[i]))
            return 0;
    return gb_fail(diag, GB_EUNSUPPORTED, body.n, "no usable m= line");
}

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
    media_init(m);
    m->type = type;
    m->type_name = types[type];
    m->proto = proto;
    m->proto_name = protos[proto];
    return m;
}

bool sdp_add_format(struct sdp_media *m, uint8_t pt, struct slice encoding,
                    uint32_t clock_hz)
{
    struct sdp_format *f = format_new(m, pt & 0x7f);

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
        if (s->media[i].type == type && is_usable(&s->media[i]))
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
        if (slice_ieq(trim_blanks(head), name)) {
            *value = trim_blanks(v);
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
