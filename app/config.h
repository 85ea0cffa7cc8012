/* app/config.h - one table of settings: name, type, default, range, help
 *
 * Layers, a later one winning: defaults < kept, what people set while it runs
 * < file < environment < -s. Every value
 * is text until the table types it, so ids need no quotes. A file is read and
 * checked whole before anything changes; an error names file, line, column. */
#ifndef APP_CONFIG_H
#define APP_CONFIG_H

#include "base/addr.h"
#include "base/err.h"

#include <stdio.h>

enum config_type {
    CONFIG_TEXT,      /* at most max bytes */
    CONFIG_ID,        /* 20 digits */
    CONFIG_BOOL,      /* true|false, yes|no, on|off, 1|0 */
    CONFIG_NUMBER,    /* min..max */
    CONFIG_CHOICE,    /* one of `choices` */
    CONFIG_CHOICES,   /* list of some of `choices`, at least one */
    CONFIG_LISTEN,    /* list of ip:port */
    CONFIG_ADDRESS,   /* an IP address, or empty */
    CONFIG_PORTS,     /* "30002-30999" */
    CONFIG_ZONE,      /* "+08:00" */
    CONFIG_PERIOD,    /* true, false or seconds; max: the longest */
    CONFIG_NETS,      /* list of ip/bits */
    CONFIG_ADVERTISE, /* list of "net address" */
    CONFIG_PREFIXES,  /* list of first digits of ids */
    CONFIG_HOOKS,     /* list of "url secret [kind+kind...]" */
    CONFIG_EXEC,      /* list of "kind+kind /program arg..." */
    CONFIG_REDIRECTS, /* list of "prefix id@address[:port]" */
    CONFIG_OPEN,      /* a section whose keys a later version reads */
};

/*    id              name                type       default            choices          min max  hup   help */
#define CONFIG_MAP(X)                                                                                     \
    X(SERVER_ID,      "server.id",        ID,        "34020000002000000001", NULL,       0, 0, false, "20-digit SIP id of this platform") \
    X(SERVER_REALM,   "server.realm",     TEXT,      "",                NULL,            0, 63, false, "SIP domain; empty: the first ten digits of server.id") \
    X(SERVER_DATA,    "server.data",      TEXT,      "",                NULL,            0, 0, false, "directory of state and secrets; empty: ./gb28181d-data, or /var/lib/gb28181d when /etc/gb28181d/gb28181d.yml is read") \
    X(SERVER_USER,    "server.user",     TEXT,      "",                NULL,            0, 63, false, "user that the daemon becomes when root starts it; it is given the data directory; empty: it stays who it is") \
    X(SERVER_SECCOMP, "server.seccomp",  BOOL,      "true",            NULL,            0, 0, false, "refuse system calls that the daemon never makes, such as running a program (but for snapshot.ffmpeg and exec.run, where those are set); where the kernel cannot, it is done without") \
    X(SERVER_ZONE,    "server.timezone",  ZONE,      "+08:00",          NULL,            0, 0, true, "zone of the times on the wire") \
    X(SIP_LISTEN,     "sip.listen",       LISTEN,    "0.0.0.0:5060,[::]:5060", NULL,     0, 0, false, "SIP over UDP and TCP") \
    X(SIP_TLS_LISTEN, "sip.tls_listen",   LISTEN,    "",                NULL,            0, 0, false, "SIP over TLS, usually port 5061; empty: none") \
    X(SIP_PASSWORD,   "sip.password",     TEXT,      "",                NULL,            0, 0, false, "password of the devices; empty: made at first start, in DATA/device-password") \
    X(SIP_AUTO_ENROL, "sip.auto_enrol",   BOOL,      "true",            NULL,            0, 0, true, "an unknown id that proves the password becomes a device") \
    X(SIP_DATE,       "sip.date",         CHOICE,    "local",           "local|utc|off", 0, 0, true, "Date header in the answer to REGISTER") \
    X(SIP_DIGEST,     "sip.digest",       CHOICES,   "md5",             "md5|md5-sess|sha256|sha256-sess|sm3|sm3-sess|sha512-256|sha512-256-sess", 0, 0, true, "digest algorithms offered to devices, and no others accepted; many devices know md5 alone") \
    X(SIP_QOP,        "sip.qop",          BOOL,      "false",           NULL,            0, 0, true, "offer qop=auth in challenges, and prove in Authentication-Info that the password is known here to devices that used it; both kinds of answers are accepted") \
    X(SIP_ALLOW,      "sip.allow",        NETS,      "",                NULL,            0, 0, true, "networks whose SIP messages are heard; empty: all") \
    X(SIP_DENY,       "sip.deny",         NETS,      "",                NULL,            0, 0, true, "networks whose SIP messages are dropped, also of sip.allow") \
    X(SIP_ALLOW_IDS,  "sip.allow_ids",    PREFIXES,  "",                NULL,            0, 0, true, "first digits of ids that may register; empty: all") \
    X(SIP_DENY_IDS,   "sip.deny_ids",     PREFIXES,  "",                NULL,            0, 0, true, "first digits of ids that may not, also of sip.allow_ids") \
    X(SIP_REDIRECT,   "sip.redirect",     REDIRECTS, "",                NULL,            0, 0, true, "first digits of ids and the server, ID@ADDRESS:PORT, that they are sent to when they first register") \
    X(SIP_KEEP_OPEN,  "sip.keep_open_s",  NUMBER,    "25",              NULL,            0, 3600, false, "seconds of silence before a NAT towards a device is kept open: OPTIONS over UDP, an empty line over TCP and TLS; 0: never") \
    X(SIP_UDP_MAX,    "sip.udp_max_bytes", NUMBER,   "1300",            NULL,            0, 65535, false, "larger requests to a device that registered over UDP go over TCP, unless a NAT hides it; over UDP when it takes no connection; 0: always UDP") \
    X(SIP_CLOCKS,     "sip.correct_clocks", BOOL,    "true",            NULL,            0, 0, true, "ask devices for their time before their recordings are asked for, and shift such times by what their clocks are off") \
    X(SUB_CATALOG,    "subscribe.catalog", PERIOD,   "false",           NULL,            60, 86400, true, "subscribe to the catalogs of devices: true (600 s), false, or seconds; devices and groups may have policies of their own") \
    X(SUB_ALARM,      "subscribe.alarm",  PERIOD,    "false",           NULL,            60, 86400, true, "subscribe to their alarms: true (3600 s), false, or seconds; most devices send alarms without it") \
    X(SUB_POSITION,   "subscribe.position", PERIOD,  "false",           NULL,            60, 86400, true, "subscribe to positions of mobile devices: true (3600 s), false, or seconds") \
    X(SUB_PTZ,        "subscribe.ptz",    PERIOD,    "false",           NULL,            60, 86400, true, "subscribe to where PTZ cameras of GB/T 28181-2022 look: true (3600 s), false, or seconds") \
    X(ALARM_RESET,    "alarm.reset",      BOOL,      "false",           NULL,            0, 0, true, "send ResetAlarm behind each alarm of a detector (method 2), which is silent until then; false: by hand") \
    X(PTZ_HOLD,       "ptz.hold_s",       NUMBER,    "5",               NULL,            1, 3600, true, "seconds that a camera goes on moving when nobody renews or stops it: its client may be gone") \
    X(HOOKS_TO,       "webhooks.to",      HOOKS,     "",                NULL,            0, 0, true, "URLs that events are POSTed to, each with a secret that signs them and, if not all, kinds of events: http://10.0.0.5/gb SECRET alarm+device; more are made in the API") \
    X(HOOKS_CA,       "webhooks.ca",      TEXT,      "/etc/ssl/certs/ca-certificates.crt", NULL, 0, 0, false, "file of the certificates (PEM) that receivers behind https are checked against; without it there is no https") \
    X(HOOKS_DENY,     "webhooks.deny",    NETS,      "169.254.0.0/16,fe80::/10", NULL,   0, 0, true, "networks that no webhook is sent to, whatever its name resolves to; redirections are never followed") \
    X(PUSH_CA,        "push.ca",          TEXT,      "/etc/ssl/certs/ca-certificates.crt", NULL, 0, 0, false, "file of the certificates (PEM) that servers are checked against which a channel is pushed to by rtsps or rtmps; without it there is none") \
    X(EXEC_RUN,       "exec.run",         EXEC,      "",                NULL,            0, 0, false, "programs that are run for events, each with the kinds (or all) and its arguments, without a shell: alarm+device /usr/local/bin/notify yard; the event is JSON in their input; docs/webhooks.md") \
    X(MQTT_SERVER,    "mqtt.server",      TEXT,      "",                NULL,            0, 0, false, "MQTT broker that events and states are published to, HOST or HOST:PORT; empty: none; needs a build with MQTT=1") \
    X(MQTT_TLS,       "mqtt.tls",         BOOL,      "false",           NULL,            0, 0, false, "over TLS, port 8883 unless another is named, checked against mqtt.ca") \
    X(MQTT_CA,        "mqtt.ca",          TEXT,      "/etc/ssl/certs/ca-certificates.crt", NULL, 0, 0, false, "file of the certificates (PEM) that the broker is checked against") \
    X(MQTT_USER,      "mqtt.user",        TEXT,      "",                NULL,            0, 0, false, "user name at the broker; empty: none is told") \
    X(MQTT_PASSWORD,  "mqtt.password",    TEXT,      "",                NULL,            0, 0, false, "his password") \
    X(MQTT_PREFIX,    "mqtt.prefix",      TEXT,      "gb28181",         NULL,            0, 63, false, "first words of all topics; two servers at one broker need two") \
    X(MQTT_EVENTS,    "mqtt.events",      CHOICES,   "device,session,alarm,recording", "device|channel|session|alarm|command|position|ptz|offer|upgrade|download|voice|push|recording", 0, 0, false, "kinds of events that are published, as PREFIX/event/KIND") \
    X(MQTT_DISCOVERY, "mqtt.discovery",   TEXT,      "homeassistant",   NULL,            0, 63, false, "topic under which Home Assistant looks for sensors; empty: nothing is told there") \
    X(HTTP_LISTEN,    "http.listen",      LISTEN,    "0.0.0.0:28181,[::]:28181", NULL,   0, 0, false, "page, API and media over HTTP") \
    X(HTTP_AUTH,      "http.auth",        BOOL,      "true",            NULL,            0, 0, false, "ask for credentials; false leaves everything open") \
    X(HTTP_WVP,       "http.wvp_login",   BOOL,      "false",           NULL,            0, 0, false, "answer the login of front-ends written for WVP, which send the MD5 of a password: one that is set from then on") \
    X(HTTP_PUBLIC,    "http.public_url",  TEXT,      "",                NULL,            0, 0, false, "URL under which users reach this server, for links") \
    X(HTTP_PROXIES,   "http.trusted_proxies", NETS,  "",                NULL,            0, 0, false, "networks whose X-Forwarded headers are believed") \
    X(RTSP_LISTEN,    "rtsp.listen",      LISTEN,    "0.0.0.0:8554,[::]:8554", NULL,     0, 0, false, "RTSP server, rtsp://HOST:PORT/DEVICE/CHANNEL, and rtsps:// on the same port; a default port that another program holds is done without; empty: none") \
    X(TLS_CERT,       "tls.cert",         TEXT,      "",                NULL,            0, 0, false, "certificate file (PEM, with its chain) of HTTPS, which http.listen takes beside HTTP, and of sip.tls_listen; empty: DATA/tls.crt, made for the first connection; SIGHUP reads the file again") \
    X(TLS_KEY,        "tls.key",          TEXT,      "",                NULL,            0, 0, false, "file of its private key (PEM); empty: DATA/tls.key") \
    X(NET_ADVERTISE,  "network.advertise", ADVERTISE, "",               NULL,            0, 0, true, "which of our addresses a peer is told: net and address") \
    X(MEDIA_ADDRESS,  "media.address",    ADDRESS,   "",                NULL,            0, 0, true, "address in SDP; empty: network.advertise, then the one the device talks to") \
    X(MEDIA_PORTS,    "media.ports",      PORTS,     "30002-30999",     NULL,            0, 0, false, "RTP and RTCP ports, one pair a session") \
    X(MEDIA_SHARED,   "media.shared_port", NUMBER,   "30000",           NULL,            0, 65534, false, "port of all sessions over UDP and TCP, with RTCP on the next one; even, outside media.ports") \
    X(MEDIA_MODE,     "media.mode",       CHOICE,    "auto",            "auto|dedicated|shared", 0, 0, false, "port of a session: its own of media.ports, or media.shared_port; auto: its own while a tenth of them is free and rested") \
    X(MEDIA_ANY,      "media.any_source", BOOL,      "false",           NULL,            0, 0, false, "believe media from any address; false: from that of the device and the one its answer names, from elsewhere only with the agreed SSRC while nothing else comes") \
    X(MEDIA_THREADS,  "media.threads",    NUMBER,    "0",               NULL,            0, 64, false, "media loops; 0: one a core but one") \
    X(MEDIA_IDLE,     "media.idle_stop_s", NUMBER,   "30",              NULL,            1, 86400, true, "seconds from the last viewer's leaving to the BYE") \
    X(LOG_LEVEL,      "log.level",        CHOICE,    "info",            "error|warn|info|debug|trace", 0, 0, true, "least important line written") \
    X(LOG_FORMAT,     "log.format",       CHOICE,    "text",            "text|json",     0, 0, false, "key=value lines, or one JSON object a line") \
    X(DOWNLOAD_MAX,   "download.max_gib", NUMBER,    "100",             NULL,            0, 1000000, true, "room for downloads of recordings in all, in GiB; above, they wait; 0: there are none") \
    X(DOWNLOAD_DIR,   "download.dir",     TEXT,      "",                NULL,            0, 0, false, "directory of downloaded recordings; empty: DATA/downloads") \
    X(RECORD_DIR,     "record.dir",       TEXT,      "",                NULL,            0, 0, false, "directories of this server's recordings, one a disk, separated by commas; more than one have to be there, and new ones go behind the others; empty: DATA/recordings; recordings need SQLite") \
    X(RECORD_SEGMENT, "record.segment_s", NUMBER,    "600",             NULL,            2, 86400, true, "seconds of one file; it ends at the first key frame behind them") \
    X(RECORD_DAYS,    "record.days",      NUMBER,    "30",              NULL,            0, 36500, true, "days that recordings are kept; 0: no matter how old") \
    X(RECORD_MAX,     "record.max_gib",   NUMBER,    "0",               NULL,            0, 10000000, true, "room for recordings in all, in GiB; the oldest go first; 0: until the disk is full") \
    X(RECORD_KEEP,    "record.keep_mib",  NUMBER,    "256",             NULL,            0, 100000000, true, "MiB that recordings leave free on each disk: new files go to others, and where none is left the oldest of all go") \
    X(RECORD_CHANNEL, "record.channel_gib", NUMBER,  "0",               NULL,            0, 10000000, true, "room for those of one channel, in GiB; 0: any") \
    X(RECORD_FSYNC,   "record.fsync",     CHOICE,    "segment",         "never|segment|always", 0, 0, true, "when recordings are forced onto the disk: left to the system, at the end of each file, after each write") \
    X(SNAPSHOT_MAX,   "snapshot.max_mib", NUMBER,    "256",             NULL,            0, 100000, false, "pictures that cameras take on order and upload, in MiB of all of them, in DATA/snapshots; the oldest go first; 0: none are taken") \
    X(SNAPSHOT_FFMPEG, "snapshot.ffmpeg", TEXT,      "",                NULL,            0, 0, false, "path of ffmpeg, which makes a JPEG of a key frame for /live/DEVICE/CHANNEL/snapshot.jpg, at most two at a time; empty: that is answered with 501") \
    X(MAP_TILES,      "map.tiles",        TEXT,      "",                NULL,            0, 0, false, "directory of map tiles (Web Mercator, 256 pixels), Z/X/Y.png in it, that are drawn below the map of the page; empty: a net of degrees alone") \
    X(MAP_ZOOM,       "map.zoom",         NUMBER,    "18",              NULL,            0, 22, false, "the deepest Z that is there") \
    X(FIRMWARE_MAX,   "firmware.max_mib", NUMBER,    "512",             NULL,            0, 4000, false, "largest firmware file that can be uploaded, in MiB, in DATA/firmware; 0: none can") \
    X(KEEP_ALARMS,    "history.alarms",   NUMBER,    "200000",          NULL,            0, 100000000, true, "alarms kept, the newest; 0: none; history needs SQLite") \
    X(KEEP_ALARM_DAYS, "history.alarms_days", NUMBER, "90",             NULL,            0, 36500, true, "days that they are kept; 0: no matter how old") \
    X(KEEP_POSITIONS, "history.positions", NUMBER,   "1000000",         NULL,            0, 100000000, true, "positions of mobile devices kept") \
    X(KEEP_POSITION_DAYS, "history.positions_days", NUMBER, "90",       NULL,            0, 36500, true, "days that they are kept") \
    X(KEEP_COMMANDS,  "history.commands", NUMBER,    "50000",           NULL,            0, 100000000, true, "commands kept, with what the devices answered") \
    X(KEEP_COMMAND_DAYS, "history.commands_days", NUMBER, "90",         NULL,            0, 36500, true, "days that they are kept") \
    X(KEEP_AUDIT,     "history.audit",    NUMBER,    "100000",          NULL,            0, 100000000, true, "entries of the audit log kept, the newest: who changed what over the API; needs SQLite") \
    X(KEEP_AUDIT_DAYS, "history.audit_days", NUMBER, "365",             NULL,            0, 36500, true, "days that they are kept") \
    X(LIMIT_DEVICES,  "limits.devices",   NUMBER,    "20000",           NULL,            1, 1000000, false, "devices known at one time") \
    X(LIMIT_CHANNELS, "limits.channels",  NUMBER,    "200000",          NULL,            1, 10000000, false, "channels in all") \
    X(LIMIT_OF_DEVICE, "limits.device_channels", NUMBER, "100000",      NULL,            1, 10000000, false, "channels of one device") \
    X(LIMIT_SESSIONS, "limits.sessions",  NUMBER,    "4000",            NULL,            1, 100000, false, "live sessions at one time") \
    X(LIMIT_SIP_TCP,  "limits.sip_connections", NUMBER, "20000",        NULL,            1, 1000000, false, "SIP connections over TCP and TLS") \
    X(LIMIT_SIP_STRANGERS, "limits.sip_strangers_mib", NUMBER, "32",    NULL,            1, 2048, false, "memory for SIP connections that nobody has registered over, in MiB; above, the one that holds most is closed") \
    X(LIMIT_HTTP,     "limits.http_connections", NUMBER, "4096",        NULL,            8, 1000000, false, "HTTP connections and viewers") \
    X(LIMIT_RATE,     "limits.unauthenticated_per_s", NUMBER, "20",     NULL,            1, 1000000, true, "unauthenticated SIP requests a second from one source") \
    X(LIMIT_STRANGERS, "limits.unauthenticated_total_per_s", NUMBER, "5000", NULL,       1, 1000000, false, "unauthenticated SIP requests a second from all sources") \
    X(LIMIT_REGISTERS, "limits.registers_per_s", NUMBER, "1000",        NULL,            1, 1000000, false, "new registrations begun a second; above, devices are told to come back later") \
    X(LIMIT_BAN_FAILURES, "limits.ban_failures", NUMBER, "20",          NULL,            1, 1000000, false, "wrong passwords from one source that ban it") \
    X(LIMIT_BAN,      "limits.ban_s",     NUMBER,    "60",              NULL,            1, 86400, false, "seconds of the first ban; each next one is twice as long, up to 64 times") \
    X(LIMIT_PENDING,  "limits.pending",   NUMBER,    "256",             NULL,            1, 100000, false, "unknown ids remembered") \
    X(TRACE_MEMORY,   "trace.memory_mib", NUMBER,    "8",               NULL,            0, 4096, false, "memory for the last SIP messages in and out, in MiB, taken as they come; 0: none are kept") \
    X(UPSTREAMS,      "upstreams",        OPEN,      "",                NULL,            0, 0, false, "upper platforms (not used by this version)")

enum config_key {
#define X(id, name, type, def, choices, min, max, hup, help) CONFIG_##id,
    CONFIG_MAP(X)
#undef X
    CONFIG_COUNT
};

enum config_layer { CONFIG_DEFAULT, CONFIG_KEPT, CONFIG_FILE, CONFIG_ENV,
                    CONFIG_FLAG };

#define CONFIG_MAX_ITEMS 256   /* of one list */
#define CONFIG_MAX_FILE (1u << 20)
#define CONFIG_MAX_TEXT 255    /* bytes of a text that names no other limit */

struct config_value {
    enum config_layer layer;
    char **item; /* NUL-terminated; a scalar is a list of one */
    size_t n;
};

struct config {
    struct config_value value[CONFIG_COUNT];
};

/* All defaults. GB_ENOMEM. */
int config_init(struct config *c);
void config_fini(struct config *c);

/* Why a configuration was refused: one line for a person. */
struct config_error {
    char text[512];
};

/* Reads a YAML file into c (layer FILE). On error c is unchanged and *e says
 * "FILE:LINE:COLUMN: …". GB_EIO when it cannot be read, GB_ESYNTAX. */
int config_read(struct config *c, const char *path, struct config_error *e);

/* "section.key=value"; a list is joined by commas. */
int config_set(struct config *c, const char *assignment,
               enum config_layer layer, struct config_error *e);

/* The variables of the environment that are settings: GB28181D_SIP_PASSWORD. */
int config_environment(struct config *c, struct config_error *e);

/* Behind all other layers: the values of a file of kept settings count where
 * there is only a default. No file: 0. */
#define CONFIG_KEPT_FILE "settings.yml" /* in the data directory */
int config_read_kept(struct config *c, const char *path,
                     struct config_error *e);

/* One row of the table with its value; i from 0, false behind the last. */
struct config_setting {
    const char *name, *help, *choices, *def; /* choices: "a|b", or NULL */
    enum config_type type;
    uint32_t min, max;
    enum config_layer layer;
    bool reloads; /* in a running process */
    bool secret;  /* never told */
    bool list;
    bool changes; /* config_keep takes it */
    char **item;  /* n of them; borrowed */
    size_t n;
};
bool config_setting(const struct config *c, size_t i,
                    struct config_setting *out);

int config_copy(struct config *to, const struct config *from);

/* Sets a kept value, a list joined by commas; reset: as it is by default. GB_ENOENT:
 * there is no such setting; GB_ESTATE: a layer above has it; GB_EUNSUPPORTED: not
 * while it runs, or a secret; GB_ESYNTAX: bad. *e says so, without the name. */
int config_keep(struct config *c, struct slice name, struct slice text,
                bool reset, struct config_error *e);
/* The kept values as the file is to have them. */
void config_print_kept(const struct config *c, FILE *out);

/* The shared media port is even, and neither it nor the next is one of
 * media.ports. */
bool config_shared_fits(const struct config *c);

/* What single values cannot show: no listener of SIP or HTTP, two listeners on
 * one port, a listener inside the media ports, a shared media port that does not
 * fit where every session needs it, half of a certificate. 0 or GB_ESYNTAX; GB_EUNSUPPORTED:
 * this build lacks what is asked for. */
int config_check(const struct config *c, struct config_error *e);

/* Walks the settings that differ between two configurations (NULL: the
 * defaults), *k from 0; false at the end. */
struct config_difference {
    const char *name;
    bool reloads; /* SIGHUP changes it in a running process */
    bool unused;  /* this version does nothing with it */
};
bool config_differs(const struct config *a, const struct config *b, int *k,
                    struct config_difference *out);

/* Moves those values of `from` that SIGHUP may change into c; `from` keeps the
 * others. */
void config_take_reloaded(struct config *c, struct config *from);

/* Typed views; the values have been checked. */
const char *config_text(const struct config *c, enum config_key k);
bool config_bool(const struct config *c, enum config_key k);
/* Seconds of a CONFIG_PERIOD; 0: false. */
uint32_t config_period(const struct config *c, enum config_key k,
                       uint32_t when_true);
uint32_t config_number(const struct config *c, enum config_key k);
size_t config_n(const struct config *c, enum config_key k);
/* i-th item of a LISTEN list, or the ADDRESS; false when it is empty. */
bool config_addr(const struct config *c, enum config_key k, size_t i,
                 struct gb_addr *out);
void config_ports(const struct config *c, enum config_key k, uint16_t *min,
                  uint16_t *max);
int config_zone_min(const struct config *c, enum config_key k);
/* i-th item of a list as it is written; NULL behind the last. */
const char *config_item(const struct config *c, enum config_key k, size_t i);
/* i-th item of HOOKS; kinds: empty: all. false behind the last. */
bool config_hook(const struct config *c, enum config_key k, size_t i,
                 struct slice *url, struct slice *secret, struct slice *kinds);
/* i-th item of REDIRECTS: its first digits, NUL-terminated in prefix; the rest
 * of the item is *target. */
#define CONFIG_PREFIX_MAX 24
bool config_redirect(const struct config *c, enum config_key k, size_t i,
                     char prefix[static CONFIG_PREFIX_MAX],
                     const char **target);
/* i-th item of NETS (to == NULL) or ADVERTISE. */
bool config_net(const struct config *c, enum config_key k, size_t i,
                struct gb_addr *net, unsigned *bits, struct gb_addr *to);

/* The whole configuration as YAML with the help as comments; never the
 * password. */
void config_print(const struct config *c, FILE *out);
#endif
