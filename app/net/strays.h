/* app/net/strays.h - files of recordings that the index may not know
 *
 *     main loop            a looking thread of the disk
 *     strays_walk ───────► DIR/DEVICE/CHANNEL/DAY/ms.mp4, a few names at a time
 *     on_found ◄────────── those that have such a name
 *
 * A store that was lost, or put back from a backup, and a power cut right behind
 * the begin of a file leave files that nobody would find, nor ever remove. All
 * disks are walked once, one behind the other; a name that no recording has is
 * left alone. */
#ifndef APP_NET_STRAYS_H
#define APP_NET_STRAYS_H

#include "app/net/volumes.h"

#include <uv.h>

#define STRAYS_NAME_MAX 64   /* bytes of a directory's name */
#define STRAYS_BATCH 64      /* files that are told at once */
#define STRAYS_STEP 2048     /* names that are looked at, at once */
#define STRAYS_SETTLED_S 60  /* not written for so long: nobody does any more */

struct stray {
    unsigned volume;
    struct slice device, channel;
    int64_t begin_utc_ms;
    bool settled; /* false: somebody may be writing it just now */
};

struct strays_config {
    uv_loop_t *main;
    struct volumes *volumes; /* borrowed */
    void (*on_found)(void *ctx, const struct stray *s);
    void *ctx;
};

struct strays;

/* 0 or GB_ENOMEM. */
int strays_new(struct strays **out, const struct strays_config *cfg);
/* Once nothing is done on the disks. NULL is fine. */
void strays_free(struct strays *s);

/* Walks on from where it was; nothing while it does so. false: all is walked. */
bool strays_walk(struct strays *s);
bool strays_is_walking(const struct strays *s);
#endif
