/* What an SDP body costs: a parse into struct sdp, and writing it. The mean of
 * an offer and an answer that devices were captured exchanging, with the lines
 * of GB/T 28181, each in many variants.
 *
 *     bench_sdp         figures, each beside the limit program in the same run
 *     bench_sdp -n N    every hot_NAME N times for each body, for callgrind:
 *                       --toggle-collect=hot_NAME */
#include <stdio.h>
#include <string.h>

#include "sdp/sdp.h"
#include "test/bench/corpus.h"
#include "test/bench/limit.h"
#include "test/bench/measure.h"

static struct bench_corpus corpus;
static struct sdp parsed;

int hot_sdp_parse(const struct bench_sample *s, unsigned n);
int hot_sdp_write(const struct bench_sample *s, unsigned n);
int hot_sdp_limit(const struct bench_sample *s, unsigned n);

BENCH_HOT int hot_sdp_parse(const struct bench_sample *s, unsigned n)
{
    int err = 0;

    for (unsigned i = 0; i < n; i++) {
        err |= sdp_parse(&parsed, s->variant[i % BENCH_VARIANTS], NULL);
        BENCH_KEEP(&parsed);
    }
    return err;
}

BENCH_HOT int hot_sdp_write(const struct bench_sample *s, unsigned n)
{
    static struct sdp kept;
    int err = sdp_parse(&kept, s->variant[0], NULL);

    for (unsigned i = 0; i < n; i++) {
        char text[1024];
        struct writer w = writer_of(text, sizeof(text));

        sdp_write(&w, &kept);
        err |= w.err;
        BENCH_KEEP(text);
    }
    return err;
}

BENCH_HOT int hot_sdp_limit(const struct bench_sample *s, unsigned n)
{
    int err = 0;

    for (unsigned i = 0; i < n; i++)
        err |= bench_limit_sdp(s->variant[i % BENCH_VARIANTS]);
    return err;
}

static void each(int (*hot)(const struct bench_sample *s, unsigned n),
                 unsigned rounds)
{
    for (unsigned k = 0; k < rounds; k++)
        for (size_t i = 0; i < BENCH_BODIES; i++)
            if (hot(&corpus.body[i], BENCH_VARIANTS))
                bench_fail(corpus.body[i].name);
}

static void parse(void *ctx, unsigned rounds)
{
    (void)ctx;
    each(hot_sdp_parse, rounds);
}

static void write_back(void *ctx, unsigned rounds)
{
    (void)ctx;
    each(hot_sdp_write, rounds);
}

static void limit(void *ctx, unsigned rounds)
{
    (void)ctx;
    each(hot_sdp_limit, rounds);
}

/* ---- another reading --------------------------------------------------- */

static bool line_is(const char *text, const char *prefix, struct slice got)
{
    const char *p = strstr(text, prefix);
    size_t n;

    if (!p)
        return got.n == 0;
    p += strlen(prefix);
    n = strcspn(p, "\r\n");
    return got.n == n && memcmp(got.p, p, n) == 0;
}

static bool number_is(const char *text, const char *prefix, uint64_t got)
{
    const char *p = strstr(text, prefix);
    uint64_t v = 0;

    for (p = p ? p + strlen(prefix) : ""; ascii_is_digit(*p); p++)
        v = v * 10 + (uint64_t)(*p - '0');
    return v == got;
}

static bool is_right(const char *text)
{
    const struct sdp_media *v = sdp_find_media(&parsed, SDP_VIDEO);

    return v && parsed.n_media == 1 && line_is(text, "\ns=", parsed.name) &&
           number_is(text, "\ny=", parsed.ssrc) &&
           line_is(text, "\nf=", parsed.format) &&
           number_is(text, "\nm=video ", v->port) && v->n_formats == 1 &&
           number_is(text, "\na=rtpmap:", v->formats[0].pt) &&
           strstr(text, "\na=rtpmap:96 PS/90000") != NULL &&
           slice_eq(v->formats[0].encoding, SLICE("PS"));
}

static void verify(void)
{
    for (size_t i = 0; i < BENCH_BODIES; i++)
        for (size_t k = 0; k < BENCH_VARIANTS; k++) {
            struct slice body = corpus.body[i].variant[k];

            if (sdp_parse(&parsed, body, NULL) || !is_right(body.p) ||
                bench_limit_sdp(body))
                bench_fail(corpus.body[i].name);
        }
}

int main(int argc, char **argv)
{
    const double n = BENCH_BODIES * BENCH_VARIANTS;
    struct bench_result r;
    uint32_t rounds;

    bench_corpus_load(&corpus);
    if (argc == 3 && strcmp(argv[1], "-n") == 0) {
        if (!slice_u32(slice_str(argv[2]), 10000000, &rounds))
            bench_fail("-n NUMBER");
        for (size_t i = 0; i < BENCH_BODIES; i++)
            if (hot_sdp_parse(&corpus.body[i], rounds) ||
                hot_sdp_write(&corpus.body[i], rounds) ||
                hot_sdp_limit(&corpus.body[i], rounds))
                bench_fail(corpus.body[i].name);
        return 0;
    }
    verify();
    bench_run(&r, parse, limit, NULL, n);
    bench_print_result("sdp.parse", &r);
    bench_run(&r, write_back, limit, NULL, n);
    bench_print_result("sdp.write", &r);
    return 0;
}
