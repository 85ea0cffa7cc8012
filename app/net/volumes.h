/* app/net/volumes.h - directories of recordings, one a disk
 *
 *            space           fails, hangs, is not there
 *   GOOD ◄─────────► FULL
 *    ▲ ▲               │
 *    │ └───────────────┴───────► GONE
 *    └───────────────────────────┘ is there again
 *
 * A new file goes to the good disk that has most room; where none is good, to a
 * full one. A disk is known by its number, which is in the flags of its segments:
 * their order is for ever. States are looked at by the disks' own threads. */
#ifndef APP_NET_VOLUMES_H
#define APP_NET_VOLUMES_H

#include "app/net/disk.h"
#include "base/slice.h"

#define VOLUMES_MAX 8        /* directories of record.dir */
#define VOLUME_DIR_MAX 1023   /* bytes of one */
#define VOLUMES_ASK_MS 2000   /* between two looks at each */
#define VOLUMES_HANGS_MS 15000 /* a look that takes longer: the disk hangs */

enum volume_state { VOLUME_GOOD, VOLUME_FULL, VOLUME_GONE };
const char *volume_state_name(enum volume_state s); /* "good" */

struct volumes;

/* dirs: separated by commas, VOLUMES_MAX at most; copied. 0, GB_ERANGE,
 * GB_ESYNTAX (an empty one), GB_ENOMEM or a libuv error. */
int volumes_new(struct volumes **out, struct slice dirs);
/* Once nothing is done on them. NULL is fine. */
void volumes_free(struct volumes *v);

/* ---- any thread -------------------------------------------------------------------- */

unsigned volumes_count(const struct volumes *v);
/* Of a number that is none, as a store of before may have it: the first one's. */
const char *volumes_dir(const struct volumes *v, unsigned i);
struct disk *volumes_disk(const struct volumes *v, unsigned i);
/* Where the next file is to go; the first one where all are gone. */
unsigned volumes_pick(const struct volumes *v);
/* Something there failed with this errno. */
void volumes_failed(struct volumes *v, unsigned i, int sys);

struct volume_view {
    enum volume_state state;
    uint64_t size, free; /* bytes, as of the last look; 0: none yet */
};
void volumes_view(const struct volumes *v, unsigned i, struct volume_view *out);

/* ---- the main loop ------------------------------------------------------------------ */

/* So many bytes stay free on each. */
void volumes_keep(struct volumes *v, uint64_t bytes);
/* Looks at those that were not looked at for VOLUMES_ASK_MS. true: since the last
 * call all that are not gone were found full, and something has to go. */
bool volumes_turn(struct volumes *v, uv_loop_t *loop, uint64_t now_ms);
/* One whose state has changed since it was told last. */
bool volumes_news(struct volumes *v, unsigned *i, enum volume_state *state);
/* No further look. */
void volumes_close(struct volumes *v);
#endif
