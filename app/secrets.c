#include "app/secrets.h"

#include "app/folder.h"
#include "app/http/auth.h"
#include "app/net/random.h"
#include "base/slice.h"

#include <errno.h>
#include <fcntl.h>
#include <nettle/gcm.h>
#include <nettle/hmac.h>
#include <nettle/memops.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define LETTERS 31
#define ADMIN_FILE "admin-password.hash"

/* Letters and digits that are not taken for one another on a camera's screen. */
static void random_text(char *out, size_t n)
{
    static const char set[] = "abcdefghjkmnpqrstuvwxyz23456789";
    uint8_t b;

    for (size_t i = 0; i < n;) {
        random_bytes(&b, 1);
        if (b < 256 / LETTERS * LETTERS) /* each letter equally likely */
            out[i++] = set[b % LETTERS];
    }
    out[n] = '\0';
}

/* A directory of secrets being opened; why: one sentence on what went wrong. */
struct opening {
    struct secrets *s;
    int dir;
    char *why; /* WHY_MAX bytes */
};

static bool failed(struct opening *o, const char *name, const char *verb)
{
    snprintf(o->why, WHY_MAX, "%.300s/%s: cannot be %s: %s", o->s->dir, name, verb,
             strerror(errno));
    return false;
}

/* There, and no secret: it may be all that opens what the store has sealed, so
 * it is for a person to give it up. */
static bool damaged(struct opening *o, const char *name, const char *fault)
{
    snprintf(o->why, WHY_MAX,
             "%.300s/%s: %s; put it back from a backup, or remove it and a new "
             "one is made at the next start", o->s->dir, name, fault);
    return false;
}

/* Without trailing white space. *absent: there is no such file, which is no
 * failure; anything else that keeps it from being read is. */
static bool read_line(struct opening *o, const char *name,
                      char out[static SECRETS_TEXT_MAX], bool *absent)
{
    int fd = openat(o->dir, name, O_RDONLY | O_CLOEXEC), err;
    ssize_t n;

    *absent = fd < 0 && errno == ENOENT;
    if (fd < 0)
        return *absent || failed(o, name, "opened");
    n = read(fd, out, SECRETS_TEXT_MAX);
    err = errno;
    close(fd);
    errno = err;
    if (n < 0)
        return failed(o, name, "read");
    if (n == SECRETS_TEXT_MAX)
        return damaged(o, name, "is too long");
    while (n > 0 && ascii_is_space(out[n - 1]))
        n--;
    out[n] = '\0';
    if (n == 0)
        return damaged(o, name, "is empty");
    if (memchr(out, '\n', (size_t)n) || memchr(out, '\0', (size_t)n))
        return damaged(o, name, "is not one line");
    return true;
}

static bool write_all(int fd, const char *text)
{
    /* NOLINTNEXTLINE(clang-analyzer-core.*): an array of the secrets */
    size_t n = strlen(text);

    return write(fd, text, n) == (ssize_t)n && write(fd, "\n", 1) == 1 &&
           fsync(fd) == 0;
}

/* Written beside and renamed, so that no half secret is ever read. */
static bool write_line(struct opening *o, const char *name, const char *text)
{
    char tmp[128];
    bool ok;
    int fd;

    o->s->first_start = true;
    snprintf(tmp, sizeof(tmp), "%s.new", name);
    fd = openat(o->dir, tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return failed(o, tmp, "made");
    errno = EIO; /* a short write says no more */
    ok = write_all(fd, text);
    if (!ok) {
        failed(o, tmp, "written");
        close(fd);
        return false;
    }
    if (close(fd) != 0)
        return failed(o, tmp, "written");
    if (renameat(o->dir, tmp, o->dir, name) != 0 || fsync(o->dir) != 0)
        return failed(o, name, "written");
    return true;
}

static bool hex_byte(const char *p, unsigned *v)
{
    int hi = ascii_hex(p[0]), lo = hi < 0 ? -1 : ascii_hex(p[1]);

    if (hi < 0 || lo < 0)
        return false;
    *v = (unsigned)hi << 4 | (unsigned)lo;
    return true;
}

static bool read_key(const char *hex, uint8_t key[32])
{
    for (int i = 0; i < 32; i++) {
        unsigned v;

        if (!hex_byte(hex + 2 * i, &v))
            return false;
        key[i] = (uint8_t)v;
    }
    return true;
}

static bool open_key(struct opening *o)
{
    static const char name[] = "installation-key";
    struct secrets *s = o->s;
    char hex[SECRETS_TEXT_MAX];
    bool absent;

    if (!read_line(o, name, hex, &absent))
        return false;
    if (!absent)
        return (strlen(hex) == 64 && read_key(hex, s->key)) ||
               damaged(o, name, "is not 64 hexadecimal digits");
    random_bytes(s->key, sizeof(s->key));
    for (int i = 0; i < 32; i++)
        snprintf(hex + 2 * i, 3, "%02x", s->key[i]);
    return write_line(o, name, hex);
}

static bool open_text(struct opening *o, const char *name,
                      char out[static SECRETS_TEXT_MAX], size_t letters)
{
    bool absent;

    if (!read_line(o, name, out, &absent))
        return false;
    if (!absent)
        return true;
    random_text(out, letters);
    return write_line(o, name, out);
}

static uint64_t clock_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static bool open_admin(struct opening *o)
{
    static const char name[] = ADMIN_FILE;
    struct secrets *s = o->s;
    uint8_t salt[16];
    bool absent;

    if (!read_line(o, name, s->admin_hash, &absent))
        return false;
    if (!absent)
        return http_password_is_hash(slice_str(s->admin_hash)) ||
               damaged(o, name, "is no hash of a password");
    random_text(s->new_admin_password, 16);
    random_bytes(salt, sizeof(salt));
    http_password_hash(s->admin_hash, slice_str(s->new_admin_password), salt,
                       http_password_measure(clock_ns));
    return write_line(o, name, s->admin_hash);
}

static int take_lock(struct opening *o)
{
    struct secrets *s = o->s;

    s->lock_fd = openat(o->dir, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (s->lock_fd < 0) {
        failed(o, "lock", "opened");
        return GB_EIO;
    }
    if (flock(s->lock_fd, LOCK_EX | LOCK_NB) == 0)
        return 0;
    if (errno != EWOULDBLOCK) {
        failed(o, "lock", "locked");
        return GB_EIO;
    }
    snprintf(o->why, WHY_MAX, "%.300s: another gb28181d uses this directory: stop "
                              "it, or name another one (server.data)",
             s->dir);
    return GB_EEXIST;
}

static int open_all(struct opening *o)
{
    struct secrets *s = o->s;
    int err = take_lock(o);

    if (err)
        return err;
    if (open_key(o) &&
        open_text(o, "device-password", s->device_password, 12) &&
        open_text(o, "admin-token", s->admin_token, 40) && open_admin(o))
        return 0;
    return GB_EIO;
}

int secrets_open(struct secrets *s, const char *path, char why[static WHY_MAX])
{
    int dir, err;

    *s = (struct secrets){ .lock_fd = -1 };
    if (!slice_copy(s->dir, sizeof(s->dir), slice_str(path))) {
        snprintf(why, WHY_MAX, "the path of the data directory is too long");
        return GB_EIO;
    }
    err = folder_make(path, "server.data", why);
    if (err)
        return err;
    dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0) {
        snprintf(why, WHY_MAX, "%.300s: cannot be opened: %s", path, strerror(errno));
        return GB_EIO;
    }
    err = open_all(&(struct opening){ .s = s, .dir = dir, .why = why });
    close(dir);
    if (err)
        secrets_close(s);
    return err;
}

/* ---- passwords of the store ---- */

#define SEAL_NONCE 12
#define SEAL_TAG 16

static void seal_start(struct gcm_aes256_ctx *c, const struct secrets *s,
                       const uint8_t nonce[SEAL_NONCE], struct slice what)
{
    static const char use[] = "passwords of the store";
    struct hmac_sha256_ctx h;
    uint8_t key[SHA256_DIGEST_SIZE];

    hmac_sha256_set_key(&h, sizeof(s->key), s->key);
    hmac_sha256_update(&h, sizeof(use) - 1, (const uint8_t *)use);
    hmac_sha256_digest(&h, sizeof(key), key);
    gcm_aes256_set_key(c, key);
    gcm_aes256_set_iv(c, SEAL_NONCE, nonce);
    gcm_aes256_update(c, what.n, (const uint8_t *)what.p);
    memset(key, 0, sizeof(key));
}

void secrets_seal(const struct secrets *s, struct slice what,
                  struct slice plain, char out[static SECRETS_SEALED_MAX])
{
    uint8_t raw[SEAL_NONCE + SECRETS_PLAIN_MAX + SEAL_TAG];
    struct gcm_aes256_ctx c;

    *out = '\0';
    if (plain.n == 0 || plain.n > SECRETS_PLAIN_MAX)
        return;
    random_bytes(raw, SEAL_NONCE);
    seal_start(&c, s, raw, what);
    gcm_aes256_encrypt(&c, plain.n, raw + SEAL_NONCE,
                       (const uint8_t *)plain.p);
    gcm_aes256_digest(&c, SEAL_TAG, raw + SEAL_NONCE + plain.n);
    for (size_t i = 0; i < SEAL_NONCE + plain.n + SEAL_TAG; i++)
        snprintf(out + 2 * i, 3, "%02x", raw[i]);
}

bool secrets_unseal(const struct secrets *s, struct slice what,
                    struct slice sealed, char buf[static SECRETS_PLAIN_MAX],
                    struct slice *plain)
{
    uint8_t raw[SEAL_NONCE + SECRETS_PLAIN_MAX + SEAL_TAG], tag[SEAL_TAG];
    size_t n = sealed.n / 2, n_text = n - SEAL_NONCE - SEAL_TAG;
    struct gcm_aes256_ctx c;
    unsigned v;

    *plain = slice_of(NULL, 0);
    if (sealed.n == 0)
        return true;
    if (sealed.n % 2 || n > sizeof(raw) || n <= SEAL_NONCE + SEAL_TAG)
        return false;
    for (size_t i = 0; i < n; i++) {
        if (!hex_byte(sealed.p + 2 * i, &v))
            return false;
        raw[i] = (uint8_t)v;
    }
    seal_start(&c, s, raw, what);
    gcm_aes256_decrypt(&c, n_text, (uint8_t *)buf, raw + SEAL_NONCE);
    gcm_aes256_digest(&c, SEAL_TAG, tag);
    if (!memeql_sec(tag, raw + SEAL_NONCE + n_text, SEAL_TAG)) {
        memset(buf, 0, n_text);
        return false;
    }
    *plain = slice_of(buf, n_text);
    return true;
}

void secrets_forget_untold(struct secrets *s)
{
    char path[sizeof(s->dir) + sizeof(ADMIN_FILE) + 1];

    if (!s->new_admin_password[0])
        return;
    snprintf(path, sizeof(path), "%s/" ADMIN_FILE, s->dir);
    unlink(path);
}

void secrets_close(struct secrets *s)
{
    if (s->lock_fd >= 0)
        close(s->lock_fd);
    s->lock_fd = -1;
}
