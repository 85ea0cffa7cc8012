/* What it costs the platform to let a device in, to hear a bound peer and to
 * be deaf to a flood; the stack's part of answering is in it.
 *
 *     bench_admission         figures; thread CPU time, median of BENCH_SAMPLES
 *     bench_admission -n N    N logins and no figures, for callgrind with
 *                             --toggle-collect=hot_login */
#include <stdio.h>
#include <string.h>

#include "app/platform/platform.h"
#include "sip/digest.h"
#include "test/bench/measure.h"

#define ROUND 5000
#define ID "34020000001320000001"
#define REALM "3402000000"

static struct gb_time now = { 1000000, 1700000000000 };
static struct sip_stack *stack;
static struct platform *platform;
static char answer[2048];
static unsigned serial;

static struct sip_peer camera(void)
{
    struct sip_peer p = { .transport = SIP_UDP };

    gb_addr_parse(&p.local, SLICE("192.168.1.1:5060"), 0);
    gb_addr_parse(&p.remote, SLICE("192.168.1.10:5060"), 0);
    return p;
}

static size_t a_register(char *buf, size_t cap, const char *authorization)
{
    serial++;
    return (size_t)snprintf(
        buf, cap,
        "REGISTER sip:34020000002000000001@" REALM " SIP/2.0\r\n"
        "Via: SIP/2.0/UDP 192.168.1.10:5060;rport;branch=z9hG4bK%u\r\n"
        "From: <sip:" ID "@" REALM ">;tag=1\r\nTo: <sip:" ID "@" REALM ">\r\n"
        "Call-ID: b\r\nCSeq: %u REGISTER\r\nMax-Forwards: 70\r\n"
        "Contact: <sip:" ID "@192.168.1.10:5060>\r\nExpires: 3600\r\n"
        "User-Agent: IP Camera\r\n%sContent-Length: 0\r\n\r\n",
        serial, serial, authorization);
}

void hot_login(const struct sip_event *ev);
BENCH_HOT void hot_login(const struct sip_event *ev)
{
    platform_sip(platform, ev, now);
}

static void receive(const char *text, size_t n)
{
    struct sip_peer from = camera();
    struct sip_event ev;
    struct sip_out out;
    struct platform_action a;

    if (!platform_admits(platform, &from, slice_of(text, n), now))
        return;
    sip_stack_input(stack, &from, slice_of(text, n), now.mono_ms);
    while (sip_stack_event(stack, &ev))
        hot_login(&ev);
    while (platform_action(platform, &a))
        ;
    while (sip_stack_output(stack, &out))
        slice_copy(answer, sizeof(answer), out.bytes);
}

/* Question, challenge, answer, 200. */
static void login(void)
{
    char buf[2048], auth[700] = "Authorization: ";
    struct writer w = writer_of(auth + 15, sizeof(auth) - 20);
    struct sip_challenge c;
    const struct sip_answer a = {
        .username = SLICE(ID), .password = SLICE("12345678"),
        .method = SLICE("REGISTER"),
        .uri = SLICE("sip:34020000002000000001@" REALM), .nc = 1,
    };
    size_t at;

    now.mono_ms++; /* a thousand a second, and old answers go */
    now.utc_ms++;
    sip_stack_tick(stack, now.mono_ms);
    receive(buf, a_register(buf, sizeof(buf), ""));
    at = slice_find_slice(slice_str(answer), SLICE("Digest "));
    if (sip_challenge_parse(
            &c, slice_head(slice_str(answer + at),
                           slice_find(slice_str(answer + at), '\r'))) ||
        sip_answer_write(&w, &c, &a))
        bench_fail(answer);
    memcpy(auth + 15 + w.len, "\r\n", 3);
    receive(buf, a_register(buf, sizeof(buf), auth));
    if (memcmp(answer, "SIP/2.0 200", 11))
        bench_fail(answer);
}

static void set_up(void)
{
    struct sip_stack_config sc = { .alloc = &gb_alloc_heap };
    struct platform_config pc = {
        .alloc = &gb_alloc_heap, .id = "34020000002000000001",
        .realm = REALM, .password = "12345678", .auto_enrol = true,
        .registers_per_s = 1000000, /* so many logins in no time */
    };

    if (sip_stack_new(&stack, &sc))
        bench_fail("no memory");
    pc.sip = stack;
    if (platform_new(&platform, &pc, now))
        bench_fail("no memory");
}

static void figure(const char *name, double (*run)(void))
{
    double ns[BENCH_SAMPLES];

    for (int i = 0; i < BENCH_SAMPLES; i++)
        ns[i] = run();
    bench_print(name, "ns", 0, ns, BENCH_SAMPLES);
}

static double logins(void)
{
    double t = bench_cpu_ns();

    for (int i = 0; i < ROUND; i++)
        login();
    return (bench_cpu_ns() - t) / ROUND;
}

static double admits(const char *from, const char *user)
{
    struct sip_peer p = camera();
    char buf[600];
    size_t n = a_register(buf, sizeof(buf), user);
    double t;

    gb_addr_parse(&p.remote, slice_str(from), 5060);
    t = bench_cpu_ns();
    for (int i = 0; i < 100 * ROUND; i++)
        platform_admits(platform, &p, slice_of(buf, n), now);
    return (bench_cpu_ns() - t) / (100 * ROUND);
}

static double bound(void)
{
    return admits("192.168.1.10:5060", "");
}

static double flood(void)
{
    return admits("203.0.113.9:5060", "");
}

static double neighbour_flood(void)
{
    return admits("192.168.1.10:6666", "");
}

int main(int argc, char **argv)
{
    uint32_t n = 0;

    set_up();
    login();
    if (argc == 3 && slice_u32(slice_str(argv[2]), 1000000, &n)) {
        while (n--)
            login();
        return 0;
    }
    figure("platform.login.ns", logins);
    figure("platform.admit.bound.ns", bound);
    figure("platform.admit.flood.ns", flood);
    figure("platform.admit.neighbour_flood.ns", neighbour_flood);
    platform_free(platform);
    sip_stack_free(stack);
    return 0;
}
