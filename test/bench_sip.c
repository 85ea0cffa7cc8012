/* What a SIP message costs before it can be routed, and after: the mean over
 * the messages of test/bench/corpus.h, every field read twice and compared
 * before anything is timed.
 *
 *     bench_sip         figures, each beside the limit program in the same run
 *     bench_sip -n N    every hot_NAME N times for each message, for callgrind:
 *                       --toggle-collect=hot_NAME
 *     bench_sip -v      each message by itself as well */
#include <stdio.h>
#include <string.h>

#include "sip/build.h"
#include "sip/digest.h"
#include "sip/value.h"
#include "test/bench/corpus.h"
#include "test/bench/limit.h"
#include "test/bench/measure.h"

#define DIGEST_MESSAGE 3 /* of the corpus: the one with credentials */

static struct bench_corpus corpus;
static struct sip_msg m;
static struct bench_fields out;
static struct sip_ha1 ha1;

/* ---- the work ---------------------------------------------------------- */

/* Parses, and picks out what bench_fields has. */
static int extract(struct slice bytes, struct bench_fields *f)
{
    struct sip_addr contact;
    int err = sip_msg_parse(&m, bytes, SIP_DATAGRAM, NULL);

    if (err)
        return err;
    f->status = m.status;
    f->method = m.method_name;
    f->uri_user = m.is_request ? m.uri.user : slice_of(NULL, 0);
    f->call_id = m.call_id;
    f->from_user = m.from.uri.user;
    f->from_tag = m.from.tag;
    f->to_user = m.to.uri.user;
    f->to_tag = m.to.tag;
    f->via_host = m.via.host;
    f->via_branch = m.via.branch;
    f->cseq = m.cseq.number;
    f->contact_user = slice_of(NULL, 0);
    if (sip_msg_contact(&m, &contact) == 0)
        f->contact_user = contact.uri.user;
    f->expires = sip_msg_expires(&m, NULL);
    f->content_type = sip_msg_value(&m, SIP_HDR_CONTENT_TYPE);
    f->body = m.body;
    return 0;
}

static int type_list(enum sip_hdr id)
{
    struct sip_walk k = sip_msg_walk(&m, id);
    struct slice elem;
    int err = 0;

    while (sip_walk_next(&k, &elem)) {
        struct sip_addr addr;

        if (id == SIP_HDR_ROUTE || id == SIP_HDR_CONTACT)
            err |= sip_addr_parse(&addr, elem, NULL);
        else if (id == SIP_HDR_ALLOW)
            err |= sip_method_lookup(elem) == SIP_METHOD_OTHER;
        BENCH_KEEP(&addr);
    }
    return err;
}

/* A header that sip_msg_parse leaves as text. */
static int type_field(const struct sip_field *f)
{
    struct sip_credentials credentials;
    struct sip_subject subject;
    struct sip_ctype ctype;
    uint32_t seconds = 0;
    int err = 0;

    switch (f->id) {
    case SIP_HDR_CONTACT:
    case SIP_HDR_ROUTE:
    case SIP_HDR_ALLOW:
    case SIP_HDR_SUPPORTED:
        return type_list((enum sip_hdr)f->id);
    case SIP_HDR_EXPIRES:
        err = !sip_seconds_parse(f->value, &seconds);
        BENCH_KEEP(&seconds);
        return err;
    case SIP_HDR_CONTENT_TYPE:
        err = sip_ctype_parse(&ctype, f->value);
        BENCH_KEEP(&ctype);
        return err;
    case SIP_HDR_SUBJECT:
        sip_subject_parse(&subject, f->value);
        BENCH_KEEP(&subject);
        return 0;
    case SIP_HDR_AUTHORIZATION:
        err = sip_credentials_parse(&credentials, f->value);
        BENCH_KEEP(&credentials);
        return err;
    default:
        return 0;
    }
}

static int type_all(struct slice bytes)
{
    int err = sip_msg_parse(&m, bytes, SIP_DATAGRAM, NULL);

    for (size_t i = 0; i < m.n_fields && !err; i++)
        err = type_field(&m.fields[i]);
    return err;
}

static int respond(struct slice bytes)
{
    static char echo[4096], text[8192];
    const struct gb_addr source = { GB_IPV4, { 192, 0, 2, 10 }, 5060 };
    struct sip_response_parts p = { .status = 200, .expires = 3600 };
    struct writer w = writer_of(echo, sizeof(echo));
    int err = sip_msg_parse(&m, bytes, SIP_DATAGRAM, NULL);

    if (err)
        return err;
    (void)sip_echo_write(&w, &m, &source, SLICE("7d865e95"));
    p.echo = writer_slice(&w);
    w = writer_of(text, sizeof(text));
    return sip_response_build(&w, &p);
}

/* ---- timed and counted ------------------------------------------------- */

int hot_extract(const struct bench_sample *s, unsigned n);
int hot_typed(const struct bench_sample *s, unsigned n);
int hot_respond(const struct bench_sample *s, unsigned n);
int hot_digest(struct slice authorization, unsigned n);
int hot_limit(const struct bench_sample *s, unsigned n);

BENCH_HOT int hot_extract(const struct bench_sample *s, unsigned n)
{
    int err = 0;

    for (unsigned i = 0; i < n; i++) {
        err |= extract(s->variant[i % BENCH_VARIANTS], &out);
        BENCH_KEEP(&out);
    }
    return err;
}

BENCH_HOT int hot_typed(const struct bench_sample *s, unsigned n)
{
    int err = 0;

    for (unsigned i = 0; i < n; i++)
        err |= type_all(s->variant[i % BENCH_VARIANTS]);
    return err;
}

BENCH_HOT int hot_respond(const struct bench_sample *s, unsigned n)
{
    int err = 0;

    for (unsigned i = 0; i < n; i++)
        err |= respond(s->variant[i % BENCH_VARIANTS]);
    return err;
}

BENCH_HOT int hot_limit(const struct bench_sample *s, unsigned n)
{
    int err = 0;

    for (unsigned i = 0; i < n; i++) {
        err |= bench_limit_sip(s->variant[i % BENCH_VARIANTS], &out);
        BENCH_KEEP(&out);
    }
    return err;
}

/* The credentials are made up: what is asked is what saying no costs. */
BENCH_HOT int hot_digest(struct slice authorization, unsigned n)
{
    struct sip_credentials c;
    int err = 0;

    for (unsigned i = 0; i < n; i++)
        err |= sip_credentials_parse(&c, authorization) ||
               sip_digest_check(&c, SLICE("REGISTER"), &ha1);
    return err;
}

/* ---- rounds ------------------------------------------------------------ */

struct range {
    size_t first, last; /* messages */
    int (*hot)(const struct bench_sample *s, unsigned n);
};

static void each(int (*hot)(const struct bench_sample *s, unsigned n),
                 const struct range *r, unsigned rounds)
{
    for (unsigned k = 0; k < rounds; k++)
        for (size_t i = r->first; i < r->last; i++)
            if (hot(&corpus.message[i], BENCH_VARIANTS))
                bench_fail(corpus.message[i].name);
}

static void work(void *ctx, unsigned rounds)
{
    struct range *r = ctx;

    each(r->hot, r, rounds);
}

static void limit(void *ctx, unsigned rounds)
{
    each(hot_limit, ctx, rounds);
}

static void digest(void *ctx, unsigned rounds)
{
    struct slice *authorization = ctx;

    if (hot_digest(*authorization, rounds * BENCH_VARIANTS))
        bench_fail("digest");
}

static struct slice find_credentials(void)
{
    if (sip_msg_parse(&m, corpus.message[DIGEST_MESSAGE].variant[0],
                      SIP_DATAGRAM, NULL))
        bench_fail("parse");
    return sip_msg_value(&m, SIP_HDR_AUTHORIZATION);
}

static void count(unsigned n)
{
    const struct range all = { 0, BENCH_MESSAGES, NULL };
    struct slice authorization = find_credentials();

    for (size_t i = all.first; i < all.last; i++) {
        const struct bench_sample *s = &corpus.message[i];

        if (hot_extract(s, n) || hot_typed(s, n) || hot_respond(s, n) ||
            hot_limit(s, n) || hot_digest(authorization, n))
            bench_fail(s->name);
    }
    printf("%u messages\n", n * BENCH_MESSAGES);
}

static void print_each(struct bench_result *r)
{
    for (size_t i = 0; i < BENCH_MESSAGES; i++) {
        struct range one = { i, i + 1, hot_extract };

        bench_run(r, work, limit, &one, BENCH_VARIANTS);
        printf("%-34s %4zu bytes %7.1f ns %5.2f times the limit\n",
               corpus.message[i].name, corpus.message[i].variant[0].n,
               bench_median(r->ns, BENCH_SAMPLES),
               bench_median(r->x, BENCH_SAMPLES));
    }
}

static double mean_bytes(void)
{
    size_t n = 0;

    for (size_t i = 0; i < BENCH_MESSAGES; i++)
        n += corpus.message[i].variant[0].n;
    return (double)n / BENCH_MESSAGES;
}

static void figures(void)
{
    static const struct {
        const char *name;
        int (*hot)(const struct bench_sample *s, unsigned n);
    } jobs[] = {
        { "sip.extract", hot_extract },
        { "sip.typed", hot_typed },
        { "sip.respond", hot_respond },
    };
    const double n = BENCH_MESSAGES * BENCH_VARIANTS;
    struct slice authorization = find_credentials();
    struct bench_result r;

    printf("# limit: %s\n", bench_limit_kind());
    for (size_t i = 0; i < sizeof(jobs) / sizeof(jobs[0]); i++) {
        struct range all = { 0, BENCH_MESSAGES, jobs[i].hot };

        bench_run(&r, work, limit, &all, n);
        bench_print_result(jobs[i].name, &r);
    }
    bench_run(&r, digest, NULL, &authorization, BENCH_VARIANTS);
    bench_print_result("sip.digest", &r);
    printf("figure sip.extract.bytes %.1f bytes\n", mean_bytes());
}

int main(int argc, char **argv)
{
    static struct bench_result r;
    uint32_t n;

    bench_corpus_load(&corpus);
    sip_ha1_make(&ha1, SIP_DIGEST_MD5, SLICE("34020000001180000001"),
                 SLICE("3402000000"), SLICE("12345678"));
    if (argc == 3 && strcmp(argv[1], "-n") == 0) {
        if (!slice_u32(slice_str(argv[2]), 10000000, &n))
            bench_fail("-n NUMBER");
        count(n);
        return 0;
    }
    bench_corpus_verify(&corpus, "limit", bench_limit_sip);
    bench_corpus_verify(&corpus, "sip", extract);
    if (argc == 2 && strcmp(argv[1], "-v") == 0)
        print_each(&r);
    figures();
    return 0;
}
