#include "app/platform/channel_sets.h"

#include "app/platform/core.h"

#define KEY_MAX (2 * PLATFORM_ID_MAX)

struct channel_sets {
    struct map_node by_key;
    struct list played;
    struct kept_sets *of[CHANNEL_SETS_STREAMS]; /* NULL: it has not played */
    char key[];
};

int channel_sets_init(struct platform *p)
{
    list_init(&p->sets.played);
    return map_init(&p->sets.by_key, p->alloc, p->seed);
}

static void drop(struct platform *p, struct channel_sets *c)
{
    map_remove(&p->sets.by_key, &c->by_key);
    list_remove(&c->played);
    for (unsigned i = 0; i < CHANNEL_SETS_STREAMS; i++)
        kept_sets_unref(c->of[i]);
    gb_put(p->alloc, c);
}

void channel_sets_fini(struct platform *p)
{
    struct list *n, *tmp;

    if (!p->sets.by_key.alloc)
        return;
    LIST_EACH(n, tmp, &p->sets.played)
        drop(p, container_of(n, struct channel_sets, played));
    map_fini(&p->sets.by_key);
}

static struct slice key_of(struct slice device, struct slice channel,
                           char buf[static KEY_MAX])
{
    struct writer w = writer_of(buf, KEY_MAX);

    writer_slice_put(&w, device);
    writer_char(&w, '/');
    writer_slice_put(&w, channel);
    return w.err ? slice_of("", 0) : writer_slice(&w);
}

static struct channel_sets *find(const struct platform *p, struct slice device,
                                 struct slice channel)
{
    char buf[KEY_MAX];
    struct map_node *n =
        map_find(&p->sets.by_key, key_of(device, channel, buf));

    return n ? container_of(n, struct channel_sets, by_key) : NULL;
}

static struct channel_sets *add(struct platform *p, const struct session *s)
{
    char buf[KEY_MAX];
    struct slice key = key_of(session_device(s), session_channel(s), buf);
    struct channel_sets *c;

    if (!key.n || !channel_find(s->device, session_channel(s)))
        return NULL;
    c = gb_get(p->alloc, sizeof(*c) + key.n);
    if (!c)
        return NULL;
    if (p->sets.by_key.n >= CHANNEL_SETS_MAX)
        drop(p, container_of(p->sets.played.next, struct channel_sets, played));
    memcpy(c->key, key.p, key.n);
    map_insert(&p->sets.by_key, &c->by_key, slice_of(c->key, key.n));
    list_push_back(&p->sets.played, &c->played);
    return c;
}

static bool is_of_a_stream(const struct session *s)
{
    return s->kind == PLATFORM_LIVE && s->stream < CHANNEL_SETS_STREAMS;
}

void channel_sets_note(struct platform *p, const struct session *s,
                       struct kept_sets *sets)
{
    struct channel_sets *c;

    if (!sets || !s->device || !is_of_a_stream(s))
        return;
    c = find(p, session_device(s), session_channel(s));
    if (!c)
        c = add(p, s);
    if (!c)
        return;
    list_remove(&c->played);
    list_push_back(&p->sets.played, &c->played);
    kept_sets_ref(sets);
    kept_sets_unref(c->of[s->stream]);
    c->of[s->stream] = sets;
}

struct kept_sets *channel_sets_of(const struct platform *p,
                                  const struct session *s)
{
    const struct channel_sets *c =
        is_of_a_stream(s) ? find(p, session_device(s), session_channel(s))
                          : NULL;
    struct kept_sets *k;

    k = c ? c->of[s->stream] : NULL;
    return k && !kept_sets_are_none(k) ? k : NULL;
}

void channel_sets_forget(struct platform *p, const struct channel *c)
{
    struct channel_sets *s;

    if (p->sets.by_key.n == 0)
        return;
    s = find(p, device_id(c->device), channel_text(c, CHANNEL_ID));
    if (s)
        drop(p, s);
}
