#include "app/net/media_hls.h"

#include <stdlib.h>

struct media_hls {
    struct hls *hls;
    struct list waiting; /* struct media_hls_ask, oldest first */
    uint64_t asked_ms;   /* the last time somebody wanted the playlist, of one that
                            has not ended */
};

void media_hls_ask_free(struct media_hls_ask *a)
{
    if (!a)
        return;
    hls_part_unref(a->part);
    free(a->text);
    free(a);
}

/* ---- to the loop and back --------------------------------------------------- */

static void deliver_done(struct mail *m)
{
    struct media_hls_ask *a = container_of(m, struct media_hls_ask, mail);

    a->on_done(a->ctx, a);
}

static void reply(struct media_hls_ask *a, int err)
{
    a->err = err;
    a->mail.deliver = deliver_done;
    media_net_post_main(a->net, &a->mail);
}

static void deliver_ask(struct mail *m)
{
    struct media_hls_ask *a = container_of(m, struct media_hls_ask, mail);

    media_loop_hls(a->loop, a);
}

bool media_hls_ask(struct media_net *n, unsigned loop, struct media_hls_ask *a)
{
    a->net = n;
    a->loop = media_net_loop(n, loop);
    a->mail.deliver = deliver_ask;
    return a->loop && media_net_post(n, loop, &a->mail);
}

/* ---- answers ------------------------------------------------------------------ */

static void reply_playlist(struct media_hls *m, struct media_hls_ask *a)
{
    struct writer w;

    a->text = malloc(HLS_PLAYLIST_MAX);
    if (!a->text) {
        reply(a, GB_ENOMEM);
        return;
    }
    w = writer_of(a->text, HLS_PLAYLIST_MAX);
    hls_playlist_write(m->hls, &w, slice_str(a->query));
    a->n_text = w.len;
    reply(a, w.err);
}

static void reply_part(struct media_hls_ask *a, struct hls_part *p)
{
    if (p)
        a->part = hls_part_ref(p);
    reply(a, p ? 0 : GB_ENOENT);
}

static void on_segment(void *ctx)
{
    (void)ctx; /* who waits is answered by the next tick: a hub call is under
                  way, and a tick is short beside a segment */
}

static int begin(struct media_hls **slot, struct hub *hub, int64_t utc_ms,
                 uint64_t now_ms)
{
    struct media_hls *m = calloc(1, sizeof(*m));
    int err;

    if (!m)
        return GB_ENOMEM;
    list_init(&m->waiting);
    err = hls_new(&m->hls, &gb_alloc_heap, hub,
                  (struct gb_time){ now_ms, utc_ms }, on_segment, m);
    if (err) {
        free(m);
        return err;
    }
    *slot = m;
    return 0;
}

static void answer_playlist(struct media_hls **slot, struct hub *hub,
                            struct media_hls_ask *a, uint64_t now_ms)
{
    int err = *slot ? 0 : begin(slot, hub, a->utc_ms, now_ms);

    if (err) {
        reply(a, err);
        return;
    }
    if (!hls_has_ended((*slot)->hls)) /* else it says all that there will be */
        (*slot)->asked_ms = now_ms;
    if (hls_is_ready((*slot)->hls)) {
        reply_playlist(*slot, a);
        return;
    }
    a->until_ms = now_ms + MEDIA_HLS_WAIT_MS;
    list_push_back(&(*slot)->waiting, &a->node);
}

void media_hls_answer(struct media_hls **slot, struct hub *hub,
                      struct media_hls_ask *a, uint64_t now_ms)
{
    const struct media_hls *m = *slot;

    if (a->what == MEDIA_HLS_PLAYLIST && hub)
        answer_playlist(slot, hub, a, now_ms);
    else if (!m || !hub)
        reply(a, GB_ENOENT);
    else
        reply_part(a, a->what == MEDIA_HLS_INIT
                          ? hls_init(m->hls, a->number)
                          : hls_segment(m->hls, a->number));
}

static void answer_waiting(struct media_hls *m, struct hub *hub,
                           uint64_t now_ms)
{
    struct list *n, *tmp;

    LIST_EACH(n, tmp, &m->waiting) {
        struct media_hls_ask *a = container_of(n, struct media_hls_ask, node);

        if (!hls_is_ready(m->hls) && !hls_has_ended(m->hls) &&
            now_ms < a->until_ms) {
            if (now_ms + MEDIA_HLS_WAIT_MS >= a->until_ms + MEDIA_HLS_ASK_MS)
                hub_want_key(hub);
            continue;
        }
        list_remove(&a->node);
        if (hls_is_ready(m->hls))
            reply_playlist(m, a);
        else
            reply(a, hls_has_ended(m->hls) ? GB_ENOENT : GB_EAGAIN);
    }
}

void media_hls_tick(struct media_hls **slot, struct hub *hub, uint64_t now_ms)
{
    struct media_hls *m = *slot;

    if (!m)
        return;
    answer_waiting(m, hub, now_ms);
    if (now_ms - m->asked_ms < MEDIA_HLS_IDLE_MS)
        return;
    *slot = NULL;
    media_hls_free(m);
}

void media_hls_free(struct media_hls *m)
{
    struct list *n;

    if (!m)
        return;
    while ((n = list_pop_front(&m->waiting)) != NULL)
        reply(container_of(n, struct media_hls_ask, node), GB_ENOENT);
    hls_free(m->hls);
    free(m);
}
