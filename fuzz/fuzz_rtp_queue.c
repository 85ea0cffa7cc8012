/* A script of packets and pauses: what is taken comes out once, in order, and
 * no later than its time; what a gap mark does not cover is complete. A twin is
 * given the same, and lets pass by what may: it counts the same. */
#include "fuzz/fuzz.h"
#include "fuzz/memory.h"

#include "rtp/queue.h"

#include <stdlib.h>
#include <string.h>

#define MAX_STEPS 4096

static uint8_t taken[MAX_STEPS]; /* 1: inside, 2: has come out */

struct check {
    bool any;
    uint32_t last;
    unsigned held;
    bool tcp;
};

static void drain(struct rtp_queue *q, struct check *c, uint64_t now_ms)
{
    struct rtp_item it;

    while (rtp_queue_pop(q, &it, now_ms)) {
        size_t id = (size_t)(uintptr_t)it.buf;

        if (id >= MAX_STEPS || taken[id] != 1)
            abort();
        taken[id] = 2;
        c->held--;
        if (c->any && !(c->tcp && it.ext_seq == c->last)) {
            if ((int32_t)(it.ext_seq - c->last) <= 0)
                abort();
            if (!it.gap && it.ext_seq != c->last + 1)
                abort();
        }
        c->any = true;
        c->last = it.ext_seq;
    }
    if (c->held && rtp_queue_deadline(q) <= now_ms)
        abort(); /* it would spin */
    if (!c->held && rtp_queue_deadline(q) != GB_NEVER)
        abort();
}

/* The twin: what comes out of it is only counted. */
static void give_twin(struct rtp_queue *q, struct rtp_item it, uint64_t now_ms)
{
    if (!rtp_queue_pass(q, &it, now_ms))
        rtp_queue_push(q, &it, now_ms);
    while (rtp_queue_pop(q, &it, now_ms))
        ;
}

static void compare(struct rtp_queue *a, struct rtp_queue *b, bool report)
{
    struct rtp_queue_counters ca, cb;
    struct rtcp_block ra, rb;

    rtp_queue_counters(a, &ca);
    rtp_queue_counters(b, &cb);
    if (memcmp(&ca, &cb, sizeof(ca)) ||
        rtp_queue_deadline(a) != rtp_queue_deadline(b))
        abort();
    if (!report)
        return;
    rtp_queue_report(a, 1, &ra);
    rtp_queue_report(b, 1, &rb);
    if (ra.lost != rb.lost || ra.fraction != rb.fraction ||
        ra.ext_seq != rb.ext_seq || ra.jitter != rb.jitter)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rtp_queue_options opt = { .window = 16, .wait_ms = 50 };
    struct rtp_queue *q, *twin;
    struct check c = { 0 };
    uint64_t now_ms = 1000;
    uint16_t seq = 0;

    if (size < 1)
        return 0;
    opt.window = data[0] & 0x3f;
    c.tcp = opt.window == 0;
    memory_begin(0);
    if (rtp_queue_new(&q, &memory_alloc, &opt))
        return 0;
    if (rtp_queue_new(&twin, &memory_alloc, &opt)) {
        rtp_queue_free(q);
        return 0;
    }
    memset(taken, 0, sizeof(taken));
    for (size_t i = 1; i + 1 < size && i / 2 < MAX_STEPS; i += 2) {
        struct rtp_item it = { .buf = (void *)(uintptr_t)(i / 2) };

        switch (data[i] >> 6) {
        case 0: /* near ahead or behind */
            seq = (uint16_t)(seq + (int8_t)data[i + 1] / 4);
            break;
        case 1: /* anywhere */
            seq = (uint16_t)(data[i] << 10 | data[i + 1] << 2);
            break;
        case 2:
            now_ms += data[i + 1];
            drain(q, &c, now_ms);
            while (rtp_queue_pop(twin, &it, now_ms))
                ;
            if (data[i] & 1) {
                rtp_queue_flush(q);
                rtp_queue_flush(twin);
            }
            drain(q, &c, now_ms);
            while (rtp_queue_pop(twin, &it, now_ms))
                ;
            compare(q, twin, data[i] & 2);
            continue;
        default:
            seq++;
            break;
        }
        it.seq = seq;
        if (rtp_queue_push(q, &it, now_ms) == RTP_PUSH_TAKEN) {
            taken[i / 2] = 1;
            c.held++;
        }
        drain(q, &c, now_ms);
        give_twin(twin, it, now_ms);
        compare(q, twin, false);
        if (c.held > (opt.window ? 64 : 0))
            abort();
    }
    rtp_queue_flush(q);
    drain(q, &c, now_ms);
    if (c.held)
        abort();
    rtp_queue_free(q);
    rtp_queue_free(twin);
    memory_end();
    return 0;
}
