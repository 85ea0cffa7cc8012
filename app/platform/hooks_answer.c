#include "app/platform/hooks_answer.h"

#include "base/head.h"

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

static int read_field(const struct head_field *f, struct hooks_answer *a)
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
        slice_u32(f->value, UINT32_MAX, &a->retry_after_s);
    } else if (slice_ieq(f->name, SLICE("Transfer-Encoding"))) {
        a->keeps = false; /* not worth reading to its end */
    }
    return 0;
}

long hooks_answer_parse(struct hooks_answer *out, struct slice bytes)
{
    struct hooks_answer a = { 0 };
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
        err = read_field(&f, &a);
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
    *out = a;
    return (long)h.off;
}
