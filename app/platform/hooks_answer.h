/* app/platform/hooks_answer.h - the head of an HTTP answer, as much of it as the
 * caller of a webhook needs (RFC 9112 §4, §6) */
#ifndef APP_PLATFORM_HOOKS_ANSWER_H
#define APP_PLATFORM_HOOKS_ANSWER_H

#include "base/err.h"
#include "base/slice.h"

#define HOOKS_ANSWER_HEAD_MAX 16384

struct hooks_answer {
    unsigned status;        /* 100 to 599 */
    uint64_t length;        /* of the body, if it is known */
    bool is_known;          /* length is */
    bool keeps;             /* the connection may be used again behind it */
    uint32_t retry_after_s; /* 0: not said; a date counts from that of the
                               answer */
};

/* The bytes of the head with its empty line; GB_EAGAIN: it is not complete;
 * GB_ESYNTAX, GB_ELIMIT. */
long hooks_answer_parse(struct hooks_answer *out, struct slice bytes);
#endif
