/* ps/demux: lengths of NAL units where start codes belong. What is delivered is
 * what the same pictures with start codes give. */
#include "test/ps_script.h"

#include "ps/annexb.h"

#include <stdio.h>

#define LONG 300 /* 00 00 01 2c as a length: it looks like a start code */
#define HUGE 70000

static char fill[HUGE];
static char annexb_bytes[1 << 17], lengths_bytes[1 << 17];
static struct writer annexb;

static void unit(struct slice head, size_t n)
{
    writer_bytes(&annexb, "\0\0\0\1", 4);
    writer_slice_put(&annexb, head);
    writer_bytes(&annexb, fill, n > head.n ? n - head.n : 0);
}

static struct slice with_lengths(struct slice rest)
{
    struct writer w = writer_of(lengths_bytes, sizeof(lengths_bytes));
    struct slice nal;

    while (ps_annexb_next(&rest, &nal)) {
        writer_be32(&w, (uint32_t)nal.n);
        writer_slice_put(&w, nal);
    }
    assert_int_equal(w.err, 0);
    return writer_slice(&w);
}

/* The picture made by unit(), in PES of 60000 bytes at most; parts: so many of
 * them, 0: all. */
static void put_picture(bool lengths, uint64_t pts, unsigned parts)
{
    struct slice es = writer_slice(&annexb);

    assert_int_equal(annexb.err, 0);
    if (lengths)
        es = with_lengths(es);
    put_pack();
    for (unsigned i = 0; es.n && (!parts || i < parts); i++) {
        size_t n = es.n < 60000 ? es.n : 60000;

        put_pes(0xe0, slice_head(es, n), i ? 0 : pts);
        es = slice_from(es, n);
    }
    annexb = writer_of(annexb_bytes, sizeof(annexb_bytes));
}

static void put_sets(bool h265)
{
    if (h265) {
        unit(SLICE("\x40\1\x0c\1\xff\xff\1\x60"), 20);
        unit(SLICE("\x42\1\1\1\x60\0\0\3\0\x90"), 40);
        unit(SLICE("\x44\1\xc1\x72\xb4\x22\x40"), 7);
        return;
    }
    unit(SLICE("\x09\x10"), 2);
    unit(part(key_es(), 4, 27), 23);
    unit(SLICE("\x68\xce\x3c\x80"), 4);
}

/* Two slices of one picture. */
static void put_slices(bool h265, bool key)
{
    if (h265) {
        unit(key ? SLICE("\x28\1\xaf\x1d") : SLICE("\2\1\xd0\x09"), LONG);
        unit(key ? SLICE("\x28\1\x2f\x1d") : SLICE("\2\1\x50\x09"), LONG);
        return;
    }
    unit(key ? SLICE("\x65\x88\x84") : SLICE("\x41\x9a\x22"), LONG);
    unit(key ? SLICE("\x65\x48\x84") : SLICE("\x41\x4a\x22"), LONG);
}

static void pictures(bool lengths, bool h265, unsigned from)
{
    for (unsigned i = from; i < 6; i++) {
        if (i % 3 == 0)
            put_sets(h265);
        put_slices(h265, i % 3 == 0);
        put_picture(lengths, 3600 + 3600 * i, 0);
    }
}

static void as_with_start_codes(void **state)
{
    static char want[8192];

    (void)state;
    for (unsigned h265 = 0; h265 < 2; h265++) {
        begin();
        pictures(false, h265, 0);
        snprintf(want, sizeof(want), "%s", run_plain(done(), 0, false));
        assert_int_equal(count.aus, 6);
        begin();
        pictures(true, h265, 0);
        for (size_t n = 0; n <= 40; n++) {
            expect("file", n, run_plain(done(), n, false), want);
            expect("packets", n, run_plain(done(), n, true), want);
        }
        assert_int_equal(count.corrupt_aus, 0);
    }
}

/* An end of sequence is a NAL unit of one byte, whose length is a start code. In a
 * PES of its own it is taken for one, and the next parameter sets tell. */
static void ends_of_sequences(void **state)
{
    static char want[8192];

    (void)state;
    for (unsigned lengths = 0; lengths < 2; lengths++) {
        begin();
        for (unsigned i = 0; i < 6; i++) {
            if (i % 3 == 0)
                put_sets(false);
            put_slices(false, i % 3 == 0);
            if (i % 3 == 2)
                unit(SLICE("\x0a"), 1);
            put_picture(lengths, 3600 + 3600 * i, 0);
        }
        if (!lengths)
            snprintf(want, sizeof(want), "%s", run_plain(done(), 0, false));
    }
    assert_int_equal(count.aus, 6);
    for (size_t n = 0; n <= 40; n++)
        expect("packets", n, run_plain(done(), n, true), want);
    begin();
    pictures(true, false, 0);
    unit(SLICE("\x0a"), 1);
    put_picture(true, 36000, 0);
    pictures(true, false, 0);
    run_plain(done(), 7, true);
    assert_int_equal(count.aus, 12);
}

/* A key frame over two PES; the second one of the next is lost, and the picture
 * behind it is whole. */
static void over_many_pes(void **state)
{
    static char want[8192];

    (void)state;
    for (unsigned lost = 0; lost < 2; lost++)
        for (unsigned lengths = 0; lengths < 2; lengths++) {
            begin();
            for (unsigned i = 0; i < 3; i++) {
                put_sets(false);
                unit(SLICE("\x65\x88\x84"), HUGE);
                put_picture(lengths, 3600 + 7200 * i, lost && i == 1);
                put_slices(false, false);
                put_picture(lengths, 7200 + 7200 * i, 0);
            }
            if (!lengths && !lost)
                snprintf(want, sizeof(want), "%s", run_plain(done(), 0, false));
            else if (!lost)
                expect("whole", 0, run_plain(done(), 1000, true), want);
            else if (lengths)
                run_plain(done(), 1000, true);
            if (lost && lengths) {
                assert_int_equal(count.aus, 5);
                assert_int_equal(count.corrupt_aus, 1);
            }
        }
}

/* Behind a gap the rest of a picture comes, in a pack of its own: it hurts nothing of
 * the picture that follows. */
static void rest_behind_a_gap(void **state)
{
    struct slice all;
    struct ps_demux *d;
    size_t cut, next;

    (void)state;
    begin();
    pictures(true, false, 0);
    cut = done().n;
    put_pack();
    put_pes(0xe0, slice_of(fill, LONG), 0);
    next = done().n;
    pictures(true, false, 0);
    all = done();
    ps_recorder_init(&rec);
    d = ps_recorder_demux(&rec, NULL);
    ps_feed_one(d, &rec, slice_head(all, cut), false);
    ps_demux_gap(d);
    ps_feed_one(d, &rec, part(all, cut, next), false);
    ps_feed_one(d, &rec, slice_from(all, next), false);
    ps_demux_flush(d, true);
    ps_demux_counters(d, &count);
    ps_demux_free(d);
    assert_int_equal(count.corrupt_aus, 0);
    assert_int_equal(count.aus, 12);
}

/* The first length of a picture is none: the one before it is whole. */
static void begins_with_no_length(void **state)
{
    static const char wrong[2][5] = { "\0\0\0\0", "\x7f\0\0\0" };

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        size_t at;

        begin();
        pictures(true, false, 0);
        at = done().n + 14; /* behind the pack header */
        put_slices(false, false);
        put_picture(true, 36000, 0);
        memcpy(out_bytes + at + 14, wrong[i], 4); /* and that of the PES */
        pictures(true, false, 0);
        for (size_t n = 0; n <= 40; n++) {
            run_plain(done(), n, true);
            assert_int_equal(count.corrupt_aus, 0);
            assert_int_equal(count.aus, 12);
        }
    }
}

/* Joined between key frames: nothing is known before the first one; and the
 * encoder may go over to start codes. */
static void begun_and_ended(void **state)
{
    (void)state;
    begin();
    pictures(true, false, 1);
    run_plain(done(), 7, true);
    assert_non_null(strstr(rec.buf, "key"));
    begin();
    pictures(true, false, 0);
    pictures(false, false, 0);
    run_plain(done(), 7, true);
    assert_int_equal(count.aus, 12);
}

/* Damage of any kind ends by itself, mostly with the next picture. */
static void damaged(void **state)
{
    static char bytes[1 << 16];
    uint64_t rnd = 7, sum = 0;
    struct slice all;

    (void)state;
    begin();
    pictures(true, false, 0);
    pictures(true, false, 0);
    all = done();
    assert_true(all.n < sizeof(bytes));
    for (unsigned i = 0; i < 500; i++) {
        memcpy(bytes, all.p, all.n);
        for (unsigned k = 0; k < 3; k++)
            bytes[test_random(&rnd) % all.n] = (char)test_random(&rnd);
        run_plain(slice_of(bytes, all.n), 1 + test_random(&rnd) % 500, i % 2);
        sum += count.aus;
    }
    if (sum < 500 * 10) /* of 12 */
        fail_msg("%llu pictures", (unsigned long long)sum);
}

/* Behind them a PES without a length, where start codes are looked for: what was
 * being read ends where its length says, or is cut off. */
static void a_pes_without_a_length(void **state)
{
    static const char es[] = "\xf8\0\0\x81\xba\x44\0\4\x10\3\xf8\0\0\1"
                             "\x41\x9a\x21\x43\0\0\1\x65\x88\x84\x21\x43";

    (void)state;
    for (size_t cut = 0; cut < 2 * LONG; cut++) {
        size_t at;

        begin();
        pictures(true, false, 3);
        out.len -= cut; /* within the last one, or behind a part of a length */
        put_pes(0xe0, SLICE("\0"), 0);
        at = out.len + 4;
        put_pes(0xe0, SLICE(es), cut % 2 ? 90000 : 0);
        out_bytes[at] = out_bytes[at + 1] = 0;
        pictures(true, false, 3);
        run_plain(done(), 0, false); /* each NAL unit is as long as its length */
        assert_in_range(count.aus, 4, 10);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_with_start_codes),
        cmocka_unit_test(ends_of_sequences),
        cmocka_unit_test(over_many_pes),
        cmocka_unit_test(rest_behind_a_gap),
        cmocka_unit_test(begins_with_no_length),
        cmocka_unit_test(begun_and_ended),
        cmocka_unit_test(a_pes_without_a_length),
        cmocka_unit_test(damaged),
    };

    memset(fill, 0x5a, sizeof(fill));
    annexb = writer_of(annexb_bytes, sizeof(annexb_bytes));
    return cmocka_run_group_tests(tests, NULL, NULL);
}
