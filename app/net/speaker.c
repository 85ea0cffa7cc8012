#include "app/net/speaker.h"

#include "base/list.h"

#include <stdlib.h>

struct speaker {
    struct list node;
    struct speakers *all;
    struct ingest *in;
    struct voice *voice;
    void (*on_over)(void *ctx);
    void *ctx;
};

static void say(struct speaker *s, uint64_t now_ms)
{
    struct slice packet;
    void (*on_over)(void *) = s->on_over;

    while (voice_next(s->voice, &packet, now_ms))
        ingest_send(s->in, packet);
    if (!on_over || !voice_is_over(s->voice))
        return;
    s->on_over = NULL;
    on_over(s->ctx); /* last: s may be gone */
}

static void on_tick(uv_timer_t *t)
{
    struct speakers *all = t->data;
    struct list *n, *tmp;

    LIST_EACH(n, tmp, &all->all)
        say(container_of(n, struct speaker, node), uv_now(t->loop));
}

void speakers_init(struct speakers *all, uv_loop_t *loop)
{
    list_init(&all->all);
    uv_timer_init(loop, &all->tick);
    all->tick.data = all;
}

void speakers_close(struct speakers *all)
{
    uv_close((uv_handle_t *)&all->tick, NULL);
}

int speaker_new(struct speaker **out, struct speakers *all, struct ingest *in,
                const struct voice_options *o, void (*on_over)(void *ctx),
                void *ctx)
{
    struct speaker *s = calloc(1, sizeof(*s));
    struct voice_options opt = *o;
    int err;

    if (!s)
        return GB_ENOMEM;
    opt.alloc = &gb_alloc_heap;
    err = voice_new(&s->voice, &opt, uv_now(all->tick.loop));
    if (err) {
        free(s);
        return err;
    }
    s->all = all;
    s->in = in;
    s->on_over = on_over;
    s->ctx = ctx;
    list_push_back(&all->all, &s->node);
    if (!uv_is_active((uv_handle_t *)&all->tick))
        uv_timer_start(&all->tick, on_tick, 0, SPEAKER_TICK_MS);
    *out = s;
    return 0;
}

void speaker_free(struct speaker *s)
{
    if (!s)
        return;
    list_remove(&s->node);
    if (list_is_empty(&s->all->all))
        uv_timer_stop(&s->all->tick);
    voice_free(s->voice);
    free(s);
}

void speaker_feed(struct speaker *s, const int16_t *pcm, size_t n)
{
    voice_feed(s->voice, pcm, n);
}

void speaker_counters(const struct speaker *s, struct voice_counters *out)
{
    voice_counters(s->voice, out);
}
