/* A month of a hundred channels, a file every ten minutes, is listed channel by
 * channel from the index; beside it a walk over as many bytes in a row. */
#include <stdio.h>

#include "app/platform/archive.h"
#include "test/bench/measure.h"

#define CHANNELS 100
#define PER_CHANNEL (30 * 24 * 6)
#define LENGTH_MS 600000
#define T0 1700000000000ll

struct month {
    struct archive *archive;
    struct archive_segment *row; /* the same, in a row */
    uint64_t sum;
};

static struct slice name_of(char out[24], unsigned i)
{
    struct writer w = writer_of(out, 24);

    writer_f(&w, "3402000000132%07u", i);
    return writer_slice(&w);
}

static void fill(struct month *m)
{
    const struct archive_limits none = { 0 };
    char name[24];

    m->row = gb_get(&gb_alloc_heap,
                    CHANNELS * PER_CHANNEL * sizeof(*m->row));
    if (!m->row || archive_new(&m->archive, &gb_alloc_heap, &none))
        bench_fail("bench_archive: no memory");
    for (unsigned i = 0; i < CHANNELS * PER_CHANNEL; i++) {
        struct archive_segment s = {
            .begin_utc_ms = T0 + (int64_t)(i % PER_CHANNEL) * LENGTH_MS,
            .length_ms = LENGTH_MS, .bytes = 300000000,
        };

        m->row[i] = s;
        if (archive_put(m->archive, SLICE("34020000001180000001"),
                        name_of(name, i / PER_CHANNEL), &s))
            bench_fail("bench_archive: no memory");
    }
}

static void list(void *ctx, unsigned rounds)
{
    struct month *m = ctx;
    struct archive_segment s;
    struct archive_walk w;
    char name[24];

    while (rounds--)
        for (unsigned i = 0; i < CHANNELS; i++) {
            archive_walk(m->archive, SLICE("34020000001180000001"),
                         name_of(name, i), T0, T0 + 31ll * 86400000, &w);
            while (archive_next(&w, &s))
                m->sum += s.bytes;
        }
}

static void limit(void *ctx, unsigned rounds)
{
    struct month *m = ctx;

    while (rounds--)
        for (unsigned i = 0; i < CHANNELS * PER_CHANNEL; i++)
            m->sum += m->row[i].bytes;
}

int main(void)
{
    struct month m = { .sum = 0 };
    struct bench_result r;
    double s[BENCH_SAMPLES];

    fill(&m);
    bench_run(&r, list, limit, &m, 1);
    for (unsigned i = 0; i < BENCH_SAMPLES; i++)
        s[i] = r.ns[i] / 1e9;
    bench_print("rec.index.s", "s", 5, s, BENCH_SAMPLES);
    bench_print("rec.index.x", "ratio", 2, r.x, BENCH_SAMPLES);
    if (m.sum == 0)
        bench_fail("bench_archive: nothing was listed");
    archive_free(m.archive);
    gb_put(&gb_alloc_heap, m.row);
    return 0;
}
