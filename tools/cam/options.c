#include "tools/cam/options.h"

#include "app/locale.h"
#include "manscdp/preset.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

static const char usage[] =
    "usage: gbcam [options]\n"
    "\n"
    "Simulated GB/T 28181 cameras: register, keep alive, list channels, answer\n"
    "INVITE over UDP and TCP, and stream a looped clip with a running clock and a\n"
    "tone.\n"
    "\n"
    "  --server sip:ID@HOST:PORT  platform (sip:34020000002000000001@127.0.0.1:5060)\n"
    "  --id ID            20-digit id of the first device (34020000001180000001)\n"
    "  --password P       device password, or @FILE with it in one line\n"
    "  --transport T      signalling over udp (default), tcp or tls\n"
    "  --ca FILE          over tls: the certificates that are trusted, PEM; without\n"
    "                     it whoever answers is believed\n"
    "  --devices N        devices, ids counting up (1)\n"
    "  --channels N       channels of each device (1)\n"
    "  --rate N           devices added a second (500)\n"
    "  --name TEXT        device name (gbcam)\n"
    "  --codec C          built-in clips of h264 (default) or h265\n"
    "  --media FILE       main stream: an Annex B file, H.264 or H.265\n"
    "  --media-sub FILE   sub-stream, likewise\n"
    "  --fps N            pictures a second of the files (25)\n"
    "  --stamps FILE      write when media have left, monotonic ns a line\n"
    "  --audio A          a tone in g711a (default), g711u or aac, or none\n"
    "  --no-audio         the same as --audio none\n"
    "  --local ADDRESS    address to use and to announce\n"
    "  --keepalive S, --expires S, --retry S   timers (60, 3600, 60)\n"
    "  --alarm S          an alarm every S seconds; SIGUSR1: one now\n"
    "  --alarm-kind M/T   their method and type (5/2: motion)\n"
    "  --position S       say where it is every S seconds, unless subscribed\n"
    "  --at LON,LAT       where it drives around (118.376451,31.326319)\n"
    "  --offer-video S    VideoUploadNotify every S seconds\n"
    "  --flap S           the first channel goes off or on every S seconds\n"
    "  --seconds S        stop after S seconds\n"
    "  --sessions N       streams a device sends at most, then 486 (16)\n"
    "  --charset C        gb2312 (default), gb18030 or utf-8\n"
    "  --edition E        1.0, 1.1, 2.0 (default) or 3.0\n"
    "  --items N          catalog items and recordings in one message (1)\n"
    "  --preset-items N   presets and cruise tracks in one message (all)\n"
    "  --records N        half hours that each camera has recorded (48)\n"
    "  --loss P, --duplicate P, --reorder P   percent of the RTP packets\n"
    "  --fault NAME       a deviation, may be repeated; --faults lists them\n"
    "  --refuse STATUS    answer every INVITE with this status\n"
    "  --refuse-message STATUS   answer every MESSAGE with this status\n"
    "  --late MS          carry out and answer commands so late\n"
    "  --quiet            say nothing of single devices\n"
    "  --version, --help\n";

static const char usage_zh[] =
    "用法: gbcam [选项]\n"
    "\n"
    "模拟的 GB/T 28181 摄像机：注册、心跳、上报目录，通过 UDP 和 TCP 应答\n"
    "INVITE，循环发送带走时时钟和单音的片段。\n"
    "\n"
    "  --server sip:编号@主机:端口  平台（sip:34020000002000000001@127.0.0.1:5060）\n"
    "  --id 编号          第一台设备的 20 位编号（34020000001180000001）\n"
    "  --password 密码    设备密码，或 @文件（其中一行）\n"
    "  --transport T      信令经 udp（默认）、tcp 或 tls\n"
    "  --ca 文件          使用 tls 时信任的证书，PEM；不给出则信任任何对端\n"
    "  --devices N        设备数，编号递增（1）\n"
    "  --channels N       每台设备的通道数（1）\n"
    "  --rate N           每秒新增的设备数（500）\n"
    "  --name 名称        设备名称（gbcam）\n"
    "  --codec C          内置片段的编码：h264（默认）或 h265\n"
    "  --media 文件       主码流：Annex B 文件，H.264 或 H.265\n"
    "  --media-sub 文件   子码流，同上\n"
    "  --fps N            文件的帧率（25）\n"
    "  --stamps 文件      记录媒体发出的时刻，每行一个单调时钟纳秒数\n"
    "  --audio A          单音的编码：g711a（默认）、g711u、aac 或 none\n"
    "  --no-audio         等同于 --audio none\n"
    "  --local 地址       使用并对外声明的地址\n"
    "  --keepalive 秒, --expires 秒, --retry 秒   定时器（60、3600、60）\n"
    "  --alarm 秒         每隔若干秒报警一次；SIGUSR1：立即报警\n"
    "  --alarm-kind M/T   报警方式和类型（5/2：移动侦测）\n"
    "  --position 秒      每隔若干秒上报位置，已被订阅时除外\n"
    "  --at 经度,纬度     在何处绕行（118.376451,31.326319）\n"
    "  --offer-video 秒   每隔若干秒发送 VideoUploadNotify\n"
    "  --flap 秒          第一个通道每隔若干秒离线或上线\n"
    "  --seconds 秒       运行若干秒后停止\n"
    "  --sessions N       单台设备最多同时发送的码流数，超出应答 486（16）\n"
    "  --charset C        gb2312（默认）、gb18030 或 utf-8\n"
    "  --edition E        1.0、1.1、2.0（默认）或 3.0\n"
    "  --items N          一条消息中的目录项和录像数（1）\n"
    "  --preset-items N   一条消息中的预置位和巡航轨迹数（全部）\n"
    "  --records N        每个摄像机已录制的半小时数（48）\n"
    "  --loss P, --duplicate P, --reorder P   RTP 包丢失、重复、乱序的百分比\n"
    "  --fault 名称       一种偏差，可重复；--faults 列出全部\n"
    "  --refuse 状态码    以此应答所有 INVITE\n"
    "  --refuse-message 状态码   以此应答所有 MESSAGE\n"
    "  --late 毫秒        延迟执行并应答命令\n"
    "  --quiet            不输出单台设备的信息\n"
    "  --version, --help\n";

static const char *help(void)
{
    return locale_is_chinese() ? usage_zh : usage;
}

static int bad(const char *what, const char *value)
{
    fprintf(stderr, "gbcam: %s: %s\n", what, value);
    return EX_USAGE;
}

/* "sip:ID@HOST:PORT"; the port may be absent. */
static int parse_server(struct options *o, const char *text)
{
    struct slice s = slice_str(text), id, host;
    uint32_t port = 5060;

    if (slice_has_iprefix(s, SLICE("sip:")))
        s = slice_from(s, 4);
    if (!slice_cut(&s, '@', &id) || id.n != DEVICE_ID_MAX)
        return bad("--server needs sip:ID@HOST:PORT with a 20-digit id", text);
    slice_copy(o->server_id, sizeof(o->server_id), id);
    if (s.n && s.p[0] == '[') {
        size_t end = slice_find(s, ']');

        host = slice_of(s.p + 1, end > 1 ? end - 1 : 0);
        s = slice_from(s, end + 1);
        if (s.n)
            s = slice_from(s, 1);
    } else {
        slice_cut(&s, ':', &host);
    }
    if (s.n && !slice_u32(s, 65535, &port))
        return bad("--server: bad port", text);
    o->port = (uint16_t)port;
    return slice_copy(o->host, sizeof(o->host), host) && host.n
               ? 0 : bad("--server: bad host", text);
}

/* "1.5" percent as hundredths of a percent. */
static int parse_percent(uint32_t *out, const char *text)
{
    double v;

    if (!slice_double(slice_str(text), &v) || v < 0 || v > 100)
        return bad("not a percentage", text);
    *out = (uint32_t)(v * 100 + 0.5);
    return 0;
}

static int parse_number(uint32_t *out, const char *text, uint32_t max)
{
    return slice_u32(slice_str(text), max, out) ? 0
                                                : bad("not a number", text);
}

enum opt {
    OPT_SERVER = 256, OPT_ID, OPT_PASSWORD, OPT_TRANSPORT, OPT_DEVICES,
    OPT_CHANNELS, OPT_RATE, OPT_NAME, OPT_MEDIA, OPT_FPS, OPT_NO_AUDIO,
    OPT_LOCAL, OPT_KEEPALIVE, OPT_EXPIRES, OPT_RETRY, OPT_ALARM, OPT_FLAP,
    OPT_SECONDS,
    OPT_CA, OPT_SESSIONS, OPT_CHARSET, OPT_EDITION, OPT_ITEMS, OPT_LOSS,
    OPT_DUPLICATE, OPT_REORDER, OPT_FAULT, OPT_REFUSE, OPT_QUIET, OPT_VERSION,
    OPT_ALARM_KIND, OPT_POSITION, OPT_AT, OPT_OFFER_VIDEO,
    OPT_PRESET_ITEMS, OPT_RECORDS, OPT_REFUSE_MESSAGE, OPT_LATE, OPT_FAULTS,
    OPT_CODEC, OPT_MEDIA_SUB, OPT_AUDIO, OPT_STAMPS,
};

static const struct option longs[] = {
    { "server", required_argument, NULL, OPT_SERVER },
    { "id", required_argument, NULL, OPT_ID },
    { "password", required_argument, NULL, OPT_PASSWORD },
    { "transport", required_argument, NULL, OPT_TRANSPORT },
    { "ca", required_argument, NULL, OPT_CA },
    { "devices", required_argument, NULL, OPT_DEVICES },
    { "channels", required_argument, NULL, OPT_CHANNELS },
    { "rate", required_argument, NULL, OPT_RATE },
    { "name", required_argument, NULL, OPT_NAME },
    { "media", required_argument, NULL, OPT_MEDIA },
    { "media-sub", required_argument, NULL, OPT_MEDIA_SUB },
    { "codec", required_argument, NULL, OPT_CODEC },
    { "audio", required_argument, NULL, OPT_AUDIO },
    { "fps", required_argument, NULL, OPT_FPS },
    { "stamps", required_argument, NULL, OPT_STAMPS },
    { "no-audio", no_argument, NULL, OPT_NO_AUDIO },
    { "local", required_argument, NULL, OPT_LOCAL },
    { "keepalive", required_argument, NULL, OPT_KEEPALIVE },
    { "expires", required_argument, NULL, OPT_EXPIRES },
    { "retry", required_argument, NULL, OPT_RETRY },
    { "alarm", required_argument, NULL, OPT_ALARM },
    { "flap", required_argument, NULL, OPT_FLAP },
    { "seconds", required_argument, NULL, OPT_SECONDS },
    { "sessions", required_argument, NULL, OPT_SESSIONS },
    { "charset", required_argument, NULL, OPT_CHARSET },
    { "edition", required_argument, NULL, OPT_EDITION },
    { "items", required_argument, NULL, OPT_ITEMS },
    { "loss", required_argument, NULL, OPT_LOSS },
    { "duplicate", required_argument, NULL, OPT_DUPLICATE },
    { "reorder", required_argument, NULL, OPT_REORDER },
    { "fault", required_argument, NULL, OPT_FAULT },
    { "faults", no_argument, NULL, OPT_FAULTS },
    { "refuse", required_argument, NULL, OPT_REFUSE },
    { "alarm-kind", required_argument, NULL, OPT_ALARM_KIND },
    { "position", required_argument, NULL, OPT_POSITION },
    { "at", required_argument, NULL, OPT_AT },
    { "offer-video", required_argument, NULL, OPT_OFFER_VIDEO },
    { "preset-items", required_argument, NULL, OPT_PRESET_ITEMS },
    { "records", required_argument, NULL, OPT_RECORDS },
    { "refuse-message", required_argument, NULL, OPT_REFUSE_MESSAGE },
    { "late", required_argument, NULL, OPT_LATE },
    { "quiet", no_argument, NULL, OPT_QUIET },
    { "version", no_argument, NULL, OPT_VERSION },
    { "help", no_argument, NULL, 'h' },
    { NULL, 0, NULL, 0 },
};

static int parse_transport(struct options *o, const char *arg)
{
    static const char *const names[] = { [SIP_UDP] = "udp", [SIP_TCP] = "tcp",
                                         [SIP_TLS] = "tls" };

    for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (!slice_eq(slice_str(arg), slice_str(names[i])))
            continue;
        o->transport = (enum sip_transport)i;
        return 0;
    }
    return bad("--transport", arg);
}

/* "5/2", or the method alone. */
static int parse_kind(struct options *o, const char *arg)
{
    struct slice s = slice_str(arg), method;

    slice_cut(&s, '/', &method);
    return slice_u32(method, 7, &o->alarm_method) && o->alarm_method &&
                   (!s.n || slice_u32(s, 255, &o->alarm_type))
               ? 0 : bad("--alarm-kind needs METHOD/TYPE", arg);
}

static int parse_place(struct options *o, const char *arg)
{
    struct slice s = slice_str(arg), east;

    slice_cut(&s, ',', &east);
    return slice_double(east, &o->longitude) && slice_double(s, &o->latitude)
               ? 0 : bad("--at needs LONGITUDE,LATITUDE", arg);
}

static int parse_codec(enum ps_codec *out, const char *arg, bool video)
{
    static const enum ps_codec codecs[] = { PS_CODEC_H264, PS_CODEC_H265,
                                            PS_CODEC_G711A, PS_CODEC_G711U,
                                            PS_CODEC_AAC };

    *out = PS_CODEC_UNKNOWN;
    if (!video && slice_eq(slice_str(arg), SLICE("none")))
        return 0;
    for (size_t i = 0; i < sizeof(codecs) / sizeof(codecs[0]); i++)
        if (ps_codec_is_video(codecs[i]) == video &&
            slice_eq(slice_str(arg), slice_str(ps_codec_name(codecs[i]))))
            *out = codecs[i];
    return *out ? 0 : bad(video ? "--codec" : "--audio", arg);
}

static int parse_text_option(struct options *o, int c, const char *arg)
{
    switch (c) {
    case OPT_SERVER:
        return parse_server(o, arg);
    case OPT_ID:
        o->id = arg;
        return strlen(arg) == DEVICE_ID_MAX
                   ? 0 : bad("--id needs 20 digits", arg);
    case OPT_PASSWORD:
        o->password = arg;
        return 0;
    case OPT_TRANSPORT:
        return parse_transport(o, arg);
    case OPT_CA:
        o->ca = arg;
        return 0;
    case OPT_NAME:
        o->name = arg;
        return 0;
    case OPT_MEDIA:
        o->media = arg;
        return 0;
    case OPT_MEDIA_SUB:
        o->media_sub = arg;
        return 0;
    case OPT_CODEC:
        return parse_codec(&o->codec, arg, true);
    case OPT_AUDIO:
        return parse_codec(&o->audio, arg, false);
    case OPT_LOCAL:
        o->local = arg;
        return 0;
    case OPT_CHARSET:
        return manscdp_charset_by_name(slice_str(arg), &o->dialect.charset)
                   ? 0 : bad("--charset", arg);
    case OPT_EDITION:
        return manscdp_edition_by_ver(slice_str(arg), &o->dialect.edition)
                   ? 0 : bad("--edition", arg);
    case OPT_ALARM_KIND:
        return parse_kind(o, arg);
    case OPT_AT:
        return parse_place(o, arg);
    case OPT_FAULT:
        return fault_set(&o->faults, slice_str(arg))
                   ? 0 : bad("no such fault", arg);
    case OPT_LOSS:
        return parse_percent(&o->faults.sender.loss, arg);
    case OPT_DUPLICATE:
        return parse_percent(&o->faults.sender.duplicate, arg);
    case OPT_REORDER:
        return parse_percent(&o->faults.sender.reorder, arg);
    case OPT_NO_AUDIO:
        o->audio = PS_CODEC_UNKNOWN;
        return 0;
    case OPT_QUIET:
        o->quiet = true;
        return 0;
    default:
        return -1;
    }
}

static int parse_number_option(struct options *o, int c, const char *arg)
{
    switch (c) {
    case OPT_DEVICES:
        return parse_number(&o->devices, arg, FLEET_MAX_DEVICES);
    case OPT_CHANNELS:
        return parse_number(&o->channels, arg, 10000);
    case OPT_RATE:
        return parse_number(&o->rate, arg, 100000);
    case OPT_FPS:
        return parse_number(&o->fps, arg, 240);
    case OPT_STAMPS:
        o->stamps = arg;
        return 0;
    case OPT_KEEPALIVE:
        return parse_number(&o->keepalive_s, arg, 86400);
    case OPT_EXPIRES:
        return parse_number(&o->expires_s, arg, 604800);
    case OPT_RETRY:
        return parse_number(&o->retry_s, arg, 86400);
    case OPT_FLAP:
        return parse_number(&o->flap_s, arg, 86400);
    case OPT_ALARM:
        return parse_number(&o->alarm_s, arg, 86400);
    case OPT_SECONDS:
        return parse_number(&o->seconds, arg, 1u << 30);
    case OPT_SESSIONS:
        return parse_number(&o->sessions, arg, DEVICE_MAX_SESSIONS);
    case OPT_ITEMS:
        return parse_number(&o->items, arg, 1000);
    case OPT_REFUSE:
        return parse_number(&o->faults.device.refuse, arg, 699);
    case OPT_POSITION:
        return parse_number(&o->position_s, arg, 86400);
    case OPT_OFFER_VIDEO:
        return parse_number(&o->offer_s, arg, 86400);
    case OPT_PRESET_ITEMS:
        return parse_number(&o->preset_items, arg, MANSCDP_MAX_PRESETS);
    case OPT_RECORDS:
        return parse_number(&o->records, arg, 100000);
    case OPT_REFUSE_MESSAGE:
        return parse_number(&o->faults.device.refuse_message, arg, 699);
    case OPT_LATE:
        return parse_number(&o->faults.device.late_ms, arg, 600000);
    default:
        return EX_USAGE;
    }
}

/* One a line: its name, what it does and where the standards say otherwise. */
static void list_faults(void)
{
    const struct fault *f;

    for (size_t i = 0; (f = fault_at(i)) != NULL; i++) {
        char name[40];

        fault_name(f, name, sizeof(name));
        printf("%s\t%s\t%s\n", name, f->what, f->clause);
    }
}

int options_parse(int argc, char **argv, struct options *o)
{
    int c, err;

    *o = (struct options){
        .server_id = "34020000002000000001", .host = "127.0.0.1", .port = 5060,
        .id = "34020000001180000001", .password = "12345678", .name = "gbcam",
        .devices = 1, .channels = 1, .fps = 25,
        .codec = PS_CODEC_H264, .audio = PS_CODEC_G711A,
        .dialect = { .edition = MANSCDP_2016, .charset = MANSCDP_GB2312 },
    };
    while ((c = getopt_long(argc, argv, "h", longs, NULL)) != -1) {
        if (c == 'h' || c == OPT_VERSION) {
            printf("%s", c == 'h' ? help() : "gbcam " GB_VERSION "\n");
            exit(EX_OK);
        }
        if (c == OPT_FAULTS) {
            list_faults();
            exit(EX_OK);
        }
        if (c == '?') {
            fputs(help(), stderr);
            return EX_USAGE;
        }
        err = parse_text_option(o, c, optarg);
        if (err < 0)
            err = parse_number_option(o, c, optarg);
        if (err)
            return err;
    }
    return optind < argc ? bad("unexpected", argv[optind]) : 0;
}
