/* app/replay_media.h - pictures that a replay makes up
 *
 * A capture of signalling has no media. What an edge would tell the platform of
 * each session is told here: it is opened, once it is answered a picture comes
 * as it should, and goes on until it is closed. */
#ifndef APP_REPLAY_MEDIA_H
#define APP_REPLAY_MEDIA_H

#include "app/platform/platform.h"

struct replay_media {
    struct replay_picture *first; /* own memory; NULL: none */
};

/* Carries out an action about media; others change nothing. false: no
 * memory. */
bool replay_media_order(struct replay_media *m, struct platform *p,
                        const struct platform_action *a, struct gb_time now);

/* When the next of them has something to tell; GB_NEVER: none has. */
uint64_t replay_media_deadline(const struct replay_media *m);

/* Tells what is due. */
void replay_media_step(struct replay_media *m, struct platform *p,
                       struct gb_time now);

void replay_media_free(struct replay_media *m);
#endif
