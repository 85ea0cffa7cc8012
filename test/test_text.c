/* Character sets: exhaustive comparison with iconv, detection, damage. */
#include "test/support.h"

#include "manscdp/text.h"

#include <errno.h>
#include <iconv.h>
#include <stdlib.h>

static char out_bytes[1 << 16];

static struct slice decode(struct slice in, enum manscdp_charset from)
{
    struct writer w = writer_of(out_bytes, sizeof(out_bytes));

    manscdp_text_decode(&w, in, from);
    assert_int_equal(w.err, 0);
    assert_true(w.len <= MANSCDP_TEXT_DECODED_MAX(in.n));
    return writer_slice(&w);
}

static struct slice encode(struct slice in, enum manscdp_charset to)
{
    struct writer w = writer_of(out_bytes, sizeof(out_bytes));

    manscdp_text_encode(&w, in, to);
    assert_int_equal(w.err, 0);
    assert_true(w.len <= MANSCDP_TEXT_ENCODED_MAX(in.n));
    return writer_slice(&w);
}

/* What iconv makes of one character; empty when it refuses. */
static struct slice oracle(iconv_t cd, struct slice in, char *buf, size_t cap)
{
    char src[8], *from = src, *to = buf;
    size_t n = in.n, room = cap;

    memcpy(src, in.p, in.n);
    iconv(cd, NULL, NULL, NULL, NULL);
    if (iconv(cd, &from, &n, &to, &room) == (size_t)-1 || n)
        return slice_of(buf, 0);
    return slice_of(buf, cap - room);
}

static struct slice utf8_of(uint32_t c, char b[4])
{
    if (c < 0x80) {
        b[0] = (char)c;
        return slice_of(b, 1);
    }
    if (c < 0x800) {
        b[0] = (char)(0xc0 | c >> 6);
        b[1] = (char)(0x80 | (c & 0x3f));
        return slice_of(b, 2);
    }
    if (c < 0x10000) {
        b[0] = (char)(0xe0 | c >> 12);
        b[1] = (char)(0x80 | (c >> 6 & 0x3f));
        b[2] = (char)(0x80 | (c & 0x3f));
        return slice_of(b, 3);
    }
    b[0] = (char)(0xf0 | c >> 18);
    b[1] = (char)(0x80 | (c >> 12 & 0x3f));
    b[2] = (char)(0x80 | (c >> 6 & 0x3f));
    b[3] = (char)(0x80 | (c & 0x3f));
    return slice_of(b, 4);
}

/* The private characters that GB 18030-2022 gives the codes of public ones
 * which have two-byte codes since; iconv has neither. Six more have no code at
 * all. */
static const struct {
    uint32_t point;
    uint8_t code[4];
} swapped[] = {
    { 0xe78d, { 0x84, 0x31, 0x82, 0x36 } },
    { 0xe78e, { 0x84, 0x31, 0x82, 0x38 } },
    { 0xe78f, { 0x84, 0x31, 0x82, 0x37 } },
    { 0xe790, { 0x84, 0x31, 0x82, 0x39 } },
    { 0xe791, { 0x84, 0x31, 0x83, 0x30 } },
    { 0xe792, { 0x84, 0x31, 0x83, 0x31 } },
    { 0xe793, { 0x84, 0x31, 0x83, 0x32 } },
    { 0xe794, { 0x84, 0x31, 0x83, 0x33 } },
    { 0xe795, { 0x84, 0x31, 0x83, 0x34 } },
    { 0xe796, { 0x84, 0x31, 0x83, 0x35 } },
    { 0xe81e, { 0x82, 0x35, 0x90, 0x37 } },
    { 0xe826, { 0x82, 0x35, 0x90, 0x38 } },
    { 0xe82b, { 0x82, 0x35, 0x90, 0x39 } },
    { 0xe82c, { 0x82, 0x35, 0x91, 0x30 } },
    { 0xe832, { 0x82, 0x35, 0x91, 0x31 } },
    { 0xe843, { 0x82, 0x35, 0x91, 0x32 } },
    { 0xe854, { 0x82, 0x35, 0x91, 0x33 } },
    { 0xe864, { 0x82, 0x35, 0x91, 0x34 } },
};

#define N_SWAPPED (sizeof(swapped) / sizeof(swapped[0]))

/* Those six: glibc from 2.41 on takes the standard at its word and has a private
 * character where a public one is meant. Ours is the public one, as everybody's
 * who reads these codes, and the private one has none. */
static const struct {
    uint32_t point, private;
    uint8_t code[2];
} meant[] = {
    { 0x20087, 0xe816, { 0xfe, 0x51 } }, { 0x20089, 0xe817, { 0xfe, 0x52 } },
    { 0x200cc, 0xe818, { 0xfe, 0x53 } }, { 0x215d7, 0xe831, { 0xfe, 0x6c } },
    { 0x2298f, 0xe83b, { 0xfe, 0x76 } }, { 0x241fe, 0xe855, { 0xfe, 0x91 } },
};

#define N_MEANT (sizeof(meant) / sizeof(meant[0]))

/* What is to be made of a character that iconv refuses. */
static struct slice refused_code(uint32_t point)
{
    for (size_t i = 0; i < N_SWAPPED; i++)
        if (swapped[i].point == point)
            return slice_of((const char *)swapped[i].code, 4);
    return SLICE("?");
}

static void private_characters_come_back(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_SWAPPED; i++) {
        char text[4];
        struct slice in = utf8_of(swapped[i].point, text);
        struct slice code = slice_of((const char *)swapped[i].code, 4);

        assert_true(slice_eq(encode(in, MANSCDP_GB18030), code));
        assert_true(slice_eq(decode(code, MANSCDP_GB18030), in));
    }
}

static void six_codes_are_what_is_meant(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_MEANT; i++) {
        char text[4];
        struct slice in = utf8_of(meant[i].point, text);
        struct slice code = slice_of((const char *)meant[i].code, 2);

        assert_true(slice_eq(encode(in, MANSCDP_GB18030), code));
        assert_true(slice_eq(decode(code, MANSCDP_GB18030), in));
        assert_true(slice_eq(encode(utf8_of(meant[i].private, text),
                                    MANSCDP_GB18030), SLICE("?")));
    }
}

static bool is_meant(uint32_t point)
{
    for (size_t i = 0; i < N_MEANT; i++)
        if (meant[i].point == point || meant[i].private == point)
            return true;
    return false;
}

static void every_code_point_encodes_as_iconv_says(void **state)
{
    iconv_t cd = iconv_open("GB18030", "UTF-8");
    unsigned two = 0, four = 0;

    (void)state;
    assert_true(cd != (iconv_t)-1);
    for (uint32_t c = 1; c <= 0x10ffff; c++) {
        char text[4], want_bytes[16];
        struct slice in, want, got;

        if ((c >= 0xd800 && c < 0xe000) || is_meant(c))
            continue;
        in = utf8_of(c, text);
        want = oracle(cd, in, want_bytes, sizeof(want_bytes));
        if (!want.n)
            want = refused_code(c);
        got = encode(in, MANSCDP_GB18030);
        if (!slice_eq(got, want))
            fail_msg("U+%04X", c);
        two += want.n == 2;
        four += want.n == 4;
        got = encode(in, MANSCDP_GB2312);
        if (!slice_eq(got, want.n == 4 ? SLICE("?") : want))
            fail_msg("U+%04X as GB2312", c);
        got = encode(in, MANSCDP_UTF8);
        assert_true(slice_eq(got, in));
    }
    assert_true(two >= 23900 && four > 1000000);
    iconv_close(cd);
}

static bool is_meant_code(struct slice code)
{
    for (size_t i = 0; i < N_MEANT; i++)
        if (slice_eq(code, slice_of((const char *)meant[i].code, 2)))
            return true;
    return false;
}

static bool is_swapped(struct slice code)
{
    for (size_t i = 0; i < N_SWAPPED; i++)
        if (slice_eq(code, slice_of((const char *)swapped[i].code, 4)))
            return true;
    return false;
}

/* One code: same text as iconv, or '?'. A lone byte or refused pair is looked
 * at with a blank behind it, so that it is not the cut end of a text. */
static void same_decoding(iconv_t cd, struct slice in)
{
    char want_bytes[16], padded[8];
    struct slice want = oracle(cd, in, want_bytes, sizeof(want_bytes)), got;

    memcpy(padded, in.p, in.n);
    padded[in.n] = ' ';
    got = decode(slice_of(padded, in.n + 1), MANSCDP_GB18030);
    assert_true(got.n >= 2 && got.p[got.n - 1] == ' ');
    got.n--;
    if (is_meant_code(in) || (!want.n && is_swapped(in)))
        return;
    if (want.n ? !slice_eq(got, want) : got.p[0] != '?')
        fail_msg("%02x %02x .. (%zu bytes)", (uint8_t)in.p[0], (uint8_t)in.p[1],
                 in.n);
}

static void every_code_decodes_as_iconv_says(void **state)
{
    iconv_t cd = iconv_open("UTF-8", "GB18030");
    char b[4];

    (void)state;
    assert_true(cd != (iconv_t)-1);
    for (unsigned hi = 0x80; hi <= 0xff; hi++) {
        for (unsigned lo = 0x40; lo <= 0xff; lo++) {
            b[0] = (char)hi;
            b[1] = (char)lo;
            same_decoding(cd, slice_of(b, 2));
        }
    }
    /* every four-byte code there can be, assigned or not */
    for (uint32_t n = 0; n < 126u * 12600; n++) {
        if (n >= 40000 && n < 188000 && n % 7)
            continue; /* a wide hole */
        b[0] = (char)(0x81 + n / 12600);
        b[1] = (char)(0x30 + n / 1260 % 10);
        b[2] = (char)(0x81 + n / 10 % 126);
        b[3] = (char)(0x30 + n % 10);
        same_decoding(cd, slice_of(b, 4));
    }
    iconv_close(cd);
}

static void detection(void **state)
{
    static const struct {
        const char *name;
        struct slice in;
        enum manscdp_charset want;
    } cases[] = {
        { "empty", S(""), MANSCDP_ASCII },
        { "ascii", S("<Name>gate 1</Name>"), MANSCDP_ASCII },
        { "bom alone", S("\xef\xbb\xbf<a/>"), MANSCDP_UTF8 },
        { "utf-8 declared gb2312",
          S("<?xml encoding=\"GB2312\"?><a>\xe5\xa4\xa7\xe5\x8d\x8e</a>"),
          MANSCDP_UTF8 },
        { "gbk", S("<a>\xb4\xf3\xbb\xaa</a>"), MANSCDP_GB18030 },
        { "gbk declared utf-8",
          S("<?xml encoding=\"UTF-8\"?><a>\xb4\xf3\xbb\xaa</a>"),
          MANSCDP_GB18030 },
        { "gbk word that is two-byte utf-8", S("\xc1\xaa\xcd\xa8"),
          MANSCDP_GB18030 },
        { "utf-8, last character cut", S("<a>\xe5\xa4\xa7\xe5\x8d</a>"),
          MANSCDP_UTF8 },
        { "four-byte utf-8", S("\xf0\x9f\x98\x80"), MANSCDP_UTF8 },
        { "surrogate", S("\xe5\xa4\xa7\xed\xa0\x80"), MANSCDP_GB18030 },
        { "overlong", S("\xe5\xa4\xa7\xe0\x80\x80"), MANSCDP_GB18030 },
        { "cut by another character", S("\xe5\xa4\xa7\xe5\x8dx"),
          MANSCDP_GB18030 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        if (manscdp_text_detect(guarded(cases[i].in)) != cases[i].want)
            fail_msg("%s", cases[i].name);
}

/* UTF-16, with and without a BOM, and what only looks like it. */
static void wide(void **state)
{
    static const struct {
        const char *name;
        struct slice in, want; /* want.p NULL: it is not wide */
    } cases[] = {
        { "little", S("\xff\xfe<\0a\0/\0>\0\x27\x59"),
          S("<a/>\xe5\xa4\xa7") },
        { "big", S("\xfe\xff\0<\0a\0/\0>\x59\x27"),
          S("<a/>\xe5\xa4\xa7") },
        { "little, no BOM", S("<\0\xe9\0>\0"), S("<\xc3\xa9>") },
        { "big, no BOM", S("\0<\0\xe9\0>"), S("<\xc3\xa9>") },
        { "a byte too many", S("<\0a\0>"), S("<a") },
        { "BOM alone", S("\xff\xfe"), S("") },
        { "astral", S("<\0\x3d\xd8\0\xde"), S("<\xf0\x9f\x98\x80") },
        { "high half alone", S("<\0\x3d\xd8x\0"), S("<?x") },
        { "low half alone", S("<\0\0\xdex\0"), S("<?x") },
        { "high half at the end", S("<\0\x3d\xd8"), S("<?") },
        { "a BOM inside is a character", S("<\0\xff\xfe"),
          S("<\xef\xbb\xbf") },
        { "UTF-8", S("\xef\xbb\xbf<a/>"), { NULL, 0 } },
        { "one byte", S("<"), { NULL, 0 } },
        { "none", S(""), { NULL, 0 } },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct slice in = guarded(cases[i].in);
        char text[64];
        struct writer w = writer_of(text, MANSCDP_TEXT_DECODED_MAX(in.n));

        if (manscdp_text_is_wide(in) != (cases[i].want.p != NULL))
            fail_msg("%s: wide or not", cases[i].name);
        if (!cases[i].want.p)
            continue;
        manscdp_text_decode_wide(&w, in);
        if (w.err || !slice_eq(writer_slice(&w), cases[i].want))
            fail_msg("%s", cases[i].name);
    }
}

static void damaged_text(void **state)
{
    static const struct {
        const char *name;
        enum manscdp_charset from;
        struct slice in, want;
    } cases[] = {
        { "gb: good", MANSCDP_GB18030, S("a\xb4\xf3z"), S("a\xe5\xa4\xa7z") },
        { "gb: lone lead inside", MANSCDP_GB18030, S("\xb4 x"), S("? x") },
        { "gb: cut at the end", MANSCDP_GB18030, S("\xb4\xf3\xbb"),
          S("\xe5\xa4\xa7") },
        { "gb: cut before a tag", MANSCDP_GB18030, S("\xb4\xf3\xbb</a>"),
          S("\xe5\xa4\xa7</a>") },
        { "gb: 0x80 and 0xff", MANSCDP_GB18030, S("\x80\xffz"), S("??z") },
        { "gb: 0x80 at the end", MANSCDP_GB18030, S("z\x80"), S("z?") },
        { "gb: trail 0x7f", MANSCDP_GB18030, S("\xb4\x7fz"), S("?\x7fz") },
        { "gb: half of four bytes", MANSCDP_GB18030, S("\x81\x30 "), S("?0 ") },
        { "gb: three of four", MANSCDP_GB18030, S("\x81\x30\x81"), S("?0") },
        { "gb: unassigned four", MANSCDP_GB18030, S("\x85\x30\x81\x30z"),
          S("?z") },
        { "gb: beyond Unicode", MANSCDP_GB18030, S("\xfe\x39\xfe\x39z"),
          S("?z") },
        { "utf-8: bom", MANSCDP_UTF8, S("\xef\xbb\xbfx"), S("x") },
        { "utf-8: lone tail", MANSCDP_UTF8, S("a\x80z"), S("a?z") },
        { "utf-8: two of three", MANSCDP_UTF8, S("\xe5\xa4z"), S("?z") },
        { "utf-8: cut at the end", MANSCDP_UTF8, S("x\xe5\xa4"), S("x") },
        { "utf-8: surrogate", MANSCDP_UTF8, S("\xed\xa0\x80z"), S("???z") },
        { "utf-8: too large", MANSCDP_UTF8, S("\xf4\x90\x80\x80z"),
          S("????z") },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct slice got = decode(guarded(cases[i].in), cases[i].from);

        if (!slice_eq(got, cases[i].want))
            fail_msg("%s: %.*s", cases[i].name, SLICE_ARG(got));
    }
}

static void mixed_body_keeps_both(void **state)
{
    /* a GBK name, a raw UTF-8 name, and a GB 2312 word of six bytes that is
     * valid UTF-8 as well */
    struct slice in = SLICE("<a>\xb4\xf3\xbb\xaa</a>"
                            "<b>\xe5\xa4\xa7\xe5\x8d\x8e</b>"
                            "<c>\xe4\xb8\xad\xe6\x96\x87</c>");
    struct slice want = SLICE("<a>\xe5\xa4\xa7\xe5\x8d\x8e</a>"
                              "<b>\xe5\xa4\xa7\xe5\x8d\x8e</b>"
                              "<c>\xe4\xb8\xad\xe6\x96\x87</c>");
    struct slice plain = SLICE("<c>\xe4\xb2\xb3\xe4\xb3\xb2</c>");
    struct writer w = writer_of(out_bytes, sizeof(out_bytes));

    (void)state;
    assert_int_equal(manscdp_text_detect(in), MANSCDP_GB18030);
    manscdp_text_decode_mixed(&w, guarded(in));
    assert_int_equal(w.err, 0);
    assert_true(slice_eq(writer_slice(&w), want));
    w = writer_of(out_bytes, sizeof(out_bytes));
    manscdp_text_decode_mixed(&w, plain); /* E4B2 B3E4 B3B2: GB 2312 */
    assert_false(slice_eq(writer_slice(&w), plain));
}

static void a_full_writer_stops(void **state)
{
    struct slice in = SLICE("ab\xb4\xf3\x81\x30\x81\x30");

    (void)state;
    for (size_t cap = 0; cap < 7; cap++) {
        char small[8];
        struct writer w = writer_of(small, cap);

        manscdp_text_decode(&w, in, MANSCDP_GB18030);
        assert_int_equal(w.err, GB_ENOMEM);
        assert_true(w.len <= cap);
    }
}

static void cutting_keeps_characters_whole(void **state)
{
    struct slice s = SLICE("a\xe5\xa4\xa7z");

    (void)state;
    assert_int_equal(manscdp_text_cut(s, 9).n, 5);
    assert_int_equal(manscdp_text_cut(s, 5).n, 5);
    assert_int_equal(manscdp_text_cut(s, 4).n, 4);
    assert_int_equal(manscdp_text_cut(s, 3).n, 1);
    assert_int_equal(manscdp_text_cut(s, 2).n, 1);
    assert_int_equal(manscdp_text_cut(s, 0).n, 0);
    assert_true(manscdp_text_is_utf8(s));
    assert_false(manscdp_text_is_utf8(slice_head(s, 3)));
}

static void names_of_charsets(void **state)
{
    enum manscdp_charset c = MANSCDP_ASCII;

    (void)state;
    assert_true(manscdp_charset_by_name(SLICE("gb18030"), &c));
    assert_int_equal(c, MANSCDP_GB18030);
    assert_true(manscdp_charset_by_name(SLICE("GBK"), &c));
    assert_int_equal(c, MANSCDP_GB2312);
    assert_true(manscdp_charset_by_name(SLICE("utf-8"), &c));
    assert_int_equal(c, MANSCDP_UTF8);
    assert_false(manscdp_charset_by_name(SLICE("latin1"), &c));
    assert_int_equal(c, MANSCDP_UTF8);
    assert_string_equal(manscdp_charset_name(MANSCDP_GB2312), "GB2312");
}

/* Random bytes never read past their end, and what decoding gives is UTF-8
 * that survives the way there and back. */
static void random_bytes(void **state)
{
    uint64_t seed = 20260801;

    (void)state;
    for (unsigned round = 0; round < 20000; round++) {
        char bytes[48], text[128], back[256];
        size_t n = test_random(&seed) % sizeof(bytes);
        struct writer w = writer_of(text, sizeof(text));
        struct writer v = writer_of(back, sizeof(back));

        for (size_t i = 0; i < n; i++)
            bytes[i] = (char)(test_random(&seed) % 4 ? test_random(&seed)
                                                     : '0' + round % 10);
        manscdp_text_decode(&w, guarded(slice_of(bytes, n)),
                            round & 1 ? MANSCDP_UTF8 : MANSCDP_GB18030);
        assert_int_equal(w.err, 0);
        assert_true(manscdp_text_is_utf8(writer_slice(&w)));
        manscdp_text_encode(&v, writer_slice(&w), MANSCDP_GB18030);
        assert_int_equal(v.err, 0);
        assert_true(slice_eq(decode(writer_slice(&v), MANSCDP_GB18030),
                             writer_slice(&w)));
    }
}

/* The quick way gives what the patient one gives, or nothing. */
static void names_are_runs(void **state)
{
    static const char *const pieces[] = {
        "\xb1\xb1",         "\xc3\xc5",     "\xf7\xfe", "\xa1\xa1",
        "\xf8\xa1",         "\xaa\xa1",     "\xb1",     "\x81\x40",
        "\x81\x30\x81\x30", "\xe5\x8c\x97", "\xa2\xa1", "a",
        " 1.107",           "\xff",         "\x80",
    };
    uint64_t seed = 5;
    unsigned n_quick = 0;

    (void)state;
    for (unsigned k = 0; k < 20000; k++) {
        char in[64], a[128], b[128];
        struct writer w = writer_of(in, sizeof(in)), x, y;
        size_t n = (test_random(&seed) >> 30) % 6;
        bool quick;

        for (size_t i = 0; i < n; i++)
            writer_str(&w, pieces[(test_random(&seed) >> 30) % COUNT(pieces)]);
        x = writer_of(a, (test_random(&seed) >> 30) % sizeof(a));
        y = writer_of(b, sizeof(b));
        quick = manscdp_text_names(&x, guarded(writer_slice(&w)));
        assert_int_equal(x.err, 0);
        assert_true(quick || x.len == 0);
        n_quick += quick;
        if (!quick)
            continue;
        manscdp_text_decode_run(&y, guarded(writer_slice(&w)));
        assert_true(slice_eq(writer_slice(&x), writer_slice(&y)));
    }
    assert_in_range(n_quick, 2000, 19999);
}

/* Two bytes that become four, and nothing else. */
static void longest_when_decoded(void **state)
{
    static const char in[] = "\xfe\x51\xfe\x52\xfe\x53\xfe\x53\xfe\x53\xfe\x53";

    (void)state;
    assert_int_equal(decode(SLICE(in), MANSCDP_GB18030).n,
                     2 * (sizeof(in) - 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_runs),
        cmocka_unit_test(longest_when_decoded),
        cmocka_unit_test(private_characters_come_back),
        cmocka_unit_test(six_codes_are_what_is_meant),
        cmocka_unit_test(every_code_point_encodes_as_iconv_says),
        cmocka_unit_test(every_code_decodes_as_iconv_says),
        cmocka_unit_test(detection),
        cmocka_unit_test(wide),
        cmocka_unit_test(damaged_text),
        cmocka_unit_test(mixed_body_keeps_both),
        cmocka_unit_test(a_full_writer_stops),
        cmocka_unit_test(cutting_keeps_characters_whole),
        cmocka_unit_test(names_of_charsets),
        cmocka_unit_test(random_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
