/* The wire between the devices and the platform: loses, delays, reorders,
 * copies, is cut; in front of some devices there is a NAT. */
#include "test/sim/world.h"

#include <stdlib.h>
#include <string.h>

enum packet_kind { PACKET_MESSAGE, PACKET_CLOSED };

struct packet {
    struct heap_node at;
    enum packet_kind kind;
    bool to_server;
    uint32_t unit;
    struct sip_peer peer; /* as the receiver sees it */
    size_t n;
    char bytes[];
};

/* 10.x.y.z: the device's own address; 172.x.y.z: behind a NAT, sixteen on one
 * address, told apart by the port. */
static uint32_t unit_at(const struct gb_addr *a)
{
    uint32_t low = (uint32_t)a->ip[2] << 8 | a->ip[3];

    return a->ip[0] == 10 ? low : low << 4 | (a->port & 15);
}

void wire_init(struct world *w)
{
    heap_init(&w->wire, &gb_alloc_heap);
}

void wire_free(struct world *w)
{
    struct heap_node *n;

    while ((n = heap_first(&w->wire))) {
        heap_remove(&w->wire, n);
        free(container_of(n, struct packet, at));
    }
    heap_fini(&w->wire);
}

static uint64_t mix(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * 0x9e3779b97f4a7c15u;
    return hash ^ hash >> 29;
}

static void hash_packet(struct world *w, const struct packet *k, uint64_t at_ms)
{
    uint64_t h = mix(w->hash, at_ms), word;
    size_t i = 0;

    h = mix(h, (uint64_t)k->unit << 2 | (uint64_t)k->to_server << 1 |
                   (k->kind != 0));
    h = mix(h, k->n);
    for (; i + sizeof(word) <= k->n; i += sizeof(word)) {
        memcpy(&word, k->bytes + i, sizeof(word));
        h = mix(h, word);
    }
    word = 0;
    memcpy(&word, k->bytes + i, k->n - i);
    w->hash = mix(h, word);
}

/* In order of arrival, and of sending where they arrive at the same time. */
static void put(struct world *w, struct packet *k, uint64_t at_ms)
{
    if (w->opt.hashes)
        hash_packet(w, k, at_ms);
    if (heap_reserve(&w->wire, w->wire.n + 1))
        abort();
    heap_set(&w->wire, &k->at, at_ms << 20 | (w->packets++ & 0xfffff));
}

static uint64_t delay_ms(struct world *w)
{
    uint64_t ms = 2 + world_random(w, 8);

    if (w->calm)
        return ms;
    if (world_chance(w, w->slow))
        ms += world_random(w, 3000); /* overtaken by those behind it */
    return ms;
}

static struct packet *packet(enum packet_kind kind, size_t n)
{
    struct packet *k = malloc(sizeof(*k) + n + 1);

    if (!k)
        abort();
    *k = (struct packet){ .kind = kind, .n = n };
    k->bytes[n] = '\0';
    return k;
}

/* ---- what a device writes otherwise ---- */

static char *find(struct packet *k, const char *text)
{
    return memmem(k->bytes, k->n, text, strlen(text));
}

static void drop_line(struct packet *k, const char *name)
{
    char *at = find(k, name), *end;

    if (!at)
        return;
    at += 2; /* the line end before it stays */
    end = memchr(at, '\n', k->n - (size_t)(at - k->bytes));
    if (!end)
        return;
    end++;
    memmove(at, end, k->n - (size_t)(end - k->bytes));
    k->n -= (size_t)(end - at);
}

static void zero_sn(struct packet *k)
{
    char *at = find(k, "<CmdType>Keepalive</CmdType>") ? find(k, "<SN>") : NULL;

    for (at = at ? at + 4 : NULL; at && *at >= '0' && *at <= '9'; at++)
        *at = '0';
}

static void other_realm(struct packet *k)
{
    char *at = find(k, "\r\nFrom: ");

    at = at ? strchr(at, '@') : NULL;
    if (at && memcmp(at + 1, WORLD_REALM, 10) == 0)
        memcpy(at + 1, "4401020049", 10);
}

static bool is_answer(const struct packet *k)
{
    return k->n > 8 && memcmp(k->bytes, "SIP/2.0 ", 8) == 0;
}

static void drop_status(struct packet *k)
{
    char *at = find(k, "<CmdType>Keepalive</CmdType>") ? find(k, "<Status>")
                                                       : NULL;
    char *end = at ? find(k, "</Status>") : NULL;

    for (; at && at < end + 9; at++)
        *at = ' ';
}

static void twist(struct packet *k, unsigned how)
{
    if (how & TWIST_VIA && is_answer(k))
        drop_line(k, "\r\nVia: ");
    if (how & TWIST_STATUS)
        drop_status(k);
    if (how & TWIST_AGENT) {
        drop_line(k, "\r\nUser-Agent: ");
        drop_line(k, "\r\nMax-Forwards: ");
    }
    if (how & TWIST_EXPIRES && memcmp(k->bytes, "REGISTER", 8) == 0)
        drop_line(k, "\r\nExpires: ");
    if (how & TWIST_SN && memcmp(k->bytes, "MESSAGE ", 8) == 0)
        zero_sn(k);
    if (how & TWIST_REALM && (memcmp(k->bytes, "REGISTER", 8) == 0 ||
                              memcmp(k->bytes, "MESSAGE ", 8) == 0))
        other_realm(k);
}

/* ---- sending ---- */

static void put_copy(struct world *w, bool to_server, uint32_t i,
                     const struct sip_out *out, uint64_t later_ms)
{
    struct unit *u = &w->unit[i];
    size_t ping = to_server && u->twists & TWIST_PING ? 4 : 0;
    struct packet *k = packet(PACKET_MESSAGE, out->bytes.n + ping);
    uint64_t at = w->mono_ms + delay_ms(w) + later_ms;

    k->to_server = to_server;
    k->unit = i;
    k->peer = (struct sip_peer){ .transport = out->peer.transport,
                                 .connection = out->peer.connection };
    k->peer.local = to_server ? w->server_addr : u->own;
    k->peer.remote = to_server ? u->seen : w->server_addr;
    memcpy(k->bytes, "\r\n\r\n", ping);
    memcpy(k->bytes + ping, out->bytes.p, out->bytes.n);
    if (to_server && u->twists)
        twist(k, u->twists);
    if (out->peer.transport != SIP_UDP) {
        if (at < u->in_order[to_server])
            at = u->in_order[to_server];
        u->in_order[to_server] = at;
    }
    put(w, k, at);
}

void wire_put(struct world *w, bool to_server, const struct sip_out *out)
{
    bool udp = out->peer.transport == SIP_UDP;
    uint32_t i = udp ? unit_at(to_server ? &out->peer.local : &out->peer.remote)
                     : (uint32_t)(out->peer.connection & 0xffff);

    if (!to_server && out->peer.remote.ip[0] == 198)
        return; /* to a stranger */
    if (i >= w->n)
        world_fail(w, "a message to nobody");
    if (udp && !to_server && !gb_addr_eq(&out->peer.remote, &w->unit[i].seen))
        return; /* its NAT has forgotten this port */
    if (!udp && (!out->peer.connection ||
                 out->peer.connection != w->unit[i].connection))
        return;
    if (udp && !w->calm && world_chance(w, w->loss))
        return;
    put_copy(w, to_server, i, out, 0);
    if (udp && !w->calm && world_chance(w, w->copies))
        put_copy(w, to_server, i, out, world_random(w, 500));
    if (udp && to_server && w->unit[i].twists & TWIST_TWICE)
        put_copy(w, to_server, i, out, 0);
    if (udp && to_server && w->unit[i].twists & TWIST_REPEAT)
        put_copy(w, to_server, i, out, 5000 + world_random(w, 60000));
}

/* ---- arriving ---- */

static void to_server(struct world *w, struct packet *k)
{
    struct slice bytes = slice_of(k->bytes, k->n);
    struct gb_time now = world_now(w);

    if (!w->server)
        return;
    platform_ahead(w->p, &bytes, 1);
    if (!platform_admits(w->p, &k->peer, bytes, now)) {
        struct platform_device v;

        if (platform_device_view(w->p, slice_str(w->unit[k->unit].id), &v) &&
            v.online && gb_addr_eq(&v.peer.remote, &k->peer.remote))
            world_fail(w, "a message of %s, which is bound, is shed: %.20s",
                       w->unit[k->unit].id, k->bytes);
        return;
    }
    sip_stack_input(w->server, &k->peer, bytes, w->mono_ms);
}

static void closed(struct world *w, struct packet *k)
{
    if (k->to_server) {
        if (!w->server)
            return;
        sip_stack_closed(w->server, k->peer.connection, w->mono_ms);
        platform_closed(w->p, k->peer.connection, world_now(w));
    } else {
        sip_stack_closed(w->field, k->peer.connection, w->mono_ms);
        if (w->unit[k->unit].connection)
            return; /* it has begun anew since */
        device_disconnected(fleet_device(w->fleet, k->unit),
                            world_field_now(w));
        fleet_touch(w->fleet, k->unit);
    }
}

void wire_get(struct world *w)
{
    struct packet *k = container_of(heap_first(&w->wire), struct packet, at);
    struct unit *u = &w->unit[k->unit];

    heap_remove(&w->wire, &k->at);
    if (k->kind == PACKET_CLOSED) {
        closed(w, k);
    } else if (u->down_ms != GB_NEVER ||
               (k->peer.transport != SIP_UDP &&
                k->peer.connection != u->connection)) {
        /* lost */
    } else if (k->to_server) {
        to_server(w, k);
    } else {
        sip_stack_input(w->field, &k->peer, slice_of(k->bytes, k->n),
                        w->mono_ms);
    }
    world_pump(w);
    free(k);
}

/* ---- connections and NAT ---- */

static void close_later(struct world *w, bool server, uint32_t i, uint64_t c,
                        uint64_t after_ms)
{
    struct packet *k = packet(PACKET_CLOSED, 0);

    k->to_server = server;
    k->unit = i;
    k->peer.connection = c;
    put(w, k, w->mono_ms + after_ms);
}

void wire_connect(struct world *w, uint32_t i)
{
    struct unit *u = &w->unit[i];

    if (u->connection)
        return;
    if (!w->server || u->down_ms != GB_NEVER) {
        device_disconnected(fleet_device(w->fleet, i), world_field_now(w));
    } else {
        u->connection = ++w->connections << 16 | i;
        wire_rebind(w, i, false);
        device_connected(fleet_device(w->fleet, i), u->connection, &u->own,
                         world_field_now(w));
    }
    fleet_touch(w->fleet, i);
}

void wire_cut(struct world *w, uint32_t i, uint64_t server_after_ms)
{
    struct unit *u = &w->unit[i];
    uint64_t c = u->connection;

    if (!c)
        return;
    u->connection = 0;
    u->in_order[0] = u->in_order[1] = 0;
    close_later(w, true, i, c, server_after_ms);
    close_later(w, false, i, c, world_random(w, 1000));
    w->cuts++;
}

void wire_close(struct world *w, uint64_t connection)
{
    uint32_t i = (uint32_t)(connection & 0xffff);

    if (i < w->n && w->unit[i].connection == connection)
        wire_cut(w, i, 0);
    else
        close_later(w, true, i, connection, 0);
}

void wire_rebind(struct world *w, uint32_t i, bool other_ip)
{
    struct unit *u = &w->unit[i];

    if (u->own.port && u->seen.ip[0] == 10) {
        if (u->transport != SIP_UDP)
            u->seen.port = (uint16_t)(20000 + w->connections % 40000);
        return;
    }
    if (other_ip)
        u->seen.ip[1] = (uint8_t)(16 + (u->seen.ip[1] - 15) % 16);
    u->seen.port = (uint16_t)((1024 + world_random(w, 60000)) & ~15u) |
                   (uint16_t)(i & 15);
    u->rebinds++;
    w->rebinds++;
}
