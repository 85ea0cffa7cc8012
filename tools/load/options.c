/* The command line. */
#include "tools/load/load.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

const char load_usage[] =
    "usage: sipload --server 127.0.0.1:PORT --password P [options]\n"
    "  --run LIST       of contact refresh login keepalive settle hold\n"
    "                   (contact,refresh,login,keepalive)\n"
    "  --pid P[,P]      processes whose CPU is counted\n"
    "  --devices N      (100000)   --sources N    sockets (16)\n"
    "  --count N        transactions of a phase (100000)\n"
    "  --addresses N    of 127.0.0.0/16 that the sources have (1)\n"
    "  --window N       transactions open at a time (64)\n"
    "  --rate N         transactions begun a second, at most (0: no bound)\n"
    "  --samples N      of a phase (10)  --seconds N  longest phase (240)\n"
    "  --hold N         seconds of the phase hold (60)\n"
    "  --first N        number of the first device (0)\n"
    "  --transport udp|tcp   --id SERVER-ID   --realm R   --expires N (3600)\n"
    "  --name NAME      of the figures: NAME.register.us ... (sip)\n"
    "  --floor PORT,PID sipfloor on 127.0.0.1, for the ratios NAME.register.x\n"
    "A password @FILE is read from the file. Only servers on this machine.\n";

enum { OPT_SERVER = 256, OPT_PASSWORD, OPT_RUN, OPT_PID, OPT_TRANSPORT, OPT_ID,
       OPT_REALM, OPT_NAME, OPT_FLOOR, OPT_DEVICES, OPT_SOURCES, OPT_COUNT,
       OPT_ADDRESSES, OPT_WINDOW, OPT_RATE, OPT_SAMPLES, OPT_SECONDS, OPT_HOLD,
       OPT_FIRST, OPT_EXPIRES };

static const struct option longs[] = {
    { "server", required_argument, NULL, OPT_SERVER },
    { "password", required_argument, NULL, OPT_PASSWORD },
    { "run", required_argument, NULL, OPT_RUN },
    { "pid", required_argument, NULL, OPT_PID },
    { "transport", required_argument, NULL, OPT_TRANSPORT },
    { "id", required_argument, NULL, OPT_ID },
    { "realm", required_argument, NULL, OPT_REALM },
    { "name", required_argument, NULL, OPT_NAME },
    { "floor", required_argument, NULL, OPT_FLOOR },
    { "devices", required_argument, NULL, OPT_DEVICES },
    { "sources", required_argument, NULL, OPT_SOURCES },
    { "count", required_argument, NULL, OPT_COUNT },
    { "addresses", required_argument, NULL, OPT_ADDRESSES },
    { "window", required_argument, NULL, OPT_WINDOW },
    { "rate", required_argument, NULL, OPT_RATE },
    { "samples", required_argument, NULL, OPT_SAMPLES },
    { "seconds", required_argument, NULL, OPT_SECONDS },
    { "hold", required_argument, NULL, OPT_HOLD },
    { "first", required_argument, NULL, OPT_FIRST },
    { "expires", required_argument, NULL, OPT_EXPIRES },
    { "help", no_argument, NULL, 'h' },
    { NULL, 0, NULL, 0 },
};

static bool read_password(struct options *o, const char *arg)
{
    size_t n;
    FILE *f;

    if (arg[0] != '@')
        return slice_copy(o->password, sizeof(o->password), slice_str(arg));
    f = fopen(arg + 1, "r");
    if (!f)
        load_die(arg + 1);
    n = fread(o->password, 1, sizeof(o->password) - 1, f);
    fclose(f);
    n = slice_find(slice_of(o->password, n), '\n');
    o->password[n] = '\0';
    return true;
}

static bool read_pids(struct options *o, const char *arg)
{
    struct slice rest = slice_str(arg), word;
    bool more = true;
    uint32_t pid;

    while (more && o->n_pids < MAX_PIDS) {
        more = slice_cut(&rest, ',', &word);
        if (!slice_u32(word, INT32_MAX, &pid))
            return false;
        o->pid[o->n_pids++] = (pid_t)pid;
    }
    return true;
}

static bool read_floor(struct options *o, const char *arg)
{
    struct slice rest = slice_str(arg), port;
    uint32_t n, pid;

    slice_cut(&rest, ',', &port);
    if (!slice_u32(port, 65535, &n) || !slice_u32(rest, INT32_MAX, &pid))
        return false;
    o->floor = (struct gb_addr){ GB_IPV4, { 127, 0, 0, 1 }, (uint16_t)n };
    o->floor_pid = (pid_t)pid;
    return pid > 0;
}

static bool parse_text(struct options *o, int c, const char *arg)
{
    switch (c) {
    case OPT_SERVER:
        return gb_addr_parse(&o->server, slice_str(arg), 5060) == 0;
    case OPT_PASSWORD:
        return read_password(o, arg);
    case OPT_RUN:
        o->run = arg;
        return true;
    case OPT_PID:
        return read_pids(o, arg);
    case OPT_TRANSPORT:
        o->tcp = strcmp(arg, "tcp") == 0;
        return o->tcp || strcmp(arg, "udp") == 0;
    case OPT_ID:
        o->server_id = arg;
        return strlen(arg) == 20;
    case OPT_REALM:
        o->realm = arg;
        return true;
    case OPT_NAME:
        o->name = arg;
        return true;
    case OPT_FLOOR:
        return read_floor(o, arg);
    default:
        return false;
    }
}

static bool parse_number(struct options *o, int c, const char *arg)
{
    const struct {
        int option;
        uint32_t *value, min, max;
    } numbers[] = {
        { OPT_DEVICES, &o->devices, 1, MAX_DEVICES },
        { OPT_SOURCES, &o->sources, 1, MAX_SOURCES },
        { OPT_COUNT, &o->count, MAX_SAMPLES, 100000000 },
        { OPT_ADDRESSES, &o->addresses, 1, MAX_SOURCES },
        { OPT_WINDOW, &o->window, 1, MAX_WINDOW },
        { OPT_RATE, &o->rate, 0, 1000000 },
        { OPT_SAMPLES, &o->samples, 5, MAX_SAMPLES },
        { OPT_SECONDS, &o->seconds, 1, 3600 },
        { OPT_HOLD, &o->hold_s, 1, 3600 },
        { OPT_FIRST, &o->first, 0, 9999999 - MAX_DEVICES },
        { OPT_EXPIRES, &o->expires_s, 60, 1000000 },
    };

    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        if (numbers[i].option == c)
            return slice_u32(slice_str(arg), numbers[i].max,
                             numbers[i].value) &&
                   *numbers[i].value >= numbers[i].min;
    return false;
}

int load_parse_options(struct options *o, int argc, char **argv)
{
    int c;

    *o = (struct options){
        .name = "sip", .server_id = "34020000002000000001",
        .realm = "3402000000", .run = "contact,refresh,login,keepalive",
        .devices = 100000, .sources = 16, .addresses = 1, .window = 64,
        .count = 100000, .samples = 10, .hold_s = 60, .seconds = 240,
        .expires_s = 3600,
    };
    while ((c = getopt_long(argc, argv, "h", longs, NULL)) != -1) {
        if (c == 'h') {
            fputs(load_usage, stdout);
            exit(0);
        }
        if (c == '?' || !(c <= OPT_FLOOR ? parse_text(o, c, optarg)
                                         : parse_number(o, c, optarg)))
            return EX_USAGE;
    }
    if (o->window > o->devices / 2 + 1)
        o->window = o->devices / 2 + 1; /* each device has one at a time */
    if (o->sources > o->devices)
        o->sources = o->devices;
    if (o->server.family != GB_IPV4 || o->server.ip[0] != 127) {
        fputs("sipload: --server must be an address of 127.0.0.0/8\n", stderr);
        return EX_USAGE;
    }
    return 0;
}
