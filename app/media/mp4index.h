/* app/media/mp4index.h - where the key frames of a recorded file are
 * (ISO/IEC 14496-12 8.8.9 to 8.8.11)
 *
 *     ftyp moov │ moof mdat moof mdat … │ mfra: tfra tfra mfro │
 *     head        fragments               written when the file ends
 *
 * With it a place in a file is found without a look at each sample. A table may
 * leave key frames out: one that grows too long keeps every second, fourth, …
 * Files may be cut or of somebody else: what is read is only a hint at where a
 * fragment may be. */
#ifndef APP_MEDIA_MP4INDEX_H
#define APP_MEDIA_MP4INDEX_H

#include "app/media/fmp4.h"
#include "app/media/mp4scan.h"

#define MP4INDEX_MAX 4096 /* key frames of one track that are told */

struct mp4index_entry {
    uint64_t pts, off; /* of the track's timescale; of the fragment, in the file */
};

struct mp4index_table {
    struct mp4index_entry *e;
    size_t n, cap;
};

/* ---- writing: while the file grows ------------------------------------------------- */

struct mp4index {
    const struct gb_alloc *alloc;
    struct mp4index_table table[MP4SCAN_TRACKS + 1]; /* by track id */
    uint32_t every[MP4SCAN_TRACKS + 1]; /* that many make one entry; 0: one */
    uint32_t seen[MP4SCAN_TRACKS + 1];  /* since the last one */
    bool sound_due; /* none since the last picture's entry */
};

void mp4index_init(struct mp4index *x, const struct gb_alloc *alloc);
void mp4index_fini(struct mp4index *x); /* and it is empty */
/* A fragment that lies at off. Only key frames count, of sound beside pictures
 * only the first one behind each of them. Without memory it is left out. */
void mp4index_add(struct mp4index *x, const char head[static FMP4_FRAGMENT_HEAD],
                  uint64_t off);
size_t mp4index_size(const struct mp4index *x); /* 0: there is nothing to tell */
/* Appends so many bytes; errors stay in w. */
void mp4index_write(const struct mp4index *x, struct writer *w);

/* ---- reading ------------------------------------------------------------------------ */

/* The table of one track of a file of `size` bytes; times and places rise, and
 * all are before *end, where the index begins. out->e is the caller's (gb_put).
 * 0, GB_ENOENT (there is none, or it is damaged), GB_ENOMEM. */
int mp4index_read(struct mp4index_table *out, uint64_t *end,
                  const struct gb_alloc *alloc, uint32_t track,
                  mp4scan_read_fn *read, void *ctx, uint64_t size);
#endif
