/* app/platform/registrar.h - REGISTER */
#ifndef APP_PLATFORM_REGISTRAR_H
#define APP_PLATFORM_REGISTRAR_H

#include "app/platform/platform.h"

struct sip_uri;

void registrar_request(struct platform *p, const struct sip_event *ev);
/* Reads the user of a URI as an id into buf; false: it is none. */
bool platform_user(const struct sip_uri *uri, char buf[static PLATFORM_ID_MAX],
                   struct slice *id);
#endif
