#include "test/bench/measure.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

double bench_cpu_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static double sample(bench_fn *fn, void *ctx, unsigned rounds)
{
    double begin = bench_cpu_ns();

    fn(ctx, rounds);
    return (bench_cpu_ns() - begin) / rounds;
}

/* So many rounds that a sample lasts; warms the caches on the way. */
static unsigned calibrate(bench_fn *fn, void *ctx)
{
    unsigned rounds = 1;
    double ns;

    while ((ns = sample(fn, ctx, rounds) * rounds) < BENCH_SAMPLE_NS / 4)
        rounds *= 2;
    return (unsigned)(rounds * BENCH_SAMPLE_NS / ns) + 1;
}

void bench_run(struct bench_result *r, bench_fn *work, bench_fn *limit,
               void *ctx, double items)
{
    unsigned n_limit = limit ? calibrate(limit, ctx) : 0;
    unsigned n_work = calibrate(work, ctx);
    double before = limit ? sample(limit, ctx, n_limit) : 0;

    for (size_t i = 0; i < BENCH_SAMPLES; i++) {
        double ns = sample(work, ctx, n_work);
        double after = limit ? sample(limit, ctx, n_limit) : 0;

        r->ns[i] = ns / items;
        r->limit_ns[i] = (before + after) / 2 / items;
        r->x[i] = limit ? r->ns[i] / r->limit_ns[i] : 0;
        before = after;
    }
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

double bench_median(double *v, size_t n)
{
    qsort(v, n, sizeof(*v), by_value);
    return n % 2 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2;
}

void bench_print(const char *name, const char *unit, int decimals, double *v,
                 size_t n)
{
    printf("# %s raw", name);
    for (size_t i = 0; i < n; i++)
        printf(" %.*f", decimals, v[i]);
    printf("\nfigure %s %.*f %s\n", name, decimals, bench_median(v, n), unit);
    fflush(stdout);
}

void bench_print_result(const char *name, struct bench_result *r)
{
    char text[64];

    snprintf(text, sizeof(text), "%s.ns", name);
    bench_print(text, "ns", 1, r->ns, BENCH_SAMPLES);
    if (r->limit_ns[0] <= 0)
        return;
    snprintf(text, sizeof(text), "%s.limit.ns", name);
    bench_print(text, "ns", 1, r->limit_ns, BENCH_SAMPLES);
    snprintf(text, sizeof(text), "%s.x", name);
    bench_print(text, "ratio", 2, r->x, BENCH_SAMPLES);
}

void bench_fail(const char *what)
{
    fprintf(stderr, "bench: %s\n", what);
    exit(1);
}
