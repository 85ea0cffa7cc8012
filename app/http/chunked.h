/* app/http/chunked.h - a request body that comes in chunks (RFC 9112 §7.1)
 *
 *     5;ext=1 CRLF hello CRLF 0 CRLF Trailer: x CRLF CRLF
 *
 * Strict, as app/http/http_head.h: a size is at most eight hex digits and nothing
 * else, lines end in CRLF. Extensions and trailers are read over, within a
 * limit. */
#ifndef APP_HTTP_CHUNKED_H
#define APP_HTTP_CHUNKED_H

#include "base/err.h"

#include <stdint.h>

#define CHUNKED_DIGITS_MAX 8
#define CHUNKED_EXT_MAX 256      /* bytes behind the size of one chunk */
#define CHUNKED_TRAILER_MAX 4096 /* bytes of all fields behind the last one */

enum chunked_state {
    CHUNKED_SIZE, /* zero: nothing has come */
    CHUNKED_EXT,
    CHUNKED_SIZE_LF,
    CHUNKED_DATA,
    CHUNKED_DATA_CR,
    CHUNKED_DATA_LF,
    CHUNKED_LINE, /* a trailer, or the empty line, begins */
    CHUNKED_TRAILER,
    CHUNKED_TRAILER_LF,
    CHUNKED_END_LF,
    CHUNKED_DONE
};

/* Zeroed before its first use. */
struct chunked {
    enum chunked_state state;
    uint32_t left;  /* SIZE: its value so far; DATA: bytes to come */
    unsigned n;     /* digits, or bytes of an extension or of the trailers */
};

/* Decodes n bytes at p in place: of the body *n_body bytes stand at p then.
 *
 * How many of the n it took: all, unless state is DONE; GB_ESYNTAX, or GB_ELIMIT
 * for what is too long. */
long chunked_decode(struct chunked *d, char *p, size_t n, size_t *n_body);
#endif
