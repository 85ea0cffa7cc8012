#include "test/torture.h"

#include <stdio.h>
#include <stdlib.h>

#include "sip/frame.h"
#include "sip/msg.h"

#define DIR "test/data/sip/torture/"

struct slice torture_load(const char *name)
{
    char path[128];

    snprintf(path, sizeof(path), DIR "%s.sip", name);
    return read_file(path);
}

void torture_let_go(struct slice s)
{
    free((void *)(uintptr_t)s.p);
}

static void count_one(void *ctx, const char *path, struct slice bytes)
{
    (void)path;
    (void)bytes;
    ++*(size_t *)ctx;
}

void torture_count(size_t n)
{
    size_t files = 0;

    each_file(DIR, ".sip", count_one, &files);
    assert_int_equal(files, n);
}

void torture_expect_datagram(const struct torture_case *c,
                             const struct torture_answers *a)
{
    if (a->status[0] != c->datagram || a->n > 1)
        fail_msg("%s: %zu answers, %u", c->name, a->n, a->status[0]);
}

void torture_expect_stream(const struct torture_case *c, size_t cut_at,
                           const struct torture_answers *a)
{
    if (a->status[0] != c->stream || a->status[1] != c->second || a->n > 2)
        fail_msg("%s cut at %zu: %zu answers, %u %u", c->name, cut_at, a->n,
                 a->status[0], a->status[1]);
}

/* It is well formed only where what it repeats is. */
void torture_read(struct slice written)
{
    static struct sip_msg m;

    (void)sip_msg_parse(&m, guarded(written), SIP_STREAM, NULL);
}

void torture_note(struct torture_answers *a, struct slice answer)
{
    uint32_t status = 0;

    assert_true(a->n < TORTURE_MAX_ANSWERS);
    assert_true(slice_has_prefix(answer, SLICE("SIP/2.0 ")));
    assert_true(slice_u32(slice_head(slice_from(answer, 8), 3), 699, &status));
    a->status[a->n++] = status;
    torture_read(answer);
}

/* Takes out of the stream what is whole. false: it was closed. */
static bool cut_out(struct sip_frame *f, struct slice in, size_t *used,
                    torture_fn *fn, struct torture_answers *a)
{
    struct sip_cut cut;

    for (;;) {
        int err = sip_frame_next(f, slice_from(in, *used), &cut);

        *used += cut.used;
        if (err == GB_EAGAIN)
            return true;
        if (cut.bytes.n && (err || cut.kind == SIP_CUT_MESSAGE))
            fn(cut.bytes, a);
        if (err)
            return false;
    }
}

void torture_stream(struct slice in, size_t at, torture_fn *fn,
                    struct torture_answers *a)
{
    struct sip_frame f;
    size_t used = 0;

    sip_frame_init(&f);
    if (cut_out(&f, slice_head(in, at), &used, fn, a))
        cut_out(&f, in, &used, fn, a);
}
