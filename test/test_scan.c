/* base/scan: every way gives what the plain one gives, and none reads outside
 * its text */
#include "test/support.h"

#include <sys/mman.h>
#include <unistd.h>

#include "base/scan.h"

#define MAX 300

/* A copy of s that begins or ends at an unreadable page. Valid until the next
 * call. */
static struct slice pinned(struct slice s, bool at_end)
{
    static char *map;
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    char *p;

    if (!map) {
        map = mmap(NULL, 5 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
                   0);
        assert_true(map != MAP_FAILED);
        assert_int_equal(mprotect(map + page, 3 * page,
                                  PROT_READ | PROT_WRITE), 0);
    }
    p = at_end ? map + 4 * page - s.n : map + page;
    memcpy(p, s.p, s.n);
    return slice_of(p, s.n);
}

/* Octets that lie next to the borders of the classes, and all others now and
 * then. */
static char any_octet(uint64_t *seed)
{
    static const char some[] = "\r\n\r\n\0\t !\"%,-./09:;<=>?@AZ[_`az{~\x7f\xff"
                               "aaaaaaaaaaaaaaaaaaaa000000000000";
    uint64_t r = test_random(seed) >> 20;

    return r % 16 ? some[r / 16 % (sizeof(some) - 1)] : (char)(r / 16);
}

/* Mostly words, so that runs get long enough to cross blocks. */
static struct slice any_text(char *buf, size_t n, uint64_t *seed)
{
    unsigned often = (unsigned)(test_random(seed) >> 30) % 40;

    for (size_t i = 0; i < n; i++)
        buf[i] = (test_random(seed) >> 30) % 40 < often ? any_octet(seed)
                                                        : 'b';
    return slice_of(buf, n);
}

/* A copy at every alignment that ends at an unreadable page or begins behind
 * another octet. */
static void compare(struct slice s, char c)
{
    uint64_t blanks[2][MAX / 64 + 1];
    uint64_t a[SCAN_MAP_WORDS], b[SCAN_MAP_WORDS];

    assert_int_equal(scan_char(s.p, s.n, c), scan_char_scalar(s.p, s.n, c));
    assert_int_equal(scan_word(s.p, s.n), scan_word_scalar(s.p, s.n));
    assert_int_equal(scan_delimiter(s.p, s.n),
                     scan_delimiter_scalar(s.p, s.n));
    assert_int_equal(scan_blank(s.p, s.n), scan_blank_scalar(s.p, s.n));
    assert_int_equal(scan_blank_near(s.p, s.n), scan_blank_scalar(s.p, s.n));
    assert_int_equal(scan_eol(s.p, s.n), scan_eol_scalar(s.p, s.n));
    assert_int_equal(scan_high(s.p, s.n), scan_high_scalar(s.p, s.n));
    scan_map_blanks(blanks[0], s.p, s.n);
    scan_map_blanks_scalar(blanks[1], s.p, s.n);
    assert_memory_equal(blanks[0], blanks[1], (s.n / 64 + 1) * 8);
    if (s.n <= SCAN_MAP_MAX) {
        scan_map(a, s.p, s.n);
        scan_map_scalar(b, s.p, s.n);
        assert_memory_equal(a, b, sizeof(a));
        for (size_t i = 0; i <= s.n; i++)
            assert_int_equal(scan_stop(a, i),
                             i + scan_word_scalar(s.p + i, s.n - i));
    }
    if (s.n >= SCAN_WINDOW) {
        struct scan_masks m = scan_window(s.p), k = scan_window_scalar(s.p);

        assert_true(m.lf == k.lf && m.odd == k.odd);
    }
}

static void searches(void **state)
{
    uint64_t seed = 7;
    char buf[MAX];

    (void)state;
    for (size_t n = 0; n < MAX; n++)
        for (unsigned k = 0; k < 60; k++) {
            struct slice s = pinned(any_text(buf, n, &seed), k % 2);
            size_t off = n ? k % n : 0;

            compare(s, any_octet(&seed));
            compare(slice_from(s, off), any_octet(&seed));
        }
}

/* Each octet alone, at each place of a block. */
static void classes(void **state)
{
    char buf[40];

    (void)state;
    for (unsigned c = 0; c < 256; c++)
        for (size_t n = 1; n <= sizeof(buf); n++) {
            memset(buf, 'a', sizeof(buf));
            buf[n - 1] = (char)c;
            compare(pinned(slice_of(buf, n), true), (char)c);
            compare(slice_of(buf, sizeof(buf)), (char)c);
        }
}

/* Numbers of all lengths, each digit in turn replaced by what lies beside the
 * digits. What is before the number does not matter. */
static void digits(void **state)
{
    static const char beside[] = "/:\0\x7f\x80\xff \xb0\xb9p";
    uint64_t seed = 13;

    (void)state;
    for (unsigned k = 0; k < 20000; k++) {
        char text[8];
        size_t n = (test_random(&seed) >> 30) % 10;
        uint32_t got = 7, want = 7;
        const char *end;

        for (size_t i = 0; i < sizeof(text); i++)
            text[i] = (char)('0' + (test_random(&seed) >> 30) % 10);
        if (k % 2)
            text[(test_random(&seed) >> 30) % 8] =
                beside[(test_random(&seed) >> 30) % (sizeof(beside) - 1)];
        end = pinned(slice_of(text, sizeof(text)), k % 4 < 2).p + 8;
        if (scan_digits(end, n, &got) != scan_digits_scalar(end, n, &want) ||
            got != want)
            fail_msg("\"%.*s\" of %zu", 8, end - 8, n);
    }
}

static void same_block(struct slice s)
{
    static struct scan_block want, got;
    struct scan_block_way way[4];
    size_t n = scan_block_ways(way);
    bool plain = way[n - 1].fn(&want, s.p, s.n);

    for (size_t i = 0; i < n; i++) {
        if (way[i].fn(&got, s.p, s.n) != plain)
            fail_msg("%s: %d for %zu octets", way[i].name, !plain, s.n);
        if (!plain)
            continue;
        assert_int_equal(got.n, want.n);
        assert_memory_equal(got.lf, want.lf, want.n * sizeof(want.lf[0]));
        for (size_t at = 0; at <= want.lf[want.n - 1]; at++)
            if (scan_stop(got.map, at) != scan_stop(want.map, at))
                fail_msg("%s: stop behind %zu", way[i].name, at);
    }
    assert_int_equal(scan_block(&got, s.p, s.n), plain);
}

/* Lines of random length with now and then something odd in them, cut at any
 * place; most blocks are plain. */
static void blocks(void **state)
{
    uint64_t seed = 11;
    char buf[1200];
    unsigned n_plain = 0;

    (void)state;
    for (unsigned k = 0; k < 30000; k++) {
        size_t n = 0, lines = 1 + (test_random(&seed) >> 30) % 12;
        struct scan_block b;
        struct slice s;

        for (size_t i = 0; i < lines && n < 1000; i++) {
            size_t len = (test_random(&seed) >> 30) % 90;

            memset(buf + n, 'x', len);
            if (len)
                buf[n + (test_random(&seed) >> 30) % len] =
                    (test_random(&seed) >> 30) % 8 ? ':' : any_octet(&seed);
            n += len;
            buf[n++] = '\r';
            buf[n++] = '\n';
        }
        memcpy(buf + n, "\r\nbody\nmore\r\n\r\n", 15);
        n += (test_random(&seed) >> 30) % 16;
        s = pinned(slice_of(buf, n), k % 2);
        same_block(s);
        n_plain += scan_block(&b, s.p, s.n);
    }
    assert_in_range(n_plain, 5000, 29000);
}

static void borders(void **state)
{
    static const struct {
        const char *name;
        struct slice in;
        size_t lines; /* 0: not plain */
    } cases[] = {
        { "smallest", S("a\r\n\r\n"), 2 },
        { "a field", S("a\r\nb\r\n\r\nbody\n"), 3 },
        { "nothing", S(""), 0 },
        { "no end", S("a\r\nb\r\n"), 0 },
        { "end cut", S("a\r\nb\r\n\r"), 0 },
        { "empty line first", S("\r\na\r\n\r\n"), 0 },
        { "nothing but the end", S("\r\n\r\n"), 0 },
        { "bare LF", S("a\r\nb\nc\r\n\r\n"), 0 },
        { "bare LF first", S("\na\r\n\r\n"), 0 },
        { "bare CR", S("a\r\nb\rc\r\n\r\n"), 0 },
        { "CR CR LF", S("a\r\nb\r\r\n\r\n"), 0 },
        { "LF ends the block", S("a\r\nb\r\n\n"), 0 },
        { "NUL does not matter", S("a\r\n\0:b\r\n\r\n"), 3 },
        { "odd behind the end", S("a\r\n\r\n\r\r\n\nx"), 2 },
    };
    static char big[SCAN_BLOCK_MAX + 100];
    struct scan_block b;

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct slice s = guarded(cases[i].in);
        size_t got = scan_block(&b, s.p, s.n) ? b.n : 0;

        same_block(s);
        if (got != cases[i].lines)
            fail_msg("%s: %zu", cases[i].name, got);
    }
    for (size_t n = SCAN_BLOCK_MAX - 70; n < sizeof(big); n++) {
        memset(big, 'x', sizeof(big));
        memcpy(big + n - 4, "\r\n\r\n", 4);
        same_block(slice_of(big, n));
        assert_int_equal(scan_block(&b, big, n), n <= SCAN_BLOCK_MAX);
    }
}

static void many_lines(void **state)
{
    static char big[8 * SCAN_BLOCK_LINES + 100];
    struct scan_block b;

    (void)state;
    for (size_t n = SCAN_BLOCK_LINES - 40; n < SCAN_BLOCK_LINES + 10; n++)
        for (size_t width = 3; width < 8; width++) {
            for (size_t i = 0; i < n; i++) {
                memset(big + i * width, 'x', width);
                memcpy(big + (i + 1) * width - 2, "\r\n", 2);
            }
            memcpy(big + n * width, "\r\n", 2);
            same_block(guarded(slice_of(big, n * width + 2)));
            assert_int_equal(scan_block(&b, big, n * width + 2),
                             n + 1 <= SCAN_BLOCK_LINES);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(searches), cmocka_unit_test(classes),
        cmocka_unit_test(digits),
        cmocka_unit_test(blocks),   cmocka_unit_test(borders),
        cmocka_unit_test(many_lines),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
