/* test/ps_record.h - what a demuxer delivers, as text that can be compared,
 * and the session of the reference vectors (GB/T 28181 PS over RTP) */
#ifndef TEST_PS_RECORD_H
#define TEST_PS_RECORD_H

#include "base/writer.h"
#include "ps/demux.h"

struct ps_recorder {
    struct writer text;   /* one line an access unit or stream */
    bool streams;         /* lines of on_stream too */
    bool plain;           /* without start codes, flags and rtp time: what
                             stays equal when a stream is cut otherwise */
    bool wait_key;        /* a viewer: no video before a key frame */
    size_t n_aus, held, held_max;
    struct ps_hooks hooks; /* hand this on */
    char buf[1 << 16];
};
void ps_recorder_init(struct ps_recorder *r);

/* A demuxer over the heap; fails the test when there is none. */
struct ps_demux *ps_recorder_demux(struct ps_recorder *r,
                                   const struct ps_options *opt);

/* Feeds bytes from a buffer of its own that dies when nobody holds it. */
void ps_feed_one(struct ps_demux *d, struct ps_recorder *r,
                 struct slice bytes, bool packet);

/* Feeds bytes in steps of n (0: at once), each step from a buffer of its own
 * that dies as soon as nobody holds it; then flushes to the end. */
void ps_feed_steps(struct ps_demux *d, struct ps_recorder *r,
                   struct slice bytes, size_t n, bool packets);

/* The payloads of the three packets: key frame, audio, P frame. */
extern const struct slice ps_vector[3];
/* What a plain recorder writes for them. */
extern const char ps_vector_text[];
#endif
