/* Who is not one of the devices: scanners, and whoever speaks in the name of a
 * device without its password. Nothing that they say may change anything. */
#include "test/sim/world.h"

#include <stdio.h>
#include <string.h>

#define TEXT_MAX 1200

static const char *const method[] = { "REGISTER", "MESSAGE", "OPTIONS", "INVITE",
                                      "BYE", "SUBSCRIBE", "NOTIFY" };
#define METHODS (sizeof(method) / sizeof(method[0]))

static const char authorization[] =
    "Authorization: Digest username=\"%s\", realm=\"" WORLD_REALM "\", "
    "nonce=\"%016llx\", uri=\"sip:" WORLD_ID "@" WORLD_REALM "\", "
    "response=\"%016llx%016llx\", algorithm=MD5\r\n";

static const char keepalive[] =
    "<?xml version=\"1.0\"?>\r\n<Notify><CmdType>Keepalive</CmdType>"
    "<SN>1</SN><DeviceID>%s</DeviceID><Status>OK</Status></Notify>\r\n";

/* A request of `who`, some of them with a response that is no answer. */
static size_t request(struct world *w, char *out, const char *who)
{
    const char *m = method[world_random(w, METHODS)];
    unsigned long long n = world_random(w, UINT32_MAX);
    char proof[400] = "", body[300] = "";
    int len;

    if (world_chance(w, 500))
        snprintf(proof, sizeof(proof), authorization, who, n, n * 3, n * 5);
    if (strcmp(m, "MESSAGE") == 0 || strcmp(m, "NOTIFY") == 0)
        snprintf(body, sizeof(body), keepalive, who);
    len = snprintf(out, TEXT_MAX,
                   "%s sip:" WORLD_ID "@" WORLD_REALM " SIP/2.0\r\n"
                   "Via: SIP/2.0/UDP 198.51.100.9:5060;branch=z9hG4bK%llx\r\n"
                   "From: <sip:%s@" WORLD_REALM ">;tag=%llx\r\n"
                   "To: <sip:%s@" WORLD_REALM ">\r\n"
                   "Call-ID: %llx\r\nCSeq: 1 %s\r\n"
                   "Contact: <sip:%s@198.51.100.9:5060>\r\n%s"
                   "User-Agent: %s\r\nExpires: %u\r\nEvent: Catalog\r\n"
                   "Max-Forwards: 70\r\n"
                   "Content-Type: Application/MANSCDP+xml\r\n"
                   "Content-Length: %zu\r\n\r\n%s",
                   m, n, who, n,
                   strcmp(m, "REGISTER") == 0 ? who : WORLD_ID, n, m, who, proof,
                   world_chance(w, 200) ? "friendly-scanner" : "IP Camera",
                   world_chance(w, 200) ? 0u : 3600u, strlen(body), body);
    /* some are damaged on the way */
    for (unsigned k = world_chance(w, 300) ? 20 : 0; k; k--)
        out[world_random(w, (uint64_t)len)] = (char)world_random(w, 256);
    return (size_t)len;
}

static void hear(struct world *w, struct slice bytes)
{
    struct sip_peer peer = { .transport = SIP_UDP, .local = w->server_addr };

    peer.remote = (struct gb_addr){ .family = GB_IPV4,
                                    .ip = { 198, 51, 100,
                                            (uint8_t)world_random(w, 256) },
                                    .port = 5060 };
    w->strangers++;
    platform_ahead(w->p, &bytes, 1);
    if (platform_admits(w->p, &peer, bytes, world_now(w)))
        sip_stack_input(w->server, &peer, bytes, w->mono_ms);
    server_pump(w);
}

static bool is_same(const struct platform_device *a,
                    const struct platform_device *b)
{
    return a->online == b->online && gb_addr_eq(&a->peer.remote, &b->peer.remote) &&
           a->peer.connection == b->peer.connection &&
           a->expires_utc_ms == b->expires_utc_ms &&
           a->keepalive_utc_ms == b->keepalive_utc_ms;
}

void strangers_act(struct world *w)
{
    const struct unit *u = &w->unit[world_random(w, w->n)];
    struct platform_device before, after;
    char text[TEXT_MAX], who[DEVICE_ID_MAX + 1];
    bool was, is;

    if (!w->server)
        return;
    snprintf(who, sizeof(who), "%s", u->id);
    if (world_chance(w, 300)) /* a scanner's, or one that nobody has enrolled */
        snprintf(who, sizeof(who),
                 world_chance(w, 500) ? "%u" : "34020000009999%06u",
                 (unsigned)world_random(w, 1000000));
    server_pump(w);
    was = platform_device_view(w->p, slice_str(who), &before);
    for (unsigned k = 1 + (unsigned)world_random(w, 30); k; k--)
        hear(w, slice_of(text, request(w, text, who)));
    is = platform_device_view(w->p, slice_str(who), &after);
    if (was != is || (was && !is_same(&before, &after)))
        world_fail(w, "a stranger has changed %s", who);
}
