/* What the SIP stack costs: a keepalive through all of it (message in, event,
 * 200 out), a registration with digest, the same keepalive once more, a
 * stranger refused without state; the bytes of a finished transaction; a
 * hundred thousand transactions at once; a million that fail.
 *
 *     bench_stack            figures; thread CPU time, median of REPEATS
 *     bench_stack -n N KIND  N exchanges of one kind, for callgrind with
 *                            --toggle-collect=one_exchange */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "sip/digest.h"
#include "sip/stack.h"
#include "sip/value.h"

#define REPEATS 9
#define ROUND 20000
#define MANY 100000
#define FAILURES 1000000
#define BATCH 2000

static unsigned long n_allocs;
static size_t live_bytes; /* asked for and not given back */

/* Each block remembers its size. */
static void *counting_get(void *ctx, size_t n)
{
    char *p = gb_get(&gb_alloc_heap, n + 16);

    (void)ctx;
    if (!p)
        return NULL;
    n_allocs++;
    live_bytes += n;
    memcpy(p, &n, sizeof(n));
    return p + 16;
}

static void counting_put(void *ctx, void *p)
{
    size_t n;

    (void)ctx;
    if (!p)
        return;
    memcpy(&n, (char *)p - 16, sizeof(n));
    live_bytes -= n;
    gb_put(&gb_alloc_heap, (char *)p - 16);
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

/* A message that comes again and again: the same each time, but for nine
 * digits in branch, tag, Call-ID. */
struct template {
    char p[1024];
    size_t n, digits_at[3];
};

static struct template keepalive, registration;

static void find_digits(struct template *t)
{
    size_t from = 0;

    for (int i = 0; i < 3; i++) {
        struct slice rest = slice_of(t->p + from, t->n - from);

        t->digits_at[i] = from + slice_find_slice(rest, SLICE("@@@@@@@@@"));
        from = t->digits_at[i] + 9;
    }
}

static void write_keepalive(void)
{
    static const char body[] =
        "<?xml version=\"1.0\"?>\r\n<Notify>\r\n<CmdType>Keepalive</CmdType>"
        "\r\n<SN>7</SN>\r\n<DeviceID>34020000001320000001</DeviceID>\r\n"
        "<Status>OK</Status>\r\n</Notify>\r\n";

    keepalive.n = (size_t)snprintf(
        keepalive.p, sizeof(keepalive.p),
        "MESSAGE sip:34020000002000000001@3402000000 SIP/2.0\r\n"
        "Via: SIP/2.0/UDP 192.0.2.10:5060;rport;branch=z9hG4bK@@@@@@@@@\r\n"
        "From: <sip:34020000001320000001@3402000000>;tag=@@@@@@@@@\r\n"
        "To: <sip:34020000002000000001@3402000000>\r\n"
        "Call-ID: @@@@@@@@@x@192.0.2.10\r\nCSeq: 20 MESSAGE\r\n"
        "Content-Type: Application/MANSCDP+xml\r\nMax-Forwards: 70\r\n"
        "User-Agent: IP Camera\r\nContent-Length: %zu\r\n\r\n%s",
        sizeof(body) - 1, body);
    find_digits(&keepalive);
}

static struct sip_ha1 ha1;

static void write_registration(void)
{
    static const char nonce[] = "65f0a1b2c3d4e5f60718293a4b5c6d7e";
    struct sip_challenge c = { .alg = SIP_DIGEST_MD5,
                               .realm = SLICE("3402000000"),
                               .nonce = SLICE(nonce) };
    struct sip_answer a = { .username = SLICE("34020000001320000001"),
                            .password = SLICE("12345678"),
                            .method = SLICE("REGISTER"),
                            .uri = SLICE("sip:34020000002000000001@"
                                         "3402000000") };
    char value[512];
    struct writer w = writer_of(value, sizeof(value));

    sip_ha1_make(&ha1, SIP_DIGEST_MD5, a.username, c.realm, a.password);
    if (sip_answer_write(&w, &c, &a))
        abort();
    registration.n = (size_t)snprintf(
        registration.p, sizeof(registration.p),
        "REGISTER sip:34020000002000000001@3402000000 SIP/2.0\r\n"
        "Via: SIP/2.0/UDP 192.0.2.10:5060;rport;branch=z9hG4bK@@@@@@@@@\r\n"
        "From: <sip:34020000001320000001@3402000000>;tag=@@@@@@@@@\r\n"
        "To: <sip:34020000001320000001@3402000000>\r\n"
        "Call-ID: @@@@@@@@@x@192.0.2.10\r\nCSeq: 2 REGISTER\r\n"
        "Contact: <sip:34020000001320000001@192.0.2.10:5060>\r\n"
        "Authorization: %.*s\r\nMax-Forwards: 70\r\n"
        "User-Agent: IP Camera\r\nExpires: 3600\r\n"
        "Content-Length: 0\r\n\r\n",
        (int)w.len, w.p);
    find_digits(&registration);
}

static struct slice number(struct template *t, unsigned n)
{
    for (int i = 0; i < 3; i++) {
        unsigned rest = n;

        for (int k = 8; k >= 0; k--, rest /= 10)
            t->p[t->digits_at[i] + (size_t)k] = (char)('0' + rest % 10);
    }
    return slice_of(t->p, t->n);
}

static void drain(struct sip_stack *s)
{
    struct sip_out out;

    while (sip_stack_output(s, &out))
        ;
}

/* What a registrar does with the credentials, and its 200. */
static void welcome(struct sip_stack *s, const struct sip_event *ev,
                    uint64_t now_ms)
{
    struct sip_extra extra[] = {
        { SLICE_INIT("Date"), SLICE_INIT("2026-01-02T03:04:05.678") },
        { SLICE_INIT("X-GB-Ver"), SLICE_INIT("3.0") },
    };
    struct sip_response r = { .status = 200, .expires = 3600, .extra = extra,
                              .n_extra = 2 };
    struct sip_credentials c;
    struct sip_addr contact;

    if (sip_credentials_parse(&c, sip_msg_value(ev->msg,
                                                SIP_HDR_AUTHORIZATION)) ||
        !sip_digest_check(&c, SLICE("REGISTER"), &ha1) ||
        sip_msg_contact(ev->msg, &contact))
        abort();
    r.contact = contact.uri.text;
    sip_stack_respond(s, ev->transaction, &r, now_ms);
}

enum kind { KEEPALIVE, REPEAT, REGISTER, CHALLENGE, STRANGER, KINDS };

static const char *const kind_names[KINDS] = {
    [KEEPALIVE] = "keepalive", [REPEAT] = "repeat", [REGISTER] = "register",
    [CHALLENGE] = "challenge", [STRANGER] = "stranger",
};

/* The layer above has its say. */
static void handle(struct sip_stack *s, enum kind kind, uint64_t now_ms)
{
    struct sip_response r = { .status = 200, .expires = -1 };
    struct sip_event ev;

    while (sip_stack_event(s, &ev)) {
        switch (kind) {
        case KEEPALIVE:
        case REPEAT:
            sip_stack_respond(s, ev.transaction, &r, now_ms);
            break;
        case REGISTER:
            welcome(s, &ev, now_ms);
            break;
        case CHALLENGE:
        case STRANGER:
            r.status = kind == CHALLENGE ? 401 : 403;
            sip_stack_respond_stateless(s, ev.transaction, &r, now_ms);
            break;
        case KINDS:
            break;
        }
    }
}

void one_exchange(struct sip_stack *s, enum kind kind, unsigned n,
                  uint64_t now_ms);

/* Has external linkage, so that it is a name for callgrind. */
void one_exchange(struct sip_stack *s, enum kind kind, unsigned n,
                  uint64_t now_ms)
{
    struct template *t = kind == REGISTER ? &registration : &keepalive;

    sip_stack_input(s, &device, slice_of(t->p, t->n), now_ms);
    handle(s, kind, now_ms);
    drain(s);
    sip_stack_tick(s, now_ms);
    (void)n;
}

static void one(struct sip_stack *s, enum kind kind, unsigned n,
                uint64_t now_ms)
{
    number(kind == REGISTER ? &registration : &keepalive,
           kind == REPEAT ? 0 : n);
    one_exchange(s, kind, n, now_ms);
}

/* One message a millisecond, so that 32,000 transactions are alive. */
static void exchanges(enum kind kind)
{
    struct sip_stack *s = new_stack();
    unsigned n = 0;
    double ns[REPEATS];
    unsigned long before = 0;

    for (; n < 40000; n++)
        one(s, kind, n, n);
    before = n_allocs;
    for (int i = 0; i < REPEATS; i++) {
        double t = cpu_ns();

        for (unsigned k = 0; k < ROUND; k++, n++)
            one(s, kind, n, n);
        ns[i] = (cpu_ns() - t) / ROUND;
    }
    qsort(ns, REPEATS, sizeof(ns[0]), by_value);
    printf("figure sip.%s.ns %.0f ns\n", kind_names[kind], ns[REPEATS / 2]);
    printf("figure sip.%s.allocs %.6f allocations\n", kind_names[kind],
           (double)(n_allocs - before) / (REPEATS * ROUND));
    sip_stack_free(s);
}

/* All that the allocator was asked for, tables and all. */
static void memory(const char *name, enum kind kind)
{
    struct sip_stack *s = new_stack();
    size_t before;

    one(s, kind, 0, 1);
    before = live_bytes;
    for (unsigned n = 1; n <= 10000; n++)
        one(s, kind, n, 1);
    printf("figure %s %.0f bytes\n", name,
           (double)(live_bytes - before) / 10000);
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

static int only(const char *kind, unsigned n)
{
    struct sip_stack *s = new_stack();
    int k = 0;

    while (k < KINDS && strcmp(kind, kind_names[k]))
        k++;
    for (unsigned i = 0; k < KINDS && i < n; i++)
        one(s, (enum kind)k, i, i);
    sip_stack_free(s);
    return k < KINDS ? 0 : 2;
}

int main(int argc, char **argv)
{
    write_keepalive();
    write_registration();
    if (argc == 4 && !strcmp(argv[1], "-n"))
        return only(argv[3], (unsigned)strtoul(argv[2], NULL, 10));
    for (int k = 0; k < KINDS; k++)
        exchanges((enum kind)k);
    memory("sip.transaction.bytes", KEEPALIVE);
    memory("sip.transaction_register.bytes", REGISTER);
    failures();
    return 0;
}
