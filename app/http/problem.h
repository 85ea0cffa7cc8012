/* app/http/problem.h - errors as problem objects (RFC 9457)
 *
 * Beside type, title, status and detail each tells code (stable, for
 * programs), step (which link of the chain broke), evidence (what was seen)
 * and hint (what to try). */
#ifndef APP_HTTP_PROBLEM_H
#define APP_HTTP_PROBLEM_H

#include "app/http/buf.h"

#define HTTP_PROBLEM_TYPE "application/problem+json"
#define HTTP_CHALLENGE "Bearer realm=\"gb28181d\"" /* of each 401 */

struct http_problem {
    unsigned status;
    const char *code;   /* "device-offline"; NULL: made of the status' phrase */
    const char *detail; /* a sentence; NULL: left out. As are the next four */
    struct slice step, evidence, hint;
    struct slice errors; /* a JSON array, one object a field that is wrong */
};

/* Beside detail, evidence and hint stand detail_zh, evidence_zh and hint_zh where
 * there are words for them. */
void http_problem_write(struct buf *out, const struct http_problem *p);

/* KEY, and KEY_zh in Chinese: "" where there are no words for it. */
struct jw;
void http_put_words(struct jw *j, const char *key, struct slice text);
#endif
