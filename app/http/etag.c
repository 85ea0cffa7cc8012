/* Who asks for a large list again, with the tag that came with it, is told by 304
 * that nothing has changed. The tag is of the bytes of the answer, under a seed of
 * the installation: nobody who names a channel can make two lists look alike. */
#include "app/http/api.h"

#include "base/map.h"

#include <string.h>

#define HTTP_TAGGED_MIN 16384 /* smaller answers are sent again */

bool http_names_tag(struct slice list, struct slice tag)
{
    struct slice item;

    while (list.n) {
        slice_cut(&list, ',', &item);
        item = slice_trim(item);
        if (slice_has_prefix(item, SLICE("W/"))) /* a proxy has packed it */
            item = slice_from(item, 2);
        if (slice_eq(item, tag) || slice_eq(item, SLICE("*")))
            return true;
    }
    return false;
}

void http_response_tag(const struct http_app *a, struct http_response *r,
                       struct slice has)
{
    char text[HTTP_TAG_MAX + 1];
    struct writer w = writer_of(text, sizeof(text));
    uint64_t seed[2];

    if (r->kind != HTTP_REPLY_BODY || r->status != 200 || r->body.err ||
        r->body.len < HTTP_TAGGED_MIN)
        return;
    memcpy(seed, a->cfg.key, sizeof(seed));
    writer_f(&w, "\"%016llx\"",
             (unsigned long long)map_hash(seed, buf_view(&r->body)));
    http_response_field(r, "ETag", writer_slice(&w));
    if (!http_names_tag(has, writer_slice(&w)))
        return;
    buf_fini(&r->body);
    r->status = 304;
    r->type = NULL;
}

void http_answer_tagged(struct http_call *c)
{
    if (c->head->method == HTTP_GET)
        http_response_tag(c->app, c->out,
                          http_head_get(c->head, HTTP_HDR_IF_NONE_MATCH));
}
