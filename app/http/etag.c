/* Who asks for a large list again, with the tag that came with it, is told by 304
 * that nothing has changed. The tag is of the bytes of the answer, under a seed of
 * the installation: nobody who names a channel can make two lists look alike. */
#include "app/http/api.h"

#include "base/map.h"

#include <string.h>

#define HTTP_TAGGED_MIN 16384 /* smaller answers are sent again */

uint64_t http_mark(const struct http_app *a, struct slice bytes)
{
    uint64_t seed[2];

    memcpy(seed, a->cfg.key, sizeof(seed));
    return map_hash(seed, bytes);
}

static struct slice tag_of(const struct http_app *a, struct slice bytes,
                           char text[static HTTP_TAG_MAX + 1])
{
    struct writer w = writer_of(text, HTTP_TAG_MAX + 1);

    writer_f(&w, "\"%016llx\"", (unsigned long long)http_mark(a, bytes));
    return writer_slice(&w);
}

/* Of a large answer, and in its head; empty: it gets none. */
static struct slice put_tag(const struct http_app *a, struct http_response *r,
                            char text[static HTTP_TAG_MAX + 1])
{
    struct slice tag;

    if (r->kind != HTTP_REPLY_BODY || r->status != 200 || r->body.err ||
        r->guarded || r->body.len < HTTP_TAGGED_MIN)
        return (struct slice){ NULL, 0 };
    tag = tag_of(a, buf_view(&r->body), text);
    http_response_field(r, "ETag", tag);
    return tag;
}

static void has_it(struct http_response *r)
{
    buf_fini(&r->body);
    r->status = 304;
    r->type = NULL;
}

void http_response_tag(const struct http_app *a, struct http_response *r,
                       struct slice has)
{
    char text[HTTP_TAG_MAX + 1];
    struct slice tag = put_tag(a, r, text);

    if (tag.n && http_names_tag(has, tag, false))
        has_it(r);
}

void http_answer_tagged(struct http_call *c)
{
    char text[HTTP_TAG_MAX + 1];
    struct slice tag;

    if (c->head->method != HTTP_GET)
        return;
    tag = put_tag(c->app, c->out, text);
    if (tag.n &&
        http_head_names_tag(c->head, HTTP_HDR_IF_NONE_MATCH, tag, false))
        has_it(c->out);
}

/* ---- what people change ---------------------------------------------------------- */

void http_response_guard(const struct http_app *a, struct http_response *r,
                         struct buf *settings)
{
    char text[HTTP_TAG_MAX + 1];

    r->guarded = true;
    if (!settings->err)
        http_response_field(r, "ETag", tag_of(a, buf_view(settings), text));
    buf_fini(settings);
}

void http_answer_guard(struct http_call *c, struct buf *settings)
{
    http_response_guard(c->app, c->out, settings);
}

void http_answer_meanwhile(struct http_call *c)
{
    static const struct http_problem meanwhile = {
        .status = 412,
        .code = "changed-meanwhile",
        .detail = "it has been changed since you read it: nothing was set",
        .hint = SLICE_INIT("read it again, and send what you still want with "
                           "the ETag of that answer"),
    };

    http_answer_problem(c->out, &meanwhile);
}

bool http_guard_holds(struct http_call *c, struct buf *settings)
{
    char text[HTTP_TAG_MAX + 1];
    bool holds = !c->head->first[HTTP_HDR_IF_MATCH] ||
                 (!settings->err &&
                  http_head_names_tag(c->head, HTTP_HDR_IF_MATCH,
                                      tag_of(c->app, buf_view(settings), text),
                                      false));

    buf_fini(settings);
    if (!holds)
        http_answer_meanwhile(c);
    return holds;
}
