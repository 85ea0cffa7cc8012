/* app/platform/commands.h - what is asked of devices, and what becomes of it
 *
 *     QUEUED ──► SENT ──200──► ARRIVED ──Response──► ANSWERED
 *                 │              │      ──ERROR────► REFUSED
 *                 │ error        │ nothing
 *                 ▼              ▼
 *              REFUSED         SILENT ──a late Response──► ANSWERED
 *
 * One question at a time to one device, and beside it one order that gets a
 * Response; those that get none do not wait. What may be repeated is sent once
 * more when nothing comes. Each is over after PLATFORM_ANSWER_MS, or
 * PLATFORM_REFRESH_MS, whatever the device does. */
#ifndef APP_PLATFORM_COMMANDS_H
#define APP_PLATFORM_COMMANDS_H

#include "app/platform/platform.h"
#include "base/timerq.h"
#include "base/list.h"
#include "manscdp/assembly.h"
#include "manscdp/msg.h"

struct device;
struct command;

struct commands {
    struct command **ring; /* by id % PLATFORM_COMMANDS_MAX; NULL: none yet */
    uint64_t next;         /* id of the next one */
    struct list open;      /* not final, oldest first */
    struct list dirty;     /* the owner is to be told */
    size_t n_open;
    size_t answer_bytes;   /* of all */
    uint64_t first_answer; /* no older one has its answer */
};

/* Writes one whole body: ctx is the codec's own, valid during the call. */
typedef int command_encode_fn(void *ctx, struct writer *w,
                              const struct manscdp_dialect *d, uint32_t sn,
                              struct slice target);

struct command_order {
    struct slice target; /* DeviceID of the body; empty: the device itself */
    const struct manscdp_row *row; /* what comes back, and when */
    command_encode_fn *encode;
    void *ctx;
    unsigned edition;     /* as in platform_order */
    bool may_repeat;      /* though the row does not say so */
    uint32_t once_ms;     /* one try, which is waited for so long; 0: as the
                             row says */
    uint8_t ptz;          /* 0, else 1 + enum ptz_kind of what moves or stops */
    bool moves;           /* it does not stop */
    uint8_t guard;        /* of GuardCmd, MANSCDP_GUARD_SET or _RESET */
    unsigned types;       /* ConfigDownload: bits of the types asked for */
};

/* For every command that has a codec. Errors of platform_command_send, and
 * what encode says. */
int command_start(struct platform *p, struct device *d,
                  const struct command_order *o, uint64_t *id);

void commands_init(struct commands *c);
void commands_fini(struct platform *p);
void command_on_sip(struct platform *p, uint64_t handle,
                    const struct sip_event *ev);
void command_on_timer(struct platform *p, struct timerq_node *timer);
/* This order of DeviceControl has been given and is not over. */
bool command_is_open(const struct platform *p, struct slice device,
                     struct slice target, struct slice sub);
/* A body of this device; true: a command was waiting for it, or had been. */
bool commands_on_message(struct platform *p, struct device *d,
                         const struct manscdp_msg *msg);
/* A body of the device could not be read: it may be the answer to what waits. */
void commands_on_unread(struct platform *p, struct device *d);
/* false: the event is not about a command. */
bool commands_on_assembly(struct platform *p,
                          const struct manscdp_assembly_event *ev);
/* How the catalog query of a device goes, for the refreshes that wait for it.
 * why: for a person, NULL: nothing to say. A final state ends them. */
void commands_follow(struct platform *p, struct device *d,
                     enum platform_command_state state, const char *why);
/* An action about a command, if there is one to tell. */
bool commands_news(struct platform *p, struct platform_action *out);
#endif
