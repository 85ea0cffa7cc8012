/* gbctl - command-line client of the API */
#include "tools/ctl/ctl.h"

#include "app/locale.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DEFAULT_URL "http://127.0.0.1:28181"

static const char usage[] =
    "usage: gbctl [options] COMMAND\n"
    "\n"
    "  devices               known devices\n"
    "  channels ID           channels of a device\n"
    "  tree ID [NODE]        its catalog as a tree, or what is below a node\n"
    "  changes ID            when it came and went, and why\n"
    "  profile ID            what it has been seen to do (JSON)\n"
    "  refresh ID            ask it for its catalog\n"
    "  device add ID [NAME=VALUE ...]\n"
    "                        before it comes: name, group, media, edition,\n"
    "                        arm, date, digest, require\n"
    "  device set ID NAME=VALUE ...\n"
    "                        the same of one that is known; NAME:=null as\n"
    "                        configured\n"
    "  device password ID    reads one of its own from the standard input\n"
    "  device remove ID      forget it and its channels\n"
    "  groups                groups of devices\n"
    "  subscriptions [ID]    what devices are asked to report, and till when\n"
    "  subscribe ID catalog | alarm | position | ptz  on | off | default | SECONDS\n"
    "  send ID CMD [NAME=VALUE ...]\n"
    "                        a query, DeviceControl or DeviceConfig; NAME is an\n"
    "                        element (HomePosition.Enabled), extra.NAME one that\n"
    "                        the standard does not have, NAME:=JSON anything\n"
    "      --channel ID      to this channel in place of the device\n"
    "      --edition YEAR    as this edition writes it\n"
    "  commands [ID [CMD]]   the last of these; of a device, of one kind\n"
    "  ptz ID CHANNEL ACTION [NAME=NUMBER ...]\n"
    "                        left, right, up, down, zoom_in, focus_far, ...,\n"
    "                        stop, cruise_start, wiper_on, ...; speed=1 to 255\n"
    "  presets ID CHANNEL    what the camera has\n"
    "  preset ID CHANNEL N [call | set [NAME] | delete]\n"
    "  config ID [CHANNEL] TYPE[/TYPE ...]\n"
    "                        settings as the device has them: BasicParam, ...\n"
    "  configure ID [CHANNEL] TYPE.NAME=VALUE ...\n"
    "                        changes settings of one type\n"
    "  guard ID [CHANNEL] [set | reset]\n"
    "                        arms or disarms; what is armed\n"
    "  alarm-reset ID [CHANNEL]\n"
    "                        resets a detector that stays silent behind its alarm\n"
    "  records ID CHANNEL FROM TO\n"
    "                        what it has recorded, 2026-01-02T03:04:05\n"
    "  play ID CHANNEL       start live, print its URLs\n"
    "  stop ID CHANNEL       stop it\n"
    "  doctor ID CHANNEL     ask for its picture; which link of the chain is\n"
    "                        broken, by what evidence, and what to try\n"
    "  webhooks              where events are sent, and how that goes\n"
    "  webhook add NAME URL [EVENT,EVENT ...]\n"
    "                        prints the secret that signs them\n"
    "  webhook remove | test NAME\n"
    "  firmware              files that were uploaded\n"
    "  firmware add FILE     uploads one\n"
    "  firmware remove SHA256\n"
    "  upgrade ID SHA256 VERSION [MANUFACTURER]\n"
    "                        orders a device to fetch and install one\n"
    "  upgrades              what has become of these\n"
    "  users                 who may use the API\n"
    "  tokens                programs that may\n"
    "  user add NAME viewer | operator | admin [device:ID | group:NAME ...]\n"
    "                        the password is read from the standard input;\n"
    "                        without device and group he sees everything\n"
    "  user password NAME    reads it likewise\n"
    "  user role NAME ROLE\n"
    "  user scope NAME [device:ID | group:NAME ...]\n"
    "  user remove NAME\n"
    "  token add NAME ROLE [device:ID | group:NAME ...]\n"
    "                        prints it, once\n"
    "  token remove NAME\n"
    "  audit                 who changed what over the API\n"
    "  sessions              media sessions\n"
    "  alarms                the last alarms\n"
    "  pending               unknown ids that knocked, and why they wait\n"
    "  pending accept | remove ID\n"
    "                        let it in; forget that it knocked\n"
    "  download              downloads of recordings, the newest first\n"
    "  download DEVICE CHANNEL START END [mp4|ps]\n"
    "                        fetch what the device has recorded; waits for it\n"
    "  download wait ID      wait for one\n"
    "  download remove ID    end it, and delete its file\n"
    "  listeners             what each SIP listener has received\n"
    "  trace                 SIP messages as a ladder\n"
    "      --device ID       of one device\n"
    "      --callid ID       of one call\n"
    "      --since S         from a time (2026-01-02T03:04:05Z) or back from\n"
    "                        now (90s, 10m, 2h, 1d)\n"
    "      --limit N         the newest N messages (500), lines of log (200)\n"
    "      --text            whole messages in place of the ladder\n"
    "      --follow          go on with what comes\n"
    "      --pcap FILE       write a capture (pcapng); - is standard output\n"
    "  log [TEXT]            the daemon's log: the last lines, with this text\n"
    "      --level LEVEL     error, warn, info, debug: this one and worse\n"
    "\n"
    "  --url URL             of the server (" DEFAULT_URL ", or $GB28181D_URL)\n"
    "  --token T | @FILE     API token ($GB28181D_TOKEN, " CTL_TOKEN_HERE ")\n"
    "  --timeout SECONDS     how long an answer is waited for (60)\n"
    "  --json                print what the API answers, for machines\n"
    "  --completion [SHELL]  print a completion script for bash, zsh or fish\n"
    "  --version, --help\n";

static const char *help_text(void)
{
    return ctl.chinese ? ctl_help_zh : usage;
}

static const struct ctl_command *const commands[] = {
    ctl_list_commands,    ctl_command_commands,  ctl_camera_commands,
    ctl_live_commands,    ctl_webhook_commands,  ctl_firmware_commands,
    ctl_trace_commands,   ctl_doctor_commands,   ctl_user_commands,
    ctl_download_commands, ctl_log_commands,      ctl_device_commands,
};

struct ctl_options ctl;

static void say(const char *fmt, va_list ap)
{
    fflush(stdout);
    fputs("gbctl: ", stderr);
    vfprintf(stderr, ctl_words(fmt), ap);
    fputc('\n', stderr);
}

void ctl_die(int code, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    say(fmt, ap);
    va_end(ap);
    exit(code);
}

void ctl_die_hint(int code, const char *hint, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    say(fmt, ap);
    va_end(ap);
    ctl_hint(hint);
    exit(code);
}

static bool token_file(const char *path)
{
    FILE *f = fopen(path, "r");
    struct slice s;
    size_t n;

    if (!f)
        return false;
    n = fread(ctl.token, 1, sizeof(ctl.token) - 1, f);
    fclose(f);
    s = slice_trim(slice_of(ctl.token, n));
    memmove(ctl.token, s.p, s.n);
    ctl.token[s.n] = '\0';
    return s.n > 0;
}

static void find_token(void)
{
    const char *t = ctl.token_option ? ctl.token_option
                                   : getenv("GB28181D_TOKEN");

    if (t && t[0] == '@') {
        if (!token_file(t + 1))
            ctl_die(EX_NOINPUT, "%s: no token there", t + 1);
    } else if (t && *t) {
        if (!slice_copy(ctl.token, sizeof(ctl.token), slice_str(t)))
            ctl_die(EX_USAGE, "the token is too long");
    } else if (!token_file(CTL_TOKEN_HERE) && !token_file(CTL_TOKEN_SYSTEM)) {
        ctl.token[0] = '\0'; /* http.auth may be off */
    }
    for (t = ctl.token; *t; t++)
        if ((unsigned char)*t <= 0x20)
            ctl_die(EX_USAGE, "the token holds a blank");
}

enum { URL = 256, TOKEN, CHANNEL, EDITION, DEVICE, CALLID, SINCE, LIMIT, LEVEL,
       PCAP, TIMEOUT, JSON, FOLLOW, TEXT, COMPLETION, VERSION, HELP };

static const struct option longs[] = {
    { "url", required_argument, NULL, URL },
    { "token", required_argument, NULL, TOKEN },
    { "timeout", required_argument, NULL, TIMEOUT },
    { "json", no_argument, NULL, JSON },
    { "channel", required_argument, NULL, CHANNEL },
    { "edition", required_argument, NULL, EDITION },
    { "device", required_argument, NULL, DEVICE },
    { "callid", required_argument, NULL, CALLID },
    { "since", required_argument, NULL, SINCE },
    { "limit", required_argument, NULL, LIMIT },
    { "follow", no_argument, NULL, FOLLOW },
    { "text", no_argument, NULL, TEXT },
    { "level", required_argument, NULL, LEVEL },
    { "pcap", required_argument, NULL, PCAP },
    { "completion", no_argument, NULL, COMPLETION },
    { "version", no_argument, NULL, VERSION },
    { "help", no_argument, NULL, HELP },
    { NULL, 0, NULL, 0 },
};

/* An option that only has to be kept. false: it is another one. */
static bool keep_option(int c, const char *value)
{
    static const char **const texts[] = {
        [URL - URL] = &ctl.url,         [TOKEN - URL] = &ctl.token_option,
        [CHANNEL - URL] = &ctl.channel, [EDITION - URL] = &ctl.edition,
        [DEVICE - URL] = &ctl.device,   [CALLID - URL] = &ctl.call_id,
        [SINCE - URL] = &ctl.since,     [LIMIT - URL] = &ctl.limit,
        [LEVEL - URL] = &ctl.level,     [PCAP - URL] = &ctl.pcap,
        [TIMEOUT - URL] = &ctl.timeout,
    };
    static bool *const switches[] = {
        [JSON - JSON] = &ctl.json, [FOLLOW - JSON] = &ctl.follow,
        [TEXT - JSON] = &ctl.text,
    };

    if (c >= URL && c <= TIMEOUT)
        *texts[c - URL] = value;
    else if (c >= JSON && c <= TEXT)
        *switches[c - JSON] = true;
    else
        return false;
    return true;
}

/* The place of the first word that is none. */
static int read_options(int argc, char **argv)
{
    int c;

    opterr = 0;
    while ((c = getopt_long(argc, argv, ":h", longs, NULL)) != -1) {
        if (keep_option(c, optarg))
            continue;
        switch (c) {
        case COMPLETION:
            if (!ctl_complete(optind < argc ? argv[optind] : "bash", commands,
                              sizeof(commands) / sizeof(commands[0]), longs))
                ctl_die(EX_USAGE, "--completion is for bash, zsh or fish");
            exit(EX_OK);
        case VERSION:
            printf("gbctl %s\n", GB_VERSION);
            exit(EX_OK);
        case 'h':
        case HELP:
            fputs(help_text(), stdout);
            exit(EX_OK);
        case ':':
            ctl_die(EX_USAGE, "%s: its value is missing", argv[optind - 1]);
        default: /* of several letters it may be any: "-hx" */
            ctl_die(EX_USAGE, "%s: not an option; gbctl --help lists them",
                    optopt > 0 && optopt < URL ? (char[]){ '-', (char)optopt, 0 }
                                               : argv[optind - 1]);
        }
    }
    return optind;
}

static struct slice asked; /* the command's name */

/* The lines of the usage that are the asked command's. */
int ctl_usage(void)
{
    struct slice left = slice_str(help_text()), line, rest, name;
    bool own = false;

    fprintf(stderr, "gbctl: %s\n", ctl_words("it is used like this:"));
    while (left.n) {
        slice_cut(&left, '\n', &line);
        if (!slice_has_prefix(line, SLICE("   "))) {
            rest = slice_trim(line);
            slice_cut(&rest, ' ', &name);
            own = slice_has_prefix(line, SLICE("  ")) && slice_eq(name, asked);
        }
        if (own)
            fprintf(stderr, "%.*s\n", SLICE_ARG(line));
    }
    return EX_USAGE;
}

static bool is_command(struct slice name)
{
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
        for (const struct ctl_command *c = commands[i]; c->name; c++)
            if (slice_eq(name, slice_str(c->name)))
                return true;
    return false;
}

/* A variable of a script that was not set would name another thing. */
static void check_arguments(char **arg, int n)
{
    for (int i = 1; i < n; i++)
        if (!*arg[i])
            ctl_die(EX_USAGE, "an argument is empty");
}

static int run(char **arg, int n)
{
    struct slice what = slice_str(n ? arg[0] : "");

    asked = what;
    check_arguments(arg, n);
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
        for (const struct ctl_command *c = commands[i]; c->name; c++) {
            if (!slice_eq(what, slice_str(c->name)) || n - 1 < c->min ||
                n - 1 > c->max)
                continue;
            return c->run ? c->run(arg + 1, n - 1)
                          : ctl_show(c->path, c->columns, c->n_columns);
        }
    if (slice_eq(what, SLICE("help"))) {
        fputs(help_text(), stdout);
        return EX_OK;
    }
    if (n && is_command(what))
        return ctl_usage();
    if (n)
        ctl_die(EX_USAGE, "there is no command \"%s\"; gbctl --help lists them",
                arg[0]);
    fputs(help_text(), stderr);
    return EX_USAGE;
}

/* A connection in the place of a standard stream would be written into. */
static void open_standard_streams(void)
{
    for (int fd = 0; fd < 3; fd++)
        if (fcntl(fd, F_GETFD) < 0 &&
            open("/dev/null", fd ? O_RDONLY : O_WRONLY) < 0)
            exit(EX_OSERR);
}

/* A full disk is no success. */
static void check_output(void)
{
    if (!fflush(stdout) && !ferror(stdout))
        return;
    fprintf(stderr, "gbctl: %s: %s\n",
            ctl_words("the output cannot be written"), strerror(errno));
    _exit(EX_IOERR);
}

static void read_timeout(void)
{
    ctl.timeout_s = 60;
    if (ctl.timeout && (!slice_u32(slice_str(ctl.timeout), 86400,
                                   &ctl.timeout_s) || !ctl.timeout_s))
        ctl_die(EX_USAGE, "%s: not 1 to 86400 seconds", ctl.timeout);
}

int main(int argc, char **argv)
{
    int first;

    open_standard_streams();
    atexit(check_output);
    ctl.chinese = locale_is_chinese();
    first = read_options(argc, argv);
    read_timeout();
    if (!ctl.url)
        ctl.url = getenv("GB28181D_URL");
    if (!ctl.url || !*ctl.url)
        ctl.url = DEFAULT_URL;
    find_token();
    return run(argv + first, argc - first);
}
