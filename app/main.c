/* app/main.c - arguments, start, and the exit code (sysexits) */
#include "app/config.h"
#include "app/daemon.h"
#include "app/folder.h"
#include "app/locale.h"
#include "app/net/log.h"
#include "app/replay.h"
#include "app/sandbox.h"
#include "app/secrets.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sysexits.h>
#include <unistd.h>

#define CONFIG_PATH "/etc/gb28181d/gb28181d.yml"
#define DATA_HERE "./gb28181d-data"
#define DATA_SYSTEM "/var/lib/gb28181d"
#define MAX_SETS 256

struct options {
    const char *file;
    const char *set[MAX_SETS];
    size_t n_set;
    bool check, print;
    const char *replay;
};

static const char usage[] =
    "usage: gb28181d [-c FILE] [-s section.key=value]... [-t] [--print-config]\n"
    "\n"
    "A GB/T 28181 video platform. Without options it starts with built-in\n"
    "defaults, keeps its state in " DATA_HERE " and prints what to type\n"
    "into a camera.\n"
    "\n"
    "  -c, --config FILE     configuration (YAML); default " CONFIG_PATH "\n"
    "                        where that exists\n"
    "  -s, --set KEY=VALUE   one setting, e.g. -s http.listen=127.0.0.1:8080;\n"
    "                        wins over the file; lists are joined by commas\n"
    "  -t, --check           check the configuration and exit\n"
    "      --print-config    print the configuration with explanations and exit\n"
    "      --replay FILE     run a capture (of gbctl trace, tcpdump) through\n"
    "                        the platform and print what it would have decided\n"
    "      --version, --help\n"
    "\n"
    "Settings may also come from the environment: GB28181D_SIP_PASSWORD.\n"
    "SIGHUP reads the file again and takes over what --print-config marks as\n"
    "reloadable; SIGTERM ends all sessions and stops.\n";

static const char usage_zh[] =
    "用法: gb28181d [-c 文件] [-s 分组.设置=值]... [-t] [--print-config]\n"
    "\n"
    "GB/T 28181 视频平台。不带选项时以内置默认值启动，状态保存在\n"
    DATA_HERE "，并打印应填写到摄像机中的内容。\n"
    "\n"
    "  -c, --config 文件     配置文件（YAML）；若存在则默认为\n"
    "                        " CONFIG_PATH "\n"
    "  -s, --set 设置=值     单个设置，例如 -s http.listen=127.0.0.1:8080；\n"
    "                        优先于配置文件；列表用逗号连接\n"
    "  -t, --check           检查配置后退出\n"
    "      --print-config    打印配置及说明后退出\n"
    "      --replay 文件     用抓包（gbctl trace 或 tcpdump 所得）重放，\n"
    "                        打印平台会作出的判断\n"
    "      --version, --help\n"
    "\n"
    "设置也可来自环境变量：GB28181D_SIP_PASSWORD。SIGHUP 重新读取配置文件，\n"
    "并使 --print-config 标为可重新加载的设置生效；SIGTERM 结束所有会话并停止。\n";

static const char *help(void)
{
    return locale_is_chinese() ? usage_zh : usage;
}

/* What was asked for has been said; a full disk is no success. */
static int said(void)
{
    if (!fflush(stdout) && !ferror(stdout))
        return EX_OK;
    fprintf(stderr, "gb28181d: standard output: %s\n", strerror(errno));
    return EX_IOERR;
}

/* Behind what is wrong. */
static int misused(void)
{
    fputs(locale_is_chinese() ? "gb28181d --help 列出各选项\n"
                              : "gb28181d --help lists what there is\n",
          stderr);
    return EX_USAGE;
}

static int parse_options(int argc, char **argv, struct options *o)
{
    enum { OPT_PRINT = 256, OPT_VERSION, OPT_REPLAY };
    static const struct option longs[] = {
        { "config", required_argument, NULL, 'c' },
        { "set", required_argument, NULL, 's' },
        { "check", no_argument, NULL, 't' },
        { "print-config", no_argument, NULL, OPT_PRINT },
        { "replay", required_argument, NULL, OPT_REPLAY },
        { "version", no_argument, NULL, OPT_VERSION },
        { "help", no_argument, NULL, 'h' },
        { NULL, 0, NULL, 0 },
    };
    int c;

    while ((c = getopt_long(argc, argv, "c:s:th", longs, NULL)) != -1) {
        switch (c) {
        case 'c':
            o->file = optarg;
            break;
        case 's':
            if (o->n_set == MAX_SETS) {
                fprintf(stderr, "gb28181d: more than %d settings\n", MAX_SETS);
                return EX_USAGE;
            }
            o->set[o->n_set++] = optarg;
            break;
        case 't':
            o->check = true;
            break;
        case OPT_PRINT:
            o->print = true;
            break;
        case OPT_REPLAY:
            o->replay = optarg;
            break;
        case OPT_VERSION:
            printf("gb28181d %s\n", GB_VERSION);
            exit(said());
        case 'h':
            fputs(help(), stdout);
            exit(said());
        default:
            return misused();
        }
    }
    if (optind < argc) {
        fprintf(stderr, "gb28181d: %s: unexpected\n", argv[optind]);
        return misused();
    }
    return 0;
}

static const char *data_dir(const struct config *c, const struct options *o)
{
    const char *dir = config_text(c, CONFIG_SERVER_DATA);

    if (*dir)
        return dir;
    return !o->file && access(CONFIG_PATH, F_OK) == 0 ? DATA_SYSTEM : DATA_HERE;
}

/* All layers, in their order. */
static int load(struct config *c, const struct options *o,
                struct config_error *e)
{
    char kept[1200];
    int err = config_init(c);

    if (err) {
        snprintf(e->text, sizeof(e->text), "%s", gb_strerror(err));
        return err;
    }
    if (o->file)
        err = config_read(c, o->file, e);
    else if (access(CONFIG_PATH, F_OK) == 0)
        err = config_read(c, CONFIG_PATH, e);
    if (!err)
        err = config_environment(c, e);
    for (size_t i = 0; !err && i < o->n_set; i++)
        err = config_set(c, o->set[i], CONFIG_FLAG, e);
    if (!err) {
        snprintf(kept, sizeof(kept), "%s/" CONFIG_KEPT_FILE, data_dir(c, o));
        err = config_read_kept(c, kept, e);
    }
    if (!err)
        err = config_check(c, e);
    if (err)
        config_fini(c);
    return err;
}

static void start_log(const struct config *c)
{
    enum log_level least = LOG_INFO;
    struct slice format = slice_str(config_text(c, CONFIG_LOG_FORMAT));

    log_level_parse(slice_str(config_text(c, CONFIG_LOG_LEVEL)), &least);
    log_init(STDERR_FILENO, least, slice_eq(format, SLICE("json")));
}

/* What SIGHUP needs to know. */
struct running {
    const struct options *o;
    struct config *c; /* as it is in force */
    struct daemon *d;
};

static void tell_unused(const struct config *c)
{
    struct config_difference diff;

    for (int k = 0; config_differs(c, NULL, &k, &diff);)
        if (diff.unused)
            log_f(LOG_WARN, "msg=\"setting has no effect in this version\" "
                            "key=%s", diff.name);
}

/* What keeps nobody from starting, and shows only where it is missed. */
static void tell_missing(const struct config *c)
{
    const char *tiles = config_text(c, CONFIG_MAP_TILES);
    struct log_quoted q;
    char why[WHY_MAX];

    if (*tiles && folder_look(tiles, "map.tiles", why))
        log_f(LOG_WARN, "msg=\"no tiles below the map\" why=%s",
              log_quote(&q, slice_str(why)));
}

/* Says what has changed; true when something can be taken over at once. */
static bool tell_changes(const struct config *now, const struct config *then)
{
    struct config_difference diff;
    bool any = false;

    for (int k = 0; config_differs(now, then, &k, &diff);) {
        if (diff.reloads)
            log_f(LOG_INFO, "msg=\"setting changed\" key=%s", diff.name);
        else
            log_f(LOG_WARN, "msg=\"setting changed, needs a restart\" key=%s",
                  diff.name);
        any = any || diff.reloads;
    }
    return any;
}

/* What may change while running is in force; c keeps what is not any more. */
static void take_over(void *ctx, struct config *c)
{
    struct running *r = ctx;
    enum log_level least;

    if (!tell_changes(c, r->c)) {
        log_f(LOG_INFO, "msg=\"configuration read, nothing to take over\"");
    } else {
        if (log_level_parse(slice_str(config_text(c, CONFIG_LOG_LEVEL)),
                            &least))
            log_set_level(least);
        daemon_reload(r->d, c);
        log_f(LOG_INFO, "msg=\"configuration reloaded\"");
    }
    config_take_reloaded(r->c, c); /* where values come from may differ, too */
}

/* SIGHUP */
static void reload(void *ctx)
{
    struct running *r = ctx;
    struct config_error e;
    struct config c;

    if (load(&c, r->o, &e)) {
        struct log_quoted q;

        log_f(LOG_ERROR, "msg=\"configuration not reloaded\" why=%s",
              log_quote(&q, slice_str(e.text)));
        return;
    }
    take_over(r, &c);
    config_fini(&c);
}

/* As many descriptors as the process may have: each camera over TCP and each
 * viewer is one. What keeps select(2) from more concerns nobody here. */
static void raise_descriptors(void)
{
    struct rlimit r;

    if (getrlimit(RLIMIT_NOFILE, &r) == 0 && r.rlim_cur < r.rlim_max) {
        r.rlim_cur = r.rlim_max;
        setrlimit(RLIMIT_NOFILE, &r);
    }
}

/* What is given up before anything is opened; later there are threads. */
static int give_up_rights(const struct config *c, const char *data,
                          char why[static WHY_MAX])
{
    const char *user = config_text(c, CONFIG_SERVER_USER);
    int err = *user ? sandbox_become(user, data, why) : 0;

    if (err)
        return err;
    if (!*user && geteuid() == 0)
        log_f(LOG_WARN, "msg=\"it runs as root, which it need not: see "
                        "server.user\"");
    if (config_bool(c, CONFIG_SERVER_SECCOMP) &&
        sandbox_filter(*config_text(c, CONFIG_SNAPSHOT_FFMPEG) ||
                           config_n(c, CONFIG_EXEC_RUN), why))
        log_f(LOG_INFO, "msg=\"system calls are not filtered\" why=\"%s\"",
              why);
    return 0;
}

static int run(struct config *c, const struct options *o)
{
    struct running r = { o, c, NULL };
    struct secrets secrets;
    char why[WHY_MAX];
    int err;

    raise_descriptors();
    err = give_up_rights(c, data_dir(c, o), why);
    if (err) {
        fprintf(stderr, "gb28181d: %s\n", why);
        return err == GB_ENOENT ? EX_NOUSER
               : err == GB_EIO  ? EX_CANTCREAT
                                : EX_NOPERM;
    }
    err = secrets_open(&secrets, data_dir(c, o), why);
    if (err) {
        fprintf(stderr, "gb28181d: %s\n", why);
        return err == GB_EEXIST ? EX_TEMPFAIL : EX_CANTCREAT;
    }
    err = daemon_new(&r.d, c, &secrets, why);
    if (err) {
        fprintf(stderr, "gb28181d: %s\n", why);
        secrets_forget_untold(&secrets);
        secrets_close(&secrets);
        return EX_UNAVAILABLE;
    }
    tell_unused(c);
    tell_missing(c);
    daemon_banner(r.d, locale_is_chinese());
    daemon_run(r.d, reload, take_over, &r);
    daemon_free(r.d);
    secrets_close(&secrets);
    return EX_OK;
}

/* Offline: the configuration decides, no port is opened, no secret is read. */
static int replay(const struct config *c, const char *path)
{
    /* Each REGISTER is asked for a challenge of its own: twice the rate. */
    uint32_t rate = 2 * config_number(c, CONFIG_LIMIT_RATE);
    bool chosen = c->value[CONFIG_SERVER_ID].layer != CONFIG_DEFAULT;
    const struct replay_options ro = {
        .out = stdout,
        .platform = {
            .id = chosen ? config_text(c, CONFIG_SERVER_ID) : NULL,
            .realm = config_text(c, CONFIG_SERVER_REALM),
            .auto_enrol = config_bool(c, CONFIG_SIP_AUTO_ENROL),
            .timezone_min = config_zone_min(c, CONFIG_SERVER_ZONE),
            .idle_stop_s = config_number(c, CONFIG_MEDIA_IDLE),
            .max_devices = config_number(c, CONFIG_LIMIT_DEVICES),
            .max_channels = config_number(c, CONFIG_LIMIT_CHANNELS),
            .max_device_channels = config_number(c, CONFIG_LIMIT_OF_DEVICE),
            .max_sessions = config_number(c, CONFIG_LIMIT_SESSIONS),
            .rate_per_s = rate,
            .rate_burst = 5 * rate,
        },
    };
    char why[256];
    int err;

    err = replay_file(&ro, path, why);
    if (!err)
        return EX_OK;
    fprintf(stderr, "gb28181d: %s: %s\n", path, why);
    return err == GB_EIO ? EX_NOINPUT : EX_DATAERR;
}

static void check(const struct config *c)
{
    tell_unused(c);
    tell_missing(c);
    printf("configuration is good\n");
}

int main(int argc, char **argv)
{
    struct options o = { 0 };
    struct config_error e;
    struct config c;
    int rc = parse_options(argc, argv, &o);

    if (rc)
        return rc;
    if (load(&c, &o, &e)) {
        fprintf(stderr, "gb28181d: %s\n", e.text);
        return EX_CONFIG;
    }
    start_log(&c);
    if (o.print)
        config_print(&c, stdout);
    else if (o.check)
        check(&c);
    else if (o.replay)
        rc = replay(&c, o.replay);
    else
        rc = run(&c, &o);
    config_fini(&c);
    return rc || !(o.print || o.check || o.replay) ? rc : said();
}
