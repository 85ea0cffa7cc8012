/* app/net/speaker.h - the clock of those who speak on a media loop: packets of
 * app/media/voice.h go out through the sockets of their session at their time */
#ifndef APP_NET_SPEAKER_H
#define APP_NET_SPEAKER_H

#include "app/media/voice.h"
#include "app/net/ingest.h"

#define SPEAKER_TICK_MS 10 /* the clock, while anybody speaks */

/* Of one loop. Fields are its own. */
struct speakers {
    uv_timer_t tick;
    struct list all;
};

struct speaker;
void speakers_init(struct speakers *all, uv_loop_t *loop);
/* When all are free. */
void speakers_close(struct speakers *all);

/* in is borrowed, and outlives it. on_over: a recording has been said, once;
 * it may free the speaker. Errors of voice_new. */
int speaker_new(struct speaker **out, struct speakers *all, struct ingest *in,
                const struct voice_options *o, void (*on_over)(void *ctx),
                void *ctx);
void speaker_free(struct speaker *s);
void speaker_feed(struct speaker *s, const int16_t *pcm, size_t n);
void speaker_counters(const struct speaker *s, struct voice_counters *out);
#endif
