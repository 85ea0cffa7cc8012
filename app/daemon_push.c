/* Pushes: between their table, the connections on the media loops, and the
 * store. */
#include "app/daemon_int.h"

#include <stdlib.h>

struct link_node {
    struct list node;
    uint64_t id;
    struct push_link *link;
    bool stopping;
};

int daemon_make_pushes(struct daemon *d)
{
    list_init(&d->push_links);
    return pushes_new(&d->pushes, &gb_alloc_heap, d->platform,
                      daemon_checks_certificates(d, CONFIG_PUSH_CA));
}

/* ---- the store ---------------------------------------------------------------- */

static struct slice name_of(struct slice device, struct slice channel,
                            char buf[static 128])
{
    int n = snprintf(buf, 128, "%.*s/%.*s", SLICE_ARG(device),
                     SLICE_ARG(channel));

    return slice_of(buf, n < 128 ? (size_t)n : 127);
}

void daemon_push_changed(void *ctx, struct slice device, struct slice channel)
{
    struct daemon *d = ctx;
    char name[128], who[128], sealed[SECRETS_SEALED_MAX];
    char urls[PUSHES_OF_CHANNEL * (PUSH_URL_MAX + 1)];
    char secrets[PUSHES_OF_CHANNEL * SECRETS_SEALED_MAX];
    struct writer u = writer_of(urls, sizeof(urls));
    struct writer s = writer_of(secrets, sizeof(secrets));
    struct store_push row = { .name = name_of(device, channel, name) };
    struct push_view v;
    struct push_url at;
    struct pushes_walk walk = { 0 };

    while (pushes_next(d->pushes, device, channel, &walk, &v)) {
        if (push_url_parse(&at, v.url))
            continue;
        if (walk.n > 1) {
            writer_char(&u, ' ');
            writer_char(&s, ',');
        }
        push_url_write(&u, &at, slice_of(NULL, 0));
        secrets_seal(d->secrets, daemon_owner("push", row.name, who),
                     at.password, sealed);
        writer_str(&s, sealed);
        row.stream = v.stream;
    }
    row.urls = writer_slice(&u);
    row.sealed = writer_slice(&s);
    if (walk.n)
        store_put_push(d->store, &row);
    else
        store_remove_push(d->store, row.name);
}

void daemon_remove_pushes(struct daemon *d, struct slice device)
{
    struct push_view v;
    char name[128];
    struct pushes_walk walk = { 0 };

    while (pushes_next(d->pushes, device, slice_of(NULL, 0), &walk, &v))
        store_remove_push(d->store, name_of(v.device, v.channel, name));
    pushes_remove_device(d->pushes, device, daemon_now(d));
}

/* The URL with its password, in buf; false: it cannot be opened. */
static bool whole_url(struct daemon *d, struct slice name, struct slice bare,
                      struct slice sealed, char *buf, size_t room,
                      struct slice *out)
{
    char who[128], plain[SECRETS_PLAIN_MAX];
    struct slice password = { 0 };
    struct writer w = writer_of(buf, room);
    struct push_url u;

    if (push_url_parse(&u, bare) ||
        (sealed.n && !secrets_unseal(d->secrets,
                                     daemon_owner("push", name, who), sealed,
                                     plain, &password)))
        return false;
    push_url_write(&w, &u, password);
    *out = writer_slice(&w);
    return !w.err;
}

void daemon_restore_push(void *ctx, const struct store_push *p)
{
    struct daemon *d = ctx;
    char text[PUSHES_OF_CHANNEL][PUSH_URL_MAX + 1];
    struct slice url[PUSHES_OF_CHANNEL], urls = p->urls, sealed = p->sealed;
    struct pushes_of of = { .stream = p->stream, .url = url };
    int err = 0;

    of.channel = p->name;
    slice_cut(&of.channel, '/', &of.device);
    while (urls.n && of.n < PUSHES_OF_CHANNEL) {
        struct slice bare, one;

        slice_cut(&urls, ' ', &bare);
        slice_cut(&sealed, ',', &one);
        if (whole_url(d, p->name, bare, one, text[of.n], sizeof(text[0]),
                      &url[of.n]))
            of.n++;
        else
            err = GB_EAUTH;
    }
    if (err)
        log_f(LOG_ERROR, "msg=\"a stored push is not made: was the "
                         "installation-key replaced? set it again\" "
                         "channel=%.*s", SLICE_ARG(p->name));
    err = pushes_set(d->pushes, &of, daemon_now(d));
    if (err)
        log_f(LOG_ERROR, "msg=\"stored pushes are not made\" channel=%.*s "
                         "why=\"%s\"", SLICE_ARG(p->name),
              err == GB_EUNSUPPORTED ? "rtsps and rtmps need the file push.ca"
                                     : gb_strerror(err));
}

/* ---- connections ---------------------------------------------------------------- */

static struct link_node *find(struct daemon *d, uint64_t id)
{
    for (struct list *n = d->push_links.next; n != &d->push_links; n = n->next)
        if (container_of(n, struct link_node, node)->id == id)
            return container_of(n, struct link_node, node);
    return NULL;
}

static void on_told(void *ctx, uint64_t id, bool live, uint64_t bytes)
{
    struct daemon *d = ctx;

    pushes_told(d->pushes, id, live, bytes, daemon_now(d));
}

static void on_gone(void *ctx, uint64_t id, uint64_t bytes, const char *why)
{
    struct daemon *d = ctx;
    struct link_node *k = find(d, id);

    if (k) {
        list_remove(&k->node);
        free(k);
    }
    if (d->closing)
        return;
    pushes_gone(d->pushes, id, bytes, why, daemon_now(d));
    sip_edge_touch(d->edge);
}

static void begin(struct daemon *d, const struct pushes_order *o)
{
    struct link_node *k = calloc(1, sizeof(*k));
    int err = GB_ENOMEM;

    if (k)
        err = push_link_start(&k->link, d->media, &d->push_hooks, o->loop,
                              o->session, o->id, o->url);
    if (err) {
        free(k);
        pushes_gone(d->pushes, o->id, 0, gb_strerror(err), daemon_now(d));
        return;
    }
    k->id = o->id;
    list_push_back(&d->push_links, &k->node);
}

static void carry_out(struct daemon *d)
{
    struct pushes_order o;

    while (pushes_order(d->pushes, &o)) {
        struct link_node *k = find(d, o.id);

        if (o.begin)
            begin(d, &o);
        else if (k)
            k->stopping = true;
    }
}

/* Without its query either, where many services have their keys. */
static void say(struct daemon *d, const struct push_view *v)
{
    char text[PUSH_URL_MAX + 8];
    struct writer w = writer_of(text, sizeof(text));
    bool bad = v->state == PUSHES_WAITING && v->failures;
    size_t query;

    push_url_mask(&w, v->url);
    query = slice_find(writer_slice(&w), '?');
    if (query < w.len) {
        w.len = query;
        writer_str(&w, "?***");
    }
    if (bad || v->state == PUSHES_LIVE)
        log_f(bad ? LOG_WARN : LOG_INFO,
              "msg=push state=%s device=%.*s channel=%.*s url=\"%.*s\" "
              "why=\"%s\" failures=%u", pushes_state_name(v->state),
              SLICE_ARG(v->device), SLICE_ARG(v->channel), (int)w.len, text,
              v->why, (unsigned)v->failures);
    http_app_push(d->app, v);
}

static void on_timer(uv_timer_t *t)
{
    struct daemon *d = t->data;
    struct list *n, *tmp;
    struct push_view v;

    LIST_EACH(n, tmp, &d->push_links) {
        struct link_node *k = container_of(n, struct link_node, node);

        push_link_tell(k->link);
        if (k->stopping)
            push_link_stop(k->link);
    }
    if (!d->draining)
        pushes_tick(d->pushes, daemon_now(d));
    carry_out(d);
    while (pushes_news(d->pushes, &v))
        say(d, &v);
    sip_edge_touch(d->edge);
}

void daemon_start_pushes(struct daemon *d)
{
    d->push_hooks = (struct push_hooks){ .on_told = on_told,
                                         .on_gone = on_gone,
                                         .tls = daemon_push_tls, .ctx = d };
    uv_timer_init(&d->loop, &d->push_timer);
    d->push_timer.data = d;
    uv_timer_start(&d->push_timer, on_timer, PUSHES_TICK_MS, PUSHES_TICK_MS);
}

void daemon_close_pushes(struct daemon *d)
{
    uv_close((uv_handle_t *)&d->push_timer, NULL);
}
