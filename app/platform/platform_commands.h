/* app/platform/platform_commands.h - questions and orders to devices,
 * subscriptions, and what is armed. */
#ifndef APP_PLATFORM_PLATFORM_COMMANDS_H
#define APP_PLATFORM_PLATFORM_COMMANDS_H

#include "app/platform/platform_base.h"
#include "app/platform/platform_devices.h"
#include "manscdp/ptz.h"
#include "manscdp/schema.h"

/* What became of a question or an order to a device. 200 says that it arrived
 * and nothing more. */
#define PLATFORM_COMMAND_STATE_MAP(X)                                          \
    X(QUEUED,   "queued")   /* the device answers another one first */         \
    X(SENT,     "sent")                                                        \
    X(ARRIVED,  "arrived")  /* 200; its Response is awaited, or none is due */ \
    X(REFUSED,  "refused")  /* a SIP error, or Result ERROR */                 \
    X(ANSWERED, "answered")                                                    \
    X(SILENT,   "silent")   /* no 200, or no Response behind it */

enum platform_command_state {
#define X(id, name) PLATFORM_COMMAND_##id,
    PLATFORM_COMMAND_STATE_MAP(X)
#undef X
    PLATFORM_COMMAND_STATES
};
const char *platform_command_state_name(enum platform_command_state s);
/* PLATFORM_COMMAND_STATES: it is none. */
enum platform_command_state platform_command_state_by_name(struct slice name);

/* ---- commands ------------------------------------------------------------ */

#define PLATFORM_COMMANDS_MAX 1000  /* remembered, the newest */
#define PLATFORM_COMMANDS_OPEN 256  /* waiting for an answer at one time */
#define PLATFORM_COMMANDS_QUEUE 16  /* of them for one device */
#define PLATFORM_COMMAND_TRIES 2    /* of those that may be repeated */
#define PLATFORM_QUEUE_MS 60000     /* a command waits for others so long */
#define PLATFORM_ANSWER_MS 600000   /* and is over after so long, at the latest */
#define PLATFORM_REFRESH_MS 3600000 /* the same of a catalog, which may be long */
#define PLATFORM_COMMAND_BODY 4096  /* bytes of one, as it is sent */
#define PLATFORM_COMMAND_ANSWER (256u << 10) /* bytes of JSON of one */
#define PLATFORM_COMMAND_ANSWERS (8u << 20)  /* of all; the oldest go first */

struct platform_command {
    uint64_t id;
    struct slice device, target; /* target: DeviceID of the body */
    struct slice cmd, sub;       /* "DeviceControl", "GuardCmd" */
    enum platform_command_state state;
    bool is_final;      /* nothing more is waited for; a late answer may come */
    bool partial;       /* ANSWERED, but not with all that was announced */
    bool late;          /* ANSWERED after it had been given up */
    bool cut;           /* answer is not all that came: too long, or too old */
    unsigned tries, sip_status, messages;
    uint32_t sn, have, sum; /* items of an answer in many messages */
    int64_t asked_utc_ms, sent_utc_ms, arrived_utc_ms, answered_utc_ms;
    uint64_t ends_ms;       /* mono: it is final by then, whatever comes */
    struct slice evidence;  /* why it is as it is, for a person */
    struct slice answer;    /* JSON: its Responses, commas between; or empty */
};

/* A query, an order or a setting, by its codec (manscdp/bodies.h). */
struct platform_order {
    struct slice device, target; /* target empty: the device itself */
    enum manscdp_root root;      /* QUERY or CONTROL */
    enum manscdp_cmd cmd;
    const struct manscdp_body *body; /* NULL: no elements of its own */
    void *in;                    /* its struct; SN and DeviceID are set here */
    const struct xml_node *more; /* elements that no table has, behind it */
    unsigned edition;            /* 0: the device's, else 1 + enum
                                    manscdp_edition */
    bool may_repeat;             /* though its row does not say so */
};

/* Sends it, or queues it behind another one to the same device. GB_ENOENT (no
 * such device), GB_ESTATE (offline), GB_ESYNTAX (no such command, a bad target,
 * or a Catalog), GB_EUNSUPPORTED (not in the edition), GB_ERANGE (see
 * manscdp_body_fault), GB_ELIMIT, GB_ENOMEM. */
int platform_command_send(struct platform *p, const struct platform_order *o,
                          struct gb_time now, uint64_t *id);
/* How a device is written to. GB_ENOENT. */
int platform_device_dialect(const struct platform *p, struct slice id,
                            struct manscdp_dialect *out);
/* A PTZCmd. A movement (MOVE or LENS with a direction) goes on until it is
 * stopped; the same once more renews it, and is not sent again each time (*id
 * is that of the first), another one replaces it, and after ptz_hold_ms
 * without either it is stopped. name: of a preset that is set, or of a cruise
 * (2022), or empty. Errors of platform_command_send; GB_ELIMIT: too many
 * channels move; GB_ERANGE: see manscdp_ptz_write. */
struct platform_ptz {
    struct slice device, channel;
    struct manscdp_ptz command;
    struct slice name;
};
int platform_ptz(struct platform *p, const struct platform_ptz *r,
                 struct gb_time now, uint64_t *id);
/* Ends whatever moves, whoever began it. If it cannot be sent now it will be,
 * when the device is back. */
int platform_ptz_stop(struct platform *p, struct slice device,
                      struct slice channel, struct gb_time now, uint64_t *id);
/* platform_device_refresh, with a command that tells what becomes of the
 * catalog; *id 0: there was no room for one, the device is asked all the same. */
int platform_command_refresh(struct platform *p, struct slice device,
                             struct gb_time now, uint64_t *id);
bool platform_command_view(const struct platform *p, uint64_t id,
                           struct platform_command *out);
/* The newest one before `before` (0: the newest of all); false: no more. */
bool platform_command_before(const struct platform *p, uint64_t before,
                             struct platform_command *out);

/* What is armed. */
#define PLATFORM_DUTIES_MAX 20000
#define PLATFORM_DEVICE_DUTIES_MAX 512 /* of them, so that one leaves room */
struct platform_duty {
    struct slice target;  /* the device, a channel or an alarm input */
    const char *duty;     /* "ONDUTY", "OFFDUTY", "ALARM" */
    const char *from;     /* "GuardCmd", "DeviceStatus" */
    int64_t utc_ms;
};
/* i from 0, in the order they became known. */
bool platform_duty_at(const struct platform *p, struct slice device, size_t i,
                      struct platform_duty *out);

/* ---- subscriptions ------------------------------------------------------ */

enum platform_subscription_state {
    PLATFORM_SUBSCRIPTION_NONE,    /* the device is offline */
    PLATFORM_SUBSCRIPTION_WAITING, /* to be asked for at next_utc_ms */
    PLATFORM_SUBSCRIPTION_ASKING,
    PLATFORM_SUBSCRIPTION_ACTIVE,
    PLATFORM_SUBSCRIPTION_REFUSED, /* not asked for again before next_utc_ms */
};

struct platform_subscription {
    struct slice device;
    enum platform_subscription_kind kind;
    enum platform_subscription_state state;
    unsigned status;        /* the last final answer of the device; 0: none */
    const char *reason;     /* why it is not active; "": nothing to tell */
    uint32_t notifies;
    int64_t expires_utc_ms; /* as granted; 0: not active */
    int64_t next_utc_ms;    /* asked or refreshed then; 0: not */
};

/* Those of one device that are wanted; their number. */
size_t platform_subscriptions_of(
    const struct platform *p, struct slice device,
    struct platform_subscription out[static PLATFORM_SUBSCRIPTION_KINDS]);
const char *platform_subscription_name(enum platform_subscription_kind k);
const char *
platform_subscription_state_name(enum platform_subscription_state s);
#endif
