/* Start-up with 100,000 channels in the store: opening, checking and loading
 * it into a platform, as the daemon does, on a file that the system has in its
 * memory; and what a channel costs the platform then.
 *
 *     bench_store [DIR]   figures; the file goes to DIR, or $TMPDIR, or /tmp */
#include <dirent.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "app/platform/platform.h"
#include "app/store/store.h"
#include "test/bench/measure.h"

#define DEVICES 200
#define CHANNELS 500 /* of each */
#define RUNS 7
#define CHUNK_HEAD 8 /* of the heap, for each allocation */

static size_t bytes;

static void *counting_get(void *ctx, size_t n)
{
    void *p = gb_get(&gb_alloc_heap, n);

    (void)ctx;
    if (p)
        bytes += malloc_usable_size(p) + CHUNK_HEAD;
    return p;
}

static void counting_put(void *ctx, void *p)
{
    (void)ctx;
    if (p)
        bytes -= malloc_usable_size(p) + CHUNK_HEAD;
    gb_put(&gb_alloc_heap, p);
}

static const struct gb_alloc counting = { counting_get, counting_put, NULL };

static double now_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double cpu_s(void)
{
    return (double)clock() / CLOCKS_PER_SEC;
}

/* ---- the file ------------------------------------------------------------ */

static void put_channels(struct store *s, struct slice device, unsigned d)
{
    for (unsigned i = 0; i < CHANNELS; i++) {
        char id[24], name[64];
        struct platform_channel c = {
            .device = device, .manufacturer = SLICE("Acme"),
            .model = SLICE("IPC-2032"), .owner = SLICE("Owner"),
            .civil_code = SLICE("34020000"), .address = SLICE("Gate"),
            .parent = device, .status = SLICE("ON"), .ptz_type = SLICE("1"),
            .on = true, .has_position = true, .longitude = 118.3,
            .latitude = 31.2,
        };

        snprintf(id, sizeof(id), "34020000001320%06u", d * CHANNELS + i);
        snprintf(name, sizeof(name), "北门入口摄像机 %u", i);
        c.id = slice_str(id);
        c.name = slice_str(name);
        store_put_channel(s, &c);
    }
}

static void fill(struct store *s)
{
    for (unsigned d = 0; d < DEVICES; d++) {
        char id[24];
        struct platform_device dev = {
            .name = SLICE("录像机"), .manufacturer = SLICE("Acme"),
            .model = SLICE("NVR-64"), .edition = SLICE("2.0"),
        };

        snprintf(id, sizeof(id), "34020000001180%06u", d);
        dev.id = slice_str(id);
        gb_addr_parse(&dev.peer.remote, SLICE("192.0.2.1:5060"), 0);
        dev.peer.local = dev.peer.remote;
        store_put_device(s, &dev);
        put_channels(s, dev.id, d);
        if (d % 50 == 49)
            store_flush(s);
    }
}

/* ---- starting ------------------------------------------------------------ */

struct start {
    struct platform *p;
    struct gb_time now;
};

static void on_device(void *ctx, const struct platform_saved_device *d)
{
    struct start *s = ctx;

    platform_restore_device(s->p, d, s->now);
}

static void on_channel(void *ctx, const struct platform_channel *c)
{
    struct start *s = ctx;

    platform_restore_channel(s->p, c);
}

static void on_group(void *ctx, struct slice name, struct slice sealed,
                     const struct platform_policy *subscribe)
{
    (void)ctx, (void)name, (void)sealed, (void)subscribe;
}

static void on_settings(void *ctx, struct slice device,
                        const struct platform_settings *set)
{
    (void)ctx, (void)device, (void)set;
}

static void on_dialog(void *ctx, uint64_t key, const struct sip_dialog_state *d,
                      const struct sip_peer *peer)
{
    (void)ctx, (void)key, (void)d, (void)peer;
}

static struct store *open_into(struct start *s, const char *dir)
{
    struct store_loader l = { .on_device = on_device,
                              .on_channel = on_channel,
                              .on_group = on_group,
                              .on_settings = on_settings,
                              .on_dialog = on_dialog,
                              .ctx = s };
    struct store *st = NULL;
    char why[256] = "";

    if (store_open(&st, dir, &l, why, NULL)) {
        fprintf(stderr, "bench_store: %s\n", why);
        exit(1);
    }
    return st;
}

static struct platform *new_platform(struct sip_stack *sip, struct gb_time now)
{
    struct platform_config pc = { .alloc = &counting, .sip = sip,
                                  .id = "34020000002000000001",
                                  .realm = "3402000000",
                                  .password = "12345678",
                                  .port_min = 30002, .port_max = 30999 };
    struct platform *p;

    return platform_new(&p, &pc, now) ? NULL : p;
}

static void remove_dir(const char *dir)
{
    DIR *d = opendir(dir);
    struct dirent *e;
    char path[512];

    while (d && (e = readdir(d))) {
        snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
        unlink(path);
    }
    if (d)
        closedir(d);
    rmdir(dir);
}

int main(int argc, char **argv)
{
    const char *tmp = getenv("TMPDIR");
    char dir[200];
    double wall[RUNS], cpu[RUNS];
    struct sip_stack_config sc = { .alloc = &gb_alloc_heap };
    struct start s = { .now = { 1000, 1700000000000 } };
    struct sip_stack *sip;
    struct store *st;
    size_t empty, n = 0;

    snprintf(dir, sizeof(dir), "%s/bench-store-XXXXXX",
             argc > 1 ? argv[1] : tmp ? tmp : "/tmp");
    if (!mkdtemp(dir) || sip_stack_new(&sip, &sc) ||
        !(s.p = new_platform(sip, s.now)))
        return 1;
    st = open_into(&s, dir);
    fill(st);
    store_close(st);
    platform_free(s.p);
    for (unsigned i = 0; i < RUNS; i++) {
        double w = now_s(), c = cpu_s();

        s.p = new_platform(sip, s.now);
        empty = bytes;
        st = open_into(&s, dir);
        wall[i] = now_s() - w;
        cpu[i] = cpu_s() - c;
        n = platform_channel_count(s.p);
        if (i + 1 == RUNS)
            printf("figure platform.channel.bytes %zu B # and 1/500 of a "
                   "device\n", n ? (bytes - empty) / n : 0);
        store_close(st);
        platform_free(s.p);
    }
    remove_dir(dir);
    if (n != (size_t)DEVICES * CHANNELS) {
        fprintf(stderr, "bench_store: %zu channels came back\n", n);
        return 1;
    }
    bench_print("store.start100k.s", "s", 3, wall, RUNS);
    bench_print("store.start100k.cpu_s", "s", 3, cpu, RUNS);
    sip_stack_free(sip);
    return 0;
}
