/* Downloads from a media loop into files: sockets on loopback, files in a folder
 * of their own. What one session has written the next one goes on with. */
#include "app/net/saves.h"

#include "app/media/mp4scan.h"
#include "test/stream_world.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>

#define FILE_ID 12
#define START_MS 1700000000000

static struct disk *disk;
static struct saves *saves;
static char dir[64];
static struct {
    unsigned n, over;
    struct saves_report last;
    char text[96];
} said;
static struct {
    unsigned n;
    uint64_t bytes;
    int err;
} filed;

static void on_saved(void *ctx, const struct saves_report *r)
{
    (void)ctx;
    assert_int_equal(r->id, FILE_ID);
    said.n++;
    said.over += r->over;
    said.last = *r;
    slice_copy(said.text, sizeof(said.text), slice_str(r->text));
}

static void on_filed(void *ctx, uint64_t id, uint64_t bytes, int err,
                     const char *text)
{
    (void)ctx;
    assert_int_equal(id, FILE_ID);
    assert_true((err == 0) == (text == NULL));
    filed.n++;
    filed.bytes = bytes;
    filed.err = err;
}

/* ---- a world ------------------------------------------------------------------------ */

static void make_saves(const char *below)
{
    const struct saves_config c = { .main = &loop, .media = net, .disk = disk,
                                    .dir = below, .on_saved = on_saved,
                                    .on_filed = on_filed };

    assert_int_equal(saves_new(&saves, &c), 0);
}

static void begin(void)
{
    memset(&said, 0, sizeof(said));
    memset(&filed, 0, sizeof(filed));
    slice_copy(dir, sizeof(dir), SLICE("/tmp/gb28181d-saves-XXXXXX"));
    assert_non_null(mkdtemp(dir));
    stream_begin();
    assert_int_equal(disk_new(&disk), 0);
    make_saves(dir);
    connect_device(open_session());
}

static void finish(void)
{
    stream_stop();
    saves_free(saves);
    disk_free(disk);
    stream_end();
    assert_int_equal(rmdir(dir), 0); /* nothing is left */
}

static void start(enum saver_format format, const struct saver_mark *from,
                  uint64_t session)
{
    const struct saves_order o = {
        .id = FILE_ID, .session = session, .format = format,
        .mark = from ? *from : (struct saver_mark){ 0 },
        .start_utc_ms = from ? from->at_utc_ms + 400 : START_MS, .anew = true,
    };

    saves_start(saves, &o);
}

/* The device's session ends; the file comes to rest. */
static void end_session(void)
{
    unsigned before = said.over;

    media_net_forget(net, SESSION, 0);
    WAIT_FOR(said.over == before + 1);
}

static void another_session(void)
{
    close(fd);
    connect_device(open_session());
}

static void path(char *out, size_t cap, const char *end)
{
    snprintf(out, cap, "%s/%d.%s", dir, FILE_ID, end);
}

/* -1: there is no such file. */
static int64_t size_of(const char *end)
{
    struct stat st;
    char p[100];

    path(p, sizeof(p), end);
    return stat(p, &st) ? -1 : (int64_t)st.st_size;
}

static void file_it(enum saver_format format, bool remove)
{
    unsigned before = filed.n;

    saves_end(saves, FILE_ID, format, &said.last.mark, remove);
    WAIT_FOR(filed.n == before + 1);
}

static void remove_it(const char *end)
{
    char p[100];

    path(p, sizeof(p), end);
    assert_int_equal(unlink(p), 0);
}

static struct mp4scan look(void)
{
    struct mp4scan m = { .bytes = 0 };
    char p[100];
    int f;

    path(p, sizeof(p), "mp4");
    f = open(p, O_RDONLY);
    assert_true(f >= 0);
    assert_int_equal(mp4scan(&m, disk_read_at, &f, (uint64_t)size_of("mp4")), 0);
    close(f);
    return m;
}

/* ---- tests -------------------------------------------------------------------------- */

/* Reports come while it grows; the file has its name when all of it is there. */
static void a_program_stream(void **state)
{
    char p[100], head[4] = "";
    uint64_t bytes;
    int f;

    (void)state;
    begin();
    start(SAVER_PS, NULL, SESSION);
    SEND_UNTIL(said.n >= 2 && said.last.mark.bytes > 0);
    assert_false(said.last.over);
    bytes = said.last.mark.bytes;
    end_session();
    assert_int_equal(said.last.err, 0);
    assert_int_equal(said.last.session, SESSION);
    assert_true(said.last.mark.bytes >= bytes);
    assert_true(said.last.mark.at_utc_ms >= START_MS);
    assert_int_equal(size_of("ps"), -1);
    file_it(SAVER_PS, false);
    assert_int_equal(filed.err, 0);
    assert_int_equal(size_of("ps"), filed.bytes);
    assert_true(filed.bytes >= said.last.mark.bytes);
    assert_int_equal(size_of("ps.part"), -1);
    path(p, sizeof(p), "ps");
    f = open(p, O_RDONLY);
    assert_int_equal(read(f, head, 4), 4);
    assert_memory_equal(head, "\0\0\1\xba", 4);
    close(f);
    remove_it("ps");
    finish();
}

/* A device that sends all of it at once is done before it is known that no sound
 * comes. */
static void all_of_it_at_once(void **state)
{
    (void)state;
    begin();
    start(SAVER_MP4, NULL, SESSION);
    for (unsigned i = 0; i < 20; i++)
        turn();
    for (unsigned i = 0; i < 10; i++)
        send_picture(i % 5 == 0);
    WAIT_FOR(packets > 0);
    for (unsigned i = 0; i < 20; i++)
        turn();
    end_session();
    assert_int_equal(said.last.err, 0);
    assert_true(said.last.mark.bytes > 0);
    file_it(SAVER_MP4, false);
    assert_int_equal(filed.err, 0);
    assert_true(filed.bytes > 0);
    remove_it("mp4");
    finish();
}

/* Where it has come to. */
static struct saver_mark first_session(void)
{
    begin();
    start(SAVER_MP4, NULL, SESSION);
    SEND_UNTIL(said.last.mark.bytes > 0);
    end_session();
    return said.last.mark;
}

/* Another process goes on where the mark is; what lay behind it is taken back. */
static void goes_on_after_a_restart(void **state)
{
    struct saver_mark mark;
    struct mp4scan m;
    char p[100];
    int f;

    (void)state;
    mark = first_session();
    saves_free(saves);
    make_saves(dir);
    path(p, sizeof(p), "mp4.part");
    f = open(p, O_WRONLY | O_APPEND);
    assert_int_equal(write(f, "half a picture", 14), 14);
    close(f);
    another_session();
    start(SAVER_MP4, &mark, SESSION);
    SEND_UNTIL(said.last.mark.bytes > mark.bytes);
    end_session();
    assert_int_equal(said.last.err, 0);
    assert_true(said.last.mark.end90k > mark.end90k);
    file_it(SAVER_MP4, false);
    assert_int_equal(filed.err, 0);
    assert_int_equal(size_of("mp4"), filed.bytes);
    m = look();
    assert_true(m.fragments >= 5);
    assert_true(m.bytes > mark.bytes);
    remove_it("mp4");
    finish();
}

/* The file has grown behind that mark, and is whole. */
static void went_on_from(const struct saver_mark *mark)
{
    assert_true(said.last.mark.end90k > mark->end90k);
    file_it(SAVER_MP4, false);
    assert_true(look().fragments >= 2);
    remove_it("mp4");
    finish();
}

/* Two sessions of one process: one file, one timeline. */
static void a_second_session(void **state)
{
    struct saver_mark mark;

    (void)state;
    mark = first_session();
    another_session();
    start(SAVER_MP4, &mark, SESSION);
    SEND_UNTIL(said.last.mark.bytes > mark.bytes);
    end_session();
    went_on_from(&mark);
}

/* The disk is full in the middle: what is on it is gone on with once there is room. */
static void a_disk_that_was_full(void **state)
{
    struct saver_mark mark;
    struct rlimit room, full;

    (void)state;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &room), 0);
    full = room;
    mark = first_session();
    another_session();
    start(SAVER_MP4, &mark, SESSION);
    full.rlim_cur = mark.bytes + 10;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &full), 0);
    SEND_UNTIL(said.last.err);
    end_session();
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &room), 0);
    assert_int_equal(said.last.mark.bytes, mark.bytes);
    said.last.err = 0;
    another_session();
    start(SAVER_MP4, &mark, SESSION);
    SEND_UNTIL(said.last.err || said.last.mark.bytes > mark.bytes);
    assert_int_equal(said.last.err, 0);
    end_session();
    went_on_from(&mark);
}

/* Less is there than was written: nothing can be trusted, and the next session
 * begins the file anew. */
static void a_part_that_has_shrunk(void **state)
{
    struct saver_mark mark;
    char p[100];

    (void)state;
    begin();
    start(SAVER_PS, NULL, SESSION);
    SEND_UNTIL(said.last.mark.bytes > 0);
    end_session();
    mark = said.last.mark;
    path(p, sizeof(p), "ps.part");
    assert_int_equal(truncate(p, (off_t)mark.bytes / 2), 0);
    another_session();
    start(SAVER_PS, &mark, SESSION);
    WAIT_FOR(said.last.err);
    assert_int_equal(said.last.err, GB_ENOENT);
    assert_int_equal(said.last.mark.bytes, 0);
    send_gops(1);
    end_session();
    assert_int_equal(said.last.mark.bytes, 0);
    another_session();
    start(SAVER_PS, NULL, SESSION);
    SEND_UNTIL(said.last.mark.bytes > 0);
    assert_int_equal(said.last.err, 0);
    end_session();
    file_it(SAVER_PS, true);
    finish();
}

/* Its folder is none: told with what the system says, and the session goes on. */
static void no_folder(void **state)
{
    (void)state;
    begin();
    saves_free(saves);
    make_saves("/dev/null");
    start(SAVER_MP4, NULL, SESSION);
    WAIT_FOR(said.n);
    assert_int_equal(said.last.err, GB_EIO);
    assert_string_equal(said.text, uv_strerror(UV_ENOTDIR));
    send_gops(1);
    WAIT_FOR(packets > 0);
    assert_int_equal(said.over, 0);
    end_session();
    assert_int_equal(said.last.mark.bytes, 0);
    finish();
}

/* Somebody has removed it: it is made once more, for what begins. */
static void the_folder_has_gone(void **state)
{
    (void)state;
    begin();
    assert_int_equal(rmdir(dir), 0);
    start(SAVER_PS, NULL, SESSION);
    SEND_UNTIL(said.last.err || said.last.mark.bytes > 0);
    assert_int_equal(said.last.err, 0);
    end_session();
    assert_true(size_of("ps.part") > 0);
    file_it(SAVER_PS, true);
    finish();
}

/* Nothing came: no file. */
static void no_such_session(void **state)
{
    (void)state;
    begin();
    start(SAVER_MP4, NULL, SESSION + 1);
    WAIT_FOR(said.over);
    assert_int_equal(said.n, 1);
    assert_int_equal(said.last.err, 0);
    file_it(SAVER_MP4, false);
    assert_int_equal(filed.err, 0);
    assert_int_equal(filed.bytes, 0);
    assert_int_equal(size_of("mp4"), -1);
    finish();
}

/* A session has it: nobody else gets it, and it is filed when it is at rest, as
 * was asked for last. */
static void one_session_at_a_time(void **state)
{
    (void)state;
    begin();
    start(SAVER_PS, NULL, SESSION);
    start(SAVER_PS, NULL, SESSION);
    assert_int_equal(said.over, 1);
    assert_int_equal(said.last.err, GB_ELIMIT); /* no fault of the download */
    assert_string_equal(said.text,
                        "the disk has yet to write what came before");
    SEND_UNTIL(said.last.mark.bytes > 0);
    for (unsigned i = 0; i < 2; i++)
        saves_end(saves, FILE_ID, SAVER_PS, &said.last.mark, i == 1);
    send_gops(1);
    assert_int_equal(filed.n, 0);
    end_session();
    WAIT_FOR(filed.n == 1);
    assert_int_equal(filed.err, 0);
    assert_int_equal(size_of("ps.part"), -1);
    assert_int_equal(size_of("ps"), -1);
    finish();
}

/* The end that nobody waits for any more: the process ends first. */
static void never_at_rest(void **state)
{
    (void)state;
    begin();
    start(SAVER_PS, NULL, SESSION);
    SEND_UNTIL(said.last.mark.bytes > 0);
    saves_end(saves, FILE_ID, SAVER_PS, &said.last.mark, false);
    stream_stop();
    saves_free(saves);
    disk_free(disk);
    stream_end();
    remove_it("ps");
    assert_int_equal(rmdir(dir), 0);
}

/* The process before this one has published it, and was not told so. */
static void published_already(void **state)
{
    char p[100];
    int f;

    (void)state;
    begin();
    path(p, sizeof(p), "mp4");
    f = open(p, O_WRONLY | O_CREAT, 0600);
    assert_int_equal(write(f, "all of it", 9), 9);
    close(f);
    said.last.mark.bytes = 7;
    file_it(SAVER_MP4, false);
    assert_int_equal(filed.err, 0);
    assert_int_equal(filed.bytes, 9);
    file_it(SAVER_MP4, true);
    assert_int_equal(size_of("mp4"), -1);
    /* neither is there: it is lost, and told so */
    file_it(SAVER_MP4, false);
    assert_int_equal(filed.err, GB_ENOENT);
    finish();
}

/* What lies there from before, and is of nobody any more, is found by its name. */
static void names_of_parts(void **state)
{
    static const struct {
        const char *name;
        uint64_t id; /* 0: it is none */
    } cases[] = {
        { "12.mp4.part", 12 }, { "7.ps.part", 7 }, { "12.mp4", 0 },
        { "12.part", 0 }, { ".mp4.part", 0 }, { "x.mp4.part", 0 },
        { "1.mp4.part2", 0 }, { "-1.ps.part", 0 }, { "", 0 },
        { "18446744073709551615.ps.part", UINT64_MAX },
        { "18446744073709551616.ps.part", 0 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        uint64_t id = 0;
        bool is = saves_is_part(cases[i].name, &id);

        if (is != (cases[i].id != 0) || (is && id != cases[i].id))
            fail_msg("%s: %d %llu", cases[i].name, is, (unsigned long long)id);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_of_parts),
        cmocka_unit_test(a_program_stream),
        cmocka_unit_test(all_of_it_at_once),
        cmocka_unit_test(goes_on_after_a_restart),
        cmocka_unit_test(a_second_session),
        cmocka_unit_test(a_disk_that_was_full),
        cmocka_unit_test(a_part_that_has_shrunk),
        cmocka_unit_test(no_folder),
        cmocka_unit_test(the_folder_has_gone),
        cmocka_unit_test(no_such_session),
        cmocka_unit_test(one_session_at_a_time),
        cmocka_unit_test(never_at_rest),
        cmocka_unit_test(published_already),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
