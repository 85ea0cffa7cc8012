/* Devices, their channels, and what knocked without being let in. */
#include "app/http/api.h"
#include "app/platform/chinese.h"

/* ---- objects -------------------------------------------------------------------- */

static const char *sip_transport_text(uint8_t t)
{
    static const char *const names[] = { [SIP_UDP] = "udp",
                                         [SIP_TCP] = "tcp",
                                         [SIP_TLS] = "tls" };

    return t < sizeof(names) / sizeof(names[0]) ? names[t] : "";
}

const char *http_transport_name(enum platform_transport t)
{
    switch (t) {
    case PLATFORM_AUTO:
        return "auto";
    case PLATFORM_UDP:
        return "udp";
    case PLATFORM_TCP_PASSIVE:
        return "tcp-passive";
    case PLATFORM_TCP_ACTIVE:
        return "tcp-active";
    }
    return "auto";
}

void http_put_addr(struct jw *j, const char *key, const struct gb_addr *a)
{
    char text[GB_ADDR_TEXT_MAX];

    jw_put_cstr(j, key,
                a->family == GB_NO_ADDR ? "" : gb_addr_text(a, text));
}

static const char *catalog_text(const struct platform_device *d)
{
    switch (d->catalog) {
    case PLATFORM_CATALOG_NONE:
        return "none";
    case PLATFORM_CATALOG_RUNNING:
        return "running";
    case PLATFORM_CATALOG_COMPLETE:
        return "complete";
    case PLATFORM_CATALOG_IS_PARTIAL:
        return "partial";
    }
    return "none";
}

/* Where it is known, what its clock and the zone of its texts are off. */
static void clock_write(struct jw *j, const struct platform_clock *k)
{
    if (k->from == PLATFORM_CLOCK_UNKNOWN)
        return;
    jw_key(j, "clock");
    jw_object(j);
    jw_put_double(j, "offset_s", (double)k->drift_ms / 1000);
    jw_put_i64(j, "zone_min", k->zone_min);
    jw_put_bool(j, "drifts", k->drifts);
    jw_put_cstr(j, "from", platform_clock_source_name(k->from));
    jw_end(j);
}

void http_device_write(struct jw *j, const struct platform_device *d)
{
    jw_object(j);
    jw_put_str(j, "id", d->id);
    jw_put_str(j, "name", d->name);
    jw_put_str(j, "manufacturer", d->manufacturer);
    jw_put_str(j, "model", d->model);
    jw_put_str(j, "firmware", d->firmware);
    jw_put_str(j, "user_agent", d->user_agent);
    jw_put_bool(j, "online", d->online);
    http_put_words(j, "state_reason", d->state_reason);
    jw_put_cstr(j, "transport", sip_transport_text(d->peer.transport));
    http_put_addr(j, "address", &d->peer.remote);
    jw_put_str(j, "edition", d->edition);
    jw_put_str(j, "charset", d->charset);
    jw_put_time(j, "registered_at", d->registered_utc_ms);
    jw_put_time(j, "keepalive_at", d->keepalive_utc_ms);
    jw_put_time(j, "expires_at", d->expires_utc_ms);
    jw_put_u64(j, "channels", d->n_channels);
    jw_put_cstr(j, "catalog", catalog_text(d));
    jw_put_u64(j, "catalog_have", d->catalog_have);
    jw_put_u64(j, "catalog_sum", d->catalog_sum);
    jw_put_u64(j, "deviations", d->deviations);
    jw_put_cstr(j, "media", http_transport_name(d->media));
    clock_write(j, &d->clock);
    http_settings_write(j, d);
    jw_end(j);
}

/* Digits 11 to 13 of an id name its type (GB/T 28181-2022 Annex E). */
static struct slice type_of(struct slice id)
{
    return id.n == 20 ? slice_of(id.p + 10, 3) : (struct slice){ 0 };
}

void http_channel_write(struct jw *j, const struct http_app *a,
                        const struct platform_channel *ch)
{
    jw_object(j);
    jw_put_str(j, "device", ch->device);
    jw_put_str(j, "id", ch->id);
    jw_put_str(j, "name", ch->name);
    jw_put_str(j, "manufacturer", ch->manufacturer);
    jw_put_str(j, "model", ch->model);
    jw_put_str(j, "owner", ch->owner);
    jw_put_str(j, "civil_code", ch->civil_code);
    jw_put_str(j, "address", ch->address);
    jw_put_str(j, "parent", ch->parent);
    jw_put_str(j, "status", ch->status);
    jw_put_bool(j, "online", ch->on);
    jw_put_str(j, "type", type_of(ch->id));
    jw_put_str(j, "ptz_type", ch->ptz_type);
    jw_put_str(j, "business_group", ch->business_group);
    jw_put_cstr(j, "observed", platform_observed_name(ch->observed));
    jw_put_time(j, "failed_at", ch->failed_utc_ms);
    if (ch->failed_step)
        jw_put_cstr(j, "failed_step", ch->failed_step);
    else
        jw_put_null(j, "failed_step");
    if (ch->has_position) {
        jw_put_double(j, "longitude", ch->longitude);
        jw_put_double(j, "latitude", ch->latitude);
    } else {
        jw_put_null(j, "longitude");
        jw_put_null(j, "latitude");
    }
    jw_put_time(j, "delivered_at", ch->delivered_utc_ms);
    http_push_states(j, a, ch->device, ch->id);
    jw_put_id_or_null(j, "session", ch->session);
    jw_end(j);
}

/* ---- lists ------------------------------------------------------------------------ */

bool http_has_text(struct slice s, struct slice needle)
{
    for (size_t i = 0; i + needle.n <= s.n; i++)
        if (slice_ieq(slice_of(s.p + i, needle.n), needle))
            return true;
    return needle.n == 0;
}

static bool read_filters(struct http_call *c, struct http_page *page)
{
    char text[8];
    struct slice v = { 0 };
    int err = http_query_get(c->head->query, SLICE("online"), text,
                             sizeof(text), &v);

    page->skip = 0;
    page->in_group = false;
    page->online = err == GB_ENOENT ? -1 : slice_eq(v, SLICE("true"));
    if (err != GB_ENOENT && (err || (!page->online &&
                                     !slice_eq(v, SLICE("false"))))) {
        http_answer_fail(c, 400, "bad-parameter", "online is true or false");
        return false;
    }
    if (http_query_u32(c->head->query, SLICE("skip"), UINT32_MAX,
                       &page->skip)) {
        http_answer_fail(c, 400, "bad-parameter", "skip is a number");
        return false;
    }
    return true;
}

bool http_page_read(struct http_call *c, struct http_page *page)
{
    struct slice query = c->head->query;
    int err;

    page->limit = HTTP_LIST_LIMIT;
    page->cursor = page->q = (struct slice){ 0 };
    err = http_query_u32(query, SLICE("limit"), HTTP_LIST_LIMIT_MAX,
                         &page->limit);
    if (err || page->limit == 0) {
        http_answer_fail(c, 400, "bad-parameter",
                         "limit is a number from 1 to 10000");
        return false;
    }
    err = http_query_get(query, SLICE("cursor"), page->cursor_text,
                         sizeof(page->cursor_text), &page->cursor);
    if (err && err != GB_ENOENT) {
        http_answer_fail(c, 400, "bad-parameter",
                         "cursor is not one that a list gave");
        return false;
    }
    err = http_query_get(query, SLICE("q"), page->q_text,
                         sizeof(page->q_text), &page->q);
    if (err && err != GB_ENOENT) {
        http_answer_fail(c, 400, "bad-parameter",
                         "q is malformed or too long");
        return false;
    }
    return read_filters(c, page);
}

struct jw http_list_begin(struct http_call *c)
{
    struct jw j = http_answer_json(c, 200);

    jw_object(&j);
    jw_key(&j, "items");
    jw_array(&j);
    return j;
}

void http_put_next(struct jw *j, struct slice next, uint64_t total)
{
    if (next.n)
        jw_put_str(j, "next", next);
    else
        jw_put_null(j, "next");
    jw_put_u64(j, "total", total);
}

void http_list_end(struct jw *j, struct slice next, uint64_t total)
{
    jw_end(j);
    http_put_next(j, next, total);
    jw_end(j);
}

/* Where a walk in id order stands. With a filter, or for somebody who sees a
 * part, the whole list is walked, for the total; else only the page. */
struct walk {
    bool whole;
    uint32_t n;         /* items written */
    uint32_t skipped;
    uint64_t matches;
    struct slice last;  /* id of the last one written, in `text` */
    char text[HTTP_ID_MAX + 1];
    bool more;          /* something is left behind the page */
};

static bool is_filtered(const struct http_page *page)
{
    return page->q.n || page->online >= 0 || page->in_group;
}

/* true: this one goes onto the page. */
static bool walk_take(struct walk *w, const struct http_page *page,
                      struct slice id, struct slice name, bool online)
{
    if ((page->q.n && !http_has_text(id, page->q) &&
         !http_has_text(name, page->q)) ||
        (page->online >= 0 && (page->online == 1) != online))
        return false;
    w->matches++;
    if (page->cursor.n && slice_cmp(id, page->cursor) <= 0)
        return false;
    if (w->skipped < page->skip) {
        w->skipped++;
        return false;
    }
    if (w->n == page->limit) {
        w->more = true;
        return false;
    }
    slice_copy(w->text, sizeof(w->text), id);
    w->last = slice_of(w->text, slice_head(id, HTTP_ID_MAX).n);
    w->n++;
    return true;
}

static bool walk_goes_on(const struct walk *w, const struct http_page *page)
{
    return is_filtered(page) || w->whole || !w->more;
}

static struct slice walk_next(const struct walk *w)
{
    return w->more ? w->last : (struct slice){ 0 };
}

/* ?group=: of this one, or of none where it is empty. */
static bool read_group(struct http_call *c, struct http_page *page)
{
    int err = http_query_get(c->head->query, SLICE("group"), page->group_text,
                             sizeof(page->group_text), &page->group);

    page->in_group = !err;
    if (!err || err == GB_ENOENT)
        return true;
    http_answer_fail(c, 400, "bad-parameter", "group is malformed");
    return false;
}

void http_get_devices(struct http_call *c)
{
    struct platform *p = c->app->cfg.platform;
    struct platform_device d;
    struct http_page page;
    struct walk w = { .whole = http_is_bounded(c) };
    struct slice after;
    struct jw j;

    if (!http_page_read(c, &page) || !read_group(c, &page))
        return;
    j = http_list_begin(c);
    after = is_filtered(&page) || w.whole ? (struct slice){ 0 } : page.cursor;
    while (walk_goes_on(&w, &page) && platform_device_next(p, after, &d)) {
        if (http_sees(c, d.id) &&
            (!page.in_group || slice_eq(d.group, page.group)) &&
            walk_take(&w, &page, d.id, d.name, d.online))
            http_device_write(&j, &d);
        after = d.id;
    }
    http_list_end(&j, walk_next(&w),
                  is_filtered(&page) || w.whole
                      ? w.matches
                      : platform_device_count(p, NULL));
}

static bool find_device(struct http_call *c, struct platform_device *d)
{
    if (platform_device_view(c->app->cfg.platform, c->params.value[0], d))
        return true;
    http_answer_no_device(c);
    return false;
}

void http_get_device(struct http_call *c)
{
    struct platform_device d;

    if (find_device(c, &d))
        http_answer_device(c, 200, &d);
}

void http_get_changes(struct http_call *c)
{
    struct platform_device d;
    struct platform_change ch;
    struct jw j;
    size_t n = 0;

    if (!find_device(c, &d))
        return;
    j = http_list_begin(c);
    for (; platform_device_change(c->app->cfg.platform, d.id, n, &ch); n++) {
        jw_object(&j);
        jw_put_time(&j, "time", ch.utc_ms);
        jw_put_bool(&j, "online", ch.online);
        http_put_words(&j, "cause", slice_str(ch.cause));
        jw_end(&j);
    }
    http_list_end(&j, (struct slice){ 0 }, n);
}

static void profile_commands_write(struct jw *j, const struct platform *p,
                                   struct slice id)
{
    struct platform_profile_command k;

    jw_key(j, "commands");
    jw_array(j);
    for (size_t pos = 0; platform_profile_command(p, id, &pos, &k);) {
        jw_object(j);
        jw_put_str(j, "cmd", k.cmd);
        jw_put_str(j, "sub", k.sub);
        jw_put_cstr(j, "verdict", k.knows   ? "knows"
                                  : k.lacks ? "lacks"
                                            : "unclear");
        jw_put_cstr(j, "last", platform_outcome_name(k.last));
        jw_put_u64(j, "asked", k.asked);
        jw_put_u64(j, "silent", k.silent);
        jw_end(j);
    }
    jw_end(j);
}

static void deviations_write(struct jw *j, const struct platform *p,
                             struct slice id)
{
    char buf[CHINESE_MAX];
    const char *text;

    jw_key(j, "deviation_kinds");
    jw_array(j);
    for (size_t pos = 0; platform_profile_deviation(p, id, &pos, &text);)
        jw_str(j, slice_str(text));
    jw_end(j);
    jw_key(j, "deviation_kinds_zh");
    jw_array(j);
    for (size_t pos = 0; platform_profile_deviation(p, id, &pos, &text);)
        jw_str(j, chinese_of(buf, slice_str(text)));
    jw_end(j);
}

static void profile_write(struct jw *j, const struct platform *p,
                          const struct platform_device *d,
                          const struct platform_profile *f)
{
    jw_object(j);
    jw_put_str(j, "device", d->id);
    jw_put_str(j, "charset", d->charset);
    jw_put_str(j, "edition", d->edition);
    jw_put_cstr(j, "edition_from", d->edition_set    ? "set"
                                   : f->edition_told ? "told"
                                                     : "assumed");
    jw_put_cstr(j, "media", http_transport_name(f->media));
    jw_put_str(j, "digest", f->digest);
    jw_put_bool(j, "behind_nat", f->behind_nat);
    jw_put_u64(j, "keepalive_gap_ms", f->keepalive_gap_ms);
    jw_key(j, "alarms");
    jw_object(j);
    jw_put_bool(j, "by_message", f->alarms_by_message);
    jw_put_bool(j, "by_notify", f->alarms_by_notify);
    jw_put_bool(j, "typed", f->alarms_typed);
    jw_put_bool(j, "untyped", f->alarms_untyped);
    jw_end(j);
    profile_commands_write(j, p, d->id);
    jw_put_u64(j, "deviations", d->deviations);
    deviations_write(j, p, d->id);
    jw_end(j);
}

void http_get_profile(struct http_call *c)
{
    const struct platform *p = c->app->cfg.platform;
    struct platform_profile f;
    struct platform_device d;
    struct jw j;

    if (!find_device(c, &d) || !platform_profile_view(p, d.id, &f))
        return;
    j = http_answer_json(c, 200);
    profile_write(&j, p, &d, &f);
}

void http_delete_device(struct http_call *c)
{
    int err;

    if (!http_device_guard_holds(c, c->params.value[0]))
        return;
    err = platform_device_remove(c->app->cfg.platform, c->params.value[0],
                                 c->now);
    if (err == GB_ENOENT)
        http_answer_no_device(c);
    else if (err)
        http_answer_fail(c, 500, NULL, gb_strerror(err));
    else
        http_answer_empty(c, 204);
    http_answer_committed(c);
}

void http_refresh_device(struct http_call *c)
{
    uint64_t id;
    int err = platform_command_refresh(c->app->cfg.platform,
                                       c->params.value[0], c->now, &id);

    c->app->cfg.touched(c->app->cfg.ctx);
    if (err == GB_ENOENT)
        http_answer_no_device(c);
    else if (err == GB_ESTATE)
        http_answer_fail(c, 409, "device-offline", "the device is offline");
    else if (err)
        http_answer_fail(c, 503, NULL, gb_strerror(err));
    else if (!http_command_answer(c, 202, id))
        http_answer_empty(c, 202);
}

void http_get_channels(struct http_call *c)
{
    struct platform *p = c->app->cfg.platform;
    struct platform_device d;
    struct platform_channel ch;
    struct http_page page;
    struct walk w = { 0 };
    struct slice after;
    struct jw j;

    if (!find_device(c, &d) || !http_page_read(c, &page))
        return;
    j = http_list_begin(c);
    after = is_filtered(&page) ? (struct slice){ 0 } : page.cursor;
    while (walk_goes_on(&w, &page) &&
           platform_channel_next(p, c->params.value[0], after, &ch)) {
        if (walk_take(&w, &page, ch.id, ch.name, ch.on))
            http_channel_write(&j, c->app, &ch);
        after = ch.id;
    }
    http_list_end(&j, walk_next(&w), is_filtered(&page) ? w.matches : d.n_channels);
}

bool http_find_channel(struct http_call *c, struct platform_channel *out)
{
    if (platform_channel_view(c->app->cfg.platform, c->params.value[0],
                              c->params.value[1], out))
        return true;
    http_answer_fail(c, 404, "channel-unknown", "no such device or channel");
    return false;
}

void http_get_channel(struct http_call *c)
{
    struct platform_channel ch;
    struct jw j;

    if (!http_find_channel(c, &ch))
        return;
    j = http_answer_json(c, 200);
    http_channel_write(&j, c->app, &ch);
}

static void put_subscription(struct jw *j,
                             const struct platform_subscription *u)
{
    jw_object(j);
    jw_put_str(j, "device", u->device);
    jw_put_cstr(j, "kind", platform_subscription_name(u->kind));
    jw_put_cstr(j, "state", platform_subscription_state_name(u->state));
    jw_put_u64(j, "sip_status", u->status);
    http_put_words(j, "reason", slice_str(u->reason));
    jw_put_u64(j, "notifies", u->notifies);
    jw_put_time(j, "expires_at", u->expires_utc_ms);
    jw_put_time(j, "next_at", u->next_utc_ms);
    jw_end(j);
}

/* Those of one device stand together on a page, which may have a few more than
 * its limit by that. */
void http_get_subscriptions(struct http_call *c)
{
    struct platform_subscription u[PLATFORM_SUBSCRIPTION_KINDS];
    const struct platform *p = c->app->cfg.platform;
    struct slice after = { "", 0 }, last = { "", 0 };
    struct platform_device d;
    struct http_page page;
    size_t total = 0, written = 0;
    bool more = false;
    struct jw j;

    if (!http_page_read(c, &page))
        return;
    j = http_list_begin(c);
    for (; platform_device_next(p, after, &d); after = d.id) {
        size_t of = http_has_text(d.id, page.q) && http_sees(c, d.id)
                        ? platform_subscriptions_of(p, d.id, u)
                        : 0;

        total += of;
        if (!of || slice_cmp(d.id, page.cursor) <= 0)
            continue;
        more = written >= page.limit;
        if (more)
            continue;
        for (size_t i = 0; i < of; i++)
            put_subscription(&j, &u[i]);
        written += of;
        last = d.id;
    }
    http_list_end(&j, more ? last : (struct slice){ 0 }, total);
}

void http_get_pending(struct http_call *c)
{
    struct platform_pending p = { .id = { NULL, 0 } };
    struct jw j = http_list_begin(c);
    size_t n = 0;

    for (; platform_pending_next(c->app->cfg.platform, p.id, &p); n++) {
        jw_object(&j);
        jw_put_str(&j, "id", p.id);
        jw_put_str(&j, "user_agent", p.user_agent);
        http_put_words(&j, "reason", p.reason);
        jw_put_cstr(&j, "transport", sip_transport_text(p.peer.transport));
        http_put_addr(&j, "address", &p.peer.remote);
        jw_put_time(&j, "first_at", p.first_utc_ms);
        jw_put_time(&j, "last_at", p.last_utc_ms);
        jw_put_u64(&j, "tries", p.tries);
        jw_end(&j);
    }
    http_list_end(&j, (struct slice){ 0 }, n);
}
