/* The program stream as it came: first bytes of the input say how the rest is
 * cut into packets and where some are missing. Without loss a viewer gets the
 * tail of the input from a header on; with loss, pieces of it in order, none
 * twice. Nothing is kept beyond the limit. */
#include "fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "app/media/hub.h"
#include "fuzz/memory.h"

#define MAX_BYTES (256u << 10)

static struct hub *hub;
static struct hub_viewer viewer;
static uint8_t got[MAX_BYTES];
static size_t n_got;
static uint64_t now_ms;

static void pump(void)
{
    struct media_iov iov[4];
    size_t n;

    while ((n = hub_viewer_next(&viewer, iov, 4, false)) > 0) {
        size_t sum = 0;

        for (size_t i = 0; i < n; i++) {
            if (iov[i].len > sizeof(got) - n_got)
                abort(); /* more than was put in */
            memcpy(got + n_got, iov[i].base, iov[i].len);
            n_got += iov[i].len;
            sum += iov[i].len;
        }
        hub_viewer_consumed(&viewer, sum);
    }
}

static void on_wake(void *ctx, struct hub_viewer *v)
{
    (void)ctx;
    (void)v;
    pump();
}

static void on_au(void *ctx, const struct ps_au *au)
{
    (void)ctx;
    hub_au(hub, au, now_ms);
}

static void feed(struct ps_demux *d, const uint8_t *p, size_t n, uint64_t off,
                 bool gap, bool packet)
{
    struct ps_feed f = { .packet = packet };
    struct hub_program in = { p, n, off, gap, { 0 } };

    if (gap)
        ps_demux_gap(d);
    ps_demux_place(d, &in.place);
    hub_program(hub, &in, now_ms);
    ps_demux_feed(d, p, n, &f);
    ps_demux_place(d, &in.place);
    hub_program_done(hub, &in.place);
    now_ms += 4;
}

/* What was fed, in order; what was lost is not in it. */
static uint8_t fed[MAX_BYTES];

static void check(size_t n_fed, bool lossy)
{
    static const uint8_t prefix[3] = { 0, 0, 1 };
    size_t at = 0;

    if (n_got == 0)
        return;
    if (n_got < 3 || memcmp(got, prefix, 3) != 0)
        abort(); /* does not begin with a header */
    if (!lossy) {
        if (n_got > n_fed || memcmp(got, fed + n_fed - n_got, n_got) != 0)
            abort();
        return;
    }
    for (size_t i = 0; i < n_fed && at < n_got; i++)
        at += got[at] == fed[i];
    if (at < n_got)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hub_viewer_options opt = { .format = HUB_PS };
    struct hub_hooks hooks = { .on_wake = on_wake };
    struct ps_hooks demux = { .on_au = on_au };
    struct hub_options limits = { .stall_ms = 1u << 30 };
    bool lossy = false;
    struct ps_demux *d;
    size_t n_fed = 0;
    uint8_t step, loss;

    if (size < 3 || size > MAX_BYTES)
        return 0;
    step = data[0];
    loss = data[1];
    data += 2;
    size -= 2;
    n_got = 0;
    now_ms = 1000;
    memory_begin(0);
    if (hub_new(&hub, &memory_alloc, &hooks, &limits) ||
        ps_demux_new(&d, &memory_alloc, &demux, NULL))
        abort();
    if (hub_viewer_add(hub, &viewer, &opt, now_ms))
        abort();
    pump();
    for (size_t off = 0, k = 0; off < size; k++) {
        size_t n = step ? step * 3u : size;
        bool gap = loss >= 128 && k % (loss - 126u) == loss - 127u;

        n = n < size - off ? n : size - off;
        if (gap) { /* one packet is missing */
            lossy = true;
            off += n;
            n = n < size - off ? n : size - off;
        }
        if (n == 0)
            break;
        memcpy(fed + n_fed, data + off, n);
        feed(d, data + off, n, n_fed, gap, loss & 1);
        n_fed += n;
        off += n;
    }
    ps_demux_flush(d, true);
    hub_end(hub);
    pump();
    check(n_fed, lossy);
    hub_viewer_remove(&viewer);
    hub_free(hub);
    ps_demux_free(d);
    memory_end();
    return 0;
}
