/* ps/es.h - one elementary stream of a program: payload in, access units out
 *
 * Inside ps only; ps/demux.c finds the payload, this assembles it. The access
 * unit under construction is a list of pieces of the fed buffers. Offsets of
 * NAL units and of the scanner count from its first byte; `base` is that
 * byte's place in the whole stream, so that PES starts can be remembered
 * beyond the access unit they were seen in. */
#ifndef PS_ES_H
#define PS_ES_H

#include "ps/annexb.h"
#include "ps/demux.h"
#include "ps/pes.h"

#define ES_MARKS 32      /* PES starts and packets remembered; a power of 2.
                            More than ES_HEAD + 4 bytes can begin */
#define ES_HEAD 16       /* bytes of a NAL unit looked at on its way in */
#define ES_MAX_HELD 64   /* buffers one unit holds; more payload is copied: a
                            buffer may be far larger than what lies in it */
#define ES_BLOCK 16384   /* room for copies, taken when it is needed */
#define ES_MARKERS_BELIEVED 10

/* A fed buffer that somebody was told to keep. */
struct es_hold {
    void *buf;
    uint32_t refs;      /* streams with pieces in it; 0: slot is free */
    uint32_t next_free;
};

/* Lengths of four bytes where start codes belong (ISO/IEC 14496-15 5.3.3, as some
 * encoders leave them): believed when a chain of them, from the beginning of a
 * PES, has led past a whole set of parameter sets. */
struct es_lengths {
    bool on;            /* the stream has them */
    bool lost;          /* where the next one stands: a PES with a new time */
    bool looks;         /* this PES may begin with them */
    uint8_t n, head_n;  /* bytes of the length, and of the head behind it */
    uint32_t left;      /* of the NAL unit, when n is 4 */
    uint8_t head[PS_NAL_HEAD];
    unsigned seen;      /* enum ps_seen */
    uint64_t from;      /* where this PES begins in the stream */
};

/* What all streams of one demuxer share. */
struct es_env {
    const struct gb_alloc *alloc;
    struct ps_hooks hooks;
    struct ps_options opt;
    struct ps_counters count;
    ps_scan_fn *scan;
    void *buf;          /* of the feed under way; NULL: nothing to hold */
    bool copy;          /* the bytes being put will not stay: copy them */
    uint32_t rtp_ts;
    bool has_pack, pack_map; /* the pack under way: is there one, with a map */
    uint64_t pack_off;
    uint32_t touched;   /* bit i: stream i got a piece in this feed */
    uint32_t open;      /* bit i: video stream i has begun a unit */
    struct es_hold *hold;
    uint32_t n_holds, cap_holds, free_hold, cur_hold; /* index + 1; 0: none */
};

/* Pieces [.., end) of the access unit that are not covered by an earlier ref
 * lie in the held buffer of this slot. */
struct es_ref {
    uint32_t slot, end;
};

/* Payload that is copied. Pieces point into it, so it neither moves nor grows. */
struct es_block {
    struct es_block *next; /* newer */
    uint32_t used, cap;
    uint8_t bytes[];
};

struct es_mark {
    uint64_t at;       /* place in the stream */
    uint32_t rtp_ts;
    bool has_pts, has_dts, used;
    bool has_pack, pack_map; /* of a PES, as in es_env */
    uint64_t pts90k, dts90k, pack_off;
};

struct es {
    struct es_env *env;
    struct ps_stream info;
    unsigned index;     /* of this stream in its demuxer */
    bool video, fed;
    uint8_t wrong_lengths; /* of its PES, in a row; no packet was missing */
    uint8_t right_lengths; /* since they are not believed, in a row */
    uint64_t named;     /* number of the last map that had it */
    bool proven;        /* the codec was confirmed by bytes */
    bool relearnt;      /* ... as another than was believed when the unit began */

    struct ps_piece *piece;
    uint32_t n_pieces, cap_pieces;
    struct es_ref *ref;
    uint32_t n_refs, cap_refs;
    void *held;         /* the buffer of the newest ref; NULL: there is none */
    uint32_t held_to;   /* pieces [0, held_to) are covered by refs */
    bool loose;         /* pieces behind them lie in the buffer being fed */
    struct es_block *oldest, *newest; /* copies; NULL: none yet */
    uint64_t base;
    uint32_t bytes;

    struct ps_au au;    /* flags, times, codec of the unit in construction */
    bool disc;          /* the next unit follows a loss */
    bool broken_start;  /* a unit that does not begin with its first slice
                           has lost something */
    struct es_mark pes[ES_MARKS], pkt[ES_MARKS];
    uint32_t n_pes, n_pkt;
    uint32_t last_ts;   /* of the newest mark in pkt */
    bool pes_waits;     /* pes[n_pes], not counted yet, begins with the next
                           payload byte */

    /* scanner */
    bool sc_waits;      /* unbounded: 00 00 01 ends at pos, and may begin a PS
                           header */
    struct ps_nal *nal;
    uint32_t n_nals, cap_nals;
    uint32_t pos;       /* offset of the next byte to be scanned */
    uint32_t zeros;     /* zero bytes in front of it */
    uint32_t nal_sc, nal_off; /* the NAL unit being read: start code, header */
    uint8_t head[ES_HEAD];
    uint8_t head_n, head_need; /* head_n < head_need: its head is awaited */
    bool nal_open;      /* it is in nal[], its end is awaited */
    bool has_vcl, has_sps, has_pps, has_sei;
    bool unbounded;     /* the PES has no length: a PS header ends it */
    bool stopped;       /* ... and may have begun; see es_put */
    bool coast, probe;  /* heads_only: nothing to look for; at a PES start */
    bool first_in_pes;
    unsigned seen;      /* enum ps_seen */

    struct es_lengths lengths;

    bool has_sps_info;
    struct ps_h264_sps sps;
    struct ps_h264_slice pic; /* the first slice of the picture */
    bool second_field;

    /* loss heuristics */
    uint32_t max_pes, n_max_pes, last_pes;
    bool goes_on;       /* behind one of max_pes came more of its unit */
    uint32_t n_vcl, last_vcl[2]; /* slices: of the unit, of those before it */
    uint32_t waited;    /* bytes of the unit that was not whole at a flush */
    bool marker;        /* the last packet had the RTP marker */
    bool marker_twice;  /* ... and so had one in the middle of the unit */
    uint32_t marker_at; /* bytes of the unit then; 0: none */
    bool marker_lies;   /* the newest lay elsewhere than at the unit's end */
    uint32_t n_markers; /* units in a row that ended with it */

    /* audio statistics */
    uint32_t n_not_adts, n_alaw, n_ulaw, n_law_bytes;
    uint16_t n_high[16]; /* of those, by their upper half: sign and segment */
};

/* The codec is made of NAL units. */
static inline bool es_is_nal(const struct es *s)
{
    return s->info.codec == PS_CODEC_H264 || s->info.codec == PS_CODEC_H265;
}

/* A map or an SDP names a codec that nobody reads; bytes may prove another. */
static inline bool es_is_doubted(const struct es *s)
{
    return s->info.codec == PS_CODEC_MPEG4 || s->info.codec == PS_CODEC_SVAC;
}

void es_init(struct es *s, struct es_env *env, uint8_t stream_id,
             unsigned index);
void es_fini(struct es *s); /* releases what is held */

/* The codec that a map or an SDP names; bytes that prove another one win. */
void es_set_codec(struct es *s, uint8_t type, enum ps_codec codec,
                  enum ps_codec_source source);
/* Tells on_stream. */
void es_announce(struct es *s);

/* A PES begins; its times count from its first payload byte on. */
void es_pes_begin(struct es *s, const struct ps_pes *pes, bool unbounded);
/* All of its payload has been put. */
void es_pes_end(struct es *s);

/* Bytes of the PES under way that have been put. */
static inline uint64_t es_pes_bytes(const struct es *s)
{
    return s->pes_waits || !s->n_pes
               ? 0
               : s->base + s->bytes - s->pes[(s->n_pes - 1) % ES_MARKS].at;
}

/* Payload of the feed under way. Consumes all n bytes, unless the PES is
 * unbounded and 00 00 01 and the id of a PS header came by: then *used bytes
 * up to and with the id are consumed and s->stopped is set. false: a limit is
 * reached, the unit is gone. */
bool es_put(struct es *s, const uint8_t *p, size_t n, size_t *used);
/* Appends without looking at the bytes (they may be a PS header). */
bool es_append(struct es *s, const uint8_t *p, size_t n);
/* Looks at bytes that es_append has appended; as es_put. */
size_t es_scan(struct es *s, const uint8_t *p, size_t n);
/* Takes back what was appended behind offset n of the unit. */
void es_trim(struct es *s, uint32_t n);

/* Something is missing from here on. inside: the unit is surely hit. */
void es_gap(struct es *s, bool inside);
/* Delivers what is complete; end: nothing more will come. */
void es_flush(struct es *s, bool end, bool outstanding);
/* A packet with or without the RTP marker ended where a PES ended. */
void es_marker(struct es *s);

/* A PES of sound that lies in the fed bytes as a whole: handed out at once,
 * when there is nothing to find out. false: it did nothing. n is not 0. */
bool es_put_whole(struct es *s, const struct ps_pes *pes, const uint8_t *p,
                  size_t n);

/* More payload of a PES, of the same RTP time, that need not be looked at
 * (coast), in the buffer that the unit holds already: the caller has put it
 * behind the last piece, of which there are n_pieces now, n bytes more. */
static inline void es_ran_on(struct es *s, uint32_t n_pieces, size_t n)
{
    s->n_pieces = n_pieces;
    s->bytes += (uint32_t)n;
    s->pos = s->bytes;
    if (s->held)
        s->ref[s->n_refs - 1].end = s->held_to = n_pieces;
    else
        s->loose = true;
}

/* The last units all ended with the RTP marker. */
static inline bool es_ends_with_marker(const struct es *s)
{
    return s->n_markers >= ES_MARKERS_BELIEVED;
}

/* Around each feed: s has pieces that outlive it. */
void es_hold(struct es *s);

/* Soon there will be payload of it. */
void es_prefetch(const struct es *s);

/* --- between es.c, es_video.c and es_audio.c --- */

/* Delivers (or drops, when damaged) bytes [0, end) of the unit and forgets
 * [0, cut); end <= cut. */
void es_finish(struct es *s, uint32_t end, uint32_t cut);
/* Forgets bytes [0, cut). */
void es_drop_front(struct es *s, uint32_t cut);
/* Copies up to n bytes from offset off of the unit; how many there were. */
size_t es_read(const struct es *s, uint32_t off, uint8_t *out, size_t n);
/* No byte of [off, end) of the unit is another. */
bool es_is_zeros(const struct es *s, uint32_t off, uint32_t end);
const struct es_mark *es_pes_at(const struct es *s, uint32_t off);
/* The unit now begins: times of the PES and packet that hold its first byte. */
void es_begin_unit(struct es *s);
void es_restart_unit(struct es *s, uint32_t off);
/* Nothing comes behind what was put: a head that is not whole is read. */
void es_video_take_rest(struct es *s);
/* Of a picture with a time of its own no more than a start code is there: it is
 * taken back, and the unit in front of it is whole. */
bool es_video_drop_start(struct es *s);
void es_video_flush(struct es *s, bool end);
void es_video_reset(struct es *s);
/* What stopped it is a PS header: the payload ends in front of it, and goes on
 * in the next PES. */
void es_video_end_open(struct es *s);
/* It is none, and no NAL unit either: the one before ends there. */
void es_video_pass_open(struct es *s);
void es_video_relearn(struct es *s, enum ps_codec codec);
void es_video_key(struct es *s);
void es_video_close_nal(struct es *s, uint32_t end);
void es_clear_flags(struct es *s);
/* A PES of video begins, with this mark. */
void es_lengths_pes(struct es *s, const struct es_mark *m);
/* As es_scan, of a PES with a length. */
void es_lengths_scan(struct es *s, const uint8_t *p, size_t n);
/* Bytes of p up to where it is sure that there are lengths; 0: it is not. */
size_t es_lengths_look(struct es *s, const uint8_t *p, size_t n);
/* They are: the PES is read anew. */
void es_lengths_begin(struct es *s);
void es_audio_sniff(struct es *s);
/* A PES that begins with this byte is nothing to es_audio_sniff. */
static inline bool es_audio_is_settled(const struct es *s, uint8_t first)
{
    switch (s->info.codec) {
    case PS_CODEC_UNKNOWN:
        return false;
    case PS_CODEC_G711A:
    case PS_CODEC_G711U:
        return first != 0xff; /* ADTS begins with it */
    case PS_CODEC_AAC:
        return s->proven;
    default:
        return true;
    }
}
#endif
