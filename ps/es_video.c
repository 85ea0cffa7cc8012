/* NAL units and access units of a video stream.
 *
 * The scanner runs once over every byte. Between start codes it searches
 * blocks; byte by byte it goes only where a start code or the head of a NAL
 * unit may straddle two pieces. When the head of a NAL unit is complete it is
 * known whether it begins the next access unit, and the unit before it is cut
 * off in front of its start code, wherever that began. */
#include "ps/es.h"

#define FIRST_NALS 16
#define SPS_BYTES 256 /* looked at; frame_mbs_only_flag lies far before */
#define SEI_BYTES 128
#define LENGTH_BYTES 4

void es_video_reset(struct es *s)
{
    s->pos = s->bytes;
    s->zeros = 0;
    s->head_n = s->head_need = 0;
    s->nal_open = false;
    s->coast = s->probe = s->stopped = s->sc_waits = false;
    s->lengths.lost = s->lengths.on;
    s->lengths.n = 0;
}

void es_video_end_open(struct es *s)
{
    es_trim(s, s->pos - PS_PREFIX_BYTES);
    s->pos = s->bytes;
    s->zeros -= 2;
    s->stopped = false;
    if (s->head_need && s->head_n > s->pos - s->nal_off)
        s->head_n = (uint8_t)(s->pos - s->nal_off);
}

void es_video_pass_open(struct es *s)
{
    es_video_close_nal(s, s->pos - 2 - s->zeros);
    s->head_n = s->head_need = 0;
    s->zeros = 0;
    s->stopped = false;
}

/* Ends the NAL unit being read at offset end, which has no trailing zeros
 * in front of it any more. */
void es_video_close_nal(struct es *s, uint32_t end)
{
    struct ps_nal *nal;

    if (!s->nal_open)
        return;
    s->nal_open = false;
    nal = &s->nal[s->n_nals - 1];
    nal->len = end > nal->off ? end - nal->off : 0;
    if (!nal->len) {
        s->n_nals--;
        return;
    }
    if (s->info.codec == PS_CODEC_H264 && nal->type == 7) {
        uint8_t sps[SPS_BYTES];
        size_t n = nal->len < sizeof(sps) ? nal->len : sizeof(sps);

        n = es_read(s, nal->off, sps, n);
        s->has_sps_info |= ps_h264_sps_parse(&s->sps, sps, n);
    }
}

static void push_nal(struct es *s, uint8_t type)
{
    if (s->n_nals == s->cap_nals) {
        uint32_t want = s->cap_nals ? s->cap_nals * 2 : FIRST_NALS;
        struct ps_nal *p = NULL;

        if (want <= PS_MAX_NALS)
            p = gb_get(s->env->alloc, want * sizeof(*p));
        if (!p) { /* too many: damage */
            s->au.corrupt |= !es_is_doubted(s);
            return;
        }
        if (s->cap_nals)
            memcpy(p, s->nal, s->cap_nals * sizeof(*p));
        gb_put(s->env->alloc, s->nal);
        s->nal = p;
        s->cap_nals = want;
    }
    s->nal[s->n_nals++] = (struct ps_nal){ s->nal_off, 0, type };
    s->nal_open = true;
}

static void count_nal(struct es *s, uint8_t type)
{
    enum ps_codec codec = s->info.codec;

    s->au.key |= ps_nal_is_irap(codec, type);
    if (ps_nal_is_vcl(codec, type)) {
        s->has_vcl = true;
        s->n_vcl++;
    }
    if (codec == PS_CODEC_H264) {
        s->has_sps |= type == 7;
        s->has_pps |= type == 8;
        s->has_sei |= type == 6;
    }
}

/* The bytes show another codec than was believed: the NAL units of this unit
 * are read anew. */
void es_video_relearn(struct es *s, enum ps_codec codec)
{
    bool changed = s->info.codec != codec;

    es_set_codec(s, s->info.stream_type, codec, PS_FROM_BYTES);
    if (!changed)
        return;
    s->au.key = s->has_vcl = s->has_sps = s->has_pps = s->has_sei = false;
    s->has_sps_info = false;
    s->n_vcl = 0;
    for (uint32_t i = 0; i < s->n_nals; i++) {
        uint8_t first = 0;

        es_read(s, s->nal[i].off, &first, 1);
        s->nal[i].type = ps_nal_type(codec, first);
        count_nal(s, s->nal[i].type);
    }
}

/* A set is whole. A unit has one codec: what is of another is read once. */
static void prove(struct es *s, enum ps_codec codec)
{
    s->seen = 0;
    if (s->info.codec != codec && s->relearnt)
        return;
    if (s->info.codec != codec) {
        s->relearnt = true;
        es_video_relearn(s, codec);
    }
    s->proven = true;
}

static void sniff(struct es *s)
{
    unsigned seen = ps_nal_evidence(s->head, s->head_n);

    if (!seen)
        return;
    if (s->info.codec == PS_CODEC_SVAC &&
        (s->head[0] == 0x47 || s->head[0] == 0x48))
        return; /* its own slices */
    s->seen |= seen;
    if ((s->seen & PS_SEEN_H264) == PS_SEEN_H264)
        prove(s, PS_CODEC_H264);
    else if ((s->seen & PS_SEEN_H265) == PS_SEEN_H265)
        prove(s, PS_CODEC_H265);
}

/* Does this first slice carry on the picture: the second field of a frame
 * (H.264 §7.4.1.2.4)? */
static bool is_second_field(struct es *s, const struct ps_h264_slice *slice)
{
    return s->has_vcl && !s->second_field && slice->field && s->pic.field &&
           slice->bottom != s->pic.bottom &&
           slice->frame_num == s->pic.frame_num;
}

static bool interlaced(const struct es *s)
{
    return s->info.codec == PS_CODEC_H264 && s->has_sps_info &&
           !s->sps.frame_mbs_only;
}

/* Zeros alone lie between the begin of the PES and the start code. */
static bool begins_pes(const struct es *s, const struct es_mark *pes)
{
    uint32_t at = pes->at > s->base ? (uint32_t)(pes->at - s->base) : 0;

    return es_is_zeros(s, at, s->nal_sc);
}

/* A unit begins within a PES: one of this length may end within a unit. */
static bool begins_inside(const struct es *s)
{
    const struct es_mark *pes = es_pes_at(s, s->nal_sc);

    return s->last_pes == s->max_pes && pes && !begins_pes(s, pes);
}

/* Does the NAL unit in head begin the next access unit? */
static bool begins_au(struct es *s, const struct ps_h264_slice *slice)
{
    const struct es_mark *pes = es_pes_at(s, s->nal_sc);
    enum ps_codec codec = s->info.codec;
    uint8_t type = ps_nal_type(codec, s->head[0]);
    bool new_time = pes && !pes->used && pes->has_pts && s->au.has_pts &&
                    pes->pts90k != s->au.pts90k && s->first_in_pes;

    if (!s->n_nals)
        return false;
    if (!es_is_nal(s))
        return new_time;
    if (s->has_vcl && ps_nal_begins_au(codec, s->head, s->head_n))
        return !(slice && is_second_field(s, slice));
    if (!s->proven)
        return new_time;
    /* the first slice of a picture with a time of its own is missing; a PES
     * that begins inside a picture has the time of the next one */
    return s->has_vcl && new_time && ps_nal_is_vcl(codec, type) &&
           begins_pes(s, pes);
}

/* What is in front of the first start code belongs to no unit. */
static void drop_lead(struct es *s)
{
    if (!es_is_zeros(s, 0, s->nal_sc)) { /* the rest of a unit that was lost */
        s->disc = true;
        s->env->count.skipped_bytes += s->nal_sc;
    }
    es_restart_unit(s, s->nal_sc);
}

/* The head of the NAL unit being read is there, or all of it is. */
static void take_head(struct es *s)
{
    struct ps_h264_slice slice, *pic = NULL;
    enum ps_codec codec;
    uint8_t type;
    bool first;

    s->head_need = 0;
    sniff(s);
    if (!s->n_nals && s->nal_sc && !es_is_doubted(s))
        drop_lead(s);
    codec = s->info.codec;
    type = es_is_nal(s) ? ps_nal_type(codec, s->head[0]) : 0;
    first = es_is_nal(s) && ps_nal_is_first_slice(codec, s->head, s->head_n);
    if (first && interlaced(s) &&
        ps_h264_slice_parse(&slice, s->head, s->head_n, &s->sps))
        pic = &slice;
    if (begins_au(s, pic)) {
        const struct ps_nal *last = &s->nal[s->n_nals - 1];
        uint32_t end = es_is_nal(s) ? last->off + last->len : s->nal_sc;

        s->goes_on |= begins_inside(s);
        es_finish(s, end, s->nal_sc);
    }
    s->first_in_pes = false;
    if (pic && s->has_vcl)
        s->second_field = true;
    else if (pic)
        s->pic = slice;
    if (es_is_nal(s) && ps_nal_is_vcl(codec, type)) {
        if (!s->has_vcl && !first && s->broken_start && s->proven) {
            s->au.corrupt = true;
            s->n_markers = 0;
        }
        s->coast = s->env->opt.heads_only && !s->unbounded;
    }
    push_nal(s, type);
    if (es_is_nal(s))
        count_nal(s, type);
}

/* A whole head is there; a first slice of an interlaced stream shows more. */
static bool head_complete(struct es *s)
{
    if (s->head_n < s->head_need)
        return false;
    if (s->head_need == PS_NAL_HEAD && interlaced(s) &&
        ps_nal_is_first_slice(PS_CODEC_H264, s->head, s->head_n))
        s->head_need = ES_HEAD;
    return s->head_n >= s->head_need;
}

/* 00 00 01 ends at pos; zeros of them are in front of the 01. */
static void start_code(struct es *s, uint32_t zeros)
{
    uint32_t end, sc;

    if (s->head_n && s->head_need)
        take_head(s); /* a NAL unit shorter than a head; moves offsets */
    end = s->pos - 1 - zeros; /* of what came before */
    sc = s->pos - (zeros > 2 ? 4 : 3);
    if (zeros > 2) { /* before a PES with a time, zeros end the last unit */
        const struct es_mark *pes = es_pes_at(s, s->pos - 3);

        if (pes && pes->has_pts && pes->at > s->base + sc)
            sc = s->pos - 3;
    }
    es_video_close_nal(s, end);
    s->nal_sc = sc;
    s->nal_off = s->pos;
    s->head_n = 0;
    s->head_need = PS_NAL_HEAD;
    s->probe = false;
    s->zeros = 0;
}

/* As the above, or of a PS header that ends the PES: the next byte tells. */
static void found_code(struct es *s, uint32_t zeros)
{
    s->sc_waits = s->unbounded;
    s->zeros = zeros;
    if (!s->sc_waits)
        start_code(s, zeros);
}

/* Byte b of a head may be of the header that ends the PES. */
static bool is_in_doubt(const struct es *s, uint8_t b)
{
    return s->unbounded && (b == 0 || (b == 1 && s->zeros >= 2));
}

/* One byte where a start code or a head may straddle. */
static void scan_byte(struct es *s, uint8_t b)
{
    if (s->sc_waits) {
        s->sc_waits = false;
        s->stopped = b >= PS_ID_PACK;
        if (s->stopped) {
            s->pos++;
            return;
        }
        start_code(s, s->zeros);
    }
    s->pos++;
    if (s->head_need) {
        if (s->head_n < ES_HEAD)
            s->head[s->head_n++] = b;
        if (!is_in_doubt(s, b) && head_complete(s))
            take_head(s);
        if (s->coast) {
            s->zeros = 0;
            return;
        }
    }
    if (b == 0) {
        s->zeros++;
        return;
    }
    if (b == 1 && s->zeros >= 2) {
        found_code(s, s->zeros);
        return;
    }
    s->zeros = 0;
    if (s->probe) { /* this PES does not begin with a NAL unit */
        s->probe = false;
        s->coast = true;
    }
}

/* From the last start code search to the end of the piece. */
static void scan_tail(struct es *s, const uint8_t *p, size_t n)
{
    size_t z = 0;

    while (z < n && p[n - 1 - z] == 0)
        z++;
    s->zeros = (uint32_t)z;
    s->pos += (uint32_t)n;
}

/* A start code ends right in front of p: most heads lie in one piece. Bytes
 * taken; 0 when it is not so simple. */
static size_t plain_head(struct es *s, const uint8_t *p, size_t n)
{
    if (n < PS_NAL_HEAD || s->unbounded || interlaced(s) ||
        (p[0] == 0 && p[1] == 0))
        return 0;
    memcpy(s->head, p, PS_NAL_HEAD);
    s->head_n = PS_NAL_HEAD;
    s->pos += PS_NAL_HEAD;
    take_head(s);
    if (!s->coast && p[2] == 0)
        s->zeros = p[1] == 0 ? 2 : 1;
    return PS_NAL_HEAD;
}

/* A start code of four bytes, as most PES begin, and the head behind it. Bytes
 * taken; 0: it does not lie at p. */
static inline size_t plain_start(struct es *s, const uint8_t *p, size_t n)
{
    static const uint8_t code[4] = { 0, 0, 0, 1 };

    if (n < sizeof(code) || memcmp(p, code, sizeof(code)) != 0)
        return 0;
    s->pos += sizeof(code);
    start_code(s, 3);
    return sizeof(code) + plain_head(s, p + sizeof(code), n - sizeof(code));
}

size_t es_scan(struct es *s, const uint8_t *p, size_t n)
{
    size_t i = 0;

    s->stopped = false;
    while (i < n && !s->stopped) {
        size_t at, zeros = 2;

        if (s->coast) {
            s->pos += (uint32_t)(n - i);
            s->zeros = 0;
            return n;
        }
        if (!s->zeros && !s->head_need && !s->unbounded) {
            at = plain_start(s, p + i, n - i);
            i += at;
            if (at)
                continue;
        }
        if (s->head_need || s->zeros || s->probe) {
            scan_byte(s, p[i++]);
            continue;
        }
        at = s->env->scan(p + i, n - i);
        if (at == n - i) {
            scan_tail(s, p + i, n - i);
            return n;
        }
        while (zeros < at + 2 && p[i + at + 1 - zeros] == 0)
            zeros++;
        i += at + 3;
        s->pos += (uint32_t)at + 3;
        found_code(s, (uint32_t)zeros);
        i += plain_head(s, p + i, n - i);
    }
    return i;
}

/* 00 00 01 of which the next byte would tell: a start code, as nothing comes. */
static void take_waiting(struct es *s)
{
    if (s->sc_waits)
        start_code(s, s->zeros);
    s->sc_waits = false;
}

void es_video_take_rest(struct es *s)
{
    take_waiting(s);
    if (s->stopped)
        es_video_pass_open(s);
    if (s->head_n && s->head_need)
        take_head(s);
}

bool es_video_drop_start(struct es *s)
{
    const struct es_mark *pes = s->pes_waits ? &s->pes[s->n_pes % ES_MARKS]
                                             : es_pes_at(s, s->bytes - 1);
    const struct ps_nal *last;
    uint32_t off;

    take_waiting(s);
    last = s->n_nals ? &s->nal[s->n_nals - 1] : NULL;
    off = s->bytes;
    if (!pes || !pes->has_pts || !s->au.has_pts || !s->has_vcl ||
        pes->pts90k == s->au.pts90k)
        return false;
    if (!s->pes_waits)
        off = pes->at > s->base ? (uint32_t)(pes->at - s->base) : 0;
    if (s->head_need ? s->nal_sc < off || !last || last->off + last->len > off
                     : s->bytes - off > s->zeros)
        return false;
    s->zeros -= s->head_need ? 0 : s->bytes - off;
    s->head_n = s->head_need = 0;
    es_trim(s, off);
    s->pos = s->bytes;
    return true;
}

/* --- lengths --- */

static bool is_whole_set(unsigned seen)
{
    return (seen & PS_SEEN_H264) == PS_SEEN_H264 ||
           (seen & PS_SEEN_H265) == PS_SEEN_H265;
}

/* One more byte of a length. */
static void take_length(struct es_lengths *l, uint8_t b)
{
    l->left = l->n ? l->left << 8 | b : b;
    l->n++;
    l->head_n = 0;
}

static uint32_t pass(struct es_lengths *l, size_t n)
{
    uint32_t k = n < l->left ? (uint32_t)n : l->left;

    l->left -= k;
    if (!l->left)
        l->n = 0;
    return k;
}

size_t es_lengths_look(struct es *s, const uint8_t *p, size_t n)
{
    struct es_lengths *l = &s->lengths;
    size_t i = 0;

    while (i < n && l->looks) {
        if (l->n < LENGTH_BYTES) {
            take_length(l, p[i++]);
            if (l->n == LENGTH_BYTES) /* 1: a start code */
                l->looks = l->left > 1 && l->left <= PS_MAX_AU_BYTES;
        } else if (l->head_n < PS_NAL_HEAD) {
            l->head[l->head_n++] = p[i];
            i += pass(l, 1);
            if (l->head_n == PS_NAL_HEAD || !l->n)
                l->seen |= ps_nal_evidence(l->head, l->head_n);
            if (is_whole_set(l->seen)) {
                l->looks = false;
                return i;
            }
        } else {
            i += pass(l, n - i);
        }
    }
    return 0;
}

/* The length that was read begins a PES with a time that is not the unit's: that
 * is whole. */
static bool begins_new_time(const struct es *s)
{
    const struct es_mark *pes = es_pes_at(s, s->pos - LENGTH_BYTES);

    return s->has_vcl && pes && !pes->used && pes->has_pts && s->au.has_pts &&
           pes->pts90k != s->au.pts90k &&
           s->base + s->pos - LENGTH_BYTES == pes->at;
}

static void finish_at_length(struct es *s)
{
    const struct ps_nal *last = &s->nal[s->n_nals - 1];

    es_finish(s, last->off + last->len, s->pos - LENGTH_BYTES);
}

/* A length has been read: a NAL unit begins. 1 is that of an end of sequence, where
 * it does not begin a PES. */
static void begin_nal(struct es *s)
{
    struct es_lengths *l = &s->lengths;

    s->zeros = 0;
    if (l->left == 1 && s->base + s->pos - LENGTH_BYTES == l->from) {
        l->on = s->proven = false; /* start codes after all */
        start_code(s, 3);
        return;
    }
    es_video_close_nal(s, s->pos - LENGTH_BYTES);
    if (l->left == 0 || l->left > PS_MAX_AU_BYTES) {
        l->lost = true;
        if (s->n_nals && begins_new_time(s))
            finish_at_length(s);
        s->au.corrupt |= s->n_nals > 0;
        return;
    }
    s->nal_sc = s->pos - LENGTH_BYTES;
    s->nal_off = s->pos;
    s->head_n = 0;
    s->head_need = PS_NAL_HEAD;
}

void es_lengths_scan(struct es *s, const uint8_t *p, size_t n)
{
    struct es_lengths *l = &s->lengths;
    size_t i = 0;

    while (i < n && l->on && !l->lost) {
        uint32_t k;

        if (l->n < LENGTH_BYTES) {
            take_length(l, p[i++]);
            s->pos++;
            s->zeros = l->n; /* no part of the unit before it */
            if (l->n == LENGTH_BYTES)
                begin_nal(s);
            continue;
        }
        if (s->head_need)
            s->head[s->head_n++] = p[i];
        k = pass(l, s->head_need ? 1 : n - i);
        s->pos += k;
        i += k;
        if (s->head_need && (head_complete(s) || !l->n))
            take_head(s);
        s->coast = false; /* the next length is looked for */
    }
    if (l->on)
        s->pos += (uint32_t)(n - i);
    else
        es_scan(s, p + i, n - i);
}

void es_lengths_begin(struct es *s)
{
    struct es_lengths *l = &s->lengths;
    uint8_t bytes[512];

    l->on = true;
    es_clear_flags(s);
    es_video_reset(s);
    if (l->from < s->base)
        return; /* cut off by what looked like start codes: the next PES */
    if (l->from > s->base) {
        s->disc = true;
        es_restart_unit(s, (uint32_t)(l->from - s->base));
    }
    l->lost = false;
    s->pos = 0;
    while (s->pos < s->bytes)
        es_lengths_scan(s, bytes,
                        es_read(s, s->pos, bytes, sizeof(bytes)));
}

void es_lengths_pes(struct es *s, const struct es_mark *m)
{
    struct es_lengths *l = &s->lengths;

    l->from = m->at;
    if (!l->on) { /* what start codes have proven, has them */
        l->looks = !s->proven && m->has_pts && !s->unbounded &&
                   (es_is_nal(s) || s->info.codec == PS_CODEC_UNKNOWN);
        l->n = 0;
        l->seen = 0;
        return;
    }
    if (!s->unbounded &&
        (!m->has_pts || (s->bytes && s->au.has_pts &&
                         s->au.pts90k == m->pts90k && !l->lost)))
        return; /* it goes on */
    if (s->head_n && s->head_need)
        take_head(s);
    s->au.corrupt |= s->n_nals && (l->n || l->lost); /* else it is no unit's */
    es_video_close_nal(s, s->bytes - (s->zeros < s->bytes ? s->zeros : 0));
    s->head_n = s->head_need = 0;
    s->zeros = 0;
    l->n = 0;
    l->lost = s->unbounded; /* start codes are looked for in this one */
}

void es_video_flush(struct es *s, bool end)
{
    uint32_t stop;

    if (s->lengths.on && s->lengths.n == LENGTH_BYTES)
        s->au.corrupt = true; /* its last NAL unit is not all there */
    es_video_take_rest(s);
    if (!es_is_nal(s)) {
        if (s->bytes)
            es_finish(s, s->bytes, s->bytes);
        es_video_reset(s);
        return;
    }
    if (!s->has_vcl && !end)
        return; /* parameter sets wait for their picture */
    es_video_close_nal(s, s->bytes - (s->zeros < s->bytes ? s->zeros : 0));
    stop = s->n_nals ? s->nal[s->n_nals - 1].off + s->nal[s->n_nals - 1].len
                     : 0;
    es_finish(s, s->has_vcl ? stop : 0, s->bytes);
    es_video_reset(s);
    s->broken_start = true;
}

/* Sets au.key where no IDR says so: SPS, PPS and I slices only, or a recovery
 * point (encoders that never send an IDR). */
void es_video_key(struct es *s)
{
    bool all_i = s->has_sps && s->has_pps;

    if (s->info.codec != PS_CODEC_H264)
        return;
    for (uint32_t i = 0; i < s->n_nals && (all_i || s->has_sei); i++) {
        const struct ps_nal *nal = &s->nal[i];
        uint8_t b[SEI_BYTES];
        struct ps_h264_slice slice;
        size_t n = nal->type == 6 ? sizeof(b) : ES_HEAD;

        if (nal->type != 6 && (!all_i || nal->type > 5 || nal->type < 1))
            continue;
        n = es_read(s, nal->off, b, n < nal->len ? n : nal->len);
        if (nal->type == 6 && ps_h264_sei_has_recovery(b, n)) {
            s->au.key = true;
            return;
        }
        if (nal->type != 6)
            all_i &= ps_h264_slice_parse(&slice, b, n, NULL) &&
                     slice.type % 5 == 2;
    }
    s->au.key = all_i && s->has_vcl;
}
