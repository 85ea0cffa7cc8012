#include "app/rewrite.h"

#include "app/trace/glance.h"

/* The lines of a message, one after the other. */
static bool line_next(struct slice *rest, struct slice *line)
{
    if (rest->n == 0)
        return false;
    slice_cut(rest, '\n', line);
    if (line->n && line->p[line->n - 1] == '\r')
        line->n--;
    return true;
}

static bool named(struct slice line, const char *name)
{
    struct slice head;

    slice_cut(&line, ':', &head);
    return slice_ieq(slice_trim(head), slice_str(name));
}

static void put_line(struct writer *w, const char *name, struct slice value)
{
    writer_f(w, "%s: ", name);
    writer_slice_put(w, value);
    writer_str(w, "\r\n");
}

/* The header line, changed or as it is. */
static void rewrite_line(struct writer *w, const struct rewrite *x,
                         struct slice line, bool *via)
{
    struct slice tag;

    if (x->via.n && (named(line, "Via") || named(line, "v"))) {
        if (!*via)
            put_line(w, "Via", x->via);
        *via = true;
    } else if (x->from.n && (named(line, "From") || named(line, "f"))) {
        put_line(w, "From", x->from);
    } else if (x->call_id.n && (named(line, "Call-ID") || named(line, "i"))) {
        put_line(w, "Call-ID", x->call_id);
    } else if (x->cseq.n && named(line, "CSeq")) {
        put_line(w, "CSeq", x->cseq);
    } else if (x->to_tag.n && (named(line, "To") || named(line, "t")) &&
               (tag = trace_param(line, SLICE("tag"))).n) {
        writer_bytes(w, line.p, (size_t)(tag.p - line.p));
        writer_slice_put(w, x->to_tag);
        writer_slice_put(w, slice_of(tag.p + tag.n, line.n - tag.n -
                                     (size_t)(tag.p - line.p)));
        writer_str(w, "\r\n");
    } else if (!named(line, "Content-Length") && !named(line, "l") &&
               !(x->drop_authorization && named(line, "Authorization"))) {
        writer_slice_put(w, line);
        writer_str(w, "\r\n");
    }
}

void rewrite_part(struct writer *w, struct slice all, struct slice part,
                  struct slice by)
{
    size_t at = part.n ? (size_t)(part.p - all.p) : all.n;

    writer_bytes(w, all.p, at);
    if (part.n) {
        writer_slice_put(w, by);
        writer_slice_put(w, slice_from(all, at + part.n));
    }
}

struct slice rewrite_ssrc_of(struct slice body)
{
    struct slice line;

    while (line_next(&body, &line))
        if (slice_has_prefix(line, SLICE("y=")))
            return slice_trim(slice_from(line, 2));
    return slice_of(NULL, 0);
}

void rewrite_message(struct writer *w, struct slice bytes,
                     const struct rewrite *x)
{
    struct slice body = trace_body(bytes), part = { NULL, 0 }, by = { NULL, 0 };
    struct slice rest = slice_head(bytes, bytes.n - body.n), line = rest;
    bool via = false;

    if (x->sn.n)
        part = trace_element(body, SLICE("SN")), by = x->sn;
    else if (x->ssrc.n)
        part = rewrite_ssrc_of(body), by = x->ssrc;
    while (line_next(&rest, &line) && line.n == 0)
        ;
    writer_slice_put(w, line);
    writer_str(w, "\r\n");
    while (line_next(&rest, &line) && line.n)
        rewrite_line(w, x, line, &via);
    if (x->authorization.n)
        put_line(w, "Authorization", x->authorization);
    writer_f(w, "Content-Length: %zu\r\n\r\n",
             part.n ? body.n - part.n + by.n : body.n);
    rewrite_part(w, body, part, by);
}
