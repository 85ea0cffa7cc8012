/* What a server says to a publisher: however it was cut, the same state and the
 * same bytes to be sent; nothing beyond the limits. */
#include "fuzz/fuzz.h"

#include "app/media/rtmp.h"

#include <stdlib.h>

#define HELLO (1 + 2 * RTMP_HELLO)

static void check(bool good)
{
    if (!good)
        abort();
}

struct side {
    struct rtmp r;
    uint64_t sum;
    bool acks; /* had a window: when it acknowledges depends on the cuts */
};

static void take(struct side *s, struct slice in)
{
    struct slice out;

    rtmp_input(&s->r, in);
    s->acks |= s->r.window != 0;
    out = rtmp_output(&s->r);
    check(out.n <= RTMP_OUT_MAX);
    for (size_t i = 0; i < out.n; i++)
        s->sum = (s->sum ^ (uint8_t)out.p[i]) * UINT64_C(0x100000001b3);
    rtmp_sent(&s->r, out.n);
}

/* Behind the handshake, which is always the same. */
static void begin(struct side *s)
{
    static const char hello[HELLO] = { 3 };
    static struct side begun;
    static struct push_url u;

    if (begun.r.state == RTMP_HANDSHAKE) {
        check(push_url_parse(&u, SLICE("rtmp://h/app/key")) == 0);
        rtmp_begin(&begun.r, &u, 1);
        take(&begun, slice_of(hello, HELLO));
        begun.r.bytes_in = 0;
        begun.sum = 0;
    }
    *s = begun;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct side a, b;
    struct slice in = slice_of((const char *)data, size);

    if (size > 4000)
        return 0; /* acknowledgements depend on how it was cut */
    begin(&a);
    begin(&b);
    for (size_t i = 0; i < size; i++)
        take(&a, slice_of(in.p + i, 1));
    take(&b, in);
    check(a.r.state == b.r.state || b.r.out_full);
    if (a.r.state != RTMP_FAILED && !a.acks) {
        check(a.sum == b.sum);
        check(a.r.stream == b.r.stream && a.r.chunk_left == b.r.chunk_left);
    }
    return 0;
}
