/* What a device has recorded: RecordInfo asked and its answer, of many
 * messages, as one list (GB/T 28181-2022 9.7). */
#include "app/http/api.h"

#include "manscdp/time.h"

#include <jansson.h>
#include <stdlib.h>

#define WAIT_S 15          /* unless ?wait= says another */
#define ITEMS_MAX 10000    /* of one list */

struct recording {
    int64_t start_ms, end_ms;
    const json_t *item; /* as the device says it */
};

/* ---- the answer ------------------------------------------------------------- */

static struct slice text_of(const json_t *item, const char *name)
{
    return slice_str(json_string_value(json_object_get(item, name)));
}

static bool read_item(struct recording *out, const json_t *item, int zone_min)
{
    out->item = item;
    return manscdp_time_parse(text_of(item, "StartTime"), zone_min,
                              &out->start_ms) &&
           manscdp_time_parse(text_of(item, "EndTime"), zone_min,
                              &out->end_ms) &&
           out->end_ms >= out->start_ms;
}

static int by_time(const void *a, const void *b)
{
    const struct recording *x = a, *y = b;

    if (x->start_ms != y->start_ms)
        return x->start_ms < y->start_ms ? -1 : 1;
    if (x->end_ms != y->end_ms)
        return x->end_ms < y->end_ms ? -1 : 1;
    return slice_cmp(text_of(x->item, "FilePath"),
                     text_of(y->item, "FilePath"));
}

/* All that can be read of the messages; *lost: how many cannot. */
static size_t collect(const json_t *messages, int zone_min,
                      struct recording *out, size_t cap, size_t *lost)
{
    size_t n = 0, i, k;
    const json_t *m, *item;

    json_array_foreach(messages, i, m)
        json_array_foreach(json_object_get(m, "RecordList"), k, item) {
            if (n < cap && read_item(&out[n], item, zone_min))
                n++;
            else
                ++*lost;
        }
    return n;
}

static void item_write(struct jw *j, const struct recording *r)
{
    uint64_t bytes = 0;

    jw_object(j);
    jw_put_time(j, "start", r->start_ms);
    jw_put_time(j, "end", r->end_ms);
    jw_put_str(j, "name", text_of(r->item, "Name"));
    jw_put_str(j, "type", text_of(r->item, "Type"));
    jw_put_str(j, "path", text_of(r->item, "FilePath"));
    if (slice_u64(text_of(r->item, "FileSize"), UINT64_MAX, &bytes))
        jw_put_u64(j, "bytes", bytes);
    jw_end(j);
}

static void list_write(struct jw *j, const struct platform_command *k,
                       struct recording *all, size_t n, size_t lost)
{
    uint64_t total = 0;

    if (n)
        qsort(all, n, sizeof(*all), by_time);
    jw_object(j);
    jw_key(j, "items");
    jw_array(j);
    for (size_t i = 0; i < n; i++) {
        if (i && by_time(&all[i - 1], &all[i]) == 0)
            continue; /* told twice */
        item_write(j, &all[i]);
        total++;
    }
    jw_end(j);
    jw_put_null(j, "next");
    jw_put_u64(j, "total", total);
    jw_put_bool(j, "complete", !k->partial && !k->cut && !lost);
    jw_put_str(j, "evidence", k->evidence);
    jw_put_id(j, "command", k->id);
    jw_end(j);
}

/* Its state when it has not been answered. */
static void answer_state(struct http_response *r,
                         const struct platform_command *k)
{
    bool refused = k->state == PLATFORM_COMMAND_REFUSED;
    const struct http_problem p = {
        .status = refused ? 502 : 504,
        .code = refused ? "query-refused" : "query-silent",
        .detail = refused ? "the device refuses to tell what it has recorded"
                          : "the device has not told what it has recorded",
        .evidence = k->evidence,
        .hint = SLICE("a device without a store has nothing to tell; ask for "
                      "a shorter time where it is slow"),
    };

    http_answer_problem(r, &p);
}

static void answer_list(struct http_app *a, struct http_response *r,
                        const struct platform_command *k)
{
    int zone_min = platform_timezone_min(a->cfg.platform);
    struct recording *all = NULL;
    json_t *messages = NULL;
    struct buf text;
    size_t lost = 0, n = 0;

    if (k->state != PLATFORM_COMMAND_ANSWERED) {
        answer_state(r, k);
        return;
    }
    buf_init(&text, a->cfg.alloc, PLATFORM_COMMAND_ANSWER + 2);
    buf_str(&text, "[");
    buf_slice(&text, k->answer);
    buf_str(&text, "]");
    all = gb_get(a->cfg.alloc, ITEMS_MAX * sizeof(*all));
    if (!text.err && all) {
        messages = json_loadb(text.p, text.len, 0, NULL);
        n = collect(messages, zone_min, all, ITEMS_MAX, &lost);
    }
    if (messages) {
        struct jw j = jw_to(&r->body);

        r->status = 200;
        r->type = "application/json";
        list_write(&j, k, all, n, lost);
    } else {
        const struct http_problem p = { .status = 503,
                                        .detail = "no memory" };

        http_answer_problem(r, &p);
    }
    json_decref(messages);
    gb_put(a->cfg.alloc, all);
    buf_fini(&text);
}

/* ---- the question ------------------------------------------------------------ */

/* ?start= and ?end=: RFC 3339 or UNIX seconds; as the device has times. */
static bool read_bound(struct http_call *c, const char *name,
                       char out[static 32])
{
    int zone_min = platform_timezone_min(c->app->cfg.platform);
    struct writer w = writer_of(out, 31);
    uint64_t unix_s;
    int64_t utc_ms;
    char text[64];
    struct slice v;

    if (http_query_get(c->head->query, slice_str(name), text, sizeof(text),
                       &v))
        return false;
    if (slice_u64(v, UINT32_MAX, &unix_s))
        utc_ms = (int64_t)unix_s * 1000;
    else if (!manscdp_time_parse(v, zone_min, &utc_ms))
        return false;
    manscdp_time_write(&w, utc_ms, zone_min);
    out[w.len] = '\0';
    return w.len > 0;
}

static bool read_type(struct http_call *c, char out[static 16])
{
    static const char *const types[] = { "all", "time", "alarm", "manual" };
    struct slice v;
    int err = http_query_get(c->head->query, SLICE("type"), out, 15, &v);

    if (err == GB_ENOENT)
        v = SLICE("all");
    else if (err)
        return false;
    for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
        if (slice_eq(v, slice_str(types[i])))
            return slice_copy(out, 16, slice_str(types[i]));
    return false;
}

void http_get_recordings(struct http_call *c)
{
    char start[32], end[32], type[16];

    if (!read_bound(c, "start", start) || !read_bound(c, "end", end)) {
        http_answer_fail(c, 400, "bad-parameter",
                         "start and end are needed: times of RFC 3339 "
                         "(without a zone: of server.timezone) or UNIX "
                         "seconds");
        return;
    }
    if (!read_type(c, type)) {
        http_answer_fail(c, 400, "bad-parameter",
                         "type is all, time, alarm or manual");
        return;
    }
    c->wait_s = WAIT_S;
    c->answer_command = answer_list;
    http_order_send(c, "RecordInfo",
                    json_pack("{s:s,s:s,s:i,s:s}", "StartTime", start,
                              "EndTime", end, "Secrecy", 0, "Type", type));
}
