/* app/net/pulse.h - does the loop of another thread still turn? A mail is sent
 * to it and must be back before the next one. */
#ifndef APP_NET_PULSE_H
#define APP_NET_PULSE_H

#include "app/net/mailbox.h"

#include <stdatomic.h>

#define PULSE_EVERY_MS 1000
#define PULSE_LATE_MS 3000 /* a loop that is silent for so long has stalled */

/* The asking thread's, but for `away`. Zeroed is fine. */
struct pulse {
    struct mail mail;
    atomic_bool away;  /* sent, and not delivered yet */
    uint64_t sent_ms;
};

/* Sends it to the box, unless it is away. How long the loop has kept it, ms; 0:
 * it was back. */
uint64_t pulse_ask(struct pulse *p, struct mailbox *box, uint64_t now_ms);
#endif
