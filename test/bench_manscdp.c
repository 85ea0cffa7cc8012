/* What a MANSCDP body costs: ns for one message, median of many rounds.
 * Prints "figure NAME VALUE UNIT". */
#include "manscdp/catalog.h"
#include "manscdp/notify.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define ROUNDS 15
#define ROUND_NS 20000000u

static char memory[8 << 20], wire[1 << 20];

struct bench {
    const char *name;
    void (*run)(struct slice in);
    struct slice in;
};

static uint64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static void check(bool ok)
{
    if (!ok) {
        fprintf(stderr, "bench_manscdp: wrong result\n");
        exit(1);
    }
}

static void measure(const struct bench *b)
{
    double ns[ROUNDS];

    for (unsigned r = 0; r < ROUNDS; r++) {
        uint64_t begin = now_ns(), end;
        unsigned n = 0;

        do {
            b->run(b->in);
            n++;
            end = now_ns();
        } while (end - begin < ROUND_NS);
        ns[r] = (double)(end - begin) / n;
    }
    qsort(ns, ROUNDS, sizeof(ns[0]), by_value);
    printf("figure %s %.0f ns\n", b->name, ns[ROUNDS / 2]);
    printf("figure %s.rate %.1f MB/s\n", b->name,
           (double)b->in.n * 1000 / ns[ROUNDS / 2]);
}

static void parse(struct manscdp_msg *m, struct slice in)
{
    static struct arena a;

    a = arena_of(memory, sizeof(memory));
    check(manscdp_msg_parse(m, &a, in, NULL, NULL) == 0);
}

static void read_keepalive(struct slice in)
{
    struct manscdp_keepalive k;
    struct manscdp_msg m;

    parse(&m, in);
    check(manscdp_keepalive_decode(&k, &m) == 0 && k.device_id.n == 20);
}

static void read_catalog(struct slice in)
{
    struct manscdp_catalog c;
    struct manscdp_item it;
    struct manscdp_msg m;

    parse(&m, in);
    check(manscdp_catalog_decode(&c, &m) == 0);
    while (manscdp_catalog_next(&c, &it, m.arena))
        check(it.id.n == 20 && it.name.n);
}

static void decode_text(struct slice in)
{
    struct writer w = writer_of(memory, sizeof(memory));

    manscdp_text_decode(&w, in, manscdp_text_detect(in));
    check(!w.err);
}

static const struct manscdp_dialect gb2312 = { MANSCDP_2016, MANSCDP_GB2312 };

static void write_keepalive(struct slice in)
{
    const struct manscdp_keepalive k = {
        .sn = 43, .device_id = SLICE("34020000001180000001")
    };
    struct writer w = writer_of(wire, sizeof(wire));

    check(in.n && manscdp_keepalive_encode(&w, &gb2312, &k) == 0);
}

static struct slice make_catalog(char *buf, size_t cap, unsigned n)
{
    const struct manscdp_catalog c = {
        .sn = 17, .device_id = SLICE("34020000001180000001"), .sum_num = n
    };
    struct manscdp_item it = {
        .id = SLICE("34020000001320000001"),
        .name = SLICE("\xe5\x8c\x97\xe9\x97\xa8\xe5\x85\xa5\xe5\x8f\xa3 1"),
        .manufacturer = SLICE("Acme"),
        .model = SLICE("C1"),
        .owner = SLICE("0"),
        .civil_code = SLICE("340200"),
        .address = SLICE("\xe5\x8c\x97\xe9\x97\xa8"),
        .parental = SLICE("0"),
        .parent_id = SLICE("34020000001180000001"),
        .safety_way = SLICE("0"),
        .register_way = SLICE("1"),
        .secrecy = SLICE("0"),
        .ip_address = SLICE("192.0.2.107"),
        .port = SLICE("80"),
        .status = SLICE("ON"),
        .longitude = SLICE("118.3761"),
        .latitude = SLICE("31.3292"),
        .ptz_type = SLICE("3"),
    };
    struct writer w = writer_of(buf, cap);
    struct xml_out x;

    manscdp_catalog_put_begin(&x, &w, &gb2312, &c, n);
    for (unsigned i = 0; i < n; i++)
        manscdp_catalog_put_item(&x, &gb2312, &it, false);
    manscdp_catalog_put_end(&x, &gb2312, &c, n);
    check(!w.err);
    return writer_slice(&w);
}

static void write_catalog_4(struct slice in)
{
    check(in.n && make_catalog(wire, sizeof(wire), 4).n == in.n);
}

static void write_catalog_100(struct slice in)
{
    check(in.n && make_catalog(wire, sizeof(wire), 100).n == in.n);
}

int main(void)
{
    static char one[4096], four[8192], hundred[1 << 17], alive[512];
    const struct manscdp_keepalive k = {
        .sn = 43, .device_id = SLICE("34020000001180000001")
    };
    struct writer w = writer_of(alive, sizeof(alive));
    struct slice c1 = make_catalog(one, sizeof(one), 1);
    struct slice c4 = make_catalog(four, sizeof(four), 4);
    struct slice c100 = make_catalog(hundred, sizeof(hundred), 100);

    check(manscdp_keepalive_encode(&w, &gb2312, &k) == 0);
    const struct bench all[] = {
        { "manscdp_keepalive_read", read_keepalive, writer_slice(&w) },
        { "manscdp_keepalive_write", write_keepalive, writer_slice(&w) },
        { "manscdp_catalog_1_read", read_catalog, c1 },
        { "manscdp_catalog_4_read", read_catalog, c4 },
        { "manscdp_catalog_100_read", read_catalog, c100 },
        { "manscdp_catalog_4_write", write_catalog_4, c4 },
        { "manscdp_catalog_100_write", write_catalog_100, c100 },
        { "manscdp_text_100_decode", decode_text, c100 },
    };

    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        measure(&all[i]);
    return 0;
}
