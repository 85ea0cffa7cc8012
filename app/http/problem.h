/* app/http/problem.h - errors as problem objects (RFC 9457)
 *
 * Beside type, title, status and detail each tells code (stable, for
 * programs), step (which link of the chain broke), evidence (what was seen)
 * and hint (what to try). */
#ifndef APP_HTTP_PROBLEM_H
#define APP_HTTP_PROBLEM_H

#include "app/http/buf.h"

#define HTTP_PROBLEM_TYPE "application/problem+json"

struct http_problem {
    unsigned status;
    const char *code;   /* "device-offline"; NULL: made of the status' phrase */
    const char *detail; /* a sentence; NULL: left out. As are the next four */
    struct slice step, evidence, hint;
    struct slice errors; /* a JSON array, one object a field that is wrong */
};

void http_problem_write(struct buf *out, const struct http_problem *p);
#endif
