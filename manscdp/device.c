#include "manscdp/device.h"

/* A missing Result in an answer that has other data is OK. */
static enum manscdp_result result_of(const struct xml_node *root,
                                     bool has_data)
{
    enum manscdp_result r =
        manscdp_result_parse(xml_text(root, SLICE("Result")));

    return r == MANSCDP_ABSENT && has_data ? MANSCDP_OK : r;
}

static struct slice result_word(enum manscdp_result r)
{
    return slice_str(r == MANSCDP_ERROR ? "ERROR" : "OK");
}

int manscdp_device_info_decode(struct manscdp_device_info *out,
                               const struct manscdp_msg *msg)
{
    const struct xml_node *root = msg->doc.root;
    struct manscdp_device_info i = {
        .sn = msg->sn,
        .device_id = msg->device_id,
        .device_name = xml_text(root, SLICE("DeviceName")),
        .device_type = xml_text(root, SLICE("DeviceType")),
        .manufacturer = xml_text(root, SLICE("Manufacturer")),
        .model = xml_text(root, SLICE("Model")),
        .firmware = xml_text(root, SLICE("Firmware")),
        .max_camera = xml_text(root, SLICE("MaxCamera")),
        .max_alarm = xml_text(root, SLICE("MaxAlarm")),
        .channel = xml_text(root, SLICE("Channel")),
    };

    if (msg->root != MANSCDP_RESPONSE || msg->cmd != MANSCDP_CMD_DEVICE_INFO)
        return GB_ESYNTAX;
    manscdp_number(i.channel, 1000000, &i.n_channels);
    i.result = result_of(root, i.device_name.n || i.manufacturer.n ||
                                   i.model.n || i.firmware.n || i.channel.n);
    *out = i;
    return 0;
}

int manscdp_device_info_encode(struct writer *w,
                               const struct manscdp_dialect *d,
                               const struct manscdp_device_info *i)
{
    bool old = d->edition != MANSCDP_2022;
    struct xml_out x;

    manscdp_put_begin(&x, w, d, MANSCDP_RESPONSE, MANSCDP_CMD_DEVICE_INFO,
                      i->sn, i->device_id);
    if (d->edition >= MANSCDP_2014)
        xml_put_opt(&x, "DeviceName", i->device_name);
    xml_put(&x, "Result", result_word(i->result));
    if (old)
        xml_put_opt(&x, "DeviceType", i->device_type);
    xml_put_opt(&x, "Manufacturer", i->manufacturer);
    xml_put_opt(&x, "Model", i->model);
    xml_put_opt(&x, "Firmware", i->firmware);
    if (old) {
        xml_put_opt(&x, "MaxCamera", i->max_camera);
        xml_put_opt(&x, "MaxAlarm", i->max_alarm);
    }
    xml_put_opt(&x, "Channel", i->channel);
    manscdp_put_end(&x, MANSCDP_RESPONSE);
    return w->err;
}

/* ON, OFF, ONLINE, OFFLINE, OFFILE, 1, 0, true, false. */
static enum manscdp_tristate tristate_of(struct slice s)
{
    if (!s.n)
        return MANSCDP_UNKNOWN;
    if (slice_has_iprefix(s, SLICE("ON")) || slice_ieq(s, SLICE("OK")) ||
        slice_ieq(s, SLICE("1")) || slice_ieq(s, SLICE("true")))
        return MANSCDP_ON;
    return MANSCDP_OFF;
}

static enum manscdp_duty duty_of(const struct xml_node *item)
{
    static const struct slice names[] = { SLICE_INIT("DutyStatus"),
                                          SLICE_INIT("StatusDutyStatus"),
                                          SLICE_INIT("Status") };
    struct slice s = slice_of(NULL, 0);

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) && !s.n; i++)
        s = xml_text(item, names[i]);
    if (slice_ieq(s, SLICE("ONDUTY")))
        return MANSCDP_ONDUTY;
    if (slice_ieq(s, SLICE("OFFDUTY")))
        return MANSCDP_OFFDUTY;
    return slice_ieq(s, SLICE("ALARM")) ? MANSCDP_DUTY_ALARM
                                        : MANSCDP_DUTY_UNKNOWN;
}

static int decode_alarms(struct manscdp_device_status *s,
                         const struct manscdp_msg *msg)
{
    const struct xml_node *list =
        xml_child(msg->doc.root, SLICE("Alarmstatus"));
    const struct xml_node *first = xml_child(list, SLICE("Item"));
    struct manscdp_alarm_device *alarm;
    size_t n = 0, i = 0;

    for (const struct xml_node *c = first; c; c = xml_next_same(c))
        n++;
    if (n > MANSCDP_MAX_ALARM_DEVICES)
        n = MANSCDP_MAX_ALARM_DEVICES;
    if (!n)
        return 0;
    alarm = arena_alloc(msg->arena, n * sizeof(*alarm));
    if (!alarm)
        return GB_ENOMEM;
    for (const struct xml_node *c = first; c && i < n; c = xml_next_same(c)) {
        alarm[i].device_id = xml_text(c, SLICE("DeviceID"));
        alarm[i].duty = duty_of(c);
        i += alarm[i].device_id.n > 0;
    }
    s->alarm = alarm;
    s->n_alarms = i;
    return 0;
}

int manscdp_device_status_decode(struct manscdp_device_status *out,
                                 const struct manscdp_msg *msg)
{
    const struct xml_node *root = msg->doc.root;
    struct manscdp_device_status s = {
        .sn = msg->sn,
        .device_id = msg->device_id,
        .online = tristate_of(xml_text(root, SLICE("Online"))),
        .status = manscdp_result_parse(xml_text(root, SLICE("Status"))),
        .reason = xml_text(root, SLICE("Reason")),
        .encode = tristate_of(xml_text(root, SLICE("Encode"))),
        .record = tristate_of(xml_text(root, SLICE("Record"))),
        .device_time = xml_text(root, SLICE("DeviceTime")),
    };
    int err;

    if (msg->root != MANSCDP_RESPONSE || msg->cmd != MANSCDP_CMD_DEVICE_STATUS)
        return GB_ESYNTAX;
    err = decode_alarms(&s, msg);
    if (err)
        return err;
    s.result = result_of(root, s.online != MANSCDP_UNKNOWN ||
                                   s.status != MANSCDP_ABSENT);
    *out = s;
    return 0;
}

static void put_on_off(struct xml_out *x, const char *name,
                       enum manscdp_tristate v)
{
    if (v != MANSCDP_UNKNOWN)
        xml_put(x, name, slice_str(v == MANSCDP_ON ? "ON" : "OFF"));
}

/* 2011: Status; 2014: StatusDutyStatus; 2016: the attribute is num. */
static void put_alarms(struct xml_out *x, const struct manscdp_dialect *d,
                       const struct manscdp_device_status *s)
{
    static const char *const words[] = {
        [MANSCDP_DUTY_UNKNOWN] = "OFFDUTY",
        [MANSCDP_ONDUTY] = "ONDUTY",
        [MANSCDP_OFFDUTY] = "OFFDUTY",
        [MANSCDP_DUTY_ALARM] = "ALARM",
    };
    const char *duty = d->edition == MANSCDP_2014 ? "StatusDutyStatus"
                       : d->edition == MANSCDP_2011 ? "Status"
                                                    : "DutyStatus";

    xml_put_inline(x, true);
    xml_put_open_num(x, "Alarmstatus",
                     d->edition == MANSCDP_2016 ? "num" : "Num",
                     (uint32_t)s->n_alarms);
    for (size_t i = 0; i < s->n_alarms; i++) {
        xml_put_open(x, "Item");
        xml_put(x, "DeviceID", s->alarm[i].device_id);
        xml_put(x, duty, slice_str(words[s->alarm[i].duty]));
        xml_put_close(x, "Item");
    }
    xml_put_close(x, "Alarmstatus");
    xml_put_inline(x, false);
}

int manscdp_device_status_encode(struct writer *w,
                                 const struct manscdp_dialect *d,
                                 const struct manscdp_device_status *s)
{
    struct xml_out x;

    manscdp_put_begin(&x, w, d, MANSCDP_RESPONSE, MANSCDP_CMD_DEVICE_STATUS,
                      s->sn, s->device_id);
    xml_put(&x, "Result", result_word(s->result));
    xml_put(&x, "Online", slice_str(s->online == MANSCDP_OFF ? "OFFLINE"
                                                        : "ONLINE"));
    xml_put(&x, "Status", result_word(s->status));
    xml_put_opt(&x, "Reason", s->reason);
    put_on_off(&x, "Encode", s->encode);
    put_on_off(&x, "Record", s->record);
    xml_put_opt(&x, "DeviceTime", s->device_time);
    if (s->n_alarms || d->edition == MANSCDP_2011)
        put_alarms(&x, d, s);
    manscdp_put_end(&x, MANSCDP_RESPONSE);
    return w->err;
}
