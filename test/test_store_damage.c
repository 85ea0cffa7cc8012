/* app/store: a file that is damaged, before it is opened and while it is used.
 * What can still be read goes on, the file itself is kept aside. */
#include "app/store/store.h"
#include "test/support.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEVICES 4000 /* more than SQLite keeps in its cache */
#define FIRST 1000000
#define PAGE 4096

struct seen {
    unsigned devices, groups;
    bool device[DEVICES + 1];
};

static void on_device(void *ctx, const struct platform_saved_device *d)
{
    struct seen *s = ctx;
    uint32_t n;

    s->devices++;
    if (slice_u32(slice_from(d->id, 13), 9999999, &n) && n >= FIRST &&
        n - FIRST <= DEVICES)
        s->device[n - FIRST] = true;
}

static void on_channel(void *ctx, const struct platform_channel *c)
{
    (void)ctx;
    (void)c;
}

static void on_dialog(void *ctx, uint64_t key, const struct sip_dialog_state *d,
                      const struct sip_peer *peer)
{
    (void)ctx;
    (void)key;
    (void)d;
    (void)peer;
}

static void on_group(void *ctx, struct slice name, struct slice sealed,
                     const struct platform_policy *subscribe)
{
    struct seen *s = ctx;

    (void)subscribe;
    s->groups += slice_eq(name, SLICE("yard")) && slice_eq(sealed, SLICE("s"));
}

static void on_settings(void *ctx, struct slice device,
                        const struct platform_settings *set)
{
    (void)ctx;
    (void)device;
    (void)set;
}

static struct store *open_store(const char *dir, struct seen *seen,
                                bool *moved, char why[static 256])
{
    const struct store_loader l = {
        .on_device = on_device, .on_channel = on_channel,
        .on_dialog = on_dialog, .on_group = on_group,
        .on_settings = on_settings, .ctx = seen,
    };
    struct store *s = NULL;

    memset(seen, 0, sizeof(*seen));
    *moved = false;
    if (store_open(&s, dir, &l, why, moved))
        fail_msg("%s", why);
    return s;
}

static void put_device(struct store *s, unsigned n)
{
    static char filler[400];
    struct platform_device d = { 0 };
    char id[21];

    memset(filler, 'x', sizeof(filler));
    snprintf(id, sizeof(id), "3402000000132%07u", FIRST + n);
    d.id = slice_str(id);
    d.name = slice_of(filler, sizeof(filler));
    store_put_device(s, &d);
}

static void fill(const char *dir)
{
    const struct platform_policy none = { 0 };
    struct seen seen;
    char why[256];
    bool moved;
    struct store *s = open_store(dir, &seen, &moved, why);

    for (unsigned i = 0; i < DEVICES; i++)
        put_device(s, i);
    store_put_group(s, SLICE("yard"), SLICE("s"), &none);
    store_close(s);
}

/* So many pages from `first` on of a file are turned into noise. */
static void damage(const char *dir, const char *name, unsigned first,
                   unsigned n)
{
    uint8_t noise[PAGE];
    uint64_t seed = 7;
    char path[128];
    struct stat st;
    int fd;

    for (size_t i = 0; i < PAGE; i++)
        noise[i] = (uint8_t)test_random(&seed);
    snprintf(path, sizeof(path), "%s/%s", dir, name);
    fd = open(path, O_RDWR);
    if (fd < 0)
        return;
    assert_int_equal(fstat(fd, &st), 0);
    for (unsigned i = first; i < first + n && i * PAGE < st.st_size; i++)
        assert_int_equal(pwrite(fd, noise, PAGE, (off_t)i * PAGE), PAGE);
    close(fd);
}

static unsigned files_aside(const char *dir)
{
    DIR *d = opendir(dir);
    struct dirent *e;
    unsigned n = 0;

    while ((e = readdir(d)))
        n += text_has(e->d_name, ".broken-") && !text_has(e->d_name, "-wal") &&
             !text_has(e->d_name, "-shm");
    closedir(d);
    return n;
}

/* ---- before it is opened ---- */

static void rows_are_rescued(void **state)
{
    static const struct {
        const char *name;
        unsigned first, n, at_least;
    } cases[] = {
        { "one page in the middle", 300, 1, DEVICES * 9 / 10 },
        { "a tenth", 200, 50, DEVICES / 2 },
        { "the head of the file", 0, 1, 0 },
        { "all of it", 0, 100000, 0 },
    };

    (void)state;
    if (!GB_SQLITE)
        skip();
    for (size_t i = 0; i < COUNT(cases); i++) {
        char dir[] = "/tmp/gb28181-damage-XXXXXX", why[256] = "";
        static struct seen seen;
        struct store *s;
        bool moved;

        assert_non_null(mkdtemp(dir));
        fill(dir);
        damage(dir, "gb28181d.db", cases[i].first, cases[i].n);
        s = open_store(dir, &seen, &moved, why);
        if (!moved || !text_has(why, "rows that could be read"))
            fail_msg("%s: %s", cases[i].name, why);
        if (seen.devices < cases[i].at_least || seen.devices >= DEVICES + 1)
            fail_msg("%s: %u devices", cases[i].name, seen.devices);
        if (cases[i].at_least && (!seen.device[0] || !seen.device[DEVICES - 1] ||
                                  seen.groups != 1))
            fail_msg("%s: not from both ends", cases[i].name);
        put_device(s, DEVICES);
        store_close(s);
        assert_int_equal(files_aside(dir), 1);
        s = open_store(dir, &seen, &moved, why);
        assert_false(moved);
        assert_true(seen.device[DEVICES]);
        store_close(s);
        remove_dir(dir);
    }
}

/* ---- while it is used ---- */

static void replaced_while_it_is_used(void **state)
{
    char dir[] = "/tmp/gb28181-damage-XXXXXX", why[256] = "";
    static struct seen seen;
    struct store_counters n;
    struct store *s;
    bool moved;

    (void)state;
    if (!GB_SQLITE)
        skip();
    assert_non_null(mkdtemp(dir));
    fill(dir);
    s = open_store(dir, &seen, &moved, why);
    assert_int_equal(seen.devices, DEVICES);
    damage(dir, "gb28181d.db", 1, 100000);
    for (unsigned i = 0; i < DEVICES; i += 2) /* all over the file */
        put_device(s, i);
    put_device(s, DEVICES);
    store_flush(s);
    store_counters(s, &n);
    assert_int_equal(n.queued, 0);
    assert_int_equal(n.dropped, 0);
    assert_int_equal(files_aside(dir), 1);
    store_close(s);
    s = open_store(dir, &seen, &moved, why);
    assert_false(moved);
    assert_true(seen.devices >= DEVICES / 2 + 1);
    assert_true(seen.device[DEVICES]);
    store_close(s);
    remove_dir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_rescued),
        cmocka_unit_test(replaced_while_it_is_used),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
