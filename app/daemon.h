/* app/daemon.h - the parts joined: stack, platform, store, media loops, HTTP,
 * on one main loop */
#ifndef APP_DAEMON_H
#define APP_DAEMON_H

#include "app/config.h"
#include "app/secrets.h"

#define DAEMON_DRAIN_MS 5000 /* SIGTERM to the end at most */

struct daemon;

/* Starts everything; config and secrets are borrowed. On error *why holds one
 * sentence and nothing runs. 0 or an error code. */
int daemon_new(struct daemon **out, const struct config *c,
               const struct secrets *s, char why[static WHY_MAX]);

/* Takes over the settings that SIGHUP may change. */
void daemon_reload(struct daemon *d, const struct config *c);

/* Prints what a person needs: page, password, what to type into a camera. */
void daemon_banner(const struct daemon *d, bool chinese);

/* Runs until SIGTERM or SIGINT have drained it. reload is called on SIGHUP,
 * take_over when people have set something: c is to be in force, and keeps what it
 * is not any more. */
void daemon_run(struct daemon *d, void (*reload)(void *ctx),
                void (*take_over)(void *ctx, struct config *c), void *ctx);
void daemon_free(struct daemon *d);
#endif
