#include "app/net/mqtt.h"

#include <errno.h>
#include <mosquitto.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#define NAME_MAX_ 256

struct mqtt {
    struct mosquitto *client;
    uv_thread_t thread;
    uv_mutex_t lock; /* of stopping and ended */
    uv_cond_t wake;
    bool stopping, ended;
    void (*log)(bool good, const char *text);
    char host[NAME_MAX_], status[MQTT_TOPIC_MAX];
    uint16_t port;
    atomic_bool up, came_up, said; /* said: that it is down */
    atomic_uint out; /* not acknowledged yet */
    atomic_ullong published, dropped, connects;
};

static void tell(struct mqtt *m, bool good, const char *what, const char *why)
{
    char text[300];

    snprintf(text, sizeof(text), "msg=\"%s\" broker=\"%s:%u\" why=\"%s\"",
             what, m->host, m->port, why);
    m->log(good, text);
}

/* ---- on its thread -------------------------------------------------------------- */

static void say_down(struct mqtt *m, const char *why)
{
    if (!atomic_exchange(&m->said, true))
        tell(m, false, "the MQTT broker cannot be reached; it is tried again",
             why);
}

static void on_connect(struct mosquitto *client, void *ctx, int rc)
{
    struct mqtt *m = ctx;

    if (rc) {
        say_down(m, mosquitto_connack_string(rc));
        return;
    }
    atomic_store(&m->out, 0);
    atomic_store(&m->said, false);
    atomic_fetch_add(&m->connects, 1);
    atomic_store(&m->up, true);
    atomic_store(&m->came_up, true);
    tell(m, true, "the MQTT broker is there", "");
    mosquitto_publish(client, NULL, m->status, 6, "online", 1, true);
}

static void on_disconnect(struct mosquitto *client, void *ctx, int rc)
{
    struct mqtt *m = ctx;

    (void)client;
    atomic_store(&m->up, false);
    if (rc)
        say_down(m, mosquitto_strerror(rc));
}

/* The status is one of them: it was not counted. */
static void on_publish(struct mosquitto *client, void *ctx, int id)
{
    struct mqtt *m = ctx;
    unsigned n = atomic_load(&m->out);

    (void)client;
    (void)id;
    while (n && !atomic_compare_exchange_weak(&m->out, &n, n - 1))
        ;
}

/* false: it is to end. */
static bool wait_s(struct mqtt *m, unsigned s)
{
    bool stopping;

    uv_mutex_lock(&m->lock);
    if (!m->stopping)
        uv_cond_timedwait(&m->wake, &m->lock, s * UINT64_C(1000000000));
    stopping = m->stopping;
    uv_mutex_unlock(&m->lock);
    return !stopping;
}

static void run(void *arg)
{
    struct mqtt *m = arg;
    unsigned back_off_s = 1;

    do {
        int rc = mosquitto_connect(m->client, m->host, m->port,
                                   MQTT_KEEPALIVE_S);

        if (rc) {
            say_down(m, rc == MOSQ_ERR_ERRNO ? strerror(errno)
                                             : mosquitto_strerror(rc));
        } else {
            while (mosquitto_loop(m->client, 500, 1) == MOSQ_ERR_SUCCESS &&
                   wait_s(m, 0))
                back_off_s = atomic_load(&m->up) ? 1 : back_off_s;
            atomic_store(&m->up, false);
        }
        if (!wait_s(m, back_off_s))
            break;
        back_off_s = back_off_s * 2 < MQTT_BACK_OFF_MAX_S ? back_off_s * 2
                                                          : MQTT_BACK_OFF_MAX_S;
    } while (true);
    mosquitto_disconnect(m->client);
    uv_mutex_lock(&m->lock);
    m->ended = true;
    uv_cond_signal(&m->wake);
    uv_mutex_unlock(&m->lock);
}

/* ---- on the main loop's ------------------------------------------------------------ */

bool mqtt_came_up(struct mqtt *m)
{
    return atomic_exchange(&m->came_up, false);
}

unsigned mqtt_room(const struct mqtt *m)
{
    unsigned out = atomic_load(&m->out);

    return atomic_load(&m->up) && out < MQTT_OUT_MAX ? MQTT_OUT_MAX - out : 0;
}

void mqtt_publish(struct mqtt *m, const char *topic, struct slice payload,
                  bool retain)
{
    if (mqtt_room(m) == 0 || payload.n > MQTT_PAYLOAD_MAX) {
        atomic_fetch_add(&m->dropped, 1);
        return;
    }
    atomic_fetch_add(&m->out, 1);
    if (mosquitto_publish(m->client, NULL, topic, (int)payload.n, payload.p, 1,
                          retain) == MOSQ_ERR_SUCCESS) {
        atomic_fetch_add(&m->published, 1);
    } else {
        on_publish(m->client, m, 0);
        atomic_fetch_add(&m->dropped, 1);
    }
}

void mqtt_count(const struct mqtt *m, struct mqtt_counters *out)
{
    *out = (struct mqtt_counters){
        .published = atomic_load(&m->published),
        .dropped = atomic_load(&m->dropped),
        .connects = atomic_load(&m->connects), .up = atomic_load(&m->up),
    };
}

static int set_up(struct mqtt *m, const struct mqtt_config *cfg)
{
    int rc = mosquitto_threaded_set(m->client, true);

    mosquitto_connect_callback_set(m->client, on_connect);
    mosquitto_disconnect_callback_set(m->client, on_disconnect);
    mosquitto_publish_callback_set(m->client, on_publish);
    if (!rc && *cfg->user)
        rc = mosquitto_username_pw_set(m->client, cfg->user, cfg->password);
    if (!rc && cfg->tls)
        rc = mosquitto_tls_set(m->client, cfg->ca, NULL, NULL, NULL, NULL);
    if (!rc)
        rc = mosquitto_will_set(m->client, cfg->status_topic, 7, "offline", 1,
                                true);
    return rc;
}

int mqtt_new(struct mqtt **out, const struct mqtt_config *cfg,
             char why[static 256])
{
    struct mqtt *m = calloc(1, sizeof(*m));
    int rc;

    mosquitto_lib_init();
    snprintf(why, 256, "no memory");
    if (!m || !slice_copy(m->host, sizeof(m->host), slice_str(cfg->host)) ||
        !slice_copy(m->status, sizeof(m->status),
                    slice_str(cfg->status_topic)) ||
        !(m->client = mosquitto_new(cfg->client_id, true, m))) {
        free(m);
        return GB_ENOMEM;
    }
    m->port = cfg->port;
    m->log = cfg->log;
    rc = set_up(m, cfg);
    if (rc) {
        snprintf(why, 256, "%.200s", mosquitto_strerror(rc));
        mosquitto_destroy(m->client);
        free(m);
        return GB_EIO;
    }
    uv_mutex_init(&m->lock);
    uv_cond_init(&m->wake);
    if (uv_thread_create(&m->thread, run, m)) {
        mosquitto_destroy(m->client);
        free(m);
        return GB_ENOMEM;
    }
    *out = m;
    return 0;
}

/* A thread that sits in a connect that does not end is left to the end of the
 * process. */
void mqtt_close(struct mqtt *m)
{
    bool ended;

    if (!m)
        return;
    if (atomic_load(&m->up))
        mosquitto_publish(m->client, NULL, m->status, 7, "offline", 1, true);
    uv_mutex_lock(&m->lock);
    m->stopping = true;
    uv_cond_signal(&m->wake);
    while (!m->ended &&
           uv_cond_timedwait(&m->wake, &m->lock,
                             MQTT_END_MS * UINT64_C(1000000)) == 0)
        ;
    ended = m->ended;
    uv_mutex_unlock(&m->lock);
    if (!ended)
        return;
    uv_thread_join(&m->thread);
    mosquitto_destroy(m->client);
    uv_cond_destroy(&m->wake);
    uv_mutex_destroy(&m->lock);
    free(m);
    mosquitto_lib_cleanup();
}
