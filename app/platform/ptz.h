/* app/platform/ptz.h - movements that must end
 *
 *     move, lens ──► MOVING ──the same again: renewed──┐
 *                     │  ▲──another one: replaced ◄────┘
 *                     ▼
 *     stop; ptz_hold_ms without renewal; a preset or a cruise that takes over
 *
 * A camera goes on until it hears a stop (GB/T 28181-2022 A.3.1), so each
 * movement that a PTZCmd starts is remembered, whoever sent it. The last one
 * wins. A stop that cannot be sent is owed until the device is back. One that
 * overtakes its movement, or a movement its successor, on UDP is sent again
 * once the late one has been answered. */
#ifndef APP_PLATFORM_PTZ_H
#define APP_PLATFORM_PTZ_H

#include "app/platform/platform.h"
#include "base/list.h"
#include "base/timerq.h"
#include "manscdp/ptz.h"

#define PTZ_MOVES_MAX 1024 /* channels that move at one time */

struct ptz_moves {
    struct list all;
    size_t n;
};

/* What moves by itself: two things of one channel do. */
enum ptz_kind { PTZ_MOVE, PTZ_LENS, PTZ_KINDS };

void ptz_init(struct ptz_moves *m);
void ptz_fini(struct platform *p);
void ptz_on_timer(struct platform *p, struct timerq_node *timer);
/* false: no further channel may move. */
bool ptz_has_room(const struct platform *p, struct slice device,
                  struct slice channel);
/* This has been sent, as command id. */
void ptz_sent(struct platform *p, struct slice device, struct slice channel,
              const struct manscdp_ptz *c, uint64_t id);
/* A movement has been answered, refused or given up. */
void ptz_settled(struct platform *p, struct slice device, struct slice channel,
                 enum ptz_kind kind, uint64_t id, bool refused);
#endif
