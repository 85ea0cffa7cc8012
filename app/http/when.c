/* Times in queries, in all of them alike. */
#include "app/http/api.h"

#include "manscdp/time.h"

#define DATE_LEN 10 /* "2026-01-02" */
#define MS_MAX UINT64_C(9999999999999) /* 13 digits; what is longer is a mistake */

/* A '+' that was not escaped has become a blank: the one before the offset. */
static void mend_offset(char *p, size_t n)
{
    while (n-- > DATE_LEN + 1)
        if (p[n] == ' ') {
            p[n] = '+';
            return;
        }
}

bool http_query_time(struct http_call *c, const char *name, int64_t *utc_ms)
{
    int zone_min = platform_timezone_min(c->app->cfg.platform);
    char text[HTTP_BOUND_MAX];
    struct slice s;
    uint64_t n;
    int err = http_query_get(c->head->query, slice_str(name), text,
                             sizeof(text), &s);

    if (err)
        return err == GB_ENOENT;
    s = slice_trim(s);
    if (s.n == 0)
        return true;
    if (slice_u64(s, MS_MAX, &n)) {
        *utc_ms = (int64_t)(n > UINT32_MAX ? n : n * 1000);
        return true;
    }
    mend_offset(text + (s.p - text), s.n);
    return manscdp_time_parse(s, zone_min, utc_ms);
}
