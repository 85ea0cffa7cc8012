/* app/platform/rules.h - what is done when an alarm comes
 *
 * A rule says which alarms it is for, and what follows: a recording, a preset, a
 * picture, a call of a webhook. No sockets, no clock: whoever has those walks
 * over what an alarm leads to, does it, and tells how it went:
 *
 *     while (rules_next(r, &walk, alarm, now, &due))
 *         rules_told(r, due.rule, why);
 *
 * A camera that raises alarms without end does not turn without end: a rule is
 * not followed again for the same place within `every_s`, and all of them
 * together no more than RULES_RATE times a second. */
#ifndef APP_PLATFORM_RULES_H
#define APP_PLATFORM_RULES_H

#include "app/platform/platform.h"

#define RULES_MAX 256
#define RULES_NAME_MAX 64
#define RULES_VALUE_MAX 64      /* bytes of one text of a rule */
#define RULES_EVERY_S 10        /* where it does not say */
#define RULES_EVERY_MAX_S 86400
#define RULES_RECORD_MAX_S 3600
#define RULES_PLACES 1024       /* of alarms that were followed, remembered */
#define RULES_RATE 20           /* followed in a second, all of them, */
#define RULES_BURST 100         /* and so many at once */
#define RULES_WHY_MAX 128       /* with its NUL */
#define RULES_LINES_MAX 1024    /* bytes of rules_write */

/* Texts: empty is any in `when`, and where the alarm is in `at`. */
struct rule {
    struct slice name;
    bool off;
    struct {
        struct slice device, group; /* it is of this device, of one of this group */
        struct slice channel;       /* its DeviceID */
        struct slice method, type;  /* as they come: "5", "1" */
        uint32_t priority;          /* this or a more urgent one, of which 1 is the
                                       most; 0: any */
    } when;
    struct {
        struct slice device, channel;
    } at; /* what is recorded, turned, photographed */
    uint32_t every_s; /* 0: RULES_EVERY_S */
    uint32_t record_s;
    uint32_t preset;  /* 1 to 255 */
    bool snapshot;
    struct slice webhook; /* its name */
};

struct rules;
/* p: for the groups of devices; it lives longer. 0 or GB_ENOMEM. */
int rules_new(struct rules **out, const struct gb_alloc *alloc,
              const struct platform *p);
void rules_free(struct rules *r); /* NULL is fine */

/* Adds it, or puts it in the place of the one of its name; copies. GB_ESYNTAX (a
 * name or text, a number, nothing to do), GB_ELIMIT, GB_ENOMEM: nothing has
 * changed then. */
int rules_set(struct rules *r, const struct rule *v);
int rules_remove(struct rules *r, struct slice name); /* GB_ENOENT */

struct rule_view {
    struct rule rule; /* valid until it is set or removed */
    uint64_t followed, held_back, failed;
    int64_t followed_utc_ms; /* last; 0: never */
    const char *why;         /* of the last failure; "": none */
};
bool rules_view(const struct rules *r, struct slice name,
                struct rule_view *out);
/* In the order of names; after empty: the first. */
bool rules_after(const struct rules *r, struct slice after,
                 struct rule_view *out);

/* Lines of "key=value", as they are stored; and back: borrows, GB_ESYNTAX. */
void rules_write(struct writer *w, const struct rule *v);
int rules_read(struct rule *out, struct slice name, struct slice lines);

/* ---- an alarm -------------------------------------------------------------- */

enum rules_action { RULES_RECORD, RULES_PRESET, RULES_SNAPSHOT, RULES_WEBHOOK,
                    RULES_ACTIONS };

struct rules_walk {
    size_t at; /* begins with zeros */
    unsigned action;
    bool follows; /* the rule at `at` */
};

struct rules_due {
    struct slice rule; /* valid as the alarm is, and while rules stay */
    enum rules_action action;
    struct slice device, channel; /* but of a webhook */
    uint32_t record_s, preset;
    struct slice webhook;
};
bool rules_next(struct rules *r, struct rules_walk *walk,
                const struct platform_alarm *alarm, struct gb_time now,
                struct rules_due *out);
/* How one went; why NULL: well. */
void rules_told(struct rules *r, struct slice rule, const char *why);
#endif
