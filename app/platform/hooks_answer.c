#include "app/platform/hooks_answer.h"

#include "base/head.h"
#include "sip/value.h"

/* "HTTP/1.1 200 OK" */
static bool read_status(struct slice line, struct hooks_answer *a)
{
    uint32_t status;

    if (line.n < 12 || !slice_has_prefix(line, SLICE("HTTP/1.")) ||
        !ascii_is_digit(line.p[7]) || line.p[8] != ' ' ||
        (line.n > 12 && line.p[12] != ' ') ||
        !slice_u32(slice_of(line.p + 9, 3), 599, &status) || status < 100)
        return false;
    a->status = status;
    a->keeps = line.p[7] >= '1';
    return true;
}

static bool has_token(struct slice list, struct slice token)
{
    struct slice one;

    while (list.n) {
        slice_cut(&list, ',', &one);
        if (slice_ieq(slice_trim(one), token))
            return true;
    }
    return false;
}

struct dates {
    bool has_now, has_again;
    int64_t now_utc_ms, again_utc_ms; /* Date; Retry-After that is one */
};

/* Seconds, as many as there are, or a date (RFC 9110 §10.2.3). */
static void take_retry_after(struct slice value, struct hooks_answer *a,
                             struct dates *d)
{
    size_t digits = 0;

    while (digits < value.n && ascii_is_digit(value.p[digits]))
        digits++;
    if (digits == 0 || digits < value.n)
        d->has_again = sip_date_parse(value, 0, &d->again_utc_ms) == 0;
    else if (!slice_u32(value, UINT32_MAX, &a->retry_after_s))
        a->retry_after_s = UINT32_MAX;
}

/* By the clock that wrote both; rounded up. */
static void count_dates(struct hooks_answer *a, const struct dates *d)
{
    int64_t s = (d->again_utc_ms - d->now_utc_ms + 999) / 1000;

    if (d->has_now && d->has_again && s > 0)
        a->retry_after_s = s < UINT32_MAX ? (uint32_t)s : UINT32_MAX;
}

static int read_field(const struct head_field *f, struct hooks_answer *a,
                      struct dates *d)
{
    uint64_t n;

    if (slice_ieq(f->name, SLICE("Content-Length"))) {
        if (!slice_u64(f->value, INT64_MAX, &n) ||
            (a->is_known && n != a->length))
            return GB_ESYNTAX;
        a->is_known = true;
        a->length = n;
    } else if (slice_ieq(f->name, SLICE("Connection"))) {
        a->keeps = a->keeps && !has_token(f->value, SLICE("close"));
    } else if (slice_ieq(f->name, SLICE("Retry-After"))) {
        take_retry_after(f->value, a, d);
    } else if (slice_ieq(f->name, SLICE("Date"))) {
        d->has_now = sip_date_parse(f->value, 0, &d->now_utc_ms) == 0;
    } else if (slice_ieq(f->name, SLICE("Transfer-Encoding"))) {
        a->keeps = false; /* not worth reading to its end */
    }
    return 0;
}

long hooks_answer_parse(struct hooks_answer *out, struct slice bytes)
{
    struct hooks_answer a = { 0 };
    struct dates d = { 0 };
    struct head_field f;
    struct slice line;
    struct head h;
    int err;

    if (head_find_end(bytes, 0) == 0)
        return bytes.n > HOOKS_ANSWER_HEAD_MAX ? GB_ELIMIT : GB_EAGAIN;
    head_init(&h, bytes);
    if (head_start(&h, &line) || !read_status(line, &a))
        return GB_ESYNTAX;
    while ((err = head_next(&h, &f)) == 0) {
        err = read_field(&f, &a, &d);
        if (err)
            return err;
    }
    if (err != GB_ENOENT)
        return GB_ESYNTAX;
    if (a.status < 200 || a.status == 204 || a.status == 304) {
        a.is_known = true;
        a.length = 0;
    }
    a.keeps = a.keeps && a.is_known;
    count_dates(&a, &d);
    *out = a;
    return (long)h.off;
}
