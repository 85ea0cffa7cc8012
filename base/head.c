#include "base/head.h"

#include "base/scan.h"
#include "base/writer.h"

/* One pass: the masks of a window of 64 octets say where its LFs are, and
 * where a CR or NUL might need a second look. `lf` and `odd` keep only bits
 * that have not been passed yet. */

static void load_window(struct head *h)
{
    struct scan_masks m = { 0, 0 };
    const char *p = h->bytes.p + h->block;
    size_t left = h->bytes.n - h->block;

    if (left >= SCAN_WINDOW)
        m = scan_window(p);
    else if (left)
        m = scan_window_part(p, left);
    h->lf = m.lf;
    h->odd = m.odd;
}

void head_init(struct head *h, struct slice bytes)
{
    head_init_at(h, bytes, 0);
}

void head_init_at(struct head *h, struct slice bytes, size_t off)
{
    h->bytes = bytes;
    h->off = h->block = off;
    h->flags = 0;
    h->lf = h->odd = 0;
    if (off < bytes.n)
        load_window(h);
}

/* The next LF at or behind h->off. *odd: a CR or NUL stands before it that is
 * not plainly the CR of the line end. */
static bool next_lf(struct head *h, size_t *at, bool *odd)
{
    uint64_t bit, before;

    *odd = false;
    while (h->lf == 0) {
        *odd |= h->odd != 0;
        if (h->bytes.n <= h->block + SCAN_WINDOW)
            return false;
        h->block += SCAN_WINDOW;
        load_window(h);
    }
    bit = h->lf & (~h->lf + 1);
    before = bit - 1;
    *odd |= (h->odd & before & ~(bit >> 1)) != 0;
    h->odd &= ~(before | bit);
    h->lf &= h->lf - 1;
    *at = h->block + (size_t)__builtin_ctzll(bit);
    return true;
}

/* What made the scan suspicious: the line end's CR in an earlier window, or
 * something real. */
static unsigned odd_flags(const char *p, size_t n)
{
    unsigned flags = 0;

    for (size_t i = 0; i < n; i++) {
        if (p[i] == '\0')
            flags |= HEAD_NUL;
        else if (p[i] == '\r' && (i + 1 == n || p[i + 1] != '\n'))
            flags |= HEAD_BARE_CR;
    }
    return flags;
}

/* One physical line: h->off moves behind it, *end is where its text ends. */
static bool next_line(struct head *h, size_t *end, unsigned *flags)
{
    size_t start = h->off, at;
    bool odd;

    if (!next_lf(h, &at, &odd))
        return false;
    if (odd)
        *flags |= odd_flags(h->bytes.p + start, at + 1 - start);
    if (at > start && h->bytes.p[at - 1] == '\r')
        *end = at - 1;
    else
        *end = at, *flags |= HEAD_BARE_LF;
    h->off = at + 1;
    return true;
}

int head_start(struct head *h, struct slice *line)
{
    size_t start, end;
    unsigned flags = 0;

    do {
        start = h->off;
        if (!next_line(h, &end, &flags))
            return GB_EAGAIN;
    } while (end == start);
    h->flags |= flags;
    while (end > start && ascii_is_blank(h->bytes.p[end - 1]))
        end--;
    *line = slice_of(h->bytes.p + start, end - start);
    return 0;
}

/* Cuts f->line at its colon. */
static int split(struct head_field *f)
{
    const char *p = f->line.p;
    size_t n = f->line.n, colon = scan_char(p, n, ':'), name = colon;

    if (colon == n || ascii_is_blank(p[0]))
        return GB_ESYNTAX;
    while (name && ascii_is_blank(p[name - 1])) {
        name--;
        f->flags |= HEAD_NAME_BLANK;
    }
    if (name == 0)
        return GB_ESYNTAX;
    f->name = slice_of(p, name);
    if ((f->flags & HEAD_FOLDED) && scan_char(p, name, '\n') < name)
        return GB_ESYNTAX;
    f->value = slice_trim(slice_of(p + colon + 1, n - colon - 1));
    return 0;
}

int head_next(struct head *h, struct head_field *f)
{
    size_t start = h->off, end;
    int err;

    f->flags = 0;
    if (!next_line(h, &end, &f->flags))
        return GB_EAGAIN;
    if (end == start) {
        h->flags |= f->flags;
        return GB_ENOENT;
    }
    while (h->off < h->bytes.n && ascii_is_blank(h->bytes.p[h->off])) {
        if (!next_line(h, &end, &f->flags))
            return GB_EAGAIN;
        f->flags |= HEAD_FOLDED;
    }
    f->line = slice_of(h->bytes.p + start, end - start);
    err = split(f);
    h->flags |= f->flags;
    return err;
}

size_t head_find_end(struct slice bytes, size_t from)
{
    const char *p = bytes.p;
    size_t i = 0;

    while (i < bytes.n && (p[i] == '\r' || p[i] == '\n'))
        i++;
    if (i < from)
        i = from;
    while (i < bytes.n) {
        const char *lf = memchr(p + i, '\n', bytes.n - i);

        if (!lf)
            return 0;
        i = (size_t)(lf - p) + 1;
        if (i < bytes.n && p[i] == '\n')
            return i + 1;
        if (i + 1 < bytes.n && p[i] == '\r' && p[i + 1] == '\n')
            return i + 2;
    }
    return 0;
}

void head_unfold(struct writer *w, struct slice value)
{
    size_t i = 0;

    if (writer_safe_run(value) == value.n) { /* not folded, as nearly all */
        writer_slice_put(w, value);
        return;
    }
    while (i < value.n) {
        size_t end = i, text;

        while (end < value.n && value.p[end] != '\r' && value.p[end] != '\n')
            end++;
        text = end;
        while (end < value.n && text > i && ascii_is_blank(value.p[text - 1]))
            text--;
        writer_bytes(w, value.p + i, text - i);
        if (end == value.n)
            return;
        while (end < value.n && ascii_is_space(value.p[end]))
            end++;
        if (end < value.n)
            writer_char(w, ' ');
        i = end;
    }
}
