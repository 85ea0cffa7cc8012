#include "ps/es.h"

#include "base/prefetch.h"

#include <assert.h>
#include <stddef.h>

#define FIRST_PIECES 32
#define FIRST_HOLDS 64
#define FIRST_PREFETCH 16 /* pieces, as a picture has, and NAL units */
#define MAX_HOLDS (PS_MAX_STREAMS * PS_MAX_PIECES)

void es_init(struct es *s, struct es_env *env, uint8_t stream_id,
             unsigned index)
{
    memset(s, 0, sizeof(*s));
    s->env = env;
    s->index = index;
    s->info.stream_id = stream_id;
    s->video = ps_id_is_video(stream_id);
    s->broken_start = true;
}

void es_prefetch(const struct es *s)
{
    prefetch_room(s, offsetof(struct es, pes));
    prefetch_room(&s->pes[s->n_pes % ES_MARKS], sizeof(s->pes[0]));
    prefetch_room(&s->pkt[s->n_pkt % ES_MARKS], sizeof(s->pkt[0]));
    prefetch_room(&s->n_pes, sizeof(*s) - offsetof(struct es, n_pes));
    prefetch_room(s->piece, FIRST_PREFETCH * sizeof(*s->piece));
    prefetch_room(s->ref, sizeof(*s->ref));
    prefetch_room(s->nal, FIRST_PREFETCH * sizeof(*s->nal));
}

/* Twice the room, the old content in front; false: no memory, or limit. */
static bool grow(struct es_env *env, void **array, uint32_t *cap, size_t size,
                 uint32_t first, uint32_t limit)
{
    uint32_t want = *cap ? *cap * 2 : first;
    void *p;

    if (want > limit)
        want = limit;
    if (want <= *cap)
        return false;
    p = gb_get(env->alloc, want * size);
    if (!p)
        return false;
    if (*cap)
        /* NOLINTNEXTLINE(clang-analyzer-core.*): cap and array go together */
        memcpy(p, *array, *cap * size);
    gb_put(env->alloc, *array);
    *array = p;
    *cap = want;
    return true;
}

/* --- holds --- */

static uint32_t take_slot(struct es_env *env)
{
    uint32_t slot = env->free_hold;

    if (slot) {
        env->free_hold = env->hold[slot - 1].next_free;
        return slot;
    }
    if (env->n_holds == env->cap_holds) {
        void *p = env->hold;

        if (!grow(env, &p, &env->cap_holds, sizeof(*env->hold), FIRST_HOLDS,
                  MAX_HOLDS))
            return 0;
        env->hold = p;
    }
    return ++env->n_holds;
}

static void release(struct es_env *env, uint32_t slot)
{
    struct es_hold *h = &env->hold[slot - 1];

    assert(h->refs > 0);
    if (--h->refs)
        return;
    h->next_free = env->free_hold;
    env->free_hold = slot;
    if (env->hooks.release)
        env->hooks.release(env->hooks.ctx, h->buf);
}

/* The slot of the buffer being fed; told once to hold it. */
static uint32_t current_slot(struct es_env *env)
{
    uint32_t slot = env->cur_hold;

    if (slot)
        return slot;
    slot = take_slot(env);
    if (!slot)
        return 0;
    env->cur_hold = slot;
    env->hold[slot - 1].buf = env->buf;
    env->hold[slot - 1].refs = 0;
    if (env->hooks.hold)
        env->hooks.hold(env->hooks.ctx, env->buf);
    return slot;
}

static void forget_unit(struct es *s);

/* After a change of the newest ref. */
static void note_held(struct es *s)
{
    s->held = s->n_refs ? s->env->hold[s->ref[s->n_refs - 1].slot - 1].buf
                        : NULL;
}

/* One ref more; false: no memory. */
static bool add_ref(struct es *s)
{
    struct es_env *env = s->env;
    void *p = s->ref;
    uint32_t slot;

    if (s->n_refs == s->cap_refs) {
        if (!grow(env, &p, &s->cap_refs, sizeof(*s->ref), FIRST_PIECES,
                  PS_MAX_PIECES))
            return false;
        s->ref = p;
    }
    slot = current_slot(env);
    if (!slot)
        return false;
    env->hold[slot - 1].refs++;
    s->ref[s->n_refs++].slot = slot;
    note_held(s);
    return true;
}

void es_hold(struct es *s)
{
    if (s->held_to == s->n_pieces || !s->loose)
        return;
    if (s->held != s->env->buf && !add_ref(s)) {
        forget_unit(s);
        return;
    }
    s->ref[s->n_refs - 1].end = s->held_to = s->n_pieces;
    s->loose = false;
}

/* Pieces [0, n) are gone. */
static void release_pieces(struct es *s, uint32_t n)
{
    uint32_t k = 0;

    while (k < s->n_refs && s->ref[k].end <= n)
        release(s->env, s->ref[k++].slot);
    s->n_refs -= k;
    for (uint32_t i = 0; i < s->n_refs; i++) /* mostly none, or one */
        s->ref[i] = (struct es_ref){ s->ref[i + k].slot,
                                     s->ref[i + k].end - n };
    note_held(s);
    s->held_to = s->held_to > n ? s->held_to - n : 0;
}

/* --- copies --- */

static bool lies_in(const struct es_block *b, const uint8_t *p)
{
    return (uintptr_t)p - (uintptr_t)b->bytes < b->cap;
}

static bool is_needed(const struct es *s, const struct es_block *b)
{
    for (uint32_t i = 0; i < s->n_pieces; i++)
        if (!s->piece[i].buf && lies_in(b, s->piece[i].p))
            return true;
    return false;
}

/* Pieces have gone from the front. The newest block stays, for the next. */
static void drop_blocks(struct es *s)
{
    struct es_block *b;

    while ((b = s->oldest) != s->newest && !is_needed(s, b)) {
        s->oldest = b->next;
        gb_put(s->env->alloc, b);
    }
    if (s->newest && !is_needed(s, s->newest))
        s->newest->used = 0;
}

/* Room for n bytes that lie together; NULL: no memory. */
static uint8_t *take_room(struct es *s, size_t n)
{
    struct es_block *b = s->newest;
    size_t cap = n > ES_BLOCK ? n : ES_BLOCK;

    if (!b || b->cap - b->used < n) {
        b = gb_get(s->env->alloc, sizeof(*b) + cap);
        if (!b)
            return NULL;
        b->next = NULL;
        b->used = 0;
        b->cap = (uint32_t)cap;
        if (s->newest)
            s->newest->next = b;
        else
            s->oldest = b;
        s->newest = b;
    }
    b->used += (uint32_t)n;
    return b->bytes + b->used - n;
}

void es_fini(struct es *s)
{
    s->env->open &= ~(1u << s->index);
    release_pieces(s, s->n_pieces);
    while (s->oldest) {
        struct es_block *b = s->oldest;

        s->oldest = b->next;
        gb_put(s->env->alloc, b);
    }
    gb_put(s->env->alloc, s->piece);
    gb_put(s->env->alloc, s->ref);
    gb_put(s->env->alloc, s->nal);
}

/* --- the list of pieces --- */

static bool add_piece(struct es *s, const uint8_t *p, size_t n, void *buf)
{
    if (s->n_pieces == s->cap_pieces) {
        void *q = s->piece;

        if (!grow(s->env, &q, &s->cap_pieces, sizeof(*s->piece), FIRST_PIECES,
                  PS_MAX_PIECES))
            return false;
        s->piece = q;
    }
    /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): room is not NULL */
    s->piece[s->n_pieces++] = (struct ps_piece){ p, n, buf };
    return true;
}

/* Copies that follow each other are one piece. */
static bool add_copy(struct es *s, const uint8_t *p, size_t n)
{
    struct ps_piece *last = s->n_pieces ? &s->piece[s->n_pieces - 1] : NULL;
    uint8_t *to = take_room(s, n);

    if (!to)
        return false;
    memcpy(to, p, n);
    if (!last || last->buf || last->p + last->n != to ||
        last->p < s->newest->bytes)
        return add_piece(s, to, n, NULL);
    last->n += n;
    return true;
}

bool es_append(struct es *s, const uint8_t *p, size_t n)
{
    struct es_env *env = s->env;
    bool copy = env->copy || (env->buf && s->n_refs >= ES_MAX_HELD);

    if (n == 0)
        return true;
    if (n > PS_MAX_AU_BYTES - s->bytes)
        return false;
    if (!(copy ? add_copy(s, p, n) : add_piece(s, p, n, env->buf)))
        return false;
    s->loose |= !copy;
    s->bytes += (uint32_t)n;
    env->touched |= 1u << s->index;
    return true;
}

void es_trim(struct es *s, uint32_t n)
{
    while (s->bytes > n) {
        struct ps_piece *last = &s->piece[s->n_pieces - 1];
        uint32_t over = s->bytes - n;

        if (last->n > over) {
            last->n -= over;
            s->bytes = n;
            break;
        }
        s->bytes -= (uint32_t)last->n;
        s->n_pieces--;
    }
    /* refs whose pieces are all gone */
    while (s->n_refs && (s->n_refs > 1 ? s->ref[s->n_refs - 2].end : 0) >=
                            s->n_pieces)
        release(s->env, s->ref[--s->n_refs].slot);
    note_held(s);
    if (s->n_refs && s->ref[s->n_refs - 1].end > s->n_pieces)
        s->ref[s->n_refs - 1].end = s->n_pieces;
    if (s->held_to > s->n_pieces)
        s->held_to = s->n_pieces;
}

/* The piece that holds offset off, *start its own offset. From the back:
 * what is cut lies there. n_pieces when off is the end. */
static uint32_t piece_at(const struct es *s, uint32_t off, uint32_t *start)
{
    uint32_t i = s->n_pieces, at = s->bytes;

    while (at > off)
        at -= (uint32_t)s->piece[--i].n;
    *start = at;
    return i;
}

void es_drop_front(struct es *s, uint32_t cut)
{
    uint32_t start, i;

    if (cut > s->bytes)
        cut = s->bytes;
    if (!cut)
        return;
    i = piece_at(s, cut, &start);
    if (s->n_refs)
        release_pieces(s, i);
    s->n_pieces -= i;
    if (s->n_pieces) {
        for (uint32_t k = 0; k < s->n_pieces; k++) /* mostly one */
            s->piece[k] = s->piece[i + k];
        s->piece[0].p += cut - start;
        s->piece[0].n -= cut - start;
    }
    if (s->oldest)
        drop_blocks(s);
    s->base += cut;
    s->bytes -= cut;
    if (s->pos <= cut) { /* zeros, or a head, that lay in front of it */
        s->zeros = 0;
        s->head_n = s->head_need = 0;
        s->sc_waits = false;
    }
    s->pos = s->pos > cut ? s->pos - cut : 0;
    s->nal_sc = s->nal_sc > cut ? s->nal_sc - cut : 0;
    s->nal_off = s->nal_off > cut ? s->nal_off - cut : 0;
    s->marker_at = 0;
    s->marker_twice = false;
    if (s->bytes == 0)
        s->env->open &= ~(1u << s->index);
}

size_t es_read(const struct es *s, uint32_t off, uint8_t *out, size_t n)
{
    uint32_t start, i;
    size_t got = 0;

    if (off >= s->bytes)
        return 0;
    i = piece_at(s, off, &start);
    for (off -= start; got < n && i < s->n_pieces; i++, off = 0) {
        size_t k = s->piece[i].n - off;

        k = k < n - got ? k : n - got;
        memcpy(out + got, s->piece[i].p + off, k);
        got += k;
    }
    return got;
}

bool es_is_zeros(const struct es *s, uint32_t off, uint32_t end)
{
    uint32_t at, i = piece_at(s, off, &at);

    for (; off < end && i < s->n_pieces; i++) {
        const struct ps_piece *piece = &s->piece[i];

        for (size_t k = off - at; k < piece->n && off < end; k++, off++)
            if (piece->p[k])
                return false;
        at += (uint32_t)piece->n;
    }
    return true;
}

/* --- codec --- */

void es_announce(struct es *s)
{
    if (s->env->hooks.on_stream)
        s->env->hooks.on_stream(s->env->hooks.ctx, &s->info);
}

void es_set_codec(struct es *s, uint8_t type, enum ps_codec codec,
                  enum ps_codec_source source)
{
    enum ps_codec was = s->info.codec;

    if (source == PS_FROM_PSM)
        s->info.stream_type = type;
    /* maps flap (Kedacom): what bytes have proven, only bytes change */
    if (s->proven && source != PS_FROM_BYTES)
        return;
    if (source != PS_FROM_BYTES &&
        (codec == PS_CODEC_UNKNOWN || ps_codec_is_video(codec) != s->video))
        return;
    if (codec != was && s->video && source != PS_FROM_BYTES && s->bytes)
        es_gap(s, false);
    s->info.codec = codec;
    s->info.source = source;
    s->proven = source == PS_FROM_BYTES;
    s->seen = 0;
    if (codec != was)
        es_announce(s);
}

/* --- times --- */

static const struct es_mark *mark_at(const struct es_mark *ring, uint32_t n,
                                     uint64_t at)
{
    for (uint32_t i = 0; i < ES_MARKS && i < n; i++) {
        const struct es_mark *m = &ring[(n - 1 - i) % ES_MARKS];

        if (m->at <= at)
            return m;
    }
    return NULL;
}

const struct es_mark *es_pes_at(const struct es *s, uint32_t off)
{
    return mark_at(s->pes, s->n_pes, s->base + off);
}

static void set_times(struct es *s, struct es_mark *m)
{
    s->au.has_pts = m->has_pts;
    s->au.has_dts = m->has_dts;
    s->au.pts90k = m->pts90k;
    s->au.dts90k = m->dts90k;
    m->used = true;
}

void es_begin_unit(struct es *s)
{
    const struct es_mark *pes = es_pes_at(s, 0);
    const struct es_mark *pkt = mark_at(s->pkt, s->n_pkt, s->base);

    s->au.has_pts = s->au.has_dts = false;
    s->au.pts90k = s->au.dts90k = 0;
    if (pes && !pes->used)
        set_times(s, &s->pes[pes - s->pes]);
    s->au.rtp_ts = pkt ? pkt->rtp_ts : 0;
    s->au.has_pack = pes && pes->has_pack;
    s->au.map = pes && pes->pack_map;
    s->au.pack_off = pes ? pes->pack_off : 0;
}

/* What was taken for the first bytes of the unit was not: it begins at off.
 * Times that the false start took are free again. */
void es_restart_unit(struct es *s, uint32_t off)
{
    const struct es_mark *pes = es_pes_at(s, 0);

    if (pes)
        s->pes[pes - s->pes].used = false;
    for (uint32_t i = 0; i < ES_MARKS; i++)
        if (s->pes[i].at >= s->base)
            s->pes[i].used = false;
    es_drop_front(s, off);
    es_begin_unit(s);
}

void es_pes_begin(struct es *s, const struct ps_pes *pes, bool unbounded)
{
    uint32_t len = unbounded ? 0 : pes->length;

    s->pes_waits = true;
    s->pes[s->n_pes % ES_MARKS] =
        (struct es_mark){ .has_pts = pes->has_pts,
                          .has_dts = pes->has_dts,
                          .pts90k = pes->pts90k,
                          .dts90k = pes->dts90k,
                          .has_pack = s->env->has_pack,
                          .pack_map = s->env->pack_map,
                          .pack_off = s->env->pack_off };
    s->unbounded = unbounded;
    s->stopped = false;
    s->coast = false;
    s->probe = s->env->opt.heads_only && es_is_nal(s) && !unbounded &&
               s->has_vcl && !s->head_need;
    if (s->bytes && !pes->has_pts && s->last_pes == s->max_pes)
        s->goes_on = true;
    s->last_pes = len;
    if (len > s->max_pes) {
        s->goes_on = false;
        s->max_pes = len;
        s->n_max_pes = 0;
    }
    s->n_max_pes += len == s->max_pes;
}

/* The first payload byte of a PES is about to be put. */
static void begin_pes_payload(struct es *s)
{
    struct es_mark *m = &s->pes[s->n_pes % ES_MARKS];

    s->pes_waits = false;
    m->at = s->base + s->bytes;
    m->rtp_ts = s->env->rtp_ts;
    /* without NAL units there is no better border than a new time */
    if (s->video && s->bytes && m->has_pts && !es_is_nal(s) &&
        (!s->n_nals || es_is_doubted(s)) &&
        !(s->au.has_pts && s->au.pts90k == m->pts90k))
        es_finish(s, s->bytes, s->bytes);
    m->at = s->base + s->bytes;
    /* a unit that has no picture yet takes the time of its picture */
    if (s->bytes && !s->has_vcl && m->has_pts && es_is_nal(s) && s->proven)
        set_times(s, m);
    if (s->video)
        es_lengths_pes(s, m);
    s->n_pes++;
    s->first_in_pes = true;
}

static void note_packet(struct es *s)
{
    s->pkt[s->n_pkt++ % ES_MARKS] = (struct es_mark){
        .at = s->base + s->bytes, .rtp_ts = s->env->rtp_ts };
    s->last_ts = s->env->rtp_ts;
}

/* Everything that is due before payload is appended. */
static void before_put(struct es *s)
{
    if (s->pes_waits)
        begin_pes_payload(s);
    if (!s->n_pkt || s->last_ts != s->env->rtp_ts)
        note_packet(s);
    if (s->bytes == 0) {
        es_begin_unit(s);
        if (s->video)
            s->env->open |= 1u << s->index;
    }
    s->marker = false;
}

/* Start codes, unless the PES shows lengths. */
static size_t scan(struct es *s, const uint8_t *p, size_t n)
{
    size_t at = s->lengths.looks ? es_lengths_look(s, p, n) : 0, used;

    if (!at)
        return es_scan(s, p, n);
    used = es_scan(s, p, at);
    if (used < at || s->coast)
        return used < at ? used : at + es_scan(s, p + at, n - at);
    es_lengths_begin(s);
    return n;
}

bool es_put(struct es *s, const uint8_t *p, size_t n, size_t *used)
{
    *used = n;
    if (n == 0)
        return true;
    before_put(s);
    if (!es_append(s, p, n)) {
        forget_unit(s);
        return false;
    }
    if (!s->video || s->coast) {
        s->pos = s->bytes;
        return true;
    }
    if (s->lengths.on && !s->unbounded) {
        es_lengths_scan(s, p, n);
        return true;
    }
    *used = scan(s, p, n);
    if (*used < n)
        es_trim(s, s->pos);
    return true;
}

/* --- delivery --- */

/* The times of s->au are set when the next unit begins. */
void es_clear_flags(struct es *s)
{
    s->au.key = s->au.corrupt = false;
    s->n_nals = 0;
    s->nal_open = false;
    s->has_vcl = s->has_sps = s->has_pps = s->has_sei = false;
    s->second_field = false;
    s->n_vcl = 0;
    s->waited = 0;
    s->relearnt = false;
}

/* Tells on_au of the unit, which lies in these pieces. */
static void hand_out(struct es *s, const struct ps_piece *piece,
                     size_t n_pieces, size_t bytes)
{
    struct es_env *env = s->env;
    struct ps_au *au = &s->au;

    au->stream_id = s->info.stream_id;
    au->codec = s->info.codec;
    au->discontinuity = s->disc;
    au->early = !s->video && env->open;
    au->piece = piece;
    au->n_pieces = n_pieces;
    au->bytes = bytes;
    s->disc = false;
    env->count.aus++;
    env->count.keys += au->key;
    env->hooks.on_au(env->hooks.ctx, au);
}

/* Hands pieces [0, end) out. */
static void deliver(struct es *s, uint32_t end)
{
    struct ps_au *au = &s->au;
    uint32_t start, i = piece_at(s, end - 1, &start);
    size_t whole = s->piece[i].n;

    if (!au->key && (s->has_sei || s->has_pps) && !au->corrupt)
        es_video_key(s);
    au->nal = s->nal;
    au->n_nals = es_is_nal(s) ? s->n_nals : 0;
    s->piece[i].n = end - start;
    hand_out(s, s->piece, i + 1, end);
    s->piece[i].n = whole;
}

bool es_put_whole(struct es *s, const struct ps_pes *pes, const uint8_t *p,
                  size_t n)
{
    const struct es_env *env = s->env;
    const struct ps_piece piece = { p, n, env->buf };
    struct ps_au *au = &s->au;

    if (s->bytes || !es_audio_is_settled(s, *p))
        return false;
    assert(!s->video && !au->key && !au->corrupt);
    au->has_pts = pes->has_pts;
    au->has_dts = pes->has_dts;
    au->pts90k = pes->pts90k;
    au->dts90k = pes->dts90k;
    au->rtp_ts = env->rtp_ts;
    au->has_pack = env->has_pack;
    au->map = env->pack_map;
    au->pack_off = env->pack_off;
    hand_out(s, &piece, 1, n);
    s->base += n;
    return true;
}

/* A unit ends at cut: was that where its marker was? */
static void note_marker(struct es *s, uint32_t cut)
{
    bool agrees = s->marker_at == cut && !s->marker_twice;

    if (!agrees)
        s->n_markers = 0;
    else if (s->n_markers < ES_MARKERS_BELIEVED)
        s->n_markers++;
    if (s->marker_at)
        s->marker_lies = !agrees;
}

void es_finish(struct es *s, uint32_t end, uint32_t cut)
{
    bool bad = s->au.corrupt;

    if (end > s->bytes)
        end = s->bytes;
    note_marker(s, cut);
    s->last_vcl[0] = s->last_vcl[1];
    s->last_vcl[1] = s->n_vcl;
    if (end) {
        s->env->count.corrupt_aus += bad;
        s->env->count.corrupt_pictures += bad && s->video;
        if (bad && !s->env->opt.deliver_corrupt) {
            s->env->count.dropped_aus++;
            s->disc = true;
        } else {
            deliver(s, end);
        }
        s->broken_start = bad;
    }
    es_clear_flags(s);
    es_drop_front(s, cut);
    if (s->bytes)
        es_begin_unit(s);
}

/* The unit is lost, and what follows begins somewhere inside another. */
static void forget_unit(struct es *s)
{
    if (s->bytes) {
        s->env->count.corrupt_aus++;
        s->env->count.corrupt_pictures += s->video;
        s->env->count.dropped_aus++;
    }
    es_clear_flags(s);
    es_drop_front(s, s->bytes);
    es_video_reset(s);
    s->disc = true;
    s->broken_start = true;
}

void es_pes_end(struct es *s)
{
    s->pes_waits = false;
    s->unbounded = false;
    if (s->video || !s->bytes)
        return;
    es_audio_sniff(s);
    es_finish(s, s->bytes, s->bytes);
}

/* The unit ends with one, and that of the last did not lie within it. */
static bool has_marker(const struct es *s)
{
    return s->marker && !s->marker_lies;
}

/* Is a unit that waits for its successor whole? Without the marker that the
 * last ones had it is not. When its last PES is as long as this device makes
 * them, the rest was probably lost with the gap; a marker says otherwise where
 * that of the last unit did not lie within it. */
static bool looks_whole(const struct es *s)
{
    bool marker = has_marker(s);

    if (s->pes_waits || (es_is_nal(s) && !s->has_vcl))
        return false;
    if (es_ends_with_marker(s)) /* all others did */
        return s->marker;
    if (!s->max_pes) /* no PES tells a length */
        return marker || !s->goes_on;
    return marker || s->last_pes < s->max_pes || s->n_max_pes < 2;
}

void es_gap(struct es *s, bool inside)
{
    if (s->bytes) {
        bool whole = s->video && es_video_drop_start(s);

        if (s->video)
            es_video_take_rest(s);
        if (!whole && (inside || !s->video || !looks_whole(s)))
            s->au.corrupt = true;
        if (s->video)
            es_video_flush(s, true);
        else
            es_finish(s, s->bytes, s->bytes);
    }
    es_video_reset(s);
    s->pes_waits = s->unbounded = false;
    s->disc = true;
    s->broken_start = true;
    s->marker = false;
    s->n_markers = 0;
}

/* Nothing comes behind a PES of a picture of which there is more. */
static bool is_cut_off(const struct es *s)
{
    return s->video && !s->unbounded && s->max_pes && s->goes_on &&
           !looks_whole(s);
}

/* The last pictures had so many slices, and this one has fewer. It may be all:
 * a marker says so, or that nothing has come since the flush before. */
static bool lacks_slices(const struct es *s)
{
    return s->n_vcl < s->last_vcl[1] && s->last_vcl[0] == s->last_vcl[1] &&
           !has_marker(s) && s->waited != s->bytes;
}

void es_flush(struct es *s, bool end, bool outstanding)
{
    if (!s->bytes || (outstanding && !end))
        return;
    if (s->video)
        es_video_take_rest(s);
    if (!end && (is_cut_off(s) || lacks_slices(s))) {
        s->waited = s->bytes;
        return; /* the rest is late */
    }
    s->au.corrupt |= outstanding || is_cut_off(s);
    if (s->video)
        es_video_flush(s, end);
    else if (end)
        es_finish(s, s->bytes, s->bytes);
}

void es_marker(struct es *s)
{
    s->marker = true;
    if (!s->bytes || !s->has_vcl)
        return;
    s->marker_twice = s->marker_at != 0;
    s->marker_at = s->bytes;
    if (es_ends_with_marker(s))
        es_video_flush(s, false);
}
