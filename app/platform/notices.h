/* app/platform/notices.h - what devices tell of themselves: keepalives, alarms,
 * places, catalogs and answers that no command waits for */
#ifndef APP_PLATFORM_NOTICES_H
#define APP_PLATFORM_NOTICES_H

#include "base/arena.h"
#include "manscdp/msg.h"
#include "sip/stack.h"

struct device;
struct platform;

/* One body and the request that carried it. */
struct delivery {
    struct platform *p;
    struct device *d;
    const struct sip_event *ev;
    struct slice body; /* the XML: of the message, or a part of it */
    struct arena *arena;
    bool is_command;   /* it has answered one */
};

/* Names the body another one than this device and its channels? */
bool notice_is_foreign(const struct delivery *v, struct slice id);
/* The request has been answered; what nobody handles is let pass. */
void notice_take(struct delivery *v, const struct manscdp_msg *msg);
#endif
