/* What a stranger sends costs time in proportion to its length: each reader is
 * given one piece again and again, and eight times as much of it may not take
 * much more than eight times as long. */
#include "test/support.h"

#include "app/trace/glance.h"
#include "app/trace/mask.h"
#include "manscdp/msg.h"
#include "sdp/sdp.h"
#include "sip/frame.h"
#include "sip/multipart.h"
#include "sip/xmlend.h"

#include <stdlib.h>
#include <time.h>

#define TIMES 8
#define TOO_MUCH (3 * TIMES) /* what grows with the square gives 64 */
#define TRIES 5
#define NOTHING_NS 200000 /* below this the clock tells nothing */

static char *bytes, *memory;
static size_t memory_n;

/* ---- the readers: s is theirs to change ---------------------------------- */

static void read_manscdp(struct slice s)
{
    struct arena a = arena_of(memory, memory_n);
    struct manscdp_msg msg;

    manscdp_msg_parse(&msg, &a, s, NULL, NULL);
}

static void read_xml_end(struct slice s)
{
    sip_xml_end(s);
}

static void read_parts(struct slice s)
{
    struct sip_multipart w;
    struct sip_part part;

    if (sip_multipart_init(&w, SLICE("multipart/mixed; boundary=b"), s) == 0)
        while (sip_multipart_next(&w, &part) == 0)
            ;
}

static void read_sip(struct slice s)
{
    static struct sip_msg m;

    sip_msg_parse(&m, s, SIP_DATAGRAM, NULL);
}

/* As a stream: 64 bytes more each time. */
static void read_frames(struct slice s)
{
    struct sip_frame f;
    struct sip_cut cut;
    size_t from = 0, n = 0;

    sip_frame_init(&f);
    while (n < s.n) {
        int err;

        n = n + 64 < s.n ? n + 64 : s.n;
        do {
            err = sip_frame_next(&f, slice_of(s.p + from, n - from), &cut);
            from += cut.used;
        } while (!err);
        if (err != GB_EAGAIN)
            return;
    }
}

static void read_sdp(struct slice s)
{
    static struct sdp sdp;

    sdp_parse(&sdp, s, NULL);
}

static void glance(struct slice s)
{
    struct trace_glance g;

    trace_glance(&g, s);
    trace_user(s);
    trace_param(s, SLICE("tag"));
    trace_element(trace_body(s), SLICE("CmdType"));
    trace_element(s, SLICE("CmdType"));
    trace_header(s, SLICE("Call-ID"));
}

static void mask(struct slice s)
{
    trace_mask((char *)(uintptr_t)s.p, s.n);
}

/* ---- the table ----------------------------------------------------------- */

typedef void reader_fn(struct slice s);

struct reader {
    const char *name;
    reader_fn *fn;
    size_t n; /* bytes, at most */
    const char *begin;
    const char *pieces[24];
};

static const struct reader readers[] = {
    { "manscdp", read_manscdp, 256 << 10, "<Notify>",
      { "<?", "<?x", "<?x?>", "<", "<a ", "<a b=\"", "<a b='>", "<!", "<!-",
        "<a>", "</a>", "<Item>", "<a><Item>", "<Item", "&", "&#", "&#x", "a=b ",
        "<a/>", "\xb4<", "]]>", "\xe4\xbd<", "<a b=c " } },
    { "manscdp, bare", read_manscdp, 256 << 10, "",
      { "<?", "<!", "<", "<a ", "\xb4<", ">" } },
    { "manscdp, in a list", read_manscdp, 256 << 10,
      "<Response><CmdType>Catalog</CmdType><DeviceList>",
      { "<?", "<Item>", "<Item><a>", "<Item></Item>", "<Item/>", "<a>b</a>",
        "<Item><?", "<Item><!--" } },
    { "end of XML", read_xml_end, 256 << 10, "<?xml?><Notify>",
      { "<?", "<!", "<!--", "<", "<a>", "</a>", "<a/>", "<![CDATA[", "<a b=\"",
        "</Notify", ">" } },
    { "parts", read_parts, 256 << 10, "--b\r\n\r\n",
      { "--b", "\r\n--b", "\n--", "\r\n--bx", "-", "\r\n", "\r\n--b\r\n\r\n" } },
    { "SIP", read_sip, 64 << 10, "MESSAGE sip:a@b SIP/2.0\r\n",
      { "a:b\r\n", "v:x,", "v: x\r\n", "v: SIP/2.0/UDP a;branch=b\r\n", "\"",
        "m: <", "m: \"", "m: a,", "\r\n ", ";", "Contact: <sip:a>,\r\n ",
        "f: sip:a;", "a", ":" } },
    { "SIP by the address", read_sip, 64 << 10, "MESSAGE ",
      { "sip:", "sip:a;", "sip:a?", "sip:a;b=c", "%", "%41", "@", "[" } },
    { "frames", read_frames, 256 << 10, "",
      { "\r\n", "\r", "\n", "x\n", "SIP/", "a SIP/2.0\r\n", "INVITE sip:",
        "a SIP/2.0\r\n\r\n", "a SIP/2.0\r\nl:1\r\n\r\n" } },
    { "frames of XML", read_frames, 256 << 10,
      "MESSAGE sip:a@b SIP/2.0\r\nc: application/xml\r\n\r\n<a>",
      { "<?", "<!", "<!--", "<", "<a>", "</a>", "<a/>", "<![CDATA[",
        "<a b=\"" } },
    { "SDP", read_sdp, 16 << 10, "v=0\r\n",
      { "m=video 1 RTP/AVP 96\r\n", "a=rtpmap:96 PS/90000\r\n", "a=x\r\n", " ",
        "m=", "m=video 1 RTP/AVP", " 96", "c=IN IP4 1.1.1.1\r\n", "y=" } },
    { "glance", glance, 64 << 10, "MESSAGE sip:a@b SIP/2.0\r\n",
      { "sip:", "<", "<CmdType>", "<CmdType", "f:", "f: sip:\r\n", "\r\n", ";",
        ";tag", "\"", "\\", "v: ", "v:,", "i:\r\n", "t: <sip:", "a\r\n\r\n" } },
    { "mask", mask, 64 << 10, "",
      { "sip:", "sip:a:", "sip:a:b@", "sip:a:\r\n", "pwd=", "pwd=\"", "<pwd>",
        "<pwd ", "<pwd a=", "<pwd/>", "pwd", "Authorization:", "response=",
        "Authorization: response=\"", "=", "a b=", "<pwd></", "\r\n",
        "Authorization: a\r\n " } },
};

/* ---- the measure --------------------------------------------------------- */

static uint64_t cpu_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* The time for n bytes. */
static uint64_t cost_ns(const struct reader *r, const char *piece, size_t n)
{
    size_t len = strlen(r->begin), k = strlen(piece);
    uint64_t from;

    memcpy(bytes, r->begin, len);
    for (; len < n; len += k)
        memcpy(bytes + len, piece, k);
    from = cpu_ns();
    r->fn(slice_of(bytes, n));
    return cpu_ns() - from;
}

static bool is_too_much(const struct reader *r, const char *piece)
{
    uint64_t few = UINT64_MAX, many = UINT64_MAX;

    for (int i = 0; i < TRIES; i++) {
        uint64_t a = cost_ns(r, piece, r->n / TIMES);
        uint64_t b = cost_ns(r, piece, r->n);

        few = a < few ? a : few;
        many = b < many ? b : many;
        if (many < NOTHING_NS || many < TOO_MUCH * few)
            return false;
    }
    return true;
}

static void time_grows_with_length(void **state)
{
    unsigned n_bad = 0;

    (void)state;
    memory_n = MANSCDP_ARENA_FOR(256 << 10);
    memory = malloc(memory_n);
    bytes = malloc((256 << 10) + 64);
    assert_true(memory && bytes);
    for (size_t i = 0; i < COUNT(readers); i++)
        for (size_t k = 0; k < COUNT(readers[i].pieces); k++) {
            const char *piece = readers[i].pieces[k];

            if (piece && is_too_much(&readers[i], piece)) {
                print_error("%s: \"%s\"\n", readers[i].name, piece);
                n_bad++;
            }
        }
    assert_int_equal(n_bad, 0);
    free(memory);
    free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(time_grows_with_length),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
