#include "manscdp/notify.h"

static enum manscdp_life life_of(struct slice text)
{
    if (slice_ieq(text, SLICE("ERROR")) || slice_ieq(text, SLICE("FAIL")))
        return MANSCDP_LIFE_ERROR;
    if (slice_ieq(text, SLICE("OFF")) || slice_ieq(text, SLICE("OFFLINE")))
        return MANSCDP_LIFE_OFF;
    return MANSCDP_LIFE_OK;
}

/* The ids below Info, wherever several Infos put them. */
static size_t faulty_ids(const struct xml_node *root, struct slice *out)
{
    const struct xml_node *info = xml_child(root, SLICE("Info"));
    size_t n = 0;

    for (; info; info = xml_next_same(info)) {
        const struct xml_node *c = xml_child(info, SLICE("DeviceID"));

        for (; c && n < MANSCDP_MAX_FAULTY; c = xml_next_same(c)) {
            if (!c->text.n)
                continue;
            if (out)
                out[n] = c->text;
            n++;
        }
    }
    return n;
}

int manscdp_keepalive_decode(struct manscdp_keepalive *out,
                             const struct manscdp_msg *msg)
{
    const struct xml_node *status = xml_find(msg->doc.root, SLICE("Status"));
    struct slice *faulty = NULL;
    size_t n;

    if (msg->root != MANSCDP_NOTIFY || msg->cmd != MANSCDP_CMD_KEEPALIVE)
        return GB_ESYNTAX;
    n = faulty_ids(msg->doc.root, NULL);
    if (n) {
        faulty = arena_alloc(msg->arena, n * sizeof(*faulty));
        if (!faulty)
            return GB_ENOMEM;
        faulty_ids(msg->doc.root, faulty);
    }
    *out = (struct manscdp_keepalive){
        .sn = msg->sn,
        .device_id = msg->device_id,
        .status = status ? life_of(status->text) : MANSCDP_LIFE_OK,
        .faulty = faulty,
        .n_faulty = n,
    };
    return 0;
}

int manscdp_keepalive_encode(struct writer *w, const struct manscdp_dialect *d,
                             const struct manscdp_keepalive *k)
{
    static const struct slice words[] = {
        [MANSCDP_LIFE_OK] = SLICE_INIT("OK"),
        [MANSCDP_LIFE_ERROR] = SLICE_INIT("ERROR"),
        [MANSCDP_LIFE_OFF] = SLICE_INIT("OFF"),
    };
    struct xml_out x;

    manscdp_put_begin(&x, w, d, MANSCDP_NOTIFY, MANSCDP_CMD_KEEPALIVE, k->sn,
                      k->device_id);
    xml_put(&x, "Status", words[k->status]);
    if (k->n_faulty) {
        xml_put_open(&x, "Info");
        for (size_t i = 0; i < k->n_faulty; i++)
            xml_put(&x, "DeviceID", k->faulty[i]);
        xml_put_close(&x, "Info");
    }
    manscdp_put_end(&x, MANSCDP_NOTIFY);
    return w->err;
}

/* First text of the name: in an Info, at top level, or anywhere. */
static struct slice in_info(const struct xml_node *root, struct slice name)
{
    const struct xml_node *info = xml_child(root, SLICE("Info"));
    const struct xml_node *found;
    struct slice text = slice_of(NULL, 0);

    for (; info && !text.n; info = xml_next_same(info))
        text = xml_text(info, name);
    if (!text.n)
        text = xml_text(root, name);
    if (!text.n) {
        found = xml_find(root, name);
        text = found ? found->text : text;
    }
    return text;
}

static struct slice extension_of(const struct xml_node *root)
{
    static const struct slice names[] = {
        SLICE_INIT("ExtraInfo"), SLICE_INIT("ExtralInfo"),
        SLICE_INIT("AlarmInfo"), SLICE_INIT("Info")
    };
    struct slice text = slice_of(NULL, 0);

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) && !text.n; i++)
        text = xml_text(root, names[i]);
    return text;
}

int manscdp_alarm_decode(struct manscdp_alarm *out,
                         const struct manscdp_msg *msg)
{
    const struct xml_node *root = msg->doc.root;
    struct manscdp_alarm a = {
        .sn = msg->sn,
        .device_id = msg->device_id,
        .priority = xml_text(root, SLICE("AlarmPriority")),
        .method = xml_text(root, SLICE("AlarmMethod")),
        .time = xml_text(root, SLICE("AlarmTime")),
        .description = xml_text(root, SLICE("AlarmDescription")),
        .longitude = xml_text(root, SLICE("Longitude")),
        .latitude = xml_text(root, SLICE("Latitude")),
        .alarm_type = in_info(root, SLICE("AlarmType")),
        .event_type = in_info(root, SLICE("EventType")),
        .extension = extension_of(root),
    };

    if (msg->root != MANSCDP_NOTIFY || msg->cmd != MANSCDP_CMD_ALARM)
        return GB_ESYNTAX;
    manscdp_number(a.priority, 9, &a.priority_num);
    manscdp_number(a.method, 9, &a.method_num);
    manscdp_number(a.alarm_type, 65535, &a.type_num);
    manscdp_number(a.event_type, 65535, &a.event_num);
    a.has_position =
        manscdp_position(a.longitude, a.latitude, &a.lon, &a.lat);
    *out = a;
    return 0;
}

static void put_alarm_info(struct xml_out *x, const struct manscdp_alarm *a)
{
    xml_put_inline(x, true);
    xml_put_open(x, "Info");
    xml_put_opt(x, "AlarmType", a->alarm_type);
    if (a->event_type.n) {
        xml_put_open(x, "AlarmTypeParam");
        xml_put(x, "EventType", a->event_type);
        xml_put_close(x, "AlarmTypeParam");
    }
    xml_put_close(x, "Info");
    xml_put_inline(x, false);
}

int manscdp_alarm_encode(struct writer *w, const struct manscdp_dialect *d,
                         const struct manscdp_alarm *a)
{
    struct xml_out x;

    manscdp_put_begin(&x, w, d, MANSCDP_NOTIFY, MANSCDP_CMD_ALARM, a->sn,
                      a->device_id);
    xml_put(&x, "AlarmPriority", a->priority);
    xml_put(&x, "AlarmMethod", a->method);
    xml_put(&x, "AlarmTime", a->time);
    xml_put_opt(&x, "AlarmDescription", a->description);
    xml_put_opt(&x, "Longitude", a->longitude);
    xml_put_opt(&x, "Latitude", a->latitude);
    if (d->edition >= MANSCDP_2016 && a->alarm_type.n)
        put_alarm_info(&x, a);
    xml_put_opt(&x, d->edition == MANSCDP_2022 ? "ExtraInfo" : "Info",
                a->extension);
    manscdp_put_end(&x, MANSCDP_NOTIFY);
    return w->err;
}

int manscdp_alarm_answer(struct writer *w, const struct manscdp_dialect *d,
                         const struct manscdp_alarm *a, bool ok)
{
    struct manscdp_response r = {
        .cmd = MANSCDP_CMD_ALARM,
        .sn = a->sn,
        .device_id = a->device_id,
        .result = ok ? MANSCDP_OK : MANSCDP_ERROR,
    };

    return manscdp_response_encode(w, d, &r);
}

const char *manscdp_alarm_type_name(uint32_t method, uint32_t type)
{
    static const char *const device[] = {
        "alarm device triggered", "video loss", "tamper", "disk full",
        "high temperature", "low temperature"
    };
    static const char *const video[] = {
        NULL, "manual alarm", "motion", "object left behind",
        "object removed", "tripwire", "intrusion", "wrong way", "loitering",
        "flow statistics", "density", "video abnormal", "fast movement",
        "picture occluded"
    };
    static const char *const fault[] = { NULL, "disk failure",
                                         "fan failure" };
    static const struct {
        const char *const *names;
        size_t n;
    } by_method[] = {
        [MANSCDP_ALARM_METHOD_DEVICE] = { device, 6 },
        [MANSCDP_ALARM_METHOD_VIDEO] = { video, 14 },
        [MANSCDP_ALARM_METHOD_FAULT] = { fault, 3 },
    };

    if (method >= sizeof(by_method) / sizeof(by_method[0]) ||
        type >= by_method[method].n)
        return NULL;
    return by_method[method].names[type];
}

const char *manscdp_alarm_method_name(uint32_t method)
{
    static const char *const names[] = { NULL,  "phone", "device", "SMS",
                                         "GPS", "video", "fault",  "other" };

    return method < sizeof(names) / sizeof(names[0]) ? names[method] : NULL;
}
