#include "app/http/json.h"

#include "base/utf8.h"

#include <math.h>
#include <stdio.h>

static void misuse(struct jw *j)
{
    if (!j->out->err)
        j->out->err = GB_ESTATE;
}

static bool in_object(const struct jw *j)
{
    return j->depth && (j->is_object >> (j->depth - 1) & 1);
}

static void comma(struct jw *j)
{
    uint32_t bit;

    if (j->depth == 0)
        return;
    bit = 1u << (j->depth - 1);
    if (j->has_item & bit)
        buf_char(j->out, ',');
    j->has_item |= bit;
}

/* Before every value: is it allowed here? */
static bool begin(struct jw *j)
{
    if (j->done || (in_object(j) && !j->has_key)) {
        misuse(j);
        return false;
    }
    if (!in_object(j))
        comma(j);
    j->has_key = false;
    if (j->depth == 0)
        j->done = true; /* open() takes it back */
    return j->out->err == 0;
}

static void open(struct jw *j, bool object)
{
    if (j->depth == JW_DEPTH_MAX) {
        misuse(j);
        return;
    }
    if (!begin(j))
        return;
    j->done = false;
    buf_char(j->out, object ? '{' : '[');
    if (object)
        j->is_object |= 1u << j->depth;
    else
        j->is_object &= ~(1u << j->depth);
    j->has_item &= ~(1u << j->depth);
    j->depth++;
}

void jw_object(struct jw *j)
{
    open(j, true);
}

void jw_array(struct jw *j)
{
    open(j, false);
}

void jw_end(struct jw *j)
{
    if (j->depth == 0 || j->has_key) {
        misuse(j);
        return;
    }
    buf_char(j->out, in_object(j) ? '}' : ']');
    j->depth--;
    j->done = j->depth == 0;
}

/* Bytes at the start of s that need no escape and are plain ASCII. */
static size_t plain_len(struct slice s)
{
    size_t i = 0;

    while (i < s.n && (uint8_t)s.p[i] >= 0x20 && (uint8_t)s.p[i] < 0x80 &&
           s.p[i] != '"' && s.p[i] != '\\')
        i++;
    return i;
}

static void escape(struct buf *out, uint8_t c)
{
    static const char letters[] = "\"\\\b\f\n\r\t", names[] = "\"\\bfnrt";
    const char *at = c ? strchr(letters, c) : NULL;

    if (at)
        buf_f(out, "\\%c", names[at - letters]);
    else
        buf_f(out, "\\u%04x", (unsigned)c);
}

static void quote(struct jw *j, struct slice s)
{
    buf_char(j->out, '"');
    while (s.n && !j->out->err) {
        size_t n = plain_len(s);

        buf_bytes(j->out, s.p, n);
        s = slice_from(s, n);
        if (s.n == 0)
            break;
        if ((uint8_t)s.p[0] < 0x80) {
            escape(j->out, (uint8_t)s.p[0]);
            s = slice_from(s, 1);
            continue;
        }
        n = utf8_len(s.p, s.n);
        if (n)
            buf_bytes(j->out, s.p, n);
        else
            buf_str(j->out, "\xef\xbf\xbd");
        s = slice_from(s, n ? n : 1);
    }
    buf_char(j->out, '"');
}

void jw_key(struct jw *j, const char *key)
{
    if (!in_object(j) || j->has_key) {
        misuse(j);
        return;
    }
    comma(j);
    quote(j, slice_str(key));
    buf_char(j->out, ':');
    j->has_key = true;
}

void jw_str(struct jw *j, struct slice s)
{
    if (begin(j))
        quote(j, s);
}

void jw_u64(struct jw *j, uint64_t v)
{
    if (begin(j))
        buf_u64(j->out, v);
}

void jw_i64(struct jw *j, int64_t v)
{
    if (!begin(j))
        return;
    if (v < 0)
        buf_char(j->out, '-');
    buf_u64(j->out, v < 0 ? ~(uint64_t)v + 1 : (uint64_t)v);
}

void jw_double(struct jw *j, double v)
{
    if (!begin(j))
        return;
    if (isfinite(v))
        buf_f(j->out, "%.15g", v);
    else
        buf_str(j->out, "null");
}

void jw_bool(struct jw *j, bool v)
{
    if (begin(j))
        buf_str(j->out, v ? "true" : "false");
}

void jw_null(struct jw *j)
{
    if (begin(j))
        buf_str(j->out, "null");
}

void jw_raw(struct jw *j, struct slice value)
{
    if (begin(j))
        buf_slice(j->out, value);
}

void jw_put_str(struct jw *j, const char *key, struct slice s)
{
    jw_key(j, key);
    jw_str(j, s);
}

void jw_put_cstr(struct jw *j, const char *key, const char *s)
{
    jw_put_str(j, key, slice_str(s));
}

void jw_put_u64(struct jw *j, const char *key, uint64_t v)
{
    jw_key(j, key);
    jw_u64(j, v);
}

void jw_put_i64(struct jw *j, const char *key, int64_t v)
{
    jw_key(j, key);
    jw_i64(j, v);
}

void jw_put_double(struct jw *j, const char *key, double v)
{
    jw_key(j, key);
    jw_double(j, v);
}

void jw_put_bool(struct jw *j, const char *key, bool v)
{
    jw_key(j, key);
    jw_bool(j, v);
}

void jw_put_null(struct jw *j, const char *key)
{
    jw_key(j, key);
    jw_null(j);
}

void jw_put_id(struct jw *j, const char *key, uint64_t id)
{
    char text[21];

    snprintf(text, sizeof(text), "%llu", (unsigned long long)id);
    jw_put_cstr(j, key, text);
}

void jw_put_id_or_null(struct jw *j, const char *key, uint64_t id)
{
    if (id)
        jw_put_id(j, key, id);
    else
        jw_put_null(j, key);
}

/* Days since 1970-01-01 to a civil date, by the algorithm of H. Hinnant: years
 * begin in March, so that the leap day is the last. */
static void civil(int64_t days, int *y, unsigned *m, unsigned *d)
{
    int64_t z = days + 719468, era = (z >= 0 ? z : z - 146096) / 146097;
    unsigned doe = (unsigned)(z - era * 146097);
    unsigned yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    unsigned doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    unsigned mp = (5 * doy + 2) / 153;

    *d = doy - (153 * mp + 2) / 5 + 1;
    *m = mp < 10 ? mp + 3 : mp - 9;
    *y = (int)((int64_t)yoe + era * 400) + (*m <= 2);
}

bool jw_time_text(char text[static JW_TIME_MAX], int64_t utc_ms)
{
    int64_t days = utc_ms / 86400000;
    unsigned in_day, m, d;
    int y;

    if (utc_ms <= 0 || utc_ms >= INT64_C(253402300800000))
        return false;
    in_day = (unsigned)(utc_ms - days * 86400000);
    civil(days, &y, &m, &d);
    snprintf(text, JW_TIME_MAX, "%04d-%02u-%02uT%02u:%02u:%02u.%03uZ", y, m,
             d, in_day / 3600000, in_day / 60000 % 60, in_day / 1000 % 60,
             in_day % 1000);
    return true;
}

void jw_put_time(struct jw *j, const char *key, int64_t utc_ms)
{
    char text[JW_TIME_MAX];

    if (jw_time_text(text, utc_ms))
        jw_put_cstr(j, key, text);
    else
        jw_put_null(j, key);
}

bool jw_is_complete(const struct jw *j)
{
    return j->done && j->depth == 0 && !j->has_key && j->out->err == 0;
}
