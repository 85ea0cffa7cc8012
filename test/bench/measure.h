/* test/bench/measure.h - one figure: samples, median, ratio to the limit
 *
 * A figure is the median of BENCH_SAMPLES samples of thread CPU time. Each
 * sample of the work stands between two of the limit program, and its ratio is
 * to their mean: what the machine does to one it does to the other. */
#ifndef BENCH_MEASURE_H
#define BENCH_MEASURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BENCH_SAMPLES 15
#define BENCH_SAMPLE_NS 10e6 /* of CPU, at least: what one sample lasts */

/* Does the fixed unit of work this many times. */
typedef void bench_fn(void *ctx, unsigned rounds);

struct bench_result {
    double ns[BENCH_SAMPLES];       /* of one item of work */
    double limit_ns[BENCH_SAMPLES]; /* of the limit; 0 without one */
    double x[BENCH_SAMPLES];        /* ns / limit_ns */
};

/* CPU of this thread. */
double bench_cpu_ns(void);

/* items: how many items one round has. limit may be NULL. */
void bench_run(struct bench_result *r, bench_fn *work, bench_fn *limit,
               void *ctx, double items);

/* Sorts v. */
double bench_median(double *v, size_t n);

/* "# NAME raw V V V ...", then "figure NAME MEDIAN UNIT". Sorts v. */
void bench_print(const char *name, const char *unit, int decimals, double *v,
                 size_t n);

/* NAME.ns, and NAME.x when there was a limit. */
void bench_print_result(const char *name, struct bench_result *r);

/* Keeps the result of work that nobody reads. */
#define BENCH_KEEP(p) __asm__ __volatile__("" : : "g"(p) : "memory")

/* A function that is timed or counted by name: callgrind
 * --toggle-collect=NAME. */
#ifdef __clang__
#define BENCH_HOT __attribute__((noinline))
#else
#define BENCH_HOT __attribute__((noinline, noclone))
#endif

/* Prints and ends with 1. */
void bench_fail(const char *what) __attribute__((noreturn));
#endif
