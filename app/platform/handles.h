/* app/platform/handles.h - what sip_request.user and timers name */
#ifndef APP_PLATFORM_HANDLES_H
#define APP_PLATFORM_HANDLES_H

#include <stdint.h>

enum handle_kind {
    HANDLE_DEVICE, HANDLE_SESSION, HANDLE_DIALOG, HANDLE_COMMAND, HANDLE_VOICE
};

struct handle {
    uint8_t kind;
    uint64_t id; /* in p->handles */
};

enum timer_kind {
    TIMER_LIFE, TIMER_QUERY, TIMER_SESSION, TIMER_SUBSCRIPTIONS, TIMER_COMMAND,
    TIMER_PTZ, TIMER_UPGRADE, TIMER_RECORDS, TIMER_DOWNLOAD, TIMER_VOICE,
    TIMER_DIALOG
};
#endif
