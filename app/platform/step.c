#include "app/platform/step.h"

#include <stddef.h>

static const char *const step_name[PLATFORM_STEP_COUNT] = {
#define X(id, name, text) name,
    PLATFORM_STEP_MAP(X)
#undef X
};

static const char *const step_text[PLATFORM_STEP_COUNT] = {
#define X(id, name, text) text,
    PLATFORM_STEP_MAP(X)
#undef X
};

const char *platform_step_name(enum platform_step s)
{
    return step_name[s];
}

const char *platform_step_text(enum platform_step s)
{
    return step_text[s];
}

bool platform_step_is_late(enum platform_step s, unsigned sip_status)
{
    switch (s) {
    case PLATFORM_STEP_ANSWER: /* a provisional answer is none */
        return sip_status < 200 || sip_status == 408;
    case PLATFORM_STEP_CONNECT:
    case PLATFORM_STEP_PACKET:
    case PLATFORM_STEP_PROGRAM:
    case PLATFORM_STEP_CODEC:
    case PLATFORM_STEP_KEY:
        return true;
    case PLATFORM_STEP_DEVICE:
    case PLATFORM_STEP_SOCKET:
    case PLATFORM_STEP_INVITE:
    case PLATFORM_STEP_PLAYING:
    case PLATFORM_STEP_ENDED:
    case PLATFORM_STEP_COUNT:
        break;
    }
    return false;
}

const char *platform_loss_hint(bool udp, uint64_t packets, uint64_t lost)
{
    if (lost * 20 <= packets + lost) /* pictures come whole with one in twenty */
        return NULL;
    return udp ? "packets are lost on their way: try TCP, or a lower bit rate "
                 "of the camera"
               : "the device leaves packets out, as its uplink or its encoder "
                 "cannot keep up: lower the bit rate of the camera";
}
