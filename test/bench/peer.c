/* test/bench/peer.c - times a library on the corpus beside the limit; fields
 * verified before, as ours are */
#include "test/bench/peer.h"

#include <stdio.h>

#include "test/bench/limit.h"
#include "test/bench/measure.h"

static struct bench_corpus corpus;
static struct bench_fields out;

static void extract(void *ctx, unsigned rounds)
{
    bench_extract_fn **fn = ctx;

    for (unsigned k = 0; k < rounds; k++)
        for (size_t i = 0; i < BENCH_MESSAGES; i++)
            for (size_t v = 0; v < BENCH_VARIANTS; v++)
                if ((*fn)(corpus.message[i].variant[v], &out))
                    bench_fail(corpus.message[i].name);
}

static void limit(void *ctx, unsigned rounds)
{
    bench_extract_fn *fn = bench_limit_sip;

    (void)ctx;
    extract(&fn, rounds);
}

static void bodies(int (*fn)(struct slice body), unsigned rounds)
{
    for (unsigned k = 0; k < rounds; k++)
        for (size_t i = 0; i < BENCH_BODIES; i++)
            for (size_t v = 0; v < BENCH_VARIANTS; v++)
                if (fn(corpus.body[i].variant[v]))
                    bench_fail(corpus.body[i].name);
}

static void sdp(void *ctx, unsigned rounds)
{
    (void)ctx;
    bodies(bench_peer.sdp, rounds);
}

static void sdp_limit(void *ctx, unsigned rounds)
{
    (void)ctx;
    bodies(bench_limit_sdp, rounds);
}

int main(void)
{
    struct bench_result r;
    bench_extract_fn *fn = bench_peer.extract;
    char name[64];

    bench_corpus_load(&corpus);
    if (bench_peer.init && bench_peer.init())
        bench_fail(bench_peer.name);
    bench_corpus_verify(&corpus, bench_peer.name, fn);
    bench_run(&r, extract, limit, &fn, BENCH_MESSAGES * BENCH_VARIANTS);
    snprintf(name, sizeof(name), "%s.extract", bench_peer.name);
    bench_print_result(name, &r);
    for (size_t i = 0; i < BENCH_BODIES; i++)
        if (bench_peer.sdp(corpus.body[i].variant[0])) {
            printf("# %s does not read SDP with the lines of GB/T 28181\n",
                   bench_peer.name);
            return 0;
        }
    bench_run(&r, sdp, sdp_limit, NULL, BENCH_BODIES * BENCH_VARIANTS);
    snprintf(name, sizeof(name), "%s.sdp", bench_peer.name);
    bench_print_result(name, &r);
    return 0;
}
