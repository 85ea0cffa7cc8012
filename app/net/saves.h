/* app/net/saves.h - downloads into files: taps on the media loops, and the disk
 *
 *     main loop                    media loop              the disk
 *     saves_start ──mail──► tap on the session's hub
 *                           frames ► saver ► bytes ──────► pwrite
 *     on_saved ◄──mail───── where the file stands ◄─────── done
 *     saves_end ─────────────────────────────────────────► fsync, rename
 *
 * While a file has no session it is at rest on the main loop; a session takes it
 * to its own loop and gives it back. The disk has one job of a file at a time;
 * what comes meanwhile gathers, so that a slow disk is met with larger writes. A
 * file is NAME.part until it is whole. */
#ifndef APP_NET_SAVES_H
#define APP_NET_SAVES_H

#include "app/media/saver.h"
#include "app/net/disk.h"
#include "app/net/media.h"

#define SAVES_REPORT_MS 500 /* between two reports of one file */

struct saves;

struct saves_report {
    uint64_t id, session;
    struct saver_mark mark;
    int64_t hole_from_ms, hole_to_ms;
    bool over;        /* the session has left it, all is written */
    int err;          /* GB_ELIMIT: the disk is full */
    const char *text; /* of err; borrowed */
};

struct saves_config {
    uv_loop_t *main;
    struct media_net *media;
    struct disk *disk; /* borrowed, as is dir, which lies on it */
    const char *dir;
    void (*on_saved)(void *ctx, const struct saves_report *r);
    /* bytes: of the file that is there now. */
    void (*on_filed)(void *ctx, uint64_t id, uint64_t bytes, int err,
                     const char *text);
    void *ctx;
};

/* 0 or GB_ENOMEM. */
int saves_new(struct saves **out, const struct saves_config *cfg);
/* After media_net_close and once the main loop has nothing to do. */
void saves_free(struct saves *s);

struct saves_order {
    uint64_t id, session;
    unsigned loop;
    enum saver_format format;
    struct saver_mark mark; /* of a file of before a restart */
    int64_t start_utc_ms;   /* where the session's positions begin */
    bool anew;              /* see splice_restart */
};
/* Its reports come later, an `over` among them in every case. */
void saves_start(struct saves *s, const struct saves_order *o);
/* The id of a file that has this name while it is not whole; false: none has. */
bool saves_is_part(const char *name, uint64_t *id);
/* Publishes NAME, or removes all of it, once the file is at rest; on_filed
 * follows. Of several orders that wait for that the last counts. mark as above. */
void saves_end(struct saves *s, uint64_t id, enum saver_format format,
               const struct saver_mark *mark, bool remove);
#endif
