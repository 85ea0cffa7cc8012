/* Recorded files in parts: where they are cut, and what becomes of the times of
 * what is put one behind the other. */
#include "test/recorded_file.h"

#include "app/media/mp4cut.h"

#include <stdlib.h>

static unsigned reads;
static struct mp4scan_head head;

static bool read_bytes(void *ctx, uint64_t off, void *buf, size_t n)
{
    size_t *size = ctx;

    reads++;
    if (off > *size || *size - off < n)
        return false;
    memcpy(buf, file + off, n);
    return true;
}

static int scan(struct mp4cut *c, const struct gb_alloc *alloc, int64_t from_ms,
                int64_t to_ms, uint32_t part_ms, size_t size)
{
    const struct mp4cut_range r = { from_ms, to_ms, part_ms };

    return mp4cut_scan(c, &head, alloc, &r, read_bytes, &size, size);
}

static void ranges(void **state)
{
    static const struct {
        const char *name;
        int64_t from_ms, to_ms;
        uint32_t part_ms;
        size_t n;
        int64_t at_ms, length_ms; /* from the first picture on; of all parts */
    } cases[] = {
        { "everything", -1000, 9000, 0, 5, 0, 2000 },
        { "in one part", 0, 9000, UINT32_MAX, 1, 0, 2000 },
        { "parts of two", 0, 9000, 500, 3, 0, 2000 },
        { "inside a group", 500, 9000, 0, 4, 400, 1600 },
        { "just at a key frame", 800, 9000, 0, 3, 800, 1200 },
        { "just before it", 799, 9000, 0, 4, 400, 1600 },
        { "ends inside a group", 0, 900, 0, 3, 0, 1200 },
        { "ends at a key frame", 0, 800, 0, 2, 0, 800 },
        { "within one group", 450, 500, 0, 1, 400, 400 },
        { "behind its end", 7000, 9000, 0, 1, 1600, 400 },
        { "empty", 0, 0, 0, 1, 0, 400 },
    };

    (void)state;
    make_file(true, true);
    for (size_t i = 0; i < 2 * COUNT(cases); i++) {
        const size_t k = i / 2, size = i % 2 ? plain_n : file_n;
        struct mp4cut c;
        int64_t length = 0;

        assert_int_equal(scan(&c, &gb_alloc_heap, cases[k].from_ms,
                              cases[k].to_ms, cases[k].part_ms, size), 0);
        assert_int_equal(c.first90k, LEAD);
        assert_int_equal(c.audio_hz, 8000);
        for (size_t p = 0; p < c.n; p++) {
            length += c.part[p].length90k;
            if (p)
                assert_int_equal(c.part[p].off,
                                 c.part[p - 1].off + c.part[p - 1].n);
        }
        if (c.n != cases[k].n || length != cases[k].length_ms * 90 ||
            c.part[0].at90k - LEAD != cases[k].at_ms * 90)
            fail_msg("%s: %zu parts, %lld from %lld on", cases[k].name, c.n,
                     (long long)length / 90,
                     (long long)(c.part[0].at90k - LEAD) / 90);
        assert_true(c.part[c.n - 1].off + c.part[c.n - 1].n <= plain_n);
        mp4cut_fini(&c, &gb_alloc_heap);
    }
}

/* The same parts are found, and by a fraction of the reads. */
static void by_its_index(void **state)
{
    static const uint32_t part_ms[] = { 0, 500, 900, UINT32_MAX };

    (void)state;
    make_file(true, true);
    for (int64_t from = -50; from < 2500; from += 30)
        for (int64_t length = 0; length < 2500; length += 70)
            for (size_t i = 0; i < COUNT(part_ms); i++) {
                struct mp4cut a, b;

                assert_int_equal(scan(&a, &gb_alloc_heap, from, from + length,
                                      part_ms[i], file_n), 0);
                assert_int_equal(scan(&b, &gb_alloc_heap, from, from + length,
                                      part_ms[i], plain_n), 0);
                assert_int_equal(a.n, b.n);
                assert_memory_equal(a.part, b.part, a.n * sizeof(a.part[0]));
                mp4cut_fini(&a, &gb_alloc_heap);
                mp4cut_fini(&b, &gb_alloc_heap);
            }
    for (size_t i = 0; i < 2; i++) {
        struct mp4cut c;

        reads = 0;
        assert_int_equal(scan(&c, &gb_alloc_heap, 500, 900, 0,
                              i ? plain_n : file_n), 0);
        assert_true(i ? reads > 70 : reads < 14);
        mp4cut_fini(&c, &gb_alloc_heap);
    }
}

/* Whatever an index says: what is found lies in the file, and begins with a key
 * frame. */
static void a_wrong_index(void **state)
{
    unsigned same = 0, other = 0;

    (void)state;
    make_file(true, true);
    for (size_t at = plain_n; at < file_n; at++)
        for (unsigned v = 1; v < 256; v *= 2) {
            struct mp4cut c;

            file[at] = (char)((uint8_t)file[at] ^ v);
            assert_int_equal(scan(&c, &gb_alloc_heap, 500, 1300, 0, file_n),
                             0);
            for (size_t i = 0; i < c.n; i++) {
                struct fmp4_fragment f;

                assert_true(c.part[i].off + c.part[i].n <= plain_n);
                assert_true(fmp4_fragment_read(&f, file + c.part[i].off));
                assert_true(f.key && f.track_id == FMP4_VIDEO_ID);
            }
            same += c.n == 3 && c.part[0].at90k == LEAD + 36000;
            other += c.n != 3;
            mp4cut_fini(&c, &gb_alloc_heap);
            file[at] = (char)((uint8_t)file[at] ^ v);
        }
    assert_true(same > 2000 && other < 100);
}

static void sound_alone(void **state)
{
    struct mp4cut c;

    (void)state;
    make_file(false, true);
    assert_int_equal(scan(&c, &gb_alloc_heap, 1000, 1500, 100, file_n), 0);
    assert_int_equal(c.n, 5);
    assert_int_equal(c.part[0].length90k, 9000);
    mp4cut_fini(&c, &gb_alloc_heap);
}

/* A file that is being written, or was broken off: what is whole of it. */
static void prefixes(void **state)
{
    uint64_t before = 0;

    (void)state;
    make_file(true, true);
    for (size_t n = 0; n < file_n; n++) {
        struct mp4cut c;
        uint64_t end = 0;

        if (scan(&c, &gb_alloc_heap, 0, 9000, 0, n) == 0) {
            end = c.part[c.n - 1].off + c.part[c.n - 1].n;
            mp4cut_fini(&c, &gb_alloc_heap);
        } else {
            assert_true(before == 0);
            assert_null(c.part);
        }
        assert_true(end <= n && end >= before);
        before = end;
    }
}

static void no_memory(void **state)
{
    struct failing_alloc mem;
    struct mp4cut c;
    unsigned long i = 0;
    int err;

    (void)state;
    make_file(false, true);
    do {
        failing_alloc_init(&mem, ++i);
        err = scan(&c, &mem.alloc, 0, 9000, 0, file_n);
        assert_true(err == 0 || err == GB_ENOMEM);
        mp4cut_fini(&c, &mem.alloc);
        assert_int_equal(mem.live, 0);
    } while (err);
    assert_true(i > 2);
}

/* ---- moving ------------------------------------------------------------------------ */

/* What leaves when at most `room` bytes are read at once. */
static size_t move(struct mp4cut_mover *m, const char *in, size_t n, char *out,
                   size_t room)
{
    char buf[4096];
    size_t at = 0, k;

    while (at < n) {
        size_t some = n - at < room ? n - at : room;

        memcpy(buf, in + at, some);
        k = mp4cut_move(m, buf, some);
        assert_true(k > 0 && k <= some);
        memcpy(out + at, buf, k);
        at += k;
    }
    return at;
}

/* Times rise in each track, without a hole in the pictures; the number of
 * fragments that are left. */
static unsigned check(const char *p, size_t n, uint64_t first, unsigned *blank)
{
    uint64_t next[3] = { 0, first, 0 };
    unsigned left = 0;
    uint32_t last = 0;
    struct fmp4_fragment f;

    *blank = 0;
    for (size_t at = 0; at < n;) {
        char copy[FMP4_FRAGMENT_HEAD];

        memcpy(copy, p + at, sizeof(copy));
        if (!memcmp(copy + 4, "free", 4)) {
            assert_memory_equal(copy + 108, "free", 4);
            memcpy(copy + 4, "moof", 4);
            memcpy(copy + 108, "mdat", 4);
            assert_true(fmp4_fragment_read(&f, copy));
            ++*blank;
        } else {
            assert_true(fmp4_fragment_read(&f, copy));
            if (f.track_id == FMP4_VIDEO_ID)
                assert_int_equal(f.dts, next[1]);
            assert_true(f.dts >= next[f.track_id]);
            next[f.track_id] = f.dts + f.duration;
            assert_true(left == 0 ||
                        (uint8_t)copy[23] == (uint8_t)(last + 1));
            last = (uint8_t)copy[23];
            left++;
        }
        at += FMP4_FRAGMENT_HEAD + f.size;
    }
    return left;
}

static void times_go_on(void **state)
{
    static char out[2 * sizeof(file)];
    static const size_t rooms[] = { 112, 113, 271, 1000, 4096 };
    unsigned blank;

    (void)state;
    make_file(true, true);
    for (size_t i = 0; i < COUNT(rooms); i++) {
        struct mp4cut_mover m = { .audio_hz = 8000 };
        struct mp4cut c;
        const struct mp4cut_part *p;
        size_t n;

        assert_int_equal(scan(&c, &gb_alloc_heap, 500, 9000, UINT32_MAX,
                              file_n), 0);
        p = &c.part[0];
        m.shift90k = -p->at90k;
        n = move(&m, file + p->off, (size_t)p->n, out, rooms[i]);
        assert_int_equal(n, p->n);
        m.shift90k += p->length90k; /* once more behind itself */
        n += move(&m, file + p->off, (size_t)p->n, out + n, rooms[i]);
        /* 40 pictures and 80 sounds each; two sounds are before the beginning,
           and two of the second time lie where the first time had no end yet */
        assert_int_equal(check(out, n, 0, &blank) + blank, 240);
        assert_int_equal(blank, 2);
        mp4cut_fini(&c, &gb_alloc_heap);
    }
}

static void what_goes_back_is_left_out(void **state)
{
    static char out[sizeof(file)];
    struct mp4cut_mover m = { .audio_hz = 8000 };
    struct mp4cut c;
    unsigned blank;
    size_t n;

    (void)state;
    make_file(true, true);
    assert_int_equal(scan(&c, &gb_alloc_heap, 0, 9000, UINT32_MAX, file_n), 0);
    m.shift90k = -LEAD;
    m.next[FMP4_AUDIO_ID] = 8000; /* sound was there up to here */
    n = move(&m, file + c.part[0].off, (size_t)c.part[0].n, out, 4096);
    check(out, n, 0, &blank);
    assert_int_equal(blank, 52); /* 1 s at 20 ms, and 40 ms of before */
    mp4cut_fini(&c, &gb_alloc_heap);
}

/* A file of somebody else's may say any time, and so may who moves it. */
static void a_shift_beyond_all_times(void **state)
{
    static const int64_t shifts[] = { INT64_MAX, INT64_MIN, INT64_MAX / 2,
                                      -(INT64_MAX / 90000) };
    static char out[sizeof(file)];
    struct mp4cut c;

    (void)state;
    make_file(true, true);
    assert_int_equal(scan(&c, &gb_alloc_heap, 0, 9000, UINT32_MAX, file_n), 0);
    for (size_t i = 0; i < COUNT(shifts); i++) {
        struct mp4cut_mover m = { .audio_hz = 8000, .shift90k = shifts[i] };

        assert_true(move(&m, file + c.part[0].off, (size_t)c.part[0].n, out,
                         4096) > 0);
        assert_int_equal(m.sequence, 0); /* none of it has a place */
    }
    mp4cut_fini(&c, &gb_alloc_heap);
}

/* Pictures without a hole, all of them, in so much of the time; no sound. */
static void at_a_speed(void **state)
{
    static char out[sizeof(file)];
    static const uint32_t quarters[] = { 1, 2, 3, 6, 8, 16, 32, 64 };
    unsigned blank;

    (void)state;
    make_file(true, true);
    for (size_t i = 0; i < COUNT(quarters); i++) {
        struct mp4cut_mover m = { .audio_hz = 8000, .quarters = quarters[i] };
        struct fmp4_fragment f;
        struct mp4cut c;
        uint64_t length, got = 0;
        size_t n;

        assert_int_equal(scan(&c, &gb_alloc_heap, 0, 9000, UINT32_MAX, file_n),
                         0);
        length = (uint64_t)c.part[0].length90k * 4 / quarters[i];
        m.shift90k = -c.part[0].at90k;
        n = move(&m, file + c.part[0].off, (size_t)c.part[0].n, out, 1000);
        assert_int_equal(n, c.part[0].n);
        assert_true(check(out, n, 0, &blank) > 0);
        for (size_t at = 0; at < n; at += FMP4_FRAGMENT_HEAD + f.size) {
            bool is_blank = !memcmp(out + at + 4, "free", 4);

            memcpy(out + at + 4, "moof", 4);
            memcpy(out + at + 108, "mdat", 4);
            assert_true(fmp4_fragment_read(&f, out + at));
            assert_int_equal(is_blank, f.track_id == FMP4_AUDIO_ID);
            if (!is_blank)
                got += f.duration;
        }
        assert_int_equal(got, length);
        mp4cut_fini(&c, &gb_alloc_heap);
    }
}

static unsigned count_of(struct slice s, struct slice name)
{
    unsigned n = 0;
    size_t at;

    while ((at = slice_find_slice(s, name)) < s.n) {
        s = slice_from(s, at + name.n);
        n++;
    }
    return n;
}

/* The head has a picture alone then; what is no head, or not whole, is left as
 * it is. */
static void without_sound(void **state)
{
    char noise[64];
    struct mp4cut c;
    size_t n;

    (void)state;
    make_file(true, true);
    assert_int_equal(scan(&c, &gb_alloc_heap, 0, 9000, UINT32_MAX, file_n), 0);
    n = (size_t)c.head_bytes;
    for (size_t part = 1; part < n; part++) {
        char *p = malloc(part);

        assert_non_null(p);
        memcpy(p, file, part);
        mp4cut_mute(p, part);
        assert_memory_equal(p, file, part);
        free(p);
    }
    assert_int_equal(count_of(slice_of(file, n), SLICE("trex")), 2);
    mp4cut_mute(file, n);
    assert_int_equal(count_of(slice_of(file, n), SLICE("trex")), 1);
    mp4cut_fini(&c, &gb_alloc_heap);
    assert_int_equal(scan(&c, &gb_alloc_heap, 0, 9000, UINT32_MAX, file_n), 0);
    assert_int_equal(c.audio_hz, 0);
    assert_int_equal(c.n, 1);
    mp4cut_fini(&c, &gb_alloc_heap);
    memset(noise, 0xff, sizeof(noise));
    mp4cut_mute(noise, sizeof(noise));
    assert_int_equal(slice_find(slice_of(noise, sizeof(noise)), 'f'),
                     sizeof(noise));
}

static void no_fragments(void **state)
{
    struct mp4cut_mover m = { 0 };
    char noise[256];

    (void)state;
    make_file(true, false);
    memset(noise, 7, sizeof(noise));
    assert_int_equal(mp4cut_move(&m, noise, sizeof(noise)), 0);
    assert_int_equal(mp4cut_move(&m, file, 200), 0); /* the head is none */
    for (size_t n = 0; n < FMP4_FRAGMENT_HEAD; n++)
        assert_int_equal(mp4cut_move(&m, noise, n), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ranges),
        cmocka_unit_test(by_its_index),
        cmocka_unit_test(a_wrong_index),
        cmocka_unit_test(sound_alone),
        cmocka_unit_test(prefixes),
        cmocka_unit_test(no_memory),
        cmocka_unit_test(times_go_on),
        cmocka_unit_test(what_goes_back_is_left_out),
        cmocka_unit_test(a_shift_beyond_all_times),
        cmocka_unit_test(at_a_speed),
        cmocka_unit_test(without_sound),
        cmocka_unit_test(no_fragments),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
