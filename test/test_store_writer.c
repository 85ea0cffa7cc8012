/* The queue of the store on a disk that refuses: it grows with the rows, not
 * with time, says so once, and loses nothing that it can hold. */
#include "test/support.h"

#include "app/net/log.h"
#include "app/store/writer.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A disk: what has been committed, as text in order. */
struct disk {
    atomic_bool broken;
    unsigned tries;
    char text[4096];
    struct store_writer *w; /* puts once more while a commit runs */
    const char *late;
};

static struct disk disk;
static struct store_writer w;

static void put(const char *id)
{
    struct platform_device d = { .id = slice_str(id),
                                 .name = SLICE("a name") };

    store_writer_device(&w, &d);
}

static void put_channel(const char *device, const char *id, const char *name)
{
    struct platform_channel c = { .device = slice_str(device),
                                  .id = slice_str(id),
                                  .name = slice_str(name) };

    store_writer_channel(&w, &c);
}

static bool commit(void *backend, struct list *jobs,
                   char why[static STORE_WHY])
{
    struct disk *d = backend;
    size_t at = strlen(d->text);

    d->tries++;
    if (d->late)
        put(d->late);
    d->late = NULL;
    if (d->broken) {
        snprintf(why, STORE_WHY, "disk is full");
        return false;
    }
    for (struct list *n = jobs->next; n != jobs; n = n->next) {
        static const char kinds[] = "+-cxgx";
        struct store_job *j = container_of(n, struct store_job, node);

        at += (size_t)snprintf(d->text + at, sizeof(d->text) - at, "%c%s%s%s ",
                               kinds[j->op], store_text(j, 0).p,
                               j->op == STORE_PUT_CHANNEL ? "/" : "",
                               j->op == STORE_PUT_CHANNEL ? store_text(j, 1).p : "");
    }
    return true;
}

static void begin(uint32_t max_jobs)
{
    const struct store_backend b = { .commit = commit, .backend = &disk };

    memset(&disk, 0, sizeof(disk));
    assert_int_equal(store_writer_start(&w, &b, max_jobs), 0);
}

/* Returns when the next commit is over, however it went. */
static void flush(void)
{
    store_writer_flush(&w);
}

static struct store_counters counters(void)
{
    struct store_counters n;

    store_writer_counters(&w, &n);
    return n;
}

/* One job a row: the newest, and each at its place towards a removal. */
static void one_job_a_row(void **state)
{
    (void)state;
    begin(0);
    disk.broken = true;
    put("1");
    flush();
    put("2");
    put_channel("1", "a", "old");
    store_writer_remove(&w, STORE_REMOVE_DEVICE, SLICE("1"), SLICE(""));
    put_channel("1", "a", "new");
    for (int i = 0; i < 1000; i++)
        put("2");
    assert_int_equal(counters().queued, 4);
    disk.broken = false;
    flush();
    store_writer_stop(&w);
    assert_string_equal(disk.text, "+1 -1 c1/new +2 ");
}

/* A removal takes the channels with it, so a put behind it does not undo it. */
static void removed_and_put_again(void **state)
{
    (void)state;
    begin(0);
    disk.broken = true;
    put("1");
    flush();
    store_writer_remove(&w, STORE_REMOVE_DEVICE, SLICE("1"), SLICE(""));
    put("1");
    disk.broken = false;
    flush();
    store_writer_stop(&w);
    assert_string_equal(disk.text, "-1 +1 ");
}

/* What is written anew while its commit fails is not tried twice. */
static void put_while_committing(void **state)
{
    (void)state;
    begin(0);
    disk.broken = true;
    disk.late = "1";
    put("1");
    put("2");
    flush();
    assert_int_equal(counters().queued, 2);
    disk.broken = false;
    flush();
    store_writer_stop(&w);
    assert_string_equal(disk.text, "+2 +1 ");
}

static void counts_in_file(const char *path, const char *what, unsigned want)
{
    struct slice s = read_file(path);
    unsigned n = 0;

    for (struct slice at = s;; n++) {
        size_t off = slice_find_slice(at, slice_str(what));

        if (off == at.n)
            break;
        at = slice_from(at, off + 1);
    }
    if (n != want)
        fail_msg("%s: %u times in %.*s", what, n, SLICE_ARG(s));
    free((void *)(uintptr_t)s.p);
}

/* More rows than may wait are dropped and counted; the main loop never waits;
 * the log tells the beginning and the end. */
static void a_disk_that_stays_full(void **state)
{
    char path[] = "/tmp/gb28181d-log-XXXXXX";
    int fd = mkstemp(path);
    struct store_counters n;

    (void)state;
    assert_true(fd >= 0);
    log_init(fd, LOG_WARN, false);
    begin(10);
    disk.broken = true;
    for (unsigned round = 0; round < 5; round++) {
        for (unsigned i = 0; i < 25; i++) {
            char id[8];

            snprintf(id, sizeof(id), "%u", i);
            put(id);
        }
        flush();
    }
    n = counters();
    assert_true(n.queued >= 10 && n.queued <= 20); /* one lot in the thread */
    assert_true(n.dropped >= 25);
    assert_int_equal(n.writes, 0);
    assert_true(n.errors >= 5);
    disk.broken = false;
    flush();
    n = counters();
    assert_int_equal(n.queued, 0);
    assert_true(n.writes >= 10);
    store_writer_stop(&w);
    log_init(2, LOG_INFO, false);
    close(fd);
    counts_in_file(path, "store cannot be written", 1);
    counts_in_file(path, "disk is full", 1);
    counts_in_file(path, "further ones are dropped", 1);
    counts_in_file(path, "written again", 1);
    unlink(path);
}

/* Stopping does not wait for a disk that refuses. */
static void stops_all_the_same(void **state)
{
    (void)state;
    log_init(2, LOG_ERROR, false);
    begin(0);
    disk.broken = true;
    put("1");
    store_writer_stop(&w);
    assert_true(disk.tries == 1 || disk.tries == 2);
    assert_string_equal(disk.text, "");
}

/* Whether it is on the disk: asked behind a write, answered when that has been
 * tried; rows that were dropped before it are told once. */
static int told_err;
static atomic_uint told;

static void on_told(struct store_rows *r)
{
    told_err = r->err;
    told += (unsigned)r->tag;
    assert_int_equal(r->n, 0);
    store_rows_free(r);
}

static void asks_whether_it_is_there(void **state)
{
    static const struct {
        bool broken;
        unsigned rows; /* of 2 that may wait */
        int err;
    } cases[] = { { false, 1, 0 }, { true, 1, GB_EIO }, { false, 0, 0 },
                  { true, 0, 0 }, { true, 3, GB_EIO } };
    const struct store_ask q = { .list = STORE_NO_LIST, .tag = 1,
                                 .done = on_told };

    (void)state;
    log_init(2, LOG_ERROR, false);
    for (size_t i = 0; i < COUNT(cases); i++) {
        begin(2);
        disk.broken = cases[i].broken;
        for (unsigned k = 0; k < cases[i].rows; k++)
            put(k == 0 ? "0" : k == 1 ? "1" : "2");
        told = 0;
        assert_int_equal(store_writer_ask(&w, &q), 0);
        store_writer_end_asks(&w);
        if (told != 1 || told_err != cases[i].err)
            fail_msg("case %zu: %s", i, gb_strerror(told_err));
        disk.broken = false;
        store_writer_stop(&w);
    }
    log_init(2, LOG_INFO, false);
}

/* No room for a row: the next who asks hears it, though the disk is fine. */
static void a_dropped_row_is_told_once(void **state)
{
    const struct store_ask q = { .list = STORE_NO_LIST, .tag = 1,
                                 .done = on_told };

    (void)state;
    log_init(2, LOG_ERROR, false);
    begin(1);
    disk.broken = true;
    put("1");
    flush();
    put("2"); /* the first waits again */
    disk.broken = false;
    assert_true(counters().dropped > 0);
    for (int i = 0; i < 2; i++) {
        told = 0;
        assert_int_equal(store_writer_ask(&w, &q), 0);
        flush();
        while (!told)
            uv_sleep(1);
        assert_int_equal(told_err, i ? 0 : GB_EIO);
    }
    store_writer_stop(&w);
    log_init(2, LOG_INFO, false);
}

static void keys(void **state)
{
    static const uint64_t numbers[] = { 1, 99, UINT64_MAX };
    char buf[STORE_KEY_TEXT];

    (void)state;
    for (size_t i = 0; i < COUNT(numbers); i++) {
        struct slice text = store_key_text(buf, numbers[i]);

        assert_int_equal(text.n, strlen(buf));
        assert_true(store_key_of(buf) == numbers[i]);
    }
    assert_true(store_key_of("1234/5") == 0);
    assert_true(store_key_of("") == 0);
    assert_true(store_key_of(NULL) == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_job_a_row),
        cmocka_unit_test(removed_and_put_again),
        cmocka_unit_test(put_while_committing),
        cmocka_unit_test(a_disk_that_stays_full),
        cmocka_unit_test(stops_all_the_same),
        cmocka_unit_test(asks_whether_it_is_there),
        cmocka_unit_test(a_dropped_row_is_told_once),
        cmocka_unit_test(keys),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
