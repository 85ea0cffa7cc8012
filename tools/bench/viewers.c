/* tools/bench/viewers.c - many viewers of one live stream on loopback, drained
 * without a copy; what they cost the server.
 *
 *     viewers PORT PATH TOKEN N PID SECONDS SAMPLES
 *
 * After two seconds, SAMPLES times SECONDS: CPU of all threads of PID, as
 * "MS BYTES LEAST" a line: ms a viewer-second, bytes a second of a viewer in
 * the mean, and of the one that got the least. */
#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "base/slice.h"
#include "test/bench/measure.h"

#define MAX_VIEWERS 1024
#define PER_SOURCE 128 /* a server takes so many from one address */
#define WARM_S 2
#define EVENTS 256

static uint64_t got[MAX_VIEWERS];
static int fds[MAX_VIEWERS];
static uint32_t n_viewers;

static double now_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* CPU seconds of all threads. */
static double cpu_s(const char *pid)
{
    char path[300];
    struct dirent *e;
    double sum = 0;
    DIR *d;

    snprintf(path, sizeof(path), "/proc/%.20s/task", pid);
    d = opendir(path);
    while (d && (e = readdir(d))) {
        unsigned long long ns;
        FILE *f;

        if (e->d_name[0] == '.')
            continue;
        snprintf(path, sizeof(path), "/proc/%.20s/task/%.20s/schedstat", pid,
                 e->d_name);
        f = fopen(path, "r");
        if (f && fscanf(f, "%llu", &ns) == 1)
            sum += (double)ns * 1e-9;
        if (f)
            fclose(f);
    }
    if (d)
        closedir(d);
    return sum;
}

static void join(unsigned i, uint16_t port, const char *path, const char *token,
                 int ep)
{
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(port),
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    struct sockaddr_in from = { .sin_family = AF_INET,
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1 +
                                                         i / PER_SOURCE) };
    struct epoll_event e = { .events = EPOLLIN, .data.u32 = i };
    char request[1024];
    int n = snprintf(request, sizeof(request),
                     "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%u\r\n"
                     "Authorization: Bearer %s\r\n\r\n", path, port, token);

    fds[i] = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(fds[i], (struct sockaddr *)&from, sizeof(from)) ||
        connect(fds[i], (struct sockaddr *)&to, sizeof(to)) ||
        send(fds[i], request, (size_t)n, MSG_NOSIGNAL) != n ||
        epoll_ctl(ep, EPOLL_CTL_ADD, fds[i], &e))
        bench_fail("a viewer cannot connect");
}

static void drain(int ep, double until)
{
    static char sink[1 << 20];
    struct epoll_event e[EVENTS];

    while (now_s() < until) {
        int n = epoll_wait(ep, e, EVENTS, 20);

        for (int i = 0; i < n; i++) {
            uint32_t v = e[i].data.u32;
            ssize_t k = recv(fds[v], sink, sizeof(sink),
                             MSG_TRUNC | MSG_DONTWAIT);

            if (k > 0)
                got[v] += (uint64_t)k;
            else if (k == 0)
                bench_fail("the server has closed a viewer");
        }
    }
}

static void sample(int ep, const char *pid, double seconds)
{
    double begin = now_s(), cpu = cpu_s(pid), wall, sum = 0, least = 1e18;

    memset(got, 0, sizeof(got));
    drain(ep, begin + seconds);
    wall = now_s() - begin;
    cpu = cpu_s(pid) - cpu;
    for (unsigned i = 0; i < n_viewers; i++) {
        sum += (double)got[i];
        least = (double)got[i] < least ? (double)got[i] : least;
    }
    printf("%.4f %.0f %.0f\n", cpu * 1e3 / wall / n_viewers,
           sum / wall / n_viewers, least / wall);
    fflush(stdout);
}

int main(int argc, char **argv)
{
    uint32_t port, seconds, samples;
    int ep = epoll_create1(0);

    if (argc != 8 || !slice_u32(slice_str(argv[1]), 65535, &port) ||
        !slice_u32(slice_str(argv[4]), MAX_VIEWERS, &n_viewers) ||
        !slice_u32(slice_str(argv[6]), 300, &seconds) ||
        !slice_u32(slice_str(argv[7]), 100, &samples) || !n_viewers) {
        fprintf(stderr, "usage: viewers PORT PATH TOKEN N PID SECONDS "
                        "SAMPLES\n");
        return EX_USAGE;
    }
    for (unsigned i = 0; i < n_viewers; i++)
        join(i, (uint16_t)port, argv[2], argv[3], ep);
    drain(ep, now_s() + WARM_S);
    for (uint32_t i = 0; i < samples; i++)
        sample(ep, argv[5], seconds);
    return 0;
}
