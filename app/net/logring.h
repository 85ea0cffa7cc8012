/* app/net/logring.h - the last lines of the log, numbered from 1
 *
 * Bounded in lines and bytes; the oldest go. Lines come from every thread, readers
 * are given copies: all of it is under one lock. */
#ifndef APP_NET_LOGRING_H
#define APP_NET_LOGRING_H

#include "app/net/log.h"

#include <stdint.h>

#define LOGRING_LINES_MAX 4096
#define LOGRING_BYTES (512u * 1024) /* memory for the last lines of the log, taken as they come */
#define LOGRING_Q_MAX 128           /* bytes of a text that is looked for */

struct logring;

/* What a reader wants: of this level or worse, with this text in it, ASCII case
 * ignored; "": any. */
struct logring_filter {
    enum log_level least;
    char q[LOGRING_Q_MAX + 1];
};

/* One line as it was written, behind its time and level. */
struct logring_line {
    uint64_t seq;
    int64_t utc_ms;
    enum log_level level;
    size_t len;
    char text[LOG_LINE_MAX];
};

int logring_new(struct logring **out);
void logring_free(struct logring *r);

/* From any thread. */
void logring_put(struct logring *r, enum log_level level, int64_t utc_ms,
                 struct slice text);

/* The number of the newest line, 0: there is none yet. Takes no lock. */
uint64_t logring_last(struct logring *r);

/* The oldest line behind `after` that fits; false: there is none. */
bool logring_next(struct logring *r, const struct logring_filter *f,
                  uint64_t after, struct logring_line *out);

/* The number behind which the newest n that fit are; *total: all that fit. */
uint64_t logring_newest(struct logring *r, const struct logring_filter *f,
                        size_t n, size_t *total);
#endif
