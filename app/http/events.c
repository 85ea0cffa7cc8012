#include "app/http/events.h"

struct event {
    const char *type;  /* static */
    struct slice json; /* owned; p NULL: lost; its device is behind it */
    size_t n_device;
};

struct http_events {
    const struct gb_alloc *alloc;
    uint64_t boot;
    uint64_t first, next; /* numbers in the ring: first <= n < next */
    size_t bytes;
    unsigned readers;
    uint64_t left_ms; /* the last reader went; 0: there was none */
    struct event ring[HTTP_EVENTS_MAX];
};

int http_events_new(struct http_events **out, const struct gb_alloc *alloc,
                    uint64_t boot)
{
    struct http_events *e = gb_get(alloc, sizeof(*e));

    if (!e)
        return GB_ENOMEM;
    e->alloc = alloc;
    e->boot = boot;
    e->first = e->next = 1;
    *out = e;
    return 0;
}

static struct event *at(const struct http_events *e, uint64_t seq)
{
    return (struct event *)(uintptr_t)&e->ring[seq % HTTP_EVENTS_MAX];
}

static void drop_first(struct http_events *e)
{
    struct event *ev = at(e, e->first++);

    e->bytes -= ev->json.n;
    gb_put(e->alloc, (void *)(uintptr_t)ev->json.p);
    *ev = (struct event){ 0 };
}

void http_events_free(struct http_events *e)
{
    if (!e)
        return;
    while (e->first < e->next)
        drop_first(e);
    gb_put(e->alloc, e);
}

void http_events_join(struct http_events *e)
{
    e->readers++;
}

void http_events_leave(struct http_events *e, uint64_t now_ms)
{
    if (--e->readers == 0)
        e->left_ms = now_ms ? now_ms : 1;
}

bool http_events_wanted(const struct http_events *e, uint64_t now_ms)
{
    return e->readers ||
           (e->left_ms && now_ms - e->left_ms < HTTP_EVENTS_LINGER_MS);
}

/* Nobody may miss it silently. */
void http_events_skip(struct http_events *e)
{
    while (e->first < e->next)
        drop_first(e);
    e->first = ++e->next;
}

bool http_events_device(const struct http_events *e, uint64_t seq,
                        struct slice *device)
{
    const struct event *ev;

    if (seq + 1 >= e->next || seq + 1 < e->first)
        return false;
    ev = at(e, seq + 1);
    *device = slice_of(ev->json.p + ev->json.n, ev->n_device);
    return true;
}

void http_events_push(struct http_events *e, const char *type,
                      struct slice device, struct slice json)
{
    size_t n = device.n <= HTTP_EVENT_DEVICE_MAX ? device.n : 0;
    char *p = json.n <= HTTP_EVENTS_BYTES
                  ? gb_get(e->alloc, json.n + n + 1)
                  : NULL;

    if (!p) {
        http_events_skip(e);
        return;
    }
    while (e->first < e->next &&
           (e->next - e->first == HTTP_EVENTS_MAX ||
            e->bytes + json.n > HTTP_EVENTS_BYTES))
        drop_first(e);
    if (json.n)
        memcpy(p, json.p, json.n);
    if (n)
        memcpy(p + json.n, device.p, n);
    *at(e, e->next) = (struct event){ type, { p, json.n }, n };
    e->bytes += json.n;
    e->next++;
}

uint64_t http_events_last(const struct http_events *e)
{
    return e->next - 1;
}

uint64_t http_events_parse_id(const struct http_events *e, struct slice id)
{
    struct slice boot;
    uint64_t b, seq;

    if (!slice_cut(&id, '-', &boot) || !slice_u64(boot, UINT64_MAX, &b) ||
        b != e->boot || !slice_u64(id, e->next - 1, &seq))
        return HTTP_EVENTS_STALE;
    return seq;
}

bool http_events_next(const struct http_events *e, uint64_t *seq,
                      struct buf *out)
{
    const struct event *ev;

    if (*seq == e->next - 1)
        return false;
    if (*seq >= e->next || *seq + 1 < e->first) {
        *seq = e->next - 1;
        buf_f(out, "id: %llu-%llu\nevent: reset\ndata: {}\n\n",
              (unsigned long long)e->boot, (unsigned long long)*seq);
        return true;
    }
    ev = at(e, ++*seq);
    buf_f(out, "id: %llu-%llu\nevent: %s\ndata: ", (unsigned long long)e->boot,
          (unsigned long long)*seq, ev->type);
    buf_slice(out, ev->json);
    buf_str(out, "\n\n");
    return true;
}
