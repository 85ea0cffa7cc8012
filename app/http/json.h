/* app/http/json.h - streaming JSON writer (RFC 8259)
 *
 * Commas and nesting are kept by the writer; a call in the wrong place (a value
 * without a key in an object, an end too many, more than JSON_DEPTH_MAX levels)
 * sets the error GB_ESTATE instead of writing bad JSON. Errors are sticky and
 * stay in the buffer. Text need not be UTF-8: each malformed byte becomes
 * U+FFFD. JSON comes in through jansson. */
#ifndef APP_HTTP_JSON_H
#define APP_HTTP_JSON_H

#include "app/http/buf.h"

#define JSON_DEPTH_MAX 32

struct json {
    struct buf *out;
    uint32_t is_object;   /* a bit a level */
    uint32_t has_item;    /* a bit a level */
    unsigned depth;
    bool has_key;         /* a key waits for its value */
    bool done;            /* the outermost value is complete */
};

static inline struct json json_to(struct buf *out)
{
    return (struct json){ .out = out };
}

void json_object(struct json *j);
void json_array(struct json *j);
void json_end(struct json *j); /* of the innermost object or array */

void json_key(struct json *j, const char *key); /* a C string of our own */
void json_str(struct json *j, struct slice s);
void json_u64(struct json *j, uint64_t v);
void json_i64(struct json *j, int64_t v);
void json_double(struct json *j, double v); /* not finite: null */
void json_bool(struct json *j, bool v);
void json_null(struct json *j);

/* Text that is one JSON value already (of our own making). */
void json_raw(struct json *j, struct slice value);

/* key and value in one call. */
void json_put_str(struct json *j, const char *key, struct slice s);
void json_put_cstr(struct json *j, const char *key, const char *s);
void json_put_u64(struct json *j, const char *key, uint64_t v);
void json_put_i64(struct json *j, const char *key, int64_t v);
void json_put_double(struct json *j, const char *key, double v);
void json_put_bool(struct json *j, const char *key, bool v);
void json_put_null(struct json *j, const char *key);

/* An id of 64 bits as a string: numbers above 2^53 do not survive
 * JavaScript. */
void json_put_id(struct json *j, const char *key, uint64_t id);

/* "2026-01-02T03:04:05.678Z" (RFC 3339); 0 is null: unknown. */
void json_put_time(struct json *j, const char *key, int64_t utc_ms);

/* True when one whole value was written and nothing failed. */
bool json_is_complete(const struct json *j);
#endif
