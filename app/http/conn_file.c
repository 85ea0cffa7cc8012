/* Bodies that are files: a request's on its way to the disk, an answer's from
 * it, a piece at a time and on the disk's threads. While a piece is under way nothing
 * is read from the client, or nothing more is read from the disk: one buffer a
 * file is all that it takes. */
#include "app/http/conn.h"
#include "app/net/cuts.h"

#include <errno.h>
#include <fcntl.h>
#include <nettle/sha2.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum op { OP_OPEN, OP_CREATE, OP_READ, OP_WRITE, OP_SYNC, OP_RENAME, OP_REOPEN,
          OP_END };

struct conn_file {
    struct http_server *server;
    struct conn *conn;  /* NULL: it has gone; this ends with its request */
    struct disk_job job;
    enum op op;         /* of the job */
    size_t n_op;        /* READ: bytes that are wanted */
    ssize_t result;     /* or a libuv error */
    void (*then)(struct conn_file *f, ssize_t result);
    int fd;             /* -1: not open */
    bool busy, upload, done;
    uint64_t left;      /* to come, or to be sent */
    uint64_t off;       /* in the file */
    uint64_t size;      /* of an upload */
    struct sha256_ctx sha;
    struct http_file what; /* of an answer */
    uint64_t sent;
    char path[ROLLS_PATH_MAX], final[HTTP_FILE_PATH_MAX];
    char name[HTTP_FILE_NAME_MAX + 1];
    struct cuts_export export; /* of what.cuts, when that is what it sends */
    size_t n, at; /* bytes in buf, and those written */
    char buf[HTTP_FILE_CHUNK];
};

static void upload_more(struct conn_file *f);
static void file_end(struct conn_file *f);

/* ---- on the disk ---------------------------------------------------------------- */

/* Closes it; an upload that is not whole leaves nothing. */
static int do_end(struct conn_file *f)
{
    if (f->fd >= 0 && close(f->fd))
        return -1;
    return f->upload && !f->done ? unlink(f->path) : 0;
}

/* What is no file, or is empty, is not there. */
static ssize_t do_open(struct conn_file *f)
{
    struct stat st;

    f->fd = open(f->path, O_RDONLY | O_CLOEXEC);
    if (f->fd < 0 || !f->what.whole)
        return f->fd;
    if (fstat(f->fd, &st))
        return -1;
    if (!S_ISREG(st.st_mode) || st.st_size <= 0) {
        errno = ENOENT;
        return -1;
    }
    f->left = (uint64_t)st.st_size;
    return f->fd;
}

static ssize_t do_op(struct conn_file *f)
{
    switch (f->op) {
    case OP_REOPEN: /* the next one */
        close(f->fd);
        /* fall through */
    case OP_OPEN:
        return do_open(f);
    case OP_CREATE:
        return f->fd = open(f->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
                            0600);
    case OP_READ:
        return pread(f->fd, f->buf, f->n_op, (off_t)f->off);
    case OP_WRITE:
        return pwrite(f->fd, f->buf + f->at, f->n - f->at, (off_t)f->off);
    case OP_SYNC:
        return fsync(f->fd);
    case OP_RENAME:
        f->done = rename(f->path, f->final) == 0;
        return f->done ? 0 : -1;
    case OP_END:
        return do_end(f);
    }
    return 0;
}

static void work(struct disk_job *j)
{
    struct conn_file *f = container_of(j, struct conn_file, job);

    do {
        f->result = do_op(f);
    } while (f->result < 0 && errno == EINTR && f->op != OP_END);
    if (f->result < 0)
        f->result = -errno; /* as libuv has them on Linux */
}

static void file_free(struct conn_file *f)
{
    struct http_server *s = f->server;

    s->n.files--;
    cuts_free(f->what.cuts);
    gb_put(s->cfg.alloc, f);
    server_handle_closed(s);
}

static void worked(struct disk_job *j)
{
    struct conn_file *f = container_of(j, struct conn_file, job);

    f->busy = false;
    if (f->op == OP_END)
        file_free(f);
    else if (!f->conn)
        file_end(f);
    else
        f->then(f, f->result);
}

static struct disk *disk_of(const struct conn_file *f)
{
    if (f->what.cuts)
        return volumes_disk(f->what.cuts->volumes, f->export.volume);
    return f->what.disk ? f->what.disk : f->server->disk;
}

/* then comes later, unless the connection goes before. */
static void run(struct conn_file *f, enum op op,
                void (*then)(struct conn_file *f, ssize_t result))
{
    f->busy = true;
    f->op = op;
    f->then = then;
    f->job.work = work;
    f->job.done = worked;
    disk_run(disk_of(f), f->server->cfg.loop,
             f->upload ? DISK_WRITE : DISK_LOOK, &f->job);
}

/* ---- ending ------------------------------------------------------------------- */

static void file_end(struct conn_file *f)
{
    if (f->conn)
        f->conn->file = NULL;
    f->conn = NULL;
    if (f->fd < 0)
        file_free(f);
    else
        run(f, OP_END, NULL);
}

void conn_file_drop(struct conn *c)
{
    struct conn_file *f = c->file;

    if (!f)
        return;
    c->file = NULL;
    f->conn = NULL;
    if (!f->upload)
        http_app_file_sent(c->server->cfg.app, &f->what, f->sent);
    if (!f->busy)
        file_end(f);
}

/* dir NULL: that of uploads. */
static struct conn_file *file_new(struct conn *c, const char *dir,
                                  const char *name)
{
    struct http_server *s = c->server;
    struct conn_file *f;

    dir = dir ? dir : s->cfg.file_dir;
    if (!dir || s->n.files >= HTTP_FILES_MAX)
        return NULL;
    f = gb_get(s->cfg.alloc, sizeof(*f));
    if (!f)
        return NULL;
    f->server = s;
    f->conn = c;
    f->fd = -1;
    snprintf(f->path, sizeof(f->path), "%s/%s", dir, name);
    c->file = f;
    s->n.files++;
    s->open_handles++;
    return f;
}

/* ---- answers -------------------------------------------------------------------- */

/* How many of the n bytes that were read can leave. */
static size_t moved(struct conn_file *f, size_t n)
{
    if (f->what.cuts)
        return cuts_export_move(&f->export, f->buf, n);
    if (f->what.mutes)
        mp4cut_mute(f->buf, n);
    return f->what.moves ? mp4cut_move(&f->what.mover, f->buf, n) : n;
}

static void on_piece(struct conn_file *f, ssize_t n)
{
    struct conn *c = f->conn;

    if (n <= 0) { /* shorter than it was: the client must not take it for whole */
        conn_close(c);
        return;
    }
    n = (ssize_t)moved(f, (size_t)n);
    if (n == 0) { /* damaged */
        conn_close(c);
        return;
    }
    f->off += (uint64_t)n;
    f->left -= (uint64_t)n;
    f->sent += (uint64_t)n;
    conn_write(c, slice_of(f->buf, (size_t)n));
}

/* ---- one file made of many ------------------------------------------------------- */

static void on_next(struct conn_file *f, ssize_t fd)
{
    struct conn *c = f->conn;

    if (fd < 0 || !conn_file_more(c)) /* it went meanwhile */
        conn_close(c);
}

/* false: there is none, this was the last one. */
static bool next_file(struct conn_file *f)
{
    if (!f->what.cuts ||
        !cuts_export_next(&f->export, f->path, &f->off, &f->left))
        return false;
    run(f, OP_REOPEN, on_next);
    return true;
}

bool conn_file_more(struct conn *c)
{
    struct conn_file *f = c->file;

    if (!f)
        return false;
    if (f->left == 0 && next_file(f))
        return true;
    if (f->left == 0) {
        http_app_file_sent(c->server->cfg.app, &f->what, f->sent);
        f->done = true;
        file_end(f);
        return false;
    }
    f->n_op = f->left < sizeof(f->buf) ? (size_t)f->left : sizeof(f->buf);
    run(f, OP_READ, on_piece);
    return true;
}

static void on_opened(struct conn_file *f, ssize_t fd)
{
    struct conn *c = f->conn;

    if (fd < 0) {
        file_end(f);
        conn_problem(c, 404, "the file is gone");
        return;
    }
    if (f->what.whole)
        conn_file_head(c, f->what.whole, f->left);
    conn_write(c, (struct slice){ 0 }); /* the head; conn_file_more follows */
}

bool conn_file_send(struct conn *c, const struct http_file *what)
{
    struct conn_file *f = file_new(c, what->dir, what->name);

    if (!f)
        return false;
    f->off = what->off;
    f->left = what->n;
    f->export.q = what->cuts;
    if (what->cuts &&
        !cuts_export_next(&f->export, f->path, &f->off, &f->left)) {
        file_end(f);
        return false;
    }
    f->what = *what; /* with its cuts */
    run(f, OP_OPEN, on_opened);
    return true;
}

/* ---- uploads --------------------------------------------------------------------- */

static void fail(struct conn_file *f, ssize_t err)
{
    struct conn *c = f->conn;
    char why[160];

    snprintf(why, sizeof(why), "the file cannot be written: %s",
             uv_strerror((int)err));
    file_end(f);
    conn_problem(c, err == UV_ENOSPC ? 507 : 500, why);
}

static void on_renamed(struct conn_file *f, ssize_t err)
{
    struct conn *c = f->conn;
    struct http_received got;
    char name[HTTP_FILE_NAME_MAX + 1];

    if (err < 0) {
        fail(f, err);
        return;
    }
    memcpy(name, f->name, sizeof(name));
    got = (struct http_received){ .name = name, .size = f->size };
    file_end(f);
    conn_received(c, &got);
}

static void on_synced(struct conn_file *f, ssize_t err)
{
    uint8_t digest[SHA256_DIGEST_SIZE];
    struct writer w = writer_of(f->name, HTTP_FILE_NAME_MAX);

    if (err < 0) {
        fail(f, err);
        return;
    }
    sha256_digest(&f->sha, sizeof(digest), digest);
    writer_hex(&w, digest, sizeof(digest));
    f->name[w.len] = '\0';
    snprintf(f->final, sizeof(f->final), "%s/%s", f->server->cfg.file_dir,
             f->name);
    run(f, OP_RENAME, on_renamed);
}

static void on_stored(struct conn_file *f, ssize_t n)
{
    if (n <= 0) {
        fail(f, n ? n : UV_EIO);
        return;
    }
    f->at += (size_t)n;
    f->off += (uint64_t)n;
    upload_more(f);
}

/* What is in the buffer goes out; then the end, or the next piece. */
static void upload_more(struct conn_file *f)
{
    if (f->at < f->n) {
        run(f, OP_WRITE, on_stored);
    } else if (f->left == 0) {
        run(f, OP_SYNC, on_synced);
    } else {
        f->n = f->at = 0;
        conn_upload_next(f->conn);
    }
}

size_t conn_file_take(struct conn *c, struct slice s)
{
    struct conn_file *f = c->file;

    if (f->busy || f->n)
        return 0;
    s = slice_head(s, sizeof(f->buf));
    if (s.n > f->left)
        s.n = (size_t)f->left;
    if (s.n == 0)
        return 0;
    memcpy(f->buf, s.p, s.n);
    sha256_update(&f->sha, s.n, (const uint8_t *)s.p);
    f->n = s.n;
    f->left -= s.n;
    upload_more(f);
    return s.n;
}

static void on_created(struct conn_file *f, ssize_t fd)
{
    if (fd < 0)
        fail(f, fd);
    else
        conn_upload_next(f->conn);
}

bool conn_file_receive(struct conn *c, uint64_t size)
{
    char name[48];
    struct conn_file *f;

    snprintf(name, sizeof(name), HTTP_FILE_PART "%llu",
             (unsigned long long)++c->server->n_uploads);
    f = file_new(c, NULL, name);
    if (!f)
        return false;
    f->upload = true;
    f->left = f->size = size;
    sha256_init(&f->sha);
    run(f, OP_CREATE, on_created);
    return true;
}
