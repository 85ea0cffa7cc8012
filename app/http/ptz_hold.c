/* Movements that last as long as the connection that asked for them: a client
 * that is lost is noticed here before the dead-man time of the platform. */
#include "app/http/api.h"

static struct ptz_hold *hold_of(struct http_app *a, struct slice device,
                                struct slice channel)
{
    for (size_t i = 0; i < HTTP_PTZ_HOLDS; i++) {
        struct ptz_hold *h = &a->ptz_holds[i];

        if (h->client && slice_eq(slice_str(h->device), device) &&
            slice_eq(slice_str(h->channel), channel))
            return h;
    }
    return NULL;
}

static struct ptz_hold *free_hold(struct http_app *a)
{
    for (size_t i = 0; i < HTTP_PTZ_HOLDS; i++)
        if (!a->ptz_holds[i].client)
            return &a->ptz_holds[i];
    return NULL;
}

bool http_ptz_hold(struct http_app *a, uint64_t client, struct slice device,
                   struct slice channel)
{
    struct ptz_hold *h = hold_of(a, device, channel);

    if (h)
        h->client = 0; /* whoever moves it now takes it over */
    if (!client)
        return true;
    h = h ? h : free_hold(a);
    if (!h || device.n > HTTP_ID_MAX || channel.n > HTTP_ID_MAX)
        return false;
    h->client = client;
    slice_copy(h->device, sizeof(h->device), device);
    slice_copy(h->channel, sizeof(h->channel), channel);
    return true;
}

void http_app_closed(struct http_app *a, uint64_t client)
{
    http_talk_closed(a, client);
    for (size_t i = 0; i < HTTP_PTZ_HOLDS; i++) {
        struct ptz_hold *h = &a->ptz_holds[i];
        uint64_t id;

        if (!client || h->client != client)
            continue;
        h->client = 0;
        platform_ptz_stop(a->cfg.platform, slice_str(h->device),
                          slice_str(h->channel), a->cfg.now(a->cfg.ctx), &id);
        a->cfg.touched(a->cfg.ctx);
    }
}
