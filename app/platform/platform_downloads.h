/* app/platform/platform_downloads.h - ranges of what devices have recorded, on
 * their way into files. */
#ifndef APP_PLATFORM_PLATFORM_DOWNLOADS_H
#define APP_PLATFORM_PLATFORM_DOWNLOADS_H

#include "app/platform/platform_base.h"

/* A range of what a device has recorded, on its way into a file. */
#define PLATFORM_DOWNLOAD_STATE_MAP(X)                                         \
    X(QUEUED,  "queued")  /* waits: evidence says for what */                  \
    X(LISTING, "listing") /* the device is asked what it has */                \
    X(RUNNING, "running")                                                      \
    X(DONE,    "done")    /* all that the device has of it is in the file */   \
    X(PARTIAL, "partial") /* some of it could not be fetched: see the gaps */  \
    X(FAILED,  "failed")  /* there is no file */

enum platform_download_state {
#define X(id, name) PLATFORM_DOWNLOAD_##id,
    PLATFORM_DOWNLOAD_STATE_MAP(X)
#undef X
    PLATFORM_DOWNLOAD_STATES
};
const char *platform_download_state_name(enum platform_download_state s);
enum platform_download_state platform_download_state_by_name(struct slice name);

enum platform_file { PLATFORM_FILE_MP4, PLATFORM_FILE_PS };
const char *platform_file_name(enum platform_file f); /* "mp4" */

#define PLATFORM_DOWNLOADS_MAX 256      /* remembered, the oldest final ones go */
#define PLATFORM_DOWNLOAD_PARTS 2048    /* files of the device in one of them */
#define PLATFORM_DOWNLOAD_GAPS 256      /* told of one of them */
#define PLATFORM_DOWNLOADS_DEVICE 8     /* running of one device */
#define PLATFORM_DOWNLOAD_TRIES 6       /* without progress */

struct platform_download_order {
    struct slice device, channel;
    uint64_t start_s, stop_s;
    enum platform_file format;
    enum platform_transport transport; /* AUTO: TCP where the device can */
    uint32_t speed;                    /* 0: 4 */
};

/* Where a file stands: what another session has to go on behind. The key frame
 * and the chain of the last picture are hashes, see app/media/splice.h. */
struct platform_download_mark {
    uint64_t bytes;      /* of the file, up to the end of the last picture */
    int64_t at_utc_ms;   /* of that picture; 0: there is none yet */
    int64_t end90k;      /* where the next one begins in the file */
    uint64_t key, chain;
};

struct platform_download {
    uint64_t id;
    struct slice device, channel;
    enum platform_file format;
    enum platform_transport transport;
    uint32_t speed;
    uint64_t start_s, stop_s;
    enum platform_download_state state;
    bool is_final, has_file;
    bool ends;           /* cancelled; it is gone as soon as its file is */
    uint64_t session;    /* that fetches now; 0: none */
    uint64_t received_bytes, filesize_bytes; /* of it, as the device sends and
                                                announces; 0: untold */
    size_t n_parts, n_parts_done; /* files of the device; 0: not known yet */
    int64_t covered_ms, total_ms; /* of the recorded time */
    unsigned tries;      /* sessions without progress, one after the other */
    unsigned sessions;   /* in all */
    struct platform_download_mark mark;
    int64_t created_utc_ms, ended_utc_ms;
    struct slice evidence;
    struct slice parts;  /* of platform_download_save, for the store alone */
};

enum platform_gap_kind {
    PLATFORM_GAP_NOT_RECORDED, /* the device has nothing */
    PLATFORM_GAP_NOT_SENT,     /* it has, as it said, and sent nothing */
    PLATFORM_GAP_LOST,         /* it could not be fetched */
};
struct platform_download_gap {
    int64_t from_utc_ms, to_utc_ms;
    enum platform_gap_kind why;
};

/* GB_ENOENT, GB_ERANGE, GB_ESYNTAX, GB_ELIMIT, GB_ENOMEM. A device that is
 * offline is waited for. */
int platform_download_start(struct platform *p,
                            const struct platform_download_order *o,
                            struct gb_time now, uint64_t *id);
/* Ends it, its file is removed. GB_ENOENT. */
int platform_download_cancel(struct platform *p, uint64_t id,
                             struct gb_time now);
/* The same of one that is cancelled, too: for the owner of its file. */
bool platform_download_file(const struct platform *p, uint64_t id,
                            struct platform_download *out);
bool platform_download_view(const struct platform *p, uint64_t id,
                            struct platform_download *out);
/* i from 0, newest first. */
bool platform_download_at(const struct platform *p, size_t i,
                          struct platform_download *out);
bool platform_download_gap_at(const struct platform *p, uint64_t id, size_t i,
                              struct platform_download_gap *out);
/* The view, with its parts as a line in buf, of cap bytes. */
#define PLATFORM_DOWNLOAD_SAVED_MAX 65536
bool platform_download_save(const struct platform *p, uint64_t id, char *buf,
                            size_t cap, struct platform_download *out);
/* As the store kept it; oldest first. What was running goes on. */
int platform_restore_download(struct platform *p,
                              const struct platform_download *d,
                              struct gb_time now);

/* What the file's owner reports of an order DO_SAVE: where the file stands;
 * over: the session has left it, and all of it is on the disk. err: it cannot
 * be written (text says why); it is tried again later where the disk is full
 * (GB_ELIMIT), else the download fails. */
struct platform_download_saved {
    uint64_t id, session;
    struct platform_download_mark mark;
    int64_t gap_from_utc_ms, gap_to_utc_ms; /* a hole that was met; 0: none */
    bool over;
    int err;
    const char *text;
};
void platform_download_saved(struct platform *p,
                             const struct platform_download_saved *s,
                             struct gb_time now);
/* The answer to DO_FILE_END; bytes: of the file that is there now. */
void platform_download_filed(struct platform *p, uint64_t id, uint64_t bytes,
                             int err, const char *text, struct gb_time now);
#endif
