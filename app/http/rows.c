/* Lists whose rows have a number that falls (newest first) or rises, and stays
 * theirs: what comes or goes between two pages moves no other row. The cursor is
 * the number of the last row shown. Rows that the caller may not see, or did not
 * ask for, are in neither page nor total. */
#include "app/http/api.h"

static bool filter(struct http_call *c, const char *name,
                   char text[static HTTP_ID_MAX + 1], struct slice *out)
{
    int err = http_query_get(c->head->query, slice_str(name), text,
                             HTTP_ID_MAX + 1, out);

    if (err == GB_ENOENT)
        *out = (struct slice){ NULL, 0 };
    return !err || err == GB_ENOENT;
}

bool http_rows_begin(struct http_call *c, struct http_rows *r, bool falls)
{
    r->falls = falls;
    r->more = false;
    r->written = 0;
    r->last = r->cursor = r->total = 0;
    if (!http_page_read(c, &r->page))
        return false;
    if (filter(c, "device", r->device_text, &r->device) &&
        filter(c, "channel", r->channel_text, &r->channel) &&
        (!r->page.cursor.n ||
         (slice_u64(r->page.cursor, UINT64_MAX, &r->cursor) && r->cursor)))
        return true;
    http_answer_fail(c, 400, "bad-parameter",
                     "device and channel are ids, cursor one that a list gave");
    return false;
}

bool http_rows_take(struct http_call *c, struct http_rows *r, uint64_t number,
                    struct slice device, struct slice channel)
{
    if (!http_sees(c, device) ||
        (r->device.n && !slice_eq(r->device, device)) ||
        (r->channel.n && !slice_eq(r->channel, channel)))
        return false;
    r->total++;
    if (r->cursor &&
        (r->falls ? number >= r->cursor : number <= r->cursor))
        return false;
    if (r->written == r->page.limit) {
        r->more = true;
        return false;
    }
    r->written++;
    r->last = number;
    return true;
}

void http_rows_end(struct jw *j, const struct http_rows *r)
{
    char text[24];
    struct writer w = writer_of(text, sizeof(text));

    if (r->more)
        writer_u64(&w, r->last);
    http_list_end(j, writer_slice(&w), r->total);
}
