/* base/err.h - error codes of the whole project, and where an input is wrong
 *
 * 0 is success and every error is negative, clear of libuv's UV_E codes, so
 * that both fit in one int. */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stddef.h>

#define GB_ERR_MAP(X)                                                          \
    X(EAGAIN,  "more input is needed")                                         \
    X(ESYNTAX, "malformed input")                                              \
    X(ERANGE,  "number or length out of range")                                \
    X(ENOMEM,  "arena or pool is exhausted")                                   \
    X(ELIMIT,  "a configured limit is reached")                                \
    X(ENOENT,  "no such object")                                               \
    X(EEXIST,  "object exists already")                                        \
    X(ESTATE,  "not possible in this state")                                   \
    X(EAUTH,   "credentials are missing or wrong")                             \
    X(ECHARSET, "text cannot be converted")                                    \
    X(EUNSUPPORTED, "not supported")                                           \
    X(EBUSY,   "the peer asked to be left alone for a while")                  \
    X(EIO,     "input or output failed")

enum gb_err {
    GB_OK = 0,
    GB_ERR_BASE_ = -10000, /* counts up from here; clear of the UV_E codes */
#define X(id, text) GB_##id,
    GB_ERR_MAP(X)
#undef X
};

/* Where an input is wrong, and why. Filled only on error. */
struct gb_diag {
    size_t off;      /* bytes from the start of the input */
    const char *why; /* static string */
};

/* The sentence of a code; never NULL. 0 gives "ok". */
const char *gb_strerror(int err);

/* Sets *diag when diag is not NULL; returns err, so that a parser can write
 * `return gb_fail(diag, GB_ESYNTAX, off, "no colon");`. */
int gb_fail(struct gb_diag *diag, int err, size_t off, const char *why);
#endif
