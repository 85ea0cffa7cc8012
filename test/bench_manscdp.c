/* What a MANSCDP body costs, from the bytes in GB 2312 to structs in UTF-8: a
 * Keepalive and a Catalog of 100 items, as a camera was captured sending them,
 * each in variants whose ids differ. Every field is read in another way and
 * compared before anything is timed.
 *
 *     bench_manscdp         figures, the first two beside the limit program
 *     bench_manscdp -n N    every hot_NAME N times for each body, for
 *                           callgrind: --toggle-collect=hot_NAME */
#include <iconv.h>
#include <stdio.h>
#include <stdlib.h>

#include "manscdp/catalog.h"
#include "manscdp/notify.h"
#include "test/bench/corpus.h"
#include "test/bench/limit.h"
#include "test/bench/measure.h"

#define VARIANTS 4
#define ITEMS 100
#define MAX_BODY_BYTES (1u << 17)
#define MAX_VALUE 256

static struct bench_corpus corpus;
static char memory[4 << 20], wire[MAX_BODY_BYTES];

struct bodies {
    const char *name;
    struct slice variant[VARIANTS];
};

static struct bodies keepalives = { .name = "keepalive" };
static struct bodies catalogs = { .name = "catalog" };

int hot_keepalive_read(const struct bodies *b, unsigned n);
int hot_catalog_read(const struct bodies *b, unsigned n);
int hot_xml_limit(const struct bodies *b, unsigned n);
int hot_keepalive_write(unsigned n);
int hot_catalog_write(unsigned n);

static int read_keepalive(struct manscdp_keepalive *k, struct slice body)
{
    struct arena a = arena_of(memory, sizeof(memory));
    struct manscdp_msg m;

    return manscdp_msg_parse(&m, &a, body, NULL, NULL) ||
           manscdp_keepalive_decode(k, &m);
}

BENCH_HOT int hot_keepalive_read(const struct bodies *b, unsigned n)
{
    struct manscdp_keepalive k;
    int err = 0;

    for (unsigned i = 0; i < n; i++) {
        err |= read_keepalive(&k, b->variant[i % VARIANTS]);
        BENCH_KEEP(&k);
    }
    return err;
}

BENCH_HOT int hot_catalog_read(const struct bodies *b, unsigned n)
{
    const struct manscdp_item *it;
    struct manscdp_catalog c;
    struct manscdp_item room;
    struct manscdp_msg m;
    int err = 0;

    for (unsigned i = 0; i < n; i++) {
        struct arena a = arena_of(memory, sizeof(memory));
        unsigned n_items = 0;

        err |= manscdp_msg_parse(&m, &a, b->variant[i % VARIANTS], NULL,
                                 NULL) ||
               manscdp_catalog_decode(&c, &m);
        while (!err && (it = manscdp_catalog_each(&c, &room, &a)) != NULL) {
            n_items++;
            BENCH_KEEP(it);
        }
        err |= n_items != ITEMS;
    }
    return err;
}

BENCH_HOT int hot_xml_limit(const struct bodies *b, unsigned n)
{
    struct bench_xml x;
    int err = 0;

    for (unsigned i = 0; i < n; i++) {
        err |= bench_limit_xml(b->variant[i % VARIANTS], &x);
        BENCH_KEEP(&x);
    }
    return err;
}

/* ---- writing ----------------------------------------------------------- */

static const struct manscdp_dialect gb2312 = { MANSCDP_2016, MANSCDP_GB2312 };

BENCH_HOT int hot_keepalive_write(unsigned n)
{
    const struct manscdp_keepalive k = {
        .sn = 43, .device_id = SLICE("34020000001180000001")
    };
    int err = 0;

    for (unsigned i = 0; i < n; i++) {
        struct writer w = writer_of(wire, sizeof(wire));

        err |= manscdp_keepalive_encode(&w, &gb2312, &k);
        BENCH_KEEP(wire);
    }
    return err;
}

BENCH_HOT int hot_catalog_write(unsigned n)
{
    const struct manscdp_item it = {
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
    const struct manscdp_catalog c = {
        .sn = 17, .device_id = SLICE("34020000001180000001"), .sum_num = ITEMS
    };
    int err = 0;

    for (unsigned i = 0; i < n; i++) {
        struct writer w = writer_of(wire, sizeof(wire));
        struct xml_out x;

        manscdp_catalog_put_begin(&x, &w, &gb2312, &c, ITEMS);
        for (unsigned k = 0; k < ITEMS; k++)
            manscdp_catalog_put_item(&x, &gb2312, &it, false);
        manscdp_catalog_put_end(&x, &gb2312, &c, ITEMS);
        err |= w.err;
        BENCH_KEEP(wire);
    }
    return err;
}

/* ---- the bodies -------------------------------------------------------- */

/* The body of the message that is named like this. */
static struct slice captured(const char *name)
{
    for (size_t i = 0; i < BENCH_MESSAGES; i++) {
        struct slice s = corpus.message[i].variant[0];

        if (strstr(corpus.message[i].name, name))
            return slice_from(s, slice_find_slice(s, SLICE("\r\n\r\n")) + 4);
    }
    bench_fail("no such message");
}

/* s, its long numbers ending in n. */
static void put_varied(struct writer *w, struct slice s, unsigned n)
{
    size_t run = 0;

    for (size_t i = 0; i < s.n; i++) {
        run = ascii_is_digit(s.p[i]) ? run + 1 : 0;
        writer_char(w, s.p[i]);
        if (run > 8 && (i + 1 == s.n || !ascii_is_digit(s.p[i + 1]))) {
            w->len -= 4;
            writer_u64_pad(w, n % 10000, 4);
        }
    }
}

static struct slice keep(struct writer *w)
{
    char *p = calloc(1, w->len + BENCH_PAD);

    if (!p || w->err)
        bench_fail("no memory");
    memcpy(p, w->p, w->len);
    return slice_of(p, w->len);
}

static void make_bodies(void)
{
    struct slice alive = captured("keepalive"), list = captured("catalog");
    size_t from = slice_find_slice(list, SLICE("<Item>"));
    size_t to = slice_find_slice(list, SLICE("</DeviceList>"));
    struct slice item = slice_of(list.p + from, to - from);

    for (unsigned v = 0; v < VARIANTS; v++) {
        struct writer w = writer_of(wire, sizeof(wire));

        put_varied(&w, alive, v * 131);
        keepalives.variant[v] = keep(&w);
        w = writer_of(wire, sizeof(wire));
        writer_slice_put(&w, slice_head(list, from));
        for (unsigned i = 0; i < ITEMS; i++)
            put_varied(&w, item, v * ITEMS + i);
        writer_slice_put(&w, slice_from(list, to));
        catalogs.variant[v] = keep(&w);
    }
}

/* ---- another reading: strings and iconv -------------------------------- */

/* What the element of that name behind *text says, in UTF-8; *text moves. */
static void element(const char **text, const char *name, char *out)
{
    char tag[64], raw[MAX_VALUE], *in = raw;
    size_t n, room = MAX_VALUE - 1;
    iconv_t cd = iconv_open("UTF-8", "GB18030");
    const char *p;

    snprintf(tag, sizeof(tag), "<%s>", name);
    p = strstr(*text, tag);
    if (!p || cd == (iconv_t)-1)
        bench_fail(name);
    p += strlen(tag);
    n = strcspn(p, "<");
    if (n >= MAX_VALUE)
        bench_fail(name);
    memcpy(raw, p, n);
    memset(out, 0, MAX_VALUE);
    if (iconv(cd, &in, &n, &out, &room) == (size_t)-1)
        bench_fail(name);
    iconv_close(cd);
    *text = p;
}

static void same(const char **text, const char *name, struct slice got)
{
    char want[MAX_VALUE];

    element(text, name, want);
    if (!slice_eq(slice_str(want), got)) {
        fprintf(stderr, "%s: %.*s, not %s\n", name, SLICE_ARG(got), want);
        bench_fail("wrong reading");
    }
}

static void verify_item(const char **text, const struct manscdp_item *it)
{
    same(text, "DeviceID", it->id);
    same(text, "Name", it->name);
    same(text, "Manufacturer", it->manufacturer);
    same(text, "Model", it->model);
    same(text, "Owner", it->owner);
    same(text, "CivilCode", it->civil_code);
    same(text, "Address", it->address);
    same(text, "Parental", it->parental);
    same(text, "ParentID", it->parent_id);
    same(text, "RegisterWay", it->register_way);
    same(text, "Secrecy", it->secrecy);
    if (it->n_extras != 1 ||
        !slice_eq(it->extra[0].path, SLICE("StreamNum")))
        bench_fail("wrong extras");
    same(text, "StreamNum", it->extra[0].value);
    same(text, "IPAddress", it->ip_address);
    same(text, "Port", it->port);
    same(text, "Password", it->password);
    same(text, "Status", it->status);
    same(text, "PTZType", it->ptz_type);
    same(text, "DownloadSpeed", it->download_speed);
}

static void verify_catalog(struct slice body)
{
    struct arena a = arena_of(memory, sizeof(memory));
    const struct manscdp_item *it;
    const char *text = strstr(body.p, "<Item>");
    struct manscdp_catalog c;
    struct manscdp_item room;
    struct manscdp_msg m;
    struct bench_xml x;

    if (manscdp_msg_parse(&m, &a, body, NULL, NULL) ||
        manscdp_catalog_decode(&c, &m) || c.n_items != ITEMS ||
        bench_limit_xml(body, &x) || x.n_items != ITEMS ||
        !slice_eq(x.cmd, m.cmd_name) || !slice_eq(x.device, m.device_id))
        bench_fail("catalog");
    while ((it = manscdp_catalog_each(&c, &room, &a)) != NULL)
        verify_item(&text, it);
    if (strstr(text, "<Item>"))
        bench_fail("an item is missing");
}

static void verify_keepalive(struct slice body)
{
    const char *text = body.p;
    struct manscdp_keepalive k;
    struct bench_xml x;
    char status[MAX_VALUE];

    if (read_keepalive(&k, body) || bench_limit_xml(body, &x) ||
        !slice_eq(x.cmd, SLICE("Keepalive")) ||
        !slice_eq(x.device, k.device_id) || x.n_elements != 5)
        bench_fail("keepalive");
    same(&text, "DeviceID", k.device_id);
    element(&text, "Status", status);
    if (strcmp(status, "OK") != 0 || k.status != MANSCDP_LIFE_OK)
        bench_fail("keepalive status");
}

/* ---- figures ----------------------------------------------------------- */

struct job {
    const struct bodies *bodies;
    int (*read)(const struct bodies *b, unsigned n);
    int (*write)(unsigned n);
};

static void work(void *ctx, unsigned rounds)
{
    const struct job *j = ctx;

    if (j->read ? j->read(j->bodies, rounds * VARIANTS)
                : j->write(rounds * VARIANTS))
        bench_fail("wrong result");
}

static void limit(void *ctx, unsigned rounds)
{
    const struct job *j = ctx;

    if (hot_xml_limit(j->bodies, rounds * VARIANTS))
        bench_fail("wrong limit");
}

/* In microseconds. */
static void print_us(const char *name, struct bench_result *r)
{
    char text[64];

    for (size_t i = 0; i < BENCH_SAMPLES; i++) {
        r->ns[i] /= 1000;
        r->limit_ns[i] /= 1000;
    }
    snprintf(text, sizeof(text), "%s.us", name);
    bench_print(text, "us", 2, r->ns, BENCH_SAMPLES);
    if (r->limit_ns[0] <= 0)
        return;
    snprintf(text, sizeof(text), "%s.limit.us", name);
    bench_print(text, "us", 2, r->limit_ns, BENCH_SAMPLES);
    snprintf(text, sizeof(text), "%s.x", name);
    bench_print(text, "ratio", 2, r->x, BENCH_SAMPLES);
}

static void figures(void)
{
    struct job alive = { &keepalives, hot_keepalive_read, NULL };
    struct job list = { &catalogs, hot_catalog_read, NULL };
    struct job alive_out = { NULL, NULL, hot_keepalive_write };
    struct job list_out = { NULL, NULL, hot_catalog_write };
    struct bench_result r;

    bench_run(&r, work, limit, &alive, VARIANTS);
    bench_print_result("manscdp.keepalive", &r);
    bench_run(&r, work, limit, &list, VARIANTS);
    print_us("manscdp.catalog100", &r);
    bench_run(&r, work, NULL, &alive_out, VARIANTS);
    bench_print_result("manscdp.keepalive.write", &r);
    bench_run(&r, work, NULL, &list_out, VARIANTS);
    print_us("manscdp.catalog100.write", &r);
}

int main(int argc, char **argv)
{
    uint32_t n;

    bench_corpus_load(&corpus);
    make_bodies();
    for (unsigned v = 0; v < VARIANTS; v++) {
        verify_keepalive(keepalives.variant[v]);
        verify_catalog(catalogs.variant[v]);
    }
    if (argc == 3 && strcmp(argv[1], "-n") == 0) {
        if (!slice_u32(slice_str(argv[2]), 10000000, &n))
            bench_fail("-n NUMBER");
        return hot_keepalive_read(&keepalives, n) ||
               hot_catalog_read(&catalogs, n) || hot_xml_limit(&catalogs, n);
    }
    figures();
    return 0;
}
