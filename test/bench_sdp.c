/* What an SDP body costs: ns for one parse and one write, median of many
 * rounds. Prints "figure NAME VALUE UNIT".
 *
 * bench_sdp -n N runs N parses in hot_parse and nothing else, for counting
 * instructions: valgrind --tool=callgrind --toggle-collect=hot_parse. */
#include "sdp/offer.h"
#include "sdp/sdp.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define ROUNDS 31
#define BATCH 20000

static const char plain[] =
    "v=0\r\n"
    "o=34020000002000000001 0 0 IN IP4 10.0.0.6\r\n"
    "s=Play\r\n"
    "c=IN IP4 10.0.0.6\r\n"
    "t=0 0\r\n"
    "m=video 30010 RTP/AVP 96\r\n"
    "a=recvonly\r\n"
    "a=rtpmap:96 PS/90000\r\n";

/* A camera's answer, see test/data/sip/invite-200-dahua-nvr.sip. */
static const char with_gb[] =
    "v=0\r\n"
    "o=34020000001310000001 0 0 IN IP4 192.168.1.108\r\n"
    "s=Play\r\n"
    "i=VCam Live Video\r\n"
    "c=IN IP4 192.168.1.108\r\n"
    "t=0 0\r\n"
    "m=video 10032 TCP/RTP/AVP 96\r\n"
    "a=sendonly\r\n"
    "a=rtpmap:96 PS/90000\r\n"
    "a=streamprofile:0\r\n"
    "a=streamnumber:0\r\n"
    "a=setup:active\r\n"
    "a=connection:new\r\n"
    "y=0200005549\r\n"
    "f=v/0/0/0/0/0a/0/0/0\r\n";

static uint32_t sink;

static uint64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

void hot_parse(struct slice body, unsigned n);

__attribute__((noinline)) void hot_parse(struct slice body, unsigned n)
{
    struct sdp s;

    while (n--) {
        if (sdp_parse(&s, body, NULL) != 0)
            abort();
        sink += s.ssrc + s.media[0].port;
    }
}

static void hot_write(struct slice body, unsigned n)
{
    char buf[1024];
    struct sdp s;

    if (sdp_parse(&s, body, NULL) != 0)
        abort();
    while (n--) {
        struct writer w = writer_of(buf, sizeof(buf));

        sdp_write(&w, &s);
        if (w.err)
            abort();
        sink += (uint32_t)w.len;
    }
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static void measure(const char *name, void (*run)(struct slice, unsigned),
                    struct slice body)
{
    double ns[ROUNDS];

    for (unsigned r = 0; r < ROUNDS; r++) {
        uint64_t begin = now_ns();

        run(body, BATCH);
        ns[r] = (double)(now_ns() - begin) / BATCH;
    }
    qsort(ns, ROUNDS, sizeof(ns[0]), by_value);
    printf("figure %s %.1f ns\n", name, ns[ROUNDS / 2]);
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "-n") == 0) {
        hot_parse(SLICE(with_gb), (unsigned)strtoul(argv[2], NULL, 10));
        return sink == 1;
    }
    measure("sdp.parse.ns", hot_parse, SLICE(with_gb));
    measure("sdp.parse_plain.ns", hot_parse, SLICE(plain));
    measure("sdp.write.ns", hot_write, SLICE(with_gb));
    return sink == 1;
}
