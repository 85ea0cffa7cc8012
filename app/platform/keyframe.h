/* app/platform/keyframe.h - key frames that are asked for */
#ifndef APP_PLATFORM_KEYFRAME_H
#define APP_PLATFORM_KEYFRAME_H

#include <stdbool.h>
#include <stdint.h>

struct platform;
struct session;

struct session_key {
    uint64_t asked_ms; /* the last order; 0: none yet */
    uint64_t seen;     /* key frames, as the edge last told */
    bool awaited;      /* it is not known yet what came of that order */
    uint8_t in_vain;   /* orders in a row that nothing came of */
};

/* A key frame is needed: asks the device, unless that was lately or is known to
 * be in vain. */
void keyframe_want(struct platform *p, struct session *s);
/* So many have come in all, as the edge says. */
void keyframe_count(struct platform *p, struct session *s, uint64_t keys);
#endif
