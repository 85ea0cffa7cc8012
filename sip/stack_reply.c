/* Our answers to requests: written, and remembered for their repeats.
 *
 * An answer is made of what the request says of itself (the echo) and of what
 * the layer above says. A finished non-INVITE transaction keeps only the second
 * part, as a seed: its repeat brings the first one along (stack_done.c). */
#include "sip/stack_impl.h"

#include "sip/value.h"

#define ALLOWED "INVITE, ACK, BYE, CANCEL, INFO, MESSAGE, SUBSCRIBE, NOTIFY, "  \
                "REGISTER, OPTIONS"
#define ACCEPTED SIP_TYPE_SDP ", " SIP_TYPE_MANSCDP ", " SIP_TYPE_MANSRTSP

/* ---- writing answers --------------------------------------------------- */

/* The headers that a status asks for (§8.2.1, §8.2.3, §11.2), where the layer
 * above has none of its own. We have no extension: Supported is empty. */
static struct sip_response completed(const struct sip_response *r,
                                     enum sip_method method)
{
    static const struct sip_extra able[] = {
        { SLICE_INIT("Allow"), SLICE_INIT(ALLOWED) },
        { SLICE_INIT("Accept"), SLICE_INIT(ACCEPTED) },
        { SLICE_INIT("Supported"), SLICE_INIT("") },
    };
    static const struct sip_extra readable[] = {
        { SLICE_INIT("Accept"), SLICE_INIT(ACCEPTED) },
        { SLICE_INIT("Accept-Encoding"), SLICE_INIT("identity") },
    };
    struct sip_response c = *r;

    if (r->n_extra)
        return c;
    if (r->status == 405 || r->status == 501) {
        c.extra = able;
        c.n_extra = 1;
    } else if (r->status == 415) {
        c.extra = readable;
        c.n_extra = 2;
    } else if (method == SIP_METHOD_OPTIONS && r->status / 100 == 2) {
        c.extra = able;
        c.n_extra = 3;
    }
    return c;
}

/* Record-Route goes into what may make a dialog (§12.1.1). */
static bool has_routes(enum sip_method m, unsigned status)
{
    return (m == SIP_METHOD_INVITE || m == SIP_METHOD_SUBSCRIBE) &&
           status > 100 && status < 300;
}

static struct sip_response_parts parts_of(const struct sip_stack *s,
                                          const struct sip_response *r)
{
    return (struct sip_response_parts){
        .status = r->status,
        .reason = r->reason,
        .contact = r->contact,
        .expires = r->expires,
        .extra = r->extra,
        .n_extra = r->n_extra,
        .server = s->user_agent,
        .content_type = r->content_type,
        .body = r->body,
    };
}

static int write_response(struct writer *w, const void *parts)
{
    return sip_response_build(w, parts);
}

uint64_t stk_tag_of_key(const struct sip_stack *s, const struct stk_key *k)
{
    uint64_t seed[2] = { s->token_seed[1], ~s->token_seed[0] };

    return map_hash(seed, slice_of((const char *)k->h, sizeof(k->h)));
}

static bool is_broadcast(const struct gb_addr *a)
{
    return a->family == GB_IPV4 && !memcmp(a->ip, "\xff\xff\xff\xff", 4);
}

/* Where the answer to a request goes: to its source, or as §18.2.2 says. */
struct sip_peer stk_reply_peer(const struct sip_stack *s,
                               const struct sip_peer *from,
                               const struct sip_msg *m)
{
    struct sip_peer to = *from;
    struct gb_addr a;

    if (!s->reply_by_via || from->transport != SIP_UDP || !m->via.host.n)
        return to;
    if (m->via.maddr.n && !gb_addr_parse_ip(&a, m->via.maddr) &&
        !gb_addr_is_any(&a) && !is_broadcast(&a))
        to.remote = a;
    else if (m->via.has_rport)
        return to;
    to.remote.port = m->via.port ? m->via.port : 5060;
    return to;
}

/* An answer that nothing keeps. The same request gets the same bytes. */
int stk_reply(struct sip_stack *s, const struct sip_peer *from,
              const struct sip_msg *m, const struct sip_response *r)
{
    struct sip_response all = completed(r, m->method);
    struct sip_response_parts p = parts_of(s, &all);
    struct sip_peer to = stk_reply_peer(s, from, m);
    char tag[STK_TAG];
    int err;

    stk_hex(tag, stk_tag_of_key(s, &s->key));
    p.req = m;
    p.source = &from->remote;
    p.to_tag = slice_of(tag, sizeof(tag));
    err = stk_put(s, write_response, &p, &to, NULL);
    if (!err)
        stk_put_answers(s, m, r->status);
    return err;
}

/* An answer of the stack's own; none to a source that is to be left alone. */
void stk_refuse_with(struct sip_stack *s, const struct sip_peer *from,
                     const struct sip_msg *m, unsigned status,
                     const struct sip_extra *extra, size_t n_extra)
{
    struct sip_response r = { .status = status,
                              .expires = -1,
                              .extra = extra,
                              .n_extra = n_extra };

    if (from->quiet) {
        s->count.hushed++;
        return;
    }
    s->count.refused++;
    if (stk_reply(s, from, m, &r))
        s->count.dropped++;
}

void stk_refuse(struct sip_stack *s, const struct sip_peer *from,
                const struct sip_msg *m, unsigned status)
{
    bool is_register = m->method == SIP_METHOD_REGISTER;

    stk_refuse_with(s, from, m, status, &s->register_extra,
                    is_register && s->register_extra.name.n);
}

void stk_on_malformed(struct sip_stack *s, const struct sip_peer *from,
                      const struct sip_msg *m)
{
    if (!m->reject)
        return;
    stk_server_key(s, &s->key, m, m->method);
    stk_refuse(s, from, m, m->reject);
}

/* ---- answers that are remembered --------------------------------------- */

/* Where the echo begins and ends in what is written. */
struct marked {
    const struct sip_response_parts *p;
    size_t *n_first, *tail_at;
};

static int write_marked(struct writer *w, const void *parts)
{
    const struct marked *k = parts;

    sip_status_line_write(w, k->p->status, k->p->reason);
    *k->n_first = w->len;
    sip_response_echo_write(w, k->p);
    *k->tail_at = w->len;
    return sip_response_tail_write(w, k->p);
}

static uint64_t source_hash(const struct sip_stack *s, const struct gb_addr *a)
{
    return map_hash(s->key_seed,
                    slice_of((const char *)a->ip, sizeof(a->ip)));
}

/* "<uri>", and it is that very piece of the message. */
static bool is_bracketed(struct slice value, struct slice uri)
{
    return value.n >= uri.n + 2 && *value.p == '<' &&
           uri.p == value.p + 1 && value.p[uri.n + 1] == '>';
}

/* m: NULL when it has gone. */
static bool is_contact_of(const struct sip_msg *m, struct slice uri)
{
    struct sip_addr c;

    if (m && is_bracketed(sip_msg_value(m, SIP_HDR_CONTACT), uri))
        return true; /* as nearly all are */
    return m && !sip_msg_contact(m, &c) && slice_eq(c.uri.text, uri);
}

static void make_start(struct sip_stack *s, struct making *k,
                       const struct sip_response *r, const struct sip_msg *m,
                       enum sip_method method)
{
    struct sip_response all = completed(r, method);

    k->p = parts_of(s, &all);
    k->seed = (struct seed){ .status = (uint16_t)r->status,
                          .has_expires = r->expires >= 0,
                          .expires = (uint32_t)r->expires,
                          .contact = r->contact.n != 0 };
    k->lines = writer_of(k->text, sizeof(k->text));
    k->seed.whole = r->reason.n || r->body.n || r->expires > UINT32_MAX ||
                 (r->contact.n && !is_contact_of(m, r->contact));
    for (size_t i = 0; i < r->n_extra && !k->seed.whole; i++) {
        sip_header_write(&k->lines, r->extra[i].name, r->extra[i].value);
        k->seed.whole = k->lines.err != 0;
    }
    if (k->seed.whole || !r->n_extra)
        return;
    k->p.lines = writer_slice(&k->lines); /* written once, used twice */
    k->p.n_extra = 0;
}

void stk_make_end(struct sip_stack *s, struct making *k,
                  const struct stk_key *key, uint64_t to_tag,
                  const struct gb_addr *source, uint64_t now_ms)
{
    k->seed.to_tag = to_tag;
    k->seed.source = source_hash(s, source);
    k->seed.n_first = (uint16_t)k->first.n;
    if (!k->seed.whole)
        stk_done_add(s, &k->seed, key, writer_slice(&k->lines),
                     slice_of(NULL, 0), now_ms);
    else if (k->first.n <= UINT16_MAX)
        stk_done_add(s, &k->seed, key, k->first, k->tail, now_ms);
}

/* The final answer to the request at hand, not an INVITE: sent, and kept as far
 * as its repeats need it. On a stream none can come: Timer J is zero. */
int stk_answer_last(struct sip_stack *s, const struct sip_peer *from,
                    const struct sip_msg *m, const struct sip_response *r,
                    uint64_t to_tag, uint64_t now_ms)
{
    struct sip_peer to = stk_reply_peer(s, from, m);
    size_t n_first = 0, tail_at = 0;
    struct making k;
    struct marked parts = { &k.p, &n_first, &tail_at };
    struct slice out;
    int err;

    make_start(s, &k, r, m, m->method);
    stk_hex(k.tag, to_tag);
    k.p.req = m;
    k.p.source = &from->remote;
    k.p.to_tag = slice_of(k.tag, sizeof(k.tag));
    k.p.routes = has_routes(m->method, r->status);
    err = stk_put(s, write_marked, &parts, &to, &out);
    if (err)
        return err;
    stk_put_answers(s, m, r->status);
    if (from->transport != SIP_UDP)
        return 0;
    k.first = slice_head(out, n_first);
    k.tail = slice_from(out, tail_at);
    stk_make_end(s, &k, &s->key, to_tag, &from->remote, now_ms);
    return 0;
}

struct again {
    const struct done *d;
    const struct sip_response_parts *p;
};

static int write_again(struct writer *w, const void *parts)
{
    const struct again *a = parts;
    const struct seed *seed = &a->d->seed;
    struct slice text = slice_of(a->d->text, seed->n);

    if (!seed->whole)
        return sip_response_build(w, a->p);
    writer_slice_put(w, slice_head(text, seed->n_first));
    sip_response_echo_write(w, a->p);
    writer_slice_put(w, slice_from(text, seed->n_first));
    return w->err;
}

/* The same answer out of the same request (§17.2.2). Who is not its sender
 * gets nothing. */
void stk_answer_again(struct sip_stack *s, const struct done *d,
                      const struct sip_peer *from, const struct sip_msg *m)
{
    const struct seed *seed = &d->seed;
    struct sip_response r = { .status = seed->status,
                              .expires = seed->has_expires ? (int64_t)seed->expires
                                                        : -1 };
    struct sip_peer to = stk_reply_peer(s, from, m);
    struct sip_response_parts p;
    struct again parts = { d, &p };
    struct sip_addr contact;
    char tag[STK_TAG];

    s->count.absorbed++;
    if (seed->source != source_hash(s, &from->remote))
        return;
    if (seed->contact && !seed->whole && !sip_msg_contact(m, &contact))
        r.contact = contact.uri.text;
    if (!seed->n)
        r = completed(&r, m->method);
    p = parts_of(s, &r);
    stk_hex(tag, seed->to_tag);
    p.req = m;
    p.source = &from->remote;
    p.to_tag = slice_of(tag, sizeof(tag));
    p.routes = has_routes(m->method, seed->status);
    p.lines = slice_of(d->text, seed->n);
    s->count.retransmitted++;
    if (stk_put(s, write_again, &parts, &to, NULL))
        s->count.dropped++;
    else
        stk_put_answers(s, m, seed->status);
}

/* ---- of a transaction -------------------------------------------------- */

struct blob *stk_build_for(struct sip_stack *s, const struct trans *t,
                           const struct sip_response *r, struct making *k,
                           int *err)
{
    struct slice all = blob_slice(t->echo);
    size_t n_first = 0, tail_at = 0;
    struct marked parts = { &k->p, &n_first, &tail_at };
    struct blob *b;

    make_start(s, k, r, NULL, t->method);
    k->p.echo = slice_head(all, t->echo_n);
    if (has_routes(t->method, r->status))
        k->p.record_route = slice_from(all, t->echo_n);
    b = stk_write(s, write_marked, &parts, err);
    if (b) {
        k->first = slice_head(blob_slice(b), n_first);
        k->tail = slice_from(blob_slice(b), tail_at);
    }
    return b;
}

/* Signalling practice: the 100 goes out at once, not after 200 ms. It has no To
 * tag (§8.2.6.2). */
void stk_send_trying(struct sip_stack *s, struct trans *t)
{
    struct sip_response r = { .status = 100, .expires = -1 };
    struct sip_response_parts p = parts_of(s, &r);
    struct blob *b;
    int err;

    p.req = s->msg;
    p.source = &t->source;
    b = stk_write(s, write_response, &p, &err);
    if (err)
        return; /* a repeat of the INVITE brings the real answer */
    t->out = b;
    stk_send(s, b, &t->peer, t->id);
}
