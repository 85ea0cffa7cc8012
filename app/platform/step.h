/* app/platform/step.h - the links of the chain from the wish to see a channel to
 * its picture */
#ifndef APP_PLATFORM_STEP_H
#define APP_PLATFORM_STEP_H

#include <stdbool.h>
#include <stdint.h>

/* In order; a failure names the first that broke. */
#define PLATFORM_STEP_MAP(X)                                                   \
    X(DEVICE,  "device",  "device is known and online")                        \
    X(SOCKET,  "socket",  "media port is open")                                \
    X(INVITE,  "invite",  "INVITE is sent")                                    \
    X(ANSWER,  "answer",  "device answers the INVITE")                         \
    X(CONNECT, "connect", "TCP media connection is up")                        \
    X(PACKET,  "packet",  "RTP arrives")                                       \
    X(PROGRAM, "program", "program stream is found")                           \
    X(CODEC,   "codec",   "video codec is known")                              \
    X(KEY,     "key",     "key frame arrives")                                 \
    X(PLAYING, "playing", "picture is there")                                  \
    X(ENDED,   "ended",   "session is over")

enum platform_step {
#define X(id, name, text) PLATFORM_STEP_##id,
    PLATFORM_STEP_MAP(X)
#undef X
    PLATFORM_STEP_COUNT
};
const char *platform_step_name(enum platform_step s); /* "invite" */
const char *platform_step_text(enum platform_step s);

/* Of a session that failed at s: the device did not do in time what it had to.
 * Else it said no, or did it wrong, or the fault is ours.
 * sip_status: of its last answer, 0 none */
bool platform_step_is_late(enum platform_step s, unsigned sip_status);

/* What helps where no key frame comes whole, as so much is lost; NULL: little is. */
const char *platform_loss_hint(bool udp, uint64_t packets, uint64_t lost);
#endif
