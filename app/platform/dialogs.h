/* app/platform/dialogs.h - ended dialogs that may live on in a device */
#ifndef APP_PLATFORM_DIALOGS_H
#define APP_PLATFORM_DIALOGS_H

#include "app/platform/handles.h"
#include "app/platform/platform.h"
#include "base/list.h"
#include "base/timerq.h"

struct device;
struct session;

#define PLATFORM_MAX_DIALOGS_KEPT 256 /* ended ones, for a BYE after a 486,
                                         beside one for each session */
#define PLATFORM_MAX_DIALOGS_ANSWERED 256 /* likewise, whose BYE is answered */

/* A dialog that may still live in a device. */
struct kept_dialog {
    struct handle handle; /* names its BYE; id 0: no BYE is on its way */
    struct list node;     /* in p->kept_dialogs while kept, or, when its BYE
                             has been answered, in p->answered_dialogs */
    struct list closed;   /* in p->closed_dialogs: to be told CLOSED */
    bool kept;
    uint64_t key; /* the owner has it stored so until CLOSED; 0: it has not */
    bool due; /* its BYE has not gone out: over TCP it waits for the device's
                 new connection, otherwise for memory ... */
    bool asked; /* ... or for the device to register: it wants a password */
    bool answered;        /* the device knows that it is over */
    bool goes_on, again;  /* its media still come; it had a BYE for that */
    bool login;           /* its BYE answers a challenge */
    uint64_t session;     /* whose it was; 0: an earlier process's */
    struct timerq_node timer; /* of an answered one: forgotten then */
    struct sip_dialog_state state; /* slices into text */
    struct slice device;  /* likewise; empty: an earlier process began it */
    struct slice channel, contact; /* users of the URIs: called, and answered */
    struct sip_peer peer;
    char text[];
};

/* That of a session or a voice. */
struct open_dialog {
    uint64_t id;  /* of the stack; 0: there is none */
    uint64_t key; /* the owner has it stored so; 0: it has not */
};

/* OPENED when it is one the owner does not know, or has changed, CLOSED when the
 * one it knows is over; false: neither. d: whose it is. */
bool dialog_tell(struct platform *p, const struct device *d,
                 struct open_dialog *o, struct platform_action *out);
/* BYE or CANCEL; it is none from here. It stays stored until its BYE is answered:
 * should this process end before, the next one sends another. d: whose it is,
 * NULL: that is not known; session: whose media may still come, 0: nobody's.
 * Behind it dialog_tell has its word. */
void dialog_end(struct platform *p, const struct device *d,
                struct open_dialog *o, uint64_t session);
void session_end_dialog(struct platform *p, struct session *s);
/* Its BYE has been answered, or given up. */
void dialog_on_bye(struct platform *p, struct kept_dialog *k,
                   const struct sip_event *ev);
/* A dialog with this channel of the device is over, and lately so: late words of
 * it may still come. */
bool dialogs_ended_of(const struct platform *p, const struct device *d,
                      struct slice channel);
/* Media of an ended session still come: one more BYE, once. */
void dialogs_media_after(struct platform *p,
                         const struct platform_media_event *ev);
void dialog_on_timer(struct platform *p, struct timerq_node *n);
/* BYEs for all that may still live in this device. */
void dialogs_end(struct platform *p, const struct device *d);
/* If there is a way to the device: the BYEs that waited for that. */
void dialogs_end_due(struct platform *p, const struct device *d);
void dialogs_fini(struct platform *p);
#endif
