/* The index of a recorded file: what was told is found again, and nothing in a
 * damaged one leads out of the file. */
#include "test/support.h"

#include "app/media/mp4index.h"
#include "base/writer.h"

#include <stdlib.h>

#define BEFORE 50000 /* bytes of the file before it */
#define STEP 160     /* between two fragments */
#define PICTURE 3600

struct file {
    const char *p; /* the index: BEFORE bytes of others are before it */
    size_t n;
    bool broken;   /* nothing of it can be read */
};

static bool read_bytes(void *ctx, uint64_t off, void *buf, size_t n)
{
    const struct file *f = ctx;

    if (f->broken || off > BEFORE + f->n || n > BEFORE + f->n - off)
        return false;
    if (off < BEFORE)
        memset(buf, 0, n);
    else
        memcpy(buf, f->p + (off - BEFORE), n);
    return true;
}

/* As fmp4.h has it, but that only what is read of it is there. */
static void make_head(char out[FMP4_FRAGMENT_HEAD], unsigned track, bool key,
                      uint64_t dts, int32_t cts)
{
    struct writer w = writer_of(out, FMP4_FRAGMENT_HEAD);

    writer_bytes(&w, "\0\0\0\x68moof\0\0\0\x10mfhd\0\0\0\0\0\0\0\1", 24);
    writer_bytes(&w, "\0\0\0\x50traf\0\0\0\x10tfhd\0\x02\0\0", 20);
    writer_be32(&w, track);
    writer_bytes(&w, "\0\0\0\x14tfdt\1\0\0\0", 12);
    writer_be64(&w, dts);
    writer_bytes(&w, "\0\0\0\x24trun\1\0\x0f\1\0\0\0\1", 16);
    writer_be32(&w, FMP4_FRAGMENT_HEAD);
    writer_be32(&w, PICTURE);
    writer_be32(&w, STEP - FMP4_FRAGMENT_HEAD);
    writer_be32(&w, key ? 0x02000000 : 0x01010000);
    writer_be32(&w, (uint32_t)cts);
    writer_be32(&w, 8 + STEP - FMP4_FRAGMENT_HEAD);
    writer_bytes(&w, "mdat", 4);
    assert_int_equal(w.err, 0);
}

static void add(struct mp4index *x, unsigned track, bool key, uint64_t dts,
                uint64_t off)
{
    char head[FMP4_FRAGMENT_HEAD];

    make_head(head, track, key, dts, track == FMP4_VIDEO_ID ? 720 : 0);
    mp4index_add(x, head, off);
}

/* n groups of five pictures, and two of sound for each picture. */
static size_t make(struct mp4index *x, char *out, size_t cap, unsigned groups)
{
    struct writer w = writer_of(out, cap);
    uint64_t off = 900;

    for (unsigned i = 0; i < 5 * groups; i++) {
        add(x, FMP4_VIDEO_ID, i % 5 == 0, i * PICTURE, off);
        add(x, FMP4_AUDIO_ID, true, i * 320, off + STEP);
        add(x, FMP4_AUDIO_ID, true, i * 320 + 160, off + 2 * STEP);
        off += 3 * STEP;
    }
    mp4index_write(x, &w);
    assert_int_equal(w.err, 0);
    assert_int_equal(w.len, mp4index_size(x));
    return w.len;
}

static int take(struct mp4index_table *t, const struct gb_alloc *alloc,
                unsigned track, struct file *f)
{
    uint64_t end = 0;
    int err = mp4index_read(t, &end, alloc, track, read_bytes, f,
                            BEFORE + f->n);

    if (!err)
        assert_int_equal(end, BEFORE);
    return err;
}

static void is_found_again(void **state)
{
    static char out[4000];
    struct mp4index x;
    struct mp4index_table t;
    struct file f = { .p = out };

    (void)state;
    mp4index_init(&x, &gb_alloc_heap);
    f.n = make(&x, out, sizeof(out), 20);
    assert_int_equal(f.n, 8 + 2 * (24 + 20 * 19) + 16);
    assert_memory_equal(out + 4, "mfra", 4);
    assert_int_equal(take(&t, &gb_alloc_heap, FMP4_VIDEO_ID, &f), 0);
    assert_int_equal(t.n, 20);
    for (size_t i = 0; i < t.n; i++) {
        assert_int_equal(t.e[i].pts, i * 5 * PICTURE + 720);
        assert_int_equal(t.e[i].off, 900 + i * 15 * STEP);
    }
    gb_put(&gb_alloc_heap, t.e);
    assert_int_equal(take(&t, &gb_alloc_heap, FMP4_AUDIO_ID, &f), 0);
    assert_int_equal(t.n, 20);
    for (size_t i = 0; i < t.n; i++)
        assert_int_equal(t.e[i].off, 900 + STEP + i * 15 * STEP);
    gb_put(&gb_alloc_heap, t.e);
    assert_int_equal(take(&t, &gb_alloc_heap, 3, &f), GB_ENOENT);
    f.broken = true;
    assert_int_equal(take(&t, &gb_alloc_heap, 1, &f), GB_ENOENT);
    mp4index_fini(&x);
    assert_int_equal(mp4index_size(&x), 0);
}

/* Files of sound alone have a key frame each 20 ms. */
static void a_long_one_is_thinned(void **state)
{
    static char out[8 + 24 + 19 * MP4INDEX_MAX + 16];
    struct mp4index x;
    struct mp4index_table t;
    struct file f = { .p = out };
    struct writer w = writer_of(out, sizeof(out));

    (void)state;
    mp4index_init(&x, &gb_alloc_heap);
    for (unsigned i = 0; i < 180000; i++)
        add(&x, FMP4_AUDIO_ID, true, i * 160, 900 + (uint64_t)i * STEP);
    mp4index_write(&x, &w);
    assert_int_equal(w.err, 0);
    f.n = w.len;
    assert_int_equal(x.table[FMP4_AUDIO_ID].n, 180000 / 64 + 1);
    for (size_t i = 1; i < x.table[FMP4_AUDIO_ID].n; i++) {
        const struct mp4index_entry *e = &x.table[FMP4_AUDIO_ID].e[i];

        assert_int_equal(e[0].pts - e[-1].pts, 64 * 160);
        assert_int_equal(e->off, 900 + e->pts / 160 * STEP);
    }
    assert_int_equal(x.table[FMP4_AUDIO_ID].e[0].pts, 0);
    /* places behind the index are none */
    assert_int_equal(take(&t, &gb_alloc_heap, FMP4_AUDIO_ID, &f), GB_ENOENT);
    mp4index_fini(&x);
}

static void damaged(void **state)
{
    static char out[400];
    struct mp4index x;
    unsigned good = 0, bad = 0;
    size_t n;

    (void)state;
    mp4index_init(&x, &gb_alloc_heap);
    n = make(&x, out, sizeof(out), 4);
    for (size_t i = 0; i < n; i++)
        for (unsigned v = 0; v < 256; v += 15) {
            char was = out[i];
            struct file f = { .p = out, .n = n };
            struct mp4index_table t;

            out[i] = (char)v;
            if (take(&t, &gb_alloc_heap, FMP4_VIDEO_ID, &f)) {
                assert_null(t.e);
                bad++;
            } else {
                for (size_t k = 0; k < t.n; k++)
                    assert_true(t.e[k].off < BEFORE);
                gb_put(&gb_alloc_heap, t.e);
                good++;
            }
            out[i] = was;
        }
    assert_true(good > 100 && bad > 1000);
    for (size_t k = 0; k < n; k++) { /* cut at its end, or at its beginning */
        struct file f = { .p = out, .n = k };
        struct mp4index_table t;

        assert_int_equal(take(&t, &gb_alloc_heap, 1, &f), GB_ENOENT);
    }
    mp4index_fini(&x);
}

/* Without memory key frames are left out, or nothing is read. */
static void no_memory(void **state)
{
    static char out[4000];
    struct failing_alloc mem;
    struct mp4index x;
    struct mp4index_table t;
    struct file f = { .p = out };
    unsigned long i = 0;
    int err;

    (void)state;
    do {
        failing_alloc_init(&mem, ++i);
        mp4index_init(&x, &mem.alloc);
        f.n = make(&x, out, sizeof(out), 100 / 5);
        mp4index_fini(&x);
        assert_int_equal(mem.live, 0);
        failing_alloc_init(&mem, i);
        err = take(&t, &mem.alloc, FMP4_VIDEO_ID, &f);
        assert_true(!err || err == (f.n ? GB_ENOMEM : GB_ENOENT));
        gb_put(&mem.alloc, t.e);
        assert_int_equal(mem.live, 0);
    } while (err);
    assert_int_equal(i, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_found_again),
        cmocka_unit_test(a_long_one_is_thinned),
        cmocka_unit_test(damaged),
        cmocka_unit_test(no_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
