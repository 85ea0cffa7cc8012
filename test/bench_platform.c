/* What a device costs the platform, without sockets: memory once it is
 * registered; its first registration, a refresh, a login, a keepalive, each from
 * the bytes of the request to the bytes of the answer, with the stack and the
 * platform and all that they want done about it.
 *
 *     bench_platform         figures; thread CPU time
 *     bench_platform -n N    every hot_NAME for N x 64 messages, for callgrind:
 *                            --toggle-collect=hot_NAME */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/platform/platform.h"
#include "sip/digest.h"
#include "test/bench/measure.h"

#define DEVICES 20000
#define BATCH 64            /* messages that are made, then taken in */
#define MAX_MESSAGE 1200
#define MAX_CHALLENGE 300
#define CHUNK_HEAD 8        /* of the heap, for each allocation */
#define SERVER_ID "34020000002000000001"
#define REALM "3402000000"
#define PASSWORD "12345678"

struct camera {
    char id[21];
    char challenge[MAX_CHALLENGE]; /* value of WWW-Authenticate */
    uint32_t challenge_n, nc, cseq;
    struct sip_peer peer;
};

struct message {
    const struct sip_peer *from;
    char bytes[MAX_MESSAGE];
    size_t n;
};

static struct camera camera[DEVICES];
static struct message message[BATCH];
static struct sip_stack *stack;
static struct platform *platform;
static struct gb_time now = { 1000000, 1700000000000 };
static unsigned serial, next_camera;

/* What the last batch was answered. */
static unsigned answers[700];
static char last_answer[4096];
static size_t last_answer_n;

/* ---- memory ------------------------------------------------------------- */

static size_t platform_bytes;

static void *counting_get(void *ctx, size_t n)
{
    void *p = gb_get(&gb_alloc_heap, n);

    (void)ctx;
    if (p)
        platform_bytes += malloc_usable_size(p) + CHUNK_HEAD;
    return p;
}

static void counting_put(void *ctx, void *p)
{
    (void)ctx;
    if (p)
        platform_bytes -= malloc_usable_size(p) + CHUNK_HEAD;
    gb_put(&gb_alloc_heap, p);
}

static const struct gb_alloc counting = { counting_get, counting_put, NULL };

/* ---- messages ------------------------------------------------------------ */

static void write_head(struct writer *w, struct camera *c, const char *method,
                       const char *to)
{
    char addr[GB_ADDR_TEXT_MAX];

    gb_addr_text(&c->peer.remote, addr);
    serial++;
    c->cseq++;
    writer_f(w, "%s sip:" SERVER_ID "@" REALM " SIP/2.0\r\nVia: SIP/2.0/UDP %s"
                ";rport;branch=z9hG4bK%09u\r\nFrom: <sip:%s@" REALM ">;tag=%09u"
                "\r\nTo: <sip:%s@" REALM ">\r\nCall-ID: %s@%s\r\nCSeq: %u %s\r\n"
                "Max-Forwards: 70\r\nUser-Agent: IP Camera\r\n",
             method, addr, serial, c->id, serial, to, c->id, addr, c->cseq,
             method);
}

static void write_authorization(struct writer *w, struct camera *c)
{
    struct sip_challenge challenge;
    const struct sip_answer answer = {
        .username = slice_str(c->id), .password = SLICE(PASSWORD),
        .method = SLICE("REGISTER"), .uri = SLICE("sip:" SERVER_ID "@" REALM),
        .cnonce = SLICE("0a4f113b"), .nc = ++c->nc,
    };

    if (sip_challenge_parse(&challenge,
                            slice_of(c->challenge, c->challenge_n)))
        bench_fail("a challenge that cannot be read");
    writer_str(w, "Authorization: ");
    if (sip_answer_write(w, &challenge, &answer))
        bench_fail("a challenge that cannot be answered");
    writer_str(w, "\r\n");
}

typedef void write_fn(struct writer *w, struct camera *c);

static void write_bare(struct writer *w, struct camera *c)
{
    char addr[GB_ADDR_TEXT_MAX];

    write_head(w, c, "REGISTER", c->id);
    writer_f(w, "Contact: <sip:%s@%s>\r\nExpires: 3600\r\n"
                "Content-Length: 0\r\n\r\n",
             c->id, gb_addr_text(&c->peer.remote, addr));
}

static void write_authorized(struct writer *w, struct camera *c)
{
    char addr[GB_ADDR_TEXT_MAX];

    write_head(w, c, "REGISTER", c->id);
    write_authorization(w, c);
    writer_f(w, "Contact: <sip:%s@%s>\r\nExpires: 3600\r\n"
                "Content-Length: 0\r\n\r\n",
             c->id, gb_addr_text(&c->peer.remote, addr));
}

static void write_keepalive(struct writer *w, struct camera *c)
{
    char text[300];
    struct writer body = writer_of(text, sizeof(text));

    writer_f(&body, "<?xml version=\"1.0\" encoding=\"GB2312\"?>\r\n<Notify>"
                    "\r\n<CmdType>Keepalive</CmdType>\r\n<SN>%u</SN>\r\n"
                    "<DeviceID>%s</DeviceID>\r\n<Status>OK</Status>\r\n"
                    "</Notify>\r\n",
             serial, c->id);
    write_head(w, c, "MESSAGE", SERVER_ID);
    writer_f(w, "Content-Type: Application/MANSCDP+xml\r\n"
                "Content-Length: %zu\r\n\r\n", body.len);
    writer_slice_put(w, writer_slice(&body));
}

/* One message of each of the next BATCH cameras. */
static void make_batch(write_fn *write)
{
    for (size_t i = 0; i < BATCH; i++) {
        struct camera *c = &camera[next_camera++ % DEVICES];
        struct writer w = writer_of(message[i].bytes, MAX_MESSAGE);

        write(&w, c);
        if (w.err)
            bench_fail("a message does not fit");
        message[i].n = w.len;
        message[i].from = &c->peer;
    }
}

/* ---- the work ------------------------------------------------------------ */

/* next: what comes behind it, or NULL. */
static void take(const struct message *m, const struct message *next)
{
    struct platform_action action;
    struct sip_event ev;
    struct sip_out out;

    sip_stack_input(stack, m->from, slice_of(m->bytes, m->n), now.mono_ms);
    if (next)
        sip_stack_ahead(stack, slice_of(next->bytes, next->n));
    while (sip_stack_event(stack, &ev))
        platform_sip(platform, &ev, now);
    while (platform_action(platform, &action))
        BENCH_KEEP(&action);
    while (sip_stack_output(stack, &out)) {
        last_answer_n = out.bytes.n < sizeof(last_answer) ? out.bytes.n : 0;
        memcpy(last_answer, out.bytes.p, last_answer_n);
    }
}

void hot_contact(void);
void hot_register(void);
void hot_keepalive(void);
void hot_challenge(void);

static void take_all(unsigned status)
{
    for (size_t i = 0; i < BATCH; i++) {
        uint32_t got = 0;

        take(&message[i], i + 1 < BATCH ? &message[i + 1] : NULL);
        (void)slice_u32(slice_head(slice_from(slice_of(last_answer,
                                                       last_answer_n), 8), 3),
                        699, &got);
        answers[got]++;
        if (got != status)
            bench_fail("an unexpected answer");
    }
    now.mono_ms += 10;
    now.utc_ms += 10;
    sip_stack_tick(stack, now.mono_ms);
}

/* Four functions, so that callgrind can tell them apart. */
BENCH_HOT void hot_contact(void)
{
    take_all(200);
    BENCH_KEEP(&answers[3]);
}

BENCH_HOT void hot_register(void)
{
    take_all(200);
    BENCH_KEEP(&answers[0]);
}

BENCH_HOT void hot_keepalive(void)
{
    take_all(200);
    BENCH_KEEP(&answers[1]);
}

BENCH_HOT void hot_challenge(void)
{
    take_all(401);
    BENCH_KEEP(&answers[2]);
}

/* ---- set-up --------------------------------------------------------------- */

static void start(void)
{
    struct sip_stack_config sc = { .alloc = &gb_alloc_heap,
                                   .user_agent = "gb28181d" };
    struct platform_config pc = {
        .alloc = &counting, .id = SERVER_ID, .realm = REALM,
        .password = PASSWORD, .auto_enrol = true, .timezone_min = 480,
        .max_devices = DEVICES, .rate_per_s = 1000000, .rate_burst = 1000000,
        .strangers_per_s = 1000000, .registers_per_s = 1000000,
        .port_min = 30002, .port_max = 30999,
    };

    memset(sc.seed, 1, sizeof(sc.seed));
    memset(pc.seed, 2, sizeof(pc.seed));
    if (sip_stack_new(&stack, &sc))
        bench_fail("no memory");
    pc.sip = stack;
    if (platform_new(&platform, &pc, now))
        bench_fail("no memory");
    for (unsigned i = 0; i < DEVICES; i++) {
        struct camera *c = &camera[i];

        snprintf(c->id, sizeof(c->id), "3402000000132%07u", i);
        c->peer = (struct sip_peer){
            .transport = SIP_UDP,
            .local = { GB_IPV4, { 192, 0, 2, 1 }, 5060 },
            .remote = { GB_IPV4, { 10, 0, (uint8_t)(i >> 8), (uint8_t)i },
                        5060 },
        };
    }
}

static void learn_challenge(struct camera *c)
{
    static struct sip_msg m;
    struct slice value;

    if (sip_msg_parse(&m, slice_of(last_answer, last_answer_n), SIP_DATAGRAM,
                      NULL))
        bench_fail("an answer that cannot be read");
    value = sip_msg_value(&m, SIP_HDR_WWW_AUTHENTICATE);
    if (value.n == 0 || value.n > MAX_CHALLENGE)
        bench_fail("no challenge");
    memcpy(c->challenge, value.p, value.n);
    c->challenge_n = (uint32_t)value.n;
    c->nc = 0;
}

static void one(struct camera *c, write_fn *write)
{
    struct message m = { .from = &c->peer };
    struct writer w = writer_of(m.bytes, MAX_MESSAGE);

    write(&w, c);
    m.n = w.len;
    take(&m, NULL);
}

/* All devices ask, then answer; the bytes of the platform for each. */
static double register_all(unsigned n)
{
    size_t before;

    for (unsigned i = 0; i < n; i++) {
        one(&camera[i], write_bare);
        learn_challenge(&camera[i]);
    }
    before = platform_bytes;
    for (unsigned i = 0; i < n; i++) {
        one(&camera[i], write_authorized);
        if (!slice_has_prefix(slice_of(last_answer, last_answer_n),
                              SLICE("SIP/2.0 200")))
            bench_fail("a device is not registered");
        now.mono_ms += i % 100 == 0;
        sip_stack_tick(stack, now.mono_ms);
    }
    return (double)(platform_bytes - before) / n;
}

static void measure(const char *name, write_fn *write, void (*hot)(void))
{
    double ns[BENCH_SAMPLES];

    for (size_t i = 0; i < BENCH_SAMPLES; i++) {
        double total = 0;

        for (unsigned k = 0; k < 100; k++) {
            double begin;

            make_batch(write);
            begin = bench_cpu_ns();
            hot();
            total += bench_cpu_ns() - begin;
        }
        ns[i] = total / 100 / BATCH;
    }
    bench_print(name, "ns", 0, ns, BENCH_SAMPLES);
}

/* The next BATCH cameras register for the first time. */
static void first_contact(unsigned first)
{
    for (unsigned i = first; i < first + BATCH; i++) {
        one(&camera[i % DEVICES], write_bare);
        learn_challenge(&camera[i % DEVICES]);
    }
    next_camera = first;
    make_batch(write_authorized);
    hot_contact();
}

static void count(unsigned n)
{
    register_all(BATCH); /* the first, whose turn comes again and again */
    for (unsigned i = 0; i < n; i++) {
        if ((i + 2) * BATCH < DEVICES)
            first_contact((i + 1) * BATCH);
        next_camera = 0;
        make_batch(write_authorized);
        hot_register();
        next_camera = 0;
        make_batch(write_keepalive);
        hot_keepalive();
        next_camera = 0;
        make_batch(write_bare);
        hot_challenge();
    }
}

int main(int argc, char **argv)
{
    uint32_t n;

    start();
    if (argc == 3 && strcmp(argv[1], "-n") == 0) {
        if (!slice_u32(slice_str(argv[2]), 1000000, &n))
            bench_fail("-n NUMBER");
        count(n);
    } else {
        printf("figure device.bytes %.0f B\n", register_all(DEVICES));
        printf("figure sip.device.bytes %.0f B\n",
               (double)platform_sip_bytes(platform) / DEVICES);
        measure("platform.register.ns", write_authorized, hot_register);
        measure("platform.keepalive.ns", write_keepalive, hot_keepalive);
        measure("platform.challenge.ns", write_bare, hot_challenge);
    }
    platform_free(platform);
    sip_stack_free(stack);
    return 0;
}
