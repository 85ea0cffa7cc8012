/* What answers of peers ask of the next request: credentials (RFC 3261 §22.2),
 * or to wait (§21.5.4, §14.1). */
#include "sip/stack_impl.h"

#include "sip/digest.h"
#include "sip/value.h"

#define MAX_LOGINS 2      /* the second one only for a stale nonce */

/* ---- credentials ------------------------------------------------------- */

int stk_keep_secret(struct sip_stack *s, struct trans *t,
                    struct slice username, struct slice password)
{
    struct ctrans *c = client(t);

    if (!username.n)
        return 0;
    c->secret = blob_of(s, username, password);
    c->n_user = (uint32_t)username.n;
    return c->secret ? 0 : GB_ENOMEM;
}

/* It does not stay in memory that others get. */
void stk_drop_secret(struct sip_stack *s, struct ctrans *c)
{
    if (c->secret)
        memset(c->secret->p, 0, c->secret->n);
    blob_unref(s, &c->secret);
}

/* A request of ours once more, with these things new. */
struct again {
    struct slice text, old_branch; /* the latter lies in text */
    struct slice branch, method, name, value;
    uint32_t cseq;
};

static bool is_line(struct slice line, struct slice name)
{
    return line.n > name.n && slice_has_prefix(line, name) &&
           line.p[name.n] == ':';
}

/* The credentials go before the CSeq; those of the try before are left out.
 * value.n is 0: without any. */
static void again_line(struct writer *w, const struct again *a,
                       struct slice line)
{
    size_t before = (size_t)(a->old_branch.p - line.p);

    if (is_line(line, a->name))
        return;
    if (is_line(line, SLICE("CSeq"))) {
        if (a->value.n)
            sip_header_write(w, a->name, a->value);
        writer_str(w, "CSeq: ");
        writer_u64(w, a->cseq);
        writer_char(w, ' ');
        writer_slice_put(w, a->method);
        writer_str(w, "\r\n");
    } else if (is_line(line, SLICE("Via"))) {
        writer_slice_put(w, slice_head(line, before));
        writer_slice_put(w, a->branch);
        writer_slice_put(w, slice_from(line, before + a->old_branch.n));
    } else {
        writer_slice_put(w, line);
    }
}

static int write_again(struct writer *w, const void *parts)
{
    const struct again *a = parts;
    struct slice rest = a->text;

    while (rest.n && rest.p[0] != '\r') { /* as we wrote it: no folding */
        size_t n = slice_find(rest, '\n') + 1;

        again_line(w, a, slice_head(rest, n));
        rest = slice_from(rest, n);
    }
    writer_slice_put(w, rest);
    return w->err;
}

/* The value that answers the challenge in m. */
static int answer(struct sip_stack *s, const struct ctrans *c,
                  const struct sip_msg *m, bool proxy, struct writer *w)
{
    enum sip_hdr id = proxy ? SIP_HDR_PROXY_AUTHENTICATE
                            : SIP_HDR_WWW_AUTHENTICATE;
    struct slice secret = blob_slice(c->secret);
    struct sip_answer a = {
        .username = slice_head(secret, c->n_user),
        .password = slice_from(secret, c->n_user),
        .method = sip_method_name(c->t.method),
        .uri = s->aux.uri.text,
    };
    struct sip_challenge ch;
    char cnonce[STK_TAG];
    int err = sip_challenge_pick(&ch, m, id);

    if (!err && c->logins && !ch.stale)
        err = GB_EAUTH; /* the password is wrong */
    if (!err) {
        sip_stack_token(s, cnonce);
        a.cnonce = slice_of(cnonce, sizeof(cnonce));
        a.nc = stk_known_uses(s, &c->t.peer, ch.nonce) + 1;
        err = sip_answer_write(w, &ch, &a);
    }
    if (err)
        stk_known_forget(s, &c->t.peer);
    else
        stk_known_note(s, &c->t.peer, proxy, &ch, a.nc);
    return err;
}

/* The dialog counts on from the new number. */
static void count_on(struct sip_stack *s, const struct trans *t)
{
    struct call *c = stk_call_find(s, t->dialog);
    struct sub *b = stk_sub_find(s, container_of(t, const struct ctrans, t)
                                        ->sub);

    if (c && c->d.local_cseq < t->cseq)
        c->d.local_cseq = t->cseq;
    if (b && b->d.local_cseq < t->cseq)
        b->d.local_cseq = t->cseq;
}

/* `to` goes on under the id of `from`, which only absorbs repeats from now
 * on. */
static void take_over(struct sip_stack *s, struct trans *to, struct trans *from)
{
    uint64_t id = to->id;

    to->id = from->id;
    from->id = id;
    idmap_replace(&s->trans_ids, to->id, to);
    idmap_replace(&s->trans_ids, from->id, from);
    client(to)->secret = client(from)->secret;
    client(to)->n_user = client(from)->n_user;
    client(to)->give_up_ms = client(from)->give_up_ms;
    client(from)->secret = NULL;
    client(from)->give_up_ms = GB_NEVER;
    client(from)->sub = 0;
    from->dialog = 0;
    from->silent = true;
    count_on(s, to);
}

/* Once more with this header field in place of those of its kind; it has been
 * read back. logins: challenges answered with this one. */
static bool once_more(struct sip_stack *s, struct trans *t, enum sip_hdr id,
                      struct slice value, unsigned logins, uint64_t now_ms)
{
    struct client_opts o = { .peer = &t->peer, .dialog = t->dialog,
                             .user = t->user, .sub = client(t)->sub,
                             .silent = t->silent };
    struct sip_request_parts p = { .method = t->method };
    char branch[STK_BRANCH];
    uint64_t random = stk_random(s);
    struct again a = { .cseq = t->cseq % SIP_CSEQ_MAX + 1 };
    struct trans *next;
    struct blob *b;
    int err;

    stk_branch_write(branch, random);
    a.text = blob_slice(t->out);
    a.old_branch = s->aux.via.branch;
    a.branch = p.branch = slice_of(branch, sizeof(branch));
    a.method = sip_method_name(p.method);
    a.name = sip_hdr_name(id);
    a.value = value;
    p.call_id = s->aux.call_id;
    p.cseq = a.cseq;
    b = stk_write(s, write_again, &a, &err);
    if (err)
        return false;
    if (stk_trans_of(s, &next, b, &p, &o)) {
        blob_unref(s, &b);
        return false;
    }
    client(next)->branch = random;
    take_over(s, next, t);
    client(next)->logins = (uint8_t)logins;
    stk_client_start(s, next, now_ms);
    return true;
}

static bool log_in(struct sip_stack *s, struct trans *t,
                   const struct sip_msg *m, uint64_t now_ms)
{
    bool proxy = m->status == 407;
    struct ctrans *c = client(t);
    char value[STK_ANSWER];
    struct writer w = writer_of(value, sizeof(value));

    if (c->unasked && !c->logins)
        stk_known_fared(s, &t->peer, false);
    return c->logins < MAX_LOGINS && !answer(s, c, m, proxy, &w) &&
           once_more(s, t,
                     proxy ? SIP_HDR_PROXY_AUTHORIZATION
                           : SIP_HDR_AUTHORIZATION,
                     writer_slice(&w), c->logins + 1u, now_ms);
}

/* Some refuse a nonce that comes again, in place of asking for another: without
 * it, it may be taken. */
static bool go_without(struct sip_stack *s, struct trans *t, uint64_t now_ms)
{
    bool proxy = client(t)->unasked == STK_UNASKED_PROXY;

    stk_known_single(s, &t->peer);
    return once_more(s, t,
                     proxy ? SIP_HDR_PROXY_AUTHORIZATION
                           : SIP_HDR_AUTHORIZATION,
                     slice_of(NULL, 0), 0, now_ms);
}

/* It was taken with what it brought along; the next nonce may be in it. Heard
 * once: a 2xx to an INVITE comes again, later than what other answers told. */
static void note_taken(struct sip_stack *s, struct trans *t,
                       const struct sip_msg *m)
{
    struct slice value = sip_msg_value(m, SIP_HDR_AUTHENTICATION_INFO);
    struct sip_auth_info info;

    if (client(t)->unasked && !client(t)->logins)
        stk_known_fared(s, &t->peer, true);
    stk_drop_secret(s, client(t));
    if (!value.n)
        return;
    sip_auth_info_parse(&info, value);
    stk_known_next(s, &t->peer, info.nextnonce);
}

bool stk_log_in(struct sip_stack *s, struct trans *t, const struct sip_msg *m,
                uint64_t now_ms)
{
    struct ctrans *c = client(t);
    bool can = !t->orphan && !t->timed_cancel;

    if (m->status < 300) {
        note_taken(s, t, m);
        return false;
    }
    if (m->status == 401 || m->status == 407)
        return can && !stk_read_back(s, t) && log_in(s, t, m, now_ms);
    if ((m->status == 400 || m->status == 403) && c->unasked && !c->logins)
        return can && !stk_read_back(s, t) && go_without(s, t, now_ms);
    return false;
}

/* ---- waiting ----------------------------------------------------------- */

/* Of a request that went over TCP for its size: UDP. */
static uint8_t transport_of(const struct sip_peer *peer)
{
    return peer->dial ? SIP_UDP : peer->transport;
}

static bool is_same(const struct shy *y, const struct sip_peer *peer)
{
    return y->transport == transport_of(peer) &&
           gb_addr_eq(&y->remote, &peer->remote);
}

/* In the place of the one that is over first. */
void stk_note_busy(struct sip_stack *s, const struct sip_peer *peer,
                   const struct sip_msg *m, uint64_t now_ms)
{
    struct shy *y = &s->shy[0];
    uint32_t seconds;

    if (!s->obey_retry_after ||
        !sip_retry_after_parse(sip_msg_value(m, SIP_HDR_RETRY_AFTER), &seconds))
        return;
    if (seconds > STK_SHY_MAX_S)
        seconds = STK_SHY_MAX_S;
    for (unsigned i = 0; i < STK_SHY; i++) {
        if (is_same(&s->shy[i], peer)) {
            y = &s->shy[i];
            break;
        }
        if (s->shy[i].until_ms < y->until_ms)
            y = &s->shy[i];
    }
    *y = (struct shy){ peer->remote, transport_of(peer),
                       now_ms + 1000 * (uint64_t)seconds };
}

uint32_t sip_stack_busy_s(const struct sip_stack *s,
                          const struct sip_peer *peer, uint64_t now_ms)
{
    for (unsigned i = 0; i < STK_SHY; i++)
        if (s->shy[i].until_ms > now_ms && is_same(&s->shy[i], peer))
            return (uint32_t)((s->shy[i].until_ms - now_ms + 999) / 1000);
    return 0;
}

bool stk_is_busy(const struct sip_stack *s, const struct sip_peer *peer,
                 uint64_t now_ms)
{
    return s->obey_retry_after && sip_stack_busy_s(s, peer, now_ms) > 0;
}

uint32_t sip_stack_glare_ms(struct sip_stack *s, bool owner)
{
    return owner ? 2100 + 10 * (uint32_t)(stk_random(s) % 191)
                 : 10 * (uint32_t)(stk_random(s) % 201);
}

bool sip_stack_hops(const struct sip_msg *m, int *max_forwards)
{
    if (m->max_forwards == 0)
        return false;
    *max_forwards = m->max_forwards < 0    ? 0 /* the usual 70 */
                    : m->max_forwards == 1 ? -1
                                           : m->max_forwards - 1;
    return true;
}
