/* base/head: the line scanner that SIP, HTTP and RTSP share */
#include "test/support.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/head.h"
#include "base/writer.h"

/* The scan as text: "start|name=value/flags|...|body@off" or an error. */
static void describe(struct writer *w, struct slice bytes)
{
    struct head h;
    struct head_field f;
    struct slice line;
    int err;

    head_init(&h, bytes);
    err = head_start(&h, &line);
    if (err) {
        writer_str(w, "no start");
        return;
    }
    writer_slice_put(w, line);
    while ((err = head_next(&h, &f)) == 0 || err == GB_ESYNTAX) {
        writer_char(w, '|');
        if (err) {
            writer_str(w, "bad");
            continue;
        }
        writer_slice_put(w, f.name);
        writer_char(w, '=');
        head_unfold(w, f.value);
        if (f.flags)
            writer_f(w, "/%u", f.flags);
    }
    if (err == GB_ENOENT)
        writer_f(w, "|body@%zu", h.off);
    else
        writer_str(w, "|more");
    if (h.flags)
        writer_f(w, " flags %u", h.flags);
}

static void scans(void **state)
{
    static const struct {
        const char *name;
        struct slice in;
        const char *want;
    } cases[] = {
        { "plain", S("GET / X\r\nA: b\r\nC: d\r\n\r\nbody"),
          "GET / X|A=b|C=d|body@23" },
        { "LF only", S("S\nA: b\n\nx"), "S|A=b/2|body@8 flags 2" },
        { "no fields", S("S\r\n\r\n"), "S|body@5" },
        { "empty lines first", S("\r\n\r\nS\r\nA:b\r\n\r\n"),
          "S|A=b|body@14" },
        { "no space, many spaces", S("S\r\nA:b\r\nB:  \t c \r\n\r\n"),
          "S|A=b|B=c|body@20" },
        { "empty value", S("S\r\nA:\r\nB: \r\n\r\n"), "S|A=|B=|body@14" },
        { "blank before colon", S("S\r\nA \t: b\r\n\r\n"),
          "S|A=b/8|body@13 flags 8" },
        { "folded", S("S\r\nA: b\r\n  c\r\n\td\r\nB: e\r\n\r\n"),
          "S|A=b c d/1|B=e|body@26 flags 1" },
        { "folded at once", S("S\r\nA:\r\n b\r\n\r\n"),
          "S|A=b/1|body@13 flags 1" },
        { "fold of blanks alone", S("S\r\nA: b\r\n \r\nB: c\r\n\r\n"),
          "S|A=b/1|B=c|body@20 flags 1" },
        { "fold after the start line", S("S\r\n x: y\r\nA: b\r\n\r\n"),
          "S|bad|A=b|body@18" },
        { "no colon", S("S\r\nhello\r\nA: b\r\n\r\n"), "S|bad|A=b|body@18" },
        { "no name", S("S\r\n: b\r\n\r\n"), "S|bad|body@10" },
        { "blank name", S("S\r\n : b\r\n\r\n"), "S|bad|body@11" },
        { "colon only in the fold", S("S\r\nA\r\n : b\r\n\r\n"),
          "S|bad|body@14 flags 9" },
        { "bare CR", S("S\r\nA: b\rc\r\n\r\n"),
          "S|A=b c/4|body@13 flags 4" },
        { "two CRs", S("S\r\nA: b\r\r\n\r\n"), "S|A=b/4|body@12 flags 4" },
        { "CR CR LF is no empty line", S("S\r\nA: b\r\n\r\r\n\r\n"),
          "S|A=b|bad|body@14 flags 4" },
        { "NUL", S("S\r\nA: b\0c\r\n\r\n"), NULL },
        { "colons in the value", S("S\r\nA: b:c\r\n\r\n"),
          "S|A=b:c|body@13" },
        { "unfinished field", S("S\r\nA: b"), "S|more" },
        { "no empty line", S("S\r\nA: b\r\n"), "S|A=b|more" },
        { "unfinished fold", S("S\r\nA: b\r\n c"), "S|more" },
        { "start trimmed", S("S 1  \t\r\n\r\n"), "S 1|body@10" },
        { "nothing", S(""), "no start" },
        { "only empty lines", S("\r\n\r\n"), "no start" },
    };
    char buf[512];

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct writer w = writer_of(buf, sizeof(buf));

        describe(&w, guarded(cases[i].in));
        if (cases[i].want &&
            !slice_eq(writer_slice(&w), slice_str(cases[i].want)))
            fail_msg("%s: %.*s", cases[i].name, SLICE_ARG(writer_slice(&w)));
        if (!cases[i].want)
            assert_int_equal(buf[w.len - 1], '6'); /* flags 16 */
    }
}

/* Fields longer and shorter than the scanner's window, ended at every offset
 * of it. */
static void windows(void **state)
{
    char text[600], buf[1200];

    (void)state;
    for (size_t len = 0; len < 300; len++) {
        struct writer w = writer_of(text, sizeof(text));
        struct writer d = writer_of(buf, sizeof(buf));
        char want[64];

        writer_str(&w, "S\r\nA: ");
        for (size_t i = 0; i < len; i++)
            writer_char(&w, 'x');
        writer_str(&w, "\r\nB: y\r\n\r\nbody");
        describe(&d, guarded(writer_slice(&w)));
        snprintf(want, sizeof(want), "|B=y|body@%zu", w.len - 4);
        assert_true(d.len > strlen(want));
        assert_memory_equal(buf + d.len - strlen(want), want, strlen(want));
        assert_int_equal(d.len, 1 + 3 + len + strlen(want));
    }
}

/* A proper prefix of a head never ends it. */
static void prefixes(void **state)
{
    struct slice all = SLICE("S\r\nAlpha: beta\r\n gamma\r\nDelta: e\r\n\r\n");

    (void)state;
    for (size_t n = 0; n <= all.n; n++) {
        struct head h;
        struct head_field f;
        struct slice part = guarded(slice_head(all, n)), line;
        int err;

        assert_int_equal(head_find_end(part, 0), n == all.n ? n : 0);
        head_init(&h, part);
        err = head_start(&h, &line);
        while (!err)
            err = head_next(&h, &f);
        assert_int_equal(err, n == all.n ? GB_ENOENT : GB_EAGAIN);
    }
}

static void finds_the_end(void **state)
{
    static const struct {
        const char *name;
        struct slice in;
        size_t end;
    } cases[] = {
        { "CRLF", S("S\r\nA: b\r\n\r\nbody"), 11 },
        { "LF", S("S\nA: b\n\nbody"), 8 },
        { "mixed", S("S\nA: b\n\r\nbody"), 9 },
        { "empty lines first", S("\r\n\r\nS\r\n\r\nbody"), 9 },
        { "only empty lines", S("\r\n\r\n\r\n"), 0 },
        { "blank line that is none", S("S\r\n \r\nA: b\r\n"), 0 },
        { "none", S("S\r\nA: b\r\n\r"), 0 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct slice in = guarded(cases[i].in);
        size_t seen = 0, end = 0;

        if (head_find_end(in, 0) != cases[i].end)
            fail_msg("%s", cases[i].name);
        for (size_t n = 0; n <= in.n && !end; n++) { /* as it grows */
            end = head_find_end(slice_head(in, n), seen > 3 ? seen - 3 : 0);
            seen = n;
        }
        if (end != cases[i].end)
            fail_msg("%s, byte by byte: %zu", cases[i].name, end);
    }
}

static void unfolds(void **state)
{
    static const struct {
        struct slice in, out;
    } cases[] = {
        { S("plain"), S("plain") },
        { S("a\r\n b"), S("a b") },
        { S("a \t\r\n\t \r\n b"), S("a b") },
        { S("a\n b\r\n\tc"), S("a b c") },
        { S("a\rb"), S("a b") },
        { S("a\r\n"), S("a") },
        { S(""), S("") },
    };
    char buf[32];

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct writer w = writer_of(buf, sizeof(buf));

        head_unfold(&w, guarded(cases[i].in));
        assert_true(slice_eq(writer_slice(&w), cases[i].out));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scans),
        cmocka_unit_test(windows),
        cmocka_unit_test(prefixes),
        cmocka_unit_test(finds_the_end),
        cmocka_unit_test(unfolds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
