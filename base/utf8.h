/* base/utf8.h - is it UTF-8? (RFC 3629: no surrogates, no overlong forms,
 * nothing above U+10FFFF) */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Zeroed: between two characters. */
struct utf8 {
    uint8_t more;   /* continuation bytes to come */
    uint8_t lo, hi; /* the range of the next one */
};

/* Takes one byte; false: not UTF-8. */
bool utf8_step(struct utf8 *u, uint8_t byte);

/* Bytes of the valid character at p (n > 0 bytes left), or 0. */
size_t utf8_len(const char *p, size_t n);
#endif
