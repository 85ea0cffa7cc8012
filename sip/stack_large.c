/* Requests that are too large for a datagram (RFC 3261 §18.1.1): over TCP, and
 * back over UDP when the peer takes no connection.
 *
 * The stack opens none itself. A request that goes over TCP for its size leaves
 * as an output with peer.dial and connection 0; sip_stack_dialled names the
 * connection, sip_stack_closed that it came to nothing. Branch, Call-ID and
 * CSeq stay the same on the way back: who had the request already takes what
 * comes over UDP for a repeat. */
#include "sip/stack_impl.h"

#include <assert.h>

#define VIA "Via: SIP/2.0/"
#define NAME_N 3 /* "UDP", "TCP" */

static bool is_plain_udp(const struct sip_stack *s, const struct gb_addr *a,
                         uint64_t now_ms)
{
    for (unsigned i = 0; i < STK_SHY; i++)
        if (s->udp_only[i].until_ms > now_ms &&
            gb_addr_eq(&s->udp_only[i].remote, a))
            return true;
    return false;
}

/* In the place of the one that is over first. */
static void note_udp_only(struct sip_stack *s, const struct gb_addr *a,
                          uint64_t now_ms)
{
    struct shy *y = &s->udp_only[0];

    for (unsigned i = 1; i < STK_SHY; i++)
        if (s->udp_only[i].until_ms < y->until_ms)
            y = &s->udp_only[i];
    *y = (struct shy){ *a, SIP_TCP, now_ms + STK_UDP_ONLY_MS };
}

/* The transport in the Via of a request that we wrote. */
static char *via_name(struct blob *b)
{
    size_t at = slice_find(blob_slice(b), '\n') + 1;

    assert(slice_has_prefix(slice_from(blob_slice(b), at), SLICE(VIA)));
    return b->p + at + sizeof(VIA) - 1;
}

bool stk_large(struct sip_stack *s, struct blob *b, const struct sip_peer *peer,
               struct sip_peer *over, uint64_t now_ms)
{
    if (!s->large_bytes || b->n <= s->large_bytes ||
        peer->transport != SIP_UDP || !peer->dial ||
        is_plain_udp(s, &peer->remote, now_ms))
        return false;
    *over = *peer;
    over->transport = SIP_TCP;
    over->connection = 0;
    memcpy(via_name(b), "TCP", NAME_N); /* nobody else has it yet */
    s->count.over_tcp++;
    return true;
}

bool stk_large_back(struct sip_stack *s, struct trans *t, uint64_t now_ms)
{
    struct sip_peer udp = t->peer;
    struct blob *b;

    if (!client(t)->large || t->m.state != SIP_TS_TRYING)
        return false;
    b = blob_of(s, blob_slice(t->out), slice_of(NULL, 0));
    if (!b)
        return false;
    memcpy(via_name(b), "UDP", NAME_N); /* the other may still be queued */
    blob_unref(s, &t->out);
    t->out = b;
    udp.transport = SIP_UDP;
    udp.connection = 0;
    stk_trans_move(s, t, &udp); /* to UDP it cannot fail */
    client(t)->large = false;
    note_udp_only(s, &udp.remote, now_ms);
    s->count.back_to_udp++;
    stk_client_start(s, t, now_ms);
    return true;
}

/* A request that still waits for a connection to this address. */
static struct trans *waiting_for(const struct sip_stack *s,
                                 const struct gb_addr *remote)
{
    struct list *all = stk_conn_trans(s, 0), *n, *tmp;

    if (!all)
        return NULL;
    LIST_EACH(n, tmp, all) {
        struct trans *t = container_of(n, struct trans, on_conn);

        if (is_client(t) && client(t)->large && !t->broken &&
            gb_addr_eq(&t->peer.remote, remote))
            return t;
    }
    return NULL;
}

void sip_stack_dialled(struct sip_stack *s, const struct sip_peer *peer,
                       uint64_t connection)
{
    struct trans *t;

    while ((t = waiting_for(s, &peer->remote))) {
        struct sip_peer to = t->peer;

        to.connection = connection;
        if (stk_trans_move(s, t, &to))
            stk_broken(s, t);
    }
}
