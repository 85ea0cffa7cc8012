/* ps/demux.h - MPEG program stream in, access units out
 * (ISO/IEC 13818-1 §2.5; GB/T 28181-2022 Annex C)
 *
 * Fed with the payloads of RTP packets in sequence order, or with blocks of a
 * file, cut anywhere. Nothing is copied: an access unit is a list of pieces
 * that point into the fed buffers. A buffer that must outlive its feed call
 * carries a cookie, and the demuxer tells when it begins and ends to need it.
 *
 * Damage (a gap, a length that cannot be, a header that is none) costs the
 * access unit it hits; the stream goes on at the next pack header. Knowledge
 * of streams and codecs survives. No input makes it grow past its limits. */
#ifndef PS_DEMUX_H
#define PS_DEMUX_H

#include "base/alloc.h"
#include "base/err.h"
#include "ps/codec.h"

#include <stddef.h>
#include <stdint.h>

#define PS_MAX_AU_BYTES (8u << 20) /* a larger access unit is damage */
#define PS_MAX_PIECES 8192         /* pieces of one access unit */
#define PS_MAX_NALS 512            /* NAL units of one access unit */
#define PS_MAX_STREAMS 8           /* elementary streams of one program */
#define PS_STASH_BYTES 1040        /* the largest header that may straddle */

struct ps_piece {
    const uint8_t *p;
    size_t n;
    void *buf; /* the cookie of the feed call it came from; may be NULL */
};

/* One NAL unit: header byte first, no start code, no trailing zeros. */
struct ps_nal {
    uint32_t off, len; /* in the concatenation of the pieces */
    uint8_t type;      /* H.264: 0..31, H.265: 0..63 */
};

/* One video access unit (Annex B with start codes, or lengths of four bytes in
 * their place where the device sends those), or the payload of one
 * audio PES. Valid during the callback only. */
struct ps_au {
    uint8_t stream_id; /* 0xe0.., 0xc0.. */
    enum ps_codec codec;
    bool key;          /* random access point (IRAP) */
    bool corrupt;      /* something is missing inside */
    bool discontinuity; /* something is missing before it */
    bool early;        /* audio: a picture that began before it is not out */
    bool has_pts, has_dts;
    uint64_t pts90k, dts90k; /* 33 bit, as on the wire */
    uint32_t rtp_ts;   /* of the packet in which it began */
    bool has_pack;     /* pack_off is known; else it lies in no pack */
    bool map;          /* ... and that pack had a program stream map */
    uint64_t pack_off; /* of the pack in which it began, see ps_place */
    const struct ps_piece *piece;
    size_t n_pieces, bytes;
    const struct ps_nal *nal; /* video of known codec only */
    size_t n_nals;
};

enum ps_codec_source { PS_FROM_NOTHING, PS_FROM_PSM, PS_FROM_SDP, PS_FROM_BYTES };

struct ps_stream {
    uint8_t stream_id, stream_type; /* type 0: no map said */
    enum ps_codec codec;
    enum ps_codec_source source;
    bool encrypted; /* scrambling bits set, or Hikvision descriptor 0x80 */
};

/* All of them synchronous, inside feed and flush; they must not call back into
 * the demuxer. on_au is needed, the others may be NULL. */
struct ps_hooks {
    void (*on_au)(void *ctx, const struct ps_au *au);
    /* a stream is new, or its codec has been learnt or has changed */
    void (*on_stream)(void *ctx, const struct ps_stream *s);
    /* a piece of an unfinished access unit lies in buf: keep it / done.
     * Each hold is followed by one release. Called once a feed, not a piece. */
    void (*hold)(void *ctx, void *buf);
    void (*release)(void *ctx, void *buf);
    void *ctx;
};

struct ps_counters {
    uint64_t bytes, packs, psms, pes, aus, keys;
    uint64_t skipped_bytes;   /* not part of any element */
    uint64_t resyncs;         /* times the structure was lost */
    uint64_t corrupt_aus, dropped_aus, bad_headers, encrypted;
    uint64_t corrupt_pictures; /* of corrupt_aus those of video */
};

struct ps_demux;

/* What the session knows before the first byte; zero is fine. */
struct ps_options {
    enum ps_codec video_hint, audio_hint; /* from SDP: used without a PSM */
    bool deliver_corrupt; /* else damaged access units are dropped */
    /* Access units without an index of their NAL units, for recorders, relays
     * and streams nobody looks at: H.264 and H.265 payload is looked at from
     * the start of each PES to its first picture NAL unit, and not touched
     * behind it. ps_au.nal then holds those NAL units alone, the last of a
     * PES reaching to the next one listed. Access units must begin with a PES
     * (several in one PES come out as one); key and codec stay exact. */
    bool heads_only;
};

/* GB_ENOMEM when alloc gives nothing. *hooks is copied. */
int ps_demux_new(struct ps_demux **out, const struct gb_alloc *alloc,
                 const struct ps_hooks *hooks, const struct ps_options *opt);
void ps_demux_free(struct ps_demux *d);

/* What is known of the bytes fed besides the bytes. */
struct ps_feed {
    void *buf;       /* cookie for hold and release; NULL: the bytes stay valid
                        until flush with `end`, or free */
    uint32_t rtp_ts; /* 0 from files */
    bool packet;     /* the bytes are one RTP payload: a pack header may be
                        believed at its start */
    bool marker;     /* RTP marker bit: a hint only */
};
void ps_demux_feed(struct ps_demux *d, const uint8_t *p, size_t n,
                   const struct ps_feed *f);

/* Packets are missing before the next feed: what is open is damaged. */
void ps_demux_gap(struct ps_demux *d);
/* The same; and there was more of the unit that is under way, also where its last
 * PES is whole. */
void ps_demux_gap_inside(struct ps_demux *d);

/* Delivers an access unit that only waits for its successor; called by the
 * owner after 200 ms of silence, again after 500 ms, and at the end. A picture
 * that has fewer slices than those before it is delivered by the second of
 * them. An access unit with PES bytes outstanding, or that ends with a PES of
 * which there was more before, waits; the former is dropped as corrupt, when
 * `end`. */
void ps_demux_flush(struct ps_demux *d, bool end);

/* Places in the stream, as bytes fed before. */
struct ps_place {
    uint64_t pack_off;   /* the newest pack header (or, in a stream that has
                            none, PES header); PS_NO_PLACE: none yet */
    uint64_t open_off;   /* the pack in which the oldest access unit began that
                            is not delivered yet; PS_NO_PLACE: none waits */
    uint64_t parsed_off; /* bytes behind it may belong to another header */
};
#define PS_NO_PLACE UINT64_MAX
void ps_demux_place(const struct ps_demux *d, struct ps_place *out);

/* Bytes will be fed soon: what they need is fetched from far memory meanwhile. */
void ps_demux_prefetch(const struct ps_demux *d);

void ps_demux_counters(const struct ps_demux *d, struct ps_counters *out);
/* The i-th stream seen; NULL past the last. */
const struct ps_stream *ps_demux_stream(const struct ps_demux *d, size_t i);
#endif
