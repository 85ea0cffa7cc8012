/* manscdp/notify.h - Keepalive and Alarm
 * (GB/T 28181-2022 A.2.5; signs of life, alarms and their answer)
 *
 * Decoders want the root and CmdType that their name says and give GB_ESYNTAX
 * otherwise; lists go to the arena of the message (GB_ENOMEM). Encoders
 * append one whole body and give 0 or the error of the writer. */
#ifndef MANSCDP_NOTIFY_H
#define MANSCDP_NOTIFY_H

#include "manscdp/msg.h"

#define MANSCDP_MAX_FAULTY 4096 /* sub-devices of one Keepalive */

/* Every Status is a sign of life; OFF announces going offline. */
enum manscdp_life {
    MANSCDP_LIFE_OK,    /* OK, ON, absent, unknown */
    MANSCDP_LIFE_ERROR, /* alive, but does not work normally */
    MANSCDP_LIFE_OFF
};

struct manscdp_keepalive {
    uint32_t sn;
    struct slice device_id;
    enum manscdp_life status; /* wherever Status stands in the body */
    const struct slice *faulty; /* ids of sub-devices that do not work */
    size_t n_faulty;
};

int manscdp_keepalive_decode(struct manscdp_keepalive *out,
                             const struct manscdp_msg *msg);
int manscdp_keepalive_encode(struct writer *w, const struct manscdp_dialect *d,
                             const struct manscdp_keepalive *k);

#define MANSCDP_ALARM_METHOD_DEVICE 2
#define MANSCDP_ALARM_METHOD_GPS 4
#define MANSCDP_ALARM_METHOD_VIDEO 5
#define MANSCDP_ALARM_METHOD_FAULT 6

/* The texts are as on the wire and empty when absent; encode writes them. The
 * numbers are read from them by decode, 0 when absent or not a number. */
struct manscdp_alarm {
    uint32_t sn;
    struct slice device_id;
    struct slice priority;    /* 1 (highest) to 4 */
    struct slice method;      /* 1 to 7; combinations "25", "2/5" occur */
    struct slice time;        /* manscdp_time_parse reads it */
    struct slice description;
    struct slice longitude, latitude;
    struct slice alarm_type;  /* Info/AlarmType, or AlarmType at top level */
    struct slice event_type;  /* Info/AlarmTypeParam/EventType */
    struct slice extension;   /* text Info, ExtraInfo, AlarmInfo */
    uint32_t priority_num, method_num, type_num, event_num;
    bool has_position;        /* both are numbers in range */
    double lon, lat;
};

int manscdp_alarm_decode(struct manscdp_alarm *out,
                         const struct manscdp_msg *msg);
int manscdp_alarm_encode(struct writer *w, const struct manscdp_dialect *d,
                         const struct manscdp_alarm *a);

/* The Response to an alarm that came by MESSAGE; never to a NOTIFY. */
int manscdp_alarm_answer(struct writer *w, const struct manscdp_dialect *d,
                         const struct manscdp_alarm *a, bool ok);

/* "motion detection" and so on; NULL when the standard defines none. */
const char *manscdp_alarm_type_name(uint32_t method, uint32_t type);
const char *manscdp_alarm_method_name(uint32_t method);
#endif
