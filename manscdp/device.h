/* manscdp/device.h - DeviceInfo and DeviceStatus, both directions
 * (GB/T 28181-2022 A.2.4.4, A.2.4.5, A.2.6.4, A.2.6.5)
 *
 * Texts are as on the wire, empty when absent. Queries of both are written by
 * manscdp_query_encode and need no decoder of their own: the envelope says
 * all. */
#ifndef MANSCDP_DEVICE_H
#define MANSCDP_DEVICE_H

#include "manscdp/msg.h"

#define MANSCDP_MAX_ALARM_DEVICES 1024 /* of one DeviceStatus */

struct manscdp_device_info {
    uint32_t sn;
    struct slice device_id; /* of a channel: then it describes that channel */
    enum manscdp_result result; /* decoded ABSENT with other data: OK */
    struct slice device_name;
    struct slice device_type; /* until 2016 */
    struct slice manufacturer, model, firmware;
    struct slice max_camera, max_alarm; /* until 2016 */
    struct slice channel;
    uint32_t n_channels; /* of channel, decoded; 0: absent or not a number */
};

int manscdp_device_info_decode(struct manscdp_device_info *out,
                               const struct manscdp_msg *msg);
int manscdp_device_info_encode(struct writer *w,
                               const struct manscdp_dialect *d,
                               const struct manscdp_device_info *i);

enum manscdp_tristate { MANSCDP_UNKNOWN, MANSCDP_ON, MANSCDP_OFF };

enum manscdp_duty {
    MANSCDP_DUTY_UNKNOWN,
    MANSCDP_ONDUTY,
    MANSCDP_OFFDUTY,
    MANSCDP_DUTY_ALARM
};

struct manscdp_alarm_device {
    struct slice device_id;
    enum manscdp_duty duty;
};

struct manscdp_device_status {
    uint32_t sn;
    struct slice device_id;
    enum manscdp_result result;    /* decoded ABSENT with other data: OK */
    enum manscdp_tristate online;  /* ONLINE, OFFLINE, OFFILE, ON, OFF */
    enum manscdp_result status;    /* works normally */
    struct slice reason;           /* why not */
    enum manscdp_tristate encode, record;
    struct slice device_time;
    const struct manscdp_alarm_device *alarm;
    size_t n_alarms;
};

int manscdp_device_status_decode(struct manscdp_device_status *out,
                                 const struct manscdp_msg *msg);
int manscdp_device_status_encode(struct writer *w,
                                 const struct manscdp_dialect *d,
                                 const struct manscdp_device_status *s);
#endif
