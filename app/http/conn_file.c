/* Bodies that are files: a request's on its way to the disk, an answer's from
 * it, a piece at a time and in libuv's pool. While a piece is under way nothing
 * is read from the client, or nothing more is read from the disk: one buffer a
 * file is all that it takes. */
#include "app/http/conn.h"
#include "app/net/cuts.h"

#include <errno.h>
#include <fcntl.h>
#include <nettle/sha2.h>
#include <stdio.h>
#include <unistd.h>

struct conn_file {
    struct http_server *server;
    struct conn *conn;  /* NULL: it has gone; this ends with its request */
    uv_fs_t req;
    uv_file fd;         /* -1: not open */
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

static void file_free(struct conn_file *f)
{
    struct http_server *s = f->server;

    s->n.files--;
    cuts_free(f->what.cuts);
    gb_put(s->cfg.alloc, f);
    server_handle_closed(s);
}

/* ---- ending ------------------------------------------------------------------- */

static void on_unlinked(uv_fs_t *req)
{
    struct conn_file *f = req->data;

    uv_fs_req_cleanup(req);
    file_free(f);
}

static void on_ended(uv_fs_t *req)
{
    struct conn_file *f = req->data;

    uv_fs_req_cleanup(req);
    if (!f->upload || f->done ||
        uv_fs_unlink(f->server->cfg.loop, &f->req, f->path, on_unlinked))
        file_free(f);
}

/* Closes it; an upload that is not whole leaves nothing. */
static void file_end(struct conn_file *f)
{
    if (f->conn)
        f->conn->file = NULL;
    f->conn = NULL;
    if (f->fd < 0 ||
        uv_fs_close(f->server->cfg.loop, &f->req, f->fd, on_ended))
        file_free(f);
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

/* The result of a request; false: its connection has gone, and so has f. */
static bool came_back(uv_fs_t *req, ssize_t *result)
{
    struct conn_file *f = req->data;

    *result = req->result;
    uv_fs_req_cleanup(req);
    f->busy = false;
    if (f->conn)
        return true;
    file_end(f);
    return false;
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
    f->req.data = f;
    snprintf(f->path, sizeof(f->path), "%s/%s", dir, name);
    c->file = f;
    s->n.files++;
    s->open_handles++;
    return f;
}

/* ---- answers -------------------------------------------------------------------- */

static void on_piece(uv_fs_t *req)
{
    struct conn_file *f = req->data;
    struct conn *c = f->conn;
    ssize_t n;

    if (!came_back(req, &n))
        return;
    if (n <= 0) { /* shorter than it was: the client must not take it for whole */
        conn_close(c);
        return;
    }
    if (f->what.cuts) {
        n = (ssize_t)cuts_export_move(&f->export, f->buf, (size_t)n);
        if (n == 0) { /* damaged */
            conn_close(c);
            return;
        }
    }
    f->off += (uint64_t)n;
    f->left -= (uint64_t)n;
    f->sent += (uint64_t)n;
    conn_write(c, slice_of(f->buf, (size_t)n));
}

/* ---- one file made of many ------------------------------------------------------- */

static void on_next(uv_fs_t *req)
{
    struct conn_file *f = req->data;
    struct conn *c = f->conn;
    ssize_t fd;

    f->fd = (uv_file)req->result;
    if (!came_back(req, &fd))
        return;
    if (fd < 0 || !conn_file_more(c)) /* it went meanwhile */
        conn_close(c);
}

static void on_last_closed(uv_fs_t *req)
{
    struct conn_file *f = req->data;
    ssize_t err;

    f->fd = -1;
    if (!came_back(req, &err))
        return;
    f->busy = uv_fs_open(f->server->cfg.loop, &f->req, f->path,
                         O_RDONLY | O_CLOEXEC, 0, on_next) == 0;
    if (!f->busy)
        conn_close(f->conn);
}

/* false: there is none, this was the last one. */
static bool next_file(struct conn_file *f)
{
    if (!f->what.cuts ||
        !cuts_export_next(&f->export, f->path, &f->off, &f->left))
        return false;
    f->busy = uv_fs_close(f->server->cfg.loop, &f->req, f->fd,
                          on_last_closed) == 0;
    if (!f->busy)
        conn_close(f->conn);
    return true;
}

bool conn_file_more(struct conn *c)
{
    struct conn_file *f = c->file;
    uv_buf_t buf;

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
    buf = uv_buf_init(f->buf, (unsigned)(f->left < sizeof(f->buf)
                                             ? f->left
                                             : sizeof(f->buf)));
    f->busy = uv_fs_read(c->server->cfg.loop, &f->req, f->fd, &buf, 1,
                         (int64_t)f->off, on_piece) == 0;
    if (!f->busy)
        conn_close(c);
    return true;
}

static void on_opened(uv_fs_t *req)
{
    struct conn_file *f = req->data;
    struct conn *c = f->conn;
    ssize_t fd;

    f->fd = (uv_file)req->result;
    if (!came_back(req, &fd))
        return;
    if (fd < 0) {
        file_end(f);
        conn_problem(c, 404, "the file is gone");
        return;
    }
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
    f->busy = uv_fs_open(c->server->cfg.loop, &f->req, f->path,
                         O_RDONLY | O_CLOEXEC, 0, on_opened) == 0;
    if (f->busy)
        f->what = *what; /* with its cuts */
    else
        file_end(f);
    return f->busy;
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

static void on_renamed(uv_fs_t *req)
{
    struct conn_file *f = req->data;
    struct conn *c = f->conn;
    struct http_received got;
    char name[HTTP_FILE_NAME_MAX + 1];
    ssize_t err;

    f->done = req->result == 0;
    if (!came_back(req, &err))
        return;
    if (err < 0) {
        fail(f, err);
        return;
    }
    memcpy(name, f->name, sizeof(name));
    got = (struct http_received){ .name = name, .size = f->size };
    file_end(f);
    conn_received(c, &got);
}

static void on_synced(uv_fs_t *req)
{
    struct conn_file *f = req->data;
    uint8_t digest[SHA256_DIGEST_SIZE];
    struct writer w = writer_of(f->name, HTTP_FILE_NAME_MAX);
    ssize_t err;

    if (!came_back(req, &err))
        return;
    sha256_digest(&f->sha, sizeof(digest), digest);
    writer_hex(&w, digest, sizeof(digest));
    f->name[w.len] = '\0';
    snprintf(f->final, sizeof(f->final), "%s/%s", f->server->cfg.file_dir,
             f->name);
    if (err >= 0)
        err = uv_fs_rename(f->server->cfg.loop, &f->req, f->path, f->final,
                           on_renamed);
    f->busy = err >= 0;
    if (err < 0)
        fail(f, err);
}

static void on_stored(uv_fs_t *req)
{
    struct conn_file *f = req->data;
    ssize_t n;

    if (!came_back(req, &n))
        return;
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
    struct conn *c = f->conn;
    uv_loop_t *loop = f->server->cfg.loop;
    uv_buf_t buf;
    int err = 0;

    if (f->at < f->n) {
        buf = uv_buf_init(f->buf + f->at, (unsigned)(f->n - f->at));
        err = uv_fs_write(loop, &f->req, f->fd, &buf, 1, (int64_t)f->off,
                          on_stored);
        f->busy = err == 0;
    } else if (f->left == 0) {
        err = uv_fs_fsync(loop, &f->req, f->fd, on_synced);
        f->busy = err == 0;
    } else {
        f->n = f->at = 0;
        conn_upload_next(c);
    }
    if (err)
        fail(f, err);
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

static void on_created(uv_fs_t *req)
{
    struct conn_file *f = req->data;
    ssize_t fd;

    f->fd = (uv_file)req->result;
    if (!came_back(req, &fd))
        return;
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
    f->busy = uv_fs_open(c->server->cfg.loop, &f->req, f->path,
                         O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600,
                         on_created) == 0;
    if (!f->busy)
        file_end(f);
    return f->busy;
}
