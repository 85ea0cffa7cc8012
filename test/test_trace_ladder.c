/* The ladder: golden text at several widths, never a line too wide. */
#include "test/support.h"

#include <stdio.h>

#include "app/trace/ladder.h"

#define T0 1700000000000

static const struct ladder_item calls[] = {
    { T0, false, S("34020000001320000001"), S("REGISTER"), 0, S(""), S(""), 1,
      1 },
    { T0 + 1, true, S("34020000001320000001"), S("REGISTER"), 401,
      S("Unauthorized"), S(""), 1, 1 },
    { T0 + 60000, false, S("34020000001320000001"), S("MESSAGE"), 0, S(""),
      S("Keepalive"), 20, 57 },
    { T0 + 61234, true, S("34020000001320000002"), S("INVITE"), 0, S(""),
      S(""), 2, 1 },
    { T0 + 61300, false, S("34020000001320000002"), S("INVITE"), 488,
      S("Not Acceptable Here because the encoder of this channel is busy with "
        "another stream that nobody has asked for"),
      S(""), 2, 1 },
    { T0 + 61400, false, S("34020000001320000003"), S("MESSAGE"), 200,
      S("\xe5\xa5\xbd"), S(""), 4294967295u, 1 },
    { T0 + 61500, false, S(""), S(""), 0, S(""), S(""), 0, 1 },
    { T0 - 1500, false, S("34020000001320000001"), S("BYE"), 0, S(""), S(""),
      3, 1 },
};

static size_t draw(char *out, size_t cap, unsigned width, bool colour,
                   bool chinese, size_t devices, bool announced)
{
    const struct ladder_config cfg = { width, colour, chinese };
    struct writer w = writer_of(out, cap);
    struct ladder l;

    ladder_init(&l, &cfg);
    for (size_t i = 0; announced && i < COUNT(calls); i++)
        if (i < devices)
            ladder_party(&l, calls[i].device);
    for (size_t i = 0; i < COUNT(calls) && i < devices; i++)
        ladder_row(&l, &w, &calls[i]);
    assert_int_equal(w.err, 0);
    return w.len;
}

static void golden(void **state)
{
    static char out[65536];
    struct writer w = writer_of(out, sizeof(out));

    (void)state;
    for (unsigned width = 80; width <= 120; width += 40) {
        writer_f(&w, "== %u, one device\n", width);
        w.len += draw(out + w.len, sizeof(out) - w.len, width, false, false,
                      3, true);
        writer_f(&w, "== %u, all announced\n", width);
        w.len += draw(out + w.len, sizeof(out) - w.len, width, false, false,
                      COUNT(calls), true);
        writer_f(&w, "== %u, as they come, Chinese\n", width);
        w.len += draw(out + w.len, sizeof(out) - w.len, width, false, true,
                      COUNT(calls), false);
    }
    writer_f(&w, "== colours\n");
    w.len += draw(out + w.len, sizeof(out) - w.len, 80, true, false, 3, true);
    expect_golden("test/data/trace/ladder.txt", writer_slice(&w));
}

/* Columns of a line: UTF-8 characters, those of Chinese two. */
static size_t columns(struct slice s)
{
    size_t n = 0;

    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];

        n += c < 0x80 ? 1 : c >= 0xe0 ? 2 : 0;
    }
    return n;
}

static void no_line_is_too_wide(void **state)
{
    static char out[65536];

    (void)state;
    for (unsigned width = 0; width < 300; width++)
        for (int chinese = 0; chinese < 2; chinese++) {
            size_t n = draw(out, sizeof(out), width, false, chinese,
                            COUNT(calls), chinese), most;
            struct slice rest = slice_of(out, n), line;

            most = width < LADDER_WIDTH_MIN ? LADDER_WIDTH_MIN : width;
            while (slice_cut(&rest, '\n', &line))
                if (columns(line) > most)
                    fail_msg("%u: %.*s", width, SLICE_ARG(line));
        }
}

/* More devices than columns: the last one is shared. */
static void many_devices(void **state)
{
    static char out[65536];
    struct writer w = writer_of(out, sizeof(out));
    const struct ladder_config cfg = { 80, false, false };
    struct ladder l;

    (void)state;
    ladder_init(&l, &cfg);
    for (unsigned i = 0; i < 20; i++) {
        char id[24];
        struct ladder_item item = calls[0];

        snprintf(id, sizeof(id), "3402000000132%07u", i);
        item.device = slice_str(id);
        ladder_row(&l, &w, &item);
    }
    assert_int_equal(w.err, 0);
    assert_true(slice_find_slice(writer_slice(&w), SLICE("others")) < w.len);
    assert_true(slice_find_slice(writer_slice(&w), SLICE("000006")) == w.len);
}

static void ids_do_not_steer(void **state)
{
    char out[LADDER_ROW_MAX];
    struct writer w = writer_of(out, sizeof(out));
    const struct ladder_config cfg = { 80, false, false };
    struct ladder_item item = calls[0];
    struct ladder l;

    (void)state;
    ladder_init(&l, &cfg);
    item.device = SLICE("a\x1b[31m\n\xff");
    item.reason = item.method = SLICE("\x1b]0;x\x07");
    item.status = 200;
    ladder_row(&l, &w, &item);
    assert_int_equal(w.err, 0);
    for (size_t i = 0; i < w.len; i++)
        assert_true(out[i] == '\n' || (out[i] >= 0x20 && out[i] != 0x7f));
    assert_int_equal(l.n_devices, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden),
        cmocka_unit_test(no_line_is_too_wide),
        cmocka_unit_test(many_devices),
        cmocka_unit_test(ids_do_not_steer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
