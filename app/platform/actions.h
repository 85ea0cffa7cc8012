/* app/platform/actions.h - what the owner is told */
#ifndef APP_PLATFORM_ACTIONS_H
#define APP_PLATFORM_ACTIONS_H

#include "app/platform/platform.h"

struct channel;
struct device;
struct session;

#define PLATFORM_MAX_QUEUED 1024   /* alarms and log lines not fetched yet */
#define PLATFORM_LOG_RATE 50       /* lines a second that peers can cause */
#define PLATFORM_LOG_BURST 200

/* One line, key=value, for the operator. Lines that peers cause go through
 * platform_log_peer, which limits them. Bytes of a peer go through log_text. */
void platform_log(struct platform *p, enum platform_level level,
                  const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void platform_log_peer(struct platform *p, enum platform_level level,
                       const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* Peer bytes, escaped and cut, as a C string in buf. */
#define LOG_TEXT_MAX 100
const char *log_text(struct slice s, char buf[static LOG_TEXT_MAX]);
void device_changed(struct platform *p, struct device *d, unsigned changes);
void channel_changed(struct platform *p, struct channel *c);
void session_news(struct platform *p, struct session *s, unsigned news);
void platform_queue_alarm(struct platform *p, const struct platform_alarm *a);
void platform_queue_position(struct platform *p,
                             const struct platform_position *at);
/* PTZ_MOVED and VIDEO_OFFERED. */
void platform_queue_told(struct platform *p, enum platform_action_kind kind,
                         struct slice device, struct slice channel,
                         struct slice text);
void platform_queue_snapshot(struct platform *p, struct slice device,
                             struct slice text);
void platform_actions_fini(struct platform *p);
#endif
