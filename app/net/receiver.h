/* app/net/receiver.h - one session's packets: source lock, reorder queue,
 * payload kind, PS demuxer, hub. No sockets: the edge feeds it.
 *
 *   packet ─► source ─► queue ─► kind ─► demux ─► hub
 *
 * Payloads stay in the slabs they were received into. */
#ifndef APP_NET_RECEIVER_H
#define APP_NET_RECEIVER_H

#include "app/media/hub.h"
#include "app/net/slab.h"
#include "ps/demux.h"
#include "rtp/kind.h"
#include "rtp/queue.h"
#include "rtp/source.h"

#define RECEIVER_MAX_PT 4         /* payload types of one session */
#define RECEIVER_FLUSH_MS 200     /* silence that completes the last picture */
#define RECEIVER_LATE_MS 500      /* ... one of fewer slices than those before */
#define RECEIVER_LEAD_MS 5000     /* silent so long, another stream leads */
#define RECEIVER_BLIND_MS 3000    /* of program stream, and no key frame yet */

enum receiver_event {
    RECEIVER_PACKET,  /* the first valid RTP packet */
    RECEIVER_PROGRAM, /* the first program stream structure */
    RECEIVER_CODEC,   /* a video codec is known */
    RECEIVER_ENCRYPTED, /* a stream is scrambled: nobody can show it */
    RECEIVER_NO_SETS, /* key frames, which nothing decodes: no parameter sets */
    RECEIVER_DAMAGED, /* none of the pictures is whole */
    RECEIVER_UNKNOWN, /* the payload is none that we read; receiver_kind */
};

struct receiver_options {
    bool tcp;               /* in order: no reordering */
    bool has_ssrc;
    uint32_t ssrc;          /* of y= */
    /* inside the calls below; must not call back */
    void (*on_event)(void *ctx, enum receiver_event ev);
    void *ctx;
};

struct receiver_counters {
    uint64_t packets, bytes; /* valid RTP of this session */
    uint64_t lost, foreign, invalid, unknown_bytes, corrupt, resyncs;
    uint64_t kernel_drops; /* its buffer was full; of an ingest's own socket */
};

struct receiver;
int receiver_new(struct receiver **out, struct hub *hub,
                 const struct receiver_options *o);
void receiver_free(struct receiver *r); /* NULL is fine */

/* The answer has come: its SSRC, codecs named by its rtpmaps. */
void receiver_answer(struct receiver *r, bool has_ssrc, uint32_t ssrc,
                     enum ps_codec video, enum ps_codec audio);

/* An address media may come from (no family: nothing is said); see
 * rtp_source_allow. */
void receiver_allow(struct receiver *r, const struct gb_addr *addr);

/* One RTP packet in slab s. false: not ours, or no RTP. */
bool receiver_packet(struct receiver *r, const uint8_t *p, size_t n,
                     struct slab *s, const struct gb_addr *from,
                     uint64_t now_ms);

/* Program stream bytes without RTP (a broken device on TCP). */
void receiver_bare(struct receiver *r, const uint8_t *p, size_t n,
                   struct slab *s, uint64_t now_ms);

/* Packets will come soon: what they need is fetched from far memory. */
void receiver_prefetch(const struct receiver *r);

/* Framing was lost on TCP: bytes are missing before the next call. */
void receiver_gap(struct receiver *r);

/* Holes that are given up, the last picture of a pause. At least every 50 ms
 * while the session runs. */
void receiver_tick(struct receiver *r, uint64_t now_ms);

/* Delivers what waits: the stream is over. */
void receiver_end(struct receiver *r, uint64_t now_ms);

void receiver_counters(const struct receiver *r, struct receiver_counters *out);
uint64_t receiver_last_ms(const struct receiver *r); /* newest packet; 0 none */
const struct rtp_source *receiver_source(const struct receiver *r);
enum rtp_kind receiver_kind(const struct receiver *r); /* of the last one */
void receiver_codecs(const struct receiver *r, enum ps_codec *video,
                     enum ps_codec *audio);
/* A report block about the source for an RR; false before the first packet. */
bool receiver_report(struct receiver *r, struct rtcp_block *out);
#endif
