/* Finds the elements of a program stream and hands their payload on.
 *
 *   HDR ──> BODY | OPEN | SKIP | SEEK ──> HDR        damage, gap ──> LOST
 *
 * A bounded PES is walked by its length and never searched for headers, as
 * audio and private data legally contain 00 00 01 BA. Whatever header does
 * not lie in the fed bytes as a whole is gathered in the stash; decoders ask
 * for header bytes only, so payload is never gathered with it.
 *
 * What is LOST, and the end of an OPEN PES: resync.c. */
#include "ps/demux_int.h"

#include "base/prefetch.h"

#include <assert.h>
#include <stddef.h>

#define MAX_ZEROS 8     /* tolerated in front of a start code */
#define MAX_FILL 32     /* FF bytes, likewise (Dahua) */
#define SEEK_BYTES 32   /* behind a broken PES header the payload begins */
#define IMKH_BYTES 40   /* Hikvision file header */
#define SYSTEM_MAX (PS_LEN_BYTES + 6 + 3 * 64) /* of a system header */

int ps_demux_new(struct ps_demux **out, const struct gb_alloc *alloc,
                 const struct ps_hooks *hooks, const struct ps_options *opt)
{
    struct ps_demux *d = gb_get(alloc, sizeof(*d));

    if (!d)
        return GB_ENOMEM;
    d->alloc = *alloc;
    d->env.alloc = &d->alloc;
    d->env.hooks = *hooks;
    d->env.scan = ps_scan_best();
    d->program.env = &d->env;
    if (opt)
        d->env.opt = *opt;
    *out = d;
    return 0;
}

void ps_demux_free(struct ps_demux *d)
{
    struct gb_alloc alloc;

    if (!d)
        return;
    alloc = d->alloc;
    program_fini(&d->program);
    gb_put(&alloc, d->env.hold);
    gb_put(&alloc, d);
}

/* --- what was put ahead --- */

static size_t bytes_ahead(const struct ps_demux *d)
{
    return d->ahead.es ? d->left - d->ahead.room - 1 : 0;
}

/* n bytes of the PES were put up to ahead.next. */
static void settle_bytes(struct ps_demux *d, size_t n)
{
    struct es *s = d->ahead.es;

    if (n)
        es_ran_on(s, (uint32_t)(d->ahead.next - s->piece), n);
    d->left -= n;
    d->env.count.bytes += n;
    d->ahead.es = NULL;
    d->ahead.room = 0;
}

static void settle(struct ps_demux *d)
{
    if (d->ahead.es)
        settle_bytes(d, bytes_ahead(d));
}

/* More of this PES may be put without a look. marker: of the last packet. */
static void go_ahead(struct ps_demux *d, bool marker)
{
    struct es *s = d->cur;

    if (d->state != DEMUX_BODY || !s->coast || !s->bytes || s->pes_waits ||
        d->left > PS_MAX_AU_BYTES - s->bytes)
        return;
    d->ahead = (struct demux_ahead){
        .es = s,
        .next = s->piece + s->n_pieces,
        .end = s->piece + s->cap_pieces,
        .room = d->left - 1,
        .buf = s->held,
        .rtp_ts = s->last_ts,
        .look = marker || !es_ends_with_marker(s),
    };
}

/* --- elements ---
 *
 * Each takes bytes that begin with 00 00 01 id, and sets the state when it has
 * consumed some. */

static int skip_element(struct ps_demux *d, const uint8_t *p, size_t n,
                        size_t *need)
{
    if (n < PS_LEN_BYTES) {
        *need = PS_LEN_BYTES;
        return 0;
    }
    d->left = (size_t)p[4] << 8 | p[5];
    d->state = d->left ? DEMUX_SKIP : DEMUX_HDR;
    return PS_LEN_BYTES;
}

/* A system header tells nothing that is needed, and by itself holds no start
 * code: one in it is the next element, and the length is too large. In the midst
 * of a key picture, where some devices put it, the picture hangs on that. */
static int take_system(struct ps_demux *d, const uint8_t *p, size_t n,
                       size_t *need)
{
    static const uint8_t prefix[3] = { 0, 0, 1 };
    size_t told;

    if (n < PS_LEN_BYTES) {
        *need = PS_LEN_BYTES;
        return 0;
    }
    told = PS_LEN_BYTES + ((size_t)p[4] << 8 | p[5]);
    if (told > SYSTEM_MAX)
        return skip_element(d, p, n, need);
    for (size_t at = PS_LEN_BYTES; at < told && at < n; at++) {
        size_t have = n - at;

        if (memcmp(p + at, prefix, have < 3 ? have : 3) != 0)
            continue;
        if (have < PS_PREFIX_BYTES) {
            *need = at + PS_PREFIX_BYTES;
            return 0;
        }
        if (p[at + 3] < PS_ID_PACK)
            continue;
        d->env.count.bad_headers++;
        return (int)at;
    }
    *need = told;
    return n < told ? 0 : (int)told;
}

static void begin_pack(struct ps_demux *d)
{
    d->env.has_pack = true;
    d->env.pack_map = false;
    d->env.pack_off = d->at;
}

static int take_pack(struct ps_demux *d, const uint8_t *p, size_t n,
                     size_t *need)
{
    struct ps_pack pack;
    int err = ps_pack_decode(&pack, p, n, need);

    if (err == GB_EAGAIN)
        return 0;
    if (err) {
        d->env.count.bad_headers++;
        return DEMUX_BROKEN;
    }
    d->env.count.packs++;
    d->pack_ts = d->env.rtp_ts;
    begin_pack(d);
    return pack.size;
}

static int take_map(struct ps_demux *d, const uint8_t *p, size_t n,
                    size_t *need)
{
    struct ps_map map;
    int err = ps_map_decode(&map, p, n, need);

    if (err == GB_EAGAIN)
        return 0;
    if (!err) {
        d->env.count.psms++;
        d->env.pack_map = true;
        program_use_map(&d->program, &map);
        return map.size;
    }
    d->env.count.bad_headers++;
    if (((size_t)p[4] << 8 | p[5]) > PS_MAP_MAX)
        return DEMUX_BROKEN;
    d->left = (size_t)p[4] << 8 | p[5]; /* what is here of it, is gone */
    if (n < PS_LEN_BYTES + d->left)
        return skip_element(d, p, n, need);
    return (int)(PS_LEN_BYTES + d->left);
}

/* Neither form fits. What the length says is believed until its end. */
static int broken_pes(struct ps_demux *d, const uint8_t *p)
{
    size_t len = (size_t)p[4] << 8 | p[5];
    struct ps_pes none = { .length = (uint16_t)len };

    d->env.count.bad_headers++;
    if (len == 0)
        return DEMUX_BROKEN;
    d->left = len - 1;
    if (!ps_id_is_video(p[3]) ||
        !(d->cur = program_stream(&d->program, p[3]))) {
        d->state = d->left ? DEMUX_SKIP : DEMUX_HDR;
        return PS_LEN_BYTES + 1;
    }
    es_pes_begin(d->cur, &none, false);
    d->seek = 0;
    d->fill = 0; /* run of zeros */
    d->state = d->left ? DEMUX_SEEK : DEMUX_HDR;
    return PS_LEN_BYTES + 1;
}

static int take_pes(struct ps_demux *d, const uint8_t *p, size_t n,
                    size_t *need)
{
    struct ps_pes pes;
    int err = ps_pes_decode(&pes, p, n, need);
    struct es *s;
    bool open;

    if (err == GB_EAGAIN)
        return 0;
    d->env.count.pes++;
    if (d->env.count.packs == 0)
        begin_pack(d);
    if (err)
        return broken_pes(d, p);
    s = program_stream(&d->program, p[3]);
    open = ps_id_is_video(p[3]) &&
           (pes.length == 0 || pes.length == 0xffff ||
            (s && s->wrong_lengths >= DEMUX_WRONG_LENGTHS));
    d->left = pes.length ? (size_t)pes.length + PS_LEN_BYTES - pes.size : 0;
    if (s && pes.scrambling) {
        d->env.count.encrypted++;
        if (!s->info.encrypted) {
            s->info.encrypted = true;
            es_announce(s);
        }
        s = NULL;
    }
    if (!s && open) { /* not ours, and nobody knows where it ends */
        d->state = DEMUX_LOST;
        d->broke = false;
        d->lost_bytes = 0;
        return pes.size;
    }
    if (!s) {
        d->state = d->left ? DEMUX_SKIP : DEMUX_HDR;
        return pes.size;
    }
    d->cur = s;
    d->behind = !open;
    es_pes_begin(s, &pes, open);
    d->state = open ? DEMUX_OPEN : d->left ? DEMUX_BODY : DEMUX_HDR;
    if (d->state == DEMUX_HDR)
        es_pes_end(s);
    return pes.size;
}

static int take_element(struct ps_demux *d, const uint8_t *p, size_t n,
                        size_t *need)
{
    uint8_t id = p[3];

    if (d->behind)
        d->cur->wrong_lengths = 0;
    d->behind = false;
    switch (id) {
    case PS_ID_END:
        return PS_PREFIX_BYTES;
    case PS_ID_PACK:
        return take_pack(d, p, n, need);
    case PS_ID_SYSTEM:
        return take_system(d, p, n, need);
    case PS_ID_MAP:
        return take_map(d, p, n, need);
    case PS_ID_PRIVATE1:
        if (!program_find(&d->program, id))
            return skip_element(d, p, n, need);
        return take_pes(d, p, n, need);
    default:
        if (ps_id_is_audio(id) || ps_id_is_video(id))
            return take_pes(d, p, n, need);
        return skip_element(d, p, n, need);
    }
}

/* At the place where a start code belongs; as the above. */
static int take_header(struct ps_demux *d, const uint8_t *p, size_t n,
                       size_t *need)
{
    int used;

    if (n < PS_PREFIX_BYTES) {
        *need = PS_PREFIX_BYTES;
        return 0;
    }
    if (!d->begun && memcmp(p, "IMKH", 4) == 0) {
        d->begun = true;
        d->left = IMKH_BYTES - 4;
        d->state = DEMUX_SKIP;
        return 4;
    }
    if (p[0] == 0 && p[1] == 0 && p[2] == 1 && p[3] >= PS_ID_END) {
        used = take_element(d, p, n, need);
        if (used > 0) {
            d->begun = true;
            if (d->state != DEMUX_SEEK)
                d->fill = 0;
        }
        return used;
    }
    used = demux_take_tail(d, p, n, need);
    if (used != DEMUX_BROKEN)
        return used;
    if ((p[0] == 0 && p[1] == 0 && p[2] == 0 && d->fill < MAX_ZEROS) ||
        (p[0] == 0xff && d->fill < MAX_FILL)) {
        d->fill++;
        return 1;
    }
    return DEMUX_BROKEN;
}

/* --- one state each: bytes consumed --- */

static size_t feed_header(struct ps_demux *d, const uint8_t *p, size_t n)
{
    size_t used = 0, need = 0;

    while (used < n && d->state == DEMUX_HDR) {
        int r = take_header(d, p + used, n - used, &need);

        if (r < 0) {
            demux_lose_header(d);
            return used;
        }
        if (r == 0) {
            demux_stash(d, p + used, n - used);
            return n;
        }
        used += (size_t)r;
        d->at += (uint64_t)r;
    }
    return used;
}

static size_t feed_body(struct ps_demux *d, const uint8_t *p, size_t n)
{
    size_t k = n < d->left ? n : d->left, used;

    if (!es_put(d->cur, p, k, &used)) {
        demux_lose_sync(d);
        return k;
    }
    d->left -= k;
    if (!d->left) {
        d->state = DEMUX_HDR;
        es_pes_end(d->cur);
    }
    return k;
}

static size_t feed_skip(struct ps_demux *d, size_t n)
{
    size_t k = n < d->left ? n : d->left;

    d->left -= k;
    if (!d->left)
        d->state = DEMUX_HDR;
    return k;
}

static size_t feed_open(struct ps_demux *d, const uint8_t *p, size_t n)
{
    size_t used;

    if (!es_put(d->cur, p, n, &used))
        demux_lose_sync(d);
    else if (d->cur->stopped)
        demux_begin_candidate(d, p[used - 1]);
    return used;
}

/* One byte behind a broken PES header: the payload begins at 00 00 01, which
 * is put from a copy, as its bytes may be gone. */
static void seek_byte(struct ps_demux *d, uint8_t b)
{
    static const uint8_t start[3] = { 0, 0, 1 };

    d->left--;
    d->seek++;
    if (b == 1 && d->fill >= 2) {
        bool copy = d->env.copy;
        size_t used;
        bool ok;

        d->fill = 0;
        d->state = d->left ? DEMUX_BODY : DEMUX_HDR;
        d->env.copy = true;
        ok = es_put(d->cur, start, sizeof(start), &used);
        d->env.copy = copy;
        if (!ok)
            demux_lose_sync(d);
        else if (!d->left)
            es_pes_end(d->cur);
        return;
    }
    d->fill = b ? 0 : d->fill + 1;
    if (!d->left)
        d->state = DEMUX_HDR;
    else if (d->seek == SEEK_BYTES)
        d->state = DEMUX_SKIP;
    if (d->state != DEMUX_SEEK)
        d->fill = 0;
}

static size_t step(struct ps_demux *d, const uint8_t *p, size_t n)
{
    size_t used = 0;

    switch (d->state) {
    case DEMUX_HDR:
        return feed_header(d, p, n);
    case DEMUX_BODY:
        return feed_body(d, p, n);
    case DEMUX_OPEN:
        return feed_open(d, p, n);
    case DEMUX_CAND:
        return demux_feed_candidate(d, p, n);
    case DEMUX_SKIP:
        return feed_skip(d, n);
    case DEMUX_SEEK:
        while (used < n && d->state == DEMUX_SEEK)
            seek_byte(d, p[used++]);
        return used;
    case DEMUX_LOST:
        return demux_feed_lost(d, p, n);
    }
    return n;
}

/* --- headers that are gathered --- */

/* HDR, and the stash begins with what may be a header. 0: *need bytes must
 * be in the stash. */
static int header_in_stash(struct ps_demux *d, size_t *need)
{
    int r = take_header(d, d->stash, d->n_stash, need);

    if (r > 0)
        demux_unstash(d, (size_t)r);
    if (r < 0) {
        size_t have = d->n_stash;

        demux_lose_header(d);
        d->n_stash = have; /* a pack header may begin in it */
    }
    return r;
}

/* Adds to the stash until it holds need bytes; how many it took. */
static size_t fill_stash(struct ps_demux *d, const uint8_t *p, size_t n,
                         size_t need)
{
    size_t want = need - d->n_stash;

    assert(need > d->n_stash);
    if (want > n)
        want = n;
    demux_stash(d, p, want);
    return want;
}

static void run(struct ps_demux *d, const uint8_t *p, size_t n, uint64_t off);

/* More than a header was gathered (the search for it went wrong at first):
 * the rest is fed as if it came only now, and payload in it is copied. */
static void feed_stash(struct ps_demux *d)
{
    uint8_t rest[PS_STASH_BYTES];
    size_t n = d->n_stash;
    uint64_t off = d->at;
    bool copy = d->env.copy;

    memcpy(rest, d->stash, n);
    d->n_stash = 0;
    d->env.copy = true;
    run(d, rest, n, off);
    d->env.copy = copy;
}

/* off: of p in the stream. */
static void run(struct ps_demux *d, const uint8_t *p, size_t n, uint64_t off)
{
    size_t at = 0;

    for (;;) {
        size_t need;
        int r;

        d->at = off + at - d->n_stash;
        if (!d->n_stash || d->state == DEMUX_CAND) {
            if (at == n)
                return;
            at += step(d, p + at, n - at);
            continue;
        }
        if (d->state != DEMUX_HDR && d->state != DEMUX_LOST) {
            feed_stash(d);
            continue;
        }
        r = d->state == DEMUX_HDR ? header_in_stash(d, &need)
                                  : demux_lost_in_stash(d, &need);
        if (r == 0 && at == n)
            return;
        if (r == 0)
            at += fill_stash(d, p + at, n - at, need);
    }
}

/* --- the usual packets --- */

/* Pack header, PES header and payload, as most pictures and all sound begin,
 * where a header is due. The bytes consumed; 0: nothing was done, the states
 * shall read it. off: of p in the stream. */
static size_t plain_begin(struct ps_demux *d, const uint8_t *p, size_t n,
                          uint64_t off)
{
    struct ps_pes pes;
    size_t at;
    struct es *s;

    if (d->state != DEMUX_HDR || d->n_stash ||
        n <= PS_PACK_BYTES + PS_PES_BYTES || p[0] || p[1] || p[2] != 1 ||
        p[3] != PS_ID_PACK || (p[4] & 0xc0) != 0x40)
        return 0;
    at = PS_PACK_BYTES + (p[13] & 7);
    if (!ps_pes_plain(&pes, p + at, n - at))
        return 0;
    s = program_find(&d->program, p[at + 3]);
    if (!s || !s->fed || !(s->video || ps_id_is_audio(s->info.stream_id)))
        return 0; /* payload of it is news */
    if (s->wrong_lengths || (d->cur && d->cur->wrong_lengths))
        return 0;
    d->begun = true;
    d->fill = 0;
    d->env.count.packs++;
    d->env.count.pes++;
    d->pack_ts = d->env.rtp_ts;
    d->at = off;
    begin_pack(d);
    d->cur = s;
    d->behind = true;
    d->left = (size_t)pes.length + PS_LEN_BYTES - pes.size;
    at += pes.size;
    if (!s->video && n - at >= d->left &&
        es_put_whole(s, &pes, p + at, d->left)) {
        at += d->left;
        d->left = 0;
        return at;
    }
    es_pes_begin(s, &pes, false);
    d->state = DEMUX_BODY;
    return at + feed_body(d, p + at, n - at);
}

static void hold_touched(struct ps_demux *d)
{
    uint32_t touched = d->env.touched;

    for (size_t i = 0; touched; i++, touched >>= 1)
        if (touched & 1)
            es_hold(d->program.stream[i]);
}

static bool is_pack(const uint8_t *p, size_t n)
{
    static const uint8_t prefix[4] = { 0, 0, 1, PS_ID_PACK };

    return n >= sizeof(prefix) && memcmp(p, prefix, sizeof(prefix)) == 0;
}

static void feed_any(struct ps_demux *d, const uint8_t *p, size_t n,
                     const struct ps_feed *f)
{
    struct es_env *env = &d->env;
    uint64_t off;
    size_t used;

    settle(d);
    off = env->count.bytes;
    env->buf = f->buf;
    env->rtp_ts = f->rtp_ts;
    env->touched = 0;
    env->cur_hold = 0;
    env->count.bytes += n;
    if (f->packet && d->state != DEMUX_HDR && is_pack(p, n))
        demux_believe_packet(d, p, n);
    used = plain_begin(d, p, n, off);
    if (used < n)
        run(d, p + used, n - used, off + used);
    if (f->marker && d->cur && d->cur->video && d->state == DEMUX_HDR &&
        !d->n_stash)
        es_marker(d->cur);
    if (env->touched && f->buf)
        hold_touched(d);
    go_ahead(d, f->marker);
}

static inline bool is_ahead(const struct demux_ahead *a, const uint8_t *p,
                            size_t n, const struct ps_feed *f)
{
    return f->rtp_ts == a->rtp_ts && f->buf == a->buf && a->next != a->end &&
           !(a->look && f->packet && is_pack(p, n));
}

/* Not a packet inside a PES: perhaps the one that ends it. */
static __attribute__((noinline)) void feed_border(struct ps_demux *d,
                                                  const uint8_t *p, size_t n,
                                                  const struct ps_feed *f)
{
    struct es *s = d->ahead.es;

    if (!s || n != d->ahead.room + 1 || !is_ahead(&d->ahead, p, n, f)) {
        feed_any(d, p, n, f);
        return;
    }
    *d->ahead.next++ = (struct ps_piece){ p, n, f->buf };
    settle_bytes(d, d->left);
    d->env.rtp_ts = f->rtp_ts;
    d->state = DEMUX_HDR;
    es_pes_end(s);
    if (f->marker)
        es_marker(s);
}

/* Most packets lie inside a PES and are but one more piece. One that has the
 * marker there is not as it should be, and the next is looked at. */
void ps_demux_feed(struct ps_demux *d, const uint8_t *p, size_t n,
                   const struct ps_feed *f)
{
    struct demux_ahead *a = &d->ahead;

    if (n - 1 >= a->room || f->marker || !is_ahead(a, p, n, f)) {
        feed_border(d, p, n, f);
        return;
    }
    *a->next++ = (struct ps_piece){ p, n, f->buf };
    a->room -= n;
}

/* --- ends --- */

static bool in_payload(const struct ps_demux *d)
{
    return d->state == DEMUX_BODY || d->state == DEMUX_OPEN ||
           d->state == DEMUX_CAND || d->state == DEMUX_SEEK;
}

static void gap(struct ps_demux *d, bool inside)
{
    settle(d);
    demux_settle_tail(d);
    inside |= in_payload(d);
    for (size_t i = 0; i < d->program.n; i++)
        es_gap(d->program.stream[i], inside && d->program.stream[i] == d->cur);
    demux_lose(d);
}

void ps_demux_gap(struct ps_demux *d)
{
    gap(d, false);
}

void ps_demux_gap_inside(struct ps_demux *d)
{
    gap(d, true);
}

void ps_demux_flush(struct ps_demux *d, bool end)
{
    settle(d);
    demux_settle_tail(d);
    if (end && d->state == DEMUX_CAND)
        demux_reject_candidate(d);
    for (size_t i = 0; i < d->program.n; i++)
        es_flush(d->program.stream[i], end,
                 d->program.stream[i] == d->cur &&
                     (in_payload(d) && (!end || d->state == DEMUX_BODY)));
    if (end)
        demux_lose(d);
}

void ps_demux_place(const struct ps_demux *d, struct ps_place *out)
{
    *out = (struct ps_place){
        .pack_off = d->env.has_pack ? d->env.pack_off : PS_NO_PLACE,
        .open_off = PS_NO_PLACE,
        .parsed_off = d->env.count.bytes + bytes_ahead(d) - d->n_stash,
    };
    for (size_t i = 0; i < d->program.n; i++) {
        const struct es *s = d->program.stream[i];

        if (s->bytes && s->au.has_pack && s->au.pack_off < out->open_off)
            out->open_off = s->au.pack_off;
    }
}

void ps_demux_prefetch(const struct ps_demux *d)
{
    prefetch_room(d, offsetof(struct ps_demux, stash));
    prefetch_room(d->env.hold, PREFETCH_LINE);
    for (size_t i = 0; i < d->program.n; i++)
        es_prefetch(d->program.stream[i]);
}

void ps_demux_counters(const struct ps_demux *d, struct ps_counters *out)
{
    *out = d->env.count;
    out->bytes += bytes_ahead(d);
}

const struct ps_stream *ps_demux_stream(const struct ps_demux *d, size_t i)
{
    return i < d->program.n ? &d->program.stream[i]->info : NULL;
}
