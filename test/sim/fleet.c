/* fleet - a simulated fleet against the platform, in virtual time
 *
 *     fleet [--seed N] [--days D] [--devices N] [--alloc N] [--cpu S] [--hash] [-v]
 *     fleet --lives STEP [--from N] [--burst N] [--seed N] [--devices N] [-v]
 *
 * Rough times of some hours, then half an hour in which all must come right; at
 * times an orderly restart behind that. Ends with 0 and a line of figures, or by
 * abort() with what does not hold and the command that shows it again. */
#include "test/sim/world.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define DAY_MS 86400000.0
#define ROUGH_MS (6 * 3600000ull) /* at most, and a quarter of it at least */

static double cpu_s(void)
{
    struct rusage u;

    getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
           (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static void rough(struct world *w, uint64_t until_ms)
{
    w->calm = false;
    w->memory.one_in = w->opt.alloc_one_in;
    w->users_ms = w->chaos_ms = w->mono_ms + 1;
    world_run(w, until_ms);
    w->memory.one_in = 0;
}

static void calm(struct world *w)
{
    w->calm = true;
    users_leave(w);
    chaos_act(w); /* mends what is broken */
    w->full_until_ms = 0;
    world_pump(w);
    world_run(w, w->mono_ms + WORLD_CALM_MS);
    check_calm(w);
    if (world_chance(w, 500))
        check_restart(w);
}

static void report(const struct world *w, uint64_t since_ms, double cpu)
{
    double years = (double)(w->mono_ms - since_ms) / DAY_MS / 365.25 * w->n;

#define U(x) ((unsigned long long)(x))
    printf("seed %llu: %u devices, %.2f days, %.3f device-years in %.1f s of "
           "CPU: %.0f an hour\n", U(w->opt.seed), w->n,
           (double)(w->mono_ms - since_ms) / DAY_MS, years, cpu,
           years / cpu * 3600);
    printf("  %llu events, %llu whole checks, %llu calms; %llu crashes, %llu "
           "orderly restarts, %llu clock steps, %llu cut connections, %llu NAT "
           "rebinds, %llu reboots, %llu full disks, %llu rows lost; %llu calls (%llu refused), "
           "%llu sessions, %llu removals, %llu alarms, %llu messages of strangers, "
           "%llu REGISTERs shed; "
           "%.1f MiB at most\n",
           U(w->events), U(w->checks), U(w->calms), U(w->crashes), U(w->drains),
           U(w->steps), U(w->cuts), U(w->rebinds),
           U(w->reboots), U(w->fulls), U(w->lost_rows),
           U(w->calls), U(w->refused_calls), U(w->sessions), U(w->removed),
           U(w->alarms), U(w->strangers), U(w->shed),
           (double)w->memory.peak / 1048576);
    if (w->opt.hashes)
        printf("  hash of the wire: %016llx\n", U(w->hash));
#undef U
}

static void simulate(const struct world_options *opt)
{
    static struct world w;
    double cpu = cpu_s();
    uint64_t since, until;

    world_init(&w, opt);
    since = w.mono_ms;
    until = since + (uint64_t)(opt->days * DAY_MS);
    while (w.mono_ms < until) {
        rough(&w, w.mono_ms + ROUGH_MS / 4 +
                      world_random(&w, ROUGH_MS * 3 / 4));
        calm(&w);
        if (opt->cpu_s > 0 && cpu_s() - cpu > opt->cpu_s)
            break;
    }
    report(&w, since, cpu_s() - cpu);
    world_free(&w);
}

static void remove_store(const char *dir)
{
    static const char *const names[] = { "gb28181d.db", "gb28181d.db-wal",
                                         "gb28181d.db-shm", "store.json" };
    char path[300];

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
        unlink(path);
    }
    rmdir(dir);
}

/* Lives in which the from-th allocation fails, then those that follow it at
 * intervals of `step`, until one makes fewer of them. */
static void live_on(const struct world_options *opt, uint64_t from,
                    uint64_t step)
{
    static struct world w;
    struct world_options o = *opt;
    double cpu = cpu_s();
    uint64_t lives = 0, starts = 0, refused = 0;
    char again[200];
    bool failed;

    o.is_orderly = true;
    o.again = again;
    for (o.fail_at = from;; o.fail_at += step) {
        snprintf(again, sizeof(again), "%s --from %llu", opt->again,
                 (unsigned long long)o.fail_at);
        world_init(&w, &o);
        life_run(&w);
        world_free(&w);
        failed = w.memory.failed > 0;
        lives++;
        starts += w.failed_starts;
        refused += w.refused_calls;
        remove_store(o.dir);
        if (!failed || (o.cpu_s > 0 && cpu_s() - cpu > o.cpu_s))
            break;
        if (mkdir(o.dir, 0700))
            abort();
    }
    printf("seed %llu: %llu lives of %u devices in %.1f s of CPU, the last one's "
           "allocation %llu %s; %llu starts and %llu calls were refused\n",
           (unsigned long long)o.seed, (unsigned long long)lives, o.devices,
           cpu_s() - cpu, (unsigned long long)o.fail_at,
           failed ? "failed" : "never came", (unsigned long long)starts,
           (unsigned long long)refused);
}

static void usage(void)
{
    fprintf(stderr, "usage: fleet [--seed N] [--days D] [--devices N] "
                    "[--alloc N] [--cpu S] [--hash] [-v]\n"
                    "       fleet --lives STEP [--from N] [--burst N] "
                    "[--seed N] [--devices N] [--cpu S] [-v]\n");
    exit(2);
}

int main(int argc, char **argv)
{
    static const struct option longs[] = {
        { "seed", required_argument, NULL, 's' },
        { "days", required_argument, NULL, 'd' },
        { "devices", required_argument, NULL, 'n' },
        { "alloc", required_argument, NULL, 'a' },
        { "cpu", required_argument, NULL, 'c' },
        { "lives", required_argument, NULL, 'l' },
        { "from", required_argument, NULL, 'f' },
        { "burst", required_argument, NULL, 'b' },
        { "hash", no_argument, NULL, 'h' },
        { "verbose", no_argument, NULL, 'v' }, { 0 },
    };
    struct world_options opt = { .seed = (uint64_t)time(NULL), .devices = 1000,
                                 .days = 1, .fail_n = 1 };
    char dir[] = "/tmp/fleet-XXXXXX", again[160];
    uint64_t step = 0, from = 1;

    for (int c; (c = getopt_long(argc, argv, "v", longs, NULL)) != -1;) {
        switch (c) {
        case 's': opt.seed = strtoull(optarg, NULL, 10); break;
        case 'd': opt.days = atof(optarg); break;
        case 'n': opt.devices = (unsigned)atoi(optarg); break;
        case 'a': opt.alloc_one_in = (unsigned)atoi(optarg); break;
        case 'c': opt.cpu_s = atof(optarg); break;
        case 'l': step = strtoull(optarg, NULL, 10); break;
        case 'f': from = strtoull(optarg, NULL, 10); break;
        case 'b': opt.fail_n = strtoull(optarg, NULL, 10); break;
        case 'h': opt.hashes = true; break;
        case 'v': opt.verbose = true; break;
        default: usage();
        }
    }
    if (opt.devices == 0 || opt.devices >= WORLD_MAX_DEVICES || !mkdtemp(dir))
        usage();
    setvbuf(stdout, NULL, _IOLBF, 0);
    opt.dir = dir;
    opt.again = again;
    if (step) {
        snprintf(again, sizeof(again),
                 "%s --seed %llu --devices %u --lives %llu --burst %llu",
                 argv[0], (unsigned long long)opt.seed, opt.devices,
                 (unsigned long long)step, (unsigned long long)opt.fail_n);
        live_on(&opt, from, step);
        return 0;
    }
    snprintf(again, sizeof(again), "%s --seed %llu --devices %u --alloc %u "
                                   "--days %g", argv[0],
             (unsigned long long)opt.seed, opt.devices, opt.alloc_one_in,
             opt.days);
    printf("%s\n", again);
    simulate(&opt);
    remove_store(dir);
    return 0;
}
