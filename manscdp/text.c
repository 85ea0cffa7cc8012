#include "manscdp/text.h"

#include "base/scan.h"

struct run {
    uint32_t key, value, n;
};

#include "manscdp/gb18030.inc"

#define N_TRAILS 190    /* second bytes of a two-byte code: 40..7E, 80..FE */
#define BMP4_END 39420u /* four-byte codes below U+10000, as linear numbers */
#define UP_BEGIN 189000u /* linear number of U+10000 */
#define POINT_MAX 0x10ffffu
#define NO_POINT UINT32_MAX

static const char *const charset_names[] = {
    [MANSCDP_GB2312] = "GB2312",
    [MANSCDP_GB18030] = "GB18030",
    [MANSCDP_UTF8] = "UTF-8",
    [MANSCDP_ASCII] = "US-ASCII",
};

const char *manscdp_charset_name(enum manscdp_charset c)
{
    return charset_names[c];
}

bool manscdp_charset_by_name(struct slice name, enum manscdp_charset *c)
{
    static const struct {
        struct slice name;
        enum manscdp_charset charset;
    } names[] = {
        { SLICE_INIT("GB2312"), MANSCDP_GB2312 },
        { SLICE_INIT("GBK"), MANSCDP_GB2312 },
        { SLICE_INIT("CP936"), MANSCDP_GB2312 },
        { SLICE_INIT("GB18030"), MANSCDP_GB18030 },
        { SLICE_INIT("UTF-8"), MANSCDP_UTF8 },
        { SLICE_INIT("UTF8"), MANSCDP_UTF8 },
    };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (slice_ieq(name, names[i].name)) {
            *c = names[i].charset;
            return true;
        }
    }
    return false;
}

static inline uint8_t at(struct slice s, size_t i)
{
    return (uint8_t)s.p[i];
}

static inline bool is_tail(struct slice s, size_t i)
{
    return i < s.n && (at(s, i) & 0xc0) == 0x80;
}

/* One character of UTF-8 (RFC 3629 §4) at i, s[i] >= 0x80. *len: bytes, or of
 * the longest well-formed beginning, at least 1. NO_POINT: malformed. */
static uint32_t utf8_point(struct slice s, size_t i, unsigned *len)
{
    uint8_t lead = at(s, i);
    unsigned want = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    uint8_t lo = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
    uint8_t hi = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
    uint32_t point = lead & (0xffu >> (want + 1));

    *len = 1;
    if (lead < 0xc2 || lead > 0xf4)
        return NO_POINT;
    if (i + 1 >= s.n || at(s, i + 1) < lo || at(s, i + 1) > hi)
        return NO_POINT;
    for (; *len < want; ++*len) {
        if (!is_tail(s, i + *len))
            return NO_POINT;
        point = point << 6 | (at(s, i + *len) & 0x3f);
    }
    return point;
}

/* A character that something cut short: the text ends behind it. Devices cut
 * names at 32 or 64 bytes, in the middle of a character. */
static bool ends_at(struct slice s, size_t i)
{
    return i >= s.n || at(s, i) == '<';
}

/* s begins, in n bytes that are no whole character, like a longer one. */
static bool utf8_is_cut(struct slice s, size_t i, unsigned n)
{
    return at(s, i) >= 0xc2 && at(s, i) <= 0xf4 && ends_at(s, i + n);
}

static inline size_t ascii_span(struct slice s, size_t i)
{
    return scan_high(s.p + i, s.n - i);
}

/* true: UTF-8. *n_wide: characters of three bytes and more. lenient: also
 * with characters cut short at the end of a text. */
static bool utf8_scan(struct slice s, bool lenient, size_t *n_wide)
{
    *n_wide = 0;
    for (size_t i = 0; i < s.n;) {
        unsigned len;

        if (at(s, i) < 0x80) {
            i += ascii_span(s, i);
            continue;
        }
        if (utf8_point(s, i, &len) == NO_POINT) {
            if (!lenient || !utf8_is_cut(s, i, len))
                return false;
        } else {
            *n_wide += len >= 3;
        }
        i += len;
    }
    return true;
}

bool manscdp_text_is_utf8(struct slice in)
{
    size_t n_wide;

    return utf8_scan(in, false, &n_wide);
}

static bool has_bom(struct slice s)
{
    return s.n >= 3 && at(s, 0) == 0xef && at(s, 1) == 0xbb && at(s, 2) == 0xbf;
}

enum manscdp_charset manscdp_text_detect(struct slice in)
{
    size_t n_wide, high;

    if (has_bom(in))
        return MANSCDP_UTF8;
    high = ascii_span(in, 0);
    if (high == in.n)
        return MANSCDP_ASCII;
    if (utf8_scan(slice_from(in, high), true, &n_wide) && n_wide)
        return MANSCDP_UTF8;
    return MANSCDP_GB18030;
}

static void put_point(struct writer *w, uint32_t c)
{
    char b[4];

    if (c < 0x80) {
        writer_char(w, (char)c);
    } else if (c < 0x800) {
        b[0] = (char)(0xc0 | c >> 6);
        b[1] = (char)(0x80 | (c & 0x3f));
        writer_bytes(w, b, 2);
    } else if (c < 0x10000) {
        b[0] = (char)(0xe0 | c >> 12);
        b[1] = (char)(0x80 | (c >> 6 & 0x3f));
        b[2] = (char)(0x80 | (c & 0x3f));
        writer_bytes(w, b, 3);
    } else {
        b[0] = (char)(0xf0 | c >> 18);
        b[1] = (char)(0x80 | (c >> 12 & 0x3f));
        b[2] = (char)(0x80 | (c >> 6 & 0x3f));
        b[3] = (char)(0x80 | (c & 0x3f));
        writer_bytes(w, b, 4);
    }
}

/* The value that belongs to key in a table of runs, or NO_POINT. */
static uint32_t run_lookup(const struct run *runs, size_t n, uint32_t key)
{
    size_t lo = 0, hi = n;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;

        if (key < runs[mid].key)
            hi = mid;
        else if (key - runs[mid].key >= runs[mid].n)
            lo = mid + 1;
        else
            return runs[mid].value + (key - runs[mid].key);
    }
    return NO_POINT;
}

#define RUNS(t) (t), sizeof(t) / sizeof((t)[0])

static uint32_t linear_to_point(uint32_t linear)
{
    if (linear < BMP4_END)
        return run_lookup(RUNS(four_to_point), linear);
    if (linear >= UP_BEGIN && linear - UP_BEGIN <= POINT_MAX - 0x10000)
        return linear - UP_BEGIN + 0x10000;
    return NO_POINT;
}

static bool is_gb_lead(uint8_t b)
{
    return b >= 0x81 && b <= 0xfe;
}

/* One character of GB 18030 at i, s[i] >= 0x80. *len: its bytes, 1 when they
 * do not form one. NO_POINT: malformed or not assigned. */
static uint32_t gb_point(struct slice s, size_t i, unsigned *len)
{
    uint8_t b1 = at(s, i), b2, b3, b4;

    *len = 1;
    if (!is_gb_lead(b1) || i + 1 >= s.n)
        return NO_POINT;
    b2 = at(s, i + 1);
    if (b2 >= 0x40 && b2 != 0x7f && b2 != 0xff) {
        unsigned trail = b2 < 0x7f ? b2 - 0x40u : b2 - 0x41u;
        uint16_t point = two_to_point[(b1 - 0x81u) * N_TRAILS + trail];

        *len = 2;
        return point ? point
                     : run_lookup(RUNS(two_to_astral), b1 * 256u + b2);
    }
    if (b2 < 0x30 || b2 > 0x39 || i + 3 >= s.n)
        return NO_POINT;
    b3 = at(s, i + 2);
    b4 = at(s, i + 3);
    if (!is_gb_lead(b3) || b4 < 0x30 || b4 > 0x39)
        return NO_POINT;
    *len = 4;
    return linear_to_point((((b1 - 0x81u) * 10 + b2 - 0x30u) * 126 + b3 -
                            0x81u) * 10 + b4 - 0x30u);
}

/* The character of two bytes at p, as three bytes of UTF-8, as most are: their
 * end. Or out: it is none of those. */
static inline char *put_pair(char *out, const char *p)
{
    uint8_t lead = (uint8_t)p[0], trail = (uint8_t)p[1];
    uint16_t point;

    if (!is_gb_lead(lead) || trail < 0x40 || trail == 0x7f || trail == 0xff)
        return out;
    point = two_to_point[(lead - 0x81u) * N_TRAILS + trail - 0x40u -
                         (trail > 0x7f)];
    if (point < 0x800)
        return out;
    out[0] = (char)(0xe0 | point >> 12);
    out[1] = (char)(0x80 | (point >> 6 & 0x3f));
    out[2] = (char)(0x80 | (point & 0x3f));
    return out + 3;
}

bool manscdp_text_names(struct writer *w, struct slice in)
{
    char *out = w->p + w->len;
    size_t i = 0;

    if (w->err || w->cap - w->len < MANSCDP_TEXT_DECODED_MAX(in.n))
        return false;
    while (i < in.n) {
        char *next;

        if (at(in, i) < 0x80) {
            *out++ = in.p[i++];
            continue;
        }
        if (at(in, i) < 0xa1 || at(in, i) > 0xf7 || i + 1 == in.n ||
            at(in, i + 1) < 0xa1)
            return false;
        next = put_pair(out, in.p + i);
        if (next == out)
            return false;
        out = next;
        i += 2;
    }
    w->len = (size_t)(out - w->p);
    return true;
}

/* ASCII, and pairs that become three bytes, as far as there are such and room:
 * where they end. */
static size_t decode_pairs(struct writer *w, struct slice in, size_t i)
{
    const uint64_t high = 0x8080808080808080u;
    char *out = w->p + w->len, *last = w->p + w->cap;
    uint64_t eight;

    while (i < in.n && last - out >= 8) {
        if (at(in, i) >= 0x80) {
            char *next = i + 1 < in.n ? put_pair(out, in.p + i) : out;

            if (next == out)
                break;
            out = next;
            i += 2;
        } else if (in.n - i >= 8 &&
                   (memcpy(&eight, in.p + i, 8), (eight & high) == 0)) {
            memcpy(out, &eight, 8);
            out += 8;
            i += 8;
        } else {
            *out++ = in.p[i++];
        }
    }
    w->len = (size_t)(out - w->p);
    return i;
}

static void decode_gb(struct writer *w, struct slice in)
{
    for (size_t i = 0; i < in.n;) {
        uint32_t point;
        unsigned len;
        size_t n;

        if (!w->err)
            i = decode_pairs(w, in, i);
        n = ascii_span(in, i);
        writer_bytes(w, in.p + i, n);
        i += n;
        if (i == in.n)
            break;
        point = gb_point(in, i, &len);
        if (point != NO_POINT)
            put_point(w, point);
        else if (!is_gb_lead(at(in, i)) || !ends_at(in, i + len))
            writer_char(w, '?');
        i += len;
    }
}

static void decode_utf8(struct writer *w, struct slice in)
{
    if (has_bom(in))
        in = slice_from(in, 3);
    for (size_t i = 0; i < in.n;) {
        size_t n = ascii_span(in, i);
        unsigned len;

        writer_bytes(w, in.p + i, n);
        i += n;
        if (i == in.n)
            break;
        if (utf8_point(in, i, &len) != NO_POINT)
            writer_bytes(w, in.p + i, len);
        else if (!utf8_is_cut(in, i, len))
            writer_char(w, '?');
        i += len;
    }
}

static bool begins_with(struct slice s, unsigned a, unsigned b)
{
    return s.n >= 2 && at(s, 0) == a && at(s, 1) == b;
}

bool manscdp_text_is_wide(struct slice in)
{
    return begins_with(in, 0xff, 0xfe) || begins_with(in, 0xfe, 0xff) ||
           begins_with(in, '<', 0) || begins_with(in, 0, '<');
}

/* The high byte is at i + high. */
static uint32_t unit16(struct slice in, size_t i, unsigned high)
{
    return (uint32_t)at(in, i + high) << 8 | at(in, i + 1 - high);
}

void manscdp_text_decode_wide(struct writer *w, struct slice in)
{
    unsigned high = begins_with(in, 0xff, 0xfe) || begins_with(in, '<', 0);
    size_t n = in.n / 2 * 2;

    for (size_t i = 0; i < n; i += 2) {
        uint32_t point = unit16(in, i, high), low = 0;

        if (i == 0 && point == 0xfeff)
            continue;
        if (point >= 0xd800 && point < 0xdc00 && i + 2 < n)
            low = unit16(in, i + 2, high);
        if (low >= 0xdc00 && low < 0xe000) {
            put_point(w, 0x10000 + ((point - 0xd800) << 10) + (low - 0xdc00));
            i += 2;
        } else if (point >= 0xd800 && point < 0xe000) {
            writer_char(w, '?');
        } else {
            put_point(w, point);
        }
    }
}

void manscdp_text_decode(struct writer *w, struct slice in,
                         enum manscdp_charset from)
{
    if (from == MANSCDP_UTF8)
        decode_utf8(w, in);
    else
        decode_gb(w, in);
}

/* All of it two-byte characters of GB 2312's own area, or ASCII: what a name
 * in that character set looks like, and UTF-8 misread hardly ever does. */
static bool is_plain_gb2312(struct slice s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (at(s, i) < 0x80)
            continue;
        if (at(s, i) < 0xa1 || at(s, i) > 0xf7 || i + 1 >= s.n ||
            at(s, i + 1) < 0xa1 || at(s, i + 1) == 0xff)
            return false;
        i++;
    }
    return true;
}

void manscdp_text_decode_run(struct writer *w, struct slice run)
{
    size_t n_wide;

    if (utf8_scan(run, true, &n_wide) && n_wide && !is_plain_gb2312(run))
        decode_utf8(w, run);
    else
        decode_gb(w, run);
}

static bool is_bracket(char c)
{
    return c == '<' || c == '>';
}

/* Neither '<' nor '>' is ever a part of a character, in GB 18030 or UTF-8. */
void manscdp_text_decode_mixed(struct writer *w, struct slice in)
{
    for (size_t i = 0; i < in.n;) {
        size_t high = i + ascii_span(in, i), from = high, to = high;

        if (high < in.n) {
            while (from > i && !is_bracket(in.p[from - 1]))
                from--;
            while (to < in.n && !is_bracket(in.p[to]))
                to++;
        }
        writer_bytes(w, in.p + i, from - i);
        /* with the bracket behind it, by which a cut character is known */
        if (from < to && to < in.n)
            to++;
        if (from < to)
            manscdp_text_decode_run(w, slice_of(in.p + from, to - from));
        i = to;
    }
}

/* Six characters of the two-byte area lie above U+FFFF. */
static uint16_t astral_to_two(uint32_t point)
{
    for (size_t i = 0; i < sizeof(two_to_astral) / sizeof(two_to_astral[0]);
         i++)
        if (two_to_astral[i].value == point)
            return (uint16_t)two_to_astral[i].key;
    return 0;
}

static void put_gb(struct writer *w, uint32_t point, bool two_only)
{
    uint16_t two = 0;
    uint32_t linear;
    char b[4];

    if (point < 0x10000)
        two = point_to_two[(size_t)page_of[point >> PAGE_BITS] << PAGE_BITS |
                           (point & ((1u << PAGE_BITS) - 1))];
    else
        two = astral_to_two(point);
    if (two) {
        writer_be16(w, two);
        return;
    }
    linear = point >= 0x10000 ? point - 0x10000 + UP_BEGIN
                              : run_lookup(RUNS(point_to_four), point);
    if (two_only || linear == NO_POINT) {
        writer_char(w, '?');
        return;
    }
    b[3] = (char)(0x30 + linear % 10);
    b[2] = (char)(0x81 + linear / 10 % 126);
    b[1] = (char)(0x30 + linear / 1260 % 10);
    b[0] = (char)(0x81 + linear / 12600);
    writer_bytes(w, b, 4);
}

void manscdp_text_encode(struct writer *w, struct slice in,
                         enum manscdp_charset to)
{
    for (size_t i = 0; i < in.n;) {
        size_t n = ascii_span(in, i);
        uint32_t point;
        unsigned len;

        writer_bytes(w, in.p + i, n);
        i += n;
        if (i == in.n)
            break;
        point = utf8_point(in, i, &len);
        if (point == NO_POINT || to == MANSCDP_ASCII)
            writer_char(w, '?');
        else if (to == MANSCDP_UTF8)
            writer_bytes(w, in.p + i, len);
        else
            put_gb(w, point, to == MANSCDP_GB2312);
        i += len;
    }
}

struct slice manscdp_text_cut(struct slice s, size_t max)
{
    if (s.n <= max)
        return s;
    while (max && is_tail(s, max))
        max--;
    return slice_head(s, max);
}
