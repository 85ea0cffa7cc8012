/* app/device/device_model.h - what a simulated camera remembers of what it was
 * told, for each DeviceID that commands name: a channel, or the device itself.
 * Made when it is first needed: most devices of a fleet are never told
 * anything. */
#ifndef APP_DEVICE_DEVICE_MODEL_H
#define APP_DEVICE_DEVICE_MODEL_H

#include "app/device/device_ptz.h"
#include "app/device/device_values.h"
#include "manscdp/device.h"
#include "manscdp/preset.h"

#define DEVICE_CARDS 2
#define DEVICE_CARD_MB 32768
#define DEVICE_CARD_FREE_MB 20480  /* of one that was never formatted */
#define DEVICE_FORMAT_MS 2000      /* how long formatting takes */
#define DEVICE_MANUAL_RECORDS 8    /* the newest are kept */
#define DEVICE_ALARMS 8            /* likewise */
#define DEVICE_SESSION_MAX 128     /* of a SessionID */
#define DEVICE_FIRMWARE_MAX 64
#define DEVICE_URL_MAX 511

struct device_span { /* of time */
    int64_t from_utc_ms, to_utc_ms; /* to: 0: it goes on */
};

struct device_target {
    struct device_target *next;
    size_t index; /* of the channel; as many as there are: the device */
    enum manscdp_duty duty; /* GuardCmd; UNKNOWN: never told */
    bool alarming;          /* until ResetAlarm */
    bool latched;           /* no method 2 alarm before ResetAlarm */
    bool recording;         /* RecordCmd */
    struct device_span record[DEVICE_MANUAL_RECORDS]; /* oldest first */
    size_t n_records;
    struct manscdp_home home; /* enabled.has: it was told one */
    unsigned tracking;      /* MANSCDP_TRACK_..; 0: never told */
    struct device_ptz ptz;
    struct device_values values;
};

struct device_card {
    uint64_t format_ms; /* it began to be formatted */
    bool was_formatted;
};

/* One that was raised, for queries of alarms. */
struct device_past_alarm {
    size_t channel;
    int64_t utc_ms;
    uint32_t sn;
    uint8_t method, type;
};

/* A job that ends with a notice: an upgrade, snapshots. */
struct device_job {
    uint64_t at_ms; /* the next step; GB_NEVER: none */
    char session[DEVICE_SESSION_MAX + 1];
    size_t target;
    uint32_t number; /* of snapshots */
    bool uploading;  /* until at_ms at the most */
    char url[DEVICE_URL_MAX + 1]; /* where to */
    char firmware[DEVICE_FIRMWARE_MAX + 1];
};

/* What only the device as a whole has. */
struct device_gear {
    struct device_card card[DEVICE_CARDS];
    struct device_past_alarm alarm[DEVICE_ALARMS]; /* oldest first */
    size_t n_alarms;
    char firmware[DEVICE_FIRMWARE_MAX + 1]; /* "": as it came */
    char name[DEVICE_PRESET_NAME + 1];      /* likewise; BasicParam */
    struct device_job upgrade, snapshot;
};

struct device_model {
    struct device_target *first;
    struct device_gear *gear; /* NULL: untouched */
};

void device_model_fini(struct device_model *m, const struct gb_alloc *alloc);

/* What is known of a target; NULL: nothing was ever said to it. */
struct device_target *device_model_find(const struct device_model *m,
                                        size_t index);
/* The same, made if need be; NULL: no memory. */
struct device_target *device_model_make(struct device_model *m,
                                        const struct gb_alloc *alloc,
                                        size_t index);
struct device_gear *device_model_gear(struct device_model *m,
                                      const struct gb_alloc *alloc);

/* RecordCmd: begins or ends a piece that was ordered. */
void device_target_record(struct device_target *t, bool on, int64_t utc_ms);

/* One card as it is now: its status and the percent of a formatting. */
const char *device_card_status(const struct device_card *c, uint64_t now_ms,
                               uint32_t *percent);
#endif
