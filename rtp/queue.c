#include "rtp/queue.h"

/* Sequence numbers are kept extended to 32 bits. `next` is the number that is
 * to be delivered; the ring holds packets next .. next + window - 1, each at
 * its number modulo the window.
 *
 *          next        first
 *   ... ───┼────hole────┼███████░░██████──── ...
 *
 * A packet with the number `next` does not touch the ring: it waits in `ready`
 * for the pop that follows its push. One that lies beyond the ring waits in
 * `beyond` while pop gives up holes until it fits, or until the ring is empty
 * and the jump is real.
 *
 * While nothing is out of order the queue is `plain`: a packet then is compared
 * with `next`, which moves on, and that is all; `highest` and the counters stay
 * where they were, and catch up when somebody asks or another packet comes. */

struct slot {
    const uint8_t *payload;
    void *buf;
    uint32_t ts, n, at_ms; /* at_ms: low 32 bits */
    uint8_t pt;
    bool marker;
    bool used;
};

struct rtp_queue {
    /* what a plain packet needs: one line of the caches */
    uint32_t next;
    bool plain;
    uint32_t newest_ts;    /* the timestamp that is ahead of all others */
    uint32_t clock_hz, longest_step; /* as timestamps: RTP_QUEUE_JITTER_MAX_S */
    uint32_t transit, jitter16;      /* RFC 3550 A.8 */
    bool has_transit;
    bool started, ever, flushing, gap_next;
    bool has_ready, has_beyond, beyond_new;
    uint32_t window, wait_ms, highest;
    struct gb_alloc alloc;
    struct rtp_item ready, beyond;
    uint32_t held;
    bool hole;             /* first and since_ms are known */
    uint32_t first;        /* lowest number held */
    uint64_t since_ms;     /* when the hole showed */
    uint16_t run_seq, run; /* packets of a sender that begins again */
    struct rtp_queue_counters count;
    uint32_t base, received;                /* A.3, since the last start */
    uint32_t prior_expected, prior_received;
    struct slot ring[];
};

int rtp_queue_new(struct rtp_queue **out, const struct gb_alloc *alloc,
                  const struct rtp_queue_options *opt)
{
    struct rtp_queue *q;
    uint32_t window = 1;

    if (opt->window > RTP_QUEUE_MAX_WINDOW)
        return GB_ERANGE;
    while (window < opt->window)
        window *= 2;
    if (opt->window == 0)
        window = 0;
    q = gb_get(alloc, sizeof(*q) + window * sizeof(q->ring[0]));
    if (!q)
        return GB_ENOMEM;
    q->alloc = *alloc;
    q->window = window;
    q->wait_ms = opt->wait_ms ? opt->wait_ms : RTP_QUEUE_WAIT_MS;
    q->clock_hz = opt->clock_hz ? opt->clock_hz : 90000;
    q->longest_step = q->clock_hz < UINT32_MAX / RTP_QUEUE_JITTER_MAX_S
                          ? q->clock_hz * RTP_QUEUE_JITTER_MAX_S
                          : UINT32_MAX;
    *out = q;
    return 0;
}

void rtp_queue_free(struct rtp_queue *q)
{
    if (q)
        gb_put(&q->alloc, q);
}

/* ---- statistics ---- */

static inline void note_jitter(struct rtp_queue *q, uint32_t ts, uint64_t now_ms)
{
    uint32_t transit = (uint32_t)(now_ms * q->clock_hz / 1000) - ts;
    int32_t d = (int32_t)(transit - q->transit);
    uint32_t step = d < 0 ? 0u - (uint32_t)d : (uint32_t)d;

    if (q->has_transit && step < q->longest_step) /* else a clock was set */
        q->jitter16 += step - ((q->jitter16 + 8) >> 4);
    q->has_transit = true;
    q->transit = transit;
}

static void start_interval(struct rtp_queue *q, uint32_t ext)
{
    q->base = ext;
    q->highest = ext;
    q->received = 0;
    q->prior_expected = q->prior_received = 0;
}

static void note_highest(struct rtp_queue *q, uint32_t ext)
{
    if ((int32_t)(ext - q->highest) > 0)
        q->highest = ext;
    else
        q->count.reordered += ext != q->highest;
}

/* ---- plain packets ---- */

/* Those that have passed since are counted. */
static void catch_up(struct rtp_queue *q)
{
    uint32_t n = q->next - 1 - q->highest;

    if (!q->plain)
        return;
    q->plain = false;
    q->highest += n;
    q->received += n;
    q->count.received += n;
    q->count.delivered += n;
}

/* Nothing waits, nothing is missing, nothing is to be told. */
static void set_plain(struct rtp_queue *q)
{
    q->plain = q->started && q->has_transit && !q->has_ready &&
               !q->has_beyond && !q->flushing && !q->held && !q->hole &&
               !q->gap_next && !q->run && q->highest == q->next - 1;
}

bool rtp_queue_pass(struct rtp_queue *q, struct rtp_item *item, uint64_t now_ms)
{
    if (!q->plain || item->seq != (uint16_t)q->next || item->seq == 0)
        return false; /* 0: they are counted before they are too many */
    note_jitter(q, item->ts, now_ms);
    if ((int32_t)(item->ts - q->newest_ts) > 0)
        q->newest_ts = item->ts;
    item->ext_seq = q->next++;
    item->gap = false;
    return true;
}

/* ---- in ---- */

static void deliver(struct rtp_queue *q, uint32_t ext)
{
    q->next = ext + 1;
    q->gap_next = false;
    q->count.delivered++;
}

/* The same number in the cycle after that of next: numbers never go back. */
static uint32_t next_cycle(const struct rtp_queue *q, uint16_t seq)
{
    return (q->next & 0xffff0000u) + 0x10000u + seq;
}

static enum rtp_push set_ready(struct rtp_queue *q, const struct rtp_item *item,
                               uint32_t ext, bool gap)
{
    q->ready = *item;
    q->ready.ext_seq = ext;
    q->ready.gap = gap;
    q->has_ready = true;
    q->next = ext;
    q->received++;
    return RTP_PUSH_TAKEN;
}

static enum rtp_push push_first(struct rtp_queue *q,
                                const struct rtp_item *item)
{
    uint32_t ext = q->ever ? next_cycle(q, item->seq) : item->seq;

    q->started = q->ever = true;
    q->newest_ts = item->ts;
    start_interval(q, ext);
    return set_ready(q, item, ext, q->gap_next);
}

/* Out of the ring's reach: pop gives up holes for it. */
static enum rtp_push push_beyond(struct rtp_queue *q,
                                 const struct rtp_item *item, uint32_t ext,
                                 bool restart)
{
    q->beyond = *item;
    q->beyond.ext_seq = ext;
    q->has_beyond = true;
    q->beyond_new = restart || ext - q->next > RTP_QUEUE_MAX_LOSS;
    if (restart)
        q->count.restarts++;
    else
        q->count.jumps += q->held == 0 || q->beyond_new;
    if (!q->beyond_new) {
        q->received++;
        note_highest(q, ext);
    }
    return RTP_PUSH_TAKEN;
}

/* A number from behind: a late packet or a repeated one, unless it is far
 * behind, or its time is ahead of all others. Of those so many in a row come
 * from a sender that counts anew. */
static enum rtp_push push_behind(struct rtp_queue *q,
                                 const struct rtp_item *item, unsigned back)
{
    bool anew = (int32_t)(item->ts - q->newest_ts) > 0;

    if (back < RTP_QUEUE_LATE && !anew) {
        q->received++;
        if (back == 1) {
            q->count.duplicate++;
            return RTP_PUSH_DUPLICATE;
        }
        q->count.late++;
        return RTP_PUSH_LATE;
    }
    if (q->run && q->run_seq == item->seq)
        q->run++;
    else
        q->run = 1;
    q->run_seq = (uint16_t)(item->seq + 1);
    if (q->run < RTP_QUEUE_RESTART) {
        q->count.late++;
        return back < RTP_QUEUE_LATE ? RTP_PUSH_LATE : RTP_PUSH_FOREIGN;
    }
    q->run = 0;
    q->newest_ts = item->ts;
    return push_beyond(q, item, next_cycle(q, item->seq), true);
}

static enum rtp_push store(struct rtp_queue *q, const struct rtp_item *item,
                           uint32_t ext, uint64_t now_ms)
{
    struct slot *s = &q->ring[ext & (q->window - 1)];

    if (s->used) {
        q->received++;
        q->count.duplicate++;
        return RTP_PUSH_DUPLICATE;
    }
    *s = (struct slot){ item->payload,     item->buf,
                        item->ts,          (uint32_t)item->n,
                        (uint32_t)now_ms,  item->pt,
                        item->marker,      true };
    if (q->held++ == 0) {
        q->hole = true;
        q->first = ext;
        q->since_ms = now_ms;
    } else if (q->hole && (int32_t)(ext - q->first) < 0) {
        q->first = ext;
    }
    if (q->held > q->count.max_held)
        q->count.max_held = q->held;
    return RTP_PUSH_TAKEN;
}

/* TCP: whatever comes is next; only the gap is told. */
static enum rtp_push push_ordered(struct rtp_queue *q,
                                  const struct rtp_item *item, int d)
{
    bool same = d == -1; /* a sender that repeats or does not count */
    uint32_t ext = d >= 0 ? q->next + (uint32_t)d
                   : same ? q->next - 1
                          : next_cycle(q, item->seq);

    if (d > 0 && d <= RTP_QUEUE_MAX_LOSS)
        q->count.lost += (uint32_t)d;
    q->count.jumps += d > RTP_QUEUE_MAX_LOSS;
    q->count.restarts += d < -1;
    if (d < -1 || d > RTP_QUEUE_MAX_LOSS)
        start_interval(q, ext);
    else
        note_highest(q, ext);
    return set_ready(q, item, ext, d != 0 && !same);
}

enum rtp_push rtp_queue_push(struct rtp_queue *q, const struct rtp_item *item,
                             uint64_t now_ms)
{
    uint32_t ext;
    int d;

    if (q->has_ready || q->has_beyond || q->flushing)
        return RTP_PUSH_FULL;
    catch_up(q);
    q->count.received++;
    note_jitter(q, item->ts, now_ms);
    if (!q->started)
        return push_first(q, item);
    d = (int16_t)(item->seq - (uint16_t)q->next);
    if (q->window == 0)
        return push_ordered(q, item, d);
    if (d < 0)
        return push_behind(q, item, (unsigned)-d);
    q->run = 0;
    if ((int32_t)(item->ts - q->newest_ts) > 0)
        q->newest_ts = item->ts;
    ext = q->next + (uint32_t)d;
    if (d == 0) {
        note_highest(q, ext);
        return set_ready(q, item, ext, q->gap_next);
    }
    if ((uint32_t)d >= q->window)
        return push_beyond(q, item, ext, false);
    if (store(q, item, ext, now_ms) == RTP_PUSH_DUPLICATE)
        return RTP_PUSH_DUPLICATE;
    q->received++;
    note_highest(q, ext);
    return RTP_PUSH_TAKEN;
}

/* ---- out ---- */

static void take_slot(struct rtp_queue *q, struct slot *s,
                      struct rtp_item *out)
{
    *out = (struct rtp_item){ .payload = s->payload,
                              .n = s->n,
                              .seq = (uint16_t)q->next,
                              .ts = s->ts,
                              .pt = s->pt,
                              .marker = s->marker,
                              .gap = q->gap_next,
                              .ext_seq = q->next,
                              .buf = s->buf };
    s->used = false;
    q->held--;
    q->hole = false;
    deliver(q, q->next);
}

/* The lowest number held and since when the hole below it shows. */
static void find_hole(struct rtp_queue *q, uint64_t now_ms)
{
    uint32_t ext = q->next, mask = q->window - 1;

    if (q->hole)
        return;
    while (!q->ring[ext & mask].used)
        ext++;
    q->hole = true;
    q->first = ext;
    q->since_ms =
        now_ms - ((uint32_t)now_ms - q->ring[ext & mask].at_ms);
}

static bool must_give_up(struct rtp_queue *q, uint64_t now_ms)
{
    find_hole(q, now_ms);
    return q->flushing || q->has_beyond ||
           now_ms - q->since_ms >= q->wait_ms;
}

static void give_up_hole(struct rtp_queue *q)
{
    q->count.lost += q->first - q->next;
    q->next = q->first;
    q->gap_next = true;
}

/* The ring is empty: the packet beyond it is the next one. */
static void take_beyond(struct rtp_queue *q, struct rtp_item *out)
{
    bool gap = q->beyond.ext_seq != q->next || q->gap_next;

    if (q->beyond_new) {
        start_interval(q, q->beyond.ext_seq);
        q->received = 1;
    } else {
        q->count.lost += q->beyond.ext_seq - q->next;
    }
    q->has_beyond = false;
    *out = q->beyond;
    out->gap = gap;
    deliver(q, out->ext_seq);
}

static bool pop_ring(struct rtp_queue *q, struct rtp_item *out,
                     uint64_t now_ms)
{
    struct slot *s = &q->ring[q->next & (q->window - 1)];

    if (!s->used) {
        if (!must_give_up(q, now_ms))
            return false;
        give_up_hole(q);
        s = &q->ring[q->next & (q->window - 1)];
    }
    take_slot(q, s, out);
    if (q->has_beyond && q->beyond.ext_seq - q->next < q->window) {
        q->has_beyond = false;
        store(q, &q->beyond, q->beyond.ext_seq, now_ms);
    }
    return true;
}

static bool pop(struct rtp_queue *q, struct rtp_item *out, uint64_t now_ms)
{
    if (q->has_ready) {
        q->has_ready = false;
        *out = q->ready;
        q->hole = false;
        deliver(q, out->ext_seq);
        return true;
    }
    if (q->held)
        return pop_ring(q, out, now_ms);
    if (q->has_beyond) {
        take_beyond(q, out);
        return true;
    }
    if (q->flushing) {
        q->flushing = q->started = false;
        q->gap_next = true;
    }
    return false;
}

bool rtp_queue_pop(struct rtp_queue *q, struct rtp_item *out, uint64_t now_ms)
{
    bool has;

    if (q->plain)
        return false;
    has = pop(q, out, now_ms);
    set_plain(q);
    return has;
}

uint64_t rtp_queue_deadline(const struct rtp_queue *q)
{
    if (q->has_ready || q->has_beyond || (q->held && q->flushing))
        return 0;
    if (q->held == 0)
        return GB_NEVER;
    return q->hole ? q->since_ms + q->wait_ms : 0;
}

void rtp_queue_flush(struct rtp_queue *q)
{
    catch_up(q);
    q->flushing = q->started;
    q->run = 0;
    q->has_transit = false;
    if (q->flushing && !q->held && !q->has_ready && !q->has_beyond) {
        q->flushing = q->started = false;
        q->gap_next = true;
    }
}

void rtp_queue_counters(const struct rtp_queue *q,
                        struct rtp_queue_counters *out)
{
    uint32_t n = q->plain ? q->next - 1 - q->highest : 0; /* to catch up */

    *out = q->count;
    out->received += n;
    out->delivered += n;
    out->jitter = q->jitter16 >> 4;
}

void rtp_queue_report(struct rtp_queue *q, uint32_t ssrc,
                      struct rtcp_block *out)
{
    uint32_t expected, in_interval;
    int64_t lost, lost_now;

    catch_up(q);
    set_plain(q);
    expected = q->ever ? q->highest - q->base + 1 : 0;
    in_interval = expected - q->prior_expected;
    lost = (int64_t)expected - q->received;
    lost_now = (int64_t)in_interval - (q->received - q->prior_received);
    *out = (struct rtcp_block){ .ssrc = ssrc,
                                .ext_seq = q->highest,
                                .jitter = q->jitter16 >> 4 };
    out->lost = lost > 0x7fffff    ? 0x7fffff
                : lost < -0x800000 ? -0x800000
                                   : (int32_t)lost;
    if (in_interval && lost_now > 0)
        out->fraction = (uint8_t)(lost_now >= (int64_t)in_interval
                                      ? 255
                                      : lost_now * 256 / in_interval);
    q->prior_expected = expected;
    q->prior_received = q->received;
}
