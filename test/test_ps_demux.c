#include "ps/demux.h"

#include "ps/mux.h"
#include "test/ps_record.h"
#include "test/support.h"

#include <stdio.h>
#include <stdlib.h>

/* A stream being put together. */
struct bytes_buf {
    struct writer w;
    char p[1 << 16];
};

static struct bytes_buf *new_buf(void)
{
    struct bytes_buf *b = malloc(sizeof(*b));

    assert_non_null(b);
    b->w = writer_of(b->p, sizeof(b->p));
    return b;
}

static struct slice whole_vector(struct bytes_buf *b)
{
    b->w.len = 0;
    for (size_t i = 0; i < 3; i++)
        writer_slice_put(&b->w, ps_vector[i]);
    return writer_slice(&b->w);
}

/* Demuxes in steps of n; the text is valid until the next call. */
static struct ps_recorder rec;
static const char *run(struct slice bytes, size_t n,
                       const struct ps_options *opt)
{
    struct ps_demux *d;

    ps_recorder_init(&rec);
    d = ps_recorder_demux(&rec, opt);
    ps_feed_steps(d, &rec, bytes, n, false);
    ps_demux_free(d);
    assert_int_equal(rec.text.err, 0);
    rec.buf[rec.text.len] = 0;
    return rec.buf;
}

static void expect(const char *name, const char *got, const char *want)
{
    if (strcmp(got, want) != 0)
        fail_msg("%s:\n--- got\n%s--- want\n%s", name, got, want);
}

static void reference_session(void **state)
{
    struct bytes_buf *b = new_buf();

    (void)state;
    expect("whole", run(whole_vector(b), 0, NULL), ps_vector_text);
    free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reference_session),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
