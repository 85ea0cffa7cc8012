#include "test/support.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define GUARD_SLOTS 16

struct slice guarded(struct slice s)
{
    static struct {
        char *map;
        size_t len;
    } slot[GUARD_SLOTS];
    static unsigned next;
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t len = (s.n / page + 1) * page;
    unsigned i = next++ % GUARD_SLOTS;
    char *map;

    map = slot[i].map;
    if (!map || slot[i].len != len + page) { /* else: as good as new */
        if (map)
            munmap(map, slot[i].len);
        map = mmap(NULL, len + page, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        assert_true(map != MAP_FAILED);
        assert_int_equal(mprotect(map + len, page, PROT_NONE), 0);
        slot[i].map = map;
        slot[i].len = len + page;
    }
    if (s.n)
        memcpy(map + len - s.n, s.p, s.n);
    return slice_of(map + len - s.n, s.n);
}

struct slice read_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    char *p;
    long n;

    if (!f)
        fail_msg("%s: %s", path, strerror(errno));
    assert_int_equal(fseek(f, 0, SEEK_END), 0);
    n = ftell(f);
    rewind(f);
    p = malloc((size_t)n + 1);
    assert_non_null(p);
    assert_int_equal(fread(p, 1, (size_t)n, f), (size_t)n);
    fclose(f);
    return slice_of(p, (size_t)n);
}

void each_file(const char *dir, const char *suffix, file_fn *fn, void *ctx)
{
    struct dirent **names = NULL;
    int n = scandir(dir, &names, NULL, alphasort), found = 0;
    struct slice end = slice_str(suffix);

    if (n < 0)
        fail_msg("%s: %s", dir, strerror(errno));
    for (int i = 0; i < n; i++) {
        struct slice name = slice_str(names[i]->d_name);
        char path[4096];

        if (name.p[0] != '.' && name.n >= end.n &&
            slice_eq(slice_from(name, name.n - end.n), end)) {
            struct slice bytes;

            snprintf(path, sizeof(path), "%s/%s", dir, name.p);
            bytes = read_file(path);
            fn(ctx, path, bytes);
            free((void *)(uintptr_t)bytes.p);
            found++;
        }
        free(names[i]);
    }
    free(names);
    if (!found)
        fail_msg("%s: no *%s", dir, suffix);
}

void remove_dir(const char *path)
{
    DIR *d = opendir(path);
    struct dirent *e;
    char file[4096];

    assert_non_null(d);
    while ((e = readdir(d))) {
        snprintf(file, sizeof(file), "%s/%s", path, e->d_name);
        unlink(file);
    }
    closedir(d);
    rmdir(path);
}

void write_script(const char *path, const char *lines)
{
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    fprintf(f, "#!/bin/sh\n%s\n", lines);
    fclose(f);
    assert_int_equal(chmod(path, 0700), 0);
}

static void write_file(const char *path, struct slice s)
{
    FILE *f = fopen(path, "wb");

    if (!f || fwrite(s.p, 1, s.n, f) != s.n || fclose(f) != 0)
        fail_msg("%s: %s", path, strerror(errno));
}

void expect_golden(const char *path, struct slice got)
{
    const char *golden = getenv("GOLDEN");
    struct slice want;
    size_t i = 0;
    unsigned line = 1;

    if (golden && *golden == '1') {
        write_file(path, got);
        return;
    }
    want = read_file(path);
    if (!slice_eq(want, got)) {
        while (i < want.n && i < got.n && want.p[i] == got.p[i])
            line += want.p[i++] == '\n';
        fail_msg("%s differs at line %u (byte %zu); got:\n%.*s", path, line, i,
                 SLICE_ARG(got));
    }
    free((void *)(uintptr_t)want.p);
}

static void *failing_get(void *ctx, size_t n)
{
    struct failing_alloc *f = ctx;
    void *p;

    if (++f->calls >= f->fail_at && f->fail_at)
        return NULL;
    p = calloc(1, n ? n : 1);
    if (p)
        f->live++;
    return p;
}

static void failing_put(void *ctx, void *p)
{
    struct failing_alloc *f = ctx;

    if (p)
        f->live--;
    free(p);
}

void failing_alloc_init(struct failing_alloc *f, unsigned long fail_at)
{
    *f = (struct failing_alloc){ .fail_at = fail_at };
    f->alloc = (struct gb_alloc){ failing_get, failing_put, f };
}

uint16_t test_port(unsigned i)
{
    return (uint16_t)(21000 + ((unsigned)getpid() * 7 + i * 61) % 5500 * 2);
}

uint64_t test_random(uint64_t *state)
{
    uint64_t x = *state ? *state : 88172645463325252u;

    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    *state = x;
    return x * 2685821657736338717u;
}

void expect_slice(struct slice got, const char *want)
{
    if (!slice_eq(got, slice_str(want)))
        fail_msg("\"%.*s\", want \"%s\"", SLICE_ARG(got), want);
}

bool text_has(const char *text, const char *part)
{
    return strstr(text, part) != NULL;
}

unsigned text_count(const char *text, const char *part)
{
    unsigned n = 0;

    for (; (text = strstr(text, part)) != NULL; text++)
        n++;
    return n;
}
