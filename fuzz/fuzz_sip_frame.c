/* Any way of cutting a stream gives the same messages, pings and end. The
 * first octet chooses how long the pieces are, and seeds the cuts. */
#include "fuzz/fuzz.h"
#include "fuzz/hash.h"

#include <stdlib.h>
#include <string.h>

#include "sip/frame.h"

struct trace {
    uint64_t hash;
    unsigned messages, pings;
    int err;
    uint64_t position; /* of the stream, where it ended */
};

static void note(struct trace *t, const void *p, size_t n)
{
    t->hash = hash_bytes(t->hash, p, n);
}

/* Everything that comes out of have[0..n); returns what was consumed. */
static size_t drain(struct sip_frame *f, const char *have, size_t n,
                    struct trace *t)
{
    size_t used = 0;

    while (!t->err) {
        struct sip_cut cut;
        int err = sip_frame_next(f, slice_of(have + used, n - used), &cut);

        if (cut.used > n - used)
            abort();
        used += cut.used;
        if (err == GB_EAGAIN)
            break;
        if (err) {
            t->err = err;
            note(t, cut.bytes.p, cut.bytes.n);
        } else if (cut.kind == SIP_CUT_PING) {
            t->pings++;
            note(t, "P", 1);
        } else {
            if (cut.bytes.n > SIP_FRAME_MAX || cut.used < cut.bytes.n)
                abort();
            t->messages++;
            note(t, cut.bytes.p, cut.bytes.n);
            note(t, "M", 1);
        }
    }
    return used;
}

/* Nothing more comes: what is there counts, or not, however it came. */
static size_t settle(struct sip_frame *f, const char *have, size_t n,
                     struct trace *t)
{
    struct sip_cut cut;

    if (t->err || sip_frame_quiet(f, slice_of(have, n), &cut))
        return 0;
    if (cut.used > n || cut.bytes.n != cut.used || cut.used == 0)
        abort();
    t->messages++;
    note(t, cut.bytes.p, cut.bytes.n);
    return cut.used + drain(f, have + cut.used, n - cut.used, t);
}

/* step 0: all at once; else pieces of 1..step octets. */
static struct trace run(const char *p, size_t n, size_t step, uint32_t seed)
{
    struct trace t = { 0xcbf29ce484222325u, 0, 0, 0, 0 };
    struct sip_frame f;
    size_t start = 0, end = 0;

    sip_frame_init(&f);
    while (end < n && !t.err) {
        size_t more = n - end;

        if (step) {
            seed = seed * 1664525u + 1013904223u;
            more = 1 + (seed >> 16) % step;
            more = more < n - end ? more : n - end;
        }
        end += more;
        start += drain(&f, p + start, end - start, &t);
    }
    start += settle(&f, p + start, end - start, &t);
    t.position = t.err ? 0 : start;
    return t;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const size_t steps[] = { 1, 7, 37, 187, 937, 3, 16, 90 };
    const char *p = (const char *)data + 1;
    struct trace whole, cut;

    if (size < 2 || size > 200000)
        return 0;
    whole = run(p, size - 1, 0, 0);
    cut = run(p, size - 1, steps[data[0] & 7], data[0]);
    if (cut.hash != whole.hash || cut.messages != whole.messages ||
        cut.pings != whole.pings || cut.err != whole.err ||
        cut.position != whole.position)
        abort();
    return 0;
}
