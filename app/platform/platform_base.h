/* app/platform/platform_base.h - what all parts of the platform's contract
 * share. Included by them; the whole contract is platform.h. */
#ifndef APP_PLATFORM_PLATFORM_BASE_H
#define APP_PLATFORM_PLATFORM_BASE_H

#include "base/addr.h"
#include "base/alloc.h"
#include "base/slice.h"
#include "base/time.h"

#define PLATFORM_ID_MAX 32 /* longest device or channel id kept */

struct platform;

enum platform_transport { /* named from our side */
    PLATFORM_AUTO, PLATFORM_UDP, PLATFORM_TCP_PASSIVE, PLATFORM_TCP_ACTIVE,
};
#endif
