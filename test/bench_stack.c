/* What the SIP stack costs: a keepalive through all of it (message in, event,
 * 200 out), a registration refused without state, a call; the bytes of a
 * finished transaction; a hundred thousand transactions at once; a million
 * that fail.
 *
 *     bench_stack       figures; thread CPU time, median of REPEATS */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "sip/stack.h"

#define REPEATS 9
#define ROUND 20000
#define MANY 100000
#define FAILURES 1000000
#define BATCH 2000

static unsigned long n_allocs;

static void *counting_get(void *ctx, size_t n)
{
    (void)ctx;
    n_allocs++;
    return gb_get(&gb_alloc_heap, n);
}

static void counting_put(void *ctx, void *p)
{
    (void)ctx;
    gb_put(&gb_alloc_heap, p);
}

static const struct gb_alloc counting = { counting_get, counting_put, NULL };

static double cpu_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static struct sip_stack *new_stack(void)
{
    struct sip_stack_config cfg = { .alloc = &counting,
                                    .user_agent = "gb28181d",
                                    .max_transactions = MANY + 1000 };
    struct sip_stack *s = NULL;

    if (sip_stack_new(&s, &cfg)) {
        fprintf(stderr, "no memory\n");
        exit(1);
    }
    return s;
}

static const struct sip_peer device = {
    .transport = SIP_UDP,
    .local = { .family = GB_IPV4, .ip = { 192, 0, 2, 1 }, .port = 5060 },
    .remote = { .family = GB_IPV4, .ip = { 192, 0, 2, 10 }, .port = 5060 },
};

/* The same message each time, but for nine digits in branch, tag, Call-ID. */
static char message[1024];
static size_t message_n, digits_at[3];

static void write_message(void)
{
    static const char body[] =
        "<?xml version=\"1.0\"?>\r\n<Notify>\r\n<CmdType>Keepalive</CmdType>"
        "\r\n<SN>7</SN>\r\n<DeviceID>34020000001320000001</DeviceID>\r\n"
        "<Status>OK</Status>\r\n</Notify>\r\n";
    size_t from = 0;

    message_n = (size_t)snprintf(
        message, sizeof(message),
        "MESSAGE sip:34020000002000000001@3402000000 SIP/2.0\r\n"
        "Via: SIP/2.0/UDP 192.0.2.10:5060;rport;branch=z9hG4bK@@@@@@@@@\r\n"
        "From: <sip:34020000001320000001@3402000000>;tag=@@@@@@@@@\r\n"
        "To: <sip:34020000002000000001@3402000000>\r\n"
        "Call-ID: @@@@@@@@@x@192.0.2.10\r\nCSeq: 20 MESSAGE\r\n"
        "Content-Type: Application/MANSCDP+xml\r\nMax-Forwards: 70\r\n"
        "User-Agent: IP Camera\r\nContent-Length: %zu\r\n\r\n%s",
        sizeof(body) - 1, body);
    for (int i = 0; i < 3; i++) {
        struct slice rest = slice_of(message + from, message_n - from);

        digits_at[i] = from + slice_find_slice(rest, SLICE("@@@@@@@@@"));
        from = digits_at[i] + 9;
    }
}

static struct slice keepalive(unsigned n)
{
    for (int i = 0; i < 3; i++) {
        unsigned rest = n;

        for (int k = 8; k >= 0; k--, rest /= 10)
            message[digits_at[i] + (size_t)k] = (char)('0' + rest % 10);
    }
    return slice_of(message, message_n);
}

static void drain(struct sip_stack *s)
{
    struct sip_out out;

    while (sip_stack_output(s, &out))
        ;
}

static void one_keepalive(struct sip_stack *s, unsigned n, uint64_t now_ms,
                          bool stateless)
{
    struct sip_response r = { .status = stateless ? 401 : 200, .expires = -1 };
    struct sip_event ev;

    sip_stack_input(s, &device, keepalive(n), now_ms);
    while (sip_stack_event(s, &ev)) {
        if (stateless)
            sip_stack_respond_stateless(s, ev.transaction, &r, now_ms);
        else
            sip_stack_respond(s, ev.transaction, &r, now_ms);
    }
    drain(s);
    sip_stack_tick(s, now_ms);
}

/* One message a millisecond, so that 32,000 transactions are alive. */
static void messages(const char *name, bool stateless)
{
    struct sip_stack *s = new_stack();
    unsigned n = 0;
    double ns[REPEATS];
    unsigned long before = 0;

    for (; n < 40000; n++)
        one_keepalive(s, n, n, stateless);
    before = n_allocs;
    for (int i = 0; i < REPEATS; i++) {
        double t = cpu_ns();

        for (unsigned k = 0; k < ROUND; k++, n++)
            one_keepalive(s, n, n, stateless);
        ns[i] = (cpu_ns() - t) / ROUND;
    }
    qsort(ns, REPEATS, sizeof(ns[0]), by_value);
    printf("figure sip.%s.ns %.0f ns\n", name, ns[REPEATS / 2]);
    printf("figure sip.%s.allocs %.6f allocations\n", name,
           (double)(n_allocs - before) / (REPEATS * ROUND));
    sip_stack_free(s);
}

static void memory(void)
{
    struct sip_stack *s = new_stack();
    struct sip_counters c;

    for (unsigned n = 0; n < 10000; n++)
        one_keepalive(s, n, 1, false);
    sip_stack_counters(s, &c);
    printf("figure sip.transaction.bytes %.0f bytes\n",
           (double)c.memory / c.transactions);
    sip_stack_free(s);
}

static struct sip_request query(void)
{
    return (struct sip_request){
        .method = SIP_METHOD_MESSAGE,
        .peer = device,
        .uri = SLICE("sip:34020000001320000001@192.0.2.10:5060"),
        .from = SLICE("sip:34020000002000000001@3402000000"),
        .to = SLICE("sip:34020000001320000001@3402000000"),
        .content_type = SLICE("Application/MANSCDP+xml"),
        .body = SLICE("<Query/>"),
        .expires = -1,
    };
}

/* Sends n requests that nobody answers, and lets them fail. */
static double fail(struct sip_stack *s, unsigned n, uint64_t *now_ms)
{
    struct sip_request r = query();
    struct sip_event ev;
    uint64_t id;
    double t = cpu_ns();

    for (unsigned i = 0; i < n; i++)
        sip_stack_request(s, &r, *now_ms + i % 97, &id);
    drain(s);
    while (sip_stack_deadline(s) != GB_NEVER) {
        if (sip_stack_deadline(s) > *now_ms)
            *now_ms = sip_stack_deadline(s);
        sip_stack_tick(s, *now_ms);
        drain(s);
        while (sip_stack_event(s, &ev))
            ;
    }
    return (cpu_ns() - t) / n;
}

static void failures(void)
{
    struct sip_stack *s = new_stack();
    uint64_t now_ms = 1;
    double ns = fail(s, MANY, &now_ms);
    struct sip_counters c;
    unsigned long before = n_allocs;

    printf("figure sip.fail_100k.ns %.0f ns\n", ns); /* with 10 repeats each */
    for (unsigned i = 0; i < FAILURES; i += BATCH)
        fail(s, BATCH, &now_ms);
    sip_stack_counters(s, &c);
    printf("figure sip.fail_million.left %.0f bytes\n", (double)c.memory);
    printf("figure sip.fail_million.allocs %.6f allocations\n",
           (double)(n_allocs - before) / FAILURES);
    sip_stack_free(s);
}

int main(void)
{
    write_message();
    messages("keepalive", false);
    messages("challenge", true);
    memory();
    failures();
    return 0;
}
