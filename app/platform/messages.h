/* app/platform/messages.h - requests other than REGISTER */
#ifndef APP_PLATFORM_MESSAGES_H
#define APP_PLATFORM_MESSAGES_H

#include "app/platform/platform.h"

#define CHANNEL_SENDERS_MAX 32 /* devices of one peer whose channels may send */

/* A request outside REGISTER. */
void messages_request(struct platform *p, const struct sip_event *ev);
/* What the stack has refused: SIP_EV_REFUSED. */
void messages_refused(struct platform *p, const struct sip_event *ev);
#endif
