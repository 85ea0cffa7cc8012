/* A file as an answer: what is asked of it, and what the client has of it already
 * (RFC 9110 §13, §14). */
#include "app/http/api.h"

#include "base/map.h"
#include "sip/value.h"

#include <string.h>

/* Of name, size and time under a seed of the installation: it changes with the
 * bytes, as none of our files is written anew. */
static void tag_write(struct writer *w, const struct http_call *c,
                      uint64_t size, int64_t written_utc_ms)
{
    char text[HTTP_FILE_BELOW_MAX + 64];
    struct writer t = writer_of(text, sizeof(text));
    uint64_t seed[2];

    memcpy(seed, c->app->cfg.key, sizeof(seed));
    writer_f(&t, "%s %llu %lld", c->out->file.name, (unsigned long long)size,
             (long long)written_utc_ms);
    writer_f(w, "\"%016llx\"",
             (unsigned long long)map_hash(seed, writer_slice(&t)));
}

/* What the client has is what there is: a date counts where it is ours. */
static bool is_known(const struct http_head *h, struct slice tag,
                     struct slice date)
{
    if (h->first[HTTP_HDR_IF_NONE_MATCH])
        return http_head_names_tag(h, HTTP_HDR_IF_NONE_MATCH, tag, false);
    return date.n &&
           slice_eq(http_head_get(h, HTTP_HDR_IF_MODIFIED_SINCE), date);
}

/* The client wants what it knows, or nothing (RFC 9110 §13.1.1, §13.1.4): a tag
 * is compared strongly, and what is no date does not count. */
static bool is_other(const struct http_head *h, struct slice tag,
                     int64_t written_utc_ms)
{
    struct slice since = http_head_get(h, HTTP_HDR_IF_UNMODIFIED_SINCE);
    int64_t utc_ms;

    if (!h->first[HTTP_HDR_IF_MATCH])
        return since.n && sip_date_parse(since, 0, &utc_ms) == 0 &&
               written_utc_ms / 1000 > utc_ms / 1000;
    return !http_head_names_tag(h, HTTP_HDR_IF_MATCH, tag, true);
}

/* The range is of the file that is there; else it gets all of it. */
static bool is_same(const struct http_head *h, struct slice tag,
                    struct slice date)
{
    struct slice of = http_head_get(h, HTTP_HDR_IF_RANGE);

    return slice_eq(of, tag) || slice_eq(of, date);
}

static void answer_bytes(struct http_call *c, uint64_t size, const char *type,
                         bool ranged)
{
    struct http_file *out = &c->out->file;
    char text[80];
    struct writer w = writer_of(text, sizeof(text));
    bool part = ranged && c->head->method == HTTP_GET && /* §14.2 */
                http_range(http_head_get(c->head, HTTP_HDR_RANGE), size,
                           &out->off, &out->n);

    if (part && out->n == 0) {
        writer_f(&w, "bytes */%llu", (unsigned long long)size);
        http_answer_fail(c, 416, NULL, "the range lies outside the file");
        http_response_field(c->out, "Content-Range", writer_slice(&w));
        return;
    }
    if (!part) {
        out->off = 0;
        out->n = size;
    } else {
        writer_f(&w, "bytes %llu-%llu/%llu", (unsigned long long)out->off,
                 (unsigned long long)(out->off + out->n - 1),
                 (unsigned long long)size);
        http_response_field(c->out, "Content-Range", writer_slice(&w));
    }
    out->total = size;
    c->out->kind = HTTP_REPLY_FILE;
    c->out->status = part ? 206 : 200;
    c->out->type = type;
}

void http_answer_file(struct http_call *c, uint64_t size, const char *type,
                      int64_t written_utc_ms)
{
    char tag_text[HTTP_TAG_MAX + 1], date_text[HTTP_DATE_LEN];
    struct writer w = writer_of(tag_text, sizeof(tag_text));
    struct writer d = writer_of(date_text, sizeof(date_text));
    const struct http_head *h = c->head;
    struct slice tag, date;

    http_response_field(c->out, "Accept-Ranges", SLICE("bytes"));
    if (!written_utc_ms) {
        answer_bytes(c, size, type, !h->first[HTTP_HDR_IF_RANGE]);
        return;
    }
    tag_write(&w, c, size, written_utc_ms);
    http_date_write(&d, written_utc_ms);
    tag = writer_slice(&w);
    date = writer_slice(&d);
    http_response_field(c->out, "ETag", tag);
    http_response_field(c->out, "Last-Modified", date);
    http_response_field(c->out, "Cache-Control", SLICE("private, no-cache"));
    if (is_other(h, tag, written_utc_ms))
        http_answer_fail(c, 412, NULL, "the file is another one by now");
    else if (is_known(h, tag, date))
        http_answer_empty(c, 304);
    else
        answer_bytes(c, size, type,
                     !h->first[HTTP_HDR_IF_RANGE] || is_same(h, tag, date));
}
