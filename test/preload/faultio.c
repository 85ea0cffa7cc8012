/* test/preload/faultio.c - calls that fail when a test says so
 *
 *     LD_PRELOAD=faultio.so FAULTIO=FILE gb28181d ...
 *
 * FILE is mapped by the program and by the test (test/e2e/faults.py), which
 * writes rules into it while the program runs: every so many calls of a kind
 * fail, are cut short or wait. Of the heap only calls from the program itself
 * fail; libraries have tests of their own.
 *
 * FAULTIO_SHADOW=DIR beside FAULTIO_DATA=DIR keeps what a loss of power would
 * leave of the data: contents of a file as of its last fsync, names as of the
 * last fsync of their directory, or of the file when it was made. */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum kind { FILE_WRITE, FILE_SYNC, FILE_OPEN, SOCKET_ACCEPT, SOCKET_RECV,
            SOCKET_SEND, SOCKET_MAKE, MEMORY, KINDS };

#define SHORT 1000       /* in place of an errno: half of it is done */
#define SITES 65536
#define FRAMES 6         /* that tell one site of the heap from another */
#define SHADOW_MAX (64 << 20)

enum threads { ANY_THREAD, MAIN_THREAD, OTHER_THREADS };

/* As struct.pack in faults.py has it. */
struct rule {
    _Atomic uint32_t every; /* 0: none; n: each n-th call */
    _Atomic uint32_t err;   /* errno, SHORT, or 0: it only waits */
    _Atomic uint32_t wait_ms;
    _Atomic uint32_t threads;
    _Atomic uint64_t calls, hits;
};

struct control {
    struct rule rule[KINDS];
    _Atomic uint32_t new_sites; /* MEMORY: each site fails once */
    _Atomic uint32_t n_sites;
    _Atomic uint32_t site[SITES];
};

static struct control *control;
static uintptr_t program_begin, program_end;
static __thread bool inside;

/* ---- rules ------------------------------------------------------------------ */

static void wait_ms(uint32_t ms)
{
    struct timespec t = { ms / 1000, (long)(ms % 1000) * 1000000 };

    while (ms && nanosleep(&t, &t) && errno == EINTR)
        ;
}

/* What happens to this call: an errno, SHORT, or 0. */
static int fault(enum kind k)
{
    struct control *c = control;
    struct rule *r = c ? &c->rule[k] : NULL;
    uint32_t every, threads;
    int saved = errno;

    if (!r || inside || (every = atomic_load(&r->every)) == 0)
        return 0;
    threads = atomic_load(&r->threads);
    if (threads != ANY_THREAD &&
        (syscall(SYS_gettid) == getpid()) != (threads == MAIN_THREAD))
        return 0;
    if ((atomic_fetch_add(&r->calls, 1) + 1) % every)
        return 0;
    atomic_fetch_add(&r->hits, 1);
    wait_ms(atomic_load(&r->wait_ms));
    errno = saved;
    return (int)atomic_load(&r->err);
}

static int find_program(struct dl_phdr_info *info, size_t size, void *ctx)
{
    (void)size;
    (void)ctx;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *p = &info->dlpi_phdr[i];

        if (p->p_type != PT_LOAD || !(p->p_flags & PF_X))
            continue;
        program_begin = info->dlpi_addr + p->p_vaddr;
        program_end = program_begin + p->p_memsz;
    }
    return 1; /* the first one is the program */
}

__attribute__((constructor)) static void begin(void)
{
    const char *path = getenv("FAULTIO");
    void *warm[FRAMES];
    int fd;

    inside = true;
    dl_iterate_phdr(find_program, NULL);
    backtrace(warm, FRAMES); /* it loads a library when it is first called */
    fd = path ? open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600) : -1;
    if (fd >= 0 && ftruncate(fd, sizeof(struct control)) == 0) {
        void *p = mmap(NULL, sizeof(struct control), PROT_READ | PROT_WRITE,
                       MAP_SHARED, fd, 0);

        if (p != MAP_FAILED)
            control = p;
    }
    if (fd >= 0)
        close(fd);
    inside = false;
}

#define NEXT(name)                                                             \
    static __typeof__(&name) next;                                             \
    if (!next)                                                                 \
        next = (__typeof__(next))dlsym(RTLD_NEXT, #name)

/* ---- the heap --------------------------------------------------------------- */

extern void *__libc_malloc(size_t n);
extern void *__libc_calloc(size_t n, size_t each);
extern void *__libc_realloc(void *p, size_t n);

static bool is_new_site(void)
{
    void *at[FRAMES + 2];
    uint32_t h = 2166136261u;
    int n;

    inside = true;
    n = backtrace(at, FRAMES + 2);
    inside = false;
    for (int i = 2; i < n; i++)
        if ((uintptr_t)at[i] >= program_begin &&
            (uintptr_t)at[i] < program_end)
            h = (h ^ (uint32_t)((uintptr_t)at[i] - program_begin)) * 16777619u;
    h += h == 0;
    for (uint32_t i = h % SITES, k = 0; k < SITES; i = (i + 1) % SITES, k++) {
        uint32_t is = 0;

        if (atomic_compare_exchange_strong(&control->site[i], &is, h)) {
            atomic_fetch_add(&control->n_sites, 1);
            return true;
        }
        if (is == h)
            return false;
    }
    return false;
}

static bool no_memory(const void *caller)
{
    uintptr_t at = (uintptr_t)caller;

    if (!control || inside || at < program_begin || at >= program_end)
        return false;
    if (fault(MEMORY))
        return true;
    return atomic_load(&control->new_sites) && is_new_site();
}

void *malloc(size_t n)
{
    if (!no_memory(__builtin_return_address(0)))
        return __libc_malloc(n);
    errno = ENOMEM;
    return NULL;
}

void *calloc(size_t n, size_t each)
{
    if (!no_memory(__builtin_return_address(0)))
        return __libc_calloc(n, each);
    errno = ENOMEM;
    return NULL;
}

void *realloc(void *p, size_t n)
{
    if (n == 0 || !no_memory(__builtin_return_address(0)))
        return __libc_realloc(p, n);
    errno = ENOMEM;
    return NULL;
}

/* ---- what a loss of power leaves -------------------------------------------- */

static pthread_mutex_t shadow_lock = PTHREAD_MUTEX_INITIALIZER;

static void copy(const char *from, const char *to)
{
    char tmp[PATH_MAX + 8], buf[65536];
    int in = open(from, O_RDONLY | O_CLOEXEC), out;
    ssize_t n;

    snprintf(tmp, sizeof(tmp), "%s.tmp", to);
    out = in < 0 ? -1 : open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
                             0600);
    while (out >= 0 && (n = read(in, buf, sizeof(buf))) > 0)
        if (write(out, buf, (size_t)n) != n)
            break;
    if (in >= 0)
        close(in);
    if (out >= 0 && close(out) == 0)
        rename(tmp, to);
}

/* The directories above a path. */
static void make_above(char *path)
{
    for (char *p = path + 1; (p = strchr(p, '/')); p++) {
        *p = '\0';
        mkdir(path, 0700);
        *p = '/';
    }
}

static void link_anew(const char *contents, char *name)
{
    make_above(name);
    unlink(name);
    if (link(contents, name))
        close(open(name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
}

/* Names in a directory that is synced; contents as of their own last sync. */
static void keep_names(const char *real, const char *shadow, const char *by_ino)
{
    char path[PATH_MAX + 300], name[PATH_MAX * 2 + 300], ino[PATH_MAX + 40];
    DIR *d = opendir(real);
    struct dirent *e;
    struct stat st, old;

    while (d && (e = readdir(d))) {
        snprintf(path, sizeof(path), "%s/%s", real, e->d_name);
        snprintf(name, sizeof(name), "%s/%s", shadow, e->d_name);
        if (lstat(path, &st) || !S_ISREG(st.st_mode))
            continue;
        snprintf(ino, sizeof(ino), "%s/%llu", by_ino,
                 (unsigned long long)st.st_ino);
        link_anew(ino, name);
    }
    if (d)
        closedir(d);
    d = opendir(shadow);
    while (d && (e = readdir(d))) {
        snprintf(path, sizeof(path), "%s/%s", real, e->d_name);
        snprintf(name, sizeof(name), "%s/%s", shadow, e->d_name);
        if (lstat(path, &old) && lstat(name, &st) == 0 && S_ISREG(st.st_mode))
            unlink(name);
    }
    if (d)
        closedir(d);
}

static void keep(int fd)
{
    const char *data = getenv("FAULTIO_DATA"), *to = getenv("FAULTIO_SHADOW");
    char link_[64], real[PATH_MAX], shadow[PATH_MAX * 2], ino[PATH_MAX],
        by_ino[PATH_MAX];
    struct stat st;
    ssize_t n;

    if (!data || !to || fstat(fd, &st))
        return;
    snprintf(link_, sizeof(link_), "/proc/self/fd/%d", fd);
    n = readlink(link_, real, sizeof(real) - 1);
    if (n <= 0 || strncmp(real, data, strlen(data)) != 0 ||
        st.st_size > SHADOW_MAX)
        return;
    real[n] = '\0';
    snprintf(by_ino, sizeof(by_ino), "%.2000s/inodes", to);
    snprintf(shadow, sizeof(shadow), "%.2000s/data%s", to,
             real + strlen(data));
    snprintf(ino, sizeof(ino), "%.2040s/%llu", by_ino,
             (unsigned long long)st.st_ino);
    pthread_mutex_lock(&shadow_lock);
    inside = true;
    mkdir(by_ino, 0700);
    if (S_ISDIR(st.st_mode)) {
        make_above(strcat(shadow, "/"));
        keep_names(real, shadow, by_ino);
    } else {
        copy(link_, ino);
        link_anew(ino, shadow);
    }
    inside = false;
    pthread_mutex_unlock(&shadow_lock);
}

static int sync_with(int next(int fd), int fd)
{
    int err = fault(FILE_SYNC), rc;

    if (err) {
        errno = err;
        return -1;
    }
    rc = next(fd);
    if (rc == 0 && !inside)
        keep(fd);
    return rc;
}

int fsync(int fd)
{
    NEXT(fsync);

    return sync_with(next, fd);
}

int fdatasync(int fd)
{
    NEXT(fdatasync);

    return sync_with(next, fd);
}

/* ---- files and sockets -------------------------------------------------------- */

/* Not the log. */
static bool is_file(int fd)
{
    struct stat st;

    return fd > STDERR_FILENO && fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
}

static bool is_stream(int fd)
{
    int type = 0;
    socklen_t n = sizeof(type);

    return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &n) == 0 &&
           type == SOCK_STREAM;
}

static bool is_socket(int fd)
{
    struct stat st;

    return fstat(fd, &st) == 0 && S_ISSOCK(st.st_mode);
}

/* What happens to a call of so many bytes; *n is halved. Datagrams and files of
 * SQLite's are never halved without a word: a file's caller sees what it got. */
static bool fails(enum kind k, int fd, size_t *n)
{
    int err = fault(k);

    if (err == SHORT) {
        if (*n > 1 && (k == FILE_WRITE || is_stream(fd)))
            *n = (*n + 1) / 2;
        return false;
    }
    if (err)
        errno = err;
    return err != 0;
}

static bool is_armed(enum kind a, enum kind b)
{
    return control && !inside && (atomic_load(&control->rule[a].every) ||
                                  atomic_load(&control->rule[b].every));
}

static bool write_fails(int fd, size_t *n)
{
    if (!is_armed(FILE_WRITE, SOCKET_SEND))
        return false;
    if (is_file(fd))
        return fails(FILE_WRITE, fd, n);
    return is_socket(fd) && fails(SOCKET_SEND, fd, n);
}

/* Of several pieces: the first one alone, halved. */
static bool pieces_fail(enum kind k, int fd, const struct iovec **iov, int *cnt,
                        struct iovec *one)
{
    size_t n, all;

    if (*cnt <= 0)
        return false;
    n = all = (*iov)[0].iov_len;
    if (k == FILE_WRITE ? write_fails(fd, &n) : fails(k, fd, &n))
        return true;
    if (n != all) {
        *one = (struct iovec){ (*iov)[0].iov_base, n };
        *iov = one;
        *cnt = 1;
    }
    return false;
}

ssize_t write(int fd, const void *p, size_t n)
{
    NEXT(write);
    return write_fails(fd, &n) ? -1 : next(fd, p, n);
}

ssize_t pwrite(int fd, const void *p, size_t n, off_t at)
{
    NEXT(pwrite);
    return write_fails(fd, &n) ? -1 : next(fd, p, n, at);
}

ssize_t pwrite64(int fd, const void *p, size_t n, off64_t at)
{
    NEXT(pwrite64);
    return write_fails(fd, &n) ? -1 : next(fd, p, n, at);
}

ssize_t writev(int fd, const struct iovec *iov, int cnt)
{
    NEXT(writev);
    struct iovec one;

    return pieces_fail(FILE_WRITE, fd, &iov, &cnt, &one) ? -1
                                                         : next(fd, iov, cnt);
}

static int open_with(int dir, const char *path, int flags, mode_t mode)
{
    int err = flags & O_CREAT ? fault(FILE_OPEN) : 0;

    if (err) {
        errno = err;
        return -1;
    }
    return (int)syscall(SYS_openat, dir, path, flags | O_LARGEFILE, mode);
}

static mode_t mode_of(int flags, va_list ap)
{
    return flags & (O_CREAT | O_TMPFILE) ? (mode_t)va_arg(ap, unsigned) : 0;
}

#define OPENS(name, params, dir)                                               \
    int name params                                                            \
    {                                                                          \
        va_list ap;                                                            \
        mode_t mode;                                                           \
                                                                               \
        va_start(ap, flags);                                                   \
        mode = mode_of(flags, ap);                                             \
        va_end(ap);                                                            \
        return open_with(dir, path, flags, mode);                              \
    }
OPENS(open, (const char *path, int flags, ...), AT_FDCWD)
OPENS(open64, (const char *path, int flags, ...), AT_FDCWD)
OPENS(openat, (int dir, const char *path, int flags, ...), dir)
OPENS(openat64, (int dir, const char *path, int flags, ...), dir)

int accept4(int fd, struct sockaddr *a, socklen_t *n, int flags)
{
    NEXT(accept4);
    int err = fault(SOCKET_ACCEPT);

    if (err)
        errno = err;
    return err ? -1 : next(fd, a, n, flags);
}

int accept(int fd, struct sockaddr *a, socklen_t *n)
{
    return accept4(fd, a, n, 0);
}

int socket(int family, int type, int protocol)
{
    NEXT(socket);
    int err = fault(SOCKET_MAKE);

    if (err)
        errno = err;
    return err ? -1 : next(family, type, protocol);
}

ssize_t read(int fd, void *p, size_t n)
{
    NEXT(read);
    if (is_armed(SOCKET_RECV, SOCKET_RECV) && is_socket(fd) &&
        fails(SOCKET_RECV, fd, &n))
        return -1;
    return next(fd, p, n);
}

ssize_t recv(int fd, void *p, size_t n, int flags)
{
    NEXT(recv);
    return fails(SOCKET_RECV, fd, &n) ? -1 : next(fd, p, n, flags);
}

ssize_t recvmsg(int fd, struct msghdr *m, int flags)
{
    NEXT(recvmsg);
    struct msghdr copy_ = *m;
    const struct iovec *iov = m->msg_iov;
    struct iovec one;
    int cnt = (int)m->msg_iovlen;
    ssize_t got;

    if (pieces_fail(SOCKET_RECV, fd, &iov, &cnt, &one))
        return -1;
    copy_.msg_iov = (struct iovec *)iov;
    copy_.msg_iovlen = (size_t)cnt;
    got = next(fd, &copy_, flags);
    copy_.msg_iov = m->msg_iov;
    copy_.msg_iovlen = m->msg_iovlen;
    *m = copy_;
    return got;
}

int recvmmsg(int fd, struct mmsghdr *m, unsigned n, int flags,
             struct timespec *t)
{
    NEXT(recvmmsg);
    int err = fault(SOCKET_RECV);

    if (err && err != SHORT) {
        errno = err;
        return -1;
    }
    return next(fd, m, err && n > 1 ? n / 2 : n, flags, t);
}

ssize_t send(int fd, const void *p, size_t n, int flags)
{
    NEXT(send);
    return fails(SOCKET_SEND, fd, &n) ? -1 : next(fd, p, n, flags);
}

ssize_t sendmsg(int fd, const struct msghdr *m, int flags)
{
    NEXT(sendmsg);
    struct msghdr copy_ = *m;
    const struct iovec *iov = m->msg_iov;
    struct iovec one;
    int cnt = (int)m->msg_iovlen;

    if (pieces_fail(SOCKET_SEND, fd, &iov, &cnt, &one))
        return -1;
    copy_.msg_iov = (struct iovec *)iov;
    copy_.msg_iovlen = (size_t)cnt;
    return next(fd, &copy_, flags);
}

int sendmmsg(int fd, struct mmsghdr *m, unsigned n, int flags)
{
    NEXT(sendmmsg);
    int err = fault(SOCKET_SEND);

    if (err && err != SHORT) {
        errno = err;
        return -1;
    }
    return next(fd, m, err && n > 1 ? n / 2 : n, flags);
}
