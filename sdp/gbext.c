#include "sdp/gbext.h"

/* ---- y= ---- */

bool sdp_ssrc_parse(uint32_t *ssrc, struct slice text)
{
    uint64_t sum = 0;

    text = slice_trim(text);
    if (text.n == 0)
        return false;
    for (size_t i = 0; i < text.n; i++) {
        unsigned d = (unsigned char)text.p[i] - (unsigned)'0';

        if (d > 9)
            return false;
        sum = sum * 10 + d;
        if (sum > UINT32_MAX)
            return false;
    }
    *ssrc = (uint32_t)sum;
    return true;
}

void sdp_ssrc_write(struct writer *w, uint32_t ssrc)
{
    writer_u64_pad(w, ssrc, SDP_SSRC_DIGITS);
}

int sdp_ssrc_make(uint32_t *ssrc, struct slice domain_code, bool history,
                  unsigned serial)
{
    uint32_t domain;

    if (serial > SDP_SSRC_SERIAL_MAX)
        return GB_ERANGE;
    if (domain_code.n < 8 ||
        !slice_u32(slice_head(slice_from(domain_code, 3), 5), 99999, &domain))
        return GB_ESYNTAX;
    *ssrc = (history ? 1000000000u : 0) + domain * 10000 + serial;
    return 0;
}

/* ---- s= ---- */

static const struct slice operation_names[SDP_OPERATION_COUNT] = {
#define X(id, name) [SDP_##id] = SLICE_INIT(name),
    SDP_OPERATION_MAP(X)
#undef X
};

enum sdp_operation sdp_operation_parse(struct slice text)
{
    for (unsigned i = 0; i < SDP_OPERATION_COUNT; i++)
        if (slice_ieq(text, operation_names[i]))
            return (enum sdp_operation)i;
    return SDP_PLAY;
}

struct slice sdp_operation_name(enum sdp_operation op)
{
    return operation_names[op];
}

/* ---- u= ---- */

static int uri_http(struct sdp_uri *u, struct slice rest)
{
    size_t slash = slice_find(rest, '/');

    u->is_http = true;
    u->code = slice_head(rest, slash);
    u->path = slice_from(rest, slash);
    return u->code.n ? 0 : GB_ESYNTAX;
}

int sdp_uri_parse(struct sdp_uri *out, struct slice text)
{
    struct sdp_uri u = { .path = { "", 0 } };
    struct slice http = SLICE("http://");
    uint32_t type;
    int err = 0;

    text = slice_trim(text);
    if (slice_has_iprefix(text, http)) {
        err = uri_http(&u, slice_from(text, http.n));
    } else {
        slice_cut(&text, ':', &u.code);
        u.code = slice_trim(u.code);
        if (slice_u32(slice_trim(text), 3, &type))
            u.type = type;
        err = u.code.n ? 0 : GB_ESYNTAX;
    }
    if (err == 0)
        *out = u;
    return err;
}

/* ---- f= ---- */

/* The next field of one half: empty and non-numbers are 0. */
static unsigned f_number(struct slice *half)
{
    struct slice field;
    uint32_t v = 0;

    slice_cut(half, '/', &field);
    slice_u32(slice_trim(field), SDP_F_FIELD_MAX, &v);
    return v;
}

/* Where the audio half begins: the first 'a' with '/' or the end behind it. No
 * field of the video half ends so. */
static size_t audio_half(struct slice s)
{
    for (size_t i = 1; i < s.n; i++)
        if (ascii_lower(s.p[i]) == 'a' && (i + 1 == s.n || s.p[i + 1] == '/'))
            return i;
    return s.n;
}

int sdp_f_parse(struct sdp_f *out, struct slice text)
{
    struct sdp_f f = { .resolution = { "", 0 } };
    struct slice video, audio, head;
    size_t at;

    text = slice_trim(text);
    if (text.n && ascii_lower(text.p[0]) != 'v')
        return GB_ESYNTAX;
    if (text.n > 1 && text.p[1] != '/')
        return GB_ESYNTAX;
    at = audio_half(text);
    video = slice_from(slice_head(text, at), 2);
    audio = slice_from(text, at + 2);
    f.video_codec = f_number(&video);
    slice_cut(&video, '/', &head);
    f.resolution = slice_trim(head);
    f.fps = f_number(&video);
    f.rate_type = f_number(&video);
    f.video_kbps = f_number(&video);
    f.audio_codec = f_number(&audio);
    f.audio_bitrate = f_number(&audio);
    f.audio_samplerate = f_number(&audio);
    *out = f;
    return 0;
}

static void put_field(struct writer *w, unsigned v)
{
    writer_char(w, '/');
    if (v)
        writer_u64(w, v);
}

void sdp_f_write(struct writer *w, const struct sdp_f *f)
{
    writer_char(w, 'v');
    put_field(w, f->video_codec);
    writer_char(w, '/');
    writer_line_safe(w, f->resolution);
    put_field(w, f->fps);
    put_field(w, f->rate_type);
    put_field(w, f->video_kbps);
    writer_char(w, 'a');
    put_field(w, f->audio_codec);
    put_field(w, f->audio_bitrate);
    put_field(w, f->audio_samplerate);
}

/* ---- setup ---- */

enum sdp_setup sdp_setup_opposite(enum sdp_setup s)
{
    switch (s) {
    case SDP_ACTIVE:
        return SDP_PASSIVE;
    case SDP_PASSIVE:
    case SDP_ACTPASS:
        return SDP_ACTIVE;
    case SDP_SETUP_NONE:
    case SDP_HOLDCONN:
        break;
    }
    return s;
}

struct slice sdp_setup_name(enum sdp_setup s)
{
    static const struct slice names[] = {
        [SDP_SETUP_NONE] = SLICE_INIT(""),
        [SDP_ACTIVE] = SLICE_INIT("active"),
        [SDP_PASSIVE] = SLICE_INIT("passive"),
        [SDP_ACTPASS] = SLICE_INIT("actpass"),
        [SDP_HOLDCONN] = SLICE_INIT("holdconn"),
    };

    return names[s];
}

/* ---- stream selection ---- */

unsigned sdp_selected_stream(const struct sdp_select *s)
{
    if (s->streamnumber >= 0)
        return (unsigned)s->streamnumber;
    if (s->streamprofile >= 0)
        return (unsigned)s->streamprofile;
    if (s->stream >= 0)
        return (unsigned)s->stream;
    return s->mode == SDP_MODE_SUB;
}

struct sdp_select sdp_select_make(unsigned stream, bool is_2022)
{
    struct sdp_select s = SDP_SELECT_NONE;

    if (stream > SDP_MAX_STREAM)
        stream = SDP_MAX_STREAM;
    s.streamnumber = (int16_t)stream;
    if (!is_2022)
        s.streamprofile = (int16_t)stream;
    return s;
}
