/* app/http/json.h - streaming JSON writer (RFC 8259)
 *
 * Commas and nesting are kept by the writer; a call in the wrong place (a value
 * without a key in an object, an end too many, more than JW_DEPTH_MAX levels)
 * sets the error GB_ESTATE instead of writing bad JSON. Errors are sticky and
 * stay in the buffer. Text need not be UTF-8: each malformed byte becomes
 * U+FFFD. JSON comes in through jansson, whose names begin with json_. */
#ifndef APP_HTTP_JSON_H
#define APP_HTTP_JSON_H

#include "app/http/buf.h"

#define JW_DEPTH_MAX 32

struct jw {
    struct buf *out;
    uint32_t is_object;   /* a bit a level */
    uint32_t has_item;    /* a bit a level */
    unsigned depth;
    bool has_key;         /* a key waits for its value */
    bool done;            /* the outermost value is complete */
};

static inline struct jw jw_to(struct buf *out)
{
    return (struct jw){ .out = out };
}

void jw_object(struct jw *j);
void jw_array(struct jw *j);
void jw_end(struct jw *j); /* of the innermost object or array */

void jw_key(struct jw *j, const char *key); /* a C string of our own */
void jw_str(struct jw *j, struct slice s);
void jw_u64(struct jw *j, uint64_t v);
void jw_i64(struct jw *j, int64_t v);
void jw_double(struct jw *j, double v); /* not finite: null */
void jw_bool(struct jw *j, bool v);
void jw_null(struct jw *j);

/* Text that is one JSON value already (of our own making). */
void jw_raw(struct jw *j, struct slice value);

/* key and value in one call. */
void jw_put_str(struct jw *j, const char *key, struct slice s);
void jw_put_cstr(struct jw *j, const char *key, const char *s);
void jw_put_u64(struct jw *j, const char *key, uint64_t v);
void jw_put_i64(struct jw *j, const char *key, int64_t v);
void jw_put_double(struct jw *j, const char *key, double v);
void jw_put_bool(struct jw *j, const char *key, bool v);
void jw_put_null(struct jw *j, const char *key);

/* An id of 64 bits as a string: numbers above 2^53 do not survive
 * JavaScript. */
void jw_put_id(struct jw *j, const char *key, uint64_t id);
void jw_put_id_or_null(struct jw *j, const char *key, uint64_t id); /* 0: null */

/* "2026-01-02T03:04:05.678Z" (RFC 3339). false: 0 is unknown, and beyond the year
 * 9999 there are no words. */
#define JW_TIME_MAX 48
bool jw_time_text(char text[static JW_TIME_MAX], int64_t utc_ms);
/* The same as a member, or null. */
void jw_put_time(struct jw *j, const char *key, int64_t utc_ms);

/* True when one whole value was written and nothing failed. */
bool jw_is_complete(const struct jw *j);
#endif
