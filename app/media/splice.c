#include "app/media/splice.h"

#include "base/siphash.h"

/* No secret: it only has to tell pictures apart. */
static uint64_t hash(uint64_t before, struct slice bytes)
{
    const uint64_t key[2] = { before, UINT64_C(0x73706c6963650001) };
    uint64_t h = siphash(key, bytes, 1, 3);

    return h ? h : 1; /* 0: none */
}

void splice_init(struct splice *s, uint64_t key, uint64_t chain, int64_t at_ms)
{
    *s = (struct splice){ .key = key, .chain = chain, .at_ms = at_ms };
    if (key)
        s->keys[s->n_keys++] = key;
}

void splice_restart(struct splice *s, bool anew)
{
    s->anew = anew;
    s->begun = s->open = s->known = false;
    s->here = 0;
    s->late_ms = 0;
}

static bool is_known(const struct splice *s, uint64_t key)
{
    unsigned most = s->anew ? SPLICE_NEAR : SPLICE_KEYS;
    unsigned n = s->n_keys < most ? s->n_keys : most;

    for (unsigned i = 1; i <= n; i++)
        if (s->keys[(s->n_keys - i) % SPLICE_KEYS] == key)
            return true;
    return false;
}

static bool take(struct splice *s, bool key, int64_t at_ms)
{
    s->open = true;
    if (key) {
        s->key = s->here;
        s->keys[s->n_keys++ % SPLICE_KEYS] = s->here;
        if (s->n_keys >= 2 * SPLICE_KEYS)
            s->n_keys -= SPLICE_KEYS;
    }
    s->chain = s->here;
    s->at_ms = at_ms;
    return true;
}

/* A key frame that is not known, of a sending that has brought nothing yet. */
static bool may_open(struct splice *s, bool was_known, int64_t at_ms)
{
    if (!s->chain || was_known) /* behind a group that is in the file */
        return true;
    if (s->anew && !s->begun)
        return true;
    if (s->begun && !s->blind && at_ms > s->at_ms + SPLICE_SLACK_MS)
        s->blind = true;
    return at_ms > s->at_ms && (s->blind || !s->begun);
}

bool splice_picture(struct splice *s, bool key, struct slice bytes,
                    int64_t at_ms)
{
    bool was_known = s->known;

    if (key) {
        s->here = hash(0, bytes);
        s->known = is_known(s, s->here);
    } else {
        s->here = hash(s->here, bytes);
    }
    if (s->open)
        return take(s, key, at_ms - s->late_ms);
    if (key && !s->known && may_open(s, was_known, at_ms))
        return take(s, key, at_ms);
    s->begun = true;
    if (s->known && s->here == s->chain) { /* what follows is new */
        s->open = true;
        s->late_ms = at_ms - s->at_ms;
    }
    return false;
}
