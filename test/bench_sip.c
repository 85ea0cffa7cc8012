/* What a SIP message costs before it can be routed: parse, and pick out start
 * line, Request-URI user, users and tags of From and To, host and branch of the
 * top Via, Call-ID, CSeq, user of Contact, Expires, Content-Type and body. The
 * mean over the captures and a REGISTER with credentials.
 *
 *     bench_sip         figures; thread CPU time, median of REPEATS
 *     bench_sip -n N    hot_extract N times for each message, for callgrind:
 *                       --toggle-collect=hot_extract
 *     bench_sip -v      each message by itself as well */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sip/build.h"
#include "sip/digest.h"
#include "sip/frame.h"
#include "sip/value.h"

#define DIR_NAME "test/data/sip"
#define MAX_MESSAGES 32
#define REPEATS 15
#define ROUND 4000
#define COPIES 16 /* at different addresses, so that no branch learns one */

static const char digest_register[] =
    "REGISTER sip:34020000002000000001@3402000000 SIP/2.0\r\n"
    "Via: SIP/2.0/UDP 192.0.2.10:5060;rport;branch=z9hG4bK1371463274\r\n"
    "From: <sip:34020000001320000001@3402000000>;tag=2043466181\r\n"
    "To: <sip:34020000001320000001@3402000000>\r\n"
    "Call-ID: 1011047669@192.0.2.10\r\n"
    "CSeq: 2 REGISTER\r\n"
    "Contact: <sip:34020000001320000001@192.0.2.10:5060>\r\n"
    "Authorization: Digest username=\"34020000001320000001\", "
    "realm=\"3402000000\", nonce=\"6fe9ba44a76be22a\", "
    "uri=\"sip:34020000002000000001@3402000000\", "
    "response=\"6a2143ae65b119e276a75f0a4a8992b7\", algorithm=MD5\r\n"
    "Max-Forwards: 70\r\n"
    "User-Agent: Example IPC\r\n"
    "Expires: 86400\r\n"
    "X-GB-Ver: 3.0\r\n"
    "Content-Length: 0\r\n\r\n";

struct fields {
    struct slice method, uri_user, from_user, from_tag, to_user, to_tag,
        via_host, via_branch, call_id, contact_user, content_type, body;
    uint32_t cseq;
    unsigned status;
    int64_t expires;
};

struct sample {
    char name[64];
    struct slice copy[COPIES];
};

static struct sample samples[MAX_MESSAGES];
static size_t n_samples;
static struct sip_msg m;
static struct fields out;

__attribute__((noinline)) int hot_extract(struct slice bytes);

/* The fixed unit of work that is timed and counted. */
int hot_extract(struct slice bytes)
{
    struct sip_addr contact;
    int err = sip_msg_parse(&m, bytes, SIP_DATAGRAM, NULL);

    if (err)
        return err;
    out.method = m.method_name;
    out.status = m.status;
    out.uri_user = m.uri.user;
    out.from_user = m.from.uri.user;
    out.from_tag = m.from.tag;
    out.to_user = m.to.uri.user;
    out.to_tag = m.to.tag;
    out.via_host = m.via.host;
    out.via_branch = m.via.branch;
    out.call_id = m.call_id;
    out.cseq = m.cseq.number;
    out.contact_user = slice_of(NULL, 0);
    if (sip_msg_contact(&m, &contact) == 0)
        out.contact_user = contact.uri.user;
    out.expires = sip_msg_expires(&m, NULL);
    out.content_type = sip_msg_value(&m, SIP_HDR_CONTENT_TYPE);
    out.body = m.body;
    return 0;
}

static void fail(const char *what)
{
    fprintf(stderr, "bench_sip: %s\n", what);
    exit(1);
}

/* Copies of bytes, each with its own address modulo 64. */
static void add(const char *name, const char *bytes, size_t n)
{
    struct sample *s = &samples[n_samples++];

    snprintf(s->name, sizeof(s->name), "%s", name);
    for (size_t i = 0; i < COPIES; i++) {
        char *p = malloc(n + 128);

        if (!p)
            fail("no memory");
        memcpy(p + i * 5, bytes, n);
        s->copy[i] = slice_of(p + i * 5, n);
    }
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct sample *)a)->name,
                  ((const struct sample *)b)->name);
}

static void load(void)
{
    static char bytes[65536];
    DIR *d = opendir(DIR_NAME);
    struct dirent *e;

    if (!d)
        fail("no " DIR_NAME ": run from the top of the repository");
    while ((e = readdir(d)) && n_samples + 1 < MAX_MESSAGES) {
        size_t len = strlen(e->d_name), n;
        char path[512];
        FILE *f;

        if (len < 4 || strcmp(e->d_name + len - 4, ".sip"))
            continue;
        snprintf(path, sizeof(path), DIR_NAME "/%s", e->d_name);
        f = fopen(path, "rb");
        if (!f)
            fail(path);
        n = fread(bytes, 1, sizeof(bytes), f);
        fclose(f);
        add(e->d_name, bytes, n);
    }
    closedir(d);
    qsort(samples, n_samples, sizeof(samples[0]), by_name);
    add("register-digest", digest_register, sizeof(digest_register) - 1);
    for (size_t i = 0; i < n_samples; i++)
        if (hot_extract(samples[i].copy[0]) || out.call_id.n == 0 ||
            out.from_user.n != 20 || out.via_branch.n == 0)
            fail(samples[i].name);
}

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

typedef void job_fn(size_t first, size_t last, unsigned rounds);

/* ns for one message of [first, last): median over the repetitions. */
static double median(job_fn *job, size_t first, size_t last)
{
    double ns[REPEATS];

    job(first, last, ROUND / 10);
    for (size_t r = 0; r < REPEATS; r++) {
        double begin = cpu_ns();

        job(first, last, ROUND);
        ns[r] = (cpu_ns() - begin) / ROUND / (double)(last - first);
    }
    qsort(ns, REPEATS, sizeof(ns[0]), by_value);
    return ns[REPEATS / 2];
}

static void extract(size_t first, size_t last, unsigned rounds)
{
    for (unsigned r = 0; r < rounds; r++)
        for (size_t i = first; i < last; i++)
            if (hot_extract(samples[i].copy[r % COPIES]))
                fail("parse");
}

static void respond(size_t first, size_t last, unsigned rounds)
{
    static char echo[4096], text[8192];
    struct gb_addr source = { GB_IPV4, { 192, 0, 2, 10 }, 5060 };

    for (unsigned r = 0; r < rounds; r++) {
        for (size_t i = first; i < last; i++) {
            struct sip_response_parts p = { .status = 200, .expires = 3600 };
            struct writer w = writer_of(echo, sizeof(echo));

            if (sip_msg_parse(&m, samples[i].copy[r % COPIES], SIP_DATAGRAM,
                              NULL))
                fail("parse");
            (void)sip_echo_write(&w, &m, &source, SLICE("7d865e95"));
            p.echo = writer_slice(&w);
            w = writer_of(text, sizeof(text));
            if (sip_response_build(&w, &p))
                fail("response");
        }
    }
}

static void verify_digest(size_t first, size_t last, unsigned rounds)
{
    struct sip_ha1 ha1;

    (void)first;
    (void)last;
    sip_ha1_make(&ha1, SIP_DIGEST_MD5, SLICE("34020000001320000001"),
                 SLICE("3402000000"), SLICE("12345678"));
    if (hot_extract(samples[n_samples - 1].copy[0]))
        fail("parse");
    for (unsigned r = 0; r < rounds; r++) {
        struct sip_credentials c;

        if (sip_credentials_parse(
                &c, sip_msg_value(&m, SIP_HDR_AUTHORIZATION)) ||
            !sip_digest_check(&c, SLICE("REGISTER"), &ha1))
            fail("digest");
    }
}

static size_t mean_bytes(void)
{
    size_t n = 0;

    for (size_t i = 0; i < n_samples; i++)
        n += samples[i].copy[0].n;
    return n / n_samples;
}

int main(int argc, char **argv)
{
    uint32_t n;

    load();
    if (argc == 3 && strcmp(argv[1], "-n") == 0) {
        if (!slice_u32(slice_str(argv[2]), 10000000, &n))
            fail("-n NUMBER");
        extract(0, n_samples, n);
        printf("hot_extract: %zu messages, %u times each\n", n_samples, n);
        return 0;
    }
    for (size_t i = 0; argc == 2 && i < n_samples; i++)
        printf("%-34s %4zu bytes %7.1f ns\n", samples[i].name,
               samples[i].copy[0].n, median(extract, i, i + 1));
    printf("figure sip.extract.ns %.1f ns\n",
           median(extract, 0, n_samples));
    printf("figure sip.extract.bytes %zu bytes\n", mean_bytes());
    printf("figure sip.respond.ns %.1f ns\n", median(respond, 0, n_samples));
    printf("figure sip.digest.ns %.1f ns\n",
           median(verify_digest, 0, 1));
    return 0;
}
