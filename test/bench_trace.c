/* What keeping a message costs: one that is stored, a keepalive that is folded
 * with its answer; and a query of one device in a full ring.
 *
 *     bench_trace       figures; thread CPU time, median of BENCH_SAMPLES */
#include <stdio.h>
#include <string.h>

#include "app/trace/ring.h"
#include "test/bench/measure.h"
#include "test/trace_vec.h"

#define ROUND 20000
#define DEVICES 100

struct message {
    char text[4096];
    struct slice s;
    enum trace_dir dir;
};

static struct message stored[DEVICES], pairs[2 * DEVICES];

static void write_messages(void)
{
    for (int i = 0; i < DEVICES; i++) {
        struct message *m = &pairs[2 * i];
        char id[24], call[24];

        snprintf(id, sizeof(id), "340200000013200%05d", i);
        snprintf(call, sizeof(call), "s%d", i);
        stored[i].s = vec_request(stored[i].text, "REGISTER", id, id, call, 1,
                                  "Contact: <sip:x@192.0.2.10:5060>\r\n"
                                  "Expires: 3600\r\nMax-Forwards: 70\r\n", "");
        m[0].s = vec_request(m[0].text, "MESSAGE", id, OUR_ID, call, 1, "",
                             KEEPALIVE_BODY);
        m[1].s = vec_response(m[1].text, 200, "MESSAGE", id, OUR_ID, call, 1);
        m[1].dir = TRACE_OUT;
    }
}

static void run(const char *figure, struct trace *t, const struct message *m,
                int n)
{
    struct sip_peer peer = vec_peer(SIP_UDP, "192.0.2.1:5060",
                                    "192.0.2.10:5060");
    double ns[BENCH_SAMPLES];

    for (int i = 0; i < BENCH_SAMPLES; i++) {
        double from = bench_cpu_ns();

        for (int k = 0; k < ROUND; k++) {
            const struct message *x = &m[k % n];
            struct gb_time now = { (uint64_t)k, 1700000000000 + k };

            trace_put(t, x->dir, &peer, x->s, now);
        }
        ns[i] = (bench_cpu_ns() - from) / ROUND;
    }
    bench_print(figure, "ns", 0, ns, BENCH_SAMPLES);
}

static void query(const struct trace *t)
{
    const struct trace_query q = { .device = SLICE("34020000001320000007") };
    static uint64_t pos[1000];
    double from = bench_cpu_ns();
    size_t total;

    for (int i = 0; i < 100; i++)
        trace_find(t, &q, pos, 1000, &total);
    printf("figure trace.query.us %.1f us\n", (bench_cpu_ns() - from) / 100 / 1000);
}

int main(void)
{
    const struct trace_config cfg = { .alloc = &gb_alloc_heap,
                                      .memory_bytes = 8 << 20, .id = OUR_ID };
    struct trace *t;

    write_messages();
    if (trace_new(&t, &cfg))
        return 1;
    run("trace.keepalive.ns", t, pairs, 2 * DEVICES);
    run("trace.stored.ns", t, stored, DEVICES);
    query(t);
    trace_free(t);
    return 0;
}
