/* Devices that go on sending after the end. On the shared port their SSRC is
 * known for a while; a port of a session's own is opened once more, to see
 * whether anything comes. */
#include "app/net/media_int.h"

#include "rtp/packet.h"

#include <stdlib.h>

struct media_after {
    struct list node; /* in l->afters */
    struct media_loop *loop;
    uint64_t session;
    struct after_port what;
    struct udp_socket *rtp; /* NULL: not open yet */
    struct intake intake;
    uv_timer_t timer;
    bool closing;
};

void media_after_seen(void *ctx, uint64_t session, const struct gb_addr *from)
{
    struct media_loop *l = ctx;
    struct platform_media_event ev = { .kind = PLATFORM_MEDIA_AFTER,
                                       .session = session, .from = *from };

    media_net_event(l->net, &ev);
}

void media_after_note(struct media_stream *s)
{
    struct platform_media_event ev = { 0 };

    s->after.port = 0;
    ingest_fill(s->ingest, &ev);
    if (!ev.packets || ingest_waits(s->ingest, uv_now(&s->loop->uv)))
        return;
    s->after = (struct after_port){ ev.from, ev.ssrc,
                                    ingest_udp_port(s->ingest) };
}

static void on_timer_closed(uv_handle_t *h)
{
    free(h->data);
}

static void stop(struct media_after *a)
{
    if (a->closing)
        return;
    a->closing = true;
    udp_close(a->rtp);
    list_remove(&a->node);
    a->loop->n_afters--;
    uv_close((uv_handle_t *)&a->timer, on_timer_closed);
}

static bool is_its(const struct media_after *a, const struct udp_packet *p)
{
    return rtp_classify(p->p, p->n) == RTP_CLASS_RTP &&
           gb_addr_ip_eq(p->remote, &a->what.from) &&
           rtp_ssrc_of(p->p) == a->what.ssrc;
}

static void on_packets(void *ctx, struct udp_socket *u,
                       const struct udp_packet *pkt, size_t n)
{
    struct media_after *a = ctx;

    (void)u;
    if (!intake_batch(&a->intake, n))
        return;
    for (size_t i = 0; !a->closing && i < n; i++) {
        if (!is_its(a, &pkt[i]))
            continue;
        media_after_seen(a->loop, a->session, pkt[i].remote);
        stop(a);
    }
}

static void on_late(uv_timer_t *t)
{
    stop(t->data);
}

static void on_time(uv_timer_t *t)
{
    struct media_after *a = t->data;
    struct udp_options o = { .v6only = true, .no_local = true,
                             .on_packets = on_packets,
                             .source = intake_source(&a->intake), .ctx = a };

    o.bind = (struct gb_addr){ .family = a->what.from.family,
                               .port = a->what.port };
    if (udp_open(&a->rtp, &a->loop->uv, &o)) /* somebody else has it */
        stop(a);
    else
        uv_timer_start(t, on_late, MEDIA_AFTER_MS - MEDIA_AFTER_FROM_MS, 0);
}

void media_after_watch(struct media_stream *s)
{
    struct media_loop *l = s->loop;
    struct media_after *a;

    if (!s->after.port || l->stopping || l->n_afters == MEDIA_AFTER_MAX)
        return;
    a = calloc(1, sizeof(*a));
    if (!a)
        return;
    a->loop = l;
    a->session = s->session;
    a->what = s->after;
    s->after.port = 0;
    intake_init(&a->intake, &l->pool, &l->uv);
    uv_timer_init(&l->uv, &a->timer);
    a->timer.data = a;
    uv_timer_start(&a->timer, on_time, MEDIA_AFTER_FROM_MS, 0);
    list_push_back(&l->afters, &a->node);
    l->n_afters++;
}

void media_after_stop(struct media_loop *l)
{
    struct list *n, *tmp;

    LIST_EACH(n, tmp, &l->afters)
        stop(container_of(n, struct media_after, node));
}
