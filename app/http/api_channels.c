/* Channels of all devices: who looks for one need not know whose it is. In the
 * order of devices and their channels; a cursor is "DEVICE/CHANNEL". */
#include "app/http/api.h"

struct search {
    struct http_page page;
    struct slice device, channel; /* of the cursor; empty: from the first */
    bool whole;      /* all are walked, for the total */
    uint32_t n, skipped;
    uint64_t matches, all;
    char last[2 * HTTP_ID_MAX + 2]; /* written last */
    bool more;
};

static bool is_wanted(const struct http_page *page,
                      const struct platform_channel *ch)
{
    return (!page->q.n || http_has_text(ch->id, page->q) ||
            http_has_text(ch->name, page->q)) &&
           (page->online < 0 || (page->online == 1) == ch->on);
}

/* Not behind the cursor: it was on an earlier page. */
static bool is_before(const struct search *s, struct slice device,
                      const struct platform_channel *ch)
{
    int order = slice_cmp(device, s->device);

    return order < 0 || (order == 0 && slice_cmp(ch->id, s->channel) <= 0);
}

/* true: it goes onto the page. */
static bool take(struct search *s, struct slice device,
                 const struct platform_channel *ch)
{
    struct writer w = writer_of(s->last, sizeof(s->last) - 1);

    if (!is_wanted(&s->page, ch))
        return false;
    s->matches++;
    if (s->device.n && is_before(s, device, ch))
        return false;
    if (s->skipped < s->page.skip) {
        s->skipped++;
        return false;
    }
    if (s->n == s->page.limit) {
        s->more = true;
        return false;
    }
    s->n++;
    writer_slice_put(&w, device);
    writer_char(&w, '/');
    writer_slice_put(&w, ch->id);
    s->last[w.len] = '\0';
    return true;
}

static void walk_device(struct http_call *c, struct jw *j, struct search *s,
                        struct slice device)
{
    struct platform *p = c->app->cfg.platform;
    struct slice after = { NULL, 0 };
    struct platform_channel ch;

    if (!s->whole && slice_eq(device, s->device))
        after = s->channel;
    while ((s->whole || !s->more) &&
           platform_channel_next(p, device, after, &ch)) {
        if (take(s, device, &ch))
            http_channel_write(j, c->app, &ch);
        after = ch.id;
    }
}

/* Without a filter, for whom nothing is hidden, the devices know how many there
 * are: what lies before the page is not walked. */
void http_get_all_channels(struct http_call *c)
{
    struct slice after = { NULL, 0 };
    struct platform_device d;
    struct search s = { .n = 0 };
    struct jw j;

    if (!http_page_read(c, &s.page))
        return;
    s.channel = s.page.cursor;
    slice_cut(&s.channel, '/', &s.device);
    s.whole = s.page.q.n || s.page.online >= 0 || http_is_bounded(c);
    j = http_list_begin(c);
    while (platform_device_next(c->app->cfg.platform, after, &d)) {
        after = d.id;
        s.all += d.n_channels;
        if (http_sees(c, d.id) &&
            (s.whole || slice_cmp(d.id, s.device) >= 0))
            walk_device(c, &j, &s, d.id);
    }
    http_list_end(&j, s.more ? slice_str(s.last) : (struct slice){ 0 },
                  s.whole ? s.matches : s.all);
}
