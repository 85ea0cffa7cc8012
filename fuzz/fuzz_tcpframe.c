/* A TCP stream. Undamaged, every cut of it gives the same frames; damaged, the
 * frames still lie inside the buffer, in order, and the search ends. */
#include "fuzz/fuzz.h"

#include "rtp/tcpframe.h"

#include <stdlib.h>
#include <string.h>

#define CAP RTP_TCPFRAME_CAP

struct result {
    uint64_t n, bytes, hash;
    uint64_t resyncs;
    int err;
};

static void count(struct result *r, const struct rtp_frame *out)
{
    r->n += out->kind != RTP_FRAME_PS;
    r->bytes += out->n;
    for (size_t i = 0; i < out->n; i++)
        r->hash = (r->hash ^ out->p[i]) * 0x100000001b3ull;
}

static void run(const uint8_t *data, size_t size, size_t step, bool known,
                struct result *r)
{
    static uint8_t buf[CAP];
    struct rtp_tcpframe_options opt = { .has_ssrc = known,
                                        .ssrc = 0x0bebd2e1 };
    struct rtp_tcpframe f;
    struct rtp_frame out;
    size_t len = 0, off = 0, done;

    *r = (struct result){ .err = GB_EAGAIN };
    rtp_tcpframe_init(&f, &opt);
    while (off < size && r->err == GB_EAGAIN) {
        size_t n = size - off < step ? size - off : step;

        done = rtp_tcpframe_done(&f);
        if (done > len)
            abort();
        memmove(buf, buf + done, len - done);
        len -= done;
        rtp_tcpframe_shift(&f, done);
        n = n < CAP - len ? n : CAP - len;
        if (n == 0)
            abort(); /* stuck */
        memcpy(buf + len, data + off, n);
        len += n;
        off += n;
        while ((r->err = rtp_tcpframe_next(&f, buf, len, CAP, &out)) == 0) {
            if (out.p < buf || out.p + out.n > buf + len)
                abort();
            count(r, &out);
            if (r->n > size)
                abort();
        }
        if (rtp_tcpframe_need(&f) > CAP)
            abort();
    }
    /* a frame of another SSRC may have waited for what follows it, and how much
     * that is depends on what has come */
    while (r->err == GB_EAGAIN &&
           (r->err = rtp_tcpframe_end(&f, buf, len, &out)) == 0) {
        count(r, &out);
        r->err = GB_EAGAIN;
    }
    r->resyncs = f.resyncs + (f.lost ? 1 : 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct result whole, cut;

    if (size < 2 || size > 8192)
        return 0;
    run(data + 2, size - 2, size, data[0] & 1, &whole);
    run(data + 2, size - 2, 1u + data[1], data[0] & 1, &cut);
    if (whole.resyncs || cut.resyncs)
        return 0; /* when a search is made depends on what has come */
    if (whole.n != cut.n || whole.bytes != cut.bytes ||
        whole.hash != cut.hash || whole.err != cut.err)
        abort();
    return 0;
}
