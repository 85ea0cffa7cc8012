/* A capture file. What is read lies inside the file and the reader goes on to
 * its end; what we can write of a packet reads back the same. */
#include "fuzz/fuzz.h"

#include "app/trace/capture.h"
#include "app/trace/pcapng.h"

#include <stdlib.h>
#include <string.h>

static struct pcapng file;
static char out[PCAPNG_BEGIN_MAX + PCAPNG_BLOCK_MAX];

static void write_again(const struct capture_packet *p)
{
    struct trace_item item = {
        .count = 1, .dir = TRACE_IN,
        .time = { 0, p->utc_us / 1000 },
        .peer = { .transport = p->tcp ? SIP_TCP : SIP_UDP,
                  .local = p->dst, .remote = p->src },
        .bytes = slice_head(p->payload, TRACE_MESSAGE_MAX),
    };
    struct writer w = writer_of(out, sizeof(out));
    struct capture_packet q;
    struct capture c;

    item.len = item.bytes.n;
    if (p->utc_us < 0 || p->src.family != p->dst.family)
        return;
    pcapng_begin(&w, "fuzz");
    pcapng_packet(&file, &w, &item);
    if (w.err || capture_open(&c, writer_slice(&w)) || capture_next(&c, &q))
        abort();
    /* masking changes bytes, never their number */
    if (q.payload.n != item.bytes.n || q.tcp != p->tcp || q.missing ||
        !gb_addr_eq(&q.src, &p->src) || !gb_addr_eq(&q.dst, &p->dst) ||
        q.utc_us != p->utc_us / 1000 * 1000)
        abort();
    if (capture_next(&c, &q) != GB_ENOENT)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice in = slice_of((const char *)data, size);
    struct capture_packet p;
    struct capture c;
    size_t last = 0;

    if (capture_open(&c, in))
        return 0;
    pcapng_init(&file);
    while (capture_next(&c, &p) == 0) {
        if (c.off <= last || c.off > size)
            abort();
        last = c.off;
        if (p.payload.n &&
            (p.payload.p < in.p || p.payload.p + p.payload.n > in.p + size))
            abort();
        if (p.comment.n &&
            (p.comment.p < in.p || p.comment.p + p.comment.n > in.p + size))
            abort();
        write_again(&p);
    }
    return 0;
}
