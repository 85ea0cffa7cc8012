#include "app/net/log.h"

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

bool log_wants(enum log_level level)
{
    return (int)level <= atomic_load_explicit(&out.least, memory_order_relaxed);
}

static void put_time(struct writer *w)
{
    struct timespec ts;
    struct tm tm;

    clock_gettime(CLOCK_REALTIME, &ts);
    gmtime_r(&ts.tv_sec, &tm);
    writer_f(w, "%04d-%02d-%02dT%02d:%02d:%02d.%03ldZ", tm.tm_year + 1900,
             tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec,
             ts.tv_nsec / 1000000);
}

/* One value of a pair: up to a blank, or quoted. */
static struct slice take_value(struct slice *s)
{
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
    {
        struct slice v = slice_head(*s, n);

        *s = slice_from(*s, n);
        return v;
    }
}

/* "\xNN" of log_quote is no JSON: it becomes \u00NN. */
static void put_json_value(struct writer *w, struct slice v)
{
    bool quoted = v.n >= 2 && v.p[0] == '"';

    if (quoted)
        v = slice_of(v.p + 1, v.n - 2);
    writer_char(w, '"');
    for (size_t i = 0; i < v.n; i++) {
        if (v.p[i] == '\\' && i + 1 < v.n && v.p[i + 1] == 'x') {
            writer_str(w, "\\u00");
            i++;
        } else if (!quoted && (v.p[i] == '\\' || v.p[i] == '"')) {
            writer_char(w, '\\');
            writer_char(w, v.p[i]);
        } else {
            writer_char(w, v.p[i]);
        }
    }
    writer_char(w, '"');
}

static void put_json(struct writer *w, enum log_level level, struct slice text)
{
    writer_str(w, "{\"time\":\"");
    put_time(w);
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
    char text[LOG_LINE_MAX], line[LOG_LINE_MAX * 2];
    struct writer w = writer_of(line, sizeof(line) - 1);
    struct writer t = writer_of(text, sizeof(text));
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
    if (out.json) {
        put_json(&w, level, writer_slice(&t));
    } else {
        put_time(&w);
        writer_f(&w, " %s ", names[level]);
        writer_slice_put(&w, writer_slice(&t));
    }
    line[w.len++] = '\n';
    if (write(out.fd, line, w.len) < 0)
        return; /* nowhere to say it */
}

const char *log_quote(struct log_quoted *q, struct slice s)
{
    struct writer w = writer_of(q->text, sizeof(q->text) - 1);

    writer_char(&w, '"');
    for (size_t i = 0; i < s.n && i < LOG_QUOTE_MAX; i++) {
        unsigned char c = (unsigned char)s.p[i];

        if (c < 0x20 || c == 0x7f || c == '"' || c == '\\') {
            writer_str(&w, "\\x");
            writer_hex(&w, &c, 1);
        } else {
            writer_char(&w, (char)c);
        }
    }
    writer_char(&w, '"');
    q->text[w.len] = '\0';
    return q->text;
}
