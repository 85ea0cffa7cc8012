/* Any bytes read as CSV: rows lie in the input or in the room given, lines only
 * go on, and what is read can be written and read again the same. */
#include "fuzz/fuzz.h"
#include "fuzz/memory.h"

#include "app/http/csv.h"

#include <stdlib.h>

/* A plain cell is trimmed, a marked one loses its mark: not all texts come
 * back, but those that CSV gave do. */
static bool comes_back(struct slice s)
{
    return !s.n || (s.p[0] != '\'' && slice_trim(s).n == s.n &&
                    !slice_has_prefix(s, SLICE("\xef\xbb\xbf")));
}

static void again(const struct csv_row *row)
{
    static char room[1 << 17];
    struct csv_reader r;
    struct csv_row back;
    struct buf b;

    buf_init(&b, &memory_alloc, 1 << 20);
    for (size_t i = 0; i < row->n; i++) {
        if (i)
            buf_char(&b, ',');
        csv_write(&b, row->cell[i]);
    }
    r = csv_reader_of(buf_view(&b));
    if (row->n > 1) {
        require(csv_next(&r, &back, room, sizeof(room)) == 1);
        require(back.n == row->n);
        for (size_t i = 0; i < row->n; i++)
            require(!comes_back(row->cell[i]) ||
                 slice_eq(back.cell[i], row->cell[i]));
    }
    buf_fini(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    struct csv_reader r = csv_reader_of(slice_of((const char *)p, n));
    struct csv_row row;
    char room[256];
    unsigned line = 0;
    int got;

    while ((got = csv_next(&r, &row, room, sizeof(room))) != 0) {
        require(row.line >= line && row.line <= n + 1);
        line = row.line;
        if (got > 0)
            again(&row);
    }
    memory_end();
    return 0;
}
