/* Phases in samples, and their figures. */
#include "tools/load/load.h"

#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

static const char *const phase_name[PHASE_COUNT] = {
    "ask", "contact", "refresh", "login", "keepalive", "hold", "settle",
};

/* What the figure of a phase is called behind --name. */
static const char *const figure_name[PHASE_COUNT] = {
    "ask", "contact", "register", "login", "keepalive", "hold", "settle",
};

/* How many may have begun by now; rate 0: any number. */
static uint64_t allowed(const struct load *l, uint64_t begin_ns, uint32_t rate)
{
    if (rate == 0)
        return l->target;
    return (uint64_t)((double)(load_now_ns() - begin_ns) / 1e9 * rate) + 1;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static void print_raw(const struct load *l, const char *what, const char *unit,
                      double *v)
{
    size_t n = l->o.samples;
    const char *phase = figure_name[l->phase];

    printf("# %s.%s.%s raw", l->o.name, phase, what);
    for (size_t i = 0; i < n; i++)
        printf(" %.2f", v[i]);
    qsort(v, n, sizeof(v[0]), by_value);
    printf("\nfigure %s.%s.%s %.2f %s\n", l->o.name, phase, what,
           n % 2 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2, unit);
}

static void print_summary(struct load *l, const struct samples *v)
{
    size_t kept = (size_t)(l->n_latencies < LATENCIES ? l->n_latencies
                                                      : LATENCIES);

    qsort(l->latency_us, kept, sizeof(double), by_value);
    printf("# %s.%s: %llu transactions in %.1f s; %llu sent again, %llu stale, "
           "%llu queries; half within %.0f us, 99 %% within %.0f us; server "
           "CPU %.1f s, RSS %.1f MiB\n",
           l->o.name, figure_name[l->phase], (unsigned long long)l->done,
           v->wall_s, (unsigned long long)l->resent,
           (unsigned long long)l->stale, (unsigned long long)l->asked,
           kept ? l->latency_us[kept / 2] : 0,
           kept ? l->latency_us[kept * 99 / 100] : 0, v->cpu_s,
           load_server_rss_mib(&l->o));
    if (l->bad)
        printf("# %s.%s: %llu bad answers, the last one %u: no figure\n",
               l->o.name, figure_name[l->phase], (unsigned long long)l->bad,
               l->bad_status);
}

static void print_phase(struct load *l, struct samples *v)
{
    print_summary(l, v);
    if (l->bad || l->o.n_pids == 0 || l->phase == PHASE_ASK)
        return;
    if (l->phase == PHASE_HOLD) {
        printf("figure %s.cpu.percent %.2f %%\nfigure %s.rss.mib %.1f MiB\n",
               l->o.name, v->cpu_s / v->wall_s * 100, l->o.name,
               load_server_rss_mib(&l->o));
        return;
    }
    print_raw(l, "us", "us", v->us);
    if (!l->o.floor_pid)
        return;
    print_raw(l, "floor.us", "us", v->floor_us);
    print_raw(l, "x", "ratio", v->x);
}

static void begin_phase(struct load *l, enum phase phase)
{
    l->phase = phase;
    l->begun = l->done = l->target = l->resent = l->stale = l->bad = 0;
    l->asked = l->n_latencies = 0;
    l->next = 0;
}

/* n transactions more. begin_ns: when the phase began, for the rate. */
static int run_some(struct load *l, uint64_t n, uint64_t begin_ns,
                    uint32_t rate)
{
    l->target += n;
    while (l->done < l->target) {
        uint64_t now;

        load_turn(l, allowed(l, begin_ns, rate));
        now = load_now_ns();
        if (now - l->scan_ns > T1_NS / 5) {
            l->scan_ns = now;
            load_resend(l);
        }
        if (l->lost || now - begin_ns > l->o.seconds * 1000000000ull) {
            printf("# %s: %s after %llu transactions\n", phase_name[l->phase],
                   l->lost ? "no answer" : "out of time",
                   (unsigned long long)l->done);
            return 1;
        }
    }
    return 0;
}

/* CPU us of one transaction of the floor; a login is two of them. */
static double floor_us(struct load *f, enum phase phase)
{
    uint64_t cpu;

    if (phase != f->phase)
        begin_phase(f, phase);
    cpu = load_server_ns(&f->o);
    if (run_some(f, FLOOR_COUNT, load_now_ns(), 0) || f->bad)
        load_die("the floor does not answer");
    return (double)(load_server_ns(&f->o) - cpu) / 1e3 / FLOOR_COUNT *
           (phase == PHASE_LOGIN ? 2 : 1);
}

/* n transactions in o.samples samples. What the server does between them, it
 * does for them too. f: the floor, or NULL. */
static int run_phase(struct load *l, struct load *f, enum phase phase,
                     uint64_t n, uint32_t rate)
{
    static struct samples v;
    uint64_t begin = load_now_ns(), next;
    uint64_t first = load_server_ns(&l->o), cpu = first;
    double before = f ? floor_us(f, phase) : 0;

    begin_phase(l, phase);
    for (size_t i = 0; i < l->o.samples; i++) {
        uint64_t some = n * (i + 1) / l->o.samples - n * i / l->o.samples;
        double after;

        if (run_some(l, some, begin, rate))
            return 1;
        next = load_server_ns(&l->o);
        after = f ? floor_us(f, phase) : 0;
        v.us[i] = (double)(next - cpu) / 1e3 / (double)some;
        v.floor_us[i] = (before + after) / 2;
        v.x[i] = f ? v.us[i] / v.floor_us[i] : 0;
        before = after;
        cpu = next;
    }
    v.wall_s = (double)(load_now_ns() - begin) / 1e9;
    v.cpu_s = (double)(load_server_ns(&l->o) - first) / 1e9;
    print_phase(l, &v);
    fflush(stdout);
    return l->bad ? 1 : 0;
}

static int settle(struct load *l)
{
    uint64_t begin = load_now_ns(), end = begin + l->o.seconds * 1000000000ull;
    uint64_t cpu = load_server_ns(&l->o);
    struct samples v = { .wall_s = 0 };

    begin_phase(l, PHASE_SETTLE);
    l->asked_ns = begin;
    while (load_now_ns() - l->asked_ns < QUIET_NS && load_now_ns() < end)
        load_turn(l, 0);
    v.wall_s = (double)(load_now_ns() - begin) / 1e9;
    v.cpu_s = (double)(load_server_ns(&l->o) - cpu) / 1e9;
    print_summary(l, &v);
    fflush(stdout);
    return 0;
}

static int run_named(struct load *l, struct load *f, enum phase p)
{
    switch (p) {
    case PHASE_CONTACT:
        return run_phase(l, f, p, l->o.devices, l->o.rate);
    case PHASE_SETTLE:
        return settle(l);
    case PHASE_HOLD:
        return run_phase(l, NULL, p, (uint64_t)l->o.devices * l->o.hold_s / 60,
                         (l->o.devices + 59) / 60);
    default:
        return run_phase(l, f, p, l->o.count, l->o.rate);
    }
}

int load_run(struct load *l, struct load *f)
{
    struct slice rest = slice_str(l->o.run), word;
    bool asked = false, more = true;
    int err = 0;

    while (more && !err) {
        unsigned p = PHASE_CONTACT;

        more = slice_cut(&rest, ',', &word);
        while (p < PHASE_COUNT && !slice_eq(word, slice_str(phase_name[p])))
            p++;
        if (p == PHASE_COUNT)
            return EX_USAGE;
        if (!asked && p <= PHASE_REFRESH) {
            asked = true;
            err = run_phase(l, NULL, PHASE_ASK, l->o.devices, 0);
            if (f && !err)
                err = run_phase(f, NULL, PHASE_ASK, f->o.devices, 0);
        }
        if (!err)
            err = run_named(l, f, (enum phase)p);
    }
    return err;
}
