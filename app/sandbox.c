#include "app/sandbox.h"

#include "app/folder.h"
#include "base/slice.h"

#include <errno.h>
#include <ftw.h>
#include <grp.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pwd.h>
#include <sched.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define OPEN_DIRS_MAX 16 /* while a tree is walked */

/* ---- another user ------------------------------------------------------------ */

static int fail(char why[static WHY_MAX], int err, const char *user,
                const char *what)
{
    snprintf(why, WHY_MAX, "server.user %.60s: %.200s", user, what);
    return err;
}

static int find_user(const char *user, uid_t *uid, gid_t *gid)
{
    const struct passwd *pw;
    uint32_t number;

    pw = slice_u32(slice_str(user), INT32_MAX, &number) ? getpwuid(number)
                                                        : getpwnam(user);
    if (!pw)
        return GB_ENOENT;
    *uid = pw->pw_uid;
    *gid = pw->pw_gid;
    return 0;
}

/* Who takes the tree; nftw hands nothing on. */
static uid_t new_uid;
static gid_t new_gid;

static int give(const char *path, const struct stat *st, int kind,
                struct FTW *at)
{
    (void)kind;
    (void)at;
    return st->st_uid == 0 ? lchown(path, new_uid, new_gid) : 0;
}

static int give_dir(const char *dir, uid_t uid, gid_t gid)
{
    new_uid = uid;
    new_gid = gid;
    return nftw(dir, give, OPEN_DIRS_MAX, FTW_PHYS | FTW_MOUNT);
}

static int keep_one_capability(void)
{
    struct __user_cap_header_struct head = {
        .version = _LINUX_CAPABILITY_VERSION_3
    };
    struct __user_cap_data_struct data[2] = {
        { .effective = 1u << CAP_NET_BIND_SERVICE,
          .permitted = 1u << CAP_NET_BIND_SERVICE },
    };

    return (int)syscall(SYS_capset, &head, data);
}

int sandbox_become(const char *user, const char *data_dir,
                   char why[static WHY_MAX])
{
    uid_t uid = 0;
    gid_t gid = 0;

    if (find_user(user, &uid, &gid))
        return fail(why, GB_ENOENT, user, "there is no such user");
    if (geteuid() == uid)
        return 0;
    if (geteuid() != 0)
        return fail(why, GB_ESTATE, user, "only root can become another user");
    if (folder_make(data_dir, "server.data", why))
        return GB_EIO;
    if (give_dir(data_dir, uid, gid))
        return fail(why, GB_ESTATE, user, strerror(errno));
    if (prctl(PR_SET_KEEPCAPS, 1) || setgroups(0, NULL) ||
        setresgid(gid, gid, gid) || setresuid(uid, uid, uid) ||
        keep_one_capability())
        return fail(why, GB_ESTATE, user, strerror(errno));
    return 0;
}

/* ---- system calls -------------------------------------------------------------- */

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define SANITIZED 1
#endif
#endif

#if defined(__x86_64__)
#define ARCH AUDIT_ARCH_X86_64
#define FOREIGN_BIT 0x40000000u /* of x32 */
#elif defined(__aarch64__)
#define ARCH AUDIT_ARCH_AARCH64
#elif defined(__i386__)
#define ARCH AUDIT_ARCH_I386
#elif defined(__arm__) && defined(__ARM_EABI__)
#define ARCH AUDIT_ARCH_ARM
#elif defined(__riscv) && __riscv_xlen == 64
#define ARCH AUDIT_ARCH_RISCV64
#endif

#if defined(ARCH) && !defined(SANITIZED)
#ifndef SYS_clock_settime /* musl's names of them on 32 bits */
#define SYS_settimeofday SYS_settimeofday_time32
#define SYS_clock_settime SYS_clock_settime32
#endif

/* What this program never does, and one that has taken it over would. */
static const uint16_t refused[] = {
    SYS_execve, SYS_execveat,
#ifdef SYS_fork
    SYS_fork, SYS_vfork,
#endif
    /* so far: to run programs */
    SYS_ptrace, SYS_process_vm_readv, SYS_process_vm_writev, SYS_kcmp,
    SYS_mount, SYS_umount2, SYS_pivot_root, SYS_chroot, SYS_swapon,
    SYS_swapoff, SYS_quotactl, SYS_acct,
    SYS_unshare, SYS_setns,
    SYS_init_module, SYS_finit_module, SYS_delete_module, SYS_kexec_load,
    SYS_reboot, SYS_bpf, SYS_perf_event_open, SYS_userfaultfd, SYS_personality,
    SYS_add_key, SYS_request_key, SYS_keyctl,
    SYS_open_by_handle_at, SYS_syslog, SYS_sethostname, SYS_setdomainname,
    SYS_settimeofday, SYS_clock_settime, SYS_adjtimex, SYS_clock_adjtime,
#ifdef SYS_clock_settime64
    SYS_clock_settime64, SYS_clock_adjtime64,
#endif
#ifdef SYS_stime
    SYS_stime,
#endif
#ifdef SYS_iopl
    SYS_iopl, SYS_ioperm,
#endif
#ifdef SYS_modify_ldt
    SYS_modify_ldt,
#endif
#ifdef SYS_io_uring_setup
    SYS_io_uring_setup, /* its calls pass no filter */
#endif
};
#define N_REFUSED (sizeof(refused) / sizeof(*refused))

#define LOAD(field)                                                            \
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define RET(what) BPF_STMT(BPF_RET | BPF_K, (what))
#define IF(how, value, yes, no)                                                \
    BPF_JUMP(BPF_JMP | how | BPF_K, (value), (yes), (no))
#define REFUSE(err) RET(SECCOMP_RET_ERRNO | (err))
#define ARG0 offsetof(struct seccomp_data, args[0])
#define LOW (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? 4 : 0)

#define PROGRAM_MAX (16 + 2 * N_REFUSED)

/* Each refused call is a comparison and its own way out: no jump is long. */
static size_t write_program(struct sock_filter out[static PROGRAM_MAX],
                            bool programs)
{
    const struct sock_filter head[] = {
        LOAD(arch), IF(BPF_JEQ, ARCH, 1, 0), REFUSE(EPERM), LOAD(nr),
#ifdef FOREIGN_BIT
        IF(BPF_JGE, FOREIGN_BIT, 0, 1), REFUSE(EPERM),
#endif
#ifdef SYS_clone3
        /* its flags cannot be seen; without it libraries take the other one */
        IF(BPF_JEQ, SYS_clone3, 0, 1), REFUSE(ENOSYS),
#endif
    };
    const struct sock_filter tail[] = {
        IF(BPF_JEQ, SYS_clone, 0, 3), /* threads, no processes */
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, ARG0 + LOW),
        IF(BPF_JSET, CLONE_THREAD, 1, 0), REFUSE(EPERM),
        RET(SECCOMP_RET_ALLOW),
    };
    size_t n = sizeof(head) / sizeof(*head), from = 0;

    while (programs && refused[from] != SYS_ptrace)
        from++;
    memcpy(out, head, sizeof(head));
    for (size_t i = from; i < N_REFUSED; i++) {
        out[n++] = (struct sock_filter)IF(BPF_JEQ, refused[i], 0, 1);
        out[n++] = (struct sock_filter)REFUSE(EPERM);
    }
    if (programs) {
        out[n++] = (struct sock_filter)RET(SECCOMP_RET_ALLOW);
        return n;
    }
    memcpy(&out[n], tail, sizeof(tail));
    return n + sizeof(tail) / sizeof(*tail);
}
#endif

int sandbox_filter(bool programs, char why[static WHY_MAX])
{
#if defined(SANITIZED)
    (void)programs;
    snprintf(why, WHY_MAX, "a sanitizer traces the process at its end");
    return GB_EUNSUPPORTED;
#elif defined(ARCH)
    struct sock_filter code[PROGRAM_MAX];
    struct sock_fprog program = { .len = (unsigned short)write_program(code, programs),
                                  .filter = code };

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0)
        return 0;
    snprintf(why, WHY_MAX, "the kernel says: %.200s", strerror(errno));
    return GB_EUNSUPPORTED;
#else
    (void)programs;
    snprintf(why, WHY_MAX, "there is no filter for this machine");
    return GB_EUNSUPPORTED;
#endif
}
