/* app/platform/settings.h - what people set of devices and groups */
#ifndef APP_PLATFORM_SETTINGS_H
#define APP_PLATFORM_SETTINGS_H

#include "app/platform/platform.h"

struct device;
struct group;

struct slice group_name(const struct group *g);
/* Empty: its group has none, or it is in no group. */
struct slice group_password(const struct device *d);
/* The policy of its group; NULL: it is in none. */
const struct platform_policy *group_policy(const struct device *d);
void device_settings_fini(struct platform *p, struct device *d);
void settings_fini(struct platform *p);
/* An action about a group, if there is one to tell. */
bool settings_news(struct platform *p, struct platform_action *out);
#endif
