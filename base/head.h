/* base/head.h - the lines of a header block, as SIP, HTTP and RTSP share them
 *
 * A scanner over bytes that the caller holds: a start line, then lines of
 * "name: value", then an empty line. It copies nothing, and it judges little:
 * what a strict grammar must refuse (folding, LF without CR, ...) it accepts
 * and reports in flags, so that SIP can be lenient and HTTP strict on top of
 * the same scan.
 *
 *     struct head h;
 *     head_init(&h, bytes);
 *     err = head_start(&h, &line);
 *     while ((err = head_next(&h, &f)) == 0)  use(&f);
 *     GB_ENOENT: all is well, the body begins at bytes.p + h.off */
#ifndef BASE_HEAD_H
#define BASE_HEAD_H

#include "base/err.h"
#include "base/slice.h"

enum head_flag {
    HEAD_FOLDED = 1,      /* continued on the next line (obsolete folding) */
    HEAD_BARE_LF = 2,     /* a line ended in LF without CR */
    HEAD_BARE_CR = 4,     /* a CR that no LF follows, inside the line */
    HEAD_NAME_BLANK = 8,  /* blanks between name and colon */
    HEAD_NUL = 16,        /* a NUL inside the line */
};

struct head_field {
    struct slice name;  /* without blanks before the colon; not checked to be
                           a token, never empty */
    struct slice value; /* trimmed at both ends; folds are still inside, as
                           CR? LF blank+. May be empty */
    struct slice line;  /* name to end of value, untrimmed, no line end */
    unsigned flags;     /* enum head_flag, of this field */
};

struct head {
    struct slice bytes; /* borrowed */
    size_t off;         /* where the next line starts */
    unsigned flags;     /* all flags seen so far */
    size_t block;       /* private: offset of the window that the masks cover */
    uint64_t lf, odd;   /* private: LF; CR or NUL in the window */
};

/* bytes may reach past the header block (a body, the next message). */
void head_init(struct head *h, struct slice bytes);

/* The same, to go on with head_next at off, where a line starts. */
void head_init_at(struct head *h, struct slice bytes, size_t off);

/* The first line, trimmed of blanks at its end, without its line end. Empty
 * lines before it are skipped. The start line is never folded: a blank at the
 * start of the second line is for head_next to refuse.
 *
 * 0, or GB_EAGAIN: no LF in bytes. */
int head_start(struct head *h, struct slice *line);

/* The next field.
 *
 * 0          *f is filled
 * GB_ENOENT  the empty line was read: h->off is the first byte behind it
 * GB_EAGAIN  bytes end before the empty line
 * GB_ESYNTAX the line has no colon, no name, or is a fold with nothing before
 *            it; f->line is the line; the scan may go on behind it */
int head_next(struct head *h, struct head_field *f);

/* Length of the header block that bytes begin with, the empty line included;
 * 0 when the empty line is not there yet. Bytes before `from` are known to
 * hold no empty line (pass what an earlier call was given less 3, or 0), so a
 * growing buffer is not scanned twice. */
size_t head_find_end(struct slice bytes, size_t from);

/* Appends `value` with each fold as one blank; a copy when there is none. */
struct writer;
void head_unfold(struct writer *w, struct slice value);
#endif
