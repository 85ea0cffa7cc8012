#include "app/net/owners.h"

#include "base/list.h"
#include "base/map.h"

#include <stdlib.h>
#include <uv.h>

#define SENDER_KEY 23 /* SSRC, family, IP, port */

struct entry;

/* An SSRC in the table: a session's, or one at rest. */
struct number {
    struct map_node node;
    uint32_t ssrc;
    bool used;           /* in the table */
    struct entry *entry; /* NULL: it rests */
    uint64_t since_ms, session; /* at rest: whose it was; 0: that is told */
};

struct entry {
    struct map_node node; /* by session */
    struct list all, waiting; /* waiting: in no list while valid media come */
    struct owner who;
    struct number offered, answered;
    struct gb_addr peer, named;
    bool is_answered;
    uint64_t grace_ms; /* since when what comes may be its own number, or of one
                          that has left */
    uint64_t astray;
    bool adopted;
    uint64_t adopted_ms;
    struct map_node sender;
    char sender_key[SENDER_KEY];
};

struct owners {
    uv_mutex_t lock;
    struct map by_session, by_ssrc, by_sender;
    struct list all, waiting;
    struct number resting[OWNERS_RESTING];
    size_t next_resting;
    uint64_t second;   /* of the searches counted below */
    unsigned searches;
};

int owners_new(struct owners **out, const uint8_t seed[static 16])
{
    struct owners *o = calloc(1, sizeof(*o));

    if (!o)
        return GB_ENOMEM;
    list_init(&o->all);
    list_init(&o->waiting);
    if (map_init(&o->by_session, &gb_alloc_heap, NULL) ||
        map_init(&o->by_ssrc, &gb_alloc_heap, seed) ||
        map_init(&o->by_sender, &gb_alloc_heap, seed) ||
        uv_mutex_init(&o->lock)) {
        map_fini(&o->by_session);
        map_fini(&o->by_ssrc);
        map_fini(&o->by_sender);
        free(o);
        return GB_ENOMEM;
    }
    *out = o;
    return 0;
}

void owners_free(struct owners *o)
{
    struct list *n, *tmp;

    if (!o)
        return;
    LIST_EACH(n, tmp, &o->all)
        free(container_of(n, struct entry, all));
    map_fini(&o->by_session);
    map_fini(&o->by_ssrc);
    map_fini(&o->by_sender);
    uv_mutex_destroy(&o->lock);
    free(o);
}

static struct slice number_key(const uint32_t *ssrc)
{
    return slice_of((const char *)ssrc, sizeof(*ssrc));
}

static struct number *find_number(const struct owners *o, uint32_t ssrc)
{
    struct map_node *n = map_find(&o->by_ssrc, number_key(&ssrc));

    return n ? container_of(n, struct number, node) : NULL;
}

static void forget_number(struct owners *o, struct number *n)
{
    if (n->used)
        map_remove(&o->by_ssrc, &n->node);
    n->used = false;
}

static void put_number(struct owners *o, struct number *n, uint32_t ssrc,
                       struct entry *e)
{
    n->ssrc = ssrc;
    n->entry = e;
    n->used = true;
    map_insert(&o->by_ssrc, &n->node, number_key(&n->ssrc));
}

/* false: it is another session's. One at rest wakes up. */
static bool claim(struct owners *o, struct number *n, uint32_t ssrc,
                  struct entry *e)
{
    struct number *old = find_number(o, ssrc);

    if (old && old->entry)
        return old->entry == e;
    if (old)
        forget_number(o, old);
    forget_number(o, n);
    put_number(o, n, ssrc, e);
    return true;
}

static void rest(struct owners *o, struct number *n, uint64_t now_ms)
{
    struct number *r = &o->resting[o->next_resting];
    uint64_t session;

    if (!n->used)
        return;
    session = n->entry->who.session;
    forget_number(o, n);
    forget_number(o, r);
    put_number(o, r, n->ssrc, NULL);
    r->since_ms = now_ms;
    r->session = session;
    o->next_resting = (o->next_resting + 1) % OWNERS_RESTING;
}

static struct entry *find_entry(const struct owners *o, uint64_t session)
{
    struct map_node *n = map_find(&o->by_session,
                                  slice_of((const char *)&session,
                                           sizeof(session)));

    return n ? container_of(n, struct entry, node) : NULL;
}

static int add(struct owners *o, struct entry *e, bool has_ssrc, uint32_t ssrc)
{
    if (find_entry(o, e->who.session) ||
        (has_ssrc && !claim(o, &e->offered, ssrc, e)))
        return GB_EEXIST;
    map_insert(&o->by_session, &e->node,
               slice_of((const char *)&e->who.session,
                        sizeof(e->who.session)));
    list_push_back(&o->all, &e->all);
    list_push_back(&o->waiting, &e->waiting);
    return 0;
}

int owners_add(struct owners *o, const struct owner *who, bool has_ssrc,
               uint32_t ssrc, const struct gb_addr *peer)
{
    struct entry *e = calloc(1, sizeof(*e));
    int err;

    if (!e)
        return GB_ENOMEM;
    e->who = *who;
    e->peer = *peer;
    uv_mutex_lock(&o->lock);
    err = add(o, e, has_ssrc, ssrc);
    uv_mutex_unlock(&o->lock);
    if (err)
        free(e);
    return err;
}

void owners_answer(struct owners *o, uint64_t session, bool has_ssrc,
                   uint32_t ssrc, const struct gb_addr *named,
                   uint64_t now_ms)
{
    struct entry *e;

    uv_mutex_lock(&o->lock);
    e = find_entry(o, session);
    if (e) {
        e->named = *named;
        e->is_answered = true;
        e->grace_ms = now_ms;
        if (has_ssrc)
            claim(o, &e->answered, ssrc, e);
    }
    uv_mutex_unlock(&o->lock);
}

void owners_wait(struct owners *o, uint64_t session, bool waits)
{
    struct entry *e;

    uv_mutex_lock(&o->lock);
    e = find_entry(o, session);
    if (e) {
        list_remove(&e->waiting);
        if (waits)
            list_push_back(&o->waiting, &e->waiting);
    }
    uv_mutex_unlock(&o->lock);
}

static bool may_come_from(const struct entry *e, const struct gb_addr *from)
{
    return gb_addr_ip_eq(&e->peer, from) ||
           (e->named.family != GB_NO_ADDR && gb_addr_ip_eq(&e->named, from));
}

/* Its sender has no number that is known, and sends on until it hears of the end:
 * who waits for the same address must not take that for its own. */
static void leave(struct owners *o, const struct entry *gone, uint64_t now_ms)
{
    struct list *n;

    if (list_is_empty(&gone->waiting) && !gone->adopted)
        return;
    for (n = o->waiting.next; n != &o->waiting; n = n->next) {
        struct entry *e = container_of(n, struct entry, waiting);

        if (e != gone && (may_come_from(e, &gone->peer) ||
                          may_come_from(e, &gone->named)))
            e->grace_ms = now_ms;
    }
}

void owners_remove(struct owners *o, uint64_t session, uint64_t now_ms)
{
    struct entry *e;

    uv_mutex_lock(&o->lock);
    e = find_entry(o, session);
    if (e) {
        rest(o, &e->offered, now_ms);
        rest(o, &e->answered, now_ms);
        leave(o, e, now_ms);
        if (e->adopted)
            map_remove(&o->by_sender, &e->sender);
        map_remove(&o->by_session, &e->node);
        list_remove(&e->all);
        list_remove(&e->waiting);
    }
    uv_mutex_unlock(&o->lock);
    free(e);
}

/* ---- look-ups, under the lock ---- */

/* Each loop has the time at which its turn began: another's may be later. */
static uint64_t passed_ms(uint64_t since_ms, uint64_t now_ms)
{
    return now_ms > since_ms ? now_ms - since_ms : 0;
}

static enum owners_verdict at_rest(struct number *n, uint64_t now_ms,
                                   struct owner *out)
{
    uint64_t since_ms = passed_ms(n->since_ms, now_ms);

    *out = (struct owner){ 0 };
    if (since_ms >= OWNERS_REST_MS)
        return OWNERS_NOBODY;
    if (since_ms >= OWNERS_AFTER_MS) {
        out->session = n->session;
        n->session = 0;
    }
    return OWNERS_RESTS;
}

static enum owners_verdict by_ssrc(struct owners *o, uint32_t ssrc,
                                   uint64_t now_ms, struct owner *out)
{
    struct number *n = find_number(o, ssrc);

    if (!n)
        return OWNERS_NOBODY;
    if (!n->entry)
        return at_rest(n, now_ms, out);
    *out = n->entry->who;
    return OWNERS_HIS;
}

static bool may_search(struct owners *o, uint64_t now_ms)
{
    if (o->second != now_ms / 1000) {
        o->second = now_ms / 1000;
        o->searches = 0;
    }
    return o->searches++ < OWNERS_SEARCHES;
}

/* Another sender than the one it has just been given may be its own. */
static bool is_open(const struct entry *e, uint64_t now_ms)
{
    return e->is_answered &&
           (!e->adopted || passed_ms(e->adopted_ms, now_ms) >= OWNERS_GRACE_MS);
}

/* The only one that waits for it; NULL and *several: there are more. One whose
 * grace is not over may get its own number yet, or be the sender's: nobody adopts
 * meanwhile. */
static struct entry *waits_for(struct owners *o, const struct gb_addr *from,
                               uint64_t now_ms, bool *several)
{
    struct entry *one = NULL;
    bool young = false;
    struct list *n;

    *several = false;
    if (!may_search(o, now_ms))
        return NULL;
    for (n = o->waiting.next; n != &o->waiting; n = n->next) {
        struct entry *e = container_of(n, struct entry, waiting);

        if (!is_open(e, now_ms) || !may_come_from(e, from))
            continue;
        if (passed_ms(e->grace_ms, now_ms) < OWNERS_GRACE_MS) {
            young = true;
            continue;
        }
        *several = one != NULL;
        one = e;
        e->astray++;
    }
    if (!*several && one)
        one->astray--;
    return *several || young ? NULL : one;
}

static struct slice sender_key(char key[SENDER_KEY], uint32_t ssrc,
                               const struct gb_addr *from)
{
    memcpy(key, &ssrc, 4);
    key[4] = (char)from->family;
    memcpy(key + 5, from->ip, 16);
    memcpy(key + 21, &from->port, 2);
    return slice_of(key, SENDER_KEY);
}

static void adopt(struct owners *o, struct entry *e, uint32_t ssrc,
                  const struct gb_addr *from, uint64_t now_ms)
{
    if (e->adopted)
        map_remove(&o->by_sender, &e->sender);
    map_insert(&o->by_sender, &e->sender,
               sender_key(e->sender_key, ssrc, from));
    e->adopted = true;
    e->adopted_ms = now_ms;
}

static enum owners_verdict find_from(struct owners *o, uint32_t ssrc,
                                     const struct gb_addr *from,
                                     uint64_t now_ms, struct owner *out)
{
    enum owners_verdict v = by_ssrc(o, ssrc, now_ms, out);
    char key[SENDER_KEY];
    struct map_node *n;
    struct entry *e;
    bool several;

    if (v != OWNERS_NOBODY)
        return v;
    n = map_find(&o->by_sender, sender_key(key, ssrc, from));
    e = n ? container_of(n, struct entry, sender) : NULL;
    if (!e) {
        e = waits_for(o, from, now_ms, &several);
        if (!e)
            return several ? OWNERS_SEVERAL : OWNERS_NOBODY;
        adopt(o, e, ssrc, from, now_ms);
    }
    *out = e->who;
    return OWNERS_HIS;
}

/* ---- look-ups ---- */

enum owners_verdict owners_find(struct owners *o, uint32_t ssrc,
                                uint64_t now_ms, struct owner *out)
{
    enum owners_verdict v;

    uv_mutex_lock(&o->lock);
    v = by_ssrc(o, ssrc, now_ms, out);
    uv_mutex_unlock(&o->lock);
    return v;
}

enum owners_verdict owners_find_from(struct owners *o, uint32_t ssrc,
                                     const struct gb_addr *from,
                                     uint64_t now_ms, struct owner *out)
{
    enum owners_verdict v;

    uv_mutex_lock(&o->lock);
    v = find_from(o, ssrc, from, now_ms, out);
    uv_mutex_unlock(&o->lock);
    return v;
}

enum owners_verdict owners_guess(struct owners *o, const struct gb_addr *from,
                                 uint64_t now_ms, struct owner *out)
{
    struct entry *e;
    bool several;

    uv_mutex_lock(&o->lock);
    e = waits_for(o, from, now_ms, &several);
    if (e)
        *out = e->who;
    uv_mutex_unlock(&o->lock);
    return e ? OWNERS_HIS : several ? OWNERS_SEVERAL : OWNERS_NOBODY;
}

bool owners_knows(struct owners *o, const struct gb_addr *from)
{
    bool known = false;
    struct list *n;

    uv_mutex_lock(&o->lock);
    for (n = o->all.next; !known && n != &o->all; n = n->next)
        known = may_come_from(container_of(n, struct entry, all), from);
    uv_mutex_unlock(&o->lock);
    return known;
}

uint64_t owners_astray(struct owners *o, uint64_t session)
{
    struct entry *e;
    uint64_t n;

    uv_mutex_lock(&o->lock);
    e = find_entry(o, session);
    n = e ? e->astray : 0;
    uv_mutex_unlock(&o->lock);
    return n;
}
