/* Recording from a media loop to a disk: sockets on loopback, files in a directory
 * of their own. What the disk does, or does not, is no concern of the stream. */
#include "app/net/rolls.h"

#include "app/media/mp4index.h"
#include "test/stream_world.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/uio.h>

#define ROLL 3
#define N_CLOSED 4096

static struct volumes *volumes;
static struct rolls *rolls;
static char dir[64];
static struct {
    unsigned n[ROLLS_FAILED + 1];
    uint64_t bytes, lost;
    int err;
    char text[96];
    int64_t begin_ms[N_CLOSED];
    uint64_t size[N_CLOSED];
} told;
static struct rolls_done done;
static unsigned n_done;

static void on_roll(void *ctx, const struct rolls_report *r)
{
    (void)ctx;
    assert_int_equal(r->roll, ROLL);
    if (r->event == ROLLS_CLOSED) {
        assert_true(told.n[ROLLS_CLOSED] < N_CLOSED);
        told.begin_ms[told.n[ROLLS_CLOSED]] = r->begin_utc_ms;
        told.size[told.n[ROLLS_CLOSED]] = r->bytes;
    }
    if (r->event == ROLLS_FAILED) {
        told.err = r->err;
        slice_copy(told.text, sizeof(told.text), slice_str(r->text));
    }
    told.n[r->event]++;
    told.bytes = r->bytes;
    told.lost = r->lost;
}

static void on_done(void *ctx, const struct rolls_done *d)
{
    (void)ctx;
    done = *d;
    n_done++;
}

/* ---- a world ------------------------------------------------------------------------ */

static size_t bytes_max; /* of the next world */

static void begin(const char *below)
{
    struct rolls_config rc = { .main = &loop, .bytes_max = bytes_max,
                               .on_roll = on_roll };

    memset(&told, 0, sizeof(told));
    n_done = 0;
    slice_copy(dir, sizeof(dir), SLICE("/tmp/gb28181d-rolls-XXXXXX"));
    assert_non_null(mkdtemp(dir));
    stream_begin();
    assert_int_equal(volumes_new(&volumes, slice_str(below ? below : dir)), 0);
    rc.media = net;
    rc.volumes = volumes;
    assert_int_equal(rolls_new(&rolls, &rc), 0);
    connect_device(open_session());
}

static void finish(void)
{
    stream_stop();
    rolls_free(rolls);
    volumes_free(volumes);
    stream_end();
    assert_int_equal(rmdir(dir), 0); /* nothing is left */
}

static void start(uint64_t session)
{
    const struct rolls_order o = {
        .roll = ROLL, .session = session, .device = SLICE("dev"),
        .channel = SLICE("chan"), .segment_ms = 4000,
        .sync = ROLLS_SYNC_SEGMENT,
    };

    rolls_start(rolls, &o);
}

/* What a file of a segment has. */
static struct mp4scan look(unsigned i)
{
    char path[ROLLS_PATH_MAX];
    struct mp4scan m = { .bytes = 0 };
    struct stat st;
    int f;

    assert_true(rolls_path(path, dir, SLICE("dev"), SLICE("chan"),
                           told.begin_ms[i]));
    f = open(path, O_RDONLY);
    assert_true(f >= 0);
    assert_int_equal(fstat(f, &st), 0);
    assert_int_equal(st.st_size, told.size[i]);
    assert_int_equal(mp4scan(&m, disk_read_at, &f, (uint64_t)st.st_size), 0);
    assert_int_equal(m.bytes, st.st_size);
    close(f);
    return m;
}

static void task(enum rolls_task what, int64_t begin_ms)
{
    unsigned n = n_done;

    assert_int_equal(rolls_task(rolls, what, 0, SLICE("dev"), SLICE("chan"),
                                begin_ms, on_done, NULL), 0);
    WAIT_FOR(n_done == n + 1);
    assert_int_equal(done.task, what);
}

static void remove_all(void)
{
    for (unsigned i = 0; i < told.n[ROLLS_CLOSED]; i++) {
        task(ROLLS_REMOVE, told.begin_ms[i]);
        assert_int_equal(done.err, 0);
    }
}

/* ---- tests -------------------------------------------------------------------------- */

static void segments_are_files(void **state)
{
    unsigned pictures = 0, before;

    (void)state;
    begin(NULL);
    send_gops(1);
    start(SESSION);
    SEND_UNTIL(told.n[ROLLS_BEGUN]);
    before = seq;
    send_gops(7);
    SEND_UNTIL(told.n[ROLLS_BEGUN] >= 3 && told.n[ROLLS_CLOSED] >= 2);
    rolls_stop(rolls, ROLL);
    WAIT_FOR(told.n[ROLLS_OVER]);
    assert_int_equal(told.n[ROLLS_OVER], 1);
    assert_int_equal(told.n[ROLLS_FAILED], 0);
    assert_int_equal(told.n[ROLLS_CLOSED], told.n[ROLLS_BEGUN]);
    assert_int_equal(told.lost, 0);
    for (unsigned i = 0; i < told.n[ROLLS_CLOSED]; i++) {
        struct mp4scan m = look(i);

        pictures += m.fragments;
        if (i)
            assert_true(told.begin_ms[i] > told.begin_ms[i - 1]);
    }
    /* all since it began, but for those that were under way when it ended */
    if (pictures + 10 < seq - before || pictures > seq)
        fail_msg("%u pictures of %u, %u of them before", pictures, seq, before);
    /* one more that is not there is no fault; directories go with the last */
    remove_all();
    task(ROLLS_REMOVE, told.begin_ms[0]);
    assert_int_equal(done.err, 0);
    finish();
}

static uv_sem_t gate;
static atomic_uint hanging;

static void hang(struct disk_job *j)
{
    (void)j;
    atomic_fetch_add(&hanging, 1);
    uv_sem_wait(&gate);
}

static void hung(struct disk_job *j)
{
    (void)j;
}

static void hang_disk(void)
{
    static struct disk_job stuck[DISK_WRITERS];

    assert_int_equal(uv_sem_init(&gate, 0), 0);
    atomic_store(&hanging, 0);
    for (unsigned i = 0; i < DISK_WRITERS; i++) {
        stuck[i] = (struct disk_job){ .work = hang, .done = hung };
        disk_run(volumes_disk(volumes, 0), &loop, DISK_WRITE, &stuck[i]);
    }
    WAIT_FOR(atomic_load(&hanging) == DISK_WRITERS);
}

static void free_disk(void)
{
    for (unsigned i = 0; i < DISK_WRITERS; i++)
        uv_sem_post(&gate);
}

/* The disk answers nothing while it is recorded: packets are taken as before, the
 * order to stop comes through; and when it answers again all is there. */
static void a_disk_that_hangs(void **state)
{
    uint64_t before;
    unsigned pictures = 0;

    (void)state;
    begin(NULL);
    hang_disk();
    send_gops(1);
    start(SESSION);
    send_gops(6);
    WAIT_FOR(packets > 0);
    before = packets;
    for (unsigned i = 0; i < 5000 && packets < before + 10; i++) {
        send_picture(i % 5 == 0);
        turn();
    }
    assert_true(packets >= before + 10);
    rolls_stop(rolls, ROLL);
    for (unsigned i = 0; i < 20; i++)
        turn();
    assert_int_equal(told.n[ROLLS_BEGUN] + told.n[ROLLS_OVER], 0);
    free_disk();
    WAIT_FOR(told.n[ROLLS_OVER]);
    assert_int_equal(told.n[ROLLS_FAILED], 0);
    assert_int_equal(told.lost, 0);
    for (unsigned i = 0; i < told.n[ROLLS_CLOSED]; i++)
        pictures += look(i).fragments;
    assert_true(pictures >= 30);
    remove_all();
    finish();
    uv_sem_destroy(&gate);
}

/* A picture of 3 KB behind the usual one. */
static void send_fat(bool key)
{
    char es[3000] = "\0\0\0\1" AU_P, bytes[4000];
    struct writer w = writer_of(bytes, sizeof(bytes));

    send_picture(key);
    memset(es + sizeof("\0\0\0\1" AU_P) - 1, 0x11,
           sizeof(es) - sizeof("\0\0\0\1" AU_P) + 1);
    ps_mux_video(&ps, &w, slice_of(es, sizeof(es)), pts90k, false);
    for (size_t at = 0, n; at < w.len; at += n) {
        n = w.len - at < 1400 ? w.len - at : 1400;
        send_packet(bytes + at, n, at + n == w.len);
    }
    pts90k += STEP90K;
}

/* Nor is there memory for it to wait: all together have gathered too much, and
 * each has a little. */
static void a_disk_that_hangs_and_no_memory(void **state)
{
    uint64_t n = 0;

    (void)state;
    bytes_max = 1;
    begin(NULL);
    bytes_max = 0;
    hang_disk();
    send_gops(1);
    start(SESSION);
    for (unsigned i = 0; i < 2 * ROLLS_LEAST_BYTES / 3000; i++) {
        send_fat(i % 5 == 0);
        turn();
    }
    rolls_stop(rolls, ROLL);
    free_disk();
    WAIT_FOR(told.n[ROLLS_OVER]);
    assert_true(told.lost > 0);
    for (unsigned i = 0; i < told.n[ROLLS_CLOSED]; i++) {
        look(i);
        n += told.size[i];
    }
    assert_in_range(n, ROLLS_LEAST_BYTES / 2, ROLLS_LEAST_BYTES * 3 / 2);
    remove_all();
    finish();
    uv_sem_destroy(&gate);
}

static void a_disk_that_is_no_directory(void **state)
{
    struct volume_view v;

    (void)state;
    begin("/dev/null");
    send_gops(1);
    start(SESSION);
    for (unsigned i = 0; i < 500 && !told.n[ROLLS_OVER]; i++)
        send_gops(1);
    assert_int_equal(told.n[ROLLS_FAILED], 1);
    assert_int_equal(told.n[ROLLS_OVER], 1);
    assert_int_equal(told.n[ROLLS_BEGUN], 0);
    assert_int_equal(told.err, GB_EIO);
    assert_string_equal(told.text, uv_strerror(UV_ENOTDIR));
    volumes_view(volumes, 0, &v);
    assert_int_equal(v.state, VOLUME_GONE);
    task(ROLLS_REPAIR, 1700000000000); /* is it there? nobody knows */
    assert_int_equal(done.err, GB_EIO);
    finish();
}

static void no_such_session(void **state)
{
    (void)state;
    begin(NULL);
    start(SESSION + 1);
    WAIT_FOR(told.n[ROLLS_OVER]);
    assert_int_equal(told.n[ROLLS_BEGUN] + told.n[ROLLS_FAILED], 0);
    rolls_stop(rolls, ROLL); /* it is over already */
    finish();
}

/* The stream ends, with its process or by itself: the file does, too. */
static void the_loops_end(void **state)
{
    (void)state;
    begin(NULL);
    send_gops(1);
    start(SESSION);
    send_gops(2);
    SEND_UNTIL(told.n[ROLLS_BEGUN]);
    stream_stop();
    assert_true(told.n[ROLLS_CLOSED] >= 1); /* more where the disk is slow */
    assert_int_equal(told.n[ROLLS_OVER], 1);
    look(0);
    remove_all();
    uv_run(&loop, UV_RUN_DEFAULT);
    rolls_free(rolls);
    volumes_free(volumes);
    stream_end();
    assert_int_equal(rmdir(dir), 0);
}

/* The key frames that the index of the file tells. */
static size_t n_told(const char *path, uint64_t size)
{
    struct mp4index_table t = { 0 };
    int f = open(path, O_RDONLY);
    uint64_t end = 0;
    size_t n;

    assert_true(f >= 0);
    n = mp4index_read(&t, &end, &gb_alloc_heap, FMP4_VIDEO_ID, disk_read_at, &f,
                      size) ? 0 : t.n;
    assert_true(n == 0 || end < size);
    gb_put(&gb_alloc_heap, t.e);
    close(f);
    return n;
}

/* Begun and ended; its path, and what is in it. */
static struct mp4scan one_recording(char path[static ROLLS_PATH_MAX])
{
    begin(NULL);
    send_gops(1);
    start(SESSION);
    send_gops(3);
    SEND_UNTIL(told.n[ROLLS_BEGUN]);
    rolls_stop(rolls, ROLL);
    WAIT_FOR(told.n[ROLLS_OVER]);
    assert_true(rolls_path(path, dir, SLICE("dev"), SLICE("chan"),
                           told.begin_ms[0]));
    return look(0);
}

/* Cut where a crash may have cut it: what is whole stays, and gets its index. */
static void repaired(void **state)
{
    char path[ROLLS_PATH_MAX];
    struct mp4scan whole;
    size_t n;

    (void)state;
    whole = one_recording(path);
    task(ROLLS_REPAIR, told.begin_ms[0]);
    assert_int_equal(done.bytes, whole.bytes); /* with its index */
    assert_int_equal(truncate(path, (off_t)whole.bytes - 20), 0);
    task(ROLLS_REPAIR, told.begin_ms[0]);
    assert_int_equal(done.err, 0);
    assert_int_equal(done.bytes, whole.bytes); /* the same index again */
    assert_int_equal(done.duration_ms, whole.duration_ms);
    look(0);
    n = n_told(path, done.bytes);
    assert_true(n >= 1);
    assert_int_equal(truncate(path, (off_t)(whole.bytes * 2 / 3)), 0);
    assert_int_equal(n_told(path, whole.bytes * 2 / 3), 0);
    task(ROLLS_REPAIR, told.begin_ms[0]);
    assert_true(done.bytes < whole.bytes && done.duration_ms > 0);
    assert_in_range(n_told(path, done.bytes), 1, n);
    told.size[0] = done.bytes;
    look(0);
    assert_int_equal(truncate(path, (off_t)whole.head_bytes + 50), 0);
    task(ROLLS_REPAIR, told.begin_ms[0]); /* not one picture */
    assert_int_equal(done.bytes, 0);
    assert_int_equal(access(path, F_OK), -1);
    task(ROLLS_REPAIR, told.begin_ms[0]);
    assert_int_equal(done.err, 0);
    for (unsigned i = 1; i < told.n[ROLLS_CLOSED]; i++)
        task(ROLLS_REMOVE, told.begin_ms[i]);
    finish();
}

/* No row names it: what its index says is believed where that leads to its end,
 * and what is no recording stays. */
static void adopted(void **state)
{
    char path[ROLLS_PATH_MAX], head[4096];
    struct mp4scan whole;
    int f;

    (void)state;
    whole = one_recording(path);
    assert_true(whole.head_bytes <= sizeof(head));
    task(ROLLS_ADOPT, told.begin_ms[0]);
    assert_int_equal(done.err, 0);
    assert_int_equal(done.bytes, whole.bytes);
    assert_int_equal(done.duration_ms, whole.duration_ms);
    assert_true(done.sound == whole.sound);
    assert_int_equal(truncate(path, (off_t)whole.bytes - 20), 0);
    task(ROLLS_ADOPT, told.begin_ms[0]);
    assert_int_equal(done.bytes, whole.bytes); /* it has been looked through */
    f = open(path, O_RDWR);
    assert_true(f >= 0);
    assert_int_equal(pread(f, head, whole.head_bytes, 0), whole.head_bytes);
    assert_int_equal(ftruncate(f, 0), 0);
    assert_int_equal(pwrite(f, "of somebody else", 16, 0), 16);
    task(ROLLS_ADOPT, told.begin_ms[0]);
    assert_int_equal(done.bytes, 0);
    assert_int_equal(access(path, F_OK), 0);
    assert_int_equal(pwrite(f, head, whole.head_bytes, 0), whole.head_bytes);
    close(f);
    task(ROLLS_ADOPT, told.begin_ms[0]); /* not one picture */
    assert_int_equal(done.bytes, 0);
    assert_int_equal(access(path, F_OK), -1);
    for (unsigned i = 0; i < told.n[ROLLS_CLOSED]; i++)
        task(ROLLS_REMOVE, told.begin_ms[i]);
    finish();
}

/* In place of the C library's: a disk that cannot be read behind so many bytes. */
static atomic_llong unreadable = -1;

ssize_t pread(int file, void *buf, size_t n, off_t off)
{
    long long from = atomic_load(&unreadable);
    struct iovec v = { buf, n };

    if (from >= 0 && off + (off_t)n > from) {
        errno = EIO;
        return -1;
    }
    return preadv(file, &v, 1, off);
}

/* Likewise: so many directories are gone as soon as they are made. */
static atomic_uint vanishing;

int mkdir(const char *name, mode_t mode)
{
    int err = mkdirat(AT_FDCWD, name, mode);

    if (!err && atomic_load(&vanishing)) {
        atomic_fetch_sub(&vanishing, 1);
        rmdir(name);
    }
    return err;
}

/* What is empty goes, and the next file is about to lie in it. */
static void directories_that_go(void **state)
{
    (void)state;
    begin(NULL);
    atomic_store(&vanishing, 1);
    send_gops(1);
    start(SESSION);
    SEND_UNTIL(told.n[ROLLS_BEGUN] + told.n[ROLLS_FAILED]);
    assert_int_equal(told.n[ROLLS_FAILED], 0);
    rolls_stop(rolls, ROLL);
    WAIT_FOR(told.n[ROLLS_OVER]);
    look(0);
    remove_all();
    finish();
}

/* It may be there tomorrow: neither cut off nor removed. */
static void what_cannot_be_read_stays(void **state)
{
    char path[ROLLS_PATH_MAX];
    struct mp4scan whole;

    (void)state;
    whole = one_recording(path);
    for (uint64_t from = 0; from < whole.bytes / 2; from += whole.bytes / 4) {
        atomic_store(&unreadable, (long long)from);
        task(ROLLS_REPAIR, told.begin_ms[0]);
        assert_int_equal(done.err, GB_EIO);
        atomic_store(&unreadable, -1);
        look(0);
    }
    remove_all();
    finish();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(segments_are_files),
        cmocka_unit_test(a_disk_that_hangs),
        cmocka_unit_test(a_disk_that_hangs_and_no_memory),
        cmocka_unit_test(a_disk_that_is_no_directory),
        cmocka_unit_test(no_such_session),
        cmocka_unit_test(the_loops_end),
        cmocka_unit_test(repaired),
        cmocka_unit_test(adopted),
        cmocka_unit_test(what_cannot_be_read_stays),
        cmocka_unit_test(directories_that_go),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
