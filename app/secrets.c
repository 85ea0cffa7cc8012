#include "app/secrets.h"

#include "app/http/auth.h"
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
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#define LETTERS 31

void secrets_random(void *p, size_t n)
{
    uint8_t *at = p;

    while (n) {
        ssize_t got = getrandom(at, n, 0);

        if (got < 0 && errno != EINTR)
            abort(); /* without randomness nothing is secure */
        if (got > 0) {
            at += got;
            n -= (size_t)got;
        }
    }
}

/* Letters and digits that are not taken for one another on a camera's screen. */
static void random_text(char *out, size_t n)
{
    static const char set[] = "abcdefghjkmnpqrstuvwxyz23456789";
    uint8_t b;

    for (size_t i = 0; i < n;) {
        secrets_random(&b, 1);
        if (b < 256 / LETTERS * LETTERS) /* each letter equally likely */
            out[i++] = set[b % LETTERS];
    }
    out[n] = '\0';
}

/* Without trailing white space; false when it is not there or empty. */
static bool read_line(int dir, const char *name, char *out, size_t cap)
{
    int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
    ssize_t n;

    if (fd < 0)
        return false;
    n = read(fd, out, cap - 1);
    close(fd);
    while (n > 0 && ascii_is_space(out[n - 1]))
        n--;
    out[n > 0 ? n : 0] = '\0';
    return n > 0;
}

/* Written beside and renamed, so that no half secret is ever read. */
static bool write_line(int dir, const char *name, const char *text)
{
    char tmp[128];
    size_t n = strlen(text);
    bool ok;
    int fd;

    snprintf(tmp, sizeof(tmp), "%s.new", name);
    fd = openat(dir, tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return false;
    ok = write(fd, text, n) == (ssize_t)n && write(fd, "\n", 1) == 1 &&
         fsync(fd) == 0;
    ok = close(fd) == 0 && ok;
    return ok && renameat(dir, tmp, dir, name) == 0;
}

static int hex_digit(char c)
{
    if (ascii_is_digit(c))
        return c - '0';
    c = ascii_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool hex_byte(const char *p, unsigned *v)
{
    int hi = hex_digit(p[0]), lo = hi < 0 ? -1 : hex_digit(p[1]);

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

static bool open_key(struct secrets *s, int dir)
{
    char hex[SECRETS_TEXT_MAX];

    if (read_line(dir, "installation-key", hex, sizeof(hex)))
        return strlen(hex) == 64 && read_key(hex, s->key);
    secrets_random(s->key, sizeof(s->key));
    for (int i = 0; i < 32; i++)
        snprintf(hex + 2 * i, 3, "%02x", s->key[i]);
    s->first_start = true;
    return write_line(dir, "installation-key", hex);
}

static bool open_text(struct secrets *s, int dir, const char *name, char *out,
                      size_t letters)
{
    if (read_line(dir, name, out, SECRETS_TEXT_MAX))
        return true;
    random_text(out, letters);
    s->first_start = true;
    return write_line(dir, name, out);
}

static bool open_admin(struct secrets *s, int dir)
{
    uint8_t salt[16];

    if (read_line(dir, "admin-password.hash", s->admin_hash,
                  sizeof(s->admin_hash)))
        return true;
    random_text(s->new_admin_password, 16);
    secrets_random(salt, sizeof(salt));
    http_password_hash(s->admin_hash, slice_str(s->new_admin_password), salt,
                       HTTP_PBKDF2_ROUNDS);
    s->first_start = true;
    return write_line(dir, "admin-password.hash", s->admin_hash);
}

static int open_all(struct secrets *s, int dir, char why[static 512])
{
    s->lock_fd = openat(dir, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (s->lock_fd < 0 || flock(s->lock_fd, LOCK_EX | LOCK_NB) != 0) {
        snprintf(why, 512, "%.300s: another gb28181d uses this directory", s->dir);
        return s->lock_fd < 0 ? GB_EIO : GB_EEXIST;
    }
    if (open_key(s, dir) &&
        open_text(s, dir, "device-password", s->device_password, 12) &&
        open_text(s, dir, "admin-token", s->admin_token, 40) &&
        open_admin(s, dir))
        return 0;
    snprintf(why, 512, "%.300s: a secret cannot be read or written: %s", s->dir,
             strerror(errno));
    return GB_EIO;
}

int secrets_open(struct secrets *s, const char *path, char why[static 512])
{
    int dir, err;

    *s = (struct secrets){ .lock_fd = -1 };
    if (!slice_copy(s->dir, sizeof(s->dir), slice_str(path))) {
        snprintf(why, 512, "the path of the data directory is too long");
        return GB_EIO;
    }
    if (mkdir(path, 0700) != 0 && errno != EEXIST) {
        snprintf(why, 512, "%.300s: cannot be made: %s", path, strerror(errno));
        return GB_EIO;
    }
    dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0) {
        snprintf(why, 512, "%.300s: cannot be opened: %s", path, strerror(errno));
        return GB_EIO;
    }
    err = open_all(s, dir, why);
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
    secrets_random(raw, SEAL_NONCE);
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

void secrets_close(struct secrets *s)
{
    if (s->lock_fd >= 0)
        close(s->lock_fd);
    s->lock_fd = -1;
}
