/* app/platform/platform_past.h - what the store kept of the process before:
 * call before the first input, groups, then devices, then their settings. */
#ifndef APP_PLATFORM_PLATFORM_PAST_H
#define APP_PLATFORM_PLATFORM_PAST_H

#include "app/platform/platform_base.h"
#include "app/platform/platform_devices.h"
#include "sip/stack.h"

/* A device as the store kept it; comes back on its first keepalive inside its
 * expiry. Call before the first input. */
struct platform_saved_device {
    struct slice id, name, manufacturer, model, firmware, user_agent, edition,
        charset;
    struct sip_peer peer; /* connection is ignored */
    int64_t registered_utc_ms, expires_utc_ms, keepalive_utc_ms;
    struct slice history, profile; /* of platform_device_save; may be empty */
};
int platform_restore_device(struct platform *p,
                            const struct platform_saved_device *d,
                            struct gb_time now);
int platform_restore_channel(struct platform *p,
                             const struct platform_channel *c);
/* Groups before the settings that name them, devices before theirs. */
int platform_restore_group(struct platform *p, struct slice name,
                           struct slice password,
                           const struct platform_policy *subscribe,
                           struct gb_time now);
int platform_restore_settings(struct platform *p, struct slice id,
                              const struct platform_settings *s,
                              struct gb_time now);
/* The highest ids that were given out before, so that none comes again. */
void platform_restore_ids(struct platform *p, uint64_t alarm,
                          uint64_t command);
/* BYE for a dialog of the process before (field-note 5.1), which was stored
 * under this key. DIALOG_CLOSED follows when that has been answered. GB_ESYNTAX
 * (a damaged store), GB_ENOMEM: nothing is known of it. */
int platform_restore_dialog(struct platform *p, uint64_t key,
                            const struct sip_dialog_state *d,
                            const struct sip_peer *peer, struct gb_time now);
#endif
