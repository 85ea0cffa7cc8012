/* Events and states on their way to an MQTT broker, and what Home Assistant needs to
 * find devices by itself. */
#include "app/daemon_int.h"

#include "app/http/json.h"
#include "app/http/metrics.h"
#include "app/net/mqtt.h"

#include <stdio.h>
#include <stdlib.h>

#define MQTT_TICK_MS 250
#define MQTT_ROOM_MIN 200   /* messages of events find room while states go out */
#define MQTT_PORT 1883
#define MQTT_TLS_PORT 8883
#define MQTT_ALARM_OFF_S 30 /* Home Assistant shows an alarm so long */

struct daemon_mqtt {
    struct daemon *d;
    struct mqtt *net;
    const char *prefix, *discovery; /* discovery "": none */
    unsigned kinds;
    uv_timer_t timer;
    bool walking; /* the states of all devices go out, `after` is the last */
    char after[HTTP_ID_MAX + 1];
};

static void on_log(bool good, const char *text)
{
    log_f(good ? LOG_INFO : LOG_WARN, "%s", text);
}

/* Digits of ids, and words of ours, are all that a topic is made of. */
static bool is_topic_word(struct slice s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!ascii_is_digit(s.p[i]) &&
            !(ascii_lower(s.p[i]) >= 'a' && ascii_lower(s.p[i]) <= 'z'))
            return false;
    return s.n > 0 && s.n <= HTTP_ID_MAX;
}

static void put_device(struct jw *j, const struct platform_device *v)
{
    char id[HTTP_ID_MAX + 16];

    snprintf(id, sizeof(id), "gb28181_%.*s", SLICE_ARG(v->id));
    jw_key(j, "device");
    jw_object(j);
    jw_put_cstr(j, "identifiers", id);
    jw_put_str(j, "name", v->name.n ? v->name : v->id);
    jw_put_str(j, "manufacturer", v->manufacturer);
    jw_put_str(j, "model", v->model);
    jw_put_str(j, "sw_version", v->firmware);
    jw_end(j);
}

/* A binary_sensor of a device, or of a channel of it, as Home Assistant reads it. */
static void publish_sensor(struct daemon_mqtt *m, const char *sensor,
                           const char *state_topic, const char *class,
                           struct slice name,
                           const struct platform_device *v)
{
    char topic[MQTT_TOPIC_MAX], text[MQTT_TOPIC_MAX];
    struct buf b;
    struct jw j = jw_to(&b);

    if (!*m->discovery)
        return;
    buf_init(&b, &gb_alloc_heap, 8192);
    snprintf(topic, sizeof(topic), "%s/binary_sensor/gb28181_%.*s/%s/config",
             m->discovery, SLICE_ARG(v->id), sensor);
    jw_object(&j);
    jw_put_str(&j, "name", name);
    snprintf(text, sizeof(text), "gb28181_%.*s_%s", SLICE_ARG(v->id), sensor);
    jw_put_cstr(&j, "unique_id", text);
    jw_put_cstr(&j, "state_topic", state_topic);
    jw_put_cstr(&j, "device_class", class);
    if (strcmp(class, "motion") == 0)
        jw_put_u64(&j, "off_delay", MQTT_ALARM_OFF_S);
    snprintf(text, sizeof(text), "%s/status", m->prefix);
    jw_put_cstr(&j, "availability_topic", text);
    put_device(&j, v);
    jw_end(&j);
    if (jw_is_complete(&j))
        mqtt_publish(m->net, topic, buf_view(&b), true);
    buf_fini(&b);
}

static void publish_device(struct daemon_mqtt *m,
                           const struct platform_device *v)
{
    char topic[MQTT_TOPIC_MAX];

    if (!is_topic_word(v->id))
        return;
    snprintf(topic, sizeof(topic), "%s/device/%.*s/online", m->prefix,
             SLICE_ARG(v->id));
    publish_sensor(m, "online", topic, "connectivity", SLICE("online"), v);
    mqtt_publish(m->net, topic, v->online ? SLICE("ON") : SLICE("OFF"), true);
}

/* Nothing stands there any more. */
static void forget_device(struct daemon_mqtt *m, struct slice id)
{
    char topic[MQTT_TOPIC_MAX];

    if (!is_topic_word(id))
        return;
    snprintf(topic, sizeof(topic), "%s/device/%.*s/online", m->prefix,
             SLICE_ARG(id));
    mqtt_publish(m->net, topic, SLICE(""), true);
    snprintf(topic, sizeof(topic),
             "%s/binary_sensor/gb28181_%.*s/online/config", m->discovery,
             SLICE_ARG(id));
    if (*m->discovery)
        mqtt_publish(m->net, topic, SLICE(""), true);
}

/* Its channel is told to Home Assistant with the first one: most never have any. */
void daemon_mqtt_alarm(struct daemon *d, const struct platform_alarm *alarm)
{
    struct daemon_mqtt *m = d->mqtt;
    char topic[MQTT_TOPIC_MAX], sensor[HTTP_ID_MAX + 16];
    struct platform_device v;
    struct platform_channel ch;
    struct slice channel = alarm->channel.n ? alarm->channel : alarm->device;
    struct slice name = channel;

    if (!m || !is_topic_word(alarm->device) || !is_topic_word(channel) ||
        !platform_device_view(d->platform, alarm->device, &v))
        return;
    if (platform_channel_view(d->platform, alarm->device, channel, &ch) &&
        ch.name.n)
        name = ch.name;
    snprintf(topic, sizeof(topic), "%s/channel/%.*s/%.*s/alarm", m->prefix,
             SLICE_ARG(alarm->device), SLICE_ARG(channel));
    snprintf(sensor, sizeof(sensor), "%.*s_alarm", SLICE_ARG(channel));
    publish_sensor(m, sensor, topic, "motion", name, &v);
    mqtt_publish(m->net, topic, SLICE("ON"), false);
}

/* The states of all devices go out behind each connect, a part a tick. */
static void walk(struct daemon_mqtt *m)
{
    struct platform_device v;

    while (m->walking && mqtt_room(m->net) > MQTT_ROOM_MIN) {
        m->walking = platform_device_next(m->d->platform,
                                          slice_str(m->after), &v);
        if (!m->walking)
            break;
        slice_copy(m->after, sizeof(m->after), v.id);
        publish_device(m, &v);
    }
}

static void on_tick(uv_timer_t *t)
{
    struct daemon_mqtt *m = t->data;

    if (mqtt_came_up(m->net)) {
        m->walking = true;
        m->after[0] = '\0';
    }
    walk(m);
}

bool daemon_mqtt_wants(const struct daemon *d, enum hooks_kind kind)
{
    return d->mqtt && (d->mqtt->kinds & 1u << kind);
}

void daemon_mqtt_event(struct daemon *d, const struct http_event *e)
{
    struct daemon_mqtt *m = d->mqtt;
    char topic[MQTT_TOPIC_MAX];
    struct platform_device v;

    snprintf(topic, sizeof(topic), "%s/event/%s", m->prefix,
             hooks_kind_name(e->kind));
    mqtt_publish(m->net, topic, e->body, false);
    if (e->kind != HOOKS_DEVICE)
        return;
    if (platform_device_view(d->platform, e->device, &v))
        publish_device(m, &v);
    else
        forget_device(m, e->device);
}

void daemon_mqtt_metrics(const struct daemon *d, struct buf *out)
{
    struct mqtt_counters n;

    if (!d->mqtt)
        return;
    mqtt_count(d->mqtt->net, &n);
    http_metric_one(out, "gb28181_mqtt_up", "the MQTT broker is connected",
                    n.up);
    http_metric_one(out, "gb28181_mqtt_connects_total", "connections to it",
                    n.connects);
    http_metric_one(out, "gb28181_mqtt_published_total", "messages sent to it",
                    n.published);
    http_metric_one(out, "gb28181_mqtt_dropped_total",
                    "messages that found no room, or no broker", n.dropped);
}

static unsigned read_kinds(const struct config *c)
{
    unsigned kinds = 1u << HOOKS_DEVICE; /* what is online is always told */

    for (size_t i = 0; i < config_n(c, CONFIG_MQTT_EVENTS); i++)
        kinds |= 1u << hooks_kind_by_name(
                     slice_str(config_item(c, CONFIG_MQTT_EVENTS, i)));
    return kinds;
}

/* "HOST", "HOST:PORT", "[IPv6]:PORT" */
static bool read_server(const char *text, char host[static 256],
                        uint16_t *port)
{
    struct slice s = slice_str(text), name = s;
    size_t end = slice_find_slice(s, SLICE("]"));
    uint32_t v = *port;

    if (s.n && s.p[0] == '[' && end < s.n) {
        name = slice_of(s.p + 1, end - 1);
        s = slice_from(s, end + 1);
        if (s.n && (s.p[0] != ':' || !slice_u32(slice_from(s, 1), 65535, &v)))
            return false;
    } else if (slice_cut(&s, ':', &name) && !slice_u32(s, 65535, &v)) {
        return false;
    }
    *port = (uint16_t)v;
    return v && name.n && slice_copy(host, 256, name);
}

int daemon_start_mqtt(struct daemon *d, char why[static WHY_MAX])
{
    const struct config *c = d->config;
    const char *server = config_text(c, CONFIG_MQTT_SERVER);
    char host[256], id[64], status[MQTT_TOPIC_MAX], said[256];
    struct mqtt_config mc = {
        .host = host, .tls = config_bool(c, CONFIG_MQTT_TLS),
        .ca = config_text(c, CONFIG_MQTT_CA),
        .user = config_text(c, CONFIG_MQTT_USER),
        .password = config_text(c, CONFIG_MQTT_PASSWORD),
        .client_id = id, .status_topic = status, .log = on_log,
    };
    struct daemon_mqtt *m;
    int err;

    if (!*server)
        return 0;
    mc.port = mc.tls ? MQTT_TLS_PORT : MQTT_PORT;
    if (!read_server(server, host, &mc.port))
        return daemon_fail(why, GB_ESYNTAX, "mqtt.server",
                           "must be HOST or HOST:PORT");
    m = calloc(1, sizeof(*m));
    if (!m)
        return daemon_fail(why, GB_ENOMEM, "mqtt", "no memory");
    m->d = d;
    m->prefix = config_text(c, CONFIG_MQTT_PREFIX);
    m->discovery = config_text(c, CONFIG_MQTT_DISCOVERY);
    m->kinds = read_kinds(c);
    snprintf(id, sizeof(id), "gb28181d-%.20s", config_text(c, CONFIG_SERVER_ID));
    snprintf(status, sizeof(status), "%s/status", m->prefix);
    err = mqtt_new(&m->net, &mc, said);
    if (err) {
        free(m);
        return daemon_fail(why, err, "mqtt.server", said);
    }
    uv_timer_init(&d->loop, &m->timer);
    m->timer.data = m;
    uv_timer_start(&m->timer, on_tick, MQTT_TICK_MS, MQTT_TICK_MS);
    d->mqtt = m;
    return 0;
}

static void on_closed(uv_handle_t *h)
{
    free(h->data);
}

void daemon_close_mqtt(struct daemon *d)
{
    struct daemon_mqtt *m = d->mqtt;

    if (!m)
        return;
    d->mqtt = NULL;
    mqtt_close(m->net);
    uv_close((uv_handle_t *)&m->timer, on_closed);
}
