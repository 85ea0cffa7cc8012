#include "app/http/csv.h"

struct csv_reader csv_reader_of(struct slice text)
{
    if (slice_has_prefix(text, SLICE("\xef\xbb\xbf")))
        text = slice_from(text, 3);
    return (struct csv_reader){ text, 1 };
}

static bool is_formula(char c)
{
    return c == '=' || c == '+' || c == '-' || c == '@' || c == '\t' ||
           c == '\r';
}

/* As csv_write has it: ' before what looks like a formula. */
static struct slice without_mark(struct slice s)
{
    return s.n > 1 && s.p[0] == '\'' && is_formula(s.p[1]) ? slice_from(s, 1)
                                                           : s;
}

static void skip_line_end(struct csv_reader *r)
{
    r->rest = slice_from(r->rest,
                         slice_has_prefix(r->rest, SLICE("\r\n")) ? 2 : 1);
    r->line++;
}

static bool at_line_end(struct slice s)
{
    return s.n && (s.p[0] == '\n' || s.p[0] == '\r');
}

struct room {
    char *p;
    size_t cap;
};

/* A cell in quotes, its opening one taken; 0, GB_ESYNTAX or GB_ELIMIT. */
static int quoted(struct csv_reader *r, struct room *room, struct slice *out)
{
    size_t n = 0;
    bool full = false;

    *out = slice_of(room->p, 0);
    while (r->rest.n) {
        char c = r->rest.p[0];
        bool twice = c == '"' && r->rest.n > 1 && r->rest.p[1] == '"';

        r->rest = slice_from(r->rest, twice ? 2 : 1);
        if (c == '"' && !twice) {
            *out = slice_of(room->p, n);
            room->p += n;
            room->cap -= n;
            if (full)
                return GB_ELIMIT;
            return !r->rest.n || r->rest.p[0] == ',' || at_line_end(r->rest)
                       ? 0
                       : GB_ESYNTAX;
        }
        r->line += c == '\n';
        full |= n == room->cap;
        if (!full)
            room->p[n++] = c;
    }
    return GB_ESYNTAX;
}

static struct slice plain(struct csv_reader *r)
{
    size_t n = 0;
    struct slice s;

    while (n < r->rest.n && r->rest.p[n] != ',' && r->rest.p[n] != '\n' &&
           r->rest.p[n] != '\r')
        n++;
    s = slice_head(r->rest, n);
    r->rest = slice_from(r->rest, n);
    return slice_trim(s);
}

/* The rest of a row that is given up. */
static void skip_row(struct csv_reader *r)
{
    size_t n = slice_find(r->rest, '\n');

    r->line += n < r->rest.n;
    r->rest = slice_from(r->rest, n + 1);
}

static int cells(struct csv_reader *r, struct csv_row *row, struct room *room)
{
    for (;;) {
        struct slice cell;
        int err = 0;

        if (row->n == CSV_COLUMNS_MAX)
            return GB_ELIMIT;
        if (r->rest.n && r->rest.p[0] == '"') {
            r->rest = slice_from(r->rest, 1);
            err = quoted(r, room, &cell);
        } else {
            cell = plain(r);
        }
        if (err)
            return err;
        row->cell[row->n++] = without_mark(cell);
        if (!r->rest.n || r->rest.p[0] != ',')
            return 0;
        r->rest = slice_from(r->rest, 1);
    }
}

int csv_next(struct csv_reader *r, struct csv_row *row, char *p, size_t cap)
{
    struct room room = { p, cap };
    int err;

    while (at_line_end(r->rest))
        skip_line_end(r);
    *row = (struct csv_row){ .line = r->line };
    if (!r->rest.n)
        return 0;
    err = cells(r, row, &room);
    if (err) {
        skip_row(r);
        return err;
    }
    if (at_line_end(r->rest))
        skip_line_end(r);
    return 1;
}

void csv_write(struct buf *out, struct slice s)
{
    bool formula = s.n && is_formula(s.p[0]), quote = false;

    for (size_t i = 0; i < s.n; i++)
        quote |= s.p[i] == '"' || s.p[i] == ',' || s.p[i] == '\n' ||
                 s.p[i] == '\r';
    quote |= s.n && (s.p[0] == ' ' || s.p[s.n - 1] == ' ');
    if (quote)
        buf_char(out, '"');
    if (formula)
        buf_char(out, '\'');
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '"')
            buf_char(out, '"');
        buf_char(out, s.p[i]);
    }
    if (quote)
        buf_char(out, '"');
}
