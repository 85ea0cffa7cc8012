/* app/media/chunk.h - output bytes of one frame in one format, shared
 *
 * own bytes, then a frame's data, then a few bytes more; immutable once made,
 * counted atomically. A muxer never copies a picture: the chunk refers to the
 * frame. It can be read plain, as one WebSocket message or as one HTTP chunk:
 * those frames lie ready in it, so all viewers share them too. */
#ifndef APP_MEDIA_CHUNK_H
#define APP_MEDIA_CHUNK_H

#include "app/media/frame.h"
#include "base/writer.h"

/* The layout of struct iovec, and of uv_buf_t on Linux. */
struct media_iov {
    char *base;
    size_t len;
};

enum media_framing {
    MEDIA_PLAIN,   /* the bytes */
    MEDIA_WS,      /* one binary WebSocket message, unmasked (RFC 6455 §5.2) */
    MEDIA_CHUNKED, /* one chunk (RFC 9112 §7.1) */
};

#define MEDIA_CHUNK_IOVS 4 /* the most pieces of one chunk */
#define MEDIA_WS_HEAD 10   /* the longest unmasked frame header */
#define MEDIA_HTTP_HEAD 18 /* 16 hex digits, CR LF */
#define MEDIA_TAIL_MAX 4
#define MEDIA_TIME_BYTES 8 /* big-endian */
#define MEDIA_TIMED_IOVS (MEDIA_CHUNK_IOVS + 2)

struct media_chunk {
    atomic_uint refs;
    const struct gb_alloc *alloc;
    struct media_frame *frame; /* referenced; NULL: own bytes only */
    size_t n_own, n_payload;
    int64_t dts90k;
    enum media_track track;
    bool key, leading;
    bool config;          /* carries no picture or sound: init, header tag */
    uint32_t version;     /* of a config: newest configuration inside */
    uint8_t tracks;       /* of a config: for viewers of just these (bits
                             1 << media_track); 0: for all who see the track */
    uint32_t timescale;   /* of a time in the own bytes that each viewer may be
                             told otherwise; 0: there is none */
    uint8_t time_at;      /* it: MEDIA_TIME_BYTES from there in the own bytes */
    uint8_t n_tail, n_ws, n_http;
    char tail[MEDIA_TAIL_MAX + 2]; /* and CR LF for HTTP */
    char http[MEDIA_HTTP_HEAD];
    char own[]; /* MEDIA_WS_HEAD bytes of room, then n_own bytes */
};

/* A chunk with room for n_own bytes. frame may be NULL; a reference is taken,
 * and track, key, leading, dts90k are copied. NULL: no memory. */
struct media_chunk *media_chunk_new(const struct gb_alloc *alloc, size_t n_own,
                                    struct media_frame *frame);

/* Where the own bytes are written, before media_chunk_seal. */
static inline char *media_chunk_own(struct media_chunk *c)
{
    return c->own + MEDIA_WS_HEAD;
}

/* The own bytes number n_own (at most the room asked for) and all fields are
 * set: makes the framings. Called once, before the chunk is shared. */
void media_chunk_seal(struct media_chunk *c, size_t n_own);

/* Own bytes were written through w: sealed, *out is the caller's, 0. If w has an
 * error c is let go, and that is returned. */
int media_chunk_finish(struct media_chunk **out, struct media_chunk *c,
                       const struct writer *w);

/* The time that viewers may be told otherwise, in timescale, which is not 0. */
int64_t media_chunk_time(const struct media_chunk *c);

struct media_chunk *media_chunk_ref(struct media_chunk *c);
void media_chunk_unref(struct media_chunk *c); /* NULL is fine */

/* Bytes as framed. */
size_t media_chunk_size(const struct media_chunk *c, enum media_framing f);

/* The pieces from byte off on; at most max of them. How many. */
size_t media_chunk_iov(struct media_chunk *c, enum media_framing f, size_t off,
                       struct media_iov *out, size_t max);

/* The same with another time in its place, borrowed as long as the pieces are,
 * which are MEDIA_TIMED_IOVS at most. NULL: as the chunk has it. */
size_t media_chunk_iov_timed(struct media_chunk *c, enum media_framing f,
                             char *time, size_t off, struct media_iov *out,
                             size_t max);
#endif
