/* app/media/saver.h - frames of a recording into the bytes of one file
 *
 *   session 1   frames ──► splice ──► muxer ──► bytes ──► owner's file
 *   session 2   frames ──► (not again what is there) ──┘
 *
 * The file is one timeline, whatever the sessions' clocks were: the first picture
 * that another session brings begins where the last one ended. A mark is the end
 * of a picture; what is behind it (sound, a picture cut off) is taken back when
 * another session begins, and comes again. When a picture is known to be whole
 * is a matter of chance: a sound that came before that is put behind it, where it
 * is in the stream, so that each sending has the same order. MP4 is fragmented,
 * one fragment a frame, as fmp4.h has them; PS is written anew, as ps/mux.h has
 * it.
 *
 * It knows no file: bytes gather until the owner takes them. */
#ifndef APP_MEDIA_SAVER_H
#define APP_MEDIA_SAVER_H

#include "app/media/fmp4.h"
#include "app/media/splice.h"
#include "ps/mux.h"

#define SAVER_HELD_MAX 4096          /* frames before the tracks are decided */
#define SAVER_EARLY_MAX 64           /* sounds that wait for their picture */
#define SAVER_BYTES_MAX (64u << 20)  /* gathered: the disk does not keep up */

enum saver_format { SAVER_MP4, SAVER_PS };

struct saver_mark {
    uint64_t bytes;      /* of the file */
    int64_t at_utc_ms;   /* of the last picture; 0: none */
    int64_t end90k;      /* where it ends */
    uint64_t key, chain; /* of splice.h */
};

struct saver_held {
    struct media_frame *frame;
    struct media_config *config;
    int64_t at_ms;
};

struct saver {
    const struct gb_alloc *alloc;
    enum saver_format format;
    struct splice splice;
    struct fmp4_mux mux, mux_at_mark;
    struct ps_mux ps;
    bool ready;             /* the file can take bytes */
    bool begun;             /* the file has its head */
    bool resumed;           /* its head is of another process */
    uint8_t tracks;         /* bits 1 << media_track, of the head */
    struct media_config *config[MEDIA_TRACKS]; /* of the head; references */
    bool other_sets;        /* than in the head: key frames bring their own */
    bool shifted;           /* mux.shift90k is of this session */
    struct saver_held *held;
    size_t n_held;
    struct saver_held early[SAVER_EARLY_MAX];
    size_t n_early;
    struct saver_mark mark;
    int64_t hole_from_ms, hole_to_ms; /* met and not told; 0: none */
    char *out;              /* bytes that nobody has taken */
    size_t n_out, cap_out;
    uint64_t bytes;         /* of the file, with those */
    int err;                /* GB_ENOMEM, GB_ELIMIT, GB_EUNSUPPORTED */
    const char *why;
};

/* from: of a file that exists, whose tracks are these (bits); NULL: there is
 * none. */
void saver_init(struct saver *s, const struct gb_alloc *alloc,
                enum saver_format format, const struct saver_mark *from,
                uint8_t tracks);
void saver_fini(struct saver *s);

/* Another session begins; anew: see splice_restart. Its frames are held until
 * the owner has cut the file to mark.bytes, and says that it is ready. */
void saver_restart(struct saver *s, bool anew);
void saver_ready(struct saver *s);

/* A frame of it, with the configuration of its track; at_ms: position of the
 * picture, UTC. other: the configuration of the other track, or NULL. decided:
 * no further track is waited for. Errors stay in s. */
void saver_frame(struct saver *s, struct media_frame *f,
                 struct media_config *config, struct media_config *other,
                 bool decided, int64_t at_ms);

/* No more frames come: those that waited for another track, or for the owner, go
 * into the file, if it is ready. A device that sends as fast as it can is done
 * before a decision. */
void saver_end(struct saver *s);

/* Takes what has gathered: *cap bytes of room, n of them used, are the caller's
 * (gb_put). NULL: nothing has. */
char *saver_take(struct saver *s, size_t *n);
#endif
