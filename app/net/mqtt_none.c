/* mqtt.h for a build without MQTT: nothing can be made, so the rest is never
 * called. */
#include "app/net/mqtt.h"

#include <stdio.h>

int mqtt_new(struct mqtt **out, const struct mqtt_config *cfg,
             char why[static 256])
{
    (void)cfg;
    *out = NULL;
    snprintf(why, 256, "this build has no MQTT (it was made without MQTT=1)");
    return GB_EUNSUPPORTED;
}

bool mqtt_came_up(struct mqtt *m)
{
    (void)m;
    return false;
}

unsigned mqtt_room(const struct mqtt *m)
{
    (void)m;
    return 0;
}

void mqtt_publish(struct mqtt *m, const char *topic, struct slice payload,
                  bool retain)
{
    (void)m, (void)topic, (void)payload, (void)retain;
}

void mqtt_count(const struct mqtt *m, struct mqtt_counters *out)
{
    (void)m;
    *out = (struct mqtt_counters){ 0 };
}

void mqtt_close(struct mqtt *m)
{
    (void)m;
}
