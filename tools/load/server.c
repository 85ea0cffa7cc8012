/* The clock, and what the server takes. */
#include "tools/load/load.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

uint64_t load_now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

void load_die(const char *what)
{
    fprintf(stderr, "sipload: %s%s%s\n", what, errno ? ": " : "",
            errno ? strerror(errno) : "");
    exit(1);
}

/* ---- the server's CPU --------------------------------------------------- */

static uint64_t thread_ns(const char *path)
{
    char text[128];
    struct slice s, head;
    uint64_t ns = 0;
    size_t n;
    FILE *f = fopen(path, "r");

    if (!f)
        return 0; /* it has ended meanwhile */
    n = fread(text, 1, sizeof(text), f);
    fclose(f);
    s = slice_of(text, n);
    slice_cut(&s, ' ', &head);
    (void)slice_u64(head, UINT64_MAX, &ns);
    return ns;
}

/* On the processor so far, all threads, ns; 0 without a --pid. */
uint64_t load_server_ns(const struct options *o)
{
    uint64_t ns = 0;
    char path[300];

    for (size_t i = 0; i < o->n_pids; i++) {
        struct dirent *e;
        DIR *d;

        snprintf(path, sizeof(path), "/proc/%d/task", (int)o->pid[i]);
        d = opendir(path);
        if (!d)
            load_die("the server is gone");
        while ((e = readdir(d)) != NULL) {
            if (e->d_name[0] == '.')
                continue;
            snprintf(path, sizeof(path), "/proc/%d/task/%.20s/schedstat",
                     (int)o->pid[i], e->d_name);
            ns += thread_ns(path);
        }
        closedir(d);
    }
    return ns;
}

double load_server_rss_mib(const struct options *o)
{
    double pages = 0;

    for (size_t i = 0; i < o->n_pids; i++) {
        char path[64], text[128];
        struct slice s, head;
        uint32_t n = 0;
        FILE *f;

        snprintf(path, sizeof(path), "/proc/%d/statm", (int)o->pid[i]);
        f = fopen(path, "r");
        if (!f)
            continue;
        s = slice_of(text, fread(text, 1, sizeof(text), f));
        fclose(f);
        slice_cut(&s, ' ', &head);
        slice_cut(&s, ' ', &head); /* the second number: resident */
        (void)slice_u32(head, UINT32_MAX, &n);
        pages += n;
    }
    return pages * (double)sysconf(_SC_PAGESIZE) / (1 << 20);
}
