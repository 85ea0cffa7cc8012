/* app/http/csv: what spreadsheets write, and every way to break it */
#include "app/http/csv.h"
#include "test/support.h"

#include <stdio.h>

static char out[4000];

/* Rows as "LINE:[cell][cell] ", errors as "LINE! ". */
static const char *read_all(struct slice text)
{
    struct csv_reader r = csv_reader_of(text);
    struct csv_row row;
    char room[64];
    size_t n = 0;
    int got;

    out[0] = '\0';
    while ((got = csv_next(&r, &row, room, sizeof(room))) != 0) {
        n += (size_t)snprintf(out + n, sizeof(out) - n, "%u%c", row.line,
                              got > 0 ? ':' : '!');
        for (size_t i = 0; got > 0 && i < row.n; i++)
            n += (size_t)snprintf(out + n, sizeof(out) - n, "[%.*s]",
                                  SLICE_ARG(row.cell[i]));
        n += (size_t)snprintf(out + n, sizeof(out) - n, " ");
        assert_true(n < sizeof(out));
    }
    return out;
}

static void rows(void **state)
{
    static const struct {
        struct slice in;
        const char *want;
    } cases[] = {
        { S(""), "" },
        { S("\r\n\n"), "" },
        { S("a,b"), "1:[a][b] " },
        { S("a,b\nc,d\n"), "1:[a][b] 2:[c][d] " },
        { S("\xef\xbb\xbf" "a\r\n\r\nb\r\n"), "1:[a] 3:[b] " },
        { S(" a , b \n"), "1:[a][b] " },
        { S("a,,\n"), "1:[a][][] " },
        { S(","), "1:[][] " },
        { S("\"a,\"\"b\"\"\n c\",d\ne"), "1:[a,\"b\"\n c][d] 3:[e] " },
        { S("\"\",\"\""), "1:[][] " },
        { S("'=1+1,'a,\"'@x\""), "1:[=1+1]['a][@x] " },
        { S("\"open\na,b\n"), "1! " },
        { S("\"a\"b,c\nd\n"), "1! 2:[d] " },
        { S("a\"b,c"), "1:[a\"b][c] " },
        { S("\"0123456789012345678901234567890123456789012345678901234567890123"
            "456789\",b\nc"), "1! 2:[c] " },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        const char *got = read_all(guarded(cases[i].in));

        if (!slice_eq(slice_str(got), slice_str(cases[i].want)))
            fail_msg("%zu: %s", i, got);
    }
}

static void too_many_columns(void **state)
{
    char text[2 * CSV_COLUMNS_MAX + 4];

    (void)state;
    memset(text, ',', sizeof(text));
    text[sizeof(text) - 2] = '\n';
    text[sizeof(text) - 1] = 'x';
    assert_string_equal(read_all(slice_of(text, sizeof(text))), "1! 2:[x] ");
}

/* What is written comes back, and no spreadsheet runs it. */
static void there_and_back(void **state)
{
    static const char alphabet[] = "a,\"\n' =@-\t";
    uint64_t rnd = 3;

    (void)state;
    for (unsigned round = 0; round < 20000; round++) {
        char cell[3][8], room[64];
        size_t len[3];
        struct buf b;
        struct csv_reader r;
        struct csv_row row;

        buf_init(&b, &gb_alloc_heap, 1000);
        for (unsigned i = 0; i < 3; i++) {
            len[i] = (size_t)(test_random(&rnd) % 7);
            for (size_t k = 0; k < len[i]; k++)
                cell[i][k] = alphabet[test_random(&rnd) %
                                      (sizeof(alphabet) - 1)];
            /* blanks of one kind only are trimmed from plain cells */
            if (len[i] && (cell[i][len[i] - 1] == '\t' || cell[i][0] == '\t' ||
                           cell[i][0] == '\''))
                len[i] = 0;
            if (i)
                buf_char(&b, ',');
            csv_write(&b, slice_of(cell[i], len[i]));
        }
        r = csv_reader_of(buf_view(&b));
        assert_int_equal(csv_next(&r, &row, room, sizeof(room)), 1);
        assert_int_equal(row.n, 3);
        for (unsigned i = 0; i < 3; i++)
            if (!slice_eq(row.cell[i], slice_of(cell[i], len[i])))
                fail_msg("round %u: %.*s became %.*s", round, (int)len[i],
                         cell[i], SLICE_ARG(row.cell[i]));
        buf_fini(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows),
        cmocka_unit_test(too_many_columns),
        cmocka_unit_test(there_and_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
