/* What a server says to one that announces: however it was cut (how long the
 * input is says how), the same state and the same requests. */
#include "fuzz/fuzz.h"

#include "app/rtsp/announce.h"

#include <stdlib.h>

static void check(bool good)
{
    if (!good)
        abort();
}

struct side {
    struct announce a;
    uint64_t sum;
};

static void take(struct side *s, struct slice in, size_t step)
{
    while (in.n && s->a.state != ANNOUNCE_FAILED) {
        struct slice out;
        char *to;
        size_t n = announce_room(&s->a, &to);

        check(n > 0);
        n = n < step ? n : step;
        n = n < in.n ? n : in.n;
        memcpy(to, in.p, n);
        announce_input(&s->a, n);
        in = slice_from(in, n);
        out = announce_output(&s->a);
        for (size_t i = 0; i < out.n; i++)
            s->sum = (s->sum ^ (uint8_t)out.p[i]) * UINT64_C(0x100000001b3);
        announce_sent(&s->a, out.n);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct side a, b;
    struct slice in = slice_of((const char *)data, size);
    struct push_url u;

    check(push_url_parse(&u, SLICE("rtsp://u:p@h/x")) == 0);
    announce_begin(&a.a, &u, SLICE("v=0\r\n"), 3, 1);
    announce_begin(&b.a, &u, SLICE("v=0\r\n"), 3, 1);
    a.sum = b.sum = 0;
    announce_sent(&a.a, announce_output(&a.a).n);
    announce_sent(&b.a, announce_output(&b.a).n);
    take(&a, in, FUZZ_EVERY_WAY ? 1 : 1 + in.n % 13);
    take(&b, in, 997);
    check(a.a.state == b.a.state && a.a.cseq == b.a.cseq);
    if (a.a.state != ANNOUNCE_FAILED)
        check(a.sum == b.sum);
    return 0;
}
