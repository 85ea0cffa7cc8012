/* app/platform/core.h - what the files of the platform share; nobody else
 * includes it
 *
 * One struct platform holds all tables. Time is p->now, set by every public
 * function. What changes is marked on the object itself (dirty lists), so that
 * telling the owner allocates nothing and cannot be lost. */
#ifndef APP_PLATFORM_CORE_H
#define APP_PLATFORM_CORE_H

#include "app/platform/admit.h"
#include "app/platform/auth.h"
#include "app/platform/channel_sets.h"
#include "app/platform/clock.h"
#include "app/platform/commands.h"
#include "app/platform/downloads.h"
#include "app/platform/duty.h"
#include "app/platform/history.h"
#include "app/platform/platform.h"
#include "app/platform/profile.h"
#include "app/platform/ports.h"
#include "app/platform/ptz.h"
#include "app/platform/records.h"
#include "app/platform/ssrc.h"
#include "app/platform/subscriptions.h"
#include "app/platform/upgrades.h"
#include "base/timerq.h"
#include "base/arena.h"
#include "base/idmap.h"
#include "base/intern.h"
#include "base/list.h"
#include "base/map.h"
#include "manscdp/assembly.h"
#include "manscdp/catalog.h"
#include "manscdp/text.h"
#include "sdp/offer.h"
#include "sip/digest.h"

#define PLATFORM_TEXT_MAX 128      /* name, model, ... of a device, bytes */
#define PLATFORM_CHANNEL_TEXT 255  /* one text of a channel, bytes */
#define PLATFORM_CHANNEL_TEXTS 600 /* all texts of a channel, bytes */
#define PLATFORM_CHANNEL_DETAIL 4096 /* the rest of its item, bytes */
#define PLATFORM_ARENA (256u << 10) /* for one body; larger ones get their own */
#define PLATFORM_MAX_QUEUED 1024   /* alarms and log lines not fetched yet */
#define PLATFORM_LOG_RATE 50       /* lines a second that peers can cause */
#define PLATFORM_LOG_BURST 200
#define PLATFORM_ALARM_RATE 20     /* alarms a second of one device */
#define PLATFORM_ALARM_BURST 100
#define PLATFORM_NOTIFY_WINDOW_MS 10000 /* of the subscriptions of one device */
#define PLATFORM_NOTIFY_MAX 300    /* NOTIFYs in such a time that are read */
#define PLATFORM_STRAY_RATE 200    /* of all devices, outside subscriptions */
#define PLATFORM_STRAY_BURST 1000
#define PLATFORM_MAX_DIALOGS_KEPT 256 /* ended ones, for a BYE after a 486,
                                         beside one for each session */
#define PLATFORM_MAX_DIALOGS_ANSWERED 256 /* likewise, whose BYE is answered */
#define PLATFORM_SLACK_MS 5000     /* on top of every keep-alive timeout */
#define PLATFORM_GAP_MAX_MS 3600000u /* longest keep-alive interval learnt */
#define PLATFORM_GB_VER "3.0"

/* ---- tokens ---- */

struct bucket {
    uint32_t milli;   /* tokens times 1000 */
    uint64_t last_ms;
};

/* Takes one token if there is one; rate tokens a second up to burst. */
bool bucket_take(struct bucket *b, uint32_t rate, uint32_t burst,
                 uint64_t now_ms);

/* ---- handles: what sip_request.user names ---- */

enum handle_kind {
    HANDLE_DEVICE, HANDLE_SESSION, HANDLE_DIALOG, HANDLE_COMMAND, HANDLE_VOICE
};

struct handle {
    uint8_t kind;
    uint64_t id; /* in p->handles */
};

enum timer_kind {
    TIMER_LIFE, TIMER_QUERY, TIMER_SESSION, TIMER_SUBSCRIPTIONS, TIMER_COMMAND,
    TIMER_PTZ, TIMER_UPGRADE, TIMER_RECORDS, TIMER_DOWNLOAD, TIMER_VOICE,
    TIMER_DIALOG
};

/* ---- channels ---- */

/* Texts in the order of their importance: what does not fit is left out. */
#define CHANNEL_TEXT_MAP(X)                                                    \
    X(ID, id)                                                                  \
    X(PARENT, parent)                                                          \
    X(NAME, name)                                                              \
    X(STATUS, status)                                                          \
    X(CIVIL_CODE, civil_code)                                                  \
    X(BUSINESS_GROUP, business_group)                                          \
    X(PTZ_TYPE, ptz_type)                                                      \
    X(MANUFACTURER, manufacturer)                                              \
    X(MODEL, model)                                                            \
    X(OWNER, owner)                                                            \
    X(ADDRESS, address)

enum channel_text {
#define X(ID, member) CHANNEL_##ID,
    CHANNEL_TEXT_MAP(X)
#undef X
    CHANNEL_TEXT_COUNT
};

/* One block of memory: the struct and, behind it, its texts in order. */
struct channel {
    struct map_node node; /* key: the id, in p->channels */
    struct list dirty;
    struct device *device;
    uint64_t session;     /* live, main stream; 0: none */
    int64_t delivered_utc_ms;
    int32_t longitude_e7, latitude_e7;
    uint32_t seen_run;    /* the catalog run that listed it last */
    char *detail;         /* the rest of its item, until the owner has taken
                             it; own memory, NULL: told already */
    uint32_t detail_len;
    uint64_t detail_hash; /* of the last one; 0: none */
    int64_t failed_utc_ms; /* a picture that was asked for did not come */
    bool on, has_position, removed, fault;
    bool fault_told;      /* by the Keepalive that is being read */
    uint8_t observed;     /* enum platform_observed, never FAULTY */
    uint8_t failed_step;  /* enum platform_step, with failed_utc_ms */
    uint8_t len[CHANNEL_TEXT_COUNT];
    char text[];
};

/* ---- devices ---- */

#define DEVICE_ID_MAX 24 /* admit_is_id lets 20 digits in, and a NUL */

enum device_text {
    DEVICE_USER_AGENT, /* first: each REGISTER has it */
    DEVICE_NAME, DEVICE_MANUFACTURER, DEVICE_MODEL, DEVICE_FIRMWARE,
    DEVICE_TEXT_COUNT
};

/* Tolerated faults: one bit each in struct device.noted, logged once. */
#define DEVIATION_MAP(X)                                                       \
    X(XML_REPAIRED,   "xml repaired")                                          \
    X(XML_SALVAGED,   "xml salvaged, items lost")                              \
    X(BODY_REFUSED,   "body refused")                                          \
    X(NO_SN,          "SN is missing")                                         \
    X(NO_DEVICE_ID,   "DeviceID is missing")                                   \
    X(FOREIGN_ID,     "DeviceID is not its own")                               \
    X(UNKNOWN_CMD,    "CmdType is unknown")                                    \
    X(LOOSE_SN,       "answer with a foreign SN")                              \
    X(UNSOLICITED,    "answer without a question")                             \
    X(NO_CONTACT,     "REGISTER without a usable Contact")                     \
    X(NO_EXPIRES,     "REGISTER without Expires")                              \
    X(SHORT_EXPIRES,  "Expires below the minimum")                             \
    X(LONG_EXPIRES,   "Expires above the maximum")                             \
    X(ODD_SIP,        "sip syntax tolerated")                                  \
    X(PORT_MOVED,     "requests from another port")                            \
    X(SSRC_CHANGED,   "answer changes y=")                                     \
    X(SSRC_FOREIGN,   "media with an SSRC that was not agreed")                \
    X(MEDIA_ELSEWHERE, "media from an address that nobody named")             \
    X(PROTO_DIFFERS,  "answer changes the transport")                          \
    X(NO_CODEC,       "answer without an offered format")                      \
    X(CHANNEL_LIMIT,  "too many channels")                                     \
    X(ALARM_FLOOD,    "too many alarms")                                       \
    X(SUM_NUM,        "catalog does not hold what it announces")               \
    X(MULTIPART,      "XML inside a multipart body")                           \
    X(UDP_SILENT,     "media does not come over UDP")                          \
    X(INVITE_FOREIGN, "invites us, not supported")                             \
    X(NOTIFY_FLOOD,   "too many NOTIFYs")                                      \
    X(NOTIFY_STRAY,   "NOTIFY outside a subscription")                             \
    X(CSEQ_REPEATED,  "CSeq of REGISTER does not rise")                        \
    X(SIP_ALG,        "addresses rewritten on the way: SIP ALG suspected")     \
    X(NO_PROOF,       "challenged again and again, never answers")             \
    X(TCP_ABSENT,     "media connection does not come up")                     \
    X(SSRC_IGNORED,   "does not heed the SSRC: needs a port of its own")       \
    X(CLOCK_OFF,      "clock is off although it is told the time")             \
    X(VOICE_IDS,      "invites us to a broadcast with ids not asked for")      \
    X(KEY_IGNORED,    "sends no key frame when it is asked for one")           \
    X(MEDIA_AFTER,    "goes on sending after a BYE: gets another one")         \
    X(DEAF_PORT,      "does not listen where it sends from: asked at its Contact")

enum deviation {
#define X(id, text) DEVIATION_##id,
    DEVIATION_MAP(X)
#undef X
    DEVIATION_COUNT
};
_Static_assert(DEVIATION_COUNT <= 64, "bits of struct about.noted");

/* One question at a time to one device. */
enum { QUERY_CATALOG = 1, QUERY_INFO = 2 };

/* While something is asked, or more is to be. */
struct query {
    struct timerq_node timer;
    struct device *device;
    uint8_t running;         /* QUERY_ bit */
    bool swept;              /* complete, only lingering for late items */
    uint32_t sn;             /* of the DeviceInfo */
    uint64_t transaction;    /* of the running one, 0: answered */
    uint64_t assembly;       /* 0: none */
    uint64_t give_up_ms;     /* DeviceInfo */
    uint64_t retry_ms;       /* catalog once more */
};

/* What came of the questions so far. */
struct asked {
    uint8_t wanted;  /* QUERY_ bits, to be asked */
    uint8_t tries;   /* of the catalog, since the last success */
    uint8_t catalog; /* enum platform_catalog */
    bool news;       /* catalogs have told something new since query_news */
    uint8_t history_max; /* recordings that it sends at one time, as a 486 has
                            shown; 0: not known */
    uint32_t complete_s; /* mono time of the last complete one; 0: none */
    uint32_t run;    /* counts catalogs */
    uint32_t have, sum;
    uint64_t start_ms; /* what is wanted: not before */
};

struct group; /* settings.c */

/* The owner's idea of when a registration ends lags behind by at most this part
 * of it, and this time: refreshes would wear out the flash of a small box. */
#define DEVICE_EXPIRES_LAG 8
#define DEVICE_EXPIRES_LAG_MS 600000

/* What a device has told and shown of itself; of one that has registered and no
 * more, nothing is known. */
struct about {
    const struct interned *text[DEVICE_TEXT_COUNT - 1]; /* from DEVICE_NAME on */
    struct device_clock clock;
    uint32_t n_faults;    /* channels that the last Keepalive called faulty */
    uint64_t deviations;  /* so often it was */
    uint64_t noted;       /* bits 1 << enum deviation */
    struct profile *profile; /* NULL: it was asked nothing */
};

#define ALARMS_SEEN 16

/* The alarms of a device: how many there may be, and which came of late. */
struct alarm_memory {
    struct bucket rate;
    uint64_t hash[ALARMS_SEEN], seen_ms[ALARMS_SEEN];
    unsigned at;
};

/* What few devices have, or only for a while. */
struct rare {
    struct slice password;   /* its own; empty: the platform's. Own memory */
    struct slice given_name; /* by a person; empty: its own. Own memory */
    struct group *group;     /* NULL: none */
    struct platform_policy subscribe; /* 0: as its group */
    struct sip_peer probe;   /* another port, to be proven */
    uint64_t probe_transaction;
    uint64_t probe_ms;       /* when it went out */
    struct gb_addr contact;  /* of its REGISTER, where it is another than the
                                source; see way.c */
    uint8_t unanswered;      /* requests in a row */
    bool by_contact;         /* requests go to `contact` */
    struct alarm_memory *alarms; /* NULL: it sent none. Own memory */
    uint8_t voice_mode, voice_target; /* that worked last; mode 0: none yet */
    uint64_t voice_over_ms;  /* the last voice ended; 0: there was none */
    struct bucket reserve[2]; /* of messages from another port: REGISTER is 1 */
    struct bucket walks;     /* through all of its channels, see device_walks */
    uint16_t n_duties;       /* of p->duties; all of them go with the device */
};

/* First what SIP needs of a registered device (DEVICE_SIP bytes): who it is,
 * where it is bound, until when, and how it proves itself. Then what the
 * platform knows of it. What a refresh and a keepalive touch lies together, up
 * to DEVICE_NEAR: with many devices each line of it comes from far memory. */
struct device {
    struct map_node by_id; /* key: id, in p->devices */
    char id[DEVICE_ID_MAX];
    struct map_node by_peer;   /* key: of peer, in p->peers */
    struct map_node by_source; /* key: of peer.remote, in p->sites */
    struct sip_peer peer;
    bool bound : 1;        /* has a binding: requests from it are accepted */
    bool at_peer : 1, at_source : 1; /* in p->peers, in p->sites */
    bool behind_nat : 1;   /* its Contact is not where it sends from */
    bool ignores_require : 1; /* requests with Require are served */
    bool arms : 1;         /* SetGuard each time it registers */
    bool is_restored : 1;  /* expires_ms is what the store knew of it */
    uint8_t proven_alg : 3; /* the hash it proved itself with; OTHER: none */
    uint8_t date : 2;      /* 0: as configured, else 1 + enum platform_date */
    uint16_t digest;       /* algorithms offered to it; 0: as configured */
    uint8_t ha1[SIP_HA1_MD5_RAW]; /* if proven_alg is MD5: that of the others,
                              which are longer, is made each time */
    uint32_t nonce_nc;     /* highest nc with the nonce of nonce_stamp */
    uint32_t cseq;         /* of the registration */
    uint32_t call_id_hash; /* likewise */
    uint64_t nonce_stamp;  /* of the newest nonce it proved itself with */
    uint64_t expires_ms;
    struct timerq_node life_timer;

    int64_t expires_utc_ms; /* the first of the platform's */
    int64_t told_expires_utc_ms; /* the owner was last told of */
    bool online;
    uint8_t edition;       /* enum manscdp_edition */
    uint8_t charset;       /* enum manscdp_charset to write to it */
    bool edition_known, charset_known;
    uint8_t edition_set;   /* 0: as it says, else 1 + enum manscdp_edition */
    uint8_t media, learnt; /* enum platform_transport */
    uint64_t alive_ms;
    uint64_t keepalive_ms; /* the last one, 0: none yet */
    uint64_t opened_ms;    /* the last OPTIONS for its NAT */
    int64_t keepalive_utc_ms, registered_utc_ms;
    uint32_t gap_ms;       /* longest interval seen of late */
    unsigned changes;      /* PLATFORM_CHANGED_, CHANGE_ */
    const struct interned *user_agent; /* in p->texts */
    struct list sessions;

    struct handle handle; /* the first of the others */
    struct asked asked;
    struct query *query;   /* NULL: nothing is asked; what is wanted waits */
    struct about *about;   /* NULL: all of it is zero */
    uint32_t n_channels, cap_channels;
    struct channel **channels;     /* in id order */
    struct list dirty;
    const char *reason;    /* of its state, static */
    struct history *history;
    struct device_subscriptions *subscriptions; /* NULL: none were wanted */
    struct rare *rare;       /* NULL: all of it is zero */
    uint64_t old_connection; /* to be closed by the edge; the newer one if it
                                moves twice in one turn */
};

#define DEVICE_SIP offsetof(struct device, expires_utc_ms) /* bytes of SIP */
_Static_assert(DEVICE_SIP <= 232 || sizeof(void *) != 8,
               "with its share of three tables, a device takes 256 at most");
#define DEVICE_NEAR offsetof(struct device, handle) /* bytes that come first */

/* In device.changes beside the public flags. */
enum {
    CHANGE_CATALOG_DONE = 1 << 16,
    CHANGE_REMOVED = 1 << 17,
    CHANGE_DISCONNECT = 1 << 18, /* old_connection is to be closed */
};

/* ---- sessions ---- */

enum session_phase {
    PHASE_OPENING,  /* media edge opens the port */
    PHASE_INVITING, /* INVITE is out */
    PHASE_MEDIA,    /* answered: packets, key frame awaited, then playing */
    PHASE_WAITING,  /* for retry_ms, then INVITE again */
    PHASE_REOPENING, /* port is being closed, to be opened otherwise */
    PHASE_CLOSING,  /* CLOSE is ordered */
    PHASE_GONE,     /* nothing is left; the owner is to be told */
};

/* Orders and news for the owner, told in this order. */
enum {
    NEWS_OPEN = 1, NEWS_ANSWER = 2, NEWS_CLOSE = 4, NEWS_CHANGED = 8,
    NEWS_DIALOG = 16, NEWS_GONE = 32, NEWS_PACE = 64,
};

/* What was tried; each at most once. */
enum {
    TRIED_MINIMAL = 1, TRIED_BUSY = 2, TRIED_TRANSPORT = 4, TRIED_5XX = 8,
    TRIED_TCP = 16, TRIED_PENDING = 32, TRIED_HELD = 64, TRIED_OWN_PORT = 128,
    TRIED_UDP = 256,
};

/* A recording that is being played. */
struct session_playback {
    struct platform_playback told;
    bool ending;           /* the device says that all has been sent */
    const char *hung_up;   /* it has ended the dialog; NULL: it has not */
    unsigned quiet;        /* reports in a row without a packet */
    uint64_t transaction;  /* of the control on its way; 0: none */
    struct platform_control asked;
    uint32_t cseq;         /* of the last MANSRTSP body */
    bool whole_scale;      /* it wants "2" for "2.0" */
    int64_t seek_ms;       /* for NEWS_PACE; -1: none */
    uint64_t scaled_ms;    /* mono time of the first report behind the last
                              change of scale or position; 0: none yet */
    int64_t scaled_at_ms;  /* its position */
    int64_t shift_s;       /* its clock minus ours, in the offer */
};

/* Key frames that are asked for; see keyframe.c. */
struct session_key {
    uint64_t asked_ms; /* the last order; 0: none yet */
    uint64_t seen;     /* key frames, as the edge last told */
    bool awaited;      /* it is not known yet what came of that order */
    uint8_t in_vain;   /* orders in a row that nothing came of */
};

#define SESSION_EVIDENCE 320
#define SESSION_CALL_ID 96
#define SESSION_NOTE 120

struct session {
    struct handle handle;
    struct list in_all, in_device, dirty;
    struct device *device; /* NULL: removed; only CLOSING and GONE then */
    unsigned news;
    char device_text[PLATFORM_ID_MAX], channel[PLATFORM_ID_MAX];
    uint8_t device_len, channel_len;
    uint8_t stream;
    uint8_t kind;  /* enum platform_session_kind */
    struct session_playback playback;
    struct session_key key;
    enum platform_session_state state;
    enum platform_step step;
    enum session_phase phase;
    unsigned loop;
    bool is_auto;  /* the caller left the transport to us */
    bool open;     /* the edge has an OPEN without its CLOSED or REFUSED */
    bool ordered;  /* the OPEN has been fetched */
    bool closing;  /* the CLOSE has been ordered */
    bool port_lent;
    bool shared;   /* its port is that of all */
    bool watched;  /* somebody came, or stayed, when it played already */
    bool packet;   /* media has come since the INVITE */
    bool had_key;  /* has played in this open port, maybe before a re-INVITE */
    bool had_sound; /* the same of a sound without pictures */
    uint64_t packets_before; /* that INVITE */
    bool held;     /* WAITING for a packet of the device, or retry_at */
    bool away;     /* WAITING for the device, which is offline, or retry_at */
    bool ssrc_any, answered, minimal;
    bool ssrc_odd; /* media has another one than agreed */
    unsigned tried;
    unsigned restarts; /* since it last played for long */
    unsigned refusals; /* ports that could not be opened */
    enum platform_transport transport;
    uint16_t port;
    uint32_t offered_ssrc; /* lent from the pool, 0: none */
    uint32_t ssrc;         /* as agreed */
    struct gb_addr from, connect;
    struct gb_addr invited; /* where the last INVITE went */
    enum ps_codec video_hint, audio_hint;
    uint64_t dialog;
    uint64_t dialog_key;   /* the owner stores it so; 0: it does not */
    unsigned sip_status;
    char call_id[SESSION_CALL_ID];
    uint8_t call_id_len;
    char evidence[SESSION_EVIDENCE];
    uint16_t evidence_len;
    const char *hint;
    char note[SESSION_NOTE]; /* the edge's view of odd media, once told */
    uint8_t note_len;
    struct gb_time started;
    uint32_t step_ms[PLATFORM_STEP_COUNT];
    uint32_t consumers;
    enum ps_codec video, audio;
    uint32_t width, height;
    uint64_t packets, bytes, lost, foreign;
    struct timerq_node timer;
    /* deadlines, GB_NEVER when not running */
    uint64_t answer_at, packet_at, tcp_at, program_at, key_at, silence_at,
        idle_at, retry_at, closed_at, reconnect_at, drained_at, anew_at;
    uint64_t answered_ms, playing_ms;
};

/* A dialog that may still live in a device. */
struct kept_dialog {
    struct handle handle; /* names its BYE; id 0: no BYE is on its way */
    struct list node;     /* in p->kept_dialogs while kept, or, when its BYE
                             has been answered, in p->answered_dialogs */
    struct list closed;   /* in p->closed_dialogs: to be told CLOSED */
    bool kept;
    uint64_t key; /* the owner has it stored so until CLOSED; 0: it has not */
    bool due; /* its BYE has not gone out: over TCP it waits for the device's
                 new connection, otherwise for memory */
    bool answered;        /* the device knows that it is over */
    bool goes_on, again;  /* its media still come; it had a BYE for that */
    uint64_t session;     /* whose it was; 0: an earlier process's */
    struct timerq_node timer; /* of an answered one: forgotten then */
    struct sip_dialog_state state; /* slices into text */
    struct slice device;  /* likewise; empty: an earlier process began it */
    struct slice channel, contact; /* users of the URIs: called, and answered */
    struct sip_peer peer;
    char text[];
};

/* ---- strangers ---- */

struct source;  /* guard.c */

/* What one id did from one source: a row of a table that forgets. */
struct attempts {
    uint64_t key;       /* hash of both; 0: free */
    uint64_t used_ms;
    uint64_t until_ms;  /* no password is checked before */
    uint16_t failures;  /* wrong passwords since the last right one */
    uint16_t challenges; /* without an answer */
};

/* Strangers that were turned away since the last line about them. */
struct stranger_summary {
    uint64_t n, due_ms;
    struct platform_counters before;
    struct gb_addr peer; /* of the last scanner, or the first of them */
    char user[PLATFORM_ID_MAX], agent[48];
};

#define PENDING_REASON 160

struct pending {
    struct map_node by_id; /* key: the id, in p->pending_ids */
    struct list node;      /* in p->knocked, newest first, or p->unused */
    char id[PLATFORM_ID_MAX];
    uint8_t id_len;
    char user_agent[64];
    uint8_t user_agent_len;
    char reason[PENDING_REASON];
    uint8_t reason_len;
    struct sip_peer peer;
    int64_t first_utc_ms, last_utc_ms;
    uint32_t tries;
};

struct queued; /* actions.c */

struct platform {
    const struct gb_alloc *alloc;
    struct sip_stack *sip;
    struct platform_config cfg; /* defaults filled in, pointers ours */
    struct slice id, realm, password;
    char *strings;              /* memory of the three */
    struct gb_time now;
    uint64_t seed[2];
    uint64_t random;            /* state of platform_random */
    struct sip_nonce_key nonce_key;
    struct {                    /* the HA2 of the last REGISTER */
        struct sip_ha2 ha2;
        uint8_t alg;            /* its base; OTHER: none yet */
        uint8_t uri_n;
        char uri[96];
    } asked;
    struct {                    /* the last Date header */
        int64_t utc_ms;
        int zone_s;
        uint8_t n;              /* 0: none yet */
        char text[40];
    } date;
    uint64_t nonce_s;           /* second of the last nonce made */
    uint16_t nonce_salt;        /* made in it */
    struct timerq timers;
    uint64_t began_ms;          /* mono time of platform_new */
    struct idmap handles;
    struct manscdp_assemblies *assemblies;
    char *arena;                /* PLATFORM_ARENA bytes */

    struct map devices, channels;
    struct intern texts;        /* of the devices */
    struct history_causes causes;
    struct map peers;           /* devices by where they are bound */
    struct map sites;           /* devices by gb_addr_site */
    struct device **by_id;      /* in id order up to n_sorted, then as they
                                   came; devices_sort puts all in order */
    size_t n_devices, cap_devices, n_sorted, n_online;
    size_t n_sessions;
    uint32_t sn;
    struct bucket returns;      /* devices that came online of late */
    uint32_t crowd;
    uint64_t crowd_ms;

    struct list dirty_devices, dirty_channels, done_devices, dirty_sessions;
    struct list queue;          /* struct queued */
    size_t n_queued;
    struct queued *told;        /* given out last: freed with the next call */
    char *told_detail;          /* likewise */
    struct session *gone;       /* likewise */
    struct platform_channel told_channel;
    char scratch[1024];         /* text of the action given out */
    char refused[SESSION_EVIDENCE]; /* evidence of a live_start that failed */
    struct bucket log_bucket;
    uint64_t log_dropped;

    struct port_pool ports;
    uint16_t shared_port; /* 0: there is none */
    bool share_always;
    struct ssrc_pool ssrcs;
    struct commands commands;
    struct ptz_moves moves;
    struct duties duties;
    struct channel_sets_table sets;
    struct upgrades upgrades;
    struct records_table records;
    struct downloads downloads;
    struct list sessions; /* all, oldest first */
    struct list voices, dirty_voices; /* struct voice_call; all oldest first */
    size_t n_voices;
    struct voice_call *gone_voice; /* told: freed with the next action */
    struct list kept_dialogs, closed_dialogs, answered_dialogs;
    struct list trials; /* doctor.c */
    size_t n_trials;
    size_t n_kept_dialogs, n_due_dialogs, n_byes; /* BYEs on their way */
    size_t n_answered_dialogs;
    bool draining;

    struct source *sources;
    struct attempts *attempts;
    struct bucket strangers, registers, stray_notifies;
    struct stranger_summary summary;
    struct pending *pending;
    struct map pending_ids;
    struct list knocked, unused;
    void *lists;                /* memory of the lists in cfg */
    struct list groups;         /* in name order */
    struct list gone_groups;    /* removed, the owner is to be told */
    size_t n_groups, n_group_news;
    uint64_t last_alarm;        /* its id */
    struct platform_counters counters;
};

/* To look at; there always is one. */
static inline const struct query *device_query(const struct device *d)
{
    static const struct query none;

    return d->query ? d->query : &none;
}

/* Likewise. */
static inline const struct rare *device_rare(const struct device *d)
{
    static const struct rare none;

    return d->rare ? d->rare : &none;
}

static inline struct slice device_id(const struct device *d)
{
    return map_key(&d->by_id);
}

static inline const struct about *device_about(const struct device *d)
{
    static const struct about none;

    return d->about ? d->about : &none;
}

static inline bool device_has_noted(const struct device *d, enum deviation v)
{
    return device_about(d)->noted >> v & 1;
}

static inline struct slice device_text(const struct device *d,
                                       enum device_text which)
{
    return intern_text(which == DEVICE_USER_AGENT
                           ? d->user_agent
                           : device_about(d)->text[which - DEVICE_NAME]);
}

static inline struct slice session_device(const struct session *s)
{
    return slice_of(s->device_text, s->device_len);
}

static inline struct slice session_channel(const struct session *s)
{
    return slice_of(s->channel, s->channel_len);
}

/* ---- platform.c ---- */

uint64_t platform_random(struct platform *p);
/* from <= result < to */
uint64_t platform_random_in(struct platform *p, uint64_t from, uint64_t to);
uint32_t platform_next_sn(struct platform *p);
/* A copy with a NUL behind it; p NULL when there is no memory or s is empty. */
struct slice platform_copy(struct platform *p, struct slice s);

/* ---- actions.c ---- */

/* One line, key=value, for the operator. Lines that peers cause go through
 * platform_log_peer, which limits them. Use writer_log for peer bytes. */
void platform_log(struct platform *p, enum platform_level level,
                  const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void platform_log_peer(struct platform *p, enum platform_level level,
                       const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* Counts a tolerated fault and logs it the first time. detail may be empty. */
/* peer: who is to blame, when that is not the SIP address. */
void device_deviation_of(struct platform *p, struct device *d,
                         enum deviation v, struct slice detail,
                         const struct gb_addr *peer);
void device_deviation(struct platform *p, struct device *d, enum deviation v,
                      struct slice detail);
const char *deviation_text(enum deviation v);
/* Peer bytes, escaped and cut, as a C string in buf. */
#define LOG_TEXT_MAX 100
const char *log_text(struct slice s, char buf[static LOG_TEXT_MAX]);
void device_changed(struct platform *p, struct device *d, unsigned changes);
void channel_changed(struct platform *p, struct channel *c);
void session_news(struct platform *p, struct session *s, unsigned news);
void platform_queue_alarm(struct platform *p, const struct platform_alarm *a);
void platform_queue_position(struct platform *p,
                             const struct platform_position *at);
void platform_queue_ptz(struct platform *p, struct slice device,
                        struct slice channel, struct slice text);
void platform_queue_snapshot(struct platform *p, struct slice device,
                             struct slice text);
void platform_actions_fini(struct platform *p);

/* ---- devices.c ---- */

/* All of p->by_id in order. */
void devices_sort(struct platform *p);
struct device *device_find(const struct platform *p, struct slice id);
/* A new one, offline; NULL: limit or memory. */
struct device *device_add(struct platform *p, struct slice id);
/* Out of all tables; freed when the owner has been told. */
void device_drop(struct platform *p, struct device *d);
void device_delete(struct platform *p, struct device *d);
/* Its own one, to be written; made when there is none. NULL: no memory. */
struct about *device_about_own(struct platform *p, struct device *d);
struct rare *device_rare_own(struct platform *p, struct device *d);
/* May a message of this device make us look at each of its channels? A small
 * one costs a device with a hundred thousand nothing; false: it has had its
 * share, and what it says of all of them is left out. */
bool device_walks(struct platform *p, struct device *d);
bool device_set_text(struct platform *p, struct device *d,
                     enum device_text which, struct slice s);
/* Binds it to a peer: tables and dialogs follow. */
void device_bind(struct platform *p, struct device *d,
                 const struct sip_peer *peer);
void device_unbind(struct platform *p, struct device *d);
/* A device that was bound to this connection, which is gone; it stays bound,
 * and may come back on another one. NULL: there is none any more. */
struct device *device_lost(struct platform *p, uint64_t connection);
void device_online(struct platform *p, struct device *d, const char *reason,
                   bool ask);
void device_offline(struct platform *p, struct device *d, const char *reason);
/* Something valid came from its binding. */
void device_alive(struct platform *p, struct device *d);
void device_keepalive(struct platform *p, struct device *d);
void device_arm(struct platform *p, struct device *d);
void device_on_timer(struct platform *p, struct device *d);
/* May this peer speak for the device? Sets *moved when only the port is new. */
bool device_admits(const struct platform *p, const struct device *d,
                   const struct sip_peer *from, bool *moved);
/* A device that is bound to exactly this peer, or to this source: the one
 * bound last; NULL. */
struct device *device_bound_to(const struct platform *p,
                               const struct sip_peer *peer);
struct device *device_at(const struct platform *p, const struct gb_addr *source);
/* The next older one at the same source, or NULL. */
struct device *device_at_next(const struct device *d);
struct manscdp_dialect device_dialect(const struct device *d);

/* ---- channels.c ---- */

struct channel *channel_find(const struct platform *p, const struct device *d,
                             struct slice id);
/* Adds or changes it. Empty texts of `in` erase only if `whole`. NULL: limit
 * or memory (then the old one stays). */
struct channel *channel_upsert(struct platform *p, struct device *d,
                               const struct platform_channel *in, bool whole);
void channel_drop(struct platform *p, struct channel *c);
/* Those that this run of the catalog did not list are no longer there. */
void channels_sweep(struct platform *p, struct device *d, uint32_t run);
/* Its memory; it is in no table any more. */
void channel_free(struct platform *p, struct channel *c);
/* What its item says beside the texts above, for the owner to keep: told if it
 * is news. Without memory it stays news. */
void channel_detail(struct platform *p, struct channel *c, struct slice text);
/* What came of asking it for a picture; step: the link that broke. */
void channel_observe(struct platform *p, struct channel *c,
                     enum platform_observed o, enum platform_step step);
struct slice channel_text(const struct channel *c, enum channel_text which);
void channel_view(const struct channel *c, struct platform_channel *out);

/* ---- outgoing.c ---- */

/* The fields of a request to a device that all of them share; texts are in
 * `store`, which must live until the request is sent. target: user of
 * Request-URI and To. */
struct outgoing {
    struct sip_request r;
    char text[512];
};
int outgoing_init(struct outgoing *o, const struct platform *p,
                  const struct device *d, struct slice target,
                  enum sip_method method);
/* The same to another place than the device's way; host: of Request-URI. */
int outgoing_init_at(struct outgoing *o, const struct platform *p,
                     const struct sip_peer *peer, const struct gb_addr *host,
                     struct slice target, enum sip_method method);
/* A MANSCDP MESSAGE to a device. */
int device_message(struct platform *p, struct device *d, struct slice body,
                   uint64_t user, uint64_t *transaction);
/* Our address as this peer is to know it: signalling, and media. */
struct gb_addr platform_contact_addr(const struct platform *p,
                                     const struct sip_peer *peer);
struct gb_addr platform_media_addr(const struct platform *p,
                                   const struct sip_peer *peer);

/* ---- way.c ---- */

/* contact: of its REGISTER, NULL when it had none. true: it is where the
 * message came from, so no NAT is between us. */
bool way_learn(struct platform *p, struct device *d,
               const struct sip_addr *contact, const struct sip_peer *peer);
/* Where a request to it goes, and the host of its Request-URI. */
struct sip_peer way_of(const struct device *d);
const struct gb_addr *way_uri(const struct device *d);
/* What came of a request to it, or that nothing came of one to this address. */
void way_note(struct platform *p, struct device *d, const struct sip_event *ev);
void way_silent(struct platform *p, struct device *d, const struct gb_addr *to);

/* ---- admit.c ---- */

bool admit_net_allowed(const struct platform *p, const struct gb_addr *a);
bool admit_id_allowed(const struct platform *p, struct slice id);
/* The line about strangers, when it is due. */
void admit_summary(struct platform *p);

/* ---- nat.c ---- */

/* When the device's NAT wants traffic, GB_NEVER; part of device_arm. */
uint64_t nat_due_ms(const struct platform *p, const struct device *d);
void nat_on_timer(struct platform *p, struct device *d);
/* Its unanswered INVITE is worth waiting with. */
bool nat_holds(const struct session *s);
/* A packet came from where the device is bound: INVITEs that waited go out. */
void nat_heard(struct platform *p, struct device *d);

/* ---- guard.c: strangers ---- */

int guard_init(struct platform *p);
void guard_fini(struct platform *p);
/* false: this source has spent its unauthenticated messages. */
bool guard_allows(struct platform *p, const struct gb_addr *source);
bool guard_is_banned(struct platform *p, const struct gb_addr *source);
/* A wrong password; the ban that follows in seconds, 0: none. */
uint32_t guard_failed(struct platform *p, const struct gb_addr *source);
/* Wrong responses to nonces that are not ours ban nobody, since they may be
 * forged. false: there were so many that such responses are not looked at any
 * more; "stale" would tell whether a guess was right. */
bool guard_may_guess(struct platform *p, const struct gb_addr *source);
void guard_guessed(struct platform *p, const struct gb_addr *source);
/* The right one: n messages are given back, so that a site with many devices
 * logs all of them in. */
void guard_proved(struct platform *p, const struct gb_addr *source, unsigned n);
/* The key of what this id did at this source; its row is brought near. */
uint64_t guard_ahead(const struct platform *p, struct slice id,
                     const struct gb_addr *source);
/* That row; a new one when there is none. */
struct attempts *guard_attempts(struct platform *p, uint64_t key);
/* After a wrong password: how long no other one is checked, ms. */
uint64_t guard_back_off_ms(const struct attempts *a);
void pending_note(struct platform *p, struct slice id, struct slice user_agent,
                  const struct sip_peer *peer, struct slice reason);
bool pending_forget(struct platform *p, struct slice id);
bool pending_has(const struct platform *p, struct slice id);

/* ---- settings.c ---- */

struct slice group_name(const struct group *g);
/* Empty: its group has none, or it is in no group. */
struct slice group_password(const struct device *d);
/* The policy of its group; NULL: it is in none. */
const struct platform_policy *group_policy(const struct device *d);
void device_settings_fini(struct platform *p, struct device *d);
void settings_fini(struct platform *p);
/* An action about a group, if there is one to tell. */
bool settings_news(struct platform *p, struct platform_action *out);

/* ---- registrar.c, messages.c ---- */

void registrar_request(struct platform *p, const struct sip_event *ev);
/* A request outside REGISTER. */
void messages_request(struct platform *p, const struct sip_event *ev);
/* Reads the user of a URI as an id into buf; false: it is none. */
bool platform_user(const struct sip_uri *uri, char buf[static PLATFORM_ID_MAX],
                   struct slice *id);
void platform_respond(struct platform *p, const struct sip_event *ev,
                      unsigned status);

/* ---- catalog.c ---- */

/* Asks after a pause; queries wanted twice are sent once. */
void query_want(struct platform *p, struct device *d, unsigned queries,
                uint64_t delay_ms);
/* The same for a device that was away for a while and has not registered: not
 * long behind a complete catalog, since flapping lines ask for the next one all
 * the time (field-note 3.13). */
void query_back(struct platform *p, struct device *d);
/* Whether catalogs have told something new since this was asked last. */
bool query_news(struct device *d);
/* When the first question is to be asked, GB_NEVER; part of device_arm. Those
 * that follow have a timer of their own. */
uint64_t query_due_ms(const struct device *d);
/* Asks it, if it is due. */
void query_begin(struct platform *p, struct device *d);
/* Nothing is asked any more: offline, removed. */
void query_stop(struct platform *p, struct device *d);
void query_free(struct platform *p, struct device *d);
void query_on_timer(struct platform *p, struct device *d);
void query_on_response(struct platform *p, struct device *d, unsigned status);
void query_on_catalog(struct platform *p, struct device *d,
                      const struct manscdp_msg *msg, struct arena *a);
/* counted: the profile knows of this answer already. */
void query_on_info(struct platform *p, struct device *d,
                   const struct manscdp_msg *msg, bool counted);
/* After every input: what the assembly has to say. */
void query_events(struct platform *p);
uint64_t query_jitter(struct platform *p);

/* ---- takeover.c: of a device that starts anew while somebody watches ---- */

/* It is offline: its sessions wait for it, or end. */
void sessions_of_device_away(struct platform *p, struct device *d,
                             const char *why);
void sessions_of_device_back(struct platform *p, struct device *d);
/* It has registered as if it had just started, and was not offline. */
void sessions_of_device_anew(struct platform *p, struct device *d);
/* Some time behind that: do media go on? */
void session_look_anew(struct platform *p, struct session *s);

/* ---- dialogs.c: ended ones that may live on in a device ---- */

/* BYE or CANCEL for the session's dialog; it has none from here. */
void session_end_dialog(struct platform *p, struct session *s);
/* Its BYE has been answered, or given up. */
void dialog_on_bye(struct platform *p, struct kept_dialog *k,
                   const struct sip_event *ev);
/* Media of an ended session still come: one more BYE, once. */
void dialogs_media_after(struct platform *p,
                         const struct platform_media_event *ev);
void dialog_on_timer(struct platform *p, struct timerq_node *n);
/* BYEs for all that may still live in this device. */
void dialogs_end(struct platform *p, const struct device *d);
/* If there is a way to the device: the BYEs that waited for that. */
void dialogs_end_due(struct platform *p, const struct device *d);
void dialogs_fini(struct platform *p);

/* ---- keyframe.c ---- */

/* A key frame is needed: asks the device, unless that was lately or is known to
 * be in vain. */
void keyframe_want(struct platform *p, struct session *s);
/* So many have come in all, as the edge says. */
void keyframe_count(struct platform *p, struct session *s, uint64_t keys);

/* ---- sessions.c: life; session_sip.c: dialog; session_media.c ---- */

/* What somebody wants to see. */
struct session_wish {
    struct slice device, channel; /* device empty: the channel's only owner */
    unsigned stream;
    enum platform_transport transport;
    enum platform_session_kind kind;
    struct platform_playback playback; /* unless LIVE */
};
/* A running live one serves all who want it. As platform_live_start. */
int session_start(struct platform *p, const struct session_wish *w,
                  struct platform_session *out);
/* For a wish that never became a session; returns err. */
int session_refused(struct platform *p, struct platform_session *out,
                    const struct session_wish *w, int err,
                    enum platform_step step, const char *hint,
                    const char *fmt, ...)
    __attribute__((format(printf, 7, 8)));
/* false: no SSRC is free, and the session has failed. */
bool session_take_ssrc(struct platform *p, struct session *s);
void session_free(struct platform *p, struct session *s);
void session_on_timer(struct platform *p, struct session *s);
void session_arm(struct platform *p, struct session *s);
void session_set_step(struct platform *p, struct session *s,
                      enum platform_step step);
/* Ends it; evidence is made with printf, hint is static. */
void session_fail(struct platform *p, struct session *s,
                  enum platform_step step, const char *hint, const char *fmt,
                  ...) __attribute__((format(printf, 5, 6)));
void session_stop(struct platform *p, struct session *s);

/* ---- playback.c: recordings ---- */

/* A recording that plays, and of which nothing more is to come: the device has
 * said so, or its last second is there. */
bool playback_is_over(const struct session *s);
/* How long it is kept with nobody watching. */
uint64_t playback_idle_ms(const struct platform *p, const struct session *s);
/* All has come: BYE. */
void playback_complete(struct platform *p, struct session *s);
/* MediaStatus 121: what is on its way may still come. */
void playback_ending(struct platform *p, struct session *s);
/* Its dialog is over, but not what is on its way; why: a literal. false: it does
 * not play, or is none. */
bool playback_hung_up(struct platform *p, struct session *s, const char *why);
/* Nothing more comes behind one of these. */
void playback_drained(struct platform *p, struct session *s);
/* The recording of this device that a MediaStatus means; NULL: none. */
struct session *playback_of(struct platform *p, struct device *d,
                            const struct sip_event *ev, struct slice id);
/* An answer to a control. false: it is none. */
bool playback_on_sip(struct platform *p, struct session *s,
                     const struct sip_event *ev);
/* What the media loop reports of it; more: packets have come. */
void playback_on_media(struct platform *p, struct session *s,
                       const struct platform_media_event *ev, bool more);
/* ---- voice.c, voice_sip.c ---- */

struct voice_call;
/* The one of this device that is not over; NULL. */
struct voice_call *voice_of(const struct platform *p, const struct device *d);
/* An INVITE of this device that is about a voice is answered; false: it is not,
 * and nothing is. */
bool voice_on_invite(struct platform *p, struct device *d,
                     const struct sip_event *ev);
/* Response to a Broadcast. */
void voice_on_response(struct platform *p, struct device *d,
                       const struct manscdp_msg *msg);
void voice_on_sip(struct platform *p, struct handle *h,
                  const struct sip_event *ev);
void voice_on_media(struct platform *p, struct handle *h,
                    const struct platform_media_event *ev);
void voice_on_timer(struct platform *p, struct timerq_node *n);
void voices_of_device_end(struct platform *p, struct device *d,
                          const char *why, bool removed);
void voices_of_device_move(struct platform *p, struct device *d);
void voices_end(struct platform *p, const char *why);
void voices_fini(struct platform *p);
bool voices_news(struct platform *p, struct platform_action *out);
void voices_take_back(struct platform *p);

/* Whoever watches: of this device, because it is gone. */
void sessions_of_device_end(struct platform *p, struct device *d,
                            const char *why);
void session_offline(struct platform *p, struct session *s, const char *why);
void sessions_of_device_move(struct platform *p, struct device *d);
/* Media is gone but somebody watches: invite again after a pause. */
void session_restart(struct platform *p, struct session *s, uint64_t in_ms);
void session_closed(struct platform *p, struct session *s);
void session_give_ssrc(struct platform *p, struct session *s);
int session_take_port(struct platform *p, struct session *s);
/* The shared port cannot tell its media apart: once, a port of its own. false: it
 * has one, or there is none. */
bool session_retry_own_port(struct platform *p, struct session *s);
/* Another session of the shared port has this SSRC. */
bool session_ssrc_is_taken(const struct platform *p, const struct session *s,
                           uint32_t ssrc);
const char *transport_text(enum platform_transport t);

/* By its handle, NULL: there is none any more. */
struct session *session_find(const struct platform *p, uint64_t id);
void session_invite(struct platform *p, struct session *s);
void session_on_sip(struct platform *p, struct session *s,
                    const struct sip_event *ev);
enum platform_transport device_transport(const struct device *d);
/* Ends what there is and invites with this transport. */
void session_retry_transport(struct platform *p, struct session *s,
                             enum platform_transport t);
/* Waits for the device, ms at most, and tries once more then in any case. */
void session_hold(struct platform *p, struct session *s, uint64_t ms);
/* INVITE once more, into the open port, with an SSRC of its own. */
void session_reinvite(struct platform *p, struct session *s);
/* The link of the chain that has to come next. */
enum platform_step session_awaited(const struct session *s);
void session_no_media(struct platform *p, struct session *s);
void session_no_program(struct platform *p, struct session *s);
void session_no_key(struct platform *p, struct session *s);
/* What to try when program or codec do not come. */
const char *session_media_hint(enum platform_step awaited);
void session_began_media(struct platform *p, struct session *s);
void session_no_answer(struct platform *p, struct session *s);
/* BYE, or the media connection closed: again if somebody watches. */
void session_ended_by_device(struct platform *p, struct session *s,
                             const char *what);

/* ---- doctor.c ---- */

/* A session ends: how far it came is remembered. */
void doctor_note(struct platform *p, const struct session *s);
/* What is remembered of a device; empty: of all. */
void doctor_forget(struct platform *p, struct slice device);
#endif
