/* app/platform/voices.h - what the platform asks of its voices; voice.h is for
 * those who speak */
#ifndef APP_PLATFORM_VOICES_H
#define APP_PLATFORM_VOICES_H

#include "app/platform/platform.h"

struct device;
struct handle;
struct manscdp_msg;
struct timerq_node;
struct voice_call;

/* The one of this device that is not over; NULL. */
struct voice_call *voice_of(const struct platform *p, const struct device *d);
/* An INVITE of this device that is about a voice is answered; false: it is not,
 * and nothing is. */
bool voice_on_invite(struct platform *p, struct device *d,
                     const struct sip_event *ev);
/* One of this device was refused before anybody looked at it. */
void voice_on_refused(struct platform *p, struct device *d,
                      const struct sip_event *ev);
/* Response to a Broadcast. */
void voice_on_response(struct platform *p, struct device *d,
                       const struct manscdp_msg *msg);
void voice_on_sip(struct platform *p, struct handle *h,
                  const struct sip_event *ev);
void voice_on_media(struct platform *p, struct handle *h,
                    const struct platform_media_event *ev);
void voice_on_timer(struct platform *p, struct timerq_node *n);
void voices_of_device_end(struct platform *p, struct device *d,
                          const char *why, bool removed);
void voices_of_device_move(struct platform *p, struct device *d);
void voices_end(struct platform *p, const char *why);
void voices_fini(struct platform *p);
bool voices_news(struct platform *p, struct platform_action *out);
void voices_take_back(struct platform *p);
#endif
