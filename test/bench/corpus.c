#include "test/bench/corpus.h"

#include <stdio.h>
#include <stdlib.h>

#include "test/bench/measure.h"

#define MAX_MESSAGE 4096
#define VARIED_RUN 8 /* digits in a row that are an id, a tag or a branch */
#define VARIED 6     /* of these, the last ones */

/* The second REGISTER of a login by the recorder of register-dahua-nvr.sip. */
static const char digest_register[] =
    "REGISTER sip:34020000002000000001@192.168.1.125:5060 SIP/2.0\r\n"
    "Call-ID: b954e1e87c6d580eaec2c2755aba3e54\r\n"
    "Contact: <sip:34020000001180000001@192.168.1.108:5060>\r\n"
    "Content-Length: 0\r\n"
    "CSeq: 2 REGISTER\r\n"
    "Expires: 3600\r\n"
    "From: <sip:34020000001180000001@192.168.1.108:5060>;"
    "tag=d28d156d2c72dcfb6a49ceb55f9627e8\r\n"
    "Authorization: Digest username=\"34020000001180000001\", "
    "realm=\"3402000000\", nonce=\"6fe9ba44a76be22a7b1c9e3d4f5a6b7c\", "
    "uri=\"sip:34020000002000000001@192.168.1.125:5060\", "
    "response=\"0a4f113b2c9d8e7f6a5b4c3d2e1f0a9b\", algorithm=MD5\r\n"
    "Max-Forwards: 70\r\n"
    "To: <sip:34020000001180000001@192.168.1.108:5060>\r\n"
    "User-Agent: SIP UAS V3.0.0.1208500\r\n"
    "Via: SIP/2.0/UDP 192.168.1.108:5060;rport;"
    "branch=z9hG4bK1ffcac0c7c50cdbc062009c67a39ec00\r\n\r\n";

/* A catalog answer of one item, as message-keepalive-dahua-ipc.sip is headed.
 * The name is GB2312. */
static const char catalog_message[] =
    "MESSAGE sip:34020000002000000001@192.168.1.125:5060 SIP/2.0\r\n"
    "Via: SIP/2.0/UDP 192.168.1.107:5060;rport;branch=z9hG4bK990289307\r\n"
    "From: <sip:34020000001320000001@192.168.1.107:5060>;tag=50882131\r\n"
    "To: <sip:34020000002000000001@192.168.1.125:5060>\r\n"
    "Call-ID: 432363298@192.168.1.107\r\n"
    "CSeq: 20 MESSAGE\r\n"
    "Max-Forwards: 70\r\n"
    "User-Agent: DH SIP UAS V1.0\r\n"
    "Content-Type: Application/MANSCDP+xml\r\n"
    "Content-Length:   714\r\n\r\n"
    "<?xml version=\"1.0\" encoding=\"GB2312\" standalone=\"yes\" ?>"
    "<Response><CmdType>Catalog</CmdType><SN>1</SN>"
    "<DeviceID>34020000001180000001</DeviceID>"
    "<SumNum>1</SumNum><DeviceList Num=\"1\">"
    "<Item><DeviceID>34020000001310000001</DeviceID>"
    "<Name>\xb4\xf3\xbb\xaa" "1.107</Name>"
    "<Manufacturer>General</Manufacturer><Model>IPC-HFW4150D-V2</Model>"
    "<Owner>0</Owner><CivilCode>340200</CivilCode><Address>axy</Address>"
    "<Parental>0</Parental><ParentID>34020000001180000001</ParentID>"
    "<RegisterWay>1</RegisterWay><Secrecy>0</Secrecy><StreamNum>2</StreamNum>"
    "<IPAddress>192.168.1.107</IPAddress><Port>80</Port><Password></Password>"
    "<Status>ON</Status><Info><PTZType>3</PTZType>"
    "<DownloadSpeed>1/2/4/8</DownloadSpeed></Info></Item>"
    "</DeviceList></Response>\r\n";

static const struct {
    const char *name;
    struct slice bytes; /* empty: a capture, test/data/NAME */
} sources[] = {
    { "sip/register-dahua-nvr.sip", { NULL, 0 } },
    { "sip/register-dahua-ipc.sip", { NULL, 0 } },
    { "sip/register-go-client.sip", { NULL, 0 } },
    { "register-digest", SLICE_INIT(digest_register) },
    { "sip/message-keepalive-dahua-ipc.sip", { NULL, 0 } },
    { "message-catalog", SLICE_INIT(catalog_message) },
    { "sip/invite-play-tcp-passive.sip", { NULL, 0 } },
    { "sip/invite-100-dahua-ipc.sip", { NULL, 0 } },
    { "sip/invite-200-dahua-nvr.sip", { NULL, 0 } },
    { "sip/ack-go.sip", { NULL, 0 } },
    { "sdp/capture-invite-play-tcp-passive.sip.sdp", { NULL, 0 } },
    { "sdp/capture-invite-200-dahua-nvr.sip.sdp", { NULL, 0 } },
};

_Static_assert(sizeof(sources) / sizeof(sources[0]) ==
                   BENCH_MESSAGES + BENCH_BODIES,
               "every sample has a source");

/* xorshift: the same variants in every run */
static uint64_t next_random(uint64_t *s)
{
    *s ^= *s << 13;
    *s ^= *s >> 7;
    *s ^= *s << 17;
    return *s;
}

static void vary(char *p, size_t n, uint64_t *seed)
{
    for (size_t i = 0; i < n; i++) {
        size_t begin = i;

        while (i < n && ascii_is_digit(p[i]))
            i++;
        if (i - begin < VARIED_RUN)
            continue;
        for (size_t k = i - VARIED; k < i; k++)
            p[k] = (char)('0' + next_random(seed) % 10);
    }
}

static void add(struct bench_sample *s, const char *name, struct slice bytes)
{
    uint64_t seed = 88172645463325252u + bytes.n;
    size_t head = slice_find_slice(bytes, SLICE("\r\n\r\n"));

    s->name = name;
    for (size_t i = 0; i < BENCH_VARIANTS; i++) {
        char *p = calloc(1, bytes.n + BENCH_PAD);

        if (!p)
            bench_fail("no memory");
        memcpy(p, bytes.p, bytes.n);
        if (i)
            vary(p, head, &seed);
        s->variant[i] = slice_of(p, bytes.n);
    }
}

static struct slice read_capture(const char *name, char buf[MAX_MESSAGE])
{
    char path[128];
    size_t n;
    FILE *f;

    snprintf(path, sizeof(path), "test/data/%s", name);
    f = fopen(path, "rb");
    if (!f)
        bench_fail("no test/data: run from the top of the repository");
    n = fread(buf, 1, MAX_MESSAGE, f);
    fclose(f);
    return slice_of(buf, n);
}

void bench_corpus_load(struct bench_corpus *c)
{
    char buf[MAX_MESSAGE];

    for (size_t i = 0; i < BENCH_MESSAGES + BENCH_BODIES; i++) {
        struct slice bytes = sources[i].bytes;

        if (bytes.n == 0)
            bytes = read_capture(sources[i].name, buf);
        add(i < BENCH_MESSAGES ? &c->message[i] : &c->body[i - BENCH_MESSAGES],
            sources[i].name, bytes);
    }
}

/* ---- another reading: C strings, one search for each field ------------- */

/* The value of the first line that begins with name, as a string in buf. */
static void line_value(const char *text, const char *name, char *buf,
                       size_t cap)
{
    const char *p = text;

    buf[0] = '\0';
    while ((p = strstr(p, "\r\n")) && strncmp(p, "\r\n\r\n", 4)) {
        p += 2;
        if (strncasecmp(p, name, strlen(name)) || p[strlen(name)] != ':')
            continue;
        p += strlen(name) + 1;
        p += strspn(p, " ");
        snprintf(buf, cap, "%.*s", (int)strcspn(p, "\r"), p);
        return;
    }
}

/* What stands between `from` and any of `stop`, the empty string if nothing. */
static void between(const char *value, const char *from, const char *stop,
                    char *buf, size_t cap)
{
    const char *p = strstr(value, from);

    if (p)
        p += strlen(from);
    snprintf(buf, cap, "%.*s", p ? (int)strcspn(p, stop) : 0, p ? p : "");
}

static bool is(struct slice got, const char *want)
{
    return got.n == strlen(want) && memcmp(got.p, want, got.n) == 0;
}

static bool is_between(struct slice got, const char *value, const char *from,
                       const char *stop)
{
    char want[512];

    between(value, from, stop, want, sizeof(want));
    return is(got, want);
}

static bool is_start_line(const char *text, const struct bench_fields *f)
{
    char line[512], cseq[64];

    snprintf(line, sizeof(line), "%.*s", (int)strcspn(text, "\r"), text);
    line_value(text, "CSeq", cseq, sizeof(cseq));
    if (strncmp(line, "SIP/2.0 ", 8) == 0)
        return f->status == strtoul(line + 8, NULL, 10) &&
               f->uri_user.n == 0 && is_between(f->method, cseq, " ", "");
    return f->status == 0 && is_between(f->uri_user, line, "sip:", "@") &&
           f->method.n == strcspn(line, " ") &&
           memcmp(f->method.p, line, f->method.n) == 0;
}

static bool is_addr(const char *text, const char *name, struct slice user,
                    struct slice tag)
{
    char v[512];

    line_value(text, name, v, sizeof(v));
    return is_between(user, v, "sip:", "@") && is_between(tag, v, ";tag=", ";");
}

static bool is_via(const char *text, const struct bench_fields *f)
{
    char v[512];

    line_value(text, "Via", v, sizeof(v));
    return is_between(f->via_host, v, "UDP ", ":;") &&
           is_between(f->via_branch, v, ";branch=", ";");
}

static bool is_line(const char *text, const char *name, struct slice got)
{
    char v[512];

    line_value(text, name, v, sizeof(v));
    return is(got, v);
}

static bool is_number(const char *text, const char *name, int64_t got)
{
    char v[512];

    line_value(text, name, v, sizeof(v));
    return got == (v[0] ? strtoll(v, NULL, 10) : -1);
}

static bool is_contact(const char *text, struct slice got)
{
    char v[512];

    line_value(text, "Contact", v, sizeof(v));
    return is_between(got, v, "sip:", "@");
}

static const char *wrong_field(struct slice bytes, const struct bench_fields *f)
{
    const char *text = bytes.p; /* BENCH_PAD ends it with a NUL */
    const char *body = strstr(text, "\r\n\r\n") + 4;

    if (!is_start_line(text, f))
        return "start line";
    if (!is_addr(text, "From", f->from_user, f->from_tag))
        return "From";
    if (!is_addr(text, "To", f->to_user, f->to_tag))
        return "To";
    if (!is_via(text, f))
        return "Via";
    if (!is_line(text, "Call-ID", f->call_id))
        return "Call-ID";
    if (!is_number(text, "CSeq", f->cseq))
        return "CSeq";
    if (!is_contact(text, f->contact_user))
        return "Contact";
    if (!is_number(text, "Expires", f->expires))
        return "Expires";
    if (!is_line(text, "Content-Type", f->content_type))
        return "Content-Type";
    if (f->body.n != strlen(body) || memcmp(f->body.p, body, f->body.n))
        return "body";
    return NULL;
}

void bench_corpus_verify(const struct bench_corpus *c, const char *who,
                         bench_extract_fn *extract)
{
    for (size_t i = 0; i < BENCH_MESSAGES; i++) {
        for (size_t k = 0; k < BENCH_VARIANTS; k++) {
            const struct bench_sample *s = &c->message[i];
            struct bench_fields f = { .expires = -1 };
            const char *wrong = "everything";

            if (extract(s->variant[k], &f) == 0)
                wrong = wrong_field(s->variant[k], &f);
            if (!wrong)
                continue;
            fprintf(stderr, "bench: %s: %s, variant %zu: %s is wrong\n", who,
                    s->name, k, wrong);
            exit(1);
        }
    }
}
