/* app/http/csv.h - comma-separated values (RFC 4180)
 *
 * Reading takes what spreadsheets write: LF or CRLF, quotes or none, a byte
 * order mark, empty lines. Writing quotes what needs it, and puts ' before a
 * text that a spreadsheet would run as a formula; reading takes it off. */
#ifndef APP_HTTP_CSV_H
#define APP_HTTP_CSV_H

#include "app/http/buf.h"

#define CSV_COLUMNS_MAX 64

struct csv_reader {
    struct slice rest;
    unsigned line; /* where the next row begins, from 1 */
};

struct csv_row {
    unsigned line;  /* where it began */
    size_t n;       /* cells */
    struct slice cell[CSV_COLUMNS_MAX]; /* into the text, or into room */
};

struct csv_reader csv_reader_of(struct slice text);

/* The next row that is not empty. Cells with doubled quotes are written to
 * room, cap bytes, which must live as long as the row. 1; 0 at the end;
 * GB_ESYNTAX (a quote that never ends, or text behind one), GB_ELIMIT (too many
 * columns, or room is too small): the reader is past that row. */
int csv_next(struct csv_reader *r, struct csv_row *row, char *room, size_t cap);

/* Appends a cell; the commas and line ends are the caller's. */
void csv_write(struct buf *out, struct slice cell);
#endif
