/* What the parser accepts, written again from its parts, parses to the same
 * values; and every request that is accepted can be answered. */
#include "fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "base/head.h"
#include "sip/build.h"
#include "sip/digest.h"
#include "sip/dump.h"
#include "sip/value.h"

#define ROOM (512 * 1024)

static struct sip_msg a, b;
static char text[ROOM], echo[ROOM], dump[4 * ROOM];

/* The slice lies inside the message. */
static void inside(struct slice s)
{
    require(s.n == 0 || (s.p >= a.bytes.p &&
                      s.p + s.n <= a.bytes.p + a.bytes.n));
}

/* x, its folds as one blank, is y. */
static bool same(struct slice x, struct slice y)
{
    static char flat[ROOM];
    struct writer w = writer_of(flat, sizeof(flat));

    head_unfold(&w, x);
    return w.err || slice_eq(writer_slice(&w), y);
}

static struct slice write_again(void)
{
    struct writer w = writer_of(text, sizeof(text));

    if (a.is_request) {
        writer_slice_put(&w, a.method_name);
        writer_char(&w, ' ');
        writer_slice_put(&w, a.uri.text);
        writer_str(&w, " SIP/2.0\r\n");
    } else {
        writer_str(&w, "SIP/2.0 ");
        writer_u64(&w, a.status);
        writer_str(&w, "\r\n");
    }
    for (size_t i = 0; i < a.n_fields; i++) {
        if (a.fields[i].id == SIP_HDR_CONTENT_LENGTH)
            continue;
        writer_slice_put(&w, a.fields[i].name);
        writer_str(&w, ": ");
        head_unfold(&w, a.fields[i].value);
        writer_str(&w, "\r\n");
    }
    if (a.n_fields < SIP_MAX_FIELDS) {
        writer_str(&w, "Content-Length: ");
        writer_u64(&w, a.body.n);
        writer_str(&w, "\r\n");
    }
    writer_str(&w, "\r\n");
    writer_slice_put(&w, a.body);
    return w.err ? slice_of(NULL, 0) : writer_slice(&w);
}

static void compare(void)
{
    require(a.is_request == b.is_request && a.status == b.status);
    require(slice_eq(a.method_name, b.method_name) && a.method == b.method);
    require(slice_eq(a.uri.text, b.uri.text) && a.uri.port == b.uri.port);
    require(same(a.via.host, b.via.host) && a.via.port == b.via.port);
    require(same(a.via.branch, b.via.branch));
    require(same(a.from.uri.text, b.from.uri.text));
    require(same(a.from.tag, b.from.tag) && same(a.to.tag, b.to.tag));
    require(same(a.to.uri.user, b.to.uri.user));
    require(same(a.call_id, b.call_id) && a.cseq.number == b.cseq.number);
    require(slice_eq(a.body, b.body) && a.max_forwards == b.max_forwards);
}

/* The 200 (or the refusal) to a request parses and carries its keys. */
static void answer(void)
{
    struct gb_addr source = { GB_IPV4, { 192, 0, 2, 200 }, 7777 };
    struct sip_response_parts p = { .status = 200, .expires = -1 };
    struct writer w = writer_of(echo, sizeof(echo));
    bool good = a.reject == 0;

    p.status = good ? 200 : a.reject;
    require(sip_echo_write(&w, &a, &source, SLICE("T1")) == 0);
    p.echo = writer_slice(&w);
    w = writer_of(text, sizeof(text));
    require(sip_response_build(&w, &p) == 0);
    if (w.len > SIP_MAX_HEAD || !good)
        return;
    require(sip_msg_parse(&b, writer_slice(&w), SIP_STREAM, NULL) == 0);
    require(same(a.via.branch, b.via.branch) && same(a.call_id, b.call_id));
    require(same(a.from.tag, b.from.tag) && a.cseq.number == b.cseq.number);
    require(a.to.tag.n ? same(a.to.tag, b.to.tag)
                    : slice_eq(b.to.tag, SLICE("T1")));
}

/* Behind an empty line no block is plain (base/scan.h), and all else is as it
 * was. */
static void behind_empty_line(struct slice in)
{
    static char buf[70002];
    int err;

    if (in.n < SIP_MIN_MESSAGE || in.n > SIP_MAX_HEAD - 2)
        return;
    memcpy(buf, "\r\n", 2);
    memcpy(buf + 2, in.p, in.n);
    memset(&a, 0xa5, sizeof(a));
    memset(&b, 0x5a, sizeof(b));
    err = sip_msg_parse(&a, in, SIP_DATAGRAM, NULL);
    require(err == sip_msg_parse(&b, slice_of(buf, in.n + 2), SIP_DATAGRAM,
                              NULL));
    require(a.n_fields == b.n_fields && a.reject == b.reject);
    require((a.odd | SIP_ODD_LEADING) == (b.odd | SIP_ODD_LEADING));
    require(memcmp(a.first, b.first, sizeof(a.first)) == 0);
    for (size_t i = 0; i < a.n_fields; i++)
        require(a.fields[i].id == b.fields[i].id &&
             a.fields[i].next == b.fields[i].next &&
             slice_eq(a.fields[i].name, b.fields[i].name) &&
             slice_eq(a.fields[i].value, b.fields[i].value));
    require(slice_eq(a.via.text, b.via.text));
    require(slice_eq(a.via.branch, b.via.branch));
    require(slice_eq(a.from.text, b.from.text));
    require(slice_eq(a.from.tag, b.from.tag));
    require(slice_eq(a.to.text, b.to.text) && slice_eq(a.to.tag, b.to.tag));
    require(slice_eq(a.uri.text, b.uri.text) && slice_eq(a.uri.user, b.uri.user));
    require(slice_eq(a.body, b.body) && a.method == b.method);
    require(a.cseq.number == b.cseq.number && a.max_forwards == b.max_forwards);
}

/* What is read of a message when it is asked for lies inside it. */
static void values(void)
{
    struct slice route[8];
    struct sip_challenge c;
    struct sip_addr contact;
    enum sip_content content = sip_msg_content(&a);
    bool found = sip_msg_contact(&a, &contact) == 0;
    int64_t expires = sip_msg_expires(&a, found ? &contact : NULL);
    int n = sip_msg_routes(&a, SIP_HDR_ROUTE, route, 8);

    require(a.body.n || content == SIP_CONTENT_NONE);
    require(expires >= -1 && expires <= UINT32_MAX);
    require(n >= 0 ? n <= 8 : n == GB_ELIMIT);
    for (int i = 0; i < n; i++)
        inside(route[i]);
    if (found)
        inside(contact.uri.text);
    if (sip_challenge_pick(&c, &a, SIP_HDR_WWW_AUTHENTICATE) == 0)
        require(c.alg != SIP_DIGEST_OTHER && !c.qop_other);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice in = { (const char *)data, size }, again;
    struct writer w = writer_of(dump, sizeof(dump));
    struct gb_diag d = { 0, "" };
    int err;

    if (size > 70000)
        return 0;
    behind_empty_line(in);
    (void)sip_msg_parse(&a, in, SIP_STREAM, NULL);
    err = sip_msg_parse(&a, in, SIP_DATAGRAM, &d);
    require(!err || d.off <= size);
    sip_msg_dump(&w, &a, err, &d);
    inside(a.body);
    for (size_t i = 0; i < a.n_fields; i++)
        inside(a.fields[i].value);
    if (a.is_request && (!err || a.reject))
        answer();
    if (err)
        return 0;
    values();
    again = write_again();
    if (again.n == 0 || again.n - a.body.n > SIP_MAX_HEAD)
        return 0; /* longer than our own buffer: fine */
    require(sip_msg_parse(&b, again,
                       a.n_fields < SIP_MAX_FIELDS ? SIP_STREAM : SIP_DATAGRAM,
                       NULL) == 0);
    compare();
    return 0;
}
