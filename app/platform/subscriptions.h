/* app/platform/subscriptions.h - what the platform is told of without asking:
 * changes of a device's catalog, its alarms, positions
 *
 *     NONE ──► WAITING ──at_ms──► ASKING ──► ACTIVE ──at_ms──► (refresh)
 *                 ▲                  │          │
 *                 └── later ─────────┴──────────┘ lost, ended, re-registered
 *              REFUSED: not asked again for a day
 *
 * A device that is to be armed gets GuardCmd SetGuard behind that, each time it
 * registers: some send no alarm before (field-note 12.1).
 *
 * Per device and only when the configuration, its group or the device itself
 * wants any. Included by core.h. */
#ifndef APP_PLATFORM_SUBSCRIPTIONS_H
#define APP_PLATFORM_SUBSCRIPTIONS_H

#include "app/platform/platform.h"
#include "base/timerq.h"

struct device_subscription {
    uint64_t id;        /* in the SIP stack; 0: none */
    uint64_t at_ms;     /* ask, or refresh; GB_NEVER */
    uint64_t asked_ms;  /* the last time */
    int64_t expires_utc_ms; /* as granted; 0 */
    const char *why;    /* it is not active; NULL: nothing to tell */
    uint32_t asks_s;    /* what is asked for; 0: not wanted */
    uint32_t notifies;
    uint16_t status;    /* the last final answer, 0: none */
    uint8_t state;      /* enum platform_subscription_state */
    uint8_t failures;   /* one after the other */
    bool other_event;   /* the other form of the Event header */
    bool login;         /* it was asked with what answers a challenge */
    bool hurried;       /* asked at once, as young as it was when it ended */
    bool longer;        /* 423: asks_s is what the device wants at least */
};

struct device_subscriptions {
    struct device *device;
    struct timerq_node timer;
    uint64_t guard_at_ms; /* SetGuard is sent then; GB_NEVER */
    uint64_t poll_at_ms;  /* a Catalog in place of NOTIFYs; GB_NEVER */
    uint32_t poll_ms;     /* between two of them */
    uint64_t window_ms;   /* PLATFORM_NOTIFY_WINDOW_MS began then */
    uint32_t in_window;   /* NOTIFYs since */
    struct device_subscription of[PLATFORM_SUBSCRIPTION_KINDS];
};

/* The device is online, or has registered anew: what it knew of us is void. */
void subscriptions_begin(struct platform *p, struct device *d);
/* What is wanted of it may be other things now. */
void subscriptions_policy(struct platform *p, struct device *d);
/* Its catalog is complete: when is the next one asked for? */
void subscriptions_polled(struct platform *p, struct device *d);
/* It is to be armed from now on. */
void subscriptions_guard(struct platform *p, struct device *d);
/* It is offline: forgotten without a word. */
void subscriptions_stop(struct platform *p, struct device *d);
/* It is removed: the device is told, and the memory goes. */
void subscriptions_end(struct platform *p, struct device *d);
void subscriptions_fini(struct platform *p, struct device *d);
/* It has moved: so do the requests inside. */
void subscriptions_move(struct platform *p, struct device *d);
void subscriptions_on_timer(struct platform *p, struct device_subscriptions *t);
/* RESPONSE, FAILED, UNSUBSCRIBED of a subscription of this device. */
void subscriptions_on_event(struct platform *p, struct device *d,
                            const struct sip_event *ev);
/* Within its rate? What comes above it is answered and not read; a catalog whose
 * changes were lost so is asked for as a whole. */
bool subscriptions_admit(struct platform *p, struct device *d,
                         const struct sip_event *ev);
/* A NOTIFY of one; its body is the caller's. */
void subscriptions_on_notify(struct platform *p, struct device *d,
                             const struct sip_event *ev);
#endif
