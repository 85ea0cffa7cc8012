/* app/net/mqtt.h - a connection to an MQTT broker (MQTT=1, libmosquitto)
 *
 * One thread of its own connects, reads and writes, so that neither names nor a
 * broker that hangs hold up a loop; it tries again after 1 s, 2 s, ... 60 s.
 * "online" stands at the status topic while it is up; the broker puts "offline" there
 * (last will). Nothing queues while it is down; while it is up no more than
 * MQTT_OUT_MAX messages are on their way. */
#ifndef APP_NET_MQTT_H
#define APP_NET_MQTT_H

#include "base/err.h"
#include "base/slice.h"

#include <stdbool.h>
#include <stdint.h>

#define MQTT_OUT_MAX 1000       /* messages that the broker has not acknowledged */
#define MQTT_PAYLOAD_MAX (256u << 10)
#define MQTT_TOPIC_MAX 256
#define MQTT_BACK_OFF_MAX_S 60  /* between two tries to connect */
#define MQTT_KEEPALIVE_S 30
#define MQTT_END_MS 1000        /* its thread may take so long to end */

struct mqtt_config {
    const char *host;
    uint16_t port;
    bool tls;         /* checked against ca, the name included */
    const char *ca;   /* a file of certificates */
    const char *user, *password; /* "": none */
    const char *client_id, *status_topic;
    void (*log)(bool good, const char *text); /* on its thread */
};

struct mqtt_counters {
    uint64_t published, dropped, connects;
    bool up;
};

struct mqtt;
/* GB_EUNSUPPORTED (this build has none), GB_ENOMEM, GB_EIO: *why says. Strings are
 * copied. */
int mqtt_new(struct mqtt **out, const struct mqtt_config *cfg,
             char why[static 256]);
/* It has come up since this was asked last: what is to stand there is published. */
bool mqtt_came_up(struct mqtt *m);
/* So many messages are taken now. */
unsigned mqtt_room(const struct mqtt *m);
/* At least once; copies. What finds no room, or no broker, is counted as dropped. */
void mqtt_publish(struct mqtt *m, const char *topic, struct slice payload,
                  bool retain);
void mqtt_count(const struct mqtt *m, struct mqtt_counters *out);
/* Says "offline", and goes; waits MQTT_END_MS at most. NULL is fine. */
void mqtt_close(struct mqtt *m);
#endif
