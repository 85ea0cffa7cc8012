/* app/net/log.h - one event, one line of key=value pairs, on one descriptor
 *
 *     2026-01-02T03:04:05.678Z info msg="registered" device=3402… peer=…
 *
 * Lines of several threads never mix: each is one write(2). Bytes of a peer go
 * through log_quote or log_word, so that no peer can begin a pair of its own;
 * nobody can begin a line: control bytes and what is no UTF-8 become \xNN. */
#ifndef APP_NET_LOG_H
#define APP_NET_LOG_H

#include "base/slice.h"

#include <stdint.h>

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG, LOG_TRACE };

#define LOG_LINE_MAX 4096 /* a longer line is cut */
#define LOG_QUOTE_MAX 256 /* bytes of a peer shown at most */

/* fd: where lines go; json: one object a line. Call once, before threads. */
void log_init(int fd, enum log_level least, bool json);
/* false: the name is no level. */
bool log_level_parse(struct slice name, enum log_level *out);
void log_set_level(enum log_level least);
const char *log_level_name(enum log_level level); /* "warn" */
bool log_wants(enum log_level level);

/* Each line that is written is told to fn, too, on its thread: the pairs, clean. It
 * logs nothing itself. Call before threads, or with NULL behind them. */
typedef void log_listener_fn(void *ctx, enum log_level level, int64_t utc_ms,
                             struct slice text);
void log_listen(log_listener_fn *fn, void *ctx);

/* fmt gives the pairs: "msg=\"listening\" address=%s". */
void log_f(enum log_level level, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* s in double quotes, with \xNN for control bytes, quotes, backslashes and what
 * is no UTF-8. */
struct log_quoted {
    char text[LOG_QUOTE_MAX * 4 + 3];
};
const char *log_quote(struct log_quoted *q, struct slice s);
/* The same, without quotes where s is a word or a number. */
const char *log_word(struct log_quoted *q, struct slice s);
#endif
