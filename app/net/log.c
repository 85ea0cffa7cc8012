#include "app/net/log.h"

#include "base/utf8.h"
#include "base/writer.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

static const char *const names[] = { "error", "warn", "info", "debug",
                                     "trace" };

static struct {
    int fd;
    atomic_int least;
    bool json;
    log_listener_fn *listener;
    void *ctx;
} out = { .fd = 2, .least = LOG_INFO };

void log_init(int fd, enum log_level least, bool json)
{
    out.fd = fd;
    out.json = json;
    atomic_store(&out.least, (int)least);
}

void log_set_level(enum log_level least)
{
    atomic_store(&out.least, (int)least);
}

bool log_level_parse(struct slice name, enum log_level *level)
{
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (slice_eq(name, slice_str(names[i]))) {
            *level = (enum log_level)i;
            return true;
        }
    }
    return false;
}

void log_listen(log_listener_fn *fn, void *ctx)
{
    out.listener = fn;
    out.ctx = ctx;
}

const char *log_level_name(enum log_level level)
{
    return names[level];
}

bool log_wants(enum log_level level)
{
    return (int)level <= atomic_load_explicit(&out.least, memory_order_relaxed);
}

static void put_time(struct writer *w, const struct timespec *ts)
{
    struct tm tm;

    gmtime_r(&ts->tv_sec, &tm);
    writer_f(w, "%04d-%02d-%02dT%02d:%02d:%02d.%03ldZ", tm.tm_year + 1900,
             tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec,
             ts->tv_nsec / 1000000);
}

/* One value of a pair: up to a blank, or quoted. */
static struct slice take_value(struct slice *s)
{
    struct slice v;
    size_t n = 0;

    if (s->n && s->p[0] == '"') {
        n = 1;
        while (n < s->n && s->p[n] != '"')
            n += s->p[n] == '\\' && n + 1 < s->n ? 2 : 1;
        n += n < s->n;
    } else {
        while (n < s->n && s->p[n] != ' ')
            n++;
    }
    if (n > s->n)
        n = s->n;
    v = slice_head(*s, n);
    *s = slice_from(*s, n);
    return v;
}

static void put_escape(struct writer *w, char c)
{
    writer_str(w, "\\x");
    writer_hex(w, &c, 1);
}

static bool is_control(char c)
{
    return (unsigned char)c < 0x20 || c == 0x7f;
}

/* Whatever a caller let through: no byte of it may end the line, steer a
 * terminal, or be anything but UTF-8. */
static void put_clean(struct writer *w, struct slice s)
{
    for (size_t i = 0; i < s.n;) {
        size_t n = is_control(s.p[i]) ? 0 : utf8_len(s.p + i, s.n - i);

        if (n)
            writer_bytes(w, s.p + i, n);
        else
            put_escape(w, s.p[i]);
        i += n ? n : 1;
    }
}

static bool is_hex(char c)
{
    c = ascii_lower(c);
    return ascii_is_digit(c) || (c >= 'a' && c <= 'f');
}

/* "\xNN" at i. */
static bool is_escape(struct slice v, size_t i)
{
    return v.n - i >= 4 && v.p[i] == '\\' && v.p[i + 1] == 'x' &&
           is_hex(v.p[i + 2]) && is_hex(v.p[i + 3]);
}

/* A pair of a backslash and what JSON has behind one too. */
static bool is_pair(struct slice v, size_t i)
{
    return v.n - i >= 2 && v.p[i] == '\\' &&
           (v.p[i + 1] == '\\' || v.p[i + 1] == '"');
}

/* "\xNN" is no JSON: it becomes \u00NN. */
static void put_json_value(struct writer *w, struct slice v)
{
    bool quoted = v.n >= 2 && v.p[0] == '"';

    if (quoted)
        v = slice_of(v.p + 1, v.n - 1 - (v.p[v.n - 1] == '"'));
    writer_char(w, '"');
    for (size_t i = 0; i < v.n; i++) {
        if (is_escape(v, i)) {
            writer_str(w, "\\u00");
            i++;
        } else if (quoted && is_pair(v, i)) {
            writer_bytes(w, v.p + i++, 2);
        } else {
            if (v.p[i] == '\\' || v.p[i] == '"')
                writer_char(w, '\\');
            writer_char(w, v.p[i]);
        }
    }
    writer_char(w, '"');
}

static void put_json(struct writer *w, enum log_level level,
                     const struct timespec *ts, struct slice text)
{
    writer_str(w, "{\"time\":\"");
    put_time(w, ts);
    writer_f(w, "\",\"level\":\"%s\"", names[level]);
    while (text.n) {
        struct slice name;

        slice_cut(&text, '=', &name);
        writer_char(w, ',');
        put_json_value(w, slice_trim(name));
        writer_char(w, ':');
        put_json_value(w, take_value(&text));
        text = slice_trim(text);
    }
    writer_char(w, '}');
}

void log_f(enum log_level level, const char *fmt, ...)
{
    char text[LOG_LINE_MAX], clean[LOG_LINE_MAX];
    char line[LOG_LINE_MAX * 4 + 128]; /* `a= ` becomes `,"a":""` */
    struct writer w = writer_of(line, sizeof(line) - 1);
    struct writer t = writer_of(text, sizeof(text));
    struct writer c = writer_of(clean, sizeof(clean));
    struct timespec ts;
    va_list ap;
    int n;

    if (!log_wants(level))
        return;
    va_start(ap, fmt);
    n = vsnprintf(t.p, t.cap, fmt, ap);
    va_end(ap);
    if (n < 0)
        return;
    t.len = (size_t)n < t.cap ? (size_t)n : t.cap - 1;
    put_clean(&c, writer_slice(&t)); /* as much as there is room for */
    clock_gettime(CLOCK_REALTIME, &ts);
    if (out.listener)
        out.listener(out.ctx, level,
                     ts.tv_sec * INT64_C(1000) + ts.tv_nsec / 1000000,
                     writer_slice(&c));
    if (out.json) {
        put_json(&w, level, &ts, writer_slice(&c));
    } else {
        put_time(&w, &ts);
        writer_f(&w, " %s ", names[level]);
        writer_slice_put(&w, writer_slice(&c));
    }
    line[w.len++] = '\n';
    if (write(out.fd, line, w.len) < 0)
        return; /* nowhere to say it */
}

const char *log_quote(struct log_quoted *q, struct slice s)
{
    struct writer w = writer_of(q->text, sizeof(q->text) - 1);

    writer_char(&w, '"');
    s = slice_head(s, LOG_QUOTE_MAX);
    for (size_t i = 0; i < s.n;) {
        bool special = is_control(s.p[i]) || s.p[i] == '"' || s.p[i] == '\\';
        size_t n = special ? 0 : utf8_len(s.p + i, s.n - i);

        if (n)
            writer_bytes(&w, s.p + i, n);
        else
            put_escape(&w, s.p[i]);
        i += n ? n : 1;
    }
    writer_char(&w, '"');
    q->text[w.len] = '\0';
    return q->text;
}

static bool is_word(struct slice s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = ascii_lower(s.p[i]);

        if (!ascii_is_digit(c) && !(c >= 'a' && c <= 'z') && c != '.' &&
            c != '_' && c != '-')
            return false;
    }
    return s.n <= LOG_QUOTE_MAX;
}

const char *log_word(struct log_quoted *q, struct slice s)
{
    if (!is_word(s))
        return log_quote(q, s);
    slice_copy(q->text, sizeof(q->text), s);
    return q->text;
}
