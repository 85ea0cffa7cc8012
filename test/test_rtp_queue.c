/* The reorder window: scripts with names, and random packets against a sorted
 * array. */
#include "test/support.h"

#include "rtp/queue.h"

#include <stdio.h>
#include <stdlib.h>

static struct rtp_queue *queue(uint16_t window, uint16_t wait_ms)
{
    struct rtp_queue_options opt = { .window = window, .wait_ms = wait_ms };
    struct rtp_queue *q;

    assert_int_equal(rtp_queue_new(&q, &gb_alloc_heap, &opt), 0);
    return q;
}

/* Time rises with the number, over the wrap too. */
static uint32_t ts_of(uint16_t seq)
{
    return (uint32_t)(int16_t)seq * 10u;
}

static struct rtp_item item(uint16_t seq)
{
    return (struct rtp_item){ .seq = seq,
                              .ts = ts_of(seq),
                              .n = 3,
                              .pt = 96,
                              .buf = (void *)(uintptr_t)(seq + 1u) };
}

static enum rtp_push push(struct rtp_queue *q, uint16_t seq, uint64_t now_ms)
{
    struct rtp_item it = item(seq);

    return rtp_queue_push(q, &it, now_ms);
}

/* Appends "12 " for each packet, "!13 " when a gap is before it. */
static void drain(struct rtp_queue *q, uint64_t now_ms, char *text,
                  size_t cap)
{
    struct rtp_item it;

    while (rtp_queue_pop(q, &it, now_ms)) {
        size_t len = strlen(text);

        assert_true(it.buf == (void *)(uintptr_t)(it.seq + 1u));
        assert_int_equal((uint16_t)it.ext_seq, it.seq);
        assert_int_equal(it.ts, ts_of(it.seq));
        snprintf(text + len, cap - len, "%s%u ", it.gap ? "!" : "", it.seq);
    }
}

/* Steps: number = push it; -1 = 100 ms pass; -2 = flush. */
static void scripts(void **state)
{
    static const struct {
        const char *name;
        uint16_t window;
        int step[40];
        const char *want;
    } cases[] = {
        { "in order", 8, { 1, 2, 3, -9 }, "1 2 3 " },
        { "wraps", 8, { 65534, 65535, 0, 1, -9 }, "65534 65535 0 1 " },
        { "swapped", 8, { 1, 3, 2, 4, -9 }, "1 2 3 4 " },
        { "swapped over the wrap", 8, { 65535, 1, 0, -9 }, "65535 0 1 " },
        { "hole waits", 8, { 1, 3, 4, -1, -9 }, "1 " },
        { "hole given up", 8, { 1, 3, 4, -1, -1, -9 }, "1 !3 4 " },
        { "two holes", 8, { 1, 3, 5, -1, -1, -9 }, "1 !3 !5 " },
        { "the second hole is younger", 8, { 1, 3, -1, 5, -1, -9 }, "1 !3 " },
        { "late after giving up", 8, { 1, 3, -1, -1, 2, 4, -9 }, "1 !3 4 " },
        { "duplicates", 8, { 1, 1, 3, 3, 2, 2, -9 }, "1 2 3 " },
        { "fuller than the window", 4, { 1, 3, 4, 5, 6, 7, -9 },
          "1 !3 4 5 6 7 " },
        { "window advances one hole at a time", 4, { 1, 3, 5, 6, -9 },
          "1 !3 " },
        { "jump", 4, { 1, 3, 100, 101, -9 }, "1 !3 !100 101 " },
        { "wide jump", 4, { 1, 30000, 30001, -9 }, "1 !30000 30001 " },
        { "restart after 16", 8,
          { 1000, 1001, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19,
            20, 21, -9 },
          "1000 1001 !20 21 " },
        { "no restart when ours go on", 8,
          { 1000, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 1001, 16, 17, 18, 19,
            20, 21, -9 },
          "1000 1001 " },
        { "flush", 8, { 1, 3, -2, 900, 901, -9 }, "1 !3 !900 901 " },
        { "flush of nothing", 8, { -2, 7, 8, -9 }, "7 8 " },
        { "flush when empty", 8, { 1, -2, 7, 8, -9 }, "1 !7 8 " },
        { "tcp", 0, { 1, 2, 5, 6, 3, 4, -9 }, "1 2 !5 6 !3 4 " },
        { "tcp, one number for ever", 0, { 7, 7, 7, 7, -9 }, "7 7 7 7 " },
        { "tcp, wraps", 0, { 65535, 0, 2, -9 }, "65535 0 !2 " },
        { "window of one", 1, { 1, 2, 4, 5, 3, -9 }, "1 2 !4 5 " },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct rtp_queue *q = queue(cases[i].window, 200);
        char text[512] = "";
        uint64_t now_ms = 1000;

        for (const int *s = cases[i].step; *s != -9; s++) {
            if (*s == -1)
                now_ms += 100;
            else if (*s == -2)
                rtp_queue_flush(q);
            else
                push(q, (uint16_t)*s, now_ms);
            drain(q, now_ms, text, sizeof(text));
        }
        if (strcmp(text, cases[i].want) != 0)
            fail_msg("%s: \"%s\"", cases[i].name, text);
        rtp_queue_free(q);
    }
}

static void verdicts(void **state)
{
    struct rtp_queue *q = queue(8, 200);
    char text[64] = "";
    struct rtp_item it;

    (void)state;
    assert_int_equal(push(q, 10, 0), RTP_PUSH_TAKEN);
    assert_int_equal(push(q, 11, 0), RTP_PUSH_FULL);
    assert_true(rtp_queue_pop(q, &it, 0));
    assert_int_equal(push(q, 12, 0), RTP_PUSH_TAKEN);
    assert_int_equal(push(q, 12, 0), RTP_PUSH_DUPLICATE);
    assert_int_equal(push(q, 10, 0), RTP_PUSH_DUPLICATE);
    assert_int_equal(push(q, 9, 0), RTP_PUSH_LATE);
    assert_int_equal(push(q, 65246, 0), RTP_PUSH_FOREIGN);
    assert_int_equal(push(q, 500, 0), RTP_PUSH_TAKEN);
    assert_int_equal(push(q, 501, 0), RTP_PUSH_FULL);
    drain(q, 0, text, sizeof(text));
    assert_string_equal(text, "!12 !500 ");
    rtp_queue_flush(q);
    assert_int_equal(push(q, 7, 0), RTP_PUSH_TAKEN);
    rtp_queue_free(q);
}

static void deadlines(void **state)
{
    struct rtp_queue *q = queue(8, 200);
    char text[64] = "";

    (void)state;
    assert_true(rtp_queue_deadline(q) == GB_NEVER);
    push(q, 1, 1000);
    assert_true(rtp_queue_deadline(q) <= 1000);
    drain(q, 1000, text, sizeof(text));
    assert_true(rtp_queue_deadline(q) == GB_NEVER);
    push(q, 3, 1010);
    drain(q, 1010, text, sizeof(text));
    assert_true(rtp_queue_deadline(q) == 1210);
    push(q, 5, 1050);
    drain(q, 1209, text, sizeof(text));
    assert_true(rtp_queue_deadline(q) == 1210);
    assert_string_equal(text, "1 ");
    drain(q, 1210, text, sizeof(text));
    assert_string_equal(text, "1 !3 ");
    assert_true(rtp_queue_deadline(q) == 1250);
    drain(q, 1250, text, sizeof(text));
    assert_true(rtp_queue_deadline(q) == GB_NEVER);
    rtp_queue_free(q);
}

static void numbers_grow(void **state)
{
    struct rtp_queue *q = queue(8, 200);
    uint32_t last = 0;
    struct rtp_item it;

    (void)state;
    for (unsigned i = 1; i < 200000; i++) {
        push(q, (uint16_t)i, i);
        assert_true(rtp_queue_pop(q, &it, i));
        assert_int_equal(it.ext_seq, i);
        last = it.ext_seq;
    }
    rtp_queue_flush(q);
    push(q, 3, 300000);
    assert_true(rtp_queue_pop(q, &it, 300000));
    assert_true(it.gap && it.ext_seq > last && (uint16_t)it.ext_seq == 3);
    rtp_queue_free(q);
}

static void counting(void **state)
{
    struct rtp_queue *q = queue(16, 200);
    struct rtp_queue_counters c;
    struct rtcp_block b;
    char text[256] = "";
    static const uint16_t in[] = { 1, 2, 4, 3, 5, 5, 8, 9, 10 };

    (void)state;
    for (size_t i = 0; i < COUNT(in); i++) {
        push(q, in[i], 1000 + i);
        drain(q, 1000 + i, text, sizeof(text));
    }
    drain(q, 2000, text, sizeof(text));
    assert_string_equal(text, "1 2 3 4 5 !8 9 10 ");
    rtp_queue_counters(q, &c);
    assert_int_equal(c.received, 9);
    assert_int_equal(c.delivered, 8);
    assert_int_equal(c.lost, 2);
    assert_int_equal(c.duplicate, 1);
    assert_int_equal(c.reordered, 1);
    rtp_queue_report(q, 77, &b);
    assert_int_equal(b.ssrc, 77);
    assert_int_equal(b.ext_seq, 10);
    assert_int_equal(b.lost, 1); /* 10 expected, 9 with the duplicate */
    assert_int_equal(b.fraction, 25);
    rtp_queue_report(q, 77, &b);
    assert_int_equal(b.fraction, 0);
    rtp_queue_free(q);
}

/* RFC 3550 A.8: a steady stream has none, a swinging one its swing. */
static void jitter(void **state)
{
    struct rtp_queue_options opt = { .window = 8 };
    struct rtp_queue_counters c;
    struct rtp_queue *q;
    struct rtp_item it;

    (void)state;
    assert_int_equal(rtp_queue_new(&q, &gb_alloc_heap, &opt), 0);
    for (unsigned i = 0; i < 1000; i++) {
        it = item((uint16_t)i);
        it.ts = i * 3600;
        rtp_queue_push(q, &it, 5000 + i * 40);
        while (rtp_queue_pop(q, &it, 5000 + i * 40))
            continue;
    }
    rtp_queue_counters(q, &c);
    assert_int_equal(c.jitter, 0);
    for (unsigned i = 1000; i < 3000; i++) {
        it = item((uint16_t)i);
        it.ts = i * 3600 + (i == 2900 ? 1u << 30 : 0); /* a clock is set */
        rtp_queue_push(q, &it, 5000 + i * 40 + (i & 1) * 10);
        while (rtp_queue_pop(q, &it, 5000 + i * 40 + (i & 1) * 10))
            continue;
    }
    rtp_queue_counters(q, &c);
    assert_in_range(c.jitter, 850, 950); /* 10 ms are 900 */
    rtp_queue_free(q);
}

static void memory(void **state)
{
    struct rtp_queue_options opt = { .window = 512 };
    struct failing_alloc f;
    struct rtp_queue *q;

    (void)state;
    failing_alloc_init(&f, 1);
    assert_int_equal(rtp_queue_new(&q, &f.alloc, &opt), GB_ENOMEM);
    failing_alloc_init(&f, 2);
    assert_int_equal(rtp_queue_new(&q, &f.alloc, &opt), 0);
    rtp_queue_free(q);
    assert_int_equal(f.live, 0);
    opt.window = RTP_QUEUE_MAX_WINDOW + 1;
    assert_int_equal(rtp_queue_new(&q, &f.alloc, &opt), GB_ERANGE);
    rtp_queue_free(NULL);
}

/* Numbers that begin again a little behind: repeats have their old times, the
 * packets of an encoder that has restarted have new ones. */
static void begins_again_nearby(void **state)
{
    static const struct {
        const char *name;
        int32_t time; /* of the repeated number 1, after that of 100 */
        unsigned row; /* so many, then one that is in order */
        unsigned want_taken;
    } cases[] = {
        { "repeats", -99, 40, 0 },
        { "the same time", 0, 40, 0 },
        { "a restart", 1, 40, 40 - (RTP_QUEUE_RESTART - 1) },
        { "not in a row", 1, 8, 0 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct rtp_queue *q = queue(32, 200);
        struct rtp_queue_counters n;
        unsigned taken = 0, behind = 100;
        struct rtp_item it, out;

        for (uint16_t seq = 0; seq <= behind; seq++) {
            push(q, seq, 1000);
            while (rtp_queue_pop(q, &out, 1000))
                ;
        }
        for (unsigned k = 0; k < 40; k++) {
            it = item((uint16_t)(1 + k));
            it.ts = ts_of((uint16_t)behind) + (uint32_t)cases[i].time +
                    k % cases[i].row;
            if (cases[i].time < 0)
                it.ts = ts_of(it.seq);
            if (cases[i].time == 0)
                it.ts = ts_of((uint16_t)behind);
            taken += rtp_queue_push(q, &it, 1000) == RTP_PUSH_TAKEN;
            while (rtp_queue_pop(q, &out, 1000))
                ;
            if (k % cases[i].row + 1 < cases[i].row)
                continue;
            if (cases[i].row < 40)
                push(q, (uint16_t)++behind, 1000);
            while (rtp_queue_pop(q, &out, 1000))
                ;
        }
        rtp_queue_counters(q, &n);
        if (taken != cases[i].want_taken ||
            n.restarts != (cases[i].want_taken != 0))
            fail_msg("%s: %u taken, %u restarts", cases[i].name, taken,
                     (unsigned)n.restarts);
        rtp_queue_free(q);
    }
}

/* ---- the model ---- */

#define MODEL_WINDOW 32

/* What is held, sorted; numbers are not wrapped. */
struct model {
    uint32_t next;
    bool started;
    size_t n;
    struct {
        uint32_t ext;
        uint64_t at_ms;
    } held[MODEL_WINDOW + 1];
    uint64_t since_ms;
    char *text;
    size_t cap;
};

static void model_out(struct model *m, uint32_t ext)
{
    size_t len = strlen(m->text);

    snprintf(m->text + len, m->cap - len, "%s%u ",
             ext != m->next && m->started ? "!" : "", (uint16_t)ext);
    m->next = ext + 1;
    m->started = true;
}

static void model_shift(struct model *m)
{
    model_out(m, m->held[0].ext);
    memmove(m->held, m->held + 1, --m->n * sizeof(m->held[0]));
    if (m->n)
        m->since_ms = m->held[0].at_ms;
}

static bool model_insert(struct model *m, uint32_t ext, uint64_t now_ms)
{
    size_t i = m->n;

    for (size_t k = 0; k < m->n; k++)
        if (m->held[k].ext == ext)
            return false;
    for (; i > 0 && m->held[i - 1].ext > ext; i--)
        m->held[i] = m->held[i - 1];
    m->held[i].ext = ext;
    m->held[i].at_ms = now_ms;
    if (m->n++ == 0)
        m->since_ms = now_ms;
    return true;
}

static bool model_push(struct model *m, uint32_t ext, uint64_t now_ms)
{
    if (m->started && ext < m->next)
        return false;
    if (!m->started || ext == m->next) {
        model_out(m, ext);
        if (m->n)
            m->since_ms = m->held[0].at_ms;
    } else {
        while (m->n && ext - m->next >= MODEL_WINDOW)
            model_shift(m);
        if (m->n == 0 && ext - m->next >= MODEL_WINDOW)
            model_out(m, ext);
        else if (!model_insert(m, ext, now_ms))
            return false;
    }
    return true;
}

static void model_drain(struct model *m, uint64_t now_ms)
{
    while (m->n && (m->held[0].ext == m->next || now_ms - m->since_ms >= 200))
        model_shift(m);
}

/* By rtp_queue_pass where it may be; else by push. */
static bool offer(struct rtp_queue *q, uint16_t seq, uint64_t now_ms,
                  char *text, size_t cap)
{
    struct rtp_item it = item(seq);
    size_t len = strlen(text);

    if (!rtp_queue_pass(q, &it, now_ms))
        return push(q, seq, now_ms) == RTP_PUSH_TAKEN;
    assert_int_equal((uint16_t)it.ext_seq, seq);
    snprintf(text + len, cap - len, "%s%u ", it.gap ? "!" : "", seq);
    return true;
}

static void model_round(uint64_t seed)
{
    static char want[1 << 16], got[1 << 16];
    uint64_t r = seed, now_ms = 1000;
    struct rtp_queue *q = queue(MODEL_WINDOW, 200);
    struct model m = { .text = want, .cap = sizeof(want) };
    uint32_t head = 60000 + (uint32_t)(test_random(&r) % 6000);

    want[0] = got[0] = '\0';
    for (unsigned i = 0; i < 600; i++) {
        uint64_t x = test_random(&r);
        uint32_t ext = head, y = (uint32_t)(x >> 8) & 0xffff;
        bool taken;

        switch (x & 15) {
        case 0: /* lost */
            head += 1 + y % 3;
            continue;
        case 1: /* again, or late */
            ext = head - 1 - y % 40;
            break;
        case 2: /* early */
            ext = head + y % 60;
            break;
        case 3: /* swapped */
            head += 2;
            ext = head - 1;
            taken = offer(q, (uint16_t)ext, now_ms, got, sizeof(got));
            if (taken != model_push(&m, ext, now_ms))
                fail_msg("seed %llu step %u", (unsigned long long)seed, i);
            model_drain(&m, now_ms);
            drain(q, now_ms, got, sizeof(got));
            ext = head - 2;
            break;
        default:
            head++;
            break;
        }
        if (ext < 59900)
            continue;
        now_ms += (x >> 16) % 4 ? 0 : (x >> 20) % 100;
        model_drain(&m, now_ms);
        drain(q, now_ms, got, sizeof(got));
        taken = offer(q, (uint16_t)ext, now_ms, got, sizeof(got));
        if (taken != model_push(&m, ext, now_ms))
            fail_msg("seed %llu step %u: %u", (unsigned long long)seed, i,
                     ext);
        model_drain(&m, now_ms);
        drain(q, now_ms, got, sizeof(got));
        if (strcmp(want, got) != 0)
            fail_msg("seed %llu step %u:\n%s\n%s", (unsigned long long)seed,
                     i, want, got);
    }
    rtp_queue_free(q);
}

/* What passes by is counted and timed as what is pushed and popped. */
static void passes(void **state)
{
    static const uint16_t windows[] = { 0, 8 };
    static const uint16_t in[] = { 7, 8, 9, 12, 13, 10, 14, 14, 15 };

    (void)state;
    for (size_t w = 0; w < COUNT(windows); w++) {
        struct rtp_queue *a = queue(windows[w], 200), *b = queue(windows[w], 200);
        char one[128] = "", other[128] = "";
        struct rtp_queue_counters ca, cb;
        struct rtcp_block ra, rb;

        for (size_t i = 0; i < COUNT(in); i++) {
            offer(a, in[i], 1000 + 7 * i, one, sizeof(one));
            drain(a, 1000 + 7 * i, one, sizeof(one));
            push(b, in[i], 1000 + 7 * i);
            drain(b, 1000 + 7 * i, other, sizeof(other));
            assert_true(rtp_queue_deadline(a) == rtp_queue_deadline(b));
        }
        assert_string_equal(one, other);
        rtp_queue_counters(a, &ca);
        rtp_queue_counters(b, &cb);
        assert_memory_equal(&ca, &cb, sizeof(ca));
        rtp_queue_report(a, 1, &ra);
        rtp_queue_report(b, 1, &rb);
        assert_true(ra.lost == rb.lost && ra.ext_seq == rb.ext_seq &&
                    ra.fraction == rb.fraction && ra.jitter == rb.jitter);
        rtp_queue_free(a);
        rtp_queue_free(b);
    }
}

/* Whatever comes: what may pass by, and what is always pushed and popped. */
static void twins(uint64_t seed, uint16_t window)
{
    static char one[1 << 15], other[1 << 15];
    struct rtp_queue *a = queue(window, 200), *b = queue(window, 200);
    uint64_t r = seed, now_ms = 1000;
    uint16_t seq = (uint16_t)test_random(&r);

    one[0] = other[0] = '\0';
    for (unsigned i = 0; i < 2000; i++) {
        uint64_t x = test_random(&r);
        struct rtp_queue_counters ca, cb;
        struct rtcp_block ra, rb;
        uint16_t at = seq;

        if (x % 16 == 0)
            at = (uint16_t)(seq - 3 + (x >> 8) % 12);
        else if (x % 512 == 1)
            at = seq = (uint16_t)(x >> 8);
        else
            seq++;
        now_ms += x % 128 == 2 ? 250 : (x >> 32) % 40;
        if (x % 256 == 3) {
            rtp_queue_flush(a);
            rtp_queue_flush(b);
        }
        drain(a, now_ms, one, sizeof(one));
        drain(b, now_ms, other, sizeof(other));
        offer(a, at, now_ms, one, sizeof(one));
        push(b, at, now_ms);
        drain(a, now_ms, one, sizeof(one));
        drain(b, now_ms, other, sizeof(other));
        rtp_queue_counters(a, &ca);
        rtp_queue_counters(b, &cb);
        assert_memory_equal(&ca, &cb, sizeof(ca));
        assert_true(rtp_queue_deadline(a) == rtp_queue_deadline(b));
        if (x % 64 != 5)
            continue;
        rtp_queue_report(a, 1, &ra);
        rtp_queue_report(b, 1, &rb);
        assert_true(ra.lost == rb.lost && ra.ext_seq == rb.ext_seq &&
                    ra.fraction == rb.fraction && ra.jitter == rb.jitter);
        assert_string_equal(one, other);
        one[0] = other[0] = '\0';
    }
    assert_string_equal(one, other);
    rtp_queue_free(a);
    rtp_queue_free(b);
}

static void passes_as_pushed(void **state)
{
    static const uint16_t windows[] = { 0, 1, 8, 512 };

    (void)state;
    for (uint64_t seed = 1; seed <= 40; seed++)
        twins(seed * 0x9e3779b97f4a7c15ull, windows[seed % COUNT(windows)]);
}

static void model(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 300; seed++)
        model_round(seed * 0x9e3779b97f4a7c15ull);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scripts),      cmocka_unit_test(verdicts),
        cmocka_unit_test(deadlines),    cmocka_unit_test(numbers_grow),
        cmocka_unit_test(counting),     cmocka_unit_test(jitter),
        cmocka_unit_test(memory),       cmocka_unit_test(begins_again_nearby),
        cmocka_unit_test(passes),       cmocka_unit_test(passes_as_pushed),
        cmocka_unit_test(model),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
