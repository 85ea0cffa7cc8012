/* Challenges that peers have sent: the next request to one of them brings its
 * credentials along (RFC 3261 §22.2, §22.3; RFC 7616 §3.3). No password is kept
 * here: the request has it, if its peer is to have an answer at all. */
#include "sip/stack_impl.h"

#include "sip/digest.h"

#include <string.h>

#define KNOWN_BYTES 384 /* of realm, nonce, opaque and algorithm; longer ones
                           are answered, and not kept */
#define KNOWN_WASTED 2  /* in a row: it wants a new nonce each time */

struct known {
    struct gb_addr remote;
    uint8_t transport;
    bool proxy, qop_auth;
    bool single;     /* no use of a nonce but the first */
    uint8_t wasted;  /* credentials that were refused unasked, in a row */
    uint8_t alg;
    uint16_t n[4];   /* realm, nonce, opaque, algorithm, one behind the other */
    uint32_t nc;     /* uses so far */
    uint64_t used;   /* the order of the last uses; 0: free */
    char text[KNOWN_BYTES];
};

/* Of a request that went over TCP for its size: UDP. */
static uint8_t transport_of(const struct sip_peer *peer)
{
    return peer->dial ? SIP_UDP : peer->transport;
}

static struct known *find(const struct sip_stack *s, const struct sip_peer *peer)
{
    for (size_t i = 0; s->known && i < STK_KNOWN; i++) {
        struct known *k = &s->known[i];

        if (k->used && k->transport == transport_of(peer) &&
            gb_addr_eq(&k->remote, &peer->remote))
            return k;
    }
    return NULL;
}

/* In the place of the one that was used least of late; NULL: no memory. */
static struct known *place(struct sip_stack *s, const struct sip_peer *peer)
{
    struct known *k = find(s, peer);

    if (!s->known)
        s->known = gb_get(s->alloc, STK_KNOWN * sizeof(*k));
    if (k || !s->known)
        return k;
    k = s->known;
    for (size_t i = 1; i < STK_KNOWN; i++)
        if (s->known[i].used < k->used)
            k = &s->known[i];
    *k = (struct known){ .remote = peer->remote,
                         .transport = transport_of(peer) };
    return k;
}

static void keep(struct known *k, const struct slice part[static 4])
{
    size_t n = 0;

    for (unsigned i = 0; i < 4; i++) {
        if (part[i].n)
            memmove(k->text + n, part[i].p, part[i].n);
        k->n[i] = (uint16_t)part[i].n;
        n += part[i].n;
    }
}

static void parts_of(const struct known *k, struct slice part[static 4])
{
    size_t n = 0;

    for (unsigned i = 0; i < 4; n += k->n[i++])
        part[i] = slice_of(k->text + n, k->n[i]);
}

static bool is_nonce(const struct known *k, struct slice nonce)
{
    struct slice part[4];

    parts_of(k, part);
    return slice_eq(part[1], nonce);
}

uint32_t stk_known_uses(const struct sip_stack *s, const struct sip_peer *peer,
                        struct slice nonce)
{
    const struct known *k = find(s, peer);

    return k && is_nonce(k, nonce) && k->nc < UINT32_MAX ? k->nc : 0;
}

void stk_known_note(struct sip_stack *s, const struct sip_peer *peer,
                    bool proxy, const struct sip_challenge *c, uint32_t nc)
{
    const struct slice part[4] = { c->realm, c->nonce, c->opaque,
                                   c->algorithm };
    struct known *k;

    /* what -sess wants is the cnonce of the first use */
    if (sip_digest_is_sess(c->alg) ||
        c->realm.n + c->nonce.n + c->opaque.n + c->algorithm.n > KNOWN_BYTES) {
        stk_known_forget(s, peer);
        return;
    }
    k = place(s, peer);
    if (!k)
        return;
    keep(k, part);
    k->proxy = proxy;
    k->qop_auth = c->qop_auth;
    k->alg = (uint8_t)c->alg;
    k->nc = nc;
    k->used = ++s->n_known;
}

void stk_known_forget(struct sip_stack *s, const struct sip_peer *peer)
{
    struct known *k = find(s, peer);

    if (k)
        k->used = 0;
}

/* nc begins anew with it (RFC 7616 §3.5), if it is another. */
void stk_known_next(struct sip_stack *s, const struct sip_peer *peer,
                    struct slice nonce)
{
    struct known *k = find(s, peer);
    struct slice part[4];
    char text[KNOWN_BYTES];

    if (!k || !nonce.n || is_nonce(k, nonce))
        return;
    memcpy(text, k->text, sizeof(text));
    parts_of(k, part);
    for (unsigned i = 0; i < 4; i++)
        part[i].p = text + (part[i].p - k->text);
    part[1] = nonce;
    if (part[0].n + nonce.n + part[2].n + part[3].n > KNOWN_BYTES)
        return;
    keep(k, part);
    k->nc = 0;
}

void stk_known_fared(struct sip_stack *s, const struct sip_peer *peer, bool well)
{
    struct known *k = find(s, peer);

    if (!k)
        return;
    k->wasted = well ? 0 : (uint8_t)(k->wasted + 1);
    k->single |= k->wasted >= KNOWN_WASTED;
}

void stk_known_single(struct sip_stack *s, const struct sip_peer *peer)
{
    struct known *k = find(s, peer);

    if (k)
        k->single = true;
}

enum stk_unasked stk_known_bring(struct sip_stack *s,
                                 struct sip_request_parts *p,
                                 const struct client_opts *o,
                                 char buf[static STK_ANSWER])
{
    struct writer w = writer_of(buf, STK_ANSWER);
    struct known *k = o->login.username.n ? find(s, o->peer) : NULL;
    struct sip_challenge c = { .alg = SIP_DIGEST_OTHER };
    struct sip_answer a = {
        .username = o->login.username,
        .password = o->login.password,
        .method = sip_method_name(p->method),
        .uri = p->uri,
    };
    char cnonce[STK_TAG];
    struct slice part[4];

    if (!k || k->single || k->nc == UINT32_MAX)
        return STK_NOT_UNASKED;
    parts_of(k, part);
    c.alg = (enum sip_digest_alg)k->alg;
    c.qop_auth = k->qop_auth;
    c.realm = part[0];
    c.nonce = part[1];
    c.opaque = part[2];
    c.algorithm = part[3];
    sip_stack_token(s, cnonce);
    a.cnonce = slice_of(cnonce, sizeof(cnonce));
    a.nc = k->nc + 1;
    if (sip_answer_write(&w, &c, &a))
        return STK_NOT_UNASKED;
    k->nc++;
    k->used = ++s->n_known;
    p->login = (struct sip_extra){
        sip_hdr_name(k->proxy ? SIP_HDR_PROXY_AUTHORIZATION
                              : SIP_HDR_AUTHORIZATION),
        writer_slice(&w),
    };
    return k->proxy ? STK_UNASKED_PROXY : STK_UNASKED;
}
