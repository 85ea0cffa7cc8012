/* Finds a program stream again where it is not as its headers say.
 *
 * Behind a gap, or where a header is none, the next pack header is looked for:
 * one with a start code behind it, or one that begins a packet. Other headers
 * are believed where a length was wrong by little, and where no packs come. A
 * PES without a length is ended by a header that is none by chance; one whose
 * length is a few bytes too small goes on up to the header behind it. */
#include "ps/demux_int.h"

#include "ps/sync.h"

/* So much without a pack header, and a PES header is believed as well. */
#define NO_PACK_BYTES (256u << 10)
#define NO_PACK_90K 90000u
/* A length was wrong by so much: the next header of the same pack is near. */
#define NEAR_BYTES 32
#define TAIL_BYTES 3 /* of a PES that its length leaves out */

/* --- loss --- */

void demux_lose(struct ps_demux *d)
{
    d->state = DEMUX_LOST;
    d->broke = false;
    d->n_stash = 0;
    d->left = 0;
    d->fill = 0;
    d->behind = false;
    d->lost_bytes = 0;
    d->pack_ts = d->env.rtp_ts;
}

void demux_lose_sync(struct ps_demux *d)
{
    for (size_t i = 0; i < d->program.n; i++)
        es_gap(d->program.stream[i], d->program.stream[i] == d->cur);
    d->env.count.resyncs += d->begun;
    demux_lose(d);
}

/* The length of the PES under way, or seen last, does not fit the bytes. */
static void note_wrong_length(struct es *s)
{
    if (s->video && s->wrong_lengths < DEMUX_WRONG_LENGTHS)
        s->wrong_lengths++;
}

/* A header ended the PES under way. Its length is not believed: was it right? */
static void note_length(struct es *s, size_t length)
{
    if (s->wrong_lengths < DEMUX_WRONG_LENGTHS)
        return;
    if (es_pes_bytes(s) != length)
        s->right_lengths = 0;
    else if (++s->right_lengths == DEMUX_RIGHT_LENGTHS)
        s->right_lengths = s->wrong_lengths = 0;
}

void demux_lose_header(struct ps_demux *d)
{
    if (d->behind)
        note_wrong_length(d->cur);
    demux_lose_sync(d);
    d->broke = d->begun;
}

/* --- a length that is too short --- */

/* Are the bytes at p those of a start code, as far as they are here? */
static bool may_start(const uint8_t *p, size_t n)
{
    static const uint8_t prefix[3] = { 0, 0, 1 };

    return memcmp(p, prefix, n < sizeof(prefix) ? n : sizeof(prefix)) == 0;
}

/* Does the stream go on at p, behind a wrong length? Few bytes must do: the
 * rest is fed again where it does not. */
static int check_behind(const uint8_t *p, size_t n, size_t *need)
{
    if (!may_start(p, n))
        return DEMUX_BROKEN;
    if (n < PS_SYNC_BYTES) {
        *need = PS_SYNC_BYTES;
        return 0;
    }
    return ps_sync_ends_pes(p) ? 1 : DEMUX_BROKEN;
}

static bool is_fill(const uint8_t *p, size_t n)
{
    for (size_t i = 1; i < n; i++)
        if (p[i] != p[0])
            return false;
    return p[0] == 0 || p[0] == 0xff;
}

/* Bytes of the PES in front that its length has left out. They come from the
 * stash, or may be gone: they are put as a copy. */
static int put_tail(struct ps_demux *d, const uint8_t *p, size_t n)
{
    bool copy = d->env.copy;
    size_t used;

    d->behind = false;
    d->env.count.bad_headers++;
    if (!d->cur->video || !d->cur->bytes) { /* it has been handed out */
        d->env.count.skipped_bytes += n;
        return (int)n;
    }
    d->env.copy = true;
    es_put(d->cur, p, n, &used);
    d->env.copy = copy;
    return (int)n;
}

int demux_take_tail(struct ps_demux *d, const uint8_t *p, size_t n,
                    size_t *need)
{
    if (!d->behind || d->fill || is_fill(p, TAIL_BYTES))
        return DEMUX_BROKEN;
    for (size_t k = 1; k <= TAIL_BYTES; k++) {
        int r = check_behind(p + k, n - k, need);

        if (r == 0) {
            *need += k;
            return 0;
        }
        if (r > 0)
            return is_fill(p, k) ? DEMUX_BROKEN : put_tail(d, p, k);
    }
    return DEMUX_BROKEN;
}

void demux_settle_tail(struct ps_demux *d)
{
    size_t k = 0;

    if (d->state != DEMUX_HDR || !d->behind || d->fill)
        return;
    while (k < d->n_stash && !may_start(d->stash + k, d->n_stash - k))
        k++;
    if (k == 0 || k > TAIL_BYTES || is_fill(d->stash, k))
        return;
    put_tail(d, d->stash, k);
    demux_unstash(d, k);
}

/* --- looking for a pack header --- */

static bool without_packs(const struct ps_demux *d)
{
    return d->lost_bytes >= NO_PACK_BYTES ||
           d->env.rtp_ts - d->pack_ts - NO_PACK_90K < 0x80000000u - NO_PACK_90K;
}

static int check_map(const uint8_t *p, size_t n, size_t *need)
{
    if (n < PS_LEN_BYTES) {
        *need = PS_LEN_BYTES;
        return 0;
    }
    return ((size_t)p[4] << 8 | p[5]) <= PS_MAP_MAX ? 1 : DEMUX_BROKEN;
}

/* Does the stream go on at p, which begins with 00 00 01? */
static int check_sync(const struct ps_demux *d, const uint8_t *p, size_t n,
                      size_t *need)
{
    bool near = d->broke && d->lost_bytes < NEAR_BYTES;

    if (n < PS_PREFIX_BYTES) {
        *need = PS_PREFIX_BYTES;
        return 0;
    }
    if (p[3] == PS_ID_PACK)
        return ps_sync_pack(p, n, need);
    if (p[3] == PS_ID_MAP && near)
        return check_map(p, n, need);
    if ((ps_id_is_audio(p[3]) || ps_id_is_video(p[3])) &&
        (near || without_packs(d)))
        return ps_sync_pes(p, n, need);
    return DEMUX_BROKEN;
}

static void count_lost(struct ps_demux *d, size_t n)
{
    d->lost_bytes += n;
    d->env.count.skipped_bytes += n;
}

int demux_lost_in_stash(struct ps_demux *d, size_t *need)
{
    int r = may_start(d->stash, d->n_stash) ? 0 : DEMUX_BROKEN;

    *need = 3;
    if (r == 0 && d->n_stash >= 3)
        r = check_sync(d, d->stash, d->n_stash, need);
    if (r > 0)
        d->state = DEMUX_HDR;
    if (r < 0) {
        demux_unstash(d, 1);
        count_lost(d, 1);
    }
    return r;
}

size_t demux_feed_lost(struct ps_demux *d, const uint8_t *p, size_t n)
{
    size_t at = 0, tail;

    for (;;) {
        size_t need, k = d->env.scan(p + at, n - at);
        int r;

        count_lost(d, k);
        at += k;
        if (at == n)
            break;
        r = check_sync(d, p + at, n - at, &need);
        if (r > 0) {
            d->state = DEMUX_HDR;
            return at;
        }
        if (r == 0) {
            demux_stash(d, p + at, n - at);
            return n;
        }
        count_lost(d, 1);
        at++;
    }
    for (tail = 0; tail < 2 && tail < n && p[n - 1 - tail] == 0;)
        tail++;
    demux_stash(d, p + n - tail, tail);
    d->lost_bytes -= tail;
    d->env.count.skipped_bytes -= tail;
    return n;
}

void demux_believe_packet(struct ps_demux *d, const uint8_t *p, size_t n)
{
    struct ps_pack pack;
    size_t need;
    int err;

    if (d->state != DEMUX_LOST && d->state != DEMUX_BODY &&
        d->state != DEMUX_SKIP)
        return;
    if (n <= PS_PREFIX_BYTES)
        return;
    if (d->state == DEMUX_LOST) {
        err = ps_pack_decode(&pack, p, n, &need);
        if (err != 0 && err != GB_EAGAIN)
            return;
        count_lost(d, d->n_stash);
        d->n_stash = 0;
        d->state = DEMUX_HDR;
        return;
    }
    if ((p[4] & 0xc4) != 0x44 || ps_sync_pack(p, n, &need) <= 0)
        return;
    if (d->state == DEMUX_BODY)
        note_wrong_length(d->cur);
    demux_lose_sync(d);
    d->state = DEMUX_HDR;
}

/* --- the end of a PES without a length --- */

void demux_begin_candidate(struct ps_demux *d, uint8_t id)
{
    static const uint8_t prefix[3] = { 0, 0, 1 };

    d->n_stash = 0;
    demux_stash(d, prefix, sizeof(prefix));
    demux_stash(d, &id, 1);
    d->state = DEMUX_CAND;
}

/* The unit that it would end was handed out, or forgotten for want of memory. */
static bool has_no_unit(const struct ps_demux *d)
{
    return !d->cur->stopped;
}

void demux_reject_candidate(struct ps_demux *d)
{
    uint8_t b[PS_SYNC_BYTES];
    size_t n = d->n_stash - PS_PREFIX_BYTES, used;

    if (has_no_unit(d)) {
        demux_lose_sync(d);
        return;
    }
    memcpy(b, d->stash + PS_PREFIX_BYTES, n);
    d->n_stash = 0;
    d->state = DEMUX_OPEN;
    es_video_pass_open(d->cur);
    used = es_scan(d->cur, b, n);
    if (!d->cur->stopped)
        return;
    demux_begin_candidate(d, b[used - 1]);
    demux_stash(d, b + used, n - used);
}

size_t demux_feed_candidate(struct ps_demux *d, const uint8_t *p, size_t n)
{
    size_t k = PS_SYNC_BYTES - d->n_stash;

    if (k > n)
        k = n;
    if (has_no_unit(d) || !es_append(d->cur, p, k)) {
        demux_lose_sync(d);
        return k;
    }
    demux_stash(d, p, k);
    if (d->n_stash < PS_SYNC_BYTES)
        return k;
    if (!ps_sync_ends_pes(d->stash)) {
        demux_reject_candidate(d);
        return k;
    }
    es_video_end_open(d->cur);
    note_length(d->cur, d->left);
    es_pes_end(d->cur);
    d->state = DEMUX_HDR;
    return k;
}
