/* A range over files that lie on two disks: which parts of which there are, one head
 * for all of them, and the export that is read from them. */
#include "test/recorded_file.h"

#include "app/media/mp4scan.h"
#include "app/net/cuts.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define T0 1700000000000
#define FILE_MS 2000

static uv_loop_t loop;
static struct volumes *volumes;
static char dir[2][64];
static struct cuts *answer;
static struct ps_au *small, *large; /* parameter sets of two sizes */
static struct au_maker makers[2];

static void on_done(void *ctx, struct cuts *q)
{
    (void)ctx;
    answer = q;
}

/* ---- a world ------------------------------------------------------------------------ */

static void begin(void)
{
    static const struct slice sps720[] = { S(AU_SPS_720), S(AU_PPS), S(AU_IDR) };
    char list[140];

    assert_int_equal(uv_loop_init(&loop), 0);
    for (unsigned i = 0; i < 2; i++) {
        slice_copy(dir[i], sizeof(dir[i]), SLICE("/tmp/gb28181d-cuts-XXXXXX"));
        assert_non_null(mkdtemp(dir[i]));
        au_maker_init(&makers[i]);
    }
    snprintf(list, sizeof(list), "%s,%s", dir[0], dir[1]);
    assert_int_equal(volumes_new(&volumes, slice_str(list)), 0);
    small = au_key(&makers[0], 90000);
    large = au_video(&makers[1], PS_CODEC_H264, 90000, sps720, COUNT(sps720));
}

static void path_of(char out[static ROLLS_PATH_MAX], unsigned volume,
                    int64_t begin_utc_ms)
{
    assert_true(rolls_path(out, dir[volume], SLICE("dev"), SLICE("chan"),
                           begin_utc_ms));
}

/* The file in memory, on this disk. */
static void put_file(unsigned volume, int64_t begin_utc_ms)
{
    char path[ROLLS_PATH_MAX];
    FILE *f;

    path_of(path, volume, begin_utc_ms);
    for (char *at = path + strlen(dir[volume]) + 1; (at = strchr(at, '/'));
         at++) {
        *at = '\0';
        mkdir(path, 0700);
        *at = '/';
    }
    f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(file, 1, file_n, f), file_n);
    fclose(f);
}

static void finish(void)
{
    char command[200];

    cuts_free(answer);
    answer = NULL;
    volumes_free(volumes);
    assert_int_equal(uv_loop_close(&loop), 0);
    for (unsigned i = 0; i < 2; i++) {
        au_maker_fini(&makers[i]);
        snprintf(command, sizeof(command), "rm -r %s", dir[i]);
        assert_int_equal(system(command), 0);
    }
}

/* Asks for n files of FILE_MS, the first ones on disk 0, from `far` on on disk 1. */
static void ask(size_t n, size_t far, bool one, int64_t from_ms, int64_t to_ms)
{
    struct cuts *q = cuts_new(n);

    assert_non_null(q);
    slice_copy(q->device, sizeof(q->device), SLICE("dev"));
    slice_copy(q->channel, sizeof(q->channel), SLICE("chan"));
    for (size_t i = 0; i < n; i++) {
        q->file[i].begin_utc_ms = T0 + (int64_t)i * FILE_MS;
        q->file[i].volume = i >= far;
    }
    q->from_utc_ms = T0 + from_ms;
    q->to_utc_ms = T0 + to_ms;
    q->one = one;
    q->on_done = on_done;
    assert_int_equal(cuts_run(volumes, &loop, q), 0);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_ptr_equal(answer, q);
}

/* ---- tests -------------------------------------------------------------------------- */

/* From a key frame on, over both disks; one that has gone and one that is damaged
 * are left out, and what follows goes on all the same. */
static void over_two_disks(void **state)
{
    (void)state;
    begin();
    make_file_of(small, true);
    put_file(0, T0);
    put_file(1, T0 + 3 * FILE_MS);
    memset(file, 'x', file_n);
    put_file(0, T0 + 2 * FILE_MS);
    ask(4, 3, true, 900, 4 * FILE_MS);
    assert_int_equal(answer->err, 0);
    assert_int_equal(answer->file[0].cut.n, 3); /* of 5 groups: from 800 ms on */
    assert_int_equal(cuts_part_utc_ms(&answer->file[0], 0), T0 + 800);
    assert_int_equal(answer->file[1].cut.n, 0);
    assert_int_equal(answer->file[2].cut.n, 0);
    assert_int_equal(answer->file[3].cut.n, 5);
    assert_int_equal(answer->head, 0);
    assert_false(answer->file[3].joins); /* 4 s are missing */
    finish();
}

/* Of files that one head could be of, that with the most tracks has it. */
static void the_head_with_all_tracks(void **state)
{
    (void)state;
    begin();
    make_file_of(small, false);
    put_file(0, T0);
    put_file(0, T0 + 2 * FILE_MS);
    make_file_of(small, true);
    put_file(0, T0 + FILE_MS);
    ask(3, 3, true, 0, 3 * FILE_MS);
    assert_int_equal(answer->err, 0);
    assert_int_equal(answer->head, 1);
    finish();
}

/* Pictures of another size: one file cannot be both, and it is told where. */
static void tracks_that_change(void **state)
{
    (void)state;
    begin();
    make_file_of(small, true);
    put_file(0, T0);
    make_file_of(large, true);
    put_file(0, T0 + FILE_MS);
    ask(2, 2, true, 0, 2 * FILE_MS);
    assert_int_equal(answer->err, GB_EUNSUPPORTED);
    assert_int_equal(answer->changed_utc_ms, T0 + FILE_MS);
    cuts_free(answer);
    /* each with its head: no matter; the same one is told once */
    make_file_of(small, true);
    put_file(0, T0 + 2 * FILE_MS);
    put_file(0, T0 + 3 * FILE_MS);
    ask(4, 4, false, 0, 4 * FILE_MS);
    assert_int_equal(answer->err, 0);
    assert_int_equal(answer->file[0].head, 0);
    assert_int_equal(answer->file[1].head, 1);
    assert_int_equal(answer->file[2].head, 2);
    assert_int_equal(answer->file[3].head, 2);
    assert_false(answer->file[1].joins);
    assert_false(answer->file[2].joins);
    assert_true(answer->file[3].joins);
    finish();
}

static bool read_memory(void *ctx, uint64_t off, void *buf, size_t n)
{
    const struct slice *s = ctx;

    if (off > s->n || s->n - off < n)
        return false;
    memcpy(buf, s->p + off, n);
    return true;
}

/* Every byte that the answer promises is read, and together they are one file. */
static void the_export_is_a_file(void **state)
{
    static char all[200000];
    char path[ROLLS_PATH_MAX];
    struct cuts_export e = { 0 };
    struct mp4scan m = { .bytes = 0 };
    struct slice whole;
    uint64_t off, n;
    size_t at = 0;

    (void)state;
    begin();
    make_file_of(small, false);
    put_file(0, T0);
    put_file(1, T0 + FILE_MS);
    ask(2, 1, true, 0, 2 * FILE_MS);
    e.q = answer;
    while (cuts_export_next(&e, path, &off, &n)) {
        FILE *f = fopen(path, "rb");

        assert_non_null(f);
        assert_int_equal(fseek(f, (long)off, SEEK_SET), 0);
        assert_true(at + n <= sizeof(all));
        assert_int_equal(fread(all + at, 1, n, f), n);
        fclose(f);
        assert_int_equal(cuts_export_move(&e, all + at, n), n);
        at += n;
    }
    assert_int_equal(at, cuts_export_bytes(answer));
    whole = slice_of(all, at);
    assert_int_equal(mp4scan(&m, read_memory, &whole, at), 0);
    assert_int_equal(m.bytes, at);
    assert_int_equal(m.fragments, 2 * N_PICTURES);
    finish();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(over_two_disks),
        cmocka_unit_test(the_head_with_all_tracks),
        cmocka_unit_test(tracks_that_change),
        cmocka_unit_test(the_export_is_a_file),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
